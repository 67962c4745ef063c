"""What the kernels need of an arrangement, as plain arrays: floats, residues, classes.

Nothing here decides a sign; it only writes the exact integers in the forms `predicates` reads.
"""
from __future__ import annotations

import functools
import math
import random
from dataclasses import dataclass
from typing import Any

import numpy as np

from arrangements.algebra.reduction import Reduction

from .enumeration import residues

FUNCTIONAL_BITS = 96     # entries of the generic functionals; one is degenerate with odds < 2^-60
_ROUNDS = 4              # of balancing columns: rows' largest entries move with the columns
_TOLERATED = 6           # bits between columns that cost less than they are worth
_SPREAD = 64             # bits by which functionals follow the balance of the columns
INTEGRAL_BITS = 45       # Hadamard bound up to which floats hold the integers unscaled


@dataclass(frozen=True)
class Tables:
    """An arrangement of m classes of parallel vectors in R^r, from n samples.

    Vectors are numbered: the m rows of the reduction, the r unit vectors, the r generic
    functionals g_1..g_r. Residues are in Montgomery form, 2^64 x mod p.
    """

    n: int
    m: int
    r: int
    tol: float
    integral: bool             # floats hold the integers themselves
    input_error: float         # of the floats, relative
    floats: np.ndarray         # (m + 2 r, r) value 2^balance / 2^shift
    low: np.ndarray            # (m + 2 r, r) what the floats lack of that, rounded
    shift: np.ndarray          # (m + 2 r,)
    balance: np.ndarray        # (r,)
    bits: np.ndarray           # (m + 2 r,) upper bounds of log2 of the norms
    p: np.ndarray              # primes
    minus_inv: np.ndarray      # -1 / p mod 2^64
    one: np.ndarray            # residues of 1
    value: np.ndarray          # (primes, m + 2 r, r) residues
    inverse: np.ndarray        # (i, j): residue of 1 / p_j mod p_i, j < i; (i, i): 2^128 mod p_i
    identity: bool             # class k is sample k, not reversed
    class_of: np.ndarray       # (n,) -1 for samples that are zero
    member: np.ndarray         # samples, class by class,
    member_start: np.ndarray   # (m + 1,) and where each class begins
    all_negative: np.ndarray   # the row when all classes are negative, in words
    cuts: np.ndarray           # the samples that are not zero, in words
    mix: np.ndarray            # (2 r + 1,) weights of generic combinations of columns


def _is_prime(n: int) -> bool:
    """Miller and Rabin's test with the bases that make it exact below 2^64."""
    d, s = n - 1, 0
    while d % 2 == 0:
        d, s = d // 2, s + 1
    for base in (2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37):
        x = pow(base, d, n)
        if x in (1, n - 1):
            continue
        for _ in range(s - 1):
            x = x * x % n
            if x == n - 1:
                break
        else:
            return False
    return True


@functools.cache
def _primes(count: int) -> tuple[int, ...]:
    """The `count` largest primes below 2^62."""
    found = list(_primes(count - 1)) if count > 1 else []
    candidate = found[-1] - 2 if found else 2**62 - 1
    while len(found) < count:
        if math.gcd(candidate, 614889782588491410) == 1 and _is_prime(candidate):
            found.append(candidate)
        candidate -= 2
    return tuple(found)


@functools.cache
def _moduli(count: int) -> tuple[np.ndarray, ...]:
    """Primes p, -1 / p mod 2^64, 1 in Montgomery form, and the inverses as in `Tables`."""
    p = _primes(count)
    inverse = [[(1 << 128) % q if i == j else (pow(x, -1, q) << 64) % q if j < i else 0
                for j, x in enumerate(p)] for i, q in enumerate(p)]
    return (np.array(p, dtype=np.uint64),
            np.array([pow(-q, -1, 1 << 64) for q in p], dtype=np.uint64),
            np.array([(1 << 64) % q for q in p], dtype=np.uint64),
            np.array(inverse, dtype=np.uint64))


