"""Whole runs of restricted Boltzmann machines: resume, seed, what is measured, what is told and refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars
import pytest
import torch
from safetensors.torch import load_file
from sklearn.datasets import load_digits

import workings
from workings.base.errors import UserError
from workings.base.events import Decided, EpochEnded, Event
from workings.learning.rbm_likelihood import exact_log_z

QUICK = {"lane": "eager@1", "baselines": False, "report": False, "checkpoint_seconds": 0, "batch_size": 20}
KINDS: dict[str, dict[str, Any]] = {
    "persistent": {"chains": 7, "k": 2, "momentum": 0.9},
    "from the data": {"chains": 0, "sparsity_cost": 0.1},
    "gaussian": {"visible": "gaussian", "weight_decay": 0.01},
}


def digits() -> tuple[np.ndarray, np.ndarray]:
    """300 digits of 8×8 pixels, 0…1."""
    X, y = (np.asarray(each) for each in load_digits(return_X_y=True))
    return (X[:300].reshape(-1, 8, 8) / 16).astype(np.float32), y[:300]


def train(out: Path, emit: Any = None, data: Any = None, epochs: int = 4, seed: int = 1, **settings: Any) -> Any:
    """A small run."""
    given = {"units": 9, "draw_steps": 5} | settings
    told = {} if emit is None else {"emit": emit}
    data = digits() if data is None else data
    return workings.train(data, out=out, net="rbm", epochs=epochs, seed=seed, settings=QUICK | given, **told)


class Interrupted:
    """Presses Ctrl-C at the end of the second look."""

    def __init__(self) -> None:
        self.left = 2

    def __call__(self, event: Event) -> None:
        self.left -= isinstance(event, EpochEnded)
        if self.left == 0:
            raise KeyboardInterrupt


@pytest.mark.parametrize("kind", KINDS)
def test_resume_and_seed_are_bit_equal(kind: str, tmp_path: Path) -> None:
    """Interrupted and resumed, or begun anew with the same seed, a run has the same bits; with another it has not."""
    whole = train(tmp_path / "whole", **KINDS[kind])
    with pytest.raises(KeyboardInterrupt):
        train(tmp_path / "stopped", Interrupted(), **KINDS[kind])
    resumed = workings.train(digits(), resume=tmp_path / "stopped")
    again = train(tmp_path / "again", **KINDS[kind])
    other = train(tmp_path / "other", seed=2, **KINDS[kind])
    bits = {run: load_file(run.path / "weights.safetensors") for run in (whole, resumed, again, other)}
    for name, tensor in bits[whole].items():
        assert torch.equal(tensor, bits[resumed][name]), name
        assert torch.equal(tensor, bits[again][name]), name
    assert not torch.equal(bits[whole]["weight"], bits[other]["weight"])
    assert whole.metrics == resumed.metrics == again.metrics


def test_measures_are_those_of_the_net(tmp_path: Path) -> None:
    """The log-likelihood is −F − ln Z on the test rows, ln Z by enumeration; training makes it higher; the free energy
    of training and validation samples is in the record."""
    told: list[Event] = []
    run = train(tmp_path / "run", told.append, epochs=40, learning_rate=0.3)
    X, _ = digits()
    rows = polars.read_parquet(run.path / "predictions.parquet")["row"].to_numpy() - 1
    x = torch.from_numpy((X[rows] > 0.5).astype(np.float32))
    with torch.no_grad():
        log_p = -run.net.free_energy(x.flatten(1)).double() - exact_log_z(run.net).value
    assert run.metrics["log_likelihood"] == pytest.approx(float(log_p.mean()), rel=1e-5)
    low, high = run.result["intervals"]["log_likelihood"]
    assert low < run.metrics["log_likelihood"] < high
    first = train(tmp_path / "first", epochs=1, learning_rate=0.3)
    assert run.metrics["log_likelihood"] > first.metrics["log_likelihood"] + 1
    assert run.metrics["pseudo_log_likelihood"] > first.metrics["pseudo_log_likelihood"]
    record = polars.read_parquet(run.path / "record.parquet")
    looks = record.filter(polars.col("name") == "free_energy")["split"].value_counts().to_dicts()
    assert {each["split"] for each in looks} == {"train", "val"}
    assert len({each["count"] for each in looks}) == 1
    assert any(isinstance(each, Decided) and each.name == "binarise" for each in told)


def test_greys_are_kept_by_gaussian_units(tmp_path: Path) -> None:
    """visible=gaussian reads images as they are; the likelihood is a density, and there is no pseudo-likelihood."""
    told: list[Event] = []
    run = train(tmp_path / "run", told.append, visible="gaussian")
    assert not any(isinstance(each, Decided) and each.name == "binarise" for each in told)
    assert run.prep.binarise is None
    assert "log_likelihood" in run.metrics
    assert "pseudo_log_likelihood" not in run.metrics


def test_greys_that_binary_units_see_are_told(tmp_path: Path) -> None:
    """Where binary units are given pixels between 0 and 1, their likelihood is told to be none."""
    rng = np.random.default_rng(0)
    table = polars.DataFrame({"a": rng.normal(size=120), "b": rng.normal(size=120)})
    told: list[Event] = []
    run = train(tmp_path / "run", told.append, data=table, visible="binary", units=3)
    assert "binary-between" in {note["code"] for note in run.result["notes"]}


@pytest.mark.parametrize(
    "settings", [{"optimiser": "adam"}, {"l2": 0.1, "clip_norm": 1.0}, {"lane": "compiled@1x8"}], ids=str
)
def test_settings_of_gradient_descent_are_refused(settings: dict[str, Any], tmp_path: Path) -> None:
    """All at once, with what the rule does know; nothing is written."""
    with pytest.raises(UserError) as refused:
        train(tmp_path / "run", **settings)
    for name in settings:
        assert name in str(refused.value)
    assert "momentum" in str(refused.value)
    assert not (tmp_path / "run").exists()


def test_a_row_of_a_table_is_learnt_by_its_columns(tmp_path: Path) -> None:
    """Numbers are Gaussian units, a yes or no binary ones, a category one of its values; draws are such rows."""
    rng = np.random.default_rng(0)
    n = 200
    table = polars.DataFrame(
        {
            "size": rng.normal(size=n).round(3),
            "ripe": rng.choice(["yes", "no"], size=n),
            "colour": rng.choice(["red", "green", "blue"], size=n),
        }
    )
    run = train(tmp_path / "run", data=table, units=4)
    assert run.net.visible.kind == "mixed"
    x = run.net.draw(50, torch.Generator().manual_seed(0))
    start = 0
    for size in run.net.visible.columns:
        part = x[:, start : start + max(size, 1)]
        if size != 1:
            assert set(part.unique().tolist()) <= {0.0, 1.0}
        if size > 1:
            assert bool((part.sum(1) == 1).all())
        start += max(size, 1)
    assert start == x.shape[1]
