"""MathML: what browsers and screen readers read without a script. Each number is marked with where it came from."""

from __future__ import annotations

from html import escape

from workings.solutions.expressions import Entry, Expr
from workings.solutions.notation import Notation, parted, write_rows
from workings.solutions.notation import write as _write
from workings.solutions.rounding import Printed

_NAMES = {"Phi": "Φ", "phi": "φ", "sigma": "σ"}


_HATS = {"\N{COMBINING CIRCUMFLEX ACCENT}": "^", "\N{COMBINING TILDE}": "~"}


class Origins:
    """A class name for each number of a tensor, the same wherever it is printed."""

    def __init__(self, prefix: str = "n") -> None:
        self.prefix = prefix
        self.known: dict[tuple[str, str, bool, bool, tuple[int, ...]], int] = {}

    def mark(self, entry: Entry) -> str:
        """The class of an entry."""
        q = entry.of
        root = q.gradient_of or q
        key = (root.letter, root.layer + q.name, q.gradient_of is not None, q.new, entry.index)
        number = self.known.setdefault(key, len(self.known))
        return f"{self.prefix}{number}"


class MathML(Notation):
    """Presentation MathML Core."""

    times, plus, minus = "<mo>·</mo>", "<mo>+</mo>", "<mo>−</mo>"
    opening, closing = "<mo>(</mo>", "<mo>)</mo>"
    fraction_is_atom = True

    def __init__(self, origins: Origins) -> None:
        self.origins = origins

    def join(self, parts: list[str]) -> str:
        return f"<mrow>{''.join(parts)}</mrow>"

    def number(self, shown: Printed, entry: Entry | None) -> str:
        digits = shown.digits
        written = f"<mn>{digits.lstrip('-')}</mn>"
        if digits.startswith("-"):
            written = f"<mo>−</mo>{written}"
        if shown.power is not None:
            power = f"<mn>{shown.power}</mn>" if shown.power >= 0 else f"<mrow><mo>−</mo><mn>{-shown.power}</mn></mrow>"
            written += f"<mo>·</mo><msup><mn>10</mn>{power}</msup>"
        mark = f' class="{self.origins.mark(entry)}"' if entry is not None else ""
        return f"<mrow{mark}>{written}</mrow>" if mark or "<mo>" in written else written

    def symbol(self, letter: str, layer: str, index: str, new: bool = False) -> str:
        letter, index = parted(letter, index)
        tag = "mtext" if len(letter) > 3 else "mo" if letter in ("[", "]") else "mi"
        base = f"<{tag}>{escape(letter)}</{tag}>"
        if letter[1:] in _HATS:
            base = f"<mover><mi>{escape(letter[0])}</mi><mo>{_HATS[letter[1:]]}</mo></mover>"
        above = (f"({layer})" if layer else "") + ("+" if new else "")
        up, down = f"<mtext>{escape(above)}</mtext>", f"<mtext>{escape(index)}</mtext>"
        if letter == "ᵀ":
            return "<msup><mrow></mrow><mi>T</mi></msup>"
        if above and index:
            return f"<msubsup>{base}{down}{up}</msubsup>"
        if above:
            return f"<msup>{base}{up}</msup>"
        return f"<msub>{base}{down}</msub>" if index else base

    def derivative(self, of: str) -> str:
        return f"<mfrac><mrow><mo>∂</mo><mi>L</mi></mrow><mrow><mo>∂</mo>{of}</mrow></mfrac>"

    def bracket(self, inner: str) -> str:
        return f"<mrow><mo>(</mo>{inner}<mo>)</mo></mrow>"

    def fraction(self, above: str, below: str) -> str:
        return f"<mfrac><mrow>{above}</mrow><mrow>{below}</mrow></mfrac>"

    def power(self, base: str, exponent: Expr, written: str) -> str:
        return f"<msup><mrow>{base}</mrow><mrow>{written}</mrow></msup>"

    def function(self, name: str, arguments: list[str]) -> str:
        if name == "exp":
            return f"<msup><mi>e</mi><mrow>{arguments[0]}</mrow></msup>"
        if name == "abs":
            return f"<mrow><mo>|</mo>{arguments[0]}<mo>|</mo></mrow>"
        if name == "sqrt":
            return f"<msqrt>{arguments[0]}</msqrt>"
        return f"<mrow><mi>{_NAMES.get(name, name)}</mi><mo>(</mo>{'<mo>,</mo>'.join(arguments)}<mo>)</mo></mrow>"

    def iverson(self, left: str, relation: str, right: str) -> str:
        return f"<mrow><mo>[</mo>{left}<mo>{escape(relation)}</mo>{right}<mo>]</mo></mrow>"

    def rest(self, shown: Printed | None, count: int) -> str:
        said = f"<mtext>{count:,} more</mtext>"
        return (
            f"<munder><mo>…</mo>{said}</munder>"
            if shown is None
            else f"<munder>{self.number(shown, None)}{said}</munder>"
        )

    def sum_over(self, index: str, body: str) -> str:
        sign = f"<munder><mo>∑</mo><mi>{index}</mi></munder>" if index else "<mo>∑</mo>"
        return f"<mrow>{sign}{body}</mrow>"

    def operator(self, mark: str) -> str:
        if mark.startswith("<"):
            return mark
        return {"": "", " ": "<mspace width='0.2em'/>"}.get(mark, f"<mo>{escape(mark.strip())}</mo>")


def rows_of(e: Expr, origins: Origins, *, numbers: bool, digits: int = 4) -> list[str]:
    """The tree in rows of a few terms each."""
    return write_rows(e, MathML(origins), numbers=numbers, digits=digits)


def write(e: Expr, origins: Origins, *, numbers: bool, digits: int = 4) -> str:
    """The tree in MathML, without the <math> around it."""
    return _write(e, MathML(origins), numbers=numbers, digits=digits)
