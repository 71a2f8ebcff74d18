"""Settling the recipe for sequences of frames: what this kind does otherwise than other sequences.

Found on validation recordings of spoken digits, drawn at random and of speakers not trained on.
"""

from __future__ import annotations

from workings.runs.settle import Facts, Settling, clamp, setting

STEPS = 600
WIDTHS = {"small": [8, 16, 32], "large": [32, 64, 128]}


def settle(s: Settling, facts: Facts) -> None:
    """Fill this kind's own values."""
    n = facts.n
    s.fill("net", "spectral-cnn", "the samples are spectra: a sound may come at any time and pitch", ("auto",))
    if s.recipe.net == "spectral-cnn":
        if s.recipe.size in WIDTHS:
            setting(s, "widths", WIDTHS[s.recipe.size], f"a {s.recipe.size} net was asked for")
        mask, dropout = {"none": (0.0, 0.0), "light": (0.0, 0.1), "strong": (0.2, 0.5)}.get(
            s.recipe.regularisation, (0.0, 0.3)
        )
        why = (
            "runs of bands and of frames are hidden" if mask else "hiding bands and frames does not pay in so few steps"
        )
        setting(s, "mask", mask, why)
        setting(s, "dropout", dropout, "no feature is relied on alone" if dropout else "no regularisation")
    else:
        setting(s, "bidirectional", True, "the end of a recording tells of its beginning")
        setting(s, "dropout", 0.3, "recordings are many numbers, and few")
    batch = 64 if n >= 1_000 else 32 if n >= 200 else 16
    s.fill("batch_size", min(n, batch), f"for {n:,} recordings: small enough for many steps")
    per_epoch = max(1, n // (n if s.recipe.batch_size == "all" else int(s.recipe.batch_size or batch)))
    epochs = float(clamp(round(STEPS / per_epoch), 8, 100))
    s.fill("epochs", epochs, f"about {STEPS} steps for {n:,} recordings, 8 epochs at least; the best weights are kept")
