"""The verbs of the command line, in the order in which a person meets them.

Help is plain text: it is read in pipes, by screen readers and in 80 columns, and it is there in an instant.
"""

from __future__ import annotations

from typing import Annotated

import typer

from workings.cli.anomalies import anomalies
from workings.cli.check import check
from workings.cli.doctor import doctor
from workings.cli.example import example
from workings.cli.exercise import exercise
from workings.cli.forecast import forecast
from workings.cli.generate import generate
from workings.cli.nets import net, nets
from workings.cli.reconstruct import reconstruct
from workings.cli.sample import sample
from workings.cli.show import show
from workings.cli.train import train
from workings.cli.translate import translate
from workings.cli.use import evaluate, predict, report

app = typer.Typer(
    name="workings",
    rich_markup_mode=None,
    add_completion=False,
    # The group's own --help below has a value from the start; typer's default one has none, and typer would load
    # pydantic to convert it, which takes longer than all the rest.
    add_help_option=False,
    pretty_exceptions_enable=False,
    context_settings={"max_content_width": 100},
)


def _show_help(context: typer.Context, asked: bool) -> None:
    if asked:
        typer.echo(context.get_help())
        raise typer.Exit


def _show_version(asked: bool) -> None:
    if asked:
        import workings

        typer.echo(f"workings {workings.__version__}")
        raise typer.Exit


@app.callback(
    epilog="""\b
First steps:
  workings sample iris                    # writes iris.csv, a table to try
  workings check iris.csv --target species
  workings train iris.csv --target species --out runs/iris
  workings predict runs/iris iris.csv

Exit codes: 0 done, 2 the input is wrong, 130 interrupted (the run can be resumed), 1 a bug in Workings."""
)
def workings_(
    help_: Annotated[
        bool, typer.Option("--help", is_eager=True, callback=_show_help, help="Show this message and exit.")
    ] = False,
    version: Annotated[
        bool, typer.Option("--version", is_eager=True, callback=_show_version, help="Show the version and exit.")
    ] = False,
    debug: Annotated[
        bool, typer.Option("--debug", help="Show the traceback if Workings itself fails. May stand anywhere.")
    ] = False,
) -> None:
    """Deep learning that shows its workings.

    One command from a table or a folder of images to a trained, evaluated, saved network, with a report.
    """


# Each verb in the list of verbs, in few enough words for one line of 80 columns.
_VERBS = {
    "train": (train, "Train a network on your data, test it, keep everything."),
    "check": (check, "Say what is in the data and what is wrong with it."),
    "evaluate": (evaluate, "Judge a trained net on other rows."),
    "predict": (predict, "Predict every row of a file or folder."),
    "anomalies": (anomalies, "Tell which samples are unusual, and why."),
    "forecast": (forecast, "Forecast what comes after a series, with intervals."),
    "generate": (generate, "Let a net make texts, images or rows of a table."),
    "reconstruct": (reconstruct, "Rebuild samples, and say how far each comes out."),
    "translate": (translate, "Write a text for each text, by a net trained on pairs."),
    "show": (show, "Work one learning step through, like a textbook page."),
    "example": (example, "Print a worked example of a textbook; list them."),
    "doctor": (doctor, "Tell what is wrong with a run's training, by what evidence."),
    "exercise": (exercise, "Make a new exercise, with or without its answer."),
    "report": (report, "Write the report of a run anew; open it."),
    "nets": (nets, "List every net with its settings."),
    "net": (net, "Show a net layer by layer."),
    "sample": (sample, "Write a small data set to try things on."),
}

_EXAMPLES = {
    "train": """workings train adult.csv --target income --out runs/adult
workings train photos/ --net cnn --minutes 10 --out runs/photos
workings train house.csv --target price --test later.csv --seed 3
workings train adult.csv --target income --set learning_rate=0.001 --set "hidden=[128, 64]"
workings train adult.csv --target income --net mynet.py:MyNet
workings train photos/ --net autoencoder --out runs/pictures           # without labels
workings train parts/ --task unsupervised --set "anomalies=[scratched]"
workings train --recipe runs/adult/recipe.yaml --out runs/again
workings train --resume runs/adult""",
    "check": """workings check adult.csv --target income
workings check photos/
workings check adult.csv --target income --json""",
    "evaluate": """workings evaluate runs/adult adult-test.csv
workings evaluate runs/photos more-photos/ --json""",
    "predict": """workings predict runs/adult new.csv                        # CSV on standard output
workings predict runs/adult new.csv --out predictions.parquet""",
    "anomalies": """workings anomalies runs/pumps today.csv
workings anomalies runs/pumps today.csv --false-alarms 0.01 --out told.csv
workings anomalies runs/parts photos/ --json""",
    "forecast": """workings forecast runs/airline
workings forecast runs/airline --horizon 24 --out next.csv
workings forecast runs/load --data load-until-today.csv --json""",
    "generate": """workings generate runs/book
workings generate runs/book --prompt "It was" --length 200 --temperature 0.5
workings generate runs/book --top-k 20 --seed 3 --samples 2 --json
workings generate runs/vae --samples 100 --out new-images
workings generate runs/vae --around photo.png --spread 0.3 --out like-it
workings generate runs/vae --between a.png b.png --steps 12 --out from-a-to-b
workings generate runs/patients --samples 500 --seed 1 --out made.csv""",
    "reconstruct": """workings reconstruct runs/vae photos/ --out rebuilt
workings reconstruct runs/patients new.csv                  # CSV on standard output
workings reconstruct runs/patients new.csv --out rebuilt.csv""",
    "translate": """workings translate runs/en-de "A man rides a horse."
workings translate runs/en-de --file new.en --out new.de
workings translate runs/en-de --file new.en --beams 1 --json""",
    "show": """workings show runs/adult --sample 17
workings show runs/photos --sample 3 --layer maps.0 --unit 2,5,5
workings show runs/adult --sample 17 --out step.html""",
    "example": """workings example
workings example W13
workings example W7 --format markdown""",
    "doctor": """workings doctor runs/adult                     # what was seen while it trained
workings doctor runs/adult --minutes 5         # which cause it is, by trials
workings doctor runs/adult --cure --out runs/adult-cured
workings doctor runs/adult --json""",
    "exercise": """workings exercise
workings exercise backpropagation --seed 7 --difficulty 2
workings exercise backpropagation --seed 7 --difficulty 2 --answers
workings exercise lstm --count 5 --out lstm.tex""",
    "report": """workings report runs/adult
workings report runs/adult --open""",
    "nets": """workings nets
workings nets --json""",
    "net": """workings net cnn --input 3x32x32 --outputs 10
workings net mlp --input 20 --set "hidden=[64, 32]"
workings net lstm --input 64 --vocabulary 1000 --outputs 2
workings net mynet.py:MyNet --input 20""",
    "sample": """workings sample                  # what there is
workings sample iris             # writes iris.csv
workings sample digits --out d   # writes a folder of pictures, a folder a class""",
}

for _name, (_verb, _short) in _VERBS.items():
    _lines = "\n".join(f"  {line}" for line in _EXAMPLES[_name].splitlines())
    app.command(_name, short_help=_short, epilog=f"\b\nExamples:\n{_lines}")(_verb)
