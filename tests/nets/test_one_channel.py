"""The matrix product for grey images is the library's convolution, in value and gradient."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from workings.nets.activations import NAMES, Activation
from workings.nets.cnn import ConvBlock, make_pool
from workings.nets.one_channel import Conv2d


@given(
    st.integers(1, 4),
    st.integers(1, 7),
    st.integers(3, 9),
    st.integers(3, 9),
    st.sampled_from([1, 3, 5]),
    st.booleans(),
)
def test_it_is_the_library_s_convolution(B: int, O: int, H: int, W: int, k: int, bias: bool) -> None:  # noqa: E741
    """Outputs and gradients equal nn.Conv2d's in float64."""
    torch.manual_seed(0)
    ours = Conv2d(1, O, k, padding=k // 2, bias=bias).double()
    theirs = nn.Conv2d(1, O, k, padding=k // 2, bias=bias).double()
    theirs.load_state_dict(ours.state_dict())
    x = torch.randn(B, 1, H, W, dtype=torch.float64)
    z, reference = ours(x), theirs(x)
    torch.testing.assert_close(z, reference, rtol=1e-10, atol=1e-10)
    weight = torch.randn_like(reference)
    (z * weight).sum().backward()
    (reference * weight).sum().backward()
    for p, q in zip(ours.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(p.grad, q.grad, rtol=1e-9, atol=1e-10)


def test_a_gradient_of_the_image_is_never_lost() -> None:
    """Where the image itself wants a gradient (saliency), it gets one."""
    torch.manual_seed(0)
    layer = Conv2d(1, 3, 3, padding=1).double()
    x = torch.randn(2, 1, 5, 5, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(layer, (x,))


@pytest.mark.parametrize("name", [name for name in NAMES if name != "softmax"])
def test_pooling_first_changes_nothing(name: str) -> None:
    """A block that pools before a rising activation has the outputs and gradients of one that pools after it."""
    torch.manual_seed(0)
    conv, activation, pool = nn.Conv2d(2, 3, 3, padding=1).double(), Activation(name), make_pool("max", 2)
    block = ConvBlock(conv, activation, pool, batch_norm=False, dropout=0.0)
    assert pool is not None
    x = torch.randn(2, 2, 6, 6, dtype=torch.float64)
    z, reference = block(x), pool(activation(conv(x)))
    torch.testing.assert_close(z, reference, rtol=1e-12, atol=1e-12)
    if name == "step":
        return
    ours = torch.autograd.grad(z.square().sum(), conv.weight)[0]
    theirs = torch.autograd.grad(reference.square().sum(), conv.weight)[0]
    torch.testing.assert_close(ours, theirs, rtol=1e-9, atol=1e-12)
