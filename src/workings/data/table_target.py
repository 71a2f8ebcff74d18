"""The target: which column, what task it makes, and whether every row has one."""

from __future__ import annotations

from collections.abc import Sequence

from workings.base.problems import Problem, nearest, shorten
from workings.base.typed import as_typed
from workings.data.schema import Task
from workings.data.split import FEW_ROWS
from workings.data.table_cells import is_true
from workings.data.table_profile import ColumnProfile

TASKS = ("binary", "multiclass", "classification", "regression", "unsupervised")
TARGET_NAMES = ("target", "label", "class", "y", "outcome", "output", "response")
WORDS_OF_A_SENTENCE = 3  # on average
WRITTEN = "If they are to be written, as translations are: --task translation."
MOST_CLASSES = 20  # different whole numbers that are taken for classes
ROWS_A_CLASS = 5  # that each of them has on average; fewer rows speak for a measured number
FEW_OF_A_CLASS = 10
IMBALANCE = 10  # rows of the largest class to one of the smallest, from which on it is told


def missing_column(name: str, names: Sequence[str], source: str) -> Problem:
    """The problem of a column that is not there, with the nearest name."""
    guess = nearest(name, names)
    hint = f"Did you mean '{guess}'? " if guess else ""
    return Problem(
        "error",
        "missing-column",
        f"{source} has no column '{name}'.",
        where=f"its columns: {shorten(names, 12)}",
        count=1,
        do=f"{hint}Name a column that is there.",
    )


def no_target(names: Sequence[str], source: str) -> Problem:
    """The problem of a table of which it was not said what to learn."""
    likely = [name for name in names if name.lower() in TARGET_NAMES]
    guess = f"--target '{likely[0]}', by its name" if likely else f"--target '{names[-1]}', the last column"
    return Problem(
        "error",
        "no-target",
        f"It was not said which column of {source} is to be learnt.",
        where=f"its columns: {shorten(names, 12)}",
        why="Learning the wrong column gives a network that works and is useless.",
        do=f"Name it, perhaps {guess}. To learn the rows themselves, without a target: --task unsupervised.",
    )


def infer_task(p: ColumnProfile, asked: str | None) -> tuple[Task | None, list[Problem]]:
    """The task that the column of ``p`` makes; None where none is possible, with the reasons among the problems.

    asked: ``binary``, ``multiclass``, ``classification``, ``regression`` or None; ``table_labels`` has the other.
    """
    name, numeric = p.name, is_numeric(p)
    if p.present == 0:
        return None, [_error("missing-target", f"The target '{name}' has no value in any row.", do="Name another.")]
    if p.dtype in ("Date", "Datetime", "Time", "Duration", "List", "Array", "Struct", "Object", "Binary"):
        what = f"The target '{name}' holds cells of type {p.dtype.lower()}, which are neither classes nor numbers."
        return None, [_error("bad-target", what, do="Turn it into a number or a class first.")]
    if p.distinct == 1:
        what = f"The target '{name}' has the same value in every row: {_values(p, 1)}."
        return None, [
            _error("one-class", what, why="There is nothing to tell apart.", do="Check the data, or the name.")
        ]
    if asked == "regression" or (asked is None and _is_measured(p, numeric)):
        return _regression(p, asked)
    return _classes(p, asked, numeric)


def is_numeric(p: ColumnProfile) -> bool:
    """Whether all cells with a value are numbers, so that 1 and 1.0 are one class."""
    return p.number == p.present and p.dtype != "Boolean"


def _is_measured(p: ColumnProfile, numeric: bool) -> bool:
    """Whether the target is a number rather than a class."""
    if p.distinct == 2:
        return False
    if not numeric:  # a few slips among many numbers are told as such
        return p.number >= 0.9 * p.present and p.distinct > MOST_CLASSES
    if p.whole < p.finite:
        return True
    return p.distinct > MOST_CLASSES or (p.rows >= FEW_ROWS and p.present < ROWS_A_CLASS * p.distinct)


def _regression(p: ColumnProfile, asked: str | None) -> tuple[Task | None, list[Problem]]:
    if p.not_numbers.count:
        what = f"{p.not_numbers.count:,} value(s) of the target '{p.name}' are no numbers."
        why = "A number is to be learnt from every row."
        do = "Correct the cells, or learn classes: --task classification."
        return None, [_error("target-not-a-number", what, p.not_numbers.where(), p.not_numbers.count, why, do)]
    if p.finite and p.min == p.max:
        what = f"The target '{p.name}' has the same value in every row."
        return None, [_error("one-class", what, why="There is nothing to learn.", do="Check the data, or the name.")]
    problems: list[Problem] = []
    if asked is None and p.distinct <= MOST_CLASSES and p.rows >= FEW_ROWS:
        what = f"'{p.name}' has only {p.distinct} different numbers; it is learnt as a number."
        problems.append(Problem("warning", "ambiguous-task", what, do="To learn classes: --task classification."))
    seen = "numbers with fractions" if p.whole < p.finite else "whole numbers"
    reason = "as asked for" if asked else f"'{p.name}' holds {seen}, {p.distinct:,} different"
    return Task(kind="regression", target=p.name, reason=reason), problems


