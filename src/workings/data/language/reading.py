"""Reading one plain text file, or all those of a folder one after the other, as one text."""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from workings.base.errors import UserError, refuse
from workings.base.problems import Problem, nearest, shorten
from workings.data.language.pieces import cut
from workings.data.text.plain import Plain, read_plain

SUFFIXES = (".txt", ".text", ".md", ".rst", ".log")
TABLES = (".csv", ".tsv", ".tab", ".parquet", ".pq", ".xlsx", ".json", ".jsonl")


@dataclass
class Book:
    """The whole text. starts: (n + 1,) where each of its n pieces begins, and the end; see ``pieces``.

    lines: (n,) the line that each piece is of, from 1 in its own file. files: names; file_of: (n,) which each is of.
    """

    text: str
    starts: np.ndarray
    lines: np.ndarray
    files: list[str]
    file_of: np.ndarray
    digest: str
    problems: list[Problem] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.starts) - 1

    def part(self, rows: np.ndarray) -> str:
        """The text of pieces, which are neighbours as a rule."""
        if not len(rows):
            return ""
        if int(rows[-1]) - int(rows[0]) + 1 == len(rows):
            return self.text[self.starts[rows[0]] : self.starts[rows[-1] + 1]]
        return "".join(self.text[self.starts[i] : self.starts[i + 1]] for i in rows)

    def place(self, row: int) -> str:
        """``line 17``; with the file where there are several."""
        named = f"{self.files[self.file_of[row]]}, " if len(self.files) > 1 else ""
        return f"{named}line {int(self.lines[row]):,}"


def is_text_path(data: object) -> bool:
    """A file whose name says that it is plain text."""
    if not isinstance(data, (str, Path)):
        return False
    path = Path(data)
    return path.is_file() and path.suffix.lower() in SUFFIXES


def read_book(data: object, lowercase: bool) -> Book:
    """The text of ``data``, with what was changed and left out as problems.

    Raises:
        UserError: no such file, no text in it, bytes that are no UTF-8; all files at once.
    """
    paths, problems = _paths(data)
    files: list[Plain] = []
    for each in read_plain(paths):
        if each.content.strip():
            files.append(each)
        elif len(paths) > 1:
            what = f"'{each.path.name}' is empty and left out."
            problems.append(Problem("warning", "empty-file", what, count=1, do="Check how it was written."))
    if not files:
        raise refuse("no-text", f"There is no text in '{data}'.", do="Give a file with text in it.")
    problems += _same_files(files)
    texts = [_clean(each, problems) for each in files]
    if lowercase:
        texts = [text.lower() for text in texts]
    if len(files) > 1:
        texts = [text if text.endswith("\n") else text + "\n" for text in texts]
        named = shorten(each.path.name for each in files)
        what = f"{len(files):,} files are read as one text, in the order of their names."
        problems.append(Problem("note", "files-joined", what, named, len(files), "The text is split by position."))
    pieces = [cut(text) for text in texts]
    offsets = np.cumsum([0, *(len(text) for text in texts)])
    starts = [piece[0][:-1] + offset for piece, offset in zip(pieces, offsets[:-1], strict=True)]
    digest = hashlib.sha256("".join(each.digest for each in files).encode()).hexdigest()
    return Book(
        "".join(texts),
        np.concatenate([*starts, offsets[-1:]]).astype(np.int64),
        np.concatenate([piece[1] for piece in pieces]),
        [each.path.name for each in files],
        np.repeat(np.arange(len(files)), [len(piece[1]) for piece in pieces]),
        digest,
        problems,
    )


