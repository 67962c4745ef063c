"""Paths of networks: continuous, exact at both ends, and the objective does what they promise."""

import numpy as np
import problems
import pytest

from cvxlayer import Network, Problem
from cvxlayer.errors import InputError
from cvxlayer.landscape.paths import (
    Path,
    join,
    path_to_minimal,
    path_to_nearly_minimal,
    path_to_optimum,
    path_to_reduced,
)
from cvxlayer.model.blocks import groups
from cvxlayer.model.losses import LOSSES

TO = {"nearly minimal": path_to_nearly_minimal, "minimal": path_to_minimal,
      "reduced": path_to_reduced}
DATA = [*problems.KINDS, "bias"]
# each loss on integers, and all data
CASES = [("integers", loss) for loss in LOSSES] + [
    (name, loss) for name, loss in zip(DATA, 2 * [*LOSSES], strict=False) if name != "integers"]


def problem(name="normal", loss="squared", n=6):
    kind = "normal" if name == "bias" else name
    return problems.problem(loss, 0, kind, n=n, d=3, bias=name == "bias")


def network(p, m=20, seed=0, name="any"):
    """Unscaled, with dead and zero neurons, and neurons on hyperplanes of integer data."""
    rng = np.random.default_rng(seed)
    U, alpha = rng.integers(-2, 3, (p.d, m)).astype(float), 3 * rng.standard_normal(m)
    U[:, ::2] = rng.standard_normal((p.d, len(range(0, m, 2))))
    if name == "one chamber":  # of X >= 0
        return Network(np.abs(U) + 0.01, np.abs(alpha))
    U[:, 3], alpha[5] = 0, 0
    U[:, 7], alpha[7] = 0, 0
    U[:, 9], alpha[9] = 1e-3 * U[:, 9], 1e3
    return Network(U, alpha)


def scaled(p, m=20, seed=0):
    """In its slots, zero neurons included."""
    start = network(p, m, seed)
    W, signs = start.weights
    roots = np.sqrt(np.linalg.norm(W, axis=0))
    return Network(W / np.where(roots > 0, roots, 1), signs * roots)


def padded(small, m):
    return Network(np.hstack([small.U, np.zeros((small.d, m - small.m))]),
                   np.hstack([small.alpha, np.zeros(m - small.m)]))


def compact(network):
    return Network(network.U[:, network.alpha != 0], network.alpha[network.alpha != 0])


def nonzero(network):
    return int(((network.alpha != 0) & network.U.any(axis=0)).sum())


def same(a, b):
    return np.array_equal(a.U, b.U) and np.array_equal(a.alpha, b.alpha)


def assert_sound(path, start):
    """What holds for every path."""
    p = path.problem
    assert same(path(0), start) and same(path.start, start) and same(path(1), path.end)
    checked = path.check(20)
    assert checked.holds, checked
    # the promise once more, from the values alone
    times = np.unique(np.concatenate([np.linspace(0, 1, 28), path.breakpoints]))
    F = np.array([path.objective(t) for t in times])
    rises = {"constant": np.abs(F - F[0]), "non-increasing": F - np.minimum.accumulate(F),
             "bounded": F - max(F[0], F[-1])}[path.kind]
    assert (rises <= 1e-10 * np.maximum(F, F[-1])).all()
    size = max(np.linalg.norm(x.weights[0], axis=0).sum() for x in path.networks) + 1e-300
    for t in path.breakpoints:  # of Hoelder exponent 1/2 where neurons vanish
        for s in (t - 1e-9, t + 1e-9):
            if 0 <= s <= 1:
                a, b = path(t), path(s)
                assert a.m == b.m == start.m
                assert np.abs(a.weights[0] - b.weights[0]).max() <= 1e-6 * size
                assert np.abs(a.U - b.U).max() <= 1e-3 * (np.abs(a.U).max() + size**0.5)
                assert np.abs(a.alpha - b.alpha).max() <= 1e-3 * (
                    np.abs(a.alpha).max() + size**0.5)
    for f, g in zip(path.breakpoints[:-1], path.breakpoints[1:], strict=True):
        signs = np.array([np.sign(path(f + x * (g - f)).alpha) for x in (0, 0.3, 0.7, 1)])
        assert (signs * signs[1] >= 0).all()
    reach = p.row_lengths.max() * size
    return max(np.abs(path(t).predict(p.X) - start.predict(p.X)).max() for t in times) / (
        reach + 1e-300)


@pytest.mark.parametrize("to", TO)
@pytest.mark.parametrize(("name", "loss"), CASES)
def test_predictions_stay_and_the_objective_never_rises(loss, name, to):
    p = problem(name, loss)
    start = network(p)
    path = TO[to](start, p)
    assert path.kind == "non-increasing"
    assert assert_sound(path, start) <= 1e-12
    assert path.end.objective(p) < start.objective(p)


