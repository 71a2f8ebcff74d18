"""Series, as one of the kinds of data."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl

from workings.base.errors import UserError
from workings.base.events import Emit
from workings.base.problems import Problem, unknown_name
from workings.data.dataset import Dataset
from workings.data.options import OPTIONS
from workings.data.schema import Schema, Task
from workings.data.series.dataset import SeriesDataset
from workings.data.series.matching import read_known
from workings.data.series.plan import Plan, make_plan
from workings.data.series.prepare import SeriesPreparation
from workings.data.series.reading import read_series
from workings.data.series.times import evenness, read_times
from workings.data.series.transform import NAMES as TRANSFORMS
from workings.data.series.window_opening import inspect_windows, read_windows_for
from workings.data.series.window_prepare import WindowPreparation
from workings.data.table_files import DELIMITERS
from workings.data.table_reading import PARQUET, TEXT, read_table

HEAD = 200  # rows that are looked at to recognise a series
OWN = ("horizon", "window", "season", "fill", "transform")  # options that only a series has
EVEN = 0.5  # share of steps of one length, from which on rows with dates are taken for a series to be learnt


def recognise(data: object, target: str | None, task: str | None, options: Mapping[str, Any]) -> bool:
    """The task forecast, an option that only series have; or, with no target, a column of dates beside numbers.

    Without labels to learn, the target is a column that only judges, and the dates must come at even steps: a table may
    hold dates, too.
    """
    unsupervised = task == "unsupervised"
    if task == "forecast" or ((task is None or unsupervised) and any(name in options for name in OWN)):
        return True
    if (task is not None or target is not None) and not unsupervised:
        return False
    if isinstance(data, tuple) or (unsupervised and any(OPTIONS[name].kinds == ("table",) for name in options)):
        return False
    try:
        head = _head(data)
    except (UserError, OSError, ValueError, pl.exceptions.PolarsError):
        return False  # the reader of tables says what is wrong
    if head is None:
        return False
    if unsupervised:
        dropped = options.get("drop") or []
        head = head.drop([target or "", *([dropped] if isinstance(dropped, str) else dropped)], strict=False)
    return _is_series(head, even=unsupervised)


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


def _is_series(head: pl.DataFrame, *, even: bool) -> bool:
    """One column of dates, the others mostly numbers. even: the dates come at even steps."""
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
        if times is not None and is_dated and even and evenness(times.values) < EVEN:
            return False
        dated, others = dated + is_dated, others + (not is_dated and present > 0)
    return dated == 1 and numbers > 0 and others == 0


def inspect(
    data: object, target: str | None, task: str | None, on_bad_file: str, emit: Emit, **options: Any
) -> tuple[Dataset | None, list[Problem]]:
    """See :class:`workings.data.opening.Kind`."""
    if task == "unsupervised":
        return inspect_windows(data, target, options)
    if task not in (None, "forecast"):
        what = f"The task {task} does not fit a series; its task is forecast, or unsupervised."
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
    prep: SeriesPreparation | WindowPreparation,
    schema: Schema,
    data: object,
    require_target: bool,
    on_bad_file: str,
    emit: Emit,
    **options: Any,
) -> Dataset:
    """See :class:`workings.data.opening.Kind`. The gaps of new data are filled as those of the training data were."""
    if isinstance(prep, WindowPreparation):
        return read_windows_for(prep, schema, data, options)
    wanted = {"fill": prep.fill, **options}
    series = read_known(prep, data, wanted, prep.variables[: prep.targets])
    plan = Plan(prep.season, prep.horizon, prep.window, None)
    return SeriesDataset(series, plan, prep.task(), schema, wanted)


def read_preparation(values: Mapping[str, Any]) -> SeriesPreparation | WindowPreparation:
    """See :class:`workings.data.opening.Kind`."""
    if values.get("task_kind") == "unsupervised":
        return WindowPreparation.model_validate(values)
    return SeriesPreparation.model_validate(values)
