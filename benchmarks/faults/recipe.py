"""A program that Workings trains itself: a recipe, run in process and watched as every run is."""

from __future__ import annotations

import csv
import json
import math
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import workings
from faults.loop import SHARE, Result
from faults.samples import Maker, Samples
from workings.base.errors import UserError
from workings.learning.nonfinite import NonFiniteError
from workings.watching.history import History

ALWAYS: dict[str, Any] = {
    "lane": "eager@1",
    "threads": 1,
    "report": False,
    "baselines": False,
    "watch": SHARE,
    "checkpoint_seconds": 3600,
    "keep_best": False,
}


@dataclass(frozen=True)
class Recipe:
    """data: samples, or a function that writes files in a folder and gives the path. settings: of the recipe.

    metric: of the test rows; sign: −1 where smaller is better. change: changes the samples.
    """

    data: Maker | Callable[[Path, int], Path]
    settings: dict[str, Any]
    metric: str = "balanced_accuracy"
    sign: int = 1
    files: bool = False
    change: Callable[[Samples, np.random.Generator], Samples] | None = None


class NotRun(Exception):
    """Workings refused the recipe, or stopped it. history: what was seen until then, None where nothing was trained."""

    def __init__(self, told: str, history: History | None = None) -> None:
        super().__init__(told)
        self.history = history


def run(recipe: Recipe, seed: int) -> Result:
    """Train by ``recipe``.

    Raises:
        NotRun: it was refused, or a loss was not finite; the message says which.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder)
        return train(recipe, seed, brought(recipe, seed, path), path / "run")


def train(recipe: Recipe, seed: int, given: dict[str, Any], out: Path) -> Result:
    """Train by ``recipe`` on what ``brought`` gave, into the folder ``out``.

    Raises:
        NotRun: it was refused, or a loss was not finite; the message says which.
    """
    try:
        done = workings.train(**given, out=out, seed=seed, settings={**ALWAYS, **recipe.settings})
    except NonFiniteError as stop:
        raise NotRun(f"stopped: {_codes(stop)}", _seen(out)) from stop
    except UserError as refused:
        raise NotRun(f"refused: {_codes(refused)}") from refused
    history = _seen(out)
    assert history is not None
    return Result(recipe.metric, value(recipe, done.metrics), history)


def value(recipe: Recipe, metrics: Mapping[str, float | None]) -> float:
    """The recipe's metric of the test rows, larger is better."""
    found = metrics[recipe.metric]
    return recipe.sign * found if found is not None and math.isfinite(found) else -1e9


def _seen(folder: Path) -> History | None:
    watched = folder / "watch.json"
    return History.from_dict(json.loads(watched.read_text(encoding="utf-8"))) if watched.is_file() else None


def _codes(error: UserError) -> str:
    return ", ".join(problem.code for problem in error.problems)


def brought(recipe: Recipe, seed: int, folder: Path) -> dict[str, Any]:
    """Data, target and test for ``workings.train``; Workings takes its validation rows from the training rows."""
    if recipe.files:
        data: Path = recipe.data(folder, seed)  # type: ignore[arg-type, assignment]
        other = data.with_suffix(".iso")  # the other side of pairs
        return {"data": data, "target": str(other)} if other.is_file() else {"data": data}
    samples: Samples = recipe.data(seed)  # type: ignore[arg-type, assignment]
    if recipe.change is not None:
        samples = recipe.change(samples, np.random.default_rng([seed, 1]))
    x, y = (np.concatenate(pair) for pair in zip(samples.train, samples.val, strict=True))
    if x.dtype.kind != "U":
        return {"data": (x, y), "test": samples.test}
    for name, part in (("train", (x, y)), ("test", samples.test)):
        with (folder / f"{name}.csv").open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([("text", "label"), *zip(*part, strict=True)])
    return {"data": folder / "train.csv", "target": "label", "test": folder / "test.csv"}
