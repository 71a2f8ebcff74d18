"""Which cures are proved where time is short, and when a few seeds do."""

from __future__ import annotations

from pathlib import Path

from tests.doctor.make import finding

from workings.doctor.cures.cure import Cure
from workings.doctor.patient import open_patient
from workings.doctor.treating import FEWEST_SEEDS, finalists_of, treat
from workings.doctor.tried import Tried


def tried(name: str, cause: str, screened: float, seconds: float = 1.0) -> Tried:
    """A cure that did better in its first trial."""
    return Tried(Cure(name, cause, ""), 1, cause=cause, screened=screened, hopeful=True, seconds=seconds)


def test_the_best_of_each_cause_is_proved() -> None:
    """Three at most, the best first; what is not proved says why."""
    screened = {"a": ("p", 0.3), "b": ("p", 0.5), "c": ("q", 0.4), "d": ("r", 0.1), "e": ("s", 0.2)}
    some = [tried(name, *how) for name, how in screened.items()]
    assert [t.cure.name for t in finalists_of(some, 100.0)] == ["b", "c", "e"]
    assert some[0].note
    assert some[3].note


def test_what_would_not_be_proved_in_time_leaves_the_place_to_another() -> None:
    """However much it helped; of those that could be alone, as many as fit together; one is always tried."""
    some = [tried("slow", "p", 2.0, 9.0), tried("a", "q", 0.9, 2.0), tried("b", "r", 0.5, 2.0)]
    assert [t.cure.name for t in finalists_of(some, 5.0)] == ["a", "b"]
    assert "no time" in some[0].note
    assert [t.cure.name for t in finalists_of(some, 3.0)] == ["a"]
    assert [t.cure.name for t in finalists_of(some[:1], 3.0)] == ["slow"]


def test_where_the_first_seeds_leave_no_doubt_no_more_are_made(stopped: Path) -> None:
    """A run that blew up, and one that learns: three seeds prove it, beyond the interval of 99.8 %."""
    patient = open_patient(stopped, [finding("nonfinite")])
    cure = Cure("lower", "rate-too-high", "", {"learning_rate": 0.01, "weight_decay": 0.01})
    found = treat(patient, lambda recipe, _: [cure] if recipe is patient.recipe else [], 30.0)
    (only,) = found.accepted
    assert only.gain is not None
    assert only.gain.seeds == len(only.trials) == FEWEST_SEEDS
    assert only.gain.low > 0
