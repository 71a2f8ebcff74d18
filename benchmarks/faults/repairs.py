"""Measure what the doctor repairs, and what it harms, beside random search with the same minutes.

python benchmarks/faults/repairs.py --cache FOLDER [--part test|calibration] [--minutes M ...] [--jobs 1]
                                    [--judge] [--write]

Of each program that Workings trains itself, every seeded fault that a recipe can answer is put in and trained, alone
and in ``TOGETHER`` with another. Where the result on the test rows is worse than the healthy twins'
(``record.is_worse``), ``workings.examine(cure=True)`` has M minutes for it, and so has ``doctor.random_search``, which
is given no finding and no cause. Healthy runs are shown to the doctor too, with the most minutes. Test rows score what
comes out; no trial sees them. One JSON file for a case and M, beside the healthy twins of
``record.py``, which are recorded here where they are missing; what is there is not made again. ``--judge`` only judges.

Minutes are of the process's own time on one core, so that other work on the machine takes none of them away.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")
if not __package__:
    sys.path[0] = str(Path(__file__).parent.parent)

import workings
from faults import recipe as trained
from faults.program import Program
from faults.programs import PROGRAMS
from faults.recipe import NotRun, Recipe
from faults.record import TWINS, Task, is_worse, record, twin_values
from faults.repaired import judge, told
from faults.seeded import BY_NAME, FAULTS, pairs, put
from faults.variations import VARIATIONS
from workings.base.errors import NonFiniteError, UserError
from workings.base.events import silent
from workings.doctor.patient import open_patient
from workings.doctor.random_search import random_search
from workings.doctor.visit import examine, for_training

DATA = {"permuted-labels", "noisy-labels", "leak", "missing-cells", "lost-inputs", "unknown-words"}  # not repairable
HEALTHY = 10  # healthy runs of each program that the doctor is shown, besides its variations
EVERY = {p.name: p for p in PROGRAMS if isinstance(p.setup, Recipe)}
MINUTES = (0.25, 0.5)
TOGETHER = [  # two faults at once, both in the recipe
    ("rate-thousandth", "decay-0.3"),
    ("rate-100", "zero-start"),
    ("narrow", "rate-fiftieth"),
    ("dropout-0.95", "rate-fiftieth"),
    ("deep-sigmoid", "rate-thousandth"),
    ("narrow", "decay-0.3"),
    ("heavy-kl", "rate-fiftieth"),
    ("zero-start", "dropout-0.95"),
    ("no-activation", "rate-20"),
    ("tiny-batches", "decay-0.3"),
    ("few-of-half", "dropout-0.95"),
]


@dataclass(frozen=True)
class Case:
    """One run that is shown to the doctor for so many minutes; faults and variation: their names."""

    program: str
    faults: tuple[str, ...]
    variation: str | None
    seed: int
    minutes: float

    @property
    def file(self) -> str:
        """The name of its file."""
        what = "+".join(self.faults) or self.variation or "healthy"
        return f"{self.program}--{what}--{self.seed}--{self.minutes:g}.repair.json"

    @property
    def setup(self) -> Recipe:
        """The program with what makes this case."""
        program = EVERY[self.program]
        made = program.setup
        if self.faults:
            made = put(program, *(BY_NAME[name] for name in self.faults))
        elif self.variation is not None:
            made = VARIATIONS[self.variation](program)
        assert isinstance(made, Recipe)
        return made


def cases(part: str, minutes: Sequence[float] = MINUTES, seeds: int = 1) -> Iterator[Case]:
    """All cases of a part: a beginning holds every program and every fault; healthy runs come last."""
    programs = [p for p in EVERY.values() if p.part == part]
    for seed in range(seeds):
        for m in minutes:
            fits = [[Case(p.name, (f.name,), None, seed, m) for p in programs if f.put(p) is not None] for f in FAULTS]
            turned = [runs[i % len(runs) :] + runs[: i % len(runs)] for i, runs in enumerate(fits) if runs]
            faulty = (case for group in zip_longest(*turned) for case in group if case is not None)
            yield from (case for case in faulty if not {*case.faults} & DATA)
            yield from (Case(p.name, two, None, seed, m) for two in TOGETHER for p in programs if pairs(p, [two]))
    for seed in range(HEALTHY):
        yield from (Case(p.name, (), None, seed, max(minutes)) for p in programs)
    for i, (name, vary) in enumerate(VARIATIONS.items()):
        yield from (Case(p.name, (), name, 10 + i, max(minutes)) for p in programs if vary(p) is not None)


def beyond_a_recipe(part: str) -> int:
    """How many single faults of a part lie in its data, so that no recipe can mend them."""
    programs = [p for p in EVERY.values() if p.part == part]
    return sum(BY_NAME[name].put(p) is not None for name in DATA for p in programs)


def show(case: Case, cache: Path) -> str:
    """Train a case, treat it, write its file; what happened, in words."""
    program = EVERY[case.program]
    for seed in range(TWINS):
        twin = Task(program.name, (), None, seed)
        if not (cache / twin.file).is_file():
            record(twin, cache)
    with tempfile.TemporaryDirectory() as folder:
        content = _shown(case, program, twin_values(cache, program), Path(folder))
    held = cache / f".{case.file}.part"
    held.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    held.replace(cache / case.file)
    return f"{case.file.removesuffix('.repair.json')}: {told(content)}"


def _shown(case: Case, program: Program, twins: list[float], folder: Path) -> dict[str, Any]:
    setup = case.setup
    given = trained.brought(setup, case.seed, folder)
    faults = [BY_NAME[name] for name in case.faults]
    content: dict[str, Any] = {
        "program": program.name,
        "part": program.part,
        "family": program.family,
        "fault": "+".join(case.faults) or None,
        "code": " and ".join(fault.code for fault in faults) or None,
        "accepted": sorted({code for fault in faults for code in (fault.code, *fault.also)}),
        "variation": case.variation,
        "seed": case.seed,
        "minutes": case.minutes,
        "metric": setup.metric,
        "twins": twins,
        "before": None,
        "stopped": None,
        "doctor": None,
        "random": None,
    }
    began = time.perf_counter()
    try:
        content["before"] = trained.train(setup, case.seed, given, folder / "run").value
    except NotRun as stop:
        content["stopped"] = str(stop)
    content["seconds"] = round(time.perf_counter() - began, 2)
    content["worse"] = content["before"] is None or is_worse(content["before"], twins)
    if (folder / "run" / "recipe.yaml").is_file() and (content["worse"] or not faults):
        content["doctor"] = _doctor(setup, given, folder, case.minutes)
        if faults:
            content["random"] = _random(setup, case.seed, given, folder, case.minutes)
    return content


def _doctor(setup: Recipe, given: dict[str, Any], folder: Path, minutes: float) -> dict[str, Any]:
    """What the doctor makes of the run. after: None where nothing was changed, or the new run stopped."""
    began = time.perf_counter()
    found: dict[str, Any] = {"changed": False, "after": None, "failed": None}
    data, test = given["data"], given.get("test")
    try:
        d = workings.examine(folder / "run", minutes=minutes, cure=True, out=folder / "cured", data=data, test=test)
    except Exception as error:  # noqa: BLE001 - a crash is a result too, and is told
        found |= {"changed": isinstance(error, NonFiniteError), "failed": _failed(error)}
    else:
        found["told"] = [each.code for each in d.findings]
        found["causes"] = [each.code for each in d.causes if each.shown]
        if d.treatment is not None:
            found["share"], found["trials"] = d.treatment.share, d.treatment.trials
            found["out_of_time"] = d.treatment.out_of_time
            found["tried"] = [
                f"{t.round} {t.cure.name} ({t.cause}): {t.verdict}, {t.screened or 0:.4g}, {t.gain and t.gain.mean}"
                for t in d.treatment.tried
            ]
            found["measure"] = d.measure
        if d.new_run is not None:
            found["changed"] = True
            found["after"] = trained.value(setup, d.metrics["test"]["after"]["metrics"])
    return {**found, "seconds": round(time.perf_counter() - began, 2)}


def _random(setup: Recipe, seed: int, given: dict[str, Any], folder: Path, minutes: float) -> dict[str, Any]:
    """What random search makes of it, with the rows that judge and the rule of acceptance of the doctor."""
    began = time.perf_counter()
    found: dict[str, Any] = {"changed": False, "after": None, "failed": None}
    path = folder / "run"
    try:
        patient = open_patient(path, examine(path).findings, given["data"])
        treatment = random_search(patient, minutes, silent, seed)
        found["trials"] = treatment.trials
        if treatment.accepted:
            found["changed"] = True
            recipe = for_training(treatment.recipe, patient.recipe)
            run = workings.train(given["data"], test=given.get("test"), recipe=recipe, out=folder / "drawn")
            found["after"] = trained.value(setup, run.metrics)
    except Exception as error:  # noqa: BLE001 - as for the doctor
        found["failed"] = _failed(error)
    return {**found, "seconds": round(time.perf_counter() - began, 2)}


def _failed(error: Exception) -> str:
    if isinstance(error, NonFiniteError | UserError):
        return ", ".join(problem.code for problem in error.problems)
    return f"crashed: {type(error).__name__}: {error}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--part", choices=("calibration", "test"), default="test")
    parser.add_argument("--minutes", type=float, nargs="+", default=MINUTES, help="of each treatment")
    parser.add_argument("--seeds", type=int, default=1, help="of each fault")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--only", default="", help="cases whose names have this")
    parser.add_argument("--judge", action="store_true", help="judge what is there, and make nothing")
    parser.add_argument("--write", action="store_true", help="write the table of the test part")
    given = parser.parse_args()
    given.cache.mkdir(parents=True, exist_ok=True)
    time.perf_counter = time.process_time  # the clock of trials; processes that are forked for --jobs have it too
    if not given.judge:
        every = cases(given.part, given.minutes, given.seeds)
        todo = [case for case in every if given.only in case.file and not (given.cache / case.file).is_file()]
        print(f"{len(todo)} cases to do", flush=True)
        if given.jobs == 1:
            for case in todo:
                print(show(case, given.cache), flush=True)
        else:
            with ProcessPoolExecutor(given.jobs) as pool:
                for said in pool.map(show, todo, [given.cache] * len(todo)):
                    print(said, flush=True)
    judge(given.cache, given.part, beyond_a_recipe(given.part), write_it=given.write)


if __name__ == "__main__":
    main()
