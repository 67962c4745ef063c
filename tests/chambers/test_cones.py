"""Laws of cones: facets are the flips, rays the edges, projections optimal, refusals proved."""

import pickle
from decimal import Decimal
from fractions import Fraction
from itertools import combinations, product
from math import gcd, hypot, lcm, nextafter

import instances
import numpy as np
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from oracles import chambers_brute, check_witness, exact_rows, fraction
from scipy.optimize import linprog, nnls
from strategies import SMALL, matrices

from arrangements import Arrangement, InputError
from arrangements.algebra.numbers import exact_matrix, exact_vector
from arrangements.algebra.witness import interior_point
from arrangements.chambers import cone as cones
from arrangements.chambers import polyhedra
from arrangements.chambers.cone import cone, facet_rows
from arrangements.errors import NotAChamberError


def dot(a, b):
    return sum(x * y for x, y in zip(a, b, strict=True))


def read(X, *, decimal=False, bias=False):
    """X as Fractions."""
    return [[fraction(x, decimal=decimal) for x in row] + [Fraction(1)] * bias for row in X]


def direction(row):
    """Primitive integers along a vector of numbers."""
    scale = lcm(*(Fraction(x).denominator for x in row))
    row = [int(x * scale) for x in row]
    factor = gcd(*row) or 1
    return tuple(x // factor for x in row)


def flipped(rows, pattern, i):
    """The pattern with the bits of the rows parallel to row i flipped."""
    line = {direction(rows[i]), direction([-x for x in rows[i]])}
    return tuple(b ^ (direction(row) in line) for row, b in zip(rows, pattern, strict=True))


def facets_brute(rows, pattern, chambers):
    """First rows of the classes whose flip is a chamber."""
    found = {}
    for i, row in enumerate(rows):
        if any(row) and flipped(rows, pattern, i) in chambers:
            found.setdefault(flipped(rows, pattern, i), i)
    return sorted(found.values())


def kernel_brute(rows, d):
    """Basis of {u : row.u = 0} by elimination in Fractions."""
    rows = [[Fraction(x) for x in row] for row in rows]
    pivots = []
    for j in range(d):
        k = len(pivots)
        i = next((i for i in range(k, len(rows)) if rows[i][j]), None)
        if i is None:
            continue
        rows[k], rows[i] = rows[i], rows[k]
        rows[k] = [x / rows[k][j] for x in rows[k]]
        rows = [row if i == k else [x - row[j] * y for x, y in zip(row, rows[k], strict=True)]
                for i, row in enumerate(rows)]
        pivots.append(j)
    out = []
    for j in (j for j in range(d) if j not in pivots):
        u = [Fraction(int(c == j)) for c in range(d)]
        for k, c in enumerate(pivots):
            u[c] = -rows[k][j]
        out.append(u)
    return out


def images(rows, vectors):
    """Directions of X u: what is left of vectors u beside the lineality."""
    return [direction([dot(row, u) for row in rows]) for u in vectors]


def rays_brute(rows, pattern):
    """Images of the extreme rays: what r - 1 rows vanish on, where the signs are right."""
    d = len(rows[0])
    signed = [[x if b else -x for x in row] for row, b in zip(rows, pattern, strict=True)]
    r = d - len(kernel_brute(signed, d))
    found = set()
    for some in combinations([row for row in signed if any(row)], max(r - 1, 0)):
        line = [u for u in kernel_brute(some, d) if any(dot(row, u) for row in signed)]
        if len(set(images(signed, line)) | set(images(signed, [[-x for x in u] for u in line]))
               ) != 2 or len(kernel_brute(some, d)) != d - r + 1:
            continue
        for sign in (1, -1):
            u = [sign * x for x in line[0]]
            if all(dot(row, u) >= 0 for row in signed):
                found.add(images(rows, [u])[0])
    return found


def check(X, pattern, chambers, *, decimal=False, bias=False):
    """A cone against brute force."""
    rows = read(X, decimal=decimal, bias=bias)
    d = len(rows[0])
    A = Arrangement(X, bias=bias, numbers="decimal" if decimal else "binary")
    C = cone(A, np.array(pattern))
    assert check_witness(rows, C.interior_point, pattern)
    assert C.facets.tolist() == facets_brute(rows, pattern, chambers)
    rays = images(rows, C.rays_exact.tolist())
    assert len(set(rays)) == len(rays)
    assert set(rays) == rays_brute(rows, pattern)
    assert all(direction(u) == tuple(u) for u in C.rays_exact.tolist())
    flat = C.lineality_exact.tolist()
    assert len(flat) == d - A.rank and not kernel_brute(zip(*flat, strict=True), len(flat))
    assert all(dot(row, u) == 0 for row in rows for u in flat)
    assert C.rays.shape == C.rays_exact.shape and C.lineality.shape == (len(flat), d)
    for exact, rounded in ((C.rays_exact, C.rays), (C.lineality_exact, C.lineality)):
        for u, v in zip(exact.tolist(), rounded.tolist(), strict=True):
            assert [float(Fraction(x, max(map(abs, u)))) for x in u] == v
    for u in C.rays_exact.tolist():
        assert C.contains(u)
    for u in flat:
        assert C.contains(u) and C.contains([-x for x in u])
    return C


DEGENERATE = {
    "braid 3": instances.braid(3),
    "braid 4": instances.essential_braid(4),
    "type B 3": instances.type_b(3),
    "threshold 3": instances.threshold(3),
    "generic": instances.generic(7, 4),
    "moment curve": instances.moment_curve(8, 3),
    "orthant": np.identity(4, dtype=int).tolist(),
    "all kinds of rows": [(0, 0, 0), (1, 2, 3), (-2, -4, -6), (0, 1, 0), (1, 2, 3), (1, 3, 3),
                          (0, -1, 0), (2, 4, 6), (1, 1, 1), (0, 0, 0)],
    "rank two of four": [(1, 1, 2, 0), (0, 1, 1, 0), (1, 0, 1, 0), (-2, 1, -1, 0)],
    "one line": [(0, 2), (0, -3), (0, 5)],
    "one number": [(3,), (0,), (-4,)],
    "long": instances.generic(6, 3, size=10**60),
    "scales": [(10**200, 1, 0), (0, 10**-9, 1), (10**200, 1, 10**-30), (-1, 3, 0.5)],
} | instances.one_ulp()


def test_the_oracles_on_a_quadrant():
    rows = [(1, 0), (0, 1), (1, 1), (-2, 0)]
    pattern = (True, True, True, False)
    assert facets_brute(rows, pattern, chambers_brute(rows)) == [0, 1]
    assert rays_brute(rows, pattern) == {(1, 0, 1, -2), (0, 1, 1, 0)}
    assert kernel_brute([(1, 1, 0), (2, 2, 0)], 3) == [[-1, 1, 0], [0, 0, 1]]


@pytest.mark.parametrize("name", DEGENERATE)
def test_cones_of_degenerate_data(name):
    X = DEGENERATE[name]
    chambers = chambers_brute(exact_rows(X))
    for pattern in sorted(chambers)[:: 1 + len(chambers) // 8]:
        check(X, pattern, chambers)


@pytest.mark.full
@pytest.mark.parametrize("name", DEGENERATE)
def test_every_cone_of_degenerate_data(name):
    X = DEGENERATE[name]
    chambers = chambers_brute(exact_rows(X))
    for pattern in chambers:
        check(X, pattern, chambers)


NEAR = instances.near_degenerate()


@pytest.mark.parametrize("name", [name for k, name in enumerate(sorted(NEAR)) if k % 7 == 0])
def test_facets_a_hair_away_from_degenerate_data(name):
    D = Arrangement(NEAR[name]).dichotomies()
    chambers = set(map(tuple, D.to_numpy().tolist()))
    for pattern in sorted(chambers)[:: 1 + len(chambers) // 8]:
        facets = cone(D.arrangement, pattern).facets.tolist()
        assert facets == facets_brute(NEAR[name], pattern, chambers)


@pytest.mark.full
@pytest.mark.parametrize("name", sorted(NEAR))
def test_every_facet_a_hair_away_from_degenerate_data(name):
    D = Arrangement(NEAR[name]).dichotomies()
    chambers = set(map(tuple, D.to_numpy().tolist()))
    for pattern in sorted(chambers)[:: 1 + len(chambers) // 60]:
        facets = cone(D.arrangement, pattern).facets.tolist()
        assert facets == facets_brute(NEAR[name], pattern, chambers)


tenths = st.integers(-20, 20).map(lambda k: k / 10)
mixed = SMALL | st.floats(-1e3, 1e3) | st.fractions(max_denominator=9) | st.integers(-9**50, 9**50)


@given(matrices(d=(1, 4)), st.data())
def test_cones_of_small_integers(X, data):
    chambers = chambers_brute(exact_rows(X))
    check(X, data.draw(st.sampled_from(sorted(chambers))), chambers)


@given(matrices(tenths | mixed, n=5), st.booleans(), st.booleans(), st.data())
def test_cones_of_decimals_and_mixed_numbers(X, bias, decimal, data):
    chambers = chambers_brute(exact_rows(X, bias=bias, decimal=decimal))
    pattern = data.draw(st.sampled_from(sorted(chambers)))
    check(X, pattern, chambers, decimal=decimal, bias=bias)


@pytest.mark.parametrize(("n", "r"), [(60, 2), (100, 5), (30, 8)])
def test_facets_are_the_flips_that_have_a_point(n, r):
    X = np.random.default_rng(r).normal(size=(n, r))
    C = cone(Arrangement(X), X @ np.ones(r) >= 0)
    rows, signs = C.arrangement.data.reduction.rows, np.where(C.pattern, 1, -1)
    for i in range(n):
        other = np.where(np.arange(n) == i, -signs, signs)
        assert (i in C.facets) == (interior_point(rows, other.tolist()) is not None)


@pytest.mark.full
def test_facets_of_many_rows():
    X = np.random.default_rng(0).normal(size=(1000, 10))
    C = cone(Arrangement(X), X @ np.ones(10) >= 0)
    signed = X * np.where(C.pattern, 1, -1)[:, None]
    for i in range(1000):
        others = signed[np.setdiff1d(C.facets, i)]
        outside = linprog(signed[i], A_ub=-others, b_ub=np.zeros(len(others)), bounds=(-1, 1))
        assert (i in C.facets) == (outside.fun < -1e-9)


def zero_residual(A, b):
    return np.zeros(A.shape[1]), np.zeros(len(b))


def wrong_residual(A, b):
    return np.ones(A.shape[1]), np.random.default_rng(A.shape[1]).normal(size=len(b))


def wrong_support(A, b):
    return np.arange(A.shape[1]) + 1.0, np.zeros(len(b))


def unsettled(A, b):
    raise ArithmeticError


@pytest.mark.parametrize("proposal", [zero_residual, wrong_residual, wrong_support, unsettled])
@pytest.mark.parametrize("name", ["braid 4", "threshold 3", "generic"])
def test_wrong_floats_cost_only_time(monkeypatch, proposal, name):
    A = Arrangement(DEGENERATE[name])
    patterns = A.dichotomies()[::9]
    right = [cone(A, p).facets.tolist() for p in patterns]
    monkeypatch.setattr(polyhedra, "bounded_least_squares", proposal)
    assert [cone(A, p).facets.tolist() for p in patterns] == right
    monkeypatch.setattr(np.linalg, "lstsq", lambda a, b, rcond: (np.zeros((len(b), b.shape[1])),))
    assert [cone(A, p).facets.tolist() for p in patterns] == right


@given(matrices(d=(1, 4)), st.data())
def test_facets_do_not_depend_on_the_point(X, data):
    A = Arrangement(X)
    r = A.data.reduction
    w = data.draw(st.lists(st.integers(-10**9, 10**9), min_size=A.rank, max_size=A.rank))
    values = [dot(row, w) for row in r.rows.tolist()]
    assume(all(values))
    signs = [1 if x > 0 else -1 for x in values]
    middle = interior_point(r.rows, signs)
    assert facet_rows(r.rows, signs, w) == facet_rows(r.rows, signs, middle)


def test_a_point_outside_is_refused():
    with pytest.raises(ValueError, match="inside"):
        facet_rows(np.array([[1, 0], [0, 1]]), [1, 1], [1, 0])


@pytest.mark.parametrize("k", [3, 4, 5])
def test_cross_polytopes_have_degenerate_rays(k):
    # The cone over a cube's polar: 2^k facets, 2 k rays, 2^(k-1) facets through each.
    X = [(1, *signs) for signs in product((1, -1), repeat=k)]
    C = cone(Arrangement(X), [True] * len(X))
    assert len(C.facets) == 2**k
    assert sorted(C.rays.tolist()) == sorted(
        [1.0, *(s * float(i == j) for j in range(k))] for i in range(k) for s in (1, -1))
    cube = cone(Arrangement(C.rays_exact), [True] * len(C.rays_exact))
    assert len(cube.facets) == 2 * k and len(cube.rays) == 2**k


# Refusals


def check_proof(rows, pattern, error):
    total = [Fraction(0)] * len(rows[0])
    assert list(error.rows) == sorted(set(error.rows)) and error.rows
    for i, weight in zip(error.rows, error.weights, strict=True):
        assert type(weight) is Fraction and weight > 0
        sign = 1 if pattern[i] else -1
        total = [t + weight * sign * x for t, x in zip(total, rows[i], strict=True)]
    assert not any(total)
    if not any(rows[error.rows[0]]):
        assert len(error.rows) == 1 and not pattern[error.rows[0]]


@pytest.mark.parametrize("name", DEGENERATE)
def test_every_other_pattern_is_refused_with_a_proof(name):
    X = DEGENERATE[name]
    chambers, rows = chambers_brute(exact_rows(X)), read(X)
    A = Arrangement(X)
    patterns = sorted(set(product((False, True), repeat=len(X))) - chambers)
    for pattern in patterns[:: 1 + len(patterns) // 20]:
        with pytest.raises(NotAChamberError, match="pattern must be") as caught:
            cone(A, pattern)
        check_proof(rows, pattern, caught.value)


@given(matrices(tenths | mixed, n=5), st.booleans(), st.booleans(), st.data())
@example([(0.1, 0.2), (0.3, 0.6)], False, True, None)
@example([(0.1, 0.2), (0.3, 0.6)], False, False, None)
def test_proofs_hold_for_the_data_as_given(X, bias, decimal, data):
    n = len(X)
    pattern = data.draw(st.tuples(*[st.booleans()] * n)) if data else (True, False)
    rows = read(X, bias=bias, decimal=decimal)
    A = Arrangement(X, bias=bias, numbers="decimal" if decimal else "binary")
    chamber = pattern in chambers_brute(exact_rows(X, bias=bias, decimal=decimal))
    try:
        cone(A, pattern)
    except NotAChamberError as error:
        assert not chamber
        check_proof(rows, pattern, error)
    else:
        assert chamber


def test_proofs_are_short_and_named():
    A = Arrangement([(0, 0), (2, 0), (0, 3), (-4, 0), (1, 1)])
    for pattern, rows, weights in [
        ((0, 1, 1, 0, 1), (0,), (1,)),
        ((1, 1, 1, 1, 1), (1, 3), (2, 1)),
        ((1, 1, 1, 0, 0), (1, 2, 4), (3, 2, 6)),
    ]:
        with pytest.raises(NotAChamberError) as caught:
            cone(A, pattern)
        assert (caught.value.rows, caught.value.weights) == (rows, weights)
    assert "x_1, x_2, -x_4 is zero" in str(caught.value)
    with pytest.raises(NotAChamberError, match="1 at sample 0, got 0; row 0 of X is zero"):
        cone(A, (0, 1, 1, 0, 1))
    again = pickle.loads(pickle.dumps(caught.value))
    assert (str(again), again.rows, again.weights) == (
        str(caught.value), caught.value.rows, caught.value.weights)
    assert isinstance(again, InputError)


def test_long_proofs_are_cut_in_the_message():
    X = [*np.identity(8, dtype=int).tolist(), [-1] * 8]
    with pytest.raises(NotAChamberError, match="x_5 and 3 more is zero") as caught:
        cone(Arrangement(X), [True] * 9)
    assert caught.value.rows == tuple(range(9))


def test_patterns_are_read_as_dichotomies_read_them():
    A = Arrangement(instances.generic(10, 3))
    D = A.dichotomies()
    for pattern in (D[3], D[3].astype(int), D[3].tolist(), D.packed[3], D.packed[3].tobytes()):
        assert cone(A, pattern).pattern.tolist() == D[3].tolist()
    for bad, message in [
        (D[3][:-1], "length 10"), (D[3].astype(float), "0 and 1"), (D[3] + 1, "0 and 1"),
        (np.array([1, 255], dtype=np.uint8), "zero after bit 9"), (3, "length 10"),
        ("0101010101", "length 10"),
    ]:
        with pytest.raises(InputError, match=message) as caught:
            cone(A, bad)
        assert not isinstance(caught.value, NotAChamberError)
    with pytest.raises(InputError, match="tol"):
        cone(Arrangement([[1.0]], tol=1e-9), [1])


# Membership


def test_membership_is_exact_at_the_boundary():
    C = cone(Arrangement([(1, 0, 0), (0, 3, 0), (1, 1, -1)]), [1, 1, 1])
    assert C.contains([0, 0, 0]) and C.contains([0.1, 0.2, 0.1 + 0.2 - 2**-54])
    assert not C.contains([0.1, 0.2, 0.1 + 0.2])  # which is more than the sum of the two floats
    assert C.contains([Fraction(1, 10), Decimal("0.2"), Fraction(3, 10)])
    assert C.contains(np.array([5e-324, 0, 0])) and not C.contains([-5e-324, 0, 0])
    assert C.contains([-5e-324, 0, 0], tol=1e-300)


@given(matrices(mixed, n=5), st.data())
def test_membership_is_that_of_every_row(X, data):
    rows, d = read(X), len(X[0])
    pattern = data.draw(st.sampled_from(sorted(chambers_brute(exact_rows(X)))))
    C = cone(Arrangement(X), pattern)
    u = data.draw(st.tuples(*[mixed] * d) | st.sampled_from([*C.rays_exact.tolist(), [0] * d]))
    exact = [fraction(x) for x in u]
    inside = all(dot(row, exact) * (1 if b else -1) >= 0
                 for row, b in zip(rows, pattern, strict=True))
    assert C.contains(u) == inside


def test_tolerance_is_a_distance():
    C = cone(Arrangement([(3000, 4000), (0, 1e-3)]), [1, 1])
    assert C.contains([-5, 0], tol=3.001) and not C.contains([-5, 0], tol=2.999)
    assert C.contains([1, -2], tol=2.001) and not C.contains([1, -2], tol=1.999)


# Projection


def check_projection(C, c, tolerance=1e-9):
    """Whether point and multipliers satisfy the conditions that only the nearest point does."""
    rows = [[float(x) for x in C.arrangement.data.matrix.row(i)] for i in C.facets.tolist()]
    signs = np.where(C.pattern[C.facets], 1, -1)
    signed = np.array(rows).reshape(len(rows), len(c)) * signs[:, None]
    result, c = C.project(c), np.asarray(c, dtype=float)
    size = tolerance * np.linalg.norm(c)
    lengths = np.linalg.norm(signed, axis=1)
    assert (result.multipliers >= 0).all()
    assert np.allclose(result.point, c + result.multipliers @ signed, rtol=0, atol=size)
    assert (signed @ result.point >= -size * lengths).all()
    assert np.abs(result.multipliers * (signed @ result.point)).max(initial=0) <= (
        size * np.linalg.norm(c))
    assert abs(result.distance - np.linalg.norm(result.point - c)) <= size
    assert result.active.tolist() == C.facets[result.multipliers > 0].tolist()
    return result, signed


@pytest.mark.parametrize("shape", [(6, 1), (20, 2), (30, 4), (100, 5), (12, 8)])
def test_projections_satisfy_their_conditions_and_agree_with_scipy(shape):
    rng = np.random.default_rng(shape[0])
    X = rng.normal(size=shape)
    for _ in range(3):
        C = cone(Arrangement(X), X @ rng.normal(size=shape[1]) >= 0)
        for c in rng.normal(size=(20, shape[1])):
            result, signed = check_projection(C, c)
            assert abs(result.distance - nnls_distance(signed, c)) < 1e-12


def nnls_distance(signed, c):
    weights, _ = nnls(signed.T, -c)
    return np.linalg.norm(signed.T @ weights)


@given(matrices(d=(1, 4)), st.data())
def test_projections_onto_degenerate_cones(X, data):
    d = len(X[0])
    pattern = data.draw(st.sampled_from(sorted(chambers_brute(exact_rows(X)))))
    C = cone(Arrangement(X), pattern)
    c = data.draw(st.lists(st.integers(-9, 9) | tenths, min_size=d, max_size=d))
    check_projection(C, c)


def test_projections_agree_with_a_conic_solver():
    clarabel = pytest.importorskip("clarabel")
    from scipy.sparse import csc_matrix, identity

    rng = np.random.default_rng(5)
    X = rng.normal(size=(40, 4))
    settings = clarabel.DefaultSettings()
    settings.verbose = False
    for _ in range(5):
        C = cone(Arrangement(X), X @ rng.normal(size=4) >= 0)
        signed = X * np.where(C.pattern, 1, -1)[:, None]  # all rows, not the facets alone
        c = rng.normal(size=4)
        solver = clarabel.DefaultSolver(identity(4, format="csc"), -c, csc_matrix(-signed),
                                        np.zeros(40), [clarabel.NonnegativeConeT(40)], settings)
        assert np.allclose(C.project(c).point, solver.solve().x, rtol=0, atol=1e-6)


def test_points_inside_project_to_themselves():
    X = np.random.default_rng(2).normal(size=(20, 3))
    C = cone(Arrangement(X), X @ np.ones(3) >= 0)
    for c in ([1.0, 1.0, 1.0], [1e-310, 1e-310, 1e-310], [1e307, 1e307, 1e307]):
        result = C.project(c)
        assert result.point.tolist() == c and result.distance == 0 and not len(result.active)
    polar = C.project(-(X * np.where(C.pattern, 1, -1)[:, None]).sum(axis=0))
    assert np.abs(polar.point).max() < 1e-12


@pytest.mark.parametrize("scale", [1e-300, 1e-9, 1e9, 1e300])
def test_projections_follow_the_scale_of_c_and_of_the_rows(scale):
    X = np.random.default_rng(3).normal(size=(15, 3))
    A, B = Arrangement(X), Arrangement(X * scale)
    c = np.array([-2.0, 0.3, 1.1])
    C = cone(A, X @ [0.1, 0.2, -0.7] >= 0)
    here, there = C.project(c), C.project(c * scale)
    assert there.active.tolist() == here.active.tolist() and len(here.active)
    assert np.allclose(there.point / scale, here.point, rtol=1e-12, atol=1e-13)
    assert np.isclose(there.distance / scale, here.distance, rtol=1e-12)
    assert np.allclose(there.multipliers / scale, here.multipliers, rtol=1e-12)
    scaled = cone(B, C.pattern).project(c)
    assert np.allclose(scaled.point, here.point, rtol=1e-12, atol=1e-13)
    assert np.allclose(scaled.multipliers * scale, here.multipliers, rtol=1e-12)


def test_the_norm_is_that_of_the_given_coordinates():
    C = cone(Arrangement([(1, 1000)]), [True])
    result = C.project([-1, -1])
    assert np.isclose(result.distance, 1001 / hypot(1, 1000), rtol=1e-14)
    assert np.isclose(result.multipliers[0], 1001 / 1000001, rtol=1e-14)
    flat = cone(Arrangement([(0, 2, 0), (0, 0, 5)]), [True, False])
    assert flat.project([7, -1, -1]).point.tolist() == [7, 0, -1]


# The rest


def test_all_zero_data_have_one_cone_the_whole_space():
    C = cone(Arrangement(np.zeros((3, 2))), [1, 1, 1])
    assert C.facets.shape == (0,) and C.rays.shape == (0, 2)
    assert C.lineality.tolist() == [[1, 0], [0, 1]] and C.interior_point == (0, 0)
    assert C.contains([-1, 5]) and C.project([-1, 5]).point.tolist() == [-1, 5]
    with pytest.raises(NotAChamberError) as caught:
        cone(C.arrangement, [1, 0, 1])
    assert (caught.value.rows, caught.value.weights) == ((1,), (1,))


def test_arrays_are_read_only_and_cones_can_be_pickled():
    X = instances.generic(9, 3)
    C = cone(Arrangement(X), Arrangement(X).dichotomies()[0])
    again = pickle.loads(pickle.dumps(C))
    assert again.facets.tolist() == C.facets.tolist() and "n=9" in repr(again)
    for array in (C.pattern, C.facets, C.rays, C.rays_exact, C.lineality, C.lineality_exact):
        assert not array.flags.writeable
    assert C.facets.dtype == np.int64 and C.rays.dtype == C.lineality.dtype == np.float64


def test_bad_vectors_are_refused():
    C = cone(Arrangement([(1, 0), (0, 1)]), [1, 1])
    for bad in ([1], [[1, 2]], 3, [1, np.nan], [1, np.inf], [1, "2"], [1, None], [1, 2j],
                [1, Decimal("nan")]):
        for method in (C.contains, C.project):
            with pytest.raises(InputError, match=r"^[uc] must"):
                method(bad)
    with pytest.raises(InputError, match="fit floats"):
        C.project([10**400, 1])
    for tol in (-1e-9, np.nan, np.inf, "0", None):
        with pytest.raises(InputError, match="tol"):
            C.contains([1, 1], tol=tol)


def test_vectors_are_read_exactly():
    u = [0.1, Fraction(1, 3), Decimal("0.1"), 10**30, np.float32(0.1), True]
    expected = [Fraction(0.1), Fraction(1, 3), Fraction(1, 10), Fraction(10**30),
                Fraction(float(np.float32(0.1))), Fraction(1)]
    assert exact_vector("u", u, 6) == expected
    assert exact_vector("u", [0.5, 2**53 + 1], 2) == [Fraction(1, 2), 2**53 + 1]
    assert exact_vector("u", (Decimal("1e400"), Fraction(10**400)), 2) == [10**400] * 2
    assert exact_vector("u", np.array([0.1, nextafter(1, 2)]), 2) == [
        Fraction(0.1), 1 + Fraction(1, 2**52)]


@given(matrices(tenths | mixed, d=(1, 4)), st.booleans(), st.booleans())
def test_rows_are_kept_as_given(X, bias, decimal):
    matrix = exact_matrix(X, bias=bias, numbers="decimal" if decimal else "binary")
    assert [matrix.row(i) for i in range(len(X))] == read(X, bias=bias, decimal=decimal)


def test_the_facet_search_is_shared():
    assert cones.facet_rows is polyhedra.facet_rows
