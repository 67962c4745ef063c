"""iter_dichotomies: the batch's rows in its order; bounded, abandoned, interrupted, refused.

What must end early is asked of `ENDLESS`, which would take weeks, and not of a clock.
"""

import os
import pickle
import signal
import subprocess
import sys
import threading
import time

import instances
import numpy as np
import pytest
from oracles import check_witness, cover_bound

import arrangements
from arrangements import Arrangement
from arrangements.errors import CapacityError

BATCHES = {
    "generic 20x4": instances.generic(20, 4),
    "resonance 4": instances.resonance(4),
    "braid 5": instances.braid(5),
    "threshold 4": instances.threshold(4),
    "zero and parallel rows": [(0, 0, 0), *instances.type_b(3), *instances.resonance(3), (0, 0, 0)],
    "intervals": [(1, t) for t in range(70)],
    "one row": [(3, 1)],
    "all zero": [(0, 0), (0, 0)],
}
ENDLESS = instances.generic(300, 8)  # 8 10^13 chambers
PATIENCE = 300.0  # seconds, for what takes none on an idle machine


@pytest.mark.parametrize("seed", range(12))
def test_threads_change_no_row_with_tol_either(seed):
    """Classes parallel within tol: a subtree whose flat another one finds gives no rows."""
    rng = np.random.default_rng(seed)
    d = 2 + seed % 4
    X = rng.integers(-2, 3, size=(11, d)) + 1e-9 * rng.normal(size=(11, d))
    A = Arrangement(X, tol=1e-6)
    expected = A.dichotomies().packed
    for n_jobs in (2, 3):
        blocks = A.iter_dichotomies(16, n_jobs=n_jobs)
        assert (A.dichotomies(n_jobs=n_jobs).packed == expected).all()
        assert (np.concatenate([block.packed for block in blocks]) == expected).all()


@pytest.mark.parametrize("name", BATCHES)
@pytest.mark.parametrize("n_jobs", [1, 2])
@pytest.mark.parametrize("block_size", [1, 7, 64, 1000, 65536])
def test_stream_equals_batch(name, block_size, n_jobs):
    A = Arrangement(BATCHES[name])
    batch = A.dichotomies()
    blocks = list(A.iter_dichotomies(block_size, n_jobs=n_jobs))
    assert [len(b) for b in blocks[:-1]] == [block_size] * (len(blocks) - 1)
    assert 1 <= len(blocks[-1]) <= block_size
    assert np.array_equal(np.vstack([b.packed for b in blocks]), batch.packed)


def test_default_block_size():
    blocks = arrangements.iter_dichotomies(instances.generic(40, 5))
    assert [len(b) for b in blocks] == [65536, 65536, 2 * (1 + 39 + 741 + 9139 + 82251) - 131072]


def test_blocks_stay_what_they_were():
    stream = Arrangement(instances.generic(20, 4)).iter_dichotomies(100)
    first = next(stream)
    kept = first.packed.copy()
    next(stream)
    assert np.array_equal(first.packed, kept)


def test_blocks_carry_witnesses():
    rows = instances.generic(10, 3)
    for block in Arrangement(rows).iter_dichotomies(32, witnesses=True):
        for i, pattern in enumerate(block.to_numpy().tolist()):
            assert check_witness(rows, block.witness(i), pattern)
            assert block.witness_found[i]
            assert check_witness(rows, block.witnesses[i].tolist(), pattern)


def test_streams_of_one_arrangement_do_not_disturb_each_other():
    A = Arrangement(instances.generic(20, 4))
    batch = A.dichotomies().packed
    one, two = A.iter_dichotomies(64), A.iter_dichotomies(64, n_jobs=2)
    for k in range(5):
        expected = batch[64 * k : 64 * k + 64]
        assert np.array_equal(next(one).packed, expected)
        assert np.array_equal(next(two).packed, expected)


