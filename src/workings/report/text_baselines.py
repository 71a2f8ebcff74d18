"""What can be said of texts without a net: by their words alone, in no order, with scikit-learn."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.naive_bayes import MultinomialNB
from sklearn.pipeline import Pipeline, make_pipeline

from workings.base.events import Emit, Noticed, Phase
from workings.base.problems import Problem
from workings.data.schema import TaskKind
from workings.learning.metrics import headline, higher_is_better, score
from workings.report.paired import Said, gain

MOST_LETTERS = 30_000_000  # of the training texts; more are drawn from
MOST_WORDS = 200_000  # columns of a bag of words
TELLING = 8  # words that are named for a class
_WORD = r"(?u)\b\w[\w'-]*\b"


def _models(regression: bool, seed: int) -> list[tuple[str, Callable[[], Pipeline]]]:
    def counts() -> CountVectorizer:
        return CountVectorizer(max_features=MOST_WORDS, token_pattern=_WORD, binary=True)

    def weighed() -> TfidfVectorizer:
        return TfidfVectorizer(max_features=MOST_WORDS, token_pattern=_WORD, ngram_range=(1, 2), sublinear_tf=True)

    if regression:
        return [
            ("always the mean", lambda: make_pipeline(counts(), DummyRegressor())),
            ("ridge regression on the bag of words", lambda: make_pipeline(counts(), Ridge(10.0))),
            ("ridge regression on TF-IDF of words and pairs", lambda: make_pipeline(weighed(), Ridge())),
        ]
    return [
        ("always the commonest class", lambda: make_pipeline(counts(), DummyClassifier(strategy="prior"))),
        (
            "logistic regression on the bag of words",
            lambda: make_pipeline(counts(), LogisticRegression(C=0.3, max_iter=300, random_state=seed)),
        ),
        ("naive Bayes on TF-IDF of words and pairs", lambda: make_pipeline(weighed(), MultinomialNB())),
    ]


def run_text_baselines(
    task: TaskKind,
    train: tuple[Sequence[str], NDArray[Any]],
    test: tuple[Sequence[str], NDArray[Any]],
    ours: Said,
    classes: Sequence[str] | None,
    seed: int,
    emit: Emit,
) -> list[dict[str, Any]]:
    """What ``baselines.json`` holds; see ``report.baselines``.

    train, test: texts and their class numbers or values. ours: what the net says of the test texts.
    """
    rows = _some(train[0], seed)
    texts, y = [train[0][int(i)] for i in rows], train[1][rows]
    results: list[dict[str, Any]] = []
    said: list[Said | None] = []
    for name, make in _models(task == "regression", seed):
        emit(Phase("evaluating", f"baseline: {name}"))
        notes = [] if len(rows) == len(train[0]) else [f"trained on {len(rows):,} of {len(train[0]):,} texts"]
        result, told = _run(task, name, make(), (texts, y), test, classes, notes)
        results.append(result)
        said.append(told)
        if not result["metrics"]:
            what = f"The baseline '{name}' has no result: {result['note']}."
            emit(Noticed(Problem("note", "baseline-without-result", what)))
    _compare(task, test[1], ours, said, results)
    return results


def _run(
    task: TaskKind,
    name: str,
    model: Pipeline,
    train: tuple[Sequence[str], NDArray[Any]],
    test: tuple[Sequence[str], NDArray[Any]],
    classes: Sequence[str] | None,
    notes: list[str],
) -> tuple[dict[str, Any], Said | None]:
    began = time.perf_counter()
    metrics: dict[str, float] = {}
    told = None
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            model.fit(list(train[0]), train[1])
            prediction = model.predict(list(test[0]))
            P = None
            if classes is not None:
                P = np.zeros((len(test[0]), len(classes)))
                P[:, model[-1].classes_.astype(int)] = model.predict_proba(list(test[0]))
            metrics = score(task, test[1], prediction, P).metrics
            told = Said(prediction, P)
        if isinstance(model[-1], LogisticRegression) and classes is not None:
            notes.append(_telling(model, classes))
        notes += sorted({f"scikit-learn: {str(each.message).splitlines()[0]}" for each in caught})
    except (ValueError, MemoryError) as refusal:
        notes.append(f"scikit-learn: {str(refusal).splitlines()[0] if str(refusal) else type(refusal).__name__}")
    seconds = round(time.perf_counter() - began, 3)
    return {"name": name, "metrics": metrics, "seconds": seconds, "note": "; ".join(notes)}, told


def _telling(model: Pipeline, classes: Sequence[str]) -> str:
    """The words that speak most for a class, by the weights of the regression."""
    bag: CountVectorizer = model[0]  # type: ignore[assignment]
    regression: LogisticRegression = model[-1]  # type: ignore[assignment]
    words, W_KF = [str(word) for word in bag.get_feature_names_out()], regression.coef_
    rows = [W_KF[0], -W_KF[0]] if len(W_KF) == 1 else list(W_KF)
    names = [classes[1], classes[0]] if len(W_KF) == 1 else [classes[int(k)] for k in regression.classes_]
    said = [
        f"‘{name}’: {', '.join(words[i] for i in np.argsort(-w, kind='stable')[:TELLING])}"
        for name, w in list(zip(names, rows, strict=True))[:6]
    ]
    return "words that speak most for " + "; for ".join(said)


def _compare(
    task: TaskKind, truth: NDArray[Any], ours: Said, said: list[Said | None], results: list[dict[str, Any]]
) -> None:
    """Hold the net against the best baseline, row by row, by the metric that the run is judged by."""
    name = headline(task)
    having = [i for i, result in enumerate(results) if name in result["metrics"]]
    if not having:
        return
    sign = 1 if higher_is_better(name) else -1
    best = max(having, key=lambda i: sign * results[i]["metrics"][name])
    theirs = said[best]
    interval = None if theirs is None else gain(task, truth, ours, theirs, name)
    if interval is not None:
        results[best]["gain"] = {name: interval}


def _some(texts: Sequence[str], seed: int) -> NDArray[np.intp]:
    """All texts, or as many at random as hold ``MOST_LETTERS`` letters."""
    letters = sum(len(text) for text in texts)
    if letters <= MOST_LETTERS:
        return np.arange(len(texts))
    n = max(1, int(len(texts) * MOST_LETTERS / letters))
    return np.sort(np.random.default_rng(seed).choice(len(texts), n, replace=False))
