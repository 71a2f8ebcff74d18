"""The laws of preparing a table."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from workings.base.errors import UserError
from workings.data import open_dataset, read_for
from workings.data.prepare import PrepareSettings
from workings.data.table import TableDataset

TRAIN = np.arange(40)


def prepared(
    columns: dict[str, Any], rows: np.ndarray = TRAIN, **settings: Any
) -> tuple[TableDataset, Any, np.ndarray]:
    """(dataset, preparation, x of all rows (n, features)) for ``columns`` and a binary target."""
    n = len(next(iter(columns.values())))
    dataset = open_dataset({**columns, "y": [k % 2 for k in range(n)]}, "y")
    assert isinstance(dataset, TableDataset)
    prep = dataset.fit(rows, settings)
    x = dataset.source(prep, np.arange(n)).x(torch.arange(n)).numpy()
    return dataset, prep, x


def column(prep: Any, x: np.ndarray, name: str) -> np.ndarray:
    return x[:, prep.features.index(name)]


@given(seed=st.integers(0, 1000), scale=st.floats(1e-3, 1e5), shift=st.floats(-1e5, 1e5))
def test_standardise_gives_mean_zero_and_deviation_one_on_training_rows(seed: int, scale: float, shift: float) -> None:
    """x = (v − mean) / std, of the training rows only."""
    v = np.random.default_rng(seed).normal(size=60) * scale + shift
    _, prep, x = prepared({"v": v, "u": v[::-1]}, numeric="standardise")
    expected = (v - v[TRAIN].mean()) / v[TRAIN].std()
    np.testing.assert_allclose(column(prep, x, "v"), expected, rtol=1e-3, atol=2e-2 * abs(shift) / scale * 1e-4 + 1e-5)


@given(seed=st.integers(0, 1000), numeric=st.sampled_from(["standardise", "robust", "quantile"]))
def test_scaling_keeps_the_order(seed: int, numeric: str) -> None:
    """Every scaling is monotone, beyond the training range too."""
    v = np.random.default_rng(seed).standard_t(1.5, size=60)
    _, prep, x = prepared({"v": v, "u": v**2}, numeric=numeric)
    order = np.argsort(v)
    assert (np.diff(column(prep, x, "v")[order]) >= 0).all()


def test_test_rows_cannot_change_the_preparation() -> None:
    """Whatever stands in rows that are not trained on, the preparation is the same."""
    rng = np.random.default_rng(0)
    v, c = rng.normal(size=60), rng.choice(list("ab"), 60)
    other_v, other_c = v.copy(), c.copy()
    other_v[40:], other_c[40:] = 1e6, "a"
    a = prepared({"v": v, "c": c}, bins=4)[1]
    b = prepared({"v": other_v, "c": other_c}, bins=4)[1]
    assert a == b


def test_missing_numbers_get_the_training_median_and_a_flag() -> None:
    """The filled value is the median of the training rows; the flag is 1 exactly where a value is missing."""
    v = np.arange(60.0) + 0.5
    v[[3, 50]] = np.nan
    _, prep, x = prepared({"v": v, "u": np.random.default_rng(0).normal(size=60)})
    (plan,) = [plan for plan in prep.numbers if plan.name == "v"]
    assert plan.fill == pytest.approx(np.nanmedian(v[TRAIN]))
    np.testing.assert_array_equal(column(prep, x, "v is missing"), np.isnan(v))
    np.testing.assert_allclose(column(prep, x, "v")[[3, 50]], (plan.fill - plan.shift) * plan.scale, rtol=1e-6)


def test_zeros_can_count_as_missing() -> None:
    """With ``zeros_as_missing`` a 0 is filled and flagged, and the mean is that of the others."""
    v = np.r_[np.zeros(10), np.arange(50.0) + 30.5]
    _, prep, x = prepared({"v": v}, zeros_as_missing=["v"])
    np.testing.assert_array_equal(column(prep, x, "v is missing"), v == 0)
    assert prep.numbers[0].shift == pytest.approx(v[10:40].mean())
    with pytest.raises(UserError, match="Did you mean 'v'"):
        prepared({"v": v}, zeros_as_missing=["V"])


def test_zeros_that_mean_missing_are_found_on_the_training_rows_and_told() -> None:
    """By default a 0 far below all others is filled and flagged, in new rows too, each time with the count; zeros
    that only other rows have decide nothing; ``[]`` leaves all as they are."""
    rng = np.random.default_rng(0)
    v = rng.normal(120, 25, 200).round()
    v[:20] = 0
    table = {"v": v, "u": rng.normal(size=200), "y": rng.integers(0, 2, 200)}
    dataset = open_dataset(table, "y")
    assert isinstance(dataset, TableDataset)
    some, none = np.arange(120), np.arange(20, 200)
    prep = dataset.fit(some)
    assert prep.settings.zeros_as_missing == ["v"]
    assert [(each.count, each.where) for each in prep.problems if each.code == "zeros-as-missing"] == [
        (20, "zeros in the training rows: v 20")
    ]
    x = dataset.source(prep, np.arange(200)).x(torch.arange(200)).numpy()
    np.testing.assert_array_equal(column(prep, x, "v is missing"), v == 0)
    assert dataset.fit(none).settings.zeros_as_missing == []
    assert "v is missing" not in dataset.fit(some, {"zeros_as_missing": []}).features
    again = read_for(prep, dataset.schema, {"v": [0, 130, 0], "u": [0, 0, 1]}, False)
    assert [(each.count, each.where) for each in again.problems if each.code == "zeros-as-missing"] == [
        (2, "zeros in these rows: v 2")
    ]


def test_categories_become_columns_and_the_rare_share_one() -> None:
    """One column a category, most frequent first; beyond ``max_categories`` one column for all others."""
    c = ["a"] * 30 + ["b"] * 15 + ["c"] * 9 + [None] * 6
    rows = np.arange(60)
    _, prep, x = prepared({"c": c, "u": np.random.default_rng(0).normal(size=60)}, rows)
    assert prep.features == ["u", "c = a", "c = b", "c = c", "c is missing"]
    np.testing.assert_array_equal(x[:, 1:].sum(axis=1), 1)
    _, prep, x = prepared({"c": c, "u": np.random.default_rng(0).normal(size=60)}, rows, max_categories=2)
    assert prep.features == ["u", "c = a", "c = b", "c is another", "c is missing"]
    np.testing.assert_array_equal(column(prep, x, "c is another"), [v == "c" for v in c])
    assert "rare-categories" in {problem.code for problem in prep.problems}


def test_an_unseen_category_is_zeros_or_the_rare_column() -> None:
    """A category that training never saw is none of the known ones; where rare ones share a column, it is one."""
    c = ["a"] * 30 + ["b"] * 20 + ["c"] * 10
    u = np.random.default_rng(0).normal(size=60)
    for most, expected in ((3, [0, 0, 0]), (2, [0, 0, 1])):
        dataset, prep, _ = prepared({"c": c, "u": u}, np.arange(60), max_categories=most)
        new = read_for(prep, dataset.schema, {"c": ["z"], "u": [0.0]}, require_target=False)
        x = new.source(prep, np.array([0])).x(torch.tensor([0]))
        assert x[0, 1:].tolist() == expected


def test_booleans_are_one_column_of_zero_and_one() -> None:
    """No is 0, yes is 1; a gap is the more frequent one, flagged where training had gaps."""
    b = [None if k % 10 == 0 else ["no", "yes"][k % 3 == 0] for k in range(60)]
    _, prep, x = prepared({"b": b, "u": np.random.default_rng(0).normal(size=60)})
    assert prep.features == ["u", "b = yes", "b is missing"]
    np.testing.assert_array_equal(x[:, 1], [v == "yes" for v in b])
    np.testing.assert_array_equal(x[:, 2], [v is None for v in b])


def test_bins_encode_a_number_piecewise_linearly() -> None:
    """The columns of the bins, undone by their centres and widths, add up to the number within its training range."""
    v = np.random.default_rng(0).normal(size=60)
    _, prep, x = prepared({"v": v, "u": v**2}, np.arange(60), bins=5)
    (plan,) = [plan for plan in prep.numbers if plan.name == "v"]
    assert len(plan.edges) == 6
    at = [k for k, name in enumerate(prep.features) if name.startswith("v from ")]
    rebuilt = plan.edges[0] + ((x[:, at] + plan.centres) * np.diff(plan.edges)).sum(axis=1)
    np.testing.assert_allclose(rebuilt, v, atol=1e-5)
    np.testing.assert_allclose(x[:, at].mean(axis=0), 0, atol=1e-6)


def test_dates_become_parts() -> None:
    """Year, month, day of the week and day, each a column."""
    days = np.datetime64("2022-11-20") + np.arange(60).astype("timedelta64[D]")
    _, prep, _ = prepared({"when": days, "u": np.random.default_rng(0).normal(size=60)}, np.arange(60))
    parts = ["year", "month", "day of the week", "days since 1970"]
    assert [name for name in prep.features if name.startswith("when")] == [f"when: {part}" for part in parts]
    assert set(prep.fields) == {"when", "u"}


def test_a_column_constant_in_training_is_left_out_and_told() -> None:
    """What does not vary in the training rows gives no feature."""
    v = np.r_[np.ones(40), np.arange(20.0)]
    _, prep, _ = prepared({"v": v, "u": np.random.default_rng(0).normal(size=60)})
    assert prep.features == ["u"]
    assert [p.where for p in prep.problems if p.code == "constant-in-training"] == ["v"]
    with pytest.raises(UserError, match="No column is left"):
        prepared({"v": v})


@given(seed=st.integers(0, 1000))
def test_targets_of_regression_come_back_in_units(seed: int) -> None:
    """Standardised by the training rows, and back again."""
    rng = np.random.default_rng(seed)
    y = rng.normal(200, 50, 60)
    dataset = open_dataset((rng.normal(size=(60, 2)), y))
    prep = dataset.fit(TRAIN)
    source = dataset.source(prep, np.arange(60))
    assert source.y.dtype == torch.float32
    assert abs(source.y[:40].mean()) < 1e-4
    np.testing.assert_allclose(prep.target_to_units(source.y), y, rtol=1e-4)


def test_settings_refuse_what_they_do_not_know() -> None:
    """A typo in a setting is an error, not silence."""
    with pytest.raises(ValueError, match="numric"):
        PrepareSettings.model_validate({"numric": "robust"})
