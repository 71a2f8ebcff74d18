"""Matrix products C = A B, c_ij = Σ_k a_ik b_kj, alone or many at once, and back ∂L/∂A = G Bᵀ, ∂L/∂B = Aᵀ G, G = ∂L/∂C.

Also c = b + x Wᵀ as ``addmm`` writes it, and sums and means along axes: back, each term gets the gradient of its sum.
"""

from __future__ import annotations

from itertools import product

import torch
from torch import Tensor

from workings.solutions.calls import Call, Value
from workings.solutions.expressions import Expr, Joined, Number, SumOver
from workings.solutions.rules.base import (
    Equation,
    Index,
    Rule,
    Symbols,
    accumulate,
    gradient,
    reached,
    reduced,
    source_index,
    transposed,
    whole,
)
from workings.solutions.sums import products, sum_of


class MatrixProduct(Rule):
    """Of two tensors of two or more axes."""

    name = "matrix product"
    complete = True

    def _pair(self, call: Call) -> tuple[Value, Value]:
        if call.name in ("bmm", "mm"):
            first, second = (
                v if v is not None else w for v, w in zip(call.bound("input", "mat2"), call.args, strict=False)
            )
            return first, second
        a, b = call.bound("input", "other")
        return (b, a) if call.name == "rmatmul" else (a, b)

    def fits(self, call: Call) -> bool:
        a, b = self._pair(call)
        return isinstance(a, Value) and isinstance(b, Value) and a.data.ndim >= 2 and b.data.ndim >= 2

    def forward(self, call: Call) -> list[Tensor]:
        a, b = self._pair(call)
        return [torch.einsum("...ik,...kj->...ij", a.data, b.data)]

    def backward(self, call: Call, deltas: list[Tensor]) -> dict[int, Tensor]:
        a, b = self._pair(call)
        sent: dict[int, Tensor] = {}
        accumulate(sent, a, reduced(deltas[0] @ b.data.mT, a.data.shape))
        accumulate(sent, b, reduced(a.data.mT @ deltas[0], b.data.shape))
        return sent

    def equations(self, call: Call, at: Symbols) -> list[Equation]:
        a, b = self._pair(call)
        return [(whole(at, call.out), Joined((whole(at, a), whole(at, b))))]

    def backward_equations(self, call: Call, at: Symbols) -> list[Equation]:
        a, b = self._pair(call)
        g, found = gradient(at, call.out), []
        if a.needs_grad:
            found.append((gradient(at, a), Joined((g, transposed(whole(at, b))))))
        if b.needs_grad and b is not a:
            found.append((gradient(at, b), Joined((transposed(whole(at, a)), g))))
        return found

    def element(self, call: Call, at: Symbols, index: Index) -> Expr:
        a, b = self._pair(call)
        qa, qb = at.quantity(a), at.quantity(b)
        *batch, i, j = index
        ia, ib = source_index(a.data.shape[:-2], tuple(batch)), source_index(b.data.shape[:-2], tuple(batch))
        return products([(qa[(*ia, i, k)], qb[(*ib, k, j)]) for k in range(a.data.shape[-1])])

    def sent(self, call: Call, at: Symbols, to: Value, index: Index) -> Expr | None:
        a, b = self._pair(call)
        if a is b:
            return None
        g, out = at.delta(call.out), call.out.data.shape
        *own, r, c = index
        batches = reached(to.data.shape[:-2], out[:-2], tuple(own))
        if to is a:
            qb = at.quantity(b)
            pairs = [
                (g[(*n, r, j)], qb[(*source_index(b.data.shape[:-2], n), c, j)])
                for n in batches
                for j in range(out[-1])
            ]
        else:
            qa = at.quantity(a)
            pairs = [
                (qa[(*source_index(a.data.shape[:-2], n), i, r)], g[(*n, i, c)])
                for n in batches
                for i in range(out[-2])
            ]
        return products(pairs)


