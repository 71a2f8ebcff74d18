"""Settling the recipe for texts to go on with: what this kind does otherwise than other sequences.

The constants were found on the validation part of tinyshakespeare, by short runs of equal processor time.
"""

from __future__ import annotations

import math

from workings.runs.settle import Facts, Settling, clamp, setting

LITTLE = 200_000  # tokens below which a small net learns as much, sooner
STEP = 2_048  # tokens of a step: many steps do more than large ones
SEEN = 20_000_000  # tokens seen in all; `minutes` shortens that to what the clock bears
SIZES = {"small": (2, 64, 4), "medium": (4, 128, 4), "large": (6, 384, 6)}  # layers, width, heads


def settle(s: Settling, facts: Facts) -> None:
    """Fill this kind's own values."""
    length = facts.shape[0]
    tokens, windows = facts.n + length - 1, max(1, facts.n // length)
    s.fill("net", "gpt", "the samples are texts to go on with", ("auto",))
    size = s.recipe.size if s.recipe.size != "auto" else "small" if tokens < LITTLE else "medium"
    layers, width, heads = SIZES[size]
    epochs = float(clamp(math.ceil(SEEN / tokens), 2, 40))
    again = tokens < LITTLE  # read so often that it could be learnt by heart
    drop = {"none": 0.0, "light": 0.05, "strong": 0.2}.get(s.recipe.regularisation, 0.1 if again else 0.0)
    if s.recipe.net == "gpt":
        setting(s, "layers", layers, f"for {tokens:,} tokens")
        setting(s, "width", width, f"for {tokens:,} tokens")
        setting(s, "heads", heads, f"of {width // heads} numbers each")
        setting(s, "positions", "rotary", "how far back a token is matters, not where its window began")
    elif s.recipe.net in ("rnn", "lstm", "gru"):
        setting(s, "width", 128 if again else 256, f"for {tokens:,} tokens")
        setting(s, "embedding", 64, f"for {facts.outputs:,} different tokens")
    setting(s, "dropout", drop, "against learning the text by heart" if drop else f"{epochs:g} passes bear none")
    batch = min(windows, max(4, STEP // length))
    s.fill("batch_size", batch, f"{batch} windows of {length:,} tokens: many steps, each still of a useful size")
    s.fill("epochs", epochs, f"about {epochs * tokens / 1e6:.2g} million tokens are seen; the best weights are kept")
    wide = int(s.recipe.net_settings.get("width", width)) > 192
    eta = 4e-3 if s.recipe.net == "gpt" and not wide else 2e-3 if s.recipe.net == "gpt" else 3e-3
    s.fill("learning_rate", eta, "what a net of this kind and width bears behind a warm-up")
    s.fill("weight_decay", 0.1, "a steady pull of weights towards 0")
    if s.recipe.optimiser in (None, "adamw", "adam") and "beta2" not in s.recipe.optimiser_settings:
        s.put(
            "optimiser_settings",
            {**s.recipe.optimiser_settings, "beta2": 0.99},
            "gradients change quickly at first, so their squares are averaged over 100 steps",
        )
