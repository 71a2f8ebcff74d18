"""Activations and other functions of one number at a time that are made of simpler ones."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from workings.solutions.rules.parts.base import always, perhaps_in_place


def gelu(x: Tensor, approximate: str = "none") -> Tensor:
    """½x (1 + tanh(√(2/π) (x + 0.044715 x³))). Hendrycks and Gimpel 2016."""
    return 0.5 * x * (1 + torch.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))


def hardswish(x: Tensor) -> Tensor:
    """x min(6, max(0, x + 3))/6. Howard et al. 2019."""
    return x * F.relu6(x + 3) / 6


def hardtanh(x: Tensor, min_val: float = -1.0, max_val: float = 1.0) -> Tensor:
    """min(high, max(low, x))."""
    return x.clamp(min_val, max_val)


def mish(x: Tensor) -> Tensor:
    """x tanh(ln(1 + eˣ)). Misra 2019."""
    return x * torch.tanh(F.softplus(x))


def softplus(x: Tensor, beta: float = 1.0, threshold: float = 20.0) -> Tensor:
    """ln(1 + e^(βx))/β; x itself where βx is above the threshold."""
    scaled = x * beta
    return torch.where(scaled > threshold, x, torch.log1p(torch.exp(scaled.clamp(max=threshold))) / beta)


_ALPHA, _SCALE = 1.6732632423543772, 1.0507009873554805


def selu(x: Tensor) -> Tensor:
    """λ elu(x; α). Klambauer et al. 2017."""
    return _SCALE * F.elu(x, _ALPHA)


def celu(x: Tensor, alpha: float = 1.0) -> Tensor:
    """α elu(x/α). Barron 2017."""
    return alpha * F.elu(x / alpha)


def softsign(x: Tensor) -> Tensor:
    """x/(1 + |x|)."""
    return x / (1 + x.abs())


def tanhshrink(x: Tensor) -> Tensor:
    """x − tanh x."""
    return x - torch.tanh(x)


def softshrink(x: Tensor, lambd: float = 0.5) -> Tensor:
    """x − λ above λ, x + λ below −λ, else 0."""
    return torch.where(x > lambd, x - lambd, torch.where(x < -lambd, x + lambd, 0 * x))


def hardshrink(x: Tensor, lambd: float = 0.5) -> Tensor:
    """x, but 0 between −λ and λ."""
    return x.masked_fill(x.abs() <= lambd, 0.0)


def threshold(x: Tensor, threshold: float, value: float) -> Tensor:
    """x above the threshold, else the value."""
    return x.masked_fill(x <= threshold, value)


def prelu(x: Tensor, weight: Tensor) -> Tensor:
    """x where it is positive, else w x. He et al. 2015."""
    w = weight.reshape(1, -1, *[1] * (x.ndim - 2)) if weight.numel() > 1 and x.ndim > 1 else weight
    return torch.where(x > 0, x, w * x)


def glu(x: Tensor, dim: int = -1) -> Tensor:
    """a σ(b), a and b being the halves of x. Dauphin et al. 2017."""
    a, b = x.chunk(2, dim)
    return a * torch.sigmoid(b)


def softmin(x: Tensor, dim: int | None = None, *_: Any, **__: Any) -> Tensor:
    """softmax(−x)."""
    return F.softmax(-x, dim)


def logit(x: Tensor, eps: float | None = None) -> Tensor:
    """ln(x/(1 − x))."""
    x = x if eps is None else x.clamp(eps, 1 - eps)
    return torch.log(x / (1 - x))


def remainder(x: Any, y: Any) -> Tensor:
    """x − y ⌊x/y⌋."""
    return x - y * torch.floor(x / y)


def within(x: Tensor, min: Any = None, max: Any = None) -> Tensor:
    """Limited by tensors: min(high, max(low, x))."""
    x = x if min is None else torch.maximum(x, torch.as_tensor(min, dtype=x.dtype))
    return x if max is None else torch.minimum(x, torch.as_tensor(max, dtype=x.dtype))


def at_least(x: Tensor, min: Any) -> Tensor:
    """max(low, x)."""
    return within(x, min) if isinstance(min, Tensor) else x.clamp(min=min)


def at_most(x: Tensor, max: Any) -> Tensor:
    """min(high, x)."""
    return within(x, None, max) if isinstance(max, Tensor) else x.clamp(max=max)


def _gelu(x: Any, approximate: str = "none") -> Any:
    return gelu if approximate == "tanh" else None


def _softplus(x: Tensor, beta: float = 1.0, threshold: float = 20.0) -> Any:
    return None if beta == 1 and bool((x < 20).all()) else softplus


def _clamp(x: Any, min: Any = None, max: Any = None) -> Any:
    return within if isinstance(min, Tensor) or isinstance(max, Tensor) else None


PARTS: dict[str, Any] = {
    **{
        parts.__name__: always(perhaps_in_place(parts))
        for parts in (
            hardswish, hardtanh, mish, selu, celu, softsign, tanhshrink, softshrink, hardshrink,
            threshold, prelu, glu, softmin, logit, remainder,
        )
    },
    "gelu": _gelu,
    "softplus": _softplus,
    "clamp": _clamp,
    "clip": _clamp,
    "clamp_min": always(at_least),
    "clamp_max": always(at_most),
}  # fmt: skip
