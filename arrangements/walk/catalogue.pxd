"""Chambers of small arrangements met again and again; see `_catalogue.pyx`."""
from libc.stdint cimport uint64_t

from arrangements.walk.predicates cimport Predicates, Rays, Tableau

# The chambers (or, in a catalogue of faces, all faces but the origin) of one small arrangement, up
# to sign, and the rays each has.
cdef struct Entry:
    Entry *next
    uint64_t hash
    int n
    int rho
    bint built                 # False: too large
    int *key                   # (n - rho, rho) the dependent vectors, primitive
    Rays rays
    int n_items
    int n_words                # of a set of rays
    int head                   # chambers: 1, signs; faces: 3, signs, zeros and dimension
    int n_positive[9]          # by dimension: those where any one generic functional is positive
    uint64_t *items            # (n_items, head + 2 n_words): head, rays +v, rays -v

# How the vectors of an entry stand for the lanes of a tableau.
cdef struct Match:
    int lane[64]
    uint64_t turned

cdef struct Catalogue:
    Entry *slot[4096]
    size_t n_bytes
    bint faces

cdef Entry *find(Catalogue *C, const Tableau *T, Match *M) noexcept nogil
cdef void clear(Catalogue *C) noexcept nogil
