"""One adapter for each solver: conic programs in, points and duals out.

========  ========================================================================================
clarabel  all cones, by an interior-point method: the default
scs       all cones, by a first-order method
qoco      second-order cones, by an interior-point method
glop      linear programs, by a simplex method
pdlp      linear programs, by a first-order method
========  ========================================================================================
"""

from __future__ import annotations

from importlib import import_module
from typing import Any, NamedTuple

import numpy as np

from cvxlayer.errors import InputError, MissingSolverError
from cvxlayer.model.conic_program import ConicProgram

__all__ = ["LINEAR", "SOLVERS", "Answer", "solve"]

SOLVERS = ("clarabel", "scs", "qoco")  # of conic programs
LINEAR = ("glop", "pdlp")  # of linear programs only


class Answer(NamedTuple):
    """x, the multipliers of the rows, what the solver said, and its seconds."""

    x: np.ndarray
    dual: np.ndarray
    status: str
    seconds: float


def solve(solver: str, program: ConicProgram, **options: Any) -> Answer:
    """Solve by name; SolverError with its status if it stops short.

    Raises
    ------
    InputError
        An unknown solver.
    MissingSolverError
        The solver is not installed; names the extra.
    SolverError
        The solver did not reach its tolerance.
    """
    if solver not in SOLVERS + LINEAR:
        raise InputError(f"solver must be one of {', '.join(SOLVERS + LINEAR)}, got {solver!r}")
    try:
        adapter = import_module(f".{solver}", __name__)
    except ImportError as error:
        extra = "solvers" if solver in ("scs", "qoco") else "convex"
        raise MissingSolverError(
            f"the solver {solver!r} is not installed; pip install 'arrangements[{extra}]'"
        ) from error
    answer: Answer = adapter.solve(program, **options)
    return answer
