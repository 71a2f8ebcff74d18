"""Measures of nets that learn from samples alone, with 95 % intervals over the samples.

explained    1 − Σ‖x − x̂‖² / Σ‖x − x̄‖², x̄ the mean of the training samples
threshold    the (1 − α) quantile of the scores of regular samples that were not trained on: a sample above it is
             told as an anomaly, and a share α of the regular ones is too (false alarms)
"""

from __future__ import annotations

import numpy as np
from sklearn.metrics import average_precision_score, roc_auc_score

from workings.learning.intervals import RESAMPLES, Z, macro_auc, wilson
from workings.learning.metrics import Evaluation


def of_means(name: str, each: np.ndarray) -> tuple[float, list[float], str]:
    """A mean over samples and its normal 95 % interval."""
    n, value = len(each), float(each.mean())
    if n < 2:
        return value, [value, value], "one sample"
    half = Z * float(each.std(ddof=1)) / n**0.5
    return value, [value - half, value + half], "normal, from the samples' spread"


def reconstruction(squares: np.ndarray, spread: np.ndarray, numbers: int, seed: int = 0) -> Evaluation:
    """Of squared errors ‖x − x̂‖² (n,), squared distances from the training mean ‖x − x̄‖² (n,), numbers a sample."""
    n = len(squares)
    mse, interval, how = of_means("reconstruction_mse", squares / numbers)
    metrics, intervals, method = {}, {}, {}
    if spread.sum() > 0:
        metrics["explained"] = float(1 - squares.sum() / spread.sum())
        rows = np.random.default_rng(seed).integers(0, n, (RESAMPLES, n)) if n <= 2000 else None
        if rows is None:  # a ratio of means of many samples: by the delta method
            d = (squares - (1 - metrics["explained"]) * spread) / spread.mean()
            half = Z * float(d.std(ddof=1)) / n**0.5
            intervals["explained"] = [metrics["explained"] - half, metrics["explained"] + half]
            method["explained"] = "normal, delta method"
        else:
            ratio = 1 - squares[rows].sum(1) / np.maximum(spread[rows].sum(1), 1e-300)
            intervals["explained"] = [float(q) for q in np.quantile(ratio, [0.025, 0.975])]
            method["explained"] = f"percentile bootstrap, {RESAMPLES:,} resamples, seed {seed}"
    metrics["reconstruction_mse"], intervals["reconstruction_mse"] = mse, interval
    method["reconstruction_mse"] = how
    return Evaluation("unsupervised", n, metrics, intervals, method)


def anomaly(score: np.ndarray, odd: np.ndarray, threshold: float | None) -> Evaluation:
    """How well scores (n,) tell anomalies, ``odd`` (n,) bool, from regular samples; both must be there."""
    metrics = {"anomaly_roc_auc": float(roc_auc_score(odd, score))}
    metrics["anomaly_average_precision"] = float(average_precision_score(odd, score))
    intervals = {"anomaly_roc_auc": list(macro_auc(score[:, None], odd[:, None]))}
    method = {"anomaly_roc_auc": "DeLong"}
    if threshold is not None:
        for name, among in (("anomalies_found", odd), ("false_alarms", ~odd)):
            above = int((score[among] > threshold).sum())
            metrics[name] = above / int(among.sum())
            intervals[name] = list(wilson(above, int(among.sum())))
            method[name] = "Wilson"
    return Evaluation("unsupervised", len(score), metrics, intervals, method)


def threshold_of(regular: np.ndarray, false_alarms: float) -> float:
    """The score that a share ``false_alarms`` of regular samples lies above; where it lies between two, the higher."""
    return float(np.quantile(regular, 1 - false_alarms, method="higher"))


def joined(parts: list[Evaluation]) -> Evaluation:
    """Evaluations of the same samples as one, in their order."""
    first = Evaluation("unsupervised", parts[0].rows, {})
    for part in parts:
        first.metrics.update(part.metrics)
        first.intervals.update(part.intervals)
        first.method.update(part.method)
        first.notes.extend(part.notes)
    return first
