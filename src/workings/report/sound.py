"""What a report shows of recordings: how they were heard, how long they are, and how the net does by group."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars
import torch
from markupsafe import Markup, escape

from workings.base.events import Emit
from workings.base.files import write_atomically
from workings.data.sound.sources import SoundSource
from workings.report.baselines import run_baselines
from workings.report.mistakes import losses, worst
from workings.report.paired import Said
from workings.report.palette import HEAT_LIGHT
from workings.report.reading import RunFiles
from workings.report.sections import Section
from workings.report.svg import Axis, Plot, nice_ticks
from workings.report.words import number, percent
from workings.runs.folder import write_versioned
from workings.runs.labels import in_units
from workings.runs.outcome import Outcome
from workings.runs.run import Run

WORST = 12
BASELINES = ("constant", "linear", "neighbours")
BASELINE_SECONDS = 60.0
MOST_SHOWN = 12  # classes of which a recording is drawn
MOST_GROUPS = 40
PARTS = 4  # of the test recordings by length, equally many in each
LEAST_SIDE = 120  # pixels that the shorter side of a drawn spectrum has at least
MOST_FRAMES = 400  # drawn; of a longer recording neighbours are averaged


def look_further(run: Run, outcome: Outcome, emit: Emit) -> None:
    """Write ``baselines.json``, spectra of the worst mistakes and of each class, and seconds and groups."""
    train, test, prep = outcome.train, outcome.test, run.prep
    assert isinstance(train, SoundSource)
    assert isinstance(test, SoundSource)
    _keep(run.path / "predictions.parquet", test)
    pictures = run.path / "pictures"
    bad = worst(prep.task_kind, outcome.truth, outcome.prediction, outcome.probability, WORST)
    for i in bad.tolist():
        write_spectrum(pictures / f"mistake-{int(test.rows[i]) + 1}.png", test.log_mel(i).numpy())
    if prep.classes is not None:
        for k, i in _one_of_each_class(train, len(prep.classes)):
            write_spectrum(pictures / f"heard-{k}.png", train.log_mel(i).numpy())
    baselines: list[dict[str, Any]] = []
    if run.recipe.baselines and not outcome.on_training_rows:
        y = train.y.numpy()
        baselines = run_baselines(
            prep.task_kind,
            summaries(train),
            in_units(y, prep) if prep.task_kind == "regression" else y,
            summaries(test),
            outcome.truth,
            BASELINES,
            run.recipe.seed,
            BASELINE_SECONDS,
            emit,
            len(prep.classes) if prep.classes else None,
            Said(outcome.prediction, outcome.probability),
        )
        for each in baselines[1:]:
            note = "on mean and deviation of each mel band"
            each["note"] = f"{note}; {each['note']}" if each["note"] else note
    write_versioned(run.path / "baselines.json", {"baselines": baselines})


def summaries(source: SoundSource) -> np.ndarray:
    """(n, 2F) float32: mean and deviation over time of each standardised mel band."""
    found = []
    for i in range(len(source)):
        Y_TF = source.x(torch.tensor([i]))[0]
        found.append(torch.cat([Y_TF.mean(0), Y_TF.std(0, correction=0)]))
    return torch.stack(found).numpy()


def _one_of_each_class(source: SoundSource, classes: int) -> list[tuple[int, int]]:
    """(class, row): the recording of middle length of each of the first classes."""
    found = []
    for k in range(min(classes, MOST_SHOWN)):
        rows = np.flatnonzero(source.y.numpy() == k)
        if len(rows):
            by_length = rows[np.argsort(source.seconds[rows], kind="stable")]
            found.append((k, int(by_length[len(by_length) // 2])))
    return found


def _keep(path: Path, test: SoundSource) -> None:
    """Seconds, and the group where there is one, of each test recording beside what was predicted."""
    frame = polars.read_parquet(path).with_columns(polars.Series("seconds", test.seconds))
    if test.groups is not None:
        frame = frame.with_columns(polars.Series("group", list(test.groups)))
    write_atomically(path, lambda temporary: frame.write_parquet(temporary))


def write_spectrum(path: Path, Y_TF: np.ndarray) -> None:
    """A PNG of log-mel frames: time to the right, low bands at the bottom, the loudest darkest."""
    from PIL import Image

    if len(Y_TF) > MOST_FRAMES:
        Y_TF = np.stack([part.mean(0) for part in np.array_split(Y_TF, MOST_FRAMES)])
    low, high = np.percentile(Y_TF, [5, 99.5])
    loud = np.clip((Y_TF - low) / max(high - low, 1e-6), 0, 1).T[::-1]
    scale = -(-LEAST_SIDE // min(loud.shape))
    pixels = _coloured(loud).repeat(scale, 0).repeat(scale, 1)
    path.parent.mkdir(exist_ok=True)
    write_atomically(path, lambda temporary: Image.fromarray(pixels).save(temporary, format="PNG", optimize=True))


def _coloured(shares: np.ndarray) -> np.ndarray:
    """Shares (h, w) of 0 … 1 as RGB (h, w, 3) uint8, on the report's scale of heat and beyond it to ink."""
    steps = [*(ground for ground, _ in HEAT_LIGHT), "#062d55"]
    colours = np.array([[int(step[i : i + 2], 16) for i in (1, 3, 5)] for step in steps], dtype=float)
    at = np.linspace(0, 1, len(steps))
    return np.stack([np.interp(shares, at, colours[:, c]) for c in range(3)], -1).round().astype(np.uint8)


