"""Numbers, durations and values as people read them."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Mapping, Sequence


def number(value: object) -> str:
    """A number with four digits that say something: ``0.8512``, ``1,234``, ``3.2e-05``."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    if isinstance(value, int):
        return f"{value:,}"
    if not math.isfinite(value):
        return str(value)
    size = abs(value)
    if size >= 10_000 or value.is_integer():
        return f"{value:,.0f}"
    if size >= 1:
        return f"{value:.4g}" if size < 1000 else f"{value:,.1f}"
    return f"{value:.4f}" if size >= 0.001 else f"{value:.2g}"


def value(given: object) -> str:
    """A settled value, short enough for a line."""
    match given:
        case None:
            return "none"
        case bool():
            return "yes" if given else "no"
        case float() if given.is_integer() and abs(given) < 1e6:
            return f"{given:,.0f}"
        case float() if math.isfinite(given):
            return f"{given:.4g}"
        case int() | float():
            return number(given)
        case Mapping():
            return ", ".join(f"{name}={typed(each)}" for name, each in given.items()) or "none"
        case str():
            return given
        case Sequence():
            return ", ".join(value(each) for each in given) or "none"
        case _:
            return str(given)


def typed(given: object) -> str:
    """A value as it is typed after ``--set KEY=``."""
    match given:
        case None:
            return "none"
        case bool():
            return str(given).lower()
        case float():
            return f"{given:g}"
        case list() | tuple():
            return f"[{', '.join(map(typed, given))}]"
        case _:
            return str(given)


def duration(seconds: float) -> str:
    """``0:42``, ``12:05``, ``1:02:03``; a dash where it is not known."""
    if not math.isfinite(seconds) or seconds < 0:
        return "–"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def folded(text: str, width: int, first: str = "", rest: str = "") -> list[str]:
    """``text`` as lines of at most ``width``; ``first`` and ``rest`` go before the first line and the others.

    A word that is longer than a line (a path) stays whole: it can then be copied.
    """
    lines: list[str] = []
    for part in text.splitlines() or [""]:
        indent = first if not lines else rest
        lines += textwrap.wrap(
            part,
            max(width, 20),
            initial_indent=indent,
            subsequent_indent=rest,
            break_long_words=False,
            break_on_hyphens=False,
        ) or [indent.rstrip()]
    return lines


def quoted(path: object) -> str:
    """A path as it must be typed in a shell."""
    import shlex

    return shlex.quote(str(path))
