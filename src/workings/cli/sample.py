"""``workings sample``: data that ships inside scikit-learn, as files, to train on without a network."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from workings.base.errors import UserError
from workings.base.problems import unknown_name
from workings.cli import arguments as given
from workings.cli.words import quoted

if TYPE_CHECKING:
    from polars import DataFrame


@dataclass(frozen=True)
class Sample:
    """One data set: what it is, and its target column (pictures have none).

    made: the module whose ``write`` makes it, where it does not ship with scikit-learn.
    """

    text: str
    target: str | None = None
    made: str | None = None


SAMPLES = {
    "iris": Sample("150 flowers, 4 lengths; which of 3 species?", "species"),
    "breast-cancer": Sample("569 tumours, 30 measures of cell nuclei; malignant or benign?", "diagnosis"),
    "wine": Sample("178 wines, 13 chemical measures; which of 3 growers?", "grower"),
    "diabetes": Sample("442 patients, 10 measures; how far has the illness gone a year later?", "progression"),
    "digits": Sample("1,797 pictures of handwritten digits, 8 x 8, a folder a class"),
    "dates": Sample("3,000 dates as people say them, to be written as ISO does", made="workings.cli.sample_dates"),
    "stories": Sample("400 short made stories in one text, to go on with", made="workings.cli.sample_stories"),
    "reviews": Sample("1,500 made reviews, a text each; is the verdict good or bad?", made="workings.cli.sample_texts"),
    "series": Sample("120 months of two made series, to be forecast", made="workings.cli.sample_series"),
    "readings": Sample(
        "2,160 hours of a made pump, some of them faulty; which are unusual?", made="workings.cli.sample_readings"
    ),
    "sound": Sample("144 made tones that rise, fall, stay or beat, a folder a class", made="workings.cli.sample_sound"),
}


def sample(
    name: Annotated[
        str | None, typer.Argument(metavar="[NAME]", help="Which one; without it, they are listed.")
    ] = None,
    out: Annotated[
        str | None,
        typer.Option(metavar="PATH", help="The file to write (for digits, the folder). Default: NAME.csv, or digits/."),
    ] = None,
) -> None:
    """Write a small data set to try things on; all of them ship with Workings or scikit-learn: no network is needed."""
    if name is None:
        for each, about in SAMPLES.items():
            print(f"{each:<15}{about.text}")
        return
    if name not in SAMPLES:
        raise UserError(unknown_name("sample", name, list(SAMPLES)))
    maker = SAMPLES[name].made
    if maker is not None:
        told, command = import_module(maker).write(out)
        print(f"{told}\n  {command}")
        return
    path = Path(out) if out is not None else Path(f"{name}.csv" if SAMPLES[name].target else name)
    if SAMPLES[name].target is None:
        given.stop_if_any(given.free_folder(str(path)))
        rows = _write_pictures(path)
    else:
        path = path if path.suffix == ".csv" else path / f"{name}.csv"
        given.stop_if_any(given.free(str(path)))
        rows = _write_table(name, path)
    target = f" --target {SAMPLES[name].target}" if SAMPLES[name].target else ""
    print(f"{rows:,} {'rows' if target else 'pictures'} in {path}. To train on them:")
    print(f"  workings train {quoted(path)}{target}")


def _write_table(name: str, path: Path) -> int:
    from workings.base.files import write_atomically

    frame = _table(name)
    write_atomically(path, lambda temporary: frame.write_csv(temporary))
    return frame.height


def _table(name: str) -> DataFrame:
    """The bundled arrays with their columns named: lower case, words joined by _, the unit kept."""
    import polars
    from sklearn import datasets

    load: Callable[[], Any] = getattr(datasets, f"load_{name.replace('-', '_')}")
    bundle: Any = load()
    target = SAMPLES[name].target
    assert target is not None
    names = [_column(str(each)) for each in bundle.feature_names]
    columns: dict[str, Any] = dict(zip(names, bundle.data.T, strict=True))
    if name == "diabetes":
        columns[target] = bundle.target
    else:
        columns[target] = [str(bundle.target_names[each]) for each in bundle.target]
    return polars.DataFrame(columns)


def _column(name: str) -> str:
    kept = "".join(letter if letter.isalnum() else " " for letter in name.lower())
    return "_".join(kept.split())


def _write_pictures(path: Path) -> int:
    """Each digit as an 8-bit grey PNG in the folder of its class; the bundled values go from 0 to 16."""
    from PIL import Image
    from sklearn import datasets

    bundle: Any = datasets.load_digits()
    for digit in range(10):
        (path / str(digit)).mkdir(parents=True, exist_ok=True)
    pixels = (bundle.images * 255 / 16).round().astype("uint8")
    for i, (picture, digit) in enumerate(zip(pixels, bundle.target, strict=True)):
        Image.fromarray(picture).save(path / str(digit) / f"{i:04}.png")
    return len(pixels)
