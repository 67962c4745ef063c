"""The literal set {1[Xu >= 0] : u in R^d}, boundaries included.

For a pattern s let Q be {u : x_i.u >= 0 where s_i = 1, < 0 elsewhere}. It is convex, so its
relative interior lies in one face, and a face with zero set F is that face exactly when no
direction leaves F upwards: when the rows of F are totally cyclic (a strictly positive combination
of them is 0). These are dependent, and among the rows that have positive dependences at all; faces
of other flats are not looked at. What the patterns of chambers do not have already is new.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from arrangements.algebra.elimination import kernel
from arrangements.algebra.witness import interior_point, positive_dependence
from arrangements.patterns.lookup import Index

from . import faces
from .walks import Walks

_BLOCK = 1 << 16
_ONES = np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1).sum(axis=1, dtype=np.int32)


def new_patterns(walks: Walks, jobs: int, chambers: Iterable[np.ndarray]) -> np.ndarray:
    """Packed patterns of weights on hyperplanes that no chamber has, each once, in the order of the
    faces; `chambers` are the patterns of all chambers, in blocks.

    Costs a walk of the faces unless the rows are in general position, and memory for the patterns
    of faces of dependent flats.
    """
    reduction = walks.reduction
    rows, cut = faces.sample_rows(reduction), reduction.class_of >= 0
    ones = np.packbits(np.ones((1, walks.n), dtype=bool), axis=1, bitorder="little")
    if not cut.any() or interior_point(rows[cut], [1] * int(cut.sum())) is not None:
        return ones[:0]
    core = cyclic_part(rows)
    if not core[cut].any():
        return ones[:0]
    if walks.m == len(reduction.cut) and walks.rank > 1 and walks.count(only_simple=True):
        return ones  # independent rows are not cyclic: of all flats only the origin can be
    outside = np.packbits(~core, bitorder="little")
    nonzero = np.packbits(cut, bitorder="little")
    both = np.zeros((2, walks.m), dtype=bool)
    both[np.where(reduction.orientation[cut] > 0, 1, 0), reduction.class_of[cut]] = True
    top = walks.rank - (1 if both.all(axis=0).any() else 2)  # flats of rank 1 need opposite rows
    found = [ones[:0]]
    for block in faces.blocks(walks, [k <= top for k in range(walks.rank + 1)], jobs, _BLOCK):
        positive, negative = block[:, : ones.shape[1]], block[:, ones.shape[1] : -1]
        zero = ~(positive | negative) & nonzero
        dependent = _ONES[zero].sum(axis=1) > walks.rank - block[:, -1].astype(np.int32)
        found.append(~negative[dependent & ~(zero & outside).any(axis=1)] & ones)
    patterns = np.concatenate(found)
    index = Index(patterns)
    new = index.find(patterns) == np.arange(len(patterns))
    for packed in chambers:
        seen = index.find(np.ascontiguousarray(packed))
        new[seen[seen >= 0]] = False
    out: np.ndarray = patterns[new]
    return out


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
