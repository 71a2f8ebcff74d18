"""Texts with labels, as one of the kinds of data."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from workings.base.errors import UserError
from workings.base.events import Emit
from workings.base.problems import Problem
from workings.data.dataset import Dataset
from workings.data.schema import Schema
from workings.data.text.checks import check_options
from workings.data.text.columns import has_texts, head_of, is_about_texts, lists_files
from workings.data.text.folders import holds_texts
from workings.data.text.matching import read_texts_for
from workings.data.text.opening import open_texts
from workings.data.text.prepare import TextPreparation
from workings.data.text.tables import is_texts

OTHERS = ("language", "forecast", "translation")  # tasks of other kinds of data
OF_OTHERS = ("source", "horizon", "time_column")  # options that speak of other kinds
OF_TEXTS = ("tokens", "vocabulary", "lowercase", "length", "group")  # and those that no table has


def recognise(data: object, target: str | None, task: str | None, options: Mapping[str, Any]) -> bool:
    """Texts with labels: most files of a folder are .txt files; a table has a text and nothing else to learn from.

    A table whose other columns are features is a table, unless ``text`` names the column to read, or an option that
    only texts have says how.
    """
    if task in OTHERS or any(name in options for name in OF_OTHERS):
        return False
    if isinstance(data, (str, Path)) and Path(data).is_dir():
        return holds_texts(Path(data))
    if "text" in options:
        return True
    if is_texts(data) or (isinstance(data, tuple) and len(data) == 2 and is_texts(data[0])):
        return True
    head = head_of(data)
    if head is None or not head.height or lists_files(head):
        return False
    meant = any(name in options for name in OF_TEXTS)
    return has_texts(head, target) if meant else is_about_texts(head, target)


def inspect(
    data: object, target: str | None, task: str | None, on_bad_file: str, emit: Emit, **options: Any
) -> tuple[Dataset | None, list[Problem]]:
    """See :class:`workings.data.opening.Kind`."""
    try:
        check_options(options, task)
    except UserError as error:
        return None, error.problems
    return open_texts(data, target, task, options)


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
    check_options(options, None)
    return read_texts_for(prep, schema, data, require_target, options)


def read_preparation(values: Mapping[str, Any]) -> TextPreparation:
    """See :class:`workings.data.opening.Kind`."""
    return TextPreparation.model_validate(values)
