"""The inverse of a basis in pairs of floats, and a proven bound of its error.

B has the vectors of the basis as rows, R is all but its inverse, E = I - BR. A vector a, a row, has
the coordinates x = a B^-1, and with x' = aR

    x = x' (I - E)^-1,    |x - x'|_s <= |x'|_1 max_i |E_is| / (1 - ||E||)

wherever ||E||, the largest sum of magnitudes in a row, is below 1 (Rump 1983, Krawczyk 1969): no
matter how R was found, and in terms of the vectors themselves, not of the pivots that led to a
basis. R is found by elimination in floats, R_0, and one correction, R = R_0 + C, C = R_0 E_0
rounded. Then

    E = (E_0 - fl E_0) + E_0 fl(E_0) - B (C - R_0 fl E_0),

three terms of which none needs to be computed, only bounded: E is about the square of E_0.
"""
from libc.math cimport fabs
from libc.string cimport memcmp, memcpy, memset

from arrangements.walk.kernels cimport ar_add, ar_dispatch, ar_dots, ar_scale

import numpy as np

ar_dispatch()

cdef double U = 1.1102230246251565e-16
cdef double UP = 1 + 1e-12     # covers the roundings of a bound: sums of at most 64^2 numbers
cdef double TINY = 1e-200      # covers what underflows, while |R| is at most HUGE
cdef double HUGE = 1e100


cdef Py_ssize_t pairs_doubles(int r) noexcept nogil:
    cdef Py_ssize_t ld = (r + 7) & ~7
    return (3 * r + 7) * ld


cdef void pairs_place(Pairs *V, double *memory, int r) noexcept nogil:
    V.r = r
    V.ld = (r + 7) & ~7
    V.hi = memory
    V.lo = V.hi + r * V.ld
    V.work = V.lo + r * V.ld
    V.sum = V.work + (r + 1) * V.ld
    V.defect = V.sum + V.ld
    V.x = V.defect + V.ld
    V.ids[0] = -1
    V.good = False


cdef bint _eliminate(Pairs *V) noexcept nogil:
    """R_0, by Gauss and Jordan's elimination with partial pivoting, in place."""
    cdef int r = V.r, ld = V.ld, i, j, k, p
    cdef int swapped[MAX_RANK]
    cdef double *M = V.hi
    cdef double *row
    cdef double f
    memset(M, 0, r * ld * sizeof(double))
    for i in range(r):
        memcpy(M + i * ld, V.high + <Py_ssize_t> V.ids[i] * r, r * sizeof(double))
    for k in range(r):
        p = k
        for i in range(k + 1, r):
            if fabs(M[i * ld + k]) > fabs(M[p * ld + k]):
                p = i
        swapped[k] = p
        f = M[p * ld + k]
        if f == 0:
            return False
        row = M + k * ld
        memcpy(V.work, M + p * ld, ld * sizeof(double))
        memcpy(M + p * ld, row, ld * sizeof(double))
        V.work[k] = 1
        ar_scale(row, V.work, 1 / f, ld)
        for i in range(r):
            if i != k:
                f = M[i * ld + k]
                M[i * ld + k] = 0
                ar_add(M + i * ld, row, -f, ld)
    for k in range(r - 1, -1, -1):
        p = swapped[k]
        if p != k:
            for j in range(r):
                f = M[j * ld + k]
                M[j * ld + k] = M[j * ld + p]
                M[j * ld + p] = f
    return True


cdef bint _sums(Pairs *V) noexcept nogil:
    """Column sums of |hi|; False if they are too large, or not numbers."""
    cdef int i, s, ld = V.ld
    memset(V.sum, 0, ld * sizeof(double))
    for i in range(V.r):
        for s in range(ld):
            V.sum[s] += fabs(V.hi[i * ld + s])
    V.total = 0
    for s in range(V.r):
        V.sum[s] *= UP
        V.total += V.sum[s]
    V.total *= UP
    return V.total < HUGE


