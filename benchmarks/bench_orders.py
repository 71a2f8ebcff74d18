"""How far lanes that only add in another order are from one another, and from the same step in float64.

python benchmarks/bench_orders.py

``learning/lane_choice.py`` refuses a lane whose first step differs from the eager lane's by more than a tolerance. It
is set from these figures: ‖g − g₆₄‖/‖g₆₄‖ for the gradient g of real batches, at the first weights and after some
steps, and ‖g − g_eager@1‖/‖g_eager@1‖, which is what the choice of a lane sees.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import torch
from measured import unpacked, write
from torch import Tensor, nn

from workings.data import open_dataset
from workings.learning.gradient import GradientRule
from workings.learning.lanes import Lane, LaneRunner
from workings.learning.loop import put_back
from workings.learning.losses import make_loss
from workings.learning.optimisers import make_optimiser
from workings.nets import build
from workings.runs.fit import start_net
from workings.runs.recipe import Recipe

LANES = (Lane("eager", 1), Lane("eager", 2), Lane("channels-last", 1), Lane("channels-last", 2))
BATCH = 128
BATCHES = 3  # at each point of training
LATER = 20  # steps done before the second point


@dataclass(frozen=True)
class Setting:
    """A net on images: its name, its settings, how it starts, where the images are."""

    title: str
    net: str
    settings: dict[str, Any]
    images: Path


def settings() -> list[Setting]:
    """A net without convolutions, a small one with, and the deep one with max pooling that images get by default."""
    mnist, cifar = unpacked("mnist10k"), unpacked("cifar10") / "test"
    return [
        Setting("mlp on mnist10k", "mlp", {"hidden": [256, 128], "dropout": 0.0}, mnist),
        Setting("cnn on mnist10k", "cnn", {}, mnist),
        Setting("vgg on mnist10k", "vgg", {"widths": [16, 64, 64]}, mnist),
        Setting("vgg on cifar10", "vgg", {"widths": [32, 128, 128]}, cifar),
    ]


def rule_of(net: nn.Module) -> GradientRule:
    """SGD with momentum: its memory after one step is the gradient."""
    return GradientRule(net, make_loss("cross_entropy"), make_optimiser("sgd", momentum=0.9), lambda step: 0.02)


def gradient(rule: GradientRule, lane: Lane, x: Tensor, y: Tensor) -> Tensor:
    """What one step in that lane finds; everything is put back."""
    saved = {name: tensor.clone() for name, tensor in rule.tensors().items()}
    put_back(rule, {name: torch.zeros_like(t) for name, t in saved.items() if name.startswith("optimiser.")})
    runner = LaneRunner(lane, rule.step, rule.state)
    runner.enter()
    runner.advance(x[None], y[None], None, [rule.optimiser.scalars(1, 0.02)])
    g = rule.state[0].clone()
    put_back(rule, saved)
    return g


def exact(rule: GradientRule, x: Tensor, y: Tensor) -> Tensor:
    """The same in float64."""
    net = build_again(rule.net)
    return gradient(rule_of(net), Lane("eager", 1), x.double(), y)


def build_again(net: nn.Module) -> nn.Module:
    """A copy in float64 with parameters of its own."""
    again = copy.deepcopy(net).double()
    for p in again.parameters():
        p.data = p.data.clone()
    return again


def apart(g: Tensor, reference: Tensor) -> float:
    """‖g − r‖/‖r‖."""
    return float((g.double() - reference.double()).norm() / reference.double().norm())


def measure(setting: Setting) -> list[dict[str, Any]]:
    """A row for each lane and each thing it is compared with."""
    data = open_dataset(setting.images)
    split = data.split(0, 0.2, 0.1)
    source = data.source(data.fit(split.train), split.train)
    classes = len(data.task.classes or [])
    torch.manual_seed(0)
    net = build(setting.net, tuple(source.shape), classes, **setting.settings)
    start_net(net, Recipe(initialisation="torch_default" if setting.net == "vgg" else "he_normal"), source)
    net.train()
    rule = rule_of(net)
    order = torch.randperm(len(source), generator=torch.Generator().manual_seed(1))
    batches = [order[i * BATCH : (i + 1) * BATCH] for i in range(2 * BATCHES + LATER)]
    from_64: dict[Lane, list[float]] = {lane: [] for lane in LANES}
    from_eager: dict[Lane, list[float]] = {lane: [] for lane in LANES}
    for step in range(len(batches)):
        rows = batches[step]
        if BATCHES <= step < BATCHES + LATER:
            rule.advance(source.x(rows)[None], source.targets(rows)[None], None, step - BATCHES)
        else:
            x, y = source.x(rows), source.targets(rows)
            reference = exact(rule, x, y)
            found = {lane: gradient(rule, lane, x, y) for lane in LANES}
            for lane, g in found.items():
                from_64[lane].append(apart(g, reference))
                from_eager[lane].append(apart(g, found[LANES[0]]))
    told = []
    for against, values_of in (("float64", from_64), ("eager@1", from_eager)):
        for lane in LANES:
            if (lane.kind == "channels-last" and setting.net == "mlp") or (against == lane.name):
                continue
            values = values_of[lane]
            told.append(
                {
                    "what": f"{setting.title}: {lane.name} from {against}, largest of the gradient",
                    "value": float(f"{max(values):.2g}"),
                    "n": len(values),
                    "spread": f"median {median(values):.1e}, least {min(values):.1e}",
                }
            )
    return told


def main() -> None:
    for setting in settings():
        write("orders", "python benchmarks/bench_orders.py", measure(setting))


if __name__ == "__main__":
    main()
