"""Signs of the rows at float points: by floats with an error bound, else by integers."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np

from arrangements.patterns.dichotomies import Dichotomies

from .elimination import integral
from .reduction import Reduction
from .rounding import U, normalised


class PointSigns:
    """Signs of one row per hyperplane at float points, in the user's coordinates `columns`."""

    def __init__(self, arrangement: Any, columns: np.ndarray) -> None:
        reduction = arrangement._reduction
        # The sample that gave a class its sign, so that the orientation is that of `reduction`.
        cut = np.flatnonzero(reduction.class_of >= 0)
        first = cut[np.unique(reduction.class_of[cut], return_index=True)[1]]
        self._values = arrangement._matrix.values[first][:, columns]
        self._scale = [reduction.column_scale[c] for c in columns.tolist()]
        self.rows = self._floats()

    def _floats(self) -> np.ndarray:
        """Rows divided by their largest entries, with relative errors below 5u."""
        if self._values.dtype != object and all(2**-500 < s < 2**500 for s in self._scale):
            rows = self._values * np.array(self._scale, dtype=np.float64)
            return rows / np.abs(rows).max(axis=1, keepdims=True, initial=0)
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
        return signs


def packed_patterns(reduction: Reduction, positive: np.ndarray) -> np.ndarray:
    """Packed patterns (k, ceil(n/8)) of all samples from the signs (k, m) of the classes."""
    cut = np.flatnonzero(reduction.class_of >= 0)
    bits = np.ones((len(positive), reduction.n), dtype=bool)
    bits[:, cut] = positive[:, reduction.class_of[cut]] == (reduction.orientation[cut] > 0)
    return np.packbits(bits, axis=1, bitorder="little")


def chambers_at(arrangement: Any, points: np.ndarray) -> Dichotomies:
    """A chamber at each point (k, d): the one it is in, or one whose closure has it."""
    signs = arrangement._point_signs()
    found = signs.at(points)
    # from a point on hyperplanes, on in any direction that leaves them all
    rng = np.random.default_rng(0)
    while not found.all():
        onward = signs.at(rng.standard_normal((1, arrangement.d)))
        found = np.where(found == 0, onward, found)
    packed = packed_patterns(arrangement._reduction, found > 0)
    return Dichotomies._of(packed, arrangement.n, arrangement)
