"""Accuracy of the default recipe on real data, each through the command line.

python benchmarks/bench_accuracy.py [adult housing mammography pima iris mnist10k cifar10 gates]
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars
from measured import data_folder, unpacked, workings, write
from sklearn.datasets import load_iris
from sklearn.model_selection import KFold, StratifiedKFold

Row = dict[str, Any]


def row(what: str, values: list[float], bar: str, least: float, **more: Any) -> Row:
    """One measured figure; ``least`` is the bar as a number."""
    value = statistics.mean(values)
    spread = f"sd {statistics.stdev(values):.4f}" if len(values) > 1 else "–"
    return {
        "what": what,
        "value": round(value, 4),
        "bar": bar,
        "n": len(values),
        "spread": spread,
        "met": value >= least,
        **more,
    }


def took(what: str, seconds: list[float], most: float) -> Row:
    """The whole command's time, start-up, baselines and report included."""
    return {
        "what": f"{what}: seconds, whole command",
        "value": round(max(seconds), 1),
        "bar": f"≤ {most:.0f}",
        "n": len(seconds),
        "spread": f"{min(seconds):.1f} to {max(seconds):.1f}",
        "met": max(seconds) <= most,
    }


def train(folder: Path, name: str, data: Path, *options: object) -> tuple[dict[str, float], float]:
    """Metrics of one run by the default recipe, and how long the command took."""
    began = time.perf_counter()
    found = workings("train", data, *options, "--out", folder / name)
    return found["metrics"], time.perf_counter() - began


def folds(
    folder: Path, name: str, frame: polars.DataFrame, target: str, stratified: bool
) -> tuple[list[dict[str, float]], list[float]]:
    """10-fold cross-validation: each fold a training file and a test file of its own."""
    splitter = (StratifiedKFold if stratified else KFold)(10, shuffle=True, random_state=0)
    metrics, seconds = [], []
    for k, (inside, outside) in enumerate(splitter.split(np.zeros(len(frame)), frame[target].to_numpy())):
        inner, outer = folder / f"{name}-{k}.csv", folder / f"{name}-{k}-test.csv"
        frame[inside].write_csv(inner)
        frame[outside].write_csv(outer)
        found, took_ = train(folder, f"{name}-{k}", inner, "--target", target, "--test", outer)
        metrics.append(found)
        seconds.append(took_)
    return metrics, seconds


def adult(folder: Path) -> list[Row]:
    tables = data_folder() / "tables"
    found, seconds = train(
        folder, "adult", tables / "adult-train.csv", "--target", "income", "--test", tables / "adult-test.csv"
    )
    return [
        row("adult: accuracy", [found["accuracy"]], "≥ 0.85", 0.85, headline=True),
        row("adult: ROC AUC", [found["roc_auc"]], "≥ 0.905", 0.905),
        took("adult", [seconds], 120),
    ]


def housing(folder: Path) -> list[Row]:
    runs = [
        train(folder, f"housing-{seed}", data_folder() / "tables" / "housing.csv", "--target", "medv", "--seed", seed)
        for seed in range(5)
    ]
    return [
        row("housing: R², 5 seeds", [found["r2"] for found, _ in runs], "≥ 0.84", 0.84, headline=True),
        took("housing", [seconds for _, seconds in runs], 60),
    ]


def mammography(folder: Path) -> list[Row]:
    data = data_folder() / "tables" / "mammography.csv"
    runs = [
        train(folder, f"mammography-{seed}", data, "--target", "calcification", "--seed", seed) for seed in range(5)
    ]
    told = workings("check", data, "--target", "calcification")["problems"]
    named = [problem for problem in told if "imbalance" in problem["code"]]
    return [
        row(
            "mammography: average precision, 5 seeds",
            [found["average_precision"] for found, _ in runs],
            "≥ 0.60",
            0.60,
            headline=True,
        ),
        took("mammography", [seconds for _, seconds in runs], 120),
        {
            "what": "mammography: imbalance named in the check",
            "value": bool(named),
            "bar": "named",
            "n": 1,
            "met": bool(named),
        },
    ]


