"""Small dense least squares with bounds: min ||A x - b|| subject to 0 <= x <= upper.

The active-set method of Lawson and Hanson (1974, chapter 23), with upper bounds as in Stark and
Parker (1995). The columns of the passive variables are kept as an orthonormal basis Q and a
triangle R (Gram-Schmidt twice, rotations when a column leaves), never as a Gram matrix, so that
cones as thin as needles keep half of their digits more. At most r columns are passive.
"""
from libc.math cimport hypot, sqrt
from libc.stdlib cimport free, malloc

import numpy as np

cdef double EPS = 2.220446049250313e-16
cdef double INFINITE = float("inf")
cdef double DEPENDENT = 1e-13  # what is left of a column in the span of the passive ones, relative


cdef size_t nnls_doubles(int r, int k) noexcept nogil:
    """Doubles of scratch that `nnls_solve` needs."""
    return 2 * r * r + 5 * r


cdef inline double dot(const double *a, const double *b, int r) noexcept nogil:
    cdef double s = 0
    cdef int c
    for c in range(r):
        s += a[c] * b[c]
    return s


cdef inline void subtract(double *y, const double *a, double f, int r) noexcept nogil:
    cdef int c
    for c in range(r):
        y[c] -= f * a[c]


cdef bint enter(double *q, double *R, int r, int p, const double *a, double norm) noexcept nogil:
    """Append a column to the factors of p columns; False if it depends on them."""
    cdef double *last = q + p * r
    cdef double f, size
    cdef int s, _i, c
    for c in range(r):
        last[c] = a[c]
    for s in range(p):
        R[p * r + s] = 0
    for _i in range(2):
        for s in range(p):
            f = dot(q + s * r, last, r)
            R[p * r + s] += f
            subtract(last, q + s * r, f, r)
    size = sqrt(dot(last, last, r))
    if not size > DEPENDENT * norm:
        return False
    R[p * r + p] = size
    for c in range(r):
        last[c] /= size
    return True


cdef void leave(double *q, double *R, int r, int p, int at, int *passive) noexcept nogil:
    """Drop column `at` of p: rotations make a triangle of what is left."""
    cdef double f, g, h, s, t
    cdef int i, j, c
    for j in range(at, p - 1):
        passive[j] = passive[j + 1]
        for i in range(j + 2):
            R[j * r + i] = R[(j + 1) * r + i]
    for i in range(at, p - 1):
        f = R[i * r + i]
        g = R[i * r + i + 1]
        h = hypot(f, g)
        if h == 0:
            continue
        f /= h
        g /= h
        for j in range(i, p - 1):
            s = R[j * r + i]
            t = R[j * r + i + 1]
            R[j * r + i] = f * s + g * t
            R[j * r + i + 1] = f * t - g * s
        for c in range(r):
            s = q[i * r + c]
            t = q[(i + 1) * r + c]
            q[i * r + c] = f * s + g * t
            q[(i + 1) * r + c] = f * t - g * s


