"""Zeros that stand for a missing value: a blood pressure of 0 is none."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from workings.base.problems import Problem, shorten
from workings.base.typed import as_typed

MOST_ZEROS = 0.5  # a value of most rows is the usual state ("no capital gain"), not a gap in the data
FEW_ROWS = 30
GAP = 0.15
FAR = 0.45  # a gap beyond doubt
STEPS = 5
RIDGE = 0.01
LOW = 0.2
NOT_LOW = 0.35
EXPLAINED = 0.3  # R² below which the other columns say too little about this one


def zeros_that_mean_missing(V: np.ndarray, sure: bool = False) -> list[int]:
    """The columns of the numbers ``V`` (m, columns) in which 0 looks like a stand-in for a missing value.

    Two things must hold: 0 stands apart from the other values (:func:`zeros_stand_apart`), and the rows with 0 are
    not those in which the other columns would make one expect a low value, as they are where 0 is measured.
    sure: what is only said may be wrong now and then, what is done about it should not; so one of the two must then
    hold by a wide margin.
    """
    apart = [k for k in range(V.shape[1]) if zeros_stand_apart(V[:, k])]
    if not apart:
        return []
    # What may be a gap must not serve as evidence about another column.
    others = np.delete(V, apart, axis=1)
    found = [k for k in apart if not _look_low(V[:, k], others, LOW, EXPLAINED)]
    if not sure:
        return found
    return [k for k in found if zeros_stand_apart(V[:, k], FAR) or not _look_low(V[:, k], others, NOT_LOW, 0.0)]


def zeros_stand_apart(v: np.ndarray, far: float = GAP) -> bool:
    """Whether 0 looks like a stand-in for a missing value in the numbers ``v`` (m,).

    It does where all other values are positive, zeros are the minority, and 0 lies apart from them: the gap from 0
    to the least positive value g is more than five of the smallest steps between values (so 0 is not the natural
    start of a count: 0, 1, 2 … or 0, 0.5, 1 …), and more than ``far`` of the way from g on to the lower quartile (where
    values thin out towards 0, as sums of money do, g is far smaller). A blood pressure of 0 beside 24 … 122 is
    found; pregnancies from 0, and capital gains that are 0 for most people, are not.
    """
    v = v[~np.isnan(v)]
    zero = v == 0
    if len(v) < FEW_ROWS or zero.sum() < 2 or v.min() < 0 or zero.mean() >= MOST_ZEROS:
        return False
    positive = np.sort(v[~zero])
    values = np.unique(positive)
    if len(values) < 2 * STEPS:
        return False
    gap = values[0]
    step = np.diff(values).min()
    to_quartile = positive[len(positive) // 4] - gap
    return bool(gap > STEPS * step * (1 - 1e-6) and gap > far * to_quartile)


def _look_low(v: np.ndarray, others: np.ndarray, low: float, least: float) -> bool:
    """Whether the rows with 0 in ``v`` (m,) are, by ``others`` (m, columns), rows in which a low value is likely.

    The positive values are predicted from the other columns by ridge regression; the rows with 0 look low where half
    of them are predicted lower than the quantile ``low`` of the others, by a prediction with an R² above ``least``.
    """
    seen = ~np.isnan(v)
    v, others = v[seen], others[seen]
    others = others[:, (~np.isnan(others)).any(axis=0)]
    spread = np.nanstd(others, axis=0)
    others, spread = others[:, spread > 0], spread[spread > 0]
    if not others.shape[1]:
        return False
    U = np.nan_to_num((others - np.nanmean(others, axis=0)) / spread)
    positive = v > 0
    A, b = U[positive], v[positive] - v[positive].mean()
    weights = np.linalg.solve(A.T @ A + len(A) * RIDGE * np.eye(A.shape[1]), A.T @ b)
    predicted = U @ weights
    explained = 1 - (b - A @ weights).var() / b.var()
    return bool(explained > least and np.median(predicted[v == 0]) < np.quantile(predicted[positive], low))


def zero_problem(names: list[str], counts: list[int]) -> Problem:
    """The warning about the columns in which 0 looks like a missing value."""
    what = f"In {len(names)} column(s) 0 lies far below all other values: it probably means missing."
    where = shorten((f"{name} ({count:,} zeros)" for name, count in zip(names, counts, strict=True)), 12)
    why = "The network would take a gap for a measurement; where there is little doubt, they count as missing."
    do = f"If 0 was measured: {as_typed('zeros_as_missing', [])}, or name the columns in which it was not."
    return Problem("warning", "zeros-mean-missing", what, where, sum(counts), why, do)


def zeros_told(counts: Mapping[str, int], which: str) -> list[Problem]:
    """The note that ``counts`` zeros of some columns are filled as missing ones are. which: zeros, of what rows."""
    counts = {name: count for name, count in counts.items() if count}
    if not counts:
        return []
    what = f"0 counts as missing in {len(counts)} column(s)."
    where = f"{which}: {shorten((f'{name} {count:,}' for name, count in counts.items()), 12)}"
    return [Problem("note", "zeros-as-missing", what, where, sum(counts.values()))]
