"""Which file belongs to which: train.en and train.de say that test.de belongs to test.en."""

from __future__ import annotations

import re
from pathlib import Path

from workings.base.errors import refuse
from workings.base.problems import nearest

_PARTS = re.compile(r"([^\W_]+)")


def differing(source: str, target: str) -> tuple[str, str] | None:
    """The one word in which two file names differ: ("en", "de"); None where they differ otherwise."""
    one, other = _PARTS.split(source), _PARTS.split(target)
    if len(one) != len(other):
        return None
    apart = [(a, b) for a, b in zip(one, other, strict=True) if a != b]
    return apart[0] if len(apart) == 1 and all(_PARTS.fullmatch(part) for part in apart[0]) else None


def target_beside(path: Path, source: str, target: str) -> Path:
    """The file of targets that belongs to ``path``, as ``target`` belonged to ``source`` in training (file names).

    Raises:
        UserError: the names do not say which it is, or it is not there.
    """
    apart = differing(Path(source).name, Path(target).name)
    parts = _PARTS.split(path.name)
    at = max((i for i, part in enumerate(parts) if apart and part == apart[0]), default=None)
    if apart is None or at is None:
        example = f", as '{Path(target).name}' stands beside '{Path(source).name}'" if apart else ""
        raise refuse(
            "no-target-file",
            f"The name '{path.name}' does not say which file holds its targets.",
            where=f"in training they were '{Path(source).name}' and '{Path(target).name}'",
            do=f"Name the two files alike{example}; or give one table with both columns (CSV, TSV, Parquet).",
        )
    parts[at] = apart[1]
    found = path.with_name("".join(parts))
    if not found.is_file():
        names = [each.name for each in path.parent.iterdir()] if path.parent.is_dir() else []
        guess = nearest(found.name, [name for name in names if name != path.name])
        raise refuse(
            "no-target-file",
            f"There is no file '{found}' with the targets of '{path.name}'.",
            why="What the net writes is judged by comparing it with them, line by line.",
            do=f"Put it there. Did you mean '{guess}'?" if guess else "Put it there.",
        )
    return found
