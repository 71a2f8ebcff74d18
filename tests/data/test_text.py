"""Laws of texts with labels: what is recognised, how they are split, cut into tokens, batched, and read again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import polars
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file
from tests.data.opening import opened_as
from tests.data.texts import reviews

import workings
from workings.base.events import EpochEnded, Event
from workings.base.problems import Problem
from workings.base.tokens import PAD, UNK
from workings.data import inspect_dataset, read_for
from workings.data.text.dataset import TextDataset
from workings.data.text.tokeniser import KINDS, Tokeniser, Tokens, train_tokeniser

QUICK: dict[str, Any] = {"lane": "eager@1", "baselines": False, "report": False, "dropout": 0.1}


def opened(data: Any, **options: Any) -> TextDataset:
    return opened_as(TextDataset, data, **options)


def told(data: object, **options: Any) -> dict[str, Problem]:
    return {problem.code: problem for problem in inspect_dataset(data, **options)[1]}


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "reviews.csv"
    reviews(120).select("id", "review", "mood").write_csv(path)
    return path


def write(folder: Path, files: dict[str, str]) -> Path:
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content, encoding="utf-8")
    return folder


# ------------------------------------------------------------------------------------------------ recognised


def test_the_same_texts_in_every_form_are_the_same_data(tmp_path: Path, table: Path) -> None:
    """CSV, TSV, Parquet, DataFrames, a dict, lists, a file a class and a folder a class: one dataset."""
    frame = polars.read_csv(table)
    frame.write_csv(tmp_path / "reviews.tsv", separator="\t")
    frame.write_parquet(tmp_path / "reviews.parquet")
    by_mood = {mood: part["review"].to_list() for (mood,), part in frame.group_by("mood")}
    lines = write(tmp_path / "lines", {f"{mood}.txt": "\n".join(part) for mood, part in by_mood.items()})
    files = {f"{mood}/{k}.txt": text for mood, part in by_mood.items() for k, text in enumerate(part)}
    forms: list[object] = [table, tmp_path / "reviews.tsv", tmp_path / "reviews.parquet", frame, frame.to_pandas()]
    forms += [frame.to_dict(as_series=False), (frame["review"].to_list(), frame["mood"].to_list())]
    forms += [(frame["review"].to_numpy(), frame["mood"].to_numpy()), lines, write(tmp_path / "files", files)]
    wanted = sorted(zip(frame["review"], frame["mood"], strict=True))
    for data in forms:
        found = opened(data)
        assert found.task.kind == "binary"
        assert found.task.classes is not None
        assert found.read.y is not None
        labels = [found.task.classes[k] for k in found.read.y]
        assert sorted(zip(found.read.texts, labels, strict=True)) == wanted
    opened(lines, target="mood")


def test_a_table_with_other_features_stays_a_table_and_says_how_to_read_the_text(tmp_path: Path) -> None:
    """Unless ``text`` names the column."""
    path = tmp_path / "all.csv"
    reviews(60).write_csv(path)
    table, problems = inspect_dataset(path, target="mood")
    assert table is not None
    assert table.kind == "table"
    assert any("--set text=COLUMN" in problem.do for problem in problems)
    assert opened(path, target="mood", text="review").kind == "text"
    assert "unused-columns" in told(path, target="mood", text="review")


def test_a_number_may_be_learnt_from_texts() -> None:
    """A target of numbers is standardised by the training rows."""
    data = opened(reviews(60), target="stars", text="review")
    assert data.task.kind == "regression"
    rows = np.arange(40)
    prep = data.fit(rows)
    y = data.source(prep, rows).y
    assert abs(float(y.mean())) < 1e-6
    assert data.read.y is not None
    assert prep.target_mean == pytest.approx(float(data.read.y[:40].mean()))


def test_only_line_feeds_end_a_line(tmp_path: Path) -> None:
    """A separator of Unicode, a form feed or a NEL within a text does not cut it; nor do CR LF and a mark harm."""
    folder = tmp_path / "moods"
    folder.mkdir()
    (folder / "glad.txt").write_bytes("\ufeffone\u2028still one\r\ntwo\x85still two\r\n".encode())
    (folder / "sad.txt").write_bytes(b"three\x0cstill three\nfour\n")
    found = opened(folder)
    assert found.n == 4
    assert found.read.texts[0] == "one\u2028still one"
    assert found.source(found.fit(np.arange(4)), np.arange(4)).where(3) == "sad.txt, line 2"


# ------------------------------------------------------------------------------------------------ told


def test_what_is_wrong_but_bearable_is_told() -> None:
    """Repeated texts, contradicting labels, classes with few texts, words that hardly recur, texts that are cut."""
    frame = reviews(60).select("review", "mood")
    again = polars.DataFrame({"review": [frame["review"][0].upper(), frame["review"][1]], "mood": ["sad", "sad"]})
    found = told(polars.concat([frame, again]), target="mood")
    assert found["duplicate-texts"].count == 2
    assert found["contradicting-labels"].count == 1
    assert "row 1 and row 61: 'happy' and 'sad'" in found["contradicting-labels"].where
    rare = frame.with_columns(mood=polars.when(polars.int_range(60) < 4).then(polars.lit("odd")).otherwise("mood"))
    assert "odd" in told(rare, target="mood")["class-small"].where

    texts = [" ".join(f"w{k * 9 + j}" for j in range(9)) for k in range(40)]
    odd = opened((texts, ["a", "b"] * 20), length=5)
    codes = {problem.code: problem for problem in odd.fit(np.arange(40)).problems}
    assert codes["hardly-recurring"].level == "warning"
    assert codes["cut-texts"].count == 40
    assert "5 words" in codes["cut-texts"].what


@pytest.mark.parametrize(("n", "level"), [(12, "note"), (60, "error")])
def test_labels_that_are_sentences_lead_to_translation(n: int, level: str) -> None:
    """Two lists of sentences are rather pairs than classes: what to ask for is said; few are taken all the same."""
    texts = [f"the dog number {k} barks" for k in range(n)]
    _, problems = inspect_dataset((texts, [f"der hund nummer {k} bellt" for k in range(n)]))
    told = [each for each in problems if "--task translation" in each.do]
    assert [each.level for each in told] == [level]
    for labels in (["a", "b"], ["the fox ran off", "the fox came back"], [f"case {k}" for k in range(n)]):
        _, problems = inspect_dataset((texts, [labels[k % len(labels)] for k in range(n)]))
        assert not any("translation" in each.do for each in problems)


def test_rows_without_text_or_label_may_be_dropped() -> None:
    """Told, with their places; the others keep their row numbers."""
    frame = reviews(60).select("review", "mood")
    frame = frame.with_columns(
        review=polars.when(polars.int_range(60) == 3).then(polars.lit(" ")).otherwise("review"),
        mood=polars.when(polars.int_range(60) == 5).then(None).otherwise("mood"),
    )
    data = opened(frame, target="mood", on_bad_row="drop")
    dropped = [problem.where for problem in data.problems if problem.code == "dropped-rows"]
    assert sorted(dropped) == ["rows 4", "rows 6"]
    assert data.n == 58
    assert data.source(data.fit(np.arange(58)), np.arange(58)).where(57) == "row 60"


# ------------------------------------------------------------------------------------------------ split


@settings(max_examples=15, deadline=None)
@given(
    texts=st.lists(st.sampled_from(["A b", "a  B", "c", "d e", "f", "g h i"]), min_size=20, max_size=60),
    seed=st.integers(0, 9),
    grouped=st.booleans(),
)
def test_equal_texts_and_groups_stay_on_one_side(texts: list[str], seed: int, grouped: bool) -> None:
    """Whatever the split: no text of a test row is also a training text, whatever its case and spaces."""
    frame = polars.DataFrame(
        {"t": texts, "y": [k % 2 for k in range(len(texts))], "g": [k // 3 for k in range(len(texts))]}
    )
    data = opened(frame, target="y", text="t", task="classification", **({"group": "g"} if grouped else {}))
    split = data.split(seed, 0.25, 0.25)
    parts = [set(data.read.same[rows]) for rows in (split.train, split.val, split.test)]
    assert not parts[0] & parts[1]
    assert not (parts[0] | parts[1]) & parts[2]
    assert len(split.train) + len(split.val) + len(split.test) == data.n
    if grouped:
        groups = [{frame["g"][int(i)] for i in rows} for rows in (split.train, split.val, split.test)]
        assert not groups[0] & groups[2]
        assert not groups[0] & groups[1]


def test_fit_sees_training_rows_only(table: Path) -> None:
    """A word that only other rows have is unknown to the vocabulary, and that is told of the rows that have it."""
    frame = polars.read_csv(table)
    frame = frame.with_columns(
        review=polars.when(polars.int_range(polars.len()) >= 100)
        .then("zyzzyva zyzzyva " + polars.col("review"))
        .otherwise("review")
    )
    data = opened(frame, target="mood")
    prep = data.fit(np.arange(100))
    assert "zyzzyva" not in json.dumps(prep.tokeniser)
    source = data.source(prep, np.arange(100, 120))
    assert (source.unknown >= 2).all()
    assert "unknown-tokens" in {problem.code for problem in source.problems}
    assert prep == opened(frame.head(100), target="mood").fit(np.arange(100))


# ------------------------------------------------------------------------------------------------ tokens

WORDS = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), min_size=1, max_size=30)


@settings(max_examples=30, deadline=None)
@given(text=WORDS, kind=st.sampled_from(["character", "bpe"]))
def test_characters_and_pieces_give_the_text_back(text: str, kind: Tokens) -> None:
    """Decoding what was encoded is the text in Unicode's composed form, case kept; pieces know every text."""
    import unicodedata

    composed = unicodedata.normalize("NFC", text)
    trained = train_tokeniser([text, "abc abc"] if kind == "character" else ["abc abc"], kind, 5000, False)
    tokens = trained.encode([text])[0]
    assert UNK not in tokens
    assert trained.decode(tokens.tolist()) == composed


