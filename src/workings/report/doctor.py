"""What every report says of its run's training: what was looked for, what was found, what was tried, what to change."""

from __future__ import annotations

import math
import shlex
from pathlib import Path
from typing import Any

import numpy as np
from markupsafe import Markup, escape

from workings.doctor.visit import examine
from workings.report.doctor_trials import gained, shown, tried
from workings.report.figures import Figure, drawn
from workings.report.reading import RunFiles
from workings.report.sections import Section
from workings.report.svg import Axis, Plot
from workings.report.words import count, number, percent
from workings.runs.folder import read_versioned

DOUBLE = 1.05  # room above and below a course


def sections(run: RunFiles) -> list[Section]:
    """One section, of runs that were watched."""
    if not (run.path / "watch.json").is_file():
        return []
    found = _latest(run.path)
    lead = (
        "What was seen inside the net while it trained. A symptom is told only where healthy runs do not have it; a "
        "cause only where a trial showed it."
    )
    body = Markup("").join([_verdict(found), *_symptoms(found), _causes(found), tried(found), _next(run.path, found)])
    return [Section("doctor", "Doctor", lead, body)]


def _latest(path: Path) -> dict[str, Any]:
    """What was found and tried. Trials of an earlier day count only where the same symptoms are still told: thresholds
    may have moved since."""
    seen, kept = examine(path).to_dict(), path / "doctor.json"
    tried = read_versioned(kept) if kept.is_file() else seen
    now, then = ({each["code"] for each in found["findings"]} for found in (seen, tried))
    return tried if now == then else seen


def _verdict(found: dict[str, Any]) -> Markup:
    checked, cost = found["checked"], found["cost"]
    watched = ""
    if cost.get("looks"):
        share = float(cost["seconds"]) / max(float(cost["of"]), 1e-9)
        times = count(int(cost["looks"]), "look")
        watched = f" Watching took {percent(share)} of the training's time, in {times}."
    if found["healthy"]:
        listed = Markup("<details><summary>What was looked for</summary><p>{}</p></details>").format(", ".join(checked))
        said = f"None of the {len(checked)} symptoms that were looked for was found.{watched}"
        return Markup('<p class="verdict"><strong>Healthy.</strong> {}</p>{}').format(said, listed)
    many = count(len(found["findings"]), "symptom")
    said = f"of {len(checked)} that were looked for.{watched}"
    return Markup('<p class="verdict bad"><strong>{}</strong> {}</p>').format(many, said)


# ------------------------------------------------------------------------------------------------- symptoms


def _symptoms(found: dict[str, Any]) -> list[Markup]:
    return [_symptom(each, i) for i, each in enumerate(found["findings"])]


def _symptom(each: dict[str, Any], i: int) -> Markup:
    value, low, high, threshold = (each[name] for name in ("value", "low", "high", "threshold"))
    between = "" if low == high else f" ({shown(low)} to {shown(high)})"
    evidence = f"{each['statistic']}: {shown(value)}{between}, told from {shown(threshold)} on. {each['healthy']}"
    rows = [("Evidence", evidence), ("Why it matters", each["why"]), ("What to do", each["do"])]
    listed = Markup("").join(
        Markup('<p class="small muted">{}: {}</p>').format(name, text) for name, text in rows if text
    )
    figure = _course(each, i)
    picture = "" if figure is None else Markup('<div class="charts">{}</div>').format(drawn(figure))
    said = Markup('<ul class="problems"><li class="warning"><p>{}</p>{}</li></ul>').format(each["what"], listed)
    return said + picture