def pima(folder: Path) -> list[Row]:
    data = data_folder() / "tables" / "pima-indians-diabetes.csv"
    metrics, _ = folds(folder, "pima", polars.read_csv(data), "diabetic", True)
    told = str(workings("check", data, "--target", "diabetic")["problems"])
    columns = ["glucose", "blood_pressure", "skin_thickness", "insulin", "bmi"]
    noticed = [column for column in columns if column in told]
    return [
        row("pima: accuracy, 10-fold", [found["accuracy"] for found in metrics], "≥ 0.75", 0.75, headline=True),
        {
            "what": "pima: columns whose zeros mean missing, noticed",
            "value": f"{len(noticed)} of {len(columns)}",
            "bar": "noticed",
            "n": 1,
            "met": len(noticed) == len(columns),
        },
    ]


def iris(folder: Path) -> list[Row]:
    bunch = load_iris()
    columns = {name: bunch.data[:, j] for j, name in enumerate(bunch.feature_names)}
    frame = polars.DataFrame({**columns, "species": bunch.target_names[bunch.target]})
    metrics, _ = folds(folder, "iris", frame, "species", True)
    return [row("iris: accuracy, 10-fold", [found["accuracy"] for found in metrics], "≥ 0.95", 0.95)]


def mnist10k(folder: Path) -> list[Row]:
    found, seconds = train(folder, "mnist10k", unpacked("mnist10k"))
    return [
        row("mnist10k: accuracy", [found["accuracy"]], "≥ 0.985", 0.985, headline=True),
        took("mnist10k", [seconds], 180),
    ]


def cifar10(folder: Path) -> list[Row]:
    images = unpacked("cifar10")
    found, seconds = train(folder, "cifar10", images / "train", "--test", images / "test")
    return [
        row("cifar10: accuracy", [found["accuracy"]], "≥ 0.80 (goal 0.90)", 0.80, headline=True),
        took("cifar10", [seconds], 900),
    ]


def gates(folder: Path) -> list[Row]:
    inputs = [(0, 0), (0, 1), (1, 0), (1, 1)]
    truths: dict[str, Callable[[int, int], int]] = {
        "AND": lambda a, b: a & b,
        "OR": lambda a, b: a | b,
        "NOT": lambda a, b: 1 - a,
        "XOR": lambda a, b: a ^ b,
        "XNOR": lambda a, b: 1 - (a ^ b),
    }
    rows = []
    for name, f in truths.items():
        data = folder / f"{name}.csv"
        lines = [f"{a},{b},{f(a, b)}" for a, b in inputs] if name != "NOT" else ["0,,1", "1,,0"]
        if name == "NOT":
            data.write_text("x1,y\n0,1\n1,0\n", encoding="utf-8")
        else:
            data.write_text("\n".join(["x1,x2,y", *lines, ""]), encoding="utf-8")
        net = "mlp" if name in ("XOR", "XNOR") else "perceptron"
        options = ["--target", "y", "--net", net, "--task", "binary"]
        options += ["--set", "test_fraction=0", "--set", "val_fraction=0"]
        found = workings("train", data, *options, "--out", folder / name)
        exact = found["metrics"]["accuracy"] == 1
        rows.append({"what": f"{name} learnt by {net}", "value": exact, "bar": "exact", "n": 1, "met": exact})
    options = ["--target", "y", "--net", "perceptron", "--task", "binary"]
    options += ["--set", "test_fraction=0", "--set", "val_fraction=0"]
    found = workings("train", folder / "XOR.csv", *options, "--out", folder / "XOR-perceptron")
    said = any(problem["code"] == "not-linearly-separable" for problem in found["problems"])
    rows.append(
        {"what": "perceptron on XOR says: not linearly separable", "value": said, "bar": "said", "n": 1, "met": said}
    )
    return rows


ALL = {each.__name__: each for each in (gates, iris, pima, housing, mammography, adult, mnist10k, cifar10)}


def main() -> None:
    chosen = sys.argv[1:] or list(ALL)
    for name in chosen:
        with tempfile.TemporaryDirectory() as folder:
            write("accuracy", "python benchmarks/bench_accuracy.py", ALL[name](Path(folder)))


if __name__ == "__main__":
    main()
