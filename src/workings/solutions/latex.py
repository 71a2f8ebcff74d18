r"""LaTeX: z^{(1)}_{3} = 0.1 \cdot 0.35 + 0.8 \cdot 0.9."""

from __future__ import annotations

import re

from workings.solutions.expressions import Entry, Expr, Quantity
from workings.solutions.notation import Notation, parted
from workings.solutions.notation import write as _write
from workings.solutions.rounding import Printed
from workings.solutions.rules.base import as_symbol
from workings.solutions.tables import scalar, tables

_LETTERS = {
    "δ": r"\delta", "θ": r"\theta", "γ": r"\gamma", "β": r"\beta", "μ": r"\mu", "ε": r"\varepsilon", "σ": r"\sigma",
    "τ": r"\tau", "Δ": r"\Delta ", "η": r"\eta", "∂L/∂": r"\partial L/\partial ", "ᵀ": r"^{\mathsf T}",
    "⊙": r"\odot", "‖g‖": r"\lVert g\rVert", "‖g‖²": r"\lVert g\rVert^2", "τ/‖g‖": r"\tau/\lVert g\rVert",
    "x̂": r"\hat x", "m̂": r"\hat m", "v̂": r"\hat v", "g̃": r"\tilde g", "m⁺": "m^{+}", "v⁺": "v^{+}", "g₋": "g_{-}",
    "γg": r"\gamma g", "…": r"\dots", "ΔL": r"\Delta L",
}  # fmt: skip
_FUNCTIONS = {"ln": r"\ln", "max": r"\max", "min": r"\min", "tanh": r"\tanh", "sin": r"\sin", "cos": r"\cos"}
_FUNCTIONS |= {"Phi": r"\Phi", "phi": r"\varphi", "sign": r"\operatorname{sign}", "sigma": r"\sigma"}
_RELATIONS = {"≥": r"\ge", "≤": r"\le"}
SPECIAL = str.maketrans(
    {c: f"\\{c}" for c in "&%$#_{}"} | {"~": r"\textasciitilde{}", "^": r"\^{}", "\\": r"\textbackslash{}"}
)


def escaped(text: str) -> str:
    """Prose for LaTeX; signs that a text font may lack become maths."""
    text = text.translate(SPECIAL)
    return "".join(f"${_SIGNS[c]}$" if c in _SIGNS else c for c in text)


_SIGNS = {
    "η": r"\eta", "μ": r"\mu", "β": r"\beta", "ε": r"\varepsilon", "λ": r"\lambda", "Σ": r"\Sigma",
    "Δ": r"\Delta", "τ": r"\tau", "δ": r"\delta", "γ": r"\gamma", "θ": r"\theta", "∂": r"\partial", "−": "-",
    "·": r"\cdot", "×": r"\times", "‖": r"\Vert", "σ": r"\sigma", "≥": r"\ge", "≤": r"\le", "∞": r"\infty",
    "✓": r"\checkmark", "√": r"\surd", "⊙": r"\odot", "±": r"\pm", "₁": "_1", "₂": "_2", "₀": "_0", "²": "^2",
    "¹": "^1", "³": "^3", "⁺": "^{+}", "⁽": "^{(}", "⁾": "^{)}", "→": r"\to", "½": r"\tfrac12", "⁰": "^0",
    "⁴": "^4", "⁵": "^5", "⁶": "^6", "⁷": "^7", "⁸": "^8", "⁹": "^9", "⁻": "^{-}", "′": "'", "̂": "", "̃": "",
    "ᵀ": r"^{\mathsf T}", "₃": "_3", "₄": "_4", "₅": "_5", "₆": "_6", "₇": "_7", "₈": "_8", "₉": "_9",
}  # fmt: skip


class Latex(Notation):
    """amsmath."""

    times, plus, minus = r" \cdot ", " + ", " - "
    fraction_is_atom = True

    def number(self, shown: Printed, entry: Entry | None) -> str:
        digits = shown.digits.replace("∞", r"\infty")
        return digits if shown.power is None else rf"{digits} \cdot 10^{{{shown.power}}}"

    def symbol(self, letter: str, layer: str, index: str, new: bool = False) -> str:
        if len(letter) > 3 and letter not in _LETTERS:
            return rf"\text{{{letter}}}"
        letter, index = parted(letter, index)
        primes = letter.count("′")
        base = letter.rstrip("′")
        written = _LETTERS.get(base, base)
        if base in ("[", "]"):
            return written
        above = (f"({layer})" if layer else "") + r"\prime" * primes + ("+" if new else "")
        clash = "^" in written or "_" in written
        written = f"{{{written}}}" if clash and (above or index) else written
        return f"{written}{f'^{{{above}}}' if above else ''}{f'_{{{index}}}' if index else ''}"

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
        return rf"{_FUNCTIONS[name]}\left({', '.join(arguments)}\right)"

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
