"""Bounds of the largest price hold where they can be checked, and come near in time."""

from fractions import Fraction
from itertools import count

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import functions

from arrangements import Arrangement
from cvxlayer import Problem
from cvxlayer.certificates import pricing
from cvxlayer.certificates.pricing import _relaxed, chord_bound, price, price_of
from cvxlayer.model.weights import scaled_by_power


@given(functions())
def test_the_relaxation_bounds_the_support_function(case):
    X, v = case
    h = Arrangement(X).support(v)
    bound, u = chord_bound(X, v)
    assert bound >= h.value
    assert np.linalg.norm(u) == pytest.approx(1) or not u.any()


@given(functions(), st.integers(0, 2**8 - 1), st.integers(0, 99))
def test_the_relaxation_with_sides_bounds_f_in_their_cone(case, mask, seed):
    X, v = case
    u = np.random.default_rng(seed).standard_normal(X.shape[1])
    u /= np.linalg.norm(u)
    sides = np.where([(mask >> i) & 1 for i in range(len(X))], np.sign(X @ u), 0).astype(np.int8)
    assert chord_bound(X, v, sides)[0] >= v @ np.maximum(X @ u, 0)


@given(functions())
def test_branch_and_bound_closes_the_gap(case):
    X, v = case
    h = Arrangement(X).support(v)
    value, u, _, bound = _relaxed(X, v, 1, np.inf)
    assert value <= h.bound and h.value <= bound
    assert bound == pytest.approx(h.value, rel=1e-7, abs=1e-9)
    assert value == pytest.approx(v @ np.maximum(X @ u, 0))


def test_time_makes_bounds_better(monkeypatch):
    monkeypatch.setattr(pricing.time, "monotonic", count().__next__)  # a tick for each branching
    rng = np.random.default_rng(0)
    X, v = rng.standard_normal((40, 20)), rng.standard_normal(40)
    none, some = (_relaxed(X, v, 1, end) for end in (0, 200))
    assert some[0] <= some[3] < none[3]
    assert none[0] == pytest.approx(v @ np.maximum(X @ none[1], 0))


@pytest.mark.parametrize(("n", "d", "seconds"), [(12, 3, None), (60, 12, 0), (80, 70, 0)])
def test_prices_lie_between_their_bounds(n, d, seconds):
    rng = np.random.default_rng(0)
    problem = Problem(rng.standard_normal((n, d)), rng.standard_normal(n), 0.1)
    v = problem.y
    found = price(problem, v, max_seconds=seconds)
    assert found.complete == (seconds is None)
    assert found.sign * v @ np.maximum(problem.X @ found.u, 0) == pytest.approx(found.value)
    points = rng.standard_normal((d, 2000))
    points /= np.linalg.norm(points, axis=0)
    assert np.abs(v @ np.maximum(problem.X @ points, 0)).max() <= found.value <= found.bound


def test_nothing_to_price():
    problem = Problem([[0.0, 0], [1, 1]], [1.0, 2], 0.1)
    found = price(problem, np.zeros(2))
    assert found.value == 0 and found.bound < 1e-200


@pytest.mark.parametrize("size", [1e-120, 1e-70, 1e70])
def test_no_scale_is_too_small_or_too_large(size):
    rng = np.random.default_rng(2)
    X, v = rng.standard_normal((66, 66)), rng.standard_normal(66)
    plain = price_of(Arrangement(X), X, v, max_seconds=0)
    scaled = price_of(Arrangement(X * size), X * size, v * size, max_seconds=0)
    assert scaled.bound / size / size == pytest.approx(plain.bound, rel=1e-9)
    assert np.linalg.norm(scaled.u) == pytest.approx(1)
    value = scaled.sign * (v @ np.maximum(X @ scaled.u, 0))
    assert value == pytest.approx(scaled.value / size / size, rel=1e-9)


def test_scaling_by_powers_of_two_is_exact():
    rng = np.random.default_rng(8)
    for top in (-1000, 0, 1000):
        a, b = (rng.standard_normal(9) * 2.0 ** (top + rng.integers(-20, 20, 9)) for _ in range(2))
        a[3] = 0
        scaled, e = scaled_by_power(a)
        assert 0.5 <= np.abs(scaled).max() < 1
        assert (np.ldexp(scaled, e) == a).all()
        product, e = scaled_by_power(a, b)  # which would over- or underflow
        assert 0.25 <= np.abs(product).max() < 1
        for x, y, z in zip(a.tolist(), b.tolist(), product.tolist(), strict=True):
            exact = Fraction(x) * Fraction(y) / Fraction(2) ** e
            assert abs(Fraction(z) - exact) <= abs(exact) * Fraction(2) ** -53
    assert scaled_by_power(np.zeros(2))[1] == 0
