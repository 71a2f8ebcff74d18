"""Settling the recipe for texts: what this kind does otherwise than other sequences.

The constants were chosen on validation rows within the training part of real sentences (rt-polarity).
"""

from __future__ import annotations

import math

from workings.learning.metrics import headline
from workings.runs.settle import Facts, Settling, clamp, power_of_two, setting

ENOUGH = 200  # validation texts, for accuracy to tell one epoch from another
RECURRENT = ("rnn", "lstm", "gru")


def settle(s: Settling, facts: Facts) -> None:
    """Fill this kind's own values."""
    n = facts.n
    s.fill("net", "lstm", "the samples are texts", ("auto",))
    if s.recipe.net in RECURRENT:
        _recurrent(s)
        s.fill("learning_rate", 4e-3, "behind a warm-up and with its gradients clipped, a small recurrent net bears it")
    elif s.recipe.net == "transformer-encoder":
        _transformer(s)
    batch = clamp(power_of_two(0.7 * math.sqrt(n)), 8, 64)
    s.fill("batch_size", min(n, batch), f"about 0.7 √n for {n:,} texts, 64 at most: small enough for many steps")
    per_epoch = max(1, n // (n if s.recipe.batch_size == "all" else int(s.recipe.batch_size or batch)))
    steps = 650 if s.recipe.net in RECURRENT else 1000
    epochs = float(clamp(math.ceil(steps / per_epoch), 5, 40))
    s.fill(
        "epochs", epochs, f"about {steps} steps for {n:,} texts, 5 to 40 epochs; soon a net knows its texts by heart"
    )
    if facts.task != "regression":
        smoothing = 0.0 if s.recipe.regularisation == "none" else 0.1
        s.fill("label_smoothing", smoothing, "a class aims at less than 1, as some texts are labelled wrongly")
    rare = headline(facts.task, list(facts.class_counts) or None) == "average_precision"
    if facts.task != "regression" and facts.n_val >= ENOUGH and not rare:
        s.fill("monitor", "accuracy", "on texts the loss turns up while ever more of them are told right")


def _recurrent(s: Settling) -> None:
    size = s.recipe.size if s.recipe.size != "auto" else "medium"
    embedding, width = {"small": (64, 32), "medium": (128, 64), "large": (256, 128)}[size]
    setting(s, "embedding", embedding, "numbers of a word: more than the units, as words are many and rules are few")
    setting(s, "width", width, "units each way: a small net has less room for learning texts by heart")
    setting(s, "bidirectional", True, "what a word means hangs on the words after it, too")
    drop, hidden = {"none": (0.0, 0.0), "light": (0.3, 0.1), "strong": (0.6, 0.4)}.get(
        s.recipe.regularisation, (0.5, 0.3)
    )
    setting(s, "dropout", drop, "keeps the net from relying on single numbers" if drop else "no regularisation")
    why = "of the words are hidden in training, so that no single one decides" if hidden else "no regularisation"
    setting(s, "word_dropout", hidden, f"{hidden:.0%} {why}" if hidden else why)


def _transformer(s: Settling) -> None:
    setting(s, "positions", "learned", "they begin small, so that the words count before their order does")
    drop, hidden = {"none": (0.0, 0.0), "light": (0.1, 0.1), "strong": (0.3, 0.4)}.get(
        s.recipe.regularisation, (0.2, 0.3)
    )
    setting(s, "layers", 1, "few texts bear no more")
    setting(s, "pooling", "max", "the place that speaks most decides")
    setting(s, "dropout", drop, "keeps the net from relying on single numbers" if drop else "no regularisation")
    why = "of the words are hidden in training, so that no single one decides" if hidden else "no regularisation"
    setting(s, "word_dropout", hidden, f"{hidden:.0%} {why}" if hidden else why)
