"""Loss functions: value, gradient, conjugate with its domain, and conic form, each in one class.

All are sums over samples, times `scale`. With z = sum_j alpha_j (X u_j)_+ the predictions, the dual
of the training problem maximises -l*(-v) over v with |v.(Xu)_+| <= beta for every ||u|| <= 1.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from cvxlayer.checks import check_real

from .conic_program import ConicProgram

__all__ = ["LOSSES", "Absolute", "Hinge", "Huber", "Logistic", "Loss", "Squared"]

Array = NDArray[np.float64]


class Loss:
    """l(z) = scale * sum_i phi(z_i, y_i), convex in z.

    Parameters
    ----------
    scale : float, default 1.0
        Positive.
    """

    name = ""
    smooth = True  # has a gradient
    classifies = False  # y must be +1 and -1

    def __init__(self, scale: float = 1.0) -> None:
        self.scale = check_real("scale", scale, open_ended=True)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(scale={self.scale})"

    def value(self, z: Array, y: Array) -> float:
        """l(z)."""
        return self.scale * float(self._value(z, y))

    def gradient(self, z: Array, y: Array) -> Array:
        """A (sub)gradient of l at z."""
        return self.scale * self._gradient(z, y)

    def curvature(self, z: Array, y: Array) -> Array:
        """Second derivatives of the terms, where they exist; zero elsewhere."""
        return self.scale * self._curvature(z, y)

    def dual(self, v: Array, y: Array) -> float:
        """-l*(-v), the dual objective: -inf outside its domain."""
        return self.scale * float(self._dual(v / self.scale, y))

    def into_domain(self, v: Array, y: Array) -> Array:
        """The nearest v at which `dual` is finite."""
        return self.scale * self._clipped(v / self.scale, y)

    def predictions(self, v: Array, y: Array, tol: float = 1e-6
                    ) -> tuple[Array, Array]:
        """(lo, hi): the intervals of the z at which -v is a (sub)gradient of l, those that are
        optimal together with v. Within `tol`, relative, of an end of the domain v counts as there.
        """
        return self._predictions(v / self.scale, y, tol)

    def conic(self, y: Array) -> ConicProgram:
        """min l(z) over x = (z, extra variables), z the n predictions."""
        raise NotImplementedError

    def _clipped(self, v: Array, y: Array) -> Array:
        return v

    def _value(self, z: Array, y: Array) -> Any:
        raise NotImplementedError

    def _gradient(self, z: Array, y: Array) -> Array:
        raise NotImplementedError

    def _curvature(self, z: Array, y: Array) -> Array:
        return np.zeros(len(y))

    def _dual(self, v: Array, y: Array) -> Any:
        raise NotImplementedError

    def _predictions(self, v: Array, y: Array, tol: float
                     ) -> tuple[Array, Array]:
        raise NotImplementedError


class Squared(Loss):
    """scale * 1/2 ||z - y||^2; ``scale=2`` is ||z - y||^2, ``scale=1/n`` the mean."""

    name = "squared"

    def _value(self, z: Array, y: Array) -> Any:
        return (z - y) @ (z - y) / 2

    def _gradient(self, z: Array, y: Array) -> Array:
        return z - y

    def _curvature(self, z: Array, y: Array) -> Array:
        return np.ones(len(y))

    def _dual(self, v: Array, y: Array) -> Any:
        return v @ y - v @ v / 2

    def _predictions(self, v: Array, y: Array, tol: float) -> tuple[Array, Array]:
        return y - v, y - v

    def conic(self, y: Array) -> ConicProgram:
        """As in `Loss`."""
        n = len(y)
        return ConicProgram(self.scale * sparse.identity(n, format="csc"), -self.scale * y,
                     sparse.csc_matrix((0, n)), np.zeros(0), (), self.scale * float(y @ y) / 2)


class Absolute(Loss):
    """scale * ||z - y||_1."""

    name = "absolute"
    smooth = False

    def _value(self, z: Array, y: Array) -> Any:
        return np.abs(z - y).sum()

    def _gradient(self, z: Array, y: Array) -> Array:
        return np.sign(z - y)

    def _clipped(self, v: Array, y: Array) -> Array:
        return np.clip(v, -1, 1)

    def _dual(self, v: Array, y: Array) -> Any:
        return v @ y if np.abs(v).max(initial=0) <= 1 else -np.inf

    def _predictions(self, v: Array, y: Array, tol: float) -> tuple[Array, Array]:
        return np.where(v >= 1 - tol, -np.inf, y), np.where(v <= tol - 1, np.inf, y)

    def conic(self, y: Array) -> ConicProgram:
        """As in `Loss`."""
        n = len(y)
        eye = sparse.identity(n, format="csc")
        return ConicProgram(sparse.csc_matrix((2 * n, 2 * n)),
                     np.concatenate([np.zeros(n), np.full(n, self.scale)]),
                     sparse.bmat([[eye, -eye], [-eye, -eye]], format="csc"),
                     np.concatenate([y, -y]), (("nonnegative", 2 * n),))


class Huber(Loss):
    """scale * sum of t^2/2 for |t| <= delta, else delta (|t| - delta/2), t = z - y."""

    name = "huber"

    def __init__(self, scale: float = 1.0, delta: float = 1.0) -> None:
        super().__init__(scale)
        self.delta = check_real("delta", delta, open_ended=True)

    def __repr__(self) -> str:
        return f"Huber(scale={self.scale}, delta={self.delta})"

    def _value(self, z: Array, y: Array) -> Any:
        t = np.abs(z - y)
        return np.where(t <= self.delta, t**2 / 2, self.delta * (t - self.delta / 2)).sum()

    def _gradient(self, z: Array, y: Array) -> Array:
        return np.clip(z - y, -self.delta, self.delta)

    def _curvature(self, z: Array, y: Array) -> Array:
        return (np.abs(z - y) <= self.delta).astype(float)

    def _clipped(self, v: Array, y: Array) -> Array:
        largest = self.delta * (1 - 2.0**-51)  # times and by the scale it stays within delta
        return np.clip(v, -largest, largest)

    def _dual(self, v: Array, y: Array) -> Any:
        inside = np.abs(v).max(initial=0) <= self.delta
        return v @ y - v @ v / 2 if inside else -np.inf

    def _predictions(self, v: Array, y: Array, tol: float) -> tuple[Array, Array]:
        end = self.delta * (1 - tol)
        return np.where(v >= end, -np.inf, y - v), np.where(v <= -end, np.inf, y - v)

    def conic(self, y: Array) -> ConicProgram:
        """As in `Loss`."""
        # t = a + b: min ||a||^2 / 2 + delta ||b||_1; a = z - y - b
        n = len(y)
        eye, zero = sparse.identity(n, format="csc"), sparse.csc_matrix((n, n))
        P = self.scale * sparse.bmat([[eye, -eye, zero], [None, eye, zero], [None, None, zero]],
                                     format="csc")
        q = self.scale * np.concatenate([-y, y, np.full(n, self.delta)])
        A = sparse.bmat([[zero, eye, -eye], [zero, -eye, -eye]], format="csc")
        return ConicProgram(P, q, A, np.zeros(2 * n), (("nonnegative", 2 * n),),
                     self.scale * float(y @ y) / 2)


class Hinge(Loss):
    """scale * sum of max(0, 1 - y z), y = +-1."""

    name = "hinge"
    smooth = False
    classifies = True

    def _value(self, z: Array, y: Array) -> Any:
        return np.maximum(0, 1 - y * z).sum()

    def _gradient(self, z: Array, y: Array) -> Array:
        return -y * (y * z < 1)

    def _clipped(self, v: Array, y: Array) -> Array:
        return y * np.clip(y * v, 0, 1)

    def _dual(self, v: Array, y: Array) -> Any:
        a = y * v
        return a.sum() if a.min(initial=0) >= 0 and a.max(initial=0) <= 1 else -np.inf

    def _predictions(self, v: Array, y: Array, tol: float) -> tuple[Array, Array]:
        a = y * v
        lo, hi = np.where(a >= 1 - tol, -np.inf, 1.0), np.where(a <= tol, np.inf, 1.0)
        return np.where(y > 0, lo, -hi), np.where(y > 0, hi, -lo)

    def conic(self, y: Array) -> ConicProgram:
        """As in `Loss`."""
        n = len(y)
        eye = sparse.identity(n, format="csc")
        return ConicProgram(sparse.csc_matrix((2 * n, 2 * n)),
                     np.concatenate([np.zeros(n), np.full(n, self.scale)]),
                     sparse.bmat([[-sparse.diags(y.astype(float)), -eye], [None, -eye]],
                                 format="csc"),
                     np.concatenate([-np.ones(n), np.zeros(n)]), (("nonnegative", 2 * n),))


class Logistic(Loss):
    """scale * sum of log(1 + exp(-y z)), y = +-1."""

    name = "logistic"
    classifies = True

    def _value(self, z: Array, y: Array) -> Any:
        return np.logaddexp(0, -y * z).sum()

    def _gradient(self, z: Array, y: Array) -> Array:
        return -y * _expit(-y * z)

    def _curvature(self, z: Array, y: Array) -> Array:
        p = _expit(-y * z)
        return p * (1 - p)

    def _clipped(self, v: Array, y: Array) -> Array:
        return y * np.clip(y * v, 0, 1)

    def _dual(self, v: Array, y: Array) -> Any:
        a = y * v
        if a.min(initial=0) < 0 or a.max(initial=0) > 1:
            return -np.inf
        with np.errstate(divide="ignore", invalid="ignore"):
            terms = np.where(a > 0, a * np.log(a), 0) + np.where(a < 1, (1 - a) * np.log1p(-a), 0)
        return -terms.sum()

    def _predictions(self, v: Array, y: Array, tol: float) -> tuple[Array, Array]:
        a = np.clip(y * v, 0, 1)
        with np.errstate(divide="ignore"):
            z = y * (np.log1p(-a) - np.log(a))
        return z, z

    def conic(self, y: Array) -> ConicProgram:
        """As in `Loss`."""
        # t >= log(1 + e^(-yz)): p + q <= 1, p >= exp(-t), q >= exp(-yz - t)
        n = len(y)
        eye = sparse.identity(n)
        # exponential cone: (a, 1, c) with c >= exp(a); s = b - A x
        first, last = (sparse.csc_matrix(np.eye(3)[:, [i]]) for i in (0, 2))
        up, down = sparse.kron(eye, first), sparse.kron(eye, -last)
        A = sparse.bmat([[None, None, eye, eye], [None, up, down, None],
                         [sparse.kron(sparse.diags(y), first), up, None, down]], format="csc")
        return ConicProgram(
            sparse.csc_matrix((4 * n, 4 * n)),
            np.concatenate([np.zeros(n), np.full(n, self.scale), np.zeros(2 * n)]), A,
            np.concatenate([np.ones(n), np.tile([0.0, 1.0, 0.0], 2 * n)]),
            (("nonnegative", n), *((("exponential", 3),) * (2 * n))))


def _expit(x: Array) -> Array:
    return np.exp(-np.logaddexp(0, -x))


LOSSES = {kind.name: kind for kind in (Squared, Logistic, Hinge, Absolute, Huber)}
