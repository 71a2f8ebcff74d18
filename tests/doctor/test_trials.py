"""Trials: the run again with one thing changed, on rows that are no test rows."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars
import pytest
import torch
from tests.doctor.make import QUICK, train, write_table

from workings import api
from workings.base.errors import UserError
from workings.doctor.patient import FOLDS, open_patient
from workings.doctor.trial import run_trial


def test_a_trial_with_nothing_changed_is_the_run(sound: Path) -> None:
    """Same rows, start, batches and random numbers: it ends at the validation loss that the run ended at."""
    patient = open_patient(sound)
    trial = run_trial(patient, patient.recipe, patient.recipe.seed)
    record = polars.read_parquet(sound / "record.parquet").filter(split="val", name="loss")
    assert trial.score == pytest.approx(record["value"].min(), rel=1e-6)
    assert trial.steps == record["step"].max()


def test_trials_of_one_seed_are_alike_but_for_what_is_changed(sound: Path) -> None:
    """The same trial gives the same bits; a placebo starts alike and sees its batches in another order."""
    patient = open_patient(sound)
    recipe = patient.recipe
    one, two = (run_trial(patient, recipe, 3) for _ in range(2))
    placebo = run_trial(patient, recipe, 3, placebo=True)
    assert one.score == two.score
    assert one.rows is not None
    assert two.rows is not None
    assert torch.equal(one.rows, two.rows)
    assert placebo.score != one.score
    assert placebo.steps == one.steps


def test_test_rows_are_untouched(table: Path, tmp_path: Path) -> None:
    """Where only the test rows of the data differ, trials give the same bits; and no part that judges holds one."""
    first = train(table, tmp_path / "first", learning_rate=0.02)
    tested = polars.read_parquet(first / "predictions.parquet")["row"].to_numpy() - 1
    frame = polars.read_csv(table)
    number = np.random.default_rng(1).normal(size=len(tested))
    values = frame["a"].to_numpy().copy()
    values[tested] = number.round(4)
    other = tmp_path / "other.csv"
    frame.with_columns(polars.Series("a", values)).write_csv(other)
    second = train(other, tmp_path / "second", learning_rate=0.02)
    assert api.open_run(first).metrics != api.open_run(second).metrics

    one, two = open_patient(first), open_patient(second)
    for fold in (None, 1):
        a, b = (run_trial(each, each.recipe, 4, fold=fold) for each in (one, two))
        assert a.score == b.score
    seen = set()
    for fold in range(FOLDS):
        rows, judges = one.sources(one.recipe, fold)
        assert not {*rows.rows, *judges.rows} & {*tested}
        assert not {*rows.rows} & {*judges.rows}
        assert not seen & {*judges.rows}
        seen |= {*judges.rows}
    assert len(seen) == len(frame) - len(tested)


def test_what_blows_up_counts_as_the_prior_alone(sound: Path) -> None:
    """Its net would be thrown away, so it is no worse than a constant answer, and says why it stopped."""
    patient = open_patient(sound)
    recipe = patient.recipe.model_copy(update={"learning_rate": 1e38, "optimiser": "sgd", "optimiser_settings": {}})
    trial = run_trial(patient, recipe, 0)
    prior = patient.prior(*patient.sources(recipe))
    assert prior is not None
    assert trial.score == float(prior.mean())
    assert "not finite" in trial.stopped


def test_without_validation_rows_some_training_rows_judge(table: Path, tmp_path: Path) -> None:
    """They are then not trained on; test rows stay aside."""
    run = train(table, tmp_path / "run", val_fraction=0.0)
    patient = open_patient(run)
    tested = {*(polars.read_parquet(run / "predictions.parquet")["row"].to_numpy() - 1)}
    assert "which no trial trained on" in patient.of
    assert not {*patient.data.train.rows} & {*patient.judges.rows}
    assert not ({*patient.data.train.rows} | {*patient.judges.rows}) & tested


def test_data_that_changed_is_refused(tmp_path: Path) -> None:
    """A trial on other data would say nothing of the run."""
    data = write_table(tmp_path / "t.csv", 60)
    run = train(data, tmp_path / "run")
    write_table(data, 61)
    with pytest.raises(UserError, match="not what it was"):
        open_patient(run)


def test_a_test_set_from_memory_leaves_trials_the_rows_of_the_run(table: Path, tmp_path: Path) -> None:
    """No fifth is set aside for a test that has rows of its own; a cure is refused until these are brought again."""
    frame = polars.read_csv(table)
    rows, test = frame[:250], frame[250:]
    settings = {"epochs": 2, **QUICK}
    run = api.train(rows, target="y", test=test, out=tmp_path / "run", settings=settings).path
    patient = open_patient(run, data=rows)
    assert len(patient.data.train) + len(patient.judges) == len(rows)
    with pytest.raises(UserError) as refused:
        api.examine(run, cure=True, data=rows)
    assert [problem.code for problem in refused.value.problems] == ["no-test"]
