"""The characteristic polynomial by deletion and restriction.

Nothing here walks flats as the enumeration does, so that one can be checked by the other.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from arrangements.algebra.elimination import adjugate, independent_columns
from arrangements.algebra.rounding import SMALL, fitted, largest
from arrangements.counting.closed_forms import signed
from arrangements.errors import InputError

_PRIME = 2**31 - 1  # products of two residues fit in int64
_CHUNK = 2**18  # pairs of rows looked at together: their arrays stay in the cache


def deletion_restriction(rows: np.ndarray) -> list[int]:
    """Characteristic polynomial chi(t) of the central arrangement of integer rows.

    Parameters
    ----------
    rows : ndarray of integers, shape (m, r)
        Normals of the hyperplanes; zero rows have none, parallel rows share one.

    Returns
    -------
    list of r + 1 int
        Coefficients, that of t^r first; |chi(-1)|, the sum of their magnitudes, is the number of
        chambers (Zaslavsky 1975).

    Raises
    ------
    InputError
        If `rows` is not a two-dimensional array of integers.

    Notes
    -----
    chi(A) = chi(A minus a) - chi(A restricted to a), and taking the rows away one after the other,

        chi({a_1, ..., a_m}) = t^r - sum over k of chi({a_1, ..., a_(k-1)} restricted to a_k).

    So |w_j|, the magnitude of the coefficient of t^(r-j), is the number of rows of all (j-1)-fold
    restrictions, parallel ones merged. Equal restrictions are kept once, with their multiplicity;
    direct summands are multiplied; chi(1) = 0 gives the last number. Exact for all integers: int64
    while a bound excludes overflow, Python integers beyond. About half a microsecond for each pair
    of rows of a restriction, tenfold beyond int64, and |w_(r-1)| pairs at least; memory
    O(|w_(r-2)| r).

    References
    ----------
    P. Orlik and H. Terao, Arrangements of Hyperplanes, 1992, Corollary 2.57; T. Zaslavsky,
    Facing up to arrangements, 1975.

    Examples
    --------
    >>> deletion_restriction(np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 1]]))
    [1, -4, 6, -3]
    """
    rows = _integers(rows)
    rows = rows[rows.any(axis=1)]
    coordinates, basis = _coordinates(rows)
    product = [1]
    for component in _parts(coordinates):
        support = np.flatnonzero(coordinates[component].any(axis=0))
        part = rows[component] if len(support) == rows.shape[1] else \
            coordinates[np.ix_(component, support)]
        product = _product(product, _whitney_numbers(part))
    return signed(product) + [0] * (rows.shape[1] - len(basis))


def components(rows: np.ndarray) -> list[np.ndarray]:
    """Finest partition of integer rows into sets whose spans are independent.

    The arrangement is the direct sum of those of the sets: chambers, faces and flats are products.

    Parameters
    ----------
    rows : ndarray of integers, shape (m, r)
        Of any rank; parallel rows come together, a zero row is a set by itself.

    Returns
    -------
    list of ndarray of int64
        Row indices, ascending in each set; the sets in order of their first rows.

    Raises
    ------
    InputError
        If `rows` is not a two-dimensional array of integers.

    Notes
    -----
    Rows belong together when they are joined by fundamental circuits of one basis; these are read
    from the coordinates of all rows in that basis, products with the integer adjugate of it. Exact
    for all integers, at the cost of O(m r^2) operations.

    References
    ----------
    S. Krogdahl, The dependence graph for bases in matroids, 1977.

    Examples
    --------
    >>> [part.tolist() for part in components(np.array([[1, 0, 0], [0, 1, 1], [2, 0, 0]]))]
    [[0, 2], [1]]
    """
    rows = np.asarray(rows)
    if rows.ndim == 2 and rows.dtype in (np.int64, object) and _connected(rows):
        return [np.arange(len(rows))]
    return _parts(_coordinates(_integers(rows))[0])


# -- private ---------------------------------------------------------------------------------


def _product(a: list[int], b: list[int]) -> list[int]:
    out = [0] * (len(a) + len(b) - 1)
    for i, x in enumerate(a):
        for j, y in enumerate(b):
            out[i + j] += x * y
    return out


def _integers(rows: np.ndarray) -> np.ndarray:
    """The rows as int64 where they are small, as Python integers otherwise."""
    rows = np.asarray(rows)
    flat = rows.ravel().tolist()
    if rows.ndim != 2 or not all(isinstance(x, int | np.integer) for x in flat):
        raise InputError("rows must be a two-dimensional array of integers, got "
                         f"{rows.dtype} of shape {rows.shape}")
    return fitted(np.array([int(x) for x in flat], dtype=object).reshape(rows.shape))


# -- direct sums


def _connected(rows: np.ndarray) -> bool:
    """Whether the residues of some rows show that all are one set: coordinates in a basis that are
    not zero modulo a prime are not zero, and no row is without any."""
    m, r = rows.shape
    if m <= r or not rows.any(axis=1).all():
        return False
    a = (rows[: 2 * r + 8].T % _PRIME).astype(np.int64)
    for i in range(r):
        at = int(a[i].argmax())
        if a[i, at] == 0:
            return False
        pivot = a[i] * pow(int(a[i, at]), -1, _PRIME) % _PRIME
        a = (a - a[:, at, None] * pivot) % _PRIME
        a[i] = pivot
    return bool(a.all(axis=0).any()) or len(_parts(a.T[a.any(axis=0)])) == 1


def _coordinates(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Integer coordinates (m, rank) of the rows in a basis among them, up to one common factor,
    and the indices of the basis."""
    basis = independent_columns(rows.T)
    inverse, columns, _ = adjugate(rows[basis])
    rows = rows[:, columns]
    if largest(rows) * largest(inverse) * len(basis) < SMALL:
        return rows.astype(np.int64) @ inverse.astype(np.int64), basis
    return rows.astype(object).dot(inverse), basis


