"""Float witnesses for blocks of chambers, each checked exactly.

A walk leaves, for every pair of opposite chambers, a basis b_1..b_r and values such that the point
u with b_i.u = value_i * epsilon^level_i is in the chamber for all small epsilon. Here epsilon is
chosen level by level, vectorised over the block.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import numpy as np

from arrangements.algebra.reduction import Reduction
from arrangements.algebra.rounding import U, nearest_float, normalised

from .tables import Tables


def nested_points(vectors: np.ndarray, rows: np.ndarray, ids: np.ndarray, levels: np.ndarray,
                  values: np.ndarray) -> np.ndarray:
    """Points (k, r) of k chambers from their traces; good guesses, to be checked.

    `vectors` are all vectors a basis can hold, `rows` those of the arrangement, as floats.
    """
    depth = int(levels.max(initial=0)) + 1
    right = np.where(levels[:, :, None] == np.arange(depth), values[:, :, None], 0.0)
    with np.errstate(all="ignore"):
        try:
            directions = np.linalg.solve(vectors[ids], right)
        except np.linalg.LinAlgError:
            return np.full((len(ids), vectors.shape[1]), np.nan)
        point = directions[:, :, depth - 1]
        for level in range(depth - 2, -1, -1):
            outer = directions[:, :, level]
            a, b = outer @ rows.T, point @ rows.T
            a[np.abs(a) < 1e-9 * np.abs(outer).max(axis=1, keepdims=True)] = 0
            # the largest step that keeps the sign of every a that is not zero, halved
            limit = np.where(a * b < 0, np.abs(a) / np.abs(b), np.inf).min(axis=1)
            scale = np.abs(outer).max(axis=1) / np.abs(point).max(axis=1)
            step = 0.5 * np.minimum(limit, np.where(np.isfinite(scale) & (scale > 0), scale, 1.0))
            point = outer + step[:, None] * point
        out: np.ndarray = point / np.abs(point).max(axis=1, keepdims=True)
        return out


class Witnesses:
    """Float points for patterns of one arrangement."""

    def __init__(self, reduction: Reduction, tables: Tables,
                 exact: Callable[[np.ndarray], tuple[Fraction, ...] | None]) -> None:
        r = reduction
        self._exact = exact
        self._columns, self._d = r.columns, r.d
        self._vectors, self._rows = tables.floats, tables.floats[: r.m]
        self._first = r.first
        scale = np.array([r.column_scale[c] for c in r.columns], dtype=object)
        # the rows in the user's coordinates, up to positive factors, with relative error 2u
        self._exact_rows = r.rows.astype(object) * scale
        # points are found in balanced columns
        self._scale = np.array([nearest_float(s / Fraction(2) ** b)
                                for s, b in zip(scale, tables.balance.tolist(), strict=True)])
        self._float_rows = normalised(self._exact_rows)

    def of(self, packed: np.ndarray, n: int, trace: tuple[np.ndarray, ...]
           ) -> tuple[np.ndarray, np.ndarray]:
        """Witnesses (p, d) of a block of rows and their opposites, and which are correct."""
        half = nested_points(self._vectors, self._rows, *trace)
        points = np.repeat(half, 2, axis=0)
        points[1::2] *= -1
        with np.errstate(all="ignore"):
            points = points / self._scale
            points /= np.abs(points).max(axis=1, keepdims=True)
        positive = np.unpackbits(packed, axis=1, count=n, bitorder="little")[:, self._first]
        found = self._certain(points, positive)
        out = np.zeros((len(packed), self._d))
        out[:, self._columns] = points
        for i in np.flatnonzero(~found):
            pattern = np.unpackbits(packed[i], count=n, bitorder="little").astype(bool)
            exact = self._exact(pattern)
            if exact is not None:
                out[i] = normalised(exact)
                found[i] = self._holds(out[i][self._columns], positive[i])
        return out, found

    def _certain(self, points: np.ndarray, positive: np.ndarray) -> np.ndarray:
        """Which points have the right signs beyond every rounding error."""
        with np.errstate(all="ignore"):
            value = points @ self._float_rows.T
            bound = (len(self._columns) + 8) * U * (np.abs(points) @ np.abs(self._float_rows).T)
            right = np.where(positive, value, -value) > bound + 1e-290
        out: np.ndarray = right.all(axis=1)
        return out

    def _holds(self, point: np.ndarray, positive: np.ndarray) -> bool:
        """The same in exact arithmetic."""
        if not np.isfinite(point).all():
            return False
        u = [Fraction(x) for x in point.tolist()]
        return all((sum(a * b for a, b in zip(row, u, strict=True)) > 0) == bool(plus)
                   and any(row) and sum(a * b for a, b in zip(row, u, strict=True)) != 0
                   for row, plus in zip(self._exact_rows, positive, strict=True))
