"""Splitting images into training, validation and test rows: classes in proportion, equal pictures together."""

from __future__ import annotations

import numpy as np


def grouped_split(
    strata: np.ndarray, groups: np.ndarray, seed: int, test_fraction: float, val_fraction: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rows (train, val, test), sorted, int64.

    strata: (n,) a number a row, in whose proportions each part is drawn: the class, or a band of the target.
    groups: (n,) a number a row; rows of one group stay on one side, and go by the stratum of their first row.

    Each stratum of three rows or more puts at least one group into every part whose fraction is not 0, and a
    part never takes more than half a row over its share unless a group does not fit otherwise.
    """
    generator = np.random.default_rng(seed)
    _, first, group = np.unique(groups, return_index=True, return_inverse=True)
    sizes = np.bincount(group)
    part_of_group = np.zeros(len(first), dtype=np.int64)  # 0 train, 1 val, 2 test
    for stratum in np.unique(strata[first]):
        members = generator.permutation(np.flatnonzero(strata[first] == stratum))
        rows = int(sizes[members].sum())
        at = 0
        for part, fraction in ((2, test_fraction), (1, val_fraction)):
            wanted = round(rows * fraction)
            if fraction > 0 and len(members) >= 3:
                wanted = max(wanted, 1)
            taken = 0
            # One group at least stays for training.
            while at < len(members) - 1 and taken + sizes[members[at]] / 2 <= wanted and taken < wanted:
                part_of_group[members[at]] = part
                taken += int(sizes[members[at]])
                at += 1
    part_of_row = part_of_group[group]
    train, val, test = (np.flatnonzero(part_of_row == part).astype(np.int64) for part in (0, 1, 2))
    return train, val, test


def bands(y: np.ndarray, count: int = 10) -> np.ndarray:
    """A number of 0 … count − 1 a row: which tenth of the sorted targets it lies in."""
    edges = np.quantile(y, np.linspace(0, 1, count + 1)[1:-1])
    return np.searchsorted(edges, y, side="right")
