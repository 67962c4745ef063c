"""Closed forms for numbers of chambers."""

from __future__ import annotations

import math

from ._validate import check_count


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
