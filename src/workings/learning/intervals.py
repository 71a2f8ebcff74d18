"""95 % confidence intervals of test metrics: how far the figure could be from that of endless new rows.

Every method treats the test rows as a random sample and the trained net as fixed. So an interval says how much the
choice of test rows matters; it does not say how much another seed would.

Share of rows (accuracy, precision, recall): Wilson's score interval, which stays honest at 0 % and 100 %.
Areas under ROC curves: DeLong's variance, on the logit scale so that the interval stays within 0 and 1.
All else: the percentile bootstrap over rows.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Interval = tuple[float, float]

Z = 1.959963984540054  # the 97.5 % point of the normal distribution
RESAMPLES = 1000
LARGEST = 20_000  # rows in one resample; what it cannot hold is made up for by scaling, see `bootstrap`


def wilson(successes: float, n: float) -> Interval:
    """Wilson's score interval of a share: the p with |p̂ − p| = z √(p(1 − p)/n).

    Source: E. B. Wilson, Probable inference, the law of succession, and statistical inference, 1927.
    """
    p = successes / n
    centre = (p + Z**2 / (2 * n)) / (1 + Z**2 / n)
    half = Z / (1 + Z**2 / n) * math.sqrt(p * (1 - p) / n + Z**2 / (4 * n**2))
    return max(0.0, centre - half), min(1.0, centre + half)


def placements(score: Floats, positive: NDArray[np.bool_]) -> tuple[Floats, Floats]:
    """For every positive row the share of negatives scored below it, for every negative the share of positives above.

    Ties count one half. Both means are the area under the ROC curve.
    """
    m, n = int(positive.sum()), int((~positive).sum())
    rank_all = _midranks(score)
    above = (rank_all[positive] - _midranks(score[positive])) / n
    below = 1 - (rank_all[~positive] - _midranks(score[~positive])) / m
    return above, below


def delong(score: Floats, positive: NDArray[np.bool_]) -> Interval:
    """The interval of one area under the ROC curve; ``macro_auc`` of a single column."""
    return macro_auc(score[:, None], positive[:, None])


def macro_auc(scores: Floats, member: NDArray[np.bool_]) -> Interval:
    """The interval of the mean of K areas, one class against the rest.

    scores, member: (n, K). Row i pulls on area k by ψ_ik = n/m_k (V_ik − A_k), with V its placement and m_k the
    rows on its side. The variance of the mean is that of the rows' mean pull. For K = 1 this is DeLong's.

    Source: E. DeLong, D. DeLong, D. Clarke-Pearson, Comparing the areas under two or more correlated ROC curves, 1988.
    """
    n, K = scores.shape
    pull, area, smallest = np.zeros(n), 0.0, n
    for k in range(K):
        positive = member[:, k]
        above, below = placements(scores[:, k], positive)
        A = float(above.mean())
        area += A / K
        m1, m0 = len(above), len(below)
        smallest = min(smallest, m1, m0)
        # √(m/(m − 1)) makes the mean of squares the unbiased sample variance that DeLong uses.
        pull[positive] += (above - A) / m1 * math.sqrt(m1 / max(m1 - 1, 1)) / K
        pull[~positive] += (below - A) / m0 * math.sqrt(m0 / max(m0 - 1, 1)) / K
    variance = float((pull**2).sum())
    if variance == 0 or not 0 < area < 1:
        return _newcombe(area, smallest, n - smallest)
    logit = math.log(area / (1 - area))
    half = Z * math.sqrt(variance) / (area * (1 - area))
    return _sigmoid(logit - half), _sigmoid(logit + half)


def _newcombe(area: float, m: int, n: int) -> Interval:
    """The areas θ with |θ − area| ≤ z √V(θ), for a perfect separation, where DeLong's variance is nil.

    V is Hanley and McNeil's variance with both group sizes replaced by their mean in its bracket.
    Source: R. Newcombe, Confidence intervals for an effect size measure based on the Mann-Whitney statistic, 2006,
    method 5.
    """
    N = (m + n) / 2 - 1

    def outside(theta: float) -> bool:
        V = theta * (1 - theta) / (m * n) * (1 + N * (1 - theta) / (2 - theta) + N * theta / (1 + theta))
        return abs(theta - area) > Z * math.sqrt(max(V, 0.0))

    def edge(far: float) -> float:
        near = area
        for _ in range(60):
            middle = (near + far) / 2
            near, far = (near, middle) if outside(middle) else (middle, far)
        return near

    return edge(0.0) if area > 0 else 0.0, edge(1.0) if area < 1 else 1.0


def bootstrap(
    prepare: Callable[[NDArray[np.intp]], Callable[[Floats], dict[str, float]]],
    estimate: dict[str, float],
    n: int,
    weights: Floats | None,
    seed: int,
) -> dict[str, Interval]:
    """Percentile intervals of several statistics of the same rows, from ``RESAMPLES`` resamples.

    prepare: takes row numbers (m,) and returns a function from their weights (m,) to the statistics. It is called
        with whole-number weights, a row drawn twice having weight 2, times the row's own weight.
    estimate: the statistics of all n rows, round which the intervals lie.

    Where n > ``LARGEST``, each resample has m = ``LARGEST`` rows of a random part of that size, and the deviations
    are shrunk by √(m/n): the m-out-of-n bootstrap, so the cost does not grow with n.

    Returns no interval for a statistic that is undefined in over 5 % of the resamples, or the same in all of them:
    a perfect score among the rows at hand does not show that it is always perfect.
    """
    rng = np.random.default_rng(seed)
    rows = np.arange(n) if n <= LARGEST else np.sort(rng.choice(n, LARGEST, replace=False))
    m = len(rows)
    w = np.ones(m) if weights is None else weights[rows]
    statistic = prepare(rows)
    centre = statistic(w) if m < n else estimate
    drawn = (statistic(np.bincount(rng.integers(0, m, m), minlength=m) * w) for _ in range(RESAMPLES))
    resamples = [[values[name] for name in estimate] for values in drawn]
    shrink = math.sqrt(m / n)
    intervals: dict[str, Interval] = {}
    for (name, middle), column in zip(estimate.items(), np.array(resamples).T, strict=True):
        known = column[np.isfinite(column)]
        if len(known) < 0.95 * RESAMPLES or not math.isfinite(centre[name]):
            continue
        low, high = np.percentile(known, [2.5, 97.5])
        if high > low:
            intervals[name] = (
                float(middle + (low - centre[name]) * shrink),
                float(middle + (high - centre[name]) * shrink),
            )
    return intervals


def _midranks(values: Floats) -> Floats:
    """Ranks from 1; equal values share the mean of their ranks."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    return (last - (counts - 1) / 2)[inverse]


def _sigmoid(z: float) -> float:
    return 1 / (1 + math.exp(-z)) if z >= 0 else math.exp(z) / (1 + math.exp(z))
