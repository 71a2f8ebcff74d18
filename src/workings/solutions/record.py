"""What a net really did in one learning step: every operation with its inputs, outputs and gradients, in float64.

Operations are seen at the level at which models are written (``F.linear``, ``torch.relu``, ``x + y``), by a torch
function mode, so control flow, reused modules, functions in ``forward`` and tied weights need nothing special. A module
for which there is a rule of its own (dropout, a fused LSTM) is taken as one operation.

A function of torch that is a composition (RMS norm, the standard deviation) can be opened: what it is made of is
done and recorded in its place, and what it gave itself is kept to compare with. Numbers stay float64 (``casting``); a
change in place through a view is a change of the whole (``views``).

Traps: a tensor changed in place is the same object with another version, so a ``Value`` is an object at a version, its
data copied at that moment. A gradient is caught by a hook on the node of autograd that made that version: it gets the
gradient of what the tensor was then. (Hooks on a tensor crash torch where a view was changed through its whole.) Hooks
on modules would see the sum over all uses, and break on in-place.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_flatten, tree_map
from torch.utils.checkpoint import CheckpointFunction

from workings.solutions import views
from workings.solutions.calls import Call, Opened, Value
from workings.solutions.casting import DEFINED, in_float64
from workings.solutions.operations import NO_OPERATION, name_of

_OPENED = ("multi_head_attention_forward",)  # written by torch in operations that have their own equations
_DRAWING = ("rand", "randn", "normal")


class Record(TorchFunctionMode):
    """Records while it is entered. atomic: which modules are one operation. parts: the function to be recorded in the
    place of one that is called, by its name and arguments; None where it is recorded itself.
    """

    def __init__(
        self,
        net: nn.Module,
        atomic: Callable[[object], bool] = lambda _: False,
        parts: Callable[[str, Any, Any], Callable[..., Any] | None] = lambda *_: None,
    ) -> None:
        super().__init__()
        self.net = net
        self.atomic = atomic
        self.parts = parts
        self.opened: list[Opened] = []
        self.casts: set[tuple[str, str]] = set()
        self.defined: set[str] = set()
        self.unseen: list[Value] = []
        self.calls: list[Call] = []
        self.values: dict[int, tuple[Tensor, int, Value]] = {}
        self.parameters: dict[str, Value] = {}
        self.path: list[str] = []
        self._paused = 0
        names: dict[int, str] = {}
        for name, p in net.named_parameters():
            if id(p) not in names:
                names[id(p)] = name
                value = Value(p.detach(), "parameter", name, needs_grad=p.requires_grad)
                self.parameters[name] = value
                self.values[id(p)] = (p, p._version, value)
        for name, buffer in net.named_buffers():
            self.values[id(buffer)] = (buffer, buffer._version, Value(buffer.detach().clone(), "buffer", name))

    # ------------------------------------------------------------------------------------------ tensors

    def note(self, tensor: Tensor, kind: str, name: str) -> Value:
        """Make a tensor known before it is used: an input or a target."""
        with self._quiet():
            value = Value(tensor.detach().clone(), kind, name, needs_grad=tensor.requires_grad)
            self._keep(tensor, value)
        return value

    def _keep(self, tensor: Tensor, value: Value) -> None:
        self.values[id(tensor)] = (tensor, tensor._version, value)
        if tensor.requires_grad and value.needs_grad:

            def caught(g: Tensor | None) -> None:
                if g is None:  # of several outputs of one operation, this one does not reach the loss
                    return
                value.grad = g.detach().clone() if value.grad is None else value.grad + g.detach()

            if tensor.grad_fn is None:
                tensor.register_hook(caught)
            else:
                place = tensor.output_nr
                tensor.grad_fn.register_prehook(lambda grads: caught(grads[place]))

    def value_of(self, tensor: Tensor) -> Value:
        """The value that a tensor has now."""
        known = self.values.get(id(tensor))
        if known is not None and known[1] == tensor._version:
            return known[2]
        with self._quiet():
            if isinstance(tensor, nn.Parameter) and known is not None:
                value = Value(tensor.detach().clone(), "parameter", known[2].name, needs_grad=tensor.requires_grad)
            elif tensor._base is not None and id(tensor._base) in self.values:
                where = views.places(tensor, tensor._base)
                value = self._made(views.part_of, [self.value_of(tensor._base)], tensor, where)
            elif known is not None and tensor.requires_grad:
                value = self._made(views.changed_through_detach, [known[2]], tensor, tensor.detach().clone())
            else:
                kind = "unseen" if tensor.grad_fn is not None else "constant"
                name = tensor.grad_fn.name() if tensor.grad_fn is not None else ""
                value = Value(tensor.detach().clone(), kind, name, needs_grad=tensor.requires_grad)
            self._keep(tensor, value)
        if value.kind == "unseen":
            self.unseen.append(value)
        return value

    def _made(self, func: Any, values: list[Value], tensor: Tensor, *more: Tensor) -> Value:
        """The value that a tensor has got by what was done to the memory that it shares, as an operation."""
        value = Value(tensor.detach().clone(), needs_grad=tensor.requires_grad)
        call = Call(func, func.__name__, self.path[-1] if self.path else "", (*values, *more), {}, values, [value])
        self._append(call)
        return value

    def _append(self, call: Call) -> None:
        for value in call.outputs:
            value.made_by = call
        for value in call.inputs:
            value.users.append(call)
        call.number = len(self.calls)
        self.calls.append(call)

    # --------------------------------------------------------------------------------------- operations

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if self._paused:
            return func(*args, **kwargs)
        name = name_of(func)
        if name in NO_OPERATION:
            return func(*args, **kwargs)
        if name in _OPENED:
            return self._open(func, args, kwargs)
        if name in DEFINED:
            self.defined.add(name)
            with self:
                return DEFINED[name](*args, **kwargs)
        func, args, kwargs, narrow = in_float64(func, args, kwargs)
        if narrow:
            self.casts.add((self.path[-1] if self.path else "", name))
        parts = self.parts(name, args, kwargs)
        if parts is not None:
            return self._by_parts(parts, func, name, args, kwargs)
        taken = tree_flatten((args, kwargs))[0]
        tensors = [t for t in taken if isinstance(t, Tensor)]
        if not tensors and name not in _DRAWING:
            return func(*args, **kwargs)
        return self._record(func, name, args, kwargs, None)

    def _open(self, func: Any, args: Any, kwargs: Any) -> Any:
        """Record what a function of torch's own, written in Python, does inside; it would hand itself over whole."""
        functions: Any = nn.functional
        asked = functions.has_torch_function
        functions.has_torch_function = lambda *_: False
        try:
            with self:
                return func(*args, **kwargs)
        finally:
            functions.has_torch_function = asked

    def _by_parts(self, parts: Any, func: Any, name: str, args: Any, kwargs: Any) -> Any:
        """Record the parts of a function, done on the same random numbers as it was."""
        before, state = len(self.calls), torch.get_rng_state()
        with self._quiet(), torch.no_grad():
            own_args, own_kwargs = tree_map(lambda t: t.clone() if isinstance(t, Tensor) else t, (args, kwargs))
            given = func(*own_args, **own_kwargs)
        torch.set_rng_state(state)
        with self:
            made = parts(*args, **kwargs)
            if isinstance(made, Tensor) and isinstance(given, Tensor) and made.shape == given.shape:
                made = _laid_out_as(made, given)
        tensors = [[t.detach().clone() for t in tree_flatten(x)[0] if isinstance(t, Tensor)] for x in (made, given)]
        self.opened.append(Opened(name, self.path[-1] if self.path else "", before, len(self.calls), *tensors))
        return made

    def one(self, func: Callable[..., Any], name: str, *args: Any, **kwargs: Any) -> Any:
        """Call a function as one operation, whatever it does inside."""
        return self._record(func, name, args, kwargs, None)

    def _record(self, func: Any, name: str, args: Any, kwargs: Any, module: nn.Module | None) -> Any:
        call, versions = self._begin(func, name, args, kwargs, module)
        with self._quiet():
            out = func(*args, **kwargs)
        self._end(call, versions, out)
        return out

    def _begin(self, func: Any, name: str, args: Any, kwargs: Any, module: nn.Module | None) -> tuple[Call, Any]:
        tensors = [t for t in tree_flatten((args, kwargs))[0] if isinstance(t, Tensor)]
        versions = [(t, t._version) for t in tensors]
        for tensor in tensors:
            if tensor._base is not None and id(tensor._base) in self.values:
                self.value_of(tensor._base)  # what it was, should it be changed through this view
        held_args, held_kwargs = tree_map(lambda t: self.value_of(t) if isinstance(t, Tensor) else t, (args, kwargs))
        call = Call(func, name, self.path[-1] if self.path else "", held_args, held_kwargs, [], module=module)
        call.inputs = list(dict.fromkeys(self.value_of(t) for t in tensors))
        if module is not None:
            call.own = {own: self.value_of(p) for own, p in module.named_parameters()}
            call.inputs = list(dict.fromkeys([*call.inputs, *call.own.values()]))
        # Nearly any operation may draw (attention has dropout inside), so that it can be repeated as it was.
        call.generator = torch.get_rng_state()
        return call, versions

    def _end(self, call: Call, versions: Any, out: Any) -> None:
        made = [t for t in tree_flatten(out)[0] if isinstance(t, Tensor)]
        fresh = [t for t in made if not any(t is old and t._version == version for old, version in versions)]
        changed = [t for t, version in versions if t._version != version]
        # A version is shared by all views of a memory: what was changed is what came back, or was to be written to.
        written = [t for t in changed if any(t is m for m in made) or t is call.kwargs.get("out")]
        if not written and changed:
            written = changed[:1] if call.name in ("setitem", "set_") else changed
        fresh += [t for t in written if not any(t is m for m in fresh)]
        if not fresh:
            return  # it gave back what it got: .contiguous() of what is so already
        for tensor in fresh:
            base = tensor._base if any(tensor is t for t in written) else None
            known = None if base is None else self.values.get(id(base))
            with self._quiet():
                value = Value(tensor.detach().clone(), needs_grad=tensor.requires_grad)
                if known is None:
                    self._keep(tensor, value)
            call.outputs.append(value)
            if known is not None:
                value.compared = False
        self._append(call)
        for tensor, value in zip(fresh, call.outputs, strict=True):
            if not value.compared:
                self._write_through(tensor, value)

    def _write_through(self, view: Tensor, value: Value) -> None:
        """The whole of which a view was changed is another value now."""
        whole = view._base
        assert whole is not None
        with self._quiet():
            for tensor, _, earlier in self.values.values():
                if tensor._base is whole:
                    earlier.compared = False
            where = views.places(view, whole)
            new = self._made(views.written_into, [self.values[id(whole)][2], value], whole, where)
            self._keep(whole, new)

    # ------------------------------------------------------------------------------------------ modules

    @contextmanager
    def _quiet(self) -> Iterator[None]:
        self._paused += 1
        try:
            yield
        finally:
            self._paused -= 1

    @contextmanager
    def watching(self) -> Iterator[Record]:
        """Recording, with the modules' paths known."""
        handles = []
        open_calls: list[tuple[Call, Any]] = []

        def before(path: str) -> Callable[..., None]:
            def hook(module: nn.Module, args: Any, kwargs: Any) -> None:
                self.path.append(path)
                if not self._paused and self.atomic(module):
                    open_calls.append(self._begin(module, type(module).__name__, args, kwargs, module))
                    self._paused += 1

            return hook

        def after(module: nn.Module, args: Any, kwargs: Any, out: Any) -> None:
            if open_calls and open_calls[-1][0].module is module:
                call, versions = open_calls.pop()
                self._paused -= 1
                self._end(call, versions, out)
            self.path.pop()

        for path, module in self.net.named_modules():
            # Keyed by the first path: a module used twice has one name, as its parameters have.
            handles.append(module.register_forward_pre_hook(before(path), with_kwargs=True))
            handles.append(module.register_forward_hook(after, with_kwargs=True, always_call=True))
        plain = torch.autograd.Function.__dict__["apply"]
        record = self

        def apply(cls: Any, *args: Any, **kwargs: Any) -> Any:
            func = plain.__get__(None, cls)
            if record._paused:
                return func(*args, **kwargs)
            if cls is CheckpointFunction:  # what it does is worked out twice, and recorded once
                return args[0](*args[2:])
            return record._record(func, cls.__name__, args, kwargs, None)

        # A person's own autograd function is one operation; what it does inside has no gradient of its own.
        torch.autograd.Function.apply = classmethod(apply)  # type: ignore[method-assign, assignment]
        try:
            with self:
                yield self
        finally:
            torch.autograd.Function.apply = plain  # type: ignore[method-assign]
            for handle in handles:
                handle.remove()


def _laid_out_as(made: Tensor, given: Tensor) -> Tensor:
    """In the same order in memory: dropout draws its numbers in that order."""
    layouts = [torch.contiguous_format, *{4: [torch.channels_last], 5: [torch.channels_last_3d]}.get(made.ndim, [])]
    wanted = [layout for layout in layouts if given.is_contiguous(memory_format=layout)]
    if not wanted or any(made.is_contiguous(memory_format=layout) for layout in wanted):
        return made
    return made.contiguous(memory_format=wanted[0])
