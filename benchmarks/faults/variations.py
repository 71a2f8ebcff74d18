"""Healthy ways to vary a program, the hard ones among them, which look like faults."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import nn
from torch.nn import functional as F

from faults import loop, models
from faults.adversarial import Adversarial
from faults.loop import Loop
from faults.program import Program, Setup
from faults.recipe import Recipe


@dataclass(frozen=True)
class Smoothed:
    """Cross-entropy with smoothed labels: its loss has a floor well above 0."""

    share: float = 0.1

    def __call__(self, out: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        return F.cross_entropy(out, y, label_smoothing=self.share)


def absolute(out: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    return F.l1_loss(out.reshape(y.shape), y)


def first_frozen(model: nn.Module) -> None:
    """The first layer keeps its random features, on purpose and declared."""
    next(model.parameters()).requires_grad_(False)


Vary = Callable[[Program], Setup | None]


def _rate(factor: float) -> Vary:
    def vary(program: Program) -> Setup | None:
        s = program.setup
        if isinstance(s, Recipe):
            if "rbm" in program.has:
                return None
            return replace(s, settings={**s.settings, "learning_rate": factor * s.settings["learning_rate"]})
        return replace(s, rate=factor * s.rate)

    return vary


def _schedule(name: str) -> Vary:
    def vary(program: Program) -> Setup | None:
        s = program.setup
        return replace(s, schedule=name) if isinstance(s, Loop) else None

    return vary


def _batch(program: Program) -> Setup | None:
    s = program.setup
    if isinstance(s, Recipe):
        return None if s.files else replace(s, settings={**s.settings, "batch_size": 16})
    return replace(s, batch=s.batch // 2)


def _wide(program: Program) -> Setup | None:
    s = program.setup
    if isinstance(s, Adversarial) or "hidden" not in s.settings:
        return None
    hidden = tuple(int(1.5 * width) for width in s.settings["hidden"])
    return replace(s, settings={**s.settings, "hidden": list(hidden) if isinstance(s, Recipe) else hidden})


def _accumulated(program: Program) -> Setup | None:
    """Two small batches to a step: no zero_grad between their backward passes, and rightly so."""
    s = program.setup
    return replace(s, accumulate=2, batch=s.batch // 2) if isinstance(s, Loop) and "norm" not in program.has else None


def _smoothed(program: Program) -> Setup | None:
    s = program.setup
    if isinstance(s, Loop):
        return replace(s, loss=Smoothed()) if s.loss is loop.cross_entropy else None
    if isinstance(s, Recipe) and "classes" in program.has and s.settings["net"] != "rbm":
        return replace(s, settings={**s.settings, "label_smoothing": 0.1}) if program.kind == "images" else None
    return None


def _absolute(program: Program) -> Setup | None:
    s = program.setup
    return replace(s, loss=absolute) if isinstance(s, Loop) and s.loss is loop.squared else None


def _frozen(program: Program) -> Setup | None:
    s = program.setup
    if not isinstance(s, Loop) or "dense" not in program.has or "deep" in program.has:
        return None
    given = _trained_ones
    return replace(s, start=first_frozen, given=given)


def _trained_ones(model: nn.Module) -> list[nn.Parameter]:
    return [p for p in model.parameters() if p.requires_grad]


def _sparse(program: Program) -> Setup | None:
    """Hidden biases begin below 0: four of five ReLU outputs are 0, and all units live."""
    s = program.setup
    dense = isinstance(s, Loop) and s.model is models.mlp and s.settings.get("activation", "relu") == "relu"
    return replace(s, start=_low_biases) if dense and isinstance(s, Loop) else None


def _low_biases(model: nn.Module) -> None:
    for layer in list(model.modules())[1:-1]:
        if isinstance(layer, nn.Linear):
            layer.bias -= 0.4


# Healthy ways to vary a program; the last six are the hard ones, which look like faults.
VARIATIONS: dict[str, Vary] = {
    "rate-down": _rate(0.7),
    "rate-up": _rate(1.5),
    "small-batch": _batch,
    "wide": _wide,
    "cosine": _schedule("cosine"),
    "warm-up": _schedule("warm-up"),
    "restarts": _schedule("restarts"),
    "accumulated": _accumulated,
    "smoothed": _smoothed,
    "absolute": _absolute,
    "frozen-on-purpose": _frozen,
    "sparse": _sparse,
}
