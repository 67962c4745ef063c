"""From faces of codimension one to the facets of chambers, with an index of the chambers."""
from libc.stdint cimport int32_t, int64_t, uint8_t
from libc.stdlib cimport free, malloc
from libc.string cimport memcpy

from arrangements.patterns.lookup cimport Index, look_up

import numpy as np

cdef extern from *:
    int __builtin_ctz(unsigned int x) noexcept nogil

cdef enum:
    BATCH = 256

ctypedef fused index_t:
    int32_t
    int64_t


cdef int64_t split(const uint8_t *face, size_t width, const uint8_t *plus, const uint8_t *minus,
                   const uint8_t *zeros, uint8_t *above) noexcept nogil:
    """Write the chambers on the two sides of a face; returns its first zero sample or -1."""
    cdef size_t j
    cdef uint8_t positive, zero
    cdef int64_t first = -1
    for j in range(width):
        positive = face[j] | zeros[j]
        zero = (plus[j] | minus[j]) & ~(face[j] | face[width + j])
        above[j] = positive | (zero & plus[j])
        above[width + j] = positive | (zero & minus[j])
    for j in range(width):
        zero = (plus[j] | minus[j]) & ~(face[j] | face[width + j])
        if zero:
            first = 8 * j + __builtin_ctz(zero)
            break
    return first


def pairs(Index index not None, const uint8_t[:, ::1] faces not None,
          const uint8_t[::1] plus not None, const uint8_t[::1] minus not None,
          const uint8_t[::1] zeros not None):
    """Chambers on the two sides of faces of codimension one.

    `faces` are rows [positive plane | negative plane | dim]; `plus`, `minus` and `zeros` are the
    samples with orientation +1, -1 and 0 in `Reduction`, packed.

    Returns int64 (k, 2), the numbers in the index of the chambers on the side where the class of
    rows that vanish is positive and on the other, -1 for those not in the index; and int32 (k,),
    the first of these rows.
    """
    cdef Py_ssize_t i, size, first = 0, k = faces.shape[0]
    cdef size_t width = index.table.width
    cdef int64_t[:, ::1] sides = np.empty((k, 2), dtype=np.int64)
    cdef int32_t[::1] rows = np.empty(k, dtype=np.int32)
    cdef uint8_t *scratch
    if k > 0:
        scratch = <uint8_t *> malloc(2 * BATCH * width)
        if scratch == NULL:
            raise MemoryError
        with nogil:
            while first < k:
                size = min(k - first, <Py_ssize_t> BATCH)
                for i in range(size):
                    rows[first + i] = <int32_t> split(
                        &faces[first + i, 0], width, &plus[0], &minus[0], &zeros[0],
                        scratch + 2 * i * width)
                look_up(&index.table, scratch, 2 * size, &sides[first, 0])
                first += size
        free(scratch)
    return np.asarray(sides), np.asarray(rows)


def mark(uint8_t[:, ::1] planes not None, const int64_t[:, ::1] sides not None,
         const int32_t[::1] rows not None):
    """Set bit rows[i] in the planes of both chambers sides[i]."""
    cdef Py_ssize_t i, side
    with nogil:
        for i in range(rows.shape[0]):
            for side in range(2):
                if sides[i, side] >= 0 and rows[i] >= 0:
                    planes[sides[i, side], rows[i] >> 3] |= <uint8_t> (1 << (rows[i] & 7))


def expand(const uint8_t[:, ::1] planes not None, index_t[::1] out not None):
    """Numbers of the set bits, ascending within each row, row after row."""
    cdef Py_ssize_t i, j, at = 0
    cdef uint8_t left
    with nogil:
        for i in range(planes.shape[0]):
            for j in range(planes.shape[1]):
                left = planes[i, j]
                while left:
                    out[at] = <index_t> (8 * j + __builtin_ctz(left))
                    at += 1
                    left &= left - 1


def neighbours(Index index not None, const uint8_t[:, ::1] packed not None,
               const index_t[::1] indptr not None, const index_t[::1] indices not None,
               const int32_t[::1] class_of not None, const int64_t[::1] starts not None,
               const int64_t[::1] members not None, index_t[::1] out not None):
    """Numbers of the chambers beyond the facets of some chambers, -1 for those not in the index.

    `indptr` and `indices` are the facets of the chambers `packed` in CSR form (`indptr[0]` need not
    be 0); the rows of class c are ``members[starts[c]:starts[c + 1]]``.
    """
    cdef size_t width = packed.shape[1], n = 0
    cdef Py_ssize_t i, k, at, c, p = packed.shape[0]
    cdef int64_t found[BATCH]
    cdef uint8_t *scratch = <uint8_t *> malloc(BATCH * width)
    cdef uint8_t *row
    if scratch == NULL:
        raise MemoryError
    with nogil:
        for i in range(p):
            for at in range(indptr[i], indptr[i + 1]):
                row = scratch + n * width
                memcpy(row, &packed[i, 0], width)
                c = class_of[indices[at]]
                for k in range(starts[c], starts[c + 1]):
                    row[members[k] >> 3] ^= <uint8_t> (1 << (members[k] & 7))
                n += 1
                if n == BATCH:
                    look_up(&index.table, scratch, n, found)
                    for k in range(<Py_ssize_t> n):
                        out[at + 1 - <Py_ssize_t> n + k] = <index_t> found[k]
                    n = 0
        look_up(&index.table, scratch, n, found)
        for k in range(<Py_ssize_t> n):
            out[indptr[p] - <index_t> n + k] = <index_t> found[k]
    free(scratch)
