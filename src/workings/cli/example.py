"""``workings example``: the worked examples of textbooks, by the same rules as any net."""

from __future__ import annotations

from typing import Annotated

import typer

from workings.cli import arguments as given
from workings.cli.show import Force, Format, Out, give_out, output_problems
from workings.cli.use import Json


def example(
    name: Annotated[str | None, typer.Argument(metavar="[NAME]", help="W1 to W15, or mazur.")] = None,
    format_: Format = None,
    out: Out = None,
    force: Force = False,
    as_json: Json = False,
) -> None:
    """List the worked examples, or print one: every step, the figures in print beside it, errata shown as such."""
    given.stop_if_any(output_problems(format_, out, force))

    from workings.cli import console
    from workings.solutions.examples import EXAMPLES
    from workings.solutions.examples import example as find

    if name is not None:
        give_out(find(name).solve(), "json" if as_json else format_, out)
        return
    if as_json:
        console.write_json([{"name": e.name, "title": e.title, "source": e.source} for e in EXAMPLES.values()])
        return
    room = max(len(each) for each in EXAMPLES)
    for each in EXAMPLES.values():
        print(f"{each.name:<{room}}  {each.title}")
