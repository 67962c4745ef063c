"""Numbers of chambers and faces in closed form: Cover's bound, and rows in general position."""

from __future__ import annotations

import math

from arrangements.checks import check_count
from arrangements.errors import InputError


def cover_bound(n: int, r: int) -> int:
    """Cover's bound 2 sum_{k<r} C(n-1, k): the most chambers n hyperplanes of rank r can have.

    Parameters
    ----------
    n : int
        Number of hyperplanes (samples), at least 0.
    r : int
        Rank, at least 0.

    Returns
    -------
    int
        Exact. 1 for r = 0: with no hyperplane through the data there is one dichotomy.

    Raises
    ------
    InputError
        If n or r is negative or not an integer.

    References
    ----------
    T. M. Cover, Geometrical and statistical properties of systems of linear inequalities, 1965,
    Theorem 1; L. Schlaefli 1852. Equality holds exactly in general position.

    Examples
    --------
    >>> cover_bound(4, 3)
    14
    """
    n, r = check_count("n", n), check_count("r", r)
    if n == 0 or r == 0:
        return 1
    return 2 * sum(math.comb(n - 1, k) for k in range(min(r, n)))


def generic_whitney_numbers(n: int, r: int) -> list[int]:
    """|w_0|, ..., |w_r| of n rows in general position that span rank r.

    w_k is the coefficient of t^(r-k) of the characteristic polynomial: C(n, k) in magnitude for
    k < r, and C(n-1, r-1) for k = r.

    Parameters
    ----------
    n, r : int
        At least 0; n at least r. Rank 0 has no hyperplane, whatever n.

    Returns
    -------
    list of r + 1 int
        Their sum is the number of chambers, `cover_bound(n, r)`.

    Raises
    ------
    InputError
        If n or r is negative or not an integer, or n rows cannot span rank r.

    References
    ----------
    T. Zaslavsky, Facing up to arrangements, 1975; the lattice of flats is a truncated Boolean one.

    Examples
    --------
    >>> generic_whitney_numbers(4, 3)
    [1, 4, 6, 3]
    """
    n, r = _spanning(n, r)
    last = [math.comb(n - 1, r - 1)] if r else [1]
    return [math.comb(n, k) for k in range(r)] + last


def generic_characteristic_polynomial(n: int, r: int) -> list[int]:
    """Characteristic polynomial of n rows in general position that span rank r.

    Parameters
    ----------
    n, r : int
        As in `generic_whitney_numbers`.

    Returns
    -------
    list of r + 1 int
        Coefficients, that of t^r first, with their alternating signs.

    Raises
    ------
    InputError
        As in `generic_whitney_numbers`.

    Examples
    --------
    >>> generic_characteristic_polynomial(4, 3)
    [1, -4, 6, -3]
    """
    return signed(generic_whitney_numbers(n, r))


def generic_f_vector(n: int, r: int) -> list[int]:
    """Numbers of faces of n rows in general position that span rank r, by dimension.

    A face of dimension k > 0 lies on exactly r - k hyperplanes, and the others are in general
    position there: f_k = C(n, r-k) * 2 sum_{j<k} C(n-r+k-1, j).

    Parameters
    ----------
    n, r : int
        As in `generic_whitney_numbers`.

    Returns
    -------
    list of r + 1 int
        f_0 = 1 (the origin of the rank-r quotient) to f_r, the number of chambers.

    Raises
    ------
    InputError
        As in `generic_whitney_numbers`.

    References
    ----------
    R. C. Buck, Partition of space, 1943; T. Zaslavsky, Facing up to arrangements, 1975.

    Examples
    --------
    >>> generic_f_vector(4, 3)
    [1, 12, 24, 14]
    """
    n, r = _spanning(n, r)
    return [1] + [math.comb(n, r - k) * cover_bound(n - r + k, k) for k in range(1, r + 1)]


def _spanning(n: int, r: int) -> tuple[int, int]:
    n, r = check_count("n", n), check_count("r", r)
    if n < r:
        raise InputError(f"n must be at least r, got n = {n} and r = {r}: n rows have rank n or "
                         "less")
    return n, r


def signed(magnitudes: list[int]) -> list[int]:
    """The magnitudes with alternating signs, the first positive."""
    return [(-1) ** k * w for k, w in enumerate(magnitudes)]
