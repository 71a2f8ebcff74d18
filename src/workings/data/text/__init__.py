"""Texts with labels: read, checked, cut into tokens, batched by length."""
