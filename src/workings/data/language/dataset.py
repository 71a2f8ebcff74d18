"""A text to go on with: split by position, its vocabulary fitted on the first part, batched as windows."""

from __future__ import annotations

import unicodedata
from typing import Any, Literal

import numpy as np

from workings.base.errors import refuse
from workings.base.problems import Problem
from workings.base.tokens import SPECIAL, UNK
from workings.data.dataset import Dataset
from workings.data.language.checks import check_book, rare_characters, shared_lines, unknown_characters
from workings.data.language.pieces import split_rows
from workings.data.language.prepare import LanguagePreparation, letter_costs
from workings.data.language.reading import Book
from workings.data.language.tokeniser import RunningTokeniser, train_running
from workings.data.language.windows import TextWindows
from workings.data.schema import Schema, Task
from workings.data.split import Split
from workings.data.text.tokeniser import FEWEST_BPE, Tokens

LARGE = 5_000_000  # characters from which pieces of words are worth a vocabulary
MOST_TOKENS: dict[Tokens, int] = {"character": 5_000, "word": 10_000, "bpe": 2_000}
WINDOW: dict[Tokens, int] = {"character": 256, "word": 64, "bpe": 128}
FEWEST_WINDOWS = 32  # a short text has shorter windows, so that there are so many of them
VALIDATION = 50_000  # characters that tell two nets apart
NAMES: dict[Tokens, str] = {"character": "character", "word": "word", "bpe": "piece of a word"}


