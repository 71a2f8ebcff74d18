"""The page in one HTML file: MathML, no script, light and dark, printable.

Pointing at a number lights up every place where the same number of the same tensor stands: by CSS alone, ``:has``.
The arithmetic of a step is one group that scrolls by itself where it is wider than the page, and is one stop of the
keyboard; formulas carry their plain text for readers that know no MathML.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from html import escape

from workings.solutions.expressions import Entry, Expr, Quantity
from workings.solutions.mathml import MathML, Origins, rows_of, write
from workings.solutions.pages.plain import checked, value_of
from workings.solutions.pages.style import STYLE
from workings.solutions.rounding import Line
from workings.solutions.rules.base import as_symbol
from workings.solutions.solving import label
from workings.solutions.steps import Solution, Step
from workings.solutions.tables import grouped, scalar, tables
from workings.solutions.text import write as write_text

_DEEPEST = 6  # of HTML's headings
_APART = '<mo>,</mo><mspace width="1em"/>'


def page(solution: Solution) -> str:
    """The whole file."""
    return document([solution])


def document(solutions: Sequence[Solution], title: str = "") -> str:
    """One or several pages in one file; several are parts under a title of their own."""
    made = [_Page(each, i, 1 if len(solutions) == 1 else 2) for i, each in enumerate(solutions)]
    head = title or solutions[0].title
    parts = [each.written() for each in made]
    lit, body = "".join(each.lit(part) for each, part in zip(made, parts, strict=True)), "".join(parts)
    if len(solutions) > 1:
        body = f"<h1>{escape(head)}</h1>{body}"
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(head)}</title>'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<style>{STYLE}{lit}</style></head><body><main>{body}</main></body></html>\n"
    )


class _Page:
    """One solution. part: its number on the sheet. top: the level of its heading."""

    def __init__(self, solution: Solution, part: int, top: int) -> None:
        self.solution, self.part, self.top = solution, part, top
        self.origins = Origins(f"p{part}n" if part else "n")

    def lit(self, written: str) -> str:
        """What lights up together: numbers that stand in two places or more."""
        uses = Counter(re.findall(rf'class="({self.origins.prefix}\d+)"', written))
        repeated = [name for name, count in uses.items() if count > 1]
        return "".join(f"body:has(.{name}:hover) .{name}{{background:var(--lit)}}" for name in repeated)

    def written(self) -> str:
        """The page without what is around it."""
        s = self.solution
        facts = "".join(f"<dt>{escape(name)}</dt><dd>{escape(fact)}</dd>" for name, fact in s.facts)
        kind = "failed" if s.failed else "ok"
        verdict = f'<p class="verdict {kind}">{escape(s.verdict())}</p>' if s.verdict() else ""
        body = "".join(self._step(step, str(i + 1), self.top + 1) for i, step in enumerate(s.steps))
        points = " Pointing at a number lights up where else it stands." if s.lines else ""
        told = "".join(f"<p>{escape(p.level.capitalize())}: {escape(p.what)}</p>" for p in s.problems)
        return (
            f"<article><h{self.top}>{escape(s.title)}</h{self.top}>"
            + (f"<dl>{facts}</dl>" if facts else "")
            + f'{verdict}<p class="soft">{escape(s.policy)}{points}</p>{told}{self._contents()}{body}</article>'
        )

    def _id(self, number: str) -> str:
        return f"s{self.part + 1}-{number.replace('.', '-')}"

    def _contents(self) -> str:
        """Where the parts of a long page are."""
        steps = self.solution.steps
        if self.top > 1 or sum(1 for _ in self.solution.walk()) < 12:
            return ""
        links = "".join(
            f'<li><a href="#{self._id(str(i + 1))}">{escape(s.title)}</a></li>' for i, s in enumerate(steps)
        )
        return f'<nav aria-label="Contents"><ol>{links}</ol></nav>'

    def _step(self, step: Step, number: str, level: int) -> str:
        """A step and those below it; numbered down to the second level."""
        deep = number.count(".") > 1
        place = (
            f' <span class="soft">{escape(step.place)}</span>' if step.place not in ("", "loss") and not deep else ""
        )
        tag, shown = f"h{min(level, _DEEPEST)}", "" if deep else f"{number} "
        below = "".join(self._step(each, f"{number}.{j + 1}", level + 1) for j, each in enumerate(step.children))
        head = f'<{tag} id="{self._id(number)}">{shown}{escape(step.title)}{place}</{tag}>'
        inside = head + self._body(step, number) + below
        return inside if "." in number else f"<section>{inside}</section>"

    def _body(self, step: Step, number: str) -> str:
        intro = "".join(f"<p>{escape(sentence)}</p>" for sentence in step.intro)
        maths = [self._equation(left, right) for left, right in step.equations]
        maths += [self._given(group) for group in grouped(step.given)]
        maths += [self._line(line) for line in step.lines]
        group = (
            f'<div class="scroll" role="group" tabindex="0" aria-labelledby="{self._id(number)}">{"".join(maths)}</div>'
            if maths
            else ""
        )
        told = [f"<li><code>{escape(value_of(q, self.solution.digits))}</code></li>" for q in step.values]
        told += [f"<li>{escape(remark)}</li>" for remark in step.remarks]
        told += [f'<li class="{"ok" if c.ok else "failed"}">{escape(checked(c))}</li>' for c in step.checks]
        return intro + group + (f'<ul class="told">{"".join(told)}</ul>' if told else "")

    def _equation(self, left: Expr, right: Expr) -> str:
        both = [write(each, self.origins, numbers=False) for each in (left, right)]
        said = " = ".join(write_text(each, numbers=False) for each in (left, right))
        return f"<div>{_math('<mo>=</mo>'.join(both), said)}</div>"

    def _given(self, group: list[Quantity]) -> str:
        how, parts, said = MathML(self.origins), [], []
        for q in group:
            name, number = write(as_symbol(q), self.origins, numbers=False), scalar(q)
            if number is not None:
                parts.append(f"{name}<mo>=</mo>{how.number(number, q[()])}")
                said.append(f"{label(q)} = {number.text}")
                continue
            for index, rows in tables(q):
                own = f"<msub>{name}<mtext>[{','.join(map(str, index))}]</mtext></msub>" if index else name
                cells = "".join(
                    f"<mtr>{''.join(f'<mtd>{how.number(n, None)}</mtd>' for n in row)}</mtr>" for row in rows
                )
                parts.append(f"{own}<mo>=</mo><mrow><mo>[</mo><mtable>{cells}</mtable><mo>]</mo></mrow>")
                said.append(f"{label(q)} = [{'; '.join(', '.join(n.text for n in row) for row in rows)}]")
        return f"<div>{_math(_APART.join(parts), ', '.join(said))}</div>"

    def _line(self, line: Line) -> str:
        origins = self.origins
        left = write(line.left, origins, numbers=False)
        own = line.left if isinstance(line.left, Entry) else None
        result = MathML(origins).number(line.result_printed, own)
        symbols = rows_of(line.equation, origins, numbers=False)
        numbers = rows_of(line.equation, origins, numbers=True, digits=line.digits)
        parts = [symbols, *([numbers] if _bare("".join(numbers)) != _bare(result) else []), [result]]
        rows: list[str] = []
        for part in parts:
            for i, written in enumerate(part):
                sign = "<mo>=</mo>" if i == 0 else '<mspace width="1.5em"/>'
                rows.append(_row("" if rows else left, sign + written))
        said = [write_text(line.left, numbers=False), write_text(line.equation, numbers=False)]
        said += [write_text(line.equation, numbers=True, digits=line.digits)] if len(parts) == 3 else []
        bad = "" if line.holds else f' <span class="failed">FAILED by {line.error:.1f} units</span>'
        inside = f'<mtable class="l">{"".join(rows)}</mtable>'
        return f'<div class="line">{_math(inside, " = ".join([*said, line.result_printed.text]))}{bad}</div>'


def _row(left: str, right: str) -> str:
    return f"<mtr><mtd>{left}</mtd><mtd>{right}</mtd></mtr>"


def _bare(written: str) -> str:
    return re.sub(r"<[^>]*>", "", written)


def _math(inside: str, said: str) -> str:
    return f'<math displaystyle="true" alttext="{escape(said)}">{inside}</math>'
