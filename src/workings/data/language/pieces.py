"""A text cut into pieces: its lines, or parts of lines that are very long. A split runs between pieces."""

from __future__ import annotations

import numpy as np

FEWEST = 100  # a line of more than a hundredth of the text is cut
SHORTEST = 200  # characters below which no line is cut


def codes_of(text: str) -> np.ndarray:
    """(n,) uint32: the code point of each character."""
    return np.frombuffer(text.encode("utf-32-le", errors="surrogatepass"), dtype=np.uint32)


def cut(text: str) -> tuple[np.ndarray, np.ndarray]:
    """Where pieces begin, and the end, (n + 1,); the line that each is of, from 1, (n,)."""
    codes = codes_of(text)
    ends = np.flatnonzero(codes == ord("\n")) + 1
    if not len(ends) or ends[-1] != len(codes):
        ends = np.append(ends, len(codes))
    starts = np.concatenate([[0], ends])
    lines = np.arange(1, len(ends) + 1)
    longest = max(SHORTEST, len(codes) // FEWEST)
    long = np.flatnonzero(np.diff(starts) > longest)
    if not len(long):
        return starts.astype(np.int64), lines
    inside, of = [], []
    for i in long:
        at = int(starts[i])
        while int(starts[i + 1]) - at > longest:
            space = text.rfind(" ", at + longest // 2, at + longest)
            at = space + 1 if space >= 0 else at + longest
            inside.append(at)
            of.append(i + 1)
    order = np.argsort(np.concatenate([starts[:-1], inside]), kind="stable")
    starts_all = np.concatenate([starts[:-1], inside])[order]
    lines_all = np.concatenate([lines, of])[order]
    return np.append(starts_all, len(codes)).astype(np.int64), lines_all.astype(np.int64)


def split_rows(
    starts: np.ndarray, test_fraction: float, val_fraction: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Pieces (train, val, test) by position: shares are of characters, borders between pieces.

    A part that is asked for has one piece at least, as far as there are pieces.
    """
    n, total = len(starts) - 1, int(starts[-1])
    test_at = n
    if test_fraction > 0 and n > 1:
        least = 2 if val_fraction > 0 and n > 2 else 1  # a piece for training, and one for validation
        test_at = int(np.clip(np.searchsorted(starts, total * (1 - test_fraction)), least, n - 1))
    val_at = test_at
    if val_fraction > 0 and test_at > 1:
        edge = total * (1 - test_fraction - val_fraction)
        val_at = int(np.clip(np.searchsorted(starts, edge), 1, test_at - 1))
    rows = np.arange(n, dtype=np.int64)
    return rows[:val_at], rows[val_at:test_at], rows[test_at:]
