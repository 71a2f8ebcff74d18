"""Contrastive divergence: a hand calculation, the exact gradient by enumeration, and the rule's own steps."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Generator, Tensor

from workings.base.form import Form
from workings.learning.contrastive import cd_gradient, contrast
from workings.learning.contrastive_rule import ContrastiveRule
from workings.learning.rbm_likelihood import states
from workings.nets.rbm import RBM
from workings.nets.visible import BINARY, Visible


def sigma(x: float) -> float:
    """σ(x)."""
    return 1 / (1 + math.exp(-x))


def machine(V: int, H: int, seed: int = 0) -> tuple[Tensor, Tensor, Tensor]:
    """W, b, c in float64."""
    generator = Generator().manual_seed(seed)
    return tuple(torch.randn(shape, generator=generator).double() for shape in ((H, V), (V,), (H,)))  # type: ignore[return-value]


@pytest.mark.parametrize("gaussian", [False, True])
def test_cd_1_by_hand(gaussian: bool) -> None:
    """One step from given random numbers, every sum written out."""
    V, H, B = 3, 2, 2
    W, b, c = machine(V, H)
    v0 = torch.tensor([[1.0, 0.0, 1.0], [0.0, 1.0, 1.0]], dtype=torch.float64)
    dW, db, dc, chain, error = cd_gradient(W, b, c, v0, 1, None, gaussian, Generator().manual_seed(5))
    numbers = Generator().manual_seed(5)
    u_h = torch.rand(B, H, generator=numbers, dtype=torch.float64)
    draw = torch.randn if gaussian else torch.rand
    u_v = draw(B, V, generator=numbers, dtype=torch.float64)
    u_h1 = torch.rand(B, H, generator=numbers, dtype=torch.float64)
    hand_W, hand_b, hand_c = torch.zeros(H, V).double(), torch.zeros(V).double(), torch.zeros(H).double()
    cost = 0.0
    for n in range(B):
        p0 = [sigma(float(c[j]) + sum(float(W[j, i] * v0[n, i]) for i in range(V))) for j in range(H)]
        h0 = [1.0 if float(u_h[n, j]) < p0[j] else 0.0 for j in range(H)]
        a1 = [float(b[i]) + sum(float(W[j, i]) * h0[j] for j in range(H)) for i in range(V)]
        v1 = [a1[i] + float(u_v[n, i]) if gaussian else float(float(u_v[n, i]) < sigma(a1[i])) for i in range(V)]
        p1 = [sigma(float(c[j]) + sum(float(W[j, i]) * v1[i] for i in range(V))) for j in range(H)]
        assert chain[n].tolist() == [float(float(u_h1[n, j]) < p1[j]) for j in range(H)]
        for j in range(H):
            hand_c[j] += (p0[j] - p1[j]) / B
            for i in range(V):
                hand_W[j, i] += (p0[j] * float(v0[n, i]) - p1[j] * v1[i]) / B
        for i in range(V):
            hand_b[i] += (float(v0[n, i]) - v1[i]) / B
            a = float(b[i]) + sum(float(W[j, i]) * p0[j] for j in range(H))
            v = float(v0[n, i])
            cost += 0.5 * (v - a) ** 2 if gaussian else -math.log(sigma(a) if v else 1 - sigma(a))
    for ours, hand in ((dW, hand_W), (db, hand_b), (dc, hand_c)):
        torch.testing.assert_close(ours, hand)
    assert float(error) == pytest.approx(cost / B)


def exact_gradient(W: Tensor, b: Tensor, c: Tensor, v: Tensor) -> tuple[Tensor, ...]:
    """∂/∂(W, b, c) of the mean ln p(v), by automatic differentiation of −F(v) − ln Z with Z summed over all v."""
    W, b, c = (p.clone().requires_grad_() for p in (W, b, c))

    def minus_f(x: Tensor) -> Tensor:
        return x @ b + torch.nn.functional.softplus(x @ W.T + c).sum(1)

    likelihood = minus_f(v).mean() - minus_f(states(v.shape[1])).logsumexp(0)
    return torch.autograd.grad(likelihood, (W, b, c))


def estimate(W: Tensor, b: Tensor, c: Tensor, v: Tensor, k: int, chains: int) -> tuple[Tensor, ...]:
    """CD-k from so many chains at each sample: the mean of the gradient, and its standard error from twenty parts."""
    parts = [
        torch.cat([d.flatten() for d in cd_gradient(W, b, c, v.repeat(chains // 20, 1), k, None)[:3]])
        for _ in range(20)
    ]
    together = torch.stack(parts)
    return together.mean(0), together.std(0) / math.sqrt(20)


def test_more_steps_come_to_the_exact_gradient() -> None:
    """With 20,000 chains CD-1 points along the exact gradient but is off it; CD-50 is within five standard errors."""
    torch.manual_seed(0)
    W, b, c = machine(4, 3, seed=1)
    W = 2 * W
    v = states(4)[[1, 3, 7, 11, 12]]
    exact = torch.cat([g.flatten() for g in exact_gradient(W, b, c, v)])
    one, error_1 = estimate(W, b, c, v, 1, 4000)
    many, error_k = estimate(W, b, c, v, 50, 4000)
    assert float(torch.cosine_similarity(one, exact, dim=0)) > 0.5
    assert float(((one - exact) / error_1).abs().max()) > 10
    assert float(((many - exact) / error_k).abs().max()) < 5


def test_persistent_chains_come_to_the_exact_gradient() -> None:
    """Chains that go on for fifty steps of k = 1 give what CD-50 gives, wherever they began."""
    torch.manual_seed(0)
    W, b, c = machine(4, 3, seed=1)
    v = states(4)[[1, 3, 7, 11, 12]]
    exact = torch.cat([g.flatten() for g in exact_gradient(W, b, c, v)])
    chain = torch.zeros(20_000, 3, dtype=torch.float64)
    for _ in range(50):
        *_, chain, _ = cd_gradient(W, b, c, v, 1, chain)
    found = torch.cat([d.flatten() for d in cd_gradient(W, b, c, v, 1, chain)[:3]])
    assert float((found - exact).abs().max()) < 0.02


@settings(max_examples=20, deadline=None)
@given(
    V=st.integers(1, 6), H=st.integers(1, 5), B=st.integers(1, 4), M=st.integers(0, 4), k=st.integers(1, 3),
    kind=st.sampled_from(["binary", "gaussian", "table"]),
)  # fmt: skip
def test_shapes(V: int, H: int, B: int, M: int, k: int, kind: str) -> None:
    """For every number of units, samples, chains (0: at the data) and steps."""
    W, b, c = machine(V, H)
    visible = Visible(columns=(V,)) if kind == "table" and V > 1 else kind == "gaussian"
    v = (torch.rand(B, V) < 0.5).double()
    dW, db, dc, chain, error = cd_gradient(W, b, c, v, k, torch.ones(M, H).double() if M else None, visible)
    assert (dW.shape, db.shape, dc.shape, error.shape) == (W.shape, b.shape, c.shape, ())
    assert chain.shape == (M or B, H)
    assert set(chain.unique().tolist()) <= {0.0, 1.0}
    assert all(bool(torch.isfinite(each).all()) for each in (dW, db, dc, error))


def test_a_weight_of_two_is_a_sample_twice() -> None:
    """In the data's statistics, where the chains are their own."""
    W, b, c = machine(4, 3)
    v = (torch.rand(3, 4) < 0.5).double()
    twice = torch.cat([v, v[1:2]])
    chain, weight = torch.ones(5, 3).double(), torch.tensor([1.0, 2.0, 1.0])
    p, p_twice = (torch.sigmoid(x @ W.T + c) for x in (v, twice))
    one = contrast(W, b, c, v, p, 1, chain, BINARY, weight, Generator().manual_seed(1))
    two = contrast(W, b, c, twice, p_twice, 1, chain, BINARY, None, Generator().manual_seed(1))
    for a, d in zip(one, two, strict=True):
        torch.testing.assert_close(a, d)


