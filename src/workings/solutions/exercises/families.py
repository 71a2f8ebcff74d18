"""The families of exercises, in the order in which a course meets them."""

from __future__ import annotations

from dataclasses import dataclass

from workings.solutions.exercises import attention, gates, images, layers, norms, optimisers, recurrent, softmax
from workings.solutions.exercises.sheet import Make


@dataclass(frozen=True)
class Family:
    """A kind of exercise. make: fills a sheet in from draws, or gives None where the numbers drawn are no good."""

    name: str
    title: str
    make: Make


FAMILIES: dict[str, Family] = {
    name: Family(name, title, make)
    for name, title, make in (
        ("gates", "Threshold units as logic gates: truth tables", gates.gates),
        ("perceptron", "The perceptron's rule: from mistakes to new weights", gates.perceptron),
        ("activations", "Activations and their derivatives", layers.activations),
        ("dense", "Dense layers: a forward pass", layers.dense),
        ("backpropagation", "One step of backpropagation through a small net", layers.backpropagation),
        ("softmax", "Softmax with cross-entropy, and its gradient", softmax.softmax),
        ("sizes", "Sizes and parameter counts of convolutional nets", images.sizes),
        ("convolution", "A convolution by numbers", images.convolution),
        ("pooling", "Pooling by numbers, and where its gradient goes", images.pooling),
        ("rnn", "A recurrent unit, step by step", recurrent.rnn),
        ("lstm", "An LSTM cell, gate by gate", recurrent.lstm),
        ("gru", "A GRU cell, gate by gate", recurrent.gru),
        ("attention", "Attention by numbers", attention.attention),
        ("gradient-descent", "Steps of gradient descent, by hand", optimisers.gradient_descent),
        ("momentum", "Steps with momentum", optimisers.momentum),
        ("adam", "Steps of Adam, with its bias correction", optimisers.adam),
        ("regularisation", "Penalties, clipping and what they do to a step", optimisers.regularisation),
        ("batch-norm", "Batch norm, forward and backward", norms.batch_norm),
    )
}
