"""Random chambers: exact patterns, none twice, with the distribution that is promised."""

from collections import Counter
from fractions import Fraction

import instances
import numpy as np
import oracles
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import matrices

from arrangements import Arrangement, InputError
from arrangements.chambers import sampling
from arrangements.chambers.sampling import (
    _gaussian,
    _orthonormal,
    _sides,
    _walk,
    sample_dichotomies,
)

METHODS = ("gaussian", "walk")
CASES = {
    "generic": instances.generic(7, 3),
    "braid 3": instances.braid(3),
    "threshold 2": instances.threshold(2),
    "ties and zero rows": [(1, 0), (0, 0), (2, 0), (-1, 0), (0, 3), (1, 1), (-2, -2)],
    "rank 1": [(2, 4), (0, 0), (-1, -2)],
    "rank 0": [(0, 0), (0, 0)],
    "one row": [(0, -3)],
    "more columns than rows": [(1, 2, 3, 4), (0, 1, 0, -1), (2, 4, 6, 8)],
    "decimals": [(Fraction(1, 10), Fraction(3, 7)), (Fraction(2, 3), Fraction(-1, 5))],
    "scales apart": [(1e-80, 1e80), (-3e-80, 1e80), (1e-80, 5e80)],
}


def judged(rows, sample):
    """The sample's patterns, each found to be that of its witness in Fractions."""
    exact = [[Fraction(x) for x in row] for row in rows]
    D = sample.dichotomies
    patterns = [tuple(p.tolist()) for p in D]
    assert len(set(patterns)) == len(patterns)
    assert D.witness_found.all()
    for u, pattern in zip(D.witnesses.tolist(), patterns, strict=True):
        assert oracles.check_witness(exact, u, pattern)
    assert sample.counts.shape == (len(D),) and (sample.counts > 0).all()
    assert sample.counts.sum() == sample.n_draws
    return set(patterns)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("rows", CASES.values(), ids=CASES)
def test_as_many_as_there_are_is_all_of_them(rows, method):
    A = Arrangement(rows)
    p = len(oracles.chambers_brute(oracles.exact_rows(rows)))
    sample = sample_dichotomies(A, p, rng=1, method=method, max_draws=10**5)
    # Where columns differ so much, most chambers are too thin to be hit by a direction.
    if rows is not CASES["scales apart"] or method == "walk":
        assert sample.complete
        assert judged(rows, sample) == oracles.chambers_brute(oracles.exact_rows(rows))
    more = sample_dichotomies(A, p + 1, rng=1, method=method, max_draws=2000)
    assert not more.complete and judged(rows, more)


@pytest.mark.parametrize("method", METHODS)
@given(rows=matrices(n=7, d=(3, 3)), seed=st.integers(0, 2**32))
def test_every_pattern_is_a_chamber(rows, seed, method):
    sample = sample_dichotomies(Arrangement(rows), 5, seed, method=method, max_draws=200)
    assert judged(rows, sample) <= oracles.chambers_brute(rows)
    assert len(sample) <= 5 and sample.complete == (len(sample) == 5)


@pytest.mark.parametrize("method", METHODS)
def test_near_degenerate_data_give_chambers_only(method):
    for name, rows in instances.near_degenerate().items():
        if len(rows) < 8:
            sample = sample_dichotomies(Arrangement(rows), 40, 0, method=method, max_draws=500)
            assert judged(rows, sample) <= oracles.chambers_brute(rows), name


def shares(draws, rows, count):
    """Share of each pattern of the rows among at least `count` draws of a generator."""
    found = []
    while len(found) < count:
        _, positive, inside = next(draws)
        found += map(tuple, positive[inside].tolist())
    assert len(positive[0]) == len(rows)
    return {pattern: k / len(found) for pattern, k in Counter(found).items()}


def test_directions_fall_in_chambers_by_solid_angle():
    # Half-planes at 0, 45 and 60 degrees: chambers of 45, 15 and 120 degrees, and their opposites.
    rows = [(0.0, 1.0), (-1.0, 1.0), (-np.sqrt(3), 1.0)]
    found = shares(_gaussian(Arrangement(rows), 5000, np.random.default_rng(1)), rows, 60_000)
    degrees = {(True, False, False): 45, (True, True, False): 15, (True, True, True): 120}
    for pattern, angle in degrees.items():
        for one in (pattern, tuple(not bit for bit in pattern)):
            assert found[one] == pytest.approx(angle / 360, abs=0.01)


def test_walk_meets_all_chambers_of_a_plane_equally():
    # In rank 2 the only great circle is cut into the chambers, however thin.
    rows = [(1.0, 0.0), (0.0, 1.0), (1e-9, 1.0), (1.0, 1e-12), (1.0, 1.0)]
    found = shares(_walk(Arrangement(rows), np.random.default_rng(1)), rows, 30_000)
    assert sorted(found.values()) == pytest.approx([0.1] * 10, abs=0.01)


def test_first_steps_of_walks_meet_chambers_as_random_planes_do():
    # A plane meets 6 of the 8 orthants, each equally often.
    rows = [(1, 0, 0), (0, 1, 0), (0, 0, 1)]
    rng = np.random.default_rng(1)
    starts = (next(_walk(Arrangement(rows), rng)) for _ in range(300))
    assert sorted(shares(starts, rows, 300 * 64).values()) == pytest.approx([1 / 8] * 8, abs=0.01)


