"""Patterns and a problem -> a conic program, and its solution as blocks: one place."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy import sparse

from arrangements import Dichotomies, Trichotomies
from cvxlayer.errors import CapacityError, InputError
from cvxlayer.model.conic_program import ConicProgram
from cvxlayer.model.network import Network
from cvxlayer.model.newton import polished
from cvxlayer.model.problem import Problem

from .solution import Solution, dual_vector, solution, thresholded
from .solvers import Answer, solve
from .to_cvxpy import to_cvxpy

__all__ = ["ConvexProgram", "Term", "convex_program", "solution_of", "tightened"]


@dataclass(eq=False)
class Term:
    """One term sign * D X w, with the rows of the cone of w that are written down.

    Attributes
    ----------
    active : ndarray of bool, shape (n,)
        The diagonal of D.
    sign : int
        1 or -1.
    sides : ndarray of int8, shape (n,)
        Sides of the hyperplanes on which the cone lies: x_i.w has this sign or is zero.
    rows : ndarray of int64
        Inequalities sides_i x_i.w >= 0 that are written down.
    zeros : ndarray of int64
        Equations x_i.w = 0.
    """

    active: np.ndarray
    sign: int
    sides: np.ndarray
    rows: np.ndarray
    zeros: np.ndarray = field(default_factory=lambda: np.zeros(0, dtype=np.int64))


@dataclass(eq=False)
class ConvexProgram:
    """min l(z) + beta sum_j ||w_j||, z = sum_j sign_j D_j X w_j, w_j in the cone of block j.

    Attributes
    ----------
    problem : Problem
    blocks : sequence of Term
    """

    problem: Problem
    blocks: Sequence[Term]

    @property
    def n_variables(self) -> int:
        """Variables: predictions, and for each term its weights and their length."""
        return self.problem.n + len(self.blocks) * (self.problem.d + 1)

    @property
    def n_constraints(self) -> int:
        """Linear conditions of all terms."""
        return sum(len(b.rows) + len(b.zeros) for b in self.blocks)

    @property
    def n_bytes(self) -> int:
        """Estimate of the matrices' size, before they are built."""
        d = self.problem.d
        entries = sum(d * (int(b.active.sum()) + len(b.rows) + len(b.zeros)) + d + 1
                      for b in self.blocks)
        return 12 * entries + 16 * self.n_variables

    def conic(self) -> ConicProgram:
        """Over x = (z, the loss's own variables, w_1..w_k, t_1..t_k)."""
        p, d, k = self.problem, self.problem.d, len(self.blocks)
        loss = p.loss.conic(p.y)
        own = loss.P.shape[0]
        size = own + k * (d + 1)
        P = sparse.block_diag([loss.P, sparse.csc_matrix((k * (d + 1),) * 2)], format="csc")
        q = np.concatenate([loss.q, np.zeros(k * d), np.full(k, p.beta)])
        W, t = own + np.arange(k * d).reshape(k, d), own + k * d + np.arange(k)

        def matrix(values: np.ndarray, columns: np.ndarray) -> sparse.csc_matrix:
            index = np.repeat(np.arange(len(values)), values.shape[1])
            return sparse.csc_matrix((values.ravel(), (index, columns.ravel())),
                                     shape=(len(values), size))

        maps = [-b.sign * b.active[:, None] * p.X for b in self.blocks]
        parts = [sparse.hstack(
            [sparse.identity(p.n, format="csc"), sparse.csc_matrix((p.n, own - p.n)),
             sparse.csc_matrix(np.hstack([*maps, np.zeros((p.n, k))]))], format="csc")]
        cones = [("zero", p.n)]
        for kind, sign, which in (("zero", 1, [b.zeros for b in self.blocks]),
                                  ("nonnegative", -1, [b.rows for b in self.blocks])):
            if total := sum(map(len, which)):
                rows = np.vstack([p.unit_rows[w] if kind == "zero"
                                  else b.sides[w, None] * p.unit_rows[w]
                                  for b, w in zip(self.blocks, which, strict=True) if len(w)])
                parts.append(matrix(sign * rows, W[np.repeat(np.arange(k), list(map(len, which)))]))
                cones.append((kind, total))
        before = sum(n for _, n in cones)
        if len(loss.b):
            parts.append(sparse.hstack([loss.A, sparse.csc_matrix((len(loss.b), size - own))]))
            cones += loss.cones
        if k:
            parts.append(matrix(-np.ones((k * (d + 1), 1)), np.column_stack([t, W])))
            cones += [("second-order", d + 1)] * k
        b = np.pad(loss.b, (before, k * (d + 1)))
        return ConicProgram(P, q, sparse.vstack(parts, format="csc"), b, tuple(cones),
                            loss.constant)

    def weights(self, solver: str = "clarabel", **options: Any
                ) -> tuple[np.ndarray, np.ndarray, Answer]:
        """Solve: weights (d, k), the dual vector v (n,), and what the solver said."""
        answer = solve(solver, self.conic(), **options)
        k, d = len(self.blocks), self.problem.d
        start = len(answer.x) - k * (d + 1)
        W = answer.x[start : start + k * d].reshape(k, d).T
        return W, answer.dual[: self.problem.n], answer

    def to_cvxpy(self) -> Any:
        """This program as a `cvxpy.Problem`; see `to_cvxpy.to_cvxpy`. Needs the extra `solvers`."""
        return to_cvxpy(self)

    def solve(self, solver: str = "clarabel", **options: Any) -> Solution:
        """The optimum of this program as a `Solution`; its lower bound is that of all networks.

        Raises
        ------
        SolverError
            With the solver's status if it stopped short.
        """
        return solution_of(self, solver, options)


