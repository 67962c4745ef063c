"""Facets of a cone and its extreme rays, in integers: floats propose, every decision is exact."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np

from arrangements.algebra.elimination import adjugate, integral, kernel, primitive
from arrangements.algebra.nnls import bounded_least_squares
from arrangements.algebra.rounding import unit_rows
from arrangements.algebra.witness import interior_point

_RESIDUAL = 1e-8  # of a unit row; below, redundancy is tried first
_BLOCK = 1024  # rays in one matrix product
_DIRECTION_BITS = 40  # of a direction proposed by floats


def facet_rows(rows: np.ndarray, signs: Sequence[int], point: Sequence[Fraction]) -> list[int]:
    """Rows that bound the cone {u : signs[i] * rows[i].u >= 0 for all i}, each on a facet.

    Parameters
    ----------
    rows : ndarray of integers, shape (m, r)
        Of rank r, nonzero, no two of them parallel: `Reduction.rows`.
    signs : sequence of m signs +1 and -1
    point : sequence of r numbers, integers or Fractions
        An exact interior point: signs[i] * rows[i].point > 0 for all i.

    Returns
    -------
    list of int
        Ascending; the other rows are nonnegative combinations of these, and none of these is.

    Notes
    -----
    Exact for every input. A row that a line from `point` meets first and alone is on a facet. Each
    other row is projected onto the cone of the facets known (Clarkson 1994): it is redundant with
    nonnegative coefficients, found in floats and computed again in integers, or the residual is a
    direction in which a new facet is met. Where the floats mislead, an exact linear program on the
    facets known and that row decides. About m least squares problems with as many columns as
    facets and one r x r inverse in integers per simplicial cone met, O(m r^2) operations beside.

    References
    ----------
    K. L. Clarkson, More output-sensitive geometric algorithms, FOCS 1994.

    Examples
    --------
    >>> facet_rows(np.array([[1, 0], [0, 1], [1, 1]]), [1, 1, 1], [1, 2])
    [0, 1]
    """
    m, r = rows.shape
    cone = rows.astype(object) * np.array([int(s) for s in signs], dtype=object)[:, None]
    heights = cone @ integral(point)
    if not (heights > 0).all():
        raise ValueError("point must be inside the cone")
    facets: list[int] = []
    while len(facets) < r:  # rows that do not vanish on the lineality of the facets so far
        line = kernel(cone[facets])[0]
        facets.append(_first_met(cone, heights, line if (cone @ line > 0).any() else -line))
    # Barycentric coordinates of row / height in the simplex of these facets, up to a factor: they
    # do not depend on the scales of rows or coordinates and suit floats however thin the cone.
    frame = solver(cone[facets])[0] * heights[facets][:, None]
    inner = cone @ frame.T
    floats = unit_rows(inner)
    undecided = [i for i in range(m) if (inner[i] < 0).any()]
    while undecided:
        i = undecided[0]
        weights, direction = _projected(floats, facets, i)
        if direction is None:
            order = sorted(range(len(facets)), key=lambda k: -weights[k])
            spanned = _spanned(cone, floats, [facets[k] for k in order], undecided)
            undecided = [j for j in undecided if j not in spanned]
            new = None
        else:
            new = _first_met(cone, heights, frame.T @ direction)
        if undecided[:1] == [i] and (new is None or new in facets):
            new = _exactly_separated(cone, heights, point, facets, i)
            if new is None:
                undecided.remove(i)
        if new is not None:
            facets.append(new)
            undecided.remove(new)
    return sorted(facets)


def extreme_rays(cone: np.ndarray) -> np.ndarray:
    """Primitive integer vectors along the extreme rays of {u : cone @ u >= 0}.

    Parameters
    ----------
    cone : ndarray of integers, shape (k, r)
        Of rank r; best without redundant rows.

    Returns
    -------
    ndarray of Python integers, shape (number of rays, r)
        Each ray once, in no particular order.

    Notes
    -----
    Exact. The double description method: one row after another cuts the cone, and a new ray appears
    between two adjacent ones on different sides. Memory is the output, time at worst cubic in the
    number of rays, which itself can be exponential in r.

    References
    ----------
    K. Fukuda, A. Prodon, Double description method revisited, 1996, proposition 7.
    """
    cone = cone.astype(object)
    inverse, basis = solver(cone)
    rays = primitive(inverse).astype(object)
    zeros = np.zeros((len(rays), len(cone)), dtype=np.float32)  # matrix products count exactly
    zeros[:, basis] = 1 - np.identity(len(rays))
    for i in (i for i in range(len(cone)) if i not in basis):
        values = rays @ cone[i]
        above, below = np.flatnonzero(values > 0), np.flatnonzero(values < 0)
        p, q = _adjacent(zeros, above, below, cone.shape[1])
        new = values[p, None] * rays[q] - values[q, None] * rays[p]
        zeros[:, i] = values == 0
        common = zeros[p] * zeros[q]
        common[:, i] = 1
        rays = np.vstack([rays[values >= 0], primitive(new).astype(object)])
        zeros = np.vstack([zeros[values >= 0], common])
    return rays


def _adjacent(zeros: np.ndarray, above: np.ndarray, below: np.ndarray, r: int
              ) -> tuple[np.ndarray, np.ndarray]:
    """Pairs of rays, one of each kind, that span a face of dimension two.

    The rows that vanish on both have rank r - 2 then, and no third ray is on all of them. When
    only r - 1 vanish on one ray they are independent, and r - 2 of them are enough.
    """
    simple = zeros.sum(axis=1) < r
    pairs = []
    for block in np.array_split(above, len(above) // _BLOCK + 1):
        p, q = np.nonzero(zeros[block] @ zeros[below].T >= r - 2)
        p, q = block[p], below[q]
        adjacent = simple[p] | simple[q]
        doubtful = np.flatnonzero(~adjacent)
        for doubt in np.array_split(doubtful, len(doubtful) // _BLOCK + 1):
            common = zeros[p[doubt]] * zeros[q[doubt]]
            n_rays = (common @ zeros.T == common.sum(axis=1, keepdims=True)).sum(axis=1)
            adjacent[doubt] = n_rays == 2
        pairs.append((p[adjacent], q[adjacent]))
    return np.concatenate([p for p, _ in pairs]), np.concatenate([q for _, q in pairs])


def solver(vectors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The first basis among integer vectors (k, r) of rank r, and what gives coordinates in it.

    Returns integers (r, r), whose product with a vector is a positive multiple of its coordinates,
    and the numbers of the r basis vectors.
    """
    inverse, basis, determinant = adjugate(vectors.T)
    return (inverse if determinant > 0 else -inverse), basis


