"""Verdicts against the optimum of the full program; bounds, forms, files and bad input."""

from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("clarabel")

from descent import descended
from problems import random_problem

from arrangements import Arrangement
from cvxlayer import Certificate, Huber, Network, Problem, certify, kkt, stationarity, verify
from cvxlayer.errors import InputError, SolverError
from cvxlayer.model.losses import LOSSES

EXAMPLE = Problem([[1, 0], [0, 1], [1, 1]], [1, 0, 0], 0.1)


def full_optimum(problem):
    """The value of a network from the program over all chambers, all inequalities, by Clarabel: not
    below the optimum, and above by the solver's accuracy only."""
    program = problem.convex_program(constraints="all")
    W, _, _ = program.weights("clarabel", tol=1e-10)
    signs = np.array([float(b.sign) for b in program.blocks])
    z = sum(s * np.where(b.active, problem.X @ w, 0)
            for s, b, w in zip(signs, program.blocks, W.T, strict=True))
    return problem.loss.value(z, problem.y) + problem.beta * np.linalg.norm(W, axis=0).sum()


def check_numbers(certificate, problem, network, best):
    """What holds for every certificate; `best` is the optimum, up to a solver's accuracy."""
    c = certificate
    slack = (1e-7 if problem.loss.name == "squared" else 2e-6) * (1 + abs(best))
    assert c.objective == pytest.approx(problem.objective(network), rel=1e-15)
    assert c.lower_bound <= best + slack and c.lower_bound <= c.upper
    assert c.upper >= c.objective >= best - slack
    assert c.gap == pytest.approx(max(c.upper - c.lower_bound, 0) / abs(c.upper))
    assert c.price <= c.price_bound
    assert (c.better is None) == (c.decrease == 0)
    if c.better is not None:
        assert problem.objective(c.better) <= c.objective - c.decrease
        assert c.objective - c.decrease >= best - slack
        improved = c.improve()
        assert best - slack <= problem.objective(improved) <= c.objective - c.decrease
    if c.optimal:
        assert c.objective <= best + c.tol * abs(c.objective) + slack
    if c.optimal is False:
        assert c.decrease > c.tol * abs(c.upper)
    units = c.u[:, None]
    assert np.linalg.norm(units) == pytest.approx(1) or c.price == 0
    if problem.loss.smooth:
        v = problem.residual(network)
        assert c.sign * v @ np.maximum(problem.X @ c.u, 0) == pytest.approx(c.price, abs=1e-12)
    assert problem.loss.dual(c.v, problem.y) >= c.lower_bound
    directions = np.random.default_rng(0).standard_normal((problem.d, 500))
    directions /= np.linalg.norm(directions, axis=0)
    # for all unit vectors; these and their prices are rounded
    prices = np.abs(c.v @ np.maximum(problem.X @ directions, 0))
    assert prices.max() <= problem.beta * (1 + 1e-12)


def judged(seed, loss="squared", **options):
    problem = random_problem(seed, loss=loss)
    network = descended(problem, 1 + seed % 7, seed)
    best = full_optimum(problem)
    certificate = certify(network, problem, **options)
    check_numbers(certificate, problem, network, best)
    X = problem.X[:, :-1] if problem.bias else problem.X
    checked = verify(certificate, X, problem.y)
    assert checked and checked.exact, str(checked)
    # decided whenever the truth is far from the tolerance
    far = problem.objective(network) - best
    if far > max(1e-6, 3 * certificate.tol) * (1 + best):
        assert certificate.optimal is False
    return certificate, far


@pytest.mark.parametrize("seed", range(12))
def test_networks_of_gradient_descent(seed):
    judged(seed)


