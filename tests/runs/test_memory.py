"""A finished run keeps what its rule remembered at the step whose weights it kept."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tests.bits import weights

import workings
from workings.api import Run
from workings.base.errors import UserError
from workings.runs.memory import NAME, load_memory

rng = np.random.default_rng(0)
X = rng.normal(size=(60, 3)).astype(np.float32)
DATA = (X, (X[:, 0] > 0.2).astype(np.int64))
QUICK = {"baselines": False, "report": False, "lane": "eager@1", "hidden": [4], "batch_size": 16}


def trained(folder: Path, epochs: float = 6, **settings: Any) -> Run:
    return workings.train(DATA, net="mlp", epochs=epochs, out=folder, settings=QUICK | settings)


def test_the_memory_is_of_the_step_whose_weights_were_kept(tmp_path: Path) -> None:
    """Not of the last step: the run that ends at the best step has the same memory, to the bit."""
    how: dict[str, Any] = {"learning_rate": 2.0, "schedule": "constant", "warmup": 0.0, "average": 0.0}
    long = trained(tmp_path / "long", **how)
    kept = load_memory(long.path)
    assert kept is not None
    assert kept.step == kept.weights_step == long.result["best_step"]
    done, rows = 16, 41  # steps in all, training rows
    assert 0 < kept.step < done
    assert kept.learning_rates == [2.0]
    short = trained(tmp_path / "short", (kept.step - 0.5) * 16 / rows, keep_best=False, **how)
    last = load_memory(short.path)
    assert last is not None
    assert last.step == kept.step
    for name, tensor in kept.tensors.items():
        assert torch.equal(tensor, last.tensors[name]), name


def test_the_step_shown_has_the_moments_of_the_run(tmp_path: Path) -> None:
    """t goes on from the kept step, and the moments printed are those in the file."""
    run = trained(tmp_path / "run", optimiser="adam", average=0.0)
    kept = load_memory(run.path)
    assert kept is not None
    solution = run.show(1, data=DATA)
    assert solution.complete
    assert f"t = {kept.step + 1}" in dict(solution.facts)["Optimiser"]
    assert not solution.problems
    update = next(s for s in solution.steps if s.title == "Update")
    m = next(line for child in update.children for line in child.lines if "m⁺" in str(line.left))
    assert m.holds
    assert any(bool(t.any()) for t in kept.tensors.values())


def test_a_run_without_the_file_can_still_be_opened_and_says_so(tmp_path: Path) -> None:
    """Runs of earlier versions: the optimiser begins afresh, and nobody is told otherwise."""
    run = trained(tmp_path / "run", 2)
    before = weights(run)
    (Path(run.path) / NAME).unlink()
    old = workings.open_run(run.path)
    assert all(torch.equal(t, before[name]) for name, t in old.net.state_dict().items())
    solution = old.show(1, data=DATA)
    assert solution.complete
    assert [p.code for p in solution.problems] == ["fresh-optimiser"]
    assert "t = 1" in dict(solution.facts)["Optimiser"]


def test_a_damaged_file_is_told_in_one_message(tmp_path: Path) -> None:
    """What it is, and that the weights do not need it."""
    run = trained(tmp_path / "run", 1)
    (Path(run.path) / NAME).write_bytes(b"no tensors")
    with pytest.raises(UserError, match=r"optimiser\.safetensors' is damaged"):
        run.show(1, data=DATA)
    assert workings.open_run(run.path).metrics
