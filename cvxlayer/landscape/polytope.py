"""A bounded polytope in standard form: vertices, bounds, walks, points of few coordinates."""

from __future__ import annotations

from functools import cached_property

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, linprog, milp, nnls

from cvxlayer.errors import SolverError

__all__ = ["ZERO", "Polytope", "polytope"]

ZERO = 1e-8  # shares that count as none
_FITS = 1e-8  # of a support that MILP proposes: what it may miss of t
_STEPS = 20  # of hit-and-run between samples, times the dimension


def polytope(A: np.ndarray, lo: np.ndarray, hi: np.ndarray, tol: float, scale: float) -> Polytope:
    """A c = lo where lo = hi, else A c - s = lo or A c + s = hi with a slack s >= 0."""
    slack = np.diag(np.where(np.isinf(lo), 1.0, -1.0))[:, lo < hi]
    return Polytope(np.hstack([A, slack]), np.where(np.isinf(lo), hi, lo), tol, scale)


class Polytope:
    """{x >= 0 : M x = t}, bounded, and not empty: t is replaced by M x of a point nearest to it.

    Coordinates are shares: x_k times `unit` is what was called x_k, and has the length of t if the
    share is 1.
    """

    def __init__(self, M: np.ndarray, t: np.ndarray, tol: float, scale: float) -> None:
        # of predictions that are rounding errors no share can be taken
        self.size = max(float(np.linalg.norm(t)), 1e-9 * scale) or 1.0
        lengths = np.linalg.norm(M, axis=0)
        self.unit = self.size / lengths
        self._M, self._t = M / lengths, t / self.size
        _, s, vt = np.linalg.svd(self._M, full_matrices=False)
        # the rows in other coordinates, so that those which depend on others are left out
        kept = s > tol * s.max(initial=0)
        self._rows = vt[: int(kept.sum())]
        self.n_free = len(lengths) - len(self._rows)
        # errors of t grow by the inverse of the least singular value
        self.zero = max(ZERO, 1e-12 / float(s[kept].min(initial=1)))
        self.start, self.missed = self._nearest(np.ones(len(lengths), dtype=bool))
        self._right = self._rows @ self.start

    def vertex(self, q: np.ndarray) -> np.ndarray:
        """One that maximises q.x."""
        if self.n_free == 0:
            return self.start
        options = {"primal_feasibility_tolerance": 1e-9, "dual_feasibility_tolerance": 1e-9}
        found = linprog(-q, A_eq=self._rows, b_eq=self._right, method="highs-ds", options=options)
        if found.x is None:
            raise SolverError(f"HiGHS stopped: {found.message}", str(found.status))
        return self._settled(np.maximum(found.x, 0), self._rows, self._right)

    @cached_property
    def bounds(self) -> tuple[np.ndarray, np.ndarray]:
        """The least and the largest value of each coordinate."""
        vertices = np.array(self._extremes)
        return vertices.min(axis=0), vertices.max(axis=0)

    @cached_property
    def basis(self) -> np.ndarray:
        """Orthonormal columns that span the differences of points."""
        free = self.bounds[1] > self.zero
        basis = np.zeros((len(free), 0))
        if self.n_free:
            _, s, vt = np.linalg.svd(self._rows[:, free])
            rank = int((s > ZERO).sum())
            basis = np.zeros((len(free), len(vt) - rank))
            basis[free] = vt[rank:].T
        return basis

    def walk(self, size: int, rng: np.random.Generator) -> list[np.ndarray]:
        """Points by hit-and-run."""
        x, k = np.mean(self._extremes, axis=0), self.basis.shape[1]
        found = []
        for _ in range(size):
            for _ in range(_STEPS * k):
                step = self.basis @ rng.standard_normal(k)
                moving = np.abs(step) > 1e-12
                ends = -x[moving] / step[moving]
                above = step[moving] > 0
                x = x + rng.uniform(ends[above].max(), ends[~above].min()) * step
                x = np.maximum(x, 0)  # of rounding only
            found.append(x)
        return found

    def relaxed(self, chosen: np.ndarray) -> int:
        """A lower bound of how many of the chosen coordinates a point has, by the linear program
        min sum_k x_k / max x_k over them."""
        weights = np.zeros(len(self.unit))
        weights[chosen] = 1 / (self.bounds[1][chosen] + self.zero)
        return int(np.ceil(weights @ self.vertex(-weights) - 1e-6))

    def support(self, chosen: np.ndarray, limit: int, cuts: np.ndarray, seconds: float
                ) -> np.ndarray | None:
        """Which of the chosen coordinates, at most `limit`, suffice together with all others: bool,
        of length 0 if none do, None if time ran out. Of each cut's coordinates one must be used."""
        k, m = len(chosen), len(self.unit)
        upper = self.bounds[1] * (1 + 1e-6) + self.zero
        link = np.hstack([np.eye(m)[chosen], -np.diag(upper[chosen])])
        rows = np.hstack([self._rows, np.zeros((len(self._rows), k))])
        count = np.concatenate([np.zeros(m), np.ones(k)])
        limits = [LinearConstraint(rows, self._right, self._right),
                  LinearConstraint(link, -np.inf, 0), LinearConstraint(count, -np.inf, limit)]
        if len(cuts):
            limits.append(LinearConstraint(np.hstack([np.zeros((len(cuts), m)), cuts]), 1, np.inf))
        found = milp(np.zeros(m + k), integrality=count, constraints=limits,
                     bounds=Bounds(0, np.concatenate([upper, np.ones(k)])),
                     options={"time_limit": seconds})
        if found.status == 2:
            return np.zeros(0, dtype=bool)
        return None if found.x is None else found.x[m:] > 0.5

    def within(self, allowed: np.ndarray) -> np.ndarray | None:
        """A point with those coordinates only, if there is one."""
        x, missed = self._nearest(allowed)
        return x if missed <= _FITS + self.missed else None

    @cached_property
    def _extremes(self) -> list[np.ndarray]:
        """Vertices, among them one with the largest and one with the least of each coordinate."""
        if self.n_free == 0:
            return [self.start]
        found = [self.vertex(e) for e in np.eye(len(self.unit))]
        for e in np.eye(len(self.unit)):
            if min(x @ e for x in found) > 0:
                found.append(self.vertex(-e))
        return found

    def _nearest(self, allowed: np.ndarray) -> tuple[np.ndarray, float]:
        x = np.zeros(len(self.unit))
        if allowed.any():
            try:
                x[allowed], _ = nnls(self._M[:, allowed], self._t, maxiter=100 * len(x))
            except RuntimeError as error:
                raise SolverError(f"nonnegative least squares: {error}", "inaccurate") from error
        x = self._settled(x, self._M, self._t)
        return x, float(np.linalg.norm(self._M @ x - self._t))

    def _settled(self, x: np.ndarray, rows: np.ndarray, right: np.ndarray) -> np.ndarray:
        """The vertex near x to the last digits, by the equations for what is not zero."""
        used = x > self.zero
        exact = np.zeros(len(x))
        exact[used] = np.linalg.lstsq(rows[:, used], right, rcond=None)[0]
        missed, before = (np.linalg.norm(rows @ z - right) for z in (exact, x))
        return exact if exact.min(initial=0) >= 0 and missed <= before + ZERO else x
