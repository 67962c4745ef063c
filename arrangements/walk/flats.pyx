"""Every chamber of a central arrangement, each once, without a linear program or a hash table.

The vectors A of rank r are cut by a generic flag V_1 < V_2 < ... < V_r = R^r,
V_k = {g_{k+1} = ... = g_r = 0}. Chambers that meet V_k but not V_{k-1} are, up to sign, those of A
restricted to V_k on which g_k > 0, and each of these has a unique vertex where g_k / a_0 is
smallest: a flat F of rank k - 1 that avoids a_0. So the chambers are found by one depth-first walk
over the flats F of all ranks < r that avoid a_0 (by their lexicographically smallest bases), and

    chambers at F = signs of the ray  x  Positive(A_F, phi),   phi = g_k - (g_k.v / a_0.v) a_0,

Positive(B, phi) being the chambers of B on which phi > 0: found by the same walk in the smaller
arrangement B, read off the coordinates of phi when B is independent, or off the order of at most
rank + 1 numbers when B is one vector more than independent.

In the tableau of a flat (basis i_1..i_t, a_0, and the columns still free) every sign needed is the
sign of an entry, here or after one more pivot; `predicates` decides it.
"""
from libc.math cimport INFINITY, fabs
from libc.stdint cimport uint64_t
from libc.string cimport memcpy, memmove, memset

from arrangements.walk.catalogue cimport Entry, Match, find
from arrangements.walk.kernels cimport (ar_add, ar_compare, ar_dispatch, ar_line, ar_lowest,
                                        ar_ratios, ar_reduce, ar_slopes, ar_vertices)
from arrangements.walk.predicates cimport (MAX_RANK, Tableau, entry_after, entry_sign,
                                           functional_on_rays, narrow_slope, pivot_column,
                                           sign_after, signs_after, tableau_measure, tableau_pivot,
                                           tableau_refresh, tableau_sharpen)
from arrangements.walk.memory cimport (DEGENERATE, GO_ON, STOP, STOPPED, Mark, Outer, Worker,
                                       add_outer, count, drop, emit, emit_faces, flip, has,
                                       n_words, new_tableau, put, take, tally_faces, trace, words)

ar_dispatch()

cdef enum:
    IN_DOUBT = 2
    PATIENCE = 2               # points of a line that floats leave open before slopes are ranked

# Slopes of the lanes of a tableau along a line: at its point x, the sign of lane k is
# [slope < x] xor pos. The masks less, open and bits are scratch, about one point at a time.
cdef struct Lanes:
    double *lo                 # slopes, as intervals; only their order counts
    double *hi
    double *inverse
    float *under               # lo and hi as floats, padded to 32 lanes
    float *over
    uint64_t *pos
    uint64_t *less             # slopes below that of the point
    uint64_t *open             # slopes not told apart from it; then the lanes that vanish there
    uint64_t *bits             # lanes that are positive there
    bint ranked                # slopes are numbers in their exact order

# A vertex v, and phi there. The coordinates of A_v, the vectors in the flat v, are entries of T
# after lane j is pivoted into column c (j < 0: of T as it is); those of phi are the entries of
# lane g of G after gj is pivoted into gc (gj < 0: of G as it is).
cdef struct Vertex:
    const Tableau *T
    int c
    int j
    const Tableau *G
    int gc
    int gj
    int g

# Vectors B of a flat, on their own: a basis of them, one for each of some columns of a tableau,
# and the lanes of the others; see `coordinates` for the rest.
cdef struct Local:
    int n_basis
    int cols[MAX_RANK]
    int n_other
    int *other
    Tableau L                  # coordinates of the others, in lanes 0..n_other-1
    int loose_sign[MAX_RANK]   # sign of phi at basis vectors no other depends on; else 0
    double phi[MAX_RANK]       # coordinates of phi
    double phi_err[MAX_RANK]


# -- lanes of a tableau --------------------------------------------------------------------

cdef bint new_lanes(Worker *w, Lanes *S, int ld) noexcept nogil:
    cdef int nw = n_words(ld), wide = (ld + 31) & ~31
    S.lo = <double *> take(w, 3 * ld * sizeof(double) + 2 * wide * sizeof(float))
    S.pos = <uint64_t *> take(w, 4 * nw * sizeof(uint64_t))
    if S.lo == NULL or S.pos == NULL:
        return False
    S.hi = S.lo + ld
    S.inverse = S.hi + ld
    S.under = <float *> (S.inverse + ld)
    S.over = S.under + wide
    S.less = S.pos + nw
    S.open = S.less + nw
    S.bits = S.open + nw
    S.ranked = False
    return True


cdef inline void no_slope(Lanes *S, int k) noexcept nogil:
    """Let lane k be negative wherever points are, but for its bit in pos."""
    S.lo[k] = S.hi[k] = S.under[k] = S.over[k] = -INFINITY
    put(S.pos, k)


cdef int classify(Worker *w, Tableau *T, int n, const double *alpha, double alpha_err,
                  const double *beta, double beta_err, Lanes *S, uint64_t *vertical,
                  uint64_t *inside) noexcept nogil:
    """Slopes alpha / beta of lanes 0..n-1, and the lanes that have none.

    On a line alpha is column 0 (the vector at infinity) and beta the free column; elsewhere both
    are generic combinations, beta of the free columns alone. `vertical` gains the lanes whose free
    part is exactly zero, `inside` those of them in the flat. The slopes of vertical lanes are set
    to -inf and their bit in pos so that the rule for signs holds for them too, lanes inside
    counting as negative.
    """
    cdef int ld = T.ld, i, k, s, nw = n_words(n), c
    cdef uint64_t x
    cdef uint64_t *small = S.less
    cdef bint line = (T.free & (T.free - 1)) == 0
    ar_slopes(alpha, beta, alpha_err, beta_err, line and T.integral, ld, S.lo, S.hi, S.inverse,
              S.under, S.over, S.pos, small)
    for k in range(n, ld):
        no_slope(S, k)
    for k in range(ld, (ld + 31) & ~31):
        S.under[k] = S.over[k] = -INFINITY
    for i in range(nw):
        x = small[i] & ~vertical[i]
        while x:
            k = 64 * i + ar_lowest(x)
            x &= x - 1
            if k >= n:
                break
            s = 0
            for c in range(T.w):
                if (T.free >> c) & 1:
                    s = entry_sign(&w.pr, T, k, c)
                    if s != 0:
                        break
            if s == 0:
                put(vertical, k)
                if w.only_simple:
                    w.status = DEGENERATE
                    return STOP
                for c in range(T.w):
                    if (T.free >> c) & 1:
                        T.t[c * ld + k] = 0
            elif line:  # a known sign, an unknown slope: [-inf, inf] is compared exactly
                drop(S.pos, k)
                if s > 0:
                    put(S.pos, k)
    for i in range(nw):
        x = vertical[i]
        while x:
            k = 64 * i + ar_lowest(x)
            x &= x - 1
            no_slope(S, k)
            if not has(inside, k):
                s = entry_sign(&w.pr, T, k, 0)
                if s == 0:
                    put(inside, k)
                    T.t[k] = 0
                elif s > 0:
                    drop(S.pos, k)
    return GO_ON


