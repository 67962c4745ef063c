"""From coordinates to signs: the only file of the engine that does so.

A *tableau* holds vectors in coordinates of a basis made of arrangement rows, unit vectors and
generic functionals; an entry is a quotient of two r x r determinants of integer vectors. Its sign
is decided in three stages, and the stage that decided is counted:

1. *filter*: the entry exceeds its error bound: in floats (a running forward bound per column), or
   in pairs of floats, from the inverse of the basis (`pairs`);
2. *separation*: a nonzero entry is at least 1/|det basis|; entry and error lie below: it is zero;
3. *exact*: the numerator modulo enough 62-bit primes (Hadamard's inequality and the bound of the
   entry say how many), the sign read off the mixed-radix digits (Garner 1959).

With `tol` the stages 2 and 3 are off and everything under `tol` is zero.
"""
cimport cython
from libc.math cimport INFINITY, fabs, fmax, frexp, ldexp, rint
from libc.stdint cimport int64_t, uint64_t
from libc.stdlib cimport calloc, free
from libc.string cimport memcmp, memcpy, memset

from arrangements.walk.kernels cimport (ar_add, ar_bareiss, ar_combine, ar_dispatch, ar_errors,
                                        ar_largest, ar_lowest, ar_minor, ar_mulmod, ar_pivot,
                                        ar_scale, ar_signs)
from arrangements.walk.pairs cimport invert_pairs, pair_coordinates, pair_error

cdef double U = 1.1102230246251565e-16
ar_dispatch()


# -- determinants in residues ---------------------------------------------------------------

cdef inline uint64_t _sub(uint64_t a, uint64_t b, uint64_t p) noexcept nogil:
    return a - b if a >= b else a + (p - b)


cdef uint64_t _power(uint64_t a, uint64_t e, uint64_t one, uint64_t p, uint64_t mi) noexcept nogil:
    cdef uint64_t x = one
    while e:
        if e & 1:
            x = ar_mulmod(x, a, p, mi)
        a = ar_mulmod(a, a, p, mi)
        e >>= 1
    return x


cdef uint64_t _det_mod(const Residues *R, int q, const int *ids, uint64_t *M) noexcept nogil:
    """Determinant of the vectors `ids` modulo prime q (Montgomery form), with one inverse."""
    cdef int r = R.r, i, j, k
    cdef uint64_t p = R.p[q], mi = R.minus_inv[q], d, f, x, scale = R.one[q], det = R.one[q]
    cdef bint odd = False
    for i in range(r):
        memcpy(M + i * r, R.value + (<Py_ssize_t> q * R.n_ids + ids[i]) * r, r * sizeof(uint64_t))
    for k in range(r):
        i = k
        while i < r and M[i * r + k] == 0:
            i += 1
        if i == r:
            return 0
        if i != k:
            odd = not odd
            for j in range(k, r):
                x = M[i * r + j]
                M[i * r + j] = M[k * r + j]
                M[k * r + j] = x
        d = M[k * r + k]
        det = ar_mulmod(det, d, p, mi)
        for i in range(k + 1, r):
            f = M[i * r + k]
            if f == 0:
                continue
            scale = ar_mulmod(scale, d, p, mi)
            for j in range(k + 1, r):
                M[i * r + j] = _sub(ar_mulmod(M[i * r + j], d, p, mi),
                                    ar_mulmod(f, M[k * r + j], p, mi), p)
    det = ar_mulmod(det, _power(scale, p - 2, R.one[q], p, mi), p, mi)
    return p - det if odd and det else det


cdef bint _invert_mod(Predicates *P, int q, const int *ids) noexcept nogil:
    """The inverse of the basis `ids`, its vectors as rows, modulo prime q (Montgomery form); False
    if the prime divides the determinant. Rows are multiplied, not divided: one inverse in all."""
    cdef const Residues *R = P.res
    cdef int r = R.r, i, j, k, w = 2 * R.r
    cdef uint64_t p = R.p[q], mi = R.minus_inv[q], one = R.one[q], d, f, x, scale = one
    cdef uint64_t *M = P.scratch + 2 * R.n_primes
    cdef uint64_t *before = M + w * r          # products of the factors before each
    cdef uint64_t *out = P.inv.rows + <Py_ssize_t> q * r * r
    cdef bint odd = False
    memset(M, 0, w * r * sizeof(uint64_t))
    for i in range(r):
        memcpy(M + i * w, R.value + (<Py_ssize_t> q * R.n_ids + ids[i]) * r, r * sizeof(uint64_t))
        M[i * w + r + i] = one
    for k in range(r):
        i = k
        while i < r and M[i * w + k] == 0:
            i += 1
        if i == r:
            return False
        if i != k:
            odd = not odd
            for j in range(w):
                x = M[i * w + j]
                M[i * w + j] = M[k * w + j]
                M[k * w + j] = x
        d = M[k * w + k]
        for i in range(r):
            f = M[i * w + k]
            if i == k or f == 0:
                continue
            scale = ar_mulmod(scale, d, p, mi)
            for j in range(w):
                # columns before k are diagonal by now: of them only that of row i changes
                if j > k or j == i:
                    x = ar_mulmod(M[i * w + j], d, p, mi)
                    M[i * w + j] = x if j == i and j < k else _sub(
                        x, ar_mulmod(f, M[k * w + j], p, mi), p)
            M[i * w + k] = 0
    # 1 / scale and 1 / each diagonal entry from the inverse of their product
    x = scale
    for i in range(r):
        before[i] = x
        x = ar_mulmod(x, M[i * w + i], p, mi)
    x = _power(x, p - 2, one, p, mi)
    for i in range(r - 1, -1, -1):
        d = ar_mulmod(x, before[i], p, mi)
        x = ar_mulmod(x, M[i * w + i], p, mi)
        for j in range(r):
            out[j * r + i] = ar_mulmod(M[i * w + r + j], d, p, mi)
    for i in range(r):
        x = ar_mulmod(x, M[i * w + i], p, mi)
    P.inv.det[q] = p - x if odd and x else x
    return True


