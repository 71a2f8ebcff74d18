"""What was seen of a run while it trained, as its folder holds it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from workings.base.errors import refuse
from workings.runs.folder import read_versioned
from workings.watching.history import History


def watched(path: Path) -> tuple[History, dict[str, Any]]:
    """The history of a run, finished or stopped, and what watching it cost.

    Raises:
        UserError: it is no run, or was not watched.
    """
    if not (path / "recipe.yaml").is_file():
        raise refuse("not-a-run", f"'{path}' is not a run.", do="Give the folder that `workings train` made.")
    if not (path / "watch.json").is_file():
        stopped = not (path / "metrics.json").is_file()
        why = "It was stopped before its end." if stopped else "It was trained with watch=0, or by an earlier version."
        do = "Finish it: workings train --resume RUN." if stopped else "Train it again with watch=0.03."
        raise refuse(
            "not-watched", f"'{path}' has no watch.json: what happened in its layers is not known.", why=why, do=do
        )
    content = read_versioned(path / "watch.json")
    return History.from_dict(content), dict(content.get("cost") or {})
