"""The doctor: what is wrong with a training run, why, and what cures it, each shown by experiment."""