def _course(each: dict[str, Any], i: int) -> Figure | None:
    """The statistic over the steps, with its threshold; None of fewer than two looks."""
    line = np.array([point for point in each["course"] if None not in point], dtype=float).reshape(-1, 2)
    line = line[np.isfinite(line[:, 1])]
    if len(line) < 2:
        return None
    threshold = each["threshold"] if _of_statistic(each, float(line[-1, 1])) else None
    bound = threshold if threshold is not None and math.isfinite(threshold) else None
    values = np.append(line[:, 1], [] if bound is None else [bound])
    low, high = float(values.min()), float(values.max())
    log = low > 0 and high / low > 50
    pad = (high - low) * 0.08 or abs(high) * 0.1 or 1.0
    y = Axis("log scale", low / 1.3, high * 1.3, log=True) if log else Axis("", low - pad, high + pad)
    where = f" of {each['where']}" if each["where"] else ""
    said = f"From {number(line[0, 1])} to {number(line[-1, 1])} over {line[-1, 0]:,.0f} steps."
    plot = Plot(f"symptom-{i}", f"{each['statistic']}{where}", said, Axis("step", 0.0, float(line[-1, 0])), y)
    plot.line(line, "line main")
    if len(line) <= 25:
        plot.dots(line, "look main")
    keys: tuple[tuple[str, str], ...] = (("main", each["where"] or "the run"),)
    if bound is not None:
        plot.rules([((0.0, bound), (plot.x.high, bound))], "line other")
        keys = (*keys, ("other", "told from here on"))
    if 0 < each["step"] <= plot.x.high:
        plot.rules([((each["step"], plot.y.low), (each["step"], plot.y.high))], "mark")
    title = each["statistic"] if bound is not None else "what it was found in"
    return Figure(title[:1].upper() + title[1:], "", plot.svg(), keys)


def _of_statistic(each: dict[str, Any], last: float) -> bool:
    """Whether the course is one of the statistic itself, and not of what the statistic is made from."""
    if None in (each["value"], each["low"], each["high"]):
        return False
    return abs(last - each["value"]) <= 0.25 * abs(each["value"]) + (each["high"] - each["low"])


# ---------------------------------------------------------------------------------------- causes and trials


def _causes(found: dict[str, Any]) -> Markup:
    if not found["findings"]:
        return Markup("")
    parts = []
    shown = [each for each in found["causes"] if each["shown"]]
    if shown:
        items = Markup("").join(_cause(each) for each in shown)
        parts.append(Markup("<h3>{}</h3><ol>{}</ol>").format("Cause" if len(shown) == 1 else "Causes", items))
        if not found["apart"]:
            parts.append(Markup("<p>The trials do not tell the first two apart: either helps about as much.</p>"))
    elif found["treatment"] is not None:
        said = "No cause was shown: no change that was tried does better beyond its interval."
        parts.append(Markup("<h3>Cause</h3><p>{}</p>").format(said))
    else:
        names = "; ".join(each["said"] for each in found["causes"][:4])
        if names:
            said = f"Not shown yet. What may lie behind it: {names}."
            parts.append(Markup("<h3>Cause</h3><p>{}</p>").format(said))
    for code, do in found["beyond"].items():
        parts.append(Markup("<p>No change of the recipe mends <code>{}</code>: {}</p>").format(code, do))
    return Markup("").join(parts)


def _cause(each: dict[str, Any]) -> Markup:
    said = each["said"][:1].upper() + each["said"][1:]
    gain = each["gain"]
    how = f"Shown by: {each['by']}, {gained(gain)}." if gain else ""
    change = Markup(" Change: <code>{}</code>").format(each["do"]) if "=" in each["do"] else escape(f" {each['do']}")
    return Markup("<li><strong>{}.</strong> {}{}</li>").format(said, how, change)


def _next(path: Path, found: dict[str, Any]) -> Markup:
    if found["healthy"]:
        return Markup("")
    folder = shlex.quote(str(path))
    lines = []
    if (path / "weights.safetensors").is_file():  # not of a run that stopped
        lines.append(("One step of this net worked through, with every gradient", f"workings show {folder} --sample 1"))
    if found["treatment"] is None:
        lines.insert(
            0, ("Show the cause by trials, and train with what does better", f"workings doctor {folder} --cure")
        )
    return Markup("").join(
        Markup('<p class="command">{}</p><pre><code>{}</code></pre>').format(words, line) for words, line in lines
    )
