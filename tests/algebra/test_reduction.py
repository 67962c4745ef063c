"""Laws of the exact reduction: rank, columns, classes; near misses of the prime and of floats."""

import math
from fractions import Fraction
from itertools import combinations

import awkward
import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from oracles import rank
from strategies import SMALL, integer_rows

from arrangements import Arrangement, NumericalRankWarning
from arrangements.algebra import elimination
from arrangements.algebra.numbers import exact_matrix
from arrangements.algebra.reduction import reduce_rows

P = 2**31 - 1  # the prime of the module


def reduce(rows, bias=False):
    return reduce_rows(exact_matrix(rows, bias=bias, numbers="binary"))


def parallel(a, b):
    return all(a[i] * b[j] == a[j] * b[i] for i, j in combinations(range(len(a)), 2))


def faults(rows, result):
    """Return what is wrong with `result` as the reduction of nonempty integer rows."""
    n, d = len(rows), len(rows[0])
    columns = result.columns.tolist()
    found = []
    if (result.n, result.d) != (n, d) or not result.rank == len(columns) == rank(rows):
        return ["shape or rank"]
    if columns != sorted(set(columns)) or rank([[x[j] for j in columns] for x in rows]) != len(
        columns
    ):
        found.append("columns")
    kept = result.rows.tolist()
    m = len(kept)
    if result.rows.shape != (m, len(columns)) or any(math.gcd(*row) != 1 for row in kept):
        found.append("rows")
    small = all(abs(x) < 2**62 for row in kept for x in row)
    if result.rows.dtype != (np.int64 if small else object):
        found.append("dtype")
    if result.class_of.dtype != np.int32 or result.orientation.dtype != np.int8:
        found.append("dtype of the classes")
    classes, signs = result.class_of.tolist(), result.orientation.tolist()
    expected: list[list] = []
    for i, row in enumerate(rows):
        if not any(row):
            if (classes[i], signs[i]) != (-1, 0):
                found.append(f"zero row {i}")
            continue
        k = next((k for k, first in enumerate(expected) if parallel(first, row)), len(expected))
        if k == len(expected):
            expected.append(row)
        sign = next(1 if x * y > 0 else -1 for x, y in zip(row, expected[k], strict=True) if x)
        if (classes[i], signs[i]) != (k, sign):
            found.append(f"class of row {i}")
    if m != len(expected):
        found.append("number of classes")
    else:
        # Column scales are positive, so they keep the signs of entries, not their ratios.
        scale = result.column_scale
        for row, first in zip(kept, expected, strict=True):
            product = [x * scale[j] for x, j in zip(row, columns, strict=True)]
            ratios = {
                Fraction(first[j]) / y if y else -(first[j] != 0)
                for y, j in zip(product, columns, strict=True)
                if y or first[j]
            }
            if len(ratios) != 1 or min(ratios) <= 0:
                found.append(f"representative {row}")
    return found


@given(integer_rows(SMALL, 7, 5))
@example([[0, 0], [0, 0]])
@example([[0]])
@example([[-3]])
@example([[1, 2], [-1, -2], [2, 4], [0, 0], [1, 2]])
@example([[0, 0, 1, 0], [0, 0, 0, 2], [0, 0, 1, 1]])
@example([[1, 2, 3, 4, 5]])
@example([[2**70, 2**70 + 1], [-(2**70), -(2**70) - 1], [0, 1]])
def test_reduction_equals_its_definition(rows):
    assert faults(rows, reduce(rows)) == []


@given(integer_rows(st.integers(-(10**30), 10**30) | st.integers(-1, 1), 7, 5))
def test_reduction_equals_its_definition_on_long_integers(rows):
    assert faults(rows, reduce(rows)) == []


@given(integer_rows(st.sampled_from([0, 1, -1, P, -P, 2 * P, P + 1, P * P, P * P + 1]), 7, 5))
@example([[1, 0], [1, P]])
@example([[1, 1], [P + 1, 1], [1, 1]])
@example([[1, 0, 0], [1, P, 0], [1, 2 * P, 0], [1, 0, 0]])
@example([[1, 0, 0, 0], [1, P, 0, 0], [1, 0, P, 0], [1, P, P, 0]])
@example([[P, 1], [0, 1]])
def test_no_prime_divisor_misleads(rows):
    assert faults(rows, reduce(rows)) == []


@pytest.mark.parametrize("prime", [2, 3, 5])
@given(integer_rows(SMALL, 7, 5))
def test_any_prime_gives_the_right_reduction(prime, rows):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(elimination, "_PRIME", prime)
        assert faults(rows, reduce(rows)) == []


@given(integer_rows(SMALL, 7, 5), st.data())
def test_columns_are_the_first_independent_ones(rows, data):
    columns = reduce(rows).columns.tolist()
    first = [
        j
        for j in range(len(rows[0]))
        if rank([row[: j + 1] for row in rows]) > (rank([row[:j] for row in rows]) if j else 0)
    ]
    assert columns == first


