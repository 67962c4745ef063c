"""The convex program as a CVXPY problem: to read, to change, to solve with other solvers."""

from __future__ import annotations

from typing import Any

import numpy as np

from cvxlayer.errors import MissingSolverError
from cvxlayer.model.losses import Loss

__all__ = ["to_cvxpy"]


def to_cvxpy(program: Any) -> Any:
    """min l(z) + beta sum_j ||w_j||, z = sum_j sign_j D_j X w_j, as a `cvxpy.Problem`.

    Parameters
    ----------
    program : ConvexProgram

    Returns
    -------
    cvxpy.Problem
        Its variables are "z", the predictions (n,), and "W", one column w_j for each block
        (d, k), found in ``problem.var_dict``. Its first constraint is z = sum_j sign_j D_j X w_j,
        with the dual vector v as ``problem.constraints[0].dual_value``.

    Raises
    ------
    MissingSolverError
        If CVXPY is not installed.

    Notes
    -----
    The loss is written with CVXPY's own atoms, not by `Loss.conic`: an independent formulation.
    Rows of the cones are scaled to length 1, as in `ConvexProgram.conic`.
    """
    try:
        import cvxpy as cp
    except ImportError as error:
        raise MissingSolverError(
            "to_cvxpy needs CVXPY, which is not installed; pip install cvxpy") from error
    p, blocks = program.problem, program.blocks
    z = cp.Variable(p.n, name="z")
    if not blocks:
        return cp.Problem(cp.Minimize(_loss(cp, p.loss, z, p.y)), [z == np.zeros(p.n)])
    W = cp.Variable((p.d, len(blocks)), name="W")
    maps = np.hstack([block.sign * block.active[:, None] * p.X for block in blocks])
    unit = p.unit_rows
    constraints = [z == maps @ cp.vec(W, order="F")]
    for j, block in enumerate(blocks):
        if len(block.rows):
            constraints.append((block.sides[block.rows, None] * unit[block.rows]) @ W[:, j] >= 0)
        if len(block.zeros):
            constraints.append(unit[block.zeros] @ W[:, j] == 0)
    penalty = p.beta * cp.sum(cp.norm(W, 2, axis=0))
    return cp.Problem(cp.Minimize(_loss(cp, p.loss, z, p.y) + penalty), constraints)


def _loss(cp: Any, loss: Loss, z: Any, y: np.ndarray) -> Any:
    terms = {
        "squared": lambda: cp.sum_squares(z - y) / 2,
        "absolute": lambda: cp.norm1(z - y),
        "huber": lambda: cp.sum(cp.huber(z - y, getattr(loss, "delta", 1.0))) / 2,
        "hinge": lambda: cp.sum(cp.pos(1 - cp.multiply(y, z))),
        "logistic": lambda: cp.sum(cp.logistic(-cp.multiply(y, z))),
    }
    return loss.scale * terms[loss.name]()
