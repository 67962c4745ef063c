"""What the kernels need of an arrangement, as plain arrays: floats, residues, classes.

Nothing here decides a sign; it only writes the exact integers in the forms `predicates` reads.
"""
from __future__ import annotations

import functools
import math
import random
from dataclasses import dataclass

import numpy as np

from arrangements.algebra.reduction import Reduction

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


def _norm_bits(row: list[int]) -> float:
    """An upper bound of log2 of the Euclidean norm of an integer vector, at least 0."""
    total = sum(x * x for x in row)
    return 0.5 * math.log2(total) + 1e-9 if total > 1 else 0.0


def _scaled(value: int, shift: int) -> float:
    """value / 2^shift as the nearest float."""
    return value / (1 << shift) if shift > 0 else float(value << -shift)


def _rest(value: int, high: float, shift: int) -> float:
    """value / 2^shift - high, rounded: with the nearest float, a number of 106 bits."""
    if value.bit_length() <= 53:
        return 0.0
    cut = max(value.bit_length() - 900, 0)  # no float overflows, and high 2^shift is an integer
    return math.ldexp((value >> cut) - int(math.ldexp(high, shift - cut)), cut - shift)


def _balance(rows: list[list[int]]) -> np.ndarray:
    """Exponents of two, one for each column, that make the entries of most rows of like size.

    The columns of the float tableau have one error bound each, that of their largest lane: a column
    that one odd row has made small in all others would lose its digits to that row. Multiplying
    columns by positive numbers is a change of basis and changes no sign. Medians, because a few odd
    rows shall not count.
    """
    sizes = np.array([[abs(x).bit_length() or -np.inf for x in row] for row in rows])
    zeros = (sizes < 0).sum(axis=0)
    middle = zeros + (len(rows) - zeros) // 2, np.arange(sizes.shape[1])
    balance = np.zeros(sizes.shape[1])
    for _ in range(_ROUNDS):
        largest = (sizes + balance).max(axis=1, keepdims=True)
        balance = -np.sort(sizes - largest, axis=0)[middle]
    if np.ptp(balance) < _TOLERATED:
        return np.zeros(sizes.shape[1], dtype=int)
    exponents: np.ndarray = balance - balance.max()
    return exponents.astype(int)


def build(reduction: Reduction, *, tol: float | None = None, seed: int = 0) -> Tables:
    """The tables of a reduction; `seed` chooses the generic functionals."""
    n, r, m = reduction.n, reduction.rank, len(reduction.rows)
    rows = [[int(x) for x in row] for row in reduction.rows]
    rng = random.Random(seed)
    unit = [[int(i == j) for j in range(r)] for i in range(r)]
    hadamard = float(np.sort([_norm_bits(v) for v in rows])[-r:].sum())
    integral = hadamard <= INTEGRAL_BITS
    balance = np.zeros(r, dtype=int) if integral or tol else _balance(rows)
    # entries of like size in the balanced columns, as far as that does not make long integers
    follow = np.minimum(balance.max() - balance, _SPREAD).tolist()
    functionals = [[rng.getrandbits(FUNCTIONAL_BITS) * 2 + 1 - 2**FUNCTIONAL_BITS << follow[c]
                    for c in range(r)] for _ in range(r)]
    vectors = rows + unit + functionals
    bits = np.array([_norm_bits(v) for v in vectors])
    shift = np.zeros(len(vectors), dtype=np.int32)
    if not integral:
        shift[:m] = [max(abs(x).bit_length() + b for x, b in zip(v, balance, strict=True) if x)
                     for v in rows]
    shift[m : m + r] = balance
    shift[m + r :] = FUNCTIONAL_BITS + balance.max()
    floats = np.array([[_scaled(x, int(s - b)) for x, b in zip(v, balance, strict=True)]
                       for v, s in zip(vectors, shift, strict=True)])
    low = np.array([[_rest(x, h, int(s - b)) for x, h, b in zip(v, hs, balance, strict=True)]
                    for v, hs, s in zip(vectors, floats.tolist(), shift, strict=True)])
    # Hadamard's bound for any r of the vectors, and two bits for the sign and the rounding
    worst = float(np.sort(bits)[-r:].sum())
    p = _primes(int((worst + 2) / 61.99) + 2)
    value = np.array([[[(x << 64) % q for x in v] for v in vectors] for q in p], dtype=np.uint64)
    inverse = np.zeros((len(p), len(p)), dtype=np.uint64)
    for i, q in enumerate(p):
        inverse[i, i] = (1 << 128) % q
        for j in range(i):
            inverse[i, j] = (pow(p[j], -1, q) << 64) % q
    class_of = np.ascontiguousarray(reduction.class_of, dtype=np.int32)
    orientation = np.asarray(reduction.orientation)
    order = np.argsort(class_of, kind="stable")[int((class_of < 0).sum()):]
    counts = np.bincount(class_of[class_of >= 0], minlength=m)
    return Tables(
        n=n, m=m, r=r, tol=float(tol or 0), integral=integral,
        input_error=0.0 if integral else 2.0**-52, floats=floats, low=low,
        shift=shift, balance=balance, bits=bits,
        p=np.array(p, dtype=np.uint64),
        minus_inv=np.array([pow(-q, -1, 1 << 64) for q in p], dtype=np.uint64),
        one=np.array([(1 << 64) % q for q in p], dtype=np.uint64), value=value, inverse=inverse,
        identity=m == n and bool((orientation > 0).all()), class_of=class_of,
        member=np.ascontiguousarray(order, dtype=np.int32),
        member_start=np.concatenate([[0], np.cumsum(counts)]).astype(np.int32),
        all_negative=pack_words(orientation <= 0), cuts=pack_words(class_of >= 0),
        mix=np.array([rng.uniform(0.5, 1) for _ in range(2 * r + 1)]))


def pack_words(bits: np.ndarray) -> np.ndarray:
    """Bits, the first the lowest, in 64-bit words."""
    out = np.zeros((len(bits) + 63) // 64 * 8, dtype=np.uint8)
    packed = np.packbits(bits, bitorder="little")
    out[: len(packed)] = packed
    return out.view("<u8").astype(np.uint64)
