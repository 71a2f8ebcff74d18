"""The report on a language model: what it writes, where it was surprised, and what counting alone can do."""

from __future__ import annotations

import json
import math
import time
from pathlib import Path
from typing import Any

import numpy as np
import polars
from markupsafe import Markup, escape

from workings.base.events import Emit, Phase
from workings.base.files import read_json, write_atomically
from workings.data.language.windows import TextWindows
from workings.learning.judging import text_metrics
from workings.learning.ngrams import LARGEST, KneserNey
from workings.report.reading import RunFiles
from workings.report.sections import Section
from workings.report.svg import Axis, Plot
from workings.report.words import number
from workings.runs.folder import write_versioned
from workings.runs.language import generate
from workings.runs.outcome import Outcome
from workings.runs.run import Run

TEMPERATURES = (0.5, 0.8, 1.0)
WRITTEN = {"character": 500, "word": 120, "bpe": 180}  # tokens of a sample
ORDERS = {"character": (1, 2, 7), "word": (1, 2, 4), "bpe": (1, 2, 4)}
MOST_COUNTED = 5_000_000  # training tokens that n-grams are counted in: the newest
FIRST, WORST, LONG = 14, 8, 20  # lines shown: the first, the most surprising of so many characters
BINS = 80
# The steps of heat by the probability that the token had: from the first on it is not even the likeliest as a rule.
STEPS = (0.5, 0.2, 0.05, 0.01, 0.001)
WORDS = ("above 50 %", "20 to 50 %", "5 to 20 %", "1 to 5 %", "0.1 to 1 %", "below 0.1 %")


def look_further(run: Run, outcome: Outcome, emit: Emit) -> None:
    """Write ``baselines.json``, ``samples.json``, and the lines that the report shows into the predictions."""
    train, test = outcome.train, outcome.test
    assert isinstance(train, TextWindows)
    assert isinstance(test, TextWindows)
    baselines = []
    if run.recipe.baselines and not outcome.on_training_rows:
        baselines = run_baselines(run.prep.tokens, run.prep.vocabulary, run.prep.before, train, test, emit)
    write_versioned(run.path / "baselines.json", {"baselines": baselines})
    _keep_lines(run, test, outcome.prediction)
    samples = []
    for temperature in TEMPERATURES:
        length = WRITTEN[run.prep.tokens]
        text = generate(run, length=length, temperature=temperature, seed=run.recipe.seed, emit=emit)[0]
        samples.append({"temperature": temperature, "seed": run.recipe.seed, "length": length, "text": text})
    write_versioned(run.path / "samples.json", {"samples": samples})


def run_baselines(
    tokens: str, vocabulary: int, before: int, train: TextWindows, test: TextWindows, emit: Emit
) -> list[dict[str, Any]]:
    """N-grams counted in the training part, judged on the test part in the same nats."""
    known = train.tokens[-MOST_COUNTED:]
    note = ""
    if len(known) < len(train.tokens):
        note = f"counted in the last {len(known):,} of {len(train.tokens):,} tokens"
    found = []
    for wanted in ORDERS[tokens]:
        order = min(wanted, int(math.log(LARGEST) / math.log(vocabulary)))
        name = {1: "single tokens by how often they come", 2: "bigrams, Kneser–Ney"}.get(
            order, f"{order}-grams, Kneser–Ney"
        )
        emit(Phase("evaluating", f"baseline: {name}"))
        began = time.perf_counter()
        nats = KneserNey(known, order, vocabulary, before, vocabulary - 3).nats(test.tokens)
        metrics, _, _ = text_metrics(nats, np.zeros(len(nats)), test.spelling, test.characters)
        del metrics["token_accuracy"]
        seconds = round(time.perf_counter() - began, 3)
        found.append({"name": name, "metrics": metrics, "seconds": seconds, "note": note})
    return found


def _keep_lines(run: Run, test: TextWindows, nats: np.ndarray) -> None:
    """The first lines and the most surprising ones with the nats of each token, as JSON in the column ``values``."""
    path = run.path / "predictions.parquet"
    frame = polars.read_parquet(path)
    lengths = np.add.reduceat(test.characters, np.flatnonzero(np.diff(test.piece, prepend=-1)))
    mean = np.where(lengths >= LONG, frame["nats_per_token"].to_numpy(), -1.0)
    worst = [int(i) for i in np.argsort(-mean, kind="stable")[:WORST] if mean[i] > 0]
    ends = np.cumsum(frame["tokens"].to_numpy())
    tokeniser = run.prep.load_tokeniser()
    texts: list[str | None] = [None] * len(frame)
    for i in {*range(min(FIRST, len(frame))), *worst}:
        part = slice(int(ends[i] - frame["tokens"][i]), int(ends[i]))
        shown = tokeniser.shown(test.tokens[part].tolist())
        kept = {"tokens": shown, "nats": [round(float(x), 3) for x in nats[part]], "rank": _rank(worst, i)}
        texts[i] = json.dumps(kept, ensure_ascii=False)
    frame = frame.with_columns(polars.Series("values", texts, dtype=polars.String))
    write_atomically(path, lambda temporary: frame.write_parquet(temporary))


