"""Dichotomies are a sequence of rows and a set of patterns, and files give both back."""

import copy
import errno
import os
import pickle
import resource
import sys
from fractions import Fraction
from functools import partial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from arrangements.errors import InputError
from arrangements.files import check_target
from arrangements.patterns import SUFFIXES, Dichotomies, load

FORMATS = [".npz", ".parquet", ".arrow", ".feather"]


@pytest.fixture(params=FORMATS)
def suffix(request):
    if request.param != ".npz":
        pytest.importorskip("pyarrow")
    return request.param


def bit_matrices(max_p=12, max_n=140):
    return st.tuples(st.integers(0, max_p), st.integers(1, max_n)).flatmap(
        lambda shape: hnp.arrays(bool, shape)
    )


def few_patterns(n=9):
    """Matrices in which repeated rows are likely."""
    row = st.integers(0, 3).map(lambda k: [bool(k & 1)] + [False] * (n - 2) + [bool(k & 2)])
    return st.lists(row, max_size=8).map(lambda rows: np.array(rows, dtype=bool).reshape(-1, n))


def pack(bits):
    return np.packbits(bits, axis=1, bitorder="little")


def make(bits, **options):
    return Dichotomies(pack(bits), bits.shape[1], **options)


def rows(bits):
    return [tuple(row) for row in np.asarray(bits).tolist()]


def random_bits(p, n, seed=0):
    return np.random.default_rng(seed).random((p, n)) < 0.5


def with_witnesses(p=7, n=19, d=3):
    rng = np.random.default_rng(1)
    witnesses = rng.standard_normal((p, d))
    found = rng.random(p) < 0.5
    witnesses[~found] = np.nan
    return make(random_bits(p, n), witnesses=witnesses, witness_found=found)


# --- a sequence


@given(bit_matrices())
def test_packing_then_unpacking_is_the_identity(bits):
    dichotomies = make(bits)
    assert dichotomies.n == bits.shape[1]
    assert len(dichotomies) == len(bits)
    assert np.array_equal(dichotomies.packed, pack(bits))
    for again in (dichotomies.to_numpy(), np.asarray(dichotomies)):
        assert again.dtype == bool
        assert np.array_equal(again, bits)
    assert rows(list(dichotomies)) == rows(bits)


@given(bit_matrices(max_n=20), st.data())
def test_indexing_agrees_with_numpy(bits, data):
    dichotomies, p = make(bits), len(bits)
    key = data.draw(st.slices(p))
    assert rows(dichotomies[key]) == rows(bits[key])
    mask = data.draw(hnp.arrays(bool, p))
    assert rows(dichotomies[mask]) == rows(bits[mask])
    if p:
        numbers = data.draw(st.lists(st.integers(-p, p - 1), max_size=5))
        assert rows(dichotomies[numbers]) == rows(bits[np.array(numbers, dtype=int)])
        i = data.draw(st.integers(-p, p - 1))
        assert dichotomies[i].dtype == bool
        assert dichotomies[np.int32(i)].tolist() == bits[i].tolist()
    for outside in (p, -p - 1):
        with pytest.raises(IndexError):
            dichotomies[outside]
    with pytest.raises(IndexError):
        dichotomies[0, 0]


def test_iteration_crosses_its_blocks():
    bits = random_bits(5000, 13)
    assert rows(list(make(bits))) == rows(bits)
    assert rows(list(reversed(make(bits)))) == rows(bits[::-1])


def test_selections_carry_their_witnesses():
    dichotomies = with_witnesses()
    for key in (slice(1, 6, 2), [3, 0, -1], np.arange(7) % 2 == 0):
        part = dichotomies[key]
        assert np.array_equal(part.witnesses, dichotomies.witnesses[key], equal_nan=True)
        assert np.array_equal(part.witness_found, dichotomies.witness_found[key])
    order = np.lexsort(dichotomies.to_numpy().T[::-1])
    assert np.array_equal(
        dichotomies.sorted().witnesses, dichotomies.witnesses[order], equal_nan=True
    )


def test_patterns_cannot_be_changed():
    dichotomies = with_witnesses()
    for array in (dichotomies.packed, dichotomies.witnesses, dichotomies.witness_found):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0
    for name in ("packed", "n", "witnesses"):
        with pytest.raises(AttributeError):
            setattr(dichotomies, name, None)
    row = dichotomies[0]
    row ^= True
    next(iter(dichotomies))[:] = ~row
    dichotomies.to_numpy()[:] = False
    assert row.tolist() == (~dichotomies[0]).tolist()


