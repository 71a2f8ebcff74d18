"""One look at a step of anybody's loop: from the end of the step before to its own end.

The forward pass is looked at by a ``Tap``, entered by a hook on the model and left when the model returns, so it lies
within the caller's own modes. What ``backward`` is called on says which loss it is; gradients are read before the
optimiser's step, changes after it.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from workings.watching import targets
from workings.watching.hooks import compiled, fast_path
from workings.watching.loss_graph import LossCall, baseline_of, read_loss
from workings.watching.parameters import norms, of_changes, of_parameters, of_start, remember
from workings.watching.statistics import Measured, read, some
from workings.watching.tap import Tap

if TYPE_CHECKING:
    from workings.watching.watch import Watch

OP = 6  # calls of a function: what an operation under a mode, or a module with hooks, takes longer
GRAPH = 3_000  # nodes that are followed to find out whose loss it is


class Look:
    """What is seen of one step of ``watch``."""

    def __init__(self, watch: Watch) -> None:
        self.watch = watch
        self.named = dict(watch.model.named_parameters())
        self.tap: Tap | None = None
        self.roots: set[nn.Module] = set()  # whose forward pass was looked at
        self.out: Tensor | None = None
        self.batch = 0
        self.x: Tensor | None = None  # the first thing that the model was given
        self.mode, self.hooks = ExitStack(), ExitStack()
        self.call: LossCall | None = None
        self.measured: list[Measured] = []
        self.before: list[tuple[str, Tensor]] | None = None
        self.standing: list[Tensor | float] = []  # norm of the gradients that each backward met
        self.whole: Tensor | float | None = None  # norm of the gradient after the last backward

    # --------------------------------------------------------------------------------- the forward pass

    def begin_forward(self, module: nn.Module, args: Any, kwargs: Any) -> None:
        """The first forward pass of the module in this step begins; it is left by ``end_forward``."""
        self.roots.add(module)
        if self.tap is None:
            self.tap = Tap(self.watch.model, self.watch.alive)
            x = next((each for each in (*args, *kwargs.values()) if isinstance(each, Tensor)), None)
            self.batch = len(x) if x is not None and x.ndim else 0
            self.x = x
            self.tap.given(args, kwargs)
        elif len(self.watch.optimizers) > 1 and isinstance(self.out, Tensor):
            self._players(self.out, args)
        if compiled(self.watch.parts):
            self.watch.not_seen("the inside of compiled parts")
        elif fast_path(self.watch.parts):
            self.watch.not_seen("the inside of a model with frozen attention in evaluation mode")
        else:
            self.hooks.enter_context(self.tap.paths())
            self.mode.enter_context(self.tap)

    def _players(self, made: Tensor, args: Any) -> None:
        """The second of two nets is given real samples: how far apart those are that the first made."""
        real = args[0] if args else None
        if not isinstance(real, Tensor) or real.shape[1:] != made.shape[1:] or min(len(real), len(made)) < 4:
            return
        if not real.is_floating_point() or real.data_ptr() == made.data_ptr():
            return
        with torch.no_grad():
            a, b = (torch.pdist(some(each.detach())[:64].flatten(1).float()).mean() for each in (made, real))
            self.measured.append(("", "spread_made", a / b.clamp_min(1e-12)))

    def end_forward(self, out: Any) -> None:
        """The model returned ``out``, or raised (None): then torch is going through its hooks, which must stay."""
        self.mode.close()
        if out is None:
            return
        self.hooks.close()
        self.out = first_tensor(out)
        if self.out is not None and torch.is_grad_enabled() and not self.out.requires_grad:
            self.watch.history.count("output-without-gradient")

    def stop(self) -> None:
        """Whatever is still there is taken away."""
        self.mode.close()
        self.hooks.close()

    # ------------------------------------------------------------------------------------ backward

    def before_backward(self, loss: Tensor) -> None:
        """The first ``backward`` says which loss it is."""
        self.standing.append(self._gradient())
        if self.call is None:
            self.call = read_loss(loss)

    def after_backward(self) -> None:
        """Gradients are there; clipping and unscaling come after."""
        self.whole = self._gradient()

    def _gradient(self) -> Tensor | float:
        sizes = norms([p.grad for p in self.watch.trained() if p.grad is not None])
        return torch.linalg.vector_norm(torch.stack([s.float() for s in sizes])) if sizes else 0.0

    # ------------------------------------------------------------------------------------ the step

    def before_step(self, optimizer: torch.optim.Optimizer, first: bool) -> None:
        """``optimizer`` is about to step; first: it is the one that counts steps."""
        held = {id(p) for group in optimizer.param_groups for p in group["params"]}
        found = of_parameters((name, p) for name, p in self.named.items() if id(p) in held)
        self.measured += [each for each in found if first or each[0]]
        if self.tap is not None:
            self.measured += self.tap.recurrent.read()
        if self.before is None:
            self.before = remember(self.named.items())
        if first and not self.watch.step:
            self.measured += of_start(self.watch.model)

    def end(self) -> None:
        """The step is done: everything is read and written into the history."""
        self.stop()
        watch = self.watch
        history, step = watch.history, watch.step
        first = watch.optimizers[0]
        found = [*self.measured, *of_changes(self.named.items(), self.before or []), *watch.tables.measure()]
        found += [("", "learning_rate", float(first.param_groups[0]["lr"]))]
        if self.whole is not None:
            found.append(("", "whole", self.whole))
        if self.standing:
            found.append(("", "standing", min_of(self.standing)))
        found += self._answers()
        if self.tap is not None and self.tap.error is not None:
            raise self.tap.error
        rows = self.tap.read(found) if self.tap is not None else read(found)
        for where in self.tap.order if self.tap is not None else []:
            history.place(where)
        self._write(rows, step)
        watch.can_train.tell(history.facts, watch.model, watch.optimizers)
        if self.tap is not None:
            if self.tap.drops:
                watch.depends_on_mode()
            history.facts["affine"] = max(self.tap.affine, history.facts.get("affine", 0))
            history.facts["nonlinear"] = max(self.tap.nonlinear, history.facts.get("nonlinear", 0))

    def _write(self, rows: Sequence[tuple[str, str, float]], step: int) -> None:
        history = self.watch.history
        own = {name: value for where, name, value in rows if not where}
        scale = self.call.scale if self.call is not None else 1.0
        for where, name, value in rows:
            if where or name not in ("whole", "standing", "gradient_norm"):
                history.note(step, where, name, value)
        at_step, whole = own.get("gradient_norm"), own.get("whole")
        if at_step is not None:
            unscaled = whole is not None and scale != 1 and abs(whole / scale - at_step) <= 0.01 * at_step
            clipped = whole is not None and not unscaled and at_step < 0.999 * whole
            if clipped:
                history.facts["clip_norm"] = at_step
            history.note(step, "", "gradient_norm", whole if clipped and whole is not None else at_step)
        if step and "standing" in own:
            history.count("gradients-checked")
            history.count("stale-gradient", int(own["standing"] > 0))

    # ------------------------------------------------------------------------------- the loss function

    def _answers(self) -> list[Measured]:
        """What the loss was given, and what is known of targets by now."""
        call, history = self.call, self.watch.history
        if call is None:
            return []
        out, y = call.out, call.y
        if self.out is not None and (out is None or (call.log_shares and self.out.numel() == out.numel())):
            out = self.out if out is None or self.out.shape == out.shape else self.out.reshape(out.shape)
        facts = history.facts
        history.count("broadcast", int(call.spread))
        if call.name:
            facts["one_target"] = y is not None and y.numel() == (self.batch or len(y))
            task = {"classes": "multiclass", "yes": "binary"}.get(call.kind, "regression")
            facts["weighted"] = call.weighted
            divided = call.reduction == "sum" and y is not None and call.scale * len(y) <= 1.5  # by hand: it is a mean
            reduction = "mean" if divided else call.reduction
            facts |= {"loss": call.name, "reduction": reduction, "loss_given": call.given, "task": task}
        facts["batch"] = max(self.batch, facts.get("batch", 0))
        if out is None or not out.is_floating_point():
            return []
        kind = call.kind if y is not None else "numbers"
        found = targets.measure(out, y, kind, call.ignored)
        if y is not None:
            if call.name and self.x is not None and not self.watch.together.enough:
                self.watch.together.add(self.x, y, kind != "numbers")
            self.watch.targets.add(out, y, kind, call.ignored)
            self.watch.targets.tell(facts)
            found += self.watch.targets.measure()
            baseline = baseline_of(call.name, facts.get("class_counts"), facts.get("target_std"))
            if baseline is not None and not call.weighted:
                facts["baseline"] = baseline * (y.numel() if call.reduction == "sum" else 1)
        return found


def min_of(values: list[Tensor | float]) -> Tensor | float:
    """The least of them, without waiting for a device."""
    if any(not isinstance(value, Tensor) for value in values):
        return 0.0  # where a backward met no gradient at all
    return torch.stack([value for value in values if isinstance(value, Tensor)]).min()


def first_tensor(out: Any) -> Tensor | None:
    """The tensor that a model's answer is: itself, ``logits``, or the first one with samples."""
    if isinstance(out, Tensor):
        return out
    if isinstance(out, dict):
        out = [out["logits"]] if isinstance(out.get("logits"), Tensor) else list(out.values())
    if isinstance(out, (tuple, list)):
        found = [each for each in out if isinstance(each, Tensor) and each.is_floating_point()]
        return next((each for each in found if each.ndim > 1), found[0] if found else None)
    return None


def belongs(loss: Tensor, parameters: set[int]) -> bool:
    """Whether a loss hangs on any of these parameters (ids); True where its graph is too large to say."""
    queue: list[Any] = [loss.grad_fn]
    seen: set[Any] = set()
    while queue:
        node = queue.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        if id(getattr(node, "variable", None)) in parameters or len(seen) > GRAPH:
            return True
        queue += [each for each, _ in node.next_functions]
    return False


def seconds_of(tap: Tap | None, parts: int, unit: float) -> float:
    """What a mode and hooks cost beside what was measured: ``OP`` calls of a hook for each operation and part."""
    return 0.0 if tap is None else tap.seconds + OP * unit * (tap.calls + parts)
