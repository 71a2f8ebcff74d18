"""Softmax twice: the loss takes logits and was given probabilities.

Statistic: the share of rows given to the loss that are non-negative and sum to 1 (of one output: that all lie in 0 to
1, where what made them is no affine operation: at the start a single logit may lie there by chance). Rows of logits sum
to 1 in no batch. Log-softmax before nll_loss, or before cross_entropy, is healthy.
"""

from __future__ import annotations

from workings.watching.findings.evidence import Evidence, Symptom, finite, first_of, lasting
from workings.watching.history import History

BY_LOGITS = ("cross_entropy", "token_cross_entropy")
BY_LOGIT = ("bce", "binary_cross_entropy_with_logits")


def rows(history: History) -> Evidence | None:
    """Share of rows that sum to 1."""
    if history.facts.get("loss") not in BY_LOGITS:
        return None
    return lasting(history.of("shares", "output"), "output", 2)


def one(history: History) -> Evidence | None:
    """Share of looks whose outputs all lie in 0 to 1."""
    if history.facts.get("loss") not in BY_LOGIT or history.facts.get("loss_given") == "affine":
        return None
    low, high = finite(history.of("low", "output")), dict(finite(history.of("high", "output")))
    inside = [(step, float(v >= 0 and high.get(step, 2.0) <= 1)) for step, v in low]
    if len(inside) < 4:
        return None
    share = sum(v for _, v in inside) / len(inside)
    return Evidence(share, share, share, inside[0][0], "output", inside)


_WHY = "The loss applies its own softmax to them: gradients shrink, and the loss cannot come near 0."
SYMPTOMS = (
    Symptom(
        "double-softmax",
        "share of rows given to the loss that are shares of 1",
        rows,
        0.99,
        "Exact: logits do not sum to 1.",
        "What the loss takes as logits are probabilities already: softmax is applied twice.",
        _WHY,
        "Leave out the softmax behind the last layer: nn.CrossEntropyLoss and F.cross_entropy take logits.",
    ),
    Symptom(
        "double-softmax",
        "share of looks at which all that is given to the loss lies in 0 to 1",
        one,
        1.0,
        "Of 20 healthy runs of the calibration part 99 % lie below 0.056, none above 0.056.",
        "What the loss takes as logits lies in 0 to 1 throughout: a sigmoid is applied twice.",
        _WHY,
        "Leave out the sigmoid behind the last layer: nn.BCEWithLogitsLoss takes logits.",
    ),
)
CODES = ("double-softmax",)
look = first_of(SYMPTOMS)
