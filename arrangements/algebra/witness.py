"""Exact points inside chambers, and proofs that there is none."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from functools import reduce
from operator import mul

import numpy as np

from .elimination import integral
from .nnls import bounded_least_squares

_FAR = 2**40  # stands for "no nonzero entry in this column"


def interior_point(rows: np.ndarray, signs: Sequence[int]) -> list[Fraction] | None:
    """Point of the open cone {u : signs[i] * rows[i].u > 0 for all i}, or None if it is empty.

    Parameters
    ----------
    rows : ndarray of integers, shape (m, r)
    signs : sequence of m signs +1 and -1

    Returns
    -------
    list of r Fraction, or None
        An exact point; None only with a proof that there is none. Without rows, the origin.

    Notes
    -----
    Exact for every input. Least squares in floats find most points, in about m microseconds; a
    linear program in floats takes about a millisecond; an exact simplex method decides the rest, at
    O(r (m + r)) integer operations per step.
    """
    if len(rows) == 0:
        return [Fraction(0)] * rows.shape[1]
    cone = [[*map(int, row)] if s > 0 else [-int(x) for x in row]
            for row, s in zip(rows.tolist(), signs, strict=True)]
    if not all(map(any, cone)):
        return None  # a zero row is positive nowhere
    return _nearest(cone) or _float_attempt(cone) or _alternative(cone)[0]


def positive_dependence(rows: np.ndarray) -> list[Fraction] | None:
    """Weights y >= 0, not all zero, with y @ rows == 0 (Gordan 1873), or None if there are none.

    Parameters
    ----------
    rows : ndarray of integers, shape (m, r)
    """
    if len(rows) == 0:
        return None
    return _alternative([[int(x) for x in row] for row in rows.tolist()])[1]


def _scaled(cone: list[list[int]]) -> tuple[np.ndarray, list[int]]:
    """The rows of a cone as floats of magnitude about one, and by which powers of two its columns
    were divided for it, beside rows."""
    try:
        floats = np.array(cone, dtype=np.float64)
        bits = np.frexp(floats)[1]
    except OverflowError:
        floats, bits = None, np.array([[x.bit_length() for x in row] for row in cone])
    row_bits = bits.max(axis=1, keepdims=True)
    column_bits = np.where(bits > 0, bits - row_bits, -_FAR).max(axis=0, keepdims=True)
    shifts = row_bits + column_bits
    scaled = np.ldexp(floats, -shifts) if floats is not None else np.array(
        [[x / (1 << k) if x else 0.0 for x, k in zip(row, shift, strict=True)]
         for row, shift in zip(cone, shifts.tolist(), strict=True)])
    return scaled, column_bits[0].tolist()


def _unscaled(point: np.ndarray, column_bits: list[int]) -> list[Fraction]:
    return [Fraction(x) / (1 << k) if k >= 0 else Fraction(x) * (1 << -k) if k > -_FAR
            else Fraction(0) for x, k in zip(point.tolist(), column_bits, strict=True)]


def _nearest(cone: list[list[int]]) -> list[Fraction] | None:
    """Nearly the point u of the convex hull of the rows a_i, made of length one, that is nearest to
    the origin, if it stands the exact check: a_i.u >= |u|^2.

    With y >= 0 of least |A'y|^2 + (1 - sum y)^2 that point is in the direction of u = A'y.
    """
    scaled, column_bits = _scaled(cone)
    unit = scaled / np.linalg.norm(scaled, axis=1, keepdims=True)
    target = np.zeros(unit.shape[1] + 1)
    target[-1] = 1
    try:
        residual = bounded_least_squares(np.vstack([unit.T, np.ones(len(unit))]), target)[1]
    except ArithmeticError:
        return None
    size = np.abs(residual[:-1]).max()
    if not size > 0:
        return None
    u = _unscaled(-residual[:-1] / size, column_bits)
    return u if _is_interior(cone, u) else None


def _float_attempt(cone: list[list[int]]) -> list[Fraction] | None:
    """Point of largest margin in floats, if it stands the exact check."""
    from scipy.optimize import linprog  # here: it takes long to import

    scaled, column_bits = _scaled(cone)
    r = len(cone[0])
    program = linprog(
        [0.0] * r + [-1.0],
        A_ub=np.hstack([-scaled, np.ones((len(cone), 1))]),
        b_ub=np.zeros(len(cone)),
        bounds=[(-1, 1)] * r + [(None, 1)],
        method="highs",
    )
    if program.x is None or not np.isfinite(program.x).all():
        return None
    u = _unscaled(program.x[:r], column_bits)
    return u if _is_interior(cone, u) else None


def _is_interior(cone: list[list[int]], u: list[Fraction]) -> bool:
    point = integral(u)
    return all(sum(map(mul, row, point)) > 0 for row in cone)


def _alternative(
    cone: list[list[int]],
) -> tuple[list[Fraction] | None, list[Fraction] | None]:
    """Gordan's alternative: either cone @ u > 0, or y >= 0, y != 0, y @ cone == 0.

    Returns (u, None) or (None, y), by phase one of the simplex method on
    {y >= 0 : y @ cone == 0, sum(y) == 1}: minimise the sum of artificial variables. When it stays
    positive, the dual solution (-u, t) has cone @ u >= t > 0.

    The tableau holds integers over the common denominator `pivot` (Edmonds): its entries are
    minors, so every division is exact. The lexicographic ratio test makes each basis new, hence
    the method ends.
    """
    m, r = len(cone), len(cone[0])
    # Columns: y, then artificials, then the right-hand side; the last row holds reduced costs.
    tableau = np.zeros((r + 2, m + r + 2), dtype=object)
    tableau[:r, :m] = np.array(cone, dtype=object).T
    tableau[r, :m] = tableau[r, -1] = 1
    tableau[range(r + 1), range(m, m + r + 1)] = 1
    tableau[-1, :m] = -tableau[: r + 1, :m].sum(axis=0)
    tableau[-1, -1] = -1
    basis = list(range(m, m + r + 1))
    order = [-1, *basis]  # right-hand side and artificials break ties: their rows are independent
    pivot = 1
    while tableau[-1, -1] != 0:
        enter = int(tableau[-1, :m].argmin())
        if tableau[-1, enter] >= 0:
            u = (tableau[-1, m : m + r] - pivot).tolist()
            factor = math.gcd(*u)
            return [Fraction(x, factor) for x in u], None
        ratios = tableau[:-1, order]
        weight = tableau[:-1, enter]
        leave = reduce(
            lambda i, j: i if (*(ratios[i] * weight[j]),) < (*(ratios[j] * weight[i]),) else j,
            np.flatnonzero(weight > 0).tolist(),
        )
        others = np.arange(r + 2) != leave
        tableau[others] = (
            tableau[others] * tableau[leave, enter]
            - tableau[others, enter : enter + 1] * tableau[leave]
        ) // pivot
        pivot = tableau[leave, enter]
        basis[leave] = enter
    y = [Fraction(0)] * m
    for i, j in enumerate(basis):
        if j < m:
            y[j] = Fraction(tableau[i, -1], pivot)
    return None, y
