"""The sample ``series``: ten years of months, made by a formula and said to be made."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from workings.cli import arguments as given
from workings.cli.words import quoted

MONTHS = 120


def write(out: str | None) -> tuple[str, str]:
    """Write the file; what was written, and the command to try on it."""
    path = write_rows(out, "series.csv", "month,visitors,sunshine", _rows())
    return f"{MONTHS} months in {path}, made by a formula. To train on them:", f"workings train {quoted(path)}"


def write_rows(out: str | None, name: str, head: str, rows: Iterable[tuple[object, ...]]) -> Path:
    """Write a new CSV file, at ``out`` or in the folder that it names, else here; its path."""
    path = Path(out) if out is not None else Path(name)
    path = path if path.suffix == ".csv" else path / name
    given.stop_if_any(given.free(str(path)))

    from workings.base.files import write_text

    path.parent.mkdir(parents=True, exist_ok=True)
    write_text(path, "\n".join([head, *(",".join(map(str, row)) for row in rows)]) + "\n")
    return path


def _rows() -> list[tuple[str, int, float]]:
    """Visitors grow and swing with the year, more so the more they are; the sun follows the year alone."""
    import numpy as np

    rng = np.random.default_rng(7)
    t = np.arange(MONTHS)
    year = 2 * np.pi * (t % 12 - 3) / 12
    sun = 5 + 3 * np.sin(year) + rng.normal(0, 0.5, MONTHS)
    visitors = 200 * np.exp(0.008 * t + 0.3 * np.sin(year - 0.5) + rng.normal(0, 0.04, MONTHS))
    return [
        (f"{2015 + i // 12}-{i % 12 + 1:02}", round(v), round(float(s), 1))
        for i, v, s in zip(t.tolist(), visitors.tolist(), sun.tolist(), strict=True)
    ]
