"""Texts with labels, as one of the kinds of data."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from workings.base.errors import UserError, refuse
from workings.base.events import Emit
from workings.base.problems import Problem, unknown_name
from workings.data.dataset import Dataset
from workings.data.schema import Schema
from workings.data.text.dataset import TextDataset
from workings.data.text.prepare import TextPreparation
from workings.data.text.reading import read_texts


def recognise(data: object, target: str | None, task: str | None, options: Mapping[str, Any]) -> bool:
    """A folder with a text file a class."""
    if not isinstance(data, (str, Path)) or not Path(data).is_dir():
        return False
    return any(path.suffix.lower() == ".txt" for path in Path(data).iterdir())


def inspect(
    data: object, target: str | None, task: str | None, on_bad_file: str, emit: Emit, **options: Any
) -> tuple[Dataset | None, list[Problem]]:
    """See :class:`workings.data.opening.Kind`."""
    try:
        texts, labels = read_texts(data, target, options)
        found, y = labels
        texts.y = y
    except UserError as error:
        return None, error.problems
    dataset = TextDataset(texts, found, Schema(rows=len(texts.texts), task=found))
    return dataset, list(texts.problems)


def read_for(
    prep: TextPreparation,
    schema: Schema,
    data: object,
    require_target: bool,
    on_bad_file: str,
    emit: Emit,
    **options: Any,
) -> Dataset:
    """See :class:`workings.data.opening.Kind`."""
    texts, (found, y) = read_texts(data, prep.target, options)
    assert found.classes is not None
    assert prep.classes is not None
    unknown = [name for name in found.classes if name not in prep.classes]
    if unknown and require_target:
        raise UserError([unknown_name("class", name, prep.classes) for name in unknown])
    if y is None and require_target:
        raise refuse("no-target", "The texts come without labels.")
    number = np_numbers(found.classes, prep.classes)
    texts.y = None if unknown or y is None else number[y]
    return TextDataset(texts, prep.task(), schema)


def np_numbers(names: list[str], classes: list[str]) -> Any:
    """The net's number of each class name."""
    import numpy as np

    return np.array([classes.index(name) if name in classes else -1 for name in names], dtype=np.int64)


def read_preparation(values: Mapping[str, Any]) -> TextPreparation:
    """See :class:`workings.data.opening.Kind`."""
    return TextPreparation.model_validate(values)
