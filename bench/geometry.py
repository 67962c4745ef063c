"""Faces, exact counts, facets, the support function: each answer checked before it is timed.

Times are whole calls from the data on, but for the facets, whose chambers are given. The support
function is that of v and -v, v the residual of a network trained by L-BFGS from a random start; its
time is given per chamber, though no chamber is listed.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from _harness import alternate, instances, main, peak_memory, run_child, seconds, table
from scipy.optimize import minimize, nnls

from arrangements import Arrangement, families

# name, rows, faces, seconds it must take
FACES = [
    ("general position (50, 5)", partial(instances.generic, 50, 5), 7379403, 1.5),
    ("threshold functions 5", partial(instances.threshold, 5), 1318105, 1.0),
    ("resonance 5", partial(instances.resonance, 5), 82443, None),
    ("braid 8", partial(instances.braid, 8), 7087261, None),
]
COUNTS = [
    ("resonance 6", partial(instances.resonance, 6), 1066044, 1.0),
    ("resonance 7", partial(instances.resonance, 7), 347326352, 120.0),
    ("threshold functions 6", partial(instances.threshold, 6), 15028134, None),
]
CLOSED_S = 1e-3  # general position n = 10^4, r = 10, once general position is known
# samples, rank, most nanoseconds per chamber on one core, most seconds on two cores, most bytes
SUPPORT = [(50, 3, None, None), (100, 5, 200, None), (190, 5, None, 30.0)]
SUPPORT_BYTES = 300_000_000
FACETS_S = 1.0  # all facets of general position (50, 5)


def refuse(name: str, fault: bool) -> None:
    if fault:
        raise ValueError(f"{name}: wrong answer, nothing is timed")


def row(name: str, items: int, taken: float, target: float | None, *jobs: float) -> dict[str, Any]:
    return {"name": name, "items": items, "min_s": taken, "target_s": target,
            "speedup": [taken / x for x in jobs]}


def faces(name: str, rows: Callable[[], Any], q: int, target: float | None, jobs: int,
          repeats: int) -> dict[str, Any]:
    X = rows()
    found = Arrangement(X).trichotomies()
    whole = np.hstack([found.positive, found.negative])
    distinct = len(np.unique(whole.view(f"V{whole.shape[1]}")))
    refuse(name, not len(found) == distinct == q)
    del found, whole
    tasks = [lambda k=k: Arrangement(X).trichotomies(n_jobs=k) for k in dict.fromkeys((1, jobs))]
    one, *several = alternate(*tasks, repeats=repeats)
    return row(f"faces, {name}", q, one.min, target, *(t.min for t in several))


def counted(name: str, rows: Callable[[], Any], p: int, target: float | None, jobs: int,
            repeats: int) -> dict[str, Any]:
    X = rows()
    tasks = [lambda k=k: refuse(name, Arrangement(X).count_dichotomies(n_jobs=k) != p)
             for k in dict.fromkeys((1, jobs))]
    one, *several = alternate(*tasks, repeats=repeats, max_seconds=5)
    return row(f"count, {name}", p, one.min, target, *(t.min for t in several))


def closed_form(repeats: int) -> dict[str, Any]:
    family = families.cyclic(10000, 10)
    fresh = iter([family.arrangement() for _ in range(repeats + 1)])
    refuse(family.name, next(fresh).count_dichotomies() != family.chambers)
    one, = alternate(lambda: next(fresh).count_dichotomies(), repeats=repeats)
    return row("count, general position (10000, 10), known to be", family.chambers, one.min,
               CLOSED_S)


def facets(jobs: int, repeats: int) -> dict[str, Any]:
    X = instances.generic(50, 5)
    chambers = Arrangement(X).dichotomies()
    found = chambers.facets()
    codimension_one = Arrangement(X).f_vector()[-2]
    refuse("facets", found.nnz != 2 * codimension_one or found.shape != chambers.to_numpy().shape)
    one, = alternate(chambers.facets, repeats=repeats)
    return row("facets, general position (50, 5)", found.nnz, one.min, FACETS_S)


def residual(n: int, d: int) -> tuple[np.ndarray, np.ndarray]:
    """Data, and what a network of 40 neurons, trained with a small weight decay, leaves of y."""
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(n, d)), rng.normal(size=n)
    beta = 0.02 * Arrangement(X).support(y, both=True).value

    def objective(p: np.ndarray) -> tuple[float, np.ndarray]:
        U, alpha = p[:-40].reshape(d, 40), p[-40:]
        before = X @ U
        hidden = np.maximum(before, 0)
        r = hidden @ alpha - y
        slope = X.T @ ((before > 0) * r[:, None] * alpha) + beta * U
        value = r @ r / 2 + beta / 2 * (p @ p)
        return value, np.concatenate([slope.ravel(), hidden.T @ r + beta * alpha])

    p = minimize(objective, 0.3 * rng.normal(size=40 * (d + 1)), jac=True, method="L-BFGS-B",
                 options={"maxiter": 3000, "maxfun": 30000}).x
    return X, y - np.maximum(X @ p[:-40].reshape(d, 40), 0) @ p[-40:]


def support(n: int, d: int, per_chamber: float | None, on_two: float | None, jobs: int,
            repeats: int) -> dict[str, Any]:
    X, v = residual(n, d)
    name = f"support, v and -v, general position ({n}, {d})"
    A = Arrangement(X)
    p = A.cover_bound()
    h = A.support(v, both=True)
    c = X.T @ (h.pattern * v)
    projected = np.linalg.norm(A.cone(h.pattern).project(h.sign * c).point)
    refuse(name, not h.value <= h.bound <= h.value * (1 + 1e-9))
    refuse(name, not abs(projected - h.value) <= 1e-9 * h.value)
    if p < 10_000:
        refuse(name, abs(h.value - largest(X, A.dichotomies().to_numpy(), v)) > 1e-9 * h.value)
    climbed = A.local_maxima(v, 2000, rng=1).value
    refuse(name, climbed > h.bound)
    tasks = [lambda k=k: Arrangement(X).support(v, both=True, n_jobs=k)
             for k in dict.fromkeys((1, jobs))]
    one, *several = alternate(*tasks, repeats=repeats)
    target = on_two if per_chamber is None else per_chamber * p / 1e9
    return row(name, p, one.min, target, *(t.min for t in several))


def largest(X: np.ndarray, patterns: np.ndarray, v: np.ndarray) -> float:
    """max(h(v), h(-v)) by projecting onto every chamber."""
    best = 0.0
    for pattern in patterns:
        normals = np.where(pattern, 1, -1)[:, None] * X
        c = X.T @ (pattern * v)
        best = max(best, nnls(normals.T, -c)[1], nnls(normals.T, c)[1])
    return best


def benchmark(args: argparse.Namespace) -> dict[str, Any]:
    repeats = 3 if args.quick else 7
    results = [faces(*case, args.jobs, repeats) for case in FACES]
    results += [counted(*case, args.jobs, 2) for case in COUNTS[: 1 if args.quick else None]]
    results += [closed_form(repeats), facets(args.jobs, repeats)]
    results += [support(*case, args.jobs, repeats) for case in SUPPORT]
    header = ["what", "items", "min", "ns/item", f"x{args.jobs} jobs", "must reach"]
    cells = []
    for x in results:
        target = x["target_s"]
        verdict = "" if target is None else (
            f"{seconds(target)} {'ok' if x['min_s'] <= target else 'MISSED'}")
        each = x["min_s"] / x["items"] * 1e9
        cells.append([x["name"], f"{x['items']:,}" if x["items"] < 1e12 else f"{x['items']:.3g}",
                      seconds(x["min_s"]), f"{each:.1f}" if each > 0.01 else "",
                      ", ".join(f"{s:.2f}" for s in x["speedup"]) if args.jobs > 1 else "",
                      verdict])
    print(table(header, cells))
    here = run_child(__file__, "--child")
    print(f"support (190, 5) in a process of its own: {here['seconds']:.2f} s, peak "
          f"{here['peak_bytes'] / 1e6:.0f} MB, must stay below {SUPPORT_BYTES / 1e6:.0f} MB: "
          f"{'ok' if here['peak_bytes'] <= SUPPORT_BYTES else 'MISSED'}")
    return {"results": results}


def child() -> dict[str, Any]:
    X, v = residual(190, 5)
    start = time.perf_counter()
    Arrangement(X).support(v, both=True)
    return {"seconds": time.perf_counter() - start, "peak_bytes": peak_memory()}


if __name__ == "__main__":
    sys.exit(main(__doc__, benchmark, child))
