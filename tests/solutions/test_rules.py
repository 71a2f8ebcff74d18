"""Every rule against autograd, on random shapes and values, and every line that it prints against itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from workings.base.form import Form
from workings.base.tokens import PAD
from workings.learning.losses import make_loss
from workings.nets import build
from workings.solutions.show import show
from workings.solutions.steps import Solution


class _Function(nn.Module):
    """A function with one weight before it, so that there is something to learn."""

    def __init__(self, f: Callable[[Tensor], Tensor], shape: tuple[int, ...]) -> None:
        super().__init__()
        self.w = nn.Parameter(torch.randn(shape))
        self.f = f

    def forward(self, x: Tensor) -> Tensor:
        return self.f(x * self.w).square().sum()


def _holds(solution: Solution) -> None:
    """Every operation has its equation, every comparison and every line holds."""
    bad = [f"{s.title} {s.place}: {c.what} {c.error}" for s in solution.walk() for c in s.checks if not c.ok]
    assert not bad
    assert not [f"{s.title}: {line}" for s in solution.walk() for line in s.lines if not line.holds]
    assert not solution.lacking


FUNCTIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
    "relu": F.relu,
    "leaky_relu": lambda x: F.leaky_relu(x, 0.1),
    "elu": lambda x: F.elu(x, 0.7),
    "gelu": F.gelu,
    "silu": F.silu,
    "softplus": F.softplus,
    "logsigmoid": F.logsigmoid,
    "relu6": F.relu6,
    "softmax": lambda x: x.softmax(1),
    "log_softmax": lambda x: F.log_softmax(x, -1),
    "arithmetic": lambda x: (x + 2) * x / (x * x + 1) - x.neg() + 3 - x**3,
    "spread": lambda x: x + x[:1] * x[:, :1],
    "roots": lambda x: (x.abs() + 1).sqrt() + (x.square() + 1).rsqrt() + (x.abs() + 0.5).reciprocal(),
    "exponentials": lambda x: x.exp() + (x.abs() + 1).log() + x.sin() * x.cos(),
    "extremes": lambda x: torch.maximum(x, x.flip(0)) + torch.minimum(x, x * 0.5),
    "moves": lambda x: torch.cat([x.T, x.T[:, 1:]], 1).reshape(-1).unflatten(0, (-1, 3)).transpose(0, 1),
    "totals": lambda x: x.sum(0, keepdim=True) * x.mean((0, 1)) + x.sum(1).mean(),
    "where": lambda x: torch.where(x > 0, x, 2 * x.detach()) + x.masked_fill(x < 0, 3.0),
    "products": lambda x: x @ x.T.clone() + torch.bmm(x[None], (2 * x).T[None])[0],
    "sum and product": lambda x: torch.addmm(x[:, 0], x, x.T.clone()),
    "limits": lambda x: x.clamp(-0.5, 0.4) + x.clamp(min=0.1),
    "largest": lambda x: x.amax(1) * x.max(1).values + x.amin(1) + x.min(0, keepdim=True).values.sum(),
    "attention": lambda x: F.scaled_dot_product_attention(x[None], (2 * x)[None], (x - 1)[None]),
    "attention, causal": lambda x: F.scaled_dot_product_attention(x[None], x[None] * 2, x[None] - 1, is_causal=True),
    "attention, masked": lambda x: F.scaled_dot_product_attention(
        x[None], x[None] * 2, x[None] - 1, attn_mask=torch.tensor([[True, False, True]])
    ),
    "own function": lambda x: _Doubled.apply(x) * x,
    "in_place": lambda x: F.relu(x * 2, inplace=True) * (x * 3).add_(1),
    "parts_in_place": lambda x: _write_into(x),
}


class _Doubled(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return torch.add(x, x, out=torch.empty_like(x))

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> Tensor:  # type: ignore[override]
        return 2 * g


def _write_into(x: Tensor) -> Tensor:
    y = x * 1.5
    y[0] = x[1] * 2
    return y * x


WITHOUT = {"own function": "_Doubled"}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_each_operation_forward_and_backward_is_its_equation(name: str) -> None:
    """In float64, to 1e-9, with the lines of its largest entries."""
    torch.manual_seed(1)
    model = _Function(FUNCTIONS[name], (3, 4) if name != "moves" else (5, 3))
    _holds_but_own_function(show(model, torch.randn(3, 4) if name != "moves" else torch.randn(5, 3)), name)


def _holds_but_own_function(solution: Solution, name: str) -> None:
    if name in WITHOUT:
        assert set(solution.lacking) == {WITHOUT[name]}  # shown as executed, and still compared
        assert not solution.failed
    else:
        _holds(solution)


def _nets() -> dict[str, tuple[nn.Module, tuple[int, ...]]]:
    torch.manual_seed(0)
    return {
        "convolution": (nn.Sequential(nn.Conv2d(2, 3, 3, 2, 1), nn.Tanh(), nn.Flatten(), nn.LazyLinear(3)), (2, 7, 6)),
        "dilated, grouped": (nn.Sequential(nn.Conv2d(4, 4, (2, 3), dilation=2, groups=2), nn.Flatten()), (4, 5, 7)),
        "same padding": (nn.Sequential(nn.Conv2d(1, 2, 3, padding="same", bias=False), nn.Flatten()), (1, 4, 4)),
        "in one dimension": (nn.Sequential(nn.Conv1d(2, 3, 3, stride=2, padding=1), nn.Flatten()), (2, 9)),
        "max pooling": (nn.Sequential(nn.Conv2d(1, 2, 2), nn.MaxPool2d(3, 2, 1), nn.Flatten()), (1, 8, 7)),
        "average pooling": (nn.Sequential(nn.Conv2d(1, 2, 2), nn.AvgPool2d(3, 2), nn.Flatten()), (1, 8, 8)),
        "average of all": (nn.Sequential(nn.Conv2d(1, 4, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten()), (1, 5, 6)),
        "batch norm": (nn.Sequential(nn.Linear(4, 5), nn.BatchNorm1d(5), nn.ReLU(), nn.Linear(5, 3)), (4,)),
        "batch norm of maps": (nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.Flatten()), (1, 5, 5)),
        "layer norm": (nn.Sequential(nn.Linear(4, 6), nn.LayerNorm(6), nn.GELU(), nn.Linear(6, 3)), (4,)),
        "dropout": (nn.Sequential(nn.Linear(4, 20), nn.Dropout(0.4), nn.Linear(20, 3)), (4,)),
        "mlp": (build("mlp", (6,), 3, hidden=(8, 8), dropout=0.3, residual=True, noise=0.1), (6,)),
        "mlp, normed": (build("mlp", (6,), 3, hidden=(8,), batch_norm=True, activation="elu"), (6,)),
        "cnn": (build("cnn", (3, 12, 12), 3, channels=(4, 6), dense=(8,), conv_dropout=0.2), (3, 12, 12)),
    }


@pytest.mark.parametrize("mode", [True, False], ids=["learning", "in use"])
@pytest.mark.parametrize("name", list(_nets()))
def test_each_net_is_solved_whole(name: str, mode: bool) -> None:
    """Forward, loss, backward, AdamW's update: all of it compared and printed."""
    net, shape = _nets()[name]
    x = torch.randn(3, *shape)
    with torch.no_grad():
        outputs = net(x).shape[1]
    optimiser = torch.optim.AdamW(net.parameters(), lr=0.01)
    _holds(show(net.train(mode), x, torch.randint(0, outputs, (3,)), nn.CrossEntropyLoss(), optimiser))


