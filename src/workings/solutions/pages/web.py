"""The page in one HTML file: MathML, no script, light and dark, printable.

Pointing at a number lights up every place where the same number of the same tensor stands: by CSS alone, ``:has``.
"""

from __future__ import annotations

import re
from html import escape

from workings.solutions.expressions import Entry
from workings.solutions.mathml import MathML, Origins, rows_of, write
from workings.solutions.pages.plain import checked, value_of
from workings.solutions.rounding import Line
from workings.solutions.steps import Solution, Step

_STYLE = """
:root{color-scheme:light dark;--ink:#1c2024;--soft:#5b6470;--paper:#fff;--line:#d9dee4;--good:#0a6b3d;--bad:#b3261e;
--lit:#ffe08a}
@media(prefers-color-scheme:dark){:root{--ink:#e6e9ec;--soft:#a3adb8;--paper:#14171a;--line:#343b43;--good:#63d297;
--bad:#ff8a80;--lit:#6a5200}}
body{font:16px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--paper);max-width:60rem;margin:0 auto;
padding:1.5rem 1rem 4rem}
h1{font-size:1.6rem;line-height:1.25}h2{font-size:1.25rem;border-bottom:1px solid var(--line);margin-top:2.2rem}
h3{font-size:1.05rem;margin:1.6rem 0 .3rem}h4{font-size:1rem;margin:1rem 0 .2rem}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.15rem 1rem}dt{color:var(--soft)}dd{margin:0}
.place,.told{color:var(--soft);font-size:.9rem}.told{padding-left:1.2rem;margin:.3rem 0}
.scroll{overflow-x:auto;overflow-y:hidden;padding:.15rem 0}math{font-size:1.05rem}
.line{margin:.35rem 0}.line td{padding:.08rem .3rem;vertical-align:middle}
.ok{color:var(--good)}.failed{color:var(--bad);font-weight:bold}
code{font-size:.9rem;overflow-wrap:anywhere}
.verdict{border:1px solid var(--line);border-radius:.4rem;padding:.6rem .9rem}
@media print{body{max-width:none}h2,h3{break-after:avoid}.line{break-inside:avoid}}
"""


def page(solution: Solution) -> str:
    """The whole file."""
    origins = Origins()
    body: list[str] = []
    for i, step in enumerate(solution.steps):
        body.append(f"<section><h2>{i + 1} {escape(step.title)}</h2>{_body(step, solution.digits, origins)}")
        for j, child in enumerate(step.children):
            place = f' <span class="place">{escape(child.place)}</span>' if child.place not in ("", "loss") else ""
            body.append(
                f"<h3>{i + 1}.{j + 1} {escape(child.title)}{place}</h3>{_body(child, solution.digits, origins)}"
            )
            body += [
                f"<h4>{escape(inner.title)}</h4>{_body(inner, solution.digits, origins)}" for inner in child.children
            ]
        body.append("</section>")
    lit = "".join(
        f"body:has(.{c}:hover) .{c},".removesuffix(",") + "{background:var(--lit)}" for c in origins.repeated()
    )
    facts = "".join(f"<dt>{escape(name)}</dt><dd>{escape(fact)}</dd>" for name, fact in solution.facts)
    kind = "failed" if solution.failed else "ok"
    told = "".join(f"<p>{escape(p.level.capitalize())}: {escape(p.what)}</p>" for p in solution.problems)
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(solution.title)}</title>'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<style>{_STYLE}{lit}</style></head><body><main><h1>{escape(solution.title)}</h1><dl>{facts}</dl>"
        f'<p class="verdict {kind}">{escape(solution.verdict())}</p>'
        f'<p class="told">{escape(solution.policy)} Pointing at a number lights up where else it stands.</p>'
        f"{told}{''.join(body)}</main></body></html>\n"
    )


def _body(step: Step, digits: int, origins: Origins) -> str:
    out = []
    for left, right in step.equations:
        both = [write(each, origins, numbers=False) for each in (left, right)]
        out.append(f'<div class="scroll">{_math("<mo>=</mo>".join(both))}</div>')
    out += [_line(line, origins) for line in step.lines]
    told = [f"<li><code>{escape(value_of(q, digits))}</code></li>" for q in step.values]
    told += [f"<li>{escape(remark)}</li>" for remark in step.remarks]
    told += [f'<li class="{"ok" if c.ok else "failed"}">{escape(checked(c))}</li>' for c in step.checks]
    return "".join(out) + (f'<ul class="told">{"".join(told)}</ul>' if told else "")


def _line(line: Line, origins: Origins) -> str:
    left = write(line.left, origins, numbers=False)
    own = line.left if isinstance(line.left, Entry) else None
    result = MathML(origins).number(line.result_printed, own)
    symbols = rows_of(line.equation, origins, numbers=False)
    numbers = rows_of(line.equation, origins, numbers=True, digits=line.digits)
    parts = [symbols, *([numbers] if _bare("".join(numbers)) != _bare(result) else []), [result]]
    rows: list[str] = []
    for part in parts:
        for i, written in enumerate(part):
            sign = "<mo>=</mo>" if i == 0 else "<mspace width='1.5em'/>"
            rows.append(_row("" if rows else left, sign + written))
    bad = "" if line.holds else f' <span class="failed">FAILED by {line.error:.1f} units</span>'
    return f'<div class="scroll line">{_math("<mtable>" + "".join(rows) + "</mtable>")}{bad}</div>'


def _row(left: str, right: str) -> str:
    return f'<mtr><mtd style="text-align:right">{left}</mtd><mtd style="text-align:left">{right}</mtd></mtr>'


def _bare(written: str) -> str:
    return re.sub(r"<[^>]*>", "", written)


def _math(inside: str) -> str:
    return f'<math displaystyle="true">{inside}</math>'
