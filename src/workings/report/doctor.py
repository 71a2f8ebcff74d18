"""What every report says of its run's training: what was looked for, what was found, what was tried, what to change."""

from __future__ import annotations

import math
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from markupsafe import Markup, escape

from workings.doctor.visit import examine
from workings.report.figures import Figure, drawn
from workings.report.reading import RunFiles
from workings.report.sections import Section
from workings.report.svg import Axis, Plot
from workings.report.words import count, metric_name, number, percent
from workings.runs.folder import read_versioned

DOUBLE = 1.05  # room above and below a course
STRIP = (6, 154)  # where the interval's drawing begins and ends
PLACED = {"accepted": 0, "better": 1, "no difference": 2, "harmful": 3}


def sections(run: RunFiles) -> list[Section]:
    """One section, of runs that were watched."""
    if not (run.path / "watch.json").is_file():
        return []
    kept = run.path / "doctor.json"
    found = read_versioned(kept) if kept.is_file() else examine(run.path).to_dict()
    lead = (
        "What was seen inside the net while it trained. A symptom is told only where healthy runs do not have it; a "
        "cause only where a trial showed it."
    )
    body = Markup("").join([_verdict(found), *_symptoms(found), _causes(found), _tried(found), _next(run.path, found)])
    return [Section("doctor", "Doctor", lead, body)]


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
    between = "" if low == high else f" ({_number(low)} to {_number(high)})"
    evidence = f"{each['statistic']}: {_number(value)}{between}, told from {_number(threshold)} on. {each['healthy']}"
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
    how = f"Shown by: {each['by']}, {_gained(gain)}." if gain else ""
    change = Markup(" Change: <code>{}</code>").format(each["do"]) if "=" in each["do"] else escape(f" {each['do']}")
    return Markup("<li><strong>{}.</strong> {}{}</li>").format(said, how, change)


def _tried(found: dict[str, Any]) -> Markup:
    t = found["treatment"]
    parts = []
    if found["controls"]:
        items = Markup("").join(
            Markup("<li>{} {}</li>").format({True: "✓", False: "✗", None: "·"}[each["passed"]], each["what"])
            for each in found["controls"]
        )
        parts.append(Markup('<h3>Controls</h3><ul class="problems">{}</ul>').format(items))
    if t is None:
        return Markup("").join(parts)
    length = "the whole training" if t["share"] == 1 else f"{percent(t['share'], 0)} of the training"
    said = (
        f"{count(t['trials'], 'trial')} of {length}, {t['steps']:,} steps each; judged by {found['measure']['words']}: "
        f"{found['measure']['on']}. Gains are paired over seeds, with their {percent(found['measure']['level'], 0)} "
        f"interval; above 0 is better."
    )
    parts.append(Markup("<h3>What was tried</h3><p>{}</p>").format(said))
    parts.append(_table(t))
    parts.append(_outcome(found, t))
    return Markup("").join(parts)


def _table(t: dict[str, Any]) -> Markup:
    proved = sorted((e for e in t["tried"] if e["gain"]), key=lambda e: (e["round"], PLACED.get(e["verdict"], 4)))
    rows = [(e["name"], e["reason"], e["verdict"], e["gain"]) for e in proved]
    if t["placebo"]:
        rows.append(("placebo", "the same batches in another order", "chance alone", t["placebo"]))
    bounds = [x for *_, gain in rows for x in (gain["low"], gain["high"]) if x is not None]
    lines = Markup("").join(_line(*row, bounds) for row in rows)
    once = [e for e in t["tried"] if not e["gain"]]
    names = ", ".join(dict.fromkeys(e["name"] for e in once))
    more = Markup("<p class='small muted'>Not better in a first trial, or not the best of their cause: {}.</p>").format(
        names
    )
    if not rows:
        return more if once else Markup("")
    head = "".join(f'<th scope="col"{css}>{name}</th>' for name, css in HEADS)
    table = f'<div class="wide"><table class="stack"><thead><tr>{head}</tr></thead><tbody>{lines}</tbody></table></div>'
    return Markup(table) + (more if once else Markup(""))


HEADS = (("change", ""), ("", ""), ("gain", ' class="n"'), ("", ""), ("interval", ' class="n"'))


