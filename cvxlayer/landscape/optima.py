"""The set of all optimal networks: a polytope, its bounds, vertices, samples and least width."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from arrangements import Dichotomies
from cvxlayer.checks import check_count, check_real
from cvxlayer.conic.solution import Solution
from cvxlayer.errors import InputError, SolverError
from cvxlayer.model.network import Network
from cvxlayer.model.problem import Problem, check_problem, relative_gap
from cvxlayer.model.weights import collinear, null_space

from .polytope import ZERO, Polytope, polytope

__all__ = ["OptimalSet", "Smallest", "minimal_width", "optimal_set"]

_NEWTON = 5
_SAME = 1e-7  # directions that differ less are one


@dataclass(frozen=True, eq=False)
class Smallest:
    """An optimal network of few neurons, and how few they can be.

    Attributes
    ----------
    network : Network
    width : int
        Its neurons, an upper bound of m*, the least width of an optimal network.
    lower_bound : int
        A lower bound of m*: HiGHS found no optimum of fewer neurons, to its tolerance of 1e-6.
    proven : bool
        Whether they agree.
    """

    network: Network
    width: int
    lower_bound: int
    proven: bool

    def __repr__(self) -> str:
        return f"Smallest(width={self.width}, lower_bound={self.lower_bound})"


@dataclass(eq=False, repr=False)
class OptimalSet:
    """{c >= 0 : lo <= A c <= hi}, A = (s_k (X u_k)_+)_k: all optima are w_k = c_k u_k, sign s_k.

    As blocks of the convex program. As networks they are these, each neuron cut into any number of
    collinear ones, and neurons permuted: u_j, alpha_j = sqrt(c) u_k, sqrt(c) s_k.

    Attributes
    ----------
    problem : Problem
    value : float
        The optimal objective.
    v : ndarray of float64, shape (n,)
        An optimal dual vector, |v.(Xu)_+| <= beta for ||u|| <= 1, to the tolerance.
    directions : ndarray of float64, shape (d, K)
        All unit vectors u_k with s_k v.(X u_k)_+ = beta, to the tolerance.
    signs : ndarray of float64, shape (K,)
        1 or -1. With both, a direction is there twice.
    chambers : Dichotomies
        K chambers, whose closures have the directions.
    lo, hi : ndarray of float64, shape (n,)
        The predictions that are optimal together with v: equal for the losses "squared" and
        "logistic", half-lines where the loss is linear.
    weights : ndarray of float64, shape (K,)
        A point c of the set.
    complete : bool
        Whether all directions were found.
    tol : float
        Of values relative to beta, of slopes of the loss, and of singular values of A with columns
        of length 1, below which they are zero. Coordinates count as zero if what they add to the
        predictions is 1e-8 of them.

    Notes
    -----
    A direction short of beta by less than the tolerance is listed though it is in no optimum, so
    the set is too large rather than too small; what `network`, `extreme` and `sample` give has an
    objective to check.

    Optima are seldom unique where n is much larger than d: as (x.u)_+ - (-x.u)_+ = x.u, neurons can
    be turned to -u, and if X'v = 0, which is what a linear part at no cost means, u and -u are both
    in the list; K of them leave about K / 2 - d dimensions.
    """

    problem: Problem
    value: float
    v: np.ndarray
    directions: np.ndarray
    signs: np.ndarray
    chambers: Dichotomies
    lo: np.ndarray
    hi: np.ndarray
    weights: np.ndarray
    complete: bool
    tol: float
    _polytope: Polytope = field(repr=False)
    _known: Network = field(repr=False)  # an optimum that does not come from here

    def __repr__(self) -> str:
        return (f"OptimalSet(value={self.value:.12g}, directions={len(self)}, "
                f"dimension at most {self._polytope.n_free})")

    def __len__(self) -> int:
        """K, the number of directions."""
        return len(self.signs)

    @cached_property
    def bounds(self) -> tuple[np.ndarray, np.ndarray]:
        """Least and largest c_k, shape (K,) each, by up to 2 K linear programs."""
        lower, upper = self._polytope.bounds
        unit = self._polytope.unit[: len(self)]
        return lower[: len(self)] * unit, upper[: len(self)] * unit

    @property
    def unique(self) -> bool:
        """Whether there is one optimum only, up to cutting neurons and their order."""
        lower, upper = (x[: len(self)] for x in self._polytope.bounds)
        return bool((upper - lower <= 2 * self._polytope.zero).all())

    @property
    def active(self) -> np.ndarray:
        """Whether some optimum has direction k, bool (K,)."""
        return self._polytope.bounds[1][: len(self)] > self._polytope.zero

    @property
    def always(self) -> np.ndarray:
        """Whether every optimum has direction k, bool (K,)."""
        return self._polytope.bounds[0][: len(self)] > self._polytope.zero

    @property
    def dimension(self) -> int:
        """Of the affine hull of the set; 0 if the optimum is unique."""
        return int(self._polytope.basis.shape[1])

    def network(self, c: Any) -> Network:
        """The optimal network of coordinates c (K,), without neurons of weight zero.

        Raises
        ------
        InputError
            If c is not in the set, to the tolerance.
        """
        c = np.asarray(c, dtype=np.float64)
        if c.shape != (len(self),):
            raise InputError(f"c must have shape ({len(self)},), got {c.shape}")
        z = _columns(self.problem, self.directions, self.signs) @ c
        missed = np.concatenate([self.lo - z, z - self.hi, -c / self._polytope.unit[: len(c)]
                                 * self._polytope.size])
        if not missed.max(initial=0) <= self.tol * self._polytope.size:  # or nan
            raise InputError(f"c must be in the set of optima, got a point that violates it by "
                             f"{missed.max():.3g}")
        return Network.from_weights(self.directions * np.maximum(c, 0), self.signs)

    def extreme(self, k: int = 10, rng: Any = None) -> list[Network]:
        """Distinct vertices, the maximisers of k random linear functions.

        The columns of A of a vertex's neurons are independent where lo = hi. There may be more
        vertices than are found.
        """
        rng = np.random.default_rng(rng)
        return [self._network(x) for x in self._vertices(check_count("k", k, 1), rng)]

    def sample(self, size: int, rng: Any = None) -> list[Network]:
        """Optimal networks at random by hit-and-run, about uniform over the set of coordinates.

        From the mean of vertices in which every coordinate that can be positive is; each sample
        is 20 steps for each dimension after the one before.
        """
        rng = np.random.default_rng(rng)
        return [self._network(x) for x in self._polytope.walk(check_count("size", size), rng)]

    def contains(self, network: Network, tol: float = 1e-8) -> bool:
        """Whether a network's objective exceeds the optimal one by at most tol, relative."""
        return self.problem.objective(network) <= self.value + tol * abs(self.value)

    def __contains__(self, network: object) -> bool:
        return isinstance(network, Network) and self.contains(network)

    def smallest(self, *, max_seconds: float = 60.0, rng: Any = 0) -> Smallest:
        """An optimal network of least width, by a mixed-integer program.

            min sum_k b_k,  c in the set,  c_k <= max c_k b_k,  b_k in {0, 1},

        with one neuron for each direction, as an optimum of least width has. Vertices give an upper
        bound, the linear relaxation a lower one, which grows while the program with so many
        neurons is infeasible. An answer is solved for again on its own neurons; if that fails (b_k
        can be 1e-6 and not 0 in a solver), they are forbidden as a whole.

        Parameters
        ----------
        max_seconds : float, default 60
            The best so far is returned then.
        rng : numpy.random.Generator, int or None
            Of the vertices.

        Returns
        -------
        Smallest
        """
        end = time.monotonic() + check_real("max_seconds", max_seconds)
        P, K = self._polytope, len(self)
        vertices = self._vertices(20, np.random.default_rng(rng))
        x = min(vertices, key=lambda x: np.count_nonzero(x[:K]))
        width = lower = int(np.count_nonzero(x[:K]))
        if not self.unique:
            # slacks are no neurons; nor is there a choice about directions in all optima or none
            always = int(self.always.sum())
            undecided = np.flatnonzero(self.active & ~self.always)
            cuts = np.zeros((0, len(undecided)), dtype=bool)
            lower = min(width, always + P.relaxed(undecided))
            while lower < width and (left := end - time.monotonic()) > 0:
                used = P.support(undecided, lower - always, cuts, left)
                if used is None:
                    break
                if len(used) == 0:
                    lower += 1
                    continue
                allowed = np.concatenate([self.always, np.ones(len(P.unit) - K, dtype=bool)])
                allowed[undecided] = used
                point = P.within(allowed)
                if point is None:
                    cuts = np.vstack([cuts, ~used])
                else:
                    x, width = point, int(np.count_nonzero(point[:K]))
                    lower = min(lower, width)
        network = self._network(x)
        if self._known.m < width and self.contains(self._known, self.tol):
            # the equations are not as accurate as they were taken to be
            network, width, lower = self._known, self._known.m, min(lower, self._known.m)
            return Smallest(network, width, min(lower, int(width > 0)), width <= 1)
        if not self.contains(network, self.tol):
            raise SolverError(f"the network of {width} neurons has the objective "
                              f"{self.problem.objective(network):.12g}, not {self.value:.12g}; "
                              "fit with a smaller tol", "inaccurate")
        return Smallest(network, width, lower, lower == width)

    def _vertices(self, k: int, rng: np.random.Generator) -> list[np.ndarray]:
        kept: list[np.ndarray] = []
        for q in rng.standard_normal((max(k, 1), len(self._polytope.unit))):
            x = self._polytope.vertex(q)
            if all(np.abs(x - other).max(initial=0) > 2 * self._polytope.zero for other in kept):
                kept.append(x)
        return kept

    def _network(self, x: np.ndarray) -> Network:
        return self.network((x * self._polytope.unit)[: len(self)])


