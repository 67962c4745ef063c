/* Vector loops of the engine, chosen once at import for the processor at hand.

   Every loop is plain C, compiled three times (AVX-512, AVX2, baseline); only the loops that
   end in bit masks are written with intrinsics. Arrays are 64-byte aligned and padded to a
   multiple of 8 lanes; masks are words, lane k in bit k % 64 of word k / 64.
   The file is compiled with -ffp-contract=off: the error bounds count every rounding. */
#ifndef ARRANGEMENTS_KERNELS_H
#define ARRANGEMENTS_KERNELS_H

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define AR_INLINE static inline __attribute__((always_inline))
#define AR_U 1.1102230246251565e-16  /* 2^-53, the unit roundoff */

/* One column of a pivot, dst = src - piv * rho. */
AR_INLINE void ar_pivot_body(double *restrict dst, const double *restrict src,
                             const double *restrict piv, double rho, long n) {
    for (long k = 0; k < n; k++) dst[k] = src[k] - piv[k] * rho;
}

/* Error bounds and magnitudes after a pivot, for all columns at once (w padded to 8; the pivot's
   own column is put right by the caller). With rho = entry / p and its error
   delta = (e + |rho| pe) / low + 2u|rho|, where e and pe bound the errors of the pivot row and low
   is a lower bound of |p|, the new entries src - piv * rho are off by at most
   err + top_c delta + (|rho| + delta) err_c, and the roundings. In: columns err, top; c: their
   values at the pivot's column. */
AR_INLINE void ar_errors_body(double *restrict err, double *restrict top,
                              const double *restrict err0, const double *restrict top0,
                              const double *restrict e, const double *restrict rho, double err_c,
                              double top_c, double pe, double low, long w) {
    for (long s = 0; s < w; s++) {
        double r = fabs(rho[s]) * (1 + 4 * AR_U);
        double delta = (e[s] + r * pe) / low + 2 * AR_U * r;
        top[s] = top0[s] + top_c * r;
        err[s] = (err0[s] + top_c * delta + (r + delta) * err_c
                  + 2 * AR_U * (2 * top_c * r + top0[s])) * (1 + 64 * AR_U);
    }
}

/* dst += src * f. */
AR_INLINE void ar_add_body(double *restrict dst, const double *restrict src, double f, long n) {
    for (long k = 0; k < n; k++) dst[k] += src[k] * f;
}

/* The pivot's own column, dst = src * f. */
AR_INLINE void ar_scale_body(double *restrict dst, const double *restrict src, double f, long n) {
    for (long k = 0; k < n; k++) dst[k] = src[k] * f;
}

/* A pivot in determinants, (src * p - piv * rho) / scale with back = 1 / scale: exact for the
   first n_exact lanes, integers below 2^25 whose quotient is an integer. */
AR_INLINE void ar_bareiss_body(double *restrict dst, const double *restrict src,
                               const double *restrict piv, double p, double rho, double back,
                               long n_exact, long n) {
    const double magic = 6755399441055744.0; /* 1.5 * 2^52: adding it rounds to an integer */
    for (long k = 0; k < n; k++) dst[k] = (src[k] * p - piv[k] * rho) * back;
    for (long k = 0; k < n_exact; k++) dst[k] = (dst[k] + magic) - magic;
}

/* max |x|, by the bits: the order of nonnegative doubles is that of their bits. */
AR_INLINE double ar_largest_body(const double *restrict x, long n) {
    int64_t top = 0;
    for (long k = 0; k < n; k++) {
        int64_t b;
        memcpy(&b, x + k, 8);
        b &= 0x7fffffffffffffffLL;
        top = b > top ? b : top;
    }
    double m;
    memcpy(&m, &top, 8);
    return m;
}

/* Intervals [lo, hi] around a/b for 8 lanes, given |a - a_true| <= ea and |b - b_true| <= eb; all
   finite numbers where b may vanish (-inf is left for lanes without a slope); x itself where the
   quotients are known to compare exactly. x = a (1/b) has error at most
   (ea + |x| eb) / (|b| - eb) + 3u|x|, and 1/(|b| - eb) <= 1.001/|b| where eb/|b| < 2^-10. */