def _classes(p: ColumnProfile, asked: str | None, numeric: bool) -> tuple[Task | None, list[Problem]]:
    name, rows = p.name, p.present
    values = p.values()
    if not values or (p.rows >= FEW_ROWS and not numeric and len(values) > 0.5 * rows):
        what = f"The target '{name}' has {p.distinct:,} different values in {rows:,} rows."
        why = "A class needs several rows to be learnt from."
        do = "Name another column." if not numeric else "Learn a number: --task regression."
        if asked is None and _are_sentences(p):
            do = f"{WRITTEN} Otherwise name another column."
        return None, [_error("too-many-classes", what, _values(p, 5), p.distinct, why, do)]
    counts: dict[str, int] = {}
    for value, count in values:
        label = canonical(value) if numeric else value
        counts[label] = counts.get(label, 0) + count
    classes = sorted(counts, key=float) if numeric else sorted(counts)
    if asked == "binary" and len(classes) != 2:
        what = f"The target '{name}' has {len(classes)} classes, not two."
        return None, [_error("not-binary", what, shorten(classes, 8), do="Leave the task to be found.")]
    kind = "binary" if len(classes) == 2 else "multiclass"
    if kind == "binary" and is_true(classes[0]) and not is_true(classes[1]):
        classes.reverse()
    reason = "as asked for" if asked else f"'{name}' holds {_kind_of_values(p, numeric)}, {len(classes)} different"
    if kind == "binary":
        reason += f"; '{classes[1]}' is the positive class"
    problems = count_problems(name, counts, p.rows)
    if asked is None and numeric and len(classes) > 5 and p.rows >= FEW_ROWS:
        what = f"'{name}' has {len(classes)} different whole numbers; they are learnt as classes."
        why = "As classes their order is not used."
        problems.append(Problem("warning", "ambiguous-task", what, why=why, do="If they measure: --task regression."))
    if asked is None and _are_sentences(p):
        what = f"The classes of '{name}' look like sentences: {p.distinct:,} different ones in {rows:,} rows."
        why = "As classes, each is only told from the others; none is ever written."
        problems.append(
            Problem("note", "text-labels-look-like-sentences", what, _values(p, 3), p.distinct, why, WRITTEN)
        )
    return Task(kind=kind, target=name, classes=classes, reason=reason), problems


def _are_sentences(p: ColumnProfile) -> bool:
    """Whether nearly every value is another text of several words."""
    return p.is_text and p.distinct > 0.8 * p.present and p.words >= WORDS_OF_A_SENTENCE * p.looked_at


def count_problems(name: str, counts: dict[str, int], rows: int) -> list[Problem]:
    """What is told of the rows of each class: few in all, one or few of a class, classes of very different sizes."""
    found: list[Problem] = []
    if rows < FEW_ROWS:
        what = f"There are only {rows} rows; all are trained on, none is held back."
        return [Problem("note", "few-rows", what, why="What is measured is how well the rows themselves are learnt.")]
    single = [label for label, count in counts.items() if count < 2]
    few = [f"'{label}' ({count})" for label, count in counts.items() if 2 <= count < FEW_OF_A_CLASS]
    if single:
        what = f"{len(single)} class(es) of '{name}' have one row only."
        why = "One row cannot be both learnt from and tested on."
        do = "Add rows, join classes, or remove these rows."
        found.append(_error("class-too-small", what, shorten(f"'{label}'" for label in single), len(single), why, do))
    if few:
        what = f"{len(few)} class(es) of '{name}' have fewer than {FEW_OF_A_CLASS} rows."
        why = "Their figures on the test rows will rest on a handful of rows."
        found.append(Problem("warning", "class-small", what, shorten(few), len(few), why, "Add rows, or join classes."))
    total, least, most = sum(counts.values()), min(counts.values()), max(counts.values())
    if most >= IMBALANCE * least:
        rare, common = min(counts, key=lambda k: counts[k]), max(counts, key=lambda k: counts[k])
        what = (
            f"The classes of '{name}' are imbalanced: '{rare}' is {least / total:.1%} of the rows ({least:,}), "
            f"'{common}' {most / total:.1%} ({most:,})."
        )
        why = f"Always saying '{common}' would be right in {most / total:.1%} of the rows, so accuracy says little."
        weights, sampling = as_typed("imbalance", "class weights"), as_typed("imbalance", "weighted sampling")
        do = f"Look at average precision and macro F1; train with {weights}, or {sampling}."
        found.append(Problem("warning", "imbalance", what, "", least, why, do))
    return found


def _error(code: str, what: str, where: str = "", count: int = 0, why: str = "", do: str = "") -> Problem:
    return Problem("error", code, what, where, count, why, do)


def canonical(value: str) -> str:
    """1, 1.0 and 01 are all ``1``."""
    number = float(value.replace(",", "."))
    return str(int(number)) if number.is_integer() and abs(number) < 2**53 else str(number)


def _kind_of_values(p: ColumnProfile, numeric: bool) -> str:
    if p.dtype == "Boolean":
        return "true and false"
    return "numbers" if numeric else "text"


def _values(p: ColumnProfile, limit: int) -> str:
    return shorten((f"'{value}'" for value, _ in p.values()), limit) or f"{p.mean:g}"
