"""A hash index of packed rows: the number of the row that equals a given one.

Open addressing with linear probing at load 2/3: 6 bytes a row beside the rows themselves. The bits
of a slot that the row number leaves free hold bits of the hash, so that a row is read, at the cost
of a cache miss, hardly ever unless it is the one looked for. Look-ups go in batches: memory is
asked for the slots of all, then for the rows of all, before any is used.
"""
cimport cython
from cpython.exc cimport PyErr_CheckSignals
from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free
from libc.string cimport memcpy

import numpy as np

import arrangements.errors as errors

cdef extern from *:
    void __builtin_prefetch(const void *p) noexcept nogil

cdef enum:
    BATCH = 32
    STEP = 1048576             # rows between two looks for Ctrl-C

_MAX_ROWS = (1 << 31) - 1      # 3/2 of them are still slots numbered in 32 bits


cdef inline uint64_t load8(const uint8_t *p) noexcept nogil:
    cdef uint64_t w
    memcpy(&w, p, 8)
    return w


cdef inline uint64_t load_few(const uint8_t *p, size_t width) noexcept nogil:
    """All bytes of a row of fewer than 8, some of them twice."""
    cdef uint32_t low, high
    if width >= 4:
        memcpy(&low, p, 4)
        memcpy(&high, p + width - 4, 4)
        return low | <uint64_t> high << 32
    return p[0] | <uint64_t> p[width >> 1] << 8 | <uint64_t> p[width - 1] << 16


@cython.overflowcheck(False)  # hashes wrap
cdef inline uint64_t mixed(uint64_t h, uint64_t w) noexcept nogil:
    h = (h ^ w) * <uint64_t> 0x9E3779B97F4A7C15
    return h ^ h >> 32


@cython.overflowcheck(False)
cdef inline uint64_t hashed(const uint8_t *p, size_t width) noexcept nogil:
    cdef uint64_t h = width
    cdef size_t i = 0
    if width < 8:
        h = mixed(h, load_few(p, width))
    else:
        while i + 8 <= width:
            h = mixed(h, load8(p + i))
            i += 8
        if i < width:
            h = mixed(h, load8(p + width - 8))
    h *= <uint64_t> 0xD6E8FEB86659FD93
    return h ^ h >> 32


cdef inline bint same(const uint8_t *p, const uint8_t *q, size_t width) noexcept nogil:
    cdef size_t i = 0
    if width < 8:
        return load_few(p, width) == load_few(q, width)
    while i + 8 <= width:
        if load8(p + i) != load8(q + i):
            return False
        i += 8
    return load8(p + width - 8) == load8(q + width - 8)


cdef inline uint64_t home(const Table *t, uint64_t h) noexcept nogil:
    return (h >> 32) * t.n_slots >> 32


cdef inline uint32_t tag(const Table *t, uint64_t h) noexcept nogil:
    return <uint32_t> h >> t.n_bits


cdef inline const uint8_t *row_in(const Table *t, uint32_t slot) noexcept nogil:
    return t.rows + <size_t> ((slot & (<uint32_t> 1 << t.n_bits) - 1) - 1) * t.width


cdef inline uint64_t candidate(const Table *t, uint64_t h, uint64_t at) noexcept nogil:
    """The first slot from `at` on that is empty or has the tag."""
    while t.slots[at] != 0 and t.slots[at] >> t.n_bits != tag(t, h):
        at += 1
        if at == t.n_slots:
            at = 0
    return at


cdef inline uint64_t settled(const Table *t, const uint8_t *row, uint64_t h, uint64_t at
                             ) noexcept nogil:
    """The slot of the row, or the empty one where it belongs; `at` is the first candidate."""
    while t.slots[at] != 0 and not same(row_in(t, t.slots[at]), row, t.width):
        at = candidate(t, h, at + 1 if at + 1 < t.n_slots else 0)
    return at


