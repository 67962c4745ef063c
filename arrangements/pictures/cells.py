"""The chambers of an arrangement of rank at most 3 as cones with their rays in order: pictures."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from arrangements.algebra.reduction import Reduction


@dataclass(frozen=True)
class Cell:
    """A chamber, of the row space's r-dimensional quotient.

    Attributes
    ----------
    positive : int
        Bit k is set where row k of the reduction is positive.
    rays : list of lists of r numbers
        Extreme rays in cyclic order (rank 3), in the coordinates of the reduction's rows: primitive
        integers, or floats with a tolerance.
    """

    positive: int
    rays: list[list[Any]]


class Rays:
    """Signs and crossings of rays: exact, or up to a tolerance for rounded data.

    Parameters
    ----------
    tol : float or None
    """

    def __init__(self, tol: float | None) -> None:
        self._tol = tol

    def row(self, h: list[int]) -> list[Any]:
        """A functional as `values` and `split` want it: of magnitude one with a tolerance."""
        size = max(map(abs, h))
        return h if self._tol is None else [float(Fraction(x, size)) for x in h]

    def ray(self, v: list[Any]) -> list[Any]:
        """The same direction, in the shortest form."""
        if self._tol is None:
            common = math.gcd(*v)
            return [x // common for x in v]
        size = max(map(abs, v))
        return [x / size for x in v]

    def values(self, h: list[Any], rays: list[list[Any]]) -> list[Any]:
        """h.ray for every ray; zero up to the tolerance."""
        out = [sum(x * y for x, y in zip(h, ray, strict=True)) for ray in rays]
        return out if self._tol is None else [x if abs(x) > self._tol else 0 for x in out]

    def split(self, cell: Cell, h: list[Any]) -> tuple[list[list[Any]], list[list[Any]]]:
        """Rays of the parts of a cell where h is positive, and negative; [] if there is none."""
        rays, values = cell.rays, self.values(h, cell.rays)
        if min(values) >= 0:
            return rays, []
        if max(values) <= 0:
            return [], rays
        parts: tuple[list[list[Any]], list[list[Any]]] = ([], [])
        n_edges = len(rays) if len(h) == 3 else len(rays) - 1
        for i, (a, x) in enumerate(zip(rays, values, strict=True)):
            if x >= 0:
                parts[0].append(a)
            if x <= 0:
                parts[1].append(a)
            j = (i + 1) % len(rays)
            y = values[j]
            if i < n_edges and (x > 0 > y or x < 0 < y):
                # A positive combination of the edge's ends, on which h vanishes.
                cut = [abs(x) * q + abs(y) * p for p, q in zip(a, rays[j], strict=True)]
                parts[0].append(self.ray(cut))
                parts[1].append(parts[0][-1])
        return parts


def cells(reduction: Reduction, tol: float | None = None) -> list[Cell]:
    """One chamber of each opposite pair: that on which row 0 is positive.

    Parameters
    ----------
    reduction : Reduction
        Of rank 1, 2 or 3.
    tol : float, optional
        Take smaller values for zero; None is exact.

    Notes
    -----
    Rows are added one by one, and each cuts the cones it meets: O(m^3) products of integers at rank
    3, a second or so for m = 100. Exact for every input when `tol` is None.
    """
    arithmetic = Rays(tol)
    rows = [arithmetic.row(row) for row in reduction.rows.tolist()]
    basis = _basis(rows, reduction.rank, arithmetic)
    found = _orthants(rows, basis, arithmetic)
    for k in range(len(rows)):
        if k in basis:
            continue
        parts = []
        for cell in found:
            positive, negative = arithmetic.split(cell, rows[k])
            if positive:
                parts.append(Cell(cell.positive | 1 << k, positive))
            if negative:
                parts.append(Cell(cell.positive, negative))
        found = parts
    return found


def patterns(found: list[Cell], reduction: Reduction) -> np.ndarray:
    """Bool array (len(found), n): 1[Xu >= 0] on each cell."""
    positive = np.array([[cell.positive >> k & 1 for k in range(reduction.m)] for cell in found],
                        dtype=bool)
    packed = reduction.packed(positive)
    return np.unpackbits(packed, axis=1, count=reduction.n, bitorder="little").view(bool)


def _basis(rows: list[list[Any]], rank: int, arithmetic: Rays) -> list[int]:
    """Row 0 and the first rows that are independent of it and of each other."""
    basis = [0]
    for k, row in enumerate(rows):
        if len(basis) < rank and any(arithmetic.values(row, _normals(rows, basis))):
            basis.append(k)
    return basis


def _normals(rows: list[list[Any]], basis: list[int]) -> list[list[Any]]:
    """Vectors orthogonal to the rows of the basis that vanish together on no other row."""
    if len(rows[0]) == 1:
        return [[0]]
    if len(rows[0]) == 2:
        return [_perpendicular(rows[0])]
    if len(basis) == 2:
        return [_cross(rows[basis[0]], rows[basis[1]])]
    unit = [[1, 0, 0], [0, 1, 0], [0, 0, 1]]
    return [_cross(rows[0], e) for e in unit]


def _orthants(rows: list[list[Any]], basis: list[int], arithmetic: Rays) -> list[Cell]:
    """The chambers of the basis: all signs but that of row 0, on the dual basis."""
    b = [rows[k] for k in basis]
    if len(b) == 1:
        dual = [[1]]
    elif len(b) == 2:
        dual = [_perpendicular(b[1]), _perpendicular(b[0])]
    else:
        dual = [_cross(b[1], b[2]), _cross(b[2], b[0]), _cross(b[0], b[1])]
    for i, ray in enumerate(dual):
        (value,) = arithmetic.values(b[i], [ray])
        dual[i] = arithmetic.ray(ray if value > 0 else [-x for x in ray])
    out = []
    for negative in range(0, 2 ** len(b), 2):
        rays = [[-x for x in ray] if negative >> i & 1 else ray for i, ray in enumerate(dual)]
        positive = sum(1 << k for i, k in enumerate(basis) if not negative >> i & 1)
        out.append(Cell(positive, rays))
    return out


def _perpendicular(a: list[Any]) -> list[Any]:
    return [-a[1], a[0]]


def _cross(a: list[Any], b: list[Any]) -> list[Any]:
    return [
        a[1] * b[2] - a[2] * b[1],
        a[2] * b[0] - a[0] * b[2],
        a[0] * b[1] - a[1] * b[0],
    ]
