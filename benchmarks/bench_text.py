"""Accuracy of the default recipe on sentences of film reviews, each net through the command line.

python benchmarks/bench_text.py [lstm bidirectional gru transformer-encoder] [--seeds 3]

A tenth of the different sentences of each class is held out, the same for every net and seed. The recipe's constants
were chosen on validation rows within the other nine tenths.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from measured import data_folder, workings, write

NETS: dict[str, list[str]] = {
    "lstm": ["--net", "lstm", "--set", "bidirectional=false"],
    "bidirectional": ["--net", "lstm", "--set", "bidirectional=true"],
    "gru": ["--net", "gru"],
    "transformer-encoder": ["--net", "transformer-encoder"],
}
LEAST, BEST, MINUTES = 0.72, 0.76, 5


def hold_out(folder: Path) -> tuple[Path, Path]:
    """(training, test): a file a class in each; equal sentences are on one side."""
    draw = np.random.default_rng(0)
    for part in ("train", "test"):
        (folder / part).mkdir()
    for name in ("neg", "pos"):
        lines = (data_folder() / "rt-polarity" / f"{name}.txt").read_text(encoding="utf-8").split("\n")
        lines = [line for line in lines if line.strip()]
        different = sorted({plain(line) for line in lines})
        held = set(draw.permutation(different)[: len(different) // 10].tolist())
        for part, kept in (("train", False), ("test", True)):
            chosen = [line for line in lines if (plain(line) in held) == kept]
            (folder / part / f"{name}.txt").write_text("\n".join(chosen) + "\n", encoding="utf-8")
    return folder / "train", folder / "test"


def plain(line: str) -> str:
    """A sentence as it is compared."""
    return " ".join(line.lower().split())


def measure(name: str, seeds: int, folder: Path, train: Path, test: Path) -> list[dict[str, Any]]:
    """Test accuracy of one net, and how long the whole command took, baselines and report included."""
    accuracy, seconds = [], []
    for seed in range(seeds):
        began = time.perf_counter()
        out = folder / f"{name}-{seed}"
        found = workings("train", train, "--test", test, *NETS[name], "--seed", seed, "--out", out)
        accuracy.append(found["metrics"]["accuracy"])
        seconds.append(time.perf_counter() - began)
        print(f"{name}, seed {seed}: {accuracy[-1]:.4f} in {seconds[-1]:.0f} s", flush=True)
    spread = f"sd {statistics.stdev(accuracy):.4f}" if seeds > 1 else "–"
    value, slowest = statistics.mean(accuracy), max(seconds)
    return [
        {
            "what": f"rt-polarity, {name}: accuracy",
            "value": round(value, 4),
            "bar": f"≥ {LEAST}",
            "n": seeds,
            "spread": spread,
            "met": value >= LEAST,
        },
        {
            "what": f"rt-polarity, {name}: seconds, whole command",
            "value": round(slowest, 1),
            "bar": f"≤ {60 * MINUTES}",
            "n": seeds,
            "spread": f"{min(seconds):.1f} to {slowest:.1f}",
            "met": slowest <= 60 * MINUTES,
        },
    ]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("nets", nargs="*", choices=[*NETS, []], default=[])
    parser.add_argument("--seeds", type=int, default=3)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        train, test = hold_out(folder)
        rows = [row for net in asked.nets or NETS for row in measure(net, asked.seeds, folder, train, test)]
    figures = {row["what"]: row["value"] for row in rows if row["what"].endswith("accuracy")}
    if len(figures) == len(NETS):
        best = max(figures, key=lambda what: figures[what])
        rows.append(
            {
                "what": "rt-polarity, best of the nets: accuracy",
                "value": figures[best],
                "bar": f"≥ {BEST}",
                "n": asked.seeds,
                "spread": best.removeprefix("rt-polarity, ").removesuffix(": accuracy"),
                "met": figures[best] >= BEST,
                "headline": True,
            }
        )
    write("text", "python benchmarks/bench_text.py", rows)


if __name__ == "__main__":
    main()