cdef int nnls_solve(const double *a, int lda, int r, int k, const double *norm, const double *b,
                    const double *upper, double enough, double *x, unsigned char *state,
                    double *residual, double *work, int *passive) noexcept nogil:
    """Least squares in k variables; the columns are rows of `a`, r numbers every lda.

    norm: the lengths of the columns. state: LOWER or UPPER for each variable on entry, where to
    start from (UPPER only where upper is finite); the final states on return. x and residual
    (b - A x) are written; a residual no longer than `enough` is not made shorter. work:
    `nnls_doubles`; passive: r integers. Returns the number of columns
    tried, or -1 where a limit of 10 (k + r) + 50 stopped it; x is feasible then too.
    """
    cdef double *q = work
    cdef double *R = q + r * r
    cdef double *z = R + r * r
    cdef double *rhs = z + r
    cdef double *y = rhs + r
    cdef double w, score, best, size, step, least, now, bound, value
    cdef int p = 0, n_tried = 0, j, s, i, c, chosen
    for c in range(r):
        rhs[c] = b[c]
    for j in range(k):
        x[j] = upper[j] if state[j] == UPPER else 0
        if x[j] != 0:
            subtract(rhs, a + j * lda, x[j], r)
    least = INFINITE
    chosen = -1
    while True:
        for c in range(r):
            residual[c] = rhs[c]
        size = sqrt(dot(b, b, r))
        for s in range(p):
            subtract(residual, a + passive[s] * lda, x[passive[s]], r)
        now = dot(residual, residual, r)
        if now <= enough * enough:
            return n_tried
        if now < least:
            least = now
            for j in range(k):
                state[j] &= ~BLOCKED
        elif chosen >= 0 and state[chosen] != PASSIVE:
            state[chosen] |= BLOCKED
        for j in range(k):
            size += x[j] * norm[j]
        best = 4 * (r + 4) * EPS * size
        chosen = -1
        if p < r:
            for j in range(k):
                if state[j] > UPPER or norm[j] == 0 or upper[j] <= 0:
                    continue
                w = dot(a + j * lda, residual, r)
                score = (w if state[j] == LOWER else -w) / norm[j]
                if score > best:
                    best = score
                    chosen = j
        if chosen < 0:
            return n_tried
        if n_tried == 10 * (k + r) + 50:
            return -1
        n_tried += 1
        if not enter(q, R, r, p, a + chosen * lda, norm[chosen]):
            state[chosen] |= BLOCKED
            continue
        if state[chosen] == UPPER:
            subtract(rhs, a + chosen * lda, -x[chosen], r)
        state[chosen] = PASSIVE
        passive[p] = chosen
        p += 1
        while p > 0:
            for s in range(p):
                y[s] = dot(q + s * r, rhs, r)
            for s in range(p - 1, -1, -1):
                value = y[s]
                for i in range(s + 1, p):
                    value -= R[i * r + s] * z[i]
                z[s] = value / R[s * r + s]
            step = 1
            i = -1
            for s in range(p):
                j = passive[s]
                if z[s] < 0 or z[s] > upper[j]:
                    bound = 0 if z[s] < 0 else upper[j]
                    value = (bound - x[j]) / (z[s] - x[j]) if z[s] != x[j] else 0
                    if value < step or i < 0:
                        step = value
                        i = s
            for s in range(p):
                j = passive[s]
                x[j] = z[s] if i < 0 else x[j] + step * (z[s] - x[j])
                x[j] = min(max(x[j], 0.0), upper[j])
            if i < 0:
                break
            j = passive[i]
            state[j] = LOWER if z[i] < 0 else UPPER
            x[j] = 0 if z[i] < 0 else upper[j]
            if state[j] == UPPER:
                subtract(rhs, a + j * lda, x[j], r)
            leave(q, R, r, p, i, passive)
            p -= 1


def bounded_least_squares(A, b, upper=None):
    """Minimise ||A x - b|| subject to 0 <= x <= upper.

    Parameters
    ----------
    A : array-like of float, shape (r, k)
        Any columns: repeated, parallel, opposite and zero ones too.
    b : array-like of float, shape (r,)
    upper : array-like of float, shape (k,), optional
        Nonnegative, may be infinite; left out, there are no upper bounds.

    Returns
    -------
    x : ndarray of float64, shape (k,)
        With columns that depend on each other one of the minimisers.
    residual : ndarray of float64, shape (r,)
        b - A x, the same for every minimiser. Without upper bounds A x is the projection of b
        onto the cone of the columns, and the residual its projection onto the polar cone.

    Raises
    ------
    ArithmeticError
        If the limit of 10 (k + r) + 50 steps is met.

    References
    ----------
    C. L. Lawson and R. J. Hanson, Solving Least Squares Problems, 1974, chapter 23.
    P. B. Stark and R. L. Parker, Bounded-variable least-squares, Computational Statistics 10, 1995.

    Examples
    --------
    >>> x, residual = bounded_least_squares([[1, 0], [0, 1]], [2, -1], [1, 1])
    >>> x.tolist(), residual.tolist()
    ([1.0, 0.0], [1.0, -1.0])
    """
    rows = np.array(np.asarray(A, dtype=np.float64).T, order="C")
    cdef double[:, ::1] columns = rows
    cdef int r = columns.shape[1], k = columns.shape[0], n_tried
    cdef double[::1] target = np.array(b, dtype=np.float64, ndmin=1)
    limits = np.full(k, np.inf)
    limits[:] = np.inf if upper is None else upper
    cdef double[::1] bounds = limits, lengths = np.linalg.norm(rows, axis=1)
    cdef double[::1] x = np.zeros(k), residual = target.copy()
    cdef unsigned char[::1] state = np.zeros(k, dtype=np.uint8)
    cdef double *work = <double *> malloc((nnls_doubles(r, k) + 1) * sizeof(double))
    cdef int *passive = <int *> malloc((r + 1) * sizeof(int))
    if work == NULL or passive == NULL:
        free(work)
        free(passive)
        raise MemoryError("no memory for least squares")
    if r and k:
        with nogil:
            n_tried = nnls_solve(&columns[0, 0], r, r, k, &lengths[0], &target[0], &bounds[0],
                                 0, &x[0], &state[0], &residual[0], work, passive)
    else:
        n_tried = 0
    free(work)
    free(passive)
    if n_tried < 0:
        raise ArithmeticError(f"least squares did not settle within {10 * (k + r) + 50} steps")
    return np.asarray(x), np.asarray(residual)
