"""Losses: gradients, conjugates and conic forms agree with the values.

What is tested for every loss needs no more than its name in LOSSES and its formula in PHI.
"""

from copy import copy
from dataclasses import replace

import numpy as np
import pytest
from problems import PHI
from scipy import sparse
from scipy.optimize import minimize_scalar

pytest.importorskip("clarabel")

from cvxlayer import Absolute, Hinge, Huber, Logistic, Squared
from cvxlayer.conic.solvers import solve
from cvxlayer.errors import InputError
from cvxlayer.model.losses import LOSSES

N = 7
EVERY = [kind(scale) for kind in LOSSES.values() for scale in (1.0, 2.0, 1 / N)]
EVERY.append(Huber(scale=3.0, delta=0.4))
every_loss = pytest.mark.parametrize("loss", EVERY, ids=repr)


def data(loss, rng):
    y = rng.standard_normal(N)
    return 2 * rng.standard_normal(N), np.sign(y) if loss.classifies else y


def in_domain(loss, y, rng):
    return loss.into_domain(2 * loss.scale * rng.standard_normal(N), y)


def near_kinks(loss, z, y, h):
    """Whether the gradient or the curvature jumps within h of a prediction."""
    jumps = [np.abs(f(z + h, y) - f(z - h, y)) for f in (loss.gradient, loss.curvature)]
    return np.maximum(*jumps) > 0.01 * loss.scale


@every_loss
def test_gradient_and_curvature_are_finite_differences(loss):
    rng, h, tested = np.random.default_rng(1), 1e-5, 0
    for _ in range(20):
        z, y = data(loss, rng)
        for i in np.flatnonzero(~near_kinks(loss, z, y, 10 * h)):
            tested += 1
            e = h * np.eye(N)[i]
            slope = (loss.value(z + e, y) - loss.value(z - e, y)) / (2 * h)
            assert slope == pytest.approx(loss.gradient(z, y)[i], rel=1e-6, abs=1e-8)
            bend = (loss.gradient(z + e, y) - loss.gradient(z - e, y)) / (2 * h)
            assert bend[i] == pytest.approx(loss.curvature(z, y)[i], rel=1e-6, abs=1e-8)
            assert np.abs(np.delete(bend, i)).max() == 0
    assert tested > 19 * N


@every_loss
def test_gradient_is_a_subgradient_everywhere(loss):
    """l(z') >= l(z) + g.(z' - z), also at kinks: l is convex, and g right there."""
    rng = np.random.default_rng(2)
    for _ in range(50):
        z, y = data(loss, rng)
        z[:3] = y[:3]  # kinks of "absolute" and of "hinge"
        other, _ = data(loss, rng)
        assert loss.value(other, y) >= (
            loss.value(z, y) + loss.gradient(z, y) @ (other - z) - 1e-12 * loss.scale * N)


@every_loss
def test_fenchel_young(loss):
    """l(z) + l*(-v) >= -v.z, with equality for v = -gradient(z); `dual` is -l*(-v)."""
    rng = np.random.default_rng(3)
    for _ in range(100):
        z, y = data(loss, rng)
        v = in_domain(loss, y, rng)
        assert np.isfinite(loss.dual(v, y))
        assert loss.value(z, y) - loss.dual(v, y) >= -v @ z - 1e-11
        v = loss.into_domain(-loss.gradient(z, y), y)  # moves it by rounding errors only
        assert v == pytest.approx(-loss.gradient(z, y), rel=1e-14)
        assert loss.value(z, y) - loss.dual(v, y) == pytest.approx(-v @ z, rel=1e-11, abs=1e-11)


@every_loss
def test_dual_is_the_infimum_of_the_lagrangian(loss):
    """-l*(-v) = inf over z of l(z) + v.z, approached by search."""
    rng = np.random.default_rng(4)
    for _ in range(10):
        _, y = data(loss, rng)
        v = 0.9 * in_domain(loss, y, rng)
        least = sum(minimize_scalar(
            lambda z, i=i, v=v, y=y: loss.value(np.array([z]), y[i : i + 1]) + v[i] * z,
            bounds=(-40, 40), method="bounded", options={"xatol": 1e-7}).fun for i in range(N))
        assert least == pytest.approx(loss.dual(v, y), abs=1e-5)
        assert least >= loss.dual(v, y) - 1e-9


@every_loss
def test_value_is_the_sum_over_samples(loss):
    z, y = data(loss, np.random.default_rng(5))
    terms = [loss.value(z[i : i + 1], y[i : i + 1]) for i in range(N)]
    assert loss.value(z, y) == pytest.approx(sum(terms), rel=1e-13)


