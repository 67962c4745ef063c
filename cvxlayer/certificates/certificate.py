"""Certificates: is a network globally optimal, how far can it still fall, and which way?"""

from __future__ import annotations

import json
import os
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from scipy.optimize import brentq

from cvxlayer.checks import check_count, check_real
from cvxlayer.errors import CapacityError, InputError, MissingSolverError, SolverError
from cvxlayer.model.blocks import groups
from cvxlayer.model.losses import LOSSES, Loss
from cvxlayer.model.network import Network, load_arrays, save_arrays
from cvxlayer.model.newton import polished
from cvxlayer.model.problem import Problem, check_problem, checked, relative_gap
from cvxlayer.model.weights import collinear
from cvxlayer.training.output_weights import over_neurons

from .pricing import Price, price
from .stationarity import Stationarity, stationarity

__all__ = ["Certificate", "certify"]

_SAME = 1e-6  # lengths and directions that differ less, relatively, are one
_MORE = 1 + 2.0**-50
_STARTS, _NEW, _NEWTON = 200, 50, 50  # points to go up from, neurons added, steps of `improve`
# of a file
_NETWORKS = ("U", "alpha", "better_U", "better_alpha")
_ARRAYS = ("v", "residual", "relative", "u", "pattern", "unscaled")
_NUMBERS = ("beta", "bias", "tol", "objective", "upper", "lower_bound", "gap", "optimal", "price",
            "price_bound", "sign", "decrease", "complete", "seconds")


