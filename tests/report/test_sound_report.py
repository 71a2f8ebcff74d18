"""The report of recordings: pictures of spectra, success by length and group, baselines on band summaries."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import polars
import pytest
import soundfile
from PIL import Image

import workings
from workings.report.sound import write_spectrum

RATE = 8_000


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny run on tones by four made speakers, one of them held out, trained too little to be always right."""
    root = tmp_path_factory.mktemp("sound")
    rng = np.random.default_rng(0)
    (root / "tones").mkdir()
    for label, hertz in (("low", 300), ("middle", 700), ("high", 2_000)):
        for speaker in ("ada", "ben", "cleo", "dan"):
            for take in range(12):
                n = np.arange(round(RATE * rng.uniform(0.06, 0.2)))
                wave = 0.3 * np.sin(2 * np.pi * hertz * rng.uniform(0.6, 1.7) * n / RATE) + 0.05 * rng.normal(
                    size=len(n)
                )
                soundfile.write(root / "tones" / f"{label}_{speaker}_{take}.wav", wave, RATE)
    options = {"pattern": "{label}_{group}_{take}", "hold_out": "dan", "lane": "eager@1", "widths": [2, 2]}
    workings.train(root / "tones", out=root / "run", epochs=1, settings=options)
    return root / "run"


def test_the_report_shows_spectra_lengths_and_groups(run: Path) -> None:
    """A picture of each class, of each of the worst mistakes, the histogram, and a line for the group held out."""
    html = (run / "report.html").read_text(encoding="utf-8")
    assert "The recordings" in html
    assert "log-mel spectrum" in html
    assert "Length of the test recordings" in html
    assert "Short and long recordings" in html
    assert "By group" in html
    assert "'dan'" in html.replace("&#39;", "'")
    pictures = {path.name for path in (run / "pictures").glob("*.png")}
    assert {"heard-0.png", "heard-1.png", "heard-2.png"} <= pictures
    wrong = polars.read_parquet(run / "predictions.parquet").filter(polars.col("truth") != polars.col("prediction"))
    assert {f"mistake-{row}.png" for row in wrong["row"][:1]} <= pictures
    assert html.count("data:image/png;base64,") == len(pictures)
    assert "http://" not in html.replace("http://www.w3.org", "")


def test_predictions_say_seconds_and_group(run: Path) -> None:
    """Beside each test recording stands how long it is and whose."""
    frame = polars.read_parquet(run / "predictions.parquet")
    assert set(frame["group"]) == {"dan"}
    assert frame["seconds"].min() >= 0.06  # type: ignore[operator]
    assert len(frame) == 36


def test_baselines_are_on_band_summaries(run: Path) -> None:
    """A constant answer, logistic regression and nearest neighbours, all with figures."""
    content = json.loads((run / "baselines.json").read_text(encoding="utf-8"))["baselines"]
    assert [each["name"].split(",")[0] for each in content] == [
        "always the commonest class",
        "logistic regression",
        "nearest neighbours",
    ]
    assert all("accuracy" in each["metrics"] for each in content)
    assert all("mel band" in each["note"] for each in content[1:])


def test_a_spectrum_is_drawn_with_low_tones_at_the_bottom(tmp_path: Path) -> None:
    """Time runs to the right, the loudest is darkest, and the picture is large enough to be looked at."""
    Y = np.full((30, 40), -18.0)
    Y[20:, 3] = 0.0  # a low tone, late
    write_spectrum(tmp_path / "pictures" / "x.png", Y)
    with Image.open(tmp_path / "pictures" / "x.png") as picture:
        pixels = np.asarray(picture.convert("L")).astype(int)
    assert min(pixels.shape) >= 120
    row, column = np.unravel_index(pixels.argmin(), pixels.shape)
    assert row > pixels.shape[0] * 0.8
    assert column > pixels.shape[1] * 0.6
    write_spectrum(tmp_path / "pictures" / "long.png", np.zeros((5_000, 40)))
    with Image.open(tmp_path / "pictures" / "long.png") as picture:
        assert picture.width <= 2_000


def test_a_regression_on_recordings_is_reported_too(run: Path, tmp_path: Path) -> None:
    """Numbers instead of classes: the worst are drawn, success by length is a mean error."""
    names = sorted(path.name for path in (run.parent / "tones").glob("*.wav"))
    rng = np.random.default_rng(0)
    table = polars.DataFrame({"path": [f"tones/{name}" for name in names], "y": rng.normal(size=len(names))})
    table.write_csv(run.parent / "numbers.csv")
    options = {"lane": "eager@1", "widths": [2]}
    made = workings.train(run.parent / "numbers.csv", out=tmp_path / "run", epochs=1, settings=options)
    html = (Path(made.path) / "report.html").read_text(encoding="utf-8")
    assert "mean error" in html
    assert html.count("data:image/png") == 12
    assert "ridge regression" in html
