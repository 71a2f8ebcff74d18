"""Operations that only put numbers elsewhere: reshape, transpose, part, join, copy. No arithmetic, forward or backward.

Where each entry came from is found by moving numbers 0, 1, 2, … the same way.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch
from torch import Tensor
from torch.utils._pytree import tree_map

from workings.solutions.calls import Call, Value, replay
from workings.solutions.expressions import Expr, Joined, Symbol
from workings.solutions.rules.base import Equation, Index, Rule, Symbols, whole
from workings.solutions.sums import sum_of

REARRANGED = "rearranged"
NAMES = frozenset(
    "view reshape flatten unflatten permute transpose t T.get mT.get H.get mH.get getitem squeeze unsqueeze expand "
    "expand_as broadcast_to contiguous clone detach cat concat concatenate stack hstack vstack split chunk unbind "
    "movedim moveaxis swapaxes swapdims narrow select index_select take_along_dim gather repeat repeat_interleave roll "
    "flip to type double float type_as view_as reshape_as ravel tile adaptive_identity pad unfold tensor_split "
    "diagonal real data.get alias atleast_1d atleast_2d atleast_3d _unsafe_view rot90 tril triu masked_select "
    "cpu cuda requires_grad_ column_stack dstack broadcast_tensors meshgrid identity setitem copy scatter index_copy "
    "masked_scatter select_scatter slice_scatter diagonal_scatter diag diag_embed block_diag pixel_shuffle "
    "pixel_unshuffle channel_shuffle as_strided squeeze_copy index_fill hsplit vsplit dsplit adjoint mH".split()
)
FILLING = ("zero", "fill", "fill_diagonal")  # in place: what was there gets no gradient


def _is_number(value: Value) -> bool:
    return value.data.is_floating_point() or value.data.is_complex()


class Moves(Rule):
    """Each entry of the output is one of the inputs'."""

    letter = "v"
    complete = True
    moves = True

    def __init__(self, name: str = REARRANGED) -> None:
        self.name = name

    def fits(self, call: Call) -> bool:
        # pad, tril and triu put zeros in: those have no source, and are told as 0.
        moved = any(_is_number(v) for v in call.inputs)
        return moved and all(_is_number(o) for o in call.outputs)

    def equations(self, call: Call, at: Symbols) -> list[Equation]:
        moved = [v for v in call.inputs if _is_number(v)]
        parts = tuple(whole(at, v) for v in moved[:4])
        more = (Symbol("…"),) if len(moved) > 4 else ()
        return [(whole(at, o), Joined((*parts, *more), ", ")) for o in call.outputs[:1]]

    def source(self, call: Call, output: int, index: Index) -> tuple[Value, Index] | None:
        """Which number an entry of an output is; None where it is none of the inputs' (a padded zero)."""
        tags: dict[int, tuple[Value, int]] = {}
        start = 1 << 40  # what an operation fills in is no place

        def tagged(x: Any) -> Any:
            nonlocal start
            if not isinstance(x, Value) or not x.data.is_floating_point():
                return x
            if id(x) not in tags:
                tags[id(x)] = (x, start)
                start += x.data.numel()
            n = x.data.numel()
            numbers = torch.arange(tags[id(x)][1], tags[id(x)][1] + n, dtype=torch.float64).reshape(x.data.shape)
            # In the same order in memory: .contiguous() of what is so already is no operation.
            return replace(x, data=torch.empty_like(x.data).copy_(numbers), needs_grad=False)

        args, kwargs = tree_map(tagged, (call.args, call.kwargs), is_leaf=lambda x: isinstance(x, Value))
        moved: Tensor = replay(replace(call, args=args, kwargs=kwargs), [None] * len(call.outputs))[0][output]
        tag = float(moved[index])
        for value, first in tags.values():
            if first <= tag < first + value.data.numel():
                at = torch.unravel_index(torch.tensor(int(tag) - first), value.data.shape)
                return value, tuple(int(i) for i in at)
        return None

    def element(self, call: Call, at: Symbols, index: Index) -> Expr | None:
        found = self.source(call, 0, index)
        return None if found is None else at.quantity(found[0])[found[1]]

    def sent(self, call: Call, at: Symbols, to: Value, index: Index) -> Expr | None:
        if len(call.outputs) > 1 or call.out.data.numel() > 100_000:
            return None
        # By autograd's own rearrangement of numbered places: the entries of the output that this one went to.
        places = torch.arange(1, call.out.data.numel() + 1, dtype=torch.float64).reshape(call.out.data.shape)
        back = replay(call, [places])[1].get(id(to))
        if back is None:
            return None
        delta = at.delta(call.out)
        tag = float(back[index])
        if tag == 0:
            return None
        count = replay(call, [torch.ones_like(places)])[1][id(to)][index]
        if count == 1:
            return delta[tuple(int(i) for i in torch.unravel_index(torch.tensor(int(tag) - 1), places.shape))]
        return sum_of([delta[i] for i in self._goes(call, to, index)])

    def _goes(self, call: Call, to: Value, index: Index) -> list[Index]:
        mark = torch.zeros_like(to.data)
        mark[index] = 1.0

        def swapped(x: Any) -> Any:
            if not isinstance(x, Value) or not x.data.is_floating_point():
                return x
            return replace(x, data=mark if x is to else torch.zeros_like(x.data), needs_grad=False)

        args, kwargs = tree_map(swapped, (call.args, call.kwargs), is_leaf=lambda x: isinstance(x, Value))
        out = replay(replace(call, args=args, kwargs=kwargs), [None])[0][0]
        return [tuple(int(i) for i in place) for place in torch.nonzero(out)]
