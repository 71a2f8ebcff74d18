"""Recurrent cells: equal to their equations by hand, and to torch's layers, in values and in all gradients."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from workings.learning.init import NAMES, initialise
from workings.nets.cells import Cell, GRUCell, LSTMCell, RNNCell
from workings.nets.recurrence import Recurrence

D, H, T, B = 3, 4, 6, 5
LENGTHS = (6, 1, 4, 6, 2)

MAKERS: dict[str, Any] = {
    "tanh": lambda inputs: RNNCell(inputs, H, "tanh"),
    "relu": lambda inputs: RNNCell(inputs, H, "relu"),
    "lstm": lambda inputs: LSTMCell(inputs, H),
    "gru": lambda inputs: GRUCell(inputs, H, "after"),
    "gru-before": lambda inputs: GRUCell(inputs, H, "before"),
}
WITH_KERNEL = [name for name in MAKERS if name != "gru-before"]
NEAR = {torch.float32: 1e-5, torch.float64: 1e-10}


def sigma(z: Any) -> Any:
    return 1 / (1 + np.exp(-z))


def by_hand(name: str, cell: Cell, x_TD: Any) -> Any:
    """h (T, H), step by step in NumPy from the printed equations."""
    p = {key: value.detach().numpy() for key, value in cell.named_parameters()}
    W = np.split(p["W_x"], cell.blocks)
    U = np.split(p["W_h"], cell.blocks)
    b = np.split(p["bias"], cell.blocks)
    h, c, states = np.zeros(H), np.zeros(H), []
    for x in x_TD:
        into = [W[k] @ x + b[k] for k in range(cell.blocks)]
        if name in ("tanh", "relu"):
            z = into[0] + U[0] @ h
            h = np.tanh(z) if name == "tanh" else np.maximum(z, 0)
        elif name == "lstm":
            i, f, o = (sigma(into[k] + U[k] @ h) for k in (0, 1, 3))
            g = np.tanh(into[2] + U[2] @ h)
            c = f * c + i * g
            h = o * np.tanh(c)
        else:
            r, z = (sigma(into[k] + U[k] @ h) for k in (0, 1))
            n = np.tanh(into[2] + (r * (U[2] @ h + p["bias_n"]) if name == "gru" else U[2] @ (r * h)))
            h = (1 - z) * n + z * h
        states.append(h)
    return np.stack(states)


def make(name: str, dtype: torch.dtype = torch.float64, **given: Any) -> Recurrence:
    """Layers with random parameters, biases too."""
    torch.manual_seed(3)
    net = Recurrence(MAKERS[name], D, **given).to(dtype)
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.copy_(0.5 * torch.randn_like(parameter))
    return net


def padded(dtype: torch.dtype = torch.float64) -> tuple[Tensor, Tensor]:
    """x (B, T, D), whose padding is 0, and where it is real."""
    torch.manual_seed(4)
    real = torch.arange(T) < torch.tensor(LENGTHS)[:, None]
    return torch.randn(B, T, D, dtype=dtype) * real[..., None], real


@pytest.mark.parametrize("fused", [False, True], ids=["written", "fused"])
@pytest.mark.parametrize("name", MAKERS)
def test_a_layer_equals_its_equations_by_hand(name: str, fused: bool) -> None:
    """Every step's state is what the printed equations give."""
    if fused and name not in WITH_KERNEL:
        pytest.skip("there is no such kernel")
    net = make(name, fused=fused)
    x, _ = padded()
    h, _ = net(x)
    for i in range(B):
        np.testing.assert_allclose(h[i].detach(), by_hand(name, net.onward[0].cell, x[i].numpy()), atol=1e-14)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("name", WITH_KERNEL)
def test_written_equals_fused(name: str, dtype: torch.dtype) -> None:
    """Stacked, in both directions, padded: equal states and equal gradients of every parameter and of the input."""
    found = []
    x, real = padded(dtype)
    given: dict[str, Any] = {"layers": 2, "bidirectional": True}
    weights = make(name, dtype, **given).state_dict()
    for fused in (True, False):
        net = make(name, dtype, fused=fused, **given)
        net.load_state_dict(weights)  # each loads the other's
        x = x.detach().requires_grad_()
        h, _ = net(x, real)
        torch.manual_seed(5)
        loss = (h * torch.randn_like(h) * real[..., None]).sum()
        found.append([h * real[..., None], *torch.autograd.grad(loss, [x, *net.parameters()])])
    for one, other in zip(*found, strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=NEAR[dtype])


@pytest.mark.parametrize("name", WITH_KERNEL)
def test_gradients_reach_the_state_that_was_given(name: str) -> None:
    """A decoder begins with what an encoder read: the first state's gradient is equal, fused and written."""
    x, _ = padded()
    found = []
    for fused in (True, False):
        net = make(name, fused=fused)
        torch.manual_seed(6)
        first = tuple(torch.randn_like(part, requires_grad=True) for part in net.start(x)[0])
        h, last = net(x, states=[first])
        found.append(torch.autograd.grad(h.square().sum() + sum(part.sum() for part in last[0]), first))
    for one, other in zip(*found, strict=True):
        assert torch.count_nonzero(one)
        torch.testing.assert_close(one, other, rtol=0, atol=1e-10)


TORCH: dict[str, Any] = {
    "tanh": lambda **given: nn.RNN(D, H, nonlinearity="tanh", **given),
    "relu": lambda **given: nn.RNN(D, H, nonlinearity="relu", **given),
    "lstm": lambda **given: nn.LSTM(D, H, **given),
    "gru": lambda **given: nn.GRU(D, H, **given),
}


