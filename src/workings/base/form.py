"""What a net must know of samples and answers beyond their sizes; said by the data, used by the nets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Form:
    """The form of samples and answers; the default is that of tables and images.

    vocabulary: how many tokens there are, where samples are numbers of tokens: (T,) int64; for pairs, (2, T), how many
        source and target tokens. None where samples are float32.
    each_step: an answer for each step of the sequence, (B, T, K), instead of one for the whole, (B, K).
    horizon: steps ahead that are forecast; the answer is (B, horizon · V) for the first V variables, step by step;
        0 of windows of a series that are themselves learnt: nothing is forecast.
    columns: of rows of a table that are themselves learnt: 1 for a number, 0 for a yes or no, k > 1 for k numbers of
        which one is 1, a category. None where samples are numbers of one kind.
    """

    vocabulary: int | tuple[int, int] | None = None
    each_step: bool = False
    horizon: int | None = None
    columns: tuple[int, ...] | None = None

    def to_dict(self) -> dict[str, Any]:
        """As JSON-ready values, for ``net.json``."""
        return asdict(self)

    @staticmethod
    def of(content: Mapping[str, Any] | None) -> Form:
        """What ``to_dict`` gave; the default for None, as runs before version 0.2 had no other."""
        if not content:
            return Form()
        vocabulary = content.get("vocabulary")
        return Form(
            tuple(vocabulary) if isinstance(vocabulary, list) else vocabulary,  # type: ignore[arg-type]
            bool(content.get("each_step")),
            content.get("horizon"),
            None if content.get("columns") is None else tuple(content["columns"]),
        )