LOSSES: list[tuple[Any, Tensor, Tensor]] = [
    (make_loss("half_squared"), torch.randn(3, 2), torch.randn(3, 2)),
    (make_loss("half_squared"), torch.randn(3, 1), torch.randn(3)),
    (make_loss("mse"), torch.randn(2, 3), torch.randn(2, 3)),
    (make_loss("bce"), torch.randn(4, 1) * 9, torch.tensor([0.0, 1.0, 1.0, 0.0])),
    (make_loss("bce"), torch.randn(1, 1), torch.tensor([1.0])),
    (make_loss("bce", label_smoothing=0.1), torch.randn(3, 1), torch.tensor([0.0, 1.0, 1.0])),
    (make_loss("cross_entropy"), torch.randn(3, 4) * 9, torch.tensor([0, 3, 1])),
    (make_loss("cross_entropy", label_smoothing=0.1), torch.randn(1, 4), torch.tensor([2])),
    (nn.CrossEntropyLoss(label_smoothing=0.2), torch.randn(3, 4), torch.tensor([0, 3, 1])),
    (nn.MSELoss(), torch.randn(3, 2), torch.randn(3, 2)),
    (nn.MSELoss(reduction="sum"), torch.randn(3, 2), torch.randn(3, 2)),
    (nn.BCEWithLogitsLoss(), torch.randn(3, 1), torch.tensor([[0.0], [1.0], [0.3]])),
]


@pytest.mark.parametrize("case", range(len(LOSSES)))
def test_each_loss_is_its_equation(case: int) -> None:
    """Values and gradients, alone and in batches, saturated or not."""
    loss, z, target = LOSSES[case]
    model = nn.Linear(z.shape[1], z.shape[1], bias=False)
    nn.init.eye_(model.weight)
    _holds(show(model, z, target, loss))


OPTIMISERS: dict[str, Callable[[Any], torch.optim.Optimizer]] = {
    "sgd": lambda p: torch.optim.SGD(p, lr=0.1, weight_decay=0.01),
    "momentum": lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9, dampening=0.2),
    "nesterov": lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9, nesterov=True),
    "adam": lambda p: torch.optim.Adam(p, lr=0.01, weight_decay=0.1, betas=(0.8, 0.99)),
    "adamw": lambda p: torch.optim.AdamW(p, lr=0.01, weight_decay=0.5),
    "upwards": lambda p: torch.optim.SGD(p, lr=0.1, maximize=True),
}


