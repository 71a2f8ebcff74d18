"""What is seen of parameters: their size, that of their gradients and changes, and which of them cannot learn.

Norms of all parameters are taken by one fused call. The change of a step is measured on a sample of the numbers of each
(``SAMPLE``, evenly spread), so that no second copy of a large net is kept.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from workings.watching.statistics import Measured, as_drawn, rms, share_alike

SAMPLE = 1 << 15  # numbers of a parameter whose change is measured
TABLE_ROWS = 4096  # of an embedding, that are followed
NAMED = 50  # names told at most


def norms(tensors: Sequence[Tensor]) -> list[Tensor]:
    """‖x‖ of each, in one call where they are plain numbers on one device."""
    if not tensors:
        return []
    given = [t.detach() for t in tensors]
    if any(t.is_sparse or not t.is_floating_point() for t in given):
        given = [t.coalesce().values().float() if t.is_sparse else t.float() for t in given]
    return list(torch._foreach_norm(given))  # pyright: ignore[reportPrivateImportUsage]


def of_parameters(named: Iterable[tuple[str, Tensor]]) -> list[Measured]:
    """Of each parameter: the root mean square of its numbers and of its gradient's; of all: the gradient's norm."""
    pairs = list(named)
    known = [(name, p.grad) for name, p in pairs if p.grad is not None]
    with torch.no_grad():
        found = _means("weight", pairs, norms([p for _, p in pairs]))
        sizes = norms([g for _, g in known])
        found += _means("gradient", known, sizes)
        if sizes:
            found.append(("", "gradient_norm", torch.linalg.vector_norm(torch.stack([s.float() for s in sizes]))))
    return found


def _means(name: str, pairs: list[tuple[str, Tensor]], sizes: list[Tensor]) -> list[Measured]:
    """‖x‖/√n of each."""
    if not pairs:
        return []
    roots = torch.tensor([max(x.numel(), 1) ** -0.5 for _, x in pairs], device=sizes[0].device)
    means = (torch.stack([size.float() for size in sizes]) * roots).unbind()
    return [(where, name, mean) for (where, _), mean in zip(pairs, means, strict=True)]


def sample(p: Tensor) -> Tensor:
    """Some of its numbers, evenly spread; a view where that is possible."""
    flat = p.detach()
    flat = flat.view(-1) if flat.is_contiguous() else flat.reshape(-1)
    return flat if flat.numel() <= SAMPLE else flat[:: -(-flat.numel() // SAMPLE)]


def remember(named: Iterable[tuple[str, Tensor]]) -> list[tuple[str, Tensor]]:
    """Copies of the samples of parameters that are trained."""
    return [(name, sample(p).clone()) for name, p in named if p.requires_grad]


def of_changes(named: Iterable[tuple[str, Tensor]], before: list[tuple[str, Tensor]], steps: int = 1) -> list[Measured]:
    """By how much of their size parameters changed in each of the steps since ``before``."""
    own = dict(named)
    with torch.no_grad():
        kept = [(name, w, sample(own[name])) for name, w in before if name in own]
        kept = [(name, w, now) for name, w, now in kept if now.shape == w.shape and now.device == w.device]
        if not kept:
            return []
        changes = torch._foreach_sub(  # pyright: ignore[reportPrivateImportUsage]
            [now for *_, now in kept], [w for _, w, _ in kept]
        )
        moved = norms(changes)
        sizes = norms([w for _, w, _ in kept])
        # 0/0 where a parameter was 0 and is: NaN; and ∞ where it was 0 and is not.
        shares = torch.stack([m.float() for m in moved]) / (steps * torch.stack([s.float() for s in sizes]))
        return [(name, "update", share) for (name, *_), share in zip(kept, shares.unbind(), strict=True)]


def of_start(net: nn.Module) -> list[Measured]:
    """Before the first step: matrices whose units are copies of one another, and how much each enlarges its input."""
    tables = {f"{name}.weight" for name, module in net.named_modules() if isinstance(module, nn.Embedding)}
    found: list[Measured] = []
    with torch.no_grad():
        for name, p in net.named_parameters():
            if p.ndim < 2 or len(p) < 2 or not p.is_floating_point() or p.numel() == len(p):
                continue
            found.append((name, "alike", share_alike(p)))
            if "weight" in name.rsplit(".", 1)[-1] and name not in tables:
                found.append((name, "gain", rms(p) * (p.numel() / len(p)) ** 0.5))
    return found


class Tables:
    """Rows of embeddings that have not moved since the first look, but for being shrunk by weight decay."""

    def __init__(self, net: nn.Module) -> None:
        self.first: dict[str, tuple[nn.Embedding, Tensor]] = {
            name: (module, self._rows(module).clone())
            for name, module in net.named_modules()
            if isinstance(module, nn.Embedding) and module.weight.requires_grad
        }

    @staticmethod
    def _rows(module: nn.Embedding) -> Tensor:
        step = -(-module.num_embeddings // TABLE_ROWS)
        return module.weight.detach()[::step].float()

    def measure(self) -> list[Measured]:
        """(name, ``unmoved``, share of rows) of each."""
        found: list[Measured] = []
        with torch.no_grad():
            for name, (module, first) in self.first.items():
                now = self._rows(module)
                if now.shape != first.shape:
                    continue
                began = first.norm(dim=1, keepdim=True)
                # Weight decay shrinks a row and leaves its direction.
                turned = (now / now.norm(dim=1, keepdim=True).clamp_min(1e-20) - first / began.clamp_min(1e-20)).abs()
                counted = began[:, 0] > 0
                still = (turned.amax(1) < 1e-5) & counted
                found.append((f"{name}.weight", "unmoved", still.sum() / counted.sum().clamp_min(1)))
        return found


class Trained:
    """Which parameters can learn at all, for the facts ``frozen``, ``not_in_optimiser`` and ``no_gradient``."""

    def __init__(self) -> None:
        self._without: set[str] | None = None

    def tell(self, facts: dict[str, Any], net: nn.Module, optimisers: Iterable[torch.optim.Optimizer]) -> None:
        """As they are now, with the gradients of this step at hand. Those without gradient are so at every look."""
        held = {id(p) for optimiser in optimisers for group in optimiser.param_groups for p in group["params"]}
        named = list(net.named_parameters())
        facts["not_in_optimiser"] = [name for name, p in named if p.requires_grad and id(p) not in held][:NAMED]
        without = {name for name, p in named if p.requires_grad and id(p) in held and p.grad is None}
        self._without = without if self._without is None else self._without & without
        facts["no_gradient"] = [name for name, _ in named if name in self._without][:NAMED]
        frozen = [(name, p) for name, p in named if not p.requires_grad and p.ndim > 1 and p.is_floating_point()]
        old = facts.get("frozen", {})
        given = [(name, p) for name, p in frozen[:NAMED] if id(p) in held]  # the rest is left out on purpose
        drawn = {name: old[name] if name in old else as_drawn(p) for name, p in given}
        facts["frozen"] = {name: False for name, _ in frozen[:NAMED]} | drawn