@pytest.mark.parametrize("kind", KINDS)
def test_a_vocabulary_is_the_same_each_time_and_survives_json(kind: Tokens) -> None:
    """Same texts, same numbers; the JSON makes the same tokeniser again; special tokens come first."""
    texts = reviews(50)["review"].to_list()
    first, second = (train_tokeniser(texts, kind, 300, True, 2) for _ in range(2))
    assert first.to_json() == second.to_json()
    again = Tokeniser.from_json(json.loads(json.dumps(first.to_json())))
    for ours, theirs in zip(first.encode(texts), again.encode(texts), strict=True):
        assert np.array_equal(ours, theirs)
    assert first.words([0, 1, 2, 3]) == ["<pad>", "<unk>", "<s>", "</s>"]
    assert first.size <= 300


def test_words_that_occur_once_are_unknown_where_enough_is_known_without_them() -> None:
    """And kept where leaving them out would leave too little."""
    common = opened(reviews(200).select("review", "mood"), target="mood")
    assert '"no7"' not in json.dumps(common.fit(np.arange(200)).tokeniser)
    few = opened((["one two", "three four", "one five", "six seven"] * 5 + ["eight nine"], ["a", "b"] * 10 + ["a"]))
    assert "eight" in json.dumps(few.fit(np.array([0, 1, 20])).tokeniser)


