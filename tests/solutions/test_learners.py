"""Runs that learn by a rule of their own: their step is worked whole and held against the rule that trained them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch

import workings
from workings.api import Run
from workings.base.errors import UserError
from workings.learning.contrastive_rule import ContrastiveRule
from workings.nets import build
from workings.solutions.expressions import Entry
from workings.solutions.learners import contrastive, gibbs
from workings.solutions.learners.contrastive import contrastive_solution
from workings.solutions.learners.slope import judged_with_slope
from workings.solutions.solving import Detail
from workings.solutions.steps import Solution

QUICK = {"baselines": False, "report": False, "lane": "eager@1"}
OWN = "the run's own rule"


def a_table(folder: Path) -> Path:
    """Numbers, a yes or no and a category."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(60, 3)).round(3)
    kind = np.where(x[:, 0] > 0.5, "a", np.where(x[:, 1] > 0, "b", "c"))
    columns = {"p": x[:, 0], "q": x[:, 1], "yes": np.where(x[:, 2] > 0, "y", "n"), "kind": kind}
    path = folder / "table.csv"
    pl.DataFrame(columns).write_csv(path)
    return path


def trained(folder: Path, net: str, target: str | None = None, epochs: int = 1, **settings: Any) -> Run:
    task: Any = None if target else "unsupervised"
    how: dict[str, Any] = QUICK | settings
    data, out = str(a_table(folder)), folder / "run"
    run = workings.train(data, target=target, task=task, net=net, epochs=epochs, out=out, settings=how)
    return workings.open_run(run.path)


def whole(solution: Solution) -> Solution:
    """Complete, to 1e-9, and with both kinds of check."""
    assert not [f"{s.title}: {c.what} {c.error}" for s in solution.walk() for c in s.checks if not c.ok]
    assert not [f"{s.title}: {line.result}" for s in solution.walk() for line in s.lines if not line.holds]
    assert solution.complete
    assert solution.checks
    assert solution.lines
    assert max(c.error for c in solution.checks) <= 1e-9
    return solution


@pytest.mark.parametrize("target", ["yes", "kind"])
def test_the_perceptrons_update_is_that_of_its_rule(tmp_path: Path, target: str) -> None:
    """Sample after sample, one output or several; without a mistake nothing moves, and that is said."""
    run = trained(tmp_path, "perceptron", target, epochs=2)
    for sample in (1, 2, 3, 4):
        solution = whole(run.show(sample))
        assert solution.steps[-1].checks[-1].what == "the perceptron's own rule: biases"
    several = whole(run.show(1, batch=4))
    assert len(several.steps) == 4


RBMS: list[dict[str, Any]] = [
    {"chains": 0, "k": 2, "momentum": 0.5},
    {"chains": 3, "weight_decay": 0.01, "sparsity_cost": 0.2},
    {"visible": "gaussian", "chains": 0},
]


@pytest.mark.parametrize("settings", RBMS, ids=["cd-2", "persistent", "gaussian"])
def test_a_step_of_contrastive_divergence_is_that_of_its_rule(tmp_path: Path, settings: dict[str, Any]) -> None:
    """With the states that were drawn, momentum, decay, sparsity, and the chains of the run."""
    run = trained(tmp_path, "rbm", units=4, **settings)
    solution = whole(run.show(5, batch=2))
    assert [c.what for c in solution.checks].count(OWN) >= 6
    titles = [step.title for step in solution.steps]
    assert titles[0] == "Positive phase: the data"
    assert sum(title.startswith("Negative phase") for title in titles) == settings.get("k", 1)


def a_step(k: int, seed: int) -> Solution:
    torch.manual_seed(0)
    net = build("rbm", (6,), 1, units=3, visible="binary", chains=0, k=k).double()
    v = torch.rand(4, 6, dtype=torch.float64).round()
    rule = ContrastiveRule(net, lambda step: 0.5, momentum=0.3)  # type: ignore[arg-type]
    return contrastive_solution(rule, v, 0.5, seed, "", [], Detail())


def test_the_states_in_print_are_those_that_moved_the_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    """Were one state another, the page would say that it fails."""
    assert all(a_step(k, seed).complete for k in (1, 3) for seed in range(3))
    drawn = gibbs.drawn_phases

    def another(*given: Any) -> list[gibbs.Phase]:
        phases = drawn(*given)
        phases[-1].v[0, 0] = 1 - phases[-1].v[0, 0]
        return phases

    monkeypatch.setattr(contrastive, "drawn_phases", another)
    assert a_step(1, 0).failed


