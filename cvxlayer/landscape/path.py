"""A path of networks of fixed width, piece by piece straight in the weights."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cvxlayer.checks import check_count, check_real
from cvxlayer.errors import InputError
from cvxlayer.model.network import Network
from cvxlayer.model.problem import Problem

__all__ = ["ALIGNED", "Path", "PathCheck", "between", "lengths_of"]

_U = 2.0**-53
ALIGNED = 1e-10  # directions this near are one; the penalty sees the square of it
_KINDS = ("constant", "non-increasing", "bounded")


@dataclass(frozen=True)
class PathCheck:
    """How a path keeps what its kind promises, on a grid.

    Attributes
    ----------
    increase : float
        The largest (F(t) - F(s)) / F(t), s < t.
    deviation : float
        The largest |F(t) - F(0)| / F(0).
    excess : float
        The largest F(t) / max(F(0), F(1)) - 1.
    bend : float
        The largest distance of a prediction from the straight line of its piece, relative to
        ||x_i|| sum_j ||u_j|| |alpha_j|.
    holds : bool
        Whether predictions are straight, and F constant, not increasing or below the larger end,
        but for a bound of the rounding error, eps (n + d + m) times the terms that are summed up,
        and for the `slack` of the path.
    """

    increase: float
    deviation: float
    excess: float
    bend: float
    holds: bool


class Path:
    """t in [0, 1] -> a network of m neurons, continuous, through given networks at equal times.

    Between two of them each w_j = u_j |alpha_j| goes straight, and ||u_j|| / |alpha_j|
    geometrically; neurons that contribute nothing at either end go straight. A neuron changes the
    sign of alpha_j only where it is zero.

    Parameters
    ----------
    problem : Problem
    networks : sequence of Network
        At least two, of one width.
    kind : {"constant", "non-increasing", "bounded"}
        What F does, "bounded": F(t) <= max(F(0), F(1)). It is promised, not proved; see `check`.
    slack : float, default 0.0
        F may miss the promise by this much.

    Attributes
    ----------
    problem, networks, kind, slack
    breakpoints : ndarray of float64
        Times of the networks, 0 and 1 included.
    start, end : Network

    Raises
    ------
    InputError
        If the networks do not fit each other or the problem, or a neuron changes its sign within a
        piece.

    Examples
    --------
    >>> problem = Problem([[1.0]], [1.0], 0.5)
    >>> path = Path(problem, [Network([[4.0]], [1.0]), Network([[2.0]], [2.0])], "non-increasing")
    >>> [round(path.objective(t), 6) for t in (0, 0.5, 1)]
    [8.75, 7.0, 6.5]
    """

    def __init__(self, problem: Problem, networks: Sequence[Network], kind: str, *,
                 slack: float = 0.0) -> None:
        if len(networks) < 2:
            raise InputError(f"networks must be at least two, got {len(networks)}; a path that "
                             "stays has one twice")
        if kind not in _KINDS:
            raise InputError(f"kind must be one of {', '.join(_KINDS)}, got {kind!r}")
        for network in networks:
            problem.check_network(network)
        check_real("slack", slack)
        widths = [network.m for network in networks]
        if len(set(widths)) > 1:
            raise InputError(f"networks must have one width, got {widths}; append zero neurons")
        self.problem, self.networks, self.kind = problem, tuple(networks), kind
        self.slack = float(slack)
        self.breakpoints = np.linspace(0, 1, len(networks))
        for i in range(len(networks) - 1):
            self._check_piece(i)

    def __repr__(self) -> str:
        return f"Path({self.kind}, pieces={len(self.networks) - 1}, m={self.start.m})"

    @property
    def start(self) -> Network:
        """The first network."""
        return self.networks[0]

    @property
    def end(self) -> Network:
        """The last network."""
        return self.networks[-1]

    def __call__(self, t: float) -> Network:
        """The network at t; at breakpoints the given one."""
        i, f = self._place(t)
        if f in (0, 1):
            return self.networks[i + int(f)]
        return between(self.networks[i], self.networks[i + 1], f)

    def objective(self, t: float) -> float:
        """F at t."""
        return self.problem.objective(self(t))

    def reversed(self) -> Path:
        """From the end to the start."""
        if self.kind == "non-increasing":
            raise InputError("kind must be 'constant' or 'bounded' for a path to be reversed, got "
                             f"{self.kind!r}; read it at 1 - t")
        return Path(self.problem, self.networks[::-1], self.kind, slack=self.slack)

    def __add__(self, other: Path) -> Path:
        """This path, then the other, which must begin where this one ends."""
        if not isinstance(other, Path):
            return NotImplemented
        if other.problem is not self.problem:
            raise InputError("problem must be the same for paths to be joined, got two")
        if self.kind == "bounded" and other.kind != "constant":
            raise InputError("kind of what follows a bounded path must be 'constant', got "
                             f"{other.kind!r}; F may be largest where they meet")
        apart = _apart(self.end, other.start)
        if apart > ALIGNED:
            raise InputError("start must be the end of the path before, got networks that differ "
                             f"by {apart:.3g}, relatively; connect them with join")
        kind = _KINDS[max(_KINDS.index(self.kind), _KINDS.index(other.kind))]
        return Path(self.problem, self.networks + other.networks[1:], kind,
                    slack=self.slack + other.slack)

    def check(self, grid: int = 200) -> PathCheck:
        """Evaluate F and the predictions at `grid` + 1 equal times and the breakpoints.

        Between scaled networks straight predictions make F convex, and largest at breakpoints.
        """
        check_count("grid", grid, 1)
        p = self.problem
        rounding = 8 * _U * (p.n + p.d + self.start.m)
        sizes = p.row_lengths * max(lengths_of(x).sum() for x in self.networks)
        e = rounding * sizes
        corners = [network.predict(p.X) for network in self.networks]
        times = np.union1d(np.linspace(0, 1, grid + 1), self.breakpoints)
        F, error, bend = np.empty(len(times)), np.empty(len(times)), 0.0
        for k, t in enumerate(times):
            network, (i, f) = self(t), self._place(t)
            z, F[k] = network.predict(p.X), p.objective(network)
            off = np.abs(z - (1 - f) * corners[i] - f * corners[i + 1])
            bend = max(bend, float((off[sizes > 0] / sizes[sizes > 0]).max(initial=0)))
            # the loss is convex: its slopes at both ends bound its change
            slopes = np.maximum(*(np.abs(p.loss.gradient(x, p.y)) for x in (z - e, z + e)))
            error[k] = p.objective_error(network) + slopes @ e + rounding * F[k]
        lowest, ends = np.minimum.accumulate(F), max(F[0], F[-1])
        above = {"constant": np.abs(F - F[0]) - error[0],
                 "non-increasing": F - np.minimum.accumulate(F + error),
                 "bounded": F - max(F[0] + error[0], F[-1] + error[-1])}[self.kind]
        tiny = 1e-300
        return PathCheck(
            float(((F - lowest) / np.maximum(F, tiny)).max()),
            float(np.abs(F - F[0]).max() / max(F[0], tiny)),
            float((F.max() - ends) / max(ends, tiny)), bend,
            bool((above <= error + self.slack).all() and bend <= rounding))

    def _place(self, t: float) -> tuple[int, float]:
        """Piece, and the part of it that is done at t."""
        check_real("t", t, 0, 1)
        at = self.breakpoints
        i = min(int(np.searchsorted(at, t, side="right")) - 1, len(at) - 2)
        return i, float((t - at[i]) / (at[i + 1] - at[i]))

    def _check_piece(self, i: int) -> None:
        a, b = self.networks[i : i + 2]
        used, used_next = lengths_of(a) > 0, lengths_of(b) > 0
        # an idle neuron, u or alpha zero, must stay idle on the straight way
        moving = Network(np.abs(a.U) + np.abs(b.U), np.abs(a.alpha) + np.abs(b.alpha))
        wrong = ~used & ~used_next & (lengths_of(moving) > 0)
        wrong |= used & used_next & (np.sign(a.alpha) != np.sign(b.alpha))
        wrong |= (used & ~used_next & ~_zero(b)) | (used_next & ~used & ~_zero(a))
        if wrong.any():
            j = int(np.argmax(wrong))
            raise InputError("networks must change the sign of a neuron only where it is zero, got "
                             f"alpha[{j}] = {a.alpha[j]:.6g} in network {i} and {b.alpha[j]:.6g} "
                             "in the next; put one with that neuron zero between them")


def between(a: Network, b: Network, f: float) -> Network:
    """The network at the part f of the straight way from a to b."""
    (first, signs), (second, second_signs) = a.weights, b.weights
    used, second_used = lengths_of(a) > 0, lengths_of(b) > 0
    W = (1 - f) * first + f * second
    roots = np.sqrt(np.linalg.norm(W, axis=0))
    # half of log(||u|| / |alpha|); of a zero neuron that of the other end
    with np.errstate(divide="ignore", invalid="ignore"):
        tilt, second_tilt = (np.log(lengths_of(x)) / 2 - np.log(np.abs(x.alpha)) for x in (a, b))
        tilt = np.where(used, tilt, second_tilt)
        tilt = np.exp((1 - f) * tilt + f * np.where(second_used, second_tilt, tilt))
        moving = used | second_used
        U = np.where(moving, np.where(roots > 0, W / roots * tilt, 0), (1 - f) * a.U + f * b.U)
        alpha = np.where(moving, np.where(used, signs, second_signs) * roots / tilt,
                         (1 - f) * a.alpha + f * b.alpha)
    return Network(U, alpha)


def lengths_of(network: Network) -> np.ndarray:
    """||w_j||; 0 for neurons that contribute nothing."""
    return np.asarray(np.linalg.norm(network.weights[0], axis=0))


def _zero(network: Network) -> np.ndarray:
    return np.asarray((network.alpha == 0) & ~network.U.any(axis=0))


def _apart(a: Network, b: Network) -> float:
    """The largest difference of weights, relative to the largest weight."""
    if a.U.shape != b.U.shape:
        return np.inf
    pairs = [(a.U, b.U), (a.alpha, b.alpha)]
    size = max(float(np.abs(x).max(initial=1e-300)) for pair in pairs for x in pair)
    return max(float(np.abs(x - y).max(initial=0)) for x, y in pairs) / size
