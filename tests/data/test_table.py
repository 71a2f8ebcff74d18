"""The laws of tables: reading, kinds, tasks, sources."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.data.opening import opened_as

from workings.base.errors import UserError
from workings.data import Schema, open_dataset, read_for, read_preparation
from workings.data.table import TableDataset


def table(n: int = 120, seed: int = 0) -> dict[str, Any]:
    """Every kind of column, with gaps."""
    rng = np.random.default_rng(seed)
    gaps = rng.random((n, 4)) < 0.1
    day = np.datetime64("2023-01-01") + rng.integers(0, 700, n).astype("timedelta64[D]")
    return {
        "length": np.where(gaps[:, 0], np.nan, rng.normal(5, 2, n).round(3)).tolist(),
        "count": rng.integers(0, 30, n).tolist(),
        "far": rng.lognormal(0, 2.5, n).round(4).tolist(),
        "epoch": (1_700_000_000 + rng.integers(0, 900, n)).tolist(),
        "colour": [None if gap else str(c) for gap, c in zip(gaps[:, 1], rng.choice(list("rgbk"), n), strict=True)],
        "flag": [None if gap else str(c) for gap, c in zip(gaps[:, 2], rng.choice(["no", "yes"], n), strict=True)],
        "day": [str(d) for d in day],
        "sick": rng.choice(["ill", "well"], n).tolist(),
    }


def opened(data: Any, target: str | None = "sick", **options: Any) -> TableDataset:
    return opened_as(TableDataset, data, target, **options)


def matrix(dataset: TableDataset, prep: Any = None) -> torch.Tensor:
    """Every row of ``dataset``, prepared (fitted on all rows unless ``prep`` is given)."""
    rows = np.arange(dataset.n)
    source = dataset.source(prep or dataset.fit(rows), rows)
    return source.x(torch.arange(dataset.n))


def kind_of(values: list[Any], name: str = "column", **options: Any) -> str:
    """The kind that a column of text is found to be."""
    n = len(values)
    data = {name: [None if v is None else str(v) for v in values], "x": np.random.default_rng(0).normal(size=n)}
    data["y"] = [k % 2 for k in range(n)]
    return opened(data, "y", **options).schema.field(name).kind


# ---------------------------------------------------------------------------------------------- reading


def test_every_form_of_a_table_gives_the_same_rows(tmp_path: Path) -> None:
    """CSV, TSV, Parquet, polars, pandas and a dict of the same cells give one matrix and one target."""
    frame = pl.DataFrame(table(), strict=False)
    frame = frame.with_columns(pl.col("length").fill_nan(None))
    frame.write_csv(tmp_path / "a.csv")
    frame.write_csv(tmp_path / "a.tsv", separator="\t")
    frame.write_csv(tmp_path / "quoted.csv", quote_style="always", include_bom=True, line_terminator="\r\n")
    frame.write_csv(tmp_path / "odd.txt", separator=";")
    frame.write_parquet(tmp_path / "a.parquet")
    forms = [*sorted(tmp_path.iterdir()), frame, frame.lazy(), pd.DataFrame(table()), table()]
    first = opened(forms[0])
    for form in forms[1:]:
        other = opened(form)
        assert [field.kind for field in other.schema.fields] == [field.kind for field in first.schema.fields]
        assert torch.equal(matrix(other), matrix(first))
        np.testing.assert_array_equal(other.y, first.y)


def test_a_pair_of_arrays_is_a_table() -> None:
    """Columns are called x0, x1, … and the target y; a name of the target is kept."""
    X = np.random.default_rng(0).normal(size=(50, 3))
    dataset = opened((X, X[:, 0] * 2), None)
    assert dataset.schema.names == ["x0", "x1", "x2", "y"]
    assert dataset.task.kind == "regression"
    labels = pd.Series(["a", "b"] * 25, name="kind")
    assert opened((pd.DataFrame(X, columns=["p", "q", "r"]), labels), None).task.target == "kind"
    assert opened((torch.tensor(X), torch.arange(50) % 2), None).task.classes == ["0", "1"]


def test_a_large_file_read_in_pieces_is_the_same_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Chunk by chunk or as a whole: the same schema, problems, rows, hashes and digest."""
    data = table(500)
    data["length"][77] = float("nan")
    pl.DataFrame({**data, "length": [str(v) for v in data["length"]]}, strict=False).write_csv(tmp_path / "t.csv")
    pl.DataFrame(data, strict=False).write_parquet(tmp_path / "t.parquet")
    for path in sorted(tmp_path.iterdir()):
        whole = opened(path)
        with monkeypatch.context() as patch:
            patch.setattr("workings.data.table_reading.WHOLE_CELLS", 0)
            patch.setattr("workings.data.table_input.CHUNK_ROWS", 64)
            pieces = opened(path)
        assert pieces.digest == whole.digest
        assert pieces.problems == whole.problems
        for a, b in zip(pieces.schema.fields, whole.schema.fields, strict=True):
            for figure in ("mean", "std"):
                if getattr(a, figure) is not None:
                    assert getattr(a, figure) == pytest.approx(getattr(b, figure))
            assert a.model_copy(update={"mean": b.mean, "std": b.std}) == b
        np.testing.assert_array_equal(pieces.hashes, whole.hashes)
        assert torch.equal(matrix(pieces), matrix(whole))


