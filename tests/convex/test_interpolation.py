"""Interpolation of least norm: bounds that meet, and proofs where no network interpolates."""

import numpy as np
import pytest

pytest.importorskip("clarabel")

from arrangements import Arrangement
from cvxlayer import InfeasibleError, Network, Problem
from cvxlayer.errors import InputError
from cvxlayer.training.interpolation import minimum_norm, solutions_over_beta

LINE = np.arange(-2.0, 3)[:, None]
TARGETS = np.array([1.0, -1, 1, 1, -1])


def with_bias(X, bias):
    return np.column_stack([X, np.ones(len(X))]) if bias else np.asarray(X, dtype=float)


def check(X, y, found, gap=1e-8):
    """Feasible on both sides: the network interpolates, and v proves that none is shorter."""
    network = found.network
    y = np.asarray(y, dtype=float)
    assert np.abs(np.maximum(X @ network.U, 0) @ network.alpha - y).max() <= 1e-9 * np.abs(y).max()
    assert found.residual <= 1e-9 * np.abs(y).max()
    assert network.m <= len(y)
    penalty = (np.sum(network.U**2) + np.sum(network.alpha**2)) / 2
    assert found.value == pytest.approx(penalty, rel=1e-10)
    assert 0 < found.lower_bound <= found.value * (1 + 1e-12)
    assert found.gap <= gap
    assert found.v @ y == pytest.approx(found.lower_bound, rel=1e-9)
    assert Arrangement(X).support(found.v, both=True).value <= 1 + 1e-9


@pytest.mark.parametrize(("n", "d", "bias"), [(5, 1, True), (6, 2, True), (8, 3, False),
                                              (15, 2, True)])
def test_bounds_meet(n, d, bias):
    for seed in range(3):
        rng = np.random.default_rng(seed)
        X, y = rng.standard_normal((n, d)), rng.standard_normal(n)
        check(with_bias(X, bias), y, minimum_norm(X, y, bias=bias))


def test_published_example():
    """Ergen and Pilanci: norm 8 and v = (1, -3, 2, 1, -1) without a penalty on the biases.

    They are all but free where the column of ones is one of large constants.
    """
    X = np.column_stack([LINE, np.full(5, 1e5)])
    found = minimum_norm(X, TARGETS)
    assert found.value == pytest.approx(8, rel=1e-4)
    assert found.lower_bound == pytest.approx(8, rel=1e-4)
    check(with_bias(LINE, True), TARGETS, minimum_norm(LINE, TARGETS, bias=True))


def test_by_hand():
    found = minimum_norm([[2.0]], [3.0])  # w = 3/2
    assert found.value == pytest.approx(1.5) and found.network.m == 1
    found = minimum_norm([[3.0, 4.0]], [-10.0])  # w along x, ||x|| = 5
    assert found.value == pytest.approx(2) and found.network.alpha[0] < 0
    found = minimum_norm([[1.0], [-1.0]], [2.0, 5.0])  # one neuron for each side
    assert found.value == pytest.approx(7) and found.network.m == 2
    found = minimum_norm(np.eye(2), [1.0, 1.0])  # w = (1, 1)
    assert found.value == pytest.approx(np.sqrt(2))
    found = minimum_norm(np.eye(2), [1.0, -1.0])  # one neuron for each axis
    assert found.value == pytest.approx(2)


def test_any_interpolating_network_has_at_least_the_norm():
    rng = np.random.default_rng(3)
    X = rng.standard_normal((8, 3))
    for _ in range(3):
        other = Network(rng.standard_normal((3, 3)), rng.standard_normal(3))
        found = minimum_norm(X, other.predict(X))
        norm = np.linalg.norm(other.U, axis=0) @ np.abs(other.alpha)
        assert found.lower_bound <= norm * (1 + 1e-12) and found.value <= norm * (1 + 1e-7)


def test_norm_is_homogeneous_and_scales_with_the_data():
    rng = np.random.default_rng(4)
    X, y = rng.standard_normal((6, 2)), rng.standard_normal(6)
    value = minimum_norm(X, y, bias=True).value
    for factor in (-1.0, 1e-6, 1e5):
        assert minimum_norm(X, factor * y, bias=True).value == pytest.approx(
            abs(factor) * value, rel=1e-7)
    one = with_bias(X, True)
    assert minimum_norm(1e3 * one, y).value == pytest.approx(value / 1e3, rel=1e-7)


def test_it_is_the_limit_of_training():
    rng = np.random.default_rng(5)
    X, y = rng.standard_normal((6, 2)), rng.standard_normal(6)
    found = minimum_norm(Problem(X, y, 1.0, bias=True))
    beta = 1e-6
    assert Problem(X, y, beta, bias=True).fit("columns").value / beta == pytest.approx(
        found.value, rel=1e-4)


