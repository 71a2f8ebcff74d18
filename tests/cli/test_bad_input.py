"""Bad input gets one message: exit code 2, what is wrong and what to do, no traceback, nothing written over."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from tests.cli.helpers import Command

Words = Sequence[object]
Change = Callable[[Path], None]


@dataclass(frozen=True)
class Case:
    """A command on a folder that holds ``patients.csv``, ``run/`` and ``full/``, and what its message must say.

    words: ``{name}`` stands for a path in that folder. change: done to the folder first.
    """

    name: str
    words: str
    says: tuple[str, ...]
    change: Change = field(default=lambda folder: None)


def edit(path: str, change: Callable[[dict[str, object]], object]) -> Change:
    """Change a JSON file."""

    def do(folder: Path) -> None:
        content = json.loads((folder / path).read_text(encoding="utf-8"))
        change(content)
        (folder / path).write_text(json.dumps(content), encoding="utf-8")

    return do


def cut(path: str) -> Change:
    """Cut a file in half."""

    def do(folder: Path) -> None:
        content = (folder / path).read_bytes()
        (folder / path).write_bytes(content[: len(content) // 2])

    return do


def put(path: str, text: str) -> Change:
    """Write a file."""

    def do(folder: Path) -> None:
        (folder / path).write_text(text, encoding="utf-8")

    return do


def remove(path: str) -> Change:
    """Take a file away."""

    def do(folder: Path) -> None:
        (folder / path).unlink()

    return do


TRAIN = "train {patients.csv} --target sick --out {new} --set lane=eager@1"

CASES = [
    Case("nothing to train on", "train", ("nothing to train on", "workings sample")),
    Case("no such verb", "trian {patients.csv}", ("No such command 'trian'", "'train'", "workings --help")),
    Case("no such option", "train {patients.csv} --tagret sick", ("--tagret", "--target")),
    Case("missing argument", "predict {run}", ("Missing argument", "DATA", "workings predict --help")),
    Case("option without value", "train {patients.csv} --target", ("--target", "requires an argument")),
    Case("missing data, near name", "train {patient.csv}", ("There is no data at", "Did you mean", "patients.csv")),
    Case("missing data, no folder", "check {no/where.csv}", ("There is no data at", "does not exist either")),
    Case("empty path", "check ''", ("is empty",)),
    Case("missing test data", "train {patients.csv} --test {pateints.csv}", ("There is no test data", "patients.csv")),
    Case("unknown target", "train {patients.csv} --target sic --out {new}", ("sic", "Did you mean 'sick'")),
    Case("unknown net", TRAIN + " --net mpl", ("no net called 'mpl'", "Did you mean 'mlp'")),
    Case("net from a missing file", TRAIN + " --net {mynet.py}:Net", ("mynet.py",)),
    Case("net for images", TRAIN + " --net cnn", ("'cnn'", "images")),
    Case("unknown setting", TRAIN + " --set learning_rat=0.1", ("learning_rat", "Did you mean 'learning_rate'")),
    Case("value of a wrong type", TRAIN + " --set batch_size=many", ("batch_size", "many")),
    Case("value out of range", TRAIN + " --set dropout=2 --net mlp", ("dropout",)),
    Case("setting without =", TRAIN + " --set learning_rate", ("key=value",)),
    Case("setting twice", TRAIN + " --set l1=1 --set l1=2", ("more than once",)),
    Case("broken list", TRAIN + " --set hidden=[3", ("hidden", "[64, 32]")),
    Case("epochs below zero", TRAIN + " --epochs -3", ("epochs is -3", "above 0")),
    Case("epochs no number", TRAIN + " --epochs many", ("--epochs", "number")),
    Case("zero minutes", TRAIN + " --minutes 0", ("minutes is 0", "above 0")),
    Case("minutes not a number", TRAIN + " --minutes nan", ("minutes is nan",)),
    Case("seed below zero", TRAIN + " --seed -1", ("seed is -1",)),
    Case("seed not whole", TRAIN + " --seed 1.5", ("--seed",)),
    Case("unknown task", TRAIN + " --task regresion", ("regresion", "Did you mean 'regression'")),
    Case("unknown answer to bad files", TRAIN + " --on-bad-file skp", ("skp", "Did you mean 'skip'")),
    Case("batch larger than the data", TRAIN + " --set batch_size=5000", ("5,000", "batch_size")),
    Case("several at once", "train {nope} --epochs 0 --seed -1 --set x", ("4 things are wrong", "epochs", "seed")),
    Case("out is not empty", "train {patients.csv} --out {full}", ("is not empty", "Nothing is written over")),
    Case("out is a run", "train {patients.csv} --out {run}", ("is not empty", "--resume")),
    Case("out is a file", "train {patients.csv} --out {patients.csv}", ("is a file",)),
    Case("events file exists", "train {patients.csv} --events {patients.csv}", ("is already there",)),
    Case("data is an empty folder", "train {empty} --out {new}", ("empty",), lambda folder: (folder / "empty").mkdir()),
    Case("data is an empty file", "train {none.csv} --out {new}", ("none.csv",), put("none.csv", "")),
    Case("data of one column", "train {one.csv} --out {new}", ("one",), put("one.csv", "one\n" + "1\n2\n" * 30)),
    Case("resume of no run", "train --resume {nowhere}", ("There is no run", "nowhere")),
    Case("resume of another folder", "train --resume {full}", ("is not a run", "recipe.yaml")),
    Case("resume with options", "train --resume {run} --epochs 3 --net mlp", ("takes no", "--net", "--recipe")),
    Case("recipe missing", "train --recipe {recipe.yaml} --out {new}", ("There is no recipe",)),
    Case("recipe not YAML", "train --recipe {r.yaml} --out {new}", ("r.yaml",), put("r.yaml", "net: [mlp")),
    Case("recipe of the future", "train --recipe {r.yaml}", ("version 99",), put("r.yaml", "schema_version: 99")),
    Case("recipe with a typo", "train --recipe {r.yaml}", ("'net'",), put("r.yaml", "nett: mlp\ndata: patients.csv")),
    Case("run of the future", "evaluate {run} {patients.csv}", ("schema version 99", "newer Workings"),
         edit("run/schema.json", lambda content: content.update(schema_version=99))),
    Case("preparation is no JSON", "predict {run} {patients.csv}", ("prepare.json",), cut("run/prepare.json")),
    Case("weights damaged", "evaluate {run} {patients.csv}", ("weights", "damaged"), cut("run/weights.safetensors")),
    Case("weights missing", "predict {run} {patients.csv}", ("no weights",), remove("run/weights.safetensors")),
    Case("weights of another net", "predict {run} {patients.csv}", ("another net",),
         edit("run/net.json", lambda content: content["settings"].update(hidden=[3]))),  # type: ignore[attr-defined]
    Case("run is a folder", "evaluate {full} {patients.csv}", ("is not a run",)),
    Case("run is a file", "evaluate {patients.csv} {patients.csv}", ("is not a run",)),
    Case("run missing, near name", "evaluate {runn} {patients.csv}", ("There is no run", "Did you mean")),
    Case("unknown metric", "evaluate {run} {patients.csv} --metric acuracy", ("acuracy", "accuracy")),
    Case("metric of another task", "evaluate {run} {patients.csv} --metric r2", ("r2",)),
    Case("column missing", "predict {run} {p.csv}", ("weight",), put("p.csv", "age,colour\n0.1,red\n0.3,green\n")),
    Case("target missing", "evaluate {run} {p.csv}", ("sick",), put("p.csv", "age,weight,colour\n0.1,1.0,red\n")),
    Case("label never seen", "evaluate {run} {p.csv}", ("maybe",),
         put("p.csv", "age,weight,colour,sick\n0.1,1.0,red,maybe\n0.1,1.0,red,yes\n")),
    Case("prediction file exists", "predict {run} {patients.csv} --out {full/kept.csv}", ("already there", "--force")),
    Case("prediction file is a folder", "predict {run} {patients.csv} --out {full}", ("is a folder",)),
    Case("prediction of no format", "predict {run} {patients.csv} --out {new}", ("no ending", ".parquet")),
    Case("prediction of unknown format", "predict {run} {patients.csv} --out {p.parqet}", ("'.parqet'", "'.parquet'")),
    Case("report of no run", "report {full}", ("is not a run",)),
    Case("unknown net to show", "net cn --input 3x32x32", ("no net called 'cn'", "cnn")),
    Case("shape that is none", "net cnn --input 3x32x", ("'3x32x'", "3x32x32")),
    Case("shape that does not fit", "net cnn --input 20", ("'cnn'", "images")),
    Case("no outputs", "net mlp --input 20 --outputs 0", ("at least one output",)),
    Case("unknown net setting", "net mlp --input 20 --set hiden=[3]", ("hiden", "Did you mean 'hidden'")),
    Case("setting of a net in a file", "net {x.py}:Net --input 3 --set a=1", ("--set",), put("x.py", "")),
    Case("unknown sample", "sample irs", ("no sample called 'irs'", "Did you mean 'iris'")),
    Case("sample file exists", "sample iris --out {iris.csv}", ("already there",), put("iris.csv", "mine")),
    Case("sample folder is full", "sample digits --out {full}", ("is not empty",)),
]  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path, trained: tuple[Path, Path]) -> Path:
    """A table, a run trained on it, and a folder with something in it."""
    run, data = trained
    shutil.copy(data, tmp_path / "patients.csv")
    shutil.copytree(run, tmp_path / "run")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "kept.csv").write_text("kept", encoding="utf-8")
    return tmp_path


def content(folder: Path) -> dict[str, str]:
    """Every file with a digest of what is in it."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file() and "__pycache__" not in path.parts)
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def words_of(case: Case, folder: Path) -> list[str]:
    """The words of a case, with the paths put in."""
    words = [word.replace("{", f"{folder}/").replace("}", "") for word in case.words.split()]
    return ["" if word == "''" else word for word in words]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_bad_input_gets_one_message(
    case: Case, folder: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exit code 2; the message says what is wrong and what to do; the folder is as it was, but for nothing."""
    case.change(folder)
    monkeypatch.chdir(folder)
    before = content(folder)
    words = words_of(case, folder)
    said = command(*words)
    assert said.code == 2, said
    assert said.out == ""
    for wanted in case.says:
        assert wanted in said.err, said.err
    assert "Traceback" not in said.err
    assert "what to do: " in said.err
    assert content(folder) == before


@pytest.mark.parametrize("case", [case for case in CASES if " {" in case.words][::6], ids=lambda case: case.name)
def test_bad_input_is_one_object_in_json(
    case: Case, folder: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With ``--json``, standard output is one object whose ``error`` holds every problem."""
    case.change(folder)
    monkeypatch.chdir(folder)
    said = command(*words_of(case, folder), "--json")
    assert said.code == 2
    problems = json.loads(said.out)["error"]
    assert problems
    assert all(problem["level"] == "error" and problem["what"] and problem["code"] for problem in problems)
