"""What a net that learnt from samples makes: new samples, variations round a given one, the way between two.

    variations      z = encode(x) + S·s ⊙ n,  n ~ N(0, 1); s the deviation of each number of the code over the
                    training samples, so that a spread S of 1 is as far as they themselves lie apart
    between         z = (1 − t) encode(x_A) + t encode(x_B), t in equal steps from 0 to 1

Legend: n samples, C channels, H×W pixels, d numbers of a code.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars
import torch
from torch import Tensor

from workings.base.errors import refuse
from workings.base.events import Emit, Noticed, Phase, silent
from workings.data import read_for
from workings.data.images.prepare import ImagePreparation
from workings.data.images.sources import as_pixels
from workings.data.prepare_back import to_cells
from workings.data.series.window_prepare import WindowPreparation
from workings.nets import registry
from workings.nets.unsupervised import Codes, Draws, Reconstructs
from workings.runs.folder import read_versioned

if TYPE_CHECKING:
    from workings.runs.run import Run

__all__ = ["Drawn", "between", "draw", "one_sample", "vary"]

# What a net can have, by the method that it then has, and what is said of one that has not.
ABILITIES: dict[str, tuple[Any, str]] = {
    "draw": (Draws, "draws no new samples"),
    "encode": (Codes, "has no code for a sample"),
    "reconstruct": (Reconstructs, "rebuilds no samples"),
}


class OfRun:
    """Samples ``x`` (n, *shape) that belong to a ``run``."""

    x: Tensor
    run: Run

    def __len__(self) -> int:
        return len(self.x)

    @property
    def are_images(self) -> bool:
        """Whether they are images; otherwise they are rows of a table, or windows of a series."""
        return isinstance(self.run.prep, ImagePreparation)


@dataclass(frozen=True)
class Drawn(OfRun):
    """Samples that a net made.

    x: (n, *shape) float32, as the net sees them. given: (k, *shape), the samples that they go out from; none of new
    ones. rebuilt: (k, *shape), these as the net rebuilds them.
    """

    x: Tensor
    given: Tensor
    rebuilt: Tensor
    run: Run

    def pixels(self) -> np.ndarray:
        """(n, C, H, W) uint8, of images; what lies outside black and white is cut."""
        return pixels_of(self.run, self.x)

    def rows(self) -> polars.DataFrame:
        """A row a sample, in the columns and units of the table that was learnt; of a series, a row a step of each."""
        return rows_of(self.run, self.x)


def draw(run: Run, samples: int = 16, seed: int = 0, emit: Emit = silent) -> Drawn:
    """New samples; see :meth:`workings.runs.run.Run.draw`."""
    net = able(run, "draw")
    at_least("samples", samples, 1)
    at_least("seed", seed, 0)
    writable(run.prep)
    emit(Phase("drawing", f"{samples:,} samples"))
    with torch.no_grad():
        x = net.draw(samples, torch.Generator().manual_seed(seed))
    return Drawn(x.float(), x[:0], x[:0], run)


def vary(run: Run, around: object, spread: float = 0.5, samples: int = 16, seed: int = 0, emit: Emit = silent) -> Drawn:
    """Variations round one sample; see :meth:`workings.runs.run.Run.vary`."""
    net = able(run, "encode")
    at_least("samples", samples, 1)
    at_least("seed", seed, 0)
    if not 0 < spread < float("inf"):
        raise refuse("bad-value", f"spread is {spread:g}; it must be above 0.", do="Give 0.5, for example.")
    writable(run.prep)
    x = one_sample(run, around, emit)
    emit(Phase("drawing", f"{samples:,} variations"))
    with torch.no_grad():
        z_1d = net.encode(x)
        noise_nd = torch.randn(samples, z_1d.shape[1], generator=torch.Generator().manual_seed(seed))
        made = net.decode(z_1d + spread * code_spread(run) * noise_nd)
        return Drawn(made.float(), x, net.decode(z_1d).float(), run)


def between(run: Run, a: object, b: object, steps: int = 9, emit: Emit = silent) -> Drawn:
    """The way from one sample to another; see :meth:`workings.runs.run.Run.between`."""
    net = able(run, "encode")
    at_least("steps", steps, 2)
    writable(run.prep)
    x = torch.cat([one_sample(run, a, emit), one_sample(run, b, emit)])
    emit(Phase("drawing", f"{steps:,} steps from one sample to the other"))
    with torch.no_grad():
        z_2d = net.encode(x)
        t_n1 = torch.linspace(0, 1, steps)[:, None]
        made = net.decode((1 - t_n1) * z_2d[:1] + t_n1 * z_2d[1:])
        return Drawn(made.float(), x, net.decode(z_2d).float(), run)


def able(run: Run, method: str) -> Any:
    """The run's net, if it has the method, one of ``ABILITIES``.

    Raises:
        UserError: it has not, and nets that have are named; or the run learnt something else.
    """
    if run.task.kind != "unsupervised":
        what = f"The run '{run.path}' was trained for {run.task.kind}: its net makes no samples."
        raise refuse("makes-no-samples", what, do="Train one that does: workings train DATA --net vae")
    ability, denied = ABILITIES[method]
    if not isinstance(run.net, ability):
        can = [name for name in registry.names() if registry.can(name, method)]
        do = f"Train one that does: {', '.join(can)}." if can else "There is no such net yet."
        if method == "draw" and isinstance(run.net, Codes):
            do += " This one varies a sample (--around FILE) and goes from one to another (--between A B)."
        raise refuse("not-able", f"The net of this run, {run.recipe.net}, {denied}.", do=do)
    return run.net


def at_least(name: str, value: int, least: int) -> None:
    """Refuse a number that is too small.

    Raises:
        UserError: it is.
    """
    if value < least:
        raise refuse("bad-value", f"{name} is {value}.", do=f"Give {least} or more.")


def one_sample(run: Run, given: object, emit: Emit = silent) -> Tensor:
    """(1, *shape): one sample as the net sees it.

    given: data that holds one sample; ``FILE:17`` for the 17th of many; ``17`` alone for that of the data trained on.

    Raises:
        UserError: there are more samples and none is named, fewer than that, or none that can be read.
    """
    data, row = _place(run, given)
    emit(Phase("reading", "the sample"))
    dataset = read_for(run.prep, run.schema, data, False, on_bad_file="refuse", emit=emit)
    n = dataset.samples(run.prep)
    if row is None and n != 1:
        what = f"One sample is wanted; here are {n:,}" + (f", in '{given}'." if isinstance(given, str) else ".")
        do = f"Say which one: {given}:1 is the first." if isinstance(given, str) else "Give one."
        raise refuse("which-sample", what, do=do)
    if row is not None and not 1 <= row <= n:
        what = f"There is no sample {row:,} in '{data}'; it holds {n:,}."
        raise refuse("no-such-sample", what, do=f"Give a number from 1 to {n}.")
    source = dataset.source(run.prep, dataset.rows_of_sample(run.prep, 0 if row is None else row - 1))
    for problem in source.problems:
        emit(Noticed(problem))
    return source.x(torch.tensor([0]))


def _place(run: Run, given: object) -> tuple[object, int | None]:
    if not isinstance(given, (str, int)) or (isinstance(given, str) and Path(given).exists()):
        return given, None
    path, colon, number = str(given).rpartition(":")
    if not number.isdecimal():
        return given, None  # whoever reads it says what is wrong with it
    if colon:
        return path, int(number)
    if run.recipe.data is None:
        what = "The run was trained on data from memory, which its folder does not hold."
        raise refuse("no-data", what, do=f"Give the file too: FILE:{number}.")
    return run.recipe.data, int(number)


def code_spread(run: Run) -> Tensor:
    """(d,): the deviation of each number of the code over the training samples."""
    return torch.tensor(read_versioned(run.path / "scores.json")["code_std"])


def pixels_of(run: Run, x: Tensor) -> np.ndarray:
    """(n, C, H, W) uint8: images as the net sees them, for looking at."""
    return as_pixels(torch.tensor(run.prep.mean), torch.tensor(run.prep.std), x)


def rows_of(run: Run, x: Tensor) -> polars.DataFrame:
    """Prepared rows of a table in the table's own columns and units; see ``data.prepare_back``.

    Of windows (n, L, V): ``sample`` and ``step``, both from 1, and the variables in their units.
    """
    if not isinstance(run.prep, WindowPreparation):
        return to_cells(run.prep, run.schema, x.numpy())
    n, L, V = x.shape
    values = run.prep.units(x.double().numpy()).reshape(n * L, V)
    places = {"sample": np.repeat(np.arange(1, n + 1), L), "step": np.tile(np.arange(1, L + 1), n)}
    names = [f"{name} (variable)" if name in places else name for name in run.prep.variables]
    return polars.DataFrame(places | {name: values[:, v] for v, name in enumerate(names)})


def writable(prep: Any) -> None:
    """Refuse data of a kind whose samples nothing can write.

    Raises:
        UserError: it is neither images nor rows of a table nor a series.
    """
    if not isinstance(prep, ImagePreparation | WindowPreparation) and prep.kind != "table":
        what = f"The samples are of the kind {prep.kind}; only images, rows of tables and series can be written."
        raise refuse("cannot-write-samples", what, do="Use predict; or the net itself, from Python: Run.net.")
