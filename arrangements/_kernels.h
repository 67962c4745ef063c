/* Vector loops of the engine, chosen once at import for the processor at hand.

   Every loop is plain C, compiled three times (AVX-512, AVX2, baseline); only the loops that
   end in bit masks are written with intrinsics. Arrays are 64-byte aligned and padded to a
   multiple of 8 lanes; masks are little-endian bytes, one bit a lane.
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

/* The same in determinants, (src * p - piv * rho) / scale with back = 1 / scale: exact for the
   first n_exact lanes, integers below 2^25 whose quotient is an integer. */
AR_INLINE void ar_bareiss_body(double *restrict dst, const double *restrict src,
                               const double *restrict piv, double p, double rho, double back,
                               long n_exact, long n) {
    const double magic = 6755399441055744.0; /* 1.5 * 2^52: adding it rounds to an integer */
    for (long k = 0; k < n; k++) dst[k] = (src[k] * p - piv[k] * rho) * back;
    for (long k = 0; k < n_exact; k++) dst[k] = (dst[k] + magic) - magic;
}

/* Intervals [lo, hi] around a/b, given |a - a_true| <= ea and |b - b_true| <= eb; all finite
   numbers where b may vanish (-inf is left for lanes without a slope); x itself where the quotients are known to compare exactly. x has error (ea + |x| eb) / (|b| - eb) + 2u|x|; the factor and the
   last term cover the roundings of the bound itself. */
AR_INLINE void ar_slopes_body(const double *restrict a, const double *restrict b, double ea,
                              double eb, int exact, long n, double *restrict lo,
                              double *restrict hi) {
    if (exact) {
        for (long k = 0; k < n; k++) lo[k] = hi[k] = a[k] / b[k];
        return;
    }
    for (long k = 0; k < n; k++) {
        double m = fabs(b[k]), x = a[k] / b[k], ax = fabs(x);
        double e = (ea + ax * eb) / (m - eb) * (1 + 16 * AR_U) + 4 * AR_U * ax;
        int sure = m > eb && ax + e < 1e300; /* false for nan */
        lo[k] = sure ? x - e : -1e300;
        hi[k] = sure ? x + e : 1e300;
    }
}

/* value = g - (gc / b) c and a bound of its error, for one functional (g, gc) against all lanes;
   eg, egc, e, eb bound the errors of g, gc, c and b. */
AR_INLINE void ar_reduce_body(const double *restrict c, const double *restrict b, double g,
                              double gc, double eg, double egc, double e, double eb, long n,
                              double *restrict value, double *restrict bound) {
    for (long k = 0; k < n; k++) {
        double m = fabs(b[k]), y = gc / b[k], ay = fabs(y), ac = fabs(c[k]);
        double ey = (egc + ay * eb) / (m - eb) + AR_U * ay;
        double v = g - y * c[k];
        double err = (eg + ay * e + (ac + e) * ey) * (1 + 32 * AR_U)
                     + 4 * AR_U * (fabs(g) + ay * ac);
        value[k] = v;
        bound[k] = m > eb ? err : INFINITY;
    }
}

typedef void (*ar_pivot_fn)(double *, const double *, const double *, double, long);
typedef void (*ar_bareiss_fn)(double *, const double *, const double *, double, double, double,
                              long, long);
typedef void (*ar_slopes_fn)(const double *, const double *, double, double, int, long, double *,
                             double *);
typedef void (*ar_reduce_fn)(const double *, const double *, double, double, double, double, double,
                             double, long, double *, double *);
typedef int (*ar_compare_fn)(const double *, const double *, double, double, long, uint8_t *,
                              uint8_t *);
typedef void (*ar_signs_fn)(const double *, const double *, double, long, uint8_t *, uint8_t *);

