"""The literal check of all cones against the search, and against solvers that know neither."""

import numpy as np
import pytest

pytest.importorskip("clarabel")

from descent import descended
from problems import random_problem
from scipy import sparse

from arrangements import CapacityError
from cvxlayer import Network, Problem, certify, kkt, subsampled_certificate
from cvxlayer.conic.solvers import solve
from cvxlayer.model.conic_program import ConicProgram


def of_some_cone(problem, v, pattern, sign):
    """max of sign v.(Xu)_+ over a closed chamber and the unit ball, by Clarabel's cones."""
    n, d = problem.X.shape
    c = sign * (pattern * v) @ problem.X
    inequalities = -np.where(pattern, 1.0, -1.0)[:, None] * problem.X
    A = np.vstack([inequalities, np.zeros((1, d)), -np.eye(d)])
    b = np.concatenate([np.zeros(n), [1.0], np.zeros(d)])
    cones = (("nonnegative", n), ("second-order", d + 1))
    program = ConicProgram(sparse.csc_matrix((d, d)), -c, sparse.csc_matrix(A), b, cones)
    x = solve("clarabel", program, tol=1e-10).x
    return float(c @ x)


def relaxed_by_glop(problem, v, pattern, sign):
    """The same over the cube, which has the ball in it: a linear program, an upper bound."""
    pytest.importorskip("ortools")
    n, d = problem.X.shape
    c = sign * (pattern * v) @ problem.X
    A = np.vstack([-np.where(pattern, 1.0, -1.0)[:, None] * problem.X, np.eye(d), -np.eye(d)])
    b = np.concatenate([np.zeros(n), np.ones(2 * d)])
    x = solve("glop", ConicProgram(sparse.csc_matrix((d, d)), -c, sparse.csc_matrix(A), b,
                                   (("nonnegative", n + 2 * d),))).x
    return float(c @ x)


@pytest.mark.parametrize("seed", range(16))
def test_agrees_with_certify(seed):
    problem = random_problem(seed)
    for network in (descended(problem, 4, seed, steps=200), problem.fit().network):
        literal, fast = kkt(network, problem), certify(network, problem)
        v = problem.residual(network)
        # `kkt` maps to blocks first, which moves a network with several neurons in a cone
        size = 1e-9 * float(np.abs(v) @ np.linalg.norm(problem.X, axis=1)) + 1e-12
        own = certify(Network.from_blocks(network.to_blocks(problem)), problem)
        assert literal.value == pytest.approx(own.price, abs=size)
        assert (literal.violated > 0) == (own.price > problem.beta * (1 + 1e-5))
        if fast.gap <= 1e-12:  # residuals are of the order of its square root
            assert literal.satisfied
        if fast.optimal is False and fast.decrease > 1e-6 * fast.objective:
            assert not literal.satisfied


@pytest.mark.parametrize("seed", range(6))
def test_cones_agree_with_other_solvers(seed):
    problem = random_problem(seed, n=5, d=2)
    network = descended(problem, 2, seed, steps=30)
    found = kkt(network, problem, multipliers=True)
    v = problem.residual(Network.from_blocks(found.blocks))
    patterns = problem.arrangement.dichotomies().to_numpy()
    prices = {s: [of_some_cone(problem, v, D, s) for D in patterns] for s in (1, -1)}
    assert found.value == pytest.approx(max(map(max, prices.values())), abs=1e-7)
    over = sum(x > problem.beta * (1 + 1e-5) for x in prices[1] + prices[-1])
    assert found.violated == over
    for D, plus in zip(patterns, prices[1], strict=True):
        assert plus <= relaxed_by_glop(problem, v, D, 1) + 1e-7


def test_multipliers_prove_every_cone():
    problem = random_problem(4, n=9, d=2)
    network = problem.fit().network
    found = kkt(network, problem, multipliers=True)
    v, beta = problem.residual(Network.from_blocks(found.blocks)), problem.beta
    assert found and found.n_cones == problem.arrangement.count_dichotomies()
    for zeta, sign in ((found.zeta_plus, 1), (found.zeta_minus, -1)):
        assert zeta.shape == (found.n_cones, problem.n) and (zeta.data >= 0).all()
        for D, z in zip(problem.arrangement.dichotomies(), zeta.toarray(), strict=True):
            vector = sign * problem.X.T @ (D * v) + problem.X.T @ (np.where(D, 1, -1) * z)
            assert np.linalg.norm(vector) <= beta * (1 + 1e-6)


