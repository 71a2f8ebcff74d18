"""Pooling: the maximum or the mean of a window of F × F.

max   p(i, j) = max of the window       back: all of ∂L/∂p(i, j) goes to the number that was the largest (the
                                        first, where several are), nothing to the others
mean  p(i, j) = (1/N) Σ of the window   back: 1/N of ∂L/∂p(i, j) to each
"""

from __future__ import annotations

import itertools
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from workings.solutions.calls import Call, Value
from workings.solutions.expressions import Expr, Function, Joined, SumOver, Symbol
from workings.solutions.rules.base import Equation, Index, Rule, Symbols, accumulate, gradient, whole
from workings.solutions.sums import sum_of, total

_NAMES = ("input", "kernel_size", "stride", "padding", "dilation", "ceil_mode")


class Pooling(Rule):
    """Common to both: where windows lie."""

    letter = "p"
    complete = True

    def fits(self, call: Call) -> bool:
        x = call.bound(*_NAMES)[0]
        return isinstance(x, Value) and x.data.ndim == 4 and self._plain(call)

    def _plain(self, call: Call) -> bool:
        return self.geometry(call)[2] == [0, 0] or self.maximum

    maximum = False

    def geometry(self, call: Call) -> tuple[list[int], list[int], list[int]]:
        """Window, stride, padding."""
        _, kernel, stride, padding, *_ = call.bound(*_NAMES, padding=0)
        F_ = _two(kernel)
        return F_, F_ if stride in (None, [], ()) else _two(stride), _two(padding)

    def window(self, call: Call, index: Index) -> list[Index]:
        """The input numbers of one output."""
        n, c, i, j = index
        (fh, fw), (sh, sw), (ph, pw) = self.geometry(call)
        H, W = call.inputs[0].data.shape[2:]
        rows = [r for r in range(sh * i - ph, sh * i - ph + fh) if 0 <= r < H]
        columns = [k for k in range(sw * j - pw, sw * j - pw + fw) if 0 <= k < W]
        return [(n, c, r, k) for r, k in itertools.product(rows, columns)]

    def reached(self, call: Call, index: Index) -> list[Index]:
        """The outputs whose window has an input number."""
        n, c, r, k = index
        (fh, fw), (sh, sw), (ph, pw) = self.geometry(call)
        I, J = call.out.data.shape[2:]  # noqa: E741
        rows = [i for i in range(I) if sh * i - ph <= r < sh * i - ph + fh]
        columns = [j for j in range(J) if sw * j - pw <= k < sw * j - pw + fw]
        return [(n, c, i, j) for i, j in itertools.product(rows, columns)]


class MaxPooling(Pooling):
    """The largest of each window."""

    name = "max pooling"
    maximum = True

    def fits(self, call: Call) -> bool:
        dilation, ceil = call.bound(*_NAMES, dilation=1, ceil_mode=False)[4:]
        return super().fits(call) and _two(dilation) == [1, 1] and not ceil and len(call.outputs) == 1

    def _where(self, call: Call) -> tuple[Tensor, Tensor]:
        """The maxima, and the flat position of each in its map."""
        kernel, stride, padding = self.geometry(call)
        x = call.inputs[0].data
        W = x.shape[3]
        padded = F.pad(x, (padding[1], padding[1], padding[0], padding[0]), value=-torch.inf)
        windows = padded.unfold(2, kernel[0], stride[0]).unfold(3, kernel[1], stride[1]).flatten(4)
        best, first = windows.max(-1)
        I, J = best.shape[2:]  # noqa: E741
        r = torch.arange(I)[:, None] * stride[0] - padding[0] + first // kernel[1]
        k = torch.arange(J)[None, :] * stride[1] - padding[1] + first % kernel[1]
        return best, r * W + k

    def forward(self, call: Call) -> list[Tensor]:
        return [self._where(call)[0]]

    def backward(self, call: Call, deltas: list[Tensor]) -> dict[int, Tensor]:
        x, (_, place), sent = call.inputs[0], self._where(call), {}
        back = torch.zeros_like(x.data).flatten(2)
        back.scatter_add_(2, place.flatten(2), deltas[0].flatten(2))
        accumulate(sent, x, back.reshape(x.data.shape))
        return sent

    def equations(self, call: Call, at: Symbols) -> list[Equation]:
        p, x = at.quantity(call.out), at.quantity(call.inputs[0])
        inside = Function("max", (Symbol(x.letter, x.layer, "k,u,v"),))
        return [(Symbol(p.letter, p.layer, "k,i,j"), inside)]

    def remarks(self, call: Call) -> list[str]:
        (fh, fw), (sh, sw), _ = self.geometry(call)
        return [f"Over the {fh} × {fw} numbers u, v of each window; stride {sh if sh == sw else (sh, sw)}."]

    def element(self, call: Call, at: Symbols, index: Index) -> Expr:
        x = at.quantity(call.inputs[0])
        return Function("max", tuple(x[i] for i in self.window(call, index)))

    def sent(self, call: Call, at: Symbols, to: Value, index: Index) -> Expr:
        delta, (_, place) = at.delta(call.out), self._where(call)
        W = to.data.shape[3]
        mine = [i for i in self.reached(call, index) if int(place[i]) == index[2] * W + index[3]]
        return total([delta[i] for i in mine])

    def backward_equations(self, call: Call, at: Symbols) -> list[Equation]:
        d, x = gradient(at, call.out), whole(at, call.inputs[0])
        return [(gradient(at, call.inputs[0]), Joined((d, Symbol("where"), x, Symbol("was the largest")), " "))]


