"""Pages: read anywhere, by anyone. What needs a browser or LaTeX is looked at beside, in the benchmarks."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import pytest
from tests.solutions.pages_made import NAMES, made

from workings.solutions.latex_signs import escaped, maths
from workings.solutions.pages import sheet
from workings.solutions.pages.style import DARK, LIGHT
from workings.solutions.text import write as write_text

ENOUGH = 4.5  # of contrast, WCAG 2.2 level AA
_EMPTY = {"meta", "mspace", "br"}


class _Tree(HTMLParser):
    """What a check of a page needs: the tags in order, with attributes, and whether they close."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.feed(page)
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in _EMPTY:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def of(self, tag: str) -> list[dict[str, str | None]]:
        """The attributes of all of a kind."""
        return [attrs for name, attrs in self.tags if name == tag]


@pytest.mark.parametrize("name", NAMES)
def test_a_page_can_be_read_without_eyes_without_a_mouse_and_without_a_script(name: str) -> None:
    """Language, one main part, headings that skip no level, names for all groups, text for all formulas."""
    page = made(name).to_html()
    tree = _Tree(page)
    assert tree.of("html") == [{"lang": "en"}]
    assert len(tree.of("main")) == len(tree.of("h1")) == len(tree.of("title")) == 1
    levels = [int(tag[1]) for tag, _ in tree.tags if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert all(below <= above + 1 for above, below in pairwise(levels))
    ids = [attrs["id"] for _, attrs in tree.tags if "id" in attrs]
    assert len(ids) == len(set(ids))
    assert all(attrs["href"].removeprefix("#") in ids for attrs in tree.of("a") if attrs["href"])
    assert all(attrs.get("alttext") for attrs in tree.of("math"))
    groups = [attrs for _, attrs in tree.tags if "tabindex" in attrs]
    assert all(g["tabindex"] == "0" and g["role"] == "group" and g["aria-labelledby"] in ids for g in groups)
    assert not tree.of("script")
    assert not re.search(r"\b(src|href)=\"(?!#)|url\(|@import|\bon\w+=", page)


@pytest.mark.parametrize("name", ["W13", "backpropagation", "net-cnn"])
def test_every_number_that_stands_twice_lights_up_with_its_like_and_no_other(name: str) -> None:
    """A rule for each class that is used twice; one class for one number of one tensor."""
    page = made(name).to_html()
    marks = re.findall(r'<mrow class="(n\d+)">(.*?)</mrow>', page)
    used: dict[str, set[str]] = {}
    for mark, inside in marks:
        used.setdefault(mark, set()).add(re.sub("<[^>]*>", "", inside))
    rules = re.findall(r"body:has\(\.(n\d+):hover\) \.(n\d+)\{", page)
    assert {a for a, _ in rules} == {m for m in used if sum(m == each for each, _ in marks) > 1}
    assert all(a == b for a, b in rules)
    for said in used.values():  # one number, printed with more digits here and fewer there
        numbers = [float(x.replace("−", "-")) for x in said if "·" not in x and "1" not in x[-1:]]
        assert not numbers or max(numbers) - min(numbers) <= 0.011 * max(map(abs, numbers))


def _light(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    r, g, b = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * r + 0.7152 * g + 0.0722 * b


def _contrast(a: str, b: str) -> float:
    high, low = sorted((_light(a), _light(b)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])
def test_every_colour_of_writing_can_be_told_from_what_is_behind_it(colours: dict[str, str]) -> None:
    """By the formula of WCAG 2.2."""
    assert _contrast("#000000", "#ffffff") == pytest.approx(21)
    for name in ("ink", "soft", "good", "bad", "link"):
        assert _contrast(colours[name], colours["paper"]) >= ENOUGH, name
    assert _contrast(colours["ink"], colours["lit"]) >= ENOUGH
    assert _contrast(colours["lit"], colours["paper"]) >= 1.2


@pytest.mark.parametrize("name", NAMES)
def test_latex_has_only_signs_that_pdflatex_knows_and_every_bracket_closes(name: str) -> None:
    """What a compiler would stop at, without one."""
    page = made(name).to_latex()
    beyond = {c for c in page if ord(c) > 0x17F}
    assert beyond <= set("–—‘’“”„…•"), beyond
    bare = re.sub(r"\\\\|\\[{}$%&#_]", "", page)
    assert bare.count("{") == bare.count("}")
    depth = 0
    for c in bare:
        depth += (c == "{") - (c == "}")
        assert depth >= 0
    opened: list[str] = []
    for kind, what in re.findall(r"\\(begin|end)\{(\w+\*?)\}", page):
        if kind == "begin":
            opened.append(what)
        else:
            assert opened.pop() == what
    assert not opened
    assert bare.count("$") % 2 == 0
    assert page.count(r"\left") - page.count(r"\leftarrow") == page.count(r"\right") - page.count(r"\rightarrow")
    assert not re.search(r"\^\{[^{}]*\}\s*\^", page)  # a double superscript


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_latex_compiles_and_nothing_reaches_over_the_margin(name: str, tmp_path: Path) -> None:
    """By pdflatex itself, where it is installed."""
    if shutil.which("pdflatex") is None:
        pytest.skip("needs pdflatex (Debian: texlive-latex-recommended, texlive-fonts-recommended)")
    (tmp_path / "page.tex").write_text(made(name).to_latex(), encoding="utf-8")
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "page.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, errors="replace", check=False)
    assert done.returncode == 0, [line for line in done.stdout.splitlines() if line.startswith("!")]
    log = (tmp_path / "page.log").read_text(errors="replace")
    assert "Missing character" not in log
    too_wide = [float(pt) for pt in re.findall(r"Overfull \\hbox \(([\d.]+)pt", log)]
    assert not [pt for pt in too_wide if pt > 5]


def test_prose_for_latex_loses_nothing() -> None:
    """Signs become maths, indices are put together, what a font has not becomes its code point."""
    assert escaped("100 % of a_b & {c}") == r"100 \% of a\_b \& \{c\}"
    assert escaped("a⁽¹⁾ − m̂₂") == r"a$^{(1)}$ $-$ $\hat{m}$$_{2}$"
    assert escaped("数") == r"\texttt{U+6570}"
    assert maths("∂L/∂") == r"\partial L/\partial "
    assert escaped("é") == "é"


@pytest.mark.parametrize("name", ["W13", "net-lstm", "attention"])
def test_every_form_of_a_page_has_the_same_lines(name: str) -> None:
    """Text, Markdown, LaTeX, HTML and JSON differ in notation alone."""
    solution = made(name)
    text, data = solution.to_text(200), solution.to_dict()
    lines = solution.lines
    assert len(re.findall(r'<div class="line">', solution.to_html())) == len(lines)
    assert solution.to_markdown().count(r"\begin{aligned}") == len(lines)
    blocks = re.findall(r"\\begin\{align\*\}(.*?)\\end\{align\*\}", solution.to_latex(), re.DOTALL)
    assert sum(block.count(r"\\[1ex]") + 1 for block in blocks) == len(lines)
    steps = json.dumps(data, ensure_ascii=False)
    for line in lines:
        said = f"{write_text(line.left, numbers=False)} = {write_text(line.equation, numbers=False)}"
        assert re.sub(r"\s", "", said) in re.sub(r"\s", "", text)
        assert json.dumps(write_text(line.equation, numbers=False), ensure_ascii=False) in steps


def test_a_sheet_of_several_pages_is_one_file_in_which_each_has_its_own_numbers() -> None:
    """Ids and lights of one page do not reach into another."""
    page = sheet([made("lstm"), made("gru"), made("W13")], "html", "Three")
    tree = _Tree(page)
    assert len(tree.of("h1")) == 1
    assert len(tree.of("article")) == 3
    ids = [attrs["id"] for _, attrs in tree.tags if "id" in attrs]
    assert len(ids) == len(set(ids))
    articles = page.split("<article>")[1:]
    classes = [set(re.findall(r'class="((?:p\d+)?n\d+)"', article)) for article in articles]
    assert not classes[0] & classes[1]
    assert not classes[1] & classes[2]
    tex = sheet([made("lstm"), made("gru")], "latex")
    assert tex.count(r"\documentclass") == tex.count(r"\end{document}") == tex.count(r"\newpage") == 1


def test_a_notebook_shows_the_page() -> None:
    """The formats that notebooks ask for; the question of an exercise, not its answer."""
    from workings.solutions.exercises import exercise

    solution = made("mazur")
    bundle = solution._repr_mimebundle_()
    assert bundle == {
        "text/plain": solution.to_text(), "text/markdown": solution.to_markdown(), "text/html": solution.to_html()
    }  # fmt: skip
    asked = exercise("softmax")
    assert "Answers" not in "".join(asked._repr_mimebundle_().values())
    assert "Answers" in str(asked.solve())


def test_the_well_known_two_two_two_page_has_its_published_figures_and_says_what_differs() -> None:
    """Errors before and after, w₅ and w₁; that the biases stay; that one figure in print used weights that were new."""
    page = made("mazur").to_text(120)
    for figure in ("0.298371109", "0.35891648", "0.149780716", "0.291027924"):
        assert f"printed {figure}, " in page
    assert "The biases are not updated" in page
    assert "ERRATUM  total error after: printed 0.291027924, but it is 0.2910277737" in page
    assert "DOES NOT AGREE" not in page
