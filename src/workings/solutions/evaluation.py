"""The number that a line of arithmetic comes to, as float64 has it: 1/0 = ∞, ln 0 = −∞, 0/0 and √−1 are no numbers."""

from __future__ import annotations

import math

import torch

from workings.solutions.expressions import (
    Entry,
    Expr,
    Function,
    Iverson,
    Negative,
    Number,
    Power,
    Product,
    Quotient,
    Rest,
    Sum,
)


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
