"""Branch and bound for maxima of f(u) = a.u + sum_i w_i (z_i.u)_+ over the unit ball.

Space is cut into simplicial cones K, first the orthants. Over a cone with rays g_1..g_r,

    (z.u)_+ with w > 0   is below its interpolation from the rays, for it is convex;
    (z.u)_+ with w < 0   is linear where z has one sign on K, else above t z.u for t in [0, 1],

so f(u) <= rho.u <= |rho| for every rho with

    rho.g_j >= a.g_j + sum_{w > 0} w_i (z_i.g_j)_+ - sum_{w < 0} |w_i| t_i z_i.g_j,    j = 1..r.

The shortest such rho, over all t, comes from one small least squares problem with bounds, and
rho / |rho| is where the relaxation is largest. Where rows with w > 0 take both signs on K, K is
cut at the hyperplane of the one whose interpolation errs most there: the new ray lies in that
hyperplane, on an edge. A row that has one sign on K keeps it in all parts, and every cut takes one
pair of rays of different signs from a row, so the cuts come to an end; then f is concave on K and
the bound is its maximum.

Nothing here decides a sign that matters: values within TINY of zero count as zero, which changes
f by as much, and every bound is checked against the inequalities above at the rays, whatever the
least squares gave.
"""
from libc.math cimport fabs, sqrt
from libc.stdlib cimport calloc, free, malloc, realloc
from libc.string cimport memcpy, memset

import numpy as np

from arrangements.algebra.nnls cimport LOWER, UPPER, LeastSquares, dot, nnls_doubles, nnls_solve

cdef enum:
    MAX_RANK = 64
    MAX_DEPTH = 2000           # of the recursion; what lies deeper keeps its bound
    MAX_STEPS = 200
    MAX_CONVEX = 8             # rows with w > 0 through a maximum; if more, it is kept unseen

cdef double INFINITE = float("inf")
cdef double TINY = 2e-14           # rows and rays have length 1
cdef double SLACK = 1e-13          # a bound this much above the threshold is pruned,
cdef double MARGIN = 1e-11         # a slope this small is none: relative to the sum of all weights
cdef double KINK = 1e-9            # a maximum this near a hyperplane may lie in it
cdef double SAME = 1e-7            # maxima nearer than this are one

cdef struct Ray:
    double *g                      # (r)
    double *y                      # (m) z_i.g

cdef struct Frame:
    Ray own                     # the ray that cuts this cone
    Ray *ray[MAX_RANK]
    double *dual                   # (r, r): dual[j].ray[k] = [j == k]
    double *linear                 # (r) a and the sum of w_i z_i over rows positive on the cone
    int n_open                     # rows that are not linear on the cone,
    int n_convex                   # the first of them with w > 0
    int *row
    unsigned char *plus            # rays on which an open row is positive
    unsigned char *minus
    unsigned char *state           # of t in the least squares

cdef struct Cut:                   # the new ray, alpha ray[a] + beta ray[b]
    int a
    int b
    double alpha
    double beta


cdef double unit(double *v, int r) noexcept nogil:
    """Make a vector one of length 1, if it is not zero; its length."""
    cdef double size = sqrt(dot(v, v, r))
    cdef int c
    for c in range(r):
        v[c] = v[c] / size if size > 0 else 0.0
    return size


