"""Runs of the adversarial network on small images: the laws of runs, what is recorded, and what is judged."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import polars
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file

import workings
from workings.base.events import EpochEnded, Event, Noticed
from workings.runs.judge import open_judge
from workings.runs.measure_gan import missed

QUICK = {"batch_size": 16, "lane": "eager@1", "checkpoint_seconds": 0, "report": False, "baselines": False}
NARROW = {"channels": (4, 6), "code": 5}


@pytest.fixture(scope="module")
def stripes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of 80 images of 8×8 pixels: one column white, or one row."""
    folder = tmp_path_factory.mktemp("stripes")
    rng = np.random.default_rng(0)
    for kind in ("column", "row"):
        (folder / kind).mkdir()
        for i in range(40):
            pixels = rng.integers(0, 40, (8, 8)).astype(np.uint8)
            pixels[:, rng.integers(8)] = 255
            Image.fromarray(pixels if kind == "column" else pixels.T.copy()).save(folder / kind / f"{i}.png")
    return folder


def train(data: Any, out: Path, epochs: int = 6, **given: Any) -> Any:
    settings = {**QUICK, **given.pop("settings", {})}
    net = {**NARROW, **given.pop("net_settings", {})}
    return workings.train(data, net="gan", out=out, epochs=epochs, settings={**settings, "net_settings": net}, **given)


class Interrupted:
    """Presses Ctrl-C at the end of an epoch."""

    def __init__(self) -> None:
        self.done = False

    def __call__(self, event: Event) -> None:
        if isinstance(event, EpochEnded) and not self.done:
            self.done = True
            raise KeyboardInterrupt


@pytest.mark.parametrize(
    "net_settings", [{"penalty": "r1", "discriminator_steps": 3}, {"penalty": "wgan-gp", "spectral": True}]
)
def test_resume_and_seed_are_bit_equal(stripes: Path, tmp_path: Path, net_settings: dict[str, Any]) -> None:
    """Interrupted and resumed, or begun anew, a run has the same weights, record and draws; with another seed not."""
    whole = train(stripes, tmp_path / "whole", net_settings=net_settings)
    again = train(stripes, tmp_path / "again", net_settings=net_settings)
    with pytest.raises(KeyboardInterrupt):
        train(stripes, tmp_path / "stopped", net_settings=net_settings, emit=Interrupted())
    resumed = workings.train(stripes, resume=tmp_path / "stopped")
    other = train(stripes, tmp_path / "other", net_settings=net_settings, seed=1)
    mine = whole.net.state_dict()
    for each in (again, resumed, workings.open_run(tmp_path / "whole")):
        theirs = each.net.state_dict()
        assert all(torch.equal(tensor, theirs[name]) for name, tensor in mine.items())
    assert any(not torch.equal(tensor, other.net.state_dict()[name]) for name, tensor in mine.items())
    records = [polars.read_parquet(tmp_path / run / "record.parquet").drop("seconds") for run in ("whole", "stopped")]
    assert records[0].equals(records[1])
    shown = [load_file(tmp_path / run / "draws.safetensors") for run in ("whole", "stopped")]
    assert all(torch.equal(tensor, shown[1][name]) for name, tensor in shown[0].items())


def test_both_players_are_recorded_and_draws_kept(stripes: Path, tmp_path: Path) -> None:
    """The record holds each player's loss and the distance of draws; the run keeps what it drew on the way."""
    run = train(stripes, tmp_path / "run")
    record = polars.read_parquet(run.path / "record.parquet")
    names = set(record.select("split", "name").unique().iter_rows())
    assert {("train", "loss"), ("train", "generator_loss"), ("val", "loss"), ("val", "energy_distance")} <= names
    looks = record.filter((polars.col("split") == "val") & (polars.col("name") == "energy_distance"))
    assert run.result["best_step"] == looks.sort("value", "step")["step"][0]
    shown = load_file(run.path / "draws.safetensors")
    assert min(map(int, shown)) == looks["step"].min()
    assert all(tensor.shape == (16, 1, 8, 8) for tensor in shown.values())


def test_draws_are_judged_by_a_net_trained_here(stripes: Path, tmp_path: Path) -> None:
    """Where labels are known, a classifier of the run's own names the draws; a class that is not drawn is told."""
    told: list[Event] = []
    run = train(stripes, tmp_path / "run", settings={"baselines": True}, emit=told.append)
    found = run.metrics
    assert {
        "modes_found",
        "rarest_share",
        "judge_accuracy",
        "draws_precision",
        "draws_recall",
        "draws_coverage",
    } <= set(found)
    judge = open_judge(run)
    assert judge is not None
    named, features = judge.look(run.net.draw(2000, torch.Generator().manual_seed(run.recipe.seed)))
    shares = np.bincount(named.numpy(), minlength=2) / 2000
    assert found["rarest_share"] == pytest.approx(shares.min())
    assert len(features) == 2000
    assert found["modes_found"] == 2 - len(missed(shares, judge.shares))
    codes = {each.problem.code for each in told if isinstance(each, Noticed)}
    assert "classes-of-draws" in codes
    assert ("mode-collapse" in codes) == (found["modes_found"] < 2)
    again = run.evaluate(stripes)
    assert again["metrics"]["modes_found"] == found["modes_found"]
    kept = json.loads((run.path / "metrics.json").read_text(encoding="utf-8"))
    assert "features" in kept["method"]["draws_recall"]


def test_without_comparisons_the_samples_themselves_are_compared(stripes: Path, tmp_path: Path) -> None:
    """No judge is trained where the recipe wants no baselines; precision and recall are then of pixels."""
    run = train(stripes, tmp_path / "run")
    assert not (run.path / "judge.json").exists()
    assert "modes_found" not in run.metrics
    assert "own numbers" in run.result["method"]["draws_recall"]


def test_a_class_is_missed_below_a_tenth_of_its_share() -> None:
    """A class without training samples cannot be missed."""
    shares, expected = np.array([0.5, 0.004, 0.011, 0.485]), np.array([0.4, 0.1, 0.1, 0.0])
    assert missed(shares, expected).tolist() == [1]
