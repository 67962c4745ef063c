"""Chambers of small arrangements that recur.

Degenerate data meet the same local arrangements B at vertex after vertex: 24,943 times at the
vertices of the resonance arrangement of rank 6, but in 366 forms. The chambers of each small
integer matrix are listed once with their extreme rays; Positive(B, phi) is then the chambers on
whose rays phi is positive: one matrix product and a few bit operations a chamber.

Chambers are found by backtracking over the signs of the vectors in turn. A partial sign vector
belongs to a chamber of the vectors so far exactly when every one of them is nonzero on some ray
that agrees with it weakly (to a face, when those with a sign are, on rays that vanish where it
does): covectors are the compositions of cocircuits, and restrictions of
covectors are covectors (Bjoerner et al., Oriented Matroids, 1999, sections 3.7 and 3.3).
"""
cimport cython
from libc.stdint cimport int64_t, uint64_t
from libc.stdlib cimport calloc, free, malloc, realloc
from libc.string cimport memcmp, memcpy, memset

from arrangements.walk.predicates cimport Tableau, find_rays, gcd, rank_of

cdef extern from "<stdlib.h>" nogil:
    void *aligned_alloc(size_t alignment, size_t size)

cdef enum:
    MAX_RAYS = 512
    MAX_SETS = 6000            # subsets the search for rays may look at
    MAX_ITEMS = 20000
    MAX_BYTES = 50331648       # of one catalogue

cdef struct Search:
    Entry *entry
    int capacity
    uint64_t agree[64][2][2][8]  # element, its sign, rays +v or -v: where the ray agrees weakly
    uint64_t apart[64][8]        # rays on which the element is not zero


@cython.overflowcheck(False)  # hashes wrap
cdef uint64_t hash_key(const int *key, int n, int rho, int size) noexcept nogil:
    cdef uint64_t h = <uint64_t> 0x14650FB0739D0383 + <uint64_t> (64 * n + rho)
    cdef int i
    for i in range(size):
        h = (h ^ <uint64_t> key[i]) * <uint64_t> 1099511628211
        h ^= h >> 29
    return h


cdef int add_item(Search *S, uint64_t signs, uint64_t zeros, const uint64_t *plus,
                  const uint64_t *minus) noexcept nogil:
    """Keep a chamber or face; 1 when there are too many."""
    cdef Entry *E = S.entry
    cdef int W = E.n_words
    cdef uint64_t *item
    if E.n_items == S.capacity:
        if S.capacity >= MAX_ITEMS:
            return 1
        S.capacity = 2 * S.capacity if S.capacity else 64
        item = <uint64_t *> realloc(E.items, S.capacity * (E.head + 2 * W) * sizeof(uint64_t))
        if item == NULL:
            return 1
        E.items = item
    item = E.items + E.n_items * (E.head + 2 * W)
    item[0] = signs
    if E.head == 3:
        item[1] = zeros
        item[2] = E.rho - rank_of(E.key, E.n, E.rho, zeros)
    memcpy(item + E.head, plus, W * sizeof(uint64_t))
    memcpy(item + E.head + W, minus, W * sizeof(uint64_t))
    E.n_items += 1
    return 0


@cython.overflowcheck(False)  # bit - 1 wraps after the 64th
cdef int list_items(Search *S, int k, uint64_t signs, uint64_t zeros, const uint64_t *plus,
                    const uint64_t *minus) noexcept nogil:
    """Extend signs of the first k vectors, whose agreeing rays are given; 1 when too many."""
    cdef Entry *E = S.entry
    cdef int W = E.n_words, w, i, sign
    cdef uint64_t p[8]
    cdef uint64_t m[8]
    cdef uint64_t hit, bit = <uint64_t> 1 << k if k < 64 else 0
    cdef bint first = zeros == bit - 1  # of opposite faces, the one whose first sign is positive
    if k == E.n:
        return 0 if first else add_item(S, signs, zeros, plus, minus)
    for sign in range(3 if E.head == 3 else 2):
        if sign == 1 and first:
            continue
        for w in range(W):
            if sign == 2:
                p[w] = plus[w] & ~S.apart[k][w]
                m[w] = minus[w] & ~S.apart[k][w]
            else:
                p[w] = plus[w] & S.agree[k][sign][0][w]
                m[w] = minus[w] & S.agree[k][sign][1][w]
        for i in range(k + 1):
            if ((zeros >> i) & 1) or (i == k and sign == 2):
                continue
            hit = 0
            for w in range(W):
                hit |= (p[w] | m[w]) & S.apart[i][w]
            if hit == 0:
                break
        else:
            if list_items(S, k + 1, signs | bit if sign == 0 else signs,
                          zeros | bit if sign == 2 else zeros, p, m):
                return 1
    return 0


