"""Number formats: int64 beside long integers, and floats beside exact numbers."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np

U = 2.0**-53  # unit roundoff: a rounded result has a relative error of at most U
SMALL = 2**62  # integers below this are stored as int64: sums and negations of two cannot overflow


def largest(values: np.ndarray) -> int:
    """The largest magnitude of some integers, 0 if there are none."""
    return max(int(values.max(initial=0)), -int(values.min(initial=0)))


def fitted(values: np.ndarray) -> np.ndarray:
    """The integers as int64 if their magnitudes are all below SMALL, otherwise as Python's."""
    return values.astype(np.int64 if largest(values) < SMALL else object, copy=False)


def nearest_float(x: Fraction) -> float:
    """The nearest float, 0 or inf beyond their range."""
    try:
        return float(x)
    except OverflowError:
        return float("inf") if x > 0 else float("-inf")


def normalised(exact: np.ndarray | Sequence[Any]) -> np.ndarray:
    """The nearest floats of exact vectors (..., d), each divided by its largest magnitude."""
    exact = np.asarray(exact, dtype=object)
    top = np.abs(exact).max(axis=-1, keepdims=True, initial=0)
    top[top == 0] = 1
    quotient: np.ndarray = exact / top  # Python divides integers of any length rightly
    return quotient.astype(np.float64)


def unit_rows(rows: np.ndarray | Sequence[Any]) -> np.ndarray:
    """Exact vectors (..., d) of any size as floats of Euclidean length one, or zero."""
    floats = normalised(rows)
    out: np.ndarray = floats / np.maximum(np.linalg.norm(floats, axis=-1, keepdims=True), 1)
    return out
