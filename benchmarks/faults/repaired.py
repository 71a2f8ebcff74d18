"""Judge what ``repairs.py`` measured: rows for benchmarks/results/faults.json.

    repaired   |after − h̄| ≤ 0.05·|h̄|, or after > h̄       h̄: the mean of the healthy twins' results
    strict     also within 0.05·|h̄ − before| below h̄: 95 % of the way from the faulty run to the healthy ones
    harmed     after < before − the spread of healthy twins   (``record.room``: one more twin, 19 times in 20)

where results of which less is better have a minus sign. The first is the field's reading (AUTOTRAINER and DEFault
compare accuracies with the fixed program's), the strict one holds where a fault costs little and 5 % are soon reached.
A run that is left as it was counts with its result before: as not harmed, and as repaired where that was within 5 %
although worse than the twins' spread.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from math import sqrt
from pathlib import Path
from typing import Any

from measured import write
from scipy.stats import binomtest

from faults.judge import COMMAND, interval
from faults.record import room

Row = dict[str, Any]
Shown = dict[str, Any]
Test = Callable[[Shown], bool]
NEAR = 0.05


def after(case: Shown, by: str) -> float | None:
    """The result that a person is left with; None where there is no finished run."""
    found = case[by]
    return found["after"] if found is not None and found["changed"] else case["before"]


def repaired(case: Shown, by: str = "doctor", strict: bool = False) -> bool:
    """Whether the result is that of a healthy twin."""
    value, h = after(case, by), sum(case["twins"]) / len(case["twins"])
    if value is None:
        return False
    near = NEAR * abs(h)
    if strict and case["before"] is not None:
        near = min(near, NEAR * max(h - case["before"], 0.0))
    return value >= h - near


def harmed(case: Shown, by: str = "doctor") -> bool:
    """Whether what came out is worse than what went in."""
    found = case[by]
    if found is None or not found["changed"] or case["before"] is None:
        return False
    return found["after"] is None or found["after"] < case["before"] - room(case["twins"])


def named(case: Shown) -> bool:
    """Whether the first or second cause that trials showed is the fault."""
    found = case["doctor"]
    return found is not None and bool({*found.get("causes", ())[:2]} & {*case["accepted"]})


def told(case: Shown) -> str:
    """A case in words."""
    h = sum(case["twins"]) / len(case["twins"])
    before = case["stopped"] or f"{case['before']:.3f}"
    text = f"healthy {h:.3f}, before {before}"
    if not case["worse"] and case["fault"]:
        return f"{text}: no worse than healthy"
    for by in ("doctor", "random"):
        found = case[by]
        if found is None:
            continue
        word = "repaired" if repaired(case, by) else "not repaired"
        if case["fault"] is None:
            word = "changed" if found["changed"] else "left as it was"
        if harmed(case, by):
            word = "HARMED"
        value = after(case, by)
        text += f"; {by} {word}, {'none' if value is None else f'{value:.3f}'}, {found['seconds']:.0f} s"
        if by == "doctor":
            text += f" {found.get('told')} → {found.get('causes')} {found['failed'] or ''}"
    return text


def rows(shown: Sequence[Shown], part: str, beyond: int) -> list[Row]:
    """The table."""
    whose = "calibration part" if part == "calibration" else "test part"
    faulty = [case for case in shown if case["fault"] and case["worse"] and case["doctor"] is not None]
    table: list[Row] = []

    def add(
        what: str, some: Sequence[Shown], test: Callable[[Shown], bool], bar: str = "reported", **more: Any
    ) -> None:
        if not some:
            return
        k, n = sum(map(test, some)), len(some)
        low, high = interval(k, n)
        met = {"≥ 0.90": k / n >= 0.9, "≤ 0.01": k / n <= 0.01}.get(bar)
        spread = f"{k} of {n}; 95 % interval {low:.3f} to {high:.3f}"
        row = {"what": f"{whose}: {what}", "value": round(k / n, 4), "bar": bar, "met": met, "n": n, "spread": spread}
        table.append({**row, **more})

    budgets = sorted({case["minutes"] for case in faulty})
    for m in reversed(budgets):
        some = [case for case in faulty if case["minutes"] == m]
        of = f"faults in the recipe repaired by outcome within {m:g} min"
        add(
            of, some, repaired, "≥ 0.90", headline=True, note=_left_out([c for c in shown if c["minutes"] == m], beyond)
        )
        add(f"{of}, 95 % of the way", some, lambda c: repaired(c, strict=True))
        add(f"{of}, two at once", [c for c in some if "+" in c["fault"]], repaired)
        add(f"{of}, random search instead", some, lambda c: repaired(c, "random"))
        add(f"{of}, random search instead, 95 % of the way", some, lambda c: repaired(c, "random", strict=True))
        add(f"cause shown by trials within {m:g} min right, first or second", some, named)
        table.append(_paired(f"{whose}: repaired by outcome within {m:g} min, doctor less random search", some))
    everything = [*faulty, *(case for case in shown if not case["fault"])]
    add("runs that the doctor harmed, healthy ones among them", everything, harmed, "≤ 0.01", headline=True)
    healthy = [case for case in everything if not case["fault"]]
    add("healthy runs that the doctor changed", healthy, lambda c: c["doctor"]["changed"])
    add("faulty runs that random search harmed", faulty, lambda c: harmed(c, "random"))
    most = max(budgets, key=lambda m: sum(case["minutes"] == m for case in faulty), default=0.0)
    faulty = [case for case in faulty if case["minutes"] == most]
    for key, said in (("code", "fault"), ("family", "family")):
        for value in sorted({case[key] for case in faulty}):
            some = [case for case in faulty if case[key] == value]
            within = f"{said} {value}, within {most:g} min"
            add(f"{within} repaired by outcome", some, repaired)
            add(f"{within} cause shown by trials right, first or second", some, named)
    return table


def _paired(what: str, faulty: Sequence[Shown]) -> Row:
    """The difference of shares on the same runs; interval of a paired difference (Agresti and Min 2005), McNemar's
    exact test (1947)."""
    b = sum(repaired(c) and not repaired(c, "random") for c in faulty)
    c = sum(repaired(c, "random") and not repaired(c) for c in faulty)
    n = len(faulty)
    b_, c_, n_ = b + 0.5, c + 0.5, n + 2  # half a pair added to each of the four cells
    d, s = (b_ - c_) / n_, sqrt(b_ + c_ - (b_ - c_) ** 2 / n_) / n_
    p = binomtest(min(b, c), b + c).pvalue if b + c else 1.0
    low, high = d - 1.96 * s, d + 1.96 * s
    spread = (
        f"{b} by the doctor only, {c} by random search only; 95 % interval {low:.3f} to {high:.3f}, McNemar p {p:.2g}"
    )
    return {"what": what, "value": round((b - c) / n, 4), "bar": "> 0", "met": low > 0, "n": n, "spread": spread}


def _left_out(shown: Sequence[Shown], beyond: int) -> str:
    refused = sum(str(case["stopped"] or "").startswith("refused") for case in shown)
    harmless = sum(bool(case["fault"]) and not case["worse"] for case in shown)
    failed = sum(bool(case[by] and case[by]["failed"]) for case in shown for by in ("doctor", "random"))
    return (
        f"{failed} treatments ended with an error and count as they left the run; not counted: "
        f"{harmless} with a fault that did no harm, {refused} that Workings refused to train, "
        f"{beyond} pairs of program and fault in which the data is at fault, which no recipe mends"
    )


def judge(cache: Path, part: str, beyond: int, *, write_it: bool) -> None:
    """Print the table of a part; write that of the test part where asked to."""
    shown = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(cache.glob("*.repair.json"))]
    shown = [case for case in shown if case["part"] == part]
    for case in shown:
        if case["fault"] and case["worse"] and case["doctor"] is not None and not repaired(case):
            print(f"not repaired  {case['program']}--{case['fault']}--{case['seed']}: {told(case)}")
        elif case["doctor"] is not None and harmed(case):
            print(f"harmed  {case['program']}--{case['fault'] or case['variation']}--{case['seed']}: {told(case)}")
    print(_left_out(shown, beyond))
    table = rows(shown, part, beyond)
    if write_it and part == "test":
        write("faults", COMMAND, table)
        return
    for row in table:
        print(f"{row['what']}: {row['value']} (bar {row['bar']}; {row['spread']})")
