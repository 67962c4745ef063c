"""Walks in threads: tasks in order, blocks of rows out, progress and Ctrl-C in between.

The kernels release the GIL; the calling thread only waits, so an interrupt reaches it at once and
stops the walks. Tasks are subtrees in the order of the walk, so that rows come out in the same
order whatever the number of threads and the size of the blocks.
"""

from __future__ import annotations

import math
import os
import queue
import threading
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from itertools import accumulate
from typing import Any, NamedTuple

import numpy as np

from .enumeration import Enumeration, Geometry

SMALL = 1 << 15  # rows below which starting a thread costs more than the walk
TASK_ROWS = 1 << 15
FIRST = 1 << 12  # rows of a buffer whose final size is not known
_COUNTING = threading.RLock()  # a collected generator may end inside
POLL = 0.05  # seconds between looks at the clock, the progress bar and Ctrl-C


class Task(NamedTuple):
    """A range of subtrees (see `Enumeration.run`) and the rows it has in general position."""

    prefix: int
    first: int
    end: int
    own: bool
    rows: int


def rows_bound(m: int, r: int, dims: Sequence[bool] | None = None) -> int:
    """The most rows m hyperplanes of rank r can give, beside the origin: chambers, or the faces of
    some dimensions that are not in one of the hyperplanes. Attained in general position."""
    return sum(math.comb(m - 1, t) * _at_vertex(r, t, dims) for t in range(r))


def faces_bound(m: int, r: int, dims: Sequence[bool] | None = None) -> int:
    """The most faces of some dimensions, all by default, beside the origin; and one."""
    return 1 + sum(rows_bound(m - (r - k), k, [True] * (k + 1) if dims is None else dims[: k + 1])
                   for k in range(1, r + 1))


def _at_vertex(r: int, t: int, dims: Sequence[bool] | None) -> int:
    """Rows read off at a simple flat of rank t, where any of t vectors may vanish."""
    if dims is None:
        return 2
    return 2 * sum(math.comb(t, s) for s in range(t + 1) if dims[r - t + s])


def tasks(m: int, r: int, n_jobs: int, dims: Sequence[bool] | None = None) -> list[Task]:
    """The whole walk in pieces, in order; one piece for one worker."""

    def below(i: int, depth: int) -> int:
        return sum(math.comb(m - 1 - i, t - depth) * _at_vertex(r, t, dims)
                   for t in range(depth, r))

    if n_jobs == 1 or r <= 2 or m <= r:
        return [Task(-1, 1, m, True, below(0, 0))]

    def ranges(prefix: int, start: int, depth: int, own: int) -> Iterator[Task]:
        first, rows = start, own
        for i in range(start, m):
            rows += below(i, depth)
            if rows >= TASK_ROWS:
                yield Task(prefix, first, i + 1, first == start, rows)
                first, rows = i + 1, 0
        if rows:
            yield Task(prefix, first, m, first == start, rows)

    if r == 3:
        return list(ranges(-1, 1, 1, _at_vertex(r, 0, dims)))
    walk = [Task(-1, 1, 1, True, _at_vertex(r, 0, dims))]
    for i in range(1, m):
        walk += ranges(i, i + 1, 2, _at_vertex(r, 1, dims))
    return walk


def row_bytes(geometry: Geometry, dims: Sequence[bool] | None) -> int:
    """Bytes of a row: a bit for each sample; for faces two, and their dimension."""
    plane = (geometry.n + 7) // 8
    return plane if dims is None else 2 * plane + 1


class Signs:
    """How many signs each stage has decided, in walks that ended or were left, and that go on."""

    def __init__(self) -> None:
        self._ended = {"filter": 0, "separation": 0, "exact": 0}
        self._walks: list[Enumeration] = []

    def __getstate__(self) -> dict[str, Any]:
        return {"_ended": self.total(), "_walks": []}

    def total(self) -> dict[str, int]:
        """So far, by stage."""
        with _COUNTING:
            return {stage: n + sum(walk.stats[stage] for walk in [*self._walks])
                    for stage, n in self._ended.items()}

    @contextmanager
    def of(self, walks: list[Enumeration]) -> Iterator[None]:
        """While these walks run."""
        with _COUNTING:
            self._walks += walks
        try:
            yield
        finally:
            with _COUNTING:
                for walk in walks:
                    self._walks.remove(walk)
                    for stage, n in walk.stats.items():
                        self._ended[stage] += n


