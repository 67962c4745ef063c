"""Exact reduction of the data: rank, independent columns, one row per hyperplane."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from .elimination import independent_columns, primitive
from .numbers import IntegerMatrix


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
    for j in range(len(columns)):
        lead = np.where(lead == 0, _signs(rows[:, j]), lead)
    cut = np.flatnonzero(lead)
    classes: dict[tuple[int, ...], int] = {}
    keys = map(tuple, (rows[cut] * lead[cut, None].astype(rows.dtype)).tolist())
    class_of = np.full(n, -1, dtype=np.int32)
    class_of[cut] = [classes.setdefault(key, len(classes)) for key in keys]
    first = cut[np.unique(class_of[cut], return_index=True)[1]]
    orientation = lead.copy()
    orientation[cut] *= lead[first[class_of[cut]]]
    return Reduction(
        n, d, len(columns), columns, rows[first], class_of, orientation, matrix.column_scale
    )


def _signs(column: np.ndarray) -> np.ndarray:
    return (column > 0).astype(np.int8) - (column < 0).astype(np.int8)
