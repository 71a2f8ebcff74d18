"""Bad tables: each gets its problem, with the words that tell the user what, where and what to do."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pytest
from tests.data.tables import NOTE, RNG, WARN, Case, N, X, changed, csv, data, file, good, parquet, put

from workings.base.errors import UserError
from workings.data import inspect_dataset, open_dataset


def broken_parquet(folder: Path) -> Path:
    path = parquet(pl.DataFrame(good()))(folder)
    path.write_bytes(path.read_bytes()[:200])
    return path


def frame_with_names_twice() -> pd.DataFrame:
    frame = pd.DataFrame(good())
    frame.columns = ["age", "age", "colour", "sick"]
    return frame


GOOD_CSV = pl.DataFrame(good()).write_csv()
LINES = pl.DataFrame(good()).select("sick", "age", "weight", "colour").write_csv().splitlines()
SHORT_CSV = "\n".join([*LINES[:3], LINES[3].rpartition(",")[0], *LINES[4:]])
TEXT_AMONG_NUMBERS = put("age", {1: "old", 30: "12 years"})
COMMAS = {**good(), "age": [str(value).replace(".", ",") for value in good()["age"]]}
REPEATED = {name: [*values, *values[:3]] for name, values in good().items()}
CONFLICTING = {name: [*values, values[0]] for name, values in good().items()}
CONFLICTING["sick"][-1] = "no" if CONFLICTING["sick"][0] == "yes" else "yes"
LEAKING = changed(result=np.where(np.array(good()["sick"]) == "yes", 3.5, 1.25).tolist())


def y_with(value: float) -> np.ndarray:
    """Targets of which the fourth is ``value``."""
    return np.where(np.arange(N) == 3, value, X[:, 0])


def numbered(pattern: str) -> list[str]:
    """A cell a row, made by ``pattern`` from the row's number k."""
    return [pattern.format(k=k, d=k % 28 + 1, m=k % 5 + 1, e=k % 9 + 1) for k in range(N)]


