"""Exact re-checks of certificates: nothing that a solver or a search in floats said is believed.

Let z = sum_j alpha_j (X u_j)_+. If |v.(Xu)_+| <= beta for every ||u|| <= 1, then networks of every
width have

    F(U, alpha) = l(z) + beta/2 (||U||^2 + ||alpha||^2) >= -l*(-v),

for l(z) >= -v.z - l*(-v) and |v.z| <= beta sum_j |alpha_j| ||u_j||. All this is finite arithmetic,
in integers and fractions (outward rounded decimals for exp and log), except the maximum of
v.(Xu)_+, which `cover` proves.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import Context, Decimal, localcontext
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np

from arrangements import Arrangement
from cvxlayer.checks import check_array, check_count, check_real
from cvxlayer.errors import InputError
from cvxlayer.model.losses import LOSSES, Loss
from cvxlayer.model.network import Network

from .cover import Cover, Function, integers, times_power
from .pricing import price_of

__all__ = ["Check", "Verification", "verify"]

_DIGITS = 50
_ERROR = Fraction(1, 10 ** (_DIGITS - 1))  # of a term with exp and log in `_DIGITS` digits
_FAR = 1000  # exp(-1000) < _ERROR


class Check(NamedTuple):
    """One inequality, or a few that belong together; `passed` is None for what is neither proved
    nor refuted."""

    name: str
    passed: bool | None
    detail: str


@dataclass(frozen=True)
class Verification:
    """What `verify` found; true when every check passed.

    Attributes
    ----------
    checks : list of Check
        "objective", "dual value", "dual feasible", "better network" where there is one, "verdict".
    n_cones : int
        Cones looked at.
    exact : bool
        False if a bound in floats took the place of the proof by cones.
    """

    checks: list[Check]
    n_cones: int
    exact: bool

    @property
    def valid(self) -> bool:
        """Whether every check passed."""
        return all(check.passed for check in self.checks)

    @property
    def refuted(self) -> bool:
        """Whether a check failed: a claim is wrong."""
        return any(check.passed is False for check in self.checks)

    def __bool__(self) -> bool:
        return self.valid

    def __str__(self) -> str:
        valid = "valid" if self.exact else "valid, one bound in floats"
        head = valid if self else "wrong" if self.refuted else "not proved"
        marks = {True: "ok    ", False: "FAILED", None: "open  "}
        return "\n".join([head, *(f"{marks[passed]}  {name}: {detail}"
                                  for name, passed, detail in self.checks)])


def verify(certificate: Any, X: Any, y: Any, *, max_cones: int = 100_000,
           max_seconds: float | None = 60.0, progress: bool = False) -> Verification:
    """Prove every inequality that a certificate claims, from the data alone.

    Parameters
    ----------
    certificate : Certificate
        Only its claims are read: loss, beta, bias, classes, network, upper, lower_bound, v,
        better, decrease, tol, optimal.
    X : array-like of float, shape (n, d)
        Without the column of ones.
    y : array-like, shape (n,)
        Targets, or labels of the two classes.
    max_cones : int, default 100000
        If the proof of |v.(Xu)_+| <= beta needs more cones, a bound in floats is believed instead,
        with its rounding errors added (`Arrangement.support`, or the relaxation of `pricing`), and
        `Verification.exact` is false.
    max_seconds : float or None, default 60
        For that bound. If it does not suffice either, the check is open: neither valid nor refuted.
    progress : bool, default False
        Lines on stderr.

    Returns
    -------
    Verification

    Raises
    ------
    InputError
        If the data do not fit the certificate, or are not finite.

    Notes
    -----
    Floats are read as the binary numbers they are. The checks:

    - "objective": F(network) <= upper.
    - "dual value": v is in the domain of l*(-v), and -l*(-v) >= lower_bound.
    - "dual feasible": |v.(Xu)_+| <= beta for ||u|| <= 1; what fails shows a u.
    - "better network": F(network) - F(better) >= decrease > 0.
    - "verdict": `optimal` is True only if upper - lower_bound <= tol |upper|, False only if
      decrease > tol |upper|.

    A fraction of a millisecond for each cone; near the dual vectors of training a thousand cones
    for 50 samples of 3 features, ten times as many with each further feature.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> from cvxlayer import Network, Squared
    >>> claims = SimpleNamespace(
    ...     loss=Squared(), beta=1.0, bias=False, classes=None, network=Network([[1.0]], [1.0]),
    ...     upper=1.5, lower_bound=1.5, v=[1.0], better=None, decrease=0.0, tol=0.0, optimal=True)
    >>> bool(verify(claims, [[1.0]], [2.0]))
    True
    >>> claims.lower_bound = 1.75
    >>> [check.name for check in verify(claims, [[1.0]], [2.0]).checks if not check.passed]
    ['dual value']
    """
    check_count("max_cones", max_cones)
    if max_seconds is not None:
        check_real("max_seconds", max_seconds)
    c = certificate
    X, y, v = _read(c, X, y)
    low, high = _objective(c, c.network, X, y)
    upper, lower, decrease = (_fraction(x) for x in (c.upper, c.lower_bound, c.decrease))
    checks = [Check("objective", upper is not None and high <= upper,
                    f"F(network) <= {_shown(high)}, claimed {float(c.upper)!r}")]
    dual = None if v is None else _dual(c.loss, v, y)
    checks.append(Check(
        "dual value", dual is not None and lower is not None and dual >= lower,
        "l*(-v) is infinite" if dual is None
        else f"-l*(-v) >= {_shown(dual)}, claimed {float(c.lower_bound)!r}"))
    feasible, n_cones, exact = _feasible(c, X, v, int(max_cones), max_seconds, progress)
    checks.append(feasible)
    if c.better is not None:
        gained = low - _objective(c, c.better, X, y)[1]
        checks.append(Check("better network", decrease is not None and 0 < decrease <= gained,
                            f"F(network) - F(better) >= {_shown(gained)}, claimed "
                            f"{float(c.decrease)!r}"))
    checks.append(_verdict(c, upper, lower, decrease))
    return Verification(checks, n_cones, exact)


def _verdict(c: Any, upper: Fraction | None, lower: Fraction | None, decrease: Fraction | None
             ) -> Check:
    tol = _fraction(c.tol)
    if upper is None or lower is None or tol is None or decrease is None:
        return Check("verdict", False, "a claim is not finite")
    allowed, gap = tol * abs(upper), upper - lower
    if c.better is None and decrease:
        return Check("verdict", False, f"a decrease of {float(c.decrease)!r} by no network")
    if c.optimal is None:
        return Check("verdict", True, f"open: the gap is {_shown(gap)}")
    if c.optimal:
        return Check("verdict", gap <= allowed,
                     f"optimal: the gap is {_shown(gap)}, tol |upper| is {_shown(allowed)}")
    return Check("verdict", decrease > allowed,
                 f"not optimal: it can fall by {_shown(decrease)}, tol |upper| is "
                 f"{_shown(allowed)}")


# -- reading


def _read(c: Any, X: Any, y: Any) -> tuple[np.ndarray, list[Fraction], np.ndarray | None]:
    """X with its column of ones, targets, and v if it is finite."""
    if not isinstance(c.loss, Loss) or c.loss.name not in LOSSES:
        raise InputError(f"certificate.loss must be one of {', '.join(LOSSES)}, got {c.loss!r}")
    for name in ("beta", "upper", "lower_bound", "decrease", "tol"):
        value = getattr(c, name)
        if not isinstance(value, int | float | np.integer | np.floating) or (
                name == "beta" and not 0 < value < math.inf) or (name == "tol" and not value >= 0):
            kind = {"beta": "positive ", "tol": "nonnegative "}.get(name, "")
            raise InputError(f"certificate.{name} must be a {kind}number, got {value!r}")
    for name, network in (("network", c.network), ("better", c.better)):
        if not (isinstance(network, Network) or (network is None and name == "better")):
            raise InputError(f"certificate.{name} must be a Network, got {type(network).__name__}")
    if c.better is not None and c.better.d != c.network.d:
        raise InputError(f"certificate.better must have {c.network.d} input weights, as the "
                         f"network, got {c.better.d}")
    v, X = check_array("certificate.v", c.v), check_array("X", X)
    shape = (v.size, c.network.d - bool(c.bias))
    if v.ndim != 1 or X.shape != shape:
        raise InputError(f"X must have shape {shape}, as the certificate has it, got {X.shape}; "
                         "give the data it was made for, without the column of ones")
    if not np.isfinite(X).all():
        i, j = (int(k) for k in np.argwhere(~np.isfinite(X))[0])
        raise InputError(f"X must be finite, got {X[i, j]} at row {i}, column {j}; drop the sample")
    if c.bias:
        X = np.column_stack([X, np.ones(len(X))])
    return X, _targets(c, y, len(X)), v if np.isfinite(v).all() else None


def _targets(c: Any, y: Any, n: int) -> list[Fraction]:
    labels = np.asarray(y)
    if labels.shape != (n,):
        raise InputError(f"y must have shape ({n},), one target for each row of X, got "
                         f"{labels.shape}")
    if not c.loss.classifies:
        values = check_array("y", labels)
        if not np.isfinite(values).all():
            i = int(np.argmin(np.isfinite(values)))
            raise InputError(f"y must be finite, got {values[i]} at {i}; drop the sample")
        return [Fraction(x) for x in values.tolist()]
    classes = (-1, 1) if c.classes is None else tuple(c.classes)
    for i, label in enumerate(labels.tolist()):
        if label not in classes:
            raise InputError(f"y must hold the classes {classes[0]!r} and {classes[1]!r} of the "
                             f"certificate, got {label!r} at {i}; drop the sample")
    return [Fraction(1 if label == classes[1] else -1) for label in labels.tolist()]


def _fraction(x: Any) -> Fraction | None:
    return Fraction(float(x)) if math.isfinite(x) else None


def _shown(x: Fraction) -> str:
    return str(Context(prec=17).divide(x.numerator, Decimal(x.denominator)))


# -- objective and dual value


def _objective(c: Any, network: Network, X: np.ndarray, y: list[Fraction]
               ) -> tuple[Fraction, Fraction]:
    """Bounds of F(network), equal for all losses but the logistic one."""
    (rows, e), (U, f), (alpha, g) = (integers(part) for part in (X, network.U, network.alpha))
    hidden = rows.dot(U)
    predictions = np.where(hidden > 0, hidden, 0).dot(alpha)
    low, high = _loss(c.loss, [times_power(int(x), e + f + g) for x in predictions], y)
    squares = times_power(int((U * U).sum()), 2 * f) + times_power(
        int((alpha * alpha).sum()), 2 * g)
    penalty = Fraction(c.beta) / 2 * squares
    return low + penalty, high + penalty


def _loss(loss: Any, z: list[Fraction], y: list[Fraction]) -> tuple[Fraction, Fraction]:
    scale, pairs = Fraction(loss.scale), list(zip(z, y, strict=True))
    error = Fraction(0)
    if loss.name == "squared":
        total = sum((a - b) ** 2 for a, b in pairs) / Fraction(2)
    elif loss.name == "absolute":
        total = sum((abs(a - b) for a, b in pairs), error)
    elif loss.name == "huber":
        delta = Fraction(loss.delta)
        distances = [abs(a - b) for a, b in pairs]
        total = sum((t * t / 2 if t <= delta else delta * (t - delta / 2) for t in distances),
                    error)
    elif loss.name == "hinge":
        total = sum((max(error, 1 - a * b) for a, b in pairs), error)
    else:
        total = sum((_log1p_exp(-a * b) for a, b in pairs), error)
        error = len(pairs) * _ERROR
    return scale * (total - error), scale * (total + error)


def _dual(loss: Any, v: np.ndarray, y: list[Fraction]) -> Fraction | None:
    """-l*(-v), for the logistic loss a lower bound; None where l*(-v) is infinite."""
    scale, prices = Fraction(loss.scale), [Fraction(x) for x in v.tolist()]
    linear = sum((a * b for a, b in zip(prices, y, strict=True)), Fraction(0))
    largest = max((abs(a) for a in prices), default=Fraction(0))
    if loss.name == "absolute":
        return linear if largest <= scale else None
    if loss.name in ("squared", "huber"):
        inside = loss.name == "squared" or largest <= scale * Fraction(loss.delta)
        return linear - sum(a * a for a in prices) / (2 * scale) if inside else None
    shares = [a * b / scale for a, b in zip(prices, y, strict=True)]
    if not all(0 <= a <= 1 for a in shares):
        return None
    if loss.name == "hinge":
        return linear
    return scale * sum((_x_log_x(b) - _ERROR for a in shares for b in (a, 1 - a) if 0 < b < 1),
                       Fraction(0))


# Operations on decimals are correctly rounded, exp and log too. With u = 10^-50 the relative error
# of one: exp(-x) of a rounded x has an error below (x e^-x + 1) u, so that log(1 + exp(-x)) has one
# below 5 u; and x log x, 0 < x <= 1, one below 3 u.


def _log1p_exp(x: Fraction) -> Fraction:
    """log(1 + exp(x)), with an error below _ERROR."""
    with localcontext(Context(prec=_DIGITS)):
        size = min(abs(x), Fraction(_FAR))
        tail = ((-_decimal(size)).exp() + 1).ln()
    return max(x, Fraction(0)) + Fraction(tail)


def _x_log_x(x: Fraction) -> Fraction:
    """-x log x for 0 < x <= 1, with an error below _ERROR."""
    with localcontext(Context(prec=_DIGITS)):
        return Fraction(-_decimal(x) * _decimal(x).ln())


def _decimal(x: Fraction) -> Decimal:
    return Decimal(x.numerator) / Decimal(x.denominator)


# -- the maximum of f


def _feasible(c: Any, X: np.ndarray, v: np.ndarray | None, max_cones: int,
              max_seconds: float | None, progress: bool) -> tuple[Check, int, bool]:
    name, n_cones = "dual feasible", 0
    if v is None:
        return Check(name, False, "v is not finite"), 0, True
    for sign in (1, -1):
        f = Function(X, sign * v, c.beta)
        cover = Cover(f, max_cones - n_cones, n_cones if progress else None)
        proved = cover.run()
        n_cones += cover.n_cones
        if cover.beyond is not None:
            u = cover.beyond.tolist()
            return Check(name, False, f"{'-' * (sign < 0)}v.(Xu)_+ > beta ||u|| at u = {u}"
                         ), n_cones, True
        if not proved:
            return _in_floats(c.beta, X, v, n_cones, max_seconds), n_cones, False
    return Check(name, True, f"|v.(Xu)_+| <= beta ||u|| on {n_cones:,} cones"), n_cones, True


def _in_floats(beta: float, X: np.ndarray, v: np.ndarray, n_cones: int,
               max_seconds: float | None) -> Check:
    bound = price_of(Arrangement(X), X, v, max_seconds=max_seconds).bound
    return Check("dual feasible", True if bound <= beta else None,
                 f"not proved with {n_cones:,} cones; in floats, with an error term for their "
                 f"rounding, |v.(Xu)_+| <= {bound!r}, beta is {beta!r}")
