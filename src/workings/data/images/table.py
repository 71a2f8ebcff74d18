"""A CSV, TSV or Parquet file with a column of image paths and a column of labels or numbers."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from workings.base.errors import UserError, refuse
from workings.base.problems import Problem, shorten, unknown_name
from workings.data.folders import Listing
from workings.data.images.decode import SUFFIXES

TARGET_NAMES = ("label", "class", "target", "y", "category")
MISSING = ("", "?", "NA", "N/A", "NaN", "nan", "null", "None")


def is_image_table(path: Path) -> bool:
    """Whether the first rows of the CSV, TSV or Parquet file hold a column of paths of images."""
    if path.suffix.lower() not in {".csv", ".tsv", ".parquet"}:
        return False
    try:
        return bool(_path_columns(_read(path, rows=100)))
    except (pl.exceptions.PolarsError, OSError, UnicodeDecodeError):
        return False  # whatever is wrong with it is said by the reader of tables


def list_table(path: Path, target: str | None, *, labelled: bool) -> Listing:
    """The images that ``path`` lists, in its order; paths are relative to its folder.

    target: the column to learn; where None, the only other column, or the one called label, class, target, y or
        category. Labels come back as text; whether they are classes or numbers is decided by the caller.

    Raises:
        UserError: no column of paths, or several; no such target; rows without a path or a label.
    """
    try:
        frame = _read(path)
    except (pl.exceptions.PolarsError, UnicodeDecodeError) as error:
        raise refuse("unreadable-table", f"'{path}' could not be read as a table: {error}") from error
    columns = _path_columns(frame.head(100))
    columns = [column for column in columns if column != target]
    if len(columns) != 1:
        found = f"{len(columns)} columns of paths ({shorten(columns)})" if columns else "no column of image paths"
        raise refuse("path-column", f"'{path}' has {found}; it needs one.", where=shorten(frame.columns, 20))
    target = _target(path, frame, columns[0], target, labelled)
    problems: list[Problem] = []
    errors: list[Problem] = []
    paths = frame[columns[0]].to_list()
    absent = [row + 1 for row, value in enumerate(paths) if value is None]
    if absent:
        what = f"{len(absent):,} row(s) of '{path.name}' have no path in '{columns[0]}'."
        where = f"rows {shorten(absent)}"
        errors.append(
            Problem("error", "missing-path", what, where, len(absent), do="Fill them in, or remove the rows.")
        )
    labels = None
    if target is not None:
        labels = [None if value is None else value.strip() for value in frame[target].to_list()]
        unlabelled = [row + 1 for row, value in enumerate(labels) if value is None or value in MISSING]
        if unlabelled and labelled:
            errors.append(
                Problem(
                    "error",
                    "missing-target",
                    f"{len(unlabelled):,} row(s) have no '{target}'.",
                    f"rows {shorten(unlabelled)}",
                    len(unlabelled),
                    why="A row without a label can neither train nor test a network.",
                    do="Fill the labels in, or remove the rows.",
                )
            )
        elif unlabelled:
            labels = None
    if errors:
        raise UserError(errors)
    names = [str(value).strip() for value in paths]
    others = [column for column in frame.columns if column not in (columns[0], target)]
    if others:
        what = f"{len(others)} column(s) of '{path.name}' are not used: the network sees the images only."
        problems.append(Problem("note", "unused-columns", what, shorten(others), len(others)))
    repeated = len(names) - len(set(names))
    if repeated:
        what = f"{repeated:,} row(s) repeat the path of an earlier row."
        problems.append(Problem("warning", "repeated-paths", what, "", repeated))
    root = path.parent
    text_labels = None if labels is None else [str(value) for value in labels]
    return Listing(root, [root / name for name in names], names, text_labels, target=target, problems=problems)


def _read(path: Path, rows: int | None = None) -> pl.DataFrame:
    """Every column as text, so that 007 stays 007."""
    if path.suffix.lower() == ".parquet":
        lazy = pl.scan_parquet(path, glob=False)
        frame = lazy.head(rows).collect() if rows else lazy.collect()
        return frame.select(pl.all().cast(pl.String, strict=False))
    separator = "\t" if path.suffix.lower() == ".tsv" else ","
    return pl.read_csv(path, separator=separator, infer_schema=False, n_rows=rows, glob=False)


def _path_columns(frame: pl.DataFrame) -> list[str]:
    """Columns of which nine values in ten end like an image file."""
    found: list[str] = []
    for column in frame.columns:
        values = frame[column].drop_nulls().to_list()
        likely = sum(Path(value.strip()).suffix.lower() in SUFFIXES for value in values)
        if values and likely >= 0.9 * len(values):
            found.append(column)
    return found


def _target(path: Path, frame: pl.DataFrame, path_column: str, target: str | None, labelled: bool) -> str | None:
    others = [column for column in frame.columns if column != path_column]
    if target is not None:
        if target in others:
            return target
        if labelled:
            raise UserError(unknown_name("column", target, others))
        return None
    if len(others) == 1:
        return others[0]
    named = [column for column in others if column.lower() in TARGET_NAMES]
    if len(named) == 1:
        return named[0]
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
