"""What the cells of a column look like: counts gathered chunk by chunk, so that no table is too long."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
import polars as pl

from workings.data.table_cells import BOOLEAN_PAIRS, DATE_FORMATS, clean, dates, numbers

KEPT_EXAMPLES = 5
MOST_COUNTED = 200_000  # different texts of a column that are counted one by one
MOST_COUNTED_NUMBERS = 1_000  # and different numbers
LOOKED_AT = 10_000  # rows of a chunk that are looked at for what is costly: words, leading zeros
KEPT_HASHES = 16_384
CELL_LENGTH = 40
FLOAT32_MAX = float(np.finfo(np.float32).max)


@dataclass
class Found:
    """Cells that are worth naming: how many, and the first few with their rows (from 1)."""

    count: int = 0
    examples: list[tuple[int, str]] = field(default_factory=list)

    def add(self, cells: pl.Series, mask: pl.Series, rows: np.ndarray) -> None:
        """Add the cells where ``mask`` is true; ``rows`` (m,) are the numbers of the chunk's rows, from 0."""
        places = mask.arg_true()
        self.count += len(places)
        for place in places[: KEPT_EXAMPLES - len(self.examples)].to_list():
            self.examples.append(
                (int(rows[place]) + 1, "" if cells[place] is None else str(cells[place])[:CELL_LENGTH])
            )

    def where(self) -> str:
        """``row 3 'abc', row 8 (empty) and 40 more``."""
        named = ", ".join(f"row {row:,} {repr(cell) if cell else '(empty)'}" for row, cell in self.examples)
        return named + (f" and {self.count - len(self.examples):,} more" if self.count > len(self.examples) else "")