def sections(run: RunFiles) -> list[Section]:
    """The spectra of each class, durations, and the net's success by length and by group."""
    parts = [_heard(run)]
    told = run.told
    if told is not None and "seconds" in told.columns and len(told):
        parts.append(_durations(told["seconds"].to_numpy()))
        if run.predictions is not None and len(told) >= 5 * PARTS:
            parts.append(_by_length(run, told["seconds"].to_numpy()))
        if run.predictions is not None and "group" in told.columns:
            parts.append(_by_group(run, [str(group) for group in told["group"]]))
    if not any(parts):
        return []
    mel = run.prepare.get("mel") or {}
    lead = "Each recording is heard as a log-mel spectrum."
    if mel:
        window, hop = 1000 * mel["window"] / mel["rate"], 1000 * mel["hop"] / mel["rate"]
        lead = (
            f"Each recording is heard at {mel['rate']:,} Hz as a log-mel spectrum: {mel['bands']} bands up to "
            f"{mel['rate'] // 2:,} Hz, in windows of {window:.0f} ms every {hop:.0f} ms."
        )
    return [Section("recordings", "The recordings", lead, Markup().join(parts))]


def _heard(run: RunFiles) -> Markup:
    shown = [(run.classes[k], run.pictures.get(f"heard-{k}.png")) for k in range(min(len(run.classes), MOST_SHOWN))]
    items = [
        Markup('<li><img src="{}" alt="The spectrum of a recording of {}"><p><strong>{}</strong></p></li>').format(
            picture, name, name
        )
        for name, picture in shown
        if picture
    ]
    if not items:
        return Markup()
    rest = len(run.classes) - len(shown)
    more = f" {rest:,} more classes are not shown." if rest > 0 else ""
    lead = f"A training recording of each class, of middle length: time to the right, low tones at the bottom.{more}"
    return Markup("<h3>As the network hears them</h3><p>{}</p><ul class=gallery>{}</ul>").format(
        lead, Markup().join(items)
    )


def _durations(seconds: np.ndarray) -> Markup:
    low, high = float(seconds.min()), float(seconds.max())
    ticks = nice_ticks(low, high, 20)
    step = ticks[1] - ticks[0] if len(ticks) > 1 else max(high, 1e-3)
    edges = np.arange(np.floor(low / step), np.floor(high / step) + 2) * step
    heights, _ = np.histogram(seconds, edges)
    half = number(float(np.median(seconds)), 2)
    words = f"From {number(low, 2)} to {number(high, 2)} seconds; half of them have {half} seconds or less."
    plot = Plot(
        "durations",
        "Lengths of the test recordings",
        words,
        Axis("seconds of a recording", float(edges[0]), float(edges[-1])),
        Axis("recordings", 0.0, float(heights.max()) * 1.05),
    )
    plot.bars(edges.tolist(), heights.tolist(), "column")
    return Markup(
        '<h3>How long they are</h3><div class="charts"><figure><figcaption><strong>Length of the test recordings'
        "</strong><p>{}</p></figcaption>{}</figure></div>"
    ).format(words, plot.svg())


def _by_length(run: RunFiles, seconds: np.ndarray) -> Markup:
    """Test recordings in parts by length: how the net does on each."""
    edges = np.unique(np.quantile(seconds, np.linspace(0, 1, PARTS + 1)))
    if len(edges) < 3:
        return Markup()
    part = np.clip(np.searchsorted(edges, seconds, side="right") - 1, 0, len(edges) - 2)
    rows = [
        (f"{edges[k]:.2f} to {edges[k + 1]:.2f} seconds", f"{int(of.sum()):,}", _success(run, of))
        for k in range(len(edges) - 1)
        if (of := part == k).any()
    ]
    return _table("Short and long recordings", ("length", "test recordings", _head(run)), rows)


def _by_group(run: RunFiles, groups: Sequence[str]) -> Markup:
    """How the net does on each group, worst first, and what it takes for what there."""
    found = run.predictions
    assert found is not None
    loss = losses(run.task, found.truth, found.prediction, found.P)
    names = np.array(groups)
    ordered = sorted(set(groups), key=lambda name: -float(loss[names == name].mean()))
    rows = []
    for name in ordered[:MOST_GROUPS]:
        of = names == name
        row = [name, f"{int(of.sum()):,}", _success(run, of)]
        if run.task != "regression":
            wrong = of & (found.truth != found.prediction)
            pairs = Counter(zip(found.truth[wrong].tolist(), found.prediction[wrong].tolist(), strict=True))
            said = [f"{found.classes[a]} for {found.classes[b]} ({n:,})" for (a, b), n in pairs.most_common(3)]
            row.append(", ".join(said) or "–")
        rows.append(row)
    rest = len(ordered) - len(rows)
    caption = "By group, the hardest first" + (f"; {rest:,} easier ones are not shown" if rest > 0 else "")
    head = ["group", "test recordings", _head(run)] + ([] if run.task == "regression" else ["taken for another"])
    return _table(caption, head, rows)


def _head(run: RunFiles) -> str:
    return "mean error" if run.task == "regression" else "right"


def _success(run: RunFiles, of: np.ndarray) -> str:
    found = run.predictions
    assert found is not None
    if run.task == "regression":
        return number(float(np.abs(found.truth[of] - found.prediction[of]).mean()))
    return percent(float((found.truth[of] == found.prediction[of]).mean()))


def _table(caption: str, head: Sequence[str], rows: Sequence[Sequence[str]]) -> Markup:
    cells = "".join(f'<th scope="col"{" class=n" if k else ""}>{escape(name)}</th>' for k, name in enumerate(head))
    body = "".join(
        f'<tr><th scope="row">{escape(first)}</th>'
        + "".join(f'<td class="n">{escape(cell)}</td>' for cell in rest)
        + "</tr>"
        for first, *rest in rows
    )
    lines = f"<caption>{escape(caption)}</caption><thead><tr>{cells}</tr></thead><tbody>{body}</tbody>"
    return Markup(f'<div class="wide"><table>{lines}</table></div>')
