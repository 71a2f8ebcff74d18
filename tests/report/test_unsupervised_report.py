"""The report of nets without labels: what it shows is there, is of the samples it says, and is true of the net."""

from __future__ import annotations

import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import polars
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

import workings
from workings.report import unsupervised_charts as charts
from workings.report.reading import read_run
from workings.report.unsupervised import sections
from workings.report.unsupervised_pictures import nearest
from workings.report.unsupervised_telling import told_apart

QUICK = {"lane": "eager@1", "hidden": [8], "code": 3}


def bars(n: int = 120) -> tuple[np.ndarray, list[str]]:
    """Pictures of lying and standing bars; every twelfth is noise, called odd."""
    rng = np.random.default_rng(0)
    X, names = np.zeros((n, 1, 6, 6), np.uint8), []
    for i, picture in enumerate(X):
        if i % 12 == 0:
            picture[0] = rng.integers(0, 256, (6, 6))
            names.append("odd")
        else:
            names.append("lying" if i % 2 else "standing")
            picture[(0, rng.integers(6)) if i % 2 else (0, slice(None), rng.integers(6))] = 255
    return X, names


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of an autoencoder on pictures, one class of which is anomalies."""
    out = tmp_path_factory.mktemp("images") / "run"
    workings.train(bars(), net="autoencoder", out=out, epochs=4, settings={**QUICK, "anomalies": ["odd"]})
    return out


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of a variational autoencoder on a table without labels, with one far row."""
    out = tmp_path_factory.mktemp("table") / "run"
    rng = np.random.default_rng(0)
    frame = {
        "age": rng.integers(20, 80, 200),
        "colour": rng.choice(["red", "green"], 200),
        "size": rng.normal(size=200),
    }
    workings.train(polars.DataFrame(frame), net="vae", out=out, epochs=3, settings={**QUICK, "code": 2})
    return out


def test_the_report_of_images_shows_what_was_rebuilt_and_told_wrongly(images: Path) -> None:
    """Sections in order, every picture with an alt text, no new samples by a net that draws none."""
    run = read_run(images)
    assert [each.id for each in sections(run)] == ["rebuilt", "codes", "unusual"]
    page = (images / "report.html").read_text(encoding="utf-8")
    assert "A sample of ‘odd’ seems more unusual than a regular one" in page
    assert "Learnt without labels" in page
    assert "Predicting" not in page
    assert all(re.search(r'alt="[^"]{10,}"', tag) for tag in re.findall(r"<img[^>]*>", page))
    assert "--around" in page, "an autoencoder varies samples"
    assert "Make new samples" not in page
    assert "narrow" not in page.split("</style>")[1].split('id="rebuilt"')[1].split("</section>")[0]


def test_pictures_are_of_the_samples_they_name(images: Path) -> None:
    """``sample-<row>.png``: the picture of that row, beside what was rebuilt; of both kinds of mistakes at most six."""
    X, names = bars()
    pictures = sorted((images / "pictures").glob("sample-*.png"))
    assert pictures
    for path in pictures:
        row = int(path.stem.removeprefix("sample-"))
        with Image.open(path) as image:
            shown = np.asarray(image.convert("L"))
        factor = shown.shape[0] // 6
        assert np.array_equal(shown[::factor, : 6 * factor : factor], X[row - 1, 0])
    told = polars.read_parquet(images / "predictions.parquet")
    for group in told_apart(told, told["label"].to_numpy() == "odd"):
        for i in group.rows:
            assert (names[told["row"][i] - 1] == "odd") == group.title.startswith("Anomalies")


def test_groups_are_by_threshold_and_score() -> None:
    """Missed anomalies from the lowest score, false alarms and found ones from the highest; without labels the most
    unusual.
    """
    told = polars.DataFrame({"score": [1.0, 5.0, 4.0, 2.0, 9.0], "anomaly": [False, True, True, False, True]})
    odd = np.array([True, False, True, True, False])
    found = {group.title: group.rows for group in told_apart(told, odd)}
    assert found == {"Anomalies missed": [0, 3], "False alarms": [4, 1], "Anomalies found": [2]}
    (only,) = told_apart(told, np.zeros(5, dtype=bool))
    assert only.rows == [4, 1, 2, 3, 0]
    assert told_apart(told.drop("score"), odd) == []


