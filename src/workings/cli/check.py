"""``workings check``: what is in the data and everything that is wrong with it, before any training."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from workings.base.problems import Problem
from workings.cli import arguments as given
from workings.cli.errors import WRONG_INPUT
from workings.cli.options import Json, Target, Task

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

    from workings.data.dataset import Dataset
    from workings.data.schema import Field


def check(
    data: Annotated[str, typer.Argument(metavar="DATA", help="What you would give to `workings train`.")],
    target: Target = None,
    task: Task = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="How to read the data, as for `workings train`."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Say what is in the data and every problem it has, without training.

    Exits with 2 if anything would stop a training run.
    """
    options, problems = given.settings_of(settings or [])
    given.stop_if_any([*given.existing(data), *given.one_of("task", task, given.TASKS), *problems])

    from workings import api
    from workings.cli import console
    from workings.cli.readers import reading

    with reading(quiet=True) as readers:
        dataset, problems = api.check(data, target=target, task=task, emit=readers, **options)
    if as_json:
        console.write_json(_summary(data, dataset, problems))
    else:
        _show(data, dataset, problems, console.results())
    if any(each.level == "error" for each in problems):
        raise typer.Exit(WRONG_INPUT)


def _summary(data: str, dataset: Dataset | None, problems: Sequence[Problem]) -> dict[str, Any]:
    found: dict[str, Any] = {"data": data, "problems": [each.to_dict() for each in problems]}
    errors = [each.to_dict() for each in problems if each.level == "error"]
    if errors:
        found["error"] = errors
    if dataset is not None:
        task = dataset.task
        found |= {
            "kind": dataset.kind,
            "rows": dataset.n,
            "task": {"kind": task.kind, "target": task.target, "classes": task.classes, "reason": task.reason},
            "class_counts": dataset.class_counts,
            "schema": dataset.schema.model_dump(mode="json"),
        }
    return found


def _show(data: str, dataset: Dataset | None, problems: Sequence[Problem], screen: Console) -> None:
    from rich.markup import escape

    from workings.cli.telling import noticed
    from workings.cli.words import folded

    if dataset is not None:
        task = dataset.task
        screen.print(f"[bold]{escape(data)}[/]  {dataset.n:,} {dataset.counted}", soft_wrap=True)
        role = "judged by" if task.kind == "unsupervised" else "target"
        target = f"{task.kind}, {role} '{task.target}'" if task.target else task.kind
        target += f", anomalies {', '.join(task.anomalies)}" if task.anomalies else ""
        for line in folded(f"Task: {target} — {task.reason}", screen.width, "", "      "):
            screen.print(line, soft_wrap=True, markup=False)
        screen.print()
        if dataset.schema.fields or dataset.class_counts:
            screen.print(_fields(dataset) if dataset.schema.fields else _classes(dataset))
            screen.print()
    counts = {level: sum(each.level == level for each in problems) for level in ("error", "warning", "note")}
    if not problems:
        screen.print("No problems found.")
        return
    screen.print(
        ", ".join(f"{count} {level}{'s' if count > 1 else ''}" for level, count in counts.items() if count) + ":"
    )
    order = {"error": 0, "warning": 1, "note": 2}
    for problem in sorted(problems, key=lambda each: order[each.level]):
        for line in noticed(problem, screen.width):
            screen.print(line, soft_wrap=True)


SHOWN = 60  # fields; a table of pixels has hundreds, all alike


def _fields(dataset: Dataset) -> RenderableType:
    """One line a field: its kind, what is missing, what it holds, and why it is left out if it is."""
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    fields = dataset.schema.fields
    longest = max(len(field.name) for field in fields[:SHOWN])
    # What a field holds takes the room that is left, and is cut first.
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim", expand=True)
    table.add_column("field", no_wrap=True, overflow="ellipsis", width=min(max(longest, 5), 28))
    table.add_column("kind", no_wrap=True, width=11)
    table.add_column("missing", justify="right", no_wrap=True, width=7)
    table.add_column("distinct", justify="right", no_wrap=True, width=8)
    table.add_column("holds", ratio=1, no_wrap=True, overflow="ellipsis")
    for field in fields[:SHOWN]:
        is_target = field.name == dataset.task.target
        style = "bold" if is_target else "" if field.used else "dim"
        told = field.used or is_target or dataset.kind == "sound"  # of recordings a field is no column, but a fact
        about = "≈" if field.distinct_is_estimate else ""
        table.add_row(
            Text(field.name, style),
            Text(_role(dataset) if is_target else field.kind, style),
            Text(f"{field.missing:,}" if field.missing else "", "yellow"),
            Text(f"{about}{field.distinct:,}" if field.distinct else "", style),
            Text(_content(field) if told else f"not used: {field.reason}", style),
        )
    if len(fields) <= SHOWN:
        return table
    return Group(table, Text(f"and {len(fields) - SHOWN:,} more fields; --json lists them all", "dim"))


def _role(dataset: Dataset) -> str:
    return "judges" if dataset.task.kind == "unsupervised" else "target"


def _classes(dataset: Dataset) -> RenderableType:
    """How many samples there are of each class."""
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim")
    table.add_column("class", no_wrap=True, overflow="ellipsis", max_width=40)
    table.add_column(dataset.counted, justify="right", no_wrap=True)
    counts = list(dataset.class_counts.items())
    for name, count in counts[:SHOWN]:
        table.add_row(Text(name), f"{count:,}")
    if len(counts) > SHOWN:
        table.add_row(f"and {len(counts) - SHOWN:,} more classes", f"{sum(n for _, n in counts[SHOWN:]):,}")
    return table


def _content(field: Field) -> str:
    """The range of numbers, or the most frequent values with their counts."""
    from workings.cli.words import number

    if field.min is not None and field.max is not None:
        mean = f", mean {number(float(field.mean))}" if field.mean is not None else ""
        return f"{number(float(field.min))} … {number(float(field.max))}{mean}"
    return ", ".join(f"{text or 'empty'} {count:,}" for text, count in field.top[:5])
