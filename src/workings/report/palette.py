"""The report's colours, in two themes: ink, one accent, one warning. A test holds each text to a contrast of 4.5.

Blue against grey and orange is told apart in every common kind of colour blindness; where colour says something,
a word, a dash or a shape says it too.
"""

from __future__ import annotations

LIGHT = {
    "paper": "#ffffff",
    "panel": "#f6f7f9",
    "ink": "#1b2129",
    "muted": "#57616d",
    "rule": "#dfe3e8",
    "accent": "#0b5cad",
    "warn": "#8f4700",
    "warn-panel": "#fdf4e9",
    "good-panel": "#eaf2fb",
    "dot": "#0b5cad",
}
DARK = {
    "paper": "#13171c",
    "panel": "#1b2027",
    "ink": "#e4e8ec",
    "muted": "#a3adb8",
    "rule": "#333b45",
    "accent": "#82b8f4",
    "warn": "#f2b26b",
    "warn-panel": "#2b2218",
    "good-panel": "#18263a",
    "dot": "#82b8f4",
}
# Six steps of heat, from nothing to all, each with the ink that is read on it.
HEAT_LIGHT = [
    ("#ffffff", "#57616d"),
    ("#e3eef9", "#1b2129"),
    ("#bcd6f0", "#1b2129"),
    ("#86b4e2", "#1b2129"),
    ("#2f74bd", "#ffffff"),
    ("#0b5cad", "#ffffff"),
]
HEAT_DARK = [
    ("#13171c", "#a3adb8"),
    ("#19293d", "#e4e8ec"),
    ("#203c5e", "#e4e8ec"),
    ("#2b5788", "#ffffff"),
    ("#5d97d6", "#0b1016"),
    ("#82b8f4", "#0b1016"),
]

# Which colour is written on which: (text, ground), held to 4.5 in both themes.
TEXTS = [
    ("ink", "paper"),
    ("muted", "paper"),
    ("accent", "paper"),
    ("warn", "paper"),
    ("ink", "panel"),
    ("muted", "panel"),
    ("accent", "panel"),
    ("ink", "warn-panel"),
    ("muted", "warn-panel"),
    ("warn", "warn-panel"),
    ("ink", "good-panel"),
    ("muted", "good-panel"),
    ("accent", "good-panel"),
]


def variables(colours: dict[str, str], heat: list[tuple[str, str]]) -> str:
    """A theme as CSS custom properties."""
    named = [f"--{name}: {colour};" for name, colour in colours.items()]
    steps = [f"--heat-{i}: {ground}; --on-heat-{i}: {ink};" for i, (ground, ink) in enumerate(heat)]
    return " ".join(named + steps)


def themes() -> str:
    """Both themes: the light one by default and on paper, the dark one where the reader's system asks for it."""
    return (
        f":root {{ color-scheme: light dark; {variables(LIGHT, HEAT_LIGHT)} }}\n"
        f"@media screen and (prefers-color-scheme: dark) {{ :root {{ {variables(DARK, HEAT_DARK)} }} }}\n"
    )


def heat_step(share: float) -> int:
    """The step of a share between 0 and 1; only an exact 0 is step 0."""
    return 0 if share <= 0 else min(5, 1 + int(share * 5 * (1 - 1e-9)))


def contrast(first: str, second: str) -> float:
    """The contrast ratio of two colours, 1 to 21, as WCAG 2.2 defines it."""
    one, two = sorted((_luminance(first), _luminance(second)), reverse=True)
    return (one + 0.05) / (two + 0.05)


def _luminance(colour: str) -> float:
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    R, G, B = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * R + 0.7152 * G + 0.0722 * B
