"""What a token is, where it was not said: chosen from the training texts, with the reason."""

from __future__ import annotations

from collections.abc import Sequence

from workings.data.text.tokeniser import Tokens

SPACED = 0.05  # share of texts with a space below which texts are strings of symbols
FEW_WORDS = 2_000
MOST_TOKENS: dict[Tokens, int] = {"word": 20_000, "bpe": 8_000, "character": 2_000}
FEWEST_PIECES = 1_000


def choose_tokens(sources: Sequence[str], targets: Sequence[str]) -> tuple[Tokens, str]:
    """character, word or bpe, and why."""
    spaced = sum(" " in text.strip() for text in [*sources, *targets]) / max(1, len(sources) + len(targets))
    if spaced < SPACED:
        return "character", "hardly a text has a space in it, so their characters are the tokens"
    distinct = [len({word for text in side for word in text.split()}) for side in (sources, targets)]
    said = f"{distinct[0]:,} and {distinct[1]:,} different words"
    if max(distinct) <= FEW_WORDS:
        return "word", f"{said} are few enough for one token each"
    return "bpe", f"{said} are too many; byte-pair pieces write every word, also one never seen"


def most_tokens(tokens: Tokens, sources: Sequence[str], targets: Sequence[str]) -> int:
    """The most tokens of a vocabulary: of pieces, half as many as there are different words, within bounds."""
    if tokens != "bpe":
        return MOST_TOKENS[tokens]
    distinct = max(len({word for text in side for word in text.split()}) for side in (sources, targets))
    return max(FEWEST_PIECES, min(MOST_TOKENS["bpe"], distinct // 2 // 100 * 100))
