"""verify() accepts the right set of dichotomies and says what is wrong with every other."""

from fractions import Fraction

import instances
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from oracles import chambers_brute, exact_rows
from strategies import matrices

import arrangements
from arrangements import Arrangement, Dichotomies, InputError, verification
from arrangements.algebra.data import Data
from arrangements.verification import verify

full = pytest.mark.full


def table(patterns, n):
    """Patterns as a bool array in a fixed order."""
    return np.array(sorted(patterns), dtype=bool).reshape(-1, n)


def report(v):
    return (v.duplicates.tolist(), v.not_chambers.tolist(), v.missing)


def check_dependence(rows, bits, weights):
    """Positive weights and a vanishing sum of signed rows, their first nonzero entries +-1."""
    assert weights
    assert all(isinstance(y, Fraction) and y > 0 for y in weights.values())
    total = [Fraction(0)] * len(rows[0])
    for i, y in weights.items():
        if not any(rows[i]):
            assert not bits[i]
            assert len(weights) == 1
            return
        size = abs(next(filter(None, rows[i])))
        sign = 1 if bits[i] else -1
        total = [t + y * sign * Fraction(x, size) for t, x in zip(total, rows[i], strict=True)]
    assert not any(total)


RIGHT = {
    "general position": instances.generic(8, 3),
    "braid": instances.essential_braid(3),
    "threshold": instances.threshold(3),
    "rank below the columns": instances.braid(3),
    "independent": [(1, 2, 0), (0, 1, 5)],
    "more columns than rows": [(1, 2, 3, 4), (0, 1, 0, 1)],
    "repeated, parallel, antiparallel": [(1, 1), (2, 2), (-1, -1), (1, 1), (0, 1), (3, 0)],
    "zero rows": [(0, 0), (1, 1), (0, 0), (1, -1), (2, 1)],
    "rank one": [(2,), (-3,), (0,)],
    "rank zero": [(0, 0), (0, 0)],
    "one row": [(5, 7)],
    "beyond 64 bits": instances.nudged(instances.type_b(3), 2**75, seed=2),
    "thin chambers": instances.nudged(instances.essential_braid(3), 2**60, seed=2),
    "more samples than a word": instances.small_integers(70, 2),
}


@pytest.mark.parametrize("name", RIGHT)
def test_the_right_set_is_accepted_in_every_form(name):
    rows = RIGHT[name]
    n, right = len(rows), table(chambers_brute(rows), len(rows))
    mixed = np.random.default_rng(1).permutation(right)
    packed = np.packbits(mixed, axis=1, bitorder="little")
    A = Arrangement(rows)
    found = A.dichotomies(witnesses=True)
    for X, D in [(rows, right), (A, mixed), (rows, mixed.astype(int)), (rows, mixed.tolist()),
                 (rows, packed), (A, Dichotomies(packed, n)), (rows, found), (A, found),
                 (rows, Dichotomies(packed, n, arrangement=Arrangement([[1]])))]:
        v = verify(X, D)
        assert v, v
        assert (v.ok, v.distinct, v.witnessed, v.dependence) == (True, True, True, None)
        assert v.n_patterns == v.n_chambers == len(right)
        assert report(v) == ([], [], 0)
        assert str(v) == v.summary()
        assert v.summary().startswith("complete and correct")


@pytest.mark.parametrize("name", RIGHT)
def test_each_fault_is_named(name):
    rows = RIGHT[name]
    n, right = len(rows), table(chambers_brute(rows), len(rows))
    p, known = len(right), {tuple(row) for row in right.tolist()}
    repeated = np.vstack([right[-1:], right])
    v = verify(rows, repeated)
    assert not v
    assert (v.distinct, v.witnessed, report(v)) == (False, True, ([p], [], 0))
    assert "repeat" in v.summary()

    v = verify(rows, right[1:])
    assert not v
    assert (v.distinct, v.witnessed, report(v)) == (True, True, ([], [], 1))
    assert f"1 of {p:,} chambers are missing" in v.summary()

    # a pattern in another's place: the number agrees, the set does not
    if p > 1:
        v = verify(rows, np.vstack([right[1:], right[1:2]]))
        assert (v.n_patterns, v.n_chambers) == (p, p)
        assert not v
        assert (v.distinct, v.witnessed, report(v)) == (False, True, ([p - 1], [], 1))

    wrong = next((b for b in np.random.default_rng(0).random((500, n)) < 0.5
                  if tuple(b.tolist()) not in known), None)
    if wrong is None:  # all patterns are chambers
        assert p == 2**n
        return
    v = verify(rows, np.vstack([right, wrong]))
    assert not v
    assert (v.distinct, v.witnessed, report(v)) == (True, False, ([], [p], 0))
    assert "no chamber" in v.summary()
    check_dependence(rows, wrong, v.dependence)

    v = verify(rows, np.vstack([wrong, right, wrong]))
    assert report(v) == ([p + 1], [0, p + 1], 0)
    v = verify(rows, np.vstack([wrong, right[1:]]))
    assert (v.n_patterns, v.n_chambers) == (p, p)
    assert not v
    assert (v.distinct, v.witnessed, report(v)) == (True, False, ([], [0], 1))
    check_dependence(rows, wrong, v.dependence)