AR_INLINE void ar_slopes_body(const double *restrict a, const double *restrict b, double ea,
                              double eb, int exact, double *restrict lo, double *restrict hi,
                              double *restrict inverse) {
    if (exact) {
        for (long k = 0; k < 8; k++) {
            lo[k] = hi[k] = a[k] / b[k];
            inverse[k] = 1 / b[k];
        }
        return;
    }
    for (long k = 0; k < 8; k++) {
        double r = 1 / b[k], ar = fabs(r), x = a[k] * r, ax = fabs(x);
        double e = (ea + ax * eb) * ar * 1.002 + 8 * AR_U * ax;
        int sure = eb * ar < 0.0009765625 && ax + e < 1e300 && ar > 1e-150; /* false for nan */
        inverse[k] = r;
        lo[k] = sure ? x - e : -1e300;
        hi[k] = sure ? x + e : 1e300;
    }
}

AR_INLINE void ar_round_body(const double *restrict x, float *restrict y) {
    for (long k = 0; k < 8; k++) y[k] = (float)x[k];
}

/* y = gc / b and a bound of its error (inf where b may vanish), for the pivot of any lane, given
   the inverses of b. */
AR_INLINE void ar_ratios_body(const double *restrict inverse, double gc, double egc, double eb,
                              long n, double *restrict y, double *restrict ey) {
    for (long k = 0; k < n; k++) {
        double r = inverse[k], ar = fabs(r), x = gc * r, ax = fabs(x);
        int sure = eb * ar < 0.0009765625 && ax < 1e300 && ar > 1e-150;
        y[k] = sure ? x : 0;
        ey[k] = sure ? (egc + ax * eb) * ar * 1.002 + 8 * AR_U * ax : INFINITY;
    }
}

/* The signs of 8 numbers v with errors e: -v, and how far |v| is beyond e. */
AR_INLINE void ar_signs_body(const double *restrict v, const double *restrict e,
                             double *restrict minus, double *restrict excess) {
    for (long k = 0; k < 8; k++) {
        minus[k] = -v[k];
        excess[k] = fabs(v[k]) - e[k];
    }
}

/* The same for v = g - y c, the entry of a functional after a pivot at each of 8 lanes; eg and e
   bound the errors of g and c. */
AR_INLINE void ar_reduce_body(const double *restrict c, const double *restrict y,
                              const double *restrict ey, double g, double eg, double e,
                              double *restrict minus, double *restrict excess) {
    for (long k = 0; k < 8; k++) {
        double ay = fabs(y[k]), ac = fabs(c[k]);
        minus[k] = y[k] * c[k] - g;
        excess[k] = fabs(minus[k]) - ((eg + ay * e + (ac + e) * ey[k]) * (1 + 32 * AR_U)
                                      + 4 * AR_U * (fabs(g) + ay * ac));
    }
}

/* value = sum_s x[s] * column s of a matrix (columns of n lanes), and a bound of its error; x has
   errors e. The sum of w products is off by at most (w + 1) u times the sum of magnitudes. */
AR_INLINE void ar_combine_body(const double *restrict columns, const double *restrict x,
                               const double *restrict e, int w, long n, double *restrict value,
                               double *restrict bound) {
    for (long k = 0; k < n; k++) value[k] = bound[k] = 0;
    for (int s = 0; s < w; s++) {
        double f = x[s], g = (e[s] + (w + 2) * AR_U * fabs(f)) * (1 + 64 * AR_U);
        const double *restrict c = columns + s * n;
        for (long k = 0; k < n; k++) {
            value[k] += f * c[k];
            bound[k] += g * fabs(c[k]);
        }
    }
}

/* a b - p, where p is a b rounded: exact while nothing under- or overflows, by one fused operation
   or by Dekker's (1971) products of halves; both give the same number. */