def optimal_set(problem: Problem, solution: Solution | None = None, *, tol: float = 1e-6,
                n_jobs: int = 1) -> OptimalSet:
    """All optimal networks of a training problem.

    Parameters
    ----------
    problem : Problem
    solution : Solution, optional
        An optimum of the problem with a gap of at most tol / 100; by default it is fitted, to a
        gap of 1e-10.
    tol : float, default 1e-6
        See `OptimalSet`.
    n_jobs : int, default 1
        Threads of the search for directions.

    Returns
    -------
    OptimalSet

    Raises
    ------
    InputError
        If the solution is of another problem, or its gap too large.
    SolverError
        If the dual vector does not become accurate enough: then its directions do not give its
        predictions.

    Notes
    -----
    With v an optimal dual vector, a network is optimal iff each neuron has s v.(Xu)_+ = beta for
    its unit direction u and sign s, the maximum over the unit ball, and -v is a subgradient of l at
    its predictions. On a closed chamber v.(Xu)_+ is linear, so that it has one maximiser at most:
    directions are finitely many local maxima, all found by `Arrangement.support`.

    Newton's method on the faces of the directions gives v to 1e-12 or so; other local maxima are
    usually 1e-3 below beta and more.

    References
    ----------
    Mishkin and Pilanci, Optimal sets and solution paths of ReLU networks, ICML 2023; Kim, Mishkin
    and Pilanci, Exploring the loss landscape of regularized neural networks via convex duality,
    2024: the optimal polytope.

    Examples
    --------
    The predictions of 4 samples +-e_i are two neurons (1, 1), (-1, -1), or (1, -1), (-1, 1), or a
    mean of these:

    >>> found = optimal_set(Problem([[1, 0], [-1, 0], [0, 1], [0, -1]], [1, 1, 1, 1], 0.1))
    >>> len(found), found.unique, found.dimension, found.smallest().width
    (4, False, 1, 2)
    """
    check_problem(problem)
    check_real("tol", tol, 0, 1, open_ended=True)
    if solution is None:
        solution = problem.fit(tol=min(1e-10, tol / 100), n_jobs=n_jobs)
    elif not isinstance(solution, Solution) or solution.problem is not problem:
        raise InputError("solution must be one of this problem, as fit returns it")
    elif not solution.gap <= tol / 100:
        raise InputError(f"solution must have a gap of at most {tol / 100:.3g}, got "
                         f"{solution.gap:.3g}; fit with a smaller tol")
    v = _refined(problem, solution.v, tol, n_jobs)
    h = problem.arrangement.support(v, above=problem.beta * (1 - tol), both=True, n_jobs=n_jobs)
    kept = h.values >= max(problem.beta, h.value) * (1 - tol)
    signs = h.signs[kept].astype(np.float64)
    U, _ = _maximisers(problem, v, h.points[kept].T, signs)
    # to the last digits some may be one
    first = np.sort([g[0] for g in collinear(U, signs, _SAME)]).astype(np.int64)
    U, signs, chambers = U[:, first], signs[first], h.dichotomies[np.flatnonzero(kept)[first]]
    lo, hi = problem.loss.predictions(v, problem.y, tol)
    P = polytope(_columns(problem, U, signs), lo, hi, tol, _scale(problem))
    weights = (P.start * P.unit)[: len(signs)]
    value = min(problem.objective(Network.from_weights(U * weights, signs)), solution.value)
    gap = relative_gap(value, max(problem.lower_bound(v, h.bound), solution.lower_bound))
    if P.missed > tol or gap > tol:
        raise SolverError(f"the directions of the dual vector miss {P.missed:.3g} of the "
                          f"predictions, with a gap of {gap:.3g}; fit with a smaller tol",
                          "inaccurate")
    return OptimalSet(problem, value, v, U, signs, chambers, lo, hi, weights, h.complete, tol, P,
                      solution.network.merged(_SAME))


