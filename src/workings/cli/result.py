"""What a finished run came to: for ``--json`` as one object, for people as a panel and the next commands."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workings.base.files import read_json
from workings.base.problems import Problem
from workings.cli.words import number, quoted

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

    from workings.api import Run

HIGHER_IS_WORSE = ("loss", "mae", "mse", "rmse", "error", "brier", "calibration", "absolute")
SHOWN = 6  # metrics in the panel; all of them are in the report and in --json


def summary(run: Run, problems: Sequence[Problem]) -> dict[str, Any]:
    """The object of ``train --json``."""
    folder = Path(run.path)
    told = _read(folder / "metrics.json")
    report = folder / "report.html"
    return {
        "run": str(folder),
        "task": _task(run),
        "rows": told.get("rows"),
        "metrics": dict(run.metrics),
        "intervals": told.get("intervals", {}),
        "baselines": _baselines(folder),
        "report": str(report) if report.is_file() else None,
        "problems": [each.to_dict() for each in problems],
    }


def show(run: Run, screen: Console) -> None:
    """The panel of a finished run, and what to type next."""
    from rich import box
    from rich.panel import Panel

    found = summary(run, [])
    folder = found["run"]
    title = f"{Path(folder).name} · {found['task']}"
    screen.print()
    screen.print(
        Panel(
            _body(found), title=f"[bold]{title}[/]", title_align="left", box=box.ROUNDED, width=min(screen.width, 100)
        ),
        soft_wrap=False,
    )
    screen.print("Next:")
    path = quoted(folder)
    for command, what in (
        (f"workings report {path} --open", "read the report" if found["report"] else "write the report"),
        (f"workings evaluate {path} DATA", "the metrics on other rows"),
        (f"workings predict {path} DATA", "one line a row"),
    ):
        screen.print(f"  {command:<44} [dim]# {what}[/]", soft_wrap=True)


def metrics_table(
    metrics: dict[str, float],
    intervals: dict[str, Any],
    baselines: Sequence[dict[str, Any]] = (),
    limit: int | None = None,
) -> RenderableType:
    """Metrics with their 95 % intervals, and the best baseline's value beside them where there is one."""
    from rich.table import Table

    shown = list(metrics)[:limit]
    best = {name: _best(name, baselines) for name in shown}
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim")
    table.add_column("test" if baselines else "metric", no_wrap=True)
    table.add_column("value", justify="right", no_wrap=True)
    table.add_column("95 % interval", no_wrap=True)
    if any(best.values()):
        table.add_column("best baseline", no_wrap=True, overflow="ellipsis")
    for name in shown:
        low_high = intervals.get(name)
        cells = [
            name,
            f"[bold]{number(float(metrics[name]))}[/]",
            f"{number(float(low_high[0]))} – {number(float(low_high[1]))}" if low_high else "",
        ]
        if any(best.values()):
            beside = best[name]
            cells.append(f"{number(beside[0])}  [dim]{beside[1]}[/]" if beside else "")
        table.add_row(*cells)
    return table


def _body(found: dict[str, Any]) -> RenderableType:
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    parts: list[RenderableType] = []
    if found["metrics"]:
        parts.append(metrics_table(found["metrics"], found["intervals"], found["baselines"], SHOWN))
        more = len(found["metrics"]) - SHOWN
        rows = f"on {found['rows']:,} test rows" if found["rows"] else ""
        told = ", ".join(part for part in (rows, f"{more} more in the report" if more > 0 else "") if part)
        parts.append(Text(told, "dim"))
    else:
        parts.append(Text("No rows were held out for testing, so there are no test metrics.", "yellow"))
    places = Table.grid(padding=(0, 2))
    places.add_column(style="dim", no_wrap=True)
    places.add_column(overflow="fold")
    places.add_row("run", Text(str(found["run"])))
    if found["report"]:
        places.add_row("report", Text(str(found["report"])))
    parts += [Text(""), places]
    return Group(*parts)


def _task(run: Run) -> str:
    return str(getattr(run.task, "kind", run.task))


def _read(path: Path) -> dict[str, Any]:
    content = read_json(path) if path.is_file() else {}
    return content if isinstance(content, dict) else {}


def _baselines(folder: Path) -> list[dict[str, Any]]:
    path = folder / "baselines.json"
    content = read_json(path) if path.is_file() else []
    return content.get("baselines", []) if isinstance(content, dict) else content


def _best(name: str, baselines: Sequence[dict[str, Any]]) -> tuple[float, str] | None:
    """The best baseline by one metric: its value and its name."""
    having = [(float(each["metrics"][name]), str(each["name"])) for each in baselines if name in each["metrics"]]
    if not having:
        return None
    lower = any(part in name for part in HIGHER_IS_WORSE)
    return (min if lower else max)(having, key=lambda pair: pair[0])