AR_INLINE double ar_rest(double a, double b, double p, int fused) {
    if (fused) return __builtin_fma(a, b, -p);
    double ca = 134217729 * a, cb = 134217729 * b; /* 2^27 + 1 */
    double ah = ca - (ca - a), bh = cb - (cb - b), al = a - ah, bl = b - bh;
    return al * bl - (((p - ah * bh) - al * bh) - ah * bl);
}

/* x + y = (a + b) (h + l), a vector times a matrix of w columns, all in unevaluated sums of two
   floats whose second is at most u of the first. Knuth's (1969) sums and Dekker's products are
   exact; what is dropped or rounded is at most u^2 (r + 4)^2 sum |a_i| |h_i|: 8 u^2 |a_i| |h_i|
   in a product, and (r + 1) u times the r + 3 u-small parts of the sum. */
AR_INLINE void ar_dots_body(const double *restrict a, const double *restrict b,
                            const double *restrict h, const double *restrict l, int r, long w,
                            double *restrict x, double *restrict y, int fused) {
    for (long s = 0; s < w; s++) x[s] = y[s] = 0;
    for (long i = 0; i < r; i++) {
        double f = a[i], g = b[i];
        for (long s = 0; s < w; s++) {
            double p = f * h[i * w + s], e = ar_rest(f, h[i * w + s], p, fused);
            double sum = x[s] + p, z = sum - x[s], t = (x[s] - (sum - z)) + (p - z);
            x[s] = sum;
            y[s] += t + ((e + f * l[i * w + s]) + g * h[i * w + s]);
        }
    }
    for (long s = 0; s < w; s++) {
        double sum = x[s] + y[s], z = sum - x[s];
        y[s] = (x[s] - (sum - z)) + (y[s] - z);
        x[s] = sum;
    }
}

/* a b - c d of such sums, and |a b| + |c d|: off by at most 16 u^2 of that, and u of the result.
   Each product drops or rounds 8 u^2 of itself, the sum of the rests 5 u^2. */
AR_INLINE double ar_minor(double a, double a2, double b, double b2, double c, double c2, double d,
                          double d2, double *size) {
    double p = a * b, q = c * d, sum = p - q, z = sum - p, t = (p - (sum - z)) + (-q - z);
    double e = ar_rest(a, b, p, 0) + (a * b2 + a2 * b), f = ar_rest(c, d, q, 0) + (c * d2 + c2 * d);
    *size = fabs(p) + fabs(q);
    return sum + (t + (e - f));
}

/* A line, its samples in lanes (padded to 32 by lanes at -inf), and the signs of phi at its points;
   ids are the classes in the flat of a point, beside its own. */
typedef struct {
    int n_lanes, n_words, n_bytes, n_ids;
    const float *under, *over;     /* slopes, as intervals */
    uint64_t *row;                 /* scratch */
    const uint64_t *base;          /* the row of a point below all slopes */
    const uint64_t *cuts;          /* samples that have a sign */
    const int *member_start, *member; /* samples of a class; NULL where it has its own number */
    const uint64_t *skip;          /* classes that have no point */
    const uint64_t *doubt;         /* points where a sign of phi is not certain */
    const uint64_t *minus;         /* where phi is negative at infinity */
    const uint64_t *own;           /* where the class of the point has another sign than in base */
    uint64_t *agree[64];           /* where the classes of ids are positive, unless minus */
    int ids[64];
} ar_line;

typedef void (*ar_combine_fn)(const double *, const double *, const double *, int, long, double *,
                              double *);
typedef void (*ar_pivot_fn)(double *, const double *, const double *, double, long);
typedef void (*ar_bareiss_fn)(double *, const double *, const double *, double, double, double,
                              long, long);
typedef void (*ar_slopes_fn)(const double *, const double *, double, double, int, long, double *,
                             double *, double *, float *, float *, uint64_t *, uint64_t *);
