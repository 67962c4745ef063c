"""The arrangement of the hyperplanes {u : x_i.u = 0} of a data matrix, and its chambers."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from fractions import Fraction
from typing import Any

import numpy as np

from . import _closed, _pipeline, _tables
from ._enumeration import Geometry
from ._points import Witnesses
from ._progress import progress_bar
from ._validate import (
    IntegerMatrix,
    check_block_size,
    check_choice,
    check_jobs,
    check_tol,
    exact_matrix,
)
from .counting import cover_bound
from .errors import CapacityError, InputError
from .patterns import Dichotomies
from .reduction import Reduction, primitive, reduce_rows
from .witness import interior_point

_MAX_RANK = 64  # 2^64 chambers at least: none can be enumerated
_SEEDS = 3


class Arrangement:
    """The central hyperplane arrangement of the rows of X.

    Its chambers are the connected components of R^d minus the hyperplanes {u : x_i.u = 0}; on each
    the activation pattern D = diag(1[Xu >= 0]) of a ReLU neuron is constant.

    Parameters
    ----------
    X : array-like, shape (n, d)
        Integers, floats, bools or Fractions: lists, numpy arrays, pandas or polars frames, scipy
        sparse matrices.
    bias : bool, default False
        Append a column of ones.
    numbers : {"binary", "decimal"}, default "binary"
        How floats are read: as the binary number they are, or by their shortest decimal (5.1 is
        51/10), so that ties in measured data are ties.
    tol : float, optional
        Treat everything below `tol` as zero, for data that are rounded versions of degenerate
        data. Rows are scaled to magnitude about one first. The result is then not exact.

    Attributes
    ----------
    n, d, rank : int
        Samples, features (the bias column included) and the exact rank of X.
    n_hyperplanes : int
        Distinct hyperplanes; zero rows have none, parallel rows share one.
    exact : bool
        False with `tol`.
    predicate_stats : dict
        How many signs each stage has decided so far: "filter" (floats beyond their error bound),
        "separation" (too small not to be zero), "exact" (integer arithmetic).

    Raises
    ------
    InputError
        If X is not a finite real matrix; the message says where and what to do.

    Notes
    -----
    Exact for every finite input read as the numbers given. Construction costs O(n d r) exact
    operations, about a microsecond each at worst.

    Examples
    --------
    >>> A = Arrangement([[1, 0], [0, 1], [1, 1]])
    >>> A.count_dichotomies(), A.cover_bound()
    (6, 6)
    >>> A.dichotomies().sorted().to_numpy().astype(int).tolist()
    [[0, 0, 0], [0, 1, 0], [0, 1, 1], [1, 0, 0], [1, 0, 1], [1, 1, 1]]
    """

    def __init__(self, X: Any, *, bias: bool = False, numbers: str = "binary",
                 tol: float | None = None) -> None:
        self._tol = check_tol(tol)
        self._matrix = exact_matrix(X, bias=bias, numbers=numbers)
        self._reduction = reduce_rows(self._matrix)
        self._seed = 0
        self._geometry_cache: Geometry | None = None
        self._count: int | None = None
        self._general: bool | None = None
        self.predicate_stats: dict[str, int] = {"filter": 0, "separation": 0, "exact": 0}

    def __repr__(self) -> str:
        return (f"Arrangement(n={self.n}, d={self.d}, rank={self.rank}, "
                f"n_hyperplanes={self.n_hyperplanes}, exact={self.exact})")

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_geometry_cache": None}

    @property
    def n(self) -> int:
        return self._reduction.n

    @property
    def d(self) -> int:
        return self._reduction.d

    @property
    def rank(self) -> int:
        return self._reduction.rank

    @property
    def n_hyperplanes(self) -> int:
        return len(self._reduction.rows)

    @property
    def exact(self) -> bool:
        return self._tol is None

    @property
    def general_position(self) -> bool:
        """Whether every `rank` rows are linearly independent, decided exactly (by the predicates
        of `tol` where that is given).

        Equivalent to equality in Cover's bound (Cover 1965). The first call walks the flats until
        a dependence is met, at most as long as `count_dichotomies` takes.
        """
        if self._general is None:
            m, r = self.n_hyperplanes, self.rank
            if r <= 1:
                self._general = not (self._reduction.class_of < 0).any() or r == 0
            elif m < self.n:
                self._general = False
            elif self.exact and m == r:
                self._general = True
            elif self._count is None:
                self._walkable()
                found = self._attempt(lambda g: _pipeline.count(g, only_simple=True,
                                                                stats=self.predicate_stats))
                self._general = found is not None
                self._count = found
            else:
                self._general = self._count == self.cover_bound()
        return self._general

    def cover_bound(self) -> int:
        """Cover's bound 2 sum_{k<r} C(n-1, k) for this n and rank; see `cover_bound`."""
        return cover_bound(self.n, self.rank)

    def count_dichotomies(self) -> int:
        """Exact number of chambers, without storing patterns.

        Notes
        -----
        Walks the flats once, at a third to all of the cost of `dichotomies`; memory O(n r). The
        number is remembered.
        """
        if self._count is None:
            m, r = self.n_hyperplanes, self.rank
            if m <= 1 or (self.exact and m == r):
                self._count = 2**m
            else:
                self._walkable()
                self._count = self._attempt(
                    lambda g: _pipeline.count(g, stats=self.predicate_stats))
        return self._count

    def dichotomies(self, *, witnesses: bool = False, boundary: str = "open", n_jobs: int = 1,
                    progress: bool = False) -> Dichotomies:
        """All dichotomies 1[Xu >= 0], one per chamber, each once.

        Parameters
        ----------
        witnesses : bool, default False
            Also compute a float witness for each (see `Dichotomies.witnesses`).
        boundary : {"open", "closed"}, default "open"
            "open": u inside chambers. "closed": every u, boundaries included; this can add
            patterns that no chamber has (X = [[1], [-1]], u = 0 gives (1, 1)).
        n_jobs : int, default 1
            Threads; -1 for all cores. The rows and their order do not depend on it.
        progress : bool, default False
            Draw a progress bar on stderr. The chambers are counted first for a true total.

        Returns
        -------
        Dichotomies
            In a fixed order: opposite chambers are neighbours; "closed" appends the patterns that
            only boundaries have. Bits of zero rows are 1.

        Raises
        ------
        CapacityError
            If the patterns cannot fit in memory, before they are enumerated.

        Notes
        -----
        Exact for every finite input. About 20-40 ns per chamber in general position (n <= 100),
        40-250 ns on degenerate data; memory is the output, ceil(n/8) bytes a chamber.
        Thread-safe: kernels release the GIL and share nothing.
        """
        self._check_boundary(boundary, witnesses)
        jobs = self._jobs(n_jobs)
        if witnesses:
            result = self._with_witnesses(jobs, progress)
        else:
            packed = self._packed(jobs, progress)
            if boundary == "closed":
                packed = np.concatenate([packed, *self._boundary_patterns(jobs)])
            result = Dichotomies._of(packed, self.n, self)
        return result

    def iter_dichotomies(self, block_size: int = 65536, *, witnesses: bool = False,
                         boundary: str = "open", n_jobs: int = 1, progress: bool = False,
                         ) -> Iterator[Dichotomies]:
        """The same rows in the same order as `dichotomies`, in blocks and bounded memory.

        Parameters
        ----------
        block_size : int, default 65536
            Rows in each block but the last.
        witnesses, boundary, n_jobs, progress
            As in `dichotomies`.

        Yields
        ------
        Dichotomies

        Notes
        -----
        A few blocks are prepared ahead in other threads. Closing or dropping the generator, or
        Ctrl-C, stops them within milliseconds.
        """
        block_size = check_block_size(block_size)
        self._check_boundary(boundary, witnesses)
        return self._iterate(block_size, witnesses, boundary, self._jobs(n_jobs), progress)

    # -- private -----------------------------------------------------------------------------

    def _iterate(self, block_size: int, witnesses: bool, boundary: str, jobs: int,
                 progress: bool) -> Iterator[Dichotomies]:
        def pieces() -> Iterator[tuple[np.ndarray, ...]]:
            yield from self._stream(block_size, jobs, witnesses)
            if boundary == "closed":
                for packed in self._boundary_patterns(jobs):
                    yield (packed,)

        total = self.count_dichotomies() if progress else 0
        with progress_bar(total, "dichotomies", progress) as bar:
            for block in _reblocked(pieces(), block_size):
                yield Dichotomies._of(block[0], self.n, self, *block[1:])
                bar.update(len(block[0]))

    def _check_boundary(self, boundary: str, witnesses: bool) -> None:
        if check_choice("boundary", boundary, ("open", "closed")) == "open":
            return
        if witnesses:
            raise InputError("witnesses must be False with boundary='closed', got True; closed "
                             "patterns have no interior point, ask for boundary='open'")
        if not self.exact:
            raise InputError("boundary must be 'open' with tol, got 'closed'; the faces of rounded "
                             "data are not defined")

    def _jobs(self, n_jobs: int) -> int:
        # with tol, classes may be parallel to each other, and subtrees are not independent
        return check_jobs(n_jobs) if self.exact else min(check_jobs(n_jobs), 1)

    def _geometry(self) -> Geometry:
        if self._geometry_cache is None:
            self._geometry_cache = Geometry(
                _tables.build(self._reduction, tol=self._tol, seed=self._seed))
        return self._geometry_cache

    def _attempt(self, walk: Callable[[Geometry], Any]) -> Any:
        """walk(geometry), again with other generic functionals in the case, of probability below
        2^-60, that a vertex lay on one of them."""
        for _ in range(_SEEDS):
            try:
                return walk(self._geometry())
            except ArithmeticError:
                self._seed += 1
                self._geometry_cache = None
        raise ArithmeticError(f"no generic functional found with seeds up to {self._seed}")

    def _walkable(self) -> None:
        if self.rank > _MAX_RANK:
            raise CapacityError(
                f"rank {self.rank} means at least 2^{self.rank} chambers, more than can be "
                f"enumerated (rank must be at most {_MAX_RANK}); choose fewer features",
                n_chambers=2**self.rank, bytes_needed=2**self.rank * ((self.n + 7) // 8),
                bytes_available=_pipeline.available_bytes(), exact=False)

    def _capacity(self, extra: int = 0) -> int:
        """Rows to allocate, `extra` bytes each beside the pattern: Cover's bound if that fits in
        memory, else their exact number; raises CapacityError if that does not fit either."""
        self._walkable()
        width, room = (self.n + 7) // 8 + extra, int(0.9 * _pipeline.available_bytes())
        bound = cover_bound(self.n_hyperplanes, self.rank)
        limit = room // width
        if self._count is None and bound > limit:
            least = self._at_least(limit)
            if least > limit:
                self._refuse(least, False, width, room)
            self.count_dichotomies()
        rows = self._count if self._count is not None else bound
        if rows * width > room:
            self._refuse(rows, True, width, room)
        return rows

    def _at_least(self, enough: int) -> int:
        """A lower bound of the number of chambers, found fast; no more than `enough` is looked for.

        Chambers of some of the rows, restricted to a subspace of rank 6, are met by at least as
        many chambers of all rows.
        """
        if self.exact and self.n_hyperplanes == self.rank:
            return 2**self.rank
        rows, rank, m = self._reduction.rows, min(self.rank, 6), self.n_hyperplanes
        size = next((k for k in range(rank, m) if cover_bound(k, rank) > 2 * enough), m)
        picked = rows[np.linspace(0, m - 1, size).astype(np.int64)].astype(object)
        subspace = np.random.default_rng(0).integers(-1000, 1000, size=(self.rank, rank))
        values = primitive(picked.dot(subspace.astype(object)))
        part = reduce_rows(IntegerMatrix(values, (Fraction(1),) * rank))
        if part.rank < 2:
            return 2 * part.rank
        return self._inner(part)._attempt(lambda g: _pipeline.count(g, limit=enough))

    def _inner(self, reduction: Reduction) -> Arrangement:
        """Another arrangement read the same way."""
        inner = Arrangement.__new__(Arrangement)
        inner.__dict__.update(self.__dict__, _reduction=reduction, _geometry_cache=None,
                              _count=None, _general=None)
        return inner

    def _refuse(self, rows: int, exact: bool, width: int, room: int) -> None:
        count = f"{rows:,}" if exact else f"more than {rows:,} (at most {self.cover_bound():,})"
        raise CapacityError(
            f"{count} dichotomies of {width} bytes need {'' if exact else 'more than '}"
            f"{rows * width:,} bytes, {room:,} are available; use iter_dichotomies, which needs "
            f"a few blocks only", n_chambers=rows, bytes_needed=rows * width,
            bytes_available=room, exact=exact)

    def _packed(self, jobs: int, progress: bool) -> np.ndarray:
        if self.rank == 0:
            return np.packbits(np.ones((1, self.n), dtype=bool), axis=1, bitorder="little")
        capacity = self._capacity()
        total = self.count_dichotomies() if progress else 0
        with progress_bar(total, "dichotomies", progress) as bar:
            packed = self._attempt(lambda g: _pipeline.store(
                g, capacity, jobs, watch=bar.set, stats=self.predicate_stats))
            bar.set(len(packed))
        self._count = len(packed)
        return packed

    def _stream(self, block_size: int, jobs: int, witnesses: bool
                ) -> Iterator[tuple[np.ndarray, ...]]:
        if self.rank == 0:
            packed = self._packed(1, False)
            extra = (np.zeros((1, self.d)), np.ones(1, dtype=bool)) if witnesses else ()
            yield (packed, *extra)
            return
        self._walkable()
        rows = max(2, min(block_size + block_size % 2, cover_bound(self.n_hyperplanes, self.rank)))
        blocks = self._attempt(lambda g: _started(_pipeline.stream(
            g, jobs, rows, tracing=witnesses, stats=self.predicate_stats)))
        points = None
        if witnesses:
            floats = self._geometry().tables["floats"]
            points = Witnesses(self._reduction, floats, self._interior)
        try:
            for block in blocks:
                if points is None:
                    yield (block,)
                else:
                    packed, *trace = block
                    yield (packed, *points.of(packed, self.n, trace))
        finally:
            blocks.close()

    def _with_witnesses(self, jobs: int, progress: bool) -> Dichotomies:
        if self.rank:
            self._capacity(extra=2 * (8 * self.d + 1))  # blocks, and their concatenation
        blocks = list(self._iterate(65536, True, "open", jobs, progress))
        self._count = sum(map(len, blocks))
        arrays = _joined([(b.packed, b.witnesses, b.witness_found) for b in blocks])
        return Dichotomies._of(arrays[0], self.n, self, *arrays[1:])

    def _boundary_patterns(self, jobs: int) -> Iterator[np.ndarray]:
        """The patterns of boundary="closed" that no chamber has, in blocks."""
        r = self._reduction
        signed = np.zeros((self.n, self.rank), dtype=object)
        cut = r.class_of >= 0
        signed[cut] = (r.rows[r.class_of[cut]].astype(object)
                       * r.orientation[cut, None].astype(object))
        for quotient in _closed.restrictions(signed):
            # rows in the flat are zero rows of the quotient, so their bits are ones already
            yield self._inner(quotient)._packed(jobs, False)

    def _interior(self, pattern: np.ndarray) -> tuple[Fraction, ...] | None:
        """An exact point of the chamber with this pattern, in the user's coordinates."""
        r = self._reduction
        cut = np.flatnonzero(r.class_of >= 0)
        if not pattern[r.class_of < 0].all():
            return None
        signs = np.zeros(len(r.rows), dtype=np.int8)
        own = np.where(pattern[cut], 1, -1) * r.orientation[cut]
        signs[r.class_of[cut]] = own
        if (signs[r.class_of[cut]] != own).any():
            return None
        point = interior_point(r.rows, signs.tolist())
        if point is None:
            return None
        out = [Fraction(0)] * self.d
        for c, x in zip(r.columns.tolist(), point, strict=True):
            out[c] = x / r.column_scale[c]
        return tuple(out)

    def _witness(self, pattern: np.ndarray) -> tuple[Fraction, ...]:
        point = self._interior(pattern)
        if point is None:
            raise InputError("pattern must be a chamber of the exact data, got one that no u has"
                             + (" (tol was given)" if not self.exact else ""))
        return point


def _started(blocks: Generator[Any, None, None]) -> Generator[Any, None, None]:
    """The same blocks, the first of them made now, while a walk that fails can be tried again."""
    first = next(blocks)

    def whole() -> Generator[Any, None, None]:
        try:
            yield first
            yield from blocks
        finally:
            blocks.close()

    return whole()


def _reblocked(pieces: Iterator[tuple[np.ndarray, ...]], size: int
               ) -> Iterator[tuple[np.ndarray, ...]]:
    """Tuples of arrays of equal length, cut and joined to `size` rows each but the last."""
    pending: list[tuple[np.ndarray, ...]] = []
    held = 0
    for piece in pieces:
        while held + len(piece[0]) >= size:
            need = size - held
            pending.append(tuple(a[:need] for a in piece))
            yield pending[0] if len(pending) == 1 else _joined(pending)
            piece, pending, held = tuple(a[need:] for a in piece), [], 0
        if len(piece[0]):
            pending.append(piece)
            held += len(piece[0])
    if pending:
        yield _joined(pending)


def _joined(pieces: list[tuple[np.ndarray, ...]]) -> tuple[np.ndarray, ...]:
    return tuple(np.concatenate(arrays) for arrays in zip(*pieces, strict=True))


def dichotomies(X: Any, *, bias: bool = False, numbers: str = "binary", tol: float | None = None,
                **options: Any) -> Dichotomies:
    """`Arrangement(X, ...).dichotomies(...)`; options as there.

    Examples
    --------
    >>> len(dichotomies([[1, 0], [0, 1], [1, 1]]))
    6
    """
    return Arrangement(X, bias=bias, numbers=numbers, tol=tol).dichotomies(**options)


def iter_dichotomies(X: Any, block_size: int = 65536, *, bias: bool = False,
                     numbers: str = "binary", tol: float | None = None, **options: Any
                     ) -> Iterator[Dichotomies]:
    """`Arrangement(X, ...).iter_dichotomies(block_size, ...)`; options as there."""
    arrangement = Arrangement(X, bias=bias, numbers=numbers, tol=tol)
    return arrangement.iter_dichotomies(block_size, **options)


def count_dichotomies(X: Any, *, bias: bool = False, numbers: str = "binary",
                      tol: float | None = None) -> int:
    """`Arrangement(X, ...).count_dichotomies()`.

    Examples
    --------
    >>> count_dichotomies([[1, 0], [0, 1], [1, 1], [2, 2]])
    6
    """
    return Arrangement(X, bias=bias, numbers=numbers, tol=tol).count_dichotomies()
