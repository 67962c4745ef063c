cdef enum:
    LOWER = 0                  # states of a variable
    UPPER = 1
    PASSIVE = 2
    BLOCKED = 4                # added to LOWER or UPPER while a column has been found of no use

# min ||A x - b||, 0 <= x <= upper, in k variables.
cdef struct LeastSquares:
    int r
    int k
    const double *a            # (k, r) the columns
    const double *norm         # (k,) their lengths
    const double *b            # (r,)
    const double *upper        # (k,)
    double enough              # a residual no longer than this is not made shorter
    unsigned char *state       # (k,) LOWER or UPPER (where that is finite) to start from; the last
    double *x                  # (k,) written,
    double *residual           # (r,) and b - A x
    double *work               # `nnls_doubles`
    int *passive               # (r,) scratch

cdef size_t nnls_doubles(int r) noexcept nogil
cdef int nnls_solve(LeastSquares *S) noexcept nogil


cdef inline double dot(const double *a, const double *b, int r) noexcept nogil:
    cdef double s = 0
    cdef int c
    for c in range(r):
        s += a[c] * b[c]
    return s
