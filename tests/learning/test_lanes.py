"""Lanes execute the same step: equal to the equations, to each other, and to fifteen lines of plain torch."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from workings.base.errors import UserError
from workings.base.events import silent
from workings.learning.gradient import GradientRule
from workings.learning.lane_choice import choose_lane
from workings.learning.lanes import Lane, has_bf16, parse_lane
from workings.learning.losses import make_loss
from workings.learning.lr_range import range_test
from workings.learning.optimisers import make_optimiser
from workings.learning.step import Regularisation
from workings.nets import build

B, K = 8, 4


def rule(net: str = "mlp", lane: str = "eager@1", optimiser: str = "sgd", **settings: Any) -> GradientRule:
    torch.manual_seed(1)
    settings = settings or {"hidden": [7]}
    shape = (1, 8, 8) if net == "cnn" else (5,)
    made = build(net, shape, 3, **settings)
    regularisation = Regularisation(l1=1e-3, l2=1e-2, clip_norm=0.5)
    options = {"momentum": 0.9} if optimiser == "sgd" else {}
    loss = make_loss("cross_entropy")
    return GradientRule(
        made, loss, make_optimiser(optimiser, **options), lambda t: 0.1 / (1 + t), regularisation, parse_lane(lane)
    )


def batches(net: str = "mlp", k: int = K) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(2)
    shape = (1, 8, 8) if net == "cnn" else (5,)
    return torch.randn(k, B, *shape, generator=generator), torch.randint(0, 3, (k, B), generator=generator)


def plain(net: nn.Module, x: Tensor, y: Tensor) -> None:
    """The same learning in plain torch: the reference for all lanes."""
    optimiser = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
    weights = [p for p in net.parameters() if p.ndim >= 2]
    for t in range(len(x)):
        for group in optimiser.param_groups:
            group["lr"] = 0.1 / (1 + t)
        penalty = sum(1e-3 * p.abs().sum() + 0.5 * 1e-2 * p.square().sum() for p in weights)
        loss = nn.functional.cross_entropy(net(x[t]), y[t]) + penalty
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), 0.5)
        optimiser.step()


CASES: list[tuple[str, dict[str, Any], str]] = [
    ("mlp", {"hidden": [7], "dropout": 0.0}, "eager@1"),
    ("mlp", {"hidden": [7], "batch_norm": True}, "eager@1"),
    ("mlp", {"hidden": [7], "batch_norm": True}, "compiled@1x1"),
    ("mlp", {"hidden": [7], "dropout": 0.0}, "compiled@1x2"),
    ("mlp", {"hidden": [7], "batch_norm": True}, "gradient@1"),
    ("cnn", {"channels": [3], "dense": [5]}, "eager@1"),
    ("cnn", {"channels": [3], "dense": [5]}, "channels-last@1"),
    ("cnn", {"channels": [3], "dense": [5], "batch_norm": True}, "channels-last@1"),
]


@pytest.mark.parametrize(("net", "settings", "lane"), CASES)
def test_every_lane_is_plain_torch(net: str, settings: dict[str, Any], lane: str) -> None:
    """Four steps with momentum, L1, L2, clipping and a schedule give the weights of a plain loop."""
    x, y = batches(net)
    reference = build(net, tuple(x.shape[2:]), 3, **settings)
    ours = rule(net, lane, **settings)
    reference.load_state_dict(ours.net.state_dict())
    reference.train()
    ours.net.train()
    plain(reference, x, y)
    ours.advance(x, y, None, 0)
    for (name, p), q in zip(reference.state_dict().items(), ours.net.state_dict().values(), strict=True):
        torch.testing.assert_close(q, p, rtol=1e-4, atol=1e-5, msg=lambda text, name=name: f"{name}: {text}")


@pytest.mark.parametrize("lane", ["compiled@1x2", "gradient@1"])
def test_lanes_draw_the_same_random_numbers(lane: str) -> None:
    """Dropout and noise come from torch's own generator in every lane, so a checkpoint of it is enough."""
    settings = {"hidden": [16], "dropout": 0.3, "noise": 0.1}
    x, y = batches()
    found = []
    for name in ("eager@1", lane):
        ours = rule("mlp", name, "adam", **settings)
        torch.manual_seed(9)
        losses = ours.advance(x, y, None, 0)
        found.append((losses, torch.rand(3)))
    torch.testing.assert_close(found[0][0], found[1][0], rtol=1e-4, atol=1e-5)
    assert torch.equal(found[0][1], found[1][1])


@pytest.mark.parametrize("lane", ["eager@1", "gradient@1", "compiled@1x1", "compiled@1x2"])
def test_nothing_changes_from_a_loss_that_is_not_finite_on(lane: str) -> None:
    """A NaN in batch 2 of 4 leaves the weights of one step, in every lane."""
    x, y = batches()
    x[1, 0, 0] = math.nan
    once, ours = rule(), rule("mlp", lane)
    once.advance(x[:1], y[:1], None, 0)
    losses = ours.advance(x, y, None, 0)
    assert torch.isfinite(losses[0])
    assert not torch.isfinite(losses[1])
    torch.testing.assert_close(ours.flat.w, once.flat.w, rtol=1e-5, atol=1e-6)
    assert all(torch.isfinite(tensor).all() for tensor in ours.state)


def test_choosing_a_lane_changes_nothing_else() -> None:
    """After measuring, weights, optimiser and generator are what they were, and the chosen lane is one measured."""
    ours = rule("mlp", "eager@1", "adamw", hidden=[16], dropout=0.2)
    before = {name: tensor.clone() for name, tensor in ours.tensors().items()}
    generator = torch.get_rng_state()
    x, y = batches(k=8)
    lane, reason, measured = choose_lane(ours, lambda k: (x[:k], y[:k], None), 20_000, silent, 1, True)
    assert lane.name in {m.lane for m in measured}
    assert "µs" in reason
    assert all(torch.equal(before[name], tensor) for name, tensor in ours.tensors().items())
    assert torch.equal(torch.get_rng_state(), generator)


def test_the_range_test_changes_nothing() -> None:
    """The learning-rate range test puts weights, optimiser, schedule and generator back."""
    ours = rule("mlp", "eager@1", "adamw", hidden=[16], dropout=0.2)
    before = {name: tensor.clone() for name, tensor in ours.tensors().items()}
    schedule, generator = ours.schedule, torch.get_rng_state()
    x, y = batches()
    test = range_test(ours, lambda step, k: (x[step % K : step % K + k], y[step % K : step % K + k], None))
    assert all(torch.equal(before[name], tensor) for name, tensor in ours.tensors().items())
    assert ours.schedule is schedule
    assert torch.equal(torch.get_rng_state(), generator)
    assert 1e-5 <= test.lowest <= test.diverged <= 1


def test_a_lane_has_a_name() -> None:
    """Names read back as the lanes they name; others are refused."""
    for lane in (Lane("eager", 2), Lane("channels-last", 1), Lane("compiled", 1, 8)):
        assert parse_lane(lane.name) == lane
    with pytest.raises(UserError, match="no lane called"):
        parse_lane("fast")


@pytest.mark.skipif(has_bf16(), reason="this processor has bfloat16")
def test_bf16_is_refused_where_it_would_be_emulated() -> None:
    """Without the instructions bf16 is slower and less exact, so it is not offered."""
    with pytest.raises(UserError, match="no bfloat16 instructions"):
        parse_lane("bf16@1")