cdef void count_positive(Entry *E) noexcept nogil:
    """Items of each dimension on which one generic functional is positive: the nonzero coefficient
    that every generic functional gives (Zaslavsky 1975). Here one with infinitely different
    weights."""
    cdef int q, s, i, w, W = E.n_words
    cdef uint64_t pos[8]
    cdef double x
    cdef uint64_t bad, opposite
    cdef const uint64_t *c
    memset(pos, 0, sizeof(pos))
    for i in range(E.rays.count):
        # the first coordinate that is not zero decides
        for s in range(E.rho):
            x = E.rays.t[s * E.rays.ld + i]
            if x != 0:
                if x > 0:
                    pos[i >> 6] |= <uint64_t> 1 << (i & 63)
                break
    for q in range(E.n_items):
        c = E.items + q * (E.head + 2 * W)
        s = <int> c[2] if E.head == 3 else E.rho
        c += E.head
        bad = opposite = 0
        for w in range(W):
            bad |= (c[w] & ~pos[w]) | (c[W + w] & pos[w])
            opposite |= (c[w] & pos[w]) | (c[W + w] & ~pos[w])
        E.n_positive[s] += (bad == 0) + (opposite == 0)


cdef bint build(Entry *E) noexcept nogil:
    """List the chambers or faces; False if they are too many."""
    cdef Search S
    cdef int i, k, W, positive, negative
    cdef double sets = 1
    cdef uint64_t bit
    cdef uint64_t all_rays[8]
    cdef char *memory
    cdef bint done
    for i in range(E.rho - 1):
        sets *= (E.n - i) / <double> (i + 1)
    if E.n > 64 or E.rho > 8 or sets > MAX_SETS:
        return False
    E.rays.ld = MAX_RAYS
    memory = <char *> aligned_alloc(64, (8 + 2) * MAX_RAYS * 8)
    if memory == NULL:
        return False
    memset(memory, 0, (8 + 2) * MAX_RAYS * 8)
    E.rays.t = <double *> memory
    E.rays.plus = <uint64_t *> (E.rays.t + 8 * MAX_RAYS)
    E.rays.minus = E.rays.plus + MAX_RAYS
    if find_rays(E.key, E.n, E.rho, MAX_RAYS, &E.rays):
        free(memory)
        E.rays.ld = 0
        return False
    W = E.n_words = (E.rays.count + 63) >> 6
    E.n_items = 0
    memset(&S, 0, sizeof(Search))
    memset(all_rays, 0, sizeof(all_rays))
    S.entry = E
    for i in range(E.rays.count):
        bit = <uint64_t> 1 << (i & 63)
        all_rays[i >> 6] |= bit
        for k in range(E.n):
            positive = (E.rays.plus[i] >> k) & 1
            negative = (E.rays.minus[i] >> k) & 1
            if positive or negative:
                S.apart[k][i >> 6] |= bit
            if not negative:
                S.agree[k][0][0][i >> 6] |= bit
                S.agree[k][1][1][i >> 6] |= bit
            if not positive:
                S.agree[k][0][1][i >> 6] |= bit
                S.agree[k][1][0][i >> 6] |= bit
    done = list_items(&S, 0, 0, 0, all_rays, all_rays) == 0
    # keep the coordinates in columns of the right length
    if done:
        i = (E.rays.count + 7) & ~7
        E.rays.t = <double *> aligned_alloc(64, (E.rho * i * 8 + 63) & ~63)
        done = E.rays.t != NULL
    if done:
        for k in range(E.rho):
            memcpy(E.rays.t + k * i, <double *> memory + k * MAX_RAYS, i * sizeof(double))
        E.rays.ld = i
        count_positive(E)
    else:
        free(E.items)
        E.items = NULL
        E.n_items = E.rays.ld = 0
    free(memory)
    E.rays.plus = E.rays.minus = NULL
    return done


@cython.overflowcheck(False)  # hashes wrap
cdef inline uint64_t mixed(uint64_t x) noexcept nogil:
    x = (x ^ (x >> 31)) * <uint64_t> 0x9E3779B97F4A7C15
    return x ^ (x >> 29)


cdef void sort_by(const uint64_t *value, int *order, int n) noexcept nogil:
    cdef int i, j, k
    for i in range(n):
        order[i] = i
        j = i
        while j > 0 and value[order[j - 1]] > value[order[j]]:
            k = order[j]
            order[j] = order[j - 1]
            order[j - 1] = k
            j -= 1


