"""Whether a loss fits a task, a net and targets; what is wrong is told, nothing is changed."""

from __future__ import annotations

import torch
from torch import Tensor

from workings.base.problems import Problem, shorten, unknown_name
from workings.learning.losses import LOSSES, NAMES, choose
from workings.nets.endings import misfit


def fits(loss: str, task: str, outputs: int, last_activation: str = "linear") -> list[Problem]:
    """What is wrong with a loss for a task, a number of outputs and a net's last activation; empty where all fits.

    Args:
        loss: its name.
        task: ``binary``, ``multiclass`` or ``regression``.
        outputs: of the net.
        last_activation: what the net ends in, as :func:`workings.nets.endings.ending` finds it.
    """
    if loss not in LOSSES:
        return [unknown_name("loss", loss, NAMES)]
    problems: list[Problem] = []
    kind = LOSSES[loss]
    if task not in kind.tasks:
        problems.append(
            Problem(
                "error",
                "loss-task",
                f"The loss {loss} does not fit a {task} task.",
                why=f"It is made for {' and '.join(kind.tasks)} tasks.",
                do=f"Use {choose(task)}.",
            )
        )
    elif (task == "binary" and outputs != 1) or (task == "multiclass" and outputs < 2):
        needed = "one output, the logit of the second class" if task == "binary" else "one output a class, 2 or more"
        what = f"The net has {outputs} output{'s' * (outputs != 1)}; the loss {loss} takes {needed}."
        problems.append(Problem("error", "loss-outputs", what, do="Change the net's last layer, or the loss."))
    problem = misfit(last_activation, "given", outputs, task)
    return problems if problem is None else [*problems, problem]


def check_targets(loss: str, y: Tensor, outputs: int) -> list[Problem]:
    """What is wrong with targets for a loss: classes out of range, values that are not finite; empty where all fits."""
    if "regression" in LOSSES[loss].tasks:
        bad = ~torch.isfinite(y.double())
        what, do = "are not finite", "Remove or correct these rows."
    else:
        classes = max(outputs, 2)
        bad = (y < 0) | (y >= classes) | (y != y.floor() if y.is_floating_point() else torch.zeros_like(y).bool())
        what, do = f"are no class numbers from 0 to {classes - 1}", "Number the classes from 0, one output each."
    bad = bad.reshape(bad.shape[0], -1).any(dim=1)
    count = int(bad.sum())
    if not count:
        return []
    where = f"positions {shorten(torch.nonzero(bad)[:, 0].tolist())}"
    return [Problem("error", "bad-targets", f"{count:,} of {len(y):,} targets {what}.", where, count, do=do)]
