"""Findings of histories written down as numbers: what a short loop cannot show, and what must not be told."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest
import torch

import workings
from workings.watching.findings import look
from workings.watching.history import History

STEPS = range(0, 200, 5)
LN4 = math.log(4)
CLASSES = {"loss": "cross_entropy", "task": "multiclass", "baseline": LN4, "class_counts": [50] * 4, "batch": 32}
PLAYERS = {"optimisers": 2}
Course = float | Sequence[float] | Callable[[float], float]


def history(facts: Mapping[str, Any], **values: Course) -> History:
    """A history of 40 looks. Values: name, or place__name; a number throughout, all numbers, or a function of the part
    of the run that is done."""
    found = History(facts=dict(facts))
    for key, course in values.items():
        where, _, name = key.rpartition("__")
        for i, step in enumerate(STEPS):
            part = i / (len(STEPS) - 1)
            value = course(part) if callable(course) else course if isinstance(course, int | float) else course[i]
            found.note(step, where.replace("_", "."), name, float(value))
    return found


def told(*given: Any, **values: Course) -> list[str]:
    return [finding.code for finding in look(history(*given, **values))]


def falling(to: float, start: float = LN4) -> Callable[[float], float]:
    return lambda part: to + (start - to) * math.exp(-8 * part)


def swinging(part: float) -> float:
    return 0.8 + 0.7 * math.copysign(1, math.sin(40 * part))


FAULTS: dict[str, History] = {
    "mode-collapse": history(PLAYERS, loss=1.0, spread_made=lambda part: 1 - 0.9 * part**0.2),
    "discriminator-wins": history(PLAYERS, loss=0.4, spread_made=0.9, output__mean=lambda part: 12 * part + 3),
    "posterior-collapse": history({"net": "vae"}, loss=falling(60, 100), kl=lambda part: 3 * math.exp(-9 * part)),
    "rbm-rate": history({"net": "rbm"}, loss=falling(20, 24), reconstruction=1.1, active=0.1),
    "oscillating": history(CLASSES, loss=swinging),
    "underfitting": history(CLASSES, loss=lambda part: LN4 * (1 - 0.55 * part**3)),
    "attention-collapse": history(CLASSES, loss=1.3, dot_attention__entropy=falling(0.01, 1.0)),
}
FAULTS["oscillating"].values["", "loss"] = [(step, swinging(0.025 * (step // 8))) for step in range(400)]
HEALTHY: dict[str, History] = {
    "mode-collapse": history(PLAYERS, loss=1.0, spread_made=falling(0.95, 0.1)),
    "discriminator-wins": history(PLAYERS, loss=0.7, spread_made=0.9, output__mean=falling(0.1, 6)),
    "posterior-collapse": history({"net": "vae"}, loss=falling(60, 100), kl=falling(3, 0.01), active=0.8),
    "rbm-rate": history({"net": "rbm"}, loss=falling(12, 24), reconstruction=falling(0.4, 1.0), active=0.9),
    "oscillating": history(CLASSES, loss=lambda part: 0.3 + 0.1 * math.sin(400 * part)),
    "underfitting": history(CLASSES, loss=falling(0.2)),
    "attention-collapse": history(CLASSES, loss=falling(0.1), dot_attention__entropy=falling(0.01, 1.0)),
}


@pytest.mark.parametrize("code", FAULTS)
def test_a_fault_is_told_by_its_code_and_what_is_healthy_of_the_same_kind_is_not(code: str) -> None:
    assert code in [finding.code for finding in look(FAULTS[code])]
    assert look(HEALTHY[code]) == []


def of_the_surest(surest: Course, right: Course, **facts: Any) -> list[str]:
    two = CLASSES | {"class_counts": [60, 60], "baseline": math.log(2), "loss": "cross_entropy"} | facts
    return told(two, loss=falling(0.4, 0.69), output__right=right, output__surest=surest)


def test_labels_are_noisy_where_the_surest_are_wrong_in_every_stretch_of_the_later_looks() -> None:
    assert of_the_surest(0.8, 0.7) == ["label-noise"]
    thrown_back = [0.4 if 20 <= i < 28 else 1.0 for i in range(40)]
    assert of_the_surest(thrown_back, [0.9 * v for v in thrown_back]) == []


def test_classes_that_overlap_are_no_noise_for_most_mistakes_are_gone_among_the_surest() -> None:
    assert of_the_surest(0.92, 0.7) == []


def test_samples_learnt_by_heart_are_told_before_the_validation_loss_rises() -> None:
    facts = CLASSES | {"rows": 60}
    assert told(facts, loss=falling(0.005), val_loss=falling(0.45)) == ["overfitting"]
    assert told(facts, loss=falling(0.005), val_loss=falling(0.1)) == [], "so small a loss is no harm"
    assert told(facts, loss=falling(0.2), val_loss=falling(0.5)) == [], "a gap alone is healthy"


def test_one_step_that_leaves_nothing_of_the_start_is_told_before_the_units_that_it_has_killed() -> None:
    pace = [0.8, *[1e-5] * 39]
    codes = told(CLASSES, loss=1.0, a_weight__update=pace, a_weight__weight=0.2, a_relu__dead=[0.0, *[1.0] * 39])
    assert codes[:2] == ["rate-too-high", "dead-relu"]
    assert "rate-too-high" not in told(CLASSES, loss=falling(0.05), a_weight__update=pace, a_weight__weight=0.2)


def test_weights_that_begin_at_0_have_no_pace_where_others_do_not() -> None:
    near_0 = {"b_weight__update": 0.9, "b_weight__weight": 1e-3, "b_weight__gain": 1e-3}
    rest = {"a_weight__update": 0.01, "a_weight__weight": 0.2, "a_weight__gain": 0.6}
    assert "rate-too-high" not in told(CLASSES, loss=0.8, **near_0, **rest)
    assert "rate-too-high" in told(CLASSES, loss=0.8, a_weight__update=0.9, a_weight__weight=0.2, a_weight__gain=0.6)


def test_a_loss_above_a_constant_answer_is_too_low_a_rate_where_it_falls_and_too_high_a_one_where_it_does_not() -> None:
    weights = {"a_weight__update": 0.004, "a_weight__weight": 0.2}
    above = [2.4 - 0.01 * i for i in range(40)]
    assert told(CLASSES, loss=above, **weights)[0] == "rate-too-low"
    assert "rate-too-high" not in told(CLASSES, loss=above, **weights)
    assert told(CLASSES, loss=above[::-1], **weights)[0] == "rate-too-high"


def test_players_whose_samples_are_all_alike_because_nothing_moves_have_too_low_a_rate() -> None:
    weights = {"a_weight__weight": 0.2, "loss": 1.0, "spread_made": 0.1}
    assert told(PLAYERS, a_weight__update=1e-4, **weights) == ["rate-too-low", "mode-collapse"]
    assert told(PLAYERS, a_weight__update=1e-2, **weights) == ["mode-collapse"]


@pytest.mark.parametrize(
    ("optimiser", "loss", "codes"),
    [("adam", 0.9, ["over-regularised"]), ("adamw", 0.9, []), ("adam", 0.1, [])],
)
def test_decay_in_the_gradient_is_a_penalty_and_is_told_where_not_all_was_learnt(
    optimiser: str, loss: float, codes: list[str]
) -> None:
    """λ = 0.3; AdamW takes its decay off the weights and not into the gradient."""
    assert told(CLASSES | {"optimiser": optimiser, "weight_decay": 0.3}, loss=falling(loss)) == codes


def test_a_start_is_judged_only_where_it_was_seen() -> None:
    found = history(CLASSES, loss=falling(0.1), a_weight__gain=8.0)
    assert [finding.code for finding in look(found)] == ["bad-start"]
    late = {key: [(step + 8, value) for step, value in course] for key, course in found.values.items()}
    assert look(History(late, found.order, found.facts)) == []


def test_gradients_not_cleared_are_told_also_where_most_looks_saw_only_nan() -> None:
    counts = {"gradients-checked": 49, "stale-gradient": 5}
    found = history(CLASSES, loss=[1.4, 3.0, *[math.nan] * 38])
    found.counts.update(counts)
    assert look(found)[0].code == "no-zero-grad"


def test_classes_of_uneven_size_are_no_finding_where_the_rarest_is_found() -> None:
    uneven = CLASSES | {"class_counts": [300, 60, 20, 15]}
    assert told(uneven, loss=falling(0.05, 0.8)) == ["imbalance"]
    assert told(uneven, loss=falling(0.05, 0.8), output__rare_right=0.8) == []


def test_targets_independent_of_inputs_are_told_though_the_loss_of_a_constant_answer_is_not_known() -> None:
    """Weights of classes hide it; then validation samples must never get better than the start."""
    facts = {"loss": "cross_entropy", "dependence": 1.0, "dependence_samples": 256}
    assert told(facts, loss=falling(0.5, 0.7), val_loss=0.7)[0] == "labels-shuffled"
    assert "labels-shuffled" not in told(facts, loss=falling(0.5, 0.7), val_loss=falling(0.5, 0.7))
    assert "labels-shuffled" not in told(facts, loss=falling(0.5, 0.7))


def test_places_of_an_image_count_as_their_root_for_batch_norm() -> None:
    net = {"loss": falling(0.1), "a_batch__normed_over": 8.0}
    assert told(CLASSES | {"batch": 2}, **net) == ["small-batch-norm"]
    assert told(CLASSES | {"batch": 8}, **net) == []


def test_a_net_that_a_simple_answer_beats_on_samples_left_out_underfits() -> None:
    facts = CLASSES | {"simple": 0.9}
    assert told(facts, loss=falling(0.9), output__right=0.5) == ["underfitting"]
    assert told(facts, loss=falling(0.4), output__right=0.8) == []


@pytest.mark.parametrize(
    ("made", "codes"), [("sigmoid", ["wrong-loss"]), ("tanh", ["wrong-loss"]), ("relu", ["wrong-loss"]), ("affine", [])]
)
def test_what_outputs_can_reach_is_known_by_the_operation_that_made_them(made: str, codes: list[str]) -> None:
    """A straight output may happen to stop just short of 1."""
    facts = {"loss": "mse_loss", "baseline": 1.0, "target_std": 1.0, "target_mean": 0.0, "batch": 32}
    ends = {"output__low": 0.02, "output__high": 0.99, "target__low": -2.0, "target__high": 2.0}
    assert told(facts | {"loss_given": made}, loss=falling(0.3, 1.0), **ends) == codes


@pytest.mark.parametrize("squared", [True, False])
def test_softmax_of_one_output_is_the_wrong_end_for_any_loss(squared: bool) -> None:
    torch.manual_seed(0)
    net = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.ReLU(), torch.nn.Linear(8, 1), torch.nn.Softmax(1))
    optimizer = torch.optim.Adam(net.parameters())
    loss = torch.nn.functional.mse_loss if squared else torch.nn.functional.binary_cross_entropy
    x = torch.randn(64, 4)
    y = (x[:, :1] > 0).float()
    with workings.watch(net, optimizer, budget=1e9) as watched:
        for _ in range(20):
            optimizer.zero_grad()
            loss(net(x), y).backward()
            optimizer.step()
    assert "wrong-loss" in [finding.code for finding in watched.findings()][:2]