def _paths(data: object) -> tuple[list[Path], list[Problem]]:
    if not isinstance(data, (str, Path)):
        raise refuse(
            "not-a-text",
            f"A language model is trained on plain text; this is {type(data).__name__}.",
            do="Give the path of a text file, or of a folder of them.",
        )
    path = Path(data)
    if path.is_dir():
        return _of_folder(path)
    if not path.is_file():
        names = sorted(each.name for each in path.parent.iterdir()) if path.parent.is_dir() else []
        guess = nearest(path.name, names)
        do = f"Did you mean '{path.parent / guess}'?" if guess else "Check the path."
        raise refuse("no-file", f"There is no file '{path}'.", do=do)
    if path.suffix.lower() in TABLES:
        raise refuse(
            "not-a-text",
            f"'{path}' is a table; a language model is trained on plain text.",
            do="Save the text alone as a .txt file, or leave --task language out and name a --target.",
        )
    return [path], []


def _of_folder(folder: Path) -> tuple[list[Path], list[Problem]]:
    every = sorted(each for each in folder.rglob("*") if each.is_file() and not each.name.startswith("."))
    paths = [each for each in every if each.suffix.lower() in SUFFIXES]
    others = [str(each.relative_to(folder)) for each in every if each.suffix.lower() not in SUFFIXES]
    if not paths:
        where = f"there is: {shorten(others, 8)}" if others else "the folder is empty"
        do = f"Give files that end in {', '.join(SUFFIXES)}."
        raise refuse("no-text", f"There is no text file in '{folder}'.", where=where, do=do)
    if not others:
        return paths, []
    what = f"{len(others):,} files of '{folder}' are no text files and are left out."
    return paths, [Problem("note", "other-files", what, shorten(others), len(others))]


def _same_files(files: list[Plain]) -> list[Problem]:
    """Files with equal content: the net would learn one by heart, and be tested on it."""
    first: dict[str, str] = {}
    same = [
        f"{each.path.name} = {first[each.digest]}"
        for each in files
        if first.setdefault(each.digest, each.path.name) != each.path.name
    ]
    if not same:
        return []
    what = f"{len(same):,} files have the content of another one."
    why = "What is in the training part and in the test part is known by heart, not understood."
    return [Problem("warning", "same-files", what, shorten(same), len(same), why, "Remove the copies.")]


def _clean(file: Plain, problems: list[Problem]) -> str:
    """Line ends as LF, letters composed (NFC); each change told."""
    text, name = file.content, file.path.name
    returns = text.count("\r")
    if returns:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
        what = f"{returns:,} line ends of '{name}' were CR or CR LF and are read as LF."
        problems.append(Problem("note", "line-ends", what, count=returns))
    if not unicodedata.is_normalized("NFC", text):
        lines = text.split("\n")
        changed = [i for i, line in enumerate(lines, 1) if not unicodedata.is_normalized("NFC", line)]
        text = unicodedata.normalize("NFC", text)
        what = f"Letters with separate accents in '{name}' are read as one character each (Unicode NFC)."
        problems.append(
            Problem("note", "composed", what, f"lines {shorten(changed)}", len(changed), "They look the same.")
        )
    return text


def options_problems(options: Mapping[str, Any]) -> list[Problem]:
    """What is wrong with the reading options themselves."""
    from workings.base.problems import unknown_name
    from workings.data.text.tokeniser import KINDS

    problems = []
    tokens = options.get("tokens", KINDS[0])
    if tokens not in KINDS:
        problems.append(unknown_name("kind of token", str(tokens), list(KINDS)))
    for name, least in (("vocabulary", 6), ("length", 2)):
        value = options.get(name)
        if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < least):
            do = f"Give a whole number from {least}."
            problems.append(Problem("error", "bad-value", f"{name} is {value!r}.", do=do))
    if not isinstance(options.get("lowercase", False), bool):
        what = f"lowercase is {options['lowercase']!r}."
        problems.append(Problem("error", "bad-value", what, do="Give true or false."))
    return problems


def raise_all(problems: list[Problem]) -> None:
    """Refuse where there is an error among the problems."""
    errors = [each for each in problems if each.level == "error"]
    if errors:
        raise UserError(errors)
