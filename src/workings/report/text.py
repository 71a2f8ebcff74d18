"""What a report shows of texts: how long they are, what the vocabulary lacks, and where the net errs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import polars
from markupsafe import Markup, escape

from workings.base.events import Emit
from workings.base.files import write_atomically
from workings.data.text.sources import TextSource
from workings.report.mistakes import losses, worst
from workings.report.paired import Said
from workings.report.reading import RunFiles
from workings.report.sections import Section
from workings.report.svg import Axis, Plot
from workings.report.text_baselines import run_text_baselines
from workings.report.words import count, number, percent
from workings.runs.folder import write_versioned
from workings.runs.labels import in_units
from workings.runs.outcome import Outcome
from workings.runs.run import Run

WORST = 12
PARTS = 4  # of the test texts by length, equally many in each


def look_further(run: Run, outcome: Outcome, emit: Emit) -> None:
    """Write ``baselines.json``; put the worst mistakes' texts and every text's tokens into the predictions."""
    prep, train, test = run.prep, outcome.train, outcome.test
    assert isinstance(train, TextSource)
    assert isinstance(test, TextSource)
    _keep_texts(run, outcome, test)
    baselines: list[dict[str, Any]] = []
    if run.recipe.baselines and not outcome.on_training_rows:
        y = train.y.numpy()
        baselines = run_text_baselines(
            prep.task_kind,
            (train.texts, in_units(y, prep) if prep.task_kind == "regression" else y),
            (test.texts, outcome.truth),
            Said(outcome.prediction, outcome.probability),
            prep.classes,
            run.recipe.seed,
            emit,
        )
    write_versioned(run.path / "baselines.json", {"baselines": baselines})


def _keep_texts(run: Run, outcome: Outcome, test: TextSource) -> None:
    """The texts of the worst mistakes only: the data stays with its owner. Of all texts, how many tokens."""
    assert test.lengths is not None
    bad = worst(run.prep.task_kind, outcome.truth, outcome.prediction, outcome.probability, WORST)
    path = run.path / "predictions.parquet"
    frame = polars.read_parquet(path)
    values: list[str | None] = [None] * len(frame)
    for i, cells in zip(bad, outcome.test_dataset.cells(test.rows[bad]), strict=True):  # type: ignore[attr-defined]
        values[int(i)] = json.dumps(cells, ensure_ascii=False)
    frame = frame.with_columns(
        polars.Series("values", values, dtype=polars.String),
        polars.Series("tokens", test.lengths.numpy()),
        polars.Series("unknown_tokens", test.unknown),
    )
    write_atomically(path, lambda temporary: frame.write_parquet(temporary))


def sections(run: RunFiles) -> list[Section]:
    """How texts become tokens, and how the net does on short and long ones."""
    prepare, told = run.prepare, run.told
    parts: list[Markup] = []
    if prepare.get("counts"):
        parts.append(_lengths(prepare))
    if told is not None and {"tokens", "unknown_tokens"} <= set(told.columns):
        parts.append(_vocabulary(prepare, told))
        if run.predictions is not None and len(told) >= 8 * PARTS:
            parts.append(_by_length(run, told["tokens"].to_numpy()))
    if not parts:
        return []
    tokens = {"word": "words and marks", "character": "characters", "bpe": "byte-pair pieces"}
    name = tokens.get(str(prepare.get("tokens")), "tokens")
    case = "upper and lower case are one" if prepare.get("lowercase") else "upper and lower case differ"
    lead = f"Each text is cut into {name}, {case}; the vocabulary was made from the training texts only."
    return [Section("texts", "The texts", lead, Markup().join(parts))]


def _lengths(prepare: dict[str, Any]) -> Markup:
    edges, counts = [float(edge) for edge in prepare["edges"]], [float(n) for n in prepare["counts"]]
    longest, middle = int(prepare["length"]), _median(edges, counts)
    plot = Plot(
        "text-lengths",
        "Lengths of the training texts",
        f"{int(sum(counts)):,} texts; half of them have about {middle:,.0f} tokens or fewer.",
        Axis("tokens of a text", edges[0], edges[-1]),
        Axis("texts", 0.0, max(counts) * 1.05),
    )
    plot.bars(edges, counts, "column")
    cut = edges[-1] > longest + (edges[1] - edges[0])
    if cut:
        plot.rules([((float(longest), 0.0), (float(longest), plot.y.high))], "mark")
    text = f"Half of them have about {middle:,.0f} tokens or fewer."
    text += f" What is beyond the line, {longest:,} tokens, is not read." if cut else " All of every text is read."
    return Markup(
        '<div class="charts"><figure><figcaption><strong>Length of the training texts</strong><p>{}</p></figcaption>{}'
        "</figure></div>"
    ).format(text, plot.svg())


def _median(edges: Sequence[float], counts: Sequence[float]) -> float:
    """From the histogram, within the bar that holds it."""
    below = np.cumsum(counts)
    k = int(np.searchsorted(below, below[-1] / 2))
    before = below[k] - counts[k]
    inside = (below[-1] / 2 - before) / max(counts[k], 1)
    return edges[k] + inside * (edges[k + 1] - edges[k])


def _vocabulary(prepare: dict[str, Any], told: polars.DataFrame) -> Markup:
    tokens, unknown = int(told["tokens"].sum()), int(told["unknown_tokens"].sum())
    texts = int((told["unknown_tokens"] > 0).sum())
    rows = [
        ("tokens in the vocabulary", f"{int(prepare['vocabulary']):,}"),
        ("unknown tokens, training texts", percent(float(prepare.get("unknown", 0.0)))),
        ("unknown tokens, test texts", percent(unknown / max(tokens, 1))),
        ("test texts with an unknown token", f"{texts:,} of {len(told):,}"),
    ]
    return _table("What the vocabulary lacks", ("", ""), rows)


def _by_length(run: RunFiles, tokens: np.ndarray) -> Markup:
    """Test texts in parts by length: how the net does on each."""
    found = run.predictions
    assert found is not None
    edges = np.unique(np.quantile(tokens, np.linspace(0, 1, PARTS + 1)).astype(int))
    if len(edges) < 3:
        return Markup()
    part = np.clip(np.searchsorted(edges, tokens, side="right") - 1, 0, len(edges) - 2)
    regression = run.task == "regression"
    loss = losses(run.task, found.truth, found.prediction, found.P)
    rows = []
    for k in range(len(edges) - 1):
        of = part == k
        if not of.any():
            continue
        said = (
            number(float(loss[of].mean()))
            if regression
            else percent(float((found.truth == found.prediction)[of].mean()))
        )
        last = edges[k + 1] - (0 if k == len(edges) - 2 else 1)
        rows.append((f"{edges[k]:,} to {last:,} tokens", count(int(of.sum()), "text"), said))
    head = ("length", "test texts", "mean error" if regression else "right")
    return _table("Short and long texts", head, rows)


def _table(caption: str, head: Sequence[str], rows: Sequence[Sequence[str]]) -> Markup:
    lines = [f"<caption>{escape(caption)}</caption>"]
    if any(head):
        cells = "".join(f'<th scope="col"{" class=n" if k else ""}>{escape(name)}</th>' for k, name in enumerate(head))
        lines.append(f"<thead><tr>{cells}</tr></thead>")
    body = "".join(
        f'<tr><th scope="row">{escape(first)}</th>'
        + "".join(f'<td class="n">{escape(cell)}</td>' for cell in rest)
        + "</tr>"
        for first, *rest in rows
    )
    return Markup('<div class="wide"><table>' + "".join(lines) + f"<tbody>{body}</tbody></table></div>")
