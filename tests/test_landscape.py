"""Maps between networks and blocks, and networks of fewer neurons, keep what they promise."""

import numpy as np
import pytest

from cvxlayer import Network, Problem
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
