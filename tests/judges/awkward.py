"""Data as people have them, by name: of odd scales, rounded, sparse, nearly dependent."""

import numpy as np

SMALL = (1e-3, 1e-8, 1e-12, 1e-150, 1e-300)
CONDITIONS = (1e3, 1e6, 1e9, 1e12, 1e15)


def _standardised(X):
    return (X - X.mean(axis=0)) / np.where(X.std(axis=0) > 0, X.std(axis=0), 1)


def _with_ones(X):
    return np.column_stack([X[:, :-1], np.ones(len(X))])


def corpus(n, d, seed=0):
    """Name -> rows (n, d), float64, each to be read as the binary numbers they are."""
    rng = np.random.default_rng(seed)
    G = rng.standard_normal((n, d))
    out = {"gaussian": G}

    def add(name, X):
        out[name] = np.ascontiguousarray(X, dtype=np.float64)

    for size in SMALL:
        X = G.copy()
        X[n // 2, d // 2] = size
        add(f"one entry {size:g}", X)
    for size in (1e-8, 1e-150):
        add(f"a column of {size:g}", G * np.where(np.arange(d) == 1 % d, size, 1))
        add(f"a row of {size:g}", G * np.where(np.arange(n) == n // 2, size, 1)[:, None])
    X = G.copy()
    X[n // 2 :] = G[: n - n // 2]
    for _ in range(3):  # an ulp or a few away from copies
        X[n // 2 :] = np.nextafter(X[n // 2 :], rng.choice([-9.0, 9.0], (n - n // 2, d)))
    add("rows an ulp apart", X)
    for condition in CONDITIONS:
        U, _, V = np.linalg.svd(G, full_matrices=False)
        add(f"condition {condition:g}", U * np.geomspace(1, 1 / condition, d) @ V)
    decimals = np.round(5 + rng.standard_normal((n, d)), 1)
    add("standardised decimals", _with_ones(_standardised(decimals)))
    low, high = decimals.min(axis=0), decimals.max(axis=0)
    add("min-max scaled decimals", _with_ones((decimals - low) / np.maximum(high - low, 0.1)))
    add("float32 read as double", G.astype(np.float32))
    add("quantised to 8 bits", np.round(127 * G / np.abs(G).max()) / 127)
    counts = rng.poisson(4, (n, d))
    add("counts", counts)
    add("logarithms of counts", np.log1p(counts))
    X = G.copy()
    X[:, : d // 2] = np.eye(max(d // 2, 1))[rng.integers(0, max(d // 2, 1), n)][:, : d // 2]
    add("one-hot beside real columns", X)
    add("half zeros", np.where(rng.random((n, d)) < 0.5, 0, G))
    add("heavy tails", rng.standard_cauchy((n, d)))
    add("eight decimals", np.round(rng.uniform(-1, 1, (n, d)), 8))
    return out
