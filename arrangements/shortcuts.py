"""One call from data to answer: the methods of `Arrangement`, for data that are used once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .arrangement import Arrangement
from .ellipsoid.support import Support
from .patterns import Dichotomies, Trichotomies


def dichotomies(X: Any, *, bias: bool = False, numbers: str = "binary", tol: float | None = None,
                **options: Any) -> Dichotomies:
    """`Arrangement(X, ...).dichotomies(...)`; options as there.

    Examples
    --------
    >>> len(dichotomies([[1, 0], [0, 1], [1, 1]]))
    6
    """
    return Arrangement(X, bias=bias, numbers=numbers, tol=tol).dichotomies(**options)


def iter_dichotomies(X: Any, block_size: int = 65536, *, bias: bool = False,
                     numbers: str = "binary", tol: float | None = None, **options: Any
                     ) -> Iterator[Dichotomies]:
    """`Arrangement(X, ...).iter_dichotomies(block_size, ...)`; options as there."""
    arrangement = Arrangement(X, bias=bias, numbers=numbers, tol=tol)
    return arrangement.iter_dichotomies(block_size, **options)


def count_dichotomies(X: Any, *, bias: bool = False, numbers: str = "binary",
                      tol: float | None = None, n_jobs: int = 1) -> int:
    """`Arrangement(X, ...).count_dichotomies(...)`; options as there.

    Examples
    --------
    >>> count_dichotomies([[1, 0], [0, 1], [1, 1], [2, 2]])
    6
    """
    return Arrangement(X, bias=bias, numbers=numbers, tol=tol).count_dichotomies(n_jobs=n_jobs)


def trichotomies(X: Any, *, bias: bool = False, numbers: str = "binary", **options: Any
                 ) -> Trichotomies:
    """`Arrangement(X, ...).trichotomies(...)`; options as there.

    Examples
    --------
    >>> len(trichotomies([[1, 0], [0, 1], [1, 1]]))
    13
    """
    return Arrangement(X, bias=bias, numbers=numbers).trichotomies(**options)


def iter_trichotomies(X: Any, block_size: int = 65536, *, bias: bool = False,
                      numbers: str = "binary", **options: Any) -> Iterator[Trichotomies]:
    """`Arrangement(X, ...).iter_trichotomies(block_size, ...)`; options as there."""
    return Arrangement(X, bias=bias, numbers=numbers).iter_trichotomies(block_size, **options)


def count_trichotomies(X: Any, *, bias: bool = False, numbers: str = "binary", n_jobs: int = 1
                       ) -> int:
    """`Arrangement(X, ...).count_trichotomies(...)`; options as there.

    Examples
    --------
    >>> count_trichotomies([[1, 0], [0, 1], [1, 1], [2, 2]])
    13
    """
    return Arrangement(X, bias=bias, numbers=numbers).count_trichotomies(n_jobs=n_jobs)


def f_vector(X: Any, *, bias: bool = False, numbers: str = "binary", n_jobs: int = 1) -> list[int]:
    """`Arrangement(X, ...).f_vector(...)`; options as there.

    Examples
    --------
    >>> f_vector([[1, 0], [0, 1], [1, 1]])
    [1, 6, 6]
    """
    return Arrangement(X, bias=bias, numbers=numbers).f_vector(n_jobs=n_jobs)


def support(X: Any, v: Any, *, bias: bool = False, numbers: str = "binary", **options: Any
            ) -> Support:
    """`Arrangement(X, ...).support(v, ...)`; options as there.

    Examples
    --------
    >>> support([[1, 0], [0, 1]], [3, 4]).value
    5.0
    """
    return Arrangement(X, bias=bias, numbers=numbers).support(v, **options)
