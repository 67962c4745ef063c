"""Signs of the rows at float points: by floats with an error bound, else by integers."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from .elimination import integral
from .numbers import IntegerMatrix
from .reduction import Reduction
from .rounding import U, normalised


class PointSigns:
    """Signs of one row per hyperplane at float points, in the user's coordinates, or in some
    `columns` of them."""

    def __init__(self, matrix: IntegerMatrix, reduction: Reduction,
                 columns: np.ndarray | None = None) -> None:
        columns = np.arange(reduction.d) if columns is None else columns
        self._values = matrix.values[reduction.first][:, columns]
        self._scale = [reduction.column_scale[c] for c in columns.tolist()]
        self.rows = self._floats()

    def _floats(self) -> np.ndarray:
        """Rows divided by their largest entries, with relative errors below 5u."""
        if self._values.dtype != object and all(2**-500 < s < 2**500 for s in self._scale):
            rows = self._values * np.array(self._scale, dtype=np.float64)
            out: np.ndarray = rows / np.abs(rows).max(axis=1, keepdims=True, initial=0)
            return out
        return normalised(self._values.astype(object) * np.array(self._scale, dtype=object))

    def at(self, points: np.ndarray) -> np.ndarray:
        """Signs int8 (k, m) of the rows at float points (k, columns), each decided exactly.

        Points must be finite.
        """
        unit = (self._values.shape[1] + 8) * U
        with np.errstate(all="ignore"):
            value = points @ self.rows.T
            # Entries are at most one, so the 1-norm bounds every sum of magnitudes.
            bound = unit * np.abs(points).sum(axis=1) + 1e-290
            unsure = ~(np.abs(value) > bound[:, None])
            at = np.flatnonzero(unsure.any(axis=1))
            bound = unit * (np.abs(points[at]) @ np.abs(self.rows).T) + 1e-290
            unsure[at] = ~(np.abs(value[at]) > bound)
        signs = np.sign(value, where=~unsure, out=np.zeros_like(value)).astype(np.int8)
        for k in at[unsure[at].any(axis=1)].tolist():
            point = [Fraction(x) * s for x, s in zip(points[k].tolist(), self._scale, strict=True)]
            whole = integral(point)
            for i in np.flatnonzero(unsure[k]).tolist():
                value_i = sum(x * y for x, y in zip(self._values[i].tolist(), whole, strict=True))
                signs[k, i] = (value_i > 0) - (value_i < 0)
        out: np.ndarray = signs
        return out
