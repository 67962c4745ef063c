"""Column generation: terms are added where they pay, until the bound closes.

With v = -grad l at the predictions, a neuron of unit direction u and sign s lowers the objective if
its price s v.(Xu)_+ exceeds beta. Local searches find such neurons; where they find none,
`Arrangement.support` gives the largest price of all, and with it a bound of the optimum.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from arrangements import Dichotomies
from cvxlayer.conic.program import ConvexProgram, Term, tightened
from cvxlayer.conic.solution import Round, Solution, dual_vector, solution, thresholded
from cvxlayer.errors import SolverError
from cvxlayer.model.network import Network
from cvxlayer.model.newton import polished
from cvxlayer.model.problem import Problem, relative_gap
from cvxlayer.model.weights import convex_value

__all__ = ["Columns"]

_NEW = 120  # terms added in a round
_STARTS, _MORE_STARTS = 150, 1500
_QUICK = 12_000  # numbers of all terms that are solved in some 50 ms
_LEAST_EXCESS = 1e-7


class Pool:
    """Terms by chamber and sign, each with the inequalities that were needed so far, and the number
    of rounds for which its weight has been zero."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.terms: dict[tuple[bytes, int], Term] = {}
        self.idle: dict[tuple[bytes, int], int] = {}

    def add(self, patterns: Dichotomies, points: np.ndarray, signs: np.ndarray) -> int:
        """Add chambers that are new, with the rows nearest to a point of each; how many."""
        before, nonzero = len(self.terms), self.problem.row_lengths > 0
        n_rows = min(3 * self.problem.d + 4, int(nonzero.sum()))
        values = np.abs(points @ self.problem.unit_rows.T)
        for bits, packed, near, sign in zip(patterns, patterns.packed, values, signs, strict=True):
            key = packed.tobytes(), int(sign)
            if key not in self.terms:
                rows = np.argsort(np.where(nonzero, near, np.inf), kind="stable")[:n_rows]
                self.terms[key] = Term(bits, int(sign), np.where(bits, 1, -1).astype(np.int8),
                                       np.sort(rows))
                self.idle[key] = 0
        return len(self.terms) - before

    def note(self, lengths: np.ndarray) -> None:
        """Count the rounds of terms without weight."""
        for key, length in zip(self.terms, lengths, strict=True):
            self.idle[key] = 0 if length > 1e-5 * lengths.max() else self.idle[key] + 1

    def forget(self) -> None:
        """Leave out what has been zero for two rounds."""
        for key in [k for k, rounds in self.idle.items() if rounds >= 2]:
            del self.terms[key], self.idle[key]


@dataclass
class Best:
    """The best weights and signs so far, their objective, the bound, and the dual vector."""

    W: np.ndarray
    signs: np.ndarray
    v: np.ndarray
    upper: float = np.inf
    lower: float = -np.inf


