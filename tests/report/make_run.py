"""Run folders to write reports of: the documented files, with figures computed by small scikit-learn networks.

``python -m tests.report.make_run FOLDER`` writes a binary, a multiclass (images) and a regression run with their
reports into FOLDER, to be looked at.
"""

from __future__ import annotations

import hashlib
import json
import sys
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import polars
from PIL import Image
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits
from sklearn.metrics import log_loss
from sklearn.neural_network import MLPClassifier, MLPRegressor

from workings.base.files import write_json
from workings.data.schema import Field, Schema, Task
from workings.learning.metrics import evaluate
from workings.nets import arithmetic, build
from workings.report.baselines import run_baselines
from workings.report.mistakes import worst
from workings.runs.recipe import Recipe


def make_binary(folder: Path, epochs: int = 40, seed: int = 0) -> Path:
    """Breast cancer: 569 rows, 30 fields."""
    bunch = load_breast_cancer()
    names = [str(name) for name in bunch.feature_names]
    return _make(folder, "binary", "diagnosis", bunch.data, bunch.target, ["malignant", "benign"], names, epochs, seed)


def make_images(folder: Path, epochs: int = 20, seed: int = 0, rows: int = 1797) -> Path:
    """Digits: images of 8 × 8, ten classes."""
    digits = load_digits()
    X, y = digits.data[:rows] / 16, digits.target[:rows]
    return _make(folder, "multiclass", "class", X, y, [str(k) for k in range(10)], None, epochs, seed)


def make_regression(folder: Path, epochs: int = 120, seed: int = 0) -> Path:
    """Progress of diabetes: 442 rows, 10 fields."""
    bunch = load_diabetes(scaled=False)
    return _make(folder, "regression", "progression", bunch.data, bunch.target, None, bunch.feature_names, epochs, seed)


def _make(
    folder: Path,
    task: str,
    target: str,
    X: np.ndarray,
    y: np.ndarray,
    classes: list[str] | None,
    names: list[str] | None,
    epochs: int,
    seed: int,
) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    began = time.perf_counter()
    order = np.random.default_rng(seed).permutation(len(y))
    n_test, n_val = len(y) // 4, len(y) // 8
    test, val, train = order[:n_test], order[n_test : n_test + n_val], order[n_test + n_val :]
    mean, std = X[train].mean(0), X[train].std(0) + 1e-9
    x = X if names is None else (X - mean) / std
    shape = (1, 8, 8) if names is None else (X.shape[1],)
    model, points, best = _train(task, x, y, train, val, epochs, seed)
    prediction, P = _judge(model, task, x[test])

    name, settings = ("cnn", {}) if names is None else ("mlp", {"hidden": [32, 16]})
    net = build(name, shape, 1 if task != "multiclass" else 10, **settings)
    layers = [row.to_dict() for row in arithmetic.describe(net, shape)]
    parameters = sum(p.numel() for p in net.parameters())
    net_json = {"name": name, "settings": settings, "shape": shape, "outputs": net_outputs(task), "source": None}
    _write(folder / "net.json", {**net_json, "layers": layers, "parameters": parameters})

    recipe = Recipe(data=f"{target}.csv", target=target, task=task, net=name, epochs=epochs, seed=seed)  # type: ignore[arg-type]
    recipe = recipe.settled("batch_size", 32, f"for {len(train):,} rows")
    recipe = recipe.settled("learning_rate", 1e-3, "range test: the loss was lowest at 0.0031 and blew up at 0.024")
    recipe = recipe.settled("monitor", "loss", "smoother than any metric, and what is minimised")
    recipe.settled("keep_best", True, "the weights with the best validation value are kept").save(
        folder / "recipe.yaml"
    )

    found = evaluate(task, y[test], prediction, P)  # type: ignore[arg-type]
    _write(folder / "metrics.json", {**found.to_dict(), "on": "test rows", "best_step": best,
                                     "stopped": f"all {points[-1][0]:,} steps were done"})  # fmt: skip
    baselines = run_baselines(task, *_shaped(x, y, train, test, shape), kinds=["constant", "linear", "tree"])  # type: ignore[arg-type]
    _write(folder / "baselines.json", {"baselines": baselines})
    schema = {"step": polars.Int64, "epoch": polars.Float64, "split": polars.String, "name": polars.String,
              "value": polars.Float64, "seconds": polars.Float64}  # fmt: skip
    polars.DataFrame(points, schema=schema, orient="row").write_parquet(folder / "record.parquet")

    bad = worst(task, y[test], prediction, P)  # type: ignore[arg-type]
    _predictions(folder, task, X, y, test, prediction, P, classes, names, bad)
    _data(folder, task, target, X, y, classes, names, (train, val, test))
    if names is None:
        _pictures(folder, X, test, bad)
    environment = {
        "python": sys.version.split()[0],
        "packages": {"workings": "0.1.0", "numpy": np.__version__, "polars": polars.__version__},
        "machine": "test",
        "processor": "test",
        "cores": 2,
        "threads": 1,
        "command": f"workings train {target}.csv --target {target} --seed {seed}",
        "date": "2026-01-01T12:00:00+00:00",
        "seconds": {"reading": 0.03, "training": round(time.perf_counter() - began, 3), "evaluating": 0.2},
    }
    _write(folder / "environment.json", environment)
    return folder


