"""What is wrong, or worth knowing, about pairs of texts, before anything is learnt from them."""

from __future__ import annotations

from collections import Counter

import numpy as np

from workings.base.errors import UserError
from workings.base.problems import Problem, shorten
from workings.data.pairs.reading import Pairs

FEWEST = 2
FAR = 4.0  # times the usual ratio of lengths, from which a pair is told
NOTABLE = 20  # characters by which the lengths of such a pair differ at least
# What UTF-8 looks like once it was read as Latin-1 or as Windows-1252, and the mark of what could not be read.
MOJIBAKE = ("Ã¤", "Ã¶", "Ã¼", "ÃŸ", "Ã©", "Ã¨", "Ã ", "Ã±", "â€™", "â€œ", "â€“", "\ufffd")


def same(text: str) -> str:
    """A text as it counts for equality: spaces and case do not matter."""
    return " ".join(text.lower().split())


def checked(pairs: Pairs, on_bad_row: str, fewest: int = FEWEST) -> Pairs:
    """The pairs that can be used, with every problem in ``problems``. ``fewest``: how many there must be.

    Raises:
        UserError: pairs with one side empty where ``on_bad_row`` is refuse; too few pairs.
    """
    pairs, errors = _without_empty(pairs, on_bad_row)
    n = len(pairs.sources)
    if not errors and n < fewest:
        what = f"There are {n} pair(s)."
        errors.append(Problem("error", "too-few-pairs", what, count=n, do=f"Give at least {fewest}."))
    if errors:
        raise UserError(errors)
    for found in (_ratios(pairs), _identical(pairs), _repeated(pairs), *_constant(pairs), *_broken(pairs)):
        if found is not None:
            pairs.problems.append(found)
    return pairs


def _without_empty(pairs: Pairs, on_bad_row: str) -> tuple[Pairs, list[Problem]]:
    assert pairs.targets is not None
    no_source = np.array([not text.strip() for text in pairs.sources], dtype=bool)
    no_target = np.array([not text.strip() for text in pairs.targets], dtype=bool)
    errors = []
    both, one = no_source & no_target, no_source ^ no_target
    if both.any():
        rows = np.flatnonzero(both)
        what = f"{len(rows):,} pair(s) are empty on both sides and are left out."
        where = shorten(pairs.places(rows))
        pairs.problems.append(Problem("note", "empty-pairs", what, where, len(rows)))
    if one.any():
        rows = np.flatnonzero(one)
        counts = [(int((no_source & one).sum()), pairs.source), (int((no_target & one).sum()), pairs.target)]
        sides = " and ".join(f"{count:,} in '{name}'" for count, name in counts if count)
        where, why = shorten(pairs.places(rows)), "A text without a counterpart teaches to write nothing, or anything."
        if on_bad_row == "drop":
            what = f"{len(rows):,} pair(s) with one side empty ({sides}) are left out, as asked."
            pairs.problems.append(Problem("note", "empty-side", what, where, len(rows)))
        else:
            what = f"{len(rows):,} pair(s) have one side empty: {sides}."
            do = "Fill them in, remove the pair from both sides, or leave such pairs out: --set on_bad_row=drop."
            errors.append(Problem("error", "empty-side", what, where, len(rows), why, do))
    gone = no_source | no_target
    return (pairs.kept(~gone) if gone.any() else pairs), errors


def _ratios(pairs: Pairs) -> Problem | None:
    assert pairs.targets is not None
    a = np.array([len(text) for text in pairs.sources], dtype=float)
    b = np.array([len(text) for text in pairs.targets], dtype=float)
    ratio = np.log((b + 1) / (a + 1))
    usual = float(np.median(ratio))
    far = (np.abs(ratio - usual) > np.log(FAR)) & (np.abs(b - a * np.exp(usual)) >= NOTABLE)
    if not far.any():
        return None
    rows = np.flatnonzero(far)
    rows = rows[np.argsort(-np.abs(ratio - usual)[rows], kind="stable")]
    return Problem(
        "warning",
        "length-ratio",
        f"In {len(rows):,} of {len(a):,} pairs one side is over {FAR:g} times longer, beside the other, than is usual.",
        f"{shorten(pairs.places(rows))} (the most extreme first)",
        len(rows),
        "Lines may have slipped, or one side may be cut.",
        "Look at these pairs.",
    )


def _identical(pairs: Pairs) -> Problem | None:
    assert pairs.targets is not None
    rows = [i for i, (a, b) in enumerate(zip(pairs.sources, pairs.targets, strict=True)) if a == b]
    if not rows:
        return None
    n = len(pairs.sources)
    if len(rows) == n:
        return Problem("note", "identical-pairs", "Every target equals its source: the task is to copy.", count=n)
    level = "warning" if len(rows) > 1 and len(rows) > 0.01 * n else "note"
    return Problem(
        level,
        "identical-pairs",
        f"In {len(rows):,} of {n:,} pairs the target equals the source.",
        shorten(pairs.places(rows)),
        len(rows),
        "Lines that were never translated teach to copy.",
        "Look at these pairs.",
    )


def _repeated(pairs: Pairs) -> Problem | None:
    assert pairs.targets is not None
    counts = Counter(map(same, pairs.sources))
    again = sum(count - 1 for count in counts.values())
    if not again:
        return None
    pairs_again = len(pairs.sources) - len(set(zip(map(same, pairs.sources), map(same, pairs.targets), strict=True)))
    what = f"{again:,} source text(s) come again, {pairs_again:,} of them with the same target."
    why = "Equal sources are kept on one side of the split, so that none is tested on that was trained on."
    return Problem("note", "repeated-source", what, count=again, why=why)


def _constant(pairs: Pairs) -> list[Problem | None]:
    found: list[Problem | None] = []
    for name, texts in ((pairs.source, pairs.sources), (pairs.target, pairs.targets or [])):
        if len(set(texts)) == 1:
            what = f"All {len(texts):,} texts of '{name}' are the same."
            why = "Nothing can be learnt from, or about, what never changes."
            found.append(Problem("warning", "constant-text", what, count=len(texts), why=why, do="Look at the data."))
    return found


def _broken(pairs: Pairs) -> list[Problem | None]:
    found: list[Problem | None] = []
    for name, texts in ((pairs.source, pairs.sources), (pairs.target, pairs.targets or [])):
        rows = [i for i, text in enumerate(texts) if any(mark in text for mark in MOJIBAKE)]
        if rows:
            what = f"{len(rows):,} text(s) of '{name}' look as if they had once been read in a wrong encoding."
            why = "A word that is written in two ways is two words to the net."
            do = "Look at these texts, and convert their source anew to UTF-8."
            found.append(Problem("warning", "mojibake", what, shorten(pairs.places(rows)), len(rows), why, do))
    return found
