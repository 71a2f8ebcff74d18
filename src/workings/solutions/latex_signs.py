r"""Which sign is which in LaTeX: one table for letters in formulas and for signs in prose.

pdflatex stops at a character that it does not know, so every other one beyond Latin letters becomes its code point.
"""

from __future__ import annotations

import re
import unicodedata

GREEK = {
    "α": r"\alpha", "β": r"\beta", "γ": r"\gamma", "δ": r"\delta", "ε": r"\varepsilon", "ζ": r"\zeta", "η": r"\eta",
    "θ": r"\theta", "ι": r"\iota", "κ": r"\kappa", "λ": r"\lambda", "μ": r"\mu", "ν": r"\nu", "ξ": r"\xi", "π": r"\pi",
    "ρ": r"\rho", "σ": r"\sigma", "τ": r"\tau", "υ": r"\upsilon", "φ": r"\varphi", "χ": r"\chi", "ψ": r"\psi",
    "ω": r"\omega", "Γ": r"\Gamma", "Δ": r"\Delta", "Θ": r"\Theta", "Λ": r"\Lambda", "Ξ": r"\Xi", "Π": r"\Pi",
    "Σ": r"\Sigma", "Υ": r"\Upsilon", "Φ": r"\Phi", "Ψ": r"\Psi", "Ω": r"\Omega",
}  # fmt: skip
SIGNS = GREEK | {
    "∂": r"\partial", "−": "-", "·": r"\cdot", "×": r"\times", "÷": r"\div", "‖": r"\Vert", "≥": r"\ge", "≤": r"\le",
    "≠": r"\ne", "≈": r"\approx", "∞": r"\infty", "✓": r"\checkmark", "✗": r"\times", "√": r"\surd", "⊙": r"\odot",
    "±": r"\pm", "→": r"\to", "←": r"\gets", "½": r"\tfrac12", "¼": r"\tfrac14", "′": "'", "ᵀ": r"{}^{\mathsf T}",
    "∈": r"\in", "∑": r"\sum", "∇": r"\nabla", "ℓ": r"\ell", "⟨": r"\langle", "⟩": r"\rangle", "⌊": r"\lfloor",
    "⌋": r"\rfloor", "⌈": r"\lceil", "⌉": r"\rceil", "∗": "*", "⊗": r"\otimes", "⊕": r"\oplus", "∘": r"\circ",
}  # fmt: skip
_ABOVE = dict(zip("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁽⁾ˡᴸⁿᵏᵗᶠᵍⁱᵒʳᶻᵛ", "0123456789+-()lLnktfgiorzv", strict=True))
_BELOW = dict(zip("₀₁₂₃₄₅₆₇₈₉₋₊₍₎ₐₑₕᵢⱼₖₗₘₙₒₚᵣₛₜᵤᵥₓ", "0123456789-+()aehijklmnoprstuvx", strict=True))
_HATS = {"\N{COMBINING CIRCUMFLEX ACCENT}": r"\hat", "\N{COMBINING TILDE}": r"\tilde"}
_HATS["\N{COMBINING MACRON}"] = r"\bar"
_SPECIAL = {c: f"\\{c}" for c in "&%$#_{}"}
_SPECIAL |= {
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "\\": r"\textbackslash{}",
    "\N{NO-BREAK SPACE}": "~",
}
_PROSE = "–—‘’“”„…•§°"  # beyond Latin letters, what a text font has
_PIECES = re.compile(
    f"(?P<hat>.[{''.join(_HATS)}])|(?P<above>[{''.join(_ABOVE)}]+)|(?P<below>[{''.join(_BELOW)}]+)|(?P<one>.)",
    re.DOTALL,
)


def escaped(text: str) -> str:
    """Prose for LaTeX; signs that a text font may lack become maths."""
    return "".join(_prose(str(m.lastgroup), m.group()) for m in _PIECES.finditer(text))


def _prose(kind: str, piece: str) -> str:
    if kind != "one" or piece in SIGNS:
        return f"${maths(piece)}$"
    if piece in _SPECIAL:
        return _SPECIAL[piece]
    return piece if ord(piece) < 0x180 or piece in _PROSE else _point(piece)


def maths(letter: str) -> str:
    """A letter of a formula, with what stands above and below it."""
    return "".join(_maths(str(m.lastgroup), m.group()) for m in _PIECES.finditer(letter))


def _maths(kind: str, piece: str) -> str:
    if kind == "hat":
        return rf"{_HATS[piece[1]]}{{{maths(piece[0])}}}"
    if kind == "above":
        return f"^{{{''.join(_ABOVE[c] for c in piece)}}}"
    if kind == "below":
        return f"_{{{''.join(_BELOW[c] for c in piece)}}}"
    if piece in SIGNS:
        return f"{SIGNS[piece]} " if SIGNS[piece][-1].isalpha() else SIGNS[piece]
    if piece in _SPECIAL:
        return rf"\text{{{_SPECIAL[piece]}}}"
    return piece if ord(piece) < 0x80 else rf"\text{{{_prose('one', piece)}}}"


def _point(piece: str) -> str:
    """A character that a LaTeX of 8 bits has not: a letter without its marks, or its code point."""
    plain = unicodedata.normalize("NFKD", piece)[0]
    return plain if plain.isascii() and plain.isprintable() else rf"\texttt{{U+{ord(piece):04X}}}"
