"""The laws of docs/laws.md, one test each, on real runs through the public interface.

The rooms' own tests go further into each law; these hold even if a room is rewritten.
"""

from __future__ import annotations

import ast
import json
import random
import re
import socket
import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import polars
import pytest
import torch
import yaml
from safetensors.torch import load_file
from tests.bits import assert_same_bits, weights
from torch import nn

import workings
from workings import nets
from workings.base.errors import NonFiniteError, UserError
from workings.base.events import EpochEnded, Event, Noticed
from workings.learning import losses

REPOSITORY = Path(__file__).parent.parent
SOURCES = sorted((REPOSITORY / "src").rglob("*.py"))

# One thread and no compiling: a law holds in every lane, and this one needs no time to start.
QUICK: dict[str, Any] = {"lane": "eager@1"}


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """A table of 300 rows that a small net learns: three numbers, a category, a binary target."""
    rng = np.random.default_rng(7)
    n = 300
    x = rng.normal(size=(n, 3)).round(4)
    colour = rng.choice(["red", "green", "blue"], size=n)
    sick = (x[:, 0] - x[:, 1] + (colour == "red") + 0.5 * rng.normal(size=n)) > 0
    path = tmp_path / "patients.csv"
    polars.DataFrame(
        {"age": x[:, 0], "weight": x[:, 1], "height": x[:, 2], "colour": colour, "sick": np.where(sick, "yes", "no")}
    ).write_csv(path)
    return path


def train(data: Path, out: Path, **given: Any) -> Any:
    """A tiny run: a few epochs of a small net."""
    settings = QUICK | given.pop("settings", {})
    given = {"target": "sick", "epochs": 3, "seed": 1} | given
    return workings.train(data, out=out, settings=settings, **given)


