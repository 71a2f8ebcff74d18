"""Losses: one number from outputs and targets, and how it changes with each output.

    half the squared error   L = ½ Σ (t − a)²                ∂L/∂a = a − t
    mean squared error       L = (1/N) Σ (t − a)²            ∂L/∂a = (2/N)(a − t)
    binary cross-entropy     L = −Σ [y ln p + (1 − y) ln(1 − p)]/N,  p = σ(z)      ∂L/∂z = (p − y)/N
    cross-entropy            L = −Σ ln p_y/N,  p = softmax(z)                      ∂L/∂z = (p − q)/N,  q one-hot

In a batch of B samples a loss of Workings is the mean over samples, so the first is divided by B too.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from workings.solutions.expressions import Entry, Expr, Number, SumOver, Symbol, exp, ln, sum_of
from workings.solutions.record import Call, Value
from workings.solutions.rules.base import (
    Equation,
    Index,
    Inner,
    Rule,
    Symbols,
    accumulate,
    every,
    gradient,
    whole,
)
from workings.solutions.rules.elementwise import logistic


class Squared(Rule):
    """c Σ (t − a)² with c = ½/B, 1/N or 1."""

    name = "squared error"
    letter = "L"
    loss = True
    complete = True

    def __init__(self, kind: str) -> None:
        self.kind = kind

    def fits(self, call: Call) -> bool:
        a, t = call.inputs[0], _target(call)
        weighted = len(call.inputs) > 2 or call.kwargs.get("weight") is not None
        return isinstance(t, Value) and _like(a, t).shape == a.data.shape and not weighted and call.out.data.ndim == 0

    def factor(self, call: Call) -> float:
        n = call.inputs[0].data.numel()
        if self.kind == "half":
            return 0.5 / len(call.inputs[0].data)
        return 1.0 if _reduction(call) == "sum" else 1.0 / n

    def forward(self, call: Call) -> list[Tensor]:
        a, t = call.inputs[0].data, _like(call.inputs[0], _target(call))
        return [self.factor(call) * (t - a).square().sum()]

    def backward(self, call: Call, deltas: list[Tensor]) -> dict[int, Tensor]:
        a, t, sent = call.inputs[0], _target(call), {}
        g = 2 * self.factor(call) * (a.data - _like(a, t)) * deltas[0]
        accumulate(sent, a, g)
        accumulate(sent, t, -g.reshape(t.data.shape))
        return sent

    def equations(self, call: Call, at: Symbols) -> list[Equation]:
        a, t = at.quantity(call.inputs[0]), at.quantity(_target(call))
        return [(Symbol("L"), _times(self.factor(call), SumOver("k", (_k(t) - _k(a)) ** 2)))]

    def backward_equations(self, call: Call, at: Symbols) -> list[Equation]:
        a, t = whole(at, call.inputs[0]), whole(at, _target(call))
        return [(gradient(at, call.inputs[0]), _times(2 * self.factor(call), a - t))]

    def element(self, call: Call, at: Symbols, index: Index) -> Expr:
        a, t = at.quantity(call.inputs[0]), at.quantity(_target(call))
        shape = call.inputs[0].data.shape
        return _times(
            self.factor(call),
            sum_of([(t[_fold(t.data, shape, i)] - a[i]) ** 2 for i in every(shape)]),
        )

    def sent(self, call: Call, at: Symbols, to: Value, index: Index) -> Expr | None:
        a, t = at.quantity(call.inputs[0]), at.quantity(_target(call))
        if to is not call.inputs[0]:
            return None
        return _times(2 * self.factor(call), a[index] - t[_fold(t.data, a.data.shape, index)])


class BinaryCrossEntropy(Rule):
    """Of logits z, with p = σ(z); with label smoothing ε the target is q = (1 − ε) y + ε/2."""

    name = "binary cross-entropy of a logit"
    letter = "L"
    loss = True
    complete = True

    def fits(self, call: Call) -> bool:
        plain = len(call.inputs) == 2 and _plain_loss(call)
        return plain and _like(call.inputs[0], _target(call)).shape == call.inputs[0].data.shape and _mean(call)

    def forward(self, call: Call) -> list[Tensor]:
        z, y = call.inputs[0].data, self.q(call)
        return [((1 - y) * z + torch.log1p(torch.exp(-z.abs())) + (-z).clamp(min=0)).mean()]

    def backward(self, call: Call, deltas: list[Tensor]) -> dict[int, Tensor]:
        z, y = call.inputs[0], self.q(call)
        sent: dict[int, Tensor] = {}
        accumulate(sent, z, (logistic(z.data) - y) / z.data.numel() * deltas[0])
        return sent

    def q(self, call: Call) -> Tensor:
        """The targets, in the shape of z."""
        epsilon = _smoothing(call)
        return (1 - epsilon) * _like(call.inputs[0], _target(call)) + epsilon / 2

    def _entry(self, call: Call, at: Symbols, i: Index) -> Entry:
        if _smoothing(call):
            return at.inner(call, "q", self.q(call))[i]
        y = at.quantity(_target(call))
        return y[_fold(y.data, call.inputs[0].data.shape, i)]

    def _symbol(self, call: Call, at: Symbols) -> Expr:
        return Symbol("q") if _smoothing(call) else whole(at, _target(call))

    def inner(self, call: Call, at: Symbols) -> list[Inner]:
        z = at.quantity(call.inputs[0])
        p = at.inner(call, "p", logistic(z.data))
        found = [Inner(p, lambda i: logistic(z[i]), (Symbol("p"), logistic(whole(at, call.inputs[0]))))]
        epsilon, y = _smoothing(call), at.quantity(_target(call))
        if not epsilon:
            return found
        kept = 1 - Number(epsilon)

        def smoothed(i: Index) -> Expr:
            return kept * y[_fold(y.data, z.data.shape, i)] + Number(epsilon) / 2

        said = kept * whole(at, _target(call)) + Number(epsilon) / 2
        return [*found, Inner(at.inner(call, "q", self.q(call)), smoothed, (Symbol("q"), said))]

    def equations(self, call: Call, at: Symbols) -> list[Equation]:
        y, p = self._symbol(call, at), Symbol("p")
        L = y * ln(p) + (1 - y) * ln(1 - p)
        n = call.inputs[0].data.numel()
        return [(Symbol("L"), -L if n == 1 else -(SumOver("n", L) / n))]

    def backward_equations(self, call: Call, at: Symbols) -> list[Equation]:
        n, y = call.inputs[0].data.numel(), self._symbol(call, at)
        return [(gradient(at, call.inputs[0]), Symbol("p") - y if n == 1 else (Symbol("p") - y) / n)]

    def element(self, call: Call, at: Symbols, index: Index) -> Expr:
        shape = call.inputs[0].data.shape
        p, z = at.inner(call, "p", logistic(call.inputs[0].data)), at.quantity(call.inputs[0])
        terms: list[Expr] = []
        for i in every(shape):
            t = self._entry(call, at, i)
            if t.value == 1:
                terms.append(_log(p, z, i, 1))
            elif t.value == 0:
                terms.append(_log(p, z, i, -1))
            else:
                terms.append(t * _log(p, z, i, 1) + (1 - t) * _log(p, z, i, -1))
        n = len(terms)
        return -sum_of(terms) if n == 1 else -(sum_of(terms) / n)

    def sent(self, call: Call, at: Symbols, to: Value, index: Index) -> Expr | None:
        n = call.inputs[0].data.numel()
        p = at.inner(call, "p", logistic(call.inputs[0].data))
        difference = p[index] - self._entry(call, at, index)
        return difference if n == 1 else difference / n


def _log(p: Any, z: Any, i: Index, side: int) -> Expr:
    """ln p or ln(1 − p); by z where p is so near to 0 or 1 that its digits are lost."""
    near = p[i].value if side > 0 else 1 - p[i].value
    if near > 1e-3:
        return ln(p[i]) if side > 0 else ln(1 - p[i])
    return -ln(1 + exp(-z[i] if side > 0 else z[i]))


class CrossEntropy(Rule):
    """Of class numbers y (B,) and logits z (B, K), with label smoothing ε: q = (1 − ε) one-hot + ε/K."""

    name = "softmax and cross-entropy"
    letter = "L"
    loss = True
    complete = True

    def fits(self, call: Call) -> bool:
        z, y = call.inputs[0].data, _target(call)
        plain = len(call.inputs) == 2 and _plain_loss(call) and _mean(call) and isinstance(y, Value)
        return (
            plain and z.ndim == 2 and y.data.ndim == 1 and not y.data.is_floating_point() and bool((y.data >= 0).all())
        )

    def q(self, call: Call) -> Tensor:
        """The targets as probabilities (B, K)."""
        z, y, epsilon = call.inputs[0].data, _target(call).data, _smoothing(call)
        one = torch.nn.functional.one_hot(y, z.shape[1]).to(z.dtype)
        return (1 - epsilon) * one + epsilon / z.shape[1]

    def forward(self, call: Call) -> list[Tensor]:
        z = call.inputs[0].data
        top = z.amax(1, keepdim=True)
        log_p = z - top - torch.exp(z - top).sum(1, keepdim=True).log()
        return [-(self.q(call) * log_p).sum() / len(z)]

    def backward(self, call: Call, deltas: list[Tensor]) -> dict[int, Tensor]:
        z, sent = call.inputs[0], {}
        accumulate(sent, z, (self.p(call) - self.q(call)) / len(z.data) * deltas[0])
        return sent

    def p(self, call: Call) -> Tensor:
        """softmax(z)."""
        z = call.inputs[0].data
        e = torch.exp(z - z.amax(1, keepdim=True))
        return e / e.sum(1, keepdim=True)

    def inner(self, call: Call, at: Symbols) -> list[Inner]:
        z = at.quantity(call.inputs[0])
        p = at.inner(call, "p", self.p(call))
        q = at.inner(call, "q", self.q(call))

        def element(i: Index) -> Expr:
            return exp(z[i]) / sum_of([exp(z[i[0], j]) for j in range(z.data.shape[1])])

        above, below = exp(Symbol(z.letter, z.layer, "k")), SumOver("j", exp(Symbol(z.letter, z.layer, "j")))
        K, epsilon = z.data.shape[1], _smoothing(call)
        y = at.quantity(_target(call))

        def target(i: Index) -> Expr:
            from workings.solutions.expressions import holds

            # Classes count from 1 like every index, so class number y is entry y + 1.
            same = holds(Number(float(y.data[i[0]]) + 1), "=", Number(i[1] + 1))
            return same if not epsilon else (1 - Number(epsilon)) * same + Number(epsilon) / K

        told = "1 for the true class, else 0"
        if epsilon:
            told = f"{1 - epsilon + epsilon / K:.4g} for the true class, else {epsilon / K:.4g}"
        return [
            Inner(p, element, (Symbol("p", "", "k"), above / below)),
            Inner(q, target if epsilon else None, (Symbol("q", "", "k"), Symbol(told))),
        ]

    def equations(self, call: Call, at: Symbols) -> list[Equation]:
        B = len(call.inputs[0].data)
        body = SumOver("k", Symbol("q", "", "k") * ln(Symbol("p", "", "k")))
        return [(Symbol("L"), -body if B == 1 else -(SumOver("n", body) / B))]

    def backward_equations(self, call: Call, at: Symbols) -> list[Equation]:
        B, difference = len(call.inputs[0].data), Symbol("p") - Symbol("q")
        return [(gradient(at, call.inputs[0]), difference if B == 1 else difference / B)]

    def element(self, call: Call, at: Symbols, index: Index) -> Expr:
        p, q, z = at.inner(call, "p", self.p(call)), at.inner(call, "q", self.q(call)), at.quantity(call.inputs[0])
        B, K = z.data.shape
        terms: list[Expr] = []
        for b in range(B):
            for k in range(K):
                if not q[b, k].value:
                    continue
                small = p[b, k].value < 1e-12
                log = z[b, k] - ln(sum_of([exp(z[b, j]) for j in range(K)])) if small else ln(p[b, k])
                terms.append(log if q[b, k].value == 1 else q[b, k] * log)
        return -sum_of(terms) if B == 1 else -(sum_of(terms) / B)

    def sent(self, call: Call, at: Symbols, to: Value, index: Index) -> Expr | None:
        p, q = at.inner(call, "p", self.p(call)), at.inner(call, "q", self.q(call))
        difference = p[index] - q[index]
        return difference if len(p.data) == 1 else difference / len(p.data)


def _target(call: Call) -> Value:
    return call.bound("input", "target", "weight")[1]


def _like(a: Value, t: Any) -> Tensor:
    """Targets in the outputs' shape where only an axis of 1 is missing."""
    data = t.data.to(a.data.dtype)
    return data.reshape(a.data.shape) if data.numel() == a.data.numel() and data.ndim < a.data.ndim else data


