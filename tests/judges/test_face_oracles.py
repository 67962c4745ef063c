"""The oracles of faces and facets against published numbers, each other, and answers by hand."""

import instances
import pytest
from hypothesis import given
from oracles import (
    chambers_brute,
    closed_brute,
    cocircuits,
    covectors_brute,
    f_vector_brute,
    faces_brute,
    facets_brute,
    packed_faces,
)
from strategies import matrices

T, F = True, False

# Numbers of faces: OEIS A000670 (braid), A080253 (type B), closed form (general position).
KNOWN = {
    "braid 3": (instances.braid(3), (1, 14, 36, 24), 75),
    "braid 4": (instances.braid(4), (1, 30, 150, 240, 120), 541),
    "essential braid 4": (instances.essential_braid(4), (1, 30, 150, 240, 120), 541),
    "type B 3": (instances.type_b(3), (1, 26, 72, 48), 147),
    "type B 4": (instances.type_b(4), (1, 80, 464, 768, 384), 1697),
    "threshold 3": (instances.threshold(3), (1, 40, 192, 256, 104), 593),
    "resonance 4": (instances.resonance(4), (1, 90, 480, 760, 370), 1701),
    "generic 20 3": (instances.generic(20, 3), (1, 380, 760, 382), 1523),
}


@pytest.mark.parametrize("name", KNOWN)
def test_published_numbers_of_faces(name):
    rows, numbers, total = KNOWN[name]
    faces = faces_brute(rows)
    assert len(faces) == total
    assert f_vector_brute(faces) == numbers
    # Euler's relation of the sphere: the sum over all faces, the origin included.
    r = len(numbers) - 1
    assert sum((-1) ** k * f for k, f in enumerate(numbers)) == (-1) ** r


@pytest.mark.parametrize(
    ("rows", "faces"),
    [
        ([(3,)], {(1,): 1, (0,): 0, (-1,): 1}),
        ([(0,)], {(0,): 0}),
        ([(0, 0), (0, 0)], {(0, 0): 0}),
        ([(1,), (0,), (-2,)], {(1, 0, -1): 1, (0, 0, 0): 0, (-1, 0, 1): 1}),
        ([(1, 1), (2, 2)], {(1, 1): 1, (0, 0): 0, (-1, -1): 1}),
    ],
)
def test_faces_by_hand(rows, faces):
    assert faces_brute(rows) == faces


def test_faces_of_the_plane_by_hand():
    faces = faces_brute([(1, 0), (0, 1)])
    assert {signs: 2 - signs.count(0) for signs in faces} == faces
    assert len(faces) == 9


@given(matrices())
def test_faces_are_the_compositions_of_cocircuits(rows):
    faces = faces_brute(rows)
    assert covectors_brute(rows) == set(faces)
    assert cocircuits(rows) == {signs for signs, dim in faces.items() if dim == 1}


@given(matrices())
def test_faces_give_chambers_and_the_literal_set(rows):
    faces = faces_brute(rows)
    top = max(faces.values())
    patterns = {signs: tuple(s >= 0 for s in signs) for signs in faces}
    assert {patterns[s] for s, dim in faces.items() if dim == top} == chambers_brute(rows)
    assert set(patterns.values()) == closed_brute(rows)


def test_facets_by_hand():
    assert facets_brute([(0,), (2,), (-1,)]) == {(T, T, F): {1}, (T, F, T): {1}}
    fan = facets_brute([(1, 0), (0, 1), (1, 1)])
    assert fan[T, T, T] == fan[F, F, F] == {0, 1}
    assert fan[T, F, T] == fan[F, T, F] == {1, 2}
    assert fan[F, T, T] == fan[T, F, F] == {0, 2}
    assert facets_brute([(0, 0)]) == {(T,): frozenset()}


@given(matrices())
def test_every_face_of_codimension_one_is_the_facet_of_two_chambers(rows):
    faces = faces_brute(rows)
    top = max(faces.values())
    assert sum(map(len, facets_brute(rows).values())) == 2 * list(faces.values()).count(top - 1)


def test_packed_faces_have_planes_and_dimensions():
    packed = packed_faces({(1, 0, -1, 1, 0, 0, 0, 0, 1): 2, (0,) * 9: 0})
    assert packed.tolist() == [[9, 1, 4, 0, 2], [0, 0, 0, 0, 0]]
