"""Enumeration time over growing n for ranks 2 to 7 and on real data, against Cover's bound.

Prints a table, fits log-log slopes, writes JSON and a plot. The time must grow as p, that is with
slope r - 1 in n, as long as a chamber's row of n/8 bytes costs the same; where rows get long (low
ranks, large n) the bytes written, p n/8, grow with slope r, and are listed for that reason.
"""

from __future__ import annotations

import argparse
import sys
from functools import partial
from math import comb
from typing import Any

import numpy as np
from _harness import (
    alternate,
    check,
    exact_rows,
    instances,
    main,
    memory_write,
    seconds,
    table,
)

RANKS = (2, 3, 4, 5, 6, 7)
FIT_FROM_S = 1e-2  # shorter calls measure their fixed cost, half a millisecond or so

# Columns of the bundled sets, growing in rank; the bias adds one.
REAL = [
    ("iris", "0-1"),
    ("iris", "0-2"),
    ("iris", "0-3"),
    ("wine", "0-1"),
    ("wine", "0-2"),
    ("diabetes", "0,2"),
    ("diabetes", "0,2,3"),
    ("breast_cancer", "0-1"),
    ("breast_cancer", "0-2"),
]


def general_count(n: int, r: int) -> int:
    """Cover's bound, the number of chambers in general position."""
    return 2 * sum(comb(n - 1, k) for k in range(r))


