"""Facets of all chambers and the graph of chambers, against flips of brute-force patterns."""

import instances
import numpy as np
import pytest
from hypothesis import given
from oracles import exact_rows, facets_brute
from strategies import integer_rows

from arrangements import Arrangement, Dichotomies
from arrangements.errors import InputError
from arrangements.patterns import facets as module

CASES = {
    "type B": instances.type_b(3),
    "braid": instances.braid(4),
    "generic": instances.generic(9, 4),
    "two planes": [(1, 0, 0, 0), (0, 1, 0, 0), (1, 1, 0, 0),
                   (0, 0, 1, 0), (0, 0, 0, 1), (0, 0, 1, -1), (0, 0, 2, -2)],
    "zero, repeated and opposite": [(0, 0), (1, 2), (2, 4), (-1, -2), (0, 1), (0, 0), (0, -3)],
    "beyond a word": instances.moment_curve(67, 2),
    "all zero": [(0, 0)],
}
every_case = pytest.mark.parametrize("name", CASES)


def bounding(matrix, patterns):
    """{pattern: rows that bound it}."""
    assert matrix.dtype == bool
    assert matrix.has_canonical_format
    return {tuple(p): frozenset(row.nonzero()[0].tolist())
            for p, row in zip(patterns.to_numpy().tolist(), matrix.toarray(), strict=True)}


@given(integer_rows(n=7, d=4))
def test_facets_equal_brute_force(rows):
    D = Arrangement(rows).dichotomies()
    assert bounding(D.facets(), D) == facets_brute(exact_rows(rows))


@every_case
def test_facets_and_neighbours_of_named_arrangements(name):
    D = Arrangement(CASES[name]).dichotomies()
    expected = facets_brute(CASES[name])
    assert bounding(D.facets(n_jobs=2), D) == expected
    joined, between = D.adjacency(), D.adjacency(rows=True)
    assert (joined != joined.T).nnz == 0
    assert ((between > 0) != joined).nnz == 0
    classes = D.arrangement.data.reduction.class_of
    for i, pattern in enumerate(D.to_numpy()):
        found = set()
        for k, row in zip(between[[i]].indices, between[[i]].data, strict=True):
            differ = set(np.flatnonzero(D[k] != pattern).tolist())
            assert differ == set(np.flatnonzero(classes == classes[row - 1]).tolist())
            assert row - 1 == min(differ)
            found.add(row - 1)
        assert found == expected[tuple(pattern)]


@every_case
def test_some_chambers_have_the_facets_they_have_among_all(name):
    D = Arrangement(CASES[name]).dichotomies()
    chosen = np.array([0, len(D) - 1, 0, len(D) // 2, 0])
    some = D[chosen]
    assert (some.facets().toarray() == D.facets().toarray()[chosen]).all()
    for rows in (False, True):
        whole = D.adjacency(rows=rows).toarray()
        part = some.adjacency(rows=rows)
        assert (part.toarray() == whole[np.ix_(chosen, chosen)]).all()
        assert part.has_sorted_indices


def test_closed_patterns_that_are_no_chambers_have_no_facets():
    A = Arrangement([(1, 0), (0, 1), (1, 1), (-1, -1)])
    closed = A.dichotomies(boundary="closed")
    found = bounding(closed.facets(), closed)
    chambers = facets_brute([(1, 0), (0, 1), (1, 1), (-1, -1)])
    assert {p: rows for p, rows in found.items() if p in chambers} == chambers
    extra = [rows for p, rows in found.items() if p not in chambers]
    assert extra
    assert not any(extra)


@pytest.mark.parametrize(("block", "message"), [
    (np.zeros((1, 3), dtype=np.int64), "blocks must be uint8 arrays of shape"),
    (np.zeros((1, 4), dtype=np.uint8), "blocks must be uint8 arrays of shape"),
    (np.zeros((1, 3), dtype=np.uint8), "blocks must hold faces of dimension 1"),
])
def test_blocks_of_something_else_are_refused(block, message):
    D = Arrangement([(1, 0), (0, 1)]).dichotomies()
    with pytest.raises(InputError, match=message):
        module.facets(D.packed, D.arrangement.data.reduction, [block])


def test_an_exact_point_of_no_chamber_is_refused():
    D = Arrangement([(1,), (2,)]).dichotomies()
    none = Dichotomies(np.array([[1]], dtype=np.uint8), 2, arrangement=D.arrangement)
    with pytest.raises(InputError, match="pattern must be a chamber of the exact data"):
        none.witness(0)
