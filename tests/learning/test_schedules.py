"""Learning-rate schedules: where they start, where they end, and how they go between."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from workings.base.errors import UserError
from workings.learning.schedules import NAMES, SCHEDULES, lr, make_schedule

BASE = 0.3
FALLING = [name for name in NAMES if name != "one_cycle"]
ENDS = {"constant": 1.0, "step": 0.01, "exponential": 0.01, "linear": 0.0, "cosine": 0.0, "one_cycle": 0.0}


@pytest.mark.parametrize("name", NAMES)
def test_ends_are_the_stated_ones(name: str) -> None:
    """η starts at base (one_cycle: at start · base) and comes to end · base after the last step; then it stays."""
    schedule = make_schedule(name)
    first = 0.04 if name == "one_cycle" else 1.0
    assert schedule(0, 100, BASE) == pytest.approx(first * BASE)
    assert schedule(100, 100, BASE) == pytest.approx(ENDS[name] * BASE, abs=1e-12)
    assert schedule(1_000, 100, BASE) == schedule(100, 100, BASE)


@pytest.mark.parametrize("name", NAMES)
@given(st.integers(1, 500), st.floats(1e-6, 10))
def test_every_step_moves(name: str, steps: int, base: float) -> None:
    """η of every step of a run is above 0 and at most base: no step is wasted, none overshoots."""
    schedule = make_schedule(name)
    assert all(0 < schedule(step, steps, base) <= base * (1 + 1e-12) for step in range(steps))


@pytest.mark.parametrize("name", FALLING)
@given(st.integers(2, 400), st.floats(0.01, 0.9))
def test_warm_up_climbs_straight_to_base_and_then_it_falls(name: str, steps: int, warmup: float) -> None:
    """Equal steps up from base/(m + 1) to base over m steps, continuous with what follows, never up again."""
    schedule = make_schedule(name, warmup=warmup)
    m = min(round(warmup * steps), steps - 1)
    rates = [schedule(step, steps, BASE) for step in range(steps)]
    for i, (a, b) in enumerate(pairwise([0.0, *rates[: m + 1]])):
        assert b - a == pytest.approx(BASE / (m + 1)), i
    assert max(rates) == pytest.approx(BASE)
    assert all(b <= a + 1e-12 for a, b in pairwise(rates[m:]))


@pytest.mark.parametrize("name", [name for name in NAMES if name != "step"])
def test_long_runs_are_smooth(name: str) -> None:
    """But for ``step``, no change from one step to the next of 10,000 is more than a thousandth of base."""
    schedule = make_schedule(name)
    rates = [schedule(step, 10_000, BASE) for step in range(10_001)]
    assert max(abs(b - a) for a, b in pairwise(rates)) < 1e-3 * BASE


def test_step_is_constant_on_equal_pieces() -> None:
    """Three pieces of 10 steps: base, base/10, base/100."""
    schedule = make_schedule("step", gamma=0.1, pieces=3)
    expected = [BASE] * 10 + [BASE / 10] * 10 + [BASE / 100] * 10
    assert [schedule(step, 30, BASE) for step in range(30)] == pytest.approx(expected)


def test_one_cycle_peaks_once() -> None:
    """It climbs to base at the part ``peak`` of the run, and falls from there."""
    rates = [lr("one_cycle", step, 100, BASE) for step in range(100)]
    top = rates.index(max(rates))
    assert top == 30
    assert rates[30] == pytest.approx(BASE)
    assert all(b > a for a, b in pairwise(rates[:31]))
    assert all(b < a for a, b in pairwise(rates[30:]))


@pytest.mark.parametrize(
    ("name", "make"),
    [
        ("cosine", lambda o: torch.optim.lr_scheduler.CosineAnnealingLR(o, T_max=50)),
        ("linear", lambda o: torch.optim.lr_scheduler.LinearLR(o, 1.0, 0.0, total_iters=50)),
        ("exponential", lambda o: torch.optim.lr_scheduler.ExponentialLR(o, 0.01 ** (1 / 50))),
        ("constant", lambda o: torch.optim.lr_scheduler.ConstantLR(o, 1.0)),
    ],
)
def test_rates_equal_torch(name: str, make: Any) -> None:
    """The same rates as torch's scheduler, at every one of 50 steps."""
    optimiser = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=BASE)
    scheduler = make(optimiser)
    for step in range(50):
        assert lr(name, step, 50, BASE) == pytest.approx(scheduler.get_last_lr()[0], rel=1e-9, abs=1e-12)
        optimiser.step()
        scheduler.step()


@pytest.mark.parametrize(
    ("name", "settings", "said"),
    [
        ("cosin", {}, "Did you mean 'cosine'"),
        ("cosine", {"warmp": 0.1}, "Did you mean 'warmup'"),
        ("cosine", {"warmup": 1.0}, "from 0 to below 1"),
        ("cosine", {"end": 2}, "from 0 to 1"),
        ("cosine", {"end": math.nan}, "end = nan"),
        ("cosine", {"warmup": "a bit"}, "warmup = 'a bit'"),
        ("step", {"pieces": 2.5}, "a whole number from 1"),
        ("step", {"gamma": 0}, "above 0"),
        ("exponential", {"end": 0}, "cannot end at 0"),
        ("one_cycle", {"warmup": 0.1}, "has its own climb"),
        ("one_cycle", {"peak": 1}, "from 0 to below 1"),
    ],
)
def test_wrong_names_and_values_are_refused(name: str, settings: dict[str, Any], said: str) -> None:
    """One message each, with the nearest name or the range."""
    with pytest.raises(UserError, match=said):
        make_schedule(name, **settings)


def test_all_problems_are_told_at_once() -> None:
    """Two mistakes, two problems."""
    with pytest.raises(UserError) as caught:
        make_schedule("step", gamma=7, piece=2)
    assert len(caught.value.problems) == 2


def test_every_schedule_says_its_formula() -> None:
    """The registry holds each formula as text."""
    assert all(kind.formula and kind.name == name for name, kind in SCHEDULES.items())
