"""What came out, as plain rows of words, ready for the template: metrics, confusion, mistakes, baselines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from sklearn.metrics import confusion_matrix

from workings.learning.formulas import METRICS
from workings.learning.metrics import higher_is_better
from workings.learning.task_metrics import TASK_METRICS, names_for
from workings.report.mistakes import losses, worst
from workings.report.palette import heat_step
from workings.report.reading import Predictions, RunFiles
from workings.report.words import measured, metric_name, number, percent, seconds, short_name

MOST_CONFUSED_CLASSES = 20  # a larger confusion matrix is unreadable; its largest cells are listed instead


def metric_rows(run: RunFiles, judged_by: str) -> list[dict[str, Any]]:
    """A line for each test metric: value, interval, method, the best baseline's, which way is better."""
    intervals, method = run.metrics.get("intervals") or {}, run.metrics.get("method") or {}
    known: Mapping[str, Any] = METRICS.get(run.task, {}) or TASK_METRICS
    found = []
    for name, value in (run.metrics.get("metrics") or {}).items():
        interval = intervals.get(name)
        written, between = measured(name, value, interval)
        theirs = [each["metrics"][name] for each in run.baselines if name in (each.get("metrics") or {})]
        better = higher_is_better(name) if name in known else True
        best = (max(theirs) if better else min(theirs)) if theirs else None
        bounds = getattr(known.get(name), "bounds", (0.0, float("inf")))
        found.append(
            {
                "name": name,
                "words": metric_name(name),
                "text": known[name].text if name in known else "",
                "value": written,
                "interval": between,
                "method": method.get(name, "").split(",")[0].removeprefix("percentile "),
                "baseline": measured(name, best, interval)[0] if best is not None else "–",
                "better": "higher" if better else "lower",
                "headline": name == judged_by,
                "bar": _bar(value, interval, best) if bounds == (0.0, 1.0) else None,
            }
        )
    return found


def _bar(value: float, interval: Sequence[float] | None, baseline: float | None) -> dict[str, float | None]:
    """Places on a line of 120 units from 0 to 1."""
    low, high = interval or (value, value)
    place = {"value": value, "low": low, "high": high, "baseline": baseline}
    return {name: None if x is None else round(4 + 112 * x, 1) for name, x in place.items()}


def confusion(found: Predictions) -> dict[str, Any]:
    """The confusion matrix with shares of each row, or its largest cells where there are very many classes."""
    K = len(found.classes)
    C = confusion_matrix(found.truth, found.prediction, labels=range(K))
    support = C.sum(1)
    share = C / np.maximum(support, 1)[:, None]
    pairs = [(int(C[i, j]), i, j) for i in range(K) for j in range(K) if i != j and C[i, j]]
    pairs.sort(key=lambda pair: -pair[0])
    rows = [
        {
            "name": found.classes[i],
            "cells": [
                {
                    "count": f"{C[i, j]:,}",
                    "share": percent(float(share[i, j]), 0) if C[i, j] else "",
                    "heat": heat_step(float(share[i, j])),
                }
                for j in range(K)
            ],
            "support": f"{support[i]:,}",
        }
        for i in range(K)
    ]
    return {
        "rows": rows if K <= MOST_CONFUSED_CLASSES else [],
        "pairs": [
            {
                "truth": found.classes[i],
                "prediction": found.classes[j],
                "count": f"{n:,}",
                "share": percent(float(share[i, j])),
            }
            for n, i, j in pairs[:20]
        ],
        "more": max(0, len(pairs) - 20),
    }


def per_class(found: Predictions) -> list[dict[str, str]]:
    """Precision, recall, F1 and rows of each class; a dash where one is not defined."""
    K = len(found.classes)
    C = confusion_matrix(found.truth, found.prediction, labels=range(K))
    hits, support, said = np.diag(C), C.sum(1), C.sum(0)

    def share(part: int, whole: int) -> str:
        return percent(part / whole) if whole else "–"

    return [
        {
            "name": found.classes[k],
            "precision": share(hits[k], said[k]),
            "recall": share(hits[k], support[k]),
            "f1": f"{2 * hits[k] / (support[k] + said[k]):.3f}" if support[k] + said[k] else "–",
            "support": f"{support[k]:,}",
            "said": f"{said[k]:,}",
        }
        for k in range(K)
    ]


