"""The page as a LaTeX document that compiles with pdflatex, xelatex or lualatex and amsmath."""

from __future__ import annotations

from collections.abc import Sequence

from workings.solutions.latex import Latex, escaped, given, write
from workings.solutions.pages.plain import checked, value_of
from workings.solutions.rounding import Line
from workings.solutions.steps import Solution, Step
from workings.solutions.tables import grouped

_HEAD = r"""\documentclass[10pt]{article}
\usepackage[a4paper,margin=20mm]{geometry}
\usepackage{iftex}
\ifPDFTeX\usepackage[utf8]{inputenc}\usepackage[T1]{fontenc}\fi
\usepackage{amsmath,amssymb}
\allowdisplaybreaks
\setlength{\parindent}{0pt}
\setcounter{MaxMatrixCols}{40}
\begin{document}
"""


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
    out += [rf"\bigskip\textbf{{{escaped(solution.verdict())}}}"] if solution.verdict() else []
    out += [rf"\par {escaped(f'{p.level.capitalize()}: {p.what}')}" for p in solution.problems]
    return "\n".join(out)


def _body(step: Step, digits: int) -> list[str]:
    out = [rf"\par {escaped(sentence)}" for sentence in step.intro]
    out += [rf"\[ {write(left, numbers=False)} = {write(right, numbers=False)} \]" for left, right in step.equations]
    out += [rf"\[ {given(group)} \]" for group in grouped(step.given)]
    out += [_block(line) for line in step.lines]
    told = [*(value_of(q, digits) for q in step.values), *step.remarks, *map(checked, step.checks)]
    if told:
        out += [
            r"\begin{itemize}\setlength{\itemsep}{0pt}",
            *(rf"\item {escaped(each)}" for each in told),
            r"\end{itemize}",
        ]
    return out


def _block(line: Line) -> str:
    left = write(line.left, numbers=False)
    result = Latex().number(line.result_printed, None) + ("" if line.holds else r"\quad\textbf{FAILED}")
    numbers = write(line.equation, numbers=True, digits=line.digits)
    rows = [_broken(f"{left} &= ", write(line.equation, numbers=False))]
    rows += [_broken("&= ", numbers)] if numbers != Latex().number(line.result_printed, None) else []
    return "\\begin{align*}\n" + " \\\\\n".join([*rows, f"&= {result}"]) + "\n\\end{align*}"


def _broken(head: str, body: str) -> str:
    """A long sum over several rows, cut between its terms where no bracket is open."""
    rows, row, depth, shown = [], "", 0, 0
    pieces = body.split(" + ")
    for i, piece in enumerate(pieces):
        joined = piece if i == 0 else f" + {piece}"
        if depth == 0 and shown > 60 and i:
            rows.append(row)
            row, shown = r"{}+ " + piece, 0
        else:
            row += joined
        shown += len(piece.replace("\\left", "").replace("\\right", "").replace("\\cdot", "·"))
        depth += piece.count("{") - piece.count("}") + piece.count(r"\left") - piece.count(r"\right")
    return head + " \\\\\n&\\quad ".join([*rows, row])
