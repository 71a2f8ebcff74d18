"""Settling the recipe of a variational autoencoder, where it differs from other nets without labels."""

from __future__ import annotations

import math

from workings.runs.settle import Facts, Settling, clamp, setting

MOST_DENSE = 1024  # numbers of an image up to which dense layers do


def settle(s: Settling, facts: Facts) -> None:
    """Fill what is otherwise, before the common values."""
    D = math.prod(facts.shape)
    why = f"a quarter of the {D:,} numbers of a sample, 2 to 20: units that are not needed switch themselves off"
    setting(s, "code", clamp(D // 4, 2, 20), why)
    if facts.is_image and facts.shape[0] == 1 and D <= MOST_DENSE:
        setting(s, "coder", "dense", f"for small pictures of one channel, {facts.shape[1]}×{facts.shape[2]}")
    s.fill("weight_decay", 0.0, "the KL term is what keeps codes from copying")
