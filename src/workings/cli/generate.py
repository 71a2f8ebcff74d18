"""``workings generate``: a text written by a language model."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from workings.cli import arguments as given
from workings.cli.use import Json, Quiet, RunFolder


def generate(
    run: RunFolder,
    prompt: Annotated[
        str, typer.Option(metavar="TEXT", help="What to go on from. Default: the end of a line, so a new one.")
    ] = "",
    length: Annotated[int, typer.Option(metavar="N", help="Tokens to write: characters, words or pieces.")] = 500,
    temperature: Annotated[
        float, typer.Option(metavar="T", help="Below 1 keeps to the likely, 0 takes the likeliest always.")
    ] = 0.8,
    top_k: Annotated[
        int | None, typer.Option(metavar="K", help="Draw from the K likeliest tokens only.", show_default=False)
    ] = None,
    top_p: Annotated[
        float | None,
        typer.Option(
            metavar="P", help="Draw from the fewest tokens that have probability P together.", show_default=False
        ),
    ] = None,
    seed: Annotated[int, typer.Option(metavar="N", help="The same seed writes the same text.")] = 0,
    samples: Annotated[int, typer.Option(metavar="N", help="How many texts.")] = 1,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Let a language model write: the prompt and what comes after it, on standard output."""
    given.stop_if_any(given.is_run(run))

    from workings import api
    from workings.cli import console
    from workings.cli.readers import reading

    how = {"length": length, "temperature": temperature, "top_k": top_k, "top_p": top_p, "seed": seed}
    with reading(quiet=quiet or as_json) as readers:
        texts = api.open_run(run).generate(prompt, samples=samples, emit=readers, **how)  # type: ignore[arg-type]
    if as_json:
        problems = [each.to_dict() for each in readers.problems]
        console.write_json({"run": run, "prompt": prompt, **how, "texts": texts, "problems": problems})
        return
    rule = f"{'─' * 20}\n"
    sys.stdout.write(rule.join(f"{prompt}{text}".strip("\n") + "\n" for text in texts))
