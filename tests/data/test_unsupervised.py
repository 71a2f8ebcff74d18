"""Tasks without labels, on tables and images: what is kept out of training, what rows say of themselves, bad input."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from workings.base.errors import UserError
from workings.data import open_dataset, read_for, read_preparation
from workings.data.schema import Task
from workings.data.unsupervised import anomalous_rows, unsupervised_split, unsupervised_task

N = 80


def rows(n: int = N, seed: int = 0) -> dict[str, Any]:
    """A table with numbers, a yes or no, a category with gaps, and a column that judges: a tenth is broken."""
    rng = np.random.default_rng(seed)
    broken = np.arange(n) % 10 == 3
    return {
        "heat": (rng.normal(40, 9, n) + 30 * broken).round(2).tolist(),
        "speed": [None if k % 9 == 4 else float(v) for k, v in enumerate(rng.normal(70, 8, n).round(2))],
        "on": rng.choice(["no", "yes"], n).tolist(),
        "site": [None if k % 8 == 5 else str(v) for k, v in enumerate(rng.choice(["a", "b", "c"], n))],
        "state": np.where(broken, "broken", np.where(rng.random(n) < 0.3, "old", "new")).tolist(),
    }


def pictures(n: int = 40) -> tuple[np.ndarray, np.ndarray]:
    """(X (n, 8, 8) bytes, y) of two kinds of pictures."""
    rng = np.random.default_rng(0)
    return rng.integers(0, 256, (n, 8, 8)).astype(np.uint8), np.array(["good", "bad"])[
        (np.arange(n) % 5 == 0).astype(int)
    ]


# ------------------------------------------------------------------------------------------------ the split


@settings(max_examples=30, deadline=None)
@given(
    y=st.lists(st.integers(0, 3), min_size=25, max_size=120),
    odd=st.lists(st.sampled_from("0123"), min_size=0, max_size=3, unique=True),
    fractions=st.sampled_from([(0.2, 0.15), (0.0, 0.2), (0.3, 0.0)]),
    seed=st.integers(0, 5),
)
def test_no_anomaly_is_trained_on(y: list[int], odd: list[str], fractions: tuple[float, float], seed: int) -> None:
    """Every anomaly is in the test part; every row is in one part."""
    task = Task(kind="unsupervised", target="y", classes=["0", "1", "2", "3"], anomalies=odd)
    numbers = np.array(y)
    strange = anomalous_rows(numbers, task, len(y))
    if strange.all():
        return
    for time in (None, np.arange(len(y), dtype=np.float64)):
        split = unsupervised_split(numbers, task, None, seed, *fractions, time=time)
        assert not strange[np.concatenate([split.train, split.val])].any()
        assert strange[split.test].sum() == strange.sum()
        every = np.concatenate([split.train, split.val, split.test])
        np.testing.assert_array_equal(np.sort(every), np.arange(len(y)))


@pytest.mark.parametrize("kind", ["table", "images"])
def test_what_is_fitted_never_saw_an_anomaly(kind: str) -> None:
    """Anomalies of any size change no number of the preparation, nor a training row."""
    if kind == "table":
        table = rows()
        wild = {
            **table,
            "heat": [1e9 if s == "broken" else v for s, v in zip(table["state"], table["heat"], strict=True)],
        }
        given: list[Any] = [table, wild]
        options: dict[str, Any] = {"target": "state", "anomalies": ["broken"]}
    else:
        X, y = pictures()
        given = [(X, y), (np.where((y == "bad")[:, None, None], 255 - X, X), y)]
        options = {"anomalies": "bad"}
    made = []
    for data in given:
        dataset = open_dataset(data, task="unsupervised", **options)
        split = dataset.split(0, 0.2, 0.2)
        prep = dataset.fit(split.train)
        source = dataset.source(prep, split.train)
        made.append((split, prep, source.x(torch.arange(len(source)))))
    (a, prep_a, x_a), (b, prep_b, x_b) = made
    np.testing.assert_array_equal(a.train, b.train)
    assert prep_a == prep_b
    assert torch.equal(x_a, x_b)
    assert read_preparation(prep_a.model_dump(mode="json")) == prep_a


def test_few_regular_rows_are_all_trained_on() -> None:
    """Fewer than twenty are not split; anomalies are tested on all the same."""
    dataset = open_dataset(rows(20), task="unsupervised", target="state", anomalies=["broken"])
    split = dataset.split(0, 0.2, 0.2)
    assert (len(split.train), len(split.val), len(split.test)) == (18, 0, 2)
    assert "too few" in split.reason


# ------------------------------------------------------------------------------------------------ rows


@pytest.mark.parametrize("in_memory", [True, False])
def test_rows_are_their_own_targets_and_say_what_they_are(in_memory: bool) -> None:
    """Numbers 1, whether they are missing 0, yes or no 0, a category as many as it has with one for missing."""
    dataset = open_dataset(rows(), task="unsupervised", target="state", in_memory=in_memory)
    prep = dataset.fit(np.arange(N))
    source = dataset.source(prep, np.arange(N))
    assert source.form.columns == (1, 1, 0, 0, 4)
    assert prep.features[:4] == ["heat", "speed", "speed is missing", "on = yes"]
    index = torch.tensor([3, 1, 7])
    assert torch.equal(source.targets(index), source.x(index))
    x = source.x(torch.arange(N))
    assert torch.equal(x[:, 4:].sum(1), torch.ones(N))
    assert not any("state" in name for name in prep.features)


def test_no_column_needs_to_judge() -> None:
    """Without a target every column is learnt, and nothing is labelled; an array without names will do."""
    dataset = open_dataset(rows(), task="unsupervised")
    assert not dataset.labelled
    assert dataset.task.target == ""
    assert "state" in dataset.fit(np.arange(N)).fields
    X = np.random.default_rng(0).normal(size=(30, 3))
    array = open_dataset(X, task="unsupervised")
    split = array.split(0, 0.2, 0.2)
    prep = array.fit(split.train)
    again = read_for(prep, array.schema, (X, np.zeros(30)), True)
    assert not again.labelled
    torch.testing.assert_close(
        again.source(prep, np.arange(30)).x(torch.arange(30)), array.source(prep, np.arange(30)).x(torch.arange(30))
    )


def test_new_rows_are_judged_where_they_have_labels() -> None:
    """With the column, with an unknown word in it, without it: the rows are the same, and what is lost is told."""
    dataset = open_dataset(rows(), task="unsupervised", target="state", anomalies=["broken"])
    prep = dataset.fit(np.arange(N))
    table = rows(30, 1)
    labelled = read_for(prep, dataset.schema, table)
    assert labelled.labelled
    assert labelled.task.anomalies == ["broken"]
    bare = read_for(prep, dataset.schema, {name: table[name] for name in table if name != "state"})
    assert not bare.labelled
    assert "no-labels" in {each.code for each in bare.problems}
    unknown = read_for(prep, dataset.schema, {**table, "state": ["lost", *table["state"][1:]]})
    assert not unknown.labelled
    assert "target-unused" in {each.code for each in unknown.problems}
    assert labelled.n == bare.n == unknown.n


@pytest.mark.parametrize(
    ("classes", "said", "meant"),
    [
        (["no", "yes"], True, ["yes"]),  # YAML reads [yes] so
        (["0", "1"], 1, ["1"]),
        (["0", "1"], [1.0], ["1"]),
        (["-1", "1"], [-1], ["-1"]),
        (["False", "True"], [True], ["True"]),
    ],
)
def test_anomalies_are_named_as_people_write_them(classes: list[str], said: Any, meant: list[str]) -> None:
    """A number, a word that YAML takes for something else, one alone or a list."""
    assert unsupervised_task(classes, "y", said).anomalies == meant


def test_one_class_is_enough_where_labels_only_judge() -> None:
    """Rows that are all regular can be learnt."""
    assert open_dataset({**rows(), "state": ["new"] * N}, task="unsupervised", target="state").task.classes == ["new"]


def test_anomalies_equal_to_regular_rows_are_told() -> None:
    """No score can tell them apart."""
    table = {"a": [float(k // 2) for k in range(60)], "b": [float(k // 2) / 7 for k in range(60)]}
    dataset = open_dataset({**table, "y": [k % 2 for k in range(60)]}, task="unsupervised", target="y", anomalies=[1])
    (problem,) = [each for each in dataset.problems if each.code == "conflicting-labels"]
    assert "some of them being anomalies" in problem.what


# ------------------------------------------------------------------------------------------------ bad input


@dataclass(frozen=True)
class Bad:
    """Data and options that are refused with ``code``, the message naming ``words``."""

    code: str
    words: tuple[str, ...]
    data: Any = field(default_factory=rows)
    target: str | None = "state"
    task: str | None = "unsupervised"
    options: dict[str, Any] = field(default_factory=dict)


def of_table(**columns: Any) -> dict[str, Any]:
    return {**rows(), **columns}


BAD = {
    "no task and no target": Bad("no-target", ("--task unsupervised",), task=None, target=None),
    "a column that is not there": Bad("missing-column", ("'stat'", "state"), target="stat"),
    "an anomaly that is no class": Bad("unknown-class", ("brokn", "broken"), options={"anomalies": ["brokn"]}),
    "two anomalies that are none": Bad("unknown-class", ("x", "z"), options={"anomalies": ["x", "z"]}),
    "all classes are anomalies": Bad("only-anomalies", ("regular",), options={"anomalies": ["broken", "new", "old"]}),
    "anomalies without a column": Bad("anomalies-without-labels", ("target",), target=None, options={"anomalies": [1]}),
    "anomalies of a task of labels": Bad("anomalies-of-labels", ("--task",), task=None, options={"anomalies": ["new"]}),
    "a number that judges": Bad("not-labels", ("different numbers", "drop=[heat]"), target="heat"),
    "a date that judges": Bad(
        "not-labels",
        ("date",),
        of_table(day=pl.date_range(pl.date(2020, 1, 1), pl.date(2020, 3, 20), eager=True)),
        "day",
    ),
    "nothing that judges": Bad("not-labels", ("no value",), of_table(empty=[None] * N), "empty"),
    "too many texts that judge": Bad(
        "not-labels", ("too many",), {"v": range(2000), "t": [f"w{k}" for k in range(2000)]}, "t"
    ),
    "a label is missing": Bad("missing-target", ("row 4", "regular"), of_table(state=[*"abc", None, *"ab" * 38])),
    "the column is dropped too": Bad("dropped-and-needed", ("state",), options={"drop": ["state"]}),
    "all columns are dropped": Bad(
        "no-features", ("dropped",), {"a": [1, 2], "b": [3, 4]}, None, options={"drop": ["a", "b"]}
    ),
    "constants alone": Bad("no-features", ("constant",), {"a": [1] * 30, "b": ["x"] * 30}, None),
    "no rows": Bad("header-only", ("no rows",), pl.DataFrame({"a": [], "b": []}), None),
    "binarise of a table": Bad("option-of-another-kind", ("binarise",), options={"binarise": 0.5}),
    "images: an anomaly that is no class": Bad(
        "unknown-class", ("bda", "bad"), pictures(), None, options={"anomalies": "bda"}
    ),
    "images: all are anomalies": Bad(
        "only-anomalies", ("good",), pictures(), None, options={"anomalies": ["bad", "good"]}
    ),
    "images: anomalies without labels": Bad(
        "anomalies-without-labels", ("folder",), (pictures()[0], None), None, options={"anomalies": ["bad"]}
    ),
    "images: anomalies of a task of labels": Bad(
        "anomalies-of-labels", ("autoencoder",), pictures(), None, None, {"anomalies": "bad"}
    ),
    "images: binarise beyond one": Bad("bad-value", ("0.5",), pictures(), None, options={"binarise": 255}),
    "images: binarise is a word": Bad("bad-value", ("binarise",), pictures(), None, options={"binarise": "yes"}),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_refused_in_words(name: str) -> None:
    """One report, with the code and the words that name what is wrong and what to do."""
    bad = BAD[name]
    with pytest.raises(UserError) as caught:
        open_dataset(bad.data, bad.target, bad.task, **bad.options)
    assert bad.code in [each.code for each in caught.value.problems]
    for word in bad.words:
        assert word in str(caught.value)


@pytest.mark.parametrize("kind", ["texts", "a column of texts", "recordings"])
def test_what_cannot_be_learnt_without_labels_is_refused(kind: str, tmp_path: Path) -> None:
    """Texts and recordings are not taken for a task of labels in silence."""
    data: Any = pl.DataFrame({"said": [f"so it is {k}" for k in range(30)]})
    if kind == "texts":
        data = tmp_path
        for name in ("a", "b"):
            (tmp_path / name).mkdir()
            (tmp_path / name / "1.txt").write_text("so it is", encoding="utf-8")
    if kind == "recordings":
        data = (np.zeros((4, 1600), dtype=np.float32), ["a", "b"] * 2, 8000)
    options: dict[str, Any] = {"text": "said"} if kind == "a column of texts" else {}
    with pytest.raises(UserError, match="tables, images and series"):
        open_dataset(data, task="unsupervised", **options)


def test_an_empty_folder_of_pictures_is_refused(tmp_path: Path) -> None:
    """No labels are needed, but pictures are."""
    with pytest.raises(UserError):
        open_dataset(tmp_path, task="unsupervised")