def _parts(coordinates: np.ndarray) -> list[np.ndarray]:
    """Classes of rows joined by common nonzero coordinates; a zero row is one by itself."""
    support = coordinates != 0
    m, k = support.shape
    joined = support.T @ support  # columns that one row joins, and then chains of 2, 4, ... rows
    for _ in range(k.bit_length()):
        joined = joined @ joined
    label = np.arange(k, k + m)
    some = np.flatnonzero(support.any(axis=1))
    if some.size:
        label[some] = joined[support[some].argmax(axis=1)].argmax(axis=1)
    order = np.argsort(label, kind="stable")
    parts = np.split(order, np.flatnonzero(np.diff(label[order])) + 1) if m else []
    return sorted(parts, key=lambda part: int(part[0]))


# -- restrictions: those of one level lie side by side as columns of one array


def _whitney_numbers(rows: np.ndarray) -> list[int]:
    """|w_0|, ..., |w_r| of nonzero integer rows (m, r) that span rank r >= 1."""
    r = rows.shape[1]
    columns = _normalised(rows.T)
    columns = columns[:, _first_of_each(np.zeros(len(rows), dtype=np.int64), _keys(columns))]
    start = np.zeros(columns.shape[1], dtype=np.int64)
    times = np.ones(columns.shape[1], dtype=object)
    numbers = [1, columns.shape[1]][:r]
    for rank in range(r - 1, 1, -1):
        columns, start, times, total = _restrict(columns, start, times, keep=rank > 2)
        numbers.append(total)
    return [*numbers, sum((-1) ** (r - 1 - k) * w for k, w in enumerate(numbers))]


def _restrict(columns: np.ndarray, start: np.ndarray, times: np.ndarray, keep: bool
              ) -> tuple[np.ndarray, np.ndarray, np.ndarray, int]:
    """Restrict to each vector those before it in its arrangement.

    `columns` (rank, N) holds the vectors of all arrangements, `start` and `times` (N,) where the
    arrangement of each begins and how often it occurs. Returns the same of the restrictions, if
    they are to be kept, and their number of vectors, each as often as it occurs.
    """
    total = 0
    found: dict[bytes | tuple[int, ...], list[Any]] = {}
    for chunk in _chunks(start):
        before = chunk - start[chunk]
        owner = np.repeat(np.arange(len(chunk)), before)
        offset = np.cumsum(before) - before
        index = np.arange(len(owner)) - (offset - start[chunk])[owner]
        values = _normalised(_section(columns, index, chunk[owner]))
        first = _first_of_each(owner, _keys(values))
        owner = owner[first]
        sizes = np.bincount(owner, minlength=len(chunk))
        total += int(sizes.astype(object).dot(times[chunk]))
        if keep:
            _collect(found, values[:, first], sizes, times[chunk])
    if not found:
        return columns[:-1, :0], start[:0], times[:0], total
    sizes = np.array([group.shape[1] for group, _ in found.values()])
    return (np.concatenate([group for group, _ in found.values()], axis=1),
            np.repeat(np.cumsum(sizes) - sizes, sizes),
            np.repeat(np.array([count for _, count in found.values()], dtype=object), sizes), total)