def minimal_width(problem: Problem, solution: Solution | None = None, *, tol: float = 1e-6,
                  n_jobs: int = 1, **options: Any) -> Smallest:
    """An optimal network of least width m*; see `optimal_set` and `OptimalSet.smallest`.

    Examples
    --------
    >>> minimal_width(Problem([[1], [-1]], [2, 3], 0.1))
    Smallest(width=2, lower_bound=2)
    """
    return optimal_set(problem, solution, tol=tol, n_jobs=n_jobs).smallest(**options)


def _refined(problem: Problem, v: np.ndarray, tol: float, n_jobs: int) -> np.ndarray:
    """An optimal dual vector to more digits, from maxima ever further from beta if need be."""
    best, smallest = v, np.inf
    for window in (tol, 30 * tol, 1000 * tol):
        h = problem.arrangement.support(v, above=problem.beta * max(1 - window, 0), both=True,
                                        n_jobs=n_jobs)
        found, error = _newton(problem, v, h.points.T, h.signs, tol)
        if error < smallest:
            best, smallest = found, error
        if smallest <= ZERO:
            break
    return best


def _newton(problem: Problem, v: np.ndarray, U: np.ndarray, signs: np.ndarray, tol: float
            ) -> tuple[np.ndarray, float]:
    """max -l*(-v) subject to f_k(v) <= beta, and how far it is from that.

    f_k is the length of P X'D v, D the pattern and P the projection on the face of the maximiser
    u_k; its gradient is the column of u_k. The gradient of the objective is z(v), the prediction;
    at the ends of the domain, where z is a half-line, v stays.
    """
    best, smallest = v, np.inf
    for _ in range(_NEWTON):
        lo, hi = problem.loss.predictions(v, problem.y, tol)
        inner = lo == hi
        z = np.where(inner, lo, np.where(np.isinf(lo), hi - 1, lo + 1))
        v = np.where(inner, v, -problem.loss.gradient(z, problem.y))
        U, curvatures = _maximisers(problem, v, U, signs)
        first = np.sort([g[0] for g in collinear(U, signs, _SAME)]).astype(np.int64)
        U, signs, curvatures = U[:, first], signs[first], [curvatures[k] for k in first]
        A = _columns(problem, U, signs)
        off = v @ A - problem.beta
        P = polytope(A, lo, hi, tol, _scale(problem))
        c = P.start[: len(off)] * P.unit[: len(off)]
        used = c > 0
        error = P.missed + max(off.max(initial=0), np.abs(off[used]).max(initial=0)) / problem.beta
        if not error < smallest:
            break
        best, smallest = v, error
        if error < 1e-13:
            break
        bend = problem.loss.curvature(z, problem.y)
        H = np.diag(np.divide(1, bend, out=np.zeros(len(v)), where=bend > 0))
        for k in np.flatnonzero(used):
            H += c[k] * curvatures[k] @ curvatures[k].T
        H, A = H[np.ix_(inner, inner)], A[np.ix_(inner, used)]
        scale = 1 / np.sqrt(1 + np.diag(H))
        H, A = H * scale * scale[:, None], A * scale[:, None]
        system = np.block([[H, A], [A.T, np.zeros((used.sum(),) * 2)]])
        right = np.concatenate([scale * lo[inner] - A @ c[used], -off[used]])
        step = np.linalg.lstsq(system, right, rcond=1e-12)[0]
        v = v.copy()
        v[inner] += scale * step[: inner.sum()]
    return best, smallest