#define AR_PLAIN(NAME, TARGET)                                                                    \
    TARGET static void ar_pivot_##NAME(double *d, const double *s, const double *p, double rho,   \
                                       long n) {                                                  \
        ar_pivot_body(d, s, p, rho, n);                                                           \
    }                                                                                             \
    TARGET static void ar_bareiss_##NAME(double *d, const double *s, const double *q, double p,   \
                                         double rho, double back, long m, long n) {               \
        ar_bareiss_body(d, s, q, p, rho, back, m, n);                                             \
    }                                                                                             \
    TARGET static void ar_slopes_##NAME(const double *a, const double *b, double ea, double eb,   \
                                        int exact, long n, double *lo, double *hi) {              \
        ar_slopes_body(a, b, ea, eb, exact, n, lo, hi);                                                  \
    }                                                                                             \
    TARGET static void ar_reduce_##NAME(const double *c, const double *b, double g, double gc,    \
                                        double eg, double egc, double e, double eb, long n,       \
                                        double *v, double *w) {                                   \
        ar_reduce_body(c, b, g, gc, eg, egc, e, eb, n, v, w);                                     \
    }

/* compare: less = (hi_k < lo_j); open = lanes whose interval meets [lo_j, hi_j], nan included;
   returns the number of open lanes.
   signs: pos = (v > 0); small = !(|v| > e_k), e_k = bound[k], or eb where bound is NULL. */
AR_PLAIN(base, )

static int ar_compare_base(const double *lo, const double *hi, double lj, double hj, long n,
                            uint8_t *less, uint8_t *open) {
    int n_open = 0;
    for (long k = 0; k < n; k += 8) {
        unsigned a = 0, b = 0;
        for (int i = 0; i < 8; i++) {
            a |= (unsigned)(hi[k + i] < lj) << i;
            b |= (unsigned)(!(lo[k + i] > hj)) << i;
        }
        less[k >> 3] = (uint8_t)a;
        open[k >> 3] = (uint8_t)(b & ~a);
        n_open += __builtin_popcount(b & ~a);
    }
    return n_open;
}

static void ar_signs_base(const double *v, const double *bound, double eb, long n, uint8_t *pos,
                          uint8_t *small) {
    for (long k = 0; k < n; k += 8) {
        unsigned a = 0, b = 0;
        for (int i = 0; i < 8; i++) {
            double e = bound ? bound[k + i] : eb;
            a |= (unsigned)(v[k + i] > 0) << i;
            b |= (unsigned)(!(fabs(v[k + i]) > e)) << i;
        }
        pos[k >> 3] = (uint8_t)a;
        small[k >> 3] = (uint8_t)b;
    }
}

#if defined(__x86_64__)
#include <immintrin.h>
#define AR_AVX2 __attribute__((target("avx2,popcnt")))
#define AR_AVX512 __attribute__((target("avx512f,avx512dq,popcnt,prefer-vector-width=512")))
AR_PLAIN(avx2, AR_AVX2)
AR_PLAIN(avx512, AR_AVX512)

AR_AVX2 static int ar_compare_avx2(const double *lo, const double *hi, double lj, double hj,
                                    long n, uint8_t *less, uint8_t *open) {
    __m256d l = _mm256_set1_pd(lj), h = _mm256_set1_pd(hj);
    int n_open = 0;
    for (long k = 0; k < n; k += 8) {
        int a = _mm256_movemask_pd(_mm256_cmp_pd(_mm256_load_pd(hi + k), l, _CMP_LT_OQ))
                | _mm256_movemask_pd(_mm256_cmp_pd(_mm256_load_pd(hi + k + 4), l, _CMP_LT_OQ)) << 4;
        int b = _mm256_movemask_pd(_mm256_cmp_pd(_mm256_load_pd(lo + k), h, _CMP_NGT_UQ))
                | _mm256_movemask_pd(_mm256_cmp_pd(_mm256_load_pd(lo + k + 4), h, _CMP_NGT_UQ)) << 4;
        less[k >> 3] = (uint8_t)a;
        open[k >> 3] = (uint8_t)(b & ~a);
        n_open += __builtin_popcount((unsigned)(b & ~a));
    }
    return n_open;
}

