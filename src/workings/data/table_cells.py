"""Cells of text: which are missing, which are numbers, which are dates."""

from __future__ import annotations

from dataclasses import dataclass, field

import polars as pl

# Written by people and programs where there is no value. Compared after trimming, in the usual ways of writing.
_WORDS = ("na", "n/a", "nan", "null", "none", "nil", "#n/a", "<na>", "missing")
MARKERS = sorted(
    {"", "?", "-", "--", ".", "..", "...", "N.A.", "n.a.", "#NA", "-nan", "-NaN", "#NULL!", "#DIV/0!", "#VALUE!"}
    | {written for word in _WORDS for written in (word, word.upper(), word.capitalize())}
    | {"NaN", "NaT", "<NA>"}
)

# Dates are tried in this order. Day or month first is decided by the data where it can be.
DATE_FORMATS = (
    "%Y-%m-%d",
    "%Y/%m/%d",
    "%Y-%m-%d %H:%M:%S%.f",
    "%Y-%m-%dT%H:%M:%S%.f",
    "%Y-%m-%dT%H:%M:%S%.f%#z",
    "%Y-%m-%d %H:%M:%S%.f%#z",
    "%Y-%m-%d %H:%M",
    "%Y/%m/%d %H:%M:%S%.f",
    "%Y/%m/%d %H:%M",
    "%d/%m/%Y",
    "%m/%d/%Y",
    "%d.%m.%Y",
    "%d-%m-%Y",
    "%m-%d-%Y",
    "%d/%m/%Y %H:%M",
    "%m/%d/%Y %H:%M",
    "%d/%m/%Y %H:%M:%S",
    "%m/%d/%Y %H:%M:%S",
    "%d.%m.%Y %H:%M",
    "%d.%m.%Y %H:%M:%S",
    "%d/%m/%y",
    "%m/%d/%y",
    "%d %b %Y",
    "%d %B %Y",
    "%d-%b-%Y",
    "%b %d, %Y",
    "%B %d, %Y",
    "%Y%m%d",
)
TRUE_WORDS = ("true", "yes", "y", "t", "on", "1")
FALSE_WORDS = ("false", "no", "n", "f", "off", "0")
BOOLEAN_PAIRS = list(zip(FALSE_WORDS, TRUE_WORDS, strict=True))


@dataclass
class Cleaned:
    """Trimmed values with null where missing; how missing cells were written; how many cells were trimmed."""

    values: pl.Series
    markers: dict[str, int] = field(default_factory=dict)
    padded: int = 0


def clean(series: pl.Series) -> Cleaned:
    """``series`` (any dtype) with one sign for missing: null. Text is trimmed; NaN of numbers is missing."""
    if series.dtype in (pl.Categorical, pl.Enum):
        series = series.cast(pl.String)
    if series.dtype == pl.String:
        return _clean_text(series)
    markers = {"empty": series.null_count()} if series.null_count() else {}
    if series.dtype.is_float():
        nan = int(series.is_nan().sum() or 0)
        if nan:
            markers["NaN"] = nan
            series = series.fill_nan(None)
    return Cleaned(series, markers)


def _clean_text(series: pl.Series) -> Cleaned:
    trimmed = series.str.strip_chars()
    padded = int((series.str.len_bytes() != trimmed.str.len_bytes()).sum() or 0)
    absent = trimmed.is_in(MARKERS)
    markers: dict[str, int] = {}
    if absent.any():
        for written, count in trimmed.filter(absent).value_counts().sort(series.name).iter_rows():
            markers[written] = count
        trimmed = pl.select(pl.when(absent).then(None).otherwise(trimmed)).to_series()
    if series.null_count():
        markers[""] = markers.get("", 0) + series.null_count()
    return Cleaned(trimmed.alias(series.name), markers, padded)


def numbers(values: pl.Series, decimal_comma: bool = False) -> pl.Series:
    """Float64; null where a cell is missing or no number. Infinities stay."""
    if values.dtype == pl.String:
        if decimal_comma:
            values = values.str.replace(",", ".", literal=True)
        return values.cast(pl.Float64, strict=False)
    if values.dtype.is_numeric() or values.dtype == pl.Boolean:
        return values.cast(pl.Float64)
    return pl.Series(values.name, [None] * len(values), dtype=pl.Float64)


def dates(values: pl.Series, date_format: str | None) -> pl.Series:
    """Datetime in microseconds, in UTC where the cells name a zone; null where a cell is missing or no date."""
    if values.dtype == pl.String:
        if date_format is None:
            return pl.Series(values.name, [None] * len(values), dtype=pl.Datetime("us"))
        read = values.str.to_datetime(date_format, strict=False, time_unit="us")
    elif values.dtype.is_integer():  # 20240131
        read = values.cast(pl.String).str.to_datetime("%Y%m%d", strict=False, time_unit="us")
    else:
        read = values.cast(pl.Datetime("us"))
    if read.dtype == pl.Datetime and getattr(read.dtype, "time_zone", None):
        read = read.dt.convert_time_zone("UTC").dt.replace_time_zone(None)
    # %Y takes "24" for the year 24: not what anyone means.
    return pl.select(pl.when(read.dt.year() >= 1000).then(read)).to_series().alias(values.name)


def labels(values: pl.Series, is_numeric: bool) -> pl.Series:
    """Values as text with one way of writing each: 1, 1.0 and 01 are all ``1`` where the column is numeric."""
    if values.dtype == pl.Boolean or not is_numeric:
        return values.cast(pl.String)
    number = numbers(values)
    whole = pl.when((number == number.round()) & (number.abs() < 2**53)).then(number.cast(pl.Int64, strict=False))
    return pl.select(pl.coalesce(whole.cast(pl.String), number.cast(pl.String))).to_series().alias(values.name)


def is_true(word: str) -> bool:
    """Whether ``word`` says yes."""
    return word.lower() in (*TRUE_WORDS, "positive", "pos", "+1")
