"""Chambers and faces of a direct sum: every product of those of its summands.

Where the vectors fall into sets of independent spans, the sign vectors of the whole are those of
the summands side by side, and dimensions add. So the summands are walked, and products written.

The order: summands from the one with most rows in general position down, of equal ones the first
first; small ones at the end are taken as one, which is ordered likewise. First come the rows that
are not zero in the first of them: for each of its rows, of two opposite ones the first, all rows of
the rest, each followed by its opposite. Then, of faces, those that are zero there, in the order of
the rest; the origin last.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .products import fill
from .threads import faces_bound, rows_bound

_TABLE = 1 << 12  # rows in general position up to which small summands become one
_KEPT = 1 << 20   # rows of a summand up to which they are kept, not walked again
_BLOCK = 1 << 16  # rows at once

# Rows of one summand in blocks, pairs of opposites: of chambers, with points (of the first of each
# pair) or without, or of faces of some dimensions, the origin last.
Rows = Callable[[Any, Sequence[bool]], Iterator[tuple[np.ndarray, ...]]]


@dataclass
class Table:
    """Rows as words: planes whose bits outside some samples are zero, dimensions, and points."""

    words: np.ndarray  # uint64 (q, planes * ceil(n / 64))
    dims: np.ndarray   # uint8 (q,)
    points: np.ndarray  # (q, d), or (q, 0)
    choices: dict[int, np.ndarray] = field(init=False, default_factory=dict)
    plan: tuple[np.ndarray, np.ndarray] | None = field(init=False, default=None)

    def __len__(self) -> int:
        return len(self.dims)

    def __getitem__(self, key: Any) -> Table:
        return Table(self.words[key], self.dims[key], self.points[key])

    def halves(self) -> Table:
        """The first of each pair of opposites, without the origin."""
        return self[np.flatnonzero(self.dims)[::2]]

    def times(self, other: Table, useful: np.ndarray) -> Table:
        """Sums of all rows here and all of the other that have useful dimensions."""
        i, j = np.divmod(np.arange(len(self) * len(other)), max(len(other), 1))
        keep = useful[self.dims[i] + other.dims[j]]
        a, b = self[i[keep]], other[j[keep]]
        return Table(a.words | b.words, a.dims + b.dims, a.points + b.points)

    def chosen(self, heads: Table, wanted: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The rows that make wanted ones with heads of dimension k, choice[start[k]:start[k+1]]."""
        known = len(self.choices)
        for k in np.flatnonzero(np.bincount(heads.dims)).tolist():
            if k not in self.choices:
                self.choices[k] = np.flatnonzero(wanted[k + self.dims.astype(np.int64)])
        if self.plan is None or len(self.choices) > known:
            rows = [self.choices.get(k, self.dims[:0]) for k in range(len(wanted))]
            self.plan = (np.concatenate(rows).astype(np.int32),
                         np.cumsum([0, *map(len, rows)], dtype=np.int64))
        return self.plan


