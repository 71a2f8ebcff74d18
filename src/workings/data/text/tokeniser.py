"""Cutting texts into tokens: characters, words or byte-pair pieces, by the ``tokenizers`` library.

A vocabulary is trained on the training texts only, begins with the special tokens of ``base.tokens``, and is kept as
the library's own JSON, which other programs read too.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any, Literal

import numpy as np

from workings.base.tokens import SPECIAL, UNK

Tokens = Literal["character", "word", "bpe"]
KINDS: tuple[Tokens, ...] = ("character", "word", "bpe")
FEWEST_BPE = len(SPECIAL) + 256  # byte-pair pieces begin with every byte


class Tokeniser:
    """Texts to numbers and back."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner

    @property
    def size(self) -> int:
        """How many tokens there are, the special ones among them."""
        return int(self._inner.get_vocab_size())

    def to_json(self) -> dict[str, Any]:
        """As the library writes it."""
        return json.loads(self._inner.to_str())

    @staticmethod
    def from_json(content: dict[str, Any]) -> Tokeniser:
        """What ``to_json`` gave."""
        from tokenizers import Tokenizer

        return Tokeniser(Tokenizer.from_str(json.dumps(content)))

    def encode(self, texts: Sequence[str]) -> list[np.ndarray]:
        """One int32 array of tokens a text; no special tokens are added."""
        return [np.array(each.ids, dtype=np.int32) for each in self._inner.encode_batch(list(texts))]

    def decode(self, tokens: Sequence[int]) -> str:
        """The text of ``tokens``; special ones are left out."""
        return str(self._inner.decode([int(token) for token in tokens], skip_special_tokens=True))

    def words(self, tokens: Sequence[int]) -> list[str]:
        """Each token as it is written in the vocabulary."""
        return [str(self._inner.id_to_token(int(token))) for token in tokens]


def train_tokeniser(texts: Iterable[str], kind: Tokens, size: int, lowercase: bool, least: int = 1) -> Tokeniser:
    """A tokeniser whose vocabulary holds the most frequent tokens of ``texts``, ``size`` at most.

    least: characters and words that occur less often are left out; pairs of pieces must occur twice to be joined.
    """
    from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

    special = list(SPECIAL)
    if kind == "bpe":
        inner = Tokenizer(models.BPE(unk_token=SPECIAL[UNK]))
        inner.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        inner.decoder = decoders.ByteLevel()
        alphabet = pre_tokenizers.ByteLevel.alphabet()
        trainer: Any = trainers.BpeTrainer(
            vocab_size=size, min_frequency=2, special_tokens=special, initial_alphabet=alphabet, show_progress=False
        )
    else:
        inner = Tokenizer(models.WordLevel(unk_token=SPECIAL[UNK]))
        if kind == "character":
            inner.pre_tokenizer = pre_tokenizers.Split(Regex(r"[\s\S]"), "isolated")
            inner.decoder = decoders.Fuse()
        else:
            inner.pre_tokenizer = pre_tokenizers.Sequence(
                [pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Split(Regex(r"\w+(?:['’-]\w+)*|[^\w\s]"), "isolated")]
            )
        trainer = trainers.WordLevelTrainer(
            vocab_size=size, min_frequency=least, special_tokens=special, show_progress=False
        )
    if lowercase:
        inner.normalizer = normalizers.Sequence([normalizers.NFC(), normalizers.Lowercase()])
    else:
        inner.normalizer = normalizers.NFC()
    inner.train_from_iterator(texts, trainer)
    return Tokeniser(inner)
