"""How far samples that were drawn are from real ones: nothing but distances between samples.

energy     ℰ = 2 E‖x − x̃‖ − E‖x − x'‖ − E‖x̃ − x̃'‖, pairs of different samples; its expectation is 0 where both are
           distributed alike, and positive elsewhere. Székely and Rizzo 2013.
precision  the share of drawn samples x̃ that lie within a real sample's ball, B(x_i, r_i): do they look real?
recall     the share of real samples that lie within a drawn sample's ball: is all that there is drawn?
coverage   the share of real samples whose own ball holds a drawn one: the same question, and one drawn sample that
           lies far from everything cannot answer it with yes

r_i is the distance of x_i to its k-th neighbour among its own kind. Precision and recall: Kynkäänniemi et al. 2019;
coverage: Naeem et al. 2020.

Legend: n real samples, m drawn, F numbers of each.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

NEIGHBOURS = 3  # k of precision and recall, as in the paper
NEIGHBOURS_COVERED = 5  # k of coverage


def energy_distance(x_nF: Tensor, made_mF: Tensor) -> float:
    """ℰ in the unit of the samples; it may lie a little below 0, as it is estimated without bias."""
    x, made = x_nF.flatten(1).float(), made_mF.flatten(1).float()
    n, m = len(x), len(made)
    assert min(n, m) > 1
    between = torch.cdist(x, made).double().mean()
    within = torch.cdist(x, x).double().sum() / (n * (n - 1)) + torch.cdist(made, made).double().sum() / (m * (m - 1))
    return float(2 * between - within)


@dataclass(frozen=True)
class Manifolds:
    """(m,) bool: drawn samples within the real ones; (n,) bool twice: real samples within the drawn, and covered."""

    precise: Tensor
    recalled: Tensor
    covered: Tensor


def manifolds(x_nF: Tensor, made_mF: Tensor, k: int = NEIGHBOURS, k_covered: int = NEIGHBOURS_COVERED) -> Manifolds:
    """Which samples lie where; both sets need more than ``k_covered`` samples."""
    x, made = x_nF.flatten(1).float(), made_mF.flatten(1).float()
    assert min(len(x), len(made)) > max(k, k_covered)
    between_nm = torch.cdist(x, made)
    # A sample is its own nearest, at distance 0.
    real_nn, drawn_mm = torch.cdist(x, x), torch.cdist(made, made)
    real_n, drawn_m = real_nn.kthvalue(k + 1, 1).values, drawn_mm.kthvalue(k + 1, 1).values
    covering_n = real_nn.kthvalue(k_covered + 1, 1).values
    return Manifolds(
        (between_nm <= real_n[:, None]).any(0),
        (between_nm <= drawn_m[None]).any(1),
        (between_nm <= covering_n[:, None]).any(1),
    )
