"""A training loop of plain PyTorch as people write it, watched from outside; every part of it can be made wrong.

The watcher looks LOOKS times, evenly, instead of as often as a share of the time allows: these programs last a second
or two, where 3 % of the minutes of daily use would give as many looks, and what is seen must not depend on the machine.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

import workings
from faults.samples import Maker, Samples
from workings.watching.budget import Budget
from workings.watching.history import History

LOOKS = 50
SHARE = 0.9  # of the time of a run of Workings, to the same end
Loss = Callable[[Any, Tensor], Tensor]


def cross_entropy(out: Tensor, y: Tensor) -> Tensor:
    return F.cross_entropy(out, y)


def squared(out: Tensor, y: Tensor) -> Tensor:
    return F.mse_loss(out.reshape(y.shape), y)


def token_cross_entropy(out: Tensor, y: Tensor) -> Tensor:
    return F.cross_entropy(out.flatten(0, 1), y.flatten())


@dataclass
class Elbo:
    """−ELBO of a sample in nats, mean over the batch: binary numbers, Gaussian code. weight: of the KL term."""

    weight: float = 1.0

    def __call__(self, out: tuple[Tensor, Tensor, Tensor], x: Tensor) -> Tensor:
        o, μ, ln_v = out
        rebuilt = F.binary_cross_entropy_with_logits(o, x, reduction="sum")
        kl = 0.5 * (μ**2 + ln_v.exp() - 1 - ln_v).sum()
        return (rebuilt + self.weight * kl) / len(x)


def accuracy(out: Any, y: Tensor) -> float:
    """Share of right answers, each class counted alike."""
    right = (out.argmax(1) == y).float()
    return float(torch.stack([right[y == k].mean() for k in y.unique()]).mean())


def explained(out: Any, y: Tensor) -> float:
    """1 − squared error over variance; 0 where the answer is not finite."""
    value = float(1 - squared(out, y) / y.var(correction=0))
    return max(value, -1.0) if math.isfinite(value) else -1.0


def nats_of_tokens(out: Any, y: Tensor) -> float:
    """ln p of the right token, mean over those that are to be told."""
    value = -float(token_cross_entropy(out, y))
    return max(value, -20.0) if math.isfinite(value) else -20.0


def likelihood(out: Any, x: Tensor) -> float:
    """−(nats of a sample that the mean of the code leaves), 0 at best; the KL is counted in full."""
    value = -float(Elbo()(out, x))
    return max(value, -1e3) if math.isfinite(value) else -1e3


@dataclass(frozen=True)
class Loop:
    """Everything that decides a loop.

    model: makes the net from ``settings``. score: of test rows, larger is better. start: changes the first weights.
    given: what the optimiser is given. change: changes the samples. ``zero_grad`` to ``train_again`` are what people
    forget. accumulate: batches to a step.
    """

    data: Maker
    model: Callable[..., nn.Module]
    settings: dict[str, Any] = field(default_factory=dict)
    loss: Loss = cross_entropy
    score: Callable[[Any, Tensor], float] = accuracy
    optimiser: type[torch.optim.Optimizer] = torch.optim.Adam
    rate: float = 3e-3
    more: dict[str, Any] = field(default_factory=dict)
    batch: int = 32
    epochs: int = 12
    clip: float | None = None
    schedule: str = "constant"
    accumulate: int = 1
    shuffle: bool = True
    zero_grad: bool = True
    evaluate: bool = True
    train_again: bool = True
    start: Callable[[nn.Module], None] | None = None
    given: Callable[[nn.Module], Iterable[nn.Parameter]] = lambda model: model.parameters()
    change: Callable[[Samples, np.random.Generator], Samples] | None = None


@dataclass
class Regular(Budget):
    """Every so many steps, whatever it costs."""

    every: int = 1

    def allows(self, now: float, step: int = 0) -> bool:
        """Asked once a step."""
        return step % self.every == 0


@dataclass(frozen=True)
class Result:
    """value: of the test rows, larger is better. history: what the watcher saw."""

    metric: str
    value: float
    history: History


def run(loop: Loop, seed: int) -> Result:
    """Train by ``loop``, watched, and score it."""
    torch.manual_seed(seed)
    torch.set_num_threads(1)
    samples = loop.data(seed)
    if loop.change is not None:
        samples = loop.change(samples, np.random.default_rng([seed, 1]))
    x, y, x_val, y_val, x_test, y_test = (
        torch.as_tensor(values) for part in (samples.train, samples.val, samples.test) for values in part
    )
    model = loop.model(**loop.settings)
    if loop.start is not None:
        with torch.no_grad():
            loop.start(model)
    optimizer = loop.optimiser(loop.given(model), lr=loop.rate, **loop.more)  # type: ignore[call-arg]
    steps = loop.epochs * math.ceil(len(x) / loop.batch)
    scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, shape(loop.schedule, steps))
    done = 0
    watching = workings.watch(model, optimizer)
    watching.budget = Regular(every=max(1, steps // loop.accumulate // LOOKS))
    with watching:
        model.train()
        for _ in range(loop.epochs):
            if loop.train_again:
                model.train()
            order = torch.randperm(len(x)) if loop.shuffle else torch.arange(len(x))
            for batch in order.split(loop.batch):
                if loop.zero_grad and done % loop.accumulate == 0:
                    optimizer.zero_grad()
                loss = loop.loss(model(x[batch]), y[batch]) / loop.accumulate
                loss.backward()
                done += 1
                if done % loop.accumulate:
                    continue
                if loop.clip is not None:
                    nn.utils.clip_grad_norm_(model.parameters(), loop.clip)
                optimizer.step()
                scheduler.step()
            if loop.evaluate:
                model.eval()
            with torch.no_grad():
                watching.note(val_loss=float(loop.loss(model(x_val), y_val)))
    if loop.evaluate:
        model.eval()
    with torch.no_grad():
        value = loop.score(model(x_test), y_test)
    return Result(loop.score.__name__, value, watching.history)


def shape(name: str, steps: int) -> Callable[[int], float]:
    """The factor of the learning rate at each step."""
    if name == "cosine":
        return lambda step: 0.5 * (1 + math.cos(math.pi * min(1.0, step / steps)))
    if name == "warm-up":
        return lambda step: min(1.0, (step + 1) / max(1, steps // 4))
    if name == "restarts":
        return lambda step: 0.5 * (1 + math.cos(math.pi * ((4 * step / steps) % 1))) + 0.01
    return lambda step: 1.0
