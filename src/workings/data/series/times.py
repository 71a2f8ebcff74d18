"""A column of times as it was written: dates in many ways, months, quarters, years, numbers that count.

Times become NumPy datetimes in microseconds, or float64 where they are numbers without a calendar.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import polars as pl

from workings.data.table_cells import DATE_FORMATS, clean, dates, numbers

READ_SHARE = 0.9  # of cells that are times, from which on a column is one of times
_NAME = re.compile(
    r"^(time|date|datetime|timestamp|ds|t|step|steps|period|index|year|years|quarter|month|week|day|hour|unnamed.*|"
    r"column 1)$|[_ .-](time|date|timestamp|step|year|month)$",
    re.I,
)
_MONTHS = (
    (r"^(\d{4})[-/.](\d{1,2})$", "${1}-${2}-01", "%Y-%m-%d"),
    (r"^(\d{1,2})[-/.](\d{4})$", "${2}-${1}-01", "%Y-%m-%d"),
    (r"^([A-Za-z]{3,9})[-/. ](\d{4})$", "01 ${1} ${2}", "%d %b %Y"),
    (r"^([A-Za-z]{3,9})[-/. ](\d{4})$", "01 ${1} ${2}", "%d %B %Y"),
)
_QUARTER = r"^(\d{4})[-/. ]?[Qq]([1-4])$"
EPOCH_SECONDS = (3e8, 4e9)  # 1979 to 2096, as seconds since 1970


@dataclass(frozen=True)
class Times:
    """values: (n,) datetime64[us], NaT where unreadable, or float64, NaN where unreadable.

    how: how they were read, in words. ambiguous: day and month could be the other way round.
    """

    values: np.ndarray
    how: str
    ambiguous: bool = False

    @property
    def readable(self) -> np.ndarray:
        """(n,) bool."""
        return ~np.isnat(self.values) if self.values.dtype.kind == "M" else ~np.isnan(self.values)


def names_time(name: str) -> bool:
    """Whether a column's name says that it counts time."""
    return bool(_NAME.search(name.strip()))


def read_times(column: pl.Series) -> Times | None:
    """The column as times; None where fewer than nine cells in ten are any.

    Numbers are years where they look like it and the name does not say otherwise, seconds or milliseconds since 1970
    where they are so large, and else plain numbers.
    """
    values = clean(column).values
    present = len(values) - values.null_count()
    if not present:
        return None
    if values.dtype in (pl.Date, pl.Datetime):
        return Times(_as_numpy(dates(values, None)), "dates")
    found = numbers(values)
    count = int(found.is_not_null().sum())
    if count >= READ_SHARE * present:
        return _of_numbers(found.to_numpy().astype(np.float64), column.name)
    return _of_text(values, present) if values.dtype == pl.String else None


def _of_numbers(values: np.ndarray, name: str) -> Times | None:
    known = values[np.isfinite(values)]
    values = np.where(np.isfinite(values), values, np.nan)
    whole = bool((known == np.rint(known)).all())
    if whole and len(known) and known.min() >= 1000 and known.max() < 3000 and not re.search(r"step|index", name, re.I):
        return Times(_from_parts(values, np.ones_like(values)), "years")
    if whole and len(known) and known.min() >= 19000101 and known.max() <= 29991231:
        text = pl.Series(name, values).cast(pl.Int64, strict=False)
        read = dates(text, None)
        if read.is_not_null().sum() >= READ_SHARE * len(known):
            return Times(_as_numpy(read), "dates written 20240131")
    if names_time(name):
        for unit, factor in (("seconds", 1e6), ("milliseconds", 1e3)):
            low, high = (edge * 1e6 / factor for edge in EPOCH_SECONDS)
            if len(known) and low <= known.min() and known.max() < high:
                return Times(_microseconds(values * factor), f"{unit} since 1970")
    return Times(values, "numbers")


def _of_text(values: pl.Series, present: int) -> Times | None:
    needed = READ_SHARE * present
    if int(values.str.contains(_QUARTER).sum() or 0) >= needed:
        year = values.str.extract(_QUARTER, 1).cast(pl.Float64).to_numpy()
        quarter = values.str.extract(_QUARTER, 2).cast(pl.Float64).to_numpy()
        return Times(_from_parts(year, 3 * quarter - 2), "quarters")
    for pattern, written, form in _MONTHS:
        if int(values.str.contains(pattern).sum() or 0) >= needed:
            is_month = values.str.contains(pattern)
            whole = pl.select(pl.when(is_month).then(values.str.replace(pattern, written))).to_series()
            read = whole.str.to_datetime(form, strict=False, time_unit="us")
            if int(read.is_not_null().sum()) >= needed:
                return Times(_as_numpy(read), "months")
    return _of_dates(values, needed)


def _of_dates(values: pl.Series, needed: float) -> Times | None:
    """The format that reads the most cells; of several, the one whose times grow most evenly."""
    head = values.drop_nulls().head(200)
    likely = [form for form in DATE_FORMATS if dates(head, form).is_not_null().sum() >= READ_SHARE * len(head)]
    read = [(form, dates(values, form)) for form in likely]
    counts = [int(each.is_not_null().sum()) for _, each in read]
    if not counts or max(counts) < needed:
        return None
    best = [(form, _as_numpy(each)) for (form, each), count in zip(read, counts, strict=True) if count == max(counts)]
    ranked = sorted(best, key=lambda pair: -evenness(pair[1]))
    form, times = ranked[0]
    others = [other for _, other in ranked[1:] if not np.array_equal(other, times, equal_nan=True)]
    unsure = any(evenness(other) == evenness(times) for other in others)
    return Times(times, f"dates written {form}", unsure)


def evenness(times: np.ndarray) -> float:
    """The share of steps, once sorted, that are the commonest one; below 0.1 in place of months and days."""
    known = np.sort(times[~np.isnat(times)])
    if len(known) < 3:
        return 0.0
    steps, counts = np.unique(np.diff(known), return_counts=True)
    return float(counts.max() / counts.sum()) if steps[counts.argmax()] > np.timedelta64(0, "us") else 0.0


def _as_numpy(read: pl.Series) -> np.ndarray:
    return read.cast(pl.Datetime("us")).to_numpy().astype("datetime64[us]")


def _from_parts(year: np.ndarray, month: np.ndarray) -> np.ndarray:
    """The first of a month of a year; NaT where one is NaN."""
    known = np.isfinite(year) & np.isfinite(month)
    months = np.where(known, (year - 1970) * 12 + month - 1, 0).astype(np.int64)
    return np.where(known, months.astype("datetime64[M]").astype("datetime64[us]"), np.datetime64("NaT", "us"))


def _microseconds(values: np.ndarray) -> np.ndarray:
    known = np.isfinite(values)
    times = np.where(known, values, 0).astype(np.int64).astype("datetime64[us]")
    return np.where(known, times, np.datetime64("NaT", "us"))
