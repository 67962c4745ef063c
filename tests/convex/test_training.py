"""Training: every way to the optimum gives the same one, and the bounds are true."""

import numpy as np
import pytest
from problems import KINDS, PHI, problem, rows, targets

pytest.importorskip("clarabel")

from arrangements import Arrangement, CapacityError
from cvxlayer import Huber, Network, Problem, Squared
from cvxlayer.conic import solvers as solvers_package
from cvxlayer.errors import InputError, MissingSolverError
from cvxlayer.model.losses import LOSSES

LINE = np.arange(-2.0, 3)[:, None]
TARGETS = np.array([1.0, -1, 1, 1, -1])


def tolerance(p, relative):
    """Relative to the objective of the zero network."""
    return relative * p.loss.value(np.zeros(p.n), p.y)


def recomputed(p, network):
    """The objective from its definition."""
    z = sum(a * np.maximum(p.X @ u, 0) for a, u in zip(network.alpha, network.U.T, strict=True))
    z = z + np.zeros(p.n)
    phi = PHI[p.loss.name](z, p.y).sum()
    return phi + p.beta / 2 * (np.sum(network.U**2) + np.sum(network.alpha**2))


def check(p, solution, rng=None):
    """What holds for every solution of p."""
    network = solution.network
    assert solution.value == pytest.approx(recomputed(p, network), rel=1e-12)
    assert solution.value == pytest.approx(network.objective(p), rel=1e-14)
    assert solution.lower_bound <= solution.value
    assert solution.value <= p.loss.value(np.zeros(p.n), p.y) * (1 + 1e-12)
    assert network.m <= p.n + 1
    assert solution.weights.shape == (p.d, len(solution.signs)) and len(
        solution.patterns) == len(solution.signs)
    assert np.linalg.norm(network.U, axis=0) == pytest.approx(np.abs(network.alpha), rel=1e-12)
    for bits, w in zip(solution.patterns, solution.weights.T, strict=True):
        values = np.where(bits, 1, -1) * (p.X @ w)  # w is in the closure of its chamber
        assert (values >= -1e-12 * p.row_lengths * np.linalg.norm(w)).all()
    rng = rng or np.random.default_rng(0)
    for m in (1, 2, 5, 20):
        for size in (0.1, 1.0):
            other = Network(size * rng.standard_normal((p.d, m)), size * rng.standard_normal(m))
            assert solution.lower_bound <= p.objective(other)


@pytest.mark.parametrize(("kind", "seed"), [
    ("integers", 0), *(pytest.param(kind, seed, marks=pytest.mark.full) for kind, seed in
                       [("integers", 1), ("integers", 2), ("normal", 0), ("normal", 1)])])
@pytest.mark.parametrize("loss", LOSSES)
def test_every_program_has_the_same_optimum(loss, seed, kind):
    p = problem(loss, seed, kind)
    A = p.arrangement
    solutions = [
        p.fit("columns"), p.fit("full"), p.convex_program(constraints="all").solve(),
        p.convex_program(A.trichotomies()).solve(), p.convex_program(A.dichotomies()).solve(),
        p.convex_program(A.dichotomies().to_numpy()).solve()]
    for s in solutions:
        check(p, s)
    values = np.array([s.value for s in solutions])
    accuracy = tolerance(p, 1e-8 if p.loss.name == "squared" else 1e-6)
    assert np.ptp(values) <= accuracy
    assert max(s.lower_bound for s in solutions) <= min(values)
    assert min(values) - max(s.lower_bound for s in solutions) <= accuracy
    assert solutions[0].gap <= 1e-8 and solutions[0].status == "optimal"


@pytest.mark.parametrize("bias", [False, pytest.param(True, marks=pytest.mark.full)])
@pytest.mark.parametrize(("kind", "n"), [*((kind, 6) for kind in KINDS), ("integers", 8),
                                         ("normal", 1)])
@pytest.mark.parametrize("loss", LOSSES)
def test_degenerate_data(loss, kind, n, bias):
    if n == 1 and LOSSES[loss].classifies:
        return
    p = Problem(rows(kind, n, 2, 3), targets(loss, n, 4), 0.05, loss=loss, bias=bias)
    columns = p.fit("columns")
    check(p, columns)
    assert columns.value - columns.lower_bound <= tolerance(p, 1e-7)
    if kind != "nearly parallel":
        full = p.fit("full")
        check(p, full)
        assert abs(columns.value - full.value) <= tolerance(p, 1e-6)