def sizes(r: int, max_p: int, max_bytes: int) -> list[int]:
    """n growing by half an octave, from r + 2 to what the limits allow."""

    def fits(n: int) -> bool:
        p = general_count(n, r)
        return p <= max_p and p * -(-n // 8) <= max_bytes

    out: list[int] = []
    x = float(r + 2)
    while fits(round(x)):
        if not out or round(x) > out[-1]:
            out.append(round(x))
        x *= 2**0.5
    # The largest size that fits ends the curve.
    low, high = out[-1], round(x)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if fits(middle) else (low, middle)
    if low > 1.1 * out[-1]:
        out.append(low)
    return out


def measure(name: str, X: Any, p: int | None, options: dict[str, Any], args: Any) -> dict[str, Any]:
    """Check and time one data set; p = None takes it from the count, another algorithm."""
    from arrangements import Arrangement, dichotomies

    A = Arrangement(X, bias=options["bias"], numbers=options["numbers"])
    p = A.count_dichotomies() if p is None else p
    bound, rank = A.cover_bound(), A.rank
    if bound != general_count(A.n, rank):
        raise ValueError(f"{name}: Cover's bound is {general_count(A.n, rank)}, not {bound}")
    found = A.dichotomies()
    exact = exact_rows(X, bias=options["bias"], decimal=options["numbers"] == "decimal")
    check(name, exact, found, p)
    n_bytes = found.packed.nbytes
    del found, A
    one, write = alternate(
        partial(dichotomies, X, **options, n_jobs=args.jobs),
        memory_write(n_bytes),
        repeats=3 if args.quick else 5,
        max_seconds=10,
    )
    return {
        "name": name,
        "n": len(exact),
        "r": rank,
        "p": p,
        "cover_bound": bound,
        "ratio_to_bound": p / bound,
        "bytes": n_bytes,
        **one.as_dict(),
        "ns_per_chamber": one.min / p * 1e9,
        "ratio_to_write": one.min / write.min,
    }


def slope(x: list[float], y: list[float]) -> float | None:
    """Least-squares slope of log y over log x, None for fewer than three points."""
    if len(x) < 3:
        return None
    return float(np.polyfit(np.log(x), np.log(y), 1)[0])


def fit(r: int, results: list[dict[str, Any]]) -> dict[str, Any]:
    """Slopes over the points that took long enough to measure the loop."""
    used = [x for x in results if x["r"] == r and x["min_s"] >= FIT_FROM_S]
    n, p, t, size = ([x[key] for x in used] for key in ("n", "p", "min_s", "bytes"))
    return {
        "r": r,
        "expected": r - 1,
        "time_over_n": slope(n, t),
        "p_over_n": slope(n, p),
        "bytes_over_n": slope(n, size),
        "time_over_p": slope(p, t),
        "points": len(used),
    }


def real_data(args: Any) -> list[dict[str, Any]]:
    from arrangements import Arrangement
    from arrangements.data import load_table
    from arrangements.errors import InputError

    out = []
    for name, columns in REAL:
        try:
            X, _, numbers = load_table(name, columns=columns)
        except InputError as error:
            print(f"real data left out: {error}", file=sys.stderr)
            break
        options = {"bias": True, "numbers": numbers}
        title = f"{name}[{columns}] + bias"
        # Counting is cheap beside storing: what is too large is only counted.
        A = Arrangement(X, **options)
        p = A.count_dichotomies() if A.cover_bound() <= 50 * args.max_p else A.cover_bound()
        if p > args.max_p or p * -(-A.n // 8) > args.max_bytes:
            print(f"{title}: p or its bound is {p:,}, over the limit", file=sys.stderr)
            continue
        out.append(measure(title, X, p, options, args))
        print(f"  {title}: {seconds(out[-1]['min_s'])}", file=sys.stderr, flush=True)
    return out


def cells(x: dict[str, Any]) -> list[str]:
    return [
        x["name"],
        str(x["n"]),
        str(x["r"]),
        f"{x['p']:,}",
        f"{x['ratio_to_bound']:.4f}",
        seconds(x["min_s"]),
        seconds(x["median_s"]),
        f"{x['ns_per_chamber']:.1f}",
        f"{x['ratio_to_write']:.1f}",
    ]


def plot(path: str, general: list[dict[str, Any]], real: list[dict[str, Any]], fits: list) -> None:
    try:
        import matplotlib
    except ImportError:
        print("no plot: it needs matplotlib, pip install 'arrangements[plot]'", file=sys.stderr)
        return
    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, (left, right) = pyplot.subplots(1, 2, figsize=(11, 4.8), constrained_layout=True)
    for k, line in enumerate(fits):
        r, color = line["r"], f"C{k}"
        points = [x for x in general if x["r"] == r]
        n, t = [x["n"] for x in points], [x["min_s"] for x in points]
        found = line["time_over_n"]
        label = f"r = {r}" + (f", slope {found:.2f} (p: {line['p_over_n']:.2f})" if found else "")
        left.loglog(n, t, "o-", color=color, markersize=3, linewidth=1, label=label)
        right.loglog([x["p"] for x in points], t, "o-", color=color, markersize=3, linewidth=1)
    if real:
        left.loglog([x["n"] for x in real], [x["min_s"] for x in real], "k^", label="real data")
        right.loglog([x["p"] for x in real], [x["min_s"] for x in real], "k^")
    p = np.array([1e3, max(x["p"] for x in general)])
    for ns in (15, 45):
        right.loglog(p, p * ns * 1e-9, "k:" if ns == 15 else "k--", label=f"{ns} ns per chamber")
    left.set(xlabel="samples n", ylabel="seconds", title="time over n: slope r - 1 expected")
    right.set(xlabel="chambers p", ylabel="seconds", title="time over p: slope 1 expected")
    for axes in (left, right):
        axes.grid(True, which="major", alpha=0.3)
        axes.legend(fontsize=8)
    figure.savefig(path, dpi=150)
    pyplot.close(figure)
    print(f"plot: {path}")


def benchmark(args: argparse.Namespace) -> dict[str, Any]:
    args.max_p = int(args.max_p or (2e5 if args.quick else 2e7))
    args.max_bytes = int(args.max_bytes or (5e7 if args.quick else 1e9))
    args.json = args.json or "cover.json"
    general = []
    for r in RANKS:
        for n in sizes(r, args.max_p, args.max_bytes):
            name = f"general position ({n}, {r})"
            plain = {"bias": False, "numbers": "binary"}
            X = instances.generic(n, r)
            general.append(measure(name, X, general_count(n, r), plain, args))
        print(f"  rank {r} done: n up to {general[-1]['n']}", file=sys.stderr, flush=True)
    real = real_data(args)
    header = ["data", "n", "r", "p", "p/bound", "min", "median", "ns/chamber", "ratio to write"]
    print(table(header, [cells(x) for x in general + real]))
    fits = [fit(r, general) for r in RANKS]
    print(f"\nlog-log slopes over the points of at least {FIT_FROM_S * 1e3:g} ms")
    keys = ["expected", "time_over_n", "p_over_n", "bytes_over_n", "time_over_p", "points"]
    lines = [
        [f"r = {line['r']}", *("-" if line[k] is None else f"{line[k]:.3g}" for k in keys)]
        for line in fits
    ]
    print(table(["", "r - 1", "time/n", "p/n", "bytes/n", "time/p", "points"], lines))
    print(f"figures: {args.json}")
    if args.plot:
        plot(args.plot, general, real, fits)
    return {"general_position": general, "real": real, "slopes": fits}


if __name__ == "__main__":
    sys.exit(main(__doc__, benchmark, options={
        "--max-p": {"type": float, "help": "most chambers (2e7)"},
        "--max-bytes": {"type": float, "help": "largest output (1e9)"},
        "--plot": {"metavar": "PNG", "default": "cover.png", "help": "'' for none"}}))