def test_zero_targets_need_no_neuron():
    found = minimum_norm(LINE, np.zeros(5))
    assert (found.value, found.lower_bound, found.network.m) == (0, 0, 0)
    assert minimum_norm([[0.0, 0.0], [1.0, 0.0]], [0.0, 2.0]).value == pytest.approx(2)


DEGENERATE = {
    "repeated": [[1, 2], [1, 2], [3, 1], [0, 1]],
    "parallel": [[1, 2], [2, 4], [3, 1]],
    "antiparallel": [[1, 2], [-2, -4], [3, 1], [-3, -1], [0, 1]],
    "crossed": [[1, 0], [-1, 0], [0, 1], [0, -1], [1, 1], [-1, -1], [2, 2]],
    "zero row": [[1, 2], [0, 0], [3, 1]],
    "line": [[1], [2], [-3], [-1], [0]],
    "distinct": [[1, 2], [3, 1], [0, 1]],
}
EVERYTHING = ("distinct", "antiparallel")  # two pairs alone are as good as lines


@pytest.mark.parametrize("name", DEGENERATE)
def test_feasible_exactly_in_the_span_of_all_rectified_vectors(name):
    X = np.array(DEGENERATE[name], dtype=float)
    A = Arrangement(DEGENERATE[name])
    spanning = np.hstack([bits[:, None] * X for bits in A.dichotomies()])
    U, s, _ = np.linalg.svd(spanning)
    rank = int((s > 1e-9 * s[0]).sum())
    inside, outside = U[:, :rank], U[:, rank:]
    assert (name in EVERYTHING) == (outside.shape[1] == 0)
    rng = np.random.default_rng(6)
    for _ in range(3):
        y = inside @ rng.standard_normal(rank)
        check(X, y, minimum_norm(DEGENERATE[name], y))
        if not outside.shape[1]:
            continue
        y = y + outside @ rng.standard_normal(outside.shape[1])
        with pytest.raises(InfeasibleError, match="y must be in the span") as caught:
            minimum_norm(DEGENERATE[name], y)
        v = caught.value.proof
        assert v @ y > 0
        for _ in range(20):
            assert v @ np.maximum(X @ rng.standard_normal(X.shape[1]), 0) == pytest.approx(
                0, abs=1e-9)
        assert v == pytest.approx(outside @ (outside.T @ y), abs=1e-9)


def test_a_little_noise_on_repeated_rows_is_infeasible_rounding_is_not():
    X = [[1, 2], [1, 2], [3, 1]]
    assert minimum_norm(X, [1.0, np.nextafter(1, 2), 2]).residual <= 1e-12
    with pytest.raises(InfeasibleError):
        minimum_norm(X, [1.0, 1 + 1e-6, 2])


def test_path_is_in_the_order_given_and_monotone():
    rng = np.random.default_rng(7)
    X, y = rng.standard_normal((10, 2)), rng.standard_normal(10)
    problem = Problem(X, y, 1.0, bias=True)
    betas = [0.1, 1.0, 0.01, 0.3]
    found = solutions_over_beta(problem, betas, method="columns")
    assert [s.problem.beta for s in found] == betas and problem.beta == 1.0
    for beta, s in zip(betas, found, strict=True):
        alone = Problem(X, y, beta, bias=True).fit("columns")
        assert s.value == pytest.approx(alone.value, rel=1e-8) and s.status == "optimal"
    order = np.argsort(betas)
    assert (np.diff([found[i].value for i in order]) > 0).all()
    norms = [np.linalg.norm(found[i].weights, axis=0).sum() for i in order]
    assert (np.diff(norms) < 0).all()
    assert solutions_over_beta(problem, []) == []


def test_path_of_a_classification_keeps_its_labels():
    problem = Problem([[1, 0], [0, 1], [1, 1]], ["a", "b", "b"], 1.0, loss="logistic")
    assert [s.problem.classes for s in solutions_over_beta(problem, [1.0, 0.1])] == [("a", "b")] * 2


def test_refusals():
    problem = Problem([[1, 0], [0, 1]], [1, 2], 0.1)
    with pytest.raises(InputError, match="y and bias must not be given with a problem"):
        minimum_norm(problem, [1, 2])
    with pytest.raises(InputError, match="y must be given with X"):
        minimum_norm([[1, 0], [0, 1]])
    with pytest.raises(InputError, match="y must be finite"):
        minimum_norm([[1, 0], [0, 1]], [1, np.nan])
    for betas in ([0.1, 0], [-1], [np.nan], [np.inf]):
        with pytest.raises(InputError, match="betas must be positive numbers"):
            solutions_over_beta(problem, betas)
