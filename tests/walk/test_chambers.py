"""The laws of the chambers: brute force on everything small, symmetries, witnesses, extremes."""

from fractions import Fraction
from itertools import product
from random import Random

import instances
import numpy as np
import pytest
import scipy.sparse
from hypothesis import assume, example, given
from hypothesis import strategies as st
from oracles import (
    chambers_brute,
    check_witness,
    closed_brute,
    count_deletion_restriction,
    cover_bound,
    exact_rows,
    faults,
    in_general_position,
    rank,
)
from strategies import integer_rows, matrices

import arrangements
from arrangements import Arrangement


def judge(X, rows=None, **options):
    """Faults of every answer about X, against brute force on its exact integer rows."""
    rows = exact_rows(X) if rows is None else rows
    expected = chambers_brute(rows)
    A = Arrangement(X, **options)
    found = A.dichotomies()
    out = faults(expected, found.to_numpy())
    if len(found) != len(expected):
        out.append(f"len {len(found)}, not {len(expected)}")
    if A.count_dichotomies() != len(expected):
        out.append(f"count_dichotomies {A.count_dichotomies()}, not {len(expected)}")
    if (A.n, A.rank) != (len(rows), rank(rows)):
        out.append(f"n, rank {(A.n, A.rank)}, not {(len(rows), rank(rows))}")
    if not A.exact:
        out.append("not exact")
    return out


CORPUS = [
    [(0,)],
    [(1,)],
    [(-2,), (3,), (0,)],
    [(0, 0, 0), (0, 0, 0)],
    [(1, 0), (1, 0), (-1, 0), (2, 0)],
    [(0, 1), (0, -1), (0, 0), (1, 0)],
    [(1, 1, 1, 1)],
    [(1, 2, 1), (2, 4, 2), (-1, -2, -1), (1, 0, 0), (0, 0, 0)],
    [(1, 0, 0), (0, 1, 0), (1, 1, 0), (1, -1, 0), (0, 0, 1)],
    [(0, 0, 1, 0), (0, 0, 0, 1), (0, 0, 1, 1), (0, 0, 1, -1)],
    [(1, 0, 0), (0, 1, 0), (0, 0, 1), (1, 1, 1), (1, -1, 0), (0, 1, -1), (1, 0, -1)],
    instances.type_b(2),
    instances.essential_braid(3),
    instances.braid(3),
    instances.resonance(3),
    instances.threshold(3),
    [row[::-1] for row in instances.threshold(3)],
    [*instances.braid(3), (1, 1, 1, 1), (0, 0, 0, 0)],
    [(1, 1, 0, 0), (0, 1, 1, 0), (0, 0, 1, 1), (1, 0, 0, 1), (1, 0, -1, 0), (0, 1, 0, -1)],
    [(2, 0, 1, 0), (0, 2, 0, 1), (1, 0, 2, 0), (0, 1, 0, 2), (1, 1, 1, 1), (2, 2, 1, 1)],
]


def with_corpus(test):
    for rows in CORPUS:
        test = example(rows)(test)
    return test


@pytest.mark.parametrize("bias", [False, True])
@with_corpus
@given(integer_rows())
def test_chambers_equal_brute_force(bias, rows):
    assert judge(rows, exact_rows(rows, bias=bias), bias=bias) == []


SIZES = [0, 0, 1, 1, 3, 7, 2**31, 2**53 + 1, 10**25]


@given(matrices(st.sampled_from([*SIZES, *(-x for x in SIZES)]), n=7, d=(1, 4)))
@example([(1, 0, 0), (0, -1, -(10**25)), (0, -1, 0), (0, 1, -1)])
@example([(10**25, 1, 10**25), (0, 1, 0), (-1, 0, 0), (-7, 1, 0)])
@example([(1, 1, 1), (0, 0, 1), (1, 0, 0), (10**25, 0, 1), (-1, 10**25, -(10**25))])
def test_chambers_equal_brute_force_on_entries_of_any_size(rows):
    assert judge(rows) == []


@pytest.mark.parametrize(("n", "d"), [(1, 1), (3, 1), (4, 1), (1, 3), (2, 2), (3, 2), (2, 3)])
def test_chambers_equal_brute_force_on_all_sign_matrices(n, d):
    wrong = {}
    for entries in product((-1, 0, 1), repeat=n * d):
        rows = [entries[i * d : i * d + d] for i in range(n)]
        if out := judge(rows):
            wrong[entries] = out
    assert wrong == {}


