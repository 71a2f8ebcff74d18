"""``workings exercise``: new exercises of the kinds of the worked examples, with and without the answers."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from workings.base.problems import Problem
from workings.cli import arguments as given
from workings.cli.show import Force, Format, Out, kind_of, output_problems, put, width
from workings.cli.use import Json


def exercise(
    family: Annotated[str | None, typer.Argument(metavar="[FAMILY]", help="One of the list.")] = None,
    seed: Annotated[int, typer.Option(metavar="N", help="Which one: the same seed, the same exercise.")] = 0,
    difficulty: Annotated[int, typer.Option(metavar="1|2|3", help="How much there is to work out.")] = 1,
    answers: Annotated[bool, typer.Option("--answers", help="The answer too, worked through.")] = False,
    count: Annotated[int, typer.Option(metavar="K", help="So many, of seeds N, N + 1 and so on.")] = 1,
    format_: Format = None,
    out: Out = None,
    force: Force = False,
    as_json: Json = False,
) -> None:
    """List the families of exercises, or make new ones, to be worked by hand."""
    asked = answers or out is not None or count != 1 or format_ is not None
    problems = output_problems("json" if as_json else format_, out, force) + _count(count)
    given.stop_if_any(problems + (_no_family() if family is None and asked else []))

    from workings.cli import console
    from workings.solutions.exercises import FAMILIES
    from workings.solutions.exercises import exercise as make
    from workings.solutions.pages import sheet

    if family is None:
        if as_json:
            console.write_json([{"name": f.name, "title": f.title} for f in FAMILIES.values()])
            return
        room = max(map(len, FAMILIES))
        for each in FAMILIES.values():
            print(f"{each.name:<{room}}  {each.title}")
        return
    made = [make(family, seed + k, difficulty) for k in range(count)]
    kind = "json" if as_json else kind_of(format_, out)
    pages = [each.solve() if answers else each.question() for each in made]
    if kind == "json":
        found = [each.to_dict(answers=answers) for each in made]
        put(json.dumps(found[0] if count == 1 else found, ensure_ascii=False, indent=1) + "\n", out)
    else:
        title = made[0].title if count == 1 else f"{FAMILIES[made[0].family].title}: {count} exercises"
        put(sheet(pages, kind, title, width()), out)
    if any(page.failed for page in pages):
        raise typer.Exit(1)


def _count(count: int) -> list[Problem]:
    if 1 <= count <= 1000:
        return []
    return [Problem("error", "bad-value", f"{count} exercises cannot be made.", do="Give --count from 1 to 1000.")]


def _no_family() -> list[Problem]:
    what = "No family is named, so there is no exercise to write."
    return [Problem("error", "no-family", what, do="Name one; 'workings exercise' alone lists them.")]
