"""What watching costs: the same training with and without, in two threads that take turns.

    python benchmarks/bench_watch.py [loops] [fits] [--quick] [--seconds S] [--rounds N]

``loops`` are plain PyTorch loops under ``workings.watch``, ``fits`` are Workings's own training with ``watch=0.03`` and
``watch=0``. In a round both train from the start, each for a twentieth of a second while the other waits, so whatever
slows the machine down, or speeds one process up and another not, meets both. The watcher's clock stands still while it
waits, as its share is of its own time. The figure is the median over rounds of the ratio of the threads' processor
times, opening and closing the watch included; the watcher's own account is told beside.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch
from measured import write
from torch import Tensor, nn
from torch.nn import functional as F

from workings.base.events import silent
from workings.base.form import Form
from workings.data.language.windows import TextWindows
from workings.data.source import MemorySource, Source
from workings.learning.loop import LoopState
from workings.nets import build
from workings.runs.fit import Fit
from workings.runs.recipe import Recipe
from workings.runs.settle import Facts, settle
from workings.watching.watch import watch

COMMAND = "python benchmarks/bench_watch.py"
BUDGET = 0.03
TURN = 0.05  # seconds
Row = dict[str, Any]


class Block(nn.Module):
    """x + attention(norm(x)), then x + mlp(norm(x)), as in GPT-2."""

    def __init__(self, D: int, h: int) -> None:
        super().__init__()
        self.h = h
        self.norm_1, self.norm_2 = nn.LayerNorm(D), nn.LayerNorm(D)
        self.qkv, self.out = nn.Linear(D, 3 * D), nn.Linear(D, D)
        self.up, self.down = nn.Linear(D, 4 * D), nn.Linear(4 * D, D)

    def forward(self, x: Tensor) -> Tensor:
        B, T, D = x.shape
        q, k, v = self.qkv(self.norm_1(x)).view(B, T, 3, self.h, D // self.h).permute(2, 0, 3, 1, 4)
        mixed = F.scaled_dot_product_attention(q, k, v, is_causal=True).transpose(1, 2).reshape(B, T, D)
        x = x + self.out(mixed)
        return x + self.down(F.gelu(self.up(self.norm_2(x))))


class GPT(nn.Module):
    """A small language model: 4 layers of width 128, 65 characters."""

    def __init__(self, V: int = 65, D: int = 128, layers: int = 4, T: int = 64) -> None:
        super().__init__()
        self.tokens, self.places = nn.Embedding(V, D), nn.Parameter(0.02 * torch.randn(T, D))
        self.blocks = nn.Sequential(*(Block(D, 4) for _ in range(layers)))
        self.norm, self.head = nn.LayerNorm(D), nn.Linear(D, V)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.norm(self.blocks(self.tokens(x) + self.places[: x.shape[1]]))).transpose(1, 2)


class LSTM(nn.Module):
    """One layer of 64 units over 32 steps of 8 numbers; the last state says the class."""

    def __init__(self) -> None:
        super().__init__()
        self.lstm, self.head = nn.LSTM(8, 64, batch_first=True), nn.Linear(64, 10)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.lstm(x)[0][:, -1])


def dense() -> nn.Module:
    """20-64-64-1."""
    return nn.Sequential(nn.Linear(20, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 1))


def convolutions() -> nn.Module:
    """Two of 3×3 on 28×28 pixels, 16 and 32 channels, batch norm, and a dense layer of 64."""
    stages: list[nn.Module] = []
    for a, b in ((1, 16), (16, 32)):
        stages += [nn.Conv2d(a, b, 3, padding=1), nn.BatchNorm2d(b), nn.ReLU(), nn.MaxPool2d(2)]
    return nn.Sequential(*stages, nn.Flatten(), nn.Linear(32 * 49, 64), nn.ReLU(), nn.Linear(64, 10))


def of_classes(out: Tensor, y: Tensor) -> Tensor:
    """Cross-entropy."""
    return F.cross_entropy(out, y)


@dataclass(frozen=True)
class Program:
    """A model, its samples (2,048 of them), and how it is taught."""

    what: str
    make: Callable[[], nn.Module]
    x: Callable[[], Tensor]
    y: Callable[[], Tensor]
    loss: Callable[[Tensor, Tensor], Tensor]
    batch: int


N = 2048
LOOPS = [
    Program(
        "20-64-64-1 net",
        dense,
        lambda: torch.randn(N, 20),
        lambda: torch.randint(0, 2, (N, 1)).float(),
        F.binary_cross_entropy_with_logits,
        32,
    ),
    Program(
        "28×28 CNN", convolutions, lambda: torch.rand(N, 1, 28, 28), lambda: torch.randint(0, 10, (N,)), of_classes, 32
    ),
    Program("LSTM", LSTM, lambda: torch.randn(N, 32, 8), lambda: torch.randint(0, 10, (N,)), of_classes, 32),
    Program(
        "small GPT", GPT, lambda: torch.randint(0, 65, (N, 64)), lambda: torch.randint(0, 65, (N, 64)), of_classes, 8
    ),
]


@dataclass
class Took:
    """Seconds of the processor, the watcher's own account, and looks taken."""

    cpu: float
    own: float = 0.0
    looks: int = 0


