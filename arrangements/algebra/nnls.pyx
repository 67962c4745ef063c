"""Small dense least squares with bounds: min ||A x - b|| subject to 0 <= x <= upper.

The active-set method of Lawson and Hanson (1974, chapter 23), with upper bounds as in Stark and
Parker (1995). The columns of the passive variables are kept as an orthonormal basis Q and a
triangle R (Gram-Schmidt twice, rotations when a column leaves), never as a Gram matrix, so that
cones as thin as needles keep half of their digits more. At most r columns are passive.
"""
from libc.math cimport hypot, sqrt
from libc.string cimport memcpy

import numpy as np

cdef double EPS = 2.220446049250313e-16
cdef double INFINITE = float("inf")
cdef double DEPENDENT = 1e-13  # what is left of a column in the span of the passive ones, relative


cdef size_t nnls_doubles(int r) noexcept nogil:
    """Doubles of scratch that `nnls_solve` needs."""
    return 2 * r * r + 3 * r


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


cdef int entering(const LeastSquares *S, double best) noexcept nogil:
    """The variable at a bound that shortens the residual most where it leaves that; -1 if none
    does so by more than `best`, which is rounding."""
    cdef int j, chosen = -1, r = S.r
    cdef double x
    for j in range(S.k):
        if S.state[j] > UPPER or S.norm[j] == 0 or S.upper[j] <= 0:
            continue
        x = dot(S.a + j * r, S.residual, r)
        x = (x if S.state[j] == LOWER else -x) / S.norm[j]
        if x > best:
            best = x
            chosen = j
    return chosen


cdef void solving(const double *q, const double *R, const double *rhs, int r, int p,
                  double *z) noexcept nogil:
    """Least squares in the p passive variables without bounds."""
    cdef int s, i
    cdef double x
    for s in range(p - 1, -1, -1):
        x = dot(q + s * r, rhs, r)
        for i in range(s + 1, p):
            x -= R[i * r + s] * z[i]
        z[s] = x / R[s * r + s]


cdef int leaving(const LeastSquares *S, const double *z, int p) noexcept nogil:
    """Move the passive variables towards z as far as bounds allow; the place of the one that meets
    its bound first, -1 if none does."""
    cdef int s, j, first = -1
    cdef double bound, x, step = 1
    for s in range(p):
        j = S.passive[s]
        if z[s] < 0 or z[s] > S.upper[j]:
            bound = 0 if z[s] < 0 else S.upper[j]
            x = (bound - S.x[j]) / (z[s] - S.x[j]) if z[s] != S.x[j] else 0
            if x < step or first < 0:
                step = x
                first = s
    for s in range(p):
        j = S.passive[s]
        x = z[s] if first < 0 else S.x[j] + step * (z[s] - S.x[j])
        S.x[j] = min(max(x, 0.0), S.upper[j])
    if first >= 0:
        j = S.passive[first]
        S.state[j] = LOWER if z[first] < 0 else UPPER
        S.x[j] = 0 if z[first] < 0 else S.upper[j]
    return first


cdef int nnls_solve(LeastSquares *S) noexcept nogil:
    """Solve. Returns the number of columns tried, or -1 where a limit of 10 (k + r) + 50 stopped
    it; x is feasible then too."""
    cdef int r = S.r, k = S.k, p = 0, n_tried = 0, chosen = -1, j, s, i
    cdef double *q = S.work
    cdef double *R = q + r * r
    cdef double *z = R + r * r
    cdef double *rhs = z + r       # b less what is at an upper bound
    cdef double size, square, least = INFINITE
    memcpy(rhs, S.b, r * sizeof(double))
    for j in range(k):
        S.x[j] = S.upper[j] if S.state[j] == UPPER else 0
        if S.x[j] != 0:
            subtract(rhs, S.a + j * r, S.x[j], r)
    while True:
        memcpy(S.residual, rhs, r * sizeof(double))
        for s in range(p):
            subtract(S.residual, S.a + S.passive[s] * r, S.x[S.passive[s]], r)
        square = dot(S.residual, S.residual, r)
        if square <= S.enough * S.enough:
            return n_tried
        # in exact arithmetic every column tried shortens the residual; one that did not, and
        # left again, would be tried for ever
        if square < least:
            least = square
            for j in range(k):
                S.state[j] &= ~BLOCKED
        elif chosen >= 0 and S.state[chosen] != PASSIVE:
            S.state[chosen] |= BLOCKED
        size = sqrt(dot(S.b, S.b, r))
        for j in range(k):
            size += S.x[j] * S.norm[j]
        chosen = entering(S, 4 * (r + 4) * EPS * size) if p < r else -1
        if chosen < 0:
            return n_tried
        if n_tried == 10 * (k + r) + 50:
            return -1
        n_tried += 1
        if not enter(q, R, r, p, S.a + chosen * r, S.norm[chosen]):
            S.state[chosen] |= BLOCKED
            continue
        if S.state[chosen] == UPPER:
            subtract(rhs, S.a + chosen * r, -S.x[chosen], r)
        S.state[chosen] = PASSIVE
        S.passive[p] = chosen
        p += 1
        while p > 0:
            solving(q, R, rhs, r, p, z)
            i = leaving(S, z, p)
            if i < 0:
                break
            j = S.passive[i]
            if S.state[j] == UPPER:
                subtract(rhs, S.a + j * r, S.x[j], r)
            leave(q, R, r, p, i, S.passive)
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
    cdef int r = columns.shape[1], k = columns.shape[0], n_tried = 0
    cdef double[::1] target = np.array(b, dtype=np.float64, ndmin=1)
    limits = np.full(k, np.inf)
    limits[:] = np.inf if upper is None else upper
    cdef double[::1] bounds = limits, lengths = np.linalg.norm(rows, axis=1)
    cdef double[::1] x = np.zeros(k), residual = target.copy()
    cdef double[::1] work = np.empty(nnls_doubles(r))
    cdef int[::1] passive = np.empty(r, dtype=np.int32)
    cdef unsigned char[::1] state = np.zeros(k, dtype=np.uint8)
    cdef LeastSquares S
    if r and k:
        S = LeastSquares(r, k, &columns[0, 0], &lengths[0], &target[0], &bounds[0], 0, &state[0],
                         &x[0], &residual[0], &work[0], &passive[0])
        with nogil:
            n_tried = nnls_solve(&S)
    if n_tried < 0:
        raise ArithmeticError(f"least squares did not settle within {10 * (k + r) + 50} steps")
    return np.asarray(x), np.asarray(residual)
