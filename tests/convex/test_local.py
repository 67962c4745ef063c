"""Local minima: what is claimed of the networks around one, and of the way down, holds."""

import numpy as np
import pytest

pytest.importorskip("clarabel")

from descent import descended
from problems import random_problem

from cvxlayer import Certificate, Network, Problem, certify, local_minimum
from cvxlayer.errors import InputError, SolverError
from cvxlayer.model.losses import LOSSES
from cvxlayer.model.newton import polished

STUCK = Network([[0.5**0.5]], [0.5**0.5])  # one side of two
TWO_SIDES = Problem([[1.0], [-1.0]], [1.0, 1.0], 0.5)


def settled(problem, m, seed):
    """Descent, and Newton's method to the last digits."""
    weights = descended(problem, m, seed, steps=500).weights
    return Network.from_weights(*polished(problem, *weights))


def around(network, radius, rng):
    """Networks in the box of that radius: near and far, of all neurons or of one."""
    for k in range(60):
        t = radius * (1 if k % 3 else 10.0 ** rng.uniform(-6, 0))
        dU, dalpha = rng.standard_normal(network.U.shape), rng.uniform(-1, 1, network.m)
        dU /= np.maximum(np.linalg.norm(dU, axis=0), 1e-300)
        if k % 2:
            mask = np.arange(network.m) == rng.integers(network.m)
            dU, dalpha = dU * mask, dalpha * mask
        yield Network(network.U + t * dU, network.alpha + t * dalpha)


def moved(network, found, step):
    return Network(network.U + step * found.direction.U,
                   network.alpha + step * found.direction.alpha)


def check(found, problem, network, rng):
    """What holds for every answer."""
    F = problem.objective(network)
    tol = found.certificate.tol
    assert found.objective == F and bool(found) == (found.verdict in ("global", "local"))
    assert (found.verdict == "global") == bool(found.certificate)
    assert (found.direction is not None) == (found.verdict in ("saddle", "not stationary"))
    if found.direction is not None:
        d = found.direction
        assert np.hypot(np.linalg.norm(d.U), np.linalg.norm(d.alpha)) == pytest.approx(1)
        assert found.step > 0
        assert 0 < found.decrease <= F - problem.objective(moved(network, found, found.step))
    if found.verdict == "local":
        size = np.hypot(np.linalg.norm(network.U, axis=0), network.alpha).max(initial=0)
        assert F - found.lower_bound <= tol * abs(F)
        assert found.radius >= 0.99 * tol**0.5 * size
        radius = min(found.radius, 10 * (1 + np.abs(network.U).max()))
        for other in around(network, radius, rng) if network.m else ():
            assert problem.objective(other) >= found.lower_bound


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("seed", [
    *range(4), *(pytest.param(seed, marks=pytest.mark.full) for seed in range(4, 8))])
def test_answers_hold_around_settled_and_unsettled_networks(seed, loss):
    problem, rng = random_problem(seed, loss=loss), np.random.default_rng(seed)
    for m in (1, 3):
        networks = [descended(problem, m, seed, steps=500)]
        if problem.loss.smooth:
            networks.append(settled(problem, m, seed))
        for network in networks:
            found = local_minimum(network, problem)
            check(found, problem, network, rng)
            if found.verdict == "not stationary":
                assert not found.certificate.stationary
            elif problem.loss.smooth and not found:
                assert found.certificate.stationary


def test_settled_networks_of_smooth_losses_are_decided():
    verdicts = [local_minimum(settled(random_problem(seed, loss=loss), m, seed),
                              random_problem(seed, loss=loss)).verdict
                for seed in range(0, 16, 2) for loss in ("squared", "logistic") for m in (1, 3)]
    assert verdicts.count("local") > 10 and verdicts.count("global") > 4
    assert verdicts.count("unknown") <= 1


