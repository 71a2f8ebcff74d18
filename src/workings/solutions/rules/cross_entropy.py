"""Cross-entropies: how unlikely the true classes were, and how that changes with each logit.

    of classes    L = −Σ_n s_n Σ_k q_nk ln p_nk,  p = softmax(z)             ∂L/∂z_nk = s_n (p_nk − q_nk)
    of a logit    L = −Σ_n s_n [y ln p + (1 − y) ln(1 − p)],  p = σ(z)       ∂L/∂z_n = s_n (p_n − y_n)

q is 1 at the true class and 0 elsewhere; with label smoothing ε it is (1 − ε)q + ε/K, and y is (1 − ε)y + ε/2.
s_n = c_n/Σc is the share of row n: 1/N of N rows; c is the weight of a sample or of its class, 0 for padding.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from workings.base.tokens import PAD
from workings.solutions.calls import Call, Value
from workings.solutions.expressions import TERMS, Entry, Expr, Number, Rest, SumOver, Symbol, exp, holds, ln, sum_of
from workings.solutions.rules.base import Equation, Index, Inner, Rule, Symbols, accumulate, every, gradient, whole
from workings.solutions.rules.elementwise import log_one_more, logistic
from workings.solutions.rules.losses import arriving, arriving_whole, fold, like, target
from workings.solutions.rules.softmax import log_of_sum, share_of


class Shared(Rule):
    """What both have: a share for each row."""

    letter = "L"
    loss = True
    complete = True

    def counts(self, call: Call) -> Tensor:
        """c, in the shape of the targets."""
        y = target(call).data
        given: Any = call.bound("input", "target", "weight")[2]
        func: Any = call.func
        if call.name == "TokenCrossEntropy":
            c = (y != PAD).double()
            return c * given.data[:, None] if isinstance(given, Value) else c
        if hasattr(func, "weights"):  # a loss of Workings: of samples, times those of classes
            w = func.weights(y, given.data if isinstance(given, Value) else None)
            return torch.ones(y.shape, dtype=torch.float64) if w is None else w.double().reshape(y.shape)
        c = (y != _ignored(call)).double() if not y.is_floating_point() else torch.ones(y.shape, dtype=torch.float64)
        return c * given.data[y.clamp(min=0)] if isinstance(given, Value) else c

    def shares(self, call: Call) -> Tensor:
        """s, in the shape of the targets."""
        c = self.counts(call)
        return c if call.kwargs.get("reduction", "mean") == "sum" else c / c.sum().clamp(min=1e-12)

    def number(self, call: Call) -> float | None:
        """N where all rows that count have the same share 1/N, else None."""
        s = self.shares(call)
        some = s[s > 0]
        return 1 / float(some[0]) if some.numel() and bool((some == some[0]).all()) else None

    def _inner_shares(self, call: Call, at: Symbols) -> list[Inner]:
        if self.number(call) is not None:
            return []
        c, s = at.inner(call, "c", self.counts(call)), at.inner(call, "s", self.shares(call))
        places = every(c.data.shape)
        said = Symbol("c", "", "n") / SumOver("m", Symbol("c", "", "m"))
        return [Inner(s, lambda i: c[i] / sum_of([c[j] for j in places]), (Symbol("s", "", "n"), said))]

    def remarks(self, call: Call) -> list[str]:
        c = self.counts(call)
        none = int((c == 0).sum())
        found = [f"{none:,} of {c.numel():,} rows count for nothing: they are padding, or weigh 0."] if none else []
        return found if self.number(call) is not None else [*found, "c is the weight of each row, s its share."]

    def mean_of(self, call: Call, at: Symbols, terms: list[Expr], rows: list[Index]) -> Expr:
        """−Σ s·term for the terms of these rows."""
        N = self.number(call)
        if N is None:
            s = at.inner(call, "s", self.shares(call))
            return -sum_of([s[row] * term for row, term in zip(rows, terms, strict=True)])
        return -sum_of(terms) if N == 1 else -(sum_of(terms) / _whole(N))

    def _whole_loss(self, call: Call, body: Expr, rows: int) -> Expr:
        N = self.number(call)
        if N is None:
            return -SumOver("n", Symbol("s", "", "n") * body)
        body = body if rows == 1 else SumOver("n", body)
        return -body if N == 1 else -(body / _whole(N))

    def _share_of(self, call: Call, at: Symbols, row: Index, difference: Expr) -> Expr:
        N = self.number(call)
        s = self.shares(call)
        if float(s[row]) == 0:
            return Number(0.0)
        if N is None:
            return arriving(call, at, at.inner(call, "s", s)[row] * difference)
        return arriving(call, at, difference if N == 1 else difference / _whole(N))


class BinaryCrossEntropy(Shared):
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
        epsilon = _smoothing(call)
        return (1 - epsilon) * like(call.inputs[0], target(call)) + epsilon / 2

    def _entry(self, call: Call, at: Symbols, i: Index) -> Entry:
        if _smoothing(call):
            return at.inner(call, "q", self.q(call))[i]
        y = at.quantity(target(call))
        return y[fold(y.data, call.inputs[0].data.shape, i)]

    def _symbol(self, call: Call, at: Symbols) -> Expr:
        return Symbol("q") if _smoothing(call) else whole(at, target(call))

    def inner(self, call: Call, at: Symbols) -> list[Inner]:
        z = at.quantity(call.inputs[0])
        p = at.inner(call, "p", logistic(z.data))
        found = [Inner(p, lambda i: logistic(z[i]), (Symbol("p"), logistic(whole(at, call.inputs[0]))))]
        found += self._inner_shares(call, at)
        epsilon, y = _smoothing(call), at.quantity(target(call))
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
        return [(Symbol("L"), self._whole_loss(call, each, call.inputs[0].data.numel()))]

    def backward_equations(self, call: Call, at: Symbols) -> list[Equation]:
        N, difference = self.number(call), Symbol("p") - self._symbol(call, at)
        said = Symbol("s") * difference if N is None else difference if N == 1 else difference / _whole(N)
        return [(gradient(at, call.inputs[0]), arriving_whole(call, at, said))]

    def element(self, call: Call, at: Symbols, index: Index) -> Expr:
        s = self.shares(call)
        rows = [i for i in every(s.shape) if float(s[i])]
        p, z = at.inner(call, "p", logistic(call.inputs[0].data)), at.quantity(call.inputs[0])
        return self.mean_of(call, at, [_log_likelihood(self._entry(call, at, i), p, z, i) for i in rows], rows)

    def sent(self, call: Call, at: Symbols, to: Value, index: Index) -> Expr | None:
        p = at.inner(call, "p", logistic(call.inputs[0].data))
        return self._share_of(call, at, index, p[index] - self._entry(call, at, index))


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


class CrossEntropy(Shared):
    """Of class numbers y (N,) and logits z (N, K); of tokens y (B, T) and z (B, T, K)."""

    name = "softmax and cross-entropy"

    def fits(self, call: Call) -> bool:
        z, y = call.inputs[0].data, target(call)
        if not isinstance(y, Value) or y.data.is_floating_point() or y.data.ndim == 0:
            return False
        weighs = call.bound("input", "target", "weight")[2] is not None
        own = hasattr(call.func, "per_sample")
        mean = call.out.data.ndim == 0 and (own or not (weighs and _smoothing(call)))
        flat = y.data.ndim == 1 or call.name == "TokenCrossEntropy"
        return mean and flat and y.data.shape == z.shape[:-1] and bool(self.counts(call).sum() > 0)

    def q(self, call: Call) -> Tensor:
        """The targets as probabilities, in the shape of z; of rows that count for nothing, too."""
        z, y, epsilon = call.inputs[0].data, target(call).data, _smoothing(call)
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
        K, epsilon = z.data.shape[-1], _smoothing(call)

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
            *self._inner_shares(call, at),
        ]

    def equations(self, call: Call, at: Symbols) -> list[Equation]:
        body = SumOver("k", Symbol("q", "", "k") * ln(Symbol("p", "", "k")))
        return [(Symbol("L"), self._whole_loss(call, body, target(call).data.numel()))]

    def backward_equations(self, call: Call, at: Symbols) -> list[Equation]:
        N, difference = self.number(call), Symbol("p") - Symbol("q")
        said = Symbol("s") * difference if N is None else difference if N == 1 else difference / _whole(N)
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
        return -total if N in (None, 1) else -(total / _whole(N or 1.0))

    def sent(self, call: Call, at: Symbols, to: Value, index: Index) -> Expr | None:
        p, q = at.inner(call, "p", self.p(call)), at.inner(call, "q", self.q(call))
        return self._share_of(call, at, index[:-1], p[index] - q[index])


def _log_p(p: Any, q: Any, z: Any, i: Index) -> Expr:
    """q ln p; by z where p is so near to 0 that its digits are lost."""
    small = p[i].value < 1e-12
    log = z[i] - log_of_sum([z[(*i[:-1], j)] for j in range(z.data.shape[-1])]) if small else ln(p[i])
    return log if q[i].value == 1 else q[i] * log


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


def _whole(N: float) -> float:
    """N without the noise of 1/(1/N)."""
    return float(round(N)) if abs(N - round(N)) < 1e-9 * N else N


def _smoothing(call: Call) -> float:
    return float(call.kwargs.get("label_smoothing", getattr(call.func, "label_smoothing", 0.0)) or 0.0)


def _ignored(call: Call) -> int:
    return int(call.kwargs.get("ignore_index", -100))


def _plain(call: Call) -> bool:
    return all(call.kwargs.get(each) is None for each in ("weight", "pos_weight"))