@pytest.mark.parametrize("method", ["auto", "full", "columns"])
@pytest.mark.parametrize(("beta", "value"), [(1e-4, 0.00101278), (0.1, 0.891447)])
def test_published_optimum_on_a_line(method, beta, value):
    """The data of figure 2 of Pilanci and Ergen 2020; the 0.001 printed there is that of 1e-4."""
    found = Problem(LINE, TARGETS, beta, bias=True).fit(method)
    assert found.value == pytest.approx(value, rel=1e-5)


@pytest.mark.parametrize("method", ["auto", "full", "columns"])
def test_published_optimum_in_the_plane(method):
    """Wang, Lacotte and Pilanci's example 1."""
    found = Problem([[1, 0], [0, 1], [1, 1]], [1, 0, 0], 0.1).fit(method)
    assert found.value == pytest.approx(0.129024, abs=5e-7)
    assert found.network.m == 1
    W, signs = found.network.weights
    assert W[:, 0] == pytest.approx([0.8587, -0.7909], abs=5e-5) and signs.tolist() == [1]


@pytest.mark.parametrize("method", ["auto", "full", "columns"])
def test_one_sample_by_hand(method):
    """(w - 1)^2 + w is least at w = 1/2."""
    for p in (Problem([[1]], [1], 1, scale=2.0), Problem([[1]], [1], 1, loss=Squared(2))):
        found = p.fit(method)
        assert found.value == pytest.approx(0.75, rel=1e-9)
        assert found.network.weights[0] == pytest.approx(np.array([[0.5]]), abs=1e-6)
        assert p.fit().lower_bound <= 0.75


@pytest.mark.parametrize("loss", [loss for loss in LOSSES if LOSSES[loss].smooth])
def test_from_beta_max_on_the_zero_network_is_optimal(loss):
    p = problem(loss, 5)
    largest = p.beta_max()
    y = p.y if p.classes is None else np.where(p.y > 0, p.classes[1], p.classes[0])
    above = Problem(p.arrangement, y, largest * 1.001, loss=loss).fit()
    below = Problem(p.arrangement, y, largest * 0.99, loss=loss).fit()
    assert above.network.m == 0 and above.value == p.loss.value(np.zeros(p.n), p.y)
    assert below.network.m > 0 and below.value < above.value


@pytest.mark.parametrize("loss", LOSSES)
def test_lower_bound_of_any_vector_is_below_the_optimum(loss):
    p, rng = problem(loss, 6), np.random.default_rng(0)
    best = p.fit("columns")
    for _ in range(50):
        v = p.loss.into_domain(p.loss.scale * rng.standard_normal(p.n), p.y)
        bound = p.lower_bound(v, p.arrangement.support(v, both=True).bound)
        assert p.loss.dual(0 * v, p.y) <= bound + 1e-12 and bound <= best.value
        # twice the price is as good as half the penalty, never better
        assert p.lower_bound(v, 2 * p.arrangement.support(v, both=True).bound) <= bound + 1e-12


def test_a_program_over_a_solutions_own_patterns_or_faces_has_its_optimum():
    p = problem("squared", 7)
    best = p.fit("columns")
    for patterns in (best.patterns, best.network):
        again = p.convex_program(patterns).solve()
        assert again.value == pytest.approx(best.value, rel=1e-8)


def test_fewer_patterns_never_help_and_the_gap_is_to_the_optimum_over_all():
    p = problem("squared", 8, n=12)
    best = p.fit("columns")
    some = p.convex_program(p.arrangement.dichotomies()[::5]).solve()
    assert some.lower_bound <= best.value <= some.value + 1e-9
    assert some.status in ("restricted", "optimal")


