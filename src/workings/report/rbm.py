"""What a report shows of a restricted Boltzmann machine: its weights as pictures, and its free energy over training."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import torch
from markupsafe import Markup
from torch import Tensor

from workings.base.events import Emit, Phase
from workings.data.images.picture import write_grid
from workings.data.images.sources import ImageSource
from workings.learning.unsupervised_scores import of_means
from workings.nets.rbm import RBM
from workings.report import figures
from workings.report.figures import Figure, drawn
from workings.report.reading import RunFiles
from workings.report.record import Record
from workings.report.sections import Section
from workings.report.words import number
from workings.runs.folder import read_versioned
from workings.runs.outcome import Outcome
from workings.runs.run import Run
from workings.runs.sweeping import each_of
from workings.runs.unsupervised import anomalous

VARIES = True  # hidden units are on or off: what each is on for says more than a little more or less of it
MOST_UNITS, COLUMNS = 96, 16


@torch.no_grad()
def look_further(run: Run, outcome: Outcome) -> None:
    """Write ``weights.png``, where the samples are images."""
    rbm, test = run.net, outcome.test
    if isinstance(rbm, RBM) and isinstance(test, ImageSource):
        pixels = (255 * weights_as_grey(rbm)).round().to(torch.uint8).numpy()
        rows = [pixels[start : start + COLUMNS] for start in range(0, len(pixels), COLUMNS)]
        (run.path / "pictures").mkdir(exist_ok=True)
        write_grid(rows, run.path / "pictures" / "weights.png", lead=False, tile=32)


def weights_as_grey(rbm: RBM) -> Tensor:
    """(units, C, height, width) in 0…1: the weights of the units whose weights are largest together, those first; of
    each unit 0.5 is 0, and 0 or 1 its largest weight."""
    W_HV = rbm.weight.detach()
    units = W_HV.norm(dim=1).argsort(descending=True, stable=True)[:MOST_UNITS]
    most_H1 = W_HV[units].abs().amax(1, keepdim=True).clamp(min=1e-12)
    return (0.5 + 0.5 * W_HV[units] / most_H1).unflatten(1, rbm.shape)


def baselines(run: Run, outcome: Outcome, emit: Emit) -> list[dict[str, Any]]:
    """What ``baselines.json`` holds beside the reconstructions of simple models: every unit by itself, as likely to be
    on as in the training samples; the likelihood is what the net's hidden units add to."""
    rbm, test = run.net, outcome.test
    if not isinstance(rbm, RBM):
        return []
    emit(Phase("comparing", "every unit by itself"))
    began = time.perf_counter()
    b_V = rbm.visible.bias_of(torch.tensor(read_versioned(run.path / "scores.json")["mean"]))
    A = rbm.visible.log_partition(b_V.double()[None])

    def log_p(x: Tensor) -> Tensor:
        v_BV = x.flatten(1).double()
        return v_BV @ b_V.double() - rbm.visible.own_energy(v_BV) - A

    odd = anomalous(run, test)
    value, _, _ = of_means("log_likelihood", each_of(rbm, test, log_p)[~odd if (~odd).any() else odd, 0])
    metrics = {"log_likelihood": value}
    if rbm.visible.kind == "binary":
        metrics["pseudo_log_likelihood"] = value
    return [{"name": "every unit by itself", "metrics": metrics, "seconds": time.perf_counter() - began, "note": ""}]


def sections(run: RunFiles) -> list[Section]:
    """See :class:`workings.report.sections.KindOfReport`."""
    found = []
    if picture := run.pictures.get("weights.png"):
        text = (
            "One picture for each hidden unit, those with the largest weights first. Bright pixels switch the unit on "
            "and are switched on by it, dark ones off; grey ones are nothing to it."
        )
        alt = "The weights of hidden units as grey pictures."
        body = Markup('<figure><figcaption><p>{}</p></figcaption><img class="pixels" alt="{}" src="{}"></figure>')
        lead = "What each hidden unit looks for in a sample."
        found.append(Section("weights", "The weights", lead, body.format(text, alt, picture)))
    if (figure := _free_energy(run)) is not None:
        lead = (
            "The free energy of a sample is −ln of its probability, but for a constant that all samples share. "
            "What counts is the gap between samples that were trained on and others."
        )
        body = Markup('<div class="charts single">{}</div>').format(drawn(figure))
        found.append(Section("free-energy", "Free energy", lead, body))
    return found


def _free_energy(run: RunFiles) -> Figure | None:
    record = Record(run)
    train, val = (record.line(split, "free_energy") for split in ("train", "val"))
    if len(train) < 2 or len(train) != len(val) or not np.isfinite([train[:, 1], val[:, 1]]).all():
        return None
    gap = val[:, 1] - train[:, 1]
    at = int(np.argmax(val[:, 0] == record.kept)) if record.kept in val[:, 0] else len(val) - 1
    figure = figures.curve("free_energy", {"train": train, "val": val}, (val[at, 0], val[at, 1]), "free-energy")
    text = (
        f"Validation samples lie {number(float(gap[0]), 3)} nats above training samples at the first look and "
        f"{number(float(gap[at]), 3)} at the weights that were kept. A gap that grows is what was learnt by heart."
    )
    return Figure("Training and validation samples", text, figure.svg, figure.key)