def _first_met(cone: np.ndarray, heights: np.ndarray, direction: np.ndarray) -> int:
    """The facet met by the half-line from the interior point against `direction`.

    Row i is met where 1 / t = cone[i].direction / heights[i]. Among those met first the one that
    a lexicographic perturbation of the direction meets alone: rows / heights are points of a
    hyperplane, all different, and the one found is a vertex of their convex hull.
    """
    first = _largest(cone @ direction, heights, range(len(cone)))
    for column in cone.T:
        if len(first) == 1:
            break
        first = _largest(column, heights, first)
    return first[0]


def _largest(values: np.ndarray, heights: np.ndarray, among: Sequence[int]) -> list[int]:
    best: list[int] = []
    for i in among:
        order = values[i] * heights[best[0]] - values[best[0]] * heights[i] if best else 1
        if order > 0:
            best = [i]
        elif order == 0:
            best.append(i)
    return best


def _projected(floats: np.ndarray, facets: list[int], i: int
               ) -> tuple[np.ndarray, np.ndarray | None]:
    """Row i on the cone of the facets: coefficients, and the residual rounded, if not small."""
    try:
        weights, residual = bounded_least_squares(floats[facets].T, floats[i])
    except ArithmeticError:
        return np.zeros(len(facets)), None
    size = np.abs(residual).max()
    if size < _RESIDUAL:
        return weights, None
    return weights, np.array([int(x) for x in np.rint(residual / size * 2.0**_DIRECTION_BITS)],
                             dtype=object)


def _spanned(cone: np.ndarray, floats: np.ndarray, facets: list[int], undecided: list[int]
             ) -> set[int]:
    """Undecided rows in the cone of the first basis among the facets."""
    inverse, basis = solver(cone[facets])
    near = np.linalg.lstsq(floats[[facets[k] for k in basis]].T, floats[undecided].T, rcond=None)[0]
    likely = [i for i, y in zip(undecided, near.T, strict=True) if y.min() > -_RESIDUAL]
    inside = (cone[likely] @ inverse.T >= 0).all(axis=1)
    return {i for i, within in zip(likely, inside, strict=True) if within}


def _exactly_separated(cone: np.ndarray, heights: np.ndarray, point: Sequence[Fraction],
                       facets: list[int], i: int) -> int | None:
    """A new facet met on the way to a point beyond row i and inside the facets; None, a proof
    that row i is redundant, if there is no such point."""
    beyond = interior_point(cone[[*facets, i]], [1] * len(facets) + [-1])
    if beyond is None:
        return None
    # The facets known are met only after that point, row i before it.
    return _first_met(cone, heights,
                      integral([x - y for x, y in zip(point, beyond, strict=True)]))
