"""A probe changes nothing of a run, for every net of the registry, every rule and every lane; what it says is true."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from solutions.every_net import GRADIENT, RULES, Case, batch, loss_of, target
from workings import nets
from workings.learning.adversarial import AdversarialRule
from workings.learning.contrastive_rule import ContrastiveRule
from workings.learning.gradient import GradientRule
from workings.learning.lanes import has_bf16, parse_lane
from workings.learning.layerwise import OnTop, stack_of
from workings.learning.losses import make_loss
from workings.learning.optimisers import make_optimiser
from workings.learning.perceptron import PerceptronRule
from workings.nets.unsupervised import Unsupervised
from workings.runs.watched_nets import further
from workings.watching import targets
from workings.watching.budget import Budget
from workings.watching.history import KEPT, KEPT_OF_RUN, History
from workings.watching.probe import Probe

STEPS, N = 5, 4  # no text of padding only


def single(x: Tensor) -> Tensor:
    return x.float() if x.is_floating_point() else x


def made(case: Case) -> nn.Module:
    torch.manual_seed(1)
    return nets.build(case.net, case.shape, case.outputs, case.form, **case.settings).train()


def by_gradient(case: Case, net: nn.Module, lane: str = "eager@1") -> Any:
    loss = loss_of(case, net)
    objective = loss if case.loss is not None else lambda out, y, w: net.objective(out, y, w)
    return GradientRule(net, objective, make_optimiser("adamw"), lambda t: 0.01, None, parse_lane(lane))


def by_own_rule(case: Case, net: Any) -> Any:
    rules: dict[str, Callable[[], Any]] = {
        "perceptron": lambda: PerceptronRule(net, 0.5),
        "rbm": lambda: ContrastiveRule(net, lambda step: 0.1, momentum=0.5, weight_decay=0.01),
        "gan": lambda: AdversarialRule(net, make_optimiser("adam", beta1=0.5), lambda step: 0.01),
        "dbn": lambda: OnTop(
            stack_of(net), 0, net.biases[0], stack_of(net).seen(0, net.visible), lambda step: 0.1, k=net.k, momentum=0.5
        ),
    }
    return rules[case.net]()


def probe_of(case: Case, net: nn.Module, loss: Any) -> Probe:
    task = {"cross_entropy": "multiclass", "bce": "binary", "token_cross_entropy": "language"}.get(case.loss or "")
    kind = None if isinstance(net, Unsupervised) else targets.kind_of_task(task)
    return Probe(net, loss, budget=Budget(1e9), kind=kind, further=further if isinstance(net, Unsupervised) else None)


def left(case: Case, make_rule: Callable[[Case, nn.Module], Any], watched: bool) -> tuple[list[Tensor], Probe | None]:
    """Everything that ``STEPS`` steps leave behind."""
    net = made(case)
    rule = make_rule(case, net)
    x = single(batch(case, N))
    y = single(target(case, x))
    probe = probe_of(case, net, rule.step.loss if isinstance(rule, GradientRule) else None) if watched else None
    torch.manual_seed(3)
    losses = []
    for step in range(STEPS):
        losses.append(rule.advance(x[None], y[None], None, step))
        if probe is not None:
            probe(step + 1, x, y, None, 0.01)
    modes = torch.tensor([module.training for module in net.modules()])
    return [*losses, *rule.tensors().values(), torch.get_rng_state(), modes], probe


def assert_neutral(case: Case, make_rule: Callable[[Case, nn.Module], Any]) -> Probe:
    (plain, _), (watched, probe) = (left(case, make_rule, each) for each in (False, True))
    assert probe is not None
    assert all(torch.equal(a, b) for a, b in zip(plain, watched, strict=True))
    for (where, name), course in probe.history.values.items():
        # Adding to the loss of a net of bounded outputs, none of these small nets has NaN.
        assert all(value == value for _, value in course), (where, name)
    return probe


@pytest.mark.parametrize("case", GRADIENT, ids=lambda case: case.id)
def test_a_probed_net_learns_the_same_bits(case: Case) -> None:
    probe = assert_neutral(case, by_gradient)
    assert len(probe.history.of("gradient_norm")) == 3  # a look, and the step after it, in turn
    assert any(name == "update" for _, name in probe.history.values)


@pytest.mark.parametrize("case", RULES, ids=lambda case: case.id)
def test_a_probed_net_with_a_rule_of_its_own_learns_the_same_bits(case: Case) -> None:
    probe = assert_neutral(case, by_own_rule)
    assert any(name == "update" for _, name in probe.history.values)
    wanted = {"gan": ("judged_right", "spread_made"), "rbm": ("active", "reconstruction"), "dbn": ("active",)}
    for name in wanted.get(case.net, ()):
        assert probe.history.of(name)


LANES = [
    "eager@1",
    "channels-last@1",
    pytest.param("bf16@1", marks=pytest.mark.skipif(not has_bf16(), reason="no bfloat16 instructions here")),
    pytest.param("gradient@1", marks=pytest.mark.slow),
    pytest.param("compiled@1x1", marks=pytest.mark.slow),
]


@pytest.mark.parametrize("lane", LANES)
def test_a_probed_net_learns_the_same_bits_in_every_lane(lane: str) -> None:
    case = Case("cnn", (2, 6, 6), {"channels": (3, 2), "dense": (4,), "batch_norm": True, "conv_dropout": 0.2})
    assert_neutral(case, lambda case, net: by_gradient(case, net, lane))


def test_gradients_and_changes_are_those_of_the_net() -> None:
    """``gradient_norm`` against autograd on the net itself, ``update`` against its weights before and after."""
    case = Case("mlp", (4,), {"hidden": (5, 3)}, loss="mse")
    net, x = made(case), single(batch(case, N))
    y, loss = torch.randn(N, 3), make_loss("mse")
    probe = Probe(net, loss, budget=Budget(1e9))
    probe(1, x, y, None, 0.1)
    g = torch.autograd.grad(loss(net(x), y), list(net.parameters()))
    norm = torch.stack([each.square().sum() for each in g]).sum().sqrt()
    assert probe.history.of("gradient_norm")[0][1] == pytest.approx(float(norm), rel=1e-5)
    with torch.no_grad():
        for p in net.parameters():
            p.mul_(1.01)
    probe(2, x, y, None, 0.1)
    update = probe.history.of("update", "hidden.0.dense.weight")[0][1]
    assert update == pytest.approx(0.01, rel=1e-3)


def test_a_longer_history_keeps_its_first_and_last_values() -> None:
    """Of a long course every second value is dropped, so that a run of any length has a bounded record."""
    history = History()
    for step in range(10_000):
        history.note(step, "", "loss", step / 7)
        history.note(step, "a", "mean", float("nan") if step == 9_999 else 1.0)
    assert len(history.of("loss")) <= 2 * KEPT_OF_RUN
    assert len(history.of("mean", "a")) <= 2 * KEPT
    assert history.of("loss")[0][0] == 0
    assert history.of("loss")[-1][0] == 9_999

    read = History.from_dict(json.loads(json.dumps(history.to_dict(), allow_nan=False)))
    assert read.of("loss")[-1] == (9_999, pytest.approx(9_999 / 7, rel=1e-5))
    assert read.of("mean", "a")[-1][1] != read.of("mean", "a")[-1][1]
    assert read.until(50).of("loss")[-1][0] <= 50
