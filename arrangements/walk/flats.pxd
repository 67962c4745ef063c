"""The walk over flats; see `flats.pyx`."""
from libc.stdint cimport uint64_t

from arrangements.walk.predicates cimport MAX_RANK, Tableau
from arrangements.walk.memory cimport Outer, Worker

# Positive(B, phi): lanes 0..n-1 of the tableau are B, the functional follows (all r of them at the
# top). Columns and outer vectors are a basis of R^r.
cdef struct Problem:
    int depth
    int n
    int rho
    uint64_t *row              # signs settled outside B; B itself negative
    # for faces: samples that vanish, independent classes that may vanish too (the first n_own are
    # this problem's own), the dimension when all of these and B do, and whether they all may
    uint64_t *zero
    int n_loose
    int n_own
    int loose[MAX_RANK]
    int dim
    bint whole
    Outer outer
    Tableau root

cdef int walk(Worker *w, const Problem *P, int prefix, int first, int end,
              bint own) noexcept nogil
