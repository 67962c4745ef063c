"""The cone of a chamber: facets, extreme rays, membership, nearest points."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any

import numpy as np

from arrangements.algebra.data import Source
from arrangements.algebra.elimination import integral, kernel, primitive
from arrangements.algebra.nnls import bounded_least_squares
from arrangements.algebra.numbers import exact_vector
from arrangements.algebra.reduction import Reduction
from arrangements.algebra.rounding import nearest_float, normalised, unit_rows
from arrangements.algebra.witness import positive_dependence
from arrangements.errors import InputError, NotAChamberError
from arrangements.patterns.dichotomies import Dichotomies
from arrangements.patterns.packed import frozen

from .polyhedra import extreme_rays, facet_rows

__all__ = ["Cone", "Projection", "cone", "facet_rows"]

_SHOWN = 6  # rows named in a message


@dataclass(frozen=True, eq=False)
class Projection:
    """The point of a cone nearest to c, and the multipliers that prove it.

    With s = 2 pattern - 1, zeta the multipliers and k over the facets,

        point = c + sum_k zeta_k s_k x_k,    zeta_k >= 0,    s_k x_k.point >= 0,
        zeta_k x_k.point = 0

    which hold up to rounding, and hold for no other point.

    Attributes
    ----------
    point : ndarray of float64, shape (d,)
    distance : float
        Euclidean, from c to `point`.
    multipliers : ndarray of float64, shape (k,)
        In the order of `Cone.facets`.
    active : ndarray of int64
        Samples of the facets with positive multipliers, ascending; `point` is on these facets.
    """

    point: np.ndarray
    distance: float
    multipliers: np.ndarray
    active: np.ndarray


class Cone:
    """The closed chamber {u : (2D - I)Xu >= 0} of a pattern D, made by `Arrangement.cone`.

    Attributes
    ----------
    arrangement : Arrangement
    pattern : ndarray of bool, shape (n,)
        Read-only.
    interior_point : tuple of d Fraction
        Exact: x.u is positive or negative as the pattern says, for every nonzero row x.

    Notes
    -----
    Everything but the floats is exact for every input. Facets, rays and lineality are computed when
    first asked for.

    Examples
    --------
    >>> from arrangements import Arrangement
    >>> C = cone(Arrangement([[1, 0], [0, 1], [1, 1]]), [1, 1, 1])
    >>> C.facets.tolist(), C.rays.tolist()
    ([0, 1], [[1.0, 0.0], [0.0, 1.0]])
    >>> C.contains([0, 2]), C.contains([-1, 2])
    (True, False)
    >>> C.project([-3, 2]).point.tolist()
    [0.0, 2.0]
    """

    def __init__(self, arrangement: Source, pattern: np.ndarray,
                 interior_point: tuple[Fraction, ...]) -> None:
        self.arrangement = arrangement
        self.pattern = pattern
        self.interior_point = interior_point

    def __repr__(self) -> str:
        a = self.arrangement
        return f"Cone(n={a.n}, d={a.d}, rank={a.rank})"

    @cached_property
    def facets(self) -> np.ndarray:
        """Samples whose hyperplanes bound the cone: int64, ascending, read-only.

        They and their signs describe the cone, and none can be left out. Of parallel rows the first
        is named. Crossing a facet flips the bits of its class and gives a chamber.

        Notes
        -----
        About 10 ms for n = 100, r = 5; see `facet_rows`.
        """
        return frozen(self._reduction.first[self._facet_classes])

    @cached_property
    def rays_exact(self) -> np.ndarray:
        """Primitive integers along `rays`: object array (k, d) of Python ints, read-only."""
        r, scale = self._reduction, self._column_scale
        rows = r.rows[self._facet_classes].astype(object) * self._facet_signs[:, None]
        rays = extreme_rays(rows)
        out = np.zeros((len(rays), r.d), dtype=object)
        out[:, r.columns] = rays / scale[r.columns]
        return frozen(_primitive_rows(out))

    @cached_property
    def rays(self) -> np.ndarray:
        """Extreme rays of the pointed part: float64 (k, d), read-only, largest entries +-1.

        The cone is the sum of `lineality` and of the nonnegative combinations of the rays. Their
        coordinates outside r independent columns, the same for all chambers, are zero; where r < d,
        rays are defined up to `lineality` only.

        Notes
        -----
        Nearest floats of exact rays, which `rays_exact` has. The double description method, from
        the facets alone; there can be exponentially many rays in r.
        """
        return frozen(normalised(self.rays_exact))

    @cached_property
    def lineality_exact(self) -> np.ndarray:
        """Primitive integers along `lineality`: object array (d - r, d), read-only."""
        values = self.arrangement.data.matrix.values[self.facets]  # their rank is that of X
        return frozen(_primitive_rows(kernel(values) / self._column_scale))

    @cached_property
    def lineality(self) -> np.ndarray:
        """Basis of {u : Xu = 0}: float64 (d - r, d), read-only, largest entries +-1."""
        return frozen(normalised(self.lineality_exact))

    def contains(self, u: Any, tol: float = 0.0) -> bool:
        """Whether u is in the closed cone.

        Parameters
        ----------
        u : array-like of d numbers
            Floats are the binary numbers they are.
        tol : float, default 0.0
            Largest distance allowed from the half-space of each facet, in units of u; 0 decides
            exactly.
        """
        exact = exact_vector("u", u, self.arrangement.d)
        margin = exact_vector("tol", [tol], 1)[0]
        if margin < 0:
            raise InputError(f"tol must be at least 0, got {tol!r}")
        values = self.arrangement.data.matrix.values[self.facets].astype(object)
        values *= self._facet_signs[:, None]
        inside = bool((values @ integral(exact * self._column_scale) >= 0).all())
        if inside or not margin:
            return inside
        return bool((self._normals @ _floats(exact) >= -nearest_float(margin)).all())

    def project(self, c: Any) -> Projection:
        """The point of the cone nearest to c, in the Euclidean norm of R^d.

        Parameters
        ----------
        c : array-like of d numbers
            Read as floats.

        Returns
        -------
        Projection

        Raises
        ------
        ArithmeticError
            If the least squares method does not settle, which is not known to happen.

        Notes
        -----
        Floats: nonnegative least squares in the multipliers of the facets (Lawson and Hanson 1974).
        A c that satisfies every inequality in floats is returned as it is.
        """
        point = _floats(exact_vector("c", c, self.arrangement.d))
        if not np.isfinite(point).all():
            raise InputError("c must fit floats, got a larger number; divide it by a power of ten")
        exponent = int(np.frexp(np.abs(point).max())[1])
        weights, residual = bounded_least_squares(self._normals.T, np.ldexp(-point, -exponent))
        with np.errstate(over="ignore"):
            return Projection(
                np.ldexp(0.0 - residual, exponent),
                float(np.ldexp(np.linalg.norm(weights @ self._normals), exponent)),
                np.ldexp(weights / self._lengths, exponent),
                self.facets[weights > 0],
            )

    # -- private -----------------------------------------------------------------------------

    @property
    def _reduction(self) -> Reduction:
        return self.arrangement.data.reduction

    @cached_property
    def _signs(self) -> np.ndarray:
        """Sides of the rows of the reduction, +1 and -1, as Python integers."""
        return np.where(self.pattern[self._reduction.first], 1, -1).astype(object)

    @cached_property
    def _column_scale(self) -> np.ndarray:
        return np.array(self._reduction.column_scale, dtype=object)

    @cached_property
    def _facet_classes(self) -> list[int]:
        r = self._reduction
        return facet_rows(r.rows, self._signs.tolist(), r.project(self.interior_point))

    @property
    def _facet_signs(self) -> np.ndarray:
        return self._signs[self._facet_classes]

    @cached_property
    def _facet_vectors(self) -> np.ndarray:
        """The rows s_k x_k of the facets, Fractions (k, d)."""
        rows = [self.arrangement.data.matrix.row(i) for i in self.facets.tolist()]
        out = np.array(rows, dtype=object).reshape(len(rows), self.arrangement.d)
        out *= self._facet_signs[:, None]
        return out

    @cached_property
    def _normals(self) -> np.ndarray:
        return unit_rows(self._facet_vectors)

    @cached_property
    def _lengths(self) -> np.ndarray:
        """Euclidean lengths of the rows of the facets."""
        tops = np.abs(self._facet_vectors).max(axis=1, initial=0)
        out: np.ndarray = _floats(tops) / np.abs(self._normals).max(axis=1, initial=0)
        return out


def cone(arrangement: Source, pattern: Any) -> Cone:
    """The cone of the chamber with a pattern.

    Parameters
    ----------
    arrangement : Arrangement
        Without `tol`.
    pattern : array-like
        n bools, or integers 0 and 1, or ceil(n/8) bytes of uint8 packed as in `Dichotomies`.

    Returns
    -------
    Cone

    Raises
    ------
    NotAChamberError
        If no chamber has the pattern, with a proof (Gordan 1873): a positive dependence.
    InputError
        If the pattern has another length or dtype, or the arrangement a `tol`.

    Notes
    -----
    About a millisecond, for an exact interior point.

    Examples
    --------
    >>> from arrangements import Arrangement
    >>> A = Arrangement([[1, 0], [0, 1], [1, 1]])
    >>> cone(A, [0, 1, 1]).facets.tolist()
    [0, 2]
    >>> try:
    ...     cone(A, [0, 0, 1])
    ... except NotAChamberError as error:
    ...     [(i, int(weight)) for i, weight in zip(error.rows, error.weights)]
    [(0, 1), (1, 1), (2, 1)]
    """
    if not arrangement.exact:
        raise InputError("cones must have exact data, got an arrangement with tol; leave it out, "
                         "or read the data with numbers='decimal'")
    n = arrangement.n
    packed = Dichotomies._of(np.empty((0, (n + 7) // 8), np.uint8), n, None)._pack(pattern)
    bits = np.unpackbits(packed, count=n, bitorder="little").view(bool)
    point = arrangement.data.interior(bits)
    if point is None:
        raise _refusal(arrangement, bits)
    return Cone(arrangement, frozen(bits), point)


def _refusal(arrangement: Source, pattern: np.ndarray) -> NotAChamberError:
    r = arrangement.data.reduction
    zero = np.flatnonzero((r.class_of < 0) & ~pattern)
    if len(zero):
        i = int(zero[0])
        return NotAChamberError(f"pattern must be 1 at sample {i}, got 0; row {i} of X is zero, "
                                "and 0 >= 0", (i,), (Fraction(1),))
    weights = _forbidding(arrangement, pattern)
    rows = tuple(sorted(weights))
    terms = ", ".join(f"{'' if pattern[i] else '-'}x_{i}" for i in rows[:_SHOWN])
    more = f" and {len(rows) - _SHOWN} more" if len(rows) > _SHOWN else ""
    return NotAChamberError(
        f"pattern must be that of a chamber, got one that no u has: a positive combination of "
        f"{terms}{more} is zero (.rows and .weights have it); dichotomies() lists the chambers",
        rows, tuple(weights[i] for i in rows))


def _forbidding(arrangement: Source, pattern: np.ndarray) -> dict[int, Fraction]:
    """Samples and positive weights, coprime integers, of a combination of signed rows that is zero.

    Nonzero rows only. An identity between rows of the reduction holds between rows of X, which are
    positive multiples of them up to the columns left out and these are functions of the others.
    """
    r = arrangement.data.reduction
    first = r.first
    signs = np.where(pattern, 1, -1)
    cut = r.class_of >= 0
    odd = np.flatnonzero(cut & (signs * r.orientation != signs[first][r.class_of]))
    if len(odd):  # parallel rows on sides that exclude each other
        terms = {int(first[r.class_of[odd[0]]]): Fraction(1), int(odd[0]): Fraction(1)}
    else:
        dependence = positive_dependence(r.rows.astype(object) * signs[first, None].astype(object))
        terms = {int(i): y for i, y in zip(first, dependence or (), strict=True) if y}
    for i in terms:
        row = r.rows[r.class_of[i]].tolist()
        c = next(c for c, x in enumerate(row) if x)
        j = int(r.columns[c])
        terms[i] *= abs(row[c] * r.column_scale[j] / arrangement.data.matrix.row(i)[j])
    coprime = primitive(integral(list(terms.values()))[None])[0]
    return dict(zip(terms, map(Fraction, coprime.tolist()), strict=True))


def _floats(exact: Any) -> np.ndarray:
    return np.array([nearest_float(x) for x in exact], dtype=np.float64)


def _primitive_rows(rows: np.ndarray) -> np.ndarray:
    """Rows of numbers as primitive integers in the same directions."""
    out = np.zeros(rows.shape, dtype=object)
    for i, row in enumerate(rows):
        out[i] = integral(row)
    return primitive(out).astype(object)
