"""Complex numbers: pairs, products, turns, and the discrete Fourier transform.

    z = a + ib                       ∂L/∂a = Re g,  ∂L/∂b = Im g
    z = x y                          what goes to x is g ȳ
    X_k = c Σ_j x_j e^(−2πi jk/n)    what goes to x_j is c Σ_k g_k e^(2πi jk/n)

g = ∂L/∂Re z + i ∂L/∂Im z, as autograd has it. To a real number goes the real part. c = 1, 1/n or 1/√n.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from workings.solutions.calls import Call, Value
from workings.solutions.expressions import Joined, SumOver, Symbol
from workings.solutions.rules.base import Equation, Rule, Symbols, accumulate, gradient, reduced, whole


def _like(x: Value, g: Tensor) -> Tensor:
    """The real part for a real number."""
    return g if x.data.is_complex() or not g.is_complex() else g.real


class Complex(Rule):
    """f of its inputs; ``back`` gives what goes to each, in their order, for g. said: f in symbols."""

    letter = "ζ"
    complete = True

    def __init__(self, name: str, f: Callable[..., Tensor], back: Callable[..., list[Tensor]], said: str) -> None:
        self.name, self.f, self.back, self.said = name, f, back, said

    def _given(self, call: Call) -> list[Any]:
        return [*call.args, *call.kwargs.values()]

    def _numbers(self, call: Call) -> list[Tensor]:
        return [x.data if isinstance(x, Value) else torch.as_tensor(x) for x in self._given(call)]

    def fits(self, call: Call) -> bool:
        given = self._given(call)
        some = any(v.data.is_complex() for v in (*call.inputs, *call.outputs))
        known = all(isinstance(x, (Value, int, float, complex)) for x in given) and not call.kwargs.get("alpha")
        return some and known and len(call.outputs) == 1

    def forward(self, call: Call) -> list[Tensor]:
        return [self.f(*self._numbers(call))]

    def backward(self, call: Call, deltas: list[Tensor]) -> dict[int, Tensor]:
        sent: dict[int, Tensor] = {}
        for x, g in zip(self._given(call), self.back(deltas[0], *self._numbers(call)), strict=True):
            if isinstance(x, Value):
                accumulate(sent, x, _like(x, reduced(g, x.data.shape)))
        return sent

    def equations(self, call: Call, at: Symbols) -> list[Equation]:
        given = [whole(at, x) if isinstance(x, Value) else Symbol(str(x)) for x in self._given(call)]
        return [(whole(at, call.out), Joined((Symbol(self.said), *given)))]


def _pair(z: Tensor) -> Tensor:
    return torch.stack([z.real, z.imag], -1)


def _whole(x: Tensor) -> Tensor:
    return x[..., 0] + 1j * x[..., 1]


def _turned(r: Tensor, phi: Tensor) -> Tensor:
    return r * (torch.cos(phi) + 1j * torch.sin(phi))


NUMBERS: dict[str, Complex] = {
    "real.get": Complex("real part", lambda z: z.real, lambda g, z: [g + 0j], "Re"),
    "real": Complex("real part", lambda z: z.real, lambda g, z: [g + 0j], "Re"),
    "imag.get": Complex("imaginary part", lambda z: z.imag, lambda g, z: [1j * g], "Im"),
    "imag": Complex("imaginary part", lambda z: z.imag, lambda g, z: [1j * g], "Im"),
    "conj": Complex("conjugate", lambda z: z.real - 1j * z.imag, lambda g, z: [g.conj()], "conjugate of"),
    "complex": Complex("complex number", lambda a, b: a + 1j * b, lambda g, a, b: [g.real, g.imag], "a + ib of"),
    "polar": Complex("turned by an angle", _turned, lambda g, r, phi: [
        (g * _turned(torch.ones_like(r), phi).conj()).real, (g * (1j * _turned(r, phi)).conj()).real], "r e^(iφ) of"),
    "view_as_complex": Complex("complex number", _whole, lambda g, x: [_pair(g)], "x₁ + i x₂ of"),
    "view_as_real": Complex("pair", _pair, lambda g, z: [_whole(g)], "Re, Im of"),
    "mul": Complex("complex product", lambda x, y: x * y, lambda g, x, y: [g * y.conj(), g * x.conj()], "product of"),
    "add": Complex("complex sum", lambda x, y: x + y, lambda g, x, y: [g, g], "sum of"),
    "sub": Complex("complex difference", lambda x, y: x - y, lambda g, x, y: [g, -g], "difference of"),
}  # fmt: skip


class Fourier(Rule):
    """Along one axis or several, whole, of a real sequence, or back to one."""

    name = "Fourier transform"
    letter = "ζ"
    complete = True

    def _how(self, call: Call) -> tuple[Value, tuple[int, ...], Any, str | None]:
        """x, the axes, sizes asked for, the norm."""
        many = call.name.endswith(("n", "2"))
        x, sizes, dim, norm = call.bound("input", "s" if many else "n", "dim", "norm")
        if dim is None:
            dim = -1 if not many else (-2, -1) if call.name.endswith("2") else range(x.data.ndim)
        return x, tuple(d % x.data.ndim for d in ([dim] if isinstance(dim, int) else dim)), sizes, norm

    def fits(self, call: Call) -> bool:
        if not call.args or not isinstance(call.args[0], Value):
            return False
        x, axes, sizes, _ = self._how(call)
        whole_size = [call.out.data.shape[d] if "irfft" in call.name else x.data.shape[d] for d in axes]
        asked = [sizes] if isinstance(sizes, int) else sizes
        return sizes is None or list(asked) == whole_size

    def _matrix(self, call: Call, n: int, norm: str | None) -> Tensor:
        """c e^(∓2πi jk/n), (to, from)."""
        back = "ifft" in call.name or "irfft" in call.name
        jk = torch.outer(torch.arange(n), torch.arange(n)).double() * (2 * math.pi / n)
        unscaled = (norm == "forward") if back else norm in (None, "backward")
        c = 1 / math.sqrt(n) if norm == "ortho" else 1.0 if unscaled else 1 / n
        W = c * torch.polar(torch.ones(n, n, dtype=torch.float64), jk if back else -jk)
        if "irfft" in call.name:  # the other half is the conjugate of this one
            k = torch.arange(n // 2 + 1)
            return W[:, : n // 2 + 1] * torch.where((k == 0) | (2 * k == n), 1.0, 2.0)
        return W[: n // 2 + 1] if "rfft" in call.name else W

    def _apply(self, call: Call, x: Tensor, adjoint: bool) -> Tensor:
        x, (source, axes, _, norm) = x + 0j, self._how(call)
        for d in axes:
            n = call.out.data.shape[d] if "irfft" in call.name else source.data.shape[d]
            W = self._matrix(call, n, norm)
            x = (x.movedim(d, -1) @ (W.conj() if adjoint else W.mT)).movedim(-1, d)
        return x

    def forward(self, call: Call) -> list[Tensor]:
        y = self._apply(call, self._how(call)[0].data, adjoint=False)
        return [y if call.out.data.is_complex() else y.real]

    def backward(self, call: Call, deltas: list[Tensor]) -> dict[int, Tensor]:
        x, sent = self._how(call)[0], {}
        accumulate(sent, x, _like(x, self._apply(call, deltas[0], adjoint=True)))
        return sent

    def equations(self, call: Call, at: Symbols) -> list[Equation]:
        back = "ifft" in call.name or "irfft" in call.name
        x, y = at.quantity(self._how(call)[0]), at.quantity(call.out)
        turn = Symbol("e^(2πi jk/n)" if back else "e^(−2πi jk/n)")
        return [(Symbol(y.letter, y.layer, "k"), SumOver("j", Joined((Symbol(x.letter, x.layer, "j"), turn))))]

    def backward_equations(self, call: Call, at: Symbols) -> list[Equation]:
        back = "ifft" in call.name or "irfft" in call.name
        turn = Symbol("e^(−2πi jk/n)" if back else "e^(2πi jk/n)")
        return [(gradient(at, self._how(call)[0]), SumOver("k", Joined((gradient(at, call.out), turn))))]


TRANSFORMS = tuple(f"fft_{name}" for name in ("fft", "ifft", "fft2", "ifft2", "fftn", "ifftn", "rfft", "irfft"))