cdef bint _invert(Predicates *P, const int *ids, int n) noexcept nogil:
    """Have the inverse of the basis `ids` for the first n primes; False if one of them is of no
    use for it."""
    if memcmp(P.inv.ids, ids, P.res.r * sizeof(int)) != 0:
        memcpy(P.inv.ids, ids, P.res.r * sizeof(int))
        P.inv.n = 0
        P.inv.sign = UNDECIDED
    while P.inv.n < n:
        if not _invert_mod(P, P.inv.n, ids):
            return False
        P.inv.n += 1
    return True


cdef inline uint64_t _coordinate(const Predicates *P, int q, int s, int v) noexcept nogil:
    """Coordinate s of vector v in the inverted basis, modulo prime q."""
    cdef const Residues *R = P.res
    cdef const uint64_t *a = R.value + (<Py_ssize_t> q * R.n_ids + v) * R.r
    cdef const uint64_t *b = P.inv.rows + (<Py_ssize_t> q * R.r + s) * R.r
    cdef uint64_t p = R.p[q], mi = R.minus_inv[q], x = 0, y
    cdef int i
    for i in range(R.r):
        y = ar_mulmod(a[i], b[i], p, mi)
        x = x + y if x < p - y else x - (p - y)
    return x


cdef int _primes_needed(const Residues *R, const int *ids) noexcept nogil:
    cdef double bits = 2
    cdef int i, q
    for i in range(R.r):
        bits += R.bits[ids[i]]
    q = <int> (bits / 61.99) + 1
    return q if q < R.n_primes else R.n_primes


cdef void _digits(const Residues *R, int n, uint64_t *v) noexcept nogil:
    """Residues (Montgomery form) to mixed-radix digits, in place."""
    cdef int i, j
    cdef uint64_t p, mi, x, y
    for i in range(n):
        p = R.p[i]
        mi = R.minus_inv[i]
        x = v[i]
        for j in range(i):
            # v[j] is a plain digit below p_j < 2 p_i; times 2^128 it is in Montgomery form
            y = v[j] if v[j] < p else v[j] - p
            x = _sub(x, ar_mulmod(y, R.inverse[i * R.n_primes + i], p, mi), p)
            x = ar_mulmod(x, R.inverse[i * R.n_primes + j], p, mi)
        v[i] = ar_mulmod(x, 1, p, mi)


cdef int _digits_sign(const Residues *R, int n, const uint64_t *v) noexcept nogil:
    """Sign of the number in (-P/2, P/2): the digits of (P - 1)/2 are all (p_i - 1)/2."""
    cdef int i
    cdef bint zero = True
    for i in range(n - 1, -1, -1):
        if v[i]:
            zero = False
        if v[i] > (R.p[i] - 1) >> 1:
            return -1
        if v[i] < (R.p[i] - 1) >> 1:
            break
    if zero:
        for i in range(n):
            if v[i]:
                return 1
        return 0
    return 1


cdef int _det_sign(Predicates *P, const int *ids) noexcept nogil:
    cdef const Residues *R = P.res
    cdef int n = _primes_needed(R, ids), q
    cdef uint64_t *v = P.scratch
    cdef uint64_t *M = P.scratch + R.n_primes
    for q in range(n):
        v[q] = _det_mod(R, q, ids, M)
    _digits(R, n, v)
    return _digits_sign(R, n, v)


cdef double _digits_float(const Residues *R, int n, uint64_t *v, int *exponent) noexcept nogil:
    """The number as f * 2^exponent, off by less than (4 + 2 n) 2^-53 of it; destroys v."""
    cdef int i, h
    cdef int sign = _digits_sign(R, n, v)
    cdef double f, w
    cdef int e, e2
    exponent[0] = 0
    if sign == 0:
        return 0.0
    if sign < 0:  # the digits of P - 1 - x, to which one is added below
        for i in range(n):
            v[i] = R.p[i] - 1 - v[i]
    h = n - 1
    while h > 0 and v[h] == 0:
        h -= 1
    i = h - 3 if h > 3 else 0
    f = <double> v[h]
    for e in range(h - 1, i - 1, -1):
        f = f * <double> R.p[e] + <double> v[e]
    if sign < 0 and i == 0:
        f += 1
    f = frexp(f, &e)
    for h in range(i):
        w = frexp(<double> R.p[h], &e2)
        f *= w
        e += e2
        f = frexp(f, &e2)
        e += e2
    exponent[0] = e
    return sign * f


# -- tableaux ------------------------------------------------------------------------------

cdef double INTEGRAL_TOP = 33554432  # 2^25: products are exact, quotients apart by > 4 ulp


cdef Py_ssize_t tableau_bytes(int ld, int w) noexcept nogil:
    return (<Py_ssize_t> w * ld + 5 * ((w + 7) & ~7)) * 8


