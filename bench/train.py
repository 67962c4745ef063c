"""Training to the certified optimum: each answer checked before its time is shown.

Times are whole calls from the data on, Problem(X, y, beta).fit("columns", tol=1e-8), of the squared
loss. Checked are the gap, and that the objective recomputed from X is the value. Random instances
are Gaussian with beta 0.1; real ones have a bias, exact decimals, and the beta that the table
shows. From (200, 4) on, and for real data, each runs once, in a process of its own. With CVXPY
installed, the first instance is also solved as users do today: the program over all patterns, with
the inequalities of all samples, in CVXPY with Clarabel; both sides are given the patterns.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
import warnings
from typing import Any

import numpy as np
from _harness import main, peak_memory, run_child, seconds, table

from cvxlayer import Problem

TOL = 1e-8
REPEATS = 5
# samples, features, bias, seconds and bytes it must stay below
RANDOM = [
    (50, 2, True, 0.2, None),
    (100, 3, False, 2.0, None),
    (200, 4, False, 15.0, 1_000_000_000),
    (100, 5, False, 60.0, None),
    (200, 5, False, 600.0, 2_000_000_000),
]
# set, columns, target, beta
REAL = [
    ("iris", "0,1", "2", 0.1),
    ("diabetes", "age,bmi,bp", "target", 1000.0),
]


def gaussian(n: int, d: int, bias: bool) -> tuple[np.ndarray, np.ndarray, float, dict[str, Any]]:
    rng = np.random.default_rng(0)
    return rng.standard_normal((n, d)), rng.standard_normal(n), 0.1, {"bias": bias}


def real(name: str) -> tuple[np.ndarray, np.ndarray, float, dict[str, Any]]:
    from arrangements.data import load_supervised

    _, columns, target, beta = next(case for case in REAL if case[0] == name)
    X, y, _, numbers = load_supervised(name, target, columns=columns)
    return X, y, beta, {"bias": True, "numbers": numbers}


def fit(X: np.ndarray, y: np.ndarray, beta: float, options: dict[str, Any], jobs: int
        ) -> dict[str, Any]:
    """One timed fit; ValueError instead of a figure if the answer is wrong."""
    start = time.perf_counter()
    found = Problem(X, y, beta, **options).fit("columns", tol=TOL, n_jobs=jobs)
    taken = time.perf_counter() - start
    if not (found.status == "optimal" and found.gap <= TOL):
        raise ValueError(f"gap {found.gap:.2e}, {found.status}: no time is shown")
    if not found.lower_bound <= found.value:
        raise ValueError("a lower bound above the value: no time is shown")
    own = recomputed(found.network, X, y, beta, options)
    if found.problem.objective(found.network) != found.value or not (
            abs(own - found.value) <= 1e-12 * own):  # another order of summation
        raise ValueError(f"the network has the objective {own!r}: no time is shown")
    return {"seconds": taken, "value": found.value, "gap": found.gap, "neurons": found.network.m,
            "rounds": len(found.history), "parts": found.seconds}


def recomputed(network: Any, X: np.ndarray, y: np.ndarray, beta: float, options: dict[str, Any]
               ) -> float:
    """1/2 ||z - y||^2 + beta/2 (||U||^2 + ||alpha||^2), without the library."""
    X = np.asarray(X, dtype=float)
    if options["bias"]:
        X = np.column_stack([X, np.ones(len(X))])
    z = np.maximum(X @ network.U, 0) @ network.alpha
    return float((z - y) @ (z - y) / 2
                 + beta / 2 * ((network.U**2).sum() + (network.alpha**2).sum()))


def shown(n: int, d: int, bias: bool) -> str:
    return f"Gaussian ({n}, {d}{' + bias' if bias else ''})"


def row(name: str, figures: dict[str, Any], target: float | None, most: int | None
        ) -> dict[str, Any]:
    return {"name": name, "target_s": target, "target_bytes": most, **figures}


def repeated(n: int, d: int, bias: bool, repeats: int) -> dict[str, Any]:
    """The fastest of some fits; the first, untimed, loads the solver."""
    data = gaussian(n, d, bias)
    return min((fit(*data, 1) for _ in range(repeats + 1)), key=lambda x: x["seconds"])


def with_cvxpy() -> list[str] | None:
    """Seconds of CVXPY and of this package on the program over all given patterns."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import cvxpy as cp
    except ImportError:
        return None
    X, y, beta, options = gaussian(*RANDOM[0][:3])
    problem = Problem(X, y, beta, **options)
    patterns = problem.arrangement.dichotomies()
    D = patterns.to_numpy().T.astype(float)
    X = problem.X

    start = time.perf_counter()
    V, W = cp.Variable((problem.d, D.shape[1])), cp.Variable((problem.d, D.shape[1]))
    loss = cp.sum_squares(cp.sum(cp.multiply(D, X @ (V - W)), axis=1) - y) / 2
    penalty = cp.sum(cp.norm(V, 2, axis=0)) + cp.sum(cp.norm(W, 2, axis=0))
    cones = [cp.multiply(2 * D - 1, X @ V) >= 0, cp.multiply(2 * D - 1, X @ W) >= 0]
    theirs = cp.Problem(cp.Minimize(loss + beta * penalty), cones)
    theirs.solve(solver=cp.CLARABEL)
    cvxpy_s = time.perf_counter() - start

    start = time.perf_counter()
    program = problem.convex_program(patterns)
    full = program.solve()
    full_s = time.perf_counter() - start
    start = time.perf_counter()
    columns = Problem(problem.arrangement, y, beta).fit("columns", tol=TOL)
    columns_s = time.perf_counter() - start
    for ours in (full, columns):
        if not abs(ours.value - theirs.value) <= 1e-6 * abs(ours.value):
            raise ValueError(f"CVXPY has {theirs.value!r}, this package {ours.value!r}: "
                             "no time is shown")
    lines = [("CVXPY with Clarabel", 2 * D.size, cvxpy_s),
             ("convex_program(patterns).solve()", program.n_constraints, full_s),
             ("fit('columns')", None, columns_s)]
    return [
        f"{shown(*RANDOM[0][:3])}, the {D.shape[1]:,} patterns given, objectives equal to 1e-6:",
        *table(["", "inequalities", "time", "speed"], [
            [f"  {name}", f"{rows:,}" if rows else "", seconds(taken), f"{cvxpy_s / taken:.1f}x"]
            for name, rows, taken in lines]).splitlines(),
    ]


