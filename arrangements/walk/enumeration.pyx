"""The Python side of the walk: Geometry holds an arrangement, Enumeration one thread's state."""
from libc.math cimport INFINITY
from libc.stdint cimport int8_t, int32_t, int64_t, uint8_t, uint64_t
from libc.string cimport memset

from arrangements.walk.catalogue cimport Catalogue, clear
from arrangements.walk.flats cimport Problem, walk
from arrangements.walk.kernels cimport ar_dispatch, ar_mulmod
from arrangements.walk.pairs cimport pairs_doubles, pairs_place
from arrangements.walk.predicates cimport (FLOOR, UNDECIDED, Residues, Tableau, coordinate_sign,
                                           minor_sign, pivot_column, tableau_measure,
                                           tableau_pivot)
from arrangements.walk.memory cimport GO_ON, NO_MEMORY, OK, STOP, Mark, Worker, new_tableau, release

import numpy as np

simd = (<bytes> ar_dispatch()).decode()


def residues(const int64_t[:, ::1] rows, const uint64_t[::1] p, const uint64_t[::1] minus_inv,
             const uint64_t[:, ::1] inverse):
    """Montgomery forms (primes, m, r) of integers below 2^62, 2^64 x mod p."""
    cdef Py_ssize_t i, j, q, m = rows.shape[0], r = rows.shape[1]
    cdef uint64_t x
    out = np.empty((p.shape[0], m, r), dtype=np.uint64)
    cdef uint64_t[:, :, ::1] value = out
    for q in range(p.shape[0]):
        for i in range(m):
            for j in range(r):
                x = ar_mulmod(abs(rows[i, j]), inverse[q, q], p[q], minus_inv[q])
                value[q, i, j] = p[q] - x if rows[i, j] < 0 and x != 0 else x
    return out


cdef class Geometry:
    """An arrangement ready for the kernels: floats, residues, classes (see `_tables.Tables`)."""
    cdef readonly object tables
    cdef readonly int n, m, r
    cdef Residues res
    cdef double tol

    def __init__(self, tables):
        self.tables = tables
        self.n = tables.n
        self.m, self.r = tables.m, tables.r
        self.tol = tables.tol
        cdef uint64_t[:, :, ::1] value = tables.value
        cdef uint64_t[::1] p = tables.p
        cdef uint64_t[::1] minus_inv = tables.minus_inv
        cdef uint64_t[::1] one = tables.one
        cdef uint64_t[:, ::1] inverse = tables.inverse
        cdef double[::1] bits = tables.bits
        cdef int[::1] shift = tables.shift
        self.res.n_ids = value.shape[1]
        self.res.r = self.r
        self.res.n_primes = p.shape[0]
        self.res.value = &value[0, 0, 0]
        self.res.p = &p[0]
        self.res.minus_inv = &minus_inv[0]
        self.res.one = &one[0]
        self.res.inverse = &inverse[0, 0]
        self.res.bits = &bits[0]
        self.res.shift = &shift[0]