cdef void tableau_place(Tableau *T, char *memory, int n, int n_g, int ld, int w) noexcept nogil:
    T.n = n
    T.n_g = n_g
    T.ld = ld
    T.w = w
    T.t = <double *> memory
    T.err = T.t + <Py_ssize_t> w * ld
    w = (w + 7) & ~7
    T.g_err = T.err + w
    T.top = T.g_err + w
    T.g_top = T.top + w
    memset(T.err, 0, 4 * w * sizeof(double))  # kernels read the padding
    T.basis = <int *> (T.g_top + w)


cdef void tableau_measure(Predicates *P, Tableau *T) noexcept nogil:
    """Column maxima, and whether an integral tableau stays one."""
    cdef int s
    for s in range(T.w):
        T.top[s] = ar_largest(T.t + s * T.ld, T.n)
        T.g_top[s] = ar_largest(T.t + s * T.ld + T.n, T.n_g)
        if T.top[s] >= INTEGRAL_TOP:
            T.integral = False
        if P.tol > 0:
            T.err[s] = T.g_err[s] = P.tol


cdef inline void _full_basis(const Predicates *P, const Tableau *T, int *ids) noexcept nogil:
    memcpy(ids, T.basis, T.w * sizeof(int))
    memcpy(ids + T.w, T.outer, (P.res.r - T.w) * sizeof(int))


cdef double _det_float(Predicates *P, const int *ids, int *exponent) noexcept nogil:
    cdef const Residues *R = P.res
    cdef int n = _primes_needed(R, ids), q
    cdef uint64_t *v = P.scratch
    for q in range(n):
        v[q] = _det_mod(R, q, ids, P.scratch + R.n_primes)
    _digits(R, n, v)
    return _digits_float(R, n, v, exponent)


cdef void tableau_exact(Predicates *P, Tableau *T) noexcept nogil:
    """All entries from exact determinants, correctly rounded but for a few units; of an integral
    tableau those of the functionals, its rows are exact.

    Used where rounding errors have eaten the float entries (vectors a hair away from a
    degenerate position). Coordinates of a_k are det(basis with a_k in place s) / det(basis).
    """
    cdef const Residues *R = P.res
    cdef int ids[MAX_RANK]
    cdef int s, k, q, n, keep, e = 0, ed = 0, first = T.n if T.integral else 0
    cdef double d, f, scale = T.scale if T.integral else 1
    _full_basis(P, T, ids)
    d = _det_float(P, ids, &ed)
    if not T.integral and T.det < INFINITY:
        T.det = ldexp(fabs(d), ed) * (1 + 1e-9)
    for s in range(T.w):
        keep = ids[s]
        for k in range(first, T.n + T.n_g):
            ids[s] = T.id[k]
            n = _primes_needed(R, ids)
            ids[s] = keep
            if _invert(P, ids, n):
                for q in range(n):
                    P.scratch[q] = ar_mulmod(P.inv.det[q], _coordinate(P, q, s, T.id[k]), R.p[q],
                                             R.minus_inv[q])
                _digits(R, n, P.scratch)
                f = _digits_float(R, n, P.scratch, &e)
            else:
                ids[s] = T.id[k]
                f = _det_float(P, ids, &e)
                ids[s] = keep
            T.t[s * T.ld + k] = scale * ldexp(f / d, e - ed + R.shift[keep] - R.shift[T.id[k]])
        for k in range(T.n + T.n_g, T.ld):
            T.t[s * T.ld + k] = 0
    tableau_measure(P, T)
    for s in range(T.w):
        if first == 0:
            T.err[s] = (16 + 4 * R.n_primes) * U * T.top[s] + FLOOR
        T.g_err[s] = (20 + 4 * R.n_primes) * U * T.g_top[s] + FLOOR
    P.n_exact += T.n + T.n_g - first


cdef inline double _err(const Predicates *P, const Tableau *T, int lane, int col) noexcept nogil:
    return T.err[col] if lane < T.n else T.g_err[col]


cdef int pivot_column(Predicates *P, const Tableau *T, int lane) noexcept nogil:
    """The free column in which `lane` is largest; negative (-1 - column) if only the exact stage
    could tell that it is not zero there."""
    cdef int c, best = -1
    cdef double m = 0, x, e
    cdef uint64_t f = T.free
    while f:
        c = ar_lowest(f)
        f &= f - 1
        x = fabs(T.t[c * T.ld + lane])
        e = _err(P, T, lane, c)
        if x > 4 * e:
            if not T.integral and P.tol <= 0:
                x /= e
            if x > m:
                m = x
                best = c
    if best >= 0:
        return best
    m = -1
    for c in range(T.w):
        if not (T.free >> c) & 1:
            continue
        if P.tol > 0:
            if fabs(T.t[c * T.ld + lane]) > m:
                m = fabs(T.t[c * T.ld + lane])
                best = c
        elif entry_sign(P, T, lane, c) != 0:
            return -1 - c
    if best < 0:
        P.failed = 1
    return best


