"""The optimality conditions of the convex program, cone by cone, as the papers have them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse

from arrangements import CapacityError
from cvxlayer.checks import check_count, check_real
from cvxlayer.model.blocks import Blocks
from cvxlayer.model.network import Network
from cvxlayer.model.problem import Problem, check_problem
from cvxlayer.model.weights import nearest, scaled_by_power

__all__ = ["KKT", "kkt"]

_BLOCK = 4096  # cones whose patterns are unpacked at a time


@dataclass(frozen=True, eq=False)
class KKT:
    """What the check of all cones found.

    Attributes
    ----------
    satisfied : bool
        Every block is stationary and no cone is violated, up to the tolerance.
    residual : ndarray of float64, shape (k,)
        For each block, in the order of `blocks`: min over zeta >= 0, zeta_i x_i.w = 0, of
        ||s X'D v + X'(2D - I) zeta - beta w/||w|| ||.
    value : float
        The largest min over zeta >= 0 of ||s X'D v + X'(2D - I) zeta|| over all cones and signs s:
        max(h(v), h(-v)).
    pattern : ndarray of bool, shape (n,)
    sign : int
        The cone and sign where it is attained.
    violated : int
        How many (cone, sign) pairs exceed beta.
    n_cones, n_screened : int
        Cones, and (cone, sign) pairs whose ||X'Dv|| settled them without a least squares problem.
    zeta_plus, zeta_minus : csr_array of float64, shape (p, n), or None
        With `multipliers`: zeta of each cone that needed one, for s = 1 and -1, in the order of
        `Arrangement.dichotomies`.
    blocks : Blocks
        What was checked: the network's weights, added up by chamber and sign.
    """

    satisfied: bool
    residual: np.ndarray
    value: float
    pattern: np.ndarray
    sign: int
    violated: int
    n_cones: int
    n_screened: int
    zeta_plus: Any
    zeta_minus: Any
    blocks: Blocks

    def __bool__(self) -> bool:
        return self.satisfied


def kkt(network: Any, problem: Problem, *, tol: float = 1e-5, multipliers: bool = False,
        max_cones: int = 10**6) -> KKT:
    """The Karush-Kuhn-Tucker conditions of the convex program over all chambers, literally.

    With v = -grad l at the predictions, blocks w of pattern D and sign s that are not zero need
    zeta >= 0, zero where x_i.w is not, with

        s X'D v + X'(2D - I) zeta = beta w / ||w||,

    and for all other D and s there must be zeta >= 0 with

        ||s X'D v + X'(2D - I) zeta|| <= beta,

    zeta_plus for s = 1 and zeta_minus for s = -1 (Wang, Lacotte and Pilanci 2022, (14), (15) and
    proposition 5).

    Parameters
    ----------
    network : Blocks, Network, Solution, PyTorch module or scikit-learn MLP
        A network is mapped to blocks first (`Network.to_blocks`).
    problem : Problem
        Of a loss with a gradient; for others v is one choice of many: only sufficient.
    tol : float, default 1e-5
        For residuals and violations, relative to beta.
    multipliers : bool, default False
        Keep all zeta.
    max_cones : int, default 10**6
        Refuse more.

    Returns
    -------
    KKT

    Raises
    ------
    CapacityError
        If there are more than `max_cones` chambers: `certify` lists none.

    Notes
    -----
    One nonnegative least squares problem on the facets of each cone, for each sign, that ||X'Dv||
    does not settle, some 50 microseconds each. Residuals are of the order of the square root of a
    gap: a network with a gap of 1e-8 can miss a tolerance of 1e-5. Every norm is that of a
    zeta >= 0, hence an upper bound of the cone's price, whatever the least squares gave. `certify`
    answers the same question without a list of cones, and with rounding under control.

    Examples
    --------
    >>> from cvxlayer import Problem
    >>> problem = Problem([[1, 0], [0, 1], [1, 1]], [1, 0, 0], 0.1)
    >>> kkt(problem.fit().network, problem).satisfied
    True
    >>> kkt(Network([[1.0], [0.0]], [1.0]), problem).violated
    3
    """
    check_problem(problem)
    check_real("tol", tol)
    check_count("max_cones", max_cones)
    blocks = network if isinstance(network, Blocks) else Network.of(network).to_blocks(problem)
    (X, e), (v, g) = map(scaled_by_power, (problem.X, problem.residual(
        Network.from_blocks(blocks))))
    beta = float(np.ldexp(problem.beta, -e - g))
    A = problem.arrangement
    p = A.count_dichotomies()
    if p > max_cones:
        raise CapacityError(f"there are {p:,} cones, more than max_cones = {max_cones:,}; certify "
                            "lists none", n_chambers=p, bytes_needed=p * problem.n // 8,
                            bytes_available=max_cones * problem.n // 8, exact=True)
    patterns = A.dichotomies()
    facets = patterns.facets()
    value, pattern, sign = 0.0, patterns[0], 1
    violated = n_projected = 0
    kept: dict[int, list[tuple[int, np.ndarray, np.ndarray]]] = {1: [], -1: []}
    for start in range(0, p, _BLOCK):
        bits = patterns[start : start + _BLOCK].to_numpy()
        centres = (bits * v) @ X
        lengths = np.linalg.norm(centres, axis=1)
        # a projection is no longer than what is projected: the longest first
        for i in np.argsort(-lengths, kind="stable").tolist():
            if lengths[i] <= min(value, beta):
                break
            n_projected += 2
            rows = facets.indices[facets.indptr[start + i] : facets.indptr[start + i + 1]]
            normals = np.where(bits[i, rows], 1.0, -1.0)[:, None] * X[rows]
            for s in (1, -1):
                zeta, size = nearest(normals, s * centres[i])
                violated += size > beta * (1 + tol)
                if multipliers:
                    kept[s].append((start + i, rows, np.ldexp(zeta, g)))
                if size > value:
                    value, pattern, sign = size, bits[i], s
    residual = np.array([_block_residual(problem, X, v, beta, bits, w, s) for bits, w, s in zip(
        blocks.patterns, blocks.weights.T, blocks.signs, strict=True)])
    plus, minus = ((_stacked(kept[s], p, problem.n) if multipliers else None) for s in (1, -1))
    satisfied = bool(violated == 0 and (residual <= tol * beta).all())
    return KKT(satisfied, np.ldexp(residual, e + g), float(np.ldexp(value, e + g)), pattern, sign,
               int(violated), int(p), 2 * int(p) - n_projected, plus, minus, blocks)


def _block_residual(problem: Problem, X: np.ndarray, v: np.ndarray, beta: float, bits: np.ndarray,
                    w: np.ndarray, sign: float) -> float:
    length = float(np.linalg.norm(w))
    on = (np.abs(problem.X @ w) <= 1e-9 * problem.row_lengths * length) & (problem.row_lengths > 0)
    normals = np.where(bits[on], 1.0, -1.0)[:, None] * X[on]
    target = sign * (bits * v) @ X - beta * w / length
    return nearest(normals, target)[1]


def _stacked(kept: list[tuple[int, np.ndarray, np.ndarray]], p: int, n: int) -> Any:
    rows = np.repeat([i for i, _, _ in kept], [len(z) for _, _, z in kept])
    columns = np.concatenate([np.zeros(0, dtype=np.int64), *(r for _, r, _ in kept)])
    values = np.concatenate([np.zeros(0), *(z for _, _, z in kept)])
    return sparse.csr_array((values, (rows.astype(np.int64), columns)), shape=(p, n))