def net_outputs(task: str) -> int:
    """Outputs of the net: a class each, or one number."""
    return 10 if task == "multiclass" else 1


def _write(path: Path, content: dict[str, Any]) -> None:
    write_json(path, {"schema_version": 1, **content})


def _shaped(x: np.ndarray, y: np.ndarray, train: np.ndarray, test: np.ndarray, shape: tuple[int, ...]) -> Any:
    x = x.reshape(len(x), *shape)
    return x[train], y[train], x[test], y[test]


def _train(task: str, x: np.ndarray, y: np.ndarray, train: np.ndarray, val: np.ndarray, epochs: int, seed: int) -> Any:
    """A scikit-learn network epoch by epoch; its record, and the step of the best validation loss."""
    points: list[tuple[int, float, str, str, float, float]] = []
    scale = y[train].std() if task == "regression" else 1.0
    centre = y[train].mean() if task == "regression" else 0
    t = (y - centre) / scale if task == "regression" else y
    kind = MLPRegressor if task == "regression" else MLPClassifier
    model = kind(hidden_layer_sizes=(32, 16), batch_size=32, learning_rate_init=1e-3, random_state=seed)
    steps, best, lowest = -(-len(train) // 32), 0, np.inf
    for epoch in range(1, epochs + 1):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model.partial_fit(x[train], t[train], **({} if task == "regression" else {"classes": np.unique(y)}))
        step = epoch * steps
        if task == "regression":
            found = {"loss": float(((model.predict(x[val]) - t[val]) ** 2).mean())}
            found["r2"] = 1 - found["loss"] / float(t[val].var())
            trained = float(((model.predict(x[train]) - t[train]) ** 2).mean())
        else:
            found = {"loss": log_loss(y[val], model.predict_proba(x[val]), labels=np.unique(y)),
                     "accuracy": float(model.score(x[val], y[val]))}  # fmt: skip
            trained = log_loss(y[train], model.predict_proba(x[train]))
        points.append((step, float(epoch), "train", "loss", trained, epoch * 0.1))
        eta = 1e-3 * 0.5 * (1 + np.cos(np.pi * epoch / epochs))
        points.append((step, float(epoch), "train", "learning_rate", float(eta), epoch * 0.1))
        points += [(step, float(epoch), "val", name, float(value), epoch * 0.1) for name, value in found.items()]
        if found["loss"] < lowest:
            best, lowest = step, found["loss"]
    model.centre_, model.scale_ = centre, scale
    return model, points, best


def _judge(model: Any, task: str, x: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
    if task == "regression":
        return model.predict(x) * model.scale_ + model.centre_, None
    P = model.predict_proba(x)
    return P.argmax(1), P


def _predictions(
    folder: Path,
    task: str,
    X: np.ndarray,
    y: np.ndarray,
    test: np.ndarray,
    prediction: np.ndarray,
    P: np.ndarray | None,
    classes: list[str] | None,
    names: list[str] | None,
    bad: np.ndarray,
) -> None:
    def named(values: np.ndarray) -> list[Any]:
        return [float(v) for v in values] if classes is None else [classes[int(k)] for k in values]

    where = [f"row {r + 1:,}" if names else f"digits/{y[r]}/{r:04}.png" for r in test]
    columns = {"row": test + 1, "where": where, "truth": named(y[test]), "prediction": named(prediction)}
    if P is not None and classes is not None:
        columns |= {f"probability_{name}": P[:, k] for k, name in enumerate(classes)}
    values: list[str | None] = [None] * len(test)
    if names is not None:
        for i in bad:
            values[int(i)] = json.dumps(dict(zip(names, X[test[i]].tolist(), strict=True)))
    frame = polars.DataFrame(columns).with_columns(polars.Series("values", values, dtype=polars.String))
    frame.write_parquet(folder / "predictions.parquet")


def _data(
    folder: Path,
    task: str,
    target: str,
    X: np.ndarray,
    y: np.ndarray,
    classes: list[str] | None,
    names: list[str] | None,
    parts: tuple[np.ndarray, np.ndarray, np.ndarray],
) -> None:
    reason = "its values are numbers, nearly all different" if classes is None else f"{len(classes)} different values"
    task_info = Task(kind=task, target=target, classes=classes, reason=f"'{target}' has {reason}")  # type: ignore[arg-type]
    fields = [
        Field(name=name, kind="numeric", reason=f"{len(np.unique(x)):,} different numbers", used=True,
              distinct=len(np.unique(x)), min=x.min(), max=x.max(), mean=x.mean(), std=x.std())
        for name, x in zip(names or [], X.T, strict=bool(names))
    ]  # fmt: skip
    if names:
        top = [] if classes is None else [(classes[k], int(n)) for k, n in enumerate(np.bincount(y))]
        kind = "numeric" if classes is None else "categorical"
        fields.append(
            Field(name=target, kind=kind, reason="the target", used=False, distinct=len(np.unique(y)), top=top)
        )
    schema = Schema(rows=len(y), fields=fields, task=task_info)
    write_json(folder / "schema.json", schema.model_dump(mode="json"))
    _write(folder / "prepare.json", {"kind": "table" if names else "images"})
    problems = [
        {"level": "warning", "code": "few-rows", "what": f"There are only {len(y):,} rows.", "where": "", "count": 0,
         "why": "The interval of every figure is wide.", "do": "Bring more rows, or judge by cross-validation."},
        {"level": "note", "code": "scaled", "what": "Every number was scaled by the training rows' mean and deviation.",
         "where": "", "count": X.shape[1], "why": "", "do": ""},
    ]  # fmt: skip
    card = {
        "path": f"{target}.csv",
        "test_path": None,
        "digest": hashlib.sha256(X.tobytes() + y.tobytes()).hexdigest(),
        "rows": len(y),
        "split": dict(zip(("train", "val", "test"), map(len, parts), strict=True)) | {"reason": "at random, by class"},
        "problems": problems,
        "classes": classes,
        "class_counts": dict(zip(classes, np.bincount(y).tolist(), strict=True)) if classes else {},
        "skipped": [],
    }
    _write(folder / "data_card.json", card)


def _pictures(folder: Path, X: np.ndarray, test: np.ndarray, bad: np.ndarray) -> None:
    pictures = folder / "pictures"
    pictures.mkdir(exist_ok=True)
    pixels = (X * 255).astype(np.uint8).reshape(-1, 8, 8)
    for i in bad:
        Image.fromarray(pixels[test[i]]).save(pictures / f"mistake-{test[i] + 1}.png")
    sheet = np.concatenate([np.concatenate([np.roll(pixels[i], s, axis=1) for s in range(4)], 1) for i in range(3)], 0)
    Image.fromarray(sheet).resize((sheet.shape[1] * 6, sheet.shape[0] * 6), Image.Resampling.NEAREST).save(
        pictures / "augmentation.png"
    )


if __name__ == "__main__":
    from workings.report import write_report

    for make in (make_binary, make_images, make_regression):
        print(write_report(make(Path(sys.argv[1]) / make.__name__.removeprefix("make_"))))
