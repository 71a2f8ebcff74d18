"""Another sampling rate, by a windowed sinc.

A recording holds what its samples say up to half its rate. With r the new rate over the old one, c = 0.95·min(1, r) the
share of the old band that is kept, and Z zeros of the sinc on either side,

    y[n] = Σₘ x[m] h(n / r − m),      h(t) = c sinc(ct) · ½ (1 + cos(π c t / Z)),   |ct| < Z

(Smith, Digital Audio Resampling). The weights of each y[n] are divided by their sum, so that a constant stays one.
Beyond its ends the recording is 0. n / r has only as many different fractions as the reduced ratio has upper parts, so
the weights of each fraction are computed once.

Legend: L old samples, P positions computed at once, J neighbours.
"""

from __future__ import annotations

import math
from functools import lru_cache

import torch
import torch.nn.functional as F
from torch import Tensor

ZEROS = 16  # Z
KEPT = 0.95
AT_ONCE = 1 << 15  # positions
MOST_FRACTIONS = 4_096


def resample(x_L: Tensor, old: int, new: int) -> Tensor:
    """x (L,) at ``old`` hertz → (⌈L·new/old⌉,) at ``new`` hertz; the very same tensor where the rates are equal."""
    if old == new:
        return x_L
    common = math.gcd(old, new)
    up, down = new // common, old // common
    reach = math.ceil(ZEROS / (KEPT * min(1.0, up / down)))
    length = -(-len(x_L) * up // down)
    padded = F.pad(x_L.float(), (reach, reach + 1))
    offsets_J = torch.arange(-reach + 1, reach + 1)
    table = _weights(up, down, torch.arange(up), reach) if up <= min(MOST_FRACTIONS, length) else None
    pieces = []
    for start in range(0, length, AT_ONCE):
        n_P = torch.arange(start, min(start + AT_ONCE, length))
        whole_P = n_P * down // up
        weights_PJ = table[n_P % up] if table is not None else _weights(up, down, n_P % up, reach)
        near_PJ = padded[whole_P[:, None] + offsets_J + reach]
        pieces.append((near_PJ * weights_PJ).sum(1))
    return torch.cat(pieces)


def _weights(up: int, down: int, fraction_P: Tensor, reach: int) -> Tensor:
    """(P, J): h at the neighbours of positions whose number modulo ``up`` is ``fraction_P``."""
    if len(fraction_P) == up:
        return _all_weights(up, down, reach)
    return _computed(up, down, fraction_P, reach)


@lru_cache(maxsize=8)
def _all_weights(up: int, down: int, reach: int) -> Tensor:
    return _computed(up, down, torch.arange(up), reach)


def _computed(up: int, down: int, fraction_P: Tensor, reach: int) -> Tensor:
    c = KEPT * min(1.0, up / down)
    behind_P = (fraction_P * down % up).double() / up  # how far n / r lies behind a sample
    t_PJ = behind_P[:, None] - torch.arange(-reach + 1, reach + 1)
    h_PJ = torch.sinc(c * t_PJ) * 0.5 * (1 + torch.cos(math.pi * (c * t_PJ / ZEROS).clamp(-1, 1)))
    return (h_PJ / h_PJ.sum(1, keepdim=True)).float()
