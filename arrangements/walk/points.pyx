"""Float points of chambers from the traces of a walk, and which of them are certainly inside.

All that is needed of the many rows is done by the vector loops of `kernels.h`; only the error bound
of `certain` decides anything, and what it leaves open is for exact arithmetic.
"""
from libc.math cimport INFINITY, NAN, fabs
from libc.stdint cimport int8_t, int32_t, uint8_t, uint64_t
from libc.string cimport memcpy, memset

from arrangements.walk.kernels cimport (ar_add, ar_combine, ar_dispatch, ar_largest, ar_lowest,
                                        ar_signs)

import numpy as np

ar_dispatch()

cdef double UNIT = 1.1102230246251565e-16


cdef bint eliminate(double *a, int r, int width) noexcept nogil:
    """Solve in place for the columns r.. of a, whose columns 0..r-1 are a matrix; False where it
    is singular."""
    cdef int c, i, j, pivot
    cdef double x
    for c in range(r):
        pivot = c
        for i in range(c + 1, r):
            if fabs(a[i * width + c]) > fabs(a[pivot * width + c]):
                pivot = i
        if not fabs(a[pivot * width + c]) > 0:
            return False
        if pivot != c:
            for j in range(c, width):
                x = a[c * width + j]
                a[c * width + j] = a[pivot * width + j]
                a[pivot * width + j] = x
        x = 1 / a[c * width + c]
        for j in range(c + 1, width):
            a[c * width + j] *= x
        for i in range(c + 1, r):
            x = a[i * width + c]
            if x != 0:
                for j in range(c + 1, width):
                    a[i * width + j] -= x * a[c * width + j]
    for c in range(r - 1, 0, -1):
        for i in range(c):
            x = a[i * width + c]
            if x != 0:
                for j in range(r, width):
                    a[i * width + j] -= x * a[c * width + j]
    return True


cdef void products(const double *lanes, const double *u, int r, int ld, double *out) noexcept nogil:
    """The products of all rows with u."""
    cdef int c
    memset(out, 0, ld * sizeof(double))
    for c in range(r):
        if u[c] != 0:
            ar_add(out, lanes + c * ld, u[c], ld)


cdef double step(double *a, const double *b, int ld) noexcept nogil:
    """The largest step along b that keeps the signs of all a that are not nearly zero."""
    cdef double low[8]
    cdef double limit = INFINITY, x
    cdef double tiny = 1e-9 * ar_largest(a, ld)
    cdef int k, t
    for t in range(8):
        low[t] = INFINITY
    for k in range(0, ld, 8):
        for t in range(8):
            x = fabs(a[k + t]) / fabs(b[k + t]) if a[k + t] * b[k + t] < 0 else INFINITY
            x = INFINITY if fabs(a[k + t]) < tiny else x
            low[t] = x if x < low[t] else low[t]
    for t in range(8):
        limit = low[t] if low[t] < limit else limit
    return limit


cdef inline double size(const double *u, int r) noexcept nogil:
    cdef double x = 0
    cdef int c
    for c in range(r):
        if not fabs(u[c]) <= x:
            x = fabs(u[c])
    return x


def nested(const int32_t[:, ::1] ids not None, const int8_t[:, ::1] levels not None,
           const double[:, ::1] values not None, const double[:, ::1] vectors not None,
           const double[:, ::1] lanes not None, const double[::1] scale not None):
    """Points (k, r) of k chambers from their traces; good guesses, to be checked.

    A trace is a basis b_1..b_r, numbers among `vectors`, and values such that the u with b_i.u =
    value_i epsilon^level_i is in the chamber for all small epsilon > 0. Epsilon is chosen level by
    level: half of the largest that changes no sign of a row, the columns of `lanes` (r, padded).
    Coordinates are divided by `scale`, points then by their largest.
    """
    cdef Py_ssize_t k, n = ids.shape[0]
    cdef int r = <int> ids.shape[1], ld = <int> lanes.shape[1], c, i, depth, level, width
    cdef double f, g, h
    result = np.empty((n, r))
    cdef double[:, ::1] out = result
    scratch = np.empty(2 * ld + 8 + 2 * r * r + 2 * r)
    cdef double[::1] view = scratch
    cdef double *a = <double *> ((<size_t> &view[0] + 63) & ~<size_t> 63)
    cdef double *b = a + ld
    cdef double *matrix = b + ld
    cdef double *point = matrix + 2 * r * r
    cdef double *outer = point + r
    with nogil:
        for k in range(n):
            depth = 1
            for i in range(r):
                if levels[k, i] >= depth:
                    depth = levels[k, i] + 1
            width = r + depth
            for i in range(r):
                memcpy(matrix + i * width, &vectors[ids[k, i], 0], r * sizeof(double))
                for c in range(depth):
                    matrix[i * width + r + c] = 0
                matrix[i * width + r + levels[k, i]] = values[k, i]
            if not eliminate(matrix, r, width):
                for c in range(r):
                    out[k, c] = NAN
                continue
            for c in range(r):
                point[c] = matrix[c * width + r + depth - 1]
            for level in range(depth - 2, -1, -1):
                for c in range(r):
                    outer[c] = matrix[c * width + r + level]
                products(&lanes[0, 0], outer, r, ld, a)
                products(&lanes[0, 0], point, r, ld, b)
                g = size(outer, r)
                h = size(point, r)
                f = g / h if g > 0 and h > 0 and g / h < INFINITY else 1
                g = step(a, b, ld)
                f = 0.5 * (g if g < f else f)
                for c in range(r):
                    point[c] = outer[c] + f * point[c]
            for c in range(r):
                point[c] /= scale[c]
            f = size(point, r)
            for c in range(r):
                out[k, c] = point[c] / f
    return result


def certain(const double[:, ::1] points not None, const uint8_t[:, ::1] packed not None,
            const double[:, ::1] lanes not None, const int32_t[::1] first not None):
    """Which of k points have the signs of the even rows of `packed` beyond every rounding error.

    `lanes` (r, padded) are the m rows as floats with a relative error of at most 2u, `first` (m,)
    says which sample each is. Opposite points have opposite signs.
    """
    cdef Py_ssize_t k, n = points.shape[0]
    cdef int r = <int> lanes.shape[0], ld = <int> lanes.shape[1], m = <int> first.shape[0], c, i
    cdef int n_words = (ld + 63) // 64
    cdef uint64_t bit, wrong
    result = np.zeros(n, dtype=np.uint8)
    cdef uint8_t[::1] out = result
    scratch = np.empty(2 * ld + 8 + r + 2 * n_words)
    cdef double[::1] view = scratch
    cdef double *value = <double *> ((<size_t> &view[0] + 63) & ~<size_t> 63)
    cdef double *bound = value + ld
    cdef uint64_t *plus = <uint64_t *> (bound + ld)
    cdef uint64_t *small = plus + n_words
    cdef double *error = <double *> (small + n_words)
    with nogil:
        for k in range(n):
            for c in range(r):
                error[c] = 4 * UNIT * fabs(points[k, c])
            ar_combine(&lanes[0, 0], &points[k, 0], error, r, ld, value, bound)
            for i in range(ld):
                bound[i] += 1e-290
            ar_signs(value, bound, 0, ld, plus, small)
            wrong = 0
            for i in range(m):
                bit = packed[2 * k, first[i] >> 3] >> (first[i] & 7)
                wrong |= ((bit ^ (plus[i >> 6] >> (i & 63))) | (small[i >> 6] >> (i & 63))) & 1
            out[k] = wrong == 0
    return result.view(bool)
