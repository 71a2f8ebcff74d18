"""How recordings are to be heard: one rate, one limit of length, and whether the frames fit into memory."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from workings.base.errors import refuse
from workings.data.memory import free_memory
from workings.data.sound.decode import Head
from workings.data.sound.features import Mel

MEMORY_SHARE = 0.25  # of the free memory that frames may take; joining them takes it twice, training needs the rest
HIGHEST_RATE = 16_000
RARE = 0.05  # a rate that fewer recordings have does not decide for all
LONGEST_SECONDS = 30.0


@dataclass(frozen=True)
class Hearing:
    """How recordings are heard: the spectrum, and the most frames; chosen once, the same for new recordings."""

    mel: Mel
    most_frames: int


def choose_rate(heads: Sequence[Head], asked: int | None) -> tuple[int, str]:
    """The sampling rate that every recording is brought to, and why."""
    if asked is not None:
        return asked, "as asked for"
    counts = Counter(head.rate for head in heads)
    usual = [rate for rate, count in counts.items() if count >= RARE * len(heads)]
    rate = min(usual)
    if rate > HIGHEST_RATE:
        had = f"{rate:,} Hz" if len(counts) == 1 else f"{len(counts)} rates from {min(counts):,} Hz"
        return HIGHEST_RATE, f"speech and most sounds are told apart below 8,000 Hz (the recordings have {had})"
    if len(counts) == 1:
        return rate, "all recordings have it"
    return rate, f"the lowest that one recording in {round(1 / RARE)} has, so that all hold the same tones"


def choose_length(heads: Sequence[Head], mel: Mel, seconds: float | None) -> tuple[int, str]:
    """The most frames of a recording, and why."""
    longest = max(head.seconds for head in heads)
    most = LONGEST_SECONDS if seconds is None else seconds
    frames = max(1, mel.frames(round(min(longest, most) * mel.rate)))
    if longest <= most:
        return frames, f"the longest recording has {longest:.3g} seconds"
    return frames, "as asked for" if seconds is not None else f"longer ones cost much; the longest has {longest:.3g}"


def check_memory(seconds: float, mel: Mel) -> int:
    """The bytes that the frames of so many seconds take.

    Raises:
        UserError: more than a quarter of the free memory.
    """
    needed = round(seconds * mel.frames_per_second * mel.bands * 4)
    free = free_memory()
    if needed > MEMORY_SHARE * free:
        raise refuse(
            "not-enough-memory",
            f"The frames of {seconds / 3600:,.1f} hours of sound take {needed / 2**30:.1f} GiB; "
            f"{free / 2**30:.1f} GiB of memory are free.",
            why="Frames are computed once and kept in memory, and may take a quarter of it.",
            do="Cut the recordings, --set seconds=5, give fewer of them, or take a machine with more memory.",
        )
    return needed
