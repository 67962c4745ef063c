"""Blocks of rows: cut and joined to one size, chambers with or without their witnesses."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from .boundaries import new_patterns
from .walks import Interior, Walks


def chambers(walks: Walks, jobs: int, size: int, *, interior: Interior | None = None,
             closed: bool = False) -> Iterator[tuple[np.ndarray, ...]]:
    """All chambers in blocks of `size` rows, but the last: packed patterns and, with `interior`,
    float points and which are right; `closed` appends the patterns that only boundaries have."""
    return reblocked(_pieces(walks, jobs, size, interior, closed), size)


def _pieces(walks: Walks, jobs: int, size: int, interior: Interior | None, closed: bool
            ) -> Iterator[tuple[np.ndarray, ...]]:
    if interior is not None:
        yield from walks.witnessed(jobs, size, interior)
    else:
        for packed in walks.stream(jobs, size):
            yield (packed,)
    if closed:
        yield (new_patterns(walks, jobs, walks.stream(jobs, size)),)


def reblocked(pieces: Iterator[tuple[np.ndarray, ...]], size: int
              ) -> Iterator[tuple[np.ndarray, ...]]:
    """Tuples of arrays of equal length, cut and joined to `size` rows each but the last."""
    pending: list[tuple[np.ndarray, ...]] = []
    held = 0
    for piece in pieces:
        while held + len(piece[0]) >= size:
            need = size - held
            pending.append(tuple(a[:need] for a in piece))
            yield pending[0] if len(pending) == 1 else joined(pending)
            piece, pending, held = tuple(a[need:] for a in piece), [], 0
        if len(piece[0]):
            pending.append(piece)
            held += len(piece[0])
    if pending:
        yield joined(pending)


def joined(pieces: Sequence[tuple[np.ndarray, ...]]) -> tuple[np.ndarray, ...]:
    """Tuples of arrays as one tuple of longer arrays."""
    return tuple(np.concatenate(arrays) for arrays in zip(*pieces, strict=True))
