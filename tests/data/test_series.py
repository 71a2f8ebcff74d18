"""Series: times of every writing give the right step, splits leak nothing, transforms can be undone."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as some
from tests.data.opening import opened_as

from workings.data import inspect_dataset, open_dataset
from workings.data.series.dataset import SeriesDataset
from workings.data.series.plan import read_parts
from workings.data.series.steps import find_step
from workings.data.series.times import read_times
from workings.data.series.transform import Transform


def months(n: int, first: int = 1990) -> list[str]:
    return [f"{first + i // 12}-{i % 12 + 1:02}" for i in range(n)]


def days(n: int) -> list[str]:
    return [(datetime(2020, 1, 1) + timedelta(days=i)).strftime("%Y-%m-%d") for i in range(n)]


def wave(n: int, seed: int = 0) -> np.ndarray:
    t = np.arange(n)
    return 100 + t / 5 + 10 * np.sin(2 * np.pi * t / 12) + np.random.default_rng(seed).normal(size=n)


def monthly(n: int = 120) -> pl.DataFrame:
    return pl.DataFrame({"month": months(n), "sales": wave(n), "visits": 3 * wave(n, 1)})


def opened(data: Any, **options: Any) -> SeriesDataset:
    return opened_as(SeriesDataset, data, **options)


# (cells of the column of time, step in words, season, the time after the last)
WRITINGS: list[tuple[list[str], str, int, str]] = [
    (months(30), "month", 12, "1992-07"),
    ([f"{month[5:]}/{month[:4]}" for month in months(30)], "month", 12, "1992-07"),
    (["Jan 1999", "Feb 1999", "Mar 1999", "Apr 1999"], "month", 12, "1999-05"),
    (["31/01/2020", "29/02/2020", "31/03/2020", "30/04/2020"], "month", 12, "2020-05-31"),
    ([f"{1990 + i // 4}Q{i % 4 + 1}" for i in range(9)], "quarter", 4, "1992-04"),
    ([str(1990 + i) for i in range(9)], "year", 1, "1999"),
    (days(20), "day", 7, "2020-01-21"),
    ([f"2020-01-{d:02}" for d in (1, 8, 15, 22, 29)], "week", 52, "2020-02-05"),
    ([f"2020-03-02 {h:02}:00:00" for h in range(20)], "hour", 24, "2020-03-02 20:00"),
    ([f"2020-03-02 08:{m:02}" for m in range(0, 60, 15)], "15 minutes", 96, "2020-03-02 09:00"),
    ([str(1_600_000_000 + 3600 * i) for i in range(9)], "hour", 24, "2020-09-13 21:26:40"),
    ([f"2024-01-{d:02}" for d in (*range(1, 6), *range(8, 13), *range(15, 20))], "business day", 5, "2024-01-22"),
]


@pytest.mark.parametrize(("cells", "text", "season", "after"), WRITINGS, ids=[each[1] + each[3] for each in WRITINGS])
def test_times_of_every_writing_give_their_step_season_and_next_time(
    cells: list[str], text: str, season: int, after: str
) -> None:
    """Months, quarters, years, weeks, hours, business days and seconds since 1970 are told apart."""
    times = read_times(pl.Series("date", cells))
    assert times is not None
    step = find_step(times.values).step
    assert step is not None
    assert (step.text, step.season[0]) == (text, season)
    assert step.label(step.after(times.values[-1], 1)[0]) == after


def test_a_series_is_recognised_without_being_told() -> None:
    """A column of dates beside numbers, and no target, is a series to be forecast; with a target it is a table."""
    dataset = opened(monthly())
    assert (dataset.kind, dataset.task.kind, dataset.task.target) == ("series", "forecast", "sales, visits")
    assert (dataset.plan.season, dataset.plan.horizon) == (12, 12)
    assert open_dataset(monthly(), target="sales").kind == "table"
    assert open_dataset(monthly(), target="sales", horizon=3).kind == "series"
    assert inspect_dataset(pl.DataFrame({"x": [1.0, 2.0], "y": [2.0, 3.0]}))[1][0].code == "no-target"


@pytest.mark.parametrize("kind", ["csv", "parquet", "semicolon", "pandas", "dict"])
def test_every_container_gives_the_same_series(kind: str, tmp_path: Path) -> None:
    """CSV, Parquet, DataFrames and columns are read alike."""
    frame = monthly(60)
    data: Any = frame
    if kind in ("csv", "semicolon"):
        data = tmp_path / "series.csv"
        frame.write_csv(data, separator=";" if kind == "semicolon" else ",")
    elif kind == "parquet":
        data = tmp_path / "series.parquet"
        frame.write_parquet(data)
    elif kind == "pandas":
        data = frame.to_pandas()
    elif kind == "dict":
        data = frame.to_dict(as_series=False)
    found, expected = opened(data).series, opened(frame).series
    np.testing.assert_allclose(found.values, expected.values)
    assert (found.times == expected.times).all()


def test_targets_come_first_and_only_they_are_forecast() -> None:
    """``target="b,a"`` forecasts b and a in this order, and gives the net the others too."""
    dataset = opened(monthly().with_columns(other=pl.Series(wave(120, 5))), target="visits,sales", task="forecast")
    assert dataset.series.names == ["visits", "sales", "other"]
    split = dataset.split(0, 0.2, 0.15)
    source = dataset.source(dataset.fit(split.train), split.train)
    assert source.shape[1] == 3
    assert source.y.shape[1] == 2 * dataset.plan.horizon


@settings(max_examples=30)
@given(
    n=some.integers(60, 200),
    horizon=some.integers(1, 9),
    window=some.integers(1, 12),
    test=some.floats(0.05, 0.4),
    val=some.floats(0.0, 0.3),
)
def test_no_window_forecasts_across_a_border(n: int, horizon: int, window: int, test: float, val: float) -> None:
    """Parts follow each other; a window's forecast lies within its part, and its past before its forecast."""
    frame = pl.DataFrame({"date": days(n), "y": wave(n)})
    dataset = opened(frame, horizon=horizon, window=window, transform="none")
    split = dataset.split(0, test, val)
    assert np.array_equal(np.concatenate([split.train, split.val, split.test]), np.arange(n))
    prep = dataset.fit(split.train)
    for rows in (split.train, split.val, split.test):
        if not len(rows):
            continue
        source = dataset.source(prep, rows)
        assert source.starts[0] >= max(rows[0], window)
        assert source.starts[-1] + horizon - 1 == rows[-1]
        assert len(source.y) == len(source)
        index = torch.tensor([0, len(source) - 1])
        standard = (dataset.series.values[:, 0] - prep.mean[0]) / prep.std[0]
        for k, i in enumerate(index.tolist()):
            at = int(source.starts[i])
            np.testing.assert_allclose(source.x(index)[k, :, 0], standard[at - window : at], rtol=1e-4, atol=1e-5)
            np.testing.assert_allclose(source.targets(index)[k], standard[at : at + horizon], rtol=1e-4, atol=1e-5)


