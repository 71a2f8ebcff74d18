"""A trained run's learning step: by the door that people use, and bad input answered in one message."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch
from torch import nn

import workings
from workings.api import Run
from workings.base.errors import UserError
from workings.cli.app import app

QUICK = {"baselines": False, "report": False, "lane": "eager@1"}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A small net with dropout, trained for two epochs on a table of classes."""
    folder = tmp_path_factory.mktemp("shown")
    rng = np.random.default_rng(0)
    x = rng.normal(size=(80, 3)).round(3)
    kind = np.where(x[:, 0] > 0.5, "a", np.where(x[:, 1] > 0, "b", "c"))
    path = folder / "table.csv"
    pl.DataFrame({"p": x[:, 0], "q": x[:, 1], "r": x[:, 2], "kind": kind}).write_csv(path)
    how = {"hidden": [6, 5], "dropout": 0.2, "clip_norm": 0.1, "l1": 0.001, **QUICK}
    return workings.train(str(path), target="kind", net="mlp", epochs=2, out=folder / "run", settings=how)


def test_a_runs_own_step_is_complete_and_holds(run: Run) -> None:
    """Its penalties and its clipping are worked out, and its optimiser agrees."""
    solution = run.show(7)
    assert solution.complete
    titles = [step.title for step in solution.steps]
    assert titles == ["Forward", "Loss", "Backward", "Gradient before the update", "Update",
                      "Forward again, with the new parameters"]  # fmt: skip
    assert not solution.problems
    assert ("Sample", "row 7") in solution.facts


def test_showing_changes_nothing(run: Run) -> None:
    """An observer is neutral: weights, files and random numbers are as they were."""
    before = {k: v.clone() for k, v in run.net.state_dict().items()}
    files = {p: p.stat().st_mtime_ns for p in run.path.rglob("*")}
    generator = torch.get_rng_state()
    run.show(1)
    assert all(torch.equal(v, before[k]) for k, v in run.net.state_dict().items())
    assert files == {p: p.stat().st_mtime_ns for p in run.path.rglob("*")}
    assert torch.equal(generator, torch.get_rng_state())
    assert torch.get_default_dtype() == torch.float32


def test_one_layer_is_worked_out_and_the_others_summed_up(run: Run) -> None:
    """Nothing is left out of the comparisons."""
    whole, part = run.show(3), run.show(3, layer="output")
    assert len(part.lines) < len(whole.lines)
    assert len(part.checks) == len(whole.checks)
    places = {s.place for s in part.steps[0].walk() if s.lines}
    assert places == {"output"}


@pytest.mark.parametrize(
    ("how", "words"),
    [({"sample": 81}, "no sample 81"), ({"sample": 0}, "no sample 0"), ({"layer": "outputs"}, "Did you mean 'output'")],
)
def test_what_is_not_there_is_answered(run: Run, how: dict[str, object], words: str) -> None:
    """One message with the nearest name or the range."""
    with pytest.raises(UserError, match=words):
        run.show(**how)  # type: ignore[arg-type]


@pytest.mark.parametrize("ending", ["txt", "md", "tex", "html", "json"])
def test_the_command_writes_every_format(run: Run, tmp_path: Path, ending: str) -> None:
    """By the ending of --out; an existing file is not written over."""
    from typer.testing import CliRunner

    out = tmp_path / f"page.{ending}"
    command = ["show", str(run.path), "--sample", "7", "--out", str(out), "--quiet"]
    assert CliRunner().invoke(app, command).exit_code == 0
    text = out.read_text(encoding="utf-8")
    assert "dense layer" in text
    if ending == "json":
        assert json.loads(text)["verdict"]["complete"] is True
    again = CliRunner().invoke(app, command)
    assert isinstance(again.exception, UserError)


class _Looped(nn.Module):
    """Control flow, a reused layer, tied weights, in place."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = nn.Linear(4, 4)
        self.relu = nn.ReLU(inplace=True)
        self.embed = nn.Embedding(9, 4)

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        x = self.embed(tokens).mean(1)
        for _ in range(3 if float(x.detach().sum()) < 1e9 else 1):
            x = x + self.relu(self.inner(x))
        return x @ self.embed.weight.T


def test_a_model_with_control_flow_reused_and_tied_parts_is_solved() -> None:
    """Each use of a shared weight has its own share, and the shares add up to autograd's gradient."""
    torch.manual_seed(0)
    model = _Looped()
    optimiser = torch.optim.SGD(model.parameters(), lr=0.1)
    solution = workings.show(model, torch.tensor([[1, 2, 2]]), torch.tensor([5]), nn.CrossEntropyLoss(), optimiser)
    assert solution.complete
    assert any("3 uses of W⁽¹⁾, added" in step.title for step in solution.walk())


def test_a_rule_that_is_wrong_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """The checks are real: with a wrong derivative the page says FAILED."""
    from workings.solutions.rules import elementwise

    tanh = next(rule for rule in elementwise.ACTIVATIONS if rule.name == "tanh")
    monkeypatch.setattr(tanh, "partials", (lambda z, a: 1 - a,))
    model = nn.Sequential(nn.Linear(2, 2), nn.Tanh(), nn.Linear(2, 1))
    solution = workings.show(model, torch.randn(1, 2), torch.randn(1, 1), nn.MSELoss())
    assert solution.failed
    assert "FAILED" in solution.to_text()


def test_a_loss_that_is_no_number_is_refused() -> None:
    """One message, with what to do."""
    with pytest.raises(UserError, match="not one number"):
        workings.show(nn.Linear(2, 2), torch.randn(3, 2))


@pytest.mark.parametrize("net", ["autoencoder", "vae"])
def test_a_net_that_learns_from_samples_alone_is_complete(net: str, tmp_path: Path) -> None:
    """By its own objective; the VAE's ε is shown as numbers drawn in this step."""
    x = np.random.default_rng(0).normal(size=(60, 4)).round(3)
    path = tmp_path / "rows.csv"
    pl.DataFrame({name: x[:, i] for i, name in enumerate("abcd")}).write_csv(path)
    how = {"hidden": [5], "code": 2, **QUICK}
    made = workings.train(str(path), task="unsupervised", net=net, epochs=1, out=tmp_path / "run", settings=how)
    solution = made.show(3)
    assert solution.complete
    drawn = [s for s in solution.walk() if any("drawn in this step" in r for r in s.remarks)]
    assert bool(drawn) == (net == "vae")
