"""Parameters that get a gradient and are not in the optimiser, so they never move.

Statistic: how many; exact. Parameters of another optimiser (a discriminator's) move, and are not told.
"""

from __future__ import annotations

from workings.watching.findings.evidence import Evidence, Symptom, finite, first_of, of_names
from workings.watching.history import History


def _measure(history: History) -> Evidence | None:
    names = history.facts.get("not_in_optimiser")
    if not isinstance(names, list):
        return None
    return of_names([name for name in names if all(v == 0 for _, v in finite(history.of("update", str(name))))])


SYMPTOMS = (
    Symptom(
        "not-in-optimiser",
        "parameters that have a gradient, do not move and are not in the optimiser",
        _measure,
        1,
        "Exact: none where all were given to the optimiser.",
        "The optimiser does not have {names}: no step changes what they are.",
        "These layers stay as they were drawn at random.",
        "Give the optimiser all of them, torch.optim.Adam(model.parameters()), after the last layer was made; layers "
        "in plain lists are not found: use nn.ModuleList. What shall stay: parameter.requires_grad_(False).",
    ),
)
CODES = ("not-in-optimiser",)
look = first_of(SYMPTOMS)
