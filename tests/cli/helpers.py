"""What the tests of the command line share: a table, a program in an empty folder, what it said."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

# What makes a run quick; what is left out has tests of its own.
QUICK = ("--epochs", "2", "--set", "lane=eager@1", "--set", "baselines=false", "--set", "report=false")


@dataclass(frozen=True)
class Said:
    """What a command said, and how it ended."""

    code: int
    out: str
    err: str


Command = Callable[..., Said]


def environment() -> dict[str, str]:
    """As outside of a terminal, 80 columns wide."""
    kept = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "FORCE_COLOR")}
    return kept | {"OMP_NUM_THREADS": "1"}


def write_table(path: Path, n: int = 120) -> Path:
    """A table that a small net learns: two numbers, a colour, a binary target."""
    rng = np.random.default_rng(3)
    x = rng.normal(size=(n, 2)).round(3)
    colour = rng.choice(["red", "green"], size=n)
    sick = np.where(x[:, 0] - x[:, 1] + (colour == "red") > 0, "yes", "no")
    pl.DataFrame({"age": x[:, 0], "weight": x[:, 1], "colour": colour, "sick": sick}).write_csv(path)
    return path
