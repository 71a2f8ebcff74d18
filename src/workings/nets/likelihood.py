"""How likely a sample is under what a decoder says: one number of output a number of the sample.

    bernoulli    x in 0…1:  −ln p(x) = −Σ x ln a + (1 − x) ln(1 − a),  a = σ(o); for x of 0 and 1 a true likelihood
    gaussian     −ln p(x) = ½ Σ ((x − o)² / s² + ln 2πs²), s fixed or given beside o
    squared      ½ Σ (x − o)²: the Gaussian without its constant
    columns      of a table: for each column of the sample the likelihood of its kind; see ``base.form.Form.columns``

Legend: B batch, D numbers of a sample, o outputs of the decoder, flat.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

LIKELIHOODS = ("auto", "bernoulli", "gaussian", "squared")


class Likelihood:
    """kind: one of ``LIKELIHOODS`` but auto. columns: of a table, instead: see ``Form.columns``. s: of gaussian."""

    def __init__(self, kind: str, columns: Sequence[int] | None = None, s: float = 1.0) -> None:
        assert kind in LIKELIHOODS[1:]
        self.kind = kind
        self.columns = tuple(columns) if columns else None
        self.s = s

    @property
    def spreads(self) -> int:
        """How many s there may be: one for each column that is a number, or one for all numbers of a sample."""
        if self.columns is not None:
            return self.columns.count(1)
        return int(self.kind == "gaussian")

    def negative_log(self, o_BD: Tensor, x: Tensor, s_BS: Tensor | None = None) -> Tensor:
        """−ln p(x) of each sample, (B,), in nats. s_BS: of the Gaussian, S = ``spreads``, instead of the fixed one."""
        x_BD = x.flatten(1)
        if self.columns is not None:
            return sum(self._each_column(o_BD, x_BD, s_BS), torch.zeros_like(x_BD[:, 0]))
        if self.kind == "bernoulli":
            return F.binary_cross_entropy_with_logits(o_BD, x_BD, reduction="none").sum(1)
        return self._of_numbers(o_BD, x_BD, s_BS)

    def by_column(self, o_BD: Tensor, x_BD: Tensor, s_BS: Tensor | None = None) -> Tensor:
        """Of a table: what each of its C columns adds to −ln p(x), (B, C)."""
        return torch.stack(self._each_column(o_BD, x_BD, s_BS), 1)

    def mean(self, o_BD: Tensor, shape: Sequence[int]) -> Tensor:
        """The expected sample, (B, *shape)."""
        if self.columns is not None:
            parts = []
            for part, size in self._parts(o_BD):
                parts.append(torch.sigmoid(part) if size == 0 else part if size == 1 else part.softmax(1))
            return torch.cat(parts, 1)
        return (torch.sigmoid(o_BD) if self.kind == "bernoulli" else o_BD).unflatten(1, tuple(shape))

    def draw(
        self, o_BD: Tensor, shape: Sequence[int], generator: torch.Generator, s_BS: Tensor | None = None
    ) -> Tensor:
        """x ~ p(x|o), (B, *shape); s_BS as in ``negative_log``."""
        if self.columns is None:
            return self._draw(o_BD, int(self.kind != "bernoulli"), generator, s_BS).unflatten(1, tuple(shape))
        spread = iter([] if s_BS is None else s_BS.split(1, 1))
        parts = self._parts(o_BD)
        drawn = [self._draw(o, size, generator, next(spread, None) if size == 1 else None) for o, size in parts]
        return torch.cat(drawn, 1)

    def _draw(self, o: Tensor, size: int, generator: torch.Generator, s: Tensor | None) -> Tensor:
        """size: as in ``Form.columns``."""
        if size == 0:
            return torch.bernoulli(torch.sigmoid(o), generator=generator)
        if size == 1:
            n = torch.randn(o.shape, generator=generator, dtype=o.dtype)
            return o + (self.s if s is None else s) * n
        k = torch.multinomial(o.softmax(1), 1, generator=generator)[:, 0]
        return F.one_hot(k, size).to(o.dtype)

    def _of_numbers(self, o: Tensor, x: Tensor, s: Tensor | None = None) -> Tensor:
        if s is not None:
            return 0.5 * (((x - o) / s).square() + 2 * s.log() + math.log(2 * math.pi)).sum(1)
        squares = (x - o).square().sum(1)
        if self.kind != "gaussian":
            return 0.5 * squares
        return 0.5 * (squares / self.s**2 + x.shape[1] * math.log(2 * math.pi * self.s**2))

    def _each_column(self, o_BD: Tensor, x_BD: Tensor, s_BS: Tensor | None = None) -> list[Tensor]:
        found = []
        spread = iter([] if s_BS is None else s_BS.split(1, 1))
        for (o, size), (x, _) in zip(self._parts(o_BD), self._parts(x_BD), strict=True):
            if size == 0:
                found.append(F.binary_cross_entropy_with_logits(o, x, reduction="none").sum(1))
            elif size == 1:
                found.append(self._of_numbers(o, x, next(spread, None)))
            else:  # a category that training never saw is all zeros: as unlikely as the least likely known one
                log_p = o.log_softmax(1)
                found.append(-torch.where(x.sum(1) == 0, log_p.amin(1), (x * log_p).sum(1)))
        return found

    def _parts(self, a_BD: Tensor) -> list[tuple[Tensor, int]]:
        assert self.columns is not None
        sizes = [max(size, 1) for size in self.columns]
        return list(zip(a_BD.split(sizes, 1), self.columns, strict=True))
