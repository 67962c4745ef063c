"""All walks of one arrangement: the tables they read, new tries, and what they decided.

A walk needs generic functionals; should a vertex lie on one of them, which has probability below
2^-60, it fails, and is tried again with others.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Iterator, Sequence
from fractions import Fraction
from typing import Any, TypeVar

import numpy as np

from arrangements.algebra.elimination import primitive
from arrangements.algebra.numbers import IntegerMatrix
from arrangements.algebra.reduction import Reduction, reduce_rows
from arrangements.counting.closed_forms import cover_bound
from arrangements.counting.deletion import components
from arrangements.counting.residues import least_chambers
from arrangements.errors import CapacityError

from . import tables, threads
from .enumeration import Geometry
from .float_points import Traces, Witnesses, lifts
from .sums import DirectSum

T = TypeVar("T")

_MAX_RANK = 64  # 2^64 chambers at least: none can be enumerated
_SEEDS = 3
_WALKED = 1 << 22  # chambers that are counted sooner than bounded

# from a pattern of bools (n,) to an exact point of its chamber, or None
Interior = Callable[[np.ndarray], tuple[Fraction, ...] | None]


class Walks:
    """Walks over the flats of the rows of a reduction.

    Parameters
    ----------
    reduction : Reduction
    tol : float, optional
        Take smaller values for zero. Classes may then be parallel to each other.
    signs : threads.Signs, optional
        Where the stages count the signs they decide.
    """

    def __init__(self, reduction: Reduction, tol: float | None = None,
                 signs: threads.Signs | None = None) -> None:
        self.reduction, self.tol = reduction, tol
        self._signs = threads.Signs() if signs is None else signs
        self._summands: list[Walks] | None = None
        self._seed = 0
        self._geometry: Geometry | None = None

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_geometry": None}

    @property
    def n(self) -> int:
        """Number of samples."""
        return self.reduction.n

    @property
    def m(self) -> int:
        """Number of hyperplanes."""
        return self.reduction.m

    @property
    def rank(self) -> int:
        """Rank of the rows."""
        return self.reduction.rank

    @property
    def stats(self) -> dict[str, int]:
        """How many signs each stage has decided so far, in walks that go on too."""
        return self._signs.total()

    def restricted(self, reduction: Reduction) -> Walks:
        """Those of another arrangement read the same way, counted together with these."""
        return Walks(reduction, self.tol, self._signs)

    @property
    def summands(self) -> list[Walks]:
        """Those of the direct summands, of all samples: rows of the others are zero rows there.

        One without others, and with `tol`, is its only summand.
        """
        if self._summands is None:
            members = [] if self.tol is not None else [
                np.array([k]) for k in range(self.m)] if self.m == self.rank else components(
                    self.reduction.rows)
            self._summands = [] if len(members) < 2 else [
                self.restricted(self.reduction.summand(k)) for k in members]
            for part in self._summands:
                part._summands = []
        return self._summands or [self]

    def geometry(self) -> Geometry:
        """The tables of the rows, where the kernels read them."""
        if self._geometry is None:
            self._geometry = Geometry(tables.build(self.reduction, tol=self.tol, seed=self._seed))
        return self._geometry

    # -- one walk

    def count(self, *, only_simple: bool = False, limit: float = math.inf) -> int | None:
        """Number of chambers; None where `only_simple` met a dependence, and any number beyond
        `limit` where there are more than that."""
        return self._attempt(lambda g: threads.count(
            g, only_simple=only_simple, limit=limit, signs=self._signs))

    def tally(self, jobs: int, *, faces: bool = False) -> list[list[int]]:
        """`Enumeration.counters` of a whole walk."""
        self.check_walkable()
        dims = [True] * (self.rank + 1) if faces else None
        counters: list[list[int]] = self._attempt(lambda g: threads.tally(
            g, jobs, dims=dims, signs=self._signs)).tolist()
        return counters

    def store(self, buffer: np.ndarray, jobs: int, watch: Callable[[int], None],
              dims: Sequence[bool] | None = None) -> np.ndarray:
        """All rows: the beginning of `buffer`, or another array if it was too small."""
        if self.rank == 0:
            return _one_chamber(self.n)
        if dims is None and len(self.summands) > 1:
            return self._sum(jobs).store(buffer, watch)
        return self._attempt(lambda g: threads.store(
            g, buffer, jobs, watch=watch, dims=dims, signs=self._signs))

    def stream(self, jobs: int, block_rows: int, *, tracing: bool = False,
               dims: Sequence[bool] | None = None) -> Generator[Any, None, None]:
        """The same rows in blocks of at most `block_rows` (rounded up to even)."""
        if self.rank == 0:
            return _once(_one_chamber(self.n))
        self.check_walkable()
        if dims is None and not tracing and len(self.summands) > 1:
            return self._sum(jobs).stream(block_rows + block_rows % 2)
        size = max(2, min(block_rows + block_rows % 2, threads.rows_bound(self.m, self.rank, dims)))
        return self._attempt(lambda g: threads.started(threads.stream(
            g, jobs, size, tracing=tracing, dims=dims, signs=self._signs)))

    def witnessed(self, jobs: int, block_rows: int,
                  exact: Interior) -> Iterator[tuple[np.ndarray, ...]]:
        """Blocks of chambers with float points, and which of these are right; `exact` finds points
        of the chambers for which floats fail."""
        if self.rank == 0:
            yield _one_chamber(self.n), np.zeros((1, self.reduction.d)), np.ones(1, dtype=bool)
            return
        witnesses = Witnesses(self.reduction, exact)
        size = block_rows + block_rows % 2
        for packed, half in (self._sum(jobs, points=True).with_points(size)
                             if len(self.summands) > 1 else self._traced(jobs, size)):
            yield (packed, *witnesses.checked(packed, half))

    # -- what fits

    def check_walkable(self) -> None:
        """Refuse ranks with more chambers than can ever be listed."""
        if self.rank > _MAX_RANK:
            raise CapacityError(
                f"rank {self.rank} means at least 2^{self.rank} chambers, more than can be "
                f"enumerated (rank must be at most {_MAX_RANK}); choose fewer features",
                n_chambers=2**self.rank, bytes_needed=2**self.rank * ((self.n + 7) // 8),
                bytes_available=threads.available_bytes(), exact=False)

    def at_least(self, enough: int) -> int:
        """A lower bound of the number of chambers, found fast; no more than `enough` is looked for.

        From residues, where `enough` is much (see `least_chambers`); else chambers of some of the
        rows, restricted to a subspace of rank 6, are met by at least as many chambers of all rows.
        """
        if self.tol is None and self.m == self.rank:
            out: int = 2**self.rank
            return out
        if self.tol is None and enough > _WALKED:
            least = least_chambers(self.reduction.rows, enough)
            if least > enough:
                return least
        rank, m = min(self.rank, 6), self.m
        size = next((k for k in range(rank, m) if cover_bound(k, rank) > 2 * enough), m)
        picked = self.reduction.rows[np.linspace(0, m - 1, size).astype(np.int64)].astype(object)
        subspace = np.random.default_rng(0).integers(-1000, 1000, size=(self.rank, rank))
        values = primitive(picked.dot(subspace.astype(object)))
        part = reduce_rows(IntegerMatrix(values, (Fraction(1),) * rank))
        if part.rank < 2:
            return 2 * part.rank
        return self.restricted(part).count(limit=enough) or 0

    def allocation(self, bound: int, width: int, *, known: int | None,
                   count: Callable[[], int], what: str, instead: str, most: int | None = None
                   ) -> int:
        """Rows to allocate, of `width` bytes: their number if it is `known`, their bound if that
        fits in memory, else count().

        Raises
        ------
        CapacityError
            If they do not fit, before any work where a lower bound shows it.
        """
        self.check_walkable()
        room = int(0.9 * threads.available_bytes())
        limit, rows, exact = room // width, known, True
        if rows is None:
            if bound <= limit:
                return bound
            least = self.at_least(limit)
            rows, exact = (least, False) if least > limit else (count(), True)
        if rows > limit:
            number = f"{rows:,}" if exact else f"more than {rows:,}"
            if not exact and most is not None:
                number += f" (at most {most:,})"
            raise CapacityError(
                f"{number} {what} of {width} bytes need {'' if exact else 'more than '}"
                f"{rows * width:,} bytes, {room:,} are available; use {instead}",
                n_chambers=rows, bytes_needed=rows * width, bytes_available=room, exact=exact)
        return rows

    # -- private

    def _traced(self, jobs: int, block_rows: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Blocks of chambers, and points of the first of each pair of opposites, unchecked."""
        blocks = self.stream(jobs, block_rows, tracing=True)
        traces = Traces(self.reduction, self.geometry().tables)
        try:
            for packed, *trace in blocks:
                yield packed, traces.points(*trace)
        finally:
            blocks.close()

    def _sum(self, jobs: int, *, points: bool = False) -> DirectSum:
        """The chambers, as products of those of the direct summands."""
        matrices = lifts(self.reduction, [p.reduction for p in self.summands]) if points else []
        lift = {id(part): matrix for part, matrix in zip(self.summands, matrices, strict=False)}

        def rows(part: Walks, _: Sequence[bool]) -> Iterator[tuple[np.ndarray, ...]]:
            if points:
                for packed, half in part._traced(jobs, threads.SMALL):
                    yield packed, half @ lift[id(part)].T
            elif part.rank == 1:
                yield (part.reduction.packed(np.array([[True], [False]])),)
            elif (bound := threads.rows_bound(part.m, part.rank)) <= threads.SMALL:
                buffer = np.empty((bound, (self.n + 7) // 8), dtype=np.uint8)
                yield (part.store(buffer, 1, lambda done: None),)
            else:
                for packed in part.stream(jobs, threads.SMALL):
                    yield (packed,)

        return DirectSum(self.summands, rows, points=points)

    def _attempt(self, walk: Callable[[Geometry], T]) -> T:
        for _ in range(_SEEDS):
            try:
                return walk(self.geometry())
            except ArithmeticError:
                self._seed += 1
                self._geometry = None
        raise ArithmeticError(f"no generic functional found with seeds up to {self._seed}")


def _one_chamber(n: int) -> np.ndarray:
    """The whole space, where all rows are zero."""
    return np.packbits(np.ones((1, n), dtype=bool), axis=1, bitorder="little")


def _once(block: np.ndarray) -> Generator[np.ndarray, None, None]:
    yield block