def test_digest_depends_on_content_alone(tmp_path: Path) -> None:
    """Opening again gives the same digest; one changed cell another; a file's is what sha256sum says."""
    import hashlib

    pl.DataFrame(table(), strict=False).write_csv(tmp_path / "t.csv")
    first = opened(tmp_path / "t.csv").digest
    assert first == hashlib.sha256((tmp_path / "t.csv").read_bytes()).hexdigest()
    assert opened(table()).digest == opened(table()).digest
    changed = table()
    changed["count"][3] += 1
    assert opened(changed).digest != opened(table()).digest


# ------------------------------------------------------------------------------------------------ kinds


@pytest.mark.parametrize(
    ("values", "name", "kind"),
    [
        ([k * 0.5 for k in range(40)], "column", "numeric"),
        ([k % 7 for k in range(40)], "column", "numeric"),
        ([k % 7 for k in range(40)], "region", "categorical"),
        ([k % 7 for k in range(40)], "zip", "categorical"),
        ([f"{k % 30:03d}" for k in range(40)], "column", "categorical"),
        ([k % 2 for k in range(40)], "column", "boolean"),
        ([k % 2 + 1 for k in range(40)], "column", "boolean"),
        ([["no", "yes"][k % 2] for k in range(40)], "column", "boolean"),
        ([["True", "False"][k % 2] for k in range(40)], "column", "boolean"),
        ([["m", "f"][k % 2] for k in range(40)], "column", "categorical"),
        ([["a", "b", "c"][k % 3] for k in range(40)], "column", "categorical"),
        (list(range(1, 41)), "column", "id"),
        ([k * k for k in range(40)], "column", "numeric"),
        ([k * k for k in range(40)], "customer_id", "id"),
        ([k * k for k in range(40)], "customerId", "id"),
        ([f"u{k}" for k in range(40)], "column", "id"),
        ([f"a long text about number {k}" for k in range(40)], "column", "text"),
        ([f"2024-02-{k % 28 + 1:02d}" for k in range(40)], "column", "date"),
        ([f"{k % 28 + 1:02d}.03.2024" for k in range(40)], "column", "date"),
        ([f"2024-02-{k % 28 + 1:02d} 12:30:00" for k in range(40)], "column", "date"),
        (["x"] * 40, "column", "constant"),
        ([None] * 40, "column", "constant"),
        (["x", None] * 20, "column", "categorical"),
        ([3, None] * 20, "column", "numeric"),
    ],
)
def test_kinds_are_what_a_person_would_say(values: list[Any], name: str, kind: str) -> None:
    """The kind of a column follows the rules of ``table_kinds``, and there is a reason."""
    assert kind_of(values, name) == kind


def test_a_kind_can_be_forced_and_a_column_dropped() -> None:
    """What the user says overrules what was found; the reason says so."""
    data = {**table(), "patient": list(range(120))}
    dataset = opened(data, kinds={"patient": "numeric", "count": "categorical"}, drop=["far"])
    assert dataset.schema.field("patient").used
    assert "as asked for" in dataset.schema.field("count").reason
    assert "far" not in dataset.schema.names
    assert any(name.startswith("count = ") for name in dataset.fit(np.arange(120)).features)


# ------------------------------------------------------------------------------------------------- task