typedef void (*ar_errors_fn)(double *, double *, const double *, const double *, const double *,
                             const double *, double, double, double, double, long);
typedef void (*ar_scale_fn)(double *, const double *, double, long);
typedef double (*ar_largest_fn)(const double *, long);
typedef void (*ar_ratios_fn)(const double *, double, double, double, long, double *, double *);
typedef void (*ar_reduce_fn)(const double *, const double *, const double *, double, double, double,
                             long, long, uint64_t *, uint64_t *);
typedef void (*ar_dots_fn)(const double *, const double *, const double *, const double *, int,
                           long, double *, double *);
typedef int (*ar_compare_fn)(const double *, const double *, double, double, long, uint64_t *,
                             uint64_t *);
typedef void (*ar_signs_fn)(const double *, const double *, double, long, uint64_t *, uint64_t *);
typedef int (*ar_vertices_fn)(const ar_line *, int, int, uint8_t **, const uint8_t *, long *);

#define AR_PLAIN(NAME, TARGET)                                                                    \
    TARGET static void ar_pivot_##NAME(double *d, const double *s, const double *p, double rho,   \
                                       long n) {                                                  \
        ar_pivot_body(d, s, p, rho, n);                                                           \
    }                                                                                             \
    TARGET static void ar_errors_##NAME(double *err, double *top, const double *err0,             \
                                        const double *top0, const double *e, const double *rho,   \
                                        double ec, double tc, double pe, double low, long w) {    \
        ar_errors_body(err, top, err0, top0, e, rho, ec, tc, pe, low, w);                         \
    }                                                                                             \
    TARGET static void ar_add_##NAME(double *d, const double *s, double f, long n) {              \
        ar_add_body(d, s, f, n);                                                                  \
    }                                                                                             \
    TARGET static void ar_scale_##NAME(double *d, const double *s, double f, long n) {            \
        ar_scale_body(d, s, f, n);                                                                \
    }                                                                                             \
    TARGET static void ar_bareiss_##NAME(double *d, const double *s, const double *q, double p,   \
                                         double rho, double back, long m, long n) {               \
        ar_bareiss_body(d, s, q, p, rho, back, m, n);                                             \
    }                                                                                             \
    TARGET static double ar_largest_##NAME(const double *x, long n) {                              \
        return ar_largest_body(x, n);                                                             \
    }                                                                                             \
    TARGET static void ar_combine_##NAME(const double *c, const double *x, const double *e, int w,\
                                         long n, double *v, double *b) {                          \
        ar_combine_body(c, x, e, w, n, v, b);                                                     \
    }                                                                                             \
    TARGET static void ar_ratios_##NAME(const double *b, double gc, double egc, double eb,        \
                                        long n, double *y, double *ey) {                          \
        ar_ratios_body(b, gc, egc, eb, n, y, ey);                                                 \
    }

#define AR_DOTS(NAME, TARGET, FUSED)                                                              \
    TARGET static void ar_dots_##NAME(const double *a, const double *b, const double *h,          \
                                      const double *l, int r, long w, double *x, double *y) {     \
        ar_dots_body(a, b, h, l, r, w, x, y, FUSED);                                              \
    }

/* What all masks are made of: bits of x < y and of !(x > y), nan included, for 8 doubles or 32
   floats. */
#define AR_BITS(N, TEST)                                          \
    uint64_t bits = 0;                                            \
    for (int t = 0; t < N; t++) bits |= (uint64_t)(TEST) << t;    \
    return bits
AR_INLINE uint64_t ar_below8_base(const double *x, double y) { AR_BITS(8, x[t] < y); }
AR_INLINE uint64_t ar_upto8_base(const double *x, double y) { AR_BITS(8, !(x[t] > y)); }
AR_INLINE uint64_t ar_below32_base(const float *x, float y) { AR_BITS(32, x[t] < y); }
AR_INLINE uint64_t ar_upto32_base(const float *x, float y) { AR_BITS(32, !(x[t] > y)); }

