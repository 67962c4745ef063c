"""A network, and how far it can be from the global optimum."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from arrangements import Dichotomies
from cvxlayer.model.network import Network
from cvxlayer.model.problem import Problem, relative_gap
from cvxlayer.model.weights import convex_value, reduced

__all__ = ["Round", "Solution", "dual_vector", "solution", "thresholded"]


class Round(NamedTuple):
    """What a round of column generation ended with."""

    number: int
    upper: float
    lower: float
    gap: float
    patterns: int
    seconds: float


@dataclass(eq=False)
class Solution:
    """A network, and how far it can be from the global optimum.

    Attributes
    ----------
    problem : Problem
    network : Network
        Scaled, merged, of at most n + 1 neurons, n if it is optimal.
    value : float
        Its objective, recomputed from X.
    lower_bound : float
        No network of any width has a smaller objective; rounded outward. For a program that was
        left without bound -inf.
    gap : float
        (value - lower_bound) / max(|value|, tiny), relative.
    v : ndarray of float64, shape (n,)
        The dual vector of `lower_bound`, before its scaling.
    weights, signs : ndarray of float64, shapes (d, k) and (k,)
        Blocks of the convex program that are not zero: w_j = u_j |alpha_j| and the sign of alpha_j.
    patterns : Dichotomies
        A chamber whose closure has w_j, for each block.
    status : str
        "optimal": the gap is at most the tolerance; "stopped": rounds, time or Ctrl-C ended it;
        "inaccurate": the solver's accuracy did not suffice; "restricted": an optimum over some
        patterns, with the gap to that over all.
    history : list of Round
    seconds : dict
        Time by what it was spent on.
    """

    problem: Problem
    network: Network
    value: float
    lower_bound: float
    gap: float
    v: np.ndarray
    weights: np.ndarray
    signs: np.ndarray
    patterns: Dichotomies
    status: str
    history: list[Round] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)

    def __repr__(self) -> str:
        return (f"Solution(value={self.value:.12g}, lower_bound={self.lower_bound:.12g}, "
                f"gap={self.gap:.2e}, neurons={self.network.m}, status={self.status!r})")


def thresholded(problem: Problem, W: np.ndarray, signs: np.ndarray
                ) -> tuple[np.ndarray, np.ndarray]:
    """Without blocks that differ from zero by no more than the solver's accuracy: the threshold
    with the least objective is taken."""
    lengths = np.linalg.norm(W, axis=0)
    largest = lengths.max(initial=0)
    choices = [(W[:, used], signs[used]) for used in (
        lengths > level * largest for level in (1, 1e-5, 1e-7, 1e-10, 0))]
    return min(choices, key=lambda pair: convex_value(problem, *pair))


def dual_vector(problem: Problem, W: np.ndarray, signs: np.ndarray, dual: np.ndarray
                ) -> np.ndarray:
    """-grad l where there is a gradient, else the solver's multipliers."""
    if problem.loss.smooth:
        dual = -problem.loss.gradient(np.maximum(problem.X @ W, 0) @ signs, problem.y)
    return problem.loss.into_domain(dual, problem.y)


def solution(problem: Problem, W: np.ndarray, signs: np.ndarray, lower: float, v: np.ndarray,
             tol: float) -> Solution:
    """The solution of given weights, of at most n + 1 neurons, with a given bound."""
    W, signs = reduced(problem, W, signs)
    network = Network.from_weights(W, signs)
    value = problem.objective(network)
    gap = relative_gap(value, lower)
    return Solution(problem, network, value, lower, gap, v, W, signs,
                    problem.arrangement.dichotomies_at(W.T),
                    "optimal" if gap <= tol else "inaccurate")
