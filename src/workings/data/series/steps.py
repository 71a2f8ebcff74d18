"""The step of a series: how far apart its times are, and which time comes next.

A step is a number of seconds, of business days, of months (quarters are 3, years 12), or a plain number.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from pydantic import BaseModel, ConfigDict

Unit = Literal["number", "second", "business day", "month"]
DAY = 86_400
MOST_SEASON = 300  # steps; a season of more is left to who asks for it

_NAMED = {1: "second", 60: "minute", 3600: "hour", DAY: "day", 7 * DAY: "week"}


class Step(BaseModel):
    """How far one time is from the next.

    count: of ``unit``. month_end: months are counted from the last day of one to the last of the next.
    dated: no time of day is needed to tell times apart.
    """

    model_config = ConfigDict(frozen=True)

    unit: Unit
    count: float
    month_end: bool = False
    dated: bool = True

    @property
    def text(self) -> str:
        """One step in words: ``hour``, ``15 minutes``, ``month``, ``quarter``."""
        if self.unit == "number":
            return f"step of {self.count:g}"
        if self.unit == "business day":
            return "business day"
        if self.unit == "month":
            named = {1: "month", 3: "quarter", 12: "year"}
            return named.get(int(self.count), f"{self.count:g} months")
        for seconds in sorted(_NAMED, reverse=True):
            if self.count >= seconds and self.count % seconds == 0:
                many = int(self.count // seconds)
                return _NAMED[seconds] if many == 1 else f"{many} {_NAMED[seconds]}s"
        return f"{self.count:g} seconds"

    @property
    def season(self) -> tuple[int, str]:
        """Steps of the usual season of such steps, and why; 1 where there is none."""
        if self.unit == "business day":
            return 5, "a week of business days"
        if self.unit == "month":
            whole = 12 % self.count == 0 and self.count < 12
            return (int(12 // self.count), "a year") if whole else (1, "steps of a year and more have no season")
        if self.unit == "second":
            if self.count == 7 * DAY:
                return 52, "a year of weeks"
            for span, name in ((DAY, "a day"), (7 * DAY, "a week"), (3600, "an hour"), (60, "a minute")):
                steps = span / self.count
                if steps.is_integer() and 1 < steps <= MOST_SEASON:
                    return int(steps), name
        return 1, "plain numbers have no calendar" if self.unit == "number" else "no season fits such steps"

    def place(self, times: np.ndarray, first: object) -> np.ndarray:
        """How many steps after ``first`` each time is, float64: whole where it lies on a step."""
        if self.unit == "number":
            return (times - first) / self.count
        if self.unit == "month":
            return (_months(times) - _months(np.array([first]))[0]) / self.count
        if self.unit == "business day":
            day, start = times.astype("datetime64[D]"), np.datetime64(first, "D")  # type: ignore[call-overload]
            return np.busday_count(start, day).astype(float)
        return (times - first).astype(np.int64) / (self.count * 1e6)  # type: ignore[operator]

    def after(self, last: object, count: int) -> np.ndarray:
        """The ``count`` times that follow ``last``."""
        k = np.arange(1, count + 1)
        if self.unit == "number":
            return float(last) + k * self.count  # type: ignore[arg-type]
        moment = np.datetime64(last, "us")  # type: ignore[call-overload]
        if self.unit == "second":
            return moment + (k * self.count * 1e6).round().astype("timedelta64[us]")
        if self.unit == "business day":
            return np.busday_offset(moment.astype("datetime64[D]"), k).astype("datetime64[us]")
        month = moment.astype("datetime64[M]")
        months = month + (k * int(self.count)).astype("timedelta64[M]")
        if self.month_end:
            return ((months + 1).astype("datetime64[D]") - 1).astype("datetime64[us]")
        within = moment - month.astype("datetime64[us]")
        return months.astype("datetime64[us]") + within

    def label(self, time: object) -> str:
        """A time as it is shown, in as much detail as the step needs."""
        if self.unit == "number":
            return f"{float(time):g}"  # type: ignore[arg-type]
        moment = np.datetime64(time, "us")  # type: ignore[call-overload]
        if self.unit == "month" and not self.month_end and moment.astype("datetime64[M]") == moment:
            return str(moment.astype("datetime64[M]" if self.count < 12 else "datetime64[Y]"))
        if self.dated:
            return str(moment.astype("datetime64[D]"))
        text = str(moment.astype("datetime64[s]")).replace("T", " ")
        return text.removesuffix(":00")


@dataclass(frozen=True)
class Found:
    """step: None where none fits. off: (n,) which of the sorted times do not lie on a step."""

    step: Step | None
    off: np.ndarray


def find_step(times: np.ndarray) -> Found:
    """The step of sorted, different times: months where the calendar says so, else the commonest difference.

    None where any time lies off the steps that the commonest difference makes.
    """
    if times.dtype.kind == "f":
        return _on_grid(times, Step(unit="number", count=float(_commonest(np.diff(times)))))
    midnight = bool((times.astype("datetime64[D]").astype("datetime64[us]") == times).all())
    by_month = _month_step(times, midnight)
    if by_month is not None:
        return Found(by_month, np.zeros(len(times), bool))
    seconds = float(_commonest(np.diff(times).astype(np.int64))) / 1e6
    if midnight and seconds == DAY and _only_weekdays(times):
        return Found(Step(unit="business day", count=1), np.zeros(len(times), bool))
    return _on_grid(times, Step(unit="second", count=seconds, dated=midnight))


def _on_grid(times: np.ndarray, step: Step) -> Found:
    place = step.place(times, times[0])
    off = np.abs(place - np.rint(place)) > 1e-6
    return Found(None if off.any() else step, off)


def _commonest(values: np.ndarray) -> float:
    """The commonest value, the smallest of several."""
    rounded = values if values.dtype.kind == "i" else np.round(values, 9)
    found, counts = np.unique(rounded, return_counts=True)
    return float(found[counts.argmax()])


def _months(times: np.ndarray) -> np.ndarray:
    return times.astype("datetime64[M]").astype(np.int64)


def _month_step(times: np.ndarray, midnight: bool) -> Step | None:
    """A step of months, where every time is the same day of its month, or the last."""
    within = times - times.astype("datetime64[M]").astype("datetime64[us]")
    days = times.astype("datetime64[D]")
    last = (days + 1).astype("datetime64[M]") != days.astype("datetime64[M]")
    if not ((within == within[0]).all() or (midnight and last.all())):
        return None
    apart = np.diff(_months(times))
    if len(apart) == 0 or apart.min() < 1:
        return None
    count = int(_commonest(apart))
    if (apart % count).any():
        return None
    month_end = bool(midnight and last.all() and not (within == within[0]).all())
    return Step(unit="month", count=count, month_end=month_end, dated=midnight)


def _only_weekdays(times: np.ndarray) -> bool:
    days = times.astype("datetime64[D]")
    enough = len(days) >= 10 and (np.diff(days) == np.timedelta64(3, "D")).any()
    return bool(enough and np.is_busday(days).all())


def named_times(step: Step, times: Sequence[object] | np.ndarray, limit: int = 5) -> str:
    """The first few times for a message."""
    shown = ", ".join(step.label(time) for time in times[:limit])
    return f"{shown} and {len(times) - limit:,} more" if len(times) > limit else shown
