"""Decoded images that do not fit in memory: kept in an Arrow file, and used again while the files are unchanged.

Beside ``<key>.arrow`` lies ``<key>.json`` with everything else that reading found. It is written last: without it
the Arrow file is not used. The key is taken over the plan and the name, size and time of every file.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import asdict
from pathlib import Path

import numpy as np

from workings.base.files import read_json, write_json
from workings.data.bad_files import BadFile
from workings.data.images.decode import Header, Plan
from workings.data.images.reading import Fact, Reading, decode_all
from workings.data.images.store import ArrowPixels, ArrowSink

SCHEMA_VERSION = 1


def cache_folder() -> Path:
    """Where caches go unless the caller says otherwise: ``workings/images`` in the user's cache folder."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "workings" / "images"


def decode_into_cache(
    folder: Path, files: list[Path], names: list[str], headers: list[Header | None], bad: list[BadFile], plan: Plan
) -> tuple[Reading, Path, bool]:
    """Like :func:`decode_all`, into an Arrow file in ``folder``; also its path, and whether it was there already."""
    key = _key(files, names, plan)
    arrow, notes = folder / f"{key}.arrow", folder / f"{key}.json"
    shape = (plan.channels, plan.height, plan.width)
    if arrow.exists() and notes.exists():
        found = read_json(notes)
        if found.get("schema_version") == SCHEMA_VERSION and found["bytes"] == arrow.stat().st_size:
            pixels = ArrowPixels(arrow, shape)
            facts = {name: Fact(**fact) for name, fact in found["facts"].items()}
            skipped = [BadFile(**item) for item in found["bad"]]
            kept = np.array(found["kept"], dtype=np.int64)
            warned = found["decoder_warnings"]
            return Reading(pixels, pixels.hashes(), kept, found["digest"], skipped, facts, warned), arrow, True
    reading = decode_all(files, names, headers, bad, plan, ArrowSink(arrow, shape))
    write_json(
        notes,
        {
            "schema_version": SCHEMA_VERSION,
            "bytes": arrow.stat().st_size,
            "digest": reading.digest,
            "facts": {name: asdict(fact) for name, fact in reading.facts.items()},
            "bad": [item.to_dict() for item in reading.bad],
            "decoder_warnings": reading.decoder_warnings,
            "kept": reading.kept.tolist(),
        },
    )
    return reading, arrow, False


def _key(files: list[Path], names: list[str], plan: Plan) -> str:
    digest = hashlib.sha256(f"{SCHEMA_VERSION} {plan}".encode())
    for file, name in zip(files, names, strict=True):
        try:
            stat = file.stat()
            seen = f"{stat.st_size} {stat.st_mtime_ns}"
        except OSError as error:
            seen = type(error).__name__
        digest.update(f"{file.resolve()}\0{name}\0{seen}\n".encode())
    return digest.hexdigest()[:32]
