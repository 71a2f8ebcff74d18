"""New texts for a trained net: in the form of training, with or without labels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from workings.base.errors import UserError, refuse
from workings.base.problems import Problem
from workings.data.schema import Schema
from workings.data.table_cells import clean
from workings.data.table_convert import classes_of
from workings.data.text.brought import Brought
from workings.data.text.checks import empty_problems
from workings.data.text.dataset import TextDataset, Texts, checked
from workings.data.text.folders import read_flat, read_folder
from workings.data.text.opening import numbers_of, unknown_classes
from workings.data.text.prepare import TextPreparation
from workings.data.text.tables import is_table_file, is_texts, of_lists, read_columns


def read_texts_for(
    prep: TextPreparation, schema: Schema, data: object, require_target: bool, options: Mapping[str, Any]
) -> TextDataset:
    """``data`` as texts that ``prep`` can prepare.

    Raises:
        UserError: what cannot be read; columns that are missing; labels that the net does not know.
    """
    brought = _bring(prep, data, require_target)
    problems = brought.problems
    on_bad_row = str(options.get("on_bad_row", "refuse"))
    problems += empty_problems(brought, on_bad_row, must_keep=on_bad_row != "drop")
    y, more = _labels(prep, brought, require_target)
    problems += more
    errors = [problem for problem in problems if problem.level == "error"]
    if errors:
        raise UserError(errors)
    texts, same = checked(brought.texts)
    read = Texts(texts, y, brought.rows, brought.places, brought.column, brought.unit, brought.digest, same)
    read.problems = problems
    return TextDataset(read, prep.task(), schema)


def _bring(prep: TextPreparation, data: object, require_target: bool) -> Brought:
    if isinstance(data, tuple) and len(data) == 2 and is_texts(data[0]):
        columns = of_lists(data[0], data[1], prep.target)
        return read_columns(columns, "text", prep.target, None, labelled=require_target, guess=False)
    if is_texts(data):
        if require_target:
            raise refuse("no-target", "The texts come without labels.", do="Give a pair (texts, labels).")
        return read_columns(of_lists(data, None, ""), "text", None, None, labelled=False, guess=False)
    if isinstance(data, (str, Path)) and not is_table_file(Path(data)):
        return _of_path(prep, Path(data), require_target)
    return read_columns(data, prep.text, prep.target, None, labelled=require_target, guess=False)


def _of_path(prep: TextPreparation, path: Path, require_target: bool) -> Brought:
    """A folder like that of training, or plain files without labels."""
    unit = "file" if prep.unit == "file" else "line"
    if path.is_dir():
        try:
            brought = read_folder(path, prep.target)
        except UserError as error:
            if require_target or {problem.code for problem in error.problems} - {"one-class", "no-texts"}:
                raise
        else:
            if require_target or brought.unit == unit:
                return brought
    elif require_target and path.exists():
        what = f"'{path}' holds texts without labels, so there is nothing to compare with."
        raise refuse("no-target", what, do="Give a table with the target, or a folder like that of training.")
    brought = read_flat(path, unit)
    said = "Each line is taken for a text" if unit == "line" else "Each file is taken for a text"
    brought.problems.append(Problem("note", "unit", f"{said}, as in training." if prep.unit == unit else f"{said}."))
    return brought


def _labels(prep: TextPreparation, brought: Brought, require_target: bool) -> tuple[np.ndarray | None, list[Problem]]:
    """(y or None where it is not known for every text, problems)."""
    if brought.labels is None:
        return None, []
    values = pl.Series(brought.labels.to_list(), dtype=pl.String) if brought.by_name else clean(brought.labels).values
    absent = values.is_null().to_numpy()
    found: list[Problem] = []
    if absent.any():
        rows = np.flatnonzero(absent)
        what = f"The target '{prep.target}' is missing in {len(rows):,} row(s)."
        why = "There is nothing to compare the prediction with."
        do = "Fill them in, or remove the rows."
        found.append(Problem("error", "missing-target", what, brought.where(rows), len(rows), why, do))
    if prep.classes is None:
        y = numbers_of(values)
        bad = np.flatnonzero(~np.isfinite(y) & ~absent)
        if len(bad):
            what = f"The target '{prep.target}' is no finite number in {len(bad):,} row(s)."
            where = brought.where(bad)
            found.append(Problem("error", "bad-target-value", what, where, len(bad), do="Correct these cells."))
    else:
        y = classes_of(values, prep.classes)
        named = [prep.classes[k] if k >= 0 else str(cell) for k, cell in zip(y, values, strict=True)]
        known = [prep.classes[0] if gone else name for gone, name in zip(absent, named, strict=True)]
        unknown = unknown_classes(known, prep.classes, brought)
        found += [unknown] if unknown else []
    if found and not require_target:
        if brought.by_name:  # files of any name may be predicted
            return None, []
        what = "The labels were not used: " + found[0].what
        return None, [replace(found[0], level="note", what=what, why="", do="")]
    return y, found
