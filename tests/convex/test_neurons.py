"""Output weights of given neurons: linear programs by OR-Tools against the conic solver."""

import sys

import numpy as np
import pytest
from scipy import sparse

from arrangements import Arrangement
from cvxlayer import InfeasibleError, MissingSolverError, Problem
from cvxlayer.conic.solvers import solve
from cvxlayer.errors import InputError
from cvxlayer.model.conic_program import ConicProgram
from cvxlayer.training.output_weights import over_neurons

clarabel = pytest.importorskip("clarabel")
pytest.importorskip("ortools")


def data(seed, n=12, d=2):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, d)), rng.normal(size=n), rng.normal(size=(d, 30))


@pytest.mark.parametrize("loss", ["absolute", "hinge"])
def test_simplex_and_interior_points_agree(loss):
    X, y, U = data(0)
    problem = Problem(X, y if loss == "absolute" else np.sign(y), 0.3, loss=loss)
    by_simplex, by_cones = over_neurons(problem, U), over_neurons(problem, U, solver="clarabel")
    assert problem.objective(by_simplex) == pytest.approx(problem.objective(by_cones), rel=1e-6)
    first_order = over_neurons(problem, U, solver="pdlp")
    assert problem.objective(first_order) == pytest.approx(problem.objective(by_cones), rel=1e-3)


def test_given_optimal_neurons_it_finds_the_optimum():
    X, y, _ = data(1)
    problem = Problem(X, y, 0.3)
    best = problem.fit("columns")
    again = over_neurons(problem, best.network.U)
    assert problem.objective(again) == pytest.approx(best.value, rel=1e-8)


def test_interpolation_over_neurons_and_its_refusal():
    X, y, U = data(2)
    problem = Problem(X, y, 1.0)
    network = over_neurons(problem, np.hstack([U, np.random.default_rng(0).normal(size=(2, 200))]),
                           interpolate=True)
    assert network.predict(X) == pytest.approx(y, abs=1e-7)
    with pytest.raises(InfeasibleError) as refused:
        over_neurons(problem, U[:, :3], interpolate=True)
    v = refused.value.proof
    assert np.abs(v @ np.maximum(X @ U[:, :3], 0)).max() < 1e-9 and v @ y > 0


def test_linear_solvers_refuse_cones_and_highspy(monkeypatch):
    X, y, U = data(3)
    with pytest.raises(InputError, match="linear programs only"):
        over_neurons(Problem(X, y, 0.1), U, solver="glop")
    monkeypatch.setitem(sys.modules, "highspy", sys)
    problem = Problem(X, y, 0.1, loss="absolute")
    with pytest.raises(MissingSolverError, match="highspy"):
        over_neurons(problem, U, solver="glop")
    # unless it is asked for, Clarabel takes its place
    instead = problem.objective(over_neurons(problem, U))
    monkeypatch.undo()
    assert instead == pytest.approx(problem.objective(over_neurons(problem, U)), rel=1e-6)


def test_wrong_neurons_are_refused():
    problem = Problem(Arrangement([[1, 0], [0, 1]]), [1, 2], 0.1)
    with pytest.raises(InputError, match=r"shape \(2, m\)"):
        over_neurons(problem, [[1.0, 2.0]])


def test_facets_are_what_linear_programs_find_irredundant():
    rows = np.random.default_rng(4).integers(-4, 5, (12, 3))
    A = Arrangement(rows)
    for bits in A.dichotomies()[::7]:
        signed = rows * np.where(bits, 1, -1)[:, None]
        signed = signed[np.unique(A.parallel_classes[0], return_index=True)[1]]
        signed = signed[np.abs(signed).max(axis=1) > 0]
        facets = 0
        for i, row in enumerate(signed):
            # least row.u, at least -1, over the other inequalities
            others = sparse.csc_matrix(np.vstack([-np.delete(signed, i, axis=0), -row]))
            b = np.append(np.zeros(len(signed) - 1), 1.0)
            answer = solve("glop", ConicProgram(sparse.csc_matrix((3, 3)), row.astype(float),
                                                others, b, (("nonnegative", len(b)),)))
            facets += answer.x @ row < -0.5
        assert facets == len(A.cone(bits).facets)
