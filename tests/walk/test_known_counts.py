"""Published and closed-form numbers of chambers: count, enumeration, distinctness, witnesses.

Sources: OEIS A000142 (braid), A000165 (type B), A002866 (type D), A000609 (threshold functions),
A034997 (resonance); Cover 1965 (general position); the others by exact deletion-restriction.
"""

from random import Random

import instances
import numpy as np
import pytest
from oracles import (
    check_witness,
    count_deletion_restriction,
    cover_bound,
    exact_rows,
    packed_faults,
)

from arrangements import Arrangement

full = pytest.mark.full

KNOWN = [
    *(
        pytest.param(instances.braid(k), k, count, id=f"braid {k}")
        for k, count in [(2, 6), (3, 24), (4, 120), (5, 720), (6, 5040), (7, 40320), (8, 362880)]
    ),
    *(
        pytest.param(instances.type_b(k), k, count, id=f"type B {k}")
        for k, count in [(3, 48), (4, 384), (5, 3840), (6, 46080)]
    ),
    *(
        pytest.param(instances.type_d(k), k, count, id=f"type D {k}")
        for k, count in [(4, 192), (5, 1920), (6, 23040)]
    ),
    *(
        pytest.param(instances.threshold(k), k + 1, count, id=f"threshold {k}")
        for k, count in [(1, 4), (2, 14), (3, 104), (4, 1882), (5, 94572)]
    ),
    *(
        pytest.param(instances.resonance(k), k, count, id=f"resonance {k}")
        for k, count in [(1, 2), (2, 6), (3, 32), (4, 370), (5, 11292)]
    ),
    *(
        pytest.param(instances.generic(n, r), r, count, id=f"general position {n} {r}")
        for n, r, count in [(20, 3, 382), (50, 3, 2452), (30, 5, 55682), (50, 5, 463052)]
    ),
    pytest.param(instances.generic(20, 7), 7, 87592, id="general position 20 7"),
    pytest.param(instances.moment_curve(50, 5), 5, 463052, id="cyclic 50 5"),
    pytest.param(instances.resonance(6), 6, 1066044, id="resonance 6", marks=full),
    pytest.param(instances.threshold(6), 7, 15028134, id="threshold 6", marks=full),
    pytest.param(instances.generic(100, 5), 5, 7852352, id="general position 100 5", marks=full),
]


def check(rows, r, count, A, n_witnesses=5):
    assert A.rank == r
    assert A.exact
    assert A.count_dichotomies() == count
    assert A.general_position == (count == cover_bound(len(rows), r))
    found = A.dichotomies()
    assert len(found) == count
    zero_rows = [i for i, row in enumerate(rows) if not any(row)]
    assert packed_faults(found.packed, len(rows), count, zero_rows) == []
    for i in Random(count).sample(range(count), min(count, n_witnesses)):
        assert check_witness(rows, found.witness(i), found[i].tolist())


@pytest.mark.parametrize(("rows", "r", "count"), KNOWN)
def test_known_count(rows, r, count):
    check(rows, r, count, Arrangement(rows))


@pytest.mark.parametrize(
    ("rows", "count"),
    [
        (instances.braid(4), 120),
        (instances.type_b(4), 384),
        (instances.threshold(3), 104),
        (instances.resonance(4), 370),
        (instances.generic(20, 3), 382),
    ],
)
def test_every_witness_of_a_known_family(rows, count):
    D = Arrangement(rows).dichotomies(witnesses=True)
    assert len(D) == count
    assert D.witness_found.all()
    for i, pattern in enumerate(D.to_numpy().tolist()):
        assert check_witness(rows, D.witness(i), pattern)
        assert check_witness(rows, D.witnesses[i].tolist(), pattern)


def test_icosahedral_mirrors_need_a_tolerance():
    X = np.array(instances.h3())
    A = Arrangement(X, tol=1e-9)
    assert (A.count_dichotomies(), A.rank, A.n_hyperplanes, A.exact) == (120, 3, 15, False)
    assert packed_faults(A.dichotomies().packed, 15, 120) == []


def test_iris_read_as_decimals():
    X = pytest.importorskip("sklearn.datasets").load_iris().data[:, :3]
    rows = exact_rows(X, bias=True, decimal=True)
    A = Arrangement(X, bias=True, numbers="decimal")
    assert (A.n, A.n_hyperplanes) == (150, 144)
    check(rows, 4, 898532, A)
    assert count_deletion_restriction(rows) == 898532


def test_linnerud_read_as_decimals():
    X = pytest.importorskip("sklearn.datasets").load_linnerud().data
    check(exact_rows(X, bias=True), 4, 2318, Arrangement(X, bias=True, numbers="decimal"))
    assert cover_bound(20, 4) == 2320


@full
@pytest.mark.parametrize(("n", "d", "count"), [(60, 5, 945224), (80, 5, 2874392)])
def test_integer_valued_data(n, d, count):
    X = instances.small_integers(n, d - 1)
    rows = exact_rows(X, bias=True)
    assert count_deletion_restriction(rows) == count
    check(rows, d, count, Arrangement(X, bias=True))


@full
def test_resonance_7_is_counted_without_being_stored():
    assert Arrangement(instances.resonance(7)).count_dichotomies() == 347326352
