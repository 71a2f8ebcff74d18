"""What a line of arithmetic says: a tree whose leaves are entries of tensors, so that each number knows its origin.

One tree is written twice: with symbols, w₁₂·x₂, and with numbers put in, 0.8·0.9. The formulas of the rules are plain
Python functions that work on such trees and on whole tensors alike: ``1 / (1 + exp(-z))`` of a tensor is a tensor, of
an entry a line to be printed. So what is printed is what was computed.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import torch
from torch import Tensor


class Expr:
    """A node; operators build larger ones."""

    def __add__(self, other: Any) -> Expr:
        return Sum((self, lift(other)))

    def __radd__(self, other: Any) -> Expr:
        return Sum((lift(other), self))

    def __sub__(self, other: Any) -> Expr:
        return Sum((self, Negative(lift(other))))

    def __rsub__(self, other: Any) -> Expr:
        return Sum((lift(other), Negative(self)))

    def __mul__(self, other: Any) -> Expr:
        return Product((self, lift(other)))

    def __rmul__(self, other: Any) -> Expr:
        return Product((lift(other), self))

    def __truediv__(self, other: Any) -> Expr:
        return Quotient(self, lift(other))

    def __rtruediv__(self, other: Any) -> Expr:
        return Quotient(lift(other), self)

    def __pow__(self, other: Any) -> Expr:
        return Power(self, lift(other))

    def __rpow__(self, other: Any) -> Expr:
        return Power(lift(other), self)

    def __neg__(self) -> Expr:
        return Negative(self)


@dataclass(frozen=True)
class Number(Expr):
    """A number of the formula itself: the 1 of 1 − a."""

    value: float


@dataclass(frozen=True)
class Symbol(Expr):
    """A letter without a number, for general equations: W^(2), σ′, z_j."""

    letter: str
    layer: str = ""
    index: str = ""
    new: bool = False


@dataclass(frozen=True, eq=False)
class Quantity:
    """A tensor with a symbol.

    letter, layer: z and 2 for z⁽²⁾. data: float64. gradient_of: the symbol is ∂L/∂ of that quantity. new: the symbol
    carries a ⁺, the value after the update. one_sample: the first axis counts samples and there is one, so it is not
    written. name: what the net calls it.
    """

    letter: str
    layer: str
    data: Tensor
    name: str = ""
    gradient_of: Quantity | None = None
    new: bool = False
    one_sample: bool = False
    plain: bool = field(default=False)  # entries of a lone number need no index

    @cached_property
    def numbers(self) -> Any:
        """The data as an array: a long sum reads many thousand entries."""
        return self.data.detach().numpy()

    def __getitem__(self, index: tuple[int, ...]) -> Entry:
        return Entry(self, tuple(map(int, index)))

    def shown(self, index: tuple[int, ...]) -> tuple[int, ...]:
        """The index as written, from 1, without the axis of a lone sample."""
        kept = index[1:] if self.one_sample and len(index) > 0 else index
        return tuple(i + 1 for i in kept)


@dataclass(frozen=True, eq=False)
class Entry(Expr):
    """One number of a quantity."""

    of: Quantity
    index: tuple[int, ...]

    @property
    def value(self) -> float:
        return float(self.of.numbers[self.index])


@dataclass(frozen=True)
class Rest(Expr):
    """Terms of a long sum that are not written out: how many, and what they come to."""

    count: int
    value: float


@dataclass(frozen=True)
class Sum(Expr):
    """term + term; a Negative term is subtracted."""

    terms: tuple[Expr, ...]

    def __add__(self, other: Any) -> Expr:
        return Sum((*self.terms, lift(other)))

    def __sub__(self, other: Any) -> Expr:
        return Sum((*self.terms, Negative(lift(other))))


@dataclass(frozen=True)
class Product(Expr):
    """factor · factor."""

    factors: tuple[Expr, ...]

    def __mul__(self, other: Any) -> Expr:
        return Product((*self.factors, lift(other)))


@dataclass(frozen=True)
class Quotient(Expr):
    """above / below."""

    above: Expr
    below: Expr


@dataclass(frozen=True)
class Power(Expr):
    """base to the exponent."""

    base: Expr
    exponent: Expr


@dataclass(frozen=True)
class Negative(Expr):
    """− of."""

    of: Expr


@dataclass(frozen=True)
class Function(Expr):
    """exp, ln, sqrt, tanh, max, abs, sign, Phi (normal distribution), phi (its density), sigma, lnΓ, ψ (its slope)."""

    name: str
    arguments: tuple[Expr, ...]


@dataclass(frozen=True)
class Iverson(Expr):
    """[left > right]: 1 where it holds, else 0."""

    left: Expr
    relation: str
    right: Expr


@dataclass(frozen=True)
class SumOver(Expr):
    """Σ over an index, in general equations."""

    index: str
    body: Expr


@dataclass(frozen=True)
class Joined(Expr):
    """Symbols with an operator that numbers do not have here: W x (a space), δ ⊙ σ′(z), Wᵀ (after)."""

    parts: tuple[Expr, ...]
    operator: str = " "


def lift(x: Any) -> Expr:
    """Numbers become leaves."""
    return x if isinstance(x, Expr) else Number(float(x))


def _both(name: str, of_tensor: Any) -> Any:
    def call(x: Any) -> Any:
        return of_tensor(x) if isinstance(x, Tensor) else Function(name, (lift(x),))

    return call


exp = _both("exp", torch.exp)
ln = _both("ln", torch.log)
sqrt = _both("sqrt", torch.sqrt)
tanh = _both("tanh", torch.tanh)
absolute = _both("abs", torch.abs)
sign = _both("sign", torch.sign)
sine = _both("sin", torch.sin)
cosine = _both("cos", torch.cos)
log_gamma = _both("lnΓ", torch.lgamma)
digamma = _both("ψ", torch.digamma)
normal = _both("Phi", torch.special.ndtr)
density = _both("phi", lambda z: torch.exp(-0.5 * z * z) / (2 * torch.pi) ** 0.5)


def largest(a: Any, b: Any) -> Any:
    """max(a, b)."""
    if isinstance(a, Tensor) or isinstance(b, Tensor):
        known = a if isinstance(a, Tensor) else b
        a, b = (torch.as_tensor(x, dtype=known.dtype) for x in (a, b))
        return torch.maximum(a, b)
    return Function("max", (lift(a), lift(b)))


def holds(a: Any, relation: str, b: Any) -> Any:
    """1 where the relation holds, else 0: Iverson's bracket."""
    if not isinstance(a, Tensor) and not isinstance(b, Tensor):
        return Iverson(lift(a), relation, lift(b))
    known = a if isinstance(a, Tensor) else b
    compare = {">": torch.gt, "≥": torch.ge, "=": torch.eq, "<": torch.lt, "≤": torch.le}[relation]
    a, b = (torch.as_tensor(x, dtype=known.dtype) for x in (a, b))
    return compare(a, b).to(known.dtype)


