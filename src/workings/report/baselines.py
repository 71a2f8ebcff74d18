"""Simpler models beside the net, on the same prepared rows, so that nobody trains a network in vain.

A baseline never stops a run: what scikit-learn refuses is recorded in its own words. What was left out to stay within
bounds (training rows, pixels, a whole baseline) is told in its note. The bounds depend on sizes, not on the clock, so
that the same data gives the same figures; the clock only decides whether another baseline is begun at all.
"""

from __future__ import annotations

import math
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from workings.base.errors import UserError
from workings.base.events import Emit, Noticed, Phase, silent
from workings.base.problems import Problem, unknown_name
from workings.data.schema import TaskKind
from workings.learning.metrics import score
from workings.report.paired import Said, compare

Floats = NDArray[np.float32]

MOST_FEATURES = 1_024  # more pixels than this are averaged into larger ones
MOST_TEST_ROWS = 20_000
MOST_TRAIN_ROWS = 200_000  # scikit-learn copies what it is given, in float64
PAIRS = 2e10  # products of k-nearest neighbours: training rows × test rows × features
FEWEST = 1_000  # training rows that are always taken


class Rows(Protocol):
    """Rows by number: a NumPy array, or anything that reads them from elsewhere when asked."""

    @property
    def shape(self) -> tuple[int, ...]: ...

    def __getitem__(self, rows: NDArray[np.intp], /) -> Any: ...


@dataclass(frozen=True)
class Baseline:
    """kind: its short name. name: what it is called, for classes and for values.

    make: from (regression, training rows, seed) to a scikit-learn estimator. work: from (features, K) to the cost of
    one training row, and most: the cost it may have in all, about ten seconds on one core; beyond, rows are left out.
    """

    kind: str
    names: tuple[str, str]
    make: Callable[[bool, int, int], Any]
    work: Callable[[int, int], float]
    most: float


