"""Tables that are in memory already: DataFrames, columns, matrices, pairs of them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl

from workings.base.errors import UserError, refuse
from workings.base.problems import Problem, shorten
from workings.data.table_files import duplicated_names
from workings.data.table_input import Table


def of_memory(data: object, target: str | None = None) -> Table:
    """A DataFrame, a dict of columns, a pair ``(X, y)`` or a matrix as a table.

    target: the name of the y of a pair, where y has none.

    Raises:
        UserError: not a table; columns of different lengths; names twice; no rows.
    """
    if isinstance(data, pl.LazyFrame):
        data = data.collect()
    if isinstance(data, pl.DataFrame):
        return _of_frame(data, "the polars DataFrame")
    if _comes_from(data, "pandas") and hasattr(data, "columns"):
        return _of_pandas(data)
    if isinstance(data, Mapping):
        return _of_frame(_frame_of_columns(dict(data)), "the dict of columns")
    if isinstance(data, tuple) and len(data) == 2:
        return _of_pair(data[0], data[1], target)
    if hasattr(data, "__array__") or isinstance(data, list) or _comes_from(data, "scipy"):
        table = _of_frame(_frame_of_matrix(data), "the array")
        table.positional = True
        return table
    raise refuse(
        "not-a-table",
        f"A {type(data).__name__} is not a table.",
        do="Give a path, a polars or pandas DataFrame, a dict of columns, or a pair (X, y) of arrays.",
    )


def _of_frame(frame: pl.DataFrame, name: str) -> Table:
    names = [column.strip() for column in frame.columns]
    twice = sorted({each for each in names if names.count(each) > 1})
    if twice:
        raise UserError(duplicated_names(twice, name))
    if frame.height == 0:
        raise refuse("header-only", f"{name} has no rows.", where=shorten(names, 8), do="Give data with rows.")
    frame = frame.rename(dict(zip(frame.columns, names, strict=True)))
    return Table(names, frame.height, name, digest_of(frame), frame=frame.rechunk())


def _of_pandas(data: Any) -> Table:
    names = [str(name) for name in data.columns]
    twice = sorted({each for each in names if names.count(each) > 1})
    if twice:
        raise UserError(duplicated_names(twice, "the pandas DataFrame"))
    problems: list[Problem] = []
    if data.index.name is not None or not _counts_rows(data.index):
        what = f"The index of the DataFrame ({data.index.name or 'unnamed'}) is not used."
        problems.append(Problem("note", "index-unused", what, do="Call reset_index() to make it a column."))
    columns: dict[str, Any] = {}
    for k, name in enumerate(names):
        values = data.iloc[:, k]
        columns[name] = values.tolist() if values.dtype == object else pl.from_pandas(values)
    table = _of_frame(_frame_of_columns(columns), "the pandas DataFrame")
    table.problems += problems
    return table


def _counts_rows(index: Any) -> bool:
    return index.dtype.kind in "iu" and bool((np.asarray(index) == np.arange(len(index))).all())


def _of_pair(X: Any, y: Any, target: str | None) -> Table:
    """``(X, y)``: y becomes a column called ``target``, its own name, or ``y``."""
    positional = not hasattr(X, "columns") and not isinstance(X, Mapping)
    problems: list[Problem] = []
    if positional:
        frame = _frame_of_matrix(X)
    else:
        inner = of_memory(X)
        assert inner.frame is not None
        frame, problems = inner.frame, inner.problems
    values = np.asarray(_plain(y))
    if values.ndim == 2 and values.shape[1] == 1:
        values = values[:, 0]
    if values.ndim != 1 or len(values) != frame.height:
        raise refuse(
            "target-length",
            f"X has {frame.height:,} rows and y has the shape {values.shape}.",
            why="Each row needs one target.",
            do="Give y with one value a row; a one-hot y becomes one by y.argmax(axis=1).",
        )
    name = target or getattr(y, "name", None) or "y"
    if name in frame.columns:
        raise UserError(duplicated_names([name], "(X, y)"))
    frame = frame.with_columns(_series(str(name), values))
    table = _of_frame(frame, "(X, y)")
    table.problems += problems
    table.positional, table.target = positional, str(name)
    return table


def _frame_of_matrix(X: Any) -> pl.DataFrame:
    values = np.asarray(_plain(X))
    if values.ndim != 2:
        raise refuse(
            "wrong-shape",
            f"X has the shape {values.shape}; a table has rows and columns.",
            do="Give (n, columns); one column is X.reshape(-1, 1).",
        )
    if values.shape[1] == 0:
        raise refuse("no-features", "X has no columns.", do="Give (n, columns).")
    return pl.DataFrame([_series(f"x{k}", values[:, k]) for k in range(values.shape[1])])


def _frame_of_columns(columns: dict[Any, Any]) -> pl.DataFrame:
    """A frame of named columns.

    Raises:
        UserError: columns of different lengths, or of more than one dimension.
    """
    made = [_series(str(name), values) for name, values in columns.items()]
    lengths = {series.name: len(series) for series in made}
    if len(set(lengths.values())) > 1:
        raise refuse(
            "column-lengths",
            "The columns have different lengths.",
            where=shorten((f"{name}: {length:,}" for name, length in lengths.items()), 8),
            do="Give columns of one length.",
        )
    return pl.DataFrame(made)


def _series(name: str, values: Any) -> pl.Series:
    """A named column of whatever was given; cells of different types become text, each by itself."""
    if isinstance(values, pl.Series):
        return values.alias(name)
    if _comes_from(values, "pandas"):
        return pl.from_pandas(values).alias(name)
    array = np.asarray(_plain(values))
    if array.ndim != 1:
        raise refuse("wrong-shape", f"Column '{name}' has the shape {array.shape}.", do="A column has one value a row.")
    if array.dtype.kind in "biufM":
        return pl.Series(name, array if array.dtype != np.float16 else array.astype(np.float32))
    cells = values if isinstance(values, list) else array.tolist()
    kinds = {type(cell) for cell in cells if cell is not None and cell == cell}
    if kinds <= {int, float} or len(kinds) <= 1:
        return pl.Series(name, [None if cell != cell else cell for cell in cells], strict=False)
    return pl.Series(name, [None if cell is None or cell != cell else str(cell) for cell in cells], dtype=pl.String)


def _plain(values: Any) -> Any:
    """A torch tensor as an array; anything else as it is."""
    if _comes_from(values, "torch"):
        return values.detach().cpu().numpy()
    if _comes_from(values, "scipy") and hasattr(values, "toarray"):
        raise refuse("sparse", "X is a sparse matrix; tables are dense.", do="Give X.toarray().")
    return values


def _comes_from(value: object, package: str) -> bool:
    return type(value).__module__.partition(".")[0] == package


def digest_of(frame: pl.DataFrame) -> str:
    """sha256 of names, types and cells, the same for the same content in any process."""
    digest = hashlib.sha256()
    for series in frame:
        digest.update(f"{series.name}\x1f{series.dtype}\x1e".encode())
        if series.dtype.is_numeric() or series.dtype == pl.Boolean:
            digest.update(series.is_null().to_numpy().tobytes())
            zero = False if series.dtype == pl.Boolean else 0
            digest.update(np.ascontiguousarray(series.fill_null(zero).to_numpy()).tobytes())
        else:
            text = series.cast(pl.String, strict=False) if not series.dtype.is_nested() else None
            cells = (str(cell) for cell in series) if text is None else ("\0" if c is None else c for c in text)
            digest.update("\x1f".join(cells).encode())
    return digest.hexdigest()
