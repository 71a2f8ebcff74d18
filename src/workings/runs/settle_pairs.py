"""Settling the recipe for pairs of texts: what this kind does otherwise than other sequences."""

from __future__ import annotations

import math

from workings.runs.settle import Facts, Settling, clamp, setting

FEW_TOKENS = 500  # of a vocabulary of symbols; texts of words or pieces have more
FEW_PAIRS = 5_000  # of symbols, below which a small net is soon as good as it gets


def settle(s: Settling, facts: Facts) -> None:
    """Fill this kind's own values."""
    assert isinstance(facts.form.vocabulary, tuple)
    n, target = facts.n, facts.form.vocabulary[1]
    s.fill("net", "encoder-decoder", "recurrent, with attention: where it looked is seen", ("auto",))
    symbols = target <= FEW_TOKENS
    said = f"for {n:,} pairs and {target:,} target tokens"
    size = s.recipe.size if s.recipe.size != "auto" else "small" if symbols and n < FEW_PAIRS else "medium"
    width = {"small": 128, "medium": 256, "large": 512}[size]
    setting(s, "width", width, said)
    if s.recipe.net == "encoder-decoder":
        setting(s, "embedding", min(width, 256), "as wide as it is quick")
        setting(s, "readout", 0 if symbols else width, "keeps the output's product small" if not symbols else said)
    light = 0.0 if symbols else 0.3 if n < 100_000 else 0.1
    drop = {"none": 0.0, "light": 0.1, "strong": 0.4}.get(s.recipe.regularisation, light)
    setting(s, "dropout", drop, f"for {n:,} pairs" if drop else "strings of symbols are learnt exactly")
    if not symbols and s.recipe.regularisation != "none":
        s.fill("label_smoothing", 0.1, "a token's probability aims at less than 1, as there are other ways to say it")
    batch = min(n, 64)
    s.fill("batch_size", batch, f"for {n:,} pairs: small enough for many steps")
    per_epoch = max(1.0, n / batch)
    epochs = float(clamp(math.ceil((1000 + 45 * math.sqrt(n)) / per_epoch), 4, 100))
    s.fill("epochs", epochs, f"about 1,000 + 45 √n steps for {n:,} pairs; the best weights on the way are kept")
    rate = 2e-3 if s.recipe.net != "transformer" else 1e-3
    s.fill("learning_rate", rate, "what such a net bears behind a warm-up, its gradient limited")
