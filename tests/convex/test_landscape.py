"""Maps between networks and blocks, and networks of fewer neurons, keep what they promise."""

import numpy as np
import pytest

from arrangements import Dichotomies
from cvxlayer import Blocks, Network, Problem, certify
from cvxlayer.errors import InputError
from cvxlayer.model.blocks import factors, groups
from cvxlayer.model.weights import caratheodory, collinear


def setting(seed, m, n=8, d=3):
    rng = np.random.default_rng(seed)
    X = rng.integers(-2, 3, (n, d)).astype(float) if seed % 2 else rng.standard_normal((n, d))
    X[1], X[2] = -X[0], 0
    problem = Problem(X, rng.standard_normal(n), 0.1)
    return problem, Network(rng.standard_normal((d, m)), rng.standard_normal(m))


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("m", [0, 1, 4, 40])
def test_maps_keep_predictions_and_do_not_raise_the_objective(seed, m):
    problem, network = setting(seed, m)
    scaled = network.scaled()
    for image, equal in [(network.to_blocks(problem), False), (scaled.merged(), True),
                         (scaled.reduced(problem), True), (network.split([3] * m), None),
                         (network.padded(m + 2), None)]:
        there = image if isinstance(image, Network) else Network.from_blocks(image)
        assert there.predict(problem.X) == pytest.approx(network.predict(problem.X), abs=1e-11)
        before = problem.objective(network if equal is None else scaled)
        assert problem.objective(there) <= before * (1 + 1e-12)
        if equal is not False:
            assert problem.objective(there) == pytest.approx(before, rel=1e-11)


def test_blocks_of_a_minimal_network_are_itself():
    problem, _ = setting(0, 0)
    network = problem.fit().network
    blocks = network.to_blocks(problem)
    again = Network.from_blocks(blocks)
    assert len(blocks) == network.m == again.m
    assert pytest.approx(network.U, rel=1e-12) == again.U
    for bits, w in zip(blocks.patterns, blocks.weights.T, strict=True):
        values = np.where(bits, 1, -1) * (problem.X @ w)
        assert (values >= -1e-12 * np.linalg.norm(w)).all()


def test_ties_go_to_one_chamber_always():
    problem = Problem([[1.0, 0], [0, 1], [-1, 0]], [1.0, 2, 3], 0.1)
    network = Network([[0.0, 0, 0, 0], [1, 2, -1, 0]], [1.0, 1, 1, 1])
    members = [g.tolist() for g in groups(problem, network)]
    assert members == [[0, 1], [2]] == [g.tolist() for g in groups(problem, network)]
    order = np.array([2, 1, 0, 3])
    moved = [sorted(order[g].tolist())
             for g in groups(problem, Network(network.U[:, order], network.alpha))]
    assert sorted(moved) == sorted(members)


def test_neurons_of_one_sign_only_are_merged():
    network = Network([[1.0, 2, 1, -1], [1, 2, 1, -1]], [1.0, 1, -1, 1])
    merged = network.merged()
    assert merged.m == 3
    W, signs = merged.weights
    assert W[:, 0] == pytest.approx([3, 3]) and sorted(signs) == [-1, 1, 1]
    near = Network([[1.0, 1], [1, 1 + 1e-7]], [1.0, 1])
    assert (near.merged().m, near.merged(1e-6).m) == (2, 1)


@pytest.mark.parametrize("m", [3, 9, 10, 60, 300])
def test_reduced_to_n_plus_one(m):
    problem, network = setting(0, m)
    small = network.reduced(problem)
    assert small.m <= min(m, problem.n + 1)
    c = factors(problem, network)
    assert c.shape == (m,) and (c >= 0).all() and (c > 0).sum() == small.m
    # each neuron left is one of the old ones, longer or shorter
    directions = network.U / np.linalg.norm(network.U, axis=0)
    for u in (small.U / np.linalg.norm(small.U, axis=0)).T:
        assert np.abs(directions - u[:, None]).max(axis=0).min() < 1e-12


@pytest.mark.parametrize("seed", range(6))
def test_n_neurons_suffice_at_an_optimum(seed):
    """The penalty there is (1/beta) v times the predictions."""
    rng = np.random.default_rng(seed)
    problem, _ = setting(seed, 0)
    best = problem.fit().network
    assert best.m <= problem.n
    wide = best.split([20] * best.m)
    wide = Network(wide.U + 1e-10 * rng.standard_normal(wide.U.shape), wide.alpha)
    assert certify(wide, problem).optimal and wide.m > problem.n + 1
    full = int((factors(problem, wide) > 0).sum())
    small = wide.reduced(problem)
    assert small.m <= problem.n and small.m <= full <= problem.n + 1
    assert small.predict(problem.X) == pytest.approx(wide.predict(problem.X), abs=1e-11)
    before, after = problem.objective(wide.scaled()), problem.objective(small)
    assert before * (1 - 1e-8) <= after <= before * (1 + 1e-13)


