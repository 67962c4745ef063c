"""The arrangement of the hyperplanes {u : x_i.u = 0} of a data matrix, and its chambers."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np

from . import _closed, _counts, _faces, _pipeline, _tables
from ._enumeration import Geometry
from ._points import Witnesses, _float
from ._progress import progress_bar
from ._signs import PointSigns, chambers_at
from ._validate import (
    IntegerMatrix,
    check_block_size,
    check_choice,
    check_floats,
    check_jobs,
    check_tol,
    exact_matrix,
)
from .cones import Cone, cone
from .counting import cover_bound, generic_f_vector, generic_whitney_numbers
from .errors import CapacityError, InputError
from .patterns import Dichotomies
from .reduction import Reduction, primitive, reduce_rows
from .trichotomies import Trichotomies
from .witness import interior_point

if TYPE_CHECKING:
    from .estimation import Estimate
    from .neighbours import Neighbourhood
    from .sampling import Sample
    from .support import Euclidean, Support

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
        self._euclidean_cache: Euclidean | None = None
        self._signs_cache: PointSigns | None = None
        self._count: int | None = None
        self._general: bool | None = None
        self._counts: dict[str, list[int]] = {}
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

    @property
    def parallel_classes(self) -> tuple[np.ndarray, np.ndarray]:
        """Which hyperplane each sample has, int (n,), -1 for zero rows, and the orientation of its
        row on it, int8 (n,): rows of one class are positive multiples of each other where these
        agree, negative ones where they do not; 0 for zero rows."""
        r = self._reduction
        return r.class_of.copy(), r.orientation.astype(np.int8)

    def to_numpy(self) -> np.ndarray:
        """The data, bias column included, as float64 (n, d): nearest to the numbers read."""
        return np.array([[_float(x) for x in self._matrix.row(i)] for i in range(self.n)],
                        dtype=np.float64).reshape(self.n, self.d)

    def signs_at(self, points: Any) -> np.ndarray:
        """sign(X u) at float points u, exactly: int8 (k, n) for points (k, d).

        Floats are the binary numbers they are; X is read as the arrangement reads it.

        Examples
        --------
        >>> Arrangement([[1, 0], [1, 3]]).signs_at([[0.0, 2.0], [-1.0, 1.0]]).tolist()
        [[0, 1], [-1, 1]]
        """
        self._exactly("signs_at")
        points = check_floats("points", points, (None, self.d))
        r = self._reduction
        cut = r.class_of >= 0
        out = np.zeros((len(points), self.n), dtype=np.int8)
        out[:, cut] = (self._point_signs().at(points)[:, r.class_of[cut]]
                       * r.orientation[cut].astype(np.int8))
        return out

    def dichotomies_at(self, points: Any) -> Dichotomies:
        """A chamber at each of some float points (k, d): the one it is in, or, for a point on
        hyperplanes, one whose closure has it; decided exactly."""
        self._exactly("dichotomies_at")
        return chambers_at(self, check_floats("points", points, (None, self.d)))

    def cover_bound(self) -> int:
        """Cover's bound 2 sum_{k<r} C(n-1, k) for this n and rank; see `cover_bound`."""
        return cover_bound(self.n, self.rank)

    def count_dichotomies(self, *, n_jobs: int = 1) -> int:
        """Exact number of chambers, without listing them: |chi(-1)| (Zaslavsky 1975).

        Parameters
        ----------
        n_jobs : int, default 1
            Threads; -1 for all cores.

        Notes
        -----
        A closed form once general position is known. Otherwise the flats are walked once, at a
        third to all of the cost of `dichotomies`, in memory O(n r), the parts of a direct sum one
        by one. The number is remembered.
        """
        if self._count is None:
            if self.exact:
                self._count = sum(map(abs, self.characteristic_polynomial(n_jobs=n_jobs)))
            elif self.n_hyperplanes <= 1:
                self._count = 2**self.n_hyperplanes
            else:
                self._walkable()
                self._count = self._attempt(
                    lambda g: _pipeline.count(g, stats=self.predicate_stats))
        return self._count

    def characteristic_polynomial(self, *, n_jobs: int = 1) -> list[int]:
        """Coefficients of chi(t) = sum over flats F of mu(F) t^(rank - rank F), highest first.

        The constant factor of the quotient by the null space, t^(d - rank), is left out.

        Examples
        --------
        >>> Arrangement([[1, 0], [0, 1], [1, 1]]).characteristic_polynomial()
        [1, -3, 2]
        """
        return self.whitney_numbers(1, n_jobs=n_jobs)

    def whitney_numbers(self, kind: int = 1, *, n_jobs: int = 1) -> list[int]:
        """Whitney numbers of the lattice of flats, for ranks 0 to `rank`, as exact integers.

        Parameters
        ----------
        kind : {1, 2}, default 1
            1: w_k, the sum of the Moebius function over the flats of rank k, of sign (-1)^k.
            2: W_k, the number of flats of rank k.
        n_jobs : int, default 1
            Threads; -1 for all cores.

        Raises
        ------
        InputError
            With `tol`: flats of rounded data are not defined.

        Notes
        -----
        Closed forms once general position is known (`general_position` decides it); else walks that
        only count. Direct summands are counted one by one. Remembered.

        References
        ----------
        T. Zaslavsky, Facing up to arrangements, 1975.

        Examples
        --------
        >>> A = Arrangement([[1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 0]])
        >>> A.whitney_numbers(1), A.whitney_numbers(2)
        ([1, -4, 5, -2], [1, 4, 4, 1])
        """
        if isinstance(kind, bool) or kind not in (1, 2):
            raise InputError(f"kind must be 1 or 2, got {kind!r}")
        m, r = self.n_hyperplanes, self.rank
        if kind == 1:
            return [w if k % 2 == 0 else -w for k, w in enumerate(self._counted(
                "first kind", n_jobs, _counts.first_kind,
                lambda: generic_whitney_numbers(m, r)))]
        return list(self._counted("second kind", n_jobs, _counts.second_kind,
                                  lambda: [math.comb(m, k) for k in range(r)] + [1]))

    def f_vector(self, *, n_jobs: int = 1) -> list[int]:
        """Numbers of faces by dimension: 0 (the origin of the rank-r quotient) to `rank`, chambers.

        Parameters, errors and cost as in `whitney_numbers`; rank 40 is the most that is walked.

        Examples
        --------
        >>> Arrangement([[1, 0], [0, 1], [1, 1]]).f_vector()
        [1, 6, 6]
        """
        return list(self._counted("faces", n_jobs, _counts.faces,
                                  lambda: generic_f_vector(self.n_hyperplanes, self.rank)))

    def count_trichotomies(self, *, n_jobs: int = 1) -> int:
        """Exact number of faces, the origin included, without listing them; see `f_vector`."""
        return sum(self.f_vector(n_jobs=n_jobs))

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

    def trichotomies(self, *, dims: Any = None, witnesses: bool = False, n_jobs: int = 1,
                     progress: bool = False) -> Trichotomies:
        """All trichotomies sign(Xu), u in R^d: one for each face, the zero vector included.

        Parameters
        ----------
        dims : iterable of int, optional
            Only faces of these dimensions, in the quotient by the null space of X: chambers have
            `rank`, the origin 0.
        witnesses : bool, default False
            Also compute a float witness for each (see `Trichotomies.witnesses`), at some
            milliseconds a face.
        n_jobs : int, default 1
            Threads; -1 for all cores. The rows and their order do not depend on it.
        progress : bool, default False
            Draw a progress bar on stderr. The faces are counted first for a true total.

        Returns
        -------
        Trichotomies
            In a fixed order; opposite faces are neighbours, the origin comes last. Zero rows of X
            have sign 0.

        Raises
        ------
        InputError
            If `dims` are not dimensions, or with `tol`: faces of rounded data are not defined.
        CapacityError
            If the faces cannot fit in memory, before they are enumerated.

        Notes
        -----
        Exact for every finite input. About 30-100 ns a face, and 2 ceil(n/8) + 1 bytes. Faces are
        found without linear programs as chambers are, see docs/algorithm.md.

        Examples
        --------
        >>> Arrangement([[1, 0], [0, 1]]).trichotomies(dims=[0, 1]).sorted().to_numpy().tolist()
        [[-1, 0], [0, -1], [0, 0], [0, 1], [1, 0]]
        """
        wanted, jobs = self._faces_wanted(dims), check_jobs(n_jobs)
        rows = _faces.store(self, wanted, jobs, progress)
        found = self._face_witnesses(rows) if witnesses else ()
        return Trichotomies._of(rows, self.n, self, *found)

    def iter_trichotomies(self, block_size: int = 65536, *, dims: Any = None,
                          witnesses: bool = False, n_jobs: int = 1, progress: bool = False
                          ) -> Iterator[Trichotomies]:
        """The same rows in the same order as `trichotomies`, in blocks and bounded memory.

        Parameters
        ----------
        block_size : int, default 65536
            Rows in each block but the last.
        dims, witnesses, n_jobs, progress
            As in `trichotomies`.

        Yields
        ------
        Trichotomies
        """
        size, wanted = check_block_size(block_size), self._faces_wanted(dims)
        return self._iterate_faces(size, wanted, witnesses, check_jobs(n_jobs), progress)

    def cone(self, pattern: Any) -> Cone:
        """The cone of the chamber with this pattern; see `cones.cone`."""
        return cone(self, pattern)

    def neighbours(self, pattern: Any, radius: int = 1, *, limit: int | None = None
                   ) -> Neighbourhood:
        """Chambers within some facet crossings of the one with this pattern; see
        `neighbours.neighbours`."""
        from .neighbours import neighbours

        return neighbours(self, pattern, radius, limit=limit)

    def support(self, v: Any, *, above: float | None = None, limit: int | None = None,
                both: bool | None = None, n_jobs: int = 1, max_seconds: float | None = None,
                progress: bool = False) -> Support:
        """h(v), the maximum of v.(Xu)_+ over the unit ball, or all local maxima beyond a
        threshold; see `support.support`."""
        from .support import support

        return support(self, v, above=above, limit=limit, both=both, n_jobs=n_jobs,
                       max_seconds=max_seconds, progress=progress)

    def local_maxima(self, v: Any, starts: Any = 1000, *, above: float = 0.0, both: bool = True,
                     rng: Any = None) -> Support:
        """Local maxima of v.(Xu)_+ reached by going up from many points, without a claim that
        these are all; see `support.local_maxima`."""
        from .support import local_maxima

        return local_maxima(self, v, starts, above=above, both=both, rng=rng)

    def sample_dichotomies(self, m: int, rng: Any = None, *, method: str = "gaussian",
                           max_draws: int | None = None) -> Sample:
        """m distinct random dichotomies; see `sampling.sample_dichotomies`."""
        from .sampling import sample_dichotomies

        return sample_dichotomies(self, m, rng, method=method, max_draws=max_draws)

    def estimate_dichotomies(self, n_draws: int, rng: Any = None, *, confidence: float = 0.95
                             ) -> Estimate:
        """The number of chambers from samples, with a confidence interval; see
        `estimation.estimate_dichotomies`."""
        from .estimation import estimate_dichotomies

        return estimate_dichotomies(self, n_draws, rng, confidence=confidence)

    # -- private -----------------------------------------------------------------------------

    def _faces_wanted(self, dims: Any) -> list[bool]:
        self._exactly("trichotomies")
        self._walkable()
        return _faces.check_dims(dims, self.rank)

    def _iterate_faces(self, size: int, wanted: list[bool], witnesses: bool, jobs: int,
                       progress: bool) -> Iterator[Trichotomies]:
        pieces = ((rows,) for rows in _faces.blocks(self, wanted, jobs, size))
        total = _faces.total(self, wanted) if progress else 0
        with progress_bar(total, "faces", progress) as bar:
            for (rows,) in _reblocked(pieces, size):
                found = self._face_witnesses(rows) if witnesses else ()
                yield Trichotomies._of(rows, self.n, self, *found)
                bar.update(len(rows))

    def _walls(self, n_jobs: int) -> Iterator[np.ndarray]:
        """Rows of the faces of codimension one, in blocks."""
        jobs = check_jobs(n_jobs)
        if self.rank == 0:
            return iter(())
        dims = [k == self.rank - 1 for k in range(self.rank + 1)]
        return _faces.blocks(self, dims, jobs, 65536)

    def _face_witnesses(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Float witnesses (q, d) of faces, and which of them have exactly their signs."""
        faces = Trichotomies._of(rows, self.n, self)
        points, found = np.zeros((len(rows), self.d)), np.zeros(len(rows), dtype=bool)
        values = self._matrix.values.astype(object)
        scale = self._matrix.column_scale
        for i in range(len(rows)):
            exact = faces.witness(i)
            top = max(map(abs, exact), default=Fraction(0)) or Fraction(1)
            points[i] = [float(x / top) for x in exact]
            u = [Fraction(x) * s for x, s in zip(points[i].tolist(), scale, strict=True)]
            found[i] = (np.sign(values.dot(np.array(u, dtype=object))) == faces[i]).all()
        return points, found

    def _exactly(self, what: str) -> None:
        if not self.exact:
            raise InputError(f"{what} needs exact data, got tol; faces and flats of rounded data "
                             f"are not defined, leave tol out")

    def _counted(self, what: str, n_jobs: int,
                 walk: Callable[[Arrangement, int], list[int]],
                 closed: Callable[[], list[int]]) -> list[int]:
        self._exactly(what)
        jobs = check_jobs(n_jobs)
        if what not in self._counts:
            simple = self.rank == 0 or self._general is True
            self._counts[what] = closed() if simple else walk(self, jobs)
        return self._counts[what]

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

    def _euclidean(self) -> Euclidean:
        if self._euclidean_cache is None:
            from .support import Euclidean

            self._euclidean_cache = Euclidean(self)
        return self._euclidean_cache

    def _point_signs(self) -> PointSigns:
        if self._signs_cache is None:
            self._signs_cache = PointSigns(self, np.arange(self.d))
        return self._signs_cache

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
                              _count=None, _general=None, _counts={},
                              _euclidean_cache=None)
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
                g, np.empty((capacity, (self.n + 7) // 8), dtype=np.uint8), jobs, watch=bar.set,
                stats=self.predicate_stats))
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
        blocks = self._attempt(lambda g: _pipeline.started(_pipeline.stream(
            g, jobs, rows, tracing=witnesses, stats=self.predicate_stats)))
        points = None
        if witnesses:
            floats = self._geometry().tables.floats
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
        signed = _closed.sample_rows(self._reduction)
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
