"""Other first weights: what suits the activation. Sources: He et al. 2015; Glorot and Bengio 2010; Saxe et al. 2014."""

from __future__ import annotations

from workings.doctor.cures.cure import Case, Cure
from workings.learning.init import suited

CAUSES = ("bad-start",)
RECURRENT = ("rnn", "gru", "lstm", "encoder-decoder")
OWN = ("transformer-encoder", "gpt", "transformer", "autoencoder", "vae", "gan", "rbm", "dbn")


def cures(case: Case) -> list[Cure]:
    """What suits the activation; each layer's own for nets that know better; orthogonal for recurrent ones."""
    now = case.recipe.initialisation
    if now is None or case.net == "perceptron":
        return []
    wanted = []
    if case.net in (*RECURRENT, *OWN):
        wanted.append(("own", "each layer draws its weights as its equations want"))
    elif case.net == "vgg":
        wanted.append(("torch_default", "the identity is then written over most filters"))
    else:
        wanted.append(suited(str(case.net_settings.get("activation", "relu"))))
    if case.net in RECURRENT:
        wanted.append(("orthogonal", "states keep their length from step to step"))
    elif case.net not in OWN and now != "xavier_uniform":
        wanted.append(("xavier_uniform", "2/(n_in + n_out) keeps the variance both ways"))
    return [
        Cure(f"first weights: {name}", "bad-start", reason, {"initialisation": name}, unset=case.measured)
        for name, reason in dict(wanted).items()
        if name != now
    ]
