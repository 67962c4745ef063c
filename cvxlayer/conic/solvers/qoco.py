"""QOCO: an interior-point method; second-order cones, no exponential ones."""

from __future__ import annotations

from typing import Any

import numpy as np
import qoco
from scipy import sparse

from cvxlayer.errors import InputError, SolverError
from cvxlayer.model.conic_program import ConicProgram

from . import Answer

_SETTINGS = [name for name in vars(qoco.QOCO().ext.QOCOSettings) if not name.startswith("_")]


def solve(program: ConicProgram, *, tol: float = 1e-8, **options: Any) -> Answer:
    """`tol`: residuals and gap, absolute and relative; `options`: QOCO's own settings."""
    if program.sizes("exponential"):
        raise InputError("solver must have exponential cones for the loss 'logistic', got 'qoco'; "
                         "choose 'clarabel' or 'scs'")
    unknown = sorted(set(options) - set(_SETTINGS))
    if unknown:
        raise InputError(f"options must be settings of QOCO, got {unknown[0]!r}; it has "
                         f"{', '.join(_SETTINGS)}")
    A, b = program.A.tocsr(), np.asarray(program.b, dtype=np.float64)
    equal, unequal = program.rows("zero"), program.rows("nonnegative", "second-order")
    n_linear, sizes = sum(program.sizes("nonnegative")), program.sizes("second-order")
    solver = qoco.QOCO()
    try:
        solver.setup(A.shape[1], len(unequal), len(equal), _or_none(program.P),
                     np.asarray(program.q, dtype=np.float64), _or_none(A[equal]), b[equal],
                     _or_none(A[unequal]), b[unequal], n_linear, len(sizes),
                     np.array(sizes, dtype=np.int32),
                     **({"abstol": tol, "reltol": tol, "verbose": 0} | options))
    except (TypeError, ValueError, RuntimeError) as error:
        raise SolverError(f"QOCO refused the program: {error}", "setup") from error
    found = solver.solve()
    if found.status not in ("QOCO_SOLVED", "QOCO_SOLVED_INACCURATE"):
        raise SolverError(f"QOCO stopped with {found.status} after {found.iters} steps",
                          found.status)
    dual = np.zeros(len(b))
    dual[equal], dual[unequal] = found.y, found.z
    return Answer(np.array(found.x), dual, found.status,
                  found.setup_time_sec + found.solve_time_sec)


def _or_none(matrix: Any) -> Any:
    """QOCO wants None for a matrix without entries."""
    return sparse.csc_matrix(matrix) if matrix.nnz else None
