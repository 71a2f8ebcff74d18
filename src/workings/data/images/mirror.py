"""May these images be mirrored? Asked of the images themselves, before any training.

Each of a sample of training images is given the class of its nearest neighbour, once as it is and once mirrored left
to right. Where mirrored images find their class as often, mirroring keeps the class; digits and letters fail at once,
and so does a single pair of classes that are each other's mirror image, which the classes one by one show.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from workings.data.images.sources import ImageSource

SAMPLE = 2_000
SIDE = 16  # pixels: enough to tell things apart, few enough for a distance that forgives small shifts
KEPT_SHARE = 0.85  # of the right answers that must stay right
CLASS_DROP = 0.25  # of a class's images that may lose their class, plus three standard errors


@dataclass(frozen=True, slots=True)
class MirrorEvidence:
    """Shares of right nearest neighbours, as they are and mirrored, over ``n`` images; and what follows."""

    n: int
    plain: float
    mirrored: float
    worst_class: str | None  # a class whose images stop being recognised when mirrored
    keeps_class: bool

    @property
    def reason(self) -> str:
        """One sentence for the user."""
        seen = f"nearest neighbours name {self.plain:.0%} of {self.n:,} images rightly, mirrored {self.mirrored:.0%}"
        if self.keeps_class:
            return f"{seen}: mirroring keeps the class"
        if self.worst_class is not None:
            return f"{seen}, and '{self.worst_class}' stops being recognised: images are not mirrored"
        return f"{seen}: mirroring changes what is seen, so images are not mirrored"


def mirror_evidence(source: ImageSource) -> MirrorEvidence | None:
    """The evidence, or None where it says nothing: nearest neighbours are hardly better than the largest class."""
    order = torch.randperm(len(source), generator=torch.Generator().manual_seed(0))[:SAMPLE].sort().values
    y_N = source.y[order]
    if len(y_N) < 50 or len(torch.unique(y_N)) < 2:
        return None
    x_NCHW = source.x(order)
    height, width = (min(side, SIDE) for side in x_NCHW.shape[2:])
    small_NCHW = F.adaptive_avg_pool2d(x_NCHW, (height, width))
    right_N = _nearest(small_NCHW, small_NCHW, y_N)
    right_mirrored_N = _nearest(small_NCHW.flip(3), small_NCHW, y_N)
    n, plain, mirrored = len(y_N), right_N.float().mean().item(), right_mirrored_N.float().mean().item()
    majority = torch.bincount(y_N).max().item() / n
    if plain < 1.5 * majority and plain < majority + 0.5 * (1 - majority):
        return None
    worst = _worst_class(y_N, right_N, right_mirrored_N)
    name = None if worst is None else source.classes[worst] if source.classes else str(worst)
    return MirrorEvidence(n, plain, mirrored, name, worst is None and mirrored >= KEPT_SHARE * plain)


def _nearest(query_NCHW: Tensor, among_NCHW: Tensor, y_N: Tensor) -> Tensor:
    """Whether the nearest other image has the same class, (N,) bool; the image itself does not count."""
    distance_NN = torch.cdist(query_NCHW.flatten(1), among_NCHW.flatten(1))
    distance_NN.fill_diagonal_(float("inf"))
    return y_N[distance_NN.argmin(1)] == y_N


def _worst_class(y_N: Tensor, right_N: Tensor, right_mirrored_N: Tensor) -> int | None:
    """The class that loses most of its images by mirroring, where that is beyond chance."""
    worst, most = None, 0.0
    for k in torch.unique(y_N).tolist():
        member_N = y_N == k
        n = int(member_N.sum())
        drop = (right_N[member_N].float().mean() - right_mirrored_N[member_N].float().mean()).item()
        if drop > CLASS_DROP + 3 * (0.25 / n) ** 0.5 and drop > most:
            worst, most = int(k), drop
    return worst
