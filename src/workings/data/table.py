"""A table as a dataset: compact rows with a schema, in memory or on disk."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from workings.base.form import Form
from workings.base.problems import Problem
from workings.data.labelled_dataset import OfLabels
from workings.data.prepare import PrepareSettings, TablePreparation
from workings.data.prepare_expand import Expansion, columns_of
from workings.data.prepare_fit import fit_preparation
from workings.data.schema import Schema, Task
from workings.data.source import MemorySource, Source
from workings.data.split import (
    FEW_ROWS,
    Split,
    bands,
    default_val_fraction,
    groups_of_equals,
    ordered_split,
    stratified_split,
)
from workings.data.table_input import Table
from workings.data.table_layout import Layout
from workings.data.table_store import MemoryStore, Store
from workings.data.unsupervised import anomalous_rows, unsupervised_split


class TableDataset(OfLabels):
    """Rows of a table that were read, checked and made compact.

    y: (n,) int64 class numbers, or float64 values; None where the target is unknown.
    time: (n,) float64, growing with time, or None. hashes: (n,) uint64, equal for rows with equal features.
    rows: (n,) row numbers in the user's data, from 0: not 0 … n − 1 where rows were dropped. table: as it was brought.
    """

    kind: Literal["table"] = "table"

    def __init__(
        self,
        schema: Schema,
        task: Task,
        layout: Layout,
        store: Store,
        y: np.ndarray | None,
        time: np.ndarray | None,
        rows: np.ndarray,
        hashes: np.ndarray,
        digest: str,
        problems: list[Problem],
        table: Table,
    ) -> None:
        self.table = table
        self.schema = schema
        self.task = task
        self.layout = layout
        self.store = store
        self.y = y
        self.time = time
        self.rows = rows
        self.hashes = hashes
        self.digest = digest
        self.problems = problems
        self.n = len(rows)

    @property
    def in_memory(self) -> bool:
        """Whether the rows are in memory rather than in a mapped file."""
        return isinstance(self.store, MemoryStore)

    def split(self, seed: int, test_fraction: float = 0.2, val_fraction: float | None = None) -> Split:
        """Rows for training, validation and test: classes (or tenths of the target) in proportion, equal rows on one
        side; by time where there is a time column; fewer than 20 rows are not split.

        val_fraction: of all rows; a fifth, at most 10,000 rows, where None.
        """
        nothing = np.empty(0, dtype=np.int64)
        val_fraction = default_val_fraction(self.n) if val_fraction is None else val_fraction
        if self.task.kind == "unsupervised":
            return self._unsupervised_split(seed, test_fraction, val_fraction)
        assert self.y is not None, "unlabelled rows are predicted, not split"
        if self.n < FEW_ROWS:
            everything = np.arange(self.n, dtype=np.int64)
            return Split(everything, nothing, nothing, f"not split: {self.n} rows are too few to hold any back")
        if self.time is not None:
            train, val, test = ordered_split(self.time, test_fraction, val_fraction)
            return Split(train, val, test, f"by '{self.schema.time_column}': the newest rows are for testing")
        groups = groups_of_equals(self.hashes)
        strata = self.y if self.task.classes is not None else bands(self.y)
        train, val, test = stratified_split(strata, groups, seed, test_fraction, val_fraction)
        by = "each class" if self.task.classes is not None else "each tenth of the target"
        together = "" if groups is None else ", equal rows on one side"
        return Split(train, val, test, f"drawn at random, {by} in proportion{together}")

    def _unsupervised_split(self, seed: int, test_fraction: float, val_fraction: float) -> Split:
        odd = anomalous_rows(self.y, self.task, self.n)
        few = int((~odd).sum()) < FEW_ROWS
        if few:
            test_fraction = val_fraction = 0.0
        groups, time = groups_of_equals(self.hashes), self.time
        split = unsupervised_split(self.y, self.task, groups, seed, test_fraction, val_fraction, n=self.n, time=time)
        if not few:
            return split
        reason = f"{len(split.train)} regular rows are too few to hold any back"
        return replace(split, reason=reason + ("; all anomalies are for testing" if odd.any() else ""))

    def fit(
        self, train_rows: np.ndarray, settings: PrepareSettings | Mapping[str, Any] | None = None
    ) -> TablePreparation:
        """The preparation, fitted on ``train_rows`` only.

        Raises:
            UserError: nothing is left to learn from; ``zeros_as_missing`` names no column of numbers.
        """
        if not isinstance(settings, PrepareSettings):
            settings = PrepareSettings.model_validate(dict(settings or {}))
        return fit_preparation(self.store, self.layout, self.task, self.y, train_rows, settings)

    def source(self, prep: TablePreparation, rows: np.ndarray) -> Source:
        """``rows`` (int64) as x and y; as one matrix where the dataset is in memory, else expanded batch by batch."""
        expand = Expansion(prep, self.layout)
        rows = np.asarray(rows, dtype=np.int64)
        y = self._target(prep, rows)
        source: Source = StoreSource(self.store, expand, y, rows, self.rows[rows])
        if self.in_memory:
            source = MemorySource(torch.from_numpy(expand(self.store.take(rows))), y, self.rows[rows])
        if self.task.kind == "unsupervised":
            source.reconstructs, source.form = True, Form(columns=columns_of(prep))
        return source

    def _target(self, prep: TablePreparation, rows: np.ndarray) -> Tensor:
        if self.task.classes is not None or self.task.kind == "unsupervised":
            return torch.from_numpy((np.zeros(len(rows)) if self.y is None else self.y[rows]).astype(np.int64))
        if self.y is None:
            return torch.zeros(len(rows), dtype=torch.float32)
        return torch.from_numpy(((self.y[rows] - prep.target_mean) / prep.target_std).astype(np.float32))

    def cells(self, rows: np.ndarray) -> list[dict[str, Any]]:
        """The cells of ``rows`` (m,), numbers in the user's data from 0, of every column, as they were brought.

        Raises:
            UserError: the file was changed since it was read.
        """
        return self.table.cells(np.asarray(rows))

    def shared_rows(self, other: TableDataset) -> list[Problem]:
        """The warning that rows of ``other``, a separate test set read for this one, are also here."""
        again = np.isin(other.hashes, self.hashes)
        if not again.any():
            return []
        count = int(again.sum())
        what = f"{count:,} of {other.n:,} test rows have the same features as a training row."
        first = ", ".join(f"{int(row) + 1:,}" for row in other.rows[again][:5])
        more = f" and {count - 5:,} more" if count > 5 else ""
        why = "The network may know their answers by heart, so the test flatters it."
        do = "Take them out of one of the two, if they are the same cases."
        return [Problem("warning", "rows-in-both", what, f"test rows {first}{more}", count, why, do)]


class StoreSource(Source):
    """Rows expanded batch by batch from a store, by the code that makes the whole matrix: equal bit for bit."""

    def __init__(self, store: Store, expand: Expansion, y: Tensor, places: np.ndarray, rows: np.ndarray) -> None:
        """``places``: of the rows in the store. rows: their numbers in the user's data."""
        self._store = store
        self._expand = expand
        self._places = places
        self.shape = (expand.width,)
        self.y = y
        self.w = None
        self.rows = rows

    def x(self, index: Tensor) -> Tensor:
        return torch.from_numpy(self._expand(self._store.take(self._places[index.cpu().numpy()])))
