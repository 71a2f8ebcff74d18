"""Learning-rate schedules: η of a step as a pure function of how far the run is.

    η = schedule(step, steps, base),   step = 0 … steps − 1 counts the steps already done

Nothing is remembered from step to step, so a resumed run needs no saved schedule. Each starts with ``warmup``: over
the first m = round(warmup · steps) steps (at most all but one) η climbs straight from base/(m + 1) to base, never
from 0, which would waste the first step. Below, u = (step − m)/(steps − m) in [0, 1] is the part done after that; a
step beyond the end counts as u = 1.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import ClassVar

from workings.base.errors import UserError
from workings.base.problems import Problem, unknown_name


@dataclass(frozen=True)
class Schedule:
    """The common part: warm-up, then :meth:`factor`.

    warmup: the part of all steps in which η climbs, in [0, 1).
    """

    name: ClassVar[str]
    formula: ClassVar[str]
    warmup: float = 0.0

    def factor(self, u: float) -> float:
        """η/base at the part u of the run after warm-up."""
        raise NotImplementedError

    def __call__(self, step: int, steps: int, base: float) -> float:
        m = min(round(self.warmup * steps), steps - 1)  # at least one step at base
        if step < m:
            return base * (step + 1) / (m + 1)
        u = min((step - m) / (steps - m), 1.0)
        return base * self.factor(u)


@dataclass(frozen=True)
class Constant(Schedule):
    """η = base."""

    name: ClassVar[str] = "constant"
    formula: ClassVar[str] = "base"

    def factor(self, u: float) -> float:
        return 1.0


@dataclass(frozen=True)
class Step(Schedule):
    """η = base · gamma^⌊u · pieces⌋: constant on equal pieces, gamma from one to the next."""

    name: ClassVar[str] = "step"
    formula: ClassVar[str] = "base · gamma^⌊u · pieces⌋"
    gamma: float = 0.1
    pieces: int = 3

    def factor(self, u: float) -> float:
        return self.gamma ** min(math.floor(u * self.pieces), self.pieces - 1)


@dataclass(frozen=True)
class Exponential(Schedule):
    """η = base · end^u: the same factor every step, end · base at the end."""

    name: ClassVar[str] = "exponential"
    formula: ClassVar[str] = "base · end^u"
    end: float = 0.01

    def factor(self, u: float) -> float:
        return self.end**u


@dataclass(frozen=True)
class Linear(Schedule):
    """η = base · (1 − (1 − end) u)."""

    name: ClassVar[str] = "linear"
    formula: ClassVar[str] = "base · (1 − (1 − end) u)"
    end: float = 0.0

    def factor(self, u: float) -> float:
        return 1 - (1 - self.end) * u


@dataclass(frozen=True)
class Cosine(Schedule):
    """η = base · (end + (1 − end)(1 + cos πu)/2). Loshchilov and Hutter 2017, without restarts."""

    name: ClassVar[str] = "cosine"
    formula: ClassVar[str] = "base · (end + (1 − end)(1 + cos πu)/2)"
    end: float = 0.0

    def factor(self, u: float) -> float:
        return self.end + (1 - self.end) * (1 + math.cos(math.pi * u)) / 2


@dataclass(frozen=True)
class OneCycle(Schedule):
    """η climbs from start · base to base at u = peak, then falls to end · base, both along half a cosine.

    Smith and Topin 2018. ``base`` is the highest rate.
    """

    name: ClassVar[str] = "one_cycle"
    formula: ClassVar[str] = "start · base → base at u = peak → end · base, each along half a cosine"
    start: float = 0.04
    peak: float = 0.3
    end: float = 0.0

    def factor(self, u: float) -> float:
        if u < self.peak:
            return self.start + (1 - self.start) * (1 - math.cos(math.pi * u / self.peak)) / 2
        v = (u - self.peak) / (1 - self.peak)
        return self.end + (1 - self.end) * (1 + math.cos(math.pi * v)) / 2


SCHEDULES: dict[str, type[Schedule]] = {
    kind.name: kind for kind in (Constant, Step, Exponential, Linear, Cosine, OneCycle)
}
NAMES: tuple[str, ...] = tuple(SCHEDULES)

# What each setting may be: the range and in words. A factor above 1 would let η end higher than it began.
_RANGES: dict[str, tuple[Callable[[float], bool], str]] = {
    "warmup": (lambda v: 0 <= v < 1, "from 0 to below 1, as a part of all steps"),
    "gamma": (lambda v: 0 < v <= 1, "above 0 and at most 1"),
    "pieces": (lambda v: v >= 1 and v == int(v), "a whole number from 1"),
    "start": (lambda v: 0 < v <= 1, "above 0 and at most 1"),
    "peak": (lambda v: 0 <= v < 1, "from 0 to below 1"),
    "end": (lambda v: 0 <= v <= 1, "from 0 to 1"),
}


def make_schedule(name: str, **settings: float) -> Schedule:
    """The schedule of that name: η = schedule(step, steps, base).

    Raises:
        UserError: no such schedule or setting, or a value out of range; all at once.
    """
    if name not in SCHEDULES:
        raise UserError(unknown_name("schedule", name, NAMES))
    kind = SCHEDULES[name]
    known = [each.name for each in fields(kind)]
    problems: list[Problem] = []
    for each, value in settings.items():
        if each not in known:
            problems.append(unknown_name(f"setting of {name}", each, known))
        elif not _is_number(value) or not _RANGES[each][0](value):
            what = f"The schedule {name} cannot use {each} = {value!r}."
            problems.append(Problem("error", "bad-setting", what, do=f"Give {_RANGES[each][1]}."))
    if name == "one_cycle" and settings.get("warmup"):
        what = "The schedule one_cycle has its own climb and takes no warm-up."
        problems.append(Problem("error", "bad-setting", what, do="Leave warmup out; set peak and start instead."))
    if name == "exponential" and settings.get("end") == 0:
        what = "The schedule exponential cannot end at 0: 0^u is 0 at once."
        problems.append(Problem("error", "bad-setting", what, do="Give a small number such as 0.01."))
    if problems:
        raise UserError(problems)
    return kind(**settings)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def lr(name: str, step: int, steps: int, base: float, **settings: float) -> float:
    """η of one step, by the schedule's name."""
    return make_schedule(name, **settings)(step, steps, base)