def test_rows_of_a_table_are_shown_in_their_own_cells(table: Path) -> None:
    """New rows, and the most unusual with the cells that were rebuilt worst; the cells of no other row are kept."""
    run = read_run(table)
    assert [each.id for each in sections(run)] == ["made", "codes", "unusual"]
    made = str(sections(run)[0].body)
    assert ">age<" in made
    assert "red" in made or "green" in made
    unusual = str(sections(run)[2].body)
    assert unusual.count("<dt>colour</dt>") == 12
    assert run.told is not None
    assert run.told["values"].null_count() == len(run.told) - 12
    assert "No simpler model here" in (table / "report.html").read_text(encoding="utf-8")


@given(
    st.lists(st.tuples(st.floats(0, 400), st.floats(0, 400), st.integers(1, 12)), min_size=1, max_size=12),
)
def test_labels_are_moved_until_none_overlap(labels: list[tuple[float, float, int]]) -> None:
    """Whatever lies upon each other at first; labels that do not overlap stay where they are."""
    centres = np.array([[x, y] for x, y, _ in labels])
    widths = [7.0 * letters for _, _, letters in labels]

    def overlaps(at: np.ndarray) -> int:
        return sum(
            bool(abs(at[i, 0] - at[j, 0]) < (widths[i] + widths[j]) / 2 - 1e-3 and abs(at[i, 1] - at[j, 1]) < 15 - 1e-3)
            for i in range(len(at))
            for j in range(i)
        )

    moved = charts.moved_apart(centres, widths, 15.0)
    assert overlaps(moved) == 0
    if overlaps(centres) == 0:
        assert np.abs(moved - centres).max() < 0.1


def test_the_map_draws_short_labels_and_names_long_ones() -> None:
    """Labels of a letter or two stand for dots, anomalies among them apart; longer ones are written once a class."""
    rng = np.random.default_rng(0)
    codes = {f"z{i + 1}": rng.normal(size=60) for i in range(4)}
    short = charts.codes_map(polars.DataFrame(codes | {"label": ["1", "2", "7"] * 20}), ["7"])
    assert short is not None
    assert short.svg.count('class="glyph"') == 40
    assert short.svg.count('class="glyph odd"') == 20
    assert "bold" in short.text
    long = charts.codes_map(polars.DataFrame(codes | {"label": ["lying", "standing"] * 30}), [])
    assert long is not None
    assert long.svg.count(">lying<") == long.svg.count(">standing<") == 1
    assert charts.codes_map(polars.DataFrame({"z1": rng.normal(size=60)}), []) is None
    assert charts.codes_map(polars.DataFrame({"z1": [0.0] * 9, "z2": [0.0] * 9}), []) is None


def test_the_directions_of_the_map_hold_the_most_variance() -> None:
    """As the two largest eigenvalues of the codes' covariance say."""
    codes = np.random.default_rng(1).normal(size=(200, 5)) * [3, 1, 0.5, 2, 0.1]
    at, share = charts.in_two_directions(codes)
    values = np.linalg.eigvalsh(np.cov(codes.T))
    assert share == pytest.approx(values[-2:].sum() / values.sum())
    assert np.var(at, axis=0, ddof=1) == pytest.approx(values[[-1, -2]])


def test_the_chart_of_scores_says_what_lies_above_the_threshold() -> None:
    """Shares of both kinds of samples; a far score does not press the rest together, and is told."""
    score = np.concatenate([np.linspace(1, 2, 400), np.linspace(1.5, 2.5, 100), [900.0]])
    odd = np.arange(501) >= 400
    figure = charts.scores(score, odd, 1.9)
    assert figure is not None
    assert "10.0\N{NO-BREAK SPACE}% of the regular ones" in figure.text
    assert f"{100 * (score[odd] > 1.9).mean():.1f}\N{NO-BREAK SPACE}% of the anomalies" in figure.text
    assert "3 lie beyond the right edge" in figure.text
    assert charts.scores(np.ones(9), np.zeros(9, dtype=bool), None) is None


def test_the_nearest_training_sample_is_the_nearest() -> None:
    """By the distance of all their numbers, over as many batches as it takes."""
    known = torch.rand(2500, 1, 3, 3, generator=torch.Generator().manual_seed(0))

    class Known(SimpleNamespace):
        def __len__(self) -> int:
            return len(known)

    train: Any = Known(x=lambda index: known[index])
    x = torch.rand(7, 1, 3, 3, generator=torch.Generator().manual_seed(1))
    expected = [(known - each).square().flatten(1).sum(1).argmin().item() for each in x]
    assert nearest(train, x).tolist() == expected
