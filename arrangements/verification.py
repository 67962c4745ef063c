"""Proof that a set of dichotomies is complete and correct, or what is wrong with it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from .algebra.elimination import integral
from .algebra.numbers import IntegerMatrix
from .algebra.rounding import U, normalised
from .algebra.witness import positive_dependence
from .arrangement import Arrangement
from .counting.deletion import deletion_restriction
from .errors import InputError
from .patterns.dichotomies import Dichotomies
from .patterns.packed import words_of
from .progress import progress_bar

_BLOCK = 2**16  # signs looked at together: their arrays stay in the cache
_PROGRAM = 600  # chambers that are enumerated in the time of one linear program


@dataclass(frozen=True, eq=False)
class Verification:
    """What `verify` found; true when the dichotomies are complete and correct.

    Attributes
    ----------
    n_patterns : int
        Patterns given, repeated ones included.
    n_chambers : int
        |chi(-1)|, the number of chambers, from the characteristic polynomial.
    duplicates : ndarray of int64
        Indices of the patterns that repeat an earlier one, ascending.
    not_chambers : ndarray of int64
        Indices of the patterns that belong to no chamber, ascending.
    missing : int
        Number of chambers whose pattern was not given.
    dependence : dict of int to Fraction, or None
        Proof for the first of `not_chambers`, with pattern b: positive weights y_i of some
        samples with sum y_i (2 b_i - 1) x_i = 0 (Gordan 1873), x_i being row i of X divided by
        the magnitude of its first nonzero entry; or one zero row with b_i = 0.
    """

    n_patterns: int
    n_chambers: int
    duplicates: np.ndarray
    not_chambers: np.ndarray
    missing: int
    dependence: dict[int, Fraction] | None

    @property
    def distinct(self) -> bool:
        """Whether no pattern is repeated."""
        return not len(self.duplicates)

    @property
    def witnessed(self) -> bool:
        """Whether every pattern has an exact point inside its chamber."""
        return not len(self.not_chambers)

    @property
    def ok(self) -> bool:
        """Whether every chamber has its pattern, once, and there are no others."""
        return self.distinct and self.witnessed and not self.missing

    def __bool__(self) -> bool:
        return self.ok

    def __str__(self) -> str:
        return self.summary()

    def summary(self) -> str:
        """One line that says which parts hold and which fail."""
        if self.ok:
            return (f"complete and correct: {self.n_patterns:,} patterns, distinct, each with an "
                    f"exact witness, and {self.n_chambers:,} chambers by |chi(-1)|")
        faults = []
        if not self.distinct:
            faults.append(f"{len(self.duplicates):,} of {self.n_patterns:,} patterns repeat an "
                          f"earlier one (the first is pattern {self.duplicates[0]})")
        if not self.witnessed:
            faults.append(f"{len(self.not_chambers):,} of {self.n_patterns:,} patterns belong to "
                          f"no chamber (the first is pattern {self.not_chambers[0]})")
        if self.missing:
            faults.append(f"{self.missing:,} of {self.n_chambers:,} chambers are missing")
        return "wrong: " + "; ".join(faults)


def verify(X: Any, D: Any, *, bias: bool = False, numbers: str = "binary",
           progress: bool = False) -> Verification:
    """Prove that D holds the pattern 1[Xu >= 0] of every chamber once and nothing else.

    Parameters
    ----------
    X : array-like, shape (n, d), or Arrangement
    D : Dichotomies, or ndarray of shape (p, n) of bools, or packed uint8 (p, ceil(n/8))
        In any order. What an attached arrangement or attached witnesses say is not believed.
    bias, numbers
        As in `Arrangement`; not to be given with one.
    progress : bool, default False
        Draw a progress bar on stderr.

    Returns
    -------
    Verification

    Raises
    ------
    InputError
        X is no finite real matrix or is read with `tol`, or D has no patterns of n bits.

    Notes
    -----
    Three parts: the patterns are distinct; each has a point inside its chamber, whose signs are
    certain in floats with an error bound or computed in integers; and their number is |chi(-1)|
    (Zaslavsky 1975), by deletion and restriction, which shares nothing with the enumeration.
    The points are proposed by attached witnesses or an enumeration, or found by linear programs
    where these fail; they prove what they prove wherever they come from. A pattern without a point
    is refuted by the exact simplex method, or by |chi(-1)| other patterns that have one.

    Exact for every finite input. A few microseconds for each chamber, some milliseconds for each
    that is too thin for float points; the polynomial beside that (see `deletion_restriction`).

    Examples
    --------
    >>> X = [[1, 0], [0, 1], [1, 1]]
    >>> D = Arrangement(X).dichotomies().sorted()
    >>> verify(X, D).ok
    True
    >>> print(verify(X, D[1:]))
    wrong: 1 of 6 chambers are missing
    >>> verify(X, [*D[1:], [True, True, False]]).not_chambers
    array([5])
    """
    arrangement = _arrangement(X, bias, numbers)
    packed, points = _patterns(D, arrangement)
    n_chambers = sum(map(abs, deletion_restriction(arrangement.data.reduction.rows)))
    order, fresh = _sorted_rows(packed)
    first = order[fresh]
    class_of = np.empty(len(packed), dtype=np.int64)
    class_of[order] = np.cumsum(fresh) - 1
    inside = _decided(arrangement, packed[first], None if points is None else points[first],
                      n_chambers, progress)
    missing = n_chambers - int(inside.sum())
    if missing < 0:
        raise ArithmeticError(f"{n_chambers - missing} distinct patterns have exact witnesses, but "
                              f"|chi(-1)| = {n_chambers}; please report these data")
    not_chambers = np.flatnonzero(~inside[class_of])
    proof = _dependence(arrangement, packed[not_chambers[0]]) if len(not_chambers) else None
    return Verification(len(packed), n_chambers, np.sort(order[~fresh]), not_chambers, missing,
                        proof)


class _Sides:
    """Decides whether points are inside the chambers of patterns, on the rows of X themselves."""

    def __init__(self, matrix: IntegerMatrix) -> None:
        self._scale = matrix.column_scale
        self._values = matrix.values.astype(object)
        self._cut = matrix.values.any(axis=1)
        self._floats = normalised(self._values[self._cut] * np.array(self._scale, dtype=object))

    def certain(self, points: np.ndarray, bits: np.ndarray) -> np.ndarray:
        """Which float points (k, d) have the signs of `bits` (k, n) beyond every rounding error."""
        with np.errstate(all="ignore"):
            points = points / np.abs(points).max(axis=1, keepdims=True)
            value = points @ self._floats.T
            bound = (points.shape[1] + 8) * U * (np.abs(points) @ np.abs(self._floats).T) + 1e-290
            right = np.where(bits[:, self._cut], value, -value) > bound
        out: np.ndarray = right.all(axis=1) & bits[:, ~self._cut].all(axis=1)
        return out

    def holds(self, point: Sequence[Fraction], bits: np.ndarray) -> bool:
        """The same of one exact point, in integers."""
        u = [x * s for x, s in zip(point, self._scale, strict=True)]
        value = self._values.dot(integral(u))
        return bool(((value >= 0) == bits).all() and (value != 0)[self._cut].all())


def _decided(arrangement: Arrangement, packed: np.ndarray, points: np.ndarray | None,
             n_chambers: int, progress: bool) -> np.ndarray:
    """Which of some distinct patterns (p, ceil(n/8)) are chambers."""
    sides, n = _Sides(arrangement.data.matrix), arrangement.n
    size = max(_BLOCK // n, 64)
    inside = np.zeros(len(packed), dtype=bool)
    refuted = np.zeros(len(packed), dtype=bool)
    if points is not None:
        for at in range(0, len(packed), size):
            part = slice(at, at + size)
            inside[part] = sides.certain(points[part], _bits(packed[part], n))
    if n_chambers <= _PROGRAM * int((~inside).sum()):
        refuted = _enumerated(arrangement, sides, packed, inside, n_chambers, size, progress)
    pending = np.flatnonzero(~inside & ~refuted)
    with progress_bar(len(pending), "linear programs", progress) as bar:
        for i, found in zip(pending, _have_points(arrangement, sides, packed[pending]),
                            strict=True):
            inside[i] = found
            bar.update(1)
    return inside


def _enumerated(arrangement: Arrangement, sides: _Sides, packed: np.ndarray, inside: np.ndarray,
                n_chambers: int, size: int, progress: bool) -> np.ndarray:
    """Mark in `inside` the patterns that an enumeration has a witness of; return those refuted.

    Once n_chambers different patterns have witnesses, no other is a chamber. Patterns are compared
    by keys of 64 bits: different keys prove different patterns.
    """
    keys = _keys(packed)
    order = np.argsort(keys)
    ordered = keys[order]
    proved, doubtful = [], []

    def prove(rows: np.ndarray) -> None:
        proved.append(_keys(rows))
        at = order[np.minimum(ordered.searchsorted(proved[-1]), len(order) - 1)]
        inside[at[(packed[at] == rows).all(axis=1)]] = True

    with progress_bar(n_chambers, "verify", progress) as bar:
        # float witnesses only: what they leave open is decided here
        for rows, points, _ in arrangement.walks.witnessed(1, size, lambda pattern: None):
            certain = sides.certain(points, _bits(rows, arrangement.n))
            prove(rows[certain])
            doubtful.append(rows[~certain])
            bar.update(len(rows))
    rest = np.concatenate(doubtful)
    if len(rest) <= (~inside).sum():
        prove(rest[np.fromiter(_have_points(arrangement, sides, rest), dtype=bool)])
    known = np.sort(np.concatenate(proved))
    if inside.all() or 1 + np.count_nonzero(known[1:] != known[:-1]) < n_chambers:
        return np.zeros(len(keys), dtype=bool)
    out: np.ndarray = known[np.minimum(known.searchsorted(keys), len(known) - 1)] != keys
    return out


def _have_points(arrangement: Arrangement, sides: _Sides, packed: np.ndarray) -> Iterator[bool]:
    """Whether each pattern has an exact point in its chamber; fastest where opposites follow."""
    point = None
    for row in packed:
        bits = _bits(row[None], arrangement.n)[0]
        if point is None or not sides.holds([-x for x in point], bits):
            point = arrangement.data.interior(bits)
            yield point is not None and sides.holds(point, bits)
        else:
            yield True


def _dependence(arrangement: Arrangement, row: np.ndarray) -> dict[int, Fraction]:
    """Positive weights of samples that forbid a pattern which is not a chamber's."""
    bits, values = _bits(row[None], arrangement.n)[0], arrangement.data.matrix.values
    cut = values.any(axis=1)
    wrong = np.flatnonzero(~cut & ~bits)
    if len(wrong):  # 0 >= 0, so the bit of a zero row is 1
        return {int(wrong[0]): Fraction(1)}
    signs = np.where(bits, 1, -1)[cut, None]
    signed = values[cut][:, arrangement.data.reduction.columns].astype(object) * signs
    weights = positive_dependence(signed)
    if weights is None:
        raise ArithmeticError("a pattern has neither a witness nor a dependence that forbids it; "
                              "please report these data")
    out = {}
    for i, y in zip(np.flatnonzero(cut).tolist(), weights, strict=True):
        if y:
            first = int(np.flatnonzero(values[i])[0])
            out[i] = y * abs(int(values[i, first])) * arrangement.data.matrix.column_scale[first]
    return out


