"""Convolutions of three axes and transposed ones, interpolation, and pooling that is another pooling in disguise."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from workings.solutions.rules.parts.base import always, each


def conv_nd(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Tensor:
    """The windows of the maps laid out as rows, times the weights: Z = W X."""
    n, kernel = weight.ndim - 2, weight.shape[2:]
    S, D = each(stride, n), each(dilation, n)
    wide = [d * (k - 1) for d, k in zip(D, kernel, strict=True)]
    if padding == "same":
        ends = [(w // 2, w - w // 2) for w in wide]
    else:
        ends = [(p, p) for p in ([0] * n if padding == "valid" else each(padding, n))]
    x = F.pad(x, [end for pair in reversed(ends) for end in pair])
    for axis in range(n):
        x = x.unfold(2 + axis, wide[axis] + 1, S[axis])
    x = x[(..., *(slice(None, None, d) for d in D))]
    B, C, *places = x.shape[: 2 + n]
    rows = x.reshape(B, groups, C // groups, *places, *kernel).movedim(2, 2 + n)
    rows = rows.reshape(B, groups, -1, C // groups * kernel.numel())
    product = rows @ weight.reshape(groups, weight.shape[0] // groups, -1).mT
    z = product.mT.reshape(B, weight.shape[0], *places)
    return z if bias is None else z + bias.reshape(-1, *[1] * n)


def conv_transpose(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Any = 1,
    padding: Any = 0,
    output_padding: Any = 0,
    groups: int = 1,
    dilation: Any = 1,
) -> Tensor:
    """A convolution of the maps, spread out by zeros between their numbers, with the kernel turned round."""
    n, kernel = weight.ndim - 2, weight.shape[2:]
    S, P, O, D = (each(v, n) for v in (stride, padding, output_padding, dilation))  # noqa: E741
    if any(s > 1 for s in S):
        spread = x.new_zeros(*x.shape[:2], *((size - 1) * s + 1 for size, s in zip(x.shape[2:], S, strict=True)))
        spread[(..., *(slice(None, None, s) for s in S))] = x
        x = spread
    wide = [d * (k - 1) for d, k in zip(D, kernel, strict=True)]
    ends = [(w - p, w - p + o) for w, p, o in zip(wide, P, O, strict=True)]
    if any(end for pair in ends for end in pair):
        x = F.pad(x, [end for pair in reversed(ends) for end in pair])  # a negative end is cut off
    C, out = weight.shape[0] // groups, weight.shape[1]
    turned = weight.flip(tuple(range(2, 2 + n))).reshape(groups, C, out, *kernel).transpose(1, 2)
    conv = {1: F.conv1d, 2: F.conv2d, 3: F.conv3d}[n]
    return conv(x, turned.reshape(groups * out, C, *kernel), bias, 1, 0, dilation, groups)


def interpolate(
    x: Tensor, size: Any = None, scale_factor: Any = None, mode: str = "nearest", *args: Any, **kwargs: Any
) -> Tensor:
    """Along each axis, each new number is a weighted mean of old ones: M x.

    M is what the function makes of each old place alone; where each new number is one old one, it is picked.
    """
    n = x.ndim - 2
    for axis in range(n):
        how: dict[str, Any] = {"mode": {"linear": "bilinear", "trilinear": "bilinear"}.get(mode, mode), **kwargs}
        if size is not None:
            how["size"] = (each(size, n)[axis], 1)
        else:
            scale = scale_factor if isinstance(scale_factor, (int, float)) else scale_factor[axis]
            how["scale_factor"] = (float(scale), 1.0)
        M = _weights(x.shape[2 + axis], args, how)
        if bool(((M == 0) | (M == 1)).all()) and bool((M.sum(1) == 1).all()):
            x = x.index_select(2 + axis, M.argmax(1))
        else:
            x = (x.movedim(2 + axis, -1) @ M.mT).movedim(-1, 2 + axis)
    return x


def _weights(old: int, args: Any, how: dict[str, Any]) -> Tensor:
    """M, (new, old)."""
    if args:
        how = dict(zip(("align_corners", "recompute_scale_factor", "antialias"), args, strict=False)) | how
    with torch._C.DisableTorchFunction():
        alone = torch.eye(old).reshape(1, old, old, 1)
        return F.interpolate(alone, **how)[0, :, :, 0].T.contiguous()


def fold_depth(name: str) -> Any:
    """Pooling of one axis as pooling of two, of which one has a single place."""

    def parts(x: Tensor, kernel_size: Any, stride: Any = None, padding: Any = 0, *args: Any, **kwargs: Any) -> Tensor:
        K, P = each(kernel_size, 1)[0], each(padding, 1)[0]
        S = K if stride is None or stride == () else each(stride, 1)[0]
        kwargs.pop("return_indices", None)
        return getattr(F, name)(x.unsqueeze(-2), (1, K), (1, S), (0, P), *args, **kwargs).squeeze(-2)

    return parts


def _windows(x: Tensor, n: int, K: Any, S: Any, P: Any, D: Any, out: Any, fill: float) -> Tensor:
    """The numbers of each window, last; ``fill`` stands where a window goes beyond the map."""
    ends = []
    for i in range(n):
        need = (out[i] - 1) * S[i] + D[i] * (K[i] - 1) + 1
        ends.append((P[i], max(0, need - x.shape[i - n] - P[i])))
    x = F.pad(x, [end for pair in reversed(ends) for end in pair], value=fill)
    first = x.ndim - n
    for i in range(n):
        x = x.unfold(first + i, D[i] * (K[i] - 1) + 1, S[i])
    x = x[(..., *(slice(None, None, d) for d in D))]
    x = x[(..., *(slice(0, m) for m in out), *[slice(None)] * n)]
    return x.flatten(-n)


def _geometry(n: int, kernel_size: Any, stride: Any, padding: Any, dilation: Any = 1) -> list[list[int]]:
    K = each(kernel_size, n)
    return [K, K if stride in (None, (), []) else each(stride, n), each(padding, n), each(dilation, n)]


def _sizes(name: str, x: Tensor, n: int, *how: Any) -> list[int]:
    with torch._C.DisableTorchFunction():
        return list(getattr(F, name)(torch.zeros_like(x), *how).shape[-n:])


def max_pool(n: int) -> Any:
    """The largest of each window, beyond the map −∞."""

    def parts(
        x: Tensor, kernel_size: Any, stride: Any = None, padding: Any = 0, dilation: Any = 1, ceil_mode: bool = False,
        return_indices: bool = False,
    ) -> Tensor:  # fmt: skip
        how = _geometry(n, kernel_size, stride, padding, dilation)
        K, S, P, D = how
        out = _sizes(f"max_pool{n}d", x, n, K, S, P, D, ceil_mode)
        return _windows(x, n, K, S, P, D, out, -torch.inf).max(-1).values

    return parts


def avg_pool(n: int) -> Any:
    """The mean of each window; what is beyond the map counts as 0, or not at all."""

    def parts(
        x: Tensor, kernel_size: Any, stride: Any = None, padding: Any = 0, ceil_mode: bool = False,
        count_include_pad: bool = True, divisor_override: int | None = None,
    ) -> Tensor:  # fmt: skip
        K, S, P, D = _geometry(n, kernel_size, stride, padding)
        out = _sizes(f"avg_pool{n}d", x, n, K, S, P, ceil_mode)
        total = _windows(x, n, K, S, P, D, out, 0.0).sum(-1)
        if divisor_override:
            return total / divisor_override
        with torch._C.DisableTorchFunction():
            wide = [p if count_include_pad else 0 for p in P]
            ones = F.pad(torch.ones(x.shape[-n:]), [p for p in reversed(wide) for _ in range(2)], value=1.0)
            counts = _windows(ones, n, K, S, [p - w for p, w in zip(P, wide, strict=True)], D, out, 0.0).sum(-1)
        return total / counts

    return parts


def _avg(x: Tensor, kernel_size: Any, stride: Any = None, padding: Any = 0, *args: Any, **kwargs: Any) -> Any:
    plain = not args and not kwargs.get("ceil_mode") and kwargs.get("divisor_override") is None
    return None if x.ndim == 4 and plain and set(each(padding, 2)) == {0} else avg_pool(2)


def _max(
    x: Tensor, kernel_size: Any, stride: Any = None, padding: Any = 0, dilation: Any = 1, ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:  # fmt: skip
    if return_indices:
        return None
    return None if x.ndim == 4 and set(each(dilation, 2)) == {1} and not ceil_mode else max_pool(2)


def adaptive_avg_pool(x: Tensor, output_size: Any) -> Tensor:
    """Means of windows that follow each other, not all of one size."""
    sizes = output_size if isinstance(output_size, (tuple, list)) else [output_size] * (x.ndim - 2)
    for axis, m in enumerate([*sizes] * (x.ndim - 2 if len(sizes) == 1 else 1)):
        old, new = x.shape[2 + axis], x.shape[2 + axis] if m is None else m
        if old != new:
            ends = [(i * old // new, -(-(i + 1) * old // new)) for i in range(new)]
            means = [x.narrow(2 + axis, a, b - a).mean(2 + axis) for a, b in ends]
            x = torch.stack(means, 2 + axis)
    return x


def _adaptive(x: Tensor, output_size: Any) -> Any:
    sizes = output_size if isinstance(output_size, (tuple, list)) else [output_size] * 2
    even = x.ndim == 4 and all(m is not None and n % m == 0 for n, m in zip(x.shape[-2:], sizes, strict=True))
    return None if even else adaptive_avg_pool


def _pooled(x: Tensor, *args: Any, **kwargs: Any) -> Any:
    return None if kwargs.get("return_indices") or x.ndim != 3 else fold_depth("max_pool2d")


PARTS: dict[str, Any] = {
    "conv3d": always(conv_nd),
    **dict.fromkeys(("conv_transpose1d", "conv_transpose2d", "conv_transpose3d"), always(conv_transpose)),
    "interpolate": always(interpolate),
    "upsample": always(interpolate),
    "avg_pool1d": always(fold_depth("avg_pool2d")),
    "max_pool1d": _pooled,
    "avg_pool2d": _avg,
    "avg_pool3d": always(avg_pool(3)),
    "max_pool2d": _max,
    "max_pool3d": always(max_pool(3)),
    "adaptive_avg_pool1d": always(adaptive_avg_pool),
    "adaptive_avg_pool2d": _adaptive,
    "adaptive_avg_pool3d": always(adaptive_avg_pool),
}
