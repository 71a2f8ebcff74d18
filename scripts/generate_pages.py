"""Write the docs pages that are made from the code: nets, the parts of learning, the command line, findings.

``--into DIR`` writes them elsewhere, for the test that they are current.
"""

from __future__ import annotations

import argparse
import dataclasses
import inspect
import re
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).parent.parent
MADE = "<!-- Made by `make generate` from the code. Do not edit. -->\n"


def cell(value: Any) -> str:
    """Text fit for a table's cell."""
    return " ".join(str(value).split()).replace("|", "\\|")


def code(value: Any) -> str:
    """A value as a person would type it."""
    if value is None:
        return "–"
    if isinstance(value, tuple | list):
        return f"`{','.join(map(str, value))}`" if value else "none"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    return f"`{value:g}`" if isinstance(value, float) else f"`{value}`"


def table(columns: list[str], rows: list[list[str]]) -> str:
    """A Markdown table."""
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def nets_page() -> str:
    """Every net with its settings, then every activation."""
    from workings import nets
    from workings.nets.activations import ACTIVATIONS
    from workings.nets.registry import TAKES

    parts = [
        f"# Nets\n\n{MADE}\n",
        "Each net is one file in `src/workings/nets/`, written from its equations. Choose one with `--net NAME`, and\n"
        "set it with `--set setting=value`; `workings net NAME --input SHAPE` shows every layer of it. Your own\n"
        "`nn.Module` works too: `--net file.py:ClassName`.\n\n",
        table(
            ["net", "takes", "what it is"],
            [[f"[`{each.name}`](#{each.name})", TAKES[each.takes], cell(each.summary)] for each in nets.infos()],
        ),
    ]
    for each in nets.infos():
        parts.append(
            f"\n## {each.name}\n\n{each.summary[:1].upper()}{each.summary[1:]}. Takes {TAKES[each.takes]}.\n\n"
        )
        if each.settings:
            rows = [[f"`{n}`", code(s.default), cell(s.doc), cell(s.expected())] for n, s in each.settings.items()]
            parts.append(table(["setting", "default", "meaning", "takes"], rows))
        else:
            parts.append("It has no settings.\n")
        if len(each.sizes) > 1:
            said = {
                size: ", ".join(f"`{name}={code(value).strip('`')}`" for name, value in values.items())
                or "the defaults"
                for size, values in each.sizes.items()
            }
            parts.append("\nSizes: " + "; ".join(f"*{size}* is {text}" for size, text in said.items()) + ".\n")
    rows = [[f"`{each.name}`", cell(each.formula), cell(each.derivative_formula)] for each in ACTIVATIONS.values()]
    parts.append("\n## Activations\n\n" + table(["name", "σ(z)", "σ'(z)"], rows))
    return "".join(parts)


def learning_page() -> str:
    """Losses, initialisations, optimisers and schedules, with their equations."""
    from workings.learning import init
    from workings.learning.losses import LOSSES
    from workings.learning.optimisers import OPTIMISERS
    from workings.learning.schedules import SCHEDULES

    def defaults(kind: Any) -> str:
        return ", ".join(f"`{each.name}={each.default}`" for each in dataclasses.fields(kind)) or "–"

    parts = [
        f"# Losses, optimisers, schedules\n\n{MADE}\n",
        "Choose with `--set loss=…`, `--set optimiser=…`, `--set schedule=…`, `--set initialisation=…`. What is not\n"
        "chosen is settled from the data and told.\n",
    ]
    rows = [[f"`{n}`", f"ℓ = {cell(k.formula)}", cell(", ".join(k.tasks)), defaults(k)] for n, k in LOSSES.items()]
    parts.append(
        "\n## Losses\n\nOf one sample; a batch's loss is the weighted mean. *z* are logits, *a* outputs, *t* targets.\n"
        "\n"
    )
    parts.append(table(["name", "equation", "tasks", "settings (`loss_settings`)"], rows))
    rows = [[f"`{n}`", cell(inspect.getdoc(k)), defaults(k)] for n, k in OPTIMISERS.items()]
    parts.append(
        "\n## Optimisers\n\n*g* is the gradient, *w* the parameters, *η* the learning rate, *λ* the weight decay.\n\n"
    )
    parts.append(table(["name", "equation and source", "settings (`optimiser_settings`)"], rows))
    rows = [[f"`{n}`", f"η = {cell(k.formula)}", defaults(k)] for n, k in SCHEDULES.items()]
    parts.append(
        "\n## Schedules\n\n*base* is the learning rate of the recipe, *u* the part of the run that is done.\n\n"
    )
    parts.append(table(["name", "equation", "settings"], rows))
    known = inspect.cleandoc(init.__doc__ or "").partition("\n\n")[2]
    parts.append(f"\n## Initialisations\n\n```{{.text}}\n{known}\n```\n")
    return "".join(parts)


