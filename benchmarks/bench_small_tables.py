"""Which defaults suit small tables: variants of the default recipe, judged on inner rows only.

python benchmarks/bench_small_tables.py [--repeats 3] [--outer 3] [VARIANT …]

Of each table, outer parts are the training rows of folds as ``bench_accuracy`` makes them (10-fold); the fold's own
rows are never read. An outer part is cut by repeated stratified 5-fold: a variant is trained on four fifths, of which
a part chooses the weights as in ``workings train``, and judged on the last. Every variant sees the same rows and
seeds, so differences to ``before`` are paired.
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import polars
import torch
from measured import data_folder, write
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris, load_wine
from sklearn.metrics import accuracy_score, log_loss, r2_score
from sklearn.model_selection import RepeatedStratifiedKFold, StratifiedKFold, train_test_split

from workings.data import open_dataset
from workings.data.prepare import PrepareSettings
from workings.data.split import bands
from workings.data.table import TableDataset
from workings.learning.outputs import decide, outputs
from workings.nets import build, registry
from workings.runs.fit import Fit, start_net
from workings.runs.machine import steady
from workings.runs.making import outputs_of
from workings.runs.recipe import make_recipe
from workings.runs.settle import Facts, settle
from workings.runs.settle_preparation import settle_preparation

OUTER = (0, 3, 6, 9, 1)  # folds whose training rows are used
FOLDS = 5


@dataclass(frozen=True)
class Variant:
    """What differs from ``EARLIER``. given: n training rows → settings of the recipe. prepare: of the preparation.

    val: part of the rows that choose the weights. members: nets whose outputs are averaged. clip: whether numbers are
    brought into the range of the training targets. earlier: False for what `workings train` does now.
    """

    given: Callable[[int], dict[str, Any]] = field(default=lambda n: {})
    prepare: dict[str, Any] = field(default_factory=dict)
    val: float = 0.15
    members: int = 1
    clip: bool = False
    earlier: bool = True


def decay(factor: float, **given: Any) -> Callable[[int], dict[str, Any]]:
    """The default's weight decay times ``factor``."""
    return lambda n: {"weight_decay": factor * min(3.0, max(0.5, 60 / math.sqrt(n))), **given}


def always(**given: Any) -> Callable[[int], dict[str, Any]]:
    """The same settings for every number of rows."""
    return lambda n: given


