"""Softmax, aᵢ = e^(zᵢ)/Σⱼ e^(zⱼ), and its logarithm zᵢ − ln Σⱼ e^(zⱼ).

Back, by the Jacobian aᵢ(δᵢⱼ − aⱼ):  ∂L/∂zᵢ = aᵢ (gᵢ − Σⱼ gⱼaⱼ);  of the logarithm: gᵢ − pᵢ Σⱼ gⱼ, p = e^a;  g = ∂L/∂a.
"""

from __future__ import annotations

import torch
from torch import Tensor

from workings.solutions.calls import Call, Value
from workings.solutions.expressions import Entry, Expr, Joined, SumOver, Symbol, exp, ln
from workings.solutions.rules.base import Equation, Index, Rule, Symbols, accumulate, gradient, whole
from workings.solutions.sums import products, sum_of


def along(call: Call) -> int:
    """The axis that is summed to 1."""
    x, dim = call.bound("input", "dim", dim=-1)
    return int(dim) % x.data.ndim


class Softmax(Rule):
    """aᵢ = e^(zᵢ)/Σⱼ e^(zⱼ)."""

    name = "softmax"
    letter = "a"
    complete = True

    def fits(self, call: Call) -> bool:
        return isinstance(call.bound("input", "dim")[1], int)

    def forward(self, call: Call) -> list[Tensor]:
        z, dim = call.inputs[0].data, along(call)
        e = torch.exp(z - z.amax(dim, keepdim=True))  # the largest is taken off above and below: it cancels
        return [e / e.sum(dim, keepdim=True)]

    def backward(self, call: Call, deltas: list[Tensor]) -> dict[int, Tensor]:
        a, g, sent = call.out.data, deltas[0], {}
        accumulate(sent, call.inputs[0], a * (g - (g * a).sum(along(call), keepdim=True)))
        return sent

    def equations(self, call: Call, at: Symbols) -> list[Equation]:
        z = at.quantity(call.inputs[0])
        a = at.quantity(call.out)
        above = exp(Symbol(z.letter, z.layer, "i"))
        below = SumOver("j", exp(Symbol(z.letter, z.layer, "j")))
        return [(Symbol(a.letter, a.layer, "i"), above / below)]

    def backward_equations(self, call: Call, at: Symbols) -> list[Equation]:
        a, g = whole(at, call.out), gradient(at, call.out)
        inside = g - SumOver("j", Joined((g, a), " ⊙ "))
        return [(gradient(at, call.inputs[0]), Joined((a, inside), " ⊙ "))]

    def element(self, call: Call, at: Symbols, index: Index) -> Expr:
        z = at.quantity(call.inputs[0])
        return share_of(z[index], [z[i] for i in line(call, index)])

    def sent(self, call: Call, at: Symbols, to: Value, index: Index) -> Expr:
        a, g = at.quantity(call.out), at.delta(call.out)
        return a[index] * (g[index] - products([(g[i], a[i]) for i in line(call, index)]))


class LogSoftmax(Softmax):
    """ln aᵢ."""

    name = "logarithm of softmax"

    def forward(self, call: Call) -> list[Tensor]:
        z, dim = call.inputs[0].data, along(call)
        top = z.amax(dim, keepdim=True)
        return [z - top - torch.exp(z - top).sum(dim, keepdim=True).log()]

    def backward(self, call: Call, deltas: list[Tensor]) -> dict[int, Tensor]:
        p, g, sent = call.out.data.exp(), deltas[0], {}
        accumulate(sent, call.inputs[0], g - p * g.sum(along(call), keepdim=True))
        return sent

    def equations(self, call: Call, at: Symbols) -> list[Equation]:
        z, a = at.quantity(call.inputs[0]), at.quantity(call.out)
        below = SumOver("j", exp(Symbol(z.letter, z.layer, "j")))
        return [(Symbol(a.letter, a.layer, "i"), Symbol(z.letter, z.layer, "i") - ln(below))]

    def backward_equations(self, call: Call, at: Symbols) -> list[Equation]:
        a, g = whole(at, call.out), gradient(at, call.out)
        return [(gradient(at, call.inputs[0]), g - Joined((exp(a), SumOver("j", g)), " "))]

    def element(self, call: Call, at: Symbols, index: Index) -> Expr:
        z = at.quantity(call.inputs[0])
        return z[index] - log_of_sum([z[i] for i in line(call, index)])

    def sent(self, call: Call, at: Symbols, to: Value, index: Index) -> Expr:
        a, g = at.quantity(call.out), at.delta(call.out)
        return g[index] - exp(a[index]) * sum_of([g[i] for i in line(call, index)])


LARGE = 300.0


def share_of(z: Entry, all_of: list[Entry]) -> Expr:
    """e^z/Σ e^z; where e^z is no number of float64 (a mask of −10³⁰⁸) the largest is taken off all."""
    top = max(all_of, key=lambda e: e.value)
    if abs(top.value) < LARGE:
        return exp(z) / sum_of([exp(e) for e in all_of])
    return exp(z - top) / sum_of([exp(e - top) for e in all_of])


def log_of_sum(all_of: list[Entry]) -> Expr:
    """ln Σ e^z, by the largest where e^z is no number of float64."""
    top = max(all_of, key=lambda e: e.value)
    if abs(top.value) < LARGE:
        return ln(sum_of([exp(e) for e in all_of]))
    return top + ln(sum_of([exp(e - top) for e in all_of]))


def line(call: Call, index: Index) -> list[Index]:
    """The indices that softmax puts in relation with this one."""
    dim = along(call)
    return [(*index[:dim], j, *index[dim + 1 :]) for j in range(call.out.data.shape[dim])]
