"""Blocks of the convex program, and the neurons of a network that belong together.

In scaled form, ||u_j|| = |alpha_j|, a network is its weights w_j = u_j |alpha_j| and signs, with
the objective l(sum_j sign_j (X w_j)_+) + beta sum_j ||w_j||. On a closed chamber (X .)_+ is linear:
neurons of one chamber and sign can be added up without a change of the predictions.

Terms are those of Wang, Lacotte and Pilanci (The hidden convex optimization landscape of
regularized two-layer ReLU networks, ICLR 2022): *nearly minimal* is scaled, with neurons of one
face, sign(Xu), and one sign collinear; *minimal* has at most one for each face and sign. Every
stationary network is nearly minimal (theorem 2), whereas neurons on two faces of a chamber need not
be collinear. Neurons are added up by chambers, which leaves fewer.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from arrangements import Dichotomies
from cvxlayer.errors import InputError

from .weights import caratheodory, contributions, sums

__all__ = ["Blocks", "faces", "factors", "from_blocks", "groups", "to_blocks"]


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


def groups(problem: Any, network: Any, by: str = "chamber", *, zero_tol: float = 1e-9
           ) -> list[np.ndarray]:
    """Neurons that share a chamber, or a face, and a sign: index arrays, in the order of their
    first neurons.

    Neurons that contribute nothing (u or alpha zero) are in none. By chambers, one that lies on
    hyperplanes belongs to the chamber that `Arrangement.dichotomies_at` gives, always the same; by
    faces, to its own, see `faces`.
    """
    problem.check_network(network)
    used = np.flatnonzero((network.U != 0).any(axis=0) & (network.alpha != 0))
    U = network.U[:, used]
    rows = (faces(problem.arrangement, problem.X, U, zero_tol) if by == "face"
            else problem.arrangement.dichotomies_at(U.T).packed)
    return [used[members] for members in _alike(rows, network.alpha[used])]


def faces(arrangement: Any, X: np.ndarray, U: np.ndarray, zero_tol: float) -> np.ndarray:
    """sign(X u) for columns u, int8 (m, n), with zeros where |x_i.u| < zero_tol ||x_i|| ||u||.

    A neuron that belongs on a hyperplane is there up to rounding only, if training or a solver gave
    it; the signs are those of a point nearby. They depend on u alone, so that to share them is an
    equivalence of neurons; rows of one hyperplane are zero together. With a zero_tol of 0, and away
    from hyperplanes, they are exact.
    """
    signs: np.ndarray = arrangement.signs_at(U.T)
    near = np.abs(X @ U) < zero_tol * np.outer(np.linalg.norm(X, axis=1),
                                               np.linalg.norm(U, axis=0))
    _, first, own = np.unique(arrangement.parallel_classes[0], return_index=True,
                              return_inverse=True)
    signs[near[first[own]].T] = 0
    return signs


def _alike(rows: np.ndarray, signs: np.ndarray) -> list[np.ndarray]:
    """Indices with one row and sign, in the order of the first ones."""
    found: dict[tuple[bytes, bool], list[int]] = {}
    for j, (row, sign) in enumerate(zip(rows, signs, strict=True)):
        found.setdefault((row.tobytes(), bool(sign > 0)), []).append(j)
    return [np.array(members) for members in found.values()]


def to_blocks(problem: Any, network: Any) -> Blocks:
    """sum_j u_j |alpha_j| over the neurons of each chamber and sign."""
    W, signs = network.weights
    members = _lasting(W, groups(problem, network))
    first = [g[0] for g in members]
    return Blocks(
        problem.arrangement.dichotomies_at(network.U[:, first].T),
        sums(W, members), signs[first])


def from_blocks(blocks: Blocks, zero_tol: float) -> tuple[np.ndarray, np.ndarray]:
    """Weights of blocks, added up for each face and sign, and their signs."""
    arrangement = blocks.patterns.arrangement
    if arrangement is None:
        raise InputError("patterns of the blocks must have their arrangement for weights to be "
                         "merged by faces, got some without; Dichotomies(..., arrangement=A)")
    used = np.flatnonzero((blocks.weights != 0).any(axis=0))
    W, signs = blocks.weights[:, used], np.asarray(blocks.signs)[used]
    rows = faces(arrangement, arrangement.to_numpy(), W, zero_tol)
    members = _lasting(W, _alike(rows, signs))
    return sums(W, members), signs[[g[0] for g in members]]


def _lasting(W: np.ndarray, members: list[np.ndarray]) -> list[np.ndarray]:
    """Without groups that cancel, as w and -w with Xw = 0 do: their sum is rounding."""
    return [g for g in members if np.linalg.norm(W[:, g].sum(axis=1))
            > 4 * len(g) * 2.0**-53 * np.linalg.norm(W[:, g], axis=0).sum()]


def factors(problem: Any, network: Any) -> np.ndarray:
    """c >= 0, at most n + 1 not zero, such that the weights c_j w_j have the same predictions and
    the same sum of lengths (Caratheodory)."""
    problem.check_network(network)
    return caratheodory(contributions(problem, *network.weights))
