"""Losses that are means of simple terms, and the loss of all alignments."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from workings.solutions.rules.parts.base import always

NONE = -1e30  # the logarithm of 0, with which sums of logarithms stay finite


def reduced(terms: Tensor, reduction: str) -> Tensor:
    """The mean, the sum, or the terms."""
    return terms.mean() if reduction == "mean" else terms.sum() if reduction == "sum" else terms


def l1_loss(x: Tensor, y: Tensor, *_: Any, reduction: str = "mean", weight: None = None, **__: Any) -> Tensor:
    """|x − y|."""
    return reduced((x - y).abs(), reduction)


def huber_loss(x: Tensor, y: Tensor, reduction: str = "mean", delta: float = 1.0, weight: None = None) -> Tensor:
    """½d² up to δ, δ(d − ½δ) beyond, d = |x − y|. Huber 1964."""
    d = (x - y).abs()
    return reduced(torch.where(d <= delta, d.square() / 2, delta * (d - delta / 2)), reduction)


def smooth_l1_loss(x: Tensor, y: Tensor, *_: Any, reduction: str = "mean", beta: float = 1.0, **__: Any) -> Tensor:
    """½d²/β below β, d − ½β beyond, d = |x − y|. Girshick 2015."""
    d = (x - y).abs()
    return reduced(torch.where(d < beta, d.square() / (2 * beta), d - beta / 2) if beta else d, reduction)


def kl_div(x: Tensor, y: Tensor, *_: Any, reduction: str = "mean", log_target: bool = False, **__: Any) -> Tensor:
    """y (ln y − x)."""
    if log_target:
        terms = y.exp() * (y - x)
    else:
        terms = torch.where(y > 0, y * (torch.log(y.masked_fill(y <= 0, 1.0)) - x), 0 * x)
    return terms.sum() / len(x) if reduction == "batchmean" else reduced(terms, reduction)


def binary_cross_entropy(
    x: Tensor, y: Tensor, weight: Any = None, *_: Any, reduction: str = "mean", **__: Any
) -> Tensor:
    """−y ln p − (1 − y) ln(1 − p), the logarithms no less than −100."""
    terms = -(y * torch.log(x).clamp(min=-100) + (1 - y) * torch.log(1 - x).clamp(min=-100))
    return reduced(terms if weight is None else terms * weight, reduction)


def nll_loss(
    x: Tensor, y: Tensor, weight: Tensor | None = None, size_average: Any = None, ignore_index: int = -100,
    reduce: Any = None, reduction: str = "mean",
) -> Tensor:  # fmt: skip
    """−x of the true class, weighted by classes; rows to be ignored count nothing."""
    return _nll(x, y, weight, ignore_index, reduction, min(1, x.ndim - 1))


def _nll(x: Tensor, y: Tensor, weight: Tensor | None, ignored: int, reduction: str, axis: int) -> Tensor:
    counted = y != ignored
    index = y.masked_fill(~counted, 0)
    w = counted.to(x.dtype) if weight is None else weight[index] * counted
    terms = -x.gather(axis, index.unsqueeze(axis)).squeeze(axis) * w
    return terms.sum() / w.sum() if reduction == "mean" else reduced(terms, reduction)


def ctc_loss(
    log_probs: Tensor,
    targets: Tensor,
    input_lengths: Any,
    target_lengths: Any,
    blank: int = 0,
    reduction: str = "mean",
    zero_infinity: bool = False,
) -> Tensor:
    """−ln of the probability of all alignments, by the forward recursion. Graves et al. 2006.

    α_t(s) = (α_{t−1}(s) + α_{t−1}(s − 1) + α_{t−1}(s − 2)) y_t(s), the last only where a letter differs from the one
    before it; letters stand between blanks. Legend: log_probs (T, B, K).
    """
    ins, outs = ([int(n) for n in lengths] for lengths in (input_lengths, target_lengths))
    ends = torch.tensor(outs).cumsum(0).tolist()
    found = []
    for b, (T, U) in enumerate(zip(ins, outs, strict=True)):
        letters = targets[b, :U] if targets.ndim == 2 else targets[ends[b] - U : ends[b]]
        states = torch.full((2 * U + 1,), blank)
        states[1::2] = letters
        skip = torch.zeros(2 * U + 1, dtype=torch.bool)
        skip[2:] = (states[2:] != blank) & (states[2:] != states[:-2])
        y = log_probs[:T, b].index_select(1, states)
        begin = torch.arange(2 * U + 1) < 2
        alpha = y[0].masked_fill(~begin, NONE)
        for t in range(1, T):
            one = torch.nn.functional.pad(alpha[:-1], (1, 0), value=NONE)
            two = torch.nn.functional.pad(alpha[:-2], (2, 0), value=NONE).masked_fill(~skip, NONE) if U else one
            alpha = torch.logsumexp(torch.stack([alpha, one, two] if U else [alpha]), 0) + y[t]
        found.append(-torch.logsumexp(alpha[-2:], 0))
    terms = torch.stack(found)
    if zero_infinity:
        terms = terms.masked_fill(terms > -NONE / 2, 0.0)
    if reduction == "mean":
        return (terms / torch.tensor(outs).clamp(min=1)).mean()
    return reduced(terms, reduction)


def gaussian_nll_loss(
    x: Tensor, y: Tensor, var: Any, full: bool = False, eps: float = 1e-6, reduction: str = "mean"
) -> Tensor:
    """½ (ln v + (x − y)²/v), v no less than ε, which is no slope. Nix and Weigend 1994."""
    if not isinstance(var, Tensor):
        var = torch.full_like(x, var)
    if var.shape != x.shape and x.shape[:-1] == var.shape:
        var = var.unsqueeze(-1)
    v = var + (var.detach().clamp(min=eps) - var.detach()) if bool((var < eps).any()) else var
    terms = (torch.log(v) + (x - y).square() / v) / 2
    return reduced(terms + math.log(2 * math.pi) / 2 if full else terms, reduction)


def poisson_nll_loss(
    x: Tensor, y: Tensor, log_input: bool = True, full: bool = False, size_average: Any = None, eps: float = 1e-8,
    reduce: Any = None, reduction: str = "mean",
) -> Tensor:  # fmt: skip
    """eˣ − y x, or x − y ln x."""
    terms = torch.exp(x) - y * x if log_input else x - y * torch.log(x + eps)
    if full:
        stirling = y * torch.log(y) - y + torch.log(2 * math.pi * y) / 2
        terms = terms + stirling.masked_fill(y <= 1, 0.0)
    return reduced(terms, reduction)


def cross_entropy(
    z: Tensor, y: Tensor, weight: Tensor | None = None, size_average: Any = None, ignore_index: int = -100,
    reduce: Any = None, reduction: str = "mean", label_smoothing: float = 0.0,
) -> Tensor:  # fmt: skip
    """−Σ q ln softmax(z), of maps of classes, of shares of classes, or without a mean."""
    axis = min(1, z.ndim - 1)
    log_p = F.log_softmax(z, axis)
    K = z.shape[axis]
    if y.is_floating_point():
        q = y if not label_smoothing else (1 - label_smoothing) * y + label_smoothing / K
        per_class = 1.0 if weight is None else weight.reshape(-1, *[1] * (z.ndim - 1 - axis))
        terms = -(q * log_p * per_class).sum(axis)
        return terms.sum() / (z.numel() / K) if reduction == "mean" else reduced(terms, reduction)
    plain = _nll(log_p, y, weight, ignore_index, reduction, axis)
    if not label_smoothing:
        return plain
    counted = y != ignore_index
    spread = -(log_p if weight is None else log_p * weight.reshape(-1, *[1] * (z.ndim - 1 - axis))).sum(axis) * counted
    w = counted.to(z.dtype) if weight is None else weight[y.masked_fill(~counted, 0)] * counted
    smooth = spread.sum() / w.sum() if reduction == "mean" else reduced(spread, reduction)
    return (1 - label_smoothing) * plain + label_smoothing / K * smooth


def _cross_entropy(
    z: Tensor, y: Tensor, weight: Tensor | None = None, size_average: Any = None, ignore_index: int = -100,
    reduce: Any = None, reduction: str = "mean", label_smoothing: float = 0.0,
) -> Any:  # fmt: skip
    one = z.ndim == 2 and y.ndim == 1 and not y.is_floating_point() and reduction in ("mean", "sum")
    known = one and not (weight is not None and label_smoothing) and bool((y != ignore_index).any())
    return None if known else cross_entropy


def binary_cross_entropy_with_logits(
    z: Tensor, y: Tensor, weight: Any = None, size_average: Any = None, reduce: Any = None, reduction: str = "mean",
    pos_weight: Any = None,
) -> Tensor:  # fmt: skip
    """−w [c y ln σ(z) + (1 − y) ln σ(−z)]."""
    one = y if pos_weight is None else y * pos_weight
    terms = -(one * F.logsigmoid(z) + (1 - y) * F.logsigmoid(-z))
    return reduced(terms if weight is None else terms * weight, reduction)


def _binary(z: Tensor, y: Tensor, *args: Any, reduction: str = "mean", pos_weight: Any = None, **kwargs: Any) -> Any:
    weighs = kwargs.get("weight") is not None or pos_weight is not None or (args and args[0] is not None)
    known = not weighs and not y.requires_grad and reduction in ("mean", "sum", "none") and z.shape == y.shape
    return None if known else binary_cross_entropy_with_logits


PARTS: dict[str, Any] = {
    **{
        parts.__name__: always(parts)
        for parts in (
            l1_loss,
            huber_loss,
            smooth_l1_loss,
            kl_div,
            binary_cross_entropy,
            nll_loss,
            ctc_loss,
            gaussian_nll_loss,
            poisson_nll_loss,
        )
    },
    "cross_entropy": _cross_entropy,
    "binary_cross_entropy_with_logits": _binary,
}
