"""Operations on one number at a time, y = f(x₁, x₂, …), and back: ∂L/∂xᵢ = ∂L/∂y · ∂f/∂xᵢ.

Each is its formula and its partial derivatives, written once: of tensors they are computed, of entries printed. Where
a tensor was spread over the other's shape, what comes back is summed over the places that it was spread to.

Kinks as in torch: relu'(0) = 0, |x|' = sign(x), max(a, b) at a = b gives half to each.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from workings.solutions.calls import Call, Value
from workings.solutions.evaluation import evaluate
from workings.solutions.expressions import (
    Expr,
    Function,
    Joined,
    Number,
    absolute,
    cosine,
    density,
    exp,
    holds,
    largest,
    lift,
    ln,
    normal,
    sign,
    sine,
    sqrt,
    tanh,
)
from workings.solutions.rules.base import (
    Equation,
    Index,
    Rule,
    Symbols,
    accumulate,
    float64,
    gradient,
    reached,
    reduced,
    source_index,
    whole,
)
from workings.solutions.sums import sum_of

Formula = Callable[..., Any]


class Elementwise(Rule):
    """f and its partial derivatives; these take the inputs, then the output y."""

    complete = True

    def __init__(
        self,
        name: str,
        f: Formula,
        *partials: Formula,
        letter: str = "u",
        takes: tuple[str, ...] = ("input",),
        settings: Callable[[Call], tuple[Any, ...]] = lambda _: (),
        fits: Callable[[Call], bool] = lambda _: True,
    ) -> None:
        self.name, self.f, self.partials, self.letter = name, f, partials, letter
        self.takes, self.settings, self._fits = takes, settings, fits

    def fits(self, call: Call) -> bool:
        given = self.given(call)
        numbers = all(isinstance(x, (Value, int, float)) for x in given)
        return numbers and all(not isinstance(x, Value) or not x.data.is_complex() for x in given) and self._fits(call)

    def given(self, call: Call) -> list[Any]:
        return call.bound(*self.takes)

    def forward(self, call: Call) -> list[Tensor]:
        xs = [float64(x) for x in self.given(call)]
        y = self.f(*xs, *self.settings(call))
        return [y if isinstance(y, Tensor) else torch.as_tensor(y)]

    def backward(self, call: Call, deltas: list[Tensor]) -> dict[int, Tensor]:
        given = self.given(call)
        xs, y = [float64(x) for x in given], call.out.data
        sent: dict[int, Tensor] = {}
        for x, partial in zip(given, self.partials, strict=False):
            if isinstance(x, Value) and x.needs_grad:
                slope = partial(*xs, y, *self.settings(call))
                accumulate(sent, x, reduced((deltas[0] * slope).expand(y.shape), x.data.shape))
        return sent

    def equations(self, call: Call, at: Symbols) -> list[Equation]:
        xs = [whole(at, x) if isinstance(x, Value) else lift(x) for x in self.given(call)]
        return [(whole(at, call.out), lift(self.f(*xs, *self.settings(call))))]

    def backward_equations(self, call: Call, at: Symbols) -> list[Equation]:
        given = self.given(call)
        xs = [whole(at, x) if isinstance(x, Value) else lift(x) for x in given]
        found: list[Equation] = []
        for x, partial in zip(given, self.partials, strict=False):
            if isinstance(x, Value) and x.needs_grad:
                slope = partial(*xs, whole(at, call.out), *self.settings(call))
                delta = gradient(at, call.out)
                found.append((gradient(at, x), delta if _is_one(slope) else Joined((delta, lift(slope)), " ⊙ ")))
        return found

    def element(self, call: Call, at: Symbols, index: Index) -> Expr:
        return lift(self.f(*self._entries(call, at, index), *self.settings(call)))

    def sent(self, call: Call, at: Symbols, to: Value, index: Index) -> Expr | None:
        given, delta, terms = self.given(call), at.delta(call.out), []
        for x, partial in zip(given, self.partials, strict=False):
            if x is not to:
                continue
            for out in reached(to.data.shape, call.out.data.shape, index):
                slope = partial(*self._entries(call, at, out), at.quantity(call.out)[out], *self.settings(call))
                terms.append(delta[out] if _is_one(slope) else delta[out] * slope)
        return sum_of(terms) if terms else None

    def _entries(self, call: Call, at: Symbols, out: Index) -> list[Any]:
        return [
            at.quantity(x)[source_index(x.data.shape, out)] if isinstance(x, Value) else x for x in self.given(call)
        ]


def _is_one(slope: Any) -> bool:
    return (isinstance(slope, (int, float)) and slope == 1) or (isinstance(slope, Number) and slope.value == 1)


def logistic(z: Any) -> Any:
    """σ(z) = 1/(1 + e^(−z))."""
    return torch.sigmoid(z) if isinstance(z, Tensor) else 1 / (1 + exp(-z))


LARGE = 300.0


def log_one_more(z: Any) -> Any:
    """ln(1 + e^z); of a z whose e^z is no number of float64, z + ln(1 + e^(−z))."""
    if isinstance(z, Tensor):
        return z.clamp(min=0) + torch.log1p(torch.exp(-z.abs()))
    return _above(z, LARGE, z + ln(1 + exp(-z)), ln(1 + exp(z)))


def _above(z: Any, bound: float, yes: Any, no: Any) -> Any:
    """yes where z > bound, else no, which general equations say alone."""
    if isinstance(z, Tensor):
        return torch.where(z > bound, yes, no)
    try:
        return yes if evaluate(z) > bound else no
    except TypeError:  # a symbol has no number
        return no


def _pick(condition: Any, yes: Any, no: Any) -> Any:
    """yes where the condition is 1, no where it is 0; of an entry only the one that counts is written."""
    if isinstance(condition, Tensor):
        return torch.where(condition > 0, yes, no)
    try:
        return yes if evaluate(condition) else no
    except TypeError:  # a general equation has no numbers
        return condition * yes + (1 - condition) * no


def _alpha(call: Call) -> tuple[float, ...]:
    return (float(call.bound("input", "other", "alpha", alpha=1)[2]),)


def _plain_gelu(call: Call) -> bool:
    return call.bound("input", "approximate", approximate="none")[1] == "none"


def _one(*default: Any, names: Sequence[str]) -> Callable[[Call], tuple[Any, ...]]:
    """Settings of a call by name."""

    def read(call: Call) -> tuple[Any, ...]:
        found = call.bound("input", *names, **dict(zip(names, default, strict=True)))[1:]
        return tuple(d if f is None else f for f, d in zip(found, default, strict=True))

    return read


def _positive(z: Any, other: Any = 0) -> Any:
    return holds(z, ">", other)


_TWO = ("input", "other")


ACTIVATIONS = (
    Elementwise("sigmoid", logistic, lambda z, a: a * (1 - a), letter="a"),
    Elementwise("tanh", tanh, lambda z, a: 1 - a**2, letter="a"),
    Elementwise("relu", lambda z: largest(0, z), lambda z, a: _positive(z), letter="a"),
    Elementwise(
        "leaky_relu",
        lambda z, s: _pick(_positive(z), z, s * z),
        lambda z, a, s: _pick(
            _positive(z),
            z * 0 + 1 if isinstance(z, Tensor) else lift(1),
            z * 0 + s if isinstance(z, Tensor) else lift(s),
        ),
        letter="a",
        settings=_one(0.01, names=("negative_slope",)),
    ),
    Elementwise(
        "elu",
        lambda z, alpha: _pick(_positive(z), z, alpha * (exp(z) - 1)),
        lambda z, a, alpha: _pick(_positive(z), z * 0 + 1 if isinstance(z, Tensor) else lift(1), alpha * exp(z)),
        letter="a",
        settings=_one(1.0, names=("alpha",)),
    ),
    Elementwise("gelu", lambda z: z * normal(z), lambda z, a: normal(z) + z * density(z), letter="a", fits=_plain_gelu),
    Elementwise("silu", lambda z: z * logistic(z), lambda z, a: logistic(z) * (1 + z * (1 - logistic(z))), letter="a"),
    Elementwise(
        "softplus",
        lambda z: _above(z, 20, z, log_one_more(z)),
        lambda z, a: _above(z, 20, z * 0 + 1 if isinstance(z, Tensor) else lift(1), logistic(z)),
        letter="a",
        fits=lambda call: call.bound("input", "beta", "threshold", beta=1, threshold=20)[1:] == [1, 20],
    ),
    Elementwise("logsigmoid", lambda z: -log_one_more(-z), lambda z, a: 1 - logistic(z), letter="a"),
    Elementwise(
        "relu6", lambda z: smallest(6, largest(0, z)), lambda z, a: _positive(z) * holds(z, "<", 6), letter="a"
    ),
)


def smallest(a: Any, b: Any) -> Any:
    """min(a, b)."""
    if isinstance(a, Tensor) or isinstance(b, Tensor):
        return -largest(-a, -b)
    return Function("min", (lift(a), lift(b)))


def _limited(x: Any, low: Any, high: Any) -> Any:
    x = x if low is None else largest(low, x)
    return x if high is None else smallest(high, x)


def _inside(x: Any, low: Any, high: Any) -> Any:
    made = 1 if low is None else holds(x, "≥", low)
    return made if high is None else made * holds(x, "≤", high)


def _bounds(call: Call) -> tuple[Any, ...]:
    return tuple(call.bound("input", "min", "max")[1:])


ARITHMETIC = (
    Elementwise("add", lambda x, y, c: x + (y if c == 1 else c * y), lambda x, y, u, c: 1, lambda x, y, u, c: c,
                takes=_TWO, settings=_alpha),
    Elementwise("sub", lambda x, y, c: x - (y if c == 1 else c * y), lambda x, y, u, c: 1, lambda x, y, u, c: -c,
                takes=_TWO, settings=_alpha),
    Elementwise("rsub", lambda x, y, c: y - (x if c == 1 else c * x), lambda x, y, u, c: -c, lambda x, y, u, c: 1,
                takes=_TWO, settings=_alpha),
    Elementwise("mul", lambda x, y: x * y, lambda x, y, u: y, lambda x, y, u: x, takes=_TWO),
    Elementwise("div", lambda x, y: x / y, lambda x, y, u: 1 / y, lambda x, y, u: -x / y**2, takes=_TWO,
                fits=lambda call: not call.kwargs.get("rounding_mode")),
    Elementwise("rtruediv", lambda x, y: y / x, lambda x, y, u: -y / x**2, lambda x, y, u: 1 / x, takes=_TWO),
    Elementwise("lerp", lambda x, y, r: x + r * (y - x), lambda x, y, r, u: 1 - r, lambda x, y, r, u: r,
                lambda x, y, r, u: y - x, takes=("input", "end", "weight")),
    Elementwise("addcmul", lambda x, y, z, c: x + (y * z if c == 1 else c * y * z), lambda x, y, z, u, c: 1,
                lambda x, y, z, u, c: z if c == 1 else c * z, lambda x, y, z, u, c: y if c == 1 else c * y,
                takes=("input", "tensor1", "tensor2"), settings=lambda call: (float(call.kwargs.get("value", 1)),)),
    Elementwise("neg", lambda x: -x, lambda x, u: -1),
    Elementwise("pow", lambda x, n: x**n, lambda x, n, u: n * x if _is(n, 2) else n * x ** (n - 1),
                takes=("input", "exponent"), fits=lambda call: not isinstance(call.bound("input", "exponent")[1], Value)
                and isinstance(call.bound("input", "exponent")[0], Value)),
    Elementwise("clamp", _limited, lambda x, u, low, high: _inside(x, low, high), settings=_bounds,
                fits=lambda call: all(not isinstance(bound, Value) for bound in _bounds(call))),
    Elementwise("square", lambda x: x**2, lambda x, u: 2 * x),
    Elementwise("exp", exp, lambda x, u: u),
    Elementwise("log", ln, lambda x, u: 1 / x),
    Elementwise("sqrt", sqrt, lambda x, u: 1 / (2 * u)),
    Elementwise("rsqrt", lambda x: 1 / sqrt(x), lambda x, u: -(u**3) / 2),
    Elementwise("reciprocal", lambda x: 1 / x, lambda x, u: -(u**2)),
    Elementwise("abs", absolute, lambda x, u: sign(x)),
    Elementwise("sin", sine, lambda x, u: cosine(x)),
    Elementwise("cos", cosine, lambda x, u: -sine(x)),
    Elementwise("maximum", largest, lambda x, y, u: (holds(x, ">", y) + holds(x, "≥", y)) / 2,
                lambda x, y, u: (holds(y, ">", x) + holds(y, "≥", x)) / 2, takes=_TWO),
    Elementwise("minimum", smallest, lambda x, y, u: (holds(x, "<", y) + holds(x, "≤", y)) / 2,
                lambda x, y, u: (holds(y, "<", x) + holds(y, "≤", x)) / 2, takes=_TWO),
)  # fmt: skip


def _is(n: Any, value: float) -> bool:
    if isinstance(n, Tensor):
        return n.ndim == 0 and float(n) == value
    return n == value or (isinstance(n, Number) and n.value == value)