cdef bint parallel(Worker *w, const Tableau *T, int first, int c, int i, int k) noexcept nogil:
    """Whether lane k is a multiple of lane i in column c, where lane i is not zero, and in the
    free columns and that of infinity, from column `first` on."""
    cdef int s
    for s in range(first, T.w):
        if s != c and (s == 0 or (T.free >> s) & 1):
            if sign_after(&w.pr, T, c, i, k, s) != 0:
                return False
    return True


cdef int ray_signs(Worker *w, const Tableau *T, int c, int j, int n, Lanes *S) noexcept nogil:
    """Signs of all lanes at the point of lane j on the line; on return `open` holds the lanes
    that vanish there (j among them if it is one of the n)."""
    cdef int i, k, s
    cdef uint64_t x
    w.pr.n_filter += n
    for i in range(n_words(n)):
        S.bits[i] = (S.less[i] ^ S.pos[i]) & ~S.open[i]
        x = S.open[i]
        while x:
            k = 64 * i + ar_lowest(x)
            x &= x - 1
            if k == j or (j < n and (T.integral or S.ranked)):
                continue  # equal numbers are equal slopes
            s = sign_after(&w.pr, T, c, j, k, 0)
            if s != 0:
                drop(S.open, k)
                if s > 0:
                    put(S.bits, k)
    return GO_ON


# -- the recursion -------------------------------------------------------------------------

cdef unsigned long long binomial(int n, int k) noexcept nogil:
    cdef unsigned long long x = 1
    cdef int i
    for i in range(k):
        x = x * <unsigned long long> (n - i) / <unsigned long long> (i + 1)
    return x


cdef int circuit_faces(Worker *w, const Problem *P, const Tableau *T, const int *order,
                       int last) noexcept nogil:
    """The faces on which, in the order of theta, `last` is the last of the vectors passed that
    does not vanish: phi is positive there for every choice before it, and of those not passed."""
    cdef Mark at = w.at
    cdef int loose[2 * MAX_RANK]
    cdef int i, b, n = P.n_loose
    cdef uint64_t *zero = words(w, w.n_samples, P.zero)
    if zero == NULL:
        return STOP
    memcpy(loose, P.loose, n * sizeof(int))
    for i in range(last):
        loose[n] = T.id[order[i]]
        n += 1
    for b in range(last + 1, P.n):  # the first of those not passed that does not vanish
        for i in range(b + 1, P.n):
            loose[n + i - b - 1] = T.id[order[i]]
        if emit_faces(w, P.row, zero, loose, n + P.n - b - 1, P.dim + 1) != GO_ON:
            return STOP
        flip(w, zero, T.id[order[b]])
    w.at = at
    return GO_ON


cdef int circuit(Worker *w, const Problem *P, const Tableau *T) noexcept nogil:
    """Positive(B, phi) where B is a basis and one vector e, depending on all of it.

    phi = theta e + sum (lambda_s - theta c_s) b_s: the signs change at theta = 0 for e and at
    lambda_s / c_s for b_s; each bounded interval between neighbours is a chamber.
    """
    cdef int rho = P.rho, e = rho, g = rho + 1, s, q, i
    cdef bint later
    cdef int order[MAX_RANK + 1]
    cdef int cs[MAX_RANK]
    cdef int sign[MAX_RANK + 1]
    cdef double value[MAX_RANK]
    cdef double plus, minus, mu
    if w.counting:
        if w.faces:
            for s in range(1, rho + 1):  # s + 1 vectors do not vanish, cut in two by theta
                tally_faces(w, P.dim + s, P.n_loose, s * binomial(rho + 1, s + 1))
        else:
            w.n_pairs += rho
        return GO_ON
    for s in range(rho):
        cs[s] = entry_sign(&w.pr, T, e, s)
        sign[s] = cs[s]
        if cs[s] > 0:
            flip(w, P.row, T.id[s])
    # insertion sort, by exact comparisons: e at 0 first, then each b_s
    order[0] = rho
    for s in range(rho):
        i = s + 1
        while i > 0:
            q = order[i - 1]
            if q == rho:
                later = entry_sign(&w.pr, T, g, s) * cs[s] > 0
            else:
                later = sign_after(&w.pr, T, q, e, g, s) * cs[s] > 0
            if later:
                break
            order[i] = q
            i -= 1
        order[i] = s
    sign[rho] = -1
    for i in range(rho):
        s = order[i]
        sign[s] = -sign[s]
        flip(w, P.row, T.id[s])
        if w.faces:
            if circuit_faces(w, P, T, order, i) != GO_ON:
                return STOP
            continue
        if w.tracing:
            plus = minus = 0
            for q in range(rho + 1):
                mu = -1 if q == rho else T.t[q * T.ld + e]
                if mu * sign[q] > 0:
                    plus += 1
                else:
                    minus += 1
            for q in range(rho):
                mu = T.t[q * T.ld + e]
                value[q] = 1 / (mu * (plus if mu * sign[q] > 0 else -minus))
            trace(w, &P.outer, P.depth, T.basis, value, rho)
        if emit(w, P.row) != GO_ON:
            return STOP
    return GO_ON


cdef Problem *subproblem(Worker *w, const Problem *P, const uint64_t *row, int infinity,
                         int sigma) noexcept nogil:
    """A problem in a flat of P that avoids its vector at infinity, where phi has the sign sigma
    (0: a flat in that hyperplane). B and what is loose in it are for `settle` to say."""
    cdef Problem *Q = <Problem *> take(w, sizeof(Problem))
    cdef uint64_t *copy = words(w, w.n_samples, row)
    if Q == NULL or copy == NULL:
        return NULL
    Q.depth = P.depth + 1
    Q.row = copy
    Q.zero = P.zero
    Q.dim = P.dim
    Q.n_loose = P.n_loose
    memcpy(Q.loose, P.loose, P.n_loose * sizeof(int))
    Q.outer = P.outer
    add_outer(&Q.outer, infinity, P.depth, sigma)
    return Q