#if defined(__x86_64__)
#include <immintrin.h>
#define AR_AVX2 __attribute__((target("avx2,popcnt")))
#define AR_AVX512 __attribute__((target("avx512f,avx512dq,popcnt,prefer-vector-width=512")))
#define AR_MASK4(X, Y, OP) ((uint64_t)_mm256_movemask_pd(_mm256_cmp_pd(X, Y, OP)))
AR_AVX2 AR_INLINE uint64_t ar_below8_avx2(const double *x, double y) {
    __m256d b = _mm256_set1_pd(y);
    return AR_MASK4(_mm256_load_pd(x), b, _CMP_LT_OQ)
           | AR_MASK4(_mm256_load_pd(x + 4), b, _CMP_LT_OQ) << 4;
}
AR_AVX2 AR_INLINE uint64_t ar_upto8_avx2(const double *x, double y) {
    __m256d b = _mm256_set1_pd(y);
    return AR_MASK4(_mm256_load_pd(x), b, _CMP_NGT_UQ)
           | AR_MASK4(_mm256_load_pd(x + 4), b, _CMP_NGT_UQ) << 4;
}
/* From four comparisons of eight floats to 32 bits; packing interleaves the halves of vectors. */
#define AR_MASK32(X, Y, OP)                                                                       \
    __m256i a = _mm256_castps_si256(_mm256_cmp_ps(_mm256_load_ps(X), Y, OP));                     \
    __m256i b = _mm256_castps_si256(_mm256_cmp_ps(_mm256_load_ps(X + 8), Y, OP));                 \
    __m256i c = _mm256_castps_si256(_mm256_cmp_ps(_mm256_load_ps(X + 16), Y, OP));                \
    __m256i d = _mm256_castps_si256(_mm256_cmp_ps(_mm256_load_ps(X + 24), Y, OP));                \
    a = _mm256_packs_epi16(_mm256_packs_epi32(a, b), _mm256_packs_epi32(c, d));                   \
    a = _mm256_permutevar8x32_epi32(a, _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7));                \
    return (uint32_t)_mm256_movemask_epi8(a)
AR_AVX2 AR_INLINE uint64_t ar_below32_avx2(const float *x, float y) {
    AR_MASK32(x, _mm256_set1_ps(y), _CMP_LT_OQ);
}
AR_AVX2 AR_INLINE uint64_t ar_upto32_avx2(const float *x, float y) {
    AR_MASK32(x, _mm256_set1_ps(y), _CMP_NGT_UQ);
}
AR_AVX512 AR_INLINE uint64_t ar_below8_avx512(const double *x, double y) {
    return _mm512_cmp_pd_mask(_mm512_load_pd(x), _mm512_set1_pd(y), _CMP_LT_OQ);
}
AR_AVX512 AR_INLINE uint64_t ar_upto8_avx512(const double *x, double y) {
    return _mm512_cmp_pd_mask(_mm512_load_pd(x), _mm512_set1_pd(y), _CMP_NGT_UQ);
}
AR_AVX512 AR_INLINE uint64_t ar_below32_avx512(const float *x, float y) {
    __m512 b = _mm512_set1_ps(y);
    return _mm512_cmp_ps_mask(_mm512_load_ps(x), b, _CMP_LT_OQ)
           | (uint64_t)_mm512_cmp_ps_mask(_mm512_load_ps(x + 16), b, _CMP_LT_OQ) << 16;
}
AR_AVX512 AR_INLINE uint64_t ar_upto32_avx512(const float *x, float y) {
    __m512 b = _mm512_set1_ps(y);
    return _mm512_cmp_ps_mask(_mm512_load_ps(x), b, _CMP_NGT_UQ)
           | (uint64_t)_mm512_cmp_ps_mask(_mm512_load_ps(x + 16), b, _CMP_NGT_UQ) << 16;
}
#endif

#define AR_BUFFERS double minus[8] __attribute__((aligned(64))); \
    double excess[8] __attribute__((aligned(64)))

