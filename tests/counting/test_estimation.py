"""Estimated numbers of chambers: the exact test behind them, coverage, and what is exact."""

from itertools import combinations
from math import comb

import instances
import numpy as np
import oracles
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import matrices

from arrangements import Arrangement, InputError
from arrangements.counting import estimation
from arrangements.counting.estimation import (
    Estimate,
    _Circuits,
    _clopper_pearson,
    _random_sets,
    estimate_dichotomies,
)

DEGENERATE = {
    "braid 4": (instances.braid(4), 120),
    "threshold 3": (instances.threshold(3), 104),
    "resonance 4": (instances.resonance(4), 370),
    "type B 4": (instances.type_b(4), 384),
    "ties": ([(1, 0, 0), (0, 0, 0), (2, 0, 0), (0, 1, 0), (-1, -1, 0), (0, 0, 1)], 12),
}


def has_broken_circuit(rows, some):
    """By the definition, for sets that lack a circuit or not: all circuits are looked at."""
    def dependent(indices):
        return oracles.rank([rows[i] for i in indices]) < len(indices)

    if dependent(some):
        return True
    for k in range(1, len(some) + 1):
        for part in combinations(some, k):
            for e in range(part[0]):
                circuit = (e, *part)
                if dependent(circuit) and not any(map(dependent, combinations(circuit, k))):
                    return True
    return False


def check_all_sets(rows):
    reduced = Arrangement(rows).data.reduction.rows
    m, r = reduced.shape
    exact = [tuple(row) for row in reduced.tolist()]
    for t in range(1, r):
        sets = np.array(list(combinations(range(m), t))).reshape(-1, t)
        found = _Circuits(reduced).none_broken(sets)
        assert found.tolist() == [not has_broken_circuit(exact, some) for some in sets.tolist()]


INSTANCES = {
    "braid 3": instances.braid(3),
    "threshold 3": instances.threshold(3),
    "resonance 3": instances.resonance(3),
    "generic": instances.generic(6, 4),
    "near threshold": instances.nudged(instances.threshold(3), 2**61),
    "large braid": [tuple(10**40 * x for x in row) for row in instances.nudged(
        instances.essential_braid(3), 10**20, spread=0)] + [(10**20, 1, 0)],
    "skewed braid": [tuple(int(x) for x in row) for row in np.array(
        instances.essential_braid(3)) @ np.random.default_rng(0).integers(-2**20, 2**20, (3, 3))],
    "skewed type D": [tuple(int(x) for x in row) for row in np.array(
        instances.type_d(4)) @ np.random.default_rng(0).integers(-2**18, 2**18, (4, 4))],
    "Fibonacci": instances.fibonacci(6, start=60, r=4),
}


@pytest.mark.parametrize("rows", INSTANCES.values(), ids=INSTANCES)
def test_broken_circuits_are_those_of_the_definition(rows):
    check_all_sets(rows)


@pytest.mark.parametrize("primes", [(2, 3), (2, 2, 2), (5, 7, 11)])
@pytest.mark.parametrize("name", ["threshold 3", "generic", "near threshold"])
def test_dependence_modulo_a_prime_is_never_believed(monkeypatch, name, primes):
    monkeypatch.setattr(estimation, "_PRIMES", primes)
    check_all_sets(INSTANCES[name])


@given(matrices(st.integers(-3, 3), n=8, d=(3, 3)))
def test_enough_draws_count_exactly(rows):
    found = estimate_dichotomies(Arrangement(rows), 10**4)
    p = oracles.count_deletion_restriction(rows)
    assert found == Estimate(p, p, p, 1.0) and found.exact


@pytest.mark.parametrize(("rows", "p"), DEGENERATE.values(), ids=DEGENERATE)
def test_numbers_of_known_arrangements(rows, p):
    assert estimate_dichotomies(Arrangement(rows), 10**4).value == p


@pytest.mark.parametrize(("name", "n_draws"), [("braid 4", 40), ("threshold 3", 30),
                                               ("resonance 4", 100), ("type B 4", 25)])
def test_intervals_hold_the_number_as_often_as_they_say(name, n_draws):
    rows, p = DEGENERATE[name]
    A = Arrangement(rows)
    rng = np.random.default_rng(0)
    runs = [estimate_dichotomies(A, n_draws, rng, confidence=0.9) for _ in range(400)]
    assert all(e.low <= e.value <= e.high and not e.exact for e in runs)
    covered = sum(e.low <= p <= e.high for e in runs)
    assert covered >= 0.9 * len(runs) - 3 * np.sqrt(0.09 * len(runs))
    # An interval that always held p would be too wide to say anything.
    assert covered < len(runs)
    values = [e.value for e in runs]
    error = np.std(values) / np.sqrt(len(runs))
    assert abs(np.mean(values) - p) < 4 * error