@pytest.mark.parametrize(
    ("y", "asked", "kind", "classes"),
    [
        (["b", "a"], None, "binary", ["a", "b"]),
        ([1, 0], None, "binary", ["0", "1"]),
        ([1.0, -1.0], None, "binary", ["-1", "1"]),
        ([True, False], None, "binary", ["false", "true"]),
        (["yes", "zero"], None, "binary", ["zero", "yes"]),
        ([10, 9, 2], None, "multiclass", ["2", "9", "10"]),
        (["c", "b", "a"], "classification", "multiclass", ["a", "b", "c"]),
        ([0.5, 1.5, 2.25], None, "regression", None),
        ([1, 2, 3], "regression", "regression", None),
    ],
)
def test_task_follows_from_the_target(y: list[Any], asked: str | None, kind: str, classes: list[str] | None) -> None:
    """Text, booleans and few whole numbers are classes in sorted order, yes last; fractions are a number."""
    x = np.random.default_rng(0).normal(size=len(y) * 20)
    task = opened({"x": x, "y": y * 20}, "y", task=asked).task
    assert (task.kind, task.classes) == (kind, classes)
    assert task.reason


def test_a_truth_table_is_learnt_whole() -> None:
    """XOR has four rows: none is held back, and 0 and 1 stay 0 and 1."""
    dataset = opened((np.array([[0, 0], [0, 1], [1, 0], [1, 1]]), np.array([0, 1, 1, 0])), None)
    split = dataset.split(0)
    assert (len(split.train), len(split.val), len(split.test)) == (4, 0, 0)
    assert matrix(dataset).tolist() == [[0, 0], [0, 1], [1, 0], [1, 1]]


# -------------------------------------------------------------------------------------- memory and disk


@settings(max_examples=20)
@given(
    seed=st.integers(0, 10**6),
    numeric=st.sampled_from(["auto", "standardise", "robust", "quantile"]),
    bins=st.sampled_from([0, 5]),
)
def test_arrow_and_memory_give_equal_bits(seed: int, numeric: str, bins: int) -> None:
    """A batch from the mapped file equals the rows of the matrix in memory, bit for bit, in any order."""
    data = table(90, seed)
    chosen = {"numeric": numeric, "bins": bins, "max_categories": 2, "zeros_as_missing": ["count"]}
    memory, disk = opened(data, in_memory=True), opened(data, in_memory=False)
    split = memory.split(seed)
    prep = memory.fit(split.train, chosen)
    assert disk.fit(disk.split(seed).train, chosen) == prep
    a, b = memory.source(prep, split.train), disk.source(prep, split.train)
    index = torch.randperm(len(a), generator=torch.Generator().manual_seed(seed))[:33]
    assert torch.equal(a.x(index), b.x(index))
    assert torch.equal(a.y, b.y)
    assert torch.isfinite(a.x(index)).all()
    assert a.shape == (len(prep.features),) == tuple(a.x(index).shape[1:])
    assert [a.where(k) for k in range(5)] == [b.where(k) for k in range(5)]


