"""A run: a folder on disk with everything needed to predict, evaluate, report and go on training."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars
import torch
from torch import nn

from workings.base.errors import refuse
from workings.base.events import Emit, Phase, silent
from workings.base.form import Form
from workings.data import read_for
from workings.data.dataset import Dataset
from workings.data.opening import OnBad
from workings.data.schema import Schema, Task
from workings.nets import build, custom
from workings.runs.folder import load_weights, read_versioned
from workings.runs.recipe import Recipe, load_recipe
from workings.runs.work import work_of

if TYPE_CHECKING:
    from workings.runs.drawing import Drawn
    from workings.runs.rebuilding import Rebuilt


class Run:
    """A trained net with all that belongs to it.

    path: the folder. recipe: as run. task: what was learnt. net: in evaluation mode, with the kept weights.
    prep: the preparation of inputs. metrics: on the test rows, as in ``metrics.json``.
    """

    def __init__(self, path: Path, recipe: Recipe, schema: Schema, prep: Any, net: nn.Module) -> None:
        self.path = path
        self.recipe = recipe
        self.schema = schema
        self.prep = prep
        self.net = net

    def __repr__(self) -> str:
        return f"<Run {self.path}: {self.recipe.net}, {self.task.kind} of '{self.task.target}'>"

    @property
    def task(self) -> Task:
        """What was learnt."""
        prep = self.prep
        odd = getattr(prep, "anomalies", [])
        return Task(
            kind=prep.task_kind, target=prep.target, classes=prep.classes, reason="as in training", anomalies=odd
        )

    @property
    def metrics(self) -> dict[str, float]:
        """Metrics on the test rows, under scikit-learn's names."""
        return dict(self.result["metrics"])

    @property
    def result(self) -> dict[str, Any]:
        """The whole of ``metrics.json``: task, rows, metrics, intervals, how these were found."""
        return read_versioned(self.path / "metrics.json")

    def evaluate(
        self, data: object, metrics: Sequence[str] | None = None, emit: Emit = silent, on_bad_file: OnBad = "refuse"
    ) -> dict[str, Any]:
        """Metrics with 95 % intervals on labelled data: ``{task, rows, metrics, intervals, method, notes}``.

        Raises:
            UserError: data that does not fit the run, or a metric that the task does not have.
        """
        work = work_of(self.task.kind)
        for name in metrics or ():
            work.find_metric(self.task.kind, name)
        return work.evaluate(self, self._read(data, True, emit, on_bad_file), metrics, emit)

    def predict(self, data: object, emit: Emit = silent, on_bad_file: OnBad = "refuse") -> polars.DataFrame:
        """One row a sample: ``row`` (from 1), ``where``, ``prediction``; ``probability_<class>`` for classes."""
        return work_of(self.task.kind).predict(self, self._read(data, False, emit, on_bad_file), emit)

    def anomalies(
        self, data: object, false_alarms: float = 0.05, emit: Emit = silent, on_bad_file: OnBad = "refuse"
    ) -> polars.DataFrame:
        """One row a sample, of a series one a step: its score, the threshold, whether it is told; see
        :mod:`workings.runs.anomalies`.

        false_alarms: the share of regular samples that may be told.

        Raises:
            UserError: the run tells no anomalies; a rate finer than its regular samples can say; unfit data.
        """
        from workings.runs.anomalies import anomalies, threshold_for

        threshold = threshold_for(self, false_alarms, emit)
        return anomalies(self, self._read(data, False, emit, on_bad_file), threshold, emit)

    def translate(self, data: object, beams: int = 4, emit: Emit = silent) -> polars.DataFrame:
        """One row a text: ``source`` and ``prediction``. data: texts, a file of lines, or a table.

        beams: beginnings that the beam search follows; 1 takes the likeliest token at each step.

        Raises:
            UserError: the run learnt something else; data that cannot be read.
        """
        from workings.runs.translation import translated

        if self.task.kind != "translation":
            what = f"This run learnt a {self.task.kind} task; it cannot translate."
            raise refuse("not-a-translation", what, do="Use predict, forecast or generate, as the run's task is.")
        texts = [data] if isinstance(data, str) and not Path(data).is_file() else data
        return translated(self, self._read(texts, False, emit, "refuse"), beams, emit)

    def forecast(self, horizon: int | None = None, data: object = None, emit: Emit = silent) -> polars.DataFrame:
        """The next values after the end of ``data``, or of the data trained on; see :mod:`workings.runs.forecast`.

        Raises:
            UserError: the run learnt something else; data that is gone or does not fit.
        """
        from workings.runs.forecast import forecast

        return forecast(self, horizon, data, emit)

    def generate(
        self,
        prompt: str = "",
        *,
        length: int = 500,
        temperature: float = 0.8,
        top_k: int | None = None,
        top_p: float | None = None,
        seed: int = 0,
        samples: int = 1,
        emit: Emit = silent,
    ) -> list[str]:
        """Texts of ``length`` tokens that a language model writes after ``prompt``, one for each of ``samples``.

        temperature: below 1 the likely becomes likelier; 0 takes the likeliest always. top_k, top_p: only the k
        likeliest tokens, or the fewest with probability p together, may come. The same seed writes the same.

        Raises:
            UserError: the run is no language model, or values that cannot be.
        """
        from workings.runs.language import generate

        how = {"temperature": temperature, "top_k": top_k, "top_p": top_p}
        return generate(self, prompt, length=length, seed=seed, samples=samples, emit=emit, **how)  # type: ignore[arg-type]

    def draw(self, samples: int = 16, seed: int = 0, emit: Emit = silent) -> Drawn:
        """New samples by a net that draws: ``.x`` as it sees them, ``.pixels()`` of images, ``.rows()`` of a table.

        Raises:
            UserError: the net draws none, or values that cannot be.
        """
        from workings.runs import drawing

        return drawing.draw(self, samples, seed, emit)

    def vary(self, around: object, spread: float = 0.5, samples: int = 16, seed: int = 0, emit: Emit = silent) -> Drawn:
        """Variations round one sample, by a net with a code: noise is added to its code, and the sum decoded.

        around: data with one sample; ``"FILE:17"`` for the 17th of many; ``17`` for that of the data trained on.
        spread: of the noise; 1 is as wide as the codes of the training samples are spread.

        Raises:
            UserError: the net has no code; a sample that cannot be read; values that cannot be.
        """
        from workings.runs import drawing

        return drawing.vary(self, around, spread, samples, seed, emit)

    def between(self, a: object, b: object, steps: int = 9, emit: Emit = silent) -> Drawn:
        """The way from one sample to another in ``steps`` equal steps of the code, both ends included.

        a, b: as ``around`` of :meth:`vary`.

        Raises:
            UserError: as :meth:`vary`.
        """
        from workings.runs import drawing

        return drawing.between(self, a, b, steps, emit)

    def reconstruct(self, data: object, emit: Emit = silent, on_bad_file: OnBad = "refuse") -> Rebuilt:
        """Samples as the net rebuilds them: ``.table`` with the error of each, ``.x`` and ``.rebuilt``.

        Raises:
            UserError: the net rebuilds nothing, or data that does not fit the run.
        """
        from workings.runs import rebuilding

        return rebuilding.reconstruct(self, data, emit, on_bad_file)

    def _read(self, data: object, require_target: bool, emit: Emit, on_bad_file: OnBad) -> Dataset:
        emit(Phase("reading", "the data"))
        return read_for(self.prep, self.schema, data, require_target, on_bad_file=on_bad_file, emit=emit)


