"""Maxima of v.(Xu)_+ against the projection of every chamber, one by one."""

import instances
import numpy as np
import pytest
from descent import residual
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import lsq_linear, nnls
from strategies import functions

from arrangements import Arrangement, CapacityError, InputError
from arrangements.ellipsoid.support import Euclidean, support

CLOSE = 1e-9


def projection_by_nnls(normals, c):
    return c + normals.T @ nnls(normals.T, -c)[0] if len(normals) else c


def projection_by_bvls(normals, c):
    return c + normals.T @ lsq_linear(normals.T, -c, (0, np.inf), method="bvls").x


def chamber_maxima(X, patterns, v):
    """Values and points of max of v.(Xu)_+ over the closure of each chamber and the unit ball."""
    values, points = [], []
    for pattern in patterns:
        c = X.T @ (pattern * v)
        normals = np.where(pattern, 1, -1)[:, None] * X
        normals = normals[np.abs(normals).max(axis=1) > 0]
        # lengths and repetitions mislead scipy's methods more often
        normals = np.unique((normals / np.linalg.norm(normals, axis=1)[:, None]).round(14), axis=0)
        for method in (projection_by_nnls, projection_by_bvls):
            u = method(normals, c)
            if abs(u @ (u - c)) < 1e-10 and (normals @ u).min(initial=0) > -1e-9:
                break
        else:
            raise AssertionError("no method projects this onto the chamber")
        values.append(np.linalg.norm(u))
        points.append(u / (values[-1] or 1.0))
    return np.array(values), np.array(points)


def local_maxima(X, patterns, v):
    """Values and points of the local maxima that are positive: no chamber at the point has more."""
    values, points = chamber_maxima(X, patterns, v)
    found = []
    for value, u in zip(values, points, strict=True):
        around = ((np.where(patterns, 1, -1) * (X @ u)) >= -1e-7).all(axis=1)
        seen = any(np.abs(u - other).max() < 1e-6 for _, other in found)
        if value > 1e-9 and values[around].max() <= value + 1e-9 and not seen:
            found.append((value, u))
    return sorted(found, key=lambda pair: -pair[0])