cdef class Enumeration:
    """One thread's walk. `sink(n_rows)` is called with the number of rows in the current buffer
    when it is full and returns (buffer, rows already in it), or None to stop."""
    cdef Worker w
    cdef Geometry geometry
    cdef Problem top
    cdef Catalogue catalogue
    cdef object sink
    cdef object buffer
    cdef uint8_t *start
    cdef int width
    cdef object keep
    cdef object error
    cdef object tallies

    def __cinit__(self):
        memset(&self.w, 0, sizeof(Worker))
        memset(&self.catalogue, 0, sizeof(Catalogue))
        self.w.catalogue = &self.catalogue

    def __init__(self, Geometry geometry, sink=None, *, only_simple=False, tracing=False,
                 dims=None):
        """Without a sink the chambers are counted, not written. With `dims` (a bool for each
        dimension) the faces of these dimensions that are not in the hyperplane of class 0."""
        cdef Worker *w = &self.w
        cdef int k
        tables = geometry.tables
        self.geometry = geometry
        self.sink = sink
        w.owner = <void *> self
        w.refill = refill
        w.counting = sink is None
        w.only_simple = only_simple
        w.tracing = tracing
        w.faces = self.catalogue.faces = dims is not None
        w.n_samples, w.m, w.r = geometry.n, geometry.m, geometry.r
        w.n_bytes = (w.n_samples + 7) // 8
        w.n_words = (w.n_samples + 63) // 64
        w.lanes = (w.n_samples + 7) & ~7
        w.identity = tables.identity
        cdef int[::1] member_start = tables.member_start
        cdef int[::1] member = tables.member
        cdef int[::1] class_of = tables.class_of
        cdef uint64_t[::1] all_negative = tables.all_negative
        cdef uint64_t[::1] cuts = tables.cuts
        cdef double[::1] mix = tables.mix
        w.member_start = &member_start[0]
        w.member = &member[0]
        w.class_of = &class_of[0]
        w.all_negative = &all_negative[0]
        w.cuts = &cuts[0]
        w.mix = &mix[0]
        w.pr.res = &geometry.res
        w.pr.tol = geometry.tol
        w.pr.first_generic = geometry.m + geometry.r
        primes, square = geometry.res.n_primes, geometry.r * geometry.r
        scratch = np.empty(3 * primes + 2 * square + geometry.r + primes * square, dtype=np.uint64)
        cdef uint64_t[::1] view = scratch
        w.pr.scratch = &view[0]
        w.pr.inv.n = 0
        w.pr.inv.ids[0] = -1
        w.pr.inv.det = &view[2 * primes + 2 * square + geometry.r]
        w.pr.inv.rows = w.pr.inv.det + geometry.res.n_primes
        cdef double[:, ::1] high = tables.floats
        cdef double[:, ::1] low = tables.low
        n_doubles = pairs_doubles(w.r)
        pairs = np.empty(n_doubles + w.m + w.r + 8)
        cdef double[::1] pairs_view = pairs
        pairs_place(&w.pr.pairs, &pairs_view[0], w.r)
        w.pr.column = &pairs_view[n_doubles]
        w.pr.pairs.high = &high[0, 0]
        w.pr.pairs.low = &low[0, 0]
        w.pr.pairs.size = np.abs(tables.floats).max()
        wanted = np.empty(w.r + 2, dtype=np.int32)
        cdef int[::1] wanted_view = wanted
        w.wanted = &wanted_view[0]
        w.wanted[0] = 0
        for k in range(w.r + 1):
            w.wanted[k + 1] = w.wanted[k] + (1 if dims is None or dims[k] else 0)
        self.width = 2 * w.n_bytes + 1 if w.faces else w.n_bytes
        merged = np.empty(3 * w.m * w.r, dtype=np.int32)
        cdef int[::1] merged_view = merged
        w.merged = &merged_view[0]
        masks = np.zeros(3 * w.n_words, dtype=np.uint64)
        cdef uint64_t[::1] masks_view = masks
        w.face = &masks_view[0]
        self.top.zero = &masks_view[2 * w.n_words]
        self.tallies = np.zeros((3, w.r + 1), dtype=np.uint64)
        cdef uint64_t[:, ::1] counters = self.tallies
        w.by_rank = <unsigned long long *> &counters[0, 0]
        w.flats = <unsigned long long *> &counters[1, 0]
        w.by_dim = <unsigned long long *> &counters[2, 0]
        self.keep = [scratch, pairs, wanted, merged, masks]
        self._root()

    def __dealloc__(self):
        release(&self.w)
        clear(&self.catalogue)

    def _root(self):
        """The tableau of the whole arrangement with class 0 at infinity, in column 0."""
        cdef Worker *w = &self.w
        cdef Problem *P = &self.top
        cdef int r = w.r, n = w.m, k, c, ld = (n + r + 7) & ~7
        cdef Tableau T
        cdef double x
        cdef double[:, ::1] values = self.geometry.tables.floats   # (m + 2 r, r)
        cdef double unit = self.geometry.tables.input_error
        lane_ids = np.empty(n + r, dtype=np.int32)
        cdef int[::1] ids = lane_ids
        for k in range(n + r):
            ids[k] = k if k < n else k + r
        self.keep.append(lane_ids)
        P.depth = 0
        P.n = n
        P.rho = r
        P.row = <uint64_t *> w.all_negative
        P.outer.n = 0
        if not (new_tableau(w, &T, n, r, ld, r)
                and new_tableau(w, &P.root, n, r, ld, r)):
            raise MemoryError("no memory for the first tableau")
        T.id = P.root.id = &ids[0]
        T.outer = P.outer.id
        T.det = 1 if self.geometry.tables.integral else INFINITY
        T.free = ~<uint64_t> 0 if r == 64 else (<uint64_t> 1 << r) - 1
        for c in range(r):
            T.basis[c] = n + c
            for k in range(ld):
                T.t[c * ld + k] = values[ids[k], c] if k < n + r else 0
        T.integral = self.geometry.tables.integral and w.pr.tol <= 0
        T.scale = 1
        T.age = 0
        for c in range(r):
            T.err[c] = T.g_err[c] = 0
        tableau_measure(&w.pr, &T)
        if w.pr.tol <= 0:
            for c in range(r):
                # the floor keeps bounds from underflowing, and is more than what does underflow
                T.err[c] = unit * T.top[c] + (FLOOR if unit > 0 else 0)
                T.g_err[c] = 2 * 2.0**-53 * T.g_top[c]
        c = pivot_column(&w.pr, &T, 0)
        tableau_pivot(&w.pr, &T, &P.root, 0, c)
        c = c if c >= 0 else -1 - c
        if c != 0:
            T = P.root
            for k in range(ld):
                x = T.t[k]
                T.t[k] = T.t[c * ld + k]
                T.t[c * ld + k] = x
            T.err[0], T.err[c] = T.err[c], T.err[0]
            T.top[0], T.top[c] = T.top[c], T.top[0]
            T.g_err[0], T.g_err[c] = T.g_err[c], T.g_err[0]
            T.g_top[0], T.g_top[c] = T.g_top[c], T.g_top[0]
            T.basis[0], T.basis[c] = T.basis[c], T.basis[0]
            P.root.free = (T.free | (<uint64_t> 1 << c)) & ~<uint64_t> 1

    def begin(self, sink):
        """Write what follows to another sink."""
        self.sink = sink
        self.buffer = None
        self.start = self.w.out = self.w.out_end = NULL

    cdef int refill(self) except -1:
        cdef Worker *w = &self.w
        cdef uint8_t[:, ::1] view
        answer = self.sink(self.filled)
        if answer is None:
            return STOP
        self.buffer, used = answer
        if w.tracing:
            self._trace_into(self.buffer[1:], used)
            view = self.buffer[0]
        else:
            view = self.buffer
        if view.shape[0] < used + 2 or view.shape[1] != self.width:
            raise RuntimeError("the sink gave a buffer without room for two rows")
        self.start = &view[0, 0]
        w.out = self.start + <Py_ssize_t> used * self.width
        w.out_end = self.start + view.shape[0] * self.width
        return GO_ON

    def _trace_into(self, arrays, Py_ssize_t used):
        cdef int32_t[:, ::1] ids = arrays[0]
        cdef int8_t[:, ::1] levels = arrays[1]
        cdef double[:, ::1] values = arrays[2]
        self.w.trace_id = &ids[used // 2, 0]
        self.w.trace_level = &levels[used // 2, 0]
        self.w.trace_value = &values[used // 2, 0]

    @property
    def filled(self):
        """Rows in the current buffer."""
        if self.buffer is None:
            return 0
        return (self.w.out - self.start) // self.width

    @property
    def n_rows(self):
        """Rows found so far; may be read from another thread."""
        return 2 * self.w.n_pairs

    @property
    def counters(self):
        """What a counting walk has found so far, uint64 (3, r + 1): pairs of opposite chambers in
        each section, by its rank less one; flats off class 0 of each rank; with `dims`, pairs of
        faces of each dimension."""
        counters = self.tallies.copy()
        counters[0, self.w.r - 1] = self.w.n_pairs - counters[0, : self.w.r - 1].sum()
        return counters

    @property
    def stats(self):
        return {"filter": self.w.pr.n_filter, "separation": self.w.pr.n_separation,
                "exact": self.w.pr.n_exact}

    def sign(self, basis, int place, int vector, exchanged=None):
        """Sign of the coordinate of a vector at a place of a basis, without a tableau; with
        exchanged = (c, j), of the basis with j at place c. Vectors by number, see `Tables`."""
        cdef int[::1] ids = np.array(basis, dtype=np.int32)
        cdef int c, j, first = self.w.pr.first_generic
        cdef bint generic = vector >= first or any(v >= first for v in basis)
        if ids.shape[0] != self.w.r:
            raise ValueError(f"a basis has {self.w.r} vectors, this {ids.shape[0]}")
        if exchanged is None:
            return coordinate_sign(&self.w.pr, &ids[0], place, vector, generic)
        c, j = exchanged
        return minor_sign(&self.w.pr, &ids[0], c, j, place, vector, UNDECIDED, generic)

    def stop(self):
        """Ask a running walk to end; it does so within microseconds."""
        self.w.stop = 1

    def run(self, int prefix, int first, int end, bint own):
        """Walk the flats whose basis starts with `prefix` (negative: none) and goes on with an
        index in first..end-1, and the section of the prefix itself where `own`.

        True when done, False when stopped or, with only_simple, at the first degeneracy.
        Raises ArithmeticError when the generic functionals were not generic.
        """
        cdef Worker *w = &self.w
        cdef Mark at = w.at
        w.status = OK
        with nogil:
            walk(w, &self.top, prefix, first, end, own)
        w.at = at
        if self.error is not None:
            error, self.error = self.error, None
            raise error
        if w.pr.failed:
            raise ArithmeticError("a generic functional met a vertex exactly")
        if w.status == NO_MEMORY:
            raise MemoryError("no memory for the walk's tableaux")
        return w.status == OK


cdef int refill(void *owner) noexcept with gil:
    """Ask the sink; what it raises is kept for `run`, which is back in Python."""
    cdef Enumeration self = <Enumeration> owner
    try:
        return self.refill()
    except BaseException as error:
        self.error = error
        return STOP
