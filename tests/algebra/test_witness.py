"""Laws of exact interior points: inside when given, and None only for empty cones."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from oracles import chambers_brute

from arrangements.algebra import witness
from arrangements.algebra.witness import _alternative, _float_attempt, interior_point


def inside(rows, signs, u):
    """Whether u is a list of Fractions with every signed product positive."""
    return all(type(x) is Fraction for x in u) and all(
        s * sum(a * x for a, x in zip(row, u, strict=True)) > 0
        for s, row in zip(signs, rows, strict=True)
    )


def is_certificate(cone, y):
    """Whether y >= 0, y != 0 and y @ cone == 0, which no u with cone @ u > 0 allows."""
    zero = all(
        sum(x * row[j] for x, row in zip(y, cone, strict=True)) == 0 for j in range(len(cone[0]))
    )
    return len(y) == len(cone) and min(y) >= 0 and any(y) and zero


def signed_rows(entries, m=7, r=4):
    return st.integers(1, r).flatmap(
        lambda k: st.lists(
            st.tuples(
                st.lists(entries, min_size=k, max_size=k).filter(any), st.sampled_from([-1, 1])
            ),
            min_size=1,
            max_size=m,
        )
    )


small = st.integers(-3, 3)
long = st.integers(-(10**40), 10**40) | small


@given(signed_rows(small))
@example([([1], 1), ([1], -1)])
@example([([1], 1), ([-2], -1)])
@example([([1, 0], 1), ([0, 1], 1), ([1, 1], -1)])
def test_a_point_is_found_exactly_where_a_chamber_is(case):
    rows, signs = [row for row, _ in case], [s for _, s in case]
    u = interior_point(np.array(rows), signs)
    chamber = tuple(s > 0 for s in signs) in chambers_brute(rows)
    assert (u is not None) == chamber
    assert u is None or inside(rows, signs, u)


@given(signed_rows(long))
def test_either_a_point_or_a_certificate(case):
    cone = [[s * x for x in row] for row, s in case]
    u, y = _alternative(cone)
    assert (u is None) != (y is None)
    assert inside(cone, [1] * len(cone), u) if y is None else is_certificate(cone, y)


@given(signed_rows(long), st.data())
def test_signs_of_a_point_have_a_point(case, data):
    rows = [row for row, _ in case]
    point = data.draw(st.lists(long, min_size=len(rows[0]), max_size=len(rows[0])))
    products = [sum(a * x for a, x in zip(row, point, strict=True)) for row in rows]
    keep = [i for i, x in enumerate(products) if x]
    rows = [rows[i] for i in keep]
    signs = [1 if products[i] > 0 else -1 for i in keep]
    if rows:
        assert inside(rows, signs, interior_point(np.array(rows, dtype=object), signs))


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("r", [2, 4, 6])
def test_every_stage_alone_is_right_on_random_data(seed, r):
    rng = np.random.default_rng(seed)
    rows = rng.integers(-1000, 1001, (60, r))
    signs = np.where(rows @ rng.integers(-1000, 1001, r) > 0, 1, -1)
    cone = (rows * signs[:, None]).tolist()
    everywhere = [1] * len(cone)
    assert inside(cone, everywhere, _float_attempt(cone))
    assert inside(cone, everywhere, _alternative(cone)[0])
    blocked = [*cone, [-sum(column) for column in zip(*cone, strict=True)]]
    assert interior_point(np.array(blocked), [1] * len(blocked)) is None
    assert is_certificate(blocked, _alternative(blocked)[1])


@pytest.mark.parametrize("digits", [1, 8, 20, 100, 400])
def test_needles_of_any_thinness(digits):
    b = 10**digits
    for needle in (
        [[1, 0], [1 - b, 1]],
        [[-b, 1], [b + 1, -1]],
        [[-b, b + 1], [b + 1, -b - 2]],
        [[-b * b, 1, 0], [b * b + 1, -1, 0], [0, -b, 1], [0, b + 1, -1]],
    ):
        rows = np.array(needle, dtype=object)
        signs = [1] * len(rows)
        u = interior_point(rows, signs)
        assert inside(needle, signs, u)
        closed = [*needle, [-x - y for x, y in zip(*needle[:2], strict=True)]]
        assert interior_point(np.array(closed, dtype=object), [1, *signs]) is None


@pytest.mark.parametrize("digits", [20, 150, 400])
def test_scales_of_rows_and_columns_change_nothing(digits):
    rows = np.random.default_rng(1).integers(-9, 10, (20, 4)).astype(object)
    rows = rows[[row @ [3, -7, 11, 23] != 0 for row in rows]]
    signs = [1 if row @ [3, -7, 11, 23] > 0 else -1 for row in rows]
    rows *= np.array([1, 10**digits, 1, 10 ** (digits // 2)], dtype=object)
    rows[::2] *= 10**digits
    assert inside(rows.tolist(), signs, interior_point(rows, signs))


@pytest.mark.parametrize("digits", [20, 150, 400])
def test_long_integers_of_one_size_need_no_exact_simplex(digits):
    rows = np.random.default_rng(1).integers(-(10**6), 10**6, (20, 4)).astype(object)
    rows = rows * 10**digits + 1
    cone = [row if sum(row) > 0 else [-x for x in row] for row in rows.tolist()]
    assert inside(cone, [1] * len(cone), _float_attempt(cone))


@pytest.mark.parametrize("k", [3, 4, 5])
def test_the_simplex_method_ends_on_degenerate_vertices(k):
    # The orders of k numbers, every hyperplane through a common line: ties at every step.
    pairs = [(i, j) for i in range(k) for j in range(i)]
    rows = np.array([[(c == i) - (c == j) for c in range(k)] for i, j in pairs])
    signs = [1 if (i + j) % 3 else -1 for i, j in pairs]
    cone = (rows * np.array(signs)[:, None]).tolist()
    u, y = _alternative(cone * 3)
    assert inside(cone, [1] * len(cone), u) if y is None else is_certificate(cone * 3, y)
    forward = rows.tolist()
    assert inside(forward, [1] * len(rows), _alternative(forward)[0])


def test_without_rows_the_origin_is_inside():
    assert interior_point(np.zeros((0, 3), dtype=np.int64), []) == [Fraction(0)] * 3


def test_zero_rows_are_positive_nowhere():
    assert interior_point(np.array([[0, 0], [1, 0]]), [1, 1]) is None
    assert interior_point(np.zeros((2, 0), dtype=np.int64), [1, 1]) is None


def test_unused_columns_are_no_obstacle():
    assert inside([[1, 0, 2]], [-1], interior_point(np.array([[1, 0, 2]]), [-1]))


@pytest.mark.parametrize("answer", [None, "wrong"])
def test_a_failing_float_attempt_costs_only_time(monkeypatch, answer):
    import scipy.optimize

    def failing(*args, **kwargs):
        x = None if answer is None else np.full(3, np.nan)
        return scipy.optimize.OptimizeResult(x=x)

    monkeypatch.setattr(scipy.optimize, "linprog", failing)
    assert _float_attempt([[1, 2]]) is None
    assert inside([[1, 2]], [1], interior_point(np.array([[1, 2]]), [1]))


def test_signs_and_integers_can_be_numpy_scalars():
    rows = np.array([[np.int64(2), 1], [-1, np.int8(3)]], dtype=object)
    u = interior_point(rows, np.array([1, -1], dtype=np.int8))
    assert inside([[2, 1], [-1, 3]], [1, -1], u)


def test_points_on_or_behind_a_hyperplane_are_refused():
    assert witness._is_interior([[2, 1]], [Fraction(1, 3), Fraction(-1, 2)])
    assert not witness._is_interior([[2, 1]], [Fraction(1, 2), Fraction(-1)])
    assert not witness._is_interior([[2, 1]], [Fraction(1, 2), Fraction(-3, 2)])
