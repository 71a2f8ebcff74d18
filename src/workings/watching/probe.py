"""Looking at a run of Workings between its steps, on a copy of the net, so that nothing of the run can change.

A lane may execute steps as one compiled graph that cannot be looked into. A probe therefore repeats the forward and
backward pass of one batch of training on a copy that holds the weights of that moment: whatever the lane, the net and
its random numbers are left as they are. The generator is put back afterwards; the copy's buffers are its own.
"""

from __future__ import annotations

import copy
import time
from collections.abc import Callable

import torch
from torch import Tensor, nn

from workings.watching.budget import Budget
from workings.watching.history import History
from workings.watching.tap import Measured, Tap, rms

Loss = Callable[[Tensor, Tensor, Tensor | None], Tensor]


class Probe:
    """Looks at ``net`` when the budget allows, and writes what it saw into ``history``.

    net: the net that is being trained; only read. loss: (out, y, weight) → mean loss (). rows: at most so many samples
    of a batch are looked at.
    """

    def __init__(
        self, net: nn.Module, loss: Loss, history: History | None = None, budget: Budget | None = None, rows: int = 64
    ) -> None:
        self.net = net
        self.loss = loss
        self.history = History() if history is None else history
        self.budget = budget or Budget()
        self.rows = rows
        self._copy: nn.Module | None = None
        self._alive: dict[str, list[Tensor]] = {}
        self._before: tuple[int, list[Tensor]] | None = None

    def begin(self) -> None:
        """The clock of the budget starts: training begins."""
        self.budget.began = time.perf_counter()

    def __call__(self, step: int, x: Tensor, y: Tensor, weight: Tensor | None, learning_rate: float) -> None:
        """Between steps: ``step`` were done, the last of them on the batch x (B, *shape), y, weight (B,) or None."""
        now = time.perf_counter()
        if self._before is not None:
            self._update(step)
        elif self.budget.allows(now):
            self._look(step, x[: self.rows], y[: self.rows], None if weight is None else weight[: self.rows])
            self.history.note(step, "", "learning_rate", learning_rate)
        else:
            return
        self.budget.spent += time.perf_counter() - now

    def _look(self, step: int, x: Tensor, y: Tensor, weight: Tensor | None) -> None:
        began = time.perf_counter()
        state, threads = torch.get_rng_state(), torch.get_num_threads()
        try:
            net = self._twin()
            tap = Tap(net, self._alive)
            with torch.enable_grad(), tap.looking():
                loss = self.loss(net(x), y, weight)
                if loss.requires_grad:
                    loss.backward()
            read = tap.read([("", "loss", loss), *parameters(net)])
        finally:
            torch.set_rng_state(state)
            torch.set_num_threads(threads)
        keep(self.history, step, read, tap.order)
        self._before = step, [p.detach().clone() for p in self.net.parameters()]
        self.budget.looks += 1
        self.budget.expected = 1.25 * (time.perf_counter() - began)

    def _update(self, step: int) -> None:
        """How far the weights went since the last look, a step."""
        assert self._before is not None
        (then, old), self._before = self._before, None
        k = max(1, step - then)
        with torch.no_grad():
            found: list[Measured] = []
            for (name, p), w in zip(self.net.named_parameters(), old, strict=True):
                if p.requires_grad:
                    found.append((name, "update", rms(p.detach() - w) / (k * rms(w)).clamp_min(1e-12)))
            numbers = torch.stack([value for *_, value in found]).tolist() if found else []
        for (where, name, _), value in zip(found, numbers, strict=True):
            self.history.note(step, where, name, value)

    def _twin(self) -> nn.Module:
        if self._copy is None:
            self._copy = copy.deepcopy(self.net)
            for module in self._copy.modules():
                module._backward_hooks.clear()
        with torch.no_grad():
            own = dict(self._copy.named_parameters()) | dict(self._copy.named_buffers())
            for name, tensor in [*self.net.named_parameters(), *self.net.named_buffers()]:
                own[name].copy_(tensor)
                own[name].grad = None
        self._copy.train(self.net.training)
        return self._copy


def parameters(net: nn.Module) -> list[Measured]:
    """Of each parameter: the size of its numbers and of their gradient; of all: the gradient's norm."""
    found: list[Measured] = []
    squares = []
    with torch.no_grad():
        for name, p in net.named_parameters():
            found.append((name, "weight", rms(p.detach())))
            if p.grad is not None:
                g = p.grad.detach()
                found.append((name, "gradient", rms(g)))
                squares.append(torch.linalg.vector_norm(g.float()))
        if squares:
            found.append(("", "gradient_norm", torch.linalg.vector_norm(torch.stack(squares))))
    return found


def keep(history: History, step: int, read: list[tuple[str, str, float]], order: list[str]) -> None:
    """Write what a look saw into a history, activations in forward order."""
    for where in order:
        if where not in history.order:
            history.order.append(where)
    for where, name, value in read:
        history.note(step, where, name, value)
