"""Folders of files, a folder per class: walking them in one order, and telling everything that is left out."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from workings.base.errors import UserError, refuse
from workings.base.problems import Problem, shorten

PARTS = {"train": "train", "training": "train", "test": "test", "testing": "test"}
PARTS |= dict.fromkeys(("val", "valid", "validation", "dev"), "val")


@dataclass(frozen=True)
class FileKind:
    """Files that are samples of one kind.

    noun: what one is called; its plural ends in s. suffixes: of what is read. foreign: of samples in formats that are
    not read, which is worth a warning; convert: what to do about them. wanted: what to do where there are none.
    """

    noun: str
    suffixes: frozenset[str]
    foreign: frozenset[str]
    convert: str
    wanted: str


@dataclass
class Listing:
    """Files in a fixed order.

    root: the folder that ``names`` are relative to. labels: one a file, as text; None without. groups: likewise.
    by_folder: the labels are the names of folders.
    """

    root: Path
    files: list[Path]
    names: list[str]
    labels: list[str] | None = None
    groups: list[str] | None = None
    target: str | None = None
    by_folder: bool = False
    problems: list[Problem] = field(default_factory=list)


@dataclass
class Inside:
    """What a folder holds: ``by_class``, the files of each folder in it that has any; ``loose`` files beside these."""

    root: Path
    kind: FileKind
    by_class: dict[str, list[Path]]
    loose: list[Path]
    empty: list[str]
    left_out: list[Problem]

    def unlabelled(self) -> Listing:
        """Every file, the loose ones first."""
        files = [*self.loose, *(file for files in self.by_class.values() for file in files)]
        return Listing(self.root, files, _names(self.root, files), problems=list(self.left_out))

    def labelled(self) -> Listing:
        """The files in folders, whose names are their labels; the loose ones are left out, and told."""
        files = [file for files in self.by_class.values() for file in files]
        labels = [name for name, files in self.by_class.items() for _ in files]
        noun, problems = self.kind.noun, list[Problem]()
        if self.loose:
            what = (
                f"{len(self.loose):,} {noun}(s) lie directly in '{self.root}', in no class folder, and were left out."
            )
            where = shorten(file.name for file in self.loose)
            why = "They have no label."
            problems.append(Problem("warning", f"{noun}s-beside-classes", what, where, len(self.loose), why))
        if self.empty:
            what = f"{len(self.empty)} folder(s) hold no {noun} and make no class."
            problems.append(Problem("warning", "empty-class-folder", what, shorten(self.empty), len(self.empty)))
        problems += self.left_out
        return Listing(self.root, files, _names(self.root, files), labels, None, "class", True, problems)


def look_into(root: Path, kind: FileKind) -> Inside:
    """The files of one kind under ``root``, in natural order; what is hidden, or of another kind, is left out and told.

    Raises:
        UserError: there are none.
    """
    left_out = _LeftOut(root, kind)
    items = sorted(root.iterdir(), key=lambda item: natural(item.name))
    loose = [item for item in items if item.is_file() and left_out.keeps(item)]
    left_out.hidden += [item.name for item in items if item.is_dir() and item.name.startswith(".")]
    folders = [item for item in items if item.is_dir() and not item.name.startswith(".")]
    inside = {folder.name: _walk(folder, left_out) for folder in folders}
    by_class = {name: files for name, files in inside.items() if files}
    if not by_class and not loose:
        raise left_out.nothing()
    empty = [name for name, files in inside.items() if not files]
    return Inside(root, kind, by_class, loose, empty, left_out.problems())


def subfolders(folder: Path) -> list[Path]:
    """The folders in a folder, hidden ones left out, in natural order."""
    found = (item for item in folder.iterdir() if item.is_dir() and not item.name.startswith("."))
    return sorted(found, key=lambda item: natural(item.name))


def parts_in(names: Iterable[str]) -> dict[str, str]:
    """Which of the names are those of parts of a data set: of ``train``, ``val``, ``test``."""
    return {PARTS[name.lower()]: name for name in names if name.lower() in PARTS}


def refuse_parts(root: Path, parts: dict[str, str]) -> UserError:
    """A folder of train/ and test/ is two data sets; which is which is the user's to say."""
    tested = parts.get("test") or parts.get("val")
    test = f" --test '{root / tested}'" if tested else ""
    both = "test" in parts and "val" in parts
    return refuse(
        "train-and-test-folders",
        f"'{root}' holds {', '.join(name + '/' for name in parts.values())}, not a folder per class.",
        why="Taken as they are, the parts would be the classes.",
        do=f"Give the parts separately: workings train '{root / parts['train']}'{test}"
        + (f" ('{parts['val']}/' is not needed: validation rows are split off)." if both else "."),
    )


