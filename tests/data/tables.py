"""A table without fault, the same table with faults, and how a case of one is written down."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

RNG = np.random.default_rng(0)
N = 60


def good() -> dict[str, Any]:
    """A table without fault: two numbers, a category, a target of two classes."""
    rng = np.random.default_rng(1)
    age, weight = rng.normal(40, 9, N).round(2), rng.normal(70, 8, N).round(2)
    return {
        "age": age.tolist(),
        "weight": weight.tolist(),
        "colour": rng.choice(["red", "green", "blue"], N).tolist(),
        "sick": np.where(age + rng.normal(0, 9, N) > 40, "yes", "no").tolist(),
    }


def changed(**columns: Any) -> dict[str, Any]:
    """The good table with columns replaced or added."""
    return {**good(), **columns}


def put(column: str, cells: dict[int, Any], as_text: bool = True) -> dict[str, Any]:
    """The good table with single cells replaced."""
    table = good()
    values = [str(value) if as_text else value for value in table[column]]
    for row, cell in cells.items():
        values[row] = cell
    return {**table, column: values}


Maker = Callable[[Path], Any]


def file(name: str, content: str | bytes) -> Maker:
    """A maker of a file with that content."""

    def make(folder: Path) -> Path:
        path = folder / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return make


def csv(columns: dict[str, Any] | None = None, name: str = "t.csv", **how: Any) -> Maker:
    """A maker of a CSV file of ``columns``."""

    def make(folder: Path) -> Path:
        path = folder / name
        pl.DataFrame(columns or good(), strict=False).write_csv(path, **how)
        return path

    return make


def data(value: Any) -> Maker:
    """A maker of data in memory."""
    return lambda _: value


def parquet(frame: pl.DataFrame) -> Maker:
    """A maker of a Parquet file."""

    def make(folder: Path) -> Path:
        frame.write_parquet(folder / "t.parquet")
        return folder / "t.parquet"

    return make


WARN: dict[str, Any] = {"level": "warning"}
NOTE: dict[str, Any] = {"level": "note"}
X = RNG.normal(size=(N, 3))


@dataclass
class Case:
    """What is opened, with what arguments; the code expected, and words that its text must hold."""

    name: str
    make: Maker
    code: str
    words: list[str]
    target: str | None = "sick"
    options: dict[str, Any] = field(default_factory=dict)
    level: str = "error"