def _tree(regression: bool, n: int, seed: int) -> Any:
    leaf = max(1, min(20, n // 50))
    return (DecisionTreeRegressor if regression else DecisionTreeClassifier)(min_samples_leaf=leaf, random_state=seed)


def _forest(regression: bool, n: int, seed: int) -> Any:
    return (RandomForestRegressor if regression else RandomForestClassifier)(
        50,
        max_features="sqrt",  # pyright: ignore[reportArgumentType]  (scikit-learn takes it; its default hides that)
        random_state=seed,
    )


_ALL = (
    Baseline(
        "constant",
        ("always the commonest class", "always the mean"),
        lambda regression, n, seed: DummyRegressor() if regression else DummyClassifier(strategy="prior"),
        lambda features, K: features,
        2e8,
    ),
    Baseline(
        "linear",
        ("logistic regression", "ridge regression"),
        lambda regression, n, seed: Ridge() if regression else LogisticRegression(max_iter=300),
        lambda features, K: features * K,
        1e8,
    ),
    Baseline(
        "neighbours",
        ("nearest neighbours, k = 10", "nearest neighbours, k = 10"),
        lambda regression, n, seed: (KNeighborsRegressor if regression else KNeighborsClassifier)(min(10, n)),
        lambda features, K: features,
        2e8,
    ),
    Baseline("tree", ("decision tree", "decision tree"), _tree, lambda features, K: features, 4e6),
    Baseline(
        "boosting",
        ("gradient-boosted trees", "gradient-boosted trees"),
        lambda regression, n, seed: (HistGradientBoostingRegressor if regression else HistGradientBoostingClassifier)(
            random_state=seed
        ),
        lambda features, K: features * K,
        1e7,
    ),
    Baseline("forest", ("random forest", "random forest"), _forest, lambda features, K: math.sqrt(features), 1.5e5),
)
BASELINES = {baseline.kind: baseline for baseline in _ALL}
# The strongest early, so that a clock that runs out leaves out what says least.
FOR_TABLES = ("constant", "linear", "boosting", "tree", "neighbours")
FOR_IMAGES = ("constant", "linear", "forest", "tree", "neighbours")  # boosting wants far longer on pixels


def run_baselines(
    task: TaskKind,
    X_train: Rows,
    y_train: NDArray[Any],
    X_test: Rows,
    y_test: NDArray[Any],
    kinds: Sequence[str] | None = None,
    seed: int = 0,
    seconds_budget: float = 60.0,
    emit: Emit = silent,
    classes: int | None = None,
    ours: Said | None = None,
) -> list[dict[str, Any]]:
    """Train and evaluate the baselines of those ``kinds``, in that order; by default `FOR_TABLES` or `FOR_IMAGES`.

    X_train, X_test: (n, features) or (n, channels, height, width), prepared as for the net. y_train, y_test: (n,)
    class numbers, or targets in their own units. classes: K; by default one more than the largest class number.
    ours: what the net says of the test rows.

    Returns what ``baselines.json`` holds: ``[{name, metrics, seconds, note}]``; ``metrics`` is empty where ``note``
    says why the baseline did not run. With ``ours``, the best one by a metric that runs are judged by also holds
    under ``gain`` how much better the net is by it, as a 95 % interval (`workings.report.paired.gain`).

    Raises:
        UserError: there is no baseline of a kind asked for.
    """
    chosen = list(kinds or (FOR_IMAGES if len(X_train.shape) == 4 else FOR_TABLES))
    unknown = [unknown_name("baseline", kind, list(BASELINES)) for kind in chosen if kind not in BASELINES]
    if unknown:
        raise UserError(unknown)
    K = 1 if task == "regression" else (classes or int(max(y_train.max(), y_test.max())) + 1)
    test_rows = _some(len(y_test), MOST_TEST_ROWS, seed)
    x_test, shrunk = _flat(X_test, test_rows)
    began = time.perf_counter()
    results: list[dict[str, Any]] = []
    said: list[Said | None] = []
    for kind in chosen:
        baseline = BASELINES[kind]
        name = baseline.names[task == "regression"]
        spent = time.perf_counter() - began
        if spent > seconds_budget:
            note = f"not run: the baselines before it took {spent:.0f} s of the {seconds_budget:.0f} s they may have"
            results.append({"name": name, "metrics": {}, "seconds": 0.0, "note": note})
            said.append(None)
            continue
        emit(Phase("evaluating", f"baseline: {name}"))
        rows = _some(len(y_train), _most_rows(baseline, x_test.shape, K), seed)
        notes = [shrunk] if shrunk else []
        if len(rows) < len(y_train):
            notes.append(f"trained on {len(rows):,} of {len(y_train):,} rows, drawn at random")
        if len(test_rows) < len(y_test):
            notes.append(f"tested on {len(test_rows):,} of {len(y_test):,} rows, drawn at random")
        x, y = _flat(X_train, rows)[0], y_train[rows]
        result, told = _run(baseline, name, task, (x, y), (x_test, y_test[test_rows]), K, seed, notes)
        results.append(result)
        said.append(told)
    if ours is not None:
        compare(task, y_test[test_rows], ours.of(test_rows), said, results)
    for result in results:
        if not result["metrics"]:
            what = f"The baseline '{result['name']}' has no result: {result['note']}."
            emit(Noticed(Problem("note", "baseline-without-result", what)))
    return results


def _run(
    baseline: Baseline,
    name: str,
    task: TaskKind,
    train: tuple[Floats, NDArray[Any]],
    test: tuple[Floats, NDArray[Any]],
    K: int,
    seed: int,
    notes: list[str],
) -> tuple[dict[str, Any], Said | None]:
    began = time.perf_counter()
    metrics: dict[str, float] = {}
    told = None
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            model = baseline.make(task == "regression", len(train[0]), seed).fit(*train)
            prediction = model.predict(test[0])
            P = None if task == "regression" else _columns(model.predict_proba(test[0]), model.classes_, K)
            metrics = score(task, test[1], prediction, P).metrics
            told = Said(prediction, P)
        notes += sorted({f"scikit-learn: {str(each.message).splitlines()[0]}" for each in caught})
    except (ValueError, MemoryError) as refusal:
        notes.append(f"scikit-learn: {str(refusal).splitlines()[0] if str(refusal) else type(refusal).__name__}")
    seconds = round(time.perf_counter() - began, 3)
    return {"name": name, "metrics": metrics, "seconds": seconds, "note": "; ".join(notes)}, told


def _columns(P: NDArray[Any], seen: NDArray[Any], K: int) -> NDArray[np.float64]:
    """Probabilities with a column for every class, 0 for classes that the training rows lack."""
    full = np.zeros((len(P), K))
    full[:, seen.astype(int)] = P
    return full


def _most_rows(baseline: Baseline, test_shape: tuple[int, ...], K: int) -> int:
    n_test, features = test_shape
    most = baseline.most / baseline.work(max(1, features), max(1, K if K > 2 else 1))
    if baseline.kind == "neighbours":
        most = min(most, PAIRS / (max(1, n_test) * max(1, features)))
    return max(FEWEST, min(MOST_TRAIN_ROWS, int(most)))


def _some(n: int, most: int, seed: int) -> NDArray[np.intp]:
    """All n row numbers, or ``most`` of them at random, in their order."""
    return np.arange(n) if n <= most else np.sort(np.random.default_rng(seed).choice(n, most, replace=False))


def _flat(X: Rows, rows: NDArray[np.intp]) -> tuple[Floats, str]:
    """Rows as a matrix (len(rows), features), and what was done to images to make one."""
    x = np.asarray(X[rows], np.float32)
    if x.ndim < 4:
        return x.reshape(len(x), -1), ""
    n, C, H, W = x.shape
    s = 1
    while C * (H // s) * (W // s) > MOST_FEATURES and min(H, W) >= 2 * (s + 1):
        s += 1
    if s == 1:
        return x.reshape(n, -1), "on the flattened pixels"
    h, w = H // s, W // s
    pooled = x[:, :, : h * s, : w * s].reshape(n, C, h, s, w, s).mean((3, 5))
    return pooled.reshape(n, -1), f"on the flattened pixels of images averaged down to {h} × {w}"
