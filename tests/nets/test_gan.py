"""The parts that the adversarial network is made of: spectral norm, cells of rows, shapes of both players."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from workings import nets
from workings.base.errors import UserError
from workings.nets.gan import GAN, usual_noise
from workings.nets.made_rows import Made
from workings.nets.spectral_norm import SpectralConv2d, SpectralLinear


@pytest.mark.parametrize("make", [lambda: SpectralLinear(7, 5), lambda: SpectralConv2d(2, 5, 4, 2, 1)])
def test_power_iteration_finds_the_largest_singular_value(make: Any) -> None:
    """σ comes to that of torch's decomposition, and the buffer moves in training alone."""
    torch.manual_seed(0)
    layer = make().double()
    for _ in range(200):
        layer.sigma()
    largest = torch.linalg.matrix_norm(layer.weight.flatten(1), 2)
    torch.testing.assert_close(layer.sigma(), largest)
    with torch.no_grad():
        layer.weight.normal_()
    layer.eval()
    before = layer.u_O.clone()
    layer.sigma()
    assert torch.equal(before, layer.u_O)
    layer.train()
    layer.sigma()
    assert not torch.equal(before, layer.u_O)


def test_a_normed_layer_stretches_nothing() -> None:
    """‖y − y'‖ ≤ ‖x − x'‖, however large the weights."""
    torch.manual_seed(0)
    layer = SpectralLinear(6, 4).double()
    with torch.no_grad():
        layer.weight.mul_(50)
    for _ in range(100):
        layer.sigma()
    a, b = torch.randn(30, 6, dtype=torch.float64), torch.randn(30, 6, dtype=torch.float64)
    assert ((layer(a) - layer(b)).norm(dim=1) <= (a - b).norm(dim=1) * (1 + 1e-6)).all()


def test_sigma_is_a_constant_times_the_weights() -> None:
    """σ(tW) = tσ(W), so the output does not know how large W is, and its gradient has no part along W."""
    torch.manual_seed(0)
    layer = SpectralLinear(6, 4).double().eval()
    y = (layer(torch.randn(5, 6, dtype=torch.float64)) - layer.bias).square().sum()
    (g,) = torch.autograd.grad(y, layer.weight)
    assert float((g * layer.weight.detach()).sum()) == pytest.approx(0, abs=1e-10)


def test_whole_cells_come_as_often_as_the_outputs_say() -> None:
    """The limit of the soft cells draws a category with its softmax, and yes with its sigmoid."""
    made = Made((4,), (3, 0))
    o = torch.tensor([[0.0, 1.0, -1.0, 0.7]]).expand(40_000, 4)
    u = torch.rand(40_000, 4, generator=torch.Generator().manual_seed(0))
    share = made.sample(o, u, whole=True).mean(0)
    torch.testing.assert_close(share[:3], o[0, :3].softmax(0), atol=0.01, rtol=0)
    torch.testing.assert_close(share[3], torch.sigmoid(o[0, 3]), atol=0.01, rtol=0)


def test_soft_cells_lean_to_the_whole_ones() -> None:
    """From the same noise the largest soft cell is the whole one; each category sums to 1; gradients are not 0."""
    made = Made((5,), (1, 0, 3))
    g = torch.Generator().manual_seed(0)
    o, u = torch.randn(50, 5, generator=g).requires_grad_(), torch.rand(50, 5, generator=g)
    soft, whole = made.sample(o, u, whole=False), made.sample(o, u, whole=True)
    assert torch.equal(soft[:, 2:].argmax(1), whole[:, 2:].argmax(1))
    assert torch.equal((soft[:, 1] > 0.5).float(), whole[:, 1])
    torch.testing.assert_close(soft[:, 2:].sum(1), torch.ones(50))
    (slope,) = torch.autograd.grad(soft[:, 1:].square().sum(), o)
    assert slope[:, 1:].abs().sum(0).min() > 0


def test_images_are_drawn_from_black_to_white() -> None:
    """Pixels lie between 0 and 1, sides may be odd, and D says one number of each sample."""
    net = nets.build("gan", (3, 13, 9), 1, channels=(4, 6))
    assert isinstance(net, GAN)
    net.eval()
    x = net.draw(3, torch.Generator().manual_seed(0))
    assert x.shape == (3, 3, 13, 9)
    assert 0 <= float(x.min()) < float(x.max()) <= 1
    assert net(x).shape == (3, 2)


def test_numbers_of_noise() -> None:
    """As many as a sample's, from 8 to 64; 64 for images."""
    assert [usual_noise(shape) for shape in [(2,), (20,), (300,), (1, 8, 8)]] == [8, 20, 64, 64]


def test_convolutions_of_a_table_are_refused() -> None:
    """They need rows and columns of pixels."""
    with pytest.raises(UserError, match="coder=dense"):
        nets.build("gan", (6,), 1, coder="convolution")
