"""The perceptron's own rule: w ← w + η(y − ŷ)x and b ← b + η(y − ŷ), on mistakes only.

Rosenblatt 1958. Samples are taken one by one. For one output ŷ = 1 where z ≥ 0, else 0; for K > 2 outputs each is
a perceptron of its own that tells its class from the rest. The loss reported is the share of mistakes.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from workings.learning.rules import Batches
from workings.nets.perceptron import Perceptron


class PerceptronRule:
    """Learns from mistakes; finished after an epoch without any.

    net: a :class:`Perceptron` (one output, or K). eta: η.
    """

    def __init__(self, net: nn.Module, eta: float = 1.0) -> None:
        assert isinstance(net, Perceptron)
        self.net: nn.Module = net
        self.eta = eta
        self._W = net.output.weight.data
        self._b = net.output.bias.data
        # Mistakes since `finished` was last asked; a tensor, so that a checkpoint holds it.
        self._mistakes = torch.zeros((), dtype=torch.int64)

    def advance(self, x: Batches, y: Batches, weight: Tensor | None, step: int) -> Tensor:
        """See :class:`workings.learning.rules.LearningRule`; weights are not part of the rule and change nothing."""
        return torch.stack([self._batch(x_BD.flatten(1), y_B) for x_BD, y_B in zip(x, y, strict=True)])

    def _batch(self, x_BD: Tensor, y_B: Tensor) -> Tensor:
        K = self._W.shape[0]
        t_BK = y_B[:, None].to(x_BD.dtype) if K == 1 else torch.nn.functional.one_hot(y_B, K).to(x_BD.dtype)
        start, mistakes = 0, 0
        while start < len(x_BD):
            # Nothing changes until the next mistake, so all samples up to it are judged at once.
            z_BK = x_BD[start:] @ self._W.T + self._b
            error_BK = t_BK[start:] - (z_BK >= 0).to(x_BD.dtype)
            wrong = torch.nonzero(error_BK.abs().sum(dim=1))
            if len(wrong) == 0:
                break
            i = int(wrong[0])
            self._W += self.eta * torch.outer(error_BK[i], x_BD[start + i])
            self._b += self.eta * error_BK[i]
            mistakes += 1
            start += i + 1
        self._mistakes += mistakes
        return torch.tensor(mistakes / len(x_BD))

    def learning_rate(self, step: int) -> float:
        """η, constant."""
        return self.eta

    def tensors(self) -> dict[str, Tensor]:
        """Parameters under their own names, and the count of mistakes."""
        return {
            "weight": self._W,
            "bias": self._b,
            "optimiser.mistakes": self._mistakes,
        }

    def finished(self, epoch: int) -> str | None:
        """Converged once a whole pass over the rows made no mistake."""
        mistakes = int(self._mistakes)
        self._mistakes.zero_()
        return f"the perceptron converged: an epoch ({epoch}) without a mistake" if mistakes == 0 else None


def separable(x_ND: Tensor, y_N: Tensor) -> bool | None:
    """Whether a hyperplane separates the classes 0 and 1: is there (w, b) with s(w·x + b) ≥ 1, s = ±1, for all rows?

    Answered exactly by linear programming (Minsky and Papert's question). None where the solver cannot say.
    """
    import numpy as np
    from scipy.optimize import linprog

    x = x_ND.flatten(1).double().numpy()
    s = np.where(y_N.numpy() > 0, 1.0, -1.0)[:, None]
    A = -s * np.hstack([x, np.ones((len(x), 1))])
    answer = linprog(np.zeros(A.shape[1]), A_ub=A, b_ub=-np.ones(len(x)), bounds=(None, None), method="highs")
    return {0: True, 2: False}.get(answer.status)