@pytest.mark.parametrize("d", [2, 3, 4])
def test_chambers_equal_brute_force_on_random_matrices(d):
    random, wrong = Random(d), {}
    for trial in range(500):
        n, size = random.randint(1, 9), random.choice([1, 1, 2, 9])
        rows = [tuple(random.randint(-size, size) for _ in range(d)) for _ in range(n)]
        if out := judge(rows):
            wrong[trial] = (rows, out)
    assert wrong == {}


@pytest.mark.full
@pytest.mark.parametrize("seed", range(4))
def test_chambers_equal_brute_force_on_larger_matrices(seed):
    random, wrong = Random(seed), {}
    for trial in range(150):
        n, d, size = random.randint(8, 14), random.randint(3, 6), random.choice([1, 1, 2])
        rows = [tuple(random.randint(-size, size) for _ in range(d)) for _ in range(n)]
        if out := judge(rows):
            wrong[trial] = (rows, out)
    assert wrong == {}


# Laws


def pattern_set(X, **options):
    D = Arrangement(X, **options).dichotomies()
    found = set(map(tuple, D.to_numpy().tolist()))
    assert len(found) == len(D)
    return found


@given(integer_rows(), st.randoms(use_true_random=False))
def test_chambers_equivariant_under_row_permutation(rows, random):
    order = random.sample(range(len(rows)), len(rows))
    expected = {tuple(p[i] for i in order) for p in pattern_set(rows)}
    assert pattern_set([rows[i] for i in order]) == expected


@given(integer_rows(), st.randoms(use_true_random=False))
def test_chambers_invariant_under_row_scaling(rows, random):
    factors = [random.choice([1, 3, 2**40, 10**30, Fraction(1, 7)]) for _ in rows]
    scaled = [[f * x for x in row] for f, row in zip(factors, rows, strict=True)]
    assert pattern_set(scaled) == pattern_set(rows)


@given(integer_rows(), st.randoms(use_true_random=False))
def test_chambers_invariant_under_column_scaling(rows, random):
    factors = [2.0 ** random.randint(-400, 400) for _ in rows[0]]
    scaled = [[f * x for f, x in zip(factors, row, strict=True)] for row in rows]
    assert pattern_set(scaled) == pattern_set(rows)


@given(integer_rows(), st.randoms(use_true_random=False))
def test_chambers_invariant_under_change_of_basis(rows, random):
    d = len(rows[0])
    basis = np.eye(d, dtype=np.int64)
    for _ in range(4):
        i, j = random.randrange(d), random.randrange(d)
        if i != j:
            basis[i] += random.choice([-2, 1, 3]) * basis[j]
    assert pattern_set(np.array(rows) @ basis) == pattern_set(rows)
    # A dependent column added changes nothing either.
    assert pattern_set([(*row, sum(row)) for row in rows]) == pattern_set(rows)


@given(integer_rows(), st.randoms(use_true_random=False))
def test_sign_flip_of_a_row_complements_its_bit(rows, random):
    i = random.randrange(len(rows))
    assume(any(rows[i]))
    flipped = [tuple(-x for x in row) if k == i else row for k, row in enumerate(rows)]
    expected = {(*p[:i], not p[i], *p[i + 1 :]) for p in pattern_set(rows)}
    assert pattern_set(flipped) == expected


@with_corpus
@given(integer_rows())
def test_chambers_are_centrally_symmetric(rows):
    found = pattern_set(rows)
    nonzero = [any(row) for row in rows]
    assert found == {tuple(b ^ z for b, z in zip(p, nonzero, strict=True)) for p in found}


@given(integer_rows(), st.randoms(use_true_random=False))
def test_multiples_of_a_row_share_its_bit(rows, random):
    i = random.randrange(len(rows))
    doubled = [*rows, tuple(3 * x for x in rows[i]), tuple(-x for x in rows[i])]
    zero = not any(rows[i])
    assert pattern_set(doubled) == {(*p, p[i], zero or not p[i]) for p in pattern_set(rows)}


