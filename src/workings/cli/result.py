"""What a finished run came to: for ``--json`` as one object, for people as a panel and the next commands."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workings.base.problems import Problem
from workings.cli.words import number, quoted

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

    from workings.api import Run

STYLES = {"better": "green", "ahead": "green", "behind": "yellow", "worse": "yellow", "useless": "red"}
SHOWN = 6  # metrics in the panel; all of them are in the report and in --json


def summary(run: Run, problems: Sequence[Problem]) -> dict[str, Any]:
    """The object of ``train --json``."""
    from workings.report.reading import read_run
    from workings.report.verdict import judge
    from workings.report.words import judged

    files = read_run(run.path)
    verdict = judge(files)
    report = Path(run.path) / "report.html"
    return {
        "run": str(run.path),
        "task": run.task.kind,
        "target": run.task.target,
        "rows": files.metrics.get("rows"),
        "counted": judged({"task": run.task.kind, **files.metrics}, run.prep.kind),
        "metrics": dict(run.metrics),
        "intervals": files.metrics.get("intervals", {}),
        "baselines": files.baselines,
        "verdict": {
            "standing": verdict.standing,
            "result": _typed(verdict.result),
            "comparison": _typed(verdict.comparison),
        },
        "report": str(report) if report.is_file() else None,
        "problems": [each.to_dict() for each in problems],
    }


def show(run: Run, screen: Console) -> None:
    """The panel of a finished run, and what to type next."""
    from rich import box
    from rich.markup import escape
    from rich.panel import Panel

    found = summary(run, [])
    width = min(screen.width, 100)
    target = f" of '{run.task.target}'" if run.task.target and found["task"] != "unsupervised" else ""
    title = f"[bold]{escape(Path(run.path).name)} · {found['task']}{escape(target)}[/]"
    body = _body(found, width - 4)
    screen.print()
    screen.print(Panel(body, title=title, title_align="left", box=box.ROUNDED, width=width), soft_wrap=False)
    screen.print("Next:")
    path = quoted(run.path)
    commands = {
        f"workings report {path} --open": "read the report" if found["report"] else "write the report, and read it",
        f"workings evaluate {path} DATA": "the metrics on other rows",
    }
    own: dict[str, tuple[str, str]] = {
        "language": (f"workings generate {path}", "let it write"),
        "forecast": (f"workings forecast {path}", "what comes next"),
        "translation": (f"workings translate {path} TEXT", "what it makes of a text"),
    }
    command, what = own.get(found["task"], (f"workings predict {path} DATA", "one line a row"))
    commands |= _without_labels(run, path) if found["task"] == "unsupervised" else {command: what}
    longest = max(map(len, commands))
    for command, what in commands.items():
        # On a narrow screen the command stays in one piece, ready to be copied.
        fits = longest + 4 + len(max(commands.values(), key=len)) <= width
        typed = escape(f"{command:<{longest}}" if fits else command)
        screen.print(f"  {typed}  [dim]# {what}[/]" if fits else f"  {typed}", soft_wrap=True)


def _without_labels(run: Run, path: str) -> dict[str, str]:
    """The commands that fit what the net can do."""
    from workings.nets import registry

    name, images = run.recipe.net, run.prep.kind == "images"
    out = " --out {}" if images else ""
    found = {}
    if registry.can(name, "draw"):
        found[f"workings generate {path}{out.format('made')}"] = "new samples"
    if registry.can(name, "reconstruct"):
        found[f"workings reconstruct {path} DATA{out.format('rebuilt')}"] = "samples as it rebuilds them"
    if registry.can(name, "unusual"):
        found[f"workings anomalies {path} DATA"] = "what is unusual"
    return found


def metrics_table(
    metrics: dict[str, float],
    intervals: dict[str, Any],
    baselines: Sequence[dict[str, Any]] = (),
    limit: int | None = None,
    width: int = 80,
) -> RenderableType:
    """Metrics with their 95 % intervals, and the best baseline's value beside them where there is one."""
    from rich.table import Table

    rows = []
    for name in list(metrics)[:limit]:
        low_high = intervals.get(name)
        between = f"{number(float(low_high[0]))} – {number(float(low_high[1]))}" if low_high else ""
        rows.append((name, number(float(metrics[name])), between, _best(name, baselines)))
    head = ("test" if baselines else "metric", "value", "95 % interval", "best baseline")
    columns = [max(map(len, column)) for column in zip(head[:3], *(row[:3] for row in rows), strict=True)]
    room = width - sum(columns) - 2 * len(columns)
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim")
    with_baselines = any(row[3] for row in rows)
    for title, align in zip(head[: 4 if with_baselines else 3], ("left", "right", "left", "left"), strict=False):
        table.add_column(title, justify=align, no_wrap=True)  # type: ignore[arg-type]
    for name, value, between, best in rows:
        cells = [name, f"[bold]{value}[/]", between]
        if with_baselines:
            cells.append(_beside(best, room))
        table.add_row(*cells)
    return table


def _beside(best: tuple[float, str] | None, room: int) -> str:
    """A baseline's value and its name, as much of it as there is room for."""
    from rich.markup import escape

    if best is None:
        return ""
    value, name = number(best[0]), best[1]
    left = room - len(value) - 2
    for shorter in (name, name.split(",")[0]):  # "nearest neighbours, k = 10"
        if len(shorter) <= left:
            return f"{value}  [dim]{escape(shorter)}[/]"
    return f"{value}  [dim]{escape(name[: max(left - 1, 0)])}…[/]"


def _body(found: dict[str, Any], width: int) -> RenderableType:
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    verdict = found["verdict"]
    more = len(found["metrics"]) - SHOWN
    which = "" if found["task"] == "forecast" else "test "
    rows = f"on {found['rows']:,} {which}{found['counted']}s" if found["rows"] else ""
    told = ", ".join(part for part in (rows, f"{more} more in the report" if more > 0 else "") if part)
    places = Table.grid(padding=(0, 2))
    places.add_column(style="dim", no_wrap=True)
    places.add_column(overflow="fold")
    places.add_row("run", Text(str(found["run"])))
    if found["report"]:
        places.add_row("report", Text(str(found["report"])))
    return Group(
        Text(f"{verdict['result']} ").append(verdict["comparison"], STYLES.get(verdict["standing"], "")),
        Text(""),
        metrics_table(found["metrics"], found["intervals"], found["baselines"], SHOWN, width),
        Text(told, "dim"),
        Text(""),
        places,
    )


def _typed(text: str) -> str:
    """The report's text with the spaces of a keyboard: terminals disagree on how wide the others are."""
    return text.replace("\N{WORD JOINER}", "").replace("\N{NO-BREAK SPACE}", " ")


def _best(name: str, baselines: Sequence[dict[str, Any]]) -> tuple[float, str] | None:
    """The best baseline by one metric: its value and its name."""
    from workings.learning.metrics import higher_is_better

    having = [(float(each["metrics"][name]), str(each["name"])) for each in baselines if name in each["metrics"]]
    if not having:
        return None
    return (max if higher_is_better(name) else min)(having, key=lambda pair: pair[0])
