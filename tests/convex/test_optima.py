"""The set of optimal networks: laws of its members, brute force, and the program over all."""

from functools import partial
from itertools import combinations, product

import numpy as np
import problems
import pytest
from scipy import sparse
from scipy.optimize import nnls

pytest.importorskip("clarabel")

from cvxlayer import Network, Problem
from cvxlayer.conic.solvers import solve
from cvxlayer.errors import InputError, SolverError
from cvxlayer.landscape import polytope as _polytope
from cvxlayer.landscape.optima import Smallest, minimal_width, optimal_set
from cvxlayer.model.conic_program import ConicProgram
from cvxlayer.model.losses import LOSSES

problem = partial(problems.problem, n=12)


def cross(d, y=1.0, beta=0.1, **options):
    """Rows +-e_i."""
    return Problem(np.vstack([np.eye(d), -np.eye(d)]), np.full(2 * d, y), beta, **options)


def columns(found):
    """A, from the definition."""
    return np.column_stack([np.zeros(found.problem.n)] + [
        s * np.maximum(found.problem.X @ u, 0)
        for u, s in zip(found.directions.T, found.signs, strict=True)])[:, 1:]


def coordinates(found, network):
    """c of a network: every neuron is along a direction."""
    c = np.zeros(len(found))
    for w, sign in zip(*(a.T for a in network.weights), strict=True):
        length = np.linalg.norm(w)
        apart = np.linalg.norm(found.directions.T - w / length, axis=1) + (found.signs != sign)
        assert apart.min() < 1e-9
        c[apart.argmin()] += length
    return c


def fits(found, allowed):
    """Whether these directions have an optimum; the distance of the nearest, squared."""
    A, p = columns(found)[:, list(allowed)], found.problem
    half = found.lo < found.hi
    ends = np.where(np.isinf(found.lo), found.hi, found.lo)
    slack = np.diag(np.where(np.isinf(found.lo), 1.0, -1.0))[:, half]
    M = np.hstack([A, slack])
    if M.shape[1] == 0:
        return np.linalg.norm(ends) < 1e-8
    return nnls(M, ends, maxiter=1000)[1] < 1e-8 * max(1, np.linalg.norm(p.y))


def check(found):
    """What holds for every set of optima."""
    p, K = found.problem, len(found)
    size = p.loss.value(np.zeros(p.n), p.y)
    A, (lower, upper) = columns(found), found.bounds
    assert found.complete
    assert found.directions.shape == (p.d, K) and found.signs.shape == (K,) == upper.shape
    assert np.linalg.norm(found.directions, axis=0) == pytest.approx(np.ones(K), abs=1e-12)
    assert found.v @ A == pytest.approx(np.full(K, p.beta), rel=1e-8)
    assert p.arrangement.support(found.v, both=True).value <= p.beta * (1 + 1e-8)
    for bits, u in zip(found.chambers, found.directions.T, strict=True):
        assert (np.where(bits, 1, -1) * (p.X @ u) >= -1e-9).all()
    assert (lower <= upper).all() and (lower >= 0).all()
    assert found.active.sum() >= found.always.sum()
    assert found.unique == ((upper - lower).max(initial=0) <= 1e-7 * max(1, upper.max(initial=0)))
    assert found.unique == (found.dimension == 0) or not p.loss.smooth or p.loss.name == "huber"
    if found.unique and p.loss.name in ("squared", "logistic"):
        assert np.linalg.matrix_rank(A[:, found.active], tol=1e-6) == found.active.sum()
    best = found.smallest(max_seconds=600 if K < 12 else 5)  # the small ones are proven, below
    extreme, sample = found.extreme(6, rng=0), found.sample(4, rng=0)
    for network in (found.network(found.weights), best.network, *extreme, *sample):
        assert abs(p.objective(network) - found.value) <= 1e-8 * found.value + 1e-13 * size
        assert network in found
        c = coordinates(found, network)
        assert (lower - 1e-7 <= c).all() and (c <= upper + 1e-7).all()
        z = network.predict(p.X)
        assert (found.lo - 1e-7 <= z).all() and (z <= found.hi + 1e-7).all()
        assert found.network(c).predict(p.X) == pytest.approx(z, abs=1e-8)
        assert best.width <= network.m
        counts = c > found._polytope.zero * found._polytope.unit[:K]  # as zero is defined
        assert (counts <= found.active).all() and (counts >= found.always).all()
    for network in extreme:
        own = A[:, coordinates(found, network) > 0]
        if p.loss.name in ("squared", "logistic"):
            assert np.linalg.matrix_rank(own, tol=1e-7) == network.m
    assert best.network.m == best.width >= best.lower_bound
    assert best.proven == (best.width == best.lower_bound)
    network = sample[0]
    if network.m:
        assert Network(2 * network.U, network.alpha / 2) not in found  # other lengths
    if network.m and p.loss.name in ("squared", "logistic"):
        assert Network(1.01 * network.U, network.alpha) not in found  # other predictions
    return best


