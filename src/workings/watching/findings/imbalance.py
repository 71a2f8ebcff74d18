"""Imbalance that hurts: rare classes are hardly ever found.

Statistics: effective classes over classes, where no weights make up for it; accuracy less balanced accuracy (the mean
of the classes' recalls) on validation samples, or the recall of the rarest class over looks, where the commonest class
is at least five times the rarest. Imbalance that is handled well is fine, so the shares alone are no finding.
Published: SageMaker Debugger, 10 to 1 and an error of 0.7.
"""

from __future__ import annotations

import math

from workings.watching.findings.evidence import Evidence, Symptom, finite, first_of, lasting
from workings.watching.findings.label_noise import answers_at_each_step
from workings.watching.findings.progress import class_shares
from workings.watching.history import History

RATIO = 5.0
MADE_UP = 2.5
MANY = 4  # classes
MOSTLY = 0.5  # of the rarest class found


def ratio(history: History) -> float:
    """How many times as many samples the commonest class has as the rarest; 0 where it is not known."""
    shares = [p for p in class_shares(history) if p > 0]
    return max(shares) / min(shares) if len(shares) > 1 else 0.0


def on_validation(history: History) -> Evidence | None:
    """Accuracy less balanced accuracy."""
    r = ratio(history)
    balanced = dict(finite(history.of("val_balanced_accuracy")))
    if r < RATIO or not balanced:
        return None
    plain = finite(history.of("val_accuracy"))
    course = [(step, value - balanced[step]) for step, value in plain if step in balanced]
    last = balanced[course[-1][0]] if course else 0.0
    return lasting(course, "", 3, ratio=r, balanced=last, plain=plain[-1][1] if plain else 0.0)


def on_training(history: History) -> Evidence | None:
    """1 − the recall of the rarest class."""
    r = ratio(history)
    if r < RATIO or handled(history):
        return None
    return lasting([(s, 1 - v) for s, v in history.of("rare_right", "output")], "output", 3, ratio=r)


def uneven(history: History) -> Evidence | None:
    """e^H/K, H the entropy of the class shares, where nothing makes up for it and there are many classes."""
    shares = class_shares(history)
    if len(shares) < MANY or handled(history) or answers_at_each_step(history):
        return None
    rare = lasting(history.of("rare_right", "output"), "output", 3)
    if rare is not None and rare.low > MOSTLY:
        return None  # imbalance that does no harm
    value = math.exp(-sum(p * math.log(p) for p in shares if p > 0)) / len(shares)
    return Evidence(value, value, value, 0, "", (), {"ratio": ratio(history)})


def extreme(history: History) -> Evidence | None:
    """The commonest class over the rarest; where weights make up for it, it may be so many times as much."""
    if answers_at_each_step(history):
        return None
    r = ratio(history)
    value = r / MADE_UP if handled(history) else r
    return Evidence(value, value, value, 0, "", (), {"ratio": r}) if r else None


def handled(history: History) -> bool:
    """Whether classes or samples have weights, or are drawn by them."""
    facts = history.facts
    return bool(facts.get("weighted")) or facts.get("imbalance") in ("class weights", "weighted sampling")


_WHY = "A net that never says the rare class has a low loss and is useless for what is usually wanted: finding it."
_DO = (
    "Class weights (nn.CrossEntropyLoss(weight=…)) or weighted sampling (--set imbalance='class weights'); judge by "
    "balanced accuracy or average precision; more samples of the rare class."
)
SYMPTOMS = (
    Symptom(
        "imbalance",
        "accuracy less balanced accuracy on validation samples",
        on_validation,
        0.25,
        "None of 272 healthy runs of the calibration part met its conditions.",
        "Classes differ {ratio:.0f}-fold in size, and rare ones are missed: accuracy is {plain:.0%}, balanced over the "
        "classes {balanced:.0%}.",
        _WHY,
        _DO,
    ),
    Symptom(
        "imbalance",
        "share of the rarest class that is not found",
        on_training,
        0.75,
        "None of 272 healthy runs of the calibration part met its conditions.",
        "Classes differ {ratio:.0f}-fold in size, and {value:.0%} of the rarest are not found.",
        _WHY,
        _DO,
    ),
    Symptom(
        "imbalance",
        "effective classes (e to the entropy of their shares) over classes",
        uneven,
        0.75,
        "Measured on 8 healthy runs of the calibration part only, none below 0.99.",
        "Classes differ {ratio:.0f}-fold in size and nothing makes up for it: they are as many as {value:.0%} of "
        "their number would be, were they of equal size.",
        _WHY,
        _DO,
        least=True,
    ),
    Symptom(
        "imbalance",
        "samples of the commonest class over those of the rarest (where weights make up for it, divided by 2.5)",
        extreme,
        30.0,
        "Of 159 healthy runs of the calibration part 99 % lie below 3.2, none above 3.4.",
        "The commonest class has {ratio:.0f} times as many samples as the rarest.",
        _WHY,
        _DO,
    ),
)
CODES = ("imbalance",)
look = first_of(SYMPTOMS)