CASES = [
    # ---------------------------------------------------------------- files that cannot be read
    Case("no such file", lambda f: f / "tabel.csv", "no-such-file", ["tabel.csv"]),
    Case("empty file", file("t.csv", ""), "empty-file", ["empty"]),
    Case("only blank lines", file("t.csv", "\n\n \n"), "empty-file", ["empty"]),
    Case("header only", file("t.csv", "age,sick\n"), "header-only", ["header", "no rows"]),
    Case("no header", file("t.csv", "5,1,0\n3,2,1\n4,4,0\n"), "no-header", ["first line", "names"]),
    Case(
        "latin-1",
        file("t.csv", GOOD_CSV.replace("red", "ré").encode("latin1")),
        "bad-encoding",
        ["UTF-8", "line", "iconv"],
    ),
    Case("zero bytes", file("t.csv", GOOD_CSV.encode() + b"\0\0"), "bad-encoding", ["0x00"]),
    Case("utf-16", file("t.csv", GOOD_CSV.encode("utf-16")), "not-a-table", ["UTF-16", "UTF-8"]),
    Case("excel", file("t.csv", b"PK\x03\x04" + bytes(50)), "not-a-table", ["Excel", "CSV"]),
    Case("gzip", file("t.csv", gzip.compress(GOOD_CSV.encode())), "not-a-table", ["gzip", "Unpack"]),
    Case("unknown suffix", file("t.doc", GOOD_CSV), "not-a-table", [".doc", "CSV"]),
    Case("old line ends", file("t.csv", GOOD_CSV.replace("\n", "\r")), "line-ends", ["CR"]),
    Case("truncated parquet", broken_parquet, "unreadable", ["could not be read"]),
    Case("fake parquet", file("t.parquet", GOOD_CSV), "unreadable", ["could not be read"]),
    Case("empty parquet", parquet(pl.DataFrame(good()).head(0)), "header-only", ["no rows"]),
    Case(
        "long rows", file("t.csv", GOOD_CSV + "1,2,red,yes,5\n3,4,blue,no,6,7\n"), "ragged-rows", ["2 row(s)", "61, 62"]
    ),
    Case("short row", file("t.csv", SHORT_CSV), "short-rows", ["1 row(s)", "rows 3"], **WARN),
    Case("names twice", file("t.csv", "age,age,sick\n1,2,yes\n"), "duplicated-column", ["age", "Rename"]),
    # ---------------------------------------------------------------- data in memory
    Case("not a table", data(42), "not-a-table", ["int", "DataFrame"]),
    Case("one-dimensional X", data(np.arange(10.0)), "wrong-shape", ["(10,)", "reshape"]),
    Case("X and y of different length", data((X, np.zeros(N - 1))), "target-length", [f"{N}", f"({N - 1},)"], None),
    Case("one-hot y", data((X, np.eye(N))), "target-length", ["argmax"], None),
    Case("X without columns", data((np.empty((N, 0)), np.zeros(N))), "no-features", ["no columns"], None),
    Case("no rows in X", data((np.empty((0, 3)), np.empty(0))), "header-only", ["no rows"], None),
    Case("columns of different length", data({**good(), "age": [1.0, 2.0]}), "column-lengths", ["age: 2"]),
    Case("matrix as a column", data({**good(), "age": np.zeros((N, 2))}), "wrong-shape", ["'age'", "(60, 2)"]),
    Case("DataFrame with names twice", data(frame_with_names_twice()), "duplicated-column", ["age"]),
    Case("DataFrame without rows", data(pl.DataFrame(good()).head(0)), "header-only", ["no rows"]),
    # ---------------------------------------------------------------- arguments
    Case("misspelt target", csv(), "missing-column", ["'sikc'", "Did you mean 'sick'"], "sikc"),
    Case("no target", csv(), "no-target", ["sick", "last column"], None),
    Case(
        "no target, obvious name", csv({**good(), "label": [0, 1] * 30}), "no-target", ["'label'", "by its name"], None
    ),
    Case("unknown task", csv(), "unknown-task", ["Did you mean 'regression'"], options={"task": "regresion"}),
    Case(
        "unknown kind", csv(), "unknown-kind", ["Did you mean 'categorical'"], options={"kinds": {"age": "categoric"}}
    ),
    Case("kind of an unknown column", csv(), "missing-column", ["'aeg'", "'age'"], options={"kinds": {"aeg": "id"}}),
    Case(
        "drop of an unknown column", csv(), "missing-column", ["'colours'", "'colour'"], options={"drop": ["colours"]}
    ),
    Case("target dropped", csv(), "dropped-and-needed", ["sick"], options={"drop": ["sick"]}),
    Case("time of text", csv(), "not-a-time", ["colour"], options={"time_column": "colour"}),
    Case("target as time", csv(), "target-is-time", ["sick"], options={"time_column": "sick"}),
    Case("unknown choice for rows", csv(), "unknown-choice-for-bad-rows", ["drop"], options={"on_bad_row": "dorp"}),
    Case("more memory than there is", csv(), "not-enough-memory", ["memory", "in_memory"], options={"in_memory": True}),
    # ---------------------------------------------------------------- the target
    Case(
        "target missing",
        csv(put("sick", {4: "", 7: "?"})),
        "missing-target",
        ["2 row(s)", "row 5", "row 8", "on_bad_row"],
    ),
    Case("target missing everywhere", csv(changed(sick=["NA"] * N)), "missing-target", ["no value"]),
    Case("target NaN", data((X, y_with(np.nan))), "missing-target", ["row 4"], None),
    Case(
        "target infinite",
        data((X, y_with(np.inf))),
        "bad-target-value",
        ["row 4", "inf"],
        None,
    ),
    Case("one class", csv(changed(sick=["no"] * N)), "one-class", ["'no'", "same value"]),
    Case("constant number", data((X, np.full(N, 2.5))), "one-class", ["same value"], None),
    Case("class of one row", csv(put("sick", {9: "perhaps"})), "class-too-small", ["'perhaps'", "one row"]),
    Case(
        "class of few rows",
        csv(put("sick", dict.fromkeys(range(4), "perhaps"))),
        "class-small",
        ["'perhaps' (4)"],
        **WARN,
    ),
    Case("text target", csv(changed(sick=numbered("case {k}"))), "too-many-classes", ["60 different"]),
    Case(
        "numbers wanted, text found",
        csv(),
        "target-not-a-number",
        ["60 value(s)", "'yes'"],
        options={"task": "regression"},
    ),
    Case(
        "slip in a number target",
        csv(put("age", {5: "forty", 9: "x"})),
        "target-not-a-number",
        ["2 value(s)", "row 6 'forty'"],
        "age",
    ),
    Case("two classes wanted", csv(), "not-binary", ["3 classes"], "colour", {"task": "binary"}),
    Case("date target", data(changed(sick=np.arange(N).astype("datetime64[D]"))), "bad-target", ["date"]),
    Case(
        "imbalance",
        csv(changed(sick=["no"] * 57 + ["yes"] * 3)),
        "imbalance",
        ["'yes' is 5.0%", "95.0%"],
        **WARN,
    ),
    Case(
        "few whole numbers",
        csv(changed(sick=[k % 8 for k in range(N)])),
        "ambiguous-task",
        ["8 different", "regression"],
        **WARN,
    ),
    Case(
        "few fractions",
        csv(changed(sick=[k % 8 / 2 for k in range(N)])),
        "ambiguous-task",
        ["8 different", "classification"],
        **WARN,
    ),
    # ---------------------------------------------------------------- the features
    Case("no feature", csv({"a": [1] * N, "sick": good()["sick"]}), "no-features", ["constant", "kinds"]),
    Case("constant", csv(changed(hospital=["north"] * N)), "constant-column", ["hospital", "'north'"], **NOTE),
    Case("empty column", csv(changed(hospital=[""] * N)), "constant-column", ["hospital", "no value"], **NOTE),
    Case("id that counts", csv(changed(patient=list(range(N)))), "id-column", ["patient", "count the rows"], **NOTE),
    Case(
        "id by name",
        csv(changed(patient_id=(RNG.permutation(N) * 7 + 1000).tolist())),
        "id-column",
        ["patient_id"],
        **NOTE,
    ),
    Case(
        "id of text",
        csv(changed(ticket=[f"T{k * 7}" for k in range(N)])),
        "id-column",
        ["ticket", "100%"],
        **NOTE,
    ),
    Case(
        "free text",
        csv(changed(note=numbered("the patient said {k} things today"))),
        "text-column",
        ["note"],
        **NOTE,
    ),
    Case(
        "lists",
        data(pl.DataFrame(good()).with_columns(tags=pl.Series([[1, 2]] * N))),
        "unusable-column",
        ["tags", "list"],
        **WARN,
    ),
    Case(
        "missing",
        csv(put("age", {1: "?", 2: "NA", 3: "", 4: " - "})),
        "missing-values",
        ["4 value(s)", "'?'", "'NA'", "median"],
        **NOTE,
    ),
    Case(
        "text among numbers",
        csv(TEXT_AMONG_NUMBERS),
        "mixed-types",
        ["2 of its 60", "row 2 'old'", "row 31 '12 years'"],
        **WARN,
    ),
    Case(
        "numbers among text",
        csv(put("age", {k: f"about {k % 5}" for k in range(20)})),
        "mixed-types",
        ["40 of 60", "kinds"],
        **WARN,
    ),
    Case(
        "infinite",
        data(put("age", {1: np.inf, 2: -np.inf}, as_text=False)),
        "infinite-values",
        ["2 infinite", "row 2"],
        **WARN,
    ),
    Case("beyond float32", data(put("age", {1: 1e300}, as_text=False)), "infinite-values", ["row 2"], **WARN),
    Case("spaces", csv(put("colour", {1: " red", 2: "blue  "})), "trimmed", ["2 value(s)", "colour"], **NOTE),
    Case("semicolons", csv(separator=";"), "delimiter", ["semicolon"], **NOTE),
    Case(
        "decimal comma",
        csv(COMMAS, separator=";"),
        "decimal-comma",
        ["age"],
        **NOTE,
    ),
    Case(
        "leak",
        csv(LEAKING),
        "target-leak",
        ["result", "1.000"],
        **WARN,
    ),
    Case(
        "equal rows",
        csv(REPEATED),
        "duplicate-rows",
        ["3 row(s)", "61, 62, 63"],
        **WARN,
    ),
    Case(
        "equal rows, other class",
        csv(CONFLICTING),
        "conflicting-labels",
        ["2 rows", "1, 61"],
        **WARN,
    ),
    Case(
        "zeros",
        csv(put("weight", dict.fromkeys(range(9), "0"))),
        "zeros-mean-missing",
        ["weight (9 zeros)", "zeros_as_missing"],
        **WARN,
    ),
    Case(
        "dates",
        csv(changed(seen=numbered("2024-01-{d:02d}"))),
        "date-parts",
        ["seen", "time_column"],
        **NOTE,
    ),
    Case(
        "ambiguous dates",
        csv(changed(seen=numbered("{e:02d}/{m:02d}/2024"))),
        "ambiguous-dates",
        ["day first", "2024-01-31"],
        **WARN,
    ),
    Case("empty rows", file("t.csv", GOOD_CSV + "\n\n"), "empty-rows", ["2 empty"], **NOTE),
    Case(
        "column without a name",
        file("t.csv", GOOD_CSV.replace("age,", ",", 1)),
        "unnamed-column",
        ["column 1"],
        **NOTE,
    ),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name.replace(" ", "-"))