@pytest.mark.full
def test_two_hundred_networks_of_gradient_descent():
    """Of all losses with a gradient; both verdicts occur."""
    losses = ["squared", "squared", "logistic", "huber"]
    verdicts = []
    for seed in range(200):
        certificate, far = judged(seed, losses[seed % 4], tol=1e-5)
        assert certificate.optimal is not True or far <= 1.1e-5 * (1 + abs(certificate.objective))
        verdicts.append(certificate.optimal)
    assert verdicts.count(True) >= 20 and verdicts.count(False) >= 50


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("seed", range(3))
def test_optimal_networks_are_certified_and_worse_ones_refuted(seed, loss):
    problem = random_problem(seed + 20, loss=loss)
    solution = problem.fit()
    best = full_optimum(problem)
    tol = 1e-8 if problem.loss.smooth else 1e-6
    certificate = certify(solution.network, problem, tol=tol)
    assert certificate.optimal and certificate.verdict == "optimal"
    check_numbers(certificate, problem, solution.network, best)
    if problem.loss.smooth:
        assert certificate.stationary and certificate.minimal
        assert kkt(solution.network, problem)
    # moved a little, it is neither optimal nor called so
    if solution.network.m:
        moved = Network(solution.network.U * 1.05, solution.network.alpha)
        worse = certify(moved, problem, tol=tol)
        check_numbers(worse, problem, moved, best)
        assert worse.optimal is False and not worse.scaled


@pytest.mark.parametrize("loss", LOSSES)
def test_tightened_gaps_are_what_is_left(loss):
    problem = random_problem(31, loss=loss, n=8, d=2, beta=0.05)
    network = descended(problem, 4, 0, steps=300)
    best = full_optimum(problem)
    certificate = certify(network, problem, tighten=True)
    check_numbers(certificate, problem, network, best)
    left = problem.objective(network) - best
    assert certificate.objective - certificate.lower_bound == pytest.approx(left, abs=1e-6)
    assert certificate.decrease == pytest.approx(left, abs=1e-6)
    assert certificate.margin <= 1e-6
    loose = certify(network, problem)
    assert loose.lower_bound <= certificate.lower_bound + 1e-9


def test_improving_again_and_again_ends_at_the_optimum():
    problem = random_problem(0, n=20, d=3, beta=0.1)
    best = problem.fit().value
    certificate = certify(descended(problem, 3, 0, steps=50), problem)
    for _ in range(40):
        if certificate.optimal:
            break
        network = certificate.improve()
        assert problem.objective(network) < certificate.objective
        certificate = certify(network, problem)
    assert certificate.optimal
    assert certificate.objective == pytest.approx(best, rel=1e-8)
    with pytest.raises(InputError, match="improve needs a network that is not optimal"):
        certificate.improve()


def test_the_missing_neuron_lowers_the_objective():
    """By hand: one sample x = y = 1, no neurons; v = 1, the neuron u = 1 has price 1."""
    problem = Problem([[1.0]], [1.0], 0.5)
    certificate = certify(Network([[]], []), problem)
    assert (certificate.price, certificate.sign, certificate.u.tolist()) == (1.0, 1, [1.0])
    assert certificate.pattern.tolist() == [True]
    # (w - 1)^2 / 2 + w / 2 is least at w = 1/2: from 1/2 to 3/8
    assert certificate.decrease == pytest.approx(1 / 8, abs=1e-12)
    assert certificate.better.weights[0].tolist() == [[pytest.approx(0.5)]]
    # dual point s v: s - s^2 / 2 with s <= 1/2
    assert certificate.lower_bound == pytest.approx(3 / 8, abs=1e-12)
    assert certificate.lower_bound <= 3 / 8


