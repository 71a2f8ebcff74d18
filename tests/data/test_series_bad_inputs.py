"""Bad series get one clear message each: what, where, how many, what to do; all problems of one at once."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import numpy as np
import polars as pl
import pytest

from workings.base.errors import UserError
from workings.data import open_dataset, read_for
from workings.data.series.dataset import SeriesDataset

N = 80
DATES = [(datetime(2021, 3, 1) + timedelta(days=i)).strftime("%Y-%m-%d") for i in range(N)]
Y = [round(float(x), 3) for x in 50 + np.random.default_rng(0).normal(size=N)]


def frame(**changed: Any) -> pl.DataFrame:
    return pl.DataFrame({"date": DATES, "y": Y} | changed, strict=False)


def changed(values: list[Any], **at: Any) -> list[Any]:
    """``values`` with some replaced: ``i3=None`` replaces number 3."""
    return [at.get(f"i{i}", value) for i, value in enumerate(values)]


TEXTS = [str(y) for y in Y]
# (name, data, options, code, words of the message)
ERRORS: list[tuple[str, pl.DataFrame, dict[str, Any], str, tuple[str, ...]]] = [
    ("text in numbers", frame(y=changed(TEXTS, i4="high")), {}, "text-in-numbers", ("'y'", "row 5", "'high'")),
    (
        "missing values",
        frame(y=changed(Y, i2=None, i9=None)),
        {},
        "missing-values",
        ("2 of 80", "row 3", "fill=linear"),
    ),
    ("infinite value", frame(y=changed(Y, i7=float("inf"))), {}, "infinite-values", ("row 8",)),
    ("constant", frame(y=[3.0] * N), {}, "constant-target", ("'y' is 3",)),
    ("gap", frame().filter(~pl.int_range(N).is_in([5, 6])), {}, "gaps", ("2 day(s)", "2021-03-05", "fill=linear")),
    ("a stray time", frame(date=changed(DATES, i79="2091-01-01")), {}, "gaps-too-long", ("wrong time",)),
    ("duplicate time", frame(date=changed(DATES, i3=DATES[2])), {}, "duplicate-times", ("rows 3 and 4", "Keep one")),
    (
        "several series in one",
        pl.DataFrame({"date": DATES[:40] * 2, "shop": ["a"] * 40 + ["b"] * 40, "y": Y}),
        {"task": "forecast"},
        "duplicate-times",
        ("'shop' seems to tell several series apart",),
    ),
    (
        "irregular steps",
        frame(date=[f"2021-03-01 {i // 6:02}:{i % 6 * 10 + i % 3:02}" for i in range(N)]),
        {},
        "irregular-steps",
        ("equal steps", "minutes", "drop=[date]"),
    ),
    ("unreadable time", frame(date=changed(DATES, i11="soon")), {}, "unreadable-times", ("row 12 'soon'",)),
    ("missing time", frame(date=changed(DATES, i11=None)), {}, "unreadable-times", ("row 12 (empty)",)),
    ("too short", frame().head(9), {}, "too-short", ("9 steps",)),
    ("too long a horizon", frame(), {"horizon": 70}, "too-short", ("horizon 70",)),
    ("too long a window", frame(), {"window": 75}, "too-short", ("window 75",)),
    ("horizon of 0", frame(), {"horizon": 0}, "bad-value", ("horizon is 0",)),
    ("half a step", frame(), {"window": 3.5}, "bad-value", ("window is 3.5",)),
    ("split of two", frame(), {"split": [60, 20]}, "bad-split", ("three numbers",)),
    ("split too large", frame(), {"split": [60, 20, 20]}, "bad-split", ("100 steps", "80")),
    ("shares too large", frame(), {"split": [0.9, 0.2, 0.2]}, "bad-split", ("1.3",)),
    ("part too small", frame(), {"split": [70, 5, 5], "horizon": 7}, "too-short", ("validation part has 5",)),
    ("unknown target", frame(), {"target": "yy", "horizon": 3}, "missing-column", ("'yy'", "'y'")),
    ("target twice", frame(), {"target": "y,y", "horizon": 3}, "target-twice", ("more than once",)),
    ("target of text", frame(z=["a"] * N), {"target": "z", "task": "forecast"}, "target-not-a-number", ("'z'", "text")),
    ("unknown time", frame(), {"time_column": "dat"}, "missing-column", ("'dat'", "'date'")),
    ("time of text", frame(z=["a"] * N), {"time_column": "z", "task": "forecast"}, "not-a-time", ("'z'", "2024-01-31")),
    ("unknown fill", frame(), {"fill": "linar"}, "unknown-way-to-fill", ("'linear'",)),
    ("unknown transform", frame(), {"transform": "logs"}, "unknown-transform", ("'log'",)),
    ("an option of tables", frame(), {"horizon": 3, "kinds": {}}, "option-of-another-kind", ("kinds",)),
    ("no numbers", frame(y=["a", "b"] * 40), {"task": "forecast"}, "no-variables", ("No column of numbers",)),
    (
        "another task",
        frame(),
        {"task": "regression", "target": "y", "horizon": 3},
        "option-of-another-kind",
        ("horizon",),
    ),
]


@pytest.mark.parametrize(("name", "data", "options", "code", "words"), ERRORS, ids=[each[0] for each in ERRORS])
def test_a_bad_series_is_refused(
    name: str, data: pl.DataFrame, options: dict[str, Any], code: str, words: tuple[str, ...]
) -> None:
    """The error is told with where it is and what to do, before anything is trained."""
    with pytest.raises(UserError) as caught:
        open_dataset(data, **options)
    found = [each for each in caught.value.problems if each.code == code]
    assert found, [each.text() for each in caught.value.problems]
    text = found[0].text()
    assert all(word in text for word in words), text


def test_all_problems_are_told_at_once() -> None:
    """Text, missing values and a double time of one file come together."""
    bad = frame(y=changed(TEXTS, i4="high"), z=changed(Y, i8=None), date=changed(DATES, i3=DATES[2]))
    with pytest.raises(UserError) as caught:
        open_dataset(bad)
    assert {each.code for each in caught.value.problems} == {"text-in-numbers", "missing-values", "duplicate-times"}


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (frame(z=["a"] * N), "left-out-columns"),
        (frame(z=[1.0] * N), "constant-columns"),
        (frame(date=[f"{int(d[:4]) + 60}{d[4:]}" for d in DATES]), "future-times"),
        (frame().drop("date"), "no-time-column"),
        (frame(date=[f"{i % 12 + 1:02}/{i // 12 + 1:02}/2021" for i in range(12)] + DATES[12:]), "unsorted-rows"),
    ],
    ids=["text column", "constant column", "future", "no time", "out of order"],
)
def test_a_doubtful_series_is_told(data: pl.DataFrame, code: str) -> None:
    """What does not stop the work is a warning."""
    if code == "unsorted-rows":
        data = frame().sample(fraction=1, shuffle=True, seed=2)
    dataset = open_dataset(data, task="forecast")
    assert code in {each.code for each in dataset.problems if each.level == "warning"}


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (frame().drop("y"), "missing-column"),
        (frame(y=["a"] * N), "target-not-a-number"),
        (frame(date=[f"{1990 + i // 12}-{i % 12 + 1:02}" for i in range(N)]), "another-step"),
        (frame(y=changed(Y, i2=None)), "missing-values"),
    ],
    ids=["column gone", "text", "months for days", "missing"],
)
def test_new_data_must_fit_the_run(data: pl.DataFrame, code: str) -> None:
    """Columns, step and completeness are those of the training."""
    dataset = open_dataset(frame())
    assert isinstance(dataset, SeriesDataset)
    prep = dataset.fit(np.arange(60))
    with pytest.raises(UserError) as caught:
        read_for(prep, dataset.schema, data)
    assert code in {each.code for each in caught.value.problems}, [each.text() for each in caught.value.problems]
