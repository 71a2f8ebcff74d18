"""The optimiser that suits the net, with its own usual settings. Source: Schmidt, Schneider, Hennig 2021."""

from __future__ import annotations

from workings.doctor.cures.cure import Case, Cure

CAUSES = ("oscillating", "rate-too-low", "plateau", "vanishing-gradient", "discriminator-wins", "mode-collapse")


def cures(case: Case) -> list[Cure]:
    """Derived anew where a person gave it, with rate and momentum; AdamW for plain descent."""
    anew = ("optimiser_settings", "momentum", "learning_rate", "weight_decay")
    shows = "rate-too-low"
    found = []
    if any(case.given(name) for name in ("optimiser", "momentum", "optimiser_settings")):
        reason = "the usual one for this net, with its usual rate"
        found.append(Cure("optimiser from the data", shows, reason, unset=("optimiser", *anew)))
    if case.recipe.optimiser == "sgd" and case.gradient and case.net != "perceptron":
        reason = "it scales each weight's step by how large its gradients were"
        found.append(Cure("AdamW", shows, reason, {"optimiser": "adamw"}, unset=anew))
    return found
