"""Dichotomies take packed patterns too, and know their arrangement.

What they share with trichotomies is in test_packed_tables.py.
"""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis.extra import numpy as hnp
from test_packed_tables import TABLES

from arrangements import Arrangement, Dichotomies
from arrangements.errors import InputError

table = TABLES["dichotomies"]


@given(hnp.arrays(bool, hnp.array_shapes(min_dims=2, max_dims=2, max_side=140)))
def test_membership_takes_packed_patterns(bits):
    dichotomies, members = table.make(bits), set(map(tuple, bits.tolist()))
    for pattern in [*bits, *~bits]:
        inside = tuple(pattern.tolist()) in members
        packed = np.packbits(pattern, bitorder="little")
        for form in (packed, packed.tobytes()):
            assert (form in dichotomies) == inside


@pytest.mark.parametrize(
    "pattern", [True, [0, 1] * 4 + [0, 2], np.array([255, 255], dtype=np.uint8), b"\x00"])
def test_what_is_no_pattern_is_refused(pattern):
    with pytest.raises(InputError, match="pattern"):
        pattern in table.make(table.random(3, 10))  # noqa: B015


def test_witness_comes_from_the_arrangement():
    class Stub:
        def interior_point(self, pattern):
            assert pattern.dtype == bool
            return tuple(Fraction(int(bit), 3) for bit in pattern)

    bits = table.random(4, 11)
    dichotomies = table.make(bits, arrangement=Stub())
    expected = tuple(Fraction(int(bit), 3) for bit in bits[2])
    assert dichotomies.witness(2) == dichotomies[1:].witness(1) == expected


def test_facets_need_an_arrangement_of_these_patterns():
    pytest.importorskip("scipy")
    narrow = table.make(table.random(3, 8))
    for A, message in [(None, "none"), (Arrangement([[1], [2]], tol=1e-9), "one with tol"),
                       (Arrangement([[1, k] for k in range(17)]), "blocks must be")]:
        patterns = Dichotomies(narrow.packed, 8, arrangement=A)
        for ask in (patterns.facets, patterns.adjacency):
            with pytest.raises(InputError, match=message):
                ask()
