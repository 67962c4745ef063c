"""All faces of an arrangement, as those of a chain of restrictions.

A walk finds, beside the chambers, every face that is not in the hyperplane of class 0: where its
functional is smallest, a vertex v, the face is one of the local arrangement A_v, v itself included.
The others are the faces of the arrangement restricted to that hyperplane, and so on down to the
origin.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from arrangements.algebra.elimination import kernel
from arrangements.algebra.reduction import Reduction
from arrangements.errors import CapacityError
from arrangements.progress import progress_bar

from . import threads
from .boundaries import restricted, sample_rows

if TYPE_CHECKING:
    from arrangements.arrangement import Arrangement

    from .enumeration import Geometry


def chain(arrangement: Arrangement) -> list[Arrangement]:
    """The arrangement, its restriction to the hyperplane of class 0, that one's, ..., of rank 1.

    Samples whose rows vanish on the flat are zero rows of the restriction.
    """
    links: list[Reduction] = []
    reduction = arrangement._reduction
    while reduction.rank > 0:
        links.append(reduction)
        if reduction.rank == 1:
            break
        hyperplane = kernel(reduction.rows[:1]).T
        reduction = restricted(sample_rows(reduction), hyperplane)
    return [arrangement._inner(link) for link in links]


def store(arrangement: Arrangement, dims: Sequence[bool], jobs: int, progress: bool) -> np.ndarray:
    """Rows [positive | negative | dimension] of all faces of these dimensions."""
    links = chain(arrangement)
    bounds = [_bound(link, dims) for link in links]
    rows = np.empty((_capacity(arrangement, dims, sum(bounds) + 1), _width(arrangement.n)),
                    dtype=np.uint8)
    used = 0
    with progress_bar(total(arrangement, dims) if progress else 0, "faces", progress) as bar:
        for link, bound in zip(links, bounds, strict=True):
            place, before = rows[used : used + bound], used
            part = link._attempt(partial(
                threads.store, buffer=place, n_jobs=jobs, dims=dims[: link.rank + 1],
                stats=arrangement.predicate_stats, watch=partial(_set, bar, before)))
            if part.ctypes.data != place.ctypes.data:
                place[: len(part)] = part
            used += len(part)
        if dims[0]:
            rows[used] = 0
            used += 1
        bar.set(used)
    return rows[:used]


def blocks(arrangement: Arrangement, dims: Sequence[bool], jobs: int, block_size: int
           ) -> Iterator[np.ndarray]:
    """The same rows in the same order, in pieces of at most block_size (rounded up to even)."""
    for link in chain(arrangement):
        size = max(2, min(block_size + block_size % 2, _bound(link, dims)))
        yield from link._attempt(partial(_stream, n_jobs=jobs, block_rows=size,
                                         dims=dims[: link.rank + 1],
                                         stats=arrangement.predicate_stats))
    if dims[0]:
        yield np.zeros((1, _width(arrangement.n)), dtype=np.uint8)


def _set(bar: progress_bar, before: int, done: int) -> None:
    bar.set(before + done)


def _stream(geometry: Geometry, **options: Any) -> Iterator[np.ndarray]:
    return threads.started(threads.stream(geometry, **options))


def _width(n: int) -> int:
    return 2 * ((n + 7) // 8) + 1


def _bound(link: Arrangement, dims: Sequence[bool]) -> int:
    return threads.rows_bound(link.n_hyperplanes, link.rank, dims)


def total(arrangement: Arrangement, dims: Sequence[bool]) -> int:
    """Number of faces of these dimensions."""
    return sum(n for n, wanted in zip(arrangement.f_vector(), dims, strict=True) if wanted)


def _capacity(arrangement: Arrangement, dims: Sequence[bool], bound: int) -> int:
    """Rows to allocate: their bound if that fits in memory, else their exact number."""
    arrangement._walkable()
    width, room = _width(arrangement.n), int(0.9 * threads.available_bytes())
    if bound * width <= room:
        return bound
    limit = room // width
    least = arrangement._at_least(limit) if dims[-1] else 0
    rows = least if least > limit else total(arrangement, dims)
    if rows > limit:
        raise CapacityError(
            f"{'more than ' if rows == least else ''}{rows:,} faces of {width} bytes need "
            f"{rows * width:,} bytes, {room:,} are available; use iter_trichotomies, which needs a "
            f"few blocks only, or fewer dims", n_chambers=rows, bytes_needed=rows * width,
            bytes_available=room, exact=rows != least)
    return rows