def test_one_segment_in_2m_is_that_of_the_walk():
    rows = [(1, 0, 0), (0, 1, 0), (0, 0, 1)]
    draws = _walk(Arrangement(rows), np.random.default_rng(1))
    steps = np.array([next(draws)[1] for _ in range(300)])
    assert (steps[1:] == steps[:-1]).all(axis=2).mean() == pytest.approx(1 / 6, abs=0.01)
    assert (steps[1:] != steps[:-1]).all(axis=2).mean() == pytest.approx(1 / 6, abs=0.01)


def test_points_on_hyperplanes_are_left_out(monkeypatch):
    A = Arrangement([(1, 1), (1, 0)])
    points = np.array([(1.0, -1.0), (2.0, 1.0), (0.0, 1.0), (3.0, 1.0), (-1.0, 3.0), (-1.0, 0.0)])
    signs = A.data.signs
    monkeypatch.setattr(sampling, "_gaussian", lambda *_: iter([(points, *_sides(signs, points))]))
    sample = sample_dichotomies(A, 3)
    assert sample.dichotomies.witnesses.tolist() == [[2.0, 1.0], [-1.0, 3.0], [-1.0, 0.0]]
    assert sample.counts.tolist() == [2, 1, 1] and sample.n_draws == 4 and sample.complete
    few = sample_dichotomies(A, 3, max_draws=3)
    assert len(few) == few.n_draws == 1 and not few.complete


@pytest.mark.parametrize("method", METHODS)
def test_a_seed_fixes_the_sample_and_more_is_a_continuation(method):
    A = Arrangement(instances.generic(30, 4))
    few, again = (sample_dichotomies(A, 20, 5, method=method) for _ in range(2))
    assert few.dichotomies.packed.tolist() == again.dichotomies.packed.tolist()
    assert few.counts.tolist() == again.counts.tolist()
    more = sample_dichotomies(A, 40, np.random.default_rng(5), method=method)
    assert more.dichotomies.packed[:20].tolist() == few.dichotomies.packed.tolist()
    assert len(more) == 40 and more.complete


def test_known_number_of_chambers_ends_the_search():
    A = Arrangement(instances.threshold(2))
    assert A.count_dichotomies() == 14
    sample = sample_dichotomies(A, 1000, 0, max_draws=10**9)
    assert len(sample) == 14 and not sample.complete


def test_no_chambers_asked_for_or_no_draws_allowed():
    A = Arrangement(instances.threshold(2))
    for m, draws in ((0, None), (3, 0)):
        sample = sample_dichotomies(A, m, 0, max_draws=draws)
        assert (len(sample), sample.n_draws, sample.complete) == (0, 0, m == 0)
        assert sample.dichotomies.witnesses.shape == (0, 3)
    assert sample_dichotomies(A, 14, 0, max_draws=3).n_draws <= 3


def test_signs_at_points_on_and_next_to_hyperplanes():
    rows = [(1, 1, 0), (3, -1, 2), (0, 0, 7), (10**30, 1, -(10**30))]
    e = 2.0**-52
    points = np.array([
        [1.0, -1.0, 1.0], [1.0, -1 - e, 1.0], [1.0, -1 + e, 1.0], [1.0, 3.0, e], [1.0, 3.0, 0.0],
        [1.0, 3.0 + 2 * e, e], [1.0, 1e-300, 1.0], [1.0, -1e-300, 1.0], [1e-310, 1e-310, 1e-310],
        [np.nan, 1.0, 1.0], [np.inf, 1.0, 1.0], [1e300, 1e300, -1e300],
    ])
    positive, inside = _sides(Arrangement(rows).data.signs, points)
    for u, found, ok in zip(points.tolist(), positive.tolist(), inside.tolist(), strict=True):
        if not np.isfinite(u).all():
            assert not ok
            continue
        values = [sum(x * Fraction(y) for x, y in zip(row, u, strict=True)) for row in rows]
        assert ok == all(values)
        if ok:
            assert found == [value > 0 for value in values]


@pytest.mark.parametrize("scale", [1.0, 1e-120, 1e160, 1e-290])
def test_signs_with_columns_of_any_scale(scale):
    rows = [(scale, 1.0), (-3 * scale, 1.0), (scale, -7.0), (0.1 * scale, 0.7)]
    points = np.random.default_rng(0).standard_normal((50, 2)) / np.array([scale, 1.0])
    positive, inside = _sides(Arrangement(rows).data.signs, points)
    assert inside.all()
    for u, found in zip(points.tolist(), positive.tolist(), strict=True):
        assert found == [sum(Fraction(x) * Fraction(y) for x, y in zip(row, u, strict=True)) > 0
                         for row in rows]


def test_orthonormal_coordinates_and_their_fallback():
    rows = np.random.default_rng(0).standard_normal((9, 3)) * [1e-8, 1.0, 1e8]
    q, back = _orthonormal(rows)
    assert q.T @ q == pytest.approx(np.eye(3), abs=1e-12)
    assert rows @ back.T == pytest.approx(q, abs=1e-9)
    flat = np.array([[1.0, 1.0], [2.0, 2.0]])
    q, back = _orthonormal(flat)
    assert flat @ back.T == pytest.approx(q)


@pytest.mark.parametrize("arguments", [
    {"m": -1}, {"m": 2.5}, {"m": True}, {"max_draws": -1}, {"max_draws": "many"}, {"method": "x"},
    {"rng": "seed"}, {"rng": -1},
])
def test_bad_arguments_are_refused(arguments):
    with pytest.raises(InputError, match=next(iter(arguments))):
        sample_dichotomies(Arrangement([[1, 0], [0, 1]]), **{"m": 2} | arguments)


def test_tol_is_refused():
    with pytest.raises(InputError, match="tol"):
        sample_dichotomies(Arrangement([[1.0, 0.0], [0.0, 1.0]], tol=1e-9), 2)
