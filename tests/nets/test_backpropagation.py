"""Backpropagation written out by hand equals autograd's gradients, layer by layer.

δ^l = ∂L/∂z^l      ∂L/∂W^l = δ^l (a^(l−1))ᵀ      ∂L/∂b^l = δ^l      δ^(l−1) = (W^l)ᵀ δ^l ⊙ σ'(z^(l−1))
"""

from __future__ import annotations

import numpy as np
import pytest
import torch
from tests.nets import by_hand
from torch import nn

from workings import nets
from workings.learning.losses import make_loss
from workings.nets.activations import NAMES, Activation
from workings.nets.layers import Maxout


@pytest.mark.parametrize("activation", [name for name in NAMES if name not in ("step", "softmax")])
def test_deltas_of_dense_layers_equal_autograd(activation: str) -> None:
    """The δ equations on a 3-4-2-2 net with ½Σ(t − a)² give autograd's gradient of every weight and bias."""
    net = nets.build("mlp", (3,), 2, hidden=(4, 2), activation=activation).double()
    x, t = torch.randn(5, 3, dtype=torch.float64), torch.randn(5, 2, dtype=torch.float64)
    make_loss("half_squared")(net(x), t).backward()
    gradients = {name: p.grad.numpy() for name, p in net.named_parameters() if p.grad is not None}
    state = {name: value.numpy() for name, value in net.state_dict().items()}

    names = ["hidden.0.dense", "hidden.1.dense", "output"]
    a, z = [x.numpy()], []
    for name in names:
        z.append(by_hand.dense(a[-1], state[f"{name}.weight"], state[f"{name}.bias"]))
        a.append(z[-1] if name == "output" else by_hand.activate(z[-1], activation))
    delta = (a[-1] - t.numpy()) / len(x)  # the loss is the mean over the batch
    for l in reversed(range(len(names))):  # noqa: E741
        np.testing.assert_allclose(gradients[f"{names[l]}.weight"], delta.T @ a[l], rtol=1e-10, atol=1e-12)
        np.testing.assert_allclose(gradients[f"{names[l]}.bias"], delta.sum(0), rtol=1e-10, atol=1e-12)
        if l:
            slope = Activation(activation).derivative(torch.from_numpy(z[l - 1])).numpy()
            delta = delta @ state[f"{names[l]}.weight"] * slope


@pytest.mark.parametrize(("stride", "padding"), [(1, 0), (1, 1), (2, 0), (2, 1)])
def test_deltas_of_a_convolution_equal_autograd(stride: int, padding: int) -> None:
    """∂L/∂w_oc(u,v) = Σ δ_o(i,j) x_c(Si+u−P, Sj+v−P); ∂L/∂b_o = Σ δ_o(i,j); ∂L/∂x sends each δ back through w."""
    conv = nn.Conv2d(2, 3, 3, stride, padding).double()
    x = torch.randn(2, 2, 5, 6, dtype=torch.float64, requires_grad=True)
    z = conv(x)
    delta = torch.randn_like(z)
    (z * delta).sum().backward()

    W, d = conv.weight.detach().numpy(), delta.numpy()
    padded = np.pad(x.detach().numpy(), ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    dW, dx = np.zeros_like(W), np.zeros_like(padded)
    for i in range(d.shape[2]):
        for j in range(d.shape[3]):
            rows, columns = slice(i * stride, i * stride + 3), slice(j * stride, j * stride + 3)
            for b in range(len(d)):
                for o in range(3):
                    dW[o] += d[b, o, i, j] * padded[b, :, rows, columns]
                    dx[b, :, rows, columns] += d[b, o, i, j] * W[o]
    inner = slice(padding, -padding or None)
    assert conv.weight.grad is not None
    assert conv.bias is not None
    assert conv.bias.grad is not None
    assert x.grad is not None
    np.testing.assert_allclose(conv.weight.grad.numpy(), dW, rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(conv.bias.grad.numpy(), d.sum((0, 2, 3)), rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(x.grad.numpy(), dx[:, :, inner, inner], rtol=1e-10, atol=1e-12)


def test_max_pooling_sends_the_gradient_to_the_largest() -> None:
    """∂p/∂x is 1 at the maximum of each window and 0 elsewhere; of the average, 1/F² everywhere."""
    x = torch.tensor([[[[1.0, 3.0], [5.0, 2.0]]]], requires_grad=True)
    (largest,) = torch.autograd.grad(nn.MaxPool2d(2)(x).sum(), x)
    (mean,) = torch.autograd.grad(nn.AvgPool2d(2)(x).sum(), x)
    assert largest.tolist() == [[[[0, 0], [1, 0]]]]
    assert mean.tolist() == [[[[0.25, 0.25], [0.25, 0.25]]]]


def test_maxout_sends_the_gradient_to_the_winning_piece() -> None:
    """∂a_u/∂w_uj = x for the piece j that is largest, and 0 for the others."""
    layer = Maxout(2, 1, 3).double()
    x = torch.tensor([[2.0, -1.0]], dtype=torch.float64)
    winner = int(layer.affine(x).argmax())
    layer(x).sum().backward()
    assert layer.affine.weight.grad is not None
    expected = torch.zeros(3, 2, dtype=torch.float64)
    expected[winner] = x[0]
    assert torch.equal(layer.affine.weight.grad, expected)


def test_batch_norm_by_hand_in_training() -> None:
    """ẑ = (z − μ_B)/√(σ²_B + ε); gradient (γ/√(σ²+ε)) (δ − mean δ − ẑ mean(δẑ)); running statistics move by 0.1."""
    norm = nn.BatchNorm1d(3).double()
    z = torch.randn(6, 3, dtype=torch.float64, requires_grad=True)
    delta = torch.randn(6, 3, dtype=torch.float64)
    (norm(z) * delta).sum().backward()
    n, d = z.detach().numpy(), delta.numpy()
    mu, variance = n.mean(0), n.var(0)
    hat = (n - mu) / np.sqrt(variance + 1e-5)
    expected = (d - d.mean(0) - hat * (d * hat).mean(0)) / np.sqrt(variance + 1e-5)
    assert z.grad is not None
    assert norm.running_mean is not None
    assert norm.running_var is not None
    np.testing.assert_allclose(z.grad.numpy(), expected, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(norm.running_mean.numpy(), 0.1 * mu, rtol=1e-12)
    np.testing.assert_allclose(norm.running_var.numpy(), 0.9 + 0.1 * n.var(0, ddof=1), rtol=1e-12)
