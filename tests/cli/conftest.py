"""A small table, a run trained on it once, and the command line called in this process or as a program."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from workings.cli.main import run

# What makes a run quick; what is left out has tests of its own.
QUICK = ("--epochs", "2", "--set", "lane=eager@1", "--set", "baselines=false", "--set", "report=false")


@dataclass(frozen=True)
class Said:
    """What a command said, and how it ended."""

    code: int
    out: str
    err: str


Command = Callable[..., Said]


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


def environment() -> dict[str, str]:
    """As outside of a terminal, 80 columns wide."""
    kept = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "FORCE_COLOR")}
    return kept | {"OMP_NUM_THREADS": "1"}


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


def write_table(path: Path, n: int = 120) -> Path:
    """A table that a small net learns: two numbers, a colour, a binary target."""
    rng = np.random.default_rng(3)
    x = rng.normal(size=(n, 2)).round(3)
    colour = rng.choice(["red", "green"], size=n)
    sick = np.where(x[:, 0] - x[:, 1] + (colour == "red") > 0, "yes", "no")
    lines = [f"{a},{b},{c},{s}" for (a, b), c, s in zip(x, colour, sick, strict=True)]
    path.write_text("age,weight,colour,sick\n" + "\n".join(lines) + "\n", encoding="utf-8")
    return path


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
