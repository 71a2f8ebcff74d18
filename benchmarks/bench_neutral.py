"""Watching changes nothing: every net of Workings in every lane, and foreign loops of every kind, with it and without.

    python benchmarks/bench_neutral.py [lanes] [loops]

Both trainings begin alike; one is looked at as often as can be. What they leave is compared bit for bit: weights,
buffers, gradients, the optimiser's memory, what the loop was told on the way, and where the generators of torch, NumPy
and Python stand. The nets and their samples are those of the tests (``tests/solutions/every_net.py``), so are the
foreign models and loops (``tests/watching``). Compiled lanes have a small net of each kind, as compiling takes long.
"""

from __future__ import annotations

import argparse
import sys
import time
import warnings
from collections.abc import Iterable
from functools import partial
from typing import Any

import torch
from measured import HERE, write

sys.path.insert(0, str(HERE.parent))  # nets, models and loops are the tests' own

from neutral_nets import ALL_THE_TIME, Case, cases_of, fit, lanes, left
from tests.watching.foreign_loops import WAYS, game, penalised
from tests.watching.foreign_models import MODELS, Model, Players
from tests.watching.same_bits import Run, same, with_and_without

Row = dict[str, Any]
Compared = tuple[str, bool, int]  # what, whether the bits are the same, looks taken
# What torch itself refuses, watched or not: tokens have no gradient, and fused attention has no second derivative.
WITHOUT_SECOND = ("causal attention", "heads")


def row(what: str, found: list[Compared]) -> Row:
    """How many of how many are the same; those that are not are named."""
    for name, equal, _ in found:
        if not equal:
            print(f"DIFFERENT: {what}: {name}", flush=True)
    k, n, looks = sum(equal for _, equal, _ in found), len(found), sum(looks for _, _, looks in found)
    spread = f"{looks:,} looks"
    return {"what": what, "value": f"{k} of {n}", "bar": "all", "met": k == n, "n": n, "spread": spread}


def of_net(case: Case, lane: str) -> Compared:
    """One net in one lane, with looks between all chunks of steps and without."""
    before = left(fit(case, lane, 0.0))
    watched = fit(case, lane, ALL_THE_TIME)
    after = left(watched)
    looks = 0 if watched.watched is None else watched.watched.budget.looks
    equal = before.keys() == after.keys() and all(same(before[name], after[name]) for name in before)
    return f"{case.id}, {lane}", equal and looks > 0, looks


def of_loop(name: str, make: Model, run: Run) -> Compared:
    """One foreign model in one loop."""
    plain, watched, watches, _ = with_and_without(make, run)
    looks = sum(watch.budget.looks for watch in watches)
    return name, same(plain, watched) and looks > 0, looks


def in_lanes() -> list[Row]:
    """A row for each kind of lane."""
    rows = []
    for lane in lanes():
        began = time.perf_counter()
        cases = cases_of(lane)
        found = [of_net(case, lane) for case in cases]
        nets = len({case.net for case in cases})
        rows.append(row(f"nets of Workings, lane {lane}, {nets} nets: bit-identical with watching", found))
        print(f"{lane}: {time.perf_counter() - began:.0f} s", flush=True)
    return rows


def in_loops() -> list[Row]:
    """A row for each way to train, over all models that it can train; and the games of two players."""
    rows = []
    for way, run in WAYS.items():
        models = [each for each in MODELS.items() if run is not penalised or each[0] not in WITHOUT_SECOND]
        found = [of_loop(name, make, run) for name, make in models]
        rows.append(row(f"PyTorch loops, {way}: bit-identical with watching", found))
    games = {"one watch": False, "two watches": True}
    found = [of_loop(name, Players, partial(game, apart=apart)) for name, apart in games.items()]
    return [
        *rows,
        row("PyTorch loops, a generator and a discriminator, two optimisers: bit-identical with watching", found),
    ]


def whole(rows: Iterable[Row]) -> Row:
    """All of them in one row."""
    told = [(int(each["value"].split()[0]), each["n"]) for each in rows]
    k, n = (sum(part) for part in zip(*told, strict=True))
    what = "neutrality: bit-identical, every family, every lane"
    return {"what": what, "value": f"{k} of {n}", "bar": "all", "met": k == n, "n": n, "headline": True}


def main() -> None:
    """Compare what is asked for, and write it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", default=[], help="lanes, loops; both where none is named")
    given = parser.parse_args().parts
    parts = {"lanes": in_lanes, "loops": in_loops}
    unknown = [each for each in given if each not in parts]
    if unknown:
        parser.error(f"there is no part called '{unknown[0]}'; there are lanes and loops")
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    rows = [each for name, part in parts.items() if not given or name in given for each in part()]
    write("neutral", "python benchmarks/bench_neutral.py", [*rows, *([] if given else [whole(rows)])])


if __name__ == "__main__":
    main()
