"""The training loop. It knows rows, steps, epochs and events; it knows no net and no rule by name.

Steps are done in chunks of up to ``CHUNK``; epochs end, checkpoints are taken and the clock is read between
chunks only. That holds in every lane, so the number of steps never depends on the lane.
"""

from __future__ import annotations

import math
import signal
import threading
import time
from collections.abc import Callable
from typing import Any, Protocol

import torch
from torch import Tensor

from workings.base.events import Emit, EpochEnded, Stepped, Stopped
from workings.learning.loop_state import LoopSettings, LoopState
from workings.learning.rules import Batches, LearningRule, Tells
from workings.learning.stream import Stream

CHUNK = 8


class Rows(Protocol):
    """What the loop needs of a data source; see ``workings.data.source.Source``."""

    w: Tensor | None
    counted: str
    lengths: Tensor | None
    reconstructs: bool

    def x(self, index: Tensor) -> Tensor: ...

    def targets(self, index: Tensor) -> Tensor: ...


Batch = tuple[Tensor, Tensor, Tensor | None]
Observe = Callable[[LoopState, Batch, list[float]], None]  # the state, the last batch, the chunk's losses


class NonFiniteLoss(Exception):
    """A loss was not finite; raised by the loop for whoever can say which layer and rows it was."""

    def __init__(self, step: int, rows: Tensor, x: Tensor, y: Tensor) -> None:
        super().__init__(f"the loss of step {step + 1} is not finite")
        self.step = step
        self.rows = rows
        self.x = x
        self.y = y


