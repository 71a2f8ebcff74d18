"""Simpler models beside the net, on the same prepared rows, so that nobody trains a network in vain.

A baseline never stops a run: what scikit-learn refuses is recorded in its own words. What was left out to stay within
bounds (training rows, pixels, a whole baseline) is told in its note. The bounds depend on sizes, not on the clock, so
that the same data gives the same figures; the clock only decides whether another baseline is begun at all.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from workings.base.errors import UserError
from workings.base.events import Emit, Noticed, Phase, silent
from workings.base.problems import Problem, unknown_name
from workings.learning.judged import TaskKind
from workings.learning.metrics import score

Floats = NDArray[np.float32]

MOST_FEATURES = 1_024  # more pixels than this are averaged into larger ones
MOST_TEST_ROWS = 50_000
WORK = 2e8  # numbers read by one pass over the training rows, above which rows are left out
PAIRS = 2e10  # products of k-nearest neighbours: training rows × test rows × features


class Rows(Protocol):
    """Rows by number: a NumPy array, or anything that reads them from elsewhere when asked."""

    @property
    def shape(self) -> tuple[int, ...]: ...

    def __getitem__(self, rows: NDArray[np.intp], /) -> Any: ...


@dataclass(frozen=True)
class Baseline:
    """kind: its short name. passes: over the training rows, roughly, which bounds how many are taken."""

    kind: str
    name: dict[bool, str]  # regression → name
    make: Callable[[bool, int, int], Any]  # (regression, training rows, seed) → scikit-learn estimator
    passes: int


def _tree_leaf(n: int) -> int:
    return max(1, min(20, n // 50))


_ALL = (
    Baseline(
        "constant",
        {False: "always the commonest class", True: "always the mean"},
        lambda regression, n, seed: DummyRegressor() if regression else DummyClassifier(strategy="prior"),
        1,
    ),
    Baseline(
        "linear",
        {False: "logistic regression", True: "ridge regression"},
        lambda regression, n, seed: Ridge(alpha=1.0) if regression else LogisticRegression(C=1.0, max_iter=300),
        10,
    ),
    Baseline(
        "neighbours",
        {False: "nearest neighbours, k = 10", True: "nearest neighbours, k = 10"},
        lambda regression, n, seed: (KNeighborsRegressor if regression else KNeighborsClassifier)(min(10, n)),
        1,
    ),
    Baseline(
        "tree",
        {False: "decision tree", True: "decision tree"},
        lambda regression, n, seed: (DecisionTreeRegressor if regression else DecisionTreeClassifier)(
            min_samples_leaf=_tree_leaf(n), random_state=seed
        ),
        10,
    ),
    Baseline(
        "boosting",
        {False: "gradient-boosted trees", True: "gradient-boosted trees"},
        lambda regression, n, seed: (HistGradientBoostingRegressor if regression else HistGradientBoostingClassifier)(
            early_stopping=False, random_state=seed
        ),
        20,
    ),
)
BASELINES = {baseline.kind: baseline for baseline in _ALL}


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
) -> list[dict[str, Any]]:
    """Train and evaluate the baselines of those ``kinds`` (all of them if not given), simplest first.

    X_train, X_test: (n, features) or (n, channels, height, width), prepared as for the net. y_train, y_test: (n,)
    class numbers, or targets in their own units. classes: K; by default one more than the largest class number.

    Returns what ``baselines.json`` holds: ``[{name, metrics, seconds, note}]``; ``metrics`` is empty where ``note``
    says why the baseline did not run.

    Raises:
        UserError: there is no baseline of a kind asked for.
    """
    chosen = list(BASELINES) if kinds is None else list(kinds)
    unknown = [unknown_name("baseline", kind, list(BASELINES)) for kind in chosen if kind not in BASELINES]
    if unknown:
        raise UserError(unknown)
    K = 1 if task == "regression" else (classes or int(max(y_train.max(), y_test.max())) + 1)
    test_rows = _some(len(y_test), MOST_TEST_ROWS, seed)
    x_test, shrunk = _flat(X_test, test_rows)
    began = time.perf_counter()
    results: list[dict[str, Any]] = []
    for kind in chosen:
        baseline = BASELINES[kind]
        name = baseline.name[task == "regression"]
        spent = time.perf_counter() - began
        if spent > seconds_budget:
            note = f"not run: the baselines before it took {spent:.0f} s of the {seconds_budget:.0f} s they may have"
            results.append({"name": name, "metrics": {}, "seconds": 0.0, "note": note})
            continue
        emit(Phase("evaluating", f"baseline: {name}"))
        rows = _some(len(y_train), _most_rows(baseline, x_test.shape, K), seed)
        notes = [shrunk] if shrunk else []
        if len(rows) < len(y_train):
            notes.append(f"trained on {len(rows):,} of {len(y_train):,} rows, drawn at random")
        if len(test_rows) < len(y_test):
            notes.append(f"tested on {len(test_rows):,} of {len(y_test):,} rows, drawn at random")
        x, y = _flat(X_train, rows)[0], y_train[rows]
        results.append(_run(baseline, name, task, (x, y), (x_test, y_test[test_rows]), K, seed, notes))
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
) -> dict[str, Any]:
    began = time.perf_counter()
    metrics: dict[str, float] = {}
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            model = baseline.make(task == "regression", len(train[0]), seed).fit(*train)
            prediction = model.predict(test[0])
            P = None if task == "regression" else _columns(model.predict_proba(test[0]), model.classes_, K)
            metrics = score(task, test[1], prediction, P).metrics
        notes += sorted({f"scikit-learn: {str(each.message).splitlines()[0]}" for each in caught})
    except (ValueError, MemoryError) as refusal:
        notes.append(f"scikit-learn: {str(refusal).splitlines()[0] if str(refusal) else type(refusal).__name__}")
    seconds = round(time.perf_counter() - began, 3)
    return {"name": name, "metrics": metrics, "seconds": seconds, "note": "; ".join(notes)}


def _columns(P: NDArray[Any], seen: NDArray[Any], K: int) -> NDArray[np.float64]:
    """Probabilities with a column for every class, 0 for classes that the training rows lack."""
    full = np.zeros((len(P), K))
    full[:, seen.astype(int)] = P
    return full


def _most_rows(baseline: Baseline, test_shape: tuple[int, ...], K: int) -> int:
    n_test, features = test_shape
    cost = features * baseline.passes * (K if baseline.kind in ("linear", "boosting") else 1) / 10
    most = WORK / max(1.0, cost)
    if baseline.kind == "neighbours":
        most = min(most, PAIRS / (n_test * features))
    return max(1_000, int(most))


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
