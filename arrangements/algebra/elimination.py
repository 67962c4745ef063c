"""Integer linear algebra without fractions: independent columns, kernels, adjugates.

Gauss-Jordan elimination as of Bareiss (Sylvester's identity and multistep integer-preserving
Gaussian elimination, 1968): every entry met is a minor of the matrix, hence an integer no longer
than Hadamard's bound, and every division is exact.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction

import numpy as np

from .rounding import SMALL, fitted, largest

_PRIME = 2**31 - 1  # products of two residues fit in int64


def echelon(matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray, int]:
    """The reduced echelon form of an integer matrix, times a minor that makes it integral.

    Parameters
    ----------
    matrix : ndarray of integers, shape (m, n)

    Returns
    -------
    reduced : ndarray of Python integers, shape (rank, n)
        A basis of the row space; its pivot columns are `minor` times the unit vectors.
    columns : ndarray of int64, shape (rank,)
        Pivot columns, ascending: the first basis among the columns.
    minor : int
        Determinant of `matrix` in these columns, if its rank is m; for any rank, that of `rank`
        of its rows up to sign. Not zero.

    Notes
    -----
    Exact, with O(m n rank) operations.
    """
    done: list[list[int]] = []
    rest = matrix.tolist()
    columns: list[int] = []
    minor = 1
    for j in range(matrix.shape[1]):
        i = next((i for i, row in enumerate(rest) if row[j]), None)
        if i is None:
            continue
        top = rest.pop(i)
        if i % 2:  # it has passed i others: with this sign determinants stay the same
            top = [-x for x in top]
        done = [*_cleared(done, top, j, minor), top]
        rest = [row for row in _cleared(rest, top, j, minor) if any(row)]
        minor = top[j]
        columns.append(j)
    reduced = np.array(done, dtype=object).reshape(len(done), matrix.shape[1])
    return reduced, np.array(columns, dtype=np.int64), minor


def _cleared(rows: list[list[int]], top: list[int], j: int, minor: int) -> list[list[int]]:
    """The rows with zeros in column j, from multiples of `top`; `minor` is the last pivot."""
    pivot = top[j]
    return [[(pivot * x - c * y) // minor for x, y in zip(row, top, strict=True)]
            for row in rows for c in (row[j],)]


def kernel(matrix: np.ndarray) -> np.ndarray:
    """The basis of {u : matrix @ u == 0} that the first column basis of the matrix gives.

    Parameters
    ----------
    matrix : ndarray of integers, shape (m, n)

    Returns
    -------
    ndarray of Python integers, shape (n - rank, n)
        Primitive vectors, one for each column that depends on those before it, ascending: positive
        there and zero at the other ones. It is a function of the row space alone.
    """
    n = matrix.shape[1]
    reduced, columns, minor = echelon(matrix)
    basis = []
    for j in sorted(set(range(n)).difference(columns.tolist())):
        vector = np.zeros(n, dtype=object)
        vector[columns] = -reduced[:, j]
        vector[j] = minor
        basis.append(vector // (math.gcd(*vector) if minor > 0 else -math.gcd(*vector)))
    return np.array(basis, dtype=object).reshape(len(basis), n)


def adjugate(matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray, int]:
    """Cramer's rule: with B the first basis among the columns, adj(B) @ B == det(B) I.

    Parameters
    ----------
    matrix : ndarray of integers, shape (r, n)
        Of rank r.

    Returns
    -------
    adjugate : ndarray of Python integers, shape (r, r)
    columns : ndarray of int64, shape (r,)
        Those of B, ascending.
    determinant : int
        Of B.
    """
    r, n = matrix.shape
    both = np.hstack([matrix.astype(object), np.identity(r, dtype=object)])
    reduced, columns, determinant = echelon(both)
    return reduced[:, n:], columns, determinant


def primitive(rows: np.ndarray) -> np.ndarray:
    """Rows of integers divided by their greatest common divisors, in int64 if they fit."""
    # abs: the reduction of a single number is that number, sign and all.
    factor = abs(np.gcd.reduce(rows, axis=1, keepdims=True, initial=0))
    factor[factor == 0] = 1
    return np.ascontiguousarray(fitted(rows // factor))


def integral(point: Sequence[Fraction]) -> np.ndarray:
    """Python integers, the vector times the least number that makes it integral."""
    common = math.lcm(*(Fraction(x).denominator for x in point))
    return np.array([int(x * common) for x in point], dtype=object)


def eliminable(rows: np.ndarray) -> np.ndarray:
    """Rows of integers in int64 if `dependent` cannot overflow there, otherwise Python's."""
    norms = sorted(max(1, sum(x * x for x in row)) for row in rows.tolist())
    # Hadamard: no minor exceeds the root of this, no difference of two products twice this
    bound = math.prod(norms[len(norms) - min(rows.shape) :])
    return rows.astype(np.int64 if bound < 2**61 else object)