def run_loop(
    rule: LearningRule,
    source: Rows,
    stream: Stream,
    settings: LoopSettings,
    state: LoopState,
    evaluate: Callable[[], dict[str, float]] | None,
    emit: Emit,
    save: Callable[[LoopState], None] | None = None,
    augment: Callable[[Tensor], Tensor] | None = None,
    observe: Observe | None = None,
) -> None:
    """Train from ``state`` to the end, in place.

    evaluate: metrics on the validation rows with the net as it is; None where there are no such rows.
    save: writes a checkpoint; called now and then, and when the loop is interrupted.
    observe: sees the state and the last batch between chunks, and changes nothing.

    Raises:
        NonFiniteLoss: before any parameter was changed by it.
        KeyboardInterrupt: passed on, after a checkpoint.
    """
    began = time.perf_counter() - state.seconds
    saved = told = time.perf_counter()
    told_step = first_step = state.step
    n, batch = stream.n, stream.batch
    epochs = max(1, round((settings.steps - settings.judge_from) * batch / n))  # pre-training is epoch 0
    rule.net.train()
    asked: list[int] = []  # a signal to stop waits for the end of the chunk, so that what is saved is a whole step
    handlers = _hold_signals(asked)
    whole = True  # whether the weights are those of state.step, and not of some step within a chunk
    try:
        while state.step < settings.steps and state.stopped is None:
            until = min(settings.steps, (state.step // settings.evaluate_every + 1) * settings.evaluate_every)
            if state.step < settings.judge_from:
                until = min(until, settings.judge_from)  # so that no look sees losses of both
            k = min(CHUNK - state.step % CHUNK, until - state.step)
            whole = False
            chunk_losses, last = _advance(rule, source, stream, state.step, k, augment)
            state.losses.extend(chunk_losses)
            before, state.step = state.step, state.step + k
            _average(rule, settings, state, k)
            whole = True
            if observe is not None:
                observe(state, last, chunk_losses)
            now = time.perf_counter()
            state.seconds = now - began
            if now - told > 0.25:
                rate = (state.step - first_step) / (now - began) if now > began else 0.0
                fast = (state.step - told_step) * batch / (now - told)
                left = (settings.steps - state.step) / rate if rate else 0.0
                emit(
                    Stepped(
                        state.step,
                        settings.steps,
                        0 if before < settings.judge_from else min(_epoch(stream, settings, before) + 1, epochs),
                        epochs,
                        chunk_losses[-1],
                        rule.learning_rate(before),
                        fast,
                        left,
                        source.counted,
                    )
                )
                told, told_step = now, state.step
            if state.step == until:
                whole = False
                _look(rule, stream, settings, state, evaluate, epochs, emit)
                state.losses = []
                rule.net.train()
                whole = True
            if settings.seconds is not None and state.seconds > settings.seconds and state.stopped is None:
                state.stopped = f"the clock: {settings.seconds:.0f} s are over"
            if save is not None and time.perf_counter() - saved > settings.checkpoint_seconds:
                save(state)
                saved = time.perf_counter()
            if asked:
                raise KeyboardInterrupt
    except KeyboardInterrupt:
        # Within a chunk or a look there is no step that this state belongs to; the checkpoint before it stands.
        if save is not None and whole:
            save(state)
        raise
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
    if state.stopped is None:
        state.stopped = f"all {settings.steps:,} steps were done"
    emit(Stopped(state.stopped, state.step))


def _hold_signals(asked: list[int]) -> dict[int, Any]:
    """Let Ctrl-C and SIGTERM only note that they were asked for; the handlers to put back. Main thread only."""
    if threading.current_thread() is not threading.main_thread():
        return {}
    numbers = [n for n in (signal.SIGINT, signal.SIGTERM) if callable(signal.getsignal(n))]
    return {n: signal.signal(n, lambda number, frame: asked.append(number)) for n in numbers}


def batches(
    source: Rows, stream: Stream, step: int, k: int, augment: Callable[[Tensor], Tensor] | None
) -> tuple[Batches, Batches, Tensor | None]:
    """The k batches from ``step`` on: x (k, B, *shape), augmented; y (k, B, …); weights (k, B) or None.

    Where samples differ in length, x and y are lists of k batches, each only as long as its longest sample.
    """
    rows = stream.rows(step, k)
    weight = None if source.w is None else source.w[rows].view(k, stream.batch)
    if source.lengths is not None:
        parts = rows.view(k, stream.batch)
        return [source.x(part) for part in parts], [source.targets(part) for part in parts], weight
    x = source.x(rows)
    y = x if source.reconstructs else source.targets(rows)
    x = x.view(k, stream.batch, *x.shape[1:])
    if augment is not None:
        x = torch.stack([augment(part) for part in x])
    return x, y.view(k, stream.batch, *y.shape[1:]), weight


def _advance(
    rule: LearningRule,
    source: Rows,
    stream: Stream,
    step: int,
    k: int,
    augment: Callable[[Tensor], Tensor] | None,
) -> tuple[list[float], Batch]:
    """k steps: their losses, and the last batch."""
    x, y, weight = batches(source, stream, step, k, augment)
    losses = rule.advance(x, y, weight, step).tolist()
    if not math.isfinite(sum(losses)):
        i = next(i for i, loss in enumerate(losses) if not math.isfinite(loss))
        raise NonFiniteLoss(step + i, stream.rows(step + i, 1), x[i], y[i])
    return losses, (x[k - 1], y[k - 1], None if weight is None else weight[k - 1])


def _average(rule: LearningRule, settings: LoopSettings, state: LoopState, k: int) -> None:
    """w̄ ← dw̄ + (1 − d)w with d = decayᵏ, for floating tensors of the net; others are copied."""
    done = state.step - settings.judge_from
    if not settings.average or done <= 0:
        return
    tensors = net_tensors(rule)
    if not state.averaged:
        state.averaged = {name: tensor.clone() for name, tensor in tensors.items()}
        return
    # The average is young at first: its horizon grows with the steps done, so that the start is forgotten.
    decay = min(settings.average, done / (done + 10)) ** k
    for name, tensor in tensors.items():
        kept = state.averaged[name]
        if tensor.is_floating_point():
            kept.lerp_(tensor, 1 - decay)
        else:
            kept.copy_(tensor)


def net_tensors(rule: LearningRule) -> dict[str, Tensor]:
    """The rule's tensors that make the net: parameters and buffers, not the optimiser's memory."""
    return {name: t for name, t in rule.tensors().items() if not name.startswith("optimiser.")}


def put_back(rule: LearningRule, tensors: dict[str, Tensor]) -> None:
    """Write saved tensors into the rule's own."""
    own = rule.tensors()
    with torch.no_grad():
        for name, tensor in tensors.items():
            own[name].copy_(tensor)


def _look(
    rule: LearningRule,
    stream: Stream,
    settings: LoopSettings,
    state: LoopState,
    evaluate: Callable[[], dict[str, float]] | None,
    epochs: int,
    emit: Emit,
) -> None:
    """Evaluate, remember the best, decide whether to stop."""
    exact_epoch = max(0, state.step - settings.judge_from) * stream.batch / stream.n
    metrics = {"train_loss": sum(state.losses) / len(state.losses)}
    judging = state.step > settings.judge_from
    state.record(state.step, exact_epoch, "train", "loss" if judging else "pretraining", metrics["train_loss"])
    state.record(state.step, exact_epoch, "train", "learning_rate", rule.learning_rate(max(0, state.step - 1)))
    for name, value in (rule.told() if isinstance(rule, Tells) else {}).items():
        state.record(state.step, exact_epoch, "train", name, value)
        metrics[f"train_{name}"] = value
    current = net_tensors(rule)
    raw: dict[str, Tensor] = {}
    if settings.average and state.averaged:
        raw = {name: tensor.clone() for name, tensor in current.items()}
        put_back(rule, state.averaged)
    better = False
    if evaluate is not None and judging:
        found = evaluate()
        for name, value in found.items():
            state.record(state.step, exact_epoch, "val", name, value)
            metrics[f"val_{name}"] = value
        value = found[settings.monitor]
        gain = value if settings.higher else -value
        better = state.best_value is None or gain > (state.best_value if settings.higher else -state.best_value)
        if better:
            state.best_value, state.best_step, state.waited = value, state.step, 0
            if settings.keep_best:
                state.best = {name: tensor.clone() for name, tensor in rule.tensors().items()}
        else:
            state.waited += 1
            if settings.patience is not None and state.waited >= settings.patience:
                state.stopped = f"no better {settings.monitor} on the validation rows in {settings.patience} looks"
    put_back(rule, raw)
    reason = rule.finished(stream.epoch_of(state.step))
    if reason is not None:
        state.stopped = reason
    epoch = min(epochs, max(1, _epoch(stream, settings, state.step))) if judging else 0
    emit(EpochEnded(epoch, epochs, state.step, metrics, better))


def _epoch(stream: Stream, settings: LoopSettings, step: int) -> int:
    """Whole epochs after ``step`` steps, those of pre-training not counted."""
    return max(0, step - settings.judge_from) * stream.batch // stream.n


def settle_weights(rule: LearningRule, settings: LoopSettings, state: LoopState) -> None:
    """After the loop: put the weights that are to be kept into the net (the best, or the average, or the last)."""
    if settings.keep_best and state.best:
        put_back(rule, state.best)
    elif settings.average and state.averaged:
        put_back(rule, state.averaged)


def plan_steps(n: int, batch: int, epochs: float) -> tuple[int, int]:
    """Steps in all, and steps between looks, for so many epochs of n rows in batches of ``batch``.

    Looks come once an epoch, but at least 8 steps apart so that tiny data is not mostly evaluated. Where an epoch
    is long enough, both are rounded up to whole chunks.
    """
    per_epoch = n / batch
    steps = max(1, math.ceil(per_epoch * epochs))
    every = max(1, math.ceil(per_epoch * max(1, math.ceil(8 / per_epoch))))
    if per_epoch >= 8 * CHUNK:
        steps = math.ceil(steps / CHUNK) * CHUNK
        every = math.ceil(every / CHUNK) * CHUNK
    return steps, min(every, steps)
