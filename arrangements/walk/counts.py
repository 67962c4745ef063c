"""Whitney numbers and f-vectors by walks that only count.

A walk meets every flat F of rank t < r off the hyperplane of class 0 once, and knows |mu(F)| (the
number of chambers with their vertex there), summing to the coefficients beta_t of chi(t)/(t - 1)
(Zaslavsky 1975); flats in that hyperplane are those of the restriction to it. Direct sums are
counted part by part: all these polynomials multiply.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from arrangements.errors import CapacityError

from . import threads
from .faces import chain
from .walks import Walks

_MAX_FACE_RANK = 40  # 3^40 faces at least


def first_kind(walks: Walks, jobs: int) -> list[int]:
    """|w_0|, ..., |w_r|, the magnitudes of the coefficients of the characteristic polynomial."""

    def of(part: Walks) -> list[int]:
        beta = [*part.tally(jobs)[0][: part.rank], 0]
        return [x + y for x, y in zip(beta, [0, *beta], strict=False)]

    return _product(walks, of, [1, 1])


def second_kind(walks: Walks, jobs: int) -> list[int]:
    """W_0, ..., W_r, the numbers of flats of each rank."""

    def of(part: Walks) -> list[int]:
        total = [0] * part.rank + [1]
        for depth, inner in enumerate(chain(part)):
            for t, n in enumerate(inner.tally(jobs)[1][: inner.rank]):
                total[t + depth] += n
        return total

    return _product(walks, of, [1, 1])


def faces(walks: Walks, jobs: int) -> list[int]:
    """f_0, ..., f_r, the numbers of faces of each dimension in the rank-r quotient."""

    def of(part: Walks) -> list[int]:
        if part.rank > _MAX_FACE_RANK:
            raise CapacityError(
                f"rank {part.rank} means at least 3^{part.rank} faces, more than can be counted "
                f"(rank must be at most {_MAX_FACE_RANK}); choose fewer features",
                n_chambers=3**part.rank, bytes_needed=0,
                bytes_available=threads.available_bytes(), exact=False)
        total = [1] + [0] * part.rank
        for inner in chain(part):
            for k, n in enumerate(inner.tally(jobs, faces=True)[2]):
                total[k] += 2 * n
        return total

    return _product(walks, of, [1, 2])


def _product(walks: Walks, of: Callable[[Walks], list[int]], line: list[int]) -> list[int]:
    """The product over the direct summands of polynomials with coefficients of(summand), `line`
    for a summand of rank 1."""
    product = np.ones(1, dtype=object)
    for part in walks.summands:
        r = part.reduction
        if part.m < part.n:  # a walk that only counts need not know the samples
            part = part.restricted(replace(r, n=r.m, class_of=np.arange(r.m, dtype=np.int32),
                                           orientation=np.ones(r.m, dtype=np.int8)))
        found = line if part.rank == 1 else of(part)
        product = np.convolve(product, np.array(found, dtype=object))
    return [int(x) for x in product]
