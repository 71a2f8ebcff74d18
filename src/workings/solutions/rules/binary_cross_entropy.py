"""Cross-entropy of a logit: how unlikely the true answers were, yes or no, and how that changes with each logit.

    L = −Σ_n s_n [y ln p + (1 − y) ln(1 − p)],  p = σ(z)       ∂L/∂z_n = s_n (p_n − y_n)

With label smoothing ε, y is (1 − ε)y + ε/2. s_n is the share of row n (``shares.py``).
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from workings.solutions.calls import Call, Value
from workings.solutions.expressions import Entry, Expr, Number, Symbol, ln
from workings.solutions.rules.base import Equation, Index, Inner, Rule, Symbols, accumulate, every, gradient, whole
from workings.solutions.rules.elementwise import log_one_more, logistic
from workings.solutions.rules.losses import arriving_whole, fold, like, target
from workings.solutions.rules.shares import OfRows, smoothing, without_noise


class BinaryCrossEntropy(OfRows):
    """Of logits z."""

    name = "binary cross-entropy of a logit"

    def fits(self, call: Call) -> bool:
        t = target(call)
        taken = isinstance(t, Value) and like(call.inputs[0], t).shape == call.inputs[0].data.shape
        given = call.bound("input", "target", "weight")[2]
        own = hasattr(call.func, "weights")
        if own and call.inputs[0].data.numel() != len(call.inputs[0].data):
            return False
        return taken and call.out.data.ndim == 0 and (own or (given is None and _plain(call)))

    def counts(self, call: Call) -> Tensor:
        return super().counts(call).reshape(call.inputs[0].data.shape)

    def forward(self, call: Call) -> list[Tensor]:
        return [(self.shares(call) * _of_logits(call.inputs[0].data, self.q(call))).sum()]

    def backward(self, call: Call, deltas: list[Tensor]) -> dict[int, Tensor]:
        z, sent = call.inputs[0], {}
        accumulate(sent, z, self.shares(call) * _wrong_by(z.data, self.q(call)) * deltas[0])
        return sent

    def q(self, call: Call) -> Tensor:
        """The targets, in the shape of z."""
        epsilon = smoothing(call)
        return (1 - epsilon) * like(call.inputs[0], target(call)) + epsilon / 2

    def _entry(self, call: Call, at: Symbols, i: Index) -> Entry:
        if smoothing(call):
            return at.inner(call, "q", self.q(call))[i]
        y = at.quantity(target(call))
        return y[fold(y.data, call.inputs[0].data.shape, i)]

    def _symbol(self, call: Call, at: Symbols) -> Expr:
        return Symbol("q") if smoothing(call) else whole(at, target(call))

    def inner(self, call: Call, at: Symbols) -> list[Inner]:
        z = at.quantity(call.inputs[0])
        p = at.inner(call, "p", logistic(z.data))
        found = [Inner(p, lambda i: logistic(z[i]), (Symbol("p"), logistic(whole(at, call.inputs[0]))))]
        found += self.inner_shares(call, at)
        epsilon, y = smoothing(call), at.quantity(target(call))
        if not epsilon:
            return found
        kept = 1 - Number(epsilon)

        def smoothed(i: Index) -> Expr:
            return kept * y[fold(y.data, z.data.shape, i)] + Number(epsilon) / 2

        said = kept * whole(at, target(call)) + Number(epsilon) / 2
        return [*found, Inner(at.inner(call, "q", self.q(call)), smoothed, (Symbol("q"), said))]

    def equations(self, call: Call, at: Symbols) -> list[Equation]:
        y, p = self._symbol(call, at), Symbol("p")
        each = y * ln(p) + (1 - y) * ln(1 - p)
        return [(Symbol("L"), self.whole_loss(call, each, call.inputs[0].data.numel()))]

    def backward_equations(self, call: Call, at: Symbols) -> list[Equation]:
        N, difference = self.number(call), Symbol("p") - self._symbol(call, at)
        said = Symbol("s") * difference if N is None else difference if N == 1 else difference / without_noise(N)
        return [(gradient(at, call.inputs[0]), arriving_whole(call, at, said))]

    def element(self, call: Call, at: Symbols, index: Index) -> Expr:
        s = self.shares(call)
        rows = [i for i in every(s.shape) if float(s[i])]
        p, z = at.inner(call, "p", logistic(call.inputs[0].data)), at.quantity(call.inputs[0])
        return self.mean_of(call, at, [_log_likelihood(self._entry(call, at, i), p, z, i) for i in rows], rows)

    def sent(self, call: Call, at: Symbols, to: Value, index: Index) -> Expr | None:
        p = at.inner(call, "p", logistic(call.inputs[0].data))
        return self.share_of_row(call, at, index, p[index] - self._entry(call, at, index))


class BinaryEach(Rule):
    """ℓ of each logit by itself: reduction="none"."""

    name = "binary cross-entropy of each logit"
    complete = True

    def fits(self, call: Call) -> bool:
        y = target(call)
        kept = call.out.data.shape == call.inputs[0].data.shape and call.kwargs.get("reduction") == "none"
        same = isinstance(y, Value) and y.data.shape == call.inputs[0].data.shape and not y.needs_grad
        return kept and same and len(call.inputs) == 2 and _plain(call)

    def forward(self, call: Call) -> list[Tensor]:
        return [_of_logits(call.inputs[0].data, target(call).data)]

    def backward(self, call: Call, deltas: list[Tensor]) -> dict[int, Tensor]:
        z, sent = call.inputs[0], {}
        accumulate(sent, z, deltas[0] * _wrong_by(z.data, target(call).data))
        return sent

    def inner(self, call: Call, at: Symbols) -> list[Inner]:
        z = at.quantity(call.inputs[0])
        p = at.inner(call, "p", logistic(z.data))
        return [Inner(p, lambda i: logistic(z[i]), (Symbol("p"), logistic(whole(at, call.inputs[0]))))]

    def equations(self, call: Call, at: Symbols) -> list[Equation]:
        y, p = whole(at, target(call)), Symbol("p")
        return [(whole(at, call.out), -(y * ln(p) + (1 - y) * ln(1 - p)))]

    def backward_equations(self, call: Call, at: Symbols) -> list[Equation]:
        said = gradient(at, call.out) * (Symbol("p") - whole(at, target(call)))
        return [(gradient(at, call.inputs[0]), said)]

    def element(self, call: Call, at: Symbols, index: Index) -> Expr:
        p, z = at.inner(call, "p", logistic(call.inputs[0].data)), at.quantity(call.inputs[0])
        return -_log_likelihood(at.quantity(target(call))[index], p, z, index)

    def sent(self, call: Call, at: Symbols, to: Value, index: Index) -> Expr | None:
        p = at.inner(call, "p", logistic(call.inputs[0].data))
        return at.delta(call.out)[index] * (p[index] - at.quantity(target(call))[index])


def _log_likelihood(t: Entry, p: Any, z: Any, i: Index) -> Expr:
    """t ln p + (1 − t) ln(1 − p)."""
    if t.value in (0, 1):
        return _log(p, z, i, 1 if t.value else -1)
    return t * _log(p, z, i, 1) + (1 - t) * _log(p, z, i, -1)


def _log(p: Any, z: Any, i: Index, side: int) -> Expr:
    """ln p or ln(1 − p); by z where p is so near to 0 or 1 that its digits are lost."""
    near = p[i].value if side > 0 else 1 - p[i].value
    if near > 1e-3:
        return ln(p[i]) if side > 0 else ln(1 - p[i])
    return -log_one_more(-z[i] if side > 0 else z[i])


def _of_logits(z: Tensor, y: Tensor) -> Tensor:
    """−[y ln σ(z) + (1 − y) ln(1 − σ(z))], without overflow."""
    return (1 - y) * z + torch.log1p(torch.exp(-z.abs())) + (-z).clamp(min=0)


def _wrong_by(z: Tensor, y: Tensor) -> Tensor:
    """σ(z) − y = (1 − y)σ(z) − yσ(−z), which keeps its digits where σ(z) is nearly y."""
    return (1 - y) * logistic(z) - y * logistic(-z)


def _plain(call: Call) -> bool:
    return all(call.kwargs.get(each) is None for each in ("weight", "pos_weight"))
