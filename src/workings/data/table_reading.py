"""Reading tables: CSV, TSV and Parquet files here, what is in memory already in ``table_arrays``."""

from __future__ import annotations

import hashlib
from pathlib import Path

import polars as pl

from workings.base.errors import refuse
from workings.base.problems import Problem, nearest, shorten
from workings.data.table_arrays import of_memory
from workings.data.table_files import TextFile, examine, ragged_rows
from workings.data.table_input import Table, unreadable

WHOLE_CELLS = 4_000_000  # a file of fewer cells is read once and kept; a larger one is gone through twice

TEXT = {".csv", ".tsv", ".tab", ".txt", ".data"}
PARQUET = {".parquet", ".pq"}


def read_table(data: object, target: str | None = None) -> Table:
    """``data`` as a table. ``target`` names the y of a pair ``(X, y)`` whose y has no name.

    Raises:
        UserError: no such file, unreadable, not a table, columns of different lengths, names twice, no rows.
    """
    return _read_path(Path(data)) if isinstance(data, (str, Path)) else of_memory(data, target)


def _read_path(path: Path) -> Table:
    if not path.exists():
        beside = [each.name for each in path.parent.iterdir()] if path.parent.is_dir() else []
        guess = nearest(path.name, beside)
        hint = f"Did you mean '{path.parent / guess}'?" if guess else "Check the path."
        raise refuse("no-such-file", f"There is no file '{path}'.", do=hint)
    if path.is_dir():
        raise refuse("not-a-table", f"'{path}' is a folder.", do="Give a CSV, TSV or Parquet file.")
    if path.stat().st_size == 0:
        raise refuse("empty-file", f"'{path}' is empty.", why="There is nothing to learn from.", do="Give another.")
    suffix = path.suffix.lower()
    with path.open("rb") as handle:
        is_parquet = handle.read(4) == b"PAR1"
    if suffix in PARQUET or is_parquet:
        return _read_parquet(path)
    if suffix in TEXT or not suffix:
        return _read_text(path)
    raise refuse(
        "not-a-table", f"'{path}' ends in '{suffix}', which is no known kind of table.", do="Give CSV, TSV or Parquet."
    )


def _read_parquet(path: Path) -> Table:
    try:
        lazy = pl.scan_parquet(path, glob=False)
        names = lazy.collect_schema().names()
        rows = int(lazy.select(pl.len()).collect().item())
    except (pl.exceptions.PolarsError, OSError) as error:
        raise unreadable(None, f"'{path}'", error) from None
    with path.open("rb") as handle:
        digest = hashlib.file_digest(handle, "sha256").hexdigest()
    table = Table(names, rows, f"'{path}'", digest, lazy=lazy)
    if rows == 0:
        raise refuse("header-only", f"'{path}' has columns and no rows.", where=shorten(names, 8), do="Give another.")
    return _held_if_small(table)


def _read_text(path: Path) -> Table:
    file = examine(path)
    lazy = pl.scan_csv(path, separator=file.delimiter, infer_schema=False, low_memory=True, glob=False)
    return _held_if_small(Table(file.names, file.lines, f"'{path}'", file.digest, file.problems, lazy=lazy, text=file))


def _held_if_small(table: Table) -> Table:
    if table.rows * len(table.names) > WHOLE_CELLS:
        return table
    parts = list(table.chunks())
    table.frame = (
        pl.concat(parts, rechunk=True) if parts else pl.DataFrame(schema=dict.fromkeys(table.names, pl.String))
    )
    table.rows, table.lazy = table.frame.height, None
    if table.text is not None and table.frame.height and table.frame[:, -1].null_count():
        table.problems += _short_rows(table.text)
    return table


def _short_rows(file: TextFile) -> list[Problem]:
    """A row that is too short ends in empty cells; only where the last column has some can there be one."""
    _, short = ragged_rows(file)
    if not short:
        return []
    return [
        Problem(
            "warning",
            "short-rows",
            f"{len(short):,} row(s) of '{file.path.name}' have fewer than {len(file.names)} cells.",
            f"rows {shorten(short)}",
            len(short),
            "Their last columns count as missing; if a delimiter was lost, values stand in the wrong column.",
            "Look at these rows.",
        )
    ]
