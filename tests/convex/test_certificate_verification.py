"""verify() proves what true certificates claim, and finds what is wrong with every other."""

import ast
from decimal import Decimal, localcontext
from fractions import Fraction
from functools import cache
from types import SimpleNamespace

import numpy as np
import pytest
from descent import residual
from hypothesis import given, settings
from hypothesis import strategies as st
from problems import targets
from strategies import functions

pytest.importorskip("clarabel")

from arrangements import Arrangement
from cvxlayer import Huber, Network, Problem, Squared
from cvxlayer.certificates import cover as _cover
from cvxlayer.certificates import verification
from cvxlayer.certificates.verification import Check, Verification, verify
from cvxlayer.errors import InputError
from cvxlayer.model.losses import LOSSES

CHECKS = ["objective", "dual value", "dual feasible", "verdict"]
DEGENERATE = {
    "repeated": [[1, 2], [-1, 1], [1, 2], [-1, 1], [3, 0]],
    "antiparallel": [[1, 2], [-2, -4], [1, -1], [-1, 1], [0, 1]],
    "zero rows": [[0, 0], [1, 1], [0, 0], [1, -1], [2, 1]],
    "rank one": [[1, 2, -1], [-2, -4, 2], [3, 6, -3], [0, 0, 0]],
    "rank two": [[1, 0, 1], [0, 1, 1], [1, 1, 2], [1, -1, 0], [-1, 0, -1]],
    "zero": [[0, 0], [0, 0]],
    "one feature": [[1], [2], [-3], [0], [1]],
    "wide": [[1, 0, 2], [0, 1, -1]],
    "nearly parallel": [[0.1, 0.3], [0.3, 0.9], [1.0, -0.1], [-0.1, 1.0]],
}


def claims(problem, network=None, v=None):
    """A true certificate, from floats with some room for their rounding."""
    if network is None:
        solution = problem.fit("columns")
        network, v = solution.network, solution.v
    h = problem.arrangement.support(v, both=True)
    v = v * min(problem.beta / max(h.bound, 1e-300) * (1 - 1e-14), 1.0)
    value, dual = problem.objective(network), problem.loss.dual(v, problem.y)
    return SimpleNamespace(
        loss=problem.loss, beta=problem.beta, bias=problem.bias, classes=problem.classes,
        network=network, upper=value + 1e-12 * (1 + abs(value)),
        lower_bound=dual - 1e-12 * (1 + abs(dual)), v=v, better=None, decrease=0.0, tol=1e-6,
        optimal=True)


@cache
def solved(loss, n, d, beta, bias):
    X, y = np.random.default_rng(n).normal(size=(n, d)), targets(loss, n, n)
    return X, y, claims(Problem(X, y, beta, loss=loss, bias=bias, scale=0.5))


def case(loss="squared", *, n=7, d=2, beta=0.1, bias=False):
    """Data and the certificate of their optimum."""
    X, y, c = solved(loss, n, d, beta, bias)
    return X, y, SimpleNamespace(**vars(c))


def failed(report):
    return [check.name for check in report.checks if not check.passed]


def exceeds(report, c, X):
    """Whether the point in the detail refutes the claim about v, in fractions."""
    detail = next(check.detail for check in report.checks if check.name == "dual feasible")
    sign = -1 if detail.startswith("-") else 1
    u = [Fraction(x) for x in ast.literal_eval(detail[detail.index("u = ") + 4:])]
    rows = [[*x, 1.0] if c.bias else x for x in np.asarray(X, dtype=float).tolist()]
    heights = [max(sum(Fraction(a) * b for a, b in zip(x, u, strict=True)), 0) for x in rows]
    value = sign * sum(Fraction(a) * b for a, b in zip(c.v.tolist(), heights, strict=True))
    return value > 0 and value**2 > Fraction(c.beta) ** 2 * sum(x * x for x in u)


# -- true certificates


@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("loss", LOSSES)
def test_true_certificates_pass(loss, bias):
    for n, d in ((2, 1), (7, 2), (12, 3)):
        X, y, c = case(loss, n=n, d=d, bias=bias)
        report = verify(c, X, y)
        assert report and report.valid and report.exact, str(report)
        assert [check.name for check in report.checks] == CHECKS
        assert str(report).count("\n") == 4 and str(report).startswith("valid\nok")


