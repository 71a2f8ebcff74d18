"""Where compact rows live: in memory, or in a memory-mapped Arrow file (``arrow.py``)."""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np


class Store(ABC):
    """Records of one dtype that can be taken by index."""

    dtype: np.dtype[np.void]

    @abstractmethod
    def __len__(self) -> int: ...

    @abstractmethod
    def take(self, index: np.ndarray) -> np.ndarray:
        """(len(index),) records: a copy, in the order of ``index``."""


class Sink(ABC):
    """Takes records in order and ends as a store."""

    @abstractmethod
    def write(self, records: np.ndarray) -> None:
        """Append ``records`` (m,)."""

    @abstractmethod
    def finish(self) -> Store:
        """Everything that was written."""

    @abstractmethod
    def abandon(self) -> None:
        """Leave nothing behind."""


class MemoryStore(Store):
    """Records in one array."""

    def __init__(self, records: np.ndarray) -> None:
        self.records = records
        self.dtype = records.dtype

    def __len__(self) -> int:
        return len(self.records)

    def take(self, index: np.ndarray) -> np.ndarray:
        return self.records[index]


class MemorySink(Sink):
    """Gathers records in memory."""

    def __init__(self, dtype: np.dtype[np.void]) -> None:
        self._dtype = dtype
        self._parts: list[np.ndarray] = []

    def write(self, records: np.ndarray) -> None:
        self._parts.append(records)

    def finish(self) -> MemoryStore:
        return MemoryStore(np.concatenate(self._parts) if self._parts else np.empty(0, dtype=self._dtype))

    def abandon(self) -> None:
        self._parts = []
