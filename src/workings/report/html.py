"""A run folder in, one HTML file out: no script, nothing loaded from elsewhere, for screen (light, dark) and paper."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from workings.base.files import write_text
from workings.nets import registry
from workings.report import figures, results, tables
from workings.report.figures import Figure
from workings.report.palette import themes
from workings.report.reading import RunFiles, read_run
from workings.report.record import Record
from workings.report.sections import sections_of
from workings.report.verdict import judge
from workings.report.words import a, count, judged, percent, seconds

CONTENTS = [
    ("asked", "What was asked"),
    ("data", "The data"),
    ("net", "The network"),
    ("curves", "Training"),
    ("test", "Test results"),
    ("mistakes", "Worst mistakes"),
    ("baselines", "Baselines"),
    ("assumed", "What was assumed"),
    ("reproduce", "Reproduce"),
]
LABELS = ("binary", "multiclass", "regression")
LONG = 30  # a table of more lines is folded away until it is asked for


def write_report(run: Path) -> Path:
    """Write ``report.html`` into the run folder from the files in it, whole or not at all; its path.

    Files that are absent are named in the report.

    Raises:
        UserError: ``run`` is no run folder, or files in it are damaged.
    """
    path = Path(run) / "report.html"
    write_text(path, render(read_run(Path(run))))
    return path


def render(run: RunFiles) -> str:
    """The report of a run as HTML."""
    verdict = judge(run)
    problems = _problems(run)
    record = Record(run)
    sections, labels = sections_of(run), run.task in LABELS
    template = _environment().get_template("report.html.j2")
    return template.render(
        title=f"{run.target if run.task != 'unsupervised' else 'Without labels'}: {run.path.resolve().name}",
        heading=f"Predicting {run.target}" if run.task != "unsupervised" else "Learnt without labels",
        run=run,
        data_name=Path(str(run.recipe["data"])).name if run.recipe.get("data") else None,
        card={"rows": None, "path": None, "test_path": None} | run.card,
        split_reason=(run.card.get("split") or {}).get("reason"),
        task=a(run.task).capitalize(),
        judged=judged({"task": run.task, **run.metrics}, str(run.prepare.get("kind"))),
        task_reason=(run.schema.get("task") or {}).get("reason"),
        net={"name": "", "source": None, "shape": []} | run.net,
        made={"command": "", "date": ""} | run.environment,
        version=(run.environment.get("packages") or {}).get("workings", ""),
        verdict=verdict,
        key_figures=_key_figures(run, verdict.metric),
        on_training_rows=run.metrics.get("on") == "training rows",
        settings=tables.settings(run.recipe),
        split=_split(run),
        fields=tables.fields(run),
        balance=tables.balance(run),
        problems=[each for each in problems if each["level"] != "note"],
        assumed=[each for each in problems if each["level"] == "note"],
        skipped=run.card.get("skipped") or [],
        layers=tables.layers(run),
        totals=tables.layer_totals(run),
        curves=record.figures(),
        curve_numbers=record.numbers(),
        stopped=run.metrics.get("stopped"),
        metrics=results.metric_rows(run, verdict.metric),
        methods=sorted(set((run.metrics.get("method") or {}).values())),
        metric_notes=[each for each in run.metrics.get("notes") or [] if each.get("code") != "no-interval"],
        confusion=results.confusion(run.predictions) if run.predictions and run.task in LABELS[:2] else None,
        per_class=results.per_class(run.predictions) if run.predictions and run.task in LABELS[:2] else [],
        charts=_charts(run),
        mistakes=results.mistakes(run),
        labels=labels,
        sections=sections,
        contents=[*CONTENTS[:5], *((each.id, each.title) for each in sections), *CONTENTS[5 if labels else 6 :]],
        contest=results.contest(run, verdict.metric),
        commands=_commands(run),
        about=_about(run),
        phases=[(name, seconds(s)) for name, s in (run.environment.get("seconds") or {}).items()],
        LONG=LONG,
        css=Markup(themes() + _text("report.css")),
    )


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("workings.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["thousands"] = lambda n: f"{n:,}"
    return environment


def _text(name: str) -> str:
    environment = _environment()
    assert environment.loader is not None
    return environment.loader.get_source(environment, name)[0]


def _problems(run: RunFiles) -> list[dict[str, Any]]:
    order = {"error": 0, "warning": 1, "note": 2}
    blank = {"level": "note", "what": "", "where": "", "why": "", "do": ""}
    found = [{**blank, **each} for each in [*(run.card.get("problems") or []), *(run.metrics.get("notes") or [])]]
    unique = {each["what"]: each for each in found}
    return sorted(unique.values(), key=lambda each: order.get(each["level"], 1))


def _key_figures(run: RunFiles, judged_by: str) -> list[tuple[str, str]]:
    """Four figures beside the verdict."""
    rows = results.metric_rows(run, judged_by)
    shown = [(each["words"], each["value"]) for each in rows if not each["headline"]][:2]
    if run.task == "binary":
        wanted = ("accuracy", "roc_auc", "average_precision")
        shown = [(e["words"], e["value"]) for e in rows if e["name"] in wanted and not e["headline"]][:2]
    phases = run.environment.get("seconds") or {}
    if "training" in phases:
        shown.append(("training", seconds(phases["training"])))
    if run.net:
        shown.append(("parameters", tables.layer_totals(run)["parameters"]))
    return shown


def _split(run: RunFiles) -> list[dict[str, Any]]:
    split = run.card.get("split") or {}
    parts = [("training", split.get("train")), ("validation", split.get("val")), ("test", split.get("test"))]
    if split.get("separate_test"):
        parts[2] = ("test, from a file of its own", split["separate_test"])
    known = [(name, int(n)) for name, n in parts if n]
    whole = sum(n for _, n in known)
    return [
        {"name": name, "count": f"{n:,}", "share": percent(n / whole), "bar": round(100 * n / whole, 1)}
        for name, n in known
    ]


def _charts(run: RunFiles) -> list[Figure]:
    found = run.predictions
    if found is None:
        return []
    metrics = run.metrics.get("metrics") or {}
    drawn: list[Callable[[], Figure]] = []
    if run.task == "regression":
        arguments = (found.truth, found.prediction)
        if len(found.truth) > 1 and np.ptp(found.truth) + np.ptp(found.prediction) > 0:
            drawn = [
                lambda: figures.predicted_against_true(*arguments, run.target),
                lambda: figures.residuals_against_predicted(*arguments, run.target),
                lambda: figures.residual_histogram(*arguments),
            ]
    elif found.P is not None and len(found.classes) == 2:
        positive, score, name = found.truth == 1, found.P[:, 1], found.classes[1]
        if positive.any() and not positive.all():
            drawn = [
                lambda: figures.roc(positive, score, metrics.get("roc_auc"), name),
                lambda: figures.precision_recall(positive, score, metrics.get("average_precision"), name),
            ]
        drawn.append(lambda: figures.reliability(positive, score, f"‘{name}’"))
    elif found.P is not None:
        hit = found.truth == found.prediction
        sure = found.P[np.arange(len(hit)), found.prediction]
        drawn = [lambda: figures.reliability(hit, sure, "its answer")]
    return [draw() for draw in drawn]


def _commands(run: RunFiles) -> list[tuple[str, str]]:
    folder = shlex.quote(str(run.path))
    if run.recipe.get("test"):
        evaluate = ("Evaluate on the test rows again", shlex.quote(str(run.recipe["test"])))
    else:
        known = "" if run.task == "unsupervised" else " whose answer is known"
        evaluate = (f"Evaluate on other rows{known}", "DATA")
    again = f"workings train --recipe {shlex.quote(str(run.path / 'recipe.yaml'))}"
    if not run.recipe.get("data"):
        again += "  # trained from Python: give the same data= to workings.train"
    return [
        (evaluate[0], f"workings evaluate {folder} {evaluate[1]}"),
        *_uses(run, folder),
        ("Train again: same recipe, same data, same machine, the same run to the last bit", again),
        ("Write this report anew", f"workings report {folder}"),
    ]


def _uses(run: RunFiles, folder: str) -> list[tuple[str, str]]:
    """What the net can be used for."""
    if run.task != "unsupervised":
        return [("Predict rows whose answer is not known", f"workings predict {folder} DATA --out predictions.csv")]
    net, images = str(run.net.get("name")), run.prepare.get("kind") == "images"
    made = "made" if images else "made.csv"
    found = [("The score and the code of other samples", f"workings predict {folder} DATA --out scores.csv")]
    if registry.can(net, "reconstruct"):
        out = "rebuilt" if images else "rebuilt.csv"
        found.append(("Rebuild other samples", f"workings reconstruct {folder} DATA --out {out}"))
    if registry.can(net, "draw"):
        found.append(("Make new samples", f"workings generate {folder} --samples 100 --out {made}"))
    if registry.can(net, "encode"):
        found.append(("Vary a sample", f"workings generate {folder} --around SAMPLE --spread 0.5 --out {made}"))
    return found


def _about(run: RunFiles) -> list[tuple[str, str]]:
    """Where and with what the run was made."""
    known = run.environment
    packages = known.get("packages") or {}
    found = [
        ("command", known.get("command")),
        ("date", known.get("date")),
        ("processor", known.get("processor")),
        ("machine", known.get("machine")),
        ("threads", f"{known['threads']} of {count(known.get('cores') or 0, 'core')}" if "threads" in known else None),
        ("way of executing a step", run.recipe.get("lane")),
        ("Python", known.get("python")),
        ("packages", ", ".join(f"{name} {version}" for name, version in packages.items())),
        ("sha256 of the data", run.card.get("digest")),
    ]
    return [(name, str(value)) for name, value in found if value]
