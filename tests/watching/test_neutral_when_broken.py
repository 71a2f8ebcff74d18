"""Watching changes nothing where a loop breaks off, is copied or watched twice: all is undone, errors come through."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import pytest
import torch
from tests.watching.foreign_loops import usual
from tests.watching.foreign_models import Attends, Written, dense
from tests.watching.same_bits import Loop, Watching, assert_neutral
from torch import Tensor, nn
from torch.nn import functional as F

from workings.watching import watch as watching
from workings.watching.watch import Watch


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

    def run(loop: Loop, watch: Watching) -> list[Any]:
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

    def run(loop: Loop, watch: Watching) -> list[Any]:
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

    def run(loop: Loop, watch: Watching) -> list[Any]:
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

    def run(loop: Loop, watch: Watching) -> list[Any]:
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