def _residues(rows: np.ndarray, count: int) -> np.ndarray:
    """Montgomery forms (count, m, r) of integers modulo the first primes."""
    if rows.dtype != object:
        p, minus_inv, _, inverse = _moduli(count)
        return residues(rows, p, minus_inv, inverse)
    return np.array([[[(x << 64) % q for x in row] for row in rows.tolist()]
                     for q in _primes(count)], dtype=np.uint64)


def _rest(value: int, high: float, shift: int) -> float:
    """value / 2^shift - high, rounded: with the nearest float, a number of 106 bits."""
    if value.bit_length() <= 53:
        return 0.0
    cut = max(value.bit_length() - 900, 0)  # no float overflows, and high 2^shift is an integer
    return math.ldexp((value >> cut) - int(math.ldexp(high, shift - cut)), cut - shift)


def _norm_bits(rows: np.ndarray) -> list[float]:
    """Upper bounds of log2 of the Euclidean norms of integer vectors, at least 0."""
    if rows.dtype == object:
        squares = [sum(x * x for x in row) for row in rows.tolist()]
    else:  # rounding is less than the last term
        squares = np.square(rows, dtype=np.float64).sum(axis=1).tolist()
    return [0.5 * math.log2(x) + 1e-9 if x > 1 else 0.0 for x in squares]


def _lengths(rows: np.ndarray) -> np.ndarray:
    """Exponents e with |x| <= 2^e, the least but for rounding to floats; 0 for zeros."""
    if rows.dtype == object:
        return np.array([[abs(x).bit_length() for x in row] for row in rows.tolist()])
    exponents: np.ndarray = np.frexp(rows)[1]
    return exponents


def _scaled(rows: np.ndarray, shift: np.ndarray) -> np.ndarray:
    """rows / 2^shift as the nearest floats."""
    if rows.dtype != object:
        floats: np.ndarray = np.ldexp(rows.astype(np.float64), -shift)
        return floats
    return np.array([[x / (1 << s) if s > 0 else float(x << -s)
                      for x, s in zip(*pair, strict=True)]
                     for pair in zip(rows.tolist(), shift.tolist(), strict=True)])


def _rests(rows: np.ndarray, floats: np.ndarray, shift: np.ndarray) -> np.ndarray:
    """rows / 2^shift less the floats, rounded: with these, numbers of 106 bits."""
    if rows.dtype != object:
        rests = rows - rows.astype(np.float64).astype(np.int64)
        out: np.ndarray = np.ldexp(rests.astype(np.float64), -shift)
        return out
    return np.array([[_rest(*entry) for entry in zip(*triple, strict=True)] for triple in zip(
        rows.tolist(), floats.tolist(), shift.tolist(), strict=True)])


