"""Laws of every table of packed vectors: a sequence, a set, and files that give both back."""

import copy
import errno
import os
import pickle
import resource
import sys
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from arrangements.errors import InputError
from arrangements.files import check_target
from arrangements.patterns import SUFFIXES, Dichotomies, Trichotomies, load


def pack(bits):
    return np.packbits(bits, axis=1, bitorder="little")


def planes(signs):
    return {"positive": pack(signs > 0), "negative": pack(signs < 0)}


class Table(NamedTuple):
    """A class, the values that an entry may have, ascending, and the columns that rows have."""

    kind: type
    values: np.ndarray
    columns: Callable

    def make(self, vectors, **options):
        return self.kind(**self.columns(vectors), n=vectors.shape[1], **options)

    def random(self, p, n, seed=0):
        return np.random.default_rng(seed).choice(self.values, (p, n))

    def with_witnesses(self, p=7, n=19, d=3):
        rng = np.random.default_rng(1)
        witnesses, found = rng.standard_normal((p, d)), rng.random(p) < 0.5
        witnesses[~found] = np.nan
        return self.make(self.random(p, n), witnesses=witnesses, witness_found=found)

    def matrices(self, max_p=12, max_n=140):
        shapes = st.tuples(st.integers(0, max_p), st.integers(1, max_n))
        entries = st.sampled_from(self.values.tolist())
        return shapes.flatmap(lambda s: hnp.arrays(self.values.dtype, s, elements=entries))

    def few(self, n=9):
        """Matrices in which repeated rows are likely."""
        ends = st.tuples(*[st.sampled_from(self.values.tolist())] * 2)
        row = ends.map(lambda pair: [pair[0], *[self.values[0]] * (n - 2), pair[1]])
        return st.lists(row, max_size=8).map(
            lambda rows: np.array(rows, dtype=self.values.dtype).reshape(-1, n))


BITS, SIGNS = np.array([False, True]), np.array([-1, 0, 1], dtype=np.int8)
TABLES = {
    "dichotomies": Table(Dichotomies, BITS, lambda bits: {"packed": pack(bits)}),
    "trichotomies": Table(Trichotomies, SIGNS, planes),
    "with dimensions": Table(Trichotomies, SIGNS, lambda signs: {
        **planes(signs), "dims": (signs[:, 0] != 0).astype(np.uint8)}),
}
WITNESSES = ("witnesses", "witness_found")

every_table = pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)


@pytest.fixture(params=SUFFIXES)
def suffix(request):
    if request.param != ".npz":
        pytest.importorskip("pyarrow")
    return request.param


def rows(vectors):
    return [tuple(row) for row in np.asarray(vectors).tolist()]


def same(first, second, names):
    return all(np.array_equal(getattr(first, name), getattr(second, name), equal_nan=True)
               for name in names)


# --- a sequence


@every_table
@given(data=st.data())
def test_packing_then_unpacking_is_the_identity(table, data):
    vectors = data.draw(table.matrices())
    packed = table.make(vectors)
    assert (packed.n, len(packed)) == (vectors.shape[1], len(vectors))
    for name, column in table.columns(vectors).items():
        assert np.array_equal(getattr(packed, name), column)
        assert getattr(packed, name).dtype == np.uint8
    for again in (packed.to_numpy(), np.asarray(packed)):
        assert again.dtype == vectors.dtype
        assert np.array_equal(again, vectors)
    assert rows(list(packed)) == rows(vectors)


@every_table
@given(data=st.data())
def test_indexing_agrees_with_numpy(table, data):
    vectors = data.draw(table.matrices(max_n=20))
    packed, p = table.make(vectors), len(vectors)
    mask = data.draw(hnp.arrays(bool, p))
    numbers = data.draw(st.lists(st.integers(-p, p - 1), max_size=5)) if p else []
    for key in (data.draw(st.slices(p)), mask, numbers):
        at = np.array(key, dtype=int) if key is numbers else key
        assert rows(packed[key]) == rows(vectors[at])
        for name, column in table.columns(vectors).items():
            assert np.array_equal(getattr(packed[key], name), column[at])
    for i in numbers:
        assert packed[i].dtype == vectors.dtype
        assert packed[np.int32(i)].tolist() == vectors[i].tolist()
    for outside in (p, -p - 1, (0, 0)):
        with pytest.raises(IndexError):
            packed[outside]


