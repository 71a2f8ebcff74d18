"""Lanes: equal ways to execute the same learning step, of which the fastest is measured, not guessed.

A lane is named by what it does: ``eager``, ``channels-last``, ``bf16``, ``gradient`` or ``compiled``, then the number
of threads (``@1``), then, for compiled lanes, how many steps one graph holds (``x8``).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from workings.base.errors import refuse
from workings.learning.compiled import CompiledGradient, CompiledSteps
from workings.learning.optimisers import State
from workings.learning.rules import Batches
from workings.learning.step import GradientStep

_NAME = re.compile(r"^(eager|channels-last|bf16|gradient|compiled)@(\d+)(?:x(\d+))?$")


@dataclass(frozen=True)
class Lane:
    """How a step is executed.

    kind: ``eager``; ``channels-last`` (images stored with channels innermost); ``bf16`` (channels-last where there
        are channels, and the forward pass in bfloat16); ``gradient`` (forward and backward compiled into one graph);
        ``compiled`` (forward, backward and update in one graph).
    threads: of torch's pool. steps: in one graph, of a compiled lane.
    """

    kind: str
    threads: int
    steps: int = 1

    @property
    def name(self) -> str:
        return f"{self.kind}@{self.threads}" + (f"x{self.steps}" if self.kind == "compiled" else "")


def parse_lane(name: str) -> Lane:
    """The lane of that name.

    Raises:
        UserError: the name is not of the form described above, or this machine cannot execute it.
    """
    found = _NAME.match(name)
    if not found:
        raise refuse(
            "unknown-lane",
            f"There is no lane called '{name}'.",
            do="A lane is eager@1, eager@2, channels-last@2, bf16@2, gradient@2, compiled@1x1, compiled@1x8, or auto.",
        )
    lane = Lane(found[1], int(found[2]), int(found[3] or 1))
    if lane.kind == "bf16" and not has_bf16():
        raise refuse(
            "no-bf16",
            "This processor has no bfloat16 instructions.",
            why="Emulated bfloat16 is slower than float32 and less exact.",
            do="Choose lane=auto, or a processor with AVX512-BF16 or AMX.",
        )
    return lane


def has_bf16() -> bool:
    """Whether this processor multiplies bfloat16 natively."""
    return bool(torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())


class LaneRunner:
    """Executes learning steps in one lane. The parameters live in ``step.flat.w`` throughout."""

    def __init__(self, lane: Lane, step: GradientStep, state: State) -> None:
        self.lane = lane
        self.step = replace(step, bf16=lane.kind == "bf16")
        self.state = state
        self._graph: CompiledSteps | None = None
        self._gradient: CompiledGradient | None = None

    def enter(self) -> None:
        """Set the thread count that belongs to the lane."""
        if torch.get_num_threads() != self.lane.threads:
            torch.set_num_threads(self.lane.threads)

    def advance(self, x: Batches, y: Batches, weight: Tensor | None, h: list[list[float]]) -> Tensor:
        """k steps on k batches: x (k, B, *shape), y (k, B, ...), weight (k, B) or None, h one list a step.

        Returns the losses (k,). From the first non-finite loss on, nothing changes any more.
        """
        k = len(x)
        if isinstance(x, Tensor) and isinstance(y, Tensor) and self._compiles(k):
            if self._graph is None:
                self._graph = CompiledSteps(self.step, self.state, self.lane.steps, x, y, weight)
            return self._graph(x, y, weight, h)
        losses = []
        for i in range(k):
            losses.append(self._one(x[i], y[i], None if weight is None else weight[i], h[i], isinstance(x, Tensor)))
            if not bool(torch.isfinite(losses[-1])):
                losses += [losses[-1]] * (k - i - 1)
                break
        return torch.stack(losses)

    def _one(self, x: Tensor, y: Tensor, weight: Tensor | None, h: list[float], one_shape: bool) -> Tensor:
        if self.lane.kind == "gradient" and one_shape:
            if self._gradient is None:
                self._gradient = CompiledGradient(self.step, self.state, x, y, weight)
            return self._gradient(x, y, weight, h)
        return self.step.in_place(self.state, self._stored(x), y, weight, h)

    def _compiles(self, k: int) -> bool:
        return self.lane.kind == "compiled" and k % self.lane.steps == 0

    def _stored(self, x: Tensor) -> Tensor:
        return channels_last(x) if self.lane.kind in ("channels-last", "bf16") else x


def channels_last(x: Tensor) -> Tensor:
    """Images (B, C, H, W) stored with channels innermost; anything else as it is.

    Trap: with one channel both orders look the same to torch, which then takes the slow one for the whole net. The
    strides have to be written out (measured: 54 against 35 ms a step of a small net).
    """
    if x.ndim != 4:
        return x
    B, C, H, W = x.shape
    if C == 1:
        return x.contiguous().as_strided((B, C, H, W), (H * W, 1, W, 1))
    return x.contiguous(memory_format=torch.channels_last)