cdef class Search:
    """Maxima of one function in the orthants; one thread at a time.

    Parameters
    ----------
    rows : ndarray of float64, shape (m, r)
        Of length 1, those with w > 0 first.
    weights : ndarray of float64, shape (m,)
        Not zero.
    linear : ndarray of float64, shape (r,)
    shared : ndarray of float64, shape (2,)
        Threshold, common to all searches that run together: what does not exceed it is not looked
        for; and 1 to stop.
    limit : int
        How many local maxima above the threshold to keep, 0 for the global one only: then the
        threshold is raised to the best value found, else to that of the worst one kept.
    spread : float
        Coordinates of unit vectors in the rays of the first cones sum to this at most.
    """
    cdef int m, n_convex, r
    cdef int n_frames
    cdef Frame **frames
    cdef Ray *first
    cdef double *z                 # (r, m)
    cdef double *by_row            # (m, r)
    cdef double *w
    cdef double *a
    cdef volatile double *shared
    cdef double spread, total
    cdef double *columns           # (m + r, r) of the least squares; how long, their bounds
    cdef double *norms
    cdef double *upper
    cdef LeastSquares fit
    cdef double rho[MAX_RANK]      # its residual
    cdef int passive[MAX_RANK]
    cdef double *y                 # (m) z_i.u for the point u in question
    cdef Py_ssize_t limit, n_kept, room
    cdef double *kept              # (n_kept, 1 + r): height, point
    cdef readonly double share     # number of cones that are done
    cdef readonly double slack     # far less than what rounding changes, and not 0 where h(v) is
    cdef readonly double level     # no bound that was pruned is larger, but for the slack
    cdef readonly double ceiling   # nor, for other reasons, than this
    cdef readonly Py_ssize_t n_screened, n_projected
    cdef readonly bint dropped     # maxima above the first threshold were left out
    cdef list keep

    def __cinit__(self, double[:, ::1] rows, double[::1] weights, double[::1] linear,
                  double[::1] shared, Py_ssize_t limit, double spread):
        cdef int i, c, m = rows.shape[0], r = rows.shape[1]
        self.m, self.r = m, r
        self.n_convex = 0
        while self.n_convex < m and weights[self.n_convex] > 0:
            self.n_convex += 1
        self.limit, self.spread = limit, spread
        self.ceiling = -INFINITE
        self.keep = [rows, weights, linear, shared]
        self.by_row = &rows[0, 0] if m else NULL
        self.w = &weights[0] if m else NULL
        self.a = &linear[0]
        self.shared = &shared[0]
        self.frames = <Frame **> calloc(MAX_DEPTH, sizeof(Frame *))
        self.z = <double *> malloc((m * r + 1) * sizeof(double))
        self.columns = <double *> malloc((m + r) * r * sizeof(double))
        self.norms = <double *> malloc((m + r) * sizeof(double))
        self.upper = <double *> malloc((m + r) * sizeof(double))
        self.fit = LeastSquares(
            r, 0, self.columns, self.norms, NULL, self.upper, 0, <unsigned char *> malloc(m + r),
            <double *> malloc((m + r) * sizeof(double)), &self.rho[0],
            <double *> malloc(nnls_doubles(r) * sizeof(double)), &self.passive[0])
        self.y = <double *> malloc((m + 1) * sizeof(double))
        self.first = <Ray *> calloc(r, sizeof(Ray))
        if (self.frames == NULL or self.z == NULL or self.columns == NULL or self.norms == NULL
                or self.upper == NULL or self.fit.x == NULL or self.fit.state == NULL
                or self.fit.work == NULL or self.y == NULL or self.first == NULL):
            raise MemoryError
        for i in range(m):
            self.total += fabs(weights[i])
            for c in range(r):
                self.z[c * m + i] = rows[i, c]
        for i in range(r):
            self.total += fabs(linear[i])
            if not self._new_ray(&self.first[i]):
                raise MemoryError
        self.slack = SLACK * self.total

    def __dealloc__(self):
        cdef int i
        for i in range(self.n_frames):
            free(self.frames[i].own.g)
            free(self.frames[i].dual)
            free(self.frames[i].row)
            free(self.frames[i].plus)
            free(self.frames[i])
        if self.first != NULL:
            for i in range(self.r):
                free(self.first[i].g)
        free(self.first)
        free(self.frames)
        free(self.z)
        free(self.columns)
        free(self.norms)
        free(self.upper)
        free(self.fit.x)
        free(self.fit.state)
        free(self.fit.work)
        free(self.y)
        free(self.kept)

    cdef bint _new_ray(self, Ray *v) noexcept nogil:
        v.g = <double *> malloc((self.r + self.m) * sizeof(double))
        v.y = v.g + self.r
        return v.g != NULL

    cdef Frame *_frame(self, int depth) noexcept nogil:
        cdef Frame *F
        if depth >= MAX_DEPTH:
            return NULL
        if depth == self.n_frames:
            F = <Frame *> calloc(1, sizeof(Frame))
            if F == NULL:
                return NULL
            F.dual = <double *> malloc((self.r + 1) * self.r * sizeof(double))
            F.row = <int *> malloc((self.m + 1) * sizeof(int))
            F.plus = <unsigned char *> malloc(3 * self.m + 1)
            if not self._new_ray(&F.own) or F.dual == NULL or F.row == NULL or F.plus == NULL:
                free(F.own.g)
                free(F.dual)
                free(F.row)
                free(F.plus)
                free(F)
                return NULL
            F.linear = F.dual + self.r * self.r
            F.minus = F.plus + self.m
            F.state = F.minus + self.m
            self.frames[depth] = F
            self.n_frames += 1
        return self.frames[depth]

    cdef void _values(self, const double *g, double *y) noexcept nogil:
        """y_i = z_i.g for all rows."""
        cdef int i, c, m = self.m
        cdef const double *z = self.z
        cdef double x = g[0]
        for i in range(m):
            y[i] = x * z[i]
        for c in range(1, self.r):
            x = g[c]
            z += m
            for i in range(m):
                y[i] += x * z[i]

    cdef double _height(self, const double *u, const double *y) noexcept nogil:
        """f(u), given y."""
        cdef double s = 0
        cdef int i
        for i in range(self.m):
            s += self.w[i] * (y[i] if y[i] > 0 else 0.0)
        for i in range(self.r):
            s += self.a[i] * u[i]
        return s

    def run(self, const double[:, ::1] rays, const double[:, ::1] dual):
        """Search the cone of rays of length 1, rows of `rays`; dual @ rays.T is the identity."""
        cdef Frame *F = self._frame(0)
        cdef int i, j, k, plus, minus, r = self.r
        cdef double x
        if F == NULL:
            raise MemoryError
        memcpy(F.linear, self.a, r * sizeof(double))
        for j in range(r):
            F.ray[j] = &self.first[j]
            memcpy(F.ray[j].g, &rays[j, 0], r * sizeof(double))
            memcpy(F.dual + j * r, &dual[j, 0], r * sizeof(double))
            self._values(F.ray[j].g, F.ray[j].y)
        F.n_open = F.n_convex = 0
        for i in range(self.m):
            plus = minus = 0
            for j in range(r):
                x = F.ray[j].y[i]
                plus += x > TINY
                minus += x < -TINY
            if self._is_open(i, plus, minus):
                k = F.n_open
                F.row[k] = i
                F.plus[k] = <unsigned char> plus
                F.minus[k] = <unsigned char> minus
                F.state[k] = LOWER
                F.n_open += 1
                F.n_convex += i < self.n_convex
            elif plus:
                self._settle(F, i)
        with nogil:
            self._explore(0, 1.0, INFINITE)

    cdef bint _is_open(self, int i, int plus, int minus) noexcept nogil:
        """Whether row i, positive and negative on so many rays, is not linear on the cone (or, for
        w < 0, near it: a maximum may be at its kink)."""
        if i < self.n_convex:
            return plus > 0 and minus > 0
        return plus < self.r and minus < self.r

    cdef void _settle(self, Frame *F, int i) noexcept nogil:
        cdef int c
        for c in range(self.r):
            F.linear[c] += self.w[i] * self.by_row[i * self.r + c]

    cdef void _explore(self, int depth, double share, double outer) noexcept nogil:
        """Search a cone, bounded by `outer`: bound, prune or cut."""
        cdef Frame *F = self.frames[depth]
        cdef Frame *child
        cdef int _i, row
        cdef Cut cut
        cdef double u[MAX_RANK]
        cdef double lam[MAX_RANK]
        cdef double bound, height
        self.n_screened += 1
        bound = min(self._bound(F, u), outer)
        if self._is_low(bound):
            self.share += share
            return
        if self.shared[1] != 0:
            self.ceiling = max(self.ceiling, bound)
            return
        # maxima of the whole function are wanted, not those a cone has on its boundary
        if self.limit and self._leads_out(F):
            self.share += share
            return
        # where the relaxation is largest f is often large: that may raise the threshold
        self._values(u, self.y)
        height = self._height(u, self.y)
        if self.limit == 0:
            self._raise(height, u)
            if self._is_low(bound):
                self.share += share
                return
        elif F.n_convex == 0 and height > self.shared[0] and self._is_peak(height):
            self._add(height, u)
        if F.n_convex == 0:
            # f is concave here: bound and height are the same but for rounding
            self.n_projected += 1
            self.ceiling = max(self.ceiling, bound)
            self.share += share
            return
        child = self._frame(depth + 1)
        if child == NULL:
            self.ceiling = max(self.ceiling, bound)
            return
        row = self._choose_row(F, u, bound, lam)
        cut = self._choose_edge(F, row, lam)
        # first the part with the relaxation's maximum: the sooner the threshold rises, the better
        if lam[cut.a] * cut.beta > lam[cut.b] * cut.alpha:
            cut = Cut(cut.b, cut.a, cut.beta, cut.alpha)
        for _i in range(2):
            self._part(F, child, cut)
            self._explore(depth + 1, share / 2, bound)
            cut = Cut(cut.b, cut.a, cut.beta, cut.alpha)

    cdef int _choose_row(self, const Frame *F, const double *u, double bound, double *lam
                         ) noexcept nogil:
        """The row at which to cut, and weights `lam` of the rays: coordinates of u. It is the row
        whose interpolation errs most at u, by |w| times the smaller part of sum lam_j z.g_j."""
        cdef int r = self.r, i, j, row = -1
        cdef double best = -1, plus, minus, x
        for j in range(r):
            lam[j] = max(dot(F.dual + j * r, u, r), 0.0)
        for i in range(F.n_convex):
            plus = minus = 0
            for j in range(r):
                x = lam[j] * F.ray[j].y[F.row[i]]
                if x > 0:
                    plus += x
                else:
                    minus -= x
            x = self.w[F.row[i]] * min(plus, minus)
            if x > best:
                best = x
                row = F.row[i]
        if best > 1e-15 * fabs(bound):
            return row
        # none errs at u, the bound is above f for rounding alone or that of an outer cone: any
        # cut will do, best one that is wide
        best = -1
        for i in range(F.n_convex):
            plus = minus = 0
            for j in range(r):
                x = F.ray[j].y[F.row[i]]
                plus = max(plus, x)
                minus = max(minus, -x)
            x = self.w[F.row[i]] * min(plus, minus)
            if x > best:
                best = x
                row = F.row[i]
        for j in range(r):
            lam[j] = 1
        return row

    cdef Cut _choose_edge(self, Frame *F, int row, const double *lam) noexcept nogil:
        """Cut the edge between the two rays, of different signs, where the row weighs most: the
        new ray becomes F.own."""
        cdef int j, a = -1, b = -1
        cdef double plus = 0, minus = 0, x, alpha, beta, length
        for j in range(self.r):
            x = F.ray[j].y[row]
            if x > TINY and (a < 0 or lam[j] * x > plus):
                plus = lam[j] * x
                a = j
            elif x < -TINY and (b < 0 or -lam[j] * x > minus):
                minus = -lam[j] * x
                b = j
        alpha = -F.ray[b].y[row]
        beta = F.ray[a].y[row]
        for j in range(self.r):
            F.own.g[j] = alpha * F.ray[a].g[j] + beta * F.ray[b].g[j]
        length = unit(F.own.g, self.r)
        self._values(F.own.g, F.own.y)
        F.own.y[row] = 0
        return Cut(a, b, alpha / length, beta / length)

    cdef bint _is_low(self, double bound) noexcept nogil:
        # read once: other threads may write, and a higher threshold be overwritten by a lower one
        cdef double level = self.shared[0]
        if bound > level + self.slack:
            return False
        self.level = max(self.level, level)
        return True

    cdef void _part(self, const Frame *F, Frame *child, Cut cut) noexcept nogil:
        """The part of a cone with the new ray in the place of ray a."""
        cdef int r = self.r, i, j, k, a = cut.a, plus, minus
        cdef const double *old = F.ray[a].y
        cdef const double *new = F.own.y
        memcpy(child.ray, F.ray, r * sizeof(Ray *))
        child.ray[a] = <Ray *> &F.own
        memcpy(child.dual, F.dual, (r + 1) * r * sizeof(double))
        for i in range(r):
            child.dual[a * r + i] = F.dual[a * r + i] / cut.alpha
            child.dual[cut.b * r + i] -= cut.beta / cut.alpha * F.dual[a * r + i]
        child.n_open = child.n_convex = 0
        for j in range(F.n_open):
            i = F.row[j]
            plus = F.plus[j] - (old[i] > TINY) + (new[i] > TINY)
            minus = F.minus[j] - (old[i] < -TINY) + (new[i] < -TINY)
            if self._is_open(i, plus, minus):
                k = child.n_open
                child.row[k] = i
                child.plus[k] = <unsigned char> plus
                child.minus[k] = <unsigned char> minus
                child.state[k] = F.state[j]
                child.n_open += 1
                child.n_convex += j < F.n_convex
            elif plus:
                self._settle(child, i)

    cdef double _bound(self, Frame *F, double *u) noexcept nogil:
        """A bound of f over the cone and the ball; u, of length 1, where the relaxation has it."""
        cdef int r = self.r, i, j, k, n, row
        cdef double c[MAX_RANK]
        cdef double value[MAX_RANK]
        cdef double *rho = self.rho
        cdef const double *y
        cdef double size, x, excess = 0
        memcpy(c, F.linear, r * sizeof(double))
        for j in range(r):
            y = F.ray[j].y
            x = 0
            for i in range(F.n_convex):
                row = F.row[i]
                x += self.w[row] * (y[row] if y[row] > 0 else 0.0)
            value[j] = x
            for i in range(r):
                c[i] += x * F.dual[j * r + i]
                value[j] += F.linear[i] * F.ray[j].g[i]
        n = F.n_open - F.n_convex
        for k in range(n):
            row = F.row[F.n_convex + k]
            memcpy(self.columns + k * r, self.by_row + row * r, r * sizeof(double))
            self.norms[k] = 1
            self.upper[k] = -self.w[row]
            self.fit.state[k] = F.state[F.n_convex + k]
        for j in range(r):
            size = sqrt(dot(F.dual + j * r, F.dual + j * r, r))
            for i in range(r):
                self.columns[(n + j) * r + i] = -F.dual[j * r + i] / size
            self.norms[n + j] = 1
            self.upper[n + j] = INFINITE
            self.fit.state[n + j] = LOWER
        self.fit.k, self.fit.b = n + r, c
        self.fit.enough = max(self.shared[0], 0.0) + self.slack / 2  # a bound so low is pruned
        nnls_solve(&self.fit)
        for k in range(n):
            x = self.fit.x[k]
            F.state[F.n_convex + k] = UPPER if 2 * x > self.upper[k] else LOWER
            if x != 0:
                row = F.row[F.n_convex + k]
                for j in range(r):
                    value[j] -= x * F.ray[j].y[row]
        for j in range(r):
            x = value[j]
            for i in range(r):
                x -= rho[i] * F.ray[j].g[i]
            excess = max(excess, x)
        memcpy(u, rho, r * sizeof(double))
        return unit(u, r) + self.spread * excess

    cdef bint _leads_out(self, const Frame *F) noexcept nogil:
        """Whether all gradients of f on the cone point out of it through one facet: at a maximum
        one of them is a multiple of the point."""
        cdef int r = self.r, i, j
        cdef const double *dual
        cdef double size, slope, x
        for j in range(r):
            dual = F.dual + j * r
            slope = dot(dual, F.linear, r)
            size = MARGIN * sqrt(dot(dual, dual, r)) * self.total
            if slope > -size:
                continue
            for i in range(F.n_open):
                x = self.w[F.row[i]] * dot(dual, self.by_row + F.row[i] * r, r)
                if x > 0:
                    slope += x
                    if slope > -size:
                        break
            if slope <= -size:
                return True
        return False

    cdef void _raise(self, double height, const double *u) noexcept nogil:
        if height > self.shared[0]:
            self.shared[0] = height
        if self.n_kept == 0 or height > self.kept[0]:
            if self._room(1):
                self.n_kept = 1
                self.kept[0] = height
                memcpy(self.kept + 1, u, self.r * sizeof(double))

    cdef bint _room(self, Py_ssize_t n) noexcept nogil:
        cdef double *more
        if n > self.room:
            more = <double *> realloc(self.kept, 2 * n * (1 + self.r) * sizeof(double))
            if more == NULL:
                return False
            self.kept = more
            self.room = 2 * n
        return True

    cdef int _kinks(self, double *flat, int *convex) noexcept nogil:
        """Gradient of f at a point, given y, but for the rows that vanish: those with w < 0 become
        the columns of a least squares problem; returns the number of these, and in convex[0]
        that of the others, which follow."""
        cdef int r = self.r, i, c, n = 0
        convex[0] = 0
        memcpy(flat, self.a, r * sizeof(double))
        for i in range(self.m):
            if self.y[i] > KINK:
                for c in range(r):
                    flat[c] += self.w[i] * self.by_row[i * r + c]
            elif self.y[i] >= -KINK:
                if i < self.n_convex:
                    if convex[0] < MAX_CONVEX:
                        convex[1 + convex[0]] = i
                    convex[0] += 1
                else:
                    memcpy(self.columns + n * r, self.by_row + i * r, r * sizeof(double))
                    self.norms[n] = 1
                    self.upper[n] = -self.w[i]
                    n += 1
        return n

    cdef double _slope(self, int n, const double *gradient, double enough) noexcept nogil:
        """Length of the direction rho of steepest ascent; n columns stand in the least squares."""
        memset(self.fit.state, LOWER, n)
        self.fit.k, self.fit.b, self.fit.enough = n, gradient, enough
        nnls_solve(&self.fit)
        return sqrt(dot(self.rho, self.rho, self.r))

    cdef bint _is_peak(self, double height) noexcept nogil:
        """Whether f has a local maximum at a point, given y: no direction leads up."""
        cdef int r = self.r, i, c, k, n, sides
        cdef int convex[1 + MAX_CONVEX]
        cdef double flat[MAX_RANK]
        cdef double gradient[MAX_RANK]
        cdef double x
        n = self._kinks(flat, convex)
        if convex[0] > MAX_CONVEX:
            return True
        # f is concave nearby on either side of the rows with w > 0 that vanish
        for sides in range(1 << convex[0]):
            memcpy(gradient, flat, r * sizeof(double))
            for k in range(convex[0]):
                i = convex[1 + k]
                for c in range(r):
                    x = self.by_row[i * r + c]
                    if (sides >> k) & 1:
                        gradient[c] += self.w[i] * x
                        x = -x
                    self.columns[(n + k) * r + c] = x
                self.norms[n + k] = 1
                self.upper[n + k] = INFINITE
            if self._slope(n + convex[0], gradient, height) > height * (1 + KINK):
                return False
        return True

    def ascend(self, double[:, ::1] points):
        """Go from each point (k, r) up to a local maximum of f and keep that, if above the
        threshold. For speed only: not all maxima are reached, and at few steps it ends early."""
        cdef Py_ssize_t j
        cdef double height
        for j in range(points.shape[0]):
            with nogil:
                height = self._ascend(&points[j, 0])
                if height > self.shared[0]:
                    if self.limit == 0:
                        self._raise(height, &points[j, 0])
                    elif self._is_peak(height):
                        self._add(height, &points[j, 0])

    cdef double _ascend(self, double *u) noexcept nogil:
        """Steepest ascent from u; the height reached."""
        cdef int r = self.r, i, c, k, n
        cdef int convex[1 + MAX_CONVEX]
        cdef double flat[MAX_RANK]
        cdef double height = 0, size, x, t
        for _i in range(MAX_STEPS):
            unit(u, r)
            self._values(u, self.y)
            height = self._height(u, self.y)
            n = self._kinks(flat, convex)
            for k in range(min(convex[0], MAX_CONVEX)):
                i = convex[1 + k]
                if self.y[i] > 0:
                    for c in range(r):
                        flat[c] += self.w[i] * self.by_row[i * r + c]
            size = self._slope(n, flat, 0)
            if size <= height * (1 + 1e-14) or size == 0:
                break
            # of the direction only what is orthogonal to u leads up on the sphere
            x = dot(self.rho, u, r)
            for c in range(r):
                self.rho[c] -= x * u[c]
            if unit(self.rho, r) <= 1e-15 * fabs(x):
                break
            t = self._line_search(u, self.rho)
            if t == 0:
                break
            for c in range(r):
                u[c] += t * self.rho[c]
        return height

    cdef double _line_search(self, const double *u, const double *rho) noexcept nogil:
        """Up along u + t rho, rho orthogonal to u and of length 1, to the first maximum of
        f / |u + t rho| = (level + slope t) / sqrt(1 + t^2); the t of it, 0 if there is none.

        Between two kinks f is linear; the quotient grows up to t = slope / level.
        """
        cdef int i
        cdef double level = dot(self.a, u, self.r), slope = dot(self.a, rho, self.r)
        cdef double t = 0, next, x
        cdef double *y = self.y
        cdef double *dy = self.fit.x    # z_i.rho
        self._values(rho, dy)
        for i in range(self.m):
            if fabs(y[i]) <= KINK:
                y[i] = 0
            if y[i] > 0 or (y[i] == 0 and dy[i] > 0):
                level += self.w[i] * y[i]
                slope += self.w[i] * dy[i]
        while True:
            next = INFINITE
            for i in range(self.m):
                if (y[i] > 0) != (dy[i] > 0) and dy[i] != 0:
                    x = -y[i] / dy[i]
                    if t < x < next:
                        next = x
            if slope <= 0 or level > 0 and slope <= next * level or next == INFINITE:
                break
            t = next
            for i in range(self.m):
                if dy[i] != 0 and y[i] != 0 and -y[i] / dy[i] == t:
                    x = self.w[i] if dy[i] > 0 else -self.w[i]
                    level += x * y[i]
                    slope += x * dy[i]
        return slope / level if slope > 0 and level > 0 and slope > t * level else t

    cdef void _add(self, double height, const double *u) noexcept nogil:
        """Keep a local maximum, in order of height, if it is new."""
        cdef Py_ssize_t i, at = self.n_kept
        cdef int c, r = self.r, width = 1 + r
        cdef double x, d
        for i in range(self.n_kept):
            d = 0
            for c in range(r):
                x = self.kept[i * width + 1 + c] - u[c]
                d += x * x
            if d < SAME * SAME:
                return
        if self.n_kept == self.limit:
            self.dropped = True
            at -= 1
        elif not self._room(self.n_kept + 1):
            self.dropped = True
            self.ceiling = INFINITE
            return
        else:
            self.n_kept += 1
        while at > 0 and self.kept[(at - 1) * width] < height:
            memcpy(self.kept + at * width, self.kept + (at - 1) * width, width * sizeof(double))
            at -= 1
        self.kept[at * width] = height
        memcpy(self.kept + at * width + 1, u, r * sizeof(double))
        if self.n_kept == self.limit:
            # what is lower than the worst of enough maxima is not wanted
            self.shared[0] = max(self.shared[0], self.kept[(self.n_kept - 1) * width])

    @property
    def depth(self):
        """The most cuts that made a cone, and one."""
        return self.n_frames

    @property
    def found(self):
        """Heights and points of the maxima kept, float64 (k, 1 + r), highest first."""
        cdef Py_ssize_t k = self.n_kept
        if k == 0:
            return np.empty((0, 1 + self.r))
        return np.array(<double[:k, :1 + self.r]> self.kept)
