"""A person's own net is taken as it is, or refused with one message that says what to do."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import workings
from workings import nets
from workings.base.errors import UserError
from workings.base.form import Form
from workings.nets.custom import Own, is_custom, load
from workings.nets.endings import ending
from workings.nets.registry import SEQUENCES

SOURCE = """
import torch
from torch import nn
from helper import WIDTH

class Net(nn.Module):
    def __init__(self, in_features, num_classes, width=WIDTH):
        super().__init__()
        self.first, self.last = nn.Linear(in_features, width), nn.Linear(width, num_classes)
    def forward(self, x):
        return self.last(torch.relu(self.first(x)))

class Shaped(nn.Module):
    def __init__(self, shape, /, *, outputs, **kwargs):
        super().__init__()
        self.net = nn.Sequential(nn.Flatten(), nn.Linear(shape[0] * shape[1] * shape[2], outputs))
    def forward(self, x):
        return self.net(x)

class Channels(nn.Module):
    def __init__(self, in_channels, n_classes):
        super().__init__()
        self.conv, self.last = nn.Conv2d(in_channels, 4, 3), nn.Linear(4, n_classes)
    def forward(self, x):
        return self.last(self.conv(x).mean((2, 3)))

class Bare(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.LazyLinear(3)
    def forward(self, x):
        return self.net(x)

class Column(Net):
    def forward(self, x):
        return super().forward(x)[:, 0]

class Softmax(Net):
    def forward(self, x):
        return super().forward(x).softmax(1)

class Greedy(nn.Module):
    def __init__(self, depth, in_features, heads):
        super().__init__()

class Raises(nn.Module):
    def __init__(self, in_features):
        raise RuntimeError("no such thing")

class Fails(Net):
    def forward(self, x):
        return x.nonsense()

class Pair(Net):
    def forward(self, x):
        return super().forward(x), x

class Mean(Net):
    def forward(self, x):
        return super().forward(x).mean(0)

class Whole(Net):
    def forward(self, x):
        return super().forward(x).long()

class Broken(Net):
    def forward(self, x):
        return super().forward(x) / 0 * 0

class NoNet:
    pass

def build(shape, outputs):
    return Net(shape[0], outputs)

def build_nothing(shape, outputs):
    return [shape]

ready = nn.Linear(4, 3)
number = 3
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a file of nets, one beside it that it imports, and broken ones."""
    (tmp_path / "model.py").write_text(SOURCE, encoding="utf-8")
    (tmp_path / "helper.py").write_text("WIDTH = 5\n", encoding="utf-8")
    (tmp_path / "one.py").write_text(
        "from torch import nn\nclass Only(nn.Linear):\n    def __init__(self):\n        super().__init__(4, 3)\n"
    )
    (tmp_path / "raises.py").write_text("x = 1\n\nraise KeyError('lost')\n", encoding="utf-8")
    (tmp_path / "syntax.py").write_text("x = 1\ndef f(:\n", encoding="utf-8")
    (tmp_path / "exits.py").write_text("import sys\nsys.exit(3)\n", encoding="utf-8")
    (tmp_path / "imports.py").write_text("import no_such_package\n", encoding="utf-8")
    (tmp_path / "empty.py").write_text("", encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize(
    ("name", "shape", "outputs"),
    [
        ("model.py:Net", (4,), 3),
        ("model.py:Net", (4,), 1),
        ("model.py:Shaped", (2, 5, 5), 3),
        ("model.py:Channels", (2, 5, 5), 3),
        ("model.py:Bare", (4,), 3),
        ("model.py:build", (4,), 3),
        ("model.py:ready", (4,), 3),
        ("one.py:Only", (4,), 3),
        ("one.py", (4,), 3),
    ],
)
def test_a_net_of_a_file_is_made_from_the_shape_of_the_data(
    folder: Path, name: str, shape: tuple[int, ...], outputs: int
) -> None:
    """Constructors get what their parameters' names ask for; the net gives (B, outputs)."""
    found = load(f"{folder}/{name}", shape, outputs)
    assert found.net(torch.randn(6, *shape)).shape == (6, outputs)
    assert found.ending == "linear"
    assert found.problems == []
    assert found.source == f"{folder}/{name}"


def test_importing_leaves_no_trace(folder: Path) -> None:
    """No compiled file beside the user's, and the import path is as before."""
    before = list(sys.path)
    load(f"{folder}/model.py:Net", (4,), 3)
    assert sys.path == before
    assert not list(folder.rglob("*.pyc"))


def test_one_column_may_come_without_its_axis(folder: Path) -> None:
    """(B,) is read as (B, 1), which is told; parameters keep their names."""
    found = load(f"{folder}/model.py:Column", (4,), 1)
    assert found.net(torch.randn(6, 4)).shape == (6, 1)
    assert [problem.level for problem in found.problems] == ["note"]
    assert {name for name, _ in found.net.named_parameters()} == {
        f"{layer}.{kind}" for layer in ("first", "last") for kind in ("weight", "bias")
    }


def line(text: str) -> int:
    """The line of the source that holds a text, counted from 1."""
    return next(i for i, each in enumerate(SOURCE.split("\n"), 1) if text in each)


REFUSED = [
    ("modle.py:Net", 3, ["There is no file", "Did you mean", "model.py"]),
    ("model.py:Nett", 3, ["holds no 'Nett'", "Did you mean 'Net'"]),
    ("model.py", 3, ["net classes: Net, Shaped", "Name one"]),
    ("empty.py", 3, ["holds no net classes"]),
    ("empty.py:Net", 3, ["holds no subclass of torch.nn.Module"]),
    ("model.py:NoNet", 3, ["the class NoNet, not a torch.nn.Module"]),
    ("model.py:number", 3, ["is a int, not a torch.nn.Module"]),
    ("model.py:build_nothing", 3, ["gives a list, not a torch.nn.Module"]),
    ("model.py:Greedy", 3, ["asks for depth, heads", "Give these parameters defaults"]),
    ("model.py:Raises", 3, ["RuntimeError: no such thing", f"model.py, line {line('no such thing')}"]),
    ("model.py:Fails", 3, ["no attribute 'nonsense'", f"model.py, line {line('nonsense')}"]),
    ("model.py:Pair", 3, ["returns a tuple, not one tensor"]),
    ("model.py:Mean", 3, ["gives (3,) for a batch of 5", "keep the batch as the first axis"]),
    ("model.py:Bare", 4, ["gives 3 outputs for a sample", "(B, 4)"]),
    ("model.py:Whole", 3, ["numbers of type torch.int64"]),
    ("model.py:Broken", 3, ["numbers that are not finite"]),
    ("model.py:Softmax", 3, ["loss and the last activation do not fit", "Leave the softmax out"]),
    ("raises.py:Net", 3, ["KeyError: 'lost'", "raises.py, line 3"]),
    ("syntax.py:Net", 3, ["SyntaxError", "syntax.py, line 2"]),
    ("exits.py:Net", 3, ["it exits", "exits.py, line 2", "__main__"]),
    ("imports.py:Net", 3, ["No module named 'no_such_package'"]),
    ("model", 3, ["names no net in a file"]),
]


@pytest.mark.parametrize(("name", "outputs", "said"), REFUSED, ids=[name for name, _, _ in REFUSED])
def test_what_cannot_be_used_is_refused(folder: Path, name: str, outputs: int, said: list[str]) -> None:
    """One message each, that names the file, the line where there is one, and what to do."""
    with pytest.raises(UserError) as caught:
        load(f"{folder}/{name}", (4,), outputs)
    for text in said:
        assert text in str(caught.value)
    assert len(caught.value.problems) == 1


def test_two_outputs_for_two_classes_are_explained() -> None:
    """A binary task has one logit: the usual mistake gets its own hint."""
    with pytest.raises(UserError, match="Two classes need one output"):
        load(nn.Linear(4, 2), (4,), 1, "binary")


def test_samples_of_another_width_are_refused() -> None:
    """The shape of the data must be the one that the net takes."""
    with pytest.raises(UserError, match=r"fails on samples of shape 7.*\(7x|fails on samples of shape 7"):
        load(nn.Linear(4, 2), (7,), 2)


@pytest.mark.parametrize(("given", "custom"), [("mlp", False), ("a.py:Net", True), ("a.py", True), ("c:/a.py:N", True)])
def test_a_file_is_told_from_a_name(given: str, custom: bool) -> None:
    """``model.py:Net`` is a file, ``mlp`` a name."""
    assert is_custom(given) is custom


def test_an_instance_stays_as_it_was() -> None:
    """Trying a net changes no weight, buffer, mode or random state."""
    net = nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(0.5), nn.Linear(8, 3))
    state = {name: value.clone() for name, value in net.state_dict().items()}
    random = torch.get_rng_state()
    found = load(net, (4,), 3, "multiclass")
    assert found.net is net
    assert found.source is None
    assert net.training
    assert all(torch.equal(value, state[name]) for name, value in net.state_dict().items())
    assert torch.equal(torch.get_rng_state(), random)


