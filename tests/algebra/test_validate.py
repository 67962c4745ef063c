"""Laws of the exact reading of data, judged by plain Fractions, and the wording of refusals."""

import math
import os
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
import scipy.sparse
from hypothesis import example, given, settings
from hypothesis import strategies as st
from strategies import matrices

from arrangements.algebra.numbers import IntegerMatrix, exact_matrix
from arrangements.checks import check_block_size, check_choice, check_jobs, check_tol
from arrangements.errors import InputError

FEW = settings(max_examples=settings().max_examples // 2)


def read(x, numbers):
    """Return the number an entry stands for, spelled out."""
    if isinstance(x, np.longdouble | np.float32 | np.float16):
        return Fraction(str(x)) if numbers == "decimal" else Fraction(*x.as_integer_ratio())
    if isinstance(x, np.generic):
        x = x.item()
    return Fraction(repr(x)) if numbers == "decimal" and isinstance(x, float) else Fraction(x)


def faults(matrix: IntegerMatrix, rows) -> list[str]:
    """Return what is wrong with `matrix` as an integer matrix of the Fractions `rows`."""
    found = []
    values, scale = matrix.values, matrix.column_scale
    if values.shape != (len(rows), len(rows[0])) or len(scale) != len(rows[0]):
        return ["shape"]
    integers = values.tolist()
    small = all(abs(x) < 2**62 for row in integers for x in row)
    if values.dtype != (np.int64 if small else object):
        found.append("dtype")
    if not all(type(x) is int for row in integers for x in row):
        found.append("not integers")
    if not all(type(c) is Fraction and c > 0 for c in scale):
        found.append("column scale")
    for i, (row, given_row) in enumerate(zip(integers, rows, strict=True)):
        if any(row) and math.gcd(*row) != 1:
            found.append(f"row {i} not primitive")
        product = [x * c for x, c in zip(row, scale, strict=True)]
        ratios = {x / y for x, y in zip(given_row, product, strict=True) if y}
        zeros = [not x for x in given_row] == [not y for y in product]
        if not zeros or len(ratios) > 1 or any(rho <= 0 for rho in ratios):
            found.append(f"row {i} is another one")
    return found


def judge(X, numbers="binary", bias=False, rows=None):
    """Return the faults of exact_matrix(X) against the entries read one by one."""
    rows = [[read(x, numbers) for x in row] + [Fraction(1)] * bias for row in rows or X]
    return faults(exact_matrix(X, bias=bias, numbers=numbers), rows)


finite = st.floats(allow_nan=False, allow_infinity=False)
integers = st.integers(-3, 3) | st.integers(-(2**63), 2**64) | st.integers(-(10**80), 10**80)
mixed = (
    integers
    | finite
    | st.booleans()
    | st.fractions(max_denominator=99)
    | st.decimals(-1000, 1000, places=3)
)
both = pytest.mark.parametrize("numbers", ["binary", "decimal"])


# Every number is read as it is


@both
@given(matrices(finite), st.booleans())
@example([[5e-324, 1.7976931348623157e308], [1.0, 0.0]], True)
@example([[1e22, 1e23], [9007199254740993.0, 0.1]], False)
@example([[1e-150, 1e150], [3e-150, 7e150]], False)
@example([[123456789012345.6, 1e15], [999999999999999.9, 1e16]], False)
def test_floats_are_read_exactly(numbers, X, bias):
    assert judge(X, numbers, bias) == []
    assert judge(np.array(X), numbers, bias) == []


@given(matrices(st.decimals(-(10**6), 10**6, places=4).map(float)))
def test_measured_decimals_are_read_exactly(X):
    assert judge(np.array(X), "decimal") == []


@given(
    matrices(
        st.builds(lambda m, e: float(f"{m}e{e}"), st.integers(0, 10**17), st.integers(-40, 20))
    )
)
def test_decimals_of_any_length_are_read_exactly(X):
    assert judge(np.array(X), "decimal") == []


@given(matrices(integers), st.booleans())
@example([[2**53 + 1, 2**64 + 1], [2**63, -(2**63)]], False)
@example([[-(2**63), 2**62], [2**63 - 1, 0]], False)
def test_integers_never_pass_through_floats(X, bias):
    assert judge(X, "binary", bias) == []
    assert judge(X, "decimal", bias) == []
    assert judge(np.array(X, dtype=object), "binary", bias) == []


@both
@given(matrices(mixed), st.booleans())
@example([[2**53 + 1, 0.5], [1, 2]], False)
@example([[Fraction(1, 3), 0.1, Decimal("0.1"), True]], True)
@example([[np.float32(0.1), 0.1, np.longdouble("0.1"), np.int8(3)]], True)
def test_mixed_entries_are_read_exactly(numbers, X, bias):
    assert judge(X, numbers, bias) == []


@both
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.longdouble, ">f8", ">f4"])
@FEW
@given(matrices(st.floats(-60000, 60000, width=16) | st.sampled_from([5.1, 0.1, 1 / 3, 65504])))
def test_every_float_dtype_is_read_exactly(numbers, dtype, X):
    X = np.array(X, dtype=dtype)
    rows = X if X.dtype.itemsize != 8 else X.tolist()
    assert judge(X, numbers, rows=[list(row) for row in rows]) == []