def test_interval_of_a_proportion_is_valid_for_all_proportions():
    for n in (1, 7, 40):
        ends = [_clopper_pearson(k, n, 0.95) for k in range(n + 1)]
        for share in np.linspace(0.001, 0.999, 499):
            chance = sum(comb(n, k) * share**k * (1 - share)**(n - k)
                         for k, (low, high) in enumerate(ends) if low <= share <= high)
            assert chance >= 0.95 - 1e-9


def test_general_position_is_met_whatever_is_drawn():
    A = Arrangement(instances.generic(60, 6))
    found = estimate_dichotomies(A, 500, 0)
    assert found.value == found.high == A.cover_bound() and found.n_hits == 500
    assert 0.99 * found.value < found.low < found.value
    small = Arrangement(instances.generic(12, 3))
    assert small.general_position
    p = small.cover_bound()
    assert estimate_dichotomies(small, 1) == Estimate(p, p, p, 1.0)


def test_a_known_count_is_returned():
    A = Arrangement(instances.threshold(3))
    assert not estimate_dichotomies(A, 5, 0).exact
    A.count_dichotomies()
    assert estimate_dichotomies(A, 5, 0) == Estimate(104, 104, 104, 1.0)


@pytest.mark.parametrize(("rows", "p"), [
    ([(0, 0)], 1), ([(0, 3), (0, -1)], 2), ([(1, 0), (0, 0), (0, 2)], 4), ([(1,), (2,), (0,)], 2)])
def test_rank_zero_one_and_independent_rows(rows, p):
    assert estimate_dichotomies(Arrangement(rows), 1) == Estimate(p, p, p, 1.0)


def test_numbers_beyond_floats():
    A = Arrangement(instances.generic(40, 20))
    found = estimate_dichotomies(A, 50, 0)
    assert found.value == A.cover_bound() and isinstance(found.low, int)
    many = Arrangement(np.eye(1100, dtype=int))
    assert estimate_dichotomies(many, 2, 0).value == 2**1100


def test_ranks_above_the_width_of_one_exact_product():
    # Rows 0, 1, 2 are a plane, seen in the first and last of 70 coordinates; the others are axes.
    eye = np.eye(70, dtype=int)
    rows = np.vstack([eye[0], eye[69], eye[0] + eye[69], eye[1:69]])
    rows = rows @ np.random.default_rng(0).integers(-9, 10, (70, 70))
    sets = np.stack([np.r_[1, 3:70], np.r_[1, 2, 4:70], np.r_[2:70]])
    assert _Circuits(rows).none_broken(sets).tolist() == [True, False, True]


def test_subsets_are_uniform():
    sets = np.concatenate(list(_random_sets(6, 2, 10_000, np.random.default_rng(0), 999)))
    assert sets.shape == (10_000, 2) and (sets[:, 0] < sets[:, 1]).all()
    assert set(sets.ravel().tolist()) == set(range(1, 6))
    _, counts = np.unique(sets, axis=0, return_counts=True)
    assert len(counts) == comb(5, 2) and counts / 10_000 == pytest.approx(0.1, abs=0.015)


def test_a_seed_fixes_the_estimate():
    A = Arrangement(instances.threshold(3))
    assert estimate_dichotomies(A, 20, 7) == estimate_dichotomies(A, 20, np.random.default_rng(7))


def test_wider_confidence_gives_wider_intervals():
    A = Arrangement(instances.threshold(3))
    low, high = (estimate_dichotomies(A, 20, 7, confidence=c) for c in (0.5, 0.999))
    assert high.low < low.low <= low.high < high.high


@pytest.mark.parametrize("arguments", [
    {"n_draws": 0}, {"n_draws": -5}, {"n_draws": 1.5}, {"rng": "seed"}, {"confidence": 0.0},
    {"confidence": 1.0}, {"confidence": 95}, {"confidence": "high"}, {"confidence": float("nan")},
])
def test_bad_arguments_are_refused(arguments):
    with pytest.raises(InputError, match=next(iter(arguments))):
        estimate_dichotomies(Arrangement([[1, 0], [0, 1]]), **{"n_draws": 2} | arguments)


def test_tol_is_refused():
    with pytest.raises(InputError, match="tol"):
        estimate_dichotomies(Arrangement([[1.0, 0.0], [0.0, 1.0]], tol=1e-9), 10)