@pytest.mark.parametrize("bias", [False, pytest.param(True, marks=pytest.mark.full)])
@pytest.mark.parametrize("name", DEGENERATE)
@pytest.mark.parametrize("loss", LOSSES)
def test_degenerate_data(loss, name, bias):
    X = DEGENERATE[name]
    y = targets(loss, len(X), 4)
    report = verify(claims(Problem(X, y, 0.1, loss=loss, bias=bias)), X, y)
    assert report and report.exact, str(report)


def test_one_sample_and_no_neurons():
    for X, y in (([[0.1]], [3.0]), ([[0.0]], [1.0]), ([[1.0, -2.0, 0.3]], [-1.0])):
        assert verify(claims(Problem(X, y, 0.3)), X, y)
    c = claims(Problem([[1.0]], [1.0], 2.0))
    assert c.network.m == 0 and verify(c, [[1.0]], [1.0])


def test_the_zero_vector_proves_the_bound_zero():
    for loss in LOSSES:
        X, y, c = case(loss)
        c.v, c.lower_bound, c.optimal = np.zeros(7), 0.0, None
        report = verify(c, X, y)
        assert report and report.n_cones == 0, str(report)
        c.optimal = True
        assert failed(verify(c, X, y)) == ["verdict"]


def test_labels_of_any_kind():
    X = np.random.default_rng(0).normal(size=(6, 2))
    for labels in (["no", "yes"], [0, 1], [False, True], [-1.5, 2.0]):
        y = np.array(labels)[[0, 1, 1, 0, 1, 0]]
        c = claims(Problem(X, y, 0.1, loss="logistic"))
        assert verify(c, X, y) and verify(c, X.tolist(), y.tolist())
        assert not verify(c, X, np.array(labels)[[1, 1, 1, 0, 1, 0]])


def test_data_of_all_magnitudes():
    X, y, c = case(n=8, d=3)
    for power in (-60, 40):
        # F and its dual are those of X if U and beta are scaled as well
        scaled = SimpleNamespace(**vars(c))
        scaled.network = Network(c.network.U * 2.0**-power, c.network.alpha)
        scaled.v, scaled.beta = c.v, c.beta * 2.0**power
        assert failed(verify(scaled, X * 2.0**power, y)) == ["objective"]
        scaled.network, scaled.upper = Network(np.zeros((3, 0)), []), float(y @ y) / 4 + 1e-12
        scaled.optimal = None
        assert verify(scaled, X * 2.0**power, y)
    # rows of very different lengths
    X = X * 2.0 ** np.arange(-100, 60, 20)[:, None]
    c = claims(Problem(X, y, 0.2), Network(np.ones((3, 1)), [2.0**-70]), y)
    c.upper *= 1 + 1e-12
    assert failed(verify(c, X, y)) == ["verdict"]


def test_fifty_samples_of_three_features():
    X, y, c = case(n=50, d=3)
    report = verify(c, X, y)
    assert report and report.exact and 500 < report.n_cones < 5000
    c.v = 1.001 * c.v
    report = verify(c, X, y)
    assert "dual feasible" in failed(report) and exceeds(report, c, X)


@pytest.mark.full
@pytest.mark.parametrize(("n", "d"), [(100, 3), (50, 4), (25, 5)])
def test_more_samples_and_features(n, d):
    X, y, c = case(n=n, d=d)
    report = verify(c, X, y)
    assert report and report.exact, str(report)


def test_better_networks():
    for loss in LOSSES:
        X, y, c = case(loss, bias=True)
        c.network, c.better = Network(np.ones((3, 2)), [1.0, -0.5]), c.network
        p = Problem(X, y, c.beta, loss=c.loss, bias=True)
        exact = p.objective(c.network) - p.objective(c.better)
        c.upper, c.optimal = p.objective(c.network) + 1e-9, False
        c.decrease = exact - 1e-9
        report = verify(c, X, y)
        assert report and [check.name for check in report.checks] == [
            *CHECKS[:3], "better network", "verdict"]
        for wrong in (exact + 1e-9, 0.0, -1.0, np.inf):
            c.decrease = wrong
            assert "better network" in failed(verify(c, X, y))


# -- wrong certificates


def raised_bound(c):
    c.lower_bound += 1e-9


def lowered_upper(c):
    c.upper -= 1e-9


def infinite_upper(c):
    c.upper = np.inf


def missing_bound(c):
    c.lower_bound = np.nan


def larger_v(c):
    c.v = 1.001 * c.v


def turned_v(c):
    c.v = -3 * c.v