@given(integer_rows(SMALL, 7, 5), st.lists(st.integers(1, 10**20), min_size=7, max_size=7))
def test_reduction_invariant_under_positive_row_scaling(rows, factors):
    a = reduce(rows)
    b = reduce([[k * x for x in row] for k, row in zip(factors, rows, strict=False)])
    assert a.columns.tolist() == b.columns.tolist()
    assert a.class_of.tolist() == b.class_of.tolist()
    assert a.orientation.tolist() == b.orientation.tolist()


def test_rank_hangs_on_one_digit():
    big = 10**40
    assert reduce([[big, big + 1], [big + 1, big + 2]]).rank == 2
    assert reduce([[big, 2 * big], [big + 1, 2 * big + 2]]).rank == 1
    x = 0.1
    assert reduce([[x, 1.0], [3 * x, 3.0]]).rank == 2  # 3 * 0.1 rounds up
    assert reduce([[x, 1.0], [2 * x, 2.0]]).rank == 1


def test_the_last_row_can_raise_the_rank():
    rows = np.zeros((3000, 4), dtype=np.int64)
    rows[:, 0] = np.arange(1, 3001)
    rows[:, 2] = 2 * rows[:, 0] + 1
    rows[2998, 3] = 1
    rows[2999, 1] = P
    result = reduce(rows)
    assert result.rank == 4 and result.columns.tolist() == [0, 1, 2, 3]
    rows[2998, 3] = 0
    assert reduce(rows).columns.tolist() == [0, 1, 2]


def test_scales_cost_no_rank():
    X = np.array([[1e-150, 2e150], [3e-150, 6e150], [1e-150, 1e150], [-1e-150, -2e150]])
    result = reduce(X)
    # Only doubling is exact: 3e-150 / 1e-150 and 6e150 / 2e150 differ as binary numbers.
    assert result.rank == 2 and result.class_of.tolist() == [0, 1, 2, 0]
    assert result.orientation.tolist() == [1, 1, 1, -1]


def test_many_rows_meet_few_hyperplanes():
    rng = np.random.default_rng(0)
    base = np.array([[1, 2, 0, 3], [0, 1, 1, 1], [2, 0, -5, 1], [0, 0, 0, 0]])
    pick, factor = rng.integers(0, 4, 5000), rng.integers(1, 9, 5000) * rng.choice([-1, 1], 5000)
    result = reduce(base[pick] * factor[:, None])
    assert result.rows.shape == (3, 3)
    for k in range(3):
        assert len(set(result.class_of[pick == k].tolist())) == 1
        ratio = result.orientation[pick == k] * np.sign(factor[pick == k])
        assert len(set(ratio.tolist())) == 1
    assert set(result.class_of[pick == 3].tolist()) == {-1}


def test_faults_refuses_wrong_reductions():
    from dataclasses import replace

    rows = [[0, 1, 2], [0, -1, -2], [1, 1, 1], [0, 0, 0]]
    good = reduce(rows)
    assert faults(rows, good) == []
    for change in (
        {"rank": 1},
        {"rank": 3},
        {"columns": np.array([1, 2, 0])[:2]},
        {"columns": np.array([1, 1])},
        {"rows": -good.rows},
        {"rows": 2 * good.rows},
        {"rows": good.rows.astype(object)},
        {"class_of": good.class_of[::-1].copy()},
        {"orientation": np.abs(good.orientation)},
    ):
        assert faults(rows, replace(good, **change)) != []


@pytest.mark.parametrize("shape", [(60, 3), (60, 5), (9, 4), (200, 8)])
def test_numerical_rank_is_the_rank_of_odd_but_honest_data(shape):
    for name, X in awkward.corpus(*shape).items():
        for bias in (False, True):
            found = reduce(X, bias)
            if name in ("condition 1e+12", "condition 1e+15"):
                continue
            assert found.numerical_rank() == found.rank, name


@pytest.mark.parametrize("power", [0, -1000, 300])
@pytest.mark.parametrize(("n", "d", "k"), [(7, 7, 4), (50, 6, 5), (300, 12, 3)])
def test_numerical_rank_is_that_before_rounding(n, d, k, power):
    rng = np.random.default_rng(k)
    X = rng.standard_normal((n, k)) @ rng.standard_normal((k, d))
    X[:, 0] = np.ldexp(X[:, 0], power)  # no column is too small to count
    printed = np.array([[float(f"{x:.15g}") for x in row] for row in X.tolist()])
    for rows in (X, printed):
        found = reduce(rows)
        assert (found.rank, found.numerical_rank()) == (min(n, d), k)
        with pytest.warns(NumericalRankWarning, match="pass tol=1e-9"):
            Arrangement(rows)


def test_integers_are_never_taken_for_rounded_data(recwarn):
    rows = [[10**15, 10**15 + 1], [1, 1]]
    assert Arrangement(rows).rank == 2
    assert Arrangement(np.array(rows) / 3, tol=1e-9).rank == 2
    assert not recwarn.list
