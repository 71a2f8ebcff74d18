"""Zeros that are lost readings are told from zeros that were measured."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workings.data import open_dataset
from workings.data.table_zeros import zeros_stand_apart, zeros_that_mean_missing


@given(seed=st.integers(0, 500), n=st.integers(200, 3000), zeros=st.floats(0.02, 0.4))
def test_zeros_beside_body_measures_mean_missing(seed: int, n: int, zeros: float) -> None:
    """A normal measure far from 0, with zeros put in, is noticed; without them it is not."""
    rng = np.random.default_rng(seed)
    v = np.maximum(rng.normal(120, 25, n), 30).round()
    assert not zeros_stand_apart(v)
    v[: max(3, int(zeros * n))] = 0
    assert zeros_stand_apart(v)


@given(seed=st.integers(0, 500), n=st.integers(200, 3000))
def test_natural_zeros_are_left_alone(seed: int, n: int) -> None:
    """Counts, sums that most people do not have, signed and exponential numbers have zeros by nature."""
    rng = np.random.default_rng(seed)
    most = rng.random(n) < 0.9
    assert not zeros_stand_apart(rng.poisson(3, n).astype(float))
    assert not zeros_stand_apart(np.where(most, 0, rng.lognormal(8, 1, n)).round())
    assert not zeros_stand_apart(rng.normal(0, 1, n).round(1))
    assert not zeros_stand_apart(np.where(rng.random(n) < 0.2, 0, rng.exponential(10, n)))


def test_zeros_where_a_low_value_is_expected_are_measured() -> None:
    """Rows of a healthy tissue have 0 dents, and by all else look healthy; a lost reading looks like any other row."""
    rng = np.random.default_rng(0)
    size = rng.normal(10, 2, 800)
    dents = 20 * size + rng.normal(0, 5, 800)
    measured, lost = dents.copy(), dents.copy()
    measured[np.argsort(size)[:40]] = 0
    lost[:40] = 0
    assert zeros_that_mean_missing(np.column_stack([size, lost])) == [1]
    assert zeros_that_mean_missing(np.column_stack([size, measured])) == []


def test_zeros_are_filled_only_where_there_is_little_doubt() -> None:
    """What is a little apart, in rows that are rather low by all else, is said and left; far apart, it is filled."""
    rng = np.random.default_rng(1)
    size = rng.normal(10, 2, 800)
    near, far = 3 + rng.exponential(40, 800) + 3 * (size - size.min()), 150 + 10 * size + rng.normal(0, 10, 800)
    rather_low = rng.permutation(np.argsort(size)[:500])[:60]
    near[rather_low] = far[rather_low] = 0
    V = np.column_stack([size, near, far])
    assert zeros_that_mean_missing(V) == [1, 2]
    assert zeros_that_mean_missing(V, sure=True) == [2]


@pytest.mark.parametrize("name", ["iris", "wine", "breast_cancer", "diabetes"])
def test_known_clean_tables_have_no_leak_and_no_false_zeros(name: str) -> None:
    """Columns that predict well are not called leaks, and zeros that are measured not missing."""
    from sklearn import datasets

    X, y = getattr(datasets, f"load_{name}")(return_X_y=True)
    codes = {problem.code for problem in open_dataset((X, y)).problems}
    assert not codes & {"target-leak", "zeros-mean-missing"}
