"""The sample ``readings``: ninety days of a pump, hour by hour, made by a formula and said to be made; some hours are
marked as faulty."""

from __future__ import annotations

from workings.cli.sample_series import write_rows
from workings.cli.words import quoted

DAYS = 90
# The first hour of each fault, its hours, and what it does.
FAULTS = (
    (500, 6, "leak"),
    (1760, 1, "spike"),
    (1812, 30, "stuck"),
    (1880, 1, "spike"),
    (1935, 24, "leak"),
    (2010, 12, "at night"),
    (2060, 20, "leak"),
    (2110, 1, "spike"),
)


def write(out: str | None) -> tuple[str, str]:
    """Write the file; what was written, and the command to try on it."""
    path = write_rows(out, "readings.csv", "time,flow,pressure,current,state", _rows())
    faulty = sum(hours for _, hours, _ in FAULTS)
    told = f"{24 * DAYS:,} hours in {path}, {faulty} of them faulty, made by a formula. To learn what is usual:"
    command = f"workings train {quoted(path)} --task unsupervised --target state --set 'anomalies=[faulty]'"
    return told, command


def _rows() -> list[tuple[object, ...]]:
    """Flow follows the day; pressure falls and current rises with it. A fault breaks one of these."""
    import numpy as np

    rng = np.random.default_rng(11)
    n = 24 * DAYS
    t = np.arange(n)
    day = 2 * np.pi * (t % 24 - 8) / 24
    week = np.where(t // 24 % 7 >= 5, 0.8, 1.0)
    flow = week * (20 + 8 * np.sin(day) + 2 * np.sin(2 * day)) + rng.normal(0, 0.5, n)
    faulty = np.zeros(n, dtype=bool)
    stuck = slice(0, 0)
    for first, hours, what in FAULTS:
        part = slice(first, first + hours)
        faulty[part] = True
        if what == "at night":
            flow[part] = flow[first + 12 : first + 12 + hours].copy()
        stuck = part if what == "stuck" else stuck
    pressure = 6 - 0.08 * flow + rng.normal(0, 0.06, n)
    current = 3 + 0.25 * flow + rng.normal(0, 0.15, n)
    for first, hours, what in FAULTS:
        if what == "leak":
            pressure[first : first + hours] -= 0.7
        if what == "spike":
            current[first] += 4
    pressure[stuck] = pressure[stuck.start]
    moments = np.datetime64("2025-03-01T00") + t.astype("timedelta64[h]")
    times = [str(each).replace("T", " ") + ":00" for each in moments]
    states = np.where(faulty, "faulty", "well").tolist()
    numbers = [np.round(each, 2).tolist() for each in (flow, pressure, current)]
    return list(zip(times, *numbers, states, strict=True))
