"""A diagnosis in words, as the terminal shows it."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workings.cli.words import folded, number

if TYPE_CHECKING:
    from rich.console import RenderableType

    from workings.doctor.diagnosis import Cause, Diagnosis
    from workings.doctor.paired import Gain
    from workings.doctor.tried import Tried

TABLE = "TABLE"  # stands for the table of what was tried


def paragraphs(found: Diagnosis, run: str, width: int) -> Iterator[str]:
    """The parts of a diagnosis in order; ``TABLE`` where the table of what was tried goes."""
    yield from _symptoms(found, width)
    if found.controls:
        yield "\nControls"
        for each in found.controls:
            mark = {True: "✓", False: "✗", None: "·"}[each.passed]
            yield _wrapped(f"{each.name}: {each.what}", width, f"  {mark} ", "    ")
    yield from _causes(found, width)
    t = found.treatment
    if t is not None:
        yield "\nWhat was tried"
        length = "the whole training" if t.share == 1 else f"{t.share:.0%} of the training"
        said = f"{t.trials} trials of {length}, {t.steps:,} steps each, in {t.seconds:.0f} s; judged by the loss on "
        said += f"{found.on}. Gains are paired over seeds, with their 98 % interval; a gain above 0 is better."
        yield _wrapped(said.replace("the loss", _measure(found)), width, "  ")
        if _proved(found):
            yield TABLE
        yield from _rest(found, width)
        yield from _outcome(found, width)
    yield from _before_after(found, width)
    yield from _next(found, run)


def _symptoms(found: Diagnosis, width: int) -> Iterator[str]:
    from workings.watching.telling import told

    for line in told(found.findings, found.checked, found.cost).splitlines():
        if line.startswith("! "):
            yield ""
        indent = "  " if line.startswith(" ") else ""
        rest = "  " if line.startswith("! ") else 2 * indent
        yield _wrapped(line.strip(), width, indent, rest)


def _causes(found: Diagnosis, width: int) -> Iterator[str]:
    shown = [each for each in found.causes if each.shown]
    if shown:
        yield "\nCause" if len(shown) == 1 else "\nCauses, the best shown first"
        for each in shown:
            yield _wrapped(f"{each.said[:1].upper()}{each.said[1:]} ({each.code}).", width, "  ")
            if each.gain is not None:
                yield _wrapped(_evidence(each, found), width, "    ")
        if not found.apart:
            yield _wrapped("The trials do not tell the first two apart: either helps about as much.", width, "  ")
    elif found.findings and found.treatment is not None:
        yield _wrapped("\nNo cause was shown: no change that was tried does better beyond its interval.", width)
    elif found.causes and found.treatment is None:
        names = ", ".join(each.code for each in found.causes[:5])
        yield _wrapped(f"\nWhat may lie behind it, not tried yet: {names}.", width)
    for code, do in found.beyond.items():
        yield _wrapped(f"No change of the recipe mends {code}: {do}", width, "  ", "    ")


def _evidence(cause: Cause, found: Diagnosis) -> str:
    gain = cause.gain
    assert gain is not None
    return f"Shown by: {cause.by}. {_measure(found)} {number(gain.before)} → {number(gain.after)}, {_gained(gain)}."


def _proved(found: Diagnosis) -> list[Tried]:
    """What the table shows: what was proved, and what might have been."""
    assert found.treatment is not None
    order = {"accepted": 0, "better": 1, "no difference": 2, "harmful": 3}
    shown = [t for t in found.treatment.tried if t.gain is not None or t.verdict == "not proved"]
    return sorted(shown, key=lambda t: (t.round, order.get(t.verdict, 4), -(t.screened or 0.0)))


def _rest(found: Diagnosis, width: int) -> Iterator[str]:
    """What did not get past its first trial, in a sentence each."""
    assert found.treatment is not None
    told = _proved(found)
    rest = [t for t in found.treatment.tried if t not in told]
    for verdict, words in (
        ("no difference", "Once tried, no difference"),
        ("worse at first", "Once tried, worse"),
        ("does not fit", "Does not fit this run"),
    ):
        names = ", ".join(dict.fromkeys(t.cure.name for t in rest if t.verdict == verdict))
        if names:
            yield _wrapped(f"{words}: {names}.", width, "  ", "    ")


def _outcome(found: Diagnosis, width: int) -> Iterator[str]:
    t = found.treatment
    assert t is not None
    if t.placebo is not None:
        said = f"Placebo (the same batches in another order): {_gained(t.placebo)}: what chance alone does."
        yield _wrapped(said, width, "  ")
    harmful = sum(each.verdict == "harmful" for each in t.tried)
    if harmful:
        yield _wrapped(f"{harmful} of the changes did harm beyond their interval.", width, "  ")
    if t.accepted:
        names = ", then ".join(each.cure.name for each in t.accepted)
        yield _wrapped(f"Accepted: {names}.", width, "  ")
        settings = "; ".join(setting for each in t.accepted for setting in each.told)
        yield _wrapped(f"Change: {settings}", width, "  ")
        left = ", ".join(each.code for each in t.left)
        yield _wrapped(f"Symptoms left after it: {left or 'none'}.", width, "  ")
    else:
        yield _wrapped("No cure was accepted, so nothing was changed.", width, "  ")
    if t.out_of_time:
        yield _wrapped("The time was over before everything was tried; give more with --minutes.", width, "  ")


def _before_after(found: Diagnosis, width: int) -> Iterator[str]:
    if found.new_run is None:
        return
    yield f"\nBefore and after: the cured recipe, trained whole, is in {found.new_run}"
    validation, test = found.metrics["validation"], found.metrics["test"]
    before, after = validation["before"] or {}, validation["after"] or {}
    for name, value in after.items():
        was = number(before[name]) if name in before else "stopped"
        yield f"  validation {name}: {was} → {number(value)}"
    if test["after"] is None:
        return
    yield _wrapped("On the test rows, which no trial has seen:", width, "  ")
    was = test["before"]
    for name in list(test["after"]["metrics"])[:4]:
        old = "stopped" if was is None else _with_interval(was, name)
        yield f"    {name}: {old} → {_with_interval(test['after'], name)}"


def _with_interval(result: dict[str, Any], name: str) -> str:
    if name not in result["metrics"]:
        return "–"
    low_high = result["intervals"].get(name)
    between = f" ({number(float(low_high[0]))} – {number(float(low_high[1]))})" if low_high else ""
    return f"{number(float(result['metrics'][name]))}{between}"


def _next(found: Diagnosis, run: str) -> Iterator[str]:
    if found.healthy:
        return
    path = shlex.quote(run)
    yield "\nNext:"
    if found.treatment is None:
        yield f"  workings doctor {path} --minutes 5     # tell the causes apart by trials"
        yield f"  workings doctor {path} --cure          # and train with what does better"
    elif found.treatment.accepted and found.new_run is None:
        yield f"  workings doctor {path} --cure          # train with what does better"
    elif found.new_run is not None:
        yield f"  workings report {shlex.quote(found.new_run)} --open"
    if (Path(run) / "weights.safetensors").is_file():  # not of a run that stopped
        yield f"  workings show {path} --sample 1        # one step of it worked through"


def tried_table(found: Diagnosis, width: int) -> RenderableType:
    """What was tried: the change, what it does, its gain with the interval, the verdict."""
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=True, header_style="dim", width=width)
    for title, align in (("change", "left"), ("verdict", "left"), ("gain", "right"), ("98 % interval", "left")):
        table.add_column(title, justify=align, overflow="fold")  # type: ignore[arg-type]
    for each in _proved(found):
        style = {"accepted": "green", "harmful": "red"}.get(each.verdict, "")
        gain, once = each.gain, each.screened
        value = number(gain.mean) if gain else "" if once is None else number(once)
        between = f"{number(gain.low)} – {number(gain.high)}" if gain else "one trial" if once is not None else ""
        table.add_row(Text(each.cure.name), Text(each.verdict, style), value, between)
    return table


def _measure(found: Diagnosis) -> str:
    from workings.doctor.patient import WORDS

    return WORDS[found.measure].split(" on held-out")[0].split(" of held-out")[0]


def _gained(gain: Gain) -> str:
    return f"gain {number(gain.mean)} ({number(gain.low)} to {number(gain.high)}, {gain.seeds} seeds)"


def _wrapped(text: str, width: int, first: str = "", rest: str | None = None) -> str:
    blank = "\n" if text.startswith("\n") else ""
    return blank + "\n".join(folded(text.strip(), width, first, first if rest is None else rest))
