"""Awkward data beside Gaussian data of the same shape, in the same run.

Each set of tests/judges/awkward.py is enumerated in turn with Gaussian rows; the ratio is that of
the nanoseconds per chamber. Answers are checked first, as everywhere: distinct rows, central
symmetry, three exact witnesses, and the number of chambers: by deletion and restriction where there
are few, by a walk through the rows in reverse order where there are many.
"""

import argparse
from functools import partial
from typing import Any

import numpy as np
from _harness import alternate, check, cover_bound, exact_rows, main, table
from awkward import corpus

from arrangements import Arrangement, dichotomies
from arrangements.counting import deletion_restriction

SHAPES = ((100, 3), (100, 4), (50, 5), (24, 6), (16, 8))
QUICK = ((30, 3), (20, 4))
AIM = 4.0  # times Gaussian data
FEW = 20_000  # chambers that deletion and restriction counts in a moment


def count(A: Arrangement, X: np.ndarray) -> int:
    """The number of chambers by another route than their list."""
    if A.cover_bound() <= FEW:
        return sum(map(abs, deletion_restriction(A.data.reduction.rows)))
    return Arrangement(X[::-1]).count_dichotomies()


def benchmark(args: argparse.Namespace) -> dict[str, Any]:
    """Every set of every shape."""
    figures: dict[str, Any] = {}
    for n, d in QUICK if args.quick else SHAPES:
        data = corpus(n, d)
        gaussian = data.pop("gaussian")
        lines = []
        for name, X in data.items():
            A = Arrangement(X)
            D = A.dichotomies()
            p, exact = count(A, X), A.predicate_stats["exact"]
            check(name, exact_rows(X), D, p)
            mine, other = alternate(partial(dichotomies, X), partial(dichotomies, gaussian),
                                    repeats=2 if args.quick else 3)
            usual = 1e9 * other.min / cover_bound(n, d)
            ratio = 1e9 * mine.min / p / usual
            figures[f"{name} ({n}, {d})"] = {
                "p": p, "exact": exact, "ratio": ratio, **mine.as_dict()}
            lines.append([name, f"{p:,}", f"{1e9 * mine.min / p:,.0f}", f"{exact:,}",
                          f"{ratio:.2f}", "ok" if ratio <= AIM else "MISSED"])
        print(f"\n({n}, {d}): {usual:,.0f} ns a chamber of Gaussian data")
        print(table(["data", "chambers", "ns/chamber", "exact", "ratio", f"<= {AIM:g}"], lines))
    return {"awkward": figures}


if __name__ == "__main__":
    raise SystemExit(main(__doc__, benchmark))