def test_the_preparation_knows_the_training_part_only() -> None:
    """Whatever comes later may change without changing anything that was fitted."""
    frame = monthly(120)
    wild = frame.with_columns(sales=pl.when(pl.int_range(120) >= 90).then(1e4).otherwise(pl.col("sales")))
    fitted = []
    for each in (frame, wild):
        dataset = opened(each, split=[90, 15, 15], horizon=6)
        fitted.append(dataset.fit(dataset.split(0, 0.2, 0.1).train))
    assert fitted[0] == fitted[1]


@settings(max_examples=25)
@given(log=some.booleans(), lag=some.integers(0, 5), horizon=some.integers(1, 12), seed=some.integers(0, 99))
def test_a_transform_is_undone_exactly(log: bool, lag: int, horizon: int, seed: int) -> None:
    """Values → logarithms → differences → and back from the last known values gives the values."""
    rng = np.random.default_rng(seed)
    y = np.exp(rng.normal(size=(30, 2)))
    transform = Transform((log, log), lag)
    z = transform.level(y)
    d = transform.difference(z)
    starts = np.arange(lag + 1, 30 - horizon)
    ahead = d[starts[:, None] + np.arange(horizon)]
    past = z[starts[:, None] + np.arange(-lag, 0)]
    reached = transform.unlevel(transform.integrate(ahead, past), 2)
    np.testing.assert_allclose(reached, y[starts[:, None] + np.arange(horizon)], rtol=1e-10)


