"""Recurrent nets in every lane: equal results, and no compiling that takes longer than it can save."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from workings.base.events import Decided, Event
from workings.base.form import Form
from workings.learning.gradient import GradientRule
from workings.learning.lane_choice import choose_lane
from workings.learning.lanes import parse_lane
from workings.learning.losses import make_loss
from workings.learning.optimisers import make_optimiser
from workings.nets import build

B = 4


def rule(lane: str, net: str, steps: int, **settings: Any) -> GradientRule:
    torch.manual_seed(1)
    made = build(net, (steps, 2), 1, Form(), width=5, **settings)
    return GradientRule(made, make_loss("mse"), make_optimiser("sgd"), lambda t: 0.1, None, parse_lane(lane))


def batches(steps: int, k: int = 8) -> tuple[Tensor, Tensor]:
    torch.manual_seed(2)
    return torch.randn(k, B, steps, 2), torch.randn(k, B)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("net", "cell"), [("lstm", "fused"), ("lstm", "written"), ("gru", "fused"), ("rnn", "written")]
)
def test_compiled_recurrent_nets_learn_as_eager_ones(net: str, cell: str) -> None:
    """Over two steps with dropout the losses and the weights are those of the eager lane, to rounding."""
    learnt = []
    for lane in ("eager@1", "compiled@1x1"):
        ours = rule(lane, net, 3, cell=cell, dropout=0.3)
        x, y = batches(3, 2)
        torch.manual_seed(3)
        losses = ours.advance(x, y, None, 0)
        learnt.append(torch.cat((losses, ours.flat.w)))
    torch.testing.assert_close(*learnt, rtol=1e-5, atol=1e-6)


def test_what_takes_longer_to_compile_than_it_saves_is_not_compiled() -> None:
    """A loop over many steps has thousands of operations: for a short training its compiling is refused, and told."""
    ours = rule("eager@1", "gru", 60, cell="written")
    x, y = batches(60)
    told: list[Event] = []
    one, _, _ = choose_lane(ours, lambda k: (x[:k], y[:k], None), 1, told.append, 1, True)
    assert one.kind == "eager"
    lane, _, measured = choose_lane(ours, lambda k: (x[:k], y[:k], None), 6_000, told.append, 1, True)
    assert lane.kind in ("eager", "bf16")
    refused = [each.reason for each in told if isinstance(each, Decided) and each.value == "compiled"]
    assert len(refused) == 1
    assert "operations" in refused[0]
    assert next(m for m in measured if m.lane == "compiled").refused == refused[0]
