"""Chambers of small arrangements met again and again; see `_catalogue.pyx`."""
from libc.stdint cimport uint64_t

from arrangements._predicates cimport Predicates, Rays, Tableau

# The chambers of one small arrangement, up to sign, and the rays each has.
cdef struct Entry:
    Entry *next
    uint64_t hash
    int n
    int rho
    bint built                 # False: too large
    int *key                   # (n - rho, rho) the dependent vectors, primitive
    Rays rays
    int n_chambers
    int n_words                # of a set of rays
    int n_positive             # chambers on which any one generic functional is positive
    uint64_t *chambers         # (n_chambers, 1 + 2 n_words): signs, rays +v, rays -v

# How the vectors of an entry stand for the lanes of a tableau.
cdef struct Match:
    int lane[64]
    uint64_t turned

cdef struct Catalogue:
    Entry *slot[4096]
    size_t n_bytes

cdef Entry *find(Catalogue *C, const Tableau *T, Match *M) noexcept nogil
cdef void clear(Catalogue *C) noexcept nogil
