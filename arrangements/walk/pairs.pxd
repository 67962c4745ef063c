"""The inverse of a basis in pairs of floats; see `pairs.pyx`."""

cdef enum:
    MAX_RANK = 64

# A pair (x, y) is the number x + y, |y| at most 2^-53 |x|.
cdef struct Pairs:
    int r
    int ld                     # r padded to a multiple of 8
    const double *high         # (id, column) vectors, scaled: the pairs (high, low) are within
    const double *low          # 2^-106 of them, relative
    double size                # of the largest entry of a vector
    # one basis, its vectors the rows of B, and R, all but its inverse
    int ids[MAX_RANK]
    bint good                  # the bounds below hold
    double *hi                 # (column, s) R in pairs: coordinate s of a vector is its product
    double *lo                 # with column s
    double *sum                # (s,) sums of |hi| in column s
    double *defect             # (s,) the entries of I - BR in column s, amplified
    double total               # of `sum`
    double dot                 # error of a product with column s: dot * sum[s]
    # coordinates of the two vectors asked for last
    int of[2]
    double norm[2]             # sums of their magnitudes
    double *x                  # (2, high and low, s)
    double *work               # (r + 1, ld)

cdef Py_ssize_t pairs_doubles(int r) noexcept nogil
cdef void pairs_place(Pairs *V, double *memory, int r) noexcept nogil
cdef bint invert_pairs(Pairs *V, const int *ids) noexcept nogil
cdef const double *pair_coordinates(Pairs *V, int v, int slot) noexcept nogil
cdef double pair_error(const Pairs *V, int s, double norm) noexcept nogil
