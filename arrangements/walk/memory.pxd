"""What one walking thread owns: scratch memory, bit masks of lanes, and the rows it writes."""
from libc.stdint cimport int8_t, int32_t, uint8_t, uint64_t

from arrangements.walk.catalogue cimport Catalogue
from arrangements.walk.kernels cimport ar_popcount
from arrangements.walk.predicates cimport MAX_RANK, Predicates, Tableau

cdef enum:
    GO_ON = 0
    STOP = 1
    MAX_CHUNKS = 64

cdef enum Status:
    OK, STOPPED, NO_MEMORY, DEGENERATE

cdef struct Mark:
    int chunk
    size_t used

cdef struct Worker:
    Predicates pr
    Catalogue *catalogue
    char *chunk[MAX_CHUNKS]
    size_t size[MAX_CHUNKS]
    Mark at
    int status
    bint counting              # no rows wanted
    bint only_simple           # stop at the first degeneracy
    volatile int stop
    # the arrangement
    int n_samples
    int n_bytes
    int n_words
    int m
    int r
    int lanes                  # samples padded to a multiple of 8
    bint identity              # class k is sample k
    const int *member_start    # classes to samples
    const int *member
    const int *class_of        # (n_samples,), -1 for zero rows
    const uint64_t *all_negative  # row when all classes are negative: zero, reversed samples
    const uint64_t *cuts       # samples that are not zero
    const double *mix          # (2 r,) weights of two generic combinations of columns
    # output
    uint8_t *out
    uint8_t *out_end
    unsigned long long n_pairs
    int (*refill)(void *) noexcept nogil   # hand over the full buffer, get the next; STOP to stop
    void *owner
    # for witnesses: the basis at which a chamber was read off, see `trace`
    bint tracing
    int32_t *trace_id
    int8_t *trace_level
    double *trace_value
    # for faces: rows of two planes and a dimension, see `emit_faces`
    bint faces
    int *wanted                # (r + 2,) wanted[k]: how many of the dimensions below k are wanted
    int *merged                # (n_merged, 3): class, the class it is parallel to, opposite
    int n_merged
    uint64_t *face             # (2, n_words) scratch
    # when counting
    unsigned long long *by_rank    # (r + 1,) pairs of chambers in each section below the last
    unsigned long long *flats      # (r + 1,) flats of each rank that avoid class 0
    unsigned long long *by_dim     # (r + 1,) pairs of faces of each dimension

# The vectors that complete a tableau's columns to a basis of R^r, and for witnesses the values of
# a point at them, value * epsilon^level.
cdef struct Outer:
    int n
    int id[MAX_RANK]
    int level[MAX_RANK]
    double value[MAX_RANK]


cdef inline int n_words(int n) noexcept nogil:
    return (n + 63) >> 6


cdef inline bint has(const uint64_t *mask, int k) noexcept nogil:
    return (mask[k >> 6] >> (k & 63)) & 1


cdef inline void put(uint64_t *mask, int k) noexcept nogil:
    mask[k >> 6] |= <uint64_t> 1 << (k & 63)


cdef inline void drop(uint64_t *mask, int k) noexcept nogil:
    mask[k >> 6] &= ~(<uint64_t> 1 << (k & 63))


cdef inline int count(const uint64_t *mask, int n) noexcept nogil:
    cdef int i, c = 0
    for i in range(n_words(n)):
        c += ar_popcount(mask[i])
    return c


cdef inline void flip(const Worker *w, uint64_t *row, int k) noexcept nogil:
    """Turn class k from negative to positive or back."""
    cdef int i, s
    if w.identity:
        row[k >> 6] ^= <uint64_t> 1 << (k & 63)
        return
    for i in range(w.member_start[k], w.member_start[k + 1]):
        s = w.member[i]
        row[s >> 6] ^= <uint64_t> 1 << (s & 63)


cdef void *take_chunk(Worker *w, size_t n_bytes) noexcept nogil


cdef inline void *take(Worker *w, size_t n_bytes) noexcept nogil:
    """Stack allocation, released by restoring `w.at`; NULL and a status when memory is out."""
    cdef void *p
    n_bytes = (n_bytes + 63) & ~<size_t> 63
    if w.at.used + n_bytes > w.size[w.at.chunk]:
        return take_chunk(w, n_bytes)
    p = w.chunk[w.at.chunk] + w.at.used
    w.at.used += n_bytes
    return p


cdef uint64_t *words(Worker *w, int n, const uint64_t *source) noexcept nogil
cdef bint new_tableau(Worker *w, Tableau *T, int n, int n_g, int ld, int width) noexcept nogil
cdef void release(Worker *w) noexcept nogil
cdef int emit(Worker *w, const uint64_t *row) noexcept nogil
cdef int emit_faces(Worker *w, const uint64_t *row, uint64_t *zero, const int *loose, int n,
                    int dim) noexcept nogil
cdef void tally_faces(Worker *w, int dim, int n, unsigned long long times) noexcept nogil
cdef void add_outer(Outer *outer, int id, int level, double value) noexcept nogil
cdef void trace(Worker *w, const Outer *outer, int level, const int *ids, const double *values,
                int n) noexcept nogil
