"""What a learning rule remembers, kept beside the weights: Adam's moments, velocities, chains of Gibbs sampling.

``optimiser.safetensors`` holds the tensors of the step whose weights were kept, so that the step after it can be shown
or done as training would have done it. Its header says ``schema_version`` and, as JSON, what :class:`Memory` says.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from workings.base.errors import refuse
from workings.base.files import write_atomically
from workings.learning.loop_state import LoopState
from workings.learning.rules import LearningRule
from workings.learning.staged import StagedRule

SCHEMA_VERSION = 1
NAME = "optimiser.safetensors"
OWN = "optimiser."  # how a rule's memory is named among its tensors


@dataclass(frozen=True)
class Memory:
    """step: after how many steps of training these tensors are, and ``weights_step`` the kept weights; they differ
    only where a run was begun by an older version. done, learning_rates: of each stage, the steps that it did and η of
    its next one; a rule without stages is one. averaged: the weights are a running average, the memory is not.
    tensors: by the rule's own names.
    """

    step: int
    weights_step: int
    done: list[int]
    learning_rates: list[float]
    averaged: bool = False
    tensors: dict[str, Tensor] = field(default_factory=dict)


def save_memory(folder: Path, rule: LearningRule, state: LoopState) -> None:
    """Write what the rule remembers, once the weights to be kept are in it."""
    kept = state.best_step if state.best else state.step
    whole = not state.best or any(name.startswith(OWN) for name in state.best)
    step = kept if whole else state.step
    rules, done = [rule], [step]
    if isinstance(rule, StagedRule):
        rules = [stage.rule for stage in rule.stages]
        number, own = rule.locate(step)
        done = [stage.steps if i < number else own if i == number else 0 for i, stage in enumerate(rule.stages)]
    rates = [each.learning_rate(n) for each, n in zip(rules, done, strict=True)]
    memory = Memory(step, kept, done, rates, bool(state.averaged))
    said = {name: value for name, value in asdict(memory).items() if name != "tensors"}
    tensors = {name: t.detach().clone().contiguous() for name, t in rule.tensors().items() if name.startswith(OWN)}
    header = {"schema_version": str(SCHEMA_VERSION), "memory": json.dumps(said)}
    write_atomically(folder / NAME, lambda temporary: save_file(tensors, temporary, metadata=header))


def load_memory(folder: Path) -> Memory | None:
    """What the rule of a run remembers; None for a run of a version that did not keep it.

    Raises:
        UserError: the file is damaged or of a newer version.
    """
    path = folder / NAME
    if not path.is_file():
        return None
    try:
        with safe_open(path, "pt") as file:
            header = file.metadata() or {}
            version = int(header.get("schema_version", 0))
            if version > SCHEMA_VERSION:
                raise refuse("newer-run", f"'{path}' was written by a newer Workings.", do="Install a newer Workings.")
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            return Memory(**json.loads(header["memory"]), tensors=tensors)
    except (SafetensorError, KeyError, ValueError, TypeError) as error:
        raise refuse(
            "damaged-file", f"'{path}' is damaged: {error}.", do="Train again, or remove it: weights do not need it."
        ) from error
