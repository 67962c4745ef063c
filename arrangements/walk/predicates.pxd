"""Tableaux and the exact signs of their entries; see `predicates.pyx`."""
from libc.stdint cimport int64_t, uint64_t

from arrangements.walk.pairs cimport MAX_RANK, Pairs

cdef enum:
    UNDECIDED = 2

cdef extern from *:
    """
    #define AR_FLOOR 1e-150
    """
    const double FLOOR "AR_FLOOR"  # least error bound of a float tableau

# The integer vectors that can be in a basis, in residues: rows 0..m-1 of the arrangement, then
# the r unit vectors, then the r generic functionals g_1..g_r.
cdef struct Residues:
    int n_ids
    int r
    int n_primes
    const uint64_t *p
    const uint64_t *minus_inv  # -1/p mod 2^64
    const uint64_t *one        # 1 in Montgomery form
    const uint64_t *value      # (prime, id, column), Montgomery form
    const uint64_t *inverse    # (i, j): Montgomery form of 1/p_j mod p_i, j < i; (i, i): 2^128
    const double *bits         # (id,) upper bound of log2 of the Euclidean norm
    const int *shift           # (id,) floats hold value / 2^shift

# The inverse of one basis modulo the first n primes: signs of a line, and entries of a tableau, ask
# for the coordinates of many vectors in the same basis.
cdef struct Inverse:
    int n
    int sign                   # of the determinant; UNDECIDED: not asked yet
    int ids[MAX_RANK]
    uint64_t *det              # (prime,)
    uint64_t *rows             # (prime, s, column): coordinate s of a vector is its product with it

cdef struct Predicates:
    const Residues *res
    double tol                 # > 0: everything under tol is zero, the exact stage is off
    int first_generic          # ids from here on are generic: their signs are never zero
    int failed                 # a generic sign was zero (probability < 2^-90)
    uint64_t n_filter
    uint64_t n_separation
    uint64_t n_exact
    uint64_t *scratch          # (2 primes + 2 r^2 + r,)
    Inverse inv
    Pairs pairs
    double *column             # (lanes of the largest tableau,)

# Row k of `t` (w columns of ld lanes) expresses vector id[k] in the basis
# basis[0..w-1] + outer[0..r-w-1] of R^r, up to one positive factor for the whole tableau.
# Lanes 0..n-1 are arrangement rows, lanes n..n+n_g-1 functionals. Entries lie within
# err[column] (rows) or g_err[column] (functionals) of the truth. An *integral* tableau holds, for
# the rows, exact integers below 2^25: err is 0, and equal quotients are equal floats.
cdef struct Tableau:
    int n
    int n_g
    int ld
    int w
    const int *id
    const int *outer
    double *t
    double *err
    double *g_err
    double *top                # bound of the magnitudes in a column, rows
    double *g_top              # and functionals
    int *basis
    uint64_t free              # columns still to be pivoted
    double det                 # a nonzero entry of a row is at least 1/det; inf: nothing known
    int age                    # pivots since its entries were taken from the vectors
    bint integral
    double scale               # integral: the factor, |det basis|

cdef Py_ssize_t tableau_bytes(int ld, int w) noexcept nogil
cdef void tableau_place(Tableau *T, char *memory, int n, int n_g, int ld, int w) noexcept nogil
cdef void tableau_measure(Predicates *P, Tableau *T) noexcept nogil
cdef void tableau_refresh(Predicates *P, Tableau *T, bint stale) noexcept nogil
cdef bint tableau_sharpen(Predicates *P, Tableau *T) noexcept nogil
cdef void tableau_pivot(Predicates *P, const Tableau *S, Tableau *T, int lane,
                        int col) noexcept nogil
cdef int pivot_column(Predicates *P, const Tableau *T, int lane) noexcept nogil
cdef int coordinate_sign(Predicates *P, const int *ids, int col, int new,
                         bint generic) noexcept nogil
cdef int minor_sign(Predicates *P, const int *ids, int c, int j, int col, int new, int own,
                    bint generic) noexcept nogil
cdef int entry_sign(Predicates *P, const Tableau *T, int lane, int col) noexcept nogil
cdef double entry_after(const Tableau *T, int c, int j, int lane, int col,
                        double *error) noexcept nogil
cdef int sign_after(Predicates *P, const Tableau *T, int c, int j, int lane, int col) noexcept nogil
cdef void narrow_slope(Predicates *P, const Tableau *T, int c, int lane, double *low,
                       double *high) noexcept nogil
cdef void signs_after(Predicates *P, const Tableau *T, int c, int j, int lane,
                      int *sign) noexcept nogil

# The rays (flats of rank rho - 1) of at most 64 integer vectors, up to sign.
cdef struct Rays:
    int n
    int rho
    int count
    int ld
    double *t                  # (rho, ld) coordinates, exact
    uint64_t *plus             # (count,) vectors positive on the ray
    uint64_t *minus

cdef int64_t gcd(int64_t a, int64_t b) noexcept nogil
cdef int find_rays(const int *rest, int n, int rho, int limit, Rays *rays) noexcept nogil
cdef int rank_of(const int *rest, int n, int rho, uint64_t members) noexcept nogil
cdef bint functional_on_rays(Predicates *P, const Tableau *T, const Rays *rays, const int *lane,
                             uint64_t turned, double *scratch, uint64_t *plus,
                             uint64_t *doubt) noexcept nogil
