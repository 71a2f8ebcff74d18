"""``workings nets`` and ``workings net``: what can be built, and one net layer by layer."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from workings.base.form import Form
from workings.base.problems import Problem
from workings.cli import arguments as given
from workings.cli.errors import say
from workings.cli.options import Json
from workings.cli.words import folded, typed

if TYPE_CHECKING:
    from rich.console import Console

    from workings.nets import NetInfo


def nets(
    as_json: Json = False,
) -> None:
    """List every net with its settings, their defaults and what they mean."""
    from workings.cli import console
    from workings.nets import registry

    if as_json:
        console.write_json({"nets": [_described(info) for info in registry.infos()]})
        return
    screen = console.results()
    for info in registry.infos():
        _show(info, screen)
    screen.print("To choose one: --net NAME. To set it: --set KEY=VALUE.")
    screen.print("To see one layer by layer: workings net NAME --input 3x32x32")


def net(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A net of `workings nets`, or file.py:ClassName.")],
    input_: Annotated[
        str,
        typer.Option(
            "--input",
            metavar="SHAPE",
            help="Shape of one sample: 20 numbers or tokens, 100x40 for steps x numbers, 3x32x32 for channels first.",
        ),
    ],
    outputs: Annotated[int, typer.Option(metavar="K", help="Outputs: classes, or 1.")] = 1,
    vocabulary: Annotated[
        str | None,
        typer.Option(metavar="N", help="The samples are tokens, of N kinds; N,M for pairs of texts (--input 2xT)."),
    ] = None,
    each_step: Annotated[bool, typer.Option("--each-step", help="Every step of a sequence has an answer.")] = False,
    horizon: Annotated[
        int | None, typer.Option(metavar="H", min=1, help="The samples are series, to be forecast H steps ahead.")
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="A setting of the net; may be given many times."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Show a net layer by layer: output shapes, parameters, multiply-adds, receptive field.

    The size of a convolution's output is (I - F + 2P) / S + 1.
    """
    chosen, problems = given.settings_of(settings or [])
    given.stop_if_any(problems)
    shape = given.shape_of(input_)
    form = Form(given.vocabulary_of(vocabulary), each_step, horizon)

    from workings.cli import console
    from workings.nets import arithmetic, custom, registry
    from workings.nets.table_text import format_table

    if custom.is_custom(name):
        given.stop_if_any(_without_settings(name, chosen) + _without_form(name, form))
        loaded = custom.load(name, shape, outputs)
        built, problems = loaded.net, loaded.problems
    else:
        given.stop_if_any(_misfit(name, shape, form))
        built = registry.build(name, shape, outputs, form, **chosen)
    rows = arithmetic.describe(built, shape)
    total = arithmetic.totals(rows)
    if as_json:
        counted = {"weights": total.weights, "biases": total.biases, "parameters": total.parameters}
        console.write_json(
            {
                "net": name,
                "input": shape,
                "outputs": outputs,
                "form": form.to_dict(),
                "settings": chosen,
                "layers": [row.to_dict() for row in rows],
                "totals": counted | {"multiply_adds": total.multiply_adds, "unknown": total.unknown},
                "problems": [each.to_dict() for each in problems],
            }
        )
        return
    say(problems)
    print(format_table(rows))


def _without_settings(name: str, chosen: dict[str, Any]) -> list[Problem]:
    if not chosen:
        return []
    do = "Give the constructor's parameters defaults, and change those."
    return [Problem("error", "bad-setting", f"--set is for the nets of `workings nets`, not for {name}.", do=do)]


def _without_form(name: str, form: Form) -> list[Problem]:
    if form == Form():
        return []
    what = f"--vocabulary, --each-step and --horizon are for the nets of `workings nets`, not for {name}."
    return [Problem("error", "bad-form", what, do="Leave them out; --input alone says what your net takes.")]


def _misfit(name: str, shape: tuple[int, ...], form: Form) -> list[Problem]:
    """A shape that samples of this form do not have, or that leaves open what a sequence is made of."""
    from workings.nets import registry

    if isinstance(form.vocabulary, tuple) and (len(shape) != 2 or shape[0] != 2):
        what, do = "Pairs of texts have the shape 2xT.", "Write --input 2x20 for texts of up to 20 tokens."
    elif isinstance(form.vocabulary, int) and len(shape) != 1:
        what, do = "A text has the shape T.", "Write --input 20 for texts of up to 20 tokens."
    elif form.vocabulary is not None and form.horizon is not None:
        what, do = "A sample is a text or a series, not both.", "Leave out --vocabulary or --horizon."
    elif form.horizon is not None and len(shape) != 2:
        what, do = "A series has the shape steps x variables.", "Write --input 48x7 for 48 steps of 7 variables."
    elif len(shape) == 1 and form == Form() and registry.info(name).takes in registry.SEQUENCES:
        what = f"The net '{name}' takes {registry.TAKES[registry.info(name).takes]}; say which."
        do = "For texts add --vocabulary N; for frames of numbers write --input 100x40; for series add --horizon H."
    else:
        return []
    return [Problem("error", "bad-shape", what, where=f"--input {'x'.join(map(str, shape))}", do=do)]


def _described(info: NetInfo) -> dict[str, Any]:
    return {
        "name": info.name,
        "summary": info.summary,
        "family": info.family,
        "takes": info.takes,
        "settings": {
            name: {
                "default": setting.default,
                "doc": setting.doc,
                "takes": setting.expected(),
                "choices": list(setting.choices),
                "low": setting.low,
                "high": setting.high,
            }
            for name, setting in info.settings.items()
        },
        "sizes": info.sizes,
    }


def _show(info: NetInfo, screen: Console) -> None:
    """A paragraph a net: what it is, what it takes, then one line a setting."""
    from rich.text import Text

    from workings.nets.registry import TAKES

    width = min(screen.width, 100) if sys.stdout.isatty() else 80
    first, *rest = folded(f"{info.name}  {info.summary}", width, "", " " * (len(info.name) + 2))
    head = Text(first)
    head.stylize("bold", 0, len(info.name))
    lines = [head, *map(Text, rest), Text(f"  takes {TAKES[info.takes]}", "dim")]
    for name, setting in info.settings.items():
        start = f"  {name:<14} = {typed(setting.default):<9}  "
        shown = folded(f"{setting.doc} ({setting.expected()})", width, start, " " * 30)
        line = Text(shown[0])
        line.stylize("cyan", 2, 2 + len(name))
        lines += [line, *map(Text, shown[1:])]
    for line in lines:
        screen.print(line, soft_wrap=True)
    screen.print()
