"""Arrays of weights: merging, reduction to few columns, projections, scaling.

In scaled form, ||u_j|| = |alpha_j|, a network is its weights w_j = u_j |alpha_j|, columns of W, and
signs, with the objective l(sum_j sign_j (X w_j)_+) + beta sum_j ||w_j||.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from scipy.linalg import qr
from scipy.optimize import lsq_linear, nnls

__all__ = ["caratheodory", "collinear", "contributions", "convex_value", "merged", "nearest",
           "null_space", "reduced", "scaled_by_power", "sums"]

_DEFECT = 1e-9  # of the conditions of a projection, relative to what is projected
_EXACT = 1e-12  # relative defect of a combination that counts as rounding
_OPTIMAL = 1e-8  # relative gap of an optimum, as in `certify`


def convex_value(problem: Any, W: np.ndarray, signs: np.ndarray) -> float:
    """l(sum_j sign_j (X w_j)_+) + beta sum ||w_j||, the objective of the scaled network."""
    loss: float = problem.loss.value(np.maximum(problem.X @ W, 0) @ signs, problem.y)
    return loss + float(problem.beta) * float(np.linalg.norm(W, axis=0).sum())


def collinear(W: np.ndarray, signs: np.ndarray, tol: float) -> list[np.ndarray]:
    """Columns of one sign and direction, up to `tol`: index arrays, the longest column first in
    each, and groups in the order of these."""
    lengths = np.linalg.norm(W, axis=0)
    units = W / np.where(lengths > 0, lengths, 1)
    left, out = lengths > 0, []
    for j in np.argsort(-lengths, kind="stable"):
        if left[j]:
            apart = np.linalg.norm(units - units[:, [j]], axis=0)
            same = np.flatnonzero(left & (signs == signs[j]) & (apart <= tol))
            left[same] = False
            out.append(np.concatenate([[j], same[same != j]]))
    return out


def merged(W: np.ndarray, signs: np.ndarray, tol: float) -> tuple[np.ndarray, np.ndarray]:
    """Columns of one sign and direction, up to `tol`, added up; and their signs."""
    same = collinear(W, signs, tol)
    return sums(W, same), signs[[g[0] for g in same]]


def sums(W: np.ndarray, members: list[np.ndarray]) -> np.ndarray:
    """One column for each group of columns: their sum."""
    return np.array([W[:, g].sum(axis=1) for g in members]).reshape(len(members), len(W)).T


def caratheodory(columns: np.ndarray) -> np.ndarray:
    """c >= 0 with columns @ c = columns.sum(axis=1), to rounding, and at most rank(columns) of
    them not zero.

    Nonnegative least squares ends at independent columns; where it does not reach the sum to
    rounding, columns are taken out one by one along null vectors.
    """
    scale = np.linalg.norm(columns, axis=0)
    if not scale.any():
        return np.zeros(len(scale))
    scale[scale == 0] = 1
    unit, goal = columns / scale, columns.sum(axis=1)
    size = _EXACT * float(scale.sum())
    try:
        c, missed = nnls(unit, goal, maxiter=30 * len(scale))
        if missed <= size:
            return np.asarray(c / scale)
    except RuntimeError:
        pass
    c, limit = scale.copy(), len(columns) + 1
    while True:
        used = np.flatnonzero(c)[:limit]
        R, order = qr(unit[:, used], mode="r", pivoting=True)
        diagonal = np.abs(np.diag(R))
        rank = int((diagonal > 1e-13 * diagonal[:1].max(initial=0)).sum())
        if rank == len(used):
            return np.asarray(c / scale)
        # one dependent column in terms of the independent ones
        null = np.zeros(len(used))
        null[order[:rank]] = np.linalg.solve(R[:rank, :rank], R[:rank, rank])
        null[order[rank]] = -1
        if not (null > 0).any():
            null = -null
        with np.errstate(divide="ignore"):
            steps = np.where(null > 0, c[used] / null, np.inf)
        leaves = int(np.argmin(steps))
        c[used] = np.maximum(c[used] - steps[leaves] * null, 0)
        c[used[leaves]] = 0


def nearest(normals: np.ndarray, c: np.ndarray) -> tuple[np.ndarray, float]:
    """zeta >= 0 with the shortest c + normals' zeta, and its length, that of c projected on the
    cone {u : normals u >= 0}; not less than that, whatever the least squares gave."""
    scale = np.linalg.norm(normals, axis=1)
    unit = (normals / scale[:, None]).T
    size = float(np.linalg.norm(c))
    if len(scale) == 0 or size == 0:
        return np.zeros(len(scale)), size
    try:
        zeta = nnls(unit, -c, maxiter=30 * len(scale))[0]
    except RuntimeError:
        zeta = np.zeros(len(scale))
    u = c + unit @ zeta
    if abs(u @ (u - c)) > _DEFECT * size**2 or (u @ unit).min() < -_DEFECT * size:
        zeta = np.maximum(lsq_linear(unit, -c, (0, np.inf), method="bvls", tol=1e-15).x, 0)
    return zeta / scale, float(np.linalg.norm(c + unit @ zeta))


def contributions(problem: Any, W: np.ndarray, signs: np.ndarray) -> np.ndarray:
    """The predictions of each neuron, and its share of the penalty, of like size."""
    largest = float(problem.row_lengths.max())
    size = 1.0 if 0.01 < largest < 100 else largest or 1.0
    return np.vstack([np.maximum(problem.X @ W, 0) * signs, size * np.linalg.norm(W, axis=0)])


def reduced(problem: Any, W: np.ndarray, signs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """At most n + 1 of the weights, rescaled, with the same predictions and penalty.

    At most n, where the objective falls by no more than 1e-8 of itself: at an optimum, and wherever
    beta ||w_j|| = s_j v.(Xw_j)_+ for all neurons, the penalty is (1/beta) v times the predictions,
    so that n conditions are enough; see `Network.reduced`.
    """
    columns = contributions(problem, W, signs)
    c = caratheodory(columns)
    used = np.flatnonzero((c > 0) & (W != 0).any(axis=0))
    if len(used) > problem.n:
        lengths, value = np.linalg.norm(W, axis=0), problem.loss.value(columns[:-1].sum(axis=1),
                                                                       problem.y)
        fewer = c.copy()
        fewer[used] = _one_fewer(columns[:-1, used], lengths[used], c[used])
        before, after = (problem.beta * float(lengths @ x) for x in (c, fewer))
        if before - after <= _OPTIMAL * (value + before):
            c, used = fewer, np.flatnonzero(fewer)
    return W[:, used] * c[used], signs[used]


def _one_fewer(columns: np.ndarray, lengths: np.ndarray, c: np.ndarray) -> np.ndarray:
    """Of dependent columns one less, along a null vector on which lengths @ c does not rise."""
    null = np.linalg.svd(columns * c)[2][-1]  # of what c is multiplied by
    if null @ (lengths * c) < 0:
        null = -null
    with np.errstate(divide="ignore"):
        steps = np.where(null > 0, 1 / null, np.inf)
    fewer: np.ndarray = c * np.maximum(1 - steps.min() * null, 0)
    fewer[np.argmin(steps)] = 0
    return fewer


def null_space(rows: np.ndarray) -> np.ndarray:
    """Orthonormal basis, in columns, of the vectors orthogonal to rows of length 1."""
    if len(rows) == 0:
        return np.eye(rows.shape[1])
    _, s, vt = np.linalg.svd(rows)
    return vt[int((s > 1e-9 * s[0]).sum()) :].T


def scaled_by_power(*factors: np.ndarray) -> tuple[np.ndarray, int]:
    """b and e with 2^e b the product of the arrays, and the largest |b| about 1: neither the
    product nor squares of b over- or underflow, and b has the digits of the product."""
    mantissas, exponents = zip(*map(np.frexp, factors), strict=True)
    product, exponent = math.prod(mantissas), sum(exponents)
    used = product != 0
    top = int(exponent[used].max()) if used.any() else 0
    return np.ldexp(product, np.where(used, exponent - top, 0)), top
