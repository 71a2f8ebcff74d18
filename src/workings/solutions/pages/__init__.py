"""A solution as a page: plain text, Markdown, LaTeX, HTML, JSON; several of them on one sheet."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from workings.solutions.steps import Solution

FORMATS = ("text", "markdown", "latex", "html", "json")


def sheet(solutions: Sequence[Solution], kind: str, title: str = "", width: int = 100) -> str:
    """One or several pages under a title as one text, Markdown, LaTeX or HTML file. kind: of ``FORMATS``, but json.

    title: of the whole; not needed for one.
    """
    from workings.solutions.pages import markdown, plain, tex, web

    if kind == "text":
        return "\n\n".join(plain.page(each, width) for each in solutions)
    if kind == "markdown":
        return "\n---\n\n".join(markdown.page(each) for each in solutions)
    if kind == "latex":
        return tex.document(solutions)
    if kind == "html":
        return web.document(solutions, title)
    raise ValueError(kind)