class MeanPooling(Pooling):
    """The mean of each window."""

    name = "average pooling"

    def fits(self, call: Call) -> bool:
        names = (*_NAMES[:4], "ceil_mode", "count_include_pad", "divisor_override")
        ceil, _, divisor = call.bound(*names)[4:]
        return super().fits(call) and not ceil and divisor is None

    def _plain(self, call: Call) -> bool:
        return self.geometry(call)[2] == [0, 0]

    def forward(self, call: Call) -> list[Tensor]:
        kernel, stride, _ = self.geometry(call)
        x = call.inputs[0].data
        return [x.unfold(2, kernel[0], stride[0]).unfold(3, kernel[1], stride[1]).mean((-1, -2))]

    def backward(self, call: Call, deltas: list[Tensor]) -> dict[int, Tensor]:
        (fh, fw), (sh, sw), _ = self.geometry(call)
        x, share, sent = call.inputs[0], deltas[0] / (fh * fw), {}
        back = torch.zeros_like(x.data)
        I, J = share.shape[2:]  # noqa: E741
        for u, v in itertools.product(range(fh), range(fw)):
            back[:, :, u : u + sh * (I - 1) + 1 : sh, v : v + sw * (J - 1) + 1 : sw] += share
        accumulate(sent, x, back)
        return sent

    def equations(self, call: Call, at: Symbols) -> list[Equation]:
        p, x, (fh, fw) = at.quantity(call.out), at.quantity(call.inputs[0]), self.geometry(call)[0]
        return [(Symbol(p.letter, p.layer, "k,i,j"), SumOver("uv", Symbol(x.letter, x.layer, "k,u,v")) / (fh * fw))]

    def element(self, call: Call, at: Symbols, index: Index) -> Expr:
        x, inside = at.quantity(call.inputs[0]), self.window(call, index)
        return sum_of([x[i] for i in inside], limit=9) / len(inside)

    def sent(self, call: Call, at: Symbols, to: Value, index: Index) -> Expr:
        delta, (fh, fw) = at.delta(call.out), self.geometry(call)[0]
        return sum_of([delta[i] for i in self.reached(call, index)]) / (fh * fw)

    def backward_equations(self, call: Call, at: Symbols) -> list[Equation]:
        fh, fw = self.geometry(call)[0]
        return [(gradient(at, call.inputs[0]), gradient(at, call.out) / (fh * fw))]


def _even(call: Call) -> bool:
    x = call.inputs[0].data
    return x.ndim == 4 and all(n % m == 0 for n, m in zip(x.shape[2:], call.out.data.shape[2:], strict=True))


def _even_geometry(call: Call) -> tuple[list[int], list[int], list[int]]:
    sizes = zip(call.inputs[0].data.shape[2:], call.out.data.shape[2:], strict=True)
    kernel = [n // m for n, m in sizes]
    return kernel, kernel, [0, 0]


class AdaptiveMean(MeanPooling):
    """The mean of windows that divide the map evenly; of the whole map for one output."""

    def fits(self, call: Call) -> bool:
        return _even(call)

    def geometry(self, call: Call) -> tuple[list[int], list[int], list[int]]:
        return _even_geometry(call)


class AdaptiveLargest(MaxPooling):
    """The largest of windows that divide the map evenly."""

    def fits(self, call: Call) -> bool:
        return _even(call) and len(call.outputs) == 1

    def geometry(self, call: Call) -> tuple[list[int], list[int], list[int]]:
        return _even_geometry(call)


def _two(x: Any) -> list[int]:
    return [x, x] if isinstance(x, int) else [int(i) for i in x] * (2 if len(x) == 1 else 1)
