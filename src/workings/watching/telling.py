"""What was seen of a training, in words: findings with their evidence and what to change, or that it is healthy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from workings.base.finding import Finding


def told(
    findings: Sequence[Finding], checked: Sequence[str], cost: Mapping[str, Any], not_seen: Sequence[str] = ()
) -> str:
    """Several lines; what belongs to a finding is indented.

    checked: the codes that were looked for. cost: of watching, as ``Budget.to_dict`` has it. not_seen: what could not
    be looked at in this model.
    """
    watched = ""
    if cost.get("looks"):
        share = float(cost["seconds"]) / max(float(cost["of"]), 1e-9)
        times = "once" if cost["looks"] == 1 else f"{int(cost['looks']):,} times"
        watched = f" It was looked at {times}, which took {share:.1%} of its time."
    if findings:
        many = "symptom" if len(findings) == 1 else "symptoms"
        lines = [f"{len(findings)} {many} of {len(checked)} that were looked for.{watched}"]
        lines += [f"! {each.text()}" for each in findings]
    else:
        lines = [f"Healthy: none of {len(checked)} symptoms was found.{watched}"]
        lines.append(f"  Looked for: {', '.join(checked)}.")
    lines += [f"  Not seen: {what}" for what in not_seen]
    return "\n".join(lines)
