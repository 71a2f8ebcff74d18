"""Rules made of stages, and greedy layer-wise learning: each stage is the rule that it says, at its own steps."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from workings import nets
from workings.base.errors import NonFiniteError, UserError
from workings.base.form import Form
from workings.learning import layerwise
from workings.learning.contrastive import cd_gradient
from workings.learning.contrastive_rule import ContrastiveRule
from workings.learning.gradient import GradientRule
from workings.learning.lanes import Lane
from workings.learning.layerwise import OnTop, stack_of
from workings.learning.loop import put_back
from workings.learning.losses import make_loss
from workings.learning.optimisers import make_optimiser
from workings.learning.staged import Stage, StagedRule
from workings.nets.dbn import DBN, to_mlp
from workings.nets.rbm import RBM
from workings.nets.visible import BINARY, GAUSSIAN

V, B, K = 6, 5, 3
LOSS = make_loss("cross_entropy")


def some(count: int) -> tuple[Tensor, Tensor]:
    """So many batches of B binary samples, and their classes."""
    generator = torch.Generator().manual_seed(5)
    x = (torch.rand(count, B, V, generator=generator) < 0.4).float()
    return x, torch.randint(0, K, (count, B), generator=generator)


def dbn(*hidden: int) -> DBN:
    torch.manual_seed(1)
    return nets.build("dbn", (V,), 1, Form(), hidden=hidden, visible="binary")  # type: ignore[return-value]


def machines(net: DBN, steps: int) -> list[Stage]:
    """A stage for each layer."""
    stack = stack_of(net)
    rules = [OnTop(stack, i, net.biases[i], BINARY, lambda t: 0.1, momentum=0.5) for i in range(len(net.layers))]
    return [Stage(f"layer {i + 1}", rule, steps) for i, rule in enumerate(rules)]


def pretrained(kind: str, steps: int = 3, activation: str = "sigmoid") -> StagedRule:
    """A multilayer perceptron of two hidden layers: pre-training of that kind, then the whole net."""
    torch.manual_seed(1)
    net = nets.build("mlp", (V,), K, hidden=(4, 3), activation=activation)
    fine = GradientRule(net, LOSS, make_optimiser("adamw"), lambda t: 0.01, lane=Lane("eager", 1))
    stack, adam, rules = stack_of(net), make_optimiser("adam"), []
    for i, layer in enumerate(stack.layers):
        if kind == "rbm":
            rules.append(OnTop(stack, i, torch.zeros(layer.in_features), BINARY, lambda t: 0.1, chains=4))
        elif kind == "supervised":
            rules.append(layerwise.supervised(stack, i, K, LOSS, adam, 0.01, 0))
        else:
            rules.append(layerwise.autoencoder(stack, i, BINARY, 0.3 * (kind == "denoising"), adam, 0.01))
    return StagedRule([*(Stage(f"layer {i}", rule, steps) for i, rule in enumerate(rules)), Stage("net", fine, 4)])


def test_the_first_stage_is_that_machine_alone() -> None:
    """A layer of the stack ends with the bits that a restricted Boltzmann machine ends with by itself."""
    x, y = some(4)
    net = dbn(4, 3)
    alone = RBM((V,), 1, form=Form(), units=4, visible="binary", chains=0)
    with torch.no_grad():
        alone.weight.copy_(net.stack()[0][0].weight)
    torch.manual_seed(2)
    theirs = ContrastiveRule(alone, lambda t: 0.1, momentum=0.5).advance(x, y, None, 0)
    torch.manual_seed(2)
    ours = StagedRule(machines(net, 4)).advance(x, y, None, 0)
    assert torch.equal(ours, theirs)
    assert torch.equal(net.stack()[0][0].weight, alone.weight)
    assert torch.equal(net.stack()[0][0].bias, alone.hidden_bias)
    assert torch.equal(net.biases[0], alone.visible_bias)


def test_the_second_stage_learns_on_what_the_first_says() -> None:
    """One step by hand: contrastive divergence on σ(W¹v + c¹), and the layer below stays as it is."""
    x, y = some(2)
    net = dbn(4, 3)
    rule = StagedRule(machines(net, 1))
    rule.advance(x[:1], y[:1], None, 0)
    first, second, b = net.stack()[0][0], net.stack()[1][0], net.biases[1]
    below, W, c = first.weight.clone(), second.weight.detach().clone(), second.bias.detach().clone()
    a = torch.sigmoid(x[1] @ first.weight.T + first.bias).detach()
    torch.manual_seed(3)
    dW, db, dc, _, error = cd_gradient(W, b.detach().clone(), c, a)
    torch.manual_seed(3)
    loss = rule.advance(x[1:], y[1:], None, 1)
    torch.testing.assert_close(loss, error[None])
    torch.testing.assert_close(second.weight, W + 0.1 * dW)
    torch.testing.assert_close(second.bias, c + 0.1 * dc)
    torch.testing.assert_close(b, 0.1 * db)
    assert torch.equal(first.weight, below)


@pytest.mark.parametrize("q", [0.0, 0.3])
@pytest.mark.parametrize("visible", [BINARY, GAUSSIAN])
def test_an_autoencoder_stage_by_hand(q: float, visible: Any) -> None:
    """One step of descent on −ln p(v | Wᵀh + b), h = σ(Wṽ + c), gradients written out; ṽ has numbers set to 0."""
    x, y = (t.double() if t.is_floating_point() else t for t in some(1))
    net = dbn(4).double()
    layer = net.stack()[0][0]
    W, c = layer.weight.detach().clone(), layer.bias.detach().clone()
    rule = layerwise.autoencoder(stack_of(net), 0, visible, q, make_optimiser("sgd"), 0.1)
    torch.manual_seed(3)
    rule.advance(x, y, None, 0)
    torch.manual_seed(3)
    v = x[0]
    seen = v * (torch.rand_like(v) >= q) if q else v
    h = torch.sigmoid(seen @ W.T + c)
    o = h @ W
    delta = ((torch.sigmoid(o) if visible is BINARY else o) - v) / B  # ∂L/∂o
    delta_z = delta @ W.T * h * (1 - h)
    torch.testing.assert_close(layer.weight.detach(), W - 0.1 * (delta_z.T @ seen + h.T @ delta))
    torch.testing.assert_close(layer.bias.detach(), c - 0.1 * delta_z.sum(0))
    torch.testing.assert_close(rule.own[0].detach(), -0.1 * delta.sum(0))


def test_a_supervised_stage_changes_its_layer_alone() -> None:
    """The loss of its own output layer falls; the net's output and the other layer stay."""
    x, y = some(1)
    rule = pretrained("supervised", steps=60)
    before = {name: p.clone() for name, p in rule.net.named_parameters()}
    losses = rule.advance(x.expand(60, -1, -1), y.expand(60, -1), None, 0)
    assert losses[-1] < losses[0]
    changed = {name for name, p in rule.net.named_parameters() if not torch.equal(p, before[name])}
    assert changed == {"hidden.0.dense.weight", "hidden.0.dense.bias"}


