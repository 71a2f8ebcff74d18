"""Opening a series whose windows are to be learnt, without labels: a column of labels only judges."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workings.base.errors import UserError
from workings.base.problems import Problem, shorten
from workings.base.typed import as_typed
from workings.data.schema import Field, Schema, Task
from workings.data.series.matching import read_known
from workings.data.series.plan import Plan
from workings.data.series.reading import Series, read_series
from workings.data.series.window_dataset import WindowDataset
from workings.data.series.window_plan import make_window_plan
from workings.data.series.window_prepare import WindowPreparation
from workings.data.table_cells import clean
from workings.data.table_convert import classes_of
from workings.data.table_kinds import find_field
from workings.data.table_labels import judged_task
from workings.data.table_profile import ColumnProfile

OF_FORECASTS = {"horizon": "Nothing is forecast.", "transform": "Windows are learnt as they are, standardised."}


def inspect_windows(
    data: object, target: str | None, options: Mapping[str, Any]
) -> tuple[WindowDataset | None, list[Problem]]:
    """The dataset and its problems, none raised; None where an error forbids it. target: the column that judges."""
    wrong = []
    for name, why in OF_FORECASTS.items():
        if name in options:
            what = f"The option '{name}' is for forecasts."
            wrong.append(Problem("error", "option-of-another-task", what, why=why, do="Leave it out."))
    try:
        series, problems = read_series(data, None, options, judge=target)
    except UserError as error:
        return None, [*wrong, *error.problems]
    problems += wrong
    if series is None:
        return None, problems
    task, field, more = _judged(series, target, options.get("anomalies"))
    plan, also = make_window_plan(len(series.values), series.step, options)
    problems += more
    if task is None or plan is None or any(each.level == "error" for each in problems):
        return None, [*problems, *also]
    y, more = _labels(series, task)
    problems += more
    if any(each.level == "error" for each in more):
        return None, problems
    fields = [*series.fields, *field]
    schema = Schema(rows=len(series.values), fields=fields, task=task, time_column=series.time_column)
    series.problems = [*problems, *_as_rows(series)]
    dataset = WindowDataset(series, plan, task, schema, y, options)
    return dataset, list(dataset.problems)


def _as_rows(series: Series) -> list[Problem]:
    """How to have the rows learnt one by one instead."""
    if series.time_column is None:
        return []
    what = "The rows are taken for a series; its windows are the samples."
    do = f"If each row stands for itself, leave out the time: {as_typed('drop', [series.time_column])}"
    return [Problem("note", "windows-of-a-series", what, do=do)]


def _judged(series: Series, target: str | None, anomalies: object) -> tuple[Task | None, list[Field], list[Problem]]:
    """The task, the field of the labels, and what is told of them."""
    if target is None or series.labels is None:
        task, problems = judged_task(None, anomalies)
        return task, [], problems
    profile = ColumnProfile(target)
    profile.add(series.labels.rename(target), series.rows, True)
    task, problems = judged_task(profile, anomalies)
    if task is not None and not task.anomalies:
        what = f"No class of '{target}' is named as an anomaly, so its labels are not used."
        where = f"the classes are {shorten(task.classes or [], 8)}"
        do = f"Name the unusual ones, for example {as_typed('anomalies', (task.classes or [])[-1:])}"
        problems.append(Problem("note", "labels-not-used", what, where, do=do))
    field = find_field(profile, None).model_copy(update={"used": False, "reason": "labels, which only judge"})
    return task, [field], problems


def _labels(series: Series, task: Task) -> tuple[NDArray[np.int64] | None, list[Problem]]:
    """(n,) class numbers of the steps; cells without one are refused where anomalies are to be left out."""
    if series.labels is None or task.classes is None:
        return None, []
    y = classes_of(clean(series.labels).values, task.classes)
    missing = np.flatnonzero(y < 0)
    if not len(missing):
        return y, []
    what = f"The column '{task.target}' has no class in {len(missing):,} of {len(y):,} steps."
    where = f"rows {shorten(series.rows[missing] + 1)}"
    if not task.anomalies:
        return None, [Problem("note", "target-unused", f"{what} It is not used.", where, len(missing))]
    why = "A step that may be an anomaly can neither be learnt from nor judge."
    do = f"Write a class into each, one of {shorten(task.classes, 8)}."
    return None, [Problem("error", "missing-target", what, where, len(missing), why, do)]


def read_windows_for(
    prep: WindowPreparation, schema: Schema, data: object, options: Mapping[str, Any]
) -> WindowDataset:
    """New data for a trained net; see :class:`workings.data.opening.Kind`. Labels are used where they are whole.

    Raises:
        UserError: it does not fit.
    """
    wanted = {"fill": prep.fill, **options}
    series = read_known(prep, data, wanted, None, prep.target or None)
    task = prep.task()
    y, problems = _labels(series, task)
    series.problems += [
        Problem("note", "target-unused", f"{each.what} It is not used.", each.where, each.count) if each.do else each
        for each in problems
    ]
    return WindowDataset(series, Plan(prep.season, prep.window, prep.window, None), task, schema, y, wanted)
