"""How much has been learnt: the loss of the last quarter against that of an answer which knows nothing of the input.

    learnt = (reference − late) / (reference − floor)

The reference is the loss of the best constant answer (entropy of the class shares, spread of the targets) where it is
known, else the loss at the start. 0: nothing was learnt; 1: everything; negative: worse than a constant answer.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from statistics import median

from workings.watching.findings.evidence import Course, Evidence, finite, mean_of
from workings.watching.history import History

LEAST = 12  # values of the loss; with fewer nothing is said of learning
SQUARES = ("mse", "mse_loss", "MSELoss")


@dataclass(frozen=True)
class Progress:
    """reference: the loss without knowing the input; known: whether it is that of the best constant answer.

    start: the first losses' median. late, low, high: mean loss of the last quarter, with its interval. learnt, least,
    most: the share learnt, with its interval. course: the losses.
    """

    reference: float
    known: bool
    start: float
    late: float
    low: float
    high: float
    course: list[tuple[int, float]]
    floor: float = 0.0

    def share(self, loss: float) -> float:
        """The share learnt where the loss is so much."""
        return (self.reference - loss) / (self.reference - self.floor)

    @property
    def learnt(self) -> float:
        return self.share(self.late)

    @property
    def least(self) -> float:
        return self.share(self.high)

    @property
    def most(self) -> float:
        return self.share(self.low)

    def evidence(self, **words: object) -> Evidence:
        """The share learnt."""
        step = self.course[-max(1, len(self.course) // 4)][0]
        words = {"late": self.late, "reference": self.reference, "start": self.start} | words
        return Evidence(self.learnt, self.least, self.most, step, "", self.course, words)


_once: ContextVar[dict[int, Progress | None] | None] = ContextVar("_once", default=None)


@contextmanager
def worked_out_once() -> Iterator[None]:
    """While histories stay as they are, ``progress`` is worked out once for each."""
    token = _once.set({})
    try:
        yield
    finally:
        _once.reset(token)


def progress(history: History) -> Progress | None:
    """What the losses say; None where there are too few, or the reference is not positive."""
    known = _once.get()
    if known is None:
        return _progress(history)
    if id(history) not in known:
        known[id(history)] = _progress(history)
    return known[id(history)]


def _progress(history: History) -> Progress | None:
    course = finite(history.of("loss"))
    if len(course) < LEAST:
        return None
    values = [value for _, value in course]
    start = float(median(values[: max(3, min(8, len(values) // 8))]))
    baseline = constant_loss(history)
    reference = start if baseline is None else baseline
    if reference <= 0 or players(history):
        return None
    late, low, high = mean_of(values[-max(LEAST // 2, len(values) // 4) :])
    floor = smoothed_floor(history)
    return Progress(
        reference, baseline is not None, start, late, low, high, course, floor if floor < 0.9 * reference else 0.0
    )


def players(history: History) -> bool:
    """Whether nets play against each other, so that their losses swing by design and say nothing of learning."""
    several = history.facts.get("optimisers", 1)
    return history.facts.get("net") == "gan" or (isinstance(several, int) and several > 1)


def constant_loss(history: History) -> float | None:
    """The loss of the best constant answer, in the units of the training loss; None where it is not known."""
    facts = history.facts
    known = facts.get("baseline")
    return float(known) if isinstance(known, int | float) and math.isfinite(known) and known > 0 else None


def smoothed_floor(history: History) -> float:
    """The cross-entropy of a perfect answer to smoothed labels: their entropy. 0 where nothing is smoothed."""
    ε, K = history.facts.get("label_smoothing"), len(class_shares(history))
    if not isinstance(ε, int | float) or not 0 < ε < 1 or K < 2:
        return 0.0
    true, other = 1 - ε + ε / K, ε / K
    return -true * math.log(true) - (K - 1) * other * math.log(other)


def class_shares(history: History) -> list[float]:
    """The share of each class; empty where it is not known."""
    counts = history.facts.get("class_counts")
    if not isinstance(counts, list) or len(counts) < 2 or not all(isinstance(n, int | float) for n in counts):
        return []
    total = float(sum(counts))
    return [n / total for n in counts] if total > 0 and math.isfinite(total) else []


def quarter(course: Course) -> list[float]:
    """The values of the last quarter, at least three."""
    return [value for _, value in course[-max(3, len(course) // 4) :]]