def test_mapped_rows_are_found_across_batches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows of full record batches and of the last, shorter one are found alike; the file is open Arrow."""
    import pyarrow as pa

    monkeypatch.setattr("workings.data.arrow.BATCH_ROWS", 32)
    data = table(100)
    memory, disk = opened(data), opened(data, in_memory=False, cache=tmp_path)
    index = np.random.default_rng(0).permutation(100)
    assert disk.store.take(index).tobytes() == memory.store.take(index).tobytes()
    files = list(tmp_path.iterdir())
    assert [path.suffix for path in files] == [".arrow"]
    with pa.memory_map(str(files[0])) as mapped:
        assert pa.ipc.open_file(mapped).num_record_batches == 4
    with pytest.raises(IndexError):
        disk.store.take(np.array([100]))


def test_a_small_memory_limit_puts_rows_on_disk_and_tells() -> None:
    """Where the rows lie is decided by the limit, told, and cleaned up."""
    dataset = opened(table(), memory_limit=1000)
    assert not dataset.in_memory
    assert "rows-on-disk" in {problem.code for problem in dataset.problems}
    folder = dataset.store.path.parent
    assert folder.is_dir()
    del dataset
    import gc

    gc.collect()
    assert not folder.exists()


# ---------------------------------------------------------------------------------------- time, repetition


def test_a_time_column_splits_by_time() -> None:
    """The newest rows are for testing, and what only dates a row is no feature."""
    dataset = opened(table(), time_column="day")
    split = dataset.split(0)
    days = np.array(table()["day"], dtype="datetime64[D]")
    assert days[split.train].max() <= days[split.test].min()
    features = dataset.fit(split.train).features
    assert "day: month" in features
    assert "day: year" not in features


def test_test_rows_that_were_trained_on_are_told() -> None:
    """Rows of a separate test set that are also in the training set are counted."""
    train = opened(table(100, 1))
    prep = train.fit(np.arange(100))
    both = {name: values[:7] + table(50, 2)[name] for name, values in table(100, 1).items()}
    test = read_for(prep, train.schema, both)
    assert isinstance(test, TableDataset)
    (problem,) = train.shared_rows(test)
    assert problem.count == 7
    assert "rows 1, 2, 3, 4, 5" in problem.where


# ------------------------------------------------------------------------------------------- round trips


def test_schema_and_preparation_survive_json(tmp_path: Path) -> None:
    """What prepare.json and schema.json hold prepares new rows to the same bits."""
    dataset = opened(table())
    prep = dataset.fit(np.arange(80))
    again = read_preparation(prep.model_validate_json(prep.model_dump_json()).model_dump(mode="json"))
    schema = Schema.model_validate_json(dataset.schema.model_dump_json())
    assert again == prep
    assert schema == dataset.schema
    pl.DataFrame(table(), strict=False).write_csv(tmp_path / "new.csv")
    new = read_for(again, schema, tmp_path / "new.csv")
    assert torch.equal(matrix(new, again), matrix(dataset, prep))  # pyright: ignore[reportArgumentType]
    np.testing.assert_array_equal(new.y, dataset.y)  # pyright: ignore[reportAttributeAccessIssue]


def test_an_array_without_names_is_taken_in_order() -> None:
    """A net trained on named columns takes an array of the same width, and says so."""
    X = np.random.default_rng(0).normal(size=(60, 3))
    dataset = opened(pl.DataFrame({"a": X[:, 0], "b": X[:, 1], "c": X[:, 2], "y": X.sum(1)}), "y")
    prep = dataset.fit(np.arange(60))
    new = read_for(prep, dataset.schema, X, require_target=False)
    assert "columns-by-order" in {problem.code for problem in new.problems}
    assert torch.equal(matrix(new, prep), matrix(dataset, prep))  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize("dtype", [str, bool, int])
def test_yes_and_no_are_known_however_they_are_written(dtype: type, tmp_path: Path) -> None:
    """A column and a target of booleans match between a CSV, which says True, and a DataFrame with true or 1."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"x": rng.normal(size=60), "b": rng.random(60) < 0.5, "y": rng.random(60) < 0.5})
    frame.to_csv(tmp_path / "t.csv", index=False)
    dataset = opened(tmp_path / "t.csv", "y")
    prep = dataset.fit(np.arange(60))
    new = read_for(prep, dataset.schema, frame.astype({"b": dtype, "y": bool if dtype is int else dtype}))
    assert not new.problems
    assert torch.equal(matrix(new, prep), matrix(dataset, prep))  # pyright: ignore[reportArgumentType]
    np.testing.assert_array_equal(new.y, dataset.y)  # pyright: ignore[reportAttributeAccessIssue]


def test_not_a_preparation_is_refused() -> None:
    """A JSON file of another kind is named."""
    with pytest.raises(UserError, match="preparation"):
        read_preparation({"kind": "smell"})


# -------------------------------------------------------------------------------------------- real data


@pytest.mark.data
def test_real_tables_are_understood(data_dir: Path) -> None:
    """Pima's false zeros, mammography's imbalance and adult's question marks are noticed; nothing else is invented."""
    tables = data_dir / "tables"
    pima = open_dataset(tables / "pima-indians-diabetes.csv", "diabetic")
    zeros = {field.name for field in pima.schema.fields if field.zeros_suspicious}
    assert zeros == {"glucose", "blood_pressure", "skin_thickness", "insulin", "bmi"}
    adult = open_dataset(tables / "adult-train.csv", "income")
    assert adult.task.classes == ["<=50K", ">50K"]
    assert {field.name: field.markers for field in adult.schema.fields if field.missing} == {
        "workclass": {"?": 1836},
        "occupation": {"?": 1843},
        "native_country": {"?": 583},
    }
    mammography = open_dataset(tables / "mammography.csv", "calcification")
    assert "imbalance" in {problem.code for problem in mammography.problems}
    assert mammography.task.classes == ["-1", "1"]
    housing = open_dataset(tables / "housing.csv", "medv")
    assert housing.task.kind == "regression"
    assert housing.problems == []
    for dataset in (adult, mammography, housing):
        assert not any(field.zeros_suspicious for field in dataset.schema.fields)
        assert "target-leak" not in {problem.code for problem in dataset.problems}
