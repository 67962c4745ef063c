"""Neighbourhoods in the tope graph, against breadth-first search in the brute-force set."""

import pickle

import instances
import numpy as np
import oracles
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import matrices

from arrangements import Arrangement, InputError
from arrangements.chambers.neighbours import neighbours
from arrangements.errors import NotAChamberError

CASES = {
    "generic": instances.generic(7, 3),
    "braid 3": instances.braid(3),
    "threshold 2": instances.threshold(2),
    "type B 2": instances.type_b(2),
    "ties and zero rows": [(1, 0), (0, 0), (2, 0), (-1, 0), (0, 3), (1, 1), (-2, -2)],
    "rank 1": [(2, 4), (0, 0), (-1, -2)],
    "rank 0": [(0, 0), (0, 0)],
    "one row": [(0, -3)],
    "near braid": instances.nudged(instances.essential_braid(3), 2**61, seed=5),
}


def brute_distances(rows, start):
    """Chamber -> number of steps, each of which flips one class of parallel rows."""
    chambers = oracles.chambers_brute(rows)
    classes = {}
    for i, row in enumerate(rows):
        if any(row):
            classes.setdefault(parallel_key(row), set()).add(i)
    found, layer = {start: 0}, [start]
    while layer:
        fresh = []
        for pattern in layer:
            for members in classes.values():
                flipped = tuple(bit != (i in members) for i, bit in enumerate(pattern))
                if flipped in chambers and flipped not in found:
                    found[flipped] = found[pattern] + 1
                    fresh.append(flipped)
        layer = fresh
    return found


def parallel_key(row):
    lead = next(filter(None, row))
    return tuple(oracles.fraction(x) / lead for x in row)


def as_dict(found):
    patterns = [tuple(p.tolist()) for p in found.dichotomies]
    assert len(set(patterns)) == len(patterns) == len(found)
    return dict(zip(patterns, found.distances.tolist(), strict=True))


@pytest.mark.parametrize("rows", CASES.values(), ids=CASES)
@pytest.mark.parametrize("radius", [0, 1, 2, 99])
def test_agrees_with_brute_force_at_every_radius(rows, radius):
    start = min(oracles.chambers_brute(rows))
    found = neighbours(Arrangement(rows), start, radius)
    expected = brute_distances(rows, start)
    assert as_dict(found) == {p: k for p, k in expected.items() if k <= radius}
    assert found.complete and (np.diff(found.distances) >= 0).all()
    assert tuple(found.dichotomies[0].tolist()) == start


@settings(max_examples=30)
@given(matrices(d=(3, 3)), st.data())
def test_distance_is_the_number_of_classes_between(rows, data):
    start = data.draw(st.sampled_from(sorted(oracles.chambers_brute(rows))))
    arrangement = Arrangement(rows)
    found = neighbours(arrangement, start, len(rows))
    assert not oracles.faults(oracles.chambers_brute(rows), found.dichotomies)
    class_of = arrangement.data.reduction.class_of
    for pattern, distance in as_dict(found).items():
        assert len(set(class_of[np.array(pattern) != np.array(start)].tolist())) == distance


def test_limit_keeps_the_nearest_and_says_so():
    A = Arrangement(instances.braid(3))
    start = A.dichotomies()[0]
    whole = neighbours(A, start, 6)
    for limit in (1, 2, 5, 23, 24, 25):
        found = neighbours(A, start, 6, limit=limit)
        assert found.dichotomies.packed.tolist() == whole.dichotomies.packed[:limit].tolist()
        assert found.distances.tolist() == whole.distances[:limit].tolist()
        assert found.complete == (limit >= 24)


def test_packed_patterns_are_taken_and_witnesses_can_be_had():
    A = Arrangement(instances.braid(3))
    D = A.dichotomies()
    found = neighbours(A, D.packed[3])
    assert as_dict(found) == as_dict(neighbours(A, D[3]))
    for i, pattern in enumerate(found.dichotomies):
        assert oracles.check_witness(instances.braid(3), found.dichotomies.witness(i), pattern)


def test_results_can_be_pickled():
    A = Arrangement(instances.braid(3))
    found = neighbours(A, A.dichotomies()[0])
    assert as_dict(pickle.loads(pickle.dumps(found))) == as_dict(found)


def test_large_data_need_no_enumeration():
    A = Arrangement(instances.generic(200, 8))
    pattern = np.array([sum(row) > 0 for row in instances.generic(200, 8)])
    found = neighbours(A, pattern)
    assert len(found) > 8
    some = neighbours(A, found.dichotomies[1])
    assert pattern in some.dichotomies


def test_a_pattern_without_chamber_is_refused_with_proof():
    with pytest.raises(NotAChamberError) as caught:
        neighbours(Arrangement([[1, 0], [0, 1], [1, 1]]), [1, 1, 0])
    assert caught.value.rows == (0, 1, 2)
    with pytest.raises(NotAChamberError):
        neighbours(Arrangement([[1], [-1], [0]]), [1, 1, 1])
    with pytest.raises(NotAChamberError):
        neighbours(Arrangement([[1], [-1], [0]]), [1, 0, 0])


@pytest.mark.parametrize("arguments", [
    {"pattern": [1, 1]}, {"pattern": [1, 1, 2]}, {"pattern": "abc"}, {"pattern": [0.5, 1, 1]},
    {"radius": -1}, {"radius": 1.5}, {"radius": True}, {"limit": 0}, {"limit": -1},
    {"limit": "all"},
])
def test_bad_arguments_are_refused(arguments):
    with pytest.raises(InputError):
        neighbours(Arrangement([[1, 0], [0, 1], [1, 1]]), **{"pattern": [1, 1, 1]} | arguments)


def test_tol_is_refused():
    with pytest.raises(InputError, match="tol"):
        neighbours(Arrangement([[1.0, 0.0], [0.0, 1.0]], tol=1e-9), [1, 1])