class LanguageDataset(Dataset):
    """One text; its rows are lines, or parts of very long ones."""

    kind: Literal["language"] = "language"
    counted = "lines"

    def __init__(self, book: Book, options: dict[str, Any], prep: LanguagePreparation | None = None) -> None:
        self.book = book
        self.options = options
        self.n = len(book)
        self.digest = book.digest
        self.tokens: Tokens
        self.tokens, self.reason = (prep.tokens, "as in training") if prep else self._choose()
        reason = "plain text, so the next token is learnt" if prep is None else "as in training"
        self.task = (
            prep.task() if prep else Task(kind="language", target=f"the next {NAMES[self.tokens]}", reason=reason)
        )
        self.schema = Schema(rows=self.n, task=self.task)
        self.problems = list(book.problems)

    def _choose(self) -> tuple[Tokens, str]:
        if "tokens" in self.options:
            return self.options["tokens"], "as asked for"
        n = len(self.book.text)
        if n < LARGE:
            return "character", f"{n:,} characters are few enough to be read one by one"
        return "bpe", f"{n:,} characters are many; pieces of words let a window see further"

    @staticmethod
    def normal(text: str, lowercase: bool) -> str:
        """``text`` as the text of a file is read: line ends, composed letters, case."""
        text = unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n"))
        return text.lower() if lowercase else text

    def check(self) -> list[Problem]:
        """Errors, warnings and notes of the whole text."""
        self.problems += [each for each in check_book(self.book) if each not in self.problems]
        return self.problems

    def val_share(self) -> tuple[float, str]:
        """A tenth, at most 50,000 characters."""
        share = min(0.1, VALIDATION / len(self.book.text))
        return round(share, 6), f"{share:.3g} of the training part, at most {VALIDATION:,} characters, to choose by"

    def split(self, seed: int, test_fraction: float, val_fraction: float) -> Split:
        """By position, whole lines: the seed changes nothing."""
        parts = split_rows(self.book.starts, test_fraction, val_fraction)
        total = len(self.book.text)
        shares = [len(self.book.part(rows)) / total for rows in parts]
        named = zip(("training", "validation", "testing"), shares, strict=True)
        told = ", then ".join(f"{share:.1%} for {name}" for name, share in named if share)
        return Split(*parts, f"by position, of the characters: the first {told}; cut between lines")

    def fit(self, train_rows: np.ndarray) -> LanguagePreparation:
        """The vocabulary, from the training part only; what is to be told of the other parts is told too."""
        text = self.book.part(train_rows)
        kind, options = self.tokens, self.options
        most = int(options.get("vocabulary", MOST_TOKENS[kind]))
        if kind == "bpe" and most < FEWEST_BPE:
            what = f"vocabulary is {most}; byte-pair pieces begin with every byte, {FEWEST_BPE} tokens."
            raise refuse("bad-value", what, do=f"Give {FEWEST_BPE} or more.")
        tokeniser = train_running(text, kind, most)
        tokens, _ = tokeniser.tokens(text)
        length = self._length(len(tokens))
        rest = np.setdiff1d(np.arange(self.n), train_rows)
        problems = [
            self._told_of_tokens(tokeniser, tokens, length),
            *rare_characters(text),
            *unknown_characters(text, self.book.part(rest), "the other parts"),
            *shared_lines(text, self.book.part(rest), "the other parts"),
        ]
        return LanguagePreparation(
            tokens=kind,
            tokeniser=tokeniser.to_json(),
            vocabulary=tokeniser.size,
            lowercase=bool(options.get("lowercase", False)),
            length=length,
            before=tokeniser.before(),
            spelling=letter_costs(words_of(text, tokeniser)) if kind == "word" else {},
            digest=self.digest,
            target=self.task.target,
            characters=len(text),
            problems=problems,
        )

    def _length(self, n: int) -> int:
        """Tokens of a window: as asked for, or the usual ones, fewer for a short text."""
        asked = self.options.get("length")
        if asked is None:
            return max(2, min(WINDOW[self.tokens], n // FEWEST_WINDOWS))
        if asked > n:
            raise refuse(
                "length-longer-than-text",
                f"A window of {asked:,} tokens is longer than the training part, which has {n:,}.",
                do=f"Give a length of at most {max(2, n // FEWEST_WINDOWS):,}, or leave it out.",
            )
        return int(asked)

    def _told_of_tokens(self, tokeniser: RunningTokeniser, tokens: np.ndarray, length: int) -> Problem:
        what = f"A token is a {NAMES[self.tokens]}: {self.reason}."
        unknown = float((tokens == UNK).mean())
        where = f"{tokeniser.size - len(SPECIAL):,} different ones, {len(tokens):,} in the training part"
        where += f", {unknown:.1%} of them too rare to be known" if unknown else ""
        why = f"The net sees windows of {length:,}."
        do = "--set tokens=character, word or bpe chooses, vocabulary= and length= change the sizes."
        return Problem("note", "tokens", what, where, tokeniser.size, why, do)

    def shared_rows(self, other: Any) -> list[Problem]:
        """Whether a test text has lines of this one, or is this one."""
        if other.digest == self.digest:
            return []  # told when it was read
        return shared_lines(self.book.text, other.book.text, "the test text")

    def source(self, prep: LanguagePreparation, rows: np.ndarray) -> TextWindows:
        """The windows of neighbouring ``rows``."""
        text = self.book.part(rows)
        tokens, characters = prep.load_tokeniser().tokens(text)
        begins = np.cumsum(characters, dtype=np.int64) - characters
        spelling = np.zeros(len(tokens))
        for i in np.flatnonzero(tokens == UNK):
            spelling[i] = prep.spelt(text[begins[i] : begins[i] + characters[i]])
        offsets = np.cumsum(np.diff(self.book.starts)[rows])
        piece = np.minimum(np.searchsorted(offsets, begins, side="right"), len(rows) - 1)
        return TextWindows(
            tokens,
            prep.before,
            prep.length,
            prep.form,
            characters=characters,
            spelling=spelling,
            piece=np.asarray(rows)[piece],
            place=self.book.place,
        )


def words_of(text: str, tokeniser: RunningTokeniser) -> list[str]:
    """The tokens of ``text`` as they are written, unknown ones too."""
    _, lengths = tokeniser.tokens(text)
    ends = np.cumsum(lengths)
    return [text[end - length : end] for end, length in zip(ends.tolist(), lengths.tolist(), strict=True)]
