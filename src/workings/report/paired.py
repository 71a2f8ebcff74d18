"""Two models on the same test rows: how sure it is which one is better.

The intervals of two models overlap widely even where one is right wherever the other is and in more rows besides, as
both hang on which rows are in the test. Their difference, resampled row by row, does not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workings.data.schema import TaskKind
from workings.learning.intervals import bootstrap
from workings.learning.judged import Floats, judged
from workings.learning.metrics import headline, higher_is_better
from workings.learning.resampled import Statistic, statistics

RARE = (99, 1)  # counts of two classes of which one is rare


@dataclass(frozen=True)
class Said:
    """What a model says of n rows. prediction: (n,) class numbers or values. P: (n, K) or None."""

    prediction: NDArray[np.generic]
    P: Floats | None = None

    def of(self, rows: NDArray[np.intp]) -> Said:
        """What it says of some rows."""
        return Said(self.prediction[rows], None if self.P is None else self.P[rows])


def gain(task: TaskKind, truth: NDArray[np.generic], ours: Said, theirs: Said, name: str) -> list[float] | None:
    """The 95 % interval of how much better ``ours`` is than ``theirs`` by the metric ``name``, above 0 for better.

    Both are judged on every resample of the same rows (paired percentile bootstrap). None where the metric is not
    defined in enough resamples, or the difference is the same in all.
    """
    sign = 1 if higher_is_better(name) else -1
    pair = [judged(task, truth, each.prediction, each.P, None) for each in (ours, theirs)]

    def prepare(rows: NDArray[np.intp]) -> Statistic:
        a, b = (statistics(each, rows, {name}) for each in pair)
        return lambda w: {name: sign * (a(w)[name] - b(w)[name])}

    n = len(truth)
    estimate = prepare(np.arange(n))(np.ones(n))
    found = bootstrap(prepare, estimate, n, None, seed=0)
    return list(found[name]) if name in found else None


def compare(
    task: TaskKind, truth: NDArray[Any], ours: Said, said: Sequence[Said | None], results: Sequence[dict[str, Any]]
) -> None:
    """Hold the net against the best baseline, by each metric that a run of this task may be judged by.

    said: what each baseline says of the rows, None where it did not run. results: what ``baselines.json`` holds of
    each; the best gets ``gain``.
    """
    for name in dict.fromkeys([headline(task), headline(task, RARE)]):
        having = [i for i, result in enumerate(results) if name in result["metrics"]]
        if not having:
            continue
        sign = 1 if higher_is_better(name) else -1
        best = max(having, key=lambda i: sign * results[i]["metrics"][name])
        theirs = said[best]
        interval = None if theirs is None else gain(task, truth, ours, theirs, name)
        if interval is not None:
            results[best].setdefault("gain", {})[name] = interval