AR_AVX2 static void ar_signs_avx2(const double *v, const double *bound, double eb, long n,
                                  uint8_t *pos, uint8_t *small) {
    __m256d zero = _mm256_setzero_pd(), minus = _mm256_set1_pd(-0.0);
    __m256d e0 = _mm256_set1_pd(eb), e1 = e0;
    for (long k = 0; k < n; k += 8) {
        __m256d x0 = _mm256_load_pd(v + k), x1 = _mm256_load_pd(v + k + 4);
        if (bound) {
            e0 = _mm256_load_pd(bound + k);
            e1 = _mm256_load_pd(bound + k + 4);
        }
        pos[k >> 3] = (uint8_t)(_mm256_movemask_pd(_mm256_cmp_pd(x0, zero, _CMP_GT_OQ))
                                | _mm256_movemask_pd(_mm256_cmp_pd(x1, zero, _CMP_GT_OQ)) << 4);
        x0 = _mm256_cmp_pd(_mm256_andnot_pd(minus, x0), e0, _CMP_NGT_UQ);
        x1 = _mm256_cmp_pd(_mm256_andnot_pd(minus, x1), e1, _CMP_NGT_UQ);
        small[k >> 3] = (uint8_t)(_mm256_movemask_pd(x0) | _mm256_movemask_pd(x1) << 4);
    }
}

AR_AVX512 static int ar_compare_avx512(const double *lo, const double *hi, double lj, double hj,
                                        long n, uint8_t *less, uint8_t *open) {
    __m512d l = _mm512_set1_pd(lj), h = _mm512_set1_pd(hj);
    int n_open = 0;
    for (long k = 0; k < n; k += 8) {
        __mmask8 a = _mm512_cmp_pd_mask(_mm512_load_pd(hi + k), l, _CMP_LT_OQ);
        __mmask8 b = _mm512_cmp_pd_mask(_mm512_load_pd(lo + k), h, _CMP_NGT_UQ);
        less[k >> 3] = a;
        open[k >> 3] = (uint8_t)(b & ~a);
        n_open += __builtin_popcount((unsigned)(b & ~a));
    }
    return n_open;
}

AR_AVX512 static void ar_signs_avx512(const double *v, const double *bound, double eb, long n,
                                      uint8_t *pos, uint8_t *small) {
    __m512d zero = _mm512_setzero_pd(), e = _mm512_set1_pd(eb);
    for (long k = 0; k < n; k += 8) {
        __m512d x = _mm512_load_pd(v + k);
        if (bound) e = _mm512_load_pd(bound + k);
        pos[k >> 3] = _mm512_cmp_pd_mask(x, zero, _CMP_GT_OQ);
        small[k >> 3] = _mm512_cmp_pd_mask(_mm512_abs_pd(x), e, _CMP_NGT_UQ);
    }
}
#endif

static ar_pivot_fn ar_pivot = ar_pivot_base;
static ar_bareiss_fn ar_bareiss = ar_bareiss_base;
static ar_slopes_fn ar_slopes = ar_slopes_base;
static ar_reduce_fn ar_reduce = ar_reduce_base;
static ar_compare_fn ar_compare = ar_compare_base;
static ar_signs_fn ar_signs = ar_signs_base;

/* Choose the kernels; ARRANGEMENTS_SIMD=baseline|avx2|avx512 lowers the choice. */
static const char *ar_dispatch(void) {
#if defined(__x86_64__)
    const char *want = getenv("ARRANGEMENTS_SIMD");
    int level = !want || !*want ? 2 : !strcmp(want, "baseline") ? 0 : !strcmp(want, "avx2") ? 1 : 2;
    __builtin_cpu_init();
    if (level >= 2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq")) {
        ar_pivot = ar_pivot_avx512;
        ar_bareiss = ar_bareiss_avx512;
        ar_slopes = ar_slopes_avx512;
        ar_reduce = ar_reduce_avx512;
        ar_compare = ar_compare_avx512;
        ar_signs = ar_signs_avx512;
        return "avx512";
    }
    if (level >= 1 && __builtin_cpu_supports("avx2")) {
        ar_pivot = ar_pivot_avx2;
        ar_bareiss = ar_bareiss_avx2;
        ar_slopes = ar_slopes_avx2;
        ar_reduce = ar_reduce_avx2;
        ar_compare = ar_compare_avx2;
        ar_signs = ar_signs_avx2;
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
