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

from workings.base.errors import UserError
from workings.base.problems import Problem
from workings.watching import operations as known
from workings.watching.budget import Budget
from workings.watching.calls import Listening
from workings.watching.dependence import Together
from workings.watching.history import History
from workings.watching.hooks import Hook, Roots, Steps, seconds_of_a_call
from workings.watching.look import Look, belongs, seconds_of
from workings.watching.loss_graph import scale_of
from workings.watching.losses import SCARCE, Losses
from workings.watching.parameters import Tables, Trained
from workings.watching.targets import Seen
from workings.watching.watch_facts import facts_of

if TYPE_CHECKING:
    from workings.base.finding import Finding

SAMPLED = 64  # of so many steps that are seen the cost between looks is measured once
ASLEEP = 32  # steps at most of which nothing is seen


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
        self._done = 0  # steps that were counted
        self._steps = Steps(self._after_step)
        self._unmeasured = 0  # steps seen since the cost was measured
        self.alive: dict[str, list[Tensor]] = {}
        self.targets = Seen()
        self.together = Together()
        self.can_train = Trained()
        self.tables: Tables
        self.parts = list(model.modules())
        self._dependent = [module for module in self.parts if known.depends_on_mode(module)]
        self._roots = Roots(model, self._forward, self.not_seen)
        self._call = seconds_of_a_call()  # that calling a hook costs, beside what happens in it
        self._losses = Losses()
        self._listening = Listening(self)
        self._scale = 1.0  # of the loss, at the last look
        self._ours: dict[int, bool] = {}  # whether the n-th backward of a step is on a loss of this model
        self._nth = 0
        self._look: Look | None = None
        self._blind = False  # whether looks are given up
        self._inside = False  # whether a forward pass is being looked at
        self._forwards = 0  # with gradient, since the last step
        self._in_training = False  # whether any of these had a dropout or norm layer in training mode
        self._undo: list[Callable[[], None]] = []
        self._before: list[Any] = []  # hooks before the optimisers' steps, during a look

    @property
    def step(self) -> int:
        """Steps that are done: the number of the one that is under way."""
        return self._done + self._steps.gone

    # ------------------------------------------------------------------------------------ begin and end

    def open(self) -> Watch:
        """Begin to watch."""
        if self._undo:
            return self
        self._undo.append(self.optimizers[0].register_step_post_hook(self._steps).remove)
        self._listening.wake()
        self._undo.append(self._listening.sleep)
        self._done, self._steps.gone, self._steps.wait = self.step, 0, 1
        if self._dependent:
            self._roots.look()
        self.tables = Tables(self.model)
        self.budget.began = time.perf_counter()
        self._begin_step(self.budget.began)
        return self

    def close(self) -> History:
        """Stop watching; everything is as it was before ``open``."""
        self._end_look()  # a step that was never finished says nothing
        self._roots.rest()
        self._flush()
        for undo in reversed(self._undo):
            undo()
        self._undo.clear()
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

        self._flush()
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

    def _forward(self, module: nn.Module, args: Any, kwargs: Any) -> None:
        look = self._look
        if look is not None and look.roots and not self._inside:
            look.hooks.close()  # left from a forward pass that raised
        if torch.is_grad_enabled():
            self._forwards += 1
            if not self._in_training:
                self._in_training = any(each.training for each in self._dependent)
            if look is not None and not self._inside and module not in look.roots:
                began = time.perf_counter()
                self._look_inside(look, module, args, kwargs)
                self.budget.pay(time.perf_counter() - began)
        elif self._dependent and not self._inside:
            in_training = any(each.training for each in self._dependent)
            self.history.count("judged-in-train" if in_training else "judged-in-eval")

    def _look_inside(self, look: Look, module: nn.Module, args: Any, kwargs: Any) -> None:
        self._inside = True

        def after(module: nn.Module, args: Any, out: Any) -> None:
            began = time.perf_counter()
            self._inside = False
            self._careful(look.end_forward, out)
            self.budget.pay(time.perf_counter() - began)

        handle = module.register_forward_hook(Hook(after), always_call=True)
        look.hooks.callback(handle.remove)
        self._careful(look.begin_forward, module, args, kwargs)

    # ----------------------------------------------------------------------------------------- backward

    def before_backward(self, loss: Tensor) -> None:
        """See ``calls.Listener``."""
        nth = self._nth
        self._nth = nth + 1
        look = self._look
        if look is not None:
            began = time.perf_counter()
            self._ours[nth] = belongs(loss, {id(p) for p in look.named.values()})
            if self._ours[nth]:
                self._careful(look.before_backward, loss)
                self._scale = look.call.scale if look.call is not None else 1.0
            self.budget.pay(time.perf_counter() - began)
        if self._ours.get(nth, True) and loss.numel() == 1:
            if look is None and self._scale != 1:  # a GradScaler changes it now and then
                self._scale = scale_of(loss)
            self._losses.keep(self.step, loss, self._scale)

    def after_backward(self) -> None:
        """See ``calls.Listener``."""
        if self._look is not None and self._ours.get(self._nth - 1, True):
            began = time.perf_counter()
            self._careful(self._look.after_backward)
            self.budget.pay(time.perf_counter() - began)

    # ------------------------------------------------------------------------------------------- a step

    def _begin_step(self, now: float) -> None:
        """Start a look at the coming step, if the budget allows."""
        if not self._blind and self.budget.allows(now, self.step):
            self._look = Look(self)
            self._roots.look()
            before = Hook(self._before_step)
            self._before = [each.register_step_pre_hook(before) for each in self.optimizers]
            self.budget.pay(time.perf_counter() - now)

    def _before_step(self, optimizer: Optimizer, args: Any, kwargs: Any) -> None:
        if self._look is not None:
            now = time.perf_counter()
            self._careful(self._look.before_step, optimizer, optimizer is self.optimizers[0])
            self.budget.pay(time.perf_counter() - now)

    def _after_step(self, optimizer: Optimizer, args: Any, kwargs: Any) -> None:
        now = time.perf_counter()
        if not self._nth and self._listening.awake:
            self.history.count("step-without-backward")
        if self._dependent:
            if self._forwards and not self._in_training:
                self.history.count("step-in-eval")
            self._in_training = False
        look = self._look
        if look is not None:
            self._careful(look.end)
            self._end_look()
            self._flush()
            self.budget.pay(time.perf_counter() - now + seconds_of(look.tap, len(self.parts), self._call))
            self.budget.looked(self.step)
        self._done, self._steps.gone = self._done + self._steps.gone + 1, 0
        self._nth = self._forwards = 0
        if look is not None or now >= self.budget.next:
            self._begin_step(now if look is None else time.perf_counter())
        if self._losses.skips:
            self._sleep()
        self._unmeasured += 1
        if self._unmeasured >= SAMPLED and look is None and self._look is None:
            # Three more hooks are called in a step: about as much again as this one, and what calling them costs.
            then = time.perf_counter()
            too_often = self.budget.pay_between(self._unmeasured * (2 * (then - now) + 4 * self._call), then)
            self._unmeasured = 0
            if too_often and self._losses.skips < SCARCE:
                self._losses.keep_fewer()
            if self._losses.full():
                self._flush()
                self.budget.spent += time.perf_counter() - then

    def _sleep(self) -> None:
        """Until the next step whose loss is kept; a model that depends on its mode is looked after at each step."""
        wanted = self._done if self._look is not None else self._losses.until(self._done)
        if wanted == self._done:
            self._listening.wake()
        else:
            self._listening.sleep()
        self._steps.wait = 1 if self._dependent else min(ASLEEP, max(1, wanted - self._done))

    def _careful(self, look: Callable[..., None], *given: Any) -> None:
        """A loop must never stop because it is looked at: where looking breaks, it is given up, and told."""
        try:
            look(*given)
        except Exception as error:  # noqa: BLE001 - models and tensors may be of kinds that nobody thought of
            self._blind = True
            self.not_seen(f"what happens inside, as looking at it broke: {type(error).__name__}: {error}")
            self._end_look()

    def _end_look(self) -> None:
        """Take away what a look put there."""
        look, self._look = self._look, None
        self._inside = False
        for handle in self._before:
            handle.remove()
        self._before = []
        if look is None:
            return
        look.stop()
        if look.tap is None and self._nth and not self._forwards:
            self._roots.parts()
        if self._dependent:
            self._roots.look()
        else:
            self._roots.rest()

    def _flush(self) -> None:
        """Read the losses, and write down what is counted."""
        if self.step:
            self.history.counts["steps"] = self.step
        self._losses.read(self.history, self.step)


