cdef enum:
    LOWER = 0                  # states of a variable
    UPPER = 1
    PASSIVE = 2
    BLOCKED = 4                # added to LOWER or UPPER while a column has been found of no use

cdef size_t nnls_doubles(int r, int k) noexcept nogil
cdef int nnls_solve(const double *a, int lda, int r, int k, const double *norm, const double *b,
                    const double *upper, double enough, double *x, unsigned char *state,
                    double *residual, double *work, int *passive) noexcept nogil
