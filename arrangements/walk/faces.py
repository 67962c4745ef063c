"""All faces of an arrangement, as those of a chain of restrictions.

A walk finds, beside the chambers, every face that is not in the hyperplane of class 0: where its
functional is smallest, a vertex v, the face is one of the local arrangement A_v, v itself included.
The others are the faces of the arrangement restricted to that hyperplane, and so on down to the
origin.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial

import numpy as np

from arrangements.algebra.elimination import kernel
from arrangements.algebra.reduction import Reduction

from .boundaries import restricted, sample_rows
from .threads import rows_bound
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
        reduction = restricted(sample_rows(reduction), hyperplane)
    return [walks.restricted(link) for link in links]


def store(walks: Walks, dims: Sequence[bool], jobs: int, total: Callable[[], int],
          watch: Callable[[int], None]) -> np.ndarray:
    """Rows [positive | negative | dimension] of all faces of these dimensions, `total()` in all."""
    links = chain(walks)
    bounds = [rows_bound(link.m, link.rank, dims) for link in links]
    capacity = walks.allocation(
        sum(bounds) + 1, _width(walks.n), known=None, count=total, what="faces",
        instead="iter_trichotomies, which needs a few blocks only, or fewer dims")
    rows = np.empty((capacity, _width(walks.n)), dtype=np.uint8)
    used = 0
    for link, bound in zip(links, bounds, strict=True):
        place, before = rows[used : used + bound], used
        part = link.store(place, jobs, partial(_from, watch, before), dims[: link.rank + 1])
        if part.ctypes.data != place.ctypes.data:
            place[: len(part)] = part
        used += len(part)
    if dims[0]:
        rows[used] = 0
        used += 1
    return rows[:used]


def blocks(walks: Walks, dims: Sequence[bool], jobs: int, block_size: int
           ) -> Iterator[np.ndarray]:
    """The same rows in the same order, in pieces of at most block_size (rounded up to even)."""
    for link in chain(walks):
        yield from link.stream(jobs, block_size, dims=dims[: link.rank + 1])
    if dims[0]:
        yield np.zeros((1, _width(walks.n)), dtype=np.uint8)


def _from(watch: Callable[[int], None], before: int, done: int) -> None:
    watch(before + done)


def _width(n: int) -> int:
    return 2 * ((n + 7) // 8) + 1
