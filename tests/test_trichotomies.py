"""Trichotomies are a sequence and a set of sign vectors, with exact points and chambers above."""

import copy
import pickle
import sys
from fractions import Fraction
from functools import cache

import instances
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from oracles import (
    chambers_brute,
    closed_brute,
    compose_brute,
    exact_rows,
    f_vector_brute,
    faces_brute,
    packed_faces,
)

from arrangements import Arrangement, Dichotomies, load
from arrangements.errors import InputError
from arrangements.patterns import Trichotomies, compose

FORMATS = [".npz", ".parquet", ".arrow", ".feather"]

CASES = {
    "braid 3, rank below d": instances.braid(3),
    "threshold 3": instances.threshold(3),
    "zero, parallel, antiparallel, repeated": [
        (0, 0, 0), (1, 2, 0), (2, 4, 0), (-1, -2, 0), (0, 0, 0), (0, 1, 1), (1, 0, 0), (1, 2, 0),
        (-3, 0, 0), (1, 2, -1),
    ],
    "first row antiparallel": [(-2, 0), (1, 0), (0, -1), (3, 0), (1, 1)],
    "one row": [(3,)],
    "opposite": [(1,), (-1,)],
    "all zero": [(0, 0), (0, 0)],
    "rank one": [(1, 2), (0, 0), (-2, -4)],
    "generic 8 3": instances.generic(8, 3),
    "beyond a word": [*instances.moment_curve(67, 2), (0, 0), (2, 2)],
    "long integers": instances.nudged(instances.type_b(2), 2**70, seed=1),
}


@pytest.fixture(params=FORMATS)
def suffix(request):
    if request.param != ".npz":
        pytest.importorskip("pyarrow")
    return request.param


def sign_matrices(max_q=12, max_n=70):
    return st.tuples(st.integers(0, max_q), st.integers(1, max_n)).flatmap(
        lambda shape: hnp.arrays(np.int8, shape, elements=st.integers(-1, 1))
    )


def few_vectors(n=9):
    row = st.integers(0, 4).map(lambda k: [k % 3 - 1] + [0] * (n - 2) + [k // 3])
    return st.lists(row, max_size=8).map(lambda rows: np.array(rows, dtype=np.int8).reshape(-1, n))


def pack(bits):
    return np.packbits(bits, axis=1, bitorder="little")


def make(signs, **options):
    return Trichotomies(pack(signs > 0), pack(signs < 0), signs.shape[1], **options)


def rows_of(array):
    return [tuple(row) for row in np.asarray(array).tolist()]


def random_signs(q, n, seed=0):
    return np.random.default_rng(seed).integers(-1, 2, (q, n)).astype(np.int8)


def with_witnesses(q=7, n=19, d=3):
    rng = np.random.default_rng(1)
    witnesses = rng.standard_normal((q, d))
    found = rng.random(q) < 0.5
    witnesses[~found] = np.nan
    dims = rng.integers(0, 4, q)
    return make(random_signs(q, n), dims=dims, witnesses=witnesses, witness_found=found)


@cache
def oracle(name):
    return faces_brute(CASES[name])


def enumerated(name):
    """All faces of the case as an enumeration delivers them, and as {signs: dimension}."""
    faces, rows = oracle(name), CASES[name]
    A = Arrangement(rows)
    return Trichotomies._of(packed_faces(faces), len(rows), A), faces, rows


every_case = pytest.mark.parametrize("name", CASES)


# --- a sequence


@given(sign_matrices())
def test_packing_then_unpacking_is_the_identity(signs):
    faces = make(signs)
    assert (faces.n, len(faces)) == (signs.shape[1], len(signs))
    assert np.array_equal(faces.positive, pack(signs > 0))
    assert np.array_equal(faces.negative, pack(signs < 0))
    for again in (faces.to_numpy(), np.asarray(faces)):
        assert again.dtype == np.int8
        assert np.array_equal(again, signs)
    assert rows_of(list(faces)) == rows_of(signs)


@given(sign_matrices(max_n=20), st.data())
def test_indexing_agrees_with_numpy(signs, data):
    q = len(signs)
    dims = np.arange(q) % 2
    faces = make(signs, dims=dims)
    mask = data.draw(hnp.arrays(bool, q))
    numbers = data.draw(st.lists(st.integers(-q, q - 1), max_size=5)) if q else []
    for key in (data.draw(st.slices(q)), mask, numbers):
        at = np.array(key, dtype=int) if key is numbers else key
        assert rows_of(faces[key]) == rows_of(signs[at])
        assert faces[key].dims.tolist() == dims[at].tolist()
    for i in numbers:
        assert faces[i].dtype == np.int8
        assert faces[np.int32(i)].tolist() == signs[i].tolist()
    for outside in (q, -q - 1):
        with pytest.raises(IndexError):
            faces[outside]
    with pytest.raises(IndexError):
        faces[0, 0]


def test_iteration_and_unpacking_cross_their_blocks():
    signs = random_signs(20_000, 5)
    assert rows_of(list(make(signs))) == rows_of(make(signs)) == rows_of(signs)


def test_selections_carry_their_witnesses():
    faces = with_witnesses()
    for key in (slice(1, 6, 2), [3, 0, -1], np.arange(7) % 2 == 0):
        part = faces[key]
        assert np.array_equal(part.witnesses, faces.witnesses[key], equal_nan=True)
        assert np.array_equal(part.witness_found, faces.witness_found[key])


def test_faces_cannot_be_changed():
    faces = with_witnesses()
    for name in ("positive", "negative", "dims", "witnesses", "witness_found"):
        with pytest.raises(ValueError, match="read-only"):
            getattr(faces, name)[0] = 0
        with pytest.raises(AttributeError):
            setattr(faces, name, None)
    before = faces.to_numpy()
    faces[0][:] = next(iter(faces))[:] = 1
    faces.to_numpy()[:] = 1
    assert np.array_equal(faces, before)


def test_arguments_are_copied():
    planes = np.zeros((2, 3, 1), dtype=np.uint8)
    faces = Trichotomies(*planes, 8, dims=[0, 0, 0])
    planes[:] = 255
    assert not faces.to_numpy().any()


@pytest.mark.parametrize(
    "twin", [copy.copy, copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))]
)
def test_copies_are_equal_and_read_only(twin):
    for faces in (with_witnesses(), enumerated("opposite")[0]):
        again = twin(faces)
        assert rows_of(again) == rows_of(faces)
        assert again.dims.tolist() == faces.dims.tolist()
        assert not again.positive.flags.writeable
        assert (again.arrangement is None) == (faces.arrangement is None)
    assert np.array_equal(twin(with_witnesses()).witnesses, with_witnesses().witnesses,
                          equal_nan=True)