GANS: list[dict[str, Any]] = [
    {"penalty": "r1"},
    {"penalty": "wgan-gp", "spectral": True, "discriminator_steps": 2},
    {"penalty": "none"},
]


@pytest.mark.parametrize("settings", GANS, ids=["r1", "wgan-gp, spectral norm", "no penalty"])
def test_both_players_turns_are_those_of_the_rule(tmp_path: Path, settings: dict[str, Any]) -> None:
    """Loss, gradient and update of the discriminator, then of the generator against it."""
    run = trained(tmp_path, "gan", hidden=[4], **settings)
    solution = whole(run.show(3, batch=2))
    titles = [step.title for step in solution.steps]
    assert titles[0] == "Discriminator: forward"
    assert "Generator: update" in titles
    assert sum(c.what == f"{OWN}: its gradient" for c in solution.checks) == 2
    assert sum(c.what == "the optimiser itself" for c in solution.checks) > 4


def test_the_way_back_through_a_discriminator_is_autograds_slope() -> None:
    """Dense and convolutions, with and without spectral norm, value and gradient by the weights."""
    for shape, spectral in (((5,), False), ((5,), True), ((1, 9, 8), False), ((1, 9, 8), True)):
        torch.manual_seed(1)
        gan = build("gan", shape, 1, hidden=(4, 3), channels=(2, 3), spectral=spectral).double().train()
        twin = build("gan", shape, 1, hidden=(4, 3), channels=(2, 3), spectral=spectral).double().train()
        twin.load_state_dict(gan.state_dict())
        x = torch.randn(2, *shape, dtype=torch.float64)
        out, s = judged_with_slope(gan.discriminator, x)  # type: ignore[attr-defined]
        leaf = x.clone().requires_grad_()
        real = twin.discriminator(leaf)  # type: ignore[attr-defined, operator]
        (slope,) = torch.autograd.grad(real.sum(), leaf, create_graph=True)
        torch.testing.assert_close(out, real, rtol=1e-12, atol=1e-12)
        torch.testing.assert_close(s, slope, rtol=1e-12, atol=1e-12)
        s.square().sum().backward()
        slope.square().sum().backward()
        for p, q in zip(gan.discriminator.parameters(), twin.discriminator.parameters(), strict=True):  # type: ignore[attr-defined]
            if q.grad is not None and p.grad is not None:
                torch.testing.assert_close(p.grad, q.grad, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("kind", ["rbm", "autoencoder", "denoising", "supervised"])
def test_each_stage_of_layerwise_learning_is_shown(tmp_path: Path, kind: str) -> None:
    """Each layer's stage with the memory it ended with, then the whole net; which one is said."""
    run = trained(tmp_path, "mlp", "kind", hidden=[4, 3], pretraining=kind, pretraining_epochs=1, activation="sigmoid")
    for stage in (1, 2, 3, None):
        solution = whole(run.show(2, stage=stage))
        said = dict(solution.facts)["Stage"]
        assert said.startswith(f"{stage or 3} of 3, {'the whole net' if stage in (3, None) else f'layer {stage}'}")
    with pytest.raises(UserError, match="no stage 4"):
        run.show(2, stage=4)


def test_a_belief_network_shows_its_top_machine_and_what_it_sees(tmp_path: Path) -> None:
    """The layers below are worked forward; v⁽⁰⁾ is their last answer."""
    run = trained(tmp_path, "dbn", hidden=[4, 3])
    top, first = whole(run.show(1)), whole(run.show(1, stage=1))
    assert top.steps[0].title.startswith("Below")
    assert torch.equal(top.steps[0].children[-1].values[0].data, top.steps[1].values[0].data)
    assert first.steps[0].title.startswith("Positive")


def test_the_units_worked_out_are_the_same_on_the_whole_page(tmp_path: Path) -> None:
    """Each weight that is moved in print has its hidden unit's probability in print."""
    solution = whole(trained(tmp_path, "rbm", units=8, chains=0).show(1))
    moved = next(s for s in solution.walk() if s.title == "weights: moved")
    on = next(s for s in solution.walk() if s.title == "probability of being on")
    units = {line.left.index[1] for line in on.lines if isinstance(line.left, Entry)}
    assert {line.left.index[0] for line in moved.lines if isinstance(line.left, Entry)} <= units
