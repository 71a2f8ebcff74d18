"""Tasks without labels: what is learnt are the samples themselves; labels that they have only judge."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from workings.base.errors import UserError, refuse
from workings.base.problems import shorten, unknown_name
from workings.data.folders import natural
from workings.data.schema import Task
from workings.data.split import Split, ordered_split, stratified_split
from workings.data.table_cells import FALSE_WORDS, TRUE_WORDS


def unsupervised_task(labels: Sequence[str] | None, target: str, anomalies: object = None) -> Task:
    """The task, with the classes that the samples happen to have.

    labels: one a sample, or None. anomalies: names of classes, a list or one alone.

    Raises:
        UserError: anomalies without labels, that are no class, or that are every class.
    """
    classes = None if labels is None else sorted(set(labels), key=natural)
    named = [] if anomalies is None else anomalies if isinstance(anomalies, (list, tuple)) else [anomalies]
    wanted = [_class_meant(each, classes or []) for each in named]
    if wanted and classes is None:
        raise refuse(
            "anomalies-without-labels",
            "Classes were named as anomalies, but the samples have no labels.",
            do="Leave anomalies out, or bring samples with labels (a folder per class, or a target column).",
        )
    problems = [unknown_name("class", each, classes or []) for each in wanted if each not in (classes or [])]
    if problems:
        raise UserError(problems)
    if wanted and classes is not None and set(wanted) == set(classes):
        raise refuse(
            "only-anomalies",
            "Every class is named as an anomaly, so there is nothing regular to learn from.",
            where=f"the classes are {shorten(classes, 8)}",
            do="Name only the classes that are unusual.",
        )
    kept = "the labels only judge" if classes else "there are no labels"
    return Task(
        kind="unsupervised",
        target=target if classes else "",
        classes=classes,
        reason=f"what is learnt are the samples themselves; {kept}",
        anomalies=wanted,
    )


def anomalous_rows(y: np.ndarray | None, task: Task, n: int) -> np.ndarray:
    """(n,) bool: which rows are of a class that is an anomaly. y: (n,) class numbers, or None."""
    if y is None or task.classes is None:
        return np.zeros(n, dtype=bool)
    return np.isin(y, [task.classes.index(name) for name in task.anomalies])


def unsupervised_split(
    y: np.ndarray | None,
    task: Task,
    groups: np.ndarray | None,
    seed: int,
    test_fraction: float,
    val_fraction: float,
    *,
    n: int | None = None,
    time: np.ndarray | None = None,
) -> Split:
    """Rows drawn at random, classes in proportion where there are any; every anomaly is for testing.

    y: (n,) class numbers, or None. groups: (n,), equal for samples that are to stay on one side. n: of the rows, where
    neither says it. time: (n,); then regular rows are split by it, the newest for testing.
    """
    if n is None:
        n = len(groups) if groups is not None else len(y)  # type: ignore[arg-type]
    strata = np.zeros(n, dtype=np.int64) if y is None else y
    odd = anomalous_rows(y, task, n)
    rows = np.flatnonzero(~odd)
    if time is not None:
        train, val, test = ordered_split(time[rows], test_fraction, val_fraction)
        reason = "by time: the newest rows are for testing"
    else:
        train, val, test = stratified_split(
            strata[rows], None if groups is None else groups[rows], seed, test_fraction, val_fraction
        )
        reason = "drawn at random" + (", each class in proportion" if y is not None else "")
        reason += ", equal samples on one side" if groups is not None else ""
    if odd.any():
        reason += f"; all {int(odd.sum()):,} anomalies are for testing"
    return Split(rows[train], rows[val], np.sort(np.concatenate([rows[test], np.flatnonzero(odd)])), reason)


def check_binarise(threshold: object) -> None:
    """Refuse a threshold that is no number between 0 and 1.

    Raises:
        UserError: it is none.
    """
    if threshold is not None and not (isinstance(threshold, (int, float)) and 0 <= threshold < 1):
        raise refuse("bad-value", f"binarise is {threshold!r}.", do="Give a number from 0 to below 1, such as 0.5.")


def anomalies_of_labels() -> UserError:
    """Anomalies were named for a task that learns labels."""
    return refuse(
        "anomalies-of-labels",
        "Classes were named as anomalies, but the task learns the classes.",
        do="Add --task unsupervised, which a net such as the autoencoder says by itself; or leave anomalies out.",
    )


def _class_meant(value: object, classes: Sequence[str]) -> str:
    """The class that a value of YAML means: there ``no`` is false, and 1.0 may stand for ``1``."""
    if isinstance(value, bool):
        words = TRUE_WORDS if value else FALSE_WORDS
        meant = [name for name in classes if name.lower() in words]
        return meant[0] if len(meant) == 1 else str(value)
    if isinstance(value, float) and value.is_integer() and str(value) not in classes:
        return str(int(value))
    return str(value)
