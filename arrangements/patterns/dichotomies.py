"""Dichotomies as immutable packed rows: one bit per sample, one row per chamber."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import numpy as np

from arrangements.errors import InputError

from .facets import adjacency, facets
from .packed import PackedRows, checked_samples, checked_witnesses

__all__ = ["Dichotomies"]


class Dichotomies(PackedRows):
    """Sequence of dichotomies ``1[Xu >= 0]``, each a pattern of `n` bits, packed eight to a byte.

    Parameters
    ----------
    packed : ndarray of uint8, shape (p, ceil(n/8))
        Bit ``i % 8`` of byte ``i // 8`` is sample i, as ``numpy.packbits(bits, axis=1,
        bitorder="little")`` writes it; the bits after sample n - 1 are zero. Not copied when it is
        contiguous: whoever passes it must not write to it any more.
    n : int
        Number of samples.
    arrangement : Arrangement, optional
        Where the patterns come from; needed by `witness` only.
    witnesses : ndarray of float64, shape (p, d), optional
        Row i is a u with ``1[Xu >= 0]`` equal to pattern i, where ``witness_found[i]``.
    witness_found : ndarray of bool, shape (p,), optional
        By default True for the rows of `witnesses` without nan or infinity.

    Raises
    ------
    InputError
        The arrays have another shape or dtype, or a bit after the last sample is set.

    Notes
    -----
    Indexing by an integer gives a bool array of length n, owned by the caller; a slice, an array of
    integers or a boolean mask gives Dichotomies, their witnesses carried along. Equality is that of
    sets: order and repetitions do not matter, n does. ``pattern in dichotomies`` takes O(log p)
    after a first call that sorts the rows in O(p log p) and keeps 8 + 8 ceil(n/64) bytes for each.
    Comparing two objects sorts both unless they hold the same rows in the same order.

    Examples
    --------
    >>> import numpy as np
    >>> quadrants = np.packbits([[0, 0], [1, 0], [0, 1], [1, 1]], axis=1, bitorder="little")
    >>> dichotomies = Dichotomies(quadrants, 2)
    >>> len(dichotomies), dichotomies[1].tolist(), [True, True] in dichotomies
    (4, [True, False], True)
    >>> dichotomies == dichotomies[::-1]
    True
    """

    _dtype, _vector, _size, _bits = bool, "pattern", "p", "bits"
    _packed_as = ".packed for the array itself"

    def __init__(
        self,
        packed: np.ndarray,
        n: int,
        *,
        arrangement: Any = None,
        witnesses: np.ndarray | None = None,
        witness_found: np.ndarray | None = None,
    ) -> None:
        n = checked_samples(n)
        packed = self._checked_plane("packed", packed, n)
        self._hold(packed, n, arrangement,
                   *checked_witnesses(len(packed), witnesses, witness_found))

    @property
    def packed(self) -> np.ndarray:
        """Read-only uint8 array (p, ceil(n/8)), as ``numpy.packbits(..., bitorder="little")``."""
        return self._rows

    def _unpack(self, rows: np.ndarray) -> np.ndarray:
        return np.unpackbits(rows, axis=1, count=self.n, bitorder="little").view(bool)

    def _pack(self, pattern: Any) -> np.ndarray:
        if isinstance(pattern, bytes):
            pattern = np.frombuffer(pattern, dtype=np.uint8)
        pattern = np.asarray(pattern)
        n_bytes = self.packed.shape[1]
        if pattern.dtype == np.uint8 and pattern.shape == (n_bytes,):
            if self.n % 8 and pattern[-1] >> (self.n % 8):
                raise InputError(f"a packed pattern must be zero after bit {self.n - 1}")
            out: np.ndarray = pattern
            return out
        if pattern.shape != (self.n,):
            raise InputError(
                f"a pattern must have length {self.n}, or {n_bytes} packed in uint8, "
                f"got {pattern.dtype} of shape {pattern.shape}"
            )
        if pattern.dtype.kind not in "biu" or ((pattern != 0) & (pattern != 1)).any():
            raise InputError(f"a pattern must hold bools, or integers 0 and 1, got {pattern!r:.80}")
        return np.packbits(pattern.astype(bool), bitorder="little")

    def _codes(self, rows: np.ndarray) -> np.ndarray:
        return rows

    def _columns(self) -> dict[str, np.ndarray]:
        return {"packed": self.packed}

    # --- one chamber

    def witness(self, i: int) -> tuple[Fraction, ...]:
        """Exact point of chamber i: a u with ``1[Xu >= 0]`` equal to pattern i.

        Returns
        -------
        tuple of d Fractions
            ``x.u`` is zero for no nonzero row x of X.

        Raises
        ------
        InputError
            The patterns are not attached to an arrangement, for example after `load`.
        """
        if self._arrangement is None:
            raise InputError(
                "witness needs the arrangement, and these patterns have none (a file holds no data "
                "matrix); enumerate again, or pass Dichotomies(packed, n, arrangement=...)"
            )
        out: tuple[Fraction, ...] = self._arrangement.interior_point(self[i])
        return out

    # --- facets

    def facets(self, *, n_jobs: int = 1) -> Any:
        """Rows of X that bound each chamber, as a sparse matrix; see `facets.facets`.

        Parameters
        ----------
        n_jobs : int, default 1
            Threads; -1 for all cores.

        Returns
        -------
        scipy.sparse.csr_array of bool, shape (p, n)
        """
        walls = self._walls(n_jobs)
        return facets(self.packed, self._arrangement.data.reduction, walls)

    def adjacency(self, *, rows: bool = False, n_jobs: int = 1) -> Any:
        """Graph of the chambers that share a facet (the tope graph); see `facets.adjacency`.

        Parameters
        ----------
        rows : bool, default False
            Store one more than the row of X between two chambers, instead of True.
        n_jobs : int, default 1
            Threads; -1 for all cores.

        Returns
        -------
        scipy.sparse.csr_array, shape (p, p)
        """
        walls = self._walls(n_jobs)
        return adjacency(self.packed, self._arrangement.data.reduction, walls, rows=rows)

    def _walls(self, n_jobs: int) -> Iterator[np.ndarray]:
        """Rows of the faces of codimension one, in blocks."""
        if self._arrangement is None or not self._arrangement.exact:
            raise InputError("facets need an exact arrangement, and these patterns have "
                             + ("none" if self._arrangement is None else "one with tol")
                             + "; enumerate again, or pass Dichotomies(packed, n, arrangement=...)")
        walls: Iterator[np.ndarray] = self._arrangement.iter_walls(n_jobs=n_jobs)
        return walls
