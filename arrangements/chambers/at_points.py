"""Chambers at given points."""

from __future__ import annotations

import numpy as np

from arrangements.algebra.data import Source
from arrangements.patterns import Dichotomies


def chambers_at(arrangement: Source, points: np.ndarray) -> Dichotomies:
    """A chamber at each point (k, d): the one it is in, or one whose closure has it."""
    signs = arrangement.data.signs
    found = signs.at(points)
    # from a point on hyperplanes, on in any direction that leaves them all
    rng = np.random.default_rng(0)
    while not found.all():
        onward = signs.at(rng.standard_normal((1, arrangement.d)))
        found = np.where(found == 0, onward, found)
    packed = arrangement.data.reduction.packed(found > 0)
    return Dichotomies._of(packed, arrangement.n, arrangement)
