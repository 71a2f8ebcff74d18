"""Nets that learn from samples alone, by their default recipes, through the command line.

python benchmarks/bench_generative.py [vae]

Whatever was chosen was chosen on validation rows; the figures here are of test rows.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from measured import unpacked, workings, write

Row = dict[str, Any]
BINARISED = ("--set", "binarise=0.5")


def row(what: str, value: float, bar: str, met: bool | None, **more: Any) -> Row:
    """One measured figure."""
    return {"what": what, "value": round(value, 4), "bar": bar, "met": met, **more}


def interval(found: dict[str, Any], name: str) -> str:
    """The 95 % interval of a metric over the test samples."""
    low, high = found["intervals"][name]
    return f"{low:.2f} to {high:.2f}"


def vae(folder: Path) -> list[Row]:
    """The variational autoencoder 784-400-20 on binarised digits, 8,000 to train and choose by, 2,000 to test."""
    began = time.perf_counter()
    run = folder / "vae"
    found = workings("train", unpacked("mnist10k"), "--net", "vae", *BINARISED, "--out", run)
    seconds = time.perf_counter() - began
    m, n = found["metrics"], found["rows"]
    active = int(m["active_units"])
    told = "posterior-collapse" in {each["code"] for each in found["problems"]}

    def of(what: str, name: str, bar: str = "reported", met: bool | None = None, **more: Any) -> Row:
        return row(
            f"mnist10k binarised, vae 784-400-20: {what}", m[name], bar, met, n=n, spread=interval(found, name), **more
        )

    return [
        of("−ELBO, nats", "nats_per_sample", "≤ 115", m["nats_per_sample"] <= 115, headline=True),
        of("−ln p by 100 importance samples, nats", "importance_weighted_nats"),
        of("KL, nats", "kl_nats"),
        row("mnist10k binarised, vae 784-400-20: active units of 20", active, "≥ 15, or told", active >= 15 or told),
        row("mnist10k binarised, vae 784-400-20: seconds, whole command", seconds, "≤ 600", seconds <= 600),
    ]


ALL = {each.__name__: each for each in (vae,)}


def main() -> None:
    for name in sys.argv[1:] or list(ALL):
        with tempfile.TemporaryDirectory() as folder:
            write("generative", "python benchmarks/bench_generative.py", ALL[name](Path(folder)))


if __name__ == "__main__":
    main()
