"""A linear map of a window to the steps that follow it, relative to the window's last value.

    ŷ_hv = x_Lv + Σ_l W_hl (x_lv − x_Lv) + b_h

for every variable v alone. W is one for all variables, or with ``individual`` one for each. Taking the last value off
and adding it again lets the net go along when the level of a series shifts. From W = 0 and b = 0 it starts as the
naive forecast, which repeats the last value. Taken alone this never returns to a mean; with ``returns``, also

    c_h x_Lv

is added, so that the weights of a variable's past need not add up to 1 and every linear autoregression can be learnt.
With ``others``, the variables u that are given and not forecast add

    Σ_u Σ_l U_hv,ul (x_lu − x_Lu)

Source: Zeng, Chen, Zhang and Xu 2023, Are transformers effective for time series forecasting?, NLinear; ``returns``
and ``others`` are not part of it.

Legend: B batch, L steps of a window, V variables, k of them forecast (the first), H steps ahead.
"""

from __future__ import annotations

from typing import Annotated

import torch
from torch import Tensor, nn

from workings.base.form import Form
from workings.nets.registry import register
from workings.nets.settings import Setting


@register("nlinear", "a linear map of past steps to the next, relative to the last value", shapes="series",
          family="linear")  # fmt: skip
class NLinear(nn.Module):
    """x (B, L, V) → ŷ (B, H · k), step by step. Zeng, Chen, Zhang and Xu 2023."""

    def __init__(
        self,
        shape: tuple[int, ...],
        outputs: int,
        *,
        form: Form,
        individual: Annotated[bool, Setting("weights of its own for each variable, instead of one for all")] = False,
        returns: Annotated[bool, Setting("also a weight of the last value itself, so that a level may return")] = True,
        others: Annotated[bool, Setting("also a linear map of the variables that are not forecast")] = False,
    ) -> None:
        super().__init__()
        assert form.horizon is not None
        self.form = form
        L, V = shape
        H = form.horizon
        self.k = k = outputs // H
        assert k * H == outputs, f"{outputs} outputs for {H} steps"
        assert k <= V, f"{k} variables forecast of {V}"
        self.W = nn.ModuleList(nn.Linear(L, H) for _ in range(k if individual else 1))
        self.c = nn.Parameter(torch.zeros(H)) if returns else None
        self.U = nn.Linear(L * (V - k), H * k, bias=False) if others and k < V else None
        for parameter in self.parameters():
            nn.init.zeros_(parameter)

    def forward(self, x: Tensor) -> Tensor:
        last_B1V = x[:, -1:]
        r_BVL = (x - last_B1V).transpose(1, 2)
        own_BkL = r_BVL[:, : self.k]
        if len(self.W) == 1:
            ahead_BkH = self.W[0](own_BkL)
        else:
            ahead_BkH = torch.stack([W(own_BkL[:, v]) for v, W in enumerate(self.W)], dim=1)
        y_BHk = ahead_BkH.transpose(1, 2) + last_B1V[:, :, : self.k]
        if self.c is not None:
            y_BHk = y_BHk + self.c[:, None] * last_B1V[:, :, : self.k]
        y_BO = y_BHk.flatten(1)
        if self.U is not None:
            y_BO = y_BO + self.U(r_BVL[:, self.k :].flatten(1))
        return y_BO