def watch(model: nn.Module, optimizer: Optimizer | Sequence[Optimizer], *, budget: float = 0.03) -> Watch:
    """Watch a training loop; use it as a context manager, or ``open()`` and ``close()`` it.

    optimizer: one, or several that take turns. budget: share of the loop's time that watching may take.

    Raises:
        UserError: what was given is no model, no optimiser or no share; all of it at once.
    """
    given = [optimizer] if isinstance(optimizer, Optimizer) else optimizer
    problems = []
    if not isinstance(model, nn.Module):
        what = f"The model is of type {type(model).__name__}, which is no torch.nn.Module."
        problems.append(Problem("error", "not-a-model", what, do="Give the model first, then its optimiser."))
    if not isinstance(given, Sequence) or not given or not all(isinstance(each, Optimizer) for each in given):
        what = f"The optimiser is of type {type(optimizer).__name__}, which is no torch.optim.Optimizer."
        do = "Give the optimiser whose step() ends each step, or a list of them."
        problems.append(Problem("error", "not-an-optimiser", what, do=do))
    if not isinstance(budget, (int, float)) or not budget > 0:
        what = f"The budget is {budget!r}, which is no share of time."
        problems.append(Problem("error", "bad-setting", what, do="Give a share above 0, such as 0.03."))
    if problems:
        raise UserError(problems)
    return Watch(model, optimizer, budget=budget)
