"""The adversarial rule is its equations: by hand, by torch's own optimiser, and by small differences."""

from __future__ import annotations

import copy
from itertools import pairwise
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor
from torch.func import functional_call

from workings import nets
from workings.base.form import Form
from workings.learning.adversarial import AdversarialRule
from workings.learning.optimisers import SGD, Adam
from workings.nets.gan import GAN

DOUBLE = torch.float64


def gan(shape: tuple[int, ...] = (1,), **settings: Any) -> GAN:
    """A tiny dense net in float64."""
    torch.manual_seed(1)
    net = nets.build("gan", shape, 1, **{"hidden": (), "code": 1, **settings}).double()
    assert isinstance(net, GAN)
    return net


def rule_of(net: GAN, eta: float = 0.1, optimiser: Any = None) -> AdversarialRule:
    return AdversarialRule(net, optimiser or SGD(), lambda step: eta)


@pytest.mark.parametrize(("penalty", "slope_term"), [("none", 0.0), ("r1", 2.0), ("wgan-gp", 2.0)])
def test_a_turn_of_both_players_is_the_one_by_hand(penalty: str, slope_term: float) -> None:
    """D(x) = ax + b, G(z) = cz + e: both gradients written out, D moved first, G against the moved D."""
    net = gan(penalty=penalty, penalty_strength=2.0)
    a, b, c, e = (float(p.detach()) for p in (*net.discriminator.parameters(), *net.generator.parameters()))
    x = torch.tensor([[0.5], [-1.0], [2.0]], dtype=DOUBLE)
    torch.manual_seed(7)
    z1 = torch.randn(3, 1, dtype=DOUBLE)
    if penalty == "wgan-gp":
        torch.rand(3, 1, dtype=DOUBLE)
    z2 = torch.randn(3, 1, dtype=DOUBLE)
    made = c * z1 + e
    wrong_real, wrong_made = torch.sigmoid(-(a * x + b)), torch.sigmoid(a * made + b)
    slope = {"none": 0.0, "r1": slope_term * a, "wgan-gp": slope_term * 2 * (abs(a) - 1) * (1 if a > 0 else -1)}
    da = float((wrong_made * made - wrong_real * x).mean()) + slope[penalty]
    db = float((wrong_made - wrong_real).mean())
    a_next, b_next = a - 0.1 * da, b - 0.1 * db
    # ∂(−ln σ(D(x̃)))/∂x̃ = −σ(−D(x̃)) a
    pull = -torch.sigmoid(-(a_next * (c * z2 + e) + b_next)) * a_next
    c_next, e_next = c - 0.1 * float((pull * z2).mean()), e - 0.1 * float(pull.mean())
    torch.manual_seed(7)
    rule_of(net).advance(x[None], x[None], None, 0)
    found = [float(p.detach()) for p in (*net.discriminator.parameters(), *net.generator.parameters())]
    assert found == pytest.approx([a_next, b_next, c_next, e_next], abs=1e-9)


