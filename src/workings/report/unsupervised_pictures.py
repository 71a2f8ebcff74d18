"""Pictures of what a net made of images: rebuilt, drawn, varied along its code, most unusual; for the report."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars
import torch
from safetensors.torch import load_file
from torch import Tensor

from workings.data.images.picture import write_grid
from workings.data.images.sources import ImageSource
from workings.nets.unsupervised import Codes, Draws, Reconstructs
from workings.report.unsupervised_telling import told_apart
from workings.runs.drawing import code_spread
from workings.runs.run import Run

COLUMNS = 12
TILE = 48  # pixels that an image has in a grid, at least
DRAWN_ROWS = 4
MOST_TRAINING = 20_000  # training samples among which the nearest to a draw is looked for
VARIED = 6  # numbers of the code that are varied
REACH = 2.0  # standard deviations to either side
BATCH = 1024


@torch.no_grad()
def write_pictures(
    run: Run, train: ImageSource, test: ImageSource, odd: np.ndarray, told: polars.DataFrame, *, varied: bool
) -> None:
    """All pictures that the net can give. odd: (n,) bool, the anomalies among the test samples.

    varied: also what the numbers of the code do.
    """
    folder, net = run.path / "pictures", run.net
    net.eval()
    if isinstance(net, Reconstructs):
        for name, among in (("rebuilt", ~odd), ("rebuilt-odd", odd)):
            _rebuilt(folder / f"{name}.png", net, test, np.flatnonzero(among))
    if isinstance(net, Draws):
        _drawn(folder, net, train, run.recipe.seed)
    if varied and isinstance(net, Codes) and len(test) > 1:
        _varied(folder / "varied.png", run, net, test, np.flatnonzero(~odd))
    _on_the_way(folder / "on-the-way.png", run.path / "draws.safetensors", train)
    _unusual(folder, net, test, told, odd)


def _rebuilt(path: Path, net: Any, test: ImageSource, rows: np.ndarray) -> None:
    """Above: samples drawn at random, the same ones each time; below: what the net makes of each."""
    some = np.random.default_rng(0).permutation(rows)[:COLUMNS]
    if len(some):
        x = test.x(torch.tensor(some))
        write_grid([test.to_pixels(x), test.to_pixels(net.reconstruct(x))], path, lead=False, tile=TILE)


def _drawn(folder: Path, net: Any, train: ImageSource, seed: int) -> None:
    """``drawn.png``, and ``nearest.png``: the first of these above the training samples nearest to them."""
    x = net.draw(COLUMNS * DRAWN_ROWS, torch.Generator().manual_seed(seed)).float()
    pixels = in_rows(train.to_pixels(x))
    write_grid(pixels, folder / "drawn.png", lead=False, tile=TILE)
    near = nearest(train, x[:COLUMNS])
    write_grid([pixels[0], train.to_pixels(train.x(near))], folder / "nearest.png", lead=False, tile=TILE)


def in_rows(pixels: np.ndarray) -> list[np.ndarray]:
    """Images (n, …) in rows of ``COLUMNS``."""
    return [pixels[start : start + COLUMNS] for start in range(0, len(pixels), COLUMNS)]


def nearest(train: ImageSource, x: Tensor) -> Tensor:
    """(n,) int64: the training sample that is nearest to each of x (n, *shape), by all their numbers."""
    rows = np.sort(np.random.default_rng(0).permutation(len(train))[:MOST_TRAINING])
    best, at = torch.full((len(x),), float("inf")), torch.zeros(len(x), dtype=torch.int64)
    for start in range(0, len(rows), BATCH):
        index = torch.from_numpy(rows[start : start + BATCH])
        least, where = torch.cdist(x.flatten(1), train.x(index).flatten(1)).min(1)
        at = torch.where(least < best, index[where], at)
        best = torch.minimum(best, least)
    return at


def _varied(path: Path, run: Run, net: Any, test: ImageSource, rows: np.ndarray) -> None:
    """A row for each of the widest numbers of the code: a test sample, this number moved from −2 to 2 deviations."""
    x = test.x(torch.tensor([int(np.random.default_rng(0).permutation(rows)[0])]))
    z_d = net.encode(x)[0]
    s_d = code_spread(run)
    lines = []
    for k in torch.argsort(s_d, descending=True)[:VARIED].tolist():
        z_nd = z_d.repeat(COLUMNS - 1, 1)
        z_nd[:, k] += torch.linspace(-REACH, REACH, COLUMNS - 1) * s_d[k]
        lines.append(test.to_pixels(net.decode(z_nd)))
    write_grid(lines, path, lead=False, tile=TILE)


def _on_the_way(path: Path, draws: Path, train: ImageSource) -> None:
    """A row for each look at the net in training: what it drew then, always from the same noise."""
    if draws.is_file():
        steps = sorted(load_file(draws).items(), key=lambda pair: int(pair[0]))
        write_grid([train.to_pixels(x[:COLUMNS]) for _, x in steps], path, lead=False, tile=TILE)


def _unusual(folder: Path, net: Any, test: ImageSource, told: polars.DataFrame, odd: np.ndarray) -> None:
    """``sample-<row>.png`` of each test sample that the report shows, beside what the net rebuilds of it."""
    for group in told_apart(told, odd):
        for i in group.rows:
            x = test.x(torch.tensor([i]))
            parts = [x, net.reconstruct(x)] if isinstance(net, Reconstructs) else [x]
            pixels = test.to_pixels(torch.cat(parts))
            write_grid([pixels], folder / f"sample-{told['row'][i]}.png", lead=False, tile=TILE)
