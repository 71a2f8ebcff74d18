"""Texts in a table: a CSV, TSV or Parquet file, a DataFrame, columns, or Python lists."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from workings.base.errors import UserError, refuse
from workings.base.problems import Problem, shorten
from workings.data.schema import Field
from workings.data.table_cells import numbers
from workings.data.table_input import Table
from workings.data.table_kinds import find_field
from workings.data.table_profile import ColumnProfile
from workings.data.table_reading import read_table
from workings.data.table_target import missing_column, no_target
from workings.data.text.brought import Brought
from workings.data.text.columns import head_of, likely_target, only_text_column, text_columns

LIST_COLUMN = "text"


def is_texts(value: object) -> bool:
    """Whether ``value`` is a list, array or series of texts; None stands for a text that is missing."""
    if isinstance(value, (str, bytes)) or not hasattr(value, "__len__") or hasattr(value, "columns"):
        return False
    if not isinstance(value, Sequence | np.ndarray | pl.Series) and not hasattr(value, "to_list"):
        return False
    if isinstance(value, np.ndarray) and value.ndim != 1:
        return False
    first = next((each for each in value if each is not None), None)  # type: ignore[union-attr]
    return isinstance(first, str)


def of_lists(texts: Any, labels: Any, target: str) -> dict[str, Any]:
    """Texts and labels as columns.

    Raises:
        UserError: texts that are none; as many labels as texts are not there.
    """
    cells = list(texts)
    wrong = [k for k, each in enumerate(cells) if each is not None and not isinstance(each, str)]
    if wrong:
        kinds = sorted({type(cells[k]).__name__ for k in wrong})
        what = f"{len(wrong):,} of {len(cells):,} texts are none: {shorten(kinds)}."
        where = f"rows {shorten(k + 1 for k in wrong)}"
        raise refuse("not-a-text", what, where=where, count=len(wrong), do="Give strings; None where one is missing.")
    columns: dict[str, Any] = {LIST_COLUMN: pl.Series(LIST_COLUMN, cells, dtype=pl.String)}
    if labels is None:
        return columns
    if len(labels) != len(cells):
        what = f"There are {len(cells):,} texts and {len(labels):,} labels."
        raise refuse("target-length", what, why="Each text needs one label.", do="Give as many labels as texts.")
    return {**columns, target: labels}


def read_columns(
    data: object, text: str | None, target: str | None, group: str | None, *, labelled: bool, guess: bool
) -> Brought:
    """The text column of a table, with its target and group where they are there.

    text, target: their names, or None where ``guess`` lets them be found. labelled: the target is needed.

    Raises:
        UserError: not a table; columns that are missing, or not known.
    """
    table = read_table(data)
    names = table.names
    problems: list[Problem] = []
    problems += [missing_column(name, names, table.name) for name in (text, group) if name and name not in names]
    if target is not None and labelled and target not in names:
        problems.append(missing_column(target, names, table.name))
    if target is not None and target in (text, group):
        problems.append(
            _error("target-is-text", f"'{target}' is the target and the text, or the group.", do="Name another.")
        )
    if problems:
        raise UserError(problems)
    if text is None:
        text = _find_text(table, data, {name for name in (target, group) if name})
    if target is None and guess:
        target = _find_target(table, data, text, group)
    if target not in names:
        target = None
    if target is None and labelled:
        raise UserError(no_target([name for name in names if name != text], table.name))
    frame, rows = _collect(table)
    return _brought(table, frame, rows, text, target, group)


def _collect(table: Table) -> tuple[pl.DataFrame, np.ndarray]:
    parts = list(table.numbered())
    frame = pl.concat([chunk for chunk, _ in parts]) if parts else pl.DataFrame({name: [] for name in table.names})
    rows = np.concatenate([of_chunk for _, of_chunk in parts]) if parts else np.zeros(0, dtype=np.int64)
    if not frame.height:
        raise refuse("header-only", f"{table.name} has no rows but empty ones.", do="Give data with rows.")
    return frame, rows


def _brought(
    table: Table, frame: pl.DataFrame, rows: np.ndarray, text: str, target: str | None, group: str | None
) -> Brought:
    problems = list(table.problems)
    fields = [_field(frame[name], name, text, target, group) for name in table.names]
    held = _no_texts(frame[text])
    if held:
        what = f"The column '{text}' of {table.name} holds {held}, no texts."
        raise refuse("not-a-text", what, do="Name the column of the texts: --set text=COLUMN.")
    if table.empty:
        what = f"{table.empty:,} empty row(s) were skipped."
        problems.append(Problem("note", "empty-rows", what, count=table.empty))
    unused = [name for name in table.names if name not in (text, target, group)]
    if unused:
        what = f"{len(unused)} column(s) are not used: the network reads '{text}' only."
        problems.append(Problem("note", "unused-columns", what, shorten(unused, 12), len(unused)))
    texts = frame[text].cast(pl.String)
    return Brought(
        texts.to_list(),
        None if target is None else frame[target],
        rows,
        text,
        target or "",
        "row",
        table.digest,
        groups=None if group is None else [str(cell) for cell in frame[group]],
        fields=fields,
        problems=problems,
    )


def _no_texts(series: pl.Series) -> str:
    """What the column holds where it is no text; empty where it is one."""
    if series.dtype not in (pl.String, pl.Categorical, pl.Enum, pl.Null):
        return str(series.dtype).lower()
    present = series.cast(pl.String).drop_nulls()
    present = present.filter(present.str.strip_chars() != "")
    return "numbers" if len(present) and numbers(present.str.strip_chars()).is_not_null().all() else ""


def _field(series: pl.Series, name: str, text: str, target: str | None, group: str | None) -> Field:
    """What a column is to the network."""
    profile = ColumnProfile(name)
    profile.add(series, np.arange(len(series)), True)
    field = find_field(profile)
    if name == text:
        return field.model_copy(update={"kind": "text", "reason": "the text", "used": True, "top": []})
    if name == target:
        return field
    reason = "it keeps texts of one group on one side of the split" if name == group else "the network reads texts"
    return field.model_copy(update={"used": False, "reason": reason})


def _find_text(table: Table, data: object, but: set[str]) -> str:
    head = table.frame.head(1_000) if table.frame is not None else head_of(data)
    found = [] if head is None else only_text_column(head, but)
    if len(found) == 1:
        return found[0]
    what = f"{len(found)} columns of {table.name} hold texts" if found else f"No column of {table.name} holds texts"
    where = shorten(found or table.names, 12)
    named = found[0] if found else table.names[0]
    raise refuse("which-text", f"{what}.", where=where, do=f"Say which one is to be read: --set text={named}.")


def _find_target(table: Table, data: object, text: str, group: str | None) -> str | None:
    head = table.frame.head(1_000) if table.frame is not None else head_of(data)
    kinds = {} if head is None else text_columns(head)
    return likely_target([name for name in table.names if name != group], kinds, text)


def _error(code: str, what: str, do: str) -> Problem:
    return Problem("error", code, what, do=do)


def is_table_file(path: Path) -> bool:
    """Whether the file is a table by its name."""
    return path.suffix.lower() in {".csv", ".tsv", ".tab", ".data", ".parquet", ".pq"}
