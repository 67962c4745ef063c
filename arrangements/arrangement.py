"""The arrangement of the hyperplanes {u : x_i.u = 0} of a data matrix, and its chambers."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from fractions import Fraction
from functools import cached_property
from typing import Any

import numpy as np

from .algebra.data import Data
from .algebra.rounding import normalised
from .chambers.at_points import chambers_at
from .chambers.cone import Cone, cone
from .chambers.neighbours import Neighbourhood, neighbours
from .chambers.sampling import Sample, sample_dichotomies
from .checks import (
    check_block_size,
    check_choice,
    check_dims,
    check_floats,
    check_jobs,
    check_tol,
)
from .counting.closed_forms import cover_bound
from .counting.estimation import Estimate, estimate_dichotomies
from .ellipsoid.support import Euclidean, Support, local_maxima, support
from .errors import InputError, NumericalRankWarning
from .patterns import Dichotomies, Trichotomies
from .progress import progress_bar
from .walk import blocks, faces
from .walk.boundaries import new_patterns
from .walk.numbers import Numbers
from .walk.walks import Walks


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

    Warns
    -----
    NumericalRankWarning
        Without `tol`, where X is within 12 digits of a matrix of lower rank.

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
        tol = check_tol(tol)
        self._set(Data.read(X, bias=bias, numbers=numbers), tol)
        if tol is None and (near := self.data.reduction.numerical_rank()) < self.rank:
            warnings.warn(
                f"X has rank {self.rank}, and within 12 digits rank {near}, like data of that rank "
                f"that were rounded; pass tol=1e-9 to read them so, or ignore this if every digit "
                f"is meant", NumericalRankWarning, stacklevel=2)

    def _set(self, data: Data, tol: float | None) -> None:
        self.data = data
        self.walks = Walks(data.reduction, tol)
        self.numbers = Numbers(self.walks)

    def __repr__(self) -> str:
        return (f"Arrangement(n={self.n}, d={self.d}, rank={self.rank}, "
                f"n_hyperplanes={self.n_hyperplanes}, exact={self.exact})")

    @property
    def n(self) -> int:
        """Number of samples."""
        return self.data.reduction.n

    @property
    def d(self) -> int:
        """Number of features, the bias column included."""
        return self.data.reduction.d

    @property
    def rank(self) -> int:
        """Exact rank of X."""
        return self.data.reduction.rank

    @property
    def n_hyperplanes(self) -> int:
        """Distinct hyperplanes."""
        return self.data.reduction.m

    @property
    def tol(self) -> float | None:
        """What is taken for zero; None is exact."""
        return self.walks.tol

    @property
    def exact(self) -> bool:
        """Whether every answer is exact: no `tol` was given."""
        return self.tol is None

    @property
    def predicate_stats(self) -> dict[str, int]:
        """How many signs each stage has decided so far, in walks that go on or were left too."""
        return self.walks.stats

    @property
    def general_position(self) -> bool:
        """Whether every `rank` rows are linearly independent, decided exactly (by the predicates
        of `tol` where that is given).

        Equivalent to equality in Cover's bound (Cover 1965). The first call walks the flats until
        a dependence is met, at most as long as `count_dichotomies` takes.
        """
        return self.numbers.general_position()

    @property
    def known_count(self) -> int | None:
        """The number of chambers where it is known without a walk, else None."""
        return self.numbers.known

    @property
    def parallel_classes(self) -> tuple[np.ndarray, np.ndarray]:
        """Which hyperplane each sample has, int (n,), -1 for zero rows, and the orientation of its
        row on it, int8 (n,): rows of one class are positive multiples of each other where these
        agree, negative ones where they do not; 0 for zero rows."""
        r = self.data.reduction
        return r.class_of.copy(), r.orientation.astype(np.int8)

    def to_numpy(self) -> np.ndarray:
        """The data, bias column included, as float64 (n, d): nearest to the numbers read."""
        return self.data.to_numpy()

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
        return self.data.reduction.to_samples(self.data.signs.at(points))

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
        return self.numbers.count(check_jobs(n_jobs))

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
        self._exactly("whitney_numbers")
        if kind == 2:
            return self.numbers.second_kind(check_jobs(n_jobs))
        found = self.numbers.first_kind(check_jobs(n_jobs))
        return [w if k % 2 == 0 else -w for k, w in enumerate(found)]

    def f_vector(self, *, n_jobs: int = 1) -> list[int]:
        """Numbers of faces by dimension: 0 (the origin of the rank-r quotient) to `rank`, chambers.

        Parameters, errors and cost as in `whitney_numbers`; rank 40 is the most that is walked.

        Examples
        --------
        >>> Arrangement([[1, 0], [0, 1], [1, 1]]).f_vector()
        [1, 6, 6]
        """
        self._exactly("f_vector")
        return self.numbers.faces(check_jobs(n_jobs))

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
            only boundaries have. Bits of zero rows are 1. The order of a direct sum is that of the
            products of its summands (see `walk.sums`).

        Raises
        ------
        CapacityError
            If the patterns cannot fit in memory, before they are enumerated.

        Notes
        -----
        Exact for every finite input. About 20-40 ns per chamber in general position (n <= 100),
        40-250 ns on degenerate data, a few in a direct sum, less than a microsecond more with a
        witness; memory is the output, ceil(n/8) bytes a chamber. "closed" costs a walk of the faces
        too, unless the rows are in general position or all positive somewhere.
        Thread-safe: kernels release the GIL and share nothing.
        """
        self._check_boundary(boundary, witnesses)
        jobs = check_jobs(n_jobs)
        if witnesses:
            return self._with_witnesses(jobs, progress)
        packed = self._packed(jobs, progress)
        if boundary == "closed":
            packed = np.concatenate([packed, new_patterns(self.walks, jobs, [packed])])
        return Dichotomies._of(packed, self.n, self)

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
        return self._iterate(block_size, witnesses, boundary, check_jobs(n_jobs), progress)

    def trichotomies(self, *, dims: Any = None, witnesses: bool = False, n_jobs: int = 1,
                     progress: bool = False) -> Trichotomies:
        """All trichotomies sign(Xu), u in R^d: one for each face, the zero vector included.

        Parameters
        ----------
        dims : iterable of int, optional
            Only faces of these dimensions, in the quotient by the null space of X: chambers have
            `rank`, the origin 0.
        witnesses : bool, default False
            Also compute a float witness for each (see `Trichotomies.witnesses`), at about a
            millisecond a face.
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
        total = self._faces_total(wanted)
        with progress_bar(total() if progress else 0, "faces", progress) as bar:
            rows = faces.store(self.walks, wanted, jobs, total, bar.set)
            bar.set(len(rows))
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
        """The cone of the chamber with this pattern; see `chambers.cone`."""
        return cone(self, pattern)

    def neighbours(self, pattern: Any, radius: int = 1, *, limit: int | None = None
                   ) -> Neighbourhood:
        """Chambers within some facet crossings of the one with this pattern; see
        `neighbours.neighbours`."""
        return neighbours(self, pattern, radius, limit=limit)

    def support(self, v: Any, *, above: float | None = None, limit: int | None = None,
                both: bool | None = None, n_jobs: int = 1, max_seconds: float | None = None,
                progress: bool = False) -> Support:
        """h(v), the maximum of v.(Xu)_+ over the unit ball, or all local maxima beyond a
        threshold; see `support.support`."""
        return support(self, v, above=above, limit=limit, both=both, n_jobs=n_jobs,
                       max_seconds=max_seconds, progress=progress)

    def local_maxima(self, v: Any, starts: Any = 1000, *, above: float = 0.0, both: bool = True,
                     rng: Any = None) -> Support:
        """Local maxima of v.(Xu)_+ reached by going up from many points, without a claim that
        these are all; see `support.local_maxima`."""
        return local_maxima(self, v, starts, above=above, both=both, rng=rng)

    def sample_dichotomies(self, m: int, rng: Any = None, *, method: str = "gaussian",
                           max_draws: int | None = None) -> Sample:
        """m distinct random dichotomies; see `sampling.sample_dichotomies`."""
        return sample_dichotomies(self, m, rng, method=method, max_draws=max_draws)

    def estimate_dichotomies(self, n_draws: int, rng: Any = None, *, confidence: float = 0.95
                             ) -> Estimate:
        """The number of chambers from samples, with a confidence interval; see
        `estimation.estimate_dichotomies`."""
        return estimate_dichotomies(self, n_draws, rng, confidence=confidence)

    @cached_property
    def euclidean(self) -> Euclidean:
        """The rows as floats in orthonormal coordinates, as `support` searches them."""
        return Euclidean(self.data)

    def localisation(self, samples: Any) -> Arrangement:
        """The arrangement of some of the samples, by their indices: of all those whose rows vanish
        on a flat, its localisation."""
        local = Arrangement.__new__(Arrangement)
        local._set(self.data.subset(np.asarray(samples, dtype=np.int64)), self.tol)
        return local

    def interior_point(self, pattern: np.ndarray) -> tuple[Fraction, ...]:
        """An exact point u with 1[Xu >= 0] equal to a pattern of bools (n,), strictly inside.

        Raises
        ------
        InputError
            If no chamber has the pattern.
        """
        point = self.data.interior(pattern)
        if point is None:
            raise InputError("pattern must be a chamber of the exact data, got one that no u has"
                             + (" (tol was given)" if not self.exact else ""))
        return point

    def iter_walls(self, *, n_jobs: int = 1) -> Iterator[np.ndarray]:
        """The faces of codimension one in blocks of packed rows [positive | negative | dimension],
        uint8 (k, 2 ceil(n/8) + 1): what `Dichotomies.facets` is made from."""
        jobs = check_jobs(n_jobs)
        if self.rank == 0:
            return iter(())
        dims = [k == self.rank - 1 for k in range(self.rank + 1)]
        return faces.blocks(self.walks, dims, jobs, 65536)

    # -- private -----------------------------------------------------------------------------

    def _faces_wanted(self, dims: Any) -> list[bool]:
        self._exactly("trichotomies")
        self.walks.check_walkable()
        return check_dims(dims, self.rank)

    def _faces_total(self, wanted: list[bool]) -> Callable[[], int]:
        return lambda: sum(n for n, k in zip(self.f_vector(), wanted, strict=True) if k)

    def _iterate_faces(self, size: int, wanted: list[bool], witnesses: bool, jobs: int,
                       progress: bool) -> Iterator[Trichotomies]:
        pieces = ((rows,) for rows in faces.blocks(self.walks, wanted, jobs, size))
        total = self._faces_total(wanted)() if progress else 0
        with progress_bar(total, "faces", progress) as bar:
            for (rows,) in blocks.reblocked(pieces, size):
                found = self._face_witnesses(rows) if witnesses else ()
                yield Trichotomies._of(rows, self.n, self, *found)
                bar.update(len(rows))

    def _face_witnesses(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Float witnesses (q, d) of faces, and which of them have exactly their signs."""
        found = Trichotomies._of(rows, self.n, self)
        points = np.zeros((len(rows), self.d))
        for i in range(len(rows)):
            points[i] = normalised(found.witness(i))
        return points, (self.signs_at(points) == found.to_numpy()).all(axis=1)

    def _exactly(self, what: str) -> None:
        if not self.exact:
            raise InputError(f"{what} needs exact data, got tol; faces and flats of rounded data "
                             f"are not defined, leave tol out")

    def _check_boundary(self, boundary: str, witnesses: bool) -> None:
        if check_choice("boundary", boundary, ("open", "closed")) == "open":
            return
        if witnesses:
            raise InputError("witnesses must be False with boundary='closed', got True; closed "
                             "patterns have no interior point, ask for boundary='open'")
        if not self.exact:
            raise InputError("boundary must be 'open' with tol, got 'closed'; the faces of rounded "
                             "data are not defined")

    def _iterate(self, size: int, witnesses: bool, boundary: str, jobs: int, progress: bool
                 ) -> Iterator[Dichotomies]:
        total = self.count_dichotomies() if progress else 0
        with progress_bar(total, "dichotomies", progress) as bar:
            for block in blocks.chambers(
                    self.walks, jobs, size, interior=self.data.interior if witnesses else None,
                    closed=boundary == "closed"):
                yield Dichotomies._of(block[0], self.n, self, *block[1:])
                bar.update(len(block[0]))

    def _capacity(self, extra: int = 0) -> int:
        """Rows to allocate, `extra` bytes each beside the pattern."""
        return self.walks.allocation(
            cover_bound(self.n_hyperplanes, self.rank), (self.n + 7) // 8 + extra,
            known=self.numbers.chambers, count=self.count_dichotomies, what="dichotomies",
            instead="iter_dichotomies, which needs a few blocks only", most=self.cover_bound())

    def _packed(self, jobs: int, progress: bool) -> np.ndarray:
        capacity = self._capacity()
        total = self.count_dichotomies() if progress else 0
        with progress_bar(total, "dichotomies", progress) as bar:
            buffer = np.empty((capacity, (self.n + 7) // 8), dtype=np.uint8)
            packed = self.walks.store(buffer, jobs, bar.set)
            bar.set(len(packed))
        self.numbers.chambers = len(packed)
        return packed

    def _with_witnesses(self, jobs: int, progress: bool) -> Dichotomies:
        self._capacity(extra=2 * (8 * self.d + 1))  # blocks, and their concatenation
        pieces = list(self._iterate(65536, True, "open", jobs, progress))
        self.numbers.chambers = sum(map(len, pieces))
        arrays = blocks.joined([(b.packed, b.witnesses, b.witness_found) for b in pieces])
        return Dichotomies._of(arrays[0], self.n, self, *arrays[1:])
