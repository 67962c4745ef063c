"""The limit beta -> 0: interpolation of least norm, and solutions over beta on the way there."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from cvxlayer.conic.solution import Solution
from cvxlayer.errors import InfeasibleError, InputError, SolverError
from cvxlayer.model.losses import Absolute
from cvxlayer.model.network import Network
from cvxlayer.model.problem import Problem
from cvxlayer.model.weights import null_space

__all__ = ["Interpolation", "minimum_norm", "solutions_over_beta"]

_TOL = 1e-10  # for residuals and for the part of y that no network has, relative to y
_LEVELS = (1e-4, 1e-6, 1e-8, 0.0)  # a row this near a neuron's hyperplane may hold it
_FACTOR, _STEPS, _NEWTON = 10.0, 14, 8


@dataclass(eq=False)
class Interpolation:
    """A network through the data, and how far its norm can be from the least one.

    Attributes
    ----------
    network : Network
        Scaled, so that its norm is 1/2 (||U||^2 + ||alpha||^2); of at most n neurons.
    value : float
        sum_j ||u_j|| |alpha_j|, from the network.
    lower_bound : float
        No interpolating network has a smaller norm; rounded outward.
    gap : float
        (value - lower_bound) / value, relative; 0 for y = 0.
    v : ndarray of float64, shape (n,)
        The proof: |v.(Xu)_+| <= 1 for all ||u|| <= 1, and v.y is `lower_bound`, up to rounding.
    residual : float
        The largest |prediction - y_i|, recomputed from X.
    """

    network: Network
    value: float
    lower_bound: float
    gap: float
    v: np.ndarray
    residual: float

    def __repr__(self) -> str:
        return (f"Interpolation(value={self.value:.12g}, lower_bound={self.lower_bound:.12g}, "
                f"residual={self.residual:.1e}, neurons={self.network.m})")


def minimum_norm(X: Any, y: Any = None, *, bias: bool = False, numbers: str = "binary",
                 tol: float = 1e-8, **options: Any) -> Interpolation:
    """The network through all samples with the least sum_j ||u_j|| |alpha_j|.

        min sum_j ||w_j||  subject to  sum_j sign_j (X w_j)_+ = y,

    the limit of training with any loss for beta -> 0; its dual is max v.y over all v with
    |v.(Xu)_+| <= 1 for ||u|| <= 1.

    Parameters
    ----------
    X : Problem, Arrangement or array-like, shape (n, d)
        A problem gives the data and the targets; its loss and beta are not used.
    y : array-like of float, shape (n,)
        Not with a problem.
    bias, numbers
        As for `Problem`; not with a problem.
    tol : float, default 1e-8
        Relative gap to reach.
    **options
        Passed to `Problem.fit`.

    Returns
    -------
    Interpolation

    Raises
    ------
    InfeasibleError
        If no network interpolates, with a proof: v with v.(Xu)_+ = 0 for all u, and v.y > 0.
    SolverError
        If no penalty sufficed, which means that some samples are all but infeasible.

    Notes
    -----
    The absolute loss is an exact penalty: c ||z - y||_1 + sum_j ||w_j|| has its minimum at an
    interpolating network as soon as c exceeds max |v_i| of an optimal dual vector; c is raised
    tenfold until that is seen. What is left of the residual is removed on the faces the neurons
    are on. What y has outside the span of all (Xu)_+ is counted as rounding up to 1e-10 ||y||.

    References
    ----------
    Ergen and Pilanci, Convex geometry and duality of over-parameterized neural networks, JMLR
    2021: the value is the gauge of the rectified ellipsoid. Biases are not penalised there: the
    norm in their example, 8, is the limit of a column of large constants in place of ones.

    Examples
    --------
    >>> x = [[-2], [-1], [0], [1], [2]]
    >>> round(minimum_norm(x, [1, -1, 1, 1, -1], bias=True).value, 5)
    10.12899
    """
    base = _base(X, y, bias, numbers)
    _check_feasible(base)
    size = float(np.abs(base.y).max(initial=0))
    if size == 0:
        return Interpolation(Network(np.zeros((base.d, 0)), []), 0.0, 0.0, 0.0, np.zeros(base.n),
                             0.0)
    # at y / size the dual vector is the same, and the value about n / c or more
    base = base.replaced(y=base.y / size)
    penalty = 4 / max(float(base.row_lengths.max()), 1e-300)
    network: Network | None = None
    best: Interpolation | None = None
    for _ in range(_STEPS):
        settings: dict[str, Any] = {"method": "columns", "tol": tol / 10, "network": network}
        found = base.replaced(loss=Absolute(penalty)).fit(**(settings | options))
        network = found.network
        if np.abs(found.v).max() < 0.99 * penalty or _residual(base, found.weights,
                                                               found.signs) < 1e-7:
            made = _made(base, found, size)
            if made.residual <= _TOL * size and (best is None or made.gap < best.gap):
                best = made
            if best is not None and (best.gap <= tol or made.gap > best.gap):
                return best
        penalty *= _FACTOR
    if best is None:
        raise SolverError(f"no penalty up to {penalty:.1e} made the network interpolate; some "
                          "samples are all but infeasible: merge those that nearly agree",
                          "penalty")
    return best


def solutions_over_beta(problem: Problem, betas: Iterable[float], **options: Any) -> list[Solution]:
    """Solutions for many penalties, each found from the one of the next larger beta.

    Parameters
    ----------
    problem : Problem
        Its own beta is not used.
    betas : iterable of float
        Positive.
    **options
        Passed to `Problem.fit`.

    Returns
    -------
    list of Solution
        In the order of `betas`; solved from the largest down.

    Raises
    ------
    InputError
        If a beta is not a positive number.

    Examples
    --------
    >>> problem = Problem([[1.0]], [1.0], 1.0)
    >>> [round(s.value, 6) for s in solutions_over_beta(problem, [1.0, 0.5, 0.1])]
    [0.5, 0.375, 0.095]
    """
    values = np.array(list(betas), dtype=np.float64)
    if values.ndim != 1 or not (np.isfinite(values) & (values > 0)).all():
        raise InputError(f"betas must be positive numbers, got {values.tolist()!r:.80}; for "
                         "beta -> 0 use minimum_norm")
    found: dict[int, Solution] = {}
    network = options.pop("network", None)
    for i in np.argsort(-values, kind="stable").tolist():
        found[i] = problem.replaced(beta=float(values[i])).fit(network=network, **options)
        network = found[i].network
    return [found[i] for i in range(len(values))]


def _base(X: Any, y: Any, bias: bool, numbers: str) -> Problem:
    """A problem with beta = 1 and the absolute loss."""
    if isinstance(X, Problem):
        if y is not None or bias:
            raise InputError("y and bias must not be given with a problem, which has its own; "
                             "pass X and y, or the problem alone")
        return X.replaced(beta=1.0, loss=Absolute())
    if y is None:
        raise InputError("y must be given with X, got None; or pass a Problem")
    return Problem(X, y, 1.0, loss=Absolute(), bias=bias, numbers=numbers)


def _check_feasible(p: Problem) -> None:
    """Raise unless y is in the span of all (Xu)_+.

    With z_k a unit vector of the class k of parallel rows and N the members pointing against it,
    v.(Xu)_+ = sum_k w_k (z_k.u)_+ - L.u, w_k = sum_i v_i ||x_i||, L = sum_k z_k sum_N v_i ||x_i||.
    Kinks of different classes are independent: this is zero for all u when all w_k and L are.
    """
    class_of, orientation = p.arrangement.parallel_classes
    classes, lengths = np.asarray(class_of), p.row_lengths
    proof = np.where(classes < 0, p.y, 0.0)
    sizes = np.bincount(classes[classes >= 0], minlength=1)
    several = np.flatnonzero((classes >= 0) & (sizes[classes] > 1))  # else v_i = 0
    if len(several):
        numbers = np.unique(classes[several], return_inverse=True)[1]
        conditions = np.zeros((numbers.max() + 1 + p.d, len(several)))
        conditions[numbers, np.arange(len(several))] = 1
        against = np.asarray(orientation)[several] < 0
        conditions[-p.d :] = np.where(against, -p.unit_rows[several].T, 0)
        # in v_i ||x_i||: y_i / ||x_i|| are its values
        kernel = null_space(conditions).T / lengths[several]
        orthonormal = np.linalg.qr(kernel.T)[0] if len(kernel) else np.zeros((len(several), 0))
        proof[several] = orthonormal @ (orthonormal.T @ p.y[several])
    if np.linalg.norm(proof) > _TOL * np.linalg.norm(p.y):
        worst = int(np.argmax(np.abs(proof * p.y)))
        raise InfeasibleError(
            f"y must be in the span of all (Xu)_+ to be interpolated, got a part of length "
            f"{np.linalg.norm(proof):.3g} outside it, largest at sample {worst}; samples that are "
            "parallel or zero disagree: average or drop them, or train with beta > 0", proof)


def _made(p: Problem, found: Any, size: float) -> Interpolation:
    """The network moved to zero residual, scaled back to y, with the bound of its dual vector."""
    W, signs = _vertex(p, found.weights, found.signs)
    best, smallest = W, np.inf
    for level in _LEVELS:
        moved = _on_faces(p, W, signs, level)
        if moved is not None and _residual(p, moved, signs) <= _TOL / 10:
            norm = float(np.linalg.norm(moved, axis=0).sum())
            if norm < smallest * (1 - 1e-13):
                best, smallest = moved, norm
    W = best
    network = Network.from_weights(W * size, signs)
    h = p.arrangement.support(found.v, both=True).bound
    bound = float(found.v @ p.y) / max(h, 1e-300)
    rounding = 2.0**-50 * (p.n + 8) * float(np.abs(found.v) @ np.abs(p.y)) / max(h, 1e-300)
    lower = max((bound - rounding) * size, 0.0)
    value = float(np.linalg.norm(network.U, axis=0) @ np.abs(network.alpha))
    return Interpolation(
        network, value, lower, max(value - lower, 0.0) / value, found.v / h,
        float(np.abs(network.predict(p.X) - p.y * size).max()))


def _residual(p: Problem, W: np.ndarray, signs: np.ndarray) -> float:
    return float(np.abs(np.maximum(p.X @ W, 0) @ signs - p.y).max())


def _on_faces(p: Problem, W: np.ndarray, signs: np.ndarray, level: float) -> np.ndarray | None:
    """Weights on the neurons' faces that interpolate, of least norm if they stay there."""
    scale = p.row_lengths
    bases, maps, parts = [], [], []
    for w, sign in zip(W.T, signs, strict=True):
        length = float(np.linalg.norm(w))
        values = p.X @ w
        near = (np.abs(values) <= level * scale * length) & (scale > 0)
        basis = null_space(p.unit_rows[near])
        if basis.shape[1] == 0:
            return None
        bases.append(basis * length)
        maps.append(sign * ((values > 0) & ~near)[:, None] * (p.X @ bases[-1]))
        parts.append(basis.T @ w / length)
    M, t = np.hstack(maps), np.concatenate(parts)
    cuts = np.cumsum([b.shape[1] for b in bases])[:-1]

    def weights(t: np.ndarray) -> np.ndarray:
        return np.column_stack([b @ x for b, x in zip(bases, np.split(t, cuts), strict=True)])

    for _ in range(3):
        t = t + np.linalg.lstsq(M, p.y - M @ t, rcond=1e-12)[0]
    W = weights(t)
    if _residual(p, W, signs) > _TOL / 10:
        return None
    for _ in range(_NEWTON):
        t = _newton(M, t, cuts, p.y, np.linalg.norm(W, axis=0))
        moved = weights(t)
        if _residual(p, moved, signs) > _TOL / 10 or (
                np.linalg.norm(moved, axis=0).sum() >= np.linalg.norm(W, axis=0).sum()):
            break
        W = moved
    return W


