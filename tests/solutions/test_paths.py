"""A reader can follow one path from the input to the loss and back."""

from __future__ import annotations

import torch
from torch import nn

from workings.solutions.expressions import Entry, entries
from workings.solutions.rounding import Line
from workings.solutions.show import show
from workings.solutions.steps import Step


def shown(step: Step, letter: str, layer: str) -> set[tuple[int, ...]]:
    """The entries of one symbol that a step works out."""
    found = [line.left for line in step.lines if isinstance(line.left, Entry)]
    return {e.index for e in found if (e.of.letter, e.of.layer) == (letter, layer)}


def used(lines: list[Line], letter: str, layer: str) -> set[tuple[int, ...]]:
    """The entries of one symbol that lines are made of."""
    found = [entry for line in lines for entry in entries(line.equation)]
    return {e.index for e in found if (e.of.letter, e.of.layer) == (letter, layer)}


def test_the_units_of_a_layer_are_those_that_the_next_lines_use() -> None:
    """Forward, back, in the gradient of the weights and in their update, of layers much wider than what is shown."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(20, 40), nn.Tanh(), nn.Linear(40, 30), nn.ReLU(), nn.Linear(30, 4))
    optimiser = torch.optim.SGD(model.parameters(), lr=0.1)
    solution = show(model, torch.randn(1, 20), torch.tensor([1]), nn.CrossEntropyLoss(), optimiser)
    assert solution.complete
    forward, backward, update = (
        next(s for s in solution.steps if s.title == t) for t in ("Forward", "Backward", "Update")
    )
    dense = [s for s in forward.children if s.title == "dense layer"]
    activations = [s for s in forward.children if s.title in ("tanh", "ReLU")]
    for layer in (1, 2):
        made, next_lines = shown(activations[layer - 1], "a", str(layer)), dense[layer].lines
        assert made
        assert made <= used(next_lines, "a", str(layer))
        assert made == shown(dense[layer - 1], "z", str(layer))
    back = [s for s in backward.children if s.title == "dense layer"]
    units = {i[-1] for i in shown(dense[1], "z", "2")}
    of_weights = [e.left for e in back[1].lines if isinstance(e.left, Entry) and e.left.of.data.shape == (30, 40)]
    assert {e.index[0] for e in of_weights} <= units
    moved = next(s for s in update.children if s.place == "2.weight")
    last = moved.lines[-1].left
    assert isinstance(last, Entry)
    assert last.index in {e.index for e in of_weights}