class DirectSum:
    """All rows of a direct sum, in order.

    Parameters
    ----------
    summands : sequence of Walks
        Of all n samples, those of other summands being zero rows.
    rows : Rows
        The rows of a summand.
    dims : sequence of bool, optional
        Faces of these dimensions; by default the patterns of chambers.
    points : bool, default False
        Whether chambers come with points of them.
    """

    def __init__(self, summands: Sequence[Any], rows: Rows, dims: Sequence[bool] | None = None,
                 *, points: bool = False) -> None:
        self._rows, self._faces, self._with_points = rows, dims is not None, points
        self.n, self.rank = summands[0].n, sum(part.rank for part in summands)
        self._wanted = np.array([False] * self.rank + [True] if dims is None else dims)
        self._cut = _samples(summands)
        self._turned = None if dims is not None else _words(_packed(self._cut))[0]
        bound = rows_bound if dims is None else faces_bound
        parts = sorted(summands, key=lambda part: -bound(part.m, part.rank))
        first = 1
        while (first < len(parts) - 1
               and math.prod(bound(part.m, part.rank) for part in parts[first:]) > _TABLE):
            first += 1
        self._factors = [[part] for part in parts[:first]] + [parts[first:]] * (first < len(parts))
        ranks = [sum(part.rank for part in factor) for factor in self._factors]
        self._useful = [self._reachable(self.rank - rank)[: rank + 1] for rank in ranks]
        self._useful_heads = [self._reachable(sum(ranks[i + 1 :])) for i in range(len(ranks))]
        self._kept: dict[int, Table | None] = {}  # by factor; None where there are too many rows

    def stream(self, size: int) -> Generator[np.ndarray, None, None]:
        """The rows in blocks of at most `size` (even)."""
        out, used = self._empty(size), 0
        for heads, table in self._products():
            i = j = 0
            while i < len(heads):
                n, i, j = self._fill(heads, table, i, j, out[used:])
                used += n
                if used == size:
                    yield out
                    out, used = self._empty(size), 0
        if used:
            yield out[:used]
        if self._faces and self._wanted[0]:
            yield np.zeros((1, out.shape[1]), dtype=np.uint8)

    def store(self, buffer: np.ndarray, watch: Callable[[int], None]) -> np.ndarray:
        """The rows, written to the beginning of `buffer`, which has room for them."""
        used = 0
        for heads, table in self._products():
            i = j = 0
            while i < len(heads):
                n, i, j = self._fill(heads, table, i, j, buffer[used : used + _BLOCK])
                used += n
                watch(used)
        if self._faces and self._wanted[0]:
            buffer[used] = 0
            used += 1
        return buffer[:used]

    def with_points(self, size: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Patterns of chambers in blocks of at most `size` (even), and points of the first of each
        pair of opposites, their largest coordinate 1."""
        for heads, table in self._products():
            total = len(heads) * len(table)
            for k in range(0, total, size // 2):
                i, j = np.divmod(np.arange(k, min(k + size // 2, total)), len(table))
                out = self._empty(2 * len(i))
                self._fill(heads, table, int(i[0]), int(j[0]), out)
                points = heads.points[i] + table.points[j]
                with np.errstate(all="ignore"):
                    points /= np.abs(points).max(axis=1, keepdims=True)
                yield out, points

    # -- private

    def _reachable(self, rest: int) -> np.ndarray:
        """Dimensions that `rest` or less can complete to wanted ones."""
        below = np.concatenate([[0], np.cumsum(self._wanted)])
        k = np.arange(self.rank + 1)
        out: np.ndarray = below[np.minimum(k + rest, self.rank) + 1] > below[k]
        return out

    def _empty(self, size: int) -> np.ndarray:
        n_bytes = (self.n + 7) // 8
        return np.empty((size, 2 * n_bytes + 1 if self._faces else n_bytes), dtype=np.uint8)

    def _zeros(self, size: int) -> Table:
        n_words = (2 if self._faces else 1) * ((self.n + 63) // 64)
        return Table(np.zeros((size, n_words), dtype=np.uint64), np.zeros(size, dtype=np.uint8),
                     np.zeros((size, 0)))

    def _fill(self, heads: Table, table: Table, i: int, j: int, out: np.ndarray
              ) -> tuple[int, int, int]:
        choice, start = table.chosen(heads, self._wanted)
        return fill(heads.words, heads.dims, table.words, table.dims, choice, start, self._turned,
                    i, j, out)

    def _products(self) -> Iterator[tuple[Table, Table]]:
        """Heads, of which each goes with all rows of a table; opposites are left out."""
        for i in range(len(self._factors) if self._faces else 1):
            for block in self._walked(0) if i == 0 else self._pieces(i):
                yield from self._against(block.halves(), i + 1)

    def _against(self, heads: Table, i: int) -> Iterator[tuple[Table, Table]]:
        """Heads times all of the factors from i on."""
        if i == len(self._factors):
            yield heads, self._zeros(1)
            return
        kept, last = self._table(i), i == len(self._factors) - 1
        # without a table one head at a time, so that the order does not tell blocks
        step = 1 if kept is None else max(1, (len(heads) if last else _BLOCK // max(len(kept), 1)))
        for k in range(0, len(heads), step):
            some = heads[k : k + step]
            for table in self._pieces(i):
                if last:
                    yield some, table
                else:
                    yield from self._against(some.times(table, self._useful_heads[i]), i + 1)

    def _pieces(self, i: int) -> Iterator[Table]:
        """All rows of factor i."""
        kept = self._table(i)
        return self._walked(i) if kept is None else iter([kept])

    def _table(self, i: int) -> Table | None:
        """All rows of factor i, if they are few."""
        if i not in self._kept:
            blocks, total = [], 0
            self._kept[i] = None
            for block in self._walked(i):
                blocks.append(block)
                total += len(block)
                if total > _KEPT:
                    return None
            self._kept[i] = self._zeros(0) if not blocks else Table(
                np.concatenate([block.words for block in blocks]),
                np.concatenate([block.dims for block in blocks]),
                np.concatenate([block.points for block in blocks]))
        return self._kept[i]

    def _walked(self, i: int) -> Iterator[Table]:
        """Rows of factor i in blocks."""
        factor, useful = self._factors[i], self._useful[i].tolist()
        if len(factor) == 1:
            blocks = self._rows(factor[0], useful)
        else:
            inner = DirectSum(factor, self._rows, useful if self._faces else None,
                              points=self._with_points)
            blocks = inner.with_points(_BLOCK) if self._with_points else (
                (rows,) for rows in inner.stream(_BLOCK))
        own = _samples(factor)
        if i == 0 and not self._faces:  # the bits of zero rows are 1
            own |= ~self._cut
        mask, n_bytes = _packed(own), (self.n + 7) // 8
        for rows, *half in blocks:
            if self._faces:
                words = np.hstack([_words(rows[:, :n_bytes]), _words(rows[:, n_bytes:-1])])
                dims = np.ascontiguousarray(rows[:, -1])
            else:
                words = _words(rows & mask)
                dims = np.full(len(rows), len(useful) - 1, dtype=np.uint8)
            points = np.zeros((len(rows), half[0].shape[1] if half else 0))
            for u in half:
                points[::2], points[1::2] = u, -u
            yield Table(words, dims, points)


def _samples(parts: Sequence[Any]) -> np.ndarray:
    """The samples that are not zero in all of the parts, bool (n,)."""
    out: np.ndarray = np.any([part.reduction.class_of >= 0 for part in parts], axis=0)
    return out


def _packed(bits: np.ndarray) -> np.ndarray:
    return np.packbits(bits[None], axis=1, bitorder="little")


def _words(packed: np.ndarray) -> np.ndarray:
    """Packed rows in words of 64 samples."""
    out = np.zeros((len(packed), (packed.shape[1] + 7) // 8 * 8), dtype=np.uint8)
    out[:, : packed.shape[1]] = packed
    return out.view("<u8").astype(np.uint64, copy=False)
