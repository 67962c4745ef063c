"""Named instances as rows of Python integers, or of floats where the docstring says so."""

from itertools import combinations, product
from math import sqrt, ulp
from random import Random


def unit(k, *entries):
    row = [0] * k
    for j, x in entries:
        row[j] += x
    return tuple(row)


def braid(k):
    """A_k: e_i - e_j in R^(k+1), of rank k; (k+1)! chambers."""
    return [unit(k + 1, (i, 1), (j, -1)) for i, j in combinations(range(k + 1), 2)]


def essential_braid(k):
    """A_k in k coordinates: e_i and e_i - e_j."""
    return [row[:k] for row in braid(k)]


def type_d(k):
    """D_k: e_i - e_j and e_i + e_j; 2^(k-1) k! chambers."""
    return [unit(k, (i, 1), (j, s)) for i, j in combinations(range(k), 2) for s in (-1, 1)]


def type_b(k):
    """B_k: D_k and the e_i; 2^k k! chambers."""
    return [unit(k, (i, 1)) for i in range(k)] + type_d(k)


def threshold(k):
    """(1; x) for x in {-1, 1}^k: a chamber is a threshold function of k variables, OEIS A000609."""
    return [(1, *x) for x in product((-1, 1), repeat=k)]


def resonance(k):
    """The nonzero 0/1 vectors of length k, OEIS A034997."""
    return [x for x in product((0, 1), repeat=k) if any(x)]


def generic(n, r, *, seed=1, size=1 << 20):
    """Random integers, so large that a dependent r-subset is a matter of luck."""
    random = Random(seed)
    return [tuple(random.randint(-size, size) for _ in range(r)) for _ in range(n)]


def moment_curve(n, r):
    """(1, t, ..., t^(r-1)): in general position by Vandermonde's determinant."""
    return [tuple(t**k for k in range(r)) for t in range(-(n // 2), n - n // 2)]


def small_integers(n, d, *, low=0, high=9, seed=1):
    """Integer-valued data such as answers on a scale: many accidental ties."""
    random = Random(seed)
    return [tuple(random.randint(low, high) for _ in range(d)) for _ in range(n)]


def h3():
    """The 15 mirrors of the icosahedron in floats: 120 chambers, but only up to rounding."""
    phi = (1 + sqrt(5)) / 2
    rows = [(1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)]
    for s, t in product((1, -1), repeat=2):
        a, b, c = phi, s * 1.0, t / phi
        rows += [(a, b, c), (c, a, b), (b, c, a)]
    return rows


def nudged(rows, size, *, seed=0, spread=1):
    """size * row + small integers: a hair away from the arrangement of the rows."""
    random = Random(seed)
    return [tuple(size * x + random.randint(-spread, spread) for x in row) for row in rows]


def nudged_floats(rows, bits, *, seed=0, spread=1):
    """nudged(rows, 2^bits) divided by 2^bits: floats, exact for bits <= 50 and small rows."""
    moved = nudged(rows, 2**bits, seed=seed, spread=spread)
    return [tuple(x / 2**bits for x in row) for row in moved]


def fibonacci(n, *, start, r=3):
    """Rows (F_k, F_(k+1), small ...): neighbouring determinants are 1 between numbers of any size.

    The first two coordinates satisfy v_(k+2) = v_(k+1) + v_k exactly, the others do not.
    """
    f = [0, 1]
    while len(f) < start + n + 1:
        f.append(f[-1] + f[-2])
    return [(f[start + i], f[start + i + 1], *(i**k for k in range(2, r))) for i in range(n)]


def one_ulp():
    """Named float rows that are equal, parallel or dependent, or miss it by one ulp."""
    up = 1 + ulp(1.0)
    third = 1 / 3
    return {
        "equal but one ulp": [(1.0, 1.0), (1.0, up), (up, 1.0), (up, up), (1.0, 1.0)],
        "parallel but one ulp": [(0.1, 0.3), (0.2, 0.6), (3 * 0.1, 3 * 0.3), (-0.1, -0.3)],
        "three tenths": [
            (0.1, 0.2, 0.3),
            (0.1 + 0.2, 0.3, 0.0),
            (0.3, 0.3, 0.0),
            (0.1, 0.0, 0.1),
            (0.3, 0.0, 0.3),
        ],
        "dependent but one ulp": [
            (1.0, 0.0, 0.0),
            (0.0, 1.0, 0.0),
            (1.0, 1.0, ulp(1.0)),
            (1.0, -1.0, 0.0),
        ],
        "thirds": [
            (third, 2 * third, 1.0),
            (1.0, 2.0, 3.0),
            (third, third, third),
            (2 * third, 1.0, 4 * third),
            (1.0, 1.0, 1.0),
        ],
        "smallest float": [(5e-324, 1.0), (0.0, 1.0), (-5e-324, 1.0), (1.0, 5e-324), (1.0, 0.0)],
        "around two": [(2.0 - ulp(1.0), 1.0), (2.0, 1.0), (2.0 + ulp(2.0), 1.0), (4.0, 2.0)],
    }


def tied_decimals():
    """Measurements with one decimal: dependent as decimals, not as the floats nearest to them."""
    tenths = [(1, 2), (2, 4), (3, 6), (7, 1), (5, 3), (4, 5), (6, 2), (3, 6)]
    return [(a / 10, b / 10) for a, b in tenths]


def near_degenerate():
    """Named integer instances on which floats decide wrongly; small enough for brute force."""
    out = {}
    for name, rows in {
        "braid 3": essential_braid(3),
        "braid 4": essential_braid(4),
        "flat braid 3": braid(3),
        "threshold 3": threshold(3),
        "resonance 3": resonance(3),
        "type B 3": type_b(3),
    }.items():
        for bits in (40, 47, 53, 54, 60, 61, 75, 130):
            out[f"{name}, 2^{bits}"] = nudged(rows, 2**bits, seed=bits)
        out[f"{name}, 2^60 by 5"] = nudged(rows, 2**60, seed=5, spread=5)
        # Only every third row moves, so exact ties stay beside near ones.
        moved = nudged(rows, 2**57, seed=3)
        out[f"{name}, 2^57, a third"] = [
            moved[i] if i % 3 == 0 else tuple(2**57 * x for x in row) for i, row in enumerate(rows)
        ]
    out["threshold 4, 2^58"] = nudged(threshold(4), 2**58, seed=4)
    out["braid 5, 2^55"] = nudged(essential_braid(5), 2**55, seed=4)
    for start in (30, 45, 60, 90):
        out[f"Fibonacci {start}"] = fibonacci(8, start=start)
        out[f"Fibonacci {start}, rank 4"] = fibonacci(8, start=start, r=4)
    return out
