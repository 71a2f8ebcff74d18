"""Two detectors of anomalies beside a net without labels, as scikit-learn has them, within a budget of time.

isolation forest        random cuts: few are needed to be alone where there is nobody near. Liu, Ting and Zhou 2008.
local outlier factor    how much thinner it is round a sample than round its 20 nearest. Breunig et al. 2000.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from workings.base.events import Emit, Noticed, Phase
from workings.base.problems import Problem
from workings.data.source import Source
from workings.learning import unsupervised_scores as scores

SECONDS = 30.0  # for both; the second is not begun when the first has taken them
MOST_TREE_ROWS = 20_000
MOST_TEST_ROWS = 20_000
PAIRS = 2e10  # numbers compared: training rows × test rows × numbers a row, about ten seconds
NEIGHBOURS = 20


def anomaly_baselines(
    train: Source, test: Source, odd: np.ndarray, seed: int, emit: Emit, seconds: float = SECONDS
) -> list[dict[str, Any]]:
    """What ``baselines.json`` holds of each; none where the test samples are all regular or all anomalies.

    odd: (n,) bool, the anomalies among the test samples.
    """
    if not odd.any() or odd.all():
        return []
    emit(Phase("comparing", "isolation forest, and local outlier factor"))
    D = int(np.prod(test.shape))
    kept = _some(len(test), MOST_TEST_ROWS, seed)
    x_test = _matrix(test, kept)
    odd = odd[kept]
    began, found = time.perf_counter(), []
    neighbours = int(min(MOST_TREE_ROWS, max(2 * NEIGHBOURS, PAIRS / (D * (len(kept) + len(train))))))
    for name, most, fit in (
        ("isolation forest", MOST_TREE_ROWS, forest_score),
        (f"local outlier factor, {NEIGHBOURS} neighbours", neighbours, _factor),
    ):
        spent = time.perf_counter() - began
        if spent > seconds:
            note = f"not run: the one before took {spent:.0f} s of the {seconds:.0f} s that both may have"
            found.append({"name": name, "metrics": {}, "seconds": 0.0, "note": note})
            emit(Noticed(Problem("note", "baseline-without-result", f"The baseline '{name}' has no result: {note}.")))
            continue
        rows = _some(len(train), most, seed)
        score = fit(_matrix(train, rows), seed)(x_test)
        notes = [f"trained on {len(rows):,} of {len(train):,} rows, drawn at random"] if len(rows) < len(train) else []
        if len(kept) < len(test):
            notes.append(f"tested on {len(kept):,} of {len(test):,} rows, drawn at random")
        metrics = scores.anomaly(score, odd, None).metrics
        seconds_taken = time.perf_counter() - began - spent
        found.append({"name": name, "metrics": metrics, "seconds": seconds_taken, "note": "; ".join(notes)})
    return found


def forest_score(x: np.ndarray, seed: int) -> Callable[[np.ndarray], np.ndarray]:
    """Scores of rows by an isolation forest that was fitted on ``x`` (n, D)."""
    from sklearn.ensemble import IsolationForest

    forest = IsolationForest(random_state=seed).fit(x)
    return lambda rows: -forest.score_samples(rows)


def _factor(x: np.ndarray, seed: int) -> Callable[[np.ndarray], np.ndarray]:
    from sklearn.neighbors import LocalOutlierFactor

    factor = LocalOutlierFactor(min(NEIGHBOURS, len(x) - 1), novelty=True).fit(x)
    return lambda rows: -factor.score_samples(rows)


def _some(n: int, most: int, seed: int) -> np.ndarray:
    return np.arange(n) if n <= most else np.sort(np.random.default_rng(seed).choice(n, most, replace=False))


def _matrix(source: Source, rows: np.ndarray) -> np.ndarray:
    return source.x(torch.from_numpy(rows)).flatten(1).numpy()
