"""Which recordings there are in a folder, and what folders and names say of them."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

from workings.base.errors import UserError, refuse
from workings.base.problems import shorten
from workings.data.folders import FileKind, Listing, look_into, parts_in, refuse_a_level_too_high, refuse_parts
from workings.data.sound.pattern import guess_pattern, match_all, read_pattern

SUFFIXES = frozenset(".wav .flac .ogg .oga .opus .mp3 .aif .aiff .au .caf .w64".split())
# Recordings by their name, but of formats that libsndfile does not read.
FOREIGN_SUFFIXES = frozenset(".m4a .aac .wma .amr .mp4 .webm .mka .ape .wv .mid .midi .sph .raw .pcm".split())
LISTED = SUFFIXES | FOREIGN_SUFFIXES  # what a table of recordings lists
LOOKED_AT = 2_000  # files of a folder that are looked at to tell what it holds


RECORDINGS = FileKind(
    noun="recording",
    suffixes=SUFFIXES,
    foreign=FOREIGN_SUFFIXES,
    convert="Convert them to WAV or FLAC, for example: ffmpeg -i IN OUT.flac",
    wanted="Give a folder that holds a folder of WAV, FLAC, OGG or MP3 files per class.",
)


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
    inside = look_into(root, RECORDINGS)
    listing = inside.unlabelled()
    if pattern is not None:
        _read_names(listing, pattern)
    if listing.labels is None and inside.by_class:
        parts = parts_in(inside.by_class)
        if "train" in parts and len(parts) > 1:
            raise refuse_parts(root, parts)
        if labelled and len(inside.by_class) == 1:
            refuse_a_level_too_high(root, next(iter(inside.by_class)))
        groups, listing = listing.groups, inside.labelled()
        listing.groups = None if groups is None else groups[len(inside.loose) :]
    if listing.labels is None and labelled:
        raise _no_labels(root, listing.names, pattern)
    return listing


def _read_names(listing: Listing, text: str) -> None:
    pattern = read_pattern(text)
    said = match_all(pattern, listing.names)
    if "label" in pattern.fields:
        listing.labels, listing.target = [str(each.label) for each in said], "label"
    if "group" in pattern.fields:
        listing.groups = [str(each.group) for each in said]


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