cdef void tableau_pivot(Predicates *P, const Tableau *S, Tableau *T, int lane,
                        int col) noexcept nogil:
    """Exchange basis column `col` (negative: see `pivot_column`) for the vector of `lane`."""
    cdef int s, c = col if col >= 0 else -1 - col, ld = S.ld
    cdef const double *pc = S.t + c * ld
    cdef double *out
    cdef double p = pc[lane], pe = _err(P, S, lane, c), low = fabs(p) - pe, rho, x
    cdef double rho_of[MAX_RANK]
    cdef double sign = 1 if p > 0 else -1, back
    cdef bint generic = S.id[lane] >= P.first_generic, stale = col < 0
    T.id = S.id
    T.outer = S.outer
    T.free = S.free & ~(<uint64_t> 1 << c)
    memcpy(T.basis, S.basis, S.w * sizeof(int))
    T.basis[c] = S.id[lane]
    T.age = S.age + 1
    T.integral = S.integral and not generic
    if T.integral:
        # Bareiss 1968: the entries are determinants, the division is exact
        T.scale = fabs(p)
        T.det = 1
        back = 1 / S.scale
        for s in range(S.w):
            out = T.t + s * ld
            if s == c:
                ar_scale(out, pc, sign, ld)
                T.g_err[s] = S.g_err[s]
                out[lane] = T.scale
            else:
                rho = S.t[s * ld + lane] * sign
                ar_bareiss(out, S.t + s * ld, pc, T.scale, rho, back, S.n, ld)
                T.g_err[s] = ((S.g_err[s] * T.scale + S.g_err[c] * fabs(rho)) * back * (1 + 16 * U)
                              + 8 * U * back * (S.g_top[s] * T.scale + S.g_top[c] * fabs(rho)))
            T.err[s] = 0
        tableau_measure(P, T)
        return
    T.det = INFINITY
    if not generic and S.det < INFINITY:
        T.det = S.det * (fabs(p) + pe) * (1 + 8 * U)
    if not stale:
        for s in range((S.w + 7) & ~7):
            rho_of[s] = S.t[s * ld + lane] / p if s < S.w else 0
        ar_errors(T.err, T.top, S.err, S.top, S.g_err if generic else S.err, rho_of, S.err[c],
                  S.top[c], pe, low, (S.w + 7) & ~7)
        ar_errors(T.g_err, T.g_top, S.g_err, S.g_top, S.g_err if generic else S.err, rho_of,
                  S.g_err[c], S.g_top[c], pe, low, (S.w + 7) & ~7)
        for s in range(S.w):
            if s != c:
                ar_pivot(T.t + s * ld, S.t + s * ld, pc, rho_of[s], ld)
                T.t[s * ld + lane] = 0
        out = T.t + c * ld
        ar_scale(out, pc, 1 / p, ld)
        x = T.top[c] = fmax(1, S.top[c] / fabs(p) * (1 + 4 * U))
        T.err[c] = ((S.err[c] + x * pe) / low + 4 * U * x) * (1 + 32 * U)
        x = T.g_top[c] = S.g_top[c] / fabs(p) * (1 + 4 * U)
        T.g_err[c] = ((S.g_err[c] + x * pe) / low + 4 * U * x) * (1 + 32 * U)
        out[lane] = 1
    if P.tol > 0:
        for s in range(S.w):
            T.err[s] = T.g_err[s] = P.tol
    tableau_refresh(P, T, stale)


cdef double LAST = 1e-6        # errors that a line can bear, relative to its largest entry
cdef double GROWTH = 10        # of these errors from a flat to the next
cdef double FRESH = 1e-12      # errors below are not worth a new tableau
cdef double PRECISE = 1e-11    # errors above, in a new tableau, are worth pairs
cdef int OLD = 3               # pivots


cdef bint _is_stale(const Tableau *T, double limit) noexcept nogil:
    cdef int s
    for s in range(T.w):
        if not (T.err[s] <= limit * T.top[s] and T.g_err[s] <= limit * T.g_top[s]):
            return True
    return False


cdef double _bearable(const Tableau *T) noexcept nogil:
    """Errors that leave enough digits to all flats below: renewing a tableau serves them all."""
    cdef double limit = LAST
    cdef uint64_t x = T.free & (T.free - 1) if T.free else 0
    while x and limit > FRESH:
        x &= x - 1
        limit /= GROWTH
    return limit


cdef void _entries_in_floats(Predicates *P, Tableau *T) noexcept nogil:
    """The entries of a float tableau from the inverse of its basis: sums of r products."""
    cdef const Pairs *V = &P.pairs
    cdef int r = V.r, ld = T.ld, n = T.n + T.n_g, i, k, s
    cdef double unit, norm
    memset(T.t, 0, <Py_ssize_t> T.w * ld * sizeof(double))
    for k in range(n, ld):
        P.column[k] = 0
    for i in range(r):
        for k in range(n):
            P.column[k] = V.high[<Py_ssize_t> T.id[k] * r + i]
        for s in range(T.w):
            ar_add(T.t + s * ld, P.column, V.hi[i * V.ld + s], ld)
    tableau_measure(P, T)
    for s in range(T.w):
        # r products and sums, and what (high, hi) lack of the vector and of R
        unit = (r + 4) * U * V.sum[s]
        norm = V.total * (1 + (r + 4) * U) * V.defect[s]
        T.err[s] = V.size * (unit + norm) * (1 + 64 * U) + FLOOR
        T.g_err[s] = (unit + norm) * (1 + 64 * U) + FLOOR


cdef void _entries_in_pairs(Predicates *P, Tableau *T, int first) noexcept nogil:
    """The entries of lanes `first` on, correctly rounded but for a few units where the inverse of
    the basis is good enough."""
    cdef Pairs *V = &P.pairs
    cdef const double *x
    cdef double norm = 0, g_norm = 0, scale = T.scale if T.integral else 1
    cdef int k, s
    for k in range(first, T.n + T.n_g):
        x = pair_coordinates(V, T.id[k], 1)
        for s in range(T.w):
            T.t[s * T.ld + k] = scale * x[s]
        if k < T.n:
            norm = fmax(norm, V.norm[1])
        else:
            g_norm = fmax(g_norm, V.norm[1])
    tableau_measure(P, T)
    for s in range(T.w):
        if first == 0:
            T.err[s] = 4 * U * T.top[s] + pair_error(V, s, norm) + FLOOR
        T.g_err[s] = 4 * U * T.g_top[s] + scale * pair_error(V, s, g_norm) * (1 + 4 * U) + FLOOR