def test_repr_is_one_short_line():
    assert repr(make(random_signs(3, 9))) == "Trichotomies(n=9, q=3, 12 bytes)"


def test_array_protocol_casts_and_refuses_to_share():
    faces = make(random_signs(3, 9))
    assert np.asarray(faces, dtype=float).dtype == float
    with pytest.raises(ValueError, match="positive"):
        np.array(faces, copy=False)


# --- a set


@given(few_vectors(), few_vectors())
def test_equality_is_that_of_python_sets(first, second):
    assert (make(first) == make(second)) == (set(rows_of(first)) == set(rows_of(second)))
    assert (make(first) != make(second)) == (set(rows_of(first)) != set(rows_of(second)))


@given(sign_matrices())
def test_sorting_is_lexicographic_with_sample_0_first(signs):
    faces = make(signs)
    assert rows_of(faces.sorted()) == sorted(rows_of(signs))
    assert faces == faces.sorted() == faces[::-1]


def test_one_sign_makes_two_sets_different():
    for n in (1, 8, 9, 63, 64, 65, 129):
        signs = random_signs(5, n)
        for i in range(n):
            other = signs[::-1].copy()
            other[0, i] = (other[0, i] + 2) % 3 - 1
            assert (make(signs) == make(other)) == (set(rows_of(signs)) == set(rows_of(other)))


def test_equality_needs_equal_n_and_trichotomies():
    wide, narrow = np.zeros((1, 9), dtype=np.int8), np.zeros((1, 8), dtype=np.int8)
    assert make(wide) != make(narrow)
    assert make(wide) != wide.tolist()
    with pytest.raises(TypeError):
        hash(make(wide))


@given(few_vectors(), few_vectors())
def test_membership_index_and_count_agree_with_lists(signs, asked):
    faces, listed = make(signs), rows_of(signs)
    for vector in asked:
        key = tuple(vector.tolist())
        assert (vector in faces) == (key in faces) == (key in listed)
        assert faces.count(vector) == listed.count(key)
        if key in listed:
            assert faces.index(vector) == listed.index(key)
            last = len(listed) - 1 - listed[::-1].index(key)
            assert faces.index(vector, last) == last
        else:
            with pytest.raises(ValueError, match="not among the trichotomies"):
                faces.index(vector)


@pytest.mark.parametrize(
    "vector",
    [[1] * 9, [1] * 11, [[1] * 10], 1, [0, 2] * 5, [0.0, 1.0] * 5, [True] * 10, "0101010101"],
)
def test_what_is_no_sign_vector_is_refused(vector):
    with pytest.raises(InputError, match="sign vector"):
        vector in make(random_signs(3, 10))  # noqa: B015


