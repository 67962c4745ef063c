from libc.stdint cimport uint8_t, uint64_t

cdef extern from "kernels.h" nogil:
    void ar_pivot(double *dst, const double *src, const double *piv, double rho, long n)
    void ar_errors(double *err, double *top, const double *err0, const double *top0,
                   const double *e, const double *rho, double err_c, double top_c, double pe,
                   double low, long w)
    void ar_add(double *dst, const double *src, double f, long n)
    void ar_scale(double *dst, const double *src, double f, long n)
    void ar_bareiss(double *dst, const double *src, const double *piv, double p, double rho,
                    double back, long n_exact, long n)
    void ar_slopes(const double *a, const double *b, double ea, double eb, int exact, long n,
                   double *lo, double *hi, double *inverse, float *under, float *over,
                   uint64_t *pos, uint64_t *small)
    double ar_largest(const double *x, long n)
    void ar_combine(const double *columns, const double *x, const double *e, int w, long n,
                    double *value, double *bound)
    void ar_ratios(const double *inverse, double gc, double egc, double eb, long n, double *y,
                   double *ey)
    void ar_reduce(const double *c, const double *y, const double *ey, double g, double eg,
                   double e, long start, long n, uint64_t *plus, uint64_t *doubt)
    void ar_dots(const double *a, const double *b, const double *h, const double *l, int r,
                 long w, double *x, double *y)
    double ar_minor(double a, double a2, double b, double b2, double c, double c2, double d,
                    double d2, double *size)
    int ar_compare(const double *lo, const double *hi, double lj, double hj, long n,
                   uint64_t *less, uint64_t *open)
    void ar_signs(const double *v, const double *bound, double eb, long n,
                  uint64_t *pos, uint64_t *small)
    ctypedef struct ar_line:
        int n_lanes
        int n_words
        int n_bytes
        int n_ids
        const float *under
        const float *over
        uint64_t *row
        const uint64_t *base
        const uint64_t *cuts
        const int *member_start
        const int *member
        const uint64_t *skip
        const uint64_t *doubt
        const uint64_t *minus
        const uint64_t *own
        uint64_t *agree[64]
        int ids[64]
    int ar_vertices(const ar_line *line, int j, int end, uint8_t **out, const uint8_t *out_end,
                    long *found)
    const char *ar_dispatch()
    uint64_t ar_mulmod(uint64_t a, uint64_t b, uint64_t p, uint64_t minus_inv)
    int ar_popcount(uint64_t x)
    int ar_lowest(uint64_t x)