cdef int descend(Worker *w, const Problem *P, const Vertex *v, const uint64_t *members,
                 const uint64_t *row, int sigma) noexcept nogil:
    """The chambers at a degenerate vertex v: Positive(A_v, phi).

    `members` are the lanes of A_v, `row` holds the signs off A_v, sigma the sign at infinity.
    """
    cdef Mark at = w.at
    cdef const Tableau *T = v.T
    cdef Problem *Q
    cdef Local B
    cdef uint64_t x
    cdef int i, k, s, q = 0
    if w.only_simple:
        w.status = DEGENERATE
        return STOP
    if w.stop:
        w.status = STOPPED
        return STOP
    Q = subproblem(w, P, row, T.basis[0], sigma)
    B.other = <int *> take(w, count(members, P.n) * sizeof(int))
    if Q == NULL or B.other == NULL:
        return STOP
    # The columns pivoted on so far, and c, hold a basis of v. What completes it to one of R^r,
    # besides the vectors at infinity, are for a section the generic functionals of G.
    for s in range(1, T.w):
        if s == v.c or not (T.free >> s) & 1:
            B.cols[q] = s
            q += 1
        else:
            add_outer(&Q.outer, v.G.id[v.gj] if s == v.gc else v.G.basis[s], 0, 0)
    B.n_basis = q
    B.n_other = 0
    Q.dim += P.rho - q
    for i in range(n_words(P.n)):
        x = members[i]
        while x:
            k = 64 * i + ar_lowest(x)
            x &= x - 1
            for s in range(q):
                if T.id[k] == vector(v, B.cols[s]):
                    break
            else:
                B.other[B.n_other] = k
                B.n_other += 1
    s = settle(w, Q, v, &B, True)
    w.at = at
    return s


cdef inline int vector(const Vertex *v, int col) noexcept nogil:
    """The basis vector of a column at v."""
    return v.T.id[v.j] if col == v.c else v.T.basis[col]


cdef void coordinates(Worker *w, const Vertex *v, Local *B) noexcept nogil:
    """What `Local` says of phi and of the vectors that depend on others, with proven zeros."""
    cdef const Tableau *T = v.T
    cdef Tableau *L = &B.L
    cdef int i, k, s, col, sign
    cdef double e = 0, x
    cdef bint loose
    L.integral = T.integral
    L.age = T.age
    L.scale = T.scale
    L.det = T.det
    if v.j >= 0:
        L.scale = fabs(T.t[v.c * T.ld + v.j])
        if not T.integral:
            L.det = T.det * (L.scale + T.err[v.c]) * (1 + 1e-15)
    for s in range(B.n_basis):
        col = B.cols[s]
        loose = True
        L.err[s] = 0
        for i in range(B.n_other):
            k = B.other[i]
            if v.j >= 0:
                x = entry_after(T, v.c, v.j, k, col, &e)
                sign = sign_after(&w.pr, T, v.c, v.j, k, col)
            else:
                x = T.t[col * T.ld + k]
                e = T.err[col]
                sign = entry_sign(&w.pr, T, k, col)
            L.t[s * L.ld + i] = x if sign != 0 else 0
            if sign != 0:
                loose = False
                if not e <= L.err[s]:
                    L.err[s] = e
        B.loose_sign[s] = -1 if loose else 0
        if w.counting:
            continue
        if v.gj >= 0:
            B.phi[s] = entry_after(v.G, v.gc, v.gj, v.g, col, &B.phi_err[s])
            sign = sign_after(&w.pr, v.G, v.gc, v.gj, v.g, col) if loose else 0
        else:
            B.phi[s] = v.G.t[col * v.G.ld + v.g]
            B.phi_err[s] = v.G.g_err[col]
            sign = entry_sign(&w.pr, v.G, v.g, col) if loose else 0
        B.loose_sign[s] = sign


cdef int settle(Worker *w, Problem *Q, const Vertex *v, Local *B, bint whole) noexcept nogil:
    """Positive(B, phi). Basis vectors that no other depends on keep the sign phi gives them, and
    leave: then what is left has no coloops. `whole`: faces that vanish on all of B too."""
    cdef const Tableau *T = v.T
    cdef Tableau *L = &B.L
    cdef int s, i, q = 0, n = B.n_basis + B.n_other, ld = (n + 8) & ~7
    cdef int *ids = <int *> take(w, (n + 1) * sizeof(int))
    # a float tableau's columns have factors of their own: rows and phi must come from one
    cdef bint stale = v.j < 0 and v.G != T and not T.integral
    if ids == NULL or not new_tableau(w, L, n, 1, ld, B.n_basis):
        return STOP
    coordinates(w, v, B)
    Q.whole = whole
    Q.n_own = 0
    for s in range(B.n_basis):
        i = vector(v, B.cols[s])
        if B.loose_sign[s] == 0:
            B.cols[q] = s
            ids[q] = i
            q += 1
            continue
        if B.loose_sign[s] > 0:
            flip(w, Q.row, i)
        add_outer(&Q.outer, i, Q.depth, B.loose_sign[s])
        memmove(Q.loose + 1, Q.loose, Q.n_loose * sizeof(int))
        Q.loose[0] = i
        Q.n_loose += 1
        Q.n_own += 1
    n = q + B.n_other
    Q.rho = L.w = q
    Q.n = L.n = n
    L.id = ids
    L.outer = Q.outer.id
    L.free = ((<uint64_t> 1 << q) - 1) & ~<uint64_t> 1
    for i in range(B.n_other):
        ids[q + i] = T.id[B.other[i]]
    ids[n] = v.G.id[v.g] if v.g >= 0 else T.basis[0]  # any where phi is not wanted
    for q in range(Q.rho):  # lanes in their final order: the basis, the others, phi
        s = B.cols[q]
        L.basis[q] = ids[q]
        L.err[q] = L.err[s]
        memmove(L.t + q * ld + Q.rho, L.t + s * ld, B.n_other * sizeof(double))
        memset(L.t + q * ld, 0, Q.rho * sizeof(double))
        L.t[q * ld + q] = L.scale if L.integral else 1
        L.t[q * ld + n] = 0 if w.counting else B.phi[s]
        L.g_err[q] = 0 if w.counting else B.phi_err[s]
        memset(L.t + q * ld + n + 1, 0, (ld - n - 1) * sizeof(double))
    tableau_measure(&w.pr, L)
    if not w.counting:
        tableau_refresh(&w.pr, L, stale)
    Q.root = L[0]
    return solve(w, Q, L)


