"""The law of the way back: what preparation keeps of a cell comes back as it was."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from workings.data import open_dataset
from workings.data.prepare_back import ANOTHER, to_cells
from workings.data.table import TableDataset


def there_and_back(cells: pl.DataFrame, rows: int | None = None, **how: Any) -> tuple[pl.DataFrame, Any, np.ndarray]:
    """(cells back, preparation, x) of rows prepared by the first ``rows`` of them, or by all."""
    dataset = open_dataset(cells, task="unsupervised")
    assert isinstance(dataset, TableDataset)
    n = cells.height
    prep = dataset.fit(np.arange(rows or n), how)
    x = dataset.source(prep, np.arange(n)).x(torch.arange(n)).numpy()
    return to_cells(prep, dataset.schema, x), prep, x


def gaps(series: pl.Series, rng: np.random.Generator, share: float) -> pl.Series:
    """The series with some cells taken away, never the first five."""
    gone = pl.Series((rng.random(len(series)) < share) & (np.arange(len(series)) >= 5))
    return pl.select(pl.when(gone).then(None).otherwise(series)).to_series().alias(series.name)


def table(seed: int, share: float, n: int = 40) -> pl.DataFrame:
    """A table with every kind of column that becomes features, each with gaps."""
    rng = np.random.default_rng(seed)
    scale, shift = 10 ** rng.uniform(-3, 5), rng.normal() * 100
    start = datetime(2001, 1, 1) + timedelta(days=int(rng.integers(0, 9000)))
    columns = [
        pl.Series("length", rng.normal(size=n) * scale + shift),
        pl.Series("count", rng.permutation(n) * 3 + 17),
        pl.Series("kind", rng.choice(["a", "b", "c"], n)),
        pl.Series("sick", rng.choice(["no", "yes"], n)),
        pl.Series("flag", rng.random(n) < 0.5),
        pl.Series("day", [start.date() + timedelta(days=int(d)) for d in rng.integers(0, 900, n)]),
        pl.Series("moment", [start + timedelta(seconds=int(s)) for s in rng.integers(0, 10**8, n)]),
    ]
    return pl.DataFrame([gaps(each, rng, share) for each in columns])


@settings(max_examples=12, deadline=None)
@given(seed=st.integers(0, 10**6), share=st.sampled_from([0.0, 0.2]))
def test_what_was_prepared_comes_back(seed: int, share: float) -> None:
    """back(prepare(cells)) = cells, gaps and all, for rows that were trained on and linear scaling."""
    cells = table(seed, share)
    found, _, _ = there_and_back(cells, numeric="standardise")
    spread = float(cells["length"].std() or 1.0)  # type: ignore[arg-type]
    assert_frame_equal(found.drop("length"), cells.drop("length"))
    assert_frame_equal(found.select("length"), cells.select("length"), abs_tol=1e-5 * spread, rel_tol=1e-6)


@settings(max_examples=12, deadline=None)
@given(seed=st.integers(0, 10**6), numeric=st.sampled_from(["standardise", "robust", "quantile"]))
def test_there_back_and_there_again_is_there(seed: int, numeric: str) -> None:
    """prepare(back(prepare(cells))) = prepare(cells): what is lost on the way is nothing that the net saw."""
    rng = np.random.default_rng(seed)
    cells = pl.DataFrame({"v": rng.standard_t(2, 60), "u": rng.lognormal(0, 2, 60)})
    found, prep, x = there_and_back(cells, numeric=numeric)
    dataset = open_dataset(found, task="unsupervised")
    assert isinstance(dataset, TableDataset)
    again = dataset.source(prep, np.arange(60)).x(torch.arange(60)).numpy()
    np.testing.assert_allclose(again, x, atol=2e-4)


@given(seed=st.integers(0, 10**6), far=st.floats(1, 1e6))
@settings(max_examples=12, deadline=None)
def test_where_rows_are_learnt_far_values_stay_far(seed: int, far: float) -> None:
    """A number beyond all training rows lies as many standard deviations beyond theirs, and comes back."""
    v = np.random.default_rng(seed).standard_t(1.5, 60)
    v[50:] = v[:50].max() + far * np.arange(1, 11)
    cells = pl.DataFrame({"v": v, "u": v[::-1] / 3})
    found, prep, x = there_and_back(cells, 50, numeric="quantile")
    beyond = x[50:, prep.features.index("v")] - x[:50, prep.features.index("v")].max()
    np.testing.assert_allclose(beyond, far * np.arange(1, 11) / v[:50].std(), rtol=1e-3, atol=1e-5)
    np.testing.assert_allclose(found["v"][50:].to_numpy(), v[50:], rtol=1e-4)


def test_whole_numbers_come_back_whole() -> None:
    """A column of whole numbers has none between them, whatever a net makes up."""
    cells = pl.DataFrame({"age": np.arange(40) * 2, "length": np.arange(40) / 7})
    _, prep, x = there_and_back(cells)
    made = to_cells(prep, open_dataset(cells, task="unsupervised").schema, x + 0.0123)
    assert made["age"].dtype == pl.Int64
    assert made["length"].dtype == pl.Float64


def test_made_up_rows_are_cells_too() -> None:
    """The likeliest category, yes above a half, no date beyond the calendar, no infinite number."""
    cells = table(3, 0.2)
    dataset = open_dataset(cells, task="unsupervised")
    for numeric in ("standardise", "robust", "quantile"):
        _, prep, x = there_and_back(cells, numeric=numeric)
        made = to_cells(prep, dataset.schema, np.random.default_rng(0).normal(size=(200, x.shape[1])) * 50)
        assert made.columns == cells.columns
        assert made.dtypes == cells.dtypes
        assert np.isfinite(made["length"].drop_nulls().to_numpy()).all()
        assert set(made["kind"]) == {"a", "b", "c", None}
    soft = np.zeros((1, x.shape[1]))
    for name, share in (("kind = a", 0.2), ("kind = b", 0.5), ("kind = c", 0.3), ("sick = yes", 0.4)):
        soft[0, prep.features.index(name)] = share
    assert to_cells(prep, dataset.schema, soft).select("kind", "sick").row(0) == ("b", "no")


def test_what_preparation_loses_comes_back_as_the_docstring_says() -> None:
    """Rare and unseen categories, gaps where training had none, a missing 0."""
    n = 60
    kind = ["a"] * 30 + ["b"] * 18 + ["c", "d"] + ["a"] * 9 + ["never"]
    numbers = [float(k) + 0.5 for k in range(59)] + [None]
    weight = [0.0] * 20 + [40.0 + k / 3 for k in range(40)]
    cells = pl.DataFrame({"kind": kind, "number": numbers, "weight": weight, "u": np.arange(n) / 7})
    found, prep, _ = there_and_back(cells, 50, min_category_rows=5, zeros_as_missing=["weight"])
    assert found["kind"].to_list()[45:50] == ["b", "b", "b", ANOTHER, ANOTHER]
    fill = next(plan.fill for plan in prep.numbers if plan.name == "number")
    assert found["number"][59] == pytest.approx(fill, abs=1e-4)
    assert found["weight"].to_list()[:20] == [None] * 20
    unseen, _, _ = there_and_back(cells.select("kind", "u"), 48)
    assert unseen["kind"].to_list()[48:50] == [None, None]


def test_a_date_without_its_day_comes_back_in_parts() -> None:
    """Split by time, year and day are no features; month and weekday are all that there is."""
    days = [date(2020, 1, 1) + timedelta(days=9 * k + k * k % 7) for k in range(40)]  # uneven: no series
    cells = pl.DataFrame({"day": days, "v": np.arange(40) / 7})
    dataset = open_dataset(cells, task="unsupervised", time_column="day")
    prep = dataset.fit(np.arange(40))
    x = dataset.source(prep, np.arange(40)).x(torch.arange(40)).numpy()
    found = to_cells(prep, dataset.schema, x)
    assert found.columns == ["day: month", "day: day of the week", "v"]
    assert found["day: month"].to_list() == [float(day.month) for day in days]
