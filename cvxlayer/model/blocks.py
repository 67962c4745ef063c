"""Maps between networks and blocks of the convex program, and networks of fewer neurons.

In scaled form, ||u_j|| = |alpha_j|, a network is its weights w_j = u_j |alpha_j| and signs, with
the objective l(sum_j sign_j (X w_j)_+) + beta sum_j ||w_j||. On a closed chamber (X .)_+ is linear:
neurons of one chamber and sign can be added up without a change of the predictions.

Terms are those of Wang, Lacotte and Pilanci (The hidden convex optimization landscape of
regularized two-layer ReLU networks, ICLR 2022): *nearly minimal* is scaled, with neurons of one
chamber and sign collinear; *minimal* has at most one for each chamber and sign.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.linalg import qr
from scipy.optimize import lsq_linear, nnls

from arrangements import Dichotomies
from cvxlayer.errors import InputError

from .network import Network

__all__ = ["Blocks", "caratheodory", "collinear", "factors", "groups", "merged", "nearest",
           "reduced", "split", "to_blocks"]

_DEFECT = 1e-9  # of the conditions of a projection, relative to what is projected
_EXACT = 1e-12  # relative defect of a combination that counts as rounding


@dataclass(frozen=True, eq=False)
class Blocks:
    """A point of the convex program: one weight for each of some (chamber, sign) pairs.

    Attributes
    ----------
    patterns : Dichotomies
        k chambers, whose closures have the weights.
    weights : ndarray of float64, shape (d, k)
    signs : ndarray of float64, shape (k,)
        1 or -1: v_i or w_i of the program.
    """

    patterns: Dichotomies
    weights: np.ndarray
    signs: np.ndarray

    def __len__(self) -> int:
        return len(self.signs)


def groups(problem: Any, network: Network) -> list[np.ndarray]:
    """Neurons that share a chamber and a sign: index arrays, in the order of their first neurons.

    Neurons that contribute nothing (u or alpha zero) are in none. One that lies on hyperplanes
    belongs to the chamber that `Arrangement.dichotomies_at` gives, always the same.
    """
    problem.check_network(network)
    used = np.flatnonzero((network.U != 0).any(axis=0) & (network.alpha != 0))
    packed = problem.arrangement.dichotomies_at(network.U[:, used].T).packed
    found: dict[tuple[bytes, bool], list[int]] = {}
    for j, row in zip(used.tolist(), packed, strict=True):
        found.setdefault((row.tobytes(), bool(network.alpha[j] > 0)), []).append(j)
    return [np.array(members) for members in found.values()]


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
    return _sums(W, same), signs[[g[0] for g in same]]


def _sums(W: np.ndarray, members: list[np.ndarray]) -> np.ndarray:
    return np.array([W[:, g].sum(axis=1) for g in members]).reshape(len(members), len(W)).T


def to_blocks(problem: Any, network: Network) -> Blocks:
    """sum_j u_j |alpha_j| over the neurons of each chamber and sign."""
    members = groups(problem, network)
    W, signs = network.weights
    # what cancels, as u and -u with Xu = 0 do, is no block
    members = [g for g in members if np.linalg.norm(W[:, g].sum(axis=1))
               > 4 * len(g) * 2.0**-53 * np.linalg.norm(W[:, g], axis=0).sum()]
    first = [g[0] for g in members]
    return Blocks(
        problem.arrangement.dichotomies_at(network.U[:, first].T),
        _sums(W, members), signs[first])


def split(network: Network, weights: Any) -> Network:
    """Each neuron j in parts: (u_j sqrt p, alpha_j sqrt p) for p in weights[j]."""
    parts = [np.full(int(x), 1 / int(x)) if isinstance(x, int | np.integer) and x > 0
             else np.array(x, dtype=np.float64) for x in weights]
    if len(parts) != network.m:
        raise InputError(f"weights must have an entry for each of {network.m} neurons, got "
                         f"{len(parts)}")
    for j, p in enumerate(parts):
        if p.ndim != 1 or not (p >= 0).all() or not abs(p.sum() - 1) <= 1e-12:
            raise InputError(f"weights[{j}] must be a positive integer or nonnegative numbers of "
                             f"sum 1, got {weights[j]!r:.60}")
    owner = np.repeat(np.arange(network.m), [len(p) for p in parts])
    roots = np.sqrt(np.concatenate([np.zeros(0), *parts]))
    return Network(network.U[:, owner] * roots, network.alpha[owner] * roots)


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
            return c / scale
    except RuntimeError:
        pass
    c, most = scale.copy(), len(columns) + 1
    while True:
        used = np.flatnonzero(c)[:most]
        R, order = qr(unit[:, used], mode="r", pivoting=True)
        diagonal = np.abs(np.diag(R))
        rank = int((diagonal > 1e-13 * diagonal[:1].max(initial=0)).sum())
        if rank == len(used):
            return c / scale
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


def _columns(problem: Any, W: np.ndarray, signs: np.ndarray) -> np.ndarray:
    """Predictions of each neuron, and its share of the penalty, of like size."""
    largest = float(problem.row_lengths.max())
    size = 1.0 if 0.01 < largest < 100 else largest or 1.0
    return np.vstack([np.maximum(problem.X @ W, 0) * signs, size * np.linalg.norm(W, axis=0)])


def factors(problem: Any, network: Network) -> np.ndarray:
    """c >= 0, at most n + 1 not zero, such that the weights c_j w_j have the same predictions and
    the same sum of lengths (Caratheodory)."""
    problem.check_network(network)
    return caratheodory(_columns(problem, *network.weights))


def reduced(problem: Any, W: np.ndarray, signs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """At most n + 1 of the weights, rescaled, with the same predictions and penalty."""
    c = caratheodory(_columns(problem, W, signs))
    used = (c > 0) & (W != 0).any(axis=0)
    return W[:, used] * c[used], signs[used]
