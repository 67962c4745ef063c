"""Rows a hair away from degenerate ones: exact runs are right, float-only runs are wrong."""

import instances
import numpy as np
import pytest
from oracles import chambers_brute, check_witness, count_deletion_restriction, exact_rows, faults

from arrangements import Arrangement

NEAR = instances.near_degenerate()


@pytest.mark.parametrize("name", NEAR)
def test_exact_run_equals_brute_force(name):
    rows = NEAR[name]
    expected = chambers_brute(rows)
    A = Arrangement(rows)
    assert A.exact
    found = A.dichotomies()
    assert faults(expected, found.to_numpy()) == []
    assert A.count_dichotomies() == len(expected) == count_deletion_restriction(rows)
    assert np.array_equal(A.dichotomies(n_jobs=2).packed, found.packed)


@pytest.mark.parametrize("name", [name for name in NEAR if "2^130" in name or "90" in name])
def test_exact_stage_was_used(name):
    # hairs of 2^-60 are wide for pairs of floats, these are not
    A = Arrangement(NEAR[name])
    A.dichotomies()
    stats = A.predicate_stats
    assert set(stats) == {"filter", "separation", "exact"}
    assert stats["exact"] > 0


@pytest.mark.parametrize("name", ["braid 4, 2^60", "threshold 3, 2^54", "Fibonacci 90"])
def test_witnesses_of_thin_chambers(name):
    rows = NEAR[name]
    D = Arrangement(rows).dichotomies(witnesses=True)
    for i, pattern in enumerate(D.to_numpy().tolist()):
        assert i % 4 or check_witness(rows, D.witness(i), pattern)
        # Where no float was found, none is claimed.
        assert not D.witness_found[i] or check_witness(rows, D.witnesses[i].tolist(), pattern)


@pytest.mark.parametrize("bits", [30, 40, 48, 50])
@pytest.mark.parametrize("family", [instances.essential_braid, instances.threshold])
def test_floats_a_hair_away(family, bits):
    X = instances.nudged_floats(family(3), bits, seed=bits)
    expected = chambers_brute(exact_rows(X))
    assert faults(expected, Arrangement(X).dichotomies().to_numpy()) == []
    integers = instances.nudged(family(3), 2**bits, seed=bits)
    assert faults(expected, Arrangement(integers).dichotomies().to_numpy()) == []


@pytest.mark.parametrize("seed", range(40))
def test_random_hairs(seed):
    rows = instances.nudged(
        instances.small_integers(9, 4, low=-1, high=1, seed=seed), 2 ** (38 + seed), seed=seed
    )
    expected = chambers_brute(rows)
    assert faults(expected, Arrangement(rows).dichotomies().to_numpy()) == []


def test_rank_one_hair_away():
    # Consecutive Fibonacci ratios: all but equal directions, all different.
    f = [1, 1]
    while len(f) < 95:
        f.append(f[-1] + f[-2])
    rows = [(f[k], f[k + 1]) for k in range(60, 94)]
    A = Arrangement(rows)
    assert (A.rank, A.n_hyperplanes, A.count_dichotomies()) == (2, 34, 68)
    assert faults(chambers_brute(rows), A.dichotomies().to_numpy()) == []


def test_rank_hangs_on_the_last_digit():
    rows = [(10**30, 1, 0), (1, 0, 0), (10**30 + 1, 1, 0), (3, 5, 0)]
    assert Arrangement(rows).rank == 2
    assert Arrangement([*rows[:3], (10**30 + 1, 1, 1)]).rank == 3


def is_right(rows, **options):
    try:
        found = Arrangement(rows, **options).dichotomies()
    except Exception:
        # A crash on inconsistent geometry is a failure too; the tests above call without options.
        return False
    return faults(chambers_brute(rows), found.to_numpy()) == []


def test_negative_control_float_predicates_with_a_tolerance_fail_this_suite():
    wrong = [name for name, rows in NEAR.items() if not is_right(rows, tol=1e-9)]
    # At least the instances that moved generically must come out as their degenerate limit.
    assert len(wrong) >= len(NEAR) // 2, wrong
    for family in ("braid 4", "threshold 3", "resonance 3", "Fibonacci"):
        assert any(name.startswith(family) for name in wrong), family
    assert not any(Arrangement(NEAR[name], tol=1e-9).exact for name in NEAR)


def test_negative_control_is_wrong_by_its_patterns():
    # The limit has fewer chambers: a certificate resting on them would have missed the others.
    for k in (3, 4):
        rows = instances.nudged(instances.essential_braid(k), 2**45, seed=k)
        limit = chambers_brute(instances.essential_braid(k))
        found = Arrangement(rows, tol=1e-9).dichotomies().to_numpy()
        assert faults(limit, found) == []
        assert any("missing" in fault for fault in faults(chambers_brute(rows), found))