def test_n_plus_one_neurons_are_one_too_many_at_an_optimum():
    """8 directions of octants are optimal together, and 7 of them, moved a bit, independent."""
    X = np.vstack([np.eye(3), -np.eye(3)])
    problem = Problem(X, np.ones(6), 0.1)
    octants = np.array(np.meshgrid(*[[-1.0, 1]] * 3)).reshape(3, 8)
    best = problem.fit().network
    total = np.linalg.norm(best.weights[0], axis=0).sum()
    W = octants * total / 8 / 3**0.5
    W += 1e-6 * total * np.random.default_rng(0).standard_normal(W.shape)
    network = Network.from_weights(W, np.ones(8))
    assert certify(network, problem).optimal
    assert (factors(problem, network) > 0).sum() == 7
    small = network.reduced(problem)
    assert small.m == 6
    assert small.predict(X) == pytest.approx(network.predict(X), abs=1e-13)
    assert problem.objective(small) == pytest.approx(problem.objective(network), rel=1e-8)


def test_caratheodory_without_least_squares(monkeypatch):
    """The way out where that does not reach the sum."""
    monkeypatch.setattr("cvxlayer.model.weights.nnls", lambda *_, **__: (None, np.inf))
    rng = np.random.default_rng(0)
    for rows, k in [(1, 5), (4, 4), (4, 30), (3, 0), (6, 6)]:
        columns = rng.standard_normal((rows, k))
        if k == 6:
            columns[:, 3:] = columns[:, :3] * [1, 2, -1]
        c = caratheodory(columns)
        assert (c >= 0).all() and columns @ c == pytest.approx(columns.sum(axis=1), abs=1e-12)
        assert (c > 0).sum() <= np.linalg.matrix_rank(columns) if k else len(c) == 0


def test_collinear():
    W = np.array([[1.0, 3, 0, -1], [0, 0, 0, 0]])
    assert [g.tolist() for g in collinear(W, np.ones(4), 1e-9)] == [[1, 0], [3]]


def test_split_refuses_what_does_not_add_up():
    network = Network([[1.0, 2.0]], [1.0, 1.0])
    for weights, message in [([1], "entry for each of 2 neurons, got 1"),
                             ([[0.5, 0.4], 1], r"weights\[0\] must be"),
                             ([1, [1.5, -0.5]], r"weights\[1\] must be"), ([0, 1], "weights")]:
        with pytest.raises(InputError, match=message):
            network.split(weights)
    with pytest.raises(InputError, match="m must be an integer of at least 2, got 1"):
        network.padded(1)
    halves = network.split([[0.5, 0.5], [0, 1]])
    assert halves.m == 4 and halves.predict([[1.0]]) == pytest.approx([3])


# --- faces


def rotations(d, rng):
    """Signed permutations, and one rotation that rounds."""
    for _ in range(3):
        yield np.eye(d)[rng.permutation(d)] * rng.choice([-1.0, 1.0], d)
    yield np.linalg.qr(rng.standard_normal((d, d)))[0]


def on_walls(seed, d=5, beta=0.1):
    """A stationary network whose neurons are on walls, and which of them share a face and a sign.

    Rows +-c_i e_i and residuals v_i = +-beta / (c_i sqrt 2): for a pair S of samples of one sign
    of v, the neuron u with x_i.u = c_i t / sqrt 2 in S, else 0, and the sign of v is stationary.
    """
    rng = np.random.default_rng(seed)
    c, side = rng.uniform(0.5, 2, d), rng.choice([-1.0, 1.0], d)
    sign = np.array([1.0, 1, 1, -1, -1])
    pairs = [np.sort(rng.choice(3, 2, replace=False)) for _ in range(5)] + [np.array([3, 4])] * 2
    sizes, members = rng.uniform(0.5, 2, 7), {}
    U, alpha = np.zeros((d, 7)), np.zeros(7)
    for j, (S, t) in enumerate(zip(pairs, sizes, strict=True)):
        U[S, j], alpha[j] = side[S] * t / 2**0.5, sign[S[0]] * t
        members.setdefault(tuple(S), []).append(j)
    X = np.diag(c * side)
    y = np.maximum(X @ U, 0) @ alpha + sign * beta / (c * 2**0.5)
    return X, y, Network(U, alpha), sorted(members.values())


@pytest.mark.parametrize("seed", range(8))
def test_stationary_networks_on_walls_are_nearly_minimal_in_all_coordinates(seed):
    """Theorem 2 of Wang, Lacotte and Pilanci, which has faces where chambers would be wrong."""
    X, y, network, members = on_walls(seed)
    for Q in rotations(5, np.random.default_rng(seed)):
        problem, turned = Problem(X @ Q, y, 0.1), Network(Q.T @ network.U, network.alpha)
        assert sorted(g.tolist() for g in groups(problem, turned, "face")) == members
        c = certify(turned, problem)
        assert c.stationary and c.nearly_minimal and c.relative.max() < 1e-9
        assert sorted(g.tolist() for g in c.repeated) == [g for g in members if len(g) > 1]
        assert c.minimal == (len(members) == 7)
        assert certify(turned.merged(), problem).minimal


