"""The laws of splitting rows."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workings.data.split import default_val_fraction, groups_of_equals, ordered_split, stratified_split


@given(
    counts=st.lists(st.integers(1, 80), min_size=1, max_size=6),
    seed=st.integers(0, 99),
    test=st.sampled_from([0.0, 0.1, 0.2, 0.5]),
    val=st.sampled_from([0.0, 0.1, 0.25]),
)
def test_every_row_is_in_one_part_and_classes_keep_their_share(
    counts: list[int], seed: int, test: float, val: float
) -> None:
    """The parts cover all rows once; each class differs from its share by a row, and by what the minimum of one row
    a part asks for; training keeps one of each class."""
    y = np.repeat(np.arange(len(counts)), counts)
    parts = stratified_split(y, None, seed, test, val)
    assert sorted(np.concatenate(parts).tolist()) == list(range(len(y)))
    for k, count in enumerate(counts):
        train_k, val_k, test_k = (int((y[part] == k).sum()) for part in parts)
        assert train_k >= 1
        assert abs(test_k - test * count) <= 1.5
        assert abs(val_k - val * count) <= 2
        if test and count >= 2:
            assert test_k >= 1
        if val and count >= 3:
            assert val_k >= 1


def test_split_is_deterministic_in_its_seed() -> None:
    """The same seed gives the same rows, another seed others."""
    y = np.arange(500) % 3
    first, again, other = (stratified_split(y, None, seed, 0.2, 0.2) for seed in (1, 1, 2))
    for a, b in zip(first, again, strict=True):
        np.testing.assert_array_equal(a, b)
    assert not np.array_equal(first[2], other[2])


@given(seed=st.integers(0, 50))
def test_equal_rows_stay_on_one_side(seed: int) -> None:
    """No group of equal rows is divided by a split."""
    generator = np.random.default_rng(seed)
    hashes = generator.integers(0, 300, 500).astype(np.uint64)
    groups = groups_of_equals(hashes)
    assert groups is not None
    parts = stratified_split(generator.integers(0, 3, 500), groups, seed, 0.2, 0.2)
    for a in range(3):
        for b in range(a):
            assert not set(groups[parts[a]]) & set(groups[parts[b]])
    assert 50 < len(parts[2]) < 150


def test_rows_that_come_often_are_split_like_others() -> None:
    """A row repeated thousands of times, or a truth table written many times, is not put on one side as a whole."""
    blank = np.concatenate([np.zeros(3000), np.arange(1, 7001)]).astype(np.uint64)
    assert groups_of_equals(blank) is None
    assert groups_of_equals(np.tile(np.arange(4, dtype=np.uint64), 10)) is None
    twice = np.concatenate([np.zeros(3000), np.repeat(np.arange(1, 3001), 2)]).astype(np.uint64)
    groups = groups_of_equals(twice)
    assert groups is not None
    assert len(np.unique(groups)) == 6000


@given(n=st.integers(20, 300), ties=st.integers(1, 9), seed=st.integers(0, 9))
def test_time_never_runs_backwards_over_a_border(n: int, ties: int, seed: int) -> None:
    """No test row is older than a validation row, no validation row older than a training row."""
    time = np.random.default_rng(seed).permutation(np.arange(n) // ties).astype(float)
    time[0] = np.nan
    train, val, test = ordered_split(time, 0.2, 0.2)
    assert sorted(np.concatenate([train, val, test]).tolist()) == list(range(n))
    assert len(test)
    assert np.nanmax(time[train]) <= time[val].min() if len(val) else True
    assert np.nanmax(time[np.r_[train, val]]) <= time[test].min()


@pytest.mark.parametrize(("n", "rows"), [(100, 20), (1000, 200), (100_000, 10_000), (5_000_000, 10_000)])
def test_validation_takes_a_fifth_and_ten_thousand_rows_at_most(n: int, rows: int) -> None:
    """A larger validation set would cost training rows and time, and tell nothing more."""
    assert round(default_val_fraction(n) * n) == rows
