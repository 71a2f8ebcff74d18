"""Watching anybody's PyTorch loop: ``with workings.watch(model, optimizer) as w:`` around it, nothing else changed.

Each step ends with ``optimizer.step()``. Between two of them everything is seen that happens to the model: on looks
that the budget allows, operations and gradients by a ``Tap`` in the same pass; on every step only the order of calls
(``zero_grad``, ``backward``, ``step``) and the loss, which is kept as a tensor and read at the next look.

Neutral: nothing that is computed changes by a bit, no random number is drawn, and hooks are gone after ``close``.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from types import TracebackType
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from workings.watching.budget import Budget
from workings.watching.history import History
from workings.watching.probe import keep, parameters
from workings.watching.tap import Measured, Tap, rms


class Watch:
    """Sees the steps of one optimiser on one model until ``close``; what it saw is ``history``.

    budget: share of the loop's time that watching may take.
    """

    def __init__(self, model: nn.Module, optimizer: Optimizer, *, budget: float = 0.03) -> None:
        self.model = model
        self.optimizer = optimizer
        self.history = History()
        self.budget = Budget(budget)
        self.step = 0
        self._losses: list[tuple[int, Tensor]] = []
        self._alive: dict[str, list[Tensor]] = {}
        self._tap: Tap | None = None
        self._looking: Any = None
        self._before: list[tuple[str, Tensor]] = []
        self._measured: list[Measured] = []
        self._undo: list[Callable[[], None]] = []

    # ------------------------------------------------------------------------------------ begin and end

    def open(self) -> Watch:
        """Begin to watch."""
        before = self.optimizer.register_step_pre_hook(self._before_step)
        after = self.optimizer.register_step_post_hook(self._after_step)
        self._undo += [before.remove, after.remove, self._see_backward()]
        self.budget.began = time.perf_counter()
        self._begin_step()
        return self

    def close(self) -> History:
        """Stop watching; everything is as it was before ``open``."""
        self._end_look()
        self._read_losses()
        for undo in reversed(self._undo):
            undo()
        self._undo.clear()
        return self.history

    def __enter__(self) -> Watch:
        return self.open()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # ------------------------------------------------------------------------------------------- a step

    def _see_backward(self) -> Callable[[], None]:
        plain = torch.autograd.backward

        def backward(tensors: Any, *args: Any, **kwargs: Any) -> Any:
            began = time.perf_counter()
            loss = tensors if isinstance(tensors, Tensor) else tensors[0]
            if loss.numel() == 1:
                self._losses.append((self.step, loss.detach()))
            self.budget.spent += time.perf_counter() - began
            return plain(tensors, *args, **kwargs)

        torch.autograd.backward = backward  # Tensor.backward looks it up here on every call

        def undo() -> None:
            if torch.autograd.backward is backward:
                torch.autograd.backward = plain

        return undo

    def _begin_step(self) -> None:
        """Start a look at the coming step, if the budget allows."""
        now = time.perf_counter()
        if not self.budget.allows(now):
            return
        self._tap = Tap(self.model, self._alive)
        self._looking = self._tap.looking()
        self._looking.__enter__()
        self.budget.pay(time.perf_counter() - now)

    def _before_step(self, optimizer: Optimizer, args: Any, kwargs: Any) -> None:
        if self._tap is None:
            return
        now = time.perf_counter()
        self._measured = parameters(self.model)
        self._before = [(name, p.detach().clone()) for name, p in self.model.named_parameters()]
        self.budget.spent += time.perf_counter() - now

    def _after_step(self, optimizer: Optimizer, args: Any, kwargs: Any) -> None:
        now = time.perf_counter()
        self._end_look()
        self.step += 1
        self.budget.spent += time.perf_counter() - now
        self._begin_step()

    def _end_look(self) -> None:
        if self._tap is None:
            return
        self._looking.__exit__(None, None, None)
        tap, self._tap = self._tap, None
        own = dict(self.model.named_parameters())
        with torch.no_grad():
            moved = [
                (name, "update", rms(own[name].detach() - w) / rms(w).clamp_min(1e-12))
                for name, w in self._before
                if name in own
            ]
        rates = [("", "learning_rate", torch.as_tensor(float(self.optimizer.param_groups[0]["lr"])))]
        keep(self.history, self.step, tap.read([*self._measured, *moved, *rates]), tap.order)
        self._measured, self._before = [], []
        self._read_losses()

    def _read_losses(self) -> None:
        if not self._losses:
            return
        steps = [step for step, _ in self._losses]
        numbers = torch.stack([loss.float().reshape(()) for _, loss in self._losses]).tolist()
        for step, number in zip(steps, numbers, strict=True):
            self.history.note(step, "", "loss", number)
        self._losses = []


def watch(model: nn.Module, optimizer: Optimizer, *, budget: float = 0.03) -> Watch:
    """Watch a training loop; use it as a context manager, or ``open()`` and ``close()`` it.

    budget: share of the loop's time that watching may take.
    """
    return Watch(model, optimizer, budget=budget)
