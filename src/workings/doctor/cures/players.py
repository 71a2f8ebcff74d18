"""An adversarial net whose players are matched: a penalty on the discriminator's slope, usual rates.

Sources: Mescheder, Geiger, Nowozin 2018 (R1); Miyato et al. 2018 (spectral norm); Gulrajani et al. 2017 (WGAN-GP).
"""

from __future__ import annotations

from workings.doctor.cures.cure import Case, Cure

CAUSES = ("mode-collapse", "discriminator-wins")
ANEW = ("learning_rate", "optimiser", "optimiser_settings", "momentum", "average")


def cures(case: Case) -> list[Cure]:
    """The R1 penalty with its rates; spectral norm; WGAN-GP; the usual rates."""
    if case.net != "gan":
        return []
    found = []
    penalty = case.net_settings.get("penalty")
    given = tuple(name for name in ANEW if case.given(name))
    reason = "a discriminator without steep places gives the generator a way to go"
    if penalty != "r1" or case.given("penalty_strength"):
        unset = (*dict.fromkeys((*given, "penalty_strength")), "learning_rate")
        found.append(Cure("R1 penalty", "discriminator-wins", reason, net={"penalty": "r1"}, unset=unset))
    if given:
        found.append(
            Cure("usual rates of both players", "discriminator-wins", "neither outruns the other", unset=given)
        )
    if int(case.net_settings.get("discriminator_steps", 1)) > 1:
        net = {"discriminator_steps": 1}
        found.append(Cure("turn by turn", "discriminator-wins", "neither player gets ahead", net=net))
    if not case.net_settings.get("spectral"):
        found.append(Cure("spectral norm", "mode-collapse", reason, net={"spectral": True}))
    if penalty != "wgan-gp":
        net = {"penalty": "wgan-gp"}
        unset = ("learning_rate", "penalty_strength")
        found.append(Cure("WGAN with gradient penalty", "mode-collapse", reason, net=net, unset=unset))
    return found
