"""Judge the findings by recorded runs: how many healthy ones alarm, how many faulty ones are found and named.

python benchmarks/faults/judge.py --cache FOLDER [--part test|published|calibration] [--write]

A run without a fault counts as healthy where its held-out result is not worse than the program's own spread; a run with
a fault counts where it is. What is left out by these two rules is told with its number. ``--write`` puts the table of
the test part, and of the published programs, into benchmarks/results/faults.json; the calibration part is only printed.
"""

from __future__ import annotations

import argparse
import gzip
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scipy.stats import beta

if not __package__:
    sys.path[0] = str(Path(__file__).parent.parent)

from measured import write

from faults.record import is_worse
from workings.watching.findings import look
from workings.watching.history import History

Row = dict[str, Any]
COMMAND = (
    "python benchmarks/faults/record.py --cache FOLDER; python benchmarks/faults/judge.py --cache FOLDER --part test "
    "--write (and --part published); python benchmarks/faults/repairs.py --cache FOLDER --write"
)
SILENT = (
    "no-zero-grad",
    "eval-forgotten",
    "train-forgotten",
    "not-in-optimiser",
    "detached",
    "double-softmax",
    "labels-shuffled",
    "no-shuffle",
    "loss-reduction",
)


@dataclass(frozen=True)
class Judged:
    """A recorded run and the codes that were told of it, in order. told is None where nothing was trained."""

    name: str
    run: dict[str, Any]
    told: tuple[str, ...] | None

    @property
    def faulty(self) -> bool:
        """Whether a fault was put in."""
        return bool(self.run["faults"])

    @property
    def refused(self) -> bool:
        """Whether Workings would not train it at all."""
        return str(self.run["stopped"] or "").startswith("refused")

    @property
    def counts(self) -> bool:
        """Whether the outcome says what was done to it: a fault hurts, and what has none does not."""
        return not self.refused and bool(self.run["worse"]) == self.faulty

    @property
    def found(self) -> bool:
        """Whether anything at all was told."""
        return bool(self.told)

    @property
    def named(self) -> bool:
        """Whether the first or the second code told is one of its faults."""
        return bool({*(self.told or ())[:2]} & {*self.run["accepted"]})


def read(cache: Path, part: str) -> Iterator[Judged]:
    """The recorded runs of a part, judged. A healthy run with nothing varied is held against the others like it."""
    runs = {path.name[:-8]: json.loads(gzip.decompress(path.read_bytes())) for path in sorted(cache.glob("*.json.gz"))}
    runs = {name: run for name, run in runs.items() if run["part"] == part}
    plain = {name: run for name, run in runs.items() if not run["faults"] and run["variation"] is None}
    for name, run in runs.items():
        if name in plain:
            others = [each["value"] for n, each in plain.items() if n != name and each["program"] == run["program"]]
            run["worse"] = len(others) >= 3 and is_worse(run["value"], others)
        if run["worse"] is None:
            continue  # recorded before the healthy runs of its program
        told: tuple[str, ...] | None = None
        if run["history"] is not None:
            told = tuple(finding.code for finding in look(History.from_dict(run["history"])))
        if str(run["stopped"]).startswith("stopped"):
            told = tuple(dict.fromkeys(("nonfinite", *(told or ()))))  # the run ends with a message that says so
        yield Judged(name, run, told)


def interval(k: int, n: int) -> tuple[float, float]:
    """The 95 % interval of k out of n (Clopper and Pearson 1934)."""
    low = 0.0 if k == 0 else float(beta.ppf(0.025, k, n - k + 1))
    return low, 1.0 if k == n else float(beta.ppf(0.975, k + 1, n - k))


def share(
    what: str, runs: Sequence[Judged], test: Callable[[Judged], bool], bar: str, met: Callable[..., bool] | None
) -> Row:
    """One row: the share of runs with a property, of how many, with its interval."""
    k, n = sum(test(run) for run in runs), len(runs)
    low, high = interval(k, n)
    return {
        "what": what,
        "value": round(k / n, 4),
        "bar": bar,
        "met": None if met is None else met(k / n, low, high),
        "n": n,
        "spread": f"{k} of {n}; 95 % interval {low:.3f} to {high:.3f}",
    }