def infinite_v(c):
    c.v = c.v + np.array([np.inf] + [0] * (len(c.v) - 1))


def smaller_beta(c):
    c.beta *= 1 - 1e-6


def gained(c):
    c.decrease = 0.1


def worse_better(c):
    c.better, c.decrease = Network(2 * c.network.U, c.network.alpha), 0.1


def called_bad(c):
    c.optimal = False


def moved(c):
    c.network = Network(c.network.U * (1 + 1e-3), c.network.alpha)


def fewer(c):
    c.network = Network(c.network.U[:, 1:], c.network.alpha[1:])


WRONG = {
    raised_bound: "dual value", lowered_upper: "objective", infinite_upper: "objective",
    missing_bound: "dual value", larger_v: "dual feasible", turned_v: "dual feasible",
    infinite_v: "dual value", smaller_beta: "dual feasible", gained: "verdict",
    worse_better: "better network", called_bad: "verdict", moved: "objective", fewer: "objective"}


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("change", WRONG, ids=lambda change: change.__name__)
def test_a_wrong_claim_is_found(loss, change):
    X, y, c = case(loss, bias=True)
    change(c)
    report = verify(c, X, y)
    assert WRONG[change] in failed(report), str(report)
    assert str(report).startswith("wrong") and "FAILED  " + WRONG[change] in str(report)
    if WRONG[change] == "dual feasible" and np.isfinite(c.v).all():
        assert exceeds(report, c, X)


def test_an_optimum_must_be_near_its_bound():
    X, y, c = case()
    c.network = Network(1.1 * c.network.U, c.network.alpha)
    c.upper = Problem(X, y, c.beta, loss=c.loss).objective(c.network) + 1e-12
    assert failed(verify(c, X, y)) == ["verdict"]
    c.optimal = None
    assert verify(c, X, y)
    c.optimal, c.tol = True, 0.5
    assert verify(c, X, y)
    c.optimal, c.decrease = False, 0.4 * c.upper
    c.better = case()[2].network
    assert failed(verify(c, X, y)) == ["better network", "verdict"]


@pytest.mark.parametrize("loss", ["logistic", "hinge", "absolute", "huber"])
def test_v_outside_of_the_domain_is_found(loss):
    X, y, c = case(loss, beta=100.0)
    largest = c.loss.scale * getattr(c.loss, "delta", 1.0)
    c.v, c.lower_bound = np.zeros(len(y)), -1e9
    c.v[2] = largest * (1 if loss in ("absolute", "huber") else y[2])
    c.optimal = None
    assert verify(c, X, y)
    c.v[2] *= 1 + 2.0**-52
    assert failed(verify(c, X, y)) == ["dual value"]
    if loss in ("logistic", "hinge"):
        c.v[2] = -1e-300 * y[2]
        assert failed(verify(c, X, y)) == ["dual value"]


def test_other_data_are_found():
    for loss in LOSSES:
        X, y, c = case(loss)
        assert failed(verify(c, X, -y)) and failed(verify(c, -X, y))
        assert failed(verify(c, X[::-1], y))
        moved = y + 0.3 if not c.loss.classifies else np.where(np.arange(7) == 3, -y, y)
        assert failed(verify(c, X, moved))


# -- the maximum of v.(Xu)_+


def feasible(X, v, beta, **options):
    """The report of a certificate that claims no more than |v.(Xu)_+| <= beta."""
    c = SimpleNamespace(
        loss=Squared(), beta=float(beta), bias=False, classes=None, upper=1e9, lower_bound=-1e9,
        network=Network(np.zeros((X.shape[1], 0)), []), v=v, better=None, decrease=0.0, tol=0.0,
        optimal=None)
    return c, verify(c, X, np.zeros(len(X)), **options)


@settings(max_examples=60)
@given(functions())
def test_the_maximum_is_that_of_support(sample):
    X, v = sample
    h = Arrangement(X).support(v, both=True)
    if h.value < 1e-6:
        return
    # above the maximum, by no more than the rounding error of `support`
    for beta in (h.bound * (1 + 1e-12), h.value + h.error):
        report = feasible(X, v, beta)[1]
        assert report and report.exact, str(report)
    c, report = feasible(X, v, h.value * (1 - 1e-9))
    assert failed(report) == ["dual feasible"] and report.exact and exceeds(report, c, X)


