"""Exact reduction of the data: rank, independent columns, one row per hyperplane."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any

import numpy as np

from .elimination import independent_columns, primitive
from .numbers import IntegerMatrix
from .rounding import largest

_NEGLIGIBLE = 1e-12  # of the largest singular value: what rounding to 15 digits leaves, and some
_DIGITS = 10**12  # integers below this are not numbers rounded there


@dataclass(frozen=True, eq=False)
class Reduction:
    """The arrangement of the rows of X, without its redundancies.

    Attributes
    ----------
    n, d, rank : int
        Shape of the data and their exact rank.
    columns : ndarray of int64, shape (rank,)
        Indices of independent columns, ascending.
    rows : ndarray, shape (m, rank)
        One primitive integer row per class of parallel nonzero rows, restricted to `columns`, in
        order of first appearance, with the sign of the class's first sample. int64 when every
        entry is below 2**62 in magnitude, otherwise object.
    class_of : ndarray of int32, shape (n,)
        Row of `rows` that each sample is a multiple of; -1 for zero rows.
    orientation : ndarray of int8, shape (n,)
        Sign of that multiple; 0 for zero rows.
    column_scale : tuple of d Fraction
        From `IntegerMatrix`.
    """

    n: int
    d: int
    rank: int
    columns: np.ndarray
    rows: np.ndarray
    class_of: np.ndarray
    orientation: np.ndarray
    column_scale: tuple[Fraction, ...]

    @property
    def m(self) -> int:
        """Number of classes: of distinct hyperplanes."""
        return len(self.rows)

    @cached_property
    def cut(self) -> np.ndarray:
        """Samples whose rows are not zero, ascending."""
        return np.flatnonzero(self.class_of >= 0)

    @cached_property
    def first(self) -> np.ndarray:
        """The first sample of each class, ascending; its orientation is 1."""
        return self.cut[np.unique(self.class_of[self.cut], return_index=True)[1]]

    def numerical_rank(self) -> int:
        """How many singular values are not negligible, rows and columns having been scaled to about
        1; where it is less than `rank`, the data look like data of that rank that were rounded.

        The rank, without any floats, of integers, and of numbers of few digits.
        """
        if (largest(self.rows) < _DIGITS
                or all(c.denominator == 1 for c in self.column_scale)):
            return self.rank
        # a quick look first: some rows have eight good digits, so all have
        a = self._floats(self.rows[:4 * self.rank])
        squares = np.linalg.eigvalsh(a.T @ a)
        if squares[0] > 1e-8 * squares[-1]:
            return self.rank
        values = np.linalg.svd(self._floats(self.rows), compute_uv=False)
        return int((values > _NEGLIGIBLE * values[0]).sum())

    def _floats(self, rows: np.ndarray) -> np.ndarray:
        """Some of the rows in the units of X, then rows and columns divided by their maxima."""
        try:
            a = rows.astype(np.float64)
        except OverflowError:  # of each row the leading bits
            tops = np.frompyfunc(int.bit_length, 1, 1)(rows).max(axis=1, keepdims=True)
            a = (rows * 2**64 // 2**tops).astype(np.float64)
        scales = [self.column_scale[c] for c in self.columns.tolist()]
        a, exponent = np.frexp(a)
        exponent += np.array([c.numerator.bit_length() - c.denominator.bit_length()
                              for c in scales], dtype=exponent.dtype)
        a = np.ldexp(a, exponent - np.where(a == 0, -2**30, exponent).max(axis=1, keepdims=True))
        tops = np.abs(a).max(axis=0)
        out: np.ndarray = a / np.where(tops > 0, tops, 1)
        return out

    def to_samples(self, signs: np.ndarray) -> np.ndarray:
        """Signs int8 (k, n) of all samples from those (k, m) of the classes; 0 for zero rows."""
        out = np.zeros((len(signs), self.n), dtype=np.int8)
        out[:, self.cut] = signs[:, self.class_of[self.cut]] * self.orientation[self.cut]
        return out

    def to_classes(self, signs: np.ndarray) -> np.ndarray | None:
        """Signs int8 (m,) of the classes from those (n,) of the samples; None where parallel rows
        disagree or a zero row has a sign."""
        out = (signs[self.first] * self.orientation[self.first]).astype(np.int8)
        return out if (signs == self.to_samples(out[None])[0]).all() else None

    def sides(self, pattern: np.ndarray) -> np.ndarray | None:
        """Signs of the classes, 1 and -1, from a pattern of bools (n,); None as in `to_classes`,
        the bit of a zero row being 1."""
        return self.to_classes(np.where(pattern, self.class_of >= 0, -1))

    def packed(self, positive: np.ndarray) -> np.ndarray:
        """Patterns (k, ceil(n/8)) of all samples, packed, from the sides (k, m) of the classes."""
        bits = np.ones((len(positive), self.n), dtype=bool)
        bits[:, self.cut] = (positive[:, self.class_of[self.cut]]
                             == (self.orientation[self.cut] > 0))
        return np.packbits(bits, axis=1, bitorder="little")

    def summand(self, members: np.ndarray) -> Reduction:
        """That of some of the rows, in columns of their own; samples of the others are zero."""
        rows = self.rows[members]
        if len(members) == 1:
            columns = np.flatnonzero(rows[0])[:1]
            rows = np.sign(rows[:, columns].astype(object)).astype(np.int64)
        else:
            part = reduce_rows(IntegerMatrix(primitive(rows), (Fraction(1),) * self.rank))
            columns, rows = part.columns, part.rows
        place = np.full(self.m + 1, -1, dtype=np.int32)  # the last for zero rows
        place[members] = np.arange(len(members))
        class_of = place[self.class_of]
        return Reduction(self.n, self.d, len(columns), self.columns[columns], rows, class_of,
                         np.where(class_of < 0, np.int8(0), self.orientation), self.column_scale)

    def lift(self, point: Sequence[Any]) -> tuple[Fraction, ...]:
        """A point in the user's coordinates (d) from one in those of `rows` (rank)."""
        out = [Fraction(0)] * self.d
        for c, x in zip(self.columns.tolist(), point, strict=True):
            out[c] = x / self.column_scale[c]
        return tuple(out)

    def project(self, point: Sequence[Any]) -> list[Any]:
        """Coordinates (rank) of `rows` of a point in the user's: the inverse of `lift`."""
        return [point[c] * self.column_scale[c] for c in self.columns.tolist()]