@pytest.mark.parametrize("sides", [[1.0, 1.0], [1.0, -1.0], [-1.0, -1.0]])
def test_neurons_on_two_walls_of_a_chamber_are_minimal(sides):
    """Clarke stationary, whichever chamber the two neurons are said to be in."""
    problem = Problem(np.diag(sides), [1.1, 1.1], 0.1)
    c = certify(Network(np.diag(sides), [1.0, 1.0]), problem)
    assert c.relative.max() < 1e-14 and c.nearly_minimal and c.minimal and not c.crowded


@pytest.mark.parametrize("seed", range(6))
def test_verdicts_do_not_depend_on_coordinates(seed):
    problem, network = setting(seed, 12)
    rng = np.random.default_rng(seed)
    network.U[:, ::2] = rng.integers(-1, 2, network.U[:, ::2].shape)
    network = network.scaled()
    found = certify(network, problem)
    by_face = [g.tolist() for g in groups(problem, network, "face")]
    for Q in list(rotations(3, rng))[:3]:
        there, turned = Problem(problem.X @ Q, problem.y, 0.1), Network(Q.T @ network.U,
                                                                        network.alpha)
        c = certify(turned, there)
        assert [g.tolist() for g in groups(there, turned, "face")] == by_face
        for name in ("verdict", "stationary", "scaled", "nearly_minimal", "minimal"):
            assert getattr(c, name) == getattr(found, name)
        for name in ("crowded", "repeated"):
            a, b = getattr(c, name), getattr(found, name)
            assert [g.tolist() for g in a] == [g.tolist() for g in b]


def test_faces_up_to_rounding_or_exactly():
    problem = Problem([[1.0, 0], [-3, 0], [0, 1]], [1.0, 2, 3], 0.1)
    network = Network([[0.0, 1e-12, -1e-12, 1e-6], [1, 1, 1, 1]], [1.0, 1, 1, 1])
    assert [g.tolist() for g in groups(problem, network, "face")] == [[0, 1, 2], [3]]
    assert [g.tolist() for g in groups(problem, network, "face", zero_tol=0)] == [
        [0], [1, 3], [2]]
    assert [g.tolist() for g in groups(problem, network, "face", zero_tol=1e-5)] == [[0, 1, 2, 3]]


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("zero_tol", [0, 1e-9])
def test_blocks_of_a_face_are_one_neuron(seed, zero_tol):
    """Weights on walls, each in two chambers; map (8) of Wang, Lacotte and Pilanci."""
    rng = np.random.default_rng(seed)
    X = rng.integers(-2, 3, (6, 3)).astype(float)
    problem = Problem(X, rng.standard_normal(6), 0.1)
    W = rng.integers(-1, 2, (3, 30)).astype(float) * rng.integers(1, 4, 30)
    W[:, 0], W[:, 1] = [0, 0, 1], [0, 0, -1]
    signs = rng.choice([-1.0, 1.0], 30)
    above = problem.arrangement.dichotomies_at((W + 1e-7 * rng.standard_normal(W.shape)).T)
    blocks = Blocks(above, W, signs)
    plain, merged = Network.from_blocks(blocks), Network.from_blocks(
        blocks, "faces", zero_tol=zero_tol)
    size = np.linalg.norm(W, axis=0).sum() * np.linalg.norm(X, axis=1)
    assert np.abs(merged.predict(X) - plain.predict(X)).max() <= 1e-14 * size.max()
    assert problem.objective(merged) <= problem.objective(plain) * (1 + 1e-14)
    own = np.column_stack([problem.arrangement.signs_at(merged.U.T), merged.alpha > 0])
    assert len(np.unique(own, axis=0)) == merged.m < plain.m
    assert Network.from_blocks(merged.to_blocks(problem), merge="faces").m <= merged.m


def test_two_chambers_with_weights_on_their_wall_are_one_neuron():
    problem = Problem([[1.0, 0], [0, 1]], [1.0, 2], 0.1)
    both = problem.arrangement.dichotomies_at([[1.0, 1], [-1, 1]])
    weights = np.array([[0.0, 1e-13], [2, 3]])
    blocks = Blocks(both, weights, np.array([1.0, 1]))
    merged = Network.from_blocks(blocks, merge="faces")
    assert merged.weights[0] == pytest.approx(np.array([[0], [5]]), abs=1e-12)
    for other in (Network.from_blocks(blocks, merge="faces", zero_tol=0),
                  Network.from_blocks(Blocks(both, weights, np.array([1.0, -1])), "faces"),
                  Network.from_blocks(blocks)):
        assert other.m == 2
    opposite = Blocks(both, np.array([[1.0, -1], [0, 0]]), np.array([1.0, 1]))
    assert Network.from_blocks(opposite, merge="faces").m == 2
    with pytest.raises(InputError, match="merge must be None or 'faces', got 'cones'"):
        Network.from_blocks(blocks, merge="cones")
    with pytest.raises(InputError, match="must have their arrangement"):
        Network.from_blocks(Blocks(Dichotomies(both.packed, 2), weights, np.ones(2)), "faces")
