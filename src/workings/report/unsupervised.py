"""What a report shows of a net without labels: samples rebuilt, where their codes lie, and what is unusual."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import polars
import torch
from markupsafe import Markup, escape

from workings.base.events import Emit
from workings.base.files import write_atomically
from workings.data.images.sources import ImageSource
from workings.nets.unsupervised import Codes, Reconstructs
from workings.report.reading import RunFiles
from workings.report.sections import Section
from workings.report.svg import Axis, Plot
from workings.report.unsupervised_baselines import run_baselines
from workings.report.words import number
from workings.runs.folder import write_versioned
from workings.runs.outcome import Outcome
from workings.runs.run import Run
from workings.runs.unsupervised import anomalous

REBUILT = 12  # samples that are shown beside their reconstructions
MOST_DOTS = 1500
MOST_CLASSES = 6  # that are told apart by a mark of their own
# What only one kind of net has to show: a module with ``look_further(run, outcome)`` and ``sections(run)``.
_MORE: dict[str, str] = {"vae": "workings.report.vae"}


def look_further(run: Run, outcome: Outcome, emit: Emit) -> None:
    """Write ``baselines.json`` and the pictures of samples rebuilt."""
    train, test = outcome.train, outcome.test
    odd = anomalous(run, test)
    if isinstance(run.net, Reconstructs) and isinstance(test, ImageSource):
        _rebuilt(run.path / "pictures" / "rebuilt.png", run.net, test, odd)
    if run.recipe.net in _MORE:
        import_module(_MORE[run.recipe.net]).look_further(run, outcome)
    baselines: list[dict[str, Any]] = []
    if run.recipe.baselines and not outcome.on_training_rows and isinstance(run.net, Reconstructs):
        d = run.net.code if isinstance(run.net, Codes) else int(np.prod(test.shape)) // 4
        baselines = run_baselines(train, test, odd, d, run.recipe.seed, emit)
    write_versioned(run.path / "baselines.json", {"baselines": baselines})


@torch.no_grad()
def _rebuilt(path: Path, net: Any, test: ImageSource, odd: np.ndarray) -> None:
    """Above: samples drawn alike each time, half of them anomalies where there are any; below: what the net makes."""
    order = np.random.default_rng(0).permutation(len(test))
    some = [i for i in order if not odd[i]][: REBUILT // 2 if odd.any() else REBUILT]
    some += [i for i in order if odd[i]][: REBUILT - len(some)]
    x = test.x(torch.tensor(some))
    write_grid(path, test.to_pixels(torch.stack([x, net.reconstruct(x)])).reshape(2, len(some), *test.shape))


def write_grid(path: Path, pixels: np.ndarray) -> None:
    """A PNG of images in rows and columns, (rows, columns, C, H, W) uint8, a light line between them."""
    from PIL import Image

    rows, columns, C, H, W = pixels.shape
    gap, scale = 2, max(1, -(-48 // max(H, W)))
    pixels = pixels.repeat(scale, 3).repeat(scale, 4)
    H, W = H * scale, W * scale
    page = np.full((rows * (H + gap) - gap, columns * (W + gap) - gap, C), 200, dtype=np.uint8)
    for r in range(rows):
        for c in range(columns):
            top, left = r * (H + gap), c * (W + gap)
            page[top : top + H, left : left + W] = pixels[r, c].transpose(1, 2, 0)
    image = Image.fromarray(page[..., 0] if C == 1 else page)
    path.parent.mkdir(exist_ok=True)
    write_atomically(path, lambda temporary: image.save(temporary, format="PNG", optimize=True))


def sections(run: RunFiles) -> list[Section]:
    """See :class:`workings.report.sections.KindOfReport`."""
    found = []
    picture = run.pictures.get("rebuilt.png")
    if picture:
        alt = "Test samples in the upper row, each with what the network rebuilds of it below."
        body = Markup('<img class="pixels" alt="{}" src="{}">').format(alt, picture)
        lead = "Above: test samples. Below: what the network makes of each after its narrow code."
        found.append(Section("rebuilt", "Samples rebuilt", lead, body))
    if run.recipe.get("net") in _MORE:
        found += import_module(_MORE[run.recipe["net"]]).sections(run)
    if run.told is not None and {"z1", "z2"} <= set(run.told.columns):
        lead = (
            "Each dot is a test sample, placed by the two directions in which the codes differ most. "
            "Samples that the network holds for similar lie together."
        )
        found.append(Section("codes", "The map of codes", lead, _map(run.told)))
    if run.told is not None and "score" in run.told.columns:
        found.append(Section("unusual", "What is unusual", _UNUSUAL, _most_unusual(run.told)))
    return found


_UNUSUAL = (
    "The test samples with the highest scores. A score above the threshold, which one in twenty regular samples "
    "exceeds, is told as an anomaly."
)


def _map(frame: polars.DataFrame) -> Markup:
    codes = frame.select([name for name in frame.columns if name[0] == "z" and name[1:].isdigit()]).to_numpy()
    rows = np.sort(np.random.default_rng(0).permutation(len(codes))[:MOST_DOTS])
    centred = codes - codes.mean(0)
    _, _, directions = np.linalg.svd(centred[rows], full_matrices=False)
    at = centred[rows] @ directions[:2].T
    if at.shape[1] < 2:
        return Markup("")
    low, high = at.min(0), at.max(0)
    pad = (high - low) * 0.05 + 1e-9
    x, y = (Axis(f"direction {i + 1}", float(low[i] - pad[i]), float(high[i] + pad[i])) for i in (0, 1))
    plot = Plot("codes-map", "The map of codes", f"{len(rows):,} codes in two directions.", x, y, height=420)
    labels = frame["label"].to_list() if "label" in frame.columns else None
    if labels is None:
        plot.dots(at, "dots")
        return plot.svg()
    here = np.array([labels[i] for i in rows])
    plot.dots(at, "dots faint")
    for name in dict.fromkeys(sorted(set(here), key=lambda each: (len(each), each))):
        middle = np.median(at[here == name], axis=0)
        plot.text((float(middle[0]), float(middle[1])), str(name), "middle", dy=4)
    return plot.svg()


def _most_unusual(frame: polars.DataFrame, most: int = 10) -> Markup:
    shown = frame.sort("score", descending=True).head(most)
    labelled = "label" in frame.columns
    head = "<th>sample</th>" + ("<th>label</th>" if labelled else "") + '<th class="n">score</th><th>told</th>'
    lines = []
    for row in shown.iter_rows(named=True):
        cells = f"<td>{escape(row['where'])}</td>" + (f"<td>{escape(row['label'])}</td>" if labelled else "")
        told = "anomaly" if row["anomaly"] else "regular"
        lines.append(f'<tr>{cells}<td class="n">{number(row["score"])}</td><td>{told}</td></tr>')
    return Markup(
        f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>{"".join(lines)}</tbody></table></div>'
    )
