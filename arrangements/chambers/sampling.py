"""Chambers at random, each once, with exact patterns."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from arrangements.algebra.data import Source
from arrangements.algebra.point_signs import PointSigns
from arrangements.checks import check_choice, check_count, check_exact, check_rng
from arrangements.counting.closed_forms import cover_bound
from arrangements.patterns.dichotomies import Dichotomies

_CHUNK = 2**20
_WALKS = 64


@dataclass(frozen=True, eq=False)
class Sample:
    """Distinct chambers in the order in which they were first drawn.

    Attributes
    ----------
    dichotomies : Dichotomies
        With `witnesses`: the point at which each chamber was first met.
    counts : ndarray of int64, shape (len(dichotomies),)
        How many of the draws fell in each.
    n_draws : int
        The sum of `counts`; the last draw found the last chamber, if `complete`.
    complete : bool
        Whether as many chambers were found as were asked for.
    """

    dichotomies: Dichotomies
    counts: np.ndarray
    n_draws: int
    complete: bool

    def __len__(self) -> int:
        return len(self.dichotomies)


def sample_dichotomies(arrangement: Source, m: int, rng: Any = None, *, method: str = "gaussian",
                       max_draws: int | None = None) -> Sample:
    """`m` distinct chambers of an `Arrangement`, drawn at random until there are as many.

    Parameters
    ----------
    arrangement : Arrangement
        Without `tol`.
    m : int
        Number of chambers wanted.
    rng : numpy.random.Generator, int or None
        Where the random numbers come from, or the seed of a new generator.
    method : {"gaussian", "walk"}, default "gaussian"
        "gaussian": independent directions u ~ N(0, I_d). Each draw is a chamber with probability
        its share of the solid angle; many chambers can be too small to be met.
        "walk": 64 walks side by side, a draw being one step of one of them. A step takes a uniform
        great circle through the point where the walk is, and one of the 2 m segments into which
        the m hyperplanes cut the circle, each equally likely; the walk goes to its midpoint.
        Small chambers are met far more often. Steps of a walk depend on one another; the first
        draws have, for each chamber, a probability proportional to that of a random plane meeting
        it. Angles are those of the coordinates in which the columns of X, rows scaled to largest
        entry 1, are orthonormal: scaling or mixing features changes little.
    max_draws : int, optional
        Give up after as many draws; by default 1000 + 100 m. Points that lie on a hyperplane are
        in no chamber: they count here, but not in `Sample.n_draws`.

    Returns
    -------
    Sample
        Fewer chambers, and ``complete`` False, if there are no more or `max_draws` was reached.

    Raises
    ------
    InputError
        If an argument is out of range, or the arrangement has `tol`.

    Notes
    -----
    Every pattern is that of its witness, a float64 vector read as the number it is: floats beyond
    a bound of all their rounding errors decide most signs, integers the others. So chambers too
    thin to hold a float64 vector are not found. A draw costs O(n_hyperplanes d) operations, some
    2 microseconds for "gaussian" and 6 for "walk" with 100 hyperplanes; memory is the sample.

    Examples
    --------
    >>> from arrangements import Arrangement
    >>> sample = sample_dichotomies(Arrangement([[1, 0], [0, 1], [1, 1]]), 4, rng=0)
    >>> len(sample.dichotomies), sample.complete, int(sample.counts.sum()) == sample.n_draws
    (4, True, True)
    """
    m = check_count("m", m)
    check_choice("method", method, ("gaussian", "walk"))
    limit = 1000 + 100 * m if max_draws is None else check_count("max_draws", max_draws)
    check_exact(arrangement)
    rng = check_rng(rng)
    reduction = arrangement.data.reduction
    most = arrangement.known_count or cover_bound(reduction.m, reduction.rank)
    draws = (_walk(arrangement, rng) if method == "walk" and reduction.rank > 1
             else _gaussian(arrangement, min(max(m, 64), 2**16), rng))
    seen: dict[bytes, int] = {}
    rows: list[np.ndarray] = []
    points: list[np.ndarray] = []
    n_draws = 0
    while len(seen) < min(m, most) and limit > 0:
        u, positive, inside = next(draws)
        u, positive, inside = u[:limit], positive[:limit], inside[:limit]
        limit -= len(u)
        u, positive = u[inside], positive[inside]
        fresh = []
        for i, key in enumerate(map(bytes, np.packbits(positive, axis=1))):
            n_draws += 1
            if key in seen:
                seen[key] += 1
            else:
                seen[key] = 1
                fresh.append(i)
                if len(seen) == min(m, most):
                    break
        rows.append(positive[fresh])
        points.append(u[fresh])
    packed = reduction.packed(np.concatenate(
        [np.zeros((0, len(reduction.rows)), dtype=bool), *rows]))
    witnesses = np.concatenate([np.zeros((0, arrangement.d)), *points])
    found = np.ones(len(packed), dtype=bool)
    return Sample(Dichotomies._of(packed, arrangement.n, arrangement, witnesses, found),
                  np.fromiter(seen.values(), np.int64, len(seen)), n_draws, len(seen) == m)


_Draws = Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]


def _sides(signs: PointSigns, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Which rows (k, m) are positive, and at which points (k,) none is zero."""
    finite = np.isfinite(points).all(axis=1)
    found = signs.at(np.where(finite[:, None], points, 0.0))
    return found > 0, finite & (found != 0).all(axis=1)


