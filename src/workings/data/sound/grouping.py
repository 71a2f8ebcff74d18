"""Splits of recordings: equal ones on one side, a group such as a speaker on one side, one group held out."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from workings.base.errors import UserError
from workings.base.problems import unknown_name
from workings.data.split import Split, stratified_split

LEAST_GROUPS = 3  # so many are needed to validate on a group that is not trained on


def joined(*keys: Sequence[object] | np.ndarray) -> np.ndarray:
    """(n,) numbers, equal for rows that are equal in any of ``keys``, directly or through others (union–find)."""
    n = len(keys[0])
    parent = list(range(n))

    def root(i: int) -> int:
        while parent[i] != i:
            parent[i] = parent[parent[i]]
            i = parent[i]
        return i

    for key in keys:
        first: dict[object, int] = {}
        for i, value in enumerate(key):
            a, b = root(i), root(first.setdefault(value, i))
            parent[max(a, b)] = min(a, b)
    return np.array([root(i) for i in range(n)], dtype=np.int64)


def split_recordings(
    strata: np.ndarray,
    hashes: np.ndarray,
    groups: Sequence[str] | None,
    hold_out: str | None,
    seed: int,
    fractions: tuple[float, float],
    what: str,
) -> Split:
    """Rows for training, validation and test.

    strata: (n,) numbers, each in proportion. fractions: of test and validation. what: the strata in words.

    Raises:
        UserError: there is no group called ``hold_out``.
    """
    test_fraction, val_fraction = fractions
    if hold_out is None:
        if groups is None or len(set(groups)) < LEAST_GROUPS:
            return _within(strata, hashes, groups, seed, fractions, what)
        together = joined(groups, hashes)
        train, val, test = stratified_split(np.zeros_like(together), together, seed, test_fraction, val_fraction)
        names = [sorted({groups[int(i)] for i in part}) for part in (test, val)]
        reason = f"by group: tested on {_some(names[0])}; validated on {_some(names[1])}; no group on two sides"
        return Split(train, val, test, reason)
    assert groups is not None
    if hold_out not in groups:
        raise UserError(unknown_name("group", hold_out, sorted(set(groups))))
    # A recording that is also in the test part is not trained on, whoever it is said to be of.
    held = np.array([group == hold_out for group in groups])
    test = np.flatnonzero(held).astype(np.int64)
    rest = np.flatnonzero(~held & ~np.isin(hashes, hashes[held])).astype(np.int64)
    share = min(0.9, val_fraction / max(1e-9, 1 - test_fraction))
    inner_groups = [groups[int(i)] for i in rest]
    if len(set(inner_groups)) >= 2:
        together = joined(inner_groups, hashes[rest])
        train, val, _ = stratified_split(np.zeros_like(together), together, seed, 0.0, share)
        how = f"validated on {_some(sorted({inner_groups[i] for i in val}))}; no group on two sides"
        if not len(val) and share > 0:
            train, val, _ = stratified_split(strata[rest], hashes[rest], seed, 0.0, share)
            how = f"validation drawn at random from the others, {what} in proportion"
    else:
        train, val, _ = stratified_split(strata[rest], hashes[rest], seed, 0.0, share)
        how = f"validation drawn at random from the rest, {what} in proportion"
    return Split(rest[train], rest[val], test, f"tested on the group '{hold_out}', which was held out; {how}")


def _within(
    strata: np.ndarray,
    hashes: np.ndarray,
    groups: Sequence[str] | None,
    seed: int,
    fractions: tuple[float, float],
    what: str,
) -> Split:
    """At random, or with two groups: one for the test, the rest of the rows at random."""
    test_fraction, val_fraction = fractions
    if groups is not None and test_fraction > 0:
        names, counts = np.unique(np.array(groups), return_counts=True)
        return split_recordings(strata, hashes, groups, str(names[counts.argmin()]), seed, fractions, what)
    train, val, test = stratified_split(strata, hashes, seed, test_fraction, val_fraction)
    return Split(train, val, test, f"drawn at random, {what} in proportion, equal recordings on one side")


def _some(names: list[str]) -> str:
    return ", ".join(f"'{name}'" for name in names[:3]) + (f" and {len(names) - 3:,} more" if len(names) > 3 else "")
