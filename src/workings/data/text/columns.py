"""Which column of a table holds the text, and whether the table is about texts at all; told by its first rows."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from workings.base.errors import UserError
from workings.data.table_arrays import of_memory
from workings.data.table_files import SNIFFED_BYTES, sniff
from workings.data.table_kinds import USED, find_field
from workings.data.table_profile import ColumnProfile
from workings.data.table_target import TARGET_NAMES

HEAD = 1_000  # rows looked at
TABLES = {".csv", ".tsv", ".tab", ".parquet", ".pq"}
WORDS = 4  # a cell, on average, from which on different cells are texts in a table of few rows, too


def head_of(data: object) -> pl.DataFrame | None:
    """The first rows of a table, as text where it is a text file; None where it is none, or not readable.

    Whatever is wrong with it is said by the reader of the kind that it is then given to.
    """
    try:
        if isinstance(data, (str, Path)):
            return _head_of_file(Path(data))
        if isinstance(data, pl.DataFrame):
            return data.head(HEAD)
        if isinstance(data, pl.LazyFrame):
            return data.head(HEAD).collect()
        if isinstance(data, Mapping):
            return of_memory({name: values[:HEAD] for name, values in data.items()}).frame
        if hasattr(data, "columns") and hasattr(data, "head"):
            return of_memory(data.head(HEAD).reset_index(drop=True)).frame  # type: ignore[attr-defined]
    except (UserError, TypeError, OSError, csv.Error, pl.exceptions.PolarsError):
        return None
    return None


def _head_of_file(path: Path) -> pl.DataFrame | None:
    suffix = path.suffix.lower()
    if suffix not in TABLES or not path.is_file():
        return None
    if suffix in (".parquet", ".pq"):
        return pl.scan_parquet(path, glob=False).head(HEAD).collect()
    with path.open("rb") as handle:
        raw = handle.read(SNIFFED_BYTES)
    text = raw.decode("utf-8-sig", errors="ignore").replace("\r\n", "\n").replace("\r", "\n")
    if len(raw) == SNIFFED_BYTES:  # the last line is cut, and perhaps a quoted cell with it
        text = text[: text.rfind("\n") + 1]
    if not text.strip():
        return None
    return pl.read_csv(
        io.StringIO(text),
        separator=sniff(text),
        infer_schema=False,
        n_rows=HEAD,
        truncate_ragged_lines=True,
        ignore_errors=True,
    )


def text_columns(head: pl.DataFrame) -> dict[str, str]:
    """The kind of every column: ``text``, or as in a table."""
    kinds: dict[str, str] = {}
    for series in head:
        profile = ColumnProfile(series.name.strip())
        profile.add(series, np.arange(len(series)), True)
        kind = find_field(profile).kind
        wordy = profile.looked_at > 1 and profile.words >= WORDS * profile.looked_at
        if kind == "categorical" and wordy and 2 * profile.distinct > profile.present:
            kind = "text"
        kinds[profile.name] = kind
    return kinds


def is_about_texts(head: pl.DataFrame, target: str | None) -> bool:
    """Whether a text is all that the table has to learn from: no other column but the target would be a feature."""
    kinds = text_columns(head)
    texts = [name for name, kind in kinds.items() if kind == "text" and name != target]
    if not texts or (target is not None and kinds.get(target, "text") == "text"):
        return False
    others = [name for name, kind in kinds.items() if kind in USED and name != target]
    return not others if target is not None else len(others) == 1


def has_texts(head: pl.DataFrame, target: str | None) -> bool:
    """Whether a column beside the target holds texts."""
    return any(kind == "text" and name != target for name, kind in text_columns(head).items())


def only_text_column(head: pl.DataFrame, but: set[str]) -> list[str]:
    """Columns that may hold the text: those of kind text, or the only column of text that is left."""
    kinds = text_columns(head)
    texts = [name for name, kind in kinds.items() if kind == "text" and name not in but]
    if texts:
        return texts
    return [name.strip() for name in head.columns if head[name].dtype == pl.String and name.strip() not in but]


def likely_target(names: list[str], kinds: Mapping[str, Any], text: str) -> str | None:
    """The column to learn where none was named: the only one beside the text that may be, or one called so."""
    others = [name for name in names if name != text and kinds.get(name) != "text"]
    named = [name for name in others if name.lower() in TARGET_NAMES]
    if len(named) == 1:
        return named[0]
    usable = [name for name in others if kinds.get(name) in USED]
    candidates = usable or others
    return candidates[0] if len(candidates) == 1 else None


def lists_files(head: pl.DataFrame) -> bool:
    """Whether a column names pictures or recordings, which the texts beside them then only describe."""
    ends = r"(?i)\.(png|jpe?g|gif|bmp|tiff?|webp|pgm|ppm|wav|flac|ogg|mp3)$"
    columns = [head[name].drop_nulls() for name in head.columns if head[name].dtype == pl.String]
    return any(len(cells) > 0 and cells.str.contains(ends).sum() >= 0.9 * len(cells) for cells in columns)