@pytest.mark.parametrize("kind", ["rbm", "autoencoder", "denoising", "supervised"])
def test_steps_go_on_bit_equal_from_any_step(kind: str) -> None:
    """Stopped after any number of steps and gone on with in a rule made anew, over every border: the same bits."""
    x, y = some(10)
    whole = pretrained(kind)
    torch.manual_seed(4)
    losses = whole.advance(x, y, None, 0)
    for stop in range(1, 10):
        first = pretrained(kind)
        torch.manual_seed(4)
        first.advance(x[:stop], y[:stop], None, 0)
        kept = {name: tensor.clone() for name, tensor in first.tensors().items()}
        generator = torch.get_rng_state()
        second = pretrained(kind)
        put_back(second, kept)
        torch.set_rng_state(generator)
        assert torch.equal(second.advance(x[stop:], y[stop:], None, stop), losses[stop:]), stop
        for name, tensor in whole.tensors().items():
            assert torch.equal(tensor, second.tensors()[name]), (stop, name)


def test_chunks_may_run_over_borders() -> None:
    """Steps one by one or all at once are the same; which stage a step is in follows from its number."""
    x, y = some(10)
    told: list[str] = []
    one, two = pretrained("rbm"), pretrained("rbm")
    two = StagedRule(two.stages, told.append)
    torch.manual_seed(4)
    together = one.advance(x, y, None, 0)
    torch.manual_seed(4)
    each = torch.cat([two.advance(x[i : i + 1], y[i : i + 1], None, i) for i in range(10)])
    assert torch.equal(together, each)
    assert told == ["layer 0", "layer 1", "net"]
    assert one.before == 6
    assert [one.locate(step) for step in (0, 2, 3, 5, 6, 9)] == [(0, 0), (0, 2), (1, 0), (1, 2), (2, 0), (2, 3)]


def test_the_net_after_no_fine_tuning_is_what_its_layers_say() -> None:
    """Before the last stage's first step the outputs are the new output layer's, of the layers as pre-trained."""
    x, y = some(6)
    rule = pretrained("rbm")
    output = rule.net.get_submodule("output")
    before, d = (p.detach().clone() for p in output.parameters())
    rule.advance(x, y, None, 0)
    stack = stack_of(rule.net)
    a = x[0]
    for layer in stack.layers:
        a = torch.sigmoid(a @ layer.weight.T + layer.bias)
    torch.testing.assert_close(rule.net(x[0]), a @ before.T + d)


def test_a_belief_network_made_a_perceptron_keeps_its_way_up() -> None:
    """The hidden layers of the multilayer perceptron say exactly what the stack says of a sample."""
    net = dbn(4, 3)
    x = some(1)[0][0]
    mlp = to_mlp(net, K)
    assert torch.equal(mlp.hidden(x), net.encode(x))


def test_a_loss_that_is_not_finite_before_the_last_stage_is_told() -> None:
    """It names the layer and the rate to change."""
    x, y = some(2)
    rule = StagedRule([*machines(dbn(4), 2), *machines(dbn(4), 2)])
    x[0, 0, 0] = float("nan")
    with pytest.raises(NonFiniteError, match=r"layer 1(?s:.)*pretraining_rate"):
        rule.advance(x, y, None, 0)


def test_only_a_plain_stack_is_trained_layer_by_layer() -> None:
    """Batch norm makes a layer depend on the batch."""
    with pytest.raises(UserError, match="batch_norm"):
        stack_of(nets.build("mlp", (V,), K, hidden=(4,), batch_norm=True))
