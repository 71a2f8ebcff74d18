"""The transformers that are tested, small, with settings that reach every branch."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from tests.nets.sequences import FORMS, Case, K, V, case_id

from workings import nets

ENCODERS: list[dict[str, Any]] = [
    {},
    {"attention": "written", "norm": "post", "pooling": "max", "dropout": 0.3, "word_dropout": 0.2},
    {"positions": "learned", "pooling": "first", "activation": "tanh"},
]
CASES: list[Case] = [
    *[(form, "transformer-encoder", each) for form in FORMS if form != "pairs" for each in ENCODERS],
    ("language", "gpt", {}),
    ("language", "gpt", {"positions": "rotary", "attention": "written", "dropout": 0.3, "activation": "silu"}),
    ("language", "gpt", {"positions": "sinusoidal", "norm": "post", "tied": False}),
    ("pairs", "transformer", {}),
    ("pairs", "transformer", {"attention": "written", "norm": "post", "tied": False, "dropout": 0.3}),
    ("pairs", "transformer", {"positions": "learned", "activation": "gelu"}),
]
WRITERS = [case for case in CASES if case[1] != "transformer-encoder"]

every_net = pytest.mark.parametrize("case", CASES, ids=case_id)
every_writer = pytest.mark.parametrize("case", WRITERS, ids=case_id)


def outputs_of(case: Case) -> int:
    return K if case[1] == "transformer-encoder" else V


def build(case: Case, dtype: torch.dtype = torch.float64) -> Any:
    form, shape = FORMS[case[0]]
    torch.manual_seed(1)
    small = {"width": 8, "heads": 2, "layers": 2, "expansion": 2, "dropout": 0.0}
    return nets.build(case[1], shape, outputs_of(case), form, **small | case[2]).to(dtype).eval()
