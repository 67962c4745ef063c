"""Lower bounds of the number of chambers from the residues of the rows modulo a small prime."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np

from arrangements.algebra.elimination import primitive

from .projections import three_whitney_numbers

_PRIMES = (2, 3, 5, 7, 11, 13)
_RANKS = range(4, 10)
_MAX_CODES = 2_000_000  # vectors of a table
_FIRST_TRIPLES = 4_000_000  # of rows looked at, a tenth of a second


def least_chambers(rows: np.ndarray, enough: int) -> int:
    """A number of chambers that an arrangement of integer rows has at least.

    Parameters
    ----------
    rows : ndarray of integers, shape (m, r)
        Normals of the hyperplanes.
    enough : int
        Look at more triples of rows, up to a number of this order, while the bound is smaller.

    Returns
    -------
    int
        At least 0. For hundreds of rows in general position a tenth or a hundredth of their number.

    Notes
    -----
    Let M be the matroid of the rows (or of their restrictions to a subspace: these have no more
    chambers) and N that of their residues modulo a prime q, none of them zero. What is independent
    modulo q is independent. Then p(M) >= p(N), p = |chi(-1)|: p does not grow when M is truncated
    to the rank of N, p(M) = p(M - e) + p(M / e), and the same holds of N, or p(N) = 2 p(N / e)
    where e is in all bases of N; so it follows by induction (Lucas 1975).

    By the critical theorem (Crapo and Rota 1970), c_j being the number of subspaces of dimension j
    of F_q^s that have none of the residues,

        chi_N(t) = sum over j of c_j (t - 1)(t - q)...(t - q^(s-j-1)).

    At t = -1 the terms with j >= 4 sum to no less than 0, for c_(j+1) is at most c_j (q^(s-j) - 1)
    / (q^(j+1) - 1), and the others need the flats of rank 3 at most:

        c_j = sum over i <= j of w_i [s-i, j-i]_q,

    Gaussian binomials. Where s is small and q large this is the count of flats as it is; where q
    is small there are bounds for 10^12 chambers in a tenth of a second.

    References
    ----------
    D. Lucas, Weak maps of combinatorial geometries, 1975; H. Crapo and G.-C. Rota, On the
    foundations of combinatorial theory: combinatorial geometries, 1970.

    Examples
    --------
    >>> least_chambers(np.vstack([np.eye(4, dtype=np.int64), [1, 1, 1, 1]]), 0)
    30
    """
    size, least, triples = 0, 0, _FIRST_TRIPLES
    while least <= enough and size < len(rows) and triples <= max(enough, _FIRST_TRIPLES):
        size = min(len(rows), round((6 * triples) ** (1 / 3)))
        least = max(least, _least(rows, size))
        triples *= 10
    return least


def _least(rows: np.ndarray, size: int) -> int:
    """The bound from so many of the rows."""
    m, r = rows.shape
    choices = [(_expected(size, s, q), s, q) for s in _RANKS if s <= r for q in _PRIMES
               if q ** (s - 1) <= _MAX_CODES]
    if not choices:
        return 0
    _, s, q = max(choices)
    picked = rows[np.linspace(0, m - 1, size).astype(np.int64)].astype(object)
    if s < r:
        subspace = np.random.default_rng(0).integers(-1000, 1000, size=(r, s))
        picked = picked.dot(subspace.astype(object))
    points = _points(primitive(picked), q)
    return max(0, _bound(s, q, [1, *three_whitney_numbers(points, q)])) if len(points) else 0


def _points(rows: np.ndarray, q: int) -> np.ndarray:
    """The distinct points of projective space over F_q that primitive rows are modulo q."""
    rows = (rows % q).astype(np.int64)
    rows = rows[rows.any(axis=1)]
    lead = rows[np.arange(len(rows)), (rows != 0).argmax(axis=1)]
    inverse = np.array([pow(a, -1, q) if a else 0 for a in range(q)])
    return np.unique(rows * inverse[lead][:, None] % q, axis=0).astype(np.uint8)


def _bound(s: int, q: int, w: list[int]) -> int:
    """The first four terms of |chi_N(-1)|, from |w_0|, ..., |w_3|."""
    spaces = [sum((-1) ** i * w[i] * _subspaces(s - i, j - i, q) for i in range(j + 1))
              for j in range(4)]
    out: int = sum((-1) ** j * c * _all_points(s - j, q) for j, c in enumerate(spaces))
    return out


def _expected(n: int, s: int, q: int) -> float:
    """`_bound` of n random points, roughly."""
    free = (1 - Fraction(1, _subspaces(s, 1, q))) ** n
    return math.fsum((-1) ** j * _subspaces(s, j, q) * _all_points(s - j, q)
                     * float(free) ** _subspaces(j, 1, q) for j in range(4))


def _all_points(s: int, q: int) -> int:
    """|chi(-1)| of all points of a projective space."""
    return math.prod(1 + q**i for i in range(s))


def _subspaces(s: int, j: int, q: int) -> int:
    """The Gaussian binomial: subspaces of dimension j of F_q^s."""
    above: int = math.prod(q ** (s - i) - 1 for i in range(j))
    below: int = math.prod(q ** (i + 1) - 1 for i in range(j))
    return above // below