@pytest.mark.parametrize(
    "twin", [copy.copy, copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))]
)
def test_copies_are_equal_and_read_only(twin):
    dichotomies = with_witnesses()
    again = twin(dichotomies)
    assert rows(again) == rows(dichotomies)
    assert np.array_equal(again.witnesses, dichotomies.witnesses, equal_nan=True)
    assert not again.packed.flags.writeable


def test_repr_is_one_short_line():
    assert repr(make(random_bits(3, 9))) == "Dichotomies(n=9, p=3, 6 bytes)"


def test_array_protocol_casts_and_refuses_to_share():
    dichotomies = make(random_bits(3, 9))
    assert np.asarray(dichotomies, dtype=float).dtype == float
    with pytest.raises(ValueError, match="packed"):
        np.array(dichotomies, copy=False)


# --- a set


@given(few_patterns(), few_patterns())
def test_equality_is_that_of_python_sets(first, second):
    assert (make(first) == make(second)) == (set(rows(first)) == set(rows(second)))
    assert (make(first) != make(second)) == (set(rows(first)) != set(rows(second)))


@given(bit_matrices(), st.randoms())
def test_equality_ignores_the_order(bits, random):
    order = list(range(len(bits)))
    random.shuffle(order)
    assert make(bits) == make(bits)[order]


def test_one_bit_makes_two_sets_different():
    for n in (1, 8, 9, 63, 64, 65, 129):
        bits = random_bits(5, n)
        for i in range(n):
            other = bits[::-1].copy()
            other[:, i] = True
            assert (make(bits) == make(other)) == (set(rows(bits)) == set(rows(other)))


def test_equality_needs_equal_n_and_a_dichotomies():
    wide, narrow = np.zeros((1, 9), dtype=bool), np.zeros((1, 8), dtype=bool)
    assert make(wide) != make(narrow)
    assert make(wide) != wide.tolist()
    with pytest.raises(TypeError):
        hash(make(wide))


@given(bit_matrices(), st.data())
def test_membership_agrees_with_python_sets(bits, data):
    n = bits.shape[1]
    dichotomies, members = make(bits), set(rows(bits))
    asked = [*bits, *~bits, data.draw(hnp.arrays(bool, n))]
    for pattern in asked:
        inside = tuple(pattern.tolist()) in members
        packed = np.packbits(pattern, bitorder="little")
        for form in (pattern, pattern.astype(int), pattern.tolist(), packed, packed.tobytes()):
            assert (form in dichotomies) == inside


@given(few_patterns(), few_patterns())
def test_index_and_count_agree_with_lists(bits, asked):
    dichotomies, listed = make(bits), rows(bits)
    for pattern in asked:
        key = tuple(pattern.tolist())
        assert dichotomies.count(pattern) == listed.count(key)
        if key in listed:
            assert dichotomies.index(pattern) == listed.index(key)
            last = len(listed) - 1 - listed[::-1].index(key)
            assert dichotomies.index(pattern, last) == last
        else:
            with pytest.raises(ValueError, match="not among"):
                dichotomies.index(pattern)


@pytest.mark.parametrize(
    "pattern",
    [
        [True] * 9,
        [True] * 11,
        [[True] * 10],
        True,
        [0, 1] * 4 + [0, 2],
        [0.0, 1.0] * 5,
        "0101010101",
        np.array([255, 255], dtype=np.uint8),
        b"\x00",
    ],
)
def test_what_is_no_pattern_is_refused(pattern):
    with pytest.raises(InputError):
        pattern in make(random_bits(3, 10))  # noqa: B015


@given(bit_matrices())
def test_sorting_is_lexicographic_with_sample_0_first(bits):
    assert rows(make(bits).sorted()) == sorted(rows(bits))


# --- one chamber


def test_witness_comes_from_the_arrangement():
    class Stub:
        def interior_point(self, pattern):
            assert pattern.dtype == bool
            return tuple(Fraction(int(bit), 3) for bit in pattern)

    bits = random_bits(4, 11)
    dichotomies = make(bits, arrangement=Stub())
    expected = tuple(Fraction(int(bit), 3) for bit in bits[2])
    assert dichotomies.witness(2) == dichotomies[1:].witness(1) == expected
    with pytest.raises(InputError, match="arrangement"):
        make(bits).witness(2)


def test_witnesses_not_asked_for_are_an_error():
    dichotomies = make(random_bits(4, 11))
    for name in ("witnesses", "witness_found"):
        with pytest.raises(InputError, match="witnesses=True"):
            getattr(dichotomies, name)


def test_witnesses_with_nan_are_not_found():
    witnesses = np.array([[1.0, 2.0], [np.nan, 0.0], [np.inf, 0.0]])
    dichotomies = make(random_bits(3, 4), witnesses=witnesses)
    assert dichotomies.witness_found.tolist() == [True, False, False]