@pytest.mark.parametrize("variant", ["gaussian", "trained", "initial", "flipped"])
def test_sampled_programs(variant):
    p, rng = problem("squared", 9, n=10), np.random.default_rng(1)
    best, network = p.fit("columns"), Network(rng.standard_normal((3, 4)), rng.standard_normal(4))
    found = [p.fit("sampled", variant=variant, network=network, samples=15, rng=2)
             for _ in range(2)]
    assert found[0].value == found[1].value
    check(p, found[0])
    assert found[0].lower_bound <= best.value <= found[0].value + 1e-9
    exact = p.fit("sampled", variant=variant, network=best.network, samples=15, rng=2)
    assert exact.value == pytest.approx(best.value, rel=1e-8)


def test_columns_begins_with_a_network_and_reports_its_rounds():
    p = problem("squared", 10, n=12)
    best, rounds = p.fit("columns"), []
    again = p.fit("columns", network=best.network, callback=rounds.append)
    assert again.value == pytest.approx(best.value, rel=1e-8)
    # the last round, which proves the optimum, is not asked whether to go on
    assert rounds == again.history[: len(rounds)]
    assert [r.number for r in again.history] == list(range(len(again.history)))
    stopped = p.fit("columns", callback=lambda r: True)
    check(p, stopped)
    assert len(stopped.history) == 1
    assert p.fit("columns", max_rounds=1).lower_bound <= best.value


def test_more_threads_give_the_same_optimum():
    p = problem("squared", 11, n=12)
    assert p.fit("columns", n_jobs=2).value == pytest.approx(p.fit("columns").value, rel=1e-8)


def test_two_classes_are_any_two_labels():
    X = np.random.default_rng(12).standard_normal((6, 2))
    values = [Problem(X, y, 0.1, loss="logistic").fit().value for y in (
        [1, -1, 1, 1, -1, -1], [7, 3, 7, 7, 3, 3], ["b", "a", "b", "b", "a", "a"],
        [True, False, True, True, False, False])]
    assert values == [values[0]] * 4
    assert Problem(X, ["b", "a"] * 3, 0.1, loss="hinge").classes == ("a", "b")


def test_decimal_reading_finds_ties_of_decimals():
    rows = [[0.1, 0.2], [0.2, 0.4], [0.3, 0.6], [0.5, -0.1]]
    p = Problem(rows, [1, 2, 3, 4], 0.01, numbers="decimal")
    assert p.arrangement.n_hyperplanes == 2
    check(p, p.fit())


def test_a_loss_object_is_taken_as_it_is():
    X = np.random.default_rng(13).standard_normal((6, 2))
    p = Problem(X, np.arange(6), 0.1, loss=Huber(delta=0.25))
    assert p.fit("columns").value == pytest.approx(p.fit("full").value, rel=1e-7)


def test_one_arrangement_serves_many_problems():
    A = Arrangement([[1, 0], [0, 1], [1, 1]])
    assert Problem(A, [1, 0, 0], 0.1).fit().value == pytest.approx(0.129024, abs=5e-7)


# -- errors ------------------------------------------------------------------------------------


@pytest.mark.parametrize(("arguments", "options", "message"), [
    (([1, 2], 0.1), {}, r"^y must have shape \(3,\)"),
    (([[1], [2], [3]], 0.1), {}, r"^y must have shape \(3,\)"),
    (([1, np.nan, 3], 0.1), {}, r"^y must be finite, got nan at 1"),
    (([1, 2, -np.inf], 0.1), {}, r"^y must be finite, got -inf at 2"),
    ((["a", "b", "c"], 0.1), {}, r"^y must hold real numbers"),
    (([1, 2, 3], 0.1), {"loss": "hinge"}, r"^y must have two classes .* got 3: 1, 2, 3"),
    (([1, 1, 1], 0.1), {"loss": "logistic"}, r"^y must have two classes .* got 1"),
    (([1, 2, 3], 0), {}, r"^beta must be a positive number, got 0"),
    (([1, 2, 3], -0.5), {}, r"^beta must be a positive number, got -0.5"),
    (([1, 2, 3], np.inf), {}, r"^beta must be a positive number, got inf"),
    (([1, 2, 3], np.nan), {}, r"^beta must be a positive number, got nan"),
    (([1, 2, 3], "0.1"), {}, r"^beta must be a positive number"),
    (([1, 2, 3], True), {}, r"^beta must be a positive number"),
    (([1, 2, 3], 0.1), {"loss": "mse"},
     r"^loss must be one of squared, logistic, hinge, absolute, huber, got 'mse'"),
    (([1, 2, 3], 0.1), {"scale": 0}, r"^scale must be a positive number"),
])
def test_problem_refuses(arguments, options, message):
    with pytest.raises(InputError, match=message):
        Problem([[1, 0], [0, 1], [1, 1]], *arguments, **options)


