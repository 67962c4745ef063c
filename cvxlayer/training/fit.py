"""Training to the certified optimum: the full program, column generation, samples."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from arrangements import Dichotomies
from cvxlayer.checks import check_real
from cvxlayer.conic.program import Block, ConvexProgram
from cvxlayer.errors import InputError, SolverError
from cvxlayer.model.blocks import reduced
from cvxlayer.model.network import Network
from cvxlayer.model.problem import Problem, relative_gap

from .newton import convex_value, polished

__all__ = ["Round", "Solution", "fit", "solution_of"]

_FULL = 400  # dichotomies up to which "auto" writes the whole program down
_NEW = 120  # blocks added in a round
_STARTS, _MORE_STARTS = 150, 1500
_LEAST_EXCESS = 1e-7
_ROUNDS = 200


class Round(NamedTuple):
    """What a round of column generation ended with."""

    number: int
    upper: float
    lower: float
    gap: float
    patterns: int
    seconds: float


@dataclass(eq=False)
class Solution:
    """A network, and how far it can be from the global optimum.

    Attributes
    ----------
    problem : Problem
    network : Network
        Scaled, merged, of at most n + 1 neurons.
    value : float
        Its objective, recomputed from X.
    lower_bound : float
        No network of any width has a smaller objective; rounded outward. For a program that was
        left without bound -inf.
    gap : float
        (value - lower_bound) / max(|value|, tiny), relative.
    v : ndarray of float64, shape (n,)
        The dual vector of `lower_bound`, before its scaling.
    weights, signs : ndarray of float64, shapes (d, k) and (k,)
        Blocks of the convex program that are not zero: w_j = u_j |alpha_j| and the sign of alpha_j.
    patterns : Dichotomies
        A chamber whose closure has w_j, for each block.
    status : str
        "optimal": the gap is at most the tolerance; "stopped": rounds, time or Ctrl-C ended it;
        "inaccurate": the solver's accuracy did not suffice; "restricted": an optimum over some
        patterns, with the gap to that over all.
    history : list of Round
    seconds : dict
        Time by what it was spent on.
    """

    problem: Problem
    network: Network
    value: float
    lower_bound: float
    gap: float
    v: np.ndarray
    weights: np.ndarray
    signs: np.ndarray
    patterns: Dichotomies
    status: str
    history: list[Round] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)

    def __repr__(self) -> str:
        return (f"Solution(value={self.value:.12g}, lower_bound={self.lower_bound:.12g}, "
                f"gap={self.gap:.2e}, neurons={self.network.m}, status={self.status!r})")


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
        Limits of "columns"; the best so far is returned with its gap. So it is after Ctrl-C. With
        "sampled", seconds for the search that gives the gap.
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
        Called with a `Round` after each; what is true ends the fit.
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
        from .start_patterns import sampled_patterns

        patterns = sampled_patterns(problem, samples, network, variant, rng)
        # at higher rank facets cost more than the rows they spare
        kind = "facets" if A.rank <= 6 else "all"
        return solution_of(problem.convex_program(patterns, constraints=kind), solver, {}, tol=tol,
                           n_jobs=n_jobs, max_seconds=max_seconds)
    limits = max_rounds, max_seconds, callback, progress
    found = _Columns(problem, tol, solver, n_jobs, network).run(*limits)
    if found.status == "inaccurate" and network is not None:
        # many small neurons to begin with can leave the solver with too flat a program
        again = _Columns(problem, tol, solver, n_jobs, None).run(*limits)
        found = min(found, again, key=lambda solution: solution.gap)
    return found


def solution_of(program: ConvexProgram, solver: str, options: dict[str, Any], *,
                tol: float = 1e-8, n_jobs: int = 1, max_seconds: float | None = None) -> Solution:
    """Solve a program as it is, and bound it by the optimum over all dichotomies.

    The search behind the bound ends after `max_seconds`, which leaves it true but weaker; with 0
    there is no search, and the bound is -inf.
    """
    problem = program.problem
    begun = time.perf_counter()
    if solver == "clarabel":
        options = {"tol": 1e-10} | options
    for _ in range(20):
        W, dual, _ = program.weights(solver, **options)
        # facets can leave a needle open by less than the solver's accuracy
        if not _tightened(problem, program.blocks, W):
            break
    solved = time.perf_counter()
    signs = np.array([float(b.sign) for b in program.blocks])
    W, signs = _thresholded(problem, W, signs)
    if problem.loss.smooth:
        W, signs = polished(problem, W, signs, steps=100)
    v = _dual_vector(problem, W, signs, dual)
    lower = -np.inf
    if max_seconds != 0:
        h = problem.arrangement.support(v, both=True, n_jobs=n_jobs, max_seconds=max_seconds)
        lower = problem.lower_bound(v, h.bound)
    found = _solution(problem, W, signs, lower, v, tol)
    if found.status != "optimal":
        found.status = "restricted"
    found.seconds = {"solver": solved - begun, "pricing": time.perf_counter() - solved}
    return found


def _thresholded(problem: Problem, W: np.ndarray, signs: np.ndarray
                 ) -> tuple[np.ndarray, np.ndarray]:
    """Without blocks that are zero but for the solver's accuracy."""
    lengths = np.linalg.norm(W, axis=0)
    largest = lengths.max(initial=0)
    choices = [(W[:, used], signs[used]) for used in (
        lengths > level * largest for level in (1, 1e-5, 1e-7, 1e-10, 0))]
    return min(choices, key=lambda pair: convex_value(problem, *pair))


