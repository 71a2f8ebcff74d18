"""A small table, a run trained on it once, and the command line called in this process or as a program."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from tests.cli.helpers import QUICK, Command, Said, environment, write_table

from workings.cli.main import run


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Command:
    """``command("train", path)``: the command line in this process."""
    monkeypatch.delenv("COLUMNS", raising=False)

    def call(*words: object) -> Said:
        capsys.readouterr()
        code = run([str(word) for word in words])
        said = capsys.readouterr()
        return Said(code, said.out, said.err)

    return call


@pytest.fixture
def program(tmp_path: Path) -> Command:
    """``program("train", path)``: the command line as a program of its own, in an empty folder."""

    def call(*words: object) -> Said:
        done = subprocess.run(
            [sys.executable, "-m", "workings", *map(str, words)],
            capture_output=True,
            text=True,
            cwd=tmp_path,
            env=environment(),
            check=False,
        )
        return Said(done.returncode, done.stdout, done.stderr)

    return call


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """The table as ``patients.csv``."""
    return write_table(tmp_path / "patients.csv")


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A run and the table it was trained on. Tests that change it take a copy."""
    folder = tmp_path_factory.mktemp("trained")
    data = write_table(folder / "patients.csv")
    out = folder / "run"
    assert run(["train", str(data), "--target", "sick", "--out", str(out), "--quiet", *QUICK]) == 0
    return out, data
