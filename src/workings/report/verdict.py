"""The first thing a report says: what the net can do, how sure that is, and whether something simpler does it better.

It is judged by one metric (`workings.learning.metrics.headline`). If a baseline is better, that is said first.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from workings.learning.metrics import headline, higher_is_better
from workings.report.reading import RunFiles
from workings.report.words import a, count, judged, measured, metric_name, percent

Standing = Literal["better", "ahead", "behind", "worse", "useless", "alone", "unknown"]


@dataclass(frozen=True)
class Verdict:
    """metric: judged by. result: what the net does. comparison: against the best baseline, ``standing`` in a word."""

    metric: str
    result: str
    comparison: str
    standing: Standing


def judge(run: RunFiles) -> Verdict:
    """The verdict on a run; ``unknown`` where it has no metrics on test rows."""
    metrics: dict[str, float] = run.metrics.get("metrics") or {}
    name = _metric(run, metrics)
    if name is None:
        text = "This run has no result on test rows, so nothing can be said of how good the network is."
        return Verdict("", text, "", "unknown")
    interval = (run.metrics.get("intervals") or {}).get(name)
    result = _result(run, name, metrics[name], interval)
    comparison, standing = _against(run, name, metrics[name], interval)
    return Verdict(name, result, comparison, standing)


def _metric(run: RunFiles, metrics: dict[str, float]) -> str | None:
    preferred = headline(run.task, run.class_counts or None)
    fallback = {"regression": "mae"}.get(run.task, "accuracy")
    return next((name for name in (preferred, fallback, *metrics) if name in metrics), None)


def _result(run: RunFiles, name: str, value: float, interval: list[float] | None) -> str:
    written, between = measured(name, value, interval)
    sure = f" (95\N{NO-BREAK SPACE}% interval {between})" if between else ""
    kind = str(run.prepare.get("kind"))
    one = judged({"task": run.task, **run.metrics}, kind)
    trained_on = run.metrics.get("on") == "training rows"
    which = f"{one} that it was trained on" if trained_on else f"test {one}"
    rows = count(int(run.metrics.get("rows") or 0), which, which.replace(one, f"{one}s", 1))
    metrics = run.metrics["metrics"]
    if name == "nats_per_token" and run.task == "language":
        token = {"word": "word", "bpe": "piece of a word"}.get(str(run.prepare.get("tokens")), "character")
        among = measured("perplexity", metrics["perplexity"])[0]
        said = f"The network needs {written} nats a {token} for {rows.replace('row', token.split(' ')[0])}{sure}"
        return f"{said}: as undecided as among {among} equally likely ones."
    if name == "accuracy":
        return f"The network is right in {written} of {rows}{sure}."
    if name == "explained":
        part = percent(value) if value > 0 else "nothing"
        return f"What the network rebuilds keeps {part} of the variance of {rows}{sure}."
    if name == "anomaly_roc_auc":
        named = [f"‘{each}’" for each in run.prepare.get("anomalies") or []]
        which = f"A sample of {named[0]}" if len(named) == 1 else "An anomaly"
        which = "An anomalous step" if kind == "series" else which
        return f"{which} seems more unusual than a regular one with probability {written}, in {rows}{sure}."
    if name == "draws_coverage":
        return f"Of {rows}, {written} have a draw of the network among their nearest neighbours{sure}."
    if name == "nats_per_sample":
        what = "window" if kind == "series" else "sample"
        return f"The network needs at most {written} nats to describe a {what}, in {rows}{sure}."
    if name == "r2":
        error = f" On average it is {measured('mae', metrics['mae'])[0]} off." if "mae" in metrics else ""
        part = percent(value) if value > 0 else "none"
        return f"The network explains {part} of the variance of {run.target} in {rows}: R² {written}{sure}.{error}"
    if name == "average_precision" and len(run.classes) == 2:
        rare = f" ‘{run.classes[1]}’ is rare, so this is judged by precision and recall, not by accuracy."
        return f"The network finds ‘{run.classes[1]}’ with an average precision of {written} in {rows}{sure}.{rare}"
    return f"The network has {a(metric_name(name))} of {written} in {rows}{sure}."


def _against(run: RunFiles, name: str, value: float, interval: list[float] | None) -> tuple[str, Standing]:
    known = [each for each in run.baselines if name in (each.get("metrics") or {})]
    if not known and run.task == "unsupervised" and run.baselines:
        return _by_variance(run), "alone"
    if not known:
        why = "were refused or had no time" if run.baselines else "were not run"
        return f"Baselines {why}, so it is not known whether something simpler does as well.", "alone"
    sign = 1 if higher_is_better(name) else -1

    def gain(each: dict[str, Any]) -> float:
        return sign * each["metrics"][name]

    best = max(known, key=gain)
    theirs = measured(name, best["metrics"][name], interval)[0]
    low, high = sorted(sign * edge for edge in interval) if interval else (sign * value, sign * value)
    mine = sign * value
    told = f"The best baseline, {best['name']}, reaches {theirs}"
    floor = known[0] if known[0]["name"].startswith("always") else None
    both_perfect = sign > 0 and floor is not None and mine == gain(floor) == 1.0
    if floor is not None and mine <= gain(floor) and not both_perfect:
        said = measured(name, floor["metrics"][name], interval)[0]
        nothing = f"It has learnt nothing of use: “{floor['name']}” reaches {said}."
        return (nothing if best is floor else f"{nothing} {told}."), "useless"
    apart = (best.get("gain") or {}).get(name)
    if apart:
        return _paired(apart, mine - gain(best), told)
    if not interval and run.task == "forecast":
        short = "the test part is too short to say whether that is chance"
        if mine > gain(best):
            return f"Ahead of every baseline. {told}; {short}.", "ahead"
        return f"A simpler model is ahead. {told}; {short}.", "behind"
    if gain(best) > high:
        return f"A simpler model is better. {told}. Prefer it, or train this network further.", "worse"
    if gain(best) > mine:
        unsure = "but that lies within the interval, so these test rows do not settle it"
        return f"A simpler model is ahead. {told}; {unsure}.", "behind"
    if gain(best) == mine:
        return f"A simpler model does as well. {told}, the same.", "behind"
    if gain(best) >= low and interval:
        return f"Ahead of every baseline, but not clearly. {told}, within the interval.", "ahead"
    return f"It beats every baseline. {told}.", "better"


def _by_variance(run: RunFiles) -> str:
    """Of a net that is judged by what no simpler model has: how both rebuild, where both do."""
    told = "No simpler model here has a figure of that kind, so it is not known whether one does as well."
    mine = run.metrics["metrics"].get("explained")
    theirs = [(each["metrics"]["explained"], each["name"]) for each in run.baselines if "explained" in each["metrics"]]
    if mine is None or not theirs:
        return told
    value, name = max(theirs)
    kept = percent(mine) if mine > 0 else "nothing"
    return f"{told} What it rebuilds keeps {kept} of the variance; that of {name}, {percent(value)}."


def _paired(apart: list[float], ahead: float, told: str) -> tuple[str, Standing]:
    """By the 95 % interval of how much better the net is than the best baseline on the same rows; ``ahead``: on all."""
    chance = "but compared row by row, that may be chance"
    if apart[0] > 0:
        return f"It beats every baseline. {told}; compared row by row, that is hardly chance.", "better"
    if apart[1] < 0:
        return f"A simpler model is better. {told}. Prefer it, or train this network further.", "worse"
    if ahead == 0:
        return f"A simpler model does as well. {told}, the same.", "behind"
    if ahead < 0:
        return f"A simpler model is ahead. {told}; {chance}.", "behind"
    return f"Ahead of every baseline, but not clearly. {told}; compared row by row, the lead may be chance.", "ahead"
