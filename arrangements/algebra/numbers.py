"""Reading of data: the one place where numbers of any type become exact integers.

Whatever number type the caller has, the data become integers once, exactly, and every later sign
is decided from those. Two representations lead there: mantissa and exponent arrays for floats
(vectorised), and Python integers for everything that does not fit them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from functools import partial
from itertools import chain
from typing import Any

import numpy as np

from arrangements.algebra.rounding import fitted
from arrangements.checks import EXACT_TYPES, check_choice
from arrangements.errors import InputError

_FLOAT_EXACT = 2**53  # integers up to here are floats, and their shortest decimal is themselves
_MAX_LCM_BITS = 8192  # past this a column's common denominator costs more than it saves


@dataclass(frozen=True, eq=False)
class IntegerMatrix:
    """Data as integers: ``X[i, j] == rho_i * values[i, j] * column_scale[j]`` with some rho_i > 0.

    Positive row factors change no sign vector; `column_scale` is undone on witnesses.

    Attributes
    ----------
    values : ndarray, shape (n, d)
        int64 when every entry is below 2**62 in magnitude, otherwise object (Python integers).
        The entries of a nonzero row have greatest common divisor 1.
    column_scale : tuple of d Fraction
        Positive.
    lead : ndarray, shape (n,), optional
        The number that was read at each row's first nonzero entry; needed by `row` only.
    decimal : bool
        How `lead` is read.
    """

    values: np.ndarray
    column_scale: tuple[Fraction, ...]
    lead: np.ndarray | None = None
    decimal: bool = False

    def row(self, i: int) -> list[Fraction]:
        """Row i of X, exactly as read."""
        scaled = [x * s for x, s in zip(self.values[i].tolist(), self.column_scale, strict=True)]
        first = next(filter(None, scaled), None)
        if first is None or self.lead is None:
            return scaled
        factor = _fraction(self.lead[i], self.decimal) / first
        return [factor * x for x in scaled]


def exact_matrix(X: Any, *, bias: bool, numbers: str) -> IntegerMatrix:
    """Read data as integers, up to positive factors of rows and columns, without rounding.

    Parameters
    ----------
    X : array-like, shape (n, d)
        Integers, floats, booleans, Fractions or Decimals, mixed or not: nested sequences, an
        array, a data frame (pandas, polars, pyarrow) or a scipy sparse matrix.
    bias : bool
        Append a column of ones.
    numbers : {"binary", "decimal"}
        Read a float as the dyadic rational it is, or as its shortest decimal (5.1 is 51/10).

    Returns
    -------
    IntegerMatrix

    Raises
    ------
    InputError
        If an entry is not a finite real number, or the data are empty or not two-dimensional.

    Notes
    -----
    Exact for every finite input. Column scales are rational, found so that the integers stay
    short: a column near 1e-150 beside one near 1e150 costs no digits.
    """
    check_choice("numbers", numbers, ("binary", "decimal"))
    if not isinstance(bias, bool | np.bool_):
        raise InputError(f"bias must be True or False, got {bias!r}")
    decimal = numbers == "decimal"
    array = _read(X, decimal)
    n, d = array.shape
    if n == 0 or (d == 0 and not bias):
        raise InputError(
            f"X must have at least one row and one column, got shape {(n, d)}; pass some data"
        )
    if bias:
        array = np.hstack([array, np.ones((n, 1), dtype=array.dtype)])
    lead = array[np.arange(n), (array != 0).argmax(axis=1)]
    return replace(_as_integers(array, decimal), lead=lead, decimal=decimal)


def _as_integers(array: np.ndarray, decimal: bool) -> IntegerMatrix:
    if array.dtype == np.float64 and _is_integral(array):
        array = array.astype(np.int64)
    if array.dtype == np.int64:
        return _finish(array, [Fraction(1)] * array.shape[1])
    if array.dtype == np.float64:
        mantissa, exponent = (_decimal_parts if decimal else _binary_parts)(array)
        return _scaled(mantissa, exponent, 10 if decimal else 2)
    exact = [_fraction(x, decimal) for x in array.ravel().tolist()]
    return _rational(_object_array([x.numerator for x in exact], array.shape),
                     _object_array([x.denominator for x in exact], array.shape))


def exact_vector(name: str, value: Any, length: int) -> list[Fraction]:
    """Return a vector of numbers as it is, without rounding."""
    array = np.array(value, dtype=object)  # as float64, long integers beside floats would round
    if array.shape != (length,):
        raise InputError(f"{name} must have shape ({length},), got {array.shape}")
    out = []
    for j, x in enumerate(array.tolist()):
        try:
            if not isinstance(x, EXACT_TYPES):
                raise TypeError
            out.append(_fraction(x, False))
        except (TypeError, ValueError, OverflowError):
            raise InputError(
                f"{name} must hold finite real numbers, got {x!r:.60} at {j}") from None
    return out


# Reading: anything -> (n, d) array of int64, float64, or object (exact Python or numpy numbers)


def _read(X: Any, decimal: bool) -> np.ndarray:
    if isinstance(X, list | tuple):
        return _read_rows(X, decimal)
    columns = _frame_columns(X)
    if columns is not None:
        return _read_columns(columns, decimal)
    if hasattr(X, "toarray"):
        X = X.toarray()
    array = X if isinstance(X, np.ndarray) else np.asarray(X)
    if array.ndim != 2:
        raise InputError(_not_2d(array.ndim, type(X).__name__))
    return _canonical(array, decimal, lambda k: _place(*divmod(k, array.shape[1])))


def _read_rows(X: Sequence[Any], decimal: bool) -> np.ndarray:
    lengths = [_length(row) for row in X]
    d = lengths[0] if lengths else 0
    if d is None:
        if isinstance(X[0], str | bytes):
            raise InputError(_not_a_number(X[0], "row 0"))
        raise InputError(_not_2d(1, type(X).__name__))
    for i, length in enumerate(lengths):
        if length != d:
            got = f"is {X[i]!r:.60}" if length is None else f"has {length} columns"
            raise InputError(
                f"X must have rows of equal length, but row {i} {got}, expected {d} columns; "
                "complete or drop it"
            )
    arrays = all(type(row) is np.ndarray for row in X)
    if arrays and len({(row.dtype, row.shape) for row in X}) == 1:
        # Keeps the type of e.g. float32 rows, and spares a Python loop.
        return _read(np.stack(X), decimal)

    def place(k: int) -> str:
        return _place(*divmod(k, d))

    flat = list(chain.from_iterable(X))
    for k, x in enumerate(flat):
        if not isinstance(x, EXACT_TYPES) and _length(x) is not None:
            raise InputError(_not_2d(3, f"nested sequence at {place(k)}"))
    return _from_numbers(flat, decimal, place).reshape(len(X), d)


def _frame_columns(X: Any) -> list[tuple[Any, Any]] | None:
    """Name and values of each column of a data frame, or None if X is not one."""
    if hasattr(X, "columns") and hasattr(X, "iloc"):  # pandas
        return list(X.items())
    if hasattr(X, "get_columns"):  # polars
        return [(series.name, series) for series in X.get_columns()]
    if hasattr(X, "itercolumns"):  # pyarrow
        return list(zip(X.column_names, X.itercolumns(), strict=True))
    return None


def _read_columns(columns: list[tuple[Any, Any]], decimal: bool) -> np.ndarray:
    # Column by column: joining an int64 and a float64 column first would round the integers.
    arrays = []
    for name, series in columns:
        array = np.asarray(series.to_numpy())
        if array.ndim != 1:
            raise InputError(_not_2d(array.ndim + 1, f"column {name!r}"))
        arrays.append(_canonical(array, decimal, partial(_place, column=name)))
    if not arrays:
        return np.zeros((0, 0), dtype=np.int64)
    kinds = {array.dtype for array in arrays}
    if len(kinds) > 1 and (
        object in kinds
        or any(array.dtype == np.int64 and not _is_integral(array) for array in arrays)
    ):
        arrays = [array.astype(object) for array in arrays]
    return np.stack(arrays, axis=1)


def _canonical(array: np.ndarray, decimal: bool, place: Callable[[int], str]) -> np.ndarray:
    """Return the same numbers as int64, float64 or object; `place` words a flat position."""
    kind = array.dtype.kind
    # np.ma takes long to import, and a plain array is not masked
    if type(array) is not np.ndarray and isinstance(array, np.ma.MaskedArray):
        mask = np.ma.getmaskarray(array).ravel()
        if mask.any():
            where = place(int(mask.argmax()))
            raise InputError(f"X must not be masked, got a masked entry at {where}; fill it")
    array = np.asarray(array)
    if kind == "O":
        return _from_numbers(array.ravel().tolist(), decimal, place).reshape(array.shape)
    if kind in "bi" or (kind == "u" and (array.dtype.itemsize < 8 or array.max(initial=0) < 2**63)):
        return array.astype(np.int64)
    if kind == "u":
        return array.astype(object)
    if kind == "f":
        finite = np.isfinite(array).ravel()
        if not finite.all():
            k = int(finite.argmin())
            raise InputError(_not_finite(array.ravel()[k], place(k)))
        if array.dtype.itemsize == 8:
            return array.astype(np.float64, copy=False)
        if array.dtype.itemsize < 8:
            # Nine digits determine a float32: the float64 nearest to them prints as the same ones.
            return array.astype(str).astype(np.float64) if decimal else array.astype(np.float64)
        with np.errstate(over="ignore", under="ignore"):
            double = array.astype(np.float64)
        return double if not decimal and (double == array).all() else array.astype(object)
    if array.size == 0:
        return np.zeros(array.shape, dtype=np.int64)
    if kind in "US":
        raise InputError(_not_a_number(array.ravel()[0].item(), place(0)))
    raise InputError(
        f"X must hold real numbers, got dtype {array.dtype} ({place(0)}); "
        + ("split it into real and imaginary columns" if kind == "c" else "convert it to numbers")
    )


def _from_numbers(flat: list[Any], decimal: bool, place: Callable[[int], str]) -> np.ndarray:
    """One-dimensional int64, float64 or object array of the numbers in a list."""
    types = set(map(type, flat))
    for bad in (t for t in types if not issubclass(t, EXACT_TYPES)):
        k = next(k for k, x in enumerate(flat) if type(x) is bad)
        raise InputError(_not_a_number(flat[k], place(k)))
    if types <= {int, bool, np.bool_, np.int64}:
        try:
            return np.array(flat, dtype=np.int64)
        except OverflowError:
            return _object_array(flat, (len(flat),))
    if types <= {int, bool, float, np.float64} and all(
        abs(x) <= _FLOAT_EXACT for x in flat if isinstance(x, int)
    ):
        return _canonical(np.array(flat, dtype=np.float64), decimal, place)
    for k, x in enumerate(flat):
        finite = x.is_finite() if isinstance(x, Decimal) else True
        if not finite or (isinstance(x, float | np.floating) and not np.isfinite(x)):
            raise InputError(_not_finite(x, place(k)))
    return _object_array(flat, (len(flat),))


def _length(row: Any) -> int | None:
    try:
        return None if isinstance(row, str | bytes | dict | set) else len(row)
    except TypeError:
        return None


def _place(row: int, column: Any) -> str:
    return f"row {row}, column {column!r}"


def _not_2d(ndim: int, what: str) -> str:
    hint = {
        0: "pass rows of numbers",
        1: "reshape it: X.reshape(-1, 1) for one feature, X.reshape(1, -1) for one sample",
    }.get(ndim, "reshape it to (n_samples, n_features)")
    return f"X must be 2-D, got {ndim}-D ({what}); {hint}"


def _not_a_number(x: Any, where: str) -> str:
    hint = "drop or impute it" if x is None or "NA" in repr(x) else "convert it or drop it"
    return f"X must hold real numbers, got {type(x).__name__} {x!r:.60} at {where}; {hint}"


def _not_finite(x: Any, where: str) -> str:
    return f"X must be finite, got {str(x).lower()} at {where}; drop or impute it"


# Converting: exact numbers -> integers times row and column factors


def _is_integral(array: np.ndarray) -> bool:
    """Whether all entries are integers that int64 and float64 both hold exactly."""
    low, high = array.min(initial=0), array.max(initial=0)
    if low < -_FLOAT_EXACT or high > _FLOAT_EXACT:
        return False
    return array.dtype.kind == "i" or bool((array == np.rint(array)).all())


def _fraction(x: Any, decimal: bool) -> Fraction:
    if isinstance(x, float | np.floating):
        # str, not repr: numpy's repr names the type; str is the shortest decimal of that type.
        return Fraction(str(x)) if decimal else Fraction(*x.as_integer_ratio())
    return Fraction(int(x)) if isinstance(x, int | np.integer | np.bool_) else Fraction(x)


def _binary_parts(array: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Odd (or zero) int64 m and e with array == m * 2**e."""
    fraction, exponent = np.frexp(array)
    mantissa = np.ldexp(fraction, 53).astype(np.int64)
    # The lowest set bit is a power of two, which frexp reads off exactly.
    zeros = np.frexp((mantissa & -mantissa).astype(np.float64))[1] - 1
    zeros[mantissa == 0] = 0
    return mantissa >> zeros, exponent.astype(np.int64) - 53 + zeros


