"""The largest price of a neuron, max over ||u|| <= 1 of |v.(Xu)_+|: exact, or between bounds.

`Arrangement.support` finds it up to rank 64 or so, given time. Where it does not, f(u) = v.(Xu)_+
is bounded by a relaxation that holds in any dimension. Over the ball (x_i.u)_+ with v_i > 0 lies
below its chord (c_i + x_i.u)/2, c_i = ||x_i||, and (x_i.u)_+ with v_i < 0 above t_i x_i.u for every
t_i in [0, 1]:

    f(u) <= sum_{v_i > 0} v_i c_i/2 + min over t of ||sum_{v_i > 0} v_i x_i/2 - sum |v_i| t_i x_i||,

the dual of a second-order cone program, and a bounded least squares problem. Instead of
sum v_i c_i one may take the root of sum v_i * lambda_max(sum v_i x_i x_i'), which bounds
sum v_i |x_i.u| as well. Branch and bound on the signs of x_i.u closes the gap in time: rows with a
sign are linear, their half-spaces get multipliers. Every bound is evaluated from its t and
multipliers, whatever they are, and rounded up.
"""

from __future__ import annotations

import heapq
import time
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.optimize import lsq_linear

from arrangements import CapacityError
from cvxlayer.model.problem import Problem
from cvxlayer.model.weights import scaled_by_power

__all__ = ["Price", "chord_bound", "price", "price_of"]

_U = 2.0**-53
_SHARE = 0.6  # of the time that the exact search gets
_CLOSED = 1e-9  # relative gap at which the relaxations stop


@dataclass(frozen=True, eq=False)
class Price:
    """max over ||u|| <= 1 of |v.(Xu)_+|, between two numbers.

    Attributes
    ----------
    value : float
        sign * v.(Xu)_+ at `u`.
    bound : float
        No unit vector has a larger |v.(Xu)_+|; rounded up.
    u : ndarray of float64, shape (d,)
    sign : int
    pattern : ndarray of bool, shape (n,)
        A chamber whose closure has `u`.
    complete : bool
        `bound` exceeds `value` by rounding errors only, or by 1e-9 of it.
    """

    value: float
    bound: float
    u: np.ndarray
    sign: int
    pattern: np.ndarray
    complete: bool


def price(problem: Problem, v: np.ndarray, *, n_jobs: int = 1, max_seconds: float | None = None,
          progress: bool = False) -> Price:
    """The most violated neuron under v, and a rigorous bound.

    Parameters
    ----------
    problem : Problem
    v : ndarray of float64, shape (n,)
    n_jobs, progress
        As for `Arrangement.support`.
    max_seconds : float, optional
        After this the best bound so far is returned. Without it the search ends when it is done;
        for ranks above 64, where there is no exact search, after 10 seconds.

    Returns
    -------
    Price
    """
    return price_of(problem.arrangement, problem.X, v, n_jobs=n_jobs, max_seconds=max_seconds,
                    progress=progress)


def price_of(arrangement: Any, X: np.ndarray, v: np.ndarray, *, n_jobs: int = 1,
             max_seconds: float | None = None, progress: bool = False) -> Price:
    """`price` for an arrangement and its rows in floats."""
    begun = time.monotonic()
    max_seconds = None if max_seconds == np.inf else max_seconds
    found = None
    try:
        h = arrangement.support(
            v, both=True, n_jobs=n_jobs, progress=progress,
            max_seconds=None if max_seconds is None else _SHARE * max_seconds)
        found = Price(h.value, h.bound, h.u, h.sign, h.pattern, h.complete)
    except CapacityError:  # the rank is too large to cut space into cones
        max_seconds = 10.0 if max_seconds is None else max_seconds
    if found is not None and found.complete:
        return found
    left = max(max_seconds - (time.monotonic() - begun), 0.0) if max_seconds is not None else 0.0
    tops = np.abs(X).max(axis=1, initial=0)
    Z = X / np.where(tops > 0, tops, 1)[:, None]
    lengths = np.linalg.norm(Z, axis=1)
    Z /= np.where(lengths > 0, lengths, 1)[:, None]
    # v_i ||x_i|| = 2^exponent w_i
    w, exponent = scaled_by_power(lengths, tops, v)
    parts = [_relaxed(Z, sign * w, sign, time.monotonic() + left / 2) for sign in (1, -1)]
    value, u, sign = max(((x, u, sign) for x, u, sign, _ in parts), key=lambda part: part[0])
    value = float(np.ldexp(value, exponent))
    bound = float(np.nextafter(np.ldexp(max(above for *_, above in parts), exponent), np.inf))
    if found is not None:
        bound = min(bound, found.bound)
        if found.value >= value:
            value, u, sign = found.value, found.u, found.sign
    pattern = arrangement.dichotomies_at(u[None])[0]
    return Price(value, bound, u, sign, pattern, bool(bound <= value * (1 + _CLOSED)))