class Ends(nn.Module):
    """A small net with a function at its end."""

    def __init__(self, end: Callable[[Tensor], Tensor], outputs: int = 3) -> None:
        super().__init__()
        self.net = nets.build("mlp", (4,), outputs, hidden=(6,))
        self.end = end

    def forward(self, x: Tensor) -> Tensor:
        return self.end(self.net(x))


ENDS: list[tuple[str, Callable[[Tensor], Tensor], str]] = [
    ("nothing", lambda z: z, "linear"),
    ("scaled", lambda z: 0.001 * z + 0.5, "linear"),
    ("softmax", lambda z: z.softmax(1), "softmax"),
    (
        "softmax written out",
        lambda z: (z - z.amax(1, True)).exp() / (z - z.amax(1, True)).exp().sum(1, True),
        "softmax",
    ),
    ("log_softmax", lambda z: z.log_softmax(1), "log_softmax"),
    ("sigmoid", torch.sigmoid, "sigmoid"),
    ("sigmoid written out", lambda z: 1 / (1 + torch.exp(-z)), "sigmoid"),
    ("tanh", torch.tanh, "tanh"),
    ("relu", torch.relu, "relu"),
    ("square", torch.square, "relu"),
    ("never finite", lambda z: z / 0 * 0, "unknown"),
]


