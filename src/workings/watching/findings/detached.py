"""Parameters that no gradient reaches: the graph is cut before them (detach, .data, numpy, no_grad).

Statistic: how many parameters of the optimiser require a gradient and never had one, though their module takes part in
the forward pass; exact. Layers that are there and not used are healthy.
"""

from __future__ import annotations

from workings.watching.findings.evidence import Evidence, Symptom, first_of, of_names
from workings.watching.history import History


def used(history: History, name: str) -> bool:
    """Whether forward passes use the parameter's module, as far as is seen: an operation was seen in it."""
    path = name.rpartition(".")[0]
    seen = {where.split("·")[0] for where in history.order if "·" in where}
    return not path or not seen or path in seen


def _measure(history: History) -> Evidence | None:
    given = history.facts.get("no_gradient")
    names = [str(name) for name in given if used(history, str(name))] if isinstance(given, list) else []
    return of_names(names)


SYMPTOMS = (
    Symptom(
        "detached",
        "parameters of the optimiser that never had a gradient",
        _measure,
        1,
        "Exact: none where the graph is whole and every layer is used.",
        "No gradient ever reaches {names}.",
        "These layers stay as they were drawn at random.",
        "Look for .detach(), .data, .item(), torch.no_grad() or numpy between them and the loss.",
    ),
)
CODES = ("detached",)
look = first_of(SYMPTOMS)
