"""Exact proof that f(u) = v.(Xu)_+ is at most beta ||u||, by a cover of space by cones.

With one row z_k for each hyperplane f(u) = a.u + sum_k w_k (z_k.u)_+. Space is cut into simplicial
cones K with integer rays g_1..g_r. On K

    (z.u)_+ <= t z.u + sum_j lam_j ((z.g_j)_+ - t z.g_j),  u = sum_j lam_j g_j,  for every t,
    (z.u)_+ >= t z.u                                       for t in [0, 1],

the first because (z.u)_+ is convex, so that for rho = a + sum_k t_k w_k z_k + delta

    f(u) <= rho.u <= ||rho||  if  delta.g_j >= sum_{w_k > 0} w_k ((z_k.g_j)_+ - t_k z_k.g_j)

for all j. Floats propose t and delta; integers check these inequalities and ||rho|| <= beta. Where
||rho|| is larger, K is cut: p a + q b takes the place of ray a in one part and of ray b in the
other. Positive integers p and q may be rounded in any way: the two parts still cover K.
"""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import combinations, product
from operator import mul
from typing import NamedTuple

import numpy as np

__all__ = ["Cover", "Function", "integers", "times_power"]

_ORTHANTS = 12  # up to so many coordinates the cover begins with the orthants
_TINY = 1e-14  # values of rows and rays of length 1 that the guide takes for zero
_NEAR = 1 + 1e-12  # float bounds up to this are tried in integers
_STEEP = 1e-8  # slopes of the least squares that are left, relative: they change bounds by 1e-16
_BITS = 60  # of p and q
_FINE = 150  # bits of t and delta behind the point
_SECONDS = 5  # between lines of progress


def integers(values: np.ndarray) -> tuple[np.ndarray, int]:
    """Python integers and an exponent e with values = integers * 2^e."""
    mantissa, exponent = np.frexp(values)
    whole = (mantissa * 2.0**53).astype(np.int64).astype(object)
    lowest = int(exponent[values != 0].min(initial=2000))
    return whole * 2 ** np.maximum(exponent - lowest, 0).astype(object), lowest - 53


def times_power(x: int, e: int) -> Fraction:
    """x 2^e, exactly."""
    return Fraction(x << e) if e >= 0 else Fraction(x, 1 << -e)


