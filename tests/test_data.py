"""Tables arrive as they were written: exact decimals, nothing dropped, errors of one line."""

import sys
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from arrangements.bundled import bundled
from arrangements.data import load_table
from arrangements.errors import InputError

SETS = {"iris": (150, 4), "diabetes": (442, 10), "wine": (178, 13), "breast_cancer": (569, 30)}
CSV = "length,width,species\n5.1,3,setosa\n4.9,-.5e1,setosa\n+6.,1E-2,virginica\n"


@pytest.fixture
def write(tmp_path):
    def write(name, content):
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return write


def refused(source, *parts, **options):
    """The source must be refused, in one line that holds the parts."""
    with pytest.raises(InputError) as caught:
        load_table(source, **options)
    message = str(caught.value)
    assert "\n" not in message
    for part in parts:
        assert part in message
    return message


# --- text


def test_cells_are_the_decimals_written(write):
    values, names, numbers = load_table(write("t.csv", CSV), columns="0-1")
    assert values.tolist() == [[Fraction(51, 10), 3], [Fraction(49, 10), -5], [6, Fraction(1, 100)]]
    assert (names, numbers) == (["length", "width"], "decimal")


@given(
    st.lists(
        st.lists(
            st.decimals(allow_nan=False, allow_infinity=False, places=5), min_size=3, max_size=3
        ),
        min_size=1,
        max_size=5,
    ),
    st.sampled_from([("csv", ","), ("csv", ";"), ("tsv", "\t"), ("txt", " "), ("txt", ",")]),
)
def test_text_round_trips_exactly(tmp_path_factory, table, style):
    suffix, delimiter = style
    path = tmp_path_factory.mktemp("text") / f"t.{suffix}"
    path.write_text("".join(delimiter.join(map(str, row)) + "\r\n" for row in table))
    values, names, _ = load_table(path)
    assert values.tolist() == [[Fraction(cell) for cell in row] for row in table]
    assert names == ["0", "1", "2"]


def test_integers_beyond_floats_stay_exact(write):
    values, _, _ = load_table(write("t.csv", f"a,b\n{2**53 + 1},1e300\n"))
    assert values.tolist() == [[2**53 + 1, 10**300]]


def test_quotes_blank_lines_and_byte_order_marks_are_no_data(write):
    path = write("t.csv", '\ufeff"a, b",c\n\n"1",2\n\n 3 , 4\n\n')
    values, names, _ = load_table(path)
    assert values.tolist() == [[1, 2], [3, 4]]
    assert names == ["a, b", "c"]
    assert load_table(path, columns="a, b")[1] == ["a, b"]


def test_comments_and_blanks_in_txt(write):
    values, names, _ = load_table(write("t.txt", "# made, by hand\nx  y\n1 2 # first\n\n 3\t4\n"))
    assert values.tolist() == [[1, 2], [3, 4]]
    assert names == ["x", "y"]


def test_columns_of_text_are_never_dropped_silently(write):
    refused(write("t.csv", CSV), "'species'", "'setosa'", "--columns 0-1")
    refused(write("t.csv", "a,b,c,d\n1,x,2,y\n"), "'b', 'd'", "--columns 0,2")
    assert refused(write("t.csv", "a\nx\n"), "'a'").endswith("leave it out")


def test_a_first_row_that_may_be_data_is_never_taken_for_names(write):
    for text in ("5.1,Iris-setosa\n4.9,Iris-setosa\n", "5.1,NA\n4.9,3\n", ",0\n0,5\n"):
        refused(write("t.csv", text), "first row", "t.csv")


@pytest.mark.parametrize(
    "cell",
    ["NA", "", "nan", "inf", "1/2", "1_0", "0x1", "5,1", "1e", "1e99999999", "٣", "5" * 5000],
)
def test_unreadable_cells_are_located(write, cell):
    path = write("t.csv", f'a,b\n1,2\n3,"{cell}"\n')
    refused(path, "'b'", repr(cell)[:59], "row 1", "line 3")
    assert load_table(path, columns="a")[0].tolist() == [[1], [3]]
    assert load_table(path, rows="0")[0].tolist() == [[1, 2]]


def test_rows_of_another_length_are_located(write):
    refused(write("t.csv", "a,b\n1,2\n3\n"), "2 cells", "row 1", "line 3")
    refused(write("t.csv", "a,b\n1,2\n\n3,4,5\n"), "got 3", "row 1", "line 4")
    refused(write("t.csv", "a,b\n1,2\n,\n"), "row 1")


