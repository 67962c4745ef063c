"""Every solver finds the optimum that Clarabel finds, with multipliers in the same order."""

import warnings

import numpy as np
import pytest
from scipy import sparse

pytest.importorskip("clarabel")

from cvxlayer import Huber, Network, Problem, SolverError
from cvxlayer.conic.program import ConvexProgram
from cvxlayer.conic.solvers import solve
from cvxlayer.errors import InputError
from cvxlayer.model.conic_program import ConicProgram
from cvxlayer.model.losses import LOSSES

SOLVERS = ("clarabel", "scs", "qoco")
ACCURACY = {"clarabel": 1e-7, "scs": 1e-5, "qoco": 1e-5}
LACKS = {"qoco": {"logistic"}}


def example(loss="squared", **options):
    rng = np.random.default_rng(1)
    X, y = rng.standard_normal((6, 2)), rng.standard_normal(6)
    if loss in ("hinge", "logistic"):
        y = np.array([1.0, -1, 1, 1, -1, -1])
    return Problem(X, y, 0.1, loss=loss, bias=True, **options)


def mixed():
    """min (x0 - 3)^2 / 2 + t over t >= |(x0, x1)|, x1 = 2, x0 <= 1, rows of all cones mixed.

    x0 <= 1 binds: at x0 = 1 the slope of (x0 - 3)^2 / 2 is -2, and that of t is 1/sqrt(5).
    """
    P = sparse.csc_matrix(np.diag([1.0, 0, 0]))
    A = sparse.csc_matrix(np.array([
        [0, 0, -1.0], [-1, 0, 0], [0, -1, 0],  # t >= |(x0, x1)|
        [1, 0, 0],  # x0 <= 1
        [0, 1, 0],  # x1 = 2
        [0, 0, -1]]))  # t >= 0
    return ConicProgram(
        P, np.array([-3.0, 0, 1]), A, np.array([0.0, 0, 0, 1, 2, 0]),
        (("second-order", 3), ("nonnegative", 1), ("zero", 1), ("nonnegative", 1)))


@pytest.mark.parametrize("solver", SOLVERS)
def test_rows_in_any_order_have_their_multipliers_in_that_order(solver):
    pytest.importorskip(solver)
    answer = solve(solver, mixed())
    root = np.sqrt(5)
    assert answer.x == pytest.approx([1, 2, root], abs=1e-5)
    # P x + q + A' dual = 0, checked by hand
    dual = [1, -1 / root, -2 / root, 2 - 1 / root, -2 / root, 0]
    assert answer.dual == pytest.approx(dual, abs=1e-4)
    assert answer.seconds >= 0


@pytest.mark.parametrize("solver", ["clarabel", "scs"])
def test_exponential_cones(solver):
    """min c over c >= exp(a), a = 1, and another cone with a = -1, a zero row between them."""
    pytest.importorskip(solver)
    A = sparse.csc_matrix(np.array([
        [-1.0, 0, 0], [0, 0, 0], [0, -1, 0], [1, 0, 0], [1, 0, 0], [0, 0, 0], [0, 0, -1]]))
    b = np.array([0.0, 1, 0, 1, 0, 1, 0])
    answer = solve(solver, ConicProgram(
        sparse.csc_matrix((3, 3)), np.array([0.0, 1, 1]), A, b,
        (("exponential", 3), ("zero", 1), ("exponential", 3))))
    assert answer.x == pytest.approx([1, np.e, np.exp(-1)], abs=1e-4)
    assert answer.dual[3] == pytest.approx(-np.e + np.exp(-1), abs=1e-3)


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("solver", SOLVERS)
def test_solvers_agree_on_the_full_program(solver, loss):
    pytest.importorskip(solver)
    p = example(loss)
    if loss in LACKS.get(solver, ()):
        with pytest.raises(InputError, match="exponential cones for the loss 'logistic', got"):
            p.convex_program().weights(solver)
        return
    best = p.fit("columns")
    program = p.convex_program()
    W, v, answer = program.weights(solver)
    assert W.shape == (p.d, len(program.blocks)) and answer.status
    z = np.maximum(p.X @ W, 0) @ np.array([b.sign for b in program.blocks])
    value = p.loss.value(z, p.y) + p.beta * np.linalg.norm(W, axis=0).sum()
    assert value == pytest.approx(best.value, rel=20 * ACCURACY[solver])
    v = p.loss.into_domain(v, p.y)
    bound = p.lower_bound(v, p.arrangement.support(v, both=True).bound)
    assert bound <= best.value
    assert bound == pytest.approx(best.value, rel=100 * ACCURACY[solver])


