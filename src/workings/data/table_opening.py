"""Opening a table: read, find kinds and task, convert, check; every problem is gathered before any is raised."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import get_args

from workings.base.errors import UserError, refuse
from workings.base.events import Emit, Phase, silent
from workings.base.problems import Problem, shorten, unknown_name
from workings.base.typed import as_typed
from workings.data.schema import Field, Kind, Schema, Task
from workings.data.table import TableDataset
from workings.data.table_checks import duplicate_problems, leak_problems, sample
from workings.data.table_convert import Converter
from workings.data.table_filling import Filled, OnBadRow, Place, choose_place, empty_rows, fill
from workings.data.table_input import Table
from workings.data.table_kinds import find_field
from workings.data.table_labels import judged_task
from workings.data.table_layout import layout_of
from workings.data.table_profile import ColumnProfile
from workings.data.table_reading import read_table
from workings.data.table_target import TASKS, infer_task, missing_column, no_target
from workings.data.table_telling import column_problems
from workings.data.table_zeros import zero_problem, zeros_that_mean_missing
from workings.data.unsupervised import anomalies_of_labels, anomalous_rows


def inspect_table(
    data: object,
    target: str | None = None,
    task: str | None = None,
    *,
    kinds: Mapping[str, Kind] | None = None,
    drop: Sequence[str] = (),
    time_column: str | None = None,
    on_bad_row: OnBadRow = "refuse",
    in_memory: bool | None = None,
    memory_limit: int | None = None,
    cache: str | Path | None = None,
    anomalies: object = None,
    emit: Emit = silent,
) -> tuple[TableDataset | None, list[Problem]]:
    """(dataset or None, all problems), errors among them; arguments as for ``open_dataset``.

    Of a task ``unsupervised``, the target is a column that only judges, or None; see :mod:`workings.data.table_labels`.
    """
    judged = task == "unsupervised"
    try:
        table = read_table(data, target)
        target = target or table.target
        problems = list(table.problems)
        wrong = _wrong_names(table, target, task, kinds or {}, drop, time_column, on_bad_row)
        if anomalies is not None and not judged:
            wrong += anomalies_of_labels().problems
        if wrong:
            return None, problems + wrong
        profiles = _profile(table, drop)
        rows = max((profile.rows for profile in profiles.values()), default=0)
        if not profiles:
            raise refuse("no-features", "All columns were dropped, as asked.", do="Leave some to learn from.")
        if not rows:
            raise refuse("header-only", f"{table.name} has no rows but empty ones.", do="Give data with rows.")
    except UserError as error:
        return None, error.problems

    emit(Phase("checking", f"{rows:,} rows, {len(table.names)} columns"))
    if judged:
        found, more = judged_task(profiles[target] if target else None, anomalies)
    else:
        assert target is not None
        found, more = infer_task(profiles[target], task)
    problems += more
    fields = [find_field(p, (kinds or {}).get(name), table.positional) for name, p in profiles.items()]
    schema = Schema(rows=rows, fields=fields, task=found, time_column=time_column)
    problems += _column_problems(schema, profiles, target, drop)
    if found is None:
        return None, problems
    layout = layout_of(schema)
    if not layout.numbers and not layout.codes:
        reasons = shorten(
            (f"{field.name}: {field.kind}, {field.reason}" for field in fields if field.name != target), 8
        )
        what = "No column is left to learn from."
        do = f"Say what a column is where its kind is wrong: {as_typed('kinds', {'COLUMN': 'categorical'})}"
        return None, [*problems, Problem("error", "no-features", what, reasons, do=do)]
    place = Place(in_memory, memory_limit, cache)
    in_memory, more = choose_place(layout, schema.rows, place)
    problems += more
    if any(problem.level == "error" for problem in more):
        return None, problems

    converter = Converter(schema, layout, found)
    filled = fill(table, converter, in_memory, place, on_bad_row)
    problems += empty_rows(table) + _target_problems(converter, filled, found, on_bad_row)
    dataset = _finish(table, converter, filled, problems)
    return dataset, problems


def _profile(table: Table, drop: Sequence[str]) -> dict[str, ColumnProfile]:
    """The profile of every column that is not dropped."""
    profiles = {name: ColumnProfile(name) for name in table.names if name not in drop}
    for chunk, rows in table.numbered():
        for name, profile in profiles.items():
            profile.add(chunk[name], rows, table.whole)
    return profiles


def _wrong_names(
    table: Table,
    target: str | None,
    task: str | None,
    kinds: Mapping[str, Kind],
    drop: Sequence[str],
    time_column: str | None,
    on_bad_row: str,
) -> list[Problem]:
    """Errors of the arguments, all of them."""
    found: list[Problem] = []
    if target is None and task != "unsupervised":
        found.append(no_target(table.names, table.name))
    asked = [name for name in (target, time_column, *kinds, *drop) if name is not None]
    found += [missing_column(name, table.names, table.name) for name in asked if name not in table.names]
    if task is not None and task not in TASKS:
        found.append(unknown_name("task", task, TASKS))
    if on_bad_row not in ("refuse", "drop"):
        found.append(unknown_name("choice for bad rows", on_bad_row, ("refuse", "drop")))
    found += [unknown_name("kind", kind, get_args(Kind)) for kind in kinds.values() if kind not in get_args(Kind)]
    for name in (target, time_column):
        if name is not None and name in drop:
            what = f"'{name}' is to be dropped and is needed."
            found.append(Problem("error", "dropped-and-needed", what, do="Take it out of drop."))
    if target is not None and target == time_column:
        what = f"'{target}' is the target and the time."
        found.append(Problem("error", "target-is-time", what, do="Name another column."))
    return found


def _column_problems(
    schema: Schema, profiles: dict[str, ColumnProfile], target: str | None, drop: Sequence[str]
) -> list[Problem]:
    features = [field for field in schema.fields if field.name != target]
    found = column_problems(features, profiles, schema.rows, schema.time_column)
    if drop:
        found.append(
            Problem("note", "dropped-columns", f"{len(drop)} column(s) were left out, as asked.", shorten(drop))
        )
    time = next((field for field in features if field.name == schema.time_column), None)
    if time is not None:
        found += _time_problems(time, profiles[time.name])
        if time.kind != "date":
            _leave_out(schema, time)
    return found


def _time_problems(time: Field, profile: ColumnProfile) -> list[Problem]:
    if time.kind not in ("date", "numeric", "id"):
        what = f"'{time.name}' is no column of time: {time.kind}, {time.reason}."
        return [Problem("error", "not-a-time", what, do="Name a column of dates or numbers.")]
    what = f"Rows are split by '{time.name}'; what only says when a row was written is no feature."
    found = [Problem("note", "time-column", what)]
    if profile.missing:
        what = f"{profile.missing:,} row(s) have no '{time.name}'; they count as the oldest."
        where = profile.missing_cells.where()
        found.append(Problem("warning", "missing-time", what, where, profile.missing))
    return found


def _leave_out(schema: Schema, time: Field) -> None:
    at = schema.fields.index(time)
    schema.fields[at] = time.model_copy(update={"used": False, "reason": f"{time.reason}; the time of the split"})


def _target_problems(converter: Converter, filled: Filled, task: Task, on_bad_row: OnBadRow) -> list[Problem]:
    """Rows whose target is missing or cannot be used: refused, or dropped and told."""
    found: list[Problem] = []
    do = "Fill them in, remove the rows, or drop them: --set on_bad_row=drop."
    why = "A row without an answer can neither train nor test a network; a NaN would spoil every weight."
    if task.kind == "unsupervised":
        why = "It is not known whether such a row is regular, so it can neither train nor test."
    for cells, code, text in (
        (converter.missing_target, "missing-target", "is missing"),
        (converter.bad_target, "bad-target-value", "is NaN, infinite or no number"),
    ):
        if cells.count and on_bad_row == "refuse":
            what = f"The target '{task.target}' {text} in {cells.count:,} row(s)."
            found.append(Problem("error", code, what, cells.where(), cells.count, why, do))
        elif cells.count:
            what = f"{cells.count:,} row(s) were dropped: the target '{task.target}' {text}."
            found.append(Problem("note", "dropped-rows", what, cells.where(), cells.count))
    return found


def _finish(table: Table, converter: Converter, filled: Filled, problems: list[Problem]) -> TableDataset | None:
    """The checks that need all rows, then the dataset; None where there are errors."""
    schema, layout, task = converter.schema, converter.layout, converter.task
    assert task is not None
    y = filled.y
    if not any(problem.level == "error" for problem in problems):
        judged = anomalous_rows(y, task, len(filled.rows)) if task.kind == "unsupervised" else y
        assert judged is not None
        V, codes, y_sample = sample(filled.store, layout, judged)
        if task.kind != "unsupervised":
            problems += leak_problems(layout, V, codes, y_sample, task)
        problems += duplicate_problems(filled.hashes, judged, filled.rows, task)
        measured = [k for k, column in enumerate(layout.numbers) if not column.part]
        suspects = [layout.numbers[measured[k]].name for k in zeros_that_mean_missing(V[:, measured])]
        if suspects:
            for at, field in enumerate(schema.fields):
                if field.name in suspects:
                    schema.fields[at] = field.model_copy(update={"zeros_suspicious": True})
            problems.append(zero_problem(suspects, [schema.field(name).zeros for name in suspects]))
    if any(problem.level == "error" for problem in problems):
        return None
    kept = [problem for problem in problems if problem.level != "error"]
    return TableDataset(
        schema, task, layout, filled.store, y, filled.time, filled.rows, filled.hashes, table.digest, kept, table
    )
