"""Powers with an exponent that is learnt too, exponentials and logarithms of other bases, and other functions of one
number: y = f(x), ∂L/∂x = ∂L/∂y · f′(x), as in ``elementwise``.
"""

from __future__ import annotations

import math
from typing import Any

from workings.solutions.calls import Call, Value
from workings.solutions.expressions import cosine, digamma, exp, ln, log_gamma, normal, sine, sqrt
from workings.solutions.rules.elementwise import Elementwise

_LN2, _LN10 = math.log(2), math.log(10)


def _positive_base(call: Call) -> bool:
    base, exponent = call.bound("input", "exponent")
    return isinstance(exponent, Value) and (bool((base.data > 0).all()) if isinstance(base, Value) else base > 0)


def _power(x: Any, n: Any) -> Any:
    return x**n


def _log(x: Any) -> Any:
    return math.log(x) if isinstance(x, (int, float)) else ln(x)


def _sinh(x: Any) -> Any:
    return (exp(x) - exp(-x)) / 2


def _cosh(x: Any) -> Any:
    return (exp(x) + exp(-x)) / 2


# x^n with n a tensor, after the rule for a constant one.
POWER = Elementwise(
    "pow", _power, lambda x, n, u: n * x ** (n - 1), lambda x, n, u: u * _log(x), takes=("input", "exponent"),
    fits=_positive_base,
)  # fmt: skip

FUNCTIONS = (
    Elementwise("rpow", lambda n, x: x**n, lambda n, x, u: u * _log(x), takes=("input", "other"),
                fits=lambda call: isinstance(call.bound("input", "other")[1], (int, float))
                and call.bound("input", "other")[1] > 0),
    Elementwise("log1p", lambda x: ln(1 + x), lambda x, u: 1 / (1 + x)),
    Elementwise("expm1", lambda x: exp(x) - 1, lambda x, u: u + 1),
    Elementwise("exp2", lambda x: 2.0**x, lambda x, u: u * _LN2),
    Elementwise("log2", lambda x: ln(x) / _LN2, lambda x, u: 1 / (x * _LN2)),
    Elementwise("log10", lambda x: ln(x) / _LN10, lambda x, u: 1 / (x * _LN10)),
    Elementwise("tan", lambda x: sine(x) / cosine(x), lambda x, u: 1 + u**2),
    Elementwise("sinh", _sinh, lambda x, u: _cosh(x)),
    Elementwise("cosh", _cosh, lambda x, u: _sinh(x)),
    Elementwise("asinh", lambda x: ln(x + sqrt(x**2 + 1)), lambda x, u: 1 / sqrt(x**2 + 1)),
    Elementwise("erf", lambda x: 2 * normal(math.sqrt(2) * x) - 1, lambda x, u: 2 / math.sqrt(math.pi) * exp(-(x**2))),
    Elementwise("lgamma", log_gamma, lambda x, u: digamma(x)),
    Elementwise("positive", lambda x: x, lambda x, u: 1),
    Elementwise("addcdiv", lambda x, y, z, c: x + (y / z if c == 1 else c * y / z), lambda x, y, z, u, c: 1,
                lambda x, y, z, u, c: c / z, lambda x, y, z, u, c: -c * y / z**2,
                takes=("input", "tensor1", "tensor2"), settings=lambda call: (float(call.kwargs.get("value", 1)),)),
)  # fmt: skip
