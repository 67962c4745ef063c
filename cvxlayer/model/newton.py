"""Descent of a network to a stationary one, to the last digits: Newton's method on faces.

With w_j = u_j |alpha_j| the objective is F = l(sum_j s_j (X w_j)_+) + beta sum_j ||w_j||. While no
row x_i changes its side of a w_j, F is smooth, and a Newton step is a small dense system. Where
s_j v_i < 0, v = -grad l, the term of row i has a kink that can hold w_j in {x_i.w = 0}: such rows
are held when a step meets them, and released when their multiplier zeta in

    s_j X' D_j v + sum_{i held} zeta_i s_j v_i x_i = beta w_j / ||w_j||

leaves [0, 1]. Every step lowers F; at the end every neuron is stationary.
"""

from __future__ import annotations

from contextlib import nullcontext
from functools import cache
from typing import Any

import numpy as np
from scipy.linalg import LinAlgError, cho_factor, cho_solve

from .problem import Problem
from .weights import convex_value, merged, null_space, reduced

__all__ = ["polished"]

_LARGE = 100  # weights
_TRUST = 2.0  # lengths of a step, in those of the neurons
_NOTHING = 1e-15  # of a neuron beside the longest
_LEAST_RIDGE, _RIDGE = 1e-12, 1e-6  # of Newton's steps, relative to the curvature of ||w_j||
_SAME = 1e-6  # of directions
_NEAR = 1e-6  # a row this near a neuron's hyperplane, relatively, is held at first


def polished(problem: Problem, W: np.ndarray, signs: np.ndarray, *, steps: int = 400
             ) -> tuple[np.ndarray, np.ndarray]:
    """Weights (d, m) and signs of a network whose objective is not larger; it is stationary if
    fewer than `steps` steps were taken."""
    lengths = np.linalg.norm(W, axis=0)
    used = lengths > 1e-7 * lengths.max(initial=0)
    W, signs = reduced(problem, *merged(W[:, used], signs[used], _SAME))
    if len(signs) == 0:
        return W, signs
    before = convex_value(problem, W, signs)
    with _one_thread(W.size):
        found = _Faces(problem, W, signs).descend(steps)
    return found if convex_value(problem, *found) <= before else (W, signs)


def _one_thread(size: int) -> Any:
    """A context in which BLAS has one thread, where threadpoolctl is installed: on matrices of some
    hundred rows its threads wait for each other longer than they work."""
    pools = _pools() if size >= _LARGE else None
    return nullcontext() if pools is None else pools.limit(limits=1)


@cache
def _pools() -> Any:
    try:
        from threadpoolctl import ThreadpoolController
    except ImportError:
        return None
    return ThreadpoolController()


