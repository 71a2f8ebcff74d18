"""A run opened for trials: its recipe, its training rows, and rows to judge by that are no test rows.

At first trials use the run's own split and preparation, and are judged by its validation rows; where it has none, by a
fifth of the training rows, which no trial then trains on. A cure is proved with other seeds, and where there are few
rows with labels, on other rows too: training and validation rows together are cut into ``FOLDS`` parts, and with each
seed another part judges. So every row judges once, which shows smaller differences than the validation rows alone.
Tables are then prepared anew from the rows that are trained on; other kinds keep the run's preparation.

Test rows are not kept, so that nothing here can look at them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from workings.base.errors import refuse
from workings.base.events import Emit, silent
from workings.base.finding import Finding
from workings.data.dataset import Dataset
from workings.data.prepare import PrepareSettings
from workings.data.schema import TaskKind
from workings.data.source import Source
from workings.data.table import TableDataset
from workings.doctor.prior import LABELS, balanced_error_rows, loss_rows, prior_rows
from workings.learning.outputs import outputs
from workings.learning.quick import quick
from workings.nets.custom import Own
from workings.nets.vae import VariationalAutoencoder
from workings.runs import folder as files
from workings.runs.fit import Fit
from workings.runs.job import Job, Prepared
from workings.runs.preparing import open_data, prepare
from workings.runs.recipe import Recipe, load_recipe
from workings.runs.work import work_of

FOLDS = 5
ENOUGH = 2_000  # validation rows that show small differences by themselves
INNER = 5  # without validation rows, one in so many training rows judges
# What other tasks are judged by, where a look has it: the name, and whether more is better.
MEASURES = (("energy_distance", False), ("pseudo_log_likelihood", True), ("nats_per_token", False), ("mse", False))
WORDS = {
    "loss": "loss on held-out rows",
    "balanced error": "balanced error on held-out rows",
    "energy_distance": "energy distance of draws to held-out samples",
    "pseudo_log_likelihood": "less the pseudo-log-likelihood of held-out samples",
    "nats_per_token": "nats per token of held-out texts",
    "mse": "mean squared error on held-out windows",
}


@dataclass(frozen=True)
class Judged:
    """How well a net does on the rows that judge. score: lower is better. rows: (n,) whose mean it is, or None."""

    score: float
    rows: Tensor | None
    metrics: Mapping[str, float]


@dataclass
class Patient:
    """A run to be treated. ``recipe``: as it was run. ``judges``: the rows that judge.

    measure: what is compared, a name of ``WORDS``; lower is better.
    """

    path: Path
    recipe: Recipe
    dataset: Dataset
    data: Prepared
    judges: Source
    of: str
    measure: str = "loss"
    own: Own | None = None
    findings: Sequence[Finding] = ()
    untrained: float | None = None  # what its net scores before the first step, once it was looked at
    _prepared: dict[str, tuple[Source, Source]] = field(default_factory=dict)

    @property
    def task(self) -> TaskKind:
        """The kind of task."""
        return self.dataset.task.kind

    @property
    def folds(self) -> int:
        """Parts of the training and validation rows that judge in turn; 0 where the same rows always judge."""
        few = self.task in LABELS and len(self.judges) < ENOUGH
        return FOLDS if few and len(self.data.train) + len(self.judges) >= 4 * FOLDS else 0

    def sources(self, recipe: Recipe, fold: int | None = None) -> tuple[Source, Source]:
        """Training rows and rows that judge, prepared as ``recipe`` says; ``fold``: which part judges, None as run."""
        if fold is None and recipe.prepare == self.recipe.prepare:
            return self.data.train, self.judges
        key = repr((sorted(recipe.prepare.items()), fold))
        if key not in self._prepared:
            self._prepared[key] = self._cut(recipe, self.data.train.rows, self.judges.rows, fold)
        return self._prepared[key]

    def _cut(self, recipe: Recipe, train: np.ndarray, judges: np.ndarray, fold: int | None) -> tuple[Source, Source]:
        if fold is not None:
            dice = np.random.default_rng([self.recipe.seed, fold // FOLDS])  # other parts after every part has judged
            rows = dice.permutation(np.concatenate([train, judges]))
            part = np.arange(len(rows)) % FOLDS == fold % FOLDS
            train, judges = np.sort(rows[~part]), np.sort(rows[part])
        prep = self.data.prep
        if isinstance(self.dataset, TableDataset):
            prep = self.dataset.fit(train, PrepareSettings.model_validate(recipe.prepare))
        return self.dataset.source(prep, train), self.dataset.source(prep, judges)

    def prior(self, train: Source, judges: Source) -> Tensor | None:
        """What the prior alone scores on each row that judges, (n,); None where the task has none."""
        if self.task not in LABELS:
            return None
        y = judges.y
        if self.measure == "balanced error":  # whoever always says one class finds that class only
            classes = len(y.long().unique())
            return torch.full((len(y),), 1 - 1 / classes, dtype=torch.float64)
        return prior_rows(self.task, train.y, y)

    def judge(self, fit: Fit, judges: Source) -> Judged:
        """How well a fit's net does on the rows that judge, by a measure that does not depend on how it was trained."""
        if self.task in LABELS:
            stored = None if not fit.channels_last else _channels_last
            out = outputs(fit.net, judges, stored=stored)
            rows = (balanced_error_rows if self.measure == "balanced error" else loss_rows)(self.task, out, judges.y)
            return Judged(float(rows.mean()), rows, quick(self.task, out, judges.y))
        if isinstance(fit.net, VariationalAutoencoder):
            fit.net.beta = 1.0  # −ELBO is with β = 1, whatever was trained with
        found = work_of(self.task).quick(self.task, fit.net, judges, fit.loss, None)
        sign = -1 if dict(MEASURES).get(self.measure) else 1
        return Judged(sign * found[self.measure], None, found)