class _Ray:
    """A ray: integers g, its length rounded, floats g / length and their products with rows."""

    def __init__(self, f: Function, g: list[int]) -> None:
        common = math.gcd(*g)
        self.g = [x // common for x in g]
        self.length = math.isqrt(sum(x * x for x in self.g))
        self.unit = np.array([x / self.length for x in self.g])
        self.products = f.units @ self.unit
        self._convex = f.convex
        self._exact: list[int] | None = None

    @property
    def exact(self) -> list[int]:
        """w z.g of rows with w > 0."""
        if self._exact is None:
            self._exact = self._convex.dot(np.array(self.g, dtype=object)).tolist()
        return self._exact


class _Relaxation(NamedTuple):
    """A bound rho.u of f over a cone, guessed in floats; rows of `dual` times rays are 1 or 0."""

    t: np.ndarray
    delta: np.ndarray
    rho: np.ndarray
    dual: np.ndarray
    products: np.ndarray  # of rows and rays


class Function:
    """f(u) = a.u + sum_k w_k (z_k.u)_+ = v.(Xu)_+ in integers, times a power of two, and in floats.

    Rows with w > 0 first; coordinates on which f does not depend are left out.
    """

    def __init__(self, X: np.ndarray, v: np.ndarray, beta: float) -> None:
        (rows, e), (prices, g) = integers(X), integers(v)
        linear, weights = [0] * X.shape[1], dict[tuple[int, ...], int]()
        for x, price in zip(rows.tolist(), prices.tolist(), strict=True):
            common = math.gcd(*x)
            if not common or not price:
                continue
            if next(filter(None, x)) < 0:  # (-z.u)_+ = (z.u)_+ - z.u
                linear = [a + price * b for a, b in zip(linear, x, strict=True)]
                common = -common
            z = tuple(b // common for b in x)
            weights[z] = weights.get(z, 0) + price * abs(common)
        items = sorted((kind for kind in weights.items() if kind[1]), key=lambda kind: kind[1] < 0)
        self.d = X.shape[1]
        self.used = [j for j in range(self.d) if linear[j] or any(z[j] for z, _ in items)]
        self.a = np.array([linear[j] for j in self.used], dtype=object)
        self.z = np.array([[z[j] for j in self.used] for z, _ in items],
                          dtype=object).reshape(len(items), len(self.used))
        self.w = np.array([w for _, w in items], dtype=object)
        self.wz = self.w[:, None] * self.z
        self.n_convex = sum(w > 0 for _, w in items)
        self.convex = self.wz[: self.n_convex]
        self.beta = Fraction(beta) / times_power(1, e + g)
        self._floats()

    def _floats(self) -> None:
        """Units in which no float is larger than one: f is at most the number of rows and one."""
        lengths = [math.isqrt(sum(x * x for x in z)) + 1 for z in self.z.tolist()]
        sizes = [abs(w) * x for w, x in zip(self.w.tolist(), lengths, strict=True)]
        self.unit = max([1, *sizes, *(abs(x) for x in self.a.tolist())])
        self.units = np.array([[x / s for x in z] for z, s in zip(self.z.tolist(), lengths,
                                                                 strict=True)]
                              ).reshape(self.z.shape)
        self.weights = np.array([s / self.unit for s in sizes]) * np.where(self.w > 0, 1, -1)
        self.linear = np.array([x / self.unit for x in self.a.tolist()])
        top = (len(self.w) + 1) * len(self.used) + 1
        self.threshold = float(min(self.beta / self.unit, Fraction(top)))
        self.limit = math.floor((self.beta * 2**_FINE) ** 2)

    def exceeds(self, u: np.ndarray) -> bool:
        """Whether f(u) > beta ||u||."""
        if self.linear @ u + self.weights @ np.maximum(self.units @ u, 0) < (
                self.threshold * (1 - 1e-12) * float(np.linalg.norm(u))):
            return False  # in floats; the rest is a proof
        point = integers(u)[0]
        products = self.z.dot(point)
        value = int(self.a.dot(point)) + int(self.w.dot(np.where(products > 0, products, 0)))
        return value > 0 and value**2 > self.beta**2 * int(point.dot(point))

    def relaxation(self, rays: Sequence[_Ray], t: np.ndarray) -> _Relaxation:
        """Least squares in floats, from the t of a larger cone."""
        m, Y = self.n_convex, np.array([ray.products for ray in rays]).T
        dual = np.linalg.inv(np.array([ray.unit for ray in rays])).T
        low, high = Y.min(axis=1), Y.max(axis=1)
        free = np.flatnonzero((low[m:] <= _TINY) & (high[m:] >= -_TINY)) + m
        side = (high > -low).astype(float)
        side[free] = t[free] > 0.5
        excess = np.maximum(Y[:m], 0) - side[:m, None] * Y[:m]
        delta = (self.weights[:m] @ excess) @ dual
        rho = self.linear + (side * self.weights) @ self.units + delta
        k, sizes = len(free), np.sqrt((dual * dual).sum(axis=1))
        columns = np.concatenate([-self.units[free], dual / sizes[:, None]])
        upper = np.full(len(columns), np.inf)
        upper[:k] = -self.weights[free]
        x = np.zeros(len(columns))
        x[:k] = side[free] * upper[:k]
        rho, x = _shortest(rho, columns, x, upper, self.threshold * (1 - 1e-14))
        side[free] = np.clip(x[:k] / np.maximum(upper[:k], 1e-300), 0, 1)
        return _Relaxation(side, delta + x[k:] @ columns[k:], rho, dual, Y)

    def holds(self, rays: Sequence[_Ray], guess: _Relaxation) -> bool:
        """Whether t and delta, or a delta slightly larger on the cone, prove f <= beta ||u||."""
        side = guess.t[: self.n_convex] > 0.5
        t = [min(max(int(x * 2**53), 0), 2**53) << _FINE - 53 for x in guess.t.tolist()]
        t[: self.n_convex] = [int(x) << _FINE for x in side]
        fixed = (self.a * 2**_FINE + np.array(t, dtype=object).dot(self.wz)).tolist()
        needs = [sum(-x if on else x for x, on in zip(ray.exact, side.tolist(), strict=True)
                     if (x < 0) == on) << _FINE for ray in rays]
        delta, step = [0] * len(fixed), guess.delta
        for _ in range(4):
            delta = [x + int(math.ldexp(s, _FINE)) * self.unit
                     for x, s in zip(delta, step.tolist(), strict=True)]
            missing = [need - sum(x * g for x, g in zip(delta, ray.g, strict=True))
                       for need, ray in zip(needs, rays, strict=True)]
            if max(missing) <= 0:
                length = sum((x + y) ** 2 for x, y in zip(fixed, delta, strict=True))
                return bool(length <= self.limit)
            rise = np.array([max(x, 0) / (self.unit * ray.length << _FINE)
                             for x, ray in zip(missing, rays, strict=True)])
            step = (rise + 1e-9 * rise.max() + 2.0**-100) @ guess.dual
        return False


def _shortest(rho: np.ndarray, columns: np.ndarray, start: np.ndarray, bounds: np.ndarray,
              enough: float) -> tuple[np.ndarray, np.ndarray]:
    """min ||rho|| over 0 <= x <= bounds, from x = start at its bounds; d rho / dx = columns, of
    length 1. The method of Lawson and Hanson; ends early once ||rho|| <= enough."""
    x, upper = start.tolist(), bounds.tolist()
    side = np.where(start > 0, 1.0, -1.0)  # of slopes that shorten rho
    passive: list[int] = []
    parts: list[list[float]] = []
    for _ in range(5 * len(rho) + 20):
        length, gain = math.sqrt(rho @ rho), side * (columns @ rho)
        enter = int(gain.argmax())
        if length <= enough or gain[enter] <= _STEEP * length:
            break
        passive.append(enter)
        parts.append(columns[enter].tolist())
        side[enter] = 0
        left = rho.tolist()
        while passive:
            change = _normal_equations(parts, left)
            share, out = 1.0, -1
            for i, (k, c) in enumerate(zip(passive, change, strict=True)):
                room = ((upper[k] if c > 0 else 0) - x[k]) / c if c else 1.0
                if room < share:
                    share, out = room, i
            for k, c, part in zip(passive, change, parts, strict=True):
                x[k] = min(max(x[k] + share * c, 0.0), upper[k])
                left = [a + share * c * b for a, b in zip(left, part, strict=True)]
            if out < 0:
                break
            k = passive.pop(out)
            x[k], side[k] = (upper[k], 1.0) if change[out] > 0 else (0.0, -1.0)
            del parts[out]
        rho = np.array(left)
    return rho, np.array(x)


def _normal_equations(parts: list[list[float]], rho: list[float]) -> list[float]:
    """c with rho + sum_i c_i parts_i shortest; 0 for what depends on earlier parts."""
    k = len(parts)
    table = [[sum(map(mul, a, b)) for b in parts] + [-sum(map(mul, a, rho))] for a in parts]
    for i, row in enumerate(table):
        for j in range(i + 1, k):
            factor = table[j][i] / row[i] if row[i] > _TINY else 0.0
            table[j] = [y - factor * x for x, y in zip(row, table[j], strict=True)]
    c = [0.0] * k
    for i in range(k - 1, -1, -1):
        row = table[i]
        if row[i] > _TINY:
            c[i] = (row[k] - sum(row[j] * c[j] for j in range(i + 1, k))) / row[i]
    return c


class Cover:
    """Branch and bound over cones, depth first.

    Attributes
    ----------
    n_cones : int
    beyond : ndarray or None
        A point with f(u) > beta ||u||.
    """

    def __init__(self, f: Function, max_cones: int, shown: int | None = None) -> None:
        self._f, self._max, self._shown = f, max_cones, shown
        self.n_cones = 0
        self.beyond: np.ndarray | None = None

    def run(self) -> bool:
        """Whether f <= beta ||u|| is proved; if not, `beyond` or `max_cones` ended the search."""
        f = self._f
        if sum(map(abs, f.a.tolist())) + int(np.abs(f.convex).sum()) <= f.beta:
            return True
        roots = [[_Ray(f, g) for g in cone] for cone in _fan(len(f.used))]
        start = np.zeros(len(f.w))
        stack = [(rays, start, 1 / len(roots)) for rays in roots]
        done, due = 0.0, time.monotonic() + _SECONDS
        while stack:
            if self.n_cones >= self._max:
                return False
            rays, t, share = stack.pop()
            self.n_cones += 1
            if self._shown is not None and time.monotonic() > due:
                due += _SECONDS
                sys.stderr.write(f"cones {self._shown + self.n_cones:,}, {done:.1%} of space\n")
            try:
                guess = f.relaxation(rays, t)
            except np.linalg.LinAlgError:
                return False  # a needle too thin for floats
            if math.sqrt(guess.rho @ guess.rho) <= f.threshold * _NEAR and f.holds(rays, guess):
                done += share
                continue
            if f.exceeds(guess.rho):
                self.beyond = np.zeros(f.d)
                self.beyond[f.used] = guess.rho
                return False
            stack += [(part, guess.t, share / 2) for part in self._cut(rays, guess)]
        return True

    def _cut(self, rays: list[_Ray], guess: _Relaxation) -> list[list[_Ray]]:
        """Two parts; last, and so looked at first, the one where the relaxation is largest."""
        f, m = self._f, self._f.n_convex
        plus, minus = (np.where(Y > _TINY, Y, 0) for Y in (guess.products[:m], -guess.products[:m]))
        crossing = plus.any(axis=1) & minus.any(axis=1)
        if not crossing.any():  # only rounding stands between f and its bound
            i, j = min(combinations(range(len(rays)), 2), default=(0, 0),
                       key=lambda pair: float(rays[pair[0]].unit @ rays[pair[1]].unit))
            return _parts(f, rays, i, j, rays[j].length, rays[i].length)
        # the row whose interpolation errs most where the relaxation is largest
        lam = np.maximum(guess.dual @ guess.rho, 0)
        errors = f.weights[:m] * np.minimum(plus @ lam, minus @ lam) * crossing
        if errors.max() <= 1e-15 * f.threshold:
            lam = np.ones(len(rays))
            errors = f.weights[:m] * np.minimum(plus.max(axis=1), minus.max(axis=1))
        k = int(np.where(crossing, errors, -1).argmax())
        # rays on which the relaxation's maximum does not depend only where there are no others
        lam += 1e-300
        a, b = int((plus[k] * lam).argmax()), int((minus[k] * lam).argmax())
        p, q = -rays[b].exact[k], rays[a].exact[k]
        near = plus[k, a] * lam[a] > minus[k, b] * lam[b]
        return _parts(f, rays, *((b, a, q, p) if near else (a, b, p, q)))


def _parts(f: Function, rays: list[_Ray], a: int, b: int, p: int, q: int) -> list[list[_Ray]]:
    """The cone with p a + q b in the place of b, and of a; p and q rounded to positive integers."""
    drop = max(min(p.bit_length(), q.bit_length()) - _BITS, 0)
    p, q = max(p >> drop, 1), max(q >> drop, 1)
    new = _Ray(f, [p * x + q * y for x, y in zip(rays[a].g, rays[b].g, strict=True)])
    return [[new if i == out else ray for i, ray in enumerate(rays)] for out in (b, a)]


def _fan(d: int) -> Iterator[list[list[int]]]:
    """Rays of simplicial cones that cover R^d: the orthants, or all choices of d from the unit
    vectors and minus their sum."""
    axes = [[int(i == j) for j in range(d)] for i in range(d)]
    if d <= _ORTHANTS:
        for signs in product((1, -1), repeat=d):
            yield [[s * x for x in axis] for s, axis in zip(signs, axes, strict=True)]
    else:
        yield from (list(cone) for cone in combinations([*axes, [-1] * d], d))
