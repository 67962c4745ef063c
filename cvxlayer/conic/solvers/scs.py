"""SCS: a first-order method; all cones, slow to tight accuracy."""

from __future__ import annotations

from typing import Any

import numpy as np
import scs

from cvxlayer.errors import InputError, SolverError
from cvxlayer.model.conic_program import ConicProgram

from . import Answer

_ORDER = ("zero", "nonnegative", "second-order", "exponential")  # SCS wants the rows so


def solve(program: ConicProgram, *, tol: float = 1e-7, **options: Any) -> Answer:
    """`tol`: eps_abs and eps_rel; `options`: SCS's own settings."""
    rows, sizes = program.rows(*_ORDER), program.sizes
    cone = {"z": sum(sizes("zero")), "l": sum(sizes("nonnegative")), "q": sizes("second-order"),
            "ep": len(sizes("exponential"))}
    data = {"P": program.P.tocsc(), "A": program.A.tocsr()[rows].tocsc(),
            "b": np.asarray(program.b, float)[rows], "c": np.asarray(program.q, float)}
    settings = {"eps_abs": tol, "eps_rel": tol, "max_iters": 200_000, "verbose": False}
    try:
        solver = scs.SCS(data, cone, **(settings | options))
    except (TypeError, ValueError) as error:
        raise InputError(f"options must be settings of SCS, got {options!r}: {error}") from error
    found = solver.solve()
    status = str(found["info"]["status"])
    if status != "solved":
        raise SolverError(f"SCS stopped with {status!r} after {found['info']['iter']} steps",
                          status)
    dual = np.empty(len(rows))
    dual[rows] = found["y"]
    return Answer(np.array(found["x"]), dual, status, found["info"]["solve_time"] / 1000)