def test_blocks_and_networks_are_the_same_to_it():
    problem = random_problem(6, n=8, d=2)
    network = problem.fit().network
    blocks = network.to_blocks(problem)
    assert kkt(blocks, problem).value == kkt(network, problem).value
    assert kkt(network, problem).residual.shape == (len(blocks),)


def test_too_many_cones_are_refused():
    problem = random_problem(0, n=10, d=3)
    with pytest.raises(CapacityError, match="more than max_cones = 10; certify"):
        kkt(problem.fit().network, problem, max_cones=10)


# --- the network's own faces


@pytest.mark.parametrize("seed", range(0, 24, 4))
def test_stationary_networks_are_optimal_within_their_faces(seed):
    """And the others are not: data in general position, where no activation is zero."""
    problem = random_problem(seed)
    ended = descended(problem, 3, seed, steps=20000).scaled()
    begun = descended(problem, 3, seed, steps=5).scaled()
    for network in (ended, begun):
        own = subsampled_certificate(network, problem, tol=1e-5)
        # the dual vector must shrink as much as prices exceed beta, and the bound falls as much;
        # the objective can fall by the square of what is missing
        stationary = bool((own.relative < 3e-6).all())
        unsettled = not stationary and (own.relative < 1e-2).all()
        assert unsettled or own.optimal == stationary
        # with fewer neurons to be priced by the same residual the bound is no lower
        v = problem.residual(network)
        h = problem.arrangement.support(v, both=True)
        assert own.lower_bound >= problem.lower_bound(v, h.bound) - 1e-9
        # the optimum of the program over the faces, by Clarabel
        program = problem.convex_program(network)
        W = program.weights(tol=1e-10)[0]
        z = sum(b.sign * b.active * (problem.X @ w)
                for b, w in zip(program.blocks, W.T, strict=True))
        best = problem.loss.value(z, problem.y) + problem.beta * np.linalg.norm(W, axis=0).sum()
        assert own.lower_bound <= best + 1e-7 * (1 + abs(best))
        if own.optimal:
            assert own.objective == pytest.approx(best, rel=2e-5)


def test_optima_on_hyperplanes_are_optimal_within_their_faces():
    for seed in range(1, 12, 2):
        problem = random_problem(seed)
        own = subsampled_certificate(problem.fit().network, problem, tol=1e-6)
        assert (own and own.price <= problem.beta * (1 + 1e-6)) or own.n_faces == 0


@pytest.mark.parametrize("loss", ["hinge", "absolute"])
def test_losses_without_gradient_take_the_program_s_multipliers(loss):
    problem = Problem([[1.0, 0], [0, 1], [1, 1], [-1, 2]], [1, -1, 1, -1], 0.1, loss=loss)
    network = problem.fit().network
    assert subsampled_certificate(network, problem, tol=1e-5).optimal
    assert not subsampled_certificate(Network(2 * network.U, network.alpha), problem).optimal


def test_no_neurons():
    problem = Problem([[1.0]], [1.0], 2.0)
    nothing = subsampled_certificate(Network([[]], []), problem)
    assert (nothing.optimal, nothing.n_faces, nothing.price) == (True, 0, 0.0)
    assert kkt(Network([[]], []), problem).satisfied


def test_neurons_that_cancel_are_no_block():
    """u and -u with Xu = 0."""
    problem = Problem([[1.0, 0], [2, 0]], [1.0, 2], 0.5)
    network = Network([[0.0, 0], [1, -1]], [1.0, 1])
    assert len(network.to_blocks(problem)) == 0
    assert kkt(network, problem).value == pytest.approx(kkt(Network([[], []], []), problem).value)


def test_the_size_of_the_numbers_does_not_matter():
    """Squares of 1e-290 are zero."""
    small = Problem([[1e-70], [2e-70]], [1e-230, 1e-230], 1e-301)
    nothing = Network(np.zeros((1, 0)), [])
    assert not kkt(nothing, small) and kkt(nothing, small).value > small.beta
    assert certify(nothing, small).optimal is not True