def _channels_last(x: Tensor) -> Tensor:
    from workings.learning.lanes import channels_last

    return channels_last(x)


def open_patient(
    path: Path, findings: Sequence[Finding] = (), data: object = None, net: Own | None = None, emit: Emit = silent
) -> Patient:
    """Open a run, finished or stopped, for trials.

    data: what it was trained on, where that came from memory; net: the person's own module, where that did.

    Raises:
        UserError: no run there; its data is gone, or is not what it was.
    """
    recipe = load_recipe(path / "recipe.yaml")
    if not (path / "prepare.json").is_file():
        raise refuse("not-a-run", f"'{path}' stopped before its data was prepared.", do="Train it again.")
    data = recipe.data if data is None else data
    if data is None:
        raise refuse(
            "no-data",
            "The run was trained on data from memory, which its folder does not hold.",
            why="A cause is shown by training again, which needs the data.",
            do="Call it from Python with the same data: workings.examine(RUN, data=…).",
        )
    if net is None and files.read_versioned(path / "net.json").get("name") == "custom" and recipe.net == "custom":
        raise refuse(
            "net-from-memory",
            "The run was trained with a module from memory, of which its folder holds the weights only.",
            do="Call it from Python with that module: workings.examine(RUN, net=…).",
        )
    # A test set of its own is not even read; a part that was set aside for testing stays aside.
    separate = files.read_versioned(path / "data_card.json")["split"]["separate_test"] is not None
    reading = recipe.model_copy(update={"test": None, "test_fraction": 0.0}) if separate else recipe
    job = Job(reading, emit, data, None, net, path, None)
    job.emit = silent  # what is noticed of the data was told when the run was made
    dataset = open_data(job)
    prepared = prepare(job, dataset)
    prepared.test = prepared.train  # never looked at
    judges, of = _judges(prepared, recipe, dataset)
    patient = Patient(path, recipe, dataset, prepared, judges, of, own=net, findings=findings)
    patient.measure = _measure(patient, {each.code for each in findings})
    return patient


def _judges(data: Prepared, recipe: Recipe, dataset: Dataset) -> tuple[Source, str]:
    if data.val is not None:
        return data.val, f"{len(data.val):,} validation rows"
    n = len(data.train)
    if n < 2 * INNER:
        raise refuse(
            "too-few-rows",
            f"The run has {n} training rows and no validation rows: too few to judge trials by.",
            do="Bring more rows.",
        )
    if dataset.task.kind not in (*LABELS, "unsupervised"):
        raise refuse(
            "no-validation-rows",
            f"The run has no validation rows, without which a {dataset.task.kind} task cannot be tried again.",
            do="Train it with val_fraction=0.1.",
        )
    kept = max(1, n // INNER)
    order = np.random.default_rng(recipe.seed).permutation(n)
    rows = data.train.rows
    data.train = dataset.source(data.prep, np.sort(rows[order[:-kept]]))
    judges = dataset.source(data.prep, np.sort(rows[order[-kept:]]))
    return judges, f"{kept:,} of the {n:,} training rows, which no trial trained on"


def _measure(patient: Patient, codes: set[str]) -> str:
    """By what trials are compared."""
    if patient.task in ("binary", "multiclass"):
        return "balanced error" if "imbalance" in codes else "loss"
    net, task = patient.recipe.net, patient.task
    if task == "translation":
        return "nats_per_token"
    if task == "forecast":
        return "mse"
    if net == "gan":
        return "energy_distance"
    if net in ("rbm", "dbn") and patient.recipe.monitor == "pseudo_log_likelihood":
        return "pseudo_log_likelihood"
    return "loss"
