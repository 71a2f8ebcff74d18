"""Nets are found by name, and what does not fit is told at once, with the nearest name."""

from __future__ import annotations

import re
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from workings import nets
from workings.base.errors import UserError

BAD: list[tuple[str, tuple[int, ...], int, dict[str, Any], list[str]]] = [
    ("mpl", (3,), 1, {}, ["no net called 'mpl'", "Did you mean 'mlp'"]),
    ("mlp", (3,), 1, {"hiden": (3,)}, ["no setting called 'hiden'", "Did you mean 'hidden'"]),
    ("linear", (3,), 1, {"hidden": (3,)}, ["takes no settings"]),
    ("mlp", (3,), 1, {"hidden": [4, 0]}, ["hidden = [4, 0]", "a list of whole numbers from 1"]),
    ("mlp", (3,), 1, {"hidden": [4, 2.5]}, ["hidden = [4, 2.5]"]),
    ("mlp", (3,), 1, {"hidden": "4,x"}, ["hidden = '4,x'"]),
    ("mlp", (3,), 1, {"hidden": True}, ["hidden = True"]),
    ("mlp", (3,), 1, {"activation": "rellu"}, ["Did you mean 'relu'"]),
    ("mlp", (3,), 1, {"activation": 3}, ["activation = 3", "one of step, linear"]),
    ("mlp", (3,), 1, {"dropout": 1.0}, ["a number from 0 to 0.95"]),
    ("mlp", (3,), 1, {"dropout": float("nan")}, ["dropout = nan"]),
    ("mlp", (3,), 1, {"dropout": "a lot"}, ["dropout = 'a lot'", "a number"]),
    ("mlp", (3,), 1, {"batch_norm": 1}, ["batch_norm = 1", "true or false"]),
    ("cnn", (3, 8, 8), 1, {"padding": "sam"}, ["Did you mean 'same'", "a whole number from 0, or one of same, valid"]),
    ("cnn", (3, 8, 8), 1, {"kernel": 2.0}, ["kernel = 2.0"]),
    ("cnn", (3, 8, 8), 1, {"kernel": 4}, ["No equal padding"]),
    ("cnn", (3, 8, 8), 1, {"channels": (1,) * 5}, ["A filter of 2 does not fit into 1", "pooling 4"]),
    ("cnn", (12,), 1, {}, ["rows of a table, of so many numbers, 12", "mlp"]),
    ("cnn", (8, 8), 1, {}, ["sequences, steps × numbers, 8 × 8"]),
    ("resnet", (3, 32, 32), 1, {"blocks": (1, 2)}, ["3 stages but 2 numbers"]),
    ("mlp", (), 1, {}, ["holds no numbers"]),
    ("mlp", (0,), 1, {}, ["holds no numbers"]),
    ("mlp", (3,), 0, {}, ["at least one output"]),
]


@pytest.mark.parametrize(("name", "shape", "outputs", "settings", "said"), BAD, ids=lambda value: str(value)[:30])
def test_what_does_not_fit_is_refused(
    name: str, shape: tuple[int, ...], outputs: int, settings: dict[str, Any], said: list[str]
) -> None:
    """Each wrong name, value or shape has its message."""
    with pytest.raises(UserError) as caught:
        nets.build(name, shape, outputs, **settings)
    for text in said:
        assert text in str(caught.value)


def test_all_problems_are_told_at_once() -> None:
    """Four mistakes, four problems, one error."""
    with pytest.raises(UserError) as caught:
        nets.build("cnn", (3,), 0, kernl=3, pool="maximum")
    assert len(caught.value.problems) == 4


def test_every_setting_is_explained_and_its_default_is_valid() -> None:
    """Each setting has a meaning, and its default is a value that it takes, in canonical form."""
    for info in nets.infos():
        assert info.summary
        for name, setting in info.settings.items():
            assert setting.doc, f"{info.name}.{name}"
            assert setting.value(setting.default) == setting.default, f"{info.name}.{name}"
            assert setting.expected()


@given(st.lists(st.integers(1, 9), min_size=1, max_size=4))
def test_a_list_may_be_typed_as_text(hidden: list[int]) -> None:
    """64,64 and [64, 64] from a command line mean the tuple (64, 64); a lone number means a list of one."""
    settle = lambda value: nets.settle("mlp", {"hidden": value})["hidden"]  # noqa: E731
    assert settle(hidden) == settle(",".join(map(str, hidden))) == settle(str(hidden)) == tuple(hidden)
    assert settle(hidden[0]) == (hidden[0],)


def test_a_net_that_passes_settings_on_has_those_of_its_base() -> None:
    """What recurrent nets share is declared once; each has all of it, its own after it, and refuses what it has not."""
    own = {"rnn": ["activation"], "gru": ["reset", "update_bias"], "lstm": ["forget_bias"]}
    found = {name: list(nets.info(name).settings) for name in own}
    shared = found["lstm"][:-1]
    assert shared[:3] == ["embedding", "width", "layers"]
    assert found == {name: shared + settings for name, settings in own.items()}
    with pytest.raises(UserError, match="no setting called 'reset'"):
        nets.settle("lstm", {"reset": "after"})


def test_settled_settings_are_complete_and_build_the_same_net() -> None:
    """All settings with the defaults filled in; building from them gives the same parameters."""
    settings = nets.settle("mlp", {"dropout": 0})
    assert settings.keys() == nets.info("mlp").settings.keys()
    assert settings["dropout"] == 0.0
    assert isinstance(settings["dropout"], float)
    torch.manual_seed(0)
    one = nets.build("mlp", (3,), 2, **settings)
    torch.manual_seed(0)
    two = nets.build("mlp", (3,), 2)
    assert all(torch.equal(a, b) for a, b in zip(one.parameters(), two.parameters(), strict=True))


def test_names_are_simple_and_sorted_by_difficulty() -> None:
    """Lower-case names; the perceptron comes first, and of nets for images the deepest last."""
    names = nets.names()
    assert all(re.fullmatch(r"[a-z0-9-]+", name) for name in names)
    assert names[0] == "perceptron"
    images = [info.name for info in nets.infos() if info.takes == "image"]
    assert images[-2:] == ["resnet", "vgg"]
