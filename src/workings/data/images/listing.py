"""Which image files there are, and what they are labelled: from a folder, a single file, or a table of paths."""

from __future__ import annotations

import os
import re
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from workings.base.errors import UserError, refuse
from workings.base.problems import Problem, shorten
from workings.data.images.decode import SUFFIXES

# Images by their name, but of formats that are not read here: worth a warning, not a note.
FOREIGN_SUFFIXES = frozenset(".heic .heif .avif .svg .dcm .raw .cr2 .nef .dng .psd .jp2 .npy .npz .eps .pdf".split())
PARTS = {"train": "train", "training": "train", "test": "test", "testing": "test"}
PARTS |= dict.fromkeys(("val", "valid", "validation", "dev"), "val")


@dataclass
class Listing:
    """Image files in a fixed order.

    root: the folder that ``names`` are relative to. labels: one a file, as text; None without.
    by_folder: the labels are the names of folders.
    """

    root: Path
    files: list[Path]
    names: list[str]
    labels: list[str] | None
    target: str | None = None
    by_folder: bool = False
    problems: list[Problem] = field(default_factory=list)


def natural(text: str) -> list[tuple[int, int, str]]:
    """Sort key under which s2 comes before s10."""
    parts = re.split(r"(\d+)", text)
    return [(0, int(part), "") if part.isdecimal() else (1, 0, part) for part in parts if part]


def list_folder(root: Path, *, labelled: bool) -> Listing:
    """Images under ``root``: a folder per class; where ``labelled`` is False also a flat folder without labels.

    Everything that is left out (hidden, not an image, beside the class folders) is counted in ``problems``.

    Raises:
        UserError: no images; the folder holds train/ and test/; no class folders where labels are needed.
    """
    folders = sorted((item for item in root.iterdir() if item.is_dir() and not _hidden(item)), key=_by_name)
    _refuse_parts(root, folders)
    left_out = _LeftOut(root)
    loose = [item for item in sorted(root.iterdir(), key=_by_name) if item.is_file() and left_out.keeps(item)]
    inside = {folder.name: _walk(folder, left_out) for folder in folders}
    empty = [name for name, files in inside.items() if not files]
    inside = {name: files for name, files in inside.items() if files}
    if not inside and not loose:
        raise left_out.nothing()
    if inside:
        listing = Listing(root, [], [], [], "class", True)
        labels = [name for name, files in inside.items() for _ in files]
        listing.files = [file for files in inside.values() for file in files]
        listing.labels = labels
        if loose:
            listing.problems.append(_loose(root, loose))
        if len(inside) == 1:
            _refuse_a_level_too_high(root, folders, next(iter(inside)))
        if empty:
            listing.problems.append(
                Problem(
                    "warning",
                    "empty-class-folder",
                    f"{len(empty)} folder(s) hold no image and make no class.",
                    shorten(empty),
                    len(empty),
                )
            )
    elif labelled:
        raise refuse(
            "no-class-folders",
            f"'{root}' holds {len(loose):,} images but no folder per class, so there is nothing to learn from.",
            where=shorten(file.name for file in loose),
            do="Put the images of each class into a folder named after the class, or give a CSV with a column of "
            "paths and a column of labels.",
        )
    else:
        listing = Listing(root, loose, [], None)
    listing.names = [file.relative_to(root).as_posix() for file in listing.files]
    listing.problems += left_out.problems()
    return listing


def list_file(path: Path) -> Listing:
    """One image, to predict."""
    return Listing(path.parent, [path], [path.name], None)