cdef void _set_basis(Tableau *T) noexcept nogil:
    """The lanes of the basis are unit vectors, exactly."""
    cdef int k, s, c
    for k in range(T.n + T.n_g):
        for s in range(T.w):
            if T.id[k] == T.basis[s]:
                for c in range(T.w):
                    T.t[c * T.ld + k] = c == s
                break


cdef bint tableau_sharpen(Predicates *P, Tableau *T) noexcept nogil:
    """The entries of a float tableau in pairs, where that gives more digits."""
    cdef int ids[MAX_RANK]
    _full_basis(P, T, ids)
    if P.tol > 0 or T.integral or T.age == 0 or not invert_pairs(&P.pairs, ids):
        return False
    T.age = 0
    _entries_in_pairs(P, T, 0)
    _set_basis(T)
    return True


cdef void tableau_renew(Predicates *P, Tableau *T) noexcept nogil:
    """The entries afresh (of an integral tableau those of the functionals), by the cheapest way
    that gives enough digits: the inverse of the basis in floats, in pairs, determinants."""
    cdef int ids[MAX_RANK]
    _full_basis(P, T, ids)
    if not invert_pairs(&P.pairs, ids):
        tableau_exact(P, T)
        return
    if not T.integral:
        _entries_in_floats(P, T)
    if T.integral or _is_stale(T, PRECISE):
        _entries_in_pairs(P, T, T.n if T.integral else 0)
    if _is_stale(T, LAST):
        tableau_exact(P, T)
        return
    if not T.integral:
        _set_basis(T)


cdef void tableau_refresh(Predicates *P, Tableau *T, bint stale) noexcept nogil:
    """New entries where errors have outgrown a column, or where the caller says so."""
    if P.tol <= 0 and (stale or _is_stale(T, LAST if T.age < OLD else _bearable(T))):
        T.age = 0
        tableau_renew(P, T)


# -- decisions -----------------------------------------------------------------------------

cdef inline int _decide(Predicates *P, double v, double e, double det, bint generic) noexcept nogil:
    if fabs(v) > e:
        P.n_filter += 1
        return 1 if v > 0 else -1
    if P.tol > 0:
        if generic:
            return 1 if v > 0 else -1
        return 0
    if not generic and (fabs(v) + e) * det < 1:
        P.n_separation += 1
        return 0
    return UNDECIDED


cdef int _exact_sign(Predicates *P, int *ids, int col, int new) noexcept nogil:
    """Sign of det(ids with `new` in place col) / det(ids)."""
    cdef int d = _det_sign(P, ids)
    ids[col] = new
    return d * _det_sign(P, ids)


cdef int _most_primes(const Residues *R, const int *ids, int c, int j, int col, int new
                      ) noexcept nogil:
    """Primes for the determinants of the basis, with j in place c, and with `new` in place col."""
    cdef int changed[MAX_RANK]
    cdef int n = _primes_needed(R, ids)
    memcpy(changed, ids, R.r * sizeof(int))
    changed[c] = j
    n = max(n, _primes_needed(R, changed))
    changed[col] = new
    return max(n, _primes_needed(R, changed))


cdef int _basis_sign(Predicates *P, const int *ids) noexcept nogil:
    """Sign of det(ids), of which the inverse modulo some primes is at hand; UNDECIDED if one of
    those that are wanted divides it."""
    cdef int n = _primes_needed(P.res, ids)
    if P.inv.sign == UNDECIDED and _invert(P, ids, n):
        memcpy(P.scratch, P.inv.det, n * sizeof(uint64_t))
        _digits(P.res, n, P.scratch)
        P.inv.sign = _digits_sign(P.res, n, P.scratch)
    return P.inv.sign


cdef int _quotient_sign(Predicates *P, const int *ids, int n) noexcept nogil:
    """Sign of x / det(ids), for the integer x whose residues stand in the scratch; they are lost.
    UNDECIDED if the sign of det(ids) cannot be had."""
    cdef int q = 0, d
    while q < n and P.scratch[q] == 0:
        q += 1
    if q == n:
        return 0
    _digits(P.res, n, P.scratch)
    d = _digits_sign(P.res, n, P.scratch)
    q = _basis_sign(P, ids)
    return UNDECIDED if q == UNDECIDED else d * q


cdef int _primes_within(const Residues *R, const int *ids, double bound, int shift, int n
                        ) noexcept nogil:
    """How many of n primes tell det(ids) times x from zero, and its sign, where |x| is at most
    2^shift bound; 0 if the product, an integer, is below 1."""
    cdef double bits = shift
    cdef int i, e
    if not bound < 1e300:
        return n
    frexp(bound, &e)
    bits += e
    for i in range(R.r):
        bits += R.bits[ids[i]]
    if bits < -1:
        return 0
    i = <int> ((bits + 2) / 61.99) + 1
    return i if i < n else n


cdef int _sign_in_pairs(Predicates *P, const int *ids, double v, double e, int shift,
                        int *n) noexcept nogil:
    """Sign of what is 2^shift times v, v to within e; UNDECIDED if that needs n primes."""
    if fabs(v) > e:
        P.n_filter += 1
        return 1 if v > 0 else -1
    n[0] = _primes_within(P.res, ids, fabs(v) + e, shift, n[0])
    if n[0] > 0:
        return UNDECIDED
    P.n_separation += 1
    return 0


