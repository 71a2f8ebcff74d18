"""Every net of the registry: a learning step is worked whole, and both kinds of check hold."""

from __future__ import annotations

import pytest
from tests.solutions.every_net import ALL, Case, solved

from workings.nets import registry

TOLERANCE = 1e-9


def cases() -> list[object]:
    """All; of each net the first is tried always, and those that are done at once, the others with the slow tests."""
    seen: set[str] = set()
    found = []
    for case in ALL:
        slow = case.net in seen and case.net != "mlp"
        seen.add(case.net)
        found.append(pytest.param(case, id=case.id, marks=[pytest.mark.slow] if slow else []))
    return found


def test_every_registered_net_has_a_case() -> None:
    """No net escapes."""
    assert {case.net for case in ALL} == set(registry.names())


@pytest.mark.parametrize("case", cases())
def test_a_learning_step_is_worked_whole(case: Case) -> None:
    """No operation without an equation, no failed check; every tensor to 1e-9, every line from its own digits."""
    solution = solved(case)
    assert solution.lacking == {}
    assert [f"{s.title} {s.place}: {c.what}" for s in solution.walk() for c in s.checks if not c.ok] == []
    assert [f"{s.title} {s.place}: {x.error}" for s in solution.walk() for x in s.lines if not x.holds] == []
    assert solution.checks
    assert solution.lines
    assert max(check.error for check in solution.checks) <= TOLERANCE
