"""Reading all images of a listing: look at every head, make one plan, decode everything once, tell what was done."""

from __future__ import annotations

import hashlib
import os
from collections import Counter, deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from workings.base.problems import Problem, shorten
from workings.data.bad_files import BadFile
from workings.data.images.decode import FACTS, BadImageError, Header, Plan, decode, read_header, strict_pillow
from workings.data.images.store import Pixels, Sink, pixel_hash

# Below this size a JPEG is decoded in a tenth of a millisecond, and two threads only wait for each other's turn with
# the interpreter: 10,000 files of 1 KB took 1.9 s on one thread and 3.4 s on two.
THREADS_FROM_BYTES = 4_000
CHUNK = 32  # files that a thread decodes in one go
SHOWN = 5  # names kept of each fact


@dataclass
class Fact:
    """How many images something was done to, and the first few of them."""

    count: int = 0
    names: list[str] = field(default_factory=list)


@dataclass
class Reading:
    """All usable images of a listing. ``kept``: their positions in it. ``hashes``: of their pixels, for duplicates."""

    pixels: Pixels
    hashes: np.ndarray
    kept: np.ndarray
    digest: str
    bad: list[BadFile]
    facts: dict[str, Fact]
    decoder_warnings: dict[str, int]

    def problems(self) -> list[Problem]:
        """One problem a fact, with its count and the first names."""
        found: list[Problem] = []
        for key, fact in self.facts.items():
            level, done, why = FACTS[key]
            names = fact.names + [""] * (fact.count - len(fact.names))
            what = f"{fact.count:,} image(s) {done}."
            found.append(Problem(level, f"image-{key}", what, shorten(names, SHOWN), fact.count, why))
        for text, count in self.decoder_warnings.items():
            found.append(Problem("note", "decoder-warning", f"The decoder warned {count:,} time(s): {text}", "", count))
        return found


def read_headers(files: list[Path], names: list[str]) -> tuple[list[Header | None], list[BadFile]]:
    """The head of every file; None, and an entry in the list of bad files, where it has none."""
    headers: list[Header | None] = []
    bad: list[BadFile] = []
    with strict_pillow():  # warnings are not kept: they come again when the whole file is decoded
        for file, name in zip(files, names, strict=True):
            try:
                headers.append(read_header(file))
            except BadImageError as error:
                headers.append(None)
                bad.append(BadFile(name, str(error)))
    return headers, bad


def decode_all(
    files: list[Path], names: list[str], headers: list[Header | None], bad: list[BadFile], plan: Plan, sink: Sink
) -> Reading:
    """Decode every file that has a header into ``sink``.

    The digest is the SHA-256 over name and content of every file kept, in their order.
    """
    positions = [k for k, header in enumerate(headers) if header is not None]
    mean_bytes = np.mean([header.file_bytes for header in headers if header is not None]) if positions else 0
    threads = min(8, os.cpu_count() or 1) if mean_bytes >= THREADS_FROM_BYTES else 1
    digest = hashlib.sha256()
    kept: list[int] = []
    failed: dict[int, str] = {}
    facts: dict[str, Fact] = {}

    def work(chunk: list[int]) -> list[tuple[int, _Decoded | str]]:
        return [(k, _decode_file(files[k], plan)) for k in chunk]

    chunks = [positions[start : start + CHUNK] for start in range(0, len(positions), CHUNK)]
    try:
        with strict_pillow() as caught:
            for k, decoded in _in_order(work, chunks, threads):
                if isinstance(decoded, str):
                    failed[k] = decoded
                    continue
                sink.add(decoded.pixels_CHW, decoded.pixel_hash)
                kept.append(k)
                digest.update(names[k].encode() + b"\0" + decoded.content_hash)
                for key in decoded.facts:
                    fact = facts.setdefault(key, Fact())
                    fact.count += 1
                    if len(fact.names) < SHOWN:
                        fact.names.append(names[k])
    except BaseException:
        sink.discard()
        raise
    bad = bad + [BadFile(names[k], reason) for k, reason in failed.items()]
    order = {name: k for k, name in enumerate(names)}
    bad.sort(key=lambda item: order[item.name])
    pixels, hashes = sink.finish()
    ordered = {key: facts[key] for key in FACTS if key in facts}
    said = Counter(str(warning.message) for warning in caught)
    return Reading(pixels, hashes, np.array(kept, dtype=np.int64), digest.hexdigest(), bad, ordered, dict(said))


@dataclass(frozen=True, slots=True)
class _Decoded:
    pixels_CHW: np.ndarray
    pixel_hash: bytes
    content_hash: bytes
    facts: tuple[str, ...]


def _decode_file(file: Path, plan: Plan) -> _Decoded | str:
    try:
        content = file.read_bytes()
        pixels, facts = decode(content, plan)
    except (BadImageError, OSError) as error:
        return str(error)
    return _Decoded(pixels, pixel_hash(pixels), hashlib.sha256(content).digest(), facts)


def _in_order(
    work: Callable[[list[int]], list[tuple[int, _Decoded | str]]], chunks: list[list[int]], threads: int
) -> Iterator[tuple[int, _Decoded | str]]:
    """Results in the order of ``chunks``; no more than a few chunks are decoded ahead of the reader."""
    if threads == 1:
        for chunk in chunks:
            yield from work(chunk)
        return
    executor = ThreadPoolExecutor(threads)
    ahead: deque[Future[list[tuple[int, _Decoded | str]]]] = deque()
    try:
        for chunk in chunks:
            ahead.append(executor.submit(work, chunk))
            if len(ahead) > 2 * threads:
                yield from ahead.popleft().result()
        while ahead:
            yield from ahead.popleft().result()
    finally:
        executor.shutdown(cancel_futures=True)
