"""What is fitted on the training pairs; written to ``prepare.json``."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from workings.base.form import Form
from workings.base.problems import Problem
from workings.base.tokens import EOS
from workings.data.pairs.choose import spaced_as_written
from workings.data.schema import Task, TaskKind
from workings.data.text.tokeniser import Tokeniser, Tokens


class PairsPreparation(BaseModel):
    """The two vocabularies and the longest pair.

    tokens: what a token is, on both sides. source_tokeniser, target_tokeniser: the ``tokenizers`` library's JSON.
    length: the most tokens of either side, the end of the target among them; what a longer text has beyond is cut.
    source, target: names of the columns or files. problems: what was decided while fitting.
    """

    model_config = ConfigDict(frozen=True)

    schema_version: int = 1
    kind: Literal["pairs"] = "pairs"
    tokens: Tokens
    source_tokeniser: dict[str, Any] = Field(repr=False)
    target_tokeniser: dict[str, Any] = Field(repr=False)
    vocabulary: tuple[int, int]
    lowercase: bool
    length: int
    source: str
    target: str
    from_files: bool
    on_bad_row: Literal["refuse", "drop"] = "refuse"
    task_kind: TaskKind = "translation"
    classes: None = None
    target_mean: float = 0.0
    target_std: float = 1.0
    rows: int
    problems: list[Problem] = Field(default_factory=list)

    @property
    def shape(self) -> tuple[int, int]:
        """(2, T): source and target tokens, T the most of them."""
        return (2, self.length)

    @property
    def form(self) -> Form:
        """What the net must know of the samples."""
        return Form(vocabulary=self.vocabulary, each_step=True)

    def task(self) -> Task:
        """The task that the network was trained for."""
        return Task(kind=self.task_kind, target=self.target, reason="as in training")

    def source_tokens(self, texts: Sequence[str]) -> list[np.ndarray]:
        """One int32 array of tokens a source text, as long as the text is."""
        return Tokeniser.from_json(self.source_tokeniser).encode(texts)

    def target_tokens(self, texts: Sequence[str]) -> list[np.ndarray]:
        """One int32 array of tokens a target text, without its end."""
        return Tokeniser.from_json(self.target_tokeniser).encode(texts)

    def written(self, tokens: Iterable[Sequence[int]]) -> list[str]:
        """The texts that target tokens stand for, up to the first end of each."""
        tokeniser = Tokeniser.from_json(self.target_tokeniser)
        texts = []
        for each in tokens:
            until = next((i for i, token in enumerate(each) if int(token) == EOS), len(each))
            text = tokeniser.decode(each[:until])
            if self.tokens == "word":
                text = spaced_as_written(text)
            texts.append(text.strip() if self.tokens != "character" else text)
        return texts

    def words(self, tokens: Sequence[int], side: Literal["source", "target"]) -> list[str]:
        """Each token as a reader knows it."""
        tokeniser = Tokeniser.from_json(self.source_tokeniser if side == "source" else self.target_tokeniser)
        if self.tokens == "bpe":  # one by one, so that bytes become letters again
            return [
                tokeniser.decode([token]) or name for token, name in zip(tokens, tokeniser.words(tokens), strict=True)
            ]
        return tokeniser.words(tokens)
