"""Reading pairs: two files line by line, two columns of a table, or lists."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from workings.base.errors import UserError, refuse
from workings.base.problems import Problem, nearest, shorten
from workings.data.pairs.lines import read_lines
from workings.data.table_reading import read_table

TABLES = {".csv", ".tsv", ".tab", ".parquet", ".pq"}


@dataclass
class Pairs:
    """Everything read. targets is None where the truth is not known; a text that is not there is "".

    source, target: names of the files or columns. rows: (n,) numbers in the user's data, from 0. unit: what a row is
    called: line, row or pair.
    """

    sources: list[str]
    targets: list[str] | None
    source: str
    target: str
    unit: str
    digest: str
    rows: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int64))
    problems: list[Problem] = field(default_factory=list)

    def __post_init__(self) -> None:
        if len(self.rows) == 0:
            self.rows = np.arange(len(self.sources), dtype=np.int64)

    def places(self, rows: Sequence[int] | np.ndarray) -> list[str]:
        """Where rows of these are, for messages."""
        return [f"{self.unit} {int(self.rows[i]) + 1:,}" for i in rows]

    def kept(self, keep: np.ndarray) -> Pairs:
        """The rows where ``keep`` (n,) bool is true."""
        chosen = np.flatnonzero(keep)
        targets = None if self.targets is None else [self.targets[i] for i in chosen]
        sources = [self.sources[i] for i in chosen]
        return Pairs(
            sources, targets, self.source, self.target, self.unit, self.digest, self.rows[chosen], self.problems
        )


def is_table(data: object) -> bool:
    """Whether data is a table: its path says so, or it has named columns."""
    if isinstance(data, (str, Path)):
        return Path(data).suffix.lower() in TABLES
    return isinstance(data, Mapping) or hasattr(data, "columns")


def read_files(source: Path, target: Path | None) -> Pairs:
    """Two files, line by line; the source alone where ``target`` is None.

    Raises:
        UserError: what is wrong with either file, together; different numbers of lines.
    """
    found, problems = [], []
    for path in [source] if target is None else [source, target]:
        try:
            found.append(read_lines(path))
        except UserError as error:
            problems += error.problems
    if target is not None and source.exists() and target.exists() and source.samefile(target):
        what = f"'{source}' is given as source and as target."
        problems.append(Problem("error", "same-file", what, do="Give the file of the translations as --target."))
    if problems:
        raise UserError(problems)
    if target is None:
        return Pairs(found[0].texts, None, source.name, "", "line", found[0].digest)
    n, m = (len(each.texts) for each in found)
    if n != m:
        raise refuse(
            "different-line-counts",
            f"'{source.name}' has {n:,} lines, '{target.name}' has {m:,}.",
            where=f"{abs(n - m):,} too many in '{(source if n > m else target).name}'",
            count=abs(n - m),
            why="Line n of one belongs to line n of the other; from the first missing line on all are wrong.",
            do="Give files of equally many lines, with an empty line where a translation is missing.",
        )
    digest = hashlib.sha256("".join(each.digest for each in found).encode()).hexdigest()
    return Pairs(found[0].texts, found[1].texts, source.name, target.name, "line", digest)


def read_columns(data: object, source: str | None, target: str | None, require_target: bool = True) -> Pairs:
    """Two columns of a table.

    Raises:
        UserError: the table cannot be read, or a column is not there or not said.
    """
    table = read_table(data)
    frame = (
        pl.concat(list(table.chunks())) if table.rows else pl.DataFrame(schema=dict.fromkeys(table.names, pl.String))
    )
    frame.columns = table.names
    source, target = _columns(table.name, table.names, source, target, require_target)
    problems = list(table.problems)
    sources = _texts(frame[source], problems)
    targets = _texts(frame[target], problems) if target else None
    return Pairs(sources, targets, source, target or "", "row", table.digest, problems=problems)


def _columns(
    name: str, names: list[str], source: str | None, target: str | None, require_target: bool
) -> tuple[str, str | None]:
    problems = []
    for role, column in (("source", source), ("target", target)):
        if column is not None and column not in names and (role == "source" or require_target):
            guess = nearest(column, names)
            do = f"Did you mean '{guess}'? " if guess else ""
            what = f"{name} has no column '{column}', the {role}."
            do += f"Its columns: {shorten(names, 12)}."
            problems.append(Problem("error", "missing-column", what, do=do))
    if source is not None and source == target:
        what = f"'{source}' is given as source and as target."
        problems.append(Problem("error", "same-column", what, do="Name two columns."))
    if problems:
        raise UserError(problems)
    if target is not None and target not in names:
        target = None
    others = [each for each in names if each not in (source, target)]
    if source is None and target is None and len(names) == 2:
        return names[0], names[1]
    if source is None and (len(others) == 1 or (len(names) == 1 and not require_target)):
        source = others[0]
        others = []
    if target is None and require_target and source is not None and len(others) == 1:
        target = others[0]
    missing = [role for role, column in (("source", source), ("target", target)) if column is None]
    if "source" in missing or (missing and require_target):
        raise refuse(
            "columns-not-said",
            f"{name} has {len(names)} column(s); which is the {' and which the '.join(missing)} is not said.",
            where=shorten(names, 12),
            do="Name them: --target COLUMN --set source=COLUMN.",
        )
    assert source is not None
    return source, target


def _texts(column: pl.Series, problems: list[Problem]) -> list[str]:
    if column.dtype != pl.String:
        what = f"'{column.name}' holds {column.dtype}, not text; its values are taken as they are written."
        problems.append(Problem("note", "cast-to-text", what, count=len(column)))
    return [text or "" for text in column.cast(pl.String, strict=False)]


def read_lists(data: object, require_target: bool = True) -> Pairs:
    """Python lists: ``(sources, targets)``, a list of (source, target), or a list of sources alone.

    Raises:
        UserError: lists of different lengths, or elements that are no texts.
    """
    sources, targets = _sides(data, require_target)
    problems = []
    for name, side in (("source", sources), ("target", targets)):
        wrong = [i for i, text in enumerate(side or []) if not isinstance(text, str)]
        if wrong:
            assert side is not None
            kinds = sorted({type(side[i]).__name__ for i in wrong})
            what = f"{len(wrong):,} of {len(side):,} {name}s are no texts but {' and '.join(kinds)}."
            where = f"pairs {shorten([i + 1 for i in wrong])}"
            problems.append(Problem("error", "not-a-text", what, where, len(wrong), do="Give lists of str."))
    if targets is not None and len(sources) != len(targets):
        n, m = len(sources), len(targets)
        what = f"There are {n:,} sources and {m:,} targets."
        problems.append(Problem("error", "different-line-counts", what, count=abs(n - m), do="Give one for each."))
    if not sources:
        problems.append(Problem("error", "no-pairs", "The lists are empty.", do="Give at least two pairs."))
    if problems:
        raise UserError(problems)
    digest = hashlib.sha256("\0".join([*sources, "\1", *(targets or [])]).encode("utf-8", "surrogatepass"))
    return Pairs(
        list(sources), None if targets is None else list(targets), "source", "target", "pair", digest.hexdigest()
    )


def _sides(data: object, require_target: bool) -> tuple[list[Any], list[Any] | None]:
    if isinstance(data, tuple) and len(data) == 2 and all(_is_list(side) for side in data):
        return list(data[0]), list(data[1])
    if _is_list(data):
        items: list[Any] = list(data)  # type: ignore[call-overload]
        if items and all(isinstance(each, (tuple, list)) and len(each) == 2 for each in items):
            return [each[0] for each in items], [each[1] for each in items]
        if not require_target:
            return items, None
    raise refuse(
        "not-pairs",
        f"Pairs of texts cannot be read from {type(data).__name__}.",
        do="Give (sources, targets), a list of (source, target), two text files, or a table with two columns.",
    )


def _is_list(value: object) -> bool:
    return isinstance(value, (list, tuple)) or (isinstance(value, np.ndarray) and value.ndim == 1)
