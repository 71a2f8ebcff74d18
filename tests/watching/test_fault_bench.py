"""The bench of faults is what it says: programs that train, faults that apply, a part that nobody tunes on."""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

BENCHMARKS = str(Path(__file__).parent.parent.parent / "benchmarks")


@pytest.fixture(scope="module")
def bench() -> Iterator[SimpleNamespace]:
    """The modules of the bench, which is no part of the package."""
    sys.path.insert(0, BENCHMARKS)
    try:
        from faults import judge, loop, program, programs, record, seeded  # pyright: ignore[reportMissingImports]

        yield SimpleNamespace(seeded=seeded, judge=judge, loop=loop, run=program.run, programs=programs, record=record)
    finally:
        sys.path.remove(BENCHMARKS)


def test_every_fault_and_every_family_is_in_both_parts(bench: SimpleNamespace) -> None:
    """What is calibrated is also tested, on other programs."""
    for fault in bench.seeded.FAULTS:
        parts = {p.part for p in bench.programs.PROGRAMS if fault.put(p) is not None}
        assert parts == {"calibration", "test"}, fault.name
    assert len({fault.code for fault in bench.seeded.FAULTS}) >= 25
    assert len({p.name for p in bench.programs.PROGRAMS}) == len(bench.programs.PROGRAMS) >= 20


def test_there_are_three_hundred_healthy_runs_and_two_faults_at_once(bench: SimpleNamespace) -> None:
    """What the issue asks for, counted from the list of runs; each has a file of its own."""
    tasks = [*bench.record.tasks("calibration"), *bench.record.tasks("test")]
    assert sum(not task.faults for task in tasks) >= 300
    assert any(len(task.faults) == 2 for task in tasks)
    assert len({task.file for task in tasks}) == len(tasks)
    assert len({task.program for task in bench.record.tasks("published")}) >= 40


def test_a_result_is_worse_only_beyond_the_spread_of_healthy_ones(bench: SimpleNamespace) -> None:
    """Student's t for one more run: mean 0.9, s 0.01, n 5 gives 0.9 − 2.776·0.01·√1.2 = 0.8696."""
    twins = [
        0.9 + 0.01 * z for z in (-1.2649110640673518, -0.6324555320336759, 0, 0.6324555320336759, 1.2649110640673518)
    ]
    assert not bench.record.is_worse(0.8700, twins)
    assert bench.record.is_worse(0.8690, twins)
    assert bench.record.is_worse(float("nan"), twins)
    assert not bench.record.is_worse(0.895, [0.9] * 5)  # equal twins: less than a hundredth is nothing


def test_the_intervals_are_those_of_clopper_and_pearson(bench: SimpleNamespace) -> None:
    """0 of 300 healthy runs bound the rate of alarms by 1 − 0.025^(1/300); 1 of 2 by hand."""
    assert bench.judge.interval(0, 300) == pytest.approx((0, 1 - 0.025 ** (1 / 300)))
    low, high = bench.judge.interval(1, 2)
    assert (low, high) == pytest.approx((1 - 0.975**0.5, 0.975**0.5))


def test_a_fault_changes_only_what_it_says(bench: SimpleNamespace) -> None:
    """The healthy program stays as it was, and the faulty one differs from it in the fault alone."""
    program = next(p for p in bench.programs.PROGRAMS if p.name == "mlp-digits")
    before = repr(program.setup)
    faulty = bench.seeded.put(program, bench.seeded.BY_NAME["rate-100"])
    assert repr(program.setup) == before
    assert replace(faulty, rate=program.setup.rate) == program.setup
    assert faulty.rate == pytest.approx(100 * program.setup.rate)


@pytest.mark.slow
def test_programs_train_with_and_without_faults(bench: SimpleNamespace) -> None:
    """A sample: one pass each, with a history; the same seed, the same result."""
    draw = random.Random(0)
    loops = [p for p in bench.programs.PROGRAMS if isinstance(p.setup, bench.loop.Loop)]
    for program in draw.sample(loops, 6):
        short = replace(program, setup=replace(program.setup, epochs=1))
        once, again = (bench.run(short.setup, 0) for _ in range(2))
        assert once.value == again.value
        assert once.history.of("loss")
    put = [(fault, setup) for fault in bench.seeded.FAULTS for p in loops if (setup := fault.put(p)) is not None]
    for fault, setup in draw.sample(put, 12):
        assert bench.run(replace(setup, epochs=1), 0).history.of("loss"), fault.name