def brute_force(found, most=10):
    """The least number of directions that have an optimum."""
    assert len(found) <= most
    return next(k for k in range(len(found) + 1)
                if any(fits(found, s) for s in combinations(range(len(found)), k)))


@pytest.mark.parametrize("kind", ["normal", "integers"])
@pytest.mark.parametrize("loss", LOSSES)
def test_laws_of_members_and_least_width_by_brute_force(loss, kind):
    for seed in range(2):
        found = optimal_set(problem(loss, seed, kind))
        best = check(found)
        if len(found) <= 10:
            assert best.proven and best.width == brute_force(found)


DEGENERATE = {
    "repeated": [[1, 2], [1, 2], [3, 1], [3, 1], [0, 1]],
    "antiparallel": [[1, 2], [-2, -4], [3, 1], [-3, -1], [0, 1]],
    "crossed": [[1, 0], [-1, 0], [0, 1], [0, -1], [1, 1], [-1, -1], [2, 2]],
    "zero rows": [[1, 2], [0, 0], [3, 1], [0, 0], [1, -1]],
    "rank one": [[1, 2, -1], [2, 4, -2], [-1, -2, 1], [-3, -6, 3], [0, 0, 0]],
    "line": [[-2], [-1], [0], [1], [2]],
    "grid": list(product((-1, 0, 1), repeat=2)),
    "cube": list(product((-1, 1), repeat=3)),
}


@pytest.mark.parametrize("name", DEGENERATE)
@pytest.mark.parametrize("loss", LOSSES)
def test_degenerate_data(loss, name):
    X = np.array(DEGENERATE[name], dtype=float)
    seed = list(DEGENERATE).index(name) + list(LOSSES).index(loss)
    y = np.random.default_rng(seed).integers(-2, 3, len(X)).astype(float)
    if LOSSES[loss].classifies:
        y = np.where(y > 0, 1.0, -1.0)
        y[0] = -y[1]
    found = optimal_set(Problem(X, y, 0.15, loss=loss, bias=seed % 2 == 1))
    best = check(found)
    if len(found) <= 8:
        assert best.proven and best.width == brute_force(found)


@pytest.mark.parametrize("d", [2, 3])
def test_cross_by_hand(d):
    """v = t (1, ..., 1) has the maximisers (+-1, ..., +-1) / sqrt d, of equal columns' sums: all
    convex combinations of them with mean 0 have the predictions (1, ..., 1), scaled."""
    beta = 0.1
    found = optimal_set(cross(d, beta=beta))
    assert sorted(map(tuple, np.sign(found.directions.T))) == sorted(product((-1, 1), repeat=d))
    assert (found.signs == 1).all()
    total = 2 * np.sqrt(d) * (1 - beta / np.sqrt(d))  # z = 1 - v, v = beta / sqrt d
    assert found.lo == pytest.approx(np.full(2 * d, 1 - beta / np.sqrt(d)))
    lower, upper = found.bounds
    assert lower == pytest.approx(np.zeros(2**d), abs=1e-9)
    assert upper == pytest.approx(np.full(2**d, total / 2))
    assert found.active.all() and not found.always.any() and not found.unique
    assert found.dimension == 2**d - 1 - d
    best = check(found)
    assert (best.width, best.lower_bound, best.proven) == (2, 2, True)
    # the diagonals of the cube; for d = 3 also the two tetrahedra
    assert sorted({w.m for w in found.extreme(60, rng=0)}) == ([2] if d == 2 else [2, 4])
    assert len(found.extreme(60, rng=0)) == (2 if d == 2 else 6)


