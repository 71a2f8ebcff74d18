"""A visit to the doctor: a run's folder in, a diagnosis out.

Without minutes only what was seen while it trained is told, which takes no time. With minutes, the causes that may lie
behind it are told apart by trials.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars

from workings.base.errors import refuse
from workings.base.events import Emit, Phase, silent
from workings.base.finding import Finding
from workings.doctor.case import case_of
from workings.doctor.causes import candidates, cures_for
from workings.doctor.controls import controls, permuted_gain
from workings.doctor.cures.cure import Cure
from workings.doctor.diagnosis import Cause, Diagnosis, beyond, causes_of
from workings.doctor.of_run import watched
from workings.doctor.patient import Patient, open_patient
from workings.doctor.putting_back import culprits
from workings.doctor.random_search import draws
from workings.doctor.treating import treat
from workings.doctor.tried import Treatment
from workings.doctor.ward import Ward
from workings.nets.custom import Own
from workings.runs.folder import read_versioned, write_versioned
from workings.runs.recipe import Recipe, load_recipe
from workings.watching import findings as known

MINUTES = 5.0  # for trials, where nobody says
MISPAIRED = "labels-shuffled"
LEARNT = 0.8  # of the prior's loss


def examine(path: Path) -> Diagnosis:
    """What was seen of a run while it trained: findings, what may lie behind them, and what was looked for.

    Raises:
        UserError: no run there, or it was not watched.
    """
    history, cost = watched(path)
    found = known.look(history)
    causes, _ = causes_of(None, candidates(found, load_recipe(path / "recipe.yaml").net))
    return Diagnosis(str(path), found, known.codes(), cost, causes=causes, beyond=beyond(found))


def visit(
    path: Path, minutes: float, data: object = None, net: Own | None = None, emit: Emit = silent
) -> tuple[Diagnosis, Recipe | None]:
    """Tell the causes apart by trials within ``minutes``; the diagnosis, and the cured recipe where one was accepted.

    data, net: what the run was trained on and with, where these came from memory.

    Raises:
        UserError: as ``examine``; its data is gone, or is not what it was.
    """
    diagnosis = examine(path)
    diagnosis.minutes = minutes
    if diagnosis.healthy:
        return diagnosis, None
    emit(Phase("reading", "the data of the run"))
    patient = open_patient(path, diagnosis.findings, data, net, emit)
    recipe = treated(patient, diagnosis, minutes, emit)
    return diagnosis, None if recipe is None else for_training(recipe, patient.recipe)


def beside(path: Path) -> Path:
    """Where a cured run goes if nobody says."""
    return path.with_name(f"{path.name}-cured")


def refuse_place(path: Path) -> None:
    """Before any trial: a new run must have room.

    Raises:
        UserError: something is there already.
    """
    if path.is_file() or (path.is_dir() and any(path.iterdir())):
        what = f"'{path}' is already there."
        raise refuse("exists", what, why="Nothing is written over.", do="Give another folder with --out.")


def refuse_no_test(path: Path, test: object) -> None:
    """Before any trial: what a cured run will be tested on must be at hand.

    Raises:
        UserError: the run's own test set came from memory, and is not brought again.
    """
    card = read_versioned(path / "data_card.json") if (path / "data_card.json").is_file() else None
    if test is None and card is not None and card["split"]["separate_test"] is not None and card["test_path"] is None:
        raise refuse(
            "no-test",
            "The run was tested on a test set from memory, which its folder does not hold.",
            why="The cured run is tested on what the run itself was.",
            do="Call it from Python with the same test set: workings.examine(RUN, data=…, test=…, cure=True).",
        )


def for_training(recipe: Recipe, before: Recipe) -> Recipe:
    """The cured recipe for a whole training: which way to execute a step is fastest is measured anew."""
    if "lane" not in before.reasons:
        return recipe
    reasons = {name: why for name, why in recipe.reasons.items() if name != "lane"}
    return Recipe.model_validate({**recipe.model_dump(), "lane": "auto", "reasons": reasons})


def keep(path: Path, diagnosis: Diagnosis) -> None:
    """Write ``doctor.json`` into the run's folder, and what both runs come to into the diagnosis."""
    new = None if diagnosis.new_run is None else Path(diagnosis.new_run)
    diagnosis.metrics = {
        "validation": {"before": on_validation(path), "after": None if new is None else on_validation(new)},
        "test": {"before": on_test(path), "after": None if new is None else on_test(new)},
    }
    write_versioned(path / "doctor.json", diagnosis.to_dict())


