"""Nats a character on tinyshakespeare, each net by the default recipe through the command line.

python benchmarks/bench_language.py [gpt lstm gru] [--minutes 12.5]

The last tenth of the text is held out. Whole commands are to end within 15 minutes, so training has a little less.

The recipe's constants were chosen on validation text from within the other nine tenths.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path
from typing import Any

from measured import data_folder, workings, write

NETS = ("gpt", "lstm", "gru")
BAR, MOST = 1.75, 15 * 60
ABOUT = {
    "nats_per_token": "nats a character",
    "bits_per_character": "bits a character",
    "token_accuracy": "share of characters that were the first choice",
}


def measure(net: str, minutes: float, folder: Path) -> list[dict[str, Any]]:
    """The test metrics of one net, and how long the whole command took, start-up, baselines and report included."""
    began = time.perf_counter()
    options = ["--net", net, "--minutes", minutes, "--set", "test_fraction=0.1", "--out", folder / net]
    found = workings("train", data_folder() / "tinyshakespeare.txt", *options)
    seconds = time.perf_counter() - began
    rows = []
    for name, words in ABOUT.items():
        value, (low, high) = found["metrics"][name], found["intervals"][name]
        row = {"what": f"tinyshakespeare, {net}: {words}", "value": round(value, 4), "n": 1}
        row |= {"spread": f"95 % interval {low:.4f} to {high:.4f}, {found['rows']:,} characters", "bar": "–"}
        if name == "nats_per_token" and net == "gpt":
            row |= {"bar": f"≤ {BAR}", "met": value <= BAR, "headline": True}
        rows.append(row)
    took = {"what": f"tinyshakespeare, {net}: seconds, whole command", "value": round(seconds, 1), "n": 1}
    rows.append({**took, "bar": f"≤ {MOST}", "met": seconds <= MOST})
    return rows + [
        {
            "what": f"tinyshakespeare, {each['name']}: nats a character",
            "value": round(each["metrics"]["nats_per_token"], 4),
            "bar": "–",
            "n": 1,
        }
        for each in found["baselines"]
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("nets", nargs="*", help="those to measure; all of them by default")
    parser.add_argument("--minutes", type=float, default=12.5, help="of training, each")
    chosen = parser.parse_args()
    if unknown := set(chosen.nets) - set(NETS):
        parser.error(f"there is no {unknown.pop()} here; there are {NETS}")
    for net in chosen.nets or NETS:
        with tempfile.TemporaryDirectory() as folder:
            write("language", "python benchmarks/bench_language.py", measure(net, chosen.minutes, Path(folder)))


if __name__ == "__main__":
    main()
