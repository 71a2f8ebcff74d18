"""The page as a LaTeX document that compiles with pdflatex, xelatex or lualatex and amsmath."""

from __future__ import annotations

from collections.abc import Sequence

from workings.solutions.latex import Latex, given, rows_of, write
from workings.solutions.latex_signs import escaped
from workings.solutions.pages.plain import checked, value_of
from workings.solutions.rounding import Line
from workings.solutions.steps import Solution, Step
from workings.solutions.tables import grouped

_HEAD = r"""\documentclass[10pt,fleqn]{article}
\usepackage[a4paper,margin=20mm]{geometry}
\usepackage{iftex}
\ifPDFTeX\usepackage[utf8]{inputenc}\usepackage[T1]{fontenc}\fi
\usepackage{amsmath,amssymb}
\usepackage{graphicx}
\allowdisplaybreaks
\newsavebox{\formula}
\newcommand{\fitted}[1]{\sbox{\formula}{$\displaystyle #1$}\ifdim\wd\formula>.75\linewidth
\resizebox{.75\linewidth}{!}{\usebox{\formula}}\else\usebox{\formula}\fi}
\setlength{\parindent}{0pt}
\setlength{\emergencystretch}{4em}\sloppy
\setcounter{MaxMatrixCols}{40}
\setlength{\mathindent}{1.5em}
\AtBeginDocument{\setlength{\abovedisplayskip}{4pt}\setlength{\belowdisplayskip}{4pt}%
\setlength{\abovedisplayshortskip}{4pt}\setlength{\belowdisplayshortskip}{4pt}}
\begin{document}
"""

LONG = 150  # characters of LaTeX


def page(solution: Solution) -> str:
    """The whole document."""
    return document([solution])


def document(solutions: Sequence[Solution]) -> str:
    """Several pages, each beginning on a new one."""
    pages = "\n\\newpage\n".join(_page(each) for each in solutions)
    return "\n".join([_HEAD, pages, r"\end{document}", ""])


def _page(solution: Solution) -> str:
    out = [rf"\section*{{{escaped(solution.title)}}}", r"\begin{description}"]
    out += [rf"\item[{escaped(name)}] {escaped(fact)}" for name, fact in solution.facts]
    out += [r"\end{description}", escaped(solution.policy)]
    for i, step in enumerate(solution.steps):
        out += [rf"\section*{{{i + 1}\quad {escaped(step.title)}}}", *_body(step, solution.digits)]
        for j, child in enumerate(step.children):
            place = f" ({child.place})" if child.place and child.place != "loss" else ""
            out += [
                rf"\subsection*{{{i + 1}.{j + 1}\quad {escaped(child.title + place)}}}",
                *_body(child, solution.digits),
            ]
            for inner in child.children:
                out += [rf"\paragraph{{{escaped(inner.title)}}}", *_body(inner, solution.digits)]
    out += [rf"\par\bigskip\textbf{{{escaped(solution.verdict())}}}"] if solution.verdict() else []
    out += [rf"\par {escaped(f'{p.level.capitalize()}: {p.what}')}" for p in solution.problems]
    return "\n".join(out)


def _body(step: Step, digits: int) -> list[str]:
    out = [rf"\par {escaped(sentence)}" for sentence in step.intro]
    out += [rf"\[ {write(left, numbers=False)} = {write(right, numbers=False)} \]" for left, right in step.equations]
    out += [rf"\[ {given(group)} \]" for group in grouped(step.given)]
    if step.lines:
        rows = " \\\\[1ex]\n".join(_rows(line) for line in step.lines)
        out.append(f"\\begin{{align*}}\n{rows}\n\\end{{align*}}")
    told = [*(value_of(q, digits) for q in step.values), *step.remarks, *map(checked, step.checks)]
    if told:
        out += [
            r"\begin{itemize}\setlength{\itemsep}{0pt}",
            *(rf"\item {escaped(each)}" for each in told),
            r"\end{itemize}",
        ]
    return out


def _rows(line: Line) -> str:
    left = write(line.left, numbers=False)
    result = Latex().number(line.result_printed, None)
    numbers = rows_of(line.equation, numbers=True, digits=line.digits)
    parts = [rows_of(line.equation, numbers=False), *([numbers] if numbers != [result] else [])]
    parts.append([result + ("" if line.holds else r"\quad\textbf{FAILED}")])
    rows = [row if i == 0 else rf"\quad {row}" for part in parts for i, row in enumerate(map(_fitted, part))]
    signs = [sign for part in parts for sign in ("&= ", *["& "] * (len(part) - 1))]
    return " \\\\\n".join(
        (left if i == 0 else "") + sign + row for i, (sign, row) in enumerate(zip(signs, rows, strict=True))
    )


def _fitted(row: str) -> str:
    """A row that may be wider than the page is made smaller if it is: nothing is cut off."""
    return rf"\fitted{{{row}}}" if len(row) > LONG else row