cdef void trace_rays(Worker *w, const Problem *P, const Tableau *T, const Entry *E,
                     const Match *M, const uint64_t *rays, bint opposite) noexcept nogil:
    """`trace` for a listed chamber: the sum of its extreme rays lies inside."""
    cdef int ids[MAX_RANK]
    cdef double value[MAX_RANK]
    cdef int s, i, sign, W = E.n_words
    cdef bint turned
    for s in range(E.rho):
        ids[s] = T.basis[M.lane[s]]
        value[s] = 0
        for i in range(E.rays.count):
            sign = <int> ((rays[i >> 6] >> (i & 63)) & 1) - <int> (
                (rays[W + (i >> 6)] >> (i & 63)) & 1)
            value[s] += sign * E.rays.t[s * E.rays.ld + i]
        turned = (M.turned >> s) & 1
        if opposite != turned:
            value[s] = -value[s]
    trace(w, &P.outer, P.depth, ids, value, E.rho)


cdef inline void flip_items(const Worker *w, const Tableau *T, const Match *M, uint64_t *row,
                            uint64_t *last, uint64_t now) noexcept nogil:
    """Turn a row that has the signs `last` at the lanes of M into one that has `now`."""
    cdef uint64_t x = last[0] ^ now
    last[0] = now
    while x:
        flip(w, row, T.id[M.lane[ar_lowest(x)]])
        x &= x - 1


cdef int look_up(Worker *w, Problem *P, const Tableau *T, const Entry *E,
                 const Match *M) noexcept nogil:
    """Positive(B, phi) from the list of the chambers of B (of its faces but the origin): those on
    whose rays phi is positive."""
    cdef int _q, i, k, W = E.n_words, opposite, result
    cdef double *scratch
    cdef uint64_t *plus
    cdef uint64_t *doubt
    cdef uint64_t *zero
    cdef const uint64_t *c = E.items
    cdef const uint64_t *rays
    cdef uint64_t bad[2]
    cdef uint64_t signs = 0, zeros = 0, all_signs = ~<uint64_t> 0 >> (64 - E.n)
    if w.counting:
        if not w.faces:
            w.n_pairs += E.n_positive[E.rho]
            return GO_ON
        for k in range(1, E.rho + 1):
            tally_faces(w, P.dim + k, P.n_loose, E.n_positive[k])
        return GO_ON
    scratch = <double *> take(w, 2 * E.rays.ld * sizeof(double))
    plus = words(w, E.rays.ld, NULL)
    doubt = words(w, E.rays.ld, NULL)
    zero = words(w, w.n_samples, P.zero)
    if scratch == NULL or plus == NULL or doubt == NULL or zero == NULL:
        return STOP
    if not functional_on_rays(&w.pr, T, &E.rays, M.lane, M.turned, scratch, plus, doubt):
        return IN_DOUBT
    for _q in range(E.n_items):
        bad[0] = bad[1] = 0
        rays = c + E.head
        for i in range(W):
            bad[0] |= (rays[i] & ~plus[i]) | (rays[W + i] & plus[i])
            bad[1] |= (rays[i] & plus[i]) | (rays[W + i] & ~plus[i])
        for opposite in range(2):
            if bad[opposite] != 0:
                continue
            flip_items(w, T, M, P.row, &signs, c[0] ^ M.turned ^ (all_signs if opposite else 0))
            if w.faces:
                flip_items(w, T, M, zero, &zeros, c[1])
                result = emit_faces(w, P.row, zero, P.loose, P.n_loose, P.dim + <int> c[2])
            else:
                if w.tracing:
                    trace_rays(w, P, T, E, M, rays, opposite)
                result = emit(w, P.row)
            if result != GO_ON:
                return STOP
        c = rays + 2 * W
    return GO_ON


cdef int solve(Worker *w, Problem *P, Tableau *T) noexcept nogil:
    """All of Positive(B, phi), for B without coloops; of the faces the origin too, unless n_own
    tells otherwise.

    Faces off the hyperplane of lane 0 have a lowest vertex in a walk that puts it at infinity, as
    chambers have; the others are faces of B restricted to it.
    """
    cdef Mark at = w.at
    cdef uint64_t *vertical
    cdef uint64_t *inside
    cdef int result
    cdef Entry *entry
    cdef Match match
    if w.faces:
        if origin_faces(w, P, T) != GO_ON:
            return STOP
        if P.rho == 0:
            return GO_ON
    elif P.rho <= 1:
        return solve_trivial(w, P, T)
    if P.n == P.rho + 1:
        return circuit(w, P, T)
    if T.integral:
        entry = find(w.catalogue, T, &match)
        if entry != NULL:
            result = look_up(w, P, T, entry, &match)
            if result != IN_DOUBT:
                return result
    vertical = words(w, P.n, NULL)
    inside = words(w, P.n, NULL)
    if vertical == NULL or inside == NULL:
        return STOP
    put(vertical, 0)
    result = node(w, P, T, 0, 1, P.n, False, vertical, inside)
    if result != GO_ON or not w.faces:
        return result
    w.at = at
    return restrict(w, P, T)


cdef int solve_trivial(Worker *w, Problem *P, const Tableau *T) noexcept nogil:
    """Positive(B, phi), for B of rank 0, or of rank 1: vectors parallel within tol."""
    cdef int k, sign = 0
    cdef double value
    if P.rho == 1 and not w.counting:
        sign = entry_sign(&w.pr, T, P.n, 0)
        for k in range(P.n):
            if entry_sign(&w.pr, T, k, 0) == sign:
                flip(w, P.row, T.id[k])
    value = sign
    if w.tracing:
        trace(w, &P.outer, P.depth, T.basis, &value, P.rho)
    return emit(w, P.row)


cdef int origin_faces(Worker *w, const Problem *P, const Tableau *T) noexcept nogil:
    """The faces on which all of B vanishes: the first of the loose classes of P's own that does
    not is positive, as phi is, or none of them is (if `whole`)."""
    cdef Mark at = w.at
    cdef uint64_t *zero = words(w, w.n_samples, P.zero)
    cdef int i, k
    if zero == NULL:
        return STOP
    for k in range(P.n):
        flip(w, zero, T.id[k])
    if P.whole and some_faces(w, P, zero, P.loose, P.n_loose, P.dim) != GO_ON:
        return STOP
    for i in range(0 if P.whole else P.n_own):
        if some_faces(w, P, zero, P.loose + i + 1, P.n_loose - i - 1, P.dim + 1) != GO_ON:
            return STOP
        flip(w, zero, P.loose[i])
    w.at = at
    return GO_ON