def _newton(M: np.ndarray, t: np.ndarray, cuts: np.ndarray, y: np.ndarray, lengths: np.ndarray
            ) -> np.ndarray:
    """A step towards least sum_j lengths_j |t_j| / |t_j now| subject to M t = y."""
    k = len(t)
    system, right = np.zeros((k + len(y),) * 2), np.zeros(k + len(y))
    system[k:, :k], system[:k, k:] = M, M.T
    right[k:] = y - M @ t
    at = 0
    for x, length in zip(np.split(t, cuts), lengths, strict=True):
        block, unit = slice(at, at + len(x)), x / np.linalg.norm(x)
        slope = length / float(np.linalg.norm(x))
        right[block] = -slope * unit
        system[block, block] = slope / np.linalg.norm(x) * (np.eye(len(x)) - np.outer(unit, unit))
        at += len(x)
    return np.asarray(t + np.linalg.lstsq(system, right, rcond=1e-13)[0][:k])


def _vertex(p: Problem, W: np.ndarray, signs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """At most n of the neurons, with the same predictions and no larger a norm: a vertex of the
    linear program over their lengths."""
    from scipy.optimize import linprog

    lengths = np.linalg.norm(W, axis=0)
    if W.shape[1] <= p.n:
        return W, signs
    columns = np.maximum(p.X @ (W / lengths), 0) * signs
    scale = np.linalg.norm(columns, axis=0)
    found = linprog(1 / scale, A_eq=columns / scale, b_eq=columns @ lengths, method="highs-ds")
    if found.x is None:
        return W, signs
    used = found.x > 1e-12 * found.x.max()
    return W[:, used] * (found.x[used] / scale[used] / lengths[used]), signs[used]