@functools.lru_cache(maxsize=64)
def _generic(seed: int, width: int, r: int, balance: tuple[int, ...]
             ) -> tuple[np.ndarray, list[float], np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Unit vectors and generic functionals (2 r, r), their norms' bits, shifts, floats and
    what these lack; the weights `mix`."""
    rng = random.Random(seed)
    # entries of like size in the balanced columns, as far as that does not make long integers
    follow = [min(max(balance) - b, _SPREAD) for b in balance]
    functionals = [[rng.getrandbits(width) * 2 + 1 - 2**width << follow[c]
                    for c in range(r)] for _ in range(r)]
    unit = [[int(i == j) for j in range(r)] for i in range(r)]
    vectors = np.array(unit + functionals, dtype=object).reshape(2 * r, r)
    shift = np.array([*balance, *[width + max(balance)] * r], dtype=np.int32)
    by = shift[:, None] - np.array(balance)
    floats = _scaled(vectors, by)
    mix = np.array([rng.uniform(0.5, 1) for _ in range(2 * r + 1)])
    return vectors, _norm_bits(vectors), shift, floats, _rests(vectors, floats, by), mix


@functools.lru_cache(maxsize=64)
def _generic_residues(count: int, *key: Any) -> np.ndarray:
    return _residues(_generic(*key)[0], count)


def _balance(rows: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """Exponents of two, one for each column, that make the entries of most rows of like size.

    The columns of the float tableau have one error bound each, that of their largest lane: a column
    that one odd row has made small in all others would lose its digits to that row. Multiplying
    columns by positive numbers is a change of basis and changes no sign. Medians, because a few odd
    rows shall not count.
    """
    sizes = np.where(rows == 0, -np.inf, lengths)
    zeros = (sizes < 0).sum(axis=0)
    middle = zeros + (len(rows) - zeros) // 2, np.arange(sizes.shape[1])
    balance = np.zeros(sizes.shape[1])
    for _ in range(_ROUNDS):
        largest = (sizes + balance).max(axis=1, keepdims=True)
        balance = -np.sort(sizes - largest, axis=0)[middle]
        if balance.max() - balance.min() < _TOLERATED:
            return np.zeros(sizes.shape[1], dtype=int)
    exponents: np.ndarray = balance - balance.max()
    return exponents.astype(int)


def build(reduction: Reduction, *, tol: float | None = None, seed: int = 0) -> Tables:
    """The tables of a reduction; `seed` chooses the generic functionals."""
    n, r, m, rows = reduction.n, reduction.rank, len(reduction.rows), reduction.rows
    norms = _norm_bits(rows)
    integral = sum(sorted(norms)[-r:]) <= INTEGRAL_BITS
    lengths = _lengths(rows)
    balance = np.zeros(r, dtype=int) if integral or tol else _balance(rows, lengths)
    key = seed, FUNCTIONAL_BITS, r, tuple(balance.tolist())
    _, generic_bits, shift, floats, low, mix = _generic(*key)
    own = np.zeros(m, dtype=np.int32)
    if not integral:
        own = np.where(rows == 0, -2**30, lengths + balance).max(axis=1).astype(np.int32)
    by = own[:, None] - balance
    own_floats = _scaled(rows, by)
    bits = norms + generic_bits
    # Hadamard's bound for any r of the vectors, and two bits for the sign and the rounding
    count = int((sum(sorted(bits)[-r:]) + 2) / 61.99) + 2
    p, minus_inv, one, inverse = _moduli(count)
    value = np.concatenate([_residues(rows, count), _generic_residues(count, *key)], axis=1)
    class_of = np.ascontiguousarray(reduction.class_of, dtype=np.int32)
    orientation = np.asarray(reduction.orientation)
    order, starts = np.arange(n), np.arange(m + 1)
    if m < n:
        order = np.argsort(class_of, kind="stable")[int((class_of < 0).sum()):]
        starts[1:] = np.cumsum(np.bincount(class_of[class_of >= 0], minlength=m))
    return Tables(
        n=n, m=m, r=r, tol=float(tol or 0), integral=integral,
        input_error=0.0 if integral else 2.0**-52,
        floats=np.concatenate([own_floats, floats]),
        low=np.concatenate([_rests(rows, own_floats, by), low]),
        shift=np.concatenate([own, shift]), balance=balance, bits=np.array(bits),
        p=p, minus_inv=minus_inv, one=one, value=value, inverse=inverse,
        identity=m == n and bool((orientation > 0).all()), class_of=class_of,
        member=np.ascontiguousarray(order, dtype=np.int32),
        member_start=starts.astype(np.int32),
        all_negative=pack_words(orientation <= 0), cuts=pack_words(class_of >= 0),
        mix=mix)


def pack_words(bits: np.ndarray) -> np.ndarray:
    """Bits, the first the lowest, in 64-bit words."""
    out = np.zeros((len(bits) + 63) // 64 * 8, dtype=np.uint8)
    packed = np.packbits(bits, bitorder="little")
    out[: len(packed)] = packed
    return out.view("<u8").astype(np.uint64)
