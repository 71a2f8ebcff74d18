"""What a report shows of an adversarial network: the game of its players, and which classes it draws."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import torch
from markupsafe import Markup
from torch import Tensor

from workings.base.events import Emit, Phase
from workings.data.source import Source
from workings.report import figures
from workings.report.figures import Figure, drawn
from workings.report.reading import RunFiles
from workings.report.record import Record
from workings.report.sections import Section
from workings.report.svg import Axis, Plot
from workings.report.words import percent
from workings.runs.folder import read_versioned, write_versioned
from workings.runs.judge import open_judge
from workings.runs.measure_gan import DRAWS, class_shares, compared, draws_of
from workings.runs.outcome import Outcome
from workings.runs.run import Run

MOST_CLASSES = 20
MOST_ROWS = 20_000  # of the training samples that the normal distribution is fitted to
MOST_NUMBERS = 4096  # of a sample, for a covariance that can still be drawn from


def look_further(run: Run, outcome: Outcome) -> None:
    """Write ``draws.json``: the share of each class among the draws, where a judge names them."""
    judge = open_judge(run)
    if judge is None:
        return
    classes = run.task.classes or []
    shares = class_shares(judge.look(draws_of(run))[0], len(classes))
    content = {"draws": DRAWS, "classes": classes, "shares": shares.tolist(), "in_training": judge.shares.tolist()}
    write_versioned(run.path / "draws.json", content)


def baselines(run: Run, outcome: Outcome, emit: Emit) -> list[dict[str, Any]]:
    """What ``baselines.json`` holds: draws of a normal distribution, judged as those of the net are.

    None where samples are not numbers alone, or have more than 4,096.
    """
    train = outcome.train
    plain = train.form.columns is None or set(train.form.columns) == {1}
    if not plain or int(np.prod(train.shape)) > MOST_NUMBERS:
        return []
    emit(Phase("comparing", "draws of a normal distribution"))
    began = time.perf_counter()
    x = normal_draws(train, DRAWS, run.recipe.seed)
    metrics = compared(x, outcome.test, open_judge(run), run.task.classes or []).metrics
    metrics.pop("judge_accuracy", None)
    seconds = time.perf_counter() - began
    return [{"name": "a normal distribution", "metrics": metrics, "seconds": seconds, "note": ""}]


def normal_draws(train: Source, n: int, seed: int) -> Tensor:
    """x̃ = x̄ + VΛ^½ n, n ~ N(0, I): the mean and covariance VΛVᵀ of the training samples; of images cut to 0…1."""
    rows = np.sort(np.random.default_rng(seed).permutation(len(train))[:MOST_ROWS])
    x_ND = train.x(torch.from_numpy(rows)).flatten(1).double()
    mean_D = x_ND.mean(0)
    values_D, V = torch.linalg.eigh((x_ND - mean_D).T @ (x_ND - mean_D) / max(1, len(x_ND) - 1))
    noise = torch.randn(n, len(mean_D), dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
    made = (mean_D + (noise * values_D.clamp(min=0).sqrt()) @ V.T).float().unflatten(1, train.shape)
    return made.clamp(0, 1) if len(train.shape) == 3 else made


def sections(run: RunFiles) -> list[Section]:
    """See :class:`workings.report.sections.KindOfReport`."""
    found = []
    shown = [each for each in (_players(run), _classes(run)) if each is not None]
    if shown:
        body = Markup('<div class="charts">{}</div>').format(Markup("").join(drawn(each) for each in shown))
        lead = (
            "A generator makes samples and a discriminator tells them from real ones. Neither loss says how good the "
            "samples are: what is drawn is compared with real samples instead."
        )
        found.append(Section("game", "Two players", lead, body))
    return found


def _players(run: RunFiles) -> Figure | None:
    record = Record(run)
    lines = {"val": record.line("train", "generator_loss"), "train": record.line("train", "loss")}
    if not all(len(line) > 1 for line in lines.values()):
        return None
    figure = figures.curve("loss", lines, unique="players")
    text = "Means since the look before. A generator that nobody can tell from real would have 0.69, its opponent 1.39."
    return Figure(
        "Losses of both players",
        text,
        figure.svg,
        (("main", "generator"), ("other", "discriminator, with its penalty")),
    )


def _classes(run: RunFiles) -> Figure | None:
    path = run.path / "draws.json"
    if not path.is_file():
        return None
    kept = read_versioned(path)
    there = np.flatnonzero(np.array(kept["in_training"]) > 0)[:MOST_CLASSES]
    shares, expected = np.array(kept["shares"])[there], np.array(kept["in_training"])[there]
    names = [str(kept["classes"][k]) for k in there]
    room = max(1, 60 // len(names))
    short = [name if len(name) <= room else f"{name[: max(1, room - 1)]}…" for name in names]
    most = float(max(shares.max(), expected.max())) * 1.15
    said = "; ".join(
        f"{name} {percent(a)}, in training {percent(b)}" for name, a, b in zip(names, shares, expected, strict=True)
    )
    plot = Plot(
        "classes-drawn",
        "Classes among the draws",
        said,
        Axis(
            "class",
            -0.5,
            len(names) - 0.5,
            ticks=[float(i) for i in range(len(names))],
            written=lambda i: short[int(i)],
        ),
        Axis("share", 0.0, most),
        height=260,
    )
    plot.bars([i - 0.5 for i in range(len(names) + 1)], shares.tolist(), "column")
    plot.rules([((i - 0.4, b), (i + 0.4, b)) for i, b in enumerate(expected.tolist())], "line main")
    text = f"Of {kept['draws']:,} draws, as a net that was trained on the labels names them."
    return Figure("Classes among the draws", text, plot.svg(), (("column", "draws"), ("main", "training samples")))
