"""Reading a printed line back, digit by digit: what a reader with a calculator would get.

It knows nothing of the tree that the line was written from, only its characters:

    sum      = term {("+" | "−") term}
    term     = factor {("·" | "/") factor}
    factor   = ["−"] power
    power    = atom [superscript digits | "^" atom | "^(" sum ")"]
    atom     = number | "(" sum ")" | "|" sum "|" | "[" sum relation sum "]" | name "(" sum {"," sum} ")" | "√(" sum ")"

⟨…⟩ is a remark: how many terms a number stands for. ``·10⁻³`` is a product with a power, as everywhere.
"""

from __future__ import annotations

import re

from workings.solutions.evaluation import apply, divide, power, related

_ABOVE = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")
_TOKEN = re.compile(
    r"\s*(?:(?P<number>\d+\.?\d*|\.\d+|∞)|(?P<above>[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+)|(?P<name>[a-zA-ZΦφσΓψ]+)|(?P<mark>[+−·/^()|\[\]√,>≥=<≤]))"
)
_FUNCTIONS = {"Φ": "Phi", "φ": "phi"}
Sized = tuple[float, float]


class UnreadableLine(ValueError):
    """The characters are no line of arithmetic."""


def read(line: str) -> float:
    """The number that the printed line comes to."""
    return read_sized(line)[0]


def read_sized(line: str) -> Sized:
    """The same, with the size of the terms that were added: what it would come to if none cancelled."""
    reader = _Reader(re.sub(r"⟨[^⟩]*⟩", "", line))
    found = reader.sum()
    if reader.kind != "end":
        raise UnreadableLine(f"'{reader.text}' is left over in '{line}'")
    return found


class _Reader:
    def __init__(self, line: str) -> None:
        self.tokens: list[tuple[str, str]] = []
        at = 0
        line = line.strip()
        while at < len(line):
            match = _TOKEN.match(line, at)
            if match is None:
                raise UnreadableLine(f"'{line[at:]}' cannot be read")
            self.tokens.append((str(match.lastgroup), match.group(str(match.lastgroup))))
            at = match.end()
        self.tokens.append(("end", ""))
        self.at = 0

    @property
    def kind(self) -> str:
        return self.tokens[self.at][0]

    @property
    def text(self) -> str:
        return self.tokens[self.at][1]

    def take(self, mark: str) -> bool:
        if self.text == mark and self.kind == "mark":
            self.at += 1
            return True
        return False

    def need(self, mark: str) -> None:
        if not self.take(mark):
            raise UnreadableLine(f"'{mark}' was expected, not '{self.text}'")

    def sum(self) -> Sized:
        value, size = self.term()
        while self.text in ("+", "−") and self.kind == "mark":
            sign = 1.0 if self.text == "+" else -1.0
            self.at += 1
            more, larger = self.term()
            value, size = value + sign * more, size + larger
        return value, size

    def term(self) -> Sized:
        value, size = self.factor()
        while self.text in ("·", "/") and self.kind == "mark":
            divides = self.text == "/"
            self.at += 1
            other, larger = self.factor()
            value, size = (
                (divide(value, other), divide(size, abs(other))) if divides else (value * other, size * larger)
            )
        return value, size

    def factor(self) -> Sized:
        if self.take("−"):
            value, size = self.factor()
            return -value, size
        value, size = self.atom()
        exponent: float | None = None
        if self.kind == "above":
            exponent = float(self.text.translate(_ABOVE))
            self.at += 1
        elif self.take("^"):
            exponent = self.atom()[0]
        if exponent is None:
            return value, size
        return power(value, exponent), power(size, exponent) if size > 0 else 0.0

    def atom(self) -> Sized:
        kind, text = self.kind, self.text
        self.at += 1
        if kind == "number":
            value = float("inf") if text == "∞" else float(text)
            return value, value
        if kind == "name":
            if text == "e" and self.take("^"):
                value = apply("exp", [self.factor()[0]])
                return value, value
            self.need("(")
            arguments = [self.sum()]
            while self.take(","):
                arguments.append(self.sum())
            self.need(")")
            value = apply(_FUNCTIONS.get(text, text), [x for x, _ in arguments])
            x, size = arguments[0]
            # The digits of ln x near x = 1 are lost like those of x − 1, those of Φ far below 0 like those of 1 − 1.
            lost = abs(size / x) if text == "ln" and x else 1.0 if text == "Φ" else 0.0
            return value, max(abs(value), lost)
        if text == "√":
            self.need("(")
            value, size = self.sum()
            self.need(")")
            return apply("sqrt", [value]), size**0.5
        if text == "(":
            found = self.sum()
            self.need(")")
            return found
        if text == "|":
            value, size = self.sum()
            self.need("|")
            return abs(value), size
        if text == "[":
            left = self.sum()[0]
            relation = self.text
            self.at += 1
            right = self.sum()[0]
            self.need("]")
            if relation not in (">", "≥", "=", "<", "≤"):
                raise UnreadableLine(f"'{relation}' is no relation")
            value = float(related(left, relation, right))
            return value, value
        raise UnreadableLine(f"'{text}' was not expected")