@pytest.mark.parametrize(("end", "expected"), [case[1:] for case in ENDS], ids=[case[0] for case in ENDS])
def test_the_ending_is_found_by_trying(end: Callable[[Tensor], Tensor], expected: str) -> None:
    """A bound on the outputs is found, whether by torch's function or written out; small logits are no bound."""
    assert ending(Ends(end), (4,)) == expected


@pytest.mark.parametrize("name", [i.name for i in nets.infos() if i.takes not in SEQUENCES and i.learns != "samples"])
@pytest.mark.parametrize("outputs", [1, 4])
def test_every_registered_net_ends_in_logits(name: str, outputs: int) -> None:
    """No net of ours applies an activation at its end."""
    shape = (3, 16, 16) if nets.info(name).takes == "image" else (5,)
    assert ending(nets.build(name, shape, outputs), shape) == "linear"


@pytest.mark.parametrize(
    ("end", "outputs", "task", "level"),
    [
        (torch.sigmoid, 1, "binary", "error"),
        (torch.sigmoid, 1, "regression", "error"),
        (torch.sigmoid, 3, "multiclass", "error"),
        (torch.relu, 1, "binary", "error"),
        (torch.relu, 1, "regression", "error"),
        (torch.relu, 3, "multiclass", "warning"),
        (torch.tanh, 1, "regression", "warning"),
    ],
)
def test_an_ending_that_does_not_fit_is_told(
    end: Callable[[Tensor], Tensor], outputs: int, task: str, level: str
) -> None:
    """What cannot be right is refused; what only limits the net is a warning."""
    net = Ends(end, outputs)
    if level == "error":
        with pytest.raises(UserError) as caught:
            load(net, (4,), outputs, task)
        (problem,) = caught.value.problems
    else:
        (problem,) = load(net, (4,), outputs, task).problems
    assert (problem.level, problem.code) == (level, "loss-activation")
    assert problem.why
    assert problem.do


