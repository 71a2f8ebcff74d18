"""Findings: each real fault of a loop is told by its code, and its healthy twin is not.

The loops are plain PyTorch, short and looked at on every step. What only long runs show is calibrated and judged on the
bench of faults (benchmarks/faults).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn import functional as F

import workings
from workings.watching.dependence import told
from workings.watching.findings import codes, look, symptoms
from workings.watching.history import NAMES, History

ALWAYS = 1e9  # of the loop's time: every step is looked at


def classes(n: int = 384, D: int = 10, K: int = 4) -> tuple[Tensor, Tensor]:
    """Points around K centres, with some overlap."""
    generator = torch.Generator().manual_seed(0)
    centres = 1.2 * torch.randn(K, D, generator=generator)
    y = torch.arange(n) % K
    y = y[torch.randperm(n, generator=generator)]
    return (centres[y] + torch.randn(n, D, generator=generator)) / 1.6, y


def numbers(n: int = 384, D: int = 6) -> tuple[Tensor, Tensor]:
    """A smooth function with noise; targets of mean 0 and spread about 1."""
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(n, D, generator=generator)
    y = torch.sin(x[:, :1]) + 0.5 * x[:, 1:2] * x[:, 2:3] + 0.1 * torch.randn(n, 1, generator=generator)
    return x, (y - y.mean()) / y.std()


def blurred(y: Tensor) -> Tensor:
    """Three quarters of the variance is noise that cannot be learnt."""
    return y + 1.7 * torch.randn(y.shape, generator=torch.Generator().manual_seed(4))


def words(n: int = 384, T: int = 12, V: int = 40) -> tuple[Tensor, Tensor]:
    """Two kinds of text that prefer different words."""
    generator = torch.Generator().manual_seed(0)
    y = torch.randint(0, 2, (n,), generator=generator)
    x = torch.randint(1, V, (n, T), generator=generator)
    often = torch.rand(n, T, generator=generator) < 0.3
    return torch.where(often, 1 + y[:, None] * 5 + torch.randint(0, 5, (n, T), generator=generator), x), y


def mlp(D: int = 10, K: int = 4, hidden: Iterable[int] = (24, 24), act: Callable[[], nn.Module] = nn.ReLU) -> nn.Module:
    """Dense layers."""
    layers: list[nn.Module] = []
    for width in hidden:
        layers += [nn.Linear(D, width), act()]
        D = width
    return nn.Sequential(*layers, nn.Linear(D, K))


@dataclass
class Loop:
    """A training loop of plain PyTorch; every field is something that people get wrong."""

    model: Callable[[], nn.Module] = mlp
    data: Callable[[], tuple[Tensor, Tensor]] = classes
    loss: Callable[[Any, Tensor], Tensor] = F.cross_entropy
    rate: float = 5e-3
    optimiser: Callable[..., torch.optim.Optimizer] = torch.optim.Adam
    trained: Callable[[nn.Module], Iterable[nn.Parameter]] = nn.Module.parameters
    steps: int = 60
    batch: int = 32
    shuffle: bool = True
    zero: bool = True
    train: bool = True
    judge: Callable[[nn.Module], object] | None = None
    held_out: bool = False

    def history(self) -> History:
        torch.manual_seed(1)
        model = self.model()
        x, y = self.data()
        if self.held_out:
            x, y, x_val, y_val = x[96:], y[96:], x[:96], y[:96]
        optimizer = self.optimiser(self.trained(model), lr=self.rate)
        with workings.watch(model, optimizer, budget=ALWAYS) as watched:
            model.train()
            done = 0
            while done < self.steps:
                order = torch.randperm(len(x)) if self.shuffle else torch.arange(len(x))
                for rows in order.split(self.batch):
                    if self.zero:
                        optimizer.zero_grad()
                    self.loss(model(x[rows]), y[rows]).backward()
                    optimizer.step()
                    done += 1
                if self.judge is not None:
                    self.judge(model)
                    with torch.no_grad():
                        model(x[:64])
                    if self.train:
                        model.train()
                if self.held_out:
                    with torch.no_grad():
                        watched.note(val_loss=float(self.loss(model(x_val), y_val)))
        return watched.history


def start(make: Callable[[], nn.Module], change: Callable[[nn.Module], object]) -> Callable[[], nn.Module]:
    """The model with its first weights changed."""

    def changed() -> nn.Module:
        model = make()
        with torch.no_grad():
            change(model)
        return model

    return changed


def matrices(model: nn.Module) -> list[nn.Parameter]:
    return [p for p in model.parameters() if p.ndim > 1]


def dropped() -> nn.Module:
    return nn.Sequential(nn.Linear(10, 24), nn.ReLU(), nn.Dropout(0.3), nn.Linear(24, 4))


def normed() -> nn.Module:
    return nn.Sequential(nn.Linear(10, 24), nn.BatchNorm1d(24), nn.ReLU(), nn.Linear(24, 4))


class Cut(nn.Module):
    """Two layers, with the graph cut between them."""

    def __init__(self) -> None:
        super().__init__()
        self.a, self.b = nn.Linear(10, 24), nn.Linear(24, 4)

    def forward(self, x: Tensor) -> Tensor:
        return self.b(torch.relu(self.a(x)).detach())


class Bag(nn.Module):
    """The mean of word vectors, then a layer."""

    def __init__(self) -> None:
        super().__init__()
        self.words, self.out = nn.Embedding(40, 12), nn.Linear(12, 2)

    def forward(self, x: Tensor) -> Tensor:
        return self.out(self.words(x).mean(1))


class First(nn.Module):
    """The last state of a recurrent layer; the class is in the first step."""

    def __init__(self, make: Callable[..., nn.Module] = nn.GRU, scale: float = 1.0) -> None:
        super().__init__()
        self.cell, self.out = make(4, 16, batch_first=True), nn.Linear(16, 4)
        for name, p in self.cell.named_parameters():
            if "weight_hh" in name:
                p.data *= scale

    def forward(self, x: Tensor) -> Tensor:
        return self.out(self.cell(x)[0][:, -1])


def first_step(n: int = 384, T: int = 8) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    y = torch.randint(0, 4, (n,), generator=generator)
    x = 0.3 * torch.randn(n, T, 4, generator=generator)
    x[:, 0] += 2 * F.one_hot(y, 4)
    return x, y


def rare() -> tuple[Tensor, Tensor]:
    x, y = classes()
    keep = (y < 2) | (torch.arange(len(y)) % 24 == 0)
    return x[keep], y[keep]


def permuted() -> tuple[Tensor, Tensor]:
    x, y = classes()
    return x, y[torch.randperm(len(y), generator=torch.Generator().manual_seed(3))]


def noisy(share: float) -> Callable[[], tuple[Tensor, Tensor]]:
    def make() -> tuple[Tensor, Tensor]:
        x, y = classes(768, 10, 8)
        generator = torch.Generator().manual_seed(3)
        wrong = torch.rand(len(y), generator=generator) < share
        return 2 * x, torch.where(wrong, torch.randint(0, 8, y.shape, generator=generator), y)

    return make


def sorted_classes() -> tuple[Tensor, Tensor]:
    x, y = classes()
    order = y.argsort()
    return x[order], y[order]


def with_answer() -> tuple[Tensor, Tensor]:
    x, y = classes()
    return torch.cat([x[:, :-1], y[:, None].float() - 1.5], 1), y


def mse(out: Tensor, y: Tensor) -> Tensor:
    return F.mse_loss(out, y)


def of(x_change: Callable[[Tensor], Tensor]) -> Callable[[], tuple[Tensor, Tensor]]:
    def make() -> tuple[Tensor, Tensor]:
        x, y = classes()
        return x_change(x), y

    return make


def larger(model: nn.Module) -> None:
    for p in matrices(model):
        p *= 5


def saturating(model: nn.Module) -> None:
    for p in matrices(model)[:-1]:
        p *= 40


HEALTHY: dict[str, Loop] = {
    "dense": Loop(),
    "dropout": Loop(dropped, judge=nn.Module.eval, held_out=True),
    "batch norm": Loop(normed, judge=nn.Module.eval),
    "tanh": Loop(lambda: mlp(act=nn.Tanh)),
    "numbers": Loop(lambda: mlp(6, 1), numbers, mse, held_out=True),
    "plain descent": Loop(rate=0.2, optimiser=torch.optim.SGD),
    "words": Loop(Bag, words, rate=2e-2),
    "recurrent": Loop(First, first_step, rate=3e-2, steps=120),
    "eight classes": Loop(lambda: mlp(K=8), noisy(0.0), steps=96),
    "smoothed labels": Loop(loss=lambda out, y: F.cross_entropy(out, y, label_smoothing=0.2)),
    "a sum divided by hand": Loop(loss=lambda out, y: F.cross_entropy(out, y, reduction="sum") / len(y)),
    "weak dependence": Loop(lambda: mlp(6, 1), lambda: (numbers()[0], blurred(numbers()[1])), mse, steps=48),
    "linear on purpose": Loop(lambda: nn.Linear(10, 4), rate=2e-2),
}
FAULTS: dict[str, Loop] = {
    "no-zero-grad": Loop(zero=False),
    "train-forgotten": Loop(dropped, judge=nn.Module.eval, train=False),
    "eval-forgotten": Loop(dropped, judge=lambda model: None),
    "not-in-optimiser": Loop(trained=lambda model: list(model.parameters())[2:]),
    "detached": Loop(Cut),
    "frozen": Loop(start(mlp, lambda model: [p.requires_grad_(False) for p in list(model.parameters())[:4]])),
    "double-softmax": Loop(loss=lambda out, y: F.cross_entropy(out.softmax(1), y)),
    "wrong-loss": Loop(loss=F.nll_loss),
    "loss-reduction": Loop(loss=lambda out, y: F.cross_entropy(out, y, reduction="sum")),
    "constant-inputs": Loop(data=of(torch.zeros_like)),
    "unscaled-inputs": Loop(data=of(lambda x: x * torch.logspace(0, 3, 10))),
    "no-shuffle": Loop(data=sorted_classes, shuffle=False),
    "leakage": Loop(data=with_answer),
    "labels-shuffled": Loop(data=permuted, held_out=True),
    "label-noise": Loop(lambda: mlp(K=8), noisy(0.4), steps=120),
    "imbalance": Loop(data=rare, rate=1e-3, steps=40),
    "no-nonlinearity": Loop(lambda: mlp(act=nn.Identity)),
    "bad-start": Loop(start(mlp, lambda model: [p.fill_(0.05) for p in matrices(model)])),
    "small-batch-norm": Loop(normed, lambda: classes(64), batch=2, steps=32),
    "dead-embedding": Loop(Bag, lambda: (torch.ones_like(words()[0]), words()[1])),
    "nonfinite": Loop(data=of(lambda x: torch.where(torch.arange(len(x))[:, None] == 7, torch.nan, x))),
    "exploding-gradient": Loop(start(lambda: mlp(hidden=[24] * 8), larger), optimiser=torch.optim.SGD, rate=1e-12),
    "dead-relu": Loop(start(mlp, lambda model: model[0].bias.fill_(-30))),  # type: ignore[index]
    "saturated": Loop(start(lambda: mlp(act=nn.Tanh), saturating), optimiser=torch.optim.SGD, rate=1e-3),
    "vanishing-gradient": Loop(lambda: mlp(hidden=[16] * 9, act=nn.Sigmoid), optimiser=torch.optim.SGD, rate=0.1),
    "forgetting-gradient": Loop(lambda: First(nn.RNN, 0.02), lambda: first_step(T=20)),
    "rate-too-high": Loop(rate=3.0),
    "rate-too-low": Loop(rate=1e-7),
    "over-regularised": Loop(optimiser=lambda p, lr: torch.optim.SGD(p, lr, weight_decay=1.0), rate=0.2),
    "overfitting": Loop(
        lambda: mlp(hidden=(64, 64)),
        lambda: (
            torch.cat([classes()[0][:160], permuted()[0][160:]]),
            torch.cat([classes()[1][:160], permuted()[1][160:]]),
        ),
        steps=240,
        rate=1e-2,
        held_out=True,
    ),
    "plateau": Loop(start(mlp, lambda model: [p.zero_() for p in model.parameters()]), rate=1e-9),
}


@pytest.mark.parametrize("name", HEALTHY)
def test_nothing_is_told_of_a_healthy_loop(name: str) -> None:
    assert [finding.text() for finding in look(HEALTHY[name].history())] == []


@pytest.mark.parametrize("code", FAULTS)
def test_a_fault_is_told_by_its_code(code: str) -> None:
    assert code in [finding.code for finding in look(FAULTS[code].history())]


def test_several_faults_at_once_are_all_told() -> None:
    loop = Loop(zero=False, data=sorted_classes, shuffle=False, loss=lambda out, y: F.cross_entropy(out.softmax(1), y))
    assert {"no-zero-grad", "no-shuffle", "double-softmax"} <= {finding.code for finding in look(loop.history())}


def test_freezing_what_was_learnt_and_what_the_optimiser_was_not_given_is_healthy() -> None:
    def first_two(model: nn.Module) -> None:
        for p in list(model.parameters())[:2]:
            p.requires_grad_(False)

    loop = Loop(start(mlp, first_two), trained=lambda model: [p for p in model.parameters() if p.requires_grad])
    assert look(loop.history()) == []


values = st.floats(width=32, allow_nan=True, allow_infinity=True)
courses = st.lists(values, max_size=40).map(lambda found: list(enumerate(found)))
FACTS = {
    "task": st.sampled_from([None, "multiclass", "binary", "regression", "unsupervised", "language"]),
    "loss": st.sampled_from([None, "", "cross_entropy", "bce", "mse", "mse_loss", "nll_loss"]),
    "net": st.sampled_from([None, "mlp", "gan", "rbm", "vae"]),
    "baseline": values | st.none(),
    "batch": st.integers(0, 64),
    "class_counts": st.lists(st.integers(0, 100), max_size=6),
    "target_std": values,
    "target_mean": values,
    "dropout": st.floats(0, 1),
    "dependence": values,
    "dependence_samples": st.integers(0, 400),
    "told_by_one": values,
    "val_in_train": values | st.none(),
    "affine": st.integers(0, 5),
    "nonlinear": st.integers(0, 5),
    "not_in_optimiser": st.lists(st.sampled_from(["a.weight", "b.weight"]), max_size=2),
    "frozen": st.dictionaries(st.sampled_from(["a.weight", "b.weight"]), st.booleans()),
    "no_gradient": st.lists(st.just("a.weight"), max_size=1),
    "reduction": st.sampled_from(["mean", "sum", "none"]),
}
PLACES = ("", "input", "output", "target", "0·linear", "1·relu", "a.weight", "b.weight", "2·lstm")


@settings(max_examples=80, deadline=None)
@given(
    st.dictionaries(st.tuples(st.sampled_from(PLACES), st.sampled_from(sorted(NAMES))), courses, max_size=25),
    st.fixed_dictionaries({}, optional=FACTS),
    st.dictionaries(
        st.sampled_from(["steps", "stale-gradient", "gradients-checked", "step-in-eval"]), st.integers(0, 99)
    ),
)
def test_no_history_makes_findings_raise(values: Any, facts: dict[str, Any], counts: dict[str, int]) -> None:
    """Whatever was seen, every finding is one whose interval lies beyond its threshold, and can be written down."""
    history = History({key: course for key, course in values.items() if course}, list(PLACES[1:]), facts, counts)
    for finding in look(history):
        assert finding.low <= finding.value <= finding.high
        assert finding.text()
        assert finding.to_dict()


def test_nothing_is_told_of_nothing() -> None:
    assert look(History()) == []


def test_every_symptom_has_one_of_the_codes_and_says_what_to_do() -> None:
    assert {symptom.code for symptom in symptoms()} == set(codes())
    assert len(codes()) == len(set(codes()))
    assert all(symptom.what and symptom.why and symptom.do and symptom.healthy for symptom in symptoms())


@given(st.integers(0, 1000))
@settings(max_examples=20, deadline=None)
def test_permuted_targets_look_independent_and_true_ones_do_not(seed: int) -> None:
    x, y = classes(256)
    order = torch.randperm(256, generator=torch.Generator().manual_seed(seed))
    assert told(x, y, True)["dependence"] > 20
    assert told(x, y[order], True)["dependence"] < 6
