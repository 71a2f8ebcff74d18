"""A variational autoencoder whose code is used: a weaker pull to the prior at first, or some of it for nothing.

Sources: Bowman et al. 2016 (annealing); Kingma et al. 2016 (free bits); Higgins et al. 2017 (β).
"""

from __future__ import annotations

from workings.doctor.cures.cure import Case, Cure

CAUSES = ("posterior-collapse",)


def cures(case: Case) -> list[Cure]:
    """β of 1 where it was more, free bits, annealing."""
    if case.net != "vae":
        return []
    found = []
    if float(case.net_settings.get("beta", 1.0)) != 1:
        reason = "with 1 the bound is one on the likelihood itself"
        found.append(Cure("β = 1", "posterior-collapse", reason, net={"beta": 1.0}))
    if not case.net_settings.get("free_bits"):
        reason = "each unit may tell a little without being pulled to the prior"
        found.append(Cure("free bits", "posterior-collapse", reason, net={"free_bits": 0.1}))
    if not case.net_settings.get("annealing"):
        steps = max(1, round(case.n / _batch(case) * (case.recipe.epochs or 1) / 4))
        reason = "the code is learnt before it is pulled to the prior"
        found.append(Cure("β rising from 0", "posterior-collapse", reason, net={"annealing": steps}))
    return found


def _batch(case: Case) -> int:
    given = case.recipe.batch_size
    return case.n if given in ("all", None) else min(int(given), case.n)