def convex_program(problem: Problem, patterns: Any = None, *, constraints: str = "facets",
                   network: Network | None = None, max_bytes: int = 2 * 10**9) -> ConvexProgram:
    """The program over all dichotomies, or over some patterns.

    Parameters
    ----------
    problem : Problem
    patterns : None, Dichotomies, Trichotomies, bool array (k, n) or Network
        None: all dichotomies, which gives the global optimum. Trichotomies: the face program, with
        equations where a sign is zero. A network: the faces its neurons are on, the subsampled
        program of which a stationary network is an optimum.
    constraints : {"facets", "all"}, default "facets"
        Write down the irredundant inequalities only, or all; the optimum is the same.
    network : Network, optional
        A network that the program must contain: an InputError names the neurons that lie in no
        cone of `patterns`, without which the program can be worse than the network.
    max_bytes : int
        Refuse to build more, before it is built.

    Raises
    ------
    InputError
        If patterns have another number of samples, or are no chambers.
    CapacityError
        If the program is too large; use `Problem.fit`, which never writes it down.
    """
    if constraints not in ("facets", "all"):
        raise InputError(f"constraints must be 'facets' or 'all', got {constraints!r}")
    A = problem.arrangement
    if patterns is None:
        p = A.count_dichotomies()
        if p * 2 * problem.n * problem.d * 6 > max_bytes:
            raise CapacityError(
                f"the program over all {p:,} dichotomies needs more than {max_bytes:,} bytes; use "
                "fit, which never writes it down, or fewer patterns", n_chambers=p,
                bytes_needed=p * 2 * problem.n * problem.d * 6, bytes_available=max_bytes,
                exact=True)
        patterns = A.dichotomies()
    if isinstance(patterns, Network):
        problem.check_network(patterns)
        signs = np.unique(A.signs_at(patterns.U.T), axis=0)
        blocks = [_face(problem, s, sign) for s in signs for sign in (1, -1)]
    elif isinstance(patterns, Trichotomies):
        _length(patterns.n, problem.n)
        blocks = [_face(problem, s, sign) for s in patterns for sign in (1, -1)]
    else:
        if not isinstance(patterns, Dichotomies):
            bits = np.asarray(patterns)
            if bits.ndim != 2 or bits.dtype != bool:
                raise InputError("patterns must be a bool array of shape (k, n), got "
                                 f"{bits.dtype} of shape {bits.shape}")
            _length(bits.shape[1], problem.n)
            patterns = Dichotomies(np.packbits(bits, axis=1, bitorder="little"), problem.n,
                                   arrangement=A)
        _length(patterns.n, problem.n)
        blocks = _chambers(problem, patterns, constraints)
    if network is not None:
        _contains(problem, blocks, network)
    program = ConvexProgram(problem, blocks)
    if program.n_bytes > max_bytes:
        raise CapacityError(f"the program needs {program.n_bytes:,} bytes, more than {max_bytes:,};"
                            " use fit, or fewer patterns", n_chambers=len(blocks) // 2,
                            bytes_needed=program.n_bytes, bytes_available=max_bytes, exact=True)
    return program