def test_diag_has_the_pattern_on_its_diagonal():
    scipy_sparse = pytest.importorskip("scipy.sparse")
    bits = random_bits(4, 11)
    D = make(bits).diag(2)
    assert scipy_sparse.issparse(D)
    assert D.dtype == np.float64
    assert np.array_equal(D.toarray(), np.diag(bits[2].astype(float)))


# --- the constructor


@pytest.mark.parametrize("n", [1, 7, 9, 15, 130])
def test_bits_after_the_last_sample_are_refused(n):
    packed = pack(random_bits(4, n))
    packed[2, -1] |= 128
    with pytest.raises(InputError, match="row 2"):
        Dichotomies(packed, n)


@pytest.mark.parametrize(
    ("packed", "n"),
    [
        (np.zeros((2, 1), np.uint8), 0),
        (np.zeros((2, 1), np.uint8), True),
        (np.zeros((2, 1), np.uint8), 4.0),
        (np.zeros((2, 2), np.uint8), 8),
        (np.zeros((2, 1), np.uint8), 9),
        (np.zeros((2, 1), np.int8), 8),
        (np.zeros(2, np.uint8), 8),
        ([[True, False]], 2),
    ],
)
def test_wrong_arrays_are_refused(packed, n):
    with pytest.raises(InputError):
        Dichotomies(packed, n)


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
def test_witnesses_of_another_shape_are_refused(options):
    with pytest.raises(InputError, match="witness"):
        make(random_bits(3, 5), **options)


# --- files


@pytest.mark.parametrize("n", [1, 8, 9, 64, 65, 150])
@pytest.mark.parametrize("p", [0, 1, 300])
def test_files_give_back_rows_and_order(tmp_path, suffix, p, n):
    bits = random_bits(p, n)
    path = tmp_path / f"patterns{suffix}"
    make(bits).save(path)
    again = load(str(path))
    assert (again.n, rows(again)) == (n, rows(bits))
    assert again.packed.dtype == np.uint8
    assert not again.packed.flags.writeable
    with pytest.raises(InputError, match="witnesses=True"):
        _ = again.witnesses


def test_files_give_back_witnesses(tmp_path, suffix):
    dichotomies = with_witnesses()[2:]
    dichotomies.save(tmp_path / f"w{suffix}")
    again = load(tmp_path / f"w{suffix}")
    assert again == dichotomies
    assert np.array_equal(again.witnesses, dichotomies.witnesses, equal_nan=True)
    assert np.array_equal(again.witness_found, dichotomies.witness_found)
    with pytest.raises(InputError, match="arrangement"):
        again.witness(0)


def test_files_are_read_by_other_programs(tmp_path):
    dichotomies = with_witnesses()
    dichotomies.save(tmp_path / "w.npz")
    with np.load(tmp_path / "w.npz") as arrays:
        assert set(arrays) == {"packed", "n", "witnesses", "witness_found"}
        assert np.array_equal(arrays["packed"], dichotomies.packed)
        assert arrays["n"] == 19
    parquet = pytest.importorskip("pyarrow.parquet")
    dichotomies.save(tmp_path / "w.parquet")
    table = parquet.read_table(tmp_path / "w.parquet")
    assert table.schema.metadata[b"n"] == b"19"
    assert table["packed"].to_pylist() == [row.tobytes() for row in dichotomies.packed]
    assert str(table["packed"].type) == "fixed_size_binary[3]"
    assert str(table["witnesses"].type).startswith("fixed_size_list")


def test_saving_replaces_the_file_and_keeps_its_folder_clean(tmp_path, suffix):
    path = tmp_path / f"patterns{suffix.upper()}"
    for p in (300, 2):
        make(random_bits(p, 9)).save(path)
    assert len(load(path)) == 2
    assert os.listdir(tmp_path) == [path.name]


def disk_full(*_):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def interrupt(*_):
    raise KeyboardInterrupt


@pytest.mark.parametrize(
    ("failure", "error"), [(disk_full, OSError), (interrupt, KeyboardInterrupt)]
)
def test_a_failed_write_leaves_nothing_behind(tmp_path, monkeypatch, suffix, failure, error):
    path = tmp_path / f"patterns{suffix}"
    monkeypatch.setattr(os, "fsync", failure)
    with pytest.raises(error) as caught:
        make(random_bits(30, 9)).save(path)
    assert os.listdir(tmp_path) == []
    if failure is disk_full:
        assert caught.value.errno == errno.ENOSPC
        assert str(path) in str(caught.value)


