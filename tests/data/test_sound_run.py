"""Runs on recordings keep the laws: the same seed, resumed at any step, predicted as they were tested, exit code 2."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import polars
import pytest
import soundfile
from tests.bits import assert_same_bits

import workings
from workings.base.events import Checkpointed, EpochEnded, Event

RATE = 8_000
QUICK: dict[str, Any] = {
    "lane": "eager@1",
    "widths": [3, 4],
    "mask": 0.2,
    "report": False,
    "baselines": False,
    "checkpoint_seconds": 0,
    "pattern": "{label}_{group}_{take}",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Tones of two heights by four made speakers, of many lengths."""
    root = tmp_path_factory.mktemp("named")
    rng = np.random.default_rng(0)
    for label, hertz in (("low", 400), ("high", 1_600)):
        for speaker in ("ada", "ben", "cleo", "dan"):
            for take in range(8):
                n = np.arange(round(RATE * rng.uniform(0.05, 0.15)))
                wave = 0.3 * np.sin(2 * np.pi * hertz * rng.uniform(0.7, 1.4) * n / RATE)
                soundfile.write(root / f"{label}_{speaker}_{take}.wav", wave + 0.02 * rng.normal(size=len(n)), RATE)
    return root


def train(data: object, out: Path, **more: Any) -> Any:
    return workings.train(data, out=out, epochs=4, seed=3, settings=QUICK | more.pop("settings", {}), **more)


def test_a_run_stopped_at_any_step_ends_with_the_same_bits(folder: Path, tmp_path: Path) -> None:
    """Same seed, same run; interrupted after the first checkpoint or a later one and resumed, masks and all, too."""
    whole = train(folder, tmp_path / "whole")
    assert_same_bits(train(folder, tmp_path / "again"), whole)
    for number in (1, 2):
        seen = 0

        def stop(event: Event, number: int = number) -> None:
            nonlocal seen
            seen += isinstance(event, (Checkpointed, EpochEnded))
            if seen == number:
                seen += 1
                raise KeyboardInterrupt

        out = tmp_path / f"stopped{number}"
        with pytest.raises(KeyboardInterrupt):
            train(folder, out, emit=stop)
        assert_same_bits(workings.train(resume=out), whole)


def test_predictions_of_a_reopened_run_are_those_of_its_test(folder: Path, tmp_path: Path) -> None:
    """Files, a flat folder and arrays give the same probabilities, and evaluation the same accuracy."""
    run = train(folder, tmp_path / "run", settings={"hold_out": "dan"})
    tested = polars.read_parquet(Path(run.path) / "predictions.parquet")
    assert all("_dan_" in where for where in tested["where"])
    again = workings.open_run(run.path).predict(folder)
    found = dict(zip(again["where"], again["probability_low"], strict=True))
    np.testing.assert_allclose([found[where] for where in tested["where"]], tested["probability_low"], atol=1e-5)
    dan = tmp_path / "dan"
    dan.mkdir()
    for path in folder.glob("*_dan_*.wav"):
        (dan / path.name).write_bytes(path.read_bytes())
    assert run.evaluate(dan)["metrics"]["accuracy"] == pytest.approx(run.metrics["accuracy"])
    waves = [soundfile.read(folder / where, dtype="float32")[0] for where in tested["where"]]
    by_array = workings.open_run(run.path).predict((waves, RATE))
    np.testing.assert_allclose(by_array["probability_low"], tested["probability_low"], atol=1e-5)


def test_a_test_set_that_shares_recordings_or_speakers_is_told(folder: Path, tmp_path: Path) -> None:
    """Both flatter the test; both are warnings in the data card."""
    run = train(folder, tmp_path / "run", test=folder)
    card = (Path(run.path) / "data_card.json").read_text(encoding="utf-8")
    assert "rows-in-both" in card
    assert "groups-in-both" in card


def test_the_command_line_refuses_with_2_and_writes_nothing(folder: Path, tmp_path: Path) -> None:
    """A flat folder without a pattern: one message, which says the pattern to give."""
    program = Path(sys.executable).parent / "workings"
    out = tmp_path / "run"
    done = subprocess.run(
        [program, "train", folder, "--out", out], capture_output=True, text=True, check=False, cwd=tmp_path
    )
    assert done.returncode == 2
    said = " ".join(done.stderr.split())
    assert "--set pattern={label}_{group}_{take}" in said
    assert "Traceback" not in said
    assert not out.exists()