def _chambers(problem: Problem, patterns: Dichotomies, constraints: str) -> list[Term]:
    bits = patterns.to_numpy()
    nonzero = np.flatnonzero(np.abs(problem.X).max(axis=1) > 0)
    if constraints == "all":
        rows = [nonzero] * len(bits)
    elif len(bits) > 64:
        facets = Dichotomies(patterns.packed, problem.n, arrangement=problem.arrangement).facets()
        rows = [facets.indices[facets.indptr[i] : facets.indptr[i + 1]] for i in range(len(bits))]
    else:
        rows = [problem.arrangement.cone(b).facets for b in bits]
    return [Term(b, sign, np.where(b, 1, -1).astype(np.int8), np.asarray(r))
            for b, r in zip(bits, rows, strict=True) for sign in (1, -1)]


def _face(problem: Problem, signs: np.ndarray, sign: int) -> Term:
    zero = (signs == 0) & (np.abs(problem.X).max(axis=1) > 0)
    return Term(signs > 0, sign, signs, np.flatnonzero(signs), np.flatnonzero(zero))


def _contains(problem: Problem, blocks: list[Term], network: Network) -> None:
    problem.check_network(network)
    sides = np.unique([b.sides for b in blocks], axis=0).astype(np.int16)
    own = problem.arrangement.signs_at(network.U.T).astype(np.int16)
    # as many agreements as the neuron has signs: the closed cone has it; so must its zeros
    agree = own @ sides.T == np.abs(own).sum(axis=1)[:, None]
    lost = np.flatnonzero(~agree.any(axis=1) & (network.alpha != 0))
    if len(lost):
        raise InputError(f"patterns must have a cone for every neuron of the network, but neurons "
                         f"{', '.join(map(str, lost[:6].tolist()))}"
                         f"{' and more' if len(lost) > 6 else ''} lie in none; add "
                         "arrangement.dichotomies_at(network.U.T)")


def _length(n: int, wanted: int) -> None:
    if n != wanted:
        raise InputError(f"patterns must be of {wanted} samples, got {n}")


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
        if not tightened(problem, program.blocks, W):
            break
    solved = time.perf_counter()
    signs = np.array([float(b.sign) for b in program.blocks])
    W, signs = thresholded(problem, W, signs)
    if problem.loss.smooth:
        W, signs = polished(problem, W, signs, steps=100)
    v = dual_vector(problem, W, signs, dual)
    lower = -np.inf
    if max_seconds != 0:
        h = problem.arrangement.support(v, both=True, n_jobs=n_jobs, max_seconds=max_seconds)
        lower = problem.lower_bound(v, h.bound)
    found = solution(problem, W, signs, lower, v, tol)
    if found.status != "optimal":
        found.status = "restricted"
    found.seconds = {"solver": solved - begun, "pricing": time.perf_counter() - solved}
    return found


def tightened(problem: Problem, blocks: Sequence[Term], W: np.ndarray) -> int:
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
