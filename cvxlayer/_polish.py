"""Newton's method for a network on the faces its neurons are on: from 6 digits to all."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.optimize import nnls

__all__ = ["polished", "reduced"]

_STEPS = 30
_LEVELS = (1e-4, 1e-6, 1e-8)  # a row this near a neuron's hyperplane, relatively, may hold it


def polished(problem: Any, W: np.ndarray, signs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Weights (d, m) and signs with an objective l + beta sum ||w_j|| not larger than before.

    While the neurons keep their faces the objective is smooth in the weights on the faces' spans.
    """
    lengths = np.linalg.norm(W, axis=0)
    used = lengths > 1e-7 * lengths.max(initial=0)
    W, signs = reduced(problem, *_merged(W[:, used], signs[used]))
    best, least = (W, signs), convex_value(problem, W, signs)
    if W.shape[1] == 0:
        return best
    for level in _LEVELS:
        found = _on_faces(problem, W, signs, level)
        if found is None:
            continue
        value = convex_value(problem, *found)
        if value < least:
            best, least = found, value
    return best


def convex_value(problem: Any, W: np.ndarray, signs: np.ndarray) -> float:
    """l(sum_j sign_j (X w_j)_+) + beta sum ||w_j||, the objective of the scaled network."""
    z = np.maximum(problem.X @ W, 0) @ signs
    return problem.loss.value(z, problem.y) + problem.beta * float(np.linalg.norm(W, axis=0).sum())


def _merged(W: np.ndarray, signs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Weights of one sign and direction added up."""
    lengths = np.linalg.norm(W, axis=0)
    units = W / np.where(lengths > 0, lengths, 1)
    out, kept = [], []
    left = np.ones(len(signs), dtype=bool)
    for j in np.argsort(-lengths, kind="stable"):
        if left[j]:
            same = left & (signs == signs[j]) & (np.linalg.norm(units - units[:, [j]], axis=0) < 1e-6)
            left &= ~same
            out.append(W[:, same].sum(axis=1))
            kept.append(signs[j])
    return np.array(out).T.reshape(len(W), len(out)), np.array(kept, dtype=np.float64)


def _on_faces(problem: Any, W: np.ndarray, signs: np.ndarray, level: float
              ) -> tuple[np.ndarray, np.ndarray] | None:
    X, loss, y, beta = problem.X, problem.loss, problem.y, problem.beta
    scale = np.linalg.norm(X, axis=1)
    bases, maps, parts = [], [], []
    for j in range(W.shape[1]):
        values = X @ W[:, j]
        near = (np.abs(values) <= level * scale * np.linalg.norm(W[:, j])) & (scale > 0)
        basis = np.eye(len(W))
        if near.any():
            _, s, vt = np.linalg.svd(X[near] / scale[near, None])
            basis = vt[int((s > 1e-9 * s[0]).sum()) :].T
        if basis.shape[1] == 0:
            return None
        bases.append(basis)
        maps.append(signs[j] * ((values > 0) & ~near)[:, None] * (X @ basis))
        parts.append(basis.T @ W[:, j])
    M = np.hstack(maps)
    cuts = np.cumsum([b.shape[1] for b in bases])[:-1]
    t = np.concatenate(parts)

    def value(t: np.ndarray) -> float:
        return loss.value(M @ t, y) + beta * sum(
            float(np.linalg.norm(x)) for x in np.split(t, cuts))

    now = value(t)
    for _ in range(_STEPS):
        z = M @ t
        gradient = M.T @ loss.gradient(z, y)
        hessian = (M.T * loss.curvature(z, y)) @ M
        at = 0
        for x in np.split(t, cuts):
            size = float(np.linalg.norm(x))
            if size < 1e-12:
                return None
            here = slice(at, at + len(x))
            gradient[here] += beta * x / size
            hessian[here, here] += beta / size * (np.eye(len(x)) - np.outer(x, x) / size**2)
            at += len(x)
        step = _solved(hessian, gradient)
        factor = 1.0
        while factor > 1e-10:
            moved = t - factor * step
            there = value(moved)
            if there <= now:
                break
            factor /= 2
        else:
            break
        gain, t, now = now - there, moved, there
        if factor == 1.0 and np.abs(step).max() <= 1e-15 * np.abs(t).max():
            break
        if gain <= 1e-16 * abs(now) and np.abs(step).max() <= 1e-12 * np.abs(t).max():
            break
    out = np.column_stack([b @ x for b, x in zip(bases, np.split(t, cuts), strict=True)])
    return out, signs


def _solved(hessian: np.ndarray, gradient: np.ndarray) -> np.ndarray:
    """A Newton step; of least length where the optimum is not unique."""
    try:
        factor = np.linalg.cholesky(hessian)
        if np.diag(factor).min() > 1e-7 * np.diag(factor).max():
            return np.linalg.solve(hessian, gradient)
    except np.linalg.LinAlgError:
        pass
    values, vectors = np.linalg.eigh(hessian)
    kept = values > 1e-13 * max(values.max(), 0)
    return vectors[:, kept] @ ((vectors[:, kept].T @ gradient) / values[kept])


def reduced(problem: Any, W: np.ndarray, signs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """At most n + 1 of the neurons, rescaled, with the same predictions and penalty.

    A nonnegative combination of the columns (sign_j (X u_j)_+, 1), u_j of length 1, needs no more
    of them than are independent (Caratheodory); nonnegative least squares finds such a one.
    """
    lengths = np.linalg.norm(W, axis=0)
    W, signs, lengths = W[:, lengths > 0], signs[lengths > 0], lengths[lengths > 0]
    if len(signs) == 0:
        return W, signs
    columns = np.vstack([np.maximum(problem.X @ (W / lengths), 0) * signs, np.ones(len(lengths))])
    scale = np.linalg.norm(columns, axis=0)
    try:
        factors, missed = nnls(columns / scale, columns @ lengths, maxiter=30 * len(lengths))
    except RuntimeError:
        return W, signs
    used = factors > 0
    chosen = W[:, used] * (factors[used] / scale[used] / lengths[used])
    least = convex_value(problem, W, signs)
    if convex_value(problem, chosen, signs[used]) <= least * (1 + 1e-12):
        return chosen, signs[used]
    return W, signs
