"""Settling the recipe of a variational autoencoder, where it differs from other nets without labels."""

from __future__ import annotations

import math

from workings.nets.vae import code_for
from workings.runs.settle import Facts, Settling, setting

MOST_DENSE = 1024  # numbers of an image up to which dense layers do


def settle(s: Settling, facts: Facts) -> None:
    """Fill what is otherwise, before the common values."""
    D = math.prod(facts.shape)
    why = f"half of the {D:,} numbers of a sample, 2 to 20: units that are not needed switch themselves off"
    setting(s, "code", code_for(D), why)
    if facts.is_image and facts.shape[0] == 1 and D <= MOST_DENSE:
        setting(s, "coder", "dense", f"for small pictures of one channel, {facts.shape[1]}×{facts.shape[2]}")
    if facts.is_image:  # measured on validation digits: a nat below relu; on rows of a table it is the other way round
        setting(s, "activation", "silu", "smooth, so that near codes mean near pictures")
    s.fill("learning_rate", 2e-3, "twice the usual rate of adam: the noise of drawn codes bears it")
    s.fill("weight_decay", 0.0, "the KL term is what keeps codes from copying")