class Columns:
    """Column generation for a problem, from the patterns of a network if there is one."""

    def __init__(self, problem: Problem, tol: float, solver: str, n_jobs: int,
                 network: Network | None) -> None:
        self.problem, self.tol, self.solver, self.n_jobs = problem, tol, solver, n_jobs
        self.network = network
        self.pool = Pool(problem)
        self.best = Best(np.zeros((problem.d, 0)), np.zeros(0), np.zeros(problem.n))
        self.seconds = {"solver": 0.0, "polishing": 0.0, "pricing": 0.0}
        self.accuracy = 1e-8
        self.excess = 1e-2  # of prices over beta that are looked for

    def run(self, max_rounds: int, max_seconds: float | None,
            callback: Callable[[Round], Any] | None, progress: bool) -> Solution:
        """Rounds until the gap is closed, or a limit, the callback or Ctrl-C stops them."""
        begun, best = time.perf_counter(), self.best
        history: list[Round] = []
        status = "stopped"
        try:
            self._begin()
            for number in range(max_rounds):
                done = self._round(number)
                elapsed = time.perf_counter() - begun
                history.append(Round(number, best.upper, best.lower,
                                     relative_gap(best.upper, best.lower), len(self.pool.terms),
                                     elapsed))
                if progress:
                    _report(history[-1])
                stopped = callback is not None and callback(history[-1])
                if done:
                    status = done
                if done or stopped or (max_seconds is not None and elapsed > max_seconds):
                    break
        except KeyboardInterrupt:
            if not np.isfinite(best.upper):
                raise
        if not np.isfinite(best.lower):
            h = self.problem.arrangement.support(best.v, both=True, n_jobs=self.n_jobs,
                                                 max_seconds=max_seconds)
            best.lower = self.problem.lower_bound(best.v, h.bound)
        found = solution(self.problem, best.W, best.signs, best.lower, best.v, self.tol)
        if found.status != "optimal":
            found.status = status
        found.history, found.seconds = history, self.seconds
        return found

    def _begin(self) -> None:
        p, best = self.problem, self.best
        best.v = p.loss.into_domain(-p.loss.gradient(np.zeros(p.n), p.y), p.y)
        best.upper = convex_value(p, best.W, best.signs)
        if self.network is not None:
            p.check_network(self.network)
            W, signs = self.network.scaled().weights
            self.pool.add(p.arrangement.dichotomies_at(W.T), W.T, signs)

    def _round(self, number: int) -> str:
        """Price, then solve; the status if that was the end."""
        p, best = self.problem, self.best
        # search about as long as a solution takes, by its size: the clock must not choose terms
        starts = _STARTS if p.n * p.d * len(self.pool.terms) < _QUICK else 3 * _STARTS
        new = self._cheaply(number, starts)
        while not new and self.excess > _LEAST_EXCESS:
            self.excess = max(self.excess / 10, _LEAST_EXCESS)
            new = self._cheaply(number, starts)
        if not new:
            self._polish()
            new = self._cheaply(number, _MORE_STARTS)
        if not new:
            begun = time.perf_counter()
            h = p.arrangement.support(best.v, both=True, n_jobs=self.n_jobs)
            self.seconds["pricing"] += time.perf_counter() - begun
            best.lower = max(best.lower, p.lower_bound(best.v, h.bound))
            if best.upper - best.lower <= self.tol * abs(best.upper):
                return "optimal"
            new = self.pool.add(h.dichotomies, h.points, h.signs)
            if not new:
                if self.accuracy <= 1e-12:
                    return "inaccurate"
                self.accuracy /= 100
        self._solve()
        return ""

    def _cheaply(self, number: int, k: int) -> int:
        """Add terms found by ascent from k random points and from the network's neurons."""
        p, best = self.problem, self.best
        begun = time.perf_counter()
        rng = np.random.default_rng(number)
        units = best.W / np.maximum(np.linalg.norm(best.W, axis=0), 1e-300)
        starts = np.vstack([rng.standard_normal((k, p.d)), units.T])
        h = p.arrangement.local_maxima(best.v, starts, above=p.beta * (1 + self.excess))
        added = self.pool.add(h.dichotomies[:_NEW], h.points[:_NEW], h.signs[:_NEW])
        self.seconds["pricing"] += time.perf_counter() - begun
        return added

    def _polish(self) -> None:
        begun = time.perf_counter()
        p, best = self.problem, self.best
        if p.loss.smooth and len(best.signs):
            best.W, best.signs = polished(p, best.W, best.signs)
            best.upper = min(best.upper, convex_value(p, best.W, best.signs))
            best.v = dual_vector(p, best.W, best.signs, best.v)
        self.seconds["polishing"] += time.perf_counter() - begun

    def _solve(self) -> None:
        """Solve over the pool, adding inequalities that are violated, and keep the best network."""
        p, best = self.problem, self.best
        terms = list(self.pool.terms.values())
        if not terms:
            return
        for _ in range(20):
            begun = time.perf_counter()
            W, dual = self._weights(terms)
            self.seconds["solver"] += time.perf_counter() - begun
            if not tightened(p, terms, W):
                break
        self.pool.note(np.linalg.norm(W, axis=0))
        W, signs = thresholded(p, W, np.array([float(term.sign) for term in terms]))
        value = convex_value(p, W, signs)
        if p.loss.smooth and self.excess <= 1e-3 and value > best.upper - 1e-6 * abs(best.upper):
            # near the end: prices need more digits than the solver's
            begun = time.perf_counter()
            W, signs = polished(p, W, signs, steps=60)
            value = convex_value(p, W, signs)
            self.seconds["polishing"] += time.perf_counter() - begun
        if value < best.upper:
            if value < best.upper - 1e-6 * abs(best.upper):
                self.pool.forget()
            best.upper, best.W, best.signs = value, W, signs
        best.v = dual_vector(p, W, signs, dual)

    def _weights(self, terms: list[Term]) -> tuple[np.ndarray, np.ndarray]:
        program = ConvexProgram(self.problem, terms)
        options = {"tol": self.accuracy} if self.solver == "clarabel" else {}
        try:
            return program.weights(self.solver, **options)[:2]
        except SolverError:
            if not options or self.accuracy >= 1e-8:
                raise
            return program.weights(self.solver, tol=1e-8)[:2]


def _report(r: Round) -> None:
    sys.stderr.write(f"round {r.number:3d}  value {r.upper:.10g}  bound {r.lower:.10g}  "
                     f"gap {r.gap:.2e}  blocks {r.patterns}  {r.seconds:.2f} s\n")