def _dual_vector(problem: Problem, W: np.ndarray, signs: np.ndarray, dual: np.ndarray
                 ) -> np.ndarray:
    """-grad l where there is a gradient, else the solver's multipliers."""
    if problem.loss.smooth:
        dual = -problem.loss.gradient(np.maximum(problem.X @ W, 0) @ signs, problem.y)
    return problem.loss.into_domain(dual, problem.y)


def _solution(problem: Problem, W: np.ndarray, signs: np.ndarray, lower: float, v: np.ndarray,
              tol: float) -> Solution:
    W, signs = reduced(problem, W, signs)
    network = Network.from_weights(W, signs)
    value = problem.objective(network)
    gap = relative_gap(value, lower)
    return Solution(problem, network, value, lower, gap, v, W, signs,
                    problem.arrangement.dichotomies_at(W.T),
                    "optimal" if gap <= tol else "inaccurate")


class _Columns:
    """Column generation: a pool of blocks, each with the inequalities that were needed so far."""

    def __init__(self, problem: Problem, tol: float, solver: str, n_jobs: int,
                 network: Network | None) -> None:
        self.problem, self.tol, self.solver, self.n_jobs = problem, tol, solver, n_jobs
        self._nonzero = problem.row_lengths > 0
        self.pool: dict[tuple[bytes, int], Block] = {}
        self.idle: dict[tuple[bytes, int], int] = {}
        self.W, self.signs = np.zeros((problem.d, 0)), np.zeros(0)
        self.upper, self.lower = np.inf, -np.inf
        self.v = np.zeros(problem.n)
        self.seconds = {"solver": 0.0, "polishing": 0.0, "pricing": 0.0}
        self.accuracy = 1e-8
        self.excess = 1e-2  # of prices over beta that are looked for
        self.last_solve = 0.0
        self._network = network

    def run(self, max_rounds: int, max_seconds: float | None,
            callback: Callable[[Round], Any] | None, progress: bool) -> Solution:
        begun = time.perf_counter()
        history: list[Round] = []
        status = "stopped"
        try:
            self._begin()
            for number in range(max_rounds):
                done = self._round(number)
                elapsed = time.perf_counter() - begun
                gap = relative_gap(self.upper, self.lower)
                history.append(Round(number, self.upper, self.lower, gap, len(self.pool), elapsed))
                if progress:
                    _report(history[-1])
                ended = callback is not None and callback(history[-1])
                if done:
                    status = done
                    break
                if ended:
                    break
                if max_seconds is not None and elapsed > max_seconds:
                    break
        except KeyboardInterrupt:
            if not np.isfinite(self.upper):
                raise
        if not np.isfinite(self.lower):
            h = self.problem.arrangement.support(self.v, both=True, n_jobs=self.n_jobs,
                                                 max_seconds=max_seconds)
            self.lower = self.problem.lower_bound(self.v, h.bound)
        found = _solution(self.problem, self.W, self.signs, self.lower, self.v, self.tol)
        if found.status != "optimal":
            found.status = status
        found.history, found.seconds = history, self.seconds
        return found

    def _begin(self) -> None:
        p = self.problem
        self.v = p.loss.into_domain(-p.loss.gradient(np.zeros(p.n), p.y), p.y)
        self.upper = convex_value(p, self.W, self.signs)
        if self._network is not None:
            p.check_network(self._network)
            W, signs = self._network.scaled().weights
            self._add(p.arrangement.dichotomies_at(W.T), W.T, signs)

    def _round(self, number: int) -> str:
        """Price, then solve; the status if that was the end."""
        p = self.problem
        # search about as long as a solution takes
        starts = _STARTS if self.last_solve < 0.05 else 3 * _STARTS
        new = self._cheaply(number, starts)
        while not new and self.excess > _LEAST_EXCESS:
            self.excess = max(self.excess / 10, _LEAST_EXCESS)
            new = self._cheaply(number, starts)
        if not new:
            self._polish()
            new = self._cheaply(number, _MORE_STARTS)
        if not new:
            begun = time.perf_counter()
            h = p.arrangement.support(self.v, both=True, n_jobs=self.n_jobs)
            self.seconds["pricing"] += time.perf_counter() - begun
            self.lower = max(self.lower, p.lower_bound(self.v, h.bound))
            if self.upper - self.lower <= self.tol * abs(self.upper):
                return "optimal"
            new = self._add(h.dichotomies, h.points, h.signs)
            if not new:
                if self.accuracy <= 1e-12:
                    return "inaccurate"
                self.accuracy /= 100
        self._solve()
        return ""

    def _cheaply(self, number: int, k: int) -> int:
        """Add blocks found by going up from k random points and from the network's neurons."""
        p = self.problem
        begun = time.perf_counter()
        rng = np.random.default_rng(number)
        units = self.W / np.maximum(np.linalg.norm(self.W, axis=0), 1e-300)
        starts = np.vstack([rng.standard_normal((k, p.d)), units.T])
        h = p.arrangement.local_maxima(self.v, starts, above=p.beta * (1 + self.excess))
        added = self._add(h.dichotomies[:_NEW], h.points[:_NEW], h.signs[:_NEW])
        self.seconds["pricing"] += time.perf_counter() - begun
        return added

    def _polish(self) -> None:
        begun = time.perf_counter()
        p = self.problem
        if p.loss.smooth and len(self.signs):
            self.W, self.signs = polished(p, self.W, self.signs)
            self.upper = min(self.upper, convex_value(p, self.W, self.signs))
            self.v = _dual_vector(p, self.W, self.signs, self.v)
        self.seconds["polishing"] += time.perf_counter() - begun

    def _add(self, patterns: Dichotomies, points: np.ndarray, signs: np.ndarray) -> int:
        added = 0
        values = np.abs(points @ self.problem.unit_rows.T)
        for bits, packed, near, sign in zip(patterns, patterns.packed, values, signs, strict=True):
            key = packed.tobytes(), int(sign)
            if key in self.pool:
                continue
            sides = np.where(bits, 1, -1).astype(np.int8)
            order = np.argsort(np.where(self._nonzero, near, np.inf), kind="stable")
            first = order[: min(3 * self.problem.d + 4, int(self._nonzero.sum()))]
            self.pool[key] = Block(bits, int(sign), sides, np.sort(first))
            self.idle[key] = 0
            added += 1
        return added

    def _solve(self) -> None:
        """Solve over the pool, adding inequalities that are violated, and keep the best network."""
        p = self.problem
        if not self.pool:
            return
        for _ in range(20):
            begun = time.perf_counter()
            blocks = list(self.pool.values())
            options = {"tol": self.accuracy} if self.solver == "clarabel" else {}
            try:
                W, dual, _ = ConvexProgram(p, blocks).weights(self.solver, **options)
            except SolverError:
                if not options or self.accuracy >= 1e-8:
                    raise
                W, dual, _ = ConvexProgram(p, blocks).weights(self.solver, tol=1e-8)
            self.last_solve = time.perf_counter() - begun
            self.seconds["solver"] += self.last_solve
            if not _tightened(p, blocks, W):
                break
        signs = np.array([float(b.sign) for b in blocks])
        lengths = np.linalg.norm(W, axis=0)
        for key, length in zip(self.pool, lengths, strict=True):
            self.idle[key] = 0 if length > 1e-5 * lengths.max() else self.idle[key] + 1
        W, signs = _thresholded(p, W, signs)
        value = convex_value(p, W, signs)
        if (p.loss.smooth and self.excess <= 1e-3
                and value > self.upper - 1e-6 * abs(self.upper)):
            # near the end: prices need more digits than the solver's
            begun = time.perf_counter()
            W, signs = polished(p, W, signs, steps=60)
            value = convex_value(p, W, signs)
            self.seconds["polishing"] += time.perf_counter() - begun
        if value < self.upper:
            if value < self.upper - 1e-6 * abs(self.upper):
                for key in [k for k, rounds in self.idle.items() if rounds >= 2]:
                    del self.pool[key], self.idle[key]
            self.upper, self.W, self.signs = value, W, signs
        self.v = _dual_vector(p, W, signs, dual)


def _tightened(problem: Problem, blocks: Sequence[Block], W: np.ndarray) -> int:
    """Write down the inequalities that a solution violates; how many."""
    lengths = np.linalg.norm(W, axis=0)
    added = 0
    for block, w, length in zip(blocks, W.T, lengths, strict=True):
        if length <= 1e-6 * lengths.max():
            continue
        values = block.sides * (problem.unit_rows @ w) / length
        values[block.rows] = 0
        worst = np.argsort(values)[: problem.d]
        worst = worst[values[worst] < -1e-6]
        if len(worst):
            block.rows = np.sort(np.concatenate([block.rows, worst]))
            added += len(worst)
    return added


def _report(r: Round) -> None:
    sys.stderr.write(f"round {r.number:3d}  value {r.upper:.10g}  bound {r.lower:.10g}  "
                     f"gap {r.gap:.2e}  blocks {r.patterns}  {r.seconds:.2f} s\n")
