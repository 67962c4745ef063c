"""Floats beside exact numbers: the unit roundoff, nearest floats, rows of unit size."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction

U = 2.0**-53  # unit roundoff: a rounded result has a relative error of at most U
SMALL = 2**62  # integers below this are stored as int64: sums and negations of two cannot overflow


def nearest_float(x: Fraction) -> float:
    """The nearest float, 0 or inf beyond their range."""
    try:
        return float(x)
    except OverflowError:
        return float("inf") if x > 0 else float("-inf")


def normalised(row: Iterable[Fraction]) -> list[float]:
    """The nearest floats of a vector divided by its largest magnitude."""
    row = list(row)
    top = max(map(abs, row), default=Fraction(1)) or Fraction(1)
    return [nearest_float(x / top) for x in row]
