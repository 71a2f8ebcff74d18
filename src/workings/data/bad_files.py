"""Files that cannot be used: kept with their reasons, and told in one report."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from workings.base.errors import UserError
from workings.base.problems import Problem, shorten


@dataclass(frozen=True, slots=True)
class BadFile:
    """A file that could not be used, and why."""

    name: str
    reason: str

    def to_dict(self) -> dict[str, str]:
        """As JSON-ready values, for the data card."""
        return {"name": self.name, "reason": self.reason}


def bad_files(bad: Sequence[BadFile], total: int, skip: bool, noun: str) -> list[Problem]:
    """The one report of all files that cannot be used: an error, or with ``skip`` a warning.

    noun: what a file is called; its plural ends in s.

    Raises:
        UserError: nothing is left.
    """
    if not bad:
        return []
    code = f"bad-{noun}s"
    listed = shorten((f"{each.name} ({each.reason})" for each in bad), 50)
    kinds = Counter(each.reason.split(":")[0] for each in bad)
    reasons = shorten((f"{count:,} {reason}" for reason, count in kinds.most_common()), 8)
    why = f"An unreadable {noun} would have to be left out, or replaced by something that never was in the data."
    if len(bad) == total:
        what = f"None of the {total:,} {noun}(s) can be used: {reasons}."
        raise UserError(Problem("error", code, what, listed, total, why, "Check the folder or the paths."))
    what = f"{len(bad):,} of {total:,} {noun}s cannot be used: {reasons}."
    if skip:
        return [Problem("warning", code, what, listed, len(bad), "They were skipped.")]
    do = "Repair or remove them, or skip and list them with --on-bad-file skip."
    return [Problem("error", code, what, listed, len(bad), why, do)]
