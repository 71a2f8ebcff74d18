"""What torch's compositions are made of: functions that need no equation of their own, because each is a few others.

RMS norm is a mean of squares, a root and a product; each of these has its equation. The parts are recorded in the place
of the function; what it gave itself, and the net's own gradients, are compared with them. A chooser takes the arguments
of a call and gives its parts, or None where there is a rule for the call as it is.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import Tensor
from torch.utils._pytree import tree_leaves

from workings.solutions.rules.parts import activations, losses, maps, norms, products, sequences, spread

Parts = Callable[..., Any]
_PARTS: dict[str, Callable[..., Parts | None]] = {
    **activations.PARTS,
    **losses.PARTS,
    **maps.PARTS,
    **norms.PARTS,
    **products.PARTS,
    **sequences.PARTS,
    **spread.PARTS,
}


def parts_of(name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Parts | None:
    """The function to be recorded in the place of another; None where that is an operation with a rule of its own."""
    if not any(isinstance(x, Tensor) and x.is_floating_point() for x in tree_leaves((args, kwargs))):
        return None  # numbers that nothing is learnt through
    if name in _PARTS:
        return _PARTS[name](*args, **kwargs)
    choose = _PARTS.get(name.removesuffix("_")) if name.endswith("_") else None
    parts = None if choose is None else choose(*args, **kwargs)
    if parts is None:
        return None
    return lambda x, *more, **named: x.copy_(parts(x, *more, **named))