def verdict(x: dict[str, Any]) -> str:
    parts = []
    if x["target_s"] is not None:
        within = x["seconds"] <= x["target_s"]
        parts.append(f"{seconds(x['target_s'])} {'ok' if within else 'MISSED'}")
    if x["target_bytes"] is not None:
        within = x["peak_bytes"] < x["target_bytes"]
        parts.append(f"{x['target_bytes'] / 1e9:g} GB {'ok' if within else 'MISSED'}")
    return ", ".join(parts)


def cells(x: dict[str, Any]) -> list[str]:
    peak = f"{x['peak_bytes'] / 1e6:.0f} MB" if "peak_bytes" in x else ""
    return [x["name"], f"{x['value']:.8g}", f"{x['gap']:.1e}", str(x["neurons"]),
            str(x["rounds"]), seconds(x["seconds"]), peak, verdict(x)]


def benchmark(args: argparse.Namespace) -> dict[str, Any]:
    random = RANDOM[:2] if args.quick else RANDOM if args.long else RANDOM[:-1]
    results = []
    for n, d, bias, target, most in random:
        print(f"{shown(n, d, bias)} ...", file=sys.stderr)
        if n * d <= 300:
            figures = repeated(n, d, bias, 2 if args.quick else REPEATS)
        else:
            figures = run_child(__file__, "--child", json.dumps([n, d, bias]), str(args.jobs))
        results.append(row(shown(n, d, bias), figures, target, most))
    for name, columns, _, beta in REAL[: 1 if args.quick else None]:
        print(f"{name} ...", file=sys.stderr)
        figures = run_child(__file__, "--child", json.dumps(name), str(args.jobs))
        d = columns.count(",") + 1
        results.append(row(f"{name}, {d} features + bias, beta {beta:g}", figures, None, None))
    header = ["what", "objective", "gap", "neurons", "rounds", "time", "peak", "must reach"]
    print(table(header, [cells(x) for x in results]))
    compared = with_cvxpy()
    print("CVXPY is not installed: no comparison" if compared is None else "\n".join(compared))
    return {"results": results, "cvxpy": compared}


def child(case: Any, jobs: int) -> dict[str, Any]:
    data = real(case) if isinstance(case, str) else gaussian(*case)
    return fit(*data, jobs) | {"peak_bytes": peak_memory()}


if __name__ == "__main__":
    sys.exit(main(__doc__, benchmark, child, {"--long": {
        "action": "store_true", "help": "also Gaussian (200, 5), minutes"}}))
