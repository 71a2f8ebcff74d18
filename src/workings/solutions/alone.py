"""A net run as it is, nothing recorded: what the record is compared with, and how the step's effect is seen."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_map_only

from workings.solutions.casting import InFloat64


@contextmanager
def drawn_from(seed: int) -> Iterator[None]:
    """All random numbers (torch's, NumPy's, Python's) from this seed; afterwards the generators are as they were."""
    kept, of_numpy, of_python = torch.get_rng_state(), np.random.get_state(), random.getstate()
    try:
        torch.manual_seed(seed)
        np.random.seed(seed % 2**32)
        random.seed(seed)
        yield
    finally:
        torch.set_rng_state(kept)
        np.random.set_state(of_numpy)
        random.setstate(of_python)


def fresh(given: Any) -> Any:
    """Inputs of their own: a net may change its inputs in place."""
    return tree_map_only(Tensor, lambda t: t.detach().clone(), given)


def run_alone(
    net: nn.Module, inputs: tuple[Any, ...], kwargs: dict[str, Any], loss: Callable[[Any], Tensor], seed: int
) -> tuple[Tensor, dict[str, Tensor]]:
    """The loss, and its gradient by each parameter's name; ``net`` is changed as a step of learning changes buffers."""
    for p in net.parameters():
        p.grad = None
    with drawn_from(seed), InFloat64(), torch.enable_grad():
        L = loss(net(*fresh(inputs), **fresh(kwargs)))
    L.backward()
    return L.detach(), {name: p.grad for name, p in net.named_parameters() if p.grad is not None}
