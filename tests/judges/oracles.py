"""Slow exact answers that share no code with the package, and judges that refuse wrong ones.

Everything is done in Python integers and Fractions. A pattern is a tuple of bools, a set of
patterns a frozenset.
"""

from fractions import Fraction
from functools import cache
from itertools import combinations
from math import gcd, isfinite, lcm

import numpy as np


def fraction(value, *, decimal=False):
    """The exact number `value` is; a float read by its shortest decimal where `decimal` is true."""
    if isinstance(value, np.generic):
        value = value.item()
    return Fraction(repr(value) if decimal and isinstance(value, float) else value)


def exact_rows(X, *, bias=False, decimal=False):
    """Integer rows, each a positive multiple of a row of X, 1 appended where `bias` is true."""
    out = []
    for row in X:
        exact = [fraction(x, decimal=decimal) for x in row] + [Fraction(1)] * bias
        scale = lcm(*(x.denominator for x in exact))
        out.append(_primitive(int(x * scale) for x in exact))
    return tuple(out)


def _dot(a, u):
    return sum(x * y for x, y in zip(a, u, strict=True))


def _primitive(row):
    row = tuple(row)
    g = gcd(*row)
    return tuple(x // g for x in row) if g > 1 else row


def _section(h):
    """Coordinates on {u : h.u = 0}: `down` restricts a row to it, `up` lifts a point of it."""
    c = next(j for j, x in enumerate(h) if x)
    size, sign = abs(h[c]), 1 if h[c] > 0 else -1
    others = [j for j in range(len(h)) if j != c]

    def down(a):
        return _primitive(size * a[j] - sign * a[c] * h[j] for j in others)

    def up(t):
        u = [size * x for x in t]
        u.insert(c, -sign * sum(h[j] * x for j, x in zip(others, t, strict=True)))
        return tuple(u)

    return down, up


def _chambers(rows, d):
    """{signs: a point inside} of the chambers; none where a row is zero."""
    if not rows:
        return {(): (0,) * d}
    if not all(map(any, rows)):
        return {}
    *rest, h = rows
    down, up = _section(h)
    # h cuts a chamber of the rest exactly when some point of {h = 0} has the chamber's signs.
    cut = _chambers([down(a) for a in rest], d - 1)
    far = 1 + max((abs(_dot(a, h)) for a in rest), default=0)
    out = {}
    for signs, u in _chambers(rest, d).items():
        if signs in cut:
            # Integers: |a.v| >= 1, so far * v keeps its sides when h is added or subtracted.
            v = up(cut[signs])
            for s in (1, -1):
                out[(*signs, s)] = _primitive(far * x + s * y for x, y in zip(v, h, strict=True))
        else:
            out[(*signs, 1 if _dot(h, u) > 0 else -1)] = u
    return out


def chambers_brute(rows):
    """The patterns 1[Xu >= 0] of all chambers of integer rows; a zero row's bit is constantly 1."""
    nonzero = [tuple(map(int, row)) for row in rows if any(row)]
    out = set()
    for signs in _chambers(nonzero, len(rows[0])):
        left = iter(signs)
        out.add(tuple(next(left) > 0 if any(row) else True for row in rows))
    return frozenset(out)


def closed_brute(rows):
    """The literal set {1[Xu >= 0] : all u}, boundaries and the origin included."""

    @cache
    def closed(rows):
        # A point is generic (its pattern a chamber's, zero rows reading 1) or on some {h = 0}.
        out = set(chambers_brute(rows))
        for h in {row for row in rows if any(row)}:
            down, _ = _section(h)
            out |= closed(tuple(down(a) for a in rows))
        return frozenset(out)

    return closed(tuple(tuple(map(int, row)) for row in rows))


def count_deletion_restriction(rows):
    """Number of chambers: each hyperplane adds as many as the earlier ones cut it into."""

    def line(row):
        row = _primitive(row)
        return row if next(filter(None, row)) > 0 else tuple(-x for x in row)

    memo = {}

    def count(lines):
        if not lines:
            return 1
        if len(next(iter(lines))) == 2:
            return 2 * len(lines)
        if lines not in memo:
            total, seen = 1, []
            for h in sorted(lines):
                down, _ = _section(h)
                total += count(frozenset(line(down(a)) for a in seen))
                seen.append(h)
            memo[lines] = total
        return memo[lines]

    return count(frozenset(line(tuple(map(int, row))) for row in rows if any(row)))


def rank(rows):
    """Exact rank of integer rows."""
    h = next((row for row in rows if any(row)), None)
    if h is None:
        return 0
    down, _ = _section(h)
    return 1 + rank([down(a) for a in rows])


def in_general_position(rows):
    """Whether every r of the rows are independent, r their rank."""
    r = rank(rows)
    return all(rank(some) == r for some in combinations(rows, r))


def cover_bound(n, r):
    """Cover's bound by his recursion: a new point splits as many dichotomies as rank r - 1 has."""
    counts = [1] + [2] * r  # of ranks 0 to r, for one point
    for _ in range(n - 1):
        counts[2:] = [a + b for a, b in zip(counts[2:], counts[1:], strict=False)]
    return counts[r]


def check_witness(rows, u, pattern):
    """Whether 1[x.u >= 0] is the pattern and no nonzero row vanishes on u, in Fractions."""
    if len(pattern) != len(rows) or any(isinstance(x, float) and not isfinite(x) for x in u):
        return False
    u = [fraction(x) for x in u]
    for row, bit in zip(rows, pattern, strict=True):
        if len(row) != len(u):
            return False
        value = sum(fraction(x) * y for x, y in zip(row, u, strict=True))
        if bool(bit) != (value >= 0) or (value == 0 and any(row)):
            return False
    return True


def faults(expected, patterns):
    """What is wrong with a list of patterns against the right set: sentences, none if right."""
    patterns = [tuple(map(bool, p)) for p in patterns]
    found = set(patterns)
    out = []
    if len(found) < len(patterns):
        out.append(f"{len(patterns) - len(found)} of {len(patterns)} patterns are repeated")
    if missing := expected - found:
        out.append(f"{len(missing)} patterns are missing, one is {min(missing)}")
    if extra := found - expected:
        out.append(f"{len(extra)} patterns belong to no chamber, one is {min(extra)}")
    return out


def packed_faults(packed, n, p, zero_rows=()):
    """What can be said against p packed patterns that are too many for brute force.

    Number and width; distinctness; padding bits zero; by central symmetry every bit is 1 in half of
    the patterns (in all, for a zero row).
    """
    if packed.shape != (p, -(-n // 8)) or packed.dtype != np.uint8:
        return [f"shape {packed.shape} {packed.dtype}, not {(p, -(-n // 8))} uint8"]
    out = [] if distinct_rows(packed) else ["some patterns are repeated"]
    ones = np.zeros(8 * packed.shape[1], dtype=np.int64)
    for start in range(0, p, 1 << 16):
        bits = np.unpackbits(packed[start : start + (1 << 16)], axis=1, bitorder="little")
        ones += bits.sum(axis=0, dtype=np.int64)
    right = np.zeros_like(ones)
    right[:n] = p // 2
    right[list(zero_rows)] = p
    if wrong := np.flatnonzero(ones != right).tolist():
        out.append(f"bits {wrong} are not 1 in the right number of patterns")
    return out


def distinct_rows(packed):
    """Whether all rows of a uint8 array differ."""
    p, width = packed.shape
    n_words = -(-width // 8)
    keys = np.zeros(p, dtype=np.uint64)
    rng = np.random.default_rng(7)
    for w in range(n_words):
        word = np.zeros((p, 8), dtype=np.uint8)
        part = packed[:, 8 * w : 8 * w + 8]
        word[:, : part.shape[1]] = part
        value = word.view(np.uint64)[:, 0]
        value ^= value >> np.uint64(29)
        value *= rng.integers(1, 1 << 63, dtype=np.uint64) | np.uint64(1)
        value ^= value >> np.uint64(32)
        keys += value * (rng.integers(1, 1 << 63, dtype=np.uint64) | np.uint64(1))
    keys.sort()
    # Different keys prove different rows; equal keys may be chance and are looked at row by row.
    if np.all(keys[1:] != keys[:-1]):
        return True
    return len({row.tobytes() for row in packed}) == p


def _line(row):
    row = _primitive(row)
    return row if next(filter(None, row)) > 0 else tuple(-x for x in row)


def faces_brute(rows):
    """{sign(Xu): dimension of the face, modulo the null space of X} for all u.

    A point lies in a chamber or on some {h = 0}, where its signs are those of a face of the rows
    restricted to it.
    """

    @cache
    def faces(rows):
        nonzero = [row for row in rows if any(row)]
        r, out = rank(nonzero), {}
        for signs in _chambers(nonzero, len(rows[0])):
            left = iter(signs)
            out[tuple(next(left) if any(row) else 0 for row in rows)] = r
        for h in sorted({_line(row) for row in nonzero}):
            down, _ = _section(h)
            out |= faces(tuple(down(a) for a in rows))
        return out

    return dict(faces(tuple(tuple(map(int, row)) for row in rows)))


def cocircuits(rows):
    """sign(Xu) for all u that span, modulo the null space of X, the zeros of r - 1 rows."""
    out = set()
    r = rank(rows)
    for some in combinations(range(len(rows)), max(r - 1, 0)):
        left = [tuple(row) for row in rows]
        for i in some:
            if not any(left[i]):
                break
            down, _ = _section(left[i])
            left = [down(a) for a in left]
        else:
            # All rows left are multiples of one.
            base = next((row for row in left if any(row)), None)
            if base is not None:
                j = next(j for j, x in enumerate(base) if x)
                signs = tuple((a[j] * base[j] > 0) - (a[j] * base[j] < 0) for a in left)
                out |= {signs, tuple(-s for s in signs)}
    return out


def compose_brute(a, b):
    """The signs of a point of a, moved a little towards one of b."""
    return tuple(x or y for x, y in zip(a, b, strict=True))


def covectors_brute(rows):
    """All sign(Xu), as the compositions of cocircuits (Bjoerner et al. 1999, section 3.7)."""
    generators = cocircuits(rows)
    out = fresh = {(0,) * len(rows)}
    while fresh:
        fresh = {compose_brute(a, b) for a in fresh for b in generators} - out
        out = out | fresh
    return frozenset(out)


def f_vector_brute(faces):
    """Numbers of faces of dimension 0, 1, ... in {signs: dimension}."""
    dims = list(faces.values())
    return tuple(dims.count(k) for k in range(max(dims) + 1))


def facets_brute(rows):
    """{pattern of a chamber: rows that bound it}, of each class of parallel rows the first.

    A class bounds a chamber exactly when the pattern with its bits flipped is a chamber's.
    """
    classes = {}
    for i, row in enumerate(rows):
        if any(row):
            classes.setdefault(_line(tuple(map(int, row))), []).append(i)
    chambers = chambers_brute(rows)

    def across(pattern, members):
        return tuple(b ^ (i in members) for i, b in enumerate(pattern))

    return {
        pattern: frozenset(m[0] for m in classes.values() if across(pattern, m) in chambers)
        for pattern in chambers
    }


def packed_faces(faces):
    """uint8 rows [positive | negative | dimension] of {signs: dimension}, in the order given."""
    signs = np.array(list(faces), dtype=np.int8)
    return np.hstack([
        np.packbits(signs > 0, axis=1, bitorder="little"),
        np.packbits(signs < 0, axis=1, bitorder="little"),
        np.array(list(faces.values()), dtype=np.uint8)[:, None],
    ])
