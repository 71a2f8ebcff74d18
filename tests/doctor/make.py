"""Small runs to be examined: a table that a small net learns, and runs on it with one thing wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars

from workings import api
from workings.base.finding import Finding

QUICK: dict[str, Any] = {"lane": "eager@1", "report": False, "baselines": False, "hidden": [16, 16]}
QUICK |= {"dropout": 0.0, "weight_decay": 0.01}


def write_table(path: Path, n: int = 300) -> Path:
    """Two numbers whose sign tells two classes apart, and one that says nothing."""
    rng = np.random.default_rng(5)
    x = rng.normal(size=(n, 3)).round(4)
    y = np.where(x[:, 0] + x[:, 1] > 0, "yes", "no")
    polars.DataFrame({"a": x[:, 0], "b": x[:, 1], "c": x[:, 2], "y": y}).write_csv(path)
    return path


def train(data: Path, out: Path, **settings: Any) -> Path:
    """The folder of a run of a few dozen steps."""
    return api.train(data, target="y", out=out, settings={"epochs": 15, **QUICK, **settings}).path


def finding(code: str) -> Finding:
    """A finding of that code, for what does not look at its evidence."""
    return Finding(code, f"{code}.", "", 1, "a statistic", 1.0, 1.0, 1.0, 0.5, "")
