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
from workings.data.text.brought import Brought, Unit
from workings.data.text.plain import Plain, read_plain

SUFFIX = ".txt"
LOOKED_AT = 200  # files of a folder, to see what it is about
_ABOUT = re.compile(r"^(readme|licen[cs]e|copying|changelog|authors|notes?)\b", re.I)
_PARTS = {"train": "train", "training": "train", "test": "test", "testing": "test", "val": "val", "valid": "val"}


def holds_texts(root: Path) -> bool:
    """Whether most files of the folder, or of the folders in it, are text files."""
    inside = [item for item in _visible(root) if item.is_dir()]
    files = [item for item in _visible(root) if item.is_file()]
    for folder in inside[:20]:
        files += [item for item in _visible(folder)[: LOOKED_AT // 10] if item.is_file()]
    texts = sum(path.suffix.lower() == SUFFIX for path in files)
    return texts > 0 and 2 * texts > len(files)


def read_folder(root: Path, target: str | None) -> Brought:
    """The texts of a folder, labelled by the names of its folders or, where it has none, of its files.

    Raises:
        UserError: no text; one class only; train/ and test/ inside; files that are not UTF-8.
    """
    folders = [item for item in _visible(root) if item.is_dir()]
    _refuse_parts(root, folders)
    by_class = {folder.name: _texts_in(folder) for folder in folders}
    empty = [name for name, files in by_class.items() if not files]
    by_class = {name: files for name, files in by_class.items() if files}
    loose = [item for item in _visible(root) if item.is_file()]
    if by_class:
        brought = _whole_files(root, by_class, target)
        brought.problems += _left_out(loose, "lie beside the folders of the classes")
        if empty:
            what = f"{len(empty)} folder(s) hold no text and make no class."
            brought.problems.append(Problem("warning", "empty-class-folder", what, shorten(empty), len(empty)))
        return brought
    texts = [path for path in loose if path.suffix.lower() == SUFFIX]
    about = [path for path in texts if _ABOUT.match(path.stem)]
    classes = [path for path in texts if path not in about]
    others = [path for path in loose if path not in texts]
    if not classes:
        what = f"There are no texts in '{root}'."
        do = "Give a folder with a folder of .txt files for each class, or with a .txt file for each class."
        raise refuse("no-texts", what, where=shorten(path.name for path in loose), do=do)
    brought = _lines(root, classes, target)
    brought.problems += _left_out(about, "are about the data by their names, and make no class")
    brought.problems += _left_out(others, "are no text files")
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
    files = _texts_in(path) if path.is_dir() else [path]
    if not files:
        raise refuse("no-texts", f"There are no .txt files in '{path}'.", do="Give a .txt file, or a folder of them.")
    root = path if path.is_dir() else path.parent
    return _of_lines(root, read_plain(files)) if unit == "line" else _of_files(root, read_plain(files))


def _whole_files(root: Path, by_class: dict[str, list[Path]], target: str | None) -> Brought:
    if len(by_class) == 1:
        name = next(iter(by_class))
        inner = [item.name for item in _visible(root / name) if item.is_dir()]
        do = f"If the folders inside it are the classes, give '{root / name}'." if len(inner) > 1 else ""
        raise _one_class(root, f"a single folder with texts, '{name}'", shorten(inner), do)
    brought = _of_files(root, read_plain(path for files in by_class.values() for path in files))
    labels = [name for name, files in by_class.items() for _ in files]
    return _labelled(brought, labels, target)


def _lines(root: Path, files: Sequence[Path], target: str | None) -> Brought:
    if len(files) == 1:
        do = f"To learn to go on with the text instead: workings train '{files[0]}' --task language."
        raise _one_class(root, f"a single text file, '{files[0].name}'", "", do)
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


def _one_class(root: Path, found: str, where: str, do: str) -> UserError:
    do = do or "Give a folder with a folder of .txt files for each class, or with a .txt file for each class."
    why = "There is nothing to tell apart."
    return refuse("one-class", f"'{root}' holds {found}, so there is one class only.", where=where, why=why, do=do)


def _left_out(paths: Sequence[Path], why: str) -> list[Problem]:
    if not paths:
        return []
    what = f"{len(paths):,} file(s) {why}; they were left out."
    return [Problem("warning", "files-left-out", what, shorten(path.name for path in paths), len(paths))]


def _refuse_parts(root: Path, folders: Sequence[Path]) -> None:
    """A folder of train/ and test/ is two data sets; which is which is the user's to say."""
    parts = {_PARTS[folder.name.lower()]: folder for folder in folders if folder.name.lower() in _PARTS}
    if "train" not in parts or len(parts) < 2 or not any(item.is_dir() for item in _visible(parts["train"])):
        return
    tested = parts.get("test") or parts["val"]
    raise refuse(
        "train-and-test-folders",
        f"'{root}' holds {', '.join(folder.name + '/' for folder in parts.values())}, not a folder per class.",
        why="Taken as they are, the parts would be the classes.",
        do=f"Give the parts separately: workings train '{parts['train']}' --test '{tested}'.",
    )


def _texts_in(folder: Path) -> list[Path]:
    found = sorted(folder.rglob("*"), key=lambda path: natural(path.as_posix()))
    return [path for path in found if path.suffix.lower() == SUFFIX and path.is_file() and path.name[0] != "."]


def _visible(folder: Path) -> list[Path]:
    return sorted((item for item in folder.iterdir() if item.name[0] != "."), key=lambda path: natural(path.name))


def natural(text: str) -> list[tuple[int, int, str]]:
    """Sort key under which s2 comes before s10."""
    parts = re.split(r"(\d+)", text)
    return [(0, int(part), "") if part.isdecimal() else (1, 0, part) for part in parts if part]