def total(terms: Sequence[Expr]) -> Expr:
    """A sum; of one term itself, of none 0."""
    if not terms:
        return Number(0.0)
    return terms[0] if len(terms) == 1 else Sum(tuple(terms))


TERMS = 6  # of a long sum that are written out


def products(pairs: Sequence[tuple[Entry, Entry]], more: Sequence[Expr] = (), limit: int | None = None) -> Expr:
    """Σ left·right + more; of a long sum the terms that count most are written out, the others summed up."""
    limit = TERMS if limit is None else limit
    if len(pairs) <= limit + 2:
        return total([left * right for left, right in pairs] + list(more))
    values = [left.value * right.value for left, right in pairs]
    largest_first = sorted(range(len(pairs)), key=lambda i: (-abs(values[i]), i))
    kept = sorted(largest_first[:limit])
    rest = sum(values[i] for i in sorted(largest_first[limit:]))
    written: list[Expr] = [pairs[i][0] * pairs[i][1] for i in kept]
    return total([*written, Rest(len(pairs) - limit, rest), *more])


def sum_of(entries: Sequence[Expr], limit: int | None = None) -> Expr:
    """Σ of entries, a long one shortened as :func:`products` does."""
    limit = TERMS if limit is None else limit
    if len(entries) <= limit + 2:
        return total(list(entries))
    values = [evaluate(e) for e in entries]
    largest_first = sorted(range(len(entries)), key=lambda i: (-abs(values[i]), i))
    kept = sorted(largest_first[:limit])
    rest = sum(values[i] for i in sorted(largest_first[limit:]))
    return total([*(entries[i] for i in kept), Rest(len(entries) - limit, rest)])


