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

import numpy as np

from cvxlayer.checks import check_real
from cvxlayer.errors import InputError
from cvxlayer.model.blocks import factors, groups
from cvxlayer.model.network import Network
from cvxlayer.model.problem import Problem, checked

from .path import ALIGNED, Path, PathCheck, between, lengths_of

__all__ = ["Path", "PathCheck", "join", "path_to_minimal", "path_to_nearly_minimal",
           "path_to_optimum", "path_to_reduced"]

_U = 2.0**-53


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
    network = checked(network, problem)
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
    network, optimum = checked(network, problem), checked(optimum, problem).scaled()
    check_real("gap", gap)
    networks = _reduction(problem, network)
    signs = optimum.alpha
    free = np.flatnonzero(lengths_of(networks[-1]) == 0)
    if len(free) < len(signs):
        raise InputError(
            f"network must have {len(signs)} neurons to spare for those of the optimum, got a "
            f"width of {network.m} with {len(free)} zero; n + 1 + m* = "
            f"{problem.n + 1 + len(signs)} always suffices, take network.padded("
            f"{problem.n + 1 + len(signs)})")
    slots = free[: len(signs)]
    end = Network(np.zeros((problem.d, network.m)), np.zeros(network.m))
    end.U[:, slots], end.alpha[slots] = optimum.U, signs
    value = problem.objective(end)
    # by convexity F is nowhere else on the way much below the least of these
    lower = min(problem.objective(between(networks[-1], end, 1 - 2.0**-k)) for k in range(40))
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
    network, other = checked(network, problem), checked(other, problem)
    networks, back = _reduction(problem, network), _reduction(problem, other)
    if network.m != other.m:
        raise InputError(f"networks must have one width, got {network.m} and {other.m}; take "
                         "Network.padded")
    used, taken = lengths_of(networks[-1]) > 0, lengths_of(back[-1]) > 0
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
    networks = _scaling(network)
    c = factors(problem, networks[-1])
    if (c == 0)[lengths_of(networks[-1]) > 0].any():
        W, signs = networks[-1].weights
        networks.append(_network(W * c, signs))
    return networks


def _path(problem: Problem, networks: list[Network], kind: str) -> Path:
    return Path(problem, networks if len(networks) > 1 else networks * 2, kind)


def _merging(problem: Problem, network: Network, *, single: bool) -> Path:
    network = checked(network, problem)
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
        aligned &= bool((apart <= ALIGNED * lengths).all())
        out[:, g] = np.outer(total, lengths / max(float(lengths.sum()), 1e-300))
    return out, aligned
