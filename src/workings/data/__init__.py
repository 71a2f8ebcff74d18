"""What the user brought: read, checked, split, prepared, batched."""

from __future__ import annotations

from workings.data.dataset import Dataset
from workings.data.opening import inspect_dataset, open_dataset, read_for, read_preparation
from workings.data.schema import Field, Schema, Task
from workings.data.source import MemorySource, Source
from workings.data.split import Split, default_val_fraction

__all__ = [
    "Dataset",
    "Field",
    "MemorySource",
    "Schema",
    "Source",
    "Split",
    "Task",
    "default_val_fraction",
    "inspect_dataset",
    "open_dataset",
    "read_for",
    "read_preparation",
]
