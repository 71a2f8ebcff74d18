"""Cures: every one can be read, applied, and belongs to a cause that has a name."""

from __future__ import annotations

from dataclasses import replace
from importlib import import_module

import pytest
from tests.doctor.make import finding

from workings.base.events import silent
from workings.base.form import Form
from workings.data.schema import TaskKind
from workings.doctor.causes import BEHIND, BEYOND, NAMES, candidates, cures_for, shown
from workings.doctor.cures import MODULES, every
from workings.doctor.cures.cure import Case, Cure
from workings.nets import registry
from workings.runs.recipe import Recipe, make_recipe
from workings.runs.settle import Facts, settle
from workings.watching import findings

NETS: list[tuple[str, tuple[int, ...], TaskKind, int]] = [
    ("mlp", (8,), "binary", 1),
    ("mlp", (8,), "regression", 1),
    ("maxout", (8,), "multiclass", 3),
    ("cnn", (1, 16, 16), "multiclass", 10),
    ("vgg", (3, 16, 16), "multiclass", 10),
    ("resnet", (3, 16, 16), "multiclass", 10),
    ("autoencoder", (8,), "unsupervised", 8),
    ("vae", (8,), "unsupervised", 8),
    ("gan", (8,), "unsupervised", 8),
    ("rbm", (1, 8, 8), "unsupervised", 64),
]


def case(net: str, shape: tuple[int, ...], task: TaskKind, outputs: int, **given: object) -> Case:
    """The case of a settled recipe."""
    counts = [500 // outputs] * outputs if task == "multiclass" else [250, 250] if task == "binary" else []
    facts = Facts(500, 100, shape, task, outputs, counts, Form())
    recipe = settle(make_recipe({"net": net, "learning_rate": 0.01, **given}), facts, silent)
    settings = registry.settle(net, recipe.net_settings)
    gradient = net not in ("gan", "rbm")
    return Case(recipe, task, net, settings, 500, len(shape) == 3, len(shape) == 1, gradient)


@pytest.mark.parametrize(("net", "shape", "task", "outputs"), NETS)
def test_every_cure_changes_the_recipe_into_one_that_can_be_settled(
    net: str, shape: tuple[int, ...], task: TaskKind, outputs: int
) -> None:
    """It differs from what it was, says in which settings, and the net can be made."""
    one = case(net, shape, task, outputs)
    facts = Facts(500, 100, shape, task, outputs, [250, 250] if task == "binary" else [], Form())
    cures = every(one)
    assert cures
    for cure in cures:
        changed = cure.apply(one.recipe)
        again = settle(changed, facts, silent)
        assert again.model_dump(exclude={"reasons"}) != one.recipe.model_dump(exclude={"reasons"}), cure.name
        registry.build(again.net, shape, outputs, Form(), **registry.settle(again.net, again.net_settings))
        assert cure.told()
        assert cure.reason
        assert cure.shows == "" or cure.shows in NAMES


def test_every_code_that_may_be_told_has_causes_or_is_beyond_a_recipe() -> None:
    """So that no finding leaves a person without a next step."""
    assert not {*findings.codes()} - {*BEHIND} - {*BEYOND}


def test_every_cause_that_is_asked_after_has_words_and_a_cure() -> None:
    """A cause that nothing could show would never be named."""
    asked = {cause for causes in BEHIND.values() for cause in causes}
    helped = {code for name in MODULES for code in import_module(f"workings.doctor.cures.{name}").CAUSES}
    assert not asked - {*NAMES}
    assert not asked - helped


def test_what_is_derived_from_a_value_changes_with_it() -> None:
    """A weight decay that is changed reaches the optimiser; class weights reach the loss."""
    one = case("mlp", (8,), "binary", 1)
    facts = Facts(500, 100, (8,), "binary", 1, [450, 50], Form())
    decayed = settle(Cure("", "", "why", {"weight_decay": 0.25}).apply(one.recipe), facts, silent)
    assert decayed.optimiser_settings["weight_decay"] == 0.25
    assert decayed.reasons["weight_decay"] == "why"
    weighted = settle(Cure("", "", "", {"imbalance": "class weights"}).apply(one.recipe), facts, silent)
    assert weighted.loss_settings["class_weights"] == pytest.approx([500 / 900, 5.0])


def test_given_values_are_told_from_derived_ones() -> None:
    """What a person set can be derived anew; what was derived is not tried as if it had been set."""
    one = case("mlp", (8,), "binary", 1, activation="sigmoid", l2=3.0)
    assert one.given("learning_rate")
    assert one.given("activation")
    assert one.given("l2")
    assert not one.given("batch_size")
    assert not one.given("dropout")
    anew = {cure.unset for cure in every(one) if cure.unset and not cure.values and not cure.net}
    assert {("learning_rate",), ("l2",), ("activation",)} <= anew


def test_a_reason_for_dropout_of_words_is_none_for_dropout() -> None:
    """Reasons of settings of the net are one text; a name may be the end of another."""
    one = case("mlp", (8,), "binary", 1, dropout=0.95)
    reasons = {"net_settings": "hidden: enough for 8 inputs; word_dropout: few texts"}
    one = replace(one, recipe=one.recipe.model_copy(update={"reasons": reasons}))
    assert one.given("dropout")
    assert not one.given("hidden") or "hidden" not in one.recipe.net_settings
    told = {"net_settings": "word_dropout: few texts; dropout: few rows"}
    assert not replace(one, recipe=one.recipe.model_copy(update={"reasons": told})).given("dropout")


def test_causes_come_in_order_and_a_symptom_that_is_its_own_cause_first() -> None:
    """A rate that is told as too high goes before what is only thought of behind a plateau."""
    assert candidates([finding("plateau")])[0] == "rate-too-high"
    assert candidates([finding("plateau"), finding("rate-too-low")])[0] == "rate-too-low"
    assert candidates([]) == []
    assert "rbm-rate" in candidates([finding("nonfinite")], "rbm")
    assert "rbm-rate" not in candidates([finding("nonfinite")], "mlp")
    one = case("mlp", (8,), "binary", 1)
    assert cures_for([finding("imbalance")], one)[0].shows == "imbalance"
    assert cures_for([], one) == []


def test_the_way_a_derived_rate_goes_says_which_cause_it_shows() -> None:
    """A lower one shows that it was too high."""
    cure = Cure("learning rate from the data", "", "", unset=("learning_rate",))
    before = Recipe(learning_rate=1.0)
    assert shown(cure, before, Recipe(learning_rate=0.1)) == "rate-too-high"
    assert shown(cure, before, Recipe(learning_rate=10.0)) == "rate-too-low"


def test_a_width_that_is_made_larger_shows_that_it_was_too_small() -> None:
    """Also where the new one is the net's own default, which no recipe spells out; a smaller one shows the contrary."""
    cure = Cure("width from the data", "underfitting", "", unset=("width",))
    narrow, wide = (Recipe(net="lstm", net_settings={"width": width}) for width in (1, 5000))
    assert shown(cure, narrow, Recipe(net="lstm")) == "underfitting"
    assert shown(cure, wide, Recipe(net="lstm")) == "overfitting"


def test_more_epochs_are_tried_after_what_holds_the_net_back() -> None:
    """Nearly every net gets better with more of them, and such a trial takes long: they jump no queue."""
    one = case("mlp", (8,), "binary", 1, l2=0.3, epochs=10)
    names = [cure.unset for cure in cures_for([finding("over-regularised")], one) if len(cure.unset) == 1]
    assert names.index(("l2",)) < names.index(("epochs",))