@pytest.mark.parametrize("to", TO)
@pytest.mark.parametrize("name", DATA)
def test_ends_have_the_promised_structure(name, to):
    p = problem(name)
    for seed in range(3):
        end = TO[to](network(p, 40, seed), p).end
        assert np.linalg.norm(end.U, axis=0) == pytest.approx(np.abs(end.alpha), rel=1e-14)
        if to == "reduced":
            assert nonzero(end) <= p.n + 1
            continue
        members = groups(p, end)
        assert members
        for g in members:
            units = end.U[:, g] / np.abs(end.alpha[g])
            assert np.abs(units - units[:, [0]]).max() <= 1e-9
            assert to == "nearly minimal" or len(g) == 1
        # whoever has arrived stays
        again = TO[to](end, p)
        assert again.kind == "constant" and same(again.end, end) and again(0.3).m == 40


@pytest.mark.parametrize("to", TO)
def test_neurons_of_one_chamber(to):
    p = Problem(np.abs(problem().X), [1, 2, 3, 4, 5, 6], 0.1)
    start = network(p, name="one chamber")
    path = TO[to](start, p)
    assert assert_sound(path, start) <= 1e-12
    W, end = start.weights[0], path.end.weights[0]
    if to != "reduced":
        assert end.sum(axis=1) == pytest.approx(W.sum(axis=1), rel=1e-12)
        lengths = np.linalg.norm(end, axis=0)
        assert lengths.sum() == pytest.approx(np.linalg.norm(W.sum(axis=1)), rel=1e-12)
    if to == "nearly minimal":
        own = np.linalg.norm(W, axis=0)
        assert lengths / lengths.sum() == pytest.approx(own / own.sum(), rel=1e-12)
    if to == "minimal":
        assert nonzero(path.end) == 1 and path.end.alpha[0] > 0


def test_opposite_neurons_that_all_samples_ignore_vanish():
    p = Problem([[1, 0], [-2, 0]], [1, 2], 0.1)
    start = Network([[0, 0, 0, 1], [0.1, 0.2, -0.3, 0]], [1, 1, 1, -1])
    for to in (path_to_nearly_minimal, path_to_minimal):
        path = to(start, p)
        assert assert_sound(path, start) <= 1e-12
        assert compact(path.end).U.T.tolist() == [[1, 0]]  # no dust


@pytest.mark.parametrize(("name", "loss"), CASES)
def test_reduction_of_a_scaled_network_is_constant_and_reversible(name, loss):
    p = problem(name, loss)
    start = scaled(p, 30)
    path = path_to_reduced(start, p)
    assert path.kind == "constant" and nonzero(path.end) <= p.n + 1 < nonzero(start)
    assert assert_sound(path, start) <= 1e-12
    assert path.check().deviation <= 1e-12
    back = path.reversed()
    assert same(back.start, path.end) and same(back.end, start) and back.check().holds
    assert back.objective(0.25) == pytest.approx(path.objective(0.75), rel=1e-13)
    circle = path + back
    assert circle.kind == "constant" and same(circle(1), start) and len(circle.breakpoints) == 3
    assert circle.check().holds and same(circle(0.5), path.end)


def test_concentration_of_a_nearly_minimal_network_is_constant():
    p = problem()
    nearly = path_to_nearly_minimal(network(p, 60), p)
    rest = path_to_minimal(nearly.end, p)
    assert rest.kind == "constant" and rest.check().holds
    assert nonzero(rest.end) == len(groups(p, rest.end)) < nonzero(nearly.end)
    assert (nearly + rest).kind == "non-increasing" and (nearly + rest).check().holds


@pytest.mark.parametrize(("name", "loss"), CASES)
def test_to_an_optimum(loss, name):
    pytest.importorskip("clarabel")
    p = problem(name, loss)
    best = p.fit(tol=1e-6 if loss == "logistic" else 1e-8)
    m = p.n + 1 + best.network.m
    for start in (network(p, m + 4), padded(best.network, m), scaled(p, max(m, 10))):
        path = path_to_optimum(start, best.network, p, gap=max(best.gap, 1e-8))
        checked = path.check(20)
        assert path.kind == "non-increasing" and checked.holds, checked
        assert same(path.start, start) and path.end.m == start.m
        assert path.objective(1) == pytest.approx(best.value, rel=1e-10)
        assert checked.increase <= 1e-8
        assert same(compact(path.end), best.network.scaled())


def test_an_optimum_may_come_unscaled_and_with_dead_neurons():
    pytest.importorskip("clarabel")
    p = problem()
    best = p.fit().network
    t = np.linspace(0.5, 2, best.m)
    other = Network(np.hstack([best.U * t, np.ones((p.d, 1))]), np.append(best.alpha / t, 0.0))
    path = path_to_optimum(network(p, 30), other, p)
    assert path.objective(1) == pytest.approx(p.objective(best), rel=1e-12)
    assert nonzero(path.end) == best.m and path.check().holds


