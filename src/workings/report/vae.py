"""What a report shows of a variational autoencoder: what each unit of the code changes."""

from __future__ import annotations

import numpy as np
import polars
import torch
from markupsafe import Markup
from torch import Tensor

from workings.data.images.picture import write_grid
from workings.data.images.sources import ImageSource
from workings.nets.vae import VariationalAutoencoder
from workings.report.reading import RunFiles, read_parquet
from workings.report.sections import Section
from workings.report.unsupervised_pictures import TILE
from workings.runs.measure_vae import ACTIVE
from workings.runs.outcome import Outcome
from workings.runs.run import Run
from workings.runs.unsupervised import anomalous

VARIES = True
MOST_UNITS = 8
REACH, STEPS = 3.0, 11  # a unit goes from −REACH to REACH, where 997 of 1,000 codes of the prior lie


@torch.no_grad()
def look_further(run: Run, outcome: Outcome) -> None:
    """Write ``traversal.png``, where the samples are images."""
    net, test = run.net, outcome.test
    if not isinstance(net, VariationalAutoencoder) or not isinstance(test, ImageSource):
        return
    units = active_units(read_parquet(run.path / "predictions.parquet"))
    regular = np.flatnonzero(~anomalous(run, test))
    if units and len(regular):
        one = int(np.random.default_rng(0).permutation(regular)[0])
        rows = list(_traversal(net, test.x(torch.tensor([one])), test, [j for j, _ in units]))
        write_grid(rows, run.path / "pictures" / "traversal.png", lead=False, tile=TILE)


def active_units(frame: polars.DataFrame) -> list[tuple[int, float]]:
    """The most active units, from 0, and the variance of their means over the test samples; the most active first."""
    code = frame.select([name for name in frame.columns if name[0] == "z" and name[1:].isdigit()]).to_numpy()
    if len(code) < 2:
        return []
    variance = code.var(0, ddof=1)
    order = np.argsort(-variance, kind="stable")[:MOST_UNITS]
    return [(int(j), float(variance[j])) for j in order if variance[j] > ACTIVE]


@torch.no_grad()
def _traversal(net: VariationalAutoencoder, x: Tensor, test: ImageSource, units: list[int]) -> np.ndarray:
    """(units, STEPS, C, H, W): the code of x (1, C, H, W), with one unit at a time set from −REACH to REACH."""
    z_kd = net.encode(x).repeat(len(units) * STEPS, 1)
    steps = torch.linspace(-REACH, REACH, STEPS)
    for row, j in enumerate(units):
        z_kd[row * STEPS : (row + 1) * STEPS, j] = steps
    return test.to_pixels(net.decode(z_kd)).reshape(len(units), STEPS, *test.shape)


def sections(run: RunFiles) -> list[Section]:
    """See :class:`workings.report.sections.KindOfReport`."""
    found = []
    units = active_units(run.told) if run.told is not None else []
    if "traversal.png" in run.pictures and units:
        names = ", ".join(f"z{j + 1}" for j, _ in units)
        lead = (
            f"One test sample's code, with one unit at a time set from −{REACH:g} on the left to {REACH:g} on the "
            f"right. Rows, the most active unit first: {names}."
        )
        alt = f"A row of {STEPS} pictures for each of the units {names}."
        found.append(Section("traversal", "What the units change", lead, _picture(run, "traversal.png", alt)))
    return found


def _picture(run: RunFiles, name: str, alt: str) -> Markup:
    return Markup('<img class="pixels" alt="{}" src="{}">').format(alt, run.pictures[name])
