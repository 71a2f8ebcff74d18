"""An alignment drawn: a line for each word written, a column for each word read, darker where more was taken."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup, escape

from workings.report.palette import heat_step
from workings.report.words import percent

CELL, WIDE = 17, 7.0  # side of a cell; width of a letter at this size
MOST_LETTERS = 14


def alignment_map(key: str, read: Sequence[str], written: Sequence[str], alpha: Sequence[Sequence[float]]) -> Markup:
    """The heat map as SVG. alpha: a row of shares of ``read`` for each of ``written``."""
    read, written = [_short(word) for word in read], [_short(word) for word in written]
    left = 12 + WIDE * max(map(len, written))
    top = 10 + 0.72 * WIDE * max(map(len, read))
    width = left + CELL * len(read) + 0.72 * WIDE * len(read[-1]) + 8
    height = top + CELL * len(written) + 6
    cells, words = [], []
    for i, row in enumerate(alpha):
        y = top + i * CELL
        words.append(f'<text x="{left - 6:.0f}" y="{y + 12.5:.1f}" text-anchor="end">{escape(written[i])}</text>')
        for j, share in enumerate(row):
            x = left + j * CELL
            title = escape(f"{written[i]} ← {read[j]}: {percent(share, 0)}")
            cells.append(
                f'<rect x="{x:.1f}" y="{y:.1f}" width="{CELL - 1}" height="{CELL - 1}" '
                f'style="fill: var(--heat-{heat_step(share)})"><title>{title}</title></rect>'
            )
    for j, word in enumerate(read):
        x, y = left + j * CELL + 10, top - 5
        words.append(f'<text transform="translate({x:.1f} {y:.1f}) rotate(-45)">{escape(word)}</text>')
    return Markup(
        f'<svg class="plot" viewBox="0 0 {width:.0f} {height:.0f}" role="img" aria-labelledby="{key}-t {key}-d" '
        f'style="max-width: {1.15 * width:.0f}px">'
        f'<title id="{key}-t">Which words were looked at while each was written</title>'
        f'<desc id="{key}-d">{escape(said(read, written, alpha))}</desc>{"".join(cells)}{"".join(words)}</svg>'
    )


def said(read: Sequence[str], written: Sequence[str], alpha: Sequence[Sequence[float]]) -> str:
    """The alignment in words: of each word written, the one most looked at, and how much."""
    parts = []
    for word, row in zip(written, alpha, strict=True):
        j = max(range(len(row)), key=lambda k: row[k])
        parts.append(f"{word} from {read[j]} ({percent(row[j], 0)})")
    return "; ".join(parts) + "."


def _short(word: str) -> str:
    word = "end" if word == "</s>" else word.strip() or "space"
    return word if len(word) <= MOST_LETTERS else word[: MOST_LETTERS - 1] + "…"
