"""How many digits are printed, and what they must bear: the policy is stated on every page.

A number is printed with ``digits`` significant digits, a number that is exact with fewer (0.5, 1) as it is. Rounded
inputs do not always add up to a rounded result, so a line whose printed digits, put through the printed equation, miss
its printed result by more than one unit in the last digit is printed with more digits of its inputs, as many as it
takes. A line for which no number of digits does it is shown as failed. Float64 itself loses digits where large terms
cancel: what is below 1e-12 of the terms that it is the difference of counts as 0.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from workings.solutions.expressions import Expr
from workings.solutions.reading import UnreadableLine, read, read_sized

DIGITS = 4
FULL = 17
NOISE = 1e-12

POLICY = (
    "Numbers are rounded to {digits} significant digits; where a line would then miss its own result, its inputs are "
    "printed with more. Every line, worked out from the digits printed in it, gives its printed result to one unit in "
    "the last digit (or to 1e-12 of its largest terms, where these cancel). Indices count from 1."
)


@dataclass(frozen=True)
class Printed:
    """A number as printed: its digits with an ASCII minus, and a power of ten or None.

    unit: one in the last digit that it could have had; a number that is exact with fewer digits is not held to less.
    """

    digits: str
    power: int | None = None
    unit: float = 1e-300

    @property
    def text(self) -> str:
        """In Unicode: −2.65·10⁻³."""
        mantissa = self.digits.replace("-", "−")
        return mantissa if self.power is None else f"{mantissa}·10{superscript(self.power)}"


def superscript(n: int | str) -> str:
    """Digits, signs and brackets above the line."""
    return str(n).translate(str.maketrans("-−0123456789()+", "⁻⁻⁰¹²³⁴⁵⁶⁷⁸⁹⁽⁾⁺"))


def printed(x: float, digits: int = DIGITS) -> Printed:
    """x to so many significant digits; exact short numbers as they are."""
    if x == 0:
        return Printed("0")
    if not math.isfinite(x):
        return Printed("∞" if x > 0 else "-∞" if x < 0 else "NaN")
    shortest = f"{x:.12g}"  # noise of float64 is no digit
    mantissa, _, power = shortest.partition("e")
    exact = len(mantissa.replace("-", "").replace(".", "").strip("0")) <= digits
    rounded = f"{x:.{digits - 1}e}"
    mantissa, _, power = rounded.partition("e")
    exponent = int(power)
    unit = 10.0 ** (exponent - digits + 1)
    if abs(x) < 10**6 and exact and float(shortest) == int(float(shortest)):
        return Printed(str(int(float(shortest))), None, unit)
    if exact:
        mantissa = mantissa.rstrip("0").rstrip(".")
    if -4 <= exponent < max(digits, 6):
        decimals = max(0, len(mantissa.replace("-", "").replace(".", "")) - 1 - exponent)
        return Printed(f"{x:.{decimals}f}", None, unit)
    return Printed(mantissa, exponent, unit)


def precise(x: float) -> str:
    """A number with the digits that an error needs."""
    return f"{x:.1e}"


@dataclass(frozen=True)
class Line:
    """One line of arithmetic: ``left`` = ``equation`` = numbers put in = ``result``.

    digits: of the inputs as printed. holds: whether the printed line gives its printed result. error: by how many
    units in the last digit it misses it.
    """

    left: Expr
    equation: Expr
    result: float
    digits: int
    result_printed: Printed
    holds: bool
    error: float
    note: str = ""


def settle_line(left: Expr, equation: Expr, result: float, digits: int = DIGITS, note: str = "") -> Line:
    """A line with as many digits as it needs."""
    from workings.solutions.text import write

    shown = printed(result, digits)
    best: tuple[float, int] = (math.inf, digits)
    for count in range(digits, FULL + 1):
        try:
            value, size = read_sized(write(equation, numbers=True, digits=count))
        except (UnreadableLine, ArithmeticError, ValueError):
            break
        if not math.isfinite(size):  # what is lost in an infinity is no noise
            size = 0.0
        if abs(result) <= NOISE * size and abs(value) <= NOISE * size and result != 0:
            shown, error = Printed("0"), 0.0
        else:
            target = read(shown.text) if math.isfinite(result) else result
            same = value == target or (math.isnan(value) and math.isnan(target))
            missed = abs(value - target) - NOISE * size
            error = 0.0 if same else math.inf if not math.isfinite(missed) else max(0.0, missed) / shown.unit
        best = min(best, (error, count))
        if error <= 1.0 + 1e-9:
            return Line(left, equation, result, count, shown, True, error, note)
    return Line(left, equation, result, best[1], shown, False, best[0], note)
