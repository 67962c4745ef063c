"""SCS: a first-order method; all cones, slow to tight accuracy."""

from __future__ import annotations

from typing import Any

import numpy as np
import scs

from cvxlayer.errors import InputError, SolverError

from . import Answer

_ORDER = ("zero", "nonnegative", "second-order", "exponential")  # SCS wants the rows so


def solve(P: Any, q: np.ndarray, A: Any, b: np.ndarray, cones: list[tuple[str, int]], *,
          tol: float = 1e-7, **options: Any) -> Answer:
    """`tol`: eps_abs and eps_rel; `options`: SCS's own settings."""
    rows = _rows(cones)
    sizes: dict[str, list[int]] = {
        kind: [size for k, size in cones if k == kind] for kind in _ORDER}
    cone = {"z": sum(sizes["zero"]), "l": sum(sizes["nonnegative"]), "q": sizes["second-order"],
            "ep": len(sizes["exponential"])}
    data = {"P": P.tocsc(), "A": A.tocsr()[rows].tocsc(), "b": np.asarray(b, float)[rows],
            "c": np.asarray(q, float)}
    settings = {"eps_abs": tol, "eps_rel": tol, "max_iters": 200_000, "verbose": False}
    try:
        solver = scs.SCS(data, cone, **(settings | options))
    except (TypeError, ValueError) as error:
        raise InputError(f"options must be settings of SCS, got {options!r}: {error}") from error
    found = solver.solve()
    status = str(found["info"]["status"])
    if status != "solved":
        raise SolverError(f"SCS stopped with {status!r} after {found['info']['iter']} steps",
                          status)
    dual = np.empty(len(rows))
    dual[rows] = found["y"]
    return Answer(np.array(found["x"]), dual, status, found["info"]["solve_time"] / 1000)


def _rows(cones: list[tuple[str, int]]) -> np.ndarray:
    """Our row at each of SCS's rows: by kind of cone, and as they came."""
    starts = np.cumsum([0] + [size for _, size in cones])
    parts = [np.arange(starts[i], starts[i] + size) for kind in _ORDER
             for i, (k, size) in enumerate(cones) if k == kind]
    return np.concatenate([np.zeros(0, dtype=np.int64), *parts])