# --- dimensions


@every_case
def test_dimensions_given_and_computed_agree_with_brute_force(name):
    given_dims, faces, _ = enumerated(name)
    computed = make(given_dims.to_numpy(), arrangement=given_dims.arrangement)
    assert given_dims.dims.tolist() == list(faces.values())
    assert computed.dims.tolist() == list(faces.values())
    assert not computed.dims.flags.writeable
    assert given_dims.f_vector() == computed[::-1].f_vector() == list(f_vector_brute(faces))
    for k in range(max(faces.values()) + 1):
        part = given_dims.of_dim(k)
        assert rows_of(part) == [signs for signs, dim in faces.items() if dim == k]
        assert part.f_vector() == [
            f * (j == k) for j, f in enumerate(f_vector_brute(faces))]


def test_dimensions_need_an_arrangement_or_to_be_given():
    with pytest.raises(InputError, match="dims needs an exact arrangement"):
        _ = make(random_signs(3, 9)).dims
    tol = make(np.zeros((1, 2), dtype=np.int8), arrangement=Arrangement([[1], [2]], tol=1e-9))
    with pytest.raises(InputError, match="tol"):
        _ = tol.dims


def test_computing_dimensions_keeps_witnesses():
    A = Arrangement([[1], [2]])
    faces = make(np.array([[1, 1], [0, 0]], dtype=np.int8), arrangement=A,
                 witnesses=np.array([[1.0], [0.0]]))
    assert faces.dims.tolist() == [1, 0]
    assert faces.witnesses.tolist() == [[1.0], [0.0]]


@pytest.mark.parametrize("k", [-1, 4, True, 1.0, None])
def test_dimensions_out_of_range_are_refused(k):
    with pytest.raises(InputError, match="k must be an integer from 0 to 3"):
        enumerated("braid 3, rank below d")[0].of_dim(k)


# --- faces of an arrangement