def chord_bound(X: np.ndarray, v: np.ndarray, sides: np.ndarray | None = None
                ) -> tuple[float, np.ndarray]:
    """An upper bound of v.(Xu)_+ over unit vectors u with sides_i x_i.u >= 0, by chords; and the
    unit vector where the relaxation has it.

    Parameters
    ----------
    X : ndarray of float64, shape (n, d)
    v : ndarray of float64, shape (n,)
    sides : ndarray of int, shape (n,), optional
        1 and -1 for rows whose side is fixed, 0 for the others.

    Notes
    -----
    Products of entries of X and v must not underflow when squared; `price` scales them.
    """
    sides = np.zeros(len(X), dtype=np.int8) if sides is None else sides
    lengths = np.linalg.norm(X, axis=1)
    chord = (v > 0) & (sides == 0)
    concave = (v < 0) & (sides == 0)
    linear = v * np.where(chord, 0.5, sides > 0)
    fixed = np.flatnonzero(sides)
    columns = np.vstack([v[concave, None] * X[concave], sides[fixed, None] * X[fixed]]).T
    upper = np.concatenate([np.ones(int(concave.sum())), np.full(len(fixed), np.inf)])
    g = X.T @ linear
    x = np.zeros(len(upper))
    if len(upper):
        scale = np.maximum(np.linalg.norm(columns, axis=0), 1e-300)
        found = lsq_linear(columns / scale, -g, (0, upper * scale), method="bvls", tol=1e-14)
        x = np.clip(found.x / scale, 0, upper)
        g = g + columns @ x
    weights = float(np.abs(x) @ np.linalg.norm(columns, axis=0)) if len(upper) else 0.0
    rounding = _rounding(X, v, lengths) + 8 * _U * (len(X) + X.shape[1] + 8) * weights
    size = float(np.linalg.norm(g))
    u = g / size if size > rounding else np.zeros(len(g))
    return _heights(X[chord], v[chord], lengths[chord]) / 2 + size + rounding, u


def _heights(X: np.ndarray, v: np.ndarray, lengths: np.ndarray) -> float:
    """A bound of sum v_i |x_i.u| on the unit ball, v > 0: by Cauchy and Schwarz, or by lengths."""
    gram = (X.T * v) @ X
    # eigenvalues are right up to some units of the norm, here at most the trace
    top = float(np.linalg.eigvalsh(gram)[-1]) + 64 * _U * sum(X.shape) * float(np.trace(gram))
    return float(min(v @ lengths, np.sqrt(v.sum()) * np.sqrt(max(top, 0.0))))


def _rounding(X: np.ndarray, v: np.ndarray, lengths: np.ndarray) -> float:
    return 8 * _U * (sum(X.shape) + 8) * float(np.abs(v) @ lengths) + 1e-300


def _relaxed(X: np.ndarray, v: np.ndarray, sign: int, end: float
             ) -> tuple[float, np.ndarray, int, float]:
    """The largest v.(Xu)_+ found, its u, `sign`, and an upper bound, by branch and bound on the
    signs of rows until `end`."""
    lengths = np.linalg.norm(X, axis=1)
    value, best = _ascent(X, v)
    bound, u = chord_bound(X, v)
    heap = [(-bound, 0, np.zeros(len(X), dtype=np.int8), u)]
    count = 0
    while heap:
        top, _, sides, u = heap[0]
        bound = max(-top, value)
        height = float(v @ np.maximum(X @ u, 0))
        if height > value:
            value, best = height, u
        missed = np.where((v > 0) & (sides == 0), v * (lengths - np.abs(X @ u)), 0)
        row = int(np.argmax(missed))
        if bound <= value * (1 + _CLOSED) or missed[row] <= 0 or time.monotonic() >= end:
            break
        heapq.heappop(heap)
        for side in (1, -1):
            child = sides.copy()
            child[row] = side
            above, at = chord_bound(X, v, child)
            count += 1
            if above > value:
                heapq.heappush(heap, (-min(above, bound), count, child, at))
    else:
        bound = value
    value = max(value, 0.0)
    return value, best, sign, max(bound, value)


def _ascent(X: np.ndarray, v: np.ndarray, starts: int = 16, steps: int = 100
            ) -> tuple[float, np.ndarray]:
    """The best of some searches: from u to the direction of the gradient at u, and again."""
    U = np.random.default_rng(0).standard_normal((X.shape[1], starts))
    value, best = 0.0, np.zeros(X.shape[1])
    for _ in range(steps):
        U /= np.maximum(np.linalg.norm(U, axis=0), 1e-300)
        heights = np.maximum(X @ U, 0)
        values = v @ heights
        k = int(np.argmax(values))
        if values[k] > value:
            value, best = float(values[k]), U[:, k].copy()
        U = 0.5 * np.linalg.norm(X.T @ v) * U + X.T @ ((heights > 0) * v[:, None])
    return value, best
