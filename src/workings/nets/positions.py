"""Where a token stands: attention alone is blind to order, so the position must be told.

    sinusoidal   PE_(t, 2i) = sin(t/10000^(2i/D)),  PE_(t, 2i+1) = cos(t/10000^(2i/D))     added to the vectors
    learned      a vector for each position, learnt like a token's                          added to the vectors
    rotary       q and k are turned in the planes (i, i + d/2) by the angle tθ_i, θ_i = 10000^(−2i/d), so that
                 q_t · k_s depends on t − s alone                                           applied to q and k

Vaswani et al. 2017; Gehring et al. 2017; Su et al. 2021.

Legend: B batch, T steps, D numbers of a vector, d numbers of a head.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from workings.base.errors import refuse

BASE = 10_000.0


def angles(steps: int, width: int) -> Tensor:
    """tθ_i (T, width/2, rounded up) float64."""
    i = torch.arange(0, width, 2, dtype=torch.float64)
    return torch.arange(steps, dtype=torch.float64)[:, None] / BASE ** (i / width)


def sinusoids(steps: int, width: int) -> Tensor:
    """PE (T, D) float64."""
    tθ = angles(steps, width)
    return torch.stack([tθ.sin(), tθ.cos()], dim=2).flatten(1)[:, :width]


def too_long(steps: int, longest: int) -> Exception:
    """What is raised for a sequence longer than those that a net has positions for."""
    return refuse(
        "too-long",
        f"A sequence of {steps:,} tokens is longer than the {longest:,} positions that the net was built for.",
        why="A position that no training sample had has no vector.",
        do="Give shorter sequences, or train with a longer length.",
    )


class Positions(nn.Module):
    """x (B, T, D) → x + positions ``start`` … ``start`` + T − 1.

    Args:
        kind: ``sinusoidal`` or ``learned``. longest: positions there are. width: D.

    Raises (in forward):
        UserError: there are no more positions. (Sinusoids could go on, but no net has learnt to read them.)
    """

    def __init__(self, kind: str, longest: int, width: int) -> None:
        super().__init__()
        assert kind in ("sinusoidal", "learned")
        self.kind = kind
        self.longest = longest
        if kind == "learned":
            self.table = nn.Parameter(0.02 * torch.randn(longest, width))
        else:
            self.register_buffer("table", sinusoids(longest, width).to(torch.get_default_dtype()), persistent=False)

    def forward(self, x: Tensor, start: int = 0) -> Tensor:
        stop = start + x.shape[1]
        if stop > self.longest:
            raise too_long(stop, self.longest)
        return x + self.table[start:stop]

    def extra_repr(self) -> str:
        return f"{self.kind}, {self.longest} positions"


class Rotary(nn.Module):
    """x (B, heads, T, d) turned by its position: (a, b) → (a cos tθ − b sin tθ, b cos tθ + a sin tθ).

    a and b are the first and the second half of the d numbers. In real numbers throughout.

    Args:
        longest: positions there are. width: d, even.
    """

    cos: Tensor
    sin: Tensor

    def __init__(self, longest: int, width: int) -> None:
        super().__init__()
        assert width % 2 == 0
        self.longest = longest
        tθ = angles(longest, width)
        self.register_buffer("cos", tθ.cos().to(torch.get_default_dtype()), persistent=False)
        self.register_buffer("sin", tθ.sin().to(torch.get_default_dtype()), persistent=False)

    def forward(self, x: Tensor, start: int = 0) -> Tensor:
        stop = start + x.shape[2]
        if stop > self.longest:
            raise too_long(stop, self.longest)
        cos, sin = self.cos[start:stop].to(x.dtype), self.sin[start:stop].to(x.dtype)
        a, b = x.chunk(2, dim=-1)
        return torch.cat([a * cos - b * sin, b * cos + a * sin], dim=-1)

    def extra_repr(self) -> str:
        return f"{self.longest} positions"
