"""Recordings, as one of the kinds of data."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from workings.base.errors import UserError
from workings.base.events import Emit
from workings.base.problems import Problem
from workings.data.dataset import Dataset
from workings.data.path_tables import has_paths
from workings.data.schema import Schema
from workings.data.sound.arrays import looks_like_waves
from workings.data.sound.listing import LISTED, holds_recordings
from workings.data.sound.prepare import SoundPreparation


def recognise(data: object, target: str | None, task: str | None, options: Mapping[str, Any]) -> bool:
    """A folder of recordings, a recording, a table of their paths, or arrays with a rate."""
    if not isinstance(data, (str, Path)):
        return looks_like_waves(data)
    path = Path(data)
    if path.is_dir():
        return "pattern" in options or holds_recordings(path)
    return path.suffix.lower() in LISTED or (path.is_file() and has_paths(path, LISTED))


def inspect(
    data: object, target: str | None, task: str | None, on_bad_file: str, emit: Emit, **options: Any
) -> tuple[Dataset | None, list[Problem]]:
    """See :class:`workings.data.opening.Kind`."""
    from workings.data.sound.opening import open_recordings

    try:
        dataset = open_recordings(data, target, task, on_bad_file, emit, options)
    except UserError as error:
        return None, error.problems
    return dataset, list(dataset.problems)


def read_for(
    prep: SoundPreparation,
    schema: Schema,
    data: object,
    require_target: bool,
    on_bad_file: str,
    emit: Emit,
    **options: Any,
) -> Dataset:
    """See :class:`workings.data.opening.Kind`."""
    from workings.data.sound.opening import read_recordings_for

    return read_recordings_for(prep, schema, data, require_target, on_bad_file, emit, options)


def read_preparation(values: Mapping[str, Any]) -> SoundPreparation:
    """See :class:`workings.data.opening.Kind`."""
    return SoundPreparation.model_validate(values)