def test_no_patterns_and_few_patterns():
    rows = instances.threshold(3)
    right = table(chambers_brute(rows), 8)
    for D in ([], np.zeros((0, 8), dtype=bool), np.zeros((0, 1), dtype=np.uint8)):
        assert report(verify(rows, D)) == ([], [], 104)
    assert report(verify(rows, right[7:9])) == ([], [], 102)


def test_few_patterns_of_many_chambers_are_not_enumerated(monkeypatch):
    A = Arrangement(instances.threshold(4))
    right = A.dichotomies()
    wrong = ~right[3]
    wrong[0] ^= True
    monkeypatch.setattr(A, "iter_dichotomies", None)
    v = verify(A, np.vstack([right[3], wrong]))
    assert report(v) == ([], [1] if wrong not in right else [], 1881 - (wrong in right))


def test_boundary_patterns_are_no_chambers():
    rows = [(1, 0), (-1, 0), (0, 1)]
    closed = Arrangement(rows).dichotomies(boundary="closed")
    v = verify(rows, closed)
    assert (v.missing, v.n_chambers) == (0, 4)
    assert len(v.not_chambers) == len(closed) - 4 > 0
    check_dependence(rows, closed[int(v.not_chambers[0])], v.dependence)


def test_patterns_of_other_data_are_refused():
    X, Y = instances.generic(10, 3, seed=1), instances.generic(10, 3, seed=2)
    expected = chambers_brute(X) - chambers_brute(Y)
    v = verify(Y, Arrangement(X).dichotomies(witnesses=True))
    assert len(v.not_chambers) == v.missing == len(expected) > 0


def test_attached_witnesses_are_not_believed():
    rows = instances.generic(8, 3)
    D = Arrangement(rows).dichotomies(witnesses=True)
    shifted = Dichotomies(D.packed, 8, witnesses=np.roll(D.witnesses, 1, axis=0))
    assert verify(rows, shifted)
    bits = D.to_numpy()
    right = chambers_brute(rows)
    bits[4] = next(b for b in bits[4] ^ np.eye(8, dtype=bool) if tuple(b.tolist()) not in right)
    lying = Dichotomies(np.packbits(bits, axis=1, bitorder="little"), 8, witnesses=D.witnesses,
                        witness_found=D.witness_found)
    assert report(verify(rows, lying)) == ([], [4], 1)
    for bad in (np.nan, np.inf, 0.0):
        assert verify(rows, Dichotomies(D.packed, 8, witnesses=np.full((len(D), 3), bad)))
    assert verify(rows, Dichotomies(D.packed, 8, witnesses=np.ones((len(D), 7))))


@pytest.mark.parametrize("fault", ["drops", "repeats", "lies", "is silent"])
def test_a_wrong_enumeration_cannot_mislead(monkeypatch, fault):
    """The points it proposes are checked; patterns it lacks are decided without it."""
    rows = instances.threshold(3)
    A, right = Arrangement(rows), table(chambers_brute(rows), 8)
    D = A.dichotomies(witnesses=True)
    bits, points = D.to_numpy(), D.witnesses.copy()
    known = set(map(tuple, right.tolist()))
    bits[7] = next(b for b in bits[7] ^ np.eye(8, dtype=bool) if tuple(b.tolist()) not in known)
    rebuilt = Dichotomies(np.packbits(bits, axis=1, bitorder="little"), 8, witnesses=points)
    block = {"drops": D[3:], "repeats": D[[0, *range(len(D) - 1)]], "lies": rebuilt,
             "is silent": D[:0]}[fault]
    monkeypatch.setattr(A, "iter_dichotomies", lambda *_, **__: iter([block]))
    assert verify(A, right)
    if fault == "lies":
        assert report(verify(A, np.vstack([bits[7], right[1:]]))) == ([], [0], 1)
    wrong = next(b for b in ~right ^ np.eye(8, dtype=bool)[0] if tuple(b.tolist()) not in known)
    v = verify(A, np.vstack([wrong, right[1:]]))
    assert report(v) == ([], [0], 1)