def test_bad_table_gets_its_problem(case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The problem has its code and level, says the words, and is an error exactly where opening is refused."""
    if case.code == "not-enough-memory":
        monkeypatch.setattr("workings.data.table_filling.free_memory", lambda: 1000)
    given = case.make(tmp_path)
    before = sorted(tmp_path.iterdir())
    dataset, problems = inspect_dataset(given, case.target, **{"task": None, **case.options})
    matching = [problem for problem in problems if problem.code == case.code]
    assert matching, [problem.text() for problem in problems]
    text = matching[0].text()
    for word in case.words:
        assert word in text, text
    assert matching[0].level == case.level
    if case.level == "error":
        assert dataset is None
        assert matching[0].do
        with pytest.raises(UserError) as refused:
            open_dataset(given, case.target, **{"task": None, **case.options})
        assert text in str(refused.value)
    else:
        assert dataset is not None
        assert case.code in {problem.code for problem in open_dataset(given, case.target, **case.options).problems}
    assert sorted(tmp_path.iterdir()) == before


def test_good_table_has_no_warning(tmp_path: Path) -> None:
    """What is right is not complained about."""
    assert open_dataset(csv()(tmp_path), "sick").problems == []


def test_all_problems_are_told_at_once(tmp_path: Path) -> None:
    """A table with several faults gets one report with all of them."""
    table = {**put("sick", {3: "", 5: "perhaps"}), "hospital": ["north"] * N}
    _, problems = inspect_dataset(csv(table)(tmp_path), "sick")
    assert {"missing-target", "class-too-small", "constant-column"} <= {problem.code for problem in problems}
    _, problems = inspect_dataset(csv()(tmp_path), "sikc", "regresion", drop=["colours"])
    assert len([problem for problem in problems if problem.level == "error"]) == 3


def test_rows_without_target_can_be_dropped(tmp_path: Path) -> None:
    """With ``on_bad_row="drop"`` they are left out and told; the others keep their row numbers."""
    dataset = open_dataset(csv(put("sick", {0: "", 7: "?"}))(tmp_path), "sick", on_bad_row="drop")
    assert dataset.n == N - 2
    assert [p.count for p in dataset.problems if p.code == "dropped-rows"] == [2]
    prep = dataset.fit(np.arange(dataset.n))
    source = dataset.source(prep, np.array([0, 6]))
    assert [source.where(0), source.where(1)] == ["row 2", "row 9"]
