"""Random rows and functions for Hypothesis: small numbers, degenerate more often than not."""

import numpy as np
from hypothesis import strategies as st

SMALL = st.integers(-2, 2)


def matrices(entries=SMALL, n=6, d=(1, 3)):
    """1 to n rows of one length, which is between the two of d."""
    return st.integers(*d).flatmap(
        lambda k: st.lists(st.tuples(*[entries] * k), min_size=1, max_size=n))


@st.composite
def integer_rows(draw, entries=None, n=8, d=4):
    """Integer rows: any, or a product of low rank; as they are, or multiples of the first half."""
    n, d = draw(st.integers(1, n)), draw(st.integers(1, d))
    if entries is None:
        entries = draw(st.sampled_from([st.integers(-1, 1), SMALL]))

    def matrix(n, d):
        numbers = draw(st.lists(entries, min_size=n * d, max_size=n * d))
        return np.array(numbers, dtype=object).reshape(n, d)

    if draw(st.booleans()):
        X = matrix(n, d)
    else:
        r = draw(st.integers(0, d))
        X = matrix(n, r).dot(matrix(r, d))
    if draw(st.booleans()):
        some = st.lists(st.integers(0, n // 2), min_size=n, max_size=n)
        X = X[np.minimum(draw(some), n - 1)] * matrix(n, 1)
    return [tuple(row) for row in X.tolist()]


@st.composite
def functions(draw):
    """Data X, degenerate ones first, and a vector v, of the function v.(Xu)_+."""
    n, d = draw(st.integers(1, 8)), draw(st.integers(1, 4))
    entry = st.integers(-1, 1) if draw(st.booleans()) else st.integers(-4, 4)
    X = np.array(draw(st.lists(st.tuples(*[entry] * d), min_size=n, max_size=n)), dtype=float)
    if draw(st.booleans()):
        X[-1] = draw(SMALL) * X[0]
    v = np.random.default_rng(draw(st.integers(0, 2**32 - 1))).normal(size=n)
    return X, v if draw(st.booleans()) else v.round()