@pytest.mark.parametrize("name", LOSSES)
def test_value_is_that_of_the_formula(name):
    loss, rng = LOSSES[name](), np.random.default_rng(5)
    for _ in range(20):
        z, y = data(loss, rng)
        assert loss.value(z, y) == pytest.approx(PHI[name](z, y).sum(), rel=1e-13)


@every_loss
def test_dual_is_minus_infinity_outside_its_domain_and_into_domain_is_nearest(loss):
    rng = np.random.default_rng(6)
    for _ in range(20):
        _, y = data(loss, rng)
        v = 10 * loss.scale * rng.standard_normal(N)
        near = loss.into_domain(v, y)
        assert np.isfinite(loss.dual(near, y))
        assert np.allclose(near, v, rtol=1e-14, atol=0) or loss.dual(v, y) == -np.inf
        assert loss.into_domain(near, y) == pytest.approx(near, rel=1e-14, abs=0)
        other = in_domain(loss, y, rng)  # obtuse angle: the projection on a convex set
        assert (v - near) @ (other - near) <= 1e-12 * loss.scale**2


@pytest.mark.parametrize(("loss", "least", "most"), [
    (Squared(), -9, 9), (Absolute(2), -2, 2), (Huber(2, 0.5), -1, 1), (Hinge(2), 0, 2),
    (Logistic(2), 0, 2)], ids=repr)
def test_domains_by_hand(loss, least, most):
    """Of v for one sample with y = 1."""
    middle, y = (least + most) / 2, np.ones(1)
    for end in (least, most):
        inside, outside = (np.array([middle + x * (end - middle)]) for x in (1 - 1e-9, 1.01))
        assert np.isfinite(loss.dual(inside, y))
        assert np.isfinite(loss.dual(outside, y)) == (loss.name == "squared")


@every_loss
def test_conic_form_with_fixed_predictions_has_the_value(loss):
    rng = np.random.default_rng(7)
    for _ in range(3):
        z, y = data(loss, rng)
        form = loss.conic(y)
        size = form.P.shape[0]
        fixed = sparse.hstack([sparse.identity(N), sparse.csc_matrix((N, size - N))])
        program = replace(form, A=sparse.vstack([fixed, form.A], format="csc"),
                          b=np.concatenate([z, form.b]), cones=(("zero", N), *form.cones))
        answer = solve("clarabel", program, tol=1e-10)
        upper = form.P + sparse.triu(form.P, 1).T
        found = answer.x @ (upper @ answer.x) / 2 + form.q @ answer.x + form.constant
        assert found == pytest.approx(loss.value(z, y), rel=1e-7, abs=1e-8)
        if loss.smooth:  # the multipliers of z = fixed are minus the gradient
            assert answer.dual[:N] == pytest.approx(-loss.gradient(z, y),
                                                  abs=1e-5 * max(1, loss.scale))


@every_loss
def test_scale_is_a_factor_of_everything(loss):
    rng = np.random.default_rng(8)
    one = copy(loss)
    one.scale = 1.0
    z, y = data(loss, rng)
    v = in_domain(one, y, rng)
    s = loss.scale
    assert loss.value(z, y) == pytest.approx(s * one.value(z, y), rel=1e-14)
    assert loss.gradient(z, y) == pytest.approx(s * one.gradient(z, y), rel=1e-14)
    assert loss.curvature(z, y) == pytest.approx(s * one.curvature(z, y), rel=1e-14)
    inside = 0.9 * v
    assert loss.dual(s * inside, y) == pytest.approx(s * one.dual(inside, y), rel=1e-12)


def test_values_checked_by_hand():
    y = np.array([1.0, -1.0])
    assert Squared().value(np.array([3.0, -1.0]), y) == 2
    assert Squared(2).value(np.array([3.0, -1.0]), y) == 4
    assert Absolute().value(np.array([3.0, 0.0]), y) == 3
    assert Huber().value(np.array([3.0, -0.5]), y) == 1.5 + 0.125
    assert Hinge().value(np.array([0.5, 1.0]), y) == 2.5
    assert Logistic().value(np.zeros(2), y) == pytest.approx(2 * np.log(2))


def test_logistic_does_not_overflow():
    y, z = np.array([1.0, -1.0]), np.array([-1e4, -1e4])
    with np.errstate(all="raise", under="ignore"):
        assert Logistic().value(z, y) == 1e4
        assert Logistic().gradient(z, y).tolist() == [-1.0, 0.0]
        assert Logistic().curvature(z, y).tolist() == [0.0, 0.0]
        assert Logistic().dual(np.array([1.0, 0.0]), y) == 0