@both
def test_longdouble_digits_beyond_double_count(numbers):
    X = np.array([["0.1", "3"], ["1e400", "7"]], dtype=np.longdouble)
    assert judge(X, numbers, rows=[list(row) for row in X]) == []


def test_float32_decimals_are_its_shortest():
    X = np.array([[5.1, 0.3], [1 / 3, 1e-20]], dtype=np.float32)
    rows = [["5.1", "0.3"], ["0.33333334", "1e-20"]]
    assert (
        faults(
            exact_matrix(X, bias=False, numbers="decimal"),
            [[Fraction(x) for x in row] for row in rows],
        )
        == []
    )


@pytest.mark.parametrize("dtype", [bool, *"bBhHiIlLqQ", ">i8", ">u8"])
def test_every_integer_dtype_is_read_exactly(dtype):
    dtype = np.dtype(dtype)
    ends = (0, 1) if dtype.kind == "b" else (np.iinfo(dtype).min, np.iinfo(dtype).max)
    X = np.array([[*ends], [1, 1], [0, 1]], dtype=dtype)
    assert judge(X, rows=X.tolist()) == []
    assert judge(X, bias=True, rows=X.tolist()) == []


@pytest.mark.parametrize("kind", ["csr_matrix", "csc_array", "coo_array", "dia_matrix"])
def test_sparse_input_is_dense_input(kind):
    X = np.array([[0, 2.5, 0], [1, 0, 0], [0, 0, 0]])
    assert judge(getattr(scipy.sparse, kind)(X), rows=X.tolist()) == []


def test_arrays_as_rows_keep_their_type():
    X = [np.array([5.1, 2.0], dtype=np.float32), np.array([0.3, 1.0], dtype=np.float32)]
    assert judge(X, "decimal") == []
    X[1] = np.array([2**53 + 1, 1])
    assert judge(X, "decimal") == []


@both
@pytest.mark.parametrize("module", ["pandas", "polars"])
def test_frames_are_read_column_by_column(module, numbers):
    columns = {"a": [2**53 + 1, 1, -2], "b": [0.5, 0.1, 2.0], "c": [True, False, True]}
    rows = list(zip(*columns.values(), strict=True))
    frame = pytest.importorskip(module).DataFrame(columns)
    assert judge(frame, numbers, rows=rows) == []
    assert judge(frame[["b", "c"]], numbers, True, [row[1:] for row in rows]) == []


@both
def test_arrow_tables_are_read_column_by_column(numbers):
    table = pytest.importorskip("pyarrow").table({"a": [2**53 + 1, 1], "b": [0.5, 0.1]})
    assert judge(table, numbers, rows=[(2**53 + 1, 0.5), (1, 0.1)]) == []


def test_frames_with_repeated_names_and_nullable_types():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"a": [1, 2], "b": [3, 5]}, dtype="Int64").set_axis(["a", "a"], axis=1)
    assert judge(frame, rows=[(1, 3), (2, 5)]) == []


def test_input_is_neither_changed_nor_kept():
    for X in (np.array([[2, 4], [6, 8]]), np.array([[0.5, 0.1], [3.0, 2.0]])):
        before = X.copy()
        values = exact_matrix(X, bias=False, numbers="binary").values
        assert (before == X).all() and not np.shares_memory(values, X)


