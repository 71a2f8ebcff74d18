"""Texts in files: a folder a class with a text a file, or a file a class with a text a line."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl

from workings.base.errors import UserError, refuse
from workings.base.problems import Problem, nearest, shorten
from workings.data.folders import (
    FileKind,
    Listing,
    look_into,
    natural,
    parts_in,
    refuse_a_level_too_high,
    refuse_parts,
    subfolders,
)
from workings.data.text.brought import Brought, Unit
from workings.data.text.plain import Plain, read_plain

WANTED = "Give a folder with a folder of .txt files for each class, or with a .txt file for each class."
TEXTS = FileKind(
    noun="text",
    suffixes=frozenset({".txt"}),
    foreign=frozenset(".md .rst .html .htm .xml .json .tex .rtf .doc .docx .odt .pdf .epub .eml".split()),
    convert="Save them as plain text, UTF-8, with names that end in .txt.",
    wanted=WANTED,
)
LOOKED_AT = 200  # files of a folder, to see what it is about
_ABOUT = re.compile(r"^(readme|licen[cs]e|copying|changelog|authors|notes?)\b", re.I)


def holds_texts(root: Path) -> bool:
    """Whether most files of the folder, or of the folders in it, are text files."""
    inside = [item for item in _visible(root) if item.is_dir()]
    files = [item for item in _visible(root) if item.is_file()]
    for folder in inside[:20]:
        files += [item for item in _visible(folder)[: LOOKED_AT // 10] if item.is_file()]
    texts = sum(path.suffix.lower() in TEXTS.suffixes for path in files)
    return texts > 0 and 2 * texts > len(files)


def read_folder(root: Path, target: str | None) -> Brought:
    """The texts of a folder, labelled by the names of its folders or, where it has none, of its files.

    Raises:
        UserError: no text; one class only; train/ and test/ inside; files that are not UTF-8.
    """
    parts = parts_in(folder.name for folder in subfolders(root))
    if "train" in parts and len(parts) > 1 and subfolders(root / parts["train"]):
        raise refuse_parts(root, parts)
    inside = look_into(root, TEXTS)
    if inside.by_class:
        brought = _whole_files(root, inside.by_class, target)
        brought.problems += inside.labelled().problems
        return brought
    about = [path for path in inside.loose if _ABOUT.match(path.stem)]
    classes = [path for path in inside.loose if path not in about]
    if not classes:
        what = f"There are no texts in '{root}' but such as are about the data by their names."
        raise refuse("no-texts", what, where=shorten(path.name for path in about), do=WANTED)
    brought = _lines(root, classes, target)
    if about:
        what = f"{len(about):,} file(s) are about the data by their names, and make no class; they were left out."
        where = shorten(path.name for path in about)
        brought.problems.append(Problem("warning", "files-left-out", what, where, len(about)))
    brought.problems += inside.left_out
    return brought


def read_flat(path: Path, unit: Unit) -> Brought:
    """Texts without labels: a file, or a folder of files; a text a line, or a text a file.

    Raises:
        UserError: nothing there; files that are not UTF-8.
    """
    if not path.exists():
        beside = [each.name for each in path.parent.iterdir()] if path.parent.is_dir() else []
        guess = nearest(path.name, beside)
        do = (
            f"Did you mean '{path.parent / guess}'?" if guess else "To judge one text from Python, give a list: [text]."
        )
        raise refuse("no-such-file", f"There is no file '{path}'.", do=do)
    listing = look_into(path, TEXTS).unlabelled() if path.is_dir() else Listing(path.parent, [path], [path.name])
    plain = read_plain(listing.files)
    brought = _of_lines(listing.root, plain) if unit == "line" else _of_files(listing.root, plain)
    brought.problems += listing.problems
    return brought


def _whole_files(root: Path, by_class: dict[str, list[Path]], target: str | None) -> Brought:
    if len(by_class) == 1:
        name = next(iter(by_class))
        refuse_a_level_too_high(root, name)
        raise _one_class(root, f"a single folder with texts, '{name}'", "")
    brought = _of_files(root, read_plain(path for files in by_class.values() for path in files))
    labels = [name for name, files in by_class.items() for _ in files]
    return _labelled(brought, labels, target)


def _lines(root: Path, files: Sequence[Path], target: str | None) -> Brought:
    if len(files) == 1:
        do = f"To learn to go on with the text instead: workings train '{files[0]}' --task language."
        raise _one_class(root, f"a single text file, '{files[0].name}'", do)
    plain = read_plain(files)
    brought = _of_lines(root, plain)
    labels = [each.path.stem for each in plain for line in each.lines()]
    return _labelled(brought, labels, target)


def _labelled(brought: Brought, labels: list[str], target: str | None) -> Brought:
    brought.labels = pl.Series("class", labels, dtype=pl.String)
    brought.target, brought.by_name = target or "class", True
    brought.digest = hashlib.sha256("\n".join([brought.digest, *labels]).encode()).hexdigest()
    return brought


def _of_files(root: Path, plain: Sequence[Plain]) -> Brought:
    texts: list[str | None] = [each.content.strip() for each in plain]
    places = [each.path.relative_to(root).as_posix() for each in plain]
    return Brought(texts, None, np.arange(len(texts)), "text", "class", "file", _digest(plain), places=places)


def _of_lines(root: Path, plain: Sequence[Plain]) -> Brought:
    texts: list[str | None] = []
    places: list[str] = []
    for each in plain:
        name = each.path.relative_to(root).as_posix()
        for number, line in enumerate(each.lines(), 1):
            texts.append(line)
            places.append(f"{name}, line {number:,}")
    return Brought(texts, None, np.arange(len(texts)), "text", "class", "line", _digest(plain), places=places)


def _digest(plain: Sequence[Plain]) -> str:
    return hashlib.sha256("\n".join(each.digest for each in plain).encode()).hexdigest()


def _one_class(root: Path, found: str, do: str) -> UserError:
    why = "There is nothing to tell apart."
    return refuse("one-class", f"'{root}' holds {found}, so there is one class only.", why=why, do=do or WANTED)


def _visible(folder: Path) -> list[Path]:
    return sorted((item for item in folder.iterdir() if item.name[0] != "."), key=lambda path: natural(path.name))
