"""The training problem of a two-layer ReLU network, and rigorous bounds of its optimum."""

from __future__ import annotations

from copy import copy
from typing import Any

import numpy as np

from arrangements import Arrangement
from cvxlayer.errors import InputError

from .losses import LOSSES, Loss
from .network import Network

__all__ = ["Problem", "check_problem", "checked", "relative_gap"]

_U = 2.0**-53
_LARGEST = 1e75  # products of X and y can be squared


class Problem:
    """min over networks of l(sum_j (X u_j)_+ alpha_j) + beta/2 sum_j (||u_j||^2 + alpha_j^2).

    Of any width: n neurons are enough for an optimum, which is that of a convex program over the
    dichotomies D_i of X (Pilanci and Ergen 2020),

        min  l(sum_i D_i X (v_i - w_i)) + beta sum_i (||v_i|| + ||w_i||),
             (2 D_i - I) X v_i >= 0,  (2 D_i - I) X w_i >= 0.

    Parameters
    ----------
    X : array-like, shape (n, d)
        As for `arrangements.Arrangement`.
    y : array-like, shape (n,)
        Targets; for the losses "logistic" and "hinge" two classes, coded -1 and 1, or any two
        values, of which the larger becomes 1.
    beta : float
        Weight decay, positive.
    loss : {"squared", "logistic", "hinge", "absolute", "huber"} or Loss, default "squared"
        "squared" is 1/2 ||z - y||^2.
    scale : float, default 1.0
        Factor of the loss: 2 makes it ||z - y||^2, 1/n a mean.
    bias : bool, default False
        Append a column of ones to X; its weights are penalised as all others. For an Arrangement:
        it has been made with one.
    numbers : {"binary", "decimal"}, default "binary"
        How floats are read for the patterns, see `Arrangement`. All values are computed in floats.

    Attributes
    ----------
    X : ndarray of float64, shape (n, d), bias column included
    y : ndarray of float64, shape (n,)
    beta : float
    loss : Loss
    bias : bool
    arrangement : Arrangement
    classes : tuple or None
        The two labels that became -1 and 1.
    row_lengths : ndarray of float64, shape (n,)
    unit_rows : ndarray of float64, shape (n, d)
        Rows of X divided by their lengths; zero rows are zero.

    Examples
    --------
    >>> problem = Problem([[1, 0], [0, 1], [1, 1]], [1, 0, 0], 0.1)
    >>> round(problem.fit().value, 6)
    0.129024
    """

    def __init__(self, X: Any, y: Any, beta: float, *, loss: str | Loss = "squared",
                 scale: float = 1.0, bias: bool = False, numbers: str = "binary") -> None:
        self.arrangement = X if isinstance(X, Arrangement) else Arrangement(
            X, bias=bias, numbers=numbers)
        self.bias = bool(bias)
        self.X = self.arrangement.to_numpy()
        if isinstance(X, Arrangement) and bias and not (self.X[:, -1:] == 1).all():
            raise InputError("bias must be given to the Arrangement, too, whose last column is "
                             "then one of ones")
        if not np.isfinite(self.X).all():
            i, j = (int(k) for k in np.argwhere(~np.isfinite(self.X))[0])
            raise InputError(f"X must fit floats, got a larger number at row {i}, column {j}; "
                             "divide it by a power of ten")
        self.row_lengths = np.linalg.norm(self.X, axis=1)
        wrong = (self.row_lengths > _LARGEST) | (np.abs(self.X).max(axis=1, initial=0) > 0) & (
            self.row_lengths < 1 / _LARGEST)
        if wrong.any():
            i = int(np.argmax(wrong))
            raise InputError(f"X must have rows of lengths from {1 / _LARGEST:g} to {_LARGEST:g}, "
                             f"or zero, got {self.row_lengths[i]:g} at row {i}; scale the columns")
        self.unit_rows = self.X / np.where(self.row_lengths > 0, self.row_lengths, 1)[:, None]
        self.loss = _loss(loss, scale)
        self.beta = _penalty(beta)
        self.y, self.classes = _targets(y, len(self.X), self.loss)

    def __repr__(self) -> str:
        n, d = self.X.shape
        return f"Problem(n={n}, d={d}, beta={self.beta}, loss={self.loss!r}, bias={self.bias})"

    def replaced(self, *, beta: float | None = None, loss: str | Loss | None = None,
                 y: Any = None) -> Problem:
        """The problem of the same rows with another penalty, loss or targets, checked as those of
        a new one. Targets that were classes stay -1 and 1."""
        other = copy(self)
        if beta is not None:
            other.beta = _penalty(beta)
        if loss is not None:
            other.loss = _loss(loss, 1.0)
        if y is not None or other.loss.classifies != self.loss.classifies:
            other.y, other.classes = _targets(self.y if y is None else y, self.n, other.loss)
        return other

    @property
    def n(self) -> int:
        """Samples."""
        return len(self.X)

    @property
    def d(self) -> int:
        """Features, the bias column included."""
        return int(self.X.shape[1])

    def check_network(self, network: Network) -> None:
        """Refuse anything but a Network with an input weight for each column of X."""
        if not isinstance(network, Network):
            raise InputError(f"network must be a Network, got {type(network).__name__}; see "
                             "Network.from_torch and from_sklearn")
        if network.d != self.d:
            raise InputError(f"network must have {self.d} input weights"
                             + (" with the bias" if self.bias else "") + f", got {network.d}")

    def objective(self, network: Network) -> float:
        """loss + beta/2 (||U||^2 + ||alpha||^2), recomputed from X."""
        self.check_network(network)
        penalty = (network.U**2).sum() + (network.alpha**2).sum()
        return self.loss.value(network.predict(self.X), self.y) + self.beta / 2 * float(penalty)

    def objective_error(self, network: Network) -> float:
        """A bound of the rounding error of `objective`."""
        self.check_network(network)
        n, d, m = self.n, self.d, network.m
        # of the predictions, each a sum of m terms of sums of d
        heights = self.row_lengths[:, None] * np.linalg.norm(network.U, axis=0)
        e = 2 * _U * (d + m + 4) * (heights @ np.abs(network.alpha))
        z = network.predict(self.X)
        # the loss is convex: its slopes at both ends bound its change
        slopes = np.maximum(*(np.abs(self.loss.gradient(x, self.y)) for x in (z - e, z + e)))
        value = self.loss.value(z, self.y)
        penalty = self.beta / 2 * float((network.U**2).sum() + (network.alpha**2).sum())
        sums = float(np.abs(z) @ slopes + np.abs(self.y) @ slopes) + abs(value) + penalty
        # terms that underflow are less than 1e-300
        return 1.01 * float(slopes @ e) + 4 * _U * (n + d + m + 16) * sums + 1e-300

    def residual(self, network: Network) -> np.ndarray:
        """v = -grad l at the predictions, the vector that prices neurons; inside the domain of the
        conjugate."""
        self.check_network(network)
        v = -self.loss.gradient(network.predict(self.X), self.y)
        return self.loss.into_domain(v, self.y)

    def lower_bound(self, v: np.ndarray, h: float) -> float:
        """A lower bound of the optimum: -l*(-s v) for the best s with |s v.(Xu)_+| <= beta.

        Parameters
        ----------
        v : ndarray, shape (n,)
            In the domain of the conjugate, as `Loss.into_domain` makes it.
        h : float
            At least max(h(v), h(-v)), as `Arrangement.support(v, both=True).bound` is.

        Returns
        -------
        float
            Rounded outward: true for exact data, floating error included; at least that of v = 0.
        """
        return self.dual_point(v, h)[1]

    def dual_point(self, v: np.ndarray, h: float) -> tuple[np.ndarray, float]:
        """s v with |s v.(Xu)_+| <= beta for all ||u|| <= 1, and the lower bound -l*(-s v), for the
        best s; arguments and rounding as for `lower_bound`."""
        size = float(np.abs(v) @ self.row_lengths)
        largest = self.beta / (h + 8 * _U * size + 1e-300) * (1 - 8 * _U)
        if not largest >= 0:
            largest = 0.0
        points = [s * v for s in self._scales(v, largest)]
        return max(((p, self._dual(p)) for p in points), key=lambda pair: pair[1])

    def beta_max(self, *, n_jobs: int = 1) -> float:
        """The smallest beta for which the zero network is optimal: max(h(v), h(-v)) at v = -grad
        l(0), from one call of `support`; for losses without a gradient at 0 an upper bound of
        it."""
        v = self.loss.into_domain(-self.loss.gradient(np.zeros(self.n), self.y), self.y)
        return self.arrangement.support(v, both=True, n_jobs=n_jobs).value

    def fit(self, method: str = "auto", **options: Any) -> Any:
        """The optimal network, with a certificate; see `training.fit`."""
        # upward, for the user: a problem is what one trains
        from cvxlayer.training.fit import fit

        return fit(self, method, **options)

    def convex_program(self, patterns: Any = None, **options: Any) -> Any:
        """The convex program over all or some patterns; see `program.convex_program`."""
        # upward, for the user: it is this problem in other variables
        from cvxlayer.conic.program import convex_program

        return convex_program(self, patterns, **options)

    def _scales(self, v: np.ndarray, largest: float) -> list[float]:
        if self.loss.name == "squared":
            best = self.loss.scale * float(v @ self.y) / max(float(v @ v), 1e-300)
            return [0.0, min(max(best, 0.0), largest)]
        largest = min(largest, 1.0)  # s v stays in the domain, which has 0 and v
        from scipy.optimize import minimize_scalar

        found = minimize_scalar(lambda s: -self.loss.dual(s * v, self.y), bounds=(0, largest),
                                method="bounded", options={"xatol": 1e-12 * largest})
        return [0.0, largest, float(found.x)]

    def _dual(self, v: np.ndarray) -> float:
        """-l*(-v) rounded down."""
        value = self.loss.dual(v, self.y)
        terms = np.abs(v * self.y).sum() + v @ v / self.loss.scale + self.loss.scale * self.n
        return value - 8 * _U * (self.n + 8) * min(float(terms), abs(value) + float(
            np.abs(v * self.y).sum() + v @ v / self.loss.scale))


