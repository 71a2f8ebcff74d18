"""Whether inputs and targets belong together is told without a net, of classes, a number, or several numbers."""

from __future__ import annotations

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from workings.watching.dependence import told


@settings(max_examples=40, deadline=None)
@given(st.integers(8, 120), st.integers(3, 12), st.integers(1, 12), st.booleans(), st.integers(0, 99))
def test_shares_are_shares_whatever_the_targets(n: int, F: int, K: int, classes: bool, seed: int) -> None:
    g = torch.Generator().manual_seed(seed)
    x = torch.randn(n, F, generator=g)
    y = torch.randint(0, K + 1, (n,), generator=g) if classes else torch.randn(n, K, generator=g)
    found = told(x, y, classes)
    for name in ("told_by_one", "told_by_next"):
        assert 0 <= found.get(name, 0) <= 1 + 1e-9
    assert found.get("simple", 0) <= 1


def test_targets_that_are_the_inputs_are_no_leak_of_one_input() -> None:
    x = torch.randn(200, 10, generator=torch.Generator().manual_seed(0))
    found = told(x, x, False)
    assert "told_by_one" not in found
    assert found["dependence"] > 100  # they do belong together
    assert "simple" not in found  # a copy is no answer where the net has to go through a narrow code


def test_an_input_that_is_the_answer_is_named() -> None:
    x = torch.randn(200, 10, generator=torch.Generator().manual_seed(0))
    found = told(x, x[:, 3:4] * 2 + 1, False)
    assert found["told_by"] == 4
    assert found["told_by_one"] > 0.999
    assert found["told_by_next"] < 0.2


def test_what_is_independent_is_seen_to_be() -> None:
    g = torch.Generator().manual_seed(1)
    x, y = torch.randn(256, 6, generator=g), torch.randn(256, 3, generator=g)
    assert told(x, y, False)["dependence"] < 4
