"""How far each neuron is from stationary, in the sense of Clarke."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy.optimize import lsq_linear

from cvxlayer.checks import check_real
from cvxlayer.model.problem import Problem, checked

__all__ = ["Stationarity", "stationarity"]


@dataclass(frozen=True, eq=False)
class Stationarity:
    """The shortest subgradient of each neuron.

    Attributes
    ----------
    residual : ndarray of float64, shape (m,)
        Length of the shortest (beta u - alpha X'(delta v), beta alpha - v.(Xu)_+).
    relative : ndarray of float64, shape (m,)
        The same, divided by beta ||(u, alpha)||; 0 for a neuron of weight zero.
    multipliers : dict of int to (rows, delta)
        For neurons with zero activations, which rows they are and delta in [0, 1] there.
    """

    residual: np.ndarray
    relative: np.ndarray
    multipliers: dict[int, tuple[np.ndarray, np.ndarray]] = field(default_factory=dict)


def stationarity(network: Any, problem: Problem, v: np.ndarray | None = None, *,
                 zero_tol: float = 1e-9) -> Stationarity:
    """Clarke's condition for each neuron: 0 in the subdifferential of the objective.

    For neuron (u, alpha), v = -grad l at the predictions, it is

        beta u = alpha X'(delta v),    beta alpha = v.(Xu)_+,

    with delta_i = 1 where x_i.u > 0, 0 where x_i.u < 0, and some delta_i in [0, 1] where x_i.u = 0;
    the same for parallel rows, which share a kink, and 1 - delta_i for antiparallel ones.

    Parameters
    ----------
    network : Network, Solution, PyTorch module or scikit-learn MLP
    problem : Problem
    v : ndarray of float64, shape (n,), optional
        By default `problem.residual(network)`, which for losses without a gradient is one choice
        of many.
    zero_tol : float, default 1e-9
        |x_i.u| up to this times ||x_i|| ||u|| counts as zero: a trained neuron that belongs on a
        hyperplane is there up to rounding only.

    Returns
    -------
    Stationarity

    Notes
    -----
    One bounded least squares problem for each neuron that has zero activations, else a product.
    Where more hyperplanes meet at u than are independent, and v has both signs on them, the set of
    all delta is larger than Clarke's subdifferential, and the condition necessary only.
    """
    network = checked(network, problem)
    check_real("zero_tol", zero_tol, 0, 1)
    if v is None:
        v = problem.residual(network)
    X, lengths = problem.X, problem.row_lengths
    classes, orientation = (np.asarray(a) for a in problem.arrangement.parallel_classes)
    U, alpha = network.U, network.alpha
    heights = X @ U
    near = np.abs(heights) <= zero_tol * lengths[:, None] * np.linalg.norm(U, axis=0)
    near &= (classes >= 0)[:, None]
    active = (heights > 0) & ~near
    slopes = problem.beta * U - alpha * (X.T @ (active * v[:, None]))
    multipliers = {}
    for j in np.flatnonzero(near.any(axis=0)).tolist():
        rows = np.flatnonzero(near[:, j])
        terms, against = v[rows, None] * X[rows], orientation[rows] < 0
        # kinks are those of classes: (-x.u)_+ = (x.u)_+ - x.u
        kinks, kink = np.unique(classes[rows], return_inverse=True)
        member = np.where(against, -1.0, 1.0) * (kink == np.arange(len(kinks))[:, None])
        columns = member @ terms
        target = slopes[:, j] - alpha[j] * (against @ terms)
        delta = _bounded(alpha[j] * columns.T, target)
        slopes[:, j] = target - alpha[j] * (delta @ columns)
        multipliers[j] = rows, np.where(against, 1 - delta[kink], delta[kink])
    last = problem.beta * alpha - v @ np.maximum(heights, 0)
    residual = np.hypot(np.linalg.norm(slopes, axis=0), last)
    size = problem.beta * np.hypot(np.linalg.norm(U, axis=0), alpha)
    return Stationarity(residual, residual / np.where(size > 0, size, 1), multipliers)


def _bounded(A: np.ndarray, b: np.ndarray) -> np.ndarray:
    """x in [0, 1] with A x nearest to b."""
    x: np.ndarray = np.linalg.lstsq(A, b, rcond=None)[0]
    if not (x.min() >= -1e-12 and x.max() <= 1 + 1e-12):
        x = lsq_linear(A, b, (0, 1), method="bvls", tol=1e-14).x
    return np.asarray(np.clip(x, 0, 1))
