"""Scaled dot-product attention, taken apart: what the fused function does not show.

    S = Q Kᵀ/√d (+ mask)        α = softmax(S), row by row        O = α V

    ∂L/∂V = αᵀ G        A = G Vᵀ        ∂L/∂S = α ⊙ (A − row sums of A ⊙ α)
    ∂L/∂Q = ∂L/∂S K/√d        ∂L/∂K = (∂L/∂S)ᵀ Q/√d

with G = ∂L/∂O. Vaswani et al. 2017. Legend: Q (…, T, d), K (…, U, d), V (…, U, D), S and α (…, T, U).
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from workings.solutions.calls import Call, Value
from workings.solutions.expressions import Entry, Expr, Joined, Number, Symbol, sqrt
from workings.solutions.rules.base import Equation, Index, Inner, Rule, Symbols, accumulate, gradient, transposed, whole
from workings.solutions.rules.softmax import share_of
from workings.solutions.sums import products

_NAMES = ("query", "key", "value", "attn_mask", "dropout_p", "is_causal", "scale", "enable_gqa")


class Attention(Rule):
    """Without dropout; the mask is a constant."""

    name = "attention"
    letter = "o"
    complete = True

    def _parts(self, call: Call) -> tuple[Value, Value, Value]:
        return tuple(call.bound(*_NAMES)[:3])  # type: ignore[return-value]

    def fits(self, call: Call) -> bool:
        *_, p, _, _, grouped = call.bound(*_NAMES, dropout_p=0.0, enable_gqa=False)
        q, k, v = self._parts(call)
        alike = q.data.shape[:-2] == k.data.shape[:-2] == v.data.shape[:-2]
        mask = call.bound(*_NAMES)[3]
        return not p and not grouped and alike and not (isinstance(mask, Value) and mask.needs_grad)

    def scale(self, call: Call) -> float:
        """1/√d where no other is given."""
        given = call.bound(*_NAMES)[6]
        return 1 / math.sqrt(self._parts(call)[0].data.shape[-1]) if given is None else float(given)

    def mask(self, call: Call) -> Tensor | None:
        """What is added to S: −∞ where a query may not look."""
        _, _, _, mask, _, causal, _, _ = call.bound(*_NAMES, is_causal=False)
        q, k, _ = self._parts(call)
        if causal:
            allowed = torch.ones(q.data.shape[-2], k.data.shape[-2], dtype=torch.bool).tril()
        elif mask is None:
            return None
        elif mask.data.dtype != torch.bool:
            return mask.data
        else:
            allowed = mask.data
        return torch.zeros(allowed.shape, dtype=torch.float64).masked_fill(~allowed, -torch.inf)

    def scores(self, call: Call) -> Tensor:
        """S."""
        q, k, _ = self._parts(call)
        S = q.data @ k.data.mT * self.scale(call)
        mask = self.mask(call)
        return S if mask is None else S + mask

    def shares(self, call: Call) -> Tensor:
        """α."""
        S = self.scores(call)
        e = torch.exp(S - S.amax(-1, keepdim=True))
        return e / e.sum(-1, keepdim=True)

    def forward(self, call: Call) -> list[Tensor]:
        return [self.shares(call) @ self._parts(call)[2].data]

    def _back(self, call: Call, G: Tensor) -> Tensor:
        """∂L/∂S."""
        alpha, A = self.shares(call), G @ self._parts(call)[2].data.mT
        return alpha * (A - (A * alpha).sum(-1, keepdim=True))

    def backward(self, call: Call, deltas: list[Tensor]) -> dict[int, Tensor]:
        (q, k, v), G, c = self._parts(call), deltas[0], self.scale(call)
        dS, sent = self._back(call, G), {}
        accumulate(sent, q, dS @ k.data * c)
        accumulate(sent, k, dS.mT @ q.data * c)
        accumulate(sent, v, self.shares(call).mT @ G)
        return sent

    def equations(self, call: Call, at: Symbols) -> list[Equation]:
        q, k, v = (whole(at, x) for x in self._parts(call))
        S = Joined((q, transposed(k))) / sqrt(Symbol("d"))
        return [
            (Symbol("S"), S if self.mask(call) is None else S + Symbol("mask")),
            (Symbol("α"), Joined((Symbol("softmax"), Symbol("S")))),
            (whole(at, call.out), Joined((Symbol("α"), v))),
        ]

    def backward_equations(self, call: Call, at: Symbols) -> list[Equation]:
        q, k, v = self._parts(call)
        G, alpha, dS = gradient(at, call.out), Symbol("α"), Symbol("∂L/∂S")
        A = Joined((G, transposed(whole(at, v))))
        return [
            (dS, Joined((alpha, A - Joined((Symbol("row sums of"), A, Symbol("⊙"), alpha))), " ⊙ ")),
            (gradient(at, q), Joined((dS, whole(at, k))) / sqrt(Symbol("d"))),
            (gradient(at, k), Joined((transposed(dS), whole(at, q))) / sqrt(Symbol("d"))),
            (gradient(at, v), Joined((transposed(alpha), G))),
        ]

    def inner(self, call: Call, at: Symbols) -> list[Inner]:
        q, k, _ = self._parts(call)
        qq, qk = at.quantity(q), at.quantity(k)
        alpha = at.inner(call, "α", self.shares(call))
        S = at.inner(call, "S", torch.nan_to_num(self.scores(call), neginf=0.0))
        mask, d = self.mask(call), q.data.shape[-1]

        def score(i: Index) -> Expr:
            *n, t, u = i
            if mask is not None and float(mask.expand(S.data.shape)[i]) == -math.inf:
                return Number(0.0)  # not looked at: it is left out of α
            dot = products([(qq[(*n, t, j)], qk[(*n, u, j)]) for j in range(d)])
            scaled = dot / sqrt(Number(d)) if call.bound(*_NAMES)[6] is None else dot * Number(self.scale(call))
            return scaled if mask is None else scaled + Number(float(mask.expand(S.data.shape)[i]))

        def share(i: Index) -> Expr:
            *n, t, _ = i
            if alpha[i].value == 0:
                return Number(0.0)
            seen = [u for u in range(S.data.shape[-1]) if alpha[(*n, t, u)].value]
            return share_of(S[i], [S[(*n, t, u)] for u in seen])

        return [Inner(S, score), Inner(alpha, share)]

    def element(self, call: Call, at: Symbols, index: Index) -> Expr:
        *n, t, j = index
        v, alpha = at.quantity(self._parts(call)[2]), at.inner(call, "α", self.shares(call))
        return products([(alpha[(*n, t, u)], v[(*n, u, j)]) for u in range(alpha.data.shape[-1])])

    def sent(self, call: Call, at: Symbols, to: Value, index: Index) -> Expr | None:
        q, k, v = self._parts(call)
        if len({id(q), id(k), id(v)}) < 3:
            return None
        G, alpha, *n = at.delta(call.out), at.inner(call, "α", self.shares(call)), *index[:-2]
        i, j = index[-2:]
        if to is v:
            return products([(alpha[(*n, t, i)], G[(*n, t, j)]) for t in range(alpha.data.shape[-2])])
        dS = at.inner(call, "∂L/∂S", self._back(call, G.data))
        pairs: list[tuple[Entry, Entry]]
        if to is q:
            pairs = [(dS[(*n, i, u)], at.quantity(k)[(*n, u, j)]) for u in range(alpha.data.shape[-1])]
        else:
            pairs = [(dS[(*n, t, i)], at.quantity(q)[(*n, t, j)]) for t in range(alpha.data.shape[-2])]
        if call.bound(*_NAMES)[6] is None:
            return products(pairs) / sqrt(Number(q.data.shape[-1]))
        return products(pairs) * Number(self.scale(call))

    def remarks(self, call: Call) -> list[str]:
        mask = self.mask(call)
        if mask is None:
            return []
        hidden = int((mask == -math.inf).sum())
        return [f"The mask keeps {hidden:,} of {mask.numel():,} pairs of query and key from each other; α is 0 there."]