def test_what_is_no_optimum_is_refused():
    pytest.importorskip("clarabel")
    p = problem()
    best = p.fit().network
    start = padded(best, 30)
    with pytest.raises(InputError, match="optimal up to a gap"):
        path_to_optimum(start, Network(1.1 * best.U, best.alpha), p)
    # lower than the network, but not the lowest on the way
    poor = Network(2 * best.U, best.alpha)
    start = network(p, 30)
    assert p.objective(poor) < p.objective(start)
    with pytest.raises(InputError, match="optimal up to a gap"):
        path_to_optimum(start, poor, p)
    slack = path_to_optimum(start, poor, p, gap=1.0).slack
    assert slack == pytest.approx(p.objective(poor.scaled()), rel=1e-12)


def test_widths_too_small_are_refused_with_the_one_that_suffices():
    pytest.importorskip("clarabel")
    p = problem(n=4)
    best = p.fit().network
    a, b = (compact(path_to_reduced(network(p, 14, seed), p).end) for seed in (1, 2))
    assert a.m == b.m == p.n + 1  # the bound is met
    enough = p.n + 1 + best.m
    assert path_to_optimum(padded(a, enough), best, p).check(20).holds
    with pytest.raises(InputError, match=rf"{best.m} neurons to spare.*= {enough} always suffices"):
        path_to_optimum(padded(a, enough - 1), best, p)
    enough = 2 * (p.n + 1)
    assert join(padded(a, enough), padded(b, enough), p).check(20).holds
    with pytest.raises(InputError, match=rf"5 \+ 5; .*= {enough} always suffices"):
        join(padded(a, enough - 1), padded(b, enough - 1), p)
    with pytest.raises(InputError, match="one width, got 14 and 10"):
        join(padded(a, 14), padded(b, 10), p)


@pytest.mark.parametrize(("name", "loss"), CASES)
def test_line_between_networks_of_width_2n_2(name, loss):
    p = problem(name, loss, n=8)
    m = 2 * p.n + 2
    for a, b in [(network(p, m, 1), network(p, m, 2)), (scaled(p, m, 3), scaled(p, m, 4)),
                 (network(p, m, 5), network(p, m, 5)), (network(p, m, 6), scaled(p, m, 6))]:
        path = join(a, b, p)
        assert path.kind == "bounded" and same(path(0), a) and same(path(1), b)
        assert_sound(path, a)
        z, last = a.predict(p.X), b.predict(p.X)
        reach = 1e-10 * p.row_lengths.max() * np.abs(path(0.5).weights[0]).sum()
        far = float(np.linalg.norm(last - z))
        along = (last - z) / far if far > reach else np.zeros(p.n)
        done = []
        for t in np.linspace(0, 1, 20):
            now = path(t).predict(p.X)
            done.append(float((now - z) @ along))
            assert np.abs(now - z - done[-1] * along).max() <= reach
        assert (np.diff(done) >= -reach).all() and done[-1] == pytest.approx(far, abs=reach)
        assert path.reversed().check(10).holds


def test_line_moves_neurons_out_of_slots_that_are_taken():
    p = problem(n=4)
    a, b = (padded(compact(path_to_reduced(network(p, 14, seed), p).end), 10) for seed in (1, 2))
    assert nonzero(a) == nonzero(b) == 5
    path = join(a, b, p)
    assert len(path.breakpoints) == 3  # moved, then straight
    moved = path(0.5)
    assert not moved.alpha[:5].any() and sorted(moved.alpha[5:]) == sorted(a.alpha[:5])
    assert path.objective(0.25) == pytest.approx(p.objective(a), rel=1e-13)
    middle = path(0.75)
    assert middle.predict(p.X) == pytest.approx((a.predict(p.X) + b.predict(p.X)) / 2, rel=1e-10)
    penalty = sum(np.linalg.norm(x.weights[0], axis=0).sum() for x in (a, b)) / 2
    assert np.linalg.norm(middle.weights[0], axis=0).sum() == pytest.approx(penalty, rel=1e-12)


def test_neurons_of_extreme_sizes():
    p = problem()
    start = Network(np.ones((3, 5)) * [1e-200, 1e150, 1e-100, 0, 1],
                    [1e-200, 1e-150, 1e100, 1e9, 1e-8])
    for to in TO.values():
        path = to(start, p)
        assert path.check(20).holds and np.isfinite(path(0.5).U).all()


