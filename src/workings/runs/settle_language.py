"""Settling the recipe for texts to go on with: what this kind does otherwise than other sequences."""

from __future__ import annotations

from workings.runs.settle import Facts, Settling, setting


def settle(s: Settling, facts: Facts) -> None:
    """Fill this kind's own values."""
    length = facts.shape[0]
    tokens = facts.n + length - 1
    windows = max(1, facts.n // length)
    s.fill("net", "gpt", "the samples are texts to go on with", ("auto",))
    size = s.recipe.size if s.recipe.size != "auto" else "small" if tokens < 100_000 else "medium"
    layers, width = {"small": (2, 64), "medium": (4, 192), "large": (6, 384)}[size]
    if s.recipe.net == "gpt":
        setting(s, "layers", layers, f"for {tokens:,} tokens")
        setting(s, "width", width, f"for {tokens:,} tokens")
        setting(s, "heads", 4 if width <= 192 else 6, "of 16 to 64 numbers each")
        setting(s, "positions", "rotary", "how far a token is back matters, not where its window began")
    drop = {"none": 0.0, "light": 0.05, "strong": 0.3}.get(s.recipe.regularisation, 0.1)
    setting(s, "dropout", drop, "keeps the net from learning the text by heart" if drop else "no regularisation")
    batch = min(windows, 32)
    s.fill("batch_size", batch, f"{batch} windows of {length:,} tokens: many steps, each of a useful size")
    s.fill("epochs", 10.0, f"passes over {tokens:,} tokens; the best weights on the way are kept")
    s.fill("learning_rate", 2e-3, "what a net of this size bears behind a warm-up")
