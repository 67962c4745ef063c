"""Float witnesses for blocks of chambers, each checked exactly.

A walk leaves, for every pair of opposite chambers, a basis and values that say where the chamber
is, see `points.nested`. What is not certain by floats is found, and checked, in exact numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction

import numpy as np

from arrangements.algebra.elimination import adjugate, independent_columns
from arrangements.algebra.reduction import Reduction
from arrangements.algebra.rounding import nearest_float, normalised

from .points import certain, nested
from .tables import Tables


class Traces:
    """Points of chambers, in the user's coordinates, from the traces of walks."""

    def __init__(self, reduction: Reduction, tables: Tables) -> None:
        r = reduction
        self._columns, self._d, self._vectors = r.columns, r.d, tables.floats
        self._lanes = _lanes(tables.floats[: r.m])
        # points are found in balanced columns
        self._scale = np.array([nearest_float(r.column_scale[c] / Fraction(2) ** b)
                                for c, b in zip(r.columns, tables.balance.tolist(), strict=True)])

    def points(self, ids: np.ndarray, levels: np.ndarray, values: np.ndarray) -> np.ndarray:
        """Good guesses (k, d), to be checked, for the first of each of k pairs of opposites."""
        found = nested(ids, levels, values, self._vectors, self._lanes, self._scale)
        if len(self._columns) == self._d:
            return found
        out = np.zeros((len(ids), self._d))
        out[:, self._columns] = found
        return out


class Witnesses:
    """Which points are certainly in their chambers, and others for those that are not."""

    def __init__(self, reduction: Reduction,
                 exact: Callable[[np.ndarray], tuple[Fraction, ...] | None]) -> None:
        r = reduction
        self._exact, self._n, self._columns = exact, r.n, r.columns
        self._first = r.first.astype(np.int32)
        scale = np.array([r.column_scale[c] for c in r.columns], dtype=object)
        # the rows in the user's coordinates, up to positive factors, with relative error 2u
        self._exact_rows = r.rows.astype(object) * scale
        self._lanes = _lanes(normalised(self._exact_rows))

    def checked(self, packed: np.ndarray, half: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Witnesses (2 k, d) of a block of rows, and which are correct, from points (k, d) of the
        first of each pair of opposites, whose coordinates are at most 1."""
        out = np.empty((len(packed), half.shape[1]))
        out[::2] = half
        np.negative(half, out=out[1::2])
        if len(self._columns) < half.shape[1]:
            half = np.ascontiguousarray(half[:, self._columns])
        found = np.repeat(certain(half, packed, self._lanes, self._first), 2)
        for i in np.flatnonzero(~found):
            pattern = np.unpackbits(packed[i], count=self._n, bitorder="little").astype(bool)
            exact = self._exact(pattern)
            out[i] = 0 if exact is None else normalised(exact)
            found[i] = exact is not None and self._holds(out[i][self._columns],
                                                         pattern[self._first])
        return out, found

    def _holds(self, point: np.ndarray, positive: np.ndarray) -> bool:
        """Whether a point is in the chamber, in exact arithmetic."""
        if not np.isfinite(point).all():
            return False
        u = [Fraction(x) for x in point.tolist()]
        return all((sum(a * b for a, b in zip(row, u, strict=True)) > 0) == bool(plus)
                   and any(row) and sum(a * b for a, b in zip(row, u, strict=True)) != 0
                   for row, plus in zip(self._exact_rows, positive, strict=True))


def lifts(whole: Reduction, parts: Sequence[Reduction]) -> list[np.ndarray]:
    """For each direct summand a float matrix (d, d): from a point, in the user's coordinates, to
    one where its own rows have the same values, up to positive factors, and all others none."""
    members = [whole.class_of[part.first] for part in parts]
    bases = [independent_columns(part.rows.T) for part in parts]
    basis = whole.rows[np.concatenate([m[b] for m, b in zip(members, bases, strict=True)])]
    inverse, _, determinant = adjugate(basis)
    place = {c: k for k, c in enumerate(whole.columns.tolist())}
    out, done = [], 0
    for part, rows, own in zip(parts, members, bases, strict=True):
        values = whole.rows[rows[own]].astype(object)
        matrix = np.zeros((whole.d, whole.d))
        image = inverse[:, done : done + part.rank]
        for c in part.columns.tolist():
            for k, x in zip(whole.columns.tolist(), image.dot(values[:, place[c]]), strict=True):
                ratio = whole.column_scale[c] / whole.column_scale[k]
                matrix[k, c] = nearest_float(Fraction(x, determinant) * ratio)
        out.append(matrix)
        done += part.rank
    return out


def _lanes(rows: np.ndarray) -> np.ndarray:
    """Rows as columns, padded with zeros to a multiple of eight."""
    lanes = np.zeros((rows.shape[1], -(-len(rows) // 8) * 8))
    lanes[:, : len(rows)] = rows.T
    return lanes
