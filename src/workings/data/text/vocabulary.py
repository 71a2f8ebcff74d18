"""The vocabulary of the training texts: which tokens the net knows, and what becomes of the others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from workings.base.problems import Problem
from workings.base.tokens import UNK
from workings.data.text.tokeniser import Tokeniser, Tokens, train_tokeniser

MOST_UNKNOWN = 0.2  # of the training tokens may be unknown for words that occur once to be left out
HARDLY_RECUR = 0.5  # of the training tokens occurring once: too much for words to be learnt
NAMES: dict[Tokens, str] = {"word": "words", "character": "characters", "bpe": "pieces"}


@dataclass
class Vocabulary:
    """A tokeniser, the training texts cut by it, the share of their tokens that it does not know, and what is told."""

    tokeniser: Tokeniser
    tokens: list[np.ndarray]
    unknown: float
    problems: list[Problem] = field(default_factory=list)


def fit_vocabulary(texts: Sequence[str], kind: Tokens, size: int, lowercase: bool) -> Vocabulary:
    """The most frequent tokens of ``texts``, ``size`` at most.

    Words that occur once are left out where enough is known without them: they can teach nothing that will be met
    again, and standing for the unknown they teach what an unknown word means.
    """
    if kind == "bpe":
        tokeniser = train_tokeniser(texts, kind, size, lowercase)
        return Vocabulary(tokeniser, tokeniser.encode(texts), 0.0, [_note(kind, tokeniser.size, size, 0.0, False)])
    tokeniser = train_tokeniser(texts, kind, size, lowercase, least=2)
    tokens = tokeniser.encode(texts)
    unknown = unknown_share(tokens)
    if unknown <= MOST_UNKNOWN:
        return Vocabulary(tokeniser, tokens, unknown, [_note(kind, tokeniser.size, size, unknown, True)])
    once, tokeniser = unknown, train_tokeniser(texts, kind, size, lowercase)
    tokens = tokeniser.encode(texts)
    unknown = unknown_share(tokens)
    problems = [_note(kind, tokeniser.size, size, unknown, False)]
    if once > HARDLY_RECUR:
        what = f"{once:.0%} of the {NAMES[kind]} in the training texts occur once only."
        why = "What is never met again cannot be learnt; the net can only remember it."
        do = "Bring more texts, or cut them into smaller tokens: --set tokens=character."
        problems.append(Problem("warning", "hardly-recurring", what, why=why, do=do))
    return Vocabulary(tokeniser, tokens, unknown, problems)


def unknown_share(tokens: Sequence[np.ndarray]) -> float:
    """The share of all tokens that is unknown."""
    total = sum(len(each) for each in tokens)
    return sum(int((each == UNK).sum()) for each in tokens) / total if total else 0.0


def _note(kind: Tokens, found: int, most: int, unknown: float, often: bool) -> Problem:
    what = f"The vocabulary has {found:,} {NAMES[kind]}, from the training texts"
    if found >= most:
        what += f": the most frequent ones, as many as it may have. {unknown:.1%} of the tokens are unknown."
    elif often and unknown:
        what += f": those that occur twice at least. The others, {unknown:.1%} of the tokens, count as unknown."
    else:
        what += "."
    return Problem("note", "vocabulary", what, do="Change it with --set vocabulary=N or tokens=bpe." if unknown else "")


def cut_problem(tokens: Sequence[np.ndarray], length: int, kind: Tokens, limited: bool) -> list[Problem]:
    """Texts that are longer than the longest sample, the rest of which is not read."""
    longer = [len(each) for each in tokens if len(each) > length]
    if not longer:
        return []
    lost = sum(longer) - length * len(longer)
    total = sum(len(each) for each in tokens)
    most = f"the longest has {max(longer):,}"
    what = f"{len(longer):,} of {len(tokens):,} training texts are cut after {length:,} {NAMES[kind]}; {most}."
    why = f"{lost / total:.1%} of all tokens are not read." + ("" if limited else " It keeps training quick.")
    return [Problem("warning", "cut-texts", what, count=len(longer), why=why, do="Choose another: --set length=N.")]