cdef inline int some_faces(Worker *w, const Problem *P, uint64_t *zero, const int *loose, int n,
                           int dim) noexcept nogil:
    """Emit faces, or count them."""
    if not w.counting:
        return emit_faces(w, P.row, zero, loose, n, dim)
    tally_faces(w, dim, n, 1)
    return GO_ON


cdef int restrict(Worker *w, const Problem *P, const Tableau *T) noexcept nogil:
    """The faces in the hyperplane of lane 0: those of B restricted to it."""
    cdef Mark at = w.at
    # the coordinates in the hyperplane are those of T but for column 0, and so are phi's
    cdef Vertex v = Vertex(T, -1, -1, T, -1, -1, P.n)
    cdef uint64_t *zero = words(w, w.n_samples, P.zero)
    cdef Problem *Q = subproblem(w, P, P.row, T.basis[0], 0)
    cdef int s, n_merged = w.n_merged, result
    cdef Local B
    B.other = <int *> take(w, P.n * sizeof(int))
    if zero == NULL or Q == NULL or B.other == NULL:
        return STOP
    flip(w, zero, T.id[0])
    Q.zero = zero
    B.n_basis = P.rho - 1
    for s in range(B.n_basis):
        B.cols[s] = s + 1
    merge(w, P, T, &B)
    result = settle(w, Q, &v, &B, False)
    w.n_merged = n_merged
    w.at = at
    return result


cdef void merge(Worker *w, const Problem *P, const Tableau *T, Local *B) noexcept nogil:
    """The lanes of B in the hyperplane of lane 0 that do not become parallel there to an earlier
    one. Those that do are one class with it: they vanish where it does, and elsewhere their sign
    follows from it when a row is written."""
    cdef int i, k, s, c, n_nonzero
    cdef int *merged
    B.n_other = 0
    for k in range(P.rho, P.n):
        c = n_nonzero = 0
        for s in range(1, P.rho):
            if entry_sign(&w.pr, T, k, s) != 0:
                n_nonzero += 1
                c = s
        merged = w.merged + 3 * w.n_merged
        merged[0] = T.id[k]
        if n_nonzero == 1:  # parallel to a basis vector
            merged[1] = T.basis[c]
            merged[2] = entry_sign(&w.pr, T, k, c) < 0
        else:
            for i in range(B.n_other):
                if parallel(w, T, 1, c, k, B.other[i]):
                    break
            else:
                B.other[B.n_other] = k
                B.n_other += 1
                continue
            merged[1] = T.id[B.other[i]]
            merged[2] = entry_sign(&w.pr, T, k, c) != entry_sign(&w.pr, T, B.other[i], c)
        w.n_merged += 1


cdef uint64_t *settled(Worker *w, const Problem *P, const uint64_t *bits) noexcept nogil:
    """The row of P with the lanes in `bits` positive."""
    cdef uint64_t *row = words(w, w.n_samples, P.row)
    cdef uint64_t x
    cdef int i, k
    if row == NULL:
        return NULL
    for i in range(n_words(P.n)):
        x = bits[i]
        if P.depth == 0 and w.identity:
            row[i] ^= x
            continue
        while x:
            k = 64 * i + ar_lowest(x)
            x &= x - 1
            flip(w, row, P.root.id[k])
    return row


cdef int read_off(Worker *w, const Problem *P, const Vertex *v, const int *sign,
                  uint64_t *row) noexcept nogil:
    """Emit the one chamber at a simple vertex, given the signs of the coordinates of phi."""
    cdef int s, n = 0
    cdef int ids[2 * MAX_RANK]
    cdef double value[MAX_RANK]
    for s in range(1, v.G.w):
        ids[n] = v.G.id[v.gj] if s == v.gc else v.G.basis[s]
        if ids[n] >= w.pr.first_generic:
            continue
        value[n] = sign[s]
        if sign[s] > 0:
            flip(w, row, ids[n])
        n += 1
    if w.faces:
        memcpy(ids + n, P.loose, P.n_loose * sizeof(int))
        return emit_faces(w, row, P.zero, ids, n + P.n_loose, P.dim + P.rho - n)
    if w.tracing:
        trace_vertex(w, P, v, sign[0], ids, value, n)
    return emit(w, row)


cdef void trace_vertex(Worker *w, const Problem *P, const Vertex *v, int sigma, const int *ids,
                       const double *values, int n) noexcept nogil:
    """`trace` for a chamber read off at a simple vertex of P, sigma the sign at infinity."""
    cdef Outer outer = P.outer
    cdef int s, id
    add_outer(&outer, v.G.basis[0], P.depth, sigma)
    for s in range(1, v.G.w):
        id = v.G.id[v.gj] if s == v.gc else v.G.basis[s]
        if id >= w.pr.first_generic:
            add_outer(&outer, id, 0, 0)
    trace(w, &outer, P.depth + 1, ids, values, n)


cdef void turn(const Problem *P, uint64_t *bits, const uint64_t *members) noexcept nogil:
    """Opposite signs off the members."""
    cdef int i
    for i in range(n_words(P.n)):
        bits[i] = ~bits[i] & ~members[i]
    if P.n & 63:
        bits[n_words(P.n) - 1] &= (<uint64_t> 1 << (P.n & 63)) - 1


cdef int at_vertex(Worker *w, const Problem *P, const Vertex *v, uint64_t *bits,
                   const uint64_t *members, int rank) noexcept nogil:
    """The chambers at a vertex v whose flat has this rank, `bits` the signs of v off the members.
    Their number depends on the members alone."""
    cdef Mark at = w.at
    cdef int sign[MAX_RANK]
    cdef bint simple = count(members, P.n) == rank
    cdef uint64_t *row
    cdef int result
    if w.counting:
        if P.depth == 0:
            w.flats[rank] += 1
        if not simple:
            return descend(w, P, v, members, P.row, 1)
        if w.faces:
            tally_faces(w, P.dim + P.rho - rank, rank + P.n_loose, 1)
        else:
            w.n_pairs += 1
        return GO_ON
    signs_after(&w.pr, v.G, v.gc, v.gj, v.g, sign)
    if sign[0] < 0:
        turn(P, bits, members)
    row = settled(w, P, bits)
    if row == NULL:
        return STOP
    if simple:
        result = read_off(w, P, v, sign, row)
    else:
        result = descend(w, P, v, members, row, sign[0])
    w.at = at
    return result