cdef int _never_zero(Predicates *P, int sign, bint generic) noexcept nogil:
    """The sign, which of a generic entry is not zero."""
    if sign == 0 and generic:
        P.failed = 1
        return 1
    return sign


cdef int coordinate_sign(Predicates *P, const int *ids, int col, int new,
                         bint generic) noexcept nogil:
    """Sign of coordinate `col` of vector `new` in a basis: from pairs of floats, or from its
    product with det(ids), an integer, modulo as many primes as its bound asks for."""
    cdef const Residues *R = P.res
    cdef int changed[MAX_RANK]
    cdef int n = _most_primes(R, ids, col, new, col, new), q, d = UNDECIDED
    cdef const double *x
    cdef double e
    if invert_pairs(&P.pairs, ids):
        x = pair_coordinates(&P.pairs, new, 1)
        e = pair_error(&P.pairs, col, P.pairs.norm[1]) + FLOOR
        d = _sign_in_pairs(P, ids, x[col], e, R.shift[new] - R.shift[ids[col]], &n)
        if d != UNDECIDED:
            return _never_zero(P, d, generic)
    P.n_exact += 1
    if _invert(P, ids, n):
        for q in range(n):
            P.scratch[q] = ar_mulmod(P.inv.det[q], _coordinate(P, q, col, new), R.p[q],
                                     R.minus_inv[q])
        d = _quotient_sign(P, ids, n)
    if d == UNDECIDED:
        memcpy(changed, ids, R.r * sizeof(int))
        d = _exact_sign(P, changed, col, new)
    return _never_zero(P, d, generic)


cdef int minor_sign(Predicates *P, const int *ids, int c, int j, int col, int new, int own,
                    bint generic) noexcept nogil:
    """`coordinate_sign` after j has taken place c: a minor of two coordinates of j and `new`, over
    the coordinate of j, whose sign is `own`, if it is known."""
    cdef const Residues *R = P.res
    cdef int changed[MAX_RANK]
    cdef int n, q, d = UNDECIDED, ld = P.pairs.ld
    cdef uint64_t p, mi, a, b
    cdef const double *x
    cdef const double *y
    cdef double v, e, xc, xs, yc, ys, size = 0
    if own == UNDECIDED:
        own = coordinate_sign(P, ids, c, j, j >= P.first_generic)
    if col == c:
        return own * coordinate_sign(P, ids, c, new, generic)
    n = _most_primes(R, ids, c, j, col, new)
    if invert_pairs(&P.pairs, ids):
        y = pair_coordinates(&P.pairs, j, 0)
        x = pair_coordinates(&P.pairs, new, 1)
        v = ar_minor(y[c], y[c + ld], x[col], x[col + ld], x[c], x[c + ld], y[col], y[col + ld],
                     &size)
        yc = pair_error(&P.pairs, c, P.pairs.norm[0])
        ys = pair_error(&P.pairs, col, P.pairs.norm[0])
        xc = pair_error(&P.pairs, c, P.pairs.norm[1])
        xs = pair_error(&P.pairs, col, P.pairs.norm[1])
        e = ((fabs(y[c]) + yc) * xs + fabs(x[col]) * yc + (fabs(x[c]) + xc) * ys
             + fabs(y[col]) * xc + 20 * U * U * size) * (1 + 64 * U) + FLOOR
        d = _sign_in_pairs(P, ids, v, e, R.shift[j] - R.shift[ids[c]] + R.shift[new]
                           - R.shift[ids[col]], &n)
        if d != UNDECIDED:
            return _never_zero(P, d * own, generic)
    P.n_exact += 1
    if _invert(P, ids, n):
        for q in range(n):
            p, mi = R.p[q], R.minus_inv[q]
            a = ar_mulmod(_coordinate(P, q, c, j), _coordinate(P, q, col, new), p, mi)
            b = ar_mulmod(_coordinate(P, q, c, new), _coordinate(P, q, col, j), p, mi)
            P.scratch[q] = ar_mulmod(P.inv.det[q], _sub(a, b, p), p, mi)
        d = _quotient_sign(P, ids, n)
    if d != UNDECIDED:
        d *= own
    else:
        memcpy(changed, ids, R.r * sizeof(int))
        changed[c] = j
        d = _exact_sign(P, changed, col, new)
    return _never_zero(P, d, generic)


cdef int entry_sign(Predicates *P, const Tableau *T, int lane, int col) noexcept nogil:
    """Exact sign of an entry of the tableau."""
    cdef int ids[MAX_RANK]
    cdef bint generic = lane >= T.n
    cdef double v = T.t[col * T.ld + lane]
    cdef int s
    if T.integral and not generic:
        return (v > 0) - (v < 0)
    s = _decide(P, v, _err(P, T, lane, col), T.det, generic)
    if s != UNDECIDED:
        return s
    _full_basis(P, T, ids)
    return coordinate_sign(P, ids, col, T.id[lane], generic)


