r"""LaTeX: z^{(1)}_{3} = 0.1 \cdot 0.35 + 0.8 \cdot 0.9."""

from __future__ import annotations

import re

from workings.solutions.expressions import Entry, Expr, Quantity
from workings.solutions.latex_signs import escaped, maths
from workings.solutions.notation import Notation, parted, write_rows
from workings.solutions.notation import write as _write
from workings.solutions.rounding import Printed
from workings.solutions.rules.base import as_symbol
from workings.solutions.tables import scalar, tables

_FUNCTIONS = {"ln": r"\ln", "max": r"\max", "min": r"\min", "tanh": r"\tanh", "sin": r"\sin", "cos": r"\cos"}
_FUNCTIONS |= {"lnΓ": r"\ln\Gamma", "ψ": r"\psi"}
_FUNCTIONS |= {"Phi": r"\Phi", "phi": r"\varphi", "sign": r"\operatorname{sign}", "sigma": r"\sigma"}
_RELATIONS = {"≥": r"\ge", "≤": r"\le"}


class Latex(Notation):
    """amsmath."""

    times, plus, minus = r" \cdot ", " + ", " - "
    opening, closing = r"\bigl(", r"\bigr)"
    fraction_is_atom = True

    def number(self, shown: Printed, entry: Entry | None) -> str:
        digits = shown.digits.replace("∞", r"\infty")
        return digits if shown.power is None else rf"{digits} \cdot 10^{{{shown.power}}}"

    def symbol(self, letter: str, layer: str, index: str, new: bool = False) -> str:
        if len(letter) > 4 or (len(letter) > 1 and letter.isascii() and letter.isalpha()):
            return rf"\text{{{escaped(letter)}}}"
        letter, index = parted(letter, index)
        primes = letter.count("′")
        base = letter.rstrip("′")
        written = maths(base)
        if base in ("[", "]"):
            return written
        above = (f"({layer})" if layer else "") + r"\prime" * primes + ("+" if new else "")
        clash = "^" in written or "_" in written
        written = f"{{{written}}}" if clash and (above or index) else written
        return f"{written}{f'^{{{above}}}' if above else ''}{f'_{{{maths(index)}}}' if index else ''}"

    def derivative(self, of: str) -> str:
        return rf"\frac{{\partial L}}{{\partial {of}}}"

    def bracket(self, inner: str) -> str:
        return rf"\left({inner}\right)"

    def fraction(self, above: str, below: str) -> str:
        return rf"\frac{{{above}}}{{{below}}}"

    def power(self, base: str, exponent: Expr, written: str) -> str:
        return f"{{{base}}}^{{{written}}}"

    def function(self, name: str, arguments: list[str]) -> str:
        if name == "exp":
            return f"e^{{{arguments[0]}}}"
        if name == "abs":
            return rf"\left|{arguments[0]}\right|"
        if name == "sqrt":
            return rf"\sqrt{{{arguments[0]}}}"
        return rf"{_FUNCTIONS.get(name, name)}\left({', '.join(arguments)}\right)"

    def iverson(self, left: str, relation: str, right: str) -> str:
        return f"[{left} {_RELATIONS.get(relation, relation)} {right}]"

    def rest(self, shown: Printed | None, count: int) -> str:
        said = rf"{count:,}\text{{ more}}"
        return rf"\dots\,_{{{said}}}" if shown is None else rf"\underbrace{{{self.number(shown, None)}}}_{{{said}}}"

    def sum_over(self, index: str, body: str) -> str:
        return rf"\sum_{{{index}}} {body}"

    def operator(self, mark: str) -> str:
        return {" ⊙ ": r" \odot ", "": "", " ": r"\,", ", ": ",\\ "}.get(mark, mark)


def write(e: Expr, *, numbers: bool, digits: int = 4) -> str:
    """The tree in LaTeX, without the $."""
    return re.sub(r" {2,}", " ", _write(e, Latex(), numbers=numbers, digits=digits))


def rows_of(e: Expr, *, numbers: bool, digits: int = 4) -> list[str]:
    """The tree in rows that fit a page, without the $."""
    return [re.sub(r" {2,}", " ", row) for row in write_rows(e, Latex(), numbers=numbers, digits=digits)]


def given(group: list[Quantity]) -> str:
    """Tensors whole: lone numbers beside one another, others as matrices."""
    how = Latex()
    if group[0].data.ndim == 0:
        said = [(q, number) for q in group if (number := scalar(q))]
        return r", \quad ".join(f"{write(as_symbol(q), numbers=False)} = {how.number(n, None)}" for q, n in said)
    parts: list[str] = []
    for index, rows in tables(group[0]):
        name = write(as_symbol(group[0]), numbers=False) + (f"_{{[{','.join(map(str, index))}]}}" if index else "")
        body = r" \\ ".join(" & ".join(how.number(n, None) for n in row) for row in rows)
        parts.append(rf"{name} = \begin{{bmatrix}} {body} \end{{bmatrix}}")
    return r", \quad ".join(parts)