cdef void look_up(const Table *t, const uint8_t *rows, size_t k, int64_t *out) noexcept nogil:
    """Numbers of k rows, -1 where there is none."""
    cdef uint64_t hashes[BATCH]
    cdef uint64_t at[BATCH]
    cdef uint32_t slot
    cdef size_t i, size
    while k > 0:
        size = min(k, <size_t> BATCH)
        for i in range(size):
            hashes[i] = hashed(rows + i * t.width, t.width)
            at[i] = home(t, hashes[i])
            __builtin_prefetch(t.slots + at[i])
        for i in range(size):
            at[i] = candidate(t, hashes[i], at[i])
            if t.slots[at[i]] != 0:
                __builtin_prefetch(row_in(t, t.slots[at[i]]))
        for i in range(size):
            slot = t.slots[settled(t, rows + i * t.width, hashes[i], at[i])]
            out[i] = <int64_t> (slot & (<uint32_t> 1 << t.n_bits) - 1) - 1
        rows += size * t.width
        out += size
        k -= size


cdef size_t fill(Table *t, size_t first, size_t last) noexcept nogil:
    """Enter rows `first` to `last`; returns how many are new."""
    cdef uint64_t hashes[BATCH]
    cdef uint64_t at
    cdef const uint8_t *row
    cdef size_t i, size, n_new = 0
    while first < last:
        size = min(last - first, <size_t> BATCH)
        for i in range(size):
            hashes[i] = hashed(t.rows + (first + i) * t.width, t.width)
            __builtin_prefetch(t.slots + home(t, hashes[i]))
        for i in range(size):
            row = t.rows + (first + i) * t.width
            at = settled(t, row, hashes[i], candidate(t, hashes[i], home(t, hashes[i])))
            if t.slots[at] == 0:
                t.slots[at] = <uint32_t> (first + i + 1) | tag(t, hashes[i]) << t.n_bits
                n_new += 1
        first += size
    return n_new


cdef class Index:
    """Index of the rows of a uint8 array (p, width), which must not change while it is in use.

    Of equal rows the first is found; `n_distinct` tells how many are different. Look-ups may run in
    several threads at once.
    """

    def __cinit__(self, const uint8_t[:, ::1] packed not None):
        cdef Py_ssize_t first = 0, p = packed.shape[0]
        cdef uint64_t n_slots = p + p // 2 + 1
        if p > _MAX_ROWS:
            raise errors.InputError(f"an index holds at most {_MAX_ROWS:,} rows, got {p:,}; "
                                    "split them into parts")
        if packed.shape[1] == 0:
            raise errors.InputError("rows must have at least one byte")
        self.keep = packed
        self.table.width = packed.shape[1]
        self.table.n_bits = int(p).bit_length()
        self.table.n_slots = n_slots
        self.table.slots = <uint32_t *> calloc(n_slots, sizeof(uint32_t))
        if self.table.slots == NULL:
            raise MemoryError(f"{4 * n_slots:,} bytes for an index of {p:,} rows")
        if p == 0:
            return
        self.table.rows = &packed[0, 0]
        while first < p:
            with nogil:
                self.n_distinct += fill(&self.table, first, min(first + STEP, p))
            first += STEP
            PyErr_CheckSignals()

    def __dealloc__(self):
        free(self.table.slots)

    def __len__(self):
        return self.keep.shape[0]

    def find(self, const uint8_t[:, ::1] rows not None):
        """int64 (k,): the number of the first row that equals each of k rows, -1 if none does."""
        cdef size_t k = rows.shape[0]
        if <size_t> rows.shape[1] != self.table.width:
            raise errors.InputError(f"rows must have {self.table.width} bytes, got {rows.shape[1]}")
        cdef int64_t[::1] out = np.empty(k, dtype=np.int64)
        if k > 0:
            with nogil:
                look_up(&self.table, &rows[0, 0], k, &out[0])
        return np.asarray(out)
