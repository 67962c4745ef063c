"""Optimality within a network's own faces: every stationary network is optimal there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from cvxlayer.checks import check_real
from cvxlayer.model.network import Network
from cvxlayer.model.problem import Problem, checked, relative_gap
from cvxlayer.model.weights import nearest, null_space

from .stationarity import stationarity

__all__ = ["SubsampledCertificate", "face_dual", "subsampled_certificate"]

_ROUNDING = 1e-13


@dataclass(frozen=True, eq=False)
class SubsampledCertificate:
    """A network as a point of the convex program over its own faces only.

    Attributes
    ----------
    optimal : bool
        gap <= tol: no network with neurons in these faces has a smaller objective.
    objective : float
        Of the network as it was given.
    lower_bound : float
        Below the objective of every network whose neurons lie in the closed faces, of any width.
    gap : float
        (objective - lower_bound) / |objective|.
    relative : ndarray of float64, shape (m,)
        `Stationarity.relative`, how far each neuron is from stationary.
    price : float
        The largest |v.(Xu)_+| over unit vectors in the faces; beta if the network is optimal.
    n_faces : int
    """

    optimal: bool
    objective: float
    lower_bound: float
    gap: float
    relative: np.ndarray
    price: float
    n_faces: int

    def __bool__(self) -> bool:
        return self.optimal


def subsampled_certificate(network: Any, problem: Problem, *, tol: float = 1e-8
                           ) -> SubsampledCertificate:
    """Is a network optimal among those with neurons in the faces that it uses?

    Parameters
    ----------
    network : Network, Solution, PyTorch module or scikit-learn MLP
    problem : Problem
        For losses without a gradient the multipliers of the program over the faces, solved by
        Clarabel, are the dual vector.
    tol : float, default 1e-8

    Returns
    -------
    SubsampledCertificate

    Notes
    -----
    A stationary network is a global optimum of the convex program over its own faces (Wang, Lacotte
    and Pilanci 2022, theorem 3): its faces, sign(Xu_j), are cones F, the program over them has the
    dual constraints max of |v.(Xu)_+| <= beta over unit u in F, and v = -grad l meets them if every
    neuron is stationary. The converse holds for scaled networks where no x_i.u_j is zero; with
    zeros, a face fixes the kink that a stationary neuron must be held by. One nonnegative least
    squares problem for each face and sign.

    Examples
    --------
    >>> from cvxlayer import Network, Problem
    >>> problem = Problem([[1.0], [-1.0]], [1.0, 1.0], 0.5)
    >>> stuck = Network([[0.5**0.5]], [0.5**0.5])  # one side of two
    >>> subsampled_certificate(stuck, problem).optimal
    True
    >>> problem.fit().value < problem.objective(stuck)
    True
    """
    network = checked(network, problem)
    check_real("tol", tol, 0, 1, open_ended=True)
    v = face_dual(network, problem)
    used = (network.U != 0).any(axis=0) & (network.alpha != 0)
    faces = np.unique(problem.arrangement.signs_at(network.U[:, used].T), axis=0)
    largest = max((_price(problem, sign * v, face) for face in faces for sign in (1, -1)),
                  default=0.0)
    size = float(np.abs(v) @ problem.row_lengths)
    lower = problem.lower_bound(v, largest + _ROUNDING * problem.d * size)
    objective = problem.objective(network)
    gap = relative_gap(objective, lower)
    return SubsampledCertificate(bool(gap <= tol), objective, lower, gap,
                                 stationarity(network, problem, v).relative, largest, len(faces))


def face_dual(network: Network, problem: Problem) -> np.ndarray:
    """A dual vector of the program over a network's faces, an optimal one if that network is: the
    residual, or for losses without a gradient the multipliers of the program."""
    if problem.loss.smooth or network.m == 0:
        return problem.residual(network)
    return problem.loss.into_domain(problem.convex_program(network).weights()[1], problem.y)


def _price(problem: Problem, v: np.ndarray, face: np.ndarray) -> float:
    """max of v.(Xu)_+ over unit vectors in a closed face: the length of a projection."""
    unit, nonzero = problem.unit_rows, problem.row_lengths > 0
    basis = null_space(unit[(face == 0) & nonzero])
    c = basis.T @ (problem.X.T @ ((face > 0) * v))
    normals = (face[:, None] * unit @ basis)[face != 0]
    if basis.shape[1] == 0 or not c.any():
        return 0.0
    if len(normals) == 0:
        return float(np.linalg.norm(c))
    return nearest(normals, c)[1]