def test_a_full_disk_leaves_the_old_file(tmp_path, suffix):
    path = tmp_path / f"patterns{suffix}"
    make(random_bits(30, 9)).save(path)
    before = path.read_bytes()
    old = resource.getrlimit(resource.RLIMIT_FSIZE)
    # The kernel itself refuses the bytes past the limit, in the middle of the write.
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, old[1]))
    try:
        with pytest.raises(OSError, match=r"."):
            make(random_bits(40_000, 64)).save(path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, old)
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == [path.name]


def test_a_missing_folder_is_named(tmp_path, suffix):
    path = tmp_path / "absent" / f"patterns{suffix}"
    with pytest.raises(FileNotFoundError, match="absent"):
        make(random_bits(2, 9)).save(path)
    with pytest.raises(InputError, match="absent"):
        check_target(path, SUFFIXES)
    with pytest.raises(FileNotFoundError):
        load(path)


def test_targets_are_checked_before_the_work(tmp_path, suffix):
    check_target(tmp_path / f"patterns{suffix}", SUFFIXES)
    (tmp_path / f"folder{suffix}").mkdir()
    with pytest.raises(InputError, match="folder"):
        check_target(tmp_path / f"folder{suffix}", SUFFIXES)


@pytest.mark.parametrize("name", ["patterns", "patterns.csv", "patterns.npy", ".npz"])
def test_unknown_suffixes_are_refused(tmp_path, name):
    for use in (make(random_bits(2, 9)).save, load, partial(check_target, suffixes=SUFFIXES)):
        with pytest.raises(InputError, match=r"\.parquet"):
            use(tmp_path / name)
    assert os.listdir(tmp_path) == []


def test_missing_pyarrow_is_named(tmp_path, monkeypatch):
    for name in ("pyarrow", "pyarrow.parquet"):
        monkeypatch.setitem(sys.modules, name, None)
    make(random_bits(2, 9)).save(tmp_path / "patterns.npz")
    for suffix in (".parquet", ".arrow"):
        for use in (make(random_bits(2, 9)).save, load, partial(check_target, suffixes=SUFFIXES)):
            with pytest.raises(InputError, match="pip install"):
                use(tmp_path / f"patterns{suffix}")


def test_truncated_files_are_refused(tmp_path, suffix):
    path = tmp_path / f"patterns{suffix}"
    with_witnesses().save(path)
    whole = path.read_bytes()
    for size in [*range(0, len(whole), 37), len(whole) - 1]:
        path.write_bytes(whole[:size])
        with pytest.raises(InputError, match="written by"):
            load(path)


def test_damaged_files_never_give_another_error(tmp_path, suffix):
    path = tmp_path / f"patterns{suffix}"
    with_witnesses().save(path)
    whole = path.read_bytes()
    rng = np.random.default_rng(0)
    for _ in range(300):
        damaged = bytearray(whole)
        damaged[rng.integers(len(whole))] ^= 1 << rng.integers(8)
        path.write_bytes(damaged)
        try:
            again = load(path)
        except InputError as error:
            message = str(error)
            assert "\n" not in message
        else:
            assert len(again) == len(again.to_numpy())


def test_foreign_files_are_refused(tmp_path):
    path = tmp_path / "foreign.npz"
    packed = pack(random_bits(3, 9))
    for arrays in (
        {"x": np.ones(3)},
        {"packed": packed},
        {"packed": packed, "n": 8.5},
        {"packed": packed, "n": [9, 9]},
        {"packed": packed, "n": 30},
        {"packed": packed | 255, "n": 9},
        {"packed": packed.astype(object), "n": 9},
        {"packed": packed, "n": 9, "witnesses": np.ones((2, 2))},
    ):
        np.savez(path, **arrays)
        with pytest.raises(InputError, match=r"foreign\.npz"):
            load(path)
    with open(path, "wb") as file:
        np.save(file, packed)
    with pytest.raises(InputError, match=r"foreign\.npz"):
        load(path)


def test_foreign_tables_are_refused(tmp_path):
    pa = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    path = tmp_path / "foreign.parquet"
    good = pa.array([b"ab", b"c\0"], pa.binary(2))
    for columns, metadata in (
        ({"x": [1.0]}, None),
        ({"packed": good}, None),
        ({"packed": good}, {"n": "two"}),
        ({"packed": good}, {"n": "40"}),
        ({"packed": good}, {"n": "10"}),
        ({"packed": pa.array([b"ab", None], pa.binary(2))}, {"n": "16"}),
        ({"packed": [b"ab"]}, {"n": "16"}),
        ({"packed": good, "witnesses": [1.0, 2.0]}, {"n": "16"}),
    ):
        parquet.write_table(pa.table(columns).replace_schema_metadata(metadata), path)
        with pytest.raises(InputError, match=r"foreign\.parquet"):
            load(path)