def on_validation(path: Path) -> dict[str, float] | None:
    """The metrics of the kept weights on the validation rows, as the record has them; None where there are none."""
    if not (path / "record.parquet").is_file() or not (path / "metrics.json").is_file():
        return None
    step = read_versioned(path / "metrics.json").get("best_step")
    frame = polars.read_parquet(path / "record.parquet", glob=False).filter(polars.col("split") == "val")
    at = frame.filter(polars.col("step") == step) if step else frame
    last = (at if len(at) else frame).group_by("name", maintain_order=True).agg(polars.col("value").last())
    return {str(name): float(value) for name, value in last.iter_rows()} or None


def on_test(path: Path) -> dict[str, Any] | None:
    """The metrics on the test rows with their intervals; None of a run that stopped before its test."""
    if not (path / "metrics.json").is_file():
        return None
    found = read_versioned(path / "metrics.json")
    return {"metrics": found["metrics"], "intervals": found.get("intervals") or {}}


def treated(patient: Patient, diagnosis: Diagnosis, minutes: float, emit: Emit = silent) -> Recipe | None:
    """Fill the diagnosis with what trials say; the cured recipe, or None where no cure was accepted."""
    ward = Ward(patient, 60 * minutes, emit)

    def propose(recipe: Recipe, found: Sequence[Finding]) -> Sequence[Cure]:
        return cures_for(found, case_of(patient, recipe))

    codes = {each.code for each in patient.findings}
    ward.plan(len(propose(patient.recipe, list(patient.findings))))
    last = None if MISPAIRED in codes else draws(patient, patient.recipe.seed)
    treatment: Treatment = treat(patient, propose, minutes, emit, ward, last)
    mispaired = _mispaired(ward) if MISPAIRED in codes and not _learns(ward, treatment) else None
    causes, diagnosis.apart = causes_of(treatment, candidates(patient.findings, patient.recipe.net))
    at_fault = culprits(ward, treatment, patient.recipe)
    if at_fault:
        codes = {each.code for each in at_fault}
        causes, diagnosis.apart = [*at_fault, *(each for each in causes if each.code not in codes)], True
    diagnosis.controls = controls(ward)  # last: where time is short, what cures goes first
    if mispaired is not None:
        causes = [mispaired, *(each for each in causes if each.code != MISPAIRED)]
    diagnosis.causes, diagnosis.treatment = causes, treatment
    diagnosis.measure, diagnosis.on = patient.measure, _judged_on(patient)
    return treatment.recipe if treatment.accepted else None


def _judged_on(patient: Patient) -> str:
    if not patient.folds:
        return patient.of
    n = len(patient.data.train) + len(patient.judges)
    return f"{n:,} training and validation rows in {patient.folds} parts, another part with each seed"


def _learns(ward: Ward, treatment: Treatment) -> bool:
    """Whether the cured net does clearly better than the prior: then inputs and labels do belong together."""
    prior = ward.patient.prior(ward.patient.data.train, ward.patient.judges)
    gain = treatment.accepted[-1].gain if treatment.accepted else None
    return prior is not None and gain is not None and gain.after < LEARNT * float(prior.mean())


def _mispaired(ward: Ward) -> Cause | None:
    """Inputs and labels do not belong together: shown where permuting the labels takes nothing away."""
    gain = permuted_gain(ward)
    if gain is None or gain.better:
        return None
    said = "inputs and labels do not belong together: with its labels permuted the net does no worse"
    do = "Pair every row with its own label again; look where rows or labels were sorted alone."
    return Cause(MISPAIRED, said, gain.seeds > 1, "labels permuted", gain, do)
