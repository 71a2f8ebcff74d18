"""Logarithm and seasonal differences: what makes a series steady before a net sees it, and the way back.

    z_t = ln y_t                 where the swings grow with the level, so that they become alike
    d_t = z_t − z_(t−m)          for a season of m steps, so that the season itself need not be learnt

and back, h steps after the last known time T:

    ẑ_(T+h) = d̂_(T+h) + z_(T+h−m)       z being known for h ≤ m, else itself forecast
    ŷ = e^ẑ

Legend: N forecasts, H steps ahead, V variables, m season, L steps of a window.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

NAMES = ("auto", "none", "log", "difference", "log+difference")
GAIN = 0.03  # part of the error that a transform must save to be worth it
FOLDS = 4  # parts of the newest half of the training steps, each judged after fitting on all before
MOST_VARIABLES = 16  # targets that are judged, spread evenly over all of them
MOST_WINDOWS = 1_000  # that the judging autoregression is fitted on
PENALTY = 1e-2  # of the judging ridge regression, relative to the mean variance of its inputs


@dataclass(frozen=True)
class Transform:
    """log: whether each variable is replaced by its logarithm (V). lag: m of the seasonal difference, 0 for none."""

    log: tuple[bool, ...]
    lag: int = 0

    def level(self, y_nV: Floats) -> Floats:
        """z: the logarithm where there is one."""
        log = np.array(self.log)
        return np.where(log, np.log(np.where(log, y_nV, 1.0)), y_nV)

    def unlevel(self, z: Floats, targets: int) -> Floats:
        """y of z (…, targets)."""
        log = np.array(self.log[:targets])
        return np.where(log, np.exp(np.where(log, np.minimum(z, 700.0), 0.0)), z)

    def difference(self, z_nV: Floats) -> Floats:
        """d (n, V); NaN at the first m steps."""
        if not self.lag:
            return z_nV
        d = np.full_like(z_nV, np.nan)
        d[self.lag :] = z_nV[self.lag :] - z_nV[: -self.lag]
        return d

    def integrate(self, d_NHV: Floats, z_past_NmV: Floats) -> Floats:
        """ẑ (N, H, V) from d̂ and the m values of z before each forecast, oldest first."""
        if not self.lag:
            return d_NHV
        z = np.empty_like(d_NHV)
        for h in range(d_NHV.shape[1]):
            before = z_past_NmV[:, h] if h < self.lag else z[:, h - self.lag]
            z[:, h] = d_NHV[:, h] + before
        return z


def choose(
    y_nV: Floats, positive: NDArray[np.bool_], season: int, window: int, horizon: int, targets: int
) -> tuple[Transform, str]:
    """The transform under which a linear autoregression errs least on the newest half of the training steps.

    y_nV: the training steps. positive: (V,) which variables are above 0 in the whole series, so that a logarithm
    exists. The simpler of two is taken unless the other saves 3 % of the mean absolute error. It is judged at most a
    season ahead, since a short series has few longer windows.
    """
    none = Transform((False,) * y_nV.shape[1])
    logged = Transform(tuple(bool(each) for each in positive))
    candidates = {"none": none}
    if any(logged.log):
        candidates["log"] = logged
    if season > 1:
        candidates["difference"] = Transform(none.log, season)
        if any(logged.log):
            candidates["log+difference"] = Transform(logged.log, season)
    ahead = min(horizon, season) if season > 1 else horizon
    judged = np.unique(np.linspace(0, targets - 1, min(targets, MOST_VARIABLES)).round().astype(int))
    errors = {
        name: _error(y_nV[:, judged], Transform(tuple(each.log[v] for v in judged), each.lag), window, ahead)
        for name, each in candidates.items()
    }
    known = {name: error for name, error in errors.items() if np.isfinite(error)}
    if len(known) < 2:
        return none, "the training part is too short to compare others"
    best = "none" if "none" in known else next(iter(known))
    for name, error in known.items():
        if error < (1 - GAIN) * known[best]:
            best = name
    said = ", ".join(f"{name} {error / known.get('none', error):.2f}" for name, error in known.items())
    return candidates[best], f"error of a linear autoregression on the newest half of the training steps: {said}"


def _error(y_nV: Floats, transform: Transform, L: int, H: int) -> float:
    """Mean absolute error over the variables' deviation, on each eighth of the newest half after fitting on all before.

    The model is a ridge autoregression shared by all targets; NaN where the steps do not suffice.
    """
    n = len(y_nV)
    cuts = np.linspace(n / 2, n, FOLDS + 1).round().astype(int)
    folds = [_fold(y_nV[:end], begin, transform, L, H) for begin, end in pairwise(cuts)]
    known = [each for each in folds if each is not None]
    if not known:
        return float("nan")
    scale = y_nV.std(0)
    e = np.concatenate(known).mean((0, 1))
    return float((e / np.where(scale > 0, scale, 1.0)).mean())


def _fold(y_nV: Floats, begin: int, part: Transform, L: int, H: int) -> Floats | None:
    """|error| (N, H, V) of the windows that forecast steps from ``begin`` on, fitted on those before."""
    n, V = y_nV.shape
    z = part.level(y_nV)
    d = part.difference(z)
    first = part.lag + L
    fit, judge = np.arange(first, begin - H + 1), np.arange(max(begin, first), n - H + 1)
    if not len(judge):  # a fold shorter than the horizon is judged by its last forecast
        judge = np.arange(n - H, n - H + 1)
        fit = fit[fit < n - 2 * H + 1]
    if len(fit) < 5 or judge[0] < first:
        return None
    rng = np.random.default_rng(0)
    fit, judge = (_some(rng, each) for each in (fit, judge))

    def windows(starts: NDArray[np.int64]) -> tuple[Floats, Floats, Floats]:
        past = d[starts[:, None] + np.arange(-L, 0)].transpose(0, 2, 1).reshape(-1, L)
        ahead = d[starts[:, None] + np.arange(H)].transpose(0, 2, 1).reshape(-1, H)
        last = np.zeros_like(past[:, -1:]) if part.lag else past[:, -1:]
        return past - last, ahead - last, last

    X, Y, _ = windows(fit)
    middle, usual = X.mean(0), Y.mean(0)
    X, Y = X - middle, Y - usual
    gram = X.T @ X
    penalty = PENALTY * np.trace(gram) / L + 1e-12
    W = np.linalg.solve(gram + penalty * np.eye(L), X.T @ Y)
    X, _, last = windows(judge)
    said = ((X - middle) @ W + usual + last).reshape(len(judge), V, H).transpose(0, 2, 1)
    reached = part.integrate(said, z[judge[:, None] + np.arange(-part.lag, 0)])
    return np.abs(part.unlevel(reached, V) - y_nV[judge[:, None] + np.arange(H)])


def _some(rng: np.random.Generator, starts: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.sort(rng.choice(starts, MOST_WINDOWS, False)) if len(starts) > MOST_WINDOWS else starts
