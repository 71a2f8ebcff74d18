"""Which recordings there are in a folder, and what folders and names say of them."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from workings.base.errors import UserError, refuse
from workings.base.problems import Problem, shorten
from workings.data.images.listing import PARTS, natural
from workings.data.sound.pattern import guess_pattern, match_all, read_pattern

SUFFIXES = frozenset(".wav .flac .ogg .oga .opus .mp3 .aif .aiff .au .caf .w64".split())
# Recordings by their name, but of formats that libsndfile does not read.
FOREIGN_SUFFIXES = frozenset(".m4a .aac .wma .amr .mp4 .webm .mka .ape .wv .mid .midi .sph .raw .pcm".split())
LOOKED_AT = 2_000  # files of a folder that are looked at to tell what it holds


@dataclass
class Listing:
    """Recordings in a fixed order.

    root: the folder that ``names`` are relative to. labels: one a file, as text, or None. groups: likewise.
    by_folder: the labels are names of folders.
    """

    root: Path
    files: list[Path]
    names: list[str]
    labels: list[str] | None = None
    groups: list[str] | None = None
    target: str = "class"
    by_folder: bool = False
    problems: list[Problem] = field(default_factory=list)


def holds_recordings(folder: Path) -> bool:
    """Whether most of the first files under ``folder`` are recordings, as against pictures and texts."""
    counts: Counter[str] = Counter()
    looked_at = 0
    for _, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(files):
            looked_at += 1
            counts[Path(name).suffix.lower()] += 1
        if looked_at >= LOOKED_AT:
            break
    sounds = sum(count for suffix, count in counts.items() if suffix in SUFFIXES)
    foreign = sum(count for suffix, count in counts.items() if suffix in FOREIGN_SUFFIXES)
    rest = sum(counts.values()) - sounds - foreign
    return sounds + foreign > rest


def list_folder(root: Path, *, labelled: bool, pattern: str | None = None) -> Listing:
    """Recordings under ``root``: a folder per class, or names that ``pattern`` reads; in natural order.

    Everything that is left out is counted in ``problems``.

    Raises:
        UserError: no recordings; train/ and test/ folders; names that the pattern does not fit; no labels where they
            are needed, with a pattern that would give them.
    """
    left_out = _LeftOut(root)
    files = _walk(root, left_out)
    if not files:
        raise left_out.nothing()
    names = [file.relative_to(root).as_posix() for file in files]
    listing = Listing(root, files, names, problems=left_out.problems())
    tops = list(dict.fromkeys(name.split("/", 1)[0] for name in names if "/" in name))
    if pattern is not None:
        _read_names(listing, pattern)
    if listing.labels is None and tops:
        _refuse_parts(root, tops)
        _label_by_folder(listing)
    if listing.labels is None and labelled:
        raise _no_labels(root, names, pattern)
    return listing


def _read_names(listing: Listing, text: str) -> None:
    pattern = read_pattern(text)
    said = match_all(pattern, listing.names)
    if "label" in pattern.fields:
        listing.labels, listing.target = [str(each.label) for each in said], "label"
    if "group" in pattern.fields:
        listing.groups = [str(each.group) for each in said]


def _label_by_folder(listing: Listing) -> None:
    """The first folder of each path is its class; recordings that lie in none are left out, and told."""
    inside = [k for k, name in enumerate(listing.names) if "/" in name]
    loose = [name for name in listing.names if "/" not in name]
    if loose:
        listing.problems.append(
            Problem(
                "warning",
                "recordings-beside-classes",
                f"{len(loose):,} recording(s) lie directly in '{listing.root}', in no class folder, and were left out.",
                shorten(loose),
                len(loose),
                why="They have no label.",
            )
        )
    listing.files = [listing.files[k] for k in inside]
    listing.names = [listing.names[k] for k in inside]
    listing.groups = None if listing.groups is None else [listing.groups[k] for k in inside]
    listing.labels = [name.split("/", 1)[0] for name in listing.names]
    listing.by_folder = True


def _no_labels(root: Path, names: list[str], pattern: str | None) -> UserError:
    guess = guess_pattern(names)
    table = "give a CSV with a column of paths and a column of labels"
    if pattern is not None:
        do = f"Put {{label}} into the pattern, or {table}."
    elif guess is not None:
        do = f"The names look like {guess}. If they are: --set pattern={guess}. Otherwise {table}."
    else:
        do = f"Put each class into a folder named after it, name the files by a pattern, or {table}."
    return refuse(
        "no-labels",
        f"'{root}' holds {len(names):,} recordings but nothing that says what is heard in them.",
        where=shorten(names),
        why="There is nothing to learn from recordings without labels.",
        do=do,
    )


def _refuse_parts(root: Path, tops: list[str]) -> None:
    """A folder of train/ and test/ is two data sets; which is which is the user's to say."""
    parts = {PARTS[name.lower()]: name for name in tops if name.lower() in PARTS}
    if "train" not in parts or len(parts) < 2:
        return
    tested = parts.get("test") or parts.get("val")
    raise refuse(
        "train-and-test-folders",
        f"'{root}' holds {', '.join(name + '/' for name in parts.values())}, not a folder per class.",
        why="Taken as they are, the parts would be the classes.",
        do=f"Give the parts separately: workings train '{root / parts['train']}' --test '{root / str(tested)}'.",
    )


class _LeftOut:
    """Counts what is not taken from a folder."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.hidden: list[str] = []
        self.others: list[Path] = []

    def keeps(self, path: Path) -> bool:
        if path.name.startswith("."):
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
            what = f"{len(foreign):,} file(s) of formats that are not read were left out: {_suffixes(foreign)}."
            do = "Convert them to WAV or FLAC, for example: ffmpeg -i IN OUT.flac"
            found.append(Problem("warning", "unread-format", what, shorten(foreign), len(foreign), do=do))
        others = [path for path in self.others if path.suffix.lower() not in FOREIGN_SUFFIXES]
        if others:
            what = f"{len(others):,} file(s) that are no recordings were left out: {_suffixes(others)}."
            found.append(Problem("note", "not-recordings", what, shorten(others), len(others)))
        return found

    def nothing(self) -> UserError:
        found = f" It holds other files: {_suffixes(self.others)}." if self.others else ""
        return refuse(
            "no-recordings",
            f"There are no recordings in '{self.root}'.{found}",
            where=shorten(self.others),
            do="Give a folder that holds a folder of WAV, FLAC, OGG or MP3 files per class.",
        )


def _walk(root: Path, left_out: _LeftOut) -> list[Path]:
    """Recordings under ``root`` in natural order; a link that leads back is entered once."""
    found: list[Path] = []
    entered: set[str] = set()
    for at, folders, files in os.walk(root, followlinks=True):
        real = os.path.realpath(at)
        if real in entered:
            folders.clear()
            continue
        entered.add(real)
        left_out.hidden += [(Path(at) / n).relative_to(root).as_posix() for n in folders if n.startswith(".")]
        folders[:] = sorted((name for name in folders if not name.startswith(".")), key=natural)
        found += [path for path in (Path(at) / name for name in sorted(files, key=natural)) if left_out.keeps(path)]
    return found


def _suffixes(paths: list[Path]) -> str:
    counts = Counter(path.suffix.lower() or "no suffix" for path in paths)
    return shorten(f"{count:,} {suffix}" for suffix, count in counts.most_common())
