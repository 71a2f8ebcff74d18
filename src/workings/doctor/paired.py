"""Whether one recipe does better than another, by trials in pairs: the gain, and its interval.

    d_s = score of the one − score of the other       seed s; above 0 the other is better
    gain = mean of d
    interval = gain ± t_{k−1} √(v_s/k)                 k seeds, v_s the variance of d

which holds where other rows judge with each seed (``Patient.folds``): d then varies with seed and rows alike. Where the
same rows judge every time, they vary too:

    interval = gain ± √( t²_{k−1} v_s/k + t²_{n−1} v_r/n )       d_r: row r, mean over seeds

so that a cure that helps on the very rows that judge, or with lucky numbers, does not pass. The sum counts what both
share twice and is therefore wide rather than narrow (Owen 2007, The pigeonhole bootstrap, shows it for crossed
samples). Where a score is no mean over rows, the second part is missing.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch

from workings.base.files import finite
from workings.doctor.trial import Trial

LEVEL = 0.98  # of the intervals by which a cure is accepted: one that does nothing passes once in a hundred


@dataclass(frozen=True)
class Gain:
    """How much better. mean and interval; before and after: mean scores; seeds: pairs of trials."""

    mean: float
    low: float
    high: float
    before: float
    after: float
    seeds: int

    @property
    def better(self) -> bool:
        """Whether it is better beyond the interval."""
        return self.seeds > 1 and self.low > 0

    @property
    def worse(self) -> bool:
        """Whether it is worse beyond the interval."""
        return self.seeds > 1 and self.high < 0

    @property
    def share(self) -> float:
        """The gain as a share of the score before."""
        return self.mean / abs(self.before) if self.before and math.isfinite(self.before) else 0.0

    def to_dict(self) -> dict[str, float | int | None]:
        """As JSON-ready values; infinite ones are None."""
        names = ("mean", "low", "high", "before", "after", "seeds")
        return {name: finite(getattr(self, name)) for name in names}


def gain(before: Sequence[Trial], after: Sequence[Trial], level: float = LEVEL, same_rows: bool = True) -> Gain:
    """How much better ``after`` is than ``before``; trials of the same place share a seed.

    same_rows: whether the same rows judge with every seed.
    """
    pairs = list(zip(before, after, strict=True))
    k = len(pairs)
    d_s = [_less(a.score, b.score) for a, b in pairs]
    mean = sum(d_s) / k if all(map(math.isfinite, d_s)) else sum(map(_sign, d_s)) * math.inf
    a, b = (sum(each.score for each in some) / k for some in (before, after))
    if k < 2 or not math.isfinite(mean):
        wide = math.isnan(mean) or k < 2
        low, high = (-math.inf, math.inf) if wide else _of_stops(d_s)
        return Gain(0.0 if math.isnan(mean) else mean, low, high, a, b, k)
    variance = sum((d - mean) ** 2 for d in d_s) / (k - 1)
    half = _t(level, k - 1) ** 2 * variance / k
    d_rows = [x.rows - y.rows for x, y in pairs if x.rows is not None and y.rows is not None]
    if same_rows and len(d_rows) == k:
        d_r = torch.stack(d_rows).mean(0)
        n = len(d_r)
        if n > 1:
            half += _t(level, n - 1) ** 2 * float(d_r.var()) / n
    half = math.sqrt(half)
    return Gain(mean, mean - half, mean + half, a, b, k)


def _of_stops(d: Sequence[float]) -> tuple[float, float]:
    """Bounds where some trials stopped and have no score at all: one-sided only where every pair agrees."""
    k = len(d)
    agree = k >= 5 and (all(x > 0 for x in d) or all(x < 0 for x in d))  # a sign test: 1 in 2⁵ by chance
    if not agree:
        return -math.inf, math.inf
    nearest = min(d, key=abs)
    return (nearest, math.inf) if nearest > 0 else (-math.inf, nearest)


def _less(a: float, b: float) -> float:
    return 0.0 if a == b else a - b


def _sign(x: float) -> int:
    return (x > 0) - (x < 0)


def _t(level: float, freedom: int) -> float:
    from scipy.stats import t

    return float(t.ppf(0.5 + level / 2, freedom))
