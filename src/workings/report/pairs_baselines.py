"""What can be written without a net: the source again, always the same text, or a dictionary applied word by word."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workings.base.events import Emit, Phase
from workings.data.pairs.choose import WORDS, spaced_as_written
from workings.learning.intervals import bootstrap
from workings.learning.text_scores import Counted, Floats, compared

MOST_LINKS = 8_000_000  # pairs of a source and a target word within a text, of all training texts together
STEPS = 5  # of expectation and maximisation


def run_pair_baselines(
    train: tuple[Sequence[str], Sequence[str]],
    test: tuple[Sequence[str], Sequence[str]],
    by_character: bool,
    seed: int,
    emit: Emit,
    ours: Sequence[str] = (),
) -> list[dict[str, Any]]:
    """What ``baselines.json`` holds. train, test: sources and targets. ours: what the net wrote for the test sources.

    The best by BLEU gets ``gain``: the 95 % interval of how much better the net is on the same texts.
    """
    results, said = [], []
    for name, make in (
        ("always the commonest target", commonest),
        ("the source, copied", copied),
        ("a dictionary, word by word", dictionary),
    ):
        emit(Phase("evaluating", f"baseline: {name}"))
        began = time.perf_counter()
        written, note = make(train, test[0], by_character, seed)
        parts = compared(test[1], written, by_character)
        metrics = {key: value for part in parts for key, value in part.metrics(part.counts.sum(0)).items()}
        metrics["exact_match"] = float(np.mean([a == b for a, b in zip(test[1], written, strict=True)]))
        seconds = round(time.perf_counter() - began, 3)
        results.append({"name": name, "metrics": metrics, "seconds": seconds, "note": note})
        said.append(parts[0])
    if ours:
        best = max(range(len(results)), key=lambda i: results[i]["metrics"]["bleu"])
        interval = gain(compared(test[1], ours, by_character)[0], said[best], "bleu")
        if interval is not None:
            results[best]["gain"] = {"bleu": interval}
    return results


def gain(ours: Counted, theirs: Counted, name: str) -> list[float] | None:
    """How much better ``ours`` is, both judged on each resample of the same texts; None where it is always the same."""

    def prepare(rows: NDArray[np.intp]) -> Callable[[Floats], dict[str, float]]:
        a, b = ours.counts[rows], theirs.counts[rows]
        return lambda w: {name: ours.metrics(w @ a)[name] - theirs.metrics(w @ b)[name]}

    n = len(ours.counts)
    found = bootstrap(prepare, prepare(np.arange(n))(np.ones(n)), n, None, seed=0)
    return list(found[name]) if name in found else None


Train = tuple[Sequence[str], Sequence[str]]


def commonest(train: Train, sources: Sequence[str], by_character: bool, seed: int) -> tuple[list[str], str]:
    """The target that most training pairs have, for every source."""
    return [Counter(train[1]).most_common(1)[0][0]] * len(sources), ""


def copied(train: Train, sources: Sequence[str], by_character: bool, seed: int) -> tuple[list[str], str]:
    """Each source as it is."""
    return list(sources), ""


def dictionary(train: Train, sources: Sequence[str], by_character: bool, seed: int) -> tuple[list[str], str]:
    """Each word by its likeliest counterpart, in the source's order; a word never seen is copied."""
    order = np.random.default_rng(seed).permutation(len(train[0]))
    s, t = ([_cut(str(side[i]), by_character) for i in order] for side in train)
    links = np.cumsum([(len(a) + 1) * len(b) for a, b in zip(s, t, strict=True)])
    most = max(1, int(np.searchsorted(links, MOST_LINKS, side="right")))
    best = translation_table(s[:most], t[:most])
    texts = [" ".join(best.get(word, word) for word in _cut(text, by_character)) for text in sources]
    texts = ["".join(text.split(" ")) if by_character else spaced_as_written(text) for text in texts]
    note = f"IBM model 1, {STEPS} steps"
    return texts, note if most == len(s) else f"{note}, on {most:,} of {len(s):,} training pairs, drawn at random"


def _cut(text: str, by_character: bool) -> list[str]:
    return list(text) if by_character else WORDS.findall(text)


def translation_table(sources: Sequence[Sequence[str]], targets: Sequence[Sequence[str]]) -> dict[str, str]:
    """argmax over f of t(f|e) for each source word e.

        t(f|e) ∝ Σ over pairs, and over each f in its target, of t(f|e) / Σ_e' t(f|e')

    e' runs over the words of that pair's source and one empty word, which takes what nothing in the source says.
    Brown et al. 1993, model 1; expectation and maximisation from equal t.
    """
    source_number: dict[str, int] = {"": 0}
    target_number: dict[str, int] = {}
    e_parts, f_parts, slots, slot = [], [], [], 0
    for source, target in zip(sources, targets, strict=True):
        e = np.array([0, *(source_number.setdefault(word, len(source_number)) for word in source)])
        f = np.array([target_number.setdefault(word, len(target_number)) for word in target], dtype=np.int64)
        e_parts.append(np.tile(e, len(f)))
        f_parts.append(np.repeat(f, len(e)))
        slots.append(slot + np.repeat(np.arange(len(f)), len(e)))
        slot += len(f)
    if not target_number:
        return {}
    e, f, slot_of = np.concatenate(e_parts), np.concatenate(f_parts), np.concatenate(slots)
    V = len(target_number)
    entries, entry = np.unique(e * V + f, return_inverse=True)
    e_of, f_of = entries // V, entries % V
    t = np.ones(len(entries))
    for _ in range(STEPS):
        p = t[entry]
        p /= np.bincount(slot_of, p)[slot_of]
        count = np.bincount(entry, p, minlength=len(entries))
        t = count / np.bincount(e_of, count)[e_of]
    order = np.lexsort((f_of, -t, e_of))  # by e, then the likeliest first
    first = order[np.r_[True, e_of[order][1:] != e_of[order][:-1]]]
    e_words, f_words = list(source_number), list(target_number)
    return {e_words[int(e_of[i])]: f_words[int(f_of[i])] for i in first if e_of[i] > 0}
