"""Forecasts by the default recipe on real series, through the command line; simple forecasts beside them.

python benchmarks/bench_series.py [airline] [ett] [temperatures]
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from measured import data_folder, workings, write

SEEDS = (0, 1, 2)
Row = dict[str, Any]


def runs(folder: Path, name: str, *options: object) -> list[dict[str, Any]]:
    """What each seed's training told."""
    data = data_folder() / "series" / f"{name}.csv"
    return [
        workings("train", data, *options, "--seed", seed, "--out", folder / f"{name}-{len(options)}-{seed}")
        for seed in SEEDS
    ]


def rows(
    what: str, told: list[dict[str, Any]], metric: str, bar: str = "", below: float = 0.0, **more: Any
) -> list[Row]:
    """The net's row, and one for each simple forecast from the same origins."""
    values = [each["metrics"][metric] for each in told]
    mean = sum(values) / len(values)
    simple = {each["name"]: each["metrics"][metric] for each in told[0]["baselines"] if each["metrics"]}
    found: list[Row] = [
        {
            "what": f"{what}: {metric}",
            "value": round(mean, 4),
            "n": len(values),
            "spread": f"{min(values):.4f} to {max(values):.4f}",
            **({"bar": bar, "met": max(values) < below} if bar else {}),
            **more,
        }
    ]
    return found + [
        {"what": f"{what}: {metric} of {name}", "value": round(value, 4), "n": 1} for name, value in simple.items()
    ]


def airline(folder: Path) -> list[Row]:
    found = []
    for horizon, headline in ((12, True), (24, False)):
        told = runs(folder / str(horizon), "airline-passengers", "--horizon", horizon, "--set", "split=[96,24,24]")
        simple = next(each for each in told[0]["baselines"] if each["name"] == "seasonal naive")
        below = min(1.0, simple["metrics"]["mase"])
        origins = f"{told[0]['rows']} origin{'s' * (told[0]['rows'] > 1)}"
        what = f"airline, last 24 months, {horizon} months ahead from {origins}"
        found += rows(what, told, "mase", "< 1 and < seasonal naive", below, headline=headline)
    return found


def ett(folder: Path) -> list[Row]:
    told = runs(folder, "ETTh1", "--horizon", 96, "--set", "split=[8640,2880,2880]")
    what = "ETTh1, 7 variables, 96 hours ahead, standard split"
    found = rows(what, told, "mse", "< 0.40", 0.40, headline=True)
    return found + rows(what, told, "mae")[:1]


def temperatures(folder: Path) -> list[Row]:
    told = runs(folder, "daily-min-temperatures", "--set", "fill=linear")
    return rows("daily temperatures, newest fifth, 7 days ahead", told, "mase")


ALL: dict[str, Callable[[Path], list[Row]]] = {each.__name__: each for each in (airline, ett, temperatures)}


def main() -> None:
    for name in sys.argv[1:] or list(ALL):
        with tempfile.TemporaryDirectory() as folder:
            write("series", "python benchmarks/bench_series.py", ALL[name](Path(folder)))


if __name__ == "__main__":
    main()
