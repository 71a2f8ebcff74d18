"""Means, deviations and norms, and the layers that divide by them."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from workings.solutions.rules.parts.base import always, axes_of


def rms_norm(x: Tensor, normalized_shape: Any, weight: Tensor | None = None, eps: float | None = None) -> Tensor:
    """w x/√(mean x² + ε). Zhang and Sennrich 2019."""
    axes = tuple(range(-len(normalized_shape), 0))
    eps = torch.finfo(torch.float64).eps if eps is None else eps
    normal = x * torch.rsqrt(x.square().mean(axes, keepdim=True) + eps)
    return normal if weight is None else normal * weight


def group_norm(
    x: Tensor, num_groups: int, weight: Tensor | None = None, bias: Tensor | None = None, eps: float = 1e-5, *_: Any
) -> Tensor:
    """The channels of each group normalised together. Wu and He 2018."""
    flat = x.reshape(len(x), num_groups, -1)
    y = F.layer_norm(flat, flat.shape[2:], eps=eps).reshape(x.shape)
    per_channel = (1, -1, *[1] * (x.ndim - 2))
    y = y if weight is None else y * weight.reshape(per_channel)
    return y if bias is None else y + bias.reshape(per_channel)


def instance_norm(
    x: Tensor,
    running_mean: Tensor | None = None,
    running_var: Tensor | None = None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    use_input_stats: bool = True,
    momentum: float = 0.1,
    eps: float = 1e-5,
    *_: Any,
) -> Tensor:
    """Each channel of each sample normalised by itself. Ulyanov et al. 2016."""
    if use_input_stats:
        return group_norm(x, x.shape[1], weight, bias, eps)
    return F.batch_norm(x, running_mean, running_var, weight, bias, False, 0.0, eps)


def var_mean(x: Tensor, dim: Any = None, unbiased: Any = None, keepdim: bool = False, **kwargs: Any) -> Any:
    """Σ (x − μ)²/(N − 1), and μ."""
    if isinstance(dim, bool):
        dim, unbiased = None, dim
    axes = axes_of(x, dim)
    correction = kwargs.get("correction")
    if correction is None:
        correction = 0 if unbiased is False else 1
    mu = x.mean(axes, keepdim=True)
    n = 1
    for axis in axes:
        n *= x.shape[axis]
    v = (x - mu).square().sum(axes, keepdim=keepdim) / max(0, n - correction)
    return v, mu if keepdim else mu.reshape(v.shape)


def var(*args: Any, **kwargs: Any) -> Tensor:
    """The variance."""
    return var_mean(*args, **kwargs)[0]


def std(*args: Any, **kwargs: Any) -> Tensor:
    """The standard deviation."""
    return var(*args, **kwargs).sqrt()


def std_mean(*args: Any, **kwargs: Any) -> Any:
    """The standard deviation and the mean."""
    v, mu = var_mean(*args, **kwargs)
    return v.sqrt(), mu


def vector_norm(x: Tensor, ord: Any = 2, dim: Any = None, keepdim: bool = False, **_: Any) -> Tensor:
    """(Σ |x|ᵖ)^(1/p)."""
    axes = axes_of(x, dim)
    p = 2 if ord is None or ord == "fro" else ord
    if p == float("inf"):
        return x.abs().amax(axes, keepdim=keepdim)
    if p == 1:
        return x.abs().sum(axes, keepdim=keepdim)
    if p == 2:
        return x.square().sum(axes, keepdim=keepdim).sqrt()
    return x.abs().pow(p).sum(axes, keepdim=keepdim).pow(1 / p)


def normalize(x: Tensor, p: float = 2.0, dim: int = 1, eps: float = 1e-12, out: None = None) -> Tensor:
    """x/max(‖x‖, ε)."""
    return x / x.norm(p, dim, keepdim=True).clamp_min(eps)


def cosine_similarity(x1: Tensor, x2: Tensor, dim: int = 1, eps: float = 1e-8) -> Tensor:
    """x·y/(‖x‖ ‖y‖)."""
    sizes = [x.norm(2, dim).clamp_min(eps) for x in (x1, x2)]
    return (x1 * x2).sum(dim) / (sizes[0] * sizes[1])


def weight_norm(v: Tensor, g: Tensor, dim: int = 0) -> Tensor:
    """g v/‖v‖, for each entry of one axis. Salimans and Kingma 2016."""
    axes = tuple(i for i in range(v.ndim) if i != dim % v.ndim) if dim != -1 else tuple(range(v.ndim))
    return v * (g / v.square().sum(axes, keepdim=True).sqrt())


def norm(x: Tensor, p: Any = "fro", dim: Any = None, keepdim: bool = False, **_: Any) -> Tensor:
    """‖x‖."""
    return vector_norm(x, p, dim, keepdim)


def _norm(x: Tensor, p: Any = "fro", dim: Any = None, keepdim: bool = False, **_: Any) -> Any:
    if p == "nuc" or x.is_complex():
        return None
    # At 0 the root has no slope; autograd's own convention there is 0, which the parts would not give.
    return norm if bool((vector_norm(x.detach(), p, dim) != 0).all()) else None


def _vector_norm(x: Tensor, ord: Any = 2, dim: Any = None, keepdim: bool = False, **_: Any) -> Any:
    return None if _norm(x, ord, dim) is None else vector_norm


PARTS: dict[str, Any] = {
    **{
        parts.__name__: always(parts)
        for parts in (
            rms_norm, group_norm, instance_norm, var_mean, var, std, std_mean, normalize, cosine_similarity,
        )
    },
    "_weight_norm": always(weight_norm),
    "norm": _norm,
    "linalg_vector_norm": _vector_norm,
    "linalg_norm": _vector_norm,
}  # fmt: skip