def test_bias_alone_is_enough():
    for X in (np.zeros((3, 0)), [[], [], []]):
        matrix = exact_matrix(X, bias=True, numbers="binary")
        assert matrix.values.tolist() == [[1]] * 3 and matrix.column_scale == (1,)


# Integers stay short


def bits(X, numbers="binary", bias=False):
    values = exact_matrix(X, bias=bias, numbers=numbers).values
    return max(abs(x).bit_length() for row in values.tolist() for x in row)


@both
@pytest.mark.parametrize("exact", [float, Fraction])
@pytest.mark.parametrize(
    "scales",
    [
        [[1e-150, 1e150], [1e-150, 1e150], [1e-150, 1e150]],
        [[1e-150, 1e-150], [1e150, 1e150], [1.0, 1.0]],
        [[1.0, 1e150], [1e-150, 1.0], [1e150, 1e300]],
        [[1e-150, 0.0], [1.0, 1.0], [1.0, 1.0]],
        [[1e-150, 1.0], [0.0, 1.0], [0.0, 1.0]],
    ],
)
def test_row_and_column_scales_cost_no_digits(numbers, exact, scales):
    X = [[exact(x * m) for x, m in zip(row, (3, 5), strict=True)] for row in scales]
    assert judge(X, numbers) == []
    # The scales are powers of ten: as floats their own mantissas stay, nothing more does.
    assert bits(X, numbers) <= 130


def test_common_factors_of_rows_and_columns_go():
    matrix = exact_matrix([[12, 35], [24, 0], [0, 0]], bias=False, numbers="binary")
    assert matrix.values.tolist() == [[1, 1], [1, 0], [0, 0]]
    assert bits([[0.1, 2.5], [5.1, 3.0]], "decimal") <= 6
    assert bits([[1 / 8, 3 / 1024]]) <= 2


def test_unrelated_denominators_stay_in_their_rows():
    primes = [p for p in range(2, 3000) if all(p % q for q in range(2, 55) if q < p)]
    X = [[Fraction(1, p), Fraction(1, p + 1)] for p in primes]
    assert judge(X) == []
    assert bits(X) <= 13


# Refusals name what, where and what to do


@pytest.mark.parametrize(
    ("X", "message"),
    [
        ([[1.0, 2.0], [3.0, math.nan]], r"X must be finite, got nan at row 1, column 1; drop or"),
        (np.array([[1, np.inf]]), r"finite, got inf at row 0, column 1"),
        (np.array([[1], [-np.inf]], dtype=np.float32), r"finite, got -inf at row 1, column 0"),
        ([[Fraction(1, 3), math.nan]], r"finite, got nan at row 0, column 1"),
        ([[Decimal("NaN")]], r"finite, got nan at row 0, column 0"),
        ([[Decimal("Infinity")]], r"finite, got infinity at row 0, column 0"),
        ([[1, 2j]], r"real numbers, got complex 2j at row 0, column 1"),
        (np.array([[1j]]), r"complex128 .*row 0, column 0.*; split it"),
        ([["a", 1]], r"real numbers, got str 'a' at row 0, column 0; convert"),
        (["ab", "cd"], r"real numbers, got str 'ab' at row 0"),
        ("ab", r"2-D, got 0-D \(str\)"),
        (np.array([["5.1"]]), r"real numbers, got str '5.1' at row 0, column 0"),
        ([[1, None]], r"NoneType None at row 0, column 1; drop or impute it"),
        (None, r"2-D, got 0-D \(NoneType\)"),
        (np.array([["2020-01-01"]], dtype="M8[D]"), r"real numbers, got dtype datetime64"),
        (np.zeros((2, 2), dtype="i4,f8"), r"real numbers, got dtype"),
        ([], r"at least one row and one column, got shape \(0, 0\)"),
        (np.zeros((0, 3)), r"got shape \(0, 3\)"),
        (np.zeros((3, 0)), r"got shape \(3, 0\)"),
        ([1, 2, 3], r"2-D, got 1-D \(list\); reshape it: X.reshape\(-1, 1\)"),
        (np.arange(3), r"2-D, got 1-D \(ndarray\); reshape"),
        (np.zeros((1, 1, 1)), r"2-D, got 3-D"),
        ([[[1], [2]], [[3], [4]]], r"2-D, got 3-D \(nested sequence at row 0, column 0\)"),
        ([np.zeros((2, 2))], r"2-D, got 3-D"),
        ([[1, 2], [3, [4]]], r"2-D, got 3-D \(nested sequence at row 1, column 1\)"),
        ([[1, 2, 3], [4, 5]], r"row 1 has 2 columns, expected 3"),
        ([[1, 2], 3], r"row 1 is 3, expected 2 columns"),
        (np.ma.array([[1, 2]], mask=[[0, 1]]), r"masked entry at row 0, column 1; fill it"),
        ([np.ma.array([1, 2], mask=[0, 1])], r"masked at row 0, column 1"),
        (scipy.sparse.csr_array(np.array([[0, np.nan]])), r"got nan at row 0, column 1"),
        ({"a": [1]}, r"2-D, got 0-D \(dict\)"),
    ],
)
def test_bad_data_are_refused(X, message):
    for numbers in ("binary", "decimal"):
        with pytest.raises(InputError, match=message):
            exact_matrix(X, bias=False, numbers=numbers)


