"""The verbs, from data to predictions, as a person and as a program would call them."""

from __future__ import annotations

import io
import json
import shutil
from pathlib import Path
from typing import Any

import polars
import pytest
from tests.cli.helpers import QUICK, Command

MINE = """from torch import nn

class Mine(nn.Sequential):
    def __init__(self, in_features, outputs):
        super().__init__(nn.Linear(in_features, outputs))
"""


def one_object(text: str) -> dict[str, Any]:
    """The text as one strict JSON object."""

    def refuse(name: str) -> None:
        pytest.fail(f"{name} is no JSON")

    content = json.loads(text, parse_constant=refuse)
    assert isinstance(content, dict)
    return content


def test_train_prints_one_object_and_nothing_else(table: Path, tmp_path: Path, command: Command) -> None:
    """``train --json``: standard output is one object; progress goes to standard error, the run into its folder."""
    out = tmp_path / "run"
    said = command("train", table, "--target", "sick", "--out", out, "--json", *QUICK)
    assert said.code == 0, said.err
    found = one_object(said.out)
    assert found["run"] == str(out)
    assert found["task"] == "binary"
    assert found["target"] == "sick"
    assert 0 <= found["metrics"]["accuracy"] <= 1
    assert found["intervals"]["accuracy"][0] <= found["metrics"]["accuracy"] <= found["intervals"]["accuracy"][1]
    assert found["metrics"] == json.loads((out / "metrics.json").read_text(encoding="utf-8"))["metrics"]
    assert {"baselines", "problems", "report", "verdict", "rows"} <= found.keys()
    assert "epoch" in said.err
    assert "\r" not in said.err


def test_train_shows_the_result_and_what_to_type_next(table: Path, tmp_path: Path, command: Command) -> None:
    """For people: the test metrics, where the run is, and the next commands; within 80 columns."""
    out = tmp_path / "my run"
    said = command("train", table, "--target", "sick", "--out", out, "--quiet", *QUICK)
    assert said.code == 0
    assert said.err == ""
    assert "accuracy" in said.out
    assert f"workings report '{out}'" in said.out
    boxed = [line for line in said.out.splitlines() if line.startswith(("│", "╭", "╰"))]
    assert boxed
    assert {len(line) for line in boxed} == {80}


def test_train_says_what_it_decided(table: Path, tmp_path: Path, command: Command) -> None:
    """Every value that was derived is told with its reason, and where the run is kept."""
    out = tmp_path / "run"
    said = command("train", table, "--target", "sick", "--out", out, *QUICK)
    words = " ".join(said.err.split())
    assert "task = binary — " in words
    assert "batch_size = " in words
    assert f"run = {out}" in words


def test_events_are_kept_on_demand(table: Path, tmp_path: Path, command: Command) -> None:
    """``--events FILE`` has the whole stream, from the first phase to the end."""
    events = tmp_path / "events.jsonl"
    said = command("train", table, "--target", "sick", "--out", tmp_path / "run", "--quiet", "--events", events, *QUICK)
    assert said.code == 0
    kinds = [json.loads(line)["kind"] for line in events.read_text(encoding="utf-8").splitlines()]
    assert kinds[0] == "Phase"
    assert kinds[-1] == "Finished"
    assert {"Decided", "EpochEnded", "Stopped"} <= set(kinds)


def test_a_recipe_can_be_used_again(trained: tuple[Path, Path], tmp_path: Path, command: Command) -> None:
    """``--recipe`` needs no other word, and gives the same metrics."""
    run, _ = trained
    said = command("train", "--recipe", run / "recipe.yaml", "--out", tmp_path / "again", "--json", "--quiet")
    assert said.code == 0, said.err
    assert one_object(said.out)["metrics"] == json.loads((run / "metrics.json").read_text(encoding="utf-8"))["metrics"]