@cython.overflowcheck(False)  # hashes wrap
cdef int normal_form(const Tableau *T, int *key, Match *M) noexcept nogil:
    """Write the dependent vectors as primitive rows, in an order and with signs that do not depend
    on how they came (as far as hashes of |entries| tell rows and columns apart; where they do not
    the form is one of several, which costs a second entry and nothing else)."""
    cdef int rho = T.w, m = T.n - T.w, i, s, k, x
    cdef int a[512]
    cdef int64_t g
    cdef uint64_t row[64]
    cdef uint64_t col[8]
    cdef uint64_t h
    cdef int row_order[64]
    cdef int col_order[8]
    cdef bint turned[8]        # columns whose basis vector is replaced by its negative
    cdef bint fixed[8]
    cdef bint over
    for i in range(m):
        g = 0
        for s in range(rho):
            x = <int> T.t[s * T.ld + rho + i]
            a[i * rho + s] = x
            g = 1 if g == 1 else gcd(g, x)
        h = 0
        for s in range(rho):
            x = a[i * rho + s] // <int> g
            a[i * rho + s] = x
            h += mixed(x if x > 0 else -x)
        row[i] = mixed(h)
    for s in range(rho):
        h = 0
        for i in range(m):
            x = a[i * rho + s]
            h += mixed(row[i] + (x if x > 0 else -x))
        col[s] = mixed(h)
        fixed[s] = turned[s] = False
    for i in range(m):
        h = 0
        for s in range(rho):
            x = a[i * rho + s]
            h += mixed(col[s] + (x if x > 0 else -x))
        row[i] = h
    sort_by(row, row_order, m)
    for s in range(rho):
        h = 0
        for i in range(m):
            x = a[row_order[i] * rho + s]
            h = mixed(h + (x if x > 0 else -x))
        col[s] = h
    sort_by(col, col_order, rho)
    M.turned = 0
    for i in range(m):
        k = row_order[i] * rho
        # the sign of a row by its first entry in a column whose sign is fixed, then new columns
        over = False
        for s in range(rho):
            x = a[k + col_order[s]]
            if x != 0 and fixed[s]:
                over = (x < 0) != turned[s]
                break
        for s in range(rho):
            x = a[k + col_order[s]]
            if over:
                x = -x
            if x != 0 and not fixed[s]:
                fixed[s] = True
                turned[s] = x < 0
            key[i * rho + s] = -x if turned[s] else x
        M.lane[rho + i] = rho + row_order[i]
        if over:
            M.turned |= <uint64_t> 1 << (rho + i)
    for s in range(rho):
        M.lane[s] = col_order[s]
        if turned[s]:
            M.turned |= <uint64_t> 1 << s
    return m * rho


cdef Entry *find(Catalogue *C, const Tableau *T, Match *M) noexcept nogil:
    """The entry for the rows of an integral tableau, or NULL where it is too large: this depends
    on the rows alone, so that the order of chambers never depends on what was met before.

    Vector k of the entry is, up to the sign in M.turned, lane M.lane[k] of the tableau.
    """
    cdef int size
    cdef int key[512]
    cdef uint64_t h
    cdef Entry *E
    if T.n > 64 or T.w > 8 or T.n <= T.w:
        return NULL
    size = normal_form(T, key, M)
    h = hash_key(key, T.n, T.w, size)
    E = C.slot[h & 4095]
    while E != NULL and not (E.hash == h and E.n == T.n and E.rho == T.w
                             and memcmp(E.key, key, size * sizeof(int)) == 0):
        E = E.next
    if E == NULL:
        if C.n_bytes > MAX_BYTES:
            clear(C)
        E = <Entry *> calloc(1, sizeof(Entry))
        if E == NULL:
            return NULL
        E.key = <int *> malloc(size * sizeof(int))
        if E.key == NULL:
            free(E)
            return NULL
        memcpy(E.key, key, size * sizeof(int))
        E.hash = h
        E.n = T.n
        E.rho = T.w
        E.head = 3 if C.faces else 1
        E.next = C.slot[h & 4095]
        C.slot[h & 4095] = E
        E.built = build(E)
        C.n_bytes += sizeof(Entry) + size * sizeof(int)
        C.n_bytes += (E.n_items * (E.head + 2 * E.n_words) + E.rho * E.rays.ld) * 8
    return E if E.built else NULL


cdef void clear(Catalogue *C) noexcept nogil:
    cdef int i
    cdef Entry *E
    cdef Entry *next
    for i in range(4096):
        E = C.slot[i]
        while E != NULL:
            next = E.next
            if E.built:
                free(E.rays.t)
            free(E.items)
            free(E.key)
            free(E)
            E = next
        C.slot[i] = NULL
    C.n_bytes = 0