@pytest.mark.parametrize("module", ["pandas", "polars"])
@pytest.mark.parametrize("bad", [[1.0, math.nan], [1.0, None], [1, None], ["a", "b"]])
def test_refusals_name_the_column_of_a_frame(module, bad):
    frame = pytest.importorskip(module).DataFrame({"width": [1, 2], "height": bad})
    with pytest.raises(InputError, match=r"got .* at row [01], column 'height'"):
        exact_matrix(frame, bias=False, numbers="binary")


def test_whole_masked_arrays_without_masked_entries_pass():
    assert judge(np.ma.array([[1, 2], [3, 4]], mask=False), rows=[[1, 2], [3, 4]]) == []


@pytest.mark.parametrize("numbers", ["exact", None, 10, ["binary"]])
def test_numbers_is_one_of_two_choices(numbers):
    with pytest.raises(InputError, match="numbers must be 'binary' or 'decimal', got"):
        exact_matrix([[1]], bias=False, numbers=numbers)
    assert check_choice("side", "left", ("left", "right")) == "left"


@pytest.mark.parametrize("bias", [1, None, "yes"])
def test_bias_is_a_truth_value(bias):
    with pytest.raises(InputError, match="bias must be True or False, got"):
        exact_matrix([[1]], bias=bias, numbers="binary")


def test_jobs_are_positive_or_minus_one():
    assert check_jobs(3) == 3 and check_jobs(np.int64(2)) == 2
    assert 1 <= check_jobs(-1) <= os.cpu_count()
    for bad in (0, -2, 1.0, "2", None, True):
        with pytest.raises(InputError, match="n_jobs must be"):
            check_jobs(bad)


def test_block_size_is_positive():
    assert check_block_size(np.int32(7)) == 7
    for bad in (0, -1, 2.0, None, False):
        with pytest.raises(InputError, match="block_size must be"):
            check_block_size(bad)


def test_tolerance_is_small_and_positive():
    assert check_tol(None) is None
    for good in (1e-9, 1e-2, np.float32(1e-6), Fraction(1, 1000)):
        assert check_tol(good) == float(good) and type(check_tol(good)) is float
    for bad in (0, -1e-9, 0.011, 1, math.nan, math.inf, "1e-9", True, 1j, Fraction(1, 10**400)):
        with pytest.raises(InputError, match="tol must be None or a number in"):
            check_tol(bad)


# The judge itself


def test_faults_refuses_wrong_matrices():
    rows = [[Fraction(1, 2), Fraction(0)], [Fraction(3), Fraction(1)]]

    def wrong(values, scale=(1, 1), dtype=np.int64):
        return faults(IntegerMatrix(np.array(values, dtype), tuple(map(Fraction, scale))), rows)

    assert wrong([[1, 0], [3, 1]]) == []
    assert wrong([[1, 0], [3, 1]], dtype=object) == ["dtype"]
    assert wrong([[2, 0], [3, 1]]) == ["row 0 not primitive"]
    assert wrong([[-1, 0], [3, 1]]) == ["row 0 is another one"]
    assert wrong([[1, 1], [3, 1]]) == ["row 0 is another one"]
    assert wrong([[1, 0], [3, 1]], (1, 2)) == ["row 1 is another one"]
    assert "column scale" in wrong([[1, 0], [3, 1]], (-1, -1))