@settings(max_examples=40)
@given(functions(), st.integers(0, 2**32 - 1))
def test_a_guide_that_errs_proves_nothing_false(sample, seed):
    X, v = sample
    h = Arrangement(X).support(v)
    if h.value < 1e-6:
        return
    f = _cover.Function(X, v, h.value * (1 - 1e-9))
    rng, honest = np.random.default_rng(seed), f.relaxation
    f.relaxation = lambda rays, t: honest(rays, t)._replace(
        t=rng.choice([-9.0, 0, 0.5, 1, 9], len(t)),
        delta=rng.normal(size=len(f.used)) * rng.choice([0, 1e-9, 1]),
        rho=rng.normal(size=len(f.used)) * 1e-9)
    cover = _cover.Cover(f, 200)
    assert not cover.run()


def test_slopes_outside_of_their_interval_are_not_used():
    f = _cover.Function(np.array([[2.0, 0.0], [1.0, 0.125]]), np.array([1.0, -1.0]), 0.5)
    rays = [_cover._Ray(f, g) for g in ([1, 0], [0, 1])]  # where f(1, 0) = 1
    guess = f.relaxation(rays, np.zeros(2))
    for slope in (0.0, 1.0, 2.0):  # 2 would give rho = (0, -1/4)
        assert not f.holds(rays, guess._replace(t=np.array([1.0, slope]), delta=np.zeros(2)))
    f.limit *= 5  # for t = 1, ||rho||^2 = 1 + 1/64 < 5 beta^2
    assert f.holds(rays, guess._replace(t=np.array([1.0, 2.0]), delta=np.zeros(2)))


@pytest.mark.parametrize("seed", range(2))
def test_residuals_and_hidden_dimensions(seed):
    X, v = residual(30, 3, seed)
    flat = X @ np.random.default_rng(seed).integers(-2, 3, (3, 4))
    for data in (X, X * [1e-6, 1, 1e5], flat, np.column_stack([X[:, 0], 0 * X[:, 0], X[:, 1]])):
        h = Arrangement(data).support(v, both=True)
        assert feasible(data, v, h.bound)[1].exact
        c, report = feasible(data, v, h.value * (1 - 1e-9))
        assert exceeds(report, c, data)


def test_more_coordinates_than_orthants_are_tried_for():
    rng = np.random.default_rng(0)
    X, v = rng.normal(size=(3, 14)), np.array([1.0, -0.5, 0.3])
    h = Arrangement(X).support(v, both=True)
    assert feasible(X, v, 1.001 * h.bound)[1].exact
    c, report = feasible(X, v, 0.999 * h.value)
    assert exceeds(report, c, X)


def test_every_point_is_in_a_first_cone():
    rng = np.random.default_rng(0)
    for d in (1, 2, 3, 13):
        cones = [np.array(rays, dtype=float) for rays in _cover._fan(d)]
        assert len(cones) == (2**d if d < 13 else d + 1)
        for u in rng.normal(size=(20, d)):
            assert any((np.linalg.solve(rays.T, u) >= 0).all() for rays in cones)


def test_too_few_cones_fall_back_on_floats():
    X, y, c = case(n=12, d=3)
    n_cones = verify(c, X, y).n_cones
    assert n_cones > 20 and verify(c, X, y, max_cones=n_cones).exact
    c.v = c.v * (1 - 1e-9)  # beyond the error term
    c.lower_bound -= 1e-6
    report = verify(c, X, y, max_cones=10)
    assert report and not report.exact and report.n_cones == 10
    assert "in floats" in str(report) and str(report).startswith("valid, one bound in floats")
    c.v = c.v * (1 + 1e-6)
    report = verify(c, X, y, max_cones=0)
    assert failed(report) == ["dual feasible"] and not report.exact and report.n_cones == 0
    wide = np.eye(65)
    report = feasible(wide, np.ones(65), 8.0, max_cones=0)[1]
    assert failed(report) == ["dual feasible"] and not report.refuted
    assert str(report).startswith("not proved")
    assert feasible(wide, np.ones(65), 8.1, max_cones=0)[1]  # the maximum is sqrt(65)


def test_progress_is_told_on_stderr(capsys, monkeypatch):
    times = iter(range(0, 10**6, 20))
    monkeypatch.setattr(_cover.time, "monotonic", lambda: float(next(times)))
    X, y, c = case(n=12, d=3)
    verify(c, X, y, progress=True)
    lines = capsys.readouterr().err.splitlines()
    assert lines[0].startswith("cones 1, 0.0% of space") and len(lines) > 20


# -- values