@pytest.mark.parametrize("solver", SOLVERS)
def test_a_solution_by_any_solver_has_a_true_bound(solver):
    pytest.importorskip(solver)
    p = example()
    best, found = p.fit("columns"), p.fit("full", solver=solver)
    assert found.lower_bound <= best.value <= found.value * (1 + 1e-9)
    assert found.value == pytest.approx(best.value, rel=ACCURACY[solver])


@pytest.mark.parametrize(("solver", "options"), [
    ("clarabel", {"max_iter": 1}), ("scs", {"max_iters": 2}), ("qoco", {"max_iters": 1})])
def test_stopping_short_is_an_error_with_the_status(solver, options):
    pytest.importorskip(solver)
    with pytest.raises(SolverError, match=r"(Clarabel|SCS|QOCO) stopped with ") as caught:
        example().convex_program().weights(solver, **options)
    assert caught.value.status and caught.value.status in str(caught.value)


@pytest.mark.parametrize("solver", ["scs", "qoco"])
def test_unknown_settings_are_refused(solver):
    pytest.importorskip(solver)
    with pytest.raises(InputError, match="options must be settings of"):
        example().convex_program().weights(solver, speed=9)


@pytest.mark.parametrize("solver", SOLVERS)
def test_programs_with_few_kinds_of_rows(solver):
    """No block, one block without rows, equations only."""
    pytest.importorskip(solver)
    p = Problem([[2.0]], [1.0], 0.1)
    W, v, _ = ConvexProgram(p, []).weights(solver)
    assert W.shape == (1, 0) and v == pytest.approx([1.0], abs=1e-5)
    W, v, _ = p.convex_program(Network([[1.0]], [1])).weights(solver)
    assert W[0] == pytest.approx([0.475, 0], abs=1e-4)  # (2w - 1)^2/2 + w/10


@pytest.mark.parametrize("loss", ["squared", "huber", "hinge", "absolute", "logistic"])
def test_to_cvxpy_has_the_same_optimum(loss):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pytest.importorskip("cvxpy")
        from cvxlayer.conic.to_cvxpy import to_cvxpy

        p = example(loss) if loss != "huber" else example(Huber(scale=2, delta=0.3))
        best = p.fit("columns")
        for program in (p.convex_program(), p.convex_program(best.network)):
            problem = to_cvxpy(program)
            assert problem.is_dcp()
            assert problem.solve(solver="CLARABEL") == pytest.approx(best.value, rel=1e-6)
            W, z = problem.var_dict["W"].value, problem.var_dict["z"].value
            assert W.shape == (p.d, len(program.blocks)) and z.shape == (p.n,)
            v = p.loss.into_domain(problem.constraints[0].dual_value, p.y)
            if program.blocks and len(program.blocks) > 20:
                bound = p.lower_bound(v, p.arrangement.support(v, both=True).bound)
                assert bound == pytest.approx(best.value, rel=1e-5)


def test_to_cvxpy_without_blocks():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pytest.importorskip("cvxpy")
        from cvxlayer.conic.to_cvxpy import to_cvxpy

        p = example()
        value = to_cvxpy(ConvexProgram(p, [])).solve(solver="CLARABEL")
        assert value == pytest.approx(p.loss.value(np.zeros(p.n), p.y))
