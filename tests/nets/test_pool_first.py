"""Pooling before a rising activation, as blocks do while they learn, changes nothing."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from workings.nets.activations import NAMES, Activation
from workings.nets.cnn import ConvBlock, make_pool


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