/* Lanes FROM..N in words of 64 and steps of STEP: lane k is bit i of word w. */
#define AR_WORDS(FROM, N, STEP, BODY, STORE)                               \
    for (long w = (FROM) >> 6; 64 * w < (N); w++) {                        \
        uint64_t first = 0, second = 0;                                    \
        long i = 64 * w < (FROM) ? (FROM) & 63 : 0;                        \
        long end = (N) - 64 * w < 64 ? (N) - 64 * w : 64;                  \
        for (; i < end; i += STEP) {                                       \
            long k = 64 * w + i;                                           \
            BODY;                                                          \
        }                                                                  \
        STORE;                                                             \
    }

AR_INLINE void ar_flip(const ar_line *L, uint64_t *row, int k, uint64_t bit) {
    if (!L->member) {
        row[k >> 6] ^= bit << (k & 63);
        return;
    }
    for (int i = L->member_start[k]; i < L->member_start[k + 1]; i++)
        row[L->member[i] >> 6] ^= bit << (L->member[i] & 63);
}

/* Write the row of the point of class j and its opposite; `row` has the signs beside its flat. */
AR_INLINE void ar_write(const ar_line *L, int n_words, int j, uint64_t *row, uint8_t *out) {
    int w = j >> 6, s = j & 63;
    uint64_t turned = -((L->minus[w] >> s) & 1), x;
    ar_flip(L, row, j, (L->own[w] >> s) & 1);
    for (int i = 0; i < L->n_ids; i++) ar_flip(L, row, L->ids[i], (L->agree[i][w] >> s) & 1);
    for (int i = 0; i < n_words; i++) {
        row[i] ^= turned & L->cuts[i];
        memcpy(out + 8 * i, row + i, 8);
    }
    for (int i = 0; i < n_words; i++) {
        x = row[i] ^ L->cuts[i];
        memcpy(out + L->n_bytes + 8 * i, &x, 8);
    }
}

/* compare: less = (hi_k < lo_j); open = lanes whose interval meets [lo_j, hi_j], nan included;
   returns the number of open lanes.
   signs: pos = (v > 0); small = !(|v| > e_k), e_k = bound[k], or e where bound is NULL: the sign of
   a difference is that of the rounded difference.
   slopes: those of ar_slopes_body, the same as floats, and signs of b.
   reduce: plus, where the value of ar_reduce_body is positive; adds to doubt where it is within
   its bound.
   vertices: writes the rows, and their opposites, of the points of classes j..end-1, in order, as
   long as each is simple, certain, and there is room; with `out` NULL it only looks. Adds their
   number to `found` and returns the first class left. Slopes are compared as floats: rounding
   keeps their order, so floats that differ tell the numbers apart. */
