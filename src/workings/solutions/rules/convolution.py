"""Convolution as the field computes it (cross-correlation), a window that slides, and as a matrix product.

    z_o(i, j) = Σ_c Σ_u Σ_v w_oc(u, v) x_c(S i + D u − P, S j + D v − P) + b_o
    Z = W X                        X: a column for each position, the numbers in its window (im2col)

    ∂L/∂w_oc(u, v) = Σ_ij δ_o(i, j) x_c(S i + D u − P, S j + D v − P)       ∂L/∂W = δ Xᵀ
    ∂L/∂b_o = Σ_ij δ_o(i, j)
    ∂L/∂x = what Wᵀ δ gives each window, added where windows overlap (col2im)

Whole tensors are computed by the second form, entries printed by the first. S stride, P padding, D dilation.
Legend: x (B, C, H, W), w (O, C/groups, U, V), z (B, O, I, J). In one dimension: without the last axis.
"""

from __future__ import annotations

import itertools
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from workings.solutions.calls import Call, Value
from workings.solutions.expressions import Entry, Expr, Joined, SumOver, Symbol
from workings.solutions.rules.base import Equation, Index, Rule, Symbols, accumulate, gradient, transposed, whole
from workings.solutions.sums import products, sum_of


class Convolution(Rule):
    """In one or two dimensions, with groups."""

    name = "convolution"
    letter = "z"
    weighted = True
    complete = True

    def __init__(self, dimensions: int) -> None:
        self.dimensions = dimensions

    def fits(self, call: Call) -> bool:
        x, w, _ = _parts(call)
        n = self.dimensions
        return isinstance(x, Value) and isinstance(w, Value) and x.data.ndim == w.data.ndim == n + 2

    def geometry(self, call: Call) -> tuple[list[int], list[int], list[int], int]:
        """Stride, padding, dilation (one number an axis) and groups."""
        names = ("input", "weight", "bias", "stride", "padding", "dilation", "groups")
        stride, padding, dilation, groups = call.bound(*names, stride=1, padding=0, dilation=1, groups=1)[3:]
        kernel = _parts(call)[1].data.shape[2:]
        D = _each(dilation, self.dimensions)
        if padding == "same":
            padding = [d * (k - 1) // 2 for d, k in zip(D, kernel, strict=True)]
        P = [0] * self.dimensions if padding == "valid" else _each(padding, self.dimensions)
        return _each(stride, self.dimensions), P, D, int(groups)

    def _columns(self, call: Call) -> tuple[Tensor, dict[str, Any]]:
        """X (B, C·U·V, positions), and how it was cut."""
        x, w, _ = _parts(call)
        S, P, D, _ = self.geometry(call)
        data = x.data if self.dimensions == 2 else x.data[:, :, None]
        kernel = tuple(w.data.shape[2:])
        if self.dimensions == 1:
            kernel, S, P, D = (1, *kernel), [1, *S], [0, *P], [1, *D]
        how: dict[str, Any] = {"kernel_size": kernel, "stride": S, "padding": P, "dilation": D}
        return F.unfold(data, **how), how

    def forward(self, call: Call) -> list[Tensor]:
        _, w, b = _parts(call)
        X, _ = self._columns(call)
        groups = self.geometry(call)[3]
        O = w.data.shape[0]  # noqa: E741
        W = w.data.reshape(groups, O // groups, -1)
        Z = torch.einsum("gok,bgkn->bgon", W, X.reshape(len(X), groups, -1, X.shape[2])).reshape(len(X), O, -1)
        if b is not None:
            Z = Z + b.data[None, :, None]
        return [Z.reshape(call.out.data.shape)]

    def backward(self, call: Call, deltas: list[Tensor]) -> dict[int, Tensor]:
        x, w, b = _parts(call)
        X, how = self._columns(call)
        groups, O = self.geometry(call)[3], w.data.shape[0]  # noqa: E741
        d = deltas[0].reshape(len(X), groups, O // groups, -1)
        sent: dict[int, Tensor] = {}
        Xg = X.reshape(len(X), groups, -1, X.shape[2])
        accumulate(sent, w, torch.einsum("bgon,bgkn->gok", d, Xg).reshape(w.data.shape))
        if b is not None:
            accumulate(sent, b, deltas[0].flatten(2).sum((0, 2)))
        if x.needs_grad:
            columns = torch.einsum("gok,bgon->bgkn", w.data.reshape(groups, O // groups, -1), d).reshape(X.shape)
            size = tuple(x.data.shape[2:]) if self.dimensions == 2 else (1, x.data.shape[2])
            accumulate(sent, x, F.fold(columns, size, **how).reshape(x.data.shape))
        return sent

    def equations(self, call: Call, at: Symbols) -> list[Equation]:
        x, w, b = (None if v is None else at.quantity(v) for v in _parts(call))
        assert x is not None
        assert w is not None
        z, ax = at.quantity(call.out), "ij" if self.dimensions == 2 else "i"
        window = "uv" if self.dimensions == 2 else "u"
        S, P, D, _ = self.geometry(call)
        there = ",".join(_offset(s, i, d, u, p) for s, i, d, u, p in zip(S, ax, D, window, P, strict=False))
        product = Symbol(w.letter, w.layer, f"o,k,{','.join(window)}") * Symbol(x.letter, x.layer, f"k,{there}")
        body: Expr = SumOver("k" + window, product)
        if b is not None:
            body = body + Symbol(b.letter, b.layer, "o")
        return [(Symbol(z.letter, z.layer, f"o,{','.join(ax)}"), body)]

    def backward_equations(self, call: Call, at: Symbols) -> list[Equation]:
        x, w, b = _parts(call)
        delta, X = gradient(at, call.out), Symbol("X", at.quantity(call.out).layer)
        found: list[Equation] = [(gradient(at, w), Joined((delta, transposed(X))))]
        if b is not None:
            found.append((gradient(at, b), SumOver("ij" if self.dimensions == 2 else "i", delta)))
        if x.needs_grad:
            found.append((gradient(at, x), Joined((Symbol("col2im"), Joined((transposed(whole(at, w)), delta))), " ")))
        return found

    def remarks(self, call: Call) -> list[str]:
        S, P, D, groups = self.geometry(call)
        x, w, _ = _parts(call)
        told = []
        for size, k, s, p, d, out in zip(
            x.data.shape[2:], w.data.shape[2:], S, P, D, call.out.data.shape[2:], strict=True
        ):
            told.append(f"({size} − {d * (k - 1) + 1} + 2·{p})/{s} + 1 = {out}")
        said = f"Size by (I − F + 2P)/S + 1, rounded down: {', '.join(dict.fromkeys(told))}."
        return [said + (f" {groups} groups." if groups > 1 else "")]

    def _window(self, call: Call, place: tuple[int, ...]) -> list[tuple[Index, Index]]:
        """(kernel position, input position) of one output position, without those in the padding."""
        x, w, _ = _parts(call)
        S, P, D, _ = self.geometry(call)
        found = []
        for kernel in itertools.product(*(range(k) for k in w.data.shape[2:])):
            source = tuple(s * i + d * u - p for s, i, d, u, p in zip(S, place, D, kernel, P, strict=True))
            if all(0 <= i < n for i, n in zip(source, x.data.shape[2:], strict=True)):
                found.append((kernel, source))
        return found

    def element(self, call: Call, at: Symbols, index: Index) -> Expr:
        x, w, b = _parts(call)
        n, o, *place = index
        qx, qw = at.quantity(x), at.quantity(w)
        first = self._first_channel(call, o)
        pairs = [
            (qw[(o, c, *kernel)], qx[(n, first + c, *source)])
            for c in range(w.data.shape[1])
            for kernel, source in self._window(call, tuple(place))
        ]
        return products(pairs, [] if b is None else [at.quantity(b)[(o,)]])

    def _first_channel(self, call: Call, o: int) -> int:
        w, groups = _parts(call)[1].data, self.geometry(call)[3]
        return (o // (w.shape[0] // groups)) * w.shape[1]

    def sent(self, call: Call, at: Symbols, to: Value, index: Index) -> Expr | None:
        x, w, b = _parts(call)
        delta, S, P, D = at.delta(call.out), *self.geometry(call)[:3]
        B, O, *places = call.out.data.shape  # noqa: E741
        if to is b:
            return sum_of([delta[(n, index[0], *p)] for n in range(B) for p in itertools.product(*map(range, places))])
        qx, qw = at.quantity(x), at.quantity(w)
        pairs: list[tuple[Entry, Entry]] = []
        if to is w:
            o, c, *kernel = index
            c += self._first_channel(call, o)
            for n, *place in itertools.product(range(B), *map(range, places)):
                source = [s * i + d * u - p for s, i, d, u, p in zip(S, place, D, kernel, P, strict=True)]
                if all(0 <= i < size for i, size in zip(source, x.data.shape[2:], strict=True)):
                    pairs.append((delta[(n, o, *place)], qx[(n, c, *source)]))
            return products(pairs)
        n, c, *source = index
        for o in range(O):
            inside = c - self._first_channel(call, o)
            if not 0 <= inside < w.data.shape[1]:
                continue
            for kernel in itertools.product(*(range(k) for k in w.data.shape[2:])):
                steps = [i + p - d * u for i, p, d, u in zip(source, P, D, kernel, strict=True)]
                place = [t // s for t, s in zip(steps, S, strict=True)]
                exact = all(t % s == 0 for t, s in zip(steps, S, strict=True))
                if exact and all(0 <= i < size for i, size in zip(place, places, strict=True)):
                    pairs.append((qw[(o, inside, *kernel)], delta[(n, o, *place)]))
        return products(pairs)


def _parts(call: Call) -> tuple[Value, Value, Value | None]:
    return tuple(call.bound("input", "weight", "bias"))  # type: ignore[return-value]


def _each(x: Any, n: int) -> list[int]:
    if isinstance(x, int):
        return [x] * n
    return [int(i) for i in x] if len(x) == n else [int(x[0])] * n


def _offset(s: int, i: str, d: int, u: str, p: int) -> str:
    first = i if s == 1 else f"{s}{i}"
    second = u if d == 1 else f"{d}{u}"
    # Written indices count from 1: i + u − 1 is the first number of the first window.
    shift = p + s + d - 1
    return f"{first}+{second}-{shift}" if shift else f"{first}+{second}"