def test_two_kinds_of_optima_for_every_loss():
    """One class at +-e_1, +-e_2, the other at +-e_3: four neurons as in the plane, and two."""
    X = np.vstack([np.eye(3), -np.eye(3)])
    y = np.array([1.0, 1, -1, 1, 1, -1])
    for loss in LOSSES:
        found = optimal_set(Problem(X, y, 0.1, loss=loss))
        check(found)
        assert not found.unique and found.smallest().width == 4
        assert sorted(found.signs) == [-1, -1, 1, 1, 1, 1]
        assert found.always.tolist() == (found.signs < 0).tolist()


def test_mirror_images_of_an_optimum_are_optimal():
    """y is even, so that x -> -x maps optima to optima; a unique one would be even."""
    rng = np.random.default_rng(5)
    X, y = rng.standard_normal((5, 2)), rng.standard_normal(5)
    found = optimal_set(Problem(np.vstack([X, -X]), np.concatenate([y, y]), 0.1))
    check(found)
    for network in found.extreme(5, rng=0):
        assert Network(-network.U, network.alpha) in found


def test_directions_are_paired_where_a_linear_part_costs_nothing():
    """If X'v = 0, u and -u are both maximisers, (x.u)_+ - (-x.u)_+ = x.u; K / 2 - d dimensions."""
    p = problem("squared", 1, n=24)
    found = optimal_set(p)
    assert np.abs(p.X.T @ found.v).max() < 1e-10
    apart = np.linalg.norm(found.directions[:, :, None] + found.directions[:, None], axis=0)
    assert (apart.min(axis=0) < 1e-9).all()
    assert found.dimension == len(found) // 2 - p.d > 0
    best = found.smallest()
    assert best.proven and best.width == len(found) // 2 + p.d


def test_zero_optimum():
    p = problem("squared", 2)
    limit = p.beta_max()
    for beta, most in ((1.5 * limit, 0), (limit, 1)):
        found = optimal_set(Problem(p.arrangement, p.y, beta))
        assert len(found) <= most and found.unique and found.dimension == 0
        assert found.network(np.zeros(len(found))).m == found.smallest().width == 0
        assert found.smallest().proven
        check(found)
    # |c - 1| + c = 1 for all c between 0 and 1: the zero network is one optimum
    found = optimal_set(Problem([[1.0]], [1.0], 1.0, loss="absolute"))
    assert not found.unique and found.bounds[1] == pytest.approx([1])
    assert found.smallest().width == 0 and not found.always.any()
    check(found)
    found = optimal_set(Problem(np.zeros((3, 2)), [1.0, 2, 3], 0.1))
    assert len(found) == 0 and found.smallest().width == 0 and found.value == 7


def test_by_hand():
    assert minimal_width(Problem([[1.0], [-1.0]], [2, 3], 0.1)).width == 2
    found = optimal_set(Problem([[3.0, 4.0]], [10.0], 1.0))  # u = x / 5, v = 1 / 5
    assert found.directions == pytest.approx(np.array([[0.6], [0.8]]))
    assert found.v == pytest.approx([0.2]) and found.lo == pytest.approx([9.8])
    assert found.bounds[0] == found.bounds[1] == pytest.approx([9.8 / 5])
    assert found.value == pytest.approx(0.02 + 9.8 / 5)
    assert repr(found.smallest()) == "Smallest(width=1, lower_bound=1)"


