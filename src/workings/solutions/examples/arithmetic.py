"""Perceptrons, gates, and counting: W1, W2, W3, W8, W10, W12."""

from __future__ import annotations

from itertools import product

from workings.solutions.examples.example import Example, Figure, line, number
from workings.solutions.expressions import Expr, Number, holds
from workings.solutions.steps import Step

PERCEPTRON = "perceptron-to-transformer notes"
QUESTIONS = "deep-learning questions and answers"
LECTURE = "backpropagation lecture with solved examples"


def _perceptron(w: tuple[float, float], b: float, x: tuple[float, float], printed: tuple[str, str]) -> Example:
    name = "W1" if b == 0.2 else "W2"

    def work() -> tuple[list[Step], list[Figure]]:
        step = Step("Perceptron")
        w1, w2, bias = number("w₁", w[0]), number("w₂", w[1]), number("b", b)
        z = line(step, "z", w1 * number("x₁", x[0]) + w2 * number("x₂", x[1]) + bias)
        y = line(step, "y", holds(number("z", z), "≥", 0))
        return [step], [Figure("z", printed[0], z), Figure("y", printed[1], y)]

    return Example(name, "A perceptron: weighted sum and step", PERCEPTRON, work)


GATES: dict[str, tuple[float, float, float, str]] = {
    "AND": (-1.5, 1, 1, "0001"),
    "OR": (-0.5, 1, 1, "0111"),
    "A'·B'": (0.5, -1, -1, "1000"),
}


def _gate(step: Step, left: str, b: float, weights: tuple[float, ...], inputs: tuple[float, ...]) -> float:
    total: Expr = Number(b)
    for i, (w, x) in enumerate(zip(weights, inputs, strict=True)):
        value = number(f"x{'₁₂'[i]}", x)
        term = value if abs(w) == 1 else abs(w) * value
        total = total + term if w > 0 else total - term
    return line(step, left, holds(total, "≥", 0))


def _gates() -> tuple[list[Step], list[Figure]]:
    steps, figures = [], []
    for name, (b, w1, w2, table) in GATES.items():
        step = Step(f"{name}: f({b:g} {'+' if w1 > 0 else '−'} x₁ {'+' if w2 > 0 else '−'} x₂), f(z) = [z ≥ 0]")
        for (x1, x2), expected in zip(product((0, 1), repeat=2), table, strict=True):
            y = _gate(step, f"{name}({x1}, {x2})", b, (w1, w2), (x1, x2))
            figures.append(Figure(f"{name}({x1}, {x2})", expected, y))
        steps.append(step)
    step = Step("NOT: f(1 − 2x₁)")
    for x, expected in ((0, "1"), (1, "0")):
        figures.append(Figure(f"NOT({x})", expected, _gate(step, f"NOT({x})", 1, (-2,), (x,))))
    steps.append(step)
    step = Step("XNOR = OR(A'·B', A·B)")
    for (x1, x2), expected in zip(product((0, 1), repeat=2), "1001", strict=True):
        neither = _gate(step, f"A'·B'({x1}, {x2})", 0.5, (-1, -1), (x1, x2))
        both = _gate(step, f"AND({x1}, {x2})", -1.5, (1, 1), (x1, x2))
        y = _gate(step, f"XNOR({x1}, {x2})", -0.5, (1, 1), (neither, both))
        figures.append(Figure(f"XNOR({x1}, {x2})", expected, y))
    return [*steps, step], figures


def _size(step: Step, left: str, size: int, kernel: int, padding: int, stride: int) -> float:
    numerator = number("I", size) - number("F", kernel) + 2 * number("P", padding)
    return line(step, left, numerator / number("S", stride) + 1)


def _padded() -> tuple[list[Step], list[Figure]]:
    step = Step("Size of a convolution's output, (I − F + 2P)/S + 1")
    out = _size(step, "O", 16, 3, 2, 1)
    twice = Step("Where 21 comes from")
    line(twice, "O", (number("I", 16 + 2 * 2) - number("F", 3) + 2 * number("P", 2)) / number("S", 1) + 0)
    twice.remarks.append("16 + 2·2 = 20 is the padded image; with 2P added to that again, 21 is all that can come out.")
    why = "The padding was added twice: once to the image, once in the formula."
    return [step, twice], [Figure("side of the output", "18", out), Figure("side of the output", "21", out, why)]


def _counted() -> tuple[list[Step], list[Figure]]:
    step = Step("Outputs and weights are two counts")
    side = _size(step, "O", 5, 2, 0, 1)
    outputs = line(step, "outputs", number("O", side) * number("O", side))
    weights = line(step, "weights", number("F", 2) * number("F", 2) * number("C", 1))
    biased = line(step, "parameters", number("weights", weights) + 1)
    why = "16 counts the outputs (n − f + 1)², each of which uses the same 4 weights."
    return [step], [
        Figure("side of the output", "4", side),
        Figure("outputs", "16", outputs),
        Figure("weights", "16", weights, why),
        Figure("weights, by count", "4", weights),
        Figure("with the bias", "5", biased),
    ]


def _flat() -> tuple[list[Step], list[Figure]]:
    step = Step("Inputs of a fully connected unit")
    n = line(step, "D", number("H", 224) * number("W", 224) * number("C", 3), digits=6)
    return [step], [Figure("inputs, and so weights of each unit", "150528", n)]


ALL = (
    _perceptron((0.5, -0.6), 0.2, (1, 2), ("-0.5", "0")),
    _perceptron((0.5, -1.0), 0.5, (2, 3), ("-1.5", "0")),
    Example("W3", "Logic gates by one or two perceptrons", QUESTIONS, _gates),
    Example("W8", "A 16 × 16 image, a 3 × 3 filter, stride 1, padding 2", LECTURE, _padded),
    Example("W10", "A 5 × 5 × 1 image and a 2 × 2 filter", QUESTIONS, _counted),
    Example("W12", "A 224 × 224 × 3 image, fully connected", QUESTIONS, _flat),
)
