"""Lower bounds of the number of chambers from residues modulo a prime."""

import instances
import numpy as np
import pytest
from hypothesis import given
from oracles import count_deletion_restriction, cover_bound
from strategies import matrices

from arrangements import Arrangement
from arrangements.counting import residues
from arrangements.counting.deletion import deletion_restriction
from arrangements.counting.projections import three_whitney_numbers


def whole_projective_space(s, q):
    codes = np.arange(q**s)
    return residues._points(np.stack([codes // q**c % q for c in range(s)], axis=1), q)


@pytest.mark.parametrize(("s", "q"), [(3, 2), (3, 5), (4, 2), (4, 3), (5, 2)])
def test_all_points_have_the_known_characteristic_polynomial(s, q):
    points = whole_projective_space(s, q)
    assert len(points) == (q**s - 1) // (q - 1)
    w = np.ones(1, dtype=object)  # chi(t) = (t - 1)(t - q)...(t - q^(s-1))
    for i in range(s):
        w = np.convolve(w, np.array([1, q**i], dtype=object))
    assert [1, *three_whitney_numbers(points, q)] == w[:4].tolist()
    assert residues._bound(s, q, w[:4].tolist()) == residues._all_points(s, q)


@given(matrices(n=8, d=(3, 5)))
def test_never_more_than_brute_force_counts_modulo_any_prime(X):
    rows = Arrangement(X).data.reduction.rows
    s = rows.shape[1]
    if s < 3:
        return
    p = count_deletion_restriction(rows.tolist())
    for q in (2, 3, 5, 7, 11, 13):
        w = [1, *three_whitney_numbers(residues._points(rows, q), q)]
        assert residues._bound(s, q, w) <= p
    assert 0 <= residues.least_chambers(rows, 10**6) <= p


@pytest.mark.parametrize(("m", "r"), [(8, 3), (12, 4), (9, 4)])
def test_the_number_itself_where_the_residues_have_the_same_flats(m, r):
    rows = Arrangement(instances.small_integers(m, r, high=1)).data.reduction.rows
    q = 127  # no minor is a multiple of it
    w = three_whitney_numbers(residues._points(rows, q), q)
    exact = [abs(x) for x in deletion_restriction(rows)]
    assert [1, *w] == exact[:4]
    assert residues._bound(r, q, [1, *w]) == sum(exact)


@pytest.mark.parametrize("r", [6, 7, 9])
def test_hundreds_of_rows_have_at_least_a_thousandth_of_covers_bound_of_rank_six(r):
    rows = np.random.default_rng(r).integers(-10**6, 10**6, size=(200, r))
    assert cover_bound(200, 6) / 1000 < residues.least_chambers(rows, 0) < cover_bound(200, r)
