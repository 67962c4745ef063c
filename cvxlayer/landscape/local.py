"""Is a network a local minimum, and if not, which way does the objective fall?

In scaled form, w_j = u_j |alpha_j| and signs s_j, F = l(z) + beta sum_j ||w_j||, z = sum_j s_j
(X w_j)_+. A convex loss lies above l(z) - v.(z' - z), v = -grad l(z), so that F at any weights w'_j
is at least F + sum_j (phi_j(w'_j) - phi_j(w_j)) with

    phi_j(w) = beta ||w|| - s_j v.(Xw)_+,

and to first order equal to it. On a closed chamber phi_j is convex. Hence a network is a local
minimum exactly if it is scaled and no phi_j falls from w_j in any direction; the Hessian of F has
nothing to add. The kink of x_i in phi_j is convex where s_j v_i <= 0, concave where s_j v_i > 0:

- on no hyperplane with a concave kink, a stationary neuron is a minimum of phi_j, over all w on its
  sides of those hyperplanes;
- on one with a concave kink phi_j falls to one side at least, unless hyperplanes that meet at w_j
  depend on each other: the slopes are a function of the form v.(Xu)_+ again, and its maximum
  decides;
- a neuron of weight zero has phi_j = beta ||w|| - s v.(Xw)_+ with either sign s: then a local
  minimum has |v.(Xu)_+| <= beta for all unit vectors u, and is global.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import numpy as np

from arrangements import Arrangement
from cvxlayer.certificates.certificate import Certificate, certify
from cvxlayer.certificates.own_faces import face_dual
from cvxlayer.certificates.stationarity import Stationarity, stationarity
from cvxlayer.checks import check_real
from cvxlayer.errors import CapacityError, InputError, SolverError
from cvxlayer.model.network import Network
from cvxlayer.model.newton import polished
from cvxlayer.model.problem import Problem, check_problem

__all__ = ["LocalMinimum", "local_minimum"]

_U = 2.0**-53
_SECONDS = 20.0  # for the hyperplanes near neurons
_NEWTON = 100  # steps
_MORE = 1 + 2.0**-50
_STEPS = 2.0 ** np.arange(-64, 64)  # until the objective is seen to fall, and falls no further

_Direction = tuple[np.ndarray, np.ndarray]  # of U and alpha


@dataclass(frozen=True, eq=False)
class LocalMinimum:
    """What is proven about a network among those of its width.

    Attributes
    ----------
    verdict : {"global", "local", "saddle", "not stationary", "unknown"}
        "global": no network of any width has an objective lower by more than tol |F|, as the
        certificate proves. "local": none within `radius`. "saddle": every neuron is stationary, yet
        F falls along `direction`. "not stationary": some neuron is not, and F falls. "unknown":
        none of these is proven.
    objective : float
        F of the network.
    lower_bound : float
        F of every network of this width within `radius` is at least this; rounded outward.
    radius : float
        ||u'_j - u_j|| and |alpha'_j - alpha_j| of those networks, at most; inf for all networks.
    direction : Network or None
        Of U and alpha, together of length 1: F is lower at U + step direction.U, alpha + step
        direction.alpha.
    step : float
        The first after which F falls no further, of steps that grow by factors of 2; 0 without a
        direction.
    decrease : float
        By how much F is lower there, at least: rounding is counted against it.
    certificate : Certificate
        What is known of all widths.
    """

    verdict: str
    objective: float
    lower_bound: float
    radius: float
    direction: Network | None
    step: float
    decrease: float
    certificate: Certificate

    def __repr__(self) -> str:
        return (f"LocalMinimum({self.verdict}, objective={self.objective:.12g}, "
                f"lower_bound={self.lower_bound:.12g}, radius={self.radius:.2g}, "
                f"decrease={self.decrease:.2g})")

    def __bool__(self) -> bool:
        """Whether the network is proven a local or global minimum."""
        return self.verdict in ("global", "local")


def local_minimum(network: Any, problem: Problem, *, zero_tol: float = 1e-9, **options: Any
                  ) -> LocalMinimum:
    """Is a network a local minimum among those of its width: proven, refuted, or left open.

    Parameters
    ----------
    network : Network, Solution, PyTorch module or scikit-learn MLP
        Or its Certificate, which saves the search.
    problem : Problem
    zero_tol : float, default 1e-9
        What counts as a zero activation, see `stationarity`.
    **options
        Of `certify`: `tol`, 1e-8 by default, relative to the objective, `max_seconds` and others.

    Returns
    -------
    LocalMinimum

    Notes
    -----
    Floats are never exactly stationary. "local" is proven as "global" is, up to tol |F|, by a dual
    vector whose prices v.(Xu)_+ are at most beta for all u on the neuron's sides of hyperplanes
    with concave kinks. What is of first order is compared at sqrt(tol): a neuron is stationary if
    its subgradient is no longer than sqrt(tol) beta s, s the largest ||(u_j, alpha_j)||, as in
    `Certificate.stationary`, and zero within sqrt(tol) s of zero. The `radius` of a "local" network
    is more than that: no neuron is zero, and all hyperplanes within sqrt(tol) s may be crossed. At
    a "saddle" a neuron is zero, or on a hyperplane as `stationarity` has it. What is between, a
    concave kink that is near, is "unknown". For losses without a gradient, v being one choice of
    many, the answer is "global", "local" or "unknown".

    The time is that of `certify`, and at most 20 seconds for neurons near many hyperplanes.

    References
    ----------
    Wang, Lacotte and Pilanci, The hidden convex optimization landscape of regularized two-layer
    ReLU networks, ICLR 2022, theorem 3: a stationary network is an optimum of the convex program
    over its own faces, which with no activation zero are a neighbourhood.

    Examples
    --------
    One neuron that fits one of two samples; with a second one, zero, there is a way down:

    >>> problem = Problem([[1.0], [-1.0]], [1.0, 1.0], 0.5)
    >>> stuck = Network([[0.5**0.5]], [0.5**0.5])
    >>> local_minimum(stuck, problem).verdict
    'local'
    >>> found = local_minimum(stuck.padded(2), problem)
    >>> found.verdict, found.direction.U.round(3).tolist(), found.direction.alpha.round(3).tolist()
    ('saddle', [[0.0, -0.707]], [0.0, 0.707])
    """
    check_problem(problem)
    check_real("zero_tol", zero_tol, 0, 1)
    if not isinstance(network, Certificate):
        network = certify(network, problem, zero_tol=zero_tol, **options)
    elif network.problem is not problem:
        raise InputError("problem must be the one that the certificate was made for, got another; "
                         "load the certificate with it")
    elif options:
        raise InputError(f"options must be given to certify, got {', '.join(options)} beside a "
                         "certificate")
    return _Judged(network, problem, zero_tol).verdict()


class _Judged:
    """A network, its dual vector, and the hyperplanes that are near its neurons."""

    def __init__(self, certificate: Certificate, problem: Problem, zero_tol: float) -> None:
        self.certificate, self.problem, self.network = certificate, problem, certificate.network
        U, alpha = self.network.U, self.network.alpha
        lengths = np.linalg.norm(U, axis=0)
        self.sizes, self.least = np.hypot(lengths, alpha), np.minimum(lengths, np.abs(alpha))
        self.size = float(self.sizes.max(initial=0))
        self.signs = np.sign(alpha)
        self.first_order = float(np.sqrt(certificate.tol))
        # not less than what is rounded in X u
        self.reach = max(self.first_order, zero_tol, 64 * _U * problem.d) * self.size
        self.zero_tol = zero_tol
        classes, orientation = problem.arrangement.parallel_classes
        self.rows = np.flatnonzero(classes >= 0)
        _, first, self.own = np.unique(classes[self.rows], return_index=True, return_inverse=True)
        self.against = orientation[self.rows] != orientation[self.rows[first]][self.own]
        self.normals = problem.unit_rows[self.rows[first]]
        self.heights = self.normals @ U
        self.near = np.abs(self.heights) <= self.reach
        self.on = np.abs(self.heights) <= zero_tol * lengths
        self.end = time.monotonic() + _SECONDS

    def verdict(self) -> LocalMinimum:
        certificate, problem = self.certificate, self.problem
        if certificate.optimal:
            return self._found("global")
        try:
            v = face_dual(self.network, problem)
        except SolverError:
            return self._found("unknown")
        if (self.least > self.reach).all():
            lower, radius = self._bound(v)
            if certificate.tol < self._far(lower) <= self.first_order:
                # the bound of v misses F by the order of the residual, not of its square
                lower, radius = max((lower, radius), self._bound(self._polished(v)))
            if self._far(lower) <= certificate.tol:
                return self._found("local", lower=lower, radius=radius)
        if not problem.loss.smooth:
            return self._found("unknown")
        state = stationarity(self.network, problem, v, zero_tol=self.zero_tol)
        if (state.residual > self.first_order * problem.beta * self.size).any():
            return self._down("not stationary", [self._steepest(state, v)])
        return self._down("saddle", [*self._missing(), *self._off_walls(v)])

    def _far(self, lower: float) -> float:
        """F, rounded up, above a lower bound, relatively."""
        upper = self.certificate.upper
        return max(upper - lower, 0.0) * _MORE / max(abs(upper), 1e-300)

    def _found(self, verdict: str, *, lower: float | None = None, radius: float = np.inf,
               direction: Network | None = None, step: float = 0.0, decrease: float = 0.0
               ) -> LocalMinimum:
        return LocalMinimum(verdict, self.certificate.objective,
                            self.certificate.lower_bound if lower is None else lower, radius,
                            direction, step, decrease, self.certificate)

    def _down(self, verdict: str, directions: list[_Direction]) -> LocalMinimum:
        """The verdict with the first of the directions along which F is seen to fall."""
        U, alpha = self.network.U, self.network.alpha
        top = self.problem.objective(self.network) - self.problem.objective_error(self.network)
        for dU, dalpha in directions:
            length = float(np.hypot(np.linalg.norm(dU), np.linalg.norm(dalpha)))
            if not length > 0:
                continue
            direction, decrease, best = Network(dU / length, dalpha / length), 0.0, 0.0
            for step in (self.size or 1.0) * _STEPS:
                moved = Network(U + step * direction.U, alpha + step * direction.alpha)
                with np.errstate(over="ignore", invalid="ignore"):
                    fall = top - self.problem.objective(moved) - self.problem.objective_error(moved)
                if fall > decrease:
                    decrease, best = fall, float(step)
                elif best:
                    break
            if best:
                return self._found(verdict, direction=direction, step=best, decrease=decrease)
        return self._found("unknown")

    def _steepest(self, state: Stationarity, v: np.ndarray) -> _Direction:
        """Against the shortest subgradient, which is descent (Clarke)."""
        X, U, alpha = self.problem.X, self.network.U, self.network.alpha
        delta = (X @ U > 0).astype(float)
        for j, (rows, share) in state.multipliers.items():
            delta[rows, j] = share
        return (alpha * (X.T @ (delta * v[:, None])) - self.problem.beta * U,
                v @ np.maximum(X @ U, 0) - self.problem.beta * alpha)

    def _missing(self) -> list[_Direction]:
        """From a neuron that is zero to the one with the largest price, if that pays: F changes by
        t^2 (beta - price) at (t u, t)."""
        c = self.certificate
        zero = np.flatnonzero(self.sizes <= self.reach)
        if not len(zero) or c.price <= (1 + self.first_order) * self.problem.beta:
            return []
        dU, dalpha = np.zeros_like(self.network.U), np.zeros(self.network.m)
        dU[:, zero[0]], dalpha[zero[0]] = c.u, c.sign
        return [(dU, dalpha)]

    def _off_walls(self, v: np.ndarray) -> list[_Direction]:
        """Off hyperplanes with concave kinks, where a phi_j falls; the steepest first."""
        found = []
        for j in np.flatnonzero((self.on & self._concave(v)).any(axis=0)).tolist():
            u, alpha = self.network.U[:, j], abs(float(self.network.alpha[j]))
            if self.least[j] > self.reach:
                pull = self.problem.beta * u / np.linalg.norm(u)
                h = self._support(self._linear(v, j, self.on) - pull, v, j, self.on)
                if h is not None and h.value > self.first_order * self.problem.beta:
                    dU = np.zeros_like(self.network.U)
                    dU[:, j] = h.u
                    found.append((alpha * h.value, dU))
        found.sort(key=lambda pair: -pair[0])
        return [(dU, np.zeros(self.network.m)) for _, dU in found]

    def _linear(self, v: np.ndarray, j: int, near: np.ndarray) -> np.ndarray:
        """c such that s v.(Xw)_+ is c.w, and the kinks of hyperplanes near u_j times (normal.w)_+,
        while w is on the side of u_j of the others."""
        beyond = ((self.heights[:, j] > 0) & ~near[:, j])[self.own]
        # (x.w)_+, x = -normal, is (normal.w)_+ + x.w
        counts = np.where(self.against, ~beyond, beyond)
        linear: np.ndarray = (counts * v[self.rows]) @ self.problem.X[self.rows]
        return np.asarray(self.signs[j] * linear)

    def _support(self, linear: np.ndarray, v: np.ndarray, j: int, near: np.ndarray) -> Any:
        """The maximum of linear.w and those kinks over unit vectors w; None beyond the search."""
        those = near[:, j]
        rows = np.vstack([self.normals[those], linear, -linear])
        weights = np.concatenate([self.signs[j] * self._kinks(v)[those], [1.0, -1.0]])
        left = max(self.end - time.monotonic(), 0.01)
        try:
            return Arrangement(rows).support(weights, max_seconds=left)
        except CapacityError:
            return None

    def _kinks(self, v: np.ndarray) -> np.ndarray:
        """The kink of each hyperplane, which its samples share, sum_i v_i ||x_i||: (-x.u)_+ is
        (x.u)_+ - x.u; 0 within rounding."""
        parts = v[self.rows] * self.problem.row_lengths[self.rows]
        kinks, sizes = (np.bincount(self.own, x, len(self.normals)) for x in (parts, np.abs(parts)))
        rounding = 8 * _U * (self.problem.n + 8) * sizes
        return np.where(np.abs(kinks) > rounding, kinks, 0)

    def _concave(self, v: np.ndarray) -> np.ndarray:
        """Which kinks are concave in phi_j, (hyperplanes, m)."""
        return np.asarray(self._kinks(v)[:, None] * self.signs > 0)

    def _polished(self, v: np.ndarray) -> np.ndarray:
        """The residual of the network after Newton's method, or v for losses without a gradient."""
        if not self.problem.loss.smooth:
            return v
        W, signs = polished(self.problem, *self.network.weights, steps=_NEWTON)
        return self.problem.residual(Network.from_weights(W, signs))

    def _bound(self, v: np.ndarray) -> tuple[float, float]:
        """A lower bound of F while alpha_j keep their signs, and neurons their sides of hyperplanes
        that are not near and have a concave kink; and how far that is.

        Of those with a convex kink s v.(Xw)_+ is, on the other side, less than the linear function
        of this side, so that -l*(-v) is a lower bound if the prices here are at most beta.
        """
        p, largest = self.problem, 0.0
        for j in range(self.network.m):
            linear = self._linear(v, j, self.near)
            if self.near[:, j].any():
                h = self._support(linear, v, j, self.near)
                largest = max(largest, np.inf if h is None else h.bound)
            else:
                largest = max(largest, float(np.linalg.norm(linear)))
        if largest == np.inf:
            return -np.inf, 0.0
        rounding = 16 * _U * (p.n + p.d + 8) * float(np.abs(v) @ p.row_lengths)
        far = np.where(self._concave(v) & ~self.near, np.abs(self.heights), np.inf)
        radius = min(float(far.min(initial=np.inf)),
                     float(np.abs(self.network.alpha).min(initial=np.inf)))
        return p.lower_bound(v, largest + rounding), radius - 8 * _U * p.d * self.size
