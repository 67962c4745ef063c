"""Odd scales, rounded and sparse data: every answer is that of the exact numbers."""

import numpy as np
import pytest
from awkward import corpus
from oracles import (
    chambers_brute,
    check_witness,
    count_deletion_restriction,
    exact_rows,
    faces_brute,
    faults,
)

from arrangements import Arrangement

PLANE, SPACE = corpus(7, 3), corpus(7, 4, seed=1)
WIDE = {name: corpus(9, 7, seed=2)[name] for name in (
    "gaussian", "one entry 1e-08", "condition 1e+09", "half zeros", "eight decimals")}


@pytest.mark.parametrize("name", PLANE)
@pytest.mark.parametrize("data", [PLANE, SPACE], ids=["rank 3", "rank 4"])
def test_chambers_and_witnesses(data, name):
    rows = exact_rows(data[name])
    expected = chambers_brute(rows)
    D = Arrangement(data[name]).dichotomies(witnesses=True)
    assert faults(expected, D.to_numpy()) == []
    for i, pattern in enumerate(D.to_numpy().tolist()):
        # where no float was found, none is claimed
        assert not D.witness_found[i] or check_witness(rows, D.witnesses[i].tolist(), pattern)
    assert check_witness(rows, D.witness(0), D[0].tolist())


@pytest.mark.parametrize("name", PLANE)
def test_faces(name):
    expected = faces_brute(exact_rows(PLANE[name]))
    found = Arrangement(PLANE[name]).trichotomies().to_numpy()
    assert len(found) == len(expected)
    assert {tuple(row) for row in found.tolist()} == set(expected)


@pytest.mark.parametrize("name", WIDE)
def test_high_rank(name):
    A = Arrangement(WIDE[name])
    D = A.dichotomies()
    assert len(np.unique(D.packed, axis=0)) == len(D) == A.count_dichotomies()
    assert len(D) == count_deletion_restriction(exact_rows(WIDE[name]))
    assert (np.unique(D.packed, axis=0) == np.unique(A.dichotomies(n_jobs=2).packed, axis=0)).all()


@pytest.mark.parametrize("name", ["one entry 1e-12", "one entry 1e-300", "a column of 1e-150"])
def test_a_small_entry_costs_no_exact_signs(name):
    """Columns are balanced: what one entry makes small in all other rows keeps its digits."""
    A = Arrangement(corpus(40, 4)[name])
    D = A.dichotomies()
    assert len(D) == A.cover_bound()
    assert A.predicate_stats["exact"] < len(D) / 100


def test_wrong_rows_would_be_noticed():
    rows = exact_rows(PLANE["half zeros"])
    found = Arrangement(PLANE["half zeros"]).dichotomies().to_numpy()
    found[0, 0] ^= True
    assert faults(chambers_brute(rows), found) != []