# ------------------------------------------------------------------------------------------------ batches


@settings(max_examples=10, deadline=None)
@given(index=st.lists(st.integers(0, 59), min_size=1, max_size=9))
def test_a_batch_is_as_long_as_its_longest_text_and_padded_at_the_end(index: list[int]) -> None:
    """Each row of a batch is the single sample, then padding."""
    data = opened(reviews(60).select("review", "mood"), target="mood")
    source = data.source(data.fit(np.arange(60)), np.arange(60))
    batch = source.x(torch.tensor(index))
    assert source.lengths is not None
    assert batch.shape == (len(index), int(source.lengths[index].max()))
    for row, i in zip(batch, index, strict=True):
        alone = source.x(torch.tensor([i]))[0]
        assert torch.equal(row[: len(alone)], alone)
        assert (row[len(alone) :] == PAD).all()
        assert (alone != PAD).all()


# ------------------------------------------------------------------------------------------------ runs


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A net that has learnt the mood of reviews."""
    frame = reviews(200).select("review", "mood")
    out = tmp_path_factory.mktemp("runs") / "mood"
    return workings.train(frame, target="mood", epochs=12, seed=1, out=out, settings=QUICK | {"batch_size": 16})


def test_a_net_learns_from_texts_and_predicts_new_ones(trained: Any, tmp_path: Path) -> None:
    """From lists, a table, lines and files without labels; the answer to one text does not hang on the others."""
    assert trained.metrics["accuracy"] > 0.9
    texts = ["a superb and lovely story", "a dull and boring story of people in the city", "a good film"]
    from_list = trained.predict(texts)
    assert from_list["prediction"].to_list() == ["happy", "sad", "happy"]
    write(tmp_path, {"new/one.txt": texts[0], "new/two.txt": "\n".join(texts[1:]), "lines.txt": "\n".join(texts)})
    polars.DataFrame({"n": [1, 2, 3], "review": texts}).write_csv(tmp_path / "new.csv")
    for data in (tmp_path / "lines.txt", tmp_path / "new", tmp_path / "new.csv", (texts, ["?"] * 3)):
        found = trained.predict(data)
        assert found["prediction"].to_list() == from_list["prediction"].to_list()
        assert np.allclose(found["probability_sad"], from_list["probability_sad"], atol=1e-6)
    assert trained.predict(tmp_path / "lines.txt")["where"].to_list() == [f"lines.txt, line {k}" for k in (1, 2, 3)]
    alone = trained.predict(texts[:1])
    assert np.allclose(alone["probability_sad"], from_list["probability_sad"][:1], atol=1e-6)


def test_labelled_texts_of_any_form_are_evaluated(trained: Any, tmp_path: Path) -> None:
    """A table, and a file a class, give the same figures; an empty text is told and kept."""
    frame = reviews(40, seed=7)
    ours = trained.evaluate(frame)["metrics"]["accuracy"]
    files = {f"{mood}.txt": "\n".join(part["review"]) for (mood,), part in frame.group_by("mood")}
    assert trained.evaluate(write(tmp_path / "moods", files))["metrics"]["accuracy"] == pytest.approx(ours)
    new = read_for(trained.prep, trained.schema, ["a fine film", ""], require_target=False)
    assert new.n == 2
    assert "empty-text" in {problem.code for problem in new.problems}


class Interrupted:
    """A reader of events that interrupts the run when an epoch ends."""

    def __init__(self, at: int) -> None:
        self.at = at

    def __call__(self, event: Event) -> None:
        if isinstance(event, EpochEnded) and event.epoch >= self.at:
            raise KeyboardInterrupt


def test_a_resumed_run_of_texts_ends_with_the_same_bits(tmp_path: Path, table: Path) -> None:
    """Stopped after two epochs and resumed, the weights are those of the run that never stopped; a seed is a run."""
    given: dict[str, Any] = {"target": "mood", "epochs": 4, "seed": 3, "settings": QUICK | {"checkpoint_seconds": 0}}
    whole = workings.train(table, out=tmp_path / "whole", **given)
    with pytest.raises(KeyboardInterrupt):
        workings.train(table, out=tmp_path / "stopped", emit=Interrupted(2), **given)
    resumed = workings.train(resume=tmp_path / "stopped")
    ours, theirs = (load_file(Path(run.path) / "weights.safetensors") for run in (whole, resumed))
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)
    assert whole.metrics == resumed.metrics
