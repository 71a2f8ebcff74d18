"""What the doctor says of a run: symptoms, controls, causes, what was tried and accepted; kept in doctor.json."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from workings.base.files import finite
from workings.base.finding import Finding
from workings.doctor.causes import BEYOND, NAMES
from workings.doctor.controls import Control
from workings.doctor.paired import LEVEL, Gain
from workings.doctor.patient import WORDS
from workings.doctor.tried import Treatment, Tried


@dataclass(frozen=True)
class Cause:
    """A cause and what shows it.

    code: as of a finding. said: in words. shown: by an experiment; else it is what may lie behind the symptoms.
    by: the change or the control that showed it. gain: of that. do: what to change.
    """

    code: str
    said: str
    shown: bool
    by: str = ""
    gain: Gain | None = None
    do: str = ""

    def to_dict(self) -> dict[str, object]:
        """As JSON-ready values."""
        gain = None if self.gain is None else self.gain.to_dict()
        return {"code": self.code, "said": self.said, "shown": self.shown, "by": self.by, "gain": gain, "do": self.do}


@dataclass
class Diagnosis:
    """What is wrong with a run.

    checked: codes that were looked for. cost: of watching, as in watch.json. measure: what trials are compared by; on:
    the rows that judge. causes: shown ones first, the best first; apart: whether the first is told from the second.
    beyond: what no change to the recipe mends, by code. metrics: before and after on the validation rows, and, of a new
    run, on the test rows.
    """

    run: str
    findings: Sequence[Finding]
    checked: Sequence[str]
    cost: Mapping[str, Any] = field(default_factory=dict)
    minutes: float = 0.0
    measure: str = "loss"
    on: str = ""
    controls: Sequence[Control] = ()
    causes: Sequence[Cause] = ()
    apart: bool = True
    beyond: Mapping[str, str] = field(default_factory=dict)
    treatment: Treatment | None = None
    new_run: str | None = None
    metrics: Mapping[str, Any] = field(default_factory=dict)

    @property
    def healthy(self) -> bool:
        """Whether none of the symptoms was found."""
        return not self.findings

    def to_dict(self) -> dict[str, Any]:
        """As JSON-ready values: what doctor.json holds."""
        content = {
            "run": self.run,
            "healthy": self.healthy,
            "findings": [each.to_dict() for each in self.findings],
            "checked": list(self.checked),
            "cost": dict(self.cost),
            "minutes": self.minutes,
            "measure": {"name": self.measure, "words": WORDS[self.measure], "on": self.on, "level": LEVEL},
            "controls": [each.to_dict() for each in self.controls],
            "causes": [each.to_dict() for each in self.causes],
            "apart": self.apart,
            "beyond": dict(self.beyond),
            "treatment": None if self.treatment is None else of_treatment(self.treatment),
            "new_run": self.new_run,
            "metrics": dict(self.metrics),
        }
        return finite(content)


def of_treatment(t: Treatment) -> dict[str, Any]:
    """What was tried, as JSON-ready values."""
    return {
        "tried": [_of_tried(each) for each in t.tried],
        "accepted": [each.cure.name for each in t.accepted],
        "harmful": sum(each.verdict == "harmful" for each in t.tried),
        "placebo": None if t.placebo is None else t.placebo.to_dict(),
        "whole": None if t.whole is None else t.whole.to_dict(),
        "share": t.share,
        "steps": t.steps,
        "trials": t.trials,
        "seconds": round(t.seconds, 3),
        "out_of_time": t.out_of_time,
        "left": [each.to_dict() for each in t.left],
    }


def _of_tried(t: Tried) -> dict[str, Any]:
    return {
        "name": t.cure.name,
        "round": t.round,
        "cause": t.cause,
        "reason": t.cure.reason,
        "change": t.told,
        "verdict": t.verdict,
        "screened": t.screened,
        "gain": None if t.gain is None else t.gain.to_dict(),
        "over_placebo": None if t.placebo is None else t.placebo.to_dict(),
        "note": t.note,
    }


def causes_of(treatment: Treatment | None, thought: Sequence[str]) -> tuple[list[Cause], bool]:
    """Causes that trials showed, the best first, then those that are only thought of; and whether the first two are
    told apart: the interval of the first begins above the middle of the second's."""
    shown: dict[str, Cause] = {}
    proved = [] if treatment is None else [t for t in treatment.tried if t.verdict in ("accepted", "better") and t.gain]
    for t in sorted(proved, key=lambda t: (t.round, t.verdict != "accepted", -t.gain.mean if t.gain else 0.0)):
        if t.cause and t.cause not in shown:
            do = "; ".join(t.told)
            shown[t.cause] = Cause(t.cause, NAMES.get(t.cause, t.cause), True, t.cure.name, t.gain, do)
    first = [cause for cause in shown.values() if _round(proved, cause.code) == 1]
    apart = len(first) < 2 or not (first[0].gain and first[1].gain) or first[0].gain.low > first[1].gain.mean
    rest = [Cause(code, NAMES.get(code, code), False) for code in thought if code not in shown]
    return [*shown.values(), *rest], apart


def _round(tried: Sequence[Tried], code: str) -> int:
    return min(t.round for t in tried if t.cause == code)


def beyond(findings: Sequence[Finding]) -> dict[str, str]:
    """What no change to the recipe mends, of what was found."""
    return {each.code: each.do or BEYOND[each.code] for each in findings if each.code in BEYOND}
