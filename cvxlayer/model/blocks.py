"""Blocks of the convex program, and the neurons of a network that belong together.

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

from arrangements import Dichotomies

from .weights import caratheodory, contributions, sums

__all__ = ["Blocks", "factors", "groups", "to_blocks"]


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


def groups(problem: Any, network: Any) -> list[np.ndarray]:
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


def to_blocks(problem: Any, network: Any) -> Blocks:
    """sum_j u_j |alpha_j| over the neurons of each chamber and sign."""
    members = groups(problem, network)
    W, signs = network.weights
    # what cancels, as u and -u with Xu = 0 do, is no block
    members = [g for g in members if np.linalg.norm(W[:, g].sum(axis=1))
               > 4 * len(g) * 2.0**-53 * np.linalg.norm(W[:, g], axis=0).sum()]
    first = [g[0] for g in members]
    return Blocks(
        problem.arrangement.dichotomies_at(network.U[:, first].T),
        sums(W, members), signs[first])


def factors(problem: Any, network: Any) -> np.ndarray:
    """c >= 0, at most n + 1 not zero, such that the weights c_j w_j have the same predictions and
    the same sum of lengths (Caratheodory)."""
    problem.check_network(network)
    return caratheodory(contributions(problem, *network.weights))