#define AR_MASKS(NAME, TARGET)                                                                    \
    TARGET static int ar_compare_##NAME(const double *lo, const double *hi, double lj, double hj, \
                                        long n, uint64_t *less, uint64_t *open) {                 \
        int n_open = 0;                                                                           \
        AR_WORDS(0, n, 8, first |= ar_below8_##NAME(hi + k, lj) << i;                             \
                 second |= ar_upto8_##NAME(lo + k, hj) << i,                                      \
                 less[w] = first; open[w] = second & ~first;                                      \
                 n_open += __builtin_popcountll(open[w]))                                         \
        return n_open;                                                                            \
    }                                                                                             \
    TARGET static void ar_signs_##NAME(const double *v, const double *bound, double e, long n,    \
                                       uint64_t *pos, uint64_t *small) {                          \
        AR_BUFFERS;                                                                               \
        double same[8] = {e, e, e, e, e, e, e, e};                                                \
        AR_WORDS(0, n, 8, ar_signs_body(v + k, bound ? bound + k : same, minus, excess);          \
                 first |= ar_below8_##NAME(minus, 0) << i;                                        \
                 second |= ar_upto8_##NAME(excess, 0) << i, pos[w] = first; small[w] = second)    \
    }                                                                                             \
    TARGET static void ar_slopes_##NAME(const double *a, const double *b, double ea, double eb,   \
                                        int exact, long n, double *lo, double *hi, double *r,     \
                                        float *under, float *over, uint64_t *pos,                 \
                                        uint64_t *small) {                                        \
        AR_BUFFERS;                                                                               \
        double e[8] = {eb, eb, eb, eb, eb, eb, eb, eb};                                           \
        AR_WORDS(0, n, 8, ar_slopes_body(a + k, b + k, ea, eb, exact, lo + k, hi + k, r + k);     \
                 ar_round_body(lo + k, under + k); ar_round_body(hi + k, over + k);               \
                 ar_signs_body(b + k, e, minus, excess);                                          \
                 first |= ar_below8_##NAME(minus, 0) << i;                                        \
                 second |= ar_upto8_##NAME(excess, 0) << i, pos[w] = first; small[w] = second)    \
    }                                                                                             \
    TARGET static void ar_reduce_##NAME(const double *c, const double *y, const double *ey,       \
                                        double g, double eg, double e, long from, long n,         \
                                        uint64_t *plus, uint64_t *doubt) {                        \
        AR_BUFFERS;                                                                               \
        AR_WORDS(from, n, 8, ar_reduce_body(c + k, y + k, ey + k, g, eg, e, minus, excess);       \
                 first |= ar_below8_##NAME(minus, 0) << i;                                        \
                 second |= ar_upto8_##NAME(excess, 0) << i, plus[w] = first; doubt[w] |= second)  \
    }                                                                                             \
    TARGET AR_INLINE int ar_each_##NAME(const ar_line *L, int n_words, int j, int end,            \
                                        uint8_t **out, const uint8_t *out_end, long *found) {     \
        uint64_t few[4], *row = n_words <= 4 ? few : L->row;                                      \
        for (; j < end; j++) {                                                                    \
            int n_open = 0, s = L->member ? L->member[L->member_start[j]] : j;                    \
            int n_samples = L->member ? L->member_start[j + 1] - L->member_start[j] : 1;          \
            float under = L->under[s], over = L->over[s];                                         \
            if ((L->skip[j >> 6] >> (j & 63)) & 1) continue;                                      \
            if ((L->doubt[j >> 6] >> (j & 63)) & 1) break;                                        \
            if (out && *out + 2 * L->n_bytes + 8 > out_end) break;                                \
            AR_WORDS(0, L->n_lanes, 32, first |= ar_below32_##NAME(L->over + k, under) << i;      \
                     second |= ar_upto32_##NAME(L->under + k, over) << i,                         \
                     row[w] = first ^ L->base[w];                                                 \
                     n_open += __builtin_popcountll(second & ~first))                             \
            if (n_open != n_samples) break;                                                       \
            *found += 1;                                                                          \
            if (!out) continue;                                                                   \
            ar_write(L, n_words, j, row, *out);                                                   \
            *out += 2 * L->n_bytes;                                                               \
        }                                                                                         \
        return j;                                                                                 \
    }                                                                                             \
    TARGET static int ar_vertices_##NAME(const ar_line *L, int j, int end, uint8_t **out,         \
                                         const uint8_t *out_end, long *found) {                   \
        if (!L->member && L->n_words == 1)                                                        \
            return ar_each_##NAME(L, 1, j, end, out, out_end, found);                             \
        if (!L->member && L->n_words == 2)                                                        \
            return ar_each_##NAME(L, 2, j, end, out, out_end, found);                             \
        return ar_each_##NAME(L, L->n_words, j, end, out, out_end, found);                        \
    }

AR_PLAIN(base, )
AR_MASKS(base, )
AR_DOTS(base, , 0)
#if defined(__x86_64__)
AR_PLAIN(avx2, AR_AVX2)
AR_PLAIN(avx512, AR_AVX512)
AR_MASKS(avx2, AR_AVX2)
AR_MASKS(avx512, AR_AVX512)
AR_DOTS(avx2, __attribute__((target("avx2,fma"))), 1)
AR_DOTS(avx512, __attribute__((target("avx512f,avx512dq,fma,prefer-vector-width=512"))), 1)
#endif