def refuse_a_level_too_high(root: Path, only: str) -> None:
    """A single folder of folders: what is inside it may be the classes.

    Raises:
        UserError: there are folders inside it.
    """
    inner = subfolders(root / only)
    if len(inner) > 1:
        raise refuse(
            "one-class",
            f"'{root}' holds a single folder, '{only}', so there is one class only.",
            where=f"inside it: {shorten(item.name for item in inner)}",
            do=f"If those are the classes, give '{root / only}'.",
        )


def natural(text: str) -> list[tuple[int, int, str]]:
    """Sort key under which s2 comes before s10."""
    parts = re.split(r"(\d+)", text)
    return [(0, int(part), "") if part.isdecimal() else (1, 0, part) for part in parts if part]


class _LeftOut:
    """Counts what is not taken from a folder."""

    def __init__(self, root: Path, kind: FileKind) -> None:
        self.root = root
        self.kind = kind
        self.hidden: list[str] = []
        self.others: list[Path] = []

    def keeps(self, path: Path) -> bool:
        if path.name.startswith("."):
            self.hidden.append(path.relative_to(self.root).as_posix())
            return False
        if path.suffix.lower() not in self.kind.suffixes:
            self.others.append(path.relative_to(self.root))
            return False
        return True

    def problems(self) -> list[Problem]:
        found: list[Problem] = []
        if self.hidden:
            what = f"{len(self.hidden):,} hidden file(s) or folder(s) were ignored."
            found.append(Problem("note", "hidden-files", what, shorten(self.hidden), len(self.hidden)))
        foreign = [path for path in self.others if path.suffix.lower() in self.kind.foreign]
        if foreign:
            what = f"{len(foreign):,} file(s) of formats that are not read were left out: {_suffixes(foreign)}."
            do = self.kind.convert
            found.append(Problem("warning", "unread-format", what, shorten(foreign), len(foreign), do=do))
        others = [path for path in self.others if path.suffix.lower() not in self.kind.foreign]
        if others:
            what = f"{len(others):,} file(s) that are no {self.kind.noun}s were left out: {_suffixes(others)}."
            found.append(Problem("note", f"not-{self.kind.noun}s", what, shorten(others), len(others)))
        return found

    def nothing(self) -> UserError:
        noun = self.kind.noun
        found = f" It holds other files: {_suffixes(self.others)}." if self.others else ""
        return refuse(
            f"no-{noun}s",
            f"There are no {noun}s in '{self.root}'.{found}",
            where=shorten(self.others),
            do=self.kind.wanted,
        )


def _walk(folder: Path, left_out: _LeftOut) -> list[Path]:
    """Files in ``folder`` and the folders inside it; a link that leads back is entered once."""
    kept: list[Path] = []
    entered = {os.path.realpath(left_out.root)}
    for at, folders, files in os.walk(folder, followlinks=True):
        real = os.path.realpath(at)
        if real in entered:
            folders.clear()
            continue
        entered.add(real)
        hidden = [Path(at) / name for name in folders if name.startswith(".")]
        left_out.hidden += [path.relative_to(left_out.root).as_posix() for path in hidden]
        folders[:] = sorted((name for name in folders if not name.startswith(".")), key=natural)
        kept += [path for path in (Path(at) / name for name in sorted(files, key=natural)) if left_out.keeps(path)]
    return kept


def _names(root: Path, files: Sequence[Path]) -> list[str]:
    return [file.relative_to(root).as_posix() for file in files]


def _suffixes(paths: list[Path]) -> str:
    counts = Counter(path.suffix.lower() or "no suffix" for path in paths)
    return shorten(f"{count:,} {suffix}" for suffix, count in counts.most_common())
