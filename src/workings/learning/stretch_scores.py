"""How well scores of the steps of a series tell its anomalies, with intervals that know that neighbours are alike.

    area         P(score of an anomalous step > that of a regular one), ties half: the area under the ROC curve
    precision    Σ_k (R_k − R_(k−1)) P_k over the thresholds k, R recall and P precision: average precision

A stretch is an anomaly that lasts: anomalous steps side by side. It counts as found where one of its steps is told.
Steps side by side share the windows that judge them, so an interval resamples blocks of neighbours, round the circle
(circular block bootstrap, Politis and Romano 1992). A resample without an anomaly is drawn again.

Legend: n steps, w how often a resample holds each, K thresholds.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from workings.base.problems import Problem
from workings.learning.forecast_errors import FEWEST_BLOCKS
from workings.learning.intervals import RESAMPLES, wilson
from workings.learning.metrics import Evaluation

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
FEWEST_STRETCHES = 3  # of anomalies, below which resampling says nothing of others
MOST_DRAWS = 10  # resamples drawn for one that is kept


def stretches(odd: Bools) -> NDArray[np.int64]:
    """(s, 2): the first step of each stretch of True, and the step behind its last."""
    edge = np.diff(np.concatenate([[0], odd.astype(np.int8), [0]]))
    return np.column_stack([np.flatnonzero(edge == 1), np.flatnonzero(edge == -1)])


class Curves:
    """Area and average precision of scores (n,) for ``odd`` (n,), for any numbers of times each step counts."""

    def __init__(self, score: Floats, odd: Bools) -> None:
        _, self.rank = np.unique(score, return_inverse=True)
        self.odd = odd

    def areas(self, w: Floats | None = None) -> tuple[float, float]:
        """(area, average precision); both kinds of steps must be there."""
        w = np.ones(len(self.odd)) if w is None else w
        K = int(self.rank.max()) + 1
        hits = np.bincount(self.rank, w * self.odd, K)
        misses = np.bincount(self.rank, w * ~self.odd, K)
        area = float((hits * (misses.cumsum() - misses / 2)).sum() / (hits.sum() * misses.sum()))
        found, told = hits[::-1].cumsum(), (hits + misses)[::-1].cumsum()
        precision = np.divide(found, told, out=np.zeros(K), where=told > 0)
        return area, float((hits[::-1] * precision).sum() / hits.sum())


def resampled(n: int, block: int, odd: Bools, seed: int) -> Iterator[Floats]:
    """How often each step (n,) is in a resample of blocks, ``RESAMPLES`` times; both kinds of steps are in each."""
    rng = np.random.default_rng(seed)
    blocks = -(-n // block)
    made = 0
    for _ in range(MOST_DRAWS * RESAMPLES):
        begins = rng.integers(0, n, blocks)
        edge = np.zeros(2 * n + 1)
        np.add.at(edge, begins, 1.0)
        np.add.at(edge, begins + block, -1.0)
        w = edge.cumsum()[: 2 * n].reshape(2, n).sum(0)
        if 0 < (w * odd).sum() < w.sum():
            yield w
            made += 1
        if made == RESAMPLES:
            return


def block_of(odd: Bools, window: int) -> int | None:
    """Steps of a block: a window, and the longest anomaly; None where too few blocks or anomalies are there."""
    lasting = stretches(odd)
    block = max(window, int((lasting[:, 1] - lasting[:, 0]).max(initial=0)))
    return block if len(lasting) >= FEWEST_STRETCHES and FEWEST_BLOCKS * block <= len(odd) else None


def of_steps(score: Floats, odd: Bools, window: int, threshold: float | None, seed: int = 0) -> Evaluation:
    """Metrics of the scores (n,) of steps; ``odd`` (n,) bool, both kinds must be there. One above threshold is told."""
    curves = Curves(score, odd)
    names = ("anomaly_roc_auc", "anomaly_average_precision")
    metrics: dict[str, float] = dict(zip(names, curves.areas(), strict=True))
    found = Evaluation("unsupervised", len(score), metrics)
    told = np.zeros(len(score), dtype=bool) if threshold is None else score > threshold
    if threshold is not None:
        metrics["anomalies_found"] = float(told[odd].mean())
        metrics["false_alarms"] = float(told[~odd].mean())
        lasting = stretches(odd)
        hit = sum(bool(told[begin:end].any()) for begin, end in lasting)
        metrics["stretches_found"] = hit / len(lasting)
        found.intervals["stretches_found"] = list(wilson(hit, len(lasting)))
        found.method["stretches_found"] = "Wilson"
    block = block_of(odd, window)
    if block is None:
        what = "No confidence intervals of how well anomalous steps are told."
        why = f"There are fewer than {FEWEST_STRETCHES} anomalies, or the longest (or a window) is more than a "
        why += f"{FEWEST_BLOCKS}th of the steps."
        found.notes.append(Problem("note", "no-interval", what, why=why, do="Evaluate on a longer series."))
        return found
    drawn = []
    for w in resampled(len(score), block, odd, seed):
        rates = [(w * told * among).sum() / (w * among).sum() for among in (odd, ~odd)]
        drawn.append([*curves.areas(w), *rates])
    for i, name in enumerate([*names, "anomalies_found", "false_alarms"]):
        if name in metrics:
            found.intervals[name] = [float(q) for q in np.percentile(np.array(drawn)[:, i], [2.5, 97.5])]
            found.method[name] = f"circular block bootstrap, blocks of {block:,} steps, {len(drawn):,} resamples"
    return found


def gain(mine: Floats, theirs: Floats, odd: Bools, window: int, seed: int = 0) -> list[float] | None:
    """The 95 % interval of how much larger the area of one score (n,) is than another's on the same steps."""
    block = block_of(odd, window)
    if block is None:
        return None
    a, b = Curves(mine, odd), Curves(theirs, odd)
    apart = [a.areas(w)[0] - b.areas(w)[0] for w in resampled(len(odd), block, odd, seed)]
    return [float(q) for q in np.percentile(apart, [2.5, 97.5])]
