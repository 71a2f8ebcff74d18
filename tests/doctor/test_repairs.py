"""The measure of repairs is what it says: repaired and harmed by outcome, on cases that a recipe can answer."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

BENCHMARKS = str(Path(__file__).parent.parent.parent / "benchmarks")
# Mean 0.8, s 0.00707: one more twin lies above 0.8 − 2.776·0.00707·√1.2 = 0.7785.
TWINS = [0.79, 0.80, 0.80, 0.80, 0.81]


@pytest.fixture(scope="module")
def bench() -> Iterator[SimpleNamespace]:
    """The modules of the bench, which is no part of the package."""
    sys.path.insert(0, BENCHMARKS)
    try:
        from faults import repaired, repairs  # pyright: ignore[reportMissingImports]

        yield SimpleNamespace(repaired=repaired, repairs=repairs)
    finally:
        sys.path.remove(BENCHMARKS)


def case(before: float | None, after: float | None, changed: bool = True, drawn: float | None = None) -> dict[str, Any]:
    """A case as ``repairs.py`` keeps it."""
    doctor = {"changed": changed, "after": after, "causes": ["rate-too-high"], "failed": None}
    random = {"changed": drawn is not None, "after": drawn, "failed": None}
    content = {"part": "test", "fault": "rate-20", "code": "rate-too-high", "family": "mlp", "minutes": 0.5}
    return content | {
        "twins": TWINS,
        "before": before,
        "stopped": None,
        "worse": True,
        "accepted": ["rate-too-high"],
        "doctor": doctor,
        "random": random,
    }


def test_repaired_is_within_a_twentieth_of_the_healthy_twins(bench: SimpleNamespace) -> None:
    """0.95·0.8 = 0.76; strictly, 95 % of the way from 0.7 to 0.8: 0.795. Less is better: the same below 0."""
    repaired = bench.repaired.repaired
    assert repaired(case(0.3, 0.761))
    assert not repaired(case(0.3, 0.759))
    assert repaired(case(0.3, 0.9)), "better than healthy is repaired too"
    assert repaired(case(0.7, 0.796), strict=True)
    assert not repaired(case(0.7, 0.794), strict=True)
    assert not repaired(case(None, None)), "a run that stopped and was left so"
    assert repaired(case(None, 0.77))
    perplexity = case(-90.0, -10.4) | {"twins": [-10.0] * 5}
    assert repaired(perplexity)
    assert not repaired(perplexity | {"doctor": {"changed": True, "after": -10.6}})


def test_harmed_is_worse_than_before_beyond_the_spread_of_twins(bench: SimpleNamespace) -> None:
    """The room is 0.0215; what is left as it was is never harmed, and a new run that stopped always is."""
    harmed = bench.repaired.harmed
    assert harmed(case(0.8, 0.778))
    assert not harmed(case(0.8, 0.779))
    assert harmed(case(0.8, None))
    assert not harmed(case(0.8, None, changed=False))
    assert not harmed(case(None, 0.1)), "there was no run before"


def test_the_doctor_is_held_against_random_search_in_pairs(bench: SimpleNamespace) -> None:
    """8 repaired by the doctor only, 1 by random search only, 1 by both: difference 0.7; McNemar's p is 20 of 512."""
    shown = [case(0.1, 0.8, drawn=0.2)] * 8 + [case(0.1, 0.2, drawn=0.8), case(0.1, 0.8, drawn=0.8)]
    rows = {row["what"]: row for row in bench.repaired.rows(shown, "test", 0)}
    row = rows["test part: repaired by outcome within 0.5 min, doctor less random search"]
    assert row["value"] == pytest.approx(0.7)
    assert "McNemar p 0.039" in row["spread"]
    assert rows["test part: faults in the recipe repaired by outcome within 0.5 min"]["value"] == 0.9


def test_cases_are_faults_of_recipes_and_healthy_runs_once_each(bench: SimpleNamespace) -> None:
    """No case of data that no recipe mends; both parts have faults and healthy runs, of their own programs."""
    parts = {part: list(bench.repairs.cases(part)) for part in ("calibration", "test")}
    for found in parts.values():
        assert len({each.file for each in found}) == len(found)
        assert not {name for each in found for name in each.faults} & bench.repairs.DATA
        for m in bench.repairs.MINUTES:
            assert sum(len(each.faults) == 1 and each.minutes == m for each in found) >= 40
            assert sum(len(each.faults) == 2 and each.minutes == m for each in found) >= 15
        assert sum(not each.faults for each in found) >= 40
        assert all(each.setup is not None for each in found)
    assert not {each.program for each in parts["test"]} & {each.program for each in parts["calibration"]}


@pytest.mark.slow
def test_a_case_is_trained_treated_and_kept(bench: SimpleNamespace, tmp_path: Path) -> None:
    """A rate that is a thousandth: the doctor's result on the test rows is kept beside random search's."""
    from faults.record import TWINS as SEEDS  # pyright: ignore[reportMissingImports]
    from faults.record import Task, record  # pyright: ignore[reportMissingImports]

    name = "workings-mlp-friedman"
    for seed in range(SEEDS):
        record(Task(name, (), None, seed), tmp_path)
    found = bench.repairs.Case(name, ("rate-thousandth",), None, 0, 0.2)
    bench.repairs.show(found, tmp_path)
    kept = bench.repairs.json.loads((tmp_path / found.file).read_text())
    assert kept["worse"]
    assert kept["doctor"]["after"] is None or kept["doctor"]["after"] > kept["before"]
    assert kept["random"]["seconds"] > 0
    bench.repaired.judge(tmp_path, "calibration", 0, write_it=False)