def evaluate(e: Expr) -> float:
    """The number that a line comes to, from the full digits of its entries."""
    match e:
        case Number(value) | Rest(_, value):
            return value
        case Entry():
            return e.value
        case Sum(terms):
            return sum(evaluate(t) for t in terms)
        case Product(factors):
            value = 1.0
            for f in factors:
                value *= evaluate(f)
            return value
        case Quotient(above, below):
            return divide(evaluate(above), evaluate(below))
        case Power(base, exponent):
            return power(evaluate(base), evaluate(exponent))
        case Negative(of):
            return -evaluate(of)
        case Function(name, arguments):
            return apply(name, [evaluate(a) for a in arguments])
        case Iverson(left, relation, right):
            a, b = evaluate(left), evaluate(right)
            return float(related(a, relation, b))
    raise TypeError(f"{type(e).__name__} has no value")


def related(a: float, relation: str, b: float) -> bool:
    """Whether a relation holds."""
    return {">": a > b, "≥": a >= b, "=": a == b, "<": a < b, "≤": a <= b}[relation]


def divide(a: float, b: float) -> float:
    """a/b as float64 has it: 1/0 = ∞, 0/0 is no number."""
    if b:
        return a / b
    return math.nan if a == 0 or math.isnan(a) else math.copysign(math.inf, a) * math.copysign(1.0, b)


def power(a: float, n: float) -> float:
    """aⁿ as float64 has it."""
    try:
        found = a**n
    except ZeroDivisionError:
        return math.inf
    except OverflowError:
        return math.inf if a > 0 or n % 2 == 0 else -math.inf
    return math.nan if isinstance(found, complex) else found


def apply(name: str, x: list[float]) -> float:
    """A function of numbers, by its name, as float64 has it: ln 0 = −∞, e^1000 = ∞, √−1 is no number."""
    match name:
        case "max":
            return max(x)
        case "min":
            return min(x)
        case "exp":
            return math.exp(x[0]) if x[0] < 709.7 or math.isnan(x[0]) else math.inf
        case "ln":
            return math.log(x[0]) if x[0] > 0 else -math.inf if x[0] == 0 else math.nan
        case "sqrt":
            return math.sqrt(x[0]) if x[0] >= 0 else math.nan
        case "tanh":
            return math.tanh(x[0])
        case "abs":
            return abs(x[0])
        case "sin":
            return math.sin(x[0])
        case "cos":
            return math.cos(x[0])
        case "lnΓ":
            return math.lgamma(x[0])
        case "ψ":
            return float(torch.digamma(torch.tensor(x[0], dtype=torch.float64)))
        case "sign":
            return float((x[0] > 0) - (x[0] < 0))
        case "Phi":
            return 0.5 * math.erfc(-x[0] / math.sqrt(2))
        case "phi":
            return math.exp(-0.5 * x[0] ** 2) / math.sqrt(2 * math.pi)
    raise ValueError(name)


def entries(e: Expr) -> list[Entry]:
    """The leaves that are numbers of tensors, in order."""
    match e:
        case Entry():
            return [e]
        case Sum(parts) | Product(parts) | Function(_, parts) | Joined(parts, _):
            return [entry for part in parts for entry in entries(part)]
        case Quotient(a, b) | Power(a, b) | Iverson(a, _, b):
            return entries(a) + entries(b)
        case Negative(a) | SumOver(_, a):
            return entries(a)
    return []
