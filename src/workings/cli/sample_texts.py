"""``workings sample reviews``: made reviews of films, whose order of words matters as much as the words."""

from __future__ import annotations

import csv
import io
import random
from pathlib import Path

from workings.cli import arguments as given
from workings.cli.words import quoted

REVIEWS = 1_500
THINGS = (
    "the plot, the acting, the score, the ending, the dialogue, the camera, the pace, the cast, the humour, the "
    "first half, the second half, the direction"
).split(", ")
GOOD = "superb, lovely, bright, moving, clever, gripping, funny, warm, sharp, delightful".split(", ")
BAD = "dull, weak, clumsy, tedious, flat, shallow, lifeless, noisy, stale, dreary".split(", ")
LINKS = (" and ", ", while ", "; ", ", and ")
OPENINGS = "On a rainy evening, After all the praise, For a first film, With friends, In an old cinema".split(", ")


def write(out: str | None) -> tuple[str, str]:
    """Write the table; what was written, and the command to train on it."""
    path = Path(out or "reviews.csv")
    path = path if path.suffix == ".csv" else path / "reviews.csv"
    given.stop_if_any(given.free(str(path)))

    from workings.base.files import write_text

    path.parent.mkdir(parents=True, exist_ok=True)
    held = io.StringIO()
    table = csv.writer(held, lineterminator="\n")
    table.writerow(("review", "verdict"))
    table.writerows(reviews(REVIEWS))
    write_text(path, held.getvalue())
    return (
        f"{REVIEWS:,} made reviews in {path}. To train on them:",
        f"workings train {quoted(path)} --target verdict",
    )


def reviews(n: int) -> list[tuple[str, str]]:
    """(text, verdict) of n reviews, the same ones each time; half are good.

    A good review praises more than it blames; "not" turns a word over, so that words alone do not say it.
    """
    draw = random.Random(0)
    made = []
    for k in range(n):
        good = k % 2 == 0
        kinds = [good, good, not good] if draw.random() < 0.5 else [good, good]
        draw.shuffle(kinds)
        parts = [f"{thing} is {_said(kind, draw)}" for thing, kind in zip(draw.sample(THINGS, 3), kinds, strict=False)]
        text = f"{draw.choice(LINKS).join(parts)}."
        text = f"{draw.choice(OPENINGS)}, {text}" if draw.random() < 0.5 else text[0].upper() + text[1:]
        made.append((text, "good" if good else "bad"))
    return made


def _said(praise: bool, draw: random.Random) -> str:
    if draw.random() < 0.35:
        return f"not {draw.choice(BAD if praise else GOOD)}"
    return draw.choice(GOOD if praise else BAD)
