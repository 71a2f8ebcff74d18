"""Watching changes nothing: weights, buffers, memories and random numbers are bit-identical with it and without."""

from __future__ import annotations

import copy
import pickle
import random
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

import workings
from workings.watching import watch as watching
from workings.watching.watch import Watch

Model = Callable[[], nn.Module]


def dense() -> nn.Module:
    return nn.Sequential(nn.Linear(6, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Dropout(0.3), nn.Linear(16, 3))


class Written(nn.Module):
    """Activations called in ``forward``, one of them in place, a layer used twice, and weights that are tied."""

    def __init__(self) -> None:
        super().__init__()
        self.a, self.b, self.c = nn.Linear(6, 8), nn.Linear(8, 8), nn.Linear(8, 8)
        self.c.weight = self.b.weight
        self.out = nn.Linear(8, 3)

    def forward(self, x: Tensor) -> Tensor:
        h = torch.relu_(self.a(x))
        h = torch.tanh(self.b(self.b(h)))
        return self.out(F.dropout(self.c(h), 0.2, self.training))


class Read(nn.Module):
    """Recurrent layers over six steps of one number, with dropout between two of them."""

    def __init__(self, kind: Any = nn.LSTM, **settings: Any) -> None:
        super().__init__()
        self.read = kind(1, 5, num_layers=2, dropout=0.2, batch_first=True, **settings)
        self.out = nn.Linear(10 if settings else 5, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.out(self.read(x[..., None])[0][:, -1])


class Cells(nn.Module):
    """A cell, called once for each step."""

    def __init__(self) -> None:
        super().__init__()
        self.cell, self.out = nn.LSTMCell(1, 5), nn.Linear(5, 3)

    def forward(self, x: Tensor) -> Tensor:
        h = c = x.new_zeros(len(x), 5)
        for x_t in x.unbind(1):
            h, c = self.cell(x_t[:, None], (h, c))
        return self.out(h)


class Attends(nn.Module):
    """torch's own attention, whose fast path in evaluation rounds otherwise than its slow one."""

    def __init__(self) -> None:
        super().__init__()
        self.up = nn.Linear(1, 8)
        self.layers = nn.TransformerEncoder(nn.TransformerEncoderLayer(8, 2, 16, 0.1, batch_first=True), 2)
        self.out = nn.Linear(8, 3)

    def forward(self, x: Tensor) -> Tensor:
        mask = torch.zeros(len(x), 6, dtype=torch.bool)
        mask[::3, 4:] = True
        return self.out(self.layers(self.up(x[..., None]), src_key_padding_mask=mask)[:, 0])


MODELS: dict[str, Model] = {
    "dense": dense,
    "written": Written,
    "lstm": Read,
    "gru": lambda: Read(nn.GRU),
    "both ways": lambda: Read(nn.RNN, bidirectional=True),
    "cells": Cells,
    "attention": Attends,
}


class Loop:
    """A model, data and what a run leaves behind."""

    def __init__(self, make: Model) -> None:
        torch.manual_seed(0)
        random.seed(0)
        np.random.seed(0)
        self.model = make()
        self.x, self.y = torch.randn(64, 6), torch.randint(0, 3, (64,))
        self.told: list[Tensor] = []

    def batch(self) -> tuple[Tensor, Tensor]:
        rows = torch.randint(0, 64, (16,))
        return self.x[rows], self.y[rows]

    def judge(self) -> None:
        """A look at all samples in evaluation mode, in the middle of training."""
        self.model.eval()
        with torch.no_grad():
            self.told.append(self.model(self.x))
        self.model.train()

    def left(self, *optimizers: torch.optim.Optimizer) -> list[Any]:
        """Weights, gradients, buffers, the optimisers' memories, outputs and all generators."""
        grads = [p.grad for p in self.model.parameters()]
        memories = [value for o in optimizers for state in o.state.values() for value in state.values()]
        rest = [torch.get_rng_state(), torch.from_numpy(np.random.get_state()[1].astype(np.int64)), random.getstate()]
        return [*self.model.state_dict().values(), *grads, *memories, *self.told, *rest]


def same(a: Any, b: Any) -> bool:
    if isinstance(a, Tensor) and isinstance(b, Tensor):
        return torch.equal(a, b)
    if isinstance(a, list) and isinstance(b, list):  # L-BFGS remembers lists
        return len(a) == len(b) and all(map(same, a, b))
    return bool(a == b)


def assert_neutral(make: Model, run: Callable[[Loop, Callable[..., Any]], list[Any]]) -> Watch:
    """``run(loop, watch)`` leaves the same behind with watching and without; hooks are gone. Returns the watch."""
    watches: list[Watch] = []

    class Nothing:
        def __init__(self, *given: Any, **how: Any) -> None: ...
        def __enter__(self) -> Nothing:
            return self

        def __exit__(self, *error: object) -> None: ...

    def looking(*given: Any, **how: Any) -> Watch:
        watches.append(workings.watch(*given, **{"budget": 1e9} | how))
        return watches[-1]

    plain = run(Loop(make), Nothing)
    loop = Loop(make)
    backward = torch.autograd.backward
    watched = run(loop, looking)
    assert len(plain) == len(watched)
    assert all(map(same, plain, watched))
    assert torch.autograd.backward is backward
    assert not torch.overrides._get_current_function_mode_stack()
    for module in loop.model.modules():
        assert not module._forward_hooks
        assert not module._forward_pre_hooks
    return watches[0]


def usual(loop: Loop, watch: Callable[..., Any]) -> list[Any]:
    optimizer = torch.optim.Adam(loop.model.parameters(), 0.01)
    with watch(loop.model, optimizer):
        for step in range(10):
            x, y = loop.batch()
            optimizer.zero_grad()
            F.cross_entropy(loop.model(x), y).backward()
            optimizer.step()
            if step % 3 == 2:
                loop.judge()
    return loop.left(optimizer)


@pytest.mark.filterwarnings("ignore:The PyTorch API of nested tensors")
@pytest.mark.parametrize("kind", MODELS)
def test_a_watched_loop_ends_in_the_same_bits(kind: str) -> None:
    watched = assert_neutral(MODELS[kind], usual)
    assert len(watched.history.of("loss")) == 10
    assert len(watched.history.of("gradient_norm")) == 10
    assert watched.history.counts.get("judged-in-eval", 3) == 3
    assert "judged-in-train" not in watched.history.counts
    assert watched.history.counts["stale-gradient"] == 0


def test_a_loop_of_l_bfgs_is_the_same() -> None:
    """Its closure calls forward and backward many times within one step."""

    def run(loop: Loop, watch: Callable[..., Any]) -> list[Any]:
        optimizer = torch.optim.LBFGS(loop.model.parameters(), max_iter=4, line_search_fn="strong_wolfe")
        with watch(loop.model, optimizer):
            for _ in range(4):
                x, y = loop.batch()

                def closure(x: Tensor = x, y: Tensor = y) -> Tensor:
                    optimizer.zero_grad()
                    loss = F.cross_entropy(loop.model(x), y)
                    loss.backward()
                    return loss

                optimizer.step(closure)
        return loop.left(optimizer)

    watched = assert_neutral(lambda: nn.Sequential(nn.Linear(6, 8), nn.Tanh(), nn.Linear(8, 3)), run)
    assert watched.history.counts["steps"] == 4
    assert watched.history.counts["stale-gradient"] == 0


def test_accumulated_gradients_are_the_same_and_are_no_forgotten_ones() -> None:
    def run(loop: Loop, watch: Callable[..., Any]) -> list[Any]:
        optimizer = torch.optim.SGD(loop.model.parameters(), 0.1)
        with watch(loop.model, optimizer):
            for i in range(12):
                x, y = loop.batch()
                (F.cross_entropy(loop.model(x), y) / 4).backward()
                if i % 4 == 3:
                    nn.utils.clip_grad_norm_(loop.model.parameters(), 0.1)
                    optimizer.step()
                    optimizer.zero_grad()
        return loop.left(optimizer)

    watched = assert_neutral(dense, run)
    assert watched.history.counts["stale-gradient"] == 0
    first = watched.history.of("loss")[0][1]
    assert 0.5 < first < 3  # each loss, not a quarter of it
    assert watched.history.facts["clip_norm"] == pytest.approx(0.1, rel=1e-3)
    assert watched.history.of("gradient_norm")[0][1] > 0.1


def test_a_scaled_loop_is_the_same_and_its_losses_are_told_unscaled() -> None:
    def run(loop: Loop, watch: Callable[..., Any]) -> list[Any]:
        optimizer = torch.optim.SGD(loop.model.parameters(), 0.1)
        scaler = torch.amp.GradScaler("cpu", init_scale=1024.0, growth_interval=3)
        with watch(loop.model, optimizer):
            for _ in range(8):
                x, y = loop.batch()
                optimizer.zero_grad()
                with torch.autocast("cpu", torch.bfloat16):
                    loss = F.cross_entropy(loop.model(x), y)
                scaler.scale(loss).backward()
                scaler.step(optimizer)
                scaler.update()
        return [*loop.left(optimizer), scaler.get_scale()]

    watched = assert_neutral(dense, run)
    assert all(0.3 < loss < 4 for _, loss in watched.history.of("loss"))
    assert all(norm < 20 for _, norm in watched.history.of("gradient_norm"))
    assert "clip_norm" not in watched.history.facts


class Players(nn.Module):
    """A generator and a discriminator; the module as a whole is never called."""

    def __init__(self) -> None:
        super().__init__()
        self.G = nn.Sequential(nn.Linear(2, 8), nn.ReLU(), nn.Linear(8, 6))
        self.D = nn.Sequential(nn.Linear(6, 8), nn.LeakyReLU(0.2), nn.Linear(8, 1))


def game(loop: Loop, watch: Callable[..., Any], apart: bool) -> list[Any]:
    G, D = loop.model.G, loop.model.D
    g, d = (torch.optim.Adam(each.parameters(), 0.01) for each in (G, D))

    def play() -> None:
        for _ in range(8):
            x, _ = loop.batch()
            made = G(torch.randn(16, 2))
            d.zero_grad()
            (F.softplus(-D(x)).mean() + F.softplus(D(made.detach())).mean()).backward()
            d.step()
            g.zero_grad()
            F.softplus(-D(made)).mean().backward()
            g.step()

    if apart:
        with watch(D, d), watch(G, g):
            play()
    else:
        with watch(loop.model, [d, g]):
            play()
    return loop.left(g, d)


@pytest.mark.parametrize("apart", [True, False], ids=["two watches", "one watch"])
def test_two_players_are_the_same_and_their_gradients_are_not_called_forgotten(apart: bool) -> None:
    watched = assert_neutral(Players, lambda loop, watch: game(loop, watch, apart))
    assert watched.history.counts["steps"] == 8
    assert watched.history.counts.get("stale-gradient", 0) == 0
    assert watched.history.of("update", "2.weight" if apart else "D.2.weight")


def test_a_loss_of_another_model_is_not_taken_for_its_own() -> None:
    """With a watch for each player, each history has one loss a step: that of its own player."""
    told: dict[str, list[float]] = {}

    def run(loop: Loop, watch: Callable[..., Any]) -> list[Any]:
        a, b = nn.Linear(6, 1), nn.Linear(6, 1)
        o, p = (torch.optim.SGD(each.parameters(), 0.1) for each in (a, b))
        with watch(a, o) as first, watch(b, p) as second:
            for _ in range(5):
                x, _ = loop.batch()
                for model, optimizer, to in ((a, o, 3.0), (b, p, -5.0)):
                    optimizer.zero_grad()
                    F.mse_loss(model(x), torch.full((16, 1), to)).backward()
                    optimizer.step()
        if isinstance(first, Watch):
            for name, each in (("first", first), ("second", second)):
                told[name] = [value for _, value in each.history.of("loss")]
        return [*a.state_dict().values(), *b.state_dict().values()]

    assert_neutral(dense, run)
    assert len(told["first"]) == len(told["second"]) == 5
    assert told["first"][0] < 12 < told["second"][0]


@pytest.mark.filterwarnings("ignore")
def test_a_compiled_model_is_the_same_and_what_is_not_seen_is_said() -> None:
    def run(loop: Loop, watch: Callable[..., Any]) -> list[Any]:
        torch._dynamo.reset()
        model = torch.compile(loop.model, backend="aot_eager")
        optimizer = torch.optim.Adam(model.parameters(), 0.01)
        with watch(model, optimizer):
            for _ in range(6):
                x, y = loop.batch()
                optimizer.zero_grad()
                F.cross_entropy(model(x), y).backward()
                optimizer.step()
        return loop.left(optimizer)

    watched = assert_neutral(dense, run)
    assert watched.history.facts["not_seen"] == ["the inside of compiled parts"]
    assert len(watched.history.of("loss")) == len(watched.history.of("gradient_norm")) == 6
    assert not watched.history.places("zero") or watched.history.places("zero") == ["input"]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_everything_is_undone_after_an_exception(error: type[BaseException]) -> None:
    """In the middle of a forward pass that is being looked at; the caller's own error comes through."""

    class Breaks(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.a, self.breaks = nn.Linear(6, 3), False

        def forward(self, x: Tensor) -> Tensor:
            h = self.a(x)
            if self.breaks:
                raise error("stop")
            return h

    def run(loop: Loop, watch: Callable[..., Any]) -> list[Any]:
        optimizer = torch.optim.SGD(loop.model.parameters(), 0.1)
        x, y = loop.batch()

        def train() -> None:
            with watch(loop.model, optimizer):
                for step in range(5):
                    loop.model.breaks = step == 3
                    optimizer.zero_grad()
                    F.cross_entropy(loop.model(x), y).backward()
                    optimizer.step()

        with pytest.raises(error, match="stop"):
            train()
        loop.model.breaks = False
        return [*loop.left(optimizer), loop.model(x)]

    watched = assert_neutral(Breaks, run)
    assert watched.history.counts["steps"] == 3


@pytest.mark.filterwarnings("ignore:The PyTorch API of nested tensors")
def test_a_loop_that_goes_on_after_an_exception_is_the_same() -> None:
    class Sometimes(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner, self.calls = Attends(), 0

        def forward(self, x: Tensor) -> Tensor:
            self.calls += 1
            h = self.inner(x)
            if self.calls % 4 == 2:
                raise MemoryError
            return h

    def run(loop: Loop, watch: Callable[..., Any]) -> list[Any]:
        optimizer = torch.optim.SGD(loop.model.parameters(), 0.1)
        with watch(loop.model, optimizer):
            for _ in range(8):
                x, y = loop.batch()
                optimizer.zero_grad()
                try:
                    F.cross_entropy(loop.model(x), y).backward()
                except MemoryError:
                    loop.judge()
                    continue
                optimizer.step()
        return loop.left(optimizer)

    assert_neutral(Sometimes, run)


def test_copies_and_pickles_made_meanwhile_are_plain_models() -> None:
    """An average of the weights is often a deep copy of the model, and a checkpoint a pickle of it."""

    def run(loop: Loop, watch: Callable[..., Any]) -> list[Any]:
        optimizer = torch.optim.SGD(loop.model.parameters(), 0.1)
        x, y = loop.batch()
        with watch(loop.model, optimizer) as watched:
            copied = copy.deepcopy(loop.model)
            stored = pickle.loads(pickle.dumps(loop.model))  # noqa: S301 - just written
            for _ in range(3):
                F.cross_entropy(loop.model(x), y).backward()
                optimizer.step()
            steps = dict(watched.history.counts) if isinstance(watched, Watch) else {}
            told = [copied(x).detach(), stored(x).detach()]
            if isinstance(watched, Watch):
                assert watched.history.counts == steps
        return [*loop.left(optimizer), *told]

    watched = assert_neutral(lambda: nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 3)), run)
    assert watched.history.counts["stale-gradient"] == 2


def test_watching_twice_or_within_a_mode_is_the_same() -> None:
    """Two watches on one model, under a function mode that the caller has entered around the model's call."""

    def run(loop: Loop, watch: Callable[..., Any]) -> list[Any]:
        optimizer = torch.optim.Adam(loop.model.parameters(), 0.01)
        with watch(loop.model, optimizer), watch(loop.model, optimizer):
            for _ in range(4):
                x, y = loop.batch()
                optimizer.zero_grad()
                with torch.device("cpu"):
                    out = loop.model(x)
                    F.cross_entropy(out, y).backward()
                    optimizer.step()
                loop.told.append(torch.zeros(()))
        return loop.left(optimizer)

    assert_neutral(Written, run)


def test_two_watches_may_be_closed_in_any_order() -> None:
    model = dense()
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    backward = torch.autograd.backward
    a, b = watching.watch(model, optimizer).open(), watching.watch(model, optimizer).open()
    a.close()
    b.close()
    assert torch.autograd.backward is backward


def test_a_model_that_cannot_be_looked_at_is_trained_all_the_same_and_that_is_told() -> None:
    """Tensors of a class of somebody's own, whose statistics cannot be taken."""

    class Strange(Tensor):
        @classmethod
        def __torch_function__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            if getattr(func, "__name__", "") == "std_mean":
                raise TypeError("no such thing")
            return super().__torch_function__(func, types, args, kwargs or {})

    class Model(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.a, self.b = nn.Linear(6, 8), nn.Linear(8, 3)

        def forward(self, x: Tensor) -> Tensor:
            h = torch.relu(self.a(x.as_subclass(Strange)))
            return self.b(h).as_subclass(Tensor)

    watched = assert_neutral(Model, usual)
    (told,) = watched.history.facts["not_seen"]
    assert "TypeError: no such thing" in told
    assert len(watched.history.of("loss")) == 10
    assert "Not seen" in str(watched)
