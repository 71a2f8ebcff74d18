"""What a report shows of a net without labels: samples rebuilt and made, where codes lie, and what is unusual."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import numpy as np
from markupsafe import Markup

from workings.base.events import Emit
from workings.data.images.sources import ImageSource
from workings.data.series.window_source import WindowSource
from workings.learning.unsupervised_scores import threshold_of
from workings.nets.unsupervised import Codes, Reconstructs
from workings.report import unsupervised_charts as charts
from workings.report import unsupervised_rows as table_rows
from workings.report import unsupervised_series as of_series
from workings.report.figures import drawn
from workings.report.reading import RunFiles, read_parquet
from workings.report.sections import Section
from workings.report.unsupervised_baselines import run_baselines
from workings.report.unsupervised_pictures import write_pictures
from workings.report.unsupervised_telling import Group, told_apart
from workings.report.words import number, percent
from workings.runs.folder import read_versioned, write_versioned
from workings.runs.outcome import Outcome
from workings.runs.run import Run
from workings.runs.unsupervised import FALSE_ALARMS, anomalous

# What only one kind of net has to show: a module with ``look_further(run, outcome)`` and ``sections(run)``. One with
# ``VARIES`` shows itself what the numbers of the code do.
_MORE: dict[str, str] = {"gan": "workings.report.gan", "rbm": "workings.report.rbm", "vae": "workings.report.vae"}


def look_further(run: Run, outcome: Outcome, emit: Emit) -> None:
    """Write ``baselines.json``, the pictures or rows that the report shows, and the cells of the most unusual."""
    train, test = outcome.train, outcome.test
    if isinstance(test, WindowSource):
        _look_at_series(run, outcome, emit)
        return
    odd = anomalous(run, test)
    told = read_parquet(run.path / "predictions.parquet")
    if isinstance(test, ImageSource):
        assert isinstance(train, ImageSource)
        write_pictures(run, train, test, odd, told, varied=not getattr(_more(run.recipe.net), "VARIES", False))
    elif run.prep.kind == "table":
        table_rows.keep_rows(run, outcome, odd, told, emit)
    if (more := _more(run.recipe.net)) is not None:
        more.look_further(run, outcome)
    baselines: list[dict[str, Any]] = []
    if run.recipe.baselines and not outcome.on_training_rows and isinstance(run.net, Reconstructs):
        d = run.net.code if isinstance(run.net, Codes) else int(np.prod(test.shape)) // 4
        baselines = run_baselines(train, test, odd, d, run.recipe.seed, emit)
    if more is not None and run.recipe.baselines and not outcome.on_training_rows and hasattr(more, "baselines"):
        baselines += more.baselines(run, outcome, emit)
    write_versioned(run.path / "baselines.json", {"baselines": baselines})


def _look_at_series(run: Run, outcome: Outcome, emit: Emit) -> None:
    baselines = of_series.look_further(run, outcome, emit)
    more = _more(run.recipe.net)
    if run.recipe.baselines and not outcome.on_training_rows and hasattr(more, "baselines"):
        baselines += more.baselines(run, of_series.apart(outcome), emit)
    write_versioned(run.path / "baselines.json", {"baselines": baselines})


def sections(run: RunFiles) -> list[Section]:
    """See :class:`workings.report.sections.KindOfReport`."""
    odd = _odd(run)
    more = _more(str(run.recipe.get("net")))
    if run.prepare.get("kind") == "series":
        return [*of_series.sections(run, odd), *(more.sections(run) if more else ())]
    found = [_rebuilt(run), _made(run), _codes(run), *(more.sections(run) if more else ()), _unusual(run, odd)]
    return [each for each in found if each is not None]


def _more(net: str) -> Any:
    return import_module(_MORE[net]) if net in _MORE else None


def _odd(run: RunFiles) -> np.ndarray:
    told, anomalies = run.told, run.prepare.get("anomalies") or []
    if told is None or "label" not in told.columns:
        return np.zeros(0 if told is None else len(told), dtype=bool)
    return np.isin(np.array([str(each) for each in told["label"]], dtype=object), anomalies)


def _rebuilt(run: RunFiles) -> Section | None:
    body = Markup()
    for name, what in (("rebuilt", "Test samples"), ("rebuilt-odd", "Anomalies, which training never saw")):
        if picture := run.pictures.get(f"{name}.png"):
            text = f"{what}, drawn at random"
            body += _picture(picture, text, f"{text}, in the upper row; what the network rebuilds of each, below it.")
    if not body:
        return None
    return Section("rebuilt", "Samples rebuilt", "Above: samples. Below: what the network makes of each.", body)


def _made(run: RunFiles) -> Section | None:
    parts = [
        ("drawn", "New samples", "Drawn by the network, none of them chosen.", "Samples in rows."),
        (
            "nearest",
            "Are they copies?",
            "Above: new samples. Below each: the training sample nearest to it.",
            "New samples in the upper row, the nearest training sample below each.",
        ),
        (
            "on-the-way",
            "In the course of training",
            "Each row is drawn from the same noise, after more steps than the row above it.",
            "Samples, a row for each look at the network in training, the earliest at the top.",
        ),
    ]
    body = Markup()
    for name, title, text, alt in parts:
        if picture := run.pictures.get(f"{name}.png"):
            body += Markup("<h3>{}</h3>").format(title) + _picture(picture, text, alt)
    body += table_rows.drawn_rows(run)
    lead = "What the network makes by itself; the command that makes more is below."
    return Section("made", "Samples made", lead, body) if body else None


def _codes(run: RunFiles) -> Section | None:
    figure = None
    if run.told is not None and "z1" in run.told.columns:
        figure = charts.codes_map(run.told, run.prepare.get("anomalies") or [])
    body = Markup('<div class="charts single">{}</div>').format(drawn(figure)) if figure else Markup()
    if picture := run.pictures.get("varied.png"):
        text = (
            "One test sample. In each row one number of its code goes from 2 standard deviations below its value to 2 "
            "above; the number that differs most among the training samples is in the first row."
        )
        alt = "Rows of images that change from left to right as one number of the code grows."
        body += Markup("<h3>Along the code</h3>") + _picture(picture, text, alt)
    if not body:
        return None
    lead = "Where the test samples lie by their codes: near each other are those that the network takes for alike."
    return Section("codes", "The codes", lead if figure else "What the numbers of the code do.", body)


def _unusual(run: RunFiles, odd: np.ndarray) -> Section | None:
    if run.told is None or "score" not in run.told.columns:
        return None
    path = run.path / "scores.json"
    kept = read_versioned(path) if path.is_file() else {}
    threshold = threshold_of(np.array(kept["regular"]), FALSE_ALARMS) if kept.get("regular") else None
    figure = charts.scores(run.told["score"].to_numpy(), odd, threshold)
    body = Markup('<div class="charts single">{}</div>').format(drawn(figure)) if figure else Markup()
    for group in told_apart(run.told, odd):
        body += Markup("<h3>{}</h3><p>{}</p>").format(group.title, group.text) + _each(run, group)
    lead = "The higher its score, the more unusual a sample is to the network."
    if threshold is not None:
        where = kept.get("on", "validation rows")
        lead += f" The threshold is the score that {percent(FALSE_ALARMS, 0)} of the {where} lie above."
    return Section("unusual", "What is unusual", lead, body)


def _picture(picture: str, text: str, alt: str) -> Markup:
    caption = Markup("<figcaption><p>{}</p></figcaption>").format(text)
    return Markup('<figure>{}<img class="pixels" alt="{}" src="{}"></figure>').format(caption, alt, picture)


def _each(run: RunFiles, group: Group) -> Markup:
    """The samples of a group: pictures, each beside what was rebuilt of it; else lines of a table."""
    assert run.told is not None
    rows = [run.told.row(i, named=True) for i in group.rows]
    pictures = [run.pictures.get(f"sample-{row['row']}.png") for row in rows]
    if not any(pictures):
        return table_rows.lines(rows)
    items = Markup()
    for row, picture in zip(rows, pictures, strict=True):
        label = f"{row['label']}, " if "label" in row else ""
        alt = f"{row['where']}, and what the network rebuilds of it"
        items += Markup('<li><img src="{}" alt="{}"><p>{}score {}</p><p class="muted breaks">{}</p></li>').format(
            picture,
            alt,
            Markup("<strong>{}</strong>, ").format(row["label"]) if label else "",
            number(row["score"], 3),
            row["where"],
        )
    return Markup('<ul class="gallery twos">{}</ul>').format(items)
