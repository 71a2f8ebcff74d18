"""A table as it was brought: named columns in chunks of rows that can be gone through again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import polars as pl

from workings.base.errors import UserError, refuse
from workings.base.problems import Problem, shorten
from workings.data.table_files import TextFile, ragged_rows

CHUNK_ROWS = 131_072


@dataclass
class Table:
    """Named columns of cells as they were brought; text files give text.

    rows: exact for all but large text files, where it is an upper bound.
    positional: the names were made up, since an array has none. target: the name of the y of a pair ``(X, y)``.
    empty: rows without any cell, known after ``numbered`` has been gone through.
    """

    names: list[str]
    rows: int
    name: str
    digest: str
    problems: list[Problem] = field(default_factory=list)
    positional: bool = False
    target: str | None = None
    empty: int = 0
    frame: pl.DataFrame | None = None
    lazy: pl.LazyFrame | None = None
    text: TextFile | None = None

    @property
    def whole(self) -> bool:
        """Whether all rows are in memory, as one chunk."""
        return self.frame is not None

    def chunks(self) -> Iterator[pl.DataFrame]:
        """All rows in order, some at a time. May be called again.

        Raises:
            UserError: rows of a text file with too many cells.
        """
        if self.frame is not None:
            yield self.frame
            return
        assert self.lazy is not None
        try:
            for chunk in self.lazy.collect_batches(chunk_size=CHUNK_ROWS, maintain_order=True):
                chunk.columns = self.names
                yield chunk
        except pl.exceptions.PolarsError as error:
            raise unreadable(self.text, self.name, error) from None

    def cells(self, rows: np.ndarray) -> list[dict[str, Any]]:
        """The cells of ``rows`` (m,), numbered from 0 as ``numbered`` does, as they were brought; in that order.

        Raises:
            UserError: the file is no longer what it was.
        """
        if self.frame is not None:
            return self.frame[rows.tolist()].to_dicts()
        assert self.lazy is not None
        at = "".join(self.names) + "#"  # longer than every name, so no column's
        wanted = self.lazy.with_row_index(at).filter(pl.col(at).is_in(rows.tolist()))
        try:
            found = {row[0]: row[1:] for row in wanted.collect(engine="streaming").iter_rows()}
            return [dict(zip(self.names, found[row], strict=True)) for row in rows.tolist()]
        except (pl.exceptions.PolarsError, OSError, KeyError, ValueError) as error:
            what = f"{self.name} no longer has the rows and columns that it had when it was read."
            raise refuse("data-changed", what, do="Bring it back as it was.") from error

    def numbered(self) -> Iterator[tuple[pl.DataFrame, np.ndarray]]:
        """Chunks without their empty rows, and the numbers (m,) of the rows that are left, from 0."""
        first = self.empty = 0
        for chunk in self.chunks():
            rows = np.arange(first, first + chunk.height, dtype=np.int64)
            first += chunk.height
            if chunk[:, -1].null_count():
                filled = chunk.select(~pl.all_horizontal(pl.all().is_null())).to_series()
                if not filled.all():
                    self.empty += int((~filled).sum())
                    chunk, rows = chunk.filter(filled), rows[filled.to_numpy()]
            yield chunk, rows


def unreadable(file: TextFile | None, name: str, error: Exception) -> UserError:
    """The refusal of a file that the parser gave up on, with the rows at fault where they can be found."""
    if file is not None:
        long, _ = ragged_rows(file)
        if long:
            return refuse(
                "ragged-rows",
                f"{len(long):,} row(s) of {name} have more than the {len(file.names)} cells of the header.",
                where=f"rows {shorten(long)}",
                count=len(long),
                why="It cannot be known which column a cell belongs to.",
                do="Put quotes round text that contains the delimiter, or remove the rows.",
            )
    said = str(error).splitlines()[0] if str(error) else type(error).__name__
    return refuse("unreadable", f"{name} could not be read as a table: {said}", do="Check that the file is whole.")
