"""A dataset: what the user brought, read and checked, ready to be split, prepared and batched."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import numpy as np

from workings.base.problems import Problem
from workings.data.schema import Schema, Task
from workings.data.source import Source
from workings.data.split import Split


class Dataset(ABC):
    """Rows with a schema, a task and the problems that were noticed.

    kind: ``table``, ``images`` or another. n: rows; counted: what they are called. digest: sha256 of the content, as
    hexadecimal text. problems: warnings and notes; errors were raised as one ``UserError``.
    A preparation (``fit``) belongs to the kind of dataset that made it: a pydantic model with ``shape``, ``target``,
    ``task_kind``, ``classes``, ``target_mean`` and ``target_std``, saved as ``prepare.json``.
    """

    kind: Any
    schema: Schema
    task: Task
    n: int
    problems: list[Problem]
    digest: str
    counted: str = "rows"

    @property
    def labelled(self) -> bool:
        """Whether the target is known."""
        return True

    @property
    def class_counts(self) -> dict[str, int]:
        """Rows of each class, in the order of the classes; empty for regression and unlabelled data."""
        return {}

    def shared_rows(self, other: Any) -> list[Problem]:
        """What is to be told of rows of ``other``, a test set of the same kind, that these rows have too."""
        return []

    def val_share(self) -> tuple[float, str] | None:
        """The share of the training rows to validate on, and why; None where the usual one will do."""
        return None

    def samples(self, prep: Any) -> int:
        """How many samples there are as ``prep`` makes them: of windows other than rows."""
        return self.n

    def rows_of_sample(self, prep: Any, i: int) -> np.ndarray:
        """The rows (int64) of the i-th sample, from 0; ``source`` of them has this sample alone."""
        return np.array([i])

    @abstractmethod
    def split(self, seed: int, test_fraction: float, val_fraction: float) -> Split:
        """Rows for training, validation and test; the fractions are of all rows. Deterministic in ``seed``."""

    @abstractmethod
    def fit(self, train_rows: np.ndarray) -> Any:
        """The preparation, fitted on ``train_rows`` (int64) only."""

    @abstractmethod
    def source(self, prep: Any, rows: np.ndarray) -> Source:
        """``rows`` (int64), prepared by ``prep``, to be batched by index."""
