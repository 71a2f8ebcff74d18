"""ReLU, pooling, flatten and convolution on small images: W4, W5, W6, W7, W9, W11."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from workings.solutions.examples.arithmetic import PERCEPTRON, QUESTIONS
from workings.solutions.examples.example import Example, Figure, forward
from workings.solutions.solving import Detail
from workings.solutions.steps import Step

LECTURE = "lecture on deep learning in particle physics and beyond"
Rows = Sequence[Sequence[float]]


def _image(rows: Rows) -> Tensor:
    return torch.tensor(rows, dtype=torch.float64)[None, None]


def _filter(rows: Rows) -> nn.Conv2d:
    kernel = _image(rows)
    made = nn.Conv2d(1, 1, (kernel.shape[2], kernel.shape[3]), bias=False).double()
    made.weight = nn.Parameter(kernel)
    return made


def _figures(out: Tensor, printed: Rows, erratum: str = "") -> list[Figure]:
    rows = out.reshape(out.shape[-2:]) if out.ndim > 2 else out.reshape(1, -1)
    return [
        Figure(f"({i + 1}, {j + 1})", str(x), float(rows[i, j]), erratum)
        for i, row in enumerate(printed)
        for j, x in enumerate(row)
    ]


def _relu() -> tuple[list[Step], list[Figure]]:
    steps, out = forward(nn.ReLU(), _image([[5, -10], [-3, 7]]))
    return steps, _figures(out, [[5, 0], [0, 7]])


def _pool() -> tuple[list[Step], list[Figure]]:
    steps, out = forward(nn.MaxPool2d(2), _image([[1, 3, 2, 4], [5, 6, 7, 8], [9, 2, 3, 1], [0, 1, 5, 2]]))
    return steps, _figures(out, [[6, 8], [9, 5]])


def _flatten() -> tuple[list[Step], list[Figure]]:
    rows = [[1, 0, 2, 3], [4, 6, 5, 2], [0, 1, 3, 1], [5, 2, 2, 0]]
    steps, out = forward(nn.Flatten(), _image(rows))
    return steps, _figures(out, [[x for row in rows for x in row]])


def _edges() -> tuple[list[Step], list[Figure]]:
    image = _image([[10.0 * (5 * i + j + 1) for j in range(5)] for i in range(5)])
    few = Detail(few=3, units=2)
    two, first = forward(_filter([[1, 0, -1]] * 2), image, few)
    three, second = forward(_filter([[1, 0, -1]] * 3), image, few)
    steps = [
        Step("The kernel as printed, two rows", children=two),
        Step("With a third row, as its name says", children=three),
    ]
    why = "A 3 × 3 kernel gives 3 rows; the two rows that are printed make it 2 × 3, and the map 4 × 3."
    rows = Figure("rows of the map of a '3 × 3 kernel'", "3", float(first.shape[2]), why)
    return steps, [rows, *_figures(first, [[-40] * 3] * 4), *_figures(second, [[-60] * 3] * 3)]


def _cross() -> tuple[list[Step], list[Figure]]:
    n = 7
    image = _image([[1.0 if i in (j, n - 1 - j) else -1.0 for j in range(n)] for i in range(n)])
    kernel = _filter([[1, -1, 1], [-1, 1, -1], [1, -1, 1]])
    steps, out = forward(kernel, image, Detail(unit=(3, 3)))
    best = int(out.argmax())
    side = out.shape[-1]
    figures = [
        Figure("largest value", "9", float(out.max())),
        Figure("places that reach it", "1", float((out == out.max()).sum())),
        Figure("its row", "3", float(best // side + 1)),
        Figure("its column", "3", float(best % side + 1)),
    ]
    return steps, figures


def _columns() -> tuple[list[Step], list[Figure]]:
    image = [
        [25, 110, 65, 0, 34],
        [15, 14, 10, 54, 66],
        [65, 76, 54, 200, 210],
        [176, 5, 73, 67, 89],
        [63, 90, 95, 111, 175],
    ]
    steps, out = forward(_filter([[0, 1], [0, 1]]), _image(image))
    rows = [[124, 75, 54, 100], [90, 64, 254, 276], [81, 127, 267, 299], [95, 168, 178, 264]]
    figures = _figures(out, rows)
    why = "The third printed row repeats the image's own numbers."
    return steps, [*figures, Figure("(3, 2)", "76", float(out[0, 0, 2, 1]), why)]


ALL = (
    Example("W4", "ReLU of a 2 × 2 matrix", PERCEPTRON, _relu),
    Example("W5", "2 × 2 max pooling, stride 2", PERCEPTRON, _pool),
    Example("W6", "Flatten a 4 × 4 matrix", PERCEPTRON, _flatten),
    Example("W7", "A vertical-edge kernel on a 5 × 5 image", PERCEPTRON, _edges),
    Example("W9", "A 3 × 3 kernel finds the centre of an X", LECTURE, _cross),
    Example("W11", "A 5 × 5 image and a 2 × 2 filter", QUESTIONS, _columns),
)
