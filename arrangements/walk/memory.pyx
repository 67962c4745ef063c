"""What one walking thread owns: scratch memory, bit masks of lanes, and the rows it writes.

Rows are words of 64 samples in memory and ceil(n/8) bytes in the output; a chamber is written
together with its opposite.
"""
cimport cython
from libc.stdint cimport int8_t, uint8_t, uint64_t
from libc.stdlib cimport free
from libc.string cimport memcpy, memset

from arrangements.walk.predicates cimport Tableau, tableau_bytes, tableau_place

cdef extern from "<stdlib.h>" nogil:
    void *aligned_alloc(size_t alignment, size_t size)

cdef enum:
    SLACK = 8                  # bytes past a row that the fast store may overwrite


cdef void *take_chunk(Worker *w, size_t n_bytes) noexcept nogil:
    """`take` from the next chunk that is large enough."""
    cdef void *p
    cdef size_t size
    while w.at.used + n_bytes > w.size[w.at.chunk]:
        if w.size[w.at.chunk] != 0:
            w.at.chunk += 1
            w.at.used = 0
        if w.at.chunk == MAX_CHUNKS:
            w.status = NO_MEMORY
            return NULL
        if w.size[w.at.chunk] < n_bytes:
            free(w.chunk[w.at.chunk])
            size = <size_t> 1 << (18 + w.at.chunk)
            if size < n_bytes:
                size = n_bytes
            w.chunk[w.at.chunk] = <char *> aligned_alloc(64, size)
            w.size[w.at.chunk] = 0
            if w.chunk[w.at.chunk] == NULL:
                w.status = NO_MEMORY
                return NULL
            w.size[w.at.chunk] = size
    p = w.chunk[w.at.chunk] + w.at.used
    w.at.used += n_bytes
    return p


cdef uint64_t *words(Worker *w, int n, const uint64_t *source) noexcept nogil:
    """A bit mask of n lanes: a copy of `source`, or zeros."""
    cdef uint64_t *p = <uint64_t *> take(w, n_words(n) * 8)
    if p != NULL:
        if source != NULL:
            memcpy(p, source, n_words(n) * 8)
        else:
            memset(p, 0, n_words(n) * 8)
    return p


cdef bint new_tableau(Worker *w, Tableau *T, int n, int n_g, int ld, int width) noexcept nogil:
    cdef char *p = <char *> take(w, tableau_bytes(ld, width))
    if p == NULL:
        return False
    tableau_place(T, p, n, n_g, ld, width)
    return True


cdef void release(Worker *w) noexcept nogil:
    """Free all scratch memory."""
    cdef int i
    for i in range(MAX_CHUNKS):
        free(w.chunk[i])
        w.chunk[i] = NULL
        w.size[i] = 0


cdef int emit(Worker *w, const uint64_t *row) noexcept nogil:
    """Write a chamber and its opposite."""
    cdef int i
    cdef uint64_t last
    w.n_pairs += 1
    if w.counting:
        return GO_ON
    if w.out + 2 * w.n_bytes > w.out_end:
        if w.refill(w.owner) != GO_ON:
            w.status = STOPPED
            return STOP
    if w.out + 2 * w.n_bytes + SLACK <= w.out_end:
        for i in range(w.n_words):
            memcpy(w.out + 8 * i, row + i, 8)
        for i in range(w.n_words):
            last = row[i] ^ w.cuts[i]
            memcpy(w.out + w.n_bytes + 8 * i, &last, 8)
    else:
        memcpy(w.out, row, w.n_bytes)
        for i in range(w.n_words - 1):
            last = row[i] ^ w.cuts[i]
            memcpy(w.out + w.n_bytes + 8 * i, &last, 8)
        i = w.n_words - 1
        last = row[i] ^ w.cuts[i]
        memcpy(w.out + w.n_bytes + 8 * i, &last, w.n_bytes - 8 * i)
    w.out += 2 * w.n_bytes
    return GO_ON


cdef void plane(uint8_t *out, const uint64_t *x, int n_bytes) noexcept nogil:
    cdef int i, n = n_bytes >> 3
    memcpy(out, x, 8 * n)
    for i in range(8 * n, n_bytes):
        out[i] = <uint8_t> (x[n] >> (8 * (i - 8 * n)))


