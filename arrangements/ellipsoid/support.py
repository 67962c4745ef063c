"""The support function of the rectified ellipsoid: h(v) = max of v.(Xu)_+ over the unit ball."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass
from threading import Lock
from typing import Any

import numpy as np

from arrangements.algebra.data import Data
from arrangements.algebra.rounding import U
from arrangements.chambers.at_points import chambers_at
from arrangements.checks import check_count, check_exact, check_floats, check_jobs, check_rng
from arrangements.errors import CapacityError, InputError
from arrangements.patterns.dichotomies import Dichotomies
from arrangements.progress import progress_bar
from arrangements.walk import threads

from .search import Search

__all__ = ["Support", "local_maxima", "support"]

_SAME = 1e-7
_STARTS, _MAX_STARTS = 8, 1024
_MAX_RANK = 64
_ORTHANTS = 12  # up to this rank the search begins with the orthants, else with r + 1 cones


@dataclass(frozen=True, eq=False)
class Support:
    """Maxima of f(u) = v.(Xu)_+, and of -f where both signs were asked for.

    Attributes
    ----------
    value : float
        The largest value found, of f or -f, that of `u`; at least 0, that of u = 0. It is h(v), or
        max(h(v), h(-v)), where that exceeds `above` and `complete` is true or `limit` was reached.
    bound : float
        Neither f nor (with both signs) -f is larger anywhere in the unit ball, rounding included.
        Where there was time enough it exceeds the larger of `value` and `above` by `error` and
        a few rounding errors.
    error : float
        A bound of all rounding errors in `value`, `values` and `bound`.
    u : ndarray of float64, shape (d,)
        Of length 1, or 0 where `value` is.
    pattern : ndarray of bool, shape (n,)
        A chamber whose closure has `u`.
    sign : int
        1 if `value` is of f, -1 if it is of -f.
    values : ndarray of float64, shape (k,)
        Values of the maxima kept, descending: of f where `signs` is 1, of -f where it is -1.
    points : ndarray of float64, shape (k, d)
        Where they are; of length 1.
    signs : ndarray of int8, shape (k,)
    dichotomies : Dichotomies
        k chambers, each with a point of `points` in its closure.
    complete : bool
        False where `limit` or `max_seconds` ended the search early, so that there may be more.
        `bound` is right all the same.
    n_screened : int
        Cones bounded.
    n_projected : int
        Cones on which f is concave, whose maximum is a projection.
    """

    value: float
    bound: float
    error: float
    u: np.ndarray
    pattern: np.ndarray
    sign: int
    values: np.ndarray
    points: np.ndarray
    signs: np.ndarray
    dichotomies: Dichotomies
    complete: bool
    n_screened: int
    n_projected: int

    def __len__(self) -> int:
        return len(self.values)


def support(arrangement: Any, v: Any, *, above: float | None = None, limit: int | None = None,
            both: bool | None = None, n_jobs: int = 1, max_seconds: float | None = None,
            progress: bool = False) -> Support:
    """h(v) = max over ||u|| <= 1 of v.(Xu)_+, or all local maxima beyond a threshold.

    Parameters
    ----------
    arrangement : Arrangement
        Without `tol`.
    v : array-like of float, shape (n,)
    above : float, optional
        Find every local maximum of v.(Xu)_+ on the unit sphere larger than this, not only the
        largest one.
    limit : int, optional
        Keep so many of the largest local maxima; without `above`, of those larger than 0.
    both : bool, optional
        Also look at -v, in the same search; by default where `above` or `limit` is given. Then
        `Support.value` and `bound` are of max(h(v), h(-v)).
    n_jobs : int, default 1
        Threads; -1 for all cores. Values agree to rounding.
    max_seconds : float, optional
        Stop then; `Support.bound` holds, and `complete` is False if it was too early.
    progress : bool, default False
        Draw a progress bar on stderr.

    Returns
    -------
    Support

    Raises
    ------
    InputError
        If v has another length or is not finite, or the arrangement has `tol`.
    CapacityError
        If the rank is above 64.

    Notes
    -----
    On a chamber f is linear and its maximum the length of the projection of X'Dv onto the cone
    (Pilanci and Ergen 2020); where that is no local maximum of f, a neighbouring chamber has a
    larger one. No chamber is listed: cones are bounded by a convex relaxation and cut at the
    hyperplanes of rows with v_i > 0 until f is concave on them, see docs/algorithm.md. For the
    residuals of nearly optimal networks with 100 samples of rank 5 this looks at 10^5 cones in
    0.3 seconds, where there are 8 million chambers; the time grows about fivefold with each
    further rank, and as n or n^2 with the number of samples. Memory is O(n (r + cuts)). Local
    maxima far below the largest one cost far more.

    Values and bounds are right up to `Support.error`, patterns exactly. Of local maxima nearer
    than 1e-7 to each other one is given.

    Examples
    --------
    >>> from arrangements import Arrangement
    >>> h = support(Arrangement([[1, 0], [0, 1], [1, 1]]), [3, 4, 0])
    >>> round(h.value, 9), h.u.round(9).tolist(), h.pattern.astype(int).tolist()
    (5.0, [0.6, 0.8], [1, 1, 1])
    """
    v, least = _checked(arrangement, v, above)
    keep = 0 if limit is None else check_count("limit", limit)
    if limit is not None and keep == 0:
        raise InputError("limit must be at least 1 or None, got 0")
    several = above is not None or limit is not None
    if max_seconds is not None and not check_floats("max_seconds", max_seconds, ()) >= 0:
        raise InputError(f"max_seconds must be at least 0 or None, got {max_seconds!r}")
    end = math.inf if max_seconds is None else time.monotonic() + float(max_seconds)
    signs = (1, -1) if (several if both is None else both) else (1,)
    jobs, space = check_jobs(n_jobs), arrangement.euclidean
    v, least, exponent = space.scaled(v, least)
    # first the largest value, by bounds that are true whatever is rounded
    search = _Search(space, v, signs, least, 0, jobs)
    search.ascend(_STARTS)
    complete = search.run(end, progress)
    bound, error = search.bound(), search.error()
    n_screened, n_projected = search.n_screened, search.n_projected
    if several and search.threshold > least:
        search = _Search(space, v, signs, least, keep or 2**62, jobs)
        search.ascend(min(16 * keep, _MAX_STARTS))
        complete = search.run(end, progress) and complete and not search.dropped
        n_screened += search.n_screened
        n_projected += search.n_projected
    return _result(arrangement, v, exponent, search, least if several else 0.0, bound=bound,
                   error=error, complete=complete, n_screened=n_screened, n_projected=n_projected)


def local_maxima(arrangement: Any, v: Any, starts: Any = 1000, *, above: float = 0.0,
                 both: bool = True, rng: Any = None) -> Support:
    """Local maxima of v.(Xu)_+ on the unit sphere reached by going up from many points.

    Parameters
    ----------
    arrangement, v, above, both
        As in `support`.
    starts : int or array-like of float, shape (k, d)
        How many points, normally distributed, or which ones.
    rng : numpy.random.Generator, int or None
        Where random numbers come from.

    Returns
    -------
    Support
        Without a claim that these are all: `complete` is False and `bound` infinite.

    Notes
    -----
    Steepest ascent along great circles, with exact steps; 20 microseconds a start for 100 samples
    of rank 5.

    Examples
    --------
    >>> from arrangements import Arrangement
    >>> local_maxima(Arrangement([[1, 0], [0, 1]]), [3, -2], rng=0).values.round(12).tolist()
    [3.0, 2.0]
    """
    v, least = _checked(arrangement, v, above)
    space = arrangement.euclidean
    if isinstance(starts, int | np.integer) and not isinstance(starts, bool):
        k = check_count("starts", starts)
        points = check_rng(rng).standard_normal((k, arrangement.rank))
    else:
        points = check_floats("starts", starts, (None, arrangement.d)) @ space.basis
    v, least, exponent = space.scaled(v, least)
    search = _Search(space, v, (1, -1) if both else (1,), least, 2**62, 1)
    search.ascend(points[(points != 0).any(axis=1)])
    return _result(arrangement, v, exponent, search, least, bound=math.inf,
                   error=search.error(), complete=False, n_screened=0, n_projected=0)


def _checked(arrangement: Any, v: Any, above: Any) -> tuple[np.ndarray, float]:
    check_exact(arrangement)
    v = check_floats("v", v, (arrangement.n,))
    least = 0.0 if above is None else float(check_floats("above", above, ()))
    if least < 0:
        raise InputError(f"above must be at least 0, got {above!r}; h(v) is never negative")
    if arrangement.rank > _MAX_RANK:
        raise CapacityError(
            f"rank {arrangement.rank} is more than the search can cut into cones (at most "
            f"{_MAX_RANK}); choose fewer features", n_chambers=2**arrangement.rank,
            bytes_needed=0, bytes_available=threads.available_bytes(), exact=False)
    return v, least


def _result(arrangement: Any, v: np.ndarray, exponent: int, search: _Search, least: float, *,
            bound: float, error: float, **fields: Any) -> Support:
    """In the units of v times 2^exponent; bounds are rounded up."""
    space = arrangement.euclidean
    signs, z = search.found()
    points = z @ space.basis.T
    values = signs * space.heights(v, points)
    order = np.argsort(-values, kind="stable")
    order = order[values[order] > 0]  # not what was above zero for its rounding
    signs, points, values = signs[order], points[order], values[order]
    dichotomies = chambers_at(arrangement, points)
    if len(values):
        first = float(values[0]), points[0], dichotomies[0], int(signs[0])
    else:
        zero = np.zeros(arrangement.d)
        first = 0.0, zero, chambers_at(arrangement, zero[None])[0], 1
    value, u, pattern, sign = first
    kept = values > least
    with np.errstate(over="ignore", under="ignore"):
        value, bound, error, values = (np.ldexp(x, exponent)
                                       for x in (value, bound, error, values))
    if exponent < -900:  # where numbers lose digits
        bound, error = np.nextafter([bound, error], np.inf)
    return Support(value=float(value), bound=float(bound), error=float(error), u=u,
                   pattern=pattern, sign=sign, values=values[kept], points=points[kept],
                   signs=signs[kept], dichotomies=dichotomies[kept], **fields)


class Euclidean:
    """The rows of an arrangement as floats, in orthonormal coordinates of the row space.

    Attributes
    ----------
    rank : int
    basis : ndarray, shape (d, r)
        Orthonormal columns.
    spread : float
        No sum of coordinates of a unit vector in the rays of its first cone is larger.
    """

    def __init__(self, data: Data) -> None:
        r = data.reduction
        self._rows = data.to_numpy()
        tops = np.abs(self._rows).max(axis=1, initial=0)
        tops[tops == 0] = 1
        # squares of small numbers would be lost
        with np.errstate(over="ignore", invalid="ignore"):
            self._norms = tops * np.linalg.norm(self._rows / tops[:, None], axis=1)
        if not np.isfinite(self._norms).all():
            raise InputError("X must have rows whose lengths fit floats; divide it by a power of "
                             "ten")
        self._cut = r.cut
        self._class_of, self._negative = r.class_of[self._cut], r.orientation[self._cut] < 0
        units = self._rows / tops[:, None]
        units /= np.maximum(np.linalg.norm(units, axis=1), 0.5)[:, None]
        self.basis = (np.eye(r.d) if r.rank == r.d
                      else np.linalg.svd(units[r.first], full_matrices=False)[2][: r.rank].T)
        self._z = units[r.first] @ self.basis
        # what the coordinates miss, of vectors of length 1
        sign = np.where(self._negative, -1.0, 1.0)
        missed = units[self._cut] - sign[:, None] * (self._z @ self.basis.T)[self._class_of]
        self._defects = np.linalg.norm(missed, axis=1)
        self.spread = math.sqrt(r.rank) if r.rank <= _ORTHANTS else float(r.rank)
        self.rank = r.rank

    def scaled(self, v: np.ndarray, least: float) -> tuple[np.ndarray, float, int]:
        """v and a threshold of f divided by 2^e, and e, such that no |v_i| ||x_i|| is larger than 1
        and the largest is not much smaller: squares of them neither over- nor underflow."""
        used = self._cut[v[self._cut] != 0]
        if len(used) == 0:
            return v, least, 0
        e = int((np.frexp(v[used])[1] + np.frexp(self._norms[used])[1]).max())
        with np.errstate(over="ignore", under="ignore"):
            return np.ldexp(v, -e), float(np.ldexp(least, -e)), e

    def function(self, v: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Rows, weights and linear part of f in the form `Search` wants."""
        w = v[self._cut] * self._norms[self._cut]
        m, turned = len(self._z), self._negative
        weights = np.bincount(self._class_of, w, m).astype(np.float64)  # of nothing, integers
        # (-x.u)_+ = (x.u)_+ - x.u
        linear = -(np.bincount(self._class_of[turned], w[turned], m) @ self._z)
        order = np.concatenate([np.flatnonzero(weights > 0), np.flatnonzero(weights < 0)])
        return np.ascontiguousarray(self._z[order]), weights[order], linear

    def magnitude(self, v: np.ndarray) -> tuple[float, float]:
        """Sum of |v_i| ||x_i||, and how much f can differ for the coordinates' rounding."""
        w = np.abs(v[self._cut]) * self._norms[self._cut]
        return float(w.sum()), float(w @ self._defects)

    def heights(self, v: np.ndarray, points: np.ndarray) -> np.ndarray:
        """f at points (k, d)."""
        out: np.ndarray = np.maximum(points @ self._rows.T, 0) @ v
        return out

    def cones(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Rays (r, r) of cones that cover the space, and the dual bases."""
        r = self.rank
        if r <= _ORTHANTS:
            for orthant in range(2**r):
                axes = np.diag([-1.0 if orthant >> c & 1 else 1.0 for c in range(r)])
                yield axes, axes
            return
        # rays to the vertices of a regular simplex
        centred = np.eye(r + 1) - 1 / (r + 1)
        vertices = centred @ np.linalg.svd(centred)[2][:r].T
        vertices /= np.linalg.norm(vertices, axis=1)[:, None]
        for left_out in range(r + 1):
            rays = np.ascontiguousarray(np.delete(vertices, left_out, axis=0))
            yield rays, np.ascontiguousarray(np.linalg.inv(rays).T)

    def n_cones(self) -> int:
        return 2**self.rank if self.rank <= _ORTHANTS else self.rank + 1


class _Worker:
    """The searches of one thread, one for each function."""

    def __init__(self, searches: list[Search], shared: np.ndarray) -> None:
        self.searches = searches
        self._shared = shared

    def stop(self) -> None:
        self._shared[1] = 1

    @property
    def n_rows(self) -> int:
        return sum(s.n_screened for s in self.searches)


class _Search:
    """The search for maxima of f, and of -f where `signs` has -1, in some threads."""

    def __init__(self, space: Euclidean, v: np.ndarray, signs: tuple[int, ...], least: float,
                 kept: int, jobs: int) -> None:
        self._space, self._v, self._kept = space, v, kept
        self._signs = signs if space.rank else ()
        self._shared = np.array([least, 0.0])
        functions = [space.function(sign * v) for sign in self._signs]
        self._workers = [
            _Worker([Search(*f, self._shared, kept, space.spread) for f in functions],
                    self._shared) for _ in range(jobs)]
        self._every = [s for w in self._workers for s in w.searches]

    def ascend(self, starts: Any) -> None:
        """From `starts` points, or these: for speed."""
        for search in self._workers[0].searches:
            points = (np.random.default_rng(0).standard_normal((starts, self._space.rank))
                      if isinstance(starts, int) else starts.copy())
            search.ascend(points)

    def run(self, end: float, progress: bool) -> bool:
        """Search all cones; False if the time ran out."""
        n = len(self._signs)
        work = ((i, *cone) for cone in self._space.cones() for i in range(n))
        lock = Lock()
        in_time = True

        def target(worker: _Worker) -> None:
            # Cones that nobody has looked at when time runs out are still bounded.
            while True:
                with lock:
                    task = next(work, None)
                if task is None:
                    return
                worker.searches[task[0]].run(task[1], task[2])

        def watch(_: int) -> None:
            nonlocal in_time
            bar.set(int(1000 * sum(s.share for s in self._every) / (self._space.n_cones() * n)))
            if in_time and time.monotonic() >= end:
                in_time = False
                self._workers[0].stop()

        if n == 0:
            return True
        if time.monotonic() >= end:
            self._shared[1] = 1
            in_time = False
        run = threads.Run()
        with progress_bar(1000, "search, thousandths", progress) as bar:
            run.start(target, self._workers)
            run.wait(watch)
            bar.set(1000)
        return in_time

    @property
    def threshold(self) -> float:
        return max([float(self._shared[0]), *(s.level for s in self._every)])

    @property
    def n_screened(self) -> int:
        return sum(s.n_screened for s in self._every)

    @property
    def n_projected(self) -> int:
        return sum(s.n_projected for s in self._every)

    @property
    def dropped(self) -> bool:
        """Whether there may be more maxima than were kept."""
        return any(s.dropped for s in self._every) or len(self.found()[0]) == self._kept

    def error(self) -> float:
        """All that rounding can change."""
        size, defect = self._space.magnitude(self._v)
        depth = max((s.depth for s in self._every), default=0)
        n, r = len(self._v), self._space.rank
        return self._space.spread * (defect + 4 * U * size * (n + 8 * depth + 16 * r + 128))

    def bound(self) -> float:
        ceiling = max((s.ceiling for s in self._every), default=0.0)
        slack = max((s.slack for s in self._every), default=0.0)
        return max(self.threshold + 2 * slack, ceiling) + self.error()

    def found(self) -> tuple[np.ndarray, np.ndarray]:
        """Signs (k,) and points (k, r) of the largest maxima, each once; largest first."""
        parts = [np.column_stack([s.found, np.full(len(s.found), sign)])
                 for w in self._workers for s, sign in zip(w.searches, self._signs, strict=True)]
        every = np.concatenate([np.empty((0, self._space.rank + 2)), *parts])
        every = every[every[:, 0] > 0]
        every = every[np.argsort(-every[:, 0], kind="stable")]
        chosen: list[int] = []
        for i, row in enumerate(every):
            if len(chosen) == max(self._kept, 1):
                break
            apart = np.abs(every[chosen, 1:] - row[1:]).max(axis=1)
            if apart.min(initial=np.inf) > _SAME:
                chosen.append(i)
        return every[chosen, -1].astype(np.int8), every[chosen, 1:-1]
