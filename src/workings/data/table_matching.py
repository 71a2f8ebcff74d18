"""New data for a trained net: matched column by column against the schema of the training data."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from workings.base.errors import UserError
from workings.base.events import Emit, Phase, silent
from workings.base.problems import Problem, nearest, shorten
from workings.data.prepare import TablePreparation
from workings.data.schema import Field, Schema, Task
from workings.data.table import TableDataset
from workings.data.table_convert import Converter, Misfits
from workings.data.table_filling import Filled, OnBadRow, Place, choose_place, empty_rows, fill
from workings.data.table_input import Table
from workings.data.table_layout import Layout, layout_of
from workings.data.table_reading import read_table
from workings.data.table_store import Store
from workings.data.table_zeros import zeros_told

BLOCK = 65_536
MOST_BAD = 0.5  # share of cells that are no numbers, beyond which the column must be another one


def read_table_for(
    prep: TablePreparation,
    schema: Schema,
    data: object,
    require_target: bool = True,
    *,
    on_bad_row: OnBadRow = "refuse",
    in_memory: bool | None = None,
    memory_limit: int | None = None,
    cache: str | Path | None = None,
    emit: Emit = silent,
) -> TableDataset:
    """``data`` as rows that ``prep`` can prepare; arguments as for ``read_for``.

    Raises:
        UserError: columns that are missing or of another type; classes that the net does not know.
    """
    task = prep.task()
    require_target = require_target and task.kind != "unsupervised"  # there labels only judge
    table = read_table(data, task.target)
    emit(Phase("checking", f"{table.name} against the training data"))
    problems = list(table.problems)
    problems += _match(table, schema, task, require_target)
    _raise_errors(problems)
    layout = layout_of(schema)
    place = Place(in_memory, memory_limit, cache)
    in_memory, more = choose_place(layout, table.rows, place)
    problems += more
    _raise_errors(problems)

    converter = Converter(schema, layout, task)
    dropping: OnBadRow = "drop" if require_target and on_bad_row == "drop" else "refuse"
    filled = fill(table, converter, in_memory, place, dropping)
    n = len(filled.rows)
    problems += empty_rows(table)
    for name, misfits in converter.misfits.items():
        problems += _misfit_problems(schema.field(name), misfits, n)
    problems += _missing(schema, converter.misfits) + _zeros(prep, layout, filled.store)
    y, more = _target(converter, filled, task, require_target, dropping)
    problems += more
    _raise_errors(problems)
    return TableDataset(
        schema, task, layout, filled.store, y, filled.time, filled.rows, filled.hashes, table.digest, problems, table
    )


def _match(table: Table, schema: Schema, task: Task, require_target: bool) -> list[Problem]:
    """Find every used column of ``schema`` in ``table``; an array's columns are taken in order."""
    expected = [name for name in schema.names if name != task.target]
    if table.positional and not set(expected) <= set(table.names):
        return _match_by_order(table, expected, task)
    used = [field.name for field in schema.features]
    extra = [name for name in table.names if name not in schema.names]
    absent = [name for name in used if name not in table.names]
    found: list[Problem] = []
    if absent:
        guesses = [(name, nearest(name, extra)) for name in absent]
        hints = [f"'{guess}' may be '{name}'" for name, guess in guesses if guess]
        what = f"{len(absent)} of the {len(used)} columns that the network needs are missing from {table.name}."
        why = "The network cannot do without its inputs."
        do = (f"{shorten(hints, 8)}: rename. " if hints else "") + "Give the same columns as in training."
        found.append(Problem("error", "missing-column", what, shorten(absent, 12), len(absent), why, do))
    if require_target and task.target not in table.names:
        guess = nearest(task.target, extra)
        what = f"{table.name} has no column '{task.target}', so there is nothing to compare with."
        do = f"Did you mean '{guess}'? Rename it." if guess else "Add the column, or predict in place of evaluating."
        found.append(Problem("error", "missing-target-column", what, shorten(table.names, 12), 1, do=do))
    if task.anomalies and task.target not in table.names:
        what = f"{table.name} has no column '{task.target}', so how well anomalies are told is not measured."
        found.append(Problem("note", "no-labels", what, shorten(table.names, 12), 1))
    if extra:
        what = f"{len(extra)} column(s) were not there in training and are not used."
        found.append(Problem("note", "extra-columns", what, shorten(extra, 12), len(extra)))
    return found


def _match_by_order(table: Table, expected: list[str], task: Task) -> list[Problem]:
    given = [name for name in table.names if name != table.target]
    if len(given) != len(expected):
        what = f"The array has {len(given)} columns; the network was trained with {len(expected)}."
        why = "Columns without names are known by their places only."
        do = "Give the same columns in the same order, or a DataFrame with names."
        return [Problem("error", "wrong-width", what, shorten(expected, 12), len(given), why, do)]
    names = dict(zip(given, expected, strict=True))
    if table.target is not None and task.target:
        names[table.target] = task.target
    assert table.frame is not None
    table.frame = table.frame.rename(names)
    table.names = table.frame.columns
    what = "The array has no names; its columns were taken in the order of training."
    return [Problem("note", "columns-by-order", what, shorten(expected, 12), len(expected))]


