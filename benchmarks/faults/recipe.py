"""A program that Workings trains itself: a recipe, run in process and watched as every run is."""

from __future__ import annotations

import csv
import json
import math
import tempfile
from collections.abc import Callable
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
        try:
            done = workings.train(
                **_brought(recipe, seed, path), out=path / "run", seed=seed, settings=_settings(recipe)
            )
        except NonFiniteError as stop:
            raise NotRun(f"stopped: {_codes(stop)}", _seen(path)) from stop
        except UserError as refused:
            raise NotRun(f"refused: {_codes(refused)}") from refused
        value = recipe.sign * float(done.metrics[recipe.metric])
        history = _seen(path)
        assert history is not None
    return Result(recipe.metric, value if math.isfinite(value) else -1e9, history)


def _seen(folder: Path) -> History | None:
    watched = folder / "run" / "watch.json"
    return History.from_dict(json.loads(watched.read_text(encoding="utf-8"))) if watched.is_file() else None


def _codes(error: UserError) -> str:
    return ", ".join(problem.code for problem in error.problems)


def _settings(recipe: Recipe) -> dict[str, Any]:
    return {**ALWAYS, **recipe.settings}


def _brought(recipe: Recipe, seed: int, folder: Path) -> dict[str, Any]:
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