def _line(name: str, reason: str, verdict: str, gain: dict[str, Any], bounds: Sequence[float]) -> Markup:
    chip = {"accepted": " on", "harmful": " warn"}.get(verdict, "")
    between = f"{_number(gain['low'])} to {_number(gain['high'])}"
    return Markup(
        '<tr{}><th scope="row">{}<span class="sub">{}</span></th><td><span class="chip{}">{}</span></td>'
        '<td class="n" data-label="gain">{}</td><td aria-hidden="true">{}</td>'
        '<td class="n" data-label="interval">{}</td></tr>'
    ).format(
        Markup(' class="own"') if verdict == "accepted" else "",
        name,
        reason,
        chip,
        verdict,
        _number(gain["mean"]),
        _strip(gain, bounds),
        between,
    )


def _strip(gain: dict[str, Any], bounds: Sequence[float]) -> Markup:
    """The interval as a line with a dot, and a tick where the gain is 0."""
    if None in (gain["low"], gain["high"], gain["mean"]) or not bounds:
        return Markup("")
    low, high = min(*bounds, 0.0), max(*bounds, 0.0)
    span = (high - low) or 1.0

    def at(x: float) -> str:
        return f"{STRIP[0] + (x - low) / span * (STRIP[1] - STRIP[0]):.1f}"

    return Markup(
        f'<svg class="strip" viewBox="0 0 160 16"><path class="track" d="M6 8H154M{at(0.0)} 2V14"/>'
        f'<path class="range" d="M{at(gain["low"])} 8H{at(gain["high"])}"/>'
        f'<circle class="point" cx="{at(gain["mean"])}" cy="8" r="4"/></svg>'
    )


def _outcome(found: dict[str, Any], t: dict[str, Any]) -> Markup:
    if not t["accepted"]:
        return Markup("<p><strong>No cure was accepted</strong>, so nothing was changed.</p>")
    changes = "; ".join(change for e in t["tried"] if e["verdict"] == "accepted" for change in e["change"])
    left = ", ".join(each["code"] for each in t["left"]) or "none"
    parts = [
        Markup("<p><strong>Accepted: {}.</strong> Change: <code>{}</code>. Symptoms left after it: {}.</p>").format(
            ", then ".join(t["accepted"]), changes, left
        )
    ]
    if found["new_run"]:
        parts.append(_before_after(found))
    return Markup("").join(parts)


def _before_after(found: dict[str, Any]) -> Markup:
    rows = []
    for part, where in (("validation", "validation rows"), ("test", "test rows")):
        both = found["metrics"].get(part) or {}
        before, after = both.get("before") or {}, both.get("after") or {}
        if part == "test":
            intervals = after.get("intervals") or {}
            before, after = before.get("metrics") or {}, after.get("metrics") or {}
        else:
            intervals = {}
        for name in list(after)[:4]:
            was = number(before[name]) if name in before else "stopped"
            low_high = intervals.get(name)
            between = f"{number(low_high[0])} to {number(low_high[1])}" if low_high else ""
            rows.append((metric_name(name), where, was, number(after[name]), between))
    lines = Markup("").join(
        Markup(
            '<tr><th scope="row">{}<span class="sub">{}</span></th><td class="n" data-label="before">{}</td>'
            '<td class="n" data-label="after">{}</td><td class="n" data-label="95 % interval">{}</td></tr>'
        ).format(*row)
        for row in rows
    )
    head = '<th scope="col"></th>' + "".join(
        f'<th scope="col" class="n">{name}</th>' for name in ("before", "after", "95 % interval")
    )
    caption = f"The cured recipe, trained whole: {escape(found['new_run'])}. No trial has seen the test rows."
    return Markup(
        f'<div class="wide"><table class="stack"><caption>{caption}</caption><thead><tr>{head}</tr></thead>'
        f"<tbody>{lines}</tbody></table></div>"
    )


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


def _gained(gain: dict[str, Any]) -> str:
    course = f"{_number(gain['before'])} → {_number(gain['after'])}"
    return f"{course}, gain {_number(gain['mean'])} ({_number(gain['low'])} to {_number(gain['high'])})"


def _number(x: float | None) -> str:
    return "∞" if x is None else number(x, 3)
