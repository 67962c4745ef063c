"""The literal set {1[Xu >= 0] : u in R^d}, boundaries included.

For a pattern s let Q be {u : x_i.u >= 0 where s_i = 1, < 0 elsewhere}. It is convex, so its
relative interior lies in one face, and a face with zero set F is that face exactly when no
direction leaves F upwards: when the rows of F are totally cyclic (a strictly positive combination
of them is 0). So the set is the disjoint union, over the totally cyclic flats F, of the chambers of
X restricted to F, with ones on F.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import numpy as np

from arrangements.algebra.elimination import kernel, primitive
from arrangements.algebra.numbers import IntegerMatrix
from arrangements.algebra.reduction import Reduction, reduce_rows
from arrangements.algebra.witness import positive_dependence


def sample_rows(reduction: Reduction) -> np.ndarray:
    """The samples' own rows (n, r), up to positive factors, in the coordinates of the reduction."""
    r = reduction
    signed = np.zeros((r.n, r.rank), dtype=object)
    cut = r.class_of >= 0
    signed[cut] = (r.rows[r.class_of[cut]].astype(object)
                   * r.orientation[cut, None].astype(object))
    return signed


def restrictions(signed: np.ndarray) -> Iterator[Reduction]:
    """X restricted to F, for the totally cyclic flats F but the empty one; rows of F become zero.

    `signed` are `sample_rows`.
    """
    core = cyclic_part(signed)
    seen: set[frozenset[int]] = {frozenset()}
    level = [np.zeros(len(signed), dtype=bool)]
    while level:
        above = []
        for flat in level:
            for i in np.flatnonzero(core & ~flat & signed.any(axis=1)):
                rows = signed[flat | (np.arange(len(signed)) == i)]
                basis = kernel(rows).T
                closure = ~np.array([any(row) for row in signed.dot(basis)], dtype=bool) \
                    if basis.shape[1] else np.ones(len(signed), dtype=bool)
                key = frozenset(np.flatnonzero(closure).tolist())
                if key in seen:
                    continue
                seen.add(key)
                if (closure & ~core & signed.any(axis=1)).any():
                    continue
                above.append(closure)
                if cyclic_part(signed[closure]).all():
                    yield restricted(signed, basis)
        level = above


def restricted(signed: np.ndarray, basis: np.ndarray) -> Reduction:
    """The samples' rows as functionals on the flat spanned by the columns of `basis`."""
    values = signed.dot(basis)
    if basis.shape[1] == 0:
        values = np.zeros((len(signed), 1), dtype=object)
    values = primitive(values)
    return reduce_rows(IntegerMatrix(values, (Fraction(1),) * values.shape[1]))


def cyclic_part(rows: np.ndarray) -> np.ndarray:
    """The largest totally cyclic subset of some integer rows, as a mask; zero rows belong to it.

    A row is outside exactly when some u has rows.u >= 0 and is positive there.
    """
    inside = np.array(~rows.astype(bool).any(axis=1))
    while not inside.all():
        basis = kernel(rows[inside]).T
        if basis.shape[1] == 0:
            return np.ones(len(rows), dtype=bool)
        rest = np.flatnonzero(~inside)
        quotient = rows[rest].dot(basis)
        weights = positive_dependence(quotient)
        if weights is None:
            break
        inside[rest[[w > 0 for w in weights]]] = True
    return inside