def command(*words: object, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run ``workings`` as a person would."""
    program = Path(sys.executable).parent / "workings"
    return subprocess.run([program, *map(str, words)], capture_output=True, text=True, cwd=cwd, check=False)


# ------------------------------------------------------------------------------------------------ 1


def test_never_silent(table: Path, tmp_path: Path) -> None:
    """Whatever is filled, dropped or noticed is told as an event and kept in the data card, with its count;
    a loss that is not finite stops the run and says where."""
    frame = polars.read_csv(table)
    frame = frame.with_columns(
        age=polars.when(polars.int_range(polars.len()) < 11).then(None).otherwise(polars.col("age")),
        hospital=polars.lit("north"),
    )
    frame.write_csv(table)
    told: list[Event] = []
    run = train(table, tmp_path / "run", emit=told.append)

    card = json.loads((Path(run.path) / "data_card.json").read_text(encoding="utf-8"))
    noticed = {each.problem.code for each in told if isinstance(each, Noticed)}
    kept = {each["code"]: each for each in card["problems"]}
    assert noticed == kept.keys()
    said = "\n".join(json.dumps(each) for each in card["problems"])
    assert "age" in said
    assert any(each["count"] == 11 for each in card["problems"]), said
    assert "hospital" in said
    assert sum(card["split"][part] for part in ("train", "val", "test")) == card["rows"] == 300

    with pytest.raises(NonFiniteError) as stopped:
        train(table, tmp_path / "exploded", settings={"learning_rate": 1e30, "optimiser": "sgd"}, epochs=20)
    message = str(stopped.value)
    assert re.search(r"layer", message), message
    assert re.search(r"row", message), message
    assert re.search(r"batch|step", message), message


# ------------------------------------------------------------------------------------------------ 2


def test_bad_input_gets_one_message(table: Path, tmp_path: Path) -> None:
    """One message with all problems, the nearest name, exit code 2, no traceback, nothing written over."""
    run = train(table, tmp_path / "run")
    before = {path: path.read_bytes() for path in Path(run.path).rglob("*") if path.is_file()}

    misspelt = command("train", table, "--target", "sikc", "--out", tmp_path / "new")
    assert misspelt.returncode == 2
    assert "Did you mean 'sick'" in misspelt.stderr
    assert "Traceback" not in misspelt.stderr
    assert not (tmp_path / "new").exists()

    occupied = command("train", table, "--target", "sick", "--out", run.path)
    assert occupied.returncode == 2
    assert "Traceback" not in occupied.stderr
    assert before == {path: path.read_bytes() for path in Path(run.path).rglob("*") if path.is_file()}

    with pytest.raises(UserError) as refused:
        train(table, tmp_path / "new", settings={"learning_rat": 0.1, "optimiser": "adma"})
    assert "learning_rate" in str(refused.value)
    assert "adam" in str(refused.value)
    assert all(each.level == "error" and each.code and each.do for each in refused.value.problems)


# ------------------------------------------------------------------------------------------------ 3


class Interrupted:
    """A reader of events that interrupts the run, as Ctrl-C would, when the epoch number ``at`` ends."""

    def __init__(self, at: int) -> None:
        self.at = at

    def __call__(self, event: Event) -> None:
        if isinstance(event, EpochEnded) and event.epoch >= self.at:
            raise KeyboardInterrupt


@pytest.mark.parametrize("optimiser", ["adamw", "sgd"])
def test_resume_is_bit_equal(table: Path, tmp_path: Path, optimiser: str) -> None:
    """A run that was interrupted, more than once, and resumed has the bits of one that never stopped."""
    given: dict[str, Any] = {"epochs": 12, "settings": {"dropout": 0.2, "optimiser": optimiser}}
    whole = train(table, tmp_path / "whole", **given)
    with pytest.raises(KeyboardInterrupt):
        train(table, tmp_path / "stopped", **given, emit=Interrupted(3))
    with pytest.raises(KeyboardInterrupt):
        workings.train(resume=tmp_path / "stopped", emit=Interrupted(8))
    assert_same_bits(whole, workings.train(resume=tmp_path / "stopped"))


class Interrupting(nn.Module):
    """A net with dropout in which Ctrl-C is pressed during its forward pass number ``at`` in training; 0 for never."""

    def __init__(self, at: int = 0) -> None:
        super().__init__()
        torch.manual_seed(4)  # the same weights, however often it is made
        self.layers = nn.Sequential(nn.Linear(3, 8), nn.ReLU(), nn.Dropout(0.2), nn.Linear(8, 1))
        self.at = at
        self.passes = 0

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.passes += self.training
        out = self.layers(x)
        if self.training and self.passes == self.at:
            raise KeyboardInterrupt
        return out


@pytest.mark.parametrize("at", [20, 37])
def test_resume_is_bit_equal_within_a_step(tmp_path: Path, at: int) -> None:
    """An interrupt that comes in the middle of a step, some of its chunk done, costs no bit either."""
    X = np.random.default_rng(3).normal(size=(300, 3)).astype(np.float32)
    y = (X[:, 0] > X[:, 1]).astype(np.int64)
    given: dict[str, Any] = {"epochs": 5, "settings": QUICK | {"batch_size": 16, "learning_rate": 0.01}}
    whole = workings.train((X, y), net=Interrupting(), out=tmp_path / "whole", **given)
    with pytest.raises(KeyboardInterrupt):
        workings.train((X, y), net=Interrupting(at), out=tmp_path / "stopped", **given)
    resumed = workings.train((X, y), net=Interrupting(), resume=tmp_path / "stopped")
    assert_same_bits(whole, resumed)


@pytest.mark.slow
def test_resume_is_bit_equal_after_a_kill(table: Path, tmp_path: Path) -> None:
    """The same after ``kill -9`` at moments that nobody chose; no file is damaged."""
    words = (
        "--target",
        "sick",
        "--epochs",
        400,
        "--seed",
        1,
        "--quiet",
        "--set",
        "dropout=0.2",
        "--set",
        "lane=eager@1",
    )
    words += ("--set", "checkpoint_seconds=0.02", "--set", "baselines=false", "--set", "report=false")
    done = command("train", table, *words, "--out", tmp_path / "whole")
    assert done.returncode == 0, done.stderr
    whole = workings.open_run(tmp_path / "whole")
    moments = random.Random(5)
    for number in range(4):
        out = tmp_path / f"killed-{number}"
        program = [Path(sys.executable).parent / "workings", "train", table, *words, "--out", out]
        process = subprocess.Popen(list(map(str, program)), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while process.poll() is None and not list(out.glob("checkpoint/step-*")):
            time.sleep(0.005)
        time.sleep(moments.uniform(0, 0.5))
        process.kill()
        process.wait()
        resumed = command("train", "--resume", out, "--quiet")
        assert resumed.returncode == 0, resumed.stderr
        assert_same_bits(whole, workings.open_run(out))


# ------------------------------------------------------------------------------------------------ 4


def test_observers_are_neutral(table: Path, tmp_path: Path) -> None:
    """A run that is watched by a reader of every event has the weights of one that nobody watches, even if the reader
    is slow, draws random numbers and seeds every generator anew."""
    told: list[Event] = []

    def watch(event: Event) -> None:
        told.append(event)
        time.sleep(0.001)
        torch.rand(1)
        torch.manual_seed(len(told))
        np.random.seed(len(told))
        random.seed(len(told))

    dropout = {"dropout": 0.2}
    assert_same_bits(
        train(table, tmp_path / "alone", settings=dropout),
        train(table, tmp_path / "watched", settings=dropout, emit=watch),
    )
    assert told


# ------------------------------------------------------------------------------------------------ 5


def by_hand(x: np.ndarray, y: np.ndarray, W: list[np.ndarray], b: list[np.ndarray]) -> tuple[float, list[np.ndarray]]:
    """Loss and gradients of a sigmoid MLP with softmax and cross-entropy, from the equations, in float64.

    a^0 = x;  z^l = W^l a^(l−1) + b^l;  a^l = 1/(1 + e^(−z^l));  L = −(1/B) Σ ln softmax(z^L)_y
    δ^L = (softmax(z^L) − onehot(y))/B;  δ^(l−1) = (W^l)ᵀδ^l ⊙ a^(l−1)(1 − a^(l−1));  ∂L/∂W^l = δ^l (a^(l−1))ᵀ
    """
    a = [x]
    for W_l, b_l in zip(W[:-1], b[:-1], strict=True):
        a.append(1 / (1 + np.exp(-(a[-1] @ W_l.T + b_l))))
    z = a[-1] @ W[-1].T + b[-1]
    p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    B = len(x)
    delta = (p - np.eye(p.shape[1])[y]) / B
    gradients: list[np.ndarray] = []
    for number in reversed(range(len(W))):
        gradients[:0] = [delta.T @ a[number], delta.sum(axis=0)]
        delta = delta @ W[number] * a[number] * (1 - a[number])
    return float(-np.log(p[np.arange(B), y]).mean()), gradients


def test_equation_equals_code_equals_reference() -> None:
    """The equations by hand, our net with our loss, and the library's own layers agree in value and gradient."""
    sizes = (5, 7, 4, 3)
    net = nets.build("mlp", (5,), 3, hidden=(7, 4), activation="sigmoid").double()
    parameters = list(net.parameters())
    assert [tuple(p.shape) for p in parameters] == [s for i, o in pairwise(sizes) for s in ((o, i), (o,))]
    x, y = torch.randn(6, 5, dtype=torch.float64), torch.randint(0, 3, (6,))

    loss = losses.make_loss("cross_entropy")(net(x), y)
    gradients = torch.autograd.grad(loss, parameters)

    layers: list[nn.Module] = []
    for number, (inputs, units) in enumerate(pairwise(sizes)):
        dense = nn.Linear(inputs, units, dtype=torch.float64)
        dense.weight.data, dense.bias.data = parameters[2 * number].data, parameters[2 * number + 1].data
        layers += [dense, nn.Sigmoid()]
    library = nn.Sequential(*layers[:-1])
    theirs = torch.nn.functional.cross_entropy(library(x), y)
    their_gradients = torch.autograd.grad(theirs, list(library.parameters()))

    arrays = [p.detach().numpy() for p in parameters]
    value, hand_gradients = by_hand(x.numpy(), y.numpy(), arrays[::2], arrays[1::2])

    assert loss.item() == pytest.approx(value, rel=1e-12)
    assert loss.item() == pytest.approx(theirs.item(), rel=1e-12)
    for ours, library_s, hand in zip(gradients, their_gradients, hand_gradients, strict=True):
        np.testing.assert_allclose(ours.numpy(), hand, rtol=1e-10, atol=1e-14)
        np.testing.assert_allclose(ours.numpy(), library_s.numpy(), rtol=1e-10, atol=1e-14)


# ------------------------------------------------------------------------------------------------ 6

OPEN = {".safetensors", ".json", ".yaml", ".parquet", ".png", ".html"}


def opened(path: Path) -> Any:
    """The content of a file of a run, read with a tool that is not ours."""
    match path.suffix:
        case ".safetensors":
            return load_file(path)
        case ".json":
            return json.loads(path.read_text(encoding="utf-8"), parse_constant=pytest.fail)
        case ".yaml":
            return yaml.safe_load(path.read_text(encoding="utf-8"))
        case ".parquet":
            return polars.read_parquet(path)
        case ".png":
            from PIL import Image

            return Image.open(path).load()
        case ".html":
            from html.parser import HTMLParser

            return HTMLParser().feed(path.read_text(encoding="utf-8"))
        case _:
            return pytest.fail(f"{path} is of no open kind")


def test_every_artefact_is_open(table: Path, tmp_path: Path) -> None:
    """No source file can write or read a pickle; every file of a run opens with common tools; JSON and YAML
    carry their schema's version."""
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = (
                [each.name for each in node.names]
                if isinstance(node, ast.Import)
                else [node.module or ""]
                if isinstance(node, ast.ImportFrom)
                else []
            )
            bad = [
                n for n in names if n.split(".")[0] in {"pickle", "cloudpickle", "dill", "joblib", "shelve", "marshal"}
            ]
            assert not bad, f"{path}:{getattr(node, 'lineno', 0)} imports {bad}"
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                called = f"{node.value.id}.{node.attr}"
                assert called not in {"torch.load", "torch.save"}, f"{path}:{node.lineno} uses {called}"

    run = train(table, tmp_path / "run")
    files = [path for path in Path(run.path).rglob("*") if path.is_file()]
    assert {"recipe.yaml", "weights.safetensors", "metrics.json", "record.parquet"} <= {path.name for path in files}
    for path in files:
        content = opened(path)
        if path.suffix in {".json", ".yaml"}:
            assert isinstance(content.get("schema_version"), int), path.name


# ------------------------------------------------------------------------------------------------ 7


def test_same_recipe_same_run(table: Path, tmp_path: Path) -> None:
    """Training again, and training from the recipe that a run left, both give the same bits."""
    settings = {"dropout": 0.1}
    first = train(table, tmp_path / "first", settings=settings)
    assert_same_bits(first, train(table, tmp_path / "again", settings=settings))
    from_recipe = workings.train(table, recipe=Path(first.path) / "recipe.yaml", out=tmp_path / "from-recipe")
    assert_same_bits(first, from_recipe)
    other = weights(train(table, tmp_path / "other", settings=settings, seed=2))
    assert any(not torch.equal(other[name], tensor) for name, tensor in weights(first).items())


# ------------------------------------------------------------------------------------------------ 8


def test_no_network(table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A whole run, its report and its predictions need no connection and try none."""

    def refuse(*_: object, **__: object) -> None:
        pytest.fail("a connection was tried")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket.socket, "connect_ex", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    run = train(table, tmp_path / "run")
    run.predict(table)
    page = (Path(run.path) / "report.html").read_text(encoding="utf-8")
    elsewhere = re.findall(r"""(?:src|href|url\()\s*=?\s*["'(]?\s*(?:https?:)?//[^"')\s]+""", page)
    assert not elsewhere
