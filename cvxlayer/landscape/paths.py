"""Paths of networks of fixed width along which the objective does not rise.

With w_j = u_j |alpha_j| and scaled neurons, ||u_j|| = |alpha_j|, the objective is

    F = l(sum_j sign_j (X w_j)_+) + beta sum_j ||w_j||.

A path goes straight in the w_j from one network to the next, such that the predictions go straight
too; then F is convex between them. Any network can go on to a minimal one, to one of n + 1 neurons,
and with room for its neurons to a global optimum (Wang, Lacotte and Pilanci, The hidden convex
optimization landscape of regularized two-layer ReLU networks, ICLR 2022, corollary 1, propositions
6 and 7): F has no spurious valleys at width n + 1 + m*, m* the neurons of an optimum, and connected
sublevel sets at width 2(n + 1).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cvxlayer.checks import check_count, check_real
from cvxlayer.errors import InputError
from cvxlayer.model.blocks import factors, groups
from cvxlayer.model.network import Network
from cvxlayer.model.problem import Problem, check_problem

__all__ = ["Path", "PathCheck", "join", "path_to_minimal", "path_to_nearly_minimal",
           "path_to_optimum", "path_to_reduced"]

_U = 2.0**-53
_ALIGNED = 1e-10  # directions this near are one; the penalty sees the square of it
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
        return self.networks[0]

    @property
    def end(self) -> Network:
        return self.networks[-1]

    def __call__(self, t: float) -> Network:
        """The network at t; at breakpoints the given one."""
        i, f = self._place(t)
        if f in (0, 1):
            return self.networks[i + int(f)]
        return _between(self.networks[i], self.networks[i + 1], f)

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
        if apart > _ALIGNED:
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
        sizes = p.row_lengths * max(_lengths(x).sum() for x in self.networks)
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
        used, used_next = _lengths(a) > 0, _lengths(b) > 0
        # what is idle, u or alpha zero, must stay so on the straight way
        moving = Network(np.abs(a.U) + np.abs(b.U), np.abs(a.alpha) + np.abs(b.alpha))
        wrong = ~used & ~used_next & (_lengths(moving) > 0)
        wrong |= used & used_next & (np.sign(a.alpha) != np.sign(b.alpha))
        wrong |= (used & ~used_next & ~_zero(b)) | (used_next & ~used & ~_zero(a))
        if wrong.any():
            j = int(np.argmax(wrong))
            raise InputError("networks must change the sign of a neuron only where it is zero, got "
                             f"alpha[{j}] = {a.alpha[j]:.6g} in network {i} and {b.alpha[j]:.6g} "
                             "in the next; put one with that neuron zero between them")


def path_to_nearly_minimal(network: Network, problem: Problem) -> Path:
    """To a nearly minimal network: scaled, with neurons of one chamber and sign collinear.

    The neurons w_j of a group become p_j sum_k w_k, p_j = ||w_j|| / sum_k ||w_k||: on their closed
    chamber (X .)_+ is linear, so predictions stay, and the penalty falls by convexity.

    Parameters
    ----------
    network : Network
    problem : Problem

    Returns
    -------
    Path
        "non-increasing"; "constant" if the network is nearly minimal, which then is the end.

    Notes
    -----
    A neuron on hyperplanes belongs to the chamber that `landscape.groups` gives it, at the end
    too.

    Examples
    --------
    >>> problem = Problem([[1, 0], [0, 1], [1, 1]], [1, 0, 0], 0.1)
    >>> path = path_to_nearly_minimal(Network([[4, 3], [3, 4]], [5, 5]), problem)
    >>> path.end.weights[0].round(9).tolist(), path.check().holds
    ([[17.5, 17.5], [17.5, 17.5]], True)
    """
    return _merging(problem, network, single=False)


def path_to_minimal(network: Network, problem: Problem) -> Path:
    """To a minimal network, with at most one neuron for each chamber and sign.

    First to a nearly minimal one; then in each group all goes to its first neuron, which changes
    neither predictions nor penalty.

    Parameters
    ----------
    network : Network
    problem : Problem

    Returns
    -------
    Path
        "non-increasing"; "constant" for a nearly minimal network.

    Examples
    --------
    >>> problem = Problem([[1, 0], [0, 1], [1, 1]], [1, 0, 0], 0.1)
    >>> path = path_to_minimal(Network([[4, 3], [3, 4]], [5, 5]), problem)
    >>> path.end.weights[0].round(9).tolist(), path.kind
    ([[35.0, 0.0], [35.0, 0.0]], 'non-increasing')
    """
    return _merging(problem, network, single=True)


def path_to_reduced(network: Network, problem: Problem) -> Path:
    """To a network of at most n + 1 neurons that are not zero, with the same predictions.

    w_j goes to c_j w_j with the factors of `landscape.factors` (Caratheodory); predictions and
    penalty are linear in c, and the same at both ends.

    Parameters
    ----------
    network : Network
    problem : Problem

    Returns
    -------
    Path
        "constant" for a scaled network, else "non-increasing".

    Examples
    --------
    >>> problem = Problem([[1.0]], [1.0], 0.5)
    >>> path = path_to_reduced(Network([[1.0, 2.0, 3.0]], [1.0, 2.0, 3.0]), problem)
    >>> path.kind, int((path.end.alpha != 0).sum()), path.check().holds
    ('constant', 1, True)
    """
    network = Network.of(network)
    networks = _reduction(problem, network)
    return _path(problem, networks, "constant" if _is_scaled(network) else "non-increasing")


def path_to_optimum(network: Network, optimum: Network, problem: Problem, *, gap: float = 1e-8
                    ) -> Path:
    """From any network wide enough to one with the neurons of an optimum.

    The network is scaled and reduced; the optimum's neurons, t w_j, grow in slots that are zero,
    while the others shrink to (1 - t) w_j. F is convex on the way, and least at the end.

    Parameters
    ----------
    network : Network
        Of width n + 1 + m*, with m* neurons of the optimum, or less if its reduction leaves m* of
        its neurons zero.
    optimum : Network
        As of `Problem.fit`; scaled, if it is not.
    problem : Problem
    gap : float, default 1e-8
        (F(optimum) - least F) / F(optimum), as `Solution.gap`: the path may rise by this at its
        end, its `slack`.

    Returns
    -------
    Path
        "non-increasing".

    Raises
    ------
    InputError
        If there is not room enough, or the optimum is none: F is less on the way to it, by more
        than `gap`.

    Examples
    --------
    >>> problem = Problem([[1, 0], [0, 1], [1, 1]], [1, 0, 0], 0.1)
    >>> network = Network([[1, 2, 0, 0, 0, 0], [3, 1, 0, 0, 0, 0]], [1, -2, 0, 0, 0, 0])
    >>> path = path_to_optimum(network, problem.fit().network, problem)
    >>> round(path.objective(1), 6), path.check().holds
    (0.129024, True)
    """
    check_problem(problem)
    check_real("gap", gap)
    network, optimum = Network.of(network), Network.of(optimum)
    problem.check_network(optimum)
    networks = _reduction(problem, network)
    signs = optimum.scaled().alpha
    free = np.flatnonzero(_lengths(networks[-1]) == 0)
    if len(free) < len(signs):
        raise InputError(
            f"network must have {len(signs)} neurons to spare for those of the optimum, got a "
            f"width of {network.m} with {len(free)} zero; n + 1 + m* = "
            f"{problem.n + 1 + len(signs)} always suffices, take network.padded("
            f"{problem.n + 1 + len(signs)})")
    slots = free[: len(signs)]
    end = Network(np.zeros((problem.d, network.m)), np.zeros(network.m))
    end.U[:, slots], end.alpha[slots] = optimum.scaled().U, optimum.scaled().alpha
    value = problem.objective(end)
    # by convexity F is nowhere else on the way much below the least of these
    lower = min(problem.objective(_between(networks[-1], end, 1 - 2.0**-k)) for k in range(40))
    if value - lower > gap * value + 2 * problem.objective_error(end):
        raise InputError(f"optimum must be optimal up to a gap of {gap:.3g}, got an objective of "
                         f"{value:.9g}, which on the way to it is {lower:.9g}; take the network "
                         "and the gap of Problem.fit")
    return Path(problem, [*networks, end], "non-increasing", slack=gap * value)


def join(network: Network, other: Network, problem: Problem) -> Path:
    """From one network to another of the same width, with predictions straight between theirs.

    Both are reduced to n + 1 neurons, the first one's are moved out of the slots of the second, and
    between these two w_j goes straight: there F is convex, before it falls or stays, afterwards it
    rises or stays. So any two networks of F <= c and width 2(n + 1) are connected by such networks.

    Parameters
    ----------
    network, other : Network
        Of one width, 2(n + 1) or more; less if they reduce to fewer neurons.
    problem : Problem

    Returns
    -------
    Path
        "bounded".

    Raises
    ------
    InputError
        If widths differ, or there is not room enough.

    Examples
    --------
    >>> problem = Problem([[1.0]], [1.0], 0.5)
    >>> path = join(Network([[2.0, 0]], [2.0, 0]), Network([[-1.0, 0]], [1.0, 0]), problem)
    >>> [round(float(path(t).predict([[1.0]])[0]), 6) for t in (0, 0.25, 0.5, 0.75, 1)]
    [4.0, 4.0, 4.0, 2.0, 0.0]
    """
    network, other = Network.of(network), Network.of(other)
    networks, back = _reduction(problem, network), _reduction(problem, other)
    if network.m != other.m:
        raise InputError(f"networks must have one width, got {network.m} and {other.m}; take "
                         "Network.padded")
    used, taken = _lengths(networks[-1]) > 0, _lengths(back[-1]) > 0
    free, collide = np.flatnonzero(~used & ~taken), np.flatnonzero(used & taken)
    if len(free) < len(collide):
        raise InputError(
            f"networks must have room for the neurons of both, got a width of {network.m} for "
            f"{used.sum()} + {taken.sum()}; 2(n + 1) = {2 * problem.n + 2} always suffices, take "
            f"network.padded({2 * problem.n + 2})")
    if len(collide):
        slots = np.arange(network.m)
        slots[collide], slots[free[: len(collide)]] = free[: len(collide)], collide
        networks.append(Network(networks[-1].U[:, slots], networks[-1].alpha[slots]))
    return Path(problem, [*networks, *back[::-1]], "bounded")


def _between(a: Network, b: Network, f: float) -> Network:
    (first, signs), (second, second_signs) = a.weights, b.weights
    used, second_used = _lengths(a) > 0, _lengths(b) > 0
    W = (1 - f) * first + f * second
    roots = np.sqrt(np.linalg.norm(W, axis=0))
    # half of log(||u|| / |alpha|); of a zero neuron that of the other end
    with np.errstate(divide="ignore", invalid="ignore"):
        tilt, second_tilt = (np.log(_lengths(x)) / 2 - np.log(np.abs(x.alpha)) for x in (a, b))
        tilt = np.where(used, tilt, second_tilt)
        tilt = np.exp((1 - f) * tilt + f * np.where(second_used, second_tilt, tilt))
        moving = used | second_used
        U = np.where(moving, np.where(roots > 0, W / roots * tilt, 0), (1 - f) * a.U + f * b.U)
        alpha = np.where(moving, np.where(used, signs, second_signs) * roots / tilt,
                         (1 - f) * a.alpha + f * b.alpha)
    return Network(U, alpha)


def _lengths(network: Network) -> np.ndarray:
    """||w_j||; 0 for neurons that contribute nothing."""
    return np.asarray(np.linalg.norm(network.weights[0], axis=0))


def _zero(network: Network) -> np.ndarray:
    return np.asarray((network.alpha == 0) & ~network.U.any(axis=0))


def _network(W: np.ndarray, signs: np.ndarray) -> Network:
    """The scaled network of these weights; as `Network.from_weights`, but zero neurons stay."""
    roots = np.sqrt(np.linalg.norm(W, axis=0))
    return Network(np.where(roots > 0, W, 0) / np.where(roots > 0, roots, 1), signs * roots)


def _is_scaled(network: Network) -> bool:
    """Whether ||u_j|| = |alpha_j|, to rounding."""
    lengths, heights = np.linalg.norm(network.U, axis=0), np.abs(network.alpha)
    return bool((np.abs(lengths - heights) <= 8 * _U * (network.d + 8) * heights).all())


def _scaling(network: Network) -> list[Network]:
    return [network] if _is_scaled(network) else [network, _network(*network.weights)]


def _reduction(problem: Problem, network: Network) -> list[Network]:
    """The network, its scaled form, and one of at most n + 1 neurons; each if it is another."""
    check_problem(problem)
    problem.check_network(network)
    networks = _scaling(network)
    c = factors(problem, networks[-1])
    if (c == 0)[_lengths(networks[-1]) > 0].any():
        W, signs = networks[-1].weights
        networks.append(_network(W * c, signs))
    return networks


def _path(problem: Problem, networks: list[Network], kind: str) -> Path:
    return Path(problem, networks if len(networks) > 1 else networks * 2, kind)


def _merging(problem: Problem, network: Network, *, single: bool) -> Path:
    check_problem(problem)
    network = Network.of(network)
    problem.check_network(network)
    networks = _scaling(network)
    kind = "constant" if _is_scaled(network) else "non-increasing"
    # sums of neurons on hyperplanes may, rounded, be in another chamber: a few rounds more
    for _ in range(2 * network.m + 2):
        members = [g for g in groups(problem, networks[-1]) if len(g) > 1]
        W, signs = networks[-1].weights
        W, aligned = _summed(W, members)
        if not aligned:
            kind = "non-increasing"
        elif single and members:
            W = networks[-1].weights[0]
            for g in members:
                W[:, g[0]], W[:, g[1:]] = W[:, g].sum(axis=1), 0
        else:
            break
        networks.append(_network(W, signs))
    return _path(problem, networks, kind)


def _summed(W: np.ndarray, members: list[np.ndarray]) -> tuple[np.ndarray, bool]:
    """Weights p_j sum_k w_k in place of w_j, and whether they were collinear before."""
    out, aligned = W.copy(), True
    for g in members:
        total, lengths = W[:, g].sum(axis=1), np.linalg.norm(W[:, g], axis=0)
        size = float(np.linalg.norm(total))
        if size <= 4 * _U * len(g) * lengths.sum():  # opposite, on hyperplanes of all samples
            total[:], size = 0, 1.0
        apart = np.linalg.norm(W[:, g] - np.outer(total, lengths / size), axis=0)
        aligned &= bool((apart <= _ALIGNED * lengths).all())
        out[:, g] = np.outer(total, lengths / max(float(lengths.sum()), 1e-300))
    return out, aligned


def _apart(a: Network, b: Network) -> float:
    """The largest difference of weights, relative to the largest weight."""
    if a.U.shape != b.U.shape:
        return np.inf
    pairs = [(a.U, b.U), (a.alpha, b.alpha)]
    size = max(float(np.abs(x).max(initial=1e-300)) for pair in pairs for x in pair)
    return max(float(np.abs(x - y).max(initial=0)) for x, y in pairs) / size
