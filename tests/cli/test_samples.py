"""``generate`` and ``reconstruct`` with nets that learn from samples: images into folders, rows of a table as CSV."""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import polars
import pytest
from PIL import Image
from tests.cli.helpers import QUICK, Command, write_table

import workings
from workings.cli.main import run

SMALL = ("--set", "hidden=[8]", "--set", "code=2")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with 40 pictures of bars in ``bars/``, a table, and runs of a VAE and an autoencoder on each."""
    root = tmp_path_factory.mktemp("samples")
    rng = np.random.default_rng(0)
    for name in ("lying", "standing"):
        (root / "bars" / name).mkdir(parents=True)
        for i in range(20):
            pixels = rng.integers(0, 90, (6, 7), dtype=np.uint8)
            pixels[(rng.integers(6), slice(None)) if name == "lying" else (slice(None), rng.integers(7))] = 255
            Image.fromarray(pixels).save(root / "bars" / name / f"{i:02}.png")
    write_table(root / "patients.csv")
    polars.read_csv(root / "patients.csv")[2:3].write_csv(root / "one.csv")
    for data in ("bars", "patients.csv"):
        for net in ("vae", "autoencoder"):
            out = root / f"{net}-{Path(data).stem}"
            assert run(["train", str(root / data), "--net", net, "--out", str(out), "--quiet", *QUICK, *SMALL]) == 0
    return root


def pixels(path: Path) -> np.ndarray:
    """A picture's bytes."""
    with Image.open(path) as image:
        return np.asarray(image)


