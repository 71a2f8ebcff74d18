"""A table into compact rows: where they go, and which rows are left out."""

from __future__ import annotations

import shutil
import tempfile
import weakref
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from workings.base.problems import Problem
from workings.data.arrow import ArrowSink
from workings.data.memory import MEMORY_MOST, MEMORY_SHARE, free_memory
from workings.data.table_convert import Converter
from workings.data.table_input import Table
from workings.data.table_layout import Layout, hash_rows
from workings.data.table_store import MemorySink, Sink, Store

OnBadRow = Literal["refuse", "drop"]
ONE_HOT = 100  # columns that a field of categories takes at most, by default


@dataclass(frozen=True)
class Place:
    """Where the user wants the rows: in memory (None: decide), within ``memory_limit`` bytes, or in ``cache``."""

    in_memory: bool | None = None
    memory_limit: int | None = None
    cache: str | Path | None = None


@dataclass
class Filled:
    """Compact rows with what belongs to each; ``dropped`` rows were left out."""

    store: Store
    y: np.ndarray | None
    time: np.ndarray | None
    rows: np.ndarray
    hashes: np.ndarray
    dropped: int


def prepared_bytes(layout: Layout, rows: int) -> int:
    """About how much memory the compact rows and the prepared float32 matrix take."""
    columns = 2 * len(layout.numbers) + sum(min(len(column.categories), ONE_HOT) + 1 for column in layout.codes)
    return rows * (4 * columns + layout.dtype.itemsize + 24)


def choose_place(layout: Layout, rows: int, place: Place) -> tuple[bool, list[Problem]]:
    """(whether the rows go into memory, what is to be said about it)."""
    needed, free = prepared_bytes(layout, rows), free_memory()
    said = f"about {_size(needed)} for {rows:,} rows; {_size(free)} of memory are free"
    if place.in_memory:
        if needed <= free:
            return True, []
        what = f"The prepared table needs {said}."
        why = "The run would be stopped by the system."
        do = "Leave out in_memory=True: the rows are then read from a file as they are needed."
        return True, [Problem("error", "not-enough-memory", what, why=why, do=do)]
    limit = place.memory_limit if place.memory_limit is not None else min(MEMORY_MOST, int(MEMORY_SHARE * free))
    if place.in_memory is None and needed <= limit:
        return True, []
    what = f"The rows are kept in a memory-mapped Arrow file: {said}."
    return False, [Problem("note", "rows-on-disk", what)]


def fill(table: Table, converter: Converter, in_memory: bool, place: Place, on_bad_row: OnBadRow) -> Filled:
    """Convert every chunk of ``table``; rows whose target cannot be used are left out where ``on_bad_row`` says so."""
    sink, folder = _sink(table, converter.layout, in_memory, place)
    ys: list[np.ndarray] = []
    times: list[np.ndarray] = []
    kept: list[np.ndarray] = []
    hashes: list[np.ndarray] = []
    seen = 0
    try:
        for chunk, rows in table.numbered():
            records, y, time = converter.convert(chunk, rows)
            seen += len(rows)
            if y is not None and on_bad_row == "drop":
                good = y >= 0 if y.dtype == np.int64 else ~np.isnan(y)
                if not good.all():
                    records, y, rows = records[good], y[good], rows[good]
                    time = None if time is None else time[good]
            sink.write(records)
            hashes.append(hash_rows(records))
            kept.append(rows)
            if y is not None:
                ys.append(y)
            if time is not None:
                times.append(time)
        store = sink.finish()
    except BaseException:
        sink.abandon()
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)
        raise
    if folder is not None:
        weakref.finalize(store, shutil.rmtree, folder, ignore_errors=True)
    rows = np.concatenate(kept) if kept else np.empty(0, dtype=np.int64)
    y = np.concatenate(ys) if ys else None
    time = np.concatenate(times) if times else None
    h = np.concatenate(hashes) if hashes else np.empty(0, dtype=np.uint64)
    return Filled(store, y, time, rows, h, seen - len(rows))


def empty_rows(table: Table) -> list[Problem]:
    """The note about rows without any cell."""
    if not table.empty:
        return []
    return [Problem("note", "empty-rows", f"{table.empty:,} empty row(s) were left out.", "", table.empty)]


def _sink(table: Table, layout: Layout, in_memory: bool, place: Place) -> tuple[Sink, Path | None]:
    """(where records go, the temporary folder to be removed with the store, if one was made)."""
    if in_memory:
        return MemorySink(layout.dtype), None
    if place.cache is not None:
        return ArrowSink(Path(place.cache) / f"rows-{table.digest[:16]}.arrow", layout.dtype), None
    folder = Path(tempfile.mkdtemp(prefix="workings-"))
    return ArrowSink(folder / "rows.arrow", layout.dtype), folder


def _size(count: float) -> str:
    return f"{count / 2**30:.1f} GiB" if count >= 2**30 else f"{count / 2**20:.0f} MiB"
