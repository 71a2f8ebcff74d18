"""Tables, as one of the kinds of data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workings.base.events import Emit
from workings.base.problems import Problem
from workings.data.dataset import Dataset
from workings.data.prepare import TablePreparation
from workings.data.schema import Schema
from workings.data.table_matching import read_table_for
from workings.data.table_opening import inspect_table


def recognise(data: object, target: str | None, task: str | None, options: Mapping[str, Any]) -> bool:
    """Always: a table is what is left, and its reader says what is wrong with anything else."""
    return True


def inspect(
    data: object, target: str | None, task: str | None, on_bad_file: str, emit: Emit, **options: Any
) -> tuple[Dataset | None, list[Problem]]:
    """See :class:`workings.data.opening.Kind`."""
    return inspect_table(data, target, task, emit=emit, **options)


def read_for(
    prep: TablePreparation,
    schema: Schema,
    data: object,
    require_target: bool,
    on_bad_file: str,
    emit: Emit,
    **options: Any,
) -> Dataset:
    """See :class:`workings.data.opening.Kind`."""
    return read_table_for(prep, schema, data, require_target, emit=emit, **options)


def read_preparation(values: Mapping[str, Any]) -> TablePreparation:
    """See :class:`workings.data.opening.Kind`."""
    return TablePreparation.model_validate(values)
