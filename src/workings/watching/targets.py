"""What a loss function was given: predictions and truths, as figures of "output" and "target".

Legend: B batch (of sequences: B·T), K classes.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from workings.watching.statistics import MOST, Measured, of_numbers

RARE_SEEN = 10  # samples of the rarest class
SURE = 0.8  # a class with more is predicted for certain


def measure(out: Tensor, y: Tensor | None, kind: str, ignored: int | None = None) -> list[Measured]:
    """Figures of a prediction and its truth.

    kind: ``classes`` (out (B, K) or (B, T, K) scores, y numbers of classes), ``yes`` (out one score a sample, y 0 or
    1; scores that lie in [0, 1] count as probabilities) or ``numbers``. ignored: a class that counts for nothing.
    """
    out = out.detach().float()
    found: list[Measured] = []
    if kind == "classes" and out.ndim > 1:
        out = out.reshape(-1, out.shape[-1])
    out = out.reshape(len(out), -1)[: max(1, MOST // max(1, out[0].numel()))] if len(out) else out
    if not out.numel():
        return found
    found += of_numbers("output", out)[:2]
    found += [("output", "low", out.min()), ("output", "high", out.max())]
    if len(out) > 1:
        std = out.std(correction=0).clamp_min(1e-12)
        found.append(("output", "spread", out.std(0, correction=0).mean() / std))
    if out.shape[1] > 1:
        shared = (out.min(1).values >= 0) & ((out.sum(1) - 1).abs() < 1e-3)
        found.append(("output", "shares", shared.float().mean()))
    if y is None:
        return found
    y = y.detach().reshape(-1)[: len(out)] if kind != "numbers" else y.detach().reshape(-1)[: out.numel()]
    if kind == "numbers":
        return found + _numbers(y.float())
    return found + (_classes(out, y, ignored) if kind == "classes" else _yes(out[:, 0], y))


def _numbers(y: Tensor) -> list[Measured]:
    return [*of_numbers("target", y)[:2], ("target", "low", y.min()), ("target", "high", y.max())]


def _classes(out: Tensor, y: Tensor, ignored: int | None) -> list[Measured]:
    K = out.shape[1]
    counted = (y >= 0) & (y < K)
    if ignored is not None:
        counted &= y != ignored
    n = counted.sum().clamp_min(1)
    y = y.clamp(0, K - 1).long()
    shared = (out.min() >= 0) & ((out.sum(1) - 1).abs() < 1e-3).all()
    p = torch.where(shared, out, out.softmax(1))
    right = (out.argmax(1) == y) & counted
    own = p.gather(1, y[:, None])[:, 0]
    contradicted = (p.max(1).values > SURE) & ~right & counted
    found: list[Measured] = [
        ("output", "right", right.sum() / n),
        ("output", "wrong", (counted & ~right).sum()),
        ("output", "contradicted", contradicted.sum() / n),
        ("target", "same", _same(torch.bincount(y[counted], minlength=K))),
    ]
    if K > 1:
        best_two = p.topk(2, 1).values
        margin = torch.where(counted, best_two[:, 0] - best_two[:, 1], -1.0)
        found.append(("output", "surest", _surest(margin, right)))
    if K > 2:
        above = (p > own[:, None]).sum(1)
        found.append(("output", "second", (counted & ~right & (above == 1)).sum()))
    return found


def _yes(out: Tensor, y: Tensor) -> list[Measured]:
    shares = (out.min() >= 0) & (out.max() <= 1)
    p = torch.where(shares, out, out.sigmoid())
    t = y.float()
    right = (p > 0.5) == (t > 0.5)
    sure = (p > SURE) | (p < 1 - SURE)
    return [
        ("output", "right", right.float().mean()),
        ("output", "wrong", (~right).sum()),
        ("output", "contradicted", (sure & ~right).float().mean()),
        ("output", "surest", _surest((p - 0.5).abs(), right)),
        ("target", "same", _same(torch.stack([(t <= 0.5).sum(), (t > 0.5).sum()]))),
    ]


def _surest(margin: Tensor, right: Tensor) -> Tensor:
    """Share right of the quarter of the samples of which the net is surest."""
    surest = margin.topk(max(1, len(margin) // 4)).indices
    return right[surest].float().mean()


def _same(counts: Tensor) -> Tensor:
    """The chance that two samples have the same class."""
    n = counts.sum()
    return (counts * (counts - 1)).sum() / (n * (n - 1)).clamp_min(1)


class Seen:
    """What targets there are, counted over looks: the facts ``class_counts``, ``target_mean`` and ``target_std``, and
    how many of the rarest class are right."""

    def __init__(self) -> None:
        self.counts = torch.zeros(0, dtype=torch.int64)
        self.right = torch.zeros(0, dtype=torch.int64)
        self.n, self.total, self.squares = 0, 0.0, 0.0

    def add(self, out: Tensor, y: Tensor, kind: str, ignored: int | None = None) -> None:
        """Predictions and targets of one batch, see ``measure``."""
        y = y.detach().reshape(-1)
        if kind == "numbers":
            y = y.cpu().double()
            self.n += len(y)
            self.total += float(y.sum())
            self.squares += float(y.square().sum())
            return
        out = out.detach().float()
        out = out.reshape(-1, out.shape[-1]) if kind == "classes" else out.reshape(-1)
        if kind == "classes":
            K, answer = out.shape[1], out.argmax(1)
        else:
            shares = (out.min() >= 0) & (out.max() <= 1)
            K, answer = 2, (out > torch.where(shares, 0.5, 0.0)).long()
        y = y.round().long()
        counted = (y >= 0) & (y < K)
        if ignored is not None:
            counted &= y != ignored
        y, answer = y[counted].cpu(), answer[counted].cpu()
        if len(self.counts) != K:
            self.counts, self.right = torch.zeros(K, dtype=torch.int64), torch.zeros(K, dtype=torch.int64)
        self.counts += torch.bincount(y, minlength=K)
        self.right += torch.bincount(y[y == answer], minlength=K)

    def tell(self, facts: dict[str, Any]) -> None:
        """Write what is known into facts."""
        if len(self.counts) and len(self.counts) <= 1_000:
            facts["class_counts"] = self.counts.tolist()
        if self.n:
            mean = self.total / self.n
            facts["target_mean"] = mean
            facts["target_std"] = max(0.0, self.squares / self.n - mean * mean) ** 0.5

    def measure(self) -> list[Measured]:
        """Share right of the rarest class, once it was seen often enough."""
        if len(self.counts) < 2:
            return []
        seen = torch.where(self.counts > 0, self.counts, self.counts.max() + 1)
        k = int(seen.argmin())
        n = int(self.counts[k])
        return [("output", "rare_right", int(self.right[k]) / n)] if n >= RARE_SEEN else []


def kind_of_task(task: str | None) -> str:
    """How outputs and targets of a task of Workings are to be read."""
    return {"multiclass": "classes", "language": "classes", "translation": "classes", "binary": "yes"}.get(
        task or "", "numbers"
    )
