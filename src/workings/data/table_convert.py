"""Cells of a chunk into records and targets, with everything counted that did not fit the schema."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import polars as pl

from workings.data.schema import Field, Schema, Task
from workings.data.table_cells import BOOLEAN_PAIRS, FALSE_WORDS, TRUE_WORDS, clean, dates, labels, numbers
from workings.data.table_layout import FIRST, MISSING, OTHER, Layout
from workings.data.table_profile import FLOAT32_MAX, Found

MICROSECONDS_A_DAY = 86_400_000_000


@dataclass
class Misfits:
    """What a column of new data holds that its field does not know. Counted over all chunks.

    missing, padded: cells. bad: cells that are no numbers or dates. infinite: numbers.
    unknown: categories without a code, with counts.
    """

    missing: int = 0
    padded: int = 0
    bad: Found = field(default_factory=Found)
    infinite: Found = field(default_factory=Found)
    unknown: Counter[str] = field(default_factory=Counter)
    unknown_cells: Found = field(default_factory=Found)


@dataclass
class Converter:
    """Turns chunks into records and targets by a schema and its task.

    misfits: per column. bad_target: cells of the target that are missing, unknown or not finite.
    """

    schema: Schema
    layout: Layout
    task: Task | None
    misfits: dict[str, Misfits] = field(default_factory=dict)
    missing_target: Found = field(default_factory=Found)
    bad_target: Found = field(default_factory=Found)
    _rows: np.ndarray = field(default_factory=lambda: np.empty(0, dtype=np.int64))

    def convert(self, chunk: pl.DataFrame, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray | None, np.ndarray | None]:
        """(records, y, time) of a chunk: (m,) of the layout's dtype; (m,) class numbers or values, −1 or NaN where
        unusable; (m,) seconds. y and time are None where there is no such column. rows: (m,) numbers for messages."""
        self._rows = rows
        records = np.zeros(chunk.height, dtype=self.layout.dtype)
        narrow, wide = self.layout.narrow, self.layout.wide
        parts: dict[str, dict[str, np.ndarray]] = {}
        for k, column in enumerate(self.layout.numbers):
            if column.part:
                if column.field not in parts:
                    parts[column.field] = self._dates(chunk[column.field], self.schema.field(column.field))
                values = parts[column.field][column.part]
            else:
                values = self._numbers(chunk[column.field], self.schema.field(column.field))
            if column.wide:
                records["wide"][:, wide.index(k)] = values
            else:
                records["narrow"][:, narrow.index(k)] = values
        for k, column in enumerate(self.layout.codes):
            coded = self._codes(chunk[column.name], self.schema.field(column.name), column.categories)
            records["code"][:, k] = coded
        y = None
        if self.task is not None and self.task.target and self.task.target in chunk.columns:
            y = self._target(chunk[self.task.target], self.task)
        time = None
        if self.schema.time_column in chunk.columns:
            time = _seconds(chunk[self.schema.time_column], self.schema.field(self.schema.time_column))
        return records, y, time

    def _misfits(self, name: str) -> Misfits:
        return self.misfits.setdefault(name, Misfits())

    def _numbers(self, series: pl.Series, of: Field) -> np.ndarray:
        """(m,) float64; NaN where missing, no number or infinite."""
        cleaned, misfits = clean(series), self._misfits(of.name)
        found = numbers(cleaned.values, of.decimal_comma)
        misfits.missing += cleaned.values.null_count()
        misfits.padded += cleaned.padded
        bad = cleaned.values.is_not_null() & found.is_null()
        if bad.any():
            misfits.bad.add(cleaned.values.cast(pl.String, strict=False), bad, self._rows)
        values = found.fill_null(np.nan).to_numpy().astype(np.float64)
        infinite = np.abs(values) > FLOAT32_MAX
        if infinite.any():
            misfits.infinite.add(found, pl.Series(infinite), self._rows)
        return np.where(infinite, np.nan, values) + 0.0  # −0 becomes 0, so that equal rows have equal bytes

    def _dates(self, series: pl.Series, of: Field) -> dict[str, np.ndarray]:
        """Parts of dates, float64, NaN where missing or unreadable."""
        cleaned, misfits = clean(series), self._misfits(of.name)
        found = dates(cleaned.values, of.date_format)
        misfits.missing += cleaned.values.null_count()
        bad = cleaned.values.is_not_null() & found.is_null()
        if bad.any():
            misfits.bad.add(cleaned.values.cast(pl.String, strict=False), bad, self._rows)
        day = found.dt.epoch("us").cast(pl.Float64) / MICROSECONDS_A_DAY
        parts = {
            "year": found.dt.year(),
            "month": found.dt.month(),
            "weekday": found.dt.weekday(),
            "day": day.floor(),
            "hour": (day - day.floor()) * 24,
        }
        return {part: values.cast(pl.Float64).fill_null(np.nan).to_numpy() for part, values in parts.items()}

    def _codes(self, series: pl.Series, of: Field, categories: tuple[str, ...]) -> np.ndarray:
        """(m,) codes."""
        cleaned, misfits = clean(series), self._misfits(of.name)
        misfits.missing += cleaned.values.null_count()
        misfits.padded += cleaned.padded
        as_numbers = cleaned.values.dtype.is_numeric() or (of.kind == "boolean" and _are_numbers(categories))
        texts = labels(cleaned.values, is_numeric=as_numbers)
        number = _numbered(texts, categories) if of.kind != "boolean" else _no_or_yes(texts, categories)
        coded = number + FIRST  # what is unknown becomes OTHER
        absent = cleaned.values.is_null().to_numpy()
        coded[absent] = MISSING
        unknown = pl.Series(coded == OTHER)
        if unknown.any():
            written = cleaned.values.cast(pl.String, strict=False)
            misfits.unknown_cells.add(written, unknown, self._rows)
            misfits.unknown.update(dict(written.filter(unknown).value_counts().iter_rows()))
        return coded

    def _target(self, series: pl.Series, task: Task) -> np.ndarray:
        values = clean(series).values
        absent = values.is_null()
        self.missing_target.add(series.cast(pl.String, strict=False), absent, self._rows)
        if task.classes is None:
            y = numbers(values, self.schema.field(task.target).decimal_comma).fill_null(np.nan).to_numpy()
            bad = ~np.isfinite(y) & ~absent.to_numpy()
            y = np.where(np.isfinite(y), y, np.nan)
        else:
            y = classes_of(values, task.classes)
            bad = (y < 0) & ~absent.to_numpy()
        if bad.any():
            self.bad_target.add(values.cast(pl.String, strict=False), pl.Series(bad), self._rows)
        return y


def classes_of(values: pl.Series, classes: list[str]) -> np.ndarray:
    """(m,) int64 class numbers, −1 where a value is missing or no class."""
    if _are_numbers(classes) and values.dtype != pl.Boolean:
        found = numbers(values).fill_null(np.nan).to_numpy()
        known = np.array([float(label) for label in classes])
        order = np.argsort(known)
        at = np.minimum(np.searchsorted(known[order], found), len(classes) - 1)
        number = order[at]
        return np.where(known[number] == found, number, -1).astype(np.int64)
    texts = values.cast(pl.String, strict=False)
    return (
        _no_or_yes(texts, classes)
        if [label.lower() for label in classes] == ["false", "true"]
        else _numbered(texts, classes)
    )


def _no_or_yes(texts: pl.Series, pair: Sequence[str]) -> np.ndarray:
    """(m,) int64: 0 for no, 1 for yes, −1 for null and else. Where ``pair`` says no and yes, so may the cells, each in
    its own way: a file says True where a DataFrame says true, or 1."""
    number = _numbered(texts, pair)
    if len(pair) == 2 and (pair[0].lower(), pair[1].lower()) in BOOLEAN_PAIRS:
        lower = texts.str.to_lowercase()
        number = np.where(number < 0, np.where(lower.is_in(TRUE_WORDS).fill_null(False), 1, number), number)
        number = np.where(number < 0, np.where(lower.is_in(FALSE_WORDS).fill_null(False), 0, number), number)
    return number


def _numbered(texts: pl.Series, known: Sequence[str]) -> np.ndarray:
    """(m,) int64: the position of each text among ``known``, −1 where it is null or unknown."""
    positions = pl.DataFrame({"text": known, "at": range(len(known))}, schema={"text": pl.String, "at": pl.Int64})
    joined = texts.alias("text").to_frame().join(positions, on="text", how="left", maintain_order="left")
    return joined["at"].fill_null(-1).to_numpy().astype(np.int64)


def _seconds(series: pl.Series, of: Field) -> np.ndarray:
    """(m,) float64 seconds since 1970, or the numbers themselves where time is a number; NaN where missing."""
    values = clean(series).values
    if of.kind == "numeric" or (of.kind != "date" and values.dtype.is_numeric()):
        found = numbers(values, of.decimal_comma)
    else:
        found = dates(values, of.date_format).dt.epoch("us").cast(pl.Float64) / 1e6
    return found.fill_null(np.nan).to_numpy()


def _are_numbers(texts: tuple[str, ...] | list[str]) -> bool:
    try:
        for text in texts:
            float(text)
    except ValueError:
        return False
    return bool(texts)
