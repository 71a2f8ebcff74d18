"""Plain text in Unicode: z⁽¹⁾₃ = 0.1·0.35 + 0.8·0.9. What is printed here is what ``reading`` reads back."""

from __future__ import annotations

import re

from workings.solutions.expressions import Entry, Expr, Number
from workings.solutions.notation import Notation, parted
from workings.solutions.notation import write as _write
from workings.solutions.rounding import Printed, superscript

_BELOW = str.maketrans("0123456789-+()aehijklmnoprstuvx", "₀₁₂₃₄₅₆₇₈₉₋₊₍₎ₐₑₕᵢⱼₖₗₘₙₒₚᵣₛₜᵤᵥₓ")
_LETTERS_ABOVE = str.maketrans("lLnktfgiorzv", "ˡᴸⁿᵏᵗᶠᵍⁱᵒʳᶻᵛ")
_NAMES = {"Phi": "Φ", "phi": "φ", "sqrt": "√", "sigma": "σ"}


class Text(Notation):
    """Unicode."""

    times, plus, minus = "·", " + ", "−"

    def number(self, shown: Printed, entry: Entry | None) -> str:
        return shown.text

    def symbol(self, letter: str, layer: str, index: str, new: bool = False) -> str:
        letter, index = parted(letter, index)
        above = superscript(f"({layer})").replace("−", "⁻") if layer else ""
        above = above if re.search("[a-zA-Z]{2}", layer) else above.translate(_LETTERS_ABOVE)
        return f"{letter}{above}{'⁺' if new else ''}{index.translate(_BELOW)}"

    def derivative(self, of: str) -> str:
        return f"∂L/∂{of}"

    def bracket(self, inner: str) -> str:
        return f"({inner})"

    def fraction(self, above: str, below: str) -> str:
        return f"{above}/{below}"

    def power(self, base: str, exponent: Expr, written: str) -> str:
        if isinstance(exponent, Number) and exponent.value == int(exponent.value):
            return base + superscript(int(exponent.value))
        return f"{base}^({written})"

    def function(self, name: str, arguments: list[str]) -> str:
        if name == "exp":
            return f"e^({arguments[0]})"
        if name == "abs":
            return f"|{arguments[0]}|"
        return f"{_NAMES.get(name, name)}({', '.join(arguments)})"

    def iverson(self, left: str, relation: str, right: str) -> str:
        return f"[{left} {relation} {right}]"

    def rest(self, shown: Printed | None, count: int) -> str:
        said = f"⟨{count:,}\u00a0more⟩"  # kept in one piece where a line is broken
        return said if shown is None else f"{shown.text}{said}"

    def sum_over(self, index: str, body: str) -> str:
        return f"Σ{index.translate(_BELOW)} {body}"

    def operator(self, mark: str) -> str:
        return mark


TEXT = Text()


class _Spaced(Text):
    """A minus between terms stands apart."""

    def join(self, parts: list[str]) -> str:
        if len(parts) > 2:
            parts = [parts[0], *(f" {p} " if p == "−" else p for p in parts[1:])]
        return "".join(parts)


def write(e: Expr, *, numbers: bool, digits: int = 4) -> str:
    """The tree as a line of text."""
    return _write(e, _Spaced(), numbers=numbers, digits=digits)
