"""The data as they were read: exact numbers, and what they reduce to."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from typing import Any, Protocol

import numpy as np

from .numbers import IntegerMatrix, exact_matrix
from .point_signs import PointSigns
from .reduction import Reduction, reduce_rows
from .rounding import nearest_float
from .witness import interior_point


@dataclass(frozen=True, eq=False)
class Data:
    """What cones, signs at points, pictures and proofs need to know of an arrangement.

    Attributes
    ----------
    matrix : IntegerMatrix
        The numbers that were read.
    reduction : Reduction
        Independent columns, one row per hyperplane.
    """

    matrix: IntegerMatrix
    reduction: Reduction

    @classmethod
    def read(cls, X: Any, *, bias: bool, numbers: str) -> Data:
        """The data of an array-like, as `Arrangement` reads it."""
        return cls.of(exact_matrix(X, bias=bias, numbers=numbers))

    @classmethod
    def of(cls, matrix: IntegerMatrix) -> Data:
        """The data of an integer matrix."""
        return cls(matrix, reduce_rows(matrix))

    def subset(self, samples: np.ndarray) -> Data:
        """The data of some of the samples."""
        lead = self.matrix.lead
        return Data.of(replace(self.matrix, values=self.matrix.values[samples],
                               lead=None if lead is None else lead[samples]))

    def to_numpy(self) -> np.ndarray:
        """float64 (n, d), nearest to the numbers read."""
        r = self.reduction
        return np.array([[nearest_float(x) for x in self.matrix.row(i)] for i in range(r.n)],
                        dtype=np.float64).reshape(r.n, r.d)

    @cached_property
    def signs(self) -> PointSigns:
        """Signs of the classes at points in the user's coordinates."""
        return PointSigns(self.matrix, self.reduction)

    def interior(self, pattern: np.ndarray) -> tuple[Fraction, ...] | None:
        """An exact point of the chamber with a pattern of bools (n,); None where there is none."""
        sides = self.reduction.sides(pattern)
        point = None if sides is None else interior_point(self.reduction.rows, sides.tolist())
        return None if point is None else self.reduction.lift(point)


class Source(Protocol):
    """What single chambers, searches and pictures ask of an `Arrangement`; see there."""

    @property
    def data(self) -> Data:
        """Numbers and their reduction."""

    @property
    def exact(self) -> bool:
        """Whether no `tol` was given."""

    @property
    def n(self) -> int:
        """Samples."""

    @property
    def d(self) -> int:
        """Features."""

    @property
    def rank(self) -> int:
        """Exact rank."""

    @property
    def known_count(self) -> int | None:
        """The number of chambers, if it is known."""