@dataclass
class ColumnProfile:
    """The figures of one column.

    number, whole, infinite: cells that are numbers, whole numbers, infinities. Moments are of finite numbers.
    not_numbers: cells that are neither missing nor numbers. decimal_comma: numbers are written 3,14, as found in the
        first chunk; None before it. Beyond the range of float32, in which nets compute, a number counts as infinite.
    counts: (value, count) while there are few enough different values; else None.
    date_formats: cells that each format reads; formats that fail are dropped.
    """

    name: str
    dtype: str = ""
    rows: int = 0
    missing: int = 0
    markers: dict[str, int] = field(default_factory=dict)
    padded: int = 0
    number: int = 0
    whole: int = 0
    decimal_comma: bool | None = None
    zeros: int = 0
    infinite: Found = field(default_factory=Found)
    not_numbers: Found = field(default_factory=Found)
    missing_cells: Found = field(default_factory=Found)
    finite: int = 0
    min: float = math.inf
    max: float = -math.inf
    mean: float = 0.0
    squares: float = 0.0
    counts: pl.DataFrame | None = None
    counting: bool = True
    exact_distinct: int | None = None
    hashes: np.ndarray = field(default_factory=lambda: np.empty(0, dtype=np.uint64))
    date_formats: dict[str, int] | None = None
    times: int = 0
    leading_zeros: int = 0
    looked_at: int = 0
    words: int = 0
    letters: int = 0

    @property
    def present(self) -> int:
        """Cells with a value."""
        return self.rows - self.missing

    @property
    def std(self) -> float:
        """Standard deviation (ddof 0) of the finite numbers."""
        return math.sqrt(self.squares / self.finite) if self.finite else 0.0

    @property
    def distinct(self) -> int:
        """Different values: exact where they could be counted, else estimated from the smallest hashes."""
        if self.exact_distinct is not None:
            return self.exact_distinct
        if len(self.hashes) < KEPT_HASHES:
            return len(self.hashes)
        # k smallest of d uniform numbers: the k-th lies at about k/d (Bar-Yossef et al. 2002).
        return round((KEPT_HASHES - 1) / (float(self.hashes[-1]) / 2.0**64))

    @property
    def distinct_is_estimate(self) -> bool:
        """Whether ``distinct`` is not exact; its standard error is 0.8 %."""
        return self.exact_distinct is None and len(self.hashes) >= KEPT_HASHES

    @property
    def is_text(self) -> bool:
        """Whether cells came as text, so that their type is to be found."""
        return self.dtype == "String"

    def values(self) -> list[tuple[str, int]]:
        """Different values and their counts, most frequent first, then by value; empty where there are too many."""
        if self.counts is None:
            return []
        value, count = self.counts.columns
        ordered = self.counts.sort([count, value], descending=[True, False])
        return [(_said(cell), n) for cell, n in ordered.iter_rows()]

    # ------------------------------------------------------------------------------------------ adding

    def add(self, series: pl.Series, rows: np.ndarray, is_whole_table: bool) -> None:
        """Add a chunk; ``rows`` (m,) are the numbers of its rows in the whole table, from 0."""
        self.dtype = self.dtype or str(series.dtype.base_type())
        cleaned = clean(series)
        values = cleaned.values
        self.rows += len(values)
        self.missing += values.null_count()
        self.padded += cleaned.padded
        for written, count in cleaned.markers.items():
            self.markers[written] = self.markers.get(written, 0) + count
        if values.null_count():
            self.missing_cells.add(series.cast(pl.String, strict=False), values.is_null(), rows)
        if series.dtype.is_nested() or series.dtype in (pl.Object, pl.Binary):
            self.counting = False
            return
        if values.dtype == pl.String:
            self._look(values)
        elif values.dtype == pl.Datetime:
            self.times += int(((values.dt.hour() != 0) | (values.dt.minute() != 0)).sum() or 0)
        self._add_numbers(values, rows)
        self._add_counts(values, is_whole_table)

    def _add_numbers(self, values: pl.Series, rows: np.ndarray) -> None:
        if self.decimal_comma is None and values.dtype == pl.String:
            self.decimal_comma = _has_decimal_comma(values)
        found = numbers(values, bool(self.decimal_comma))
        is_number = found.is_not_null()
        self.number += int(is_number.sum())
        if values.dtype == pl.String:
            self.not_numbers.add(values, values.is_not_null() & ~is_number, rows)
        is_finite = (found.abs() <= FLOAT32_MAX).fill_null(False)
        self.infinite.add(values, is_number & ~is_finite, rows)
        finite = found.filter(is_finite)
        n = len(finite)
        if not n:
            return
        array = finite.to_numpy()
        mean = float(array.mean())
        # Chan, Golub and LeVeque (1979): moments of two parts give those of the whole.
        delta, total = mean - self.mean, self.finite + n
        self.squares += float(((array - mean) ** 2).sum()) + delta**2 * self.finite * n / total
        self.mean += delta * n / total
        self.finite = total
        self.min, self.max = min(self.min, float(array.min())), max(self.max, float(array.max()))
        self.zeros += int((array == 0).sum())
        self.whole += int((array == np.rint(array)).sum())

    def _add_counts(self, values: pl.Series, is_whole_table: bool) -> None:
        present = values.drop_nulls()
        if is_whole_table:
            self.exact_distinct = present.n_unique() if len(present) else 0
        else:
            hashes = present.hash(seed=0).to_numpy()
            if len(self.hashes) >= KEPT_HASHES:
                hashes = hashes[hashes < self.hashes[-1]]
            hashes = np.sort(np.concatenate([self.hashes, hashes]))
            self.hashes = hashes[np.diff(hashes, prepend=hashes[:1] + np.uint64(1)) != 0][:KEPT_HASHES]
        if not self.counting:
            return
        counts = present.alias("value").value_counts(name="count").cast({"count": pl.Int64})
        if self.counts is not None:
            counts = pl.concat([self.counts, counts]).group_by("value").agg(pl.col("count").sum())
        mostly_numbers = self.number > 0.5 * self.present
        most = MOST_COUNTED_NUMBERS if mostly_numbers or values.dtype != pl.String else MOST_COUNTED
        self.counting = counts.height <= most
        self.counts = counts if self.counting else None

    def _look(self, values: pl.Series) -> None:
        """The costly things, at the beginning of each chunk."""
        head = values.head(LOOKED_AT).drop_nulls()
        self.looked_at += len(head)
        self.letters += int(head.str.len_chars().sum() or 0)
        self.words += int(head.str.count_matches(r"\S+").sum() or 0)
        self.leading_zeros += int(head.str.contains(r"^0\d").sum() or 0)
        if self.date_formats is None:
            self.date_formats = _date_formats(head)
        for date_format in self.date_formats:
            read = dates(values, date_format)
            self.date_formats[date_format] += int(read.is_not_null().sum())
            self.times += int(((read.dt.hour() != 0) | (read.dt.minute() != 0)).sum() or 0)


def _date_formats(head: pl.Series) -> dict[str, int]:
    """Formats that read nearly all of the first cells, where these look like dates at all."""
    few = head.head(1000)
    like = few.str.contains(r"^\d{1,4}[-/. ][A-Za-z\d]{1,9}[-/. ,]+\d{2,4}|^[A-Za-z]{3,9} \d{1,2}, \d{4}$").sum()
    if not len(few) or like < 0.9 * len(few):
        return {}
    return {form: 0 for form in DATE_FORMATS if dates(few, form).is_not_null().sum() >= 0.9 * len(few)}


def _has_decimal_comma(values: pl.Series) -> bool:
    """Whether nine values in ten are numbers, some like 3,14. Three digits behind every comma may mean thousands."""
    with_comma = values.drop_nulls().str.contains(r"^[-+]?\d*,\d+$")
    if not with_comma.any():
        return False
    thousands = values.drop_nulls().filter(with_comma).str.contains(r"^[-+]?\d{1,3},\d{3}$").all()
    return not thousands and numbers(values, True).is_not_null().sum() >= 0.9 * (len(values) - values.null_count())


def _said(cell: object) -> str:
    if isinstance(cell, bool):
        return str(cell).lower()
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 2**53:
        return str(int(cell))
    return str(cell)


def boolean_words(values: list[str]) -> tuple[str, str] | None:
    """(no, yes) where the two ``values`` say so in the words of one language, such as ``no`` and ``yes``."""
    if len(values) != 2:
        return None
    for first, second in (values, values[::-1]):
        pair = (first.lower(), second.lower())
        if pair in BOOLEAN_PAIRS:
            return first, second
    return None
