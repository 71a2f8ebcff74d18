"""Threshold units: truth tables, and the perceptron's learning rule (McCulloch and Pitts 1943; Rosenblatt 1958)."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

from workings.solutions.examples.example import number
from workings.solutions.exercises.draw import Draw
from workings.solutions.exercises.sheet import Sheet
from workings.solutions.expressions import Entry, Expr, Symbol, holds
from workings.solutions.sums import total

NEAR = 1e-9  # of 0, where it would be decided by rounding
NAMES = {
    "0001": "AND", "0111": "OR", "1110": "NAND", "1000": "NOR", "0110": "XOR", "1001": "XNOR",
    "0010": "x₁ AND NOT x₂", "0100": "x₂ AND NOT x₁", "1011": "x₁ OR NOT x₂", "1101": "x₂ OR NOT x₁",
}  # fmt: skip
LINES = 42  # of the longest answer
STEP = (Symbol("y"), holds(Symbol("z"), "≥", 0))


def _table(b: float, w: Sequence[float]) -> str:
    """The outputs over all inputs, the last input changing fastest."""
    return "".join(str(int(b + sum(a * c for a, c in zip(w, x, strict=True)) >= 0)) for x in bits(len(w)))


def bits(n: int) -> list[tuple[int, ...]]:
    """All rows of a truth table."""
    return list(product((0, 1), repeat=n))


def _sum(w: Sequence[Entry], x: Sequence[Expr], b: Entry) -> Expr:
    return total([*(a * c for a, c in zip(w, x, strict=True)), b])


def gates(draw: Draw, difficulty: int) -> Sheet | None:
    """One unit of two inputs; of three; two units under a third, a function that no single unit can be."""
    if difficulty == 3:
        return _two_layers(draw)
    n = 2 if difficulty == 1 else 3
    w = [draw.one_of((-1, 1) if n == 2 else (-2, -1, 1, 2)) for _ in range(n)]
    b = draw.whole(-3, 3) + 0.5
    table = _table(b, w)
    if "0" not in table or "1" not in table or (n == 2 and table not in NAMES):
        return None
    sheet = Sheet("A threshold unit as a logic gate" if n == 2 else "The truth table of a threshold unit")
    sheet.tell(
        f"The unit y = [z ≥ 0] with z = {' + '.join(f'w{i}·x{i}' for i in '₁₂₃'[:n])} + b takes inputs that are 0 or "
        f"1. Row 1 of its truth table has all inputs 0; the last input changes fastest, so the rows are "
        f"{', '.join(''.join(map(str, row)) for row in bits(n))}."
    )
    ws = [sheet.number(f"w{'₁₂₃'[i]}", a) for i, a in enumerate(w)]
    bias = sheet.number("b", b)
    sheet.equations.append(STEP)
    sheet.begin("Row by row")
    columns = [_inputs(f"x{'₁₂₃'[i]}", [row[i] for row in bits(n)]) for i in range(n)]
    y = sheet.work_all("y", [holds(_sum(ws, row, bias), "≥", 0) for row in zip(*columns, strict=True)])
    sheet.find("the output in each row of the table, in order", y)
    if n == 2:
        sheet.find_word("the name of this gate", NAMES[table])
    return sheet


def _inputs(letter: str, values: Sequence[float]) -> list[Expr]:
    """One column of a truth table."""
    return [number(letter, value) for value in values]


def _two_layers(draw: Draw) -> Sheet | None:
    units = [([draw.one_of((-1, 1)), draw.one_of((-1, 1))], draw.whole(-2, 2) + 0.5) for _ in range(2)]
    v, c = [draw.one_of((-1, 1)), draw.one_of((-1, 1))], draw.whole(-2, 1) + 0.5
    tables = [_table(b, w) for w, b in units]
    final = "".join(str(int(c + v[0] * int(p) + v[1] * int(q) >= 0)) for p, q in zip(*tables, strict=True))
    if final not in ("0110", "1001"):
        return None
    sheet = Sheet("Two threshold units under a third")
    sheet.tell(
        "h₁ = [z₁ ≥ 0] and h₂ = [z₂ ≥ 0] with z = W⁽¹⁾x + b⁽¹⁾ of the inputs x₁, x₂, which are 0 or 1; then "
        "y = [W⁽²⁾h + b⁽²⁾ ≥ 0]. The rows of the truth table are x₁x₂ = 00, 01, 10, 11."
    )
    W1, b1 = sheet.tensor("W", [w for w, _ in units], "1"), sheet.tensor("b", [b for _, b in units], "1")
    W2, b2 = sheet.tensor("W", [v], "2"), sheet.tensor("b", [c], "2")
    columns = [_inputs("x₁", [row[0] for row in bits(2)]), _inputs("x₂", [row[1] for row in bits(2)])]
    hidden = []
    for k in range(2):
        sheet.begin(f"Unit h{'₁₂'[k]}, row by row")
        sums = [_sum([W1[k, 0], W1[k, 1]], row, b1[(k,)]) for row in zip(*columns, strict=True)]
        hidden.append(sheet.work_all(f"h{'₁₂'[k]}", [holds(z, "≥", 0) for z in sums]))
    sheet.begin("The output, row by row")
    rows = [[hidden[0][(i,)], hidden[1][(i,)]] for i in range(4)]
    y = sheet.work_all("y", [holds(_sum([W2[0, 0], W2[0, 1]], row, b2[(0,)]), "≥", 0) for row in rows])
    for k, h in enumerate(hidden):
        sheet.find(f"the output of unit {k + 1} in each row", h)
    sheet.find("the output of the net in each row", y)
    sheet.find_word("the name of this function, which no single unit can be", NAMES[final])
    return sheet


def perceptron(draw: Draw, difficulty: int) -> Sheet | None:
    """One mistake; a pass over three samples; passes over four until there is no mistake."""
    n = {1: 1, 2: 3, 3: 4}[difficulty]
    eta = draw.one_of((0.1, 0.2, 0.5, 1.0))
    w, b = draw.row(2), draw.tenths()
    X = [draw.wholes(2, -3, 3, but=(0,)) for _ in range(n)]
    t = [draw.whole(0, 1) for _ in range(n)]
    passes = 4 if difficulty == 3 else 1
    told = _learn(w, b, eta, X, t, passes)
    if told is None or not _fair(told, difficulty, n):
        return None
    sheet = Sheet("The perceptron learns from its mistakes")
    sheet.tell(
        "y = [z ≥ 0] with z = w₁·x₁ + w₂·x₂ + b. After each sample w⁺ = w + η·(t − y)·x and b⁺ = b + η·(t − y)."
        + ("" if n == 1 else " The samples, the rows of x, are taken in turn; t holds their targets.")
        + (" Passes are made until one has no mistake." if difficulty == 3 else "")
    )
    sheet.equations.append(STEP)
    rate = sheet.number("η", eta)
    w1, w2, bias = sheet.number("w₁", w[0]), sheet.number("w₂", w[1]), sheet.number("b", b)
    x, target = sheet.tensor("x", X if n > 1 else X[0]), sheet.tensor("t", t if n > 1 else t[0])
    mistakes, first = 0, None
    for step in range(len(told)):
        i = step % n
        xs = [x[i, k] if n > 1 else x[(k,)] for k in range(2)]
        goal = target[(i,)] if n > 1 else target[()]
        sheet.begin(f"Sample {i + 1}" + (f", pass {step // n + 1}" if difficulty == 3 else "") if n > 1 else "The step")
        z = sheet.work("z", w1 * xs[0] + w2 * xs[1] + bias)
        y = sheet.work("y", holds(z, "≥", 0))
        first = first or (z, y)
        w1, w2, bias = sheet.kept(w1), sheet.kept(w2), sheet.kept(bias)
        if y.value == goal.value:
            sheet.steps[-1].remarks.append("No mistake: the weights stay.")
            continue
        mistakes += 1
        w1, w2 = (
            sheet.work(f"w{'₁₂'[k]}", old + rate * (goal - y) * xs[k], new=True) for k, old in enumerate((w1, w2))
        )
        bias = sheet.work("b", bias + rate * (goal - y), new=True)
    if n == 1 and first:
        sheet.find("z of the sample", first[0])
        sheet.find("the answer of the perceptron", first[1])
    else:
        sheet.find_word("how many mistakes are made", str(mistakes))
    for entry in (w1, w2, bias):
        sheet.find("new weight" if entry is not bias else "new bias", entry)
    return sheet


def _learn(
    w: Sequence[float], b: float, eta: float, X: Sequence[Sequence[int]], t: Sequence[int], passes: int
) -> list[bool] | None:
    """Whether each step is a mistake; None where z is too near 0, or mistakes go on."""
    from fractions import Fraction

    weights, bias, rate = [Fraction(str(a)) for a in w], Fraction(str(b)), Fraction(str(eta))
    told: list[bool] = []
    for _ in range(passes):
        for x, goal in zip(X, t, strict=True):
            z = weights[0] * x[0] + weights[1] * x[1] + bias
            if abs(z) < NEAR:
                return None
            error = goal - int(z >= 0)
            told.append(error != 0)
            weights = [a + rate * error * c for a, c in zip(weights, x, strict=True)]
            bias += rate * error
        if not any(told[-len(X) :]):
            return told
    return told if passes == 1 else None


def _fair(told: list[bool], difficulty: int, n: int) -> bool:
    """Something to learn, and not too long."""
    if difficulty == 1:
        return told[0]
    if difficulty == 2:
        return 1 <= sum(told) < n
    return len(told) >= 2 * n and sum(told) >= 2 and 2 * len(told) + 3 * sum(told) <= LINES