def values(loss, z, y):
    return verification._loss(loss, [Fraction(x) for x in z], [Fraction(x) for x in y])


@pytest.mark.parametrize("loss", LOSSES)
def test_values_are_those_of_the_losses(loss):
    rng = np.random.default_rng(0)
    for scale in (1.0, 0.3):
        kind = Huber(scale, 0.7) if loss == "huber" else LOSSES[loss](scale)
        y = targets(loss, 9, 0)
        z = rng.normal(size=9) * [1e-3, 1, 1, 1, 2, 5, 40, 1e3, 1e7]
        low, high = values(kind, z.tolist(), y.tolist())
        assert (low < high) == (loss == "logistic") and high <= low + Fraction(1, 10**45)
        assert float(low) == pytest.approx(kind.value(z, y), rel=1e-13)
        v = kind.into_domain(-kind.gradient(z / 1e3, y), y)
        dual = verification._dual(kind, v, [Fraction(x) for x in y.tolist()])
        assert float(dual) == pytest.approx(kind.dual(v, y), rel=1e-12, abs=1e-12)


@pytest.mark.parametrize("x", [0.0, 1e-300, -1e-300, 0.1, -0.7, 30.0, -200.0, 999.9, -1e4, 1e300])
def test_exponentials_are_within_their_error(x):
    with localcontext(prec=400, Emin=-10**6, Emax=10**6):
        size = min(abs(Decimal(x)), Decimal(10**5))
        expected = max(Fraction(x), Fraction(0)) + Fraction(((-size).exp() + 1).ln())
        assert abs(verification._log1p_exp(Fraction(x)) - expected) < verification._ERROR
        share = Decimal(min(abs(x), 0.9) or 0.5)
        entropy = Fraction(-share * share.ln())
        assert abs(verification._x_log_x(Fraction(share)) - entropy) < verification._ERROR


def test_floats_are_integers_times_a_power_of_two():
    a = np.array([[0.1, -3.0, 0.0], [5e-324, 1e308, -2.0**-1060]])
    whole, e = _cover.integers(a)
    assert [[Fraction(x) * Fraction(2) ** e for x in row] for row in whole.tolist()] == [
        [Fraction(x) for x in row] for row in a.tolist()]
    assert not _cover.integers(np.zeros(3))[0].any()


# -- refusals


@pytest.mark.parametrize(("changes", "X", "y", "what"), [
    ({}, np.ones((6, 2)), None, "X must have shape"),
    ({}, np.ones((7, 3)), None, "X must have shape"),
    ({}, np.ones(7), None, "X must have shape"),
    ({}, [["a", "b"]] * 7, None, "X must hold real numbers"),
    ({}, np.full((7, 2), np.nan), None, "X must be finite, got nan at row 0, column 0"),
    ({}, None, np.ones(6), "y must have shape"),
    ({}, None, np.full(7, np.inf), "y must be finite"),
    ({}, None, ["a"] * 7, "y must hold real numbers"),
    ({"loss": "squared"}, None, None, "certificate.loss must be one of"),
    ({"beta": 0.0}, None, None, "certificate.beta must be a positive number"),
    ({"tol": -1.0}, None, None, "certificate.tol must be a nonnegative number"),
    ({"upper": None}, None, None, "certificate.upper must be a number"),
    ({"v": ["a"]}, None, None, "certificate.v must hold"),
    ({"network": None}, None, None, "certificate.network must be a Network"),
    ({"better": Network([[1.0]], [1.0])}, None, None, "certificate.better must have 2"),
])
def test_what_is_refused(changes, X, y, what):
    data, targets, c = case()
    with pytest.raises(InputError, match=what):
        verify(SimpleNamespace(**vars(c) | changes), data if X is None else X,
               targets if y is None else y)


def test_refusals_of_labels_and_limits():
    X, y, c = case("hinge")
    with pytest.raises(InputError, match=r"y must hold the classes -1.0 and 1.0 .* got 2.0 at 0"):
        verify(c, X, 0 * y + 2)
    for wrong in (-1, 1.5, True):
        with pytest.raises(InputError, match="max_cones"):
            verify(c, X, y, max_cones=wrong)


def test_a_report_is_true_if_all_checks_passed():
    good, bad = Check("a", True, "b"), Check("c", False, "d")
    assert Verification([good], 0, True) and not Verification([good, bad], 0, True)
    assert str(Verification([good, bad], 0, True)) == "wrong\nok      a: b\nFAILED  c: d"