def _misfit_problems(field: Field, misfits: Misfits, n: int) -> list[Problem]:
    """What the cells of one column say that ``field`` does not know."""
    found: list[Problem] = []
    name = field.name
    present = n - misfits.missing
    bad = misfits.bad
    if bad.count:
        kind = "dates as in training" if field.kind == "date" else "numbers"
        what = f"{bad.count:,} of {present:,} value(s) of '{name}' are not {kind}."
        if bad.count > MOST_BAD * present:
            do = "Check that this is the same column as in training, written in the same way."
            found.append(Problem("error", "wrong-type", what, bad.where(), bad.count, "It is another column.", do))
        else:
            why = "They count as missing."
            found.append(Problem("warning", "mixed-types", what, bad.where(), bad.count, why, "Correct these cells."))
    if misfits.infinite.count:
        what = f"'{name}' has {misfits.infinite.count:,} infinite value(s)."
        where = misfits.infinite.where()
        found.append(
            Problem("warning", "infinite-values", what, where, misfits.infinite.count, "They count as missing.")
        )
    # With a dictionary that was cut, an unknown category may be a known rare one.
    if misfits.unknown and len(field.categories) == field.distinct:
        count = sum(misfits.unknown.values())
        unknown = sorted(misfits.unknown.items(), key=lambda item: (-item[1], item[0]))
        said = shorten((f"'{value}' ({times:,})" for value, times in unknown), 5)
        what = f"{count:,} value(s) of '{name}' are categories that training never saw: {said}."
        why = "The network knows nothing about them; they count as none of the known ones."
        guesses = [(value, nearest(value, field.categories)) for value, _ in unknown[:20]]
        near = shorten(f"'{guess}' is known, not '{value}'" for value, guess in guesses if guess)
        do = f"Check their spelling: {near}." if near else "Train again with rows that have them."
        found.append(Problem("warning", "unseen-category", what, misfits.unknown_cells.where(), count, why, do))
    return found


def _zeros(prep: TablePreparation, layout: Layout, store: Store) -> list[Problem]:
    """What is said of zeros that are filled as in training."""
    at = {column.name: k for k, column in enumerate(layout.numbers)}
    zeros = {name: at[name] for name in prep.settings.zeros_as_missing if name in at}
    counts = dict.fromkeys(zeros, 0)
    for start in range(0, len(store) if zeros else 0, BLOCK):
        V = layout.values(store.take(np.arange(start, min(start + BLOCK, len(store)))))
        for name, k in zeros.items():
            counts[name] += int((V[:, k] == 0).sum())
    return zeros_told(counts, "zeros in these rows")


def _missing(schema: Schema, misfits: Mapping[str, Misfits]) -> list[Problem]:
    gaps = {name: each.missing for name, each in misfits.items() if each.missing}
    if not gaps:
        return []
    cells = sum(gaps.values())
    where = shorten((f"{name} {count:,}" for name, count in gaps.items()), 12)
    what = f"{cells:,} value(s) are missing in {len(gaps)} column(s); they are filled as in training."
    found = [Problem("note", "missing-values", what, where, cells)]
    new = [name for name in gaps if not schema.field(name).missing]
    if new:
        what = f"{len(new)} column(s) have missing values, and had none in training."
        why = "The network never learnt what to make of a gap there; the usual value is put in."
        found.append(Problem("warning", "new-missing", what, shorten(new, 12), sum(gaps[name] for name in new), why))
    return found


def _target(
    converter: Converter, filled: Filled, task: Task, require_target: bool, dropping: OnBadRow
) -> tuple[np.ndarray | None, list[Problem]]:
    """(y or None where it is not known for all rows, problems)."""
    found: list[Problem] = []
    classes = "" if task.classes is None else f"the classes are {shorten(task.classes, 8)}"
    for cells, code, text in (
        (converter.missing_target, "missing-target", "is missing"),
        (converter.bad_target, "bad-target-value", "is no finite number" if task.classes is None else "is no class"),
    ):
        if not cells.count:
            continue
        what = f"The target '{task.target}' {text} in {cells.count:,} row(s)."
        where = "; ".join(filter(None, (cells.where(), classes if code == "bad-target-value" else "")))
        if dropping == "drop":
            found.append(Problem("note", "dropped-rows", f"{what} They were dropped.", where, cells.count))
        elif require_target:
            code = "unknown-class" if code == "bad-target-value" and task.classes is not None else code
            do = "Correct them, or remove the rows."
            why = "There is nothing to compare the prediction with."
            found.append(Problem("error", code, what, where, cells.count, why, do))
        else:
            what = f"{what} The column is not used{'' if task.kind == 'unsupervised' else ' for predicting'}."
            found.append(Problem("note", "target-unused", what, where, cells.count))
            return None, found
    return filled.y, found


def _raise_errors(problems: list[Problem]) -> None:
    errors = [problem for problem in problems if problem.level == "error"]
    if errors:
        raise UserError(errors)
