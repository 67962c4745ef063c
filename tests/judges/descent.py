"""Networks trained by plain gradient descent, as the judges of certificates."""

import numpy as np

from cvxlayer import Network, Problem
from cvxlayer.model.losses import LOSSES


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


def descended(problem, m, seed, *, steps=2000, size=0.5):
    """Gradient descent with backtracking from a normal start of standard deviation `size`."""
    rng = np.random.default_rng(seed)
    U, alpha = size * rng.standard_normal((problem.d, m)), size * rng.standard_normal(m)
    X, beta = problem.X, problem.beta
    value, rate = problem.objective(Network(U, alpha)), 1e-2
    for _ in range(steps):
        heights = X @ U
        H = np.maximum(heights, 0)
        g = problem.loss.gradient(H @ alpha, problem.y)
        dU = X.T @ ((heights > 0) * np.outer(g, alpha)) + beta * U
        da = H.T @ g + beta * alpha
        there = Network(U - rate * dU, alpha - rate * da)
        at = problem.objective(there)
        if at <= value:
            U, alpha, value, rate = there.U, there.alpha, at, 1.2 * rate
        else:
            rate /= 2
            if rate < 1e-14:
                break
    return Network(U, alpha)