@given(functions())
def test_largest_value_is_that_of_all_chambers(case):
    X, v = case
    A = Arrangement(X)
    patterns = A.dichotomies()
    bits = patterns.to_numpy()
    both = [chamber_maxima(X, bits, sign * v)[0] for sign in (1, -1)]
    one, two = A.support(v), A.support(v, both=True)
    assert one.value == pytest.approx(both[0].max(), abs=CLOSE)
    assert two.value == pytest.approx(max(both[0].max(), both[1].max()), abs=CLOSE)
    assert both[0].max() - 1e-12 <= one.bound <= one.value + CLOSE
    assert both[(1 - two.sign) // 2].max() == pytest.approx(two.value, abs=CLOSE)
    for found, sign in ((one, 1), (two, two.sign)):
        assert found.complete
        assert sign * v @ np.maximum(X @ found.u, 0) == pytest.approx(found.value, abs=CLOSE)
        assert np.linalg.norm(found.u) == pytest.approx(1) or found.value < CLOSE
        at = patterns.index(found.pattern)
        assert both[(1 - sign) // 2][at] == pytest.approx(found.value, abs=CLOSE)


@given(functions(), st.floats(0, 1.2))
def test_local_maxima_are_all_found(case, share):
    X, v = case
    A = Arrangement(X)
    patterns = A.dichotomies().to_numpy()
    above = share * A.support(v, both=True).value
    found = A.support(v, above=above)
    expected = sorted(
        ((value, sign) for sign in (1, -1)
         for value, _ in local_maxima(X, patterns, sign * v)), reverse=True)
    values = np.array([value for value, _ in expected])
    near = np.abs(values - above) < 1e-8 * (1 + above)     # either way will do
    wanted = values[(values > above) & ~near]
    assert found.complete
    # at ridges of equal height one point may stand for many
    for value in wanted:
        assert np.abs(found.values - value).min() < CLOSE
    for value in found.values:
        assert np.abs(values - value).min() < CLOSE
    assert (np.diff(found.values) <= 1e-12).all()
    assert len(found) == len(found.points) == len(found.signs) == len(found.dichotomies)
    for u, sign, value in zip(found.points, found.signs, found.values, strict=True):
        assert sign * v @ np.maximum(X @ u, 0) == pytest.approx(value, abs=CLOSE)


@pytest.mark.parametrize("seed", range(4))
def test_a_threshold_and_a_limit_agree_with_the_whole(seed):
    X, v = residual(40, 3, seed)
    A = Arrangement(X)
    whole = A.support(v, above=0)
    largest = A.support(v, both=True)
    assert whole.values[0] == pytest.approx(largest.value, rel=1e-12)
    assert whole.sign == largest.sign and np.allclose(whole.u, largest.u)
    assert whole.bound <= whole.values[0] * (1 + 1e-9)
    k = len(whole) // 2
    some = A.support(v, limit=k)
    assert not some.complete and len(some) == k
    assert some.values == pytest.approx(whole.values[:k], rel=1e-10)
    above = whole.values[k] * (1 + 1e-9)
    beyond = A.support(v, above=above)
    assert beyond.complete and len(beyond) == k
    assert beyond.values == pytest.approx(whole.values[:k], rel=1e-10)
    assert beyond.bound >= whole.values[0]
    none = A.support(v, above=whole.values[0] * 1.01)
    assert len(none) == len(none.dichotomies) == 0 and none.complete
    # a point on the way up, whose value may be the same but for its rounding
    assert none.value <= whole.values[0] + none.error + whole.error
    assert none.bound == pytest.approx(whole.values[0] * 1.01, rel=1e-9)
    threads = A.support(v, above=above, n_jobs=2)
    assert threads.values == pytest.approx(beyond.values, rel=1e-12)
    assert threads.dichotomies == beyond.dichotomies


@pytest.mark.parametrize(("n", "d"), [(20, 3), (14, 4), (10, 5)])
def test_residuals_against_all_chambers(n, d):
    X, v = residual(n, d, n)
    A = Arrangement(X)
    patterns = A.dichotomies().to_numpy()
    for sign in (1, -1):
        value = chamber_maxima(X, patterns, sign * v)[0].max()
        found = A.support(sign * v)
        assert found.value == pytest.approx(value, rel=1e-10)
        # the oracle's value has the rounding errors of its least squares
        assert value * (1 - 1e-10) <= found.bound <= value * (1 + 1e-9)


def test_degenerate_families():
    rng = np.random.default_rng(5)
    for rows in (instances.braid(4), instances.threshold(3), instances.type_b(3)):
        X = np.asarray(rows)
        A = Arrangement(X)
        patterns = A.dichotomies().to_numpy()
        for v in (rng.normal(size=len(X)), rng.integers(-2, 3, len(X)).astype(float)):
            values = chamber_maxima(X, patterns, v)[0]
            assert A.support(v).value == pytest.approx(values.max(), abs=CLOSE)


def test_scales_and_bias():
    X, v = residual(15, 3, 0)
    A, B = Arrangement(X), Arrangement(1e6 * X)
    assert B.support(1e-3 * v).value == pytest.approx(1e3 * A.support(v).value)
    scales = np.array([1e-2, 1, 1e2])
    C = Arrangement(X * scales, bias=True)
    patterns = C.dichotomies().to_numpy()
    wide = np.column_stack([X * scales, np.ones(15)])
    assert C.support(v).value == pytest.approx(chamber_maxima(wide, patterns, v)[0].max())
    # too thin for the method of the oracle: only the certificate
    thin = np.array([1e-6, 1, 1e5])
    h = Arrangement(X * thin, bias=True).support(v)
    assert h.value <= h.bound <= h.value * (1 + 1e-9)


def test_rank_below_the_features_and_many_features():
    rng = np.random.default_rng(0)
    X, v = residual(12, 3, 2)
    mixed = X.round(2) @ rng.integers(-2, 3, (3, 6))
    A = Arrangement(mixed, numbers="decimal")
    h = A.support(v)
    assert abs(np.linalg.norm(h.u) - 1) < 1e-12
    values = chamber_maxima(mixed, A.dichotomies().to_numpy(), v)[0]
    assert h.value == pytest.approx(values.max(), rel=1e-9)
    # few samples, many features: every pattern is a chamber
    X = rng.normal(size=(14, 14))
    v = rng.normal(size=14)
    h = Arrangement(X).support(v, max_seconds=2)
    assert h.value <= h.bound and h.value > 0
    assert Euclidean(Arrangement(X).data).n_cones() == 15


def test_time_that_runs_out_leaves_a_true_bound():
    X, v = residual(200, 6, 0)
    A = Arrangement(X)
    short = A.support(v, max_seconds=0)
    assert not short.complete and short.value <= short.bound
    longer = A.support(v, max_seconds=0.5)
    assert longer.value <= short.bound * (1 + 1e-12)
    assert short.value <= longer.bound * (1 + 1e-12)


def test_climbing_finds_local_maxima_only():
    X, v = residual(30, 3, 1)
    A = Arrangement(X)
    every = A.support(v, above=0)
    found = A.local_maxima(v, 300, rng=0)
    assert len(found) > 5 and found.bound == np.inf and not found.complete
    for value, sign in zip(found.values, found.signs, strict=True):
        assert np.abs(every.values[every.signs == sign] - value).min() < 1e-9
    assert found.value == pytest.approx(every.value)
    again = A.local_maxima(v, found.points, both=False, above=found.values[1] * (1 - 1e-9))
    for value in again.values:
        assert np.abs(found.values - value).min() < CLOSE
    assert (again.signs == 1).all()
    assert len(A.local_maxima(v, np.zeros((2, 3)))) == 0
    with pytest.raises(InputError, match="starts"):
        A.local_maxima(v, [[1.0, 2.0]])


def test_zero_data_and_no_gain():
    h = Arrangement([[0, 0], [0, 0]]).support([1.0, -1.0])
    assert h.value == 0 and h.bound >= 0 and h.pattern.tolist() == [True, True]
    assert Arrangement([[0, 0]]).support([1.0], above=0).complete
    h = Arrangement([[1, 0], [0, 1]]).support([-1.0, -1.0])
    assert h.value == 0 and not h.u.any() and len(h.pattern) == 2
    assert 0 <= h.bound < 1e-12


def test_progress_is_drawn_on_stderr(capsys, monkeypatch):
    X, v = residual(60, 5, 0)
    from arrangements import progress as _progress

    times = iter(range(0, 10**6, 20))
    monkeypatch.setattr(_progress.time, "monotonic", lambda: float(next(times)))
    Arrangement(X).support(v, progress=True)
    assert "search" in capsys.readouterr().err


@pytest.mark.parametrize(("arguments", "what"), [
    (([1.0],), "v"),
    (([1.0, np.nan],), "v"),
    ((["a", "b"],), "v"),
    (([[1.0, 2.0]],), "v"),
    (([1.0, 2j],), "v"),
    (([1.0, 2.0], {"above": -1}), "above"),
    (([1.0, 2.0], {"above": np.inf}), "above"),
    (([1.0, 2.0], {"limit": 0}), "limit"),
    (([1.0, 2.0], {"limit": 1.5}), "limit"),
    (([1.0, 2.0], {"max_seconds": -1}), "max_seconds"),
    (([1.0, 2.0], {"n_jobs": 0}), "n_jobs"),
])
def test_what_is_refused(arguments, what):
    v, *options = arguments
    with pytest.raises(InputError, match=what):
        support(Arrangement([[1, 0], [0, 1]]), v, **(options[0] if options else {}))


def test_refusals_of_the_arrangement():
    with pytest.raises(InputError, match="tol"):
        Arrangement([[1.0]], tol=1e-9).support([1.0])
    with pytest.raises(CapacityError, match="rank 65"):
        Arrangement(np.eye(65, dtype=int)).support(np.ones(65))
    with pytest.raises(InputError, match="fit floats"):
        Arrangement([[10**400]]).support([1.0])


def negative_functions():
    """Rows and weights of functions that are negative on the unit sphere."""
    rows = np.random.default_rng(0).standard_normal((100, 4))
    for seed in range(3):
        v = np.random.default_rng(seed).standard_normal(100) - 1.2
        yield pytest.param(rows, v, id=f"shifted weights {seed}")
    for noise in (0, 1e-13, 1e-9):
        twins = rows.copy()
        twins[60:] = rows[:40] + noise * np.random.default_rng(1).standard_normal((40, 4))
        yield pytest.param(twins, np.random.default_rng(5).standard_normal(100), id=f"{noise} off")
    yield pytest.param(np.vstack([rows[:50], rows[:50], -rows[:5]]),
                       np.repeat([1.0, -1.0], [50, 55]), id="zero in some directions")


@pytest.mark.parametrize(("X", "v"), list(negative_functions()))
def test_zero_is_proven_in_few_cones(X, v):
    h = Arrangement(X).support(v)
    assert h.complete
    assert h.value == 0
    assert 0 <= h.bound <= 3 * h.error <= 1e-9
    assert h.n_screened <= 1000  # not every chamber, for bounds of zero but for rounding


@pytest.mark.parametrize("exponent", [-1000, -800, -500, 300, 900])
def test_no_scale_is_too_small_or_too_large(exponent):
    """Squares of the weights would underflow to zero, or overflow."""
    rng = np.random.default_rng(1)
    X, v = rng.standard_normal((15, 3)), rng.standard_normal(15)
    plain, A = Arrangement(X).support(v, both=True), Arrangement(X)
    scaled = A.support(np.ldexp(v, exponent), both=True)
    assert scaled.value == np.ldexp(plain.value, exponent)
    assert np.ldexp(plain.bound, exponent) <= scaled.bound
    assert scaled.bound <= np.ldexp(plain.bound, exponent) * (1 + 1e-9)
    assert (scaled.u == plain.u).all()
    other = Arrangement(np.ldexp(X, exponent // 3)).support(v, both=True)
    assert other.value == pytest.approx(np.ldexp(plain.value, exponent // 3), rel=1e-12)
    tiny = Arrangement(np.ldexp(X, -max(exponent, 550))).support(v, both=True)
    assert tiny.value == pytest.approx(np.ldexp(plain.value, -max(exponent, 550)), rel=1e-12)
    assert tiny.bound >= np.ldexp(plain.value - plain.error, -max(exponent, 550))
    some = A.local_maxima(np.ldexp(v, exponent), 20, rng=0).values
    assert (some == np.ldexp(A.local_maxima(v, 20, rng=0).values, exponent)).all()
