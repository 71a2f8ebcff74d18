"""What cross-entropies share: how much each row counts, s_n = c_n/Σc, and the mean by these shares.

1/N of N rows; c is the weight of a sample or of its class, 0 for padding.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from workings.base.tokens import PAD
from workings.solutions.calls import Call, Value
from workings.solutions.expressions import Expr, Number, SumOver, Symbol
from workings.solutions.rules.base import Index, Inner, Rule, Symbols, every
from workings.solutions.rules.losses import arriving, target
from workings.solutions.sums import sum_of


class OfRows(Rule):
    """A mean over rows, each with its share."""

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
        c = (y != ignored(call)).double() if not y.is_floating_point() else torch.ones(y.shape, dtype=torch.float64)
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

    def inner_shares(self, call: Call, at: Symbols) -> list[Inner]:
        """c and s, where rows do not count alike."""
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
        return -sum_of(terms) if N == 1 else -(sum_of(terms) / without_noise(N))

    def whole_loss(self, call: Call, body: Expr, rows: int) -> Expr:
        """−Σ s·body, in symbols."""
        N = self.number(call)
        if N is None:
            return -SumOver("n", Symbol("s", "", "n") * body)
        body = body if rows == 1 else SumOver("n", body)
        return -body if N == 1 else -(body / without_noise(N))

    def share_of_row(self, call: Call, at: Symbols, row: Index, difference: Expr) -> Expr:
        """s·difference of one row, times what arrives."""
        N = self.number(call)
        s = self.shares(call)
        if float(s[row]) == 0:
            return Number(0.0)
        if N is None:
            return arriving(call, at, at.inner(call, "s", s)[row] * difference)
        return arriving(call, at, difference if N == 1 else difference / without_noise(N))


def without_noise(N: float) -> float:
    """N without the noise of 1/(1/N)."""
    return float(round(N)) if abs(N - round(N)) < 1e-9 * N else N


def smoothing(call: Call) -> float:
    """ε."""
    return float(call.kwargs.get("label_smoothing", getattr(call.func, "label_smoothing", 0.0)) or 0.0)


def ignored(call: Call) -> int:
    """The class that counts for nothing."""
    return int(call.kwargs.get("ignore_index", -100))
