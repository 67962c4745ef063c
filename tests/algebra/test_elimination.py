"""Laws of integer elimination, against elimination in Fractions and Leibniz's formula."""

from fractions import Fraction
from itertools import combinations, permutations
from math import gcd, prod

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from oracles import rank

from arrangements.algebra import elimination
from arrangements.algebra.elimination import (
    adjugate,
    dependent,
    echelon,
    eliminable,
    independent_columns,
    integral,
    kernel,
    primitive,
)
from arrangements.algebra.rounding import SMALL, fitted, largest, normalised, unit_rows

SIZES = st.integers(-2, 2) | st.integers(-(2**31), 2**31) | st.integers(-(10**30), 10**30)


@st.composite
def matrices(draw, smallest=0):
    """Integer matrices of every shape and rank, in int64 where they fit or not."""
    m, n = draw(st.tuples(*[st.integers(smallest, 4)] * 2))
    r = draw(st.integers(0, 3))
    entries = draw(st.sampled_from([st.integers(-2, 2), SIZES]))

    def rows(k, length):
        row = st.lists(entries, min_size=length, max_size=length)
        return np.array(draw(st.lists(row, min_size=k, max_size=k)), dtype=object).reshape(
            k, length)

    matrix = rows(m, n) if draw(st.booleans()) else rows(m, r).dot(rows(r, n))
    matrix = matrix.astype(object).reshape(m, n)
    return fitted(matrix) if draw(st.booleans()) else matrix


def brute(matrix):
    """Reduced echelon form in Fractions: rows and pivot columns."""
    rows = [[Fraction(x) for x in row] for row in matrix.tolist()]
    done, columns = [], []
    for j in range(matrix.shape[1]):
        row = next((row for row in rows if row[j]), None)
        if row is None:
            continue
        rows.remove(row)
        row = [x / row[j] for x in row]
        rows, done = ([[x - other[j] * y for x, y in zip(other, row, strict=True)]
                       for other in some] for some in (rows, done))
        done.append(row)
        columns.append(j)
    return done, columns


def determinant(rows):
    """Leibniz's sum over permutations."""
    total = 0
    for p in permutations(range(len(rows))):
        odd = sum(i > j for i, j in combinations(p, 2)) % 2
        total += (-1) ** odd * prod(rows[i][j] for i, j in enumerate(p))
    return total


def are_python_integers(array):
    return array.dtype == object and all(type(x) is int for x in array.ravel().tolist())


def kernel_faults(matrix, basis):
    """What is wrong with `basis` as the kernel's."""
    done, columns = brute(matrix)
    n = matrix.shape[1]
    free = [j for j in range(n) if j not in columns]
    if basis.shape != (n - len(columns), n) or not are_python_integers(basis):
        return ["shape or type"]
    found = []
    for u, j in zip(basis.tolist(), free, strict=True):
        exact = [Fraction(int(k == j)) for k in range(n)]
        for c, row in zip(columns, done, strict=True):
            exact[c] = -row[j]
        if gcd(*u) != 1:
            found.append("primitive")
        if u[j] <= 0 or [x * u[j] for x in exact] != u:
            found.append("vector")
    return found


@given(matrices())
@example(np.zeros((3, 2), dtype=np.int64))
@example(np.zeros((0, 3), dtype=np.int64))
@example(np.zeros((3, 0), dtype=object))
@example(np.array([[0, 2**62], [-(2**62), 2**70]], dtype=object))
def test_echelon_is_a_multiple_of_that_in_fractions(matrix):
    before = matrix.copy()
    reduced, columns, minor = echelon(matrix)
    done, expected = brute(matrix)
    assert columns.dtype == np.int64 and columns.tolist() == expected
    assert reduced.shape == (len(done), matrix.shape[1]) and are_python_integers(reduced)
    assert type(minor) is int
    assert minor != 0
    assert reduced.tolist() == [[x * minor for x in row] for row in done]
    assert (matrix == before).all()


@given(matrices())
def test_minor_is_a_determinant_in_the_pivot_columns(matrix):
    _, columns, minor = echelon(matrix)
    rows, r = matrix.tolist(), len(columns)
    minors = [determinant([[rows[i][j] for j in columns] for i in some])
              for some in combinations(range(len(rows)), r)]
    assert minor in minors if r == len(rows) else abs(minor) in map(abs, minors)


@given(matrices())
@example(np.zeros((3, 2), dtype=np.int64))
@example(np.zeros((0, 3), dtype=object))
@example(np.zeros((2, 0), dtype=np.int64))
@example(np.array([[0, 1, 2], [3, 1, 0]]))
@example(np.array([[2**62, -(2**63)]]))
def test_kernel_spans_the_null_space(matrix):
    basis = kernel(matrix)
    assert kernel_faults(matrix, basis) == []
    assert not matrix.astype(object).dot(basis.T).any()
    assert len(basis) + len(echelon(matrix)[1]) == matrix.shape[1]


@given(matrices(1), st.randoms(use_true_random=False))
def test_kernel_depends_on_the_row_space_alone(matrix, random):
    rows = matrix.astype(object)
    other = rows[random.sample(range(len(rows)), len(rows))]
    other[0] = -3 * other[0] + 2 * other[-1] if len(rows) > 1 else -3 * other[0]
    assert kernel(other).tolist() == kernel(rows).tolist()


