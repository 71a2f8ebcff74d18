"""What a record is made of: values of tensors at a moment, and the operations between them, which can be repeated."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_flatten, tree_map


@dataclass(eq=False)
class Value:
    """A tensor at one moment. grad: ∂L/∂value by autograd, once backward has run. kind: what it is if no operation of
    the record made it: "input", "target", "parameter", "buffer", "constant", or "unseen" where an operation that could
    not be seen did. compared: whether autograd has a gradient of just this value; of a part that is then changed in
    place it has none, for there the change is one of the whole.
    """

    data: Tensor
    kind: str = ""
    name: str = ""
    made_by: Call | None = None
    grad: Tensor | None = None
    needs_grad: bool = False
    users: list[Call] = field(default_factory=list)
    letter: str = ""
    layer: str = ""
    compared: bool = True


@dataclass(frozen=True)
class Opened:
    """A function of which the parts were recorded: the calls from number ``before`` to ``after``, less one. made: by
    the parts, given: by the function itself.
    """

    name: str
    place: str
    before: int
    after: int
    made: list[Tensor]
    given: list[Tensor]


@dataclass(eq=False)
class Call:
    """One operation. args and kwargs hold Values where the operation took tensors; ``place`` is the module's path.

    generator: the state of torch's generator before it. own: the parameters of a
    module that is taken as one operation, by their names in it.
    """

    func: Callable[..., Any]
    name: str
    place: str
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    inputs: list[Value]
    outputs: list[Value] = field(default_factory=list)
    module: nn.Module | None = None
    generator: Tensor | None = None
    number: int = 0
    own: dict[str, Value] = field(default_factory=dict)

    @property
    def out(self) -> Value:
        return self.outputs[0]

    def bound(self, *names: str, **defaults: Any) -> list[Any]:
        """The arguments by their names, in that order, whether they were given by place or by name."""
        found = dict(zip(names, self.args, strict=False)) | self.kwargs
        return [found.get(name, defaults.get(name)) for name in names]


def replay(call: Call, gradients: list[Tensor | None]) -> tuple[list[Tensor], dict[int, Tensor]]:
    """The operation again on copies of its inputs: its outputs, and what autograd sends back to each of its inputs.

    gradients: of each output; the second answer is by the id of the input Value.
    """
    leaves: dict[int, Tensor] = {}

    def put_in(x: Any) -> Any:
        if not isinstance(x, Value):
            return x
        if id(x) not in leaves:
            leaf = x.data.clone()
            leaves[id(x)] = leaf.requires_grad_(x.needs_grad and (leaf.is_floating_point() or leaf.is_complex()))
        # A copy: an operation in place must not meet a leaf.
        return leaves[id(x)].clone()

    args, kwargs = tree_map(put_in, (call.args, call.kwargs), is_leaf=lambda x: isinstance(x, Value))
    state = torch.get_rng_state()
    try:
        if call.generator is not None:
            torch.set_rng_state(call.generator)
        with torch.enable_grad():
            before = [(t, t._version) for t in tree_flatten((args, kwargs))[0] if isinstance(t, Tensor)]
            out = call.func(*args, **kwargs)
    finally:
        torch.set_rng_state(state)
    made = [t for t in tree_flatten(out)[0] if isinstance(t, Tensor)]
    outs = [t for t in made if not any(t is old and t._version == version for old, version in before)]
    outs += [t for t, version in before if t._version != version and not any(t is m for m in outs)]
    if len(outs) < len(call.outputs):
        outs = made  # .contiguous() of a copy, which is so already, gives back what it got
    wanted = [(o, g) for o, g in zip(outs, gradients, strict=False) if g is not None and o.requires_grad]
    targets = [(key, leaf) for key, leaf in leaves.items() if leaf.requires_grad]
    # A module's own parameters are no arguments: they are found by their names.
    named = [] if call.module is None else [(n, p) for n, p in call.module.named_parameters() if p.requires_grad]
    own = [p for _, p in named]
    sent: dict[int, Tensor] = {}
    if wanted and (targets or own):
        found = torch.autograd.grad(
            [o for o, _ in wanted],
            [leaf for _, leaf in targets] + own,
            [g for _, g in wanted],
            allow_unused=True,
        )
        sent = {key: g for (key, _), g in zip(targets, found, strict=False) if g is not None}
        for (name, _), g in zip(named, found[len(targets) :], strict=True):
            if g is not None:
                sent[id(call.own[name])] = g
    return [o.detach() for o in outs], sent