def open_run(path: str | os.PathLike[str], net: custom.Own | None = None) -> Run:
    """Open a run's folder. ``net``: the person's own module or its class, where it was trained with one from memory.

    Raises:
        UserError: no run there, or one that is damaged, unfinished or of a newer version.
    """
    folder = Path(path)
    if not folder.is_dir():
        raise refuse(
            "no-run", f"There is no run at '{folder}'.", do="Give the folder that `workings train` named at its end."
        )
    recipe = load_recipe(folder / "recipe.yaml")
    schema = Schema.model_validate(read_versioned(folder / "schema.json"))
    prep = load_preparation(read_versioned(folder / "prepare.json"), folder)
    description = read_versioned(folder / "net.json")
    if net is None:
        made = make_net(description)
    else:
        made = custom.made(net, description["shape"], description["outputs"], Form.of(description.get("form")))
    load_weights(folder / "weights.safetensors", made)
    made.eval()
    return Run(folder, recipe, schema, prep, made)


def load_preparation(content: Mapping[str, Any], folder: Path) -> Any:
    """The preparation of a run, of the kind that it says.

    Raises:
        UserError: it holds what no preparation does.
    """
    from pydantic import ValidationError

    from workings.data import read_preparation

    try:
        return read_preparation(dict(content))
    except ValidationError as error:
        raise refuse(
            "damaged-file",
            f"'{folder / 'prepare.json'}' is damaged: {error.error_count()} values are wrong or missing.",
            do="Train again; the file was changed.",
        ) from error


def make_net(description: Mapping[str, Any]) -> nn.Module:
    """The net that ``net.json`` describes, with fresh weights.

    Raises:
        UserError: it was a module from memory, or its file is gone.
    """
    shape, outs = tuple(description["shape"]), int(description["outputs"])
    if description.get("source"):
        return custom.load(description["source"], shape, outs, form=Form.of(description.get("form"))).net
    if description["name"] == "custom":
        raise refuse(
            "net-from-memory",
            f"This run was trained with a module from memory, {description['class']}; only its weights were saved.",
            do="Open it with that module: open_run(path, net=YourNet(...)), or train with net='file.py:YourNet'.",
        )
    with torch.random.fork_rng(devices=[]):
        return build(description["name"], shape, outs, Form.of(description.get("form")), **description["settings"])