# -- reading


def _arrangement(X: Any, bias: bool, numbers: str) -> Arrangement:
    if not isinstance(X, Arrangement):
        return Arrangement(X, bias=bias, numbers=numbers)
    if bias is not False or numbers != "binary":
        raise InputError("bias and numbers must be left out with an Arrangement, "
                         f"got bias={bias!r} and numbers={numbers!r}; it has its own")
    if not X.exact:
        raise InputError("X must be exact, got an arrangement with tol, whose chambers are not "
                         "defined by exact signs; make it without tol")
    return X


def _patterns(D: Any, arrangement: Arrangement) -> tuple[np.ndarray, np.ndarray | None]:
    """Packed rows, and float points that may be witnesses."""
    n = arrangement.n
    if not isinstance(D, Dichotomies):
        return _packed(D, n), None
    if D.n != n:
        raise InputError(f"D must have patterns of {n} bits, one for each row of X, got {D.n}")
    points = D._witnesses
    return D.packed, points if points is not None and points.shape[1] == arrangement.d else None


def _packed(D: Any, n: int) -> np.ndarray:
    try:
        array = np.asarray(D)
    except ValueError as error:
        raise InputError(f"D must have patterns of {n} bits each: {error}") from error
    if array.size == 0 and array.ndim in (1, 2) and len(array) == 0:
        return np.zeros((0, -(-n // 8)), dtype=np.uint8)
    if array.dtype == np.uint8 and array.ndim == 2 and array.shape[1] == -(-n // 8):
        return Dichotomies(array, n).packed
    if array.ndim != 2 or array.shape[1] != n:
        raise InputError(f"D must have shape (p, {n}), or (p, {-(-n // 8)}) packed in uint8, got "
                         f"{array.dtype} of shape {array.shape}")
    if array.dtype.kind not in "biu" or ((array != 0) & (array != 1)).any():
        raise InputError(f"D must hold bools, or integers 0 and 1, got {array.dtype}")
    return np.packbits(array.astype(bool), axis=1, bitorder="little")


def _bits(packed: np.ndarray, n: int) -> np.ndarray:
    return np.unpackbits(packed, axis=1, count=n, bitorder="little").view(bool)


def _sorted_rows(packed: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A stable order that puts equal rows together, and where in it a new one begins."""
    words = words_of(packed)
    order = np.lexsort(words)
    fresh = np.ones(len(order), dtype=bool)
    fresh[1:] = (words[:, order[1:]] != words[:, order[:-1]]).any(axis=0)
    return order, fresh


def _keys(packed: np.ndarray) -> np.ndarray:
    """64 bits of each row; all of them, where it has no more."""
    first, *others = words_of(packed)
    for word in others:
        first = (first ^ (first >> np.uint64(29))) * np.uint64(0x9E3779B97F4A7C15) ^ word
    out: np.ndarray = first
    return out
