"""A CSV, TSV or Parquet file with a column of paths of files, one of labels or numbers, perhaps one of groups."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

import polars as pl

from workings.base.errors import UserError, refuse
from workings.base.problems import Problem, shorten, unknown_name
from workings.data.folders import Listing

TARGET_NAMES = ("label", "class", "target", "y", "category")
GROUP_NAMES = ("speaker", "voice", "group", "subject", "singer", "session", "device", "location")
MISSING = ("", "?", "NA", "N/A", "NaN", "nan", "null", "None")


def has_paths(path: Path, suffixes: Collection[str]) -> bool:
    """Whether the first rows of the CSV, TSV or Parquet file hold a column of paths that end so."""
    if path.suffix.lower() not in {".csv", ".tsv", ".parquet"}:
        return False
    try:
        return bool(_path_columns(_read(path, rows=100), suffixes))
    except (pl.exceptions.PolarsError, OSError, UnicodeDecodeError):
        return False  # whatever is wrong with it is said by the reader of tables


def list_paths(
    path: Path,
    target: str | None,
    suffixes: Collection[str],
    noun: str,
    *,
    labelled: bool,
    group: str | None = None,
    groups: bool = False,
) -> Listing:
    """The files that ``path`` lists, in its order; paths are relative to its folder.

    target: the column to learn; where None, the only other column, or the one called label, class, target, y or
        category. Labels come back as text; whether they are classes or numbers is decided by the caller.
    suffixes: of the files. noun: what a file is called. group: a column whose equal values stay on one side of the
        split; groups: whether there can be such.

    Raises:
        UserError: no column of paths, or several; no such target or group; rows without a path, a label or a group.
    """
    try:
        frame = _read(path)
    except (pl.exceptions.PolarsError, UnicodeDecodeError) as error:
        raise refuse("unreadable-table", f"'{path}' could not be read as a table: {error}") from error
    columns = [column for column in _path_columns(frame.head(100), suffixes) if column != target]
    if len(columns) != 1:
        found = f"{len(columns)} columns of paths ({shorten(columns)})" if columns else f"no column of {noun} paths"
        raise refuse("path-column", f"'{path}' has {found}; it needs one.", where=shorten(frame.columns, 20))
    others = [column for column in frame.columns if column != columns[0]]
    errors: list[Problem] = []
    if group is not None and group not in others:
        if labelled:
            errors.append(unknown_name("column", group, others))
        group = None
    target = _target(path, [column for column in others if column != group], columns[0], target, labelled)
    unused = [column for column in others if column not in (target, group)]
    names, absent = _cells(frame, columns[0], f"path in '{columns[0]}'", "missing-path", path)
    errors += absent
    listing = Listing(path.parent, [path.parent / name for name in names], names, target=target)
    listing.problems = _told(path, unused, names, noun, groups)
    if target is not None:
        labels, absent = _cells(frame, target, f"'{target}'", "missing-target", path)
        if labelled or not absent:
            listing.labels = labels
            errors += absent
        else:
            what = f"The labels were not used: {absent[0].what}"
            listing.problems.append(replace(absent[0], level="note", what=what, why="", do=""))
    if group is not None:
        listing.groups, absent = _cells(frame, group, f"'{group}'", "missing-group", path)
        errors += absent
    if errors:
        raise UserError(errors)
    return listing


def _cells(frame: pl.DataFrame, column: str, what: str, code: str, path: Path) -> tuple[list[str], list[Problem]]:
    """The column's cells as text, and the error of rows that have none."""
    values = [None if value is None else str(value).strip() for value in frame[column].to_list()]
    absent = [row + 1 for row, value in enumerate(values) if value is None or value in MISSING]
    problems: list[Problem] = []
    if absent:
        problems.append(
            Problem(
                "error",
                code,
                f"{len(absent):,} row(s) of '{path.name}' have no {what}.",
                f"rows {shorten(absent)}",
                len(absent),
                why="Such a row can neither train nor test a network.",
                do="Fill the cells in, or remove the rows.",
            )
        )
    return [value or "" for value in values], problems


def _told(path: Path, unused: list[str], names: list[str], noun: str, groups: bool) -> list[Problem]:
    problems: list[Problem] = []
    if unused:
        like = [column for column in unused if groups and column.lower() in GROUP_NAMES]
        do = f"If '{like[0]}' must not be on both sides of the split: --set group={like[0]}." if like else ""
        what = f"{len(unused)} column(s) of '{path.name}' are not used: the network is given the {noun}s only."
        problems.append(Problem("note", "unused-columns", what, shorten(unused), len(unused), do=do))
    repeated = len(names) - len(set(names))
    if repeated:
        what = f"{repeated:,} row(s) repeat the path of an earlier row."
        problems.append(Problem("warning", "repeated-paths", what, "", repeated))
    return problems


def _read(path: Path, rows: int | None = None) -> pl.DataFrame:
    """Every column as text, so that 007 stays 007."""
    if path.suffix.lower() == ".parquet":
        lazy = pl.scan_parquet(path, glob=False)
        frame = lazy.head(rows).collect() if rows else lazy.collect()
        return frame.select(pl.all().cast(pl.String, strict=False))
    separator = "\t" if path.suffix.lower() == ".tsv" else ","
    return pl.read_csv(path, separator=separator, infer_schema=False, n_rows=rows, glob=False)


def _path_columns(frame: pl.DataFrame, suffixes: Collection[str]) -> list[str]:
    """Columns of which nine values in ten end like the files."""
    found: list[str] = []
    for column in frame.columns:
        values = frame[column].drop_nulls().to_list()
        likely = sum(Path(value.strip()).suffix.lower() in suffixes for value in values)
        if values and likely >= 0.9 * len(values):
            found.append(column)
    return found


def _target(path: Path, others: list[str], path_column: str, target: str | None, labelled: bool) -> str | None:
    if target is not None:
        if target in others:
            return target
        if labelled:
            raise UserError(unknown_name("column", target, others))
        return None
    named = [column for column in others if column.lower() in TARGET_NAMES]
    if len(others) == 1 or len(named) == 1:
        return named[0] if named else others[0]
    if not labelled:
        return None
    if not others:
        what = f"'{path}' has a column of paths ('{path_column}') and nothing to learn beside it."
        raise refuse("no-target", what, do="Add a column of labels or numbers.")
    raise refuse(
        "no-target",
        f"'{path}' has several columns beside the paths; which one is to be learnt?",
        where=shorten(others, 20),
        do=f"Name it: --target {named[0] if named else others[-1]}.",
    )