class Run:
    """Worker threads that share a list of jobs, and the first error any of them met."""

    def __init__(self) -> None:
        self.walks: list[Any] = []  # Enumerations, or what else has n_rows and stop()
        self.threads: list[threading.Thread] = []
        self.stopping = threading.Event()
        self.error: BaseException | None = None

    def start(self, target: Callable[[Any], object], walks: list[Any]) -> None:
        """Call target(walk) for each walk in a thread of its own."""
        def guarded(walk: Any) -> None:
            try:
                target(walk)
            except BaseException as error:  # handed to the caller by `check`
                self.error = self.error or error
                self.stop()

        self.walks = walks
        self.threads = [threading.Thread(target=guarded, args=(w,), daemon=True) for w in walks]
        for thread in self.threads:
            thread.start()

    def stop(self) -> None:
        """Ask all walks to end."""
        self.stopping.set()
        for walk in self.walks:
            walk.stop()

    def rows(self) -> int:
        """Rows found so far."""
        return sum(walk.n_rows for walk in self.walks)

    def check(self) -> None:
        """Raise the first error that a thread met."""
        if self.error is not None:
            raise self.error

    def wait(self, watch: Callable[[int], None]) -> None:
        """Until all are done, calling watch(rows so far) now and then."""
        try:
            for thread in self.threads:
                while thread.is_alive():
                    thread.join(POLL)
                    watch(self.rows())
        finally:
            self.stop()
            for thread in self.threads:
                thread.join()
        self.check()


class Grown:
    """A sink that keeps all rows in one array, enlarged where its first guess was too small."""

    def __init__(self, first: np.ndarray) -> None:
        self.buffer = first

    def __call__(self, used: int) -> tuple[np.ndarray, int]:
        """A buffer with room after its first `used` rows, and their number."""
        if len(self.buffer) < used + 2:
            larger = np.empty((2 * used + 64, self.buffer.shape[1]), dtype=np.uint8)
            larger[:used] = self.buffer[:used]
            self.buffer = larger
        return self.buffer, used


def count(geometry: Geometry, *, only_simple: bool = False, limit: float = math.inf,
          signs: Signs | None = None) -> int | None:
    """Number of chambers; None when `only_simple` met a degeneracy. Beyond `limit` rows the walk
    stops and the number so far is returned."""
    walk = Enumeration(geometry, None, only_simple=only_simple)
    complete = []
    run = Run()
    with (signs or Signs()).of([walk]):
        run.start(lambda w: complete.append(w.run(-1, 1, geometry.m, True)), [walk])
        run.wait(lambda rows: walk.stop() if rows > limit else None)
    if not complete[0] and walk.n_rows <= limit:
        return None
    return walk.n_rows


def tally(geometry: Geometry, n_jobs: int, *, dims: Sequence[bool] | None = None,
          signs: Signs | None = None) -> np.ndarray:
    """`Enumeration.counters` of a whole walk, as Python integers."""
    work = iter(tasks(geometry.m, geometry.r, n_jobs))
    lock = threading.Lock()

    def target(walk: Enumeration) -> None:
        while not run.stopping.is_set():
            with lock:
                task = next(work, None)
            if task is None:
                return
            walk.run(*task[:4])

    run, walks = Run(), [Enumeration(geometry, None, dims=dims) for _ in range(n_jobs)]
    with (signs or Signs()).of(walks):
        run.start(target, walks)
        run.wait(lambda rows: None)
    out: np.ndarray = sum(walk.counters.astype(object) for walk in walks)
    return out


def store(geometry: Geometry, buffer: np.ndarray, n_jobs: int, *, watch: Callable[[int], None],
          dims: Sequence[bool] | None = None, signs: Signs | None = None) -> np.ndarray:
    """All rows: the beginning of `buffer`, or another array if it was too small."""
    work = tasks(geometry.m, geometry.r, n_jobs, dims)
    if len(work) == 1:
        sink = Grown(buffer)
        walk = Enumeration(geometry, sink, dims=dims)
        with (signs or Signs()).of([walk]):
            if len(buffer) <= SMALL:
                walk.run(*work[0][:4])
            else:
                run = Run()
                run.start(lambda w: w.run(*work[0][:4]), [walk])
                run.wait(watch)
        return sink.buffer[: walk.filled]
    # Every task writes where its rows belong if the arrangement is simple. From the first one with
    # another number of rows on, tasks keep their rows, and the pieces are joined at the end.
    offsets = [min(x, len(buffer)) for x in accumulate((task.rows for task in work), initial=0)]
    pieces: list[np.ndarray] = [buffer] * len(work)
    jobs = iter(range(len(work)))
    lock = threading.Lock()
    surprised = threading.Event()

    def target(walk: Enumeration) -> None:
        while not run.stopping.is_set():
            with lock:
                i = next(jobs, None)
            if i is None:
                return
            place = buffer[offsets[i] : offsets[i + 1]]
            simple = not surprised.is_set()
            sink = Grown(place if simple else np.empty_like(place[:FIRST]))
            walk.begin(sink)
            walk.run(*work[i][:4])
            pieces[i] = sink.buffer[: walk.filled]
            if walk.filled != work[i].rows or sink.buffer is not place:
                surprised.set()

    run, walks = Run(), [Enumeration(geometry, Grown, dims=dims) for _ in range(n_jobs)]
    with (signs or Signs()).of(walks):
        run.start(target, walks)
        run.wait(watch)
    if not surprised.is_set():
        return buffer[: offsets[-1]]
    return np.concatenate(pieces)


