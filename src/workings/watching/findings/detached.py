"""Parameters that no gradient reaches: the graph is cut before them (detach, .data, numpy, no_grad).

Statistic: how many parameters of the optimiser require a gradient and never had one; exact.
"""

from __future__ import annotations

from workings.watching.findings.evidence import Evidence, Symptom, first_of
from workings.watching.history import History


def _measure(history: History) -> Evidence | None:
    names = history.facts.get("no_gradient")
    if not isinstance(names, list) or not names:
        return None
    n = float(len(names))
    said = ", ".join(f"'{name}'" for name in names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
    return Evidence(n, n, n, 0, str(names[0]), (), {"names": said})


SYMPTOMS = (
    Symptom(
        "detached",
        "parameters of the optimiser that never had a gradient",
        _measure,
        1,
        "Exact: none where the graph is whole and every layer is used.",
        "No gradient ever reaches {names}.",
        "These layers stay as they were drawn at random.",
        "Look for .detach(), .data, .item(), torch.no_grad() or numpy between them and the loss; leave out layers that "
        "forward does not use.",
    ),
)
CODES = ("detached",)
look = first_of(SYMPTOMS)
