"""Direct sums: every product of rows of the summands, each once, in one order."""

import instances
import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from oracles import chambers_brute, check_witness, closed_brute, exact_rows, faults

from arrangements import Arrangement, CapacityError
from arrangements.walk import sums, threads


@st.composite
def direct_sums(draw):
    """Rows of one to four blocks in coordinates of their own, mixed by a matrix or not, with zero,
    equal and opposite rows, in any order."""
    rows, sizes = [], draw(st.lists(st.integers(1, 3), min_size=1, max_size=4))
    for k, size in enumerate(sizes):
        for _ in range(draw(st.integers(1, 5 if len(sizes) < 3 else 3))):
            row = np.zeros(sum(sizes), dtype=object)
            entry = st.integers(-2, 2)
            row[sum(sizes[:k]) :][:size] = draw(st.lists(entry, min_size=size, max_size=size))
            rows.append(row)
    X = np.array(draw(st.permutations(rows)))
    if draw(st.booleans()):
        seed = draw(st.integers(0, 2**32 - 1))
        X = X.dot(np.random.default_rng(seed).integers(-2, 3, (sum(sizes), sum(sizes))))
    return [tuple(map(int, row)) for row in X]


def walked(rows):
    """The same arrangement, walked as a whole."""
    A = Arrangement(rows)
    A.walks._summands = []
    return A


def planes(faces):
    return np.hstack([faces.positive, faces.negative, faces.dims[:, None]])


@given(direct_sums())
@example([(1, 0), (0, 1), (0, 0), (-1, 0)])
@example([(1, 0, 0), (0, 1, 0), (0, 0, 1)])
def test_chambers_of_a_sum_are_all_products_each_once(rows):
    D = Arrangement(rows).dichotomies()
    assert faults(chambers_brute(rows), D.to_numpy()) == []
    assert len(D) == Arrangement(rows).count_dichotomies()
    assert walked(rows).dichotomies() == D
    cut = np.array([any(row) for row in rows])
    bits = D.to_numpy()
    assert len(D) == 1 or (bits[::2] ^ bits[1::2] == cut).all()  # opposites are neighbours


@given(direct_sums(), st.data())
def test_faces_of_a_sum_are_all_products_and_dimensions_add(rows, data):
    A = Arrangement(rows)
    faces, whole = A.trichotomies(), walked(rows).trichotomies()
    assert len(faces) == len(whole) == A.count_trichotomies()
    assert np.array_equal(planes(faces.sorted()), planes(whole.sorted()))
    signs = faces.to_numpy()
    assert not signs[-1].any() and (signs[:-1:2] == -signs[1::2]).all()
    dims = data.draw(st.sets(st.integers(0, A.rank)))
    some = A.trichotomies(dims=dims)
    assert np.array_equal(planes(some), planes(faces[np.isin(faces.dims, list(dims))]))


@given(direct_sums(), st.integers(1, 9), st.sampled_from([1, 2]), st.sampled_from([1, 5, 4096]))
def test_the_order_tells_neither_blocks_nor_threads_nor_what_is_kept(rows, size, jobs, kept):
    A = Arrangement(rows)
    D, T = A.dichotomies(), A.trichotomies()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sums, "_KEPT", kept)
        patch.setattr(sums, "_BLOCK", 4)
        patch.setattr(threads, "SMALL", 4)
        blocks = [*A.iter_dichotomies(size, n_jobs=jobs)]
        assert {len(block) for block in blocks[:-1]} <= {size}
        assert np.array_equal(np.concatenate([block.packed for block in blocks]), D.packed)
        faces = [*A.iter_trichotomies(size, n_jobs=jobs)]
        assert {len(block) for block in faces[:-1]} <= {size}
        assert np.array_equal(np.concatenate([*map(planes, faces)]), planes(T))
    assert np.array_equal(A.dichotomies(n_jobs=jobs).packed, D.packed)


@given(direct_sums())
def test_points_of_a_sum_are_sums_of_points(rows):
    A = Arrangement(rows)
    D = A.dichotomies(witnesses=True)
    assert np.array_equal(D.packed, A.dichotomies().packed)
    assert D.witness_found.all()
    for u, pattern in zip(D.witnesses, D, strict=True):
        assert check_witness(exact_rows(rows), u, pattern)
    blocks = A.iter_dichotomies(3, witnesses=True)
    assert np.array_equal(np.concatenate([block.witnesses for block in blocks]), D.witnesses)


@given(direct_sums())
def test_closed_patterns_of_a_sum(rows):
    closed = Arrangement(rows).dichotomies(boundary="closed")
    assert faults(closed_brute(rows), closed.to_numpy()) == []
    blocks = Arrangement(rows).iter_dichotomies(3, boundary="closed")
    assert np.array_equal(np.concatenate([block.packed for block in blocks]), closed.packed)


def beside(*parts):
    """The rows of some matrices in coordinates of their own."""
    d = sum(len(part[0]) for part in parts)
    out, at = [], 0
    for part in parts:
        out += [(*[0] * at, *row, *[0] * (d - at - len(row))) for row in part]
        at += len(part[0])
    return out


def test_many_samples_and_several_factors():
    cube = np.eye(10, dtype=int).tolist()
    rows = beside(instances.generic(70, 2), instances.braid(4), cube)
    A = Arrangement(rows)
    assert A.count_dichotomies() == 140 * 120 * 2**10
    first = next(A.iter_dichotomies(1000))
    assert first == next(A.iter_dichotomies(1000, n_jobs=2))
    assert sum(map(len, A.iter_dichotomies(1 << 20))) == 140 * 120 * 2**10
    small = Arrangement(beside(instances.generic(70, 2), instances.braid(4), cube[:3]))
    D = small.dichotomies()
    assert len(np.unique(D.packed, axis=0)) == len(D) == 140 * 120 * 8


def test_a_sum_too_large_for_memory_is_refused_before_it_is_walked():
    A = Arrangement(np.eye(60, dtype=int))
    with pytest.raises(CapacityError):
        A.dichotomies()
    assert len(next(A.iter_dichotomies(500))) == 500
