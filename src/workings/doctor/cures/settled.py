"""What a person set, derived from the data instead: each setting alone, then all of them.

The recipe knows which values were given and which were derived. A given value is where a mistake can have been made;
deriving it anew shows whether it was one.
"""

from __future__ import annotations

from workings.doctor.cures.cure import Case, Cure

# The setting, the cause that is shown if it does better without, and in which way it would be wrong.
MEANS: dict[str, str] = {
    "schedule": "oscillating",
    "warmup": "oscillating",
    "average": "underfitting",
    "epochs": "underfitting",
    "patience": "underfitting",
    "initialisation": "bad-start",
    "activation": "vanishing-gradient",
    "hidden": "underfitting",
    "widths": "underfitting",
    "channels": "underfitting",
    "width": "underfitting",
    "units": "underfitting",
    "code": "underfitting",
    "embedding": "underfitting",
    "layers": "underfitting",
    "dropout": "over-regularised",
    "noise": "over-regularised",
    "word_dropout": "over-regularised",
    "l1": "over-regularised",
    "l2": "over-regularised",
    "weight_decay": "over-regularised",
    "label_smoothing": "over-regularised",
    "augmentation": "over-regularised",
    "k": "rbm-rate",
    "size": "underfitting",
}
CAUSES = tuple(dict.fromkeys(MEANS.values()))
KEPT = {"data", "target", "test", "task", "on_bad_file", "data_options", "test_fraction", "val_fraction", "net", "seed"}
KEPT |= {"unlabelled", "threads", "watch", "baselines", "report", "reasons", "schema_version", "lane", "net_settings"}
KEPT |= {"checkpoint_seconds", "minutes", "prepare", "keep_best", "monitor", "shuffle"}


def cures(case: Case) -> list[Cure]:
    """Each given setting alone, then all."""
    names = [*case.recipe.net_settings, *(name for name in type(case.recipe).model_fields if name not in KEPT)]
    given = [name for name in names if case.given(name)]
    reason = "derived from the data, as it is where nobody says otherwise"
    found = [
        Cure(f"{name.replace('_', ' ')} from the data", MEANS[name], reason, unset=(name, *case.measured))
        for name in given
        if name in MEANS
    ]
    every = tuple(name for name in given if name not in ("epochs", "patience"))  # as long as it was
    if len(every) > 1:
        found.append(Cure("everything from the data", "", reason, unset=every))
    return found
