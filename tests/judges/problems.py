"""Random training problems, on data of every kind of degeneracy."""

import numpy as np

from cvxlayer import Problem
from cvxlayer.model.losses import LOSSES

KINDS = ("normal", "integers", "repeated", "antiparallel", "nearly parallel", "zero rows",
         "rank one", "zero", "large")
# Terms of the losses, from their definitions, of scale and delta 1.
PHI = {
    "squared": lambda z, y: (z - y) ** 2 / 2,
    "absolute": lambda z, y: np.abs(z - y),
    "huber": lambda z, y: np.where(np.abs(z - y) <= 1, (z - y) ** 2 / 2, np.abs(z - y) - 0.5),
    "hinge": lambda z, y: np.maximum(0, 1 - y * z),
    "logistic": lambda z, y: np.log1p(np.exp(-y * z)),
}


def rows(kind, n, d, seed):
    """n rows of length d of one of KINDS."""
    rng = np.random.default_rng(seed)
    if kind == "integers":
        return rng.integers(-2, 3, (n, d)).astype(float)
    X, half = rng.standard_normal((n, d)), n - n // 2
    if kind == "repeated":
        X[half:] = X[: n // 2]
    elif kind == "antiparallel":
        X[half:] = -X[: n // 2]
        X[half + 1 :] *= 2
        X[-1] *= -2
    elif kind == "nearly parallel":
        X[-1] = 3 * X[1]  # rounded: a chamber of angle 1e-16
    elif kind == "zero rows":
        X[::2] = 0
    elif kind == "rank one":
        X = np.outer(rng.integers(-2, 3, n), np.resize([1.0, 2.0, -1.0], d))
    elif kind == "zero":
        X = np.zeros((n, d))
    elif kind == "large":
        X = 1e5 * X
    elif kind != "normal":
        raise ValueError(kind)
    return X


def targets(loss, n, seed):
    """Normal, or both signs for a loss that classifies."""
    y = np.random.default_rng(seed).standard_normal(n)
    if LOSSES[loss].classifies:
        y = np.sign(y)
        y[0] = -y[1]
    return y


def problem(loss="squared", seed=0, kind="normal", *, n=7, d=2, beta=0.1, bias=True):
    rng = np.random.default_rng(seed)
    return Problem(rows(kind, n, d, rng), targets(loss, n, rng), beta, loss=loss, bias=bias)


def random_problem(seed, *, loss="squared", n=None, d=None, beta=None):
    """Small, every other one degenerate: small integers, ties, repeated and opposite rows."""
    rng = np.random.default_rng(seed)
    n, d = n or int(rng.integers(3, 11)), d or int(rng.integers(1, 4))
    if seed % 2:
        X = rng.integers(-2, 3, (n, d)).astype(float)
        X[rng.integers(n)] = -X[rng.integers(n)]
    else:
        X = rng.standard_normal((n, d))
    y = rng.integers(-2, 3, n).astype(float) if seed % 3 else rng.standard_normal(n)
    if LOSSES[loss].classifies:
        y = np.where(rng.random(n) < 0.5, 1.0, -1.0)
        y[:2] = 1, -1
    beta = beta or float(10 ** rng.uniform(-2, 0))
    return Problem(X, y, beta, loss=loss, bias=bool(seed % 4 >= 2))