def test_five_collinear_neurons_merge_into_one():
    """X of example 1 of Wang, Lacotte and Pilanci: descent ends with five collinear neurons."""
    rng = np.random.default_rng(0)
    start = np.array([[1.0], [-0.9]]) + 0.1 * rng.standard_normal((2, 5))
    network = Network(0.3 * start, np.full(5, 0.3))
    for _ in range(20000):
        H = EXAMPLE.X @ network.U
        g = np.maximum(H, 0) @ network.alpha - EXAMPLE.y
        network = Network(
            network.U - 0.05 * (EXAMPLE.X.T @ ((H > 0) * np.outer(g, network.alpha))
                                + 0.1 * network.U),
            network.alpha - 0.05 * (np.maximum(H, 0).T @ g + 0.1 * network.alpha))
    certificate = certify(network, EXAMPLE)
    assert certificate.optimal and certificate.nearly_minimal and not certificate.minimal
    assert [g.tolist() for g in certificate.repeated] == [[0, 1, 2, 3, 4]]
    merged = network.merged(1e-6)
    assert merged.m == 1 and certify(merged, EXAMPLE).minimal
    assert merged.weights[0][:, 0] == pytest.approx([0.8587, -0.7909], abs=5e-5)
    assert EXAMPLE.objective(merged) == pytest.approx(0.129024, abs=5e-7)


def test_forms():
    X = np.array([[1.0, 0], [0, 1], [1, 1]])
    problem = Problem(X, [1, 2, 0], 0.1)
    one = np.array([[0.6], [0.8]])
    scaled = Network(one, [1.0])
    assert certify(scaled, problem).minimal
    c = certify(Network(one, [2.0]), problem)
    assert c.unscaled.tolist() == [0] and not c.scaled and not c.nearly_minimal
    c = certify(scaled.split([3]), problem)
    assert c.nearly_minimal and not c.minimal and c.repeated[0].tolist() == [0, 1, 2]
    two = Network(np.array([[0.6, 0.8], [0.8, 0.6]]), [1.0, 1.0])
    c = certify(two, problem)
    assert c.scaled and not c.nearly_minimal and c.crowded[0].tolist() == [0, 1]
    assert not c.repeated
    assert certify(Network(two.U, [1.0, -1.0]), problem).minimal
    # neurons of weight zero are in order, half of one is not
    assert certify(scaled.padded(3), problem).minimal
    assert certify(Network(np.hstack([one, one]), [1.0, 0.0]), problem).unscaled.tolist() == [1]


def test_time_that_is_too_short_leaves_true_bounds():
    rng = np.random.default_rng(0)
    problem = Problem(rng.standard_normal((100, 9)), rng.standard_normal(100), 0.5)
    network = Network(rng.standard_normal((9, 5)), rng.standard_normal(5))
    short = certify(network, problem, max_seconds=0)
    assert not short.complete
    assert short.price <= short.price_bound
    better = short.improve()
    assert short.lower_bound <= problem.objective(better) < short.objective
    assert certify(better, problem, max_seconds=0).optimal is not True


def test_ranks_beyond_the_exact_search():
    rng = np.random.default_rng(1)
    problem = Problem(rng.standard_normal((90, 70)), rng.standard_normal(90), 2.0)
    certificate = certify(Network(rng.standard_normal((70, 3)), rng.standard_normal(3)), problem,
                          max_seconds=0.5)
    assert certificate.optimal is False and not certificate.complete
    assert 0 < certificate.lower_bound < problem.objective(certificate.improve())


@pytest.mark.parametrize("loss", ["squared", "huber", "logistic", Huber(0.3, 0.2)])
def test_files(tmp_path, loss):
    problem = random_problem(3)
    if loss == "logistic":
        problem = random_problem(3, loss=loss)
    elif loss != "squared":
        problem = Problem(problem.X, problem.y, problem.beta, loss=loss)
    for network in (descended(problem, 3, 0, steps=20), problem.fit().network):
        certificate = certify(network, problem)
        certificate.save(tmp_path / "c.npz")
        again = Certificate.load(tmp_path / "c.npz")
        for name in ("objective", "upper", "lower_bound", "gap", "optimal", "price", "tol", "beta",
                     "decrease", "sign", "verdict", "margin", "minimal", "classes", "complete"):
            assert getattr(again, name) == getattr(certificate, name), name
        for name in ("v", "u", "pattern", "residual", "unscaled"):
            assert (getattr(again, name) == getattr(certificate, name)).all(), name
        assert (again.network.U == network.U).all() and repr(again) == repr(certificate)
        assert repr(again.loss) == repr(certificate.loss)
        assert (again.better is None) == (certificate.better is None)
        if again.better is not None:
            assert (again.improve().U == certificate.better.U).all()
            whole = Certificate.load(tmp_path / "c.npz", problem)
            assert problem.objective(whole.improve()) == pytest.approx(
                problem.objective(certificate.improve()))
            for other in (EXAMPLE, Problem(problem.X, -problem.y, problem.beta, loss=problem.loss)):
                with pytest.raises(InputError, match="the one that the certificate was made for"):
                    Certificate.load(tmp_path / "c.npz", other)