def reduce_rows(matrix: IntegerMatrix) -> Reduction:
    """Merge parallel rows and keep independent columns.

    Parameters
    ----------
    matrix : IntegerMatrix

    Returns
    -------
    Reduction

    Notes
    -----
    Exact for every input. Restricting to independent columns is injective on the row space: it
    keeps every linear relation between rows, hence all signs that vectors u can give them, and two
    rows are parallel exactly when their restrictions are.
    """
    values = matrix.values
    n, d = values.shape
    columns = independent_columns(values)
    rows = values if len(columns) == d else primitive(values[:, columns])
    lead = np.zeros(n, dtype=np.int8)
    if len(columns):
        head = rows[np.arange(n), (rows != 0).argmax(axis=1)]
        lead = (head > 0).astype(np.int8) - (head < 0).astype(np.int8)
    cut = np.flatnonzero(lead)
    classes: dict[tuple[int, ...], int] = {}
    first: list[int] = []
    class_of = np.full(n, -1, dtype=np.int32)
    keys = (rows[cut] * lead[cut, None].astype(rows.dtype)).tolist()
    for i, key in zip(cut.tolist(), map(tuple, keys), strict=True):
        class_of[i] = classes.setdefault(key, len(classes))
        if len(classes) > len(first):
            first.append(i)
    orientation = lead.copy()
    orientation[cut] *= lead[first][class_of[cut]]
    return Reduction(
        n, d, len(columns), columns, rows[first], class_of, orientation, matrix.column_scale
    )
