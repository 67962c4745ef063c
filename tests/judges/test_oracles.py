"""The oracles against hand-checked values and each other, and fed wrong answers to refuse."""

from fractions import Fraction
from itertools import product
from math import factorial

import instances
import numpy as np
import pytest
from hypothesis import given
from oracles import (
    chambers_brute,
    check_witness,
    closed_brute,
    count_deletion_restriction,
    cover_bound,
    distinct_rows,
    exact_rows,
    faults,
    fraction,
    in_general_position,
    packed_faults,
    rank,
)
from strategies import matrices

T, F = True, False
QUADRANTS = frozenset(product((T, F), repeat=2))


@pytest.mark.parametrize(
    ("rows", "patterns"),
    [
        ([(3,)], {(T,), (F,)}),
        ([(0,)], {(T,)}),
        ([(0, 0), (0, 0)], {(T, T)}),
        ([(1,), (-2,)], {(T, F), (F, T)}),
        ([(1, 0), (0, 1)], QUADRANTS),
        ([(1, 0), (0, 0), (2, 0)], {(T, T, T), (F, T, F)}),
        (
            [(1, 0), (0, 1), (1, 1)],
            {(T, T, T), (T, F, T), (T, F, F), (F, F, F), (F, T, F), (F, T, T)},
        ),
    ],
)
def test_chambers_by_hand(rows, patterns):
    assert chambers_brute(rows) == patterns
    assert count_deletion_restriction(rows) == len(patterns)


@pytest.mark.parametrize(
    ("rows", "patterns"),
    [
        ([(1,), (-1,)], {(T, F), (F, T), (T, T)}),
        ([(0,)], {(T,)}),
        ([(1, 0), (0, 1)], QUADRANTS),
        # The origin alone gives all ones: the three rows sum to zero.
        (
            [(1, 0), (0, 1), (-1, -1)],
            {(T, T, F), (T, F, T), (F, T, T), (T, F, F), (F, T, F), (F, F, T), (T, T, T)},
        ),
    ],
)
def test_closed_by_hand(rows, patterns):
    assert closed_brute(rows) == patterns


@pytest.mark.parametrize(
    ("rows", "count"),
    [
        *((instances.braid(k), factorial(k + 1)) for k in (2, 3, 4, 5)),
        *((instances.type_b(k), 2**k * factorial(k)) for k in (2, 3, 4)),
        *((instances.type_d(k), 2 ** (k - 1) * factorial(k)) for k in (3, 4)),
        (instances.threshold(2), 14),
        (instances.threshold(3), 104),
        (instances.threshold(4), 1882),
        (instances.resonance(3), 32),
        (instances.resonance(4), 370),
        (instances.generic(20, 3), 382),
        (instances.moment_curve(20, 3), 382),
    ],
)
def test_counts_of_named_families(rows, count):
    assert count_deletion_restriction(rows) == count
    if count <= 120:
        assert len(chambers_brute(rows)) == count


@given(matrices())
def test_count_equals_brute_force(rows):
    assert count_deletion_restriction(rows) == len(chambers_brute(rows))


@given(matrices(n=5))
def test_grid_points_agree_with_brute_force(rows):
    # In the plane, any chamber or face of such small rows holds a point of this grid.
    d = len(rows[0])
    chambers, closed = set(), set()
    for u in product(range(-5, 6), repeat=d):
        values = [sum(a * b for a, b in zip(row, u, strict=True)) for row in rows]
        pattern = tuple(v >= 0 for v in values)
        closed.add(pattern)
        if all(v or not any(row) for v, row in zip(values, rows, strict=True)):
            chambers.add(pattern)
    assert chambers <= chambers_brute(rows)
    assert closed <= closed_brute(rows)
    if d <= 2:
        assert chambers == chambers_brute(rows)
        assert closed == closed_brute(rows)


@given(matrices())
def test_general_position_by_numpy_determinants(rows):
    X = np.array(rows)
    assert rank(rows) == np.linalg.matrix_rank(X)
    r = rank(rows)
    if r == X.shape[1] and in_general_position(rows):
        assert len(chambers_brute(rows)) == cover_bound(len(rows), r)


def test_cover_bound_by_hand():
    assert [cover_bound(4, r) for r in range(6)] == [1, 2, 8, 14, 16, 16]
    assert cover_bound(100, 5) == 7852352
    assert cover_bound(50, 3) == 2452
    assert cover_bound(1, 3) == 2


def test_exact_rows_reads_floats_both_ways():
    assert exact_rows([(0.5, 0.25)]) == ((2, 1),)
    assert exact_rows([(0.1, 0.3)], decimal=True) == ((1, 3),)
    assert exact_rows([(0.1, 0.3)]) != ((1, 3),)
    assert exact_rows([(np.int64(2**62), np.int64(2**61))], bias=True) == ((2**62, 2**61, 1),)
    assert exact_rows([(Fraction(-1, 3), True)]) == ((-1, 3),)
    assert fraction(np.float64(5.1), decimal=True) == Fraction(51, 10)


