"""What holds throughout anybody's loop: its optimiser, its model's layers (``history.FACTS``)."""

from __future__ import annotations

from typing import Any

from torch import nn
from torch.optim import Optimizer

from workings.watching import operations as known


def facts_of(model: nn.Module, optimizer: Optimizer) -> dict[str, Any]:
    """What is known before the first step."""
    group = optimizer.param_groups[0]
    kinds: dict[str, int] = {}
    for module in model.modules():
        if not any(True for _ in module.children()):
            kinds[type(module).__name__] = kinds.get(type(module).__name__, 0) + 1
    return {
        "task": None,
        "optimiser": type(optimizer).__name__.lower(),
        "learning_rate": float(group["lr"]),
        "weight_decay": float(group.get("weight_decay") or 0.0),
        "momentum": float(group.get("momentum") or 0.0),
        "parameters": sum(p.numel() for p in model.parameters()),
        "layers": kinds,
        "dropout": max(map(known.drops, model.modules())),
        "norms": sum(isinstance(m, known.NORM_LAYERS) for m in model.modules()),
        "mode_matters": any(map(known.depends_on_mode, model.modules())),
    }