def _gaussian(arrangement: Source, block: int, rng: np.random.Generator) -> _Draws:
    signs = arrangement.data.signs
    block = max(1, min(block, _CHUNK // max(arrangement.d, arrangement.data.reduction.m)))
    while True:
        points = rng.standard_normal((block, arrangement.d))
        yield points, *_sides(signs, points)


def _walk(arrangement: Source, rng: np.random.Generator) -> _Draws:
    data = arrangement.data
    columns = data.reduction.columns
    signs = PointSigns(data.matrix, data.reduction, columns)
    m, r = signs.rows.shape
    rows, back = _orthonormal(signs.rows)
    z = _unit(rng.standard_normal((_WALKS, r)))
    every = np.arange(_WALKS)
    while True:
        v = rng.standard_normal((_WALKS, r))
        v = _unit(v - (v * z).sum(axis=1, keepdims=True) * z)
        # Row i vanishes at z cos t + v sin t for one t in [0, pi), and again half a turn later.
        crossings = np.arctan2(-(z @ rows.T), v @ rows.T) % np.pi
        crossings.sort(axis=1)
        crossings = np.hstack([crossings, crossings[:, :1] + np.pi])
        j = rng.integers(0, m, _WALKS)
        t = (crossings[every, j] + crossings[every, j + 1]) / 2
        t = (t + np.pi * rng.integers(0, 2, _WALKS))[:, None]
        moved = _unit(z * np.cos(t) + v * np.sin(t))
        with np.errstate(all="ignore"):
            local = moved @ back
            local /= np.abs(local).max(axis=1, keepdims=True)
        positive, inside = _sides(signs, local)
        z = np.where(inside[:, None], moved, z)
        points = np.zeros((_WALKS, arrangement.d))
        points[:, columns] = local
        yield points, positive, inside


def _orthonormal(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Q with orthonormal columns and B with rows @ (z @ B) == Q @ z, up to rounding."""
    size = np.linalg.norm(rows, axis=0)
    size[size == 0] = 1
    q, triangle = np.linalg.qr(rows / size)
    if np.linalg.cond(triangle) < 1e12:
        return q, np.linalg.inv(triangle).T / size
    return rows / size, np.diag(1 / size)  # dependent but for rounding: keep the axes


def _unit(x: np.ndarray) -> np.ndarray:
    out: np.ndarray = x / np.linalg.norm(x, axis=1, keepdims=True)
    return out
