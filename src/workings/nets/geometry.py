"""The arithmetic of convolution and pooling: (I − F + 2P)/S + 1.

I input size, F filter size, P padding on each side, S stride, all in pixels along one axis. Dumoulin and Visin 2016.
Dilation d spreads the filter: F is then d(F − 1) + 1. A remainder is dropped (the last pixels are not covered),
which the equation shows as ⌊…⌋.
"""

from __future__ import annotations

from typing import Literal

from workings.base.errors import UserError
from workings.base.problems import Problem


def conv_out(I: int, F: int, P: int = 0, S: int = 1, *, dilation: int = 1, layer: str = "") -> int:  # noqa: E741
    """The output size along one axis.

    Args:
        I: input size.
        F: filter size.
        P: padding on each side.
        S: stride.
        dilation: spacing of the filter's pixels.
        layer: its name, for the message.

    Raises:
        UserError: a size that cannot be, or a filter larger than the padded input.
    """
    problems = [
        Problem("error", "bad-geometry", f"{name} must be {low} or more, not {value}.", where=layer)
        for name, value, low in (
            ("The input size I", I, 1),
            ("The filter size F", F, 1),
            ("The padding P", P, 0),
            ("The stride S", S, 1),
            ("The dilation", dilation, 1),
        )
        if value < low
    ]
    if problems:
        raise UserError(problems)
    reach = dilation * (F - 1) + 1
    if reach > I + 2 * P:
        raise UserError(
            Problem(
                "error",
                "impossible-geometry",
                f"A filter of {reach} does not fit into {I} pixels with {P} of padding on each side.",
                where=layer,
                why=f"(I − F + 2P)/S + 1 = ({I} − {reach} + 2·{P})/{S} + 1 leaves no output.",
                do="Use larger images, a smaller filter, more padding, or fewer poolings and strides before it.",
            )
        )
    return (I - reach + 2 * P) // S + 1


def conv_equation(I: int, F: int, P: int = 0, S: int = 1, *, dilation: int = 1) -> str:  # noqa: E741
    """The equation with the numbers put in: ``(28 − 3 + 2·1)/1 + 1 = 28``."""
    O = conv_out(I, F, P, S, dilation=dilation)  # noqa: E741
    reach = dilation * (F - 1) + 1
    quotient = f"({I} − {reach} + 2·{P})/{S}"
    exact = (I - reach + 2 * P) % S == 0
    return f"{quotient if exact else f'⌊{quotient}⌋'} + 1 = {O}"


def same_padding(F: int, *, dilation: int = 1) -> int:
    """P that keeps the size at stride 1: d(F − 1)/2.

    Raises:
        UserError: F is even, so no equal padding on both sides keeps the size.
    """
    if dilation * (F - 1) % 2:
        raise UserError(
            Problem(
                "error",
                "even-filter",
                f"No equal padding on both sides keeps the size with a filter of {F}.",
                why=f"P = (F − 1)/2 = ({F} − 1)/2 is no whole number.",
                do="Use an odd filter size, or give the padding as a number.",
            )
        )
    return dilation * (F - 1) // 2


def padding_size(padding: int | str, F: int) -> int:
    """P of a padding given as a number, ``"valid"`` (0) or ``"same"``."""
    if isinstance(padding, int):
        return padding
    return 0 if padding == "valid" else same_padding(F)


def padding_kind(I: int, O: int, P: int, S: int) -> Literal["valid", "same", "other"]:  # noqa: E741
    """valid: no padding, so that every output sees only real pixels; same: padded so that O = ⌈I/S⌉."""
    if P == 0:
        return "valid"
    return "same" if -(-I // S) == O else "other"
