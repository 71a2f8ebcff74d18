"""Constant inputs: every sample is the same, so nothing can be told apart.

Statistic: share of input features that are equal in all samples of a batch. Some are healthy: borders of images, rare
words. Source of the idea: TheDeepChecker, variance of features.
"""

from __future__ import annotations

from workings.watching.findings.evidence import Evidence, Symptom, first_of, lasting
from workings.watching.history import History


def _measure(history: History) -> Evidence | None:
    return lasting(history.of("constant", "input"), "input", 2)


SYMPTOMS = (
    Symptom(
        "constant-inputs",
        "share of input features that are the same in all samples of a batch",
        _measure,
        0.97,
        "Of 228 healthy runs of the calibration part 99 % lie below 0.33, none above 0.39.",
        "{value:.0%} of the input features are the same in every sample.",
        "What does not vary tells nothing: the net can only learn a constant answer.",
        "Look at one batch before it enters the net: a column lost, a scaling by 0, an index that stands still.",
    ),
)
CODES = ("constant-inputs",)
look = first_of(SYMPTOMS)
