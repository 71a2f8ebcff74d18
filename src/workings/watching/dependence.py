"""Whether inputs and targets belong together: their dependence on some samples, without any net.

Bias-corrected distance correlation (Székely and Rizzo 2013): with distances a_ij of the inputs and b_ij of the targets,
centred so that rows sum to 0 (U-centring),

    R* = ⟨A, B⟩ / √(⟨A, A⟩⟨B, B⟩)        t = √(ν−1) R* / √(1 − R*²),  ν = n(n−3)/2

and t follows Student's t where inputs and targets are independent, in any dimension. Among very many inputs a few that
matter are drowned, so the strongest single one is looked at, too: n η² follows χ² with K−1 degrees of freedom; made
normal (Wilson and Hilferty 1931) it is z, of which the largest of F is about √(2 ln F) by chance alone. What is told is
the greater of t and z − √(2 ln F). For hard tasks both may be small: no dependence seen is not none.

Legend: n samples, F features, K classes.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

SAMPLES = 256
FEATURES = 4_096
OFTEN = 0.05  # of the samples in which a feature must differ from its median
LEAST = 64  # samples, for what is simple to be known
NEAREST = 5
RIDGE = 0.1
TOKENS = 2_048  # different tokens that bags are made of


def features_of(x: Tensor) -> Tensor:
    """(n, F) of samples (n, …): numbers as they are, scaled alike; of tokens, how often each occurs."""
    flat = thinned(x)
    if not flat.is_floating_point():
        flat = flat.long()
        bags = torch.zeros(len(flat), TOKENS)
        return bags.scatter_add_(1, flat.remainder(TOKENS), torch.ones(flat.shape)).log1p()
    flat = torch.nan_to_num(flat.float(), 0.0, 0.0, 0.0)
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


def strongest(x: Tensor, y: Tensor) -> float | None:
    """z − √(2 ln F) of the single feature that the targets depend on most; of features not nearly always one value."""
    often = (x != x.median(0).values).float().mean(0) >= OFTEN
    if not bool(often.any()):
        return None
    x = x[:, often]
    k = max(1, int((y.sum(0) > 0).sum()) - 1) if y.shape[1] > 1 else 1
    q = (len(x) * float(shares_explained(x, y).max()) / k) ** (1 / 3)
    return (q - 1 + 2 / (9 * k)) / math.sqrt(2 / (9 * k)) - math.sqrt(2 * math.log(max(2, x.shape[1])))


def simple(x: Tensor, y: Tensor, classes: bool) -> float | None:
    """What the better of two simple answers gets right on samples left out one by one: a linear one with a penalty
    (ridge), and the mean of the five nearest neighbours. Of classes the share right, of numbers R²."""
    n = len(x)
    if n <= NEAREST or float(y.std()) == 0:
        return None
    t = (y - y.mean(0)).double()
    K = (x.double() @ x.double().T) / max(1, x.shape[1])
    size = float(K.diagonal().mean())
    if not 1e-12 < size < math.inf:
        return None  # inputs that do not vary
    H = K @ torch.linalg.inv(K + RIDGE * size * torch.eye(n, dtype=torch.float64))
    linear = t - (t - H @ t) / (1 - H.diagonal()).clamp_min(1e-6)[:, None]  # each sample without itself
    near = torch.cdist(x.double(), x.double()).fill_diagonal_(math.inf).topk(NEAREST, largest=False).indices
    return max(_right(each + y.mean(0), y, classes) for each in (linear, t[near].mean(1)))


def _right(said: Tensor, y: Tensor, classes: bool) -> float:
    if classes and y.shape[1] > 1:
        return float((said.argmax(1) == y.argmax(1)).double().mean())
    return float(1 - (said - y).square().sum() / (y - y.mean(0)).square().sum().clamp_min(1e-30))


def told_by_one(x: Tensor, y: Tensor) -> tuple[float, int, float] | None:
    """η² of the feature that explains the targets best, its number, and the next best; None where nothing varies."""
    share = shares_explained(x, y)
    (best, after), (number, _) = share.topk(2)
    return (float(best), int(number), float(after)) if float(best) > 0 else None


def shares_explained(x: Tensor, y: Tensor) -> Tensor:
    """η² of each feature, (F,); 0 where it does not vary.

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
    return torch.where(total > 1e-9, between / total.clamp_min(1e-30), torch.zeros_like(total))


class Together:
    """Some samples with their targets, collected over looks until there are enough; the facts are worked out once."""

    def __init__(self) -> None:
        self.x: list[Tensor] = []
        self.y: list[Tensor] = []
        self.n = 0
        self.classes = False
        self.known: dict[str, Any] = {}

    @property
    def enough(self) -> bool:
        """Whether no more are wanted."""
        return self.n >= SAMPLES

    def add(self, x: Tensor, y: Tensor, classes: bool) -> None:
        """A batch x (B, …), y (B,) class numbers or numbers, or numbers (B, K); others are left out."""
        flat = thinned(x)
        if self.enough or len(x) != len(y) or (self.x and flat.shape[1:] != self.x[0].shape[1:]):
            return
        if y.ndim > 2 or (y.ndim == 2 and not y.is_floating_point()):
            return
        take = min(len(x), SAMPLES - self.n)
        self.x.append(flat[:take].cpu().clone())
        self.y.append(y.detach()[:take].cpu().clone())
        self.n, self.classes = self.n + take, classes

    def tell(self, facts: dict[str, Any]) -> None:
        """Write ``dependence``, ``dependence_samples``, ``told_by_one`` and ``told_by`` into facts."""
        if self.x and (self.enough or not self.known):
            self.known = told(torch.cat(self.x), torch.cat(self.y), self.classes)
            if self.enough:
                self.x, self.y = [], []
        facts.update(self.known)


def thinned(x: Tensor) -> Tensor:
    """(n, F) of samples (n, …): at most ``FEATURES`` of their numbers, evenly spread."""
    flat = x.detach().reshape(len(x), -1)
    return flat[:, :: max(1, -(-flat.shape[1] // FEATURES))]


def told(x: Tensor, y: Tensor, classes: bool) -> dict[str, Any]:
    """The facts of samples x (n, …) and their targets y (n,)."""
    inputs, targets = features_of(x), targets_of(y, classes)
    found: dict[str, Any] = {}
    one_answer = classes or targets.shape[1] == 1  # of several numbers at once, no one input tells them all
    signs = [dependence(inputs, targets), strongest(inputs, targets) if one_answer else None]
    signs = [t for t in signs if t is not None]
    if signs:
        found |= {"dependence": max(signs), "dependence_samples": len(x)}
    # What is rebuilt may have to pass a narrow code, which a simple answer need not.
    rebuilt = not classes and targets.shape[1] == inputs.shape[1] > 1
    right = None if rebuilt else simple(inputs, targets, classes)
    if right is not None and len(x) >= LEAST:
        found["simple"] = right
    table = x.is_floating_point() and x.ndim == 2 and x.shape[1] > 2 and targets.shape[1] < 64 and one_answer
    one = told_by_one(inputs, targets) if table else None
    if one is not None:
        found |= {"told_by_one": one[0], "told_by": one[1] + 1, "told_by_next": one[2]}
    return found
