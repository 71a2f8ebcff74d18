"""One recording, from its bytes to samples of one channel, with everything that is odd about it named.

libsndfile reads what a damaged file still holds and says nothing; what the file itself promises is therefore compared
with what came (``promised``).
"""

from __future__ import annotations

import hashlib
import io
import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

FULL_SCALE = 0.99  # from here on two equal samples in a row are a wave that was cut off
CLIPPED_SHARE = 1e-3  # of such samples, from which a recording counts as clipped
SILENT = 1e-3  # −60 dB of full scale

# What may be said of a recording: level, what was done or found, why it matters.
FACTS: dict[str, tuple[str, str, str]] = {
    "sound-mixed": ("note", "had several channels, which were mixed down to one by their mean", ""),
    "sound-resampled": ("note", "were brought to the common sampling rate", ""),
    "sound-narrow": (
        "warning",
        "were made at a lower sampling rate than the common one",
        "They hold no high tones. If it is one class's, the network learns the rate instead of the sound.",
    ),
    "sound-cut": ("warning", "were longer than the most seconds and were cut", "What comes after is not heard."),
    "sound-silent": (
        "warning",
        "are silent: never louder than −60 dB of full scale",
        "There is nothing in them to tell a class by.",
    ),
    "sound-clipped": (
        "warning",
        "are clipped: many samples stand at full scale",
        "The cut-off tops of waves sound as tones that were not there.",
    ),
}


class BadSoundError(ValueError):
    """Why a recording cannot be used, in a few words."""


@dataclass(frozen=True, slots=True)
class Head:
    """What a file says of itself."""

    rate: int
    channels: int
    samples: int

    @property
    def seconds(self) -> float:
        """How long it is."""
        return self.samples / self.rate


@dataclass(frozen=True, slots=True)
class Wave:
    """x: (L,) float32, full scale being ±1. facts: keys of ``FACTS``. sound_hash: of the samples."""

    x: np.ndarray
    rate: int
    facts: tuple[str, ...]
    clipped: float
    sound_hash: bytes


def read_head(path: Path) -> Head:
    """The head of a recording.

    Raises:
        BadSoundError: there is no such file, it is empty, or no sound.
    """
    if not path.is_file():
        raise BadSoundError("no such file")
    try:
        with soundfile.SoundFile(path) as file:
            head = Head(file.samplerate, file.channels, file.frames)
    except soundfile.LibsndfileError as error:
        with path.open("rb") as handle:
            raise BadSoundError(_not_sound(handle.read(64), error)) from error
    if head.samples <= 0:
        raise BadSoundError(promised(path.read_bytes()) or "empty: it holds no samples")
    return head


def decode(content: bytes) -> Wave:
    """All samples of a recording, mixed down to one channel.

    Raises:
        BadSoundError: it is empty, damaged, truncated, or holds values that are not finite.
    """
    said = promised(content)
    if said is not None:
        raise BadSoundError(said)
    try:
        with soundfile.SoundFile(io.BytesIO(content)) as file:
            samples, rate = file.frames, file.samplerate
            x = file.read(dtype="float32", always_2d=True)
    except soundfile.LibsndfileError as error:
        raise BadSoundError(f"damaged: {_plain(error)}") from error
    if content[:4] == b"fLaC" and len(x) < samples:
        raise BadSoundError(f"truncated: {len(x):,} of {samples:,} samples are there")
    return examine(x, rate)


def examine(x: np.ndarray, rate: int) -> Wave:
    """Samples (L, channels) float32 as one channel, with what is odd about them.

    Raises:
        BadSoundError: no samples, or values that are not finite.
    """
    if not len(x):
        raise BadSoundError("empty: it holds no samples")
    if not np.isfinite(x).all():
        raise BadSoundError(f"{int((~np.isfinite(x)).sum()):,} samples are NaN or infinite")
    sound_hash = hashlib.sha256(f"{rate} ".encode() + np.ascontiguousarray(x).tobytes()).digest()[:16]
    facts = ["sound-mixed"] if x.shape[1] > 1 else []
    clipped = max(_clipped(x[:, channel]) for channel in range(x.shape[1]))
    mono = x[:, 0] if x.shape[1] == 1 else x.mean(1, dtype=np.float32)
    if float(np.ptp(mono)) / 2 < SILENT:
        facts.append("sound-silent")
    if clipped >= CLIPPED_SHARE:
        facts.append("sound-clipped")
    return Wave(np.ascontiguousarray(mono), rate, tuple(facts), clipped, sound_hash)


def _clipped(x: np.ndarray) -> float:
    """The share of samples at full scale that equal the one before: a wave that is whole never stands still there."""
    stands = (np.abs(x[1:]) >= FULL_SCALE) & (x[1:] == x[:-1])
    return float(stands.sum()) / len(x)


def promised(content: bytes) -> str | None:
    """How the file is cut off, by its own account; None where it is whole or does not say."""
    if content[:4] == b"RIFF":
        return _promised_by_riff(content)
    if content[:4] == b"OggS":
        return _promised_by_ogg(content)
    return None


def _promised_by_riff(content: bytes) -> str | None:
    at = 12
    while at + 8 <= len(content):
        name, size = content[at : at + 4], struct.unpack("<I", content[at + 4 : at + 8])[0]
        there = len(content) - at - 8
        if name == b"data":
            unknown = size in (0, 0xFFFFFFFF)  # written by a program that did not know how long it would go on
            return (
                f"truncated: {there:,} of {size:,} bytes of sound are there" if size > there and not unknown else None
            )
        at += 8 + size + size % 2
    return None


def _promised_by_ogg(content: bytes) -> str | None:
    """The last page must be whole and marked as the last (RFC 3533)."""
    at = content.rfind(b"OggS")
    segments = content[at + 26] if at + 26 < len(content) else 0
    size = 27 + segments + sum(content[at + 27 : at + 27 + segments])
    if at + size > len(content) or not content[at + 5] & 4:
        return "truncated: the end of the stream is missing"
    return None


def _not_sound(content: bytes, error: soundfile.LibsndfileError) -> str:
    if not content:
        return "empty: it has no bytes"
    if content.startswith(b"version https://git-lfs"):
        return "a pointer of Git LFS, not the recording itself"
    if all(32 <= byte < 127 or byte in b"\t\r\n" for byte in content[:64]):
        return "not a recording: it holds text"
    return f"not a recording that can be read: {_plain(error)}"


def _plain(error: soundfile.LibsndfileError) -> str:
    return " ".join(str(error.error_string).split()).rstrip(".")
