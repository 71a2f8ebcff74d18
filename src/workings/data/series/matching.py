"""New series for a trained net: matched against the variables and the step it was trained with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from workings.base.errors import UserError, refuse
from workings.base.problems import Problem, nearest, shorten
from workings.data.series.reading import Series, read_series
from workings.data.table_reading import read_table

if TYPE_CHECKING:
    from workings.data.series.prepare import SeriesPreparation
    from workings.data.series.window_prepare import WindowPreparation


def read_known(
    prep: SeriesPreparation | WindowPreparation,
    data: object,
    options: Mapping[str, Any],
    targets: Sequence[str] | None,
    judge: str | None = None,
) -> Series:
    """The variables of ``prep`` in its order. judge: the column of labels; it may be missing, which is told.

    Raises:
        UserError: columns that are missing, another step, or whatever else is wrong with a series.
    """
    wanted = dict(options)
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
        wanted["drop"] = [name for name in table.names if name not in prep.variables and name != judge]
    found = judge if judge in table.names else None
    series, problems = read_series(data, targets, wanted, prep.variables, found)
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
    if judge is not None and found is None:
        what = f"{table.name} has no column '{judge}', so how well anomalies are told is not measured."
        problems.append(Problem("note", "no-labels", what, shorten(table.names, 12), 1))
    series.problems = problems
    return series


def _in_order(series: Series, prep: SeriesPreparation | WindowPreparation) -> None:
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
