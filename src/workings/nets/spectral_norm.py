"""Dense and convolution layers whose weights are divided by their largest singular value.

    v ← Wᵀu / ‖Wᵀu‖         power iteration, one round each time the layer runs in training; u is kept in a buffer
    u ← Wv / ‖Wv‖
    σ = uᵀWv                → the largest singular value of W; u and v count as constants in the gradient
    y = (W/σ) x + b

So each layer stretches no difference by more than (about) 1. W of a convolution is taken as (C_out, C_in·F·F), as in
Miyato et al. 2018.

Legend: O outputs, I inputs, or C_in·F·F of a convolution.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

FIRST_ROUNDS = 15  # of power iteration on the weights as they were drawn
SMALL = 1e-12


class _Normed:
    """What both layers share: the buffer u (O,), and W divided by σ."""

    weight: Any
    u_O: Tensor
    training: bool
    register_buffer: Any

    def _start(self) -> None:
        with torch.no_grad():
            W_OI = self.weight.flatten(1)
            u_O = F.normalize(torch.randn(len(W_OI), dtype=W_OI.dtype), dim=0, eps=SMALL)
            for _ in range(FIRST_ROUNDS):
                u_O = F.normalize(W_OI @ F.normalize(W_OI.T @ u_O, dim=0, eps=SMALL), dim=0, eps=SMALL)
        self.register_buffer("u_O", u_O)

    def sigma(self) -> Tensor:
        """σ (); moves u on in training."""
        W_OI = self.weight.flatten(1)
        with torch.no_grad():
            v_I = F.normalize(W_OI.T @ self.u_O, dim=0, eps=SMALL)
            u_O = F.normalize(W_OI @ v_I, dim=0, eps=SMALL)
            if self.training:
                self.u_O.copy_(u_O)
        return u_O @ (W_OI @ v_I)


class SpectralLinear(_Normed, nn.Linear):
    """x (B, I) → (B, O)."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__(inputs, outputs)
        self._start()

    def forward(self, input: Tensor) -> Tensor:
        return F.linear(input, self.weight / self.sigma(), self.bias)


class SpectralConv2d(_Normed, nn.Conv2d):
    """x (B, C_in, H, W) → (B, C_out, H', W')."""

    def __init__(self, channels: int, outputs: int, size: int, stride: int, padding: int) -> None:
        super().__init__(channels, outputs, size, stride=stride, padding=padding)
        self._start()

    def forward(self, input: Tensor) -> Tensor:
        return F.conv2d(input, self.weight / self.sigma(), self.bias, self.stride, self.padding)
