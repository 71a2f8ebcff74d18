"""Rows in the order of time, one at every step: sorted, without doubles, gaps found and filled only when asked."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
import polars as pl

from workings.base.problems import Problem, shorten
from workings.base.typed import as_typed
from workings.data.series.steps import Step, find_step, named_times
from workings.data.series.times import Times

MOST_STRETCHED = 10  # steps to a row that gaps may make; more comes from a stray time
FEWEST = 3


@dataclass(frozen=True)
class Ordered:
    """What :class:`workings.data.series.reading.Series` says of these."""

    times: np.ndarray
    step: Step
    values: np.ndarray
    rows: np.ndarray
    filled: np.ndarray


def put_in_order(
    read: Times, values: np.ndarray | None, rows: np.ndarray, fill: str, frame: pl.DataFrame, name: str | None
) -> tuple[Ordered | None, list[Problem]]:
    """The rows in order, and every problem of their times; None where an error forbids to use them.

    values: (n, V), NaN where missing; None where they are wrong already and only the times are looked at.
    rows: (n,) row numbers, from 0. frame: all columns, to say which of them tells several series apart.
    """
    if bad := _unreadable(read, rows, frame, name):
        return None, [bad]
    problems: list[Problem] = []
    if read.ambiguous:
        what = f"The dates of '{name}' can be read day first or month first; they are {read.how}."
        do = "If that is wrong, write them as 2024-01-31."
        problems.append(Problem("warning", "ambiguous-dates", what, "", 1, "Months and days would be swapped.", do))
    if len(rows) < FEWEST:
        what = f"The series has {len(rows)} row(s)."
        do = "Give at least a few dozen steps of time."
        return None, [*problems, Problem("error", "too-short", what, count=len(rows), do=do)]
    order = np.argsort(read.values, kind="stable")
    times = read.values[order]
    if (order != np.arange(len(order))).any():
        problems.append(_unsorted(read.values, order, rows, name))
    if double := _doubles(times, order, rows, frame, name):
        return None, [*problems, double]
    found = find_step(times)
    if found.step is None:
        return None, [*problems, _irregular(times, found.off, name)]
    problems += _future(times, found.step, name)
    if values is None:
        return None, problems + _gaps(times, found.step, fill)
    return _at_every_step(times, found.step, values[order], rows[order], fill, problems)


def _at_every_step(
    times: np.ndarray, step: Step, values: np.ndarray, rows: np.ndarray, fill: str, problems: list[Problem]
) -> tuple[Ordered | None, list[Problem]]:
    problems = problems + _gaps(times, step, fill)
    if any(each.level == "error" for each in problems):
        return None, problems
    place = np.rint(step.place(times, times[0])).astype(np.int64)
    n = int(place[-1]) + 1
    if n > len(times):
        times = np.concatenate([times[:1], step.after(times[0], n - 1)])
        full = np.full((n, values.shape[1]), np.nan)
        full[place] = values
        before = np.searchsorted(place, np.arange(n), side="right") - 1
        values, rows = full, rows[before]
    filled = np.isnan(values)
    if filled.any():
        if fill == "refuse":  # told column by column where the cells were read
            return None, problems
        values, times, rows, filled, told = _fill(values, times, rows, fill, step)
        problems += told
    return Ordered(times, step, values, rows, filled), problems


def _fill(
    values: np.ndarray, times: np.ndarray, rows: np.ndarray, fill: str, step: Step
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, list[Problem]]:
    """Missing values made up: on a line between their neighbours, or the one before. Steps before the first known
    value of a variable are left out, as nothing is known there."""
    missing = np.isnan(values)
    begin = int((~missing).argmax(0).max())
    problems = []
    if begin:
        what = f"The first {begin:,} step(s) are left out: a variable has no value yet."
        where = f"before {step.label(times[begin])}"
        problems.append(Problem("note", "left-out-steps", what, where, begin))
    values, times, rows, missing = values[begin:].copy(), times[begin:], rows[begin:], missing[begin:]
    at = np.arange(len(values))
    for v in range(values.shape[1]):
        known = ~missing[:, v]
        if fill == "linear":  # behind the last known value, np.interp goes on with it
            values[:, v] = np.interp(at, at[known], values[known, v])
        else:
            values[:, v] = values[np.maximum.accumulate(np.where(known, at, 0)), v]
    count = int(missing.sum())
    share = count / missing.size
    how = "a straight line between their neighbours" if fill == "linear" else "the value before"
    why = "A value on a line knows the one after the gap, so that beside a border of the split a little of the future "
    why = why + "is known; fill=previous is without that." if fill == "linear" else ""
    places = np.flatnonzero(missing.any(1))
    level = "warning" if share > 0.05 else "note"
    what = f"{count:,} value(s), {share:.1%} of all, were filled in: {how}."
    problems.append(Problem(level, "filled-values", what, named_times(step, times[places]), count, why))
    return values, times, rows, missing, problems


def _unreadable(read: Times, rows: np.ndarray, frame: pl.DataFrame, name: str | None) -> Problem | None:
    bad = np.flatnonzero(~read.readable)
    if not len(bad) or name is None:
        return None
    cells = [(int(rows[i]) + 1, frame[name][int(i)]) for i in bad[:5]]
    named = ", ".join(f"row {row:,} {repr(str(cell)) if cell is not None else '(empty)'}" for row, cell in cells)
    return Problem(
        "error",
        "unreadable-times",
        f"{len(bad):,} of {len(rows):,} cells of '{name}' are no times ({read.how}).",
        named + (f" and {len(bad) - 5:,} more" if len(bad) > 5 else ""),
        len(bad),
        "It cannot be known where in the series these rows belong.",
        "Write the times of these rows like the others, or remove the rows.",
    )


def _unsorted(times: np.ndarray, order: np.ndarray, rows: np.ndarray, name: str | None) -> Problem:
    if (np.diff(times) <= np.zeros(1, dtype=np.diff(times).dtype)).all():
        what = "The rows come newest first; they were put in order of time."
        return Problem("note", "newest-first", what, count=len(rows))
    out = np.flatnonzero(times[1:] < times[:-1]) + 1
    what = f"The rows are not in order of '{name}': {len(out):,} come before the one above; they were sorted."
    where = f"rows {shorten(rows[out] + 1)}"
    do = "Check that the times are right."
    return Problem("warning", "unsorted-rows", what, where, len(out), "Forecasts need the order of time.", do)


def _doubles(
    times: np.ndarray, order: np.ndarray, rows: np.ndarray, frame: pl.DataFrame, name: str | None
) -> Problem | None:
    """The refusal of two rows at one time, with the column that tells several series apart where there is one."""
    again = np.flatnonzero(times[1:] == times[:-1]) + 1
    if not len(again):
        return None
    assert name is not None
    pairs = [f"{int(rows[order[i - 1]]) + 1:,} and {int(rows[order[i]]) + 1:,}" for i in again[:5]]
    do = "Keep one row for each time, for example their mean or sum."
    if times.dtype.kind == "M" and (times.astype("datetime64[D]").astype("datetime64[us]") != times).any():
        do += " Where clocks go back in autumn an hour comes twice: write times in UTC."
    for column in frame.columns:
        if column == name or not 1 < frame[column].n_unique() <= frame.height / 3:
            continue
        if not frame.select(name, column).is_duplicated().any():
            some = frame[column].drop_nulls().unique(maintain_order=True).head(3).to_list()
            do = f"'{column}' seems to tell several series apart ({shorten(some, 3)}): give one of them, or one column "
            do += "for each."
            break
    return Problem(
        "error",
        "duplicate-times",
        f"{len(again):,} row(s) have the same '{name}' as another.",
        f"rows {'; '.join(pairs)}" + (f" and {len(again) - 5:,} more" if len(again) > 5 else ""),
        len(again),
        "A series has one value at one time; which one is right cannot be known.",
        do,
    )


def _irregular(times: np.ndarray, off: np.ndarray, name: str | None) -> Problem:
    steps, counts = np.unique(np.diff(times), return_counts=True)
    common = np.argsort(-counts, kind="stable")[:3]
    said = ", ".join(f"{_length(steps[k])} ({counts[k]:,} times)" for k in common)
    return Problem(
        "error",
        "irregular-steps",
        f"The times of '{name}' are not at equal steps: {int(off.sum()):,} of {len(times):,} lie between them.",
        f"the commonest steps: {said}",
        int(off.sum()),
        "A forecast of the next steps needs steps of one length.",
        f"Bring it to equal steps first, for example the mean of each hour; or leave the time out, so that each row is "
        f"a step: {as_typed('drop', [name])}",
    )


def _length(step: object) -> str:
    if isinstance(step, np.timedelta64):
        return Step(unit="second", count=float(step.astype("timedelta64[us]").astype(np.int64)) / 1e6).text
    return f"{float(step):g}"  # type: ignore[arg-type]


def _gaps(times: np.ndarray, step: Step, fill: str) -> list[Problem]:
    """Steps without a row: refused, or told where they are to be filled."""
    place = np.rint(step.place(times, times[0])).astype(np.int64)
    gaps = np.flatnonzero(np.diff(place) > 1)
    if not len(gaps):
        return []
    missing = int(place[-1]) + 1 - len(times)
    sizes = np.diff(place)[gaps] - 1
    longest = gaps[np.argsort(-sizes, kind="stable")[:3]]
    where = "; ".join(f"{int(place[i + 1] - place[i] - 1):,} after {step.label(times[i])}" for i in sorted(longest))
    where = f"the longest: {where}" if len(gaps) > 3 else where
    what = f"{missing:,} {step.text}(s) are missing, in {len(gaps):,} gap(s)."
    if place[-1] + 1 > MOST_STRETCHED * len(times):
        do = "Look for a wrong time; or leave out the part before or behind the gap."
        why = "There would be far more made-up steps than real ones."
        return [Problem("error", "gaps-too-long", what, where, missing, why, do)]
    if fill == "refuse":
        why = "Windows would join what is not beside each other, and a made-up value is not silently put in."
        do = "Add the rows; or say --set fill=linear (a straight line across each gap), or fill=previous."
        return [Problem("error", "gaps", what, where, missing, why, do)]
    return [Problem("note", "gaps", what, where, missing)]


def _future(times: np.ndarray, step: Step, name: str | None) -> list[Problem]:
    if times.dtype.kind != "M":
        return []
    now = np.datetime64(datetime.now(UTC).replace(tzinfo=None), "us") + np.timedelta64(1, "D")
    later = np.flatnonzero(times > now)
    if not len(later):
        return []
    what = f"{len(later):,} row(s) have a '{name}' in the future."
    why = "They cannot have been measured; forecasts may be mixed in."
    do = "Remove them, unless they are planned values."
    return [Problem("warning", "future-times", what, named_times(step, times[later]), len(later), why, do)]
