"""Bad texts get one message through the command line: exit code 2, what is wrong and what to do, nothing written."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import polars
import pytest
from tests.data.texts import reviews

from workings.cli.main import run

Change = Callable[[Path], object]


@dataclass(frozen=True)
class Case:
    """A command on a folder that holds ``reviews.csv`` and ``moods/``, and what its message must say."""

    name: str
    words: str
    says: tuple[str, ...]
    change: Change = field(default=lambda folder: None)


def put(path: str, content: str | bytes) -> Change:
    """Write a file."""

    def do(folder: Path) -> None:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content if isinstance(content, bytes) else content.encode())

    return do


def also(*changes: Change) -> Change:
    """One after another."""
    return lambda folder: [change(folder) for change in changes]


def cells(column: str, values: dict[int, str | None]) -> Change:
    """Put values into rows of reviews.csv."""

    def do(folder: Path) -> None:
        frame = polars.read_csv(folder / "reviews.csv")
        told = frame[column].cast(polars.String).to_list()
        for row, value in values.items():
            told[row - 1] = value
        frame.with_columns(polars.Series(column, told)).write_csv(folder / "reviews.csv")

    return do


def keep(rows: polars.Expr) -> Change:
    """Keep some rows of reviews.csv."""
    return lambda folder: polars.read_csv(folder / "reviews.csv").filter(rows).write_csv(folder / "reviews.csv")


def whole(folder: Path) -> None:
    """All columns of the reviews."""
    reviews(60).write_csv(folder / "reviews.csv")


def twice(folder: Path) -> None:
    """A second column of texts."""
    path = folder / "reviews.csv"
    polars.read_csv(path).with_columns(again="review").write_csv(path)


TABLE = "train reviews.csv --target mood --out new"
LATIN = "ein schönes Stück\n".encode("latin1")

CASES = [
    Case("empty texts", TABLE, ("2 text(s) are empty", "rows 3, 8", "on_bad_row=drop"),
         cells("review", {3: "", 8: "   "})),
    Case("all texts empty", "train reviews.csv --target mood --out new --set text=review", ("All 60 texts are empty",),
         cells("review", dict.fromkeys(range(1, 61)))),
    Case("labels missing", TABLE, ("'mood' is missing in 1 row(s)", "rows 5", "on_bad_row=drop"),
         cells("mood", {5: None})),
    Case("texts and labels at once", TABLE, ("2 things are wrong", "rows 3", "rows 5"),
         also(cells("mood", {5: None}), cells("review", {3: None}))),
    Case("one class", TABLE, ("'happy'", "nothing to tell apart"), keep(polars.col("mood") == "happy")),
    Case("target misspelt", "train reviews.csv --target mod --out new --set text=review", ("Did you mean 'mood'?",)),
    Case("text column misspelt", TABLE + " --set text=reveiw", ("no column 'reveiw'", "Did you mean 'review'?")),
    Case("text is the target", "train reviews.csv --target review --set text=review --out new",
         ("'review' is the target and the text",)),
    Case("text column of numbers", "train reviews.csv --target mood --set text=stars --out new",
         ("'stars'", "holds numbers, no texts"), whole),
    Case("two text columns", TABLE, ("2 columns", "review, again", "--set text=review"),
         twice),
    Case("a class for each text", "train reviews.csv --target id --set text=review --task classification --out new",
         ("60 class(es)", "one row only")),
    Case("group misspelt", TABLE + " --set group=autor", ("no column 'autor'", "Did you mean 'author'?"), whole),
    Case("tokens misspelt", TABLE + " --set tokens=wrod", ("no kind of tokens called 'wrod'", "Did you mean 'word'?")),
    Case("no vocabulary", TABLE + " --set vocabulary=0", ("'vocabulary'", "1 or more")),
    Case("vocabulary smaller than the bytes", TABLE + " --set tokens=bpe --set vocabulary=100", ("260 or more",)),
    Case("length is no number", TABLE + " --set length=long", ("'long'", "'length'")),
    Case("option of another kind", TABLE + " --set pixels=32", ("'pixels' is for images data",)),
    Case("table not UTF-8", TABLE, ("not UTF-8", "line 2"),
         put("reviews.csv", b"review,mood\n" + b"sch\xf6n,x\n" * 30)),
    Case("file not UTF-8", "train moods --out new", ("glad.txt' is not UTF-8", "line 2: byte", "iconv"),
         put("moods/glad.txt", b"fine\n" + LATIN)),
    Case("several files not UTF-8", "train moods --out new", ("2 files are not UTF-8", "glad.txt", "sad.txt"),
         also(put("moods/glad.txt", LATIN), put("moods/sad.txt", LATIN))),
    Case("file in UTF-16", "train moods --out new", ("it is UTF-16",),
         put("moods/glad.txt", "fine\n".encode("utf-16"))),
    Case("one file only", "train moods --out new", ("a single text file", "--task language"),
         lambda folder: (folder / "moods" / "sad.txt").unlink()),
    Case("a file of blank lines", "train moods --out new", ("All texts are of the class 'sad'",),
         put("moods/glad.txt", "\n \n\n")),
    Case("one folder only", "train stories --out new", ("a single folder with texts, 'a'",),
         put("stories/a/1.txt", "x y")),
    Case("an empty text file", "train stories --out new", ("1 text(s) are empty", "b/2.txt"),
         also(put("stories/a/1.txt", "x y"), put("stories/b/1.txt", "z"), put("stories/b/2.txt", ""))),
    Case("train and test inside", "train both --out new", ("both/train' --test", "both/test"),
         also(put("both/train/a/1.txt", "x"), put("both/train/b/1.txt", "y"), put("both/test/a/1.txt", "x"))),
    Case("a class of one text", TABLE, ("one row only", "'angry'"), cells("mood", {7: "angry"})),
    Case("names are no numbers", "train moods --task regression --out new", ("no number to learn",)),
    Case("a net for pictures", TABLE + " --net cnn", ("'cnn'", "lstm")),
    Case("test data of other classes", TABLE + " --test other.csv", ("'hapy' (1)", "'happy' for 'hapy'"),
         put("other.csv", "review,mood\na fine film,hapy\na bad film,sad\n")),
    Case("test data without labels", TABLE + " --test other.csv", ("no column 'mood'",),
         put("other.csv", "review\na b\n")),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_bad_texts_get_one_message(
    case: Case, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exit code 2; the message says what is wrong and what to do; no run folder is begun."""
    reviews(60).select("id", "review", "mood").write_csv(tmp_path / "reviews.csv")
    put("moods/glad.txt", "a fine film\nlovely\n" * 15)(tmp_path)
    put("moods/sad.txt", "a bad film\ndull and long\n" * 15)(tmp_path)
    case.change(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("COLUMNS", raising=False)
    capsys.readouterr()
    before = sorted(tmp_path.rglob("*"))
    code = run(case.words.split())
    said = capsys.readouterr()
    flat = " ".join(said.err.split())
    assert code == 2, said
    assert said.out == ""
    assert "Traceback" not in flat
    for wanted in case.says:
        assert wanted in flat, said.err
    assert "what to do: " in flat
    assert sorted(tmp_path.rglob("*")) == before
