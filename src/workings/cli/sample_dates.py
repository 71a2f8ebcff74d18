"""The sample ``dates``: dates as people write them, each with its ISO form, in two files line by line."""

from __future__ import annotations

from pathlib import Path

from workings.cli import arguments as given
from workings.cli.words import quoted

DATES = 3_000


def write(out: str | None) -> tuple[str, str]:
    """Write the two files; what was written, and the command to try on them."""
    folder = Path(out) if out is not None else Path(".")
    files = [folder / "dates.said", folder / "dates.iso"]
    given.stop_if_any([problem for path in files for problem in given.free(str(path))])

    from workings.base.files import write_text

    folder.mkdir(parents=True, exist_ok=True)
    for path, texts in zip(files, zip(*_pairs(), strict=True), strict=True):
        write_text(path, "\n".join(texts) + "\n")
    command = f"workings train {quoted(files[0])} --target {quoted(files[1])}"
    return f"{DATES:,} dates as they are said in {files[0]}, as ISO writes them in {files[1]}. To train:", command


def _pairs() -> list[tuple[str, str]]:
    """Different dates in several ways of writing, drawn from a seed."""
    import calendar
    import random
    from datetime import date, timedelta

    rng = random.Random(7)
    days = rng.sample(range((date(2050, 1, 1) - date(1950, 1, 1)).days), DATES)
    pairs = []
    for day in (date(1950, 1, 1) + timedelta(each) for each in days):
        month, week = calendar.month_name[day.month], calendar.day_name[day.weekday()]
        ways = [
            f"{day.day} {month} {day.year}",
            f"{month} {day.day}, {day.year}",
            f"{week}, {day.day} {month} {day.year}",
            f"{day.day}.{day.month}.{day.year}",
            f"{day.day} {month[:3].lower()} {day.year}",
        ]
        pairs.append((rng.choice(ways), day.isoformat()))
    return pairs