def _rank(worst: list[int], i: int) -> int | None:
    return worst.index(i) if i in worst else None


def sections(run: RunFiles) -> list[Section]:
    """What it writes; where it was surprised."""
    found = []
    path = Path(run.path) / "samples.json"
    if path.is_file():
        found.append(_written(read_json(path)["samples"]))
    if run.told is not None and {"values", "nats", "tokens"} <= set(run.told.columns) and len(run.told):
        found.append(_surprised(run.told))
    return found


def _written(samples: list[dict[str, Any]]) -> Section:
    lead = (
        "Written from nothing but the end of a line. A low temperature keeps to what is likely, at 1 the text is as "
        "varied as what was learnt."
    )
    body = Markup("").join(
        Markup("<h3>Temperature {}</h3><pre>{}</pre>").format(f"{each['temperature']:g}", each["text"].strip("\n"))
        for each in samples
    )
    return Section("written", "What it writes", lead, body)


def _surprised(told: polars.DataFrame) -> Section:
    kept = told.filter(polars.col("values").is_not_null())
    lines = [(row, json.loads(row["values"])) for row in kept.iter_rows(named=True)]
    first = [_line(row, values) for row, values in lines[:FIRST]]
    worst = sorted((each for each in lines if each[1]["rank"] is not None), key=lambda each: each[1]["rank"])
    key = Markup(" · ").join(
        Markup('<span style="white-space: nowrap">{}</span>').format(_span(text, step))
        for step, text in enumerate(WORDS)
    )
    body = Markup(
        '<div class="charts"><figure><figcaption><strong>Nats a token along the test text</strong></figcaption>{}'
        '</figure></div><p class="small muted">The probability that each token had: {}; from 1 in 100 on it is also '
        "underlined.</p><h3>The first lines of the test text</h3><pre>{}</pre>"
    ).format(_along(told), key, Markup("").join(first))
    if worst:
        rows = Markup("").join(
            Markup(
                '<tr><th scope="row" style="white-space: nowrap">{}</th><td class="n" data-label="nats a token">{}</td>'
                '<td class="full"><span class="mono" style="white-space: pre-wrap">{}</span></td></tr>'
            ).format(row["where"], number(row["nats_per_token"], 3), _line(row, values))
            for row, values in worst
        )
        body += Markup(
            '<div class="wide"><table class="stack"><caption>The lines of {} or more characters that surprised it most'
            '</caption><thead><tr><th scope="col">where</th><th scope="col" class="n">nats a token</th>'
            '<th scope="col">line</th></tr></thead><tbody>{}</tbody></table></div>'
        ).format(LONG, rows)
    lead = "How unlikely each token of the test text was to the network, −ln p: look here for what it has not learnt."
    return Section("surprises", "Where it was surprised", lead, body)


def _line(row: dict[str, Any], values: dict[str, Any]) -> Markup:
    """The tokens of a line, neighbours of one step of heat together."""
    parts: list[Markup] = []
    text, step = "", 0
    for token, nats in zip(values["tokens"], values["nats"], strict=True):
        now = 0 if token.isspace() and nats < 1 else _step(nats)
        if now != step and text:
            parts.append(_span(text, step))
            text = ""
        text, step = text + token, now
    return Markup("").join([*parts, _span(text, step)])


def _step(nats: float) -> int:
    return sum(math.exp(-nats) < edge for edge in STEPS)


def _span(text: str, step: int) -> Markup:
    if step == 0:
        return escape(text)
    line = "; text-decoration: underline" if step >= 4 else ""
    # The end of a line is seen, so that its surprise is too.
    shown = text.replace("\n", "↵\n")
    return Markup('<span style="background: var(--heat-{}); color: var(--on-heat-{}){}">{}</span>').format(
        step, step, line, shown
    )


def _along(told: polars.DataFrame) -> Markup:
    """The mean over equal parts of the test text."""
    tokens, nats = told["tokens"].to_numpy(), told["nats"].to_numpy()
    ends = np.cumsum(tokens)
    bins = np.minimum((ends - tokens) * BINS // max(1, ends[-1]), BINS - 1)
    n, total = np.bincount(bins, tokens, BINS), np.bincount(bins, nats, BINS)
    real = n > 0
    mean = total[real] / n[real]
    at = (np.flatnonzero(real) + 0.5) / BINS * ends[-1]
    whole = float(nats.sum() / tokens.sum())
    low, high = float(mean.min()), float(mean.max())
    plot = Plot(
        "along",
        "Nats a token along the test text",
        f"From {low:.2f} to {high:.2f} over {len(mean)} equal parts; {whole:.2f} in the mean.",
        Axis("token of the test text", 0, float(ends[-1])),
        Axis("nats", low - (high - low) * 0.1, high + (high - low) * 0.1),
    )
    plot.line([(0, whole), (float(ends[-1]), whole)], "line other")
    plot.line(np.column_stack([at, mean]), "line main")
    return plot.svg()