@dataclass(eq=False)
class Certificate:
    """What is proven about a network.

    With F its objective and F* the least over networks of all widths,

        lower_bound <= F* <= objective - decrease,    gap = (upper - lower_bound) / |upper|.

    The lower bound is the dual value -l*(-v) of a v with |v.(Xu)_+| <= beta for all ||u|| <= 1.
    Both sides are rounded outward, and `verify` checks them in exact arithmetic.

    Attributes
    ----------
    optimal : bool or None
        True if gap <= tol: F - F* <= tol |F|. False if decrease > tol |F|, as `better` shows. None
        if neither is proven: F* is in an interval of relative length `margin`.
    objective : float
        F of the network as it was given, recomputed from X.
    upper : float
        The same, with its rounding error.
    lower_bound : float
        Below F of every network of every width.
    gap : float
        Relative, of `upper` and `lower_bound`.
    tol : float
        What was asked for, relative to the objective.
    v : ndarray of float64, shape (n,)
        The dual point of `lower_bound`.
    price, price_bound : float
        The largest |v'.(Xu)_+| found over unit vectors u, for the residual v' = -grad l of the
        network (for losses without a gradient an optimal dual vector), and a number that it does
        not exceed. Beyond beta, the network lacks `u`.
    u : ndarray of float64, shape (d,)
        Where the price is attained, of length 1.
    sign : int
        Of its output weight.
    pattern : ndarray of bool, shape (n,)
        A chamber whose closure has `u`: the most violated cone.
    better : Network or None
        A network whose objective is at least `decrease` smaller: the network, scaled, with the
        neuron u and the best weight for it, or moved, or (with `tighten`) trained anew.
    decrease : float
        Guaranteed: rounding is counted against it. 0 without `better`.
    residual, relative : ndarray of float64, shape (m,)
        How far each neuron is from stationary; see `stationarity`.
    unscaled : ndarray of int64
        Neurons with ||u_j|| and |alpha_j| that differ by more than 1e-6 of the largest.
    crowded, repeated : list of ndarray of int64
        Neurons that share a face and a sign, without and with one direction.
    complete : bool
        False where the search for u was ended by `max_seconds`: bounds hold all the same.
    loss, beta, bias, classes, network, problem
        What the certificate is about; a loaded one has no problem.
    seconds : float
    """

    loss: Loss
    beta: float
    bias: bool
    classes: tuple[Any, Any] | None
    network: Network
    tol: float
    objective: float
    upper: float
    lower_bound: float
    gap: float
    optimal: bool | None
    v: np.ndarray
    price: float
    price_bound: float
    u: np.ndarray
    sign: int
    pattern: np.ndarray
    better: Network | None
    decrease: float
    residual: np.ndarray
    relative: np.ndarray
    unscaled: np.ndarray
    crowded: list[np.ndarray]
    repeated: list[np.ndarray]
    complete: bool
    seconds: float
    problem: Problem | None = None

    def __repr__(self) -> str:
        return (f"Certificate({self.verdict}, objective={self.objective:.12g}, "
                f"lower_bound={self.lower_bound:.12g}, gap={self.gap:.2e})")

    def __bool__(self) -> bool:
        """Whether the network is proven optimal; an undecided one is not."""
        return self.optimal is True

    @property
    def verdict(self) -> str:
        """`optimal` in words."""
        return {True: "optimal", False: "not optimal", None: "undecided"}[self.optimal]

    @property
    def margin(self) -> float:
        """Relative length of the interval in which the optimum is known to lie."""
        reached = self.upper - self.decrease
        return max(reached - self.lower_bound, 0.0) / max(abs(self.upper), 1e-300)

    @property
    def stationary(self) -> bool:
        """Whether no neuron's subgradient is longer than sqrt(tol) beta s, s the largest
        ||(u_j, alpha_j)||: what that can lower the objective by is of the order of its square."""
        sizes = np.hypot(np.linalg.norm(self.network.U, axis=0), self.network.alpha)
        largest = self.beta * float(sizes.max(initial=0))
        return bool((self.residual <= np.sqrt(self.tol) * largest).all())

    @property
    def scaled(self) -> bool:
        """||u_j|| = |alpha_j| for all neurons."""
        return len(self.unscaled) == 0

    @property
    def nearly_minimal(self) -> bool:
        """Scaled, and neurons of one face and sign are collinear, as those of every stationary
        network are (Wang, Lacotte and Pilanci 2022, theorem 2)."""
        return self.scaled and not self.crowded

    @property
    def minimal(self) -> bool:
        """Scaled, with at most one neuron for each face and sign."""
        return self.nearly_minimal and not self.repeated

    def improve(self, steps: int = _NEWTON) -> Network:
        """A network with a smaller objective: `better`, with more neurons that pay, the best output
        weights for all, and moved on by descent.

        Parameters
        ----------
        steps : int, default 50
            Of Newton's method, for losses with a gradient; each O((m d)^3).

        Returns
        -------
        Network
            Its objective is smaller than that of `network` by at least `decrease`. `better` itself
            for a certificate that was loaded without its problem.

        Raises
        ------
        InputError
            If no better network is known, as for one that is optimal.
        """
        check_count("steps", steps)
        if self.better is None:
            raise InputError("improve needs a network that is not optimal, got one that is "
                             f"{self.verdict}, gap {self.gap:.2g}; certify(..., tighten=True) "
                             "searches on")
        if self.problem is None:
            return self.better
        wider = self.better
        with suppress(SolverError, MissingSolverError, CapacityError):
            wider = min(wider, _widened(self.problem, wider), key=self.problem.objective)
        return min(wider, _moved(self.problem, wider, steps), key=self.problem.objective)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write an .npz file, whole or not at all. The data are not in it."""
        better = self.better or Network(np.zeros((self.network.d, 0)), [])
        about = {name: getattr(self, name) for name in _NUMBERS} | {
            "loss": self.loss.name, "scale": self.loss.scale,
            "delta": getattr(self.loss, "delta", None), "has_better": self.better is not None,
            "classes": None if self.classes is None else [_plain(x) for x in self.classes],
            "crowded": [g.tolist() for g in self.crowded],
            "repeated": [g.tolist() for g in self.repeated]}
        arrays = {name: getattr(self, name) for name in _ARRAYS}
        save_arrays(path, U=self.network.U, alpha=self.network.alpha, better_U=better.U,
                    better_alpha=better.alpha, about=json.dumps(about, default=_plain), **arrays)

    @classmethod
    def load(cls, path: str | os.PathLike[str], problem: Problem | None = None) -> Certificate:
        """Read what `save` wrote; with its problem, `improve` works as before."""
        arrays = load_arrays(path, (*_NETWORKS, *_ARRAYS, "about"), "Certificate.save")
        try:
            about = json.loads(str(arrays["about"]))
            options = {} if about["delta"] is None else {"delta": about["delta"]}
            better = Network(arrays["better_U"], arrays["better_alpha"])
            fields: dict[str, Any] = {name: arrays[name] for name in _ARRAYS}
            fields |= {name: about[name] for name in _NUMBERS}
            fields |= {name: [np.array(g) for g in about[name]] for name in ("crowded", "repeated")}
            found = cls(
                loss=LOSSES[about["loss"]](about["scale"], **options), problem=problem,
                network=Network(arrays["U"], arrays["alpha"]),
                classes=None if about["classes"] is None else tuple(about["classes"]),
                better=better if about["has_better"] else None, **fields)
        except (KeyError, TypeError, ValueError) as error:
            raise InputError(f"{os.fspath(path)!r} must be a file written by Certificate.save, and "
                             f"it cannot be read as one: {error}") from error
        if problem is not None:
            check_problem(problem)
            found._belongs_to(problem)
        return found

    def _belongs_to(self, problem: Problem) -> None:
        wrong = [name for name in ("beta", "bias", "classes")
                 if getattr(self, name) != getattr(problem, name)]
        if wrong or self.network.d != problem.d or len(self.v) != problem.n or not abs(
                problem.objective(self.network) - self.objective) <= 2 * (
                self.upper - self.objective):
            raise InputError("problem must be the one that the certificate was made for, got "
                             f"another {wrong[0] if wrong else 'objective of its network'}")


def certify(network: Any, problem: Problem, *, tol: float = 1e-8, tighten: bool = False,
            max_seconds: float | None = 60.0, zero_tol: float = 1e-9, n_jobs: int = 1,
            progress: bool = False) -> Certificate:
    """Prove that a network is a global optimum, or that it is not, with bounds either way.

    Parameters
    ----------
    network : Network, Solution, PyTorch module or scikit-learn MLP
        See `Network.from_torch` and `from_sklearn`. It need not be scaled, nor stationary.
    problem : Problem
    tol : float, default 1e-8
        Relative to the objective: what counts as optimal.
    tighten : bool, default False
        Go on by column generation from the network's patterns until the bound closes, so that
        `gap` is what is truly left. Otherwise the bound is that of the network's own residual,
        which is exact for an optimum, and may be far below it for other networks; near an optimum
        that of the network after a descent is tried, too. For losses without a gradient, absolute
        and hinge, this is done in any case: the multipliers of the convex program, an optimal dual
        vector, take the place of the residual, and no neuron's price exceeds beta.
    max_seconds : float or None, default 60
        For the search for the most violated cone (and again for `tighten`); after it the bounds are
        those found so far.
    zero_tol : float, default 1e-9
        What counts as a zero activation, for `stationarity` and for the face that a neuron is on.
    n_jobs : int, default 1
        Threads of the search; -1 for all cores.
    progress : bool, default False
        Report on stderr.

    Returns
    -------
    Certificate

    Raises
    ------
    InputError
        If the network does not fit the problem, has more than one hidden layer, an activation other
        than ReLU or weights that are not finite.

    Notes
    -----
    By duality (Pilanci and Ergen 2020, (4), and appendix A.13 for other losses than the squared
    one), F* is the maximum of -l*(-v) over v with |v.(Xu)_+| <= beta for all ||u|| <= 1. The
    residual v' = -grad l of the network, scaled to meet that, gives the lower bound; the largest
    price is found by `Arrangement.support`, which lists no chamber: milliseconds at n = 50, d = 3;
    seconds at n = 190, d = 5, with 10^8 chambers. A u with a price above beta is a neuron that
    lowers the objective; the best weight for it is found exactly.

    References
    ----------
    Wang, Lacotte and Pilanci, The hidden convex optimization landscape of regularized two-layer
    ReLU networks, ICLR 2022: stationary, scaled and (nearly) minimal networks.

    Examples
    --------
    >>> problem = Problem([[1, 0], [0, 1], [1, 1]], [1, 0, 0], 0.1)
    >>> certificate = certify(Network([[1.0], [0.0]], [1.0]), problem)
    >>> certificate.optimal, bool(certificate.price > problem.beta)
    (False, True)
    >>> certify(problem.fit().network, problem).optimal
    True
    """
    begun = time.perf_counter()
    network = checked(network, problem)
    check_real("tol", tol, 0, 1, open_ended=True)
    check_real("zero_tol", zero_tol, 0, 1)
    if max_seconds is not None:
        check_real("max_seconds", max_seconds)
    with np.errstate(over="ignore", invalid="ignore"):
        objective = problem.objective(network)
        upper = objective + problem.objective_error(network)
    if not np.isfinite(upper):
        raise InputError("network must have an objective that fits floats, got one beyond; scale "
                         "the data or the network down")
    search = {"n_jobs": n_jobs, "max_seconds": max_seconds, "progress": progress}
    own = highest = _bound(problem, problem.residual(network), **search)
    better, decrease = None, 0.0
    rivals: list[tuple[Network, np.ndarray]] = []  # with dual vectors
    if upper - own.lower > tol * abs(upper):
        better = _with_neuron(problem, network, own.price)
        decrease = _decrease(problem, network, better)
        if tighten or not problem.loss.smooth:
            rivals = _trained(problem, network, tol=tol / 2, **search)
        if not rivals and _verdict(upper, own.lower, decrease, tol) is None:
            moved = _moved(problem, better, 2 * _NEWTON)
            rivals = [(moved, problem.residual(moved))]
    for rival, residual in rivals:
        bound = _bound(problem, residual, **search)
        highest = max(highest, bound, key=lambda candidate: candidate.lower)
        better, decrease = max((better, decrease), (rival, _decrease(problem, network, rival)),
                               key=lambda pair: pair[1])
        if not problem.loss.smooth:
            own = bound
    if decrease <= 0:
        better, decrease = None, 0.0
    found, v, lower = own.price, highest.v, highest.lower
    state = stationarity(network, problem, own.residual, zero_tol=zero_tol)
    return Certificate(
        loss=problem.loss, beta=problem.beta, bias=problem.bias, classes=problem.classes,
        network=network, tol=tol, objective=objective, upper=upper, lower_bound=lower,
        gap=relative_gap(upper, lower),
        optimal=_verdict(upper, lower, decrease, tol), v=v, price=found.value,
        price_bound=found.bound, u=found.u, sign=found.sign, pattern=found.pattern, better=better,
        decrease=decrease, **_form(problem, network, state, zero_tol), complete=found.complete,
        seconds=time.perf_counter() - begun, problem=problem)


class _Bound(NamedTuple):
    """A residual, the largest price under it, and the dual point and lower bound they give."""

    residual: np.ndarray
    price: Price
    v: np.ndarray
    lower: float


def _bound(problem: Problem, residual: np.ndarray, **search: Any) -> _Bound:
    found = price(problem, residual, **search)
    return _Bound(residual, found, *problem.dual_point(residual, found.bound))


def _verdict(upper: float, lower: float, decrease: float, tol: float) -> bool | None:
    """True and False only where the numbers prove it, whatever is rounded here."""
    allowed = tol * abs(upper)
    if (upper - lower) * _MORE <= allowed:
        return True
    return False if decrease > allowed * _MORE else None


def _form(problem: Problem, network: Network, state: Stationarity, zero_tol: float
          ) -> dict[str, Any]:
    """Stationarity, scaling and shared faces of the neurons."""
    lengths, outputs = np.linalg.norm(network.U, axis=0), np.abs(network.alpha)
    apart = np.abs(lengths - outputs) > _SAME * max(lengths.max(initial=0), outputs.max(initial=0))
    crowded, repeated = [], []
    for members in groups(problem, network, "face", zero_tol=zero_tol):
        if len(members) == 1:
            continue
        same = collinear(network.U[:, members], np.sign(network.alpha[members]), _SAME)
        if len(same) > 1:
            crowded.append(members)
        repeated += [np.sort(members[g]) for g in same if len(g) > 1]
    return {"residual": state.residual, "relative": state.relative,
            "unscaled": np.flatnonzero(apart), "crowded": crowded, "repeated": repeated}


def _decrease(problem: Problem, network: Network, better: Network) -> float:
    """F(network) - F(better), rounded down."""
    return (problem.objective(network) - problem.objective_error(network)
            - problem.objective(better) - problem.objective_error(better))


def _trained(problem: Problem, network: Network, **options: Any
             ) -> list[tuple[Network, np.ndarray]]:
    """An optimum by column generation from a network's patterns, or, where a solver stops short,
    from none; empty if it does so again: other bounds are true all the same."""
    for start in (network, None):
        with suppress(SolverError):
            solution = problem.fit("columns", network=start, **options)
            return [(solution.network, solution.v)]
    return []


def _with_neuron(problem: Problem, network: Network, found: Price) -> Network:
    """The network, scaled, with the most violated neuron if there is one."""
    W, signs = network.scaled().weights
    if found.value <= problem.beta:
        return Network.from_weights(W, signs)
    t = _best_weight(problem, network.predict(problem.X), found)
    if not np.isfinite(t * found.u).all():
        return Network.from_weights(W, signs)
    return Network.from_weights(np.column_stack([W, t * found.u]), np.append(signs, found.sign))


def _best_weight(problem: Problem, z: np.ndarray, found: Price) -> float:
    """t >= 0 with least l(z + t sign (Xu)_+) + beta t."""
    a = found.sign * np.maximum(problem.X @ found.u, 0)
    size = float(np.abs(a).max())  # t a = s a / size

    def slope(s: float) -> float:
        return float(problem.loss.gradient(z + s * (a / size), problem.y) @ a) + problem.beta

    end = 1.0
    while slope(end) < 0 and np.isfinite(2 * end):
        end *= 2
    if not slope(end) > 0 > slope(0.0):
        return 0.0
    # any t will do that lowers the objective
    return float(brentq(slope, 0.0, end, maxiter=1000, disp=False)) / size


def _moved(problem: Problem, network: Network, steps: int) -> Network:
    """By Newton's method on the faces of the neurons, or, for losses without a gradient, with the
    best output weights."""
    if network.m and problem.loss.smooth:
        return Network.from_weights(*polished(problem, *network.weights, steps=steps))
    with suppress(SolverError, MissingSolverError):
        return over_neurons(problem, network.U)
    return network


def _widened(problem: Problem, network: Network) -> Network:
    """With neurons that pay, as ascent from some points finds them, and the best output weights."""
    found = problem.arrangement.local_maxima(problem.residual(network), _STARTS,
                                             above=problem.beta, rng=0)
    return over_neurons(problem, np.hstack([network.U, found.points[:_NEW].T]))


def _plain(value: Any) -> Any:
    """As JSON has it."""
    return value.item() if isinstance(value, np.generic) else value
