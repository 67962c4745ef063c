"""All faces of an arrangement, as those of a chain of restrictions.

A walk finds, beside the chambers, every face that is not in the hyperplane of class 0: where its
functional is smallest, a vertex v, the face is one of the local arrangement A_v, v itself included.
The others are the faces of the arrangement restricted to that hyperplane, and so on down to the
origin.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from functools import partial

import numpy as np

from arrangements.algebra.elimination import kernel, primitive
from arrangements.algebra.numbers import IntegerMatrix
from arrangements.algebra.reduction import Reduction, reduce_rows

from .sums import DirectSum
from .threads import SMALL, faces_bound, rows_bound
from .walks import Walks


def chain(walks: Walks) -> list[Walks]:
    """The arrangement, its restriction to the hyperplane of class 0, that one's, ..., of rank 1.

    Samples whose rows vanish on the flat are zero rows of the restriction.
    """
    links: list[Reduction] = []
    reduction = walks.reduction
    while reduction.rank > 0:
        links.append(reduction)
        if reduction.rank == 1:
            break
        hyperplane = kernel(reduction.rows[:1]).T
        reduction = _restricted(sample_rows(reduction), hyperplane)
    return [walks.restricted(link) for link in links]


def store(walks: Walks, dims: Sequence[bool], jobs: int, total: Callable[[], int],
          watch: Callable[[int], None]) -> np.ndarray:
    """Rows [positive | negative | dimension] of all faces of these dimensions, `total()` in all."""
    parts = walks.summands
    bound = math.prod(faces_bound(part.m, part.rank, dims if len(parts) == 1 else None)
                      for part in parts)
    capacity = walks.allocation(
        bound, _width(walks.n), known=None, count=total, what="faces",
        instead="iter_trichotomies, which needs a few blocks only, or fewer dims")
    rows = np.empty((capacity, _width(walks.n)), dtype=np.uint8)
    if len(parts) == 1:
        return _stored(walks, rows, dims, jobs, watch)
    return _sum(walks, dims, jobs).store(rows, watch)


def blocks(walks: Walks, dims: Sequence[bool], jobs: int, block_size: int
           ) -> Iterator[np.ndarray]:
    """The same rows in the same order, in pieces of at most block_size (rounded up to even)."""
    if len(walks.summands) > 1:
        yield from _sum(walks, dims, jobs).stream(block_size + block_size % 2)
        return
    for link in chain(walks):
        yield from link.stream(jobs, block_size, dims=dims[: link.rank + 1])
    if dims[0]:
        yield np.zeros((1, _width(walks.n)), dtype=np.uint8)


def _sum(walks: Walks, dims: Sequence[bool], jobs: int) -> DirectSum:
    """The faces, as products of those of the direct summands."""

    def rows(part: Walks, wanted: Sequence[bool]) -> Iterator[tuple[np.ndarray, ...]]:
        bound = faces_bound(part.m, part.rank, wanted)
        if part.rank == 1:
            yield (_line(part, wanted),)
        elif bound <= SMALL:
            found = np.empty((bound, _width(part.n)), dtype=np.uint8)
            yield (_stored(part, found, wanted, 1, lambda done: None),)
        else:
            for block in blocks(part, wanted, jobs, SMALL):
                yield (block,)

    return DirectSum(walks.summands, rows, dims)


def _line(walks: Walks, dims: Sequence[bool]) -> np.ndarray:
    """The faces of one hyperplane."""
    planes = np.zeros((2, walks.n), dtype=bool)
    planes[:] = walks.reduction.orientation == np.array([[1], [-1]])
    rows = np.zeros((3, _width(walks.n)), dtype=np.uint8)
    rows[0, :-1] = np.packbits(planes, axis=1, bitorder="little").ravel()
    rows[1, :-1] = np.packbits(planes[::-1], axis=1, bitorder="little").ravel()
    rows[:2, -1] = 1
    return rows[0 if dims[1] else 2 : 3 if dims[0] else 2]


def _stored(walks: Walks, rows: np.ndarray, dims: Sequence[bool], jobs: int,
            watch: Callable[[int], None]) -> np.ndarray:
    """All faces of an arrangement that is not a sum, in the beginning of `rows`."""
    used = 0
    for link in chain(walks):
        place = rows[used : used + rows_bound(link.m, link.rank, dims[: link.rank + 1])]
        before = used
        part = link.store(place, jobs, partial(_from, watch, before), dims[: link.rank + 1])
        if part.ctypes.data != place.ctypes.data:
            place[: len(part)] = part
        used += len(part)
    if dims[0]:
        rows[used] = 0
        used += 1
    return rows[:used]


def sample_rows(reduction: Reduction) -> np.ndarray:
    """The samples' own rows (n, r), up to positive factors, in the coordinates of the reduction."""
    r = reduction
    signed = np.zeros((r.n, r.rank), dtype=object)
    cut = r.class_of >= 0
    signed[cut] = (r.rows[r.class_of[cut]].astype(object)
                   * r.orientation[cut, None].astype(object))
    return signed


def _restricted(signed: np.ndarray, basis: np.ndarray) -> Reduction:
    """The samples' rows as functionals on the flat spanned by the columns of `basis`."""
    values = primitive(signed.dot(basis))
    return reduce_rows(IntegerMatrix(values, (Fraction(1),) * values.shape[1]))


def _from(watch: Callable[[int], None], before: int, done: int) -> None:
    watch(before + done)


def _width(n: int) -> int:
    return 2 * ((n + 7) // 8) + 1
