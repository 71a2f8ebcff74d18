"""Layers that torch lacks, or whose random numbers must be drawn in one known way.

Dropout and noise draw from torch's global generator with one call of a plain function each, so that every way
of executing a step draws the same numbers, and a checkpoint of that generator's state resumes them.

Legend: B batch, D features in, U units, k pieces.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Dropout(nn.Module):
    """y = x ⊙ m/(1 − p), m ~ Bernoulli(1 − p) for each number; y = x in evaluation.

    "Inverted" dropout: the division keeps the expectation, so evaluation needs no factor. Srivastava et al. 2014.

    Args:
        p: the probability that a number is set to 0, in [0, 1).
    """

    def __init__(self, p: float) -> None:
        super().__init__()
        assert 0 <= p < 1
        self.p = p

    def forward(self, x: Tensor) -> Tensor:
        if not self.training or self.p == 0:
            return x
        mask = (torch.rand_like(x) >= self.p).to(x.dtype)
        return x * mask * (1 / (1 - self.p))

    def extra_repr(self) -> str:
        return f"p={self.p:g}"


class GaussianNoise(nn.Module):
    """y = x + σn, n ~ N(0, 1) for each number; y = x in evaluation.

    On a linear regression its mean effect is L2 regularisation of strength σ². Bishop 1995.

    Args:
        sigma: the standard deviation, in units of the (standardised) input.
    """

    def __init__(self, sigma: float) -> None:
        super().__init__()
        assert sigma >= 0
        self.sigma = sigma

    def forward(self, x: Tensor) -> Tensor:
        if not self.training or self.sigma == 0:
            return x
        return x + self.sigma * torch.randn_like(x)

    def extra_repr(self) -> str:
        return f"sigma={self.sigma:g}"


class Maxout(nn.Module):
    """a_u = max over j of z_uj,  z_uj = w_uj · x + b_uj,  j = 1 … k.

    The layer learns its own convex, piecewise linear activation. Goodfellow et al. 2013.

    Args:
        inputs: D. units: U. pieces: k. The weights are (U·k, D): the k pieces of a unit are neighbours.
    """

    def __init__(self, inputs: int, units: int, pieces: int) -> None:
        super().__init__()
        self.units = units
        self.pieces = pieces
        self.affine = nn.Linear(inputs, units * pieces)

    def forward(self, x_BD: Tensor) -> Tensor:
        z_BUk = self.affine(x_BD).unflatten(1, (self.units, self.pieces))
        return z_BUk.amax(dim=2)

    def extra_repr(self) -> str:
        return f"units={self.units}, pieces={self.pieces}"


class Add(nn.Module):
    """y = x + f: the sum that closes a residual block, a layer of its own so that it is seen."""

    def forward(self, x: Tensor, f: Tensor) -> Tensor:
        return x + f


class Scale(nn.Module):
    """y = c x with a fixed number c."""

    def __init__(self, c: float) -> None:
        super().__init__()
        self.c = c

    def forward(self, x: Tensor) -> Tensor:
        return x * self.c

    def extra_repr(self) -> str:
        return f"c={self.c:g}"