cdef int section(Worker *w, const Problem *P, const Tableau *T, int t, const Tableau *S, int c,
                 Lanes *lanes, const uint64_t *inside) noexcept nogil:
    """The chambers at the flat of T (rank t) in the section V_{t+1}, cut out by g_{t+2}..g_r.

    S is T with g_{t+3}..g_r pivoted in, c its last free column, and g_{t+2} a lane like others on
    that line.
    """
    cdef double x[24]          # slope interval of g_{t+2}, from its group of eight lanes
    cdef float rounded[16]
    cdef uint64_t signs[2]
    cdef int gj = P.n + t + 1, k = gj & ~7
    cdef Vertex v = Vertex(T, -1, -1, S, c, gj, P.n + t)
    ar_slopes(S.t + k, S.t + c * S.ld + k, S.g_err[0], S.g_err[c], False, 8, x, x + 8, x + 16,
              rounded, rounded + 8, signs, signs + 1)
    ar_compare(lanes.lo, lanes.hi, x[gj & 7], x[8 + (gj & 7)], T.ld, lanes.less, lanes.open)
    ray_signs(w, S, c, gj, P.n, lanes)
    return at_vertex(w, P, &v, lanes.bits, inside, t)


cdef int section_counts(Worker *w, const Problem *P, const Tableau *T, int t,
                        const uint64_t *inside) noexcept nogil:
    """The number of chambers `section` finds, without its signs."""
    cdef unsigned long long before = w.n_pairs
    cdef Vertex v = Vertex(T, -1, -1, T, -1, -1, -1)
    cdef int result = at_vertex(w, P, &v, NULL, inside, t)
    w.by_rank[t] += w.n_pairs - before
    return result


cdef int section_of_node(Worker *w, const Problem *P, const Tableau *T, int t,
                         const uint64_t *vertical, const uint64_t *inside) noexcept nogil:
    """`section` at a flat of rank below r - 2, where functionals must be pivoted in first."""
    cdef Mark at = w.at
    cdef Tableau G[2]
    cdef const Tableau *S = T
    cdef Lanes lanes
    cdef int k, c, which = 0, result
    cdef uint64_t *v = words(w, P.n, vertical)
    cdef uint64_t *z = words(w, P.n, inside)
    if (v == NULL or z == NULL or not new_lanes(w, &lanes, T.ld)
            or not new_tableau(w, &G[0], T.n, T.n_g, T.ld, T.w)
            or not new_tableau(w, &G[1], T.n, T.n_g, T.ld, T.w)):
        return STOP
    for k in range(w.r, t + 2, -1):
        c = pivot_column(&w.pr, S, P.n + k - 1)
        tableau_pivot(&w.pr, S, &G[which], P.n + k - 1, c)
        S = &G[which]
        which = 1 - which
    c = ar_lowest(S.free)
    if classify(w, <Tableau *> S, P.n, S.t, S.err[0], S.t + c * S.ld, S.err[c], &lanes, v,
                z) != GO_ON:
        return STOP
    result = section(w, P, T, t, S, c, &lanes, inside)
    w.at = at
    return result


cdef int line(Worker *w, const Problem *P, Tableau *T, int first, int end, bint own,
              uint64_t *vertical, uint64_t *inside) noexcept nogil:
    """All vertices on a line: a flat of rank rho - 2, one column c still free.

    At the point of lane j every sign is a comparison of slopes, and the chamber there is read off
    by the signs of phi: a few vector operations for all j.
    """
    cdef int c = ar_lowest(T.free), j = first, g = P.n + P.rho - 1 if P.depth == 0 else P.n
    cdef int n_open, stuck = 0, result = GO_ON
    cdef bint direct
    cdef long found
    cdef Lanes S
    cdef ar_line L
    cdef Vertex v
    if w.stop or w.pr.failed:
        w.status = STOPPED
        return STOP
    if not new_lanes(w, &S, T.ld):
        return STOP
    if classify(w, T, P.n, T.t, T.err[0], T.t + c * T.ld, T.err[c], &S, vertical,
                inside) != GO_ON:
        return STOP
    if own and w.counting:
        result = section_counts(w, P, T, P.rho - 2, inside)
    elif own:
        result = section(w, P, T, P.rho - 2, T, c, &S, inside)
    if result != GO_ON:
        return STOP
    while j < end and has(vertical, j):
        j += 1
    # below the top, or where the line lies in other lanes than its basis, no vertex is simple
    # or few are, and what prepares for them does not pay
    direct = (j < end and P.depth == 0 and count(inside, P.n) == P.rho - 2
              and (w.counting or not (w.faces or w.tracing)))
    if direct and not (by_sample(w, &S, &L) and phi_signs(w, P, T, c, g, j, &S, &L)):
        return STOP
    if direct and many_doubts(w, P, &L, j, vertical) and tableau_sharpen(&w.pr, T):
        if (not new_lanes(w, &S, T.ld)
                or classify(w, T, P.n, T.t, T.err[0], T.t + c * T.ld, T.err[c], &S, vertical,
                            inside) != GO_ON
                or not (by_sample(w, &S, &L) and phi_signs(w, P, T, c, g, j, &S, &L))):
            return STOP
    L.skip = vertical
    while j < end:
        if direct:
            found = 0
            j = ar_vertices(&L, j, end, NULL if w.counting else &w.out, w.out_end, &found)
            simple_vertices(w, P, found)
            if j == end:
                break
        if not has(vertical, j):
            n_open = ar_compare(S.lo, S.hi, S.lo[j], S.hi[j], T.ld, S.less, S.open)
            stuck += direct and not has(L.doubt, j)
            if not (S.ranked or T.integral or w.pr.tol > 0) and (n_open > 1 or stuck > PATIENCE):
                if not rank_slopes(w, T, c, &S) or (direct and not by_sample(w, &S, &L)):
                    return STOP
                continue
            v = Vertex(T, c, j, T, c, j, g)
            if other_vertex(w, P, &v, &S, inside) != GO_ON:
                return STOP
        j += 1
    return GO_ON


cdef inline void simple_vertices(Worker *w, const Problem *P, long n) noexcept nogil:
    """Count n chambers at simple vertices, one at each."""
    w.pr.n_filter += n * P.n
    if w.counting:
        w.flats[P.rho - 1] += n
        if w.faces:
            tally_faces(w, 1, P.rho - 1, n)
            return
    w.n_pairs += n