Turn = Callable[[], None]  # called now and then: it waits while it is the other's turn


def alone() -> None:
    """Nobody else trains."""


def loop(name: str, steps: int, budget: float, turn: Turn = alone) -> Took:
    """So many steps from the start; budget 0: not watched."""
    program = next(each for each in LOOPS if each.what == name)
    torch.manual_seed(0)
    model, x, y = program.make(), program.x(), program.y()
    optimizer = torch.optim.Adam(model.parameters(), 1e-3)

    def train(steps: int) -> None:
        for step in range(steps):
            turn()
            at = step * program.batch % N
            optimizer.zero_grad()
            loss = program.loss(model(x[at : at + program.batch]), y[at : at + program.batch])
            loss.backward()
            optimizer.step()

    train(5)
    began = time.thread_time()
    if not budget:
        train(steps)
        return Took(time.thread_time() - began)
    with watch(model, optimizer, budget=budget) as watched:
        train(steps)
    return Took(time.thread_time() - began, watched.budget.part, watched.budget.looks)


# Shapes, outputs, form, task and settings of Workings's own nets of the same kinds.
FITS: dict[str, tuple[str, Program, dict[str, Any]]] = {
    "mlp 64-64": ("mlp", LOOPS[0], {"hidden": (64, 64)}),
    "cnn 28×28": ("cnn", LOOPS[1], {"channels": (16, 32), "dense": (64,), "batch_norm": True}),
    "lstm of 64 units": ("lstm", LOOPS[2], {"width": 64}),
    "gpt, 4 layers of 128": ("gpt", LOOPS[3], {"width": 128, "heads": 4, "layers": 4}),
}


def windows(x: Tensor, form: Form) -> TextWindows:
    """One text, of which an epoch takes windows as long as a sample."""
    tokens = x.flatten().to(torch.int32).numpy()
    n = len(tokens)
    ones, zeros, piece = np.ones(n, dtype=np.int64), np.zeros(n), np.zeros(n, dtype=np.int64)
    return TextWindows(
        tokens, 0, x.shape[1], form, characters=ones, spelling=zeros, piece=piece, place=lambda i: "the text"
    )


def fit(name: str, steps: int, budget: float, turn: Turn = alone) -> Took:
    """A fit of Workings, with looks at validation rows after every epoch."""
    net, program, settings = FITS[name]
    torch.manual_seed(0)
    x, y = program.x(), program.y()
    language = net == "gpt"
    form = Form(vocabulary=65, each_step=True) if language else Form()
    task: Any = "language" if language else "binary" if y.is_floating_point() else "multiclass"
    outputs = 65 if language else 1 if task == "binary" else 10
    y = y[:, 0].long() if task == "binary" else y
    recipe = Recipe(
        net=net,
        lane="eager@1",
        batch_size=program.batch,
        epochs=max(1.0, steps * program.batch / N),
        learning_rate=1e-3,
        patience=None,
        watch=budget,
        net_settings=settings,
        report=False,
        baselines=False,
    )
    shape = tuple(x.shape[1:])
    recipe = settle(recipe, Facts(N, 256, shape, task, outputs, [], form=form), silent)
    model = build(net, shape, outputs, form, **settings)
    sources: list[Source] = [MemorySource(x, y), MemorySource(x[:256], y[:256])]
    if language:
        sources = [windows(x, form), windows(x[:64], form)]
    samples = sources[0].x

    def in_turn(index: Tensor) -> Tensor:
        turn()
        return samples(index)

    sources[0].x = in_turn
    fitted = Fit(model, task, recipe, sources[0], sources[1], silent, state=LoopState())
    began = time.thread_time()
    fitted.run()
    seconds, watched = time.thread_time() - began, fitted.watched
    return Took(seconds) if watched is None else Took(seconds, watched.budget.part, watched.budget.looks)


RUNS: dict[str, Callable[..., Took]] = {"loops": loop, "fits": fit}


