"""Rows of a direct sum, written from those of two summands at the speed of memory."""
cimport cython
from libc.stdint cimport int32_t, int64_t, uint8_t, uint64_t
from libc.string cimport memcpy


cdef inline void put(uint8_t *out, const uint8_t *end, const uint64_t *h, const uint64_t *t,
                     const uint64_t *turned, Py_ssize_t n_bytes) noexcept nogil:
    """Write the plane (h | t) ^ turned in words; what is written past it is written again."""
    cdef Py_ssize_t i, n = (n_bytes + 7) >> 3
    cdef uint64_t x
    if out + 8 * n > end:
        n -= 1
    for i in range(n):
        x = h[i] | t[i]
        if turned != NULL:
            x ^= turned[i]
        memcpy(out + 8 * i, &x, 8)
    if 8 * n < n_bytes:
        x = h[n] | t[n]
        if turned != NULL:
            x ^= turned[n]
        memcpy(out + 8 * n, &x, n_bytes - 8 * n)


@cython.boundscheck(False)
def fill(const uint64_t[:, ::1] heads not None, const uint8_t[::1] head_dims not None,
         const uint64_t[:, ::1] table not None, const uint8_t[::1] table_dims not None,
         const int32_t[::1] choice not None, const int64_t[::1] start not None,
         const uint64_t[::1] cuts, Py_ssize_t i, Py_ssize_t j, uint8_t[:, ::1] out not None):
    """Write the sums of heads and rows of a table, each followed by its opposite.

    Rows are planes of words with bits for the samples of one summand only. A head of dimension k
    goes with the rows choice[start[k]:start[k + 1]] of the table. With `cuts`, the samples that are
    not zero, rows are one plane of patterns, else [positive | negative | dimension].

    Starts with head i and the j-th of its rows; returns the number of rows written to `out` and
    where to go on.
    """
    cdef Py_ssize_t p = heads.shape[0], width = out.shape[1], c, stop, n_words
    cdef Py_ssize_t n_bytes = width if cuts is not None else width // 2
    cdef bint faces = cuts is None
    cdef uint64_t *turned = NULL if faces else <uint64_t *> &cuts[0]
    cdef const uint64_t *h
    cdef const uint64_t *t
    cdef uint8_t *first = &out[0, 0]
    cdef uint8_t *o = first
    cdef const uint8_t *end = o + out.shape[0] * width
    n_words = (n_bytes + 7) // 8
    if heads.shape[1] != (1 + faces) * n_words or table.shape[1] != heads.shape[1]:
        raise ValueError("rows of other sizes")
    with nogil:
        while i < p:
            h = &heads[i, 0]
            c = start[head_dims[i]] + j
            stop = start[head_dims[i] + 1]
            while c < stop and o + 2 * width <= end:
                t = &table[choice[c], 0]
                put(o, end, h, t, NULL, n_bytes)
                if faces:
                    put(o + n_bytes, end, h + n_words, t + n_words, NULL, n_bytes)
                    o[width - 1] = head_dims[i] + table_dims[choice[c]]
                    o += width
                    put(o, end, h + n_words, t + n_words, NULL, n_bytes)
                    put(o + n_bytes, end, h, t, NULL, n_bytes)
                    o[width - 1] = head_dims[i] + table_dims[choice[c]]
                else:
                    put(o + width, end, h, t, turned, n_bytes)
                    o += width
                o += width
                c += 1
            if c < stop:
                j = c - start[head_dims[i]]
                break
            i += 1
            j = 0
    return (o - first) // width, i, j