cdef bint by_sample(Worker *w, const Lanes *S, ar_line *L) noexcept nogil:
    """The slopes of a line sample by sample, so that comparing them gives a row."""
    cdef int i, k, n = (w.n_samples + 31) & ~31
    cdef float *under
    cdef float *over
    cdef uint64_t *base
    L.n_lanes, L.n_words, L.n_bytes, L.cuts = n, w.n_words, w.n_bytes, w.cuts
    L.row = words(w, w.n_samples, NULL)
    L.member = NULL
    if w.identity:
        L.under, L.over, L.base = S.under, S.over, S.pos
        return L.row != NULL
    L.member_start, L.member = w.member_start, w.member
    under = <float *> take(w, 2 * n * sizeof(float))
    over = under + n
    base = words(w, n, NULL)
    if L.row == NULL or under == NULL or base == NULL:
        return False
    memcpy(base, w.all_negative, w.n_words * sizeof(uint64_t))
    for i in range(n):
        k = w.class_of[i] if i < w.n_samples else -1
        under[i] = S.under[k] if k >= 0 else -INFINITY
        over[i] = S.over[k] if k >= 0 else -INFINITY
        if k < 0 or has(S.pos, k):
            base[i >> 6] ^= <uint64_t> 1 << (i & 63)
    L.under, L.over, L.base = under, over, base
    return True


cdef bint many_doubts(const Worker *w, const Problem *P, const ar_line *L, int first,
                      const uint64_t *vertical) noexcept nogil:
    """Whether phi has unknown signs at so many vertices that better entries pay."""
    cdef int i, n = 0
    cdef uint64_t x
    for i in range(first >> 6, n_words(P.n)):
        x = L.doubt[i] & ~vertical[i]
        if i == P.n >> 6:
            x &= (<uint64_t> 1 << (P.n & 63)) - 1
        n += count(&x, 64)
    return 8 * n > P.n


cdef int order_of(Worker *w, const Tableau *T, int c, Lanes *S, int j, int k,
                  uint64_t *narrowed) noexcept nogil:
    """-1, 0 or 1 as the slope of lane k is below that of lane j, equal to it, or above it."""
    cdef int s, i
    for s in range(2):
        if S.hi[k] < S.lo[j]:
            return -1
        if S.lo[k] > S.hi[j]:
            return 1
        i = k if s else j
        if not has(narrowed, i):
            put(narrowed, i)
            narrow_slope(&w.pr, T, c, i, S.lo + i, S.hi + i)
    if S.hi[k] < S.lo[j] or S.lo[k] > S.hi[j]:
        return -1 if S.hi[k] < S.lo[j] else 1
    s = sign_after(&w.pr, T, c, j, k, 0)
    return 0 if s == 0 else -1 if (s > 0) != has(S.pos, k) else 1


cdef bint rank_slopes(Worker *w, const Tableau *T, int c, Lanes *S) noexcept nogil:
    """Give all slopes of a line numbers in their exact order, equal ones where they are equal: by
    bisection, n log n comparisons of which few are not certain by intervals."""
    cdef Mark at = w.at
    cdef int *distinct = <int *> take(w, 2 * T.n * sizeof(int))
    cdef int *like = distinct + T.n
    cdef uint64_t *narrowed = words(w, T.n, NULL)
    cdef int n_distinct = 0, i, k, s, low, high, middle
    if distinct == NULL or narrowed == NULL:
        return False
    for k in range(T.n):
        if S.lo[k] == -INFINITY:
            continue
        like[k] = k
        low, high = 0, n_distinct
        while low < high:
            middle = (low + high) // 2
            s = order_of(w, T, c, S, distinct[middle], k, narrowed)
            if s == 0:
                like[k] = distinct[middle]
                break
            if s < 0:
                high = middle
            else:
                low = middle + 1
        if like[k] == k:
            memmove(distinct + low + 1, distinct + low, (n_distinct - low) * sizeof(int))
            distinct[low] = k
            n_distinct += 1
    # the first of each slope before those that are like it
    for i in range(n_distinct):
        k = distinct[i]
        S.lo[k] = S.hi[k] = S.under[k] = S.over[k] = i
    for k in range(T.n):
        if S.lo[k] > -INFINITY:
            i = like[k]
            S.lo[k] = S.hi[k] = S.under[k] = S.over[k] = S.lo[i]
    S.ranked = True
    w.at = at
    return True


cdef bint phi_signs(Worker *w, const Problem *P, const Tableau *T, int c, int g, int first,
                    const Lanes *S, ar_line *L) noexcept nogil:
    """The signs of phi, lane g, at all vertices from lane `first` on.

    With lane j pivoted into column c the coordinate of phi is y = phi_c / t_jc there and
    phi_s - y t_js in column s; the sign of y is that of t_jc, kept in `pos`, times that of phi_c.
    The chamber at j has the signs of the point j off its flat, or their opposites where phi is
    negative at infinity, and those of phi in the flat.
    """
    cdef int ld = T.ld, nw = n_words(ld), i, s, k = first & ~7
    cdef double *ratio
    cdef double *error
    cdef uint64_t *own = <uint64_t *> take(w, (2 + T.w) * nw * sizeof(uint64_t))
    cdef uint64_t *minus = own + nw
    cdef uint64_t *doubt = minus + nw
    cdef uint64_t *plus = doubt
    if own == NULL:
        return False
    memset(doubt, 0, nw * sizeof(uint64_t))
    L.doubt, L.minus, L.own, L.n_ids = doubt, minus, own, 0
    if w.counting:
        return True
    ratio = <double *> take(w, 2 * ld * sizeof(double))
    error = ratio + ld
    if ratio == NULL:
        return False
    ar_ratios(S.inverse + k, T.t[c * ld + g], T.g_err[c], T.err[c], ld - k, ratio + k, error + k)
    ar_reduce(T.t, ratio, error, T.t[g], T.g_err[0], T.err[0], k, ld, own, doubt)
    for i in range(k >> 6, nw):
        minus[i] = ~own[i]
    if entry_sign(&w.pr, T, g, c) > 0:
        memcpy(own, minus, nw * sizeof(uint64_t))
    for s in range(1, T.w):
        if s == c:
            continue
        plus += nw
        ar_reduce(T.t + s * ld, ratio, error, T.t[s * ld + g], T.g_err[s], T.err[s], k, ld, plus,
                  doubt)
        for i in range(k >> 6, nw):
            plus[i] ^= minus[i]
        L.agree[L.n_ids] = plus
        L.ids[L.n_ids] = T.basis[s]
        L.n_ids += 1
    return True