def test_files_of_others_are_refused(tmp_path):
    EXAMPLE.fit().network.save(tmp_path / "n.npz")
    (tmp_path / "t.npz").write_text("nothing")
    certificate = certify(EXAMPLE.fit().network, EXAMPLE)
    for name in ("n.npz", "t.npz"):
        with pytest.raises(InputError, match=r"written by Certificate\.save"):
            Certificate.load(tmp_path / name)
    with pytest.raises(InputError, match=r"end in \.npz"):
        certificate.save(tmp_path / "c.txt")


def test_bad_input():
    network = EXAMPLE.fit().network
    for bad, message in [
        (Network([[1.0]], [1.0]), "network must have 2 input weights, got 1"),
        (np.ones((2, 2)), "network must be a Network, got ndarray"),
        (None, "PyTorch module or fitted scikit-learn"),
        ({"0.weight": np.ones((3, 2)), "2.weight": np.ones((3, 3)), "4.weight": np.ones((1, 3))},
         "one hidden layer, got 3 linear"),
        ({"0.weight": np.full((3, 2), np.nan), "2.weight": np.ones((1, 3))}, "must be finite"),
    ]:
        with pytest.raises(InputError, match=message):
            certify(bad, EXAMPLE)
    for options, message in [({"tol": 0}, "tol must be"), ({"tol": "x"}, "tol must be"),
                             ({"max_seconds": -1}, "max_seconds must be"),
                             ({"zero_tol": np.nan}, "zero_tol must be"),
                             ({"n_jobs": 0}, "n_jobs must")]:
        with pytest.raises(InputError, match=message):
            certify(network, EXAMPLE, **options)
    for X, y, options, message in [
            ([[1e-90]], [1.0], {}, "rows of lengths from 1e-75 to 1e"),
            ([[1e90]], [1.0], {}, "rows of lengths"), ([[1.0]], [1e90], {}, "y must be at most"),
            (Arrangement([[2.0]]), [1.0], {"bias": True}, "bias must be given to the Arrangement"),
            ([[1.0]], [1.0], {"loss": Huber(), "scale": 2.0}, "scale must be given to the loss")]:
        with pytest.raises(InputError, match=message):
            Problem(X, y, 0.1, **options)
    with pytest.raises(InputError, match="objective that fits floats"):
        certify(Network([[1e200], [0]], [1e200]), EXAMPLE)
    with pytest.raises(InputError, match="problem must be a Problem, got list"):
        certify(network, [1])
    with pytest.raises(InputError, match=r"without weight decay .* minimum_norm"):
        Problem([[1.0]], [1.0], 0)


def test_networks_of_scikit_learn():
    neural = pytest.importorskip("sklearn.neural_network")
    rng = np.random.default_rng(0)
    X = rng.standard_normal((30, 2))
    y = np.abs(X[:, 0])
    mlp = neural.MLPRegressor(hidden_layer_sizes=(8,), alpha=0, max_iter=30, random_state=0)
    with pytest.warns(Warning, match="converge"):
        mlp.fit(X, y)
    problem = Problem(X, y, 0.1, bias=True)
    with pytest.raises(InputError, match="bias of the output must be zero"):
        certify(mlp, problem)
    mlp.intercepts_[1][:] = 0
    certificate = certify(mlp, problem, tighten=True)
    assert certificate.optimal is False
    assert certificate.lower_bound == pytest.approx(problem.fit().value, rel=1e-7)
    mlp.activation = "tanh"
    with pytest.raises(InputError, match="activation 'relu'"):
        certify(mlp, problem)
    mlp.activation = "relu"
    with pytest.raises(InputError, match="must have 2 input weights, got 3"):
        certify(mlp, Problem(X, y, 0.1))