@pytest.mark.parametrize("steps", [0, 3])
@pytest.mark.parametrize("name", OPTIMISERS)
def test_each_update_is_what_the_optimiser_would_do(name: str, steps: int) -> None:
    """With the memory that it has after so many steps; the model and the optimiser stay as they were, to the bit."""
    torch.manual_seed(2)
    model, x, y = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2)), torch.randn(5, 3), torch.randn(5, 2)
    optimiser = OPTIMISERS[name](model.parameters())
    for _ in range(steps):
        optimiser.zero_grad()
        F.mse_loss(model(x), y).backward()
        optimiser.step()
    before = {k: v.clone() for k, v in model.state_dict().items()}
    grads = [None if p.grad is None else p.grad.clone() for p in model.parameters()]
    generator = torch.get_rng_state()
    solution = show(model, x, y, nn.MSELoss(), optimiser)
    _holds(solution)
    assert any(s.title.startswith("W⁽²⁾") and s.checks for s in solution.walk())
    assert all(torch.equal(v, before[k]) for k, v in model.state_dict().items())
    assert torch.equal(generator, torch.get_rng_state())
    for p, g in zip(model.parameters(), grads, strict=True):
        assert (p.grad is None and g is None) or torch.equal(p.grad, g)  # type: ignore[arg-type]


class _Read(nn.Module):
    """A recurrent layer whose steps, first and last, and last states all go into the answer."""

    def __init__(self, recurrent: nn.RNNBase) -> None:
        super().__init__()
        self.recurrent = recurrent
        self.output = nn.Linear(recurrent.hidden_size * (1 + recurrent.bidirectional), 2)

    def forward(self, x: Tensor) -> Tensor:
        h, last = self.recurrent(x)
        states = last if isinstance(last, tuple) else (last,)
        return self.output(h[:, -1] + h[:, 0]) * (1 + torch.stack(states).square().sum())


class _Looking(nn.Module):
    """Multi-head attention from one sequence to another, its shares of the answer, too."""

    def __init__(self) -> None:
        super().__init__()
        self.attention = nn.MultiheadAttention(4, 2, kdim=3, vdim=3, batch_first=True)
        self.output = nn.Linear(4, 3)

    def forward(self, x: Tensor) -> Tensor:
        y, alpha = self.attention(x, x[..., :3], x[..., 1:], attn_mask=torch.tensor([[0.0, -1.0], [0.5, 0.0]]))
        return self.output(y[:, 0]) * (1 + alpha.square().sum())


@pytest.mark.parametrize("mode", [True, False], ids=["learning", "in use"])
def test_torchs_multi_head_attention_and_encoder_layer_are_solved_whole(mode: bool) -> None:
    """Head by head, by the operations of which they are made."""
    torch.manual_seed(5)
    layer = nn.TransformerEncoderLayer(4, 2, 6, dropout=0.0, batch_first=True)
    model = nn.Sequential(layer, nn.Flatten(), nn.Linear(8, 3)).train(mode)
    for net in (model, _Looking().train(mode)):
        _holds(show(net, torch.randn(2, 2, 4), torch.tensor([0, 2]), nn.CrossEntropyLoss()))


RECURRENT: dict[str, Callable[[], nn.RNNBase]] = {
    "rnn": lambda: nn.RNN(3, 4),
    "rnn, relu, stacked": lambda: nn.RNN(3, 4, 2, nonlinearity="relu", batch_first=True),
    "lstm": lambda: nn.LSTM(3, 4, batch_first=True),
    "lstm, stacked, both ways": lambda: nn.LSTM(3, 4, 2, bidirectional=True, batch_first=True),
    "gru, no bias": lambda: nn.GRU(3, 4, bias=False),
    "gru, stacked, both ways": lambda: nn.GRU(3, 4, 2, bidirectional=True, batch_first=True),
}


@pytest.mark.parametrize("name", RECURRENT)
def test_each_recurrent_layer_is_its_cell_through_time(name: str) -> None:
    """What torch's fused layer gave, gates and states, δ at each step, and every weight's sum over the steps."""
    torch.manual_seed(3)
    solution = show(_Read(RECURRENT[name]()), torch.randn(2, 5, 3), torch.randn(2, 2), nn.MSELoss())
    _holds(solution)
    assert any("δ at each step" in step.title and step.lines for step in solution.walk())


@pytest.mark.parametrize(
    ("net", "how"),
    [
        ("rnn", {}),
        ("gru", {}),
        ("lstm", {"bidirectional": True, "layers": 2, "pooling": "last"}),
        ("gru", {"cell": "written", "reset": "before"}),
    ],
)
def test_each_recurrent_net_of_workings_is_solved_whole(net: str, how: dict[str, Any]) -> None:
    """By its own functions through time, too; padded tokens, read onward and back."""
    torch.manual_seed(4)
    made = build(net, (6,), 3, Form(vocabulary=9), width=4, embedding=3, dropout=0.2, **how)
    tokens = torch.tensor([[2, 5, 3, 8, PAD, PAD], [4, 4, 6, 2, 7, 3]])
    _holds(show(made, tokens, torch.tensor([0, 2]), make_loss("cross_entropy", label_smoothing=0.1)))
