"""Settling the recipe for series to forecast: what this kind does otherwise than other sequences."""

from __future__ import annotations

import math

from workings.learning.init import suited
from workings.runs.settle import Facts, Settling


def settle(s: Settling, facts: Facts) -> None:
    """Fill this kind's own values."""
    n = facts.n
    assert facts.form.horizon is not None
    L, V = facts.shape
    k = facts.outputs // facts.form.horizon
    alone = f"; each of the {k} target(s) from its own past, the {V - k} other(s) unused unless others=true"
    why = f"a linear map of {L} past steps is hard to beat on series{alone if k < V else ''}"
    s.fill("net", "nlinear", why, ("auto",))
    linear = s.recipe.net == "nlinear"
    batch = 32 if n < 20_000 else 128
    s.fill("batch_size", min(n, batch), f"for {n:,} windows: small enough for many steps")
    per_epoch = max(1, n // (n if s.recipe.batch_size == "all" else int(s.recipe.batch_size or batch)))
    steps = 2_000 if linear else 3_000
    epochs = float(max(5, min(1000, round(steps / per_epoch))))
    s.fill("epochs", epochs, f"about {steps:,} steps for {n:,} windows, 5 epochs at least; the best weights are kept")
    if linear:
        eta = float(f"{min(0.03, max(5e-4, 0.2 / math.sqrt(n))):.2g}")
        s.fill("learning_rate", eta, f"0.2/√n within 0.0005 to 0.03 for {n:,} windows: few have far to go in few steps")
    if s.recipe.net in ("mlp", "maxout"):
        s.fill("initialisation", *suited(str(s.recipe.net_settings.get("activation", "relu"))))