# --- stationarity


def test_stationarity_by_hand():
    """x = 1, y = 1, one neuron (u, a): v = 1 - ua; beta u = a v, beta a = u v."""
    problem = Problem([[1.0], [-1.0]], [1.0, 1.0], 0.5)
    root = 0.5**0.5
    assert stationarity(Network([[root]], [root]), problem).residual == pytest.approx(0, abs=1e-15)
    # u = a = 1: v = 0, both are off by beta
    state = stationarity(Network([[1.0]], [1.0]), problem)
    assert state.residual == pytest.approx([0.5 * 2**0.5]) and state.relative == pytest.approx([1])
    assert stationarity(Network([[0.0, 1.0]], [0.0, 0.0]), problem).relative[0] == 0


def test_multipliers_hold_a_neuron_in_a_hyperplane():
    problem = random_problem(2, n=10, d=3, beta=0.02)
    network = problem.fit().network
    state = stationarity(network, problem)
    assert state.relative.max() < 1e-6
    held = {j: rows for j, (rows, _) in state.multipliers.items()}
    assert held
    for j, (rows, delta) in state.multipliers.items():
        u, alpha, v = network.U[:, j], network.alpha[j], problem.residual(network)
        assert ((delta >= 0) & (delta <= 1)).all()
        D = (problem.X @ u > 0).astype(float)
        D[rows] = delta
        assert problem.beta * u == pytest.approx(alpha * (problem.X.T @ (D * v)), abs=1e-6)


def test_parallel_rows_share_their_kink():
    """Rows x and -x at u orthogonal to both: delta and 1 - delta."""
    problem = Problem([[1.0, 0], [-1, 0], [0, 1]], [1.0, 1, 1], 0.1)
    network = Network([[0.0], [0.5]], [0.5])
    state = stationarity(network, problem)
    rows, delta = state.multipliers[0]
    assert rows.tolist() == [0, 1] and delta.sum() == pytest.approx(1)
    v = problem.residual(network)
    # beta u_1 = 0 = alpha (delta v_1 - (1 - delta) v_2) with v = (1, 1): delta = 1/2
    assert delta == pytest.approx([0.5, 0.5]) and v[:2].tolist() == [1, 1]


def test_an_undecided_network_is_not_called_optimal():
    certificate = certify(EXAMPLE.fit(), EXAMPLE)
    undecided = replace(certificate, optimal=None)
    assert undecided.verdict == "undecided" and "undecided" in repr(undecided)
    assert certificate and not undecided


def test_a_solver_that_stops_short_leaves_what_is_known(monkeypatch):
    def fails(*_, **__):
        raise SolverError("it stopped", "stopped")

    monkeypatch.setattr("cvxlayer.model.problem.Problem.fit", fails)
    for loss in ("squared", "absolute"):
        problem = random_problem(1, loss=loss)
        c = certify(Network(np.ones((problem.d, 1)), [1.0]), problem, tighten=True)
        assert c.lower_bound <= c.objective - c.decrease and c.optimal is not True


def test_a_missing_neuron_of_a_loss_with_steps():
    """A bracket of 1e50 and a slope that jumps."""
    problem = Problem([[1e-50, -2e-50]] * 2, [9e-11, 2.3e-10], 1.0578e-51, loss="absolute")
    certificate = certify(Network(np.zeros((2, 0)), []), problem)
    assert certificate.lower_bound <= certificate.objective - certificate.decrease
