"""One door for all data: a table or images, checked as a whole before it is handed out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from workings.base.errors import UserError, refuse
from workings.base.events import Emit, Noticed, silent
from workings.base.problems import Problem
from workings.data.dataset import Dataset
from workings.data.schema import Kind, Schema

OnBad = Literal["refuse", "skip"]
OnBadRow = Literal["refuse", "drop"]


def open_dataset(
    data: object,
    target: str | None = None,
    task: str | None = None,
    on_bad_file: OnBad = "refuse",
    emit: Emit = silent,
    *,
    kinds: Mapping[str, Kind] | None = None,
    drop: Sequence[str] = (),
    time_column: str | None = None,
    on_bad_row: OnBadRow = "refuse",
    in_memory: bool | None = None,
    memory_limit: int | None = None,
    cache: str | Path | None = None,
) -> Dataset:
    """Read and check ``data``: a table or images.

    data: a path (CSV, TSV, Parquet; a folder with a folder per class; a CSV of image paths), a polars or pandas
        DataFrame, a dict of arrays, or an ``(X, y)`` pair of NumPy arrays.
    target: the column to learn. Tables need it; for ``(X, y)`` it is ``y``.
    task: ``binary``, ``multiclass``, ``classification`` or ``regression``; found from the target where None.
    on_bad_file: of images: ``refuse``, or ``skip`` and list.
    emit: told about every warning and note.

    For tables only:

    kinds: the kind of a column where the one found is wrong: ``{"zip": "categorical"}``.
    drop: columns to leave out.
    time_column: the column of time; the split is then by time, newest rows for testing.
    on_bad_row: of rows without a usable target: ``refuse``, or ``drop`` and tell.
    in_memory: True or False forces the place of the prepared data; None lets ``memory_limit`` decide.
    memory_limit: bytes that the prepared table may take in memory; a quarter of the free memory where None.
    cache: folder for the memory-mapped copy of large data; a temporary one where None.

    Raises:
        UserError: everything that is wrong, together.
    """
    dataset, problems = inspect_dataset(
        data,
        target,
        task,
        on_bad_file,
        emit,
        kinds=kinds,
        drop=drop,
        time_column=time_column,
        on_bad_row=on_bad_row,
        in_memory=in_memory,
        memory_limit=memory_limit,
        cache=cache,
    )
    errors = [problem for problem in problems if problem.level == "error"]
    if errors or dataset is None:
        raise UserError(errors)
    return _told(dataset, emit)


def inspect_dataset(
    data: object,
    target: str | None = None,
    task: str | None = None,
    on_bad_file: OnBad = "refuse",
    emit: Emit = silent,
    **options: Any,
) -> tuple[Dataset | None, list[Problem]]:
    """What :func:`open_dataset` does, with all problems returned, errors among them, and none raised.

    The dataset is None where an error forbids to use it. ``options``: as for :func:`open_dataset`.
    """
    from workings.data import images

    try:
        if images.looks_like_images(data):
            dataset: Dataset = images.open_images(data, target=target, task=task, on_bad_file=on_bad_file, emit=emit)
            return dataset, list(dataset.problems)
    except UserError as error:
        return None, error.problems
    from workings.data.table_opening import inspect_table

    return inspect_table(data, target, task, emit=emit, **options)


def read_for(
    prep: Any,
    schema: Schema,
    data: object,
    require_target: bool = True,
    *,
    on_bad_file: OnBad = "refuse",
    on_bad_row: OnBadRow = "refuse",
    in_memory: bool | None = None,
    memory_limit: int | None = None,
    cache: str | Path | None = None,
    emit: Emit = silent,
) -> Dataset:
    """New data for a trained net: checked against the ``schema`` it was trained with, ready for ``prep``.

    require_target: evaluating needs the truth; predicting does not.

    Raises:
        UserError: missing columns with the nearest name, unknown classes, unreadable files, together.
    """
    if prep.kind == "images":
        from workings.data.images import read_images_for

        dataset: Dataset = read_images_for(
            prep, schema, data, require_target, on_bad_file=on_bad_file, cache=cache, emit=emit
        )
    else:
        from workings.data.table_matching import read_table_for

        dataset = read_table_for(
            prep,
            schema,
            data,
            require_target,
            on_bad_row=on_bad_row,
            in_memory=in_memory,
            memory_limit=memory_limit,
            cache=cache,
            emit=emit,
        )
    return _told(dataset, emit)


def read_preparation(values: Mapping[str, Any]) -> Any:
    """The preparation that ``prepare.json`` holds, of whichever kind."""
    if values.get("kind") == "images":
        from workings.data.images import ImagePreparation

        return ImagePreparation.model_validate(values)
    if values.get("kind") == "table":
        from workings.data.prepare import TablePreparation

        return TablePreparation.model_validate(values)
    raise refuse("not-a-preparation", f"The kind of preparation is {values.get('kind')!r}; known are table and images.")


def _told(dataset: Dataset, emit: Emit) -> Dataset:
    for problem in dataset.problems:
        emit(Noticed(problem))
    return dataset