def _fold(t: Tensor, shape: Any, index: Index) -> Index:
    """The index of a target of fewer axes."""
    if t.ndim == len(shape):
        return index
    if t.numel() == 1:
        return (0,) * t.ndim
    return tuple(i for i, n in zip(index, shape, strict=True) if n != 1)[-t.ndim :]


def _k(q: Any) -> Symbol:
    return Symbol(q.letter, q.layer, "k")


def _times(c: float, e: Expr) -> Expr:
    if c == 1:
        return e
    if c == 0.5:
        return e / 2
    inverse = 1 / c
    if abs(inverse - round(inverse)) < 1e-9:
        return e / round(inverse)
    if abs(2 * inverse - round(2 * inverse)) < 1e-9:
        return 2 * e / round(2 * inverse) if c != 2 else 2 * e
    return Number(c) * e


def _reduction(call: Call) -> str:
    found = call.bound("input", "target", "size_average", "reduce", "reduction", reduction="mean")[4]
    return found if isinstance(found, str) else getattr(call.func, "reduction", "mean")


def _mean(call: Call) -> bool:
    if call.out.data.ndim:
        return False
    return call.kwargs.get("reduction", "mean") == "mean"


def _smoothing(call: Call) -> float:
    return float(call.kwargs.get("label_smoothing", getattr(call.func, "label_smoothing", 0.0)) or 0.0)


def _plain_loss(call: Call) -> bool:
    func = call.func
    extras = ("weight", "class_weights", "pos_weight")
    return all(call.kwargs.get(e) is None and getattr(func, e, None) is None for e in extras)
