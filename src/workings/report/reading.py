"""A run folder as the report sees it: every file read once, what is absent named.

Only the files listed in the architecture are read; nothing is looked up elsewhere, so a report can be written anew on
any machine that has the folder.
"""

from __future__ import annotations

import base64
import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import numpy as np
import polars
import yaml
from numpy.typing import NDArray

from workings.base.errors import UserError, refuse
from workings.base.problems import Problem
from workings.data.schema import TaskKind


@dataclass
class RunFiles:
    """What a run folder holds. Dictionaries are empty, frames None, where ``missing`` names their file."""

    path: Path
    recipe: dict[str, Any]
    schema: dict[str, Any]
    prepare: dict[str, Any]
    card: dict[str, Any]
    net: dict[str, Any]
    metrics: dict[str, Any]
    environment: dict[str, Any]
    baselines: list[dict[str, Any]]
    record: polars.DataFrame | None
    predictions: Predictions | None
    pictures: dict[str, str]
    missing: list[str] = field(default_factory=list)
    told: polars.DataFrame | None = None  # predictions.parquet as it is

    @property
    def task(self) -> TaskKind:
        """What was learnt: classes or values."""
        learnt = (self.schema.get("task") or {}).get("kind")  # of a run that stopped before its test
        return cast(TaskKind, self.metrics.get("task") or learnt or self.recipe.get("task") or "regression")

    @property
    def target(self) -> str:
        """The column that was predicted; ``class`` for folders of images."""
        learnt = self.schema.get("task") or {}
        named = learnt.get("target") or self.recipe.get("target")
        return str(named or ("class" if self.task != "regression" else "target"))

    @property
    def classes(self) -> list[str]:
        """Names of the classes, in the order of their numbers."""
        return [str(name) for name in self.card.get("classes") or (self.schema.get("task") or {}).get("classes") or []]

    @property
    def class_counts(self) -> list[int]:
        """Rows of each class in all the data, in the order of ``classes``."""
        counts = self.card.get("class_counts") or []
        return [int(counts.get(name, 0)) for name in self.classes] if isinstance(counts, dict) else counts


@dataclass(frozen=True)
class Predictions:
    """The test rows. truth, prediction: (n,) class numbers or values; P: (n, K) or None; values: of the fields."""

    row: NDArray[np.int64]
    where: list[str]
    truth: NDArray[Any]
    prediction: NDArray[Any]
    P: NDArray[np.float64] | None
    values: list[str] | None
    classes: list[str]

    def fields(self, i: int) -> dict[str, Any]:
        """The fields of the i-th test row as the user wrote them; empty where they were not kept."""
        if self.values is None or not self.values[i]:
            return {}
        found = json.loads(self.values[i])
        return found if isinstance(found, dict) else {}


def read_run(path: Path) -> RunFiles:
    """Read a run folder.

    Raises:
        UserError: it is no run folder, or files in it are damaged; all of them are named.
    """
    path = Path(path)
    if not (path / "recipe.yaml").is_file():
        what = f"'{path}' is not a run folder: there is no recipe.yaml in it."
        raise refuse("not-a-run", what, do="Give the folder that `workings train` wrote.")
    reader = _Reader(path)
    recipe = reader.read("recipe.yaml", yaml.safe_load)
    contents = {
        name: reader.read(f"{name}.json", json.loads)
        for name in ("schema", "prepare", "data_card", "net", "metrics", "environment")
    }
    baselines = reader.read("baselines.json", json.loads, list)
    if isinstance(baselines, dict):
        baselines = baselines.get("baselines", [])
    record = reader.frame("record.parquet")
    frame = reader.frame("predictions.parquet")
    if reader.problems:
        raise UserError(reader.problems)
    run = RunFiles(
        path,
        recipe,
        contents["schema"],
        contents["prepare"],
        contents["data_card"],
        contents["net"],
        contents["metrics"],
        contents["environment"],
        list(baselines),
        record,
        None,
        {
            each.name: "data:image/png;base64," + base64.b64encode(each.read_bytes()).decode()
            for each in sorted((path / "pictures").glob("*.png"))
        },
        reader.missing,
    )
    run.told = frame
    labels = run.task in ("binary", "multiclass", "regression")
    if frame is not None and labels and {"truth", "prediction"} <= set(frame.columns) and len(frame):
        run.predictions = _predictions(frame, run)
    return run


def read_parquet(path: Path) -> polars.DataFrame:
    """The file of exactly that name: a run's folder may have brackets or a star in its name."""
    return polars.read_parquet(path, glob=False)


class _Reader:
    """Reads files one by one and collects what is missing and what is damaged."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.missing: list[str] = []
        self.problems: list[Problem] = []

    def read(self, name: str, parse: Any, empty: Any = dict) -> Any:
        path = self.folder / name
        if not path.is_file():
            self.missing.append(name)
            return empty()
        try:
            content = parse(path.read_text(encoding="utf-8"))
        except (ValueError, yaml.YAMLError) as error:
            return self._damaged(name, str(error), empty)
        if not isinstance(content, dict | list):
            return self._damaged(name, "it holds no object", empty)
        return content

    def frame(self, name: str) -> polars.DataFrame | None:
        path = self.folder / name
        if not path.is_file():
            self.missing.append(name)
            return None
        try:
            return read_parquet(path)
        except (polars.exceptions.PolarsError, OSError) as error:
            return self._damaged(name, str(error), lambda: None)

    def _damaged(self, name: str, why: str, empty: Any) -> Any:
        what = f"'{self.folder / name}' is damaged: {' '.join(why.split())}."
        self.problems.append(Problem("error", "damaged-file", what, do="Restore the file, or train again."))
        return empty()


def _predictions(frame: polars.DataFrame, run: RunFiles) -> Predictions:
    n = len(frame)
    row = frame["row"].to_numpy().astype(np.int64) if "row" in frame.columns else np.arange(n)
    where = [str(place) for place in frame["where"]] if "where" in frame.columns else [f"row {r + 1}" for r in row]
    values = [text or "" for text in frame["values"]] if "values" in frame.columns else None
    truth, prediction = frame["truth"], frame["prediction"]
    if run.task == "regression":
        t, p = (column.cast(polars.Float64).to_numpy() for column in (truth, prediction))
        return Predictions(row, where, t, p, None, values, [])
    columns = [name for name in frame.columns if name.startswith("probability_")]
    classes = run.classes or [name.removeprefix("probability_") for name in columns]
    said, seen = ([str(value) for value in column] for column in (prediction, truth))
    # A class that occurs only in the test rows still has a line in the tables, after the net's own classes.
    classes = [*classes, *sorted({*said, *seen} - set(classes), key=_natural)]
    number = {name: i for i, name in enumerate(classes)}
    P = None
    if columns:
        found = {name.removeprefix("probability_"): frame[name].cast(polars.Float64).to_numpy() for name in columns}
        if len(found) == 1 and len(classes) == 2:  # binary: one column says both
            name, p = next(iter(found.items()))
            found[next(other for other in classes if other != name)] = 1 - p
        P = np.column_stack([found.get(name, np.zeros(n)) for name in classes])
    t = np.array([number[name] for name in seen])
    p = np.array([number[name] for name in said])
    return Predictions(row, where, t, p, P, values, classes)


def _natural(name: str) -> list[tuple[int, int | str]]:
    """Sorts ``2`` before ``10``."""
    return [(0, int(part)) if part.isdigit() else (1, part) for part in re.split(r"(\d+)", name) if part]