def _maximisers(problem: Problem, v: np.ndarray, U: np.ndarray, signs: np.ndarray
                ) -> tuple[np.ndarray, list[np.ndarray]]:
    """Local maximisers near U to the last digits: f_k is linear on the face of u_k, with slope
    P X'D v; and B_k of their second derivatives B_k B_k' in v."""
    exact, curvatures = U.copy(), []
    for k, (u, sign) in enumerate(zip(U.T, signs, strict=True)):
        heights = problem.unit_rows @ u
        near = (np.abs(heights) <= ZERO) & (problem.row_lengths > 0)
        X = problem.X * ((heights > 0) & ~near)[:, None]
        face = null_space(problem.unit_rows[near])
        slope = sign * (face @ (face.T @ (X.T @ v)))
        value = float(np.linalg.norm(slope))
        # on the face it is the maximiser; and then the slope's length is its value
        heights = problem.X @ slope
        if abs(sign * v @ np.maximum(heights, 0) - value**2) <= 1e-9 * value**2:
            exact[:, k] = u = slope / value
        curvatures.append(X @ null_space(np.vstack([problem.unit_rows[near], u]))
                          / np.sqrt(value or 1.0))
    return exact, curvatures


def _columns(problem: Problem, U: np.ndarray, signs: np.ndarray) -> np.ndarray:
    return np.asarray(np.maximum(problem.X @ U, 0) * signs)


def _scale(problem: Problem) -> float:
    """The size of predictions that are not rounding errors."""
    return max(float(np.linalg.norm(problem.y)), 1e-300)
