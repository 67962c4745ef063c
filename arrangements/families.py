"""Named arrangements, with the numbers of chambers and faces that are published for them."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import combinations, product
from typing import Any

import numpy as np

from arrangements.checks import check_count
from arrangements.counting.closed_forms import cover_bound

from .arrangement import Arrangement
from .errors import InputError

__all__ = [
    "ALL",
    "Family",
    "braid",
    "cross_polytope",
    "cyclic",
    "demicube",
    "generic",
    "reflection_h3",
    "resonance",
    "threshold_functions",
    "threshold_graphs",
    "type_b",
    "type_d",
]

_PRIME = 2**31 - 1  # products of two residues fit in int64
_MAX_CUBE = 20  # 2^20 rows take 170 MB

# Of k = 0, 1, 2, ...
_THRESHOLD_FUNCTIONS = (
    2, 4, 14, 104, 1882, 94572, 15028134, 8378070864, 17561539552946, 144130531453121108,
)  # fmt: skip
_RESONANCE = (1, 2, 6, 32, 370, 11292, 1066044, 347326352, 419172756930)


@dataclass(frozen=True, eq=False)
class Family:
    """One member of a family of arrangements.

    Attributes
    ----------
    name : str
        Such as "braid(4)".
    rows : ndarray, shape (n, r)
        int64, or object (Python integers) where an entry needs more; float64 for `reflection_h3`.
    rank : int
        r: the rows have full column rank.
    chambers : int or None
        Published number of chambers; None where none is known to this package.
    faces : int or None
        Published number of faces of every dimension, the origin included; None likewise.
    source : str
        Where the numbers come from, in words.
    general_position : bool or None
        Whether every r rows are independent; None where `chambers` is.
    tol : float or None
        What the rows need because they are rounded: None for the exact families.
    """

    name: str
    rows: np.ndarray
    rank: int
    chambers: int | None
    faces: int | None
    source: str
    general_position: bool | None
    tol: float | None = None

    def arrangement(self) -> Arrangement:
        """The arrangement of the rows, which knows whether they are in general position: counts
        are then closed forms, whatever their size."""
        arrangement = Arrangement(self.rows, tol=self.tol)
        if self.general_position is not None:
            arrangement.numbers.general = self.general_position
        return arrangement


def braid(k: int) -> Family:
    """A_k: e_i and e_i - e_j, i < j, the braid arrangement in coordinates of full rank.

    Parameters
    ----------
    k : int
        Rank, at least 1. There are k (k + 1) / 2 rows.

    Examples
    --------
    >>> family = braid(3)
    >>> family.chambers, family.faces, family.arrangement().count_dichotomies()
    (24, 75, 24)
    """
    k = _parameter("k", k, 1)
    rows = np.concatenate([np.eye(k, dtype=np.int64), _pairs(k, -1)])
    return _family(f"braid({k})", rows, math.factorial(k + 1), _fubini(k + 1)[-1],
                   "(k+1)! chambers; faces are the ordered partitions of k+1, OEIS A000670")


def type_b(k: int) -> Family:
    """B_k: e_i, e_i - e_j and e_i + e_j, i < j, the mirrors of the hyperoctahedral group.

    Parameters
    ----------
    k : int
        Rank, at least 1. There are k^2 rows.

    Examples
    --------
    >>> type_b(3).chambers, type_b(3).faces
    (48, 147)
    """
    k = _parameter("k", k, 1)
    rows = np.concatenate([np.eye(k, dtype=np.int64), _pairs(k, -1), _pairs(k, 1)])
    return _family(f"type_b({k})", rows, 2**k * math.factorial(k), _faces_b(k),
                   "2^k k! chambers; faces OEIS A080253")


def type_d(k: int) -> Family:
    """D_k: e_i - e_j and e_i + e_j, i < j.

    Parameters
    ----------
    k : int
        Rank, at least 2. There are k (k - 1) rows.

    Examples
    --------
    >>> type_d(3).chambers == braid(3).chambers, type_d(3).faces == braid(3).faces
    (True, True)
    """
    k = _parameter("k", k, 2)
    faces = _faces_b(k) - 2 * k * 2 ** (k - 1) * _fubini(k - 1)[-1]
    return _family(f"type_d({k})", np.concatenate([_pairs(k, -1), _pairs(k, 1)]),
                   2 ** (k - 1) * math.factorial(k), faces,
                   "2^(k-1) k! chambers; faces OEIS A080254")


def resonance(k: int) -> Family:
    """The nonzero 0/1 vectors of length k.

    Parameters
    ----------
    k : int
        Rank, 1 to 20. There are 2^k - 1 rows.

    Examples
    --------
    >>> resonance(4).chambers
    370
    """
    k = _parameter("k", k, 1, _MAX_CUBE)
    rows = np.array(list(product((0, 1), repeat=k))[1:], dtype=np.int64)
    return _family(f"resonance({k})", rows, _published(_RESONANCE, k), None,
                   "chambers OEIS A034997")


def threshold_functions(k: int) -> Family:
    """(1; x) for the vertices x of the cube {-1, 1}^k: a chamber is a threshold function.

    Parameters
    ----------
    k : int
        Number of variables, 1 to 20. There are 2^k rows, of rank k + 1.

    Examples
    --------
    >>> threshold_functions(3).chambers
    104
    """
    k = _parameter("k", k, 1, _MAX_CUBE)
    return _family(f"threshold_functions({k})", _lifted(_cube(k)),
                   _published(_THRESHOLD_FUNCTIONS, k), None,
                   "chambers OEIS A000609; k = 9: N. Gruzling 2006")


def threshold_graphs(k: int) -> Family:
    """e_i + e_j, i < j, the threshold arrangement: a chamber is a labelled threshold graph.

    Parameters
    ----------
    k : int
        Number of vertices and rank, at least 3. There are k (k - 1) / 2 rows.

    Examples
    --------
    >>> threshold_graphs(4).chambers
    46
    """
    k = _parameter("k", k, 3)
    fubini = _fubini(k)
    return _family(f"threshold_graphs({k})", _pairs(k, 1),
                   2 * fubini[k] - 2 * k * fubini[k - 1], None,
                   "chambers are the labelled threshold graphs, OEIS A005840; R. P. Stanley, An "
                   "introduction to hyperplane arrangements, 2007, lecture 5")


def cross_polytope(k: int) -> Family:
    """(1; x) for the vertices x = e_i and -e_i: a chamber is a linear separation of them.

    Parameters
    ----------
    k : int
        Dimension of the cross-polytope, at least 1. There are 2 k rows, of rank k + 1.

    Notes
    -----
    The rows are b + w_i and b - w_i. For b > 0 every i has 3 sign pairs in chambers and 5 in all,
    for b < 0 their negatives, for b = 0 there are 3 pairs (+-, -+, 00). What b > 0 and b < 0 share
    are the 2^k choices of +- and -+.

    Examples
    --------
    >>> cross_polytope(2).chambers == threshold_functions(2).chambers == 14
    True
    """
    k = _parameter("k", k, 1)
    return _family(f"cross_polytope({k})", _lifted(_cross(k)), 2 * 3**k - 2**k,
                   2 * 5**k + 3**k - 2 * 2**k,
                   "chambers 2 3^k - 2^k, OEIS A027649; faces 2 5^k + 3^k - 2^(k+1), elementary")


def demicube(k: int) -> Family:
    """(1; x) for every x in {-1, 1}^k with an even number of -1: a chamber separates them.

    Parameters
    ----------
    k : int
        Dimension of the demicube, 3 to 21. There are 2^(k-1) rows, of rank k + 1.

    Examples
    --------
    >>> demicube(4).chambers == cross_polytope(4).chambers
    True
    """
    k = _parameter("k", k, 3, _MAX_CUBE + 1)
    cube = _cube(k - 1)
    rows = _lifted(np.column_stack([cube, cube.prod(axis=1)]))
    # The 3-dimensional demicube is a simplex, the 4-dimensional one a cross-polytope.
    chambers, faces = {3: (16, 81), 4: (146, 1299)}.get(k, (None, None))
    return _family(f"demicube({k})", rows, chambers, faces,
                   "k = 3 is a simplex, k = 4 a cross-polytope")


def generic(n: int, r: int, rng: Any = None) -> Family:
    """n random integer rows of length r, every r of them independent.

    Parameters
    ----------
    n, r : int
        n >= r >= 1, n < 2^31 - 1.
    rng : None, int or numpy.random.Generator
        As for `numpy.random.default_rng`.

    Notes
    -----
    In general position for certain: modulo the prime p = 2^31 - 1 the rows are c_i V_i M with
    nonzero c_i, rows V_i = (1, t, ..., t^(r-1)) of a Vandermonde matrix with distinct t, and a
    random invertible M, so no r x r minor is 0 modulo p, much less 0. Any r rows are as good as
    independent and uniform in (-p/2, p/2)^r.

    Examples
    --------
    >>> family = generic(20, 3, rng=1)
    >>> family.chambers, family.faces, family.arrangement().general_position
    (382, 1523, True)
    """
    n, r = _shape(n, r)
    if n >= _PRIME:
        raise InputError(f"n must be below {_PRIME}, got {n}; use cyclic(n, r)")
    draw = np.random.default_rng(rng)
    points = draw.integers(0, _PRIME, size=n)
    while len(distinct := np.unique(points)) < n:
        points = np.concatenate([distinct, draw.integers(0, _PRIME, size=n - len(distinct))])
    vandermonde = draw.integers(1, _PRIME, size=(n, r))
    vandermonde[:] = vandermonde[:, :1]
    for j in range(1, r):
        vandermonde[:, j] = vandermonde[:, j - 1] * points % _PRIME
    lower = np.tril(draw.integers(0, _PRIME, size=(r, r)), -1) + np.eye(r, dtype=np.int64)
    upper = np.triu(draw.integers(1, _PRIME, size=(r, r)))
    rows = _product(_product(vandermonde, lower), upper)
    rows -= _PRIME * (rows > _PRIME // 2)
    return _general(f"generic({n}, {r})", rows, n, r)


def cyclic(n: int, r: int) -> Family:
    """(1, t, ..., t^(r-1)) for n consecutive integers t around 0: points of the moment curve.

    Parameters
    ----------
    n, r : int
        n >= r >= 1.

    Notes
    -----
    In general position, by Vandermonde's determinant.

    Examples
    --------
    >>> cyclic(4, 3).rows.tolist()
    [[1, -2, 4], [1, -1, 1], [1, 0, 0], [1, 1, 1]]
    """
    n, r = _shape(n, r)
    large = (r - 1) * math.log2(max(n // 2, 1)) >= 62
    t = np.arange(-(n // 2), n - n // 2).astype(object if large else np.int64)
    rows = np.stack([t**j for j in range(r)], axis=1)
    return _general(f"cyclic({n}, {r})", rows, n, r)


def reflection_h3() -> Family:
    """H_3: the 15 mirrors of the icosahedron, in floats, since the golden ratio is irrational.

    Examples
    --------
    >>> family = reflection_h3()
    >>> family.chambers, family.arrangement().count_dichotomies(), family.arrangement().exact
    (120, 120, False)
    """
    phi = (1 + math.sqrt(5)) / 2
    rows = [(1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)]
    for s, t in product((1.0, -1.0), repeat=2):
        rows += [(phi, s, t / phi), (t / phi, phi, s), (s, t / phi, phi)]
    return _family("reflection_h3()", np.array(rows), 120, 120 + 180 + 62 + 1,
                   "order of the Coxeter group, and of its quotients by parabolic subgroups; J. E. "
                   "Humphreys, Reflection groups and Coxeter groups, 1990, 1.15", tol=1e-9)


ALL: dict[str, Callable[..., Family]] = {
    function.__name__: function
    for function in (
        braid, type_b, type_d, reflection_h3, resonance, threshold_functions, threshold_graphs,
        cross_polytope, demicube, generic, cyclic,
    )
}  # fmt: skip
"""Every family by its name, in the order of the documentation."""


# --- parameters


def _parameter(name: str, value: Any, low: int, high: int | None = None) -> int:
    number = check_count(name, value)
    if number < low or (high is not None and number > high):
        limits = f"at least {low}" if high is None else f"{low} to {high}"
        raise InputError(f"{name} must be {limits}, got {value!r}")
    return number


def _shape(n: Any, r: Any) -> tuple[int, int]:
    r = _parameter("r", r, 1)
    n = check_count("n", n)
    if n < r:
        raise InputError(f"n must be at least r = {r}, got {n}; fewer rows have no rank {r}")
    return n, r


# --- rows


def _pairs(k: int, sign: int) -> np.ndarray:
    """e_i + sign * e_j for i < j."""
    rows = np.zeros((k * (k - 1) // 2, k), dtype=np.int64)
    for row, (i, j) in zip(rows, combinations(range(k), 2), strict=True):
        row[[i, j]] = 1, sign
    return rows


def _cube(k: int) -> np.ndarray:
    bits = np.arange(2**k)[:, None] >> np.arange(k)[::-1] & 1
    return 2 * bits - 1


def _cross(k: int) -> np.ndarray:
    unit = np.eye(k, dtype=np.int64)
    return np.concatenate([unit, -unit])


def _lifted(points: np.ndarray) -> np.ndarray:
    return np.column_stack([np.ones(len(points), dtype=np.int64), points])


def _product(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """a @ b modulo the prime, for entries in [0, p): no sum passes 2^63."""
    out = np.zeros((len(a), b.shape[1]), dtype=np.int64)
    for j in range(len(b)):
        out = (out + a[:, j, None] * b[j] % _PRIME) % _PRIME
    return out


# --- numbers


def _family(name: str, rows: np.ndarray, chambers: int | None, faces: int | None, source: str,
            tol: float | None = None) -> Family:
    n, r = rows.shape
    rows.setflags(write=False)
    # Cover 1965: equality exactly in general position.
    general = None if chambers is None else chambers == cover_bound(n, r)
    return Family(name, rows, r, chambers, faces, source, general, tol)


def _general(name: str, rows: np.ndarray, n: int, r: int) -> Family:
    # A face of dimension k lies on r - k of the hyperplanes, and is a chamber of the others there.
    faces = sum(math.comb(n, r - k) * cover_bound(n - r + k, k) for k in range(1, r + 1)) + 1
    return _family(name, rows, cover_bound(n, r), faces,
                   "chambers 2 sum_{k<r} C(n-1, k), T. M. Cover 1965; faces "
                   "1 + sum_{k=1..r} C(n, r-k) 2 sum_{j<k} C(n-r+k-1, j)")


def _published(table: tuple[int, ...], k: int) -> int | None:
    return table[k] if k < len(table) else None


def _fubini(k: int) -> list[int]:
    """Ordered set partitions of 0, ..., k elements: choose the first block."""
    numbers = [1]
    for n in range(1, k + 1):
        numbers.append(sum(math.comb(n, j) * numbers[n - j] for j in range(1, n + 1)))
    return numbers


def _faces_b(k: int) -> int:
    """Choose the zero block, order the others, and give every element a sign (OEIS A080253)."""
    return sum(math.comb(k, j) * 2**j * x for j, x in enumerate(_fubini(k)))
