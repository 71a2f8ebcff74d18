"""Optimisers: equal to torch's, to their own in-place form, and to the simpler one they contain."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from workings.base.errors import UserError
from workings.learning.optimisers import SGD, Adam, AdamW, make_optimiser

P, DECAYED, STEPS = 37, 30, 25
CASES: list[tuple[Any, Any]] = [
    (SGD(), lambda p: torch.optim.SGD(p, lr=0.1)),
    (SGD(momentum=0.9), lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9)),
    (SGD(momentum=0.9, nesterov=True), lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9, nesterov=True)),
    (
        SGD(momentum=0.9, weight_decay=0.05),
        lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9),
    ),
    (Adam(), lambda p: torch.optim.Adam(p, lr=0.1)),
    (Adam(weight_decay=0.05), lambda p: torch.optim.Adam(p, lr=0.1)),
    (AdamW(weight_decay=0.05), lambda p: torch.optim.AdamW(p, lr=0.1, weight_decay=0.0)),
]


def gradients(dtype: torch.dtype) -> list[Tensor]:
    generator = torch.Generator().manual_seed(3)
    return [torch.randn(P, generator=generator, dtype=dtype) for _ in range(STEPS)]


def start(dtype: torch.dtype) -> Tensor:
    return torch.linspace(-1, 1, P, dtype=dtype)


def by_equation(optimiser: Any, dtype: torch.dtype) -> Tensor:
    w = start(dtype)
    state = optimiser.start(w)
    for t, g in enumerate(gradients(dtype), start=1):
        w, state = optimiser.update(w, g, state, optimiser.scalars(t, 0.1), DECAYED)
    return w


@pytest.mark.parametrize(("ours", "theirs"), CASES)
def test_the_equations_are_torch_s(ours: Any, theirs: Any) -> None:
    """25 steps in float64 give torch's weights; weight decay acts on the weights alone."""
    weights = torch.nn.Parameter(start(torch.float64)[:DECAYED].clone())
    rest = torch.nn.Parameter(start(torch.float64)[DECAYED:].clone())
    groups = [{"params": [weights], "weight_decay": ours.weight_decay}, {"params": [rest], "weight_decay": 0.0}]
    optimiser = theirs(groups)
    for g in gradients(torch.float64):
        weights.grad, rest.grad = g[:DECAYED].clone(), g[DECAYED:].clone()
        optimiser.step()
    expected = torch.cat([weights.detach(), rest.detach()])
    torch.testing.assert_close(by_equation(ours, torch.float64), expected, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("optimiser", [case[0] for case in CASES])
def test_in_place_is_the_equation(optimiser: Any) -> None:
    """The fast in-place form gives the equation's weights and state."""
    w = start(torch.float32)
    state = optimiser.start(w)
    for t, g in enumerate(gradients(torch.float32), start=1):
        optimiser.update_(w, g.clone(), state, optimiser.scalars(t, 0.1), DECAYED)
    torch.testing.assert_close(w, by_equation(optimiser, torch.float32), rtol=1e-4, atol=1e-5)


def test_each_contains_the_one_before() -> None:
    """Momentum 0 is plain descent; AdamW and Adam without decay are one."""
    assert torch.equal(by_equation(SGD(momentum=0.0), torch.float64), by_equation(SGD(), torch.float64))
    assert torch.equal(
        by_equation(AdamW(weight_decay=0.0), torch.float64), by_equation(Adam(weight_decay=0.0), torch.float64)
    )


def test_an_unknown_optimiser_is_named_with_the_nearest() -> None:
    """A typo is answered with the name that was meant."""
    with pytest.raises(UserError, match="Did you mean 'adam'"):
        make_optimiser("adma")
