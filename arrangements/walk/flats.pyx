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
sign of an entry, here or after one more pivot; `_predicates` decides it.
"""
from libc.math cimport INFINITY, fabs
from libc.stdint cimport uint64_t
from libc.string cimport memcpy, memmove, memset

from arrangements.walk.catalogue cimport Entry, Match, find
from arrangements.walk.kernels cimport (ar_add, ar_compare, ar_dispatch, ar_lowest, ar_ratios,
                                    ar_reduce, ar_signs, ar_slopes)
from arrangements.walk.predicates cimport (MAX_RANK, Tableau, entry_after, entry_sign,
                                       functional_on_rays, pivot_column, sign_after, signs_after,
                                       tableau_measure, tableau_pivot, tableau_refresh)
from arrangements.walk.memory cimport (DEGENERATE, GO_ON, STOP, STOPPED, Mark, Outer, Worker, add_outer,
                                   count, drop, emit, emit_faces, flip, has, n_words, new_tableau,
                                   put, take, tally_faces, trace, words)

ar_dispatch()

cdef enum:
    IN_DOUBT = 2


# -- lanes of a tableau --------------------------------------------------------------------

cdef int classify(Worker *w, Tableau *T, int n, const double *alpha, double alpha_err,
                  const double *beta, double beta_err,
                  double *lo, double *hi, double *inverse, uint64_t *pos, uint64_t *vertical,
                  uint64_t *inside) noexcept nogil:
    """Slopes alpha / beta of lanes 0..n-1, and the lanes that have none.

    On a line alpha is column 0 (the vector at infinity) and beta the free column; elsewhere both
    are generic combinations, beta of the free columns alone. `vertical` gains the lanes whose free
    part is exactly zero, `inside` those of them in the flat. The sign of lane k at the point x of
    the line is [slope < x] xor pos; the slopes of vertical lanes are set to -inf and their bit in
    pos so that this holds for them too, lanes inside counting as negative.
    """
    cdef int ld = T.ld, i, k, s, nw = n_words(n), c
    cdef uint64_t x
    cdef uint64_t *small = words(w, ld, NULL)
    cdef bint line = (T.free & (T.free - 1)) == 0
    if small == NULL:
        return STOP
    ar_slopes(alpha, beta, alpha_err, beta_err, line and T.integral, ld, lo, hi, inverse)
    ar_signs(beta, NULL, beta_err, ld, pos, small)
    for k in range(n, ld):
        lo[k] = hi[k] = -INFINITY
        put(pos, k)
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
                drop(pos, k)
                if s > 0:
                    put(pos, k)
    for i in range(nw):
        x = vertical[i]
        while x:
            k = 64 * i + ar_lowest(x)
            x &= x - 1
            lo[k] = hi[k] = -INFINITY
            put(pos, k)
            if not has(inside, k):
                s = entry_sign(&w.pr, T, k, 0)
                if s == 0:
                    put(inside, k)
                    T.t[k] = 0
                elif s > 0:
                    drop(pos, k)
    return GO_ON


cdef bint parallel(Worker *w, const Tableau *T, int c, int i, int k) noexcept nogil:
    """Whether lane k is a multiple of lane i in alpha and all free columns; lane i is not zero
    in column c."""
    cdef int s
    for s in range(T.w):
        if s != c and (s == 0 or (T.free >> s) & 1):
            if sign_after(&w.pr, T, c, i, k, s) != 0:
                return False
    return True


cdef int ray_signs(Worker *w, const Tableau *T, int c, int j, int n, const uint64_t *less,
                   const uint64_t *pos, uint64_t *open, uint64_t *bits) noexcept nogil:
    """Signs of all lanes at the point of lane j on the line; on return `open` holds the lanes
    that vanish there (j among them if it is one of the n)."""
    cdef int i, k, s
    cdef uint64_t x
    w.pr.n_filter += n
    for i in range(n_words(n)):
        bits[i] = (less[i] ^ pos[i]) & ~open[i]
        x = open[i]
        while x:
            k = 64 * i + ar_lowest(x)
            x &= x - 1
            if k == j or (T.integral and j < n):
                continue  # equal quotients of an integral tableau are equal
            s = sign_after(&w.pr, T, c, j, k, 0)
            if s != 0:
                drop(open, k)
                if s > 0:
                    put(bits, k)
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


cdef int descend(Worker *w, const Problem *P, const Tableau *T, int c, int j,
                 const Tableau *G, int gc, int gj, int g, const uint64_t *members,
                 const uint64_t *row, int sigma) noexcept nogil:
    """The chambers at a degenerate vertex v: Positive(A_v, phi).

    `members` are the lanes of A_v, `row` holds the signs off A_v, sigma the sign at infinity.
    Coordinates of A_v are entries of T after lane j is pivoted into column c (j < 0: of T as it
    is); those of phi are entries of G, after gj into gc.
    """
    cdef Mark at = w.at
    cdef Problem *Q
    cdef Tableau L
    cdef uint64_t x
    cdef uint64_t *mine
    cdef int i, k, s, n_basis = 0, n_other = 0, n = count(members, P.n), ld, sign
    cdef int cols[MAX_RANK]
    cdef int lane_of[MAX_RANK]
    cdef int basis[MAX_RANK]
    cdef int loose_sign[MAX_RANK]
    cdef double phi[MAX_RANK]
    cdef double phi_err[MAX_RANK]
    cdef double e = 0, worst
    cdef int *source
    # a float tableau's columns have factors of their own: rows and phi must come from one
    cdef bint stale = j < 0 and G != T and not T.integral
    if w.only_simple:
        w.status = DEGENERATE
        return STOP
    if w.stop:
        w.status = STOPPED
        return STOP
    Q = <Problem *> take(w, sizeof(Problem))
    source = <int *> take(w, n * sizeof(int))
    mine = words(w, w.n_samples, row)
    if Q == NULL or source == NULL or mine == NULL:
        return STOP
    Q.depth = P.depth + 1
    Q.row = mine
    Q.zero = P.zero
    Q.n_loose = P.n_loose
    memcpy(Q.loose, P.loose, P.n_loose * sizeof(int))
    # columns of the new tableau: those pivoted on in T, and c
    for s in range(1, T.w):
        if s == c or not (T.free >> s) & 1:
            cols[n_basis] = s
            n_basis += 1
    # ids outside: the parent's, what is at infinity, and for a section the other columns of G
    Q.outer = P.outer
    add_outer(&Q.outer, T.basis[0], P.depth, sigma)
    for s in range(1, T.w):
        if s != c and (T.free >> s) & 1:
            add_outer(&Q.outer, G.id[gj] if s == gc else G.basis[s], 0, 0)
    # the lane that is the basis vector of each column
    for s in range(n_basis):
        lane_of[s] = j if cols[s] == c else -1
    for i in range(n_words(P.n)):
        x = members[i]
        while x:
            k = 64 * i + ar_lowest(x)
            x &= x - 1
            for s in range(n_basis):
                if T.basis[cols[s]] == T.id[k] and cols[s] != c:
                    lane_of[s] = k
                    break
                if cols[s] == c and k == j:
                    break
            else:
                source[n_other] = k
                n_other += 1
    Q.dim = P.dim + P.rho - n_basis
    ld = (n + 1 + 7) & ~7
    if not new_tableau(w, &L, n, 1, ld, n_basis):
        return STOP
    # coordinates of the dependent lanes, with proven zeros, written column by column
    L.integral = T.integral
    L.scale = fabs(T.t[c * T.ld + j]) if j >= 0 else T.scale
    L.det = T.det
    if j >= 0 and not T.integral:
        L.det = T.det * (fabs(T.t[c * T.ld + j]) + T.err[c]) * (1 + 1e-15)
    for s in range(n_basis):
        worst = 0
        loose_sign[s] = -1
        for i in range(n_other):
            k = source[i]
            if j >= 0:
                L.t[s * ld + i] = entry_after(T, c, j, k, cols[s], &e)
                sign = sign_after(&w.pr, T, c, j, k, cols[s])
            else:
                L.t[s * ld + i] = T.t[cols[s] * T.ld + k]
                e = T.err[cols[s]]
                sign = entry_sign(&w.pr, T, k, cols[s])
            if sign == 0:
                L.t[s * ld + i] = 0
                continue
            loose_sign[s] = 0
            if not (e <= worst):
                worst = e
        L.err[s] = worst
        basis[s] = T.id[lane_of[s]]
        if not w.counting:
            if loose_sign[s] != 0:
                loose_sign[s] = sign_after(&w.pr, G, gc, gj, g, cols[s])
            phi[s] = entry_after(G, gc, gj, g, cols[s], &phi_err[s])
    for i in range(n_other):
        source[i] = T.id[source[i]]
    # any id where phi is not wanted
    s = settle(w, Q, &L, n_basis, basis, loose_sign, n_other, source,
               G.id[g] if g >= 0 else T.basis[0], phi, phi_err, stale, True)
    w.at = at
    return s


cdef int settle(Worker *w, Problem *Q, Tableau *L, int n_basis, const int *basis,
                const int *loose_sign, int n_other, const int *other, int phi_id,
                const double *phi, const double *phi_err, bint stale, bint whole) noexcept nogil:
    """Positive(B, phi), B being `basis` and `other`, whose coordinates are lanes 0..n_other-1 of L.

    Basis vectors that no other depends on, those with a `loose_sign`, keep the sign phi gives them
    and leave. `whole`: faces that vanish on all of B too.
    """
    cdef int ld = L.ld, s, i, q = 0
    cdef int *ids = <int *> take(w, (n_basis + n_other + 1) * sizeof(int))
    if ids == NULL:
        return STOP
    Q.whole = whole
    Q.n_own = 0
    for s in range(n_basis):
        if loose_sign[s] == 0:
            ids[q] = basis[s]
            L.err[q] = L.err[s]
            if q != s:
                memcpy(L.t + q * ld, L.t + s * ld, n_other * sizeof(double))
            q += 1
            continue
        if loose_sign[s] > 0:
            flip(w, Q.row, basis[s])
        add_outer(&Q.outer, basis[s], Q.depth, loose_sign[s])
        memmove(Q.loose + 1, Q.loose, Q.n_loose * sizeof(int))
        Q.loose[0] = basis[s]
        Q.n_loose += 1
        Q.n_own += 1
    Q.rho = q
    Q.n = q + n_other
    L.w = q
    L.n = Q.n
    L.id = ids
    L.outer = Q.outer.id
    L.free = ((<uint64_t> 1 << q) - 1) & ~<uint64_t> 1
    for i in range(n_other):
        ids[q + i] = other[i]
    ids[Q.n] = phi_id
    q = 0
    for s in range(n_basis):
        if loose_sign[s] != 0:
            continue
        L.basis[q] = ids[q]
        for i in range(n_other - 1, -1, -1):
            L.t[q * ld + Q.rho + i] = L.t[q * ld + i]
        for i in range(Q.rho):
            L.t[q * ld + i] = 0
        L.t[q * ld + q] = L.scale if L.integral else 1
        L.g_err[q] = L.t[q * ld + Q.n] = 0
        if not w.counting:
            L.t[q * ld + Q.n] = phi[s]
            L.g_err[q] = phi_err[s]
        for i in range(Q.n + 1, ld):
            L.t[q * ld + i] = 0
        q += 1
    tableau_measure(&w.pr, L)
    if not w.counting:
        tableau_refresh(&w.pr, L, stale)
    Q.root = L[0]
    if w.faces:
        return solve_faces(w, Q, L)
    return solve(w, Q, L)


cdef void trace_rays(Worker *w, const Problem *P, const Tableau *T, const Entry *E,
                     const Match *M, const uint64_t *c, bint opposite) noexcept nogil:
    """`trace` for a listed chamber: the sum of its extreme rays lies inside."""
    cdef int ids[MAX_RANK]
    cdef double value[MAX_RANK]
    cdef int s, i, sign, W = E.n_words
    cdef bint turned
    for s in range(E.rho):
        ids[s] = T.basis[M.lane[s]]
        value[s] = 0
        for i in range(E.rays.count):
            sign = <int> ((c[1 + (i >> 6)] >> (i & 63)) & 1) - <int> (
                (c[1 + W + (i >> 6)] >> (i & 63)) & 1)
            value[s] += sign * E.rays.t[s * E.rays.ld + i]
        turned = (M.turned >> s) & 1
        if opposite != turned:
            value[s] = -value[s]
    trace(w, &P.outer, P.depth, ids, value, E.rho)


cdef int look_up(Worker *w, Problem *P, const Tableau *T, const Entry *E,
                 const Match *M) noexcept nogil:
    """Positive(B, phi) from the list of the chambers of B: those on whose rays phi is positive."""
    cdef int _q, i, k, W = E.n_words, opposite
    cdef double *scratch
    cdef uint64_t *plus
    cdef uint64_t *doubt
    cdef const uint64_t *c = E.items
    cdef uint64_t bad[2]
    cdef uint64_t now = 0, x, all_signs = ~<uint64_t> 0 >> (64 - E.n)
    if w.counting:
        w.n_pairs += E.n_positive[E.rho]
        return GO_ON
    scratch = <double *> take(w, 2 * E.rays.ld * sizeof(double))
    plus = words(w, E.rays.ld, NULL)
    doubt = words(w, E.rays.ld, NULL)
    if scratch == NULL or plus == NULL or doubt == NULL:
        return STOP
    if not functional_on_rays(&w.pr, T, &E.rays, M.lane, M.turned, scratch, plus, doubt):
        return IN_DOUBT
    for _q in range(E.n_items):
        bad[0] = bad[1] = 0
        for i in range(W):
            bad[0] |= (c[1 + i] & ~plus[i]) | (c[1 + W + i] & plus[i])
            bad[1] |= (c[1 + i] & plus[i]) | (c[1 + W + i] & ~plus[i])
        for opposite in range(2):
            if bad[opposite] == 0:
                x = c[0] ^ M.turned ^ (all_signs if opposite else 0)
                now ^= x  # what changes from the row before
                while now:
                    k = ar_lowest(now)
                    now &= now - 1
                    flip(w, P.row, T.id[M.lane[k]])
                now = x
                if w.tracing:
                    trace_rays(w, P, T, E, M, c, opposite)
                if emit(w, P.row) != GO_ON:
                    return STOP
        c += 1 + 2 * W
    return GO_ON


cdef int look_up_faces(Worker *w, Problem *P, const Tableau *T, const Entry *E,
                       const Match *M) noexcept nogil:
    """`look_up` for all faces but the origin."""
    cdef int _q, i, k, W = E.n_words, opposite
    cdef double *scratch
    cdef uint64_t *plus
    cdef uint64_t *doubt
    cdef uint64_t *zero
    cdef const uint64_t *c = E.items
    cdef uint64_t bad[2]
    cdef uint64_t now = 0, vanish = 0, x, all_signs = ~<uint64_t> 0 >> (64 - E.n)
    if w.counting:
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
        for i in range(W):
            bad[0] |= (c[3 + i] & ~plus[i]) | (c[3 + W + i] & plus[i])
            bad[1] |= (c[3 + i] & plus[i]) | (c[3 + W + i] & ~plus[i])
        for opposite in range(2):
            if bad[opposite] == 0:
                x = c[0] ^ M.turned ^ (all_signs if opposite else 0)
                now ^= x  # what changes from the row before
                while now:
                    k = ar_lowest(now)
                    now &= now - 1
                    flip(w, P.row, T.id[M.lane[k]])
                now = x
                vanish ^= c[1]
                while vanish:
                    k = ar_lowest(vanish)
                    vanish &= vanish - 1
                    flip(w, zero, T.id[M.lane[k]])
                vanish = c[1]
                if emit_faces(w, P.row, zero, P.loose, P.n_loose,
                              P.dim + <int> c[2]) != GO_ON:
                    return STOP
        c += 3 + 2 * W
    return GO_ON


cdef int solve_faces(Worker *w, Problem *P, Tableau *T) noexcept nogil:
    """The faces of B on which phi > 0 (the origin among them, unless n_own tells otherwise).

    Those off the hyperplane of lane 0 have a lowest vertex in a walk that puts it at infinity, as
    chambers have; the others are faces of B restricted to it.
    """
    cdef Mark at = w.at
    cdef uint64_t *zero = words(w, w.n_samples, P.zero)
    cdef uint64_t *vertical
    cdef uint64_t *inside
    cdef int i, k
    cdef Entry *entry
    cdef Match match
    if zero == NULL:
        return STOP
    for k in range(P.n):  # faces on which all of B vanishes
        flip(w, zero, T.id[k])
    if P.whole:
        if some_faces(w, P, zero, P.loose, P.n_loose, P.dim) != GO_ON:
            return STOP
    for i in range(0 if P.whole else P.n_own):  # the first of its own that does not
        if some_faces(w, P, zero, P.loose + i + 1, P.n_loose - i - 1, P.dim + 1) != GO_ON:
            return STOP
        flip(w, zero, P.loose[i])
    if P.rho == 0:
        return GO_ON
    if P.n == P.rho + 1:
        return circuit(w, P, T)
    if T.integral:
        entry = find(w.catalogue, T, &match)
        if entry != NULL:
            k = look_up_faces(w, P, T, entry, &match)
            if k != IN_DOUBT:
                return k
    vertical = words(w, P.n, NULL)
    inside = words(w, P.n, NULL)
    if vertical == NULL or inside == NULL:
        return STOP
    put(vertical, 0)
    if node(w, P, T, 0, 1, P.n, False, vertical, inside) != GO_ON:
        return STOP
    w.at = at
    return restrict(w, P, T)


cdef inline int some_faces(Worker *w, const Problem *P, uint64_t *zero, const int *loose, int n,
                           int dim) noexcept nogil:
    """Emit faces, or count them."""
    if not w.counting:
        return emit_faces(w, P.row, zero, loose, n, dim)
    tally_faces(w, dim, n, 1)
    return GO_ON


cdef int restrict(Worker *w, const Problem *P, const Tableau *T) noexcept nogil:
    """The faces in the hyperplane of lane 0: those of B restricted to it, where lanes that become
    parallel are one class, its sign that of a representative."""
    cdef Mark at = w.at
    cdef Problem *Q = <Problem *> take(w, sizeof(Problem))
    cdef int *other = <int *> take(w, P.n * sizeof(int))
    cdef int *lane = <int *> take(w, P.n * sizeof(int))
    cdef uint64_t *row = words(w, w.n_samples, P.row)
    cdef uint64_t *zero = words(w, w.n_samples, P.zero)
    cdef int i, k, s, c, n_basis = P.rho - 1, n_other = 0, n_merged = w.n_merged, result
    cdef int basis[MAX_RANK]
    cdef int loose_sign[MAX_RANK]
    cdef double phi[MAX_RANK]
    cdef double phi_err[MAX_RANK]
    cdef int *merged
    cdef Tableau L
    if (Q == NULL or other == NULL or lane == NULL or row == NULL or zero == NULL
            or not new_tableau(w, &L, P.n, 1, (P.n + 7) & ~7, n_basis)):
        return STOP
    Q.depth = P.depth + 1
    Q.row = row
    Q.zero = zero
    flip(w, zero, T.id[0])
    Q.outer = P.outer
    add_outer(&Q.outer, T.basis[0], P.depth, 0)
    Q.n_loose = P.n_loose
    memcpy(Q.loose, P.loose, P.n_loose * sizeof(int))
    Q.dim = P.dim
    for s in range(n_basis):
        basis[s] = T.basis[s + 1]
        loose_sign[s] = -1
    for k in range(P.rho, P.n):
        c = 0
        i = 0   # nonzero columns
        for s in range(1, P.rho):
            if entry_sign(&w.pr, T, k, s) != 0:
                i += 1
                c = s
        merged = w.merged + 3 * w.n_merged
        merged[0] = T.id[k]
        if i == 1:
            merged[1] = T.basis[c]
            merged[2] = entry_sign(&w.pr, T, k, c) < 0
            w.n_merged += 1
            continue
        for i in range(n_other):
            if along(w, T, c, lane[i], k):
                break
        else:
            lane[n_other] = k
            other[n_other] = T.id[k]
            n_other += 1
            continue
        merged[1] = other[i]
        merged[2] = entry_sign(&w.pr, T, k, c) != entry_sign(&w.pr, T, lane[i], c)
        w.n_merged += 1
    L.integral = T.integral
    L.scale = T.scale
    L.det = T.det
    for s in range(n_basis):
        L.err[s] = T.err[s + 1]
        for i in range(n_other):
            k = entry_sign(&w.pr, T, lane[i], s + 1)
            L.t[s * L.ld + i] = T.t[(s + 1) * T.ld + lane[i]] if k != 0 else 0
            if k != 0:
                loose_sign[s] = 0
        if not w.counting:
            if loose_sign[s] != 0:
                loose_sign[s] = entry_sign(&w.pr, T, P.n, s + 1)
            phi[s] = T.t[(s + 1) * T.ld + P.n]
            phi_err[s] = T.g_err[s + 1]
    result = settle(w, Q, &L, n_basis, basis, loose_sign, n_other, other, T.id[P.n], phi, phi_err,
                    False, False)
    w.n_merged = n_merged
    w.at = at
    return result


cdef bint along(Worker *w, const Tableau *T, int c, int i, int k) noexcept nogil:
    """Whether lanes i and k are parallel in all columns but 0; lane k is not zero in column c."""
    cdef int s
    if entry_sign(&w.pr, T, i, c) == 0:
        return False
    for s in range(1, T.w):
        if s != c and sign_after(&w.pr, T, c, k, i, s) != 0:
            return False
    return True


cdef int solve(Worker *w, Problem *P, Tableau *T) noexcept nogil:
    """All of Positive(B, phi), for B without coloops."""
    cdef uint64_t *vertical
    cdef uint64_t *inside
    cdef int k, sign
    cdef double value
    cdef Entry *entry
    cdef Match match
    if P.rho == 0:
        if w.tracing:
            trace(w, &P.outer, P.depth, NULL, NULL, 0)
        return emit(w, P.row)
    if P.rho == 1:  # vectors parallel within tol
        if not w.counting:
            sign = entry_sign(&w.pr, T, P.n, 0)
            for k in range(P.n):
                if entry_sign(&w.pr, T, k, 0) == sign:
                    flip(w, P.row, T.id[k])
            value = sign
            if w.tracing:
                trace(w, &P.outer, P.depth, T.basis, &value, 1)
        return emit(w, P.row)
    if P.n == P.rho + 1:
        return circuit(w, P, T)
    if T.integral:
        entry = find(w.catalogue, T, &match)
        if entry != NULL:
            k = look_up(w, P, T, entry, &match)
            if k != IN_DOUBT:
                return k
    vertical = words(w, P.n, NULL)
    inside = words(w, P.n, NULL)
    if vertical == NULL or inside == NULL:
        return STOP
    put(vertical, 0)
    return node(w, P, T, 0, 1, P.n, False, vertical, inside)


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


cdef int read_off(Worker *w, const Problem *P, const Tableau *T, int c, int j, const int *sign,
                  uint64_t *row) noexcept nogil:
    """Emit the one chamber at a simple vertex, given the signs of the coordinates of phi."""
    cdef int s, n = 0
    cdef int ids[2 * MAX_RANK]
    cdef double value[MAX_RANK]
    for s in range(1, T.w):
        ids[n] = T.id[j] if s == c else T.basis[s]
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
        trace_vertex(w, P, T, c, j, sign[0], ids, value, n)
    return emit(w, row)


cdef void trace_vertex(Worker *w, const Problem *P, const Tableau *T, int c, int j, int sigma,
                       const int *ids, const double *values, int n) noexcept nogil:
    """`trace` for a chamber read off at a simple vertex of P, sigma the sign at infinity."""
    cdef Outer outer = P.outer
    cdef int s, id
    add_outer(&outer, T.basis[0], P.depth, sigma)
    for s in range(1, T.w):
        id = T.id[j] if s == c else T.basis[s]
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


cdef int at_vertex(Worker *w, const Problem *P, const Tableau *T, int c, int j, const Tableau *G,
                   int gc, int gj, int g, uint64_t *bits, const uint64_t *members,
                   int rank) noexcept nogil:
    """The chambers at a vertex v whose flat has this rank; arguments as in `descend`, `bits` the
    signs of v off the members. Their number depends on the members alone."""
    cdef Mark at = w.at
    cdef int sign[MAX_RANK]
    cdef bint simple = count(members, P.n) == rank
    cdef uint64_t *row
    cdef int result
    if w.counting:
        if P.depth == 0:
            w.flats[rank] += 1
        if not simple:
            return descend(w, P, T, c, j, G, gc, gj, g, members, P.row, 1)
        if w.faces:
            tally_faces(w, P.dim + P.rho - rank, rank + P.n_loose, 1)
        else:
            w.n_pairs += 1
        return GO_ON
    signs_after(&w.pr, G, gc, gj, g, sign)
    if sign[0] < 0:
        turn(P, bits, members)
    row = settled(w, P, bits)
    if row == NULL:
        return STOP
    if simple:
        result = read_off(w, P, G, gc, gj, sign, row)
    else:
        result = descend(w, P, T, c, j, G, gc, gj, g, members, row, sign[0])
    w.at = at
    return result


cdef int section(Worker *w, const Problem *P, const Tableau *T, int t, const Tableau *S, int c,
                 const double *lo, const double *hi, const uint64_t *pos, uint64_t *less,
                 uint64_t *open, uint64_t *bits, const uint64_t *inside) noexcept nogil:
    """The chambers at the flat of T (rank t) in the section V_{t+1}, cut out by g_{t+2}..g_r.

    S is T with g_{t+3}..g_r pivoted in, c its last free column, and g_{t+2} a lane like others on
    that line, whose slopes and signs are lo, hi and pos.
    """
    cdef double x[24]          # slope interval of g_{t+2}, from its group of eight lanes
    cdef int gj = P.n + t + 1, k = gj & ~7
    ar_slopes(S.t + k, S.t + c * S.ld + k, S.g_err[0], S.g_err[c], False, 8, x, x + 8, x + 16)
    ar_compare(lo, hi, x[gj & 7], x[8 + (gj & 7)], T.ld, less, open)
    ray_signs(w, S, c, gj, P.n, less, pos, open, bits)
    return at_vertex(w, P, T, -1, -1, S, c, gj, P.n + t, bits, inside, t)


cdef int section_counts(Worker *w, const Problem *P, const Tableau *T, int t,
                        const uint64_t *inside) noexcept nogil:
    """The number of chambers `section` finds, without its signs."""
    cdef unsigned long long before = w.n_pairs
    cdef int result = at_vertex(w, P, T, -1, -1, T, -1, -1, -1, NULL, inside, t)
    w.by_rank[t] += w.n_pairs - before
    return result


cdef int section_of_node(Worker *w, const Problem *P, const Tableau *T, int t,
                         const uint64_t *vertical, const uint64_t *inside) noexcept nogil:
    """`section` at a flat of rank below r - 2, where functionals must be pivoted in first."""
    cdef Mark at = w.at
    cdef Tableau G[2]
    cdef const Tableau *S = T
    cdef int k, c, which = 0, result
    cdef uint64_t *v = words(w, P.n, vertical)
    cdef uint64_t *z = words(w, P.n, inside)
    cdef double *lo = <double *> take(w, 3 * T.ld * sizeof(double))
    cdef uint64_t *pos = <uint64_t *> take(w, 4 * n_words(T.ld) * sizeof(uint64_t))
    if (v == NULL or z == NULL or lo == NULL or pos == NULL
            or not new_tableau(w, &G[0], T.n, T.n_g, T.ld, T.w)
            or not new_tableau(w, &G[1], T.n, T.n_g, T.ld, T.w)):
        return STOP
    for k in range(w.r, t + 2, -1):
        c = pivot_column(&w.pr, S, P.n + k - 1)
        tableau_pivot(&w.pr, S, &G[which], P.n + k - 1, c)
        S = &G[which]
        which = 1 - which
    c = ar_lowest(S.free)
    if classify(w, <Tableau *> S, P.n, S.t, S.err[0], S.t + c * S.ld, S.err[c], lo, lo + T.ld,
                lo + 2 * T.ld, pos, v, z) != GO_ON:
        return STOP
    k = n_words(T.ld)
    result = section(w, P, T, t, S, c, lo, lo + T.ld, pos, pos + k, pos + 2 * k, pos + 3 * k,
                     inside)
    w.at = at
    return result


cdef int line(Worker *w, const Problem *P, Tableau *T, int first, int end, bint own,
              uint64_t *vertical, uint64_t *inside) noexcept nogil:
    """All vertices on a line: a flat of rank rho - 2, one column c still free.

    At the point of lane j every sign is a comparison of slopes, one vector instruction for eight
    lanes; the chamber there is read off by the signs of phi, a few vector operations for all j.
    """
    cdef int n = P.n, ld = T.ld, c = ar_lowest(T.free), i, j, k, s, nw = n_words(n), g
    cdef int n_open, n_cols = 0, sigma, gsign = 0, lanes = ld
    cdef int cols[MAX_RANK]
    cdef int loose[MAX_RANK]
    cdef uint64_t *plus[MAX_RANK]   # sign of phi at a column, for every lane j
    cdef uint64_t *doubt[MAX_RANK]
    cdef uint64_t *agree[MAX_RANK]
    cdef uint64_t *any_doubt
    cdef double *lo
    cdef double *hi
    cdef double *slo
    cdef double *shi
    cdef double *value
    cdef double *bound
    cdef double *inverse
    cdef double *ratio
    cdef double *ratio_err
    cdef uint64_t *pos
    cdef uint64_t *spos
    cdef uint64_t *sless
    cdef uint64_t *sopen
    cdef uint64_t *less
    cdef uint64_t *open
    cdef uint64_t *bits
    cdef uint64_t *row
    cdef uint64_t x
    cdef bint top = P.depth == 0, direct, skip
    if w.stop or w.pr.failed:
        w.status = STOPPED
        return STOP
    for s in range(T.w):
        if s != c:
            cols[n_cols] = s
            n_cols += 1
    # seven arrays of lanes; masks: 5, and 3 for each column
    lo = <double *> take(w, 7 * ld * sizeof(double))
    pos = <uint64_t *> take(w, (5 + 3 * n_cols) * n_words(ld) * sizeof(uint64_t))
    row = words(w, w.n_samples, NULL)
    if lo == NULL or pos == NULL or row == NULL:
        return STOP
    hi = lo + ld
    inverse = hi + ld
    value = inverse + ld
    bound = value + ld
    ratio = bound + ld
    ratio_err = ratio + ld
    less = sless = pos + n_words(ld)
    open = sopen = less + n_words(ld)
    bits = open + n_words(ld)
    any_doubt = bits + n_words(ld)
    for i in range(n_cols):
        plus[i] = any_doubt + (1 + 3 * i) * n_words(ld)
        doubt[i] = plus[i] + n_words(ld)
        agree[i] = doubt[i] + n_words(ld)
    if classify(w, T, n, T.t, T.err[0], T.t + c * ld, T.err[c], lo, hi, inverse, pos, vertical,
                inside) != GO_ON:
        return STOP
    if own and not w.counting:
        if section(w, P, T, P.rho - 2, T, c, lo, hi, pos, less, open, bits, inside) != GO_ON:
            return STOP
    elif own and section_counts(w, P, T, P.rho - 2, inside) != GO_ON:
        return STOP
    while first < end and has(vertical, first):
        first += 1
    if first >= end:
        return GO_ON
    g = n + P.rho - 1 if top else n
    direct = top and count(inside, n) == P.rho - 2
    for i in range(1, n_cols):
        loose[i] = T.basis[cols[i]]
    if direct and not w.counting:
        gsign = entry_sign(&w.pr, T, g, c)
        k = first & ~63
        ar_ratios(inverse + k, T.t[c * ld + g], T.g_err[c], T.err[c], ld - k, ratio, ratio_err)
        for i in range(n_cols):
            s = cols[i]
            ar_reduce(T.t + s * ld + k, ratio, ratio_err, T.t[s * ld + g], T.g_err[s], T.err[s],
                      ld - k, value, bound)
            ar_signs(value, bound, 0, ld - k, plus[i] + (k >> 6), doubt[i] + (k >> 6))
        for k in range(first >> 6, nw):
            any_doubt[k] = doubt[0][k]
            agree[0][k] = ~(plus[0][k] ^ (pos[k] if gsign > 0 else ~pos[k]))
            for i in range(1, n_cols):
                any_doubt[k] |= doubt[i][k]
                agree[i][k] = ~(plus[0][k] ^ plus[i][k])
    # the same lanes sample by sample, where samples are not the classes in order
    slo = lo
    shi = hi
    spos = pos
    if direct and not w.identity:
        lanes = w.lanes
        slo = <double *> take(w, lanes * sizeof(double))
        shi = <double *> take(w, lanes * sizeof(double))
        spos = words(w, lanes, NULL)
        sless = words(w, lanes, NULL)
        sopen = words(w, lanes, NULL)
        if slo == NULL or shi == NULL or spos == NULL or sless == NULL or sopen == NULL:
            return STOP
        for i in range(lanes):
            k = w.class_of[i] if i < w.n_samples else -1
            slo[i] = lo[k] if k >= 0 else -INFINITY
            shi[i] = hi[k] if k >= 0 else -INFINITY
            if k < 0 or has(pos, k):
                put(spos, i)
    for j in range(first, end):
        if has(vertical, j):
            continue
        if direct:
            n_open = ar_compare(slo, shi, lo[j], hi[j], lanes, sless, sopen)
            if n_open == w.member_start[j + 1] - w.member_start[j]:
                # a simple vertex, all signs certain
                w.pr.n_filter += n
                if w.counting:
                    w.flats[P.rho - 1] += 1
                    w.n_pairs += 1
                    if w.faces:
                        tally_faces(w, 1, P.rho - 1, 1)
                    continue
                for i in range(w.n_words):
                    row[i] = ((sless[i] ^ spos[i]) & ~sopen[i]) ^ w.all_negative[i]
                if w.identity and not has(any_doubt, j):
                    # agree[i] tells that phi at column i and at infinity have the same sign
                    k = j >> 6
                    x = ((agree[0][k] >> (j & 63)) & 1) << (j & 63)
                    for i in range(1, n_cols):
                        s = T.basis[cols[i]]
                        if s >> 6 != k:
                            row[k] ^= x
                            x = 0
                            k = s >> 6
                        x |= ((agree[i][j >> 6] >> (j & 63)) & 1) << (s & 63)
                    row[k] ^= x
                else:
                    sigma = plus_sign(w, T, c, j, g, plus[0], doubt[0], 0)
                    for i in range(1, n_cols):
                        if plus_sign(w, T, c, j, g, plus[i], doubt[i], cols[i]) == sigma:
                            flip(w, row, T.basis[cols[i]])
                    if (gsign if has(pos, j) else -gsign) == sigma:
                        flip(w, row, j)
                if w.faces:
                    loose[0] = j
                    if emit_faces(w, row, P.zero, loose, P.rho - 1, 1) != GO_ON:
                        return STOP
                    continue
                if w.tracing:
                    trace_simple(w, P, T, c, j, g)
                if emit(w, row) != GO_ON:
                    return STOP
                continue
        if not direct or not w.identity:
            ar_compare(lo, hi, lo[j], hi[j], ld, less, open)
        ray_signs(w, T, c, j, n, less, pos, open, bits)
        n_open = count(open, n)
        if n_open > 1:
            if w.only_simple:
                w.status = DEGENERATE
                return STOP
            skip = False
            for i in range(j >> 6):
                skip = skip or open[i] != 0
            if skip or open[j >> 6] & ((<uint64_t> 1 << (j & 63)) - 1):
                continue
        for i in range(nw):
            open[i] |= inside[i]
        if at_vertex(w, P, T, c, j, T, c, j, g, bits, open, P.rho - 1) != GO_ON:
            return STOP
    return GO_ON


cdef inline int plus_sign(Worker *w, const Tableau *T, int c, int j, int g, const uint64_t *plus,
                          const uint64_t *doubt, int col) noexcept nogil:
    if has(doubt, j):
        return sign_after(&w.pr, T, c, j, g, col)
    return 1 if has(plus, j) else -1


cdef void trace_simple(Worker *w, const Problem *P, const Tableau *T, int c, int j,
                       int g) noexcept nogil:
    cdef int ids[MAX_RANK]
    cdef int sign[MAX_RANK]
    cdef double value[MAX_RANK]
    cdef int s
    signs_after(&w.pr, T, c, j, g, sign)
    for s in range(1, T.w):
        ids[s - 1] = T.id[j] if s == c else T.basis[s]
        value[s - 1] = sign[0] * sign[s]
    trace_vertex(w, P, T, c, j, 1, ids, value, T.w - 1)


cdef int node(Worker *w, const Problem *P, Tableau *T, int t, int first, int end, bint own,
              uint64_t *vertical, uint64_t *inside) noexcept nogil:
    """The flats below one of rank t, by bases that go on with an index in first..end-1; its own
    section too where `own` (at the top)."""
    cdef int n = P.n, ld = T.ld, i, k, s, c, result
    cdef double *lo
    cdef double *hi
    cdef double *beta
    cdef double *inverse
    cdef double *alpha
    cdef double alpha_err = 0, beta_err = 0
    cdef uint64_t *pos
    cdef uint64_t *less
    cdef uint64_t *open
    cdef uint64_t *v
    cdef uint64_t *z
    cdef uint64_t x
    cdef Tableau child
    cdef bint skip
    cdef Mark at
    if t == P.rho - 2:
        return line(w, P, T, first, end, own, vertical, inside)
    lo = <double *> take(w, ld * sizeof(double))
    hi = <double *> take(w, ld * sizeof(double))
    alpha = <double *> take(w, ld * sizeof(double))
    beta = <double *> take(w, ld * sizeof(double))
    inverse = <double *> take(w, ld * sizeof(double))
    pos = words(w, ld, NULL)
    less = words(w, ld, NULL)
    open = words(w, ld, NULL)
    if (lo == NULL or hi == NULL or alpha == NULL or beta == NULL or inverse == NULL or pos == NULL
            or less == NULL or open == NULL):
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
    if classify(w, T, n, alpha, alpha_err, beta, beta_err, lo, hi, inverse, pos, vertical,
                inside) != GO_ON:
        return STOP
    if own and not w.counting:
        if section_of_node(w, P, T, t, vertical, inside) != GO_ON:
            return STOP
    elif own and section_counts(w, P, T, t, inside) != GO_ON:
        return STOP
    if not new_tableau(w, &child, T.n, T.n_g, ld, T.w):
        return STOP
    at = w.at
    for i in range(first, end):
        if has(vertical, i):
            continue
        # equal slopes are necessary for parallel lanes, and nearly always sufficient
        ar_compare(lo, hi, lo[i], hi[i], (i + 8) & ~7, less, open)
        c = pivot_column(&w.pr, T, i)
        skip = False
        for s in range((i >> 6) + 1):
            x = open[s]
            if s == i >> 6:
                x &= (<uint64_t> 1 << (i & 63)) - 1
            while x and not skip:
                k = 64 * s + ar_lowest(x)
                x &= x - 1
                skip = parallel(w, T, c if c >= 0 else -1 - c, i, k)
        if skip:
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
        result = node(w, P, &child, t + 1, i + 1, n, P.depth == 0, v, z)
        if result != GO_ON:
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
    cdef int zero = 0
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
    # classes are pairwise not parallel, so every prefix is a lexicographically smallest basis
    if not new_tableau(w, &child, T.n, T.n_g, T.ld, T.w):
        return STOP
    tableau_pivot(&w.pr, T, &child, prefix, pivot_column(&w.pr, T, prefix))
    put(vertical, prefix)
    put(inside, prefix)
    return node(w, P, &child, 1, first, end, own, vertical, inside)
