"""Which rows are trained on, which are validated on, which are tested on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

FEW_ROWS = 20  # a table of fewer rows is learnt whole: a truth table has nothing to hold back
MOST_VALIDATION_ROWS = 10_000  # the error of a mean over 10,000 rows is small enough to choose between nets
BANDS = 10
MOST_EQUALS = 20
FEW_DIFFERENT = 100


@dataclass(frozen=True)
class Split:
    """Row numbers (int64, sorted) of each part, and how they were drawn."""

    train: np.ndarray
    val: np.ndarray
    test: np.ndarray
    reason: str


def default_val_fraction(n: int) -> float:
    """A fifth of small data, at most ten thousand rows of large data."""
    return min(0.2, MOST_VALIDATION_ROWS / max(n, 1))


def bands(y: np.ndarray, count: int = BANDS) -> np.ndarray:
    """(n,) numbers 0 … count − 1: which tenth of the sorted targets each lies in."""
    edges = np.quantile(y, np.linspace(0, 1, count + 1)[1:-1])
    return np.searchsorted(edges, y, side="right")


def has_equals(hashes: np.ndarray) -> bool:
    """Whether two of ``hashes`` (n,) are equal. Sorting alone is ten times faster than telling which."""
    ordered = np.sort(hashes)
    return bool((ordered[1:] == ordered[:-1]).any())


def groups_of_equals(hashes: np.ndarray) -> np.ndarray | None:
    """(n,) int64 numbers, equal for rows that a split should keep on one side; None where every row is for itself.

    hashes: (n,), equal for rows with equal features. A row that comes more than 20 times, such as a blank picture, or
    any row of a table with fewer than 100 different ones, is a state that comes up again by itself; new data will
    have it too, so such rows are split like all others.
    """
    if not has_equals(hashes):
        return None
    different, inverse, size = np.unique(hashes, return_inverse=True, return_counts=True)
    together = (size > 1) & (size <= MOST_EQUALS)
    if len(different) < FEW_DIFFERENT or not together.any():
        return None
    return np.where(together[inverse], inverse, len(different) + np.arange(len(hashes)))


def stratified_split(
    strata: np.ndarray, groups: np.ndarray | None, seed: int, test_fraction: float, val_fraction: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rows (train, val, test) at random, every stratum in proportion, rows of one group on one side.

    strata: (n,) whole numbers. groups: (n,) numbers of any kind, or None where every row is for itself; a group goes
    by the stratum of its first row. A stratum of three groups or more puts one at least into each part asked for; one
    of two puts one into the test part. One group of each stratum always stays for training.
    """
    n = len(strata)
    generator = np.random.default_rng(seed)
    if groups is None:
        first = group = np.arange(n)
        size = np.ones(n, dtype=np.int64)
    else:
        _, first, group = np.unique(groups, return_index=True, return_inverse=True)
        size = np.bincount(group, minlength=len(first))
    _, stratum = np.unique(strata[first], return_inverse=True)
    shuffled = generator.permutation(len(first))
    order = shuffled[np.argsort(stratum[shuffled], kind="stable")]
    stratum, size = stratum[order], size[order]

    start = np.flatnonzero(np.r_[True, stratum[1:] != stratum[:-1]])
    members = np.diff(np.r_[start, len(stratum)])
    rank = np.arange(len(stratum)) - start[stratum]  # 0, 1, … within the stratum, in random order
    before = np.cumsum(size) - size
    before -= before[start][stratum]  # rows of the stratum that come earlier
    rows = np.bincount(stratum, weights=size)[stratum]

    # The middle of a group decides where it goes, so that a part differs from its share by half a group at most.
    middle = (before + size / 2) / rows
    part = np.where(middle < test_fraction, 2, np.where(middle < test_fraction + val_fraction, 1, 0))
    count = members[stratum]
    if test_fraction > 0:
        part[(count >= 2) & (rank == 0)] = 2
    if val_fraction > 0:
        # The first one behind the test part, where rounding left validation none.
        has_val = np.bincount(stratum, weights=part == 1, minlength=len(start)) > 0
        tested = np.bincount(stratum, weights=part == 2, minlength=len(start)).astype(np.int64)
        part[(count >= 3) & ~has_val[stratum] & (rank == np.minimum(tested, members - 2)[stratum])] = 1
    part[rank == count - 1] = 0

    part_of_group = np.empty(len(first), dtype=np.int8)
    part_of_group[order] = part
    part_of_row = part_of_group[group]
    train, val, test = (np.flatnonzero(part_of_row == k).astype(np.int64) for k in (0, 1, 2))
    return train, val, test


def ordered_split(
    time: np.ndarray, test_fraction: float, val_fraction: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rows (train, val, test): the newest for testing, those before them for validation.

    time: (n,) numbers that grow; NaN counts as oldest. Rows of one time stay on one side of a border, the older one,
    unless that would leave a part empty.
    """
    n = len(time)
    time = np.where(np.isnan(time), -np.inf, time)
    order = np.argsort(time, kind="stable")
    end = n
    parts: list[np.ndarray] = []
    for fraction in (test_fraction, val_fraction):
        begin = end - round(n * fraction)
        if fraction > 0:
            begin = max(1, min(begin, end - 1))
            later = int(np.searchsorted(time[order], time[order[begin]], side="right"))
            if begin > 0 and time[order[begin - 1]] == time[order[begin]] and later < end:
                begin = later
        parts.append(np.sort(order[begin:end]).astype(np.int64))
        end = begin
    test, val = parts
    return np.sort(order[:end]).astype(np.int64), val, test
