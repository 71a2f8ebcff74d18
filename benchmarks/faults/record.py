"""Record what the watcher sees of healthy and of faulty runs, one file a run.

python benchmarks/faults/record.py --cache FOLDER [--part calibration|test|published] [--jobs 1] [--minutes M]

What is there is not made again. The order makes any beginning useful: every program healthy, then every fault once
among healthy variations, then double faults, then more seeds. Files are gzip JSON; findings are functions of the
``history`` in them:

    {"program", "part", "family", "kind", "door", "fault": name or null, "faults": [code…], "accepted": [code…],
     "variation", "seed", "metric", "value", "twin_metric", "worse", "stopped", "history"}

``worse``: the held-out result lies below the prediction interval of a healthy run, from the healthy runs of the
program with nothing varied (95 %, Student's t).
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from itertools import zip_longest
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")
if not __package__:
    sys.path[0] = str(Path(__file__).parent.parent)

from faults.program import Program, run
from faults.programs import PROGRAMS
from faults.published import loops, outputs, training
from faults.recipe import NotRun, Recipe
from faults.seeded import FAULTS, pairs, put
from faults.variations import VARIATIONS

TWINS = 5  # healthy runs of each program, seeds 0 to 4
SEEDS = 3  # of each fault
CASES = {case.name: case for case in (*outputs.CASES, *training.CASES, *loops.CASES)}
EVERY = {p.name: p for p in (*PROGRAMS, *(case.program for case in CASES.values()))}
T = {2: 4.303, 3: 3.182, 4: 2.776, 5: 2.571, 6: 2.447}  # 97.5 % of Student's t by degrees of freedom
LEAST = 0.01  # of the result's own size: less is not worse, however close the twins are


@dataclass(frozen=True)
class Task:
    """One run. faults: their names."""

    program: str
    faults: tuple[str, ...]
    variation: str | None
    seed: int

    @property
    def file(self) -> str:
        """The name of its file."""
        return f"{self.program}--{'+'.join(self.faults) or self.variation or 'healthy'}--{self.seed}.json.gz"


def tasks(part: str | None) -> Iterator[Task]:
    """All runs, in the order in which they are most useful."""
    programs = [p for p in PROGRAMS if part in (None, p.part)]
    cases = [case for case in CASES.values() if part in (None, "published")]
    for seed in range(TWINS):
        yield from (Task(p.name, (), None, seed) for p in programs)
    once = list(_faulty(programs, 0))
    varied = [
        Task(p.name, (), name, 10 + i)
        for i, (name, vary) in enumerate(VARIATIONS.items())
        for p in programs
        if vary(p) is not None
    ]
    yield from (task for group in zip_longest(once[::2], once[1::2], varied) for task in group if task is not None)
    for p in programs:
        yield from (Task(p.name, tuple(f.name for f in pair), None, 0) for pair in pairs(p))
    for seed in range(1, SEEDS):
        yield from _faulty(programs, seed)
    for seed in range(TWINS):
        yield from (Task(case.name, (), None, seed) for case in cases)
    for seed in range(SEEDS):
        yield from (Task(case.name, (case.fault.name,), None, seed) for case in cases)


def _faulty(programs: list[Program], seed: int) -> Iterator[Task]:
    """Every fault on one program, then every fault on the next: a beginning has all of them."""
    fits = [[Task(p.name, (fault.name,), None, seed) for p in programs if fault.put(p) is not None] for fault in FAULTS]
    turned = [runs[i % len(runs) :] + runs[: i % len(runs)] for i, runs in enumerate(fits) if runs]
    yield from (task for group in zip_longest(*turned) for task in group if task is not None)


def record(task: Task, cache: Path) -> str:
    """Do one run and write its file; what happened, in words."""
    program, case = EVERY[task.program], CASES.get(task.program)
    faults = [f for f in FAULTS if f.name in task.faults] if case is None else [case.fault] * len(task.faults)
    if task.variation:
        varied = VARIATIONS[task.variation](program)
        assert varied is not None
        setup = replace(program, setup=varied).setup
    else:
        found = put(program, *faults)
        assert found is not None
        setup = found
    value, metric, history, stopped = float("nan"), "", None, None
    try:
        result = run(setup, task.seed)
        value, metric, history = result.value, result.metric, result.history.to_dict()
    except NotRun as told:
        stopped, history = str(told), told.history and told.history.to_dict()
    twins = twin_values(cache, program)
    content = {
        "program": program.name,
        "part": program.part,
        "family": program.family,
        "kind": program.kind,
        "door": "train" if isinstance(program.setup, Recipe) else "watch",
        "fault": "+".join(task.faults) or None,
        "faults": [f.code for f in faults],
        "accepted": sorted({code for f in faults for code in (f.code, *f.also)}),
        "variation": task.variation,
        "seed": task.seed,
        "metric": metric,
        "value": value,
        "twin_metric": sum(twins) / len(twins) if twins else None,
        "worse": stopped is not None or (is_worse(value, twins) if twins else None),
        "stopped": stopped,
        "history": history,
    }
    held = cache / f".{task.file}.part"
    held.write_bytes(gzip.compress(json.dumps(content).encode(), 5))
    held.replace(cache / task.file)
    told = stopped or f"{metric} {value:.3f}, worse: {content['worse']}"
    return f"{task.file[:-8]}: {told}"


def twin_values(cache: Path, program: Program) -> list[float]:
    """The results of the program's healthy runs with nothing varied; empty while one of them is missing."""
    files = [cache / Task(program.name, (), None, seed).file for seed in range(TWINS)]
    return [_read(file)["value"] for file in files] if all(file.is_file() for file in files) else []


def _read(path: Path) -> dict[str, Any]:
    return json.loads(gzip.decompress(path.read_bytes()))


def room(twins: list[float]) -> float:
    """How far below the twins' mean another healthy run may lie, 19 times in 20; at least a hundredth of the mean."""
    n = len(twins)
    mean = sum(twins) / n
    s = (sum((v - mean) ** 2 for v in twins) / (n - 1)) ** 0.5
    return max(T[n - 1] * s * (1 + 1 / n) ** 0.5, LEAST * abs(mean))


def is_worse(value: float, twins: list[float]) -> bool:
    """Whether it lies below what another healthy run would give, 19 times in 20, and by more than a hundredth."""
    return not value >= sum(twins) / len(twins) - room(twins)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--part", choices=("calibration", "test", "published"))
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=1e9)
    given = parser.parse_args()
    given.cache.mkdir(parents=True, exist_ok=True)
    until = time.monotonic() + 60 * given.minutes
    todo = [task for task in tasks(given.part) if not (given.cache / task.file).is_file()]
    print(f"{len(todo)} runs to record", flush=True)
    if given.jobs == 1:
        for task in todo:
            if time.monotonic() > until:
                break
            print(record(task, given.cache), flush=True)
        return
    with ProcessPoolExecutor(given.jobs) as pool:
        for begin in range(0, len(todo), 8 * given.jobs):
            if time.monotonic() > until:
                break
            group = todo[begin : begin + 8 * given.jobs]
            for told in pool.map(record, group, [given.cache] * len(group)):
                print(told, flush=True)


if __name__ == "__main__":
    main()
