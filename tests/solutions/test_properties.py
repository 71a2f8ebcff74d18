"""Whatever the shapes, activations, values, losses and optimisers: every check holds, every printed line is true."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from hypothesis import given, settings
from hypothesis import strategies as some
from tests.solutions.every_net import Case, batch, loss_of, made, target
from torch import Tensor, nn

from workings.base.form import Form
from workings.learning.contrastive_rule import ContrastiveRule
from workings.learning.losses import make_loss
from workings.nets import build
from workings.nets.activations import NAMES
from workings.solutions.learners.contrastive import contrastive_solution
from workings.solutions.learning_step import LearningStep, solve
from workings.solutions.limits import Limits
from workings.solutions.reading import read, read_sized
from workings.solutions.show import show
from workings.solutions.solving import Detail
from workings.solutions.steps import Solution
from workings.solutions.text import write
from workings.solutions.updates import of_torch

TOLERANCE = 1e-9


def holds(solution: Solution) -> None:
    """No operation without an equation; every comparison and every line, this one read back from the page itself."""
    assert solution.lacking == {}
    for step in solution.walk():
        for check in step.checks:
            assert check.ok, f"{step.title} {step.place}: {check.what} {check.error}"
            assert check.error <= TOLERANCE
        for line in step.lines:
            assert line.holds, f"{step.title}: {write(line.equation, numbers=True, digits=line.digits)}"
    page = solution.to_text(100)
    assert "FAILED" not in page
    for line in solution.lines:
        value, size = read_sized(write(line.equation, numbers=True, digits=line.digits))
        lost = 1e-12 * size if size < float("inf") else 0.0  # the policy that is stated on the page
        room = line.result_printed.unit * (1 + 1e-9) + lost
        assert abs(value - read(line.result_printed.text)) <= room


OPTIMISERS: dict[str, Callable[[Any], torch.optim.Optimizer]] = {
    "sgd": lambda p: torch.optim.SGD(p, lr=0.1),
    "momentum": lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9, weight_decay=0.01),
    "nesterov": lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.5, nesterov=True),
    "adam": lambda p: torch.optim.Adam(p, lr=0.01, weight_decay=0.1),
    "adamw": lambda p: torch.optim.AdamW(p, lr=0.01, weight_decay=0.5),
}
LOSSES = ("half_squared", "mse", "mae", "huber", "bce", "cross_entropy")
scales = some.sampled_from([1e-3, 0.1, 1.0, 10.0, 300.0])
seeds = some.integers(0, 10**6)


def wanted(loss: str, B: int, K: int) -> Tensor:
    """Random targets of a loss."""
    if loss == "cross_entropy":
        return torch.randint(0, K, (B,))
    return torch.randint(0, 2, (B, K)).double() if loss == "bce" else torch.randn(B, K).double()


@settings(max_examples=15)
@given(
    widths=some.lists(some.integers(1, 7), max_size=3),
    D=some.integers(1, 6),
    B=some.integers(1, 4),
    activation=some.sampled_from(NAMES),
    loss=some.sampled_from(LOSSES),
    optimiser=some.sampled_from(sorted(OPTIMISERS)),
    steps=some.integers(0, 2),
    scale=scales,
    seed=seeds,
    dropout=some.sampled_from([0.0, 0.4]),
)
def test_any_dense_net(
    widths: list[int], D: int, B: int, activation: str, loss: str, optimiser: str, steps: int, scale: float, seed: int,
    dropout: float,
) -> None:  # fmt: skip
    """Random layers on values from thousandths to hundreds, the optimiser new or with a past."""
    torch.manual_seed(seed)
    K = 3 if loss == "cross_entropy" else 1
    net = build("mlp", (D,), K, hidden=tuple(widths), activation=activation, dropout=dropout).double().train()
    x, y, cost = scale * torch.randn(B, D).double(), wanted(loss, B, K), make_loss(loss)
    made_by = OPTIMISERS[optimiser](net.parameters())
    for _ in range(steps):
        made_by.zero_grad()
        cost(net(x), y).backward()
        made_by.step()
    holds(show(net, x, y, cost, made_by, seed=seed))


@settings(max_examples=6)
@given(
    channels=some.lists(some.integers(1, 3), min_size=1, max_size=2),
    kernel=some.sampled_from([1, 3]),
    stride=some.integers(1, 2),
    pool=some.sampled_from(["max", "average", "none"]),
    sides=some.tuples(some.integers(5, 9), some.integers(5, 9)),
    batch_norm=some.booleans(),
    scale=scales,
    seed=seeds,
)
def test_any_small_convolutional_net(
    channels: list[int], kernel: int, stride: int, pool: str, sides: tuple[int, int], batch_norm: bool, scale: float,
    seed: int,
) -> None:  # fmt: skip
    """Kernels, strides, pooling and norms over maps of any size."""
    torch.manual_seed(seed)
    how = {"channels": tuple(channels[: 1 if stride > 1 else 2]), "kernel": kernel, "stride": stride, "pool": pool}
    net = build("cnn", (2, *sides), 3, dense=(), batch_norm=batch_norm, **how).double().train()
    x, y = scale * torch.randn(2, 2, *sides).double(), torch.randint(0, 3, (2,))
    holds(show(net, x, y, make_loss("cross_entropy"), torch.optim.AdamW(net.parameters())))


SEQUENCES: list[tuple[str, dict[str, Any]]] = [
    ("rnn", {"bidirectional": True}),
    ("gru", {"reset": "before", "cell": "written"}),
    ("lstm", {"layers": 2}),
    ("transformer-encoder", {"heads": 2, "layers": 1, "expansion": 2}),
    ("transformer-encoder", {"heads": 1, "layers": 1, "expansion": 1, "attention": "written", "norm": "post"}),
]


@settings(max_examples=5)
@given(which=some.sampled_from(SEQUENCES), T=some.integers(1, 6), B=some.integers(1, 3), scale=scales, seed=seeds)
def test_any_sequence(which: tuple[str, dict[str, Any]], T: int, B: int, scale: float, seed: int) -> None:
    """However long, and however large its numbers are."""
    name, more = which
    case = Case(name, (T, 2), {"width": 4} | more, Form(horizon=1), "mse")
    net, x = made(case, seed), scale * batch(case, B, seed)
    holds(show(net, x, target(case, x)[:, :2], loss_of(case, net), torch.optim.Adam(net.parameters())))


@settings(max_examples=15)
@given(
    loss=some.sampled_from(LOSSES),
    B=some.integers(1, 5),
    scale=some.sampled_from([1e-6, 0.01, 1.0, 30.0, 1000.0]),
    smoothing=some.sampled_from([0.0, 0.1]),
    weighed=some.booleans(),
    seed=seeds,
)
def test_any_loss(loss: str, B: int, scale: float, smoothing: float, weighed: bool, seed: int) -> None:
    """From nearly undecided to a saturation that no float64 can tell from certainty; with weights of samples."""
    torch.manual_seed(seed)
    K = 4 if loss == "cross_entropy" else 1
    net = nn.Linear(K, K, bias=False).double()
    nn.init.eye_(net.weight)
    how = {"label_smoothing": smoothing} if loss in ("bce", "cross_entropy") else {}
    z, y = scale * torch.randn(B, K).double(), wanted(loss, B, K)
    weight = torch.rand(B).double() + 0.1 if weighed else None
    holds(solve(LearningStep(net, (z,), y, make_loss(loss, **how), weight=weight), "any loss", []))


@settings(max_examples=10)
@given(
    l1=some.sampled_from([0.0, 1e-3, 1.0]),
    l2=some.sampled_from([0.0, 1e-3, 1.0]),
    clip_norm=some.sampled_from([None, 1e-3, 1.0, 1e6]),
    clip_value=some.sampled_from([None, 1e-3, 10.0]),
    scale=scales,
    seed=seeds,
)
def test_any_penalty_and_clip(
    l1: float, l2: float, clip_norm: float | None, clip_value: float | None, scale: float, seed: int
) -> None:
    """What happens to a gradient before its update."""
    torch.manual_seed(seed)
    net = build("mlp", (3,), 2, hidden=(4,)).double()
    x, y = scale * torch.randn(2, 3).double(), torch.randn(2, 2).double()
    names = {id(p): name for name, p in net.named_parameters()}
    updates = of_torch(torch.optim.SGD(net.parameters(), lr=0.1), names)
    step = LearningStep(net, (x,), y, make_loss("mse"), updates, None, Limits(l1, l2, clip_norm, clip_value))
    holds(solve(step, "any penalty", []))


@settings(max_examples=15)
@given(
    V=some.integers(1, 6),
    H=some.integers(1, 5),
    B=some.integers(1, 4),
    k=some.integers(1, 3),
    chains=some.integers(0, 3),
    visible=some.sampled_from(["binary", "gaussian"]),
    scale=some.sampled_from([0.01, 1.0, 20.0]),
    seed=seeds,
)
def test_any_boltzmann_machine(
    V: int, H: int, B: int, k: int, chains: int, visible: str, scale: float, seed: int
) -> None:  # fmt: skip
    """Any number of units, samples, steps and chains; states that are nearly certain too."""
    torch.manual_seed(seed)
    net = build("rbm", (V,), 1, units=H, visible=visible, k=k, chains=chains, sparsity_cost=0.1).double()
    with torch.no_grad():
        for p in net.parameters():
            p.copy_(scale * torch.randn_like(p))
    v = torch.randint(0, 2, (B, V)).double() if visible == "binary" else torch.randn(B, V).double()
    rule = ContrastiveRule(net, lambda step: 0.1, 0.5, 0.01)  # type: ignore[arg-type]
    holds(contrastive_solution(rule, v, 0.1, seed, "any machine", [], Detail()))
