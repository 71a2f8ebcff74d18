"""Penalties and their gradients agree, and clipping does what its equation says."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

from workings import nets
from workings.learning import regularisers as r

vectors = st.lists(st.floats(-100, 100), min_size=1, max_size=8).map(lambda v: torch.tensor(v, dtype=torch.float64))
strengths = st.floats(0, 10)


@given(vectors, strengths, strengths)
def test_gradients_of_penalties_equal_autograd(w: Tensor, lambda1: float, lambda2: float) -> None:
    """λ₁ sign(w) of λ₁Σ|w|, λ₂w of ½λ₂Σw², their sum of the elastic net; at w = 0 the gradient is 0."""
    w.requires_grad_()
    for penalty, gradient in (
        (r.l1(w, lambda1), r.l1_gradient(w, lambda1)),
        (r.l2(w, lambda2), r.l2_gradient(w, lambda2)),
        (r.elastic_net(w, lambda1, lambda2), r.elastic_net_gradient(w, lambda1, lambda2)),
    ):
        (expected,) = torch.autograd.grad(penalty, w)
        torch.testing.assert_close(gradient.detach(), expected)


def test_penalties_by_hand() -> None:
    """w = (3, −4): Σ|w| = 7, ½Σw² = 12.5."""
    w = torch.tensor([3.0, -4.0])
    assert r.l1(w, 0.1).item() == pytest.approx(0.7)
    assert r.l2(w, 0.1).item() == pytest.approx(1.25)
    assert r.elastic_net(w, 0.1, 0.1).item() == pytest.approx(1.95)


def test_l2_is_weight_decay_of_plain_descent() -> None:
    """w − η(g + λ₂w) = (1 − ηλ₂)w − ηg."""
    w, g = torch.randn(2, 50, dtype=torch.float64)
    torch.testing.assert_close(w - 0.1 * (g + r.l2_gradient(w, 0.3)), (1 - 0.1 * 0.3) * w - 0.1 * g)


def test_only_weights_are_penalised() -> None:
    """Biases and norm scales count for nothing; frozen weights neither."""
    net = nets.build("cnn", (1, 8, 8), 2, channels=(2,), dense=(3,), batch_norm=True)
    assert r.penalised(net) == ["maps.0.conv.weight", "dense.0.dense.weight", "output.weight"]
    net.output.weight.requires_grad_(False)
    assert "output.weight" not in r.penalised(net)
    expected = sum(r.elastic_net(net.state_dict()[name], 0.2, 0.3).item() for name in r.penalised(net))
    assert r.penalty(net, 0.2, 0.3).item() == pytest.approx(expected)
    assert r.penalty(nn.BatchNorm1d(3), 1.0, 1.0).item() == 0


@given(vectors, st.floats(0.01, 200))
def test_clipping_by_norm_keeps_the_direction_and_limits_the_length(g: Tensor, tau: float) -> None:
    """g ← τ g/‖g‖ where ‖g‖ > τ; otherwise not a bit changes."""
    before = g.clone()
    clipped, norm = r.clip_by_norm(g, tau), g.norm()
    if norm > tau * (1 + 1e-12):
        torch.testing.assert_close(clipped, tau * g / norm)
        assert float(clipped.norm()) == pytest.approx(tau)
    elif norm < tau * (1 - 1e-12):
        assert torch.equal(clipped, g)
    assert torch.equal(g, before)


def test_clipping_by_norm_equals_torch() -> None:
    """As torch.nn.utils.clip_grad_norm_ over all gradients jointly (which adds 1e-6 to the norm)."""
    p = nn.Parameter(torch.zeros(100, dtype=torch.float64))
    p.grad = torch.randn(100, dtype=torch.float64)
    ours = r.clip_by_norm(p.grad, 2.0)
    nn.utils.clip_grad_norm_([p], 2.0)
    torch.testing.assert_close(ours, p.grad, rtol=1e-6, atol=0)


def test_a_zero_gradient_stays_zero() -> None:
    """No division by ‖g‖ = 0 reaches the result."""
    assert torch.equal(r.clip_by_norm(torch.zeros(3), 1.0), torch.zeros(3))


@given(vectors, st.floats(0.01, 200))
def test_clipping_by_value_limits_each_number(g: Tensor, limit: float) -> None:
    """Every number into [−limit, limit], those inside untouched."""
    clipped = r.clip_by_value(g, limit)
    inside = g.abs() <= limit
    assert torch.equal(clipped[inside], g[inside])
    assert torch.equal(clipped[~inside], limit * g[~inside].sign())
