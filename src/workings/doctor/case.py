"""What cures may ask of a run, from the run itself."""

from __future__ import annotations

from workings.doctor.cures.cure import Case
from workings.doctor.patient import Patient
from workings.nets import registry
from workings.nets.registry import kind_of_samples
from workings.runs.recipe import Recipe

OWN_RULES = ("perceptron", "gan", "rbm")


def case_of(patient: Patient, recipe: Recipe) -> Case:
    """The case of a recipe on a patient's data."""
    train = patient.data.train
    known = recipe.net in registry.names()
    defaults = registry.settle(recipe.net, recipe.net_settings) if known else {}
    samples = kind_of_samples(tuple(train.shape), train.form)
    own_rule = recipe.net in OWN_RULES or (recipe.net == "dbn" and patient.task == "unsupervised")
    return Case(
        recipe,
        patient.task,
        recipe.net,
        {**defaults, **(recipe.net_settings if known else {})},
        len(train) // train.stride,
        samples == "image",
        samples == "table" and patient.dataset.kind == "table",
        not own_rule,
    )
