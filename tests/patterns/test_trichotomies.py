"""Trichotomies know dimensions, exact points and chambers above, and are composed.

What they share with dichotomies is in test_packed_tables.py.
"""

import copy
import pickle
from fractions import Fraction
from functools import cache

import instances
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from oracles import (
    chambers_brute,
    closed_brute,
    compose_brute,
    exact_rows,
    f_vector_brute,
    faces_brute,
    packed_faces,
)
from test_packed_tables import TABLES
from test_packed_tables import rows as rows_of

from arrangements import Arrangement, Dichotomies, load
from arrangements.errors import InputError
from arrangements.patterns import Trichotomies, compose

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


table = TABLES["trichotomies"]
make, random_signs = table.make, table.random


@cache
def oracle(name):
    return faces_brute(CASES[name])


def enumerated(name):
    """All faces of the case as an enumeration delivers them, and as {signs: dimension}."""
    faces, rows = oracle(name), CASES[name]
    A = Arrangement(rows)
    return Trichotomies._of(packed_faces(faces), len(rows), A), faces, rows


every_case = pytest.mark.parametrize("name", CASES)


def test_arguments_are_copied():
    planes = np.zeros((2, 3, 1), dtype=np.uint8)
    faces = Trichotomies(*planes, 8, dims=[0, 0, 0])
    planes[:] = 255
    assert not faces.to_numpy().any()


@pytest.mark.parametrize(
    "twin", [copy.copy, copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))]
)
def test_copies_keep_their_arrangement(twin):
    faces = enumerated("opposite")[0]
    again = twin(faces)
    assert rows_of(again) == rows_of(faces)
    assert again.dims.tolist() == faces.dims.tolist()
    assert again.arrangement.rank == 1
    assert again.dichotomies("open") == faces.dichotomies("open")


@pytest.mark.parametrize("vector", [[0, 2] * 5, [-2] * 10, [True] * 10])
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


# --- composition


@given(table.matrices(max_p=6, max_n=20), st.randoms())
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


def test_both_signs_at_once_are_refused():
    planes = np.zeros((2, 4, 2), dtype=np.uint8)
    planes[:, 3, 1] = 4
    with pytest.raises(InputError, match="row 3, sample 10"):
        Trichotomies(*planes, 12)


def test_planes_of_unequal_length_are_refused():
    with pytest.raises(InputError, match="negative must be"):
        Trichotomies(np.zeros((2, 1), np.uint8), np.zeros((3, 1), np.uint8), 8)


@pytest.mark.parametrize(
    "dims", [[1, 2], [[1], [2], [0]], [0, 1, -1], [0, 1, 6], [0.0, 1.0, 2.0], 1])
def test_wrong_dimensions_are_refused(dims):
    with pytest.raises(InputError, match="dims"):
        make(random_signs(3, 5), dims=dims)


@pytest.mark.parametrize("more", [{"negative": [[1], [0]]}, {"dims": [1]}, {"dims": [0.0, 1.0]}])
def test_foreign_files_are_refused(tmp_path, more):
    planes = {"positive": [[1], [2]], "negative": [[2], [1]]} | more
    arrays = {name: np.array(a, np.uint8 if name != "dims" else None) for name, a in planes.items()}
    np.savez(tmp_path / "foreign.npz", n=2, **arrays)
    with pytest.raises(InputError, match=r"foreign\.npz"):
        load(tmp_path / "foreign.npz")
