"""Windows of a series as samples, without labels: none in two parts, nothing learnt of what is tested, bad input."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workings.base.errors import UserError
from workings.data import inspect_dataset, open_dataset
from workings.data.series.window_dataset import WindowDataset
from workings.data.series.window_source import WindowSource

N = 240


def hours(n: int = N, odd: list[int] | None = None) -> pl.DataFrame:
    """Two variables, hour by hour; ``state`` is broken at the hours in ``odd``."""
    t = np.arange(n)
    moments = pl.datetime_range(
        pl.datetime(2024, 1, 1), pl.datetime(2024, 1, 1) + pl.duration(hours=n - 1), "1h", eager=True
    )
    state = np.where(np.isin(t, odd or []), "broken", "well")
    noise = np.random.default_rng(0).normal(size=n)
    return pl.DataFrame({"at": moments, "heat": 3 + np.sin(t / 24 * 2 * np.pi), "load": noise, "state": state})


def opened(frame: pl.DataFrame, target: str | None = "state", **options: Any) -> WindowDataset:
    dataset = open_dataset(frame, target, "unsupervised", **options)
    assert isinstance(dataset, WindowDataset)
    return dataset


def steps_of(source: WindowSource) -> set[int]:
    """The steps that any of its windows holds, one by one."""
    return {int(start) + k for start in source.starts for k in range(source.prep.window)}


@given(
    n=st.integers(120, 300),
    window=st.integers(1, 20),
    odd=st.lists(st.integers(0, 299), max_size=12),
    test=st.sampled_from([0.1, 0.2, 0.4]),
    val=st.sampled_from([0.0, 0.1, 0.2]),
)
def test_no_window_lies_in_two_parts_and_none_that_is_learnt_holds_an_anomaly(
    n: int, window: int, odd: list[int], test: float, val: float
) -> None:
    """Whatever the series and the split: parts follow each other; training and validation hold regular steps only."""
    odd = sorted({k for k in odd if k < n and k > 2 * window + 8} | {n - 1})
    dataset = opened(hours(n, odd), window=window, anomalies=["broken"])
    split = dataset.split(0, test, val)
    starts = dataset._starts(split.train, window)
    if not len(starts):
        return
    prep = dataset.fit(split.train)
    parts = [dataset.source(prep, rows) for rows in (split.train, split.val, split.test) if len(rows)]
    steps = [steps_of(part) for part in parts]
    for earlier, later in pairwise(steps):
        assert max(earlier) < min(later)
    for held in steps[: len(steps) - 1]:
        assert not held & set(odd)
    assert set(parts[-1].steps.tolist()) == steps[-1]


def test_means_and_deviations_are_of_regular_training_steps_only() -> None:
    """Other values in validation, test or anomalous steps change nothing of the preparation."""
    plain = hours(odd=[50, 51, 230])
    dataset = opened(plain, anomalies=["broken"])
    split = dataset.split(0, 0.2, 0.15)
    others = np.setdiff1d(np.arange(N), split.train)
    assert {50, 51} <= set(others.tolist())
    changed = plain.with_columns(load=pl.when(pl.int_range(N).is_in(others.tolist())).then(1e6).otherwise("load"))
    prep, again = (each.fit(split.train) for each in (dataset, opened(changed, anomalies=["broken"])))
    assert prep == again
    np.testing.assert_allclose(prep.mean, plain.select("heat", "load").to_numpy()[split.train].mean(0))


def test_windows_are_the_steps_themselves_and_come_back_in_units() -> None:
    """x is the standardised stretch of the series, and ``units`` undoes it; ``where`` says its ends."""
    dataset = opened(hours().drop("state"), None, window=7)
    prep = dataset.fit(np.arange(N))
    source = dataset.source(prep, np.arange(N))
    x = source.x(source._first[[0, 100]]).double().numpy()
    values = hours().select("heat", "load").to_numpy()
    np.testing.assert_allclose(prep.units(x), [values[:7], values[100:107]], atol=1e-6)
    assert source.where(100) == "2024-01-05 04:00 to 2024-01-05 10:00"
    assert dataset.samples(prep) == len(source) == N - 6


def test_a_window_has_the_label_of_its_anomaly() -> None:
    """A window is of the class of the first anomalous step that it holds, else of its last step."""
    dataset = opened(hours(odd=[100]), window=5, anomalies=["broken"])
    source = dataset.source(dataset.fit(np.arange(90)), np.arange(N))
    broken = dataset.task.classes.index("broken")  # type: ignore[union-attr]
    assert source.starts[source.y.numpy() == broken].tolist() == [96, 97, 98, 99, 100]


@given(gaps=st.sets(st.integers(0, 119), max_size=8), window=st.integers(1, 15))
def test_windows_apart_share_no_step(gaps: set[int], window: int) -> None:
    """Also where steps are left out; the newest window is one of them."""
    dataset = opened(hours(120).drop("state"), None, window=window)
    prep = dataset.fit(np.arange(120))
    rows = np.setdiff1d(np.arange(120), sorted(gaps))
    if not len(dataset._starts(rows, window)):
        return
    source = dataset.source(prep, rows)
    chosen = source.starts[source.apart()]
    assert (np.diff(chosen) >= window).all()
    assert chosen[-1] == source.starts[-1]


def test_what_is_taken_for_a_series_and_what_for_a_table() -> None:
    """Dates at even steps make a series, which is told with the way out; dates anyhow, or a dropped time, a table."""
    frame, problems = hours(), inspect_dataset(hours(), "state", "unsupervised")[1]
    told = next(each for each in problems if each.code == "windows-of-a-series")
    assert "drop=[at]" in told.do
    assert open_dataset(frame, "state", "unsupervised", drop=["at"]).kind == "table"
    anyhow = frame.with_columns(at=pl.col("at") + pl.duration(minutes=pl.int_range(N) ** 2))
    assert open_dataset(anyhow, "state", "unsupervised").kind == "table"
    assert open_dataset(frame, "load").kind == "table"
    assert open_dataset(frame.drop("state")).task.kind == "forecast"


BAD: dict[str, tuple[pl.DataFrame, dict[str, Any], str, tuple[str, ...]]] = {
    "two rows at one time": (pl.concat([hours(), hours()[9:10]]), {}, "duplicate-times", ("rows 10 and 241",)),
    "missing steps": (hours().filter(pl.int_range(N) != 30), {}, "gaps", ("fill=linear",)),
    "missing values": (
        hours().with_columns(load=pl.when(pl.int_range(N) == 4).then(None).otherwise("load")),
        {}, "missing-values", ("'load'",),
    ),
    "no such column": (hours(), {"target": "stat"}, "missing-column", ("'state'",)),
    "no such class": (hours(odd=[9]), {"anomalies": ["brokn"]}, "unknown-class", ("'broken'",)),
    "anomalies without labels": (
        hours().drop("state"), {"target": None, "anomalies": ["x"]}, "anomalies-without-labels", ("target column",)
    ),
    "only anomalies": (hours(), {"anomalies": ["well"]}, "only-anomalies", ("well",)),
    "a step without a label": (
        hours(odd=[9]).with_columns(state=pl.when(pl.int_range(N) == 7).then(None).otherwise("state")),
        {"anomalies": ["broken"]}, "missing-target", ("rows 8",),
    ),
    "a horizon": (hours(), {"horizon": 3}, "option-of-another-task", ("horizon",)),
    "a transform": (hours(), {"transform": "log"}, "option-of-another-task", ("transform",)),
    "a window of nothing": (hours(), {"window": 0}, "bad-value", ("window",)),
    "a window too long": (hours(), {"window": 120}, "too-short", ("120",)),
    "a part too short": (hours(), {"window": 20, "split": [200, 30, 10]}, "too-short", ("test part", "10")),
    "too short": (hours(9), {"window": 4}, "too-short", ("9 steps",)),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_refused_in_words(name: str) -> None:
    """With the code and the words that name what is wrong; as for forecasts where it is the series that is wrong."""
    frame, options, code, words = BAD[name]
    how = {"target": "state", "task": "unsupervised", "window": 12} | options
    with pytest.raises(UserError) as caught:
        open_dataset(frame, **how)
    assert code in [each.code for each in caught.value.problems]
    for word in words:
        assert word in str(caught.value)


def test_everything_wrong_is_told_at_once() -> None:
    """Of times, of options and of labels in one message."""
    frame = pl.concat([hours(odd=[9]), hours()[9:10]])
    with pytest.raises(UserError) as caught:
        open_dataset(frame, "state", "unsupervised", horizon=2, anomalies=["x"])
    assert {"duplicate-times", "option-of-another-task"} <= {each.code for each in caught.value.problems}


def test_labels_that_no_class_is_named_of_are_told() -> None:
    """They are not silently without use."""
    codes = {each.code for each in inspect_dataset(hours(odd=[9]), "state", "unsupervised")[1]}
    assert "labels-not-used" in codes
