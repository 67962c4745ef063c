"""Bases inverted in pairs of floats: bounds hold; signs of all stages are those of fractions."""

from fractions import Fraction
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arrangements import Arrangement
from arrangements.walk import pairs, tables
from arrangements.walk.enumeration import Enumeration, Geometry

UNIT = Fraction(1, 2**53)


def exact_coordinates(basis, vector):
    """x with x B = a, by elimination; None where B is singular."""
    r = len(vector)
    M = [[Fraction(basis[s][i]) for s in range(r)] + [Fraction(vector[i])] for i in range(r)]
    for k in range(r):
        p = next((i for i in range(k, r) if M[i][k]), None)
        if p is None:
            return None
        M[k], M[p] = M[p], M[k]
        M[k] = [x / M[k][k] for x in M[k]]
        for i in range(r):
            if i != k:
                M[i] = [x - M[i][k] * y for x, y in zip(M[i], M[k], strict=True)]
    return [row[-1] for row in M]


def sign(x):
    return (x > 0) - (x < 0)


def walk_of(rows):
    """A walk whose vectors are `rows`, as they are, and its numbered vectors."""
    A = Arrangement(rows)
    reduction = A.data.reduction
    t = tables.build(reduction)
    vectors = [tuple(int(x) for x in row) for row in reduction.rows]
    vectors += [tuple(int(i == j) for j in range(t.r)) for i in range(t.r)]
    return Enumeration(Geometry(t)), vectors, t.r


def nearly_dependent(random, r, n, bits):
    """Integer rows of which any r + 1 are 2^-bits from a row that depends on the others."""
    rows = [[random.randint(-9, 9) for _ in range(r)] for _ in range(n)]
    for k in range(r, n):
        a, b = random.sample(range(k), 2)
        rows[k] = [random.choice([1, 2]) * x + y for x, y in zip(rows[a], rows[b], strict=True)]
    return [[(x << bits) + random.randint(-1, 1) for x in row] for row in rows]


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 9), st.sampled_from([0, 20, 45, 52, 60, 90]))
def test_coordinates_lie_within_their_bounds(seed, r, bits):
    """|x - x'| <= the bound, which is small where the basis is well-conditioned."""
    random = Random(seed)
    rows = nearly_dependent(random, r, r + 4, bits) if r > 1 else [[3], [-5], [7]]
    shift = max(abs(x).bit_length() for row in rows for x in row)
    high = np.array([[x / 2**shift for x in row] for row in rows])
    low = np.array([
        [float(Fraction(x, 2**shift) - Fraction(h)) for x, h in zip(row, hs, strict=True)]
        for row, hs in zip(rows, high.tolist(), strict=True)])
    basis = random.sample(range(len(rows)), r)
    for vector in range(len(rows)):
        found = pairs.coordinates(high, low, basis, vector)
        exact = exact_coordinates([rows[s] for s in basis], rows[vector])
        if found is None:
            continue
        assert exact is not None
        for x, (a, b, e) in zip(exact, found, strict=True):
            assert abs(x - Fraction(a) - Fraction(b)) <= Fraction(e)
            assert abs(Fraction(b)) <= UNIT * abs(Fraction(a))


@pytest.mark.parametrize("r", [2, 5, 12])
def test_bounds_of_random_bases_are_small(r):
    high = np.random.default_rng(r).standard_normal((r + 3, r))
    found = pairs.coordinates(high, np.zeros_like(high), range(r), r + 1)
    assert max(e for _, _, e in found) < 1e-24


def test_a_singular_basis_has_no_inverse():
    high = np.array([[1.0, 2, 3], [4, 5, 6], [7, 8, 9]])
    assert pairs.coordinates(high, np.zeros_like(high), range(3), 0) is None


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 2**32), st.integers(2, 6), st.sampled_from([0, 3, 30, 52, 60, 80, 130, 700]))
def test_signs_are_those_of_fractions(seed, r, bits):
    """In a basis and after an exchange, whichever stage decides."""
    random = Random(seed)
    rows = nearly_dependent(random, r, r + 4, bits)
    if Arrangement(rows).rank < r:
        return
    E, vectors, r = walk_of(rows)
    for _ in range(12):
        basis = random.sample(range(len(vectors)), r)
        j, v = random.sample(range(len(vectors)), 2)
        c, s = random.randrange(r), random.randrange(r)
        B = [vectors[k] for k in basis]
        x, y = exact_coordinates(B, vectors[v]), exact_coordinates(B, vectors[j])
        if x is None:
            continue
        assert E.sign(basis, s, v) == sign(x[s])
        if y[c] != 0:
            after = x[c] / y[c] if s == c else x[s] - x[c] / y[c] * y[s]
            assert E.sign(basis, s, v, (c, j)) == sign(after)


@pytest.mark.parametrize(("bits", "stage"), [(20, "filter"), (60, "filter"), (130, "exact")])
@pytest.mark.parametrize("hair", [-1, 0, 1])
def test_the_cheapest_stage_that_can_decides(bits, stage, hair):
    """u + v + w + a hair in one coordinate, in the basis u, v, w, e: the hair alone counts."""
    size, n = 3**81, 2**bits
    rows = [(size * n, n, 0, 1), (n, size * n, n, 0), (0, 7 * n, size * n, 5), (3, 1, 2, size * n)]
    rows.append(tuple(x + y + z for x, y, z in zip(*rows[:3], strict=True)))
    rows[-1] = (*rows[-1][:3], rows[-1][3] + hair)
    E, vectors, _ = walk_of(rows)
    x = exact_coordinates(vectors[:4], vectors[4])
    assert sign(x[3]) == hair
    before = E.stats
    assert E.sign(range(4), 3, 4) == hair
    # short numbers: the integer det(basis) x is below 1; long ones need residues to be zero
    assert {k for k in before if E.stats[k] != before[k]} == {"exact"} if not hair else {stage}


def test_short_zeros_need_no_residues():
    rows = [(1000003, 1, 5, 2), (3, 1000033, 8, 1), (2, 7, 1000037, 9), (1, 5, 3, 1000039)]
    rows.append(tuple(x + y + z for x, y, z in zip(*rows[:3], strict=True)))
    E, _, _ = walk_of(rows)
    assert E.sign(range(4), 3, 4) == 0
    assert E.stats == {"filter": 0, "separation": 1, "exact": 0}
