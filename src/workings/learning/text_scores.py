"""Texts that were written, compared with those that were meant: BLEU, chrF, word errors, and how sure each figure is.

Every metric here is a function of counts summed over the texts (matching n-grams, edits, tokens), so a resample of the
bootstrap is one product of weights and counts. BLEU (Papineni et al. 2002) and chrF (Popović 2015) are counted and
put together by sacrebleu (Post 2018), whose signature is kept; word errors are aligned by jiwer.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from workings.base.problems import Problem
from workings.learning.intervals import RESAMPLES, bootstrap, wilson
from workings.learning.metrics import Evaluation

Floats = NDArray[np.float64]
ORDER = ("bleu", "chrf", "exact_match", "wer", "token_accuracy", "nats_per_token", "perplexity")


@dataclass(frozen=True)
class Counted:
    """Counts (n, k) of n texts, and the metrics that follow from their sum (k,)."""

    counts: Floats
    metrics: Callable[[Floats], dict[str, float]]
    method: dict[str, str]


def compared(truth: Sequence[str], written: Sequence[str], by_character: bool) -> list[Counted]:
    """BLEU, chrF, and word errors where texts have words. by_character: BLEU takes characters for words."""
    found = [_bleu(truth, written, by_character), _chrf(truth, written)]
    return found if by_character else [*found, _word_errors(truth, written)]


def text_by_text(truth: Sequence[str], written: Sequence[str]) -> Floats:
    """(n,) chrF of each text by itself, 0 to 100."""
    part = _chrf(truth, written)
    return np.array([part.metrics(each)["chrf"] for each in part.counts])


def of_tokens(nats: Floats, hits: Floats, tokens: Floats) -> Counted:
    """Nats per token, perplexity and token accuracy. nats, hits, tokens: (n,), their sums over each text."""

    def metrics(sums: Floats) -> dict[str, float]:
        mean = float(sums[0] / sums[2])
        return {
            "nats_per_token": mean,
            "perplexity": math.exp(min(mean, 700.0)),
            "token_accuracy": float(sums[1] / sums[2]),
        }

    return Counted(np.column_stack([nats, hits, tokens]), metrics, {})


def evaluate_texts(parts: Sequence[Counted], exact: NDArray[np.bool_], how: str, seed: int = 0) -> Evaluation:
    """All metrics with 95 % intervals. exact: (n,), texts that are right to the last token. how: they were written."""
    n = len(exact)
    metrics = {name: value for part in parts for name, value in part.metrics(part.counts.sum(0)).items()}

    def prepare(rows: NDArray[np.intp]) -> Callable[[Floats], dict[str, float]]:
        chosen = [part.counts[rows] for part in parts]

        def resampled(w: Floats) -> dict[str, float]:
            return {
                name: value
                for part, counts in zip(parts, chosen, strict=True)
                for name, value in part.metrics(w @ counts).items()
            }

        return resampled

    intervals = {name: list(each) for name, each in bootstrap(prepare, metrics, n, None, seed).items()} if n > 1 else {}
    told = f"percentile bootstrap over texts, {RESAMPLES:,} resamples, seed {seed}"
    method = dict.fromkeys(intervals, told)
    metrics["exact_match"] = float(exact.mean())
    low, high = wilson(int(exact.sum()), n)
    intervals["exact_match"] = [0.0 if not exact.any() else low, 1.0 if exact.all() else high]
    method["exact_match"] = "Wilson"
    for part in parts:
        for name, text in part.method.items():
            method[name] = "; ".join(filter(None, [method.get(name), text, how]))
    for name in ("exact_match", "wer"):
        if name in metrics:
            method[name] = "; ".join(filter(None, [method.get(name), how]))
    without = [name for name in metrics if name not in intervals]
    notes = []
    if without:
        what = f"No confidence interval for {', '.join(without)} from these {n:,} texts."
        why = "Resampling them always gives the same value, or too often none at all."
        notes.append(Problem("note", "no-interval", what, count=len(without), why=why, do="Evaluate on more texts."))
    ordered = [name for name in ORDER if name in metrics]
    return Evaluation(
        "translation",
        n,
        {name: metrics[name] for name in ordered},
        {name: [float(edge) for edge in intervals[name]] for name in ordered if name in intervals},
        {name: method[name] for name in ordered if name in method},
        notes,
    )


def _bleu(truth: Sequence[str], written: Sequence[str], by_character: bool) -> Counted:
    from sacrebleu.metrics.bleu import BLEU

    # force: texts that look tokenised are meant as they are.
    metric = BLEU(tokenize="char" if by_character else "13a", force=True)
    # Per text: length written, length meant, matching n-grams of 1 … 4, n-grams of 1 … 4.
    counts = np.array(metric._extract_corpus_statistics(list(written), [list(truth)]), dtype=np.float64)

    def metrics(sums: Floats) -> dict[str, float]:
        whole = [round(each) for each in sums.tolist()]
        return {"bleu": float(metric._compute_score_from_stats(whole).score)}

    return Counted(counts, metrics, {"bleu": f"sacrebleu {metric.get_signature()}"})


def _chrf(truth: Sequence[str], written: Sequence[str]) -> Counted:
    from sacrebleu.metrics.chrf import CHRF

    metric = CHRF()
    counts = np.array(metric._extract_corpus_statistics(list(written), [list(truth)]), dtype=np.float64)

    def metrics(sums: Floats) -> dict[str, float]:
        whole = [round(each) for each in sums.tolist()]
        return {"chrf": float(metric._compute_score_from_stats(whole).score)}

    return Counted(counts, metrics, {"chrf": f"sacrebleu {metric.get_signature()}"})


def _word_errors(truth: Sequence[str], written: Sequence[str]) -> Counted:
    import jiwer

    aligned = jiwer.process_words(list(truth), list(written))
    edits, words = [], []
    for chunks, meant in zip(aligned.alignments, aligned.references, strict=True):
        wrong = [chunk for chunk in chunks if chunk.type != "equal"]
        sizes = [max(each.ref_end_idx - each.ref_start_idx, each.hyp_end_idx - each.hyp_start_idx) for each in wrong]
        edits.append(sum(sizes))
        words.append(len(meant))

    def metrics(sums: Floats) -> dict[str, float]:
        return {"wer": float(sums[0] / sums[1])}

    return Counted(np.column_stack([edits, words]).astype(np.float64), metrics, {})