@every_table
def test_iteration_and_unpacking_cross_their_blocks(table):
    vectors = table.random(20_000, 13)
    packed = table.make(vectors)
    assert rows(list(packed)) == rows(packed) == rows(vectors)
    assert rows(list(reversed(packed))) == rows(vectors[::-1])


@every_table
def test_selections_carry_their_witnesses(table):
    packed = table.with_witnesses()
    order = np.lexsort(packed.to_numpy().T[::-1])
    for part, key in [(packed.sorted(), order), *(
            (packed[key], key) for key in (slice(1, 6, 2), [3, 0, -1], np.arange(7) % 2 == 0))]:
        for name in WITNESSES:
            assert np.array_equal(getattr(part, name), getattr(packed, name)[key], equal_nan=True)


@every_table
def test_rows_cannot_be_changed(table):
    packed = table.with_witnesses()
    before = packed.to_numpy()
    for name in (*table.columns(before), *WITNESSES):
        with pytest.raises(ValueError, match="read-only"):
            getattr(packed, name)[0] = 0
    for name in (*table.columns(before), *WITNESSES, "n", "arrangement"):
        with pytest.raises(AttributeError):
            setattr(packed, name, None)
    for own in (packed[0], next(iter(packed)), packed.to_numpy()):
        own[...] = ~own
    assert np.array_equal(packed, before)


@every_table
@pytest.mark.parametrize(
    "twin", [copy.copy, copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))])
def test_copies_are_equal_and_read_only(table, twin):
    packed = table.with_witnesses()
    again, columns = twin(packed), table.columns(packed.to_numpy())
    assert rows(again) == rows(packed)
    assert same(again, packed, (*columns, *WITNESSES))
    assert not any(getattr(again, name).flags.writeable for name in (*columns, *WITNESSES))


@every_table
def test_repr_is_one_short_line_with_the_bytes_held(table):
    vectors = table.random(3, 9)
    size = sum(column.nbytes for column in table.columns(vectors).values())
    letter = "p" if table.kind is Dichotomies else "q"
    assert repr(table.make(vectors)) == f"{table.kind.__name__}(n=9, {letter}=3, {size} bytes)"


@every_table
def test_array_protocol_casts_and_refuses_to_share(table):
    packed = table.make(table.random(3, 9))
    assert np.asarray(packed, dtype=float).dtype == float
    with pytest.raises(ValueError, match=r"take \.p"):
        np.array(packed, copy=False)


@every_table
def test_diag_has_the_vector_on_its_diagonal(table):
    scipy_sparse = pytest.importorskip("scipy.sparse")
    vectors = table.random(4, 11)
    D = table.make(vectors).diag(2)
    assert scipy_sparse.issparse(D)
    assert D.dtype == np.float64
    assert np.array_equal(D.toarray(), np.diag(vectors[2].astype(float)))


# --- a set


@every_table
@given(data=st.data())
def test_equality_is_that_of_python_sets(table, data):
    first, second = data.draw(table.few()), data.draw(table.few())
    equal = set(rows(first)) == set(rows(second))
    assert (table.make(first) == table.make(second)) == equal
    assert (table.make(first) != table.make(second)) == (not equal)


@every_table
@given(data=st.data())
def test_sorting_is_lexicographic_with_sample_0_first(table, data):
    vectors = data.draw(table.matrices())
    packed = table.make(vectors)
    assert rows(packed.sorted()) == sorted(rows(vectors))
    order = data.draw(st.permutations(range(len(vectors))))
    assert packed == packed.sorted() == packed[order] == packed[::-1]


@every_table
@pytest.mark.parametrize("n", [1, 8, 9, 63, 64, 65, 129])
def test_one_entry_makes_two_sets_different(table, n):
    vectors, values = table.random(5, n), table.values
    for i in range(n):
        other = vectors[::-1].copy()
        other[0, i] = values[(values.searchsorted(other[0, i]) + 1) % len(values)]
        equal = set(rows(vectors)) == set(rows(other))
        assert (table.make(vectors) == table.make(other)) == equal


@every_table
def test_equality_needs_equal_n_and_the_same_class(table):
    wide, narrow = np.zeros((1, 9), table.values.dtype), np.zeros((1, 8), table.values.dtype)
    assert table.make(wide) != table.make(narrow)
    assert table.make(wide) != wide.tolist()
    for other in TABLES.values():
        alike = other.make(wide.astype(other.values.dtype))
        assert (table.make(wide) == alike) == (table.kind is other.kind)
    with pytest.raises(TypeError):
        hash(table.make(wide))


