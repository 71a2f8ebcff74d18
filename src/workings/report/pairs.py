"""What a report shows of pairs of texts: what was written, where it looked, and how that depends on length."""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import polars
import torch
from markupsafe import Markup, escape

from workings.base.events import Emit
from workings.base.tokens import BOS, EOS
from workings.data.pairs.sources import PairSource
from workings.learning.text_scores import compared, text_by_text
from workings.report.alignment import alignment_map
from workings.report.pairs_baselines import run_pair_baselines
from workings.report.reading import RunFiles
from workings.report.sections import Section
from workings.report.svg import Axis, Plot
from workings.report.words import count, number
from workings.runs.folder import write_versioned
from workings.runs.outcome import Outcome
from workings.runs.run import Run
from workings.runs.translation import write_for

ALIGNED = 4  # test texts whose alignment is kept
LONGEST_MAP = 26  # tokens of either side; a larger map is hard to read
SHOWN = 5  # texts of the best, of the worst, and of those drawn at random
MOST_SCORED = 5_000
BANDS = 6


def look_further(run: Run, outcome: Outcome, emit: Emit) -> None:
    """Write ``baselines.json``, and ``alignments.json`` where the net has an alignment."""
    train, test = outcome.train, outcome.test
    assert isinstance(train, PairSource)
    assert isinstance(test, PairSource)
    baselines: list[dict[str, Any]] = []
    if run.recipe.baselines and not outcome.on_training_rows:
        by_character = run.prep.tokens == "character"
        baselines = run_pair_baselines(
            _sides(train, run), _sides(test, run), by_character, run.recipe.seed, emit, outcome.prediction.tolist()
        )
    write_versioned(run.path / "baselines.json", {"baselines": baselines})
    if getattr(run.net, "score", None) is not None and hasattr(run.net, "alignment"):
        write_versioned(run.path / "alignments.json", {"alignments": _alignments(run, test)})


def _sides(source: PairSource, run: Run) -> tuple[list[str], list[str]]:
    """Sources and targets, in lower case where the run takes them so."""
    assert source.truths is not None
    sides = source.texts, source.truths
    return ([text.lower() for text in sides[0]], [text.lower() for text in sides[1]]) if run.prep.lowercase else sides


def _alignments(run: Run, test: PairSource) -> list[dict[str, Any]]:
    """α of the net as it writes a few test texts, drawn at random among those that are short enough to be looked at."""
    short = np.flatnonzero(((test.source_lengths >= 3) & (test.source_lengths <= LONGEST_MAP)).numpy())
    chosen = np.sort(np.random.default_rng(run.recipe.seed).permutation(short)[:ALIGNED])
    found = []
    for i in chosen:
        source = test.x(torch.tensor([i]))[0, 0, : int(test.source_lengths[i])]
        written = write_for(run.net, source[None], test.shape[1], 1)[0][: LONGEST_MAP - 1]
        target = torch.tensor([BOS, *written])
        T = max(len(source), len(target))
        x = torch.zeros(1, 2, T, dtype=torch.int64)
        x[0, 0, : len(source)], x[0, 1, : len(target)] = source, target
        with torch.no_grad():
            α = run.net.alignment(x)[0, : len(target), : len(source)]  # type: ignore[operator]
        found.append(
            {
                "where": test.where(int(i)),
                "read": run.prep.words(source.tolist(), "source"),
                "written": run.prep.words([*written, EOS], "target"),
                "alpha": [[round(float(a), 4) for a in row] for row in α],
            }
        )
    return found


def sections(run: RunFiles) -> list[Section]:
    """See :class:`workings.report.sections.KindOfReport`."""
    found = []
    frame = run.told
    if frame is not None and {"source", "truth", "prediction"} <= set(frame.columns) and len(frame):
        by_character = run.prepare.get("tokens") == "character"
        found.append(_texts(frame, by_character))
        found.append(_lengths(frame, by_character))
    path = run.path / "alignments.json"
    if path.is_file():
        alignments = json.loads(path.read_text(encoding="utf-8")).get("alignments") or []
        if alignments:
            found.append(_maps(alignments))
    return found


