"""Activations are their formulas, and their derivatives are derivatives."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from tests.nets import by_hand

from workings.base.errors import UserError
from workings.nets.activations import ACTIVATIONS, NAMES, Activation, softmax_jacobian

numbers = st.lists(st.floats(-20, 20), min_size=2, max_size=6)


@pytest.mark.parametrize("name", NAMES)
@given(numbers)
def test_value_equals_the_formula(name: str, values: list[float]) -> None:
    """σ(z) equals the formula worked number by number."""
    z = torch.tensor([values], dtype=torch.float64)
    a = Activation(name, slope=0.1, alpha=0.7)(z)
    expected = by_hand.activate(z.numpy(), name, slope=0.1, alpha=0.7)
    np.testing.assert_allclose(a.numpy(), expected, rtol=1e-11, atol=1e-12)
    assert a.dtype is torch.float64


@pytest.mark.parametrize("name", [each for each in NAMES if each not in ("step", "softmax")])
@given(numbers)
def test_derivative_equals_autograd(name: str, values: list[float]) -> None:
    """σ'(z) equals autograd's derivative, at the kinks too."""
    z = torch.tensor([values], dtype=torch.float64, requires_grad=True)
    layer = Activation(name, slope=0.1, alpha=0.7)
    (expected,) = torch.autograd.grad(layer(z).sum(), z)
    torch.testing.assert_close(layer.derivative(z.detach()), expected, rtol=1e-10, atol=1e-12)


def test_derivatives_at_zero_are_the_stated_ones() -> None:
    """relu'(0) = 0, leaky_relu'(0) = slope, elu'(0) = alpha, as torch has them."""
    zero = torch.zeros(1, 1)
    found = {
        name: Activation(name, slope=0.1, alpha=0.7).derivative(zero).item() for name in ("relu", "leaky_relu", "elu")
    }
    assert found == pytest.approx({"relu": 0.0, "leaky_relu": 0.1, "elu": 0.7})


def test_step_is_one_from_zero_on_and_passes_no_gradient() -> None:
    """The Heaviside step: 1 where z ≥ 0."""
    z = torch.tensor([[-1e-9, 0.0, 1e-9]])
    assert Activation("step")(z).tolist() == [[0, 1, 1]]
    assert Activation("step").derivative(z).tolist() == [[0, 0, 0]]


def test_tanh_is_a_stretched_sigmoid() -> None:
    """tanh(z) = 2σ(2z) − 1."""
    z = torch.linspace(-5, 5, 41, dtype=torch.float64)[None]
    torch.testing.assert_close(Activation("tanh")(z), 2 * Activation("sigmoid")(2 * z) - 1)


def test_relu_of_the_worked_matrix() -> None:
    """ReLU of [[5, −10], [−3, 7]] is [[5, 0], [0, 7]]."""
    assert Activation("relu")(torch.tensor([[5.0, -10.0], [-3.0, 7.0]])).tolist() == [[5, 0], [0, 7]]


@given(numbers)
def test_softmax_jacobian_equals_autograd(values: list[float]) -> None:
    """∂aᵢ/∂zⱼ = aᵢ(δᵢⱼ − aⱼ), and the derivative of the layer is its diagonal."""
    z = torch.tensor([values], dtype=torch.float64)
    layer = Activation("softmax")
    expected = torch.autograd.functional.jacobian(lambda v: layer(v[None])[0], z[0])
    J = softmax_jacobian(z)[0]
    torch.testing.assert_close(J, expected, rtol=1e-10, atol=1e-12)
    torch.testing.assert_close(layer.derivative(z)[0], torch.diagonal(J), rtol=1e-10, atol=1e-12)


def test_softmax_of_images_is_over_channels() -> None:
    """At each pixel the channels sum to 1."""
    a = Activation("softmax")(torch.randn(2, 3, 4, 5))
    torch.testing.assert_close(a.sum(1), torch.ones(2, 4, 5))


@pytest.mark.parametrize("name", NAMES)
def test_extreme_inputs_stay_finite(name: str) -> None:
    """No overflow at ±1e4: values and derivatives are finite in float32."""
    z = torch.tensor([[-1e4, -50.0, 0.0, 50.0, 1e4]])
    layer = Activation(name)
    assert torch.isfinite(layer(z)).all()
    assert torch.isfinite(layer.derivative(z)).all()


def test_an_unknown_name_is_refused_with_the_nearest() -> None:
    """A typo gets a suggestion."""
    with pytest.raises(UserError, match="Did you mean 'relu'"):
        Activation("rellu")


def test_every_activation_says_its_formulas() -> None:
    """The registry holds both formulas as text."""
    assert all(each.formula and each.derivative_formula for each in ACTIVATIONS.values())
    assert math.isclose(Activation("leaky_relu").slope, 0.01)
