"""Every face, each once, against brute force: all at once, in blocks, of some dimensions."""

from random import Random

import instances
import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from oracles import exact_rows, f_vector_brute, faces_brute, rank
from strategies import integer_rows

import arrangements
from arrangements import Arrangement
from arrangements.errors import InputError

DEGENERATE = {
    "type B": instances.type_b(3),
    "braid": instances.braid(4),
    "resonance": instances.resonance(3),
    "threshold": instances.threshold(3),
    "generic": instances.generic(8, 4),
    "a plane beside two lines": [(1, 0, 0, 0), (0, 1, 0, 0), (1, 1, 0, 0), (1, 2, 0, 0),
                                 (0, 0, 1, 0), (0, 0, 0, -1)],
    "two planes": [(1, 0, 0, 0), (0, 1, 0, 0), (1, 1, 0, 0),
                   (0, 0, 1, 0), (0, 0, 0, 1), (0, 0, 1, -1), (0, 0, 2, -2)],
    "parallel in a restriction": [(1, 0, 0), (0, 1, 0), (1, 1, 0), (2, 1, 0), (1, 0, 1), (0, 1, 1)],
    "zero, repeated and opposite": [(0, 0), (1, 2), (2, 4), (-1, -2), (0, 1), (0, 0), (0, -3)],
    "all zero": [(0, 0)],
}
NEAR = instances.near_degenerate()
every_case = pytest.mark.parametrize("name", DEGENERATE)


def listed(faces):
    """{signs: dimension} of a table; each row of it must be another one."""
    found = dict(zip(map(tuple, faces.to_numpy().tolist()), faces.dims.tolist(), strict=True))
    assert len(found) == len(faces)
    return found


@given(integer_rows(n=7, d=4))
@example(DEGENERATE["two planes"])
@example(DEGENERATE["a plane beside two lines"])
@example(DEGENERATE["parallel in a restriction"])
def test_faces_equal_brute_force(rows):
    expected = faces_brute(exact_rows(rows))
    A = Arrangement(rows)
    assert listed(A.trichotomies()) == expected
    assert tuple(A.f_vector()) == f_vector_brute(expected)
    assert A.count_trichotomies() == len(expected)


@every_case
def test_faces_of_named_arrangements(name):
    assert listed(Arrangement(DEGENERATE[name]).trichotomies()) == faces_brute(DEGENERATE[name])


def in_another_basis(rows, bits, seed):
    """The same rows in coordinates that make long integers of them: X M, M invertible."""
    random, d = Random(seed), len(rows[0])
    M = [[random.getrandbits(bits) for _ in range(d)] for _ in range(d)]
    assert rank(M) == d
    return [[sum(x * m[j] for x, m in zip(row, M, strict=True)) for j in range(d)] for row in rows]


@every_case
@pytest.mark.parametrize("bits", [30, 90])
def test_faces_do_not_depend_on_the_basis(name, bits):
    """Long integers fit no list of small arrangements: vertices are walked instead."""
    A = Arrangement(in_another_basis(DEGENERATE[name], bits, bits))
    expected = faces_brute(DEGENERATE[name])
    assert listed(A.trichotomies()) == expected
    assert A.f_vector() == list(f_vector_brute(expected))


@given(integer_rows(n=7, d=4), st.integers(0, 99))
@example(instances.type_b(4)[:12], 0)
@example(instances.resonance(4), 1)
def test_faces_of_any_rows_do_not_depend_on_the_basis(rows, seed):
    A = Arrangement(in_another_basis(rows, 64, seed))
    assert listed(A.trichotomies()) == faces_brute(exact_rows(rows))


@pytest.mark.parametrize("name", sorted(NEAR)[::5])
def test_faces_a_hair_away_from_degenerate_data(name):
    A = Arrangement(NEAR[name])
    found = listed(A.trichotomies())
    assert tuple(A.f_vector()) == f_vector_brute(found)
    if A.n <= 9:
        assert found == faces_brute(exact_rows(NEAR[name]))


@every_case
@pytest.mark.parametrize("n_jobs", [1, 2])
def test_blocks_hold_the_same_rows_in_the_same_order(name, n_jobs):
    A = Arrangement(DEGENERATE[name])
    whole = A.trichotomies()
    for size in (1, 7, 10**6):
        blocks = list(A.iter_trichotomies(size, n_jobs=n_jobs))
        assert [len(block) for block in blocks[:-1]] == [size] * (len(blocks) - 1)
        assert (np.vstack([block.to_numpy() for block in blocks]) == whole.to_numpy()).all()
        assert (np.hstack([block.dims for block in blocks]) == whole.dims).all()


@every_case
def test_faces_of_some_dimensions_are_those_of_all(name):
    A = Arrangement(DEGENERATE[name])
    for dims in ([A.rank], [0], range(A.rank), [A.rank - 1] if A.rank else []):
        whole = A.trichotomies()
        kept = whole.to_numpy()[np.isin(whole.dims, list(dims))]
        assert (A.trichotomies(dims=dims).to_numpy() == kept).all()


@given(integer_rows(n=5, d=3))
def test_witnesses_have_the_signs_of_their_faces(rows):
    A = Arrangement(rows)
    faces = A.trichotomies(witnesses=True)
    signs = A.signs_at(faces.witnesses)  # exact, of the floats as they are
    found = faces.witness_found
    assert (signs[found] == faces.to_numpy()[found]).all()
    assert found[faces.dims == A.rank].all()


def test_shortcuts_are_the_methods():
    X = DEGENERATE["braid"]
    A = Arrangement(X)
    assert (arrangements.trichotomies(X).to_numpy() == A.trichotomies().to_numpy()).all()
    blocks = arrangements.iter_trichotomies(X, 5)
    assert sum(map(len, blocks)) == arrangements.count_trichotomies(X) == A.count_trichotomies()
    assert arrangements.f_vector(X) == A.f_vector()


@pytest.mark.parametrize("dims", [[4], [-1], [0.5], [True], "ab"])
def test_what_is_no_dimension_is_refused(dims):
    with pytest.raises(InputError, match="dims must be integers from 0 to the rank, 3"):
        Arrangement(DEGENERATE["type B"]).trichotomies(dims=dims)


@pytest.mark.parametrize("kind", [0, 3, True, "first"])
def test_what_is_no_kind_of_whitney_numbers_is_refused(kind):
    with pytest.raises(InputError, match="kind must be 1 or 2"):
        Arrangement(DEGENERATE["type B"]).whitney_numbers(kind)
