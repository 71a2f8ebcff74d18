"""Nets that learn from samples alone, by their default recipes, through the command line.

python benchmarks/bench_generative.py [vae gan anomaly series_anomalies dbn rbm]

Whatever was chosen was chosen on validation rows; the figures here are of test rows.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import polars
from generative_anomalies import anomaly, series_anomalies
from generative_boltzmann import dbn, rbm
from generative_rows import Row, interval, row
from measured import unpacked, workings, write

BINARISED = ("--set", "binarise=0.5")


def vae(folder: Path) -> list[Row]:
    """The variational autoencoder 784-400-20 on binarised digits, 8,000 to train and choose by, 2,000 to test."""
    from workings.runs.measure_vae import MOST_WEIGHED

    began = time.perf_counter()
    run = folder / "vae"
    found = workings("train", unpacked("mnist10k"), "--net", "vae", *BINARISED, "--out", run)
    seconds = time.perf_counter() - began
    m, n = found["metrics"], found["rows"]
    active = int(m["active_units"])
    told = "posterior-collapse" in {each["code"] for each in found["problems"]}

    def of(what: str, name: str, bar: str = "reported", met: bool | None = None, **more: Any) -> Row:
        more = {"n": n, "spread": interval(found, name)} | more
        return row(f"mnist10k binarised, vae 784-400-20: {what}", m[name], bar, met, **more)

    return [
        of("−ELBO, nats", "nats_per_sample", "≤ 115", m["nats_per_sample"] <= 115, headline=True),
        of("−ln p by 100 importance samples, nats", "importance_weighted_nats", n=min(n, MOST_WEIGHED)),
        of("KL, nats", "kl_nats"),
        row("mnist10k binarised, vae 784-400-20: active units of 20", active, "≥ 15, or told", active >= 15 or told),
        row("mnist10k binarised, vae 784-400-20: seconds, whole command", seconds, "≤ 600", seconds <= 600),
    ]


def gan(folder: Path) -> list[Row]:
    """Digits by the default recipe, their classes named by a net trained in the run; and eight Gaussians on a ring."""
    began = time.perf_counter()
    found = workings("train", unpacked("mnist10k"), "--net", "gan", "--out", folder / "gan")
    seconds = time.perf_counter() - began
    m = found["metrics"]
    sure = m["judge_accuracy"] >= 0.98
    rows = [
        row("mnist10k, gan: digits among 2,000 draws", m["modes_found"], "10", m["modes_found"] == 10 and sure),
        row("mnist10k, gan: share of the rarest digit", m["rarest_share"], "≥ 0.03", m["rarest_share"] >= 0.03 and sure,
            n=2000, spread=interval(found, "rarest_share"), headline=True),
        row("mnist10k, gan: accuracy of the net that names digits", m["judge_accuracy"], "≥ 0.98", sure),
        row("mnist10k, gan: seconds, whole command", seconds, "≤ 900", seconds <= 900),
    ]  # fmt: skip
    for name in ("draws_coverage", "draws_precision", "draws_recall"):
        rows.append(row(f"mnist10k, gan: {name}", m[name], "reported", None, spread=interval(found, name)))
    return rows + _ring(folder)


def _ring(folder: Path) -> list[Row]:
    """A table of two columns, 5,000 rows: eight Gaussians of deviation 0.05 on a circle of radius 1."""
    rng = np.random.default_rng(0)
    angles = np.arange(8) * np.pi / 4
    centres = np.column_stack([np.cos(angles), np.sin(angles)])
    points = centres[rng.integers(0, 8, 5000)] + 0.05 * rng.normal(size=(5000, 2))
    polars.DataFrame(points, schema=["x", "y"]).write_csv(folder / "ring.csv")
    began = time.perf_counter()
    workings("train", folder / "ring.csv", "--net", "gan", "--out", folder / "ring")
    seconds = time.perf_counter() - began
    workings("generate", folder / "ring", "--samples", 2000, "--out", folder / "drawn.csv")
    drawn = polars.read_csv(folder / "drawn.csv").select("x", "y").to_numpy()
    apart = np.linalg.norm(drawn[:, None] - centres, axis=2)
    near = apart.min(1) <= 3 * 0.05
    shares = np.bincount(apart.argmin(1)[near], minlength=8) / len(drawn)
    modes = int((shares >= 0.01).sum())
    what = "ring of 8 Gaussians, gan"
    return [
        row(f"{what}: modes with 1 % of 2,000 draws", modes, "8", modes == 8, headline=True),
        row(f"{what}: share of the rarest mode", float(shares.min()), "reported", None),
        row(f"{what}: draws within 3 deviations of a mode", float(near.mean()), "reported", None),
        row(f"{what}: seconds, training", seconds, "reported", None),
    ]


ALL = {each.__name__: each for each in (vae, gan, anomaly, series_anomalies, dbn, rbm)}


def main() -> None:
    for name in sys.argv[1:] or list(ALL):
        with tempfile.TemporaryDirectory() as folder:
            write("generative", "python benchmarks/bench_generative.py", ALL[name](Path(folder)))


if __name__ == "__main__":
    main()