def test_solvers_are_named_and_a_missing_one_says_what_to_install(monkeypatch):
    p = Problem([[1, 0], [0, 1], [1, 1]], [1, 0, 0], 0.1)
    with pytest.raises(InputError, match=r"solver must be one of clarabel, .*got 'cplex'"):
        p.fit(solver="cplex")

    def missing(name, package):
        raise ImportError(name)

    monkeypatch.setattr(solvers_package, "import_module", missing)
    with pytest.raises(MissingSolverError, match=r"'clarabel' is not installed; .*\[convex\]"):
        p.fit()
    with pytest.raises(MissingSolverError, match=r"'scs' is not installed; .*\[solvers\]"):
        p.fit(solver="scs")


def test_fit_and_programs_refuse():
    p = Problem([[1, 0], [0, 1], [1, 1]], [1, 0, 0], 0.1)
    wide = Network(np.ones((3, 1)), [1])
    refusals = [
        (lambda: p.fit("newton"), "method must be"),
        (lambda: p.fit(tol=0), "tol must be"),
        (lambda: p.fit("columns", network=wide), "network must have 2 input weights, got 3"),
        (lambda: p.fit("sampled", samples=0), "samples must be a positive integer"),
        (lambda: p.fit("sampled", variant="best"), "variant must be one of gaussian, trained"),
        (lambda: p.fit("sampled", variant="trained"), "network must be given"),
        (lambda: p.fit("sampled", variant="initial", network=wide), "network must have 2"),
        (lambda: p.objective(wide), "network must have 2 input weights, got 3"),
        (lambda: p.objective([[1.0]]), "network must be a Network, got list"),
        (lambda: p.convex_program(wide), "network must have 2"),
        (lambda: p.convex_program(np.ones((2, 4), dtype=bool)), "patterns must be of 3 samples"),
        (lambda: p.convex_program(np.ones((2, 3))), "patterns must be a bool array"),
        (lambda: p.convex_program(Arrangement([[1, 0], [0, 1]]).dichotomies()),
         "patterns must be of 3 samples, got 2"),
        (lambda: p.convex_program(Arrangement([[1, 0], [0, 1]]).trichotomies()),
         "patterns must be of 3 samples, got 2"),
        (lambda: p.convex_program(np.array([[False, False, True]])), "chamber"),
        (lambda: p.convex_program(constraints="some"), "constraints must be"),
    ]
    for call, message in refusals:
        with pytest.raises(InputError, match=message):
            call()
    with pytest.raises(CapacityError, match="use fit"):
        p.convex_program(max_bytes=100)


def test_a_problem_with_bias_says_so_when_a_network_lacks_it():
    p = Problem(LINE, TARGETS, 0.1, bias=True)
    with pytest.raises(InputError, match="2 input weights with the bias, got 1"):
        p.objective(Network(np.ones((1, 1)), [1]))


# -- networks ----------------------------------------------------------------------------------


def network(seed=0, d=3, m=4):
    rng = np.random.default_rng(seed)
    return Network(rng.standard_normal((d, m)), rng.standard_normal(m))


def test_weights_and_from_weights_are_inverse_on_scaled_networks():
    net = network().scaled()
    again = Network.from_weights(*net.weights)
    assert pytest.approx(net.U) == again.U and again.alpha == pytest.approx(net.alpha)
    W = np.array([[3.0, 0.0], [4.0, 0.0]])
    made = Network.from_weights(W, np.array([-1.0, 1.0]))
    assert made.m == 1 and made.alpha == pytest.approx([-np.sqrt(5)])
    assert made.U[:, 0] == pytest.approx(W[:, 0] / np.sqrt(5))


