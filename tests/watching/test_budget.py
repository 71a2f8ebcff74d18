"""How often is looked, and how many steps are seen at all, by a clock that the test sets."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workings.watching.budget import AHEAD, BETWEEN, MISSED, Budget


@given(
    share=st.floats(0.005, 0.5),
    step=st.floats(1e-4, 1.0),
    look=st.floats(1e-4, 0.05),
    between=st.floats(0.0, 1e-5),
    seconds=st.floats(AHEAD, 60.0),
)
def test_what_is_taken_stays_within_the_share_but_for_what_is_not_asked(
    share: float, step: float, look: float, between: float, seconds: float
) -> None:
    budget, now, n = Budget(share, began=0.0), 0.0, 0
    while now < seconds and n < 3_000:
        now += step + between
        n += 1
        if budget.allows(now, n):
            now += look
            budget.pay(look)
            budget.looked(n, now)
        if n % 64 == 0:
            budget.pay_between(64 * between, now)
    unasked = look + n * between  # the first look, and what happens in every step
    assert MISSED * budget.spent <= share * max(now, AHEAD) + MISSED * unasked


@pytest.mark.parametrize(("each", "often"), [(1e-5, True), (1e-6, False)])
def test_short_steps_are_seen_too_often_once_they_cost_their_part(each: float, often: bool) -> None:
    """10 and 1 millionths of a second in steps of a thousandth, of a share of 3 %."""
    budget, told, now = Budget(0.03, began=0.0), [], 0.0
    for _ in range(200):
        now += 64 * 1e-3
        told.append(budget.pay_between(64 * each, now))
    assert any(told) == often
    if often:
        first = 64 * each * told.index(True)
        assert first == pytest.approx(BETWEEN * 0.03 * AHEAD / MISSED, rel=0.1)


def test_when_fewer_steps_are_seen_it_is_not_too_often_any_more() -> None:
    budget, now, often = Budget(0.03, began=0.0), 0.0, False
    for _ in range(100):
        now += 64 * 1e-3
        often = budget.pay_between(64 * 2e-5, now)
    assert often
    now += 64 * 4e-3  # every fourth step is seen
    assert not budget.pay_between(64 * 2e-5, now), "what it cost before is waited off"


def test_telling_what_is_found_takes_its_part_and_leaves_the_rest_to_looks() -> None:
    """Of a share of 3 % three tenths: in four seconds 36 ms, of what is measured of it less."""
    budget = Budget(0.03)
    assert budget.bears_between(0.9 * BETWEEN * 0.03 * AHEAD / MISSED)
    assert not budget.bears_between(1.2 * BETWEEN * 0.03 * AHEAD / MISSED)
    budget.between = 0.9 * BETWEEN * 0.03 * AHEAD / MISSED
    assert not budget.bears_between(0.2 * BETWEEN * 0.03 * AHEAD / MISSED)


def test_what_is_worked_out_once_does_not_take_the_looks_of_a_short_run() -> None:
    """A second of steps of 5 ms, looks of 10 ms, facts of 80 ms: as many looks as without facts."""
    looks = []
    for once in (0.0, 0.08):
        budget, now = Budget(0.03, began=0.0, spent=once, once=once), 0.0
        for step in range(200):
            now += 5e-3
            if budget.allows(now, step):
                budget.pay(0.01)
                budget.looked(step, now)
        looks.append(budget.looks)
    assert looks[1] == looks[0] >= 4