@every_table
@given(data=st.data())
def test_membership_index_and_count_agree_with_lists(table, data):
    vectors = data.draw(st.one_of(table.few(), table.matrices()))
    n = vectors.shape[1]
    packed, listed = table.make(vectors), rows(vectors)
    asked = data.draw(table.few(n) if n > 1 else table.matrices(max_n=1))
    for vector in (*asked, *vectors, *table.values[::-1][table.values.searchsorted(vectors)]):
        key = tuple(vector.tolist())
        assert packed.count(vector) == listed.count(key)
        for form in (vector, key, vector.astype(int)):
            assert (form in packed) == (key in listed)
        if key in listed:
            assert packed.index(vector) == listed.index(key)
            last = len(listed) - 1 - listed[::-1].index(key)
            assert packed.index(vector, last) == last
            with pytest.raises(ValueError, match="not among"):
                packed.index(vector, last + 1)
        else:
            with pytest.raises(ValueError, match=f"not among the {table.kind.__name__.lower()}"):
                packed.index(vector)


@every_table
@pytest.mark.parametrize(
    "vector", [[1] * 9, [1] * 11, [[1] * 10], 1, [0, 2] * 5, [0.0, 1.0] * 5, "0101010101"])
def test_what_is_no_vector_is_refused(table, vector):
    packed = table.make(table.random(3, 10))
    for ask in (packed.__contains__, packed.index, packed.count):
        with pytest.raises(InputError, match=r"pattern|sign vector"):
            ask(vector)


# --- the constructor


@every_table
def test_witnesses_are_asked_for(table):
    packed = table.make(table.random(4, 11))
    for name in WITNESSES:
        with pytest.raises(InputError, match=rf"{table.kind.__name__.lower()}\(witnesses=True\)"):
            getattr(packed, name)


@every_table
def test_witnesses_with_nan_are_not_found(table):
    witnesses = np.array([[1.0, 2.0], [np.nan, 0.0], [np.inf, 0.0]])
    packed = table.make(table.random(3, 4), witnesses=witnesses)
    assert packed.witness_found.tolist() == [True, False, False]


@every_table
@pytest.mark.parametrize(
    "options",
    [
        {"witnesses": np.zeros(3)},
        {"witnesses": np.zeros((2, 4))},
        {"witness_found": np.ones(3, bool)},
        {"witnesses": np.zeros((3, 4)), "witness_found": np.ones(2, bool)},
        {"witnesses": np.zeros((3, 4)), "witness_found": np.ones(3)},
    ],
)
def test_witnesses_of_another_shape_are_refused(table, options):
    with pytest.raises(InputError, match="witness"):
        table.make(table.random(3, 5), **options)


@every_table
def test_exact_points_need_an_arrangement(table):
    with pytest.raises(InputError, match="arrangement"):
        table.make(table.random(3, 9)).witness(1)


@every_table
@pytest.mark.parametrize("n", [1, 7, 9, 15, 130])
def test_bits_after_the_last_sample_are_refused(table, n):
    columns = table.columns(np.zeros((4, n), table.values.dtype))
    for name in columns.keys() - {"dims"}:
        wrong = columns[name].copy()
        wrong[2, -1] |= 128
        with pytest.raises(InputError, match=f"{name} must be zero .* row 2"):
            table.kind(**columns | {name: wrong}, n=n)


@every_table
@pytest.mark.parametrize("n", [0, -8, True, 4.0, None])
def test_what_is_no_number_of_samples_is_refused(table, n):
    with pytest.raises(InputError, match="n must be a positive integer"):
        table.kind(**table.columns(table.random(2, 4)), n=n)


@every_table
@pytest.mark.parametrize(
    "wrong",
    [
        np.zeros((2, 2), np.uint8), np.zeros((2, 0), np.uint8), np.zeros((2, 1), np.int8),
        np.zeros((2, 1)), np.zeros(2, np.uint8), np.uint8(0), [[True, False]],
    ],
)
def test_wrong_arrays_are_refused(table, wrong):
    columns = table.columns(table.random(2, 8))
    for name in columns.keys() - {"dims"}:
        with pytest.raises(InputError):
            table.kind(**columns | {name: wrong}, n=8)
    with pytest.raises(InputError):
        table.kind(**columns, n=9)


# --- files


