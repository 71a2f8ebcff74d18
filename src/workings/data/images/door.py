"""Images, as one of the kinds of data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workings.base.errors import UserError
from workings.base.events import Emit
from workings.base.problems import Problem
from workings.data.dataset import Dataset
from workings.data.images.opening import OnBadFile, looks_like_images, open_images, read_images_for
from workings.data.images.prepare import ImagePreparation
from workings.data.schema import Schema


def recognise(data: object, target: str | None, task: str | None, options: Mapping[str, Any]) -> bool:
    """See :class:`workings.data.opening.Kind`."""
    return looks_like_images(data)


def inspect(
    data: object, target: str | None, task: str | None, on_bad_file: OnBadFile, emit: Emit, **options: Any
) -> tuple[Dataset | None, list[Problem]]:
    """See :class:`workings.data.opening.Kind`."""
    size = options.pop("pixels", None)
    size = tuple(size) if isinstance(size, list) else size
    try:
        dataset = open_images(data, target=target, task=task, on_bad_file=on_bad_file, size=size, emit=emit, **options)
    except UserError as error:
        return None, error.problems
    return dataset, list(dataset.problems)


def read_for(
    prep: ImagePreparation,
    schema: Schema,
    data: object,
    require_target: bool,
    on_bad_file: OnBadFile,
    emit: Emit,
    **options: Any,
) -> Dataset:
    """See :class:`workings.data.opening.Kind`."""
    return read_images_for(prep, schema, data, require_target, on_bad_file=on_bad_file, emit=emit, **options)


def read_preparation(values: Mapping[str, Any]) -> ImagePreparation:
    """See :class:`workings.data.opening.Kind`."""
    return ImagePreparation.model_validate(values)
