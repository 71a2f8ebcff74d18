"""Series, as one of the kinds of data."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl

from workings.base.errors import UserError, refuse
from workings.base.events import Emit
from workings.base.problems import Problem, nearest, shorten, unknown_name
from workings.data.dataset import Dataset
from workings.data.schema import Schema, Task
from workings.data.series.dataset import SeriesDataset
from workings.data.series.plan import Plan, make_plan
from workings.data.series.prepare import SeriesPreparation
from workings.data.series.reading import Series, read_series
from workings.data.series.times import read_times
from workings.data.series.transform import NAMES as TRANSFORMS
from workings.data.table_files import DELIMITERS
from workings.data.table_reading import PARQUET, TEXT, read_table

HEAD = 200  # rows that are looked at to recognise a series
OWN = ("horizon", "window", "season", "fill", "transform")  # options that only a series has


def recognise(data: object, target: str | None, task: str | None, options: Mapping[str, Any]) -> bool:
    """The task forecast, an option that only series have; or, with no target, a column of dates beside numbers."""
    if task == "forecast" or (task is None and any(name in options for name in OWN)):
        return True
    if task is not None or target is not None or isinstance(data, tuple):
        return False
    try:
        head = _head(data)
    except (UserError, OSError, ValueError, pl.exceptions.PolarsError):
        return False  # the reader of tables says what is wrong
    return head is not None and _is_series(head)


def _head(data: object) -> pl.DataFrame | None:
    """The first rows, cheaply; None of what is no table."""
    if not isinstance(data, (str, Path)):
        known = isinstance(data, pl.DataFrame | pl.LazyFrame | Mapping) or hasattr(data, "columns")
        frame = read_table(data).frame if known else None
        return None if frame is None else frame.head(HEAD)
    path = Path(data)
    if not path.is_file() or path.stat().st_size == 0:
        return None
    if path.suffix.lower() in PARQUET:
        return pl.scan_parquet(path, glob=False).head(HEAD).collect()
    if path.suffix.lower() not in TEXT:
        return None
    with path.open(encoding="utf-8-sig", errors="replace") as handle:
        first = handle.readline(100_000)
    delimiter = max(DELIMITERS, key=first.count)
    return pl.read_csv(path, n_rows=HEAD, infer_schema=False, separator=delimiter, glob=False)


def _is_series(head: pl.DataFrame) -> bool:
    """One column of dates, the others mostly numbers."""
    dated, numbers, others = 0, 0, 0
    for name in head.columns:
        column = head[name]
        if column.dtype.is_numeric():
            numbers += 1
            continue
        if column.dtype not in (pl.String, pl.Date, pl.Datetime):
            others += 1
            continue
        present = len(column) - column.null_count()
        cells = column.str.strip_chars().cast(pl.Float64, strict=False) if column.dtype == pl.String else None
        if cells is not None and int(cells.is_not_null().sum()) > 0.5 * present:
            numbers += 1
            continue
        times = read_times(column)
        is_dated = times is not None and times.values.dtype.kind == "M"
        dated, others = dated + is_dated, others + (not is_dated and present > 0)
    return dated == 1 and numbers > 0 and others == 0


def inspect(
    data: object, target: str | None, task: str | None, on_bad_file: str, emit: Emit, **options: Any
) -> tuple[Dataset | None, list[Problem]]:
    """See :class:`workings.data.opening.Kind`."""
    if task not in (None, "forecast"):
        what = f"The task {task} does not fit a series; its task is forecast."
        return None, [
            Problem("error", "task-of-another-kind", what, do="Leave out the task, or the options of series.")
        ]
    try:
        series, problems = read_series(data, target, options)
    except UserError as error:
        return None, error.problems
    wished = options.get("transform", "auto")
    if wished not in TRANSFORMS:
        problems.append(unknown_name("transform", str(wished), TRANSFORMS))
    if series is None:
        return None, problems
    plan, more = make_plan(len(series.values), series.step, options)
    if plan is None or any(each.level == "error" for each in problems):
        return None, [*problems, *more]
    learnt = ", ".join(series.names[: series.targets])
    why = f"the next values of a series of {len(series.values):,} steps, one a {series.step.text}"
    found = Task(kind="forecast", target=learnt, reason=why)
    schema = Schema(rows=len(series.values), fields=series.fields, task=found, time_column=series.time_column)
    dataset = SeriesDataset(series, plan, found, schema, options)
    return dataset, list(dataset.problems)


def read_for(
    prep: SeriesPreparation,
    schema: Schema,
    data: object,
    require_target: bool,
    on_bad_file: str,
    emit: Emit,
    **options: Any,
) -> Dataset:
    """See :class:`workings.data.opening.Kind`. The gaps of new data are filled as those of the training data were."""
    wanted = {"fill": prep.fill, **options}
    table = read_table(data)
    missing = [name for name in prep.variables if name not in table.names]
    if prep.time_column is not None and prep.time_column not in table.names:
        missing.append(prep.time_column)
    if missing:
        near = [f"'{nearest(name, table.names)}' for '{name}'" for name in missing if nearest(name, table.names)]
        raise refuse(
            "missing-column",
            f"{table.name} lacks {len(missing)} column(s) that the net was trained with.",
            where=shorten(missing, 8),
            count=len(missing),
            do=f"Did you mean {shorten(near)}? Rename the columns as in training." if near else "Add the columns.",
        )
    if prep.time_column is not None:
        wanted["time_column"] = prep.time_column
    else:
        wanted["drop"] = [name for name in table.names if name not in prep.variables]
    series, problems = read_series(data, prep.variables[: prep.targets], wanted, known=prep.variables)
    problems = [each for each in problems if each.code not in ("inputs-only", "dropped-columns", "no-time-column")]
    errors = [each for each in problems if each.level == "error"]
    if errors or series is None:
        raise UserError(errors)
    if series.step != prep.step and (series.step.unit, series.step.count) != (prep.step.unit, prep.step.count):
        raise refuse(
            "another-step",
            f"The new data has one row a {series.step.text}; the net was trained on one a {prep.step.text}.",
            why="A step means another stretch of time.",
            do=f"Bring the data to one row a {prep.step.text}.",
        )
    _in_order(series, prep)
    series.problems = problems
    plan = Plan(prep.season, prep.horizon, prep.window, None)
    return SeriesDataset(series, plan, prep.task(), schema, wanted)


def _in_order(series: Series, prep: SeriesPreparation) -> None:
    """Put the variables into the order of the net."""
    gone = [name for name in prep.variables if name not in series.names]
    if gone:
        raise refuse(
            "no-numbers",
            f"{len(gone)} column(s) that the net was trained with hold no numbers in the new data.",
            where=shorten(gone),
            count=len(gone),
            do="Correct these columns.",
        )
    order = [series.names.index(name) for name in prep.variables]
    series.names = [series.names[v] for v in order]
    series.values, series.filled = series.values[:, order], series.filled[:, order]


def read_preparation(values: Mapping[str, Any]) -> SeriesPreparation:
    """See :class:`workings.data.opening.Kind`."""
    return SeriesPreparation.model_validate(values)
