"""Facets of all chambers at once, and which chambers share one."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from arrangements.algebra.reduction import Reduction
from arrangements.errors import InputError

from .facet_kernels import expand, mark, neighbours, pairs
from .lookup import Index

__all__ = ["adjacency", "facets"]

_STEP = 1 << 16


def facets(packed: np.ndarray, reduction: Reduction, blocks: Iterable[np.ndarray]) -> Any:
    """Rows of X that bound each chamber: the irredundant ones, one of each class.

    Parameters
    ----------
    packed : ndarray of uint8, shape (p, ceil(n/8))
        Chambers of an exact arrangement, all or some, in any order; patterns that are no chamber
        (of ``boundary="closed"``) get no facets.
    reduction : Reduction
        Of that arrangement.
    blocks : iterable of ndarray of uint8, shape (k, 2 ceil(n/8) + 1)
        The faces of dimension rank - 1 of the arrangement, all of them, in any order and grouping:
        rows [positive plane | negative plane | dimension].

    Returns
    -------
    scipy.sparse.csr_array of bool, shape (p, n)
        Entry (i, j) is True when row j of X vanishes on a facet of chamber i and is the first row
        of its class to do so. Indices are sorted, and int32 where they fit. Which other chambers
        are present does not matter.

    Raises
    ------
    InputError
        A block holds something else.

    Notes
    -----
    A face of codimension one lies in the closures of two chambers, whose patterns it has off its
    zeros; both are looked up. Exact for every input. About 50 ns for each face; memory beside the
    result is ceil(n/8) + 6 bytes a chamber.

    Examples
    --------
    >>> from arrangements.algebra.numbers import exact_matrix
    >>> from arrangements.algebra.reduction import reduce_rows
    >>> bits = np.array([[0, 0, 0], [0, 1, 0], [0, 1, 1], [1, 0, 0], [1, 0, 1], [1, 1, 1]])
    >>> signs = np.array([[0, 1, 1], [0, -1, -1], [1, 0, 1], [-1, 0, -1], [1, -1, 0], [-1, 1, 0]])
    >>> packed, *rays = (np.packbits(rows, axis=1, bitorder="little")
    ...                  for rows in (bits, signs > 0, signs < 0))
    >>> rays = np.hstack([*rays, np.ones((6, 1), dtype=np.uint8)])
    >>> X = exact_matrix([[1, 0], [0, 1], [1, 1]], bias=False, numbers="binary")
    >>> reduction = reduce_rows(X)
    >>> for pattern, row in zip(bits, facets(packed, reduction, [rays]).toarray()):
    ...     print(pattern, row.nonzero()[0])
    [0 0 0] [0 1]
    [0 1 0] [1 2]
    [0 1 1] [0 2]
    [1 0 0] [0 2]
    [1 0 1] [1 2]
    [1 1 1] [0 1]
    """
    index, repeated = _indexed(packed)
    if repeated is not None:
        return facets(packed[repeated[0]], reduction, blocks)[repeated[1]]
    indptr, indices = _facets(index, packed, reduction, blocks)
    return _csr(np.ones(len(indices), dtype=bool), indices, indptr, (len(packed), reduction.n))


def adjacency(packed: np.ndarray, reduction: Reduction, blocks: Iterable[np.ndarray], *,
              rows: bool = False) -> Any:
    """Graph of the chambers: two are joined when they share a facet (the tope graph).

    Parameters
    ----------
    packed, reduction, blocks
        As in `facets`. Only the chambers present are joined.
    rows : bool, default False
        Store the facet that joins two chambers instead of True.

    Returns
    -------
    scipy.sparse.csr_array, shape (p, p)
        Symmetric, indices sorted, int32 where they fit. Of bool; with `rows` of the integers j + 1,
        j the first row of X that vanishes on the facet (a stored 0 would not count as an entry).

    Notes
    -----
    In the graph of all chambers the distance of two is the number of classes of rows on which they
    differ (Bjoerner et al., Oriented Matroids, section 4.2). Costs one look-up more than
    `facets` for each facet of each chamber.

    Examples
    --------
    >>> from arrangements.algebra.numbers import exact_matrix
    >>> from arrangements.algebra.reduction import reduce_rows
    >>> line = reduce_rows(exact_matrix([[2], [-1]], bias=False, numbers="binary"))
    >>> halves = np.array([[2], [1]], dtype=np.uint8)
    >>> origin = np.zeros((1, 3), dtype=np.uint8)
    >>> adjacency(halves, line, [origin]).toarray().tolist()
    [[False, True], [True, False]]
    >>> adjacency(halves, line, [origin], rows=True).toarray().tolist()
    [[0, 1], [1, 0]]
    """
    index, repeated = _indexed(packed)
    if repeated is not None:
        joined = adjacency(packed[repeated[0]], reduction, blocks, rows=rows)
        joined = joined[repeated[1]][:, repeated[1]]
        joined.sort_indices()
        return joined
    indptr, indices = _facets(index, packed, reduction, blocks)
    class_of = reduction.class_of
    members = np.argsort(class_of, kind="stable")
    starts = np.searchsorted(class_of[members], np.arange(class_of.max() + 2))
    beyond = np.empty_like(indices)
    p = len(packed)
    for i in range(0, p, _STEP):
        neighbours(index, packed[i : i + _STEP], indptr[i : i + _STEP + 1], indices, class_of,
                   starts, members, beyond)
    here = beyond >= 0
    if not here.all():
        indices, beyond = indices[here], beyond[here]
        indptr = np.append(indptr[:1], np.cumsum(here, dtype=indptr.dtype))[indptr]
    data = indices + indices.dtype.type(1) if rows else np.ones(len(indices), dtype=bool)
    joined = _csr(data, beyond, indptr, (p, p))
    joined.has_sorted_indices = False
    joined.sort_indices()
    return joined


def _indexed(packed: np.ndarray) -> tuple[Index, tuple[np.ndarray, np.ndarray] | None]:
    """Index of the rows; and where some are equal, the numbers of one of each and which each is."""
    index = Index(packed)
    if index.n_distinct == len(index):
        return index, None
    return index, np.unique(index.find(packed), return_inverse=True)


def _facets(index: Index, packed: np.ndarray, reduction: Reduction, blocks: Iterable[np.ndarray]
            ) -> tuple[np.ndarray, np.ndarray]:
    """Arrays indptr and indices of `facets`, for rows that are all different."""
    own = [np.packbits(reduction.orientation == sign, bitorder="little") for sign in (1, -1, 0)]
    width, dim = 2 * packed.shape[1] + 1, reduction.rank - 1
    # Bits instead of lists: sorted as they are, and never more than the patterns themselves.
    planes = np.zeros_like(packed)
    for block in blocks:
        if block.dtype != np.uint8 or block.ndim != 2 or block.shape[1] != width:
            raise InputError(f"blocks must be uint8 arrays of shape (k, {width}), "
                             f"got {block.dtype} of shape {block.shape}")
        if (block[:, -1] != dim).any():
            raise InputError(f"blocks must hold faces of dimension {dim}, "
                             f"got one of dimension {block[block[:, -1] != dim][0, -1]}")
        mark(planes, *pairs(index, np.ascontiguousarray(block), *own))
    counts = np.bitwise_count(planes).sum(axis=1, dtype=np.int64)
    total = int(counts.sum())
    fits = max(total, len(planes), reduction.n) < 2**31
    indptr = np.zeros(len(planes) + 1, dtype=np.int32 if fits else np.int64)
    np.cumsum(counts, out=indptr[1:])
    indices = np.empty(total, dtype=indptr.dtype)
    expand(planes, indices)
    return indptr, indices


def _csr(data: np.ndarray, indices: np.ndarray, indptr: np.ndarray, shape: tuple[int, int]) -> Any:
    from scipy.sparse import csr_array

    out = csr_array((data, indices, indptr), shape=shape)
    out.has_canonical_format = True
    return out