def cli_page() -> str:
    """Every verb with its arguments and options."""
    import typer

    from workings.cli.main import app

    group = typer.main.get_command(app)
    parts = [
        f"# Command line\n\n{MADE}\n",
        "`workings --help` and `workings VERB --help` say the same, without loading anything heavy.\n",
    ]
    for name, verb in group.commands.items():  # type: ignore[attr-defined]
        help_text = re.sub(r"\[/?\w+\]", "", inspect.cleandoc(verb.help or "")).replace("\b", "").strip()
        parts.append(f"\n## {name}\n\n{help_text}\n\n")
        rows = []
        for each in verb.params:
            if each.param_type_name == "argument":
                said = f"`{(each.metavar or each.name).strip('[]')}`"
            else:
                takes = f" {cell(each.metavar)}" if each.metavar else ""
                said = ", ".join(f"`{option}{takes}`" for option in [*each.opts, *each.secondary_opts])
            text = cell(getattr(each, "help", None) or "")
            default = (
                each.default
                if isinstance(each.default, str | int | float) and each.default not in ("", False)
                else None
            )
            rows.append([said, text + (f" Default: {code(default)}." if default is not None else "")])
        parts.append(table(["", ""], rows) if rows else "It takes no options.\n")
    return "".join(parts)


def findings_page() -> str:
    """Every finding: what it is, and its statistics with their thresholds and what healthy runs have."""
    import importlib

    from workings.watching.findings import MODULES

    modules = [importlib.import_module(f"workings.watching.findings.{name}") for name in MODULES]
    parts = [
        f"# Findings\n\n{MADE}\n",
        "What is looked for in every run of Workings and in every loop under `workings.watch`, in the order in which\n"
        "it is told: what is exact first, then what the steps do, then what happens in layers because of it, then\n"
        "what follows from others. A finding is told where the whole interval of a statistic lies at or beyond its\n"
        "threshold. Thresholds come from healthy runs of the calibration part of the bench of faults\n"
        "(`benchmarks/faults`), and are judged on its test part. What may lie behind a finding is shown by\n"
        "experiment: see [the doctor](doctor.md).\n",
    ]
    for module in modules:
        told = inspect.getdoc(module) or ""
        rows = [
            [cell(s.statistic), f"{'at most' if s.least else 'at least'} {s.threshold:g}", cell(s.healthy)]
            for s in module.SYMPTOMS
        ]
        parts.append(f"\n## {module.CODES[0]}\n\n{told}\n\n")
        parts.append(table(["statistic", "told from", "healthy runs"], rows))
        parts.append(f"\nWhat to do: {module.SYMPTOMS[0].do}\n")
    return "".join(parts)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--into", type=Path, default=REPOSITORY / "docs")
    folder = parser.parse_args().into
    pages = {
        "nets.md": nets_page(),
        "learning.md": learning_page(),
        "cli.md": cli_page(),
        "findings.md": findings_page(),
    }
    for name, text in pages.items():
        (folder / name).write_text(text, encoding="utf-8")
        print(folder / name)


if __name__ == "__main__":
    main()
