"""Text to go on with: nothing is lost, nothing leaks, every token is judged once; bad texts are told."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from tests.data.opening import opened_as

from workings.base.errors import UserError
from workings.base.form import Form
from workings.base.tokens import BOS, PAD, UNK
from workings.data import inspect_dataset, read_for
from workings.data.language.dataset import LanguageDataset
from workings.data.language.pieces import cut, split_rows
from workings.data.language.prepare import LanguagePreparation, letter_costs
from workings.data.language.tokeniser import train_running
from workings.data.language.windows import TextWindows
from workings.data.text.tokeniser import KINDS, Tokens

WORDS = "the sea was grey and no wind came; we rowed, though nobody’s arms could have said why. Ahoi!".split()


def prose(lines: int = 120, seed: int = 0) -> str:
    """Lines that hardly repeat."""
    chance = np.random.default_rng(seed)
    return "".join(" ".join(chance.choice(WORDS, 9)) + f" {i}\n" for i in range(lines))


def written(folder: Path, content: str | bytes, name: str = "book.txt") -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def opened(data: Any, **options: Any) -> LanguageDataset:
    return opened_as(LanguageDataset, data, **options)


# ------------------------------------------------------------------------------------------------ tokens


@pytest.mark.parametrize("kind", KINDS)
def test_tokens_one_after_the_other_are_the_text(kind: Tokens) -> None:
    """Spaces, line ends and all; and each says how many characters it stands for."""
    text = prose() * 2 + "  two  spaces\n\n\ttab – dash, e\u0301 is not composed, 海 and 🙂.\n" * 2
    tokeniser = train_running(text, kind, 400)
    tokens, characters = tokeniser.tokens(text)
    assert tokeniser.decode(tokens.tolist()) == text
    assert int(characters.sum()) == len(text)
    assert tokeniser.tokens("")[0].shape == (0,)


@given(st.text(max_size=80))
def test_byte_pieces_write_any_text(text: str) -> None:
    """Also characters that the training text never had."""
    text = text.replace("\r", "")
    tokeniser = train_running("so few letters\n" * 3, "bpe", 270)
    tokens, characters = tokeniser.tokens(text)
    assert int(characters.sum()) == len(text)
    if not any("\ud800" <= letter <= "\udfff" for letter in text):
        assert tokeniser.decode(tokens.tolist()) == text


def test_unknown_characters_and_words_become_unknown() -> None:
    """One token each; a word that came once is unknown from the start, so that unknown ones are met in training."""
    assert train_running("abcab\n", "character", 100).tokens("xbz")[0].tolist().count(UNK) == 2
    words = train_running("a cat and a dog and a bird\n", "word", 100)
    assert words.tokens(" cat and a")[0].tolist().count(UNK) == 1


def test_what_stands_before_a_text_is_the_end_of_a_line() -> None:
    """Or the start token, where no line ends."""
    assert train_running("ab\nab\n", "character", 50).before() != BOS
    assert train_running("abab", "character", 50).before() == BOS


def test_spelling_out_a_word_costs_what_its_letters_are_rare() -> None:
    """The probabilities of all words that letters can make sum to no more than one."""
    costs = letter_costs(["ab", "b"])
    each = {letter: math.exp(-cost) for letter, cost in costs.items()}
    assert sum(each.values()) == pytest.approx(1)
    assert each["b"] > each["a"]


# ------------------------------------------------------------------------------------------------ pieces


@given(st.text(alphabet="ab \n", min_size=1, max_size=900))
def test_pieces_are_the_text(text: str) -> None:
    """One after the other, none empty, lines counted from 1."""
    starts, lines = cut(text)
    assert "".join(text[a:b] for a, b in itertools.pairwise(starts)) == text
    assert (np.diff(starts) > 0).all()
    assert lines.tolist() == [text[:a].count("\n") + 1 for a in starts[:-1]]


def test_a_text_of_one_line_is_cut_too() -> None:
    """After spaces where there are any, else anywhere."""
    starts, lines = cut("word " * 1000 + "x" * 1000)
    assert len(starts) > 20
    assert set(lines.tolist()) == {1}


@given(st.lists(st.integers(1, 50), min_size=1, max_size=40), st.floats(0, 0.5), st.floats(0, 0.3))
def test_parts_follow_each_other(lengths: list[int], test: float, val: float) -> None:
    """Training first, the test part last, each piece in one of them; none asked for is empty where there are pieces."""
    train, validation, tested = split_rows(np.cumsum([0, *lengths]), test, val)
    assert [*train, *validation, *tested] == list(range(len(lengths)))
    assert len(train)
    if len(lengths) > 2:
        assert (len(tested) > 0) == (test > 0)
        assert (len(validation) > 0) == (val > 0)


# ----------------------------------------------------------------------------------------------- windows


def windows(N: int, T: int) -> TextWindows:
    """A text of the tokens 4, 5, 6 …, with 3 before it."""
    zeros = np.zeros(N)
    return TextWindows(
        np.arange(4, N + 4, dtype=np.int32),
        3,
        T,
        Form(vocabulary=N + 4, each_step=True),
        characters=zeros,
        spelling=zeros,
        piece=np.zeros(N, dtype=np.int64),
        place=lambda row: f"line {row}",
    )


def test_the_target_is_the_token_after() -> None:
    """Of every place of every window; the first place is what stands before the text."""
    source = windows(20, 5)
    index = torch.arange(len(source))
    x, y = source.x(index), source.targets(index)
    assert (y - x).unique().tolist() == [1]
    assert x[0, 0] == 3
    assert y[-1, -1] == 23
    assert len(source) == 16
    assert source.stride == 5


@pytest.mark.parametrize("context", [True, False])
@given(st.integers(1, 60), st.integers(2, 13))
def test_judging_covers_every_token_once(context: bool, N: int, T: int) -> None:
    """In order; with context, every token but the first T has half a window before it."""
    source = windows(N, T)
    starts, fresh = source.judging(context)
    y = source.targets(starts)
    counted = []
    for row, start, count in zip(y, starts.tolist(), fresh.tolist(), strict=True):
        end = min(T, N)
        counted += row[end - count : end].tolist()
        if context and start:
            assert end - count >= T - max(1, T // 2)
    assert counted == list(range(4, N + 4))


def test_a_text_shorter_than_a_window_is_padded_at_its_end() -> None:
    """Input and target alike."""
    source = windows(3, 6)
    x, y = source.x(torch.tensor([0])), source.targets(torch.tensor([0]))
    assert x.tolist() == [[3, 4, 5, PAD, PAD, PAD]]
    assert y.tolist() == [[4, 5, 6, PAD, PAD, PAD]]


# ----------------------------------------------------------------------------------------------- dataset


def test_the_vocabulary_is_of_the_training_part(tmp_path: Path) -> None:
    """A letter that only the test part has is unknown, and told."""
    dataset = opened(written(tmp_path, prose() + "ΩΩ\n" * 40))
    split = dataset.split(0, 0.2, 0.1)
    prep = dataset.fit(split.train)
    told = {each.code: each for each in prep.problems}
    assert "U+03A9" in told["unknown-characters"].where or "Ω" in told["unknown-characters"].where
    test = dataset.source(prep, split.test)
    assert int((test.tokens == UNK).sum()) == 80
    assert (test.spelling[test.tokens == UNK] > 0).all()
    assert (test.spelling[test.tokens != UNK] == 0).all()


def test_parts_are_neighbours_and_every_character_is_in_one(tmp_path: Path) -> None:
    """The seed changes nothing, and the reason says so in shares."""
    text = prose()
    dataset = opened(written(tmp_path, text))
    split = dataset.split(3, 0.2, 0.1)
    parts = [dataset.book.part(rows) for rows in (split.train, split.val, split.test)]
    assert "".join(parts) == text
    assert all(part.endswith("\n") for part in parts)
    assert len(parts[2]) / len(text) == pytest.approx(0.2, abs=0.02)
    assert "by position" in split.reason
    prep = dataset.fit(split.train)
    sources = [dataset.source(prep, rows) for rows in (split.train, split.val, split.test)]
    assert sum(len(source.tokens) for source in sources) == len(text)
    assert sources[2].place(int(sources[2].piece[0])) == f"line {int(split.test[0]) + 1}"


def test_a_preparation_comes_back_from_json_as_it_was(tmp_path: Path) -> None:
    """And cuts texts as before."""
    dataset = opened(written(tmp_path, prose()), tokens="word")
    prep = dataset.fit(np.arange(80))
    again = LanguagePreparation.model_validate(prep.model_dump(mode="json"))
    assert again.load_tokeniser().tokens(prose())[0].tolist() == prep.load_tokeniser().tokens(prose())[0].tolist()
    assert again.form == prep.form


@pytest.mark.parametrize(("N", "expected"), [(400, 8), (4_000, 93), (40_000, 256)])
def test_short_texts_have_short_windows(tmp_path: Path, N: int, expected: int) -> None:
    """So that there are enough of them to learn from."""
    dataset = opened(written(tmp_path, prose(N // 20)[:N]))
    assert dataset.fit(dataset.split(0, 0.2, 0.05).train).length == pytest.approx(expected, rel=0.2)


def test_several_files_are_one_text_in_the_order_of_their_names(tmp_path: Path) -> None:
    """Other files are left out, empty ones too; all is told, and a place names its file."""
    (tmp_path / "more").mkdir()
    for name, seed in (("b.txt", 1), ("a.txt", 0), ("more/c.md", 2)):
        written(tmp_path, prose(30, seed).strip(), name)
    written(tmp_path, b"\x00\x01", "picture.png")
    written(tmp_path, " \n", "empty.txt")
    dataset = opened(tmp_path, task="language")
    assert dataset.book.text == prose(30, 0) + prose(30, 1) + prose(30, 2)
    assert {"files-joined", "other-files", "empty-file"} <= {each.code for each in dataset.problems}
    assert dataset.book.place(30) == "b.txt, line 1"


# --------------------------------------------------------------------------------------------- bad texts

LONG = "This very line of some length comes again and again.\n"
REFUSED: dict[str, tuple[str | bytes, dict[str, object], str, str]] = {
    "empty": ("", {}, "no-text", "no text"),
    "blank": (" \n\n\t\n", {}, "no-text", "no text"),
    "latin-1": (prose(20).encode() + b"caf\xe9\n" + prose(5).encode(), {}, "bad-encoding", "line 21"),
    "utf-16": (prose(20).encode("utf-16"), {}, "bad-encoding", "UTF-16"),
    "binary": (prose(9).encode() + b"\x00\x00", {}, "bad-encoding", "0x00"),
    "too short": ("Hello.\n", {}, "text-too-short", "7 characters"),
    "one character": ("aaaaaaaaa\n" * 50, {}, "one-character", "'a'"),
    "unknown tokens": (prose(), {"tokens": "charakter"}, "unknown-kind-of-token", "character"),
    "no number": (prose(), {"length": "long"}, "bad-value", "length"),
    "no window": (prose(), {"length": 1}, "bad-value", "length"),
    "vocabulary of nothing": (prose(), {"vocabulary": 3}, "bad-value", "vocabulary"),
    "lowercase is no truth": (prose(), {"lowercase": "perhaps"}, "bad-value", "lowercase"),
    "option of tables": (prose(), {"drop": ["x"]}, "option-of-another-kind", "drop"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_bad_texts_are_refused(tmp_path: Path, case: str) -> None:
    """With a code, what and where."""
    content, options, code, words = REFUSED[case]
    dataset, problems = inspect_dataset(written(tmp_path, content), **options)  # type: ignore[arg-type]
    assert dataset is None
    errors = [each for each in problems if each.level == "error"]
    assert [each.code for each in errors] == [code]
    assert words in errors[0].text()


ODD: dict[str, tuple[str, str, str]] = {
    "windows line ends": (prose().replace("\n", "\r\n"), "line-ends", "120"),
    "separate accents": (prose() + "cafe\u0301\n", "composed", "lines 121"),
    "control characters": (prose() + "a\x07b\n", "control-characters", "line 121"),
    "unreadable characters": (prose() + "a\ufffdb\n", "control-characters", "U+FFFD"),
    "repeated lines": (prose() + LONG * 60, "repeated-lines", "60 times"),
    "little text": (prose(), "little-text", "characters"),
}


@pytest.mark.parametrize("case", ODD)
def test_odd_texts_are_told(tmp_path: Path, case: str) -> None:
    """They are used, and every change and doubt is said."""
    content, code, words = ODD[case]
    dataset, problems = inspect_dataset(written(tmp_path, content))
    assert dataset is not None
    found = {each.code: each for each in problems}
    assert words in found[code].text()


def test_what_the_training_part_shows_is_told(tmp_path: Path) -> None:
    """Rare characters, lines that the test part shares, what a token is."""
    dataset = opened(written(tmp_path, "Ж" + prose() + LONG * 3 + prose(20, 5) + LONG * 20))
    told = {each.code for each in dataset.fit(dataset.split(0, 0.2, 0.1).train).problems}
    assert {"rare-characters", "tokens"} <= told
    again = opened(written(tmp_path, prose(60) + prose(60), "twice.txt"))
    assert "shared-lines" in {each.code for each in again.fit(np.arange(60)).problems}


def test_options_of_the_vocabulary_that_cannot_be_are_refused(tmp_path: Path) -> None:
    """A window longer than the text; byte-pair pieces fewer than bytes."""
    path = written(tmp_path, prose())
    long, few = {"length": 9_000}, {"tokens": "bpe", "vocabulary": 99}
    for options, words in ((long, "longer than the training part"), (few, "260")):
        dataset = opened(path, **options)
        with pytest.raises(UserError, match=words):
            dataset.fit(np.arange(80))


def make_folder(folder: Path) -> Path:
    written(folder, b"\x00", "picture.png")
    return folder


@pytest.mark.parametrize(
    ("make", "options", "code"),
    [
        (make_folder, {}, "no-text"),
        (lambda folder: written(folder, "a,b\n1,2\n", "table.csv"), {}, "not-a-text"),
        (lambda folder: folder / "bok.txt", {}, "no-file"),
        (lambda folder: {"a": [1, 2]}, {}, "not-a-text"),
        (lambda folder: written(folder, prose()), {"target": "mood"}, "target-of-language"),
    ],
)
def test_what_is_no_text_is_refused(
    tmp_path: Path, make: Callable[[Path], object], options: dict[str, str], code: str
) -> None:
    """A folder without texts, a table, a mistyped name, data from memory, a target."""
    _, problems = inspect_dataset(make(tmp_path), task="language", **options)  # type: ignore[arg-type]
    assert code in [each.code for each in problems]


def test_a_test_text_is_held_against_the_training_text(tmp_path: Path) -> None:
    """The text trained on, shared lines, unknown characters and options that are fixed: all are told or refused."""
    dataset = opened(written(tmp_path, prose()))
    prep = dataset.fit(np.arange(100))
    same = read_for(prep, dataset.schema, written(tmp_path, prose(), "same.txt"))
    assert "trained-on" in {each.code for each in same.problems}
    other = read_for(prep, dataset.schema, written(tmp_path, prose(60) + "Ωmega\n", "other.txt"))
    assert "unknown-characters" in {each.code for each in other.problems}
    assert [each.code for each in dataset.shared_rows(other)] == ["shared-lines"]
    with pytest.raises(UserError, match="length cannot be changed"):
        read_for(prep, dataset.schema, written(tmp_path, prose(), "again.txt"), length=8)
