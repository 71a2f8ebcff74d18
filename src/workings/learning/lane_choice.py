"""Which lane is fastest for this net on this machine: measured on the first real batches.

Each candidate must first agree with the eager lane on one step. The net, the optimiser and torch's generator are
put back afterwards, so measuring changes nothing but the choice, which is written into the recipe.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from workings.base.events import Decided, Emit
from workings.learning.gradient import GradientRule
from workings.learning.lanes import Lane, LaneRunner, has_bf16
from workings.learning.loop import CHUNK, put_back
from workings.learning.rules import Batches

FirstBatches = Callable[[int], tuple[Batches, Batches, Tensor | None]]

# Below this much training, measuring costs more than it can save.
WORTH_MEASURING_SECONDS = 2.0
# A graph of one step takes a few seconds to compile, a graph of eight about eight times that.
WORTH_COMPILING_SECONDS = 20.0
WORTH_UNROLLING_SECONDS = 600.0
# Compiling takes time by the operation; a loop over the steps of a sequence has thousands, and is worth its compiling
# only where training lasts many times as long (measured: 85 s for 2,900 of them).
SECONDS_AN_OPERATION = 0.03
COMPILING_SHARE = 0.2
LARGE = 100_000  # parameters from which a second thread may pay, and the update is better left to its own kernel
ROUNDS = 5
SLICE_SECONDS = 0.04
# Of the gradient (or what the optimiser keeps of it), relative to its norm. float32 sums differ by order only, but in
# a deep net with max pooling another order moves some maxima and signs, and with them whole terms of the gradient
# (measured: up to 1e-2 between two orders of one sum). A lane that is wrong is wrong by about 1.
TOLERANCE = {"eager": 0.05, "channels-last": 0.05, "gradient": 1e-3, "compiled": 1e-3, "bf16": 0.2}


@dataclass(frozen=True)
class Measured:
    """One candidate: median microseconds a step; seconds to compile; how far it was from the eager lane."""

    lane: str
    microseconds: float
    compile_seconds: float = 0.0
    deviation: float = 0.0
    refused: str = ""

    def to_dict(self) -> dict[str, object]:
        return asdict(self)


def choose_lane(
    rule: GradientRule, batches: FirstBatches, steps: int, emit: Emit, threads: int, may_compile: bool
) -> tuple[Lane, str, list[Measured]]:
    """The fastest lane for ``steps`` more steps, the reason, and what was measured.

    batches: k → (x (k, B, *shape), y, weight): the first k batches of training, augmented as they will be; lists
        where batches differ in length.
    threads: the most to use. may_compile: whether the net's forward pass is known to be a pure function.
    """
    trial = _Trial(rule, batches(min(CHUNK, steps)))
    one = trial.measure_alone(Lane("eager", 1))
    total = one.microseconds * steps / 1e6
    if total < WORTH_MEASURING_SECONDS:
        trial.restore()
        reason = f"all {steps:,} steps take about {total:.1f} s, less than measuring other lanes would"
        return Lane("eager", 1), reason, [one]
    x = trial.x
    lanes = [Lane("eager", count) for count in sorted({1, threads})]
    stacked = isinstance(x, Tensor)  # batches that differ in length cannot share a compiled graph
    if isinstance(x, Tensor) and x.ndim == 5:
        lanes += [Lane("channels-last", count) for count in sorted({1, threads})]
    if has_bf16():
        lanes.append(Lane("bf16", threads))
    measured = trial.measure_together(lanes)
    best = min((m for m in measured if not m.refused), key=lambda m: m.microseconds)
    convolves = any(isinstance(module, nn.Conv2d) for module in rule.net.modules())
    lasts = best.microseconds * steps / 1e6
    if may_compile and stacked and not convolves and lasts > WORTH_COMPILING_SECONDS:
        count = trial.operations()
        compiling = count * SECONDS_AN_OPERATION
        if compiling > COMPILING_SHARE * lasts:
            why = f"its {count:,} operations take about {compiling:.0f} s to compile, all steps about {lasts:.0f} s"
            measured.append(Measured("compiled", math.inf, refused=why))
        else:
            measured += _compiled(trial, rule, best, steps, threads, compiling)
    measured.sort(key=lambda m: m.microseconds)
    best = next(m for m in measured if not m.refused)
    trial.restore()
    lane = next(lane for lane in trial.runners if lane.name == best.lane)
    rule.use(trial.runners[lane])
    others = ", ".join(f"{m.lane} {m.microseconds:,.0f}" for m in measured if m is not best and not m.refused)
    reason = f"measured {best.microseconds:,.0f} µs a step" + (f"; others: {others}" if others else "")
    for m in measured:
        if m.refused:
            emit(Decided("lane refused", m.lane, m.refused))
    return lane, reason, measured


def _compiled(
    trial: _Trial, rule: GradientRule, best: Measured, steps: int, threads: int, compiling: float
) -> list[Measured]:
    """The compiled candidates; of those that take ``compiling`` seconds each, no more than may be worth it."""
    large = rule.flat.w.numel() > LARGE
    counts = sorted({1, threads}) if large else [1]
    measured = trial.measure_together([Lane("gradient", n) if large else Lane("compiled", n, 1) for n in counts])
    fastest = min(measured, key=lambda m: m.microseconds)
    lasts = fastest.microseconds * steps / 1e6
    gained = not fastest.refused and fastest.microseconds < best.microseconds
    if gained and not large and lasts > max(WORTH_UNROLLING_SECONDS, CHUNK * compiling / COMPILING_SHARE):
        measured += trial.measure_together([Lane("compiled", 1, CHUNK)])
    return measured


class _Counting(TorchDispatchMode):
    """Counts the operations that run."""

    count = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.count += 1
        return func(*args, **(kwargs or {}))


class _Trial:
    """Candidates run from one snapshot; everything is put back."""

    def __init__(self, rule: GradientRule, batch: tuple[Batches, Batches, Tensor | None]) -> None:
        self.rule = rule
        self.x, self.y, self.weight = batch
        self.saved = {name: tensor.clone() for name, tensor in rule.tensors().items()}
        self.generator = torch.get_rng_state()
        self.threads = torch.get_num_threads()
        self.runners: dict[Lane, LaneRunner] = {}
        self.reference: tuple[Tensor, Tensor] | None = None

    def restore(self) -> None:
        put_back(self.rule, self.saved)
        torch.set_rng_state(self.generator)
        torch.set_num_threads(self.threads)

    def runner(self, lane: Lane) -> LaneRunner:
        if lane not in self.runners:
            self.runners[lane] = LaneRunner(lane, self.rule.step, self.rule.state)
        self.runners[lane].enter()
        return self.runners[lane]

    def steps(self, lane: Lane, start: int, count: int) -> Tensor:
        rule = self.rule
        weight = None if self.weight is None else self.weight[start : start + count]
        h = [rule.optimiser.scalars(i + 1, rule.schedule(start + i)) for i in range(count)]
        return self.runner(lane).advance(self.x[start : start + count], self.y[start : start + count], weight, h)

    def operations(self) -> int:
        """How many operations a step has, as a graph of it would."""
        self.restore()
        with _Counting() as counting:
            self.steps(Lane("eager", 1), 0, 1)
        return counting.count

    def learnt(self) -> Tensor:
        """What one step left behind of the gradient: the optimiser's first memory, or else the change of w."""
        return self.rule.state[0].clone() if self.rule.state else self.rule.flat.w - self.saved["w"]

    def deviation(self, lane: Lane) -> float:
        """‖g_lane − g_eager‖/‖g_eager‖ after one chunk from the snapshot, or the same of its losses if that is more.

        Also warms the lane up.
        """
        count = lane.steps if lane.kind == "compiled" else 1
        if self.reference is None or count > 1:
            self.restore()
            losses = self.steps(Lane("eager", 1), 0, count)
            self.reference = self.learnt(), losses
        self.restore()
        losses = self.steps(lane, 0, count)
        pairs = zip((self.learnt(), losses), self.reference, strict=True)
        return max(float((ours - theirs).norm() / (theirs.norm() + 1e-30)) for ours, theirs in pairs)

    def slice(self, lane: Lane, repeats: int) -> float:
        """Seconds a step over ``repeats`` passes through a chunk's worth of steps.

        One pass more comes first, untimed: when the number of threads changes, the first step pays for that (measured:
        with two threads an LSTM of 10 ms a step looked like one of 15).
        """
        k = lane.steps if lane.kind == "compiled" else 1
        count = len(self.x) // k
        self.steps(lane, 0, k)
        began = time.perf_counter()
        for r in range(repeats):
            self.steps(lane, (r % count) * k, k)
        return (time.perf_counter() - began) / (repeats * k)

    def repeats(self, seconds: float, lane: Lane) -> int:
        k = lane.steps if lane.kind == "compiled" else 1
        return max(1, math.ceil(SLICE_SECONDS / max(seconds * k, 1e-7)))

    def measure_alone(self, lane: Lane) -> Measured:
        self.deviation(lane)
        first = self.slice(lane, 1)
        times = [self.slice(lane, self.repeats(first, lane)) for _ in range(3)]
        return Measured(lane.name, median(times) * 1e6)

    def measure_together(self, lanes: list[Lane]) -> list[Measured]:
        """Interleaved rounds, because the machine's speed drifts."""
        found: dict[Lane, Measured] = {}
        first: dict[Lane, float] = {}
        for lane in lanes:
            began = time.perf_counter()
            try:
                deviation = self.deviation(lane)
            # Whatever tracing or the C++ compiler raises means only that this lane is not to be had; it is told.
            except (RuntimeError, AssertionError, TypeError, ValueError, OSError, LookupError) as error:
                if lane.kind not in ("compiled", "gradient", "bf16"):
                    raise
                text = " ".join(str(error).split())[:200]
                found[lane] = Measured(lane.name, math.inf, refused=f"{type(error).__name__}: {text}")
                continue
            compile_seconds = time.perf_counter() - began if lane.kind in ("compiled", "gradient") else 0.0
            if not deviation <= TOLERANCE[lane.kind]:
                why = f"one step differs from the eager lane by {deviation:.1e} of the gradient"
                found[lane] = Measured(lane.name, math.inf, compile_seconds, deviation, why)
                continue
            first[lane] = self.slice(lane, 1)
            found[lane] = Measured(lane.name, 0.0, compile_seconds, deviation)
        times: dict[Lane, list[float]] = {lane: [] for lane in first}
        for _ in range(ROUNDS):
            for lane, seconds in first.items():
                times[lane].append(self.slice(lane, self.repeats(seconds, lane)))
        return [
            Measured(m.lane, median(times[lane]) * 1e6, m.compile_seconds, m.deviation) if lane in times else m
            for lane, m in found.items()
        ]
