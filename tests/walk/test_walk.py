"""The walk's own promises: what happens when memory, a sink or chance fails it."""

import pickle
import random
import threading

import instances
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from oracles import chambers_brute, count_deletion_restriction

from arrangements import Arrangement, CapacityError
from arrangements.walk import tables, threads
from arrangements.walk.enumeration import Enumeration


def patterns(X):
    return {tuple(p) for p in Arrangement(X).dichotomies().to_numpy().tolist()}


@pytest.mark.parametrize("bits", range(1, 12))
@pytest.mark.parametrize("name", ["braid", "threshold", "resonance", "generic"])
def test_functionals_that_are_not_generic_are_noticed_never_trusted(bits, name, monkeypatch):
    rows = {
        "braid": instances.braid(4),
        "threshold": instances.threshold(3),
        "resonance": instances.resonance(4),
        "generic": instances.small_integers(9, 3, low=-3, high=3),
    }[name]
    monkeypatch.setattr(tables, "FUNCTIONAL_BITS", bits)
    try:
        found = patterns(rows)
    except ArithmeticError:
        assert bits < 8
        return
    assert found == set(chambers_brute(rows))


def test_other_functionals_are_tried_after_a_failure(monkeypatch):
    seeds = []
    build = tables.build

    def recorded(reduction, *, tol=None, seed=0):
        seeds.append(seed)
        return build(reduction, tol=tol, seed=seed)

    monkeypatch.setattr(tables, "FUNCTIONAL_BITS", 3)
    monkeypatch.setattr(tables, "build", recorded)
    for low in range(1, 30):
        rows = instances.small_integers(8, 3, low=-low, high=low)
        try:
            assert patterns(rows) == set(chambers_brute(rows))
        except ArithmeticError:
            continue
    assert max(seeds) > 0


class _BrokenSinkError(Exception):
    pass


def test_an_error_in_the_sink_reaches_the_caller():
    def sink(used):
        if used:
            raise _BrokenSinkError
        return np.empty((16, 3), dtype=np.uint8), 0

    A = Arrangement(instances.generic(20, 3))
    walk = Enumeration(A.walks.geometry(), sink)
    with pytest.raises(_BrokenSinkError):
        walk.run(-1, 1, 20, True)


def test_memory_that_runs_out_while_growing_is_an_error_not_a_short_answer(monkeypatch):
    def full(self, used):
        if used:
            raise MemoryError("no room")
        return np.empty((64, 3), dtype=np.uint8), 0

    monkeypatch.setattr(threads.Grown, "__call__", full)
    before = set(threading.enumerate())  # other tests may have left some
    for jobs in (1, 2):
        with pytest.raises(MemoryError, match="no room"):
            Arrangement(instances.generic(20, 4)).dichotomies(n_jobs=jobs)
    assert set(threading.enumerate()) <= before


def test_a_first_guess_that_is_too_small_grows():
    A = Arrangement(instances.threshold(4))
    expected = A.dichotomies()
    for capacity in (2, 3, 100):
        packed = threads.store(A.walks.geometry(), np.empty((capacity, 2), np.uint8), 1,
                                 watch=lambda rows: None)
        assert np.array_equal(packed, expected.packed)


def test_counting_stops_at_its_limit():
    A = Arrangement(instances.generic(60, 5))
    assert threads.count(A.walks.geometry(), limit=1000) > 1000


@pytest.mark.parametrize("r", [3, 4, 6])
def test_tasks_cover_the_walk_once(r):
    A = Arrangement(instances.generic(24, r))
    assert sum(task.rows for task in threads.tasks(24, r, 2)) == A.cover_bound()
    A.walks.geometry()
    pieces = []
    for task in threads.tasks(24, r, 2):
        sink = threads.Grown(np.empty((task.rows, 3), dtype=np.uint8))
        walk = Enumeration(A.walks.geometry(), sink)
        assert walk.run(*task[:4])
        assert walk.filled == task.rows
        pieces.append(sink.buffer[: walk.filled])
    assert np.array_equal(np.concatenate(pieces), A.dichotomies().packed)


def test_local_problems_too_large_for_a_list_are_walked():
    # 12 generic vectors of rank 7 in a hyperplane of rank 8, and one outside
    rng = np.random.default_rng(0)
    inner = rng.integers(-3, 4, size=(14, 7))
    rows = np.zeros((15, 8), dtype=int)
    rows[:14, :7] = inner
    rows[14, 7] = 1
    inner_count = Arrangement(inner).count_dichotomies()
    A = Arrangement(rows)
    assert len(A.dichotomies()) == A.count_dichotomies() == 2 * inner_count
    assert len(np.unique(A.dichotomies().packed, axis=0)) == 2 * inner_count