class _Faces:
    """Neurons, the rows that hold them, and the sides of the others."""

    def __init__(self, problem: Problem, W: np.ndarray, signs: np.ndarray) -> None:
        self.p = problem
        self.lengths, self.unit = problem.row_lengths, problem.unit_rows
        self.W, self.signs = W.copy(), signs.copy()
        self.ridge = np.full(len(signs), _LEAST_RIDGE)
        values = self.unit @ W
        self.active = values > 0
        v = self._v()
        near = np.abs(values) <= _NEAR * np.linalg.norm(W, axis=0)
        self.held = near & (v[:, None] * signs < 0) & (self.lengths > 0)[:, None]
        self.bases = [self._basis(j) for j in range(len(signs))]
        # a neuron held in no direction at all keeps its own
        for j, basis in enumerate(self.bases):
            if basis.shape[1] == 0:
                self.held[:, j] = False
                self.bases[j] = np.eye(len(W))
            else:
                self.W[:, j] = basis @ (basis.T @ W[:, j])

    def _v(self) -> np.ndarray:
        z = np.maximum(self.p.X @ self.W, 0) @ self.signs
        return -self.p.loss.gradient(z, self.p.y)

    def _basis(self, j: int) -> np.ndarray:
        return null_space(self.unit[self.held[:, j]])

    def descend(self, steps: int) -> tuple[np.ndarray, np.ndarray]:
        value = convex_value(self.p, self.W, self.signs)
        for j in range(len(self.signs) - 1, -1, -1):
            value = self._join(j, value)
        last = 0
        for _ in range(steps):
            self._sweep()
            if len(self.signs) == 0:
                break
            direction, decrement = self._newton()
            far, rows = self._first_hits(direction)
            if decrement <= 1e-13 * abs(value) and (far >= 1).all():
                # beyond what the value shows: full steps, which converge quadratically
                self.W += direction
                last += 1
                if last % 4 == 0 and not self._release():
                    break
                continue
            shrink = -(direction * self.W).sum(axis=0) / (self.W**2).sum(axis=0)
            if shrink.max() > 0.9:
                without = self._drop(value, np.flatnonzero(shrink > 0.9))
                if without is not None:
                    value = without
                    continue
            stuck = np.flatnonzero(far <= 1e-12)
            if len(stuck):
                for k in stuck:
                    self._meet(int(rows[k]), int(k))
                continue
            # no neuron passes through zero, or a row that can hold it
            limits = np.minimum(far, np.where(shrink > 0.9, 0.9 / np.maximum(shrink, 0.9), 1))
            step = 1.0
            while step > 1e-12:
                factors = np.minimum(limits, step)
                below = convex_value(self.p, self.W + factors * direction, self.signs)
                if below <= value:
                    break
                step /= 4
            else:
                if not self._release():
                    break
                continue
            self.W += factors * direction
            value = below
            for k in np.flatnonzero(factors >= far)[::-1]:
                self._meet(int(rows[k]), int(k))
                value = self._join(int(k), value)
            # rows that were crossed have a kink that does not hold
            values = self.unit @ (self.W / np.linalg.norm(self.W, axis=0))
            self.active = np.where(self.held | (np.abs(values) <= 1e-13), self.active, values > 0)
        return self.W, self.signs

    def _sweep(self) -> None:
        """Leave out neurons that are rounding errors of others."""
        lengths = np.linalg.norm(self.W, axis=0)
        for j in np.flatnonzero(lengths <= _NOTHING * lengths.max(initial=0))[::-1]:
            self._remove(int(j))

    def _newton(self) -> tuple[np.ndarray, float]:
        """A Newton direction (d, m) on the faces, and the decrease it promises."""
        p = self.p
        maps = [s * (self.active[:, j] & ~self.held[:, j])[:, None] * (p.X @ basis)
                for j, (s, basis) in enumerate(zip(self.signs, self.bases, strict=True))]
        M = np.hstack(maps)
        z = np.maximum(p.X @ self.W, 0) @ self.signs
        gradient = M.T @ p.loss.gradient(z, p.y)
        hessian = (M.T * p.loss.curvature(z, p.y)) @ M
        at = 0
        for j, basis in enumerate(self.bases):
            t = basis.T @ self.W[:, j]
            size = float(np.linalg.norm(t))
            block = slice(at, at + len(t))
            gradient[block] += p.beta * t / size
            hessian[block, block] += p.beta / size * (np.eye(len(t)) - np.outer(t, t) / size**2)
            at += len(t)
        sizes = np.linalg.norm(self.W, axis=0)
        counts = [basis.shape[1] for basis in self.bases]
        diagonal = np.arange(at)
        unit = p.beta / sizes
        plain = hessian[diagonal, diagonal].copy()
        factors, before = self.ridge, self.ridge.copy()
        while True:
            hessian[diagonal, diagonal] = plain + np.repeat(factors * unit, counts)
            try:
                step = cho_solve(cho_factor(hessian), -gradient)
            except LinAlgError:
                factors *= 30
                continue
            parts = np.split(step, np.cumsum(counts)[:-1])
            # only neurons that go too far are held back: a tiny one would slow down all
            far = np.array([np.linalg.norm(x) for x in parts]) > _TRUST * sizes
            if not far.any():
                break
            factors[far] = np.maximum(30 * factors[far], _RIDGE)
        # a ridge that sufficed at the first attempt may be larger than needed
        factors[factors == before] = np.maximum(_LEAST_RIDGE, before[factors == before] / 30)
        out = np.column_stack([b @ x for b, x in zip(self.bases, parts, strict=True)])
        return out, float(-gradient @ step)

    def _first_hits(self, direction: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """How far each neuron goes until it meets a row that can hold it, inf if it does not, and
        that row."""
        values, slopes = self.unit @ self.W, self.unit @ direction
        slopes[np.abs(slopes) <= 1e-13 * np.linalg.norm(direction, axis=0)] = 0
        leaving = np.where(self.active, slopes < 0, slopes > 0) & ~self.held
        leaving &= (self._v()[:, None] * self.signs < 0) & (self.lengths > 0)[:, None]
        against = np.where(self.active, values <= 0, values >= 0)
        with np.errstate(divide="ignore", invalid="ignore"):
            far = np.where(leaving, np.where(against, 0, -values / slopes), np.inf)
        return far.min(axis=0), far.argmin(axis=0)

    def _meet(self, i: int, j: int) -> None:
        """Hold neuron j in the hyperplane of row i, which it has met."""
        self.held[i, j] = True
        basis = self._basis(j)
        if basis.shape[1] == 0:  # exactly computed, the neuron would vanish
            self.held[i, j] = False
            self.active[i, j] = not self.active[i, j]
            return
        self.bases[j] = basis
        self.W[:, j] = basis @ (basis.T @ self.W[:, j])

    def _join(self, j: int, value: float) -> float:
        """Add neuron j to another of its sign, if a closed cone has both and that lowers F."""
        sides = np.where(self.held, 0, np.where(self.active, 1, -1))
        apart = (sides * sides[:, [j]] < 0).any(axis=0)
        for k in np.flatnonzero(~apart & (self.signs == self.signs[j])):
            if k != j:
                W = self.W.copy()
                W[:, k] += W[:, j]
                kept = np.arange(len(self.signs)) != j
                below = convex_value(self.p, W[:, kept], self.signs[kept])
                if below <= value:
                    self.W = W
                    self.held[:, k] &= self.held[:, j]
                    self.active[:, k] |= self.active[:, j] & ~self.held[:, j]
                    self.bases[k] = self._basis(int(k))
                    self._remove(j)
                    return below
        return value

    def _remove(self, j: int) -> None:
        kept = np.arange(len(self.signs)) != j
        self.W, self.signs = self.W[:, kept], self.signs[kept]
        self.active, self.held = self.active[:, kept], self.held[:, kept]
        self.ridge = self.ridge[kept]
        del self.bases[j]

    def _release(self) -> bool:
        """Release rows that do not hold their neuron; whether there was any."""
        v = self._v()
        any_left = False
        for j in np.flatnonzero(self.held.any(axis=0)):
            rows = np.flatnonzero(self.held[:, j])
            pull = self.signs[j] * v
            w = self.W[:, j]
            free = self.active[:, j] & ~self.held[:, j]
            target = self.p.beta * w / np.linalg.norm(w) - self.p.X[free].T @ pull[free]
            zeta = np.linalg.lstsq((self.p.X[rows] * pull[rows, None]).T, target, rcond=None)[0]
            worst = int(np.argmax(np.maximum(-zeta, zeta - 1)))
            if max(-zeta[worst], zeta[worst] - 1) > 1e-9:
                self.held[rows[worst], j] = False
                self.active[rows[worst], j] = zeta[worst] > 1
                self.bases[j] = self._basis(int(j))
                any_left = True
        return any_left

    def _drop(self, value: float, neurons: np.ndarray) -> float | None:
        """The value without the first of the neurons that is better left out; None without any."""
        for j in neurons:
            kept = np.arange(len(self.signs)) != j
            below = convex_value(self.p, self.W[:, kept], self.signs[kept])
            if below <= value:
                self._remove(j)
                return below
        return None
