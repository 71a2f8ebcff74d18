"""The gradient on its way back: what each operation sends to its inputs, added up from the loss to the parameters.

It is the textbook's own: it begins with ∂L/∂L = 1, and each rule says what goes on. Autograd's is only compared with,
but for what flows through operations that could not be seen.

Where terms cancel, float64 has no more digits than 1e-16 of what they were, so a comparison there is relative to these.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from workings.solutions.calls import Call, Value
from workings.solutions.record import Record
from workings.solutions.rules.base import Rule

TOLERANCE = 1e-9
CANCELLED = 1e-6  # of what was added up: what is left may be off by 1e-15 of it
NOTHING = 1e-10  # of its terms: a sum of no more is what float64 left of 0


class Flow:
    """By the id of a value: what has arrived there; the pieces that it is the sum of, each with the call that sent it,
    or None where that could not be seen.

    values: all that something arrived at. unseen: those that autograd's own gradient was taken for.
    """

    def __init__(self, record: Record, rules: dict[int, Rule], loss: Value) -> None:
        self.record, self.rules = record, rules
        self.arrived: dict[int, Tensor] = {id(loss): torch.ones_like(loss.data)}
        self.values: dict[int, Value] = {id(loss): loss}
        self.pieces: dict[int, list[tuple[Call | None, Tensor]]] = {}
        self.unseen: list[Value] = []
        # The largest number that an operation added up, and all that was added up before some of it cancelled.
        self.sizes: dict[int, float] = {}
        self.noise: dict[int, float] = {}

    def run(self) -> list[tuple[Call, dict[int, Tensor]]]:
        """Each operation that something flows through, from the last to the first, and what it sends."""
        found = [(call, self._send(call)) for call in reversed(self.record.calls)]
        return [(call, sent) for call, sent in found if sent is not None]

    def _complete(self, value: Value) -> Tensor | None:
        """The whole gradient of a value, all its users having sent theirs."""
        made = self.arrived.get(id(value))
        if not self.record.unseen or value.grad is None or not bool(value.grad.any()):
            return made
        floor = self.floor(value)
        if made is None or relative(made, value.grad, floor) > TOLERANCE:
            self.unseen.append(value)
            if made is not None:
                self.pieces[id(value)].insert(0, (None, value.grad - made))
            self.arrived[id(value)] = made = value.grad
            self.values[id(value)] = value
        return made

    def floor(self, value: Value) -> float:
        """What a difference from autograd is at least taken relative to: terms may have cancelled to nothing."""
        return CANCELLED * max(self.sizes.get(id(value), 0.0), self.noise.get(id(value), 0.0))

    def _send(self, call: Call) -> dict[int, Tensor] | None:
        """What an operation sends to its inputs, added to what has arrived there; None where nothing flows through."""
        if not carries(call.outputs[0].data) or not any(v.needs_grad for v in call.inputs):
            return None
        deltas = [self._complete(v) for v in call.outputs]
        if all(d is None for d in deltas):
            return None
        filled = [torch.zeros_like(v.data) if d is None else d for v, d in zip(call.outputs, deltas, strict=True)]
        sent = self.rules[id(call)].backward(call, filled)
        floating = [d for d in filled if carries(d) and d.numel()]
        largest = max((float(d.abs().max()) for d in floating), default=0.0)
        count = max((d.numel() for d in floating), default=0)
        lost = max([1.0, *(self.noise.get(id(v), 0.0) / largest for v in call.outputs if largest)])
        lost = lost if lost > 1 / CANCELLED else 1.0  # less than that is within the tolerance
        sent = {id(v): sent[id(v)] for v in call.inputs if id(v) in sent and v.needs_grad}
        for value in call.inputs:
            if id(value) not in sent:
                continue
            piece = sent[id(value)]
            self.pieces.setdefault(id(value), []).append((call, piece))
            summed = max(1.0, count / max(1, piece.numel()))
            self.sizes[id(value)] = max(self.sizes.get(id(value), 0.0), largest * summed)
            left = float(piece.abs().max()) if piece.numel() else 0.0
            left = left if left > NOTHING * largest * summed else largest * summed
            self.noise[id(value)] = self.noise.get(id(value), 0.0) + lost * left
            known = self.arrived.get(id(value))
            self.arrived[id(value)] = piece if known is None else known + piece
            self.values[id(value)] = value
        return sent


def carries(data: Tensor) -> bool:
    """Whether there can be a gradient of such numbers."""
    return data.is_floating_point() or data.is_complex()


def relative(a: Tensor, b: Tensor, floor: float = 0.0) -> float:
    """The largest difference, relative to the largest number; infinite where the shapes or a NaN differ."""
    if a.shape != b.shape:
        return math.inf
    if not a.numel():
        return 0.0
    wide = torch.complex128 if b.is_complex() else torch.float64
    a, b = a.to(wide), b.to(wide)
    worst, size = float((a - b).abs().max()), float(b.abs().max())
    if math.isfinite(worst) and math.isfinite(size):
        return worst / max(size, floor, 1e-300)
    same = (a == b) | (torch.isnan(a) & torch.isnan(b))
    difference = torch.where(same, 0.0, (a - b).abs())
    finite = b[torch.isfinite(b)]
    scale = max(float(finite.abs().max()) if finite.numel() else 0.0, floor, 1e-300)
    worst = float(difference.max())
    return math.inf if math.isnan(worst) else worst / scale