def test_steps_are_those_of_two_torch_optimisers() -> None:
    """Four turns with hidden layers and Adam equal fifteen lines of plain torch, and the losses are those told."""
    net = gan((3,), hidden=(4,), code=2, penalty="r1", penalty_strength=0.5)
    theirs = copy.deepcopy(net)
    x = torch.randn(4, 5, 3, dtype=DOUBLE)
    torch.manual_seed(3)
    rule = rule_of(net, 0.01, Adam(beta1=0.5))
    told = rule.advance(x, x, None, 0)
    torch.manual_seed(3)
    D, G = theirs.discriminator, theirs.generator
    of_D, of_G = (torch.optim.Adam(each.parameters(), 0.01, (0.5, 0.999)) for each in (D, G))
    for i in range(4):
        real = x[i].clone().requires_grad_()
        made = G(torch.randn(5, 2, dtype=DOUBLE)).detach()
        out = D(real)
        (slope,) = torch.autograd.grad(out.sum(), real, create_graph=True)
        L_D = -F.logsigmoid(out).mean() - F.logsigmoid(-D(made)).mean() + 0.25 * slope.square().sum(1).mean()
        of_D.zero_grad()
        L_D.backward()
        of_D.step()
        L_G = -F.logsigmoid(D(G(torch.randn(5, 2, dtype=DOUBLE)))).mean()
        of_G.zero_grad()
        L_G.backward()
        of_G.step()
        torch.testing.assert_close(told[i], L_D.detach())
    for ours, other in zip(net.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(ours, other, atol=1e-7, rtol=1e-5)


@pytest.mark.parametrize("penalty", ["r1", "wgan-gp"])
def test_gradients_of_penalties_equal_differences(penalty: str) -> None:
    """The derivative of L_D with its penalty by every parameter of D, in float64, with spectral norm too."""
    net = gan((3,), hidden=(4,), penalty=penalty, penalty_strength=3.0)
    rule, x = rule_of(net), torch.randn(4, 3, dtype=DOUBLE)
    names = rule.D.flat.names

    def loss(*parameters: Tensor) -> Tensor:
        torch.manual_seed(2)
        own = net.discriminator
        given = dict(zip(names, parameters, strict=True))
        net.judge = lambda x: functional_call(own, given, (x,))  # type: ignore[method-assign]
        return rule.discriminator_loss(x)

    assert torch.autograd.gradcheck(loss, tuple(p.detach().clone().requires_grad_() for p in rule.D.flat.parameters))


def test_a_weight_of_two_counts_as_the_sample_twice() -> None:
    """Weights of real samples weigh their part of L_D."""
    net = gan((2,), penalty="none")
    rule, x = rule_of(net), torch.randn(3, 2, dtype=DOUBLE)
    made = net.generator(torch.zeros(1, 1, dtype=DOUBLE)).detach()
    net.make = lambda z: made.expand(len(z), 2)  # type: ignore[method-assign]
    twice = rule.discriminator_loss(torch.cat([x, x[:1]]))
    torch.testing.assert_close(rule.discriminator_loss(x, torch.tensor([2.0, 1.0, 1.0], dtype=DOUBLE)), twice)


def test_the_generator_waits_its_turns() -> None:
    """With discriminator_steps=3 it moves at steps 3, 6 … only, however the steps are cut into calls."""
    moved = []
    for cut in ([7], [2, 2, 3]):
        net = gan((2,), discriminator_steps=3)
        rule, x = rule_of(net), torch.ones(1, 4, 2, dtype=DOUBLE)
        torch.manual_seed(0)
        steps, trail = iter(range(7)), [rule.G.flat.w.clone()]
        for k in cut:
            for _ in range(k):
                rule.advance(x, x, None, next(steps))
                trail.append(rule.G.flat.w.clone())
        moved.append([not torch.equal(a, b) for a, b in pairwise(trail)])
    assert moved[0] == moved[1] == [False, False, True, False, False, True, False]


def test_a_loss_that_is_not_finite_changes_nothing() -> None:
    """Of the discriminator, or of the generator after the discriminator has moved; what is left of the chunk too."""
    net = gan((2,), penalty="none")
    rule, x = rule_of(net, optimiser=Adam()), torch.randn(3, 4, 2, dtype=DOUBLE)
    before = {name: tensor.clone() for name, tensor in rule.tensors().items()}
    bad = x.clone()
    bad[0, 1, 0] = float("nan")
    assert not torch.isfinite(rule.advance(bad, bad, None, 0)).any()
    rule.generator_loss = lambda n: torch.tensor(float("inf"))  # type: ignore[method-assign]
    assert not torch.isfinite(rule.advance(x, x, None, 0)).any()
    assert all(torch.equal(tensor, before[name]) for name, tensor in rule.tensors().items())


def test_what_the_generator_lost_is_told_once() -> None:
    """The mean of L_G since the last look; nothing where there was no turn."""
    net = gan((2,), discriminator_steps=2)
    rule, x = rule_of(net), torch.randn(4, 4, 2, dtype=DOUBLE)
    seen: list[float] = []
    own = rule.generator_loss

    def noted(n: int) -> Tensor:
        loss = own(n)
        seen.append(float(loss.detach()))
        return loss

    rule.generator_loss = noted  # type: ignore[method-assign]
    rule.advance(x, x, None, 0)
    assert rule.told() == {"generator_loss": pytest.approx(sum(seen) / 2)}
    assert rule.told() == {}


def test_a_generator_that_is_right_leaves_nothing_to_tell() -> None:
    """At the equilibrium, D = 0 everywhere, L_D = 2 ln 2, L_G = ln 2, and no gradient pulls at G."""
    net = gan((2,), penalty="r1")
    with torch.no_grad():
        for p in net.discriminator.parameters():
            p.zero_()
    rule = rule_of(net)
    ln2 = torch.tensor(2.0, dtype=DOUBLE).log()
    torch.testing.assert_close(rule.discriminator_loss(torch.randn(5, 2, dtype=DOUBLE)).detach(), 2 * ln2)
    L_G = rule.generator_loss(5)
    torch.testing.assert_close(L_G.detach(), ln2)
    assert not rule.G.gradient(L_G).any()


def test_a_lane_for_one_loss_is_refused() -> None:
    """Two players in turn are no graph of one loss."""
    from types import SimpleNamespace

    from workings.base.errors import UserError
    from workings.learning.adversarial import make_rule

    with pytest.raises(UserError, match="eager@2"):
        make_rule(SimpleNamespace(net=gan(), recipe=SimpleNamespace(lane="compiled@2x8")))


def test_the_form_of_a_table_is_kept() -> None:
    """What is drawn of a table are rows that can be: each category whole, and as often as the generator says."""
    net = nets.build("gan", (6,), 1, Form(columns=(1, 1, 0, 3)), hidden=(5,))
    assert isinstance(net, GAN)
    x = net.draw(200, torch.Generator().manual_seed(0))
    assert ((x[:, 2] == 0) | (x[:, 2] == 1)).all()
    assert torch.equal(x[:, 3:].sum(1), torch.ones(200))
    assert set(x[:, 3:].unique().tolist()) <= {0.0, 1.0}
