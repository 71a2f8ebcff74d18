"""Simple scores of the steps of a series, beside a net's: what gives its anomalies away without a network.

seasonal difference     mean over the variables of ((y_t − y_(t−m)) / σ)², σ its root mean square on training steps
moving z-score          mean over the variables of ((y_t − μ_t) / σ_t)², of the L steps before; σ_t at least a tenth of
                        the deviation of the training steps, or a quiet stretch would be divided by 0
mean, principal components
                        of windows; joined to steps as the net's errors are, see ``runs.series_steps``
isolation forest        of windows; a step has the mean score of the windows that hold it. Liu, Ting and Zhou 2008

Legend: y the series, m season, L steps of a window, V variables, D = L·V.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from workings.base.events import Emit, Phase
from workings.data.series.window_source import WindowSource
from workings.data.source import Part, Source
from workings.learning import stretch_scores
from workings.learning import unsupervised_scores as scores
from workings.report.anomaly_baselines import MOST_TREE_ROWS, forest_score
from workings.report.unsupervised_baselines import linear_models
from workings.runs.series_steps import LEAST, mean_over_windows, odd_windows

Floats = NDArray[np.float64]
BATCH = 1024
LEAST_SPREAD = 0.1


def run_baselines(
    train: WindowSource, usual: WindowSource, test: WindowSource, score: Floats | None, d: int, seed: int, emit: Emit
) -> list[dict[str, Any]]:
    """What ``baselines.json`` holds of each. usual: windows whose errors are taken for usual, the validation's. score:
    (m,) the net's, of the steps of ``test``; d: of its code.

    The best gets ``gain``, how much larger the net's area under the ROC curve is on the same steps.
    """
    odd = test.odd[test.steps]
    judged = score is not None and odd.any() and not odd.all()
    apart, strange = test.apart(), odd_windows(test)
    regular = Part(test, apart[~strange[apart]] if (~strange[apart]).any() else apart)
    emit(Phase("comparing", "simple models of windows and of steps"))
    found, kept = [], dict[str, Floats]()
    for name, mean, V, began in linear_models(train, d, seed):
        metrics = scores.reconstruction(*_squares(regular, mean, V), mean.numel()).metrics
        if judged:
            usual_V = np.maximum(_steps_missed(usual, mean, V).mean(0), LEAST)
            kept[name] = (_steps_missed(test, mean, V) / usual_V).mean(1)
            metrics = _told(kept[name], odd) | metrics
        found.append({"name": name, "metrics": metrics, "seconds": time.perf_counter() - began, "note": ""})
    if not judged:
        return found
    m = max(1, test.prep.season)
    for name, make in (
        (f"seasonal difference, {m} steps" if m > 1 else "difference from the step before", seasonal_difference),
        (f"moving z-score, {test.prep.window} steps", moving_z),
    ):
        began = time.perf_counter()
        kept[name] = make(train, test)
        seconds = time.perf_counter() - began
        found.append({"name": name, "metrics": _told(kept[name], odd), "seconds": seconds, "note": ""})
    began = time.perf_counter()
    name, (kept["isolation forest"], note) = "isolation forest", _forest(train, test, seed)
    metrics, seconds = _told(kept[name], odd), time.perf_counter() - began
    found.append({"name": name, "metrics": metrics, "seconds": seconds, "note": note})
    best = max(kept, key=lambda each: _told(kept[each], odd)["anomaly_roc_auc"])
    assert score is not None
    interval = stretch_scores.gain(score, kept[best], odd, test.prep.window)
    next(each for each in found if each["name"] == best)["gain"] = {"anomaly_roc_auc": interval} if interval else {}
    return found


def _told(score: Floats, odd: NDArray[np.bool_]) -> dict[str, float]:
    area, precision = stretch_scores.Curves(score, odd).areas()
    return {"anomaly_roc_auc": area, "anomaly_average_precision": precision}


def _squares(source: Source, mean: Tensor, V: Tensor) -> tuple[Floats, Floats]:
    """‖x − x̂‖² and ‖x − x̄‖² of each window."""
    x = source.x(torch.arange(len(source))).flatten(1).double() - mean
    return (x - x @ V @ V.T).square().sum(1).numpy(), x.square().sum(1).numpy()


def _steps_missed(source: WindowSource, mean: Tensor, V: Tensor) -> Floats:
    """(m, V): the mean over windows of (x − x̂)² of each step."""

    def missed() -> Iterator[Tensor]:
        for start in range(0, len(source), BATCH):
            x = source.x(torch.arange(start, min(start + BATCH, len(source))))
            d = x.flatten(1).double() - mean
            yield (d - d @ V @ V.T).square().reshape(x.shape)

    return mean_over_windows(source, missed())


def seasonal_difference(train: WindowSource, test: WindowSource) -> Floats:
    """(m,) of the steps of ``test``; what is before the first step of the series is taken from a season later."""
    m = max(1, test.prep.season)

    def apart(source: WindowSource) -> Floats:
        y, at = source.series.values, source.steps
        before = np.where(at >= m, at - m, np.minimum(at + m, len(y) - 1))
        return y[at] - y[before]

    usual_V = np.maximum(np.sqrt((apart(train) ** 2).mean(0)), LEAST * np.array(test.prep.std))
    return ((apart(test) / usual_V) ** 2).mean(1)


def moving_z(_: WindowSource, test: WindowSource) -> Floats:
    """(m,) of the steps of ``test``; a step with fewer than L steps before it is judged by the first L."""
    L, y, at = test.prep.window, test.series.values, test.steps
    y = y - y.mean(0)  # so that little is lost where large squares are subtracted
    sums = [np.concatenate([np.zeros((1, y.shape[1])), np.cumsum(power, 0)]) for power in (y, y**2)]
    end = np.maximum(at, L)
    mean, square = ((total[end] - total[end - L]) / L for total in sums)
    spread = np.sqrt(np.maximum(square - mean**2, 0))
    spread = np.maximum(spread, LEAST_SPREAD * np.array(test.prep.std))
    return (((y[at] - mean) / spread) ** 2).mean(1)


def _forest(train: WindowSource, test: WindowSource, seed: int) -> tuple[Floats, str]:
    rows = np.arange(len(train))
    if len(rows) > MOST_TREE_ROWS:
        rows = np.sort(np.random.default_rng(seed).choice(rows, MOST_TREE_ROWS, replace=False))
    score = forest_score(train.x(torch.from_numpy(rows)).flatten(1).numpy(), seed)

    def each() -> Iterator[Tensor]:
        for start in range(0, len(test), BATCH):
            x = test.x(torch.arange(start, min(start + BATCH, len(test))))
            of_windows = torch.from_numpy(score(x.flatten(1).numpy()))
            yield of_windows[:, None, None].expand(-1, x.shape[1], 1)

    note = f"trained on {len(rows):,} of {len(train):,} windows, drawn at random" if len(rows) < len(train) else ""
    return mean_over_windows(test, each())[:, 0], note
