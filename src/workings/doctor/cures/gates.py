"""Gated cells for plain recurrent ones. Sources: Hochreiter and Schmidhuber 1997 (LSTM); Cho et al. 2014 (GRU)."""

from __future__ import annotations

from workings.doctor.cures.cure import Case, Cure

CAUSES = ("forgetting-gradient", "vanishing-gradient", "exploding-gradient")
SHARED = ("embedding", "width", "layers", "bidirectional", "dropout", "word_dropout", "pooling", "cell", "truncate")


def cures(case: Case) -> list[Cure]:
    """A GRU and an LSTM of the same width for a plain recurrent net."""
    if case.net != "rnn":
        return []
    kept = {name: value for name, value in case.recipe.net_settings.items() if name in SHARED}
    reason = "its state is added to rather than rewritten, so gradients last over many steps"
    return [
        Cure(
            f"{name.upper()} for the plain recurrent net",
            "forgetting-gradient",
            reason,
            {"net": name, "net_settings": kept, "initialisation": "own"},
        )
        for name in ("gru", "lstm")
    ]
