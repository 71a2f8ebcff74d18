"""What every metric is: its formula by scikit-learn, which way is better, its range, when it is undefined."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn import metrics as sk

from workings.base.problems import shorten
from workings.learning.intervals import Interval
from workings.learning.judged import Judged, TaskKind

INF = math.inf


@dataclass(frozen=True)
class Metric:
    """One metric. ``text`` says in words what it is; ``classes`` is the fewest for which it says anything."""

    name: str
    higher: bool
    compute: Callable[[Judged], float]
    text: str
    probability: bool = False
    bounds: Interval = (0.0, 1.0)
    classes: int = 2


class UndefinedError(Exception):
    """A metric has no value on these rows; the text says why."""


def _need(rows: NDArray[np.bool_] | np.bool_ | bool, why: str) -> None:
    if not np.any(rows):
        raise UndefinedError(why)


def _two_classes(j: Judged) -> None:
    _need(len(np.unique(j.truth)) > 1, "all rows are of one class")


NO_POSITIVE = "no row is of the positive class"


def _balanced_accuracy(j: Judged) -> float:
    _two_classes(j)
    return sk.balanced_accuracy_score(j.truth, j.prediction, sample_weight=j.w)


def _roc_auc(j: Judged) -> float:
    _two_classes(j)
    return sk.roc_auc_score(j.truth, j.score, sample_weight=j.w)


def _roc_auc_ovr_macro(j: Judged) -> float:
    absent = np.setdiff1d(j.labels, j.truth)
    _need(len(absent) == 0, f"no row is of class number {shorten(absent)}")
    return float(np.mean([sk.roc_auc_score(j.truth == k, j.probability[:, k], sample_weight=j.w) for k in j.labels]))


def _average_precision(j: Judged) -> float:
    _need(j.truth == 1, NO_POSITIVE)
    return sk.average_precision_score(j.truth, j.score, sample_weight=j.w)


def _precision(j: Judged) -> float:
    _need(j.prediction == 1, "no row was predicted to be of the positive class")
    return sk.precision_score(j.truth, j.prediction, sample_weight=j.w)


def _recall(j: Judged) -> float:
    _need(j.truth == 1, NO_POSITIVE)
    return sk.recall_score(j.truth, j.prediction, sample_weight=j.w)


def _f1(j: Judged) -> float:
    _need((j.truth == 1) | (j.prediction == 1), "no row is, or was predicted to be, of the positive class")
    return sk.f1_score(j.truth, j.prediction, sample_weight=j.w)


def _f1_mean(average: str) -> Callable[[Judged], float]:
    # Over the classes that occur in truth or prediction: in each of these F1 is defined.
    return lambda j: sk.f1_score(j.truth, j.prediction, average=average, sample_weight=j.w)


def _mcc(j: Judged) -> float:
    _two_classes(j)
    _need(len(np.unique(j.prediction)) > 1, "every row was predicted to be of one class")
    return sk.matthews_corrcoef(j.truth, j.prediction, sample_weight=j.w)


def _brier(j: Judged) -> float:
    return np.average((j.score - j.truth) ** 2, weights=j.w)


def _log_loss(j: Judged) -> float:
    return sk.log_loss(j.truth, j.probability, labels=j.labels, sample_weight=j.w)


def _top_5(j: Judged) -> float:
    return sk.top_k_accuracy_score(j.truth, j.probability, k=5, labels=j.labels, sample_weight=j.w)


def _r2(j: Judged) -> float:
    _need(np.ptp(j.truth) > 0, "the target is the same in every row")
    return sk.r2_score(j.truth, j.prediction, sample_weight=j.w)


def _mape(j: Judged) -> float:
    zeros = int((j.truth == 0).sum())
    _need(zeros == 0, f"the target is 0 in {zeros:,} rows, and nothing is a share of 0")
    return sk.mean_absolute_percentage_error(j.truth, j.prediction, sample_weight=j.w)


def _plain(function: Callable[..., float]) -> Callable[[Judged], float]:
    return lambda j: function(j.truth, j.prediction, sample_weight=j.w)


_ACCURACY = Metric("accuracy", True, _plain(sk.accuracy_score), "share of rows predicted right")
_BALANCED = Metric("balanced_accuracy", True, _balanced_accuracy, "mean of the classes’ recalls")
_F1_MACRO = Metric("f1_macro", True, _f1_mean("macro"), "mean of the classes’ F1")
_MCC = Metric("mcc", True, _mcc, "Matthews’ correlation of truth and prediction", bounds=(-1.0, 1.0))
_LOG_LOSS = Metric("log_loss", False, _log_loss, "mean −ln of the truth’s probability", True, (0.0, INF))

_BY_TASK: dict[TaskKind, list[Metric]] = {
    "binary": [
        _ACCURACY,
        _BALANCED,
        Metric("roc_auc", True, _roc_auc, "area under the ROC curve", True),
        Metric("average_precision", True, _average_precision, "precision averaged over the recalls", True),
        Metric("f1", True, _f1, "harmonic mean of precision and recall"),
        _F1_MACRO,
        Metric("precision", True, _precision, "share of predicted positives that are"),
        Metric("recall", True, _recall, "share of positives that were found"),
        _MCC,
        _LOG_LOSS,
        Metric("brier", False, _brier, "mean squared error of the probability", True),
    ],
    "multiclass": [
        _ACCURACY,
        _BALANCED,
        _F1_MACRO,
        Metric("f1_weighted", True, _f1_mean("weighted"), "mean of the classes’ F1, weighted by their rows"),
        Metric("roc_auc_ovr_macro", True, _roc_auc_ovr_macro, "mean ROC area, each class against the rest", True),
        Metric("top_5_accuracy", True, _top_5, "share of rows with the truth among the likeliest 5", True, classes=11),
        _MCC,
        _LOG_LOSS,
    ],
    "regression": [
        Metric("r2", True, _r2, "share of the target’s variance explained", bounds=(-INF, 1.0)),
        Metric("mae", False, _plain(sk.mean_absolute_error), "mean absolute error, in the target’s units",
               bounds=(0.0, INF)),
        Metric("rmse", False, _plain(sk.root_mean_squared_error), "root of the mean squared error, in its units",
               bounds=(0.0, INF)),
        Metric("mse", False, _plain(sk.mean_squared_error), "mean squared error", bounds=(0.0, INF)),
        Metric("median_ae", False, _plain(sk.median_absolute_error), "median absolute error, in its units",
               bounds=(0.0, INF)),
        Metric("mape", False, _mape, "mean absolute error as a share of the target", bounds=(0.0, INF)),
    ],
}  # fmt: skip
METRICS: Mapping[TaskKind, Mapping[str, Metric]] = {
    task: {metric.name: metric for metric in metrics} for task, metrics in _BY_TASK.items()
}
