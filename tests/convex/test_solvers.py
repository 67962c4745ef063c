"""Every solver finds the optimum that Clarabel finds, with multipliers in the same order.

A new solver is tested by its name in SOLVERS or LINEAR.
"""

import warnings

import numpy as np
import pytest
from problems import problem
from scipy import sparse

pytest.importorskip("clarabel")

from cvxlayer import Huber, Network, Problem, SolverError
from cvxlayer.conic.program import ConvexProgram
from cvxlayer.conic.solvers import LINEAR, SOLVERS, solve
from cvxlayer.errors import InputError
from cvxlayer.model.conic_program import ConicProgram
from cvxlayer.model.losses import LOSSES

ACCURACY = {"clarabel": 1e-7}  # of the others 1e-5
LACKS = {"qoco": {"logistic"}}


def every(*solvers):
    """The test takes each by its name, `solver`."""
    return pytest.mark.parametrize("solver", solvers, indirect=True)


@pytest.fixture
def solver(request):
    pytest.importorskip(f"cvxlayer.conic.solvers.{request.param}")
    return request.param


def example(loss="squared"):
    return problem(loss, 1, n=6)


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


def linear():
    """max x0 + 2 x1 over x0 + x1 <= 3, x0 - x1 = 1, x0 >= 0, rows of both cones mixed."""
    A = sparse.csc_matrix(np.array([[1.0, 1], [1, -1], [-1, 0]]))
    return ConicProgram(sparse.csc_matrix((2, 2)), np.array([-1.0, -2]), A, np.array([3.0, 1, 0]),
                        (("nonnegative", 1), ("zero", 1), ("nonnegative", 1)))


@every(*SOLVERS, *LINEAR)
def test_linear_programs_by_hand(solver):
    answer = solve(solver, linear())
    assert answer.x == pytest.approx([2, 1], abs=1e-4)
    assert answer.dual == pytest.approx([1.5, -0.5, 0], abs=1e-4)  # q + A' dual = 0
    assert answer.seconds >= 0


@every(*LINEAR)
def test_linear_solvers_refuse_other_programs(solver):
    with pytest.raises(InputError, match=f"{solver} solves linear programs only"):
        solve(solver, mixed())


@every(*SOLVERS)
def test_rows_in_any_order_have_their_multipliers_in_that_order(solver):
    answer = solve(solver, mixed())
    root = np.sqrt(5)
    assert answer.x == pytest.approx([1, 2, root], abs=1e-5)
    # P x + q + A' dual = 0, checked by hand
    dual = [1, -1 / root, -2 / root, 2 - 1 / root, -2 / root, 0]
    assert answer.dual == pytest.approx(dual, abs=1e-4)
    assert answer.seconds >= 0


@every(*(s for s in SOLVERS if "logistic" not in LACKS.get(s, ())))
def test_exponential_cones(solver):
    """min c over c >= exp(a), a = 1, and another cone with a = -1, a zero row between them."""
    A = sparse.csc_matrix(np.array([
        [-1.0, 0, 0], [0, 0, 0], [0, -1, 0], [1, 0, 0], [1, 0, 0], [0, 0, 0], [0, 0, -1]]))
    b = np.array([0.0, 1, 0, 1, 0, 1, 0])
    answer = solve(solver, ConicProgram(
        sparse.csc_matrix((3, 3)), np.array([0.0, 1, 1]), A, b,
        (("exponential", 3), ("zero", 1), ("exponential", 3))))
    assert answer.x == pytest.approx([1, np.e, np.exp(-1)], abs=1e-4)
    assert answer.dual[3] == pytest.approx(-np.e + np.exp(-1), abs=1e-3)


@pytest.mark.parametrize("loss", LOSSES)
@every(*SOLVERS)
def test_solvers_agree_on_the_full_program(solver, loss):
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
    assert value == pytest.approx(best.value, rel=20 * ACCURACY.get(solver, 1e-5))
    v = p.loss.into_domain(v, p.y)
    bound = p.lower_bound(v, p.arrangement.support(v, both=True).bound)
    assert bound <= best.value
    assert bound == pytest.approx(best.value, rel=100 * ACCURACY.get(solver, 1e-5))


@every(*SOLVERS)
def test_a_solution_by_any_solver_has_a_true_bound(solver):
    p = example()
    best, found = p.fit("columns"), p.fit("full", solver=solver)
    assert found.lower_bound <= best.value <= found.value * (1 + 1e-9)
    assert found.value == pytest.approx(best.value, rel=ACCURACY.get(solver, 1e-5))


@pytest.mark.parametrize(("solver", "options"), [
    ("clarabel", {"max_iter": 1}), ("scs", {"max_iters": 2}), ("qoco", {"max_iters": 1})],
    indirect=["solver"])
def test_stopping_short_is_an_error_with_the_status(solver, options):
    with pytest.raises(SolverError, match=r"(Clarabel|SCS|QOCO) stopped with ") as caught:
        example().convex_program().weights(solver, **options)
    assert caught.value.status and caught.value.status in str(caught.value)


@every(*SOLVERS, *LINEAR)
def test_unknown_settings_are_refused(solver):
    with pytest.raises(InputError, match=r"options must be settings of|takes no options"):
        solve(solver, linear(), speed=9)


@every(*SOLVERS)
def test_programs_with_few_kinds_of_rows(solver):
    """No block, one block without rows, equations only."""
    p = Problem([[2.0]], [1.0], 0.1)
    W, v, _ = ConvexProgram(p, []).weights(solver)
    assert W.shape == (1, 0) and v == pytest.approx([1.0], abs=1e-5)
    W, v, _ = p.convex_program(Network([[1.0]], [1])).weights(solver)
    assert W[0] == pytest.approx([0.475, 0], abs=1e-4)  # (2w - 1)^2/2 + w/10


@pytest.mark.parametrize("loss", LOSSES)
def test_to_cvxpy_has_the_same_optimum(loss):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pytest.importorskip("cvxpy")
        from cvxlayer.conic.to_cvxpy import to_cvxpy

        p = example(loss)
        if loss == "huber":
            p = p.replaced(loss=Huber(scale=2, delta=0.3))
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
