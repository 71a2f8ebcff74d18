"""What a line of arithmetic says: a tree whose leaves are entries of tensors, so that each number knows its origin.

One tree is written twice: with symbols, w₁₂·x₂, and with numbers put in, 0.8·0.9. The formulas of the rules are plain
Python functions that work on such trees and on whole tensors alike: ``1 / (1 + exp(-z))`` of a tensor is a tensor, of
an entry a line to be printed. So what is printed is what was computed.
"""

from __future__ import annotations

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