@pytest.mark.parametrize("content", ["", "\n \n", "a,b\n", b"\xff\xfe1,2", 'a,b\n1,"2'])
def test_files_without_a_table_are_refused(write, content):
    for suffix in ("csv", "tsv"):
        refused(write(f"t.{suffix}", content))


# --- numpy and Parquet


@pytest.mark.parametrize("dtype", [bool, np.int8, np.uint64, np.float32, np.float64])
def test_numpy_arrays_come_back_unchanged(tmp_path, dtype):
    X = np.arange(12).reshape(4, 3).astype(dtype)
    np.save(tmp_path / "X.npy", X)
    np.savez(tmp_path / "one.npz", anything=X)
    np.savez(tmp_path / "two.npz", X=X, y=np.zeros(4))
    for source in ("X.npy", "one.npz", "two.npz", "two.npz:X"):
        values, names, numbers = load_table(f"{tmp_path}/{source}")
        assert values.dtype == dtype
        assert np.array_equal(values, X)
        assert (names, numbers) == (["0", "1", "2"], "binary")
    values, names, _ = load_table(tmp_path / "X.npy", columns=[2, 0], rows=slice(1, 3))
    assert np.array_equal(values, X[1:3][:, [2, 0]])
    assert names == ["2", "0"]


def test_archives_of_several_arrays_want_a_name(tmp_path):
    path = tmp_path / "z.npz"
    np.savez(path, a=np.ones((2, 2)), b=np.zeros((2, 2)))
    refused(path, "'a', 'b'", "z.npz:")
    refused(f"{path}:c", "'a', 'b'")
    assert load_table(f"{path}:b")[0].tolist() == [[0, 0], [0, 0]]


@pytest.mark.parametrize(
    "array", [np.ones(3), np.ones((2, 2, 2)), np.ones((2, 2)) * 1j, np.array([["a"]])]
)
def test_arrays_that_are_no_matrix_are_refused(tmp_path, array):
    np.save(tmp_path / "X.npy", array)
    refused(tmp_path / "X.npy", "2-D", "X.npy")


def test_damaged_binary_files_are_refused(tmp_path, write):
    np.save(tmp_path / "X.npy", np.ones((5, 5)))
    whole = (tmp_path / "X.npy").read_bytes()
    for content in (b"", b"text", whole[:-1], whole[:40]):
        for name in ("t.npy", "t.npz"):
            refused(write(name, content), name)
    pytest.importorskip("pyarrow")
    refused(write("t.parquet", b"PAR1 and nothing else"), "t.parquet")
    refused(write("t.parquet", b""), "t.parquet")


@pytest.fixture
def parquet(tmp_path):
    pa = pytest.importorskip("pyarrow")
    module = pytest.importorskip("pyarrow.parquet")

    def write(columns):
        module.write_table(pa.table(columns), tmp_path / "t.parquet")
        return tmp_path / "t.parquet"

    return write


def test_parquet_columns_are_chosen_by_name(parquet):
    path = parquet({"a": [1, 2, 3], "b": [0.5, 1.5, 2.5], "c": [True, False, True]})
    values, names, numbers = load_table(path)
    assert values.tolist() == [[1, 0.5, 1], [2, 1.5, 0], [3, 2.5, 1]]
    assert (names, numbers) == (["a", "b", "c"], "binary")
    values, names, _ = load_table(path, columns=["c", 0], rows="2,0")
    assert values.tolist() == [[1, 3], [1, 1]]
    assert names == ["c", "a"]


def test_parquet_integers_beyond_floats_stay_exact(parquet):
    values, _, _ = load_table(parquet({"a": [2**53 + 1, -(2**63)], "b": [0.5, 1.0]}))
    assert values.tolist() == [[2**53 + 1, 0.5], [-(2**63), 1.0]]
    values, _, _ = load_table(parquet({"a": [Decimal("0.1"), Decimal("2.5")]}))
    assert values.tolist() == [[Fraction(1, 10)], [Fraction(5, 2)]]


def test_parquet_text_and_nulls_are_refused(parquet):
    refused(parquet({"a": [1, 2], "s": ["x", "y"]}), "'s'", "string", "--columns 0")
    refused(parquet({"a": [1, 2, None]}), "'a'", "null in row 2")


def test_the_pandas_index_is_no_column(tmp_path):
    pandas = pytest.importorskip("pandas")
    pytest.importorskip("pyarrow")
    frame = pandas.DataFrame({"a": [1, 2, 3], "b": [4, 5, 6]}).iloc[[2, 0]]
    frame.to_parquet(tmp_path / "t.parquet")
    values, names, _ = load_table(tmp_path / "t.parquet")
    assert (values.tolist(), names) == ([[3, 6], [1, 4]], ["a", "b"])


