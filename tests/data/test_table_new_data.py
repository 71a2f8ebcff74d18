"""New tables for a trained net: what does not fit the schema of training is told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from tests.data.tables import NOTE, WARN, Case, N, X, changed, data, good, put

from workings.base.errors import UserError
from workings.data import open_dataset, read_for


def without(*names: str) -> dict[str, Any]:
    return {name: values for name, values in good().items() if name not in names}


NEW = [
    Case(
        "column missing",
        data({**without("colour"), "color": good()["colour"]}),
        "missing-column",
        ["colour", "'color' may be 'colour'"],
    ),
    Case("target missing", data(without("sick")), "missing-target-column", ["'sick'", "predict"]),
    Case("extra column", data(changed(extra=[1] * N)), "extra-columns", ["extra"], **NOTE),
    Case(
        "unseen category",
        data(put("colour", {2: "Red", 3: "mauve"})),
        "unseen-category",
        ["2 value(s)", "'Red'", "'red' is known"],
        **WARN,
    ),
    Case("unknown class", data(put("sick", {2: "perhaps"})), "unknown-class", ["row 3 'perhaps'", "no, yes"]),
    Case("missing class", data(put("sick", {2: None})), "missing-target", ["row 3"]),
    Case("text for numbers", data(changed(age=["old"] * N)), "wrong-type", ["60 of 60", "same column"]),
    Case("slip in a number", data(put("age", {2: "old"})), "mixed-types", ["row 3 'old'"], **WARN),
    Case("gap that training never had", data(put("age", {2: None}, as_text=False)), "new-missing", ["age"], **WARN),
    Case("infinite", data(put("age", {2: np.inf}, as_text=False)), "infinite-values", ["row 3"], **WARN),
    Case("array of another width", data(X[:, :2]), "wrong-width", ["2 columns", "3"]),
    Case("empty", data(pl.DataFrame(good()).head(0)), "header-only", ["no rows"]),
    Case("no such file", lambda f: f / "new.csv", "no-such-file", ["new.csv"]),
]


@pytest.mark.parametrize("case", NEW, ids=lambda case: case.name.replace(" ", "-"))
def test_bad_new_table_gets_its_problem(case: Case, tmp_path: Path) -> None:
    """Evaluating checks new data against the schema of training, and says what does not fit."""
    trained = open_dataset(good(), "sick")
    prep = trained.fit(np.arange(N))
    if case.level == "error":
        with pytest.raises(UserError) as refused:
            read_for(prep, trained.schema, case.make(tmp_path), require_target=True)
        problems = refused.value.problems
    else:
        problems = read_for(prep, trained.schema, case.make(tmp_path), require_target=True).problems
    matching = [problem for problem in problems if problem.code == case.code]
    assert matching, [problem.text() for problem in problems]
    for word in case.words:
        assert word in matching[0].text(), matching[0].text()
    assert matching[0].level == case.level


def test_predicting_needs_no_target() -> None:
    """Without a target, and with one that cannot be used, rows are read all the same."""
    trained = open_dataset(good(), "sick")
    prep = trained.fit(np.arange(N))
    for table in (without("sick"), put("sick", {1: "perhaps"}), put("sick", {1: None})):
        new = read_for(prep, trained.schema, table, require_target=False)
        assert not new.labelled
        assert new.n == N
        assert len(new.source(prep, np.arange(N)).y) == N
