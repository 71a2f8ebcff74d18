"""Spoken digits by the default recipe, through the command line: at random, and each speaker held out in turn.

python benchmarks/bench_sound.py [random speakers nets]

The choice of net, steps and masks was made on validation recordings; the figures here are of test recordings.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from measured import unpacked, workings, write

Row = dict[str, Any]
SPEAKERS = ("george", "jackson", "lucas", "nicolas", "theo", "yweweler")
AT_RANDOM = ("--set", "pattern={label}_{speaker}_{take}", "--set", "test_fraction=0.1")


def row(what: str, values: list[float], bar: str, met: bool | None, **more: Any) -> Row:
    """One measured figure, with its spread over runs."""
    spread = f"{min(values):.3f} to {max(values):.3f}" if len(values) > 1 else "–"
    value = round(statistics.mean(values), 4)
    return {"what": what, "value": value, "bar": bar, "n": len(values), "spread": spread, "met": met, **more}


def train(folder: Path, name: str, *options: object) -> tuple[dict[str, Any], float]:
    """What one run tells, and how long the whole command took."""
    began = time.perf_counter()
    found = workings("train", unpacked("fsdd") / "recordings", *options, "--out", folder / name)
    return found, time.perf_counter() - began


def random(folder: Path) -> list[Row]:
    """A tenth of the recordings held out at random; every speaker is on both sides."""
    found, seconds = train(folder, "random", *AT_RANDOM)
    accuracy = found["metrics"]["accuracy"]
    return [
        row("fsdd, a tenth held out at random: accuracy", [accuracy], "≥ 0.97", accuracy >= 0.97, headline=True),
        row("fsdd: seconds, whole command", [round(seconds, 1)], "≤ 300", seconds <= 300),
    ]


def speakers(folder: Path) -> list[Row]:
    """Six runs, each tested on a speaker that took no part in training."""
    accuracies = {}
    for name in SPEAKERS:
        options = ("--set", "pattern={label}_{group}_{take}", "--set", f"hold_out={name}")
        accuracies[name] = train(folder, name, *options)[0]["metrics"]["accuracy"]
    rows = [
        row(f"fsdd, speaker {name} held out: accuracy", [value], "reported", None) for name, value in accuracies.items()
    ]
    values = list(accuracies.values())
    return [row("fsdd, leave one speaker out: accuracy", values, "reported", None, headline=True), *rows]


def nets(folder: Path) -> list[Row]:
    """Recurrent nets on the same recordings, at random."""
    rows = []
    for net in ("gru", "lstm"):
        found, _ = train(folder, net, *AT_RANDOM, "--net", net)
        rows.append(row(f"fsdd, at random, {net}: accuracy", [found["metrics"]["accuracy"]], "reported", None))
    return rows


ALL = {each.__name__: each for each in (random, speakers, nets)}


def main() -> None:
    chosen = sys.argv[1:] or list(ALL)
    for name in chosen:
        with tempfile.TemporaryDirectory() as folder:
            write("sound", "python benchmarks/bench_sound.py", ALL[name](Path(folder)))


if __name__ == "__main__":
    main()