cdef bint invert_pairs(Pairs *V, const int *ids) noexcept nogil:
    """Have the inverse of the basis `ids`; False if it is too ill-conditioned for floats."""
    cdef int r = V.r, ld = V.ld, i, j, s
    cdef double *E = V.work
    cdef double *low = V.work + r * ld
    cdef double *largest = V.defect
    cdef double a, b, z, f, norm = 0, factor
    if memcmp(V.ids, ids, r * sizeof(int)) == 0:
        return V.good
    memcpy(V.ids, ids, r * sizeof(int))
    V.of[0] = V.of[1] = -1
    V.good = False
    V.dot = (r + 5) * (r + 5) * U * U * V.size * UP  # 1 u^2 |a| |h| more: (high, low) are not a
    if not (_eliminate(V) and _sums(V)):
        return False
    memset(V.lo, 0, r * ld * sizeof(double))
    memset(largest, 0, ld * sizeof(double))
    for i in range(r):
        ar_dots(V.high + <Py_ssize_t> ids[i] * r, V.low + <Py_ssize_t> ids[i] * r, V.hi, V.lo, r,
                ld, E + i * ld, low)
        for s in range(ld):
            E[i * ld + s] = ((s == i) - E[i * ld + s]) - low[s]
            if fabs(E[i * ld + s]) > largest[s]:
                largest[s] = fabs(E[i * ld + s])
    for s in range(r):
        norm += largest[s]
    norm = (norm + V.dot * V.total + TINY) * UP
    if not norm < 0.01:
        return False
    factor = norm + 2 * U + (r + 2) * U * V.size * V.total
    norm = 0
    for s in range(r):
        V.defect[s] = (largest[s] * factor + V.dot * V.sum[s] + TINY) * UP
        norm += V.defect[s]
    if not norm < 0.01:
        return False
    for s in range(r):
        V.defect[s] *= 1 / (1 - norm) * UP
    for i in range(r):
        for j in range(r):
            ar_add(V.lo + i * ld, E + j * ld, V.hi[i * ld + j], ld)
    for i in range(r * ld):
        a = V.hi[i]
        b = V.lo[i]
        f = a + b
        z = f - a
        V.lo[i] = (a - (f - z)) + (b - z)
        V.hi[i] = f
    V.good = _sums(V)
    return V.good


cdef const double *pair_coordinates(Pairs *V, int v, int slot) noexcept nogil:
    """The coordinates of vector v, kept in a slot: high parts, and from `ld` on the low ones."""
    cdef double *x = V.x + 2 * slot * V.ld
    cdef double norm = 0
    cdef int s
    if V.of[slot] != v:
        V.of[slot] = v
        ar_dots(V.high + <Py_ssize_t> v * V.r, V.low + <Py_ssize_t> v * V.r, V.hi, V.lo, V.r, V.ld,
                x, x + V.ld)
        for s in range(V.r):
            norm += fabs(x[s])
        V.norm[slot] = (norm + V.dot * V.total) * UP
    return x


cdef double pair_error(const Pairs *V, int s, double norm) noexcept nogil:
    """Bound of the error of coordinate s of a vector whose coordinates sum up to `norm`."""
    return (norm * V.defect[s] + V.dot * V.sum[s]) * UP + TINY


def coordinates(double[:, ::1] high, double[:, ::1] low, basis, int vector):
    """The coordinates of a vector in a basis, rows of high + low, as pairs, and bounds of their
    errors; None where the basis is too ill-conditioned."""
    cdef int r = high.shape[1], s
    cdef int[::1] ids = np.array(basis, dtype=np.int32)
    cdef double[::1] memory = np.zeros(pairs_doubles(r))
    cdef const double *x
    cdef Pairs V
    pairs_place(&V, &memory[0], r)
    V.high = &high[0, 0]
    V.low = &low[0, 0]
    V.size = np.abs(high).max()
    if not invert_pairs(&V, &ids[0]):
        return None
    x = pair_coordinates(&V, vector, 0)
    return [(x[s], x[s + V.ld], pair_error(&V, s, V.norm[0])) for s in range(r)]
