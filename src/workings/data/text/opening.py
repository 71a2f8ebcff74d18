"""From texts as they were brought to a dataset: the task, the labels as numbers, and everything that is told."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from workings.base.errors import UserError, refuse
from workings.base.problems import Problem, nearest, shorten
from workings.data.folders import natural
from workings.data.schema import Schema, Task
from workings.data.table_cells import clean, is_true, numbers
from workings.data.table_convert import classes_of
from workings.data.table_profile import ColumnProfile
from workings.data.table_target import infer_task
from workings.data.text.brought import UNITS, Brought
from workings.data.text.checks import duplicate_problems, empty_problems, label_problems, length_note
from workings.data.text.dataset import TextDataset, Texts, checked
from workings.data.text.folders import read_folder
from workings.data.text.tables import is_texts, of_lists, read_columns


def bring(data: object, target: str | None, options: Mapping[str, Any]) -> Brought:
    """Labelled texts from a folder, a table, or ``(texts, labels)``.

    Raises:
        UserError: what cannot be read, or has no labels.
    """
    if isinstance(data, (str, Path)) and Path(data).is_dir():
        named = [name for name in ("text", "group") if name in options]
        if named:
            what = f"A folder has no columns, so {' and '.join(named)} can name none."
            raise refuse("columns-of-a-folder", what, do="Leave it out, or give a table.")
        return read_folder(Path(data), target)
    if isinstance(data, tuple) and len(data) == 2 and is_texts(data[0]):
        name = target or str(getattr(data[1], "name", None) or "label")
        return read_columns(of_lists(data[0], data[1], name), "text", name, None, labelled=True, guess=False)
    if is_texts(data):
        raise refuse("no-target", "The texts come without labels.", do="Give a pair (texts, labels).")
    return read_columns(data, options.get("text"), target, options.get("group"), labelled=True, guess=True)


def open_texts(
    data: object, target: str | None, task: str | None, options: Mapping[str, Any]
) -> tuple[TextDataset | None, list[Problem]]:
    """The dataset, or None where an error forbids to use it, and every problem."""
    try:
        brought = bring(data, target, options)
    except UserError as error:
        return None, error.problems
    problems = brought.problems
    on_bad_row = str(options.get("on_bad_row", "refuse"))
    problems += _missing_labels(brought, on_bad_row)
    problems += empty_problems(brought, on_bad_row, must_keep=False)
    found, more = _task_of_names(brought, task) if brought.by_name else _task_of_cells(brought, task)
    problems += more
    if found is None or any(problem.level == "error" for problem in problems):
        return None, problems
    y = _numbers(brought, found)
    texts, same = checked(brought.texts)
    problems += duplicate_problems(brought, same, y, found.classes)
    problems.append(length_note(texts))
    read = Texts(
        texts, y, brought.rows, brought.places, brought.column, brought.unit, brought.digest, same, brought.groups
    )
    read.options, read.problems = dict(options), problems
    schema = Schema(rows=len(texts), fields=brought.fields, task=found)
    return TextDataset(read, found, schema), problems


def _missing_labels(brought: Brought, on_bad_row: str) -> list[Problem]:
    """Rows without a label are refused, or dropped and told. Changes ``brought``."""
    assert brought.labels is not None
    if brought.by_name:
        return []
    absent = clean(brought.labels).values.is_null().to_numpy()
    if not absent.any() or absent.all():  # of no label at all the task will tell
        return []
    rows = np.flatnonzero(absent)
    n, where = len(rows), brought.where(rows)
    if on_bad_row == "drop":
        brought.keep(np.flatnonzero(~absent))
        what = f"{n:,} row(s) were dropped: the target '{brought.target}' is missing."
        return [Problem("note", "dropped-rows", what, where, n)]
    what = f"The target '{brought.target}' is missing in {n:,} row(s)."
    why = "A text without an answer can neither train nor test a network."
    do = "Fill them in, remove the rows, or drop them: --set on_bad_row=drop."
    return [Problem("error", "missing-target", what, where, n, why, do)]


def _task_of_cells(brought: Brought, asked: str | None) -> tuple[Task | None, list[Problem]]:
    assert brought.labels is not None
    profile = ColumnProfile(brought.target)
    profile.add(brought.labels, brought.rows, True)
    found, problems = infer_task(profile, asked)
    if found is not None and found.classes is None and profile.infinite.count:
        what = f"The target '{brought.target}' is infinite in {profile.infinite.count:,} row(s)."
        where, count = profile.infinite.where(), profile.infinite.count
        problems.append(Problem("error", "bad-target-value", what, where, count, do="Correct these cells."))
    return found, problems


def _task_of_names(brought: Brought, asked: str | None) -> tuple[Task | None, list[Problem]]:
    """Classes named by files or folders, in natural order; of two the one that says yes is the second."""
    assert brought.labels is not None
    counts = Counter(brought.labels.to_list())
    classes = sorted(counts, key=natural)
    if asked == "regression":
        what = "The names of the files or folders are classes; there is no number to learn."
        return None, [Problem("error", "no-number", what, do="Give a table with a column of numbers.")]
    if len(classes) < 2:
        what = f"All texts are of the class '{classes[0]}'."
        do = "Give texts of the other classes, too."
        return None, [Problem("error", "one-class", what, why="There is nothing to tell apart.", do=do)]
    if asked == "binary" and len(classes) != 2:
        what = f"There are {len(classes)} classes, not two."
        return None, [Problem("error", "not-binary", what, shorten(classes, 8), do="Leave the task to be found.")]
    if len(classes) == 2 and is_true(classes[0]) and not is_true(classes[1]):
        classes.reverse()
    made = "a folder a class" if brought.unit == "file" else "a file a class"
    reason = f"{made}, {len(classes)} classes; {UNITS[brought.unit]} is a text"
    if len(classes) == 2:
        reason += f"; '{classes[1]}' is the positive class"
    task = Task(
        kind="binary" if len(classes) == 2 else "multiclass", target=brought.target, classes=classes, reason=reason
    )
    return task, label_problems(counts)


def _numbers(brought: Brought, task: Task) -> np.ndarray:
    """(n,) class numbers or values; every label was checked."""
    assert brought.labels is not None
    if brought.by_name:
        assert task.classes is not None
        number = {name: k for k, name in enumerate(task.classes)}
        return np.array([number[label] for label in brought.labels], dtype=np.int64)
    values = clean(brought.labels).values
    if task.classes is not None:
        return classes_of(values, task.classes)
    return numbers_of(values)


def numbers_of(values: pl.Series) -> np.ndarray:
    """(n,) float64 of a target of numbers, written 3.14 or 3,14; NaN where a cell is none."""
    found = numbers(values)
    if values.dtype == pl.String and found.is_not_null().sum() < numbers(values, True).is_not_null().sum():
        found = numbers(values, True)
    return found.fill_null(np.nan).to_numpy().astype(np.float64)


def unknown_classes(labels: list[str], known: list[str], brought: Brought) -> Problem | None:
    """Labels that the network does not know, with the nearest that it does."""
    wrong = [i for i, label in enumerate(labels) if label not in known]
    if not wrong:
        return None
    counts = Counter(labels[i] for i in wrong)
    said = shorten(f"'{name}' ({count:,})" for name, count in counts.most_common())
    guesses = [(name, nearest(name, known)) for name in counts]
    near = shorten(f"'{guess}' for '{name}'" for name, guess in guesses if guess)
    what = f"{len(wrong):,} text(s) have a class that the network does not know: {said}."
    do = (f"Did you mean {near}? " if near else "") + f"Its classes are: {shorten(known, 30)}."
    why = "There is nothing to compare the prediction with."
    return Problem("error", "unknown-class", what, brought.where(np.array(wrong)), len(wrong), why, do)
