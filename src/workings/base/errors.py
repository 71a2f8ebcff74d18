"""The two ways a run can fail: the user's input, and the numbers themselves."""

from __future__ import annotations

from collections.abc import Sequence

from workings.base.problems import Problem


class WorkingsError(Exception):
    """Whatever Workings raises on purpose."""


class UserError(WorkingsError, ValueError):
    """Bad input. Carries every problem found, so that one message says them all.

    The command line prints the message without a traceback and exits with 2.
    """

    def __init__(self, problems: Problem | Sequence[Problem]) -> None:
        self.problems: list[Problem] = [problems] if isinstance(problems, Problem) else list(problems)
        super().__init__("\n".join(problem.text() for problem in self.problems))


class NonFiniteError(UserError):
    """A loss or gradient became NaN or infinite; the run was stopped before the weights changed."""


def refuse(code: str, what: str, *, where: str = "", count: int = 0, why: str = "", do: str = "") -> UserError:
    """A :class:`UserError` of one problem, to be raised: ``raise refuse(...)``."""
    return UserError(Problem("error", code, what, where, count, why, do))
