"""What a token is, where it was not said: chosen from the training texts, with the reason."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from workings.data.text.tokeniser import Tokens

SPACED = 0.05  # share of texts with a space below which texts are strings of symbols
FEW_WORDS = 2_000
ONCE = 0.2  # share of words that may come once: of such a word nothing can be learnt
LOST = 0.02  # share of targets that cutting into words may change
SHORT = 60
WORDS = re.compile(r"\w+(?:['’-]\w+)*|[^\w\s]")
_CLOSING = re.compile(r" ([.,;:!?%)\]}…»”])")
_OPENING = re.compile(r"([(\[{«„“]) ")
MOST_TOKENS: dict[Tokens, int] = {"word": 20_000, "bpe": 8_000, "character": 2_000}
FEWEST_PIECES = 1_000


def choose_tokens(sources: Sequence[str], targets: Sequence[str]) -> tuple[Tokens, str]:
    """character, word or bpe, and why."""
    spaced = sum(" " in text.strip() for text in [*sources, *targets]) / max(1, len(sources) + len(targets))
    if spaced < SPACED:
        return "character", "hardly a text has a space in it, so their characters are the tokens"
    words = [Counter(word for text in side for word in text.split()) for side in (sources, targets)]
    said = f"{len(words[0]):,} and {len(words[1]):,} different words"
    once = max(sum(count == 1 for count in side.values()) / max(1, len(side)) for side in words)
    # Words are joined by spaces again when they are written, which must give the texts back.
    apart = sum(" ".join(text.split()) != rejoined(text) for text in targets) / max(1, len(targets))
    if max(map(len, words)) <= FEW_WORDS and once <= ONCE and apart <= LOST:
        return "word", f"{said} are few enough, and come often enough, for one token each"
    if max(len(text) for text in [*sources, *targets]) <= SHORT:
        return "character", f"the texts are short, at most {SHORT} characters, so their characters are the tokens"
    return "bpe", f"{said} are too many or too rare; byte-pair pieces write every word, also one never seen"


def rejoined(text: str) -> str:
    """A text cut into words and marks, and joined by spaces as they are in writing."""
    return spaced_as_written(" ".join(WORDS.findall(text)))


def spaced_as_written(text: str) -> str:
    """Words and marks joined by spaces, without the spaces that do not stand in writing."""
    return _OPENING.sub(r"\1", _CLOSING.sub(r"\1", text))


def most_tokens(tokens: Tokens, pairs: int) -> int:
    """The most tokens of a vocabulary: of pieces one for every six pairs, within bounds.

    A net spends most of its time on the scores of all target tokens; half as many make it nearly twice as fast, and
    texts only a tenth longer.
    """
    if tokens != "bpe":
        return MOST_TOKENS[tokens]
    return max(FEWEST_PIECES, min(MOST_TOKENS["bpe"], pairs // 6 // 500 * 500))
