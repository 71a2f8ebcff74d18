"""``workings net`` for nets of sequences: what their samples are is said beside their shape."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.cli.helpers import Command

SHOWN: list[tuple[str, list[int]]] = [
    ("lstm --input 20 --vocabulary 1000 --outputs 2", [2]),
    ("gru --input 30 --vocabulary 65 --each-step --outputs 65", [30, 65]),
    ("rnn --input 48x7 --horizon 12 --outputs 84", [84]),
]
REFUSED = [
    ("lstm --input 20", "say which"),
    ("lstm --input 7 --horizon 3", "steps x variables"),
    ("lstm --input 7 --horizon 3 --vocabulary 4", "not both"),
    ("lstm --input 20 --vocabulary many", "not a number of tokens"),
    ("lstm --input 20 --vocabulary 5,6", "2xT"),
    ("lstm --input 20 --vocabulary 5 --each-step --set bidirectional=true", "cannot be bidirectional"),
    ("net.py:Net --input 20 --vocabulary 5", "not for net.py:Net"),
]


@pytest.mark.parametrize(("words", "output"), SHOWN)
def test_a_net_for_sequences_is_shown(words: str, output: list[int], command: Command) -> None:
    """Every layer is known, and the answers have the shape that was asked for."""
    said = command("net", *words.split(), "--json")
    assert said.code == 0, said.err
    found: dict[str, Any] = json.loads(said.out)
    assert found["layers"][-1]["output"] == output
    assert found["totals"]["unknown"] == []
    assert sum(layer["parameters"] for layer in found["layers"]) == found["totals"]["parameters"] > 0


@pytest.mark.parametrize(("words", "message"), REFUSED)
def test_what_cannot_be_shown_is_said_in_one_message(words: str, message: str, command: Command) -> None:
    """Exit code 2, one message with what to do, nothing on standard output."""
    said = command("net", *words.split())
    assert said.code == 2
    assert message in said.err
    assert "what to do" in said.err
    assert said.err.count("Error") == 1
    assert said.out == ""
