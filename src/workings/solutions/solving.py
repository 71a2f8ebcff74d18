"""From what the net did to the page: every operation beside its textbook account, forward, backward, update, again.

The backward pass here is the textbook's own: it begins with ∂L/∂L = 1, and each operation sends back what its rule's
equations say; autograd's gradients are only compared with, tensor by tensor. Whatever has no rule sends back what
autograd sends for that one operation, and is listed as lacking an equation.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from workings.base.problems import Problem, shorten
from workings.solutions.calls import Call, Opened, Value
from workings.solutions.evaluation import evaluate
from workings.solutions.expressions import Expr, Quantity
from workings.solutions.flowing import TOLERANCE, Flow, carries, relative
from workings.solutions.record import Record
from workings.solutions.rounding import DIGITS, Line, settle_line
from workings.solutions.rules import find, moves
from workings.solutions.rules.base import Index, Inner, as_symbol, every
from workings.solutions.steps import Check, Step
from workings.solutions.sums import sum_of
from workings.solutions.symbols import Page, real_numbers

FEW = 4
_PAIRS = "Complex numbers, as pairs of a real and an imaginary part: compared, not worked out."
_TITLES = {
    "relu": "ReLU", "leaky_relu": "leaky ReLU", "elu": "ELU", "gelu": "GELU", "silu": "SiLU", "relu6": "ReLU6",
    "logsigmoid": "logarithm of sigmoid", "add": "sum", "sub": "difference", "mul": "product", "div": "quotient",
    "neg": "negative", "abs": "absolute value", "pow": "power", "sqrt": "square root", "exp": "exponential",
    "log": "logarithm",
}  # fmt: skip


@dataclass(frozen=True)
class Detail:
    """How much is shown. units: entries of a tensor that get their arithmetic (all of them where ``few`` suffice).

    layer: only operations whose place begins so. unit: these entries of every tensor (of its last axes), from 1.
    """

    digits: int = DIGITS
    units: int = 3
    few: int = FEW
    layer: str | None = None
    unit: tuple[int, ...] | None = None


@dataclass
class Solver:
    """One record being solved. loss_from: the number of the first call that belongs to the loss."""

    record: Record
    samples: int
    loss: Value
    loss_from: int
    detail: Detail = field(default_factory=Detail)
    problems: list[Problem] = field(default_factory=list)
    lacking: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.rules = {id(call): find(call) for call in self.record.calls}
        self.page = Page(self.record, lambda call: self.rules[id(call)], self.samples)
        if ("L", "") not in self.page.used:  # a loss that is made of several operations is L all the same
            self.page.known[id(self.loss)] = replace(self.page.quantity(self.loss), letter="L", layer="")
        self.flow = Flow(self.record, self.rules, self.loss)
        self.path: dict[int, list[Index]] = {}

    # ---------------------------------------------------------------------------------------------- forward

    def forward(self) -> tuple[list[Step], list[Step]]:
        """The steps of the net, and those of the loss."""
        from workings.solutions.paths import paths

        self.path = paths(self) if self.detail.unit is None else {}
        net: list[Step] = []
        loss: list[Step] = []
        # One within another comes after it.
        opened = iter([*sorted(self.record.opened, key=lambda o: (o.before, -o.after)), None])
        next_opened = next(opened)
        for call in self.record.calls:
            while next_opened is not None and next_opened.before <= call.number:
                (loss if call.number >= self.loss_from else net).append(self._opened(next_opened))
                next_opened = next(opened)
            step = self._forward_step(call)
            if step is not None:
                (loss if call.number >= self.loss_from else net).append(step)
        for value in self.record.unseen:
            self.lacking[value.name] = self.lacking.get(value.name, 0) + 1
        self._tell_casts()
        return net, loss

    def _opened(self, opened: Opened) -> Step:
        """A function by its parts, which give what it gave."""
        pairs = [(m, g) for m, g in zip(opened.made, opened.given, strict=False) if g.is_floating_point()]
        error = max((relative(m, g) for m, g in pairs), default=0.0)
        error = error if len(opened.made) >= len(opened.given) else math.inf
        parts = self.record.calls[opened.before : opened.after]
        steps = sum(carries(call.outputs[0].data) for call in parts)
        return Step(
            f"{opened.name}, by the operations that it is made of",
            opened.place,
            remarks=[f"They are the next {steps} steps." if steps > 1 else "It is the next step."],
            checks=[Check(f"what {opened.name} itself gave", error, TOLERANCE)],
        )

    def _tell_casts(self) -> None:
        if self.record.defined:
            self.problems.append(
                Problem(
                    "note",
                    "by-definition",
                    "torch has these functions to fewer digits than float64 only; they were done by their definition.",
                    where=", ".join(sorted(self.record.defined)),
                    count=len(self.record.defined),
                )
            )
        casts = sorted({place or "the net" for place, _ in self.record.casts})
        if casts:
            self.problems.append(
                Problem(
                    "note",
                    "kept-in-float64",
                    "The net casts numbers to fewer digits on the way; here they stay float64.",
                    where=shorten(casts),
                    count=len(casts),
                    why="What is compared to 1e-9 cannot be rounded to 1e-7 in between.",
                )
            )

    def _forward_step(self, call: Call) -> Step | None:
        if not carries(call.outputs[0].data):
            return None  # masks and positions: they are seen where they are used
        rule, page = self.rules[id(call)], self.page
        made = rule.forward(call)
        pairs = [(m, o) for m, o in zip(made, call.outputs, strict=False) if carries(o.data)]
        error = max((relative(m, o.data) for m, o in pairs), default=0.0)
        step = Step(self._title(call), call.place, checks=[Check("the net's own value", error, TOLERANCE)])
        if not rule.complete:
            self.lacking[call.name] = self.lacking.get(call.name, 0) + 1
            step.remarks.append(
                f"There is no equation here for the operation '{call.name}': what it was given and gave."
            )
            step.values = [page.quantity(v) for v in call.inputs if v.data.is_floating_point()]
        step.equations = rule.equations(call, page)
        step.remarks += rule.remarks(call)
        if not self.wanted(call):
            step.values = [page.quantity(call.out)]
            return step
        step.children += [self._inner_step(inner) for inner in rule.inner(call, page)]
        q = page.quantity(call.out)
        step.values = [*step.values, q]
        chosen, remark = self._on_path(call.out) or self._choose(call.out.data, call.out.grad)
        if remark and not rule.moves:
            step.remarks.append(remark)
        if call.out.data.is_complex():
            step.remarks.append(_PAIRS)
            chosen = []
        for index in chosen[:1] if rule.moves else chosen:
            said = rule.element(call, page, index)
            if said is not None and not (rule.moves and call.out.data.numel() > 4):
                step.lines.append(self._line(q[index], said))
        return step

    def _inner_step(self, inner: Inner) -> Step:
        title = f"{label(inner.quantity)}: {inner.title}" if inner.title else inner.quantity.letter
        child = Step(title or label(inner.quantity), values=[inner.quantity])
        child.equations = [inner.equation] if inner.equation else []
        chosen = inner.chosen
        if chosen is None or self.detail.unit is not None:
            chosen, _ = self._choose(inner.quantity.data, None)
        if inner.element is not None:
            child.lines = [self._line(inner.quantity[i], inner.element(i)) for i in chosen]
        return child

    # --------------------------------------------------------------------------------------------- backward

    def backward(self) -> list[Step]:
        """The steps back, from the loss to the first layer."""
        sent = self.flow.run()
        for key, value in self.flow.values.items():
            self.page.arrived(value, self.flow.arrived[key])
        steps = [self._backward_step(call, pieces) for call, pieces in sent]
        unseen = [self.page.quantity(value) for value in self.flow.unseen]
        if unseen:
            self.problems.append(
                Problem(
                    "note",
                    "gradient-from-autograd",
                    f"{len(unseen)} tensors went into operations that could not be seen; the gradients "
                    "that reach them are autograd's own.",
                    where=shorten([q.letter + q.layer for q in unseen]),
                    count=len(unseen),
                )
            )
        return steps

    def _backward_step(self, call: Call, sent: dict[int, Tensor]) -> Step:
        rule, page = self.rules[id(call)], self.page
        step = Step(self._title(call), call.place)
        step.equations = rule.backward_equations(call, page)
        if not rule.complete:
            step.remarks.append(f"No equation for '{call.name}': what autograd sends back through it.")
        if self.wanted(call):
            step.children += [self._inner_step(inner) for inner in rule.inner_back(call, page)]
        for value in call.inputs:
            if id(value) in sent:
                self._tell_sent(step, call, value, sent[id(value)])
        return step

    def _tell_sent(self, step: Step, call: Call, value: Value, piece: Tensor) -> None:
        rule, page = self.rules[id(call)], self.page
        last = self.flow.pieces[id(value)][-1][0] is call
        q = page.delta(value)
        if last and value.compared and value.grad is not None:
            error = relative(self.flow.arrived[id(value)], value.grad, self.flow.floor(value))
            step.checks.append(Check(f"autograd's gradient of {label(page.quantity(value))}", error, TOLERANCE))
        several = len(self.flow.pieces[id(value)]) > 1 or not last
        left = q
        if several:
            left = Quantity("s", f"{call.number + 1}", real_numbers(piece), one_sample=q.one_sample)
            step.remarks.append(f"s({left.layer}) is what this use of {label(page.quantity(value))} sends back.")
        step.values.append(left)
        if not self.wanted(call):
            return
        chosen, remark = self._on_path(value) or self._choose(piece, piece)
        if piece.is_complex() or call.out.data.is_complex():
            chosen, remark = [], _PAIRS
        if remark and not rule.moves:
            step.remarks.append(f"{label(page.quantity(value))}: {remark}")
        for index in chosen[:1] if rule.moves else chosen:
            said = rule.sent(call, page, value, index)
            if said is not None and not (rule.moves and piece.numel() > 4):
                step.lines.append(self._line(left[index], said))
        if several and last:
            shares = [
                Quantity("s", "unseen" if c is None else f"{c.number + 1}", real_numbers(p), one_sample=q.one_sample)
                for c, p in reversed(self.flow.pieces[id(value)])
            ]
            child = Step(f"{len(shares)} uses of {label(page.quantity(value))}, added", values=[q])
            child.lines = [self._line(q[i], sum_of([s[i] for s in shares])) for i in self._choose(q.data, q.data)[0]]
            step.children.append(child)

    # ---------------------------------------------------------------------------------------------- helpers

    def _title(self, call: Call) -> str:
        rule = self.rules[id(call)]
        title = _TITLES.get(rule.name, rule.name) or f"operation {call.name}"
        return f"{title}: {call.name.removesuffix('.get')}" if rule.name == moves.REARRANGED else title

    def wanted(self, call: Call) -> bool:
        """Whether an operation is worked out, or only summed up."""
        layer = self.detail.layer
        return (
            layer is None or call.place == layer or call.place.startswith(f"{layer}.") or call.number >= self.loss_from
        )

    def _line(self, left: Expr, equation: Expr) -> Line:
        return settle_line(left, equation, evaluate(left), self.detail.digits)

    def _on_path(self, value: Value) -> tuple[list[Index], str] | None:
        """The entries of a value that the next lines use, and a sentence on the others."""
        if id(value) not in self.path:
            return None
        chosen = self.path[id(value)]
        told = f"{len(chosen)} of {value.data.numel():,} numbers are worked out, some that the next lines use"
        return chosen, f"{told}; all were compared."

    def _choose(self, data: Tensor, weight: Tensor | None) -> tuple[list[Index], str]:
        """Which entries are worked out, and a sentence on the others."""
        return choose(data, weight, self.detail)


def choose(data: Tensor, weight: Tensor | None, detail: Detail) -> tuple[list[Index], str]:
    """Entries to be worked out: all of a few, else those with the largest gradient, or the unit asked for."""
    n = data.numel()
    if detail.unit is not None and data.ndim:
        wanted = tuple(i - 1 for i in detail.unit)
        index = (0,) * (data.ndim - len(wanted)) + wanted[-data.ndim :]
        if all(0 <= i < size for i, size in zip(index, data.shape, strict=True)):
            return [index], f"1 of {n:,} numbers is worked out, the one asked for." if n > 1 else ""
    if n <= detail.few:
        return every(data.shape), ""
    size = (data if weight is None else weight).abs().reshape(-1)
    top = torch.topk(size, min(detail.units, n)).indices.sort().values
    by = "largest" if weight is None else "those with the largest gradient"
    chosen = [tuple(int(i) for i in torch.unravel_index(t, data.shape)) for t in top]
    return chosen, f"{len(chosen)} of {n:,} numbers are worked out, {by}; all were compared."


def label(q: Quantity) -> str:
    """A quantity's symbol in text."""
    from workings.solutions.text import write

    return write(as_symbol(q), numbers=False)