# --- bundled sets


@pytest.mark.parametrize("name", SETS)
def test_bundled_sets_hold_measured_decimals(name):
    pytest.importorskip("sklearn")
    values, names, numbers = load_table(name)
    assert values.shape == SETS[name]
    assert len(names) == values.shape[1]
    assert numbers == "decimal"
    # A measurement has few digits; a scaled or rounded quotient has sixteen.
    assert max(len(repr(cell)) for cell in values.ravel().tolist()) <= 10


@pytest.mark.parametrize("name", SETS)
def test_bundled_sets_are_those_of_scikit_learn(name):
    datasets = pytest.importorskip("sklearn.datasets")
    options = {"scaled": False} if name == "diabetes" else {}
    expected = getattr(datasets, f"load_{name}")(**options)
    values, target, names = bundled(name)
    assert np.array_equal(values, expected.data)
    assert np.array_equal(target, expected.target)
    assert names == list(map(str, expected.feature_names))


def test_bundled_columns_have_names():
    pytest.importorskip("sklearn")
    values, names, _ = load_table("diabetes", columns=["bmi", "0"], rows="0:2")
    assert names == ["bmi", "age"]
    assert values.tolist() == [[32.1, 59.0], [21.6, 48.0]]


def test_missing_packages_are_named(monkeypatch, write):
    for module in ("sklearn", "pyarrow", "pyarrow.parquet"):
        monkeypatch.setitem(sys.modules, module, None)
    refused("iris", "scikit-learn", "pip install")
    refused(write("t.parquet", b"PAR1"), "pyarrow", "pip install")


def test_unknown_sources_are_refused(tmp_path, write):
    refused("irsi", "did you mean 'iris'?")
    refused("Breast-Cancer", "did you mean 'breast_cancer'?")
    refused("absent.csv", "'absent.csv'", "'wine'")
    refused(tmp_path, "must be a file")
    refused(write("t.xlsx", "1"), "t.xlsx", ".parquet")
    refused("a\nb", "'a\\nb'")


# --- selections


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        ("b", [1]),
        ("b,a", [1, 0]),
        ("0-2", [0, 1, 2]),
        ("3,0-1", [3, 0, 1]),
        (["d-e", "0"], [3, 0]),
        ([1, 2], [1, 2]),
        (np.array([2, 0]), [2, 0]),
        (2, [2]),
        ("1-1", [1]),
    ],
)
def test_columns_by_name_index_and_range(write, columns, expected):
    values, _, _ = load_table(write("t.csv", "a,b,c,d-e\n0,1,2,3\n"), columns=columns)
    assert values.tolist() == [expected]


def test_a_column_name_wins_over_an_index(write):
    path = write("t.csv", "a,b\n0,1\n".replace("a", "x y").replace("b", "0-0"))
    assert load_table(path, columns="0-0")[0].tolist() == [[1]]


@pytest.mark.parametrize(
    "columns",
    ["e", "4", "2-4", "2-1", "-1", -1, "a,a", "0-1,a", "", [], [True], [1.0], ",", "a,,b"],
)
def test_columns_that_are_not_there_are_refused(write, columns):
    refused(write("t.csv", "a,b,c,d\n0,1,2,3\n"), "column", columns=columns)


def test_unknown_columns_are_answered_by_the_list(write):
    refused(write("t.csv", "a,b\n0,1\n"), "'e'", "0 'a', 1 'b'", columns="e")
    refused(write("t.csv", "a,a\n0,1\n"), "unique", columns="a")


@given(st.slices(9))
def test_row_slices_are_those_of_python(tmp_path_factory, chosen):
    path = tmp_path_factory.mktemp("rows") / "t.csv"
    path.write_text("".join(f"{i}\n" for i in range(9)))
    expected = [[i] for i in range(9)[chosen]]
    text = ":".join("" if x is None else str(x) for x in (chosen.start, chosen.stop, chosen.step))
    for rows in (chosen, text):
        if expected:
            assert load_table(path, rows=rows)[0].tolist() == expected
        else:
            refused(path, "at least one", rows=rows)


def test_rows_by_number(write):
    path = write("t.csv", "a\n" + "".join(f"{i}\n" for i in range(9)))
    for rows in ("0,3,-2", [0, 3, 7], np.array([0, 3, 7]), "0,3:8:4"):
        assert load_table(path, rows=rows)[0].ravel().tolist() == [0, 3, 7]
    for rows in ("9", "-10", [9], "a", "1:2:3:4", "", "::0", [True], [0.5], "1.5"):
        refused(path, "row", rows=rows)