def stream(geometry: Geometry, n_jobs: int, block_rows: int, *, tracing: bool = False,
           dims: Sequence[bool] | None = None, signs: Signs | None = None
           ) -> Generator[Any, None, None]:
    """Blocks in order, each a fresh array of at most `block_rows` rows (even, at least 2); with
    `tracing` a tuple of it and the traces. Memory: a few blocks for each worker."""
    width, r = row_bytes(geometry, dims), geometry.r
    work = tasks(geometry.m, r, n_jobs, dims)
    ahead = threading.Semaphore(4 * n_jobs)
    shelves: list[queue.Queue[Any]] = []
    lock = threading.Lock()
    opened = threading.Semaphore(0)
    run = Run()

    def fresh() -> Any:
        packed = np.empty((block_rows, width), dtype=np.uint8)
        if not tracing:
            return packed
        half = block_rows // 2
        return (packed, np.empty((half, r), np.int32), np.empty((half, r), np.int8),
                np.empty((half, r)))

    def cut(buffer: Any, used: int) -> Any:
        if not tracing:
            return buffer[:used]
        return (buffer[0][:used], *(array[: used // 2] for array in buffer[1:]))

    def put(shelf: queue.Queue[Any], item: Any) -> bool:
        while not run.stopping.is_set():
            try:
                shelf.put(item, timeout=POLL)
                return True
            except queue.Full:
                continue
        return False

    def target(walk: Enumeration) -> None:
        while not run.stopping.is_set():
            if not ahead.acquire(timeout=POLL):
                continue
            with lock:
                if len(shelves) == len(work):
                    return
                task = work[len(shelves)]
                shelf: queue.Queue[Any] = queue.Queue(2)
                shelves.append(shelf)
                opened.release()
            current: list[Any] = []

            def sink(used: int, current: list[Any] = current,
                     shelf: queue.Queue[Any] = shelf) -> Any:
                if current and not put(shelf, cut(current.pop(), used)):
                    return None
                if run.stopping.is_set():
                    return None
                current.append(fresh())
                return current[0], 0

            walk.begin(sink)
            walk.run(*task[:4])
            if walk.filled:
                put(shelf, cut(current.pop(), walk.filled))
            put(shelf, None)

    walks = [Enumeration(geometry, fresh, tracing=tracing, dims=dims) for _ in range(n_jobs)]
    with (signs or Signs()).of(walks):
        run.start(target, walks)
        try:
            for i in range(len(work)):
                while not opened.acquire(timeout=POLL):
                    run.check()
                while True:
                    try:
                        block = shelves[i].get(timeout=POLL)
                    except queue.Empty:
                        run.check()
                        continue
                    if block is None:
                        break
                    yield block
                shelves[i] = queue.Queue()  # let go of the blocks
                ahead.release()
            run.check()
        finally:
            run.stop()
            for thread in run.threads:
                thread.join()


def started(blocks: Generator[Any, None, None]) -> Generator[Any, None, None]:
    """The same blocks, the first of them made now, while a walk that fails can be tried again."""
    first = next(blocks, None)

    def whole() -> Generator[Any, None, None]:
        try:
            if first is not None:
                yield first
                yield from blocks
        finally:
            blocks.close()

    return whole()


def available_bytes() -> int:
    """Memory that can be taken without swapping, as far as the system tells."""
    try:
        with open("/proc/meminfo", "rb", buffering=0) as file:
            return 1024 * int(file.read(4096).partition(b"MemAvailable:")[2].split(None, 1)[0])
    except (OSError, IndexError):
        pass
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return 1 << 62
