"""Every published number of a family is what enumeration finds."""

from itertools import combinations, product
from math import prod

import numpy as np
import pytest
from oracles import _section, count_deletion_restriction, exact_rows, in_general_position, rank

from arrangements import Arrangement, InputError, families

CASES = [
    *[families.braid(k) for k in range(1, 7)],
    *[families.type_b(k) for k in range(1, 6)],
    *[families.type_d(k) for k in range(2, 6)],
    *[families.resonance(k) for k in range(1, 6)],
    *[families.threshold_functions(k) for k in range(1, 6)],
    *[families.threshold_graphs(k) for k in range(3, 8)],
    *[families.cross_polytope(k) for k in range(1, 7)],
    *[families.demicube(k) for k in range(3, 6)],
    *[families.generic(n, r, rng=n) for n, r in [(1, 1), (5, 1), (7, 2), (20, 3), (30, 5), (6, 6)]],
    *[families.cyclic(n, r) for n, r in [(1, 1), (4, 1), (7, 2), (20, 3), (30, 5), (40, 4)]],
]
FULL = [
    families.resonance(6),
    families.threshold_functions(6),
    families.braid(8),
    families.generic(50, 5, rng=0),
    families.generic(100, 5, rng=0),
]


def name(family):
    return family.name


def count_faces(rows):
    """Faces of integer rows: the chambers of every flat, found by restriction."""
    rows = tuple({line(row) for row in rows if any(row)})
    flats, seen = {(): rows}, 0
    while flats:
        seen += sum(count_deletion_restriction(rest) if rest else 1 for rest in flats.values())
        flats = restrictions(flats, rows)
    return seen


def line(row):
    return row if next(filter(None, row)) > 0 else tuple(-x for x in row)


def restrictions(flats, rows):
    """Flats one dimension lower, as {rows that vanish there: the other rows restricted to it}."""
    out = {}
    for zero, rest in flats.items():
        left = [i for i in range(len(rows)) if i not in zero]
        for h in rest:
            down, _ = _section(h)
            lower = [down(a) for a in rest]
            key = (*zero, *(i for i, a in zip(left, lower, strict=True) if not any(a)))
            out.setdefault(tuple(sorted(key)), tuple(a for a in lower if any(a)))
    return out


@pytest.mark.parametrize("family", CASES, ids=name)
def test_chambers_are_those_enumerated(family):
    assert family.rows.shape[1] == family.rank
    assert family.rows.dtype in (np.int64, object)
    A = family.arrangement()
    assert A.rank == family.rank
    assert A.n == A.n_hyperplanes or family.rank == 1
    if family.chambers is None:
        assert family.name == "demicube(5)"
        return
    assert len(A.dichotomies()) == family.chambers == A.count_dichotomies()
    if family.rank > 1:
        assert A.general_position == family.general_position


@pytest.mark.full
@pytest.mark.parametrize("family", FULL, ids=name)
def test_chambers_of_larger_members(family):
    assert Arrangement(family.rows).count_dichotomies() == family.chambers


def test_faces_oracle_on_what_is_seen_at_once():
    assert count_faces([(1,)]) == 3
    assert count_faces([(1, 0), (0, 1)]) == 9
    assert count_faces([(1, 0), (0, 1), (1, 1)]) == 13
    assert count_faces([(1, 0, 0), (0, 1, 0), (0, 0, 1)]) == 27


@pytest.mark.parametrize(
    "family",
    [
        case
        for case in CASES
        if case.faces is not None and len(case.rows) <= 20 and case.rank <= 5
    ],
    ids=name,
)
def test_faces_are_those_of_brute_force(family):
    rows = exact_rows(family.rows.tolist())
    if family.rank == 1:
        assert family.faces == 3
    else:
        assert count_faces(rows) == family.faces


def test_sign_vectors_of_the_square_and_of_small_coxeter_arrangements():
    # Enough points u meet every face, so distinct sign vectors are the faces.
    for family, size in [
        (families.braid(2), 3), (families.type_b(2), 3), (families.type_d(3), 4),
        (families.type_b(3), 4), (families.cross_polytope(2), 3),
    ]:  # fmt: skip
        u = np.array(list(product(range(-size, size + 1), repeat=family.rank)))
        assert len(np.unique(np.sign(u @ family.rows.T), axis=0)) == family.faces


@pytest.mark.parametrize(
    ("family", "faces"),
    [
        (families.braid(4), 541), (families.braid(8), 7087261), (families.type_b(5), 24483),
        (families.type_d(4), 865), (families.type_d(7), 4364979), (families.generic(30, 5), 880443),
        (families.generic(50, 5), 7379403), (families.cyclic(20, 7), 5117843),
    ],
    ids=lambda x: getattr(x, "name", None),
)  # fmt: skip
def test_faces_as_printed(family, faces):
    assert family.faces == faces