def test_wrong_exact_points_cannot_mislead(monkeypatch):
    rows = instances.threshold(3)
    A, right = Arrangement(rows), table(chambers_brute(rows), 8)
    other = tuple(Fraction(x) for x in A.dichotomies(witnesses=True).witnesses[0].tolist())
    monkeypatch.setattr(Data, "interior", lambda self, pattern: other)
    few = [b for b in right if not (b == A.dichotomies()[0]).all()][:1]
    monkeypatch.setattr(verification, "_PROGRAM", 0)
    with pytest.raises(ArithmeticError, match="neither"):  # no dependence forbids a chamber
        verify(A, few)


def test_patterns_are_refuted_by_number(monkeypatch):
    """With |chi(-1)| other patterns proved, no linear program is needed."""
    A = Arrangement(instances.threshold(3))
    bits = A.dichotomies().to_numpy()
    monkeypatch.setattr(Data, "interior", None)
    v = verify(A, np.vstack([bits[:20], bits ^ np.eye(8, dtype=bool)[2]]))
    assert len(v.not_chambers)


def test_opposite_chambers_share_an_exact_point(monkeypatch):
    rows = instances.nudged(instances.essential_braid(3), 2**60, seed=2)
    A, calls = Arrangement(rows), []
    D = A.dichotomies()
    sides, inner = verification._Sides(A.data.matrix), Data.interior
    monkeypatch.setattr(Data, "interior", lambda self, b: calls.append(b) or inner(self, b))
    assert all(verification._have_points(A, sides, D.packed))
    assert len(calls) == len(D) // 2


def test_dependence_is_one_of_the_given_rows():
    rows = [(Fraction(x, 7), y * 10**6, Fraction(z, 3)) for x, y, z in instances.generic(9, 3)]
    right = chambers_brute(exact_rows(rows))
    wrong = next(b for b in np.eye(9, dtype=bool) if tuple(b.tolist()) not in right)
    check_dependence(rows, wrong, verify(rows, [wrong]).dependence)
    X = np.array(instances.tied_decimals()) * [1, 1e-20]
    wrong = np.arange(8) == 0  # rows 0 and 1 are parallel
    exact = [[Fraction(repr(x)) for x in row] for row in X.tolist()]
    check_dependence(exact, wrong, verify(X, [wrong], numbers="decimal").dependence)


def test_equal_keys_are_not_equal_patterns(monkeypatch):
    rows = instances.small_integers(66, 2, seed=4)
    right = table(chambers_brute(rows), 66)
    monkeypatch.setattr(verification, "_keys", lambda packed: packed[:, 0].astype(np.uint64) % 2)
    assert verify(rows, right)
    wrong = right.copy()
    wrong[3] = ~wrong[3] ^ (np.arange(66) == 5)
    assert report(verify(rows, wrong)) == ([], [3], 1)


def test_a_wrong_polynomial_is_noticed(monkeypatch):
    monkeypatch.setattr(verification, "deletion_restriction", lambda rows: [1, -2, 1])
    with pytest.raises(ArithmeticError, match="exact witnesses"):
        verify([(1, 0), (0, 1), (1, 1)], Arrangement([(1, 0), (0, 1), (1, 1)]).dichotomies())


def test_points_on_boundaries_and_beside_them_are_told_apart():
    """A float point is certain, or it is not: never on the wrong side."""
    rows = [(1, 3), (3, 1), (1, -1)]
    sides = verification._Sides(Arrangement(rows).data.matrix)
    bits = np.array([[True, True, True]])
    assert not sides.certain(np.array([[1.0, 1.0]]), bits)[0]
    assert not sides.certain(np.array([[1.0, np.nextafter(1, 0)]]), bits)[0]
    assert sides.certain(np.array([[1.0, 0.5]]), bits)[0]
    assert not sides.certain(np.array([[0.5, 1.0]]), bits)[0]
    assert not sides.certain(np.array([[1.0, 0.5]]), ~bits)[0]
    zero = verification._Sides(Arrangement([*rows, (0, 0)]).data.matrix)
    for bit in (True, False):
        four = np.append(bits, [[bit]], axis=1)
        assert zero.certain(np.array([[1.0, 0.5]]), four)[0] == bit
        assert zero.holds([Fraction(2), Fraction(1)], four[0]) == bit
    tiny = Fraction(1, 10**40)
    assert sides.holds([Fraction(1), 1 - tiny], bits[0])
    assert not sides.holds([Fraction(1), 1 + tiny], bits[0])
    assert not sides.holds([Fraction(1), Fraction(1)], bits[0])


@pytest.mark.parametrize("options", [{"numbers": "decimal"}, {"numbers": "binary"},
                                     {"bias": True, "numbers": "decimal"}, {"bias": True}])
