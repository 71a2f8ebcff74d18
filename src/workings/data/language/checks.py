"""What is wrong with a text, or worth knowing, before a net learns to go on with it."""

from __future__ import annotations

import unicodedata
from collections import Counter

import numpy as np

from workings.base.problems import Problem, shorten
from workings.data.language.pieces import codes_of
from workings.data.language.reading import Book

SHORTEST = 200  # characters below which there is nothing to learn
LITTLE = 20_000  # characters below which a net learns spelling at best
LONG_LINE = 30  # characters from which equal lines are no chance
RARE = 3  # occurrences below which little is learnt of a character
SHARED = 0.05


def check_book(book: Book) -> list[Problem]:
    """Problems of a whole text, errors among them."""
    codes, counts = np.unique(codes_of(book.text), return_counts=True)
    n = len(book.text)
    problems = []
    if n < SHORTEST:
        what = f"The text has {n:,} characters; at least {SHORTEST} are needed."
        why = "It is cut into a training, a validation and a test part, and windows of each."
        problems.append(Problem("error", "text-too-short", what, count=n, why=why, do="Bring more text."))
    visible = [chr(code) for code in codes if not chr(code).isspace()]
    if len(visible) == 1:
        what = f"The text has one character only, {named(visible[0])}."
        problems.append(
            Problem("error", "one-character", what, why="There is nothing to predict.", do="Check how it was written.")
        )
    if SHORTEST <= n < LITTLE and len(visible) > 1:
        what = f"The text has {n:,} characters, which is little."
        why = "A net learns to spell from about 100,000 characters, and sentences from far more."
        problems.append(Problem("warning", "little-text", what, count=n, why=why, do="Bring more text of its kind."))
    return problems + _controls(book, codes, counts) + _repeated(book)


def _controls(book: Book, codes: np.ndarray, counts: np.ndarray) -> list[Problem]:
    """Characters that no text has: control characters, and what stands for unreadable ones."""
    bad = {
        chr(code): int(count)
        for code, count in zip(codes, counts, strict=True)
        if (unicodedata.category(chr(code)) == "Cc" and chr(code) not in "\n\t") or chr(code) == "\ufffd"
    }
    if not bad:
        return []
    total = sum(bad.values())
    rows = [i for i in range(len(book)) if any(c in book.text[book.starts[i] : book.starts[i + 1]] for c in bad)]
    what = f"Control characters, or what stands for unreadable ones, {total:,} in all: {shorten(map(named, bad))}."
    where = shorten(book.place(i) for i in rows)
    why = "They are learnt and written like all others; often they are damage."
    return [
        Problem("warning", "control-characters", what, where, total, why, "Remove them, or convert the file again.")
    ]


def long_lines(text: str) -> list[str]:
    """Lines that are too long to be equal by chance, blanks at their ends aside."""
    return [line for line in map(str.strip, text.split("\n")) if len(line) >= LONG_LINE]


def _repeated(book: Book) -> list[Problem]:
    counts = Counter(long_lines(book.text))
    total, again = counts.total(), counts.total() - len(counts)
    if again < max(2, total * 0.01):
        return []
    line, most = counts.most_common(1)[0]
    level = "warning" if again >= total * 0.1 else "note"
    what = f"{again:,} of {total:,} lines of {LONG_LINE} or more characters were there before, word for word."
    where = f"{most:,} times: {line[:60]!r}"
    why = "They count again in training, and in the test part they are known by heart."
    return [Problem(level, "repeated-lines", what, where, again, why, "Remove headers, footers and copies.")]


def shared_lines(known: str, other: str, part: str) -> list[Problem]:
    """Long lines of ``other`` that stand in ``known``, the training part, too."""
    lines = long_lines(other)
    seen = set(long_lines(known))
    shared = [line for line in lines if line in seen]
    if len(shared) < max(1, SHARED * len(lines)):
        return []
    what = f"{len(shared):,} of {len(lines):,} long lines of {part} are lines of the training part too."
    why = "The net may know them by heart, so the figures look better than new text would."
    return [Problem("warning", "shared-lines", what, repr(shared[0][:60]), len(shared), why, "Remove the copies.")]


def rare_characters(text: str) -> list[Problem]:
    """Characters of the training part that occur too rarely to be learnt."""
    codes, counts = np.unique(codes_of(text), return_counts=True)
    rare = [chr(code) for code in codes[counts < RARE]]
    if not rare:
        return []
    what = f"{len(rare):,} of {len(codes):,} characters occur fewer than {RARE} times in the training part."
    why = "Little can be learnt of them."
    return [Problem("note", "rare-characters", what, shorten(map(named, rare), 12), len(rare), why)]


def unknown_characters(known: str, other: str, part: str) -> list[Problem]:
    """Characters of ``other`` that the training part does not have."""
    codes, counts = np.unique(codes_of(other), return_counts=True)
    new = ~np.isin(codes, np.unique(codes_of(known)))
    if not new.any():
        return []
    letters = [chr(code) for code in codes[new]]
    total = int(counts[new].sum())
    what = f"{total:,} characters of {part} do not occur in the training part ({len(letters):,} different ones)."
    why = "Each is read as one and the same unknown token, and counts as a surprise."
    return [Problem("warning", "unknown-characters", what, shorten(map(named, letters), 12), total, why)]


def named(letter: str) -> str:
    """A character as it can be read: itself, or its code and name."""
    if letter != "\ufffd" and letter.isprintable() and not letter.isspace() and not unicodedata.combining(letter):
        return f"'{letter}'"
    return f"U+{ord(letter):04X} {unicodedata.name(letter, '')}".strip()