def dependent(sets: np.ndarray) -> np.ndarray:
    """Which of many sets (b, t, r) of vectors are dependent, for t <= r; they are `eliminable`."""
    a = sets.copy()
    every = np.arange(len(a))
    minor = np.ones(len(a), dtype=a.dtype)
    result = np.zeros(len(a), dtype=bool)
    for i in range(a.shape[1]):
        column = (a[:, i] != 0).argmax(axis=1)
        pivot = a[every, i, column]
        result |= pivot == 0
        pivot = np.where(result, minor, pivot)
        below = a[every, i + 1 :, column]
        below[result] = 0
        a[:, i + 1 :] = (a[:, i + 1 :] * pivot[:, None, None]
                         - below[:, :, None] * a[:, i, None]) // minor[:, None, None]
        minor = pivot
    return result


def independent_columns(values: np.ndarray) -> np.ndarray:
    """Ascending indices of a column basis: the first one, but for primes that divide a minor.

    Rows independent modulo a prime are independent; a few of them are proposed that way, and the
    relations that their columns satisfy are checked on all rows without rounding. A row that
    breaks one is independent of those so far, so every round raises the rank.
    """
    n, d = values.shape
    if n >= d and _regular(values[:d].tolist()):
        return np.arange(d)
    chosen = broken = np.zeros(0, dtype=np.int64)
    candidates = np.arange(min(n, 4 * d + 64))
    while True:
        pool = np.concatenate([chosen, candidates])
        pivots, columns = _modular_pivots((values[pool] % _PRIME).astype(np.int64))
        if len(pivots) == min(n, d):
            return columns
        if len(pivots) > len(chosen):
            chosen = pool[pivots]
        elif len(broken):  # the prime divides a minor: the next row is independent all the same
            chosen = pool[: len(chosen) + 1]
        columns, broken = _check_relations(values, chosen)
        if not len(broken):
            return columns
        candidates = broken[: 4 * d + 64]


def _regular(rows: list[list[int]]) -> bool:
    """Whether the determinant is not zero modulo the prime; fast where there are few rows."""
    while rows:
        i = next((i for i, row in enumerate(rows) if row[-1] % _PRIME), None)
        if i is None:
            return False
        top = rows.pop(i)
        factor = pow(top.pop(), -1, _PRIME)
        rows = [[(x - c * y) % _PRIME for x, y in zip(row, top, strict=False)]
                for row in rows for c in (row[-1] * factor % _PRIME,)]
    return True


def _modular_pivots(a: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Pivot rows and first independent columns modulo the prime; `a` is overwritten."""
    rows: list[int] = []
    columns: list[int] = []
    for j in range(a.shape[1]):
        if len(rows) == len(a):
            break
        nonzero = np.flatnonzero(a[:, j])
        if not len(nonzero):
            continue
        i = nonzero[0]
        rows.append(int(i))
        columns.append(j)
        pivot = a[i] * pow(int(a[i, j]), -1, _PRIME) % _PRIME
        # The pivot row itself becomes zero and is not met again.
        a[nonzero, j:] = (a[nonzero, j:] - a[nonzero, j : j + 1] * pivot[j:]) % _PRIME
    return np.array(rows, dtype=np.int64), np.array(columns, dtype=np.int64)


def _check_relations(values: np.ndarray, chosen: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """First column basis of the chosen rows, and the rows breaking its column relations."""
    reduced, basis, minor = echelon(values[chosen])
    rest = np.setdiff1d(np.arange(values.shape[1]), basis)
    relation = reduced[:, rest]
    bound = max(abs(minor), largest(relation)) * (len(basis) + 1)
    if values.dtype == object or bound * largest(values) >= SMALL:
        values = values.astype(object)
    else:
        relation = relation.astype(np.int64)
    broken = values[:, basis] @ relation != minor * values[:, rest]
    return basis, np.flatnonzero(broken.any(axis=1))
