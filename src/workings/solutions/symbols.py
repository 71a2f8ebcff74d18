"""Which symbol each tensor of a record gets, numbered in the order of execution as textbooks number layers."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from workings.solutions.calls import Call, Value
from workings.solutions.expressions import Quantity
from workings.solutions.record import Record
from workings.solutions.rules.base import Rule

_PARAMETERS = {"weight": "W", "bias": "b"}
_NORMS = {"weight": "γ", "bias": "β"}


def real_numbers(data: Tensor) -> Tensor:
    """Float64; a complex number is a pair, its real and its imaginary part."""
    if data.is_complex():
        return torch.view_as_real(data.resolve_conj()).double()
    return data.resolve_neg() if data.is_floating_point() else data.double()


class Page:
    """The symbols of one record: x input, t target, W and b of layer l, z⁽ˡ⁾ what they give, a⁽ˡ⁾ its activation.

    find: the rule of a call. samples: B, the samples of the step.
    """

    def __init__(self, record: Record, find: Callable[[Call], Rule], samples: int, weighted: bool = True) -> None:
        self.record, self.find, self.samples = record, find, samples
        self.known: dict[int, Quantity] = {}
        self.deltas: dict[int, Quantity] = {}
        self.inners: dict[tuple[int, str], Quantity] = {}
        self.used: dict[tuple[str, str], int] = {}
        self.layer = 0
        self.others = 0
        self._alive: list[Value] = []
        for call in record.calls:
            self._name(call)

    def _name(self, call: Call) -> None:
        rule = self.find(call)
        self.layer += rule.depth(call)
        for letter, below, value in rule.named(call):
            self._give(value, letter, str(self.layer - below))
        for name, value in self._parameters(call, rule):
            self._give(value, name, str(self.layer or ""))
        for output in call.outputs:
            if output.data.is_floating_point():
                self._give(output, rule.letter, "" if rule.loss else str(self.layer or ""))

    def _parameters(self, call: Call, rule: Rule) -> list[tuple[str, Value]]:
        found: list[tuple[str, Value]] = []
        for name in ("weight", "bias"):
            value = call.bound("input", "weight", "bias")[1 if name == "weight" else 2] if rule.weighted else None
            if rule.name == "embedding":
                value = call.bound("input", "weight")[1] if name == "weight" else None
            if "norm" in rule.name:
                value = call.kwargs.get(name, value)
            if isinstance(value, Value) and value.kind in ("parameter", "changed", ""):
                letters = _NORMS if "norm" in rule.name else _PARAMETERS
                found.append(("E" if rule.name == "embedding" else letters[name], value))
        return found

    def _give(self, value: Value, letter: str, layer: str) -> None:
        if id(value) in self.known:
            return
        key = (letter, layer)
        if letter == "u" or (key in self.used and letter in ("v", "s")):
            self.others += 1
            key = (letter, str(self.others))
        primes = self.used.get(key, 0)
        self.used[key] = primes + 1
        if primes:
            if primes < 3:
                key = (key[0] + "′" * primes, key[1])
            else:
                self.others += 1
                key = ("u", str(self.others))
        self._keep(value, *key)

    def _keep(self, value: Value, letter: str, layer: str) -> Quantity:
        data = real_numbers(value.data)
        per_sample = value.kind not in ("parameter", "buffer") and value.data.ndim > 0
        one = self.samples == 1 and per_sample and value.data.shape[0] == 1
        self.known[id(value)] = made = Quantity(letter, layer, data, value.name, one_sample=one)
        self._alive.append(value)
        return made

    def quantity(self, value: Value) -> Quantity:
        """The symbol of a value."""
        if id(value) in self.known:
            return self.known[id(value)]
        letter = {"input": "x", "target": "t", "parameter": "θ", "buffer": "c", "constant": "c"}.get(value.kind, "u")
        if letter in ("x", "t") and (letter, "") not in self.used:
            self.used[letter, ""] = 1
            return self._keep(value, letter, "")
        self.others += 1
        return self._keep(value, letter, str(self.others))

    def arrived(self, value: Value, gradient: Tensor) -> Quantity:
        """Keep the gradient that has arrived at a value, under δ for what a layer's weights give, else ∂L/∂."""
        q = self.quantity(value)
        is_delta = q.letter == "z"
        gradient = real_numbers(gradient)
        made = Quantity(
            "δ" if is_delta else "", q.layer if is_delta else "", gradient, gradient_of=q, one_sample=q.one_sample
        )
        self.deltas[id(value)] = made
        return made

    def delta(self, value: Value) -> Quantity:
        """The gradient that has arrived at a value."""
        if id(value) not in self.deltas:
            return self.arrived(value, value.data.new_zeros(value.data.shape))
        return self.deltas[id(value)]

    def inner(self, call: Call, letter: str, data: Tensor, layer: str | None = None) -> Quantity:
        """A quantity inside an operation, the same one each time it is asked for. layer: if not the output's."""
        key = (id(call), letter if layer is None else f"{letter} {layer}")
        if key not in self.inners:
            one = self.samples == 1 and data.ndim > 0 and data.shape[0] == 1
            if layer is None:
                layer = "" if self.find(call).loss else self.quantity(call.out).layer
            self.inners[key] = Quantity(letter, layer, data, one_sample=one)
        return self.inners[key]

    def inner_gradient(self, call: Call, of: Quantity, data: Tensor) -> Quantity:
        """∂L/∂ of a quantity inside an operation."""
        key = (id(call), f"∂ {of.letter} {of.layer}")
        if key not in self.inners:
            self.inners[key] = Quantity("", "", data, gradient_of=of, one_sample=of.one_sample)
        return self.inners[key]