@pytest.mark.parametrize("seed", range(8))
def test_no_descent_from_near_a_local_minimum_ends_below_it(seed):
    """Gradient descent with backtracking, from points within a hundredth of the radius."""
    problem, rng = random_problem(seed), np.random.default_rng(seed)
    network = settled(problem, 2, seed)
    found = local_minimum(network, problem)
    if found.verdict != "local":
        return
    X, beta = problem.X, problem.beta
    for other in around(network, min(found.radius, 1.0) / 100, rng):
        value, rate = problem.objective(other), 1e-3
        U, alpha = other.U, other.alpha
        for _ in range(20):
            heights = X @ U
            g = problem.loss.gradient(np.maximum(heights, 0) @ alpha, problem.y)
            there = Network(
                U - rate * (X.T @ ((heights > 0) * np.outer(g, alpha)) + beta * U),
                alpha - rate * (np.maximum(heights, 0).T @ g + beta * alpha))
            at = problem.objective(there)
            if at <= value:
                U, alpha, value = there.U, there.alpha, at
            else:
                rate /= 4
        assert value >= found.lower_bound


@pytest.mark.parametrize("m", [1, 4])
def test_optima_are_global(m):
    problem = random_problem(4)
    best = problem.fit()
    for network in (best, best.network.split([m] * best.network.m), best.network.padded(12)):
        found = local_minimum(network, problem)
        assert found.verdict == "global" and found.radius == np.inf and found.decrease == 0
        assert found.lower_bound == found.certificate.lower_bound


def test_one_sample_of_two_is_a_local_minimum_until_there_is_a_neuron_to_spare():
    """x = -1 is not seen by u > 0: v = (1/2, 1), and the price of u = -1 is 1 > beta."""
    found = local_minimum(STUCK, TWO_SIDES)
    assert found.verdict == "local" and not found.certificate and found
    # alpha keeps its sign, and u, by the concave kink at zero, too
    assert found.radius == pytest.approx(0.5**0.5)
    spare = local_minimum(STUCK.padded(2), TWO_SIDES)
    assert spare.verdict == "saddle" and not spare
    assert spare.direction.U.tolist()[0] == pytest.approx([0, -(0.5**0.5)])
    # neurons that descent has made small are zero, too
    tiny = Network([[0.5**0.5, 1e-9]], [0.5**0.5, -1e-9])
    assert local_minimum(tiny, TWO_SIDES).verdict == "saddle"
    nothing = Network(np.zeros((1, 2)), np.zeros(2))
    assert local_minimum(nothing, TWO_SIDES).verdict == "saddle"


def test_without_neurons_nothing_can_move():
    found = local_minimum(Network(np.zeros((1, 0)), []), TWO_SIDES)
    assert found.verdict == "local" and found.radius == np.inf
    assert found.lower_bound <= 1 == found.objective


def test_a_wall_with_a_concave_kink_is_left():
    """X = I, neurons e_1 and e_2, v = (0.1, 0.1): each gains by fitting the other's sample."""
    problem = Problem(np.eye(2), [1.1, 1.1], 0.1)
    found = local_minimum(Network(np.eye(2), [1.0, 1.0]), problem)
    assert found.verdict == "saddle" and found.certificate.stationary
    d = found.direction
    j = int(np.argmax(np.abs(d.U).sum(axis=0)))
    assert d.alpha.tolist() == [0, 0] and d.U[:, j] == pytest.approx(np.eye(2)[1 - j])
    for step in (found.step, found.step / 100):
        assert problem.objective(moved(found.certificate.network, found, step)) < found.objective


def test_a_wall_that_is_near_is_not_guessed():
    """Off the wall by less than what stationarity leaves open, by more than rounding."""
    problem = Problem(np.eye(2), [1.1, 1.1], 0.1)
    for off, verdict in [(1e-12, "saddle"), (-1e-12, "saddle"), (-1e-6, "unknown")]:
        network = Network([[1.0, off], [off, 1]], [1.0, 1.0])
        assert local_minimum(network, problem).verdict == verdict


def test_a_wall_with_a_convex_kink_holds():
    """u = t (1, 0) on the hyperplane of samples (0, 1), (0, -1): with targets -1 both hold it."""
    problem = Problem([[2.0, 0], [0, 1], [0, -1]], [2.0, -1, -1], 0.1)
    w = (4 - 0.1) / 4  # (2 w - 2)^2 / 2 + 0.1 w
    network = Network.from_weights(np.array([[w], [0]]), np.array([1.0]))
    found = local_minimum(network, problem)
    assert found.verdict == "local" and found.certificate.optimal is False
    assert found.radius == pytest.approx(w**0.5)  # |alpha|, and the way to u_1 = 0
    # with y = 1 instead the same wall is left
    other = Problem([[2.0, 0], [0, 1], [0, -1]], [2.0, 1, 1], 0.1)
    assert local_minimum(network, other).verdict == "saddle"