def _texts(frame: polars.DataFrame, by_character: bool) -> Section:
    n = len(frame)
    drawn = np.random.default_rng(0).permutation(n)
    scored = np.sort(drawn[:MOST_SCORED])
    truth, written = (frame[name].gather(scored).to_list() for name in ("truth", "prediction"))
    score = text_by_text(truth, written)
    order = scored[np.argsort(-score, kind="stable")]
    value = dict(zip(scored.tolist(), score.tolist(), strict=True))
    parts = []
    picks = [("Drawn at random", np.sort(drawn[:SHOWN]))]
    if n > 2 * SHOWN:
        picks += [("The worst, by chrF", order[::-1][:SHOWN]), ("The best, by chrF", order[:SHOWN])]
    for title, rows in picks:
        parts.append(_table(title, frame, rows.tolist(), value))
    some = f" Best and worst are of {len(scored):,} texts drawn at random." if len(scored) < n else ""
    lead = f"Test texts beside what was meant. chrF compares letters: 100 is equal.{some}"
    return Section("written", "What it wrote", lead, Markup("").join(parts))


_LINE = Markup('<tr><th scope="row" class="muted">{}</th><td>{}</td><td>{}</td>{}<td class="n">{}</td></tr>')


def _table(title: str, frame: polars.DataFrame, rows: Sequence[int], value: dict[int, float]) -> Markup:
    lines = []
    for i in rows:
        row = frame.row(i, named=True)
        own = Markup("<td>{}</td>").format(row["prediction"] or "(nothing)")
        if row["prediction"] == row["truth"]:
            own = Markup('<td>{} <span class="chip on">equal</span></td>').format(row["prediction"])
        score = number(value[i], 3) if i in value else "–"
        lines.append(
            Markup(
                '<tr><th scope="row" class="muted">{}</th><td>{}</td><td>{}</td>{}<td class="n">{}</td></tr>'
            ).format(row["where"], row["source"], row["truth"], own, score)
        )
    return Markup(
        '<div class="wide"><table class="stack"><caption>{}</caption><thead><tr><th scope="col">where</th>'
        '<th scope="col">source</th><th scope="col">meant</th><th scope="col">written</th>'
        '<th scope="col" class="n">chrF</th></tr></thead><tbody>{}</tbody></table></div>'
    ).format(title, Markup("").join(lines))


def _lengths(frame: polars.DataFrame, by_character: bool) -> Section:
    sources = frame["source"].to_list()
    truth, written = (frame[name].to_list() for name in ("truth", "prediction"))
    unit = "characters" if by_character else "words"
    length = np.array([len(text) if by_character else len(text.split()) for text in sources])
    edges = np.unique(np.quantile(length, np.linspace(0, 1, BANDS + 1)).round()).astype(int)
    bleu = compared(truth, written, by_character)[0]
    bands = []
    for low, high in pairwise(edges.tolist()):
        last = high == edges[-1]
        inside = (length >= low) & ((length <= high) if last else (length < high))
        value = bleu.metrics(bleu.counts[inside].sum(0))["bleu"] if inside.any() else 0.0
        bands.append((low, high, value, int(inside.sum())))
    if not bands:  # all of one length
        whole = bleu.metrics(bleu.counts.sum(0))["bleu"]
        bands = [(int(length[0]), int(length[0]) + 1, whole, len(length))]
    told = "; ".join(f"{low} to {high} {unit}: {number(v, 3)} ({count(n, 'text')})" for low, high, v, n in bands)
    top = max(1.0, max(v for _, _, v, _ in bands))
    ticks = [float(bands[0][0]), *(float(high) for _, high, _, _ in bands)]
    plot = Plot(
        "bleu-by-length",
        "BLEU by the length of the source",
        f"{told}.",
        Axis(f"{unit} of the source", ticks[0], ticks[-1], ticks=ticks),
        Axis("BLEU", 0.0, top * 1.1),
    )
    plot.bars(ticks, [v for _, _, v, _ in bands], "column")
    head = Markup("<figcaption><strong>BLEU by length</strong><p>{}.</p></figcaption>").format(told)
    body = Markup('<div class="charts"><figure>{}{}</figure></div>').format(head, plot.svg())
    return Section("by-length", "Short and long texts", "Each bar is BLEU over the test texts of these lengths.", body)


def _maps(alignments: Sequence[dict[str, Any]]) -> Section:
    figures = [
        Markup("<figure><figcaption><strong>{}</strong></figcaption>{}</figure>").format(
            escape(each["where"]), alignment_map(f"alignment-{k}", each["read"], each["written"], each["alpha"])
        )
        for k, each in enumerate(alignments)
    ]
    lead = (
        "A line for each token it wrote, a column for each it read: the darker, the more of that state it took (α). "
        "Test texts drawn at random."
    )
    body = Markup('<div class="charts">{}</div>').format(Markup("").join(figures))
    return Section("alignment", "Where it looked", lead, body)