class Turns:
    """Two threads, of which one trains while the other waits.

    ``torch.autograd.backward``, which a watch replaces while it is open, is what it is for each of them, and the clock
    of the second, the watched one, stands still while it waits.
    """

    clock = staticmethod(time.perf_counter)
    waited = 0.0

    @classmethod
    def now(cls) -> float:
        """The watched thread's clock."""
        return cls.clock() - cls.waited

    def __init__(self, first: int) -> None:
        self.whose, self.left = first, 2
        self.changed = threading.Condition()
        self.began = 0.0
        self.backward = [torch.autograd.backward] * 2

    def take(self, i: int) -> None:
        """Wait for one's turn."""
        began = self.clock()
        with self.changed:
            self.changed.wait_for(lambda: self.whose == i or self.left == 1)
        Turns.waited += (self.clock() - began) * i
        torch.autograd.backward = self.backward[i]
        self.began = time.thread_time()

    def give(self, i: int) -> None:
        """It is the other's turn."""
        self.backward[i] = torch.autograd.backward
        with self.changed:
            self.whose = 1 - i
            self.changed.notify_all()

    def turn(self, i: int) -> None:
        """Called between steps."""
        if time.thread_time() - self.began > TURN and self.left == 2:
            self.give(i)
            self.take(i)


def in_turns(part: str, name: str, steps: int, first: int) -> list[Took]:
    """What both took: not watched, watched. first: which of them begins."""
    turns, took, failed = Turns(first), [Took(0.0)] * 2, []

    def train(i: int) -> None:
        torch.set_num_threads(1)
        turns.take(i)
        try:
            took[i] = RUNS[part](name, steps, (0.0, BUDGET)[i], partial(turns.turn, i))
        except Exception as error:  # noqa: BLE001 - raised again by the thread that waits for both
            failed.append(error)
        turns.left -= 1
        turns.give(i)

    threads = [threading.Thread(target=train, args=(i,)) for i in (first, 1 - first)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failed:
        raise failed[0]
    return took


def compare(part: str, name: str, seconds: float, rounds: int) -> Row:
    """The median over rounds of the ratio of the times with and without watching."""
    steps = max(200, round(seconds * 100 / RUNS[part](name, 100, 0.0).cpu))
    cost, own, looks = [], [], []
    for i in range(rounds):
        plain, watched = in_turns(part, name, steps, i % 2)
        cost.append(100 * (watched.cpu / plain.cpu - 1))
        own.append(100 * watched.own)
        looks.append(watched.looks)
        print(f"  {part}, {name}: {cost[-1]:+.2f} %, own account {own[-1]:.2f} %, {looks[-1]} looks", flush=True)
    return {
        "what": f"{'PyTorch loop' if part == 'loops' else 'workings train'}: {name}",
        "value": f"{statistics.median(cost):+.1f} %",
        "spread": f"{min(cost):+.1f} to {max(cost):+.1f} %",
        "n": rounds,
        "bar": "≤ 3 %",
        "met": statistics.median(cost) <= 100 * BUDGET,
        "own account": f"{statistics.median(own):.1f} %",
        "looks": round(statistics.median(looks)),
        "steps": steps,
    }


# Two threads take memory from one place and give none of it back to the system, or one may have luck with its pages
# that the other has not: loops of convolutions differed by a fifth, neither of them watched.
MEMORY = {"MALLOC_ARENA_MAX": "1", "MALLOC_TRIM_THRESHOLD_": str(1 << 30), "MALLOC_MMAP_THRESHOLD_": str(1 << 25)}


def main() -> None:
    """Measure what is asked for, and write it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", default=[], help="loops, fits; both where none is named")
    parser.add_argument("--quick", action="store_true", help="one short round each, nothing written")
    parser.add_argument("--seconds", type=float, default=12.0, help="of training, each time")
    parser.add_argument("--rounds", type=int, default=9)
    given = parser.parse_args()
    unknown = [each for each in given.parts if each not in ("loops", "fits")]
    if unknown:
        parser.error(f"there is no part called '{unknown[0]}'; there are loops and fits")
    seconds, rounds = (4.0, 1) if given.quick else (given.seconds, given.rounds)
    if any(os.environ.get(name) != value for name, value in MEMORY.items()):
        os.execve(sys.executable, [sys.executable, *sys.argv], {**os.environ, **MEMORY})
    torch.set_num_threads(1)
    time.perf_counter = Turns.now
    asked = [("loops", each.what) for each in LOOPS] + [("fits", name) for name in FITS]
    rows = [compare(*each, seconds, rounds) for each in asked if not given.parts or each[0] in given.parts]
    if given.quick:
        for row in rows:
            print(row)
        return
    write("watch", f"{COMMAND} --seconds {seconds:g} --rounds {rounds}", rows, budget=BUDGET, seconds=seconds)


if __name__ == "__main__":
    main()
