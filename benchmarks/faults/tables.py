"""Healthy loops of PyTorch on tables and small pictures."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional as F

from faults import loop, models, samples
from faults.loop import Loop
from faults.program import CALIBRATION, TEST, Programs

SGD = torch.optim.SGD


@dataclass(frozen=True)
class Weighted:
    """Cross-entropy with a weight for each class."""

    weights: tuple[float, ...]

    def __call__(self, out: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        return F.cross_entropy(out, y, torch.tensor(self.weights))


def he(model: nn.Module) -> None:
    """He's initialisation of dense layers (He et al. 2015)."""
    for layer in model.modules():
        if isinstance(layer, nn.Linear):
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
            nn.init.zeros_(layer.bias)


def programs() -> Programs:
    """Dense nets, convolutions and residual nets."""
    found = Programs()
    add, a, b = found.add, CALIBRATION, TEST
    # ------------------------------------------------------------------------------- dense nets, tables, loops
    digits = Loop(samples.digits(limit=1200), models.mlp, {"D": 64, "K": 10})
    add("mlp-digits", a, "mlp", "table", digits, "float classes dense")
    s = Loop(
        samples.bundled("wine"),
        models.mlp,
        {"D": 13, "K": 3, "hidden": (32, 32, 32), "activation": "tanh"},
        epochs=40,
        batch=16,
    )
    add("tanh-wine", b, "mlp", "table", s, "float classes dense")
    s = Loop(
        samples.bundled("breast_cancer"),
        models.mlp,
        {"D": 30, "K": 2, "hidden": (24,), "dropout": 0.2, "norm": True},
        epochs=20,
        rate=1e-3,
    )
    add("norm-cancer", a, "mlp", "table", s, "float classes dense norm dropout")
    s = Loop(
        samples.rings(),
        models.mlp,
        {"D": 2, "K": 3, "hidden": (24,) * 6},
        optimiser=SGD,
        rate=0.05,
        more={"momentum": 0.9},
        epochs=25,
    )
    add("deep-rings", a, "mlp", "table", s, "float classes dense deep sgd")
    s = Loop(
        samples.digits(limit=1200),
        models.mlp,
        {"D": 64, "K": 10, "hidden": (48,) * 4, "dropout": 0.1},
        optimiser=SGD,
        rate=0.03,
        start=he,
        more={"momentum": 0.9},
        epochs=20,
    )
    add("deep-digits", b, "mlp", "table", s, "float classes dense deep sgd dropout")
    s = Loop(
        samples.moons(),
        models.mlp,
        {"D": 2, "K": 2, "hidden": (32, 32)},
        optimiser=SGD,
        rate=0.2,
        more={"momentum": 0.9},
        epochs=25,
    )
    add("sgd-moons", b, "mlp", "table", s, "float classes dense sgd")
    s = Loop(
        samples.friedman(),
        models.mlp,
        {"D": 10, "K": 1, "hidden": (48, 48)},
        loop.squared,
        loop.explained,
        epochs=15,
        more={"weight_decay": 1e-4},
    )
    add("mlp-friedman", a, "mlp", "table", s, "float values dense")
    s = Loop(
        samples.friedman(1200, 2.0),
        models.mlp,
        {"D": 10, "K": 1, "hidden": (24, 24), "activation": "tanh"},
        loop.squared,
        loop.explained,
        SGD,
        0.03,
        {"momentum": 0.9},
        epochs=30,
    )
    add("tanh-friedman", b, "mlp", "table", s, "float values dense sgd")
    s = Loop(
        samples.rare(),
        models.mlp,
        {"D": 12, "K": 2, "hidden": (32, 32), "dropout": 0.1},
        Weighted((1.0, 6.0)),
        epochs=10,
        rate=1e-3,
    )
    add("weighted-rare", a, "mlp", "table", s, "float classes dense dropout rare")
    s = Loop(
        samples.rare(share=0.2),
        models.mlp,
        {"D": 12, "K": 2, "hidden": (24,), "norm": True},
        Weighted((1.0, 4.0)),
        epochs=10,
        rate=1e-3,
    )
    add("norm-rare", b, "mlp", "table", s, "float classes dense norm rare")
    # ------------------------------------------------------------------------------------- images, loops
    pictures = samples.digits((1, 8, 8), 1000)
    s = Loop(pictures, models.cnn, {"K": 10, "dropout": 0.2}, epochs=10)
    add("cnn-digits", a, "cnn", "images", s, "float classes dense dropout")
    s = Loop(
        pictures,
        models.cnn,
        {"K": 10, "hidden": (16, 16), "norm": True},
        optimiser=SGD,
        rate=0.05,
        more={"momentum": 0.9},
        epochs=8,
    )
    add("norm-cnn-digits", b, "cnn", "images", s, "float classes dense norm sgd")
    s = Loop(
        pictures,
        models.resnet,
        {"K": 10, "width": 8, "blocks": 1},
        optimiser=SGD,
        rate=0.05,
        more={"momentum": 0.9},
        epochs=8,
        schedule="cosine",
    )
    add("resnet-digits", a, "resnet", "images", s, "float classes norm sgd")
    s = Loop(pictures, models.resnet, {"K": 10, "width": 10, "blocks": 2}, epochs=6, rate=2e-3)
    add("deep-resnet-digits", b, "resnet", "images", s, "float classes norm")
    return found