cdef double entry_after(const Tableau *T, int c, int j, int lane, int col,
                        double *error) noexcept nogil:
    """Entry (lane, col) of the tableau after lane j is pivoted into column c, and its error bound;
    like `tableau_pivot`, exact integers from an integral tableau and a row j."""
    cdef int ld = T.ld
    cdef double b = T.t[c * ld + j], g = T.t[c * ld + lane], a = T.t[col * ld + lane]
    cdef double bc = T.err[c] if j < T.n else T.g_err[c]
    cdef double bx = T.err[col] if j < T.n else T.g_err[col]
    cdef double ec = T.err[c] if lane < T.n else T.g_err[c]
    cdef double e = T.err[col] if lane < T.n else T.g_err[col]
    cdef double x = T.t[col * ld + j], y, ay, low, ey, back
    if T.integral and j < T.n:
        back = 1 / T.scale
        if col == c:
            error[0] = ec
            return g if b > 0 else -g
        x = -x if b < 0 else x
        b = fabs(b)
        y = (a * b - g * x) * back
        if lane < T.n:
            error[0] = 0
            return rint(y)
        error[0] = ((e * b + ec * fabs(x)) * back * (1 + 16 * U)
                    + 8 * U * back * (fabs(a) * b + fabs(g * x)))
        return y
    y = g / b
    ay = fabs(y)
    low = fabs(b) - bc
    if not low > 0:
        error[0] = INFINITY
        return 0
    ey = (ec + ay * bc) / low + U * ay
    if col == c:
        error[0] = ey * (1 + 32 * U)
        return y
    error[0] = ((e + ay * bx + (fabs(x) + bx) * ey) * (1 + 32 * U)
                + 4 * U * (fabs(a) + ay * fabs(x)))
    return a - y * x


cdef int sign_after(Predicates *P, const Tableau *T, int c, int j, int lane,
                    int col) noexcept nogil:
    """Exact sign of `entry_after`."""
    cdef int ids[MAX_RANK]
    cdef double e = 0, v = entry_after(T, c, j, lane, col, &e), b
    cdef bint generic = lane >= T.n or j >= T.n
    cdef int s, own
    if T.integral and not generic:
        return (v > 0) - (v < 0)
    s = _decide(P, v, P.tol if P.tol > 0 else e,
                T.det * (fabs(T.t[c * T.ld + j]) + T.err[c]) * (1 + 8 * U), generic)
    if s != UNDECIDED:
        return s
    _full_basis(P, T, ids)
    b = T.t[c * T.ld + j]
    own = UNDECIDED
    if fabs(b) > _err(P, T, j, c):
        own = 1 if b > 0 else -1
    return minor_sign(P, ids, c, T.id[j], col, T.id[lane], own, generic)


cdef void narrow_slope(Predicates *P, const Tableau *T, int c, int lane, double *low,
                       double *high) noexcept nogil:
    """Narrow [low, high], which the slope of a lane lies in, by its coordinates in pairs."""
    cdef int ids[MAX_RANK]
    cdef const double *x
    cdef double a, b, q, e
    _full_basis(P, T, ids)
    if not invert_pairs(&P.pairs, ids):
        return
    x = pair_coordinates(&P.pairs, T.id[lane], 1)
    a = pair_error(&P.pairs, 0, P.pairs.norm[1]) + U * fabs(x[0])
    b = pair_error(&P.pairs, c, P.pairs.norm[1]) + U * fabs(x[c])
    if not b < fabs(x[c]) / 1024:
        return
    q = x[0] / x[c]
    e = (a + fabs(q) * b) / fabs(x[c]) * 1.002 + 4 * U * fabs(q) + FLOOR
    if q - e <= high[0] and q + e >= low[0]:
        low[0] = fmax(low[0], q - e)
        high[0] = min(high[0], q + e)


cdef void signs_after(Predicates *P, const Tableau *T, int c, int j, int lane,
                      int *sign) noexcept nogil:
    """`sign_after` of a functional at every column that is not free, and at c."""
    cdef int ld = T.ld, s
    cdef double b = T.t[c * ld + j], y = T.t[c * ld + lane] / b, ay = fabs(y), v, e, x, a
    cdef bint row = j < T.n
    cdef double bc = T.err[c] if row else T.g_err[c], ey, bx
    ey = ((T.g_err[c] + ay * bc) / (fabs(b) - bc) + U * ay) * (1 + 64 * U)
    for s in range(T.w):
        sign[s] = 0
        if s == c:
            v = y
            e = ey
        elif (T.free >> s) & 1:
            continue
        else:
            x = T.t[s * ld + j]
            a = T.t[s * ld + lane]
            bx = T.err[s] if row else T.g_err[s]
            v = a - y * x
            e = ((T.g_err[s] + ay * bx + (fabs(x) + bx) * ey) * (1 + 64 * U)
                 + 4 * U * (fabs(a) + ay * fabs(x)))
        if fabs(b) > bc and fabs(v) > e:
            P.n_filter += 1
            sign[s] = 1 if v > 0 else -1
        else:
            sign[s] = sign_after(P, T, c, j, lane, s)


# -- rays of small integer arrangements ------------------------------------------------------

cdef struct _Search:
    Rays *rays
    int limit
    int rho
    int n
    int64_t a[64][8]           # the vectors
    uint64_t *seen             # open addressing by zero sets
    int n_slots


cdef int64_t _value(const int64_t *a, const int64_t *v, int rho) noexcept nogil:
    cdef int64_t x = 0
    cdef int s
    for s in range(rho):
        x += a[s] * v[s]
    return x


cdef int64_t gcd(int64_t a, int64_t b) noexcept nogil:
    cdef int64_t t
    a = -a if a < 0 else a
    b = -b if b < 0 else b
    while b:
        t = a % b
        a = b
        b = t
    return a


