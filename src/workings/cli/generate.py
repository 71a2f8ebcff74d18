"""``workings generate``: what a net makes by itself; texts here, samples in ``cli.draw``."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from workings.base.problems import Problem
from workings.cli import arguments as given
from workings.cli.options import ForceRows, Json, Quiet, RunFolder, SamplesOut

if TYPE_CHECKING:
    from workings.api import Run

OF_TEXTS = ("prompt", "length", "temperature", "top_k", "top_p")
OF_SAMPLES = ("around", "spread", "between", "steps", "out", "force")


def generate(
    context: typer.Context,
    run: RunFolder,
    samples: Annotated[
        int | None,
        typer.Option(metavar="N", help="How many. Default: 1 text, or 16 samples.", show_default=False),
    ] = None,
    seed: Annotated[int, typer.Option(metavar="N", help="The same seed makes the same.")] = 0,
    prompt: Annotated[
        str, typer.Option(metavar="TEXT", help="Texts: what to go on from. Default: the end of a line, so a new one.")
    ] = "",
    length: Annotated[
        int, typer.Option(metavar="N", help="Texts: tokens to write: characters, words or pieces.")
    ] = 500,
    temperature: Annotated[
        float, typer.Option(metavar="T", help="Texts: below 1 keeps to the likely, 0 takes the likeliest always.")
    ] = 0.8,
    top_k: Annotated[
        int | None, typer.Option(metavar="K", help="Texts: draw from the K likeliest tokens only.", show_default=False)
    ] = None,
    top_p: Annotated[
        float | None,
        typer.Option(
            metavar="P",
            help="Texts: draw from the fewest tokens that have probability P together.",
            show_default=False,
        ),
    ] = None,
    out: SamplesOut = None,
    force: ForceRows = False,
    around: Annotated[
        str | None,
        typer.Option(
            metavar="SAMPLE",
            help="Variations of this sample: an image, FILE:17 for a row, 17 for a row of the data trained on.",
        ),
    ] = None,
    spread: Annotated[
        float, typer.Option(metavar="S", help="How far variations go; 1 is as far as samples lie apart.")
    ] = 0.5,
    between: Annotated[
        tuple[str, str] | None, typer.Option(metavar="A B", help="The way from one sample to another.")
    ] = None,
    steps: Annotated[int, typer.Option(metavar="N", help="How many on that way, both ends included.")] = 9,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Let a net make something: a language model texts, a net that learnt from samples new samples.

    Texts and rows go to standard output; images, one file each and all of them in grid.png, into a folder.
    """
    said = [name for name in (*OF_TEXTS, *OF_SAMPLES) if _was_said(context, name)]
    problems = [*given.is_run(run), *_clashes(said)]
    given.stop_if_any(problems)

    from workings import api

    opened = api.open_run(run)
    texts = opened.task.kind == "language"
    given.stop_if_any(_of_the_other_kind(opened, said, texts=texts))
    if not texts:
        from workings.cli.draw import Asked, make

        make(opened, Asked(run, samples, seed, around, spread, between, steps, out, force, as_json, quiet))
        return

    from workings.cli import console
    from workings.cli.readers import reading

    how = {"length": length, "temperature": temperature, "top_k": top_k, "top_p": top_p, "seed": seed}
    count = 1 if samples is None else samples
    with reading(quiet=quiet or as_json) as readers:
        written = opened.generate(prompt, samples=count, emit=readers, **how)  # type: ignore[arg-type]
    if as_json:
        told = [each.to_dict() for each in readers.problems]
        console.write_json({"run": run, "prompt": prompt, **how, "texts": written, "problems": told})
        return
    rule = f"{'─' * 20}\n"
    sys.stdout.write(rule.join(f"{prompt}{text}".strip("\n") + "\n" for text in written))


def _was_said(context: typer.Context, name: str) -> bool:
    source = context.get_parameter_source(name)
    return source is not None and source.name == "COMMANDLINE"


def _clashes(said: list[str]) -> list[Problem]:
    """Options that mean nothing together."""
    problems = []
    if {"around", "between"} <= set(said):
        do = "Give one of the two."
        problems.append(Problem("error", "clashing-options", "--around and --between are given both.", do=do))
    for name, of in (("spread", "around"), ("steps", "between")):
        if name in said and of not in said:
            what = f"--{name} is given without --{of}."
            problems.append(Problem("error", "clashing-options", what, do=f"Give --{of} too, or leave it out."))
    return problems


def _of_the_other_kind(opened: Run, said: list[str], *, texts: bool) -> list[Problem]:
    """Options for texts given for samples, or the other way round."""
    wrong = [f"--{name.replace('_', '-')}" for name in said if name in (OF_SAMPLES if texts else OF_TEXTS)]
    if not wrong or (not texts and opened.task.kind != "unsupervised"):
        return []
    is_, are = ("writes texts", "samples") if texts else ("makes samples", "texts")
    what = f"{', '.join(wrong)} {'is' if len(wrong) == 1 else 'are'} for {are}; the net of this run {is_}."
    return [
        Problem("error", "option-of-another-task", what, do="Leave it out." if len(wrong) == 1 else "Leave them out.")
    ]
