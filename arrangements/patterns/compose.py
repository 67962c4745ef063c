"""Composition of sign vectors."""

from __future__ import annotations

from typing import Any

import numpy as np

from arrangements.errors import InputError

from .trichotomies import Trichotomies, checked_signs

__all__ = ["compose"]


def compose(a: Any, b: Any) -> Any:
    """Composition of sign vectors: the sign of `a` where it is not zero, else that of `b`.

    Parameters
    ----------
    a, b : array-like of integers -1, 0, 1, shapes (n,) or (q, n); or Trichotomies
        Two arrays are broadcast against each other; two Trichotomies must have equal length.

    Returns
    -------
    ndarray of int8, or Trichotomies where both are
        The Trichotomies have the arrangement that both have, if they do.

    Raises
    ------
    InputError
        Another shape, dtype or value.

    Notes
    -----
    Of two faces of an arrangement it is a face again, the one entered when a point of the first
    moves a little towards a point of the second (Bjoerner et al., Oriented Matroids, section 4.1).

    Examples
    --------
    >>> compose([1, 0, 0, -1], [-1, 0, 1, 1]).tolist()
    [1, 0, 1, -1]
    """
    if isinstance(a, Trichotomies) and isinstance(b, Trichotomies):
        if a.n != b.n or len(a) != len(b):
            raise InputError(f"a and b must have equal n and length, got n = {a.n} and {b.n}, "
                             f"lengths {len(a)} and {len(b)}")
        free = ~(a.positive | a.negative)
        rows = np.hstack([a.positive | b.positive & free, a.negative | b.negative & free])
        arrangement = a.arrangement if a.arrangement is b.arrangement else None
        return Trichotomies._of(rows, a.n, arrangement)
    first, second = checked_signs(a), checked_signs(b)
    if first.shape[-1] != second.shape[-1]:
        raise InputError("a and b must have equal numbers of samples, got "
                         f"{first.shape[-1]} and {second.shape[-1]}")
    if first.ndim == second.ndim == 2 and len(first) != len(second) and 1 not in (
            len(first), len(second)):
        raise InputError(f"a and b must have as many rows, got {len(first)} and {len(second)}")
    return np.where(first != 0, first, second)
