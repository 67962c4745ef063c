"""The package's own errors; each also derives from the built-in one a caller would expect."""

from __future__ import annotations

from fractions import Fraction


class InputError(ValueError):
    """An argument is not what a function needs; the message names what, where and what to do."""


class NotAChamberError(InputError):
    """A pattern that no chamber has, with a proof.

    Attributes
    ----------
    rows : tuple of int
        Samples, ascending.
    weights : tuple of Fraction
        Positive, one for each of `rows`, with sum_k weights[k] s_k x_k = 0 for s = 2 pattern - 1.
        No u has s_k x_k.u > 0 for all of them, or their sum would be positive and zero. A zero row
        whose bit is not 1 is the whole proof, with weight 1.
    """

    def __init__(self, message: str, rows: tuple[int, ...] = (),
                 weights: tuple[Fraction, ...] = ()) -> None:
        super().__init__(message)
        self.rows = rows
        self.weights = weights


class NumericalRankWarning(UserWarning):
    """The data are within rounding of data of lower rank; `Arrangement` takes every digit as meant,
    unless it is given `tol`."""


class CapacityError(MemoryError):
    """A result cannot fit in memory.

    Attributes
    ----------
    n_chambers : int
        Number of chambers, or a lower bound of it where `exact` is False.
    bytes_needed, bytes_available : int
    exact : bool
        Whether `n_chambers` is the exact number.
    """

    def __init__(self, message: str, *, n_chambers: int, bytes_needed: int, bytes_available: int,
                 exact: bool) -> None:
        super().__init__(message)
        self.n_chambers = n_chambers
        self.bytes_needed = bytes_needed
        self.bytes_available = bytes_available
        self.exact = exact
