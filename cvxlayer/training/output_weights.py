"""The best output weights of given neurons: a linear program for losses that have one."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import sparse

from cvxlayer.conic.solvers import solve
from cvxlayer.errors import InfeasibleError, InputError, MissingSolverError, SolverError
from cvxlayer.model.conic_program import ConicProgram
from cvxlayer.model.network import Network
from cvxlayer.model.problem import Problem

__all__ = ["over_neurons"]

_SIMPLEX = 2_000_000  # entries up to which GLOP is asked, beyond it PDLP
_NOTHING = ConicProgram(
    sparse.csc_matrix((0, 0)), np.zeros(0), sparse.csc_matrix((0, 0)), np.zeros(0), ())


def over_neurons(problem: Problem, U: Any, *, interpolate: bool = False, solver: str | None = None
                 ) -> Network:
    """min l(sum_j a_j (X u_j)_+) + beta sum_j |a_j| ||u_j|| over the output weights a of neurons.

    Parameters
    ----------
    problem : Problem
    U : array-like of float, shape (d, m)
        Columns u_j; their lengths do not matter.
    interpolate : bool, default False
        Instead the least sum_j |a_j| ||u_j|| with predictions y.
    solver : str, optional
        By default "glop" (beyond two million entries "pdlp") for linear programs, that is with
        `interpolate` and for the losses "absolute" and "hinge"; else, or where that fails,
        "clarabel".

    Returns
    -------
    Network
        Scaled, without neurons of weight zero: an upper bound of the optimum.

    Raises
    ------
    InfeasibleError
        With `interpolate`, if these neurons cannot fit y; its proof is a v with v.(Xu_j)_+ = 0 for
        all j and v.y > 0, up to rounding.

    Examples
    --------
    >>> over_neurons(Problem([[1], [-1]], [2, 0], 0.5), [[1, -1]], solver="clarabel").m
    1
    """
    U = np.asarray(U, dtype=np.float64)
    if U.ndim != 2 or len(U) != problem.d or not np.isfinite(U).all():
        raise InputError(f"U must be finite, of shape ({problem.d}, m), got {U.shape}")
    lengths = np.linalg.norm(U, axis=0)
    U = U[:, lengths > 0] / lengths[lengths > 0]
    H = np.maximum(problem.X @ U, 0)
    m, n = U.shape[1], problem.n
    signed = np.hstack([H, -H])
    if interpolate:
        missed = problem.y - H @ np.linalg.lstsq(H, problem.y, rcond=None)[0]
        if np.linalg.norm(missed) > 1e-9 * np.linalg.norm(problem.y):
            raise InfeasibleError(f"these {m} neurons cannot fit y, of which "
                                  f"{np.linalg.norm(missed):.3g} is out of their reach; give more",
                                  missed)
    # over the loss's own variables, to interpolate none, and the parts of a with either sign
    loss = _NOTHING if interpolate else problem.loss.conic(problem.y)
    own = len(loss.q)
    A = sparse.bmat([[sparse.eye(n, own), signed if interpolate else -signed],
                     [None, -sparse.identity(2 * m)], [loss.A, None]], format="csc")
    program = ConicProgram(
        sparse.block_diag([loss.P, sparse.csc_matrix((2 * m, 2 * m))], format="csc"),
        np.concatenate([loss.q, np.full(2 * m, 1.0 if interpolate else problem.beta)]), A,
        np.concatenate([problem.y if interpolate else np.zeros(n), np.zeros(2 * m), loss.b]),
        (("zero", n), ("nonnegative", 2 * m), *loss.cones))
    if solver is None and program.linear:
        try:
            answer = solve("glop" if A.nnz <= _SIMPLEX else "pdlp", program)
        except (SolverError, MissingSolverError):
            # simplex methods can stall on columns that are all but equal
            answer = solve("clarabel", program)
    else:
        answer = solve(solver or "clarabel", program)
    a = answer.x[own : own + m] - answer.x[own + m :]
    used = np.abs(a) > 1e-9 * np.abs(a).max(initial=0)
    return Network.from_weights(U[:, used] * np.abs(a[used]), np.sign(a[used]))