def make_rule(**given: Any) -> ContrastiveRule:
    """A rule of a small binary net."""
    net_settings = {name: given.pop(name) for name in ("k", "chains", "sparsity", "sparsity_cost") if name in given}
    torch.manual_seed(0)
    return ContrastiveRule(RBM((1, 2, 3), 6, form=Form(), units=4, **net_settings), lambda step: 0.1, **given)


def batches(k: int) -> Tensor:
    """(k, 5, 1, 2, 3) of 0 and 1."""
    return (torch.rand(k, 5, 1, 2, 3, generator=Generator().manual_seed(2)) < 0.5).float()


def test_a_step_is_the_equation() -> None:
    """U ← μU + dW − λW + s(q − q̂)⟨v⟩ᵀ and W ← W + ηU, twice, with given random numbers."""
    rule = make_rule(chains=3, sparsity=0.2, sparsity_cost=0.5, momentum=0.9, weight_decay=0.01)
    net, x = rule.net, batches(2)
    W, b, c = (p.detach().clone() for p in (net.weight, net.visible_bias, net.hidden_bias))
    chain = rule.tensors()["optimiser.chain"].clone()
    U = [torch.zeros_like(p) for p in (W, b, c)]
    often = torch.full((4,), 0.2)
    torch.manual_seed(7)
    for v in x.flatten(2):
        dW, db, dc, chain, _ = cd_gradient(W, b, c, v, 1, chain)
        often = 0.9 * often + 0.1 * torch.sigmoid(v @ W.T + c).mean(0)
        pull = 0.5 * (0.2 - often)
        dW = dW - 0.01 * W + torch.outer(pull, v.mean(0))
        U = [0.9 * u + d for u, d in zip(U, (dW, db, dc + pull), strict=True)]
        W, b, c = (p + 0.1 * u for p, u in zip((W, b, c), U, strict=True))
    torch.manual_seed(7)
    rule.advance(x, x, None, 0)
    for ours, theirs in zip((net.weight, net.visible_bias, net.hidden_bias), (W, b, c), strict=True):
        torch.testing.assert_close(ours.detach(), theirs)


