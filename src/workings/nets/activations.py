"""Activations a = σ(z) and their derivatives σ'(z), by name.

Each entry holds the formula, the function and the derivative; :class:`Activation` is the layer made of one.
Conventions at the kinks, as in torch: relu'(0) = 0, leaky_relu'(0) = slope, elu'(0) = alpha.

Shapes: elementwise, any shape; softmax works over axis 1, the units of (B, D) or the channels of (B, C, H, W).
Maxout is no function of one number but of k of them: see ``layers.Maxout``.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from workings.base.errors import UserError
from workings.base.problems import unknown_name

LEAKY_SLOPE = 0.01
"""The field's default slope of leaky ReLU. Textbooks also use 0.1: give ``slope=0.1`` for their figures."""

Function = Callable[[Tensor, float, float], Tensor]


@dataclass(frozen=True)
class ActivationInfo:
    """One activation: its formula, σ(z, slope, alpha) and σ'(z, slope, alpha).

    Only leaky_relu uses ``slope`` and only elu uses ``alpha``. For softmax the derivative is the diagonal
    ∂aᵢ/∂zᵢ = aᵢ(1 − aᵢ) of its Jacobian diag(a) − a aᵀ; see :func:`softmax_jacobian` for the whole.
    """

    name: str
    formula: str
    derivative_formula: str
    f: Function
    derivative: Function

    @property
    def rising(self) -> bool:
        """Whether z₁ ≤ z₂ gives σ(z₁) ≤ σ(z₂), for slope, alpha ≥ 0: then max pooling and σ may change places."""
        return self.name in ("step", "linear", "sigmoid", "tanh", "relu", "leaky_relu", "elu")


def _sigmoid_derivative(z: Tensor, slope: float, alpha: float) -> Tensor:
    a = torch.sigmoid(z)
    return a * (1 - a)


def _softmax_derivative(z: Tensor, slope: float, alpha: float) -> Tensor:
    a = torch.softmax(z, dim=1)
    return a * (1 - a)


def _gelu_derivative(z: Tensor, slope: float, alpha: float) -> Tensor:
    density = torch.exp(-0.5 * z * z) / math.sqrt(2 * math.pi)
    return torch.special.ndtr(z) + z * density


def _silu_derivative(z: Tensor, slope: float, alpha: float) -> Tensor:
    a = torch.sigmoid(z)
    return a * (1 + z * (1 - a))


_ALL = (
    ActivationInfo(
        "step",
        "1 if z ≥ 0, else 0",
        "0 (so no gradient passes)",
        lambda z, slope, alpha: (z >= 0).to(z.dtype),
        lambda z, slope, alpha: torch.zeros_like(z),
    ),
    ActivationInfo("linear", "z", "1", lambda z, slope, alpha: z, lambda z, slope, alpha: torch.ones_like(z)),
    ActivationInfo(
        "sigmoid", "1/(1 + e^(−z))", "a(1 − a)", lambda z, slope, alpha: torch.sigmoid(z), _sigmoid_derivative
    ),
    ActivationInfo(
        "tanh",
        "(e^z − e^(−z))/(e^z + e^(−z)) = 2·sigmoid(2z) − 1",
        "1 − a²",
        lambda z, slope, alpha: torch.tanh(z),
        lambda z, slope, alpha: 1 - torch.tanh(z).square(),
    ),
    ActivationInfo(
        "relu",
        "max(0, z)",
        "1 if z > 0, else 0",
        lambda z, slope, alpha: F.relu(z),
        lambda z, slope, alpha: (z > 0).to(z.dtype),
    ),
    ActivationInfo(
        "leaky_relu",
        "z if z > 0, else slope·z",
        "1 if z > 0, else slope",
        lambda z, slope, alpha: F.leaky_relu(z, slope),
        lambda z, slope, alpha: torch.where(z > 0, torch.ones_like(z), torch.full_like(z, slope)),
    ),
    ActivationInfo(
        "elu",
        "z if z > 0, else alpha·(e^z − 1)",
        "1 if z > 0, else alpha·e^z",
        lambda z, slope, alpha: F.elu(z, alpha),
        lambda z, slope, alpha: torch.where(z > 0, torch.ones_like(z), alpha * torch.exp(z)),
    ),
    ActivationInfo(
        "gelu",
        "z·Φ(z), Φ the standard normal distribution",
        "Φ(z) + z·φ(z)",
        lambda z, slope, alpha: F.gelu(z),
        _gelu_derivative,
    ),
    ActivationInfo(
        "silu", "z·sigmoid(z)", "s(1 + z(1 − s)), s = sigmoid(z)", lambda z, slope, alpha: F.silu(z), _silu_derivative
    ),
    ActivationInfo(
        "softmax",
        "e^(zᵢ)/Σⱼ e^(zⱼ)",
        "aᵢ(1 − aᵢ); off the diagonal −aᵢaⱼ",
        lambda z, slope, alpha: torch.softmax(z, dim=1),
        _softmax_derivative,
    ),
)

ACTIVATIONS: dict[str, ActivationInfo] = {each.name: each for each in _ALL}
NAMES: tuple[str, ...] = tuple(ACTIVATIONS)


def activation_info(name: str) -> ActivationInfo:
    """One activation by name.

    Raises:
        UserError: there is no such activation; the nearest name is suggested.
    """
    if name not in ACTIVATIONS:
        raise UserError(unknown_name("activation", name, NAMES))
    return ACTIVATIONS[name]


class Activation(nn.Module):
    """a = σ(z) as a layer.

    Args:
        name: one of ``NAMES``.
        slope: of leaky_relu for z ≤ 0.
        alpha: of elu, its limit for z → −∞ is −alpha.
    """

    def __init__(self, name: str, *, slope: float = LEAKY_SLOPE, alpha: float = 1.0) -> None:
        super().__init__()
        self.info = activation_info(name)
        self.name = name
        self.slope = slope
        self.alpha = alpha

    def forward(self, z: Tensor) -> Tensor:
        return self.info.f(z, self.slope, self.alpha)

    def derivative(self, z: Tensor) -> Tensor:
        """σ'(z), of z's shape."""
        return self.info.derivative(z, self.slope, self.alpha)

    def extra_repr(self) -> str:
        if self.name == "leaky_relu":
            return f"leaky_relu, slope={self.slope:g}"
        return f"elu, alpha={self.alpha:g}" if self.name == "elu" else self.name


def softmax_jacobian(z: Tensor) -> Tensor:
    """∂aᵢ/∂zⱼ = aᵢ(δᵢⱼ − aⱼ) for z (B, K): (B, K, K)."""
    a = torch.softmax(z, dim=1)
    return torch.diag_embed(a) - a[:, :, None] * a[:, None, :]