def test_images_are_written_one_by_one_and_together(made: Path, tmp_path: Path, command: Command) -> None:
    """A PNG a sample in the size that was learnt, all of them in grid.png; the same seed makes the same."""
    said = command("generate", made / "vae-bars", "--samples", 5, "--seed", 3, "--out", tmp_path / "a")
    assert said.code == 0, said.err
    assert said.out == ""
    assert "5 samples in" in said.err
    assert sorted(path.name for path in (tmp_path / "a").iterdir()) == [
        *(f"000{i}.png" for i in range(1, 6)),
        "grid.png",
    ]
    assert pixels(tmp_path / "a" / "0001.png").shape == (6, 7)
    command("generate", made / "vae-bars", "--samples", 5, "--seed", 3, "--out", tmp_path / "b")
    command("generate", made / "vae-bars", "--samples", 5, "--seed", 4, "--out", tmp_path / "c")
    for name in ("0002.png", "grid.png"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
        assert (tmp_path / "a" / name).read_bytes() != (tmp_path / "c" / name).read_bytes()


def test_rows_are_written_in_the_columns_of_the_table(made: Path, tmp_path: Path, command: Command) -> None:
    """As CSV on standard output or into a file; categories by their names, and what is made can be read again."""
    said = command("generate", made / "vae-patients", "--samples", 7, "--quiet")
    assert said.code == 0, said.err
    frame = polars.read_csv(io.StringIO(said.out))
    assert frame.columns == ["age", "weight", "colour", "sick"]
    assert frame.height == 7
    assert set(frame["colour"]) <= {"red", "green"}
    out = tmp_path / "made.parquet"
    assert command("generate", made / "vae-patients", "--samples", 7, "--out", out).code == 0
    assert polars.read_parquet(out)["colour"].to_list() == frame["colour"].to_list()
    assert command("generate", made / "vae-patients", "--out", out).code == 2
    (tmp_path / "again.csv").write_text(said.out, encoding="utf-8")
    assert command("predict", made / "vae-patients", tmp_path / "again.csv", "--quiet").code == 0


def test_variations_start_from_the_sample_and_widen_with_the_spread(made: Path) -> None:
    """z = encode(x) + S·s ⊙ n: for a tiny S what is made is what is rebuilt; twice the S is twice as far in code."""
    run_ = workings.open_run(made / "autoencoder-bars")
    near = run_.vary(made / "bars" / "lying" / "03.png", spread=1e-6, samples=4)
    assert near.x.sub(near.rebuilt).abs().max() < 1e-4
    one, two = (run_.vary(str(made / "bars" / "lying" / "03.png"), spread=S, samples=400) for S in (1.0, 2.0))
    assert two.x.sub(two.rebuilt).square().mean() > 2 * one.x.sub(one.rebuilt).square().mean()
    told = json.loads((made / "autoencoder-bars" / "scores.json").read_text(encoding="utf-8"))
    codes = run_.predict(made / "bars").select("z1", "z2").to_numpy()
    assert len(told["code_std"]) == 2
    assert np.allclose(told["code_std"], codes.std(0), rtol=0.4), "the training part of these is their measure"


def test_the_way_between_two_samples_ends_at_both(made: Path, tmp_path: Path, command: Command) -> None:
    """The first step is what is rebuilt of the one sample, the last of the other; the given ones are written too."""
    a, b = made / "bars" / "lying" / "03.png", made / "bars" / "standing" / "11.png"
    found = workings.open_run(made / "vae-bars").between(a, b, steps=6)
    assert len(found) == 6
    assert np.allclose(found.x[[0, -1]], found.rebuilt, atol=1e-5)
    said = command("generate", made / "vae-bars", "--between", a, b, "--steps", 6, "--out", tmp_path / "way")
    assert said.code == 0, said.err
    names = {path.name for path in (tmp_path / "way").iterdir()}
    assert {"0001.png", "0006.png", "given-a.png", "given-b.png", "grid.png"} <= names
    assert "0007.png" not in names
    assert np.array_equal(pixels(tmp_path / "way" / "given-a.png"), pixels(a))


def test_a_sample_is_named_by_its_file_or_its_number(made: Path) -> None:
    """``FILE:3``, ``3`` of the data trained on, a file of one row and the row itself are the same sample."""
    run_ = workings.open_run(made / "vae-patients")
    table = polars.read_csv(made / "patients.csv")
    ways = [f"{made / 'patients.csv'}:3", "3", 3, made / "one.csv", table[2:3]]
    first, *others = [run_.vary(way, samples=1).given for way in ways]
    for other in others:
        assert np.array_equal(other, first)


def test_what_is_rebuilt_is_told_with_its_error(made: Path, tmp_path: Path, command: Command) -> None:
    """Images: pairs of files and a grid; rows: their cells. The error is the mean square of the differences."""
    out = tmp_path / "rebuilt"
    said = command("reconstruct", made / "autoencoder-bars", made / "bars", "--out", out)
    assert said.code == 0, said.err
    assert "40 samples rebuilt" in said.err
    errors = polars.read_csv(out / "errors.csv")
    assert errors.columns == ["row", "where", "error", "given", "rebuilt"]
    found = workings.open_run(made / "autoencoder-bars").reconstruct(made / "bars")
    assert errors["error"].to_numpy() == pytest.approx(found.x.sub(found.rebuilt).square().mean((1, 2, 3)).numpy())
    seen = found.rebuilt[7, 0].clamp(0, 1).numpy()  # of squared errors: it may lie beyond black and white
    assert np.abs(pixels(out / errors["rebuilt"][7]) / 255 - seen).max() < 1 / 255
    assert np.array_equal(pixels(out / errors["given"][0]), pixels(made / "bars" / errors["where"][0]))
    said = command("reconstruct", made / "autoencoder-patients", made / "patients.csv", "--quiet")
    frame = polars.read_csv(io.StringIO(said.out))
    assert frame.columns == ["row", "where", "error", "age", "weight", "colour", "sick"]
    assert frame.height == 120
    told = json.loads(command("reconstruct", made / "autoencoder-patients", made / "one.csv", "--json").out)
    assert told["samples"] == 1
    assert told["rows"][0]["error"] == pytest.approx(frame["error"][2], rel=1e-4)


REFUSED = [
    ("generate {vae-bars}", ("written into a folder", "--out FOLDER")),
    ("generate {vae-bars} --out {bars}", ("not empty",)),
    ("generate {autoencoder-bars} --out {new}", ("draws no new samples", "vae", "--around")),
    ("generate {vae-bars} --out {new} --prompt a --top-k 3", ("--prompt, --top-k are for texts",)),
    ("generate {vae-patients} --around {patients.csv}", ("One sample is wanted", "120", "patients.csv:1")),
    ("generate {vae-patients} --around {patients.csv}:121", ("no sample 121", "from 1 to 120")),
    ("generate {vae-patients} --around {patient.csv}", ("no file", "patient.csv")),
    ("generate {vae-patients} --around 1 --between 1 2 --spread 0", ("--around and --between",)),
    ("generate {vae-patients} --around 1 --spread 0", ("spread is 0",)),
    ("generate {vae-patients} --spread 1 --steps 3", ("--spread is given without --around", "--steps is given")),
    ("generate {vae-patients} --between 1 2 --samples 3", ("Say how many with --steps",)),
    ("generate {vae-patients} --between 1 2 --steps 1", ("steps is 1",)),
    ("generate {vae-patients} --samples 0", ("samples is 0",)),
    ("generate {vae-patients} --seed -1", ("seed is -1",)),
    ("reconstruct {vae-bars} {bars}", ("--out FOLDER",)),
    ("reconstruct {vae-patients} {patients.csv} --out {new}.xls", (".xls", ".csv")),
]


@pytest.mark.parametrize(("words", "says"), REFUSED)
def test_what_cannot_be_made_is_said(
    words: str, says: tuple[str, ...], made: Path, tmp_path: Path, command: Command
) -> None:
    """Exit code 2, what is wrong and what to do; nothing is written."""
    for name in ("vae-bars", "autoencoder-bars", "vae-patients", "patients.csv", "patient.csv", "bars"):
        words = words.replace(f"{{{name}}}", str(made / name))
    said = command(*words.replace("{new}", str(tmp_path / "new")).split())
    assert said.code == 2, said
    for part in says:
        assert part in " ".join(said.err.split()), said.err
    assert said.out == ""
    assert not list(tmp_path.iterdir())


def test_a_run_of_labels_makes_no_samples(trained: tuple[Path, Path], tmp_path: Path, command: Command) -> None:
    """It says what it was trained for, and which nets do."""
    for words in (("generate",), ("reconstruct",)):
        data = [trained[1]] if words == ("reconstruct",) else []
        said = command(*words, trained[0], *data)
        assert said.code == 2
        assert "trained for binary" in said.err
        assert "--net vae" in said.err


def test_the_result_says_what_the_net_can_do_next(made: Path, tmp_path: Path, command: Command) -> None:
    """A net that draws: generate; one that rebuilds: reconstruct; no word of a target; within 80 columns."""
    out = tmp_path / "run"
    words = ("train", made / "patients.csv", "--net", "autoencoder", "--out", out, "--quiet", *QUICK, *SMALL)
    said = command(*words)
    assert said.code == 0, said.err
    assert "run · unsupervised ─" in said.out
    assert f"workings reconstruct {out} DATA" in said.out
    assert f"workings generate {out}" not in said.out
    boxed = [line for line in said.out.splitlines() if line.startswith(("│", "╭", "╰"))]
    assert {len(line) for line in boxed} == {80}


def test_check_says_what_judges(made: Path, command: Command) -> None:
    """Labels judge, and are no target; named anomalies are named again."""
    said = command("check", made / "bars", "--task", "unsupervised", "--set", "anomalies=[lying]")
    assert said.code == 0
    words = " ".join(said.out.split())
    assert "unsupervised, judged by 'class', anomalies lying" in words