@with_corpus
@given(integer_rows())
def test_cover_bound_is_met_exactly_in_general_position(rows):
    A = Arrangement(rows)
    n, r, p = len(rows), rank(rows), A.count_dichotomies()
    assert A.cover_bound() == cover_bound(n, r) == arrangements.cover_bound(n, r)
    assert p <= A.cover_bound()
    if r > 0:
        assert A.general_position == in_general_position(rows)
    # A zero row leaves rank 1 its two chambers, and rank 0 its one: the bound is met there anyway.
    if r > 1:
        assert (p == A.cover_bound()) == A.general_position


@pytest.mark.parametrize("n", [1, 2, 5, 40])
def test_cover_bound_at_every_rank(n):
    for r in range(9):
        assert arrangements.cover_bound(n, r) == cover_bound(n, r)


@given(integer_rows())
def test_hyperplanes_are_counted_without_multiples(rows):
    distinct = {p for row in rows if any(row) for p in [exact_rows([row])[0]]}
    distinct = {max(p, tuple(-x for x in p)) for p in distinct}
    assert Arrangement(rows).n_hyperplanes == len(distinct)


MEDIUM = {
    "generic 24x4": instances.generic(24, 4),
    "generic 16x6": instances.generic(16, 6),
    "cyclic 30x4": instances.moment_curve(30, 4),
    "questionnaire 24x4": instances.small_integers(24, 4, high=4),
    "sparse signs 20x5": instances.small_integers(20, 5, low=-1, high=1),
    "threshold 4": instances.threshold(4),
    "resonance 4": instances.resonance(4),
    "resonance 5": instances.resonance(5),
    "braid 5": instances.braid(5),
    "type D 5": instances.type_d(5),
    "zero and parallel rows": [(0,) * 4, *instances.type_b(4), *instances.braid(3), (0,) * 4],
}


@pytest.mark.parametrize("name", MEDIUM)
def test_count_equals_deletion_restriction(name):
    rows = MEDIUM[name]
    A = Arrangement(rows)
    assert A.count_dichotomies() == count_deletion_restriction(rows)
    assert arrangements.count_dichotomies(rows) == count_deletion_restriction(rows)
    assert len(pattern_set(rows)) == count_deletion_restriction(rows)


@pytest.mark.parametrize("name", MEDIUM)
def test_any_number_of_workers_gives_the_same_rows_in_the_same_order(name):
    A = Arrangement(MEDIUM[name])
    one = A.dichotomies().packed
    for n_jobs in (2, 3, 7, -1):
        assert np.array_equal(A.dichotomies(n_jobs=n_jobs).packed, one)
    assert np.array_equal(Arrangement(MEDIUM[name]).dichotomies().packed, one)


# Witnesses


