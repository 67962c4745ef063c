"""QOCO: an interior-point method; second-order cones, no exponential ones."""

from __future__ import annotations

from typing import Any

import numpy as np
import qoco
from scipy import sparse

from cvxlayer.errors import InputError, SolverError

from . import Answer

_SETTINGS = [name for name in vars(qoco.QOCO().ext.QOCOSettings) if not name.startswith("_")]


def solve(P: Any, q: np.ndarray, A: Any, b: np.ndarray, cones: list[tuple[str, int]], *,
          tol: float = 1e-8, **options: Any) -> Answer:
    """`tol`: residuals and gap, absolute and relative; `options`: QOCO's own settings."""
    kinds = [kind for kind, _ in cones]
    if "exponential" in kinds:
        raise InputError("solver must have exponential cones for the loss 'logistic', got 'qoco'; "
                         "choose 'clarabel' or 'scs'")
    unknown = sorted(set(options) - set(_SETTINGS))
    if unknown:
        raise InputError(f"options must be settings of QOCO, got {unknown[0]!r}; it has "
                         f"{', '.join(_SETTINGS)}")
    b = np.asarray(b, dtype=np.float64)
    rows = {kind: _rows(cones, kind) for kind in ("zero", "nonnegative", "second-order")}
    equal, unequal = rows["zero"], np.concatenate([rows["nonnegative"], rows["second-order"]])
    sizes = [size for kind, size in cones if kind == "second-order"]
    A = A.tocsr()
    solver = qoco.QOCO()
    try:
        solver.setup(A.shape[1], len(unequal), len(equal), _or_none(P),
                     np.asarray(q, dtype=np.float64), _or_none(A[equal]), b[equal],
                     _or_none(A[unequal]), b[unequal], len(rows["nonnegative"]), len(sizes),
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


def _rows(cones: list[tuple[str, int]], kind: str) -> np.ndarray:
    starts = np.cumsum([0] + [size for _, size in cones])
    parts = [np.arange(starts[i], starts[i] + size)
             for i, (k, size) in enumerate(cones) if k == kind]
    return np.concatenate([np.zeros(0, dtype=np.int64), *parts])


def _or_none(matrix: Any) -> Any:
    """QOCO wants None for a matrix without entries."""
    return sparse.csc_matrix(matrix) if matrix.nnz else None