def test_an_own_net_is_trained_from_its_file(table: Path, tmp_path: Path, command: Command) -> None:
    """``--net file.py:ClassName`` trains it, and the run can be used afterwards."""
    source = "from torch import nn\n\n\nclass Mine(nn.Sequential):\n"
    source += (
        "    def __init__(self, in_features, outputs):\n        super().__init__(nn.Linear(in_features, outputs))\n"
    )
    (tmp_path / "mine.py").write_text(source, encoding="utf-8")
    net = f"{tmp_path / 'mine.py'}:Mine"
    out = tmp_path / "run"
    said = command("train", table, "--target", "sick", "--net", net, "--out", out, "--quiet", *QUICK)
    assert said.code == 0, said.err
    said = command("net", net, "--input", "3", "--json")
    assert one_object(said.out)["totals"]["parameters"] == 4
    assert command("evaluate", out, table, "--quiet").code == 0


def test_check_tells_what_is_there_and_what_is_wrong(table: Path, command: Command) -> None:
    """``check`` names every field, the task and its reason; it exits with 2 where training would be refused."""
    said = command("check", table, "--target", "sick")
    assert said.code == 0, said
    for name in ("age", "weight", "colour", "sick", "binary", "120 rows"):
        assert name in said.out
    assert max(len(line) for line in said.out.splitlines()[1:]) <= 80  # the first names the file

    found = one_object(command("check", table, "--target", "sick", "--json").out)
    assert found["task"]["kind"] == "binary"
    assert [field["name"] for field in found["schema"]["fields"]] == ["age", "weight", "colour", "sick"]

    said = command("check", table, "--target", "sic", "--json")
    assert said.code == 2
    assert "Did you mean 'sick'" in one_object(said.out)["error"][0]["do"]


def test_a_name_that_looks_like_markup_is_shown_as_it_is(table: Path, command: Command) -> None:
    """``[bold]`` in a file's name is part of the name."""
    odd = table.rename(table.with_name("p[bold]s.csv"))
    said = command("check", odd, "--target", "sick")
    assert said.code == 0, said
    assert said.out.startswith(f"{odd}  120 rows")


def test_check_counts_the_images_of_each_class(tmp_path: Path, command: Command) -> None:
    """A folder of images has no fields; its classes are counted, for people and in JSON."""
    from PIL import Image

    for name, count in (("cat", 4), ("dog", 3)):
        (tmp_path / "pets" / name).mkdir(parents=True)
        for i in range(count):
            Image.new("L", (8, 8), 60 * i + count).save(tmp_path / "pets" / name / f"{i}.png")
    said = command("check", tmp_path / "pets")
    assert said.code == 0, said
    words = said.out.split()
    assert words[words.index("cat") + 1] == "4"
    assert words[words.index("dog") + 1] == "3"
    assert one_object(command("check", tmp_path / "pets", "--json").out)["class_counts"] == {"cat": 4, "dog": 3}


def test_evaluate_says_the_metrics_of_other_rows(trained: tuple[Path, Path], command: Command) -> None:
    """``evaluate`` gives every metric with its interval, or those asked for."""
    run, data = trained
    found = one_object(command("evaluate", run, data, "--json").out)
    assert found["rows"] == 120
    assert {"accuracy", "roc_auc", "f1_macro"} <= found["metrics"].keys()
    only = one_object(command("evaluate", run, data, "--metric", "accuracy", "--json").out)
    assert only["metrics"] == {"accuracy": found["metrics"]["accuracy"]}
    said = command("evaluate", run, data)
    assert "95 % interval" in said.out
    assert "Predicting" in said.err


@pytest.mark.parametrize("name", ["out.csv", "out.parquet", "out.json", "new/folder/OUT.CSV"])
def test_predict_writes_what_the_name_says(
    name: str, trained: tuple[Path, Path], tmp_path: Path, command: Command
) -> None:
    """Each format holds the same predictions as standard output does."""
    run, data = trained
    said = command("predict", run, data, "--quiet")
    assert said.code == 0
    assert said.err == ""
    printed = polars.read_csv(io.StringIO(said.out))
    assert printed.columns == ["row", "where", "prediction", "probability_no", "probability_yes"]
    assert printed.height == 120
    path = tmp_path / name
    said = command("predict", run, data, "--out", path)
    assert said.code == 0
    assert said.out == ""
    assert f"120 predictions in {path}" in said.err
    read = {".csv": polars.read_csv, ".parquet": polars.read_parquet, ".json": polars.read_json}[path.suffix.lower()]
    written: Any = read(path)
    assert written["prediction"].to_list() == printed["prediction"].to_list()
    assert command("predict", run, data, "--out", path).code == 2
    assert command("predict", run, data, "--out", path, "--force", "--quiet").code == 0