class _LeftOut:
    """Counts what is not taken from a folder."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.hidden: list[str] = []
        self.others: list[Path] = []

    def keeps(self, path: Path) -> bool:
        if _hidden(path):
            self.hidden.append(path.relative_to(self.root).as_posix())
            return False
        if path.suffix.lower() not in SUFFIXES:
            self.others.append(path.relative_to(self.root))
            return False
        return True

    def problems(self) -> list[Problem]:
        found: list[Problem] = []
        if self.hidden:
            what = f"{len(self.hidden):,} hidden file(s) or folder(s) were ignored."
            found.append(Problem("note", "hidden-files", what, shorten(self.hidden), len(self.hidden)))
        foreign = [path for path in self.others if path.suffix.lower() in FOREIGN_SUFFIXES]
        if foreign:
            found.append(
                Problem(
                    "warning",
                    "unread-format",
                    f"{len(foreign):,} file(s) of formats that are not read were left out: {_suffixes(foreign)}.",
                    shorten(foreign),
                    len(foreign),
                    do="Convert them to PNG or JPEG.",
                )
            )
        others = [path for path in self.others if path.suffix.lower() not in FOREIGN_SUFFIXES]
        if others:
            what = f"{len(others):,} file(s) that are not images were left out: {_suffixes(others)}."
            found.append(Problem("note", "not-images", what, shorten(others), len(others)))
        return found

    def nothing(self) -> UserError:
        found = (self.others and f" It holds other files: {_suffixes(self.others)}.") or ""
        return refuse(
            "no-images",
            f"There are no images in '{self.root}'.{found}",
            where=shorten(self.others),
            do="Give a folder that holds a folder of PNG, JPEG, PGM, PPM, BMP, GIF, TIFF or WEBP files per class.",
        )


def _walk(folder: Path, left_out: _LeftOut) -> list[Path]:
    """Images in ``folder`` and the folders inside it; a link that leads back is entered once."""
    images: list[Path] = []
    entered: set[str] = set()
    for at, folders, files in os.walk(folder, followlinks=True):
        real = os.path.realpath(at)
        if real in entered:
            folders.clear()
            continue
        entered.add(real)
        hidden = [Path(at) / name for name in folders if name[0] == "."]
        left_out.hidden += [path.relative_to(left_out.root).as_posix() for path in hidden]
        folders[:] = sorted((name for name in folders if name[0] != "."), key=natural)
        images += [path for path in (Path(at) / name for name in sorted(files, key=natural)) if left_out.keeps(path)]
    return images


def _refuse_parts(root: Path, folders: list[Path]) -> None:
    """A folder of train/ and test/ is two data sets; which is which is the user's to say."""
    parts = {PARTS[folder.name.lower()]: folder for folder in folders if folder.name.lower() in PARTS}
    holds_classes = [_subfolders(folder) for folder in parts.values()]
    if "train" not in parts or not all(holds_classes):
        return
    tested = parts.get("test") or parts.get("val")
    test = f" --test '{tested}'" if tested else ""
    both = "test" in parts and "val" in parts
    raise refuse(
        "train-and-test-folders",
        f"'{root}' holds {', '.join(folder.name + '/' for folder in parts.values())}, not a folder per class.",
        why="Taken as they are, the parts would be the classes.",
        do=f"Give the parts separately: workings train '{parts['train']}'{test}"
        + (f" ('{parts['val'].name}/' is not needed: validation rows are split off)." if both else "."),
    )


def _refuse_a_level_too_high(root: Path, folders: list[Path], only: str) -> None:
    folder = next(item for item in folders if item.name == only)
    inner = _subfolders(folder)
    if len(inner) < 2:
        return
    raise refuse(
        "one-class",
        f"'{root}' holds a single folder, '{only}', so there is one class only.",
        where=f"inside it: {shorten(item.name for item in inner)}",
        do=f"If those are the classes, give '{folder}'.",
    )


def _loose(root: Path, loose: list[Path]) -> Problem:
    return Problem(
        "warning",
        "images-beside-classes",
        f"{len(loose):,} image(s) lie directly in '{root}', in no class folder, and were left out.",
        shorten(file.name for file in loose),
        len(loose),
        why="They have no label.",
    )


def _subfolders(folder: Path) -> list[Path]:
    return sorted((item for item in folder.iterdir() if item.is_dir() and not _hidden(item)), key=_by_name)


def _suffixes(paths: list[Path]) -> str:
    counts = Counter(path.suffix.lower() or "no suffix" for path in paths)
    return shorten(f"{count:,} {suffix}" for suffix, count in counts.most_common())


def _by_name(path: Path) -> list[tuple[int, int, str]]:
    return natural(path.name)


def _hidden(path: Path) -> bool:
    return path.name.startswith(".")