# ------------------------------------------------------------------------------------------- from memory


class Dense(nn.Module):
    """A net whose constructor asks for what the data can say."""

    def __init__(self, in_features: int, num_classes: int, width: int = 4) -> None:
        super().__init__()
        self.first, self.last = nn.Linear(in_features, width), nn.Linear(width, num_classes)

    def forward(self, x: Tensor) -> Tensor:
        return self.last(self.first(x).relu())


class Asking(nn.Module):
    """A net that needs to be told more."""

    def __init__(self, layers: int) -> None:
        super().__init__()


def of_six(outputs: int) -> nn.Module:
    """A function that makes a net."""
    return nn.Linear(6, outputs)


@pytest.mark.parametrize("given", [Dense, of_six, lambda outputs: nn.Linear(6, outputs)])
def test_a_class_or_function_from_memory_is_made_from_the_shape_of_the_data(given: Own) -> None:
    """As one of a file is, but without a source."""
    loaded = load(given, (6,), 3)
    assert loaded.source is None
    assert loaded.net(torch.zeros(2, 6)).shape == (2, 3)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (42, "42 cannot be the net: it is of type int"),
        (dict, "The class dict cannot be the net: it is no torch.nn.Module"),
        ([nn.Linear(1, 1)], "of type list"),
    ],
)
def test_what_is_no_net_is_refused_before_anything_is_read(given: Any, said: str) -> None:
    """The message says what was given and what can be."""
    with pytest.raises(UserError) as refused:
        workings.train("no-such-file.csv", net=given)
    assert said in str(refused.value)
    assert refused.value.problems[0].do


def test_a_class_from_memory_that_asks_for_more_is_refused() -> None:
    """As one of a file is, with its name for a place."""
    with pytest.raises(UserError, match="Asking cannot be made: its constructor asks for layers"):
        load(Asking, (6,), 3)


def test_training_takes_a_class_and_opens_its_run_with_it(tmp_path: Path) -> None:
    """The run of a class from memory is opened with the class."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 3))
    settings = {"lane": "eager@1", "baselines": False, "report": False, "initialisation": "zeros"}
    run = workings.train((X, X @ [1, 2, 3]), net=Dense, epochs=1, out=tmp_path / "run", settings=settings)
    again = workings.open_run(run.path, net=Dense)
    for name, tensor in run.net.state_dict().items():
        assert torch.equal(again.net.state_dict()[name], tensor)


class Bag(nn.Module):
    """The mean of a text's vectors, and one dense layer; made from what the data say."""

    def __init__(self, vocab_size: int, num_classes: int) -> None:
        super().__init__()
        self.vectors = nn.Embedding(vocab_size, 8)
        self.output = nn.Linear(8, num_classes)

    def forward(self, x_BT: Tensor) -> Tensor:
        return self.output(self.vectors(x_BT).mean(1))


def test_a_net_for_tokens_is_tried_on_tokens() -> None:
    """A class gets the vocabulary's size by its parameter's name; answers for each step are asked for where due."""
    found = load(Bag, (7,), 3, "multiclass", Form(vocabulary=20)).net
    assert isinstance(found, Bag)
    assert found.vectors.num_embeddings == 20
    with pytest.raises(UserError, match=r"\(B, 7, 20\)"):
        load(Bag, (7,), 20, "language", Form(vocabulary=20, each_step=True))