def copy_into(theirs: nn.RNNBase, ours: Recurrence) -> None:
    """torch's two biases: ours, and 0 but for the one within a GRU's candidate."""
    with torch.no_grad():
        for n in range(theirs.num_layers):
            for end, layers in (("", ours.onward), ("_reverse", ours.back)):
                cell = layers[n].cell
                getattr(theirs, f"weight_ih_l{n}{end}").copy_(cell.W_x)
                getattr(theirs, f"weight_hh_l{n}{end}").copy_(cell.W_h)
                getattr(theirs, f"bias_ih_l{n}{end}").copy_(cell.bias)
                inner = getattr(theirs, f"bias_hh_l{n}{end}").zero_()
                if isinstance(cell, GRUCell) and cell.bias_n is not None:
                    inner[2 * H :] = cell.bias_n


@pytest.mark.parametrize("name", WITH_KERNEL)
def test_layers_equal_torchs_packed_ones(name: str) -> None:
    """Against nn.RNN, nn.LSTM and nn.GRU over packed sequences: equal states, and equal gradients of all weights."""
    given: dict[str, Any] = {"bidirectional": True}
    ours = make(name, layers=2, fused=False, **given)
    theirs = TORCH[name](num_layers=2, batch_first=True, dtype=torch.float64, **given)
    copy_into(theirs, ours)
    x, real = padded()
    h, _ = ours(x, real)
    packed, _ = theirs(pack_padded_sequence(x, torch.tensor(LENGTHS), batch_first=True, enforce_sorted=False))
    expected, _ = pad_packed_sequence(packed, batch_first=True)
    torch.testing.assert_close(h * real[..., None], expected, rtol=0, atol=1e-12)
    torch.manual_seed(5)
    pull = torch.randn_like(h) * real[..., None]
    (h * pull).sum().backward()
    (expected * pull).sum().backward()
    for n in range(2):
        for end, layers in (("", ours.onward), ("_reverse", ours.back)):
            cell = layers[n].cell
            for mine, its in (("W_x", "weight_ih"), ("W_h", "weight_hh"), ("bias", "bias_ih")):
                expected_gradient = getattr(theirs, f"{its}_l{n}{end}").grad
                torch.testing.assert_close(getattr(cell, mine).grad, expected_gradient, rtol=0, atol=1e-10)
            if isinstance(cell, GRUCell) and cell.bias_n is not None:
                inner = getattr(theirs, f"bias_hh_l{n}{end}").grad[2 * H :]
                torch.testing.assert_close(cell.bias_n.grad, inner, rtol=0, atol=1e-10)


@pytest.mark.parametrize("fused", [False, True], ids=["written", "fused"])
@pytest.mark.parametrize("name", WITH_KERNEL)
def test_truncated_gradients_stop_at_the_cut(name: str, fused: bool) -> None:
    """Values stay; no gradient passes the cut, and behind it they are those of that part alone."""
    x, _ = padded()
    whole, cut = make(name, fused=fused), make(name, fused=fused, truncate=4)
    x.requires_grad_()
    h, _ = cut(x)
    torch.testing.assert_close(h, whole(x)[0], rtol=0, atol=1e-14)
    torch.manual_seed(5)
    pull = torch.randn(B, T - 4, H, dtype=torch.float64)
    (g,) = torch.autograd.grad((h[:, 4:] * pull).sum(), x)
    assert torch.count_nonzero(g[:, :4]) == 0
    _, before = whole(x[:, :4])
    part, _ = whole(x[:, 4:], states=[tuple(each.detach() for each in state) for state in before])
    (expected,) = torch.autograd.grad((part * pull).sum(), x)
    torch.testing.assert_close(g, expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("name", MAKERS)
def test_states_are_passed_on_by_rotations_at_first(name: str) -> None:
    """Each block of W_h begins orthogonal, biases begin at 0, and a forget gate's at what was asked for."""
    cell = MAKERS[name](D)
    for U in cell.W_h.split(H):
        torch.testing.assert_close(U @ U.T, torch.eye(H), rtol=0, atol=1e-5)
    assert float(cell.W_x.detach().abs().max()) <= (6 / (D + H)) ** 0.5
    i, *rest = cell.bias.detach().split(H)
    assert torch.count_nonzero(i) == 0
    if name == "lstm":
        assert rest[0].tolist() == [1.0] * H
        rest = rest[1:]
        assert LSTMCell(D, H, forget_bias=3.0).bias[H : 2 * H].tolist() == [3.0] * H
    assert all(torch.count_nonzero(each) == 0 for each in rest)


@pytest.mark.parametrize("name", [name for name in NAMES if name != "own"])
def test_each_gate_is_drawn_like_a_dense_layer(name: str) -> None:
    """A named initialisation reaches recurrent layers too, block by block; biases stay, but for torch's own."""
    torch.manual_seed(0)
    cell = LSTMCell(60, 50)
    before = {key: value.detach().clone() for key, value in cell.named_parameters()}
    found = initialise(cell, name, torch.Generator().manual_seed(1))
    dense = nn.Linear(60, 50)
    initialise(dense, name, torch.Generator().manual_seed(2))
    assert set(found.changed) == {"W_x", "W_h", "bias"} - (set() if name == "torch_default" else {"bias"})
    if name == "torch_default":
        r = 50**-0.5
        assert all(0.9 * r < float(p.detach().abs().max()) <= r for p in cell.parameters())
        return
    assert torch.equal(cell.bias, before["bias"])
    for block in cell.W_x.detach().split(50):
        assert float(block.std()) == pytest.approx(float(dense.weight.detach().std()), rel=0.1)
        assert not torch.equal(block, before["W_x"][:50])
