"""Checkpoints: whole states on disk, of which a kill at any moment leaves at least the one before.

``checkpoint/step-N/`` holds ``state.safetensors`` (every tensor: parameters, optimiser, buffers, the best so far,
the state of torch's generator) and ``state.json`` (everything else). A folder is filled under another name, synced
and renamed, so a folder called ``step-N`` is whole. The newest two are kept.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from workings.base.errors import refuse
from workings.base.files import read_json, write_json
from workings.learning.loop import put_back
from workings.learning.loop_state import LoopState
from workings.learning.rules import LearningRule

SCHEMA_VERSION = 1
_KEEP = 2


def _folders(root: Path) -> list[Path]:
    """Whole checkpoints, oldest first."""
    found = [p for p in root.glob("step-*") if p.is_dir() and p.name.removeprefix("step-").isdigit()]
    return sorted(found, key=lambda p: int(p.name.removeprefix("step-")))


def save_checkpoint(root: Path, rule: LearningRule, state: LoopState) -> None:
    """Write the state whole, then remove all but the newest two."""
    root.mkdir(parents=True, exist_ok=True)
    final = root / f"step-{state.step}"
    working = root / f".filling-{os.getpid()}"
    shutil.rmtree(working, ignore_errors=True)
    working.mkdir()
    tensors = {f"rule.{name}": tensor.detach().clone().contiguous() for name, tensor in rule.tensors().items()}
    tensors.update({f"best.{name}": tensor.contiguous() for name, tensor in state.best.items()})
    tensors.update({f"averaged.{name}": tensor.contiguous() for name, tensor in state.averaged.items()})
    tensors.update({f"shown.{name}": tensor.contiguous() for name, tensor in state.shown.items()})
    tensors["generator"] = torch.get_rng_state()
    save_file(tensors, working / "state.safetensors")
    write_json(
        working / "state.json",
        {
            "schema_version": SCHEMA_VERSION,
            "step": state.step,
            "best_value": state.best_value,
            "best_step": state.best_step,
            "waited": state.waited,
            "stopped": state.stopped,
            "seconds": state.seconds,
            "losses": state.losses,
            "points": state.points,
        },
    )
    with (working / "state.safetensors").open("rb+") as handle:
        os.fsync(handle.fileno())
    if final.exists():
        shutil.rmtree(final)
    working.rename(final)
    for old in _folders(root)[:-_KEEP]:
        shutil.rmtree(old)


def load_checkpoint(root: Path, rule: LearningRule) -> LoopState | None:
    """Put the newest state into the rule and torch's generator; None where there is no checkpoint.

    Raises:
        UserError: the checkpoint does not fit the net, is damaged, or is of a newer version.
    """
    folders = _folders(root)
    if not folders:
        return None
    folder = folders[-1]
    content = read_json(folder / "state.json")
    if content["schema_version"] > SCHEMA_VERSION:
        raise refuse("newer-checkpoint", f"The checkpoint '{folder}' was written by a newer Workings.")
    try:
        tensors = load_file(folder / "state.safetensors")
    except SafetensorError as error:
        raise refuse(
            "damaged-checkpoint",
            f"The checkpoint '{folder}' is damaged: {error}.",
            do=f"Delete that folder; training goes on from '{folders[-2].name}'." if len(folders) > 1 else "",
        ) from error
    put_back(rule, _part(tensors, "rule."))
    torch.set_rng_state(tensors["generator"])
    return LoopState(
        step=content["step"],
        best_value=content["best_value"],
        best_step=content["best_step"],
        waited=content["waited"],
        stopped=content["stopped"],
        seconds=content["seconds"],
        losses=content["losses"],
        points=[tuple(point) for point in content["points"]],
        best=_part(tensors, "best."),
        averaged=_part(tensors, "averaged."),
        shown=_part(tensors, "shown."),
    )


def _part(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}
