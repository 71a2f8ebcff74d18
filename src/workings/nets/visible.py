"""Visible units of restricted Boltzmann machines: what a number of the sample can be, given its activation a.

    binary      v in {0, 1}:       p(v = 1) = σ(a)
    gaussian    v a real number:   p(v) = N(a, 1); the energy has a term ½ v² for each
    category    k units of which one is 1:  p(v_i = 1) = softmax(a)_i

With ε(v) = ½ Σ v² over the Gaussian units, all of them are p(v | a) = exp(aᵀv − ε(v)) / exp A(a), and the sum over
all v is A(a) = Σ ln(1 + e^a) for binary units, ½ a² + ½ ln 2π for Gaussian ones, ln Σ e^a for a category.
Welling, Rosen-Zvi and Hinton 2005; Hinton 2012, section 13.

Legend: B batch, V visible units.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Generator, Tensor
from torch.nn import functional as F

from workings.nets.likelihood import Likelihood


class Visible:
    """kind: ``binary`` or ``gaussian``, of every unit; then ``mixed`` where columns differ.

    columns: of a table, instead: see ``Form.columns``.
    """

    def __init__(self, kind: str = "binary", columns: Sequence[int] | None = None) -> None:
        assert kind in ("binary", "gaussian")
        if columns:
            kind = "binary" if set(columns) == {0} else "gaussian" if set(columns) == {1} else "mixed"
        self.kind = kind
        self.columns = tuple(columns) if columns else None
        self._given_a = Likelihood("bernoulli" if kind == "binary" else "squared", columns)

    def is_number(self, i: int) -> bool:
        """Whether unit ``i`` is Gaussian."""
        if self.kind != "mixed":
            return self.kind == "gaussian"
        assert self.columns is not None
        return [size for size in self.columns for _ in range(max(size, 1))][i] == 1

    def mean(self, a_BV: Tensor) -> Tensor:
        """E[v | a], (B, V)."""
        if self.kind == "binary":
            return torch.sigmoid(a_BV)
        return self._given_a.mean(a_BV, a_BV.shape[1:])

    def cost(self, a_BV: Tensor, v_BV: Tensor) -> Tensor:
        """−ln p(v | a), (B,), in nats; of Gaussian units without its constant."""
        return self._given_a.negative_log(a_BV, v_BV)

    def sample(self, a_BV: Tensor, generator: Generator | None = None) -> Tensor:
        """v ~ p(v | a), from one random number a unit: uniform, but normal where all units are Gaussian."""
        if self.kind == "gaussian":
            return a_BV + torch.randn(a_BV.shape, generator=generator, dtype=a_BV.dtype)
        u_BV = torch.rand(a_BV.shape, generator=generator, dtype=a_BV.dtype)
        if self.kind == "binary":
            return (u_BV < torch.sigmoid(a_BV)).to(a_BV.dtype)
        parts = []
        for a, u, size in self._parts(a_BV, u_BV):
            if size == 0:
                parts.append((u < torch.sigmoid(a)).to(a.dtype))
            elif size == 1:  # the normal number of which u is the share below; torch.rand can give 0
                parts.append(a + math.sqrt(2) * torch.erfinv(2 * u.clamp(min=1e-7) - 1))
            else:
                k = (a.softmax(1).cumsum(1)[:, :-1] <= u[:, :1]).sum(1)
                parts.append(F.one_hot(k, size).to(a.dtype))
        return torch.cat(parts, 1)

    def own_energy(self, v_BV: Tensor) -> Tensor:
        """ε(v), (B,)."""
        if self.kind == "binary":
            return torch.zeros_like(v_BV[:, 0])
        if self.kind == "gaussian":
            return 0.5 * v_BV.square().sum(1)
        numbers = [v.square().sum(1) for v, _, size in self._parts(v_BV, v_BV) if size == 1]
        return 0.5 * sum(numbers, torch.zeros_like(v_BV[:, 0]))

    def log_partition(self, a_BV: Tensor) -> Tensor:
        """A(a) = ln Σ_v exp(aᵀv − ε(v)), (B,)."""
        if self.kind == "binary":
            return F.softplus(a_BV).sum(1)
        if self.kind == "gaussian":
            return (0.5 * a_BV.square() + 0.5 * math.log(2 * math.pi)).sum(1)
        total = torch.zeros_like(a_BV[:, 0])
        for a, _, size in self._parts(a_BV, a_BV):
            if size == 0:
                total = total + F.softplus(a).sum(1)
            elif size == 1:
                total = total + (0.5 * a.square() + 0.5 * math.log(2 * math.pi)).sum(1)
            else:
                total = total + a.logsumexp(1)
        return total

    def bias_of(self, mean_V: Tensor) -> Tensor:
        """The a (V,) with which E[v | a] is ``mean_V``; means of 0 and 1 are brought 0.01 inside."""
        inside = mean_V.clamp(0.01, 0.99)
        if self.kind == "gaussian":
            return mean_V.clone()
        if self.kind == "binary":
            return torch.logit(inside)
        parts = []
        for mean, within, size in self._parts(mean_V[None], inside[None]):
            parts.append(torch.logit(within) if size == 0 else mean if size == 1 else within.log())
        return torch.cat(parts, 1)[0]

    def _parts(self, *tensors_BV: Tensor) -> list[tuple[Tensor, Tensor, int]]:
        assert self.columns is not None
        sizes = [max(size, 1) for size in self.columns]
        first, second = (tensor.split(sizes, 1) for tensor in tensors_BV)
        return list(zip(first, second, self.columns, strict=True))


BINARY, GAUSSIAN = Visible("binary"), Visible("gaussian")
