"""Watching anybody's PyTorch loop: ``with workings.watch(model, optimizer) as w:`` around it, nothing else changed.

Each step ends with ``optimizer.step()``. On looks that the budget allows, operations and gradients are seen in the same
pass (``look.py``). On every step only this is seen: that there is a forward pass and in which mode, that ``backward``
is called and on which loss (kept as a tensor, read now and then), that the optimiser steps.

Neutral: nothing that is computed changes by a bit, no random number is drawn, and all hooks are gone after ``close``.
A copy or a pickle of the model made meanwhile carries hooks that do nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from workings.watching import operations as known
from workings.watching.budget import Budget
from workings.watching.calls import listen
from workings.watching.dependence import Together
from workings.watching.history import History
from workings.watching.look import Look, belongs, seconds_of
from workings.watching.loss_graph import scale_of
from workings.watching.parameters import Tables, Trained
from workings.watching.targets import Seen
from workings.watching.watch_facts import facts_of

if TYPE_CHECKING:
    from workings.base.finding import Finding

UNREAD = 512  # losses kept as tensors at most


class Hook:
    """A function as a hook, of which copies and pickles of the module keep one that does nothing."""

    def __init__(self, call: Callable[..., None] | None = None) -> None:
        self.call = call

    def __call__(self, *args: Any) -> None:
        """Hooks return nothing, so that they change nothing."""
        if self.call is not None:
            self.call(*args)

    def __deepcopy__(self, memo: Any) -> Hook:
        return Hook()

    def __reduce__(self) -> tuple[type[Hook], tuple[()]]:
        return Hook, ()


class Watch:
    """Sees the steps of a model's training until ``close``; what it saw is ``history``.

    optimizer: one, or several that take turns; steps of the first are counted. budget: share of the loop's time that
    watching may take.
    """

    def __init__(self, model: nn.Module, optimizer: Optimizer | Sequence[Optimizer], *, budget: float = 0.03) -> None:
        self.model = model
        self.optimizers = [optimizer] if isinstance(optimizer, Optimizer) else list(optimizer)
        self.history = History(facts=facts_of(model, self.optimizers[0]))
        self.history.facts["optimisers"] = len(self.optimizers)
        self.budget = Budget(budget)
        self.step = 0
        self.alive: dict[str, list[Tensor]] = {}
        self.targets = Seen()
        self.together = Together()
        self.can_train = Trained()
        self.tables: Tables
        self._dependent = [module for module in model.modules() if known.depends_on_mode(module)]
        self.parts = list(model.modules())
        self._call = seconds_of_a_call()  # that calling a hook costs, beside what happens in it
        self._losses: list[tuple[int, float, Tensor]] = []
        self._scale = 1.0  # of the loss, at the last look
        self._ours: dict[int, bool] = {}  # whether the n-th backward of a step is on a loss of this model
        self._nth = 0
        self._look: Look | None = None
        self._root: Any = None  # the model, while its forward pass is looked at
        self._forwards = 0  # with gradient, since the last step
        self._in_training = False  # whether any of these had a dropout or norm layer in training mode
        self._undo: list[Callable[[], None]] = []
        self._undo_roots: list[Callable[[], None]] = []

    # ------------------------------------------------------------------------------------ begin and end

    def open(self) -> Watch:
        """Begin to watch."""
        if self._undo:
            return self
        for i, optimizer in enumerate(self.optimizers):
            self._undo.append(optimizer.register_step_pre_hook(Hook(self._before_step)).remove)
            if i == 0:
                self._undo.append(optimizer.register_step_post_hook(Hook(self._after_step)).remove)
        self._undo.append(listen(self))
        self._see([self.model])
        self.tables = Tables(self.model)
        self.budget.began = time.perf_counter()
        self._begin_step()
        return self

    def close(self) -> History:
        """Stop watching; everything is as it was before ``open``."""
        look, self._look = self._look, None
        if look is not None:
            look.stop()  # a step that was never finished says nothing
        self._read_losses()
        for undo in reversed([*self._undo, *self._undo_roots]):
            undo()
        self._undo.clear()
        self._undo_roots.clear()
        self.together.tell(self.history.facts)
        self.history.facts["cost"] = self.budget.to_dict()
        return self.history

    def __enter__(self) -> Watch:
        return self.open()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # ------------------------------------------------------------------------------------ what is told

    def note(self, **values: float) -> None:
        """Tell what is known otherwise, such as ``val_loss=0.31``: figures on samples that are not trained on."""
        for name, value in values.items():
            self.history.note(self.step, "", name, float(value))

    def findings(self) -> list[Finding]:
        """What is found so far."""
        from workings.watching.findings import look

        self._read_losses()
        self.together.tell(self.history.facts)
        return look(self.history)

    def report(self) -> str:
        """What is found so far, with evidence and what to change, or that the loop is healthy."""
        from workings.watching.findings import codes
        from workings.watching.telling import told

        return told(self.findings(), codes(), self.budget.to_dict(), self.history.facts.get("not_seen", ()))

    __str__ = report

    def not_seen(self, what: str) -> None:
        """Say once what cannot be seen of this model."""
        told = self.history.facts.setdefault("not_seen", [])
        if what not in told:
            told.append(what)

    def depends_on_mode(self) -> None:
        """The model calls dropout as a function: its own mode is what counts."""
        self._dependent = self._dependent or [self.model]
        self.history.facts["mode_matters"] = True

    def trained(self) -> Iterator[Tensor]:
        """The parameters of the first optimiser."""
        return (p for group in self.optimizers[0].param_groups for p in group["params"])

    # ---------------------------------------------------------------------------------- forward passes

    def _see(self, roots: list[nn.Module]) -> None:
        """Be told of the forward passes of these modules."""
        for undo in self._undo_roots:
            undo()
        self._undo_roots.clear()
        for root in roots:
            if isinstance(root, (*known.FAST_PATHS, torch.jit.ScriptModule)):
                # Any hook would turn torch's fast path off in evaluation, and change results by rounding.
                self.not_seen(f"forward passes of {type(root).__name__}")
                continue
            handle = root.register_forward_pre_hook(Hook(self._forward), with_kwargs=True)
            self._undo_roots.append(handle.remove)

    def _forward(self, module: nn.Module, args: Any, kwargs: Any) -> None:
        began = time.perf_counter()
        look, inside = self._look, False
        if look is not None and look.roots and self._root is None:
            look.hooks.close()  # left from a forward pass that raised
        if torch.is_grad_enabled():
            self._forwards += 1
            self._in_training = self._in_training or any(each.training for each in self._dependent)
            if look is not None and self._root is None and module not in look.roots:
                self._look_inside(look, module, args, kwargs)
                inside = True
        elif self._dependent and self._root is None:
            in_training = any(each.training for each in self._dependent)
            self.history.count("judged-in-train" if in_training else "judged-in-eval")
        seconds = time.perf_counter() - began
        self.budget.pay(seconds) if inside else self._pay(seconds)

    def _look_inside(self, look: Look, module: nn.Module, args: Any, kwargs: Any) -> None:
        self._root = module

        def after(module: nn.Module, args: Any, out: Any) -> None:
            began = time.perf_counter()
            self._root = None
            look.end_forward(out)
            self.budget.pay(time.perf_counter() - began)

        handle = module.register_forward_hook(Hook(after), always_call=True)
        look.begin_forward(module, args, kwargs)
        look.hooks.callback(handle.remove)

    # ----------------------------------------------------------------------------------------- backward

    def before_backward(self, loss: Tensor) -> None:
        """See ``calls.Listener``."""
        began = time.perf_counter()
        nth, self._nth = self._nth, self._nth + 1
        look = self._look
        if look is not None:
            self._ours[nth] = belongs(loss, {id(p) for p in look.named.values()})
        if self._ours.get(nth, True):
            if look is not None:
                look.before_backward(loss)
                self._scale = look.call.scale if look.call is not None else 1.0
            elif self._scale != 1:  # a GradScaler changes it now and then
                self._scale = scale_of(loss)
            if loss.numel() == 1:
                self._losses.append((self.step, self._scale, loss.detach()))
                if len(self._losses) >= UNREAD:
                    self._read_losses()
        seconds = time.perf_counter() - began
        self.budget.pay(seconds) if look is not None else self._pay(seconds)

    def after_backward(self) -> None:
        """See ``calls.Listener``."""
        if self._look is not None and self._ours.get(self._nth - 1, True):
            began = time.perf_counter()
            self._look.after_backward()
            self.budget.pay(time.perf_counter() - began)

    def _pay(self, seconds: float) -> None:
        self.budget.spent += seconds + self._call

    # ------------------------------------------------------------------------------------------- a step

    def _begin_step(self) -> None:
        """Start a look at the coming step, if the budget allows."""
        now = time.perf_counter()
        if self.budget.allows(now, self.step):
            self._look = Look(self)
            self.budget.pay(time.perf_counter() - now)

    def _before_step(self, optimizer: Optimizer, args: Any, kwargs: Any) -> None:
        if self._look is not None:
            now = time.perf_counter()
            self._look.before_step(optimizer, optimizer is self.optimizers[0])
            self.budget.pay(time.perf_counter() - now)

    def _after_step(self, optimizer: Optimizer, args: Any, kwargs: Any) -> None:
        now = time.perf_counter()
        self._count_step()
        look, self._look = self._look, None
        if look is not None:
            look.end()
            self._read_losses()
            self.budget.pay(time.perf_counter() - now + seconds_of(look.tap, len(self.parts), self._call))
            self.budget.looked(self.step)
        self.step += 1
        self._nth = 0
        if look is None:
            self._pay(time.perf_counter() - now + 2 * self._call)
        self._begin_step()

    def _count_step(self) -> None:
        counts = self.history.counts
        counts["steps"] = counts.get("steps", 0) + 1
        if not self._nth:
            self.history.count("step-without-backward")
        if self._forwards and self._dependent and not self._in_training:
            self.history.count("step-in-eval")
        if not self.step and not self._forwards:
            # The model as a whole is not called: its parts are.
            children = [child for child in self.model.children() if any(True for _ in child.parameters())]
            self._see(children or [self.model])
        self._forwards, self._in_training = 0, False

    def _read_losses(self) -> None:
        losses, self._losses = self._losses, []
        if not losses:
            return
        numbers = torch.stack([loss.float().reshape(()) for *_, loss in losses]).tolist()
        of_step: dict[int, list[float]] = {}
        for (step, scale, _), number in zip(losses, numbers, strict=True):
            of_step.setdefault(step, []).append(number / scale)
        for step, each in of_step.items():
            self.history.note(step, "", "loss", sum(each) / len(each))


def seconds_of_a_call() -> float:
    """How long calling a hook takes on this machine, now."""
    hook = Hook(lambda *given: None)
    began = time.perf_counter()
    for _ in range(64):
        hook(None, None, None)
    return (time.perf_counter() - began) / 64


def watch(model: nn.Module, optimizer: Optimizer | Sequence[Optimizer], *, budget: float = 0.03) -> Watch:
    """Watch a training loop; use it as a context manager, or ``open()`` and ``close()`` it.

    optimizer: one, or several that take turns. budget: share of the loop's time that watching may take.
    """
    return Watch(model, optimizer, budget=budget)
