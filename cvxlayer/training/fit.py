"""Training to the certified optimum: the full program, column generation, samples."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cvxlayer.checks import check_real
from cvxlayer.conic.program import solution_of
from cvxlayer.conic.solution import Round, Solution
from cvxlayer.errors import InputError, SolverError
from cvxlayer.model.network import Network
from cvxlayer.model.problem import Problem

from .columns import Columns
from .start_patterns import sampled_patterns

__all__ = ["fit"]

_FULL = 400  # dichotomies up to which "auto" writes the whole program down
_ROUNDS = 200


def fit(problem: Problem, method: str = "auto", *, tol: float = 1e-8, solver: str = "clarabel",
        max_rounds: int = _ROUNDS, max_seconds: float | None = None, samples: int = 1000,
        network: Network | None = None, variant: str = "gaussian", rng: Any = None,
        n_jobs: int = 1, callback: Callable[[Round], Any] | None = None,
        progress: bool = False) -> Solution:
    """The global optimum of a training problem.

    Parameters
    ----------
    problem : Problem
    method : {"auto", "full", "columns", "sampled"}, default "auto"
        "full": the program over all dichotomies, solved at once. "columns": blocks are added where
        `Arrangement.support` finds that they pay, until none does. "sampled": the program over
        `samples` patterns only, with a true gap to the optimum over all. "auto": "full" for at
        most 400 dichotomies, "columns" for more and where "full" did not reach `tol`.
    tol : float, default 1e-8
        Relative gap to reach.
    solver : {"clarabel", "scs", "qoco"}
    max_rounds, max_seconds
        Limits of "columns"; then, and after Ctrl-C, the best network so far is returned with its
        gap. With "sampled", seconds for the search that gives the gap.
    samples : int, default 1000
        Patterns of "sampled".
    network : Network, optional
        "columns" begins with its patterns; for the variants of "sampled" below.
    variant : {"gaussian", "trained", "initial", "flipped"}
        Patterns of "sampled" (Pilanci and Ergen 2020, section 6): of Gaussian vectors; those of a
        trained `network` and Gaussian ones; those of an initial `network`; those, and each with
        the bits of the samples nearest to the boundary flipped where that gives a chamber.
    rng : numpy.random.Generator, int or None
    n_jobs : int, default 1
        Threads of the search for violated cones.
    callback : callable, optional
        Called with a `Round` after each; a true return value stops the fit.
    progress : bool, default False
        A line for each round on stderr.

    Returns
    -------
    Solution

    Raises
    ------
    SolverError
        If a solver stops short, with its status.
    """
    if method not in ("auto", "full", "columns", "sampled"):
        raise InputError("method must be 'auto', 'full', 'columns' or 'sampled', got "
                         f"{method!r}")
    check_real("tol", tol, 0, 1, open_ended=True)
    A = problem.arrangement
    if method == "full" or (method == "auto" and A.rank <= 6 and A.cover_bound() <= 10**5
                            and A.count_dichotomies() <= _FULL):
        try:
            found = solution_of(problem.convex_program(), solver, {}, tol=tol, n_jobs=n_jobs)
        except SolverError:
            if method == "full":
                raise
        else:
            if found.status != "optimal":
                found.status = "inaccurate"
            if found.status == "optimal" or method == "full":
                return found
            network = found.network  # to the last digits by columns
    if method == "sampled":
        patterns = sampled_patterns(problem, samples, network, variant, rng)
        # at higher rank facets cost more than the rows they spare
        kind = "facets" if A.rank <= 6 else "all"
        return solution_of(problem.convex_program(patterns, constraints=kind), solver, {}, tol=tol,
                           n_jobs=n_jobs, max_seconds=max_seconds)
    limits = max_rounds, max_seconds, callback, progress
    found = Columns(problem, tol, solver, n_jobs, network).run(*limits)
    if found.status == "inaccurate" and network is not None:
        # many small neurons to begin with can leave the solver with too flat a program
        afresh = Columns(problem, tol, solver, n_jobs, None).run(*limits)
        found = min(found, afresh, key=lambda solution: solution.gap)
    return found
