"""Tokens of running text: characters, words or byte-pair pieces that, one after the other, are the text again.

A word takes the space before it with it; line ends and punctuation are tokens of their own. So nothing of the text is
lost but words that the vocabulary does not have. The vocabulary is kept as the ``tokenizers`` library's own JSON.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np

from workings.base.tokens import BOS, SPECIAL, UNK
from workings.data.language.pieces import codes_of
from workings.data.text.tokeniser import Tokeniser, Tokens

WORDS = r" ?\w+(?:['’-]\w+)*|\s|[^\w\s]"
LINES = 20_000  # encoded at once


class RunningTokeniser(Tokeniser):
    """Text to tokens and back, without loss but for unknown ones."""

    def __init__(self, inner: Any, kind: Tokens) -> None:
        super().__init__(inner)
        self.kind = kind
        self._table: np.ndarray | None = None
        if kind == "character":  # one lookup for the whole text
            known = {name: number for name, number in inner.get_vocab().items() if len(name) == 1}
            self._table = np.full(max(map(ord, known), default=0) + 2, UNK, dtype=np.int32)
            for name, number in known.items():
                self._table[ord(name)] = number

    @staticmethod
    def load(content: dict[str, Any], kind: Tokens) -> RunningTokeniser:
        """What ``to_json`` gave."""
        from tokenizers import Tokenizer

        return RunningTokeniser(Tokenizer.from_str(json.dumps(content)), kind)

    def tokens(self, text: str) -> tuple[np.ndarray, np.ndarray]:
        """Token numbers (N,) int32, and how many characters each stands for, (N,) int32.

        Of a character that takes several byte-pair pieces the last one counts it.
        """
        if self._table is not None:
            codes = codes_of(text)
            return self._table[np.minimum(codes, len(self._table) - 1)], np.ones(len(codes), dtype=np.int32)
        lines = text.splitlines(keepends=True)
        ids: list[int] = []
        begins: list[int] = []
        at = 0
        for start in range(0, len(lines), LINES):
            part = lines[start : start + LINES]
            for line, found in zip(part, self._inner.encode_batch(part), strict=True):
                ids += found.ids
                begins += [at + offset[0] for offset in found.offsets]
                at += len(line)
        return np.array(ids, dtype=np.int32), np.diff(np.array([*begins, at], dtype=np.int64)).astype(np.int32)

    def before(self) -> int:
        """What stands before a text: the end of a line, or where there is none the start token."""
        found = self.tokens("\n")[0]
        return int(found[-1]) if len(found) == 1 and found[0] != UNK else BOS

    def shown(self, tokens: Sequence[int]) -> list[str]:
        """Each token as the text it stands for; of a piece of a character the name of its bytes."""
        names = self.words(tokens)
        if self.kind != "bpe":
            return names
        shown = [self.decode([token]) for token in tokens]
        return [name if "\N{REPLACEMENT CHARACTER}" in text else text for name, text in zip(names, shown, strict=True)]


def train_running(text: str, kind: Tokens, size: int) -> RunningTokeniser:
    """A tokeniser whose vocabulary holds the most frequent tokens of ``text``, ``size`` at most, special ones included.

    A word that occurs once is left out, so that the net meets unknown words in training as it will later. Equally
    frequent characters are taken in the order of their codes.
    """
    from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

    if kind == "character":
        codes, counts = np.unique(codes_of(text), return_counts=True)
        order = np.argsort(-counts, kind="stable")[: size - len(SPECIAL)]
        letters = [chr(code) for code in codes[order]]
        vocabulary = {name: number for number, name in enumerate([*SPECIAL, *letters])}
        inner = Tokenizer(models.WordLevel(vocabulary, unk_token=SPECIAL[UNK]))
        inner.pre_tokenizer = pre_tokenizers.Split(Regex(r"[\s\S]"), "isolated")
        inner.decoder = decoders.Fuse()
        return RunningTokeniser(inner, kind)
    special = list(SPECIAL)
    if kind == "word":
        inner = Tokenizer(models.WordLevel(unk_token=SPECIAL[UNK]))
        inner.pre_tokenizer = pre_tokenizers.Split(Regex(WORDS), "isolated")
        inner.decoder = decoders.Fuse()
        trainer: Any = trainers.WordLevelTrainer(
            vocab_size=size, min_frequency=2, special_tokens=special, show_progress=False
        )
    else:
        inner = Tokenizer(models.BPE(unk_token=SPECIAL[UNK]))
        inner.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        inner.decoder = decoders.ByteLevel()
        trainer = trainers.BpeTrainer(
            vocab_size=size,
            special_tokens=special,
            initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
            show_progress=False,
        )
    inner.train_from_iterator(text.splitlines(keepends=True), trainer)
    return RunningTokeniser(inner, kind)