def longer(factor: float, **given: Any) -> Callable[[int], dict[str, Any]]:
    """The default's number of epochs times ``factor``."""

    def settings(n: int) -> dict[str, Any]:
        root = math.sqrt(n)
        batch = max(16, min(1024, 2 ** round(math.log2(1.6 * root))))
        return {"epochs": float(round(factor * min(100, math.ceil((400 + 5 * root) / max(1, n // batch))))), **given}

    return settings


# What was derived for fewer than 1,000 rows when these variants were first tried; nothing here hangs on later defaults.
EARLIER = {"average": 0.0, "numeric": "standardise", "bins": 8, "zeros_as_missing": "auto"}
NO_ZEROS = {"zeros_as_missing": []}
NO_BINS = {"numeric": "auto", "bins": 0}
VARIANTS: dict[str, Variant] = {
    "before": Variant(prepare=NO_ZEROS),
    "zeros": Variant(),
    "now": Variant(earlier=False),
    "no bins": Variant(prepare=NO_BINS),
    "4 bins": Variant(prepare={"bins": 4}),
    "no bins, average": Variant(always(average=0.98), prepare=NO_BINS),
    "decay x2": Variant(decay(2)),
    "decay x3": Variant(decay(3)),
    "last weights": Variant(always(keep_best=False)),
    "average, best": Variant(always(average=0.98)),
    "average, last": Variant(always(average=0.98, keep_best=False)),
    "no validation rows": Variant(val=0.0),
    "no validation rows, average": Variant(always(average=0.98), val=0.0),
    "half the steps": Variant(longer(0.5)),
    "32 units": Variant(always(hidden=[32, 32])),
    "dropout 0.4": Variant(always(dropout=0.4)),
    "rate 1e-3": Variant(always(learning_rate=1e-3)),
    "3 members": Variant(members=3),
    "clipped": Variant(clip=True),
    "gentle": Variant(always(dropout=0.4, learning_rate=1e-3)),
    "gentle, half the steps": Variant(longer(0.5, dropout=0.4, learning_rate=1e-3)),
    "gentle, decay x2": Variant(decay(2, dropout=0.4, learning_rate=1e-3)),
    "gentle, dropout 0.5": Variant(always(dropout=0.5, learning_rate=1e-3)),
    "gentle, rate 5e-4": Variant(always(dropout=0.4, learning_rate=5e-4)),
    "gentle, no bins": Variant(always(dropout=0.4, learning_rate=1e-3), prepare=NO_BINS),
    "no bins, decay x2": Variant(decay(2), prepare=NO_BINS),
    "no bins, dropout 0.4": Variant(always(dropout=0.4), prepare=NO_BINS),
    "no bins, rate 1e-3": Variant(always(learning_rate=1e-3), prepare=NO_BINS),
    "no bins, no validation rows, a quarter of the steps": Variant(longer(0.25), val=0.0, prepare=NO_BINS),
    "gentle, no bins, no validation rows, a quarter of the steps": Variant(
        longer(0.25, dropout=0.4, learning_rate=1e-3), val=0.0, prepare=NO_BINS
    ),
    "gentle, 3 members": Variant(always(dropout=0.4, learning_rate=1e-3), members=3),
}


def tables() -> dict[str, tuple[polars.DataFrame, str]]:
    """Small tables with their targets."""
    folder = data_folder() / "tables"

    def shipped(bunch: Any) -> tuple[polars.DataFrame, str]:
        names = getattr(bunch, "target_names", None)
        y = bunch.target if names is None or bunch.target.dtype.kind == "f" else np.asarray(names)[bunch.target]
        return polars.DataFrame({str(n): bunch.data[:, j] for j, n in enumerate(bunch.feature_names)} | {"y": y}), "y"

    return {
        "pima": (polars.read_csv(folder / "pima-indians-diabetes.csv"), "diabetic"),
        "breast cancer": shipped(load_breast_cancer()),
        "wine": shipped(load_wine()),
        "iris": shipped(load_iris()),
        "diabetes": shipped(load_diabetes(scaled=False)),
        "housing": (polars.read_csv(folder / "housing.csv"), "medv"),
    }


def trial(data: TableDataset, inside: np.ndarray, outside: np.ndarray, variant: Variant, seed: int) -> list[float]:
    """(the metric, the loss) of one variant on the rows ``outside``, trained on those ``inside``."""
    assert data.y is not None
    strata = data.y if data.task.classes else bands(data.y)
    train, val = inside, inside[:0]
    if variant.val:
        cut = train_test_split(inside, test_size=variant.val, random_state=seed, stratify=strata[inside])
        train, val = (np.asarray(rows) for rows in cut)
    numbers = sum(each.kind in ("numeric", "date") for each in data.schema.features)
    given = {"seed": seed, "lane": "eager@1", "learning_rate": 2e-3, "hidden": None, "dropout": None}
    earlier = {**EARLIER, **(NO_BINS if len(train) < 100 else {})} if variant.earlier else {}
    given = {**given, **earlier, **variant.given(len(train)), **variant.prepare}
    recipe = make_recipe({name: value for name, value in given.items() if value is not None})
    recipe = settle_preparation(recipe, len(train), numbers, data.task.kind, lambda event: None)
    prep = data.fit(train, PrepareSettings.model_validate(recipe.prepare))
    sources = [data.source(prep, np.sort(rows)) for rows in (train, val, outside)]
    outs = outputs_of(data.task, sources[0])
    counts = np.bincount(sources[0].y.numpy(), minlength=len(data.task.classes)).tolist() if data.task.classes else []
    facts = Facts(len(train), len(val), tuple(sources[0].shape), data.task.kind, outs, counts)
    recipe = settle(recipe, facts, lambda event: None)
    told = []
    for member in range(variant.members):
        with steady(1):
            torch.manual_seed(seed + 1000 * member)
            one = recipe.model_copy(update={"seed": seed + 1000 * member})
            net = build(recipe.net, facts.shape, outs, **registry.settle(recipe.net, recipe.net_settings))
            start_net(net, one, sources[0])
            fit = Fit(net, data.task.kind, one, sources[0], sources[1] if len(val) else None, lambda event: None)
            fit.run()
        told.append(outputs(net, sources[2]))
    prediction, P = decide(data.task.kind, torch.stack(told).mean(0))
    truth = sources[2].y.numpy()
    if variant.clip and data.task.classes is None:
        prediction = prediction.clip(float(sources[0].y.min()), float(sources[0].y.max()))
    if data.task.classes is None:
        return [float(r2_score(truth, prediction)), float(((truth - prediction) ** 2).mean())]
    return [float(accuracy_score(truth, prediction)), float(log_loss(truth, P, labels=range(len(data.task.classes))))]


def measure(name: str, frame: polars.DataFrame, target: str, chosen: list[str], outer: int, repeats: int) -> list[Any]:
    """The rows of one table: each variant's mean, and its paired difference to ``before``."""
    data = open_dataset(frame, target)
    assert isinstance(data, TableDataset)
    assert data.y is not None
    strata = data.y if data.task.classes else bands(data.y)
    parts = list(StratifiedKFold(10, shuffle=True, random_state=0).split(np.zeros(data.n), strata))
    found: dict[str, list[list[float]]] = {each: [] for each in chosen}
    began = time.perf_counter()
    for k in OUTER[:outer]:
        part = parts[k][0]
        cuts = RepeatedStratifiedKFold(n_splits=FOLDS, n_repeats=repeats, random_state=k).split(part, strata[part])
        for seed, (inside, outside) in enumerate(cuts):
            for each in chosen:
                found[each].append(trial(data, part[inside], part[outside], VARIANTS[each], 100 * k + seed))
    metric, lost = ("accuracy", "log loss") if data.task.classes else ("R²", "MSE")
    print(f"{name}: {len(found['before'])} trials each, {time.perf_counter() - began:.0f} s")
    rows = []
    for each in chosen:
        mine, before = np.array(found[each]), np.array(found["before"])
        gain, n = mine - before, len(mine)
        error = gain.std(0, ddof=1) / math.sqrt(n)
        rows.append(
            {
                "what": f"{name}, {each}: {metric}",
                "value": round(float(mine[:, 0].mean()), 4),
                "n": n,
                "spread": f"gain {gain[:, 0].mean():+.4f} ± {error[0]:.4f}; {lost} {mine[:, 1].mean():.4f}, "
                f"{gain[:, 1].mean():+.4f} ± {error[1]:.4f}",
            }
        )
        print(f"  {each:28} {metric} {rows[-1]['value']:.4f}  {rows[-1]['spread']}", flush=True)
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("variants", nargs="*", default=list(VARIANTS))
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--outer", type=int, default=3)
    parser.add_argument("--tables", nargs="*", default=list(tables()))
    parser.add_argument("--dry", action="store_true", help="write nothing")
    asked = parser.parse_args()
    chosen = list(dict.fromkeys(["before", *asked.variants]))
    for name in asked.tables:
        rows = measure(name, *tables()[name], chosen, asked.outer, asked.repeats)
        if not asked.dry:
            write("small-tables", "python benchmarks/bench_small_tables.py", rows)


if __name__ == "__main__":
    main()