def test_walls_that_depend_on_each_other_are_decided():
    """Three lines through u = 0 of the plane across e_3, kinks -1, -1 and c: the sum of
    c (n.d)_+ - (n_1.d)_+ - (n_2.d)_+, n = n_1 + n_2, is at most 0 for all d exactly if c <= 1."""
    X = np.array([[1.0, 0, 0], [0, 1, 0], [1, 1, 0], [0, 0, 1]])
    network = Network([[0.0], [0], [1]], [1.0])
    for c, verdict in [(0.5, "local"), (0.99, "local"), (1.01, "saddle"), (2, "saddle")]:
        problem = Problem(X, [-1.0, -1, c, 1.1], 0.1)
        found = local_minimum(network, problem)
        assert found.certificate.stationary and found.verdict == verdict


def test_a_network_that_is_not_stationary_falls_against_its_gradient():
    problem, network = random_problem(6), Network(np.ones((random_problem(6).d, 2)), [1.0, -2.0])
    found = local_minimum(network, problem)
    assert found.verdict == "not stationary"
    for step in found.step * 2.0 ** -np.arange(12):
        assert problem.objective(moved(network, found, step)) < found.objective


@pytest.mark.parametrize("seed", range(6))
def test_verdicts_do_not_depend_on_coordinates_or_the_order_of_neurons(seed):
    problem, rng = random_problem(seed), np.random.default_rng(seed)
    network = settled(problem, 3, seed)
    found = local_minimum(network, problem)
    d = problem.d - problem.bias
    Q = np.eye(problem.d)
    Q[:d, :d] = np.eye(d)[rng.permutation(d)] * rng.choice([-1.0, 1.0], d)
    order = rng.permutation(network.m)
    turned = Problem(problem.X @ Q, problem.y, problem.beta)
    other = local_minimum(Network((Q.T @ network.U)[:, order], network.alpha[order]), turned)
    assert other.verdict == found.verdict
    assert other.radius == pytest.approx(found.radius) or found.radius == np.inf


def test_split_neurons_are_no_worse():
    """A split of a local minimum is one (proposition 1 of Wang, Lacotte and Pilanci)."""
    found = local_minimum(STUCK.split([3]), TWO_SIDES)
    assert found.verdict == "local"


def test_a_certificate_saves_the_search(tmp_path, monkeypatch):
    certificate = certify(STUCK, TWO_SIDES, tol=1e-6)
    monkeypatch.setattr("cvxlayer.landscape.local.certify", lambda *_, **__: pytest.fail("search"))
    found = local_minimum(certificate, TWO_SIDES)
    assert found.verdict == "local" and found.certificate is certificate
    assert repr(found).startswith("LocalMinimum(local, objective=0.875, ")
    with pytest.raises(InputError, match="got tol beside a certificate"):
        local_minimum(certificate, TWO_SIDES, tol=1e-6)
    certificate.save(tmp_path / "c.npz")
    with pytest.raises(InputError, match="problem must be the one that"):
        local_minimum(Certificate.load(tmp_path / "c.npz"), TWO_SIDES)


def test_a_solver_that_stops_short_leaves_it_open(monkeypatch):
    def stop(*_):
        raise SolverError("stopped short", "stalled")

    monkeypatch.setattr("cvxlayer.landscape.local.face_dual", stop)
    problem = Problem([[1.0], [-1.0]], [1.0, 1.0], 0.5, loss="absolute")
    assert local_minimum(Network([[1.0]], [1.0]), problem).verdict == "unknown"


def test_bad_input():
    with pytest.raises(InputError, match="problem must be a Problem"):
        local_minimum(STUCK, STUCK)
    with pytest.raises(InputError, match="zero_tol must be"):
        local_minimum(STUCK, TWO_SIDES, zero_tol=2)


def test_ranks_beyond_the_exact_search():
    rng = np.random.default_rng(1)
    problem = Problem(rng.standard_normal((90, 70)), rng.standard_normal(90), 2.0)
    network = settled(problem, 2, 0)
    found = local_minimum(network, problem, max_seconds=0.2)
    check(found, problem, network, rng)
    assert found.verdict in ("local", "unknown")
