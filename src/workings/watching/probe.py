"""Looking at a run of Workings between its steps, on a copy of the net, so that nothing of the run can change.

A lane may execute steps as one compiled graph that cannot be looked into. A probe therefore repeats the forward and
backward pass of one batch of training on a copy that holds the weights of that moment: whatever the lane, the net and
its random numbers are left as they are. Generators are put back afterwards; the copy's buffers are its own.
"""

from __future__ import annotations

import copy
import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
import torch
from torch import Tensor, nn

from workings.watching import targets
from workings.watching.budget import Budget
from workings.watching.history import History
from workings.watching.parameters import Tables, of_changes, of_parameters, of_start, remember
from workings.watching.statistics import Measured, read
from workings.watching.tap import Tap

Loss = Callable[[Tensor, Tensor, Tensor | None], Tensor]
Further = Callable[[nn.Module, Tensor], list[Measured]]


class Probe:
    """Looks at ``net`` when the budget allows, and writes what it saw into ``history``.

    net: the net that is being trained; only read. loss: (out, y, weight) → mean loss (); None where the net learns by
    a rule without gradients, and only its forward pass is looked at. rows: at most so many samples of a batch are
    looked at. kind: how outputs and targets are read (``targets.measure``); None where there is nothing to compare.
    ignored: a class that counts for nothing. further: more to be measured of the copy and the batch, without gradient.
    """

    def __init__(
        self,
        net: nn.Module,
        loss: Loss | None,
        history: History | None = None,
        budget: Budget | None = None,
        rows: int = 64,
        kind: str | None = None,
        ignored: int | None = None,
        further: Further | None = None,
    ) -> None:
        self.net = net
        self.loss = loss
        self.history = History() if history is None else history
        self.budget = budget or Budget()
        self.rows = rows
        self.kind, self.ignored = kind, ignored
        self.further = further
        self._copy: nn.Module | None = None
        self._tables: Tables | None = None
        self._seen = targets.Seen()
        self._alive: dict[str, list[Tensor]] = {}
        self._before: tuple[int, list[tuple[str, Tensor]]] | None = None

    def __call__(self, step: int, x: Tensor, y: Tensor, weight: Tensor | None, learning_rate: float) -> None:
        """Between steps: ``step`` were done, the last of them on the batch x (B, *shape), y, weight (B,) or None."""
        now = time.perf_counter()
        if self._before is not None:
            self._update(step)
            self.budget.pay(time.perf_counter() - now)
            self.budget.looked(step)
        elif self.budget.allows(now, step):
            self._look(step, x[: self.rows], y[: self.rows], None if weight is None else weight[: self.rows])
            self.history.note(step, "", "learning_rate", learning_rate)
            self._before = step, remember(self.net.named_parameters())
            self.budget.pay(time.perf_counter() - now)

    def _look(self, step: int, x: Tensor, y: Tensor, weight: Tensor | None) -> None:
        with as_it_was(self.net):
            net = self._twin()
            if self._tables is None:
                self._tables = Tables(self.net)
            tap = Tap(net, self._alive)
            # Frames of sequences are padded by NaN.
            tap.given((x.nan_to_num() if x.ndim == 3 else x,), {})
            if self.loss is None:
                with torch.no_grad(), tap.looking():
                    out = net(x)
                more: list[Measured] = []
            else:
                with torch.enable_grad():
                    with tap.looking():
                        out = net(x)
                    loss = self.loss(out, y, weight)
                    if loss.requires_grad:
                        loss.backward()
                more = [("", "loss_of_look", loss)]
            more += of_parameters(net.named_parameters())
            more += self._tables.measure()
            if self.kind is not None:
                more += targets.measure(out, y, self.kind, self.ignored)
                self._seen.add(out, y, self.kind, self.ignored)
                more += self._seen.measure()
            if "affine" not in self.history.facts:
                more += of_start(net)
            if self.further is not None:
                with torch.no_grad():
                    more += self.further(net, x)
            rows = tap.read(more)
        for where in tap.order:
            self.history.place(where)
        for where, name, value in rows:
            self.history.note(step, where, name, value)
        self.history.facts |= {"affine": tap.affine, "nonlinear": tap.nonlinear}

    def _update(self, step: int) -> None:
        """How far the weights went since the last look, a step."""
        assert self._before is not None
        (then, before), self._before = self._before, None
        for where, name, value in read(of_changes(self.net.named_parameters(), before, max(1, step - then))):
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
        for mine, theirs in zip(self._copy.modules(), self.net.modules(), strict=True):
            mine.training = theirs.training
        return self._copy


@contextmanager
def as_it_was(net: nn.Module) -> Iterator[None]:
    """Every generator is put back: torch's, on the devices of the net too, NumPy's and Python's."""
    devices = {p.device.index for p in net.parameters() if p.device.type == "cuda"}
    state, numpy_state = random.getstate(), np.random.get_state()
    try:
        with torch.random.fork_rng(devices=[each for each in devices if each is not None]):
            yield
    finally:
        random.setstate(state)
        np.random.set_state(numpy_state)
