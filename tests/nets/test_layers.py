"""Dropout, noise and maxout keep their definitions, and draw from the global generator only."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from workings.nets.layers import Dropout, GaussianNoise, Maxout


@given(st.floats(0.05, 0.9), st.integers(0, 2**31))
def test_dropout_sets_to_zero_or_divides_by_the_rest(p: float, seed: int) -> None:
    """Every number becomes 0 or x/(1 − p), by the mask rand ≥ p."""
    torch.manual_seed(seed)
    x = 1 + torch.rand(50, 20, dtype=torch.float64)
    torch.manual_seed(seed + 1)
    y = Dropout(p)(x)
    torch.manual_seed(seed + 1)
    kept = torch.rand_like(x) >= p
    torch.testing.assert_close(y, torch.where(kept, x / (1 - p), torch.zeros_like(x)))


@pytest.mark.parametrize("p", [0.1, 0.5, 0.8])
def test_dropout_keeps_the_mean(p: float) -> None:
    """E[y] = x: over 200,000 numbers the mean is within five standard errors of 1."""
    y = Dropout(p)(torch.ones(200_000, dtype=torch.float64))
    error = (p / (1 - p) / 200_000) ** 0.5
    assert abs(float(y.mean()) - 1) < 5 * error


def test_dropout_and_noise_change_nothing_in_evaluation() -> None:
    """In evaluation the very tensor comes back, and no random number is drawn."""
    x = torch.randn(3, 4)
    before = torch.get_rng_state()
    assert Dropout(0.5).eval()(x) is x
    assert GaussianNoise(0.5).eval()(x) is x
    assert Dropout(0.0)(x) is x
    assert torch.equal(torch.get_rng_state(), before)


def test_noise_has_its_standard_deviation() -> None:
    """y − x ~ N(0, σ²), within five standard errors."""
    x = torch.ones(200_000, dtype=torch.float64)
    n = GaussianNoise(0.3)(x) - x
    assert abs(float(n.mean())) < 5 * 0.3 / 200_000**0.5
    assert abs(float(n.std()) - 0.3) < 5 * 0.3 / 400_000**0.5


def test_maxout_with_a_piece_of_zeros_is_relu() -> None:
    """Two pieces, one held at 0: max(0, z)."""
    layer = Maxout(3, 2, 2)
    with torch.no_grad():
        layer.affine.weight[1::2] = 0
        layer.affine.bias[1::2] = 0
    x = torch.randn(5, 3)
    torch.testing.assert_close(layer(x), torch.relu(layer.affine(x)[:, ::2]))


def test_one_piece_is_a_dense_layer() -> None:
    """k = 1: the maximum of one number."""
    layer = Maxout(3, 4, 1)
    x = torch.randn(5, 3)
    assert torch.equal(layer(x), layer.affine(x))
