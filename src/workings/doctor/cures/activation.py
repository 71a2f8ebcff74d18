"""Another activation: of the ReLU family for what saturates or is linear, leaky where units died.

Sources: Glorot, Bordes, Bengio 2011 (ReLU); Maas et al. 2013 (leaky ReLU); Clevert et al. 2016 (ELU).
"""

from __future__ import annotations

from workings.doctor.cures.cure import Case, Cure

CAUSES = ("vanishing-gradient", "saturated", "dead-relu", "no-nonlinearity")
BOUNDED = ("sigmoid", "tanh", "softmax", "step")


def cures(case: Case) -> list[Cure]:
    """ReLU for a bounded or linear activation, tanh for sigmoid; leaky ReLU and ELU for ReLU."""
    now = case.net_settings.get("activation")
    if now is None or case.net in ("rnn", "vae"):
        return []
    anew = ("initialisation",) if case.recipe.initialisation not in (None, "own", "torch_default") else ()
    anew = (*anew, *case.measured)
    found = []
    if now in BOUNDED or now == "linear":
        shows = "no-nonlinearity" if now == "linear" else "saturated" if now == "softmax" else "vanishing-gradient"
        reason = "its slope is 1 wherever it is active, so gradients keep their size through depth"
        found.append(Cure("ReLU with He's start", shows, reason, net={"activation": "relu"}, unset=anew))
        if now == "sigmoid":
            reason = "centred on zero and steeper than the sigmoid"
            found.append(Cure("tanh for sigmoid", "saturated", reason, net={"activation": "tanh"}, unset=anew))
    if now == "relu":
        reason = "a unit that gave 0 for everything still has a slope, and can come back"
        found.append(Cure("leaky ReLU", "dead-relu", reason, net={"activation": "leaky_relu"}))
        found.append(Cure("ELU", "dead-relu", reason, net={"activation": "elu"}))
    return found
