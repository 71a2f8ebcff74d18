"""Which columns of a row make it unusual to a restricted Boltzmann machine: the free energy that each one costs.

    part_c = F(v) − Σ_u p(u | v_−c) F(u, v_−c),  p(u | v_−c) ∝ exp(−F(u, v_−c))

u goes through what column c could hold while the others, v_−c, stay as they are: 0 and 1 of a yes or no, the
categories, the numbers of a grid (−8 to 8 by a half, in deviations; for a density that is a sum of N(·, 1) the sum is
the integral to many digits). So part_c is how many nats more unusual the row is than with what the other columns would
put there on average; what all columns share belongs to none.

Legend: B batch, V visible units, H hidden units, C columns, U values of u.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.nn import functional as F

if TYPE_CHECKING:
    from workings.nets.rbm import RBM

GRID = torch.linspace(-8, 8, 33)


def costs(rbm: RBM, v_BV: Tensor) -> Tensor:
    """part (B, C) in nats."""
    z_BH = rbm.inputs(v_BV)
    parts, first = [], 0
    for size in rbm.columns or (1,) * v_BV.shape[1]:
        units = range(first, first + max(size, 1))
        first += max(size, 1)
        # A category is one choice among its units; where units were said to be of one kind, each is for itself.
        together = rbm.visible.columns is not None and len(units) > 1
        chosen = [list(units)] if together else [[i] for i in units]
        parts.append(torch.stack([_cost(rbm, v_BV, z_BH, each) for each in chosen]).sum(0))
    return torch.stack(parts, 1)


def _cost(rbm: RBM, v_BV: Tensor, z_BH: Tensor, units: list[int]) -> Tensor:
    """F(v) less its mean over what ``units`` could be, (B,); what the other visible units add to both cancels."""
    W_kH, b_k = rbm.weight.T[units], rbm.visible_bias[units]
    number = len(units) == 1 and rbm.visible.is_number(units[0])
    v_Bk = v_BV[:, units]
    if len(units) > 1:
        u_Uk = torch.eye(len(units), dtype=v_BV.dtype)
    else:
        u_Uk = (GRID if number else torch.tensor([0.0, 1.0])).to(v_BV.dtype)[:, None]
    without_BH = z_BH - v_Bk @ W_kH

    def energy(u_k: Tensor) -> Tensor:
        """F with (…, k) in their place, but for what the others add."""
        own = 0.5 * u_k.square().sum(-1) if number else torch.zeros_like(u_k[..., 0])
        return own - u_k @ b_k - F.softplus(without_BH + u_k @ W_kH).sum(1)

    F_BU = torch.stack([energy(u_k.expand(len(v_BV), -1)) for u_k in u_Uk], 1)
    return energy(v_Bk) - (F_BU * (-F_BU).softmax(1)).sum(1)
