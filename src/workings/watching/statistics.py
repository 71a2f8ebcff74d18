"""What is measured of tensors: a few numbers each, left as tensors so that a device is waited for once.

Nothing here has a gradient or draws a random number. A large tensor is measured on its first samples
(``MOST`` numbers), so that the cost of a look is bounded.

Legend: B batch, T steps, U units, R rows of a matrix, h heads.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

Measured = tuple[str, str, Tensor | float]  # where, name, a number ()

MOST = 1 << 17  # numbers of a tensor that are looked at
RARE = 0.01  # of the samples
NEAR = 0.01  # of the way to a bound


def rms(x: Tensor) -> Tensor:
    """√(mean of x²), () ."""
    return torch.linalg.vector_norm(x.float()) * max(x.numel(), 1) ** -0.5


def some(x: Tensor, axis: int = 0) -> Tensor:
    """The first samples, along ``axis``, as many as ``MOST`` numbers hold; at least one."""
    if x.numel() <= MOST or x.ndim < 2:
        return x
    return x.narrow(axis, 0, max(1, MOST * x.shape[axis] // x.numel()))


def of_numbers(where: str, o: Tensor, bounds: tuple[float, float] | None = None) -> list[Measured]:
    """mean, std, largest, and of what has bounds: saturated."""
    o = o.float()
    std, mean = torch.std_mean(o, correction=0)
    found: list[Measured] = [
        (where, "mean", mean),
        (where, "std", std),
        (where, "largest", torch.linalg.vector_norm(o.flatten(), float("inf"))),
    ]
    if bounds is not None:
        low, high = bounds
        middle, half = 0.5 * (low + high), 0.5 * (high - low)
        near = (o - middle).abs() >= (1 - NEAR) * half
        found.append((where, "saturated", near.count_nonzero() / near.numel()))
    return found


def activity(o: Tensor) -> Tensor:
    """How often each unit gives something other than 0, (U,). Units lie along axis 1 of images, else the last."""
    axis = 1 if o.ndim == 4 else o.ndim - 1
    others = [d for d in range(o.ndim) if d != axis]
    return (o != 0).float().mean(dim=others) if others else (o != 0).float()


def of_input(x: Tensor) -> list[Measured]:
    """Of what the net is given: constant features, their scales, and the offset of all."""
    x = some(x).detach().float()
    features = x.flatten(1)
    std_F = features.std(0, correction=0) if len(features) > 1 else features.new_ones(features.shape[1])
    constant_F = std_F == 0
    vary = torch.where(constant_F, torch.full_like(std_F, float("nan")), std_F)
    std, mean = torch.std_mean(features, correction=0)
    return [
        *of_numbers("input", x),
        ("input", "zero", 1 - x.count_nonzero() / x.numel()),
        ("input", "constant", constant_F.float().mean()),
        ("input", "scales", torch.nan_to_num(std_F.max() / vary.nanmedian().clamp_min(1e-30))),
        ("input", "offset", mean.abs() / std.clamp_min(1e-12)),
    ]


def entropy_of_rows(e: Tensor) -> tuple[Tensor, Tensor]:
    """Of scores (…, T_q, T_k), −∞ where hidden: entropy of the softmax over that of equal shares, and the greatest
    |score|. Rows that see fewer than two places count for nothing."""
    seen = e.isfinite()
    places = seen.sum(-1)
    α = e.masked_fill(places[..., None] == 0, 0.0).softmax(-1)
    share = torch.special.entr(α).sum(-1) / places.clamp_min(2).float().log()
    counted = places > 1
    mean = (share * counted).sum() / counted.sum().clamp_min(1)
    return mean, torch.where(seen, e, torch.zeros_like(e)).abs().max()


def scores(q: Tensor, k: Tensor, mask: Tensor | None, causal: bool, scale: float | None) -> Tensor | None:
    """qkᵀ/√d with its mask, of the first sample, (h, T_q, T_k); None where the shapes are none that are known."""
    if q.ndim < 2 or k.ndim != q.ndim or k.shape[-2] < 2 or q.shape[-1] != k.shape[-1]:
        return None
    while q.ndim > 3:
        q, k = q[0], k[0]
    while mask is not None and mask.ndim > 3:
        mask = mask[0]
    q, k = q.float(), k.float()
    if q.ndim == 3 and q.shape[0] != k.shape[0]:  # groups of queries share keys
        if q.shape[0] % k.shape[0]:
            return None
        k = k.repeat_interleave(q.shape[0] // k.shape[0], 0)
    e = q @ k.transpose(-1, -2) * (q.shape[-1] ** -0.5 if scale is None else scale)
    if causal:
        e = e.masked_fill(torch.ones(e.shape[-2:], device=e.device).triu(1).bool(), float("-inf"))
    if mask is not None:
        e = e.masked_fill(~mask, float("-inf")) if mask.dtype == torch.bool else e + mask
    return hidden(e)


def scores_of_heads(given: dict[str, Any]) -> Tensor | None:
    """The scores of ``multi_head_attention_forward`` (its arguments by name), of the first sample: (h, T_q, T_k)."""
    q, k, h = given["query"], given["key"], given["num_heads"]
    q, k = (x[:, 0] if x.ndim == 3 else x for x in (q.detach(), k.detach()))  # (T, E)
    if given.get("use_separate_proj_weight"):
        W_q, W_k = given["q_proj_weight"], given["k_proj_weight"]
    else:
        W_q, W_k = given["in_proj_weight"].detach().chunk(3)[:2]
    b = given.get("in_proj_bias")
    b_q, b_k = (None, None) if b is None else b.detach().chunk(3)[:2]
    Q, K = torch.nn.functional.linear(q, W_q, b_q), torch.nn.functional.linear(k, W_k, b_k)
    d = Q.shape[-1] // h
    e = scores(Q.view(-1, h, d).transpose(0, 1), K.view(-1, h, d).transpose(0, 1), None, False, None)
    if e is None:
        return None
    mask, padding = given.get("attn_mask"), given.get("key_padding_mask")
    if mask is not None:
        mask = mask if mask.ndim == 2 else mask[:h]
        e = e.masked_fill(mask, float("-inf")) if mask.dtype == torch.bool else e + mask
    if padding is not None:
        row = padding[0] if padding.ndim == 2 else padding
        e = e.masked_fill(row, float("-inf")) if row.dtype == torch.bool else e + row
    return hidden(e)


def hidden(e: Tensor) -> Tensor:
    """Scores far below all others are masked: a mask may also be the smallest number there is."""
    return e.masked_fill(e < -1e4, float("-inf"))


def share_alike(w: Tensor) -> Tensor:
    """Share of the rows (first axis) of a matrix that equal another row: units that begin as copies stay copies."""
    rows = w.detach()[:4096].reshape(min(len(w), 4096), -1)
    # Each row is summed in the same order, so equal rows have equal sums; others hardly ever.
    weights = torch.linspace(0.1, 1.7, rows.shape[1], dtype=rows.dtype, device=rows.device).sin()
    sums = (rows * weights).sum(1).sort().values
    equal = sums[1:] == sums[:-1]
    never = equal.new_zeros(1)
    return (torch.cat([equal, never]) | torch.cat([never, equal])).float().mean()


def as_drawn(w: Tensor) -> bool:
    """Whether a matrix looks as drawn at random: no singular value beyond those of independent numbers.

    Marčenko and Pastur 1967: they end at σ(√R + √C); of 24,000 drawn matrices of 2×2 to 128×512 the farthest lay at
    1.12 of it. Learning leaves some far beyond (Martin and Mahoney 2021).
    """
    matrix = w.detach().float().reshape(len(w), -1)[:512, :512]
    matrix = matrix - matrix.mean()
    edge = matrix.std() * (matrix.shape[0] ** 0.5 + matrix.shape[1] ** 0.5)
    return bool(torch.linalg.matrix_norm(matrix, 2) <= 1.2 * edge)


def read(found: list[Measured]) -> list[tuple[str, str, float]]:
    """The numbers, by one copy from the device; a place whose numbers are not finite is said to be so."""
    tensors = [value for *_, value in found if isinstance(value, Tensor)]
    plain = [value.dtype == torch.float32 and not value.ndim for value in tensors]
    alike = [x if ready else x.reshape(()).float() for x, ready in zip(tensors, plain, strict=True)]
    with torch.no_grad():
        numbers = iter(torch.stack(alike).tolist() if alike else [])
    rows = [(where, name, next(numbers) if isinstance(value, Tensor) else float(value)) for where, name, value in found]
    rows = [row for row in rows if row[1] != "update" or math.isfinite(row[2])]  # of what was 0 there is no share
    broken = {where for where, name, value in rows if name == "largest" and not math.isfinite(value)}
    return rows + [(where, "nonfinite", 1.0) for where in sorted(broken)]
