"""Networks trained by plain gradient descent, as the judges of certificates."""

import numpy as np

from cvxlayer import Network, Problem


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


def residual(n, d, seed):
    """Data and v, that of a network fitted by descent: small and of mixed signs."""
    rng = np.random.default_rng(seed)
    problem = Problem(rng.normal(size=(n, d)), rng.normal(size=n), 0.1)
    network = descended(problem, 20, seed, steps=200)
    return problem.X, problem.y - network.predict(problem.X)