def test_scaling_keeps_predictions_and_lowers_the_penalty():
    net = Network([[1.0, 2, 0, 5], [3.0, 4, 0, 6]], [2.0, -0.5, 3.0, 0.0])
    X = np.random.default_rng(1).standard_normal((20, 2))
    scaled = net.scaled()
    assert scaled.m == 2
    assert scaled.predict(X) == pytest.approx(net.predict(X))
    assert np.linalg.norm(scaled.U, axis=0) == pytest.approx(np.abs(scaled.alpha))
    p = Problem(X, np.zeros(20), 1.0)
    assert scaled.objective(p) < net.objective(p)


def test_predict_checked_by_hand_with_and_without_the_column_of_ones():
    net = Network([[1.0, -1], [1.0, 2]], [2.0, 1.0])
    assert net.predict([[3.0, 1.0], [-3.0, 1.0]]).tolist() == [8.0, 5.0]
    assert net.predict([[3.0], [-3.0]]).tolist() == [8.0, 5.0]
    assert (net.d, net.m) == (2, 2) and "d=2, m=2" in repr(net)
    with pytest.raises(InputError, match=r"X must have shape \(n, 2\)"):
        net.predict(np.ones((2, 3)))
    with pytest.raises(InputError, match=r"X must have shape \(n, 2\)"):
        net.predict(np.ones(2))


def test_files(tmp_path):
    net, path = network(), tmp_path / "network.npz"
    net.save(path)
    again = Network.load(path)
    assert np.array_equal(again.U, net.U) and np.array_equal(again.alpha, net.alpha)
    assert [f.name for f in tmp_path.iterdir()] == ["network.npz"]
    with pytest.raises(InputError, match=r"path must end in \.npz"):
        net.save(tmp_path / "network.txt")
    for name, content in (("text.npz", b"no archive"), ("empty.npz", b""),
                          ("cut.npz", path.read_bytes()[:100])):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(InputError, match=r"must be a file written by Network\.save"):
            Network.load(tmp_path / name)
    np.savez(tmp_path / "other.npz", A=np.ones(3))
    with pytest.raises(InputError, match=r"must be a file written by Network\.save"):
        Network.load(tmp_path / "other.npz")


@pytest.mark.parametrize(("U", "alpha", "message"), [
    (np.ones((2, 3)), np.ones(2), r"U must have shape \(d, m\) and alpha \(m,\)"),
    (np.ones(3), np.ones(3), r"U must have shape"),
    ([[1.0, np.nan]], [1, 1], r"U must be finite, got nan at \(0, 1\)"),
    ([[1.0]], [np.inf], r"alpha must be finite, got inf at \(0,\)"),
    ([["a"]], [1], r"U must hold real numbers"),
])
def test_network_refuses(U, alpha, message):
    with pytest.raises(InputError, match=message):
        Network(U, alpha)


def test_from_sklearn():
    MLPRegressor = pytest.importorskip("sklearn.neural_network").MLPRegressor
    rng = np.random.default_rng(2)
    X, y = rng.standard_normal((20, 3)), rng.standard_normal(20)
    options = {"solver": "adam", "max_iter": 3, "random_state": 0}

    def fitted(*sizes):  # to any weights: none is near convergence, and scikit-learn says so
        with pytest.warns(Warning, match="converge"):
            return MLPRegressor(hidden_layer_sizes=sizes, **options).fit(X, y)

    model = fitted(5)
    with pytest.raises(InputError, match="the bias of the output must be zero"):
        Network.from_sklearn(model)
    model.intercepts_[1][:] = 0
    net = Network.from_sklearn(model)
    assert (net.d, net.m) == (4, 5)
    assert net.predict(X) == pytest.approx(model.predict(X))
    with pytest.raises(InputError, match="one hidden layer"):
        Network.from_sklearn(fitted(3, 2))
    with pytest.raises(InputError, match="must be a fitted MLP, got MLPRegressor"):
        Network.from_sklearn(MLPRegressor())


class FakeTensor:
    def __init__(self, array):
        self.array = np.asarray(array)

    def detach(self):
        return self

    def cpu(self):
        return self

    def double(self):
        return self.array.astype(np.float64)


