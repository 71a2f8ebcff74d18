"""Compact rows in a memory-mapped Arrow file, and batches from it by the same code as in memory.

The file is Arrow IPC with one column ``row`` of fixed-size binary: a record of the layout. Any Arrow reader opens it;
the layout is in the metadata of the schema. All record batches but the last have the same number of rows, so they lie
at equal distances and row i is found by arithmetic, without asking Arrow.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import numpy as np
import pyarrow as pa

from workings.data.table_store import Sink, Store

BATCH_ROWS = 65_536


class ArrowStore(Store):
    """Records in a file: the system keeps in memory what is used and drops it when it must."""

    def __init__(self, path: Path, dtype: np.dtype[np.void]) -> None:
        """``path``: a file that :class:`ArrowSink` wrote. dtype: of its records."""
        self.path = path
        self.dtype = dtype
        # Held as long as the store: the arrays below point into the map.
        self._map = pa.memory_map(str(path), "r")
        reader = pa.ipc.open_file(self._map)
        whole = np.frombuffer(self._map.read_buffer(), dtype=np.uint8)
        starts: list[int] = []
        self._n = 0
        for k in range(reader.num_record_batches):
            column = reader.get_batch(k).column(0)
            starts.append(column.buffers()[1].address - whole.ctypes.data)
            self._n += len(column)
        distances = np.diff(starts[:-1])
        assert (distances == distances[:1]).all(), "full batches at unequal distances"
        full = max(len(starts) - 1, 0)  # the last one may be shorter
        distance = int(distances[0]) if len(distances) else 0
        first, last = (starts[0], starts[-1]) if starts else (0, 0)
        self._full_rows = full * BATCH_ROWS
        blob = np.dtype((np.void, dtype.itemsize))  # copied as it is: three times as fast as field by field
        self._full = np.ndarray((full, BATCH_ROWS), blob, whole, first, (distance, dtype.itemsize))
        self._last = np.frombuffer(whole, blob, self._n - self._full_rows, last)

    def __len__(self) -> int:
        return self._n

    def take(self, index: np.ndarray) -> np.ndarray:
        index = np.asarray(index)
        if len(index) and not (index.min() >= 0 and index.max() < self._n):
            raise IndexError(f"rows {index.min()} to {index.max()} of {self._n}")
        in_full = index < self._full_rows
        if in_full.all():
            return self._full[index // BATCH_ROWS, index % BATCH_ROWS].view(self.dtype)
        records = np.empty(len(index), dtype=self._full.dtype)
        early = index[in_full]
        records[in_full] = self._full[early // BATCH_ROWS, early % BATCH_ROWS]
        records[~in_full] = self._last[index[~in_full] - self._full_rows]
        return records.view(self.dtype)


class ArrowSink(Sink):
    """Writes records to ``path``, which appears only when it is whole."""

    def __init__(self, path: Path, dtype: np.dtype[np.void]) -> None:
        self.path = path
        self._dtype = dtype
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        os.close(descriptor)
        self._temporary = Path(name)
        self._schema = pa.schema([pa.field("row", pa.binary(dtype.itemsize))], {"layout": str(dtype.descr)})
        self._writer = pa.ipc.new_file(name, self._schema)
        self._waiting: list[np.ndarray] = []
        self._count = 0

    def write(self, records: np.ndarray) -> None:
        self._waiting.append(records)
        self._count += len(records)
        if self._count >= BATCH_ROWS:
            self._flush(last=False)

    def _flush(self, *, last: bool) -> None:
        records = np.concatenate(self._waiting) if self._waiting else np.empty(0, dtype=self._dtype)
        end = len(records) if last else len(records) // BATCH_ROWS * BATCH_ROWS
        for start in range(0, end, BATCH_ROWS):
            part = np.ascontiguousarray(records[start : min(start + BATCH_ROWS, end)])
            column = pa.FixedSizeBinaryArray.from_buffers(
                pa.binary(self._dtype.itemsize), len(part), [None, pa.py_buffer(part.view(np.uint8))]
            )
            self._writer.write_batch(pa.record_batch([column], schema=self._schema))
        self._waiting, self._count = [records[end:]], len(records) - end

    def finish(self) -> ArrowStore:
        self._flush(last=True)
        self._writer.close()
        with self._temporary.open("rb+") as handle:
            os.fsync(handle.fileno())
        self._temporary.replace(self.path)
        return ArrowStore(self.path, self._dtype)

    def abandon(self) -> None:
        self._writer.close()
        self._temporary.unlink(missing_ok=True)