def _decimal_parts(array: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Int64 m and e with m * 10**e the shortest decimal that rounds to each float."""
    flat = array.ravel()
    mantissa, exponent = np.zeros(flat.size, np.int64), np.zeros(flat.size, np.int64)
    todo, done = np.arange(flat.size), np.zeros(flat.size, bool)
    # Decimals of at most 15 digits go to distinct doubles, so one that rounds to x is the shortest.
    # Division is correctly rounded and 10**k exact for k <= 22: y / 10**k == x decides it.
    with np.errstate(over="ignore"):
        for k in range(23):
            x = flat[todo]
            y = np.rint(x * 10.0**k)
            short = np.abs(y) < 1e15
            hit = (y / 10.0**k == x) & short
            mantissa[todo[hit]], exponent[todo[hit]] = y[hit].astype(np.int64), -k
            done[todo[hit]] = True
            todo = todo[short & ~hit]
            if not todo.size:
                break
    todo = np.flatnonzero(~done)
    digits, powers = [], []
    for text in map(repr, flat[todo].tolist()):
        text, _, power = text.partition("e")
        whole, _, part = text.partition(".")
        digits.append(int(whole + part))
        powers.append(int(power or 0) - len(part))
    mantissa[todo], exponent[todo] = digits, powers
    return mantissa.reshape(array.shape), exponent.reshape(array.shape)


def _scaled(mantissa: np.ndarray, exponent: np.ndarray, base: int) -> IntegerMatrix:
    """Integer matrix of mantissa * base**exponent."""
    nonzero = mantissa != 0
    digits = np.log(np.abs(mantissa), where=nonzero, out=np.zeros(mantissa.shape)) / math.log(base)
    limit = 61.9 / math.log2(base)
    columns = _column_exponents(exponent, exponent + digits, nonzero, limit)
    shift = _row_shifts(exponent, columns, nonzero)
    dtype = np.int64 if (digits + shift).max() < limit else object
    powers = np.array([base**k for k in range(int(shift.max()) + 1)], dtype=dtype)
    values = mantissa.astype(dtype) * powers[shift]
    return _finish(values, [Fraction(base**c) if c >= 0 else Fraction(1, base**-c)
                            for c in columns.tolist()])


def _rational(numerator: np.ndarray, denominator: np.ndarray) -> IntegerMatrix:
    """Integer matrix of numerator / denominator, both of Python integers."""
    results = []
    common = [_common_multiple(column) for column in denominator.T.tolist()]
    if None not in common:
        results.append(_cleared(numerator, denominator, [Fraction(1, c) for c in common]))
    if not results or results[0].values.dtype == object:
        low = _integers_of(_trailing_zeros, numerator) - _integers_of(_trailing_zeros, denominator)
        high = _integers_of(int.bit_length, numerator) - _integers_of(int.bit_length, denominator)
        columns = _column_exponents(low, high, numerator != 0, 0)
        results.append(_cleared(numerator, denominator, [Fraction(2) ** int(c) for c in columns]))
    return min(results, key=_width)


def _common_multiple(column: list[int]) -> int | None:
    """Least common multiple, or None if it gets too long to be of use."""
    result = 1
    for x in set(column):
        result = math.lcm(result, x)
        if result.bit_length() > _MAX_LCM_BITS:
            return None
    return result


def _cleared(
    numerator: np.ndarray, denominator: np.ndarray, scale: list[Fraction]
) -> IntegerMatrix:
    """Divide the columns by `scale`, then clear the denominators of each row."""
    top = numerator * _object_array([c.denominator for c in scale], (len(scale),))
    bottom = denominator * _object_array([c.numerator for c in scale], (len(scale),))
    # In lowest terms: a row factor too large would pass for a common factor of a column.
    factor = np.gcd(top, bottom)
    top, bottom = top // factor, bottom // factor
    common = np.lcm.reduce(bottom, axis=1, keepdims=True)
    return _finish(top * (common // bottom), scale)


def _finish(values: np.ndarray, scale: list[Fraction]) -> IntegerMatrix:
    """Take common factors out of columns and rows and choose the dtype."""
    values = fitted(values)
    # A row stays primitive when its columns are divided afterwards, so the order ends on columns.
    for axis in (0, 1, 0):
        # abs: the reduction of a single number is that number, sign and all.
        factor = abs(np.gcd.reduce(values, axis=axis, keepdims=True))
        if (factor == 1).all():
            if axis == 1:  # rows were primitive, and columns have no common factor left
                break
            continue
        factor[factor == 0] = 1
        values = values // factor
        if axis == 0:
            scale = [c * int(g) for c, g in zip(scale, factor[0], strict=True)]
    if values.dtype == object:
        values = fitted(values)
    return IntegerMatrix(np.ascontiguousarray(values), tuple(scale))


def _column_exponents(
    low: np.ndarray, high: np.ndarray, nonzero: np.ndarray, limit: float
) -> np.ndarray:
    """Exponents to take out of the columns so that few digits are left.

    Entry (i, j) has digits from position `low` to `high`. The plain choice is each column's lowest
    position, kept if all fits in `limit` digits. Otherwise the choice that needs least among it,
    the lowest after rows were shifted first, and an alternating centring of rows and columns.
    """

    def lowest(exponents: np.ndarray, axis: int) -> np.ndarray:
        return _masked(True, exponents, nonzero, axis)

    def centre(exponents: np.ndarray, axis: int) -> np.ndarray:
        out: np.ndarray = (lowest(exponents, axis) + _masked(False, exponents, nonzero, axis)) / 2
        return out

    def digits(columns: np.ndarray) -> np.ndarray:
        used = np.where(nonzero, high - columns - lowest(low - columns, 1)[:, None], 0)
        out: np.ndarray = used.max(axis=0)
        return out

    plain = lowest(low, 0)
    if digits(plain).max() < limit:
        return plain
    middle = (low + high) / 2
    columns = np.zeros(low.shape[1])
    for _ in range(8):
        columns = centre(middle - centre(middle - columns, 1)[:, None], 0)
    choices = [plain, lowest(low - lowest(low, 1)[:, None], 0), np.rint(columns).astype(np.int64)]
    return min(choices, key=lambda c: float(digits(c).sum()))


def _row_shifts(low: np.ndarray, columns: np.ndarray, nonzero: np.ndarray) -> np.ndarray:
    """Exponents left in each row after its lowest one is taken out; 0 at zero entries."""
    left = low - columns
    return np.where(nonzero, left - _masked(True, left, nonzero, 1)[:, None], 0)


def _masked(minimum: bool, values: np.ndarray, mask: np.ndarray, axis: int) -> np.ndarray:
    """Minimum (or maximum) over the entries in the mask, 0 where there is none."""
    if mask.all():
        out: np.ndarray = values.min(axis=axis) if minimum else values.max(axis=axis)
        return out
    filled = np.where(mask, values, _FLOAT_EXACT if minimum else -_FLOAT_EXACT)
    result = filled.min(axis=axis) if minimum else filled.max(axis=axis)
    return np.where(mask.any(axis=axis), result, 0)


def _width(matrix: IntegerMatrix) -> int:
    bits = _integers_of(int.bit_length, matrix.values.astype(object))
    return int(bits.max(axis=0).sum())


def _integers_of(function: Callable[[int], int], array: np.ndarray) -> np.ndarray:
    flat = np.fromiter(map(function, array.ravel().tolist()), np.int64, array.size)
    return flat.reshape(array.shape)


def _trailing_zeros(x: int) -> int:
    return (x & -x).bit_length() - 1 if x else 0


def _object_array(flat: list[Any], shape: tuple[int, ...]) -> np.ndarray:
    array = np.empty(math.prod(shape), dtype=object)
    array[:] = flat
    return array.reshape(shape)
