"""Checks of arguments that several modules share."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from arrangements.checks import check_count

from .errors import InputError

__all__ = ["check_array", "check_count", "check_real"]


def check_real(name: str, value: Any, low: float = 0.0, high: float = math.inf, *,
               open_ended: bool = False) -> float:
    """A number from low to high, or, `open_ended`, between them."""
    real = isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool)
    if not real or not (low < value < high if open_ended else low <= value <= high):
        limits = (f"of at least {low:g}" if high == math.inf and not open_ended
                  else "positive" if high == math.inf and low == 0
                  else f"between {low:g} and {high:g}")
        wanted = f"a {limits} number" if limits == "positive" else f"a number {limits}"
        raise InputError(f"{name} must be {wanted}, got {value!r}")
    return float(value)


def check_array(name: str, value: Any) -> np.ndarray:
    """A new array of real numbers, as float64."""
    try:
        return np.array(value, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InputError(f"{name} must hold real numbers, got {value!r:.60}") from error
