"""Prepared rows that can be batched by index, whether they lie in memory or on disk."""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np
import torch
from torch import Tensor


class Source(ABC):
    """Rows that can be batched by index.

    shape: of one sample as the net sees it: (features,) or (channels, height, width).
    y: (n,) int64 class numbers, or float32 standardised targets for regression; in memory. Zeros where unknown.
    w: (n,) float32 sample weights, or None.
    rows: (n,) int64 row numbers in the user's data, from 0.
    """

    shape: tuple[int, ...]
    y: Tensor
    w: Tensor | None
    rows: np.ndarray

    def __len__(self) -> int:
        return len(self.rows)

    @abstractmethod
    def x(self, index: Tensor) -> Tensor:
        """(len(index), …shape) float32: the samples of ``index`` (int64), prepared, not augmented."""

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
