"""Texts for texts: copy and reverse to the last symbol, and English to German.

Each through the command line; the translations by the default recipe of their net.

python benchmarks/bench_pairs.py [copy reverse multi30k] [--nets transformer 'dot attention' …]
    [--strings N] [--epochs N]
"""

from __future__ import annotations

import argparse
import random
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from measured import data_folder, workings, write

Row = dict[str, Any]

SYMBOLS = "abcdefghijklmnopqrstuvwxyz"
NEW = 1_000
ATTENTION = ["--net", "encoder-decoder", "--set"]
NETS: dict[str, list[str]] = {
    "fixed context": [*ATTENTION, "attention=none"],
    "dot attention": [*ATTENTION, "attention=dot"],
    "multiplicative attention": [*ATTENTION, "attention=multiplicative"],
    "additive attention": [*ATTENTION, "attention=additive"],
    "dot attention, positions": [*ATTENTION, "attention=dot", "--set", "positions=true"],
    "multiplicative attention, positions": [*ATTENTION, "attention=multiplicative", "--set", "positions=true"],
    "additive attention, positions": [*ATTENTION, "attention=additive", "--set", "positions=true"],
    "transformer": ["--net", "transformer"],
}


# Of strings of symbols, found on validation strings: steps as large as these nets bear, and nets as narrow as learn it.
SYMBOLS_LEARNT = ["--set", "batch_size=128", "--set", "learning_rate=0.003"]
WIDTHS = {"transformer": ["--set", "width=64"]}
WIDTH = ["--set", "width=128", "--set", "embedding=64"]


def write_lines(path: Path, texts: list[str]) -> Path:
    path.write_text("\n".join(texts) + "\n", encoding="utf-8")
    return path


def strings(folder: Path, make: Callable[[str], str]) -> tuple[Path, Path, Path]:
    """Different strings of 5 to 20 symbols: files of sources and targets to train on, and sources that are new."""
    rng, found, known = random.Random(0), set[str](), arguments().strings
    while len(found) < known + NEW:
        found.add("".join(rng.choice(SYMBOLS) for _ in range(rng.randint(5, 20))))
    texts = sorted(found)
    rng.shuffle(texts)
    for name, part in (("train", texts[:known]), ("test", texts[known:])):
        write_lines(folder / f"{name}.given", part)
        write_lines(folder / f"{name}.wanted", [make(text) for text in part])
    return folder / "train.given", folder / "train.wanted", folder / "test.given"


def symbols(folder: Path, task: str, make: Callable[[str], str]) -> list[Row]:
    """Share of new strings that are right to the last symbol."""
    train, target, test = strings(folder, make)
    rows = []
    for name in chosen():
        options = NETS[name]
        began = time.perf_counter()
        # One thread: the small products of such nets gain nothing from more, and two tasks can run side by side.
        options = [*options, "--epochs", arguments().epochs, *SYMBOLS_LEARNT, *WIDTHS.get(name, WIDTH)]
        options += ["--set", "lane=eager@1"]
        options += ["--set", f"val_fraction={2_000 / arguments().strings}", "--set", "baselines=false"]
        found = workings("train", train, "--target", target, "--test", test, *options, "--out", folder / name)
        exact = found["metrics"]["exact_match"]
        print(f"{task}, {name}: {exact:.4f} after {time.perf_counter() - began:.0f} s", flush=True)
        learnt = f"{arguments().epochs:g} × {arguments().strings:,} learnt from"
        bar = "= 1" if name != "fixed context" else "–"
        rows.append(
            {
                "what": f"{task} strings of 5 to 20 symbols, {name}, {learnt}: right to the last symbol",
                "value": round(exact, 4),
                "bar": bar,
                "n": NEW,
                "met": exact == 1 if bar != "–" else None,
                "seconds": round(time.perf_counter() - began, 1),
            }
        )
    return rows


def copy(folder: Path) -> list[Row]:
    return symbols(folder, "copy", str)


def reverse(folder: Path) -> list[Row]:
    return symbols(folder, "reverse", lambda text: text[::-1])


def multi30k(folder: Path) -> list[Row]:
    """BLEU on test_2016_flickr of nets trained for a stated time."""
    data, minutes = data_folder() / "multi30k", arguments().minutes
    rows = []
    for name in (name for name in chosen() if name != "dot attention" and "positions" not in name):
        # As many pairs for validation as the data set's own validation file has.
        options = ["--target", data / "train.de", "--test", data / "test_2016_flickr.en", "--set", "val_fraction=0.035"]
        options += ["--minutes", minutes]
        found = workings("train", data / "train.en", *options, *NETS[name], "--out", folder / name)
        low, high = found["intervals"]["bleu"]
        rows.append(
            {
                "what": f"multi30k en→de, {name}, {minutes:g} min: BLEU",
                "value": round(found["metrics"]["bleu"], 2),
                "bar": "reported",
                "n": 1,
                "spread": f"95 % {low:.1f} to {high:.1f}",
                "met": None,
                "chrf": round(found["metrics"]["chrf"], 2),
                "perplexity": round(found["metrics"]["perplexity"], 2),
            }
        )
    best = {row["what"].split(", ")[1]: row["value"] for row in rows}
    if not {"multiplicative attention", "fixed context"} <= set(best):
        return rows
    gain = best["multiplicative attention"] - best["fixed context"]
    what = "multi30k en→de: BLEU of multiplicative attention over a fixed context"
    rows.append({"what": what, "value": round(gain, 2), "bar": "> 0", "n": 1, "met": gain > 0})
    return rows


ALL = {each.__name__: each for each in (copy, reverse, multi30k)}


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", choices=[[], *ALL], help="all, if none is named")
    parser.add_argument("--nets", nargs="+", choices=list(NETS), default=list(NETS))
    parser.add_argument("--strings", type=int, default=100_000, help="to learn copy and reverse from")
    parser.add_argument("--epochs", type=float, default=8, help="of them")
    parser.add_argument("--minutes", type=float, default=10, help="of training, of each net on multi30k")
    return parser.parse_args()


def chosen() -> list[str]:
    """The nets asked for."""
    return arguments().nets


def main() -> None:
    for name in arguments().parts or list(ALL):
        with tempfile.TemporaryDirectory() as folder:
            write("pairs", "python benchmarks/bench_pairs.py", ALL[name](Path(folder)))


if __name__ == "__main__":
    main()
