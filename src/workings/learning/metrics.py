"""Metrics under scikit-learn's names: what each needs, when it is undefined, and how sure its value is.

`evaluate` judges the test rows: scikit-learn computes every metric, `intervals` says how sure it is. A metric that is
undefined on these rows (a ROC curve with one class) is left out and told; it is never NaN.
`quick` judges the validation rows after each epoch.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike

from workings.base.errors import UserError, refuse
from workings.base.problems import Problem, unknown_name
from workings.learning.formulas import METRICS, Metric, UndefinedError
from workings.learning.intervals import LARGEST, RESAMPLES, Interval, bootstrap, macro_auc, wilson
from workings.learning.judged import Judged, TaskKind, judged
from workings.learning.quick import quick
from workings.learning.resampled import statistics
from workings.learning.task_metrics import TASK_METRICS

__all__ = ["METRICS", "Evaluation", "Metric", "evaluate", "find", "headline", "higher_is_better", "quick", "score"]


@dataclass(frozen=True)
class Evaluation:
    """Metrics of the test rows, their 95 % intervals, how these were found, and what could not be computed.

    counted: what the ``rows`` are called, one of them, where the task and the kind of data do not say it.
    """

    task: str
    rows: int
    metrics: dict[str, float]
    intervals: dict[str, list[float]] = field(default_factory=dict)
    method: dict[str, str] = field(default_factory=dict)
    notes: list[Problem] = field(default_factory=list)
    counted: str = ""

    def to_dict(self) -> dict[str, object]:
        """As JSON-ready values, for ``metrics.json``."""
        notes = [note.to_dict() for note in self.notes]
        return {"task": self.task, "rows": self.rows, "metrics": self.metrics, "intervals": self.intervals,
                "method": self.method, "notes": notes,
                **({"counted": self.counted} if self.counted else {})}  # fmt: skip


# Other names of the field, so that nobody has to know ours.
ALIASES = {
    "acc": "accuracy",
    "ap": "average_precision",
    "auc": "roc_auc",
    "brier_score_loss": "brier",
    "cross_entropy": "log_loss",
    "matthews_corrcoef": "mcc",
    "mean_absolute_error": "mae",
    "mean_absolute_percentage_error": "mape",
    "mean_squared_error": "mse",
    "median_absolute_error": "median_ae",
    "pr_auc": "average_precision",
    "r2_score": "r2",
    "root_mean_squared_error": "rmse",
}


def find(task: TaskKind, name: str) -> Metric:
    """The metric of that name for the task, also under its other names.

    Raises:
        UserError: there is none; names the nearest, or the tasks that have it.
    """
    known = METRICS[task]
    meant = ALIASES.get(name.lower(), name.lower())
    if meant in known:
        return known[meant]
    elsewhere = [other for other, metrics in METRICS.items() if meant in metrics]
    if elsewhere:
        raise refuse(
            "metric-of-another-task",
            f"The metric '{name}' is for {' and '.join(elsewhere)} tasks; this task is {task}.",
            do=f"The choices are: {', '.join(known)}.",
        )
    raise UserError(unknown_name("metric", name, list(known)))


def higher_is_better(name: str) -> bool:
    """Whether more is better; for ``loss`` and for validation metrics written ``val_…`` too.

    Raises:
        UserError: there is no such metric.
    """
    plain = name.lower().removeprefix("val_").removeprefix("train_")
    if plain == "loss":
        return False
    if plain in TASK_METRICS:
        return TASK_METRICS[plain].higher
    meant = ALIASES.get(plain, plain)
    for metrics in METRICS.values():
        if meant in metrics:
            return metrics[meant].higher
    every = sorted({"loss", *(known for metrics in METRICS.values() for known in metrics)})
    raise UserError(unknown_name("metric", name, every))


HEADLINES = {"regression": "r2", "language": "nats_per_token", "forecast": "mase", "translation": "bleu"}
HEADLINES["unsupervised"] = "anomaly_roc_auc"  # where anomalies are known; else the first metric that the net has


def headline(task: TaskKind, class_counts: Sequence[int] | None = None) -> str:
    """The one metric to speak of first.

    R² for regression; accuracy for classes. But where the rarer of two classes has under 20 % of the rows, always
    answering with the other would look good by accuracy: there it is the average precision. Nats per token for
    language, the scaled error for forecasts, BLEU for translations.
    """
    if task in HEADLINES:
        return HEADLINES[task]
    rare = task == "binary" and class_counts and min(class_counts) < 0.2 * sum(class_counts)
    return "average_precision" if rare else "accuracy"


def score(
    task: TaskKind,
    truth: ArrayLike,
    prediction: ArrayLike,
    probability: ArrayLike | None = None,
    weights: ArrayLike | None = None,
) -> Evaluation:
    """Every metric of the task, without intervals. Arguments and errors as in `evaluate`."""
    j = judged(task, truth, prediction, probability, weights)
    metrics: dict[str, float] = {}
    undefined: dict[str, list[str]] = {}
    for metric in METRICS[task].values():
        if (metric.probability and j.P is None) or (metric.classes > 2 and len(j.labels) < metric.classes):
            continue
        try:
            with warnings.catch_warnings():
                # Said of classes without a row, which `_told` says in words of ours.
                warnings.filterwarnings("ignore", message="y_pred contains classes not in y_true")
                metrics[metric.name] = float(metric.compute(j))
        except UndefinedError as reason:
            undefined.setdefault(str(reason), []).append(metric.name)
    return Evaluation(task, j.n, metrics, notes=[_told(names, why, j.n) for why, names in undefined.items()])


def evaluate(
    task: TaskKind,
    truth: ArrayLike,
    prediction: ArrayLike,
    probability: ArrayLike | None = None,
    weights: ArrayLike | None = None,
    seed: int = 0,
) -> Evaluation:
    """Every metric of the task with its 95 % confidence interval.

    truth, prediction: (n,) class numbers 0 … K − 1, or values in the target's own units. probability: (n, K), or
    (n,) of class 1 for binary tasks, or None. weights: (n,) of the rows. seed: of the bootstrap.

    Raises:
        UserError: no rows, or predictions that are not finite.
    """
    found = score(task, truth, prediction, probability, weights)
    j = judged(task, truth, prediction, probability, weights)
    intervals, method = {}, {}
    if j.w is None and j.n > 1:
        for name, interval, how in _direct(j, found.metrics):
            intervals[name], method[name] = interval, how
    left = {name: value for name, value in found.metrics.items() if name not in intervals}
    if left and j.n > 1:
        resampled = bootstrap(lambda rows: statistics(j, rows, set(left)), left, j.n, j.w, seed)
        part = f" of {LARGEST:,} rows, scaled to {j.n:,}" if j.n > LARGEST else ""
        how = f"percentile bootstrap, {RESAMPLES:,} resamples{part}, seed {seed}"
        intervals |= resampled
        method |= dict.fromkeys(resampled, how)
    bounds = {name: METRICS[task][name].bounds for name in found.metrics}
    clipped = {
        name: [max(bounds[name][0], intervals[name][0]), min(bounds[name][1], intervals[name][1])]
        for name in found.metrics
        if name in intervals
    }
    without = [name for name in found.metrics if name not in clipped]
    notes = [*found.notes, *([_no_interval(without, j.n)] if without else [])]
    return Evaluation(task, j.n, found.metrics, clipped, {name: method[name] for name in clipped}, notes)


def _direct(j: Judged, metrics: dict[str, float]) -> list[tuple[str, Interval, str]]:
    """Intervals that need no resampling: (metric, interval, method)."""
    found: list[tuple[str, Interval, str]] = []
    shares = {
        "accuracy": np.ones(j.n, bool),
        "recall": j.truth == 1,
        "precision": j.prediction == 1,
    }
    for name, among in shares.items():
        if name in metrics:
            hits = int((j.truth == j.prediction)[among].sum())
            found.append((name, wilson(hits, int(among.sum())), "Wilson"))
    if "roc_auc" in metrics:
        found.append(("roc_auc", macro_auc(j.score[:, None], (j.truth == 1)[:, None]), "DeLong"))
    if "roc_auc_ovr_macro" in metrics:
        member = j.truth[:, None] == np.array(j.labels)
        found.append(("roc_auc_ovr_macro", macro_auc(j.probability, member), "DeLong, mean over classes"))
    return found


def _told(names: list[str], why: str, n: int) -> Problem:
    listed = ", ".join(names)
    verb = "is" if len(names) == 1 else "are"
    what = f"{listed} {verb} not defined on these {n:,} rows: {why}."
    do = "Evaluate on rows that have every class." if "class" in why else ""
    return Problem("warning", "undefined-metric", what, count=len(names), do=do)


def _no_interval(names: list[str], n: int) -> Problem:
    what = f"No confidence interval for {', '.join(names)} from these {n:,} rows."
    why = "Resampling them always gives the same value, or too often none at all."
    return Problem("note", "no-interval", what, count=len(names), why=why, do="Evaluate on more rows.")
