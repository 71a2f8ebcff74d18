"""Unscaled inputs: features of very different size, far from 0, or large throughout.

Statistics: greatest standard deviation of a feature over the median; |mean| of all numbers over their standard
deviation; their standard deviation. Bounds of [−1, 1] alarm on correctly standardised data (35 of 35 CIFAR-10 nets), so
none is used; pixels of 0 to 1 are healthy. Source: LeCun et al. 1998, "Efficient BackProp", 4.3.
"""

from __future__ import annotations

import math

from workings.watching.findings.evidence import Evidence, Symptom, finite, first_of, lasting
from workings.watching.history import History


def scales(history: History) -> Evidence | None:
    """log₁₀ of the greatest standard deviation over the median."""
    course = [(step, math.log10(v)) for step, v in finite(history.of("scales", "input")) if v > 0]
    return lasting(course, "input", 2)


def offset(history: History) -> Evidence | None:
    """|mean| over standard deviation."""
    return lasting(history.of("offset", "input"), "input", 2)


def size(history: History) -> Evidence | None:
    """The standard deviation of all numbers."""
    return lasting(history.of("std", "input"), "input", 2)


_WHY = "Gradients of large features drown those of small ones, and a rate that suits the one does not suit the other."
_DO = "Standardise each feature with mean and spread of the training rows: x = (x - mean) / std; pixels: x / 255."
SYMPTOMS = (
    Symptom(
        "unscaled-inputs",
        "log₁₀ of the greatest standard deviation of a feature over the median one",
        scales,
        2.0,
        "Of 228 healthy runs of the calibration part 99 % lie below 0.54, none above 0.57.",
        "One input feature varies 10^{value:.1f} times as much as the middle one.",
        _WHY,
        _DO,
    ),
    Symptom(
        "unscaled-inputs",
        "standard deviation of the inputs",
        size,
        10.0,
        "Of 228 healthy runs of the calibration part 99 % lie below 1.1, none above 1.2.",
        "The inputs have a standard deviation of {value:.3g}; about 1 is what initialisations reckon with.",
        _WHY,
        _DO,
    ),
    Symptom(
        "unscaled-inputs",
        "|mean| of the inputs over their standard deviation",
        offset,
        10.0,
        "Of 228 healthy runs of the calibration part 99 % lie below 0.83, none above 0.83.",
        "The inputs lie {value:.3g} standard deviations away from 0.",
        _WHY,
        _DO,
    ),
)
CODES = ("unscaled-inputs",)
look = first_of(SYMPTOMS)
