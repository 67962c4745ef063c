"""Checks of arguments: what is wrong, where, and what to do."""

from __future__ import annotations

import numbers as abstract
import operator
import os
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import numpy as np

from .errors import InputError

# types whose numbers are read exactly
EXACT_TYPES = (int, float, abstract.Rational, Decimal, np.bool_, np.integer, np.floating)


def check_jobs(n_jobs: Any) -> int:
    """Return the number of workers; -1 means every core this process may use."""
    count = _integer("n_jobs", n_jobs)
    if count == -1:
        if hasattr(os, "sched_getaffinity"):
            return len(os.sched_getaffinity(0))
        return os.cpu_count() or 1
    if count < 1:
        raise InputError(f"n_jobs must be a positive integer or -1 for all cores, got {n_jobs!r}")
    return count


def check_block_size(block_size: Any) -> int:
    """Return the block size as a positive int."""
    size = _integer("block_size", block_size)
    if size < 1:
        raise InputError(f"block_size must be at least 1, got {block_size!r}; use e.g. 65536")
    return size


def check_count(name: str, value: Any, low: int = 0) -> int:
    """Return a number of things, of which there are at least `low`."""
    count = _integer(name, value)
    if count < low:
        raise InputError(f"{name} must be an integer of at least {low}, got {value!r}")
    return count


def check_tol(tol: Any) -> float | None:
    """Return the tolerance: None (exact), or a float in (0, 1e-2]."""
    if tol is None:
        return None
    real = isinstance(tol, abstract.Real) and not isinstance(tol, bool | np.bool_)
    if not real or not 0 < tol <= 1e-2 or not float(tol):
        raise InputError(
            f"tol must be None or a number in (0, 0.01], got {tol!r}; "
            "leave it out for exact results, use e.g. 1e-9 for rounded degenerate data"
        )
    return float(tol)


def check_floats(name: str, value: Any, shape: tuple[int | None, ...]) -> np.ndarray:
    """Return finite real numbers as float64 of a shape, in which None is any length."""
    try:
        array = np.asarray(value)
        if array.dtype.kind not in "biuf" and not all(
                isinstance(x, EXACT_TYPES) for x in array.ravel().tolist()):
            raise TypeError
        array = array.astype(np.float64)
    except (TypeError, ValueError, OverflowError):
        raise InputError(f"{name} must hold real numbers, got {value!r:.80}") from None
    if array.ndim != len(shape) or any(
            k not in (None, have) for k, have in zip(shape, array.shape, strict=True)):
        wanted = ", ".join("any" if k is None else str(k) for k in shape)
        raise InputError(f"{name} must have shape ({wanted}{',' * (len(shape) == 1)}), "
                         f"got {array.shape}")
    if not np.isfinite(array).all():
        place = [int(k) for k in np.argwhere(~np.isfinite(array))[0]]
        raise InputError(f"{name} must be finite, got {array[tuple(place)]}"
                         + (f" at {', '.join(map(str, place))}" if place else ""))
    return array


def check_choice(name: str, value: Any, choices: Sequence[str]) -> str:
    """Return `value` if it is one of `choices`."""
    if isinstance(value, str) and value in choices:
        return value
    raise InputError(f"{name} must be {' or '.join(map(repr, choices))}, got {value!r}")


def _integer(name: str, value: Any) -> int:
    try:
        if not isinstance(value, bool | np.bool_):
            return operator.index(value)
    except TypeError:
        pass
    raise InputError(f"{name} must be an integer, got {value!r}")


def check_rng(rng: Any) -> np.random.Generator:
    """Return a generator from a generator, a seed or None."""
    try:
        return np.random.default_rng(rng)
    except (TypeError, ValueError) as error:
        raise InputError(
            f"rng must be a numpy Generator, a seed or None, got {rng!r:.60}") from error


def check_exact(arrangement: Any) -> None:
    """Refuse an arrangement with `tol`."""
    if not arrangement.exact:
        raise InputError("the arrangement must be exact, got one with tol, whose chambers are not "
                         "defined beyond their enumeration; build it without tol")


def check_dims(dims: Any, rank: int) -> list[bool]:
    """Which dimensions 0..rank are wanted."""
    if dims is None:
        return [True] * (rank + 1)
    try:
        chosen = [int(k) for k in dims if not isinstance(k, bool) and k == int(k)]
        if len(chosen) < len(list(dims)) or not all(0 <= k <= rank for k in chosen):
            raise ValueError
    except (TypeError, ValueError):
        raise InputError(f"dims must be integers from 0 to the rank, {rank}, got {dims!r:.80}; "
                         "chambers have the rank as their dimension, the origin has 0") from None
    return [k in chosen for k in range(rank + 1)]
