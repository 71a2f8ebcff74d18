"""Pairs of texts, as one of the kinds of data."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from workings.base.errors import UserError, refuse
from workings.base.events import Emit
from workings.base.problems import Problem, unknown_name
from workings.data.dataset import Dataset
from workings.data.pairs.beside import target_beside
from workings.data.pairs.checks import checked
from workings.data.pairs.dataset import PairsDataset, told_of_tokens
from workings.data.pairs.prepare import PairsPreparation
from workings.data.pairs.reading import Pairs, is_table, read_columns, read_files, read_lists
from workings.data.schema import Schema, Task
from workings.data.text.tokeniser import KINDS as TOKENS

ON_BAD_ROW = ("refuse", "drop")


def recognise(data: object, target: str | None, task: str | None, options: Mapping[str, Any]) -> bool:
    """A file whose target is a file; a task of translation; a column named as source."""
    if task == "translation" or "source" in options:
        return True
    if task is not None or target is None or not isinstance(data, (str, Path)):
        return False
    path = Path(data)
    return path.is_file() and not is_table(path) and _names_a_file(path, target)


def _names_a_file(path: Path, target: str) -> bool:
    """Whether a target is meant as a file, also where it is mistyped: it has an ending, and no column is called so."""
    if Path(target).is_file():
        return True
    with path.open("rb") as file:
        return bool(Path(target).suffix) and target.encode() not in file.readline()


def inspect(
    data: object, target: str | None, task: str | None, on_bad_file: str, emit: Emit, **options: Any
) -> tuple[Dataset | None, list[Problem]]:
    """See :class:`workings.data.opening.Kind`."""
    problems = _wrong_options(options)
    read, from_files = None, False
    try:
        read, from_files = _read(data, target, options)
        read = checked(read, options.get("on_bad_row", "refuse"))
    except UserError as error:
        problems += error.problems
    if problems or read is None:
        return None, problems
    reason = f"'{read.target}' holds a text for each text of '{read.source}'"
    dataset = PairsDataset(read, Task(kind="translation", target=read.target, reason=reason), from_files, dict(options))
    return dataset, list(read.problems)


def _read(data: object, target: str | None, options: Mapping[str, Any]) -> tuple[Pairs, bool]:
    if is_table(data):
        return read_columns(data, options.get("source"), target), False
    if not isinstance(data, (str, Path)):
        return read_lists(data), False
    if target is None:
        raise refuse(
            "no-target",
            f"'{data}' holds one side of the pairs.",
            do="Give the file of the other side: --target FILE; or a table with both columns.",
        )
    return read_files(Path(data), Path(target)), True


def _wrong_options(options: Mapping[str, Any]) -> list[Problem]:
    problems = []
    for name, choices in (("tokens", TOKENS), ("on_bad_row", ON_BAD_ROW)):
        value = options.get(name)
        if value is not None and value not in choices:
            problems.append(unknown_name(name, str(value), choices))
    for name, least in (("vocabulary", 10), ("length", 2)):
        value = options.get(name)
        if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < least):
            what = f"{name} is {value!r}; it must be a whole number from {least}."
            problems.append(Problem("error", "bad-value", what, do="Change it, or leave it out."))
    if not isinstance(options.get("lowercase", False), bool):
        what = f"lowercase is {options['lowercase']!r}; it must be true or false."
        problems.append(Problem("error", "bad-value", what, do="Change it, or leave it out."))
    return problems


def read_for(
    prep: PairsPreparation,
    schema: Schema,
    data: object,
    require_target: bool,
    on_bad_file: str,
    emit: Emit,
    **options: Any,
) -> Dataset:
    """See :class:`workings.data.opening.Kind`. Of a file, the targets are in the file beside it."""
    read, found = _read_for(prep, data, require_target)
    read.problems += found
    if require_target:
        read = checked(read, options.get("on_bad_row", prep.on_bad_row), fewest=1)
    elif not read.sources:
        raise refuse("no-pairs", "There is nothing to translate.", do="Give at least one text.")
    else:
        read.problems += _empty(read)
    read.problems += told_of_tokens(read, prep, "these texts", np.arange(len(read.sources)))
    return PairsDataset(read, prep.task(), prep.from_files, {})


def _read_for(prep: PairsPreparation, data: object, require_target: bool) -> tuple[Pairs, list[Problem]]:
    if is_table(data):
        source = None if prep.from_files or prep.source == "source" else prep.source
        target = None if source is None else prep.target
        return read_columns(data, source, target, require_target), []
    if not isinstance(data, (str, Path)):
        return read_lists(data, require_target), []
    path = Path(data)
    if not require_target or not path.is_file():
        return read_files(path, None), []
    target = target_beside(path, prep.source, prep.target)
    return read_files(path, target), [
        Problem("note", "target-file", f"The targets of '{path.name}' are '{target.name}'.")
    ]


def _empty(read: Pairs) -> list[Problem]:
    rows = [i for i, text in enumerate(read.sources) if not text.strip()]
    if not rows:
        return []
    what = f"{len(rows):,} text(s) are empty; their translation is empty too."
    return [Problem("note", "empty-source", what, ", ".join(read.places(rows[:5])), len(rows))]


def read_preparation(values: Mapping[str, Any]) -> PairsPreparation:
    """See :class:`workings.data.opening.Kind`."""
    return PairsPreparation.model_validate(values)
