"""Whether inputs and targets belong together: their dependence on some samples, without any net.

Bias-corrected distance correlation (Székely and Rizzo 2013): with distances a_ij of the inputs and b_ij of the targets,
centred so that rows sum to 0 (U-centring),

    R* = ⟨A, B⟩ / √(⟨A, A⟩⟨B, B⟩)        t = √(ν−1) R* / √(1 − R*²),  ν = n(n−3)/2

and t follows Student's t where inputs and targets are independent, in any dimension. It is greater where they are not,
and for hard tasks (images of many kinds) it may still be small: no dependence seen is not none.

Legend: n samples, F features, K classes.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

SAMPLES = 384
FEATURES = 4_096
TOKENS = 2_048  # different tokens that bags are made of


def features_of(x: Tensor) -> Tensor:
    """(n, F) of samples (n, …): numbers as they are, scaled alike; of tokens, how often each occurs."""
    flat = x.detach().reshape(len(x), -1)
    if not flat.is_floating_point():
        flat = flat.long()
        bags = torch.zeros(len(flat), TOKENS)
        return bags.scatter_add_(1, flat.remainder(TOKENS), torch.ones(flat.shape)).log1p()
    flat = torch.nan_to_num(flat[:, :: -(-flat.shape[1] // FEATURES)].float(), 0.0, 0.0, 0.0)
    std = flat.std(0, correction=0)
    return (flat - flat.mean(0)) / torch.where(std > 1e-12, std, torch.ones_like(std))


def targets_of(y: Tensor, classes: bool) -> Tensor:
    """(n, K): one column a class, or the numbers."""
    if classes and y.ndim == 1:
        return torch.nn.functional.one_hot(y.long() - y.long().min()).float()
    return y.detach().reshape(len(y), -1).float()


def centred(x: Tensor) -> Tensor:
    """U-centred distances (n, n), double."""
    n = len(x)
    d = torch.cdist(x.double(), x.double())
    rows = d.sum(1) / (n - 2)
    a = d - rows[:, None] - rows[None] + d.sum() / ((n - 1) * (n - 2))
    return a.fill_diagonal_(0)


def dependence(x: Tensor, y: Tensor) -> float | None:
    """t of the features x (n, F) and targets y (n, K); None where either does not vary."""
    n = len(x)
    if n < 8:
        return None
    A, B = centred(x), centred(y)
    AA, BB = float((A * A).sum()), float((B * B).sum())
    if AA <= 1e-12 or BB <= 1e-12:
        return None
    R = float((A * B).sum()) / math.sqrt(AA * BB)
    return math.sqrt(n * (n - 3) / 2 - 1) * R / math.sqrt(max(1e-12, 1 - R * R))


def told_by_one(x: Tensor, y: Tensor) -> tuple[float, int] | None:
    """η² of the feature that explains the targets best, and its number; None where nothing varies.

    Of classes: the variance of the feature between their means over its whole variance. Of numbers: the squared
    correlation.
    """
    x = x.double() - x.double().mean(0)
    total = x.square().sum(0)
    if y.shape[1] > 1:
        sums = y.double().T @ x
        between = (sums.square() / y.double().sum(0).clamp_min(1)[:, None]).sum(0)
    else:
        t = y.double() - y.double().mean()
        between = (t.T @ x)[0].square() / t.square().sum().clamp_min(1e-30)
    share = torch.where(total > 1e-9, between / total.clamp_min(1e-30), torch.zeros_like(total))
    best = int(share.argmax())
    return (float(share[best]), best) if bool((total > 1e-9).any()) else None


class Together:
    """Some samples with their targets, collected over looks until there are enough; then the facts."""

    def __init__(self) -> None:
        self.x: list[Tensor] = []
        self.y: list[Tensor] = []
        self.n = 0

    @property
    def enough(self) -> bool:
        """Whether no more are wanted."""
        return self.n >= SAMPLES

    def add(self, x: Tensor, y: Tensor) -> None:
        """A batch x (B, …), y (B,) or (B, K); others are left out."""
        if self.enough or len(x) != len(y) or (self.x and (x.shape[1:] != self.x[0].shape[1:])):
            return
        if y.ndim > 2 or (y.ndim == 2 and not y.is_floating_point()):
            return
        take = min(len(x), SAMPLES - self.n)
        self.x.append(x.detach()[:take].cpu().clone())
        self.y.append(y.detach()[:take].cpu().clone())
        self.n += take

    def tell(self, facts: dict[str, Any], classes: bool) -> None:
        """Write ``dependence``, ``dependence_samples``, ``told_by_one`` and ``told_by`` into facts."""
        if not self.x:
            return
        x, y = torch.cat(self.x), torch.cat(self.y)
        facts.update(told(x, y, classes))


def told(x: Tensor, y: Tensor, classes: bool) -> dict[str, Any]:
    """The facts of samples x (n, …) and their targets y (n,)."""
    inputs, targets = features_of(x), targets_of(y, classes)
    found: dict[str, Any] = {}
    t = dependence(inputs, targets)
    if t is not None:
        found |= {"dependence": t, "dependence_samples": len(x)}
    one = told_by_one(inputs, targets) if x.is_floating_point() and x[0].numel() > 2 and targets.shape[1] < 64 else None
    if one is not None:
        found |= {"told_by_one": one[0], "told_by": one[1] + 1}
    return found