RIGHT = sorted(chambers_brute([(1, 0), (0, 1), (1, 1)]))


def test_faults_accepts_the_right_answer_in_any_order():
    assert faults(frozenset(RIGHT), RIGHT) == []
    assert faults(frozenset(RIGHT), np.array(RIGHT[::-1])) == []


@pytest.mark.parametrize("i", range(len(RIGHT)))
def test_faults_refuses_missing_repeated_and_flipped_patterns(i):
    expected = frozenset(RIGHT)
    assert "missing" in faults(expected, RIGHT[:i] + RIGHT[i + 1 :])[0]
    assert "repeated" in faults(expected, [*RIGHT, RIGHT[i]])[0]
    # Right count, one chamber twice and its negative lost: the error a wrong sign of phi makes.
    swapped = [RIGHT[i - 1] if j == i else p for j, p in enumerate(RIGHT)]
    assert len(faults(expected, swapped)) == 2
    for k in range(3):
        flipped = list(RIGHT)
        flipped[i] = tuple(b ^ (j == k) for j, b in enumerate(RIGHT[i]))
        assert faults(expected, flipped)


def test_faults_refuses_a_boundary_pattern():
    rows = [(1,), (-1,)]
    assert "no chamber" in faults(chambers_brute(rows), closed_brute(rows))[0]
    assert "missing" in faults(closed_brute(rows), chambers_brute(rows))[0]


def test_packed_faults_refuses_wrong_answers():
    rows = [*instances.braid(4), (0,) * 5]
    bits = np.array(sorted(chambers_brute(rows)))
    n, p = len(rows), 120

    def judge(bits):
        packed = np.packbits(bits, axis=1, bitorder="little")
        return packed_faults(packed, n, p, zero_rows=[10])

    assert judge(bits) == []
    assert judge(bits[1:])
    assert judge(np.vstack([bits, bits[:1]]))
    repeated = bits.copy()
    repeated[3] = repeated[4]
    assert any("repeated" in fault for fault in judge(repeated))
    flipped = bits.copy()
    flipped[5, 2] ^= True
    assert any("bits [2]" in fault for fault in judge(flipped))
    padded = np.packbits(bits, axis=1, bitorder="little")
    padded[0, 1] |= 0x80
    assert any("[15]" in fault for fault in packed_faults(padded, n, p, zero_rows=[10]))


def test_distinct_rows_sees_any_single_byte():
    rng = np.random.default_rng(0)
    for width in (1, 7, 8, 9, 25):
        packed = np.zeros((min(200, 1 << 8 * width), width), dtype=np.uint8)
        packed[:, rng.integers(width)] = np.arange(len(packed))
        assert distinct_rows(packed)
        packed[7] = packed[100]
        assert not distinct_rows(packed)


def test_check_witness_refuses_wrong_points():
    rows = [(1, 0), (0, 1), (0, 0), (1, -1)]
    assert check_witness(rows, (Fraction(2), Fraction(1)), (T, T, T, T))
    assert check_witness(rows, (2.0, 1.0), (T, T, T, T))
    assert not check_witness(rows, (1, 2), (T, T, T, T))  # wrong side of the last row
    assert not check_witness(rows, (1, 1), (T, T, T, T))  # on the last row
    assert not check_witness(rows, (2, 1), (T, T, F, T))  # a zero row reads 1
    assert not check_witness(rows, (2, 1), (T, T, T))  # too short a pattern
    assert not check_witness(rows, (2, 1, 0), (T, T, T, T))  # too long a point
    assert not check_witness(rows, (float("nan"), 1.0), (T, T, T, T))
    assert not check_witness(rows, (float("inf"), 1.0), (T, T, T, T))
    # 1e16 + 1 is not a float: rounded evaluation sees zero here, the exact one does not.
    assert check_witness([(10**16 + 1, -1)], (1.0, 1e16), (T,))


@pytest.mark.parametrize("k", [3, 4])
def test_essential_braid_is_the_braid(k):
    assert chambers_brute(instances.essential_braid(k)) == chambers_brute(instances.braid(k))


def test_generic_and_cyclic_rows_are_in_general_position():
    assert in_general_position(instances.generic(14, 4))
    assert in_general_position(instances.moment_curve(14, 4))
    assert not in_general_position(instances.resonance(4))


def test_near_degenerate_instances_differ_from_the_limit():
    near = instances.near_degenerate()
    moved = [name for name in near if name.startswith("braid 4")]
    assert all(count_deletion_restriction(near[name]) > 120 for name in moved)


def test_nudged_floats_are_the_nudged_integers():
    for bits in (40, 50):
        floats = instances.nudged_floats(instances.braid(4), bits, seed=3)
        integers = instances.nudged(instances.braid(4), 2**bits, seed=3)
        assert exact_rows(floats) == exact_rows(integers)