def test_data_are_read_as_the_arrangement_reads_them(options):
    X = np.array([*instances.tied_decimals(), (0.1, 0.3), (0.3, 0.9)])
    decimal = options.get("numbers") == "decimal"
    rows = exact_rows(X.tolist(), bias=options.get("bias", False), decimal=decimal)
    right = table(chambers_brute(rows), len(X))
    assert verify(X, right, **options)
    assert verify(Arrangement(X, **options), right)
    other = dict(options, numbers="binary" if decimal else "decimal")
    assert not verify(X, right, **other)


def test_columns_of_all_magnitudes():
    X = np.array(instances.generic(8, 3), dtype=float) * [1e-150, 1.0, 1e150]
    right = table(chambers_brute(exact_rows(X.tolist())), 8)
    assert verify(X, right)
    assert report(verify(X, right[:-1])) == ([], [], 1)
    X = np.array([[5e-324, 1.0], [0.0, 1.0], [-5e-324, 1.0], [1.0, 5e-324], [1.0, 1e308]])
    assert verify(X, table(chambers_brute(exact_rows(X.tolist())), 5))


@given(matrices(n=5), st.data())
def test_any_list_of_patterns_is_judged_rightly(rows, data):
    n, right = len(rows), chambers_brute(rows)
    chamber = st.sampled_from(sorted(right))
    patterns = data.draw(st.lists(chamber | st.tuples(*[st.booleans()] * n), max_size=8))
    if data.draw(st.booleans()):
        patterns += sorted(right)
    v = verify(rows, np.array(patterns, dtype=bool).reshape(-1, n))
    assert v.n_chambers == len(right)
    assert v.n_patterns == len(patterns)
    assert report(v) == (
        [i for i, b in enumerate(patterns) if b in patterns[:i]],
        [i for i, b in enumerate(patterns) if b not in right],
        len(right - set(patterns)),
    )
    assert v.ok == (sorted(patterns) == sorted(right))
    if len(v.not_chambers):
        check_dependence(rows, patterns[v.not_chambers[0]], v.dependence)


@pytest.mark.parametrize("rows", [
    pytest.param(instances.generic(20, 4), id="general position"),
    pytest.param(instances.threshold(4), id="threshold"),
    pytest.param(instances.generic(30, 5), id="general position 30 5", marks=full),
    pytest.param(instances.threshold(5), id="threshold 5", marks=full),
])
def test_thousands_of_patterns(rows):
    A = Arrangement(rows)
    D, n, random = A.dichotomies(), len(rows), np.random.default_rng(5)
    bits = random.permutation(D.to_numpy())
    assert verify(rows, bits)
    assert verify(rows, bits, progress=True)
    bits[10], bits[20] = bits[30], bits[40]
    bits[50:60] ^= random.random((10, n)) < 0.5
    wrong = [i for i in range(50, 60) if bits[i] not in D]
    v = verify(rows, bits)
    assert v.not_chambers.tolist() == wrong
    assert v.duplicates[:2].tolist() == [30, 40]
    assert v.missing == len(D) - (len(bits) - len(v.duplicates) - len(wrong))


def test_progress_bar(monkeypatch, capsys):
    monkeypatch.setattr(arrangements.progress.time, "monotonic", iter(range(10**6)).__next__)
    rows = instances.threshold(3)
    assert verify(rows, Arrangement(rows).dichotomies(), progress=True)
    assert "verify [" in capsys.readouterr().err


def test_bad_input():
    X, D = [(1, 0), (0, 1), (1, 1)], Arrangement([(1, 0), (0, 1), (1, 1)]).dichotomies()
    with pytest.raises(InputError, match="tol"):
        verify(Arrangement(X, tol=1e-9), D)
    with pytest.raises(InputError, match="bias and numbers must be left out"):
        verify(Arrangement(X), D, bias=True)
    with pytest.raises(InputError, match="bias and numbers must be left out"):
        verify(Arrangement(X), D, numbers="decimal")
    with pytest.raises(InputError, match="patterns of 4 bits"):
        verify([*X, (1, 2)], D)
    with pytest.raises(InputError, match="shape"):
        verify(X, np.ones((2, 4), dtype=bool))
    with pytest.raises(InputError, match="shape"):
        verify(X, np.ones(3, dtype=bool))
    with pytest.raises(InputError, match="integers 0 and 1"):
        verify(X, np.array([[1, -1, 1]]))
    with pytest.raises(InputError, match="integers 0 and 1"):
        verify(X, np.array([[1.0, 0.0, 1.0]]))
    with pytest.raises(InputError, match="zero after bit"):
        verify(X, np.array([[8]], dtype=np.uint8))
    with pytest.raises(InputError, match="bits each"):
        verify(X, [[True], [True, False]])
    with pytest.raises(InputError, match="finite"):
        verify([(1.0, float("nan"))], D)
