"""Attention: scores of a query with keys, their softmax α, the values weighted by α (Vaswani et al. 2017)."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from workings.solutions.exercises.draw import Draw
from workings.solutions.exercises.sheet import Sheet
from workings.solutions.expressions import Expr, Number, Quantity, exp, sqrt
from workings.solutions.sums import products, total

Rows = list[list[Expr]]


def attention(draw: Draw, difficulty: int) -> Sheet | None:
    """One query by dot products; two queries, scaled; those of an input, each place seeing the ones up to it."""
    d = 2
    if difficulty < 3:
        n, m = (1, 2) if difficulty == 1 else (2, 3)
        sheet = Sheet("Attention: one query" if n == 1 else "Scaled dot-product attention")
        scale = " divided by √d, d = 2," if difficulty == 2 else ""
        sheet.tell(
            f"The rows of Q are queries, of K keys, of V values. A score is s = q·k,{scale} α is the softmax of each "
            "row of scores, and each output is the sum of the values weighted by α."
        )
        Q = sheet.tensor("Q", draw.image(n, d, -1, 2))
        K, V = sheet.tensor("K", draw.image(m, d, -1, 2)), sheet.tensor("V", draw.image(m, d, 0, 5))
        causal = False
    else:
        n = m = 3 if draw.whole(0, 1) else 2
        sheet = Sheet("Self-attention in which each place sees those up to it")
        sheet.tell(
            "The rows of X are the places of a sequence. Q = X A, K = X B, V = X C. A score is s = q·k/√d, d = 2, of a "
            "query with the keys of its own place and those before it; α is their softmax, and each output the sum of "
            "the values weighted by α. What is not seen has α = 0."
        )
        X = sheet.tensor("X", draw.image(n, d, -1, 2))
        made = []
        for letter, by, what in (("Q", "A", "Queries"), ("K", "B", "Keys"), ("V", "C", "Values")):
            W = sheet.tensor(by, draw.image(d, d, -1, 1))
            if not float(torch.linalg.det(W.data)):
                return None
            sheet.begin(what)
            rows: Rows = [[products([(X[i, k], W[k, j]) for k in range(d)]) for j in range(d)] for i in range(n)]
            made.append(sheet.work_all(letter, rows))
            sheet.find(what.lower(), made[-1])
        Q, K, V = made
        causal = True
    return _work(sheet, Q, K, V, difficulty > 1, causal=causal)


def _work(sheet: Sheet, Q: Quantity, K: Quantity, V: Quantity, scaled: bool, *, causal: bool) -> Sheet | None:
    n, m, d = len(Q.data), len(K.data), Q.data.shape[1]
    scores = Q.data @ K.data.T / (d**0.5 if scaled else 1)
    seen = torch.ones(n, m, dtype=torch.bool).tril() if causal else torch.ones(n, m, dtype=torch.bool)
    if any(len(set(row[mask].tolist())) < int(mask.sum()) for row, mask in zip(scores, seen, strict=True)):
        return None  # equal scores make a dull softmax
    if float(scores.abs().max()) > 6:
        return None
    sheet.begin("Scores")
    rows = [
        [_scaled(products([(Q[i, k], K[j, k]) for k in range(d)]), d, scaled) for j in range(m) if seen[i, j]]
        for i in range(n)
    ]
    S = [sheet.work_all(f"s{'₁₂₃'[i]}" if n > 1 else "s", row) for i, row in enumerate(rows)]
    sheet.begin("Softmax")
    alpha = []
    for i, s in enumerate(S):
        whole = [exp(s[(j,)]) for j in range(len(s.data))]
        letter = f"α{'₁₂₃'[i]}" if n > 1 else "α"
        alpha.append(sheet.work_all(letter, [each / total(whole) for each in whole]))
    sheet.begin("Outputs")
    out: Sequence[Sequence[Expr]] = [
        [products([(alpha[i][(j,)], V[j, c]) for j in range(len(alpha[i].data))]) for c in range(V.data.shape[1])]
        for i in range(n)
    ]
    o = sheet.work_all("o", out if n > 1 else out[0])
    reference = torch.nn.functional.scaled_dot_product_attention(
        Q.data[None], K.data[None], V.data[None], is_causal=causal, scale=1 / d**0.5 if scaled else 1.0
    )
    sheet.compare("torch's attention", o, reference)
    for i in range(n):
        row = f" of row {i + 1}" if n > 1 else ""
        sheet.find(f"the scores{row}", S[i])
        sheet.find(f"the weights{row}", alpha[i])
    sheet.find("the outputs" if n > 1 else "the output", o)
    return sheet


def _scaled(dot: Expr, d: int, scaled: bool) -> Expr:
    return dot / sqrt(Number(d)) if scaled else dot
