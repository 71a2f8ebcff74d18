"""The labels of a table from which nothing is learnt but what its rows are like: a column that only judges."""

from __future__ import annotations

from workings.base.errors import UserError
from workings.base.problems import Problem, shorten
from workings.base.typed import as_typed
from workings.data.schema import Task
from workings.data.table_profile import ColumnProfile
from workings.data.table_target import MOST_CLASSES, canonical, is_numeric
from workings.data.unsupervised import unsupervised_task

MOST_LABELS = 1000  # different texts; more are no classes
NO_CELL = ("Date", "Datetime", "Time", "Duration", "List", "Array", "Struct", "Object", "Binary")


def judged_task(p: ColumnProfile | None, anomalies: object) -> tuple[Task | None, list[Problem]]:
    """The task unsupervised, with the classes of the column of ``p`` (None: no column judges); or None, and why not.

    anomalies: see :func:`workings.data.unsupervised.unsupervised_task`.
    """
    labels: list[str] | None = None
    if p is not None:
        wrong = _no_labels(p)
        if wrong is not None:
            return None, [wrong]
        labels = [canonical(value) if is_numeric(p) else value for value, _ in p.values()]
    try:
        return unsupervised_task(labels, "" if p is None else p.name, anomalies), []
    except UserError as error:
        return None, error.problems


def _no_labels(p: ColumnProfile) -> Problem | None:
    """Why the column of ``p`` holds no classes, if it does not."""
    code, where = "not-labels", ""
    if p.present == 0:
        what = f"The column '{p.name}', which is to judge, has no value in any row."
    elif p.dtype in NO_CELL:
        what = f"The column '{p.name}', which is to judge, holds cells of type {p.dtype.lower()}, not classes."
    elif is_numeric(p) and (p.distinct > MOST_CLASSES or p.whole < p.finite):
        what = f"The column '{p.name}', which is to judge, holds {p.distinct:,} different numbers, not classes."
    elif not p.values() or p.distinct > MOST_LABELS:
        what = f"The column '{p.name}', which is to judge, has {p.distinct:,} different values, too many for classes."
        where = shorten((f"'{value}'" for value, _ in p.values()), 5)
    else:
        return None
    return Problem(
        "error",
        code,
        what,
        where,
        p.distinct,
        "Labels are not learnt; they say afterwards how well anomalies are told.",
        f"Name a column of classes, or none. If it must be no feature either: {as_typed('drop', [p.name])}",
    )
