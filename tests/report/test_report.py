"""Laws of the report: whole from the run's files alone, self-contained, honest, readable by everyone."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import Any

import polars
import pytest

from workings.base.errors import UserError
from workings.base.files import read_json, write_json
from workings.report import write_report
from workings.report.palette import DARK, HEAT_DARK, HEAT_LIGHT, LIGHT, TEXTS, contrast, heat_step

RunFolder = Callable[[str], Path]
RUNS = ["binary", "images", "regression"]
VOID = {"meta", "link", "img", "br", "hr", "input"}
OPTIONAL = [
    "schema.json",
    "prepare.json",
    "data_card.json",
    "net.json",
    "record.parquet",
    "metrics.json",
    "predictions.parquet",
    "baselines.json",
    "environment.json",
]


class Page(HTMLParser):
    """A page as a list of elements; holds every element to be closed in order and every id to be unique."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.words: list[str] = []
        self.source = text
        self.feed(text)
        self.close()
        assert self.open == []
        ids = [attributes["id"] for _, attributes in self.elements if "id" in attributes]
        assert len(ids) == len(set(ids))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, f"</{tag}> closes another element"

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] not in ("style", "title"):
            self.words.append(data)

    @property
    def text(self) -> str:
        """What is read, with single spaces."""
        return " ".join(" ".join(self.words).split())

    def all(self, tag: str) -> list[dict[str, str | None]]:
        """The attributes of every element of that name."""
        return [attributes for name, attributes in self.elements if name == tag]


def report(run: Path) -> Page:
    """The report of a run, written and read."""
    path = write_report(run)
    assert path == run / "report.html"
    return Page(path.read_text(encoding="utf-8"))


def change(path: Path, /, **changes: Any) -> None:
    """Change keys of a JSON file."""
    write_json(path, {**read_json(path), **changes})


# --------------------------------------------------------------------------------------- self-contained


@pytest.mark.parametrize("name", RUNS)
def test_a_report_loads_nothing_and_runs_nothing(made_runs: Path, name: str) -> None:
    """One file: no script, no handler, no address of anything outside, no import in its style."""
    page = report(made_runs / name)
    assert page.all("script") == page.all("iframe") == page.all("object") == []
    for tag, attributes in page.elements:
        assert not [key for key in attributes if key.startswith("on")], tag
        for key in ("src", "href", "xlink:href"):
            assert (attributes.get(key) or "#").startswith(("#", "data:")), (tag, attributes)
    assert not re.search(r"https?://|@import|url\((?!#)", page.source)


@pytest.mark.parametrize("name", RUNS)
def test_a_report_is_the_same_when_written_anew(made_runs: Path, name: str) -> None:
    """Same files, same bytes."""
    first = write_report(made_runs / name).read_bytes()
    assert write_report(made_runs / name).read_bytes() == first


# ------------------------------------------------------------------------------------ readable by everyone


