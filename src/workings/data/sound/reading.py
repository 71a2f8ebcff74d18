"""Reading all recordings: look at every head, choose one rate, decode each once, keep its frames only."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from workings.base.events import Decided, Emit, Phase
from workings.base.problems import Problem, shorten
from workings.data.bad_files import BadFile
from workings.data.sound.decode import FACTS, BadSoundError, Head, Wave, decode, read_head
from workings.data.sound.features import Mel, log_mel
from workings.data.sound.plan import Hearing
from workings.data.sound.resample import resample

TOLD_EVERY = 5.0  # seconds between words on progress


@dataclass
class Recordings:
    """All usable recordings. Frames (N, F) lie end to end; starts, lengths: (n,) of each recording, in frames.

    seconds, rates: (n,) as brought. hashes: (n,) of the samples. kept: their positions in what was listed.
    labels, groups: of each, as text, or None. y: class numbers or numbers, once labels are numbered.
    """

    frames_NF: Tensor
    starts: Tensor
    lengths: Tensor
    seconds: np.ndarray
    rates: list[int]
    hashes: np.ndarray
    kept: np.ndarray
    names: list[str]
    hearing: Hearing
    digest: str
    problems: list[Problem]
    skipped: list[BadFile] = field(default_factory=list)
    labels: list[str] | None = None
    groups: list[str] | None = None
    y: np.ndarray | None = None


def read_heads(files: Sequence[Path], names: Sequence[str]) -> tuple[list[Head | None], list[BadFile]]:
    """The head of every file; None, and an entry among the bad ones, where it has none."""
    heads: list[Head | None] = []
    bad: list[BadFile] = []
    for file, name in zip(files, names, strict=True):
        try:
            heads.append(read_head(file))
        except (BadSoundError, OSError) as error:
            heads.append(None)
            bad.append(BadFile(name, str(error)))
    return heads, bad


def read_files(
    files: Sequence[Path],
    names: Sequence[str],
    heads: Sequence[Head | None],
    bad: list[BadFile],
    hearing: Hearing,
    emit: Emit,
) -> Recordings:
    """Decode every file that has a head and keep its frames.

    The digest is the SHA-256 over name and content of every file kept, in their order.
    """
    positions = [k for k, head in enumerate(heads) if head is not None]
    digest = hashlib.sha256()
    failed: list[BadFile] = []

    def waves() -> Iterator[tuple[int, Wave]]:
        for k in positions:
            try:
                content = files[k].read_bytes()
                wave = decode(content)
            except (BadSoundError, OSError) as error:
                failed.append(BadFile(names[k], str(error)))
                continue
            yield k, wave

    def count(k: int, wave: Wave) -> None:
        digest.update(names[k].encode() + b"\0" + wave.sound_hash)

    recordings = hear(waves(), len(positions), names, hearing, emit, failed, count)
    order = {name: k for k, name in enumerate(names)}
    recordings.skipped = sorted([*bad, *failed], key=lambda each: order[each.name])
    recordings.digest = digest.hexdigest()
    return recordings


def hear(
    waves: Iterator[tuple[int, Wave]],
    total: int,
    names: Sequence[str],
    hearing: Hearing,
    emit: Emit,
    failed: list[BadFile],
    count: Callable[[int, Wave], None],
) -> Recordings:
    """The frames of each wave; one too short for a single window is added to ``failed``."""
    mel = hearing.mel
    parts: list[Tensor] = []
    kept: list[int] = []
    seconds: list[float] = []
    rates: list[int] = []
    hashes: list[bytes] = []
    facts: dict[str, list[str]] = {}
    told = time.monotonic()
    for done, (k, wave) in enumerate(waves):
        found = list(wave.facts)
        x_L = torch.from_numpy(wave.x)
        most = hearing.most_frames
        # Only what will be heard is resampled; a little more, so that the filter has something to stand on.
        x_L = x_L[: -(-(mel.samples(most + 1)) * wave.rate // mel.rate) + wave.rate // 100]
        x_L = resample(x_L, wave.rate, mel.rate)
        if mel.frames(len(x_L)) == 0:
            ms = 1000 * len(wave.x) / wave.rate
            failed.append(
                BadFile(names[k], f"too short: {ms:.0f} ms, and one frame takes {1000 * mel.window / mel.rate:.0f}")
            )
            continue
        Y_TF = log_mel(x_L, mel)
        if mel.frames(round(len(wave.x) * mel.rate / wave.rate)) > most:
            found.append("sound-cut")
        if wave.rate != mel.rate:
            found.append("sound-resampled" if wave.rate > mel.rate else "sound-narrow")
        parts.append(Y_TF[:most])
        kept.append(k)
        seconds.append(len(wave.x) / wave.rate)
        rates.append(wave.rate)
        hashes.append(wave.sound_hash)
        count(k, wave)
        for fact in found:
            facts.setdefault(fact, []).append(_said(names[k], fact, wave))
        if time.monotonic() - told > TOLD_EVERY:
            emit(Phase("reading", f"{done + 1:,} of {total:,} recordings"))
            told = time.monotonic()
    lengths = torch.tensor([len(part) for part in parts], dtype=torch.int64)
    frames_NF = torch.cat(parts) if parts else torch.zeros(0, mel.bands)
    if parts:
        size = frames_NF.numel() * 4
        said = f"{size / 2**20:.1f} MiB" if size >= 2**18 else f"{size / 2**10:.0f} KiB"
        emit(Decided("frames", len(frames_NF), f"{mel.bands} mel bands of each, computed once and kept: {said}"))
    return Recordings(
        frames_NF,
        torch.cumsum(lengths, 0) - lengths,
        lengths,
        np.array(seconds),
        rates,
        np.array(hashes, dtype="S16"),
        np.array(kept, dtype=np.int64),
        [names[k] for k in kept],
        hearing,
        "",
        _fact_problems(facts, mel),
    )


def _said(name: str, fact: str, wave: Wave) -> str:
    if fact == "sound-clipped":
        return f"{name} ({wave.clipped:.1%} of its samples)"
    if fact in ("sound-resampled", "sound-narrow"):
        return f"{name} ({wave.rate:,} Hz)"
    return f"{name} ({len(wave.x) / wave.rate:.1f} s)" if fact == "sound-cut" else name


def _fact_problems(facts: dict[str, list[str]], mel: Mel) -> list[Problem]:
    """One problem a fact, with its count and the first names."""
    found: list[Problem] = []
    for key, (level, done, why) in FACTS.items():
        if key in facts:
            names = facts[key]
            rate = f" ({mel.rate:,} Hz)" if key in ("sound-resampled", "sound-narrow") else ""
            what = f"{len(names):,} recording(s) {done}{rate}."
            found.append(Problem(level, key, what, shorten(names), len(names), why))  # type: ignore[arg-type]
    return found