def mistakes(run: RunFiles, k: int = 12) -> list[dict[str, Any]]:
    """The worst test rows: truth, prediction, how sure, the fields, and the picture if there is one."""
    found = run.predictions
    if found is None or run.task not in METRICS:
        return []
    loss = losses(run.task, found.truth, found.prediction, found.P)
    listed = []
    for i in worst(run.task, found.truth, found.prediction, found.P, k):
        entry: dict[str, Any] = {
            "where": found.where[i],
            "fields": {name: _cell(value) for name, value in found.fields(int(i)).items() if name != run.target},
            "picture": run.pictures.get(f"mistake-{found.row[i]}.png"),
        }
        if run.task == "regression":
            entry |= {"truth": number(float(found.truth[i])), "prediction": number(float(found.prediction[i]))}
            entry["off"] = number(float(found.prediction[i] - found.truth[i]))
        else:
            entry |= {"truth": found.classes[found.truth[i]], "prediction": found.classes[found.prediction[i]]}
            if found.P is not None:
                entry["sure"] = percent(float(found.P[i, found.prediction[i]]))
                entry["truth_sure"] = percent(float(found.P[i, found.truth[i]]))
        entry["loss"] = number(float(loss[i]), 3)
        listed.append(entry)
    return listed


def _cell(value: Any) -> str:
    if value is None:
        return "missing"
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def contest(run: RunFiles, judged_by: str) -> dict[str, Any]:
    """The net among its baselines, best first by the metric judged by, on one scale."""
    phases = run.environment.get("seconds") or {}
    own = {"name": "this network", "metrics": run.metrics.get("metrics") or {}, "own": True}
    own["seconds"] = phases.get("training") or sum(phases.values())
    entries = [own, *({"metrics": {}, **each, "own": False} for each in run.baselines)]
    ranked = [each for each in entries if judged_by in each["metrics"]]
    if ranked:
        ranked.sort(key=lambda each: each["metrics"][judged_by], reverse=higher_is_better(judged_by))
    others = [each for each in entries if judged_by not in each["metrics"]]
    columns = [
        name for name in _COLUMNS.get(run.task, names_for(run.task)) if name in own["metrics"] and name != judged_by
    ]
    columns = [judged_by, *columns][:4] if judged_by else columns
    intervals = run.metrics.get("intervals") or {}
    scale = _Scale(ranked, judged_by, intervals.get(judged_by))
    rows = [
        {
            "name": each["name"],
            "own": each["own"],
            "cells": [
                measured(name, each["metrics"][name], intervals.get(name))[0] if name in each["metrics"] else "–"
                for name in columns
            ],
            "seconds": seconds(each["seconds"]) if each.get("seconds") else "–",
            "note": each.get("note", ""),
            **scale.places(each),
        }
        for each in [*ranked, *others]
    ]
    return {"columns": [short_name(name) for name in columns], "rows": rows, "scale": scale.ends()}


class _Scale:
    """Places on a line of 160 units from the worst to the best.

    Without the baseline that always gives the same answer: as a rule it is so far off that the others could not be
    told apart beside it.
    """

    def __init__(self, ranked: list[dict[str, Any]], name: str, interval: Sequence[float] | None) -> None:
        self.name, self.interval = name, interval
        self.shown = [each for each in ranked if not each["name"].startswith("always")]
        values = [each["metrics"][name] for each in self.shown] + list(interval or [])
        self.low, self.high = (min(values), max(values)) if values else (0.0, 1.0)

    def _place(self, x: float) -> float:
        return round(6 + 148 * (x - self.low) / ((self.high - self.low) or 1), 1)

    def places(self, each: dict[str, Any]) -> dict[str, float | None]:
        """Of a model's value and, for the net, its interval."""
        low, high = self.interval if self.interval and each["own"] else (None, None)
        return {
            "place": self._place(each["metrics"][self.name]) if each in self.shown else None,
            "low": None if low is None else self._place(low),
            "high": None if high is None else self._place(high),
        }

    def ends(self) -> list[str]:
        """What the two ends stand for."""
        return [measured(self.name, edge, self.interval)[0] for edge in (self.low, self.high)]


_COLUMNS = {
    "binary": ["accuracy", "roc_auc", "average_precision", "f1_macro", "log_loss"],
    "multiclass": ["accuracy", "f1_macro", "roc_auc_ovr_macro", "log_loss"],
    "regression": ["r2", "mae", "rmse", "median_ae"],
}
