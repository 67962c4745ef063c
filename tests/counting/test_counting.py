"""Counts without enumeration: closed forms, deletion and restriction, direct sums."""

from itertools import combinations
from math import comb, prod
from random import Random

import instances
import numpy as np
import pytest
from hypothesis import given
from oracles import chambers_brute, count_deletion_restriction, cover_bound, rank
from strategies import matrices

import arrangements
from arrangements.algebra.elimination import _PRIME, kernel
from arrangements.counting.closed_forms import (
    generic_characteristic_polynomial,
    generic_f_vector,
    generic_whitney_numbers,
)
from arrangements.counting.deletion import components, deletion_restriction

full = pytest.mark.full


def chambers(polynomial):
    return sum(map(abs, polynomial))


def whitney_brute(rows, r):
    """Whitney's theorem: chi(t) = sum over subsets S of (-1)^|S| t^(r - rank S)."""
    hyperplanes = {line(row) for row in rows if any(row)}
    out = [0] * (r + 1)
    for k in range(len(hyperplanes) + 1):
        for some in combinations(sorted(hyperplanes), k):
            out[rank(list(some)) if some else 0] += (-1) ** k
    return out


def line(row):
    """A name for the hyperplane of a row."""
    g = np.gcd.reduce(np.array(row, dtype=object))
    row = tuple(int(x // g) for x in row)
    return max(row, tuple(-x for x in row))


def faces_brute(rows):
    """Faces by dimension: for every flat, the chambers of the restriction to it."""
    r, out = rank(rows), [0] * (rank(rows) + 1)
    flats = {
        tuple(rank([*some, row]) == rank(list(some)) for row in rows)
        for k in range(1, r + 1) for some in combinations(rows, k)
    }
    for flat in [(False,) * len(rows), *flats]:
        chosen = [row for row, inside in zip(rows, flat, strict=True) if inside]
        k = rank(chosen) if chosen else 0
        basis = kernel(np.array(chosen, dtype=object)).T if chosen \
            else np.eye(len(rows[0]), dtype=object)
        rest = np.array(rows, dtype=object)[~np.array(flat)].dot(basis).tolist()
        out[r - k] += count_deletion_restriction(rest) if rest else 1
    return out


def components_brute(rows):
    """Rows joined by circuits, the minimal dependent sets."""
    part = list(range(len(rows)))
    for k in range(1, rank(rows) + 2):
        for some in combinations(range(len(rows)), k):
            if all(rank([rows[i] for i in fewer]) == k - 1 for fewer in combinations(some, k - 1)) \
                    and rank([rows[i] for i in some]) == k - 1:
                old = {part[i] for i in some}
                part = [min(old) if p in old else p for p in part]
    return sorted([i for i, p in enumerate(part) if p == q] for q in set(part))





# --- closed forms


def test_closed_forms_by_hand():
    assert generic_whitney_numbers(4, 3) == [1, 4, 6, 3]
    assert generic_characteristic_polynomial(4, 3) == [1, -4, 6, -3]
    assert generic_f_vector(4, 3) == [1, 12, 24, 14]
    assert generic_f_vector(2, 2) == [1, 4, 4]
    assert generic_f_vector(5, 1) == [1, 2]
    for function in (generic_whitney_numbers, generic_f_vector, generic_characteristic_polynomial):
        assert function(0, 0) == function(7, 0) == [1]


@pytest.mark.parametrize(("n", "r", "count", "faces"), [
    (20, 3, 382, 1523), (50, 3, 2452, 9803), (30, 5, 55682, 880443), (50, 5, 463052, 7379403),
    (20, 7, 87592, 5117843), (100, 5, 7852352, None),
])
def test_published_counts_in_general_position(n, r, count, faces):
    assert sum(generic_whitney_numbers(n, r)) == count
    assert chambers(generic_characteristic_polynomial(n, r)) == count
    f = generic_f_vector(n, r)
    assert (len(f), f[0], f[-1]) == (r + 1, 1, count)
    assert faces is None or sum(f) == faces


@pytest.mark.parametrize("r", range(1, 9))
def test_boolean_arrangements(r):
    assert generic_whitney_numbers(r, r) == [comb(r, k) for k in range(r + 1)]
    assert generic_f_vector(r, r) == [comb(r, k) * 2**k for k in range(r + 1)]


@pytest.mark.parametrize(("n", "r"), [(n, r) for r in range(1, 6) for n in range(r, 9)])
def test_closed_forms_agree_with_brute_force(n, r):
    if r == 1:
        n = 1  # more rows are parallel
    rows = instances.generic(n, r, size=1000)
    assert generic_characteristic_polynomial(n, r) == whitney_brute(rows, r)
    if n < 8:
        assert generic_f_vector(n, r) == faces_brute(rows)


def test_large_closed_forms_satisfy_euler_and_cover():
    f = generic_f_vector(10**4, 10)
    assert sum((-1) ** k * x for k, x in enumerate(f)) == (-1) ** 10
    assert f[-1] == sum(generic_whitney_numbers(10**4, 10)) == cover_bound(10**4, 10)
    assert sum(generic_characteristic_polynomial(10**4, 10)) == 0


@pytest.mark.parametrize(("n", "r"), [(2, 3), (-1, 0), (3, -1), (3.0, 2), (True, 1)])
def test_impossible_sizes_are_refused(n, r):
    for function in (generic_whitney_numbers, generic_f_vector, generic_characteristic_polynomial):
        with pytest.raises(arrangements.InputError):
            function(n, r)


# --- deletion and restriction


@given(matrices(n=8, d=(1, 4)))
def test_polynomial_agrees_with_whitney(rows):
    assert deletion_restriction(np.array(rows)) == whitney_brute(rows, len(rows[0]))


@given(matrices(n=8, d=(1, 4)))
def test_number_of_chambers_agrees_with_brute_force(rows):
    assert chambers(deletion_restriction(np.array(rows))) == len(chambers_brute(rows))


@pytest.mark.parametrize("factor", [1, 2**29, 2**30, 2**31, 2**40, 2**61, 2**62, 2**63, 2**100])
def test_polynomial_of_long_integers(factor):
    """Entries on either side of what int64 holds, alone and after a restriction."""
    for rows in (instances.threshold(3), instances.type_b(3), instances.resonance(3)):
        expected = deletion_restriction(np.array(rows))
        stretched = [tuple(x * factor**(j == 0) for j, x in enumerate(row)) for row in rows]
        assert deletion_restriction(np.array(stretched, dtype=object)) == expected
        moved = instances.nudged(rows, factor, seed=1)
        assert chambers(deletion_restriction(np.array(moved, dtype=object))) == \
            count_deletion_restriction(moved)


@pytest.mark.parametrize("name", instances.near_degenerate())
def test_near_degenerate_counts(name):
    rows = instances.near_degenerate()[name]
    if len(rows) > 12:
        pytest.skip("the oracle takes seconds")
    assert chambers(deletion_restriction(np.array(rows, dtype=object))) == \
        count_deletion_restriction(rows)


@pytest.mark.parametrize("k", range(2, 9))
def test_roots_of_reflection_arrangements(k):
    """The characteristic polynomial has the exponents as roots (Arnold, Brieskorn, Solomon)."""
    for rows, roots in [
        (instances.essential_braid(k), range(1, k + 1)),
        (instances.type_b(k), range(1, 2 * k, 2)),
        (instances.type_d(k), [*range(1, 2 * k - 2, 2), k - 1]),
    ]:
        expected = np.poly(list(roots)).round()  # below 2^53
        assert deletion_restriction(np.array(rows)) == expected.tolist()


@pytest.mark.parametrize(("rows", "count"), [
    pytest.param(instances.braid(8), 362880, id="braid 8, rank below the columns"),
    pytest.param(instances.threshold(4), 1882, id="threshold 4"),
    pytest.param(instances.threshold(5), 94572, id="threshold 5"),
    pytest.param(instances.threshold(6), 15028134, id="threshold 6"),
    pytest.param(instances.resonance(5), 11292, id="resonance 5"),
    pytest.param(instances.resonance(6), 1066044, id="resonance 6"),
    pytest.param(instances.resonance(7), 347326352, id="resonance 7", marks=full),
    pytest.param(instances.generic(30, 5), 55682, id="general position 30 5"),
    pytest.param(instances.generic(50, 5), 463052, id="general position 50 5", marks=full),
    pytest.param(instances.moment_curve(50, 5), 463052, id="cyclic 50 5"),
    pytest.param(instances.generic(100, 4), 323600, id="general position 100 4", marks=full),
])
def test_published_counts(rows, count):
    assert chambers(deletion_restriction(np.array(rows))) == count


def test_three_features_of_iris():
    pytest.importorskip("sklearn")
    values, _, numbers = arrangements.data.load_table("iris", columns="0-2")
    A = arrangements.Arrangement(values, bias=True, numbers=numbers)
    assert chambers(deletion_restriction(A.data.reduction.rows)) == 898532


def test_polynomial_does_not_depend_on_order_signs_scales_and_coordinates():
    rows, random = np.array(instances.threshold(3)), np.random.default_rng(3)
    expected = deletion_restriction(rows)
    for _ in range(20):
        change = random.integers(-9, 10, size=(4, 4))
        if round(np.linalg.det(change)) == 0:
            continue
        moved = rows[random.permutation(len(rows))] @ change
        moved *= random.choice([-3, -1, 1, 2], size=(len(rows), 1))
        assert deletion_restriction(moved) == expected


def test_nothing_and_zero_rows():
    assert deletion_restriction(np.zeros((0, 0), dtype=np.int64)) == [1]
    assert deletion_restriction(np.zeros((0, 2), dtype=np.int64)) == [1, 0, 0]
    assert deletion_restriction(np.zeros((3, 2), dtype=np.int64)) == [1, 0, 0]
    assert deletion_restriction(np.array([[0], [-5], [3]])) == [1, -1]
    assert deletion_restriction(np.array([[0, 2, 0], [0, -1, 0]])) == [1, -1, 0, 0]


def test_multiplicities_beyond_64_bits():
    """22! chambers: equal restrictions occur more often than int64 can say."""
    assert chambers(deletion_restriction(np.array(instances.essential_braid(21)))) == \
        prod(range(1, 23))


@pytest.mark.parametrize("rows", [[[0.5, 1.0]], [1, 2], [["1", "2"]], [[None, 1]]])
def test_other_things_than_integers_are_refused(rows):
    for function in (deletion_restriction, components):
        with pytest.raises(arrangements.InputError, match="integers"):
            function(np.array(rows))


# --- direct sums


@given(matrices(n=8, d=(1, 4)))
def test_components_agree_with_circuits(rows):
    found = [part.tolist() for part in components(np.array(rows))]
    assert found == components_brute(rows)


def direct_sum(parts, seed=0):
    """Rows of a direct sum in common coordinates and mixed order, and which part each is of."""
    r = sum(len(part[0]) for part in parts)
    random, rows, owner, at = Random(seed), [], [], 0
    change = [[int(i == j) or random.randint(-3, 3) * (i < j) for j in range(r)] for i in range(r)]
    for k, part in enumerate(parts):
        for row in part:
            padded = [0] * at + list(row) + [0] * (r - at - len(row))
            rows.append([sum(x * c[j] for x, c in zip(padded, change, strict=True))
                         for j in range(r)])
            owner.append(k)
        at += len(part[0])
    order = random.sample(range(len(rows)), len(rows))
    return [rows[i] for i in order], [owner[i] for i in order]


def test_direct_sums_multiply():
    parts = [instances.threshold(3), instances.essential_braid(3), [(1,)], instances.generic(6, 3)]
    rows, owner = direct_sum(parts)
    expected = 104 * 24 * 2 * cover_bound(6, 3)
    assert chambers(deletion_restriction(np.array(rows))) == expected
    found = components(np.array(rows))
    assert [{owner[i] for i in part} for part in found] == [{owner[part[0]]} for part in found]
    assert sorted(np.concatenate(found).tolist()) == list(range(len(rows)))
    assert len(found) == len(parts)


def test_components_of_long_integers():
    rows, owner = direct_sum([instances.generic(20, 3, size=2**80), instances.generic(20, 3)], 1)
    found = components(np.array(rows, dtype=object))
    assert [[owner[i] for i in part] for part in found] == [[owner[part[0]]] * 20 for part in found]
    assert len(found) == 2


def test_components_where_a_prime_misleads():
    """Rows that are dependent modulo the prime of the rank computation, and only there."""
    p = _PRIME
    assert len(components(np.array([[1, 0], [1, p]]))) == 2
    assert len(components(np.array([[1, 0], [p, 1], [0, 1]]))) == 1
    assert deletion_restriction(np.array([[1, 0], [1, p], [1, 2 * p]])) == [1, -3, 2]
    assert deletion_restriction(np.array([[0, 0], [p, 0], [0, p]])) == [1, -2, 1]