@with_corpus
@given(integer_rows(n=6, d=3))
def test_witnesses_are_inside_their_chambers(rows):
    D = Arrangement(rows).dichotomies(witnesses=True)
    assert D.witnesses.shape == (len(D), len(rows[0]))
    assert D.witnesses.dtype == np.float64
    # Such wide chambers all hold floats.
    assert D.witness_found.all()
    for i, pattern in enumerate(D.to_numpy().tolist()):
        assert check_witness(rows, D.witnesses[i].tolist(), pattern)
    # Exact ones take a linear program each; test_known_counts checks all of some families.
    for i in range(0, len(D), 1 + len(D) // 4):
        u = D.witness(i)
        assert all(isinstance(x, Fraction) for x in u)
        assert check_witness(rows, u, D[i].tolist())


def test_witnesses_cover_the_bias_column():
    X = instances.generic(8, 2)
    D = Arrangement(X, bias=True).dichotomies(witnesses=True)
    rows = exact_rows(X, bias=True)
    for i, pattern in enumerate(D.to_numpy().tolist()):
        assert check_witness(rows, D.witness(i), pattern)
        assert not D.witness_found[i] or check_witness(rows, D.witnesses[i].tolist(), pattern)


@pytest.mark.parametrize("name", MEDIUM)
def test_witnesses_do_not_change_the_rows(name):
    A = Arrangement(MEDIUM[name])
    D = A.dichotomies(witnesses=True)
    assert np.array_equal(D.packed, A.dichotomies().packed)
    for i in Random(0).sample(range(len(D)), 5):
        pattern = D.to_numpy()[i].tolist()
        assert check_witness(MEDIUM[name], D.witness(i), pattern)
        assert not D.witness_found[i] or check_witness(
            MEDIUM[name], D.witnesses[i].tolist(), pattern
        )


def test_witnesses_of_chambers_thinner_than_floats_are_owned_up_to():
    rows = [(2**80, 2**80 + 1, 1), (2**80 - 1, 2**80, 1), (1, 0, 0), (0, 0, 1), (0, 1, 0)]
    D = Arrangement(rows).dichotomies(witnesses=True)
    for i, pattern in enumerate(D.to_numpy().tolist()):
        assert check_witness(rows, D.witness(i), pattern)
        assert not D.witness_found[i] or check_witness(rows, D.witnesses[i].tolist(), pattern)


# Inputs

TYPED = [(1, 0, 1), (0, 1, 1), (1, 1, 0), (1, 1, 1), (0, 0, 0), (1, 0, 0)]


def pandas_frame(rows):
    return pytest.importorskip("pandas").DataFrame(rows)


def polars_frame(rows):
    return pytest.importorskip("polars").DataFrame(rows, schema=["a", "b", "c"], orient="row")


@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize(
    "convert",
    [
        list,
        lambda rows: [list(row) for row in rows],
        lambda rows: [[Fraction(x) for x in row] for row in rows],
        lambda rows: np.array([[Fraction(x) for x in row] for row in rows], dtype=object),
        lambda rows: [[bool(x) for x in row] for row in rows],
        lambda rows: np.array(rows, dtype=object),
        np.asfortranarray,
        lambda rows: np.repeat(np.array(rows), 2, axis=0)[::2],
        pandas_frame,
        polars_frame,
        *(
            lambda rows, t=t: np.array(rows, dtype=t)
            for t in (bool, np.int8, np.uint8, np.int64, np.uint64, ">i4", np.float16, np.float32)
        ),
        np.array,
        *(
            lambda rows, f=f: getattr(scipy.sparse, f)(np.array(rows))
            for f in ("csr_matrix", "csc_matrix", "coo_array", "csr_array")
        ),
    ],
)
def test_every_kind_of_input_gives_the_same_answer(convert, bias):
    assert judge(convert(TYPED), exact_rows(TYPED, bias=bias), bias=bias) == []


@pytest.mark.parametrize("bias", [False, True])
@given(integer_rows(n=6, d=3), st.randoms(use_true_random=False))
def test_fractions_are_exact(bias, rows, random):
    X = [[Fraction(x, random.choice([1, 3, 7, 10**25])) for x in row] for row in rows]
    assert judge(X, exact_rows(X, bias=bias), bias=bias) == []
    assert judge(np.array(X, dtype=object), exact_rows(X, bias=bias), bias=bias) == []


def test_input_is_read_and_not_kept():
    X = np.array(TYPED)
    A = Arrangement(X)
    before = A.dichotomies().packed.copy()
    assert np.array_equal(X, TYPED)
    X[:] = 0
    assert np.array_equal(A.dichotomies().packed, before)


@given(integer_rows(n=6, d=3))
def test_bias_appends_a_column_of_ones(rows):
    assert pattern_set(rows, bias=True) == pattern_set([(*row, 1) for row in rows])


def test_module_shortcuts_are_the_methods():
    rows = MEDIUM["resonance 4"]
    A = Arrangement(rows, bias=True)
    assert np.array_equal(arrangements.dichotomies(rows, bias=True).packed, A.dichotomies().packed)
    assert arrangements.count_dichotomies(rows, bias=True) == A.count_dichotomies()
    blocks = list(arrangements.iter_dichotomies(rows, bias=True))
    assert np.array_equal(np.vstack([b.packed for b in blocks]), A.dichotomies().packed)


# Decimals

DECIMALS = [0.0, 0.1, 0.2, 0.3, 0.1 + 0.2, 0.7, -0.1, 0.5, 1.0, 1.1, 5.1, -3.3, 1e-3, 1e22]


def test_tied_decimals_are_ties_only_as_decimals():
    X = instances.tied_decimals()
    decimal = exact_rows(X, bias=True, decimal=True)
    binary = exact_rows(X, bias=True)
    assert len(chambers_brute(decimal)) < len(chambers_brute(binary))
    assert judge(X, decimal, bias=True, numbers="decimal") == []
    assert judge(X, binary, bias=True, numbers="binary") == []
    assert judge(X, binary, bias=True) == []


@pytest.mark.parametrize("numbers", ["binary", "decimal"])
@given(matrices(st.sampled_from(DECIMALS), n=7))
@example(instances.tied_decimals())
@example([(0.1, 0.3), (0.2, 0.6), (0.3, 0.9)])
def test_floats_are_read_as_told(numbers, X):
    decimal = numbers == "decimal"
    rows = exact_rows(X, decimal=decimal)
    assert judge(X, rows, numbers=numbers) == []
    as_fractions = [[Fraction(repr(x)) if decimal else Fraction(x) for x in row] for row in X]
    assert pattern_set(X, numbers=numbers) == pattern_set(as_fractions)


def test_decimals_of_float32_are_its_own_shortest():
    X = np.array([(0.1, 0.2), (0.3, 0.6), (0.2, 0.5)], dtype=np.float32)
    rows = exact_rows([(0.1, 0.2), (0.3, 0.6), (0.2, 0.5)], decimal=True)
    assert judge(X, rows, numbers="decimal") == []


@pytest.mark.parametrize("name", instances.one_ulp())
@pytest.mark.parametrize("numbers", ["binary", "decimal"])
def test_one_ulp_is_a_difference(name, numbers):
    X = instances.one_ulp()[name]
    assert judge(X, exact_rows(X, decimal=numbers == "decimal"), numbers=numbers) == []


# Tolerance


def test_tolerance_gives_the_icosahedron_back():
    X = np.array(instances.h3())
    A = Arrangement(X, tol=1e-9)
    assert not A.exact
    # 120 chambers of equal size: random points find all of them.
    points = np.random.default_rng(0).normal(size=(20_000, 3))
    expected = frozenset(map(tuple, (points @ X.T >= 0).tolist()))
    assert len(expected) == 120
    assert faults(expected, A.dichotomies().to_numpy()) == []
    assert A.count_dichotomies() == 120
    assert A.dichotomies(n_jobs=2) == A.dichotomies()


def test_without_tolerance_floats_are_what_they_are():
    X = instances.h3()
    assert judge(X) == []
    assert len(chambers_brute(exact_rows(X))) != 120


@pytest.mark.parametrize("k", [3, 4])
def test_tolerance_undoes_a_rotation(k):
    rows = np.array(instances.essential_braid(k), dtype=float)
    rotation, _ = np.linalg.qr(np.random.default_rng(k).normal(size=(k, k)))
    A = Arrangement(rows @ rotation, tol=1e-9)
    expected = chambers_brute(instances.essential_braid(k))
    assert faults(expected, A.dichotomies().to_numpy()) == []
    assert not A.exact


@pytest.mark.parametrize("name", ["resonance 4", "type D 5", "questionnaire 24x4"])
def test_tolerance_changes_nothing_on_well_separated_rows(name):
    assert pattern_set(MEDIUM[name], tol=1e-9) == pattern_set(MEDIUM[name])


# Boundaries


def test_the_origin_of_opposite_rows_shows_only_in_the_closed_set():
    A = Arrangement([[1], [-1]])
    assert faults(frozenset({(True, False), (False, True)}), A.dichotomies().to_numpy()) == []
    closed = A.dichotomies(boundary="closed")
    expected = frozenset({(True, False), (False, True), (True, True)})
    assert faults(expected, closed.to_numpy()) == []


@with_corpus
@given(integer_rows(n=6, d=3))
def test_closed_boundary_equals_the_literal_set(rows):
    A = Arrangement(rows)
    closed = A.dichotomies(boundary="closed")
    assert faults(closed_brute(rows), closed.to_numpy()) == []
    assert pattern_set(rows) <= set(map(tuple, closed.to_numpy().tolist()))


@pytest.mark.parametrize("rows", [instances.resonance(3), instances.braid(4), instances.type_b(3)])
def test_closed_boundary_of_named_families(rows):
    A = Arrangement(rows)
    assert faults(closed_brute(rows), A.dichotomies(boundary="closed").to_numpy()) == []


# Extremes


@pytest.mark.parametrize(("n", "d"), [(1, 1), (1, 5), (4, 1), (7, 3)])
def test_all_rows_zero_has_one_dichotomy(n, d):
    A = Arrangement(np.zeros((n, d)))
    assert (A.rank, A.n_hyperplanes, A.cover_bound(), A.count_dichotomies()) == (0, 0, 1, 1)
    assert A.dichotomies().to_numpy().tolist() == [[True] * n]


def test_one_feature():
    assert judge([(2,), (-3,), (0,), (1,)]) == []
    assert len(Arrangement([(2,), (-3,), (0,)]).dichotomies()) == 2


@pytest.mark.parametrize("d", [1, 2, 9, 40])
def test_one_sample(d):
    assert judge([tuple(range(1, d + 1))]) == []


@pytest.mark.parametrize(("n", "d"), [(2, 5), (5, 9), (8, 60)])
def test_fewer_samples_than_features(n, d):
    rows = instances.generic(n, d)
    assert judge(rows) == []
    assert Arrangement(rows).count_dichotomies() == 2**n


@pytest.mark.parametrize("n", [7, 8, 9, 63, 64, 65, 127, 128, 129, 255, 256, 257, 511, 513])
def test_patterns_end_at_any_bit(n):
    # Two features: the chambers are the intervals between the directions, in plain arithmetic.
    rows = [(1, t) for t in range(n)]
    ramps = {tuple(t < k for t in range(n)) for k in range(n + 1)}
    ramps |= {tuple(not b for b in p) for p in ramps}
    assert faults(frozenset(ramps), Arrangement(rows).dichotomies().to_numpy()) == []


@pytest.mark.parametrize("scale", [1e150, 1e-150, 1e300, 1e-300])
@pytest.mark.parametrize("name", ["generic", "ties"])
def test_huge_and_tiny_scales(scale, name):
    rows = {"generic": instances.generic(8, 3, size=99), "ties": instances.resonance(3)}[name]
    X = np.array(rows, dtype=float) * scale
    assert judge(X, exact_rows(X)) == []
    if name == "ties":
        assert Arrangement(X).count_dichotomies() == 32


def test_columns_of_opposite_scales():
    X = np.array(instances.resonance(4), dtype=float) * [1e150, 1e-150, 1.0, 1e-300]
    assert judge(X, exact_rows(X)) == []
    D = Arrangement(X).dichotomies()
    for i in range(0, len(D), 37):
        assert check_witness(X.tolist(), D.witness(i), D.to_numpy()[i].tolist())


def test_mixed_scales_in_one_row():
    X = [
        (1e150, 1e-150, 1.0),
        (1.0, 1e150, 1e-150),
        (1e-150, 1.0, 1e150),
        (1e150, 1e150, 1e150),
        (1e-150, 0.0, -1e-150),
        (0.1, -1e100, 1e-100),
        (3.0, 1e16, 1e16 + 2),
    ]
    assert judge(X, exact_rows(X)) == []


@pytest.mark.parametrize("size", [2**53 + 1, 2**62 - 1, 2**62, 2**63, 2**64 + 1, 10**30, 10**200])
def test_integers_beyond_floats(size):
    rows = [(size, size + 1), (size + 1, size + 2), (size, size), (1, 1), (-size, size), (0, 1)]
    assert judge(rows) == []
    assert judge(np.array(rows, dtype=object), rows, bias=False) == []
    assert judge([(*row, size - i * i) for i, row in enumerate(rows)]) == []


def test_integers_at_the_ends_of_their_dtypes():
    for dtype in (np.int64, np.uint64, np.int8):
        low, high = int(np.iinfo(dtype).min), int(np.iinfo(dtype).max)
        rows = [(low, high), (high, high - 1), (high - 1, high), (1, 1), (high, low)]
        assert judge(np.array(rows, dtype=dtype), exact_rows(rows)) == []


def test_a_column_of_zeros_and_a_copied_column_change_nothing():
    rows = MEDIUM["questionnaire 24x4"]
    wide = [(0, a, a, b, 0, c, d, a + b - c) for a, b, c, d in rows]
    assert Arrangement(wide).rank == 4
    assert pattern_set(wide) == pattern_set(rows)
