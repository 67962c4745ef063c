"""Float points of chambers from the traces of a walk, and which of them are certainly inside.

All that is needed of the many rows is done by the vector loops of `kernels.h`; only the error bound
of `certain` decides anything, and what it leaves open is for exact arithmetic.
"""
from libc.math cimport INFINITY, NAN, fabs
from libc.stdint cimport int8_t, int32_t, uint8_t, uint64_t
from libc.string cimport memcpy

from arrangements.walk.kernels cimport (ar_add, ar_combine, ar_dispatch, ar_largest, ar_scale,
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


cdef extern from *:
    """
    /* The smallest |a_k| / |b_k| of the lanes where a and b have opposite signs and a is not
       tiny; ld is a multiple of 8. */
    static double least_ratio(const double *restrict a, const double *restrict b, double tiny,
                              long ld) {
        double low[8];
        for (int t = 0; t < 8; t++) low[t] = INFINITY;
        for (long k = 0; k < ld; k += 8)
            for (int t = 0; t < 8; t++) {
                double x = a[k + t], y = b[k + t], z = fabs(x) / fabs(y);
                z = x * y < 0 ? z : INFINITY;
                z = fabs(x) < tiny ? INFINITY : z;
                low[t] = z < low[t] ? z : low[t];
            }
        for (int t = 1; t < 8; t++) low[0] = low[t] < low[0] ? low[t] : low[0];
        return low[0];
    }
    """
    double least_ratio(const double *a, const double *b, double tiny, long ld) noexcept nogil


cdef void products(const double *lanes, const double *u, int r, int ld, double *out) noexcept nogil:
    """The products of all rows with u."""
    cdef int c
    ar_scale(out, lanes, u[0], ld)
    for c in range(1, r):
        if u[c] != 0:
            ar_add(out, lanes + c * ld, u[c], ld)


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
                g = least_ratio(a, b, 1e-9 * ar_largest(a, ld), ld)
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
    says which sample each is; coordinates are at most 1. Opposite points have opposite signs.
    """
    cdef Py_ssize_t k, n = points.shape[0]
    cdef int r = <int> lanes.shape[0], ld = <int> lanes.shape[1], m = <int> first.shape[0], c, i
    cdef int n_words = (ld + 63) // 64
    cdef uint64_t bits, wrong
    result = np.zeros(n, dtype=np.uint8)
    cdef uint8_t[::1] out = result
    scratch = np.zeros(3 * ld + 8 + r + 2 * n_words)
    cdef double[::1] view = scratch
    cdef double *value = <double *> ((<size_t> &view[0] + 63) & ~<size_t> 63)
    cdef double *bound = value + ld
    cdef double *limit = bound + ld  # of the errors of all points
    cdef uint64_t *plus = <uint64_t *> (limit + ld)
    cdef uint64_t *small = plus + n_words
    cdef double *error = <double *> (small + n_words)
    cdef const uint8_t *row
    for c in range(r):
        for i in range(ld):
            limit[i] += (r + 8) * UNIT * fabs(lanes[c, i])
    for i in range(ld):
        limit[i] += 1e-290
    with nogil:
        for k in range(n):
            products(&lanes[0, 0], &points[k, 0], r, ld, value)
            ar_signs(value, limit, 0, ld, plus, small)
            if doubtful(small, m):
                for c in range(r):
                    error[c] = 4 * UNIT * fabs(points[k, c])
                ar_combine(&lanes[0, 0], &points[k, 0], error, r, ld, value, bound)
                for i in range(ld):
                    bound[i] += 1e-290
                ar_signs(value, bound, 0, ld, plus, small)
                if doubtful(small, m):
                    continue
            row = &packed[2 * k, 0]
            wrong = bits = 0
            for i in range(m):
                if i & 63 == 0:
                    bits = plus[i >> 6]
                wrong |= (bits ^ (row[first[i] >> 3] >> (first[i] & 7))) & 1
                bits >>= 1
            out[k] = wrong == 0
    return result.view(bool)


cdef inline bint doubtful(const uint64_t *small, int m) noexcept nogil:
    """Whether one of the first m bits is set."""
    cdef int i
    for i in range(m >> 6):
        if small[i] != 0:
            return True
    return small[m >> 6] & ((<uint64_t> 1 << (m & 63)) - 1) != 0 if m & 63 else False
