"""Thresholds of the findings, from recorded runs of the calibration part.

    python benchmarks/faults/calibrate.py --cache FOLDER [--code CODE]

For every symptom: how many healthy runs it could be measured on; of the end of its interval that decides, the median,
the 90 and 99 % quantiles and the extreme over healthy runs, taken towards the bad side; the threshold in use, and one
that the healthy runs would give (``suggested``); how many healthy runs it alarms on, and how many of the faulty runs
that have its code, and any other fault, it finds. Below: healthy runs with any alarm, with the upper bound of Clopper
and Pearson; the alarms one by one; for each fault how often anything, and its own code, was told first or second.

Only runs of the calibration part are opened for their histories: programs of the test part are told apart by name.
"""

from __future__ import annotations

import argparse
import gzip
import json
import math
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import beta

from workings.watching.findings import look, symptoms
from workings.watching.findings.evidence import Symptom
from workings.watching.history import History


@dataclass(frozen=True)
class Recorded:
    """One run: its program, the codes of its faults (none: healthy) and those that are right answers, and whether it
    really is worse than its healthy twin."""

    name: str
    program: str
    faults: tuple[str, ...]
    accepted: frozenset[str]
    worse: bool
    history: History

    @property
    def healthy(self) -> bool:
        """Whether nothing was done to it."""
        return not self.faults


def read(cache: Path, part: str = "calibration") -> Iterator[Recorded]:
    """The recorded runs of one part."""
    for path in sorted(cache.rglob("*.json.gz")):
        with gzip.open(path, "rt", encoding="utf-8") as file:
            run: dict[str, Any] = json.load(file)
        if run["part"] != part or run.get("history") is None:
            continue
        faults = tuple(run.get("faults") or ([run["fault"]] if run.get("fault") else []))
        right = frozenset(run.get("accepted") or faults)
        yield Recorded(
            path.stem, run["program"], faults, right, bool(run.get("worse")), History.from_dict(run["history"])
        )


def decides(symptom: Symptom, history: History) -> float | None:
    """The end of the interval that must pass the threshold."""
    evidence = symptom.measure(history)
    if evidence is None:
        return None
    end = evidence.high if symptom.least else evidence.low
    return end if math.isfinite(end) else None


def suggested(values: Sequence[float], least: bool) -> float:
    """A threshold beyond all healthy values, by half the distance of the 90 % quantile to the extreme."""
    x = np.array(values) * (-1 if least else 1)
    top = float(x.max())
    threshold = top + 0.5 * max(top - float(np.quantile(x, 0.9)), 1e-3 * abs(top))
    return -threshold if least else threshold


def upper(k: int, n: int) -> float:
    """The upper end of the 95 % interval of k out of n (Clopper and Pearson 1934)."""
    return 1.0 if k == n else float(beta.ppf(0.975, k + 1, n - k))


def table(runs: Sequence[Recorded], code: str | None = None) -> Iterator[str]:
    """A line a symptom."""
    yield (
        f"{'code':21}{'statistic':41}{'n':>5}{'median':>10}{'90 %':>10}{'99 %':>10}{'extreme':>10}"
        f"{'in use':>10}{'suggest':>10}{'alarms':>7}{'found':>8}{'others':>8}"
    )
    for symptom in symptoms():
        if code is not None and symptom.code != code:
            continue
        healthy = [v for run in runs if run.healthy and (v := decides(symptom, run.history)) is not None]
        toward = [1 - q if symptom.least else q for q in (0.5, 0.9, 0.99, 1.0)]
        cells = [f"{v:10.3g}" for v in np.quantile(healthy, toward)] if healthy else [" " * 10] * 4
        own = [run for run in runs if symptom.code in run.faults]
        other = [run for run in runs if run.faults and symptom.code not in run.faults]
        alarms = sum(bool(symptom.look(run.history)) for run in runs if run.healthy)
        found, more = (sum(bool(symptom.look(run.history)) for run in group) for group in (own, other))
        wanted = f"{suggested(healthy, symptom.least):10.3g}" if healthy else " " * 10
        yield (
            f"{symptom.code:21}{symptom.statistic[:40]:41}{len(healthy):5}{''.join(cells)}{symptom.threshold:10.3g}"
            f"{wanted}{alarms:7}{found:4}/{len(own):<3}{more:4}/{len(other):<4}"
        )


def verdicts(runs: Sequence[Recorded]) -> Iterator[str]:
    """What all findings together say."""
    told = {run.name: [finding.code for finding in look(run.history)] for run in runs}
    healthy = [run for run in runs if run.healthy]
    alarmed = [run for run in healthy if told[run.name]]
    if healthy:
        k, n = len(alarmed), len(healthy)
        yield f"healthy runs with any alarm: {k} of {n} ({k / n:.1%}, at most {upper(k, n):.1%})"
    for run in alarmed:
        yield f"  {run.name}: {', '.join(told[run.name])}"
    for worse in (True, False):
        by_fault: dict[str, list[Recorded]] = defaultdict(list)
        for run in runs:
            if run.faults and run.worse == worse:
                by_fault["+".join(run.faults)].append(run)
        if by_fault:
            yield f"faulty runs that {'are' if worse else 'are not'} worse than their twins:"
        total = found = right = 0
        for fault, group in sorted(by_fault.items()):
            any_told = sum(bool(told[run.name]) for run in group)
            first_two = sum(bool(run.accepted.intersection(told[run.name][:2])) for run in group)
            total, found, right = total + len(group), found + any_told, right + first_two
            firsts = [told[run.name][0] if told[run.name] else "nothing" for run in group]
            often = ", ".join(f"{each} {firsts.count(each)}" for each in sorted(set(firsts), key=firsts.count)[::-1])
            yield f"  {fault:34}{any_told:4} of {len(group):<4}{first_two:4} right   first: {often}"
        if total:
            yield f"  {'all':34}{found:4} of {total:<4}{right:4} right"


def main() -> None:
    """Print both."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cache", type=Path, required=True, help="folder of recorded runs")
    parser.add_argument("--code", help="only this finding")
    given = parser.parse_args()
    runs = list(read(given.cache))
    if not runs:
        raise SystemExit(f"'{given.cache}' holds no runs of the calibration part.")
    print(*table(runs, given.code), sep="\n")
    if given.code is None:
        print(*verdicts(runs), sep="\n")


if __name__ == "__main__":
    main()