@pytest.mark.parametrize("make", [
    lambda: cross(2), lambda: cross(2, loss="absolute"),
    lambda: problem("squared", 1, "integers", n=7),
    lambda: problem("squared", 4, "integers", n=6, beta=0.05)])
def test_bounds_are_those_of_the_program_over_all_dichotomies(make):
    """min and max of the length of all blocks that can have u_k, at the optimal objective."""
    p = make()
    found = optimal_set(p)
    program = p.convex_program()
    conic = program.conic()
    P, q, A, b = conic.P, conic.q, conic.A, conic.b
    lower, upper = found.bounds
    start = P.shape[0] - len(program.blocks)
    # predictions where they are unique, and l + beta sum of lengths
    fixed = [(np.eye(P.shape[0])[i], found.lo[i]) for i in np.flatnonzero(found.lo == found.hi)]
    spent = q.copy()
    spent[: p.n] *= p.loss.name == "absolute"
    for row, value in fixed:
        A, b = sparse.vstack([A, row]), np.append(b, value)
    budget = (found.value - (p.loss.value(found.lo, p.y) if p.loss.name == "squared" else 0))
    A, b = sparse.vstack([A, spent], format="csc"), np.append(b, budget * (1 + 1e-9))
    cones = (*conic.cones, ("zero", len(fixed)), ("nonnegative", 1))
    for k in range(len(found)):
        u, sign = found.directions[:, k], found.signs[k]
        has = np.array([block.sign == sign and (block.sides * (p.X @ u) >= -1e-9).all()
                        for block in program.blocks], dtype=float)
        length = np.concatenate([np.zeros(start), has])
        zero = sparse.csc_matrix(P.shape)
        least, most = (
            solve("clarabel", ConicProgram(zero, q, A, b, cones), tol=1e-9).x @ length
            for q in (length, -length))
        assert least == pytest.approx(lower[k], abs=1e-4)
        assert most == pytest.approx(upper[k], abs=1e-4)


def test_invariant_under_scaling_and_order_of_the_samples():
    p = problem("squared", 1, "integers")
    found = optimal_set(p)
    order = np.random.default_rng(0).permutation(p.n)
    again = optimal_set(Problem(p.X[order], p.y[order], p.beta))
    # X -> 4 X, beta -> 4 beta: w -> w / 4
    larger = optimal_set(Problem(4 * p.X, p.y, 4 * p.beta))
    for other, factor in ((again, 1), (larger, 4)):
        assert len(other) == len(found) and other.dimension == found.dimension
        assert np.sort(other.bounds[1]) * factor == pytest.approx(
            np.sort(found.bounds[1]), abs=1e-8)
        assert other.smallest().width == found.smallest().width


def test_samples_spread_over_the_set_and_are_reproducible():
    found = optimal_set(cross(2))
    c = np.array([coordinates(found, w) for w in found.sample(200, rng=0)])
    share = c[:, 0] / found.bounds[1][0]  # uniform on a segment
    assert np.mean(share) == pytest.approx(0.5, abs=0.1) and np.std(share) > 0.2
    again = np.array([coordinates(found, w) for w in found.sample(200, rng=0)])
    assert (c == again).all()


def test_a_support_that_does_not_fit_is_forbidden_as_a_whole(monkeypatch):
    """A solver may take 1e-6 for 0 in the mixed-integer program: its answer is solved for again."""
    found = optimal_set(cross(3))
    side = found.directions.T @ found.directions[:, 0] > 0
    pair = [0, int(np.flatnonzero(side)[1])]
    assert not fits(found, pair)
    real, calls = _polytope.milp, []

    def leaking(c, **options):
        calls.append(options)
        answer = real(c, **options)
        if len(calls) < 3:
            answer.x = np.concatenate([np.zeros(8), np.isin(np.arange(8), pair)])
        return answer

    monkeypatch.setattr(_polytope, "milp", leaking)
    monkeypatch.setattr(found, "_vertices", lambda k, rng: [np.ones(8)])
    best = found.smallest()
    assert best.proven and best.width == 2 and best.network in found and len(calls) == 3


