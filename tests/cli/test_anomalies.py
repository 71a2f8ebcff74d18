"""``anomalies``: what is told and how, what is refused."""

from __future__ import annotations

import io
import json
from pathlib import Path

import polars
import pytest
from tests.cli.helpers import QUICK, Command, write_table

from workings.cli.main import run

HOW = ("--task", "unsupervised", "--target", "sick", "--set", "anomalies=yes", "--set", "hidden=[8]", "--set", "code=2")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a table of patients, and a run of an autoencoder on the well ones."""
    root = tmp_path_factory.mktemp("anomalies")
    write_table(root / "patients.csv", 200)
    said = ["train", str(root / "patients.csv"), *HOW, "--out", str(root / "run"), "--quiet", *QUICK]
    assert run(said) == 0
    return root


def test_every_way_out_says_the_same(made: Path, tmp_path: Path, command: Command) -> None:
    """CSV on standard output, a file, and one JSON object hold the same rows; progress goes to standard error."""
    as_csv = command("anomalies", made / "run", made / "patients.csv", "--false-alarms", "0.2")
    assert as_csv.code == 0, as_csv.err
    frame = polars.read_csv(io.StringIO(as_csv.out))
    assert frame.columns[:6] == ["row", "where", "label", "score", "threshold", "anomaly"]
    assert frame.columns[6:8] == ["column_1", "part_1"]
    assert frame.height == 200
    out = tmp_path / "told.json"
    said = command("anomalies", made / "run", made / "patients.csv", "--false-alarms", "0.2", "--out", out)
    assert said.out == ""
    assert f"{frame['anomaly'].sum()} anomalies among 200 samples" in said.err
    assert [row["score"] for row in json.loads(out.read_text(encoding="utf-8"))] == frame["score"].to_list()
    found = json.loads(command("anomalies", made / "run", made / "patients.csv", "--false-alarms", "0.2", "--json").out)
    assert found["anomalies"] == frame["anomaly"].sum()
    assert found["threshold"] == frame["threshold"][0]
    assert [row["row"] for row in found["rows"]] == frame["row"].to_list()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--false-alarms", "0"), "between 0 and 1"),
        (("--false-alarms", "1.5"), "between 0 and 1"),
        (("--false-alarms", "0.0001"), "finer than"),
        (("--out", "told.xlsx"), ".csv"),
        (("--out", "patients.csv"), "--force"),
    ],
)
def test_what_cannot_be_is_refused(
    made: Path, command: Command, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], said: str
) -> None:
    """Exit code 2, with what to do, and nothing written."""
    monkeypatch.chdir(made)
    before = sorted(path.name for path in made.iterdir())
    found = command("anomalies", made / "run", made / "patients.csv", *words)
    assert found.code == 2
    assert said in found.err
    assert found.out == ""
    assert sorted(path.name for path in made.iterdir()) == before