def test_from_torch_by_state_dict():
    rng = np.random.default_rng(3)
    W, b, a = rng.standard_normal((4, 2)), rng.standard_normal(4), rng.standard_normal((1, 4))
    state = {"0.weight": FakeTensor(W), "0.bias": FakeTensor(b), "2.weight": FakeTensor(a)}
    net = Network.from_torch(state)
    X = rng.standard_normal((9, 2))
    assert net.predict(X) == pytest.approx(np.maximum(X @ W.T + b, 0) @ a[0])
    assert Network.from_torch(state | {"2.bias": FakeTensor([0.0])}).m == 4
    assert Network.from_torch({k: state[k] for k in ("0.weight", "2.weight")}).d == 2
    with pytest.raises(InputError, match=r"the bias of the output must be zero, got 0\.5"):
        Network.from_torch(state | {"2.bias": FakeTensor([0.5])})
    with pytest.raises(InputError, match="must have one output, got 2"):
        Network.from_torch(state | {"2.weight": FakeTensor(np.ones((2, 4)))})
    with pytest.raises(InputError, match="one hidden layer, got 3 linear layers"):
        Network.from_torch(state | {"4.weight": FakeTensor(np.ones((1, 1)))})


def test_from_torch_by_layers():
    def layer(kind):
        return type(kind, (), {})()

    class Sequential(list):
        def children(self):
            return iter(self)

        def state_dict(self):
            return {"0.weight": np.ones((2, 3)), "2.weight": np.ones((1, 2))}

    assert Network.from_torch(Sequential(map(layer, ("Linear", "ReLU", "Linear")))).m == 2
    with pytest.raises(InputError, match="module must be Linear, ReLU, Linear, got Linear, Tanh"):
        Network.from_torch(Sequential(map(layer, ("Linear", "Tanh", "Linear"))))


def test_torch_round_trip():
    torch = pytest.importorskip("torch")
    net = network()
    for bias in (False, True):
        module = net.to_torch(bias=bias)
        again = Network.from_torch(module)
        assert np.array_equal(again.U, net.U) and np.array_equal(again.alpha, net.alpha)
        X = np.random.default_rng(4).standard_normal((5, net.d - bias))
        assert module(torch.tensor(X)).detach().numpy()[:, 0] == pytest.approx(net.predict(X))


def test_data_beyond_floats_are_refused():
    with pytest.raises(InputError, match="X must fit floats, got a larger number at row 1"):
        Problem([[1, 2], [10**400, 1]], [1, 2], 0.1)


def test_patterns_that_miss_neurons_of_a_network_are_reported():
    X = np.random.default_rng(0).normal(size=(8, 2))
    problem = Problem(X, X[:, 0], 0.1)
    network = Network([[1.0, -1.0, 0.0], [0.5, 0.2, 1.0]], [1.0, 1.0, -1.0])
    own = problem.arrangement.dichotomies_at(network.U.T)
    assert len(problem.convex_program(own, network=network).blocks) == 6
    with pytest.raises(InputError, match="neurons 1, 2 lie in none"):
        problem.convex_program(own[:1], network=network)


@pytest.mark.parametrize("loss", LOSSES)
def test_a_replaced_problem_is_the_one_made_anew(loss):
    rng = np.random.default_rng(3)
    X, labels = rng.standard_normal((6, 2)), np.array(["a", "b", "a", "b", "b", "a"])
    y = labels if LOSSES[loss].classifies else rng.standard_normal(6)
    p = Problem(X, y, 0.1, loss=loss, bias=True)
    network = Network(rng.standard_normal((3, 4)), rng.standard_normal(4))
    other = y[::-1]
    for changed, anew in (
            (p.replaced(beta=0.3), Problem(X, y, 0.3, loss=loss, bias=True)),
            (p.replaced(y=other), Problem(X, other, 0.1, loss=loss, bias=True)),
            (p.replaced(loss=LOSSES[loss](2.0)), Problem(X, y, 0.1, loss=loss, scale=2, bias=True)),
            (p.replaced(loss="huber"), Problem(X, p.y, 0.1, loss="huber", bias=True))):
        assert changed.objective(network) == anew.objective(network)
        assert changed.classes == anew.classes
        assert changed.arrangement is p.arrangement
    assert p.beta == 0.1
    assert p.loss.scale == 1
    for wrong in ({"beta": 0}, {"y": y[:3]}, {"loss": "cubic"}):
        with pytest.raises(InputError, match=f"{next(iter(wrong))} must"):
            p.replaced(**wrong)
