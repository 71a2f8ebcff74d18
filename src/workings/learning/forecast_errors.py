"""Errors of forecasts, and 95 % intervals of them that know that neighbouring forecasts overlap.

    mse, mae   of standardised values: e / σ, σ the deviation of the training steps
    mase       mean |e_v| / q_v over the variables v, q_v the mean absolute error of the seasonal-naive forecast
               y_t ≈ y_(t−m) on the training steps. Hyndman and Koehler 2006
    smape      mean of 200 |e| / (|y| + |ŷ|), 0 where both are 0
    rmse, mae in units: only where one variable is forecast

Windows one step apart share all but one of their steps, so an interval resamples blocks of neighbours, each as long as
the horizon and the season, round the circle (circular block bootstrap, Politis and Romano 1992).

Legend: N windows, H steps ahead, k variables forecast; e = y − ŷ (N, H, k).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from workings.base.problems import Problem
from workings.learning.intervals import RESAMPLES
from workings.learning.metrics import Evaluation

Floats = NDArray[np.float64]
FEWEST_BLOCKS = 5  # from which on resampling them says something


@dataclass(frozen=True)
class Scales:
    """std: of the training steps of each target (k). naive: q of each (k); 0 where it never changed by a season."""

    std: Sequence[float]
    naive: Sequence[float]
    season: int


def window_errors(truth: Floats, prediction: Floats, scales: Scales) -> dict[str, Floats]:
    """The mean error of each window (N,), by metric; a metric that is not defined is not there."""
    e = truth - prediction
    standard = e / np.asarray(scales.std)
    found = {"mse": (standard**2).mean((1, 2)), "mae": np.abs(standard).mean((1, 2))}
    q = np.asarray(scales.naive)
    if (q > 0).any():
        found = {"mase": (np.abs(e).mean(1)[:, q > 0] / q[q > 0]).mean(1), **found}
    size = np.abs(truth) + np.abs(prediction)
    found["smape"] = (200 * np.abs(e) / np.where(size > 0, size, 1.0)).mean((1, 2))
    if e.shape[2] == 1:
        found["mae_units"] = np.abs(e).mean((1, 2))
        found["mse_units"] = (e**2).mean((1, 2))
    return found


def score(truth: Floats, prediction: Floats, scales: Scales) -> dict[str, float]:
    """Every metric over all windows."""
    found = {name: float(errors.mean()) for name, errors in window_errors(truth, prediction, scales).items()}
    return _rooted(found)


def _rooted(found: dict[str, float]) -> dict[str, float]:
    if "mse_units" in found:
        found["rmse_units"] = float(np.sqrt(found.pop("mse_units")))
    return found


def evaluate(truth: Floats, prediction: Floats, scales: Scales, seed: int = 0, apart: int = 1) -> Evaluation:
    """Every metric with its interval; notes where one is not defined. apart: steps from one window to the next."""
    errors = window_errors(truth, prediction, scales)
    N, H, _ = truth.shape
    names = list(errors)
    values = np.column_stack([errors[name] for name in names])
    metrics = _rooted(dict(zip(names, values.mean(0).tolist(), strict=True)))
    block = -(-max(H, scales.season) // apart)
    notes: list[Problem] = []
    intervals: dict[str, list[float]] = {}
    method: dict[str, str] = {}
    if FEWEST_BLOCKS * block <= N:
        means = block_means(values, block, seed)
        low, high = np.percentile(means, [2.5, 97.5], axis=0)
        for i, name in enumerate(names):
            edges = [float(low[i]), float(high[i])]
            shown = "rmse_units" if name == "mse_units" else name
            intervals[shown] = [float(np.sqrt(edge)) for edge in edges] if name == "mse_units" else edges
        how = f"circular block bootstrap, blocks of {block:,} forecasts, {RESAMPLES:,} resamples, seed {seed}"
        method = dict.fromkeys(intervals, how)
    else:
        few = f"{N:,} forecasts that overlap" if N > 1 else "one forecast"
        what = f"No confidence interval from {few}: {FEWEST_BLOCKS} stretches of {block:,} are the least."
        notes.append(Problem("note", "no-interval", what, count=N, do="Evaluate on a longer series."))
    if "mase" not in metrics:
        what = "mase is not defined: a season later, no target ever had another value in the training part."
        notes.append(Problem("warning", "undefined-metric", what))
    return Evaluation("forecast", N, metrics, intervals, method, notes)


def block_means(values: Floats, block: int, seed: int) -> Floats:
    """(RESAMPLES, …) means of values (N, …) over blocks drawn with replacement, joined to N rows."""
    N = len(values)
    rng = np.random.default_rng(seed)
    blocks = -(-N // block)
    # Sums of all circular blocks by one cumulative sum; the last block drawn is shortened to end at N rows.
    around = np.concatenate([values, values[: block - 1]]) if block > 1 else values
    total = np.concatenate([np.zeros((1, *values.shape[1:])), np.cumsum(around, 0)])
    rest = N - (blocks - 1) * block
    full, short = total[block:][:N] - total[:N], total[rest:][:N] - total[:N]
    begins = rng.integers(0, N, (RESAMPLES, blocks))
    sums = full[begins[:, :-1]].sum(1) + short[begins[:, -1]]
    return sums / N


def block_interval(values: Floats, horizon: int, season: int, seed: int = 0) -> list[float] | None:
    """The 95 % interval of the mean of ``values`` (N,), one a window; None where they hold too few blocks."""
    block = max(horizon, season)
    if len(values) < FEWEST_BLOCKS * block:
        return None
    low, high = np.percentile(block_means(values[:, None], block, seed), [2.5, 97.5])
    return [float(low), float(high)]


def step_errors(truth: Floats, prediction: Floats) -> dict[str, list[list[float]]]:
    """mae and rmse of each step of the horizon, (H, k) in units."""
    e = truth - prediction
    return {"mae": np.abs(e).mean(0).tolist(), "rmse": np.sqrt((e**2).mean(0)).tolist()}