def test_time_limit_leaves_bounds():
    found = optimal_set(problem("squared", 0, n=30))
    best = found.smallest(max_seconds=0)
    assert isinstance(best, Smallest) and not best.proven
    assert len(found) // 2 <= best.lower_bound < best.width <= found.problem.n + 1


def test_what_is_refused():
    p = problem("squared", 0)
    with pytest.raises(InputError, match="one of this problem"):
        optimal_set(p, problem("squared", 0).fit())
    with pytest.raises(InputError, match="one of this problem"):
        optimal_set(p, "solution")
    rough = p.fit("columns", max_rounds=2)
    with pytest.raises(InputError, match="must have a gap of at most 1e-08"):
        optimal_set(p, rough)
    rough.gap = 0.0  # a wrong certificate
    with pytest.raises((SolverError, InputError)):
        optimal_set(p, rough)
    with pytest.raises(InputError, match="tol must be"):
        optimal_set(p, tol=0)
    found = optimal_set(p, p.fit())
    for c in (found.weights * 1.01, -found.weights, found.weights + np.nan):
        with pytest.raises(InputError, match="c must be in the set"):
            found.network(c)
    with pytest.raises(InputError, match=r"c must have shape \(7,\)"):
        found.network([1.0])
    assert "network" not in found and Network(np.zeros((3, 0)), []) not in found
    with pytest.raises(InputError, match="network must be a Network"):
        found.contains("network")


@pytest.mark.full
@pytest.mark.parametrize("loss", LOSSES)
def test_laws_on_larger_data(loss):
    for seed, kind, n, d in ((0, "normal", 50, 2), (1, "integers", 40, 3), (2, "normal", 40, 1)):
        check(optimal_set(problem(loss, seed, kind, n=n, d=d)))


@pytest.mark.full
def test_brute_force_on_many_small_sets():
    seen = set()
    for seed in range(60):
        loss = list(LOSSES)[seed % 5]
        found = optimal_set(problem(loss, seed, ["normal", "integers"][seed % 2],
                                    n=5 + seed % 6, d=1 + seed % 3, beta=10.0 ** -(seed % 3),
                                    bias=seed % 4 > 1))
        best = check(found)
        if len(found) <= 11:
            assert best.proven and best.width == brute_force(found, 11)
            seen.add((found.unique, best.width))
    assert {unique for unique, _ in seen} == {True, False}


@pytest.mark.parametrize(("X", "y", "beta", "width"), [
    ([[-2, -1], [0, 1], [1, 2], [1, -2], [1, 2], [2, 1], [0, -1], [-1, -2], [-1, 2], [-1, -2]],
     [2, 0, 1, 1, 1, 2, 0, 1, 1, 1], 1e-4, 2),
    ([[1, 0], [0, 2], [-2, 1], [-1, -2]], [1, 0, 2, 1], 1e-4, 2)])
def test_a_direction_found_twice_is_one(X, y, beta, width):
    """Maxima 1e-7 from each other, and equations as bad as 1e5: three neurons were 'proven'."""
    p = Problem(X, y, beta, bias=True)
    found = optimal_set(p)
    units = found.directions
    apart = np.linalg.norm(units[:, :, None] - units[:, None], axis=0) + 2 * np.eye(len(found))
    assert apart.min() > 1e-6
    known = p.fit(tol=1e-11).network.merged(1e-6)
    assert known in found and known.m == width
    assert found.smallest().width == width and found.unique and found.dimension == 0


@pytest.mark.parametrize("scale", [0.7, 1.0, 1 / 3])
def test_predictions_that_are_rounding_errors_are_none(scale):
    found = optimal_set(Problem([[1.0, 2], [3, -1], [0, 1]], [0.3, 0.1, 0.7], 100.0, scale=scale))
    assert len(found) == 0 and found.smallest().proven and found.smallest().width == 0