def relative_gap(value: float, lower: float) -> float:
    """How far a value can be from the optimum, in parts of itself."""
    return max(value - lower, 0.0) / max(abs(value), 1e-300)


def check_problem(problem: Any) -> None:
    """Refuse anything but a Problem; arguments may have been given in the wrong order."""
    if not isinstance(problem, Problem):
        raise InputError(f"problem must be a Problem, got {type(problem).__name__}; "
                         "Problem(X, y, beta)")


def checked(network: Any, problem: Any) -> Network:
    """The network, as `Network.of` reads it, if it is one for the problem."""
    check_problem(problem)
    found = Network.of(network)
    problem.check_network(found)
    return found


def _penalty(beta: Any) -> float:
    real = isinstance(beta, int | float | np.integer | np.floating)
    if not real or isinstance(beta, bool) or not np.isfinite(beta) or beta <= 0:
        raise InputError(
            f"beta must be a positive number, got {beta!r}; without weight decay a network is "
            "optimal exactly if v = -grad l has v.(Xu)_+ = 0 for all u (arrangement.support(v, "
            "both=True).value is 0), and minimum_norm is the limit of beta -> 0")
    return float(beta)


def _loss(loss: Any, scale: float) -> Loss:
    if isinstance(loss, Loss):
        if scale != 1:
            raise InputError(f"scale must be given to the loss itself, got {scale!r} beside "
                             f"{loss!r}")
        return loss
    if loss not in LOSSES:
        raise InputError(f"loss must be one of {', '.join(LOSSES)}, got {loss!r}")
    return LOSSES[loss](scale)


def _targets(y: Any, n: int, loss: Loss) -> tuple[np.ndarray, tuple[Any, Any] | None]:
    array = np.asarray(y)
    if array.shape != (n,):
        raise InputError(f"y must have shape ({n},), one target for each row of X, got "
                         f"{array.shape}")
    if loss.classifies:
        labels = np.unique(array)
        if len(labels) != 2:
            shown = ", ".join(str(x) for x in labels[:5].tolist())
            raise InputError(f"y must have two classes for the loss {loss.name!r}, got "
                             f"{len(labels)}: {shown}; train one network for each class")
        return np.where(array == labels[1], 1.0, -1.0), tuple(labels.tolist())
    try:
        values = array.astype(np.float64)
    except (TypeError, ValueError) as error:
        raise InputError(f"y must hold real numbers, got {array[:3].tolist()}...") from error
    if not np.isfinite(values).all():
        i = int(np.argmin(np.isfinite(values)))
        raise InputError(f"y must be finite, got {values[i]} at {i}; drop the sample")
    if np.abs(values).max(initial=0) > _LARGEST:
        raise InputError(f"y must be at most {_LARGEST:g}, got {np.abs(values).max():g}; "
                         "divide it by a power of ten")
    return values, None