def test_large_parameters_have_the_published_numbers():
    assert families.threshold_functions(9).chambers == 144130531453121108
    assert families.resonance(7).chambers == 347326352
    assert families.threshold_graphs(9).chambers == 4349492
    assert families.braid(20).chambers == prod(range(1, 22))
    assert families.resonance(9).chambers is None
    assert families.resonance(9).general_position is None


def test_threshold_graphs_by_counting_graphs():
    # Degrees separate the threshold graphs: no two edges ab, cd without ac or bd (2 K_2, C_4, P_4).
    def is_threshold(edges):
        return not any(
            {a, b}.isdisjoint({c, d}) and frozenset({a, c}) not in edges
            and frozenset({b, d}) not in edges
            for e, f in combinations(edges, 2)
            for a, b in [tuple(e), tuple(e)[::-1]]
            for c, d in [tuple(f)]
        )  # fmt: skip

    pairs = [frozenset(pair) for pair in combinations(range(4), 2)]
    graphs = ({p for p, on in zip(pairs, chosen, strict=True) if on}
              for chosen in product((0, 1), repeat=6))  # fmt: skip
    assert sum(map(is_threshold, graphs)) == families.threshold_graphs(4).chambers == 46


@pytest.mark.parametrize(("n", "r", "seed"), [(9, 3, 0), (7, 4, 1), (6, 5, 2), (12, 2, 3)])
def test_generic_rows_have_no_vanishing_minor(n, r, seed):
    rows = families.generic(n, r, rng=seed).rows
    assert in_general_position(rows.tolist())
    assert np.array_equal(rows, families.generic(n, r, rng=seed).rows)
    assert not np.array_equal(rows, families.generic(n, r, rng=seed + 1).rows)
    assert np.abs(rows).max() < 2**30


def test_generic_minors_survive_the_prime():
    p = 2**31 - 1
    rows = families.generic(8, 3, rng=np.random.default_rng(5)).rows.astype(object)
    for a, b, c in combinations(rows, 3):
        assert int(a @ np.cross(b, c)) % p


def test_cyclic_rows_of_any_size_are_integers():
    rows = families.cyclic(1000, 9).rows
    assert rows.dtype == object and rows[0, -1] == 500**8
    assert families.cyclic(1000, 7).rows.dtype == np.int64
    assert families.cyclic(1000, 7).rows[0, -1] == 500**6
    assert rank(families.cyclic(9, 5).rows.tolist()) == 5


def test_icosahedral_mirrors():
    family = families.reflection_h3()
    A = family.arrangement()
    assert (A.count_dichotomies(), A.n_hyperplanes, A.exact) == (family.chambers, 15, False)
    # Every mirror carries two vertices of order 5, two of order 3 and two of order 2, and their
    # opposites: 180 edges on 15 great circles of 12 vertices each.
    signs = {tuple(np.sign(np.round(family.rows @ u, 9))) for u in rays(family.rows)}
    assert family.faces == 120 + 15 * 12 + len(signs) + 1


def rays(rows):
    for a, b in combinations(rows, 2):
        v = np.cross(a, b)
        yield from (v, -v)


@pytest.mark.parametrize(
    ("call", "part"),
    [
        (lambda: families.braid(0), "k must be at least 1"),
        (lambda: families.braid(2.0), "k must be"),
        (lambda: families.braid(-1), "k must be"),
        (lambda: families.type_d(1), "at least 2"),
        (lambda: families.threshold_graphs(2), "at least 3"),
        (lambda: families.resonance(21), "1 to 20"),
        (lambda: families.threshold_functions(0), "1 to 20"),
        (lambda: families.demicube(2), "3 to 21"),
        (lambda: families.generic(2, 3), "n must be at least r = 3"),
        (lambda: families.generic(2**31, 3), "n must be below"),
        (lambda: families.cyclic(3, 0), "r must be at least 1"),
    ],
)
def test_parameters_out_of_range_are_refused(call, part):
    with pytest.raises(InputError, match=part):
        call()


def test_all_families_have_a_name_and_documentation():
    assert set(families.ALL) == set(families.__all__) - {"ALL", "Family"}
    for key, function in families.ALL.items():
        assert function.__doc__ and function.__name__ == key
        arguments = {"generic": (9, 3), "cyclic": (9, 3), "reflection_h3": ()}.get(key, (3,))
        family = function(*arguments)
        assert family.name.startswith(key + "(") and family.source
        assert not family.rows.flags.writeable
