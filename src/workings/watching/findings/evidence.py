"""What every symptom is made from: a statistic over steps, its interval, and when it was first clear.

A symptom is told where its whole interval lies beyond its threshold: a single crossing is none. Intervals: of values
that were read exactly, their range over the last looks; of losses, the mean of the last quarter of the run with the
standard error of the means of its blocks (batch means; Student's t), since losses of neighbouring steps are alike.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median

import numpy as np

from workings.base.finding import Finding
from workings.base.problems import shorten
from workings.watching.history import History

Course = Sequence[tuple[int, float]]

LASTING = 3  # looks in a row that say the same
LATER = 0.5  # of the run, that looks must reach where it is judged by them
BLOCKS = 6
T_95 = 2.571  # Student's t of BLOCKS − 1 degrees of freedom, 97.5 %


@dataclass(frozen=True, slots=True)
class Evidence:
    """A statistic: its value, the interval [low, high], the step at which it was first clear, where, its course.

    words: what the sentence of the symptom is filled with beside value and where.
    """

    value: float
    low: float
    high: float
    step: int = 0
    where: str = ""
    course: Course = ()
    words: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Symptom:
    """One symptom: how it is measured, from where on it is told, and in which words.

    measure: the statistic of a history; None where it cannot be seen, or where it is healthy to look so.
    threshold: told where the whole interval is at or beyond it. least: low values are the bad ones.
    what: the sentence, with {value}, {where} and the evidence's words.
    """

    code: str
    statistic: str
    measure: Callable[[History], Evidence | None]
    threshold: float
    healthy: str
    what: str
    why: str
    do: str
    least: bool = False

    def look(self, history: History) -> list[Finding]:
        """The finding, if there is one."""
        e = self.measure(history)
        if e is None or not all(map(math.isfinite, (e.value, e.low, e.high))):
            return []
        if not (e.high <= self.threshold if self.least else e.low >= self.threshold):
            return []
        words = {"value": e.value, "where": e.where, **e.words}
        return [
            Finding(
                self.code,
                self.what.format(**words),
                e.where,
                e.step,
                self.statistic,
                e.value,
                e.low,
                e.high,
                self.threshold,
                self.healthy,
                self.why,
                self.do,
                e.course,
            )
        ]


def finite(course: Course) -> list[tuple[int, float]]:
    """The course without what is NaN or infinite."""
    return [(step, value) for step, value in course if math.isfinite(value)]


def reaches(course: Course, history: History) -> bool:
    """Whether looks go on into the later half of the run: where they are dear and the run is short, all of them lie
    among its first steps, and say nothing of what it came to."""
    losses = history.of("loss")
    return bool(course) and (not losses or course[-1][0] >= LATER * losses[-1][0])


def lasting(course: Course, where: str = "", looks: int = LASTING, **words: object) -> Evidence | None:
    """The last looks: their median and their range; None where there are fewer."""
    kept = finite(course)
    if len(kept) < looks:
        return None
    late = [value for _, value in kept[-looks:]]
    return Evidence(float(median(late)), min(late), max(late), kept[-looks][0], where, kept, dict(words))


def worst(found: Sequence[Evidence | None], least: bool = False) -> Evidence | None:
    """The one whose near end lies farthest out."""
    kept = [e for e in found if e is not None]
    if not kept:
        return None
    return min(kept, key=lambda e: e.high) if least else max(kept, key=lambda e: e.low)


def of_names(found: Sequence[object]) -> Evidence | None:
    """Exact evidence: so many parameters, by their names; None where there are none."""
    names = [str(name) for name in found]
    n = float(len(names))
    said = shorten((f"'{name}'" for name in names), 3)
    return Evidence(n, n, n, 0, names[0], (), {"names": said}) if names else None


def mean_of(values: Sequence[float]) -> tuple[float, float, float]:
    """The mean of a stretch of a series, and its 95 % interval from the means of its blocks."""
    x = np.asarray(values, dtype=np.float64)
    mean = float(x.mean())
    if len(x) < 2 * BLOCKS:
        spread = float(x.std(ddof=1)) * T_95 / math.sqrt(len(x)) if len(x) > 2 else math.inf
        return mean, mean - spread, mean + spread
    blocks = np.array([part.mean() for part in np.array_split(x, BLOCKS)])
    spread = T_95 * float(blocks.std(ddof=1)) / math.sqrt(BLOCKS)
    return mean, mean - spread, mean + spread


def slope_of(course: Course) -> tuple[float, float, float]:
    """The slope a step of a straight line through the means of blocks, and its 95 % interval."""
    steps, values = (np.array(part, dtype=np.float64) for part in zip(*course, strict=True))
    count = min(len(values), 2 * BLOCKS)
    s = np.array([part.mean() for part in np.array_split(steps, count)])
    v = np.array([part.mean() for part in np.array_split(values, count)])
    s = s - s.mean()
    total = float((s * s).sum())
    if count < 4 or total == 0:
        return 0.0, -math.inf, math.inf
    b = float((s * v).sum()) / total
    rest = v - v.mean() - b * s
    error = 2.228 * math.sqrt(float((rest * rest).sum()) / (count - 2) / total)  # t of 10 degrees of freedom
    return b, b - error, b + error


def first_of(symptoms: Sequence[Symptom]) -> Callable[[History], list[Finding]]:
    """``look`` of a module: the first of its symptoms that is there."""

    def look(history: History) -> list[Finding]:
        return next((found for symptom in symptoms if (found := symptom.look(history))), [])

    return look
