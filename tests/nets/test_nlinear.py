"""nlinear equals its equation, starts as the naive forecast, and passes gradients as differences do."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.func import functional_call

from workings import nets
from workings.base.errors import UserError
from workings.base.form import Form
from workings.nets.arithmetic import describe, totals

B, L, V, k, H = 4, 5, 3, 2, 3
SETTINGS: list[dict[str, Any]] = [
    {},
    {"returns": False},
    {"individual": True},
    {"others": True},
    {"individual": True, "others": True, "returns": False},
]
every_setting = pytest.mark.parametrize("settings", SETTINGS, ids=lambda each: "-".join(each) or "default")


def make(settings: dict[str, Any], dtype: torch.dtype = torch.float64) -> tuple[nn.Module, Tensor]:
    torch.manual_seed(1)
    net = nets.build("nlinear", (L, V), H * k, Form(horizon=H), **settings).to(dtype)
    return net, torch.randn(B, L, V, dtype=dtype)


def shaken(net: nn.Module) -> nn.Module:
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.copy_(0.5 * torch.randn_like(parameter))
    return net


@every_setting
@pytest.mark.parametrize(("dtype", "within"), [(torch.float64, 1e-10), (torch.float32, 1e-5)])
def test_the_net_equals_its_equation(settings: dict[str, Any], dtype: torch.dtype, within: float) -> None:
    """ŷ_hv = x_Lv + Σ_l W_hl (x_lv − x_Lv) + b_h + c_h x_Lv + Σ_u Σ_l U (x_lu − x_Lu), worked with loops."""
    net, x = make(settings, dtype)
    state = {name: value.numpy().astype(float) for name, value in shaken(net).state_dict().items()}
    values = x.numpy().astype(float)
    expected = np.zeros((B, H, k))
    for i in range(B):
        for h in range(H):
            for v in range(k):
                own = f"W.{v if settings.get('individual') else 0}"
                last = values[i, -1, v]
                y = last + state[f"{own}.bias"][h]
                y += sum(state[f"{own}.weight"][h, step] * (values[i, step, v] - last) for step in range(L))
                y += state["c"][h] * last if "c" in state else 0
                if "U.weight" in state:
                    others = [values[i, step, u] - values[i, -1, u] for u in range(k, V) for step in range(L)]
                    y += float(state["U.weight"][h * k + v] @ np.array(others))
                expected[i, h, v] = y
    out = net(x).detach().numpy()
    assert out.shape == (B, H * k)
    np.testing.assert_allclose(out, expected.reshape(B, -1), rtol=within, atol=within)


@every_setting
def test_gradients_equal_differences(settings: dict[str, Any]) -> None:
    """The derivative by every parameter and by the input equals the one by small differences."""
    net, x = make(settings)
    names = [name for name, _ in shaken(net).named_parameters()]

    def forward(x: Tensor, *parameters: Tensor) -> Tensor:
        return functional_call(net, dict(zip(names, parameters, strict=True)), (x,))

    inputs = (x.requires_grad_(), *(p.detach().clone().requires_grad_() for p in net.parameters()))
    assert torch.autograd.gradcheck(forward, inputs, fast_mode=True)


@every_setting
def test_a_new_net_repeats_the_last_value(settings: dict[str, Any]) -> None:
    """Before training it is the naive forecast of every target."""
    net, x = make(settings)
    assert torch.equal(net(x), x[:, -1, :k].repeat(1, H))


def test_without_a_return_a_shift_of_the_level_shifts_the_forecast() -> None:
    """f(x + s) = f(x) + s where the weights see differences only."""
    net, x = make({"returns": False})
    shaken(net)
    assert torch.allclose(net(x + 7), net(x) + 7, atol=1e-9)


def test_it_counts_its_parameters_and_takes_series_only() -> None:
    """(L + 2) H parameters for one shared map; other samples are refused by name."""
    net, _ = make({})
    rows = describe(net.float(), (L, V))
    assert totals(rows).parameters == sum(p.numel() for p in net.parameters()) == (L + 2) * H
    with pytest.raises(UserError, match="nlinear"):
        nets.build("nlinear", (5,), 2)