@every_table
@pytest.mark.parametrize("n", [1, 8, 9, 64, 65, 150])
@pytest.mark.parametrize("p", [0, 1, 300])
def test_files_give_back_rows_and_order(tmp_path, suffix, table, p, n):
    vectors = table.random(p, n)
    path = tmp_path / f"table{suffix}"
    table.make(vectors).save(path)
    again = load(str(path))
    assert type(again) is table.kind
    assert (again.n, rows(again)) == (n, rows(vectors))
    for name, column in table.columns(vectors).items():
        assert np.array_equal(getattr(again, name), column)
        assert getattr(again, name).dtype == np.uint8
        assert not getattr(again, name).flags.writeable
    for name in {"witnesses", "dims"} - table.columns(vectors).keys():
        with pytest.raises((InputError, AttributeError)):
            getattr(again, name)


@every_table
def test_files_give_back_witnesses(tmp_path, suffix, table):
    packed = table.with_witnesses()[2:]
    packed.save(tmp_path / f"w{suffix}")
    again = load(tmp_path / f"w{suffix}")
    assert rows(again) == rows(packed)
    assert same(again, packed, (*table.columns(packed.to_numpy()), *WITNESSES))
    with pytest.raises(InputError, match="arrangement"):
        again.witness(0)


@every_table
def test_files_are_read_by_other_programs(tmp_path, table):
    packed = table.with_witnesses()
    columns = table.columns(packed.to_numpy())
    packed.save(tmp_path / "w.npz")
    with np.load(tmp_path / "w.npz") as arrays:
        assert set(arrays) == {*columns, "n", *WITNESSES}
        assert arrays["n"] == 19
        for name, column in columns.items():
            assert np.array_equal(arrays[name], column)
    parquet = pytest.importorskip("pyarrow.parquet")
    packed.save(tmp_path / "w.parquet")
    written = parquet.read_table(tmp_path / "w.parquet")
    assert written.column_names == [*columns, *WITNESSES]
    assert written.schema.metadata[b"n"] == b"19"
    for name, column in columns.items():
        if column.ndim == 1:
            assert written[name].to_pylist() == column.tolist()
        else:
            assert written[name].to_pylist() == [row.tobytes() for row in column]
            assert str(written[name].type) == "fixed_size_binary[3]"
    assert str(written["witnesses"].type).startswith("fixed_size_list")


@every_table
def test_saving_replaces_the_file_and_keeps_its_folder_clean(tmp_path, suffix, table):
    path = tmp_path / f"table{suffix.upper()}"
    for p in (300, 2):
        table.make(table.random(p, 9)).save(path)
    assert len(load(path)) == 2
    assert os.listdir(tmp_path) == [path.name]


def disk_full(*_):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def interrupt(*_):
    raise KeyboardInterrupt


@every_table
@pytest.mark.parametrize(
    ("failure", "error"), [(disk_full, OSError), (interrupt, KeyboardInterrupt)])
def test_a_failed_write_leaves_nothing_behind(tmp_path, monkeypatch, suffix, table, failure, error):
    path = tmp_path / f"table{suffix}"
    monkeypatch.setattr(os, "fsync", failure)
    with pytest.raises(error) as caught:
        table.make(table.random(30, 9)).save(path)
    assert os.listdir(tmp_path) == []
    if failure is disk_full:
        assert caught.value.errno == errno.ENOSPC
        assert str(path) in str(caught.value)


@every_table
def test_a_full_disk_leaves_the_old_file(tmp_path, suffix, table):
    path = tmp_path / f"table{suffix}"
    table.make(table.random(30, 9)).save(path)
    before = path.read_bytes()
    large = table.make(table.random(40_000, 64))
    old = resource.getrlimit(resource.RLIMIT_FSIZE)
    # The kernel itself refuses the bytes past the limit, in the middle of the write.
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, old[1]))
    try:
        with pytest.raises(OSError, match=r"."):
            large.save(path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, old)
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == [path.name]


@every_table
def test_a_missing_folder_is_named(tmp_path, suffix, table):
    path = tmp_path / "absent" / f"table{suffix}"
    with pytest.raises(FileNotFoundError, match="absent"):
        table.make(table.random(2, 9)).save(path)
    with pytest.raises(InputError, match="absent"):
        check_target(path, SUFFIXES)
    with pytest.raises(FileNotFoundError):
        load(path)


