"""Watching training: statistics of activations, gradients and updates at a bounded cost, changing nothing."""
