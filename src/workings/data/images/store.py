"""Where pixels live: in memory, or in a memory-mapped Arrow file. Both give the same numbers for the same index.

The Arrow file has one row an image: ``pixels`` (a list of fixed size: channels × height × width) and ``hash``
(16 bytes of BLAKE2b of the pixels). Any Arrow reader opens it.
"""

from __future__ import annotations

import hashlib
import os
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

BATCH_BYTES = 4 * 2**20  # of one record batch: small enough to stay in the cache, large enough to cost nothing
HASH_BYTES = 16


def pixel_hash(pixels: np.ndarray) -> bytes:
    """16 bytes that are equal for equal pixels."""
    return hashlib.blake2b(np.ascontiguousarray(pixels).data, digest_size=HASH_BYTES).digest()


class Pixels(ABC):
    """Images of one shape and number type that can be taken by index."""

    shape: tuple[int, int, int]  # (channels, height, width)
    dtype: np.dtype[Any]

    @abstractmethod
    def __len__(self) -> int: ...

    @abstractmethod
    def take(self, index: np.ndarray) -> np.ndarray:
        """(len(index), channels, height, width): a copy, in the order of ``index``."""


class MemoryPixels(Pixels):
    """Pixels in one array (n, channels, height, width)."""

    def __init__(self, pixels_NCHW: np.ndarray) -> None:
        self.pixels_NCHW = pixels_NCHW
        self.shape = tuple(pixels_NCHW.shape[1:])  # pyright: ignore[reportAttributeAccessIssue]
        self.dtype = pixels_NCHW.dtype

    def __len__(self) -> int:
        return len(self.pixels_NCHW)

    def take(self, index: np.ndarray) -> np.ndarray:
        return np.take(self.pixels_NCHW, index, axis=0)


class ArrowPixels(Pixels):
    """Pixels in a memory-mapped Arrow file: the system keeps in memory what is used and drops it when it must."""

    def __init__(self, path: Path, shape: tuple[int, int, int], dtype: str = "uint8") -> None:
        self.path = path
        self.shape = shape
        self.dtype = np.dtype(dtype)
        self._file = pa.ipc.open_file(pa.memory_map(str(path)))
        self._views: list[np.ndarray] = []
        for number in range(self._file.num_record_batches):
            flat = self._file.get_batch(number).column("pixels").flatten().to_numpy(zero_copy_only=True)
            self._views.append(flat.reshape(-1, *shape))
        self._batch_rows = len(self._views[0]) if self._views else 1
        self._n = sum(map(len, self._views))

    def __len__(self) -> int:
        return self._n

    def take(self, index: np.ndarray) -> np.ndarray:
        index = np.asarray(index, dtype=np.int64)
        taken = np.empty((len(index), *self.shape), dtype=self.dtype)
        batches, places = np.divmod(index, self._batch_rows)
        for at, (batch, place) in enumerate(zip(batches.tolist(), places.tolist(), strict=True)):
            taken[at] = self._views[batch][place]
        return taken

    def hashes(self) -> np.ndarray:
        """The ``hash`` column, (n,) of 16 bytes."""
        columns = [self._file.get_batch(k).column("hash").to_pylist() for k in range(self._file.num_record_batches)]
        return np.array([value for column in columns for value in column], dtype=f"S{HASH_BYTES}")


class MemorySink:
    """Takes images one by one into an array made once for ``capacity`` of them."""

    def __init__(self, capacity: int, shape: tuple[int, int, int]) -> None:
        self._pixels = np.empty((capacity, *shape), dtype=np.uint8)
        self._hashes: list[bytes] = []

    def add(self, pixels_CHW: np.ndarray, hashed: bytes) -> None:
        """Append one image."""
        self._pixels[len(self._hashes)] = pixels_CHW
        self._hashes.append(hashed)

    def finish(self) -> tuple[Pixels, np.ndarray]:
        """The pixels and their hashes."""
        return MemoryPixels(self._pixels[: len(self._hashes)]), np.array(self._hashes, dtype=f"S{HASH_BYTES}")

    def discard(self) -> None:
        """Nothing is left behind by memory."""


class ArrowSink:
    """Takes images one by one into an Arrow file, which appears under its name only when it is whole."""

    def __init__(self, path: Path, shape: tuple[int, int, int], dtype: str = "uint8") -> None:
        self._path = path
        self._shape = shape
        self._dtype = np.dtype(dtype)
        path.parent.mkdir(parents=True, exist_ok=True)
        self._temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
        values = int(np.prod(shape))
        self._schema = pa.schema(
            {"pixels": pa.list_(pa.from_numpy_dtype(self._dtype), values), "hash": pa.binary(HASH_BYTES)}
        )
        self._writer = pa.ipc.new_file(str(self._temporary), self._schema)
        self._rows = max(1, BATCH_BYTES // (values * self._dtype.itemsize))
        self._block = np.empty((self._rows, *shape), dtype=self._dtype)
        self._block_hashes: list[bytes] = []

    def add(self, pixels_CHW: np.ndarray, hashed: bytes) -> None:
        """Append one image."""
        self._block[len(self._block_hashes)] = pixels_CHW
        self._block_hashes.append(hashed)
        if len(self._block_hashes) == self._rows:
            self._write()

    def _write(self) -> None:
        count = len(self._block_hashes)
        values = pa.array(self._block[:count].reshape(-1))
        pixels = pa.FixedSizeListArray.from_arrays(values, type=self._schema.field("pixels").type)
        hashes = pa.array(self._block_hashes, type=pa.binary(HASH_BYTES))
        self._writer.write_batch(pa.record_batch([pixels, hashes], schema=self._schema))
        self._block_hashes = []

    def finish(self) -> tuple[Pixels, np.ndarray]:
        """Write the rest, sync, rename; then the pixels as mapped from the file, and their hashes."""
        if self._block_hashes:
            self._write()
        self._writer.close()
        with self._temporary.open("rb+") as handle:
            os.fsync(handle.fileno())
        self._temporary.replace(self._path)
        pixels = ArrowPixels(self._path, self._shape, self._dtype.name)
        return pixels, pixels.hashes()

    def discard(self) -> None:
        """Remove the unfinished file."""
        self._writer.close()
        self._temporary.unlink(missing_ok=True)


Sink = MemorySink | ArrowSink


def free_memory() -> int:
    """Bytes that can be used without swapping, within the limit of this control group where there is one."""
    free = os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    meminfo = Path("/proc/meminfo")
    if meminfo.exists():
        for line in meminfo.read_text(encoding="ascii").splitlines():
            if line.startswith("MemAvailable:"):
                free = int(line.split()[1]) * 1024
    limit, used = Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory.current")
    if limit.exists() and used.exists() and limit.read_text(encoding="ascii").strip() != "max":
        free = min(free, int(limit.read_text(encoding="ascii")) - int(used.read_text(encoding="ascii")))
    return max(0, free)
