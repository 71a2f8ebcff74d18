"""A loop run with watching and without: whether all that it leaves behind is the same to the last bit."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from tests.watching.foreign_models import Model, Own
from torch import Tensor

import workings
from workings.watching.watch import Watch

ALWAYS = 1e9  # a budget of so many times the loop's time: a look at every step


class Loop:
    """A model, data and what a run leaves behind."""

    def __init__(self, make: Model) -> None:
        torch.manual_seed(0)
        random.seed(0)
        np.random.seed(0)
        self.model = make()
        self.x, self.y = torch.randn(64, 6), torch.randint(0, 3, (64,))
        self.told: list[Tensor] = []

    def batch(self) -> tuple[Tensor, Tensor]:
        rows = torch.randint(0, 64, (16,))
        return self.x[rows], self.y[rows]

    def judge(self) -> None:
        """A look at all samples in evaluation mode, in the middle of training."""
        self.model.eval()
        with torch.no_grad():
            self.told.append(self.model(self.x))
        self.model.train()

    def left(self, *optimizers: torch.optim.Optimizer) -> list[Any]:
        """Weights, gradients, buffers, the optimisers' memories, outputs and all generators."""
        grads = [p.grad for p in self.model.parameters()]
        memories = [value for o in optimizers for state in o.state.values() for value in state.values()]
        rest = [torch.get_rng_state(), torch.from_numpy(np.random.get_state()[1].astype(np.int64)), random.getstate()]
        return [*self.model.state_dict().values(), *grads, *memories, *self.told, *rest]


Watching = Callable[..., Any]  # workings.watch, or what does nothing in its place
Run = Callable[[Loop, Watching], list[Any]]


def same(a: Any, b: Any) -> bool:
    """Whether two things are the same to the last bit; NaN is as NaN."""
    if isinstance(a, Tensor) and isinstance(b, Tensor):
        return a.shape == b.shape and torch.equal(a.nan_to_num(), b.nan_to_num()) and torch.equal(a.isnan(), b.isnan())
    if isinstance(a, list) and isinstance(b, list):  # L-BFGS remembers lists
        return len(a) == len(b) and all(map(same, a, b))
    return bool(a == b)


def with_and_without(make: Model, run: Run) -> tuple[list[Any], list[Any], list[Watch], Loop]:
    """What ``run(loop, watch)`` leaves without watching and with it, the watches, and the watched loop."""
    watches: list[Watch] = []

    class Nothing:
        def __init__(self, *given: Any, **how: Any) -> None: ...
        def __enter__(self) -> Nothing:
            return self

        def __exit__(self, *error: object) -> None: ...

    def looking(*given: Any, **how: Any) -> Watch:
        watches.append(workings.watch(*given, **{"budget": ALWAYS} | how))
        return watches[-1]

    plain = run(Loop(make), Nothing)
    loop = Loop(make)
    return plain, run(loop, looking), watches, loop


def assert_neutral(make: Model, run: Run) -> Watch:
    """``run`` leaves the same behind with watching and without; hooks are gone. Returns the first watch."""
    backward = torch.autograd.backward
    plain, watched, watches, loop = with_and_without(make, run)
    assert same(plain, watched)
    assert torch.autograd.backward is backward
    assert not torch.overrides._get_current_function_mode_stack()
    module: Any
    for module in loop.model.modules():
        hooks = [*module._forward_hooks.values(), *module._forward_pre_hooks.values()]
        assert not [hook for hook in hooks if not isinstance(hook, Own)]
    return watches[0]
