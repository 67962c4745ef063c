"""A conic program, as every solver takes it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

__all__ = ["ConicProgram"]


@dataclass(frozen=True, eq=False)
class ConicProgram:
    """min x'Px/2 + q.x + constant subject to A x + s = b, s in a product of cones.

    Attributes
    ----------
    P, A : sparse matrix
        P upper triangular.
    q, b : ndarray of float64
    cones : sequence of (kind, size)
        Of the rows, in their order; "zero", "nonnegative", "second-order" or "exponential".
    constant : float
    """

    P: Any
    q: np.ndarray
    A: Any
    b: np.ndarray
    cones: tuple[tuple[str, int], ...]
    constant: float = 0.0

    @property
    def linear(self) -> bool:
        """Whether this is a linear program."""
        return self.P.nnz == 0 and all(kind in ("zero", "nonnegative") for kind, _ in self.cones)

    def rows(self, *kinds: str) -> np.ndarray:
        """Rows of these kinds, those of each kind in their order."""
        starts = np.cumsum([0] + [size for _, size in self.cones])
        parts = [np.arange(starts[i], starts[i] + size) for kind in kinds
                 for i, (k, size) in enumerate(self.cones) if k == kind]
        return np.concatenate([np.zeros(0, dtype=np.int64), *parts])

    def sizes(self, kind: str) -> list[int]:
        """Sizes of the cones of one kind."""
        return [size for k, size in self.cones if k == kind]
