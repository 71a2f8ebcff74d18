"""What a report shows beyond the common parts: sections of each kind of data, drawn by the kind's own module."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import Protocol

from markupsafe import Markup

from workings.base.events import Emit
from workings.report.reading import RunFiles
from workings.runs.outcome import Outcome
from workings.runs.run import Run


@dataclass(frozen=True)
class Section:
    """id: of the anchor. title: of the section. lead: one or two sentences beside it. body: HTML that is safe."""

    id: str
    title: str
    lead: str
    body: Markup


class KindOfReport(Protocol):
    """What the module of a kind of data offers to reports."""

    def look_further(self, run: Run, outcome: Outcome, emit: Emit) -> None:
        """After the test: write ``baselines.json`` and whatever ``sections`` reads."""
        ...

    def sections(self, run: RunFiles) -> list[Section]:
        """What the report shows of this kind, read from the run's files only; empty where files are missing."""
        ...


# By the kind of task where it has a module of its own, else by the ``kind`` of a run's preparation; tables and images
# need none.
_MODULES: dict[str, str] = {
    "text": "workings.report.text",
    "language": "workings.report.language",
    "series": "workings.report.series",
    "sound": "workings.report.sound",
    "pairs": "workings.report.pairs",
    "unsupervised": "workings.report.unsupervised",
}


def report_module(kind: str, task: str = "") -> KindOfReport | None:
    """The module of a task or of a kind of data, where it has one."""
    name = _MODULES.get(task) or _MODULES.get(kind)
    return import_module(name) if name else None  # type: ignore[return-value]


def sections_of(run: RunFiles) -> list[Section]:
    """The sections of the run's kind of data, and what was seen while it trained."""
    from workings.report import doctor

    module = report_module(str(run.prepare.get("kind")), run.task)
    return [*([] if module is None else module.sections(run)), *doctor.sections(run)]
