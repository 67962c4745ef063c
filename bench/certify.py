"""Certifying networks: verdicts checked before their time is shown.

Random instances are Gaussian, squared loss, beta 0.1: the optimum of `Problem.fit`, whose residual
is the hardest to price, must be called optimal to 1e-8, and a network of gradient descent must not,
with a bound below the optimum. Times are whole calls certify(network, problem), each in a process
of its own, with its peak memory; the largest instance, of 105 million patterns, is trained for
minutes first (--long). Networks of scikit-learn and PyTorch (where installed), trained on real data
with 3 features and a bias, get their gap: by their own residual, and with `tighten` what is truly
left. Their output bias, if any, is taken from the targets.
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
from descent import descended

from cvxlayer import Network, Problem, certify

TOL = 1e-8
REPEATS = 5
# samples, features, seconds and bytes it must stay below
RANDOM = [(50, 3, 0.02, None), (100, 5, 3.0, None), (190, 5, 40.0, 500_000_000)]
# set, columns, target, beta
REAL = [("iris", "0-2", "3", 0.1), ("diabetes", "bmi,bp,s5", "target", 1.0)]


def gaussian(n: int, d: int) -> Problem:
    rng = np.random.default_rng(0)
    return Problem(rng.standard_normal((n, d)), rng.standard_normal(n), 0.1)


def timed(network: Network, problem: Problem, repeats: int) -> tuple[Any, float]:
    """The certificate and the fastest of some calls, after one."""
    certificate, times = certify(network, problem), []
    for _ in range(repeats):
        start = time.perf_counter()
        certify(network, problem)
        times.append(time.perf_counter() - start)
    return certificate, min(times)


def random(n: int, d: int) -> dict[str, Any]:
    problem = gaussian(n, d)
    solution = problem.fit("columns", tol=TOL / 2)
    # the child's memory so far is not that of a certificate
    repeats = REPEATS if n * d <= 500 else 1
    best, best_s = timed(solution.network, problem, repeats)
    if not best.optimal:
        raise ValueError(f"({n}, {d}): the optimum is called {best.verdict}: no time is shown")
    network = descended(problem, 20, 0, steps=500)
    other, other_s = timed(network, problem, repeats)
    if other.optimal is not False or not other.lower_bound <= solution.value:
        raise ValueError(f"({n}, {d}): a network of gradient descent is called {other.verdict}, "
                         f"with the bound {other.lower_bound}: no time is shown")
    return {"optimum_s": best_s, "gap": best.gap, "descent_s": other_s, "descent_gap": other.gap,
            "peak_bytes": peak_memory()}


def scikit(problem: Problem) -> Network | None:
    try:
        from sklearn.neural_network import MLPRegressor
    except ImportError:
        return None
    X, y = problem.X[:, :-1], problem.y
    model = MLPRegressor(hidden_layer_sizes=(20,), alpha=problem.beta, solver="lbfgs",
                         max_iter=2000, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.fit(X, y)
    problem.y = y - model.intercepts_[1]
    model.intercepts_[1][:] = 0
    return Network.from_sklearn(model)


def torch(problem: Problem) -> Network | None:
    try:
        import torch
    except ImportError:
        return None
    torch.manual_seed(0)
    X = torch.tensor(problem.X[:, :-1])
    y = torch.tensor(problem.y)[:, None]
    model = torch.nn.Sequential(torch.nn.Linear(X.shape[1], 20), torch.nn.ReLU(),
                                torch.nn.Linear(20, 1, bias=False)).double()
    optimiser = torch.optim.Adam(model.parameters(), lr=1e-2)
    for _ in range(3000):
        optimiser.zero_grad()
        loss = ((model(X) - y) ** 2).sum() / 2
        penalty = sum((p**2).sum() for p in model.parameters())
        (loss + problem.beta / 2 * penalty).backward()
        optimiser.step()
    return Network.from_torch(model)


def real(name: str) -> list[dict[str, Any]]:
    from arrangements.data import load_supervised

    _, columns, target, beta = next(case for case in REAL if case[0] == name)
    X, y, _, _ = load_supervised(name, target, columns=[columns])
    X = np.asarray(X, dtype=float)
    # as practitioners do: standardised
    X = (X - X.mean(axis=0)) / X.std(axis=0)
    y = (np.asarray(y, dtype=float) - np.mean(y)) / np.std(y)
    out = []
    for trained in (scikit, torch):
        problem = Problem(X, y, beta, bias=True)
        network = trained(problem)
        if network is None:
            continue
        certificate, taken = timed(network, problem, 1)
        start = time.perf_counter()
        tight = certify(network, problem, tighten=True, tol=1e-6)
        tight_s = time.perf_counter() - start
        for c in (certificate, tight):
            if not c.lower_bound <= problem.objective(c.improve() if c.better else network):
                raise ValueError(f"{name}: a bound above an objective: no time is shown")
        out.append({"name": f"{name}, {trained.__name__}", "objective": certificate.objective,
                    "verdict": tight.verdict, "gap": certificate.gap, "seconds": taken,
                    "left": tight.gap, "margin": tight.margin, "tight_s": tight_s})
    return out


def benchmark(args: argparse.Namespace) -> dict[str, Any]:
    results, rows = [], []
    for n, d, within, most in RANDOM[:1] if args.quick else RANDOM if args.long else RANDOM[:-1]:
        print(f"Gaussian ({n}, {d}) ...", file=sys.stderr)
        x = run_child(__file__, "--child", json.dumps([n, d]))
        fast = max(x["optimum_s"], x["descent_s"]) <= within
        small = most is None or x["peak_bytes"] < most
        rows.append([f"Gaussian ({n}, {d})", f"{x['gap']:.1e}", seconds(x["optimum_s"]),
                     f"{x['descent_gap']:.2f}", seconds(x["descent_s"]),
                     f"{x['peak_bytes'] / 1e6:.0f} MB",
                     seconds(within) + (f", {most / 1e6:g} MB" if most else "")
                     + (" ok" if fast and small else " MISSED")])
        results.append({"n": n, "d": d, **x})
    print(table(["what", "optimum: gap", "time", "descent: gap", "time", "peak", "must reach"],
                rows))
    rows = []
    for name, *_ in REAL[:1] if args.quick else REAL:
        print(f"{name} ...", file=sys.stderr)
        for x in run_child(__file__, "--child", json.dumps(name)):
            rows.append([x["name"], f"{x['objective']:.6g}", f"{x['gap']:.2e}",
                         seconds(x["seconds"]), x["verdict"], f"{x['left']:.2e}",
                         f"{x['margin']:.1e}", seconds(x["tight_s"])])
            results.append(x)
    print(table(["network", "objective", "gap", "time", "verdict", "truly left", "margin", "time"],
                rows))
    return {"results": results}


def child(case: Any) -> Any:
    return real(case) if isinstance(case, str) else random(*case)


if __name__ == "__main__":
    sys.exit(main(__doc__, benchmark, child, {"--long": {
        "action": "store_true", "help": "also Gaussian (190, 5), minutes"}}))