@every_case
def test_witnesses_have_the_signs_of_their_face(name):
    T, faces, rows = enumerated(name)
    for i, signs in list(enumerate(faces))[:: max(1, len(faces) // 60)]:
        u = T.witness(i)
        assert all(type(x) is Fraction for x in u)
        values = [sum(x * y for x, y in zip(row, u, strict=True)) for row in rows]
        assert tuple((v > 0) - (v < 0) for v in values) == signs


def test_witnesses_are_in_the_coordinates_of_the_data():
    X = [(0.1, 1e-150, 3e150), (0.2, 5e-150, -1e150), (0.3, 6e-150, 2e150), (-0.1, 0.0, 1e150)]
    rows = exact_rows(X, bias=True, decimal=True)
    faces = faces_brute(rows)
    A = Arrangement(X, bias=True, numbers="decimal")
    T = Trichotomies._of(packed_faces(faces), 4, A)
    for i, signs in enumerate(faces):
        u = T.witness(i)
        values = [sum(x * y for x, y in zip(row, u, strict=True)) for row in rows]
        assert tuple((v > 0) - (v < 0) for v in values) == signs


@every_case
def test_sign_vectors_that_are_no_face_have_no_witness(name):
    T, faces, rows = enumerated(name)
    signs = random_signs(40, len(rows), seed=3)
    wrong = make(np.array([s for s in signs if tuple(s.tolist()) not in faces],
                          dtype=np.int8).reshape(-1, len(rows)), arrangement=T.arrangement)
    for i in range(len(wrong)):
        for ask in (wrong.witness, wrong.chambers_above):
            with pytest.raises(InputError, match="no u has"):
                ask(i)


@every_case
def test_chambers_above_are_those_that_agree_where_the_face_is_not_zero(name):
    T, faces, rows = enumerated(name)
    top = max(faces.values())
    chambers = [signs for signs, dim in faces.items() if dim == top]
    for i, signs in list(enumerate(faces))[:: max(1, len(faces) // 60)]:
        above = T.chambers_above(i)
        assert isinstance(above, Dichotomies)
        assert (above.n, above.arrangement) == (len(rows), T.arrangement)
        expected = {
            tuple(x >= 0 for x in chamber) for chamber in chambers
            if all(x in (0, y) for x, y in zip(signs, chamber, strict=True))
        }
        assert len(above) == len(expected)
        assert set(rows_of(above)) == expected


@every_case
def test_patterns_are_the_literal_set_and_the_chambers(name):
    T, _, rows = enumerated(name)
    closed, chambers = T.dichotomies(), T.dichotomies(boundary="open")
    assert len(set(rows_of(closed))) == len(closed)
    assert set(rows_of(closed)) == closed_brute(rows)
    assert len(set(rows_of(chambers))) == len(chambers)
    assert set(rows_of(chambers)) == chambers_brute(rows)
    assert closed.arrangement is T.arrangement
    assert closed == T.arrangement.dichotomies(boundary="closed")


def test_patterns_of_some_faces_are_theirs_in_order():
    T = make(np.array([[1, -1], [0, -1], [1, 1], [0, 0]], dtype=np.int8))
    expected = [(True, False), (True, True)]
    assert rows_of(T.dichotomies(boundary="closed")) == expected
    with pytest.raises(InputError, match="of_dim"):
        T.dichotomies(boundary="open")
    with pytest.raises(InputError, match="boundary must be"):
        T.dichotomies(boundary="half")


def test_what_needs_an_arrangement_says_so():
    T = make(random_signs(3, 9))
    for ask in (T.witness, T.chambers_above):
        with pytest.raises(InputError, match=f"{ask.__name__} needs an exact arrangement"):
            ask(1)
    for name in ("witnesses", "witness_found"):
        with pytest.raises(InputError, match="trichotomies\\(witnesses=True\\)"):
            getattr(T, name)


def test_witnesses_with_nan_are_not_found():
    witnesses = np.array([[1.0, 2.0], [np.nan, 0.0], [np.inf, 0.0]])
    assert make(random_signs(3, 4), witnesses=witnesses).witness_found.tolist() == [
        True, False, False]


def test_diag_has_the_signs_on_its_diagonal():
    signs = random_signs(4, 11)
    T = make(signs).diag(2)
    assert T.dtype == np.float64
    assert np.array_equal(T.toarray(), np.diag(signs[2].astype(float)))


# --- composition


@given(sign_matrices(max_q=6, max_n=20), st.randoms())
def test_composition_is_sign_by_sign(signs, random):
    other = signs.copy()
    random.shuffle(other.ravel())
    expected = [compose_brute(*pair) for pair in zip(rows_of(signs), rows_of(other), strict=True)]
    assert rows_of(compose(signs, other)) == expected
    assert compose(signs, other).dtype == np.int8
    assert rows_of(compose(make(signs), make(other))) == expected
    assert isinstance(compose(make(signs), make(other)), Trichotomies)
    assert rows_of(compose(make(signs), other)) == expected
    for a, b in zip(signs, other, strict=True):
        assert np.array_equal(compose(a, other), [compose(a, c) for c in other])
        assert np.array_equal(compose(signs, b), [compose(c, b) for c in signs])


@pytest.mark.parametrize("name", ["threshold 3", "zero, parallel, antiparallel, repeated"])
def test_compositions_of_faces_are_faces(name):
    T, faces, _ = enumerated(name)
    for shift in (1, 7, 40):
        other = T[np.roll(np.arange(len(T)), shift)]
        both = compose(T, other)
        assert set(rows_of(both)) <= set(faces)
        assert both.dims.tolist() == [faces[signs] for signs in rows_of(both)]
        assert (both.dims >= T.dims).all()


def test_composition_drops_an_arrangement_that_only_one_has():
    first, second = enumerated("opposite")[0], enumerated("opposite")[0]
    assert compose(first, first).arrangement is first.arrangement
    assert compose(first, second).arrangement is None


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ([1, 0], [1, 0, 1]),
        ([1, 2], [0, 0]),
        ([1.0, 0.0], [0, 0]),
        ([True, False], [0, 0]),
        (1, [0, 0]),
        ([[[1]]], [0]),
        ([[1], [1]], [[1], [1], [0]]),
        (make(random_signs(2, 3)), make(random_signs(3, 3))),
        (make(random_signs(2, 3)), make(random_signs(2, 4))),
        (make(random_signs(2, 3)), [1, 0]),
    ],
)
def test_what_cannot_be_composed_is_refused(a, b):
    for pair in ((a, b), (b, a)):
        with pytest.raises(InputError):
            compose(*pair)


# --- the constructor


@pytest.mark.parametrize("n", [1, 7, 9, 15, 130])
@pytest.mark.parametrize("plane", [0, 1])
def test_bits_after_the_last_sample_are_refused(n, plane):
    planes = [np.zeros((4, -(-n // 8)), dtype=np.uint8) for _ in range(2)]
    planes[plane][2, -1] |= 128
    with pytest.raises(InputError, match=f"{['positive', 'negative'][plane]} .* row 2"):
        Trichotomies(*planes, n)


def test_both_signs_at_once_are_refused():
    planes = np.zeros((2, 4, 2), dtype=np.uint8)
    planes[:, 3, 1] = 4
    with pytest.raises(InputError, match="row 3, sample 10"):
        Trichotomies(*planes, 12)


@pytest.mark.parametrize(
    ("positive", "negative", "n"),
    [
        (np.zeros((2, 1), np.uint8), np.zeros((2, 1), np.uint8), 0),
        (np.zeros((2, 1), np.uint8), np.zeros((2, 1), np.uint8), True),
        (np.zeros((2, 1), np.uint8), np.zeros((2, 1), np.uint8), 9),
        (np.zeros((2, 1), np.uint8), np.zeros((3, 1), np.uint8), 8),
        (np.zeros((2, 1), np.uint8), np.zeros((2, 2), np.uint8), 8),
        (np.zeros((2, 1), np.int8), np.zeros((2, 1), np.uint8), 8),
        (np.zeros((2, 1), np.uint8), np.zeros((2, 1)), 8),
        (np.uint8(0), np.uint8(0), 8),
        ([[1, -1]], [[0, 1]], 2),
    ],
)
def test_wrong_arrays_are_refused(positive, negative, n):
    with pytest.raises(InputError):
        Trichotomies(positive, negative, n)


@pytest.mark.parametrize(
    "dims", [[1, 2], [[1], [2], [0]], [0, 1, -1], [0, 1, 6], [0.0, 1.0, 2.0], 1])
def test_wrong_dimensions_are_refused(dims):
    with pytest.raises(InputError, match="dims"):
        make(random_signs(3, 5), dims=dims)


@pytest.mark.parametrize(
    "options",
    [
        {"witnesses": np.zeros(3)},
        {"witnesses": np.zeros((2, 4))},
        {"witness_found": np.ones(3, bool)},
        {"witnesses": np.zeros((3, 4)), "witness_found": np.ones(2, bool)},
    ],
)
def test_witnesses_of_another_shape_are_refused(options):
    with pytest.raises(InputError, match="witness"):
        make(random_signs(3, 5), **options)


# --- files


@pytest.mark.parametrize("n", [1, 8, 9, 65])
@pytest.mark.parametrize("q", [0, 1, 300])
def test_files_give_back_rows_and_order(tmp_path, suffix, q, n):
    signs = random_signs(q, n)
    path = tmp_path / f"faces{suffix}"
    make(signs, dims=np.arange(q) % 2).save(path)
    again = load(path)
    assert isinstance(again, Trichotomies)
    assert (again.n, rows_of(again), again.dims.tolist()) == (
        n, rows_of(signs), (np.arange(q) % 2).tolist())
    make(signs).save(path)
    again = load(path)
    assert rows_of(again) == rows_of(signs)
    for name in ("dims", "witnesses"):
        with pytest.raises(InputError):
            getattr(again, name)


def test_files_give_back_witnesses(tmp_path, suffix):
    faces = with_witnesses()[2:]
    faces.save(tmp_path / f"w{suffix}")
    again = load(tmp_path / f"w{suffix}")
    assert rows_of(again) == rows_of(faces)
    assert again.dims.tolist() == faces.dims.tolist()
    assert np.array_equal(again.witnesses, faces.witnesses, equal_nan=True)
    assert np.array_equal(again.witness_found, faces.witness_found)


def test_damaged_files_never_give_another_error(tmp_path, suffix):
    path = tmp_path / f"faces{suffix}"
    with_witnesses().save(path)
    whole = path.read_bytes()
    rng = np.random.default_rng(0)
    for k in range(150):
        damaged = bytearray(whole[: len(whole) * (k % 10) // 10 or None])
        damaged[rng.integers(len(damaged))] ^= 1 << rng.integers(8)
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
    planes = {"positive": pack(random_signs(3, 9) > 0), "negative": pack(random_signs(3, 9) < 0)}
    for arrays in (
        {"positive": planes["positive"], "n": 9},
        {**planes, "n": 20},
        {**planes, "negative": planes["positive"], "n": 9},
        {**planes, "n": 9, "dims": [1, 2]},
    ):
        np.savez(path, **arrays)
        with pytest.raises(InputError, match=r"foreign\.npz"):
            load(path)


def test_unknown_suffixes_and_missing_pyarrow_are_named(tmp_path, monkeypatch):
    with pytest.raises(InputError, match=r"\.parquet"):
        make(random_signs(2, 9)).save(tmp_path / "faces.csv")
    for name in ("pyarrow", "pyarrow.parquet"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(InputError, match="pip install"):
        make(random_signs(2, 9)).save(tmp_path / "faces.parquet")
    assert list(tmp_path.iterdir()) == []
