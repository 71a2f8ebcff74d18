"""Settling the recipe of a sequence: what all kinds share; each kind has its own part in ``settle_<samples>.py``.

A part is one function ``settle(s, facts)`` that fills what its kind does otherwise, before the common values.
"""

from __future__ import annotations

from importlib import import_module

from workings.runs.recipe import Recipe
from workings.runs.settle import Facts, Settling, finish, loss, monitor, schedule

_PARTS = {
    "text": "workings.runs.settle_text",
    "frames": "workings.runs.settle_frames",
    "language": "workings.runs.settle_language",
    "series": "workings.runs.settle_series",
    "pairs": "workings.runs.settle_pairs",
}


def settle_sequences(s: Settling, facts: Facts) -> Recipe:
    """The recipe with everything settled that can be settled without measuring."""
    import_module(_PARTS[facts.samples]).settle(s, facts)
    loss(s, facts)
    n = facts.n
    s.fill("batch_size", min(n, 64), f"for {n:,} samples: small enough for many steps")
    s.fill("epochs", 10.0, f"for {n:,} samples; the best weights on the way are kept")
    s.fill("optimiser", "adamw", "it scales each weight's step by how large its gradients were")
    s.fill("weight_decay", 0.01, "a mild pull of weights towards 0")
    s.fill("initialisation", "own", "each layer draws its weights as its equations want")
    s.fill("learning_rate", 2e-3, "the usual rate of adamw; what clip_norm limits cannot blow up")
    finish(s, facts)
    schedule(s, "cosine", "η falls to 0 along half a cosine: large steps first, small ones to settle", 0.1)
    s.fill("clip_norm", 1.0, "the gradient of a long sequence may leap; its length is limited")
    s.fill("augmentation", "none", "the samples are not images", ("auto",))
    monitor(s, facts)
    return s.recipe