@cython.overflowcheck(False)  # the hash wraps
cdef int _keep_ray(_Search *S, const int64_t *v) noexcept nogil:
    """Add a ray unless its flat was met before; 1 when there are too many."""
    cdef uint64_t plus = 0, minus = 0, zero, h
    cdef int64_t x, g = 0
    cdef int k, s, rho = S.rho
    cdef Rays *R = S.rays
    for k in range(S.n):
        x = _value(S.a[k], v, rho)
        if x > 0:
            plus |= <uint64_t> 1 << k
        elif x < 0:
            minus |= <uint64_t> 1 << k
    zero = plus | minus  # supports are never empty, so 0 marks a free slot
    h = (zero * <uint64_t> 0x9E3779B97F4A7C15) >> 40
    while True:
        h &= S.n_slots - 1
        if S.seen[h] == zero:
            return 0
        if S.seen[h] == 0:
            break
        h += 1
    if R.count == S.limit:
        return 1
    S.seen[h] = zero
    for s in range(rho):
        g = gcd(g, v[s])
    for s in range(rho):
        R.t[s * R.ld + R.count] = <double> (v[s] // g)
    R.plus[R.count] = plus
    R.minus[R.count] = minus
    R.count += 1
    return 0


cdef int _search(_Search *S, const int64_t *null, int depth, int start,
                 int64_t last) noexcept nogil:
    """Independent sets i_1 < ... < i_{rho-1}, with a basis of what each leaves free (Bareiss)."""
    cdef int64_t child[64]
    cdef int64_t x[8]
    cdef int rho = S.rho, width = rho - depth, i, j, k, s, p
    if width == 1:
        return _keep_ray(S, null)
    for i in range(start, S.n - (width - 2)):
        p = -1
        for j in range(width):
            x[j] = _value(S.a[i], null + j * rho, rho)
            if x[j] != 0 and p < 0:
                p = j
        if p < 0:
            continue
        k = 0
        for j in range(width):
            if j == p:
                continue
            for s in range(rho):
                child[k * rho + s] = (x[p] * null[j * rho + s] - x[j] * null[p * rho + s]) // last
            k += 1
        if _search(S, child, depth + 1, i + 1, x[p]):
            return 1
    return 0


cdef int find_rays(const int *rest, int n, int rho, int limit, Rays *rays) noexcept nogil:
    """All rays of the rho unit vectors and the n - rho rows of `rest`, at most `limit`; 1 if
    there are more, or if integers could overflow. `rays` comes with its arrays."""
    cdef _Search S
    cdef int64_t unit[64]
    cdef int k, s, _s
    cdef double norm, bound = 1
    if n > 64 or rho > 8:
        return 1
    S.rays = rays
    S.limit = limit
    S.rho = rays.rho = rho
    S.n = rays.n = n
    rays.count = 0
    S.n_slots = 1
    while S.n_slots < 4 * limit:
        S.n_slots *= 2
    for k in range(n):
        norm = 0
        for s in range(rho):
            S.a[k][s] = (k == s) if k < rho else rest[(k - rho) * rho + s]
            norm += fabs(<double> S.a[k][s])
        if norm > bound:
            bound = norm
    # minors are at most bound^rho, and sums of products of two of them must fit
    norm = 1
    for _s in range(rho - 1):
        norm *= bound
    if norm * norm * bound * 2 * rho > 9e18:
        return 1
    S.seen = <uint64_t *> calloc(S.n_slots, sizeof(uint64_t))
    if S.seen == NULL:
        return 1
    for k in range(rho * rho):
        unit[k] = k % (rho + 1) == 0
    k = _search(&S, unit, 0, 0, 1)
    free(S.seen)
    return k


cdef int rank_of(const int *rest, int n, int rho, uint64_t members) noexcept nogil:
    """Rank of some of the vectors of `find_rays`, which has checked that their minors fit."""
    cdef int64_t a[64][8]
    cdef int64_t last = 1, x, y
    cdef int m = 0, k, s, i, rank = 0
    for k in range(n):
        if (members >> k) & 1:
            for s in range(rho):
                a[m][s] = (k == s) if k < rho else rest[(k - rho) * rho + s]
            m += 1
    for s in range(rho):
        k = rank
        while k < m and a[k][s] == 0:
            k += 1
        if k == m:
            continue
        for i in range(rho):
            x = a[k][i]
            a[k][i] = a[rank][i]
            a[rank][i] = x
        x = a[rank][s]
        for k in range(rank + 1, m):
            y = a[k][s]
            for i in range(rho):
                a[k][i] = (x * a[k][i] - y * a[rank][i]) // last  # Bareiss 1968
        last = x
        rank += 1
    return rank


cdef bint functional_on_rays(Predicates *P, const Tableau *T, const Rays *rays, const int *lane,
                             uint64_t turned, double *scratch, uint64_t *plus,
                             uint64_t *doubt) noexcept nogil:
    """Signs of the functional of T (its last lane) on all rays; False if any is in doubt.

    Basis vector s of the rays is column lane[s] of T, negated where `turned`.

    A ray v has b_s.v = scale * v_s on the basis, so the functional sum lambda_s b_s is there
    sum lambda_s v_s up to a positive factor.
    """
    cdef double x[8]
    cdef double e[8]
    cdef int s, i, n_words = (rays.count + 63) >> 6
    for s in range(T.w):
        x[s] = T.t[lane[s] * T.ld + T.n]
        if (turned >> s) & 1:
            x[s] = -x[s]
        e[s] = T.g_err[lane[s]]
    ar_combine(rays.t, x, e, T.w, rays.ld, scratch, scratch + rays.ld)
    ar_signs(scratch, scratch + rays.ld, 0, rays.ld, plus, doubt)
    P.n_filter += rays.count
    for i in range(n_words):
        if i == n_words - 1 and rays.count & 63:
            doubt[i] &= (<uint64_t> 1 << (rays.count & 63)) - 1
        if doubt[i]:
            return False
    return True