@pytest.mark.parametrize("bad", [0, -1.0, np.nan, np.inf, 1j, "1", None, True])
@pytest.mark.parametrize("kind", LOSSES.values())
def test_scale_and_delta_must_be_positive_numbers(kind, bad):
    with pytest.raises(InputError, match=r"^scale must be a positive number, got "):
        kind(bad)
    with pytest.raises(InputError, match=r"^delta must be a positive number, got "):
        Huber(delta=bad)


@pytest.mark.parametrize("seed", range(20))
def test_what_is_put_into_the_domain_is_in_it_whatever_the_scale(seed):
    """3 * 0.4 / 3 > 0.4: the edge of the domain, times and by the scale, must not leave it."""
    rng = np.random.default_rng(seed)
    scale, delta = rng.uniform(0.01, 10, 2)
    y = np.sign(rng.standard_normal(N))
    v = 100 * rng.standard_normal(N)
    for loss in (Huber(scale, delta), *(kind(scale) for kind in LOSSES.values())):
        assert np.isfinite(loss.dual(loss.into_domain(v, y), y))


@every_loss
def test_predictions_are_where_fenchel_young_is_an_equality(loss):
    """l(z) + l*(-v) = -v.z for z between lo and hi, and > for z outside, in any coordinate."""
    rng = np.random.default_rng(9)
    for _ in range(30):
        z, y = data(loss, rng)
        # between two gradients, or one of them: also at an end of the domain
        t, ends = rng.uniform(0, 1, N) * rng.integers(0, 2, N), 4 * rng.standard_normal((2, N))
        slopes = [loss.gradient(end, y) for end in ends]
        v = loss.into_domain(-(1 - t) * slopes[0] - t * slopes[1], y)
        lo, hi = loss.predictions(v, y)
        assert (lo <= hi).all() and np.isfinite(loss.dual(v, y))
        inside = np.clip(z, lo, hi)

        def excess(z, v=v, y=y):
            return loss.value(z, y) - loss.dual(v, y) + v @ z

        assert excess(inside) == pytest.approx(0, abs=1e-10 * loss.scale * N)
        for i in range(N):
            for end, step in ((lo, -0.1), (hi, 0.1)):
                if np.isfinite(end[i]):
                    outside = inside.copy()
                    outside[i] = end[i] + step
                    assert excess(outside) > 1e-9 * loss.scale


@every_loss
def test_predictions_contain_those_whose_gradient_is_given(loss):
    rng = np.random.default_rng(10)
    for _ in range(20):
        z, y = data(loss, rng)
        v = loss.into_domain(-loss.gradient(z, y), y)
        for sloppy in (v, v * (1 - 1e-8)):  # as solvers give it
            lo, hi = loss.predictions(sloppy, y)
            assert (lo <= z + 1e-5).all() and (z <= hi + 1e-5).all()
            if loss.name in ("squared", "logistic"):
                assert lo is hi or (lo == hi).all()


def test_predictions_by_hand():
    def intervals(loss, v, y):
        return np.transpose(loss.predictions(np.array(v), np.array(y))).tolist()

    inf = np.inf
    assert intervals(Squared(2), [2.0], [3.0]) == [[2, 2]]  # 2 (2 - 3) = -2
    assert intervals(Absolute(2), [2, 1.0, -2], [3.0] * 3) == [[-inf, 3], [3, 3], [3, inf]]
    assert intervals(Huber(2, 0.5), [1, 0.5, -1.0], [3.0] * 3) == [
        [-inf, 2.5], [2.75, 2.75], [3.5, inf]]
    assert intervals(Hinge(2), [0, 1.0, 2], [1.0] * 3) == [[1, inf], [1, 1], [-inf, 1]]
    assert intervals(Hinge(2), [0, -1.0, -2], [-1.0] * 3) == [[-inf, -1], [-1, -1], [-1, inf]]
    assert intervals(Logistic(2), [1.0, -1.0], [1.0, -1.0]) == [[0, 0], [0, 0]]
    assert intervals(Logistic(), [0.0], [-1.0]) == [[-inf, -inf]]
    assert intervals(Absolute(), [0.99], [3.0]) == [[3, 3]]
    assert Absolute().predictions(np.array([0.99]), np.array([3.0]), 0.1)[0] == -inf
