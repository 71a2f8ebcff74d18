"""What a generator's last numbers become: pixels, plain numbers, or the cells of a row.

    pixel       x = σ(o)
    number      x = o
    yes or no   x = σ((o + l)/τ), l = ln(u/(1 − u)):        in the limit τ → 0 yes with probability σ(o)
    category    x = softmax((o + g)/τ), g = −ln(−ln u):     in the limit category k with probability softmax(o)_k

u is uniform noise, one number an output. The soft cells let gradients through, so they are what training sees; drawing
takes the limit: whole cells. Jang, Gu and Poole 2017; Maddison, Mnih and Teh 2017.

Legend: B batch, D numbers of a sample.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

TAU = 0.3
EDGE = 1e-6  # u stays this far from 0 and 1


class Made:
    """shape: of a sample. columns: of a table; see ``workings.base.form.Form.columns``."""

    def __init__(self, shape: Sequence[int], columns: Sequence[int] | None) -> None:
        self.shape = tuple(shape)
        self.columns = None if columns is None else tuple(columns)

    @property
    def noisy(self) -> bool:
        """Whether there are cells that are drawn."""
        return self.columns is not None and any(size != 1 for size in self.columns)

    def sample(self, o_BD: Tensor, u_BD: Tensor | None, whole: bool) -> Tensor:
        """(B, *shape). u_BD: uniform noise, where ``noisy``. whole: the limit τ → 0."""
        if self.columns is None:
            x_BD = torch.sigmoid(o_BD) if len(self.shape) == 3 else o_BD
            return x_BD.unflatten(1, self.shape)
        if not self.noisy or u_BD is None:
            return o_BD
        u_BD = u_BD.clamp(EDGE, 1 - EDGE)
        sizes = [max(size, 1) for size in self.columns]
        parts = []
        for size, o, u in zip(self.columns, o_BD.split(sizes, 1), u_BD.split(sizes, 1), strict=True):
            if size == 1:
                parts.append(o)
            elif size == 0:
                z = o + torch.logit(u)
                parts.append((z > 0).to(o.dtype) if whole else torch.sigmoid(z / TAU))
            else:
                z = o - torch.log(-torch.log(u))
                parts.append(F.one_hot(z.argmax(1), size).to(o.dtype) if whole else (z / TAU).softmax(1))
        return torch.cat(parts, 1)