def test_wrong_paths_are_noticed():
    p = problem()
    a, b = scaled(p, 20, 1), scaled(p, 20, 2)
    signs = np.sign(a.alpha)
    b = Network(b.U * np.abs(signs), np.abs(b.alpha) * signs)
    for kind in ("constant", "non-increasing", "bounded"):
        checked = Path(p, [a, b], kind).check()  # crosses hyperplanes
        assert not checked.holds and checked.bend > 1e-3
    way = path_to_reduced(a, p)
    assert way.check().holds
    half = Network(way.end.U, way.end.alpha / 2)
    for kind in ("constant", "non-increasing"):
        checked = Path(p, [way.start, way.end, half][::-1], kind).check()
        assert not checked.holds and checked.increase > 1e-3 and checked.deviation > 1e-3
    down = path_to_nearly_minimal(network(p), p)
    assert not Path(p, down.networks, "constant").check().holds
    up = Path(p, down.networks[::-1], "non-increasing").check()
    assert not up.holds and up.bend < 1e-13 and up.increase > 1e-3 and up.excess <= 1e-12
    assert Path(p, down.networks[::-1], "bounded").check().holds
    over = Path(p, [down.end, down.start, down.end], "bounded").check()
    assert not over.holds and over.excess > 1e-3
    # a part in 10^11
    slightly = Network(way.end.U * (1 + 1e-11), way.end.alpha)
    checked = Path(p, [way.start, slightly], "constant").check()
    assert not checked.holds and checked.deviation < 1e-9
    assert Path(p, [way.start, slightly], "constant", slack=1e-9 * p.objective(a)).check().holds


def test_wrong_input_is_refused():
    p = problem()
    a = scaled(p, 20, 1)
    path = path_to_reduced(a, p)
    for t in (-0.1, 1.5, np.nan, "1", True, None):
        with pytest.raises(InputError, match="t must be a number between 0 and 1"):
            path(t)
    with pytest.raises(InputError, match="grid must be an integer of at least 1, got 0"):
        path.check(0)
    with pytest.raises(InputError, match="3 input weights, got 2"):
        path_to_reduced(Network([[1], [2]], [1]), p)
    for to in (*TO.values(), lambda n, p: join(n, n, p), lambda n, p: path_to_optimum(n, a, p),
               lambda n, p: path_to_optimum(a, n, p)):
        with pytest.raises(InputError, match="network must be a Network"):
            to("network", p)
    with pytest.raises(InputError, match="at least two"):
        Path(p, [a], "constant")
    with pytest.raises(InputError, match="one width"):
        Path(p, [a, padded(a, 30)], "constant")
    with pytest.raises(InputError, match="kind must be one of constant"):
        Path(p, [a, a], "flat")
    with pytest.raises(InputError, match="slack must be a number of at least 0, got -1"):
        Path(p, [a, a], "constant", slack=-1)
    with pytest.raises(InputError, match="gap must be a number of at least 0, got nan"):
        path_to_optimum(a, a, p, gap=np.nan)
    flipped = Network(a.U, -a.alpha)
    with pytest.raises(InputError, match=r"sign of a neuron.*alpha\[0\]"):
        Path(p, [a, flipped], "constant")
    nothing = Network(0 * a.U, 0 * a.alpha)
    assert same(Path(p, [a, nothing, flipped], "bounded")(0.5), nothing)
    idle = [Network(0 * a.U, a.alpha), Network(a.U, 0 * a.alpha)]
    for wrong in (idle, [a, idle[0]], [idle[1], a]):
        with pytest.raises(InputError, match="zero"):
            Path(p, wrong, "constant")
    assert Path(p, [idle[0], nothing, idle[1]], "non-increasing").check().bend == 0


def test_paths_that_do_not_fit_are_not_joined():
    p = problem()
    a, b = scaled(p, 20, 1), scaled(p, 20, 2)
    constant, other, bounded = path_to_reduced(a, p), path_to_reduced(b, p), join(a, b, p)
    falling = path_to_nearly_minimal(b, p)
    with pytest.raises(InputError, match="start must be the end"):
        constant + other
    with pytest.raises(InputError, match="start must be the end"):
        constant + path_to_reduced(padded(constant.end, 30), p)
    with pytest.raises(InputError, match="problem must be the same"):
        constant + path_to_reduced(constant.end, problem())
    with pytest.raises(InputError, match="follows a bounded path"):
        bounded + falling
    with pytest.raises(InputError, match="to be reversed"):
        falling.reversed()
    with pytest.raises(TypeError):
        constant + 1
    joined = bounded + other
    assert joined.kind == "bounded" and joined.check().holds
    assert repr(joined).startswith("Path(bounded, pieces=") and joined.slack == 0


def test_objective_is_scaled_geometrically():
    p = problem()
    path = path_to_reduced(Network([[4.0], [0], [0]], [1.0]), p)
    assert path(0.5).U[0, 0] == pytest.approx(8**0.5, rel=1e-15)
    assert path(0.5).alpha[0] == pytest.approx(2**0.5, rel=1e-15)
    assert path(1).U[0, 0] == path(1).alpha[0] == 2
