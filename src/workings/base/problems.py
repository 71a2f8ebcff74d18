"""A problem: one thing that is wrong or worth knowing, said once and completely."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Literal

Level = Literal["error", "warning", "note"]


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong, where, how often, why it matters and what to do.

    level: ``error`` stops the work; ``warning`` is told and kept in the report;
        ``note`` is a decision taken for the user (a fill, a cast, a drop), told and kept.
    code: a stable short name, e.g. ``missing-column``; tests and programs rely on it.
    what: the fact, in one sentence.
    where: rows, files or columns, already shortened for reading (see :func:`shorten`).
    count: how many places; 0 where counting has no meaning.
    why: why it matters. do: what to do about it.
    """

    level: Level
    code: str
    what: str
    where: str = ""
    count: int = 0
    why: str = ""
    do: str = ""

    def to_dict(self) -> dict[str, object]:
        """As JSON-ready values, for the data card and ``--json``."""
        return asdict(self)

    def text(self) -> str:
        """The whole message, one line a part, without colour."""
        lines = [self.what]
        if self.where:
            lines.append(f"  where: {self.where}")
        if self.why:
            lines.append(f"  why it matters: {self.why}")
        if self.do:
            lines.append(f"  what to do: {self.do}")
        return "\n".join(lines)


def shorten(items: Iterable[object], limit: int = 5) -> str:
    """The first ``limit`` items and how many more there are: ``3, 8, 11 and 40 more``."""
    listed = [str(item) for item in items]
    if len(listed) <= limit:
        return ", ".join(listed)
    return f"{', '.join(listed[:limit])} and {len(listed) - limit:,} more"


def nearest(name: str, choices: Sequence[str]) -> str | None:
    """The choice that ``name`` was probably meant to be, or None where nothing is near."""
    lowered = {choice.lower(): choice for choice in reversed(choices)}
    found = difflib.get_close_matches(name.lower(), list(lowered), n=1, cutoff=0.6)
    return lowered[found[0]] if found else None


def unknown_name(kind: str, name: str, choices: Sequence[str]) -> Problem:
    """The problem of a name that is not among the choices, with the nearest one suggested."""
    guess = nearest(name, choices)
    hint = f"Did you mean '{guess}'? " if guess else ""
    return Problem(
        "error",
        f"unknown-{kind.replace(' ', '-')}",
        f"There is no {kind} called '{name}'.",
        do=f"{hint}The choices are: {shorten(sorted(choices), 30)}.",
    )