def test_streams_in_threads():
    A = Arrangement(instances.generic(24, 4))
    batch = A.dichotomies().packed
    results = {}

    def work(k):
        results[k] = np.vstack([b.packed for b in A.iter_dichotomies(500)])

    threads = [threading.Thread(target=work, args=(k,)) for k in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert all(np.array_equal(results[k], batch) for k in range(4))


def n_threads():
    """Native threads too, where the system tells."""
    if os.path.isdir("/proc/self/task"):
        return len(os.listdir("/proc/self/task"))
    return threading.active_count()


@pytest.mark.parametrize("n_jobs", [1, 2, 4])
@pytest.mark.parametrize("how", ["close", "del", "throw"])
def test_abandoned_stream_leaves_no_thread(n_jobs, how):
    A = Arrangement(ENDLESS)
    before = n_threads()
    stream = A.iter_dichotomies(4096, n_jobs=n_jobs)
    next(stream)
    next(stream)
    if how == "close":
        stream.close()
    elif how == "throw":
        with pytest.raises(KeyError):
            stream.throw(KeyError("stop"))
    else:
        del stream
    end = time.monotonic() + PATIENCE
    while n_threads() > before and time.monotonic() < end:
        time.sleep(0.01)
    assert n_threads() <= before
    # The arrangement is as good as new.
    assert len(next(A.iter_dichotomies(1000, n_jobs=n_jobs))) == 1000


def test_closed_stream_is_over():
    stream = Arrangement(instances.generic(60, 5)).iter_dichotomies(1000, n_jobs=2)
    next(stream)
    stream.close()
    assert list(stream) == []


def test_first_block_comes_before_the_others():
    stream = Arrangement(ENDLESS).iter_dichotomies()
    assert len(next(stream)) == 65536
    stream.close()


PRELUDE = """
import sys
sys.path[:0] = {path!r}
import instances
from arrangements import Arrangement
"""


def child(program):
    path = [os.path.dirname(instances.__file__), *sys.path]
    return subprocess.Popen(
        [sys.executable, "-c", PRELUDE.format(path=path) + program],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.skipif(os.name != "posix", reason="sends SIGINT")
@pytest.mark.parametrize("block_size", [65536, 1 << 21])
@pytest.mark.parametrize("n_jobs", [1, 2])
def test_interrupt_ends_a_stream(n_jobs, block_size):
    process = child(
        f"""
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)  # a parent may have it ignored
A = Arrangement({ENDLESS!r})
stream = A.iter_dichotomies({block_size}, n_jobs={n_jobs})
next(stream)
print("running", flush=True)
for _ in stream:
    pass
"""
    )
    try:
        assert process.stdout.readline() == "running\n"
        time.sleep(0.3)  # wherever it is then
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=PATIENCE)
        assert process.returncode != 0
        assert "KeyboardInterrupt" in err
    finally:
        process.kill()
        process.communicate()


@pytest.mark.full
@pytest.mark.parametrize("n_jobs", [1, 2])
def test_memory_is_bounded(n_jobs):
    n, r = 190, 5
    process = child(
        f"""
import re
p = 0
for block in Arrangement(instances.generic({n}, {r})).iter_dichotomies(n_jobs={n_jobs}):
    p += len(block)
# VmHWM and not getrusage: the latter remembers the parent of an exec.
print(p, re.search(r"VmHWM:\\s*(\\d+) kB", open("/proc/self/status").read())[1])
"""
    )
    out, err = process.communicate(timeout=600)
    assert process.returncode == 0, err
    p, peak_kb = map(int, out.split())
    assert p == cover_bound(n, r)
    # Stored, they would take 2.5 GB.
    assert peak_kb < 300_000


@pytest.mark.parametrize(
    "X",
    [
        instances.generic(2000, 9),
        instances.small_integers(2000, 9, high=3),
        np.random.default_rng(0).normal(size=(2000, 9)),
    ],
    ids=["generic", "questionnaire", "floats"],
)
def test_output_that_cannot_fit_is_refused_before_any_work(X):
    A = Arrangement(X)  # of up to 10^22 chambers
    with pytest.raises(CapacityError, match="iter_dichotomies") as caught:
        A.dichotomies()
    error = caught.value
    assert isinstance(error, MemoryError)
    assert error.bytes_needed > error.bytes_available > 0
    assert error.bytes_needed >= error.n_chambers * 250
    assert 0 < error.n_chambers <= cover_bound(2000, 9)
    # It can be streamed all the same.
    stream = A.iter_dichotomies(1000)
    assert len(next(stream)) == 1000
    stream.close()


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_signs_are_counted_while_a_walk_goes_on_and_after_one_was_left(n_jobs):
    A = Arrangement(ENDLESS)
    stream = A.iter_dichotomies(4096, n_jobs=n_jobs)
    next(stream)
    going_on = A.predicate_stats["filter"]
    assert going_on > 4096
    assert pickle.loads(pickle.dumps(A)).predicate_stats["filter"] >= going_on
    stream.close()
    left = A.predicate_stats
    assert left["filter"] >= going_on
    assert A.predicate_stats == left


def test_signs_of_an_interrupted_walk_are_counted():
    def interrupted(rows):
        if rows:
            raise KeyboardInterrupt

    A = Arrangement(instances.generic(80, 6))
    with pytest.raises(KeyboardInterrupt):
        A.walks.store(np.empty((1 << 20, 10), dtype=np.uint8), 1, interrupted)
    assert A.predicate_stats["filter"] > 0