class SumAndProduct(Rule):
    """C = M + A B, one or many at once: ``addmm``, ``baddbmm``; M is spread where it is smaller."""

    name = "sum and matrix product"
    complete = True

    def _parts(self, call: Call) -> tuple[Value, Value, Value]:
        names = ("mat1", "mat2") if call.name == "addmm" else ("batch1", "batch2")
        return tuple(call.bound("input", *names))  # type: ignore[return-value]

    def fits(self, call: Call) -> bool:
        beta, alpha = (call.kwargs.get(name, 1) for name in ("beta", "alpha"))
        different = len({id(v) for v in self._parts(call)}) == 3
        return beta == alpha == 1 and different and all(isinstance(v, Value) for v in self._parts(call))

    def forward(self, call: Call) -> list[Tensor]:
        m, a, b = (v.data for v in self._parts(call))
        return [m + torch.einsum("...ik,...kj->...ij", a, b)]

    def backward(self, call: Call, deltas: list[Tensor]) -> dict[int, Tensor]:
        (m, a, b), g = self._parts(call), deltas[0]
        sent: dict[int, Tensor] = {}
        accumulate(sent, m, reduced(g, m.data.shape))
        accumulate(sent, a, g @ b.data.mT)
        accumulate(sent, b, a.data.mT @ g)
        return sent

    def equations(self, call: Call, at: Symbols) -> list[Equation]:
        m, a, b = (whole(at, v) for v in self._parts(call))
        return [(whole(at, call.out), m + Joined((a, b)))]

    def backward_equations(self, call: Call, at: Symbols) -> list[Equation]:
        (m, a, b), g = self._parts(call), gradient(at, call.out)
        said = ((m, g), (a, Joined((g, transposed(whole(at, b))))), (b, Joined((transposed(whole(at, a)), g))))
        return [(gradient(at, v), e) for v, e in said if v.needs_grad]

    def element(self, call: Call, at: Symbols, index: Index) -> Expr:
        m, a, b = self._parts(call)
        (*n, i, j), qa, qb = index, at.quantity(a), at.quantity(b)
        own = at.quantity(m)[source_index(m.data.shape, index)]
        return products([(qa[(*n, i, k)], qb[(*n, k, j)]) for k in range(a.data.shape[-1])], [own])

    def sent(self, call: Call, at: Symbols, to: Value, index: Index) -> Expr | None:
        (m, a, b), g = self._parts(call), at.delta(call.out)
        *many, rows, columns = call.out.data.shape
        if to is m:
            return sum_of([g[i] for i in reached(m.data.shape, (*many, rows, columns), index)])
        *n, r, c = index
        if to is a:
            return products([(g[(*n, r, j)], at.quantity(b)[(*n, c, j)]) for j in range(columns)])
        return products([(at.quantity(a)[(*n, i, r)], g[(*n, i, c)]) for i in range(rows)])


class Total(Rule):
    """Σ or the mean, along given axes or all."""

    complete = True

    def __init__(self, mean: bool) -> None:
        self.mean = mean
        self.name = "mean" if mean else "total"

    def fits(self, call: Call) -> bool:
        x, dim = call.bound("input", "dim")
        return isinstance(x, Value) and (dim is None or isinstance(dim, (int, tuple, list)))

    def axes(self, call: Call) -> tuple[int, ...]:
        """The axes that are summed."""
        x, dim = call.bound("input", "dim")
        dim = call.kwargs.get("axis", dim)
        n = x.data.ndim
        if dim is None or dim in ((), []):
            return tuple(range(n))
        return tuple(sorted(d % n for d in ([dim] if isinstance(dim, int) else dim)))

    def _keep(self, call: Call) -> bool:
        return bool(call.bound("input", "dim", "keepdim", keepdim=False)[2])

    def _count(self, call: Call) -> int:
        shape = call.inputs[0].data.shape
        n = 1
        for axis in self.axes(call):
            n *= shape[axis]
        return n if self.mean else 1

    def forward(self, call: Call) -> list[Tensor]:
        x, axes = call.inputs[0].data, self.axes(call)
        return [(x.sum(axes, keepdim=self._keep(call)) if axes else x) / self._count(call)]

    def backward(self, call: Call, deltas: list[Tensor]) -> dict[int, Tensor]:
        x, g, sent = call.inputs[0], deltas[0], {}
        if not self._keep(call):
            for axis in self.axes(call):
                g = g.unsqueeze(axis)
        accumulate(sent, x, g.expand(x.data.shape) / self._count(call))
        return sent

    def equations(self, call: Call, at: Symbols) -> list[Equation]:
        body: Expr = SumOver("", whole(at, call.inputs[0]))
        return [(whole(at, call.out), body / self._count(call) if self.mean else body)]

    def backward_equations(self, call: Call, at: Symbols) -> list[Equation]:
        g = gradient(at, call.out)
        return [(gradient(at, call.inputs[0]), g / self._count(call) if self.mean else g)]

    def element(self, call: Call, at: Symbols, index: Index) -> Expr:
        shape, axes, rest = call.inputs[0].data.shape, self.axes(call), list(index)
        fixed: list[range] = []
        for axis, n in enumerate(shape):
            if axis in axes:
                fixed.append(range(n))
                if self._keep(call):
                    rest.pop(0)
            else:
                i = rest.pop(0)
                fixed.append(range(i, i + 1))
        q = at.quantity(call.inputs[0])
        body = sum_of([q[i] for i in product(*fixed)])
        return body / Number(self._count(call)) if self.mean else body

    def sent(self, call: Call, at: Symbols, to: Value, index: Index) -> Expr:
        axes = self.axes(call)
        if self._keep(call):
            place = tuple(0 if i in axes else k for i, k in enumerate(index))
        else:
            place = tuple(k for i, k in enumerate(index) if i not in axes)
        g = at.delta(call.out)[place]
        return g / Number(self._count(call)) if self.mean else g
