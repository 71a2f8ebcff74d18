"""Worked examples of textbooks and lecture notes, by the same rules as any net; errors in print shown as errors."""

from __future__ import annotations

from workings.solutions.examples import arithmetic, images, networks
from workings.solutions.examples.example import Example

EXAMPLES: dict[str, Example] = {
    each.name: each
    for each in sorted(
        (*arithmetic.ALL, *images.ALL, *networks.ALL),
        key=lambda e: (e.name[:1] != "W", int(e.name[1:]) if e.name[1:].isdigit() else 0),
    )
}


def example(name: str) -> Example:
    """An example by its name, W1 to W15 or mazur.

    Raises:
        UserError: there is none; the nearest is suggested.
    """
    from workings.base.errors import UserError
    from workings.base.problems import unknown_name

    found = {key.lower(): key for key in EXAMPLES}.get(name.lower())
    if found is None:
        raise UserError(unknown_name("example", name, list(EXAMPLES)))
    return EXAMPLES[found]