@pytest.mark.parametrize("chains", [0, 3])
def test_tensors_are_all_that_a_rule_remembers(chains: int) -> None:
    """A rule that is given another's tensors and the generator's state goes on with its bits."""
    given = {"chains": chains, "k": 2, "sparsity_cost": 0.1, "momentum": 0.5}
    whole, x = make_rule(**given), batches(6)
    torch.manual_seed(1)
    whole.advance(x[:3], x[:3], None, 0)
    state, kept = torch.get_rng_state(), {name: t.clone() for name, t in whole.tensors().items()}
    losses = whole.advance(x[3:], x[3:], None, 3)
    other = make_rule(**given)
    for name, tensor in other.tensors().items():
        tensor.copy_(kept[name])
    torch.set_rng_state(state)
    assert torch.equal(other.advance(x[3:], x[3:], None, 3), losses)
    for name, tensor in whole.tensors().items():
        assert torch.equal(tensor, other.tensors()[name]), name


def test_a_loss_that_is_not_finite_changes_nothing() -> None:
    """From it on; the steps before it stand."""
    rule, x = make_rule(chains=3), batches(3)
    x[1, 0, 0, 0, 0] = float("nan")
    alone = make_rule(chains=3)
    torch.manual_seed(3)
    alone.advance(x[:1], x[:1], None, 0)
    torch.manual_seed(3)
    losses = rule.advance(x, x, None, 0)
    assert torch.isfinite(losses).tolist() == [True, False, False]
    for name, tensor in rule.tensors().items():
        assert torch.equal(tensor, alone.tensors()[name]), name


def test_sparsity_draws_units_to_their_share() -> None:
    """Units that would be on for half of the samples come near the share asked for."""
    rule = make_rule(chains=5, sparsity=0.1, sparsity_cost=1.0)
    x = batches(8)
    for _ in range(60):
        rule.advance(x, x, None, 0)
    with torch.no_grad():
        often = rule.net.encode(x.flatten(0, 1)).mean(0)
    assert float((often - 0.1).abs().max()) < 0.05
