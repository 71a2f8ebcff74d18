"""What a doctor's trials showed: every change that was tried with its interval, and before and after."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from markupsafe import Markup, escape

from workings.report.words import count, metric_name, number, percent

STRIP = (6, 154)  # where the interval's drawing begins and ends
PLACED = {"accepted": 0, "better": 1, "no difference": 2, "harmful": 3}


def tried(found: dict[str, Any]) -> Markup:
    """Every change that was tried, what was accepted, before and after; empty where there were no trials."""
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
    between = f"{shown(gain['low'])} to {shown(gain['high'])}"
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
        shown(gain["mean"]),
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


def gained(gain: dict[str, Any]) -> str:
    """``0.51 → 0.9, gain 0.39 (0.35 to 0.43)``."""
    course = f"{shown(gain['before'])} → {shown(gain['after'])}"
    return f"{course}, gain {shown(gain['mean'])} ({shown(gain['low'])} to {shown(gain['high'])})"


def shown(x: float | None) -> str:
    """A number to three digits; one that JSON could not hold was infinite."""
    return "∞" if x is None else number(x, 3)
