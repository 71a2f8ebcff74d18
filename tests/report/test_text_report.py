"""Laws of the report of texts: honest baselines, the worst mistakes with their texts, lengths and unknown tokens."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import polars
import pytest
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from tests.data.texts import reviews

import workings
from workings.base.events import Event, Phase, silent
from workings.report.paired import Said
from workings.report.text_baselines import run_text_baselines


@pytest.fixture(scope="module")
def run_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A net that has learnt too little, so that it errs."""
    frame = reviews(200).select("review", "mood")
    out = tmp_path_factory.mktemp("runs") / "mood"
    workings.train(frame, target="mood", epochs=1, out=out, settings={"lane": "eager@1"})
    return out


def test_the_worst_mistakes_show_their_texts_and_no_others_are_kept(run_folder: Path) -> None:
    """Texts of rows that were predicted wrong, 12 at most, escaped in the page; tokens are counted for every row."""
    frame = polars.read_parquet(run_folder / "predictions.parquet")
    kept = frame.filter(polars.col("values").is_not_null())
    assert 0 < len(kept) <= 12
    assert (kept["truth"] != kept["prediction"]).all()
    page = (run_folder / "report.html").read_text(encoding="utf-8")
    texts = dict(zip(range(1, 201), reviews(200)["review"], strict=True))
    for row, values in zip(kept["row"], kept["values"], strict=True):
        assert json.loads(values) == {"review": texts[row]}
        assert texts[row] in page
    assert (frame["tokens"] > 0).all()
    assert (frame["unknown_tokens"] <= frame["tokens"]).all()


def test_the_report_says_how_long_texts_are_and_what_is_unknown(run_folder: Path) -> None:
    """The figures are those of the predictions; every test text is in one line of short and long."""
    page = (run_folder / "report.html").read_text(encoding="utf-8")
    assert 'id="texts"' in page
    frame = polars.read_parquet(run_folder / "predictions.parquet")
    share = 100 * float(frame["unknown_tokens"].sum()) / float(frame["tokens"].sum())
    assert f"{share:.1f}\N{NO-BREAK SPACE}%" in page
    prepare = json.loads((run_folder / "prepare.json").read_text(encoding="utf-8"))
    assert sum(prepare["counts"]) == prepare["rows"]
    assert len(prepare["edges"]) == len(prepare["counts"]) + 1


def test_baselines_are_fitted_on_training_texts_only() -> None:
    """The bag of words gives what scikit-learn gives by hand; a word of the test texts alone changes nothing."""
    train, test = reviews(80), reviews(40, seed=9)
    y_train, y_test = ((frame["mood"] == "sad").to_numpy().astype(np.int64) for frame in (train, test))
    ours = Said(np.zeros(40, dtype=np.int64), np.full((40, 2), 0.5))
    texts = train["review"].to_list(), test["review"].to_list()
    phases: list[Event] = []
    found = run_text_baselines(
        "binary", (texts[0], y_train), (texts[1], y_test), ours, ["happy", "sad"], 0, phases.append
    )
    assert [each["name"].split()[0] for each in found] == ["always", "logistic", "naive"]
    assert sum(isinstance(event, Phase) for event in phases) == 3
    bag = CountVectorizer(token_pattern=r"(?u)\b\w[\w'-]*\b", binary=True)
    model = LogisticRegression(C=0.3, max_iter=300).fit(bag.fit_transform(texts[0]), y_train)
    assert found[1]["metrics"]["accuracy"] == model.score(bag.transform(texts[1]), y_test)
    assert "speak most for ‘sad’" in found[1]["note"]
    assert found[1]["gain"]["accuracy"][1] < 0
    odd = [f"{text} zyzzyva" for text in texts[1]]
    again = run_text_baselines("binary", (texts[0], y_train), (odd, y_test), ours, ["happy", "sad"], 0, silent)
    assert [each["metrics"] for each in again] == [each["metrics"] for each in found]


def test_numbers_have_baselines_too() -> None:
    """The mean, and ridge regression on words, in the target's own units."""
    train, test = reviews(80), reviews(40, seed=9)
    y_train, y_test = train["stars"].to_numpy(), test["stars"].to_numpy()
    ours = Said(np.full(40, y_train.mean()))
    texts = train["review"].to_list(), test["review"].to_list()
    found = run_text_baselines("regression", (texts[0], y_train), (texts[1], y_test), ours, None, 0, silent)
    assert found[0]["metrics"]["mae"] == pytest.approx(np.abs(y_test - y_train.mean()).mean())
    assert found[1]["metrics"]["r2"] > 0.5