def test_logarithms_are_chosen_where_swings_grow_with_the_level() -> None:
    """A season that is a share of a growing level is learnt in logarithms; one of a fixed size is not."""
    t = np.arange(144)
    rng = np.random.default_rng(0)
    growing = np.exp(0.02 * t + 0.3 * np.sin(2 * np.pi * t / 12) + rng.normal(0, 0.02, 144))
    fixed = 100 + 10 * np.sin(2 * np.pi * t / 12) + rng.normal(0, 1, 144)
    for y, log in ((growing, True), (fixed, False)):
        dataset = opened(pl.DataFrame({"month": months(144), "y": y}))
        assert dataset.fit(np.arange(100)).log == [log]


def test_gaps_are_filled_only_when_asked_and_told() -> None:
    """A straight line across the gap, or the value before; each filled value is counted."""
    frame = pl.DataFrame({"date": days(60), "y": np.arange(60.0)}).filter(~pl.int_range(60).is_in([10, 11]))
    linear = opened(frame, fill="linear")
    assert linear.series.values[[10, 11], 0].tolist() == [10, 11]
    assert {each.code for each in linear.problems} >= {"gaps", "filled-values"}
    assert opened(frame, fill="previous").series.values[[10, 11], 0].tolist() == [9, 9]
    assert linear.series.filled.sum() == 2


def test_rows_are_put_in_order_and_it_is_told() -> None:
    """Shuffled rows give the same series as ordered ones, with a warning; newest first is a note."""
    frame = monthly(60)
    mixed = opened(frame.sample(fraction=1, shuffle=True, seed=1))
    np.testing.assert_array_equal(mixed.series.values, opened(frame).series.values)
    assert [each.code for each in mixed.problems if each.level == "warning"] == ["unsorted-rows"]
    assert "newest-first" in {each.code for each in opened(frame.reverse()).problems}


@pytest.mark.parametrize(
    ("given_", "parts"),
    [
        ([60, 20, 20], (60, 20, 20)),
        ([0.6, 0.2, 0.2], (60, 20, 20)),
        ("[50, 10, 10]", (50, 10, 10)),
        ([0.5, 0, 0.5], (50, 0, 50)),
    ],
)
def test_a_split_is_read_in_rows_or_shares(given_: Any, parts: tuple[int, int, int]) -> None:
    """Whole numbers are rows; numbers up to 1 are shares."""
    assert read_parts(given_, 100) == (parts, [])


@pytest.mark.data
def test_the_standard_split_of_ett_has_its_known_windows(data_dir: Path) -> None:
    """12, 4 and 4 months of 30 days of hours, 336 hours back, 96 ahead: 8209, 2785 and 2785 windows, as published."""
    dataset = opened(data_dir / "series" / "ETTh1.csv", horizon=96, split=[8640, 2880, 2880], transform="none")
    assert dataset.plan.window == 336
    split = dataset.split(0, 0.2, 0.1)
    prep = dataset.fit(split.train)
    assert [len(dataset.source(prep, rows)) for rows in (split.train, split.val, split.test)] == [8209, 2785, 2785]
    assert prep.mean[-1] == pytest.approx(17.1282, abs=1e-3)
