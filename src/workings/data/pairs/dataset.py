"""Pairs of texts as a dataset."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from workings.base.problems import Problem, shorten
from workings.base.tokens import UNK
from workings.data.dataset import Dataset
from workings.data.pairs.checks import same
from workings.data.pairs.choose import choose_tokens, most_tokens
from workings.data.pairs.prepare import PairsPreparation
from workings.data.pairs.reading import Pairs
from workings.data.pairs.sources import PairSource
from workings.data.schema import Field, Schema, Task
from workings.data.source import Source
from workings.data.split import Split, stratified_split
from workings.data.text.tokeniser import train_tokeniser

LONGEST = {"word": 256, "bpe": 256, "character": 1_024}
ROOM = 1.25  # times the longest training text: a new one that is a little longer need not be cut
NOTABLE_UNKNOWN = 0.05


class PairsDataset(Dataset):
    """Texts, each with the text that is to be written for it."""

    kind: Literal["pairs"] = "pairs"
    counted = "pairs"

    def __init__(self, read: Pairs, task: Task, from_files: bool, options: dict[str, Any]) -> None:
        self.read = read
        self.task = task
        self.from_files = from_files
        self.options = options
        self.n = len(read.sources)
        self.problems = read.problems
        self.digest = read.digest
        self.schema = schema_of(read, task)

    @property
    def labelled(self) -> bool:
        """Whether the targets are known."""
        return self.read.targets is not None

    def split(self, seed: int, test_fraction: float, val_fraction: float) -> Split:
        """At random, equal sources on one side."""
        _, groups = np.unique(np.array([same(text) for text in self.read.sources]), return_inverse=True)
        strata = np.zeros(self.n, dtype=np.int64)
        train, val, test = stratified_split(strata, groups, seed, test_fraction, val_fraction)
        return Split(train, val, test, "drawn at random, equal sources on one side")

    def fit(self, train_rows: np.ndarray) -> PairsPreparation:
        """The vocabularies and the longest pair, from ``train_rows`` only; the others are only counted in."""
        read, options = self.read, self.options
        assert read.targets is not None, "pairs without targets are translated, not learnt from"
        sources, targets = ([side[i] for i in train_rows] for side in (read.sources, read.targets))
        if options.get("tokens"):
            kind, reason = options["tokens"], "as asked"
        else:
            kind, reason = choose_tokens(sources, targets)
        size = int(options.get("vocabulary") or most_tokens(kind, len(train_rows)))
        lowercase = bool(options.get("lowercase", False))
        source, target = (train_tokeniser(texts, kind, size, lowercase) for texts in (sources, targets))
        said = {"character": "characters", "word": "words", "bpe": "byte-pair pieces"}[kind]
        what = f"Tokens are {said}: {source.size:,} in '{read.source}', {target.size:,} in '{read.target}'."
        problems = [Problem("note", "tokens", what, why=f"{reason[:1].upper()}{reason[1:]}.", do=_OTHERWISE)]
        lengths = [
            max((len(row) for row in source.encode(sources)), default=1),
            max((len(row) for row in target.encode(targets)), default=0) + 1,
        ]
        prep = PairsPreparation(
            tokens=kind,
            source_tokeniser=source.to_json(),
            target_tokeniser=target.to_json(),
            vocabulary=(source.size, target.size),
            lowercase=lowercase,
            length=int(options.get("length") or min(LONGEST[kind], round(ROOM * max(lengths)) + 8)),
            source=read.source,
            target=read.target,
            from_files=self.from_files,
            on_bad_row=options.get("on_bad_row", "refuse"),
            rows=len(train_rows),
        )
        held_out = np.setdiff1d(np.arange(self.n), train_rows)
        problems += told_of_tokens(read, prep, "pairs", np.arange(self.n), lengths_only=True)
        problems += told_of_tokens(read, prep, "pairs that are not trained on", held_out, unknown_only=True)
        return prep.model_copy(update={"problems": problems})

    def shared_rows(self, other: PairsDataset) -> list[Problem]:
        """Sources of a separate test set that are also trained on."""
        known = set(map(same, self.read.sources))
        rows = [i for i, text in enumerate(other.read.sources) if same(text) in known]
        if not rows:
            return []
        what = (
            f"{len(rows):,} of {other.n:,} test sources ({100 * len(rows) / other.n:.1f} %) are also training sources."
        )
        why = "On these the net may only remember, so the metrics may be too good."
        where, do = shorten(other.read.places(rows)), "Remove them from one of the two."
        return [Problem("warning", "test-rows-in-training", what, where, len(rows), why, do)]

    def source(self, prep: PairsPreparation, rows: np.ndarray) -> Source:
        """``rows`` as batches by index."""
        texts = [self.read.sources[i] for i in rows]
        truths = None if self.read.targets is None else [self.read.targets[i] for i in rows]
        targets = None if truths is None else prep.target_tokens(truths)
        places = self.read.places(rows)
        return PairSource(prep.source_tokens(texts), targets, rows, prep.form, prep.length, places, texts, truths)


_OTHERWISE = "Choose otherwise with --set tokens=character, word or bpe, and --set vocabulary=N."


def told_of_tokens(
    read: Pairs,
    prep: PairsPreparation,
    named: str,
    rows: np.ndarray,
    lengths_only: bool = False,
    unknown_only: bool = False,
) -> list[Problem]:
    """Texts that are longer than the net's samples, and words that its vocabularies do not have."""
    problems: list[Problem] = []
    if len(rows) == 0:
        return problems
    sides = [("source", read.source, prep.source_tokens([read.sources[i] for i in rows]), prep.length)]
    if read.targets is not None:
        sides.append(("target", read.target, prep.target_tokens([read.targets[i] for i in rows]), prep.length - 1))
    for side, name, tokens, most in sides:
        long = [i for i, row in zip(rows, tokens, strict=True) if len(row) > most]
        if long and not unknown_only:
            what = f"{len(long):,} text(s) of '{name}' are longer than {most:,} tokens and are cut there."
            why = "What is cut off is not learnt." if side == "target" else "The net does not see what is cut off."
            do = f"Give more room, --set length={max(map(len, tokens)) + 1}, or split these texts."
            problems.append(Problem("warning", "cut-texts", what, shorten(read.places(long)), len(long), why, do))
        count = sum(len(row) for row in tokens)
        unknown = sum(int((row == UNK).sum()) for row in tokens)
        if unknown and not lengths_only:
            level = "warning" if unknown > NOTABLE_UNKNOWN * count else "note"
            share = f"{100 * unknown / count:.1f} %"
            what = f"{unknown:,} of {count:,} {side} tokens ({share}) of {named} are not in the vocabulary."
            why = "They are all one unknown token to the net."
            do = "Byte-pair pieces know every word: --set tokens=bpe." if prep.tokens == "word" else ""
            problems.append(Problem(level, "unknown-tokens", what, f"'{name}'", unknown, why, do))
    return problems


def schema_of(read: Pairs, task: Task) -> Schema:
    """The two sides as fields of text."""
    fields = [_field(read.source, read.sources, "the text that is read", True)]
    if read.targets is not None:
        fields.append(_field(read.target, read.targets, "the text that is written", False))
    return Schema(rows=len(read.sources), fields=fields, task=task)


def _field(name: str, texts: list[str], reason: str, used: bool) -> Field:
    return Field(name=name, kind="text", reason=reason, used=used, distinct=len(set(texts)))