def groups(runs: Sequence[Judged], of: Callable[[Judged], str]) -> dict[str, list[Judged]]:
    """Runs by a property, in its order."""
    found: dict[str, list[Judged]] = {}
    for run in runs:
        found.setdefault(of(run), []).append(run)
    return dict(sorted(found.items()))


def rows(runs: Sequence[Judged], part: str) -> list[Row]:
    """The table of a part."""
    healthy = [run for run in runs if run.counts and not run.faulty]
    faulty = [run for run in runs if run.counts and run.faulty]
    single = [run for run in faulty if len(run.run["faults"]) == 1]
    double = [run for run in faulty if len(run.run["faults"]) == 2]
    whose = {"published": "published programs", "calibration": "calibration part"}.get(part, "test part")
    table: list[Row] = []

    def add(
        what: str,
        some: Sequence[Judged],
        test: Callable[[Judged], bool],
        bar: str = "reported",
        met: Any = None,
        **more: Any,
    ) -> None:
        if some:
            table.append({**share(f"{whose}: {what}", some, test, bar, met), **more})

    add(
        "healthy runs with any alarm",
        healthy,
        lambda r: r.found,
        "≤ 0.01, upper bound ≤ 0.03",
        lambda v, low, high: v <= 0.01 and high <= 0.03,
        headline=True,
    )
    add("faulty runs found", faulty, lambda r: r.found, "≥ 0.95", lambda v, low, high: v >= 0.95, headline=True)
    add(
        "right code first or second", faulty, lambda r: r.named, "≥ 0.85", lambda v, low, high: v >= 0.85, headline=True
    )
    add("runs with two faults in which both are told", double, _both)
    for door in ("watch", "train"):
        name = {"watch": "loops of PyTorch", "train": "runs of Workings"}[door]
        add(f"{name}, healthy runs with any alarm", [r for r in healthy if r.run["door"] == door], lambda r: r.found)
        add(f"{name}, right code first or second", [r for r in faulty if r.run["door"] == door], lambda r: r.named)
    silent = [run for run in single if run.run["faults"][0] in SILENT and run.run["door"] == "watch"]
    add(
        "silent bugs of PyTorch loops found", silent, lambda r: r.found, "1", lambda v, low, high: v == 1, headline=True
    )
    add("silent bugs of PyTorch loops, right code first or second", silent, lambda r: r.named)
    for code, some in groups(single, lambda r: r.run["faults"][0]).items():
        add(f"fault {code}, right code first or second", some, lambda r: r.named)
    for family, some in groups(faulty, lambda r: r.run["family"]).items():
        add(f"family {family}, right code first or second", some, lambda r: r.named)
    return table


def _both(run: Judged) -> bool:
    return {*run.run["faults"]} <= {*(run.told or ())}


def alarms(runs: Sequence[Judged]) -> Iterator[str]:
    """What was told of each healthy run that alarms, and of each faulty one that was not named."""
    for run in runs:
        if run.counts and run.found and not run.faulty:
            yield f"alarm   {run.name}: {', '.join(run.told or ())}"
    for run in runs:
        if run.counts and run.faulty and not run.named:
            yield f"missed  {run.name} ({', '.join(run.run['faults'])}): {', '.join(run.told or ()) or 'nothing told'}"


def left_out(runs: Sequence[Judged]) -> str:
    """How many runs count for nothing, and why."""
    worse = sum(not run.faulty and bool(run.run["worse"]) for run in runs)
    harmless = sum(run.faulty and not run.refused and not run.run["worse"] for run in runs)
    refused = sum(run.refused for run in runs)
    return (
        f"{len(runs)} runs; not counted: {worse} without a fault that turned out worse than their program's spread, "
        f"{harmless} with a fault that did no harm, {refused} that Workings refused to train"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--part", choices=("calibration", "test", "published"), default="test")
    parser.add_argument("--write", action="store_true")
    given = parser.parse_args()
    runs = list(read(given.cache, given.part))
    if not runs:
        raise SystemExit(f"'{given.cache}' holds no runs of the part {given.part}; record them first (record.py).")
    print(*alarms(runs), left_out(runs), sep="\n")
    table = rows(runs, given.part)
    if given.write and given.part != "calibration":
        write("faults", COMMAND, table)
        return
    for row in table:
        print(f"{row['what']}: {row['value']} (bar {row['bar']}; {row['spread']})")


if __name__ == "__main__":
    main()
