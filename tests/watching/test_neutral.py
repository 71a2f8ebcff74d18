"""Watching changes nothing: weights, buffers, memories and random numbers are bit-identical with it and without."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from tests.watching.foreign_loops import (
    accumulated,
    by_hand,
    compiled,
    game,
    l_bfgs,
    penalised,
    scaled,
    twice,
    usual,
)
from tests.watching.foreign_models import MODELS, Cells, Players, dense
from tests.watching.same_bits import Loop, Watching, assert_neutral
from torch import nn
from torch.nn import functional as F

from workings.watching.watch import Watch


@pytest.mark.filterwarnings("ignore:The PyTorch API of nested tensors")
@pytest.mark.parametrize("kind", MODELS)
def test_a_watched_loop_ends_in_the_same_bits(kind: str) -> None:
    watched = assert_neutral(MODELS[kind], usual)
    assert len(watched.history.of("loss")) == 10
    assert len(watched.history.of("gradient_norm")) == 10
    assert watched.history.counts.get("judged-in-eval", 3) == 3
    assert "judged-in-train" not in watched.history.counts
    assert watched.history.counts["stale-gradient"] == 0


@pytest.mark.parametrize("run", [penalised, twice, by_hand])
def test_a_step_of_several_backward_passes_or_none_is_the_same(run: Any) -> None:
    """Also of a cell that is called for each step, whose graph is gone through twice."""
    for make in (dense, Cells):
        assert "not_seen" not in assert_neutral(make, run).history.facts


def test_a_loop_of_l_bfgs_is_the_same() -> None:
    """Its closure calls forward and backward many times within one step."""
    watched = assert_neutral(lambda: nn.Sequential(nn.Linear(6, 8), nn.Tanh(), nn.Linear(8, 3)), l_bfgs)
    assert watched.history.counts["steps"] == 4
    assert watched.history.counts["stale-gradient"] == 0


def test_accumulated_gradients_are_the_same_and_are_no_forgotten_ones() -> None:
    watched = assert_neutral(dense, accumulated)
    assert watched.history.counts["stale-gradient"] == 0
    first = watched.history.of("loss")[0][1]
    assert 0.5 < first < 3  # each loss, not a quarter of it
    assert watched.history.facts["clip_norm"] == pytest.approx(0.1, rel=1e-3)
    assert watched.history.of("gradient_norm")[0][1] > 0.1


def test_a_scaled_loop_is_the_same_and_its_losses_are_told_unscaled() -> None:
    watched = assert_neutral(dense, scaled)
    assert all(0.3 < loss < 4 for _, loss in watched.history.of("loss"))
    assert all(norm < 20 for _, norm in watched.history.of("gradient_norm"))
    assert "clip_norm" not in watched.history.facts


@pytest.mark.parametrize("apart", [True, False], ids=["two watches", "one watch"])
def test_two_players_are_the_same_and_their_gradients_are_not_called_forgotten(apart: bool) -> None:
    watched = assert_neutral(Players, lambda loop, watch: game(loop, watch, apart))
    assert watched.history.counts["steps"] == 8
    assert watched.history.counts.get("stale-gradient", 0) == 0
    assert watched.history.of("update", "2.weight" if apart else "D.2.weight")


def test_a_loss_of_another_model_is_not_taken_for_its_own() -> None:
    """With a watch for each player, each history has one loss a step: that of its own player."""
    told: dict[str, list[float]] = {}

    def run(loop: Loop, watch: Watching) -> list[Any]:
        a, b = nn.Linear(6, 1), nn.Linear(6, 1)
        o, p = (torch.optim.SGD(each.parameters(), 0.1) for each in (a, b))
        with watch(a, o) as first, watch(b, p) as second:
            for _ in range(5):
                x, _ = loop.batch()
                for model, optimizer, to in ((a, o, 3.0), (b, p, -5.0)):
                    optimizer.zero_grad()
                    F.mse_loss(model(x), torch.full((16, 1), to)).backward()
                    optimizer.step()
        if isinstance(first, Watch):
            for name, each in (("first", first), ("second", second)):
                told[name] = [value for _, value in each.history.of("loss")]
        return [*a.state_dict().values(), *b.state_dict().values()]

    assert_neutral(dense, run)
    assert len(told["first"]) == len(told["second"]) == 5
    assert told["first"][0] < 12 < told["second"][0]


@pytest.mark.filterwarnings("ignore")
def test_a_compiled_model_is_the_same_and_what_is_not_seen_is_said() -> None:
    watched = assert_neutral(dense, compiled)
    assert watched.history.facts["not_seen"] == ["the inside of compiled parts"]
    assert len(watched.history.of("loss")) == len(watched.history.of("gradient_norm")) == 6
    assert not watched.history.places("zero") or watched.history.places("zero") == ["input"]