static ar_pivot_fn ar_pivot = ar_pivot_base;
static ar_bareiss_fn ar_bareiss = ar_bareiss_base;
static ar_scale_fn ar_scale = ar_scale_base, ar_add = ar_add_base;
static ar_errors_fn ar_errors = ar_errors_base;
static ar_slopes_fn ar_slopes = ar_slopes_base;
static ar_largest_fn ar_largest = ar_largest_base;
static ar_ratios_fn ar_ratios = ar_ratios_base;
static ar_combine_fn ar_combine = ar_combine_base;
static ar_dots_fn ar_dots = ar_dots_base;
static ar_reduce_fn ar_reduce = ar_reduce_base;
static ar_compare_fn ar_compare = ar_compare_base;
static ar_signs_fn ar_signs = ar_signs_base;
static ar_vertices_fn ar_vertices = ar_vertices_base;

/* Choose the kernels; ARRANGEMENTS_SIMD=baseline|avx2|avx512 lowers the choice. */
__attribute__((unused)) static const char *ar_dispatch(void) {
#if defined(__x86_64__)
    const char *want = getenv("ARRANGEMENTS_SIMD");
    int level = !want || !*want ? 2 : !strcmp(want, "baseline") ? 0 : !strcmp(want, "avx2") ? 1 : 2;
    __builtin_cpu_init();
    if (level >= 1 && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        ar_dots = ar_dots_avx2;
    if (level >= 2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq")) {
        ar_pivot = ar_pivot_avx512;
        ar_bareiss = ar_bareiss_avx512;
        ar_scale = ar_scale_avx512;
        ar_add = ar_add_avx512;
        ar_errors = ar_errors_avx512;
        ar_slopes = ar_slopes_avx512;
        ar_largest = ar_largest_avx512;
        ar_ratios = ar_ratios_avx512;
        ar_combine = ar_combine_avx512;
        if (__builtin_cpu_supports("fma")) ar_dots = ar_dots_avx512;
        ar_reduce = ar_reduce_avx512;
        ar_compare = ar_compare_avx512;
        ar_signs = ar_signs_avx512;
        ar_vertices = ar_vertices_avx512;
        return "avx512";
    }
    if (level >= 1 && __builtin_cpu_supports("avx2")) {
        ar_pivot = ar_pivot_avx2;
        ar_bareiss = ar_bareiss_avx2;
        ar_scale = ar_scale_avx2;
        ar_add = ar_add_avx2;
        ar_errors = ar_errors_avx2;
        ar_slopes = ar_slopes_avx2;
        ar_largest = ar_largest_avx2;
        ar_ratios = ar_ratios_avx2;
        ar_combine = ar_combine_avx2;
        ar_reduce = ar_reduce_avx2;
        ar_compare = ar_compare_avx2;
        ar_signs = ar_signs_avx2;
        ar_vertices = ar_vertices_avx2;
        return "avx2";
    }
#endif
    return "baseline";
}

/* a b / 2^64 mod p, for odd p < 2^62 and minus_inv = -1/p mod 2^64 (Montgomery 1985). */
AR_INLINE uint64_t ar_mulmod(uint64_t a, uint64_t b, uint64_t p, uint64_t minus_inv) {
    unsigned __int128 t = (unsigned __int128)a * b;
    uint64_t q = (uint64_t)t * minus_inv;
    uint64_t u = (uint64_t)((t + (unsigned __int128)q * p) >> 64);
    return u >= p ? u - p : u;
}

AR_INLINE int ar_popcount(uint64_t x) { return __builtin_popcountll(x); }
AR_INLINE int ar_lowest(uint64_t x) { return __builtin_ctzll(x); }

#endif