cdef void spread(const Worker *w, uint64_t *row, uint64_t *zero) noexcept nogil:
    """Give classes merged into others, the latest first, the signs of those."""
    cdef int i, j, k
    cdef const int *entry
    cdef bint wrong
    for i in range(w.n_merged - 1, -1, -1):
        entry = w.merged + 3 * i
        j = w.member[w.member_start[entry[0]]]
        k = w.member[w.member_start[entry[1]]]
        wrong = has(row, j) ^ has(w.all_negative, j) ^ has(row, k) ^ has(w.all_negative, k)
        if wrong != entry[2]:
            flip(w, row, entry[0])
        if has(zero, j) != has(zero, k):
            flip(w, zero, entry[0])


cdef int emit_face(Worker *w, const uint64_t *row, const uint64_t *zero, int dim) noexcept nogil:
    """Write a face and its opposite: a plane of positive samples, one of negative, a dimension."""
    cdef int i, width = 2 * w.n_bytes + 1
    cdef uint64_t plus, minus
    cdef uint8_t *out
    cdef uint64_t *signs = w.face
    cdef uint64_t *zeros = w.face + w.n_words
    w.n_pairs += 1
    if w.out + 2 * width > w.out_end:
        if w.refill(w.owner) != GO_ON:
            w.status = STOPPED
            return STOP
    if w.n_merged:
        memcpy(signs, row, w.n_words * 8)
        memcpy(zeros, zero, w.n_words * 8)
        spread(w, signs, zeros)
        row = signs
        zero = zeros
    out = w.out
    w.out += 2 * width
    if w.n_words == 1 and w.out + SLACK <= w.out_end:
        minus = w.cuts[0] & ~zero[0]
        plus = row[0] & minus
        minus ^= plus
        memcpy(out, &plus, 8)
        memcpy(out + w.n_bytes, &minus, 8)
        out[width - 1] = <uint8_t> dim
        out += width
        memcpy(out, &minus, 8)
        memcpy(out + w.n_bytes, &plus, 8)
        out[width - 1] = <uint8_t> dim
        return GO_ON
    for i in range(w.n_words):
        minus = w.cuts[i] & ~zero[i]
        plus = row[i] & minus
        signs[i] = plus
        zeros[i] = minus ^ plus
    plane(out, signs, w.n_bytes)
    plane(out + w.n_bytes, zeros, w.n_bytes)
    out[width - 1] = <uint8_t> dim
    out += width
    plane(out, zeros, w.n_bytes)
    plane(out + w.n_bytes, signs, w.n_bytes)
    out[width - 1] = <uint8_t> dim
    return GO_ON


cdef int emit_faces(Worker *w, const uint64_t *row, uint64_t *zero, const int *loose, int n,
                    int dim) noexcept nogil:
    """Write the faces of wanted dimensions on which any of n independent classes vanish beside
    the samples `zero`; `dim` is their dimension when all do."""
    cdef int result
    if w.wanted[dim + n + 1] == w.wanted[dim]:
        return GO_ON
    if n == 0:
        return emit_face(w, row, zero, dim)
    result = emit_faces(w, row, zero, loose, n - 1, dim + 1)
    if result == GO_ON:
        flip(w, zero, loose[n - 1])
        result = emit_faces(w, row, zero, loose, n - 1, dim)
        flip(w, zero, loose[n - 1])
    return result


@cython.overflowcheck(False)
cdef void tally_faces(Worker *w, int dim, int n, unsigned long long times) noexcept nogil:
    """Count what `emit_faces` would write, `times` over."""
    cdef int i
    for i in range(n + 1):
        w.by_dim[dim + i] += times
        times = times * <unsigned long long> (n - i) / <unsigned long long> (i + 1)


cdef void add_outer(Outer *outer, int id, int level, double value) noexcept nogil:
    outer.id[outer.n] = id
    outer.level[outer.n] = level
    outer.value[outer.n] = value
    outer.n += 1


cdef void trace(Worker *w, const Outer *outer, int level, const int *ids, const double *values,
                int n) noexcept nogil:
    """Record, for the pair about to be emitted, a basis and the values of a point of the chamber
    at it: value * epsilon^level for all small epsilon."""
    cdef int i
    if w.out + 2 * w.n_bytes > w.out_end and w.refill(w.owner) != GO_ON:
        return  # `emit` finds no room either and stops
    for i in range(outer.n):
        w.trace_id[i] = outer.id[i]
        w.trace_level[i] = <int8_t> outer.level[i]
        w.trace_value[i] = outer.value[i]
    for i in range(n):
        w.trace_id[outer.n + i] = ids[i]
        w.trace_level[outer.n + i] = <int8_t> level
        w.trace_value[outer.n + i] = values[i]
    w.trace_id += w.r
    w.trace_level += w.r
    w.trace_value += w.r
