"""Cross-entropy of classes: how unlikely the true classes were, and how that changes with each logit.

    L = −Σ_n s_n Σ_k q_nk ln p_nk,  p = softmax(z)             ∂L/∂z_nk = s_n (p_nk − q_nk)

q is 1 at the true class and 0 elsewhere; with label smoothing ε it is (1 − ε)q + ε/K. s_n is the share of row n
(``shares.py``).
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from workings.solutions.calls import Call, Value
from workings.solutions.expressions import Expr, Number, Rest, SumOver, Symbol, exp, holds, ln
from workings.solutions.rules.base import Equation, Index, Inner, Symbols, accumulate, gradient
from workings.solutions.rules.losses import arriving_whole, target
from workings.solutions.rules.shares import OfRows, smoothing, without_noise
from workings.solutions.rules.softmax import log_of_sum, share_of
from workings.solutions.sums import TERMS, sum_of


class CrossEntropy(OfRows):
    """Of class numbers y (N,) and logits z (N, K); of tokens y (B, T) and z (B, T, K)."""

    name = "softmax and cross-entropy"

    def fits(self, call: Call) -> bool:
        z, y = call.inputs[0].data, target(call)
        if not isinstance(y, Value) or y.data.is_floating_point() or y.data.ndim == 0:
            return False
        weighs = call.bound("input", "target", "weight")[2] is not None
        own = hasattr(call.func, "per_sample")
        mean = call.out.data.ndim == 0 and (own or not (weighs and smoothing(call)))
        flat = y.data.ndim == 1 or call.name == "TokenCrossEntropy"
        return mean and flat and y.data.shape == z.shape[:-1] and bool(self.counts(call).sum() > 0)

    def q(self, call: Call) -> Tensor:
        """The targets as probabilities, in the shape of z; of rows that count for nothing, too."""
        z, y, epsilon = call.inputs[0].data, target(call).data, smoothing(call)
        one = torch.nn.functional.one_hot(y.clamp(min=0), z.shape[-1]).to(z.dtype)
        return (1 - epsilon) * one + epsilon / z.shape[-1]

    def log_p(self, call: Call) -> Tensor:
        """ln softmax(z), without overflow."""
        z = call.inputs[0].data
        top = z.amax(-1, keepdim=True)
        return z - top - torch.exp(z - top).sum(-1, keepdim=True).log()

    def p(self, call: Call) -> Tensor:
        """softmax(z)."""
        z = call.inputs[0].data
        e = torch.exp(z - z.amax(-1, keepdim=True))
        return e / e.sum(-1, keepdim=True)

    def forward(self, call: Call) -> list[Tensor]:
        return [-(self.shares(call)[..., None] * self.q(call) * self.log_p(call)).sum()]

    def backward(self, call: Call, deltas: list[Tensor]) -> dict[int, Tensor]:
        z, sent = call.inputs[0], {}
        accumulate(sent, z, self.shares(call)[..., None] * (self.p(call) - self.q(call)) * deltas[0])
        return sent

    def inner(self, call: Call, at: Symbols) -> list[Inner]:
        z = at.quantity(call.inputs[0])
        p = at.inner(call, "p", self.p(call))
        q = at.inner(call, "q", self.q(call))
        K, epsilon = z.data.shape[-1], smoothing(call)

        def element(i: Index) -> Expr:
            return share_of(z[i], [z[(*i[:-1], j)] for j in range(K)])

        above, below = exp(Symbol(z.letter, z.layer, "k")), SumOver("j", exp(Symbol(z.letter, z.layer, "j")))
        y = at.quantity(target(call))

        def true(i: Index) -> Expr:
            # Classes count from 1 like every index, so class number y is entry y + 1.
            same = holds(Number(float(y.data[i[:-1]]) + 1), "=", Number(i[-1] + 1))
            return same if not epsilon else (1 - Number(epsilon)) * same + Number(epsilon) / K

        told = "1 for the true class, else 0"
        if epsilon:
            told = f"{1 - epsilon + epsilon / K:.4g} for the true class, else {epsilon / K:.4g}"
        return [
            Inner(p, element, (Symbol("p", "", "k"), above / below)),
            Inner(q, true if epsilon else None, (Symbol("q", "", "k"), Symbol(told))),
            *self.inner_shares(call, at),
        ]

    def equations(self, call: Call, at: Symbols) -> list[Equation]:
        body = SumOver("k", Symbol("q", "", "k") * ln(Symbol("p", "", "k")))
        return [(Symbol("L"), self.whole_loss(call, body, target(call).data.numel()))]

    def backward_equations(self, call: Call, at: Symbols) -> list[Equation]:
        N, difference = self.number(call), Symbol("p") - Symbol("q")
        said = Symbol("s") * difference if N is None else difference if N == 1 else difference / without_noise(N)
        return [(gradient(at, call.inputs[0]), arriving_whole(call, at, said))]

    def element(self, call: Call, at: Symbols, index: Index) -> Expr:
        p, q, z = at.inner(call, "p", self.p(call)), at.inner(call, "q", self.q(call)), at.quantity(call.inputs[0])
        N, s = self.number(call), self.shares(call)
        each = s[..., None] * q.data * self.log_p(call)
        flat = each.reshape(-1)
        counted = ((s[..., None] * q.data).reshape(-1) != 0).nonzero()[:, 0]
        # Of a long text most terms are only summed; they are not even made.
        kept = counted if len(counted) <= TERMS + 2 else counted[flat[counted].abs().topk(TERMS).indices.sort().values]
        places = [tuple(int(i) for i in torch.unravel_index(k, each.shape)) for k in kept]
        terms: list[Expr] = [_log_p(p, q, z, i) for i in places]
        if N is None:
            share = at.inner(call, "s", s)
            terms = [share[i[:-1]] * term for i, term in zip(places, terms, strict=True)]
        if len(kept) < len(counted):
            rest = float(flat[counted].sum() - flat[kept].sum()) * (1 if N is None else N)
            terms.append(Rest(len(counted) - len(kept), rest))
        total = sum_of(terms, limit=len(terms))
        return -total if N in (None, 1) else -(total / without_noise(N or 1.0))

    def sent(self, call: Call, at: Symbols, to: Value, index: Index) -> Expr | None:
        p, q = at.inner(call, "p", self.p(call)), at.inner(call, "q", self.q(call))
        return self.share_of_row(call, at, index[:-1], p[index] - q[index])


def _log_p(p: Any, q: Any, z: Any, i: Index) -> Expr:
    """q ln p; by z where p is so near to 0 that its digits are lost."""
    small = p[i].value < 1e-12
    log = z[i] - log_of_sum([z[(*i[:-1], j)] for j in range(z.data.shape[-1])]) if small else ln(p[i])
    return log if q[i].value == 1 else q[i] * log