@pytest.mark.parametrize("name", RUNS)
def test_a_screen_reader_finds_its_way(made_runs: Path, name: str) -> None:
    """Language, skip link, headings in order, captions, scopes, names of drawings, texts for pictures."""
    page = report(made_runs / name)
    assert page.all("html") == [{"lang": "en"}]
    assert page.all("a")[0]["href"] == "#main"
    levels = [int(tag[1]) for tag, _ in page.elements if re.fullmatch(r"h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    assert len(page.all("table")) == len(page.all("caption"))
    assert all(attributes.get("scope") for attributes in page.all("th"))
    ids = {attributes["id"] for _, attributes in page.elements if attributes.get("id")}
    for drawing in page.all("svg"):
        if drawing.get("aria-hidden") == "true" or "strip" in (drawing.get("class") or ""):
            continue
        assert drawing["role"] == "img"
        assert set((drawing["aria-labelledby"] or "").split()) <= ids
    assert all(picture.get("alt") for picture in page.all("img"))
    assert all((link["href"] or "")[1:] in ids for link in page.all("a"))
    assert all(section["aria-labelledby"] in ids for section in page.all("section"))


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
def test_every_text_has_a_contrast_of_four_and_a_half(theme: dict[str, str]) -> None:
    """WCAG 2.2, level AA, for each ink on each ground that it is written on, in both themes."""
    for ink, ground in TEXTS:
        assert contrast(theme[ink], theme[ground]) >= 4.5, (ink, ground)
    for ground, ink in HEAT_DARK if theme is DARK else HEAT_LIGHT:
        assert contrast(ink, ground) >= 4.5, (ink, ground)
    assert contrast(theme["dot"], theme["paper"]) >= 3  # drawings
    assert contrast("#000000", "#ffffff") == pytest.approx(21)


def test_heat_has_six_steps_and_only_nothing_is_cold() -> None:
    """The smallest share is seen; all of them together is the last step."""
    assert [heat_step(share) for share in (0, 1e-6, 0.2, 0.21, 0.999, 1)] == [0, 1, 1, 2, 5, 5]


# ------------------------------------------------------------------------------------------------ content


def test_the_first_sentence_is_the_result_with_its_interval(made_runs: Path) -> None:
    """As metrics.json has it."""
    found = read_json(made_runs / "images" / "metrics.json")
    low, high = found["intervals"]["accuracy"]
    text = report(made_runs / "images").text.replace("\N{WORD JOINER}", "").replace("\N{NO-BREAK SPACE}", " ")
    assert f"The network is right in {100 * found['metrics']['accuracy']:.1f} % of {found['rows']} test images" in text
    assert f"(95 % interval {100 * low:.1f}–{100 * high:.1f} %)" in text


@pytest.mark.parametrize("name", RUNS)
def test_everything_that_was_asked_is_there(made_runs: Path, name: str) -> None:
    """Each part of the report, in order, with what the run's files hold."""
    run = made_runs / name
    page = report(run)
    sections = [section["aria-labelledby"] for section in page.all("section")]
    parts = ["asked", "data", "net", "curves", "test", "mistakes", "baselines", "assumed", "reproduce"]
    assert sections == [f"{part}-h" for part in parts]
    for layer in read_json(run / "net.json")["layers"]:
        assert layer["name"] in page.text
        assert layer["equation"] in page.text
        assert f"{layer['parameters']:,}" in page.text
    for baseline in read_json(run / "baselines.json")["baselines"]:
        assert baseline["name"] in page.text
    for problem in read_json(run / "data_card.json")["problems"]:
        assert problem["what"] in page.text
    for metric in read_json(run / "metrics.json")["metrics"]:
        assert metric in page.text
    for field in read_json(run / "schema.json")["fields"]:
        assert field["name"] in page.text
    assert "range test: the loss was lowest at 0.0031" in page.text
    assert f"workings train --recipe {run}/recipe.yaml" in page.text
    charts = {"binary": 6, "images": 4, "regression": 6}[name]
    assert len([svg for svg in page.all("svg") if svg.get("role") == "img"]) == charts


def test_mistakes_come_with_their_rows_or_pictures(made_runs: Path) -> None:
    """The fields of the worst rows as the user wrote them; pictures embedded, with words for those who see none."""
    run = made_runs / "regression"
    frame = polars.read_parquet(run / "predictions.parquet")
    worst = frame.with_columns((polars.col("truth") - polars.col("prediction")).abs().alias("off")).sort("off")[-1]
    page = report(run)
    assert worst["where"][0] in page.text
    for name, value in json.loads(worst["values"][0]).items():
        assert f"{name} {value:.6g}" in page.text
    pictures = [img for img in report(made_runs / "images").all("img") if "taken for" in (img["alt"] or "")]
    assert len(pictures) == len(list((made_runs / "images" / "pictures").glob("mistake-*.png"))) > 0


def test_rows_whose_cells_were_not_kept_are_still_listed(run_folder: RunFolder) -> None:
    """By where they are, and the report says that the cells are not there."""
    run = run_folder("binary")
    polars.read_parquet(run / "predictions.parquet").drop("values").write_parquet(run / "predictions.parquet")
    assert "their cells are not kept in this run folder" in report(run).text


def test_the_confusion_matrix_counts_every_test_row(made_runs: Path) -> None:
    """Its cells sum to the rows of predictions.parquet."""
    page = report(made_runs / "images")
    cells = re.findall(r'var\(--on-heat-\d\)">([\d,]+)<', page.source)
    assert len(cells) == 100
    assert sum(int(cell.replace(",", "")) for cell in cells) == len(
        polars.read_parquet(made_runs / "images" / "predictions.parquet")
    )


def test_given_values_are_told_from_derived_ones(run_folder: RunFolder) -> None:
    """A value with a reason was derived; one that differs from the default without a reason was given."""
    page = report(run_folder("binary"))
    recipe = page.source[page.source.index("The recipe, settled") : page.source.index("standing default")]
    assert re.search(r"batch_size</th><td>32</td><td>.{0,40}derived</span>", recipe)
    assert re.search(r"epochs</th><td>15</td><td>.{0,40}given</span>", recipe)


# ------------------------------------------------------------------------------------------------- honest


@pytest.mark.parametrize(
    ("theirs", "said", "bad"),
    [
        (0.999, "A simpler model is better.", True),
        (0.93, "A simpler model is ahead.", True),
        (0.90, "A simpler model does as well.", True),
        (0.88, "Ahead of every baseline, but not clearly.", False),
        (0.70, "It beats every baseline.", False),
    ],
)
def test_the_first_screen_says_plainly_how_it_stands(
    run_folder: RunFolder, theirs: float, said: str, bad: bool
) -> None:
    """Against the best baseline, with the interval; a net that is beaten is marked."""
    run = run_folder("binary")
    change(run / "metrics.json", metrics={"accuracy": 0.90}, intervals={"accuracy": [0.86, 0.94]})
    change(run / "baselines.json", baselines=[{"name": "a tree", "metrics": {"accuracy": theirs}, "seconds": 1.0}])
    page = report(run)
    header = page.source[: page.source.index("<nav")]
    assert said in header
    assert ("verdict bad" in header) == bad


def test_a_net_that_learnt_nothing_is_called_that(run_folder: RunFolder) -> None:
    """No better than always giving the commonest class."""
    run = run_folder("binary")
    change(run / "metrics.json", metrics={"accuracy": 0.63}, intervals={"accuracy": [0.55, 0.70]})
    floor = {"name": "always the commonest class", "metrics": {"accuracy": 0.64}, "seconds": 0.0}
    change(run / "baselines.json", baselines=[floor])
    assert "It has learnt nothing of use: “always the commonest class” reaches 64.0 %." in report(run).text


def test_lower_is_better_where_it_is(run_folder: RunFolder) -> None:
    """A baseline with the larger error does not win."""
    run = run_folder("regression")
    change(run / "metrics.json", metrics={"mae": 10.0}, intervals={"mae": [8.0, 12.0]})
    change(run / "baselines.json", baselines=[{"name": "ridge", "metrics": {"mae": 20.0}, "seconds": 1.0}])
    assert "It beats every baseline." in report(run).text
    change(run / "baselines.json", baselines=[{"name": "ridge", "metrics": {"mae": 7.0}, "seconds": 1.0}])
    assert "A simpler model is better." in report(run).text


def test_rare_positives_are_not_judged_by_accuracy(run_folder: RunFolder) -> None:
    """Under a fifth of the rows: average precision is the headline."""
    run = run_folder("binary")
    change(run / "data_card.json", class_counts={"malignant": 500, "benign": 20})
    assert "The network finds ‘benign’ with an average precision of" in report(run).text


def test_results_on_training_rows_are_called_that(run_folder: RunFolder) -> None:
    """What a net remembers is no evidence of what it can do."""
    run = run_folder("binary")
    change(run / "metrics.json", on="training rows")
    text = report(run).text
    assert "rows that it was trained on" in text
    assert "These are the rows it was trained on." in text


@pytest.mark.parametrize("name", RUNS)
@pytest.mark.parametrize("absent", OPTIONAL)
def test_a_file_that_is_absent_is_named(run_folder: RunFolder, name: str, absent: str) -> None:
    """The rest of the report is written, and says what it was written without."""
    run = run_folder(name)
    (run / absent).unlink()
    assert f"without {absent}: not in the run folder" in report(run).text


def test_a_recipe_alone_is_enough_for_a_report(run_folder: RunFolder) -> None:
    """A run that has only begun: everything else is named as absent, nothing is made up."""
    run = run_folder("images")
    for each in OPTIONAL:
        (run / each).unlink()
    for picture in (run / "pictures").iterdir():
        picture.unlink()
    text = report(run).text
    assert "nothing can be said of how good the network is" in text
    assert ", ".join(OPTIONAL[:2]) in text


def test_names_from_the_data_cannot_become_markup(run_folder: RunFolder) -> None:
    """Classes, fields, files and values are text wherever they stand, in drawings too."""
    run = run_folder("binary")
    evil = '<script>alert("x")</script>&amp;'
    card = read_json(run / "data_card.json")
    change(run / "data_card.json", classes=["malignant", evil], class_counts={"malignant": 212, evil: 357},
           path=evil, problems=[{**card["problems"][0], "what": evil}])  # fmt: skip
    frame = polars.read_parquet(run / "predictions.parquet")
    cells = json.dumps({evil: evil})
    renamed = frame.rename({"probability_benign": f"probability_{evil}"}).with_columns(
        polars.col("truth", "prediction").replace("benign", evil),
        polars.lit(evil).alias("where"),
        polars.lit(cells).alias("values"),
    )
    renamed.write_parquet(run / "predictions.parquet")
    page = report(run)
    assert page.all("script") == []
    assert page.text.count(evil) > 5


def test_many_classes_are_listed_not_drawn(run_folder: RunFolder) -> None:
    """Beyond twenty classes the commonest confusions stand for the matrix, and the long tables are folded away."""
    run = run_folder("images")
    K, n = 40, 600
    frame = polars.DataFrame(
        {
            "row": range(1, n + 1),
            "where": [f"row {i}" for i in range(1, n + 1)],
            "truth": [f"c{i % K}" for i in range(n)],
            "prediction": [f"c{(i + (i % 7 == 0)) % K}" for i in range(n)],
        }
    )
    frame.write_parquet(run / "predictions.parquet")
    classes = [f"c{k}" for k in range(K)]
    change(run / "data_card.json", classes=classes, class_counts=dict.fromkeys(classes, 15))
    page = report(run)
    assert "The commonest confusions; 20 rarer ones are not listed" in page.text
    assert "The 40 classes one by one" in page.text
    assert 'class="matrix"' not in page.source


def test_a_perfect_net_has_no_mistakes_to_show(run_folder: RunFolder) -> None:
    """And no row is made one."""
    run = run_folder("binary")
    frame = polars.read_parquet(run / "predictions.parquet")
    frame.with_columns(polars.col("truth").alias("prediction")).write_parquet(run / "predictions.parquet")
    assert "None: every test row is predicted right." in report(run).text


@pytest.mark.parametrize("rows", [1, 2])
@pytest.mark.parametrize("name", RUNS)
def test_a_handful_of_test_rows_is_enough_for_a_report(run_folder: RunFolder, name: str, rows: int) -> None:
    """One class or one value among them draws no nonsense and stops nothing."""
    run = run_folder(name)
    polars.read_parquet(run / "predictions.parquet")[:rows].write_parquet(run / "predictions.parquet")
    assert "nan" not in report(run).text.lower().split()


# ---------------------------------------------------------------------------------------------- bad folders


def test_a_folder_that_is_no_run_is_refused(tmp_path: Path) -> None:
    """And nothing is written into it."""
    with pytest.raises(UserError, match="is not a run folder"):
        write_report(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_damaged_files_are_named_together_and_the_old_report_is_kept(run_folder: RunFolder) -> None:
    """One message for all of them."""
    run = run_folder("binary")
    before = write_report(run).read_bytes()
    (run / "metrics.json").write_text("{", encoding="utf-8")
    (run / "record.parquet").write_bytes(b"no parquet")
    with pytest.raises(UserError, match="damaged") as refused:
        write_report(run)
    assert len(refused.value.problems) == 2
    assert (run / "report.html").read_bytes() == before