def test_arrangements_and_their_patterns_can_be_pickled():
    D = Arrangement(instances.threshold(3)).dichotomies()
    copy = pickle.loads(pickle.dumps(D))
    assert copy == D
    assert copy.witness(5) == D.witness(5)
    assert copy.arrangement.dichotomies() == D


def test_predicted_sizes_beyond_64_bits_do_no_harm(monkeypatch):
    # degenerate data of high rank have few chambers, but a Cover bound beyond any memory
    A = Arrangement(instances.threshold(4))
    expected = A.dichotomies()
    real = threads.tasks
    huge = lambda *args: [t._replace(rows=2**62) for t in real(*args)]  # noqa: E731
    monkeypatch.setattr(threads, "tasks", huge)
    packed = threads.store(A.walks.geometry(), np.empty_like(expected.packed), 2,
                             watch=lambda rows: None)
    assert np.array_equal(packed, expected.packed)


def test_pencils_of_many_lines_with_independent_rows():
    k, q = 6, 20
    rows = np.zeros((k + q, k + 2), dtype=int)
    rows[range(k), range(k)] = 1
    rows[k:, k] = 1
    rows[k:, k + 1] = range(q)
    assert len(Arrangement(rows).dichotomies()) == 2**k * 2 * q


def test_near_degenerate_braid_counted_within_higher_rank():
    # flats of rank below r - 2 that are not simple, with entries only the exact stage can tell
    rng = random.Random(1)
    rows = [(*x, 0, 0) for x in instances.essential_braid(4)]
    rows += [(0, 0, 0, 0, 1, 0), (0, 0, 0, 0, 0, 1), (1, 2, 3, 4, 5, 7), (1, 1, -1, 2, 1, -1)]
    rows = [[2**60 * x for x in row] for row in rows]
    rows[-1][0] += 1
    rows[-2][1] += 1
    basis = [[2**50 + rng.randint(-3, 3) for _ in range(6)] for _ in range(6)]
    rows = [[sum(x * b[j] for x, b in zip(row, basis, strict=True)) for j in range(6)]
            for row in rows]
    A = Arrangement(rows)
    assert A.count_dichotomies() == count_deletion_restriction(rows)
    D = A.dichotomies()
    assert len(np.unique(D.packed, axis=0)) == len(D) == A.count_dichotomies()


@given(st.data())
@settings(max_examples=60)
def test_entries_that_floats_cannot_hold(data):
    d = data.draw(st.integers(2, 3))
    bits = st.sampled_from([0, 60, 500, 980, 1050, 1074, 1500, 2100])
    entry = st.builds(lambda a, b, c, e: (a << b) + (c << e), st.integers(-7, 7), bits,
                      st.integers(-3, 3), bits)
    rows = data.draw(st.lists(st.tuples(*[entry] * d), min_size=2, max_size=5))
    assert patterns(rows) == set(chambers_brute(rows))


@pytest.mark.parametrize("tol", [None, 1e-9])
@pytest.mark.parametrize(
    ("X", "p"),
    [([[0, 0]], 1), ([[0]], 1), ([[1]], 2), ([[1, 2], [2, 4]], 2), ([[1], [-1], [0]], 2)],
)
def test_smallest_data_in_every_form(X, p, tol):
    A = Arrangement(X, tol=tol)
    assert A.count_dichotomies() == p
    assert len(A.dichotomies()) == len(A.dichotomies(witnesses=True)) == p
    assert sum(len(block) for block in A.iter_dichotomies(3)) == p
    assert A.general_position == all(map(any, X)) or A.rank == 0


def test_witnesses_count_in_what_must_fit(monkeypatch):
    A = Arrangement(instances.generic(20, 4))  # 2,320 patterns of 3 bytes, or 8 * 4 more with u
    monkeypatch.setattr(threads, "available_bytes", lambda: 20_000)
    assert len(A.dichotomies()) == 2320
    with pytest.raises(CapacityError) as caught:
        A.dichotomies(witnesses=True)
    assert caught.value.n_chambers == 2320
    assert sum(len(block) for block in A.iter_dichotomies(500, witnesses=True)) == 2320
