"""Whitney numbers of points over a finite field, by projecting them from each other."""
from libc.stdint cimport int32_t, uint8_t
from libc.string cimport memset

import numpy as np

cdef enum:
    MAX_RANK = 16

cdef struct Field:
    int q
    const uint8_t *times           # (q, q) products
    const uint8_t *inverse         # (q,)


cdef int project(const Field *F, const uint8_t *rows, int s, int i, int32_t *seen,
                 int32_t stamp, uint8_t *out) noexcept nogil:
    """Rows 0..i-1 projected from row i, whose leading coordinate is 1: the distinct points, each
    with leading coordinate 1 and in one coordinate less, are counted, and written if out is not
    NULL. seen[code] == stamp where a point was met."""
    cdef uint8_t v[MAX_RANK]
    cdef const uint8_t *x
    cdef const uint8_t *row = rows + i * s
    cdef const uint8_t *scale
    cdef int c, j, k, lead, pivot = 0, found = 0, y
    cdef int32_t code
    while row[pivot] == 0:
        pivot += 1
    for k in range(i):
        x = rows + k * s
        scale = F.times + (F.q - x[pivot]) % F.q * F.q
        lead = j = 0
        for c in range(s):
            if c != pivot:
                y = x[c] + scale[row[c]]
                y -= F.q if y >= F.q else 0
                lead = lead if lead else y
                v[j] = <uint8_t> y
                j += 1
        scale = F.times + F.inverse[lead] * F.q
        code = 0
        for c in range(s - 1):
            v[c] = scale[v[c]]
            code = code * F.q + v[c]
        if seen[code] != stamp:
            seen[code] = stamp
            if out != NULL:
                for c in range(s - 1):
                    out[found * (s - 1) + c] = v[c]
            found += 1
    return found


def three_whitney_numbers(const uint8_t[:, ::1] points, order):
    """|w_1|, |w_2| and |w_3| of the matroid of distinct points (n, s) of a projective space over
    the field of that prime order, as vectors whose leading coordinate is 1; 3 <= s <= 16.

    w_k of a set is the sum over its points of w_(k-1) of those before it, projected from it
    (deletion and restriction).
    """
    cdef int n = points.shape[0], s = points.shape[1], i, j, k, q = order
    if not 3 <= s <= MAX_RANK or n < 1 or not 2 <= q < 128:
        raise ValueError("no such points")
    times = np.multiply.outer(np.arange(q), np.arange(q)) % q
    cdef const uint8_t[:, ::1] products = times.astype(np.uint8)
    cdef const uint8_t[::1] inverses = (times == 1).argmax(axis=1).astype(np.uint8)
    cdef int32_t[::1] outer = np.full(order ** (s - 1), -1, dtype=np.int32)
    cdef int32_t[::1] inner = np.full(order ** (s - 2), -1, dtype=np.int32)
    cdef uint8_t[::1] out = np.empty(n * (s - 1), dtype=np.uint8)
    cdef Field F = Field(q, &products[0, 0], &inverses[0])
    cdef long long second = 0, third = 0
    cdef int32_t stamp = 0
    with nogil:
        for i in range(n):
            k = project(&F, &points[0, 0], s, i, &outer[0], i, &out[0])
            second += k
            if stamp > 2**30:
                memset(&inner[0], 255, inner.shape[0] * sizeof(int32_t))
                stamp = 0
            for j in range(k):
                third += project(&F, &out[0], s - 1, j, &inner[0], stamp, NULL)
                stamp += 1
    return n, second, third
