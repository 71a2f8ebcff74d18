"""Labels to class numbers or to numbers: what the task is, and why."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from workings.base.errors import UserError, refuse
from workings.base.problems import Problem, shorten
from workings.data.folders import natural
from workings.data.schema import Task

CLASSES_UP_TO = 20  # different whole numbers that are still taken for classes


def labels_of(y: Any, n: int, noun: str) -> list[str]:
    """The labels of ``n`` samples, each a ``noun``, as text: 3.0 and 3 are both "3".

    Raises:
        UserError: not one label a sample; missing labels.
    """
    y = np.asarray(y, dtype=object) if isinstance(y, (list, tuple)) else np.asarray(y)
    if y.ndim == 2 and y.shape[1] == 1:
        y = y[:, 0]
    if y.ndim != 1 or len(y) != n:
        raise refuse(
            "target-length",
            f"There are {n:,} {noun}s and labels of shape {y.shape}.",
            why=f"Each {noun} needs one label.",
            do="Give one label for each; one-hot labels become such by y.argmax(axis=1).",
        )
    values = y.tolist()
    missing = [k + 1 for k, value in enumerate(values) if _is_missing(value)]
    if missing:
        raise UserError(
            Problem(
                "error",
                "missing-target",
                f"{len(missing):,} label(s) are missing, NaN or infinite.",
                f"rows {shorten(missing)}",
                len(missing),
                why=f"Without a label, the {noun} can neither train nor test a network.",
                do="Fill the labels in, or remove the rows.",
            )
        )
    return [str(int(v)) if isinstance(v, float) and v.is_integer() else str(v) for v in values]


def _is_missing(value: object) -> bool:
    return value is None or value == "" or (isinstance(value, float) and not math.isfinite(value))


def infer_task(labels: Sequence[str], target: str, asked: str | None, by_folder: bool) -> Task:
    """Classes or numbers, with the reason. ``asked``: binary, multiclass, classification or regression.

    Raises:
        UserError: numbers asked for where labels are text; two classes asked for where there are more.
    """
    different = sorted(set(labels), key=natural)
    numbers = [number(label) for label in different]
    texts = [label for label, value in zip(different, numbers, strict=True) if value is None]
    if asked == "regression":
        if texts:
            raise refuse(
                "target-not-a-number",
                f"'{target}' was to be learnt as a number, but {len(texts)} of its values are none.",
                where=shorten(texts),
                do="Correct them, or leave the task to be found.",
            )
        return Task(kind="regression", target=target, classes=None, reason="as asked for")
    whole = all(value is not None and value.is_integer() for value in numbers)
    if asked is None and not by_folder and not texts and (not whole or len(different) > CLASSES_UP_TO):
        seen = "numbers with fractions" if not whole else f"{len(different):,} different whole numbers"
        return Task(kind="regression", target=target, classes=None, reason=f"'{target}' holds {seen}")
    kind = "binary" if len(different) == 2 else "multiclass"
    if asked == "binary" and len(different) != 2:
        raise refuse(
            "not-binary",
            f"'{target}' has {len(different)} classes, not two.",
            where=shorten(different),
            do="Leave the task to be found.",
        )
    what = "a folder per class" if by_folder else f"'{target}' holds"
    reason = f"{what}: {len(different)} classes" if by_folder else f"{what} {len(different)} different values"
    return Task(kind=kind, target=target, classes=different, reason=reason)


def number(label: str) -> float | None:
    """The finite number that ``label`` is, or None."""
    try:
        value = float(label)
    except ValueError:
        return None
    return value if math.isfinite(value) else None
