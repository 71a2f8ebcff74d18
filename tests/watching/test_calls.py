"""Being told of ``backward``: of some steps only in long loops, beside others who put their own function there."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest
import torch

from workings.watching import calls
from workings.watching.calls import Listening
from workings.watching.watch import watch


class Counts:
    """How often it was told."""

    def __init__(self) -> None:
        self.n = 0

    def before_backward(self, loss: torch.Tensor) -> None:
        self.n += 1

    def after_backward(self) -> None:
        pass


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    """``backward`` is torch's own again, whatever a test leaves behind."""
    own = torch.autograd.backward
    yield
    torch.autograd.backward = own


def backward() -> None:
    torch.ones((), requires_grad=True).mul(2).backward()


def test_a_long_loop_keeps_losses_of_all_its_stretches_and_counts_every_step() -> None:
    net = torch.nn.Linear(1, 1)
    optimizer = torch.optim.SGD(net.parameters(), 1e-3)
    x = torch.ones(1, 1)
    own = torch.autograd.backward
    with watch(net, optimizer, budget=1e-9) as watched:
        for step in range(9_000):
            assert watched.step == step
            optimizer.zero_grad()
            net(x).sum().backward()
            optimizer.step()
    assert torch.autograd.backward is own
    assert watched.history.counts["steps"] == 9_000
    assert "step-without-backward" not in watched.history.counts
    steps = [step for step, _ in watched.history.of("loss")]
    assert steps[-1] >= 9_000 - 64
    assert max(b - a for a, b in pairwise(steps)) <= 64


def test_who_sleeps_is_not_told_and_torchs_own_function_is_back() -> None:
    own, counts = torch.autograd.backward, Counts()
    listening = Listening(counts)
    for told in (True, False, True, False):
        listening.wake() if told else listening.sleep()
        assert (torch.autograd.backward is own) == (not told)
        before = counts.n
        backward()
        assert counts.n - before == told


@pytest.mark.parametrize("awake", [True, False])
def test_a_function_that_somebody_puts_over_this_one_is_called_once_and_stays(awake: bool) -> None:
    counts, others = Counts(), []
    listening = Listening(counts)
    listening.wake()
    if not awake:
        listening.sleep()
    below = torch.autograd.backward

    def theirs(*given: Any, **more: Any) -> Any:
        others.append(1)
        return below(*given, **more)

    torch.autograd.backward = theirs
    for _ in range(3):
        listening.wake()
        before = counts.n, len(others)
        backward()
        assert (counts.n - before[0], len(others) - before[1]) == (1, 1)
        listening.sleep()
        before = counts.n, len(others)
        backward()
        assert (counts.n - before[0], len(others) - before[1]) == (0, 1)
    torch.autograd.backward = calls._torchs
    listening.wake()
    backward()
    assert torch.autograd.backward is not calls._torchs
    listening.sleep()
    assert torch.autograd.backward is calls._torchs