def test_targets_are_checked_before_the_work(tmp_path, suffix):
    check_target(tmp_path / f"table{suffix}", SUFFIXES)
    (tmp_path / f"folder{suffix}").mkdir()
    with pytest.raises(InputError, match="folder"):
        check_target(tmp_path / f"folder{suffix}", SUFFIXES)


@every_table
@pytest.mark.parametrize("name", ["table", "table.csv", "table.npy", ".npz"])
def test_unknown_suffixes_are_refused(tmp_path, table, name):
    save = table.make(table.random(2, 9)).save
    for use in (save, load, partial(check_target, suffixes=SUFFIXES)):
        with pytest.raises(InputError, match=r"\.parquet"):
            use(tmp_path / name)
    assert os.listdir(tmp_path) == []


@every_table
def test_missing_pyarrow_is_named(tmp_path, monkeypatch, table):
    for name in ("pyarrow", "pyarrow.parquet"):
        monkeypatch.setitem(sys.modules, name, None)
    save = table.make(table.random(2, 9)).save
    save(tmp_path / "table.npz")
    for suffix in (".parquet", ".arrow"):
        for use in (save, load, partial(check_target, suffixes=SUFFIXES)):
            with pytest.raises(InputError, match="pip install"):
                use(tmp_path / f"table{suffix}")
    assert os.listdir(tmp_path) == ["table.npz"]


@every_table
def test_truncated_files_are_refused(tmp_path, suffix, table):
    path = tmp_path / f"table{suffix}"
    table.with_witnesses().save(path)
    whole = path.read_bytes()
    for size in [*range(0, len(whole), 37), len(whole) - 1]:
        path.write_bytes(whole[:size])
        with pytest.raises(InputError, match="written by"):
            load(path)


@every_table
def test_damaged_files_never_give_another_error(tmp_path, suffix, table):
    path = tmp_path / f"table{suffix}"
    table.with_witnesses().save(path)
    whole = path.read_bytes()
    rng = np.random.default_rng(0)
    for k in range(400):
        damaged = bytearray(whole if k < 300 else whole[: rng.integers(1, len(whole))])
        damaged[rng.integers(len(damaged))] ^= 1 << rng.integers(8)
        path.write_bytes(damaged)
        try:
            again = load(path)
        except InputError as error:
            message = str(error)
            assert "\n" not in message
        else:
            assert len(again) == len(again.to_numpy())


@every_table
def test_foreign_files_are_refused(tmp_path, table):
    path = tmp_path / "foreign.npz"
    columns = table.columns(table.random(3, 9))
    name, first = next(iter(columns.items()))
    for arrays in (
        {"x": np.ones(3)},
        columns,
        {"n": 9} | {other: columns[other] for other in columns if other != name},
        columns | {"n": 8.5},
        columns | {"n": [9, 9]},
        columns | {"n": 30},
        columns | {"n": 9, name: first | 255},
        columns | {"n": 9, name: first.astype(object)},
        columns | {"n": 9, "witnesses": np.ones((2, 2))},
    ):
        np.savez(path, **arrays)
        with pytest.raises(InputError, match=r"foreign\.npz"):
            load(path)
    with open(path, "wb") as file:
        np.save(file, first)
    with pytest.raises(InputError, match=r"foreign\.npz"):
        load(path)


@every_table
def test_foreign_tables_are_refused(tmp_path, table):
    pa = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    path = tmp_path / "foreign.parquet"
    columns = table.columns(np.full((2, 16), table.values[-1]))  # the last bits are set
    good = {name: pa.array(column) if column.ndim == 1
            else pa.array([row.tobytes() for row in column], pa.binary(2))
            for name, column in columns.items()}
    name, text = next(iter(columns)), good[next(iter(columns))].to_pylist()
    for written, metadata in (
        ({"x": [1.0]}, None),
        (good, None),
        (good, {"n": "two"}),
        (good, {"n": "40"}),
        (good, {"n": "10"}),
        (good | {name: pa.array([text[0], None], pa.binary(2))}, {"n": "16"}),
        (good | {name: pa.array(text, pa.binary())}, {"n": "16"}),
        (good | {"witnesses": [1.0, 2.0]}, {"n": "16"}),
    ):
        parquet.write_table(pa.table(written).replace_schema_metadata(metadata), path)
        with pytest.raises(InputError, match=r"foreign\.parquet"):
            load(path)
    parquet.write_table(pa.table(good).replace_schema_metadata({"n": "16"}), path)
    assert len(load(path)) == 2
