"""Reading a series: which column is time, which columns are variables, and every problem of them at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import polars as pl

from workings.base.errors import refuse
from workings.base.problems import Problem, shorten, unknown_name
from workings.data.schema import Field
from workings.data.series.order import Ordered, put_in_order
from workings.data.series.steps import Step
from workings.data.series.times import Times, names_time, read_times
from workings.data.series.values import Columns, read_columns
from workings.data.table_reading import read_table
from workings.data.table_target import missing_column

FILLS = ("refuse", "linear", "previous")


@dataclass
class Series:
    """Everything read, in order of time and at equal steps.

    values: (n, V) float64 without NaN, the targets first. names: (V). targets: how many of them are forecast.
    times: (n,) as in :class:`workings.data.series.times.Times`; where there is no column of time, 1, 2, 3 ….
    rows: (n,) row numbers in the user's data, from 0; a step that was filled in has that of the row before.
    filled: (n, V) bool, values that were filled in. labels: (n,) cells of a column that only judges, where one was
    asked for; a step that was filled in has that of the row before.
    """

    values: np.ndarray
    names: list[str]
    targets: int
    times: np.ndarray
    step: Step
    time_column: str | None
    rows: np.ndarray
    filled: np.ndarray
    digest: str
    fields: list[Field]
    problems: list[Problem] = field(default_factory=list)
    labels: pl.Series | None = None

    def label(self, i: int) -> str:
        """The time of step ``i``; of one behind the last, the time that will come."""
        n = len(self.times)
        if i < n:
            return self.step.label(self.times[i])
        return self.step.label(self.step.after(self.times[-1], i - n + 1)[-1])


def read_series(
    data: object,
    target: str | Sequence[str] | None,
    options: Mapping[str, Any],
    known: Sequence[str] | None = None,
    judge: str | None = None,
) -> tuple[Series | None, list[Problem]]:
    """The series and its problems; None where an error forbids to use it.

    target: the column to forecast, or several, as a list or with commas between them; all where None.
    known: the variables of a trained net, targets first; other columns are left out without being looked at.
    judge: the column of labels, which is no variable.

    Raises:
        UserError: the table itself cannot be read.
    """
    table = read_table(data, None)
    parts = list(table.numbered())
    frame = pl.concat([chunk for chunk, _ in parts]) if len(parts) > 1 else parts[0][0]
    frame.columns = table.names
    rows = np.concatenate([numbers for _, numbers in parts])
    problems = list(table.problems)
    if table.empty:
        what = f"{table.empty:,} empty row(s) of {table.name} are left out."
        problems.append(Problem("note", "empty-rows", what, count=table.empty))
    if frame.height == 0:
        raise refuse("header-only", f"{table.name} has no rows but empty ones.", do="Give data with rows.")
    drop, fill, wrong = _asked(table.names, table.name, options)
    targets, more = targets_of(target, table.names, table.name)
    problems += wrong + more
    if judge is not None:
        others = [name for name in table.names if name not in drop and name != options.get("time_column")]
        problems += [] if judge in others else [missing_column(judge, others, table.name)]
    if any(each.level == "error" for each in problems):
        return None, problems
    left = [name for name in table.names if name not in drop and name != judge]
    if drop:
        what = f"{len(drop)} column(s) were left out, as asked."
        problems.append(Problem("note", "dropped-columns", what, shorten(drop), len(drop)))
    time, times, more = _find_time(frame.select(left), options.get("time_column"), targets)
    problems += more
    if any(each.level == "error" for each in problems):
        return None, problems
    wanted = [name for name in left if name != time and (known is None or name in known)]
    columns, more = read_columns(frame, wanted, targets, rows, fills=fill != "refuse", trained=known is not None)
    problems += more
    ordered, more = put_in_order(times, columns.values if columns else None, rows, fill, frame.select(left), time)
    problems += more
    if columns is None or ordered is None or any(each.level == "error" for each in problems):
        return None, problems
    series = _series(ordered, columns, time, table.digest, frame, rows, problems)
    if judge is not None:
        series.labels = frame[judge][np.searchsorted(rows, ordered.rows)]
    return series, problems


def targets_of(
    target: str | Sequence[str] | None, names: Sequence[str], source: str
) -> tuple[list[str], list[Problem]]:
    """The columns that ``target`` names: one, or several with commas between them; none where it is None."""
    if target is None:
        return [], []
    if isinstance(target, str):
        asked = [target] if target in names else [part.strip() for part in target.split(",") if part.strip()]
    else:
        asked = list(target)
    missing = [missing_column(name, names, source) for name in asked if name not in names]
    twice = sorted({name for name in asked if asked.count(name) > 1})
    if twice:
        missing.append(Problem("error", "target-twice", f"The target names {shorten(twice)} more than once."))
    return asked, missing


def _asked(names: Sequence[str], source: str, options: Mapping[str, Any]) -> tuple[list[str], str, list[Problem]]:
    """(drop, fill, errors) of the options that are about columns."""
    drop = options.get("drop") or []
    drop = [drop] if isinstance(drop, str) else [str(name) for name in drop]
    fill = options.get("fill", "refuse")
    found = [missing_column(name, names, source) for name in drop if name not in names]
    time = options.get("time_column")
    if time is not None and time not in names:
        found.append(missing_column(str(time), names, source))
    if time is not None and time in drop:
        what = f"'{time}' is to be dropped and is the time."
        found.append(Problem("error", "dropped-and-needed", what, do="Take it out of drop."))
    if fill not in FILLS:
        found.append(unknown_name("way to fill", str(fill), FILLS))
    return drop, str(fill), found


def _find_time(
    frame: pl.DataFrame, asked: str | None, targets: Sequence[str]
) -> tuple[str | None, Times, list[Problem]]:
    """The column of time: the one asked for, else the first of dates, else the first whose name says so."""
    nothing = Times(np.arange(1, frame.height + 1, dtype=np.float64), "the order of the rows")
    if asked is not None:
        times = read_times(frame[asked])
        if times is None:
            what = f"'{asked}' is no column of time: fewer than nine of its cells in ten are dates or numbers."
            examples = shorten(repr(cell) for cell in frame[asked].drop_nulls().head(3))
            do = "Name a column of dates, or write dates as 2024-01-31."
            return asked, nothing, [Problem("error", "not-a-time", what, f"it begins {examples}", do=do)]
        return asked, times, []
    likely: list[tuple[bool, str, Times]] = []
    for name in frame.columns:
        if name in targets:
            continue
        by_name = names_time(name)
        if not by_name and not _looks_dated(frame[name]):
            continue
        times = read_times(frame[name])
        if times is not None and (times.values.dtype.kind == "M" or (by_name and _counts_up(times.values))):
            likely.append((times.values.dtype.kind == "M", name, times))
    likely.sort(key=lambda each: not each[0])  # dates before numbers, in the order of the columns
    if not likely:
        what = "No column of time was found; each row counts as one step after the one before."
        do = "Name it, if there is one: --set time_column=NAME."
        return None, nothing, [Problem("warning", "no-time-column", what, do=do)]
    others = [name for dated, name, _ in likely[1:] if dated]
    told = []
    if likely[0][0] and others:
        what = f"Time is taken from '{likely[0][1]}'; other columns of dates are no variables and are left out."
        do = "If another one is the time: --set time_column=NAME."
        told.append(Problem("note", "other-dates", what, shorten(others), len(others), do=do))
    return likely[0][1], likely[0][2], told


def _looks_dated(column: pl.Series) -> bool:
    """Whether a column holds dates, by its type or its first cells; numbers alone are none."""
    if column.dtype in (pl.Date, pl.Datetime):
        return True
    if column.dtype != pl.String:
        return False
    head = column.drop_nulls().head(50)
    if not len(head) or head.str.strip_chars().cast(pl.Float64, strict=False).is_not_null().mean() > 0.5:  # type: ignore[operator]
        return False
    times = read_times(head)
    return times is not None and times.values.dtype.kind == "M"


def _counts_up(values: np.ndarray) -> bool:
    known = values[np.isfinite(values)]
    return len(known) == len(values) and len(np.unique(known)) == len(known)


def _series(
    ordered: Ordered,
    columns: Columns,
    time: str | None,
    digest: str,
    frame: pl.DataFrame,
    rows: np.ndarray,
    problems: list[Problem],
) -> Series:
    fields = [*columns.fields]
    if time is not None:
        kind = "date" if ordered.times.dtype.kind == "M" else "numeric"
        told = f"the time: one row a {ordered.step.text}, {ordered.step.label(ordered.times[0])} to "
        told += ordered.step.label(ordered.times[-1])
        dtype = str(frame[time].dtype).lower()
        at = min(frame.columns.index(time), len(fields))
        fields.insert(at, Field(name=time, kind=kind, reason=told, used=False, dtype=dtype, distinct=len(rows)))
    return Series(
        ordered.values,
        columns.names,
        columns.targets,
        ordered.times,
        ordered.step,
        time,
        ordered.rows,
        ordered.filled,
        digest,
        fields,
        problems,
    )
