"""The sample ``sound``: tones that rise, fall, stay or beat, made by a formula and said to be made."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from workings.cli import arguments as given
from workings.cli.words import quoted

if TYPE_CHECKING:
    import numpy as np

RATE = 8_000
TAKES = 12
CLASSES = ("rising", "falling", "steady", "beating")
VOICES = {"flute": (1.0, 0.2), "reed": (1.0, 0.0, 0.5, 0.0, 0.3), "string": (1.0, 0.6, 0.4, 0.3, 0.2)}  # overtones


def write(out: str | None) -> tuple[str, str]:
    """Write the folder; what was written, and the command to try on it."""
    import numpy as np
    import soundfile

    path = Path(out) if out is not None else Path("sound")
    given.stop_if_any(given.free_folder(str(path)))
    rng = np.random.default_rng(5)
    for label in CLASSES:
        (path / label).mkdir(parents=True, exist_ok=True)
        for voice in VOICES:
            for take in range(TAKES):
                soundfile.write(path / label / f"{voice}_{take}.wav", _made(label, voice, rng), RATE, subtype="PCM_16")
    n = len(CLASSES) * len(VOICES) * TAKES
    told = f"{n} recordings in {path}, made by a formula: tones of three made voices. To train on them:"
    return told, f"workings train {quoted(path)}"


def _made(label: str, voice: str, rng: np.random.Generator) -> np.ndarray:
    """A third to half a second: pitch over time, overtones of the voice, an attack and a decay, a little noise."""
    import numpy as np

    t = np.arange(int(RATE * rng.uniform(0.3, 0.5))) / RATE
    share = t / t[-1]
    low, octaves = rng.uniform(200, 500), rng.uniform(0.4, 1.0)
    rise = {"rising": share, "falling": 1 - share}.get(label, np.full_like(t, rng.uniform(0, 1)))
    phase = 2 * np.pi * np.cumsum(low * 2 ** (octaves * rise)) / RATE
    wave = sum(amount * np.sin((k + 1) * phase) for k, amount in enumerate(VOICES[voice]))
    if label == "beating":
        wave = wave * (0.5 + 0.5 * np.sin(2 * np.pi * rng.uniform(12, 20) * t))
    envelope = np.minimum(1, t / 0.02) * np.exp(-rng.uniform(1, 4) * share)
    noise = 0.02 * rng.standard_normal(len(t))
    return np.clip(rng.uniform(0.1, 0.4) * wave * envelope + noise, -0.99, 0.99)
