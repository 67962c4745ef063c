"""Patterns for the subsampled program: those of random vectors and of given networks."""

from __future__ import annotations

from typing import Any

import numpy as np

from arrangements import Dichotomies
from cvxlayer.errors import InputError
from cvxlayer.model.network import Network
from cvxlayer.model.problem import Problem

__all__ = ["VARIANTS", "sampled_patterns"]

VARIANTS = ("gaussian", "trained", "initial", "flipped")


def sampled_patterns(problem: Problem, samples: int, network: Network | None = None,
                     variant: str = "gaussian", rng: Any = None) -> Dichotomies:
    """Distinct chambers for the program over some patterns (Pilanci and Ergen 2020, section 6).

    Parameters
    ----------
    problem : Problem
    samples : int
        Patterns at most, at least 1; those of the network's own neurons are all kept, even if
        there are more.
    network : Network, optional
        Needed by all variants but "gaussian".
    variant : {"gaussian", "trained", "initial", "flipped"}, default "gaussian"
        "gaussian", "trained": the patterns of the neurons, and of Gaussian vectors until there
        are `samples`. "initial": those of the neurons. "flipped": those of the neurons, and their
        neighbours, the chambers across one facet; nearest first, by the angle between a neuron
        and the hyperplane crossed, as flipping the bits of the samples with least |x_i.u| gives.
    rng : numpy.random.Generator, int or None

    Returns
    -------
    Dichotomies
        Each pattern once: those of the neurons in their order, then the others as drawn or by
        distance. A neuron on hyperplanes has a chamber with it in its closure.

    Raises
    ------
    InputError
        If the variant is unknown, the network is missing or of another input size, or `samples`
        is no positive integer.

    Notes
    -----
    "flipped" takes a linear program for each distinct pattern of the network, some 5 ms for
    n = 100 and d = 5. A hyperplane of several parallel samples flips all their bits.

    Examples
    --------
    >>> problem = Problem([[1, 0], [0, 1], [1, 1]], [1, 0, 0], 0.1)
    >>> network = Network([[2], [1]], [1])
    >>> sampled_patterns(problem, 10, network, "flipped").to_numpy().astype(int).tolist()
    [[1, 1, 1], [1, 0, 1], [0, 1, 1]]
    """
    if variant not in VARIANTS:
        raise InputError(f"variant must be one of {', '.join(VARIANTS)}, got {variant!r}")
    if isinstance(samples, bool) or not isinstance(samples, int | np.integer) or samples < 1:
        raise InputError(f"samples must be a positive integer, got {samples!r}")
    A = problem.arrangement
    units = np.zeros((0, problem.d))
    if network is not None:
        problem.check_network(network)
        U = network.U[:, network.U.any(axis=0)]
        U = U / np.abs(U).max(axis=0)
        units = (U / np.linalg.norm(U, axis=0)).T
    elif variant != "gaussian":
        raise InputError(f"network must be given for the variant {variant!r}, got None; pass a "
                         "network, or choose 'gaussian'")
    own = A.dichotomies_at(units)
    if variant == "initial":
        return _first([own], len(own))
    if variant == "flipped":
        return _first([own, _flipped(problem, own, units)], samples)
    drawn = A.sample_dichotomies(int(samples), rng).dichotomies
    return _first([own, drawn], samples)


def _flipped(problem: Problem, own: Dichotomies, units: np.ndarray) -> Dichotomies:
    """The neighbours of each neuron's chamber, by the sine of the angle to what is crossed."""
    sizes = np.linalg.norm(problem.X, axis=1)
    sines = np.abs(units @ problem.X.T) / np.where(sizes > 0, sizes, 1)
    rows, nearness = [np.zeros((0, own.packed.shape[1]), dtype=np.uint8)], [np.zeros(0)]
    around: dict[bytes, tuple[np.ndarray, np.ndarray]] = {}
    for pattern, packed, sine in zip(own, own.packed, sines, strict=True):
        key = packed.tobytes()
        if key not in around:
            near = problem.arrangement.neighbours(pattern, 1).dichotomies[1:]
            around[key] = near.packed, near.to_numpy() != pattern
        rows.append(around[key][0])
        nearness.append(np.where(around[key][1], sine, np.inf).min(axis=1))
    order = np.argsort(np.concatenate(nearness), kind="stable")
    return Dichotomies(np.concatenate(rows)[order], own.n, arrangement=problem.arrangement)


def _first(parts: list[Dichotomies], size: int) -> Dichotomies:
    """Distinct rows in their order: all of the first part, the others up to `most` in all."""
    rows = np.concatenate([part.packed for part in parts])
    kept = np.sort(np.unique(rows, axis=0, return_index=True)[1])
    own = int((kept < len(parts[0])).sum())
    return Dichotomies(rows[kept[: max(own, int(size))]], parts[0].n,
                       arrangement=parts[0].arrangement)
