"""How far a forecast may be off: bands round each step, from what the net missed on steps that it did not learn.

    r_h = z_(T+h) − ẑ_(T+h)      on the validation windows, z being values or, where the net sees them, logarithms

With many windows the edges are the empirical quantiles of r_h, one rank farther out so that they also hold for a new
one (split conformal, Vovk et al. 2005); with few, ± t · √(mean r_h²), t of Student's distribution. Behind the horizon,
where forecasts are rolled on, the deviations of the parts are taken as independent: their squares add up.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
LEVELS = (0.8, 0.95)
MANY = 100  # windows from which on empirical quantiles are used


def make_bands(residuals_NHk: Floats, origin: str) -> dict[str, Any]:
    """What ``forecast.json`` keeps: for each level the lower and upper edge (H, k), to be added to ẑ."""
    N = len(residuals_NHk)
    found: dict[str, Any] = {}
    for level in LEVELS:
        alpha = 1 - level
        if N >= MANY:
            ordered = np.sort(residuals_NHk, axis=0)
            rank = min(N, int(np.ceil((N + 1) * (1 - alpha / 2)))) - 1
            low, high = ordered[N - 1 - rank], ordered[rank]
        else:
            high = student(level, N) * np.sqrt((residuals_NHk**2).mean(0))
            low = -high
        found[str(level)] = {"low": low.tolist(), "high": high.tolist()}
    how = "quantiles of the errors" if N >= MANY else "t times the root mean square of the few errors"
    return {"bands": found, "from": origin, "windows": N, "method": f"{how} on {N:,} {origin} windows"}


def student(level: float, n: int) -> float:
    """t of Student's distribution with n degrees of freedom, for a two-sided interval of ``level``."""
    from scipy.stats import t

    return float(t.ppf(0.5 + level / 2, max(1, n)))


def edges(kept: dict[str, Any], level: float, steps: int) -> tuple[Floats, Floats]:
    """(low, high), each (steps, k): what is added to ẑ, also behind the horizon."""
    band = kept["bands"][str(level)]
    low, high = np.array(band["low"]), np.array(band["high"])
    H = len(low)
    part, h = np.divmod(np.arange(steps), H)

    def grown(edge: Floats, sign: int) -> Floats:
        first = edge[h]
        rolled = sign * np.sqrt(part[:, None] * edge[-1] ** 2 + first**2)
        return np.where(part[:, None] == 0, first, rolled)

    return grown(low, -1), grown(high, 1)