def _chunks(start: np.ndarray) -> Iterator[np.ndarray]:
    """The vectors that have others before them, in runs of about _CHUNK pairs."""
    pivots = np.flatnonzero(start < np.arange(len(start)))
    pairs = np.cumsum(pivots - start[pivots])
    cuts = np.flatnonzero(np.diff(pairs // _CHUNK)) + 1
    yield from np.split(pivots, cuts) if len(pivots) else []


def _section(columns: np.ndarray, i: np.ndarray, k: np.ndarray) -> np.ndarray:
    """Vectors i restricted to the hyperplanes of vectors k, in one coordinate less."""
    rank, n = columns.shape
    top = largest(columns)
    if columns.dtype != object and 2 * top**2 >= SMALL:
        columns = columns.astype(object)
    # the coordinate of smallest magnitude that is not zero leaves: small numbers stay small
    size = abs(columns)
    size[columns == 0] = top + 1
    pivot = size.argmin(axis=0)[k]
    flat = columns.ravel()
    at_k, at_i = flat[pivot * n + k], flat[pivot * n + i]
    out = np.empty((rank - 1, len(i)), dtype=columns.dtype)
    for j in range(rank - 1):
        place = (j + (j >= pivot)) * n
        out[j] = at_k * flat[place + i] - at_i * flat[place + k]
    return out


def _normalised(columns: np.ndarray) -> np.ndarray:
    """The nonzero vectors divided by their common factors, first nonzero coordinate positive."""
    factor = abs(columns[0])
    for x in columns[1:]:
        factor = np.gcd(factor, x)
    lead = columns[0]
    for x in columns[1:]:
        lead = np.where(lead == 0, x, lead)
    columns = columns // np.where(lead < 0, -factor, factor)
    return fitted(columns) if columns.dtype == object else columns


def _keys(columns: np.ndarray) -> np.ndarray:
    """Integers that are equal for equal vectors and for no others."""
    if columns.dtype == object:
        seen: dict[tuple[int, ...], int] = {}
        vectors = zip(*columns.tolist(), strict=True)
        return np.array([seen.setdefault(v, len(seen)) for v in vectors], dtype=np.int64)
    key, size = np.zeros(columns.shape[1], dtype=np.int64), 1
    for x in columns:
        low, span = int(x.min(initial=0)), int(x.max(initial=0)) - int(x.min(initial=0)) + 1
        if size * span >= SMALL:
            key, x = (np.unique(y, return_inverse=True)[1] for y in (key, x))
            low, size, span = 0, len(key), len(key)
        key = key * span + (x - low)
        size *= span
    return key


def _first_of_each(owner: np.ndarray, key: np.ndarray) -> np.ndarray:
    """Where each pair (owner, key) is met first, sorted by the pair."""
    order = np.lexsort((key, owner))
    fresh = np.ones(len(order), dtype=bool)
    fresh[1:] = (np.diff(owner[order]) != 0) | (np.diff(key[order]) != 0)
    return order[fresh]


def _collect(found: dict[Any, list[Any]], values: np.ndarray, sizes: np.ndarray,
             times: np.ndarray) -> None:
    """Add arrangements to those found, or to the multiplicity of equal ones."""
    ends = np.cumsum(sizes)
    for a, b, count in zip((ends - sizes).tolist(), ends.tolist(), times.tolist(), strict=True):
        group = values[:, a:b]
        key = tuple(group.ravel().tolist()) if group.dtype == object else group.tobytes()
        if key in found:
            found[key][1] += count
        else:
            found[key] = [group, count]