def test_report_writes_it_and_prints_its_path(trained: tuple[Path, Path], tmp_path: Path, command: Command) -> None:
    """``report`` makes the page anew and prints where it is."""
    run = tmp_path / "run"
    shutil.copytree(trained[0], run)
    said = command("report", run)
    assert said.code == 0, said.err
    assert said.out.strip() == str(run / "report.html")
    assert (run / "report.html").read_text(encoding="utf-8").lstrip().lower().startswith("<!doctype html")
    assert one_object(command("report", run, "--json").out)["report"] == str(run / "report.html")


def test_nets_lists_every_net_and_setting(command: Command) -> None:
    """All nets, settings, defaults; within 80 columns."""
    from workings.nets import registry

    said = command("nets")
    assert said.code == 0
    assert max(len(line) for line in said.out.splitlines()) <= 80
    listed = {each["name"]: each for each in one_object(command("nets", "--json").out)["nets"]}
    for info in registry.infos():
        assert f"\n{info.name}  " in f"\n{said.out}"
        assert listed[info.name]["settings"].keys() == info.settings.keys()
        assert all(f"  {name} " in said.out for name in info.settings)


def test_net_adds_up(command: Command) -> None:
    """The parameters of the layers are those of the whole net, in the table and in JSON."""
    said = command("net", "cnn", "--input", "3x32x32", "--outputs", "10")
    assert said.code == 0
    assert "(32 − 3 + 2·1)/1 + 1 = 32" in said.out
    found = one_object(command("net", "cnn", "--input", "3,32,32", "--outputs", "10", "--json").out)
    assert sum(layer["parameters"] for layer in found["layers"]) == found["totals"]["parameters"] > 0
    assert f"{found['totals']['parameters']:,}" in said.out


@pytest.mark.parametrize(
    ("name", "rows", "target"),
    [
        ("iris", 150, "species"),
        ("breast-cancer", 569, "diagnosis"),
        ("wine", 178, "grower"),
        ("diabetes", 442, "progression"),
    ],
)
def test_sample_writes_a_table(
    name: str, rows: int, target: str, tmp_path: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without ``--out`` into a file of that name here; the command to train on it is named."""
    monkeypatch.chdir(tmp_path)
    said = command("sample", name)
    assert said.code == 0
    frame = polars.read_csv(tmp_path / f"{name}.csv")
    assert frame.height == rows
    assert frame.columns[-1] == target
    assert f"workings train {name}.csv --target {target}" in said.out
    assert name in command("sample").out


def test_sample_digits_are_the_bundled_pictures(tmp_path: Path, command: Command) -> None:
    """1,797 PNG files, a folder a class, with the bundled values spread from 0 … 16 to 0 … 255."""
    import numpy as np
    from PIL import Image
    from sklearn.datasets import load_digits

    said = command("sample", "digits", "--out", tmp_path / "digits")
    assert said.code == 0
    bundle: Any = load_digits()
    files = sorted((tmp_path / "digits").rglob("*.png"), key=lambda path: path.stem)
    assert [int(path.parent.name) for path in files] == bundle.target.tolist()
    with Image.open(files[7]) as picture:
        assert np.array_equal(np.round(np.asarray(picture, float) * 16 / 255), bundle.images[7])


def test_help_of_every_verb_says_how_to_use_it(command: Command) -> None:
    """Every option is explained, every verb has examples, and no line is cut short."""
    said = command("--help")
    assert said.code == 0
    assert "..." not in said.out.replace("[ARGS]...", "")
    for verb in ("train", "check", "evaluate", "predict", "report", "nets", "net", "sample"):
        assert f"  {verb} " in said.out
        each = command(verb, "--help")
        assert each.code == 0
        assert f"  workings {verb}" in each.out.split("Examples:")[1]
    assert command().out == said.out
    assert command("--version").out.startswith("workings 0.")
