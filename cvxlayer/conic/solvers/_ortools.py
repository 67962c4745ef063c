"""Linear programs by OR-Tools: GLOP, a simplex method, and PDLP, a first-order one for large ones.

The wheel of OR-Tools has no second-order cones, and cannot be imported beside highspy >= 1.15 in
one process (an undefined symbol); it is imported here only, when a linear program is to be solved.
"""

from __future__ import annotations

import sys
import time
from typing import Any

import numpy as np

from cvxlayer.errors import InputError, MissingSolverError, SolverError
from cvxlayer.model.conic_program import ConicProgram

from . import Answer


def solve(backend: str, program: ConicProgram, **options: Any) -> Answer:
    """min q.x subject to A x + s = b, s in a product of zero and nonnegative cones."""
    if not program.linear:
        raise InputError(f"{backend} solves linear programs only, got a quadratic or conic one; "
                         "use clarabel")
    if options:
        raise InputError(f"{backend} takes no options, got {', '.join(options)}")
    if "highspy" in sys.modules:
        raise MissingSolverError(
            "OR-Tools cannot be imported beside highspy in one process, which has been imported; "
            "solve in a process of its own, or use clarabel")
    from ortools.linear_solver import pywraplp

    begun = time.perf_counter()
    solver = pywraplp.Solver.CreateSolver(backend.upper())
    infinity = solver.infinity()
    x = [solver.NumVar(-infinity, infinity, "") for _ in range(len(program.q))]
    rows, b = program.A.tocsr(), program.b
    constraints: list[Any] = []
    for kind, size in program.cones:
        for i in range(len(constraints), len(constraints) + size):
            row = solver.Constraint(float(b[i]) if kind == "zero" else -infinity, float(b[i]))
            for k in range(rows.indptr[i], rows.indptr[i + 1]):
                row.SetCoefficient(x[rows.indices[k]], float(rows.data[k]))
            constraints.append(row)
    objective = solver.Objective()
    for variable, price in zip(x, program.q, strict=True):
        objective.SetCoefficient(variable, float(price))
    objective.SetMinimization()
    status = solver.Solve()
    if status != pywraplp.Solver.OPTIMAL:
        names = {getattr(pywraplp.Solver, name): name for name in (
            "FEASIBLE", "INFEASIBLE", "UNBOUNDED", "ABNORMAL", "NOT_SOLVED")}
        name = names.get(status, str(status)).lower()
        raise SolverError(f"{backend} stopped with {name}", name)
    return Answer(np.array([v.solution_value() for v in x]),
                  -np.array([row.dual_value() for row in constraints]), "optimal",
                  time.perf_counter() - begun)