def test_kernel_faults_refuses_wrong_bases():
    matrix = np.array([[1, 2, 0, 3], [0, 0, 1, 1]])
    basis = kernel(matrix)
    assert kernel_faults(matrix, basis) == []
    for wrong in (-basis, 2 * basis, basis[::-1], basis[:1], basis.astype(np.int64),
                  basis + np.eye(2, 4, dtype=np.int64)):
        assert kernel_faults(matrix, wrong) != []


@given(matrices(), st.sampled_from([1, -1]))
@example(np.array([[0, 1], [1, 0]]), 1)
@example(np.array([[0, 2, 1], [0, 4, 3]]), 1)
@example(np.array([[0, 0, 1], [1, 0, 0], [0, 1, 0]]), 1)
@example(np.zeros((0, 2), dtype=np.int64), 1)
@example(np.array([[-(2**62)]]), 1)
def test_adjugate_times_the_basis_is_the_determinant(matrix, sign):
    matrix = sign * matrix[independent_columns(matrix.T)].astype(object)
    adj, columns, det = adjugate(matrix)
    basis = matrix[:, columns]
    r = len(matrix)
    assert columns.tolist() == brute(matrix)[1] and adj.shape == (r, r)
    assert det == determinant(basis.tolist()) != 0
    assert are_python_integers(adj)
    assert (adj.dot(basis) == det * np.identity(r, dtype=object)).all()
    assert (basis.dot(adj) == det * np.identity(r, dtype=object)).all()
    for i in range(r):  # cofactors
        for j in range(r):
            rows = np.delete(np.delete(basis, j, axis=0), i, axis=1).tolist()
            assert adj[i, j] == (-1) ** (i + j) * determinant(rows)


@pytest.mark.parametrize("prime", [2, 3, 2**31 - 1])
@given(matrix=matrices())
@example(matrix=np.array([[0, 0], [6, 0], [0, 6]]))
@example(matrix=np.array([[0], [2**31 - 1]]))
def test_independent_columns_are_a_basis_for_any_prime(prime, matrix):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(elimination, "_PRIME", prime)
        columns = independent_columns(matrix)
    assert columns.dtype == np.int64 and columns.tolist() == sorted(columns.tolist())
    assert len(columns) == len(brute(matrix)[1]) == len(brute(matrix[:, columns])[1])


@given(matrices())
@example(np.array([[-4]]))
@example(np.array([[2**70, 2**71], [0, 0]], dtype=object))
@example(np.array([[2**62, 1]], dtype=object))
@example(np.array([[1 - 2**62, 1]], dtype=object))
def test_primitive_rows_are_coprime_and_keep_their_directions(matrix):
    result = primitive(matrix)
    assert result.shape == matrix.shape and result.flags.c_contiguous
    small = all(abs(x) < SMALL for x in result.ravel().tolist())
    assert result.dtype == (np.int64 if small else object)
    for row, out in zip(matrix.tolist(), result.tolist(), strict=True):
        assert out == [x // (gcd(*row) or 1) for x in row]


@given(st.lists(st.fractions() | SIZES, max_size=5))
def test_integral_vectors_are_the_least_in_their_directions(point):
    result = integral(point)
    assert result.shape == (len(point),) and are_python_integers(result)
    factor = next((y / Fraction(x) for x, y in zip(point, result.tolist(), strict=True) if x), 1)
    assert factor == 1 or (factor > 1 and gcd(int(factor), *result.tolist()) == 1)
    assert [x * factor for x in point] == result.tolist()


@given(matrices(1))
@example(np.array([[2**30, 0], [0, 2**30], [2**30, 1], [0, 0]]))
@example(np.array([[2**15, 0], [0, 2**15], [2**15, 1], [0, 0]]))
@example(np.array([[2**40, 2**40], [0, 0]]))
def test_dependent_sets_have_smaller_rank(matrix):
    rows = eliminable(matrix)
    k = min(matrix.shape)
    assert rows.dtype == object or all(
        2 * determinant(matrix[np.ix_(i, j)].tolist()) ** 2 < SMALL
        for t in range(k + 1)
        for i in combinations(range(len(matrix)), t)
        for j in combinations(range(matrix.shape[1]), t))
    for t in range(1, k + 1):
        sets = np.array(list(combinations(range(len(matrix)), t)))
        assert dependent(rows[sets]).tolist() == [rank(matrix[i].tolist()) < t for i in sets]


@given(matrices())
def test_fitted_integers_are_the_same(matrix):
    values = matrix.ravel().tolist()
    assert largest(matrix) == max(map(abs, values), default=0)
    assert fitted(matrix).dtype == (np.int64 if all(abs(x) < SMALL for x in values) else object)
    assert fitted(matrix).tolist() == matrix.tolist()


@given(st.lists(st.tuples(st.fractions(), st.fractions() | SIZES), max_size=4))
@example([(Fraction(10**400), -(10**399)), (0, 0)])
@example([(Fraction(1, 10**400), Fraction(1, 3 * 10**400))])
def test_normalised_vectors_are_nearest_floats(rows):
    exact = np.array(rows, dtype=object).reshape(len(rows), 2)
    expected = [[float(Fraction(x) / (max(map(abs, map(Fraction, row))) or 1)) for x in row]
                for row in rows]
    result = normalised(exact)
    assert result.dtype == np.float64 and result.tolist() == expected
    assert [normalised(row).tolist() for row in rows] == expected
    lengths = np.linalg.norm(unit_rows(exact), axis=1)
    assert np.allclose(lengths, [any(row) for row in rows], rtol=1e-15, atol=0)
