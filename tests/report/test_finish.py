"""Laws of what is added to a run after its test: the worst mistakes with their cells, in folders of any name."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import polars
import pytest

import workings
from workings.base.errors import UserError
from workings.base.events import Event, Noticed
from workings.data import open_dataset
from workings.data.table import TableDataset
from workings.data.table_input import Table

SETTINGS = {"lane": "eager@1", "baselines": False}


@pytest.fixture
def visits(tmp_path: Path) -> Path:
    """A table of 90 rows as text, with an identifier, padding, a gap written ``?`` and a number written 007."""
    rng = np.random.default_rng(4)
    lines = ["visit,ward,dose,place,stay"]
    for i in range(90):
        dose = "?" if i % 9 == 0 else f"{rng.normal():.2f}"
        ward = rng.choice(["007", "011"])
        lines.append(f"V-{i:04d},{ward}, {dose} ,{rng.choice(['north', 'süd'])},{rng.normal():.3f}")
    path = tmp_path / "visits.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_the_worst_mistakes_keep_their_cells_as_the_user_wrote_them(visits: Path, tmp_path: Path) -> None:
    """The cells of the worst rows and of no others are in the predictions and in the report, columns that the net
    does not use among them; the folder's name may be a pattern."""
    out = tmp_path / "run[1]*"
    told: list[Event] = []
    run = workings.train(visits, target="stay", out=out, epochs=2, settings=SETTINGS, emit=told.append)
    written = polars.read_csv(visits, infer_schema=False)
    with (Path(run.path) / "predictions.parquet").open("rb") as file:
        frame = polars.read_parquet(file)
    kept = frame.filter(polars.col("values").is_not_null())
    assert 0 < len(kept) <= 12 < len(frame)
    for row, values in zip(kept["row"], kept["values"], strict=True):
        assert json.loads(values) == written.row(row - 1, named=True)
    report = (Path(run.path) / "report.html").read_text(encoding="utf-8")
    assert all(json.loads(values)["visit"] in report for values in kept["values"])
    assert "their cells are not kept" not in report
    assert not [each for each in told if isinstance(each, Noticed) and each.problem.code == "cells-not-kept"]
    assert workings.open_run(out).metrics == run.metrics


def test_cells_are_those_of_the_user_s_rows_however_the_table_is_read(
    visits: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In memory, gone through in pieces, as Parquet, and with rows dropped: the row's number finds the same cells."""
    frame = polars.read_csv(visits, infer_schema=False)
    frame = frame.with_columns(stay=polars.when(polars.int_range(90) == 5).then(None).otherwise("stay"))
    frame.write_csv(tmp_path / "gap.csv")
    frame.write_parquet(tmp_path / "gap.parquet")

    def cells(data: Any) -> list[dict[str, Any]]:
        dataset = open_dataset(data, "stay", on_bad_row="drop")
        assert isinstance(dataset, TableDataset)
        assert dataset.n == 89
        return dataset.cells(dataset.rows[[7, 4, 80]])

    expected = [frame.row(row, named=True) for row in (8, 4, 81)]
    assert cells(tmp_path / "gap.csv") == cells(tmp_path / "gap.parquet") == cells(frame) == expected
    monkeypatch.setattr("workings.data.table_reading.WHOLE_CELLS", 10)
    assert cells(tmp_path / "gap.csv") == cells(tmp_path / "gap.parquet") == expected


def test_a_file_that_changed_meanwhile_has_no_cells(
    visits: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Fewer rows than before, or no file at all, is refused and not answered with other rows."""
    monkeypatch.setattr("workings.data.table_reading.WHOLE_CELLS", 10)
    dataset = open_dataset(visits, "stay")
    assert isinstance(dataset, TableDataset)
    visits.write_text("visit,ward,dose,place,stay\nV-0000,007,1,north,1\n", encoding="utf-8")
    with pytest.raises(UserError, match="no longer"):
        dataset.cells(np.array([50]))
    visits.unlink()
    with pytest.raises(UserError, match="no longer"):
        dataset.cells(np.array([50]))


def test_a_run_whose_cells_cannot_be_read_again_ends_well_and_says_so(
    visits: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The cells are a help; the run does not depend on them."""
    cells = Table.cells

    def after_deletion(self: Table, rows: np.ndarray) -> list[dict[str, Any]]:
        visits.unlink(missing_ok=True)
        return cells(self, rows)

    monkeypatch.setattr("workings.data.table_reading.WHOLE_CELLS", 10)
    monkeypatch.setattr(Table, "cells", after_deletion)
    told: list[Event] = []
    run = workings.train(visits, target="stay", out=tmp_path / "run", epochs=1, settings=SETTINGS, emit=told.append)
    assert [each.problem.code for each in told if isinstance(each, Noticed)].count("cells-not-kept") == 1
    assert (Path(run.path) / "report.html").is_file()
