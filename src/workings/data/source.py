"""Prepared rows that can be batched by index, whether they lie in memory or on disk."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from workings.base.form import Form
from workings.base.problems import Problem

TABLE = Form()


class Source(ABC):
    """Rows that can be batched by index.

    shape: of one sample as the net sees it: (features,), (channels, height, width); of sequences the longest one's:
        (T,) tokens, (T, F) frames, (2, T) source and target tokens.
    y: (n,) int64 class numbers, or float32 standardised targets for regression; in memory. Zeros where unknown.
        Of sequences to be written it is (n, T) int64 tokens, of series (n, H, V) float32 values.
    w: (n,) float32 sample weights, or None.
    rows: (n,) int64 row numbers in the user's data, from 0.
    form: what a net must know of the samples beyond their shape.
    reconstructs: the samples are their own targets; ``y`` are labels that only judge, zeros where there are none.
    lengths: (n,) int64 where samples differ in length; batches of similar lengths are then drawn, and ``x`` and
        ``targets`` are only as long as the longest of ``index``. Tokens are padded by PAD, frames by NaN, at the end.
    stride: a sample may begin at any row, but an epoch takes every ``stride``-th only, from a random first one: of
        windows of a text, each T long, an epoch takes n / T.
    problems: what was noticed of these rows while they were prepared; told of rows that were not trained on.
    counted: what several samples are called.
    """

    shape: tuple[int, ...]
    y: Tensor
    w: Tensor | None
    rows: np.ndarray
    form: Form = TABLE
    lengths: Tensor | None = None
    stride: int = 1
    reconstructs: bool = False
    problems: Sequence[Problem] = ()
    counted: str = "rows"

    def __len__(self) -> int:
        return len(self.rows)

    @abstractmethod
    def x(self, index: Tensor) -> Tensor:
        """(len(index), …shape) float32, of tokens int64: the samples of ``index`` (int64), prepared, not augmented."""

    def targets(self, index: Tensor) -> Tensor:
        """(len(index), …): what the outputs of ``index`` are compared with."""
        return self.x(index) if self.reconstructs else self.y[index]

    def where(self, i: int) -> str:
        """Sample ``i`` for a message: ``row 17``, counted from 1 without the header, or the file's path."""
        return f"row {int(self.rows[i]) + 1:,}"


class MemorySource(Source):
    """Samples in one tensor; a batch is one indexed copy."""

    def __init__(self, x: Tensor, y: Tensor, rows: np.ndarray | None = None, w: Tensor | None = None) -> None:
        """x: (n, …shape) float32. y: (n,). rows: (n,), 0 … n − 1 where None. w: (n,) or None."""
        assert len(x) == len(y), f"{len(x)} samples, {len(y)} targets"
        self._x = x
        self.shape = tuple(x.shape[1:])
        self.y = y
        self.w = w
        self.rows = np.arange(len(x), dtype=np.int64) if rows is None else np.asarray(rows, dtype=np.int64)

    def x(self, index: Tensor) -> Tensor:
        return torch.index_select(self._x, 0, index)


class Part(Source):
    """Some rows of another source, in the order of ``index``."""

    def __init__(self, whole: Source, index: np.ndarray) -> None:
        """index: (m,) numbers of rows of ``whole``, from 0."""
        self._whole = whole
        self._index = torch.as_tensor(index, dtype=torch.int64)
        self.shape, self.form, self.reconstructs = whole.shape, whole.form, whole.reconstructs
        self.counted = whole.counted
        self.y = whole.y[self._index]
        self.w = None if whole.w is None else whole.w[self._index]
        self.lengths = None if whole.lengths is None else whole.lengths[self._index]
        self.rows = whole.rows[self._index.numpy()]

    def x(self, index: Tensor) -> Tensor:
        return self._whole.x(self._index[index])

    def targets(self, index: Tensor) -> Tensor:
        return self._whole.targets(self._index[index])

    def where(self, i: int) -> str:
        return self._whole.where(int(self._index[i]))