cdef int other_vertex(Worker *w, const Problem *P, const Vertex *v, Lanes *S,
                      const uint64_t *inside) noexcept nogil:
    """The chambers at the point of a lane, which may be that of other lanes too; slopes have been
    compared with that of the lane."""
    cdef int i, j = v.j
    ray_signs(w, v.T, v.c, j, P.n, S)
    if count(S.open, P.n) > 1:
        if w.only_simple:
            w.status = DEGENERATE
            return STOP
        if any_before(S.open, j):  # found at that lane already
            return GO_ON
    for i in range(n_words(P.n)):
        S.open[i] |= inside[i]
    return at_vertex(w, P, v, S.bits, S.open, P.rho - 1)


cdef inline bint any_before(const uint64_t *mask, int j) noexcept nogil:
    cdef int i
    for i in range(j >> 6):
        if mask[i] != 0:
            return True
    return mask[j >> 6] & ((<uint64_t> 1 << (j & 63)) - 1) != 0


# -- flats of lower rank -------------------------------------------------------------------

cdef int generic_slopes(Worker *w, Tableau *T, int n, Lanes *S, uint64_t *vertical,
                        uint64_t *inside) noexcept nogil:
    """`classify` by two generic combinations of columns: lanes that are parallel have equal
    slopes, and nearly always only these."""
    cdef int ld = T.ld, s
    cdef double *alpha = <double *> take(w, ld * sizeof(double))
    cdef double *beta = <double *> take(w, ld * sizeof(double))
    cdef double alpha_err = 0, beta_err = 0
    if alpha == NULL or beta == NULL:
        return STOP
    memset(alpha, 0, ld * sizeof(double))
    memset(beta, 0, ld * sizeof(double))
    for s in range(T.w):
        if s == 0 or (T.free >> s) & 1:
            ar_add(alpha, T.t + s * ld, w.mix[w.r + s], ld)
            alpha_err += w.mix[w.r + s] * (T.err[s] + 1e-14 * T.top[s])
        if (T.free >> s) & 1:
            ar_add(beta, T.t + s * ld, w.mix[s], ld)
            beta_err += w.mix[s] * (T.err[s] + 1e-14 * T.top[s])
    return classify(w, T, n, alpha, alpha_err, beta, beta_err, S, vertical, inside)


cdef bint parallel_before(Worker *w, const Tableau *T, int c, int i,
                          const uint64_t *open) noexcept nogil:
    """Whether a lane before i, one of `open`, is parallel to it."""
    cdef int s
    cdef uint64_t x
    for s in range((i >> 6) + 1):
        x = open[s]
        if s == i >> 6:
            x &= (<uint64_t> 1 << (i & 63)) - 1
        while x:
            if parallel(w, T, 0, c, i, 64 * s + ar_lowest(x)):
                return True
            x &= x - 1
    return False


cdef int node(Worker *w, const Problem *P, Tableau *T, int t, int first, int end, bint own,
              uint64_t *vertical, uint64_t *inside) noexcept nogil:
    """The flats below one of rank t, by bases that go on with an index in first..end-1; its own
    section too where `own` (at the top)."""
    cdef int n = P.n, i, c, result = GO_ON
    cdef Lanes S
    cdef uint64_t *v
    cdef uint64_t *z
    cdef Tableau child
    cdef Mark at
    if t == P.rho - 2:
        return line(w, P, T, first, end, own, vertical, inside)
    if not new_lanes(w, &S, T.ld) or generic_slopes(w, T, n, &S, vertical, inside) != GO_ON:
        return STOP
    if own and w.counting:
        result = section_counts(w, P, T, t, inside)
    elif own:
        result = section_of_node(w, P, T, t, vertical, inside)
    if result != GO_ON or not new_tableau(w, &child, T.n, T.n_g, T.ld, T.w):
        return STOP
    at = w.at
    for i in range(first, end):
        if has(vertical, i):
            continue
        ar_compare(S.lo, S.hi, S.lo[i], S.hi[i], (i + 8) & ~7, S.less, S.open)
        c = pivot_column(&w.pr, T, i)
        # the flat with i is found at its lexicographically smallest basis only
        if parallel_before(w, T, c if c >= 0 else -1 - c, i, S.open):
            if w.only_simple:
                w.status = DEGENERATE
                return STOP
            continue
        tableau_pivot(&w.pr, T, &child, i, c)
        v = words(w, n, vertical)
        z = words(w, n, inside)
        if v == NULL or z == NULL:
            return STOP
        put(v, i)
        put(z, i)
        if node(w, P, &child, t + 1, i + 1, n, P.depth == 0, v, z) != GO_ON:
            return STOP
        w.at = at
    return GO_ON


cdef int walk(Worker *w, const Problem *P, int prefix, int first, int end,
              bint own) noexcept nogil:
    """Walk the flats whose basis starts with `prefix` (negative: none) and goes on with an index
    in first..end-1, and the section of the prefix itself where `own`."""
    cdef Tableau *T = <Tableau *> &P.root
    cdef Tableau child
    cdef uint64_t *row
    cdef uint64_t *vertical
    cdef uint64_t *inside
    cdef double one = 1
    cdef int zero = 0, c
    cdef Lanes S
    if w.r == 1:
        if not own:
            return GO_ON
        row = words(w, w.n_samples, P.row)
        if row == NULL:
            return STOP
        flip(w, row, 0)
        if w.counting:
            w.flats[0] += 1
        if w.faces:
            return some_faces(w, P, P.zero, NULL, 0, 1)
        if w.tracing:
            trace(w, &P.outer, 0, &zero, &one, 1)
        return emit(w, row)
    vertical = words(w, P.n, NULL)
    inside = words(w, P.n, NULL)
    if vertical == NULL or inside == NULL:
        return STOP
    put(vertical, 0)
    if prefix < 0:
        return node(w, P, T, 0, first, end, own, vertical, inside)
    c = pivot_column(&w.pr, T, prefix)
    if w.pr.tol > 0:  # else classes are not parallel, and every prefix is the smallest basis
        if not new_lanes(w, &S, T.ld) or generic_slopes(w, T, P.n, &S, vertical, inside) != GO_ON:
            return STOP
        ar_compare(S.lo, S.hi, S.lo[prefix], S.hi[prefix], (prefix + 8) & ~7, S.less, S.open)
        if has(vertical, prefix) or parallel_before(w, T, c if c >= 0 else -1 - c, prefix, S.open):
            return GO_ON
    if not new_tableau(w, &child, T.n, T.n_g, T.ld, T.w):
        return STOP
    tableau_pivot(&w.pr, T, &child, prefix, c)
    put(vertical, prefix)
    put(inside, prefix)
    return node(w, P, &child, 1, first, end, own, vertical, inside)
