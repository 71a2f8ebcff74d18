"""Cures are accepted when they help beyond their interval, and only then."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from tests.doctor.make import finding, train

from workings.base.events import Event, Phase
from workings.base.finding import Finding
from workings.doctor.case import case_of
from workings.doctor.causes import cures_for
from workings.doctor.cures.cure import Cure
from workings.doctor.diagnosis import causes_of
from workings.doctor.paired import gain
from workings.doctor.patient import Patient, open_patient
from workings.doctor.putting_back import culprits
from workings.doctor.treating import treat, verdict
from workings.doctor.trial import run_trial
from workings.doctor.tried import Treatment
from workings.doctor.ward import Ward
from workings.runs.recipe import Recipe

PLENTY = 30.0  # minutes: no test of these is ended by the clock


def some(patient: Patient, *names: str) -> Callable[[Recipe, Sequence[Finding]], list[Cure]]:
    """Cures of those names, in the order in which they come for the patient's findings; of the first round only."""

    def propose(recipe: Recipe, found: Sequence[Finding]) -> list[Cure]:
        if recipe is not patient.recipe:
            return []
        return [cure for cure in cures_for(patient.findings, case_of(patient, recipe)) if cure.name in names]

    return propose


def test_a_rate_that_is_too_high_is_cured_and_named(fast: Path) -> None:
    """At 300 times the rate the net learns nothing; of the cures that are tried a lower rate is accepted, and the
    cause is named by it."""
    patient = open_patient(fast, [finding("plateau")])
    said: list[str] = []

    def emit(event: Event) -> None:
        if isinstance(event, Phase):
            said.append(event.text)

    names = ("learning rate ÷ 100", "gradients clipped to norm 1", "leaky ReLU")
    found = treat(patient, some(patient, *names), PLENTY, emit)
    assert [each.cure.name for each in found.accepted] == ["learning rate ÷ 100"]
    assert found.recipe.learning_rate == 0.03
    assert found.whole is not None
    assert found.whole.low > 0
    assert found.share == 1
    causes, _ = causes_of(found, ["rate-too-high", "bad-start"])
    assert causes[0].code == "rate-too-high"
    assert causes[0].shown
    assert not causes[-1].shown
    assert any("learning rate ÷ 100" in text for text in said)


def test_what_harms_and_what_does_nothing_is_refused(sound: Path) -> None:
    """On a sound run neither a rate 100 times as high, nor one as low, nor clipping is accepted."""
    patient = open_patient(sound, [finding("rate-too-high"), finding("rate-too-low")])
    names = ("learning rate × 100", "learning rate ÷ 1000", "gradients clipped to norm 1")
    found = treat(patient, some(patient, *names), PLENTY)
    assert not found.accepted
    assert found.recipe == patient.recipe
    worse = {each.cure.name for each in found.tried if each.verdict in ("worse at first", "harmful")}
    assert worse >= {"learning rate ÷ 1000"}


def test_no_placebo_is_accepted_in_twenty_pairs(sound: Path) -> None:
    """Twenty pairs of the run and its placebo, alone in fives and all together."""
    patient = open_patient(sound)
    nothing = [run_trial(patient, patient.recipe, seed, fold=seed, share=0.4) for seed in range(1, 21)]
    placebo = [run_trial(patient, patient.recipe, seed, fold=seed, share=0.4, placebo=True) for seed in range(1, 21)]
    for some_ in (slice(0, 5), slice(5, 10), slice(10, 15), slice(15, 20), slice(0, 20)):
        over = gain(nothing[some_], placebo[some_], same_rows=False)
        assert verdict(over, over) == "no difference"


def test_what_cannot_be_applied_is_told(sound: Path) -> None:
    """A cure that the recipe refuses says why, and the others go on."""
    patient = open_patient(sound, [finding("plateau")])
    wrong = Cure("a batch of everything twice", "oscillating", "", {"batch_size": 10**6})
    names = Cure("no such net", "underfitting", "", {"epochs": -1.0})
    found: Treatment = treat(patient, lambda recipe, seen: [names, wrong], PLENTY)
    assert found.tried[0].verdict == "does not fit"
    assert "epochs" in found.tried[0].note


@pytest.mark.slow
def test_two_faults_at_once_are_both_named_by_putting_each_back(table: Path, tmp_path: Path) -> None:
    """With a rate that is too low and a penalty that is too strong, mending one alone does not help; deriving both
    does, and putting either back harms."""
    run = train(table, tmp_path / "run", learning_rate=3e-5, l2=5.0)
    patient = open_patient(run, [finding("plateau"), finding("underfitting")])
    ward = Ward(patient, 60 * PLENTY)
    found = treat(patient, some(patient, "everything from the data"), PLENTY, ward=ward)
    assert [each.cure.name for each in found.accepted] == ["everything from the data"]
    causes = culprits(ward, found, patient.recipe)
    assert {each.code for each in causes} >= {"rate-too-low", "over-regularised"}
    assert all(each.shown and each.gain is not None and each.gain.low > 0 for each in causes)
